//! Each statement of the contract has tests with values typed from the pages.

use std::collections::{HashMap, HashSet};

use gptbots_mock::contract;

/// A statement whose test was renamed or removed is held by nothing, and so is one whose test asks
/// the tables what would be right.
#[test]
fn each_statement_names_tests_that_there_are_and_that_are_typed() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/api");
    let mut ids = HashSet::new();
    let table = tests_by_statement();
    for statement in contract::statements() {
        let id = statement.id.to_string();
        let tests = table.get(&*id).map_or(&[][..], Vec::as_slice);
        assert!(!tests.is_empty(), "{} has no test", statement.id);
        for test in tests {
            let (module, name) = test.split_once("::").unwrap();
            let source = std::fs::read_to_string(format!("{folder}/{module}.rs")).unwrap();
            // A function below its attribute, or a row of a macro that makes one.
            let is_test = source.contains(&format!("#[test]\nfn {name}() {{\n"))
                || source.contains(&format!("\n    {name}: \""));
            assert!(is_test, "{}: no test {test}", statement.id);
            assert!(!is_derived(&source, name), "{}: {test} goes by the tables", statement.id);
        }
        let reading = statement.reading;
        let is_reading = |id| contract::READINGS.iter().any(|row| row.id == id);
        assert!(reading.is_none_or(is_reading), "{id}: {reading:?}");
        assert!(ids.insert(id), "{} stands twice", statement.id);
    }
    assert!(table.keys().all(|id| ids.contains(*id)), "there is a test of no statement");
}

/// The tests that hold each statement, as `statements.txt` has them.
pub(crate) fn tests_by_statement() -> HashMap<&'static str, Vec<&'static str>> {
    let mut table: HashMap<_, Vec<_>> = HashMap::new();
    let mut id = "";
    for line in include_str!("statements.txt").lines().filter(|line| !line.starts_with('#')) {
        match line.strip_prefix("  ") {
            Some(test) => table.entry(id).or_default().push(test),
            None => id = line,
        }
    }
    table
}

/// Tables of the contract, by which no test that holds a statement may go.
const TABLES: &[&str] = &["ENDPOINTS", ".params", "CONVERSATION_TYPES", "COMMON_ERRORS"];

/// Whether a function goes by the tables, itself or in one of its module that it calls.
fn is_derived(source: &str, name: &str) -> bool {
    let functions: Vec<(&str, &str)> = source
        .split("\nfn ")
        .skip(1)
        .filter_map(|text| Some((text.split(['(', '<']).next()?, text.split("\n}\n").next()?)))
        .collect();
    let (mut left, mut seen) = (vec![name], HashSet::new());
    while let Some(next) = left.pop() {
        if !seen.insert(next) {
            continue;
        }
        for (_, text) in functions.iter().filter(|(name, _)| *name == next) {
            if TABLES.iter().any(|table| text.contains(table)) {
                return true;
            }
            let calls = |name: &&str| text.contains(&format!("{name}("));
            left.extend(functions.iter().map(|(name, _)| *name).filter(calls));
        }
    }
    false
}

#[test]
fn a_test_that_goes_by_the_tables_is_told_from_one_that_does_not() {
    let limits = include_str!("api/limits.rs");
    assert!(is_derived(limits, "a_parameter_given_twice_is_refused"));
    assert!(is_derived(limits, "a_value_just_inside_is_accepted"));
    assert!(!is_derived(limits, "pages_are_counted_from_1"));
    assert!(!is_derived(limits, "the_qa_list_takes_10_to_100_rows"));
}

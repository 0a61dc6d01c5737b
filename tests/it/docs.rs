//! Each statement of the contract has tests with values typed from the pages, and the README's `curl`
//! examples are answered as printed.

use std::collections::{HashMap, HashSet};

use gptbots_mock::contract;

use crate::support::curl::Curl;
use crate::support::folder::Folder;
use crate::support::golden::compare;
use crate::support::process::{Process, command, run_in};

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

/// What `check` says of `my.json` with a slip in it.
fn check(folder: &Folder, fixture: &str) -> String {
    folder.write("my.json", fixture.replace("SLACK", "Slack"));
    let ended = run_in(folder.path(), &["check", "my.json"]);
    assert_eq!(ended.code, 3);
    ended.stderr.split("\n\n").next().unwrap().to_owned()
}

/// Every `curl` of the README is sent as printed, and its answer is the one printed below it. A
/// JSON block without a `curl` is `my.json`, and what comes after is sent to a server that has it.
#[test]
fn the_readme_prints_what_the_binary_answers() {
    let folder = Folder::new();
    let (_built_in, built_in) = Process::serve(&[]);
    let mut with_fixture = None;
    let mut fixture = String::new();
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md"));
    let readme = readme.unwrap();
    let mut made = String::new();
    let mut pending: Option<Curl> = None;
    let mut sent = 0;
    // Even parts are prose, odd ones fenced: a language, a line break, the text.
    for (number, part) in readme.split("```").enumerate() {
        if number > 0 {
            made.push_str("```");
        }
        let (language, text) = part.split_once('\n').unwrap_or((part, ""));
        match (number % 2, language, pending.take()) {
            (1, "sh", None) if text.starts_with("curl ") => {
                pending = Some(Curl::read(text));
                made.push_str(part);
            }
            (1, "json" | "http", Some(curl)) => {
                let address = match with_fixture {
                    Some((_, address)) if curl.asks_for("app-mine") => address,
                    _ => built_in,
                };
                let answer = curl.send(address, language);
                made.extend([language, "\n", &answer, "\n"]);
                sent += 1;
            }
            (1, "json", None) => {
                text.clone_into(&mut fixture);
                folder.write("my.json", text);
                let mut serve = command(&["--port", "0", "--fixtures", "my.json"]);
                with_fixture = Some(Process::serving(serve.current_dir(folder.path())));
                made.push_str(part);
            }
            (1, "text", None) if text.starts_with("my.json:") => {
                made.extend(["text\n", &check(&folder, &fixture), "\n"]);
            }
            (1, _, Some(_)) => panic!("a curl without its answer before: {text}"),
            (_, _, left) => {
                pending = left;
                made.push_str(part);
            }
        }
    }
    assert!(pending.is_none() && sent >= 7, "only {sent} examples were sent");
    compare("README.md", &made);
}

//! Files of any bytes: `check` and serving agree about them, and neither panics.

use gptbots_mock::{Server, StartError};
use proptest::prelude::*;
use serde_json::Value;

use crate::fuzz_fixtures::{apply, cases, edits, good};
use crate::program::{Folder, run};

/// What serving says of a file: line, column and message of each problem; none where it loads.
fn served(path: &std::path::Path) -> Vec<(u64, u64, String)> {
    match Server::builder().fixture_files([path]).start() {
        Ok(_) => Vec::new(),
        Err(StartError::Fixture(error)) => {
            let place = |n: usize| n as u64;
            let problems = error.problems().iter();
            problems.map(|p| (place(p.line), place(p.column), p.message.clone())).collect()
        }
        Err(error) => panic!("{error}"),
    }
}

/// Checks some bytes by the binary, and loads them as serving does.
fn judge(bytes: &[u8]) -> Result<Vec<(u64, u64, String)>, TestCaseError> {
    let folder = Folder::new();
    let path = folder.write("f.json", bytes);
    let ended = run(folder.path(), &["check", "--json", "f.json"]);
    prop_assert_eq!(&ended.err, "");
    let report: Value = serde_json::from_str(&ended.out).unwrap();
    let problems = report["problems"].as_array().unwrap().iter();
    let checked: Vec<_> = problems
        .map(|p| {
            let message = p["message"].as_str().unwrap().to_owned();
            (p["line"].as_u64().unwrap(), p["column"].as_u64().unwrap(), message)
        })
        .collect();
    prop_assert_eq!(ended.code, Some(if checked.is_empty() { 0 } else { 3 }));
    let lines: Vec<_> = bytes.split(|byte| *byte == b'\n').collect();
    for (line, column, message) in &checked {
        let line = lines.get(usize::try_from(line - 1).unwrap());
        prop_assert!(line.is_some(), "no such line: {:?}", message);
        // As many places as bytes: what is no text has no better count.
        prop_assert!(*column <= line.unwrap().len() as u64 + 1, "no such column: {:?}", message);
    }
    prop_assert_eq!(&checked, &served(&path));
    Ok(checked)
}

/// Something that nests, so deep, at the place of each kind of value.
fn nested(open: &str, depth: usize, close: &str, place: usize) -> String {
    let deep = open.repeat(depth) + &close.repeat(depth);
    let around = [
        ("", ""),
        ("{\"agents\":", "}"),
        ("{\"agents\":[", "]}"),
        ("{\"zzz\":", ",\"agents\":[]}"),
        ("{\"agents\":[{\"name\":\"x\",\"conversations\":[{\"subject\":", "}]}]}"),
        ("{\"agents\":[{\"name\":\"x\",\"conversations\":[{\"messages\":[{\"q\":", "}]}]}]}"),
    ];
    let (before, behind) = around[place % around.len()];
    format!("{before}{deep}{behind}")
}

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn any_bytes_are_refused_alike(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(!judge(&bytes)?.is_empty());
    }

    #[test]
    fn a_byte_that_is_changed_is_judged_alike(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = format!("{:#}", good()).into_bytes();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        judge(&bytes)?;
    }

    #[test]
    fn an_edit_is_judged_alike(edits in prop::collection::vec(edits(), 1..4)) {
        let text = format!("{:#}", good());
        judge(edits.iter().fold(text, |text, edit| apply(&text, edit)).as_bytes())?;
    }

    #[test]
    fn any_depth_is_refused_alike(
        (open, close) in prop::sample::select(vec![("[", "]"), ("{\"a\":", "}"), ("[{\"q\":", "}]"), ("[", "")]),
        depth in prop_oneof![1..300_usize, Just(20_000)],
        place in 0..6_usize,
    ) {
        let problems = judge(nested(open, depth, close, place).as_bytes())?;
        // An empty list of agents is fine.
        prop_assert!(!problems.is_empty() || (depth, place, open) == (1, 1, "["));
    }

    #[test]
    fn any_length_is_judged_alike(length in 0..20_000_usize, wide: bool, broken: bool) {
        let mut value = good();
        let text = if wide { "界".repeat(length) } else { "x".repeat(length) };
        value["agents"][0]["conversations"][0]["subject"] = text.into();
        if broken {
            value["agents"][0]["conversations"][0]["user_id"] = 5.into();
        }
        let problems = judge(value.to_string().as_bytes())?;
        prop_assert_eq!(problems.len(), usize::from(broken));
    }
}

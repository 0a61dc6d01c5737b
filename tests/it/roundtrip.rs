//! `gptbots-mock generate`: the seed's records as a fixture, which is read to the same bytes.

use std::collections::BTreeMap;
use std::io::Read;
use std::process::Stdio;

use gptbots_mock::contract::{AnonymousId, MessagesTotal, QaTime, QaTotal, Readings};
use gptbots_mock::{Server, ServerBuilder};

use crate::client::{ALWAYS, get};
use crate::program::{Ended, Folder, Serving, get_at, program, run};

const KEY: &str = "app-demo";

/// Readings that show everything that a record has.
fn all_shown(builder: ServerBuilder) -> ServerBuilder {
    let mut readings = Readings::default();
    readings.anonymous_id = AnonymousId::Present;
    readings.qa_time = QaTime::Milliseconds;
    readings.qa_total = QaTotal::Present;
    readings.messages_total = MessagesTotal::String;
    builder.readings(readings)
}

/// Every answer that pages through everything: target and body.
#[track_caller]
fn everything(server: &Server) -> BTreeMap<String, String> {
    let mut answers = BTreeMap::new();
    let mut ids = Vec::new();
    let mut page_through = |path: &str, size: usize, rows: &str, ids: &mut Vec<String>| {
        for page in 1.. {
            let target = format!("{path}&page={page}&page_size={size}");
            let answer = get(server, KEY, &target);
            let found = if answer.status == 200 { answer.rows(rows) } else { Vec::new() };
            answers.insert(target, answer.body);
            ids.extend(
                found.iter().filter_map(|row| row["conversation_id"].as_str()).map(str::to_owned),
            );
            if found.len() < size {
                break;
            }
        }
    };
    let lists = ["ALL", "API", "WHATSAPP_META", "EMBED"];
    for kind in lists {
        let path = format!("/v1/bot/conversation/page?conversation_type={kind}&{ALWAYS}");
        page_through(&path, 37, "list", &mut ids);
    }
    for feedback in ["ALL", "GOOD", "BAD", "NONE"] {
        let path = format!("/v1/message/qa/record/page?user_feedback={feedback}&{ALWAYS}");
        page_through(&path, 100, "qa", &mut Vec::new());
    }
    ids.sort();
    ids.dedup();
    for id in ids {
        let path = format!("/v1/messages?conversation_id={id}");
        page_through(&path, 100, "messages", &mut Vec::new());
        let path = format!("/v2/messages?conversation_id={id}");
        page_through(&path, 100, "conversation_content", &mut Vec::new());
    }
    answers
}

/// What `generate` writes with these arguments.
#[track_caller]
fn generate(args: &[&str]) -> String {
    let ended = run(&std::env::temp_dir(), &[&["generate"], args].concat());
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
    ended.out
}

#[track_caller]
fn same(generated: ServerBuilder, args: &[&str]) {
    let folder = Folder::new();
    let file = folder.write("generated.json", generate(args));
    let read = all_shown(Server::builder().fixture_files([file])).start().unwrap();
    let generated = all_shown(generated).start().unwrap();
    let (expected, actual) = (everything(&generated), everything(&read));
    assert!(expected.len() >= 8);
    for ((target, expected), (other, actual)) in expected.iter().zip(&actual) {
        assert_eq!((target, expected), (other, actual));
    }
    assert_eq!(actual.len(), expected.len());
}

/// Two hundred conversations of a seed.
#[track_caller]
fn same_of_seed(seed: u64) {
    let args = ["--seed", &seed.to_string(), "--conversations", "200"];
    same(Server::builder().seed(seed).conversations(200), &args);
}

#[test]
fn seed_0_is_read_to_the_same_bytes() {
    same_of_seed(0);
}

#[test]
fn seed_1_is_read_to_the_same_bytes() {
    same_of_seed(1);
}

#[test]
fn seed_7_is_read_to_the_same_bytes() {
    same_of_seed(7);
}

#[test]
fn the_last_seed_is_read_to_the_same_bytes() {
    same_of_seed(u64::MAX);
}

#[test]
fn no_conversations_and_one_are_read_to_the_same_bytes() {
    for (seed, count) in [(0, 0), (u64::MAX, 0), (0, 1), (1, 1), (7, 1), (u64::MAX, 1)] {
        let args = ["--seed", &seed.to_string(), "--conversations", &count.to_string()];
        same(Server::builder().seed(seed).conversations(count), &args);
    }
}

#[test]
fn another_day_is_read_to_the_same_bytes() {
    for now in ["2031-02-28", "1970-01-01"] {
        let args = ["--seed", "5", "--conversations", "20", "--now", now];
        same(Server::builder().seed(5).conversations(20).now(now.parse().unwrap()), &args);
    }
}

#[test]
fn the_settings_are_those_of_serving() {
    assert_eq!(
        generate(&[]),
        generate(&["--seed", "1", "--conversations", "200", "--now", "2025-10-20"])
    );
    assert_ne!(
        generate(&["--conversations", "5"]),
        generate(&["--seed", "2", "--conversations", "5"])
    );
    let mut by_variable = program();
    by_variable
        .args(["generate"])
        .env("GPTBOTS_MOCK_SEED", "2")
        .env("GPTBOTS_MOCK_CONVERSATIONS", "5");
    let ended: Ended = by_variable.output().unwrap().into();
    assert_eq!(ended.out, generate(&["--seed", "2", "--conversations", "5"]));
}

#[test]
fn the_binary_serves_it_to_the_same_bytes() {
    let folder = Folder::new();
    let file = folder.write("generated.json", generate(&["--conversations", "20"]));
    let target =
        format!("/v1/bot/conversation/page?conversation_type=ALL&{ALWAYS}&page=1&page_size=100");
    let read = Serving::start([std::ffi::OsStr::new("--fixtures"), file.as_os_str()]);
    let generated = Server::builder().conversations(20).start().unwrap();
    assert_eq!(
        get_at(read.address, KEY, &target).ok().body,
        get(&generated, KEY, &target).ok().body
    );
}

#[test]
fn what_is_generated_passes_check() {
    let folder = Folder::new();
    folder.write("generated.json", generate(&["--seed", "9"]));
    let ended = run(folder.path(), &["check", "generated.json"]);
    assert_eq!(ended.out, "fine: agents 1, conversations 200\n");
}

#[test]
fn a_file_holds_what_stdout_gets() {
    let folder = Folder::new();
    folder.write("out.json", "something longer was here before".repeat(100_000));
    let ended = run(folder.path(), &["generate", "--seed", "7", "--out", "out.json"]);
    assert_eq!((ended.code, ended.out.as_str(), ended.err.as_str()), (Some(0), "", ""));
    let file = std::fs::read_to_string(folder.path().join("out.json")).unwrap();
    assert_eq!(file, generate(&["--seed", "7"]));
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let mut child = program()
        .args(["generate", "--conversations", "100000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = [0; 100];
    child.stdout.take().unwrap().read_exact(&mut line).unwrap();
    assert!(line.starts_with(b"{\"agents\": [{\"name\": \"demo\""));
    // The reading end is closed here.
    let ended: Ended = child.wait_with_output().unwrap().into();
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
}

#[test]
fn a_file_that_cannot_be_made_is_named() {
    let folder = Folder::new();
    for out in ["none/out.json", "."] {
        let ended = run(folder.path(), &["generate", "--conversations", "1", "--out", out]);
        assert_eq!((ended.code, ended.out.as_str()), (Some(1), ""));
        assert!(ended.err.starts_with(&format!("error: cannot write {out}: ")), "{ended:?}");
        assert_eq!(ended.err.lines().count(), 1);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_file_on_a_full_disk_is_named() {
    let ended = run(&std::env::temp_dir(), &["generate", "--out", "/dev/full"]);
    assert_eq!((ended.code, ended.out.as_str()), (Some(1), ""));
    assert!(ended.err.starts_with("error: cannot write /dev/full: "), "{ended:?}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_stdout_on_a_full_disk_is_a_failure() {
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let ended: Ended = program().arg("generate").stdout(full).output().unwrap().into();
    assert_eq!(ended.code, Some(1));
    assert!(ended.err.starts_with("error: cannot write"), "{ended:?}");
}

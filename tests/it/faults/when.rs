//! Which requests a fault applies to, and where faults can be given: flag, variable, config file,
//! control API and library.

use std::net::SocketAddr;

use gptbots_mock::contract::{Code, Operation};
use gptbots_mock::{Fault, Server, StartError};

use crate::support::client::{Connection, fetch, get, raw};
use crate::support::control::control_bytes;
use crate::support::faults::{KEY, LIST, MESSAGES, MESSAGES_V2, QA, TARGETS, server};
use crate::support::folder::Folder;
use crate::support::process::{Process, command, run};

/// Which of the first twelve requests the fault applies to.
#[track_caller]
fn struck(fault: &str) -> Vec<usize> {
    let server = server(&[fault]);
    let mut connection = Connection::open(server.address(), KEY);
    let struck = |number: &usize| {
        let answer = connection.get(LIST);
        let id = answer.header("x-mock-fault").map(str::to_owned);
        assert!(id.is_none() || id == Some(format!("fault-1.conversations.{number}")));
        assert_eq!(answer.status, if id.is_some() { 503 } else { 200 });
        id.is_some()
    };
    (1..=12).filter(struck).collect()
}

#[test]
fn fault_without_a_schedule_applies_to_every_request() {
    assert_eq!(struck("status=503").len(), 12);
}

#[test]
fn times_1_applies_to_the_first_request_only() {
    assert_eq!(struck("status=503,times=1"), [1]);
}

#[test]
fn times_applies_to_the_first_requests() {
    assert_eq!(struck("status=503,times=3"), [1, 2, 3]);
}

#[test]
fn after_skips_the_first_requests() {
    assert_eq!(struck("status=503,after=9"), [10, 11, 12]);
}

#[test]
fn every_applies_to_every_nth_request() {
    assert_eq!(struck("status=503,every=4"), [4, 8, 12]);
}

#[test]
fn after_every_and_times_combine() {
    assert_eq!(struck("status=503,after=2,every=3,times=2"), [5, 8]);
}

#[test]
fn probability_applies_to_some_requests() {
    let some = struck("status=503,probability=0.5");
    assert!((2..11).contains(&some.len()), "{some:?}");
    assert!(struck("status=503,probability=0.000001").is_empty());
}

/// A probability decides each request separately; `times` limits only the requests that it applies to.
#[test]
fn probability_with_times_stops_after_times() {
    assert_eq!(struck("status=503,probability=0.5,times=1").len(), 1);
}

#[test]
fn fault_on_one_operation_spares_the_others() {
    for (word, own) in TARGETS {
        let server = server(&[&format!("{word}:status=503")]);
        for (other, target) in TARGETS {
            let expected = if target == own { 503 } else { 200 };
            assert_eq!(get(&server, KEY, target).status, expected, "{word} {other}");
        }
    }
}

#[test]
fn fault_on_several_operations_applies_to_each() {
    let server = server(&["messages+qa:status=503"]);
    let all = [LIST, MESSAGES, MESSAGES_V2, QA];
    assert_eq!(all.map(|target| get(&server, KEY, target).status), [200, 503, 200, 503]);
}

/// A fault counts all requests that match it; the number in its id is counted per operation.
#[test]
fn a_fault_of_all_counts_all_operations_together() {
    let server = server(&["status=503,every=3"]);
    let ids: Vec<_> = [LIST, QA, QA, QA, LIST, QA]
        .map(|target| get(&server, KEY, target).header("x-mock-fault").map(str::to_owned))
        .into_iter()
        .flatten()
        .collect();
    assert_eq!(ids, ["fault-1.qa.2", "fault-1.qa.4"]);
}

#[test]
fn first_matching_fault_wins() {
    let server = server(&["status=500,every=2", "status=503,times=2"]);
    assert_eq!([LIST; 5].map(|target| get(&server, KEY, target).status), [503, 500, 503, 500, 200]);
}

#[test]
fn each_sandbox_counts_its_own_requests() {
    let server = server(&["status=503,times=1"]);
    for id in ["a", "b"] {
        let target = format!("/s/{id}{LIST}");
        assert_eq!([(); 2].map(|()| get(&server, KEY, &target).status), [503, 200], "{id}");
    }
    assert_eq!(get(&server, KEY, LIST).status, 503);
}

#[test]
fn fail_next_applies_once() {
    let server = Server::start().unwrap();
    let sandbox = server.sandbox("default");
    sandbox.fail_next(Fault::code(Code::Internal).on(Operation::QaRecords));
    let status = |target| get(&server, KEY, target).status;
    assert_eq!([LIST, QA, QA].map(status), [200, 500, 200]);
}

#[test]
fn two_faults_of_one_id_start_no_server() {
    let two = Server::builder().fault(Fault::reset().named("x")).fault(Fault::reset().named("x"));
    let error = two.start().unwrap_err();
    assert!(
        matches!(&error, StartError::Setting(why) if why.contains("another fault already has the id x")),
        "{error}"
    );
}

#[test]
fn invalid_fault_starts_no_server() {
    for (fault, why) in [
        (Fault::code(Code::Internal).html(), "body=html needs a status, such as status=503"),
        (
            Fault::code(Code::ConversationMissing).on(Operation::QaRecords),
            "qa never returns code 40356; its codes are 40000, ",
        ),
        (Fault::status(99), "200 to 599"),
        (Fault::drip(0), "1 or more"),
        (Fault::reset().every(0), "1 or more"),
        (Fault::reset().probability(f64::NAN), "above 0 and at most 1, got NaN"),
        (
            Fault::reset().named("é"),
            "id must be 1 to 64 characters from A-Z a-z 0-9 _ -, got \"é\"",
        ),
    ] {
        let error = Server::builder().fault(fault).start().unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}

/// The statuses of the first three requests for messages, and of one for something else.
#[track_caller]
fn statuses(address: SocketAddr) -> ([u16; 3], u16) {
    let status = |target| fetch(address, KEY, target).status;
    ([MESSAGES; 3].map(status), status(LIST))
}

/// The statuses with a fault on every third request for messages.
const THIRD: ([u16; 3], u16) = ([200, 200, 500], 200);

#[test]
fn a_flag_gives_a_fault() {
    let (_server, address) = Process::serve(&["--fault", "messages:code=50000,every=3"]);
    assert_eq!(statuses(address), THIRD);
}

#[test]
fn a_flag_may_stand_several_times() {
    let args = ["--fault", "messages:code=50000,every=3", "--fault", "conversations:status=503"];
    let (_server, address) = Process::serve(&args);
    assert_eq!(statuses(address), (THIRD.0, 503));
}

#[test]
fn a_variable_gives_faults_by_semicolons() {
    let lines = "messages:code=50000,every=3;conversations:status=503";
    let mut command = command(&["--port", "0"]);
    let (_server, address) = Process::serving(command.env("GPTBOTS_MOCK_FAULT", lines));
    assert_eq!(statuses(address), (THIRD.0, 503));
}

/// A folder with a config file that has these faults.
fn config(faults: &str) -> (Folder, String) {
    let folder = Folder::new();
    let path = folder.write("mock.json", format!("{{\"fault\": {faults}}}"));
    (folder, path.to_str().unwrap().to_owned())
}

#[test]
fn a_config_file_gives_faults_as_lines() {
    let (_folder, file) = config(r#"["messages:code=50000,every=3", "conversations:status=503"]"#);
    let (_server, address) = Process::serve(&["--config", &file]);
    assert_eq!(statuses(address), (THIRD.0, 503));
}

#[test]
fn a_config_file_gives_faults_as_objects() {
    let (_folder, file) = config(
        r#"[{"operation": "messages", "code": 50000, "every": 3},
            {"operation": ["conversations", "qa"], "status": 503, "body": "html", "delay": "0..1"}]"#,
    );
    let (_server, address) = Process::serve(&["--config", &file]);
    assert_eq!(statuses(address), (THIRD.0, 503));
    assert_eq!(fetch(address, KEY, QA).header("content-type"), Some("text/html"));
}

/// `PUT` of a sandbox, and one more fault by `POST`.
#[test]
fn the_control_api_gives_faults() {
    let server = Server::start().unwrap();
    let send = |method: &str, path: &str, body: &str| {
        let path = format!("/sandboxes/mine{path}");
        let more = "Connection: close\r\nContent-Type: application/json\r\n";
        let bytes = control_bytes(method, &path, more, body.as_bytes());
        let answer = raw(server.address(), &bytes);
        assert!(answer.status < 300, "{answer:?}");
    };
    send("PUT", "", r#"{"faults": ["messages:code=50000,every=3"]}"#);
    send("POST", "/faults", r#"{"operation": "conversations", "status": 503}"#);
    let status = |target: &str| get(&server, KEY, &format!("/s/mine{target}")).status;
    assert_eq!(([MESSAGES; 3].map(status), status(LIST)), (THIRD.0, 503));
}

/// Invalid lines, and a part of their error messages.
const WRONG: &[(&str, &str)] = &[
    ("", "messages:code=50000,every=3"),
    ("mesages:code=50000", "did you mean messages?"),
    ("messages:code=50001", "one of 40000, "),
    ("messages:code=500", "write status=500"),
    ("messages:cde=50000", "did you mean code?"),
    ("qa:code=40356", "qa never returns code 40356"),
    ("break=rest", "did you mean reset?"),
    ("delay=2s", "`2000`, `100..900`, `lognormal:200:0.5`"),
    ("code=50000,probability=2", "above 0 and at most 1, got 2"),
    ("break=reset,body=empty", "break sends no response"),
];

#[test]
fn a_wrong_flag_ends_it_with_2_and_the_right_word() {
    for (line, word) in WRONG {
        run(&mut command(&["--port", "0", "--fault", line])).refused(2, &["--fault", word]);
    }
}

#[test]
fn a_wrong_variable_ends_it_with_2_and_the_right_word() {
    for (line, word) in WRONG.iter().filter(|(line, _)| !line.is_empty()) {
        let lines = format!("delay=1;{line}");
        run(command(&["--port", "0"]).env("GPTBOTS_MOCK_FAULT", lines)).refused(2, &[word]);
    }
}

#[test]
fn a_wrong_line_of_a_file_ends_it_with_3_its_place_and_the_right_word() {
    for (line, word) in WRONG {
        let (_folder, file) = config(&format!("[\"{line}\"]"));
        run(&mut command(&["--config", &file])).refused(3, &["mock.json:1:13: ", word]);
    }
}

#[test]
fn a_wrong_object_of_a_file_ends_it_with_3_its_place_and_the_right_word() {
    for (object, words) in [
        (r#"{"operation": "mesages", "code": 50000}"#, ["1:27: ", "did you mean messages?"]),
        (r#"{"operation": ["qa", "q"], "code": 50000}"#, ["1:34: ", "did you mean qa?"]),
        (r#"{"operation": [], "code": 50000}"#, ["1:13: ", "for all operations, leave it out"]),
        (r#"{"cod": 50000}"#, ["1:13: ", "did you mean \"code\"?"]),
        (r#"{"code": 50001}"#, ["1:21: ", "there is no code \"50001\""]),
        (r#"{"code": 50000, "status": 500}"#, ["1:38: ", "give either code or status, not both"]),
        (r#"{"every": 3}"#, ["1:12: ", "no failure given"]),
        (r#"{"code": true}"#, ["1:21: ", "a string or a number"]),
        (r#"{"code": 40356, "operation": "qa"}"#, ["1:12: ", "qa never returns code 40356"]),
        ("5", ["1:12: ", "a fault"]),
    ] {
        let (_folder, file) = config(&format!("[{object}]"));
        run(&mut command(&["--config", &file])).refused(3, &words);
    }
}

#[test]
fn two_faults_of_one_id_end_with_2() {
    let args = ["--port", "0", "--fault", "id=x,delay=1", "--fault", "id=x,delay=2"];
    run(&mut command(&args)).refused(2, &["another fault already has the id x"]);
}

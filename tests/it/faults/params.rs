//! Faults with request parameters: which requests match, how matches are counted, and where such a fault can
//! be given.

use gptbots_mock::contract::{Code, ENDPOINTS, Field, Operation};
use gptbots_mock::{Fault, Server};

use crate::support::client::{fetch, get};
use crate::support::control::put;
use crate::support::faults::{KEY, MESSAGES, QA, TARGETS, builder, prefer, server};
use crate::support::folder::Folder;
use crate::support::process::{Process, command, run};

/// A page of the conversation list.
fn page(number: &str) -> String {
    format!(
        "/v1/bot/conversation/page?conversation_type=ALL&start_time=0&end_time=9999999999999\
         &page={number}&page_size=10"
    )
}

/// The `x-mock-fault` of a request for a page.
#[track_caller]
fn struck(server: &Server, number: &str) -> Option<String> {
    get(server, KEY, &page(number)).header("x-mock-fault").map(str::to_owned)
}

/// Requests these pages in this order, and returns which of them the fault applied to.
#[track_caller]
fn strikes(fault: &str, pages: &[&str]) -> Vec<bool> {
    let server = server(&[fault]);
    pages.iter().map(|number| struck(&server, number).is_some()).collect()
}

#[test]
fn a_page_fails_and_other_pages_do_not() {
    let struck = strikes("conversations:page=3,code=50000", &["1", "2", "3", "4", "3"]);
    assert_eq!(struck, [false, false, true, false, true]);
}

#[test]
fn times_counts_matches() {
    let struck = strikes("conversations:page=3,code=50000,times=2", &["3", "1", "3", "2", "3"]);
    assert_eq!(struck, [true, false, true, false, false]);
}

#[test]
fn after_and_every_count_matches() {
    let pages = ["1", "3", "1", "3", "1", "3", "3", "2", "3"];
    let struck = strikes("page=3,status=503,after=1,every=2", &pages);
    assert_eq!(struck, [false, false, false, false, false, true, false, false, true]);
}

#[test]
fn values_are_compared_decoded_and_numbers_as_numbers() {
    let pages = ["03", "%33", "3", "30", "3.0", "+3", "", "3&page=3", "x&page_size=3"];
    let struck = strikes("page=3,status=503", &pages);
    assert_eq!(struck, [true, true, true, false, false, false, false, false, false]);
    let server = server(&["page=03,status=503", "messages:conversation_id=a%2C b+,status=500"]);
    assert_eq!(get(&server, KEY, &page("3")).status, 503);
    for (id, status) in [("a%2C+b%2B", 500), ("a,%20b%2b", 500), ("a,+b+", 400), ("A,+b%2B", 400)] {
        let target = format!("/v1/messages?conversation_id={id}&page=1&page_size=10");
        assert_eq!(get(&server, KEY, &target).status, status, "{id}");
    }
}

#[test]
fn every_parameter_of_an_endpoint_can_be_looked_at() {
    for (word, target) in TARGETS {
        let (path, query) = target.split_once('?').unwrap();
        let endpoint = ENDPOINTS.iter().find(|endpoint| endpoint.id == word).unwrap();
        for param in endpoint.params {
            let name = param.field.name();
            let pairs: Vec<_> =
                query.split('&').map(|pair| pair.split_once('=').unwrap()).collect();
            // The request to the list lacks its only optional parameter.
            let sent = pairs.iter().find(|(key, _)| *key == name).map_or("u", |(_, value)| value);
            let server = server(&[&format!("{word}:{name}={sent},status=503")]);
            let others = pairs.iter().filter(|(key, _)| *key != name);
            let others: Vec<_> = others.map(|(key, value)| format!("{key}={value}")).collect();
            let others = format!("{path}?{}", others.join("&"));
            let asked = format!("{others}&{name}={sent}");
            assert_eq!(get(&server, KEY, &asked).status, 503, "{word} {name}");
            assert_ne!(get(&server, KEY, &others).status, 503, "{word} {name}");
        }
    }
}

#[test]
fn a_fault_of_several_parameters_needs_each() {
    let server = server(&["page=2,page_size=10,status=503"]);
    assert_eq!(get(&server, KEY, &page("2")).status, 503);
    assert_eq!(get(&server, KEY, &page("1")).status, 200);
    assert_eq!(get(&server, KEY, &page("2").replace("page_size=10", "page_size=5")).status, 200);
}

/// The fault does not apply to operations without the parameter.
#[test]
fn a_fault_of_all_operations_is_for_those_with_the_parameter() {
    let server = server(&["conversation_id=xxxxxx,status=503"]);
    let statuses = TARGETS.map(|(_, target)| get(&server, KEY, target).status);
    assert_eq!(statuses, [200, 503, 503, 200]);
}

/// Requests for other pages must not change the result for matching requests.
#[test]
fn draws_follow_the_number_of_the_match() {
    let line = "id=half,page=3,status=503,probability=0.5";
    let alone = builder(&[line]).start().unwrap();
    let among = builder(&[line]).start().unwrap();
    let ids = |server: &Server| -> Vec<_> { (0..12).map(|_| struck(server, "3")).collect() };
    for number in ["1", "2", "4"] {
        assert_eq!(struck(&among, number), None);
    }
    let all = ids(&alone);
    assert_eq!(all, ids(&among));
    assert!(all.contains(&None) && all.iter().any(Option::is_some), "{all:?}");
    for (place, id) in all.iter().enumerate() {
        let number = format!("half.conversations.{}", place + 1);
        assert!(id.as_ref().is_none_or(|id| *id == number), "{id:?}");
    }
}

#[test]
fn a_match_is_repeated_by_its_id() {
    let server = server(&["id=slow,page=2,delay=0..50,status=503"]);
    get(&server, KEY, &page("1"));
    assert_eq!(struck(&server, "2").as_deref(), Some("slow.conversations.1"));
    let again = prefer(&server, "fault=slow.conversations.1", &page("2"));
    assert_eq!(again.header("x-mock-fault"), Some("slow.conversations.1"));
    assert_eq!(again.status, 503);
}

#[test]
fn a_flag_a_variable_and_a_config_file_give_such_a_fault() {
    let line = "qa:user_feedback=BAD,code=50000,times=1";
    let bad = QA.replace("user_feedback=ALL", "user_feedback=BAD");
    let folder = Folder::new();
    let object = r#"{"operation": "qa", "user_feedback": "BAD", "code": 50000, "times": 1}"#;
    let file = folder.write("mock.json", format!(r#"{{"fault": [{object}]}}"#));
    let lines = format!("messages:page=1,delay=1;{line}");
    for mut serve in [
        command(&["--port", "0", "--fault", line]),
        command(&["--port", "0", "--config", file.to_str().unwrap()]),
        {
            let mut serve = command(&["--port", "0"]);
            serve.env("GPTBOTS_MOCK_FAULT", lines);
            serve
        },
    ] {
        let (_server, address) = Process::serving(&mut serve);
        let statuses = [QA, &bad, &bad].map(|target| fetch(address, KEY, target).status);
        assert_eq!(statuses, [200, 500, 200]);
    }
}

#[test]
fn the_control_api_takes_and_shows_such_a_fault() {
    let server = Server::start().unwrap();
    let fault = serde_json::json!({ "page": 3, "conversation_id": "a,b", "status": 503 });
    let shown = put(&server, "mine", &serde_json::json!({ "faults": [fault] }));
    let line = "conversation_id=a%2Cb,page=3,id=fault-1,status=503";
    assert_eq!(shown["settings"]["faults"][0], line);
    let target = "/s/mine/v1/messages?conversation_id=a,b&page=3&page_size=10";
    assert_eq!(get(&server, KEY, target).status, 503);
    assert_eq!(get(&server, KEY, &format!("/s/mine{MESSAGES}")).status, 200);
}

#[test]
fn the_library_gives_such_a_fault() {
    let server = Server::start().unwrap();
    let fault = Fault::code(Code::Internal).on(Operation::ConversationList);
    server.sandbox("default").fail_next(fault.param(Field::Page, 9).param(Field::Page, 3));
    let statuses = ["1", "9", "3", "3"].map(|number| get(&server, KEY, &page(number)).status);
    assert_eq!(statuses, [200, 200, 500, 200]);
    let wrong = Server::builder().fault(Fault::reset().param(Field::Page, 0));
    let error = wrong.start().unwrap_err().to_string();
    assert!(error.contains("page must be an integer of at least 1"), "{error}");
}

#[test]
fn a_wrong_parameter_is_an_error_with_the_right_word() {
    for (line, word) in [
        (
            "messages:user_feedback=BAD,delay=1",
            "messages has no parameter user_feedback; qa has it",
        ),
        ("qa:user_feedback=BADD,delay=1", "did you mean BAD?"),
        ("conversations:pge=3,delay=1", "did you mean page?"),
        ("conversations:page=0,delay=1", "page must be an integer of at least 1, got \"0\""),
    ] {
        run(&mut command(&["--port", "0", "--fault", line])).refused(2, &["--fault", word]);
    }
    for (object, words) in [
        (r#"{"page": 0, "code": 50000}"#, ["1:12: ", "page must be an integer of at least 1"]),
        (r#"{"pge": 3, "code": 50000}"#, ["1:13: ", "did you mean \"page\"?"]),
        (r#"{"page": true, "code": 50000}"#, ["1:21: ", "a string or a number"]),
    ] {
        let folder = Folder::new();
        let file = folder.write("mock.json", format!("{{\"fault\": [{object}]}}"));
        run(&mut command(&["--config", file.to_str().unwrap()])).refused(3, &words);
    }
}

//! The check of every answer against the `OpenAPI` document (`support/schemas.rs`) finds wrong
//! answers.

use gptbots_mock::Server;
use gptbots_mock::contract::{MessagesTotal, Readings};
use serde_json::{Map, Value, json};

use crate::support::client::{Answer, Connection, get};
use crate::support::faults::{KEY, TARGETS};
use crate::support::schemas::{Asked, Schemas, held, hold, schemas};

fn request(method: &str, target: &str) -> Vec<u8> {
    format!("{method} {target} HTTP/1.1\r\nHost: x\r\n\r\n").into()
}

fn answer(status: u16, body: String) -> Answer {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    Answer { status, headers, body }
}

/// Whether the defaults allow an answer to `GET`.
fn passes(target: &str, status: u16, body: &Value) -> bool {
    let request = request("GET", target);
    schemas().hold(&Asked::of(&request).unwrap(), &answer(status, body.to_string())).is_ok()
}

/// The first row of an answer.
fn row(body: &mut Value) -> &mut Map<String, Value> {
    let rows = body.as_object_mut().unwrap().values_mut().find_map(Value::as_array_mut);
    rows.unwrap()[0].as_object_mut().unwrap()
}

/// What an answer may be changed to by one change of an object of it: (what was done, the answer).
fn broken(body: &Value, part: fn(&mut Value) -> &mut Map<String, Value>) -> Vec<(String, Value)> {
    let keys: Vec<String> = part(&mut body.clone()).keys().cloned().collect();
    let with = |change: &dyn Fn(&mut Map<String, Value>)| {
        let mut body = body.clone();
        change(part(&mut body));
        body
    };
    let mut all =
        vec![("an extra key".to_owned(), with(&|of| drop(of.insert("x".into(), 1.into()))))];
    for key in keys {
        all.push((format!("no {key}"), with(&|of| drop(of.remove(&key)))));
        for wrong in [json!(null), json!(true), json!({}), json!([1]), json!(1.5)] {
            // A number of credits is one.
            if key == "cost_credit" && wrong.is_number() {
                continue;
            }
            all.push((format!("{key}: {wrong}"), with(&|of| of[&key] = wrong.clone())));
        }
    }
    all
}

#[test]
fn a_missing_an_extra_and_a_mistyped_key_are_caught() {
    let server = Server::start().unwrap();
    for (_, target) in TARGETS {
        let body = get(&server, KEY, target).ok().json();
        assert!(passes(target, 200, &body));
        let top = broken(&body, |body| body.as_object_mut().unwrap());
        for (what, broken) in top.iter().chain(&broken(&body, row)) {
            assert!(!passes(target, 200, broken), "{what} of {target}");
        }
    }
}

#[test]
fn a_code_of_another_status_and_a_status_of_no_row_are_caught() {
    let failure = |code: u32| json!({ "code": code, "message": "x" });
    for (name, target) in TARGETS {
        let is_of_messages = name.starts_with("messages");
        let right = [(400, 40000), (400, 20059), (401, 40127), (429, 40008), (500, 50000)];
        for (status, code) in right {
            assert!(passes(target, status, &failure(code)), "{status} {code} of {target}");
            for other in [200, 204, 302, 400, 401, 403, 404, 405, 429, 500, 503] {
                let passed = passes(target, other, &failure(code));
                assert_eq!(passed, other == status, "{other} {code} of {target}");
            }
        }
        for code in [40005, 40356] {
            assert_eq!(passes(target, 400, &failure(code)), is_of_messages, "{code} of {target}");
        }
        assert!(!passes(target, 400, &json!({ "code": 40000 })));
        assert!(!passes(target, 400, &json!({ "code": 40000, "message": "x", "x": 1 })));
        assert!(!passes(target, 400, &json!({ "code": "40000", "message": "x" })));
    }
}

#[test]
fn an_answer_that_does_not_fit_the_method_is_caught() {
    let refused = r#"{"code":405,"message":"Method not allowed"}"#;
    let rows = r#"{"qa":[]}"#;
    let (_, target) = TARGETS[3];
    for (method, status, body, is_right) in [
        ("GET", 200, rows, true),
        ("GET", 405, refused, false),
        ("GET", 200, "", false),
        ("POST", 405, refused, true),
        ("POST", 200, rows, false),
        ("HEAD", 200, "", true),
        ("HEAD", 200, rows, false),
    ] {
        let request = request(method, target);
        let held = schemas().hold(&Asked::of(&request).unwrap(), &answer(status, body.to_owned()));
        assert_eq!(held.is_ok(), is_right, "{method} {status} {body}: {held:?}");
    }
}

#[test]
fn a_body_of_another_type_is_caught() {
    let request = request("GET", TARGETS[3].1);
    let html = Answer { headers: Vec::new(), ..answer(200, r#"{"qa":[]}"#.to_owned()) };
    assert!(schemas().hold(&Asked::of(&request).unwrap(), &html).is_err());
}

/// The document is the defaults'; a reading's answer is right under that reading only.
#[test]
fn an_answer_of_another_reading_is_caught() {
    let (list, messages, v2, qa) = (TARGETS[0].1, TARGETS[1].1, TARGETS[2].1, TARGETS[3].1);
    let past = list.replace("page=1", "page=9");
    for (reading, value, target) in [
        ("messages-total", "string", messages),
        ("messages-total", "string", v2),
        ("anonymous-id", "present", list),
        ("qa-total", "present", qa),
        ("page-past-end", "error", &past),
        ("error-status", "ok", "/v1/messages"),
    ] {
        let mut readings = Readings::default();
        readings.set(reading, value).unwrap();
        let server = Server::builder().readings(readings).start().unwrap();
        let answer = get(&server, KEY, target);
        let request = request("GET", target);
        let asked = Asked::of(&request).unwrap();
        assert!(schemas().hold(&asked, &answer).is_err(), "{reading}: {answer:?}");
        Schemas::of(&json!({ (reading): value })).hold(&asked, &answer).unwrap();
    }
}

#[test]
#[should_panic(expected = "the document has no 418")]
fn wrong_answer_fails_the_test() {
    let server = Server::start().unwrap();
    hold(server.address(), &request("GET", TARGETS[0].1), &answer(418, "{}".to_owned()));
}

/// That the defaults have it makes it no answer of this server's.
#[test]
#[should_panic(expected = "is not of type \"string\"")]
fn answer_of_the_default_reading_fails_a_test_of_another() {
    let server = Server::builder().reading(MessagesTotal::String).start().unwrap();
    let of_the_defaults = answer(200, r#"{"total":0,"messages":[]}"#.to_owned());
    hold(server.address(), &request("GET", TARGETS[1].1), &of_the_defaults);
}

fn struck(body: &str) -> Answer {
    let mut answer = answer(400, body.to_owned());
    for (name, value) in [("x-mock-fault", "f.qa.1"), ("x-mock-reason", "fault f.qa.1")] {
        answer.headers.push((name.to_owned(), value.to_owned()));
    }
    answer.headers.push(("content-length".to_owned(), body.len().to_string()));
    answer
}

/// To the lists a fault brings one more code than they have by themselves.
#[test]
fn code_of_a_fault_is_checked() {
    let server = Server::start().unwrap();
    let hold = |body| hold(server.address(), &request("GET", TARGETS[3].1), &struck(body));
    let before = held();
    hold(r#"{"code":40005,"message":"Page number exceeds total."}"#);
    assert_eq!(held() - before, 1);
}

#[test]
#[should_panic(expected = "40356 is not one of")]
fn fault_code_of_another_endpoint_fails_the_test() {
    let server = Server::start().unwrap();
    let wrong = struck(r#"{"code":40356,"message":"Conversation does not exist."}"#);
    hold(server.address(), &request("GET", TARGETS[3].1), &wrong);
}

#[test]
fn every_client_of_the_tests_checks_its_answers() {
    let server = Server::start().unwrap();
    let before = held();
    for (_, target) in TARGETS {
        get(&server, KEY, target).ok();
    }
    Connection::open(server.address(), KEY).get("/s/a/v1/messages");
    get(&server, KEY, "/v1/nothing");
    assert_eq!(held() - before, 5);
}

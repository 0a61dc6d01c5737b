//! Coverage: which parts of the contract a suite has used.

use gptbots_mock::contract::{Code, ENDPOINTS, Operation};
use gptbots_mock::{Fault, Rule, Server};
use serde_json::Value;

use crate::support::client::{ALWAYS, call, get, raw, request};
use crate::verdict::suite::{KEY, queries, server, target};

/// The items that are not covered yet.
fn never(server: &Server) -> Vec<String> {
    server.verdict().never_met()
}

/// The items that a request covers and that were not covered before.
#[track_caller]
fn met_by(server: &Server, ask: impl FnOnce()) -> Vec<String> {
    let before = never(server);
    ask();
    let after = never(server);
    before.into_iter().filter(|item| !after.contains(item)).collect()
}

#[test]
fn page_covers_its_endpoint_its_edges_and_its_filter() {
    let server = server();
    let query = &queries()[0];
    let path = "/v1/bot/conversation/page";
    let items = |items: &[&str]| items.iter().map(|i| format!("{path}: {i}")).collect::<Vec<_>>();
    let met = |page: u64| met_by(&server, || drop(get(&server, KEY, &target(query, page))));
    assert_eq!(met(2), items(&["a successful response", "conversation_type=ALL"]));
    assert_eq!(met(1), items(&["first page"]));
    assert_eq!(met(3), items(&["last page", "short page"]));
    assert_eq!(met(9), items(&["no rows", "past the end"]));
    assert_eq!(met(1), [""; 0]);
}

#[test]
fn empty_page_does_not_cover_short_page() {
    let server = server();
    get(&server, KEY, &target(&queries()[3], 9));
    assert!(never(&server).contains(&"/v1/message/qa/record/page: short page".to_owned()));
}

#[test]
fn refusal_covers_its_code() {
    let server = server();
    let met = |key: &str, target: &str| met_by(&server, || drop(get(&server, key, target)));
    let query = &queries()[1];
    assert_eq!(met("wrong", &target(query, 1)), ["/v1/messages: code 40127"]);
    assert_eq!(met(KEY, &target(query, 0)), ["/v1/messages: code 40000"]);
    let past = ["/v1/messages: code 40005", "/v1/messages: past the end"];
    assert_eq!(met(KEY, &target(query, 9)), past);
    assert_eq!(met(KEY, "/v1/nothing"), ["code 404"]);
    let posts = || drop(request(&server, "POST", "/v1/messages", &[]));
    assert_eq!(met_by(&server, posts), ["code 405"]);
}

/// An error code is also covered if a fault causes it.
#[test]
fn fault_is_covered_when_it_applies() {
    let server = server();
    server.sandbox("default").fault(Fault::code(Code::RateLimited).on(Operation::Messages));
    server.sandbox("default").fault("qa:delay=1,id=slow".parse().unwrap());
    let missing: Vec<_> =
        never(&server).into_iter().filter(|item| item.starts_with("fault")).collect();
    assert_eq!(missing.len(), 2, "{missing:?}");
    let met = met_by(&server, || drop(get(&server, KEY, &target(&queries()[1], 1))));
    assert_eq!(met.len(), 2, "{met:?}");
    assert_eq!(met[0], "/v1/messages: code 40008");
    assert!(met[1].starts_with("fault fault-1 ("), "{met:?}");
}

/// A response that the client did not receive covers nothing.
#[test]
fn faulty_page_is_not_covered() {
    let server = server();
    server.sandbox("default").fault("body=empty,times=1".parse().unwrap());
    let met = met_by(&server, || drop(get(&server, KEY, &target(&queries()[1], 1))));
    assert!(met.iter().all(|item| item.starts_with("fault ")), "{met:?}");
}

#[test]
fn coverage_is_of_all_sandboxes_together_and_outlives_them() {
    let server = server();
    get(&server, &format!("{KEY}~a"), &target(&queries()[1], 1));
    let one = server.verdict().coverage_percent();
    get(&server, &format!("{KEY}~b"), &target(&queries()[2], 1));
    let both = server.verdict().coverage_percent();
    assert!(both > one, "{one} {both}");
    assert_eq!(request(&server, "DELETE", "/__admin/sandboxes/a", &[]).status, 200);
    assert_eq!(server.verdict().coverage_percent(), both);
}

/// 100 percent can be reached without a finding.
#[test]
fn coverage_can_reach_100_percent() {
    let server = Server::builder().fixture(records()).start().unwrap();
    for endpoint in ENDPOINTS {
        let operation = endpoint.operation;
        let query = &queries()[operation as usize];
        // Each endpoint has its own sandboxes.
        let key = |name: &str| format!("{KEY}~{}-{name}", endpoint.id);
        for page in 1..=3 {
            get(&server, &key("walk"), &target(query, page)).ok();
        }
        get(&server, &key("end"), &target(query, 9));
        get(&server, &key("missing"), endpoint.path);
        get(&server, &format!("wrong~{}", endpoint.id), &target(query, 1));
        get(&server, &format!("app-gone~{}", endpoint.id), &target(query, 1));
        for code in [Code::RateLimited, Code::Internal, Code::ConversationMissing] {
            if matches!(operation, Operation::Messages | Operation::MessagesV2)
                || code != Code::ConversationMissing
            {
                let name = format!("{}-{}", endpoint.id, code.number());
                server.sandbox(&name).fail_next(Fault::code(code).on(operation));
                get(&server, &format!("{KEY}~{name}"), &target(query, 1));
            }
        }
        for param in endpoint.params {
            for word in words(endpoint.path, param.field.name()) {
                let path = endpoint.path;
                let name = param.field.name();
                let target = format!("{path}?{name}={word}&{ALWAYS}&page=1&page_size=10");
                get(&server, &key("filters"), &target).ok();
            }
        }
    }
    for version in ["v1", "v2"] {
        let empty = format!("/{version}/messages?conversation_id=c24&page=1&page_size=10");
        get(&server, KEY, &empty).ok();
    }
    get(&server, KEY, "/v1/nothing");
    request(&server, "POST", "/v1/messages", &[]);
    let verdict = server.verdict();
    assert_eq!(verdict.never_met(), [""; 0]);
    assert_eq!(verdict.coverage_percent(), 100);
    // The 404 and the 405 are findings by themselves.
    let left = verdict.clone().mute(Rule::UnknownEndpoint);
    assert!(left.findings().is_empty(), "{left}");
    assert_eq!(verdict.findings().len(), 2, "{verdict}");
}

/// The words of a filter in the list of items that are not covered.
fn words(path: &str, name: &str) -> Vec<String> {
    let begins = format!("{path}: {name}=");
    let all = server().verdict().never_met();
    all.iter().filter_map(|item| item.strip_prefix(&begins)).map(str::to_owned).collect()
}

/// The records of the other tests, and an agent that was deleted.
fn records() -> String {
    let mut json: Value = serde_json::from_str(&crate::verdict::suite::json_of_25()).unwrap();
    let gone = serde_json::json!({"name": "gone", "deleted": true});
    json["agents"].as_array_mut().unwrap().push(gone);
    json.to_string()
}

#[test]
fn malformed_request_covers_nothing() {
    let server = server();
    let met = met_by(&server, || {
        raw(server.address(), b"nonsense\r\n\r\n");
        call(server.address(), "GET", "/__admin/health", &[]);
    });
    assert_eq!(met, [""; 0]);
}

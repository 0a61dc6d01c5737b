//! CORS: without `--cors` no answer has a CORS header, with it browsers of every origin can call.
//! Tests `emulator.cors`.

use gptbots_mock::Server;

use crate::support::client::{Answer, request};

const LIST: &str = "/v1/bot/conversation/page?conversation_type=ALL&start_time=0&end_time=1\
                    &page=1&page_size=1";
const ORIGIN: (&str, &str) = ("Origin", "https://app.example");
const KEY: (&str, &str) = ("Authorization", "Bearer app-demo");

/// What a browser asks before a `GET` that carries a key.
const PREFLIGHT: [(&str, &str); 3] = [
    ORIGIN,
    ("Access-Control-Request-Method", "GET"),
    ("Access-Control-Request-Headers", "authorization,content-type"),
];

#[track_caller]
fn preflight(path: &str) -> Answer {
    let server = Server::builder().cors().start().unwrap();
    request(&server, "OPTIONS", path, &PREFLIGHT)
}

#[track_caller]
fn no_cors_header(answer: &Answer) {
    let cors = answer.headers.iter().find(|(name, _)| name.starts_with("access-control"));
    assert_eq!(cors, None);
}

#[test]
fn by_default_no_answer_has_a_cors_header() {
    let server = Server::start().unwrap();
    no_cors_header(request(&server, "GET", LIST, &[ORIGIN, KEY]).ok());
    no_cors_header(&request(&server, "GET", "/", &[ORIGIN]));
}

#[test]
fn by_default_a_preflight_is_405() {
    let answer = request(&Server::start().unwrap(), "OPTIONS", LIST, &PREFLIGHT);
    let reason = "OPTIONS; this is a CORS preflight: start with --cors to allow browser apps";
    answer.refused(405, 405, "Method not allowed", reason);
    no_cors_header(&answer);
}

#[test]
fn a_preflight_needs_no_key() {
    assert_eq!(preflight("/v1/messages").status, 200);
}

#[test]
fn a_preflight_allows_any_origin() {
    assert_eq!(preflight("/v1/messages").header("access-control-allow-origin"), Some("*"));
}

/// `*` would not cover `Authorization`.
#[test]
fn a_preflight_mirrors_the_headers_that_are_asked_for() {
    let answer = preflight("/v2/messages");
    let allowed = answer.header("access-control-allow-headers");
    assert_eq!(allowed, Some("authorization,content-type"));
}

#[test]
fn a_preflight_allows_get_and_head() {
    let answer = preflight("/v1/message/qa/record/page");
    assert_eq!(answer.header("access-control-allow-methods"), Some("GET,HEAD"));
}

#[test]
fn an_answer_may_be_read_by_any_origin() {
    let server = Server::builder().cors().start().unwrap();
    let answer = request(&server, "GET", LIST, &[ORIGIN, KEY]);
    assert_eq!(answer.ok().header("access-control-allow-origin"), Some("*"));
}

#[test]
fn a_refusal_may_be_read_with_its_reason() {
    let server = Server::builder().cors().start().unwrap();
    let answer = request(&server, "GET", "/v1/messages", &[ORIGIN, KEY]);
    answer.refused(400, 40000, "Invalid parameter.", "conversation_id");
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(
        answer.header("access-control-expose-headers"),
        Some("x-mock-reason,x-mock-fault,preference-applied,retry-after,x-request-id")
    );
}

#[test]
fn other_methods_stay_405() {
    let server = Server::builder().cors().start().unwrap();
    let answer = request(&server, "POST", LIST, &[ORIGIN, KEY]);
    answer.refused(405, 405, "Method not allowed", "POST");
}

#[test]
fn the_body_is_the_same_with_and_without() {
    let without = request(&Server::start().unwrap(), "GET", LIST, &[ORIGIN, KEY]);
    let server = Server::builder().cors().start().unwrap();
    assert_eq!(request(&server, "GET", LIST, &[ORIGIN, KEY]).body, without.body);
}

/// No web page may drive the control API.
#[test]
fn the_control_api_is_never_shared_with_browsers() {
    let server = Server::builder().cors().start().unwrap();
    let refused = request(&server, "GET", "/__admin/sandboxes", &[ORIGIN]);
    assert_eq!(refused.status, 403, "{refused:?}");
    for path in ["/__admin/health", "/__admin/sandboxes", "/__admin/else", "/__admin/else/deeper"] {
        no_cors_header(&request(&server, "GET", path, &[ORIGIN]));
        no_cors_header(&request(&server, "OPTIONS", path, &PREFLIGHT));
    }
}

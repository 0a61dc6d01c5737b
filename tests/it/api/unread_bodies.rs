//! Request bodies that no endpoint reads: the answer comes at once, and the connection stays open
//! or says that it closes.

use std::io::Write;
use std::time::Duration;

use gptbots_mock::{Limits, Server};

use crate::support::client::{self, Answer, NEWEST};
use crate::support::wire::Wire;

/// The head of a request with more headers; each ends in a line break.
fn head(method: &str, target: &str, more: &str) -> String {
    client::head(method, target, "app-demo", more)
}

/// Each kind of path: served, unknown, the control API's.
const TARGETS: [(&str, &str, u16); 5] = [
    ("GET", NEWEST, 200),
    ("POST", NEWEST, 405),
    ("POST", "/v1/conversation", 404),
    ("POST", "/__admin/nothing", 404),
    ("DELETE", "/__admin/health", 405),
];

fn length(bytes: usize) -> String {
    format!("Content-Length: {bytes}\r\n")
}

#[test]
fn a_body_that_comes_after_its_response_leaves_the_connection_open() {
    let server = Server::start().unwrap();
    for (method, target, status) in TARGETS {
        for bytes in [2, 30_000, 600_000, 1 << 20] {
            let mut wire = Wire::open(server.address());
            wire.send(head(method, target, &length(bytes)));
            let answer = wire.answer();
            assert_eq!((answer.status, answer.header("connection")), (status, None), "{target}");
            wire.send(vec![b'x'; bytes]);
            wire.send(head("GET", NEWEST, ""));
            wire.answer().ok();
        }
    }
}

#[test]
fn head_with_a_body_leaves_the_connection_open() {
    let server = Server::start().unwrap();
    let mut wire = Wire::open(server.address());
    wire.send(head("HEAD", NEWEST, &length(30_000)));
    assert_eq!(wire.head().status, 200);
    wire.send(vec![b'x'; 30_000]);
    wire.send(head("GET", NEWEST, ""));
    wire.answer().ok();
}

/// Most clients read no answer before they have sent all.
#[test]
fn a_body_over_1_mib_gets_its_answer_and_the_connection_closes() {
    let server = Server::start().unwrap();
    for (method, target, status) in TARGETS {
        for bytes in [(1 << 20) + 1, 9 << 20] {
            let mut wire = Wire::open(server.address());
            wire.send(head(method, target, &length(bytes)));
            wire.send(vec![b'x'; bytes]);
            let answer = wire.answer();
            assert_eq!((answer.status, answer.header("connection")), (status, Some("close")));
            wire.is_closed();
        }
    }
}

/// A client that says `close` waits for the end, also of one that sends nothing more.
#[test]
fn a_request_that_closes_is_answered_and_closed_without_its_body() {
    let server = Server::start().unwrap();
    let mut wire = Wire::open(server.address());
    wire.send(head("GET", NEWEST, &format!("Connection: close\r\n{}", length(100))));
    wire.answer().ok();
    wire.is_closed();
}

#[test]
fn a_body_that_stops_halfway_ends_the_connection_in_time() {
    let mut limits = Limits::default();
    limits.head_timeout = Duration::from_millis(100);
    let server = Server::builder().limits(limits).start().unwrap();
    let mut wire = Wire::open(server.address());
    wire.send(head("GET", NEWEST, &length(100)) + "half");
    wire.answer().ok();
    wire.is_closed();
}

fn chunked(target: &str, body: &str) -> String {
    head("POST", target, "Transfer-Encoding: chunked\r\n") + body
}

const ADMIN: &str = "/__admin/nothing";

#[test]
fn a_whole_chunked_body_leaves_the_connection_open() {
    let server = Server::start().unwrap();
    for (target, status) in [(NEWEST, 405), (ADMIN, 404), ("/nothing", 404)] {
        let mut wire = Wire::open(server.address());
        let body = "x".repeat(600_000);
        wire.send(chunked(target, &format!("{:x}\r\n{body}\r\n", body.len())));
        wire.send("0\r\nTrailer: x\r\n\r\n");
        let answer = wire.answer();
        assert_eq!((answer.status, answer.header("connection")), (status, None), "{target}");
        wire.send(head("GET", NEWEST, ""));
        wire.answer().ok();
    }
}

#[track_caller]
fn is_bad_request(answer: &Answer, reason: &str) {
    answer.refused(400, 400, "Bad request", reason);
    assert_eq!(answer.header("connection"), Some("close"));
}

#[test]
fn junk_in_chunk_lines_is_400_and_closes() {
    let server = Server::start().unwrap();
    for target in [NEWEST, ADMIN, "/nothing"] {
        for body in
            ["zz\r\n", "2\r\n{}xx0\r\n\r\n", "-2\r\n{}\r\n0\r\n\r\n", "fffffffffffffffff\r\n"]
        {
            let mut wire = Wire::open(server.address());
            wire.send(chunked(target, body));
            let answer = wire.answer();
            if target == ADMIN {
                let error =
                    r#"{"errors":[{"code":400,"title":"the chunks of the body are malformed"}]}"#;
                assert_eq!((answer.status, &*answer.body), (400, error));
                assert_eq!(answer.header("connection"), Some("close"));
            } else {
                is_bad_request(&answer, "the chunks of the body are malformed");
            }
            wire.is_closed();
        }
    }
}

#[test]
fn a_chunked_body_over_1_mib_gets_its_answer_and_the_connection_closes() {
    let server = Server::start().unwrap();
    let mut wire = Wire::open(server.address());
    let body = "x".repeat(3 << 20);
    wire.send(chunked(NEWEST, &format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len())));
    let answer = wire.answer();
    assert_eq!((answer.status, answer.header("connection")), (405, Some("close")));
    wire.is_closed();
}

#[test]
fn no_100_continue_for_a_body_that_is_not_read() {
    let server = Server::start().unwrap();
    for (method, target, status) in TARGETS {
        let mut wire = Wire::open(server.address());
        wire.send(head(method, target, &format!("Expect: 100-continue\r\n{}", length(10))));
        let answer = wire.answer();
        assert_eq!((answer.status, answer.header("connection")), (status, Some("close")));
        wire.is_closed();
    }
}

#[test]
fn unknown_expectation_is_ignored() {
    let server = Server::start().unwrap();
    let mut wire = Wire::open(server.address());
    wire.send(head("GET", NEWEST, &format!("Expect: more\r\n{}", length(10))));
    assert_eq!(wire.answer().ok().header("connection"), None);
    wire.send(vec![b'x'; 10]);
    wire.send(head("GET", NEWEST, ""));
    wire.answer().ok();
}

#[test]
fn an_unknown_transfer_encoding_is_501() {
    let server = Server::start().unwrap();
    for encoding in ["gzip", "xchunked", "identity", "gzip, chunked", "chunked, gzip"] {
        for target in [NEWEST, ADMIN] {
            let mut wire = Wire::open(server.address());
            wire.send(head("POST", target, &format!("Transfer-Encoding: {encoding}\r\n")));
            let answer = wire.answer();
            // Where the last coding is another one, the parser refuses the head before it has a path.
            let body = if target == ADMIN && encoding.ends_with(", chunked") {
                let title = format!("Transfer-Encoding must be chunked, got {encoding:?}");
                serde_json::json!({ "errors": [{ "code": 501, "title": title }] }).to_string()
            } else {
                r#"{"code":501,"message":"Not implemented"}"#.to_owned()
            };
            assert_eq!((answer.status, answer.body.clone()), (501, body), "{encoding}");
            assert_eq!(answer.header("content-type"), Some("application/json"), "{encoding}");
            assert_eq!(answer.header("connection"), Some("close"), "{encoding}");
            wire.is_closed();
        }
    }
}

#[test]
fn chunked_given_twice_is_400() {
    let server = Server::start().unwrap();
    let twice = "Transfer-Encoding: chunked\r\n".repeat(2);
    for more in ["Transfer-Encoding: chunked, chunked\r\n", &*twice] {
        let mut wire = Wire::open(server.address());
        wire.send(head("POST", NEWEST, more) + "0\r\n\r\n");
        is_bad_request(&wire.answer(), "Transfer-Encoding must name chunked only once");
    }
}

/// What the parser refuses comes with its reason even where the client sends on.
#[test]
fn parser_error_arrives_while_the_client_still_sends() {
    let server = Server::start().unwrap();
    let mut wire = Wire::open(server.address());
    wire.send(format!("GET / HTTP/1.1\r\nno colon\r\n\r\n{}", "x".repeat(200_000)));
    // Fails where the server has closed its end already, which it must not.
    wire.stream().write_all(&vec![b'x'; 2_000_000]).unwrap();
    assert_eq!(wire.answer().status, 400);
    wire.is_closed();
}

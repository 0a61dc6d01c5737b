//! Request bodies of the control API: size, speed and encoding.

use std::time::Duration;

use gptbots_mock::{Limits, Server};

use crate::control::documents::ask;
use crate::support::client::{NEWEST, get, raw};
use crate::support::control::{control, is_there, shown};
use crate::support::wire::Wire;

/// The largest body, in bytes.
const MOST: usize = 8 << 20;

/// `{}`, followed by this number of bytes of white space.
fn padded(length: usize) -> String {
    format!("{{}}{}", " ".repeat(length - 2))
}

#[test]
fn the_largest_body_is_read() {
    for length in [MOST - 1, MOST] {
        ask("PUT", "/sandboxes/a", &padded(length)).ok();
    }
}

#[test]
fn larger_body_is_413() {
    let server = Server::start().unwrap();
    let answer = control(server.address(), "PUT", "/sandboxes/a", &padded(MOST + 1));
    answer.failed(413, "the body has more than 8388608 bytes");
    assert!(!is_there(server.address(), "a"));
}

const PUT: &str = "PUT /__admin/sandboxes/a HTTP/1.1\r\nHost: localhost\r\n";

#[test]
fn larger_chunked_body_is_413() {
    let server = Server::start().unwrap();
    let body = padded(MOST + 1);
    let (first, second) = body.split_at(MOST);
    let chunks = format!("{MOST:x}\r\n{first}\r\n1\r\n{second}\r\n0\r\n\r\n");
    let head = format!("{PUT}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n");
    raw(server.address(), format!("{head}{chunks}").as_bytes()).failed(413, "8388608 bytes");
}

#[test]
fn a_body_in_chunks_is_read() {
    let server = Server::start().unwrap();
    let head = format!("{PUT}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n");
    let answer = raw(server.address(), format!("{head}1\r\n{{\r\n1\r\n}}\r\n0\r\n\r\n").as_bytes());
    answer.ok();
}

/// A client that sends `Expect: 100-continue` need not send a body that would be refused.
#[test]
fn larger_content_length_is_413_before_the_body() {
    let server = Server::start().unwrap();
    let mut wire = Wire::open(server.address());
    wire.send(format!("{PUT}Content-Length: {}\r\nExpect: 100-continue\r\n\r\n", MOST + 1));
    wire.answer().failed(413, "8388608 bytes");
    wire.is_closed();
}

#[test]
fn huge_content_length_is_413_before_the_body() {
    let server = Server::start().unwrap();
    let mut wire = Wire::open(server.address());
    wire.send(format!("{PUT}Content-Length: {}\r\n\r\n", 1_u64 << 40));
    wire.answer().failed(413, "8388608 bytes");
    wire.is_closed();
}

#[test]
fn expected_body_gets_100_continue() {
    let server = Server::start().unwrap();
    let mut wire = Wire::open(server.address());
    wire.send(format!("{PUT}Content-Length: 2\r\nExpect: 100-continue\r\n\r\n"));
    assert_eq!(wire.answer().status, 100);
    wire.send("{}");
    wire.answer().ok();
}

#[test]
fn missing_body_is_408() {
    let mut limits = Limits::default();
    limits.head_timeout = Duration::from_millis(100);
    let server = Server::builder().limits(limits).start().unwrap();
    let mut wire = Wire::open(server.address());
    wire.send(format!("{PUT}Content-Length: 10\r\n\r\n{{"));
    wire.answer().failed(408, "the body did not arrive in time");
    wire.is_closed();
    assert!(!is_there(server.address(), "a"));
}

/// The client has disconnected, so there is no response and no change.
#[test]
fn half_a_body_changes_nothing() {
    let server = Server::start().unwrap();
    let before = shown(&server, "default");
    let mut wire = Wire::open(server.address());
    let path = "PUT /__admin/sandboxes/default HTTP/1.1\r\nHost: localhost\r\n";
    wire.send(format!("{path}Content-Length: 40\r\n\r\n{{\"seed\": 5}}"));
    wire.stream().shutdown(std::net::Shutdown::Write).unwrap();
    let mut rest = Vec::new();
    wire.read_to_end(&mut rest).unwrap();
    assert_eq!(shown(&server, "default"), before);
}

#[test]
fn body_that_is_not_utf_8_is_400() {
    let server = Server::start().unwrap();
    let head = format!("{PUT}Connection: close\r\nContent-Length: 3\r\n\r\n");
    let answer = raw(server.address(), &[head.as_bytes(), b"{\xff}"].concat());
    answer.failed(400, "the body is not UTF-8");
}

#[test]
fn deeply_nested_body_is_400() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
        for body in [deep.clone(), format!("{{\"x\": {deep}}}")] {
            ask("PUT", "/sandboxes/a", &body).failed(400, "nested too deeply");
        }
    }
}

/// Some clients send one with every request.
#[test]
fn body_that_no_operation_takes_is_ignored() {
    let server = Server::start().unwrap();
    for (method, path) in
        [("GET", "/health"), ("POST", "/sandboxes/a/reset"), ("DELETE", "/sandboxes/a")]
    {
        control(server.address(), method, path, "no JSON").ok();
    }
    get(&server, "app-demo", NEWEST).ok();
}

#[test]
fn the_next_request_of_the_connection_is_answered() {
    let server = Server::start().unwrap();
    let mut wire = Wire::open(server.address());
    for (body, status) in [("{}", 200), ("{", 400), ("{}", 200)] {
        wire.send(format!("{PUT}Content-Length: {}\r\n\r\n{body}", body.len()));
        assert_eq!(wire.answer().status, status);
    }
}

/// A warning is no reason for a refusal. Once the mistakes are gone, the answer lists the warnings.
#[test]
fn a_refusal_lists_mistakes_and_no_warnings() {
    let server = Server::start().unwrap();
    let odd = r#""fixtures": {"agents": [{"name": "x", "keys": ["k"], "conversations": [
        {"conversation_type": "PIGEON"}]}]}"#;
    let put = |body: &str| control(server.address(), "PUT", "/sandboxes/a", body);
    let refused = put(&format!(r#"{{{odd}, "sed": 1}}"#));
    let errors = refused.json()["errors"].clone();
    assert_eq!(refused.status, 400, "{refused:?}");
    assert_eq!(errors.as_array().unwrap().len(), 1, "{errors:#}");
    assert_eq!(errors[0]["source"]["pointer"], "/sed");
    let warnings = put(&format!("{{{odd}}}")).ok().json()["warnings"].clone();
    assert_eq!(warnings.as_array().unwrap().len(), 1, "{warnings:#}");
}

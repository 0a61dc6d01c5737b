//! The rules of RFC 9112 for any server: the `Host` header, absolute targets, HTTP/1.0, and which
//! headers an answer must have. Tests the first step of `everywhere.order-of-checks`.

use gptbots_mock::Server;
use serde_json::Value;

use crate::support::client::{Answer, NEWEST, request};
use crate::support::control::control;
use crate::support::faults::{KEY, LIST, asks, server as faulty};
use crate::support::process::Process;
use crate::support::wire::Wire;

const VENDOR: &str = NEWEST;
const ADMIN: &str = "/__admin/sandboxes";
const NOWHERE: &str = "/nothing";

/// What a request line with these headers is answered; each header ends in a line break.
#[track_caller]
fn send(server: &Server, line: &str, headers: &str) -> Answer {
    let mut wire = Wire::open(server.address());
    wire.send(format!("{line}\r\nAuthorization: Bearer app-demo\r\n{headers}\r\n"));
    wire.answer()
}

#[test]
fn a_request_without_one_right_host_is_400_on_every_path() {
    let server = Server::start().unwrap();
    for path in [VENDOR, ADMIN, NOWHERE, "/s/a/v1/messages"] {
        for headers in [
            "",
            "Host:\r\n",
            "Host: localhost\r\nHost: localhost\r\n",
            "Host: a b\r\n",
            "Host: user@localhost\r\n",
            "Host: http://localhost\r\n",
            "Host: localhost:99999\r\n",
            "Host: localhost:x\r\n",
            "Host: :80\r\n",
            "Host: [::1\r\n",
        ] {
            let answer = send(&server, &format!("GET {path} HTTP/1.1"), headers);
            if path == ADMIN {
                assert_eq!(answer.status, 400, "{answer:?}");
                let title = answer.json()["errors"][0]["title"].to_string();
                assert!(title.contains("Host"), "{path} {headers:?}: {title}");
                continue;
            }
            answer.refused(400, 400, "Bad request", "");
            let reason = answer.header("x-mock-reason").unwrap();
            assert!(reason.contains("Host"), "{path} {headers:?}: {reason}");
        }
    }
}

/// That reading is for the vendor's own codes.
#[test]
fn a_bad_host_stays_400_under_error_status_ok() {
    let ok = Server::builder().reading(gptbots_mock::contract::ErrorStatus::Ok).start().unwrap();
    let answer = send(&ok, &format!("GET {VENDOR} HTTP/1.1"), "");
    answer.refused(400, 400, "Bad request", "Host");
}

#[test]
fn a_right_host_passes() {
    let server = Server::start().unwrap();
    for host in ["localhost", "a_b,c:0", "[::1]:65535", "x%41", "evil.example:80"] {
        send(&server, &format!("GET {VENDOR} HTTP/1.1"), &format!("Host: {host}\r\n")).ok();
    }
}

#[test]
fn a_bad_host_is_seen_by_the_default_journal_and_by_nothing_else() {
    let server = faulty(&["code=50000"]);
    let answer = send(&server, &format!("GET {LIST} HTTP/1.1"), "");
    answer.refused(400, 400, "Bad request", "Host");
    let answer = send(&server, "GET /s/a/v1/messages HTTP/1.1", "");
    answer.refused(400, 400, "Bad request", "Host");
    let ids = control(server.address(), "GET", "/sandboxes", "").column("sandboxes", "id");
    assert_eq!(ids, ["default"]);
    let requests = server.requests();
    let told: Vec<_> = requests.iter().map(|one| (&*one.sandbox, one.status)).collect();
    assert_eq!(told, [("default", Some(400)), ("default", Some(400))]);
    assert!(requests[0].reason.contains("Host") && requests[0].fault.is_empty());
}

#[test]
fn http_1_0_may_leave_the_host_out() {
    let server = Server::start().unwrap();
    for path in [VENDOR, ADMIN] {
        send(&server, &format!("GET {path} HTTP/1.0"), "").ok();
    }
    let answer = send(&server, &format!("GET {VENDOR} HTTP/1.0"), "Host: a b\r\n");
    answer.refused(400, 400, "Bad request", "Host");
}

#[test]
fn http_1_0_without_a_host_is_journaled_as_such() {
    let server = Server::start().unwrap();
    send(&server, &format!("GET {VENDOR} HTTP/1.0"), "").ok();
    send(&server, &format!("GET {VENDOR} HTTP/1.1"), "Host: localhost:1\r\n").ok();
    assert!(server.requests()[0].is_http_1_0 && !server.requests()[1].is_http_1_0);
    let shown = control(server.address(), "GET", "/requests", "").ok().json();
    let of = |place: usize| shown["requests"][place]["request"].clone();
    // The newest comes first.
    let (old, new) = (of(1), of(0));
    assert_eq!((&old["protocol"], &old["host"]), (&"HTTP/1.0".into(), &Value::Null));
    assert_eq!(old["absoluteUrl"], VENDOR);
    assert_eq!((&new["protocol"], &new["host"]), (&"HTTP/1.1".into(), &"localhost".into()));
    assert_eq!(new["absoluteUrl"], format!("http://localhost:1{VENDOR}"));
}

#[test]
fn absolute_target_overrides_host() {
    let server = Server::start().unwrap();
    for (target, host, status) in [
        ("http://localhost", "Host: evil.example\r\n", 200),
        ("http://localhost:1", "", 200),
        ("http://evil.example", "Host: localhost\r\n", 403),
        ("http://user@localhost", "Host: localhost\r\n", 400),
        ("http://localhost:99999", "Host: localhost\r\n", 400),
    ] {
        let answer = send(&server, &format!("GET {target}{ADMIN} HTTP/1.1"), host);
        assert_eq!(answer.status, status, "{target} {host}");
    }
    send(&server, &format!("GET http://evil.example{VENDOR} HTTP/1.1"), "Host: a b\r\n").ok();
}

#[test]
fn status_205_has_no_body() {
    for fault in ["status=205", "status=205,body=html", "status=205,body=garbage"] {
        let server = faulty(&[fault]);
        let mut wire = Wire::open(server.address());
        for _ in 0..2 {
            wire.send(asks("GET", LIST, ""));
            let answer = wire.answer();
            assert_eq!((answer.status, answer.header("content-length")), (205, Some("0")));
            assert_eq!(answer.header("content-type"), None);
        }
    }
}

#[test]
fn an_unknown_status_has_a_reason_phrase() {
    let server = faulty(&["status=599"]);
    let mut wire = Wire::open(server.address());
    wire.send(asks("GET", LIST, "Connection: close\r\n"));
    let mut bytes = Vec::new();
    wire.read_to_end(&mut bytes).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.starts_with("HTTP/1.1 599 Unknown\r\n"), "{text}");
}

#[test]
fn every_401_names_its_scheme() {
    let server = faulty(&["status=401,times=1", "code=40127,times=1"]);
    for key in [KEY, KEY, "nobody's"] {
        let key = format!("Bearer {key}");
        let answer = request(&server, "GET", LIST, &[("Authorization", &key)]);
        assert_eq!((answer.status, answer.header("www-authenticate")), (401, Some("Bearer")));
    }
    let ok = Server::builder().reading(gptbots_mock::contract::ErrorStatus::Ok).start().unwrap();
    let answer = request(&ok, "GET", LIST, &[]);
    assert_eq!((answer.status, answer.header("www-authenticate")), (200, None));
}

#[test]
fn what_the_parser_refuses_is_logged_with_its_reason() {
    for (format, expected) in
        [("text", " - - 400 0.000ms invalid HTTP header parsed"), ("json", r#""method":null"#)]
    {
        let (mut server, address) = Process::serve(&["--log-format", format]);
        let mut wire = Wire::open(address);
        wire.send("GET /app-demo HTTP/1.1\r\napp-demo\r\n\r\n");
        assert_eq!(wire.answer().status, 400);
        let line = server.stderr.find("invalid HTTP header parsed");
        assert!(line.contains(expected) && !line.contains("app-demo"), "{line}");
        let mut wire = Wire::open(address);
        wire.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
        assert_eq!(wire.answer().status, 400);
        server.stderr.find("HTTP2 preface");
    }
}

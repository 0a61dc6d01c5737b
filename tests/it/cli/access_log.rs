//! The access log on stderr: the form of a line, that no key is ever in it, and that a slow reader
//! of the log delays no request.

use std::net::SocketAddr;
use std::time::SystemTime;

use serde_json::Value;

use crate::support::client::{NEWEST, call, fetch, raw};
use crate::support::process::{Process, command};
use crate::support::schemas;
use crate::support::wire::Wire;

/// A log line from its first field on, checked to be a time in UTC, to the millisecond.
#[track_caller]
fn assert_time(text: &str, since: SystemTime) {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(shape, "0000-00-00T00:00:00.000Z");
    let time: jiff::Timestamp = text.parse().unwrap();
    let ms = |time: SystemTime| jiff::Timestamp::try_from(time).unwrap().as_millisecond();
    let span = ms(since)..=ms(SystemTime::now());
    assert!(span.contains(&time.as_millisecond()), "{text} is not when it happened");
}

/// Four requests: one answered, one refused for a parameter, one for the key, one for the path.
fn four_requests(address: SocketAddr) {
    schemas::defaults(address);
    fetch(address, "app-demo", NEWEST).ok();
    assert_eq!(fetch(address, "app-demo", "/v1/messages?page=x").status, 400);
    assert_eq!(fetch(address, "wrong", "/v2/messages").status, 401);
    assert_eq!(call(address, "POST", "/v1/nothing", &[]).status, 404);
}

#[test]
fn a_text_line_tells_a_request() {
    let since = SystemTime::now();
    let (mut server, address) = Process::serve(&["--log-format", "text"]);
    server.stderr.find("try: ");
    four_requests(address);
    let ended = server.stop();
    let lines: Vec<&str> = ended.stderr.lines().collect();
    let expected = [
        ("GET /v1/bot/conversation/page 200 ", ""),
        ("GET /v1/messages 400 code=40000 ", " conversation_id is missing"),
        ("GET /v2/messages 401 code=40127 ", " unknown API key"),
        ("POST /v1/nothing 404 code=404 ", " no endpoint at /v1/nothing"),
    ];
    assert_eq!(lines.len(), expected.len(), "{ended:?}");
    for (line, (request, reason)) in lines.into_iter().zip(expected) {
        let (time, rest) = line.split_once(' ').unwrap();
        assert_time(time, since);
        let rest = rest.strip_prefix(request).unwrap_or_else(|| panic!("not {request}: {line}"));
        let (ms, why) = rest.split_once("ms").unwrap();
        assert!(ms.parse::<f64>().is_ok_and(|ms| ms >= 0.0), "{line}");
        assert!(why.starts_with(reason) && why.is_empty() == reason.is_empty(), "{line}");
    }
}

#[test]
fn a_json_line_tells_a_request() {
    let since = SystemTime::now();
    let (mut server, address) = Process::serve(&["--log-format", "json"]);
    server.stderr.find("try: ");
    four_requests(address);
    let ended = server.stop();
    let lines: Vec<Value> =
        ended.stderr.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let expected = [
        ("GET", "/v1/bot/conversation/page", 200, None, None),
        ("GET", "/v1/messages", 400, Some(40000), Some("conversation_id is missing")),
        ("GET", "/v2/messages", 401, Some(40127), Some("unknown API key")),
        ("POST", "/v1/nothing", 404, Some(404), Some("no endpoint at /v1/nothing")),
    ];
    assert_eq!(lines.len(), expected.len(), "{ended:?}");
    for (line, (method, path, status, code, reason)) in lines.iter().zip(expected) {
        let keys: Vec<&str> = line.as_object().unwrap().keys().map(String::as_str).collect();
        let mut named = [
            "time",
            "method",
            "path",
            "status",
            "code",
            "reason",
            "fault",
            "sandbox",
            "duration_us",
        ];
        named.sort_unstable();
        assert_eq!(keys, named);
        assert_time(line["time"].as_str().unwrap(), since);
        assert_eq!((&line["method"], &line["path"]), (&method.into(), &path.into()));
        assert_eq!(line["status"], status);
        assert_eq!(line["code"].as_u64(), code);
        let why = line["reason"].as_str();
        assert_eq!(why.is_some(), reason.is_some(), "{line}");
        assert!(why.unwrap_or_default().starts_with(reason.unwrap_or_default()), "{line}");
        assert!(line["duration_us"].is_u64(), "{line}");
    }
}

#[test]
fn off_writes_nothing_behind_the_start_text() {
    let (mut server, address) = Process::serve(&["--log-format", "off"]);
    server.stderr.find("try: ");
    four_requests(address);
    assert_eq!(server.stop().stderr, "");
}

/// Everything that a server writes to stderr while a client is careless with a key.
fn log_of_a_careless_client(format: &str, keys: &[&str], key: &str) -> String {
    let mut args = vec!["--log-format", format];
    args.extend(keys.iter().flat_map(|key| ["--api-key", key]));
    let (server, address) = Process::serve(&args);
    let encoded = key.bytes().fold(String::new(), |all, byte| format!("{all}%{byte:02X}"));
    fetch(address, key, NEWEST).ok();
    call(address, "GET", NEWEST, &[("Authorization", key)]);
    call(address, "GET", NEWEST, &[("Authorization", &format!("Basic {key}"))]);
    call(address, "GET", NEWEST, &[("X-Api-Key", key)]);
    // Such a message is refused, and the reason quotes the header.
    raw(
        address,
        format!("GET / HTTP/1.1\r\nHost: a b{key}\r\nConnection: close\r\n\r\n").as_bytes(),
    );
    for place in [key, &encoded] {
        let place = &place.replace('"', "%22").replace('\\', "%5C");
        for target in [
            format!("/{place}/v1/messages"),
            format!("/v1/messages/{place}?api_key={place}"),
            format!("{NEWEST}&api_key={place}"),
            format!("/v1/messages?conversation_id={place}&page=1&page_size=1"),
            format!("/v1/messages?conversation_id=x&page={place}&page_size=1"),
            format!("/v1/messages?conversation_id=x&page=Bearer%20{place}&page_size=1"),
            format!("/v1/bot/conversation/page?conversation_type={place}"),
            format!("/s/{place}{NEWEST}"),
            format!("/s/{place}/v1/nothing"),
            format!("/__admin/sandboxes/{place}"),
        ] {
            fetch(address, key, &target);
        }
        // Key and sandbox, the wrong way round.
        fetch(address, &format!("login~{place}"), NEWEST);
    }
    server.stop().stderr
}

#[test]
fn a_key_is_never_logged() {
    for format in ["text", "json"] {
        let log = log_of_a_careless_client(format, &["sEcReT-8d1f"], "sEcReT-8d1f");
        assert!(log.matches("/v1/").count() > 10, "{log}");
        assert!(!log.contains("sEcReT"), "{log}");
    }
}

/// Keys that begin with another key, whose remainder would be as telling as the whole.
#[test]
fn a_key_that_begins_with_another_key_is_never_logged() {
    for keys in [&["app-demo-sEcReT"][..], &["k-1", "k-1-sEcReT"], &["k-1-sEcReT", "k-1"]] {
        let key = keys.iter().find(|key| key.ends_with("sEcReT")).unwrap();
        let log = log_of_a_careless_client("text", keys, key);
        assert!(!log.contains("sEcReT"), "{log}");
    }
}

/// `"` and `\` are escaped in a reason, and percent-encoded in a path.
#[test]
fn a_key_with_characters_that_are_escaped_is_never_logged() {
    for format in ["text", "json"] {
        let log = log_of_a_careless_client(format, &[r#"q"\sEcReT"#], r#"q"\sEcReT"#);
        assert!(!log.contains("sEcReT"), "{log}");
    }
}

/// A reason is cut to 200 bytes, and so is a key in it.
#[test]
fn a_key_that_is_cut_is_never_logged() {
    let key = "sEcReT-".repeat(40);
    let log = log_of_a_careless_client("text", &[&key], &key);
    assert!(!log.contains("sEcReT"), "{log}");
}

/// A key in percent-encoding, hidden from a comparison of bytes and from nobody who reads it.
#[test]
fn an_encoded_key_is_never_logged() {
    let log = log_of_a_careless_client("text", &["sEcReT"], "sEcReT");
    assert!(!log.contains("%73%45%63%52%65%54"), "{log}");
}

/// What is logged of request lines, with the lines that the server wrote before cut off.
fn log_of(format: &str, request_lines: &[&[u8]]) -> String {
    let (mut server, address) = Process::serve(&["--log-format", format]);
    server.stderr.find("try: ");
    schemas::defaults(address);
    for line in request_lines {
        let rest = b"\r\nHost: localhost\r\nAuthorization: Bearer app-demo\r\n\
                     Connection: close\r\n\r\n";
        let answer = raw(address, &[line, &rest[..]].concat());
        assert!((400..500).contains(&answer.status), "{answer:?}");
    }
    server.stop().stderr
}

#[test]
fn a_client_cannot_forge_a_line() {
    let lines: [&[u8]; 3] = [
        b"GET /%0aforged%0d%1b[31m HTTP/1.1",
        b"GET /v1/messages?conversation_id=%0aforged%0d%1b[31m&page=1&page_size=1 HTTP/1.1",
        b"GET /v1/messages?conversation_id=x&page=%0aforged%1b&page_size=1 HTTP/1.1",
    ];
    for format in ["text", "json"] {
        let log = log_of(format, &lines);
        assert_eq!(log.lines().count(), lines.len(), "{log:?}");
        assert!(log.lines().all(|line| !line.starts_with("forged")), "{log:?}");
        assert!(!log.contains(|c: char| c.is_control() && c != '\n'), "{log:?}");
    }
}

/// DEL, and the second set of control characters: terminals obey U+009B as they do ESC `[`.
#[test]
fn raw_control_characters_of_a_path_are_escaped() {
    let lines: [&[u8]; 2] = [b"GET /x\x7f HTTP/1.1", b"GET /x\xc2\x9b31m\xc2\x85y HTTP/1.1"];
    for format in ["text", "json"] {
        let log = log_of(format, &lines);
        assert!(!log.contains(|c: char| c.is_control() && c != '\n'), "{format}: {log:?}");
    }
}

#[test]
fn raw_bytes_in_a_header_leave_the_log_whole() {
    let (mut server, address) = Process::serve(&["--log-format", "json"]);
    server.stderr.find("try: ");
    let head = b"GET /v1/messages HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
                 Authorization: Bearer \xff\xfe\x9b\xc3\x28\r\n\r\n";
    assert_eq!(raw(address, head).status, 401);
    let log = server.stop().stderr;
    let line: Value = serde_json::from_str(&log).unwrap();
    assert_eq!((&line["status"], &line["code"]), (&401.into(), &40127.into()));
}

/// Sends requests on one connection, in batches, and takes every answer.
fn many_requests(address: SocketAddr, number: usize) {
    const BATCH: usize = 100;
    let request = "GET /nobody-reads-this HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let batch = request.repeat(BATCH);
    let mut connection = Wire::open(address);
    for _ in 0..number / BATCH {
        connection.send(&batch);
        for _ in 0..BATCH {
            assert_eq!(connection.answer().status, 404);
        }
    }
}

#[test]
fn unread_log_delays_no_request() {
    let mut server = Process::unread(&mut command(&["--port", "0"]));
    let address = server.address();
    many_requests(address, 20_000);
    fetch(address, "app-demo", NEWEST).ok();
    assert!(server.lives());
    assert_eq!(server.stop().code, 0);
}

#[test]
fn dropped_lines_are_counted() {
    for (format, before, after) in
        [("text", "", " log lines dropped"), ("json", "{\"dropped_lines\":", "}")]
    {
        let mut server = Process::unread(&mut command(&["--port", "0", "--log-format", format]));
        let address = server.address();
        many_requests(address, 20_000);
        server.read_stderr();
        server.stderr.find("try: ");
        let (mut written, mut dropped) = (0, 0);
        // The count may come in parts; with it every request is accounted for.
        while written + dropped < 20_000 {
            let line = server.stderr.next().unwrap();
            let count = line.strip_prefix(before).and_then(|line| line.split_once(after));
            if let Some((number, _)) = count {
                dropped += number.parse::<usize>().unwrap_or_else(|_| panic!("{line}"));
            } else {
                assert!(line.contains("/nobody-reads-this"), "{line}");
                written += 1;
            }
        }
        assert_eq!(written + dropped, 20_000);
        assert!(dropped > 0);
        let ended = server.stop();
        assert_eq!((ended.code, &*ended.stderr), (0, ""));
    }
}

#[test]
fn closed_log_reader_does_not_stop_serving() {
    let mut server = Process::unread(&mut command(&["--port", "0"]));
    let address = server.address();
    fetch(address, "app-demo", NEWEST).ok();
    server.close_stderr();
    many_requests(address, 1_000);
    fetch(address, "app-demo", NEWEST).ok();
    assert_eq!(server.stop().code, 0);
}

#[test]
fn the_last_line_is_written_before_the_end() {
    let (server, address) = Process::serve(&[]);
    many_requests(address, 500);
    let log = server.stop().stderr;
    assert_eq!(log.matches("/nobody-reads-this 404").count(), 500);
}

//! Faults that break the connection (reset, no answer, truncated body), byte by byte.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use gptbots_mock::{Conversation, Limits, Server};

use crate::support::client::{get, head, sent};
use crate::support::faults::{
    FOR_EVER, KEY, LIST, asking, asks, builder, drain, got, is_silent, server, take_apart, time_of,
};
use crate::support::process::{Process, wait_until_read};
use crate::support::wire::Wire;

#[test]
fn reset_is_a_tcp_reset_before_any_byte() {
    let server = server(&["break=reset"]);
    let (bytes, end) = drain(&mut asking(server.address(), ""));
    assert_eq!((bytes.len(), end), (0, Some(ErrorKind::ConnectionReset)));
}

#[test]
fn reset_after_a_delay() {
    let server = server(&["break=reset,delay=80"]);
    let begun = Instant::now();
    let (bytes, end) = drain(&mut asking(server.address(), ""));
    assert_eq!((bytes.len(), end), (0, Some(ErrorKind::ConnectionReset)));
    assert!(begun.elapsed() >= Duration::from_millis(80));
}

#[test]
fn reset_keeps_earlier_pipelined_answers() {
    let server = server(&["break=reset,after=1"]);
    let mut connection = Wire::open(server.address());
    connection.send(asks("GET", LIST, ""));
    connection.answer().ok();
    connection.send(asks("GET", LIST, ""));
    let end = connection.read_to_end(&mut Vec::new()).map_err(|error| error.kind());
    assert_eq!(end, Err(ErrorKind::ConnectionReset));
}

#[test]
fn no_answer_stays_silent_and_keeps_nobody_else_waiting() {
    let server = server(&["break=no-answer,times=1"]);
    let mut waiting = asking(server.address(), "");
    is_silent(&mut waiting, 300);
    get(&server, KEY, LIST).ok();
    is_silent(&mut waiting, 100);
}

/// A stop within a second did not wait for the drain time of five seconds, however busy the machine is.
const PROMPTLY: Duration = Duration::from_secs(3);

#[test]
fn a_server_stops_while_clients_wait() {
    let server = server(&["break=no-answer,every=2"]);
    // One request gets no response, the other one a long delay.
    get(&server, KEY, LIST).ok();
    let mut waiting = [asking(server.address(), ""), asking(server.address(), FOR_EVER)];
    waiting.iter().for_each(wait_until_read);
    let begun = Instant::now();
    drop(server);
    assert!(begun.elapsed() < PROMPTLY, "{:?}", begun.elapsed());
    for stream in &mut waiting {
        assert_eq!(drain(stream).0.len(), 0);
    }
}

#[test]
fn a_process_ends_while_a_client_has_no_answer() {
    let (server, address) = Process::serve(&["--fault", "break=no-answer"]);
    let mut waiting = asking(address, "");
    wait_until_read(&waiting);
    server.signal("TERM");
    let begun = Instant::now();
    assert_eq!(server.end().code, 0);
    assert!(begun.elapsed() < PROMPTLY, "{:?}", begun.elapsed());
    assert_eq!(drain(&mut waiting).0.len(), 0);
}

/// A connection without a response may be closed in favour of a new client.
#[test]
fn unanswered_connection_is_closed_at_the_limit() {
    let mut limits = Limits::default();
    limits.connections = 2;
    let server = builder(&["break=no-answer,times=2"]).limits(limits).start().unwrap();
    let waiting = [(); 2].map(|()| asking(server.address(), ""));
    waiting.iter().for_each(wait_until_read);
    get(&server, KEY, LIST).ok();
}

#[test]
fn truncated_body_has_the_full_length_and_a_clean_close() {
    let server = server(&["body=truncated,after=1"]);
    let whole = get(&server, KEY, LIST).ok().body.len();
    let (promised, body, end) = got(server.address(), "");
    assert_eq!((promised, body.len(), end), (whole, whole / 2, None));
}

#[test]
fn truncated_body_is_the_first_half_of_the_true_one() {
    let server = server(&["body=truncated,after=1"]);
    let whole = get(&server, KEY, LIST).ok().body.clone().into_bytes();
    assert_eq!(got(server.address(), "").1, whole[..whole.len() / 2]);
}

/// More bytes than all buffers between server and client can hold.
#[test]
fn truncated_body_of_megabytes_sends_half() {
    let text = "0123456789".repeat(800_000);
    let talk = Conversation::new().user("x").asks(text).answers("short");
    let fault = "messages-v2:body=truncated".parse().unwrap();
    let server = Server::builder().fixture(talk).fault(fault).start().unwrap();
    let id = &get(&server, server.api_key(), LIST).column("list", "conversation_id")[0];
    let target = format!("/v2/messages?conversation_id={id}&page=1&page_size=10");
    let mut stream = sent(server.address(), head("GET", &target, server.api_key(), ""));
    let (bytes, end) = drain(&mut stream);
    let (head, body) = take_apart(&bytes);
    let promised: usize = head.header("content-length").unwrap().parse().unwrap();
    assert!(promised > 8_000_000, "{promised}");
    assert_eq!((body.len(), end), (promised / 2, None));
}

#[test]
fn truncated_body_can_be_throttled() {
    let server = server(&["body=truncated,drip=2000,after=1"]);
    let whole = get(&server, KEY, LIST).ok().body.len();
    let begun = Instant::now();
    let (promised, body, end) = got(server.address(), "");
    assert_eq!((promised, body.len(), end), (whole, whole / 2, None));
    assert!(begun.elapsed() >= time_of(whole / 2, 2000), "{:?}", begun.elapsed());
}

/// Requests that are sent at once, each with headers of its own.
fn pipelined(address: SocketAddr, requests: &[&str]) -> Wire {
    let mut connection = Wire::open(address);
    let all: String = requests.iter().map(|more| asks("GET", LIST, more)).collect();
    connection.send(all);
    connection
}

#[test]
fn requests_behind_a_fault_are_answered_in_their_order() {
    let server = Server::start().unwrap();
    let faults =
        ["", "Prefer: code=40127\r\n", "Prefer: delay=100\r\n", "Prefer: status=503\r\n", ""];
    let mut connection = pipelined(server.address(), &faults);
    let statuses = faults.map(|_| connection.answer().status);
    assert_eq!(statuses, [200, 401, 200, 503, 200]);
}

#[test]
fn request_pipelined_behind_a_truncated_body_is_not_answered() {
    let server = server(&["body=truncated,after=1"]);
    let mut connection = pipelined(server.address(), &["", "", ""]);
    let whole = connection.answer().ok().body.len();
    connection.head();
    let mut rest = Vec::new();
    connection.read_to_end(&mut rest).unwrap();
    assert_eq!(rest.len(), whole / 2);
}

#[test]
fn a_connection_goes_on_behind_a_fault_that_does_not_break_it() {
    for fault in [
        "code=50000",
        "status=429",
        "status=502,body=html",
        "status=500,body=empty",
        "body=empty",
        "drip=9000",
        "delay=5",
    ] {
        let server = server(&[&format!("{fault},times=1")]);
        let mut connection = Wire::open(server.address());
        for struck in [true, false] {
            connection.send(asks("GET", LIST, ""));
            let answer = connection.answer();
            assert_eq!(answer.header("x-mock-fault").is_some(), struck, "{fault}");
        }
    }
}

/// HTTP/1.0 also has `Content-Length`.
#[test]
fn http_1_0_gets_faults() {
    let server = server(&["body=truncated"]);
    let old = asks("GET", LIST, "").replace("HTTP/1.1", "HTTP/1.0");
    let (bytes, _) = drain(&mut sent(server.address(), old));
    let (head, body) = take_apart(&bytes);
    let promised: usize = head.header("content-length").unwrap().parse().unwrap();
    assert_eq!(body.len(), promised / 2);
}

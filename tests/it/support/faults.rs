//! What the tests of faults share: servers with faults, a request for each operation, and answers
//! whose bodies are not text.

use std::io::{ErrorKind, Read};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use gptbots_mock::{Server, ServerBuilder};

use crate::support::client::{self, Answer, NEWEST, head, parse, request, sent};

/// The key of the agent that the pages' examples are of.
pub(crate) const KEY: &str = "your_apikey";

pub(crate) const LIST: &str = NEWEST;
pub(crate) const MESSAGES: &str = "/v1/messages?conversation_id=xxxxxx&page=1&page_size=10";
pub(crate) const MESSAGES_V2: &str = "/v2/messages?conversation_id=xxxxxx&page=1&page_size=10";
pub(crate) const QA: &str = "/v1/message/qa/record/page?user_feedback=ALL\
    &start_time=0&end_time=9999999999999&page=1&page_size=10";

/// Each operation by its word, with a request that is answered 200.
pub(crate) const TARGETS: [(&str, &str); 4] =
    [("conversations", LIST), ("messages", MESSAGES), ("messages-v2", MESSAGES_V2), ("qa", QA)];

#[track_caller]
pub(crate) fn builder(faults: &[&str]) -> ServerBuilder {
    let add = |builder: ServerBuilder, line: &&str| builder.fault(line.parse().unwrap());
    faults.iter().fold(Server::builder(), add)
}

/// A server with faults, each by its line.
#[track_caller]
pub(crate) fn server(faults: &[&str]) -> Server {
    builder(faults).start().unwrap()
}

/// `GET` with the key and a `Prefer`.
#[track_caller]
pub(crate) fn prefer(server: &Server, preferences: &str, target: &str) -> Answer {
    let key = format!("Bearer {KEY}");
    request(server, "GET", target, &[("Authorization", &key), ("Prefer", preferences)])
}

/// The bytes of a request on a connection that stays open; more headers end in a line break.
pub(crate) fn asks(method: &str, target: &str, more: &str) -> String {
    head(method, target, KEY, more)
}

/// Everything that comes on a connection, and how it ended: in good order, or by an error.
pub(crate) fn drain(stream: &mut TcpStream) -> (Vec<u8>, Option<ErrorKind>) {
    let mut bytes = Vec::new();
    let end = stream.read_to_end(&mut bytes);
    (bytes, end.err().map(|error| error.kind()))
}

/// An answer whose body may be anything: its head, and the bytes behind it.
#[track_caller]
pub(crate) fn take_apart(bytes: &[u8]) -> (Answer, &[u8]) {
    let end = bytes.windows(4).position(|end| end == b"\r\n\r\n");
    let end = end.unwrap_or_else(|| panic!("no head: {:?}", String::from_utf8_lossy(bytes))) + 4;
    (parse(&bytes[..end]), &bytes[end..])
}

/// One request on a connection of its own, and what comes of it.
#[track_caller]
pub(crate) fn exchange(address: SocketAddr, target: &str, more: &str) -> (Answer, Vec<u8>) {
    let more = format!("Connection: close\r\n{more}");
    let bytes = client::exchange(address, asks("GET", target, &more).as_bytes());
    let (head, body) = take_apart(&bytes);
    (head, body.to_vec())
}

/// Longer than any test lives.
pub(crate) const FOR_EVER: &str = "Prefer: delay=600000\r\n";

/// A connection on which a request was sent.
#[track_caller]
pub(crate) fn asking(address: SocketAddr, more: &str) -> TcpStream {
    sent(address, asks("GET", LIST, more))
}

/// Asserts that nothing has come, for a while.
#[track_caller]
pub(crate) fn is_silent(stream: &mut TcpStream, while_ms: u64) {
    let before = stream.read_timeout().unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(while_ms))).unwrap();
    let kind = stream.read(&mut [0; 64]).map_err(|error| error.kind());
    assert!(matches!(kind, Err(ErrorKind::WouldBlock | ErrorKind::TimedOut)), "{kind:?}");
    stream.set_read_timeout(before).unwrap();
}

/// The head of what a client got, and the bytes behind it.
#[track_caller]
pub(crate) fn got(address: SocketAddr, more: &str) -> (usize, Vec<u8>, Option<ErrorKind>) {
    let (bytes, end) = drain(&mut asking(address, more));
    let (head, body) = take_apart(&bytes);
    assert_eq!(head.status, 200);
    (head.header("content-length").unwrap().parse().unwrap(), body.to_vec(), end)
}

/// How long so many bytes take at a rate.
#[allow(clippy::cast_precision_loss, reason = "few")]
pub(crate) fn time_of(bytes: usize, rate: u32) -> Duration {
    Duration::from_secs_f64(bytes as f64 / f64::from(rate))
}

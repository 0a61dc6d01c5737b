//! Hundreds of broken documents: the control API applies a document completely or not at all, and
//! says why.

use std::sync::Mutex;

use gptbots_mock::Server;
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::json;

use crate::support::cases::for_all;
use crate::support::client::{Answer, NEWEST, get};
use crate::support::control::{control_bytes, timeless};
use crate::support::wire::Wire;

/// A connection to the control API of a server.
struct Admin(Mutex<Wire>);

impl Admin {
    fn send(&self, method: &str, path: &str, body: &[u8]) -> Answer {
        let mut wire = self.0.lock().unwrap();
        wire.send(control_bytes(method, path, "", body));
        wire.answer()
    }
}

/// Valid documents, with the method and the path that accept them.
fn documents() -> Vec<(&'static str, &'static str, String)> {
    let talk = json!({"conversation_id": "c", "messages": [{"q": "1", "a": "2"}]});
    let fault = json!({
        "operation": ["qa", "messages"], "status": 503, "delay": 0, "times": 2, "after": 1,
        "every": 2, "probability": 0.5,
    });
    let settings = json!({
        "seed": 7,
        "conversations": 3,
        "readings": {"qa-time": "milliseconds", "page-size": "clamp"},
        "faults": ["messages:code=50000,every=3", fault],
        "rate_limit": {"requests": 5, "seconds": 60},
        "hazards": ["arrival", "qa:short-page"],
        "clock": "frozen",
    });
    let fixtures = json!({
        "fixtures": {"agents": [{"name": "x", "keys": ["k"], "conversations": [talk]}]},
        "hazards": [],
    });
    let clock = json!({"advance_ms": 60_000, "mode": "real"});
    vec![
        ("PUT", "/sandboxes/a", settings.to_string()),
        ("PUT", "/sandboxes/a", fixtures.to_string()),
        ("POST", "/sandboxes/a/clock", clock.to_string()),
        ("POST", "/sandboxes/a/faults", fault.to_string()),
    ]
}

/// A change of a document's bytes.
#[derive(Clone, Debug)]
enum Edit {
    Cut(Index, Index),
    Put(Index, &'static str),
    Twice(Index, Index),
    Byte(Index, u8),
}

const PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    "\"",
    ",",
    ":",
    "null",
    "true",
    "-1",
    "1e400",
    "0",
    "18446744073709551616",
    "\\u0000",
    "\\ud800",
    "\"\"",
    "\"seed\":",
    "\"fixtures\":{}",
    "\u{e9}",
    " ",
    "\n",
    "[[[[",
    "0.1",
];

fn edit() -> impl Strategy<Value = Edit> {
    let place = any::<Index>;
    prop_oneof![
        (place(), place()).prop_map(|(a, b)| Edit::Cut(a, b)),
        (place(), prop::sample::select(PIECES)).prop_map(|(at, piece)| Edit::Put(at, piece)),
        (place(), place()).prop_map(|(a, b)| Edit::Twice(a, b)),
        (place(), any::<u8>()).prop_map(|(at, byte)| Edit::Byte(at, byte)),
    ]
}

fn apply(edit: &Edit, bytes: &mut Vec<u8>) {
    // Cuts are short, because long ones would leave too little to read.
    let range = |a: &Index, b: &Index| {
        let from = a.index(bytes.len() + 1);
        from..(from + b.index(8)).min(bytes.len())
    };
    match edit {
        Edit::Cut(a, b) => drop(bytes.drain(range(a, b))),
        Edit::Put(at, piece) => {
            let at = at.index(bytes.len() + 1);
            bytes.splice(at..at, piece.bytes());
        }
        Edit::Twice(a, b) => {
            let range = range(a, b);
            let piece = bytes[range.clone()].to_vec();
            bytes.splice(range.end..range.end, piece);
        }
        Edit::Byte(at, byte) => {
            let at = at.index(bytes.len() + 1);
            bytes.splice(at..at, [*byte]);
        }
    }
}

#[test]
fn each_document_is_right() {
    let server = Server::start().unwrap();
    let admin = Admin(Mutex::new(Wire::open(server.address())));
    for (method, path, document) in documents() {
        admin.send(method, path, document.as_bytes()).ok();
    }
}

/// The response to any document is JSON, and the server keeps running; an invalid document changes nothing.
#[test]
fn broken_documents_break_nothing_and_change_nothing() {
    let server = Server::start().unwrap();
    let admin = Admin(Mutex::new(Wire::open(server.address())));
    let documents = documents();
    let strategy = (prop::sample::select(documents), prop::collection::vec(edit(), 1..4));
    let outcomes = Mutex::new([0_u32; 2]);
    for_all(600, &strategy, |((method, path, document), edits)| {
        let settings = r#"{"seed": 3, "faults": ["qa:status=503"], "clock": "frozen"}"#;
        let before = timeless(&admin.send("PUT", "/sandboxes/a", settings.as_bytes()));
        let mut bytes = document.into_bytes();
        for edit in &edits {
            apply(edit, &mut bytes);
        }
        let answer = admin.send(method, path, &bytes);
        if answer.status == 200 {
            answer.json();
            outcomes.lock().unwrap()[0] += 1;
            return;
        }
        outcomes.lock().unwrap()[1] += 1;
        assert!((400..500).contains(&answer.status), "{answer:?}");
        let text = String::from_utf8_lossy(&bytes);
        for error in answer.errors() {
            assert!(!error["title"].as_str().unwrap().is_empty());
            let Some(detail) = error["detail"].as_str() else { continue };
            let mut place = detail.split(':').skip(1).map(|number| number.parse().unwrap());
            let (at_line, column): (usize, usize) = (place.next().unwrap(), place.next().unwrap());
            let line = text.split('\n').nth(at_line - 1).expect("a line of the body");
            assert!((1..=line.chars().count() + 1).contains(&column), "{error}");
            assert!(error["source"]["pointer"].is_string(), "{error}");
        }
        assert_eq!(timeless(&admin.send("GET", "/sandboxes/a", b"")), before, "{text}");
    });
    let [right, wrong] = outcomes.into_inner().unwrap();
    assert!(right > 20 && wrong > 200, "{right} right, {wrong} wrong: the edits are one-sided");
    get(&server, "app-demo", NEWEST).ok();
}

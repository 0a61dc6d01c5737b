//! `verify` against servers that answer valid HTTP, but nothing of the contract.

use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};

use gptbots_mock::Server;
use serde_json::json;

use crate::support::client::{NEWEST, get};
use crate::support::fixture::{self, agent, answer as reply, build, question};
use crate::verify::scripted::{
    Found, KEY, MOST, Scripted, answer, finds, handed_on, json, statement, troubles, verify,
};

/// This is valid JSON, but the number is too large for programs.
const LARGE: &str = "HTTP 200, JSON with a number of more than 64 bits";

/// Asserts that a server that always answers so is left after one request, and what is said of it.
#[track_caller]
fn is_left(bytes: impl Into<Vec<u8>>, says: &str) {
    let server = Scripted::sending(bytes);
    let found = finds(&server.url(), &[], says);
    assert_eq!(troubles(&found).len(), 1, "{}", found.stdout);
    assert_eq!((server.met(), &found.json["requests"]), (1, &json!(1)), "{}", found.stdout);
}

#[test]
fn json_of_other_shapes_is_reported() {
    for (body, shape) in [
        ("", "HTTP 200, an empty body"),
        ("null", "HTTP 200, null"),
        ("[]", "HTTP 200, an empty list"),
        ("\"x\"", "HTTP 200, a string"),
        ("7", "HTTP 200, an integer"),
        ("{}", "HTTP 200, {}"),
        ("{\"list\":1}", "{`list`: an integer}"),
        ("{\"list\":null}", "{`list`: null}"),
        ("{\"list\":[1,2]}", "{`list`: a list of 2, the first an integer}"),
        ("{\"list\":[null]}", "{`list`: a list of 1, the first null}"),
        ("{\"list\":{\"0\":{}}}", "{`list`: {a key of 1 characters: "),
        ("{\"code\":0,\"data\":{\"list\":[]}}", "{`code`: an integer, `data`: {`list`: "),
        ("{\"code\":\"40000\",\"message\":\"x\"}", "{`code`: a string, `message`: a string}"),
        ("{\"code\":1e999,\"message\":\"x\"}", "HTTP 200, "),
        ("{\"code\":99999999999999999999999999,\"message\":\"x\"}", LARGE),
        ("{\"list\":[]", "HTTP 200, 10 bytes that are not JSON"),
        ("{\"list\":[]}]", "HTTP 200, 12 bytes that are not JSON"),
        ("\u{feff}{\"list\":[]}", "HTTP 200, 14 bytes that are not JSON"),
    ] {
        is_left(json(body), shape);
    }
    is_left(json(b"{\"list\":[],\"x\":\"\xff\xfe\"}"), "bytes that are not JSON");
    is_left(answer("204 No Content", "application/json", ""), "HTTP 204, an empty body");
}

#[test]
fn deeply_nested_json_is_reported() {
    for deep in ["[", "{\"a\":", "{\"list\":["] {
        let whole = deep.repeat(100_000);
        is_left(json(&whole), "HTTP 200, JSON that is nested too deeply");
    }
    is_left(json("[".repeat(100) + &"]".repeat(100)), "a list of 1, the first a list of 1");
}

/// A refusal with this message, as JSON escapes it.
fn refusal(status: &str, code: i64, message: &str) -> Vec<u8> {
    let body = json!({ "code": code, "message": message }).to_string();
    answer(status, "application/json", body)
}

#[test]
fn same_refusal_for_everything_is_reported() {
    let refused = "401 Unauthorized";
    is_left(refusal(refused, 40127, "Authentication failed."), "the key is refused");
    is_left(refusal("200 OK", 40127, "Authentication failed."), "the key is refused");
    is_left(
        refusal("400 Bad Request", 20059, "Agent deleted"),
        "the key belongs to a deleted agent",
    );
    is_left(
        refusal("500 Internal Server Error", 50000, "Internal system error"),
        "a query for all records is refused: HTTP 500, code 50000, `Internal system error`",
    );
    is_left(
        refusal("400 Bad Request", -1, ""),
        "is refused: HTTP 400, code -1, an undocumented message of 0 characters",
    );
    let plain = answer("500 Internal Server Error", "text/plain", "oops");
    is_left(plain, "not the API: HTTP 500, text/plain, 4 bytes that are not JSON");
    is_left(answer("503 Gone Fishing", "text/plain", ""), "not the API: HTTP 503, an empty body");
    is_left(answer("999 What", "text/plain", ""), "not the API: HTTP 999, an empty body");
}

/// A terminal is shown none of what a server sends but plain text, and not much of it.
#[test]
fn messages_of_the_server_are_not_printed() {
    let message = "a\u{1b}[31mb\r\nserver: fine\u{7}\u{9b}2J\u{202e}\u{2028}\u{200b}c";
    let says = "code 1, an undocumented message of 29 characters";
    is_left(refusal("400 Bad Request", 1, message), says);
    let long = "x".repeat(1 << 20);
    is_left(refusal("400 Bad Request", 1, &long), "an undocumented message of 1048576 characters");
    let kind = "text/html\t; \u{1b}[31m";
    let raw = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n\r\n<p>");
    is_left(raw, "the response is not HTTP");
}

/// If a server repeats the key or a value of a record, the report does not contain it: `scripted::verify`
/// looks for the key in everything that is written.
#[test]
fn key_echoed_by_the_server_is_not_printed() {
    let message = |status: &str, text: &str| refusal(status, 1, text);
    is_left(
        message("400 Bad Request", &format!("no such key: {KEY}")),
        "an undocumented message of",
    );
    is_left(message("400 Bad Request", &KEY.to_uppercase()), "an undocumented message of");
    is_left(answer("404 Not Found", &format!("text/{KEY}"), "x"), "another Content-Type");
    is_left(
        format!("HTTP/1.1 302 Found\r\nLocation: http://{KEY}@x/\r\n\r\n"),
        "a redirect to another host",
    );
    is_left(json(format!("{{\"{KEY}\":1}}")), "a key of 11 characters");
}

/// Any text of a record in an error message, before and after the records were read.
#[test]
fn record_values_in_refusals_are_not_printed() {
    let emulator = Server::start().unwrap();
    let newest = get(&emulator, KEY, NEWEST).json();
    let row = newest["list"][0].clone();
    let told = ["user_id", "subject", "conversation_id"]
        .map(|name| row[name].as_str().unwrap().to_owned());
    let repeated = told.join(" ");
    let server = Scripted::new(move |stream, head| {
        let whole = if head.contains("page=0") || head.contains("/v1/messages?") {
            refusal("400 Bad Request", 40000, &format!("{head} {repeated}"))
        } else {
            handed_on(emulator.address(), head)?
        };
        std::io::Write::write_all(stream, &whole)
    });
    let found = verify(&server.url(), &[]);
    assert_eq!(found.code, 6);
    assert!(found.stdout.contains("an undocumented message of"), "{}", found.stdout);
    for value in told {
        assert!(!found.all.contains(&value), "{value}: {}", found.stdout);
    }
}

/// An emulator's answers, the list of everything changed by a closure.
fn with_list(change: impl Fn(String) -> String + Send + 'static) -> Scripted {
    let emulator = Server::start().unwrap();
    Scripted::new(move |stream, head| {
        let whole = handed_on(emulator.address(), head)?;
        let first = head.contains("page=1&page_size=100") && head.contains("conversation_type=ALL");
        let whole = if first {
            let text = String::from_utf8(whole).expect("an answer is UTF-8");
            json(change(text.split_once("\r\n\r\n").unwrap().1.to_owned()))
        } else {
            whole
        };
        std::io::Write::write_all(stream, &whole)
    })
}

/// Wrong rows are reported key by key.
#[test]
fn rows_of_other_shapes_are_reported() {
    // The replacement of a key and its colon, and the statement that reports it.
    for (key, instead, statement_of, came) in [
        ("user_id", "\"usr_id\":", "row.user_id", "absent"),
        ("user_id", "\"usr_id\":", "keys", "a row also has `usr_id`"),
        ("user_id", "\"user_id\":\"\",\"user_id\":", "keys", "or duplicated"),
        ("message_count", "\"message_count\":\"x\",\"x\":", "row.message_count", "a string"),
        ("message_count", "\"message_count\":0.5,\"x\":", "row.message_count", "a float"),
        ("cost_credit", "\"cost_credit\":\"1\",\"x\":", "row.cost_credit", "a string"),
        ("conversation_type", "\"conversation_type\":null,\"x\":", "row.conversation_type", "null"),
        ("conversation_id", "\"conversation_id\":{},\"x\":", "row.conversation_id", "{}"),
        ("total", "\"total\":-1,\"x\":", "total", "counts neither"),
        ("total", "\"total\":[],\"x\":", "total", "counts neither all matches nor this page"),
    ] {
        let server = with_list(move |list| list.replace(&format!("\"{key}\":"), instead));
        // The list is what is asked for first.
        let found = verify(&server.url(), &[("GPTBOTS_MOCK_MAX_REQUESTS", "3")]);
        assert_eq!(found.code, 6, "{instead}: {}", found.stdout);
        let (became, text) = statement(&found, &format!("conversations.{statement_of}"));
        let right = became == "differs" && text.contains(came);
        assert!(right, "{instead}: {statement_of} {became} {text}");
    }
    let large = "\"recent_chat_time\":9223372036854775808,\"x\":";
    let server = with_list(move |list| list.replace("\"recent_chat_time\":", large));
    finds(&server.url(), &[], LARGE);
}

/// Keys that are another endpoint's are keys too many, and nothing else.
#[test]
fn rows_with_keys_of_another_endpoint_are_reported() {
    for more in [
        r#""id":"x""#,
        r#""message_id":"x""#,
        r#""role":"user","feedback":"POSITIVE""#,
        r#""q_time":1,"convo_type":"ALL","content":[]"#,
    ] {
        let server = with_list(move |list| list.replace("{\"conv", &format!("{{{more},\"conv")));
        let found = verify(&server.url(), &[("GPTBOTS_MOCK_MAX_REQUESTS", "3")]);
        assert_eq!(found.code, 6, "{more}: {}", found.stdout);
        let (became, came) = statement(&found, "conversations.keys");
        assert!(became == "differs" && came.contains("a row also has "), "{more}: {came}");
        assert_eq!(found.json["differs"], 1, "{more}: {}", found.stdout);
    }
}

#[test]
fn empty_rows_are_reported() {
    let server = with_list(|_| r#"{"list":[{},{},{}],"total":3}"#.to_owned());
    let found = verify(&server.url(), &[]);
    assert_eq!(found.code, 6);
    assert_eq!(statement(&found, "conversations.keys").0, "differs");
    assert_eq!(statement(&found, "messages.order").0, "not tried");
}

/// A server that names no `Retry-After` of use is left as well, without waiting for ever.
#[test]
fn endless_429_is_given_up() {
    let body = json!({ "code": 40008, "message": "x" }).to_string();
    let head = "HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json\r\n";
    let server = Scripted::sending(format!(
        "{head}Retry-After: 0\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ));
    let found =
        finds(&server.url(), &[], "4 responses in a row were HTTP 429; try a lower --per-minute");
    assert_eq!((server.met(), &found.json["requests"]), (4, &json!(4)));
    let (became, came) = statement(&found, "everywhere.40008");
    assert_eq!(
        (became, came),
        ("differs", "HTTP 429, code 40008, an undocumented message of 1 characters")
    );
}

#[test]
fn two_429_are_waited_for() {
    let emulator = Server::start().unwrap();
    let limited = "{\"code\":40008,\"message\":\"Agent RPM request limit exceeded. \
                   Please contact the service provider to increase the limit.\"}";
    let limited = format!(
        "HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json\r\nRetry-After: 0\r\n\
         Content-Length: {}\r\n\r\n{limited}",
        limited.len()
    );
    let mut number = 0;
    let server = Scripted::new(move |stream, head| {
        number += 1;
        let whole = if matches!(number, 2 | 3) {
            limited.clone().into_bytes()
        } else {
            handed_on(emulator.address(), head)?
        };
        std::io::Write::write_all(stream, &whole)
    });
    let found = verify(&server.url(), &[]);
    assert_eq!(found.code, 0, "{}", found.stdout);
    assert_eq!(statement(&found, "everywhere.40008"), ("holds", ""));
    assert_eq!(found.json["requests"], server.met());
}

/// Requests that are sent again are requests, too.
#[test]
fn tries_count_as_requests() {
    let emulator = Server::start().unwrap();
    let mut number = 0;
    let server = Scripted::new(move |stream, head| {
        number += 1;
        let limited = b"HTTP/1.1 429 Slow Down\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n";
        let whole = match number % 2 {
            0 => handed_on(emulator.address(), head)?,
            _ => limited.to_vec(),
        };
        std::io::Write::write_all(stream, &whole)
    });
    let found = verify(&server.url(), &[]);
    assert_eq!((found.code, server.met()), (0, MOST), "{}", found.stdout);
    let (became, came) = statement(&found, "everywhere.40008");
    assert_eq!((became, came), ("not tried", "the 429 response was not in the format of the API"));
    assert!(found.stdout.contains("the limit of 120 requests was reached"), "{}", found.stdout);
}

/// The same valid response to everything: request by request, statements differ.
#[test]
fn same_page_for_everything_is_reported() {
    let emulator = Server::start().unwrap();
    let page = get(&emulator, KEY, NEWEST).body;
    let server = Scripted::sending(json(page));
    let found = verify(&server.url(), &[]);
    assert_eq!((found.code, troubles(&found).len()), (6, 0), "{}", found.stdout);
    assert_eq!(statement(&found, "everywhere.unknown-path").0, "differs");
}

/// An agent that is used while it is verified: records that are added after the first response make no
/// difference, whether a conversation begins or the newest one continues.
#[test]
fn records_arriving_during_the_run_make_no_difference() {
    let talk = |number: i64, questions: i64| {
        let time = 1_760_000_000_000 + number * 4_000_000;
        let id = |what: &str, place: i64| format!("{what}{number}-{place}");
        let pair = |place: i64| {
            let time = time + place * 60_000;
            [question(&id("q", place), time), reply(&id("a", place), time + 5000)]
        };
        let messages: Vec<_> = (0..questions).flat_map(pair).collect();
        fixture::talk(&format!("c{number}"), &messages)
    };
    let before: Vec<_> = (0..12).map(|number| talk(number, 1)).collect();
    let begun = [&before[..], &[talk(12, 1)]].concat();
    let gone_on = [&before[..11], &[talk(11, 3)]].concat();
    for after in [begun, gone_on] {
        let serve = |talks: &[_]| build(&[agent(KEY, talks)]).start().unwrap();
        let (before, after) = (serve(&before), serve(&after));
        let is_first = AtomicBool::new(true);
        let server = Scripted::new(move |stream, head| {
            let of = if is_first.swap(false, Ordering::Relaxed) { &before } else { &after };
            std::io::Write::write_all(stream, &handed_on(of.address(), head)?)
        });
        let found = verify(&server.url(), &[]);
        assert_eq!(found.code, 0, "{}", found.stdout);
        assert_eq!(statement(&found, "conversations.total").0, "holds");
    }
}

/// The notes of a run.
fn notes(found: &Found) -> Vec<&str> {
    found.json["notes"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect()
}

/// An emoji that was cut in two, as Python and Node send it: everything is tried all the same.
#[test]
fn half_a_surrogate_pair_is_noted() {
    let asked = fixture::with(question("q", 1_760_000_000_000), "text", "Hi 🎉!");
    let talk = fixture::talk("c", &[asked, reply("a", 1_760_000_003_000)]);
    let emulator = build(&[agent(KEY, &[talk])]).start().unwrap();
    let plain = verify(emulator.url(), &[]);
    assert_eq!((plain.code, notes(&plain).len()), (0, 0), "{}", plain.stdout);
    let server = Scripted::new(move |stream, head| {
        // The answer to HEAD has the length of the one to GET.
        let whole = handed_on(emulator.address(), &head.replacen("HEAD", "GET", 1))?;
        let is_head = head.starts_with("HEAD");
        let text = String::from_utf8(whole).expect("an answer is UTF-8");
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let body = body.replace('🎉', r"\ud83d");
        let lines = head.lines().filter(|line| !line.starts_with("content-length"));
        let head = lines.collect::<Vec<_>>().join("\r\n");
        write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n", body.len())?;
        if is_head { Ok(()) } else { stream.write_all(body.as_bytes()) }
    });
    let found = verify(&server.url(), &[]);
    assert_eq!(found.code, 0, "{}", found.stdout);
    assert_eq!(found.json["statements"], plain.json["statements"]);
    assert_eq!(statement(&found, "everywhere.compact").0, "holds");
    let [note] = &*notes(&found) else { panic!("{}", found.stdout) };
    assert!(note.contains(" responses contained half of a surrogate pair"), "{note}");
    assert!(found.stdout.contains(&format!("\nnote: {note}\n")), "{}", found.stdout);
}

/// A page of a real service, in which two subjects have half an emoji.
#[test]
fn a_page_with_half_a_surrogate_pair_is_a_page() {
    let server = Scripted::sending(json(include_str!("page-lone-surrogate.json")));
    let found = verify(&server.url(), &[("GPTBOTS_MOCK_MAX_REQUESTS", "1")]);
    assert_eq!(troubles(&found), [""; 0], "{}", found.stdout);
    assert_eq!(statement(&found, "conversations.row.subject").0, "holds");
    assert!(notes(&found)[0].starts_with("1 response contained half of "), "{}", found.stdout);
}

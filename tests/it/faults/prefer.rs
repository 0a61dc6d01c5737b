//! The `Prefer` header (RFC 7240): a fault on one request, and the repetition of an earlier fault.

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::Request;
use gptbots_mock::{Server, Unserved};
use proptest::prelude::{Strategy, any, prop, prop_oneof};

use crate::support::cases::for_all;
use crate::support::client::{Answer, get, request};
use crate::support::faults::{
    KEY, LIST, MESSAGES, MESSAGES_V2, QA, asking, asks, builder, drain, exchange, prefer, server,
    take_apart,
};
use crate::support::wire::Wire;

fn plain() -> Server {
    Server::start().unwrap()
}

#[test]
fn a_code_is_answered_in_the_words_of_the_endpoint() {
    let server = plain();
    let answer = prefer(&server, "code=40356", MESSAGES);
    answer.refused(400, 40356, "Conversation does not exist.", "fault prefer.code-40356");
    let answer = prefer(&server, "code=40356", MESSAGES_V2);
    answer.refused(400, 40356, "Conversation does not exist", "fault prefer.code-40356");
    assert_eq!(answer.header("preference-applied"), Some("code=40356"));
}

#[test]
fn a_status_is_answered_with_json() {
    let answer = prefer(&plain(), "status=503", LIST);
    assert_eq!(answer.status, 503);
    assert_eq!(answer.body, r#"{"code":503,"message":"Service Unavailable"}"#);
    assert_eq!(answer.header("preference-applied"), Some("status=503"));
    assert_eq!(answer.header("x-mock-fault"), Some("prefer.status-503.conversations.1"));
}

#[test]
fn a_delay_is_waited_before_the_true_answer() {
    let begun = Instant::now();
    let answer = prefer(&plain(), "delay=80", LIST);
    assert!(begun.elapsed() >= Duration::from_millis(80));
    assert_eq!(answer.ok().rows("list").len(), 1);
    assert_eq!(answer.header("preference-applied"), Some("delay=80"));
}

#[test]
fn several_preferences_apply_together() {
    let begun = Instant::now();
    let answer = prefer(&plain(), "delay=60, code=50000", LIST);
    assert!(begun.elapsed() >= Duration::from_millis(60));
    assert_eq!(answer.status, 500);
    assert_eq!(answer.header("preference-applied"), Some("code=50000, delay=60"));
    let id = answer.header("x-mock-fault");
    assert_eq!(id, Some("prefer.code-50000.delay-60.conversations.1"));
}

#[test]
fn retry_after_is_asked_for_beside_a_status() {
    for line in ["status=503, retry_after=5", "retry_after=5, status=503"] {
        let answer = prefer(&plain(), line, LIST);
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("5")), "{line}");
        let applied = answer.header("preference-applied");
        assert_eq!(applied, Some("status=503, retry_after=5"));
    }
}

#[test]
fn requested_429_has_retry_after() {
    for line in ["status=429", "code=40008"] {
        let answer = prefer(&plain(), line, LIST);
        assert_eq!((answer.status, answer.header("retry-after")), (429, Some("1")), "{line}");
    }
}

/// RFC 9110: a list may be split into several headers of the same name.
#[test]
fn preferences_may_stand_in_several_headers() {
    let headers = [("Prefer", "respond-async"), ("prefer", "delay=1"), ("PREFER", "status=500")];
    let answer = request(&plain(), "GET", LIST, &headers);
    assert_eq!(answer.header("preference-applied"), Some("status=500, delay=1"));
}

#[test]
fn preference_applies_before_the_key_check() {
    assert_eq!(request(&plain(), "GET", LIST, &[("Prefer", "status=503")]).status, 503);
}

#[test]
fn preference_does_not_apply_to_404_and_405() {
    let server = plain();
    let nowhere = prefer(&server, "status=503", "/v1/message");
    let other = request(&server, "POST", LIST, &[("Prefer", "status=503")]);
    assert_eq!([nowhere.status, other.status], [404, 405]);
    assert_eq!(nowhere.header("preference-applied"), None);
}

#[test]
fn request_with_a_preference_gets_no_other_fault() {
    let server = server(&["status=500,times=1"]);
    prefer(&server, "delay=1", LIST).ok();
    // The fault of the sandbox has not counted the request, but the operation has.
    let answer = get(&server, KEY, LIST);
    assert_eq!(answer.header("x-mock-fault"), Some("fault-1.conversations.2"));
}

#[test]
fn unknown_preference_changes_nothing() {
    let server = plain();
    let with = prefer(&server, "respond-async, wait=10, handling=lenient", LIST);
    assert_eq!(with.ok().body, get(&server, KEY, LIST).body);
    assert_eq!(with.header("preference-applied"), None);
}

/// Unknown preferences have no effect.
#[test]
fn unknown_preference_does_not_disable_faults() {
    assert_eq!(prefer(&server(&["status=500"]), "return=minimal", LIST).status, 500);
}

/// Asserts the original response, and the reason why the preference was ignored.
#[track_caller]
fn ignored(preferences: &str, target: &str, reason: &str) {
    let answer = prefer(&plain(), preferences, target);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("preference-applied"), None);
    assert_eq!(answer.header("x-mock-fault"), None);
    let why = answer.header("x-mock-reason").unwrap_or_default();
    assert!(why.starts_with("Prefer ignored: ") && why.contains(reason), "{why}");
}

#[test]
fn impossible_preference_is_ignored_with_a_reason() {
    ignored("code=1", LIST, "code: there is no code \"1\" (one of 40000, ");
    ignored("code=503", LIST, "write status=503");
    ignored("code=40356", QA, "code: qa never returns code 40356; its codes are 40000, ");
    ignored("status=199", LIST, "status must be 200 to 599, got 199");
    ignored("status", LIST, "status must be 200 to 599, got \"\"");
    ignored("delay=600001", LIST, "delay must be at most 600000 ms");
    ignored("delay=1..2", LIST, ": delay must be a whole number of milliseconds");
    ignored("delay=\"é\"", LIST, ": delay must be a whole number of milliseconds");
}

#[test]
fn possible_preference_applies_beside_an_impossible_one() {
    let answer = prefer(&plain(), "code=1, status=500", LIST);
    assert_eq!((answer.status, answer.header("preference-applied")), (500, Some("status=500")));
    assert!(answer.header("x-mock-reason").unwrap().contains("code: there is no code \"1\""));
}

/// The reason of a refusal comes first, and the ignored preference after it.
#[test]
fn refused_request_keeps_its_reason() {
    let server = plain();
    let answer = request(&server, "GET", LIST, &[("Prefer", "code=1")]);
    let why = answer.header("x-mock-reason").unwrap();
    assert!(!why.starts_with("Prefer") && why.contains("; Prefer ignored: code"), "{why}");
}

/// The id of the fault in a response.
#[track_caller]
fn struck(answer: &Answer) -> String {
    answer.header("x-mock-fault").unwrap_or_else(|| panic!("not struck: {answer:?}")).to_owned()
}

#[test]
fn fault_id_repeats_the_fault() {
    let server = server(&["id=third,status=503,every=3"]);
    let all: Vec<_> = (0..3).map(|_| get(&server, KEY, LIST)).collect();
    let id = struck(&all[2]);
    for _ in 0..2 {
        let again = prefer(&server, &format!("fault={id}"), LIST);
        assert_eq!((again.status, struck(&again)), (503, id.clone()));
        assert_eq!(again.header("preference-applied"), Some(&*format!("fault={id}")));
        assert_eq!(again.body, all[2].body);
    }
}

#[test]
fn id_of_a_requested_fault_repeats_it_in_any_sandbox() {
    let server = plain();
    let id = struck(&prefer(&server, "code=40000, delay=1", MESSAGES));
    let again = prefer(&server, &format!("fault={id}"), &format!("/s/else{MESSAGES}"));
    again.refused(400, 40000, "Invalid parameter.", &id);
}

#[test]
fn repeated_garbage_has_the_same_bytes() {
    let server = server(&["body=garbage"]);
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(exchange(server.address(), LIST, ""));
    }
    let (head, bytes) = &seen[1];
    let prefer = format!("Prefer: fault={}\r\n", struck(head));
    assert_eq!(exchange(server.address(), LIST, &prefer).1, *bytes);
}

/// No header shows a delay, so the test measures some delays and repeats the longest and the shortest. The seed
/// is fixed, so their difference is fixed, too: more than a quarter of a second.
#[test]
fn repeated_random_delay_has_the_same_length() {
    let server = server(&["delay=0..400"]);
    let took = |preferences: &str| {
        let begun = Instant::now();
        let answer = prefer(&server, preferences, LIST);
        (begun.elapsed(), struck(&answer))
    };
    // `wait` is not a preference of the emulator.
    let mut first: Vec<_> = (0..6).map(|_| took("wait=1")).collect();
    first.sort_unstable();
    let again = |id: &str| took(&format!("fault={id}")).0;
    let (short, long) = (again(&first[0].1), again(&first[5].1));
    assert!(long > short + Duration::from_millis(100), "{short:?} {long:?}; at first {first:?}");
}

#[test]
fn repeated_fault_does_not_count() {
    let server = server(&["id=once,status=503,times=1"]);
    let id = struck(&get(&server, KEY, LIST));
    prefer(&server, &format!("fault={id}"), LIST);
    get(&server, KEY, LIST).ok();
}

#[test]
fn unknown_fault_id_is_ignored_with_a_reason() {
    ignored("fault=fault-1.conversations.1", LIST, "this sandbox has no such fault");
    ignored(
        "fault=prefer.code-50000.qa.1",
        LIST,
        "it was applied to qa, but this request is for conversations",
    );
    for wrong in ["fault", "fault=x", "fault=x.y.z", "fault=prefer.drip-1.conversations.1"] {
        ignored(wrong, LIST, "fault: its value is not an id from x-mock-fault");
    }
    ignored("fault=x, delay=1", LIST, "delay: fault cannot be combined with other preferences");
}

#[test]
fn fault_id_repeats_a_truncated_body() {
    let server = server(&["id=half,body=truncated,times=1"]);
    let mut first = Wire::open(server.address());
    first.send(asks("GET", LIST, ""));
    let id = struck(&first.head());
    let again = format!("Prefer: fault={id}\r\n");
    let (bytes, _) = drain(&mut asking(server.address(), &again));
    let (head, body) = take_apart(&bytes);
    assert_eq!(struck(&head), id);
    assert!(head.header("content-length").unwrap().parse::<usize>().unwrap() > body.len());
}

/// Values of `Prefer`: our words, mixed with any bytes that a header can contain.
fn preferences() -> impl Strategy<Value = Vec<u8>> {
    let words = [
        "code",
        "status",
        "delay",
        "retry_after",
        "fault",
        "=",
        "==",
        ",",
        ";",
        "\"",
        "\\",
        " ",
        "\t",
        "40000",
        "503",
        "0",
        "-1",
        "+5",
        "prefer.",
        "code-40000",
        ".status-200",
        ".delay-1",
        ".retry_after-1",
        "once",
        ".conversations",
        ".qa",
        ".1",
        ".18446744073709551615",
        "99999999999999999999",
        "..",
        "lognormal:1:1",
    ];
    let word = prop::sample::select(words.to_vec()).prop_map(|word| word.as_bytes().to_vec());
    let byte = any::<u8>()
        .prop_filter("no header has it", |byte| *byte == b'\t' || (*byte >= 0x20 && *byte != 0x7f));
    let bytes = prop::collection::vec(byte, 1..6);
    let long = (0..2000_usize).prop_map(|length| vec![b'0'; length]);
    let part = prop_oneof![8 => word, 2 => bytes, 1 => long];
    prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

/// The headers of the response to a request with these preferences.
fn headers(app: &Unserved, preferences: &[u8]) -> Vec<(String, Vec<u8>)> {
    let request = Request::get(LIST)
        .header("authorization", "Bearer app-demo")
        .header("prefer", preferences)
        .body(Body::empty())
        .unwrap();
    let response = crate::api::allocations::ready(app.answer(request));
    assert!(response.status().as_u16() >= 200);
    let header = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
        (name.to_string(), value.as_bytes().to_vec())
    };
    response.headers().iter().map(header).collect()
}

#[test]
fn whatever_is_asked_for_every_header_of_the_answer_is_visible_ascii() {
    let app = builder(&["id=once,body=garbage,delay=lognormal:1:1,times=1"]).unserved().unwrap();
    for_all(2000, &preferences(), |preferences| {
        for (name, value) in headers(&app, &preferences) {
            let visible = value.iter().all(|byte| (0x20..0x7f).contains(byte));
            assert!(visible, "{name}: {}", value.escape_ascii());
        }
    });
}

/// A request that repeats a fault by its id gets the same id again.
#[test]
fn every_fault_id_in_an_answer_can_be_repeated() {
    let app = builder(&[]).unserved().unwrap();
    let named = |preferences: &[u8]| {
        let id = headers(&app, preferences).into_iter().find(|(name, _)| name == "x-mock-fault");
        id.map(|(_, id)| id)
    };
    for_all(2000, &preferences(), |preferences| {
        if let Some(id) = named(&preferences) {
            assert_eq!(named(&[&b"fault="[..], &id].concat()), Some(id));
        }
    });
}

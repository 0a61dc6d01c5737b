//! Broken fixtures by the thousand: nothing panics; what is refused is refused at a place in the
//! text, and what loads is served without contradiction.

use std::collections::HashSet;

use gptbots_mock::{Server, StartError};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use crate::client::get;

/// Everything that a fixture can hold, on many lines.
pub(crate) fn good() -> Value {
    json!({"$schema": "fixture.schema.json", "agents": [
        {"name": "one", "bot_id": "b1", "keys": ["k1", "k2"], "deleted": false, "conversations": [
            {"conversation_id": "c1", "user_id": "anna", "anonymous_id": "x", "gap": 2.5,
             "conversation_type": "SLACK", "subject": "é 你好 \u{1f44b}\n", "cost_credit": 0.25,
             "bot_id": "b1", "message_count": 3, "recent_chat_time": 9000, "messages": [
                {"message_id": "m1", "parent_message_id": "", "message_type": "ANSWER",
                 "text": "Welcome", "create_time": 1000},
                {"message_id": "m2", "parent_message_id": "m1", "message_type": "QUESTION",
                 "text": "2+3=?", "create_time": 3000, "qa_id": "p1"},
                {"message_id": "m3", "parent_message_id": "m2", "message_type": "ANSWER",
                 "text": "5", "create_time": 9000, "feedback": "GOOD"}]},
            // Nothing here is said twice, so that many an edit makes another right fixture.
            {"conversation_id": "c2", "messages": [
                {"message_id": "m4", "message_type": "QUESTION", "text": "1", "qa_id": "p2"},
                {"message_type": "ANSWER", "text": "2", "create_time": 5000},
                {"message_id": "m6", "message_type": "ANSWER", "text": "3", "create_time": 6000},
                {"a": "Hi!"}, {"q": "1", "a": "2", "feedback": "BAD", "create_time": 20_000}]},
            {"recent_chat_time": "2025-10-20T09:00:00Z"}]},
        {"name": "two", "conversations": [
            {"start": "2025-10-20T09:00:00Z", "messages": [{"q": "3", "gap": 5}]},
            {"user_id": "anna", "conversation_type": "API", "messages": []}]},
    ]})
}

/// What became of a fixture: whether it loaded.
fn judge(text: &str) -> Result<bool, TestCaseError> {
    match Server::builder().fixture(text).start() {
        Ok(server) => {
            consistent(&server, text)?;
            Ok(true)
        }
        Err(StartError::Fixture(error)) => {
            prop_assert!(!error.problems().is_empty());
            let mut before = (1, 0);
            for problem in error.problems() {
                let place = (problem.line, problem.column);
                prop_assert!(place >= before, "not by place: {}", error);
                before = place;
                // A document ends in a line of its own, if only for the mark behind its end.
                let line = text.split('\n').nth(problem.line - 1);
                prop_assert!(line.is_some(), "no such line: {}", problem);
                let characters = line.unwrap_or_default().chars().count();
                let columns = 1..=characters + 1;
                prop_assert!(columns.contains(&problem.column), "no such column: {}", problem);
                prop_assert!(!problem.message.is_empty());
                prop_assert!(problem.to_string().contains('^'), "no mark: {}", problem);
            }
            Ok(false)
        }
        Err(error) => Err(TestCaseError::fail(error.to_string())),
    }
}

const ALWAYS: &str = "start_time=-9223372036854775808&end_time=9223372036854775807";

/// Every answer about the first agent that can be called agrees with every other.
fn consistent(server: &Server, text: &str) -> Result<(), TestCaseError> {
    let key = server.api_key();
    let path = "/v1/bot/conversation/page?conversation_type=ALL";
    let list = get(server, key, &format!("{path}&{ALWAYS}&page=1&page_size=100"));
    if list.status != 200 {
        // No agent, no key, or a deleted agent.
        prop_assert!(list.status == 401 || list.body.contains("deleted"), "{:?}", list);
        return Ok(());
    }
    let (mut ids, mut message_ids) = (HashSet::new(), HashSet::new());
    let rows = list.rows("list");
    prop_assert_eq!(&list.json()["total"], rows.len());
    let times: Vec<_> = rows.iter().map(|row| row["recent_chat_time"].as_i64()).collect();
    prop_assert!(times.is_sorted_by(|a, b| a >= b), "{:?}", times);
    let mut pairs = 0;
    for row in &rows {
        let id = row["conversation_id"].as_str().unwrap();
        prop_assert!(!id.is_empty() && ids.insert(id.to_owned()), "{:?} in {}", row, text);
        prop_assert_ne!(&row["conversation_type"], "ALL");
        let id =
            percent_encoding::percent_encode(id.as_bytes(), percent_encoding::NON_ALPHANUMERIC);
        let target = format!("/v1/messages?conversation_id={id}&page=1&page_size=100");
        let answer = get(server, key, &target);
        prop_assert_eq!(&answer.json()["total"], &row["message_count"]);
        let messages = answer.rows("messages");
        prop_assert_eq!(messages.len() as u64, row["message_count"].as_u64().unwrap());
        let (mut parent, mut time) = (json!(""), i64::MIN);
        for message in &messages {
            let id = message["message_id"].as_str().unwrap();
            prop_assert!(!id.is_empty() && message_ids.insert(id.to_owned()), "{:?}", message);
            prop_assert_eq!(&message["parent_message_id"], &parent);
            let created = message["create_time"].as_i64().unwrap();
            prop_assert!(created >= time, "times fall: {:?}", messages);
            (parent, time) = (message["message_id"].clone(), created);
        }
        if let Some(last) = messages.last() {
            prop_assert_eq!(&last["create_time"], &row["recent_chat_time"]);
        }
        pairs += messages.windows(2).filter(|m| is_pair(&m[0], &m[1])).count();
    }
    let path = "/v1/message/qa/record/page?user_feedback=ALL";
    let qa = get(server, key, &format!("{path}&{ALWAYS}&page=1&page_size=100")).rows("qa");
    prop_assert_eq!(qa.len(), pairs);
    let distinct: HashSet<_> = qa.iter().map(|pair| pair["id"].to_string()).collect();
    prop_assert_eq!(distinct.len(), pairs);
    Ok(())
}

fn is_pair(one: &Value, next: &Value) -> bool {
    one["message_type"] == "QUESTION" && next["message_type"] == "ANSWER"
}

/// An edit of the bytes of a text.
#[derive(Clone, Debug)]
pub(crate) enum Edit {
    Delete(Index, usize),
    Insert(Index, String),
    Swap(Index, Index),
    Truncate(Index),
}

pub(crate) fn edits() -> impl Strategy<Value = Edit> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "\"", "{", "}", "[", "]", ",", ":", "\\", "\\u00", "\\ud800", "\n", "\r", "\t", "\0",
            "0", "-", "1e999", "null", "true", "你", "\u{feff}", "\u{200d}", "\"q\":", "//",
        ])
        .prop_map(str::to_owned),
        any::<char>().prop_map(String::from),
    ];
    prop_oneof![
        (any::<Index>(), 1..6_usize).prop_map(|(at, length)| Edit::Delete(at, length)),
        (any::<Index>(), piece).prop_map(|(at, text)| Edit::Insert(at, text)),
        (any::<Index>(), any::<Index>()).prop_map(|(one, other)| Edit::Swap(one, other)),
        any::<Index>().prop_map(Edit::Truncate),
    ]
}

pub(crate) fn apply(text: &str, edit: &Edit) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    match edit {
        _ if chars.is_empty() => {}
        Edit::Delete(at, length) => {
            let at = at.index(chars.len());
            chars.drain(at..(at + length).min(chars.len()));
        }
        Edit::Insert(at, text) => {
            let at = at.index(chars.len());
            chars.splice(at..at, text.chars());
        }
        Edit::Truncate(at) => chars.truncate(at.index(chars.len())),
        Edit::Swap(one, other) => {
            let mut lines: Vec<&str> = text.split('\n').collect();
            let (one, other) = (one.index(lines.len()), other.index(lines.len()));
            lines.swap(one, other);
            return lines.join("\n");
        }
    }
    chars.into_iter().collect()
}

/// Values that stand where others belong.
fn others() -> Vec<Value> {
    vec![
        json!(null),
        json!(true),
        json!(-1),
        json!(0),
        json!(2.5),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(""),
        json!("m1"),
        json!("k1"),
        json!("ALL"),
        json!("API"),
        json!("QUESTION"),
        json!("GOOD"),
        json!("1970-01-01T00:00:09Z"),
        json!([]),
        json!({}),
        json!([{}]),
        json!({"q": "1", "a": "2"}),
    ]
}

/// The way to every value within a value.
fn ways(value: &Value, way: &str, all: &mut Vec<String>) {
    let mut below = |step: &str, value: &Value| {
        let way = format!("{way}/{step}");
        ways(value, &way, all);
        all.push(way);
    };
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| below(key, value)),
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(at, value)| below(&at.to_string(), value));
        }
        _ => {}
    }
}

/// Changes one value, key or element: any of them alike.
fn restructure(root: &mut Value, [which, how, what]: [Index; 3]) {
    let mut all = Vec::new();
    ways(root, "", &mut all);
    let Some(way) = all.get(which.index(all.len().max(1))) else { return };
    let (parent, step) = way.rsplit_once('/').unwrap();
    let other = others()[what.index(others().len())].clone();
    match (root.pointer_mut(parent).unwrap(), how.index(4)) {
        (Value::Object(map), 0) => drop(map.remove(step)),
        (Value::Object(map), 1) => drop(map.insert(step.to_uppercase(), other)),
        (Value::Array(list), 0) => drop(list.remove(step.parse().unwrap())),
        (Value::Array(list), 1) => {
            let at = what.index(list.len() + 1);
            list.insert(at, list[step.parse::<usize>().unwrap()].clone());
        }
        (Value::Array(list), 2) => {
            let at = what.index(list.len());
            list.swap(at, step.parse().unwrap());
        }
        _ => *root.pointer_mut(way).unwrap() = other,
    }
}

/// Deep and long values, with the fixture's words in them now and then.
fn anything() -> impl Strategy<Value = Value> {
    let word =
        prop::sample::select(vec!["agents", "name", "conversations", "messages", "q", "gap"]);
    let leaf = prop_oneof![
        prop::sample::select(others()),
        any::<f64>().prop_map(Value::from),
        ".{0,200}".prop_map(Value::from),
    ];
    leaf.prop_recursive(12, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map(word.clone().prop_map(str::to_owned), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

pub(crate) fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

#[test]
fn what_is_edited_is_right_before() {
    assert!(judge(&good().to_string()).unwrap());
}

proptest! {
    #![proptest_config(cases(600))]

    #[test]
    fn an_edited_text_loads_right_or_is_refused_at_a_place(
        edits in prop::collection::vec(edits(), 1..4),
    ) {
        let text = serde_json::to_string_pretty(&good()).unwrap();
        judge(&edits.iter().fold(text, |text, edit| apply(&text, edit)))?;
    }

    #[test]
    fn an_edited_structure_loads_right_or_is_refused_at_a_place(
        edits in prop::collection::vec(any::<[Index; 3]>(), 1..3),
        pretty: bool,
    ) {
        let mut value = good();
        for edit in edits {
            restructure(&mut value, edit);
        }
        judge(&if pretty { format!("{value:#}") } else { value.to_string() })?;
    }

    #[test]
    fn any_text_is_refused_at_a_place(text in ".{0,300}") {
        prop_assert!(!judge(&text)?);
    }

    #[test]
    fn any_value_is_judged(value in anything()) {
        judge(&value.to_string())?;
        judge(&json!({"agents": [{"name": "x", "conversations": [{"messages": [value]}]}]}).to_string())?;
    }
}

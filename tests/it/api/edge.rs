//! `fixtures/edge.json`, the records that clients fail on: a walk over every endpoint, with small
//! and large pages, gives each record exactly once, in order, and as the file has it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use gptbots_mock::Server;
use gptbots_mock::contract::{AnonymousId, CONVERSATION_TYPES, Feedback, QaTime};
use serde_json::Value;

use crate::support::client::{get, walk};
use crate::support::walk::encode;

const EDGE: &str = include_str!("../../../fixtures/edge.json");

const KEY: &str = "app-edge";

/// Every time there is: the file has the first and the last.
const ALWAYS: &str = "start_time=-9223372036854775808&end_time=9223372036854775807";

/// The emulator with the file. Full milliseconds, so that the order of Q&A can be seen.
fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let builder = Server::builder().fixture(EDGE).reading(QaTime::Milliseconds);
        builder.reading(AnonymousId::Present).start().unwrap()
    })
}

/// A message as it was written.
#[derive(Clone, Debug, PartialEq)]
struct Written {
    message_type: &'static str,
    text: String,
    feedback: String,
}

/// The conversations of the first agent, as they are written.
fn conversations() -> Vec<Value> {
    let mut edge: Value = serde_json::from_str(EDGE).unwrap();
    serde_json::from_value(edge["agents"][0]["conversations"].take()).unwrap()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no string")).to_owned()
}

/// The messages of a conversation in either form, one by one.
fn written(conversation: &Value) -> Vec<Written> {
    let mut all = Vec::new();
    for entry in conversation["messages"].as_array().into_iter().flatten() {
        let rated = entry["feedback"].as_str().unwrap_or("NONE");
        let mut push = |message_type, text: &Value, feedback: &str| {
            let (text, feedback) = (self::text(text), feedback.to_owned());
            all.push(Written { message_type, text, feedback });
        };
        match entry["message_type"].as_str() {
            Some("QUESTION") => push("QUESTION", &entry["text"], "NONE"),
            Some(_) => push("ANSWER", &entry["text"], rated),
            None => {
                if entry["q"].is_string() {
                    push("QUESTION", &entry["q"], "NONE");
                }
                if entry["a"].is_string() {
                    push("ANSWER", &entry["a"], rated);
                }
            }
        }
    }
    all
}

fn list(filter: &str, page_size: usize) -> Vec<Value> {
    let query = format!("/v1/bot/conversation/page?{ALWAYS}&{filter}");
    walk(server(), KEY, &query, "list", page_size)
}

fn qa(feedback: &str, page_size: usize) -> Vec<Value> {
    let query = format!("/v1/message/qa/record/page?{ALWAYS}&user_feedback={feedback}");
    walk(server(), KEY, &query, "qa", page_size)
}

fn messages(version: &str, rows: &str, id: &str, page_size: usize) -> Vec<Value> {
    let query = format!("/{version}/messages?conversation_id={}", encode(id));
    walk(server(), KEY, &query, rows, page_size)
}

/// The values of a column, each once; panics where one comes twice.
#[track_caller]
fn once(rows: &[Value], column: &str) -> BTreeSet<String> {
    let values: BTreeSet<_> = rows.iter().map(|row| text(&row[column])).collect();
    assert_eq!(values.len(), rows.len(), "a {column} comes twice");
    values
}

#[test]
fn every_conversation_comes_once_and_in_order() {
    let ids: BTreeSet<_> = conversations().iter().map(|c| text(&c["conversation_id"])).collect();
    let whole = list("conversation_type=ALL", 100);
    assert_eq!(once(&whole, "conversation_id"), ids);
    let order = |row: &Value| {
        (Reverse(row["recent_chat_time"].as_i64().unwrap()), text(&row["conversation_id"]))
    };
    assert!(whole.is_sorted_by_key(order));
    for page_size in [1, 7] {
        assert_eq!(list("conversation_type=ALL", page_size), whole);
    }
    let page = format!("/v1/bot/conversation/page?{ALWAYS}&conversation_type=ALL&page_size=7");
    for number in [1, 2, 99] {
        let answer = get(server(), KEY, &format!("{page}&page={number}")).ok().json();
        assert_eq!(answer["total"], whole.len());
    }
}

#[test]
fn the_types_and_the_users_share_the_conversations_out() {
    let whole = list("conversation_type=ALL", 100);
    let mut of_types = Vec::new();
    for (channel, ..) in CONVERSATION_TYPES {
        let name = channel.name();
        let rows = list(&format!("conversation_type={name}"), 7);
        let all = whole.iter().filter(|row| row["conversation_type"] == name);
        assert!(!rows.is_empty() && rows.iter().eq(all), "{name}");
        of_types.extend(rows);
    }
    once(&of_types, "conversation_id");
    assert_eq!(of_types.len(), whole.len());

    let users: BTreeSet<_> = whole.iter().map(|row| text(&row["user_id"])).collect();
    for user in &users {
        let filter = format!("conversation_type=ALL&user_id={}", encode(user));
        let of_user: Vec<_> = whole.iter().filter(|row| row["user_id"] == **user).collect();
        assert!(list(&filter, 7).iter().eq(of_user.iter().copied()), "{user:?}");
        let filter = format!("conversation_type=SHARE&user_id={}", encode(user));
        let shared = of_user.into_iter().filter(|row| row["conversation_type"] == "SHARE");
        assert!(list(&filter, 1).iter().eq(shared), "{user:?}");
    }
    assert!(users.len() > 50);
}

#[test]
fn a_conversation_comes_as_it_was_written() {
    let rows = list("conversation_type=ALL", 100);
    let rows: BTreeMap<_, _> =
        rows.iter().map(|row| (text(&row["conversation_id"]), row)).collect();
    for given in conversations() {
        let (row, messages) = (rows[&text(&given["conversation_id"])], written(&given));
        assert_eq!(row["bot_id"], "64b902a84f1ff25d1c60e001");
        assert_eq!(row["user_id"], given["user_id"]);
        assert_eq!(row["message_count"], messages.len(), "{given}");
        let channel = given["conversation_type"].as_str().unwrap_or("API");
        assert_eq!(row["conversation_type"], channel);
        let question = messages.iter().find(|message| message.message_type == "QUESTION");
        let subject = match &given["subject"] {
            Value::String(subject) => subject,
            _ => question.map_or("", |message| &message.text),
        };
        assert_eq!(row["subject"], subject);
        let cost = given["cost_credit"].as_f64();
        #[allow(clippy::cast_precision_loss, reason = "at most 200")]
        let cost = cost.unwrap_or(messages.len() as f64 / 100.0);
        assert_eq!(row["cost_credit"].as_f64(), Some(cost));
        let anonymous = match channel {
            "API" => Value::Null,
            _ => given.get("anonymous_id").unwrap_or(&given["user_id"]).clone(),
        };
        assert_eq!(row["anonymous_id"], anonymous);
        if given["recent_chat_time"].is_i64() {
            assert_eq!(row["recent_chat_time"], given["recent_chat_time"]);
        }
    }
}

#[test]
fn costs_have_a_decimal_point() {
    let filter = "conversation_type=ALL&user_id=costs&page=1&page_size=100";
    let query = format!("/v1/bot/conversation/page?{ALWAYS}&{filter}");
    let body = get(server(), KEY, &query).ok().body.clone();
    let costs = body.split("\"cost_credit\":").skip(1);
    let mut costs: Vec<_> = costs.map(|rest| rest.split_once(',').unwrap().0).collect();
    costs.sort_unstable();
    let largest = format!("17976931348623157{}.0", "0".repeat(292));
    let mut known = vec![
        "0.0",
        "0.0",
        "0.0000001",
        "0.01",
        "0.1",
        "0.29",
        "0.30000000000000004",
        "1000000000000000000000.0",
        "123456789.01",
        &largest,
        "2.0",
        "2.0",
        // No double is 9007199254740993.
        "9007199254740992.0",
    ];
    known.sort_unstable();
    assert_eq!(costs, known);
}

#[test]
fn every_message_comes_once_in_order_and_exactly() {
    let mut ids = BTreeSet::new();
    for given in conversations() {
        let (id, written) = (text(&given["conversation_id"]), written(&given));
        let v1 = messages("v1", "messages", &id, 100);
        let texts = v1.iter().map(|row| (text(&row["message_type"]), text(&row["text"])));
        let expected = written.iter().map(|m| (m.message_type.to_owned(), m.text.clone()));
        assert!(texts.eq(expected), "{id:?}: {v1:?}");
        assert!(v1.is_sorted_by_key(|row| row["create_time"].as_i64().unwrap()));
        let mut parent = String::new();
        for row in &v1 {
            assert_eq!(row["parent_message_id"], parent);
            parent = text(&row["message_id"]);
            assert!(ids.insert(parent.clone()), "{parent:?} comes twice");
        }
        for page_size in [1, 7] {
            assert_eq!(messages("v1", "messages", &id, page_size), v1, "{id:?}");
        }

        let mut v2 = messages("v2", "conversation_content", &id, 100);
        for page_size in [1, 7] {
            assert_eq!(messages("v2", "conversation_content", &id, page_size), v2, "{id:?}");
        }
        v2.reverse();
        assert_eq!(v2.len(), v1.len());
        for ((row, same), written) in v2.iter().zip(&v1).zip(&written) {
            for key in ["message_id", "parent_message_id", "create_time"] {
                assert_eq!(row[key], same[key]);
            }
            let role = if written.message_type == "QUESTION" { "user" } else { "assistant" };
            assert_eq!(row["role"], role);
            assert_eq!(row["content"][0]["branch_content"][0]["text"], written.text);
            let rating = match written.feedback.as_str() {
                "GOOD" => "POSITIVE",
                "BAD" => "NEGATIVE",
                _ => "",
            };
            assert_eq!(row["feedback"], rating);
        }
    }
}

#[test]
fn every_pair_comes_once_in_order_and_exactly() {
    let mut expected = Vec::new();
    for given in conversations() {
        let of = (text(&given["conversation_id"]), text(&given["user_id"]));
        for two in written(&given).windows(2) {
            if let [question, answer] = two
                && (question.message_type, answer.message_type) == ("QUESTION", "ANSWER")
            {
                let texts = [&question.text, &answer.text, &answer.feedback].map(String::clone);
                expected.push((of.clone(), texts));
            }
        }
    }
    let whole = qa("ALL", 100);
    once(&whole, "id");
    once(&whole, "aid");
    assert!(whole.is_sorted_by_key(|row| (row["q_time"].as_i64().unwrap(), text(&row["id"]))));
    let mut rows: Vec<_> = whole
        .iter()
        .map(|row| {
            let texts = ["q", "a", "user_feedback"].map(|key| text(&row[key]));
            ((text(&row["convo_id"]), text(&row["user_id"])), texts)
        })
        .collect();
    rows.sort_unstable();
    expected.sort_unstable();
    assert_eq!(rows, expected);
    for page_size in [10, 11] {
        assert_eq!(qa("ALL", page_size), whole);
    }
    for feedback in Feedback::ALL.map(Feedback::name) {
        let rated: Vec<_> = whole.iter().filter(|row| row["user_feedback"] == feedback).collect();
        assert!(!rated.is_empty());
        for page_size in [10, 11, 100] {
            assert!(qa(feedback, page_size).iter().eq(rated.iter().copied()), "{feedback}");
        }
    }
}

#[test]
fn windows_hold_the_times_at_their_ends() {
    let rows = list("conversation_type=ALL", 100);
    let times: BTreeSet<_> =
        rows.iter().map(|row| row["recent_chat_time"].as_i64().unwrap()).collect();
    for time in times {
        let path = "/v1/bot/conversation/page?conversation_type=ALL";
        let query = format!("{path}&start_time={time}&end_time={time}");
        let found = walk(server(), KEY, &query, "list", 7);
        assert!(found.iter().eq(rows.iter().filter(|row| row["recent_chat_time"] == time)));
    }
}

#[test]
fn the_other_agents_keep_to_themselves() {
    let query = format!("/v1/bot/conversation/page?{ALWAYS}&conversation_type=ALL");
    let rows = |key: &str| walk(server(), key, &query, "list", 7);
    let second: Vec<_> =
        rows("app-edge-second").iter().map(|row| text(&row["conversation_id"])).collect();
    assert_eq!(second, ["messages-100", "only-here", "tie"]);
    assert!(rows("app-edge-empty").is_empty());
    assert_eq!(rows("!#$%&'()*+,-./:;<=>?@[]^_`{|}"), rows(KEY));
    let query = format!("{query}&page=1&page_size=10");
    get(server(), "app-edge-deleted", &query).refused(400, 20059, "Agent deleted", "");
    let other = "/v1/messages?conversation_id=only-here&page=1&page_size=10";
    get(server(), KEY, other).refused(400, 40356, "Conversation does not exist.", "");
}

/// The edge cases that the file must contain, so that no edit removes one.
#[test]
fn the_file_holds_what_it_is_there_for() {
    let all = conversations();
    let counts: BTreeSet<_> = all.iter().map(|c| written(c).len()).collect();
    assert!([0, 1, 2, 99, 100, 101, 200].iter().all(|count| counts.contains(count)), "{counts:?}");
    let messages: Vec<_> = all.iter().flat_map(written).collect();
    assert!(messages.iter().any(|message| message.text.is_empty()));
    assert!(messages.iter().any(|message| message.text.chars().count() > 10_000));
    let texts: String = messages.into_iter().map(|message| message.text).collect();
    let scripts = [
        ('一', '龥'),
        ('ぁ', 'ん'),
        ('가', '힣'),
        ('ء', 'ي'),
        ('א', 'ת'),
        ('अ', 'ह'),
        ('ก', 'ฮ'),
        ('\u{0}', '\u{0}'),
        ('\u{1f}', '\u{1f}'),
        ('\u{7f}', '\u{7f}'),
        ('\u{200d}', '\u{200d}'),
        ('\u{2028}', '\u{2028}'),
        ('\u{300}', '\u{36f}'),
        ('\u{1f1e6}', '\u{1f1ff}'),
        ('\u{10ffff}', '\u{10ffff}'),
    ];
    for (first, last) in scripts {
        assert!(texts.contains(|c| (first..=last).contains(&c)), "{first:?}");
    }
    assert!(EDGE.starts_with("{\"$schema\": \"./schema.json\""));
    assert!(EDGE.len() < 150_000);
}

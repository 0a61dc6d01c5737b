//! All endpoints answer from one set of records: the lists, the messages and the Q&A pairs agree.
//! Tests the statements on the relations between endpoints (`records.*`) and on the meaning of
//! single keys.

use std::collections::HashSet;
use std::sync::LazyLock;

use gptbots_mock::Server;
use gptbots_mock::contract::{AnonymousId, QaTime};
use serde_json::{Value, json};

use crate::support::client::{Connection, get};
use crate::support::random_fixture::{newest_then_id, oldest_then_id};
use crate::support::walk::{
    MESSAGES, MESSAGES_V2, Whole, connection, messages, number, text, whole,
};

const SEEDS: [u64; 4] = [1, 2, 1729, u64::MAX];

fn server(seed: u64, conversations: u32) -> Server {
    let builder = Server::builder().seed(seed).conversations(conversations);
    builder.reading(QaTime::Milliseconds).start().unwrap()
}

/// What agent demo has, for each of the seeds. Walked once: the records do not change.
static GENERATED: LazyLock<Vec<Whole>> =
    LazyLock::new(|| SEEDS.map(|seed| whole(&mut connection(&server(seed, 200)))).to_vec());

/// What the agent of the pages' examples has.
static DOCUMENTED: LazyLock<Whole> =
    LazyLock::new(|| whole(&mut Connection::open(server(1, 1).address(), "your_apikey")));

fn everyone() -> impl Iterator<Item = &'static Whole> {
    GENERATED.iter().chain([&*DOCUMENTED])
}

/// The text of a v2 message.
fn text_v2(message: &Value) -> &str {
    let part = &message["content"][0]["branch_content"][0];
    assert_eq!(
        message["content"],
        json!([{ "branch_content": [{ "type": "text", "text": part["text"] }] }])
    );
    text(part, "text")
}

/// The rating of a v2 message, as a Q&A row says it.
fn rating(message: &Value) -> &'static str {
    match text(message, "feedback") {
        "" => "NONE",
        "POSITIVE" => "GOOD",
        "NEGATIVE" => "BAD",
        odd => panic!("no feedback of v2: {odd}"),
    }
}

/// The Q&A rows that a conversation's messages amount to, without their own ids.
fn pairs(row: &Value, v1: &[Value], v2: &[Value]) -> Vec<Value> {
    let newest_first = v2.iter().rev();
    let chain: Vec<_> = v1.iter().zip(newest_first).collect();
    let is = |message: &Value, of| text(message, "message_type") == of;
    chain
        .windows(2)
        .filter(|pair| is(pair[0].0, "QUESTION") && is(pair[1].0, "ANSWER"))
        .map(|pair| {
            json!({
                "q_time": pair[0].0["create_time"], "q": pair[0].0["text"],
                "a": pair[1].0["text"], "user_feedback": rating(pair[1].1),
                "convo_id": row["conversation_id"], "convo_type": row["conversation_type"],
                "aid": pair[1].0["message_id"], "user_id": row["user_id"],
            })
        })
        .collect()
}

#[test]
fn a_conversation_counts_its_messages_and_ends_with_the_newest() {
    for whole in everyone() {
        for (row, v1) in whole.list.iter().zip(&whole.v1) {
            // The walk of the messages has compared each page's `total` with the rows.
            assert_eq!(number(row, "message_count"), i64::try_from(v1.len()).unwrap(), "{row}");
            let newest = v1.iter().map(|message| number(message, "create_time")).max();
            assert_eq!(Some(number(row, "recent_chat_time")), newest, "{row}");
        }
    }
}

#[test]
fn messages_are_a_chain_along_which_time_never_falls() {
    for chain in everyone().flat_map(|whole| &whole.v1) {
        assert_eq!(text(&chain[0], "parent_message_id"), "");
        for pair in chain.windows(2) {
            assert_eq!(text(&pair[1], "parent_message_id"), text(&pair[0], "message_id"));
            assert!(number(&pair[0], "create_time") <= number(&pair[1], "create_time"));
        }
    }
}

#[test]
fn v2_is_v1_backwards() {
    for whole in everyone() {
        for (v1, v2) in whole.v1.iter().zip(&whole.v2) {
            assert_eq!(v1.len(), v2.len());
            for (old, new) in v1.iter().zip(v2.iter().rev()) {
                for key in ["message_id", "parent_message_id", "create_time"] {
                    assert_eq!(old[key], new[key]);
                }
                assert_eq!(text(old, "text"), text_v2(new));
                let role = match text(old, "message_type") {
                    "QUESTION" => "user",
                    "ANSWER" => "assistant",
                    odd => panic!("no type of message: {odd}"),
                };
                assert_eq!(text(new, "role"), role);
                assert!(role == "assistant" || rating(new) == "NONE", "a rated question: {new}");
            }
        }
    }
}

#[test]
fn qa_rows_are_exactly_the_questions_answered_right_after() {
    for whole in everyone() {
        let messages = whole.v1.iter().zip(&whole.v2);
        let expected =
            whole.list.iter().zip(messages).flat_map(|(row, (v1, v2))| pairs(row, v1, v2));
        let by_answer = |row: &Value| text(row, "aid").to_owned();
        let mut expected: Vec<_> = expected.collect();
        let mut served = whole.qa.clone();
        for row in &mut served {
            row.as_object_mut().unwrap().remove("id").expect("an id");
        }
        expected.sort_by_key(by_answer);
        served.sort_by_key(by_answer);
        assert_eq!(served, expected);
    }
}

#[test]
fn rows_stand_in_their_order() {
    for whole in everyone() {
        assert!(whole.list.is_sorted_by(|a, b| newest_then_id(a, b).is_lt()));
        assert!(whole.qa.is_sorted_by(|a, b| oldest_then_id(a, b).is_lt()));
    }
}

#[test]
fn a_subject_is_the_first_question_or_empty() {
    for whole in everyone() {
        let mut subjects = 0;
        for (row, v1) in whole.list.iter().zip(&whole.v1) {
            let question = v1.iter().find(|message| text(message, "message_type") == "QUESTION");
            let subject = text(row, "subject");
            let first = question.map(|question| text(question, "text"));
            assert!(subject.is_empty() || Some(subject) == first, "{row}");
            subjects += usize::from(!subject.is_empty());
        }
        assert!(subjects * 10 > whole.list.len() * 9, "{subjects} of {}", whole.list.len());
    }
}

#[test]
fn ids_have_the_documented_forms_and_are_unique() {
    let hex = |id: &str| {
        id.len() == 24 && id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    let letters = |id: &str| id.len() == 20 && id.bytes().all(|b| b.is_ascii_alphanumeric());
    for whole in &*GENERATED {
        let mut ids = HashSet::new();
        let mut unique = |id: &str| assert!(ids.insert(id.to_owned()), "{id} stands twice");
        for row in &whole.list {
            let id = text(row, "conversation_id");
            assert!(hex(id) || letters(id), "{id}");
            unique(id);
            assert_eq!(row["bot_id"], whole.list[0]["bot_id"]);
        }
        for message in whole.v1.iter().flatten() {
            assert!(hex(text(message, "message_id")), "{message}");
            unique(text(message, "message_id"));
        }
        for row in &whole.qa {
            assert!(hex(text(row, "id")), "{row}");
            unique(text(row, "id"));
        }
        assert!(hex(text(&whole.list[0], "bot_id")));
        unique(text(&whole.list[0], "bot_id"));
        assert!(whole.list.iter().any(|row| letters(text(row, "conversation_id"))));
    }
}

#[test]
fn an_anonymous_id_belongs_to_one_user_and_api_has_none() {
    let builder = Server::builder().reading(AnonymousId::Present).conversations(500);
    let whole = whole(&mut connection(&builder.start().unwrap()));
    let mut of_user = HashSet::new();
    let mut users = HashSet::new();
    for row in &whole.list {
        if text(row, "conversation_type") == "API" {
            assert_eq!(row["anonymous_id"], Value::Null, "{row}");
        } else {
            of_user.insert((text(row, "user_id"), text(row, "anonymous_id")));
            users.insert(text(row, "user_id"));
        }
    }
    assert_eq!(of_user.len(), users.len());
}

#[test]
fn no_record_is_of_type_all() {
    for whole in everyone() {
        assert!(whole.list.iter().all(|row| text(row, "conversation_type") != "ALL"));
        assert!(whole.qa.iter().all(|row| text(row, "convo_type") != "ALL"));
        assert!(whole.qa.iter().all(|row| text(row, "user_feedback") != "ALL"));
    }
}

#[test]
fn another_agents_conversation_does_not_exist() {
    let server = server(1, 50);
    let of = |key| whole(&mut Connection::open(server.address(), key));
    for (key, other) in [("app-demo", "your_apikey"), ("your_apikey", "app-demo")] {
        for row in of(other).list {
            let id = text(&row, "conversation_id");
            for (path, message) in [
                (MESSAGES, "Conversation does not exist."),
                (MESSAGES_V2, "Conversation does not exist"),
            ] {
                let query = format!("{}&page=1&page_size=10", messages(path, id));
                get(&server, key, &query).refused(400, 40356, message, "conversation_id");
                get(&server, other, &query).ok();
            }
        }
    }
}

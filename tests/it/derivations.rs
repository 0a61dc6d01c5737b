//! What a fixture may leave out, and what follows from the rest.

use gptbots_mock::Server;
use serde_json::{Value, json};

use crate::client::{ALWAYS, get};

/// The key of agent `mine`.
const MINE: &str = "app-mine";

/// A server of agent `mine` with these conversations.
#[track_caller]
fn mine(conversations: &Value) -> Server {
    let agents = json!({"agents": [{"name": "mine", "conversations": conversations}]});
    Server::builder().fixture(agents.to_string()).start().unwrap_or_else(|e| panic!("{e}"))
}

const TIMES: &str =
    "start_time=-9223372036854775808&end_time=9223372036854775807&page=1&page_size=100";

/// The rows of the list.
#[track_caller]
fn list(server: &Server, key: &str) -> Vec<Value> {
    let query = format!("/v1/bot/conversation/page?conversation_type=ALL&{TIMES}");
    get(server, key, &query).rows("list")
}

/// The only row of the list.
#[track_caller]
fn row(conversation: Value) -> Value {
    let rows = list(&mine(&Value::Array(vec![conversation])), MINE);
    assert_eq!(rows.len(), 1);
    rows[0].clone()
}

#[track_caller]
fn messages(server: &Server, conversation_id: &Value) -> Vec<Value> {
    let id = conversation_id.as_str().unwrap();
    let query = format!("/v1/messages?conversation_id={id}&page=1&page_size=100");
    get(server, MINE, &query).rows("messages")
}

/// The messages of the only conversation.
#[track_caller]
fn said(conversation: Value) -> Vec<Value> {
    let server = mine(&Value::Array(vec![conversation]));
    messages(&server, &list(&server, MINE)[0]["conversation_id"])
}

/// When each message of the only conversation was created.
#[track_caller]
fn times(conversation: Value) -> Vec<i64> {
    said(conversation).iter().map(|message| message["create_time"].as_i64().unwrap()).collect()
}

#[track_caller]
fn qa(server: &Server) -> Vec<Value> {
    get(server, MINE, &format!("/v1/message/qa/record/page?user_feedback=ALL&{TIMES}")).rows("qa")
}

/// 2025-10-20T09:00:00Z.
const NINE: i64 = 1_760_950_800_000;

#[test]
fn ten_lines_are_a_fixture() {
    let fixture = r#"{
        "agents": [{
            "name": "mine",
            "conversations": [
                {"user_id": "anna", "messages": [{"q": "What is 2+3?", "a": "5"}]},
                {"messages": [{"a": "Welcome!"}, {"q": "Hi", "a": "Hello", "feedback": "GOOD"}]},
                {}
            ]
        }]
    }"#;
    let server = Server::builder().fixture(fixture).start().unwrap();
    assert_eq!(server.api_key(), MINE);
    let rows = list(&server, MINE);
    let of = |name: &str| rows.iter().map(|row| row[name].clone()).collect::<Vec<_>>();
    assert_eq!(of("user_id"), ["user-3", "user-2", "anna"]);
    assert_eq!(of("message_count"), [0, 3, 2]);
    assert_eq!(of("subject"), ["", "Hi", "What is 2+3?"]);
    assert_eq!(of("conversation_type"), ["API", "API", "API"]);
    assert_eq!(of("cost_credit"), [0.0, 0.03, 0.02]);
    // A conversation begins each hour; a question comes a minute later, its answer in 3 seconds.
    assert_eq!(of("recent_chat_time"), [NINE + 7_200_000, NINE + 3_663_000, NINE + 3_000]);
    let pairs = qa(&server);
    let of = |name: &str| pairs.iter().map(|pair| pair[name].clone()).collect::<Vec<_>>();
    assert_eq!(of("q"), ["What is 2+3?", "Hi"]);
    assert_eq!(of("user_feedback"), ["NONE", "GOOD"]);
}

#[test]
fn an_exchange_is_a_question_an_answer_or_both() {
    let both = said(
        json!({"messages": [{"q": "1", "a": "2"}, {"a": "3"}, {"q": "4"}, {"a": "5", "q": "6"}]}),
    );
    let shape: Vec<_> =
        both.iter().map(|m| (m["message_type"].as_str(), m["text"].as_str())).collect();
    let (q, a) = (Some("QUESTION"), Some("ANSWER"));
    let expected = [(q, "1"), (a, "2"), (a, "3"), (q, "4"), (q, "6"), (a, "5")];
    assert_eq!(shape, expected.map(|(kind, text)| (kind, Some(text))));
}

#[test]
fn an_exchange_may_be_empty_texts() {
    assert_eq!(said(json!({"messages": [{"q": "", "a": ""}]})).len(), 2);
}

#[test]
fn exchanges_and_messages_may_be_mixed() {
    let text = |m: &Value| m["text"].as_str().unwrap().to_owned();
    let mixed =
        json!({"messages": [{"q": "1"}, {"message_type": "ANSWER", "text": "2"}, {"q": "3"}]});
    assert_eq!(said(mixed).iter().map(text).collect::<String>(), "123");
}

#[test]
fn a_rating_is_the_answers() {
    let server = mine(&json!([{"messages": [
        {"q": "1", "a": "1", "feedback": "GOOD"}, {"q": "2", "a": "2", "feedback": "BAD"},
        {"q": "3", "a": "3", "feedback": "NONE"}, {"q": "4"}, {"a": "4", "feedback": "GOOD"},
    ]}]));
    let rated: Vec<_> = qa(&server).iter().map(|pair| pair["user_feedback"].clone()).collect();
    assert_eq!(rated, ["GOOD", "BAD", "NONE", "GOOD"]);
}

#[test]
fn times_follow_from_the_start() {
    let exchanges = json!([{"a": "0"}, {"q": "1", "a": "1"}, {"q": "2", "a": "2"}]);
    let expected = [1000, 61_000, 64_000, 124_000, 127_000];
    assert_eq!(times(json!({"start": 1000, "messages": exchanges})), expected);
    assert_eq!(times(json!({"start": "1970-01-01T00:00:01Z", "messages": exchanges})), expected);
    assert_eq!(
        times(json!({"start": "1970-01-01T02:00:01+02:00", "messages": exchanges})),
        expected
    );
}

#[test]
fn a_gap_of_the_conversation_comes_before_its_questions() {
    let talk =
        json!({"start": 0, "gap": 0.5, "messages": [{"q": "1", "a": "1"}, {"q": "2", "a": "2"}]});
    assert_eq!(times(talk), [0, 3000, 3500, 6500]);
    let talk = json!({"start": 0, "gap": 0, "messages": [{"q": "1"}, {"q": "2"}, {"q": "3"}]});
    assert_eq!(times(talk), [0, 0, 0]);
}

#[test]
fn a_gap_of_a_message_comes_before_it() {
    let talk = json!({"start": 0, "gap": 9, "messages": [
        {"q": "1", "a": "1", "gap": 1}, {"a": "2", "gap": 0.0004}, {"q": "3", "gap": 31_622_400},
        {"message_type": "ANSWER", "text": "4", "gap": 2},
    ]});
    assert_eq!(times(talk), [1000, 4000, 4000, 31_622_404_000, 31_622_406_000]);
}

#[test]
fn a_time_that_is_given_moves_what_comes_behind_it() {
    let talk = json!({"start": 0, "messages": [
        {"q": "1", "a": "1"}, {"q": "2", "a": "2", "create_time": 10_000}, {"q": "3"},
    ]});
    assert_eq!(times(talk), [0, 3000, 10_000, 13_000, 73_000]);
}

#[test]
fn times_before_the_first_that_is_given_count_backwards() {
    let talk = json!({"gap": 10, "messages": [
        {"a": "0"}, {"q": "1", "a": "1"}, {"q": "2", "create_time": 100_000}, {"a": "2"},
    ]});
    assert_eq!(times(talk), [77_000, 87_000, 90_000, 100_000, 103_000]);
}

#[test]
fn times_may_stand_still_and_lie_before_1970() {
    let at = |time: &str| json!({"q": "1", "create_time": time});
    let talk = json!({"messages": [at("1969-12-31T23:59:59.999Z"), at("1970-01-01T00:00:00Z"), at("1970-01-01T00:00:00Z")]});
    assert_eq!(times(talk), [-1, 0, 0]);
}

#[test]
fn the_extremes_of_time_do_not_overflow() {
    let at = |time: i64| json!({"messages": [{"q": "1"}, {"q": "2", "a": "2", "create_time": time}, {"q": "3"}]});
    assert_eq!(times(at(i64::MAX))[1..], [i64::MAX; 3]);
    assert_eq!(times(at(i64::MIN))[..2], [i64::MIN; 2]);
}

#[test]
fn a_conversation_was_last_active_when_its_newest_message_came() {
    let messages = json!([{"q": "1", "a": "2", "create_time": 1000}]);
    assert_eq!(row(json!({"messages": messages}))["recent_chat_time"], 4000);
    assert_eq!(
        row(json!({"messages": messages, "recent_chat_time": 4000}))["recent_chat_time"],
        4000
    );
}

#[test]
fn a_conversation_without_messages_says_when_it_was_active() {
    assert_eq!(row(json!({"recent_chat_time": 5}))["recent_chat_time"], 5);
    assert_eq!(row(json!({"start": 4, "recent_chat_time": 5}))["recent_chat_time"], 5);
    assert_eq!(row(json!({"start": 4}))["recent_chat_time"], 4);
    assert_eq!(row(json!({}))["recent_chat_time"], NINE);
}

#[test]
fn the_subject_is_the_first_question() {
    assert_eq!(
        row(json!({"messages": [{"a": "Welcome"}, {"q": "1"}, {"q": "2"}]}))["subject"],
        "1"
    );
    assert_eq!(row(json!({"messages": [{"a": "Welcome"}]}))["subject"], "");
    assert_eq!(row(json!({"subject": "own", "messages": [{"q": "1"}]}))["subject"], "own");
    assert_eq!(row(json!({"subject": "", "messages": [{"q": "1"}]}))["subject"], "");
}

#[test]
fn the_cost_is_a_hundredth_a_message() {
    let server = mine(&json!([
        {"messages": [{"q": "1", "a": "2"}, {"a": "3"}]}, {"cost_credit": 0, "messages": [{"q": "1"}]},
        {"cost_credit": 2}, {"cost_credit": 0.125},
    ]));
    let query = format!("/v1/bot/conversation/page?conversation_type=ALL&{TIMES}");
    let body = get(&server, MINE, &query).body;
    let costs: Vec<_> =
        body.split("\"cost_credit\":").skip(1).map(|t| t.split(',').next().unwrap()).collect();
    assert_eq!(costs, ["0.125", "2.0", "0.0", "0.03"]);
}

#[test]
fn the_parent_is_the_message_before() {
    let said = said(json!({"messages": [{"q": "1", "a": "2"}, {"q": "3"}]}));
    assert_eq!(said[0]["parent_message_id"], "");
    assert_eq!(said[1]["parent_message_id"], said[0]["message_id"]);
    assert_eq!(said[2]["parent_message_id"], said[1]["message_id"]);
}

/// Every id that agents of one size have, in the order of the answers.
fn all_ids() -> Vec<String> {
    let talk = json!({"messages": [{"q": "1", "a": "2"}, {"q": "3", "a": "4"}]});
    let agent = |name: &str| json!({"name": name, "conversations": vec![&talk; 20]});
    let fixture = json!({"agents": [agent("mine"), agent("other")]}).to_string();
    let server = Server::builder().fixture(fixture).start().unwrap();
    let mut ids = Vec::new();
    for key in [MINE, "app-other"] {
        let rows = list(&server, key);
        ids.push(rows[0]["bot_id"].clone());
        for row in rows {
            let id = row["conversation_id"].as_str().unwrap();
            let query = format!("/v1/messages?conversation_id={id}&page=1&page_size=100");
            ids.extend(
                get(&server, key, &query).rows("messages").iter().map(|m| m["message_id"].clone()),
            );
            ids.push(row["conversation_id"].clone());
        }
        let query =
            format!("/v1/message/qa/record/page?user_feedback=ALL&{ALWAYS}&page=1&page_size=100");
        ids.extend(get(&server, key, &query).rows("qa").iter().map(|pair| pair["id"].clone()));
    }
    ids.into_iter().map(|id| id.as_str().unwrap().to_owned()).collect()
}

#[test]
fn missing_ids_are_24_hex_digits_distinct_and_always_the_same() {
    let ids = all_ids();
    assert_eq!(ids.len(), 2 * (1 + 20 + 80 + 40));
    let is_hex =
        |id: &String| id.len() == 24 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    assert!(ids.iter().all(is_hex), "{ids:?}");
    assert_eq!(ids.iter().collect::<std::collections::HashSet<_>>().len(), ids.len());
    assert_eq!(ids, all_ids());
    // For ever: a test may have written it down.
    assert_eq!(ids[0], "6c7954406f970d2d208a1266");
}

//! Rows that were copied out of answers are a fixture that gives the same answers, and what they
//! say of themselves is checked.

use gptbots_mock::contract::{AnonymousId, V2MessagesOrder};
use gptbots_mock::{Server, ServerBuilder};
use serde_json::{Value, json};

use crate::client::{ALWAYS, get, walk};

const KEY: &str = "app-demo";

fn generated() -> ServerBuilder {
    Server::builder().seed(3).conversations(40)
}

/// The rows of the list, each with its messages.
#[track_caller]
fn rows(server: &Server) -> Vec<Value> {
    let query = format!("/v1/bot/conversation/page?conversation_type=ALL&{ALWAYS}");
    let mut rows = walk(server, KEY, &query, "list", 100);
    for row in &mut rows {
        let id = row["conversation_id"].as_str().unwrap();
        let query = format!("/v1/messages?conversation_id={id}");
        row["messages"] = walk(server, KEY, &query, "messages", 100).into();
    }
    rows
}

/// Rows as a fixture of the agent that they say.
fn fixture(rows: &[Value]) -> String {
    let agent = json!({
        "name": "demo", "bot_id": rows[0]["bot_id"], "conversations": rows,
    });
    json!({"agents": [agent]}).to_string()
}

#[track_caller]
fn paste(rows: &[Value]) -> Server {
    Server::builder().fixture(fixture(rows)).start().unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn pasted_rows_give_the_same_rows() {
    let rows_before = rows(&generated().start().unwrap());
    assert_eq!(rows_before.len(), 40);
    assert_eq!(rows(&paste(&rows_before)), rows_before);
}

#[test]
fn the_order_of_pasted_rows_does_not_matter() {
    let rows_before = rows(&generated().start().unwrap());
    let mut turned = rows_before.clone();
    turned.reverse();
    assert_eq!(rows(&paste(&turned)), rows_before);
}

#[test]
fn the_pairs_of_pasted_rows_have_the_same_texts_and_times() {
    let pairs = |server: &Server| {
        let query = format!("/v1/message/qa/record/page?user_feedback=ALL&{ALWAYS}");
        let mut pairs = walk(server, KEY, &query, "qa", 100);
        for pair in &mut pairs {
            // Neither answer that was pasted says them.
            pair.as_object_mut().unwrap().retain(|key, _| key != "id" && key != "user_feedback");
        }
        pairs
    };
    let before = generated().start().unwrap();
    let after = paste(&rows(&before));
    assert_eq!(pairs(&after), pairs(&before));
}

#[test]
fn rows_with_an_anonymous_id_can_be_pasted() {
    let rows_before = rows(&generated().reading(AnonymousId::Present).start().unwrap());
    assert!(rows_before.iter().any(|row| row["anonymous_id"].is_null()), "type API has none");
    assert!(rows_before.iter().any(|row| row["anonymous_id"].is_string()));
    let builder = Server::builder().fixture(fixture(&rows_before)).reading(AnonymousId::Present);
    let after =
        builder.start().unwrap_or_else(|e| panic!("{}", e.to_string().lines().next().unwrap()));
    assert_eq!(rows(&after), rows_before);
}

#[test]
fn rows_without_their_messages_contradict_their_count() {
    let mut rows = rows(&generated().start().unwrap());
    rows.retain(|row| row["message_count"] != 0);
    rows.truncate(1);
    rows[0].as_object_mut().unwrap().remove("messages");
    let error = Server::builder().fixture(fixture(&rows)).start().unwrap_err();
    assert!(error.to_string().contains(", but there are 0"), "{error}");
}

#[test]
fn a_row_without_its_newest_message_contradicts_itself() {
    let mut rows = rows(&generated().start().unwrap());
    rows.retain(|row| row["message_count"].as_u64() > Some(2));
    rows.truncate(1);
    rows[0]["messages"].as_array_mut().unwrap().pop();
    let error = Server::builder().fixture(fixture(&rows)).start().unwrap_err().to_string();
    assert!(error.contains(": message_count is "), "{error}");
    assert!(error.contains(": recent_chat_time is "), "{error}");
    assert!(error.ends_with("\n2 problems"), "{error}");
}

#[test]
fn a_row_without_its_oldest_message_contradicts_its_parents() {
    let mut rows = rows(&generated().start().unwrap());
    rows.retain(|row| row["message_count"].as_u64() > Some(2));
    rows.truncate(1);
    rows[0]["messages"].as_array_mut().unwrap().remove(0);
    let error = Server::builder().fixture(fixture(&rows)).start().unwrap_err().to_string();
    assert!(error.contains("parent_message_id is not the message before, \"\""), "{error}");
}

/// v2 answers newest first: pasted so, every time falls.
#[test]
fn messages_that_were_pasted_newest_first_are_refused() {
    let mut rows = rows(&generated().start().unwrap());
    rows.retain(|row| row["message_count"].as_u64() > Some(2));
    rows.truncate(1);
    rows[0]["messages"].as_array_mut().unwrap().reverse();
    let error = Server::builder().fixture(fixture(&rows)).start().unwrap_err().to_string();
    assert!(error.contains(" is before the message before, "), "{error}");
}

#[test]
fn rows_of_two_agents_cannot_be_one() {
    let mut rows = rows(&generated().start().unwrap());
    rows.truncate(2);
    rows[1]["bot_id"] = "another".into();
    let error = Server::builder().fixture(fixture(&rows)).start().unwrap_err().to_string();
    assert!(error.contains("bot_id is not the agent's"), "{error}");
}

/// What was rated is rated in both message answers and in the pairs.
#[test]
fn ratings_go_with_the_messages_that_carry_them() {
    let talk = json!({"conversation_id": "c", "messages": [
        {"message_id": "q", "message_type": "QUESTION", "text": "1", "qa_id": "own"},
        {"message_id": "a", "message_type": "ANSWER", "text": "2", "feedback": "BAD"},
    ]});
    let json = json!({"agents": [{"name": "demo", "conversations": [talk]}]}).to_string();
    let server = Server::builder().fixture(json).reading(V2MessagesOrder::OldestFirst).start();
    let server = server.unwrap();
    let v2 = get(&server, KEY, "/v2/messages?conversation_id=c&page=1&page_size=10");
    assert_eq!(v2.column("conversation_content", "feedback"), ["", "NEGATIVE"]);
    let query =
        format!("/v1/message/qa/record/page?user_feedback=BAD&{ALWAYS}&page=1&page_size=10");
    let pairs = get(&server, KEY, &query);
    assert_eq!(pairs.column("qa", "id"), ["own"]);
    assert_eq!(pairs.column("qa", "aid"), ["a"]);
}

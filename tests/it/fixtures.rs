//! Fixtures that are refused, each with the place and what would be right.

use gptbots_mock::{Server, StartError};
use serde_json::{Value, json};

use crate::fixture::{agent, answer, build, question, silent, talk, with};

/// Asserts that these agents do not start, and that the error says each of `says`.
#[track_caller]
fn refused(agents: &[Value], says: &[&str]) {
    let error = build(agents).start().unwrap_err();
    assert!(matches!(error, StartError::Fixture(_)), "{error:?}");
    for part in says {
        assert!(error.to_string().contains(part), "`{error}` does not say `{part}`");
    }
}

#[track_caller]
fn refused_conversation(conversation: Value, says: &str) {
    let first = silent("first", "u", "API", 1);
    refused(&[agent("k", &[first, conversation])], &["agents[0].conversations[1]", says]);
}

#[track_caller]
fn refused_message(message: Value, says: &str) {
    let messages = [question("first", 5), message];
    refused(&[agent("k", &[talk("c", &messages)])], &["conversations[0].messages[1]", says]);
}

#[test]
fn what_is_not_json_names_line_and_column() {
    let error = Server::builder().fixture("{\n oops").start().unwrap_err();
    assert!(error.to_string().contains("line 2 column"), "{error}");
}

#[test]
fn an_unknown_key_is_named() {
    refused(&[with(agent("k", &[]), "colour", "red")], &["colour"]);
}

#[test]
fn two_agents_cannot_have_the_same_key() {
    let mut second = agent("second", &[]);
    second["keys"] = json!(["k"]);
    refused(&[agent("k", &[]), second], &["agents[1]", "twice"]);
}

#[test]
fn a_key_must_be_visible_ascii() {
    refused(&[agent("é", &[])], &["agents[0]", "visible ASCII"]);
}

#[test]
fn all_is_no_channel() {
    refused_conversation(silent("c", "u", "ALL", 1), "conversation_type");
}

#[test]
fn ids_are_not_empty() {
    refused_conversation(silent("", "u", "API", 1), "conversation_id");
    refused_conversation(silent("c", "", "API", 1), "user_id");
    refused_message(question("", 5), "message_id");
}

#[test]
fn a_conversation_id_stands_once() {
    refused_conversation(silent("first", "u", "API", 1), "conversation_id");
}

#[test]
fn a_message_id_stands_once() {
    let talks = [talk("c", &[question("m", 1)]), talk("d", &[question("m", 1)])];
    refused(&[agent("k", &talks)], &["conversations[1]", "message_id"]);
}

#[test]
fn a_cost_is_not_negative() {
    refused_conversation(with(silent("c", "u", "API", 1), "cost_credit", -0.01), "cost_credit");
}

#[test]
fn time_never_falls_along_the_chain() {
    refused_message(answer("a", 4), "create_time");
}

#[test]
fn feedback_belongs_on_an_answer() {
    refused_message(with(question("q", 5), "feedback", "GOOD"), "feedback");
    refused_message(with(answer("a", 5), "feedback", "ALL"), "feedback");
}

#[test]
fn a_message_is_a_question_or_an_answer() {
    refused_message(with(answer("a", 5), "message_type", "answer"), "QUESTION or ANSWER");
}

#[test]
fn without_messages_a_conversation_gives_its_own_time() {
    refused_conversation(talk("c", &[]), "recent_chat_time");
}

#[test]
fn with_messages_a_conversation_gives_no_time_of_its_own() {
    let talk = talk("c", &[question("q", 1)]);
    refused_conversation(with(talk, "recent_chat_time", 1), "recent_chat_time");
}

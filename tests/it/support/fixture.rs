//! Small records for a test.

use gptbots_mock::{Server, ServerBuilder};
use serde_json::{Value, json};

/// The key of the agent that [`serve`] serves.
pub(crate) const KEY: &str = "k";

/// A server of one agent with these conversations.
#[track_caller]
pub(crate) fn serve(conversations: &[Value]) -> Server {
    build(&[agent(KEY, conversations)]).start().unwrap()
}

/// A server of these agents, not yet started.
pub(crate) fn build(agents: &[Value]) -> ServerBuilder {
    Server::builder().fixture(json!({ "agents": agents }).to_string())
}

/// An agent whose only key is its name.
pub(crate) fn agent(key: &str, conversations: &[Value]) -> Value {
    json!({"name": key, "bot_id": "b", "keys": [key], "conversations": conversations})
}

/// A conversation without messages, last active at a time.
pub(crate) fn silent(id: &str, user: &str, channel: &str, time: i64) -> Value {
    json!({
        "conversation_id": id,
        "user_id": user,
        "conversation_type": channel,
        "recent_chat_time": time,
    })
}

/// A conversation of user `u` through the API.
pub(crate) fn talk(id: &str, messages: &[Value]) -> Value {
    json!({
        "conversation_id": id,
        "user_id": "u",
        "conversation_type": "API",
        "messages": messages,
    })
}

pub(crate) fn question(id: &str, time: i64) -> Value {
    message(id, "QUESTION", time)
}

pub(crate) fn answer(id: &str, time: i64) -> Value {
    message(id, "ANSWER", time)
}

fn message(id: &str, message_type: &str, time: i64) -> Value {
    let text = format!("text of {id}");
    json!({"message_id": id, "message_type": message_type, "text": text, "create_time": time})
}

/// The same record with one more, or another, value.
pub(crate) fn with(mut record: Value, name: &str, value: impl Into<Value>) -> Value {
    record[name] = value.into();
    record
}

/// Everything that JSON has to escape, and much that it need not.
pub(crate) const HARD_TEXT: &str =
    "\"q\" \\ / \u{0}\u{1}\u{8}\t\n\u{c}\r\u{1f}\u{7f} \u{2028} <&> é 你好 العربية 👩‍🚀";

/// [`HARD_TEXT`] as it must be sent: only `"`, `\` and what lies below U+0020 are escaped.
pub(crate) const HARD_JSON: &str =
    "\\\"q\\\" \\\\ / \\u0000\\u0001\\b\\t\\n\\f\\r\\u001f\u{7f} \u{2028} <&> é 你好 العربية 👩‍🚀";

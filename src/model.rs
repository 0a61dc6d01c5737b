//! The records as the answers need them: one struct a row, spelled as on the wire.
//!
//! Rows are lent, never built for keeps: a source of records hands each one to a callback, and a
//! text writes itself into the answer. So a page costs no allocation per row.

use crate::contract::ConversationType;
pub(crate) use crate::contract::{Feedback, MessageType};

/// A text that can write itself as the inside of a JSON string, escaped, without the quotes.
pub(crate) trait Text {
    fn append_to(&self, out: &mut Vec<u8>);
}

/// A text that is escaped already.
pub(crate) struct Escaped<'a>(pub(crate) &'a str);

impl Text for Escaped<'_> {
    fn append_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.0.as_bytes());
    }
}

/// Escapes a text as the inside of a JSON string: compact, with non-ASCII left as it is.
pub(crate) fn escape(text: &str) -> Box<str> {
    let mut quoted = serde_json::Value::from(text).to_string();
    quoted.pop();
    quoted.drain(..1);
    quoted.into_boxed_str()
}

/// A conversation, as the list shows it. Times are milliseconds since 1970-01-01 UTC.
pub(crate) struct Conversation<'a> {
    pub(crate) conversation_id: &'a dyn Text,
    pub(crate) user_id: &'a dyn Text,
    pub(crate) recent_chat_time: i64,
    pub(crate) subject: &'a dyn Text,
    pub(crate) conversation_type: ConversationType,
    pub(crate) message_count: u64,
    pub(crate) cost_credit: f64,
    pub(crate) bot_id: &'a dyn Text,
    pub(crate) anonymous_id: &'a dyn Text,
}

/// A message, for both versions of the endpoint.
pub(crate) struct Message<'a> {
    pub(crate) message_id: &'a dyn Text,
    /// Empty for the first of a conversation.
    pub(crate) parent_message_id: &'a dyn Text,
    pub(crate) message_type: MessageType,
    pub(crate) text: &'a dyn Text,
    pub(crate) create_time: i64,
    /// `None` on a question.
    pub(crate) feedback: Feedback,
}

/// A question and the answer right after it.
pub(crate) struct Qa<'a> {
    pub(crate) id: &'a dyn Text,
    pub(crate) q_time: i64,
    pub(crate) q: &'a dyn Text,
    pub(crate) a: &'a dyn Text,
    pub(crate) user_feedback: Feedback,
    pub(crate) convo_id: &'a dyn Text,
    pub(crate) convo_type: ConversationType,
    pub(crate) aid: &'a dyn Text,
    pub(crate) user_id: &'a dyn Text,
}

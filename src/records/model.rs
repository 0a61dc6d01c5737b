//! The records as the answers need them: one struct a row, spelled as on the wire.
//!
//! A text is whatever can write itself into an answer, so a row costs no allocation: an id is a
//! number until it is written, a phrase a template and what fills it.

use crate::contract::ConversationType;
pub(crate) use crate::contract::{Feedback, MessageType};
use crate::records::json::Pen;

/// A text that can write itself as the inside of a JSON string, escaped, without the quotes.
pub(crate) trait Text {
    fn append_to(&self, out: &mut Pen<'_>);
}

/// An id as it is written.
impl<const N: usize> Text for [u8; N] {
    #[inline(always)]
    fn append_to(&self, out: &mut Pen<'_>) {
        out.bytes(self);
    }
}

/// Nothing where there is none.
impl<T: Text> Text for Option<T> {
    #[inline(always)]
    fn append_to(&self, out: &mut Pen<'_>) {
        if let Some(text) = self {
            text.append_to(out);
        }
    }
}

/// Escapes a text as the inside of a JSON string: compact, with non-ASCII left as it is.
pub(crate) fn escape(text: &str) -> Box<str> {
    let mut quoted = serde_json::Value::from(text).to_string();
    quoted.pop();
    quoted.drain(..1);
    quoted.into_boxed_str()
}

/// Credits, always written with a decimal point.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Credits {
    Hundredths(u32),
    Any(f64),
}

/// A conversation, as the list shows it. Times are milliseconds since 1970-01-01 UTC.
pub(crate) struct Conversation<Id, User, Subject, Bot> {
    pub(crate) conversation_id: Id,
    pub(crate) user_id: User,
    pub(crate) recent_chat_time: i64,
    pub(crate) subject: Subject,
    pub(crate) conversation_type: ConversationType,
    pub(crate) message_count: u64,
    pub(crate) cost_credit: Credits,
    pub(crate) bot_id: Bot,
    pub(crate) anonymous_id: Id,
}

/// A message, for both versions of the endpoint.
pub(crate) struct Message<Id, Phrase> {
    pub(crate) message_id: Id,
    /// `None` for the first of a conversation.
    pub(crate) parent_message_id: Option<Id>,
    pub(crate) message_type: MessageType,
    pub(crate) text: Phrase,
    pub(crate) create_time: i64,
    /// `None` on a question.
    pub(crate) feedback: Feedback,
}

/// A question and the answer right after it.
pub(crate) struct Qa<Id, User, Phrase> {
    pub(crate) id: Id,
    pub(crate) q_time: i64,
    pub(crate) q: Phrase,
    pub(crate) a: Phrase,
    pub(crate) user_feedback: Feedback,
    pub(crate) convo_id: Id,
    pub(crate) convo_type: ConversationType,
    pub(crate) aid: Id,
    pub(crate) user_id: User,
}

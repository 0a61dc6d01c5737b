//! The records in the form that responses need: one struct for each kind of row, with the names of the
//! API.
//!
//! Each source chooses the types of its texts; a type only needs to write itself into a response. So
//! building a row allocates nothing: a generated id is a number until it is written, and a generated
//! phrase is a template and the values of its slots.

use crate::contract::ConversationType;
pub(crate) use crate::contract::{Feedback, MessageType};
use crate::records::json::SliceWriter;

/// A text that can write itself as the inside of a JSON string, escaped, without the quotes.
pub(crate) trait Text {
    fn write_to(&self, out: &mut SliceWriter<'_>);
}

/// A text that is already escaped.
impl Text for &[u8] {
    #[inline]
    fn write_to(&self, out: &mut SliceWriter<'_>) {
        out.bytes(self);
    }
}

/// `None` is written as the empty text.
impl<T: Text> Text for Option<T> {
    #[inline(always)]
    fn write_to(&self, out: &mut SliceWriter<'_>) {
        if let Some(text) = self {
            text.write_to(out);
        }
    }
}

/// A text as the inside of a JSON string. Characters beyond ASCII are not escaped.
pub(crate) fn escape(text: &str) -> Box<str> {
    let mut quoted = serde_json::Value::from(text).to_string();
    quoted.pop();
    quoted.drain(..1);
    quoted.into_boxed_str()
}

/// Credits. They are always written with a decimal point.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Credits {
    Hundredths(u32),
    Any(f64),
}

/// The channel of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channel<T> {
    /// A channel of the contract.
    Listed(ConversationType),
    /// A name that the contract does not list. Rows have it, but no filter can select it.
    Unlisted(T),
}

impl<T> Channel<T> {
    /// The type by which filters select it.
    pub(crate) fn listed(&self) -> Option<ConversationType> {
        match self {
            Self::Listed(listed) => Some(*listed),
            Self::Unlisted(_) => None,
        }
    }
}

impl Text for Channel<&[u8]> {
    #[inline(always)]
    fn write_to(&self, out: &mut SliceWriter<'_>) {
        match self {
            Self::Listed(listed) => out.bytes(listed.name().as_bytes()),
            Self::Unlisted(name) => out.bytes(name),
        }
    }
}

/// A conversation of the list. Times are milliseconds since 1970-01-01 UTC.
pub(crate) struct Conversation<'a, Id, User, Subject, Bot> {
    pub(crate) conversation_id: Id,
    pub(crate) user_id: User,
    pub(crate) recent_chat_time: i64,
    pub(crate) subject: Subject,
    pub(crate) conversation_type: Channel<&'a [u8]>,
    pub(crate) message_count: u64,
    pub(crate) cost_credit: Credits,
    pub(crate) bot_id: Bot,
    pub(crate) anonymous_id: Id,
}

/// A message, of either version of the endpoint.
pub(crate) struct Message<Id, Phrase> {
    pub(crate) message_id: Id,
    /// `None` for the first message of a conversation.
    pub(crate) parent_message_id: Option<Id>,
    pub(crate) message_type: MessageType,
    pub(crate) text: Phrase,
    pub(crate) create_time: i64,
    /// [`Feedback::None`] for a question.
    pub(crate) feedback: Feedback,
}

/// A question and the answer that follows it.
pub(crate) struct Qa<'a, Id, User, Phrase> {
    pub(crate) id: Id,
    pub(crate) q_time: i64,
    pub(crate) q: Phrase,
    pub(crate) a: Phrase,
    pub(crate) user_feedback: Feedback,
    pub(crate) convo_id: Id,
    pub(crate) convo_type: Channel<&'a [u8]>,
    pub(crate) aid: Id,
    pub(crate) user_id: User,
}

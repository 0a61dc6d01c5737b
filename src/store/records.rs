//! What a source of records offers to the store. Two are behind it: a fixture and the generator.

use crate::contract::ConversationType;
use crate::model::{Conversation, Feedback, Message, Qa};

/// What the indexes need to know of a conversation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    /// Milliseconds since 1970-01-01 UTC.
    pub(crate) recent_chat_time: i64,
    pub(crate) conversation_type: ConversationType,
    /// The user's number in this source; below 2^32.
    pub(crate) user: u32,
    /// How many Q&A pairs it holds.
    pub(crate) pairs: u32,
}

/// Records by number: conversations `0..len`, and in each its messages and Q&A pairs in the
/// order of the chain. Every method answers in a time that does not depend on how many there are.
/// A number out of range is the caller's mistake.
pub(crate) trait Records: Send + Sync {
    fn len(&self) -> u32;

    fn facts(&self, conversation: u32) -> Facts;

    /// The conversation with this id, exactly.
    fn find(&self, conversation_id: &str) -> Option<u32>;

    /// The number of the user with this id, exactly.
    fn find_user(&self, user_id: &str) -> Option<u32>;

    /// Writes the id as it is, not escaped, for ties in time.
    fn conversation_id(&self, conversation: u32, out: &mut Vec<u8>);

    /// Writes the id of a pair as it is, not escaped, for ties in time.
    fn qa_id(&self, conversation: u32, pair: u32, out: &mut Vec<u8>);

    /// How many messages the conversation holds.
    fn messages(&self, conversation: u32) -> u64;

    /// When the question of a pair was asked: milliseconds since 1970-01-01 UTC.
    fn question_time(&self, conversation: u32, pair: u32) -> i64;

    /// How the answer of a pair was rated.
    fn feedback(&self, conversation: u32, pair: u32) -> Feedback;

    /// Hears which conversations and pairs (`u32::MAX` for none) are asked for next, so that
    /// those that lie far apart in memory can be fetched together.
    fn expect(&self, _rows: &[(u32, u32)]) {}

    /// Lends a conversation.
    fn conversation(&self, conversation: u32, row: &mut dyn FnMut(&Conversation<'_>));

    /// Lends a message, by its position in the chain.
    fn message(&self, conversation: u32, position: u64, row: &mut dyn FnMut(&Message<'_>));

    /// Lends a Q&A pair.
    fn qa(&self, conversation: u32, pair: u32, row: &mut dyn FnMut(&Qa<'_>));
}

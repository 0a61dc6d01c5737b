//! What a source of records offers to the store. Two are behind it: a fixture and the generator.

use super::rendered::Room;
use crate::contract::{ConversationType, Feedback};
use crate::records::model::{Conversation, Message, Qa, Text};

/// Whose a conversation is, and where it was held.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    pub(crate) conversation_type: ConversationType,
    /// The user's number in this source; below 2^32.
    pub(crate) user: u32,
}

/// Records by number: conversations `0..len`, in each its messages by their position in the
/// chain, and Q&A pairs by a number of 32 bits that the source chooses. Every method answers in a
/// time that does not depend on how many there are. A number out of range is the caller's mistake.
pub(crate) trait Records: Send + Sync + 'static {
    fn len(&self) -> u32;

    /// The room for rows that are kept as they are written, of a source whose records are in
    /// memory anyway.
    fn room_for_rows(&self) -> Option<&Room> {
        None
    }

    fn facts(&self, conversation: u32) -> Facts;

    /// When the conversation was last active: milliseconds since 1970-01-01 UTC.
    fn recent_chat_time(&self, conversation: u32) -> i64;

    /// The longest that lies between a conversation's first question and its last activity, in
    /// milliseconds; `i64::MAX` where that is not known.
    fn longest(&self) -> i64 {
        i64::MAX
    }

    /// The conversation with this id, exactly.
    fn find(&self, conversation_id: &str) -> Option<u32>;

    /// The number of the user with this id, exactly.
    fn find_user(&self, user_id: &str) -> Option<u32>;

    /// The id as it is, not escaped, for ties in time.
    fn conversation_id(&self, conversation: u32) -> Vec<u8>;

    /// The id of a pair as it is, not escaped, for ties in time.
    fn qa_id(&self, pair: u32) -> Vec<u8>;

    /// Hands on the pairs of a conversation, in the order of the chain: the number of each, when
    /// its question was asked, in milliseconds since 1970-01-01 UTC, and how its answer was rated.
    fn pairs(&self, conversation: u32, each: impl FnMut(u32, i64, Feedback));

    /// When the question of a pair was asked: milliseconds since 1970-01-01 UTC.
    fn question_time(&self, pair: u32) -> i64;

    /// Hears which conversations are asked for next, so that those that lie far apart in memory
    /// can be fetched together.
    fn expect_conversations(&self, _conversations: &[u32]) {}

    /// Hears which pairs are asked for next.
    fn expect_pairs(&self, _pairs: &[u32]) {}

    fn conversation(
        &self,
        conversation: u32,
    ) -> Conversation<impl Text, impl Text, impl Text, impl Text>;

    /// The number of a conversation's first message among those of all conversations, of a source
    /// whose rows are kept.
    fn first_message(&self, _conversation: u32) -> u32 {
        0
    }

    /// The messages of a conversation.
    fn chain(&self, conversation: u32) -> impl Chain;

    fn qa(&self, pair: u32) -> Qa<impl Text, impl Text, impl Text>;
}

/// The messages of one conversation, oldest first.
pub(crate) trait Chain {
    /// How many messages there are.
    fn len(&self) -> u64;

    /// A message, by its position.
    fn message(&self, position: u64) -> Message<impl Text, impl Text>;
}

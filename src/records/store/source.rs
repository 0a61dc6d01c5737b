//! The interface between the store and a source of records. There are two sources: fixtures and the
//! generator.

use super::RowKind;
use crate::contract::{ConversationType, Feedback};
use crate::records::model::{Conversation, Message, Qa, Text};

/// The values of a conversation that filters use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConversationMeta {
    /// `None` if no filter can select it.
    pub(crate) conversation_type: Option<ConversationType>,
    /// The number of the user in this source.
    pub(crate) user: u32,
}

/// Records by number: conversations from 0 to `len`, the messages of a conversation by their position,
/// and Q&A pairs by a number of 32 bits that the source chooses. The time that a method takes does not
/// depend on how many records there are. The methods may panic for a number that is out of range.
pub(crate) trait RecordSource: Send + Sync + 'static {
    fn len(&self) -> u32;

    /// Whether the store caches written rows of this kind, so that a page is a copy.
    fn caches(&self, rows: RowKind) -> bool;

    /// The bytes of memory that the records take, without their texts, which sources share.
    fn bytes(&self) -> usize;

    fn meta(&self, conversation: u32) -> ConversationMeta;

    /// The time of a conversation's last message: milliseconds since 1970-01-01 UTC.
    fn recent_chat_time(&self, conversation: u32) -> i64;

    /// The earliest and the latest time of a question, in milliseconds since 1970-01-01 UTC. Only the index
    /// of pairs calls this method, and only once, so it may read all records.
    fn time_range(&self) -> (i64, i64);

    /// The conversation with exactly this id.
    fn find(&self, conversation_id: &str) -> Option<u32>;

    /// The number of the user with exactly this id.
    fn find_user(&self, user_id: &str) -> Option<u32>;

    /// The id of a conversation, not escaped. It orders conversations of the same time.
    fn conversation_id(&self, conversation: u32) -> Vec<u8>;

    /// The id of a pair, not escaped. It orders questions of the same time.
    fn qa_id(&self, pair: u32) -> Vec<u8>;

    /// Calls `each` for the pairs of a conversation, oldest first, with the number of the pair, the time
    /// of its question in milliseconds since 1970-01-01 UTC, and the feedback on its answer.
    fn pairs(&self, conversation: u32, each: impl FnMut(u32, i64, Feedback));

    /// The time of a pair's question: milliseconds since 1970-01-01 UTC.
    fn question_time(&self, pair: u32) -> i64;

    fn conversation(
        &self,
        conversation: u32,
    ) -> Conversation<'_, impl Text, impl Text, impl Text, impl Text>;

    /// The messages of a conversation.
    fn messages(&self, conversation: u32) -> impl MessageChain;

    fn qa(&self, pair: u32) -> Qa<'_, impl Text, impl Text, impl Text>;
}

/// The messages of one conversation, oldest first.
pub(crate) trait MessageChain {
    /// The number of messages.
    fn len(&self) -> u64;

    /// A message, by its position.
    fn message(&self, position: u64) -> Message<impl Text, impl Text>;
}

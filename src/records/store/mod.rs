//! Records and their indexes behind one query interface. The store knows no HTTP, and the HTTP layer
//! does not know how records are stored.

mod index;
mod indexed;
mod loaded;
#[cfg(test)]
mod query_cost;
mod row_cache;
mod source;
#[cfg(test)]
mod tests;
mod texts;

use std::sync::Arc;

use index::Ranks;
use indexed::{IndexedRecords, RecordQueries};
pub(crate) use loaded::{Columns, Duplicate, LoadedConversation, LoadedMessage, LoadedRecords};
pub(crate) use source::{ConversationMeta, MessageChain, RecordSource};
pub(crate) use texts::{TextRef, TextStore, TextStoreBuilder};

use crate::contract::{FeedbackFilter, QaTime, TypeFilter};
use crate::records::json::JsonBuf;
use crate::records::rows::MessageForm;

/// Which rows of the matches a page has: how many are skipped, how many are taken at most, and from
/// which end they are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slice {
    pub(crate) skip: u64,
    pub(crate) take: u64,
    /// Whether rows are counted from the last match backwards.
    pub(crate) reversed: bool,
}

impl Slice {
    /// The number of rows, of `total` matches.
    pub(crate) fn len(self, total: u64) -> u64 {
        self.take.min(total.saturating_sub(self.skip))
    }

    /// The positions of the rows among `total` matches, in the order of the page.
    fn positions(self, total: u64) -> impl Iterator<Item = u64> {
        (self.skip..self.skip.saturating_add(self.len(total)))
            .map(move |n| if self.reversed { total - 1 - n } else { n })
    }
}

/// The rows of a page that may need preparation: their kind, and the readings that change them.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RowKind {
    Conversations { with_anonymous_id: bool },
    Qa(QaTime),
}

/// The Q&A pairs of more conversations than this are indexed when they are asked for.
const LARGE: u64 = 50_000;

/// The records of one agent. Clones share them.
#[derive(Clone)]
pub(crate) struct Store {
    indexed: Arc<dyn RecordQueries>,
}

impl Store {
    /// Indexes records. The Q&A pairs of a large source are indexed by the first request for pairs,
    /// because that takes longer than the rest of the start.
    pub(crate) fn new(records: impl RecordSource) -> Self {
        let indexed = IndexedRecords::new(records);
        if indexed.len() <= LARGE {
            indexed.qa_index();
        }
        Self { indexed: Arc::new(indexed) }
    }

    /// Whether rows can be asked for without waiting: their index is made, and if they are cached, the
    /// cache is filled.
    pub(crate) fn is_ready(&self, rows: RowKind) -> bool {
        self.indexed.is_ready(rows)
    }

    /// Makes the index and the cache that rows need. Blocks for as long as that takes.
    pub(crate) fn prepare(&self, rows: RowKind) {
        self.indexed.prepare(rows);
    }

    /// The number of conversations.
    pub(crate) fn conversation_count(&self) -> u64 {
        self.indexed.len()
    }

    /// Conversations whose last message is within a window (both ends inclusive), newest first.
    pub(crate) fn conversations(
        &self,
        window: (i64, i64),
        of_type: TypeFilter,
        user_id: Option<&str>,
    ) -> Conversations<'_> {
        let ranks = self.indexed.conversations(window, of_type, user_id);
        Conversations { of: &*self.indexed, ranks }
    }

    /// The messages of a conversation, oldest first. `None` if there is no such conversation.
    pub(crate) fn messages(&self, conversation_id: &str) -> Option<Messages<'_>> {
        let (conversation, total) = self.indexed.messages(conversation_id)?;
        Some(Messages { of: &*self.indexed, conversation, total })
    }

    /// Q&A pairs asked within a window (both ends inclusive), oldest question first.
    pub(crate) fn qa(&self, window: (i64, i64), rated: FeedbackFilter) -> QaPairs<'_> {
        QaPairs { of: &*self.indexed, ranks: self.indexed.qa(window, rated) }
    }
}

/// The conversations that match.
pub(crate) struct Conversations<'a> {
    of: &'a dyn RecordQueries,
    ranks: Ranks<'a>,
}

impl Conversations<'_> {
    pub(crate) fn total(&self) -> u64 {
        self.ranks.len()
    }

    /// Writes rows, with commas between them.
    pub(crate) fn write(&self, slice: Slice, with_anonymous_id: bool, out: &mut JsonBuf) {
        self.of.write_conversations(&self.ranks, slice, with_anonymous_id, out);
    }
}

/// The messages of one conversation.
pub(crate) struct Messages<'a> {
    of: &'a dyn RecordQueries,
    conversation: u32,
    total: u64,
}

impl Messages<'_> {
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// Writes rows, with commas between them.
    pub(crate) fn write(&self, slice: Slice, form: MessageForm, out: &mut JsonBuf) {
        self.of.write_messages(self.conversation, slice, form, out);
    }
}

/// The Q&A pairs that match.
pub(crate) struct QaPairs<'a> {
    of: &'a dyn RecordQueries,
    ranks: Ranks<'a>,
}

impl QaPairs<'_> {
    pub(crate) fn total(&self) -> u64 {
        self.ranks.len()
    }

    /// Writes rows, with commas between them.
    pub(crate) fn write(&self, slice: Slice, unit: QaTime, out: &mut JsonBuf) {
        self.of.write_qa(&self.ranks, slice, unit, out);
    }
}

//! Records and their indexes behind one query interface. It knows no HTTP; the HTTP layer knows
//! nothing of how records are kept.

mod count;
mod index;
mod indexed;
mod loaded;
mod records;
mod rendered;
#[cfg(test)]
mod tests;
mod texts;

use std::sync::Arc;

use index::{Ranks, is_large};
use indexed::{Indexed, Queries};
pub(crate) use loaded::{Columns, Duplicate, Loaded, LoadedConversation, LoadedMessage};
pub(crate) use records::{Chain, Facts, Records};
pub(crate) use texts::{Str, Texts, TextsBuilder};

use crate::contract::{FeedbackFilter, QaTime, TypeFilter};
use crate::records::json::Out;
use crate::records::rows::MessageForm;

/// The rows of one answer: how many rows to skip, how many to take at most, from which end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slice {
    pub(crate) skip: u64,
    pub(crate) take: u64,
    /// Counts from the last match backwards: the exact reverse of the order.
    pub(crate) reversed: bool,
}

impl Slice {
    /// How many rows it holds, of `total` matches.
    pub(crate) fn len(self, total: u64) -> u64 {
        self.take.min(total.saturating_sub(self.skip))
    }

    /// The positions among `total` matches, in the order of the answer.
    fn positions(self, total: u64) -> impl Iterator<Item = u64> {
        (self.skip..self.skip.saturating_add(self.len(total)))
            .map(move |n| if self.reversed { total - 1 - n } else { n })
    }
}

/// What an answer has rows of, and how a row is written.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RowKind {
    Conversations { with_anonymous_id: bool },
    Messages(MessageForm),
    Qa(QaTime),
}

/// The records of one agent. A copy is of the same records.
#[derive(Clone)]
pub(crate) struct Store {
    indexed: Arc<dyn Queries>,
}

impl Store {
    /// Indexes records. Of many, the Q&A pairs are indexed in the background.
    pub(crate) fn new(records: impl Records) -> Self {
        let indexed = Arc::new(Indexed::new(records));
        let large = is_large(indexed.records.len());
        if large {
            let there = Arc::clone(&indexed);
            let background = move || {
                there.qa_index();
            };
            // Where no thread is to be had, the first who asks for pairs waits for their index.
            let _ = std::thread::Builder::new().spawn(background);
        } else {
            indexed.qa_index();
        }
        Self { indexed }
    }

    /// Whether rows can be asked for without waiting: their index is there, and so are all of them
    /// as they are written, where they are kept.
    pub(crate) fn is_ready(&self, rows: RowKind) -> bool {
        self.indexed.is_ready(rows)
    }

    /// Makes what rows need, or waits for whoever does.
    pub(crate) fn prepare(&self, rows: RowKind) {
        self.indexed.prepare(rows);
    }

    /// How many conversations there are.
    pub(crate) fn conversation_count(&self) -> u64 {
        self.indexed.len()
    }

    /// Conversations last active within a window (both ends inclusive), newest first.
    pub(crate) fn conversations(
        &self,
        window: (i64, i64),
        of_type: TypeFilter,
        user_id: Option<&str>,
    ) -> Conversations<'_> {
        let ranks = self.indexed.conversations(window, of_type, user_id);
        Conversations { of: &*self.indexed, ranks }
    }

    /// The messages of a conversation, oldest first. `None`: no such conversation.
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
    of: &'a dyn Queries,
    ranks: Ranks<'a>,
}

impl Conversations<'_> {
    pub(crate) fn total(&self) -> u64 {
        self.ranks.len()
    }

    /// Writes rows, with commas between them.
    pub(crate) fn write(&self, slice: Slice, with_anonymous_id: bool, out: &mut Out) {
        self.of.write_conversations(&self.ranks, slice, with_anonymous_id, out);
    }
}

/// The messages of one conversation.
pub(crate) struct Messages<'a> {
    of: &'a dyn Queries,
    conversation: u32,
    total: u64,
}

impl Messages<'_> {
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// Writes rows, with commas between them.
    pub(crate) fn write(&self, slice: Slice, form: MessageForm, out: &mut Out) {
        self.of.write_messages(self.conversation, slice, form, out);
    }
}

/// The Q&A pairs that match.
pub(crate) struct QaPairs<'a> {
    of: &'a dyn Queries,
    ranks: Ranks<'a>,
}

impl QaPairs<'_> {
    pub(crate) fn total(&self) -> u64 {
        self.ranks.len()
    }

    /// Writes rows, with commas between them.
    pub(crate) fn write(&self, slice: Slice, unit: QaTime, out: &mut Out) {
        self.of.write_qa(&self.ranks, slice, unit, out);
    }
}

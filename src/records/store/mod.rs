//! Records and their indexes behind one query interface. The store does not depend on HTTP, and the HTTP
//! layer does not depend on how records are stored.

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

use indexed::{IndexedRecords, RecordQueries};
pub(crate) use loaded::{Columns, Duplicate, LoadedConversation, LoadedMessage, LoadedRecords};
pub(crate) use source::{ConversationMeta, MessageChain, RecordSource};
pub(crate) use texts::{TextRef, TextStore, TextStoreBuilder};

use crate::contract::QaTime;

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

/// If there are more conversations than this, Q&A pairs are indexed when they are first requested.
const LARGE: u64 = 50_000;

/// The records of one agent, indexed. Clones share them.
pub(crate) type Store = Arc<dyn RecordQueries>;

/// Indexes records. The Q&A pairs of a large source are indexed by the first request for pairs,
/// because that takes longer than the rest of the start.
pub(crate) fn index_records(records: impl RecordSource) -> Store {
    let indexed = IndexedRecords::new(records);
    if indexed.conversation_count() <= LARGE {
        indexed.qa_index();
    }
    Arc::new(indexed)
}

/// Indexes records whole, so that no request makes them take more memory.
pub(crate) fn index_records_whole(records: impl RecordSource) -> Store {
    let indexed = IndexedRecords::new(records);
    indexed.qa_index();
    Arc::new(indexed)
}

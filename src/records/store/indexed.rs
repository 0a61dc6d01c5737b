//! Queries over records that are indexed, and the rows of their results.

use std::sync::OnceLock;

use super::index::{ConversationIndex, QaIndex, Ranks};
use super::row_cache::RowCache;
use super::{MessageChain, RecordSource, RowKind, Slice};
use crate::contract::{FeedbackFilter, QaTime, TypeFilter};
use crate::records::json::{JsonBuf, SliceWriter};
use crate::records::rows::{self, MessageForm};

/// The queries over indexed records of any source. Both ends of a time window are inclusive. Rows are
/// written with commas between them.
pub(crate) trait RecordQueries: Send + Sync {
    fn conversation_count(&self) -> u64;

    /// The bytes of memory that the records and their indexes take, without shared texts.
    fn bytes(&self) -> usize;

    /// Whether rows can be read without blocking: their index is built, and if they are cached, the cache is
    /// filled.
    fn is_ready(&self, rows: RowKind) -> bool;

    /// Builds the index and the cache that rows need. Blocks until that is done.
    fn prepare(&self, rows: RowKind);

    /// Conversations whose last message is within a window, newest first.
    fn conversations(
        &self,
        window: (i64, i64),
        of_type: TypeFilter,
        user_id: Option<&str>,
    ) -> Ranks<'_>;
    fn write_conversations(
        &self,
        ranks: &Ranks<'_>,
        slice: Slice,
        with_anonymous_id: bool,
        out: &mut JsonBuf,
    );

    /// The number of a conversation, and how many messages it has. `None` if there is no such
    /// conversation.
    fn messages(&self, conversation_id: &str) -> Option<(u32, u64)>;

    /// Writes messages of a conversation, which are counted from the oldest one.
    fn write_messages(&self, conversation: u32, slice: Slice, form: MessageForm, out: &mut JsonBuf);

    /// Q&A pairs asked within a window, oldest question first.
    fn qa(&self, window: (i64, i64), rated: FeedbackFilter) -> Ranks<'_>;
    fn write_qa(&self, ranks: &Ranks<'_>, slice: Slice, unit: QaTime, out: &mut JsonBuf);
}

/// The cached rows of a list of up to this many conversations are written by the first request itself, because
/// that takes less time than using another thread.
const FEW: u64 = 1000;

/// A source of records, and its indexes. The source is a type parameter, so that the code that builds a
/// record and the code that writes its row are compiled together.
pub(super) struct IndexedRecords<R> {
    pub(super) source: R,
    conversations: ConversationIndex,
    qa: OnceLock<QaIndex>,
    /// Rows of the list without `anonymous_id`, which is the default.
    conversation_rows: OnceLock<Option<RowCache>>,
    /// Rows of Q&A with the default unit of `q_time`.
    qa_rows: OnceLock<Option<RowCache>>,
}

impl<R: RecordSource> IndexedRecords<R> {
    pub(super) fn new(source: R) -> Self {
        Self {
            conversations: ConversationIndex::new(&source),
            source,
            qa: OnceLock::new(),
            conversation_rows: OnceLock::new(),
            qa_rows: OnceLock::new(),
        }
    }

    /// The index of Q&A pairs. The first caller builds it, and the others wait. If building it panics, the
    /// next caller tries again.
    pub(super) fn qa_index(&self) -> &QaIndex {
        self.qa.get_or_init(|| QaIndex::new(&self.source))
    }

    /// The number of the conversation at a rank of the list.
    #[cfg(test)]
    pub(super) fn number_at(&self, rank: u32) -> u32 {
        self.conversations.at(rank)
    }

    /// The cache that has rows of this kind, if such rows are cached at all.
    fn cache(&self, rows: RowKind) -> Option<&OnceLock<Option<RowCache>>> {
        let cache = match rows {
            RowKind::Conversations { with_anonymous_id: false } => &self.conversation_rows,
            RowKind::Qa(unit) if unit == QaTime::default() => &self.qa_rows,
            RowKind::Conversations { .. } | RowKind::Qa(_) => return None,
        };
        self.source.caches(rows).then_some(cache)
    }

    /// The cached rows of this kind. The first call writes them.
    pub(super) fn cached(&self, rows: RowKind) -> Option<&RowCache> {
        let cached = self.cache(rows)?.get_or_init(|| match rows {
            RowKind::Conversations { with_anonymous_id } => {
                RowCache::new(self.conversations.all(), |number, out| {
                    rows::conversation(out, &self.source.conversation(*number), with_anonymous_id);
                })
            }
            RowKind::Qa(unit) => RowCache::new(self.qa_index().all(), |pair, out| {
                rows::qa(out, &self.source.qa(*pair), unit);
            }),
        });
        cached.as_ref()
    }
}

impl<R: RecordSource> RecordQueries for IndexedRecords<R> {
    fn conversation_count(&self) -> u64 {
        u64::from(self.source.len())
    }

    fn bytes(&self) -> usize {
        let qa = self.qa.get().map_or(0, QaIndex::bytes);
        size_of::<Self>() + self.source.bytes() + self.conversations.bytes() + qa
    }

    fn conversations(
        &self,
        window: (i64, i64),
        of_type: TypeFilter,
        user_id: Option<&str>,
    ) -> Ranks<'_> {
        match user_id.map(|id| self.source.find_user(id)) {
            // A user who does not exist has no conversations.
            Some(None) => Ranks::Listed(&[]),
            Some(of_user) => self.conversations.select(&self.source, window, of_type, of_user),
            None => self.conversations.select(&self.source, window, of_type, None),
        }
    }

    fn write_conversations(
        &self,
        ranks: &Ranks<'_>,
        slice: Slice,
        with_anonymous_id: bool,
        out: &mut JsonBuf,
    ) {
        let cached = self.cached(RowKind::Conversations { with_anonymous_id });
        write_rows(slice, ranks.len(), out, |n, out| {
            let rank = ranks.get(n);
            if let Some(cache) = cached {
                out.bytes(cache.row(rank));
            } else {
                let conversation = self.source.conversation(self.conversations.at(rank));
                rows::conversation(out, &conversation, with_anonymous_id);
            }
        });
    }

    fn messages(&self, conversation_id: &str) -> Option<(u32, u64)> {
        let conversation = self.source.find(conversation_id)?;
        Some((conversation, self.source.messages(conversation).len()))
    }

    fn write_messages(
        &self,
        conversation: u32,
        slice: Slice,
        form: MessageForm,
        out: &mut JsonBuf,
    ) {
        let messages = self.source.messages(conversation);
        write_rows(slice, messages.len(), out, |position, out| {
            rows::message(out, &messages.message(position), form);
        });
    }

    fn is_ready(&self, rows: RowKind) -> bool {
        let is_indexed = match rows {
            RowKind::Conversations { .. } => true,
            RowKind::Qa(_) => self.qa.get().is_some(),
        };
        let are_few =
            matches!(rows, RowKind::Conversations { .. }) && self.conversation_count() <= FEW;
        is_indexed && (are_few || self.cache(rows).is_none_or(|cache| cache.get().is_some()))
    }

    fn prepare(&self, rows: RowKind) {
        if matches!(rows, RowKind::Qa(_)) {
            self.qa_index();
        }
        self.cached(rows);
    }

    fn qa(&self, window: (i64, i64), rated: FeedbackFilter) -> Ranks<'_> {
        self.qa_index().select(&self.source, window, rated)
    }

    fn write_qa(&self, ranks: &Ranks<'_>, slice: Slice, unit: QaTime, out: &mut JsonBuf) {
        let index = self.qa_index();
        let cached = self.cached(RowKind::Qa(unit));
        write_rows(slice, ranks.len(), out, |n, out| {
            let rank = ranks.get(n);
            match cached {
                Some(cache) => out.bytes(cache.row(rank)),
                None => rows::qa(out, &self.source.qa(index.at(rank)), unit),
            }
        });
    }
}

/// Writes the rows of a slice of `total` matches, with commas between them.
fn write_rows(
    slice: Slice,
    total: u64,
    out: &mut JsonBuf,
    write: impl Fn(u64, &mut SliceWriter<'_>),
) {
    for (written, position) in slice.positions(total).enumerate() {
        out.write(|out| {
            if written > 0 {
                out.byte(b',');
            }
            write(position, out);
        });
    }
}

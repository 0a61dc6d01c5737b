//! A cache of written rows, so that a page is a copy: the rows of large fixtures, and the list of a small
//! generated agent.
//!
//! The records of a page of a fixture are spread over the text of the files, so writing a row from there
//! waits several times for memory. The rows of a cache are in the order in which pages need them.

use crate::records::json::{JsonBuf, SliceWriter};

/// The most bytes that the rows of one kind of an agent may take. The rows of a larger fixture are not cached.
const MOST_BYTES: usize = 64 << 20;

/// Only few rows are longer than this.
const ROW_BYTES: usize = 400;

/// All rows of one kind, by rank.
pub(super) struct RowCache {
    bytes: Vec<u8>,
    /// Where each row ends.
    ends: Vec<u32>,
}

impl RowCache {
    /// Writes all rows. `None` if they take more than [`MOST_BYTES`].
    pub(super) fn new<Record>(
        records: impl Iterator<Item = Record>,
        write: impl Fn(&Record, &mut SliceWriter<'_>),
    ) -> Option<Self> {
        // Memory for rows of the usual length is reserved at once, because the process keeps the memory that a
        // growing buffer frees.
        let (rows, _) = records.size_hint();
        let mut out = JsonBuf::with_capacity(MOST_BYTES.min(rows * ROW_BYTES));
        let mut ends = Vec::with_capacity(rows);
        for record in records {
            out.write(|out| write(&record, out));
            if out.len() > MOST_BYTES {
                return None;
            }
            ends.push(u32::try_from(out.len()).expect("MOST_BYTES is below 4 GiB"));
        }
        let mut bytes = out.into_bytes();
        bytes.shrink_to_fit();
        ends.shrink_to_fit();
        Some(Self { bytes, ends })
    }

    /// The row at a rank.
    pub(super) fn row(&self, rank: u32) -> &[u8] {
        let rank = rank as usize;
        let start = rank.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[start as usize..self.ends[rank] as usize]
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::MOST_BYTES;
    use crate::contract::{ConversationType, Feedback, QaTime};
    use crate::document::Documents;
    use crate::records::generate::Generator;
    use crate::records::json::JsonBuf;
    use crate::records::model::{Channel, MessageType};
    use crate::records::rows;
    use crate::records::store::indexed::{IndexedRecords, RecordQueries};
    use crate::records::store::{
        Columns, LoadedConversation, LoadedMessage, LoadedRecords, RecordSource, RowKind, Slice,
        TextRef, TextStore, TextStoreBuilder,
    };

    const EVER: (i64, i64) = (i64::MIN, i64::MAX);
    const KINDS: [RowKind; 2] =
        [RowKind::Conversations { with_anonymous_id: false }, RowKind::Qa(QaTime::Seconds)];

    const PAGE: Slice = Slice { skip: 0, take: 100, reversed: false };

    /// Conversations of a question and its answer.
    fn agent(conversations: i64, question: &str) -> IndexedRecords<LoadedRecords> {
        let documents = Documents::default();
        let mut texts = TextStoreBuilder::new(&documents, None);
        let mut columns = Columns::default();
        let question_text = texts.add(question);
        for n in 0..conversations {
            let conversation = LoadedConversation {
                conversation_id: texts.add(&format!("c{n}")),
                user_id: texts.add("u"),
                anonymous_id: TextRef::default(),
                subject: texts.add("About this"),
                recent_chat_time: n,
                cost_credit: 0.5,
                conversation_type: Channel::Listed(ConversationType::Api),
            };
            let message = |message_type, message_id, text| LoadedMessage {
                message_id,
                text,
                create_time: n,
                message_type,
                feedback: Feedback::None,
            };
            let messages = [
                message(MessageType::Question, texts.add(&format!("What{n}")), question_text),
                message(MessageType::Answer, texts.add(&format!("That{n}")), texts.add("That.")),
            ];
            let qa = (0, texts.add(&format!("q{n}")));
            assert!(columns.add(&texts, conversation, &messages, &[qa]).is_empty());
        }
        let (added, _) = texts.finish().unwrap();
        let texts = Arc::new(TextStore::new(documents, &added));
        IndexedRecords::new(LoadedRecords::new(texts, TextRef::default(), columns))
    }

    /// The first request for rows of a large fixture has them written on another thread.
    #[test]
    fn rows_of_a_large_fixture_are_ready_once_they_are_written() {
        let large = agent(2500, "What?");
        for kind in KINDS {
            assert!(!large.is_ready(kind), "{kind:?}");
            large.prepare(kind);
            assert!(large.is_ready(kind), "{kind:?}");
            assert!(large.cached(kind).is_some(), "{kind:?}");
        }
        // Rows that are never cached need no preparation.
        assert!(large.is_ready(RowKind::Conversations { with_anonymous_id: true }));
        assert!(large.is_ready(RowKind::Qa(QaTime::Milliseconds)));
        let small = agent(3, "What?");
        small.qa_index();
        for kind in KINDS {
            assert!(small.is_ready(kind), "{kind:?}");
        }
    }

    #[test]
    fn a_page_of_cached_rows_is_the_same_as_a_page_of_written_ones() {
        let large = agent(2500, "What?");
        assert!(KINDS.iter().all(|kind| large.source.caches(*kind)));
        let mut cached = JsonBuf::default();
        let ranks = large.conversations(EVER, None, None);
        large.write_conversations(&ranks, PAGE, false, &mut cached);
        cached.bytes(b",");
        large.write_qa(&large.qa(EVER, None), PAGE, QaTime::default(), &mut cached);
        let mut written = JsonBuf::default();
        for number in (2400..2500).rev() {
            written.write(|out| {
                rows::conversation(out, &large.source.conversation(number), false);
            });
            written.bytes(b",");
        }
        for pair in 0..100 {
            written.write(|out| rows::qa(out, &large.source.qa(pair), QaTime::default()));
            written.bytes(b",");
        }
        written.truncate(written.len() - 1);
        assert!(cached.into_bytes() == written.into_bytes());
    }

    #[test]
    fn the_list_of_a_small_generated_agent_is_kept_and_that_of_a_large_one_is_computed() {
        const END_MS: i64 = 1_760_918_400_000;
        for (conversations, kept) in [(0, true), (1, true), (1000, true), (1001, false)] {
            let store = IndexedRecords::new(Generator::new(1, conversations, END_MS, END_MS));
            assert_eq!(store.cached(KINDS[0]).is_some(), kept, "{conversations}");
            assert!(store.cached(KINDS[1]).is_none());
            let total = u64::from(conversations);
            for (of_type, with_anonymous_id) in [
                (None, false),
                (None, true),
                (Some(ConversationType::Api), false),
                (Some(ConversationType::Api), true),
            ] {
                let ranks = store.conversations(EVER, of_type, None);
                let rows: Vec<Vec<u8>> = (0..ranks.len())
                    .map(|n| {
                        let mut row = JsonBuf::default();
                        let number = store.number_at(ranks.get(n));
                        let conversation = store.source.conversation(number);
                        row.write(|out| rows::conversation(out, &conversation, with_anonymous_id));
                        row.into_bytes()
                    })
                    .collect();
                for (skip, take) in [(0, total), (0, 1), (1, 7), (100, 10), (total / 2, total)] {
                    for reversed in [false, true] {
                        let slice = Slice { skip, take, reversed };
                        let mut page = JsonBuf::default();
                        store.write_conversations(&ranks, slice, with_anonymous_id, &mut page);
                        let mut expected = rows.clone();
                        if reversed {
                            expected.reverse();
                        }
                        let [skip, take] = [skip, take].map(|n| usize::try_from(n).unwrap());
                        let expected: Vec<_> = expected.into_iter().skip(skip).take(take).collect();
                        let expected = expected.join(&b","[..]);
                        assert!(page.into_bytes() == expected, "{conversations}, {slice:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn rows_that_take_too_much_memory_are_not_cached() {
        let question = "x".repeat(MOST_BYTES / 2000);
        let large = agent(2500, &question);
        for kind in KINDS {
            large.prepare(kind);
            assert!(large.is_ready(kind), "{kind:?}");
        }
        assert!(large.cached(KINDS[0]).is_some());
        assert!(large.cached(KINDS[1]).is_none());
        let mut out = JsonBuf::default();
        large.write_qa(&large.qa(EVER, None), PAGE, QaTime::default(), &mut out);
        let rows = String::from_utf8(out.into_bytes()).unwrap();
        assert_eq!(rows.matches(&question).count(), 100);
    }
}

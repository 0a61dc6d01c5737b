//! Tests of the cost of a query: the number of records, and of keys of records, that it reads from the source.

use std::sync::atomic::{AtomicU64, Ordering};

use super::indexed::{IndexedRecords, RecordQueries};
use super::{ConversationMeta, MessageChain, RecordSource, RowKind, Slice};
use crate::contract::{ConversationType, Feedback, QaTime};
use crate::records::generate::Generator;
use crate::records::json::JsonBuf;
use crate::records::model::{Conversation, Message, Qa, Text};
use crate::records::rows::MessageForm;

/// A source that counts the calls to it.
struct Counting<S> {
    source: S,
    asked: AtomicU64,
}

impl<S> Counting<S> {
    fn count(&self) -> &S {
        self.asked.fetch_add(1, Ordering::Relaxed);
        &self.source
    }

    /// The number of calls while `work` runs.
    fn asked(&self, work: impl FnOnce()) -> u64 {
        let before = self.asked.load(Ordering::Relaxed);
        work();
        self.asked.load(Ordering::Relaxed) - before
    }
}

impl<S: RecordSource> RecordSource for Counting<S> {
    fn bytes(&self) -> usize {
        self.source.bytes()
    }

    fn len(&self) -> u32 {
        self.source.len()
    }

    fn caches(&self, _: RowKind) -> bool {
        false
    }

    fn meta(&self, conversation: u32) -> ConversationMeta {
        self.count().meta(conversation)
    }

    fn recent_chat_time(&self, conversation: u32) -> i64 {
        self.count().recent_chat_time(conversation)
    }

    fn time_range(&self) -> (i64, i64) {
        self.source.time_range()
    }

    fn find(&self, conversation_id: &str) -> Option<u32> {
        self.source.find(conversation_id)
    }

    fn find_user(&self, user_id: &str) -> Option<u32> {
        self.source.find_user(user_id)
    }

    fn conversation_id(&self, conversation: u32) -> Vec<u8> {
        self.count().conversation_id(conversation)
    }

    fn qa_id(&self, pair: u32) -> Vec<u8> {
        self.count().qa_id(pair)
    }

    fn pairs(&self, conversation: u32, each: impl FnMut(u32, i64, Feedback)) {
        self.count().pairs(conversation, each);
    }

    fn question_time(&self, pair: u32) -> i64 {
        self.count().question_time(pair)
    }

    fn conversation(
        &self,
        conversation: u32,
    ) -> Conversation<'_, impl Text, impl Text, impl Text, impl Text> {
        self.count().conversation(conversation)
    }

    fn messages(&self, conversation: u32) -> impl MessageChain {
        CountingMessages { of: self, messages: self.source.messages(conversation) }
    }

    fn qa(&self, pair: u32) -> Qa<'_, impl Text, impl Text, impl Text> {
        self.count().qa(pair)
    }
}

struct CountingMessages<'a, S, M> {
    of: &'a Counting<S>,
    messages: M,
}

impl<S, M: MessageChain> MessageChain for CountingMessages<'_, S, M> {
    fn len(&self) -> u64 {
        self.messages.len()
    }

    fn message(&self, position: u64) -> Message<impl Text, impl Text> {
        self.of.count();
        self.messages.message(position)
    }
}

/// Rows of a page.
const ROWS: u64 = 100;

/// The first, the middle and the last page of so many rows, and the last one reversed.
fn pages(total: u64) -> impl Iterator<Item = Slice> {
    let skip = [(0, false), (total / 2, false), (total.saturating_sub(ROWS), false), (0, true)];
    skip.into_iter().map(|(skip, reversed)| Slice { skip, take: ROWS, reversed })
}

/// Windows: everything, the half in the middle, an hour, nothing.
fn windows(end_ms: i64) -> [(i64, i64); 4] {
    const DAY: i64 = 86_400_000;
    [
        (i64::MIN, i64::MAX),
        (end_ms - 22 * DAY, end_ms - 8 * DAY),
        (end_ms - 10 * DAY, end_ms - 10 * DAY + DAY / 24),
        (5, 4),
    ]
}

/// The user with the most conversations.
fn heavy_user(records: &IndexedRecords<Counting<Generator>>) -> String {
    let number = (0..records.source.len()).find(|n| records.source.meta(*n).user == 1).unwrap();
    String::from_utf8(JsonBuf::escaped(&records.source.conversation(number).user_id)).unwrap()
}

#[test]
fn a_page_costs_its_rows_and_a_few_binary_searches() {
    const END_MS: i64 = 1_760_918_400_000;
    for len in [1000, 10_000, 100_000] {
        let source = Generator::new(1, len, END_MS, END_MS);
        let asked = AtomicU64::new(0);
        let records = IndexedRecords::new(Counting { source, asked });
        let allowed = |rows: u64, total: u64| rows + 8 * u64::from(total.max(2).ilog2() + 1);
        let user = heavy_user(&records);
        for window in windows(END_MS) {
            for of_type in [None, Some(ConversationType::Api), Some(ConversationType::SoBot)] {
                for user_id in [None, Some(&*user), Some("nobody")] {
                    for slice in pages(records.conversations(window, of_type, user_id).len()) {
                        let mut rows = 0;
                        let count = records.source.asked(|| {
                            let found = records.conversations(window, of_type, user_id);
                            rows = slice.len(found.len());
                            let mut out = JsonBuf::with_capacity(200_000);
                            records.write_conversations(&found, slice, false, &mut out);
                        });
                        let most = allowed(rows, len.into());
                        assert!(count <= most, "{len} {of_type:?} {user_id:?}: {count} > {most}");
                        assert!(count >= rows, "not counted");
                    }
                }
            }
            records.qa_index();
            let pairs = records.qa((i64::MIN, i64::MAX), None).len();
            for rated in [None].into_iter().chain(Feedback::ALL.map(Some)) {
                for slice in pages(records.qa(window, rated).len()) {
                    let mut rows = 0;
                    let count = records.source.asked(|| {
                        let found = records.qa(window, rated);
                        rows = slice.len(found.len());
                        let mut out = JsonBuf::with_capacity(200_000);
                        records.write_qa(&found, slice, QaTime::Milliseconds, &mut out);
                    });
                    let most = allowed(rows, pairs);
                    assert!(count <= most, "{len} {rated:?}: {count} > {most}");
                    assert!(count >= rows, "not counted");
                }
            }
        }
        let id = String::from_utf8(records.source.conversation_id(len / 2)).unwrap();
        let (conversation, total) = records.messages(&id).unwrap();
        for slice in pages(total) {
            let count = records.source.asked(|| {
                let mut out = JsonBuf::with_capacity(200_000);
                records.write_messages(conversation, slice, MessageForm::V2, &mut out);
            });
            assert_eq!(count, slice.len(total));
        }
    }
}

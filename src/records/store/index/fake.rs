//! A source for tests.

use crate::contract::{CONVERSATION_TYPES, Feedback};
use crate::records::generate::mix;
use crate::records::json::SliceWriter;
use crate::records::model::{Conversation, Message, Qa, Text};
use crate::records::store::{ConversationMeta, MessageChain, RecordSource, RowKind};

/// A source that has only the values that indexes need.
pub(in crate::records::store) struct Fake {
    conversations: Vec<FakeConversation>,
    broken: bool,
}

struct FakeConversation {
    time: i64,
    meta: ConversationMeta,
    /// When each question was asked, and how its answer was rated.
    pairs: Vec<(i64, Feedback)>,
}

/// For the methods that no test calls.
fn never<T>() -> T {
    unreachable!("an index asks for no row")
}

struct NoText;

impl Text for NoText {
    fn write_to(&self, _: &mut SliceWriter<'_>) {
        never::<()>();
    }
}

struct NoMessages;

impl MessageChain for NoMessages {
    fn len(&self) -> u64 {
        never()
    }

    fn message(&self, _: u64) -> Message<impl Text, impl Text> {
        never::<Message<NoText, NoText>>()
    }
}

impl RecordSource for Fake {
    fn bytes(&self) -> usize {
        0
    }

    fn len(&self) -> u32 {
        u32::try_from(self.conversations.len()).unwrap()
    }

    fn caches(&self, _: RowKind) -> bool {
        false
    }

    fn meta(&self, conversation: u32) -> ConversationMeta {
        self.conversations[conversation as usize].meta
    }

    fn recent_chat_time(&self, conversation: u32) -> i64 {
        self.conversations[conversation as usize].time
    }

    fn time_range(&self) -> (i64, i64) {
        let times =
            || self.conversations.iter().flat_map(|talk| &talk.pairs).map(|(time, _)| *time);
        (times().min().unwrap_or(0), times().max().unwrap_or(0))
    }

    fn find(&self, _: &str) -> Option<u32> {
        never()
    }

    fn find_user(&self, _: &str) -> Option<u32> {
        never()
    }

    // Ids are in no order that numbers are in, and of several lengths.

    fn conversation_id(&self, conversation: u32) -> Vec<u8> {
        mix(u64::from(conversation)).to_string().into_bytes()
    }

    fn qa_id(&self, pair: u32) -> Vec<u8> {
        mix(u64::from(pair) ^ 0xabc).to_string().into_bytes()
    }

    fn pairs(&self, conversation: u32, mut each: impl FnMut(u32, i64, Feedback)) {
        assert!(!self.broken, "on purpose");
        let talk = &self.conversations[conversation as usize];
        for (question, (time, feedback)) in (0..).zip(&talk.pairs) {
            each(conversation << 8 | question, *time, *feedback);
        }
    }

    fn question_time(&self, pair: u32) -> i64 {
        self.conversations[(pair >> 8) as usize].pairs[(pair & 0xff) as usize].0
    }

    fn conversation(&self, _: u32) -> Conversation<'_, impl Text, impl Text, impl Text, impl Text> {
        never::<Conversation<NoText, NoText, NoText, NoText>>()
    }

    fn messages(&self, _: u32) -> impl MessageChain {
        never::<NoMessages>()
    }

    fn qa(&self, _: u32) -> Qa<'_, impl Text, impl Text, impl Text> {
        never::<Qa<NoText, NoText, NoText>>()
    }
}

impl Fake {
    /// From now on, reading pairs panics.
    pub(in crate::records::store) fn break_pairs(&mut self) {
        self.broken = true;
    }

    /// `len` conversations, each last active at a time that is made from its number and a word.
    /// Questions were asked at most `longest` before, or whenever that may be for `i64::MAX`.
    pub(in crate::records::store) fn new(
        len: u32,
        longest: i64,
        time: impl Fn(u32, u64) -> i64,
    ) -> Self {
        let talk = |number: u32| {
            let word = mix(u64::from(number) ^ 0x5eed);
            let last = time(number, mix(word));
            // Few users are heavy, and numbers may be large.
            let user = [1, 2, 3, 1023, 1024, u32::MAX, number][(word >> 8 & 7).min(6) as usize];
            let pair = |n: u64| {
                let word = mix(word ^ n);
                let asked = match longest {
                    i64::MAX => time(number, word),
                    _ => last.saturating_sub((word >> 1).cast_signed() % (longest + 1)),
                };
                (asked, Feedback::ALL[[0, 0, 0, 0, 0, 1, 1, 2][(word >> 60 & 7) as usize]])
            };
            FakeConversation {
                time: last,
                meta: ConversationMeta {
                    // A few have a channel that is not listed.
                    conversation_type: CONVERSATION_TYPES
                        .get((word >> 16 & 0xfff) as usize % (CONVERSATION_TYPES.len() + 1))
                        .map(|row| row.0),
                    user,
                },
                pairs: (0..word >> 32 & 7).map(pair).collect(),
            }
        };
        Self { conversations: (0..len).map(talk).collect(), broken: false }
    }
}

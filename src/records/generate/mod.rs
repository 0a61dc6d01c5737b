//! Generated records. Each is a pure function of (seed, data version, number) and is not stored, so any
//! record can be generated at any time. The n-th conversation is the same for any number of conversations.
//!
//! - `draws`: random numbers
//! - `timeline`: the times of conversations
//! - `ids`, `users`: the ids of records and of users
//! - `phrases`: the texts of messages
//! - `tables`: how often channels are used, how long conversations are, how far apart questions are

mod draws;
mod ids;
mod phrases;
mod tables;
mod timeline;
mod users;

use std::cmp::Reverse;

pub(crate) use draws::mix;
use draws::{Draws, RecordDraws, TABLE_BITS, WeightedTable, reduce, scramble, stream};
use ids::{Id, IdKind, Ids};
use phrases::Phrase;
use tables::{CHANNELS, FIRST_DAY, LENGTHS, PACES, SLOWEST_ANSWER_MS};
use timeline::ActivityTimeline;
use users::{UserId, Users};

use crate::contract::ConversationType;
use crate::records::model::{
    Channel, Conversation, Credits, Feedback, Message, MessageType, Qa, Text,
};
use crate::records::store::{ConversationMeta, MessageChain, RecordSource, RowKind};

/// The most conversations that one agent can have. It is ten times the number that the largest known user of
/// the real service exports, and small enough for 32-bit numbers.
pub const MAX_CONVERSATIONS: u32 = 10_000_000;

/// The rows of the list of this many conversations take 350 KiB.
const MOST_KEPT: u32 = 1000;

/// The most bytes that the row of a conversation takes, if the list is cached.
const KEPT_BYTES_EACH: usize = 512;

/// The bytes that the records of a seed take independent of their number: the tables that they are drawn from.
const TABLES_BYTES: usize = 160 << 10;

/// The most bytes that a conversation with its five pairs takes in addition while records are indexed: 16 for
/// the indexes of conversations, 40 for those of pairs, and 72 while they are sorted.
const MOST_BYTES_EACH: usize = 128;

/// The most bytes that generating and indexing records takes.
pub(crate) fn making_bytes(conversations: u32) -> usize {
    (conversations as usize).saturating_mul(MOST_BYTES_EACH) + own_bytes(conversations)
}

/// The bytes that generated records take besides their indexes.
fn own_bytes(conversations: u32) -> usize {
    let kept = if conversations <= MOST_KEPT { conversations as usize } else { 0 };
    TABLES_BYTES + kept * KEPT_BYTES_EACH
}

/// How many low bits of a pair's number are the number of its question. The others are the number of its
/// conversation.
const PAIR_BITS: u32 = 8;

const _: () = assert!(MAX_CONVERSATIONS < 1 << (32 - PAIR_BITS));

/// The purpose of a draw of a conversation. The draw of the n-th exchange is `Exchange + n`.
enum Purpose {
    Kind,
    Position,
    User,
    Length,
    Gap,
    Cost,
    Welcome,
    Exchange,
}

/// The generator of one agent's records.
pub(crate) struct Generator {
    len: u32,
    draws: Draws,
    timeline: ActivityTimeline,
    /// The first position at which a conversation's last question may be asked.
    first_end: u64,
    /// How many positions there are for last questions.
    ends: u64,
    ids: Ids,
    bot_id: Vec<u8>,
    users: Users,
    channels: WeightedTable<ConversationType>,
    lengths: WeightedTable<(u16, u16)>,
    paces: WeightedTable<(u64, u64)>,
    languages: WeightedTable<u8>,
}

/// A conversation without its texts and ids.
struct GeneratedConversation<'a> {
    generator: &'a Generator,
    number: u32,
    draws: RecordDraws,
    conversation_type: ConversationType,
    language: u8,
    has_welcome: bool,
    has_subject: bool,
    questions: u32,
    /// How many questions were answered. Only the last one may not be.
    pairs: u32,
    /// The position of the last question.
    end: u64,
    /// How many positions lie between two questions.
    gap: u64,
}

impl Generator {
    /// The user with the most of this many conversations also has the most of any larger number. User 1 has a
    /// twentieth of them and the next user a fortieth, so the chance that a seed draws another user more often
    /// up to this number is below 10^-60.
    const DECISIVE: u32 = 1 << 15;

    /// A generator of `len` conversations. They happen in the 30 days that end at the midnight `end_ms`, and
    /// all messages are before the time `until_ms` of the last day.
    pub(crate) fn new(seed: u64, len: u32, end_ms: i64, until_ms: i64) -> Self {
        let timeline = ActivityTimeline::new(seed, end_ms);
        let ids = Ids::new(seed);
        let first_end = timeline.day(FIRST_DAY);
        // Even the slowest answer to a last question is before the end.
        let last_end = timeline.position(until_ms) - SLOWEST_ANSWER_MS * timeline.busiest;
        Self {
            len: len.min(MAX_CONVERSATIONS),
            draws: Draws::new(&mut stream(seed, 0)),
            timeline,
            first_end,
            ends: last_end - first_end,
            ids,
            bot_id: ids.id(IdKind::Anonymous, 0, 0).to_bytes(),
            users: Users::new(seed),
            channels: WeightedTable::new(CHANNELS),
            lengths: WeightedTable::new(LENGTHS),
            paces: WeightedTable::new(PACES),
            languages: WeightedTable::new(&phrases::languages()),
        }
    }

    #[inline(always)]
    fn generate(&self, number: u32) -> GeneratedConversation<'_> {
        let draws = self.draws.record(number);
        // Each choice uses its own bits, so that choices do not depend on each other.
        let kind = draws.at(Purpose::Kind as u64);
        let length = draws.at(Purpose::Length as u64);
        let (from, to) = self.lengths.draw(length);
        let questions = u32::from(from) + reduce32(length, u32::from(to - from) + 1);
        // One conversation in ten ends on a question.
        let unanswered = (kind >> 40 & 0xff) < 26;
        let pace = draws.at(Purpose::Gap as u64);
        let (from, to) = self.paces.draw(pace);
        let gap = (from * 1000 + reduce(pace, (to - from) * 1000)) * self.timeline.busiest;
        GeneratedConversation {
            generator: self,
            number,
            draws,
            conversation_type: self.channels.draw(kind),
            language: self.languages.draw(kind >> TABLE_BITS),
            has_welcome: (kind >> 24 & 0xff) < 77,
            has_subject: (kind >> 32 & 0xff) >= 8,
            questions,
            pairs: questions - u32::from(unanswered),
            end: self.first_end + reduce(draws.at(Purpose::Position as u64), self.ends),
            // All questions have to fit between the beginning and the first end.
            gap: gap.min(self.first_end / u64::from(questions)),
        }
    }

    /// Gives the user with the most conversations another id, which no other user of the seed has
    /// ([`has_other_user`](Self::has_other_user)).
    pub(crate) fn name_heaviest_user(&mut self, id: &str) {
        if let Some(user) = self.heaviest_user() {
            self.users.rename(user, id);
        }
    }

    /// The user with the most conversations; if several users have equally many, the one with the lowest
    /// number. `None` if there are no conversations.
    fn heaviest_user(&self) -> Option<u32> {
        let numbers = 0..self.len.min(Self::DECISIVE);
        let mut users: Vec<u32> = numbers.map(|n| Self::user(self.draws.record(n))).collect();
        users.sort_unstable();
        let by_user = users.chunk_by(u32::eq);
        by_user.max_by_key(|same| (same.len(), Reverse(same[0]))).map(|same| same[0])
    }

    /// Whether a user other than the one with the most conversations has this id. Users who would get their
    /// first conversation only with a larger number of conversations count, too.
    pub(crate) fn has_other_user(&self, id: &str) -> bool {
        self.users.find(id).is_some_and(|user| self.heaviest_user() != Some(user))
    }

    fn user(draws: RecordDraws) -> u32 {
        Users::user(draws.at(Purpose::User as u64))
    }

    #[inline(always)]
    fn id(&self, of: IdKind, record: u32, part: u32) -> Id {
        self.ids.id(of, record, u16::try_from(part).expect("no conversation has 65,536 messages"))
    }
}

/// A word reduced to `0..below`.
fn reduce32(word: u64, below: u32) -> u32 {
    u32::try_from(reduce(word, u64::from(below))).expect("a smaller number than `below`")
}

impl<'a> GeneratedConversation<'a> {
    /// The draw that determines everything about an exchange.
    fn exchange(&self, question: u32) -> u64 {
        self.draws.at(Purpose::Exchange as u64 + u64::from(question))
    }

    /// The time of a question: milliseconds since 1970-01-01 UTC.
    fn asked(&self, question: u32, exchange: u64) -> i64 {
        let later = u64::from(self.questions - 1 - question);
        let jitter = reduce(exchange, self.gap / 2) * later.min(1);
        self.generator.timeline.time(self.end - later * self.gap - jitter)
    }

    /// How long the answer of an exchange took, in milliseconds.
    fn latency(exchange: u64) -> i64 {
        let word = scramble(exchange ^ 0x1a7e);
        // The smaller of two draws is taken, so that most answers are quick.
        let range = SLOWEST_ANSWER_MS - 1200;
        (1200 + reduce(word, range).min(reduce(word << 32, range))).cast_signed()
    }

    #[inline(always)]
    fn texts(&self, question: u32, exchange: u64) -> [Phrase; 2] {
        phrases::exchange(self.language, exchange, question == 0)
    }

    /// The time of the last message, which is an answer or a question that was not answered.
    #[inline(always)]
    fn recent_chat_time(&self) -> i64 {
        let last = self.questions - 1;
        let asked = self.generator.timeline.time(self.end);
        asked + i64::from(self.pairs == self.questions) * Self::latency(self.exchange(last))
    }

    fn messages(&self) -> u32 {
        u32::from(self.has_welcome) + self.questions + self.pairs
    }

    /// Credits in proportion to the number of messages.
    fn cost_credit(&self) -> Credits {
        let rate = 2 + reduce32(self.draws.at(Purpose::Cost as u64), 30);
        Credits::Hundredths((self.messages() * rate).div_ceil(8))
    }

    fn user_id(&self) -> UserId<'a> {
        self.generator.users.id(Generator::user(self.draws))
    }

    fn message_id(&self, position: u32) -> Id {
        self.generator.id(IdKind::Message, self.number, position)
    }
}

/// The rating of the answer of an exchange.
fn rating(exchange: u64) -> Feedback {
    match reduce(scramble(exchange ^ 0xfeed), 100) {
        0..11 => Feedback::Good,
        11..17 => Feedback::Bad,
        _ => Feedback::None,
    }
}

/// The conversation of a pair, and the number of its question.
fn pair(pair: u32) -> (u32, u32) {
    (pair >> PAIR_BITS, pair & ((1 << PAIR_BITS) - 1))
}

impl RecordSource for Generator {
    /// The list of an agent of the usual size is cached. The rows of its Q&A pairs would take six times as
    /// much memory, and the rows of a large agent are computed in a third of a microsecond each.
    fn caches(&self, rows: RowKind) -> bool {
        matches!(rows, RowKind::Conversations { .. }) && self.len <= MOST_KEPT
    }

    fn bytes(&self) -> usize {
        own_bytes(self.len)
    }

    fn len(&self) -> u32 {
        self.len
    }

    fn meta(&self, conversation: u32) -> ConversationMeta {
        let generated = self.generate(conversation);
        ConversationMeta {
            conversation_type: Some(generated.conversation_type),
            user: Self::user(generated.draws),
        }
    }

    fn recent_chat_time(&self, conversation: u32) -> i64 {
        self.generate(conversation).recent_chat_time()
    }

    fn time_range(&self) -> (i64, i64) {
        (self.timeline.time(0), self.timeline.time(self.timeline.end() - 1))
    }

    fn find(&self, conversation_id: &str) -> Option<u32> {
        self.ids.conversation(conversation_id).filter(|conversation| *conversation < self.len)
    }

    fn find_user(&self, user_id: &str) -> Option<u32> {
        self.users.find(user_id)
    }

    fn conversation_id(&self, conversation: u32) -> Vec<u8> {
        self.id(IdKind::Conversation, conversation, 0).to_bytes()
    }

    fn qa_id(&self, number: u32) -> Vec<u8> {
        let (conversation, question) = pair(number);
        self.id(IdKind::Qa, conversation, question).to_bytes()
    }

    fn pairs(&self, conversation: u32, mut each: impl FnMut(u32, i64, Feedback)) {
        let generated = self.generate(conversation);
        for question in 0..generated.pairs {
            let number = conversation << PAIR_BITS | question;
            let exchange = generated.exchange(question);
            each(number, generated.asked(question, exchange), rating(exchange));
        }
    }

    fn question_time(&self, number: u32) -> i64 {
        let (conversation, question) = pair(number);
        let generated = self.generate(conversation);
        generated.asked(question, generated.exchange(question))
    }

    #[inline(always)]
    fn conversation(
        &self,
        conversation: u32,
    ) -> Conversation<'_, impl Text, impl Text, impl Text, impl Text> {
        let generated = self.generate(conversation);
        let [question, _] = generated.texts(0, generated.exchange(0));
        let user = Self::user(generated.draws);
        Conversation {
            conversation_id: self.id(IdKind::Conversation, conversation, 0),
            user_id: self.users.id(user),
            recent_chat_time: generated.recent_chat_time(),
            subject: generated.has_subject.then_some(question),
            conversation_type: Channel::Listed(generated.conversation_type),
            message_count: u64::from(generated.messages()),
            cost_credit: generated.cost_credit(),
            bot_id: &*self.bot_id,
            anonymous_id: self.id(IdKind::Anonymous, user, 0),
        }
    }

    fn messages(&self, conversation: u32) -> impl MessageChain {
        self.generate(conversation)
    }

    #[inline(always)]
    fn qa(&self, number: u32) -> Qa<'_, impl Text, impl Text, impl Text> {
        let (conversation, question) = pair(number);
        let generated = self.generate(conversation);
        let exchange = generated.exchange(question);
        let [q, a] = generated.texts(question, exchange);
        Qa {
            id: self.id(IdKind::Qa, conversation, question),
            q_time: generated.asked(question, exchange),
            q,
            a,
            user_feedback: rating(exchange),
            convo_id: self.id(IdKind::Conversation, conversation, 0),
            convo_type: Channel::Listed(generated.conversation_type),
            aid: generated.message_id(u32::from(generated.has_welcome) + 2 * question + 1),
            user_id: generated.user_id(),
        }
    }
}

impl MessageChain for GeneratedConversation<'_> {
    fn len(&self) -> u64 {
        u64::from(self.messages())
    }

    #[inline(always)]
    fn message(&self, position: u64) -> Message<impl Text, impl Text> {
        let position = u32::try_from(position).expect("no conversation has so many messages");
        // Questions have odd turns and their answers the even turns after them. A welcome has turn 0.
        let turn = position + u32::from(!self.has_welcome);
        let message_type = if turn % 2 == 1 { MessageType::Question } else { MessageType::Answer };
        let question = turn.saturating_sub(1) / 2;
        let exchange = self.exchange(question);
        let asked = self.asked(question, exchange);
        let [q, a] = self.texts(question, exchange);
        let (text, create_time, feedback) = match message_type {
            MessageType::Question => (q, asked, Feedback::None),
            MessageType::Answer if turn == 0 => {
                let word = self.draws.at(Purpose::Welcome as u64);
                let before = 500 + i64::from(reduce32(word, 4000));
                (phrases::welcome(self.language, word), asked - before, Feedback::None)
            }
            MessageType::Answer => (a, asked + Self::latency(exchange), rating(exchange)),
        };
        Message {
            message_id: self.message_id(position),
            parent_message_id: position.checked_sub(1).map(|parent| self.message_id(parent)),
            message_type,
            text,
            create_time,
            feedback,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::Generator;
    use crate::records::store::RecordSource;

    /// Counted over all conversations, even where fewer would determine the result.
    #[test]
    fn the_heaviest_user_has_the_most_of_all_conversations() {
        let small = (0..200).map(|seed| (seed, 30));
        let large = [0, 1, u64::MAX].map(|seed| (seed, 3 * Generator::DECISIVE));
        for (seed, len) in small.chain(large) {
            let generator = Generator::new(seed, len, 1_761_004_800_000, 1_761_004_800_000);
            let mut counts = HashMap::new();
            for number in 0..len {
                *counts.entry(generator.meta(number).user).or_insert(0) += 1;
            }
            let heaviest = generator.heaviest_user().unwrap();
            assert_eq!(counts.get(&heaviest), counts.values().max(), "{seed} {len}");
        }
    }

    #[test]
    fn without_conversations_there_is_no_heaviest_user() {
        let mut generator = Generator::new(1, 0, 1_761_004_800_000, 1_761_004_800_000);
        generator.name_heaviest_user("ann");
        assert_eq!(generator.find_user("ann"), None);
    }
}

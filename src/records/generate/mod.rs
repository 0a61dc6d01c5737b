//! Generated records: a pure function of (seed, data version, number), with random access and no
//! state. The n-th conversation is the same however many there are.
//!
//! - `draws`: the randomness
//! - `axis`: when things happen
//! - `ids`, `people`: who, and under which id
//! - `phrases`: what is said
//! - `tables`: how often, how long, how fast

mod axis;
mod draws;
mod ids;
mod people;
mod phrases;
mod tables;

use std::sync::LazyLock;

use axis::Axis;
pub(crate) use draws::mix;
use draws::{Draws, LOTTERY_BITS, Lottery, RecordDraws, reduce, scramble, stream};
use ids::{Id, IdOf, Ids};
use people::{People, UserId};
use phrases::{Phrase, Phrases, languages};
use tables::{CHANNELS, FIRST_DAY, LENGTHS, PACES, SLOWEST_ANSWER_MS};

use crate::contract::ConversationType;
use crate::records::model::{Conversation, Credits, Feedback, Message, MessageType, Qa, Text};
use crate::records::store::{Chain, Facts, Records};

/// The most conversations that one agent can have: ten times what the largest known user of the
/// real service exports, and little enough for 32-bit indexes.
pub const MAX_CONVERSATIONS: u32 = 10_000_000;

/// A pair's number is its conversation's, and in so many low bits the question's.
const PAIR_BITS: u32 = 8;

const _: () = assert!(MAX_CONVERSATIONS < 1 << (32 - PAIR_BITS));

/// More than any conversation has questions, which fit the bits of a pair.
const LONGEST_GAPS: usize = 1 << PAIR_BITS;

/// What a draw is for. Each exchange has one more, from [`Purpose::Exchange`] on.
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
    axis: Axis,
    /// Conversations end from here on.
    first_end: u64,
    /// How many positions there are for their ends.
    ends: u64,
    /// The most positions between questions, by their number.
    longest_gaps: Box<[u64; LONGEST_GAPS]>,
    ids: Ids,
    bot_id: [u8; 24],
    people: People,
    /// Read when the first text is asked for, not while a server starts.
    phrases: LazyLock<Phrases>,
    channels: Lottery<ConversationType>,
    lengths: Lottery<(u16, u16)>,
    paces: Lottery<(u64, u64)>,
    languages: Lottery<u8>,
}

/// A conversation, before any text.
struct Talk<'a> {
    of: &'a Generator,
    number: u32,
    draws: RecordDraws,
    conversation_type: ConversationType,
    language: u8,
    welcome: bool,
    subject: bool,
    questions: u32,
    /// Questions that were answered: all but at most the last.
    pairs: u32,
    /// The position of the last question.
    end: u64,
    /// Positions between questions.
    gap: u64,
}

impl Generator {
    /// `len` conversations of the 30 days that end at the midnight `end_ms`, all of them before
    /// `until_ms` of the last day.
    pub(crate) fn new(seed: u64, len: u32, end_ms: i64, until_ms: i64) -> Self {
        let axis = Axis::new(seed, end_ms);
        let ids = Ids::new(seed);
        let first_end = axis.day(FIRST_DAY);
        // The last answer still falls before the end.
        let last_end = axis.position(until_ms) - SLOWEST_ANSWER_MS * axis.busiest;
        Self {
            len: len.min(MAX_CONVERSATIONS),
            draws: Draws::new(&mut stream(seed, 0)),
            axis,
            first_end,
            ends: last_end - first_end,
            longest_gaps: Box::new(std::array::from_fn(|questions| {
                first_end / u64::try_from(questions).unwrap_or(1).max(1)
            })),
            ids,
            bot_id: ids.id(IdOf::Anonymous, 0, 0).to_bytes().try_into().unwrap_or([b'0'; 24]),
            people: People::new(seed),
            phrases: LazyLock::new(Phrases::new),
            channels: Lottery::new(CHANNELS),
            lengths: Lottery::new(LENGTHS),
            paces: Lottery::new(PACES),
            languages: Lottery::new(&languages()),
        }
    }

    #[inline(always)]
    fn talk(&self, number: u32) -> Talk<'_> {
        let draws = self.draws.of(number);
        // Each choice has bits of its own.
        let kind = draws.at(Purpose::Kind as u64);
        let length = draws.at(Purpose::Length as u64);
        let (from, to) = self.lengths.draw(length);
        let questions = u32::from(from) + reduce32(length, u32::from(to - from) + 1);
        // One conversation in ten ends on a question.
        let unanswered = (kind >> 40 & 0xff) < 26;
        let pace = draws.at(Purpose::Gap as u64);
        let (from, to) = self.paces.draw(pace);
        let gap = (from * 1000 + reduce(pace, (to - from) * 1000)) * self.axis.busiest;
        Talk {
            of: self,
            number,
            draws,
            conversation_type: self.channels.draw(kind),
            language: self.languages.draw(kind >> LOTTERY_BITS),
            welcome: (kind >> 24 & 0xff) < 77,
            subject: (kind >> 32 & 0xff) >= 8,
            questions,
            pairs: questions - u32::from(unanswered),
            end: self.first_end + reduce(draws.at(Purpose::Position as u64), self.ends),
            // The first question, too, falls on one of the days.
            gap: gap.min(self.longest_gaps[questions as usize % LONGEST_GAPS]),
        }
    }

    #[inline(always)]
    fn user(draws: RecordDraws) -> u32 {
        People::user(draws.at(Purpose::User as u64))
    }

    #[inline(always)]
    fn id(&self, of: IdOf, record: u32, part: u32) -> Id {
        self.ids.id(of, record, u16::try_from(part).unwrap_or(u16::MAX))
    }
}

/// A word reduced to `0..below`.
#[inline(always)]
fn reduce32(word: u64, below: u32) -> u32 {
    u32::try_from(reduce(word, u64::from(below))).unwrap_or(0)
}

impl<'a> Talk<'a> {
    /// What an exchange is made of.
    #[inline(always)]
    fn exchange(&self, question: u32) -> u64 {
        self.draws.at(Purpose::Exchange as u64 + u64::from(question))
    }

    /// When a question was asked.
    #[inline(always)]
    fn asked(&self, question: u32, exchange: u64) -> i64 {
        let later = u64::from(self.questions - 1 - question);
        let jitter = reduce(exchange, self.gap / 2) * later.min(1);
        self.of.axis.time(self.end - later * self.gap - jitter)
    }

    /// How long an answer took, in milliseconds.
    #[inline(always)]
    fn latency(exchange: u64) -> i64 {
        let word = scramble(exchange ^ 0x1a7e);
        // Most are quick: the smaller of two draws.
        let range = SLOWEST_ANSWER_MS - 1200;
        let ms = 1200 + reduce(word, range).min(reduce(word << 32, range));
        i64::try_from(ms).unwrap_or(0)
    }

    #[inline(always)]
    fn texts(&self, question: u32, exchange: u64) -> [Phrase<'a>; 2] {
        self.of.phrases.exchange(self.language, exchange, question == 0)
    }

    /// The time of the last message: the last answer's, or that of a question left open.
    #[inline(always)]
    fn recent_chat_time(&self) -> i64 {
        let last = self.questions - 1;
        let asked = self.of.axis.time(self.end);
        asked + i64::from(self.pairs == self.questions) * Self::latency(self.exchange(last))
    }

    fn messages(&self) -> u32 {
        u32::from(self.welcome) + self.questions + self.pairs
    }

    /// Credits in proportion to length, in hundredths.
    #[inline(always)]
    fn cost_credit(&self) -> Credits {
        let rate = 2 + reduce32(self.draws.at(Purpose::Cost as u64), 30);
        Credits::Hundredths((self.messages() * rate).div_ceil(8))
    }

    #[inline(always)]
    fn user_id(&self) -> UserId<'a> {
        self.of.people.id(Generator::user(self.draws))
    }

    #[inline(always)]
    fn message_id(&self, position: u32) -> Id {
        self.of.id(IdOf::Message, self.number, position)
    }
}

/// How an answer was rated.
#[inline(always)]
fn rating(exchange: u64) -> Feedback {
    match reduce(scramble(exchange ^ 0xfeed), 100) {
        0..11 => Feedback::Good,
        11..17 => Feedback::Bad,
        _ => Feedback::None,
    }
}

/// The conversation and the question of a pair.
#[inline(always)]
fn pair(pair: u32) -> (u32, u32) {
    (pair >> PAIR_BITS, pair & ((1 << PAIR_BITS) - 1))
}

impl Records for Generator {
    fn len(&self) -> u32 {
        self.len
    }

    #[inline(always)]
    fn facts(&self, conversation: u32) -> Facts {
        let talk = self.talk(conversation);
        Facts { conversation_type: talk.conversation_type, user: Self::user(talk.draws) }
    }

    #[inline(always)]
    fn recent_chat_time(&self, conversation: u32) -> i64 {
        self.talk(conversation).recent_chat_time()
    }

    fn longest(&self) -> i64 {
        self.axis.longest(self.first_end) + SLOWEST_ANSWER_MS.cast_signed()
    }

    fn find(&self, conversation_id: &str) -> Option<u32> {
        self.ids.conversation(conversation_id).filter(|conversation| *conversation < self.len)
    }

    fn find_user(&self, user_id: &str) -> Option<u32> {
        self.people.find(user_id)
    }

    fn conversation_id(&self, conversation: u32) -> Vec<u8> {
        self.id(IdOf::Conversation, conversation, 0).to_bytes()
    }

    fn qa_id(&self, number: u32) -> Vec<u8> {
        let (conversation, question) = pair(number);
        self.id(IdOf::Qa, conversation, question).to_bytes()
    }

    #[inline(always)]
    fn pairs(&self, conversation: u32, mut each: impl FnMut(u32, i64, Feedback)) {
        let talk = self.talk(conversation);
        for question in 0..talk.pairs {
            let number = conversation << PAIR_BITS | question;
            let exchange = talk.exchange(question);
            each(number, talk.asked(question, exchange), rating(exchange));
        }
    }

    #[inline(always)]
    fn question_time(&self, number: u32) -> i64 {
        let (conversation, question) = pair(number);
        let talk = self.talk(conversation);
        talk.asked(question, talk.exchange(question))
    }

    #[inline(always)]
    fn conversation(
        &self,
        conversation: u32,
    ) -> Conversation<impl Text, impl Text, impl Text, impl Text> {
        let talk = self.talk(conversation);
        let [question, _] = talk.texts(0, talk.exchange(0));
        let user = Self::user(talk.draws);
        Conversation {
            conversation_id: self.id(IdOf::Conversation, conversation, 0),
            user_id: self.people.id(user),
            recent_chat_time: talk.recent_chat_time(),
            subject: talk.subject.then_some(question),
            conversation_type: talk.conversation_type,
            message_count: u64::from(talk.messages()),
            cost_credit: talk.cost_credit(),
            bot_id: self.bot_id,
            anonymous_id: self.id(IdOf::Anonymous, user, 0),
        }
    }

    #[inline(always)]
    fn chain(&self, conversation: u32) -> impl Chain {
        self.talk(conversation)
    }

    #[inline(always)]
    fn qa(&self, number: u32) -> Qa<impl Text, impl Text, impl Text> {
        let (conversation, question) = pair(number);
        let talk = self.talk(conversation);
        let exchange = talk.exchange(question);
        let [q, a] = talk.texts(question, exchange);
        Qa {
            id: self.id(IdOf::Qa, conversation, question),
            q_time: talk.asked(question, exchange),
            q,
            a,
            user_feedback: rating(exchange),
            convo_id: self.id(IdOf::Conversation, conversation, 0),
            convo_type: talk.conversation_type,
            aid: talk.message_id(u32::from(talk.welcome) + 2 * question + 1),
            user_id: talk.user_id(),
        }
    }
}

impl Chain for Talk<'_> {
    fn len(&self) -> u64 {
        u64::from(self.messages())
    }

    #[inline(always)]
    fn message(&self, position: u64) -> Message<impl Text, impl Text> {
        let position = u32::try_from(position).unwrap_or(u32::MAX);
        // A conversation that opens with a welcome has it in the place of an answer.
        let turn = position + u32::from(!self.welcome);
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
                (self.of.phrases.welcome(self.language, word), asked - before, Feedback::None)
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

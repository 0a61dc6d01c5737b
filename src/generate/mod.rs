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

use axis::Axis;
pub(crate) use draws::mix;
use draws::{Draws, Lottery, reduce, stream};
use ids::{Id, IdOf, Ids};
use people::{People, UserId};
use phrases::{Phrase, Phrases, exchange_word, languages};
use tables::{CHANNELS, FIRST_DAY, LENGTHS, PACES, SLOWEST_ANSWER_MS};

use crate::contract::ConversationType;
use crate::model::{Conversation, Escaped, Feedback, Message, MessageType, Qa, Text};
use crate::store::{Facts, Records};

/// The most conversations that one agent can have: ten times what the largest known user of the
/// real service exports, and little enough for 32-bit indexes.
pub const MAX_CONVERSATIONS: u32 = 10_000_000;

/// What a draw is for.
enum Purpose {
    Position,
    Kind,
    User,
    Length,
    Gap,
    Cost,
    Welcome,
}

/// The generator of one agent's records.
pub(crate) struct Generator {
    len: u32,
    draws: Draws,
    axis: Axis,
    ids: Ids,
    people: People,
    phrases: Phrases,
    channels: Lottery<ConversationType>,
    lengths: Lottery<(u16, u16)>,
    paces: Lottery<(u64, u64)>,
    languages: Lottery<u8>,
}

/// What a conversation is, before any text.
struct Shape {
    conversation_type: ConversationType,
    language: u8,
    welcome: bool,
    subject: bool,
    questions: u32,
    /// Pairs: the questions that were answered, all but at most the last.
    pairs: u32,
}

impl Shape {
    fn messages(&self) -> u64 {
        u64::from(self.welcome) + u64::from(self.questions) + u64::from(self.pairs)
    }
}

impl Generator {
    /// `len` conversations whose last day ends at `end_ms`.
    pub(crate) fn new(seed: u64, len: u32, end_ms: i64) -> Self {
        Self {
            len: len.min(MAX_CONVERSATIONS),
            draws: Draws::new(&mut stream(seed, 0)),
            axis: Axis::new(seed, end_ms),
            ids: Ids::new(seed),
            people: People::new(seed),
            phrases: Phrases::new(),
            channels: Lottery::new(CHANNELS),
            lengths: Lottery::new(LENGTHS),
            paces: Lottery::new(PACES),
            languages: Lottery::new(&languages()),
        }
    }

    fn draw(&self, conversation: u32, purpose: Purpose) -> u64 {
        self.draws.at(u64::from(conversation), purpose as u64)
    }

    fn shape(&self, conversation: u32) -> Shape {
        let word = self.draw(conversation, Purpose::Kind);
        let length = self.draw(conversation, Purpose::Length);
        let (from, to) = self.lengths.draw(length);
        let more = reduce(length, u64::from(to - from) + 1);
        let questions = u32::from(from) + u32::try_from(more).unwrap_or(0);
        // One conversation in ten ends on a question.
        let unanswered = (word >> 40 & 0xff) < 26;
        Shape {
            conversation_type: self.channels.draw(word),
            language: self.languages.draw(word >> 12),
            welcome: (word >> 24 & 0xff) < 77,
            subject: (word >> 32 & 0xff) >= 8,
            questions,
            pairs: questions - u32::from(unanswered),
        }
    }

    fn user(&self, conversation: u32) -> u32 {
        People::user(self.draw(conversation, Purpose::User))
    }

    /// When a question was asked.
    fn asked(&self, conversation: u32, questions: u32, question: u32) -> i64 {
        let first = self.axis.day(FIRST_DAY);
        // The last answer still falls before the end.
        let last = self.axis.end() - SLOWEST_ANSWER_MS * self.axis.busiest;
        let end = first + reduce(self.draw(conversation, Purpose::Position), last - first);
        let later = u64::from(questions - 1 - question);
        if later == 0 {
            return self.axis.time(end);
        }
        let word = self.draw(conversation, Purpose::Gap);
        let (from, to) = self.paces.draw(word);
        let gap = (from * 1000 + reduce(word, (to - from) * 1000)) * self.axis.busiest;
        let gap = gap.min(first / u64::from(questions));
        let jitter = reduce(self.exchange(conversation, question), gap / 2);
        self.axis.time(end - later * gap - jitter)
    }

    /// How long the answer to a question took, in milliseconds.
    fn latency(&self, conversation: u32, question: u32) -> i64 {
        let word = mix(self.exchange(conversation, question) ^ 0x1a7e);
        // Most are quick: the smaller of two draws.
        let range = SLOWEST_ANSWER_MS - 1200;
        let ms = 1200 + reduce(word, range).min(reduce(mix(word), range));
        i64::try_from(ms).unwrap_or(0)
    }

    fn exchange(&self, conversation: u32, question: u32) -> u64 {
        exchange_word(self.draws, conversation, question)
    }

    fn texts(&self, conversation: u32, language: u8, question: u32) -> [Phrase<'_>; 2] {
        self.phrases.exchange(language, self.exchange(conversation, question), question == 0)
    }

    fn rating(&self, conversation: u32, pair: u32) -> Feedback {
        match mix(self.exchange(conversation, pair) ^ 0xfeed) % 100 {
            0..11 => Feedback::Good,
            11..17 => Feedback::Bad,
            _ => Feedback::None,
        }
    }

    fn id(&self, of: IdOf, record: u32, part: u32) -> Id {
        self.ids.id(of, record, u16::try_from(part).unwrap_or(u16::MAX))
    }

    fn user_id(&self, conversation: u32) -> UserId {
        self.people.id(self.user(conversation))
    }

    /// Credits in proportion to length, in hundredths.
    fn cost_credit(&self, conversation: u32, messages: u64) -> f64 {
        let rate = 2 + reduce(self.draw(conversation, Purpose::Cost), 30);
        let hundredths = u32::try_from((messages * rate).div_ceil(8)).unwrap_or(u32::MAX);
        f64::from(hundredths) / 100.0
    }
}

impl Records for Generator {
    fn len(&self) -> u32 {
        self.len
    }

    fn facts(&self, conversation: u32) -> Facts {
        let shape = self.shape(conversation);
        Facts {
            recent_chat_time: self.recent_chat_time(conversation, &shape),
            conversation_type: shape.conversation_type,
            user: self.user(conversation),
            pairs: shape.pairs,
        }
    }

    fn find(&self, conversation_id: &str) -> Option<u32> {
        self.ids.conversation(conversation_id).filter(|conversation| *conversation < self.len)
    }

    fn find_user(&self, user_id: &str) -> Option<u32> {
        self.people.find(user_id)
    }

    fn conversation_id(&self, conversation: u32, out: &mut Vec<u8>) {
        self.id(IdOf::Conversation, conversation, 0).append_to(out);
    }

    fn qa_id(&self, conversation: u32, pair: u32, out: &mut Vec<u8>) {
        self.id(IdOf::Qa, conversation, pair).append_to(out);
    }

    fn messages(&self, conversation: u32) -> u64 {
        self.shape(conversation).messages()
    }

    fn question_time(&self, conversation: u32, pair: u32) -> i64 {
        self.asked(conversation, self.shape(conversation).questions, pair)
    }

    fn feedback(&self, conversation: u32, pair: u32) -> Feedback {
        self.rating(conversation, pair)
    }

    fn conversation(&self, conversation: u32, lend: &mut dyn FnMut(&Conversation<'_>)) {
        let shape = self.shape(conversation);
        let [question, _] = self.texts(conversation, shape.language, 0);
        let subject: &dyn Text = if shape.subject { &question } else { &Escaped("") };
        let user = self.user(conversation);
        lend(&Conversation {
            conversation_id: &self.id(IdOf::Conversation, conversation, 0),
            user_id: &self.people.id(user),
            recent_chat_time: self.recent_chat_time(conversation, &shape),
            subject,
            conversation_type: shape.conversation_type,
            message_count: shape.messages(),
            cost_credit: self.cost_credit(conversation, shape.messages()),
            bot_id: &self.id(IdOf::Anonymous, 0, 0),
            anonymous_id: &self.id(IdOf::Anonymous, user, 0),
        });
    }

    fn message(&self, conversation: u32, position: u64, lend: &mut dyn FnMut(&Message<'_>)) {
        let shape = self.shape(conversation);
        let position = u32::try_from(position).unwrap_or(u32::MAX);
        let id = |position| self.id(IdOf::Message, conversation, position);
        let (parent, none) = (position.checked_sub(1).map(id), Escaped(""));
        let parent: &dyn Text = parent.as_ref().map_or(&none, |parent| parent);
        let asked = |question| self.asked(conversation, shape.questions, question);
        let Some(turn) = position.checked_sub(u32::from(shape.welcome)) else {
            let word = self.draw(conversation, Purpose::Welcome);
            let before = i64::try_from(500 + reduce(word, 4000)).unwrap_or(0);
            return lend(&Message {
                message_id: &id(position),
                parent_message_id: parent,
                message_type: MessageType::Answer,
                text: &self.phrases.welcome(shape.language, word),
                create_time: asked(0) - before,
                feedback: Feedback::None,
            });
        };
        let exchange = turn / 2;
        let [question, answer] = self.texts(conversation, shape.language, exchange);
        let is_answer = turn % 2 == 1;
        let after = if is_answer { self.latency(conversation, exchange) } else { 0 };
        lend(&Message {
            message_id: &id(position),
            parent_message_id: parent,
            message_type: if is_answer { MessageType::Answer } else { MessageType::Question },
            text: if is_answer { &answer } else { &question },
            create_time: asked(exchange) + after,
            feedback: if is_answer { self.rating(conversation, exchange) } else { Feedback::None },
        });
    }

    fn qa(&self, conversation: u32, pair: u32, lend: &mut dyn FnMut(&Qa<'_>)) {
        let shape = self.shape(conversation);
        let [question, answer] = self.texts(conversation, shape.language, pair);
        let answer_position = u32::from(shape.welcome) + 2 * pair + 1;
        lend(&Qa {
            id: &self.id(IdOf::Qa, conversation, pair),
            q_time: self.asked(conversation, shape.questions, pair),
            q: &question,
            a: &answer,
            user_feedback: self.rating(conversation, pair),
            convo_id: &self.id(IdOf::Conversation, conversation, 0),
            convo_type: shape.conversation_type,
            aid: &self.id(IdOf::Message, conversation, answer_position),
            user_id: &self.user_id(conversation),
        });
    }
}

impl Generator {
    /// The time of the last message: the last answer's, or that of a question left open.
    fn recent_chat_time(&self, conversation: u32, shape: &Shape) -> i64 {
        let last = shape.questions - 1;
        let asked = self.asked(conversation, shape.questions, last);
        if shape.pairs == shape.questions {
            asked + self.latency(conversation, last)
        } else {
            asked
        }
    }
}

//! Records that were read from documents: columns of numbers, and texts where they were read.

use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::rendered::Room;
use super::texts::{Sent, Str, Texts, TextsBuilder};
use super::{Chain, Facts, Records};
use crate::contract::ConversationType;
use crate::records::model::{
    Conversation, Credits, Feedback, Message, MessageType, Qa, Text, escape,
};

/// A conversation, as read and derived.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LoadedConversation {
    pub(crate) conversation_id: Str,
    pub(crate) user_id: Str,
    pub(crate) anonymous_id: Str,
    pub(crate) subject: Str,
    pub(crate) recent_chat_time: i64,
    pub(crate) cost_credit: f64,
    pub(crate) conversation_type: ConversationType,
}

/// A message, as read and derived.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LoadedMessage {
    pub(crate) message_id: Str,
    pub(crate) text: Str,
    pub(crate) create_time: i64,
    pub(crate) message_type: MessageType,
    pub(crate) feedback: Feedback,
}

/// The records of one agent, while they are read.
#[derive(Default)]
pub(crate) struct Columns {
    conversations: Vec<Row>,
    messages: Vec<LoadedMessage>,
    pairs: Vec<Pair>,
    ids: Index,
    users: Index,
    message_ids: Index,
    qa_ids: Index,
}

struct Row {
    of: LoadedConversation,
    /// The first conversation of its user stands for the user.
    user: u32,
    first_message: u32,
    first_pair: u32,
}

#[derive(Clone, Copy)]
struct Pair {
    id: Str,
    conversation: u32,
    /// The question; its answer is the message behind it.
    question: u32,
}

/// Which number has this text?
#[derive(Default)]
struct Index {
    hasher: DefaultHashBuilder,
    numbers: HashTable<u32>,
}

impl Index {
    /// Adds a text, unless it is there: then its number.
    fn add<'a>(&mut self, number: u32, text: &[u8], of: impl Fn(u32) -> &'a [u8]) -> Option<u32> {
        let hash = self.hasher.hash_one(text);
        if let Some(number) = self.numbers.find(hash, |known| of(*known) == text) {
            return Some(*number);
        }
        self.numbers.insert_unique(hash, number, |known| self.hasher.hash_one(of(*known)));
        None
    }

    fn find<'a>(&self, text: &[u8], of: impl Fn(u32) -> &'a [u8]) -> Option<u32> {
        let hash = self.hasher.hash_one(text);
        self.numbers.find(hash, |known| of(*known) == text).copied()
    }
}

/// An id that another record of the agent has already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Duplicate {
    Conversation,
    /// Of the message at this position of the conversation that was added.
    Message(usize),
    /// Of the question at this position of the conversation that was added.
    Qa(usize),
}

impl Columns {
    /// How many conversations there are.
    pub(crate) fn len(&self) -> usize {
        self.conversations.len()
    }

    /// Adds a conversation with its messages. `qa_ids` gives, for the position of each question
    /// that has its answer right behind it, the id of the pair. Duplicate ids are told.
    pub(crate) fn add(
        &mut self,
        texts: &TextsBuilder<'_>,
        of: LoadedConversation,
        messages: &[LoadedMessage],
        qa_ids: &[(usize, Str)],
    ) -> Vec<Duplicate> {
        let mut duplicates = Vec::new();
        let number = number(self.conversations.len());
        let (first_message, first_pair) = (number_of(&self.messages), number_of(&self.pairs));
        self.conversations.push(Row { of, user: number, first_message, first_pair });
        let rows = &self.conversations;
        let id = |n: u32| texts.get(rows[n as usize].of.conversation_id);
        if self.ids.add(number, id(number), id).is_some() {
            duplicates.push(Duplicate::Conversation);
        }
        let user = |n: u32| texts.get(rows[n as usize].of.user_id);
        let first = self.users.add(number, user(number), user).unwrap_or(number);
        self.conversations[number as usize].user = first;

        self.messages.extend_from_slice(messages);
        let all = &self.messages;
        let id = |n: u32| texts.get(all[n as usize].message_id);
        for (position, number) in (0..messages.len()).zip(first_message..) {
            if self.message_ids.add(number, id(number), id).is_some() {
                duplicates.push(Duplicate::Message(position));
            }
        }
        for (position, qa_id) in qa_ids {
            let question = first_message + self::number(*position);
            self.pairs.push(Pair { id: *qa_id, conversation: number, question });
            let number = number_of(&self.pairs) - 1;
            let pairs = &self.pairs;
            let id = |n: u32| texts.get(pairs[n as usize].id);
            if self.qa_ids.add(number, id(number), id).is_some() {
                duplicates.push(Duplicate::Qa(*position));
            }
        }
        duplicates
    }
}

/// Documents are bounded so that every record has a number of 32 bits.
fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn number_of<T>(list: &[T]) -> u32 {
    number(list.len())
}

/// The records of one agent.
pub(crate) struct Loaded {
    texts: Arc<Texts>,
    bot_id: Str,
    conversations: Vec<Row>,
    messages: Vec<LoadedMessage>,
    pairs: Vec<Pair>,
    ids: Index,
    users: Index,
}

impl Loaded {
    pub(crate) fn new(texts: Arc<Texts>, bot_id: Str, columns: Columns) -> Self {
        let Columns { mut conversations, mut messages, mut pairs, ids, users, .. } = columns;
        conversations.shrink_to_fit();
        messages.shrink_to_fit();
        pairs.shrink_to_fit();
        Self { texts, bot_id, conversations, messages, pairs, ids, users }
    }

    /// An agent without conversations.
    pub(crate) fn empty() -> Self {
        Self::new(Arc::default(), Str::default(), Columns::default())
    }

    fn row(&self, conversation: u32) -> &LoadedConversation {
        &self.conversations[conversation as usize].of
    }

    /// Where the messages and the pairs of the next conversation begin.
    fn ends(&self, conversation: u32) -> (u32, u32) {
        self.conversations
            .get(conversation as usize + 1)
            .map_or((number_of(&self.messages), number_of(&self.pairs)), |next| {
                (next.first_message, next.first_pair)
            })
    }

    fn pair(&self, pair: u32) -> Pair {
        self.pairs[pair as usize]
    }

    /// The question and the answer of a pair.
    fn exchange(&self, pair: Pair) -> (&LoadedMessage, &LoadedMessage) {
        let question = pair.question as usize;
        (&self.messages[question], &self.messages[question + 1])
    }

    #[inline(always)]
    fn sent(&self, text: Str) -> Sent<'_> {
        self.texts.get(text)
    }
}

impl Records for Loaded {
    fn room_for_rows(&self) -> Option<&Room> {
        Some(&self.texts.room)
    }

    fn first_message(&self, conversation: u32) -> u32 {
        self.conversations[conversation as usize].first_message
    }

    fn len(&self) -> u32 {
        number_of(&self.conversations)
    }

    fn facts(&self, conversation: u32) -> Facts {
        let row = &self.conversations[conversation as usize];
        Facts { conversation_type: row.of.conversation_type, user: row.user }
    }

    fn recent_chat_time(&self, conversation: u32) -> i64 {
        self.row(conversation).recent_chat_time
    }

    fn find(&self, conversation_id: &str) -> Option<u32> {
        let id = escape(conversation_id);
        self.ids.find(id.as_bytes(), |n| self.sent(self.row(n).conversation_id).bytes())
    }

    fn find_user(&self, user_id: &str) -> Option<u32> {
        let id = escape(user_id);
        self.users.find(id.as_bytes(), |n| self.sent(self.row(n).user_id).bytes())
    }

    fn conversation_id(&self, conversation: u32) -> Vec<u8> {
        self.sent(self.row(conversation).conversation_id).unescaped()
    }

    fn qa_id(&self, pair: u32) -> Vec<u8> {
        self.sent(self.pair(pair).id).unescaped()
    }

    fn pairs(&self, conversation: u32, mut each: impl FnMut(u32, i64, Feedback)) {
        let first = self.conversations[conversation as usize].first_pair;
        for pair in first..self.ends(conversation).1 {
            let (question, answer) = self.exchange(self.pair(pair));
            each(pair, question.create_time, answer.feedback);
        }
    }

    fn question_time(&self, pair: u32) -> i64 {
        self.exchange(self.pair(pair)).0.create_time
    }

    // Rows of a page lie all over the documents, and each would wait for memory several times.
    // Here one kind of access after the other is made for all of them: they do not depend on each
    // other, so the processor makes many at once.

    fn expect_conversations(&self, conversations: &[u32]) {
        let rows = || conversations.iter().map(|number| self.row(*number));
        touch(rows().map(|row| u64::from(row.subject.start())));
        touch(rows().map(|row| {
            self.touched(row.conversation_id)
                ^ self.touched(row.user_id)
                ^ self.touched(row.subject)
        }));
    }

    fn expect_pairs(&self, pairs: &[u32]) {
        let pairs = || pairs.iter().map(|pair| self.pair(*pair));
        touch(pairs().map(|pair| u64::from(pair.question)));
        let exchanges = || pairs().map(|pair| self.exchange(pair));
        touch(exchanges().map(|(q, a)| u64::from(q.text.start() ^ a.text.start())));
        touch(pairs().map(|pair| u64::from(self.row(pair.conversation).user_id.start())));
        touch(pairs().map(|pair| {
            let (question, answer) = self.exchange(pair);
            let row = self.row(pair.conversation);
            let ids = [pair.id, answer.message_id, row.conversation_id, row.user_id];
            let ids = ids.into_iter().fold(0, |sum, id| sum ^ self.touched(id));
            ids ^ self.touched(question.text) ^ self.touched(answer.text)
        }));
    }

    fn conversation(
        &self,
        conversation: u32,
    ) -> Conversation<impl Text, impl Text, impl Text, impl Text> {
        let row = self.row(conversation);
        Conversation {
            conversation_id: self.sent(row.conversation_id),
            user_id: self.sent(row.user_id),
            recent_chat_time: row.recent_chat_time,
            subject: self.sent(row.subject),
            conversation_type: row.conversation_type,
            message_count: self.chain(conversation).len(),
            cost_credit: Credits::Any(row.cost_credit),
            bot_id: self.sent(self.bot_id),
            anonymous_id: self.sent(row.anonymous_id),
        }
    }

    fn chain(&self, conversation: u32) -> impl Chain {
        let first = self.conversations[conversation as usize].first_message as usize;
        let end = self.ends(conversation).0 as usize;
        LoadedChain { texts: &self.texts, messages: &self.messages[first..end] }
    }

    fn qa(&self, pair: u32) -> Qa<impl Text, impl Text, impl Text> {
        let pair = self.pair(pair);
        let row = self.row(pair.conversation);
        let (question, answer) = self.exchange(pair);
        Qa {
            id: self.sent(pair.id),
            q_time: question.create_time,
            q: self.sent(question.text),
            a: self.sent(answer.text),
            user_feedback: answer.feedback,
            convo_id: self.sent(row.conversation_id),
            convo_type: row.conversation_type,
            aid: self.sent(answer.message_id),
            user_id: self.sent(row.user_id),
        }
    }
}

/// The messages of one conversation.
struct LoadedChain<'a> {
    texts: &'a Texts,
    messages: &'a [LoadedMessage],
}

impl Chain for LoadedChain<'_> {
    fn len(&self) -> u64 {
        self.messages.len() as u64
    }

    fn message(&self, position: u64) -> Message<impl Text, impl Text> {
        let at = usize::try_from(position).unwrap_or(usize::MAX);
        let message = &self.messages[at];
        let parent = at.checked_sub(1).map(|parent| self.messages[parent].message_id);
        Message {
            message_id: self.texts.get(message.message_id),
            parent_message_id: parent.map(|id| self.texts.get(id)),
            message_type: message.message_type,
            text: self.texts.get(message.text),
            create_time: message.create_time,
            feedback: message.feedback,
        }
    }
}

/// Makes sure that what the values are made of has been read.
fn touch(values: impl Iterator<Item = u64>) {
    std::hint::black_box(values.fold(0, |sum, value| sum ^ value));
}

impl Loaded {
    /// Reads a text, one byte a line of the cache; texts are a few lines.
    fn touched(&self, text: Str) -> u64 {
        const LINE: usize = 64;
        let bytes = self.sent(text).bytes();
        bytes.iter().step_by(LINE).take(8).fold(0, |sum, byte| sum ^ u64::from(*byte))
    }
}

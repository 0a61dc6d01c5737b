//! Records that were read from documents. Their numbers are kept in columns, and their texts stay in the
//! documents.

use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::texts::{TextRef, TextStore, TextStoreBuilder, unescape};
use super::{ConversationMeta, MessageChain, RecordSource, RowKind};
use crate::records::model::{
    Channel, Conversation, Credits, Feedback, Message, MessageType, Qa, Text, escape,
};

/// A conversation whose values were read or derived.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LoadedConversation {
    pub(crate) conversation_id: TextRef,
    pub(crate) user_id: TextRef,
    pub(crate) anonymous_id: TextRef,
    pub(crate) subject: TextRef,
    pub(crate) recent_chat_time: i64,
    pub(crate) cost_credit: f64,
    pub(crate) conversation_type: Channel<TextRef>,
}

/// A message whose values were read or derived.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LoadedMessage {
    pub(crate) message_id: TextRef,
    pub(crate) text: TextRef,
    pub(crate) create_time: i64,
    pub(crate) message_type: MessageType,
    pub(crate) feedback: Feedback,
}

/// The records of one agent, while they are read.
#[derive(Default)]
pub(crate) struct Columns {
    conversations: Vec<ConversationRow>,
    messages: Vec<LoadedMessage>,
    pairs: Vec<Pair>,
    ids: TextIndex,
    users: TextIndex,
    message_ids: TextIndex,
    qa_ids: TextIndex,
}

/// The most bytes that a conversation or a pair takes while it is indexed: a sort key and its rank in each
/// list, and its id if all times are the same.
const INDEXING_BYTES: usize = 136;

struct ConversationRow {
    of: LoadedConversation,
    /// The number of the user, which is that of the user's first conversation.
    user: u32,
    first_message: u32,
    first_pair: u32,
}

#[derive(Clone, Copy)]
struct Pair {
    id: TextRef,
    conversation: u32,
    /// The number of the question's message. The next message is the answer.
    question: u32,
}

/// Finds the record with a text. The table has only the numbers of records, and gets their texts from the
/// functions that it is given, because a map of the standard library would store every text again.
#[derive(Default)]
struct TextIndex {
    hasher: DefaultHashBuilder,
    numbers: HashTable<u32>,
}

impl TextIndex {
    /// Adds a record. If another record already has its text, nothing is added, and the number of the other
    /// record is returned.
    fn add<'a>(&mut self, number: u32, text_of: impl Fn(u32) -> &'a [u8]) -> Option<u32> {
        if let Some(other) = self.find(text_of(number), &text_of) {
            return Some(other);
        }
        let hash = |number: &u32| self.hasher.hash_one(text_of(*number));
        self.numbers.insert_unique(hash(&number), number, hash);
        None
    }

    fn find<'a>(&self, text: &[u8], text_of: impl Fn(u32) -> &'a [u8]) -> Option<u32> {
        let hash = self.hasher.hash_one(text);
        self.numbers.find(hash, |number| text_of(*number) == text).copied()
    }
}

/// An id that another record of the agent already has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Duplicate {
    Conversation,
    /// Of the message at this position of the conversation that was added.
    Message(usize),
    /// Of the question at this position of the conversation that was added.
    Qa(usize),
}

impl Columns {
    /// How many bytes of memory they take.
    pub(crate) fn bytes(&self) -> usize {
        let Self { conversations, messages, pairs, ids, users, message_ids, qa_ids } = self;
        let indexes = [ids, users, message_ids, qa_ids];
        conversations.capacity() * size_of::<ConversationRow>()
            + messages.capacity() * size_of::<LoadedMessage>()
            + pairs.capacity() * size_of::<Pair>()
            + indexes.iter().map(|index| index.numbers.allocation_size()).sum::<usize>()
    }

    /// The most bytes that indexing them takes in addition to their own memory.
    pub(crate) fn indexing_bytes(&self) -> usize {
        (self.conversations.len() + self.pairs.len()) * INDEXING_BYTES
    }

    /// The number of conversations.
    pub(crate) fn len(&self) -> usize {
        self.conversations.len()
    }

    /// Adds a conversation with its messages. `qa_ids` has, for the position of each question that is
    /// followed by its answer, the id of the pair. Ids that another record has already are returned.
    pub(crate) fn add(
        &mut self,
        texts: &TextStoreBuilder<'_>,
        of: LoadedConversation,
        messages: &[LoadedMessage],
        qa_ids: &[(usize, TextRef)],
    ) -> Vec<Duplicate> {
        let mut duplicates = Vec::new();
        let number = next_number(&self.conversations);
        let first_message = next_number(&self.messages);
        let first_pair = next_number(&self.pairs);
        self.conversations.push(ConversationRow { of, user: number, first_message, first_pair });
        let rows = &self.conversations;
        if self.ids.add(number, |n| texts.get(rows[n as usize].of.conversation_id)).is_some() {
            duplicates.push(Duplicate::Conversation);
        }
        if let Some(user) = self.users.add(number, |n| texts.get(rows[n as usize].of.user_id)) {
            self.conversations[number as usize].user = user;
        }
        self.messages.extend_from_slice(messages);
        for (position, number) in (0..messages.len()).zip(first_message..) {
            let messages = &self.messages;
            let id = |n: u32| texts.get(messages[n as usize].message_id);
            if self.message_ids.add(number, id).is_some() {
                duplicates.push(Duplicate::Message(position));
            }
        }
        for ((position, id), pair) in qa_ids.iter().zip(first_pair..) {
            let question = first_message + number_of(*position);
            self.pairs.push(Pair { id: *id, conversation: number, question });
            let pairs = &self.pairs;
            if self.qa_ids.add(pair, |n| texts.get(pairs[n as usize].id)).is_some() {
                duplicates.push(Duplicate::Qa(*position));
            }
        }
        duplicates
    }
}

/// The number that the next record of a column gets.
fn next_number<T>(column: &[T]) -> u32 {
    number_of(column.len())
}

/// A position as a number of a record.
fn number_of(position: usize) -> u32 {
    u32::try_from(position).expect("documents of at most 4 GiB have fewer than 2^32 records")
}

/// The records of one agent.
pub(crate) struct LoadedRecords {
    texts: Arc<TextStore>,
    bot_id: TextRef,
    columns: Columns,
    caches_rows: bool,
}

impl LoadedRecords {
    pub(crate) fn new(texts: Arc<TextStore>, bot_id: TextRef, mut columns: Columns) -> Self {
        columns.conversations.shrink_to_fit();
        columns.messages.shrink_to_fit();
        columns.pairs.shrink_to_fit();
        // Messages and pairs are not looked up by id any more.
        (columns.message_ids, columns.qa_ids) = Default::default();
        let caches_rows = columns.messages.len() >= MANY_MESSAGES;
        Self { texts, bot_id, columns, caches_rows }
    }

    /// The same records without a cache of rows. A cache is filled by a request, and requests must not use
    /// memory that was not reserved when the records were loaded.
    pub(crate) fn uncached(self) -> Self {
        Self { caches_rows: false, ..self }
    }

    /// An agent without conversations.
    pub(crate) fn empty() -> Self {
        Self::new(Arc::default(), TextRef::default(), Columns::default())
    }

    fn row(&self, conversation: u32) -> &LoadedConversation {
        &self.columns.conversations[conversation as usize].of
    }

    /// The first message and the first pair after those of a conversation.
    fn ends(&self, conversation: u32) -> (u32, u32) {
        self.columns.conversations.get(conversation as usize + 1).map_or(
            (next_number(&self.columns.messages), next_number(&self.columns.pairs)),
            |next| (next.first_message, next.first_pair),
        )
    }

    fn pair(&self, pair: u32) -> Pair {
        self.columns.pairs[pair as usize]
    }

    /// The question and the answer of a pair.
    fn exchange(&self, pair: Pair) -> (&LoadedMessage, &LoadedMessage) {
        let question = pair.question as usize;
        (&self.columns.messages[question], &self.columns.messages[question + 1])
    }

    fn channel(&self, row: &LoadedConversation) -> Channel<&[u8]> {
        match row.conversation_type {
            Channel::Listed(listed) => Channel::Listed(listed),
            Channel::Unlisted(name) => Channel::Unlisted(self.text(name)),
        }
    }

    fn text(&self, text: TextRef) -> &[u8] {
        self.texts.get(text)
    }

    /// A text without escapes.
    fn unescaped(&self, text: TextRef) -> Vec<u8> {
        let bytes = self.text(text);
        if bytes.contains(&b'\\') { unescape(bytes).into_bytes() } else { bytes.to_vec() }
    }
}

impl RecordSource for LoadedRecords {
    fn caches(&self, _: RowKind) -> bool {
        self.caches_rows
    }

    fn bytes(&self) -> usize {
        self.columns.bytes()
    }

    fn len(&self) -> u32 {
        next_number(&self.columns.conversations)
    }

    fn meta(&self, conversation: u32) -> ConversationMeta {
        let row = &self.columns.conversations[conversation as usize];
        ConversationMeta { conversation_type: row.of.conversation_type.listed(), user: row.user }
    }

    fn recent_chat_time(&self, conversation: u32) -> i64 {
        self.row(conversation).recent_chat_time
    }

    fn time_range(&self) -> (i64, i64) {
        let times = || self.columns.messages.iter().map(|message| message.create_time);
        times().min().zip(times().max()).unwrap_or((0, 0))
    }

    fn find(&self, conversation_id: &str) -> Option<u32> {
        let id = escape(conversation_id);
        self.columns.ids.find(id.as_bytes(), |n| self.text(self.row(n).conversation_id))
    }

    fn find_user(&self, user_id: &str) -> Option<u32> {
        let id = escape(user_id);
        self.columns.users.find(id.as_bytes(), |n| self.text(self.row(n).user_id))
    }

    fn conversation_id(&self, conversation: u32) -> Vec<u8> {
        self.unescaped(self.row(conversation).conversation_id)
    }

    fn qa_id(&self, pair: u32) -> Vec<u8> {
        self.unescaped(self.pair(pair).id)
    }

    fn pairs(&self, conversation: u32, mut each: impl FnMut(u32, i64, Feedback)) {
        let first = self.columns.conversations[conversation as usize].first_pair;
        for pair in first..self.ends(conversation).1 {
            let (question, answer) = self.exchange(self.pair(pair));
            each(pair, question.create_time, answer.feedback);
        }
    }

    fn question_time(&self, pair: u32) -> i64 {
        self.exchange(self.pair(pair)).0.create_time
    }

    fn conversation(
        &self,
        conversation: u32,
    ) -> Conversation<'_, impl Text, impl Text, impl Text, impl Text> {
        let row = self.row(conversation);
        Conversation {
            conversation_id: self.text(row.conversation_id),
            user_id: self.text(row.user_id),
            recent_chat_time: row.recent_chat_time,
            subject: self.text(row.subject),
            conversation_type: self.channel(row),
            message_count: self.messages(conversation).len(),
            cost_credit: Credits::Any(row.cost_credit),
            bot_id: self.text(self.bot_id),
            anonymous_id: self.text(row.anonymous_id),
        }
    }

    fn messages(&self, conversation: u32) -> impl MessageChain {
        let first = self.columns.conversations[conversation as usize].first_message as usize;
        let end = self.ends(conversation).0 as usize;
        LoadedMessages { texts: &self.texts, messages: &self.columns.messages[first..end] }
    }

    fn qa(&self, pair: u32) -> Qa<'_, impl Text, impl Text, impl Text> {
        let pair = self.pair(pair);
        let row = self.row(pair.conversation);
        let (question, answer) = self.exchange(pair);
        Qa {
            id: self.text(pair.id),
            q_time: question.create_time,
            q: self.text(question.text),
            a: self.text(answer.text),
            user_feedback: answer.feedback,
            convo_id: self.text(row.conversation_id),
            convo_type: self.channel(row),
            aid: self.text(answer.message_id),
            user_id: self.text(row.user_id),
        }
    }
}

/// From this number of messages on, the records take several megabytes, which is more than the caches of a
/// processor.
const MANY_MESSAGES: usize = 4000;

/// The messages of one conversation.
struct LoadedMessages<'a> {
    texts: &'a TextStore,
    messages: &'a [LoadedMessage],
}

impl MessageChain for LoadedMessages<'_> {
    fn len(&self) -> u64 {
        self.messages.len() as u64
    }

    fn message(&self, position: u64) -> Message<impl Text, impl Text> {
        let at = usize::try_from(position).expect("the position of a message in memory");
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

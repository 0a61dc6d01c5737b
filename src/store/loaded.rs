//! Records that were read from a fixture: kept as they are sent, escaped once.

use std::collections::HashMap;

use super::{Facts, Records};
use crate::contract::ConversationType;
use crate::model::{Conversation, Escaped, Feedback, Message, MessageType, Qa, escape};

/// A conversation of a fixture, with everything derived that can be. Texts are as written by
/// the author; [`Loaded::new`] escapes them.
pub(crate) struct LoadedConversation {
    pub(crate) conversation_id: String,
    pub(crate) user_id: String,
    pub(crate) recent_chat_time: i64,
    pub(crate) subject: String,
    pub(crate) conversation_type: ConversationType,
    pub(crate) cost_credit: f64,
    pub(crate) anonymous_id: String,
    pub(crate) messages: Vec<LoadedMessage>,
}

/// A message of a fixture.
pub(crate) struct LoadedMessage {
    pub(crate) message_id: String,
    /// The id of the Q&A pair, where this is the question of one.
    pub(crate) qa_id: String,
    pub(crate) message_type: MessageType,
    pub(crate) text: String,
    pub(crate) create_time: i64,
    pub(crate) feedback: Feedback,
}

/// The records of one agent of a fixture.
pub(crate) struct Loaded {
    bot_id: Box<str>,
    rows: Vec<Row>,
    by_id: HashMap<String, u32>,
    users: HashMap<String, u32>,
}

struct Row {
    conversation_id: Box<str>,
    user_id: Box<str>,
    user: u32,
    recent_chat_time: i64,
    subject: Box<str>,
    conversation_type: ConversationType,
    cost_credit: f64,
    anonymous_id: Box<str>,
    messages: Vec<RowMessage>,
    /// The position of each question that has an answer right after it.
    questions: Vec<usize>,
}

struct RowMessage {
    message_id: Box<str>,
    qa_id: Box<str>,
    message_type: MessageType,
    text: Box<str>,
    create_time: i64,
    feedback: Feedback,
}

impl Loaded {
    pub(crate) fn new(bot_id: &str, conversations: Vec<LoadedConversation>) -> Self {
        let mut loaded = Self {
            bot_id: escape(bot_id),
            rows: Vec::with_capacity(conversations.len()),
            by_id: HashMap::with_capacity(conversations.len()),
            users: HashMap::new(),
        };
        for (number, conversation) in (0..).zip(conversations) {
            // At most as many users as conversations, which are counted by 32 bits.
            let next = u32::try_from(loaded.users.len()).unwrap_or(u32::MAX);
            let user = *loaded.users.entry(conversation.user_id.clone()).or_insert(next);
            loaded.rows.push(Row::new(&conversation, user));
            loaded.by_id.insert(conversation.conversation_id, number);
        }
        loaded
    }

    fn row(&self, conversation: u32) -> &Row {
        &self.rows[conversation as usize]
    }
}

impl Row {
    fn new(from: &LoadedConversation, user: u32) -> Self {
        let is = |position: usize, message_type| {
            from.messages.get(position).is_some_and(|m| m.message_type == message_type)
        };
        let answered =
            |at: &usize| is(*at, MessageType::Question) && is(at + 1, MessageType::Answer);
        Self {
            conversation_id: escape(&from.conversation_id),
            user_id: escape(&from.user_id),
            user,
            recent_chat_time: from.recent_chat_time,
            subject: escape(&from.subject),
            conversation_type: from.conversation_type,
            cost_credit: from.cost_credit,
            anonymous_id: escape(&from.anonymous_id),
            messages: from.messages.iter().map(RowMessage::new).collect(),
            questions: (0..from.messages.len()).filter(answered).collect(),
        }
    }

    /// The question and the answer of a pair.
    fn pair(&self, pair: u32) -> (&RowMessage, &RowMessage) {
        let at = self.questions[pair as usize];
        (&self.messages[at], &self.messages[at + 1])
    }
}

impl RowMessage {
    fn new(from: &LoadedMessage) -> Self {
        Self {
            message_id: escape(&from.message_id),
            qa_id: escape(&from.qa_id),
            message_type: from.message_type,
            text: escape(&from.text),
            create_time: from.create_time,
            feedback: from.feedback,
        }
    }
}

impl Records for Loaded {
    fn len(&self) -> u32 {
        u32::try_from(self.rows.len()).unwrap_or(u32::MAX)
    }

    fn facts(&self, conversation: u32) -> Facts {
        let row = self.row(conversation);
        Facts {
            recent_chat_time: row.recent_chat_time,
            conversation_type: row.conversation_type,
            user: row.user,
            pairs: u32::try_from(row.questions.len()).unwrap_or(u32::MAX),
        }
    }

    fn find(&self, conversation_id: &str) -> Option<u32> {
        self.by_id.get(conversation_id).copied()
    }

    fn find_user(&self, user_id: &str) -> Option<u32> {
        self.users.get(user_id).copied()
    }

    fn conversation_id(&self, conversation: u32, out: &mut Vec<u8>) {
        out.extend_from_slice(self.row(conversation).conversation_id.as_bytes());
    }

    fn qa_id(&self, conversation: u32, pair: u32, out: &mut Vec<u8>) {
        out.extend_from_slice(self.row(conversation).pair(pair).0.qa_id.as_bytes());
    }

    fn messages(&self, conversation: u32) -> u64 {
        self.row(conversation).messages.len() as u64
    }

    fn question_time(&self, conversation: u32, pair: u32) -> i64 {
        self.row(conversation).pair(pair).0.create_time
    }

    fn feedback(&self, conversation: u32, pair: u32) -> Feedback {
        self.row(conversation).pair(pair).1.feedback
    }

    fn conversation(&self, conversation: u32, lend: &mut dyn FnMut(&Conversation<'_>)) {
        let row = self.row(conversation);
        lend(&Conversation {
            conversation_id: &Escaped(&row.conversation_id),
            user_id: &Escaped(&row.user_id),
            recent_chat_time: row.recent_chat_time,
            subject: &Escaped(&row.subject),
            conversation_type: row.conversation_type,
            message_count: row.messages.len() as u64,
            cost_credit: row.cost_credit,
            bot_id: &Escaped(&self.bot_id),
            anonymous_id: &Escaped(&row.anonymous_id),
        });
    }

    fn message(&self, conversation: u32, position: u64, lend: &mut dyn FnMut(&Message<'_>)) {
        let row = self.row(conversation);
        let at = usize::try_from(position).unwrap_or(usize::MAX);
        let message = &row.messages[at];
        let parent = at.checked_sub(1).map_or("", |parent| &row.messages[parent].message_id);
        lend(&Message {
            message_id: &Escaped(&message.message_id),
            parent_message_id: &Escaped(parent),
            message_type: message.message_type,
            text: &Escaped(&message.text),
            create_time: message.create_time,
            feedback: message.feedback,
        });
    }

    fn qa(&self, conversation: u32, pair: u32, lend: &mut dyn FnMut(&Qa<'_>)) {
        let row = self.row(conversation);
        let (question, answer) = row.pair(pair);
        lend(&Qa {
            id: &Escaped(&question.qa_id),
            q_time: question.create_time,
            q: &Escaped(&question.text),
            a: &Escaped(&answer.text),
            user_feedback: answer.feedback,
            convo_id: &Escaped(&row.conversation_id),
            convo_type: row.conversation_type,
            aid: &Escaped(&answer.message_id),
            user_id: &Escaped(&row.user_id),
        });
    }
}

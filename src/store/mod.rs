//! Records and their indexes behind one query interface. It knows no HTTP; the HTTP layer knows
//! nothing of how records are kept.

mod index;
mod loaded;
mod records;
mod texts;

use index::{ConversationIndex, QaIndex, Ranks};
pub(crate) use loaded::{Columns, Duplicate, Loaded, LoadedConversation, LoadedMessage};
pub(crate) use records::{Facts, Records};
pub(crate) use texts::{Str, Texts, TextsBuilder};

use crate::contract::{FeedbackFilter, TypeFilter};
use crate::model::{Conversation, Message, Qa};

/// The rows of one answer: how many rows to skip, how many to take at most, from which end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slice {
    pub(crate) skip: u64,
    pub(crate) take: u64,
    /// Counts from the last match backwards: the exact reverse of the order.
    pub(crate) reversed: bool,
}

impl Slice {
    /// How many rows it holds, of `total` matches.
    pub(crate) fn len(self, total: u64) -> u64 {
        self.take.min(total.saturating_sub(self.skip))
    }

    /// The positions among `total` matches, in the order of the answer.
    fn positions(self, total: u64) -> impl Iterator<Item = u64> {
        (self.skip..self.skip.saturating_add(self.len(total)))
            .map(move |n| if self.reversed { total - 1 - n } else { n })
    }
}

/// The records of one agent.
pub(crate) struct Store {
    records: Box<dyn Records>,
    conversations: ConversationIndex,
    qa: QaIndex,
}

impl Store {
    pub(crate) fn new(records: Box<dyn Records>) -> Self {
        let conversations = ConversationIndex::new(&*records);
        let qa = QaIndex::new(&*records);
        Self { records, conversations, qa }
    }

    /// How many conversations there are.
    #[cfg(feature = "cli")]
    pub(crate) fn conversation_count(&self) -> u64 {
        u64::from(self.records.len())
    }

    /// Conversations last active within a window (both ends inclusive), newest first.
    pub(crate) fn conversations(
        &self,
        window: (i64, i64),
        of_type: TypeFilter,
        user_id: Option<&str>,
    ) -> Conversations<'_> {
        let user = user_id.map(|id| self.records.find_user(id));
        let ranks = match user {
            // A user who is not there has no conversations.
            Some(None) => Ranks::Listed(&[]),
            Some(of_user) => self.conversations.select(window, of_type, of_user),
            None => self.conversations.select(window, of_type, None),
        };
        Conversations { store: self, ranks }
    }

    /// The messages of a conversation, oldest first. `None`: no such conversation.
    pub(crate) fn messages(&self, conversation_id: &str) -> Option<Messages<'_>> {
        let conversation = self.records.find(conversation_id)?;
        Some(Messages { store: self, conversation })
    }

    /// Q&A pairs asked within a window (both ends inclusive), oldest question first.
    pub(crate) fn qa(&self, window: (i64, i64), rated: FeedbackFilter) -> QaPairs<'_> {
        QaPairs { store: self, ranks: self.qa.select(&*self.records, window, rated) }
    }
}

/// The conversations that match.
pub(crate) struct Conversations<'a> {
    store: &'a Store,
    ranks: Ranks<'a>,
}

impl Conversations<'_> {
    pub(crate) fn total(&self) -> u64 {
        self.ranks.len()
    }

    pub(crate) fn each(&self, slice: Slice, row: &mut dyn FnMut(&Conversation<'_>)) {
        let ranks = slice.positions(self.total()).filter_map(|n| self.ranks.get(n));
        let numbers = ranks.filter_map(|rank| self.store.conversations.at(rank));
        let rows: Vec<_> = numbers.map(|number| (number, u32::MAX)).collect();
        self.store.records.expect(&rows);
        for (number, _) in rows {
            self.store.records.conversation(number, row);
        }
    }
}

/// The messages of one conversation.
pub(crate) struct Messages<'a> {
    store: &'a Store,
    conversation: u32,
}

impl Messages<'_> {
    pub(crate) fn total(&self) -> u64 {
        self.store.records.messages(self.conversation)
    }

    pub(crate) fn each(&self, slice: Slice, row: &mut dyn FnMut(&Message<'_>)) {
        for position in slice.positions(self.total()) {
            self.store.records.message(self.conversation, position, row);
        }
    }
}

/// The Q&A pairs that match.
pub(crate) struct QaPairs<'a> {
    store: &'a Store,
    ranks: Ranks<'a>,
}

impl QaPairs<'_> {
    pub(crate) fn total(&self) -> u64 {
        self.ranks.len()
    }

    pub(crate) fn each(&self, slice: Slice, row: &mut dyn FnMut(&Qa<'_>)) {
        let ranks = slice.positions(self.total()).filter_map(|n| self.ranks.get(n));
        let rows: Vec<_> = ranks.filter_map(|rank| self.store.qa.at(rank)).collect();
        self.store.records.expect(&rows);
        for (number, pair) in rows {
            self.store.records.qa(number, pair, row);
        }
    }
}

//! Records from the responses so far, which further requests use.

use super::response::{Page, Row, integer, text};
use crate::contract::{ConversationType, Operation};

#[derive(Default)]
pub(super) struct Samples {
    /// The first page of each operation: of all conversations, of all Q&A rows, and of the messages
    /// of [`conversation`](Self::conversation).
    pages: [Option<Page>; Operation::COUNT],
    /// The conversation whose messages are requested.
    pub(super) conversation: Option<Conversation>,
    /// A time just after the newest conversation, in ms.
    pub(super) window_end: Option<String>,
    /// The channels whose rows were requested.
    pub(super) channels: Vec<ConversationType>,
}

impl Samples {
    pub(super) fn page(&self, operation: Operation) -> Option<&Page> {
        self.pages[operation as usize].as_ref()
    }

    pub(super) fn keep(&mut self, operation: Operation, page: Page) {
        self.pages[operation as usize] = Some(page);
    }

    /// The first page of all conversations.
    pub(super) fn list(&self) -> Option<&Page> {
        self.page(Operation::ConversationList)
    }
}

/// The window ends this long after the newest conversation, so that no record is exactly at its end.
const MARGIN: i64 = 1000;

/// Times in milliseconds have been larger since 1973.
pub(super) const LEAST_MILLISECONDS: i64 = 100_000_000_000;

/// A conversation without messages for this long, in ms, is assumed to have ended.
const QUIET: i64 = 3_600_000;

/// The end of a window that contains only those conversations of a page that have ended, so that none of
/// them changes during the run; and whether the window leaves out any conversation of the page. It leaves
/// out none if fewer than half of them have ended.
pub(super) fn window_end(list: &Page) -> Option<(String, bool)> {
    let times = list.integers("recent_chat_time");
    let newest = times.iter().copied().max().filter(|newest| *newest >= LEAST_MILLISECONDS)?;
    let over: Vec<i64> = times.iter().copied().filter(|time| *time <= newest - QUIET).collect();
    // Half of a page has enough rows to compare; fewer rows may not be enough.
    let end = over.iter().max().filter(|_| over.len() * 2 >= times.len());
    let window_end = end.unwrap_or(&newest).saturating_add(MARGIN);
    Some((window_end.to_string(), end.is_some()))
}

/// A conversation of the list.
#[derive(Clone, Debug)]
pub(super) struct Conversation {
    pub(super) id: String,
    pub(super) time: i64,
    pub(super) messages: i64,
    pub(super) subject: String,
    pub(super) user: String,
    pub(super) channel: String,
}

impl Conversation {
    /// Reads a row. A text that is missing in the row is empty here, because `rows` records that.
    fn from_row(row: &Row) -> Option<Self> {
        let text_or_empty = |name| text(row, name).unwrap_or_default().to_owned();
        Some(Self {
            id: text(row, "conversation_id")?.to_owned(),
            time: integer(row, "recent_chat_time")?,
            messages: integer(row, "message_count")?,
            subject: text_or_empty("subject"),
            user: text_or_empty("user_id"),
            channel: text_or_empty("conversation_type"),
        })
    }

    /// Chooses the conversation that shows the most: the longest that fits on a page, else the shortest.
    pub(super) fn choose(list: &Page) -> Option<Self> {
        let all = || list.rows().filter_map(Self::from_row);
        let fitting = all().filter(|one| (2..=100).contains(&one.messages));
        fitting
            .max_by_key(|one| one.messages)
            .or_else(|| all().filter(|one| one.messages > 0).min_by_key(|one| one.messages))
    }

    /// Chooses a conversation without messages.
    pub(super) fn choose_empty(list: &Page) -> Option<Self> {
        list.rows().filter_map(Self::from_row).find(|one| one.messages == 0)
    }
}

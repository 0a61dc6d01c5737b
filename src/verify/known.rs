//! What the answers gave to ask on with.

use super::seen::{Object, Page, number, text};

#[derive(Default)]
pub(super) struct Known {
    /// The first page of all conversations.
    pub(super) list: Option<Page>,
    /// A time just behind the newest conversation, in ms.
    pub(super) until: Option<String>,
    /// The conversation whose messages are asked for.
    pub(super) chat: Option<Chat>,
    /// Its messages, v1.
    pub(super) messages: Option<Page>,
    /// Its messages, v2.
    pub(super) messages_v2: Option<Page>,
    /// The channels whose rows were asked for.
    pub(super) channels: Vec<String>,
    /// The first page of all Q&A rows.
    pub(super) qa: Option<Page>,
}

/// So far behind the newest conversation: no window ends just at a record, whatever it does there.
const BEHIND: i64 = 1000;

/// Times in milliseconds have been larger since 1973.
pub(super) const LEAST_MILLISECONDS: i64 = 100_000_000_000;

/// Where a window ends that holds all conversations of a page and none that come later.
pub(super) fn until(list: &Page) -> Option<String> {
    let newest = list.numbers("recent_chat_time").into_iter().max()?;
    (newest >= LEAST_MILLISECONDS).then(|| newest.saturating_add(BEHIND).to_string())
}

/// A conversation of the list.
#[derive(Clone, Debug)]
pub(super) struct Chat {
    pub(super) id: String,
    pub(super) time: i64,
    pub(super) count: i64,
}

impl Chat {
    fn of(row: &Object) -> Option<Self> {
        Some(Self {
            id: text(row, "conversation_id")?.to_owned(),
            time: number(row, "recent_chat_time")?,
            count: number(row, "message_count")?,
        })
    }

    /// The conversation that tells most: the longest that fits on a page, else the shortest.
    pub(super) fn choose(list: &Page) -> Option<Self> {
        let all = || list.rows().filter_map(Self::of);
        let fitting = all().filter(|chat| (2..=100).contains(&chat.count));
        fitting
            .max_by_key(|chat| chat.count)
            .or_else(|| all().filter(|chat| chat.count > 0).min_by_key(|chat| chat.count))
    }

    /// A conversation without messages.
    pub(super) fn empty(list: &Page) -> Option<Self> {
        list.rows().filter_map(Self::of).find(|chat| chat.count == 0)
    }
}

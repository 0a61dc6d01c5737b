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

/// A conversation that was silent for so long, in ms, is taken to have ended.
const QUIET: i64 = 3_600_000;

/// Where a window ends that holds the conversations of a page which are over, and none that begin or
/// go on later; and whether it leaves any out. Where the newest are all that there are, it holds them.
pub(super) fn until(list: &Page) -> Option<(String, bool)> {
    let times = list.numbers("recent_chat_time");
    let newest = times.iter().copied().max().filter(|newest| *newest >= LEAST_MILLISECONDS)?;
    let over: Vec<i64> = times.iter().copied().filter(|time| *time <= newest - QUIET).collect();
    // Half of a page tells as much as all of it; less may not.
    let end = over.iter().max().filter(|_| over.len() * 2 >= times.len());
    let until = end.unwrap_or(&newest).saturating_add(BEHIND);
    Some((until.to_string(), end.is_some()))
}

/// A conversation of the list.
#[derive(Clone, Debug)]
pub(super) struct Chat {
    pub(super) id: String,
    pub(super) time: i64,
    pub(super) count: i64,
    pub(super) subject: String,
    pub(super) user: String,
    pub(super) channel: String,
}

impl Chat {
    fn of(row: &Object) -> Option<Self> {
        Some(Self {
            id: text(row, "conversation_id")?.to_owned(),
            time: number(row, "recent_chat_time")?,
            count: number(row, "message_count")?,
            subject: text(row, "subject").unwrap_or_default().to_owned(),
            user: text(row, "user_id").unwrap_or_default().to_owned(),
            channel: text(row, "conversation_type").unwrap_or_default().to_owned(),
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

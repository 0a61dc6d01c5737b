//! The orders in which records are asked for. A query is a window and a filter; its answer is a
//! [`Ranks`]: how many match, and which record is the n-th. Nothing is scanned: windows are
//! binary searches, filters are lists made at start.

use std::cmp::Ordering;
use std::ops::Range;

use super::Records;
use crate::contract::{CONVERSATION_TYPES, FeedbackFilter, TypeFilter};
use crate::model::Feedback;

/// The ranks that match a query, in order.
#[derive(Clone, Debug)]
pub(crate) enum Ranks<'a> {
    /// Consecutive ranks: no filter but the window.
    All(Range<u32>),
    /// Part of a list of 32-bit ranks.
    Listed(&'a [u32]),
    /// Part of a list of keys whose low 32 bits are the rank.
    Keyed(&'a [u64]),
}

impl Ranks<'_> {
    pub(crate) fn len(&self) -> u64 {
        match self {
            Self::All(range) => u64::from(range.end - range.start),
            Self::Listed(list) => list.len() as u64,
            Self::Keyed(list) => list.len() as u64,
        }
    }

    /// The n-th rank; `None` past the end.
    pub(crate) fn get(&self, n: u64) -> Option<u32> {
        let n = usize::try_from(n).ok()?;
        match self {
            Self::All(range) => range.clone().nth(n),
            Self::Listed(list) => list.get(n).copied(),
            Self::Keyed(list) => list.get(n).map(|key| low(*key)),
        }
    }
}

/// The low half of a key.
#[allow(clippy::cast_possible_truncation, reason = "the low half is what is wanted")]
const fn low(key: u64) -> u32 {
    key as u32
}

const fn key(high: u32, low: u32) -> u64 {
    ((high as u64) << 32) | low as u64
}

/// The first position at which `before` is false, in `0..len`.
fn partition(len: u32, before: impl Fn(u32) -> bool) -> u32 {
    let (mut from, mut to) = (0, len);
    while from < to {
        let middle = from + (to - from) / 2;
        if before(middle) { from = middle + 1 } else { to = middle }
    }
    from
}

/// Conversations: newest first, ties by id ascending.
pub(crate) struct ConversationIndex {
    /// Which conversation stands at a rank?
    order: Vec<u32>,
    /// When was the conversation at a rank last active? Falls, so windows are binary searches.
    times: Vec<i64>,
    /// Which ranks are of a type? By type, ascending.
    by_type: Vec<Vec<u32>>,
    /// Which ranks are of a user? (user, rank), ascending.
    by_user: Vec<u64>,
    /// Which ranks are of a user and a type? By type, (user, rank), ascending.
    by_type_and_user: Vec<Vec<u64>>,
}

impl ConversationIndex {
    pub(crate) fn new(records: &dyn Records) -> Self {
        let mut keys: Vec<(i64, u32)> = (0..records.len())
            .map(|number| (records.facts(number).recent_chat_time, number))
            .collect();
        keys.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        settle_ties(&mut keys, |number, out| records.conversation_id(number, out));
        let types = CONVERSATION_TYPES.len();
        let mut index = Self {
            order: keys.iter().map(|key| key.1).collect(),
            times: keys.iter().map(|key| key.0).collect(),
            by_type: vec![Vec::new(); types],
            by_user: Vec::with_capacity(keys.len()),
            by_type_and_user: vec![Vec::new(); types],
        };
        drop(keys);
        for (rank, number) in (0..).zip(&index.order) {
            let facts = records.facts(*number);
            let listed = facts.conversation_type as usize;
            index.by_type[listed].push(rank);
            index.by_user.push(key(facts.user, rank));
            index.by_type_and_user[listed].push(key(facts.user, rank));
        }
        index.by_user.sort_unstable();
        for list in &mut index.by_type_and_user {
            list.sort_unstable();
            list.shrink_to_fit();
        }
        for list in &mut index.by_type {
            list.shrink_to_fit();
        }
        index
    }

    /// The conversation at a rank.
    pub(crate) fn at(&self, rank: u32) -> Option<u32> {
        self.order.get(rank as usize).copied()
    }

    /// The ranks within a window (both ends inclusive), of a type and a user.
    pub(crate) fn select(
        &self,
        window: (i64, i64),
        of_type: TypeFilter,
        of_user: Option<u32>,
    ) -> Ranks<'_> {
        let (start, end) = window;
        let from = to_rank(self.times.partition_point(|time| *time > end));
        let to = to_rank(self.times.partition_point(|time| *time >= start));
        let ranks = from..to.max(from);
        match (of_type, of_user) {
            (None, None) => Ranks::All(ranks),
            (Some(of_type), None) => {
                let list = &self.by_type[of_type as usize];
                let from = list.partition_point(|rank| *rank < ranks.start);
                let to = list.partition_point(|rank| *rank < ranks.end);
                Ranks::Listed(&list[from..to])
            }
            (None, Some(user)) => keyed(&self.by_user, user, &ranks),
            (Some(of_type), Some(user)) => {
                keyed(&self.by_type_and_user[of_type as usize], user, &ranks)
            }
        }
    }
}

fn keyed<'a>(list: &'a [u64], user: u32, ranks: &Range<u32>) -> Ranks<'a> {
    let from = list.partition_point(|entry| *entry < key(user, ranks.start));
    let to = list.partition_point(|entry| *entry < key(user, ranks.end));
    Ranks::Keyed(&list[from..to])
}

/// Ranks are 32 bits: a source holds fewer than 2^32 records of a kind.
#[allow(clippy::cast_possible_truncation, reason = "bounded by Records::len and QaIndex::new")]
const fn to_rank(position: usize) -> u32 {
    position as u32
}

/// Sorts runs of equal time by id. Ids are written only where a tie asks for them.
fn settle_ties<T: Copy>(keys: &mut [(i64, T)], write_id: impl Fn(T, &mut Vec<u8>)) {
    for run in keys.chunk_by_mut(|a, b| a.0 == b.0).filter(|run| run.len() > 1) {
        run.sort_by_cached_key(|entry| {
            let mut id = Vec::new();
            write_id(entry.1, &mut id);
            id
        });
    }
}

/// Q&A pairs: oldest question first, ties by id ascending.
pub(crate) struct QaIndex {
    /// Which (conversation, pair) stands at a rank?
    order: Vec<u64>,
    /// Which ranks are rated so? By feedback, ascending.
    by_feedback: [Vec<u32>; Feedback::ALL.len()],
}

impl QaIndex {
    pub(crate) fn new(records: &dyn Records) -> Self {
        let mut keys: Vec<(i64, u64)> = Vec::new();
        for number in 0..records.len() {
            for pair in 0..records.facts(number).pairs {
                keys.push((records.question_time(number, pair), key(number, pair)));
            }
        }
        keys.sort_unstable();
        settle_ties(&mut keys, |entry, out| {
            records.qa_id(low(entry >> 32), low(entry), out);
        });
        let order: Vec<u64> = keys.iter().map(|key| key.1).collect();
        drop(keys);
        let mut by_feedback: [Vec<u32>; Feedback::ALL.len()] = Default::default();
        for (rank, entry) in (0..).zip(&order) {
            let feedback = records.feedback(low(entry >> 32), low(*entry));
            by_feedback[feedback as usize].push(rank);
        }
        for list in &mut by_feedback {
            list.shrink_to_fit();
        }
        Self { order, by_feedback }
    }

    /// The (conversation, pair) at a rank.
    pub(crate) fn at(&self, rank: u32) -> Option<(u32, u32)> {
        self.order.get(rank as usize).map(|entry| (low(entry >> 32), low(*entry)))
    }

    /// The ranks within a window (both ends inclusive), rated so.
    pub(crate) fn select(
        &self,
        records: &dyn Records,
        window: (i64, i64),
        rated: FeedbackFilter,
    ) -> Ranks<'_> {
        // Times are asked of the source: a column of them would be the largest part of the index.
        let compare = |rank: u32, time: i64| -> Ordering {
            self.at(rank).map_or(Ordering::Greater, |(conversation, pair)| {
                records.question_time(conversation, pair).cmp(&time)
            })
        };
        let len = to_rank(self.order.len());
        let from = partition(len, |rank| compare(rank, window.0).is_lt());
        let to = partition(len, |rank| compare(rank, window.1).is_le()).max(from);
        match rated {
            None => Ranks::All(from..to),
            Some(feedback) => {
                let list = &self.by_feedback[feedback as usize];
                let begin = list.partition_point(|rank| *rank < from);
                let end = list.partition_point(|rank| *rank < to);
                Ranks::Listed(&list[begin..end])
            }
        }
    }
}

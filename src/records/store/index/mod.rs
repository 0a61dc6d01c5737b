//! The indexes of records. A query is a time window and a filter; its result is a [`Ranks`]: how many
//! records match, and which record is the n-th. No query scans records: a window is found by binary search,
//! and for every filter there is a precomputed list of ranks.
//!
//! An index has 32-bit numbers and no sort keys. A binary search gets the keys that it compares from the
//! source, because the source computes a key faster than it could be loaded from a list that is several
//! times as long as all the ranks.

mod conversations;
#[cfg(test)]
pub(super) mod fake;
mod qa;
#[cfg(test)]
mod tests;

use std::ops::Range;

pub(super) use conversations::ConversationIndex;
pub(super) use qa::QaIndex;

/// The first rank at which `is_before` is false; it is true for all ranks before that one and false for the
/// others. Both ends are compared first, because the windows of most queries contain all records.
fn boundary(order: &[u32], is_before: impl Fn(u32) -> bool) -> u32 {
    let rank = match order {
        [first, ..] if !is_before(*first) => 0,
        [.., last] if is_before(*last) => order.len(),
        _ => order.partition_point(|number| is_before(*number)),
    };
    to_rank(rank)
}

/// The ranks that match a query, in order.
#[derive(Clone, Debug)]
pub(crate) enum Ranks<'a> {
    /// Consecutive ranks, for a query without a filter.
    Range(Range<u32>),
    /// Part of the list of a filter.
    Listed(&'a [u32]),
}

impl<'a> Ranks<'a> {
    pub(crate) fn len(&self) -> u64 {
        match self {
            Self::Range(range) => u64::from(range.end - range.start),
            Self::Listed(list) => list.len() as u64,
        }
    }

    /// The n-th rank; `n` is below `len`.
    pub(super) fn get(&self, n: u64) -> u32 {
        let n = to_rank(n);
        match self {
            Self::Range(range) => range.start + n,
            Self::Listed(list) => list[n as usize],
        }
    }

    /// The part of an ascending list within a range.
    fn within(list: &'a [u32], ranks: &Range<u32>) -> Self {
        let place = |end: u32| list.partition_point(|rank| *rank < end);
        Self::Listed(&list[place(ranks.start)..place(ranks.end)])
    }

    /// The ranks within a range that have some key. The list is sorted by (key, rank).
    fn with_key<K: Ord + Copy>(
        list: &'a [u32],
        ranks: &Range<u32>,
        key: impl Fn(u32) -> K,
        wanted: K,
    ) -> Self {
        let place = |end: u32| list.partition_point(|rank| (key(*rank), *rank) < (wanted, end));
        Self::Listed(&list[place(ranks.start)..place(ranks.end)])
    }
}

/// A position among the records of a source as a rank.
fn to_rank(position: impl TryInto<u32>) -> u32 {
    position.try_into().ok().expect("a source numbers its records with 32 bits")
}

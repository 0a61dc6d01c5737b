//! The orders in which records are asked for. A query is a window and a filter; its answer is a
//! [`Ranks`]: how many match, and which record is the n-th. Nothing is scanned: windows are
//! binary searches, filters are lists made at start.
//!
//! An index holds numbers of 32 bits and no keys: those are asked of the source. It is made
//! without a comparison where that can be had, and by as many threads as are worth it.
//!
//! - `conversations`, `qa`: the indexes
//! - `fences`: binary search over keys that are not kept
//! - `sort`: records by time
//! - `parallel`: work that is shared among threads
//! - `fake`: a source for tests

mod conversations;
#[cfg(test)]
pub(super) mod fake;
mod fences;
mod parallel;
mod qa;
mod sort;
#[cfg(test)]
mod tests;

use std::ops::Range;

pub(super) use conversations::ConversationIndex;
pub(super) use parallel::{is_large, threads};
pub(super) use qa::QaIndex;

use super::count;

/// The ranks that match a query, in order.
#[derive(Clone, Debug)]
pub(super) enum Ranks<'a> {
    /// Consecutive ranks: no filter but the window.
    All(Range<u32>),
    /// Part of a list.
    Listed(&'a [u32]),
    /// Consecutive ranks, but for those of a list.
    Except(Range<u32>, &'a [u32]),
}

impl<'a> Ranks<'a> {
    pub(super) fn len(&self) -> u64 {
        match self {
            Self::All(range) => u64::from(range.end - range.start),
            Self::Listed(list) => list.len() as u64,
            Self::Except(range, list) => u64::from(range.end - range.start) - list.len() as u64,
        }
    }

    /// The n-th rank; `None` past the end. `near` is 0 at first, and then speeds up what is near
    /// the one before.
    pub(super) fn get(&self, n: u64, near: &mut usize) -> Option<u32> {
        count::visit();
        if n >= self.len() {
            return None;
        }
        let n = u32::try_from(n).ok()?;
        match self {
            Self::All(range) => Some(range.start + n),
            Self::Listed(list) => list.get(n as usize).copied(),
            Self::Except(range, list) => {
                // Is the answer behind an exception, as so many are before that?
                let behind = |at: usize| {
                    count::visit();
                    list[at] - range.start - to_rank(at) <= n
                };
                let (from, to) = (near.saturating_sub(NEAR), (*near + NEAR).min(list.len()));
                let here = (from == 0 || behind(from - 1)) && (to == list.len() || !behind(to));
                let (mut from, mut to) = if here { (from, to) } else { (0, list.len()) };
                while from < to {
                    let middle = from + (to - from) / 2;
                    if behind(middle) { from = middle + 1 } else { to = middle }
                }
                *near = from;
                Some(range.start + n + to_rank(from))
            }
        }
    }

    /// The ranks of a range that are not in an ascending list.
    fn outside(list: &'a [u32], ranks: Range<u32>) -> Self {
        match Self::within(list, &ranks) {
            Self::Listed(list) => Self::Except(ranks, list),
            other => other,
        }
    }

    /// The part of an ascending list that lies within a range.
    fn within(list: &'a [u32], ranks: &Range<u32>) -> Self {
        let before = |end: u32| {
            list.partition_point(|rank| {
                count::visit();
                *rank < end
            })
        };
        Self::Listed(&list[before(ranks.start)..before(ranks.end)])
    }
}

/// The low half of a word.
#[allow(clippy::cast_possible_truncation, reason = "the low half is what is wanted")]
const fn low(word: u64) -> u32 {
    word as u32
}

/// Ranks are 32 bits: a source holds fewer than 2^32 records of a kind.
#[allow(clippy::cast_possible_truncation, reason = "bounded by the numbers of Records")]
const fn to_rank(position: usize) -> u32 {
    position as u32
}

/// How far from the one before an exception is looked for first.
const NEAR: usize = 32;

/// Frees a list so that its memory goes back to the system at once. The allocator of glibc keeps
/// what it gets in pieces as large as the largest that was freed; so first it gets all but the
/// first page, by way of a smaller list.
fn give_back<T>(mut list: Vec<T>) {
    list.clear();
    list.shrink_to(1);
}

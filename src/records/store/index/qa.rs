//! Q&A pairs: oldest question first, questions of the same time by ascending id.

use super::{Ranks, boundary};
use crate::contract::{Feedback, FeedbackFilter};
use crate::records::store::RecordSource;

/// Which pairs match, and in which order?
pub(in crate::records::store) struct QaIndex {
    /// Which pair has a rank?
    order: Vec<u32>,
    /// Which ranks have this rating? For each feedback, ascending.
    by_feedback: [Vec<u32>; Feedback::ALL.len()],
}

impl QaIndex {
    pub(in crate::records::store) fn new(records: &impl RecordSource) -> Self {
        let mut order = Vec::new();
        let mut by_feedback: [Vec<u32>; Feedback::ALL.len()] = Default::default();
        for (rank, entry) in (0..).zip(oldest_first(records)) {
            order.push(entry.pair());
            by_feedback[entry.feedback()].push(rank);
        }
        order.shrink_to_fit();
        by_feedback.iter_mut().for_each(Vec::shrink_to_fit);
        Self { order, by_feedback }
    }

    /// The bytes of memory that it takes.
    pub(in crate::records::store) fn bytes(&self) -> usize {
        let lists = self.by_feedback.iter().chain([&self.order]);
        lists.map(|list| list.capacity() * size_of::<u32>()).sum()
    }

    /// The pair at a rank.
    pub(in crate::records::store) fn at(&self, rank: u32) -> u32 {
        self.order[rank as usize]
    }

    /// All pairs, by rank.
    pub(in crate::records::store) fn all(&self) -> impl Iterator<Item = u32> {
        self.order.iter().copied()
    }

    /// The ranks within a window (both ends inclusive) that have this rating.
    pub(in crate::records::store) fn select(
        &self,
        records: &impl RecordSource,
        (start, end): (i64, i64),
        rated: FeedbackFilter,
    ) -> Ranks<'_> {
        let from = boundary(&self.order, |pair| records.question_time(pair) < start);
        let to = boundary(&self.order, |pair| records.question_time(pair) <= end);
        let ranks = from..to.max(from);
        match rated {
            None => Ranks::Range(ranks),
            Some(feedback) => Ranks::within(&self.by_feedback[feedback as usize], &ranks),
        }
    }
}

/// A pair while pairs are sorted, in one word, because a million conversations have five million pairs:
/// 30 bits of the question's time, 2 bits of the feedback, 32 bits of the pair's number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry(u64);

impl Entry {
    const TIME_BITS: u32 = 30;

    fn new(time: u64, feedback: Feedback, pair: u32) -> Self {
        Self(time << 34 | (feedback as u64) << 32 | u64::from(pair))
    }

    fn time(self) -> u64 {
        self.0 >> 34
    }

    fn feedback(self) -> usize {
        (self.0 >> 32 & 3) as usize
    }

    #[allow(clippy::cast_possible_truncation, reason = "the number is the low half")]
    fn pair(self) -> u32 {
        self.0 as u32
    }
}

/// All pairs, oldest question first.
fn oldest_first(records: &impl RecordSource) -> Vec<Entry> {
    let (first, last) = records.time_range();
    // The times of a longer range are rounded down to fit. Below, equal entries are sorted by their full
    // times.
    let bits = u64::BITS - last.abs_diff(first).leading_zeros();
    let rounding = bits.saturating_sub(Entry::TIME_BITS);
    let mut entries = Vec::new();
    for conversation in 0..records.len() {
        records.pairs(conversation, |pair, time, feedback| {
            entries.push(Entry::new(time.abs_diff(first) >> rounding, feedback, pair));
        });
    }
    entries.sort_unstable();
    let ties = entries.chunk_by_mut(|a, b| a.time() == b.time());
    for ties in ties.filter(|ties| ties.len() > 1) {
        ties.sort_by_cached_key(|entry| {
            (records.question_time(entry.pair()), records.qa_id(entry.pair()))
        });
    }
    entries
}

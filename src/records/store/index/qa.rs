//! Q&A pairs: oldest question first, ties by id ascending.

use std::collections::VecDeque;

use super::conversations::ConversationIndex;
use super::fences::Fences;
use super::parallel::{in_parallel, split};
use super::sort::{self, Buckets};
use super::{Ranks, count, give_back, low, to_rank};
use crate::contract::{Feedback, FeedbackFilter};
use crate::records::store::Records;

/// Which pairs match, and in which order?
pub(in crate::records::store) struct QaIndex {
    /// Which pair stands at a rank?
    order: Pieces,
    /// When was the question at a rank asked? Rises.
    times: Fences<i64>,
    /// Which ranks are rated so? By feedback, ascending. Of [`Feedback::None`], which most are,
    /// those that are *not*.
    by_feedback: [Vec<u32>; Feedback::ALL.len()],
}

/// A list in as many pieces as threads have made it, because it is too large to copy.
struct Pieces(Vec<Vec<u32>>);

impl Pieces {
    fn len(&self) -> usize {
        self.0.iter().map(Vec::len).sum()
    }

    #[inline(always)]
    fn get(&self, rank: u32) -> Option<u32> {
        let mut place = rank as usize;
        for piece in &self.0 {
            match piece.get(place) {
                Some(pair) => return Some(*pair),
                None => place -= piece.len(),
            }
        }
        None
    }
}

impl QaIndex {
    pub(in crate::records::store) fn new(
        records: &impl Records,
        conversations: &ConversationIndex,
        threads: usize,
    ) -> Self {
        let parts = if records.longest() == i64::MAX {
            vec![Sorted::anywhere(records)]
        } else {
            Sorted::near(records, conversations.order(), threads)
        };
        let mut order = Pieces(Vec::with_capacity(parts.len()));
        let mut by_feedback: [Vec<u32>; Feedback::ALL.len()] = Default::default();
        for mut part in parts {
            let before = to_rank(order.len());
            for (list, next) in by_feedback.iter_mut().zip(part.by_feedback) {
                if before == 0 {
                    *list = next;
                } else {
                    list.extend(next.iter().map(|rank| before + rank));
                    give_back(next);
                }
            }
            part.order.shrink_to_fit();
            order.0.push(part.order);
        }
        by_feedback.iter_mut().for_each(Vec::shrink_to_fit);
        let time = |rank| order.get(rank).map_or(i64::MAX, |pair| records.question_time(pair));
        let times = Fences::new(to_rank(order.len()), time);
        Self { order, times, by_feedback }
    }

    /// The pair at a rank.
    pub(in crate::records::store) fn at(&self, rank: u32) -> Option<u32> {
        count::visit();
        self.order.get(rank)
    }

    /// The ranks within a window (both ends inclusive), rated so.
    pub(in crate::records::store) fn select(
        &self,
        records: &impl Records,
        (start, end): (i64, i64),
        rated: FeedbackFilter,
    ) -> Ranks<'_> {
        let time = |rank: u32| self.at(rank).map_or(i64::MAX, |pair| records.question_time(pair));
        let from = self.times.partition_point(time, |time| *time < start);
        let to = self.times.partition_point(time, |time| *time <= end);
        let ranks = from..to.max(from);
        match rated {
            None => Ranks::All(ranks),
            Some(Feedback::None) => {
                Ranks::outside(&self.by_feedback[Feedback::None as usize], ranks)
            }
            Some(feedback) => Ranks::within(&self.by_feedback[feedback as usize], &ranks),
        }
    }
}

/// Pairs of a span of time, by rank. Lists are as those of the index.
#[derive(Default)]
struct Sorted {
    order: Vec<u32>,
    by_feedback: [Vec<u32>; Feedback::ALL.len()],
}

impl Sorted {
    /// The pairs of a source that does not say how far they are from the end of their
    /// conversation.
    fn anywhere(records: &impl Records) -> Self {
        let (mut first, mut last) = (i64::MAX, i64::MIN);
        for number in 0..records.len() {
            records.pairs(number, |_, time, _| (first, last) = (first.min(time), last.max(time)));
        }
        let span = last.max(first).wrapping_sub(first).cast_unsigned();
        let mut sweep = Sweep::new(records, first, span, records.len());
        (0..records.len()).for_each(|number| sweep.add(number));
        sweep.finish()
    }

    /// The pairs of a source that does. Time is cut in as many spans as there are threads.
    fn near(records: &impl Records, newest_first: &[u32], threads: usize) -> Vec<Self> {
        let time = |number: &u32| records.recent_chat_time(*number);
        let (Some(newest), Some(oldest)) = (newest_first.first(), newest_first.last()) else {
            return Vec::new();
        };
        let longest = records.longest();
        // As many conversations end in each.
        let cuts = split(newest_first.len(), threads);
        let cuts = cuts[1..].iter().rev().map(|part| time(&newest_first[part.start]));
        let mut first = time(oldest).saturating_sub(longest);
        let mut spans = Vec::with_capacity(threads);
        for cut in cuts {
            if cut == first {
                continue;
            }
            spans.push((first, cut.wrapping_sub(first).cast_unsigned() - 1));
            first = cut;
        }
        spans.push((first, time(newest).wrapping_sub(first).cast_unsigned()));
        in_parallel(threads, &spans, |(first, span)| {
            let end = first.saturating_add_unsigned(*span).saturating_add(longest);
            let from = newest_first.partition_point(|number| time(number) > end);
            let to = newest_first.partition_point(|number| time(number) >= *first);
            let numbers = &newest_first[from..to];
            let mut sweep = Sweep::new(records, *first, *span, to_rank(numbers.len()));
            for some in numbers.rchunks(64) {
                let oldest = some.last().map_or(*first, time);
                sweep.close_before(oldest.saturating_sub(longest));
                some.iter().rev().for_each(|number| sweep.add(*number));
            }
            sweep.finish()
        })
    }
}

/// Sorts the pairs of a span of time. A bucket is open until no later conversation can have a
/// pair in it, so that few are at a time.
struct Sweep<'a, R> {
    records: &'a R,
    first: i64,
    span: u64,
    buckets: Buckets,
    /// How many buckets are done with.
    closed: usize,
    open: VecDeque<Vec<u64>>,
    /// Room to sort in.
    room: Vec<u64>,
    /// Room for buckets to come.
    spare: Vec<Vec<u64>>,
    sorted: Sorted,
}

impl<'a, R: Records> Sweep<'a, R> {
    /// Of the pairs of so many conversations, those that are at most `span` behind `first`.
    fn new(records: &'a R, first: i64, span: u64, conversations: u32) -> Self {
        Self {
            records,
            first,
            span,
            buckets: Buckets::new(span, conversations / CONVERSATIONS_A_BUCKET),
            closed: 0,
            open: VecDeque::new(),
            room: Vec::new(),
            spare: Vec::new(),
            sorted: Sorted::default(),
        }
    }

    /// Adds the pairs of a conversation.
    #[inline(always)]
    fn add(&mut self, conversation: u32) {
        self.records.pairs(conversation, |pair, time, feedback| {
            // Wraps for what is before the first, and so is more than the span.
            let distance = time.wrapping_sub(self.first).cast_unsigned();
            if distance > self.span {
                return;
            }
            let bucket = self.buckets.of(distance) - self.closed;
            while self.open.len() <= bucket {
                self.open.push_back(self.spare.pop().unwrap_or_default());
            }
            self.open[bucket].push(self.buckets.entry(distance, feedback as u64, pair));
        });
    }

    /// No pair before this time will be added any more.
    fn close_before(&mut self, time: i64) {
        if time <= self.first {
            return;
        }
        let until = self.buckets.of(time.wrapping_sub(self.first).cast_unsigned());
        while self.closed < until {
            let Some(bucket) = self.open.pop_front() else {
                self.closed = until;
                return;
            };
            self.close(bucket);
            self.closed += 1;
        }
    }

    fn close(&mut self, mut bucket: Vec<u64>) {
        let records = self.records;
        self.buckets.sort(&mut bucket, &mut self.room, |pair| {
            (records.question_time(pair), records.qa_id(pair))
        });
        let Sorted { order, by_feedback } = &mut self.sorted;
        for entry in bucket.drain(..) {
            let feedback = sort::tag(entry);
            if feedback != Feedback::None as usize {
                by_feedback[feedback].push(to_rank(order.len()));
                by_feedback[Feedback::None as usize].push(to_rank(order.len()));
            }
            order.push(low(entry));
        }
        self.spare.push(bucket);
    }

    fn finish(mut self) -> Sorted {
        while let Some(bucket) = self.open.pop_front() {
            self.close(bucket);
        }
        self.sorted
    }
}

/// Pairs of so many conversations are in a bucket, about: few enough to sort in no time.
const CONVERSATIONS_A_BUCKET: u32 = 256;

//! Conversations: newest first, ties by id ascending.

use std::cmp::Reverse;
use std::ops::Range;

use super::fences::Fences;
use super::parallel::{in_parallel, split};
use super::sort::{self, Buckets, by_digit, by_key};
use super::{Ranks, count, give_back, low, to_rank};
use crate::contract::{CONVERSATION_TYPES, TypeFilter};
use crate::records::store::Records;

/// Which conversations match, and in which order?
pub(in crate::records::store) struct ConversationIndex {
    /// Which conversation stands at a rank?
    order: Vec<u32>,
    /// When was the conversation at a rank last active? Falls.
    times: Fences<i64>,
    /// Which ranks are of a type? By (type, rank).
    by_type: Vec<u32>,
    /// Where does a type begin in `by_type`? One more for the end.
    types: Vec<usize>,
    /// Which ranks are of a user? By (user, rank).
    by_user: Vec<u32>,
    /// The keys of `by_user`.
    users: Fences<(u32, u32)>,
    /// Which ranks are of a user and a type? By (user, type, rank).
    by_user_and_type: Vec<u32>,
    /// The keys of `by_user_and_type`.
    users_and_types: Fences<(u32, u32, u32)>,
}

/// Consecutive ranks: what the lists are made of.
#[derive(Default)]
struct Part {
    order: Vec<u32>,
    users: Vec<u32>,
    types: Vec<u8>,
}

impl ConversationIndex {
    pub(in crate::records::store) fn new(records: &impl Records, threads: usize) -> Self {
        let Part { order, users, types } = sorted(records, threads);
        let len = order.len();
        let ranks = || 0..to_rank(len);
        let of_type = |rank: u32| u32::from(types[rank as usize]);
        let user = || vec![by_key(ranks(), &users)];
        let rest = || {
            let by_type = by_digit(ranks(), len, of_type);
            let by_user_and_type = by_key(by_type.iter().copied(), &users);
            vec![by_type, by_user_and_type]
        };
        let lists =
            in_parallel(threads, &[true, false], |first| if *first { user() } else { rest() });
        let mut lists = lists.into_iter().flatten();
        let mut list = || lists.next().unwrap_or_default();
        let (by_user, by_type, by_user_and_type) = (list(), list(), list());
        let begins = |of: u32| by_type.partition_point(|rank| of_type(*rank) < of);
        let user_at = |rank: u32| users[rank as usize];
        let key = |place: u32| {
            let rank = by_user_and_type[place as usize];
            (user_at(rank), of_type(rank), rank)
        };
        let index = Self {
            times: Fences::new(to_rank(len), |rank| records.recent_chat_time(order[rank as usize])),
            types: (0..=to_rank(CONVERSATION_TYPES.len())).map(begins).collect(),
            users: Fences::new(to_rank(len), |place| {
                let rank = by_user[place as usize];
                (user_at(rank), rank)
            }),
            users_and_types: Fences::new(to_rank(len), key),
            order,
            by_type,
            by_user,
            by_user_and_type,
        };
        give_back(users);
        give_back(types);
        index
    }

    /// The conversation at a rank.
    pub(in crate::records::store) fn at(&self, rank: u32) -> Option<u32> {
        count::visit();
        self.order.get(rank as usize).copied()
    }

    /// All conversations, by rank.
    pub(super) fn order(&self) -> &[u32] {
        &self.order
    }

    /// The ranks within a window, both ends inclusive.
    pub(super) fn window(&self, records: &impl Records, (start, end): (i64, i64)) -> Range<u32> {
        let time = |rank: u32| {
            count::visit();
            records.recent_chat_time(self.order[rank as usize])
        };
        let from = self.times.partition_point(time, |time| *time > end);
        let to = self.times.partition_point(time, |time| *time >= start);
        from..to.max(from)
    }

    /// The ranks within a window (both ends inclusive), of a type and a user.
    pub(in crate::records::store) fn select(
        &self,
        records: &impl Records,
        window: (i64, i64),
        of_type: TypeFilter,
        of_user: Option<u32>,
    ) -> Ranks<'_> {
        let ranks = self.window(records, window);
        let facts = |rank: u32| {
            count::visit();
            records.facts(self.order[rank as usize])
        };
        match (of_type, of_user) {
            (None, None) => Ranks::All(ranks),
            (Some(of_type), None) => {
                let list = self.types[of_type as usize]..self.types[of_type as usize + 1];
                Ranks::within(&self.by_type[list], &ranks)
            }
            (None, Some(user)) => {
                let key = |place: u32| {
                    let rank = self.by_user[place as usize];
                    (facts(rank).user, rank)
                };
                let place = |rank| self.users.partition_point(key, |key| *key < (user, rank));
                listed(&self.by_user, place(ranks.start)..place(ranks.end))
            }
            (Some(of_type), Some(user)) => {
                let key = |place: u32| {
                    let rank = self.by_user_and_type[place as usize];
                    let facts = facts(rank);
                    (facts.user, facts.conversation_type as u32, rank)
                };
                let place = |rank| {
                    let wanted = (user, of_type as u32, rank);
                    self.users_and_types.partition_point(key, |key| *key < wanted)
                };
                listed(&self.by_user_and_type, place(ranks.start)..place(ranks.end))
            }
        }
    }
}

/// The ranks at these places.
fn listed(list: &[u32], places: Range<u32>) -> Ranks<'_> {
    Ranks::Listed(&list[places.start as usize..places.end as usize])
}

/// How many times are looked at for each cut of the span of time into parts.
const SAMPLES: u32 = 255;

/// Every conversation by rank, its user and its type.
fn sorted(records: &impl Records, threads: usize) -> Part {
    // Each thread reads the times of some numbers; then each has a part of time to sort.
    let cuts = cuts(records, threads);
    let numbers = split(records.len() as usize, threads);
    let mut found = in_parallel(threads, &numbers, |numbers| {
        let room = numbers.len() / (cuts.len() + 1) * 9 / 8;
        let mut found: Vec<_> = (0..=cuts.len()).map(|_| Found::with_room(room)).collect();
        for number in to_rank(numbers.start)..to_rank(numbers.end) {
            let time = records.recent_chat_time(number);
            let part: usize = cuts.iter().map(|cut| usize::from(time < *cut)).sum();
            found[part].add(number, time);
        }
        found
    });
    let parts: Vec<Vec<Found>> = (0..=cuts.len())
        .map(|part| found.iter_mut().map(|found| std::mem::take(&mut found[part])).collect())
        .collect();
    let sorted = in_parallel(threads, &parts, |part| Part::new(records, entries(records, part)));
    parts.into_iter().flatten().for_each(|found| give_back(found.entries));
    let mut sorted = sorted.into_iter();
    let mut first = sorted.next().unwrap_or_default();
    sorted.for_each(|part| first.append(part));
    first
}

/// Times that cut the span of time in `parts`, latest first; about as many conversations are in
/// each.
fn cuts(records: &impl Records, parts: usize) -> Vec<i64> {
    if parts < 2 || records.len() == 0 {
        return Vec::new();
    }
    let step = (records.len() / SAMPLES).max(1) as usize;
    let mut times: Vec<i64> =
        (0..records.len()).step_by(step).map(|number| records.recent_chat_time(number)).collect();
    times.sort_unstable_by_key(|time| Reverse(*time));
    split(times.len(), parts)[1..].iter().map(|part| times[part.start]).collect()
}

/// Conversations whose times are not yet in order.
struct Found {
    oldest: i64,
    newest: i64,
    /// The low half of the time, and the number.
    entries: Vec<u64>,
}

impl Default for Found {
    fn default() -> Self {
        Self::with_room(0)
    }
}

impl Found {
    fn with_room(room: usize) -> Self {
        Self { oldest: i64::MAX, newest: i64::MIN, entries: Vec::with_capacity(room) }
    }

    #[inline(always)]
    fn add(&mut self, number: u32, time: i64) {
        self.oldest = self.oldest.min(time);
        self.newest = self.newest.max(time);
        self.entries.push(time.cast_unsigned() << 32 | u64::from(number));
    }
}

/// The entries of a part of time, sorted.
fn entries(records: &impl Records, part: &[Found]) -> Vec<u64> {
    let found = || part.iter().flat_map(|found| &found.entries);
    let oldest = part.iter().map(|found| found.oldest).min().unwrap_or(0);
    let newest = part.iter().map(|found| found.newest).max().unwrap_or(0).max(oldest);
    let span = newest.wrapping_sub(oldest).cast_unsigned();
    let len = part.iter().map(|found| found.entries.len()).sum();
    let buckets = Buckets::new(span, to_rank(len) / CONVERSATIONS_A_BUCKET);
    // Half a time is enough where the span is below 2^32.
    let halves = u32::try_from(span).is_ok();
    let distance = |entry: u64| {
        if halves {
            u64::from(low(newest.cast_unsigned()).wrapping_sub(low(entry >> 32)))
        } else {
            newest.wrapping_sub(records.recent_chat_time(low(entry))).cast_unsigned()
        }
    };
    let mut next = vec![0; buckets.of(span) + 1];
    found().for_each(|entry| next[buckets.of(distance(*entry))] += 1);
    let mut begin = 0;
    for count in &mut next {
        begin += std::mem::replace(count, begin);
    }
    // Where the next entry of a bucket goes: at last, where the next bucket begins.
    let mut entries = vec![0; len];
    found().for_each(|entry| {
        let distance = distance(*entry);
        let place = &mut next[buckets.of(distance)];
        entries[*place] = buckets.entry(distance, 0, low(*entry));
        *place += 1;
    });
    let mut begin = 0;
    for end in next {
        sort::sort(&mut entries[begin..end], |number| {
            (Reverse(records.recent_chat_time(number)), records.conversation_id(number))
        });
        begin = end;
    }
    entries
}

/// So many conversations are in a bucket, about: few enough to sort in no time.
const CONVERSATIONS_A_BUCKET: u32 = 16;

impl Part {
    fn new(records: &impl Records, entries: Vec<u64>) -> Self {
        let len = entries.len();
        let mut part = Self {
            order: Vec::with_capacity(len),
            users: Vec::with_capacity(len),
            types: Vec::with_capacity(len),
        };
        for number in entries.iter().copied().map(low) {
            let facts = records.facts(number);
            part.order.push(number);
            part.users.push(facts.user);
            part.types.push(facts.conversation_type as u8);
        }
        give_back(entries);
        part
    }

    /// Puts the part that follows behind this one.
    fn append(&mut self, mut next: Self) {
        self.order.append(&mut next.order);
        self.users.append(&mut next.users);
        self.types.append(&mut next.types);
        give_back(next.order);
        give_back(next.users);
        give_back(next.types);
    }
}

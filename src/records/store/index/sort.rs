//! Sorting by time. Instants are spread over many buckets of equal width; what is left to compare
//! is few in each. Where times crowd into one bucket, that one is sorted as any list is.
//!
//! In its bucket, an entry is one word: the time (30 bits), a tag (2 bits), the number (32 bits).

use super::{give_back, low};

/// Bits of the time in an entry.
const TIME_BITS: u32 = 30;

/// Where the time begins in an entry.
const TIME_AT: u32 = 64 - TIME_BITS;

/// Buckets for instants, which are given as their distance from the first.
#[derive(Clone, Copy)]
pub(super) struct Buckets {
    /// A bucket is 2^bits wide, below 2^64.
    bits: u32,
}

impl Buckets {
    /// At most about `count` of them, for distances up to `span`.
    pub(super) fn new(span: u64, count: u32) -> Self {
        Self { bits: u64::BITS - (span / u64::from(count.max(2))).leading_zeros() }
    }

    /// The bucket of an instant.
    #[inline(always)]
    #[allow(clippy::cast_possible_truncation, reason = "there are at most as many as asked for")]
    pub(super) const fn of(self, distance: u64) -> usize {
        (distance >> self.bits) as usize
    }

    /// The entry of a record. Times in a bucket wider than [`TIME_BITS`] are rounded down.
    #[inline(always)]
    pub(super) const fn entry(self, distance: u64, tag: u64, number: u32) -> u64 {
        let time = (distance & ((1 << self.bits) - 1)) >> self.bits.saturating_sub(TIME_BITS);
        time << TIME_AT | tag << 32 | number as u64
    }
}

/// The tag of an entry.
pub(super) const fn tag(entry: u64) -> usize {
    (entry >> 32 & 3) as usize
}

/// Sorts a bucket: by time, and by what is exact where times are equal or were rounded to be.
pub(super) fn sort<K: Ord>(bucket: &mut [u64], exact: impl Fn(u32) -> K) {
    bucket.sort_unstable();
    settle(bucket, exact);
}

/// Sorts what is sorted by rounded time by what is exact.
fn settle<K: Ord>(bucket: &mut [u64], exact: impl Fn(u32) -> K) {
    let same = |a: &u64, b: &u64| a >> TIME_AT == b >> TIME_AT;
    for run in bucket.chunk_by_mut(same).filter(|run| run.len() > 1) {
        run.sort_by_cached_key(|entry| exact(low(*entry)));
    }
}

/// A bucket of fewer entries is sorted by comparing them.
const MANY: usize = 200;

impl Buckets {
    /// Sorts a bucket as [`sort`] does, digit by digit if it is large. `spare` is room for it.
    pub(super) fn sort<K: Ord>(
        self,
        bucket: &mut Vec<u64>,
        spare: &mut Vec<u64>,
        exact: impl Fn(u32) -> K,
    ) {
        if bucket.len() < MANY {
            return sort(bucket, exact);
        }
        spare.resize(bucket.len(), 0);
        for shift in (TIME_AT..TIME_AT + self.bits.min(TIME_BITS)).step_by(DIGIT_BITS as usize) {
            let digit = |entry: u64| low(entry >> shift) as usize & ((1 << DIGIT_BITS) - 1);
            let mut next = [0; 1 << DIGIT_BITS];
            for entry in &*bucket {
                next[digit(*entry)] += 1;
            }
            let mut begin = 0;
            for count in &mut next {
                begin += std::mem::replace(count, begin);
            }
            for entry in &*bucket {
                let place = &mut next[digit(*entry)];
                spare[*place] = *entry;
                *place += 1;
            }
            std::mem::swap(bucket, spare);
        }
        settle(bucket, exact);
    }
}

/// Digits have so many bits: their counts stay in the nearest cache.
const DIGIT_BITS: u32 = 10;

/// Ranks by key, and where keys are equal as they come.
pub(super) fn by_key(ranks: impl Iterator<Item = u32> + Clone, keys: &[u32]) -> Vec<u32> {
    let most = keys.iter().copied().max().unwrap_or(0);
    let digit = |rank: u32, shift: u32| (keys[rank as usize] >> shift) & ((1 << DIGIT_BITS) - 1);
    let mut sorted = by_digit(ranks, keys.len(), |rank| digit(rank, 0));
    for shift in (DIGIT_BITS..u32::BITS - most.leading_zeros()).step_by(DIGIT_BITS as usize) {
        let next = by_digit(sorted.iter().copied(), keys.len(), |rank| digit(rank, shift));
        give_back(std::mem::replace(&mut sorted, next));
    }
    sorted
}

/// `len` ranks by a digit, and where digits are equal as they come.
pub(super) fn by_digit(
    ranks: impl Iterator<Item = u32> + Clone,
    len: usize,
    digit: impl Fn(u32) -> u32,
) -> Vec<u32> {
    // Where the next rank with a digit goes; the ends are those of the digits before.
    let mut next = [0; (1 << DIGIT_BITS) + 1];
    for rank in ranks.clone() {
        next[digit(rank) as usize + 1] += 1;
    }
    for digit in 1..next.len() {
        next[digit] += next[digit - 1];
    }
    let mut sorted = vec![0; len];
    for rank in ranks {
        let place = &mut next[digit(rank) as usize];
        sorted[*place] = rank;
        *place += 1;
    }
    sorted
}

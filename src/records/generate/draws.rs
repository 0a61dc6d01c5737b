//! The random numbers of the generator: one keyed function of (record, purpose).
//!
//! At the start, `ChaCha8` turns the seed into keys and tables. The draws of a record are a keyed hash
//! of its number and a purpose, because a page of 100 rows makes some thousand draws, and a cipher
//! stream for each record would cost more than the rest of the page. Words are reduced to ranges here
//! instead of by `rand`, because its reductions have changed between releases.

use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};

/// The version of the generated data. A change that alters any byte needs a new version.
const DATA_VERSION: u64 = 1;

/// The random stream that sets up a part of the generator.
pub(super) fn stream(seed: u64, part: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    for (place, word) in key.chunks_exact_mut(8).zip([seed, DATA_VERSION, part, 0]) {
        place.copy_from_slice(&word.to_le_bytes());
    }
    ChaCha8Rng::from_seed(key)
}

/// Computes draws from (record, purpose). Draws are pure functions, so they can be computed in any order and
/// are not stored.
#[derive(Clone, Copy)]
pub(super) struct Draws {
    key: u64,
    spread: u64,
}

/// The draws of one record.
#[derive(Clone, Copy)]
pub(super) struct RecordDraws {
    record: u64,
    spread: u64,
}

impl Draws {
    pub(super) fn new(stream: &mut ChaCha8Rng) -> Self {
        Self { key: stream.next_u64(), spread: stream.next_u64() | 1 }
    }

    pub(super) fn record(self, record: u32) -> RecordDraws {
        let record = u64::from(record).wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(self.key);
        RecordDraws { record: scramble(record), spread: self.spread }
    }
}

impl RecordDraws {
    /// 64 evenly distributed bits.
    pub(super) fn at(self, purpose: u64) -> u64 {
        scramble(self.record.wrapping_add(purpose.wrapping_mul(self.spread)))
    }
}

/// `word` reduced to `0..below`, by its high bits.
#[allow(clippy::cast_possible_truncation, reason = "a product's high half is below 2^64")]
pub(super) fn reduce(word: u64, below: u64) -> u64 {
    ((u128::from(word) * u128::from(below)) >> 64) as u64
}

/// The entry of a list that is chosen by the high bits of a word.
pub(super) fn choose<T>(list: &[T], word: u64) -> &T {
    let at = reduce(word, list.len() as u64);
    &list[usize::try_from(at).expect("the word was reduced to the length of a list")]
}

/// Bits that are as evenly distributed as a word's own, and independent of them. This is the step of
/// `wyrand`.
#[allow(clippy::cast_possible_truncation, reason = "both halves are taken")]
pub(super) fn scramble(word: u64) -> u64 {
    let product = u128::from(word) * u128::from(word ^ 0xe703_7ed1_a0b4_28db);
    (product >> 64) as u64 ^ product as u64
}

/// `SplitMix64`'s finalizer (Stafford's variant 13): a bijection of 64 bits.
pub(crate) const fn mix(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// The inverse of [`mix`].
pub(super) const fn unmix(mut word: u64) -> u64 {
    word = word ^ (word >> 31) ^ (word >> 62);
    word = word.wrapping_mul(inverse(0x94d0_49bb_1331_11eb));
    word = word ^ (word >> 27) ^ (word >> 54);
    word = word.wrapping_mul(inverse(0xbf58_476d_1ce4_e5b9));
    word ^ (word >> 30) ^ (word >> 60)
}

/// The multiplicative inverse of an odd number modulo 2^64, by Newton's iteration.
pub(super) const fn inverse(odd: u64) -> u64 {
    let mut guess = odd;
    let mut round = 0;
    while round < 6 {
        guess = guess.wrapping_mul(2u64.wrapping_sub(odd.wrapping_mul(guess)));
        round += 1;
    }
    guess
}

/// A weighted choice by a table whose entries are numbers of values. The table is small, because a page draws
/// from several of them.
pub(super) struct WeightedTable<T> {
    entries: Box<[u8; ENTRIES]>,
    values: Vec<T>,
}

const ENTRIES: usize = 1 << TABLE_BITS;

/// How many bits of a word choose the entry.
pub(super) const TABLE_BITS: u32 = 10;

impl<T: Copy> WeightedTable<T> {
    /// Weights are shares of their sum, rounded to 1/1024.
    pub(super) fn new(weighted: &[(T, u32)]) -> Self {
        let sum: usize = weighted.iter().map(|(_, weight)| *weight as usize).sum();
        let mut entries = Box::new([0; ENTRIES]);
        let (mut weight_so_far, mut start) = (0, 0);
        for (number, (_, weight)) in (0..).zip(weighted) {
            weight_so_far += *weight as usize;
            let end = ENTRIES * weight_so_far / sum;
            entries[start..end].fill(number);
            start = end;
        }
        Self { entries, values: weighted.iter().map(|(value, _)| *value).collect() }
    }

    /// The value that is chosen by the lowest bits of a word.
    #[allow(clippy::cast_possible_truncation, reason = "only the lowest bits are wanted")]
    pub(super) fn draw(&self, word: u64) -> T {
        self.values[usize::from(self.entries[word as usize % ENTRIES])]
    }
}

#[cfg(test)]
mod tests {
    use super::{inverse, mix, reduce, unmix};

    #[test]
    fn unmix_undoes_mix() {
        for word in [0, 1, u64::MAX, 0x0123_4567_89ab_cdef, 1 << 63] {
            assert_eq!(unmix(mix(word)), word);
        }
        assert_eq!(inverse(0xbf58_476d_1ce4_e5b9).wrapping_mul(0xbf58_476d_1ce4_e5b9), 1);
    }

    #[test]
    fn reduce_stays_below_and_reaches_both_ends() {
        assert_eq!(reduce(0, 10), 0);
        assert_eq!(reduce(u64::MAX, 10), 9);
    }
}

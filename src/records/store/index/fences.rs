//! Binary search over a sorted column of keys that is not kept: every so many-th key is, which
//! leads to a block, and within the block keys are made when they are asked for.

use super::count;

/// Keys a block: few to make, and little to keep.
pub(super) const BLOCK: u32 = 64;

/// The first key of each block of a sorted column.
pub(super) struct Fences<K> {
    len: u32,
    keys: Vec<K>,
    /// The last key of all, so that what goes to the end is found at once.
    last: Option<K>,
}

impl<K> Fences<K> {
    /// The fences of `len` keys.
    pub(super) fn new(len: u32, key: impl Fn(u32) -> K) -> Self {
        let keys = (0..len).step_by(BLOCK as usize).map(&key).collect();
        Self { len, keys, last: len.checked_sub(1).map(key) }
    }

    /// The first place whose key is not `before`, where all keys that are come first.
    pub(super) fn partition_point(
        &self,
        key: impl Fn(u32) -> K,
        before: impl Fn(&K) -> bool,
    ) -> u32 {
        let before = |key: &K| {
            count::visit();
            before(key)
        };
        match (self.keys.first(), &self.last) {
            (Some(first), _) if !before(first) => return 0,
            (_, Some(last)) if before(last) => return self.len,
            _ => {}
        }
        let blocks = super::to_rank(self.keys.partition_point(before));
        // The first key of the last of these is before; the block's other keys may not be.
        let Some(block) = blocks.checked_sub(1) else { return 0 };
        let mut from = block * BLOCK + 1;
        let mut to = self.len.min(from + (BLOCK - 1));
        while from < to {
            let middle = from + (to - from) / 2;
            if before(&key(middle)) { from = middle + 1 } else { to = middle }
        }
        from
    }
}

//! Which sandbox ends where there are too many: of those that nobody used with a known key the one
//! that was used least recently, then of the others.
//!
//! A request notes its use in the sandbox alone, without a lock. So the queue holds what was noted
//! when it last looked, and looks again before it takes a sandbox out. A sandbox is put back at most
//! once for each time that it was used, so a request pays for it in the logarithm of their number.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Weak};

use super::Sandbox;

/// So many sandboxes that are in use are passed over for one that is not, so that thousands of
/// requests in flight do not make each new sandbox dear. Where that is not enough, there is one
/// sandbox more than there may be, for a while.
const MOST_IN_USE: usize = 64;

/// So many entries at the front are brought up to date whenever a sandbox is added.
const LOOKED_AT_BEFORE: u64 = 2;

/// Whether it was used with a known key or by the control API, and which use of any sandbox was its
/// last.
type Rank = (bool, u64);

/// Sandboxes in the order in which they end.
#[derive(Default)]
pub(super) struct EvictionQueue {
    /// The one that ends first is the greatest.
    heap: BinaryHeap<Entry>,
    #[cfg(test)]
    pub(super) looks: u64,
}

struct Entry {
    /// As it was when the queue last looked.
    rank: Rank,
    sandbox: Weak<Sandbox>,
}

impl Entry {
    fn of(sandbox: &Arc<Sandbox>) -> Self {
        Self { rank: rank(sandbox), sandbox: Arc::downgrade(sandbox) }
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        other.rank.cmp(&self.rank)
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.rank == other.rank
    }
}

impl Eq for Entry {}

fn rank(sandbox: &Sandbox) -> Rank {
    (sandbox.authenticated.load(Relaxed), sandbox.turn.load(Relaxed))
}

impl EvictionQueue {
    /// Adds a sandbox. `there` is how many there are with it, and `is_there` as for
    /// [`EvictionQueue::take`].
    pub(super) fn add(
        &mut self,
        sandbox: &Arc<Sandbox>,
        there: usize,
        is_there: impl Fn(&Arc<Sandbox>) -> bool,
    ) {
        // Sandboxes that ended in another way leave their entries behind.
        if self.heap.len() > 2 * there + 64 {
            self.heap.retain(|entry| entry.sandbox.strong_count() > 0);
        }
        self.heap.push(Entry::of(sandbox));
        // Else the first that ends would have to look at all that were used since they were made.
        self.first(LOOKED_AT_BEFORE, is_there);
    }

    /// How many entries there are, those of sandboxes that ended included.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.heap.len()
    }

    /// Takes out the sandbox that is to end, if there is one that nobody uses.
    /// `is_there` says whether one has not ended in another way; `next_turn` counts a use.
    pub(super) fn take(
        &mut self,
        is_there: impl Fn(&Arc<Sandbox>) -> bool,
        next_turn: impl Fn() -> u64,
    ) -> Option<Arc<Sandbox>> {
        for _ in 0..MOST_IN_USE {
            let (mut first, sandbox) = self.first(u64::MAX, &is_there)?;
            if !sandbox.is_in_use() {
                PeekMut::pop(first);
                return Some(sandbox);
            }
            // A request in flight uses its sandbox now, so that it is not looked at each time.
            sandbox.turn.store(next_turn(), Relaxed);
            first.rank = rank(&sandbox);
        }
        None
    }

    /// The first entry, once it is found up to date. `None`: there is none, or it was not found by
    /// so many looks.
    fn first(
        &mut self,
        looks: u64,
        is_there: impl Fn(&Arc<Sandbox>) -> bool,
    ) -> Option<(PeekMut<'_, Entry>, Arc<Sandbox>)> {
        for _ in 0..looks {
            #[cfg(test)]
            {
                self.looks += 1;
            }
            let mut first = self.heap.peek_mut()?;
            let Some(sandbox) = first.sandbox.upgrade().filter(&is_there) else {
                PeekMut::pop(first);
                continue;
            };
            let now = rank(&sandbox);
            if now == first.rank {
                drop(first);
                return self.heap.peek_mut().map(|first| (first, sandbox));
            }
            first.rank = now;
        }
        None
    }
}

//! Decides which sandbox ends if there are too many: the least recently used one of those that were
//! never used with a known key; if there is none, the least recently used one of the others.
//!
//! A request notes its use only in the sandbox, without a lock. So the rank of a sandbox in the queue
//! may be out of date, and the queue checks it before it removes the sandbox. A sandbox is put back at
//! most once for each use, so a request costs the logarithm of the number of sandboxes.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Weak};

use super::Sandbox;

/// The search for a sandbox that is not in use checks at most this many, so that a new sandbox stays
/// cheap while thousands of requests are in flight. If the search finds none, there is one sandbox too
/// many for a while.
const MAX_IN_USE: usize = 64;

/// This many entries at the front are brought up to date whenever a sandbox is added. Otherwise the
/// first eviction would have to look at all sandboxes that were used since they were made.
const LOOKS_PER_ADD: u64 = 2;

/// Whether a sandbox was used with a known key or by the control API, and the number of its last
/// use, which no other use of any sandbox has.
type Rank = (bool, u64);

/// Sandboxes in the order in which they end.
#[derive(Default)]
pub(super) struct EvictionQueue {
    /// By the rank that they had when the queue last looked; the first ends first.
    order: BTreeMap<Rank, Weak<Sandbox>>,
    #[cfg(test)]
    pub(super) looks: u64,
}

fn rank(sandbox: &Sandbox) -> Rank {
    (sandbox.authenticated.load(Relaxed), sandbox.last_use.load(Relaxed))
}

impl EvictionQueue {
    /// Adds a sandbox. `count` is the number of sandboxes with this one; `is_registered` says
    /// whether a sandbox has not ended in another way.
    pub(super) fn add(
        &mut self,
        sandbox: &Arc<Sandbox>,
        count: usize,
        is_registered: impl Fn(&Arc<Sandbox>) -> bool,
    ) {
        // Sandboxes that ended in another way leave their entries behind.
        if self.order.len() > 2 * count + 64 {
            self.order.retain(|_, sandbox| sandbox.strong_count() > 0);
        }
        self.order.insert(rank(sandbox), Arc::downgrade(sandbox));
        self.first(LOOKS_PER_ADD, is_registered);
    }

    /// How many entries there are, including those of sandboxes that ended.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    /// Takes out the sandbox that is to end, unless all are in use. `next_use` numbers a use.
    pub(super) fn take(
        &mut self,
        is_registered: impl Fn(&Arc<Sandbox>) -> bool,
        next_use: impl Fn() -> u64,
    ) -> Option<Arc<Sandbox>> {
        for _ in 0..MAX_IN_USE {
            let sandbox = self.first(u64::MAX, &is_registered)?;
            let (_, entry) = self.order.pop_first()?;
            if !sandbox.is_in_use() {
                return Some(sandbox);
            }
            // A request in flight counts as a use now, so that the next eviction does not look at
            // it again.
            sandbox.last_use.store(next_use(), Relaxed);
            self.order.insert(rank(&sandbox), entry);
        }
        None
    }

    /// The sandbox of the first entry, once the entry is up to date. `None`: there is none, or the
    /// given number of looks did not find it.
    fn first(
        &mut self,
        looks: u64,
        is_registered: impl Fn(&Arc<Sandbox>) -> bool,
    ) -> Option<Arc<Sandbox>> {
        for _ in 0..looks {
            #[cfg(test)]
            {
                self.looks += 1;
            }
            let (before, entry) = self.order.pop_first()?;
            let Some(sandbox) = entry.upgrade().filter(&is_registered) else { continue };
            let now = rank(&sandbox);
            self.order.insert(now, entry);
            if now == before {
                return Some(sandbox);
            }
        }
        None
    }
}

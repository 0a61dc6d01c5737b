//! Which sandboxes have ended, and why, so that nobody takes one that is gone for one that was never
//! used: its verdict would be clean, and its journal empty.

use std::collections::HashMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::Sandbox;
use super::registry::Sandboxes;
use crate::sandbox::verdict::Verdict;

/// So many are remembered at least; of more than twice as many, the oldest are forgotten but for
/// their ids.
const MOST: usize = 5_000;

/// Why a sandbox is no longer there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// It was not used for too long.
    Idle,
    /// There were too many.
    Evicted,
    /// Someone asked for it.
    Deleted,
    /// It was idle or evicted; which, and after how many requests, is no longer known.
    Forgotten,
}

/// The end of a sandbox that had requests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ending {
    pub(crate) cause: Cause,
    /// How many requests it had; at least, where that is no longer known.
    pub(crate) requests: u64,
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match self.cause {
            Cause::Forgotten => {
                return f.write_str("before so many others that nobody knows any more how");
            }
            Cause::Idle => "because it was not used for too long (`Limits::sandbox_idle`)",
            Cause::Evicted => "because there were too many (`Limits::sandboxes`)",
            Cause::Deleted => "because it was deleted",
        };
        let requests = match self.requests {
            1 => "1 request".to_owned(),
            many => format!("{many} requests"),
        };
        write!(f, "after {requests}, {why}")
    }
}

/// The ends of sandboxes, by id. Two generations, so that the oldest go together.
#[derive(Default)]
pub(super) struct Endings {
    newer: HashMap<Box<str>, Ending>,
    older: HashMap<Box<str>, Ending>,
    forgotten: ForgottenIds,
}

/// The ids of sandboxes whose ends were forgotten, as a Bloom filter: it takes the same memory for any
/// number of ids, and knows each of them. To another id it says yes wrongly in one of 200,000 cases
/// once a hundred thousand ids are in it, and in one of 50 once a million are.
#[derive(Default)]
struct ForgottenIds {
    /// Empty as long as nothing was forgotten.
    bits: Box<[u64]>,
}

impl ForgottenIds {
    /// 1 MiB.
    const WORDS: usize = 1 << 17;

    fn add(&mut self, id: &str) {
        if self.bits.is_empty() {
            self.bits = vec![0; Self::WORDS].into();
        }
        for (word, bit) in Self::places(id) {
            self.bits[word] |= bit;
        }
    }

    fn has(&self, id: &str) -> bool {
        !self.bits.is_empty() && Self::places(id).all(|(word, bit)| self.bits[word] & bit != 0)
    }

    /// The words and the bits in them that stand for an id, the same in every run.
    fn places(id: &str) -> impl Iterator<Item = (usize, u64)> {
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        let hash = hasher.finish();
        // Four numbers out of one hash, as one half and multiples of the other.
        let (first, step) = (hash >> 32, hash & 0xffff_ffff);
        (0..4).map(move |number| {
            let place = first + number * step;
            ((place >> 6) as usize % Self::WORDS, 1 << (place & 63))
        })
    }
}

impl Endings {
    pub(super) fn note(&mut self, id: &str, ending: Ending) {
        if self.newer.len() >= MOST {
            let oldest = std::mem::replace(&mut self.older, std::mem::take(&mut self.newer));
            // A name that was deleted and is used again is that of another sandbox.
            let unasked = oldest.iter().filter(|(_, ending)| ending.cause != Cause::Deleted);
            unasked.for_each(|(id, _)| self.forgotten.add(id));
        }
        self.older.remove(id);
        self.newer.insert(id.into(), ending);
    }

    /// Takes what is known of the last one of an id.
    pub(super) fn take(&mut self, id: &str) -> Option<Ending> {
        let known = self.newer.remove(id).or_else(|| self.older.remove(id));
        known.or_else(|| self.forgotten(id))
    }

    pub(super) fn get(&self, id: &str) -> Option<Ending> {
        let known = self.newer.get(id).or_else(|| self.older.get(id));
        known.copied().or_else(|| self.forgotten(id))
    }

    fn forgotten(&self, id: &str) -> Option<Ending> {
        self.forgotten.has(id).then_some(Ending { cause: Cause::Forgotten, requests: 1 })
    }
}

impl Sandboxes {
    /// What is thought of all requests since the server began or was reset.
    ///
    /// # Errors
    ///
    /// Nothing is watched.
    pub(crate) fn whole_verdict(&self) -> Result<Verdict, String> {
        self.watches().map(|()| self.verdict())
    }

    /// Whether requests are watched.
    ///
    /// # Errors
    ///
    /// They are not.
    pub(crate) fn watches(&self) -> Result<(), String> {
        if self.journals().is_on() { Ok(()) } else { Err(NO_JOURNAL.to_owned()) }
    }

    /// What is thought of a sandbox; of one that was never used, that nothing came.
    ///
    /// # Errors
    ///
    /// The sandbox has ended, or did in between, or nothing is watched.
    pub(crate) fn whole_verdict_of(&self, id: &str) -> Result<Verdict, String> {
        Ok(match self.whole(id)? {
            Some(sandbox) => sandbox.verdict(),
            None => self.unused(id).verdict(),
        })
    }

    /// A sandbox that has all requests that it ever had; `None`: it was never used.
    ///
    /// # Errors
    ///
    /// The sandbox has ended, or did in between, or nothing is watched.
    pub(crate) fn whole(&self, id: &str) -> Result<Option<Arc<Sandbox>>, String> {
        self.watches()?;
        match self.find_or_ending(id) {
            Ok(sandbox) => match sandbox.before() {
                None => Ok(Some(sandbox)),
                Some(ending) => Err(format!(
                    "sandbox {id} ended in between, {ending}; what came before is in the verdict of \
                     the server only. `reset` begins it anew on purpose"
                )),
            },
            Err(Some(ending)) => Err(format!(
                "sandbox {id} has ended {ending}; what it had is in the verdict of the server only"
            )),
            Err(None) => Ok(None),
        }
    }
}

const NO_JOURNAL: &str = "the server keeps no journal (`journal(0)`), so it watches no request and \
                          there is no verdict; leave `journal(0)` out";

impl Sandbox {
    /// How the one before it of the same id ended, if nobody asked for that.
    pub(crate) fn before(&self) -> Option<Ending> {
        self.before.get().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_oldest_only_the_ids_are_known() {
        let mut endings = Endings::default();
        let ending = Ending { cause: Cause::Idle, requests: 2 };
        for number in 0..2 * MOST {
            endings.note(&number.to_string(), ending);
        }
        let cause = |endings: &Endings, id: &str| endings.get(id).map(|ending| ending.cause);
        assert_eq!(cause(&endings, "0"), Some(Cause::Idle));
        endings.note("more", ending);
        assert_eq!(cause(&endings, "0"), Some(Cause::Forgotten));
        assert_eq!(cause(&endings, "4999"), Some(Cause::Forgotten));
        assert_eq!(cause(&endings, "5000"), Some(Cause::Idle));
        assert_eq!(endings.take("0").map(|ending| ending.cause), Some(Cause::Forgotten));
        assert!(endings.take("more").is_some() && endings.get("more").is_none());
        // Ids that nobody used.
        let wrong = (0..100_000).filter(|n| endings.get(&format!("new-{n}")).is_some()).count();
        assert_eq!(wrong, 0);
    }

    #[test]
    fn an_id_that_was_deleted_is_forgotten_whole() {
        let mut endings = Endings::default();
        for number in 0..=2 * MOST {
            endings.note(&number.to_string(), Ending { cause: Cause::Deleted, requests: 1 });
        }
        assert!(endings.get("0").is_none() && endings.get("5000").is_some());
    }
}

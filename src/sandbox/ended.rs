//! Which sandboxes have ended, and why. Without this record, an ended sandbox would look like one that
//! was never used, with a clean verdict and an empty journal.

use std::collections::HashMap;
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::Sandbox;
use super::registry::Sandboxes;
use crate::report::counted;
use crate::sandbox::verdict::Verdict;

/// We store cause and request count of at least this many ended sandboxes, and of at most twice as
/// many. Of older ones, only the ids are kept.
const MAX: usize = 5_000;

/// Why a sandbox ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EndCause {
    /// It was not used for too long.
    Idle,
    /// There were too many sandboxes.
    Evicted,
    /// A client deleted it.
    Deleted,
    /// It was idle or evicted, but cause and request count are no longer stored.
    Forgotten,
}

/// The end of a sandbox that had requests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SandboxEnd {
    pub(crate) cause: EndCause,
    /// How many requests it had; 1 if that is no longer stored.
    pub(crate) requests: u64,
}

impl fmt::Display for SandboxEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match self.cause {
            EndCause::Forgotten => {
                return f.write_str("earlier, but the server no longer knows when and why");
            }
            EndCause::Idle => "because it was idle for too long (`Limits::sandbox_idle`)",
            EndCause::Evicted => "because there were too many sandboxes (`Limits::sandboxes`)",
            EndCause::Deleted => "because it was deleted",
        };
        write!(f, "after {}, {why}", counted(self.requests, "request"))
    }
}

/// The ends of sandboxes, by id. There are two generations, because the older one is discarded as a
/// whole.
#[derive(Default)]
pub(super) struct EndedSandboxes {
    newer: HashMap<Box<str>, SandboxEnd>,
    older: HashMap<Box<str>, SandboxEnd>,
    forgotten: ForgottenIds,
}

/// The ids of sandboxes whose ends are forgotten, as a Bloom filter: it takes the same memory for
/// any number of ids, and finds each of them. With a hundred thousand ids, it finds one in 200,000
/// other ids by mistake, with a million ids one in 50.
#[derive(Default)]
struct ForgottenIds {
    /// It is empty until something is forgotten.
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

    /// The places of an id's bits, by word and bit. They are the same in every run.
    fn places(id: &str) -> impl Iterator<Item = (usize, u64)> {
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        let hash = hasher.finish();
        // Double hashing makes four numbers of one hash.
        let (first, step) = (hash >> 32, hash & 0xffff_ffff);
        (0..4).map(move |number| {
            let place = first + number * step;
            ((place >> 6) as usize % Self::WORDS, 1 << (place & 63))
        })
    }
}

impl EndedSandboxes {
    pub(super) fn note(&mut self, id: &str, ending: SandboxEnd) {
        if self.newer.len() >= MAX {
            let oldest = std::mem::replace(&mut self.older, std::mem::take(&mut self.newer));
            // A client that deletes a sandbox may use its id again for a new one, so we do not keep
            // that id.
            let unasked = oldest.iter().filter(|(_, ending)| ending.cause != EndCause::Deleted);
            unasked.for_each(|(id, _)| self.forgotten.add(id));
        }
        self.older.remove(id);
        self.newer.insert(id.into(), ending);
    }

    /// Removes and returns the end of the last sandbox of an id.
    pub(super) fn take(&mut self, id: &str) -> Option<SandboxEnd> {
        let known = self.newer.remove(id).or_else(|| self.older.remove(id));
        known.or_else(|| self.forgotten(id))
    }

    pub(super) fn get(&self, id: &str) -> Option<SandboxEnd> {
        let known = self.newer.get(id).or_else(|| self.older.get(id));
        known.copied().or_else(|| self.forgotten(id))
    }

    fn forgotten(&self, id: &str) -> Option<SandboxEnd> {
        self.forgotten.has(id).then_some(SandboxEnd { cause: EndCause::Forgotten, requests: 1 })
    }
}

impl Sandboxes {
    /// The verdict on all requests since the server began or was reset.
    ///
    /// # Errors
    ///
    /// There is no journal.
    pub(crate) fn full_verdict(&self) -> Result<Verdict, String> {
        self.require_journal().map(|()| self.verdict())
    }

    /// Requires a journal.
    ///
    /// # Errors
    ///
    /// There is none, so no request is judged.
    pub(crate) fn require_journal(&self) -> Result<(), String> {
        if self.journals().is_on() { Ok(()) } else { Err(NO_JOURNAL.to_owned()) }
    }

    /// The verdict on a sandbox. On a sandbox that was never used, it is one on no requests.
    ///
    /// # Errors
    ///
    /// As [`Sandboxes::find_complete`].
    pub(crate) fn full_verdict_of(&self, id: &str) -> Result<Verdict, String> {
        Ok(match self.find_complete(id)? {
            Some(sandbox) => sandbox.verdict(),
            None => self.make_unregistered(id).verdict(),
        })
    }

    /// A sandbox that has every request of its id; `None`: the id was never used.
    ///
    /// # Errors
    ///
    /// The sandbox has ended, or has ended and was created again, or there is no journal.
    pub(crate) fn find_complete(&self, id: &str) -> Result<Option<Arc<Sandbox>>, String> {
        self.require_journal()?;
        match self.find_or_ending(id) {
            Ok(sandbox) => match sandbox.before() {
                None => Ok(Some(sandbox)),
                Some(ending) => Err(format!(
                    "sandbox {id:?} ended {ending}, and a later request created it again; earlier \
                     findings are only in the verdict of the server. `reset` starts over on purpose"
                )),
            },
            Err(Some(ending)) => Err(format!(
                "sandbox {id:?} has ended {ending}; its findings are only in the verdict of the server"
            )),
            Err(None) => Ok(None),
        }
    }
}

const NO_JOURNAL: &str = "the journal is off (`journal(0)`), so requests are not recorded and there is \
                          no verdict; remove `journal(0)`";

impl Sandbox {
    /// How the previous sandbox of the same id ended, unless a client requested that.
    pub(crate) fn before(&self) -> Option<SandboxEnd> {
        self.before.get().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_oldest_only_the_ids_are_known() {
        let mut endings = EndedSandboxes::default();
        let ending = SandboxEnd { cause: EndCause::Idle, requests: 2 };
        for number in 0..2 * MAX {
            endings.note(&number.to_string(), ending);
        }
        let cause = |endings: &EndedSandboxes, id: &str| endings.get(id).map(|ending| ending.cause);
        assert_eq!(cause(&endings, "0"), Some(EndCause::Idle));
        endings.note("more", ending);
        assert_eq!(cause(&endings, "0"), Some(EndCause::Forgotten));
        assert_eq!(cause(&endings, "4999"), Some(EndCause::Forgotten));
        assert_eq!(cause(&endings, "5000"), Some(EndCause::Idle));
        assert_eq!(endings.take("0").map(|ending| ending.cause), Some(EndCause::Forgotten));
        assert!(endings.take("more").is_some() && endings.get("more").is_none());
        // Ids that nobody used.
        let wrong = (0..100_000).filter(|n| endings.get(&format!("new-{n}")).is_some()).count();
        assert_eq!(wrong, 0);
    }

    #[test]
    fn an_id_that_was_deleted_is_forgotten_whole() {
        let mut endings = EndedSandboxes::default();
        for number in 0..=2 * MAX {
            endings.note(&number.to_string(), SandboxEnd { cause: EndCause::Deleted, requests: 1 });
        }
        assert!(endings.get("0").is_none() && endings.get("5000").is_some());
    }
}

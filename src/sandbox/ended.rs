//! Which sandboxes have ended, and why, so that nobody takes one that is gone for one that was never
//! used: its verdict would be clean, and its journal empty.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::Sandbox;
use super::registry::Sandboxes;
use crate::sandbox::verdict::Verdict;

/// So many are remembered at least; of more than twice as many, the oldest are forgotten.
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
}

/// The end of a sandbox that had requests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ending {
    pub(crate) cause: Cause,
    /// How many requests it had.
    pub(crate) requests: u64,
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match self.cause {
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

/// The ends of sandboxes, by id. Two generations, so that the oldest go without a look at each.
#[derive(Default)]
pub(super) struct Endings {
    newer: HashMap<Box<str>, Ending>,
    older: HashMap<Box<str>, Ending>,
    /// Whether some were forgotten.
    forgot: bool,
}

impl Endings {
    pub(super) fn note(&mut self, id: &str, ending: Ending) {
        if self.newer.len() >= MOST {
            self.forgot |= !self.older.is_empty();
            self.older = std::mem::take(&mut self.newer);
        }
        self.older.remove(id);
        self.newer.insert(id.into(), ending);
    }

    /// Takes what is known of the last one of an id.
    pub(super) fn take(&mut self, id: &str) -> Option<Ending> {
        self.newer.remove(id).or_else(|| self.older.remove(id))
    }

    fn get(&self, id: &str) -> Option<Ending> {
        self.newer.get(id).or_else(|| self.older.get(id)).copied()
    }
}

impl Sandboxes {
    /// How the last sandbox of an id ended, if it is not there and had requests. It may be over
    /// though nobody has cleared it away.
    pub(crate) fn ending(&self, id: &str) -> Option<Ending> {
        self.overdue(id).or_else(|| self.endings().get(id))
    }

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
        if let Some(sandbox) = self.find(id) {
            return match sandbox.before() {
                None => Ok(Some(sandbox)),
                Some(ending) => Err(format!(
                    "sandbox {id} ended in between, {ending}; what came before is in the verdict of \
                     the server only. `reset` begins it anew on purpose"
                )),
            };
        }
        match self.ending(id) {
            Some(ending) => Err(format!(
                "sandbox {id} has ended {ending}; what it had is in the verdict of the server only"
            )),
            None if self.endings().forgot => Err(format!(
                "there is no sandbox {id}, and so many have ended that nobody knows any more whether \
                 it was used"
            )),
            None => Ok(None),
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
    fn the_oldest_are_forgotten_and_that_is_known() {
        let mut endings = Endings::default();
        let ending = Ending { cause: Cause::Idle, requests: 1 };
        for number in 0..2 * MOST {
            endings.note(&number.to_string(), ending);
        }
        assert!(!endings.forgot && endings.get("0").is_some());
        endings.note("more", ending);
        assert!(endings.forgot && endings.get("0").is_none() && endings.get("5000").is_some());
        assert!(endings.take("more").is_some() && endings.get("more").is_none());
    }
}

//! The journals of all sandboxes, read as one.

use std::sync::Arc;

use super::{Sandbox, Sandboxes};
use crate::records::world::World;
use crate::sandbox::journal::{Answered, Entry, EntryId, Kept, Redactor, Request};

/// Requests of one sandbox or of all, in the order in which they came.
#[derive(Default)]
pub(crate) struct Collected {
    pub(crate) entries: Vec<(Arc<Sandbox>, Entry)>,
    /// How many more there were that went for want of room, or with a sandbox that ended though
    /// nobody asked.
    pub(crate) dropped: u64,
}

/// The next requests behind one, for someone who follows them.
pub(crate) struct Followed {
    pub(crate) entries: Vec<(Arc<Sandbox>, Entry)>,
    /// How many, of all sandboxes, can no longer be told; `None`: some, of the one that is followed.
    pub(crate) gone: Option<u64>,
    /// Everything up to this number has been told.
    pub(crate) until: u64,
}

impl Sandboxes {
    /// Puts a request into a sandbox's journal.
    pub(crate) fn record(&self, sandbox: &Sandbox, answered: &Answered<'_>) -> EntryId {
        let (id, mut over) = sandbox.journal.record(answered);
        while let Some(before) = over {
            for sandbox in self.everyone() {
                sandbox.journal.drop_before(before);
            }
            over = self.journals().over();
        }
        id
    }

    /// A client left before it had read the answer to a request. Where the request's sandbox has
    /// ended or begun anew, this is noted nowhere, because its verdict has been drawn.
    pub(crate) fn unread(&self, id: EntryId) {
        let all = self.everyone();
        let Some(sandbox) = all.iter().find(|sandbox| sandbox.journal.had(id)) else { return };
        let mut kept = sandbox.journal.kept();
        let place = kept.place(id.number);
        let Kept { entries, watch, dropped_until, .. } = &mut *kept;
        if let Some(entry) = entries.get_mut(place).filter(|entry| entry.number == id.number) {
            entry.unread = true;
            watch.unread(place, entries);
        } else if *dropped_until >= id.number {
            watch.unread_and_dropped(id.number, entries);
        }
    }

    /// What is in the journal of one sandbox, or of all. A copy, so that no request waits for
    /// whoever looks at it. The one sandbox is given itself and not by its id, because it may have
    /// ended since it was looked up, and what it had would be missing.
    pub(crate) fn collect(&self, only: Option<&Arc<Sandbox>>) -> Collected {
        let mut all = Collected::default();
        let (sandboxes, lost) = match only {
            Some(one) => (vec![Arc::clone(one)], one.journal.kept().lost_before),
            None => self.everyone_and_lost(),
        };
        all.dropped += lost;
        for sandbox in sandboxes {
            let kept = sandbox.journal.kept();
            all.dropped += kept.dropped;
            all.entries
                .extend(kept.entries.iter().map(|entry| (Arc::clone(&sandbox), entry.clone())));
        }
        all.entries.sort_unstable_by_key(|(_, entry)| entry.number);
        all
    }

    /// The request of a number.
    pub(crate) fn request(&self, only: Option<&str>, number: u64) -> Option<(Arc<Sandbox>, Entry)> {
        self.those(only).into_iter().find_map(|sandbox| {
            let entry = {
                let kept = sandbox.journal.kept();
                kept.entries.get(kept.place(number)).filter(|entry| entry.number == number).cloned()
            };
            entry.map(|entry| (sandbox, entry))
        })
    }

    /// Empties the journal of one sandbox, or of all. Nothing is missing in it then.
    pub(crate) fn forget_all(&self, only: Option<&str>) {
        for sandbox in self.those(only) {
            sandbox.journal.clear();
        }
        if only.is_none() {
            // Sandboxes that end meanwhile take requests with them that were to be forgotten.
            self.forget_lost();
        }
    }

    /// Takes requests out of the journal of one sandbox, or of all.
    pub(crate) fn forget(&self, only: Option<&str>, wanted: impl Fn(u64) -> bool) {
        for sandbox in self.those(only) {
            sandbox.journal.remove(|entry| wanted(entry.number));
        }
    }

    /// The next requests behind a number, at most so many.
    pub(crate) fn follow(&self, only: Option<&str>, last: u64, most: usize) -> Followed {
        // Read before the journals are: what was counted by then is in them.
        let next = self.journals().next();
        let mut entries = Vec::new();
        let mut some_gone = false;
        for sandbox in self.those(only) {
            let kept = sandbox.journal.kept();
            some_gone |= kept.dropped_until > last;
            let new = kept.entries.range(kept.place(last + 1)..kept.place(next)).take(most);
            entries.extend(new.map(|entry| (Arc::clone(&sandbox), entry.clone())));
        }
        entries.sort_unstable_by_key(|(_, entry)| entry.number);
        entries.truncate(most);
        let until = match entries.last() {
            // There may be more.
            Some((_, entry)) if entries.len() == most => entry.number,
            _ => last.max(next - 1),
        };
        let gone = match only {
            Some(_) => {
                if some_gone {
                    None
                } else {
                    Some(0)
                }
            }
            None => Some((until - last).saturating_sub(entries.len() as u64)),
        };
        Followed { entries, gone, until }
    }

    /// What knows the keys of every sandbox.
    pub(crate) fn redactor(&self) -> Redactor {
        let base = Arc::clone(&*self.world());
        let own = self.everyone().into_iter().filter_map(|sandbox| sandbox.settings.world.clone());
        let mut worlds: Vec<Arc<World>> = own.chain([base]).collect();
        worlds.sort_unstable_by_key(Arc::as_ptr);
        worlds.dedup_by_key(|world| Arc::as_ptr(world));
        Redactor::new(worlds.iter().map(|world| &**world))
    }

    /// The requests of one sandbox, or of all, as the library hands them out.
    pub(crate) fn requests(&self, only: Option<&Arc<Sandbox>>) -> Vec<Request> {
        let redactor = self.redactor();
        let all = self.collect(only).entries.into_iter();
        all.map(|(sandbox, entry)| Request::new(&entry, &sandbox.id, &redactor)).collect()
    }
}

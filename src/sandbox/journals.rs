//! Reads the journals of all sandboxes as one.

use std::sync::Arc;

use super::{Sandbox, Sandboxes};
use crate::sandbox::journal::{Entry, EntryId, Exchange, JournalContents, Request};

/// Requests of one sandbox or of all, in the order in which they came.
#[derive(Default)]
pub(crate) struct EntryList {
    pub(crate) entries: Vec<(Arc<Sandbox>, Entry)>,
    /// How many more requests were dropped, because a journal was full or because their sandbox ended
    /// without a client's request.
    pub(crate) dropped: u64,
}

/// The next requests after one, for a client that follows them.
pub(crate) struct EntryBatch {
    pub(crate) entries: Vec<(Arc<Sandbox>, Entry)>,
    /// How many requests are missing because they were dropped; `None`: the number is unknown, because
    /// only one sandbox is followed.
    pub(crate) missing: Option<u64>,
    /// All requests up to this number are either here or dropped.
    pub(crate) until: u64,
}

impl Sandboxes {
    /// Adds a request to a sandbox's journal.
    pub(crate) fn record(&self, sandbox: &Sandbox, exchange: &Exchange<'_>) -> EntryId {
        let id = sandbox.journal.record(exchange);
        while self.journals().is_over() {
            let all = self.all_live();
            let oldest = all.iter().filter_map(|sandbox| sandbox.journal.oldest()).min();
            // The newest request stays, whatever its size.
            let Some(oldest) = oldest.filter(|oldest| *oldest < id.number) else { break };
            // A sixteenth is dropped at once, because finding the oldest request takes some time.
            let before = oldest + (id.number - oldest).div_ceil(16);
            for sandbox in all {
                sandbox.journal.drop_before(before);
            }
        }
        id
    }

    /// Notes that a client closed the connection before it had read the whole response to a request. If
    /// the sandbox has ended or was replaced, this is ignored, because its verdict is final.
    pub(crate) fn note_unread(&self, id: EntryId) {
        let all = self.all_live();
        let Some(sandbox) = all.iter().find(|sandbox| sandbox.journal.contains(id)) else { return };
        let mut contents = sandbox.journal.lock();
        let place = contents.place(id.number);
        let JournalContents { entries, watch, dropped_until, .. } = &mut *contents;
        if let Some(entry) = entries.get_mut(place).filter(|entry| entry.number == id.number) {
            entry.unread = true;
            watch.note_unread(place, entries);
        } else if *dropped_until >= id.number {
            watch.note_unread_and_dropped(id.number, entries);
        }
    }

    /// A copy of the journal of one sandbox, or of all, so that no request waits for the reader.
    /// The caller passes the sandbox itself and not its id, because the sandbox may have ended
    /// since it was looked up.
    pub(crate) fn collect(&self, only: Option<&Arc<Sandbox>>) -> EntryList {
        let mut all = EntryList::default();
        let (sandboxes, lost) = match only {
            Some(one) => (vec![Arc::clone(one)], one.journal.lock().lost_before),
            None => self.all_live_and_lost(),
        };
        all.dropped += lost;
        for sandbox in sandboxes {
            let contents = sandbox.journal.lock();
            all.dropped += contents.dropped;
            all.entries
                .extend(contents.entries.iter().map(|entry| (Arc::clone(&sandbox), entry.clone())));
        }
        all.entries.sort_unstable_by_key(|(_, entry)| entry.number);
        all
    }

    /// The request with a number.
    pub(crate) fn request(&self, only: Option<&str>, number: u64) -> Option<(Arc<Sandbox>, Entry)> {
        self.select(only).into_iter().find_map(|sandbox| {
            let entry = {
                let contents = sandbox.journal.lock();
                contents
                    .entries
                    .get(contents.place(number))
                    .filter(|entry| entry.number == number)
                    .cloned()
            };
            entry.map(|entry| (sandbox, entry))
        })
    }

    /// Empties the journal of one sandbox, or of all, and forgets how many requests were dropped.
    pub(crate) fn clear_journals(&self, only: Option<&str>) {
        for sandbox in self.select(only) {
            sandbox.journal.clear();
        }
        if only.is_none() {
            // The requests of sandboxes that end meanwhile must be discarded, too.
            self.forget_lost();
        }
    }

    /// Removes requests from the journal of one sandbox, or of all, by their numbers.
    pub(crate) fn remove_entries(&self, only: Option<&str>, wanted: impl Fn(u64) -> bool) {
        for sandbox in self.select(only) {
            sandbox.journal.remove(|entry| wanted(entry.number));
        }
    }

    /// The next requests after a number, at most `max` of them.
    pub(crate) fn follow(&self, only: Option<&str>, last: u64, max: usize) -> EntryBatch {
        // We read this number before the journals, because all requests before it are in them then.
        let next = self.journals().next();
        let mut entries = Vec::new();
        let mut some_missing = false;
        for sandbox in self.select(only) {
            let contents = sandbox.journal.lock();
            some_missing |= contents.dropped_until > last;
            let new =
                contents.entries.range(contents.place(last + 1)..contents.place(next)).take(max);
            entries.extend(new.map(|entry| (Arc::clone(&sandbox), entry.clone())));
        }
        entries.sort_unstable_by_key(|(_, entry)| entry.number);
        entries.truncate(max);
        let until = match entries.last() {
            // There may be more.
            Some((_, entry)) if entries.len() == max => entry.number,
            _ => last.max(next - 1),
        };
        let missing = match only {
            Some(_) if some_missing => None,
            Some(_) => Some(0),
            None => Some((until - last).saturating_sub(entries.len() as u64)),
        };
        EntryBatch { entries, missing, until }
    }

    /// The requests of one sandbox, or of all, without keys.
    pub(crate) fn requests(&self, only: Option<&Arc<Sandbox>>) -> Vec<Request> {
        let redactor = self.redactor();
        let all = self.collect(only).entries.into_iter();
        all.map(|(sandbox, entry)| Request::new(&entry, &sandbox.id, &redactor)).collect()
    }
}

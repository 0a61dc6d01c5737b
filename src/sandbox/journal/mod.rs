//! What requests came, and what became of them: the last ones of each sandbox, within a bound on
//! the memory of all of them together. The oldest go first, and are counted.

mod entry;
mod request;
mod show;

pub(crate) use entry::Entry;
pub use request::{Request, Violation};
pub(crate) use request::{found_endpoint, pairs};
pub(crate) use show::{CUT, HOLDS_KEY, Redactor, hide_sent, is_cut, is_key_name};

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use axum::http::Version;
use axum::http::request::Parts;
use tokio::sync::watch;

use crate::contract::{Code, Endpoint};
use crate::sandbox::faults::Fired;
use crate::sandbox::peer::Peer;
use crate::sandbox::verdict::{Observed, PageSeen, Watch};

/// What all journals of a server share.
pub(crate) struct Budget {
    /// So many requests of each sandbox are kept; 0: no journal is kept at all.
    most_requests: usize,
    /// So many bytes all of them take at most.
    most_bytes: usize,
    bytes: AtomicUsize,
    /// What is watched of requests takes so many, about. Where it is as much as the requests may
    /// take, less is watched of each sandbox.
    watched: AtomicUsize,
    next: AtomicU64,
    /// How many journals there have been.
    journals: AtomicU64,
    /// The number of the newest request at every sixteenth of the room that was filled.
    marks: Mutex<VecDeque<u64>>,
    /// How many bytes came since the last of them.
    since: AtomicUsize,
    /// Tells that there is something new, to those who wait for it.
    news: watch::Sender<News>,
    /// The time of day when the server began.
    began: SystemTime,
}

/// What those hear who wait for requests.
#[derive(Clone, Copy, Default)]
pub(crate) struct News {
    newest: u64,
    /// The server is on its way out.
    pub(crate) ends: bool,
}

impl Budget {
    pub(crate) fn new(
        most_requests: usize,
        most_bytes: usize,
        clock: fn() -> SystemTime,
    ) -> Arc<Self> {
        Arc::new(Self {
            most_requests,
            most_bytes,
            bytes: AtomicUsize::new(0),
            watched: AtomicUsize::new(0),
            next: AtomicU64::new(1),
            journals: AtomicU64::new(0),
            marks: Mutex::default(),
            since: AtomicUsize::new(0),
            news: watch::Sender::default(),
            began: clock(),
        })
    }

    /// Whether a journal is kept.
    pub(crate) fn is_on(&self) -> bool {
        self.most_requests > 0
    }

    /// Hears of each new request, and of the end.
    pub(crate) fn news(&self) -> watch::Receiver<News> {
        self.news.subscribe()
    }

    /// Lets those go who wait for requests.
    pub(crate) fn close(&self) {
        self.news.send_modify(|news| news.ends = true);
    }

    /// The number that the next request gets. Each one before it is in its journal as soon as the
    /// journal's lock is free, or has gone from there.
    pub(crate) fn next(&self) -> u64 {
        self.next.load(Relaxed)
    }

    /// Counts what is watched in one journal.
    fn watches(&self, kept: &mut Kept) {
        let now = kept.watch.size();
        if now > kept.watched {
            self.watched.fetch_add(now - kept.watched, Relaxed);
        } else if now < kept.watched {
            self.watched.fetch_sub(kept.watched - now, Relaxed);
        }
        kept.watched = now;
    }

    /// Whether there is still too much: every request before this number has to go.
    pub(crate) fn over(&self) -> Option<u64> {
        if self.bytes.load(Relaxed) <= self.most_bytes {
            return None;
        }
        self.marks.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    /// Notes a request, for which room was taken. `Some`: there is not enough, so every request
    /// before this number has to go.
    fn mark(&self, number: u64, size: usize) -> Option<u64> {
        let bytes = self.bytes.load(Relaxed);
        let marked = self.since.fetch_add(size, Relaxed) + size >= self.most_bytes / 16;
        if !marked && bytes <= self.most_bytes {
            return None;
        }
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        if marked {
            self.since.store(0, Relaxed);
            marks.push_back(number);
        }
        if bytes <= self.most_bytes {
            // Requests that went for another reason leave their marks behind.
            let surplus = marks.len().saturating_sub(64);
            marks.drain(..surplus);
            return None;
        }
        marks.pop_front()
    }
}

/// The journal of a sandbox, and what is thought of its requests.
pub(crate) struct Journal {
    /// No other journal of the server has the same, be it of a sandbox that has ended.
    id: u64,
    budget: Arc<Budget>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
pub(crate) struct Kept {
    pub(crate) entries: VecDeque<Entry>,
    /// How many requests went for want of room.
    pub(crate) dropped: u64,
    /// How many requests went with the sandbox of the same id that ended before, though nobody asked.
    pub(crate) lost_before: u64,
    /// The newest of them.
    pub(crate) dropped_until: u64,
    pub(crate) watch: Watch,
    /// How much of the memory of all is counted for what is watched here.
    watched: usize,
}

/// Which request of which journal.
#[derive(Clone, Copy)]
pub(crate) struct EntryId {
    journal: u64,
    pub(crate) number: u64,
}

/// A request and its answer, while both are at hand.
pub(crate) struct Answered<'a> {
    pub(crate) head: &'a Parts,
    pub(crate) peer: &'a Peer,
    /// When its connection was accepted: since the server began.
    pub(crate) opened: Duration,
    pub(crate) endpoint: Option<&'static Endpoint>,
    pub(crate) status: u16,
    pub(crate) refused: Option<(Code, &'a [u8])>,
    pub(crate) retry_after: Option<u64>,
    pub(crate) fault: Option<&'a Fired>,
    /// The page that was answered.
    pub(crate) page: Option<PageSeen>,
    pub(crate) took: Duration,
    /// How long the server has been there, and the sandbox by its own clock.
    pub(crate) now: (Duration, Duration),
}

impl Journal {
    pub(crate) fn new(budget: Arc<Budget>) -> Self {
        let id = budget.journals.fetch_add(1, Relaxed);
        Self { id, budget, kept: Mutex::default() }
    }

    /// Nothing under this lock can leave it half changed, so a poisoned one is as good as any.
    pub(crate) fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this is the journal that a request was put into.
    pub(crate) fn had(&self, entry: EntryId) -> bool {
        self.id == entry.journal
    }

    /// Keeps a request. `Some` behind it: in every journal, requests before that number have to go.
    pub(crate) fn record(&self, answered: &Answered<'_>) -> (EntryId, Option<u64>) {
        let head = answered.head;
        let breaks = answered.fault.is_some_and(|fired| fired.fault.cut.is_some());
        let delay = answered.fault.map_or(Duration::ZERO, |fired| fired.delay);
        let parts = entry::Parts {
            method: &head.method,
            target: &head.uri,
            headers: &head.headers,
            reason: answered.refused.map_or(&[], |(_, reason)| reason),
            fault: answered.fault.map_or("", |fired| &fired.id),
        };
        let mut entry =
            Entry::new(self.budget.began + answered.now.0, answered.peer.address, &parts);
        entry.took = answered.took + delay;
        entry.status = (!breaks).then_some(answered.status);
        entry.operation = answered.endpoint.map(|endpoint| endpoint.operation);
        entry.code = answered.refused.map(|(code, _)| code);
        entry.body = has_body(head);
        entry.is_http_1_0 = head.version == Version::HTTP_10;
        let mut observed = Observed::new(&entry, answered);
        entry.walk = observed.walk;
        let size = entry.size();
        // Before it can go again.
        self.budget.bytes.fetch_add(size, Relaxed);
        let short = self.budget.watched.load(Relaxed) > self.budget.most_bytes;
        let (number, over) = {
            let mut kept = self.kept();
            // Under the lock, so that a journal is in the order of its numbers.
            let number = self.budget.next.fetch_add(1, Relaxed);
            (entry.number, observed.number) = (number, number);
            let Kept { entries, watch, .. } = &mut *kept;
            // Before it is watched, because what is found names it.
            entries.push_back(entry);
            watch.observe(&observed, entries, short);
            self.budget.watches(&mut kept);
            let over = kept.entries.len() > self.budget.most_requests;
            (number, over.then(|| kept.drop_oldest(1)))
        };
        self.give_back(over);
        let before = self.budget.mark(number, size);
        if self.budget.news.receiver_count() > 0 {
            self.budget.news.send_modify(|news| news.newest = news.newest.max(number));
        }
        (EntryId { journal: self.id, number }, before)
    }

    /// Lets every request before a number go.
    pub(crate) fn drop_before(&self, number: u64) {
        let gone = {
            let mut kept = self.kept();
            let gone = kept.place(number);
            kept.drop_oldest(gone)
        };
        self.give_back(Some(gone));
    }

    /// Takes out the requests for which `wanted` holds.
    pub(crate) fn remove(&self, mut wanted: impl FnMut(&Entry) -> bool) -> Vec<Entry> {
        let mut removed = Vec::new();
        let mut kept = self.kept();
        let mut left = VecDeque::new();
        for entry in kept.entries.drain(..) {
            if wanted(&entry) { removed.push(entry) } else { left.push_back(entry) }
        }
        kept.entries = left;
        drop(kept);
        self.give_back(Some(removed.iter().map(Entry::size).sum()));
        removed
    }

    /// Forgets every request, those that went for want of room included.
    pub(crate) fn clear(&self) {
        let forgotten = {
            let mut kept = self.kept();
            (kept.dropped, kept.lost_before) = (0, 0);
            std::mem::take(&mut kept.entries)
        };
        self.give_back(Some(forgotten.iter().map(Entry::size).sum()));
    }

    fn give_back(&self, bytes: Option<usize>) {
        self.budget.bytes.fetch_sub(bytes.unwrap_or(0), Relaxed);
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        let (bytes, watched) = {
            let kept = self.kept();
            (kept.entries.iter().map(Entry::size).sum(), kept.watched)
        };
        self.give_back(Some(bytes));
        self.budget.watched.fetch_sub(watched, Relaxed);
    }
}

impl Kept {
    /// How many requests it has, and how many it had to drop.
    pub(crate) fn all(&self) -> u64 {
        self.entries.len() as u64 + self.dropped
    }

    /// Drops some; the bytes that they took.
    fn drop_oldest(&mut self, some: usize) -> usize {
        self.dropped += some as u64;
        let newest = some.checked_sub(1).and_then(|place| self.entries.get(place));
        self.dropped_until = newest.map_or(self.dropped_until, |entry| entry.number);
        for entry in self.entries.range(..some) {
            self.watch.keep_line(entry);
        }
        let bytes = self.entries.drain(..some).map(|entry| entry.size()).sum();
        // Thousands of sandboxes that were busy once would keep room for what they no longer have.
        if self.entries.capacity() > 64 && self.entries.len() < self.entries.capacity() / 4 {
            self.entries.shrink_to(self.entries.len() * 2);
        }
        bytes
    }

    /// The place of the first request whose number is not less.
    pub(crate) fn place(&self, number: u64) -> usize {
        self.entries.partition_point(|entry| entry.number < number)
    }
}

/// Whether a request announces a body.
fn has_body(head: &Parts) -> bool {
    use axum::http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
    head.headers.contains_key(TRANSFER_ENCODING)
        || head.headers.get(CONTENT_LENGTH).is_some_and(|length| length != "0")
}

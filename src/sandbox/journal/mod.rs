//! The last requests of each sandbox and their outcomes, within a bound on the memory of all
//! sandboxes together. If there are too many, the oldest are dropped and counted.

mod entry;
mod request;

pub(crate) use entry::Entry;
pub use request::{Request, Violation};
pub(crate) use request::{found_endpoint, pairs};

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, SystemTime};

use axum::http::request::Parts;
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::watch;

use crate::contract::{Code, Endpoint};
use crate::sandbox::faults::InjectedFault;
use crate::sandbox::peer::Peer;
use crate::sandbox::verdict::{Observation, ServedPage, Watch};

/// The data that all journals of a server share.
pub(crate) struct Budget {
    /// How many requests of each sandbox are kept; 0: there is no journal.
    max_requests: usize,
    /// The most bytes that all requests may take.
    max_bytes: usize,
    bytes: AtomicUsize,
    /// About how many bytes all watches take. If this exceeds `max_bytes`, each watch gets tighter
    /// limits.
    watched: AtomicUsize,
    next: AtomicU64,
    /// How many journals were created.
    journals: AtomicU64,
    /// Wakes listeners that wait for new requests.
    news: watch::Sender<JournalNews>,
    /// The time of day when the server began.
    began: SystemTime,
}

/// The newest request, for listeners that wait for one.
#[derive(Clone, Copy, Default)]
pub(crate) struct JournalNews {
    newest: u64,
    /// Whether the server ends.
    pub(crate) ends: bool,
}

impl Budget {
    pub(crate) fn new(
        max_requests: usize,
        max_bytes: usize,
        clock: fn() -> SystemTime,
    ) -> Arc<Self> {
        Arc::new(Self {
            max_requests,
            max_bytes,
            bytes: AtomicUsize::new(0),
            watched: AtomicUsize::new(0),
            next: AtomicU64::new(1),
            journals: AtomicU64::new(0),
            news: watch::Sender::default(),
            began: clock(),
        })
    }

    /// Whether there is a journal.
    pub(crate) fn is_on(&self) -> bool {
        self.max_requests > 0
    }

    /// Changes with each new request, and at the end of the server.
    pub(crate) fn news(&self) -> watch::Receiver<JournalNews> {
        self.news.subscribe()
    }

    /// Wakes all listeners because the server ends.
    pub(crate) fn close(&self) {
        self.news.send_modify(|news| news.ends = true);
    }

    /// The number of the next request. Every request before it is in its journal as soon as the
    /// journal's lock is free, unless it was dropped.
    pub(crate) fn next(&self) -> u64 {
        self.next.load(Relaxed)
    }

    /// Counts the memory of one journal's watch.
    fn watches(&self, contents: &mut JournalContents) {
        let now = contents.watch.size();
        // Adding first keeps the sum above zero.
        self.watched.fetch_add(now, Relaxed);
        self.watched.fetch_sub(contents.watched, Relaxed);
        contents.watched = now;
    }

    /// Whether all requests together take too much memory.
    pub(crate) fn is_over(&self) -> bool {
        self.bytes.load(Relaxed) > self.max_bytes
    }
}

/// The journal of a sandbox, and the watch over its requests.
pub(crate) struct Journal {
    /// No other journal of the server has this id, not even one of a sandbox that has ended.
    id: u64,
    budget: Arc<Budget>,
    contents: Mutex<JournalContents>,
}

/// The data that the lock of a journal guards.
#[derive(Default)]
pub(crate) struct JournalContents {
    pub(crate) entries: VecDeque<Entry>,
    /// How many requests were dropped because the journal was full.
    pub(crate) dropped: u64,
    /// The number of the newest request that was dropped.
    pub(crate) dropped_until: u64,
    /// How many requests were lost with the previous sandbox of the same id, which ended without a
    /// client's request.
    pub(crate) lost_before: u64,
    pub(crate) watch: Watch,
    /// How many bytes of all watches are counted for this one.
    watched: usize,
}

/// A request by its journal and its number.
#[derive(Clone, Copy)]
pub(crate) struct EntryId {
    journal: u64,
    pub(crate) number: u64,
}

/// A request and its response, before the response is sent.
pub(crate) struct Exchange<'a> {
    pub(crate) head: &'a Parts,
    pub(crate) peer: &'a Peer,
    /// When its connection was accepted, since the server began.
    pub(crate) opened: Duration,
    pub(crate) endpoint: Option<&'static Endpoint>,
    pub(crate) status: u16,
    pub(crate) refused: Option<(Code, &'a [u8])>,
    pub(crate) retry_after: Option<u64>,
    pub(crate) fault: Option<&'a InjectedFault>,
    /// The page of the response.
    pub(crate) page: Option<ServedPage>,
    pub(crate) took: Duration,
    /// The time since the server began, and the time by the sandbox's clock.
    pub(crate) now: (Duration, Duration),
}

impl Journal {
    pub(crate) fn new(budget: Arc<Budget>) -> Self {
        let id = budget.journals.fetch_add(1, Relaxed);
        Self { id, budget, contents: Mutex::default() }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, JournalContents> {
        self.contents.lock()
    }

    /// Whether a request was added to this journal.
    pub(crate) fn contains(&self, entry: EntryId) -> bool {
        self.id == entry.journal
    }

    /// Adds a request.
    pub(crate) fn record(&self, exchange: &Exchange<'_>) -> EntryId {
        let mut entry = Entry::new(self.budget.began + exchange.now.0, exchange);
        let mut observation = Observation::new(&entry, exchange);
        entry.walk = observation.walk;
        // The bytes are counted before the request can be dropped again.
        self.budget.bytes.fetch_add(entry.size(), Relaxed);
        let short = self.budget.watched.load(Relaxed) > self.budget.max_bytes;
        let number = {
            let mut contents = self.lock();
            // The number is drawn under the lock, so that the entries are in the order of their
            // numbers.
            let number = self.budget.next.fetch_add(1, Relaxed);
            (entry.number, observation.number) = (number, number);
            let JournalContents { entries, watch, .. } = &mut *contents;
            // The entry is added first, because a finding names it.
            entries.push_back(entry);
            watch.observe(&observation, entries, short);
            self.budget.watches(&mut contents);
            let surplus = contents.entries.len().saturating_sub(self.budget.max_requests);
            self.release(contents.drop_oldest(surplus));
            number
        };
        if self.budget.news.receiver_count() > 0 {
            self.budget.news.send_modify(|news| news.newest = news.newest.max(number));
        }
        EntryId { journal: self.id, number }
    }

    /// About how many bytes the watch over its requests takes.
    pub(crate) fn watched(&self) -> usize {
        self.lock().watched
    }

    /// The number of the oldest request.
    pub(crate) fn oldest(&self) -> Option<u64> {
        self.lock().entries.front().map(|entry| entry.number)
    }

    /// Drops every request before a number.
    pub(crate) fn drop_before(&self, number: u64) {
        let mut contents = self.lock();
        let count = contents.place(number);
        self.release(contents.drop_oldest(count));
    }

    /// Removes the requests for which `wanted` holds.
    pub(crate) fn remove(&self, mut wanted: impl FnMut(&Entry) -> bool) {
        self.lock().entries.retain(|entry| {
            let is_wanted = wanted(entry);
            if is_wanted {
                self.release(entry.size());
            }
            !is_wanted
        });
    }

    /// Removes every request, and resets the count of dropped ones.
    pub(crate) fn clear(&self) {
        let forgotten = {
            let mut contents = self.lock();
            (contents.dropped, contents.lost_before) = (0, 0);
            std::mem::take(&mut contents.entries)
        };
        self.release(forgotten.iter().map(Entry::size).sum());
    }

    fn release(&self, bytes: usize) {
        self.budget.bytes.fetch_sub(bytes, Relaxed);
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        let (bytes, watched) = {
            let contents = self.lock();
            (contents.entries.iter().map(Entry::size).sum(), contents.watched)
        };
        self.release(bytes);
        self.budget.watched.fetch_sub(watched, Relaxed);
    }
}

impl JournalContents {
    /// How many requests it has and has dropped.
    pub(crate) fn total(&self) -> u64 {
        self.entries.len() as u64 + self.dropped
    }

    /// Drops the oldest requests, and returns how many bytes they took.
    fn drop_oldest(&mut self, count: usize) -> usize {
        self.dropped += count as u64;
        let newest = count.checked_sub(1).and_then(|place| self.entries.get(place));
        self.dropped_until = newest.map_or(self.dropped_until, |entry| entry.number);
        for entry in self.entries.range(..count) {
            self.watch.keep_line(entry);
        }
        let bytes = self.entries.drain(..count).map(|entry| entry.size()).sum();
        // Otherwise thousands of sandboxes that were busy once would keep memory that they do not
        // need.
        if self.entries.capacity() > 64 && self.entries.len() < self.entries.capacity() / 4 {
            self.entries.shrink_to(self.entries.len() * 2);
        }
        bytes
    }

    /// The place of the first request with this number or a greater one.
    pub(crate) fn place(&self, number: u64) -> usize {
        self.entries.partition_point(|entry| entry.number < number)
    }
}

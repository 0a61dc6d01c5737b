//! Watches the requests of a sandbox as they come. It keeps what is open (walks, retries) within
//! bounds and what was found; a verdict is drawn from that.

use std::collections::VecDeque;
use std::time::Duration;

use axum::http::{HeaderMap, Method, header};
use hashbrown::HashMap;

use super::findings::{Findings, RequestRefs};
use super::read::{entry_keys, hash, named, read, read_entry, unknown_endpoint};
use super::tries::{Moment, Tries};
use super::walk::Walk;
use super::{Coverage, PageSeen, RequestLine, Rule, Verdict};
use crate::contract::{self, Code, Endpoint};
use crate::sandbox::faults::BodyForm;
use crate::sandbox::journal::{Answered, Entry, hide_sent, is_key_name};
use crate::sandbox::peer::Heard;

/// How much memory the walks of a sandbox that are followed at once take together, in bytes. Those
/// that nobody went on with for the longest time are judged as they are, as where there are too
/// many.
const MOST_WALK_BYTES: usize = 256 << 10;

/// How much is watched of a sandbox.
#[derive(Clone, Copy)]
struct Room {
    walks: usize,
    /// Failed requests that are waited for to be sent again.
    failures: usize,
    /// Of one rule, so that none takes the room of another. What comes after the last one that
    /// there is room for is not told.
    findings: usize,
}

/// Of one among few, and of one among thousands that take all the room there is together.
const WIDE: Room = Room { walks: 500, failures: 500, findings: 50 };
const TIGHT: Room = Room { walks: 8, failures: 8, findings: 3 };

/// What a walk and a failure take beside what is counted of them, about, in bytes.
const WALK_BYTES: usize = 64;
const FAILURE_BYTES: usize = 1024;

/// What is watched of a request. It is made before the sandbox's lock is taken.
pub(crate) struct Observed<'a> {
    pub(crate) number: u64,
    endpoint: Option<&'static Endpoint>,
    pub(crate) walk: u64,
    asked: Option<u64>,
    breaks: Vec<(Rule, String)>,
    answered: &'a Answered<'a>,
    code: Option<Code>,
    /// When its answer was sent.
    ended: Moment,
}

impl<'a> Observed<'a> {
    pub(crate) fn new(entry: &Entry, answered: &'a Answered<'a>) -> Self {
        let head = answered.head;
        let query = head.uri.query().unwrap_or("");
        // Another method is refused by itself.
        let body = entry.body && contract::allows(head.method.as_str());
        let mut read = read(answered.endpoint, query, key_of(answered), body);
        for (_, what) in &mut read.breaks {
            *what = hide_sent(std::mem::take(what), &sent_keys(&head.headers));
        }
        if answered.fault.is_none() {
            let asked = (head.method.as_str(), head.uri.path());
            let broken = unknown_endpoint(asked, entry.code, || sent_keys(&head.headers));
            read.breaks.extend(broken.map(|what| (Rule::UnknownEndpoint, what)));
        }
        let delay = answered.fault.map_or(Duration::ZERO, |fired| fired.delay);
        Self {
            number: entry.number,
            endpoint: answered.endpoint,
            walk: read.walk,
            asked: read.page,
            breaks: read.breaks,
            code: entry.code,
            answered,
            ended: (answered.now.0 + delay, answered.now.1 + delay),
        }
    }

    /// Which request it is: two with the same are the same.
    fn identity(&self) -> u64 {
        let head = self.answered.head;
        let parts = [head.method.as_str(), head.uri.path(), head.uri.query().unwrap_or("")];
        let whole = parts.iter().fold(0, |word, part| hash(word, part.as_bytes()));
        hash(whole, key_of(self.answered))
    }

    /// Whether the client knows of an answer that was sent before.
    fn knows(&self, heard: &Heard) -> bool {
        self.answered.peer.knows(heard, self.answered.opened)
    }

    /// Its answer, for who knows of it later.
    fn heard(&self) -> Heard {
        self.answered.peer.hears(self.ended.0)
    }

    /// The page that the client got.
    fn page(&self) -> Option<PageSeen> {
        let spoiled = self
            .answered
            .fault
            .is_some_and(|fired| fired.fault.cut.is_some() || fired.fault.body != BodyForm::Own);
        self.answered.page.filter(|_| !spoiled)
    }

    fn target(&self) -> String {
        let head = self.answered.head;
        // Without the query, which may hold what no one should read.
        named((head.method.as_str(), head.uri.path()), &sent_keys(&head.headers))
    }

    fn breaks_off(&self) -> bool {
        self.answered.fault.is_some_and(|fired| fired.fault.cut.is_some())
    }

    /// Whether it found no endpoint that takes its method.
    fn found_nothing(&self) -> bool {
        let found_none = matches!(self.code, Some(Code::NotFound | Code::MethodNotAllowed));
        found_none && self.answered.fault.is_none()
    }

    /// Whether it was refused for a reason that stays. What found no endpoint has a rule of its
    /// own, and is not told twice.
    fn refused_for_good(&self) -> bool {
        if self.found_nothing() {
            return false;
        }
        // A code says so even where a reading answers it with 200.
        let status = self.code.map_or(self.answered.status, Code::http_status);
        // The page behind the last one has a rule of its own.
        let is_past_end = self.code == Some(Code::PageExceedsTotal);
        !self.breaks_off() && (400..500).contains(&status) && !passes(status) && !is_past_end
    }

    /// Whether another try may help.
    fn may_be_tried_again(&self) -> bool {
        let status = self.answered.status;
        self.breaks_off() || passes(status) || status >= 500 || self.spoiled_body()
    }

    fn spoiled_body(&self) -> bool {
        self.answered.fault.is_some_and(|fired| {
            matches!(fired.fault.body, BodyForm::Truncated | BodyForm::Garbage | BodyForm::Empty)
        })
    }
}

/// What a request sent as its key.
fn key_of<'a>(answered: &Answered<'a>) -> &'a [u8] {
    let key = answered.head.headers.get(header::AUTHORIZATION);
    key.map_or(&b""[..], |key| key.as_bytes())
}

/// All that a request sent as a key, in whichever header.
fn sent_keys(headers: &HeaderMap) -> Vec<u8> {
    let keys = headers.iter().filter(|(name, _)| is_key_name(name.as_str()));
    let keys: Vec<&[u8]> = keys.map(|(_, value)| value.as_bytes()).collect();
    keys.join(&b' ')
}

/// How much memory lines take, in bytes.
fn size(lines: &[RequestLine]) -> usize {
    lines.iter().map(RequestLine::size).sum()
}

/// Whether a 4xx may be over soon: a timeout, too early, too many requests.
fn passes(status: u16) -> bool {
    matches!(status, 408 | 425 | 429)
}

impl Default for Room {
    fn default() -> Self {
        WIDE
    }
}

/// What is watched of a sandbox.
#[derive(Default)]
pub(crate) struct Watch {
    coverage: Coverage,
    requests: u64,
    findings: Findings,
    walks: HashMap<u64, Walk>,
    /// Lines of requests that a walk began or ended with and the journal had to drop.
    lines: HashMap<u64, Vec<RequestLine>>,
    /// What both take.
    walk_bytes: usize,
    room: Room,
    /// The requests that failed and are waited for to be sent again.
    failures: HashMap<u64, Tries>,
    /// The newest request, if it was refused for good.
    refused: Option<(u64, u64, Heard)>,
}

impl Watch {
    /// How many requests were watched.
    pub(crate) fn requests(&self) -> u64 {
        self.requests
    }

    /// How much memory it takes, about, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.walk_bytes
            + self.walks.len() * WALK_BYTES
            + self.failures.len() * FAILURE_BYTES
            + self.findings.size()
    }

    /// Looks at a request. `short`: all sandboxes together take as much memory as they may.
    /// `entries`: what the journal has, that request included.
    pub(crate) fn observe(&mut self, seen: &Observed<'_>, entries: &VecDeque<Entry>, short: bool) {
        self.room = if short { TIGHT } else { WIDE };
        self.requests += 1;
        self.coverage.meet(seen.endpoint, seen.code, seen.page().as_ref());
        for (rule, what) in &seen.breaks {
            self.find(*rule, what.clone(), RequestRefs::new(&[seen.number], entries));
        }
        // The answer to `HEAD` has no rows.
        if seen.endpoint.is_some() && seen.answered.head.method != Method::HEAD {
            self.follow(seen, entries);
        }
        self.compare(seen, entries);
    }

    /// Follows the walk that a request is a step of.
    fn follow(&mut self, seen: &Observed<'_>, entries: &VecDeque<Entry>) {
        let page = seen.page();
        let Some(asked) = page.map(|page| page.page).or(seen.asked) else { return };
        let refused_past_end =
            seen.code == Some(Code::PageExceedsTotal) && seen.answered.fault.is_none();
        let path = seen.endpoint.map_or("", |endpoint| endpoint.path);
        match self.walks.get(&seen.walk) {
            // Nobody told the client before how far it may go.
            None if page.is_none() => return,
            None => {}
            Some(walk) => {
                let is_empty = page.is_some_and(|page| page.page > page.last);
                if (is_empty || refused_past_end)
                    && walk.is_past_end(asked, |heard| seen.knows(heard))
                {
                    let last = walk.last();
                    let what = format!("{path}: the walk went on behind page {last}, the last one");
                    self.find(Rule::PastTheEnd, what, RequestRefs::new(&[seen.number], entries));
                }
            }
        }
        // A new one counts from nothing, since all of it is taken off when it goes.
        let before = self.walks.get(&seen.walk).map_or(0, Walk::size);
        let walk = self.walks.entry(seen.walk).or_default();
        walk.path = path;
        match &page {
            Some(page) => walk.fetched(seen.number, page, || seen.heard()),
            None => walk.failed(seen.number, asked),
        }
        self.walk_bytes = (self.walk_bytes + walk.size()).saturating_sub(before);
        if self.walks.len() > self.room.walks || self.walk_bytes > MOST_WALK_BYTES {
            self.make_room(seen.walk, entries);
        }
    }

    /// Judges the walks that nobody went on with for the longest time, but not the newest one.
    fn make_room(&mut self, newest: u64, entries: &VecDeque<Entry>) {
        let mut all: Vec<_> =
            self.walks.iter().map(|(walk, about)| (about.requests.1, *walk)).collect();
        all.sort_unstable();
        // Some more than need be, so that this is not done for each request.
        let (walks, bytes) = (self.room.walks * 7 / 8, MOST_WALK_BYTES * 7 / 8);
        for (_, walk) in all.into_iter().filter(|(_, walk)| *walk != newest) {
            if self.walks.len() <= walks && self.walk_bytes <= bytes {
                break;
            }
            let lines = self.lines.remove(&walk).unwrap_or_default();
            let Some(walk) = self.walks.remove(&walk) else { continue };
            self.walk_bytes = self.walk_bytes.saturating_sub(walk.size() + size(&lines));
            if let Some((rule, what)) = walk.judge() {
                let requests = [walk.requests.0, walk.requests.1];
                self.find(rule, what, RequestRefs { numbers: &requests, entries, lines: &lines });
            }
        }
        if self.walks.len() * 8 < self.walks.capacity() {
            self.walks.shrink_to(self.walks.len() * 2);
            self.lines.shrink_to(self.lines.len() * 2);
        }
    }

    /// Compares a request with the one like it that failed before.
    fn compare(&mut self, seen: &Observed<'_>, entries: &VecDeque<Entry>) {
        let (refused, failed) = (seen.refused_for_good(), seen.may_be_tried_again());
        if !refused && !failed && self.failures.is_empty() {
            self.refused = None;
            return;
        }
        let identity = seen.identity();
        let refused = refused.then(|| (identity, seen.number, seen.heard()));
        if let (Some((now, number, _)), Some((before, first, heard))) = (&refused, &self.refused)
            && now == before
            && seen.knows(heard)
        {
            let (first, number) = (*first, *number);
            let what = format!("{} was refused, and sent again unchanged", seen.target());
            self.find(Rule::RepeatedRefusal, what, RequestRefs::new(&[first, number], entries));
        }
        self.refused = refused;
        if let Some(tries) = self.failures.get_mut(&identity) {
            tries.again(
                seen.number,
                seen.answered.now,
                |heard| seen.knows(heard),
                || seen.target(),
            );
            if tries.is_over() {
                self.failures.remove(&identity);
            }
        }
        if failed {
            if self.failures.len() >= self.room.failures {
                for (_, tries) in std::mem::take(&mut self.failures) {
                    tries.tell(&mut self.findings, self.room.findings, entries);
                }
            }
            let retry_after = seen.answered.retry_after.map(Duration::from_secs);
            let tries = self.failures.entry(identity).or_default();
            tries.failed(seen.number, seen.ended, retry_after, seen.heard());
        }
    }

    /// A client left before it had read the answer to the request at a place in the journal.
    pub(crate) fn unread(&mut self, place: usize, entries: &VecDeque<Entry>) {
        let Some(entry) = entries.get(place) else { return };
        // A fault made the client wait.
        let excused = !entry.fault().is_empty();
        let read = read_entry(entry);
        if let (Some(walk), Some(page)) = (self.walks.get_mut(&read.walk), read.page) {
            let before = walk.size();
            walk.lost(page);
            walk.failed(entry.number, page);
            self.walk_bytes = (self.walk_bytes + walk.size()).saturating_sub(before);
        }
        // Whoever reads the status of a refusal has read enough.
        let refused = entry.status.is_some_and(|status| status >= 400);
        if !excused && !refused {
            let target = entry.target();
            let path = crate::target::without_sandbox(target.split('?').next().unwrap_or_default());
            let request = named((&entry.method(), path), &entry_keys(entry));
            let what = format!("the answer to {request} was not read to its end");
            self.find(Rule::UnreadAnswer, what, RequestRefs::new(&[entry.number], entries));
        }
    }

    /// The journal drops a request. If a walk begins or ends with it, a finding may have to name it
    /// later, so its line stays.
    pub(crate) fn keep_line(&mut self, entry: &Entry) {
        let Some(walk) = self.walks.get(&entry.walk) else { return };
        if !walk.is_named_by(entry.number) {
            return;
        }
        let lines = self.lines.entry(entry.walk).or_default();
        let before = size(lines);
        // One that the walk ended with before has become one in between.
        lines.retain(|line| walk.is_named_by(line.number));
        lines.push(RequestLine::of_entry(entry));
        self.walk_bytes = (self.walk_bytes + size(lines)).saturating_sub(before);
    }

    /// A client left before it had read the answer to a request that the journal has dropped. Were
    /// nothing said of that, a journal that is too small would make a client look right.
    pub(crate) fn unread_and_dropped(&mut self, number: u64, entries: &VecDeque<Entry>) {
        let what = "an answer was not read to its end; the journal had dropped its request by then, \
                    so whether a fault or a refusal excuses that is not known";
        self.find(Rule::UnreadAnswer, what.to_owned(), RequestRefs::new(&[number], entries));
    }

    fn find(&mut self, rule: Rule, what: String, requests: RequestRefs<'_>) {
        self.findings.add(self.room.findings, (rule, what), requests, 1);
    }

    /// What can be said now. The sandbox's name is the caller's to give, and what the journal has.
    pub(crate) fn verdict(&self, sandbox: &str, entries: &VecDeque<Entry>) -> Verdict {
        let mut findings = self.findings.clone();
        for (key, walk) in &self.walks {
            if let Some(judged) = walk.judge() {
                let requests = [walk.requests.0, walk.requests.1];
                let lines = self.lines.get(key).map_or(&[][..], |lines| lines);
                let requests = RequestRefs { numbers: &requests, entries, lines };
                findings.add(WIDE.findings, judged, requests, 1);
            }
        }
        for tries in self.failures.values() {
            tries.tell(&mut findings, WIDE.findings, entries);
        }
        let mut findings = findings.into_vec();
        for finding in &mut findings {
            sandbox.clone_into(&mut finding.sandbox);
        }
        findings.sort_by_key(|finding| (finding.rule, finding.requests.first().copied()));
        Verdict {
            findings,
            coverage: self.coverage.clone(),
            requests: self.requests,
            is_final: false,
        }
    }
}

impl Tries {
    /// Adds what can be said of them to what was found.
    fn tell(&self, findings: &mut Findings, most: usize, entries: &VecDeque<Entry>) {
        for (rule, what, times, requests) in self.judge() {
            findings.add(
                most,
                (rule, what.to_owned()),
                RequestRefs::new(&requests, entries),
                times,
            );
        }
    }
}

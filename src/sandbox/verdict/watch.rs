//! Analyses the requests of a sandbox as they arrive. It keeps findings, and the paging runs and
//! failed requests that are not finished yet, within fixed bounds. The verdict is made from these.

use std::collections::VecDeque;
use std::hash::BuildHasher;
use std::time::Duration;

use axum::http::{Method, header};
use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::findings::{Findings, RequestRefs};
use super::read::{named, parse, parse_entry, unknown_endpoint};
use super::retries::{Moment, RetryTracker};
use super::walk::PageWalk;
use super::{Coverage, RequestLine, Rule, ServedPage, Verdict};
use crate::contract::{self, Code};
use crate::redact::Redactor;
use crate::sandbox::faults::BodyForm;
use crate::sandbox::journal::{Entry, Exchange};
use crate::sandbox::peer::ResponseReceipt;

/// The most memory that all walks of a sandbox take, in bytes. If they take more, or if there are
/// too many, the walks that had no request for the longest time are judged as they are and removed.
const MAX_WALK_BYTES: usize = 256 << 10;

/// How much is watched of a sandbox.
#[derive(Clone, Copy)]
struct WatchLimits {
    walks: usize,
    /// Failed requests that may still be retried.
    failures: usize,
    /// Findings of one rule, so that one rule cannot use up the memory of the others. Further
    /// findings are left out.
    findings: usize,
}

/// The limits of a sandbox if there are few, and if there are thousands that share the memory.
const WIDE: WatchLimits = WatchLimits { walks: 500, failures: 500, findings: 50 };
const TIGHT: WatchLimits = WatchLimits { walks: 8, failures: 8, findings: 3 };

/// About how many bytes a walk and a failure take in addition to those that are counted.
const WALK_BYTES: usize = 64;
const FAILURE_BYTES: usize = 1024;

/// What the watch needs to know of a request. It is computed before the sandbox's lock is taken,
/// because it takes some time.
pub(crate) struct Observation<'a> {
    pub(crate) number: u64,
    pub(crate) walk: u64,
    /// The page that was asked for.
    asked: Option<u64>,
    violations: Vec<(Rule, String)>,
    exchange: &'a Exchange<'a>,
    code: Option<Code>,
    /// When the response was sent.
    ended: Moment,
}

impl<'a> Observation<'a> {
    pub(crate) fn new(entry: &Entry, exchange: &'a Exchange<'a>) -> Self {
        let head = exchange.head;
        let (method, query) = (head.method.as_str(), head.uri.query().unwrap_or(""));
        let body = entry.body && contract::allows(method);
        let mut parsed = parse(exchange.endpoint, query, key_of(exchange), body);
        if exchange.fault.is_none() {
            let broken = unknown_endpoint((method, head.uri.path()), entry.code);
            parsed.violations.extend(broken.map(|what| (Rule::UnknownEndpoint, what)));
        }
        if !parsed.violations.is_empty() {
            let own = Redactor::default().for_head(&head.uri, &head.headers);
            for (_, what) in &mut parsed.violations {
                *what = own.hide(what).into_owned();
            }
        }
        let delay = exchange.fault.map_or(Duration::ZERO, |injected| injected.delay);
        Self {
            number: entry.number,
            walk: parsed.walk,
            asked: parsed.page,
            violations: parsed.violations,
            code: entry.code,
            exchange,
            ended: (exchange.now.0 + delay, exchange.now.1 + delay),
        }
    }

    /// Requests with the same number are the same.
    fn identity(&self) -> u64 {
        let head = self.exchange.head;
        FixedState::default().hash_one((
            head.method.as_str(),
            head.uri.path(),
            head.uri.query(),
            key_of(self.exchange),
        ))
    }

    /// Whether the client may have seen a response before it sent this request.
    fn may_have_seen(&self, receipt: &ResponseReceipt) -> bool {
        self.exchange.peer.may_have_seen(receipt, self.exchange.opened)
    }

    /// The receipt of the response.
    fn receipt(&self) -> ResponseReceipt {
        self.exchange.peer.receipt(self.ended.0)
    }

    /// The page that the client received.
    fn page(&self) -> Option<ServedPage> {
        let is_spoiled = self.exchange.fault.is_some_and(|injected| {
            injected.fault.connection.is_some() || injected.fault.body != BodyForm::Original
        });
        self.exchange.page.filter(|_| !is_spoiled)
    }

    /// The method and the path, without the query, which may hold secrets.
    fn name(&self) -> String {
        let head = self.exchange.head;
        let named = named((head.method.as_str(), head.uri.path()));
        Redactor::default().for_head(&head.uri, &head.headers).hide(&named).into_owned()
    }

    fn is_cut_off(&self) -> bool {
        self.exchange.fault.is_some_and(|injected| injected.fault.connection.is_some())
    }

    /// Whether there is no endpoint for it, or none that takes its method.
    fn found_no_endpoint(&self) -> bool {
        let found_none = matches!(self.code, Some(Code::NotFound | Code::MethodNotAllowed));
        found_none && self.exchange.fault.is_none()
    }

    /// Whether the same request would be refused again. A request without an endpoint breaks
    /// another rule, and one finding is enough.
    fn is_refused_for_good(&self) -> bool {
        if self.found_no_endpoint() {
            return false;
        }
        // A code means a refusal even if a reading gives it the status 200.
        let status = self.code.map_or(self.exchange.status, Code::http_status);
        // A page after the last one breaks another rule.
        let is_past_end = self.code == Some(Code::PageExceedsTotal);
        !self.is_cut_off() && (400..500).contains(&status) && !is_transient(status) && !is_past_end
    }

    /// Whether a retry may succeed.
    fn may_be_retried(&self) -> bool {
        let status = self.exchange.status;
        self.is_cut_off() || is_transient(status) || status >= 500 || self.has_spoiled_body()
    }

    fn has_spoiled_body(&self) -> bool {
        self.exchange.fault.is_some_and(|injected| {
            matches!(injected.fault.body, BodyForm::Truncated | BodyForm::Garbage | BodyForm::Empty)
        })
    }
}

/// The request's `Authorization`.
fn key_of<'a>(exchange: &Exchange<'a>) -> &'a [u8] {
    let key = exchange.head.headers.get(header::AUTHORIZATION);
    key.map_or(&b""[..], |key| key.as_bytes())
}

/// How many bytes request lines take.
fn size(lines: &[RequestLine]) -> usize {
    lines.iter().map(RequestLine::size).sum()
}

/// Whether a retry after a 4xx may succeed: after a timeout, too early, too many requests.
fn is_transient(status: u16) -> bool {
    matches!(status, 408 | 425 | 429)
}

impl Default for WatchLimits {
    fn default() -> Self {
        WIDE
    }
}

/// The watch over a sandbox.
#[derive(Default)]
pub(crate) struct Watch {
    coverage: Coverage,
    requests: u64,
    findings: Findings,
    walks: HashMap<u64, PageWalk>,
    /// Lines of requests that a walk begins or ends with and that the journal had to drop.
    lines: HashMap<u64, Vec<RequestLine>>,
    /// How many bytes walks and lines take.
    walk_bytes: usize,
    limits: WatchLimits,
    /// The requests that failed and may be retried, by their identity.
    failures: HashMap<u64, RetryTracker>,
    /// The identity, number and receipt of the newest request, if it was refused for good.
    refused: Option<(u64, u64, ResponseReceipt)>,
}

impl Watch {
    /// How many requests were watched.
    pub(crate) fn requests(&self) -> u64 {
        self.requests
    }

    /// How many bytes it takes, about.
    pub(crate) fn size(&self) -> usize {
        self.walk_bytes
            + self.walks.len() * WALK_BYTES
            + self.failures.len() * FAILURE_BYTES
            + self.findings.size()
    }

    /// Analyses a request. `is_short`: all sandboxes together have used up their memory.
    /// `entries`: the journal, which already contains the request.
    pub(crate) fn observe(
        &mut self,
        seen: &Observation<'_>,
        entries: &VecDeque<Entry>,
        is_short: bool,
    ) {
        self.limits = if is_short { TIGHT } else { WIDE };
        self.requests += 1;
        self.coverage.note(seen.exchange.endpoint, seen.code, seen.page().as_ref());
        for (rule, what) in &seen.violations {
            self.find(*rule, what.clone(), RequestRefs::new(&[seen.number], entries));
        }
        // The response to `HEAD` has no rows.
        if seen.exchange.endpoint.is_some() && seen.exchange.head.method != Method::HEAD {
            self.follow_walk(seen, entries);
        }
        self.compare(seen, entries);
    }

    /// Adds a request to its walk.
    fn follow_walk(&mut self, seen: &Observation<'_>, entries: &VecDeque<Entry>) {
        let page = seen.page();
        let Some(asked) = page.map(|page| page.page).or(seen.asked) else { return };
        let refused_past_end =
            seen.code == Some(Code::PageExceedsTotal) && seen.exchange.fault.is_none();
        let path = seen.exchange.endpoint.map_or("", |endpoint| endpoint.path);
        match self.walks.get(&seen.walk) {
            // The client has received no response that shows which page is the last.
            None if page.is_none() => return,
            None => {}
            Some(walk) => {
                let is_empty = page.is_some_and(|page| page.page > page.last);
                if (is_empty || refused_past_end)
                    && walk.is_past_end(asked, |receipt| seen.may_have_seen(receipt))
                {
                    let last = walk.last();
                    let what = format!(
                        "{path}: the client requested a page after page {last}, the last one"
                    );
                    self.find(Rule::PastTheEnd, what, RequestRefs::new(&[seen.number], entries));
                }
            }
        }
        // A new walk counts from zero, because all of its size is subtracted when it is removed.
        let before = self.walks.get(&seen.walk).map_or(0, PageWalk::size);
        let walk = self.walks.entry(seen.walk).or_default();
        walk.path = path;
        match &page {
            Some(page) => walk.note_page(seen.number, page, || seen.receipt()),
            None => walk.note_failure(seen.number, asked),
        }
        self.walk_bytes = (self.walk_bytes + walk.size()).saturating_sub(before);
        if self.walks.len() > self.limits.walks || self.walk_bytes > MAX_WALK_BYTES {
            self.forget_walks(seen.walk, entries);
        }
    }

    /// Judges and removes the walks that had no request for the longest time, except the newest.
    fn forget_walks(&mut self, newest: u64, entries: &VecDeque<Entry>) {
        let mut all: Vec<_> = self.walks.iter().map(|(id, walk)| (walk.requests.1, *id)).collect();
        all.sort_unstable();
        // We remove more than necessary, so that this does not happen at each request.
        let (walks, bytes) = (self.limits.walks * 7 / 8, MAX_WALK_BYTES * 7 / 8);
        for (_, walk) in all.into_iter().filter(|(_, walk)| *walk != newest) {
            if self.walks.len() <= walks && self.walk_bytes <= bytes {
                break;
            }
            // A walk has lines only if the journal had to drop its requests.
            let lines = self.lines.remove(&walk).unwrap_or_default();
            let walk = self.walks.remove(&walk).expect("it was just listed");
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

    /// Compares a request with the same request that failed before.
    fn compare(&mut self, seen: &Observation<'_>, entries: &VecDeque<Entry>) {
        let (refused, failed) = (seen.is_refused_for_good(), seen.may_be_retried());
        if !refused && !failed && self.failures.is_empty() {
            self.refused = None;
            return;
        }
        let identity = seen.identity();
        let refused = refused.then(|| (identity, seen.number, seen.receipt()));
        if let (Some((now, number, _)), Some((before, first, receipt))) = (&refused, &self.refused)
            && now == before
            && seen.may_have_seen(receipt)
        {
            let (first, number) = (*first, *number);
            let what = format!("{} was refused and then sent again unchanged", seen.name());
            self.find(Rule::RepeatedRefusal, what, RequestRefs::new(&[first, number], entries));
        }
        self.refused = refused;
        if let Some(tracker) = self.failures.get_mut(&identity) {
            tracker.note_retry(
                seen.number,
                seen.exchange.now,
                |receipt| seen.may_have_seen(receipt),
                || seen.name(),
            );
            if tracker.is_done() {
                self.failures.remove(&identity);
            }
        }
        if failed {
            if self.failures.len() >= self.limits.failures {
                for (_, tracker) in std::mem::take(&mut self.failures) {
                    tracker.add_findings(&mut self.findings, self.limits.findings, entries);
                }
            }
            let retry_after = seen.exchange.retry_after.map(Duration::from_secs);
            let tracker = self.failures.entry(identity).or_default();
            tracker.note_failure(seen.number, seen.ended, retry_after, seen.receipt());
        }
    }

    /// Notes that a client left before it had read the response to the request at a place in the
    /// journal.
    pub(crate) fn note_unread(&mut self, place: usize, entries: &VecDeque<Entry>) {
        let entry = &entries[place];
        let has_fault = !entry.fault().is_empty();
        let parsed = parse_entry(entry);
        if let (Some(walk), Some(page)) = (self.walks.get_mut(&parsed.walk), parsed.page) {
            let before = walk.size();
            walk.discard_page(page);
            walk.note_failure(entry.number, page);
            self.walk_bytes = (self.walk_bytes + walk.size()).saturating_sub(before);
        }
        // After a fault, any client may close the connection, and of a refusal the status is enough.
        let is_refused = entry.status.is_some_and(|status| status >= 400);
        if !has_fault && !is_refused {
            let target = entry.target();
            let path = crate::target::without_sandbox(
                target.split_once('?').map_or(&*target, |(path, _)| path),
            );
            let request = named((&entry.method(), path));
            let request = entry.redactor(&Redactor::default()).hide(&request).into_owned();
            let what = format!("the client did not read the whole response to {request}");
            self.find(Rule::UnreadAnswer, what, RequestRefs::new(&[entry.number], entries));
        }
    }

    /// Keeps the line of a request that the journal drops, if a walk begins or ends with it,
    /// because a finding may have to name it later.
    pub(crate) fn keep_line(&mut self, entry: &Entry) {
        let Some(walk) = self.walks.get(&entry.walk) else { return };
        if !walk.is_bounded_by(entry.number) {
            return;
        }
        let lines = self.lines.entry(entry.walk).or_default();
        let before = size(lines);
        // A request that the walk ended with before may be in its middle now.
        lines.retain(|line| walk.is_bounded_by(line.number));
        lines.push(RequestLine::of_entry(entry));
        self.walk_bytes = (self.walk_bytes + size(lines)).saturating_sub(before);
    }

    /// Notes that a client left before it had read the response to a request that the journal has
    /// dropped. Without this finding, a journal that is too small would hide the mistake.
    pub(crate) fn note_unread_and_dropped(&mut self, number: u64, entries: &VecDeque<Entry>) {
        let what = "the client did not read the whole response to a request that is no longer in the \
                    journal, so it is unknown whether a fault or an error status caused this";
        self.find(Rule::UnreadAnswer, what.to_owned(), RequestRefs::new(&[number], entries));
    }

    fn find(&mut self, rule: Rule, what: String, requests: RequestRefs<'_>) {
        self.findings.add(self.limits.findings, (rule, what), requests, 1);
    }

    /// The verdict on the requests so far; `entries` is the journal.
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
        for tracker in self.failures.values() {
            tracker.add_findings(&mut findings, WIDE.findings, entries);
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

impl RetryTracker {
    /// Adds the findings about these retries.
    fn add_findings(&self, findings: &mut Findings, most: usize, entries: &VecDeque<Entry>) {
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

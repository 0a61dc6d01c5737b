//! Watches the requests of a sandbox as they come. It keeps what is open (walks, retries) within
//! bounds and what was found; a verdict is drawn from that.

use std::collections::VecDeque;
use std::time::Duration;

use axum::http::header;
use hashbrown::HashMap;

use super::read::{hash, read, read_entry};
use super::walk::Walk;
use super::{Coverage, Finding, PageSeen, Rule, Verdict};
use crate::contract::{Code, Endpoint};
use crate::faults::BodyForm;
use crate::journal::{Answered, Entry, hide_sent};

/// Retries closer to each other than this had no pause between them.
const PAUSE: Duration = Duration::from_millis(10);

/// So many retries in a row without a pause are one too many.
const QUICK: u32 = 2;

/// How much memory the walks of a sandbox that are followed at once take together, in bytes. The
/// oldest are judged as they are, as where there are too many.
const MOST_WALK_BYTES: usize = 256 << 10;

/// How much is watched of a sandbox.
#[derive(Clone, Copy)]
struct Room {
    walks: usize,
    /// Failed requests that are waited for to be sent again.
    failures: usize,
    /// What comes after the last one that there is room for is not told.
    findings: usize,
}

/// Of one among few, and of one among thousands that take all the room there is together.
const WIDE: Room = Room { walks: 500, failures: 500, findings: 200 };
const TIGHT: Room = Room { walks: 8, failures: 8, findings: 10 };

/// What a walk, a failure and a finding take beside what is counted of them, about, in bytes.
const WALK_BYTES: usize = 96;
const FAILURE_BYTES: usize = 160;
const FINDING_BYTES: usize = 256;

/// Requests that a finding names.
const MOST_NAMED: usize = 5;

/// What is watched of a request. It is made before the sandbox's lock is taken.
pub(crate) struct Observed<'a> {
    pub(crate) number: u64,
    endpoint: Option<&'static Endpoint>,
    walk: u64,
    asked: Option<u64>,
    breaks: Vec<(Rule, String)>,
    answered: &'a Answered<'a>,
    code: Option<Code>,
    /// When its answer was sent: since the server began, and by the sandbox's clock.
    ended: (Duration, Duration),
}

impl<'a> Observed<'a> {
    pub(crate) fn new(entry: &Entry, answered: &'a Answered<'a>) -> Self {
        let head = answered.head;
        let query = head.uri.query().unwrap_or("");
        let key = head.headers.get(header::AUTHORIZATION).map_or(&b""[..], |key| key.as_bytes());
        let read = read(answered.endpoint, query, key, entry.body);
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
        let key = head.headers.get(header::AUTHORIZATION).map_or(&b""[..], |key| key.as_bytes());
        let parts = [head.method.as_str(), head.uri.path(), head.uri.query().unwrap_or("")];
        let whole = parts.iter().fold(0, |word, part| hash(word, part.as_bytes()));
        hash(whole, key)
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
        let key = head.headers.get(header::AUTHORIZATION).map_or(&b""[..], |key| key.as_bytes());
        hide_sent(format!("{} {}", head.method, head.uri.path()), key)
    }

    fn breaks_off(&self) -> bool {
        self.answered.fault.is_some_and(|fired| fired.fault.cut.is_some())
    }

    /// Whether it was refused for a reason that stays.
    fn refused_for_good(&self) -> bool {
        // A code says so even where a reading answers it with 200.
        let status = self.code.map_or(self.answered.status, Code::http_status);
        !self.breaks_off() && (400..500).contains(&status) && status != 429
    }

    /// Whether another try may help.
    fn may_be_tried_again(&self) -> bool {
        let status = self.answered.status;
        self.breaks_off() || status == 429 || status >= 500 || self.spoiled_body()
    }

    fn spoiled_body(&self) -> bool {
        self.answered.fault.is_some_and(|fired| {
            matches!(fired.fault.body, BodyForm::Truncated | BodyForm::Garbage | BodyForm::Empty)
        })
    }
}

/// A request that failed, until it is sent again.
struct Failure {
    ended: (Duration, Duration),
    retry_after: Option<Duration>,
    quick: u32,
    number: u64,
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
    findings: Vec<Finding>,
    walks: HashMap<u64, Walk>,
    /// Which walk began when, the oldest first.
    order: VecDeque<u64>,
    walk_bytes: usize,
    room: Room,
    failures: HashMap<u64, Failure>,
    /// The newest request, if it was refused for good.
    refused: Option<(u64, u64)>,
}

impl Watch {
    /// How much memory it takes, about, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.walk_bytes
            + self.order.len() * WALK_BYTES
            + self.failures.len() * FAILURE_BYTES
            + self.findings.len() * FINDING_BYTES
    }

    /// Looks at a request. `short`: all sandboxes together take as much memory as they may.
    pub(crate) fn observe(&mut self, seen: &Observed<'_>, short: bool) {
        self.room = if short { TIGHT } else { WIDE };
        self.requests += 1;
        self.coverage.meet(seen.endpoint, seen.code, seen.page().as_ref());
        for (rule, what) in &seen.breaks {
            self.find(*rule, what.clone(), &[seen.number]);
        }
        if seen.endpoint.is_some() {
            self.follow(seen);
        }
        self.compare(seen);
    }

    /// Follows the walk that a request is a step of.
    fn follow(&mut self, seen: &Observed<'_>) {
        let refused_past_end =
            seen.code == Some(Code::PageExceedsTotal) && seen.answered.fault.is_none();
        let page = seen.page();
        if let Some(page) = &page
            && page.page > page.last
            // Where nothing tells that a full page is the last one, the next has to be asked for.
            && !(page.page == page.last + 1 && page.last_is_full && !page.tells_total_for_good(seen))
        {
            self.past_end(seen, page.page, Some(page.last));
        } else if refused_past_end {
            self.past_end(seen, seen.asked.unwrap_or(0), None);
        }
        let Some(asked) = page.map(|page| page.page).or(seen.asked) else { return };
        if page.is_none() && !self.walks.contains_key(&seen.walk) {
            return;
        }
        if !self.walks.contains_key(&seen.walk) {
            self.order.push_back(seen.walk);
        }
        let walk = self.walks.entry(seen.walk).or_default();
        let before = walk.size();
        walk.path = seen.endpoint.map_or("", |endpoint| endpoint.path);
        match &page {
            Some(page) => walk.fetched(seen.number, page),
            None => walk.failed(seen.number, asked),
        }
        self.walk_bytes = self.walk_bytes + walk.size() - before;
        while self.order.len() > self.room.walks
            || (self.walk_bytes > MOST_WALK_BYTES && self.order.len() > 1)
        {
            let oldest = self.order.pop_front().and_then(|oldest| self.walks.remove(&oldest));
            let Some(oldest) = oldest else { break };
            self.walk_bytes = self.walk_bytes.saturating_sub(oldest.size());
            if self.walks.len() * 8 < self.walks.capacity() {
                self.walks.shrink_to(self.walks.len() * 2);
                self.order.shrink_to(self.order.len() * 2);
            }
            if let Some((rule, what)) = oldest.judge() {
                self.find(rule, what, &[oldest.requests.0, oldest.requests.1]);
            }
        }
    }

    fn past_end(&mut self, seen: &Observed<'_>, page: u64, last: Option<u64>) {
        let path = seen.endpoint.map_or("", |endpoint| endpoint.path);
        let last = last.map(|last| format!(" of {last}")).unwrap_or_default();
        let what = format!("{path}: page {page}{last} was asked for, past the last one");
        self.find(Rule::PastTheEnd, what, &[seen.number]);
    }

    /// Compares a request with the one like it that failed before.
    fn compare(&mut self, seen: &Observed<'_>) {
        let (refused, failed) = (seen.refused_for_good(), seen.may_be_tried_again());
        if !refused && !failed && self.failures.is_empty() {
            self.refused = None;
            return;
        }
        let identity = seen.identity();
        let refused = refused.then_some((identity, seen.number));
        if let (Some((now, number)), Some((before, first))) = (refused, self.refused)
            && now == before
        {
            let what = format!("{} was refused, and sent again unchanged", seen.target());
            self.find(Rule::RepeatedRefusal, what, &[first, number]);
        }
        self.refused = refused;
        let mut quick = 0;
        if let Some(failed) = self.failures.remove(&identity) {
            let gone = |now: Duration, then: Duration| now.saturating_sub(then);
            let (real, own) = seen.answered.now;
            let waited = gone(real, failed.ended.0).max(gone(own, failed.ended.1));
            if let Some(wait) = failed.retry_after.filter(|wait| waited < *wait) {
                let (wait, waited) = (wait.as_secs(), waited.as_millis());
                let what = format!(
                    "{} was sent again after {waited} ms, when Retry-After said {wait} s",
                    seen.target()
                );
                self.find(Rule::RetryAfterIgnored, what, &[failed.number, seen.number]);
            } else if waited < PAUSE {
                quick = failed.quick + 1;
                if quick == QUICK {
                    let what =
                        format!("{} was tried again and again without a pause", seen.target());
                    self.find(Rule::NoPause, what, &[failed.number, seen.number]);
                }
            }
        }
        if failed {
            if self.failures.len() >= self.room.failures {
                self.failures = HashMap::new();
            }
            let retry_after = seen.answered.retry_after.map(Duration::from_secs);
            let failure = Failure { ended: seen.ended, retry_after, quick, number: seen.number };
            self.failures.insert(identity, failure);
        }
    }

    /// A client left before it had read an answer. `excused`: a fault made it wait.
    pub(crate) fn unread(&mut self, entry: &Entry, excused: bool) {
        let target = entry.target();
        let path = target.split_once('?').map_or(&*target, |(path, _)| path);
        let path = crate::http::without_sandbox(path);
        let read = read_entry(entry);
        if let (Some(walk), Some(page)) = (self.walks.get_mut(&read.walk), read.page) {
            walk.lost(page);
            walk.failed(entry.number, page);
        }
        if !excused {
            let what = format!("the answer to {} {path} was not read to its end", entry.method());
            let key = entry.header(header::AUTHORIZATION.as_str()).unwrap_or_default();
            self.find(Rule::UnreadAnswer, hide_sent(what, key), &[entry.number]);
        }
    }

    fn find(&mut self, rule: Rule, what: String, requests: &[u64]) {
        found(&mut self.findings, self.room.findings, rule, what, requests);
    }

    /// What can be said now. The sandbox's name is the caller's to give.
    pub(crate) fn verdict(&self, sandbox: &str) -> Verdict {
        let mut findings = self.findings.clone();
        for walk in self.order.iter().filter_map(|walk| self.walks.get(walk)) {
            if let Some((rule, what)) = walk.judge() {
                found(
                    &mut findings,
                    WIDE.findings,
                    rule,
                    what,
                    &[walk.requests.0, walk.requests.1],
                );
            }
        }
        for finding in &mut findings {
            sandbox.clone_into(&mut finding.sandbox);
        }
        findings.sort_by_key(|finding| (finding.rule, finding.requests.first().copied()));
        Verdict { findings, coverage: self.coverage.clone(), requests: self.requests }
    }
}

impl PageSeen {
    /// Whether the total that an answer tells counts for more than a full page. On the list many a
    /// client goes by the length of the page, and the page behind a full last one is no error.
    fn tells_total_for_good(&self, seen: &Observed<'_>) -> bool {
        let refuses = seen.endpoint.is_some_and(|row| row.documents(Code::PageExceedsTotal));
        self.tells_total && refuses
    }
}

/// Adds to what was found: once for each thing that was done.
fn found(findings: &mut Vec<Finding>, most: usize, rule: Rule, what: String, requests: &[u64]) {
    if let Some(same) = findings.iter_mut().find(|same| same.rule == rule && same.what == what) {
        same.times += 1;
        let room = MOST_NAMED.saturating_sub(same.requests.len());
        same.requests.extend(requests.iter().take(room));
    } else if findings.len() < most {
        let requests = requests.to_vec();
        findings.push(Finding { rule, sandbox: String::new(), what, requests, times: 1 });
    }
}

//! Retries of one request: how often it failed, and how soon it was retried.
//!
//! Several clients may send the same request at the same time, and each of them waits separately.
//! So an early request alone is not a finding, because it may be the first request of another
//! client. It is a finding only if failures remain for which no request came in time.

use std::collections::VecDeque;
use std::time::Duration;

use super::Rule;
use crate::sandbox::peer::ResponseReceipt;

/// A retry that follows a failure sooner than this had no pause.
const PAUSE: Duration = Duration::from_millis(10);

/// This many retries without a pause are a finding; a single one may be the HTTP library's own.
const QUICK: u64 = 2;

/// Of one request, at most this many failures may still be retried.
const MAX_OPEN: usize = 16;

/// A moment: the time since the server began, and the time by the sandbox's clock.
pub(super) type Moment = (Duration, Duration);

/// A failure that was not retried in time yet.
struct OpenFailure {
    receipt: ResponseReceipt,
    ended: Moment,
    retry_after: Option<Duration>,
}

/// How often a request was sent too early, and the description of the first time.
#[derive(Default)]
struct EarlyRetries {
    times: u64,
    what: String,
    numbers: [u64; 2],
}

/// Follows the retries of a request.
#[derive(Default)]
pub(super) struct RetryTracker {
    open: VecDeque<OpenFailure>,
    newest: u64,
    before_time: EarlyRetries,
    quick: EarlyRetries,
}

impl RetryTracker {
    /// Notes a request that failed before. `may_have_seen`: whether its client may have seen a
    /// response; `name`: the name of the request.
    pub(super) fn note_retry(
        &mut self,
        number: u64,
        now: Moment,
        may_have_seen: impl Fn(&ResponseReceipt) -> bool,
        name: impl Fn() -> String,
    ) {
        let in_time = |open: &OpenFailure| waited(now, open) >= open.retry_after.unwrap_or(PAUSE);
        // A client that waited long enough is taken for the one that waited longest.
        if let Some(place) = self.open.iter().position(in_time) {
            self.open.remove(place);
            if self.open.is_empty() {
                *self = Self::default();
            }
            return;
        }
        // A client that has seen no failure does not retry.
        let Some(newest) = self.open.iter().rev().find(|open| may_have_seen(&open.receipt)) else {
            return;
        };
        let wait = newest.retry_after;
        let early = if wait.is_some() { &mut self.before_time } else { &mut self.quick };
        if early.times == 0 {
            early.numbers = [self.newest, number];
            early.what = match wait {
                Some(wait) => format!(
                    "{} was sent again after {} ms, but Retry-After was {} s",
                    name(),
                    waited(now, newest).as_millis(),
                    wait.as_secs()
                ),
                None => format!("{} was retried several times without a pause", name()),
            };
        }
        early.times += 1;
    }

    /// Notes that the request failed.
    pub(super) fn note_failure(
        &mut self,
        number: u64,
        ended: Moment,
        retry_after: Option<Duration>,
        receipt: ResponseReceipt,
    ) {
        self.newest = number;
        if self.open.len() < MAX_OPEN {
            self.open.push_back(OpenFailure { receipt, ended, retry_after });
        }
    }

    /// Whether every failure was retried in time.
    pub(super) fn is_done(&self) -> bool {
        self.open.is_empty()
    }

    /// The findings: rule, description, how often, and the requests.
    pub(super) fn judge(&self) -> impl Iterator<Item = (Rule, &str, u64, [u64; 2])> {
        let left = self.open.len() as u64;
        let rules =
            [(Rule::RetryAfterIgnored, &self.before_time, 1), (Rule::NoPause, &self.quick, QUICK)];
        rules.into_iter().filter_map(move |(rule, early, least)| {
            let times = early.times.min(left);
            (times >= least).then_some((rule, &*early.what, times, early.numbers))
        })
    }
}

/// How long a client waited, by the clock that shows more, because a test may advance the
/// sandbox's.
fn waited(now: Moment, open: &OpenFailure) -> Duration {
    let real = now.0.saturating_sub(open.ended.0);
    real.max(now.1.saturating_sub(open.ended.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The findings about failures (`-`, with `Retry-After` of a second `w`) and successes (`+`) at
    /// these milliseconds.
    fn judged(tries: &[(u64, char)]) -> Vec<(&'static str, u64)> {
        let mut all = RetryTracker::default();
        for (number, (ms, outcome)) in (1..).zip(tries) {
            let now = (Duration::from_millis(*ms), Duration::ZERO);
            all.note_retry(number, now, |_| true, || "GET /".to_owned());
            if *outcome != '+' {
                let receipt = crate::sandbox::peer::Peer::local().receipt(now.0);
                let wait = (*outcome == 'w').then_some(Duration::from_secs(1));
                all.note_failure(number, now, wait, receipt);
            }
        }
        all.judge().map(|(rule, _, times, _)| (rule.name(), times)).collect()
    }

    #[test]
    fn clients_that_wait_have_no_findings() {
        for tries in [
            &[(0, '-'), (10, '-'), (30, '-'), (70, '+')][..],
            // The HTTP library's own retry.
            &[(0, '-'), (1, '+')],
            &[(0, '-'), (1, '-'), (20, '+')],
            // Three at once, each of which pauses.
            &[(0, '-'), (1, '-'), (2, '-'), (50, '+'), (51, '-'), (52, '+'), (99, '+')],
            &[(0, 'w'), (1, 'w'), (2, 'w'), (1002, '+'), (1003, '+'), (1004, '+')],
            &[(0, 'w'), (1000, 'w'), (2000, 'w')],
        ] {
            assert_eq!(judged(tries), [], "{tries:?}");
        }
    }

    #[test]
    fn clients_that_do_not_wait_have_findings() {
        for (tries, rule, times) in [
            (&[(0, '-'), (1, '-'), (2, '-')][..], "no-pause", 2),
            (&[(0, '-'), (1, '-'), (2, '-'), (3, '+')], "no-pause", 3),
            (&[(0, 'w'), (999, 'w')], "retry-after-ignored", 1),
            (&[(0, 'w'), (20, '+')], "retry-after-ignored", 1),
            (&[(0, 'w'), (20, 'w'), (1000, '+')], "retry-after-ignored", 1),
            (&[(0, 'w'), (20, 'w'), (40, 'w')], "retry-after-ignored", 2),
        ] {
            assert_eq!(judged(tries), [(rule, times)], "{tries:?}");
        }
    }
}

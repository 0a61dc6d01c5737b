//! The tries of one request: how often it failed, and how soon it came again.
//!
//! Several clients may send the same request at once, and each waits for itself. So a request that
//! comes early is no one's fault yet: it may be another client's first. It is where failures are
//! left over that nobody came back for in time.

use std::collections::VecDeque;
use std::time::Duration;

use super::Rule;
use crate::sandbox::peer::Heard;

/// Retries closer to a failure than this had no pause before them.
const PAUSE: Duration = Duration::from_millis(10);

/// So many retries without a pause are one too many: the first may be the HTTP library's own.
const QUICK: u64 = 2;

/// Failures that are waited for, of one request.
const MOST_OPEN: usize = 16;

/// A moment: since the server began, and by the sandbox's clock.
pub(super) type Moment = (Duration, Duration);

/// A failure that nobody came back for yet.
struct Open {
    heard: Heard,
    ended: Moment,
    retry_after: Option<Duration>,
}

/// How often a request came too early, and the first time that it did.
#[derive(Default)]
struct Early {
    times: u64,
    what: String,
    numbers: [u64; 2],
}

/// The tries of a request.
#[derive(Default)]
pub(super) struct Tries {
    open: VecDeque<Open>,
    newest: u64,
    before_time: Early,
    quick: Early,
}

impl Tries {
    /// Notes a request like one that failed. `knows`: who sends it may know of an answer; `target`:
    /// how it is named.
    pub(super) fn again(
        &mut self,
        number: u64,
        now: Moment,
        knows: impl Fn(&Heard) -> bool,
        target: impl Fn() -> String,
    ) {
        let in_time = |open: &Open| waited(now, open) >= open.retry_after.unwrap_or(PAUSE);
        // Whoever waits long enough is taken for the one who has waited longest.
        if let Some(place) = self.open.iter().position(in_time) {
            self.open.remove(place);
            if self.open.is_empty() {
                *self = Self::default();
            }
            return;
        }
        // Who does not know of any failure does not try again.
        let Some(newest) = self.open.iter().rev().find(|open| knows(&open.heard)) else { return };
        let told = newest.retry_after;
        let early = if told.is_some() { &mut self.before_time } else { &mut self.quick };
        if early.times == 0 {
            early.numbers = [self.newest, number];
            early.what = match told {
                Some(wait) => format!(
                    "{} was sent again after {} ms, when Retry-After said {} s",
                    target(),
                    waited(now, newest).as_millis(),
                    wait.as_secs()
                ),
                None => format!("{} was tried again and again without a pause", target()),
            };
        }
        early.times += 1;
    }

    /// Notes that it failed.
    pub(super) fn failed(
        &mut self,
        number: u64,
        ended: Moment,
        retry_after: Option<Duration>,
        heard: Heard,
    ) {
        self.newest = number;
        if self.open.len() < MOST_OPEN {
            self.open.push_back(Open { heard, ended, retry_after });
        }
    }

    /// Whether nothing is left to wait for.
    pub(super) fn is_over(&self) -> bool {
        self.open.is_empty()
    }

    /// What can be said of it: the rule, what was done, how often, and the requests.
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

/// How long someone waited, by the clock that shows more: a test may move the sandbox's.
fn waited(now: Moment, open: &Open) -> Duration {
    let real = now.0.saturating_sub(open.ended.0);
    real.max(now.1.saturating_sub(open.ended.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is thought of failures (`-`, with `Retry-After` of a second `w`) and successes (`+`) at
    /// these milliseconds.
    fn judged(tries: &[(u64, char)]) -> Vec<(&'static str, u64)> {
        let mut all = Tries::default();
        for (number, (ms, outcome)) in (1..).zip(tries) {
            let now = (Duration::from_millis(*ms), Duration::ZERO);
            all.again(number, now, |_| true, || "GET /".to_owned());
            if *outcome != '+' {
                let heard = crate::sandbox::peer::Peer::nobody().hears(now.0);
                let wait = (*outcome == 'w').then_some(Duration::from_secs(1));
                all.failed(number, now, wait, heard);
            }
        }
        all.judge().map(|(rule, _, times, _)| (rule.name(), times)).collect()
    }

    #[test]
    fn whoever_waits_is_right_alone_and_in_company() {
        for tries in [
            &[(0, '-'), (10, '-'), (30, '-'), (70, '+')][..],
            // The HTTP library's own try.
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
    fn whoever_does_not_is_told() {
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

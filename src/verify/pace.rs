//! Decides when the next request may be sent: at a rate, and after the pause that a 429 asks for. Times
//! count from the start of the run.

use std::time::Duration;

/// The longest pause, because a server may ask for a longer one than is useful.
const LONGEST: Duration = Duration::from_secs(120);

/// The pause after the first 429 without `Retry-After`. Each further one doubles it.
const FIRST: Duration = Duration::from_secs(5);

/// How often a request is sent if every response is 429.
pub(super) const TRIES: u32 = 4;

/// The rate at which requests go out.
pub(super) struct Pace {
    interval: Duration,
    next: Duration,
}

impl Pace {
    pub(super) fn per_minute(requests: u32) -> Self {
        Self { interval: Duration::from_secs(60) / requests.max(1), next: Duration::ZERO }
    }

    /// How long the next request has to wait.
    pub(super) fn wait(&mut self, now: Duration) -> Duration {
        let at = self.next.max(now);
        self.next = at + self.interval;
        at.saturating_sub(now)
    }
}

/// The pause before a request is sent again that got its 429 number `tried`, counted from 0.
pub(super) fn back_off(tried: u32, retry_after: Option<&str>) -> Duration {
    let asked = retry_after.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
    asked.unwrap_or(FIRST * 2_u32.pow(tried.min(TRIES))).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn requests_go_out_at_the_rate() {
        let mut pace = Pace::per_minute(30);
        assert_eq!(pace.wait(Duration::ZERO), Duration::ZERO);
        assert_eq!(pace.wait(SECOND / 2), SECOND * 3 / 2);
        assert_eq!(pace.wait(SECOND * 3), SECOND);
    }

    #[test]
    fn a_slow_response_is_not_followed_by_a_burst() {
        let mut pace = Pace::per_minute(60);
        pace.wait(Duration::ZERO);
        assert_eq!(pace.wait(SECOND * 100), Duration::ZERO);
        assert_eq!(pace.wait(SECOND * 100), SECOND);
    }

    #[test]
    fn retry_after_sets_the_pause() {
        assert_eq!(back_off(0, Some("7")), SECOND * 7);
        assert_eq!(back_off(0, Some("999999999")), LONGEST);
        assert_eq!(back_off(0, Some("Wed, 21 Oct 2026 07:28:00 GMT")), SECOND * 5);
        assert_eq!([0, 1, 2, 3].map(|tried| back_off(tried, None).as_secs()), [5, 10, 20, 40]);
        assert_eq!(back_off(u32::MAX, None), SECOND * 80);
    }
}

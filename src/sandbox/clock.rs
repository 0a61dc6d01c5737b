//! The clock of a sandbox: it counts from when the sandbox was made, it can be stopped, and it is
//! moved by hand.

use std::time::Duration;

/// What a sandbox's time is, given how long it has really been there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    /// What it showed when it was last moved, stopped or let go.
    shown: Duration,
    /// Since when it has run on from there; `None`: it stands.
    runs_since: Option<Duration>,
}

impl Clock {
    /// The furthest that it is moved at once: a hundred years.
    pub(crate) const FURTHEST: Duration = Duration::from_secs(100 * 365 * 86_400);

    /// A clock that shows zero.
    pub(crate) fn new(frozen: bool) -> Self {
        Self { shown: Duration::ZERO, runs_since: (!frozen).then_some(Duration::ZERO) }
    }

    pub(crate) fn now(&self, real: Duration) -> Duration {
        let run = self.runs_since.map_or(Duration::ZERO, |since| real.saturating_sub(since));
        self.shown.saturating_add(run)
    }

    pub(crate) fn advance(&mut self, by: Duration) {
        self.shown = self.shown.saturating_add(by.min(Self::FURTHEST));
    }

    /// Whether it shows how long the sandbox has really been there.
    pub(crate) fn is_real(&self) -> bool {
        self.shown.is_zero() && self.runs_since == Some(Duration::ZERO)
    }

    pub(crate) fn is_frozen(&self) -> bool {
        self.runs_since.is_none()
    }

    /// Stops it, or lets it run on from where it stands.
    pub(crate) fn freeze(&mut self, frozen: bool, real: Duration) {
        if frozen != self.is_frozen() {
            self.shown = self.now(real);
            self.runs_since = (!frozen).then_some(real);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_runs_stands_and_is_moved() {
        let s = Duration::from_secs;
        let mut clock = Clock::new(false);
        assert_eq!(clock.now(s(5)), s(5));
        clock.advance(s(60));
        assert_eq!(clock.now(s(6)), s(66));
        clock.freeze(true, s(7));
        clock.freeze(true, s(8));
        assert_eq!(clock.now(s(100)), s(67));
        clock.advance(s(3));
        clock.freeze(false, s(100));
        assert_eq!((clock.now(s(100)), clock.now(s(101))), (s(70), s(71)));
        clock.advance(Duration::MAX);
        assert!(clock.now(Duration::MAX) > Clock::FURTHEST);
        assert_eq!(Clock::new(true).now(s(9)), s(0));
    }
}

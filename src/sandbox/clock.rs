//! The clock of a sandbox. It counts from when the sandbox was made; a test can stop it and advance
//! it.

use std::time::Duration;

/// Computes the time of a sandbox from its real age.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    /// The time that it showed when it was last advanced, stopped or started.
    shown: Duration,
    /// The real age at which it was started; `None`: it is stopped.
    runs_since: Option<Duration>,
}

impl Clock {
    /// The longest time that it can be advanced at once: a hundred years.
    pub(crate) const MAX_ADVANCE: Duration = Duration::from_secs(100 * 365 * 86_400);

    /// A clock that shows zero.
    pub(crate) fn new(frozen: bool) -> Self {
        Self { shown: Duration::ZERO, runs_since: (!frozen).then_some(Duration::ZERO) }
    }

    pub(crate) fn now(&self, real: Duration) -> Duration {
        let run = self.runs_since.map_or(Duration::ZERO, |since| real.saturating_sub(since));
        self.shown.saturating_add(run)
    }

    pub(crate) fn advance(&mut self, by: Duration) {
        self.shown = self.shown.saturating_add(by.min(Self::MAX_ADVANCE));
    }

    /// Whether it is stopped.
    pub(crate) fn is_frozen(&self) -> bool {
        self.runs_since.is_none()
    }

    /// Stops it, or lets it run on from the time that it shows.
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
    fn it_runs_stops_and_is_advanced() {
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
        assert!(clock.now(Duration::MAX) > Clock::MAX_ADVANCE);
        assert_eq!(Clock::new(true).now(s(9)), s(0));
    }
}

//! Time as people use it: hours in which more happens are longer.
//!
//! A *position* runs evenly through the activity of 30 days; [`Axis::time`] maps it to an
//! instant, so that whatever is drawn evenly by position falls at human hours.

use rand::Rng;

use super::draws::{reduce, stream};

const DAYS: usize = 30;
const HOURS: usize = DAYS * 24;
const HOUR_MS: u64 = 3_600_000;

/// How busy each hour of a day (UTC) is.
const BUSY: [u64; 24] =
    [3, 2, 1, 1, 1, 2, 5, 10, 18, 26, 30, 28, 24, 26, 29, 28, 25, 22, 20, 18, 15, 12, 8, 5];

/// Positions are looked up in a table of at least so many steps of 2^n, each in one hour or few.
const STEPS: u64 = 2048;

/// The 30 days that end with the day of `--now`.
pub(super) struct Axis {
    start_ms: i64,
    /// Every hour, and one more for the end.
    hours: Vec<Hour>,
    /// The hour in which each step begins.
    steps: Vec<u16>,
    /// There are 2^`step` positions a step.
    step: u32,
    /// Positions per millisecond in the busiest hour.
    pub(super) busiest: u64,
}

struct Hour {
    /// The position at which it begins.
    begins: u64,
    /// Milliseconds a position, in 2^-64.
    pace: u64,
}

impl Axis {
    /// `end_ms`: the midnight after the last day.
    pub(super) fn new(seed: u64, end_ms: i64) -> Self {
        let mut stream = stream(seed, 1);
        let mut hours = Vec::with_capacity(HOURS + 1);
        let (mut begins, mut busiest) = (0, 1);
        for _ in 0..DAYS {
            let day = 70 + reduce(stream.next_u64(), 61);
            for weight in BUSY.map(|hour| hour * day) {
                // Rounded up: then whole milliseconds come out exactly, as an hour has few.
                hours.push(Hour { begins, pace: u64::MAX / weight + 1 });
                begins += weight * HOUR_MS;
                busiest = busiest.max(weight);
            }
        }
        hours.push(Hour { begins, pace: 0 });
        let step = (begins / STEPS).ilog2();
        let mut hour = 0u16;
        let steps = (0..=begins >> step).map(|n| {
            while usize::from(hour) + 1 < HOURS && hours[usize::from(hour) + 1].begins <= n << step
            {
                hour += 1;
            }
            hour
        });
        let steps = steps.collect();
        let span_ms = i64::try_from(HOURS as u64 * HOUR_MS).unwrap_or(i64::MAX);
        Self { start_ms: end_ms.saturating_sub(span_ms), hours, steps, step, busiest }
    }

    /// Where the axis ends; every position lies below.
    pub(super) fn end(&self) -> u64 {
        self.hours[HOURS].begins
    }

    /// Where a day begins.
    pub(super) fn day(&self, day: usize) -> u64 {
        self.hours[day * 24].begins
    }

    /// The first position whose instant is not before this one; the end of the axis, if none is.
    pub(super) fn position(&self, ms: i64) -> u64 {
        let ms = u64::try_from(ms.saturating_sub(self.start_ms)).unwrap_or(0);
        let hour = usize::try_from(ms / HOUR_MS).unwrap_or(HOURS).min(HOURS);
        let Some(next) = self.hours.get(hour + 1) else { return self.end() };
        let begins = self.hours[hour].begins;
        // An hour has as many positions for each of its milliseconds.
        begins + (next.begins - begins) / HOUR_MS * (ms % HOUR_MS)
    }

    /// The most milliseconds that so many positions take, wherever they begin.
    pub(super) fn longest(&self, positions: u64) -> i64 {
        let last = self.end() - 1;
        let hours = self.hours[..HOURS].iter();
        let taken = hours
            .map(|hour| self.time((hour.begins + positions).min(last)) - self.time(hour.begins));
        // What begins later in an hour than its first position takes at most an hour more.
        taken.max().unwrap_or(0) + HOUR_MS.cast_signed()
    }

    /// The instant at a position: milliseconds since 1970-01-01 UTC. Never falls.
    #[inline(always)]
    pub(super) fn time(&self, position: u64) -> i64 {
        #[allow(clippy::cast_possible_truncation, reason = "there are few steps")]
        let mut hour = usize::from(self.steps[(position >> self.step) as usize]);
        while self.hours[hour + 1].begins <= position {
            hour += 1;
        }
        let Hour { begins, pace } = self.hours[hour];
        let ms = reduce(position - begins, pace) + hour as u64 * HOUR_MS;
        self.start_ms.saturating_add_unsigned(ms)
    }
}

#[cfg(test)]
mod tests {
    use super::{Axis, BUSY, HOUR_MS};

    #[test]
    fn time_never_falls_and_fills_the_thirty_days() {
        let end = 1_760_918_400_000 + 86_400_000;
        let axis = Axis::new(1, end);
        let days30 = 30 * 86_400_000;
        assert_eq!(axis.time(0), end - days30);
        assert_eq!(axis.time(axis.end() - 1), end - 1);
        assert_eq!(axis.position(i64::MIN), 0);
        assert_eq!([axis.position(end), axis.position(i64::MAX)], [axis.end(); 2]);
        let steps = 10_007;
        let times: Vec<_> = (0..steps).map(|n| axis.time(axis.end() / steps * n)).collect();
        assert!(times.is_sorted());
        // To the millisecond: the first and the last position of each one of some hours.
        let mut start = 0;
        for (hour, weight) in BUSY.into_iter().enumerate() {
            let weight = weight * (axis.hours[1].begins / HOUR_MS / BUSY[0]);
            for ms in [0, 1, 1_799_999, HOUR_MS - 1] {
                for position in [start + ms * weight, start + (ms + 1) * weight - 1] {
                    let expected = end - days30 + (hour as u64 * HOUR_MS + ms).cast_signed();
                    assert_eq!(axis.time(position), expected, "{hour} {ms}");
                }
                let first = end - days30 + (hour as u64 * HOUR_MS + ms).cast_signed();
                assert_eq!(axis.position(first), start + ms * weight, "{hour} {ms}");
            }
            start += weight * HOUR_MS;
        }
    }
}

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

/// The 30 days that end with the day of `--now`.
pub(super) struct Axis {
    start_ms: i64,
    /// The position at which each hour begins; one more for the end.
    begins: Vec<u64>,
    /// Positions per millisecond, by hour.
    weights: Vec<u64>,
    /// Positions per millisecond in the busiest hour.
    pub(super) busiest: u64,
}

impl Axis {
    /// `end_ms`: the midnight after the last day.
    pub(super) fn new(seed: u64, end_ms: i64) -> Self {
        let mut stream = stream(seed, 1);
        let mut weights = Vec::with_capacity(HOURS);
        for _ in 0..DAYS {
            let day = 70 + reduce(stream.next_u64(), 61);
            weights.extend(BUSY.map(|hour| hour * day));
        }
        let mut begins = Vec::with_capacity(HOURS + 1);
        let mut position = 0;
        for weight in &weights {
            begins.push(position);
            position += weight * HOUR_MS;
        }
        begins.push(position);
        let busiest = weights.iter().copied().max().unwrap_or(1);
        let span_ms = i64::try_from(HOURS as u64 * HOUR_MS).unwrap_or(i64::MAX);
        Self { start_ms: end_ms.saturating_sub(span_ms), begins, weights, busiest }
    }

    /// Where the axis ends; every position lies below.
    pub(super) fn end(&self) -> u64 {
        self.begins[HOURS]
    }

    /// Where a day begins.
    pub(super) fn day(&self, day: usize) -> u64 {
        self.begins[day * 24]
    }

    /// The instant at a position: milliseconds since 1970-01-01 UTC. Never falls.
    pub(super) fn time(&self, position: u64) -> i64 {
        let hour = self.begins[1..HOURS].partition_point(|begin| *begin <= position);
        let ms = (position - self.begins[hour]) / self.weights[hour] + hour as u64 * HOUR_MS;
        self.start_ms.saturating_add(i64::try_from(ms).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::Axis;

    #[test]
    fn time_never_falls_and_fills_the_thirty_days() {
        let end = 1_760_918_400_000 + 86_400_000;
        let axis = Axis::new(1, end);
        let days30 = 30 * 86_400_000;
        assert_eq!(axis.time(0), end - days30);
        assert_eq!(axis.time(axis.end() - 1), end - 1);
        let steps = 10_007;
        let times: Vec<_> = (0..steps).map(|n| axis.time(axis.end() / steps * n)).collect();
        assert!(times.is_sorted());
    }
}

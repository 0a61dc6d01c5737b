//! The times of the generated records: more records at busy hours than at night.
//!
//! A *position* counts evenly through the activity of 30 days, so a busy hour has more positions than a
//! quiet one. [`ActivityTimeline::time`] maps a position to a time. Records with evenly distributed
//! positions therefore happen at the hours at which people write.

use rand::Rng;

use super::draws::{reduce, stream};

const DAYS: usize = 30;
const HOURS: usize = DAYS * 24;
const HOUR_MS: u64 = 3_600_000;
const SPAN_MS: i64 = 30 * 24 * 3_600_000;

/// How busy each hour of a day (UTC) is.
const BUSY: [u64; 24] =
    [3, 2, 1, 1, 1, 2, 5, 10, 18, 26, 30, 28, 24, 26, 29, 28, 25, 22, 20, 18, 15, 12, 8, 5];

/// A position is looked up in a table of at least this many steps. A step covers one hour or a few.
const STEPS: u64 = 2048;

/// The 30 days that end with the day of `--now`.
pub(super) struct ActivityTimeline {
    start_ms: i64,
    /// Every hour, and one more for the end.
    hours: Vec<Hour>,
    /// The hour in which each step begins.
    steps: Vec<u16>,
    /// A step has 2^`step_bits` positions.
    step_bits: u32,
    /// Positions per millisecond in the busiest hour.
    pub(super) busiest: u64,
}

struct Hour {
    /// The first position of the hour.
    begins: u64,
    /// Milliseconds per position, in units of 2^-64.
    pace: u64,
}

impl ActivityTimeline {
    /// `end_ms`: the midnight after the last day.
    pub(super) fn new(seed: u64, end_ms: i64) -> Self {
        let mut stream = stream(seed, 1);
        let mut hours = Vec::with_capacity(HOURS + 1);
        let (mut begins, mut busiest) = (0, 1);
        for _ in 0..DAYS {
            let day = 70 + reduce(stream.next_u64(), 61);
            for weight in BUSY.map(|hour| hour * day) {
                // The pace is rounded up, so that the first position of a millisecond falls into it.
                hours.push(Hour { begins, pace: u64::MAX / weight + 1 });
                begins += weight * HOUR_MS;
                busiest = busiest.max(weight);
            }
        }
        hours.push(Hour { begins, pace: 0 });
        let step_bits = (begins / STEPS).ilog2();
        let hour_of =
            |position| hours[1..HOURS].partition_point(|hour: &Hour| hour.begins <= position);
        let steps = (0..=begins >> step_bits)
            .map(|step| u16::try_from(hour_of(step << step_bits)).expect("there are 720 hours"))
            .collect();
        Self { start_ms: end_ms.saturating_sub(SPAN_MS), hours, steps, step_bits, busiest }
    }

    /// The end of the timeline. Every position lies below.
    pub(super) fn end(&self) -> u64 {
        self.hours[HOURS].begins
    }

    /// The first position of a day.
    pub(super) fn day(&self, day: usize) -> u64 {
        self.hours[day * 24].begins
    }

    /// The first position whose time is not before this time, or else the end of the timeline.
    pub(super) fn position(&self, ms: i64) -> u64 {
        let ms = ms.saturating_sub(self.start_ms).clamp(0, SPAN_MS).unsigned_abs();
        let hour = usize::try_from(ms / HOUR_MS).expect("there are 720 hours");
        let Some(next) = self.hours.get(hour + 1) else { return self.end() };
        let begins = self.hours[hour].begins;
        // Each millisecond of an hour has as many positions as the others.
        begins + (next.begins - begins) / HOUR_MS * (ms % HOUR_MS)
    }

    /// The time of a position, in milliseconds since 1970-01-01 UTC. A later position never has an earlier
    /// time.
    pub(super) fn time(&self, position: u64) -> i64 {
        #[allow(clippy::cast_possible_truncation, reason = "there are few steps")]
        let mut hour = usize::from(self.steps[(position >> self.step_bits) as usize]);
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
    use super::{ActivityTimeline, BUSY, HOUR_MS};

    #[test]
    fn time_never_falls_and_fills_the_thirty_days() {
        let end = 1_760_918_400_000 + 86_400_000;
        let timeline = ActivityTimeline::new(1, end);
        let days30 = 30 * 86_400_000;
        assert_eq!(timeline.time(0), end - days30);
        assert_eq!(timeline.time(timeline.end() - 1), end - 1);
        assert_eq!(timeline.position(i64::MIN), 0);
        assert_eq!([timeline.position(end), timeline.position(i64::MAX)], [timeline.end(); 2]);
        let steps = 10_007;
        let times: Vec<_> = (0..steps).map(|n| timeline.time(timeline.end() / steps * n)).collect();
        assert!(times.is_sorted());
        // To the millisecond: the first and the last position of each one of some hours.
        let mut start = 0;
        for (hour, weight) in BUSY.into_iter().enumerate() {
            let weight = weight * (timeline.hours[1].begins / HOUR_MS / BUSY[0]);
            for ms in [0, 1, 1_799_999, HOUR_MS - 1] {
                for position in [start + ms * weight, start + (ms + 1) * weight - 1] {
                    let expected = end - days30 + (hour as u64 * HOUR_MS + ms).cast_signed();
                    assert_eq!(timeline.time(position), expected, "{hour} {ms}");
                }
                let first = end - days30 + (hour as u64 * HOUR_MS + ms).cast_signed();
                assert_eq!(timeline.position(first), start + ms * weight, "{hour} {ms}");
            }
            start += weight * HOUR_MS;
        }
    }
}

//! The day or the time at which generated records end.

use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use thiserror::Error;

/// The last day of the generated records, in UTC: the whole day, or the day up to a certain time.
///
/// ```
/// use gptbots_mock::Day;
///
/// let day: Day = "2025-10-20".parse().unwrap();
/// assert_eq!(day, Day::DEFAULT);
/// let moment: Day = "2025-10-20T17:30:00+02:00".parse().unwrap();
/// assert_eq!(moment.to_string(), "2025-10-20T15:30:00Z");
/// assert!("2025-13-01".parse::<Day>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    date: Date,
    /// The time at which the records end.
    until: Option<Timestamp>,
}

impl Day {
    /// 2025-10-20, the date of the vendor's pages on which the emulator is based.
    pub const DEFAULT: Self = Self { date: jiff::civil::date(2025, 10, 20), until: None };

    /// The whole day of a time, in UTC. A time outside the range of the calendar (years -9999 to 9999)
    /// gives the default.
    #[must_use]
    pub fn of(instant: SystemTime) -> Self {
        Self { until: None, ..Self::until(instant) }
    }

    /// The day of a time, in UTC, up to that time: no record is later. A time outside the range of the
    /// calendar (years -9999 to 9999) gives the default.
    ///
    /// ```
    /// use std::time::SystemTime;
    /// use gptbots_mock::{Day, Server};
    ///
    /// let server = Server::builder().now(Day::until(SystemTime::now())).start().unwrap();
    /// # drop(server);
    /// ```
    #[must_use]
    pub fn until(instant: SystemTime) -> Self {
        Timestamp::try_from(instant).map_or(Self::DEFAULT, Self::until_timestamp)
    }

    fn until_timestamp(moment: Timestamp) -> Self {
        // Times of records have no more than milliseconds.
        let moment = Timestamp::from_millisecond(moment.as_millisecond())
            .expect("milliseconds of an instant are in the range of instants");
        Self { date: Offset::UTC.to_datetime(moment).date(), until: Some(moment) }
    }

    /// The midnight after the day, in milliseconds since 1970-01-01 UTC.
    pub(crate) fn end_ms(self) -> i64 {
        const DAY_MS: i64 = 86_400_000;
        let epoch = jiff::civil::date(1970, 1, 1);
        let days = self.date.duration_since(epoch).as_secs() / 86_400;
        (days + 1) * DAY_MS
    }

    /// The time before which all records are, in milliseconds since 1970-01-01 UTC.
    pub(crate) fn until_ms(self) -> i64 {
        self.until.map_or_else(|| self.end_ms(), Timestamp::as_millisecond)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.until {
            Some(moment) => moment.fmt(f),
            None => self.date.fmt(f),
        }
    }
}

/// A text that is neither a day nor a time.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "`{}` is not a day; write it as 2025-10-20, or as 2025-10-20T15:30:00Z", .0.escape_debug()
)]
pub struct DayError(String);

impl FromStr for Day {
    type Err = DayError;

    fn from_str(text: &str) -> Result<Self, DayError> {
        let wrong = |_| DayError(text.to_owned());
        // The length is checked because jiff would also accept a time after the date.
        if text.len() == 10 {
            return Ok(Self { date: text.parse().map_err(wrong)?, until: None });
        }
        // RFC 3339 has minutes and no names of time zones, while jiff would accept either.
        let rfc3339 = text.as_bytes().get(16) == Some(&b':') && !text.contains('[');
        let moment = if rfc3339 { text } else { "" }.parse().map_err(wrong)?;
        Ok(Self::until_timestamp(moment))
    }
}

//! Everything that is decided before the server starts, with its defaults.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

use crate::contract::Readings;
use crate::faults::Fault;
use crate::hazard::Hazards;
use crate::sandbox::RateLimit;

/// What a server serves, and how.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// What the generated records are drawn from.
    pub(crate) seed: u64,
    /// How many conversations agent *demo* has.
    pub(crate) conversations: u32,
    /// The end of the generated records.
    pub(crate) now: Day,
    /// Further keys of agent *demo*.
    pub(crate) api_keys: Vec<String>,
    /// Whether any key that is not another agent's is one of agent *demo*.
    pub(crate) any_key: bool,
    pub(crate) readings: Readings,
    /// Whether browser apps of other origins may call the vendor's endpoints.
    pub(crate) cors: bool,
    pub(crate) agents: Agents,
    pub(crate) faults: Vec<Fault>,
    pub(crate) rate_limit: Option<RateLimit>,
    pub(crate) hazards: Hazards,
    pub(crate) admin: Admin,
    pub(crate) journal: JournalSize,
    /// Tells the time of day, for the journal.
    pub(crate) clock: fn() -> SystemTime,
    pub(crate) limits: Limits,
}

/// How much of the requests is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JournalSize {
    /// Requests of each sandbox; 0: there is no journal, and no verdict.
    pub(crate) requests: usize,
    /// Bytes of all of them together.
    pub(crate) bytes: usize,
}

impl Default for JournalSize {
    fn default() -> Self {
        Self { requests: 1_000, bytes: 8 << 20 }
    }
}

/// Who may use the control API.
#[derive(Clone, Debug)]
pub(crate) struct Admin {
    /// Whether there is one.
    pub(crate) enabled: bool,
    /// With a token, whoever has it; without, whoever is on this machine.
    pub(crate) token: Option<String>,
    /// Names, beside loopback's, under which it may be called.
    pub(crate) hosts: Vec<String>,
}

impl Default for Admin {
    fn default() -> Self {
        Self { enabled: true, token: None, hosts: Vec::new() }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            seed: 1,
            conversations: 200,
            now: Day::DEFAULT,
            api_keys: Vec::new(),
            any_key: false,
            readings: Readings::default(),
            cors: false,
            agents: Agents::BuiltIn,
            faults: Vec::new(),
            rate_limit: None,
            hazards: Hazards::default(),
            admin: Admin::default(),
            journal: JournalSize::default(),
            clock: SystemTime::now,
            limits: Limits::default(),
        }
    }
}

/// Where agents and records come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Agents {
    /// The pages' examples, generated records, a deleted agent.
    #[default]
    BuiltIn,
    /// Fixtures that are no files.
    Texts(Vec<String>),
    /// Fixture files, and folders of them.
    Paths(Vec<PathBuf>),
}

/// What a client may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// A request head must have arrived this long after the connection was opened or the last
    /// answer was sent; a connection that stays silent ends then too. A body that no endpoint reads
    /// must have come as long after its head. 30 s by default.
    pub head_timeout: Duration,
    /// A request head may be this long, in bytes; a longer one is refused with 431. 128 KiB by
    /// default, 8 KiB at least. Whatever it is, a target over 64 KiB is refused with 414, and
    /// more than 100 headers with 431.
    pub head_bytes: usize,
    /// This many connections may be open. One more ends the one that has sent no request for the
    /// longest time, if that is half a second; else one with half a request, one that a fault
    /// leaves without an answer, or one whose client does not read. It never ends one whose request
    /// is being answered, but waits. 4,096 by default, 1 at least.
    pub connections: usize,
    /// On the way out, requests in flight have this long to finish; half a head, and an answer of
    /// which the client takes nothing, have 1.5 s at most. 5 s by default.
    pub drain: Duration,
    /// This many sandboxes may be there beside the default one. One more ends the one that was
    /// used least recently; never one that has a request in flight. 10,000 by default.
    pub sandboxes: usize,
    /// A sandbox that was not used for so long ends. An hour by default.
    pub sandbox_idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head_timeout: Duration::from_secs(30),
            head_bytes: 128 * 1024,
            connections: 4096,
            drain: Duration::from_secs(5),
            sandboxes: 10_000,
            sandbox_idle: Duration::from_secs(3600),
        }
    }
}

impl Limits {
    /// The least head that the HTTP parser can be told to accept.
    pub(crate) const LEAST_HEAD_BYTES: usize = 8 * 1024;
}

/// The last day of the generated records, in UTC: to its end, or to a moment of it.
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
    /// The moment at which the day ends.
    until: Option<Timestamp>,
}

impl Day {
    /// 2025-10-20, the date of the pages that the emulator is written from.
    pub const DEFAULT: Self = Self { date: jiff::civil::date(2025, 10, 20), until: None };

    /// The day of an instant, in UTC, to its end. Instants out of the calendar's range (years -9999
    /// to 9999) give the default.
    #[must_use]
    pub fn of(instant: SystemTime) -> Self {
        Self { until: None, ..Self::until(instant) }
    }

    /// The day of an instant, in UTC, to that instant: no record lies behind it. Instants out of the
    /// calendar's range (years -9999 to 9999) give the default.
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
        // Records have milliseconds. What was cut off lies before the moment.
        let moment = Timestamp::from_millisecond(moment.as_millisecond()).unwrap_or(moment);
        Self { date: Offset::UTC.to_datetime(moment).date(), until: Some(moment) }
    }

    /// The midnight after the day: milliseconds since 1970-01-01 UTC.
    pub(crate) fn end_ms(self) -> i64 {
        const DAY_MS: i64 = 86_400_000;
        let epoch = jiff::civil::date(1970, 1, 1);
        let days = self.date.duration_since(epoch).as_secs() / 86_400;
        (days + 1) * DAY_MS
    }

    /// What every record lies before: milliseconds since 1970-01-01 UTC.
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

/// A text that is neither a day nor a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayError(String);

impl fmt::Display for DayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.escape_debug();
        write!(f, "`{text}` is not a day; write it as 2025-10-20, or as 2025-10-20T15:30:00Z")
    }
}

impl std::error::Error for DayError {}

impl FromStr for Day {
    type Err = DayError;

    fn from_str(text: &str) -> Result<Self, DayError> {
        let wrong = |_| DayError(text.to_owned());
        // Exactly YYYY-MM-DD: jiff alone would take a time behind it, too.
        if text.len() == 10 {
            return Ok(Self { date: text.parse().map_err(wrong)?, until: None });
        }
        // As RFC 3339 has it: jiff alone would take less, and names of time zones.
        let rfc3339 = text.as_bytes().get(16) == Some(&b':') && !text.contains('[');
        let moment = if rfc3339 { text } else { "" }.parse().map_err(wrong)?;
        Ok(Self::until_timestamp(moment))
    }
}

/// What stands between a key and the sandbox that it is used in.
pub(crate) const SANDBOX_MARK: char = '~';

/// Checks that a key can be sent in an `Authorization` header: visible ASCII, no space.
pub(crate) fn check_key(key: &str) -> Result<(), String> {
    if key.is_empty() {
        return Err("an API key must not be empty".to_owned());
    }
    match key.chars().find(|c| !c.is_ascii_graphic() || *c == SANDBOX_MARK) {
        None => Ok(()),
        Some(SANDBOX_MARK) => Err(format!(
            "an API key holds no `{SANDBOX_MARK}`: what stands behind it names a sandbox"
        )),
        Some(odd) => {
            Err(format!("an API key holds visible ASCII only, not `{}`", odd.escape_debug()))
        }
    }
}

//! Everything that is decided before the server starts, with its defaults.

use std::time::{Duration, SystemTime};

use crate::contract::Readings;
use crate::records::RecordsConfig;
use crate::sandbox::RateLimit;
use crate::sandbox::faults::Fault;
use crate::sandbox::hazard::Hazards;

/// What a server serves, and how.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) records: RecordsConfig,
    /// Whether any key that is not another agent's is one of agent *demo*.
    pub(crate) any_key: bool,
    pub(crate) readings: Readings,
    /// Whether browser apps of other origins may call the vendor's endpoints.
    pub(crate) cors: bool,
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
            records: RecordsConfig::default(),
            any_key: false,
            readings: Readings::default(),
            cors: false,
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
    /// On the way out, requests in flight have this long to finish; half a request, and an answer
    /// of which the client takes nothing, have 1.5 s at most. 5 s by default.
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

//! What is decided before a server starts: the settings as values.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use crate::sandbox::SandboxConfig;

/// All settings of a server.
#[derive(Clone, Debug)]
pub(crate) struct ServerConfig {
    pub(crate) sandbox: SandboxConfig,
    /// Whether browser apps of other origins may call the vendor's endpoints.
    pub(crate) cors: bool,
    pub(crate) admin: Admin,
    pub(crate) limits: Limits,
    /// The address to listen on. The library ignores this field and all below.
    pub(crate) host: IpAddr,
    pub(crate) port: u16,
    /// The file to write the port to.
    pub(crate) port_file: Option<PathBuf>,
    /// Whether the server ends when standard input closes.
    pub(crate) until_stdin_closes: bool,
    /// Whether fixtures are read again when they change.
    pub(crate) watch: bool,
    pub(crate) log_format: LogFormat,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            sandbox: SandboxConfig::default(),
            cors: false,
            admin: Admin::default(),
            limits: Limits::default(),
            host: Ipv4Addr::LOCALHOST.into(),
            port: 8484,
            port_file: None,
            until_stdin_closes: false,
            watch: false,
            log_format: LogFormat::default(),
        }
    }
}

/// Who may use the control API.
#[derive(Clone, Debug, Default)]
pub(crate) struct Admin {
    /// Whether the control API is disabled.
    pub(crate) is_off: bool,
    /// The token that a client must send. `None`: clients on this machine need no token, and other
    /// clients are refused.
    pub(crate) token: Option<String>,
    /// Host names, besides the loopback names, that a request may contain.
    pub(crate) hosts: Vec<String>,
}

/// Limits on the resources that clients can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The time in which a request head must arrive, from the opening of the connection or the end of
    /// the previous response. An idle connection is closed after the same time. A body that no
    /// endpoint reads must arrive within the same time after its head. Default: 30 s.
    pub head_timeout: Duration,
    /// The maximum length of a request head in bytes; a longer head is refused with 431. Default: 128
    /// KiB; minimum: 8 KiB; maximum: 1 GiB. Regardless of this limit, a target over 64 KiB is refused
    /// with 414, and a request with more than 100 headers with 431.
    pub head_bytes: usize,
    /// The maximum number of open connections. At the maximum, a new connection closes the one that has
    /// been idle for the longest time, if that is at least 0.5 s; otherwise one with an incomplete
    /// request, one that a fault leaves without a response, or one whose client does not read. A
    /// connection whose request is being processed is never closed: the new connection waits.
    /// Default: 4,096; minimum: 1.
    pub connections: usize,
    /// On shutdown, the time in which requests in flight may finish. Incomplete requests, and responses
    /// that the client does not read, get 1.5 s at most. Default: 5 s.
    pub drain: Duration,
    /// The maximum number of sandboxes besides the default one. At the maximum, a new sandbox removes the
    /// least recently used one; a sandbox with a request in flight is never removed. Default: 10,000.
    pub sandboxes: usize,
    /// A sandbox that is not used for this time is removed. Default: 1 hour.
    pub sandbox_idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let SandboxConfig { sandboxes, sandbox_idle, .. } = SandboxConfig::default();
        Self {
            head_timeout: Duration::from_secs(30),
            head_bytes: 128 * 1024,
            connections: 4096,
            drain: Duration::from_secs(5),
            sandboxes,
            sandbox_idle,
        }
    }
}

impl Limits {
    /// The HTTP parser accepts no lower limit.
    pub(crate) const LEAST_HEAD_BYTES: usize = 8 * 1024;

    /// The largest head, because the journal counts the bytes of a request in 32 bits.
    pub(crate) const MOST_HEAD_BYTES: usize = 1 << 30;
}

/// How the access log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// Lines of text.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
    /// No log.
    Off,
}

/// The word of each [`LogFormat`], in their order.
pub(super) const LOG_FORMATS: [&str; 3] = ["text", "json", "off"];

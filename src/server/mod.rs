//! The server: as a value that stops when it is dropped, and as a future for the command line.

mod connections;
// The library alone does not log.
#[cfg_attr(not(feature = "cli"), allow(dead_code))]
mod log;

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::config::{Config, Day, Limits};
use crate::contract::{Reading, Readings};
use crate::fixtures::FixtureError;
use crate::http;
use crate::sandbox::{Sandbox, Sandboxes};
use crate::world::{World, WorldError};

pub(crate) use connections::run_until;

pub(crate) use log::AccessLog;
#[cfg(feature = "cli")]
pub(crate) use log::{Clock, LogFormat};

/// What a server answers: the router over its sandboxes.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) router: axum::Router,
    pub(crate) limits: Limits,
}

impl App {
    /// Makes the records and the router.
    pub(crate) fn new(config: &Config) -> Result<(Self, Arc<World>), WorldError> {
        let world = Arc::new(World::new(config)?);
        let sandboxes = Sandboxes::new(Sandbox {
            world: Arc::clone(&world),
            readings: config.readings,
            any_key: config.any_key,
        });
        let router = http::router(Arc::new(sandboxes), config.cors);
        Ok((Self { router, limits: config.limits }, world))
    }
}

/// A running emulator on a free port of 127.0.0.1. It stops when it is dropped.
///
/// It runs on a thread of its own, so it can be started from a plain `#[test]` as well as inside
/// any async runtime, and it shares nothing with other servers of the process.
///
/// ```
/// use gptbots_mock::Server;
///
/// let server = Server::builder().conversations(50).start().unwrap();
/// assert!(server.url().starts_with("http://127.0.0.1:"));
/// ```
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    url: String,
    api_key: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// A server with the built-in records, to be changed and started.
    #[must_use]
    pub fn builder() -> ServerBuilder {
        ServerBuilder { config: Config::default() }
    }

    /// Starts a server with the built-in records.
    ///
    /// # Errors
    ///
    /// See [`ServerBuilder::start`].
    pub fn start() -> Result<Self, StartError> {
        Self::builder().start()
    }

    /// Where it listens, without a trailing slash: `http://127.0.0.1:49152`. This takes the place
    /// of the vendor's host.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A key of the agent that has the generated records (`app-demo`); with a fixture, of its
    /// first agent.
    #[must_use]
    pub fn api_key(&self) -> &str {
        &self.api_key
    }
}

impl Drop for Server {
    /// Stops at once: connections end, the port is free when this returns.
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // Fails only where the thread has ended already.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            // The thread does not panic: handlers' panics are caught.
            let _ = thread.join();
        }
    }
}

/// What a [`Server`] is to be. Every setting has a default.
#[derive(Clone, Debug)]
pub struct ServerBuilder {
    config: Config,
}

impl ServerBuilder {
    /// What the generated records are drawn from; 1 by default. The same seed gives the same
    /// bytes, on every machine, for ever.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.config.seed = seed;
        self
    }

    /// How many conversations agent *demo* has: 200 by default, at most
    /// [`MAX_CONVERSATIONS`](crate::MAX_CONVERSATIONS). The first ones stay the same whatever
    /// their number.
    #[must_use]
    pub fn conversations(mut self, conversations: u32) -> Self {
        self.config.conversations = conversations;
        self
    }

    /// The last of the 30 days that generated records fill; [`Day::DEFAULT`] by default, so that
    /// answers never change.
    #[must_use]
    pub fn now(mut self, now: Day) -> Self {
        self.config.now = now;
        self
    }

    /// One more key of agent *demo*: visible ASCII, not yet another agent's.
    #[must_use]
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.config.api_keys.push(key.into());
        self
    }

    /// Takes any non-empty key that is no other agent's as one of agent *demo*.
    #[must_use]
    pub fn any_key(mut self) -> Self {
        self.config.any_key = true;
        self
    }

    /// Switches one reading of the contract.
    ///
    /// ```
    /// use gptbots_mock::{Server, contract::{PageSize, QaTime}};
    ///
    /// let server = Server::builder()
    ///     .reading(QaTime::Milliseconds)
    ///     .reading(PageSize::Clamp)
    ///     .start()
    ///     .unwrap();
    /// # drop(server);
    /// ```
    #[must_use]
    pub fn reading(mut self, reading: impl Reading) -> Self {
        reading.apply(&mut self.config.readings);
        self
    }

    /// Replaces all readings.
    #[must_use]
    pub fn readings(mut self, readings: Readings) -> Self {
        self.config.readings = readings;
        self
    }

    /// Lets browser apps of other origins call the vendor's endpoints; off by default.
    #[must_use]
    pub fn cors(mut self) -> Self {
        self.config.cors = true;
        self
    }

    /// Replaces all built-in agents by those of a fixture, given as JSON. The form is that of
    /// `fixtures/documented.json` in the repository.
    #[must_use]
    pub fn fixture(mut self, json: impl Into<String>) -> Self {
        self.config.fixture = Some(json.into());
        self
    }

    /// What clients may cost; see [`Limits`] for units and defaults.
    ///
    /// ```
    /// use std::time::Duration;
    /// use gptbots_mock::{Limits, Server};
    ///
    /// let mut limits = Limits::default();
    /// limits.head_timeout = Duration::from_millis(200);
    /// let server = Server::builder().limits(limits).start().unwrap();
    /// # drop(server);
    /// ```
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.config.limits = limits;
        self
    }

    /// Starts the server; it accepts connections when this returns.
    ///
    /// # Errors
    ///
    /// A fixture or a key that is not right, more than
    /// [`MAX_CONVERSATIONS`](crate::MAX_CONVERSATIONS) conversations, or no socket or thread to
    /// be had.
    pub fn start(self) -> Result<Server, StartError> {
        let (app, world) = App::new(&self.config)?;
        let api_key = world.demo().and_then(|agent| agent.keys.first()).cloned();
        Ok(Server::run(app, api_key.unwrap_or_default())?)
    }
}

impl Server {
    /// Serves an app on a thread of its own.
    fn run(app: App, api_key: String) -> std::io::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = {
            let _guard = runtime.enter();
            TcpListener::from_std(listener)?
        };
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name("gptbots-mock".into()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    // Ends when the server is dropped, by a message or with its sender.
                    _ = stopped => {}
                    () = run_until(listener, app, None, std::future::pending()) => {}
                }
            });
        })?;
        Ok(Self {
            address,
            url: format!("http://{address}"),
            api_key,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Serves a router of a test's own.
    #[cfg(test)]
    pub(crate) fn with_router(router: axum::Router) -> Self {
        Self::run(App { router, limits: Limits::default() }, String::new()).unwrap()
    }
}

/// Why a server did not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// The fixture is not right.
    Fixture(FixtureError),
    /// A setting is not right; the text says which, and what would be.
    Setting(String),
    /// No socket or thread was to be had.
    Io(std::io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixture(error) => write!(f, "fixture: {error}"),
            Self::Setting(what) => f.write_str(what),
            Self::Io(error) => write!(f, "cannot listen: {error}"),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Fixture(error) => Some(error),
            Self::Setting(_) => None,
            Self::Io(error) => Some(error),
        }
    }
}

impl From<WorldError> for StartError {
    fn from(error: WorldError) -> Self {
        match error {
            WorldError::Fixture(error) => Self::Fixture(error),
            WorldError::Key(_) | WorldError::TooManyConversations(_) => {
                Self::Setting(error.to_string())
            }
        }
    }
}

impl From<std::io::Error> for StartError {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

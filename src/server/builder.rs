//! The settings of a server, and the errors of its start.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::{App, Server};
use crate::contract::{Reading, Readings};
use crate::document::DocumentError;
use crate::records::Agents;
use crate::records::Day;
use crate::records::fixtures::Fixture;
use crate::records::world::WorldError;
use crate::sandbox::RateLimit;
use crate::sandbox::faults::Fault;
use crate::sandbox::hazard::Hazard;
use crate::sandbox::peer::Peer;
use crate::settings::{Limits, ServerConfig};

/// The settings of a [`Server`], all of which have defaults.
#[derive(Clone, Debug)]
pub struct ServerBuilder {
    pub(super) config: ServerConfig,
    /// The number of requests per key, and the window. They are checked at the start.
    pub(super) rate_limit: Option<(u32, Duration)>,
}

impl ServerBuilder {
    /// The seed of the generated records and of random faults. Default: 1. The same seed gives the same
    /// bytes on every machine.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.config.sandbox.records.seed = seed;
        self
    }

    /// The number of generated conversations of agent *demo*. Default: 200; maximum:
    /// [`MAX_CONVERSATIONS`](crate::MAX_CONVERSATIONS). A larger number adds conversations and does not
    /// change the others.
    #[must_use]
    pub fn conversations(mut self, conversations: u32) -> Self {
        self.config.sandbox.records.conversations = conversations;
        self
    }

    /// The end of the 30 days that generated records fill: the end of a day, or a time on it. Default:
    /// [`Day::DEFAULT`], which is fixed so that responses never change.
    #[must_use]
    pub fn now(mut self, now: Day) -> Self {
        self.config.sandbox.records.now = now;
        self
    }

    /// Sets the id of the user of agent *demo* with the most conversations, for a client that shows the
    /// conversations of one user. The id has 1 to 256 characters and must not be the id of another
    /// generated user. If several users have the most conversations, the choice is always the same.
    ///
    /// ```
    /// use gptbots_mock::Server;
    ///
    /// let server = Server::builder().demo_user("ann@shop.example").start().unwrap();
    /// # drop(server);
    /// ```
    #[must_use]
    pub fn demo_user(mut self, id: impl Into<String>) -> Self {
        self.config.sandbox.records.demo_user = Some(id.into());
        self
    }

    /// Adds an API key of agent *demo*, or of the first agent of a fixture. It must be visible ASCII, and
    /// not the key of another agent.
    #[must_use]
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.config.sandbox.records.api_keys.push(key.into());
        self
    }

    /// Accepts every unknown non-empty key as a key of agent *demo*, or of the first agent of a fixture.
    #[must_use]
    pub fn any_key(mut self) -> Self {
        self.config.sandbox.any_key = true;
        self
    }

    /// Sets a *reading*: a behaviour that the vendor leaves unclear.
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
        reading.apply(&mut self.config.sandbox.readings);
        self
    }

    /// Replaces all readings.
    #[must_use]
    pub fn readings(mut self, readings: Readings) -> Self {
        self.config.sandbox.readings = readings;
        self
    }

    /// Lets browser apps of other origins call the vendor's endpoints (CORS). Default: off.
    #[must_use]
    pub fn cors(mut self) -> Self {
        self.config.cors = true;
        self
    }

    /// Replaces all built-in agents by those of a fixture: one that is built in code, or the
    /// JSON of a fixture file.
    ///
    /// ```
    /// use gptbots_mock::{Conversation, Server};
    ///
    /// let conversation = Conversation::new().user("3").asks("2+3=?").answers("5");
    /// let server = Server::builder().fixture(conversation).start().unwrap();
    ///
    /// let error = Server::builder().fixture(r#"{"agents": [{"nam": "x"}]}"#).start().unwrap_err();
    /// assert!(error.to_string().contains("fixture:1:14: unknown key \"nam\""));
    /// # drop(server);
    /// ```
    #[must_use]
    pub fn fixture(mut self, fixture: impl Into<Fixture>) -> Self {
        self.config.sandbox.records.agents = Agents::Texts(fixture.into().texts().into());
        self
    }

    /// Makes warnings about fixtures errors of the start. Without this, [`Server::warnings`] lists them, and
    /// the records are served with a correction: an unknown key is ignored, a wrong `message_count` is
    /// replaced by the right one, half a surrogate pair becomes U+FFFD. In a fixture that is built in
    /// code, warnings are always errors.
    ///
    /// ```
    /// use gptbots_mock::Server;
    ///
    /// let fixture = r#"{"agents": [{"name": "mine", "owner": "ann"}]}"#;
    /// let server = Server::builder().fixture(fixture).start().unwrap();
    /// assert!(server.warnings()[0].message.starts_with("unknown key \"owner\""));
    ///
    /// let error = Server::builder().fixture(fixture).strict().start().unwrap_err();
    /// assert!(error.to_string().contains("unknown key \"owner\""));
    /// # drop(server);
    /// ```
    #[must_use]
    pub fn strict(mut self) -> Self {
        self.config.sandbox.records.strict = true;
        self
    }

    /// Replaces all built-in agents by those of fixture files. Of a folder, the files `*.json` are read.
    #[must_use]
    pub fn fixture_files<P: Into<PathBuf>>(mut self, paths: impl IntoIterator<Item = P>) -> Self {
        self.config.sandbox.records.agents =
            Agents::Paths(paths.into_iter().map(Into::into).collect());
        self
    }

    /// Limits the resources that clients can use; see [`Limits`] for units and defaults.
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

    /// Adds a fault to the default sandbox, and to every sandbox that is created by its first use.
    #[must_use]
    pub fn fault(mut self, fault: Fault) -> Self {
        self.config.sandbox.faults.push(fault);
        self
    }

    /// Limits the requests of each key in a time window, in each sandbox. Default: no limit. See
    /// [`Sandbox::rate_limit`](crate::Sandbox::rate_limit) for the bounds.
    #[must_use]
    pub fn rate_limit(mut self, requests: u32, window: Duration) -> Self {
        self.rate_limit = Some((requests, window));
        self
    }

    /// The number of requests that the journal keeps per sandbox. Default: 1,000. All journals together
    /// take at most 8 MiB. With 0 there is no journal and no verdict.
    #[must_use]
    pub fn journal(mut self, requests: usize) -> Self {
        self.config.sandbox.journal_requests = requests;
        self
    }

    /// The maximum memory, in MiB, that clients can make the server allocate after its start, without the
    /// journal: for sandboxes, their records, and request bodies. Default: 512; minimum: 8, the memory of
    /// the journal. A request that does not fit is refused with 507 by the control API, and with 50000 by
    /// the vendor's endpoints.
    #[must_use]
    pub fn max_memory(mut self, mebibytes: usize) -> Self {
        self.config.sandbox.max_mebibytes = mebibytes;
        self
    }

    /// Turns on a *hazard*, a change of the data during paging, for every endpoint.
    #[must_use]
    pub fn hazard(mut self, hazard: Hazard) -> Self {
        self.config.sandbox.hazards.add(None, hazard);
        self
    }

    /// The server without a socket, for the benchmarks and for the test that counts allocations. Not part of
    /// the API.
    ///
    /// # Errors
    ///
    /// See [`ServerBuilder::start`].
    #[doc(hidden)]
    pub fn unserved(self) -> Result<Unserved, StartError> {
        Ok(Unserved { app: Arc::new(self.app()?), peer: Peer::local() })
    }

    /// Starts the server. It accepts connections when this returns.
    ///
    /// # Errors
    ///
    /// If a fixture, a key or a fault is invalid, if there are more than
    /// [`MAX_CONVERSATIONS`](crate::MAX_CONVERSATIONS) conversations, or if the system has no socket or
    /// thread for us.
    pub fn start(self) -> Result<Server, StartError> {
        let app = self.app()?;
        let api_key = {
            let world = app.sandboxes.world();
            let key = world.agent_to_ask().and_then(|agent| agent.keys.first());
            // The agents of a fixture may have no keys.
            key.map_or_else(String::new, String::clone)
        };
        Ok(Server::run(app, api_key)?)
    }

    fn app(self) -> Result<App, WorldError> {
        let Self { mut config, rate_limit } = self;
        if let Some((requests, window)) = rate_limit {
            let limit = RateLimit::per_window(requests, window).map_err(WorldError::Setting)?;
            config.sandbox.rate_limit = Some(limit);
        }
        App::new(config)
    }
}

/// A server without a socket. Not part of the API.
#[doc(hidden)]
#[derive(Clone)]
pub struct Unserved {
    app: Arc<App>,
    /// All requests come from this client.
    peer: Peer,
}

impl Unserved {
    /// The response to a request.
    pub async fn answer(&self, request: axum::extract::Request) -> axum::response::Response {
        self.app.answer(request, &self.peer).await
    }
}

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The fixture is invalid.
    #[error("{0}")]
    Fixture(#[source] DocumentError),
    /// A setting is invalid. The text says which one, and what would be valid.
    #[error("{0}")]
    Setting(String),
    /// The system has no socket or thread for us.
    #[error("cannot listen: {0}")]
    Io(#[from] std::io::Error),
}

impl From<WorldError> for StartError {
    fn from(error: WorldError) -> Self {
        match error {
            WorldError::Fixture(error) => Self::Fixture(error),
            WorldError::Key(_) | WorldError::TooManyConversations(_) | WorldError::Setting(_) => {
                Self::Setting(error.to_string())
            }
        }
    }
}

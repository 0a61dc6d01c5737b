//! What a server is to be, and why it did not start.

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

/// What a [`Server`] is to be. Every setting has a default.
#[derive(Clone, Debug)]
pub struct ServerBuilder {
    pub(super) config: ServerConfig,
    /// Requests of each key, and the window; checked at the start.
    pub(super) rate_limit: Option<(u32, Duration)>,
}

impl ServerBuilder {
    /// What the generated records are drawn from; 1 by default. The same seed gives the same
    /// bytes, on every machine, for ever.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.config.sandbox.records.seed = seed;
        self
    }

    /// How many conversations agent *demo* has: 200 by default, at most
    /// [`MAX_CONVERSATIONS`](crate::MAX_CONVERSATIONS). The first ones stay the same whatever
    /// their number.
    #[must_use]
    pub fn conversations(mut self, conversations: u32) -> Self {
        self.config.sandbox.records.conversations = conversations;
        self
    }

    /// The last of the 30 days that generated records fill, to its end or to a moment;
    /// [`Day::DEFAULT`] by default, so that answers never change.
    #[must_use]
    pub fn now(mut self, now: Day) -> Self {
        self.config.sandbox.records.now = now;
        self
    }

    /// Gives the user of agent *demo* who has the most conversations this id, for a client that shows those
    /// of one user: 1 to 256 characters, and no other user's that the seed generates. Of several
    /// users who have as many, the same one has it every time.
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

    /// One more key of agent *demo*: visible ASCII, not yet another agent's.
    #[must_use]
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.config.sandbox.records.api_keys.push(key.into());
        self
    }

    /// Takes any non-empty key that is no other agent's as one of agent *demo*.
    #[must_use]
    pub fn any_key(mut self) -> Self {
        self.config.sandbox.any_key = true;
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
        reading.apply(&mut self.config.sandbox.readings);
        self
    }

    /// Replaces all readings.
    #[must_use]
    pub fn readings(mut self, readings: Readings) -> Self {
        self.config.sandbox.readings = readings;
        self
    }

    /// Lets browser apps of other origins call the vendor's endpoints; off by default.
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

    /// Makes what is odd in fixtures an error of the start. Otherwise it is served as
    /// [`Server::warnings`] says: an unknown key is dropped, a `message_count` that is another
    /// is not used, half a surrogate pair is U+FFFD. Of what was built in code it is an error always.
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

    /// Replaces all built-in agents by those of fixture files, and of the `*.json` of folders.
    #[must_use]
    pub fn fixture_files<P: Into<PathBuf>>(mut self, paths: impl IntoIterator<Item = P>) -> Self {
        self.config.sandbox.records.agents =
            Agents::Paths(paths.into_iter().map(Into::into).collect());
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

    /// A fault of the default sandbox, and of each that is made at its first use.
    #[must_use]
    pub fn fault(mut self, fault: Fault) -> Self {
        self.config.sandbox.faults.push(fault);
        self
    }

    /// Lets each key make so many requests in so long a time, in each sandbox; off by default. See
    /// [`Sandbox::rate_limit`](crate::Sandbox::rate_limit) for the bounds.
    #[must_use]
    pub fn rate_limit(mut self, requests: u32, window: Duration) -> Self {
        self.rate_limit = Some((requests, window));
        self
    }

    /// How many requests of each sandbox the journal keeps: 1,000 by default, 8 MiB in all. With 0
    /// there is no journal, and no verdict.
    #[must_use]
    pub fn journal(mut self, requests: usize) -> Self {
        self.config.sandbox.journal_requests = requests;
        self
    }

    /// How much memory clients can make the server take beyond its start and its journal, in MiB: 512
    /// by default, 8 at least, which is what the journal takes. Sandboxes, their records and the bodies of
    /// requests count; what does not fit is refused with 507, or 50000.
    #[must_use]
    pub fn max_memory(mut self, mebibytes: usize) -> Self {
        self.config.sandbox.max_mebibytes = mebibytes;
        self
    }

    /// Switches a paging hazard on, for every operation.
    #[must_use]
    pub fn hazard(mut self, hazard: Hazard) -> Self {
        self.config.sandbox.hazards.add(None, hazard);
        self
    }

    /// What answers, without a socket: for the benches, and for the test that counts allocations.
    /// Not part of the API.
    ///
    /// # Errors
    ///
    /// See [`ServerBuilder::start`].
    #[doc(hidden)]
    pub fn unserved(self) -> Result<Unserved, StartError> {
        Ok(Unserved { app: Arc::new(self.app()?), peer: Peer::local() })
    }

    /// Starts the server; it accepts connections when this returns.
    ///
    /// # Errors
    ///
    /// A fixture, a key or a fault that is not right, more than
    /// [`MAX_CONVERSATIONS`](crate::MAX_CONVERSATIONS) conversations, or no socket or thread to
    /// be had.
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
    /// As on one connection.
    peer: Peer,
}

impl Unserved {
    /// The answer to a request.
    pub async fn answer(&self, request: axum::extract::Request) -> axum::response::Response {
        self.app.answer(request, &self.peer).await
    }
}

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The fixture is not right.
    #[error("{0}")]
    Fixture(#[source] DocumentError),
    /// A setting is not right; the text says which, and what would be.
    #[error("{0}")]
    Setting(String),
    /// No socket or thread was to be had.
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

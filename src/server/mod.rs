//! The server. For the library it is a value that stops when it is dropped, and for the command line it is a
//! future.

mod builder;
mod conn_state;
mod connection;
mod connections;
mod date;
// Only the command line has a log.
#[cfg_attr(not(feature = "cli"), allow(dead_code))]
mod log;
mod parser_refusal;
mod request_body;
mod response_body;
mod sandbox;
mod wire;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread::JoinHandle;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tokio::sync::oneshot;
use tower_service::Service;

use crate::api::{self, MessageError, VendorApi};
use crate::control;
use crate::document::Problem;
use crate::records::world::{World, WorldError};
use crate::sandbox::Sandboxes;
use crate::sandbox::journal::Request as Recorded;
use crate::sandbox::peer::Peer;
use crate::sandbox::verdict::{Rule, Verdict};
use crate::settings::{Limits, ServerConfig};

pub use builder::{ServerBuilder, StartError, Unserved};
pub(crate) use connections::{listen, run_until};
use date::DateWriter;
use request_body::{DrainOutcome, Framing, RequestBody, drain};
pub use sandbox::Sandbox;

pub(crate) use log::AccessLog;
pub(crate) use log::Clock;

/// The parts of a server that answer requests.
pub(crate) struct App {
    pub(crate) sandboxes: Arc<Sandboxes>,
    vendor: VendorApi,
    /// The vendor's API under a CORS layer, if browser apps of other origins may call it.
    open: Option<Router>,
    control: Router,
    pub(crate) clock: Clock,
    dates: DateWriter,
    pub(crate) limits: Limits,
}

impl App {
    /// Makes the records and the routers.
    pub(crate) fn new(config: ServerConfig) -> Result<Self, WorldError> {
        let ServerConfig { mut sandbox, cors, admin, limits, .. } = config;
        (sandbox.sandboxes, sandbox.sandbox_idle) = (limits.sandboxes, limits.sandbox_idle);
        let (journal, most) = (sandbox.journal_mebibytes, sandbox.max_mebibytes);
        if journal > most {
            let message = format!("--journal-memory {journal} is more than --max-memory {most}");
            return Err(WorldError::Setting(message));
        }
        let settings = sandbox.settings().map_err(WorldError::Setting)?;
        let world = World::new(&sandbox.records)?;
        let clock = sandbox.clock;
        let sandboxes = Arc::new(Sandboxes::new(world, settings, sandbox));
        sandboxes.hide_token(admin.token.clone());
        let vendor = VendorApi::new(Arc::clone(&sandboxes), api::router());
        // The control API is not under the CORS layer, because no web page may use it.
        Ok(Self {
            open: cors.then(|| api::open(vendor.clone())),
            vendor,
            control: control::router(&sandboxes, admin, limits.head_timeout),
            sandboxes,
            clock,
            dates: DateWriter::default(),
            limits,
        })
    }

    /// The response to a request on a connection. A message that violates the rules of HTTP is refused here.
    pub(crate) async fn serve(
        &self,
        request: Request,
        body: Option<&(Framing, RequestBody)>,
        peer: &Peer,
    ) -> Response {
        let (head, rest) = request.into_parts();
        let is_control = control::is_path(head.uri.path());
        if let Err(error) = api::check_message(&head) {
            if is_control {
                return control::Failure::of_message(&error).into_response();
            }
            return self.vendor.refuse_message(error, &head, peer);
        }
        // Malformed chunks are refused, so we read a chunked body to its end first. The control API
        // reads its bodies itself.
        let chunked = body.filter(|(framing, _)| framing.is_chunked && !framing.expects);
        let within = self.limits.head_timeout;
        if let Some((_, body)) = chunked
            && !is_control
            && drain(body.clone(), within).await == DrainOutcome::Failed
        {
            return self.vendor.refuse_message(MessageError::MalformedChunks, &head, peer);
        }
        let response = self.answer(Request::from_parts(head, rest), peer).await;
        // If the control API stopped reading a body, we do not read the rest of it.
        let gave_up = [
            StatusCode::REQUEST_TIMEOUT,
            StatusCode::PAYLOAD_TOO_LARGE,
            StatusCode::INSUFFICIENT_STORAGE,
        ];
        if let Some((_, body)) = chunked
            && is_control
            && !gave_up.contains(&response.status())
            && body.is_unread()
            && drain(body.clone(), within).await == DrainOutcome::Failed
        {
            return control::Failure::of_message(&MessageError::MalformedChunks).into_response();
        }
        response
    }

    /// The response to a request.
    pub(crate) async fn answer(&self, mut request: Request, peer: &Peer) -> Response {
        let router = match &self.open {
            _ if control::is_path(request.uri().path()) => &self.control,
            Some(open) => open,
            None => return self.vendor.answer(request, peer).await,
        };
        request.extensions_mut().insert(peer.clone());
        call(router, request).await
    }
}

/// The response of a router, which is always ready and has no errors.
async fn call(router: &Router, request: Request) -> Response {
    let Ok(response) = Service::call(&mut router.clone(), request).await;
    response
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
    sandboxes: Arc<Sandboxes>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// A builder of a server, with the built-in records.
    #[must_use]
    pub fn builder() -> ServerBuilder {
        ServerBuilder { config: ServerConfig::default(), rate_limit: None }
    }

    /// Starts a server with the built-in records.
    ///
    /// # Errors
    ///
    /// See [`ServerBuilder::start`].
    pub fn start() -> Result<Self, StartError> {
        Self::builder().start()
    }

    /// The base URL, without a trailing slash: `http://127.0.0.1:49152`. It replaces the vendor's
    /// host.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The address on which it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A key of the agent with the generated records (`app-demo`), or with a fixture of its first agent that
    /// is not deleted.
    #[must_use]
    pub fn api_key(&self) -> &str {
        &self.api_key
    }

    /// The warnings about the fixtures, at most 100, with the place of each and how the value is served.
    /// [`ServerBuilder::strict`] makes them errors.
    #[must_use]
    pub fn warnings(&self) -> Vec<Problem> {
        self.sandboxes.world().warnings.problems.clone()
    }

    /// The verdict on all requests so far, including those of sandboxes that were removed: what the client
    /// did wrong.
    ///
    /// # Panics
    ///
    /// If there is no journal ([`ServerBuilder::journal`] with 0), because then no request is checked.
    #[must_use]
    #[track_caller]
    pub fn verdict(&self) -> Verdict {
        expect_ok(self.sandboxes.full_verdict())
    }

    /// The requests in the journal, of all sandboxes, in the order of their arrival. The journal keeps the
    /// last 1,000 of each sandbox, in 8 MiB. A test that asserts that a request was not sent should also
    /// assert that [`Server::dropped_requests`] is 0.
    ///
    /// ```
    /// use gptbots_mock::Server;
    ///
    /// let server = Server::start().unwrap();
    /// ureq::get(format!("{}/v1/messages?conversation_id=xxxxxx&page=1&page_size=10", server.url()))
    ///     .header("Authorization", "Bearer your_apikey")
    ///     .call()
    ///     .unwrap();
    /// let requests = server.requests();
    /// assert_eq!(requests.len(), 1);
    /// assert_eq!(requests[0].path(), "/v1/messages");
    /// assert!(requests[0].violations.is_empty());
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no journal, because an empty list would be misleading.
    #[must_use]
    #[track_caller]
    pub fn requests(&self) -> Vec<Recorded> {
        expect_ok(self.sandboxes.require_journal());
        self.sandboxes.requests(None)
    }

    /// The number of requests that are missing in [`Server::requests`], because the journal was full or the
    /// server has removed their sandbox. The verdict includes them, because it checks every request when it
    /// arrives.
    #[must_use]
    pub fn dropped_requests(&self) -> u64 {
        self.sandboxes.collect(None).dropped
    }

    /// Asserts that the verdict has no findings. Call it at the end of a test.
    ///
    /// ```
    /// use gptbots_mock::Server;
    ///
    /// let server = Server::start().unwrap();
    /// ureq::get(format!("{}/v1/messages?conversation_id=xxxxxx&page=1&page_size=100", server.url()))
    ///     .header("Authorization", "Bearer your_apikey")
    ///     .call()
    ///     .unwrap();
    /// server.assert_clean();
    /// ```
    ///
    /// The verdict covers every request since the start of the server, including those that the journal has
    /// dropped.
    ///
    /// # Panics
    ///
    /// If [`Server::verdict`] has findings, which the message lists; if there was no request at all (see
    /// [`Server::assert_clean_or_unused`]); if there is no journal.
    #[track_caller]
    pub fn assert_clean(&self) {
        assert_clean(&self.verdict().into_final(Sandboxes::DEFAULT));
    }

    /// As [`Server::assert_clean`], but accepts that there was no request.
    ///
    /// # Panics
    ///
    /// If [`Server::verdict`] has findings, which the message lists; if there is no journal.
    #[track_caller]
    pub fn assert_clean_or_unused(&self) {
        assert_clean(&self.verdict());
    }

    /// A sandbox of this server, by its id. It has its own counters, faults, limits and clock, and shares the
    /// records. It is created by its first use, so the tests of a whole suite can share one server and run
    /// in parallel. Requests without a sandbox belong to `default`.
    ///
    /// ```
    /// use gptbots_mock::Server;
    ///
    /// let server = Server::start().unwrap();
    /// let sandbox = server.sandbox("login");
    /// assert_eq!(sandbox.url(), format!("{}/s/login", server.url()));
    /// assert_eq!(sandbox.api_key(), "app-demo~login");
    /// ```
    ///
    /// # Panics
    ///
    /// If the id does not consist of 1 to 64 of `A-Za-z0-9._-`, or is an API key.
    #[must_use]
    #[track_caller]
    pub fn sandbox(&self, id: &str) -> Sandbox<'_> {
        Sandbox::new(self, id)
    }
}

/// Panics with the findings.
#[track_caller]
fn assert_clean(verdict: &Verdict) {
    let hint = if verdict.findings().iter().any(|finding| finding.rule == Rule::NoRequest) {
        "does the client send its requests to the server's `url`? a test that may send none calls \
         `assert_clean_or_unused`"
    } else {
        "`verdict().mute(rule)` ignores the findings of a rule"
    };
    assert!(
        verdict.findings().is_empty(),
        "expected requests that do nothing wrong, got:\n{verdict}\n({hint})"
    );
}

/// Panics with the message of an error.
#[track_caller]
fn expect_ok<T>(result: Result<T, String>) -> T {
    result.unwrap_or_else(|why| panic!("{why}"))
}

impl Drop for Server {
    /// Stops at once. When this returns, connections have ended and the port is free.
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // This fails only if the thread has ended already.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            // An error means that the thread has panicked. The thread has printed why, and a panic
            // here would hide the panic of a test.
            let _ = thread.join();
        }
    }
}

impl Server {
    /// Serves an app on its own thread.
    fn run(app: App, api_key: String) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = {
            let _guard = runtime.enter();
            listen((Ipv4Addr::LOCALHOST, 0).into())?
        };
        let address = listener.local_addr()?;
        let sandboxes = Arc::clone(&app.sandboxes);
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name("gptbots-mock".into()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    // This ends when the server is dropped.
                    _ = stopped => {}
                    () = run_until(listener, app, None, std::future::pending()) => {}
                }
            });
            // An index that is still being made is of no use any more.
            runtime.shutdown_background();
        })?;
        Ok(Self {
            address,
            url: format!("http://{address}"),
            api_key,
            sandboxes,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Serves the router of a test.
    #[cfg(test)]
    pub(crate) fn with_router(router: axum::Router) -> Self {
        let mut app = App::new(ServerConfig::default()).unwrap();
        app.vendor = VendorApi::new(Arc::clone(&app.sandboxes), router);
        Self::run(app, String::new()).unwrap()
    }
}

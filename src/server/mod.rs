//! The server: as a value that stops when it is dropped, and as a future for the command line.

mod builder;
mod conn_state;
mod connection;
mod connections;
mod date;
// The library alone does not log.
#[cfg_attr(not(feature = "cli"), allow(dead_code))]
mod log;
mod refused;
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
use axum::response::Response;
use tokio::sync::oneshot;
use tower_service::Service;

use crate::api::{self, MessageError, Refusal, VendorApi};
use crate::control;
use crate::records::world::{World, WorldError};
use crate::sandbox::config::{Config, Limits};
use crate::sandbox::journal::Request as Recorded;
use crate::sandbox::peer::Peer;
use crate::sandbox::verdict::{Rule, Verdict};
use crate::sandbox::{Sandboxes, number_faults};

pub use builder::{ServerBuilder, StartError, Unserved};
pub(crate) use connections::{listen, run_until};
use date::DateWriter;
use request_body::{Framing, RequestBody, Rest, read_rest};
pub use sandbox::Sandbox;

pub(crate) use log::AccessLog;
pub(crate) use log::Clock;
#[cfg(feature = "cli")]
pub(crate) use log::LogFormat;

/// What a server answers.
pub(crate) struct App {
    pub(crate) sandboxes: Arc<Sandboxes>,
    vendor: VendorApi,
    /// The same under a CORS layer, where browsers of other origins may call it.
    open: Option<Router>,
    control: Router,
    date: DateWriter,
    pub(crate) limits: Limits,
}

impl App {
    /// Makes the records and all that answers.
    pub(crate) fn new(config: Config) -> Result<Self, WorldError> {
        let faults = number_faults(config.faults.clone()).map_err(WorldError::Setting)?;
        let world = World::new(&config.records)?;
        let (cors, limits, date) = (config.cors, config.limits, DateWriter::new(config.clock));
        let sandboxes = Arc::new(Sandboxes::new(world, faults, config));
        let vendor = VendorApi::new(Arc::clone(&sandboxes), api::router());
        // The control API is beside the CORS layer, never under it: no web page may drive it.
        Ok(Self {
            open: cors.then(|| api::open(vendor.clone())),
            vendor,
            control: control::router(&sandboxes),
            sandboxes,
            date,
            limits,
        })
    }

    /// The answer to a request as it came on a connection. What is not HTTP as it should be goes no
    /// further.
    pub(crate) async fn serve(
        &self,
        request: Request,
        body: Option<&(Framing, RequestBody)>,
        peer: &Peer,
    ) -> Response {
        let (head, rest) = request.into_parts();
        if let Err(error) = api::check_message(&head) {
            return self.vendor.refuse_message(error, &head, peer);
        }
        // Chunks are read to their end once, because malformed ones are refused: before anything
        // else looks at the request, but for the control API, which reads its bodies itself.
        let chunked = body.filter(|(framing, _)| framing.is_chunked && !framing.expects);
        let is_control = control::is_path(head.uri.path());
        let within = self.limits.head_timeout;
        if let Some((_, body)) = chunked
            && !is_control
            && read_rest(body.clone(), within).await == Rest::Failed
        {
            return self.vendor.refuse_message(MessageError::MalformedChunks, &head, peer);
        }
        let response = self.answer(Request::from_parts(head, rest), peer).await;
        // A body that was too large or came too late is not waited for any longer.
        let gave_up = [StatusCode::REQUEST_TIMEOUT, StatusCode::PAYLOAD_TOO_LARGE];
        if let Some((_, body)) = chunked
            && is_control
            && !gave_up.contains(&response.status())
            && body.is_unread()
            && read_rest(body.clone(), within).await == Rest::Failed
        {
            return Refusal::from(MessageError::MalformedChunks).response(None, None);
        }
        response
    }

    /// The answer to a request.
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

/// The response of a router, which is always ready and never fails.
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
    /// A server with the built-in records, to be changed and started.
    #[must_use]
    pub fn builder() -> ServerBuilder {
        ServerBuilder { config: Config::default(), rate_limit: None }
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
    /// first agent that is not deleted.
    #[must_use]
    pub fn api_key(&self) -> &str {
        &self.api_key
    }

    /// What is thought of all requests so far, those of sandboxes that have ended included.
    ///
    /// # Panics
    ///
    /// When there is no journal ([`ServerBuilder::journal`] with 0), since nothing is watched then.
    #[must_use]
    #[track_caller]
    pub fn verdict(&self) -> Verdict {
        whole(self.sandboxes.whole_verdict())
    }

    /// The requests that the journal has, of all sandboxes, in the order in which they came. It
    /// keeps the last 1,000 of each sandbox, in 8 MiB; whoever asserts that a request did not come
    /// asserts that [`Server::dropped_requests`] is 0 as well.
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
    /// When there is no journal, since a list without requests would be no list of what was sent.
    #[must_use]
    #[track_caller]
    pub fn requests(&self) -> Vec<Recorded> {
        whole(self.sandboxes.watches());
        self.sandboxes.requests(None)
    }

    /// How many requests the journal had and has no longer, for want of room or because their
    /// sandbox was ended without anyone asking: [`Server::requests`] lacks them. The verdict does
    /// not; it watches every request as it comes.
    #[must_use]
    pub fn dropped_requests(&self) -> u64 {
        self.sandboxes.collect(None).dropped
    }

    /// Asserts that no request did anything wrong though it got an answer: the last line of a test.
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
    /// It goes by every request since the server began, whatever the journal still has.
    ///
    /// # Panics
    ///
    /// When [`Server::verdict`] has findings, which the message has; when no request came at all
    /// ([`Server::assert_clean_or_unused`] is for that); when there is no journal.
    #[track_caller]
    pub fn assert_clean(&self) {
        assert_clean(&self.verdict().at_the_end(Sandboxes::DEFAULT));
    }

    /// The same where there may have been no request at all.
    ///
    /// # Panics
    ///
    /// When [`Server::verdict`] has findings, which the message has; when there is no journal.
    #[track_caller]
    pub fn assert_clean_or_unused(&self) {
        assert_clean(&self.verdict());
    }

    /// A sandbox of this server, by its id: its own counters, faults, limits and clock, over the
    /// same records. It is made at its first use, so that the tests of a whole suite can share one
    /// server and run side by side. `default` is the one that requests are in which name none.
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
    /// When the id is not 1 to 64 of `A-Za-z0-9._-`.
    #[must_use]
    #[track_caller]
    pub fn sandbox(&self, id: &str) -> Sandbox<'_> {
        Sandbox::new(self, id)
    }
}

/// Panics with what was found.
#[track_caller]
fn assert_clean(verdict: &Verdict) {
    let hint = if verdict.findings().iter().any(|finding| finding.rule == Rule::NoRequest) {
        "does the client go to the server's `url`? `assert_clean_or_unused` is for a test that may \
         send nothing"
    } else {
        "`verdict().mute(rule)` leaves findings out"
    };
    assert!(
        verdict.findings().is_empty(),
        "expected requests that do nothing wrong, got:\n{verdict}\n({hint})"
    );
}

/// What there is where all of it is there; else panics with why it is not.
#[track_caller]
fn whole<T>(there: Result<T, String>) -> T {
    there.unwrap_or_else(|why| panic!("{why}"))
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

impl Server {
    /// Serves an app on a thread of its own.
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
                    // Ends when the server is dropped, by a message or with its sender.
                    _ = stopped => {}
                    () = run_until(listener, app, None, std::future::pending()) => {}
                }
            });
            // Nobody waits for an index that is still being made.
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

    /// Serves a router of a test's own.
    #[cfg(test)]
    pub(crate) fn with_router(router: axum::Router) -> Self {
        let mut app = App::new(Config::default()).unwrap();
        app.vendor = VendorApi::new(Arc::clone(&app.sandboxes), router);
        Self::run(app, String::new()).unwrap()
    }
}

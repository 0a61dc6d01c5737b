//! The server: as a value that stops when it is dropped, and as a future for the command line.

mod builder;
mod connections;
// The library alone does not log.
#[cfg_attr(not(feature = "cli"), allow(dead_code))]
mod log;

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread::JoinHandle;

use axum::extract::Request;
use axum::response::Response;
use tokio::sync::oneshot;
use tower_service::Service;

use crate::config::{Config, Limits};
use crate::sandbox::{Sandbox, Sandboxes};
use crate::world::{World, WorldError};
use crate::{admin, contract, http};

pub use builder::{ServerBuilder, StartError};
pub(crate) use connections::{listen, run_until};

pub(crate) use log::AccessLog;
#[cfg(feature = "cli")]
pub(crate) use log::{Clock, LogFormat};

/// What a server answers: the router over its sandboxes.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) router: axum::Router,
    /// What the router would ask for the vendor's endpoints, where no layer is around them.
    direct: Option<Arc<Sandboxes>>,
    pub(crate) limits: Limits,
}

impl App {
    /// Makes the records and the router.
    pub(crate) fn new(config: &Config) -> Result<(Self, Arc<Sandboxes>), WorldError> {
        let world = Arc::new(World::new(config)?);
        let sandbox = Sandbox::new(world, config.readings, config.any_key);
        let sandboxes = Arc::new(Sandboxes::new(sandbox));
        // The control API is beside the CORS layer, never under it: no web page may drive it.
        let router = http::router(Arc::clone(&sandboxes), config.cors).merge(admin::router());
        let direct = (!config.cors).then(|| Arc::clone(&sandboxes));
        Ok((Self { router, direct, limits: config.limits }, sandboxes))
    }

    /// The answer to a request.
    async fn answer(&self, request: Request) -> Result<Response, Infallible> {
        if let Some(sandboxes) = &self.direct
            && let Some(endpoint) = contract::endpoint(request.uri().path())
        {
            return Ok(http::endpoint_answer(sandboxes, endpoint, request).await);
        }
        Service::call(&mut self.router.clone(), request).await
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

impl Server {
    /// Serves an app on a thread of its own.
    fn run(app: App, api_key: String) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = {
            let _guard = runtime.enter();
            listen((Ipv4Addr::LOCALHOST, 0).into())?
        };
        let address = listener.local_addr()?;
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
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Serves a router of a test's own.
    #[cfg(test)]
    pub(crate) fn with_router(router: axum::Router) -> Self {
        Self::run(App { router, direct: None, limits: Limits::default() }, String::new()).unwrap()
    }
}

//! The connections: accepted, limited, and ended in good order.
//!
//! A connection belongs to one task. What it may cost is in [`Limits`]: a head that does not
//! arrive in time or grows too long ends it, and where too many are open, those that have been
//! silent end first, so that half-open ones never starve a new one.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::extract::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::log::Begun;
use super::{AccessLog, App};
use crate::config::Limits;

/// A connection may be ended for a new one after this long without a request.
const SILENT: Duration = Duration::from_millis(500);

/// How long to wait before asking again for a place, where none is free.
const RETRY: Duration = Duration::from_millis(50);

/// What every connection listens to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Signal {
    Serve,
    /// Places are short: who has been silent goes. The number only makes it a change.
    Shed(u64),
    /// Finish what is in flight, then close.
    Drain,
}

/// So many connections may wait to be accepted. A whole test suite may connect at once.
const BACKLOG: u32 = 1024;

/// Listens on an address. Needs a runtime.
pub(crate) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // So that a server can follow another on the same port at once. Elsewhere than on Unix it
    // would let two share it.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Accepts and serves connections until `stop` is ready, then finishes what is in flight, for at
/// most [`Limits::drain`].
pub(crate) async fn run_until(
    listener: TcpListener,
    app: App,
    log: Option<AccessLog>,
    stop: impl Future<Output = ()>,
) {
    let limits = app.limits;
    let app = Arc::new(app);
    let (signal, heard) = watch::channel(Signal::Serve);
    let log = log.map(Arc::new);
    let mut open = JoinSet::new();
    let mut stop = std::pin::pin!(stop);
    let mut shed = 0;
    // A connection that is accepted and waits for a place.
    let mut waiting = None;
    loop {
        while open.try_join_next().is_some() {}
        if open.len() < limits.connections.max(1)
            && let Some(stream) = waiting.take()
        {
            open.spawn(serve(stream, Arc::clone(&app), log.clone(), heard.clone()));
        }
        let full = waiting.is_some();
        let accepted = tokio::select! {
            biased;
            () = &mut stop => break,
            accepted = listener.accept(), if !full => accepted.map(|(stream, _)| stream),
            _ = open.join_next(), if full => continue,
            () = tokio::time::sleep(RETRY), if full => Err(io::ErrorKind::QuotaExceeded.into()),
        };
        match accepted {
            Ok(stream) => {
                waiting = Some(stream);
                continue;
            }
            // The client left before it was accepted.
            Err(error) if is_the_peers(&error) => continue,
            // No place for one more: out of connections by our own count, or of files.
            Err(_) if full => {}
            Err(_) => tokio::time::sleep(RETRY).await,
        }
        shed += 1;
        signal.send_replace(Signal::Shed(shed));
    }
    signal.send_replace(Signal::Drain);
    drop(listener);
    let drained = async { while open.join_next().await.is_some() {} };
    // What has not finished by then is cut off with the set.
    let _ = tokio::time::timeout(limits.drain, drained).await;
}

fn is_the_peers(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}

/// Serves one connection to its end.
async fn serve(
    stream: TcpStream,
    app: Arc<App>,
    log: Option<Arc<AccessLog>>,
    mut heard: watch::Receiver<Signal>,
) {
    // Without it, answers over several packets wait for the client's acknowledgement. A socket
    // that cannot do it is slower, not wrong.
    let _ = stream.set_nodelay(true);
    let silent = Arc::new(Silence::new());
    let service = {
        let (app, silent) = (Arc::clone(&app), Arc::clone(&silent));
        service_fn(move |request: hyper::Request<Incoming>| {
            let request = request.map(axum::body::Body::new);
            answer(Arc::clone(&app), request, log.clone(), Arc::clone(&silent))
        })
    };
    let connection = builder(&app.limits).serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    loop {
        let signal = tokio::select! {
            biased;
            // Errors are the client's: a cut connection, a malformed or late head.
            _ = connection.as_mut() => return,
            changed = heard.changed() => match changed {
                Ok(()) => *heard.borrow_and_update(),
                Err(_) => Signal::Drain,
            },
        };
        match signal {
            Signal::Shed(_) if silent.lasted() >= SILENT => return,
            Signal::Serve | Signal::Shed(_) => {}
            Signal::Drain => {
                connection.as_mut().graceful_shutdown();
                let _ = connection.await;
                return;
            }
        }
    }
}

fn builder(limits: &Limits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    let head_bytes = limits.head_bytes.max(Limits::LEAST_HEAD_BYTES);
    builder
        .timer(TokioTimer::new())
        // A client that closes its sending side still waits for the answer.
        .half_close(true)
        .header_read_timeout(limits.head_timeout)
        .max_buf_size(head_bytes)
        .max_header_size(head_bytes);
    builder
}

/// One request: routed, answered, and told to the log.
async fn answer(
    app: Arc<App>,
    request: Request,
    log: Option<Arc<AccessLog>>,
    silent: Arc<Silence>,
) -> Result<Response, Infallible> {
    silent.end();
    let begun = log.is_some().then(|| Begun::new(&request));
    let response = app.answer(request).await;
    if let (Some(log), Some(begun), Ok(response)) = (log, begun, &response) {
        log.end(begun, response);
    }
    silent.begin();
    response
}

/// Since when a connection has had no request.
struct Silence {
    opened: Instant,
    /// Milliseconds after `opened`; [`Silence::NONE`] while a request is answered.
    since: AtomicU64,
}

impl Silence {
    const NONE: u64 = u64::MAX;

    fn new() -> Self {
        Self { opened: Instant::now(), since: AtomicU64::new(0) }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(Self::NONE - 1)
    }

    fn begin(&self) {
        self.since.store(self.now(), Ordering::Relaxed);
    }

    fn end(&self) {
        self.since.store(Self::NONE, Ordering::Relaxed);
    }

    fn lasted(&self) -> Duration {
        match self.since.load(Ordering::Relaxed) {
            Self::NONE => Duration::ZERO,
            since => Duration::from_millis(self.now().saturating_sub(since)),
        }
    }
}

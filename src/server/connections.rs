//! The connections: accepted, limited, and ended in good order.
//!
//! A connection belongs to one task. What it may cost is in [`Limits`]: a head that does not
//! arrive in time or grows too long ends it, and where too many are open, those that have been
//! silent end first, so that half-open ones never starve a new one.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Body;
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
use super::wire::{Broken, Drip, Half, Line, Socket};
use super::{AccessLog, App};
use crate::config::Limits;
use crate::faults::{BodyForm, Cut, Fired};
use crate::http::Told;
use crate::peer::Peer;

/// A connection may be ended for a new one after this long without a request.
const SILENT: Duration = Duration::from_millis(500);

/// How long to wait before asking again for a place, where none is free.
const RETRY: Duration = Duration::from_millis(50);

/// How often sandboxes are looked for that have been idle for too long.
const SWEEP: Duration = Duration::from_secs(60);

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
    let mut sweep = tokio::time::interval(SWEEP);
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
            _ = sweep.tick() => {
                app.sandboxes.sweep();
                continue;
            }
            accepted = listener.accept(), if !full => accepted,
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
    app.sandboxes.journals().close();
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

/// Whether a connection comes from this machine: from loopback, or from the address that it goes
/// to.
fn is_from_here(stream: &TcpStream, peer: SocketAddr) -> bool {
    // An IPv4 address may come in an IPv6 one.
    let peer = peer.ip().to_canonical();
    let own = || stream.local_addr().is_ok_and(|own| own.ip().to_canonical() == peer);
    peer.is_loopback() || own()
}

/// Serves one connection to its end.
async fn serve(
    (stream, peer): (TcpStream, SocketAddr),
    app: Arc<App>,
    log: Option<Arc<AccessLog>>,
    mut heard: watch::Receiver<Signal>,
) {
    // Without it, answers over several packets wait for the client's acknowledgement. A socket
    // that cannot do it is slower, not wrong.
    let _ = stream.set_nodelay(true);
    let client = Arc::new(Client {
        peer: Peer::new(peer.ip().to_canonical(), is_from_here(&stream, peer)),
        silent: Silence::new(),
        line: Arc::default(),
        newest: AtomicU64::new(0),
        signal: heard.clone(),
    });
    let service = {
        let (app, client) = (Arc::clone(&app), Arc::clone(&client));
        service_fn(move |request: hyper::Request<Incoming>| {
            let request = request.map(axum::body::Body::new);
            answer(Arc::clone(&app), request, log.clone(), Arc::clone(&client))
        })
    };
    let socket = Socket::new(stream, Arc::clone(&client.line));
    let connection = builder(&app.limits).serve_connection(TokioIo::new(socket), service);
    let mut connection = std::pin::pin!(connection);
    loop {
        let signal = tokio::select! {
            biased;
            // Its errors are the client's: it left, or what it sent is not HTTP.
            _ = connection.as_mut() => break,
            changed = heard.changed() => match changed {
                Ok(()) => *heard.borrow_and_update(),
                Err(_) => Signal::Drain,
            },
        };
        match signal {
            Signal::Shed(_) if client.silent.lasted() >= SILENT => return,
            Signal::Serve | Signal::Shed(_) => {}
            Signal::Drain => {
                connection.as_mut().graceful_shutdown();
                let _ = connection.as_mut().await;
                break;
            }
        }
    }
    let newest = client.newest.load(Ordering::Relaxed);
    if newest > 0 && client.line.is_unread() {
        app.sandboxes.unread(newest);
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

/// One end of a connection, and what is known of the other.
struct Client {
    peer: Peer,
    silent: Silence,
    line: Arc<Line>,
    /// The number of its newest request in the journal.
    newest: AtomicU64,
    signal: watch::Receiver<Signal>,
}

/// Answers one request.
async fn answer(
    app: Arc<App>,
    request: Request,
    log: Option<Arc<AccessLog>>,
    client: Arc<Client>,
) -> Result<Response, Broken> {
    client.silent.end();
    let begun = log.is_some().then(|| Begun::new(&request));
    let (mut response, number) = app.answer(request, &client.peer).await;
    client.newest.store(number, Ordering::Relaxed);
    let told = response.extensions_mut().remove::<Told>();
    let ending = log.zip(begun).map(|(log, begun)| log.ending(begun, told.as_ref()));
    if let Some(fired) = told.as_ref().and_then(|told| told.fault.as_ref())
        && !fired.delay.is_zero()
    {
        // Whoever waits has no claim to its place where places are short.
        client.silent.begin();
        client.line.wait(fired.delay).await;
    }
    if let Some(ending) = ending
        && !told.as_ref().is_some_and(Told::breaks)
    {
        ending.end(response.status());
    }
    let response = match told {
        Some(told) if told.fault.is_some() => broken(response, told, &client).await,
        _ => Ok(response),
    };
    client.silent.begin();
    response
}

/// What a fault leaves of an answer.
async fn broken(response: Response, told: Told, client: &Client) -> Result<Response, Broken> {
    let Some(Fired { fault, .. }) = &told.fault else { return Ok(response) };
    match fault.cut {
        Some(Cut::Reset) => {
            client.line.reset();
            return Err(Broken);
        }
        Some(Cut::NoAnswer) => {
            client.silent.begin();
            client.line.wait_until(|| *client.signal.borrow() == Signal::Drain).await;
            return Err(Broken);
        }
        None => {}
    }
    let truncated = fault.body == BodyForm::Truncated;
    let drip = fault.drip;
    Ok(response.map(|mut body| {
        if truncated {
            body = Body::new(Half::of(body, Arc::clone(&client.line)));
        }
        match drip {
            // The sandbox is in use until the last byte.
            Some(rate) => Body::new(Drip::of(body, rate, told)),
            None => body,
        }
    }))
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

#[cfg(test)]
mod tests {
    use super::*;

    /// No test has a peer on another machine, so its address comes in from outside.
    #[test]
    fn a_peer_is_on_this_machine_by_its_address() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = listen(([127, 0, 0, 1], 0).into()).unwrap();
            let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let (accepted, _) = listener.accept().await.unwrap();
            drop(stream);
            for (peer, from_here) in [
                ("127.0.0.1:1", true),
                ("127.255.0.9:1", true),
                ("[::1]:1", true),
                ("[::ffff:127.0.0.1]:1", true),
                ("10.0.0.1:1", false),
                ("192.168.1.2:1", false),
                ("0.0.0.0:1", false),
                ("[2001:db8::1]:1", false),
                ("[::ffff:10.0.0.1]:1", false),
            ] {
                assert_eq!(is_from_here(&accepted, peer.parse().unwrap()), from_here, "{peer}");
            }
        });
    }
}

//! The connections: accepted, limited, and ended in good order.
//!
//! A connection belongs to one task. What it may cost is in [`Limits`]: a head that does not
//! arrive in time or grows too long ends it. Where too many are open, as many as are needed end
//! for new ones: those first that wait for a request, and never one that works on an answer.
//!
//! On the way out, everything is answered that a client sent whole before: we look into the queue
//! of the listener and into every socket, and only then say that the connection closes.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::{Id, JoinError, JoinSet};

use super::log::Begun;
use super::refused::Refused;
use super::request_body::{Framing, RequestBody};
use super::wire::{Broken, Drip, Half, Line, Phase, Socket, Tracked};
use super::{AccessLog, App};
use crate::admin;
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

/// On the way out, half a request and an answer that nobody reads have this long to go on.
const GRACE: Duration = Duration::from_millis(1500);

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
    let (end, ends) = watch::channel(false);
    let mut open = Open::new(Arc::clone(&app), log.map(Arc::new), ends);
    let mut stop = std::pin::pin!(stop);
    let mut sweep = tokio::time::interval_at(tokio::time::Instant::now() + SWEEP, SWEEP);
    // A connection that is accepted and waits for a place, and since when.
    let mut waiting = None;
    let mut since = Instant::now();
    loop {
        open.forget_ended();
        if open.tasks.len() < limits.connections.max(1)
            && let Some(stream) = waiting.take()
        {
            open.serve(stream);
        }
        let full = waiting.is_some();
        let accepted = tokio::select! {
            biased;
            () = &mut stop => break,
            _ = sweep.tick() => {
                let sandboxes = Arc::clone(&app.sandboxes);
                tokio::task::spawn_blocking(move || sandboxes.sweep());
                continue;
            }
            accepted = listener.accept(), if !full => accepted,
            () = open.one_ended(), if full => continue,
            () = tokio::time::sleep(RETRY), if full => {
                open.make_room(since.elapsed());
                continue;
            }
        };
        match accepted {
            Ok(stream) => {
                (waiting, since) = (Some(stream), Instant::now());
                open.forget_ended();
                if open.tasks.len() >= limits.connections.max(1) {
                    open.make_room(Duration::ZERO);
                }
            }
            // The client left before it was accepted.
            Err(error) if is_the_peers(&error) => {}
            // There is no file for one more.
            Err(_) => {
                open.make_room(SILENT);
                tokio::select! {
                    () = open.one_ended() => {}
                    () = tokio::time::sleep(RETRY) => {}
                }
            }
        }
    }
    end.send_replace(true);
    app.sandboxes.journals().close();
    if let Some(stream) = waiting.take() {
        open.serve(stream);
    }
    let drained = async {
        // What waits in the queue was sent before we were asked to stop.
        open.accept_rest(listener).await;
        while !open.tasks.is_empty() {
            open.one_ended().await;
        }
    };
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

/// The connections that are open.
struct Open {
    app: Arc<App>,
    log: Option<Arc<AccessLog>>,
    /// Says that the server ends.
    ends: watch::Receiver<bool>,
    tasks: JoinSet<()>,
    clients: HashMap<Id, Arc<Client>>,
}

impl Open {
    fn new(app: Arc<App>, log: Option<Arc<AccessLog>>, ends: watch::Receiver<bool>) -> Self {
        Self { app, log, ends, tasks: JoinSet::new(), clients: HashMap::new() }
    }

    fn serve(&mut self, (stream, peer): (TcpStream, SocketAddr)) {
        let client = Arc::new(Client {
            peer: Peer::new(peer.ip().to_canonical(), is_from_here(&stream, peer)),
            line: Arc::new(Line::new()),
            newest: AtomicU64::new(0),
            gives_place: Notify::new(),
            ends: self.ends.clone(),
        });
        let served = serve(stream, Arc::clone(&self.app), self.log.clone(), Arc::clone(&client));
        self.clients.insert(self.tasks.spawn(served).id(), client);
    }

    fn forget(&mut self, ended: Result<(Id, ()), JoinError>) {
        let id = ended.map_or_else(|error| error.id(), |(id, ())| id);
        self.clients.remove(&id);
    }

    fn forget_ended(&mut self) {
        while let Some(ended) = self.tasks.try_join_next_with_id() {
            self.forget(ended);
        }
    }

    /// Waits until one has ended; for ever where there is none.
    async fn one_ended(&mut self) {
        match self.tasks.join_next_with_id().await {
            Some(ended) => self.forget(ended),
            None => std::future::pending().await,
        }
    }

    /// Asks one connection for its place: of those that can give it the one with the least to lose.
    /// That one may have a moment left; a new connection that has waited for longer takes the next
    /// best, so that busy connections and half requests together never keep it out.
    fn make_room(&self, waited: Duration) {
        let clients = self.clients.values();
        let ranked = clients.filter_map(|client| Some((client.rank()?, client)));
        let ranked = ranked.filter(|((_, idle), _)| waited < SILENT || *idle >= SILENT);
        if let Some(((_, idle), client)) = ranked.max_by_key(|(rank, _)| *rank)
            && idle >= SILENT
        {
            client.gives_place.notify_one();
        }
    }

    /// Accepts what waits in the queue, until there is nothing more, and closes the listener.
    async fn accept_rest(&mut self, listener: TcpListener) {
        // The runtime may not have heard of them yet, the kernel knows them all.
        let Ok(listener) = listener.into_std() else { return };
        for _ in 0..=BACKLOG {
            match listener.accept() {
                Ok((stream, peer)) => {
                    let stream = stream.set_nonblocking(true).map(|()| stream);
                    if let Ok(stream) = stream.and_then(TcpStream::from_std) {
                        self.serve((stream, peer));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if is_the_peers(&error) => {}
                // There is no file for one more before another one has ended.
                Err(_) if self.tasks.is_empty() => return,
                Err(_) => self.one_ended().await,
            }
        }
    }
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
async fn serve(stream: TcpStream, app: Arc<App>, log: Option<Arc<AccessLog>>, client: Arc<Client>) {
    // Without it, answers over several packets wait for the client's acknowledgement. A socket
    // that cannot do it is slower, not wrong.
    let _ = stream.set_nodelay(true);
    tokio::select! {
        biased;
        () = converse(stream, Arc::clone(&app), log, Arc::clone(&client)) => {}
        () = client.is_cut() => {}
    }
    let newest = client.newest.load(Ordering::Relaxed);
    if newest > 0 && client.line.is_unread() {
        app.sandboxes.unread(newest);
    }
}

/// Answers the requests of one connection, and closes it in good order.
async fn converse(
    stream: TcpStream,
    app: Arc<App>,
    log: Option<Arc<AccessLog>>,
    client: Arc<Client>,
) {
    let service = {
        let (app, log, client) = (Arc::clone(&app), log.clone(), Arc::clone(&client));
        service_fn(move |request: hyper::Request<Incoming>| {
            answer(Arc::clone(&app), request, log.clone(), Arc::clone(&client))
        })
    };
    let socket = Socket::new(stream, Arc::clone(&client.line));
    let mut connection = builder(&app.limits).serve_connection(TokioIo::new(socket), service);
    let mut end = pin!(client.server_ends());
    let (mut ends, mut is_told) = (false, false);
    let outcome = std::future::poll_fn(|cx| {
        if let Poll::Ready(outcome) = Pin::new(&mut connection).poll(cx) {
            return Poll::Ready(outcome);
        }
        if !ends && end.as_mut().poll(cx).is_ready() {
            ends = true;
            client.line.end();
            // The socket looks for a request that was sent before.
            if let Poll::Ready(outcome) = Pin::new(&mut connection).poll(cx) {
                return Poll::Ready(outcome);
            }
        }
        if ends && !is_told && !client.line.has_input() {
            is_told = true;
            Pin::new(&mut connection).graceful_shutdown();
            return Pin::new(&mut connection).poll(cx);
        }
        Poll::Pending
    })
    .await;
    let mut socket = connection.into_parts().io.into_inner();
    // Other errors are the client's: it left.
    if let Err(error) = outcome
        && let Some(refused) = Refused::of(&error, socket.take_refusal())
    {
        if let Some(log) = &log {
            log.refused(refused.status, refused.reason);
        }
        client.line.lingers.store(true, Ordering::Relaxed);
        // Fails where the client has left.
        let _ = socket.write(&refused.response).await;
    }
    socket.close().await;
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
    line: Arc<Line>,
    /// The number of its newest request in the journal.
    newest: AtomicU64,
    /// Asks it to give its place to another one.
    gives_place: Notify,
    /// Says that the server ends.
    ends: watch::Receiver<bool>,
}

impl Client {
    /// How soon it may lose its place to a new connection, the highest first: one that waits for a
    /// request, half a request, one that a fault leaves without an answer, one whose client does
    /// not read; and of each kind the one that has been so for the longest time. `None`: never.
    fn rank(&self) -> Option<(u8, Duration)> {
        let kind = match self.line.phase() {
            Phase::Idle | Phase::Closing => 3,
            Phase::Head => 2,
            Phase::Unanswered => 1,
            _ if self.line.is_stuck() => 0,
            _ => return None,
        };
        Some((kind, self.line.idle()))
    }

    /// Ready as soon as the connection has to end, whatever it is doing.
    async fn is_cut(&self) {
        tokio::select! {
            () = self.loses_place() => {}
            () = self.holds_the_end() => {}
        }
    }

    async fn loses_place(&self) {
        loop {
            self.gives_place.notified().await;
            // A request may have come meanwhile.
            if self.rank().is_some_and(|(_, idle)| idle >= SILENT) {
                return;
            }
        }
    }

    async fn server_ends(&self) {
        // Where the sender is gone, the server is gone.
        let _ = self.ends.clone().wait_for(|ends| *ends).await;
    }

    /// Ready when the server ends and this connection does not go on.
    async fn holds_the_end(&self) {
        self.server_ends().await;
        tokio::time::sleep(GRACE).await;
        loop {
            let waits = matches!(self.line.phase(), Phase::Idle | Phase::Head | Phase::Closing);
            if (waits || self.line.is_stuck()) && self.line.idle() >= GRACE {
                return;
            }
            tokio::time::sleep(RETRY).await;
        }
    }
}

/// Answers one request.
async fn answer(
    app: Arc<App>,
    request: hyper::Request<Incoming>,
    log: Option<Arc<AccessLog>>,
    client: Arc<Client>,
) -> Result<hyper::Response<Tracked>, Broken> {
    client.line.enter(Phase::Working);
    client.line.lingers.store(false, Ordering::Relaxed);
    let (head, incoming) = request.into_parts();
    let body = RequestBody::new(incoming).map(|body| (Framing::of(&head), body));
    let whole = body.as_ref().map_or_else(Body::empty, |(_, body)| Body::new(body.clone()));
    let request = Request::from_parts(head, whole);
    let begun = log.is_some().then(|| Begun::new(&request));
    let may_take_long = admin::is_search(request.uri().path());
    let answering = app.serve(request, body.as_ref(), &client.peer);
    let (mut response, number) = if may_take_long {
        // Of an answer that the client does not wait for, nothing is noted.
        client.newest.store(0, Ordering::Relaxed);
        client.line.wait_for(answering).await
    } else {
        answering.await
    };
    if let Some((framing, body)) = &body {
        settle(&mut response, *framing, body, &app.limits, &client.line).await;
    }
    client.newest.store(number, Ordering::Relaxed);
    response.headers_mut().insert(header::DATE, app.date.now());
    let told = response.extensions_mut().remove::<Told>();
    let ending = log.zip(begun).map(|(log, begun)| log.ending(begun, told.as_ref()));
    if let Some(fired) = told.as_ref().and_then(|told| told.fault.as_ref())
        && !fired.delay.is_zero()
    {
        client.line.wait(fired.delay).await;
    }
    if let Some(ending) = ending
        && !told.as_ref().is_some_and(Told::breaks)
    {
        ending.end(response.status());
    }
    let response = match told {
        Some(told) if told.fault.is_some() => broken(response, told, &client).await?,
        _ => response,
    };
    Ok(response.map(|body| Tracked::new(body, Arc::clone(&client.line))))
}

/// Decides what becomes of a body that nobody has read: it is read beside the answer, so that the
/// connection goes on, or the answer says that the connection closes.
async fn settle(
    response: &mut Response,
    framing: Framing,
    body: &RequestBody,
    limits: &Limits,
    line: &Line,
) {
    if !body.is_unread() && !body.has_failed() {
        return;
    }
    line.lingers.store(true, Ordering::Relaxed);
    let is_awaited = framing.expects && !body.is_begun();
    if is_awaited && !framing.closes {
        // We do not ask for it. hyper looks whether it has come nevertheless; if it has not, hyper
        // closes the connection, and says so if it knows before it gets the answer.
        body.give_up();
        tokio::task::yield_now().await;
    } else if framing.closes
        || framing.is_chunked
        || body.has_failed()
        || body.is_long()
        || response.status() == StatusCode::REQUEST_TIMEOUT
    {
        body.give_up();
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    } else {
        let (body, within) = (body.clone(), limits.head_timeout);
        tokio::spawn(async move { body.read_rest(within).await });
    }
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
            client.line.enter(Phase::Unanswered);
            client.line.wait_until(|| *client.ends.borrow()).await;
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

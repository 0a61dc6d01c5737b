//! One connection: its requests answered in turn, and its end.

use std::pin::{Pin, pin};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};

use super::conn_state::{ConnState, Phase};
use super::log::Begun;
use super::refused::Refused;
use super::request_body::{Framing, RequestBody, read_rest};
use super::response_body::{ThrottledBody, TrackedBody, TruncatedBody};
use super::wire::Socket;
use super::{AccessLog, App};
use crate::api::ResponseMeta;
use crate::control;
use crate::sandbox::config::Limits;
use crate::sandbox::faults::{BodyForm, Cut, Fired};
use crate::sandbox::journal::EntryId;
use crate::sandbox::peer::Peer;

/// On the way out, half a request and an answer that nobody reads have this long to go on.
const GRACE: Duration = Duration::from_millis(1500);

/// How often a connection that holds the end is looked at.
const RETRY: Duration = Duration::from_millis(50);

/// Why a connection ends without an answer: a fault says so.
#[derive(Debug)]
pub(super) struct Aborted;

impl std::fmt::Display for Aborted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a fault broke the connection")
    }
}

impl std::error::Error for Aborted {}

/// Serves one connection to its end.
pub(super) async fn serve(
    stream: TcpStream,
    app: Arc<App>,
    log: Option<Arc<AccessLog>>,
    client: Arc<Client>,
) {
    // Without it, answers over several packets wait for the client's acknowledgement. A socket
    // that cannot do it is slower, not wrong.
    let _ = stream.set_nodelay(true);
    tokio::select! {
        biased;
        () = converse(stream, Arc::clone(&app), log, Arc::clone(&client)) => {}
        () = client.is_cut() => {}
    }
    let newest = *client.newest();
    if let Some(newest) = newest.filter(|_| client.state.is_unread()) {
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
    let socket = Socket::new(stream, Arc::clone(&client.state));
    let mut connection = builder(&app.limits).serve_connection(TokioIo::new(socket), service);
    let mut end = pin!(client.server_ends());
    let (mut ends, mut is_shut_down) = (false, false);
    let outcome = std::future::poll_fn(|cx| {
        if let Poll::Ready(outcome) = Pin::new(&mut connection).poll(cx) {
            return Poll::Ready(outcome);
        }
        if !ends && end.as_mut().poll(cx).is_ready() {
            ends = true;
            client.state.end();
            // The socket looks for a request that was sent before.
            if let Poll::Ready(outcome) = Pin::new(&mut connection).poll(cx) {
                return Poll::Ready(outcome);
            }
        }
        if ends && !is_shut_down && !client.state.has_input() {
            is_shut_down = true;
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
        client.state.lingers.store(true, Ordering::Relaxed);
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
pub(super) struct Client {
    pub(super) peer: Peer,
    pub(super) state: Arc<ConnState>,
    /// Where the journal has its newest request.
    pub(super) newest: Mutex<Option<EntryId>>,
    /// Asks it to give its place to another one.
    pub(super) gives_place: Notify,
    /// Says that the server ends.
    pub(super) ends: watch::Receiver<bool>,
}

impl Client {
    /// Nothing panics under this lock, so we use a poisoned one like any other.
    fn newest(&self) -> MutexGuard<'_, Option<EntryId>> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How soon it may lose its place to a new connection, the highest first: one that waits for a
    /// request, half a head or half a body, one that a fault leaves without an answer, one whose
    /// client does not read; and of each kind the one that has been so for the longest time.
    /// `None`: never.
    pub(super) fn rank(&self) -> Option<(u8, Duration)> {
        let kind = match self.state.phase() {
            Phase::Idle | Phase::Closing => 3,
            Phase::Head | Phase::Body => 2,
            Phase::Unanswered => 1,
            _ if self.state.is_stuck() => 0,
            _ => return None,
        };
        Some((kind, self.state.idle()))
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
            if self.rank().is_some_and(|(_, idle)| idle >= super::connections::SILENT) {
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
            let waits = matches!(
                self.state.phase(),
                Phase::Idle | Phase::Head | Phase::Body | Phase::Closing
            );
            if (waits || self.state.is_stuck()) && self.state.idle() >= GRACE {
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
) -> Result<hyper::Response<TrackedBody>, Aborted> {
    client.state.enter(Phase::Working);
    client.state.lingers.store(false, Ordering::Relaxed);
    let (head, incoming) = request.into_parts();
    let body = RequestBody::new(incoming, &client.state).map(|body| (Framing::of(&head), body));
    let whole = body.as_ref().map_or_else(Body::empty, |(_, body)| Body::new(body.clone()));
    let request = Request::from_parts(head, whole);
    let begun = log.is_some().then(|| Begun::new(&request));
    let may_take_long = control::is_search(request.uri().path());
    let answering = app.serve(request, body.as_ref(), &client.peer);
    let mut response = if may_take_long {
        // Of an answer that the client does not wait for, nothing is noted.
        *client.newest() = None;
        client.state.wait_for(answering).await
    } else {
        answering.await
    };
    if let Some((framing, body)) = &body {
        settle(&mut response, *framing, body, &app.limits, &client.state).await;
    }
    response.headers_mut().insert(header::DATE, app.date.now());
    let meta = response.extensions_mut().remove::<ResponseMeta>();
    *client.newest() = meta.as_ref().and_then(|meta| meta.entry);
    let ending = log.zip(begun).map(|(log, begun)| log.ending(begun, meta.as_ref()));
    if let Some(fired) = meta.as_ref().and_then(|meta| meta.fault.as_ref())
        && !fired.delay.is_zero()
    {
        client.state.wait(fired.delay).await;
    }
    if let Some(ending) = ending
        && !meta.as_ref().is_some_and(ResponseMeta::breaks)
    {
        ending.end(response.status());
    }
    let response = match meta {
        Some(meta) if meta.fault.is_some() => broken(response, meta, &client).await?,
        _ => response,
    };
    Ok(response.map(|body| TrackedBody::new(body, Arc::clone(&client.state))))
}

/// Decides what becomes of a body that nobody has read: it is read beside the answer, so that the
/// connection goes on, or the answer says that the connection closes.
async fn settle(
    response: &mut Response,
    framing: Framing,
    body: &RequestBody,
    limits: &Limits,
    state: &ConnState,
) {
    if !body.is_unread() && !body.has_failed() {
        return;
    }
    state.lingers.store(true, Ordering::Relaxed);
    let is_awaited = framing.expects && !body.is_begun();
    if is_awaited && !framing.closes {
        // We do not ask for it. hyper looks whether it has come nevertheless; if it has not, hyper
        // closes the connection, and says so if it knows before it gets the answer.
        drop(body.take());
        tokio::task::yield_now().await;
    } else if framing.closes
        || framing.is_chunked
        || body.has_failed()
        || body.is_long()
        || response.status() == StatusCode::REQUEST_TIMEOUT
    {
        drop(body.take());
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    } else if let Some(rest) = body.take() {
        tokio::spawn(read_rest(rest, limits.head_timeout));
    }
}

/// What a fault leaves of an answer.
async fn broken(
    response: Response,
    meta: ResponseMeta,
    client: &Client,
) -> Result<Response, Aborted> {
    let Some(Fired { fault, .. }) = &meta.fault else { return Ok(response) };
    match fault.cut {
        Some(Cut::Reset) => {
            client.state.reset();
            return Err(Aborted);
        }
        Some(Cut::NoAnswer) => {
            client.state.enter(Phase::Unanswered);
            client.state.wait_until(|| *client.ends.borrow()).await;
            return Err(Aborted);
        }
        None => {}
    }
    let truncated = fault.body == BodyForm::Truncated;
    let drip = fault.drip;
    Ok(response.map(|mut body| {
        if truncated {
            body = Body::new(TruncatedBody::of(body, Arc::clone(&client.state)));
        }
        match drip {
            // The sandbox is in use until the last byte.
            Some(rate) => Body::new(ThrottledBody::of(body, rate, meta)),
            None => body,
        }
    }))
}

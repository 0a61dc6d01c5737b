//! One connection: its requests are answered in turn, and then it is closed.

use std::sync::Arc;
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
use parking_lot::Mutex;
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};

use super::conn_state::{ConnState, Fate, Phase};
use super::log::RequestStart;
use super::parser_refusal::ParserRefusal;
use super::request_body::{Framing, RequestBody, drain};
use super::response_body::ResponseBody;
use super::wire::Socket;
use super::{AccessLog, App};
use crate::api::ResponseMeta;
use crate::control;
use crate::sandbox::faults::{BodyForm, ConnectionFault};
use crate::sandbox::journal::EntryId;
use crate::sandbox::peer::Peer;
use crate::settings::Limits;

/// When the server ends, an incomplete request and a response that the client does not read have
/// this long.
const GRACE: Duration = Duration::from_millis(1500);

/// How often we look whether a connection still delays the end of the server.
const RETRY: Duration = Duration::from_millis(50);

/// A connection ends without a response, because a fault says so.
#[derive(Debug, thiserror::Error)]
#[error("a fault broke the connection")]
pub(super) struct Aborted;

/// Serves one connection to its end.
pub(super) async fn serve(
    stream: TcpStream,
    app: Arc<App>,
    log: Option<Arc<AccessLog>>,
    client: Arc<Client>,
) {
    // Without this, a response of several packets waits for the client's acknowledgement. A socket
    // that cannot do it is slower, not wrong, so we ignore an error.
    let _ = stream.set_nodelay(true);
    tokio::select! {
        biased;
        () = converse(stream, Arc::clone(&app), log, Arc::clone(&client)) => {}
        () = client.must_end() => {}
    }
    let newest = *client.newest.lock();
    if let Some(newest) = newest.filter(|_| client.state.is_unread()) {
        app.sandboxes.note_unread(newest);
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
    let outcome = tokio::select! {
        biased;
        outcome = &mut connection => outcome,
        () = client.server_ends() => {
            // A request that was sent before the end is still answered, so the socket looks for one.
            client.state.check_input();
            let outcome = std::future::poll_fn(|cx| {
                match std::pin::Pin::new(&mut connection).poll(cx) {
                    Poll::Ready(outcome) => Poll::Ready(Some(outcome)),
                    Poll::Pending if client.state.has_input() => Poll::Pending,
                    Poll::Pending => Poll::Ready(None),
                }
            });
            if let Some(outcome) = outcome.await {
                outcome
            } else {
                std::pin::Pin::new(&mut connection).graceful_shutdown();
                (&mut connection).await
            }
        }
    };
    let mut socket = connection.into_parts().io.into_inner();
    // Every other error means that the client left.
    if let Err(error) = outcome
        && let Some(refused) = ParserRefusal::of(&error, socket.take_refusal())
    {
        if let Some(log) = &log {
            log.refused(refused.status, refused.reason);
        }
        client.state.set_lingers(true);
        // An error means that the client has left.
        let _ = socket.write(&refused.response).await;
    }
    socket.close().await;
}

fn builder(limits: &Limits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    let head_bytes = limits.head_bytes.clamp(Limits::LEAST_HEAD_BYTES, Limits::MOST_HEAD_BYTES);
    builder
        .timer(TokioTimer::new())
        // A client that closes its sending side still waits for the response.
        .half_close(true)
        .header_read_timeout(limits.head_timeout)
        .max_buf_size(head_bytes)
        .max_header_size(head_bytes);
    builder
}

/// The client of a connection.
pub(super) struct Client {
    pub(super) peer: Peer,
    pub(super) state: Arc<ConnState>,
    /// The newest request in the journal.
    pub(super) newest: Mutex<Option<EntryId>>,
    /// Asks the connection to end in favour of a new one.
    pub(super) evict: Notify,
    /// Becomes true when the server ends.
    pub(super) ends: watch::Receiver<bool>,
}

impl Client {
    /// How soon the connection may be ended in favour of a new one, the highest first; `None`:
    /// never. First come connections that wait for a request, then those with an incomplete head or
    /// body, those that a fault leaves without a response, and those whose client does not read; of
    /// each kind, the one that has been so for the longest time comes first.
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

    /// Returns as soon as the connection has to end, whatever it is doing.
    async fn must_end(&self) {
        tokio::select! {
            () = self.evicted() => {}
            () = self.outlasts_shutdown() => {}
        }
    }

    async fn evicted(&self) {
        loop {
            self.evict.notified().await;
            // A request may have come since this connection was chosen.
            if self.rank().is_some_and(|(_, idle)| idle >= super::connections::EVICTABLE_AFTER) {
                return;
            }
        }
    }

    async fn server_ends(&self) {
        // An error means that the sender is gone, and with it the server.
        let _ = self.ends.clone().wait_for(|ends| *ends).await;
    }

    /// Returns when the server ends and this connection makes no progress.
    async fn outlasts_shutdown(&self) {
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
) -> Result<hyper::Response<ResponseBody>, Aborted> {
    client.state.enter(Phase::Working);
    client.state.set_lingers(false);
    let (head, incoming) = request.into_parts();
    let body = RequestBody::new(incoming, &client.state).map(|body| (Framing::of(&head), body));
    let whole = body.as_ref().map_or_else(Body::empty, |(_, body)| Body::new(body.clone()));
    let request = Request::from_parts(head, whole);
    let begun = log.is_some().then(|| RequestStart::new(&request, &app.sandboxes));
    let may_take_long = control::is_search(request.uri().path());
    let answering = app.serve(request, body.as_ref(), &client.peer);
    let mut response = if may_take_long {
        // A search is not in the journal, so a client that leaves during it leaves no entry unread.
        *client.newest.lock() = None;
        client.state.wait_for(answering).await
    } else {
        answering.await
    };
    if let Some((framing, body)) = &body {
        finish_request_body(&mut response, *framing, body, &app.limits, &client.state).await;
    }
    response.headers_mut().insert(header::DATE, app.dates.value((app.clock)()));
    let meta = response.extensions_mut().remove::<ResponseMeta>();
    *client.newest.lock() = meta.as_ref().and_then(|meta| meta.entry);
    let line = log.zip(begun).map(|(log, begun)| log.pending_line(begun, meta.as_ref()));
    if let Some(injected) = meta.as_ref().and_then(|meta| meta.fault.as_ref())
        && !injected.delay.is_zero()
    {
        client.state.wait(injected.delay).await;
    }
    if let Some(line) = line
        && !meta.as_ref().is_some_and(ResponseMeta::breaks)
    {
        line.finish(response.status());
    }
    apply_fault(response, meta, &client).await
}

/// Decides about a body that no handler has read. Either we read it beside the response, so that
/// the connection goes on, or the response says that the connection closes.
async fn finish_request_body(
    response: &mut Response,
    framing: Framing,
    body: &RequestBody,
    limits: &Limits,
    state: &ConnState,
) {
    if !body.is_unread() && !body.has_failed() {
        return;
    }
    state.set_lingers(true);
    let is_awaited = framing.expects && !body.is_started();
    if is_awaited && !framing.closes {
        // We do not ask for the body. hyper looks whether it has come nevertheless; if not, hyper
        // closes the connection, and says so in the response if it knows before it gets the
        // response.
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
        tokio::spawn(drain(rest, limits.head_timeout));
    }
}

/// Applies a fault to the connection and to the body.
async fn apply_fault(
    response: Response,
    meta: Option<ResponseMeta>,
    client: &Client,
) -> Result<hyper::Response<ResponseBody>, Aborted> {
    let fault = meta.as_ref().and_then(|meta| meta.fault.as_ref());
    let fault = fault.map(|injected| Arc::clone(&injected.fault));
    match fault.as_ref().and_then(|fault| fault.connection) {
        Some(ConnectionFault::Reset) => {
            client.state.set_fate(Fate::Reset);
            return Err(Aborted);
        }
        Some(ConnectionFault::NoAnswer) => {
            client.state.enter(Phase::Unanswered);
            client.state.wait_until(|| *client.ends.borrow()).await;
            return Err(Aborted);
        }
        None => {}
    }
    Ok(response.map(|body| {
        let mut body = ResponseBody::new(body, Arc::clone(&client.state));
        if let Some(fault) = fault {
            if fault.body == BodyForm::Truncated {
                body.truncate();
            }
            if let Some((rate, meta)) = fault.drip.zip(meta) {
                body.throttle(rate, meta);
            }
        }
        body
    }))
}

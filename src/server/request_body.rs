//! The body of a request. No endpoint of the vendor reads one.
//!
//! If a body is dropped before its end, hyper closes the connection, and the client's next request
//! fails or even this response is lost. So the connection shares each body with its handler. It
//! reads the rest of the body beside the response, or the response says that the connection closes.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Bytes, HttpBody};
use axum::http::{HeaderMap, Version, header, request};
use hyper::body::{Frame, Incoming, SizeHint};
use parking_lot::Mutex;

use super::conn_state::{ConnState, Phase};

/// We do not read a body of more bytes; the connection closes.
const MAX: u64 = 1 << 20;

/// A body that its handler and its connection share. While one of them waits for more of it, the
/// connection is in the phase [`Phase::Body`].
#[derive(Clone)]
pub(crate) struct RequestBody {
    source: Arc<Mutex<Source>>,
    state: Arc<ConnState>,
}

impl Drop for RequestBody {
    /// A handler may stop reading before the body has come completely.
    fn drop(&mut self) {
        self.state.advance(Phase::Body, Phase::Working);
    }
}

#[derive(Default)]
struct Source {
    /// `None`: it has ended, or is no longer read.
    incoming: Option<Incoming>,
    /// A handler has begun to read it.
    begun: bool,
    /// It is malformed, or the client has left.
    failed: bool,
}

/// What the head of a request says of its body and of its connection.
#[derive(Clone, Copy)]
pub(crate) struct Framing {
    /// The body is chunked.
    pub(super) is_chunked: bool,
    /// The client sends the body only after a `100 Continue`.
    pub(super) expects: bool,
    /// The connection closes after the response.
    pub(super) closes: bool,
}

impl Framing {
    pub(super) fn of(head: &request::Parts) -> Self {
        let connection = |token| has_token(&head.headers, token);
        let mut expectations = head.headers.get_all(header::EXPECT).iter();
        let expects =
            expectations.any(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"));
        Self {
            is_chunked: head.headers.contains_key(header::TRANSFER_ENCODING),
            expects: expects && head.version > Version::HTTP_10,
            closes: connection("close")
                || head.version < Version::HTTP_11 && !connection("keep-alive"),
        }
    }
}

/// Whether a `Connection` header holds a token.
fn has_token(headers: &HeaderMap, token: &str) -> bool {
    let values = headers.get_all(header::CONNECTION).iter();
    values
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .any(|one| one.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
}

/// The outcome of reading a body to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DrainOutcome {
    Read,
    /// It was longer than [`MAX`], or did not come in time.
    TooMuch,
    /// It is malformed, or the client has left.
    Failed,
}

impl RequestBody {
    /// `None`: the request has no body.
    pub(super) fn new(incoming: Incoming, state: &Arc<ConnState>) -> Option<Self> {
        if incoming.is_end_stream() {
            return None;
        }
        let source = Source { incoming: Some(incoming), ..Source::default() };
        Some(Self { source: Arc::new(Mutex::new(source)), state: Arc::clone(state) })
    }

    pub(super) fn has_failed(&self) -> bool {
        self.source.lock().failed
    }

    /// Whether a part of it has not been read.
    pub(super) fn is_unread(&self) -> bool {
        self.source.lock().incoming.as_ref().is_some_and(|incoming| !incoming.is_end_stream())
    }

    pub(super) fn is_started(&self) -> bool {
        self.source.lock().begun
    }

    /// Whether the rest is known to be longer than [`MAX`].
    pub(super) fn is_long(&self) -> bool {
        self.source
            .lock()
            .incoming
            .as_ref()
            .is_some_and(|incoming| incoming.size_hint().lower() > MAX)
    }

    /// Takes the rest out. When the caller drops it, hyper knows that it is not read.
    pub(super) fn take(&self) -> Option<Incoming> {
        self.source.lock().incoming.take()
    }
}

/// Reads the rest of a body and discards it.
pub(super) async fn drain(
    mut body: impl HttpBody<Data = Bytes> + Unpin,
    within: Duration,
) -> DrainOutcome {
    let read = async {
        let mut met = 0;
        while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await
        {
            let Ok(frame) = frame else { return DrainOutcome::Failed };
            met += frame.data_ref().map_or(0, |data| data.len() as u64);
            if met > MAX {
                return DrainOutcome::TooMuch;
            }
        }
        DrainOutcome::Read
    };
    tokio::time::timeout(within, read).await.unwrap_or(DrainOutcome::TooMuch)
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let mut source = self.source.lock();
        source.begun = true;
        let Some(incoming) = &mut source.incoming else { return Poll::Ready(None) };
        let frame = Pin::new(incoming).poll_frame(cx);
        match &frame {
            Poll::Ready(Some(Ok(_))) => {}
            Poll::Ready(Some(Err(_))) => {
                source.failed = true;
                source.incoming = None;
            }
            Poll::Ready(None) => source.incoming = None,
            Poll::Pending => self.state.advance(Phase::Working, Phase::Body),
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.source.lock().incoming.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.source.lock().incoming.as_ref().map_or_else(SizeHint::default, HttpBody::size_hint)
    }
}

//! The body of a request, which no endpoint of the vendor's reads.
//!
//! hyper closes a connection when a body is dropped before its end, and the client's next request
//! fails, or even this answer is lost. So the connection keeps a hand on each body: what nobody has
//! read when the answer is there is read beside it, or the answer says that the connection closes.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Bytes, HttpBody};
use axum::http::{HeaderMap, Version, header, request};
use hyper::body::{Frame, Incoming, SizeHint};

use super::conn_state::{ConnState, Phase};

/// A longer body is not read; the connection closes.
const MOST: u64 = 1 << 20;

/// A body that its handler and its connection share. As long as one of them waits for it, the
/// connection says so.
#[derive(Clone)]
pub(crate) struct RequestBody {
    source: Arc<Mutex<Source>>,
    state: Arc<ConnState>,
}

impl Drop for RequestBody {
    /// Whoever has read it lets it go, also where not all of it has come.
    fn drop(&mut self) {
        self.state.pass(Phase::Body, Phase::Working);
    }
}

#[derive(Default)]
struct Source {
    /// `None`: it has ended, or nobody reads it any more.
    incoming: Option<Incoming>,
    /// Somebody has begun to read it.
    begun: bool,
    /// It is malformed, or the client is gone.
    failed: bool,
}

/// What a request says of its body and of its connection.
#[derive(Clone, Copy)]
pub(crate) struct Framing {
    /// It comes in chunks.
    pub(super) is_chunked: bool,
    /// The client waits with it until it is asked for it.
    pub(super) expects: bool,
    /// The connection closes behind the answer.
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

/// What became of reading a body to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    Read,
    /// There was more than [`MOST`], or it did not come in time.
    TooMuch,
    /// It is malformed, or the client is gone.
    Failed,
}

impl RequestBody {
    /// `None`: there is none.
    pub(super) fn new(incoming: Incoming, state: &Arc<ConnState>) -> Option<Self> {
        if incoming.is_end_stream() {
            return None;
        }
        let source = Source { incoming: Some(incoming), ..Source::default() };
        Some(Self { source: Arc::new(Mutex::new(source)), state: Arc::clone(state) })
    }

    /// Nothing under this lock can leave it half changed, so we use a poisoned one like any other.
    fn source(&self) -> MutexGuard<'_, Source> {
        self.source.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn has_failed(&self) -> bool {
        self.source().failed
    }

    /// Whether there is something that nobody has read.
    pub(super) fn is_unread(&self) -> bool {
        self.source().incoming.as_ref().is_some_and(|incoming| !incoming.is_end_stream())
    }

    pub(super) fn is_begun(&self) -> bool {
        self.source().begun
    }

    /// Whether what is left is known to be too long to be read.
    pub(super) fn is_long(&self) -> bool {
        self.source().incoming.as_ref().is_some_and(|incoming| incoming.size_hint().lower() > MOST)
    }

    /// Takes the rest out. Once it is dropped, hyper knows that nobody reads it.
    pub(super) fn take(&self) -> Option<Incoming> {
        self.source().incoming.take()
    }
}

/// Reads the rest of a body and throws it away.
pub(super) async fn read_rest(
    mut body: impl HttpBody<Data = Bytes> + Unpin,
    within: Duration,
) -> Rest {
    let read = async {
        let mut met = 0;
        while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await
        {
            let Ok(frame) = frame else { return Rest::Failed };
            met += frame.data_ref().map_or(0, |data| data.len() as u64);
            if met > MOST {
                return Rest::TooMuch;
            }
        }
        Rest::Read
    };
    tokio::time::timeout(within, read).await.unwrap_or(Rest::TooMuch)
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let mut source = self.source();
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
            Poll::Pending => self.state.pass(Phase::Working, Phase::Body),
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.source().incoming.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.source().incoming.as_ref().map_or_else(SizeHint::default, HttpBody::size_hint)
    }
}

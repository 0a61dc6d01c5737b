//! The body of a response: it reports when hyper has all of it, and a fault truncates or throttles
//! it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep};

use super::conn_state::{ConnState, Fate, POLL_INTERVAL, Phase};
use crate::api::ResponseMeta;

/// The body of a response on its way to hyper.
pub(super) struct ResponseBody {
    body: Body,
    state: Arc<ConnState>,
    /// How many bytes of the body are still to be sent; `None`: all of them.
    limit: Option<usize>,
    throttle: Option<Throttle>,
}

/// Lets a body flow at a rate.
struct Throttle {
    /// What was read from the body and is not sent yet.
    data: Bytes,
    bytes_per_second: u32,
    sent: u64,
    began: Instant,
    sleep: Pin<Box<Sleep>>,
    /// A sandbox is in use until the last byte, so we hold it that long.
    _meta: ResponseMeta,
}

impl ResponseBody {
    pub(super) fn new(body: Body, state: Arc<ConnState>) -> Self {
        state.enter(Phase::Answering);
        Self { body, state, limit: None, throttle: None }
    }

    /// Sends half of the body, though the head promises all of it, and ends the connection.
    pub(super) fn truncate(&mut self) {
        let length = self.body.size_hint().exact().expect("the body of a fault is one buffer");
        self.limit = Some(usize::try_from(length / 2).expect("the length of a buffer fits"));
    }

    /// Sends the body at a rate.
    pub(super) fn throttle(&mut self, bytes_per_second: u32, meta: ResponseMeta) {
        self.throttle = Some(Throttle {
            data: Bytes::new(),
            bytes_per_second,
            sent: 0,
            began: Instant::now(),
            sleep: Box::pin(tokio::time::sleep(Duration::ZERO)),
            _meta: meta,
        });
    }
}

impl Drop for ResponseBody {
    fn drop(&mut self) {
        self.state.advance(Phase::Answering, Phase::Flushing);
    }
}

impl Throttle {
    /// The next bytes of `data`, as soon as they are due.
    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Bytes> {
        loop {
            let passed = self.began.elapsed().as_secs_f64();
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive")]
            let due = (passed * f64::from(self.bytes_per_second)) as u64;
            let due = usize::try_from(due.saturating_sub(self.sent)).unwrap_or(usize::MAX);
            if due > 0 {
                let data = self.data.split_to(due.min(self.data.len()));
                self.sent += data.len() as u64;
                return Poll::Ready(data);
            }
            // At high rates several bytes go at once, because a timer for each would cost more CPU.
            let next = Duration::from_secs_f64(1.0 / f64::from(self.bytes_per_second));
            self.sleep.as_mut().reset(Instant::now() + next.max(POLL_INTERVAL));
            ready!(self.sleep.as_mut().poll(cx));
        }
    }
}

impl HttpBody for ResponseBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        if let Some(throttle) = &mut this.throttle
            && !throttle.data.is_empty()
        {
            return throttle.poll_data(cx).map(|data| Some(Ok(Frame::data(data))));
        }
        if this.limit == Some(0) {
            // hyper writes what it has, and then the socket ends the connection.
            this.state.set_fate(Fate::Cut);
            return Poll::Pending;
        }
        let frame = ready!(Pin::new(&mut this.body).poll_frame(cx)?);
        let Some(Ok(mut data)) = frame.map(Frame::into_data) else { return Poll::Ready(None) };
        if let Some(limit) = &mut this.limit {
            data.truncate(*limit);
            *limit -= data.len();
        }
        match &mut this.throttle {
            Some(throttle) => {
                throttle.data = data;
                throttle.poll_data(cx).map(|data| Some(Ok(Frame::data(data))))
            }
            None => Poll::Ready(Some(Ok(Frame::data(data)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        let is_sent = self.throttle.as_ref().is_none_or(|throttle| throttle.data.is_empty());
        is_sent && self.limit.is_none() && self.body.is_end_stream()
    }

    /// hyper asks for this once, before the first frame.
    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

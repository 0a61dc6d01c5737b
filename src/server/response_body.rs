//! The bodies of answers: each says when hyper has all of it, and a fault cuts one off or slows it.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep};

use super::conn_state::{CUT, ConnState, LOOK, Phase};

/// An answer on its way, which says when hyper has all of it.
pub(super) struct TrackedBody {
    body: Body,
    state: Arc<ConnState>,
}

impl TrackedBody {
    pub(super) fn new(body: Body, state: Arc<ConnState>) -> Self {
        state.enter(Phase::Answering);
        Self { body, state }
    }
}

impl Drop for TrackedBody {
    fn drop(&mut self) {
        self.state.pass(Phase::Answering, Phase::Flushing);
    }
}

impl HttpBody for TrackedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// An answer of which half comes, while its head promises all of it.
pub(super) struct TruncatedBody {
    body: Body,
    state: Arc<ConnState>,
    /// How many bytes come yet.
    left: usize,
}

impl TruncatedBody {
    pub(super) fn of(body: Body, state: Arc<ConnState>) -> Self {
        let whole = body.size_hint().exact().unwrap_or(0);
        Self { body, state, left: usize::try_from(whole / 2).unwrap_or(0) }
    }
}

impl HttpBody for TruncatedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.left > 0
            && let Poll::Ready(Some(frame)) = Pin::new(&mut self.body).poll_frame(cx)?
            && let Ok(mut data) = frame.into_data()
        {
            data.truncate(self.left);
            self.left -= data.len();
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        // hyper sends what it has, and then meets the end.
        self.state.state.store(CUT, Relaxed);
        Poll::Pending
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// An answer that comes at a rate.
pub(super) struct ThrottledBody<T> {
    body: Body,
    /// What came of the body and has not been handed on.
    data: Bytes,
    bytes_per_second: u32,
    sent: u64,
    began: Instant,
    sleep: Pin<Box<Sleep>>,
    /// Kept until the answer ends.
    _keeps: T,
}

impl<T> ThrottledBody<T> {
    pub(super) fn of(body: Body, bytes_per_second: u32, keeps: T) -> Self {
        let began = Instant::now();
        let sleep = Box::pin(tokio::time::sleep(Duration::ZERO));
        Self { body, data: Bytes::new(), bytes_per_second, sent: 0, began, sleep, _keeps: keeps }
    }
}

impl<T: Unpin> HttpBody for ThrottledBody<T> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        if this.data.is_empty() {
            match std::task::ready!(Pin::new(&mut this.body).poll_frame(cx)?) {
                Some(frame) => this.data = frame.into_data().unwrap_or_default(),
                None => return Poll::Ready(None),
            }
        }
        loop {
            let passed = this.began.elapsed().as_secs_f64();
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive")]
            let due = (passed * f64::from(this.bytes_per_second)) as u64;
            let due = usize::try_from(due.saturating_sub(this.sent)).unwrap_or(usize::MAX);
            if due > 0 {
                let some = this.data.split_to(due.min(this.data.len()));
                this.sent += some.len() as u64;
                return Poll::Ready(Some(Ok(Frame::data(some))));
            }
            // Until the next byte, or a few of them.
            let next = Duration::from_secs_f64(1.0 / f64::from(this.bytes_per_second)).max(LOOK);
            this.sleep.as_mut().reset(Instant::now() + next);
            std::task::ready!(this.sleep.as_mut().poll(cx));
        }
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = self.body.size_hint();
        let held = self.data.len() as u64;
        hint.set_lower(hint.lower() + held);
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper + held);
        }
        hint
    }
}

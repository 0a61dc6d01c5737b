//! Requests as they come, as server-sent events. A listener is never ahead of what it reads: its
//! stream is written when it asks for more, out of the journal. What has gone from there by then is
//! told by its number.

use std::fmt::Write;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::Response;
use hyper::body::Frame;
use tokio::sync::watch;

use super::Failure;
use super::query::Asked;
use super::shapes::ServeEvent;
use crate::sandbox::Sandboxes;
use crate::sandbox::journal::{News, Request};
use crate::shape::{at_least, written};

/// A listener that hears nothing for so long is told that the server is there.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// So many requests are written at once.
const MOST_AT_ONCE: usize = 50;

/// How a stream begins, so that a listener knows that it listens.
const HELLO: &[u8] = b": gptbots-mock\nretry: 1000\n\n";

pub(crate) const EVENT_STREAM: &str = "text/event-stream";

written! {
    /// Requests that the journal no longer had when a listener came to them.
    pub(crate) struct Dropped is "Dropped" in "snake_case" {
        /// The number of the last request that was told before.
        after: u64,
        /// How many went, where that is known.
        #[serde(skip_serializing_if = "Option::is_none")]
        dropped: Option<u64> => at_least(1),
    }
}

pub(crate) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// `GET /__admin/events`
pub(crate) fn answer(
    all: &Arc<Sandboxes>,
    asked: Asked,
    headers: &HeaderMap,
) -> Result<Response, Failure> {
    if !all.journals().is_on() {
        let message = "there is no journal (--journal 0), and so there are no events";
        return Err(Failure::not_found(message));
    }
    let next = all.journals().next();
    let last = match headers.get(LAST_EVENT_ID) {
        None => next - 1,
        Some(id) => {
            let id = id.to_str().ok().and_then(|id| id.parse::<u64>().ok());
            let wrong = || {
                let message = "Last-Event-ID must be the number of a request";
                Failure::bad(message)
            };
            // One that is not there yet is another server's: everything here is new.
            Some(id.ok_or_else(wrong)?).filter(|last| *last < next).unwrap_or(0)
        }
    };
    let listener = Listener {
        news: all.journals().news(),
        all: Arc::clone(all),
        only: asked.sandbox,
        last,
        heartbeat: HEARTBEAT,
    };
    let mut response = Response::new(Body::new(Events::of(listener)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(EVENT_STREAM));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Ok(response)
}

/// Someone who listens.
struct Listener {
    all: Arc<Sandboxes>,
    only: Option<String>,
    /// The newest request that was told.
    last: u64,
    news: watch::Receiver<News>,
    heartbeat: Duration,
}

impl Listener {
    /// What is written next; `None`: the server ends.
    async fn next(mut self) -> Option<(Bytes, Self)> {
        loop {
            if self.news.borrow_and_update().ends {
                return None;
            }
            // It looks at every sandbox, which takes a while where they are many.
            let written = tokio::task::spawn_blocking(move || (self.write(), self)).await;
            let text;
            (text, self) = written.ok()?;
            if !text.is_empty() {
                return Some((text.into(), self));
            }
            tokio::select! {
                heard = self.news.changed() => heard.ok()?,
                () = tokio::time::sleep(self.heartbeat) => {
                    return Some((Bytes::from_static(b":\n\n"), self));
                }
            }
        }
    }

    /// What there is to tell.
    fn write(&mut self) -> String {
        let followed = self.all.follow(self.only.as_deref(), self.last, MOST_AT_ONCE);
        let mut text = String::new();
        if followed.gone != Some(0) {
            let dropped = Dropped { after: self.last, dropped: followed.gone };
            // Strings and numbers always serialize, and writing to a string cannot fail.
            let json = serde_json::to_string(&dropped).unwrap_or_default();
            let _ = write!(text, "event: dropped\ndata: {json}\n\n");
        }
        if !followed.entries.is_empty() {
            let redactor = self.all.redactor();
            for (sandbox, entry) in &followed.entries {
                let request = Request::new(entry, &sandbox.id, &redactor);
                let json = serde_json::to_string(&ServeEvent::of(&request)).unwrap_or_default();
                let _ = write!(text, "event: request\nid: {}\ndata: {json}\n\n", entry.number);
            }
        }
        self.last = followed.until;
        text
    }
}

type Next = Pin<Box<dyn Future<Output = Option<(Bytes, Listener)>> + Send>>;

/// The stream of one listener.
struct Events {
    next: Option<Next>,
}

impl Events {
    fn of(listener: Listener) -> Self {
        let hello = async { Some((Bytes::from_static(HELLO), listener)) };
        Self { next: Some(Box::pin(hello)) }
    }
}

impl HttpBody for Events {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let Some(next) = &mut self.next else { return Poll::Ready(None) };
        let Some((bytes, listener)) = ready!(next.as_mut().poll(cx)) else {
            self.next = None;
            return Poll::Ready(None);
        };
        self.next = Some(Box::pin(listener.next()));
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }
}

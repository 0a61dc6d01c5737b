//! New requests as server-sent events. An event is made from the journal when the listener has read the
//! previous events, so that waiting events take no memory. A request that is no longer in the journal by
//! then is reported as dropped.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, Method};
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{StreamExt, stream};
use serde::Serialize;
use tokio::sync::watch;

use super::Failure;
use super::extract::{Query, SandboxFilter};
use super::operation::{Operation, ResponseKind};
use super::serve_event::ServeEvent;
use crate::keys::SandboxId;
use crate::sandbox::Sandboxes;
use crate::sandbox::journal::{JournalNews, Request};

/// After this time without an event, the server sends a comment, so that the listener knows that the
/// server is running.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// The most requests that are written at once.
const MOST_AT_ONCE: usize = 50;

pub(crate) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Requests that were no longer in the journal when they were to be sent.
#[derive(Serialize)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema))]
pub(crate) struct Dropped {
    /// The number of the last request that was sent before.
    after: u64,
    /// How many requests are missing, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "docs", schemars(with = "u64", range(min = 1)))]
    dropped: Option<u64>,
}

pub(super) fn stream() -> Operation {
    Operation::new(Method::GET, "/events", "events")
        .about("sends each request as a server-sent event when it arrives")
        .answers_as(ResponseKind::Events)
        .fails(&[404])
        .blocking(|call, (Query(of), headers): (Query<SandboxFilter>, HeaderMap)| {
            if !call.journals().is_on() {
                let message = "there is no journal (--journal 0), so there are no events";
                return Err(Failure::not_found(message));
            }
            let listener = Listener {
                last: last_request(&headers, call.journals().next())?,
                news: call.journals().news(),
                sandboxes: Arc::clone(&call.sandboxes),
                only: of.sandbox,
            };
            // The first event shows the listener that it is connected.
            let hello = Event::default().comment("gptbots-mock").retry(Duration::from_secs(1));
            let events = stream::unfold(listener, Listener::next).flat_map(stream::iter);
            let events = stream::iter([hello]).chain(events).map(Ok::<_, Infallible>);
            let heartbeat = KeepAlive::new().interval(HEARTBEAT);
            Ok(Sse::new(events).keep_alive(heartbeat).into_response())
        })
}

/// The number of the last request that a listener has read, where the next one will be `next`.
fn last_request(headers: &HeaderMap, next: u64) -> Result<u64, Failure> {
    let Some(id) = headers.get(LAST_EVENT_ID) else { return Ok(next - 1) };
    let id = id.to_str().ok().and_then(|id| id.parse().ok());
    let id: u64 =
        id.ok_or_else(|| Failure::bad("Last-Event-ID must be the number of a request"))?;
    // A number that this server has not reached is from another server, so every request is new.
    Ok(if id < next { id } else { 0 })
}

/// A client that listens.
struct Listener {
    sandboxes: Arc<Sandboxes>,
    only: Option<SandboxId>,
    /// The newest request that was written.
    last: u64,
    news: watch::Receiver<JournalNews>,
}

impl Listener {
    /// The next events, at least one; `None` when the server ends.
    async fn next(mut self) -> Option<(Vec<Event>, Self)> {
        loop {
            if self.news.borrow_and_update().ends {
                return None;
            }
            // This looks at every sandbox, which takes long if there are many.
            let written = tokio::task::spawn_blocking(move || (self.write(), self)).await;
            let events;
            (events, self) = written.ok()?;
            if !events.is_empty() {
                return Some((events, self));
            }
            self.news.changed().await.ok()?;
        }
    }

    /// The events since the last request that was written.
    fn write(&mut self) -> Vec<Event> {
        let followed = self.sandboxes.follow(self.only.as_deref(), self.last, MOST_AT_ONCE);
        let mut events = Vec::new();
        if followed.missing != Some(0) {
            let dropped = Dropped { after: self.last, dropped: followed.missing };
            events.push(with_data(Event::default().event("dropped"), &dropped));
        }
        if !followed.entries.is_empty() {
            let redactor = self.sandboxes.redactor();
            for (sandbox, entry) in &followed.entries {
                let request = Request::new(entry, &sandbox.id, &redactor);
                let event = Event::default().event("request").id(entry.number.to_string());
                events.push(with_data(event, &ServeEvent::new(&request)));
            }
        }
        self.last = followed.until;
        events
    }
}

fn with_data(event: Event, data: &impl Serialize) -> Event {
    event.json_data(data).expect("strings and numbers serialize")
}

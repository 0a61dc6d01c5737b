//! What requests came: `WireMock`'s verbs over the journal, in `WireMock`'s shapes (`shapes.rs`).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use axum::response::Response;

use super::pattern::{Pattern, Stopped};
use super::query::Asked;
use super::shapes::{Logged, ServeEvent, number_of};
use super::{Done, Failure, apart, json, sandboxes};
use crate::sandbox::journal::{Entry, Redactor, Request, found_endpoint};
use crate::sandbox::{Collected, Sandbox, Sandboxes};
use crate::shape::written;

/// Requests are held against a pattern for so long.
const PATIENCE: Duration = Duration::from_secs(5);

written! {
    /// Requests with their answers.
    pub(super) struct Events<'a> is "ServeEvents" in "camelCase" {
        /// Those that were asked for, the newest first.
        requests: Vec<ServeEvent<'a>>,
        /// How many there are.
        meta: Meta,
        /// Whether there is no journal.
        request_journal_disabled: bool,
    }
}

written! {
    /// How many requests there are.
    struct Meta is "Meta" in "camelCase" {
        /// How many the journal had when it was asked, whether they were asked for or not.
        total: usize,
        /// How many more there were, which the journal had to drop: a count that may lack some of
        /// them proves nothing.
        dropped: u64,
    }
}

impl Meta {
    fn of(collected: &Collected) -> Self {
        Self { total: collected.entries.len(), dropped: collected.dropped }
    }
}

written! {
    /// Requests in the order in which they came.
    pub(super) struct Found<'a> is "LoggedRequests" in "camelCase" {
        /// The requests.
        requests: Vec<Logged<'a>>,
        /// How many there are.
        meta: Meta,
        /// Whether there is no journal.
        request_journal_disabled: bool,
    }
}

written! {
    /// How many requests fit.
    pub(super) struct Count is "Count" in "camelCase" {
        /// How many.
        count: usize,
        /// How many there are.
        meta: Meta,
        /// Whether there is no journal.
        request_journal_disabled: bool,
    }
}

written! {
    /// Requests that were removed.
    pub(super) struct Removed<'a> is "RemovedRequests" in "camelCase" {
        /// The requests, in the order in which they came.
        serve_events: Vec<ServeEvent<'a>>,
        /// How many there were.
        meta: Meta,
    }
}

/// What the journal has of the sandbox that was asked for, or of all. One that is not there is told:
/// whoever misspells its name would get an empty list, and take it for an answer.
fn collect(all: &Sandboxes, asked: &Asked) -> Result<Collected, Failure> {
    if let Some(id) = &asked.sandbox
        && all.find(id).is_none()
    {
        return Err(sandboxes::unknown(all, id));
    }
    Ok(all.collect(asked.sandbox.as_deref()))
}

/// `GET /__admin/requests`: the newest first.
pub(super) async fn list(all: &Arc<Sandboxes>, asked: Asked) -> Result<Response, Failure> {
    apart(all, move |all| {
        let collected = collect(all, &asked)?;
        let meta = Meta::of(&collected);
        let new = |entry: &Entry| asked.since.is_none_or(|since| entry.at > since);
        let wanted = collected.entries.iter().rev().filter(|(_, entry)| new(entry));
        let requests = shown(all, wanted.take(asked.limit.unwrap_or(usize::MAX)));
        Ok(json(&Events {
            requests: requests.iter().map(ServeEvent::of).collect(),
            meta,
            request_journal_disabled: !all.journals().is_on(),
        }))
    })
    .await
}

/// `GET /__admin/requests/{id}`
pub(super) fn show(all: &Sandboxes, id: &str, asked: &Asked) -> Result<Response, Failure> {
    let found = number_of(id).and_then(|number| all.request(asked.sandbox.as_deref(), number));
    let Some((sandbox, entry)) = found else {
        if let Some(sandbox) = &asked.sandbox
            && all.find(sandbox).is_none()
        {
            return Err(sandboxes::unknown(all, sandbox));
        }
        let id = crate::suggest::quoted(id);
        let message = format!("no request {id} is in the journal; GET /__admin/requests has them");
        return Err(Failure::not_found(message));
    };
    let request = Request::new(&entry, &sandbox.id, &all.redactor());
    Ok(json(&ServeEvent::of(&request)))
}

/// `DELETE /__admin/requests`, `POST /__admin/requests/reset`
pub(super) fn forget(all: &Sandboxes, asked: &Asked) -> Response {
    all.forget(asked.sandbox.as_deref(), |_| true);
    json(&Done {})
}

/// `DELETE /__admin/requests/{id}`
pub(super) fn forget_one(all: &Sandboxes, id: &str, asked: &Asked) -> Response {
    if let Some(wanted) = number_of(id) {
        all.forget(asked.sandbox.as_deref(), |number| number == wanted);
    }
    json(&Done {})
}

/// Answers with the requests that fit the pattern of a body.
async fn with_fitting(
    all: &Arc<Sandboxes>,
    asked: Asked,
    body: Vec<u8>,
    answer: impl FnOnce(&Sandboxes, &Asked, &[Filed], Meta) -> Response + Send + 'static,
) -> Result<Response, Failure> {
    let waiting = Waiting::default();
    let abandoned = Arc::clone(&waiting.abandoned);
    apart(all, move |all| {
        // A pattern of megabytes takes its time, too.
        let pattern = Pattern::read(body)?;
        let collected = collect(all, &asked)?;
        let meta = Meta::of(&collected);
        let fitting = fitting(collected, &pattern, &abandoned)?;
        Ok(answer(all, &asked, &fitting, meta))
    })
    .await
}

/// Someone who waits for an answer. Dropped with the request, as when the client resets the
/// connection.
#[derive(Default)]
struct Waiting {
    abandoned: Arc<AtomicBool>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.abandoned.store(true, Relaxed);
    }
}

/// `POST /__admin/requests/find`: in the order in which they came.
pub(super) async fn find(
    all: &Arc<Sandboxes>,
    asked: Asked,
    body: Vec<u8>,
) -> Result<Response, Failure> {
    with_fitting(all, asked, body, |all, _, fitting, meta| found(all, fitting, meta)).await
}

/// `POST /__admin/requests/count`
pub(super) async fn count(
    all: &Arc<Sandboxes>,
    asked: Asked,
    body: Vec<u8>,
) -> Result<Response, Failure> {
    with_fitting(all, asked, body, |all, _, fitting, meta| {
        let request_journal_disabled = !all.journals().is_on();
        json(&Count { count: fitting.len(), meta, request_journal_disabled })
    })
    .await
}

/// `POST /__admin/requests/remove`: answers those that it removed.
pub(super) async fn remove(
    all: &Arc<Sandboxes>,
    asked: Asked,
    body: Vec<u8>,
) -> Result<Response, Failure> {
    with_fitting(all, asked, body, |all, asked, fitting, meta| {
        let numbers: BTreeSet<u64> = fitting.iter().map(|(_, entry)| entry.number).collect();
        all.forget(asked.sandbox.as_deref(), |number| numbers.contains(&number));
        let requests = shown(all, fitting.iter());
        json(&Removed { serve_events: requests.iter().map(ServeEvent::of).collect(), meta })
    })
    .await
}

/// `GET /__admin/requests/unmatched`: those that found no endpoint.
pub(super) async fn unmatched(all: &Arc<Sandboxes>, asked: Asked) -> Result<Response, Failure> {
    apart(all, move |all| {
        let collected = collect(all, &asked)?;
        let meta = Meta::of(&collected);
        let mut entries = collected.entries;
        entries.retain(|(_, entry)| !found_endpoint(entry.operation, entry.code));
        Ok(found(all, &entries, meta))
    })
    .await
}

type Filed = (Arc<Sandbox>, Entry);

/// The requests that fit a pattern.
fn fitting(
    collected: Collected,
    pattern: &Pattern,
    abandoned: &AtomicBool,
) -> Result<Vec<Filed>, Failure> {
    let begun = Instant::now();
    let stop = || abandoned.load(Relaxed) || begun.elapsed() > PATIENCE;
    let mut fitting = Vec::new();
    for filed in collected.entries {
        let fits = if stop() { Err(Stopped) } else { pattern.fits(&filed.1, &stop) };
        let fits = fits.map_err(|Stopped| {
            Failure::bad(
                "to match every request would take too long; narrow it by `sandbox`, or give \
                 smaller expressions",
            )
        })?;
        if fits {
            fitting.push(filed);
        }
    }
    Ok(fitting)
}

/// Requests without their keys.
fn shown<'a>(all: &Sandboxes, filed: impl Iterator<Item = &'a Filed>) -> Vec<Request> {
    let redactor: Redactor = all.redactor();
    filed.map(|(sandbox, entry)| Request::new(entry, &sandbox.id, &redactor)).collect()
}

fn found(all: &Sandboxes, filed: &[Filed], meta: Meta) -> Response {
    let requests = shown(all, filed.iter());
    json(&Found {
        requests: requests.iter().map(Logged::of).collect(),
        meta,
        request_journal_disabled: !all.journals().is_on(),
    })
}

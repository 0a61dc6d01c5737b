//! Operations on the journal: `WireMock`'s verbs, in `WireMock`'s shapes (`serve_event.rs`).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::extract::{Body, Listing, OfSandbox, Path, Query};
use super::operation::{Done, Examples, Operation};
use super::pattern::{Pattern, Stopped};
use super::serve_event::{LoggedRequest, ServeEvent, number_of};
use super::{Failure, Shared, on_blocking_thread, sandboxes};
use crate::sandbox::journal::{Entry, Request, found_endpoint};
use crate::sandbox::{Collected, Sandbox, Sandboxes};

/// Requests are matched with a pattern for this long at most.
const MOST_TIME: Duration = Duration::from_secs(5);

/// Requests with their answers.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema))]
struct ServeEvents<'a> {
    /// Those that were asked for, the newest first.
    requests: Vec<ServeEvent<'a>>,
    /// How many there are.
    meta: Meta,
    /// Whether there is no journal.
    request_journal_disabled: bool,
}

/// How many requests there are.
#[derive(Serialize)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema))]
struct Meta {
    /// How many the journal had when it was asked, whether they were asked for or not.
    total: usize,
    /// How many more there were, which the journal had to drop: a count that may lack some of
    /// them proves nothing.
    dropped: u64,
}

/// Requests in the order in which they came.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema))]
struct LoggedRequests<'a> {
    /// The requests.
    requests: Vec<LoggedRequest<'a>>,
    /// How many there are.
    meta: Meta,
    /// Whether there is no journal.
    request_journal_disabled: bool,
}

/// How many requests fit.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema))]
struct Count {
    /// How many.
    count: usize,
    /// How many there are.
    meta: Meta,
    /// Whether there is no journal.
    request_journal_disabled: bool,
}

/// Requests that were removed.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema))]
struct RemovedRequests<'a> {
    /// The requests, in the order in which they came.
    serve_events: Vec<ServeEvent<'a>>,
    /// How many there were.
    meta: Meta,
}

/// A request of the journal, in its sandbox.
type Filed = (Arc<Sandbox>, Entry);

/// The requests that the journal has of a sandbox, or of all, and how many there are. We refuse a
/// sandbox that is not there, because a client that misspells its name would take an empty list for
/// an answer.
fn collect(sandboxes: &Sandboxes, of: &OfSandbox) -> Result<(Vec<Filed>, Meta), Failure> {
    check_sandbox(sandboxes, of)?;
    let Collected { entries, dropped } = sandboxes.collect(of.sandbox.as_deref());
    let meta = Meta { total: entries.len(), dropped };
    Ok((entries, meta))
}

fn check_sandbox(sandboxes: &Sandboxes, of: &OfSandbox) -> Result<(), Failure> {
    match &of.sandbox {
        Some(id) if sandboxes.find(id).is_none() => Err(sandboxes::unknown(sandboxes, id)),
        _ => Ok(()),
    }
}

/// Requests as they are shown, without keys.
fn shown<'a>(sandboxes: &Sandboxes, filed: impl IntoIterator<Item = &'a Filed>) -> Vec<Request> {
    let redactor = sandboxes.redactor();
    let filed = filed.into_iter();
    filed.map(|(sandbox, entry)| Request::new(entry, &sandbox.id, &redactor)).collect()
}

/// Answers with requests in the order in which they came.
fn logged(sandboxes: &Sandboxes, filed: &[Filed], meta: Meta) -> Response {
    let requests = shown(sandboxes, filed);
    let requests = requests.iter().map(LoggedRequest::new).collect();
    let request_journal_disabled = !sandboxes.journals().is_on();
    Json(LoggedRequests { requests, meta, request_journal_disabled }).into_response()
}

pub(super) fn list() -> Operation {
    async fn handler(
        State(sandboxes): Shared,
        Query(Listing { limit, since, of }): Query<Listing>,
    ) -> Result<Response, Failure> {
        on_blocking_thread(&sandboxes, move |sandboxes| {
            let (entries, meta) = collect(sandboxes, &of)?;
            let is_new = |entry: &Entry| since.is_none_or(|since| entry.at > since);
            let newest = entries.iter().rev().filter(|(_, entry)| is_new(entry));
            let requests = shown(sandboxes, newest.take(limit.unwrap_or(usize::MAX)));
            let requests = requests.iter().map(ServeEvent::new).collect();
            let request_journal_disabled = !sandboxes.journals().is_on();
            Ok(Json(ServeEvents { requests, meta, request_journal_disabled }).into_response())
        })
        .await?
    }
    Operation::get("/requests", "listRequests")
        .about("the journal, newest first, as WireMock's")
        .query::<Listing>()
        .answers::<ServeEvents<'_>>()
        .fails(&[404, 500])
        .handler(handler)
}

async fn forget_all(
    State(sandboxes): Shared,
    Query(of): Query<OfSandbox>,
) -> Result<Json<Done>, Failure> {
    on_blocking_thread(&sandboxes, move |sandboxes| {
        sandboxes.forget(of.sandbox.as_deref(), |_| true);
        Json(Done {})
    })
    .await
}

pub(super) fn forget() -> Operation {
    Operation::delete("/requests", "forgetRequests")
        .about("forgets the journal")
        .query::<OfSandbox>()
        .handler(forget_all)
}

pub(super) fn reset() -> Operation {
    Operation::post("/requests/reset", "resetRequests")
        .about("forgets the journal, as `DELETE /requests`")
        .query::<OfSandbox>()
        .handler(forget_all)
}

const PATTERNS: Examples = &[
    ("path", r#"{"method": "GET", "urlPath": "/v1/messages"}"#),
    ("parameter", r#"{"queryParameters": {"page": {"equalTo": "1"}, "sort": {"absent": true}}}"#),
];

pub(super) fn find() -> Operation {
    async fn handler(
        State(sandboxes): Shared,
        Query(of): Query<OfSandbox>,
        Body(pattern): Body<Pattern>,
    ) -> Result<Response, Failure> {
        let answer = |sandboxes: &_, fitting: &_, meta| logged(sandboxes, fitting, meta);
        with_fitting(&sandboxes, of, pattern, answer).await
    }
    Operation::post("/requests/find", "findRequests")
        .about("the requests that fit a pattern")
        .query::<OfSandbox>()
        .body::<Pattern>(PATTERNS)
        .answers::<LoggedRequests<'_>>()
        .fails(&[404, 500])
        .handler(handler)
}

pub(super) fn count() -> Operation {
    async fn handler(
        State(sandboxes): Shared,
        Query(of): Query<OfSandbox>,
        Body(pattern): Body<Pattern>,
    ) -> Result<Response, Failure> {
        with_fitting(&sandboxes, of, pattern, |sandboxes, fitting, meta| {
            let request_journal_disabled = !sandboxes.journals().is_on();
            Json(Count { count: fitting.len(), meta, request_journal_disabled }).into_response()
        })
        .await
    }
    Operation::post("/requests/count", "countRequests")
        .about("how many requests fit a pattern")
        .query::<OfSandbox>()
        .body::<Pattern>(PATTERNS)
        .answers::<Count>()
        .fails(&[404, 500])
        .handler(handler)
}

pub(super) fn remove() -> Operation {
    async fn handler(
        State(sandboxes): Shared,
        Query(of): Query<OfSandbox>,
        Body(pattern): Body<Pattern>,
    ) -> Result<Response, Failure> {
        let only = of.sandbox.clone();
        with_fitting(&sandboxes, of, pattern, move |sandboxes, fitting, meta| {
            let numbers: BTreeSet<u64> = fitting.iter().map(|(_, entry)| entry.number).collect();
            sandboxes.forget(only.as_deref(), |number| numbers.contains(&number));
            let requests = shown(sandboxes, fitting);
            let serve_events = requests.iter().map(ServeEvent::new).collect();
            Json(RemovedRequests { serve_events, meta }).into_response()
        })
        .await
    }
    Operation::post("/requests/remove", "removeRequests")
        .about("forgets the requests that fit a pattern, and answers them")
        .query::<OfSandbox>()
        .body::<Pattern>(PATTERNS)
        .answers::<RemovedRequests<'_>>()
        .fails(&[404, 500])
        .handler(handler)
}

pub(super) fn unmatched() -> Operation {
    async fn handler(
        State(sandboxes): Shared,
        Query(of): Query<OfSandbox>,
    ) -> Result<Response, Failure> {
        on_blocking_thread(&sandboxes, move |sandboxes| {
            let (mut entries, meta) = collect(sandboxes, &of)?;
            entries.retain(|(_, entry)| !found_endpoint(entry.operation, entry.code));
            Ok(logged(sandboxes, &entries, meta))
        })
        .await?
    }
    Operation::get("/requests/unmatched", "unmatchedRequests")
        .about("the requests that found no endpoint: 404 and 405")
        .query::<OfSandbox>()
        .answers::<LoggedRequests<'_>>()
        .fails(&[404, 500])
        .handler(handler)
}

pub(super) fn show() -> Operation {
    async fn handler(
        State(sandboxes): Shared,
        Path(id): Path<String>,
        Query(of): Query<OfSandbox>,
    ) -> Result<Response, Failure> {
        on_blocking_thread(&sandboxes, move |sandboxes| {
            let only = of.sandbox.as_deref();
            let found = number_of(&id).and_then(|number| sandboxes.request(only, number));
            let Some((sandbox, entry)) = found else {
                check_sandbox(sandboxes, &of)?;
                let id = crate::suggest::quoted(&id);
                return Err(Failure::not_found(format!(
                    "no request {id} is in the journal; GET /__admin/requests has them"
                )));
            };
            let request = Request::new(&entry, &sandbox.id, &sandboxes.redactor());
            Ok(Json(ServeEvent::new(&request)).into_response())
        })
        .await?
    }
    Operation::get("/requests/{request}", "showRequest")
        .about("one request by its id, or by its number, as findings name it")
        .query::<OfSandbox>()
        .answers::<ServeEvent<'_>>()
        .fails(&[404])
        .handler(handler)
}

pub(super) fn forget_one() -> Operation {
    async fn handler(
        State(sandboxes): Shared,
        Path(id): Path<String>,
        Query(of): Query<OfSandbox>,
    ) -> Result<Json<Done>, Failure> {
        on_blocking_thread(&sandboxes, move |sandboxes| {
            if let Some(wanted) = number_of(&id) {
                sandboxes.forget(of.sandbox.as_deref(), |number| number == wanted);
            }
            Json(Done {})
        })
        .await
    }
    Operation::delete("/requests/{request}", "forgetRequest")
        .about("forgets a request")
        .query::<OfSandbox>()
        .handler(handler)
}

/// Sets its flag when it is dropped with the request that waits for an answer, as when the client
/// goes.
#[derive(Default)]
struct Waiting {
    is_abandoned: Arc<AtomicBool>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.is_abandoned.store(true, Relaxed);
    }
}

/// Answers with the requests that fit a pattern, in the order in which they came.
async fn with_fitting(
    sandboxes: &Arc<Sandboxes>,
    of: OfSandbox,
    pattern: Pattern,
    answer: impl FnOnce(&Sandboxes, &[Filed], Meta) -> Response + Send + 'static,
) -> Result<Response, Failure> {
    let waiting = Waiting::default();
    let is_abandoned = Arc::clone(&waiting.is_abandoned);
    on_blocking_thread(sandboxes, move |sandboxes| {
        let (entries, meta) = collect(sandboxes, &of)?;
        let begun = Instant::now();
        let stop = || is_abandoned.load(Relaxed) || begun.elapsed() > MOST_TIME;
        let mut fitting = Vec::new();
        for filed in entries {
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
        Ok(answer(sandboxes, &fitting, meta))
    })
    .await?
}

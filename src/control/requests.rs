//! Operations on the journal: `WireMock`'s verbs, in `WireMock`'s shapes (`serve_event.rs`).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::extract::{Body, ListFilter, Path, Query, SandboxFilter};
use super::operation::{Call, Done, Operation};
use super::pattern::{Pattern, Stopped};
use super::serve_event::{LoggedRequest, ServeEvent, number_of};
use super::{Failure, sandboxes};
use crate::keys::SandboxId;
use crate::sandbox::journal::{Entry, Request, found_endpoint};
use crate::sandbox::{EntryList, Sandbox};
use crate::suggest::quoted;

/// Requests are matched with a pattern for this long at most.
const MOST_TIME: Duration = Duration::from_secs(5);

/// Requests: with their answers the newest first, by themselves in the order in which they came.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema), schemars(rename = "{T}s"))]
struct Requests<T> {
    /// The requests.
    requests: Vec<T>,
    /// How many there are.
    meta: Meta,
    /// Whether there is no journal.
    request_journal_disabled: bool,
}

/// How many requests there are.
#[derive(Serialize)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema))]
struct Meta {
    /// How many the journal had when it was asked. A list counts those that fit what it was asked
    /// for, whatever `limit`, `offset` and `since` leave out.
    total: usize,
    /// How many more there were, which the journal had to drop: a count that may lack some of
    /// them proves nothing.
    dropped: u64,
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
type SandboxEntry = (Arc<Sandbox>, Entry);

/// The requests that the journal has of a sandbox, or of all, and how many there are.
fn collect(call: &Call, of: &SandboxFilter) -> Result<(Vec<SandboxEntry>, Meta), Failure> {
    let sandbox = sandbox_of(call, of)?;
    let EntryList { entries, dropped } = call.collect(sandbox.as_ref());
    let meta = Meta { total: entries.len(), dropped };
    Ok((entries, meta))
}

/// The sandbox that is asked for, if one is. An unknown id is refused, because a client that misspells an id
/// would take an empty list for a right answer.
fn sandbox_of(call: &Call, of: &SandboxFilter) -> Result<Option<Arc<Sandbox>>, Failure> {
    let find = |id: &SandboxId| call.find(id).ok_or_else(|| sandboxes::unknown(call, id));
    of.sandbox.as_ref().map(find).transpose()
}

/// The requests that fit a pattern, in the order in which they came.
fn fitting(
    call: &Call,
    of: &SandboxFilter,
    pattern: &Pattern,
) -> Result<(Vec<SandboxEntry>, Meta), Failure> {
    let (entries, meta) = collect(call, of)?;
    let begun = Instant::now();
    let stop = || call.is_abandoned() || begun.elapsed() > MOST_TIME;
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
    Ok((fitting, meta))
}

/// Requests as they are shown, without keys.
fn shown<'a>(call: &Call, filed: impl IntoIterator<Item = &'a SandboxEntry>) -> Vec<Request> {
    let redactor = call.redactor();
    let filed = filed.into_iter();
    filed.map(|(sandbox, entry)| Request::new(entry, &sandbox.id, &redactor)).collect()
}

/// Answers with requests in the order in which they came.
fn logged(call: &Call, filed: &[SandboxEntry], meta: Meta) -> Response {
    let requests = shown(call, filed);
    let requests: Vec<_> = requests.iter().map(LoggedRequest::new).collect();
    Json(Requests::new(call, requests, meta)).into_response()
}

impl<T> Requests<T> {
    fn new(call: &Call, requests: Vec<T>, meta: Meta) -> Self {
        Self { requests, meta, request_journal_disabled: !call.journals().is_on() }
    }
}

pub(super) fn list() -> Operation {
    Operation::new(Method::GET, "/requests", "listRequests")
        .about("the journal, newest first, as WireMock's")
        .answers::<Requests<ServeEvent<'_>>>()
        .fails(&[404, 500])
        .blocking(|call, Query(filter): Query<ListFilter>| {
            let (mut entries, mut meta) = collect(call, &filter.of)?;
            entries.retain(|(_, entry)| filter.fits(entry));
            meta.total = entries.len();
            let is_new = |entry: &Entry| filter.since.is_none_or(|since| entry.at > since);
            let newest = entries.iter().rev().filter(|(_, entry)| is_new(entry));
            let newest = newest.skip(filter.offset.unwrap_or(0));
            let requests = shown(call, newest.take(filter.limit.unwrap_or(usize::MAX)));
            let requests: Vec<_> = requests.iter().map(ServeEvent::new).collect();
            Ok(Json(Requests::new(call, requests, meta)).into_response())
        })
}

pub(super) fn forget() -> Operation {
    forgets_all(Operation::new(Method::DELETE, "/requests", "forgetRequests"))
        .about("forgets the journal")
}

pub(super) fn reset() -> Operation {
    forgets_all(Operation::new(Method::POST, "/requests/reset", "resetRequests"))
        .about("forgets the journal, as `DELETE /requests`")
}

fn forgets_all(operation: Operation) -> Operation {
    operation.blocking(|call, Query(of): Query<SandboxFilter>| {
        call.clear_journals(of.sandbox.as_deref());
        Ok(Json(Done {}).into_response())
    })
}

/// An operation with a request pattern as its body.
fn by_pattern(path: &'static str, id: &'static str) -> Operation {
    Operation::new(Method::POST, path, id).fails(&[404, 500]).examples(&[
        ("path", r#"{"method": "GET", "urlPath": "/v1/messages"}"#),
        (
            "parameter",
            r#"{"queryParameters": {"page": {"equalTo": "1"}, "sort": {"absent": true}}}"#,
        ),
    ])
}

pub(super) fn find() -> Operation {
    by_pattern("/requests/find", "findRequests")
        .about("the requests that fit a pattern")
        .answers::<Requests<LoggedRequest<'_>>>()
        .blocking(|call, (Query(of), Body(pattern)): (Query<SandboxFilter>, Body<Pattern>)| {
            let (fitting, meta) = fitting(call, &of, &pattern)?;
            Ok(logged(call, &fitting, meta))
        })
}

pub(super) fn count() -> Operation {
    by_pattern("/requests/count", "countRequests")
        .about("how many requests fit a pattern")
        .answers::<Count>()
        .blocking(|call, (Query(of), Body(pattern)): (Query<SandboxFilter>, Body<Pattern>)| {
            let (fitting, meta) = fitting(call, &of, &pattern)?;
            let request_journal_disabled = !call.journals().is_on();
            let count = Count { count: fitting.len(), meta, request_journal_disabled };
            Ok(Json(count).into_response())
        })
}

pub(super) fn remove() -> Operation {
    by_pattern("/requests/remove", "removeRequests")
        .about("forgets the requests that fit a pattern, and answers them")
        .answers::<RemovedRequests<'_>>()
        .blocking(|call, (Query(of), Body(pattern)): (Query<SandboxFilter>, Body<Pattern>)| {
            let (fitting, meta) = fitting(call, &of, &pattern)?;
            let numbers: BTreeSet<u64> = fitting.iter().map(|(_, entry)| entry.number).collect();
            call.remove_entries(of.sandbox.as_deref(), |number| numbers.contains(&number));
            let requests = shown(call, &fitting);
            let serve_events = requests.iter().map(ServeEvent::new).collect();
            Ok(Json(RemovedRequests { serve_events, meta }).into_response())
        })
}

pub(super) fn unmatched() -> Operation {
    Operation::new(Method::GET, "/requests/unmatched", "unmatchedRequests")
        .about("the requests that found no endpoint: 404 and 405")
        .answers::<Requests<LoggedRequest<'_>>>()
        .fails(&[404, 500])
        .blocking(|call, Query(of): Query<SandboxFilter>| {
            let (mut entries, meta) = collect(call, &of)?;
            entries.retain(|(_, entry)| !found_endpoint(entry.operation, entry.code));
            Ok(logged(call, &entries, meta))
        })
}

pub(super) fn show() -> Operation {
    Operation::new(Method::GET, "/requests/{request}", "showRequest")
        .about("one request by its id, or by its number, as findings name it")
        .answers::<ServeEvent<'_>>()
        .fails(&[404])
        .blocking(|call, (Path(id), Query(of)): (Path<String>, Query<SandboxFilter>)| {
            let only = of.sandbox.as_deref();
            let found = number_of(&id).and_then(|number| call.request(only, number));
            let Some((sandbox, entry)) = found else {
                sandbox_of(call, &of)?;
                let id = quoted(&id);
                return Err(Failure::not_found(format!(
                    "no request {id} is in the journal; GET /__admin/requests has them"
                )));
            };
            let request = Request::new(&entry, &sandbox.id, &call.redactor());
            Ok(Json(ServeEvent::new(&request)).into_response())
        })
}

pub(super) fn forget_one() -> Operation {
    Operation::new(Method::DELETE, "/requests/{request}", "forgetRequest")
        .about("forgets a request")
        .blocking(|call, (Path(id), Query(of)): (Path<String>, Query<SandboxFilter>)| {
            if let Some(wanted) = number_of(&id) {
                call.remove_entries(of.sandbox.as_deref(), |number| number == wanted);
            }
            Ok(Json(Done {}).into_response())
        })
}

//! Operations on the journal, with the paths and formats of `WireMock` (`serve_event.rs`).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::http::{HeaderName, HeaderValue, Method};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::condition::Stopped;
use super::extract::{Body, ListFilter, Path, Query, SandboxFilter};
use super::operation::{Call, Done, Operation};
use super::pattern::Pattern;
use super::serve_event::{LoggedRequest, ServeEvent, number_of};
use super::{Failure, sandboxes};
use crate::keys::SandboxId;
use crate::sandbox::journal::{Entry, Request, found_endpoint};
use crate::sandbox::{EntryList, Sandbox};
use crate::suggest::quoted;

/// The longest time of a search that matches requests with a pattern.
const MOST_TIME: Duration = Duration::from_secs(5);

/// Requests in the order in which they arrived.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema), schemars(rename = "{T}s"))]
struct Requests<T> {
    /// The requests.
    requests: Vec<T>,
    /// Whether the journal is off.
    request_journal_disabled: bool,
}

/// Requests with their responses, the newest first.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema))]
struct ServeEvents<'a> {
    /// The requests.
    requests: Vec<ServeEvent<'a>>,
    /// The number of matching requests.
    meta: Meta,
    /// Whether the journal is off.
    request_journal_disabled: bool,
}

/// How many requests there are.
#[derive(Serialize)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema))]
struct Meta {
    /// The number of requests that match the filter, before `limit`, `offset` and `since`.
    total: usize,
}

/// How many requests were in the journal, whether they match or not.
pub(crate) const TOTAL: HeaderName = HeaderName::from_static("x-mock-total");

/// How many more requests the journal had to drop. If this is not 0, a count of requests may be too low.
pub(crate) const DROPPED: HeaderName = HeaderName::from_static("x-mock-dropped");

/// The size of the journal. It is sent in headers, because `WireMock`'s Java client rejects a response with
/// unknown keys.
#[derive(Clone, Copy)]
pub(super) struct JournalSize {
    total: usize,
    dropped: u64,
}

impl JournalSize {
    /// Writes an answer with the size in its headers.
    pub(super) fn answer(self, answer: &impl Serialize) -> Response {
        let mut response = Json(answer).into_response();
        let headers = response.headers_mut();
        headers.insert(TOTAL, HeaderValue::from(self.total));
        headers.insert(DROPPED, HeaderValue::from(self.dropped));
        response
    }
}

/// How many requests match.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema))]
struct Count {
    /// The number of requests.
    count: usize,
    /// Whether the journal is off.
    request_journal_disabled: bool,
}

/// Requests that were removed.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema))]
struct RemovedRequests<'a> {
    /// The requests, in the order in which they arrived.
    serve_events: Vec<ServeEvent<'a>>,
}

/// A request of the journal, in its sandbox.
pub(super) type SandboxEntry = (Arc<Sandbox>, Entry);

/// The requests that the journal has of a sandbox, or of all, and how many there are.
pub(super) fn collect(
    call: &Call,
    of: &SandboxFilter,
) -> Result<(Vec<SandboxEntry>, JournalSize), Failure> {
    let sandbox = sandbox_of(call, of)?;
    let EntryList { entries, dropped } = call.collect(sandbox.as_ref());
    let size = JournalSize { total: entries.len(), dropped };
    Ok((entries, size))
}

/// The sandbox of the filter, if it has one. An unknown id is refused, because a client with a misspelt id
/// would otherwise get an empty list.
fn sandbox_of(call: &Call, of: &SandboxFilter) -> Result<Option<Arc<Sandbox>>, Failure> {
    let find = |id: &SandboxId| call.find(id).ok_or_else(|| sandboxes::unknown(call, id));
    of.sandbox.as_ref().map(find).transpose()
}

/// The requests that match a pattern, in the order in which they arrived.
fn fitting(
    call: &Call,
    of: &SandboxFilter,
    pattern: &Pattern,
) -> Result<(Vec<SandboxEntry>, JournalSize), Failure> {
    let (entries, size) = collect(call, of)?;
    let fits = compare(call, &entries, |entry, stop| pattern.fits(entry, stop))?;
    let fitting = entries.into_iter().zip(fits).filter(|(_, fits)| *fits);
    Ok((fitting.map(|(filed, _)| filed).collect(), size))
}

/// Compares each request with a pattern, within [`MOST_TIME`] for all of them.
pub(super) fn compare<T>(
    call: &Call,
    entries: &[SandboxEntry],
    compare: impl Fn(&Entry, &dyn Fn() -> bool) -> Result<T, Stopped>,
) -> Result<Vec<T>, Failure> {
    let begun = Instant::now();
    let stop = || call.is_abandoned() || begun.elapsed() > MOST_TIME;
    let compared =
        entries.iter().map(|(_, entry)| if stop() { Err(Stopped) } else { compare(entry, &stop) });
    compared.collect::<Result<_, _>>().map_err(|Stopped| {
        Failure::bad(
            "matching all requests takes too long; select one `sandbox`, or use smaller expressions",
        )
    })
}

/// Requests as they are shown, without keys.
pub(super) fn shown<'a>(
    call: &Call,
    filed: impl IntoIterator<Item = &'a SandboxEntry>,
) -> Vec<Request> {
    let redactor = call.redactor();
    let filed = filed.into_iter();
    filed.map(|(sandbox, entry)| Request::new(entry, &sandbox.id, &redactor)).collect()
}

/// Responds with requests in the order in which they arrived.
fn logged(call: &Call, filed: &[SandboxEntry], size: JournalSize) -> Response {
    let requests = shown(call, filed);
    let requests: Vec<_> = requests.iter().map(LoggedRequest::new).collect();
    size.answer(&Requests { requests, request_journal_disabled: !call.journals().is_on() })
}

/// The requests that matched no endpoint.
pub(super) fn unmatched_of(
    call: &Call,
    of: &SandboxFilter,
) -> Result<(Vec<SandboxEntry>, JournalSize), Failure> {
    let (mut entries, size) = collect(call, of)?;
    entries.retain(|(_, entry)| !found_endpoint(entry.operation, entry.code));
    Ok((entries, size))
}

pub(super) fn list() -> Operation {
    Operation::new(Method::GET, "/requests", "listRequests")
        .about("lists the requests in the journal, newest first, in WireMock's format")
        .answers::<ServeEvents<'_>>()
        .tells_journal_size()
        .fails(&[404, 500])
        .blocking(|call, Query(filter): Query<ListFilter>| {
            let (mut entries, size) = collect(call, &filter.of)?;
            entries.retain(|(_, entry)| filter.fits(entry));
            let is_new = |entry: &Entry| filter.since.is_none_or(|since| entry.at > since);
            let newest = entries.iter().rev().filter(|(_, entry)| is_new(entry));
            let newest = newest.skip(filter.offset.unwrap_or(0));
            let requests = shown(call, newest.take(filter.limit.unwrap_or(usize::MAX)));
            Ok(size.answer(&ServeEvents {
                requests: requests.iter().map(ServeEvent::new).collect(),
                meta: Meta { total: entries.len() },
                request_journal_disabled: !call.journals().is_on(),
            }))
        })
}

pub(super) fn forget() -> Operation {
    forgets_all(Operation::new(Method::DELETE, "/requests", "forgetRequests"))
        .about("empties the journal")
}

pub(super) fn reset() -> Operation {
    forgets_all(Operation::new(Method::POST, "/requests/reset", "resetRequests"))
        .about("empties the journal, as `DELETE /requests` does")
}

fn forgets_all(operation: Operation) -> Operation {
    operation.blocking(|call, Query(of): Query<SandboxFilter>| {
        call.clear_journals(of.sandbox.as_deref());
        Ok(Json(Done {}).into_response())
    })
}

/// An operation with a request pattern as its body.
pub(super) fn by_pattern(path: &'static str, id: &'static str) -> Operation {
    Operation::new(Method::POST, path, id).tells_journal_size().fails(&[404, 500]).examples(&[
        ("path", r#"{"method": "GET", "urlPath": "/v1/messages"}"#),
        (
            "parameter",
            r#"{"queryParameters": {"page": {"equalTo": "1"}, "sort": {"absent": true}}}"#,
        ),
    ])
}

pub(super) fn find() -> Operation {
    by_pattern("/requests/find", "findRequests")
        .about("finds the requests that match a pattern")
        .answers::<Requests<LoggedRequest<'_>>>()
        .blocking(|call, (Query(of), Body(pattern)): (Query<SandboxFilter>, Body<Pattern>)| {
            let (fitting, size) = fitting(call, &of, &pattern)?;
            Ok(logged(call, &fitting, size))
        })
}

pub(super) fn count() -> Operation {
    by_pattern("/requests/count", "countRequests")
        .about("counts the requests that match a pattern")
        .answers::<Count>()
        .blocking(|call, (Query(of), Body(pattern)): (Query<SandboxFilter>, Body<Pattern>)| {
            let (fitting, size) = fitting(call, &of, &pattern)?;
            let request_journal_disabled = !call.journals().is_on();
            Ok(size.answer(&Count { count: fitting.len(), request_journal_disabled }))
        })
}

pub(super) fn remove() -> Operation {
    by_pattern("/requests/remove", "removeRequests")
        .about("removes the requests that match a pattern from the journal, and returns them")
        .answers::<RemovedRequests<'_>>()
        .blocking(|call, (Query(of), Body(pattern)): (Query<SandboxFilter>, Body<Pattern>)| {
            let (fitting, size) = fitting(call, &of, &pattern)?;
            let numbers: BTreeSet<u64> = fitting.iter().map(|(_, entry)| entry.number).collect();
            call.remove_entries(of.sandbox.as_deref(), |number| numbers.contains(&number));
            let requests = shown(call, &fitting);
            let serve_events = requests.iter().map(ServeEvent::new).collect();
            Ok(size.answer(&RemovedRequests { serve_events }))
        })
}

pub(super) fn unmatched() -> Operation {
    Operation::new(Method::GET, "/requests/unmatched", "unmatchedRequests")
        .about("lists the requests that matched no endpoint: 404 and 405")
        .answers::<Requests<LoggedRequest<'_>>>()
        .tells_journal_size()
        .fails(&[404, 500])
        .blocking(|call, Query(of): Query<SandboxFilter>| {
            let (entries, size) = unmatched_of(call, &of)?;
            Ok(logged(call, &entries, size))
        })
}

pub(super) fn show() -> Operation {
    Operation::new(Method::GET, "/requests/{request}", "showRequest")
        .about("shows one request, by its id or by the number that findings name")
        .answers::<ServeEvent<'_>>()
        .fails(&[404])
        .blocking(|call, (Path(id), Query(of)): (Path<String>, Query<SandboxFilter>)| {
            let only = of.sandbox.as_deref();
            let found = number_of(&id).and_then(|number| call.request(only, number));
            let Some((sandbox, entry)) = found else {
                sandbox_of(call, &of)?;
                let id = quoted(&id);
                return Err(Failure::not_found(format!(
                    "there is no request {id} in the journal; GET /__admin/requests lists all"
                )));
            };
            let request = Request::new(&entry, &sandbox.id, &call.redactor());
            Ok(Json(ServeEvent::new(&request)).into_response())
        })
}

pub(super) fn forget_one() -> Operation {
    Operation::new(Method::DELETE, "/requests/{request}", "forgetRequest")
        .about("removes one request from the journal")
        .blocking(|call, (Path(id), Query(of)): (Path<String>, Query<SandboxFilter>)| {
            if let Some(wanted) = number_of(&id) {
                call.remove_entries(of.sandbox.as_deref(), |number| number == wanted);
            }
            Ok(Json(Done {}).into_response())
        })
}

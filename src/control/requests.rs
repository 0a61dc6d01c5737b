//! Operations on the journal: `WireMock`'s verbs, in `WireMock`'s shapes (`serve_event.rs`).

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

/// Requests are matched with a pattern for this long at most.
const MOST_TIME: Duration = Duration::from_secs(5);

/// Requests in the order in which they came.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema), schemars(rename = "{T}s"))]
struct Requests<T> {
    /// The requests.
    requests: Vec<T>,
    /// Whether there is no journal.
    request_journal_disabled: bool,
}

/// Requests with their answers, the newest first.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema))]
struct ServeEvents<'a> {
    /// The requests.
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
    /// How many fit what was asked for, whatever `limit`, `offset` and `since` leave out.
    total: usize,
}

/// How many requests the journal had when it was asked, whether they were asked for or not.
pub(crate) const TOTAL: HeaderName = HeaderName::from_static("x-mock-total");

/// How many more there were, which the journal had to drop: a count that may lack some of them proves
/// nothing.
pub(crate) const DROPPED: HeaderName = HeaderName::from_static("x-mock-dropped");

/// The size of the journal. It is sent in headers, because `WireMock`'s Java client refuses an answer with
/// a key that it does not know.
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

/// How many requests fit.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema))]
struct Count {
    /// How many.
    count: usize,
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
            "to match every request would take too long; narrow it by `sandbox`, or give smaller \
             expressions",
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

/// Answers with requests in the order in which they came.
fn logged(call: &Call, filed: &[SandboxEntry], size: JournalSize) -> Response {
    let requests = shown(call, filed);
    let requests: Vec<_> = requests.iter().map(LoggedRequest::new).collect();
    size.answer(&Requests { requests, request_journal_disabled: !call.journals().is_on() })
}

/// The requests that found no endpoint.
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
        .about("the journal, newest first, as WireMock's")
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
        .about("the requests that fit a pattern")
        .answers::<Requests<LoggedRequest<'_>>>()
        .blocking(|call, (Query(of), Body(pattern)): (Query<SandboxFilter>, Body<Pattern>)| {
            let (fitting, size) = fitting(call, &of, &pattern)?;
            Ok(logged(call, &fitting, size))
        })
}

pub(super) fn count() -> Operation {
    by_pattern("/requests/count", "countRequests")
        .about("how many requests fit a pattern")
        .answers::<Count>()
        .blocking(|call, (Query(of), Body(pattern)): (Query<SandboxFilter>, Body<Pattern>)| {
            let (fitting, size) = fitting(call, &of, &pattern)?;
            let request_journal_disabled = !call.journals().is_on();
            Ok(size.answer(&Count { count: fitting.len(), request_journal_disabled }))
        })
}

pub(super) fn remove() -> Operation {
    by_pattern("/requests/remove", "removeRequests")
        .about("forgets the requests that fit a pattern, and answers them")
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
        .about("the requests that found no endpoint: 404 and 405")
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

//! What requests came: `WireMock`'s verbs over the journal, in `WireMock`'s shapes (`shapes.rs`).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use percent_encoding::percent_decode_str;
use serde::Serialize;

use super::pattern::Pattern;
use super::shapes::{Logged, ServeEvent, number_of};
use super::{Failure, json};
use crate::journal::{Entry, Redactor, Request, found_endpoint};
use crate::nearest::nearest;
use crate::sandbox::{Sandbox, Sandboxes};

/// Requests are held against a pattern for so long.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a query narrows an answer to.
#[derive(Default)]
pub(super) struct Narrowed {
    pub(super) sandbox: Option<String>,
    limit: Option<usize>,
    since: Option<SystemTime>,
}

impl Narrowed {
    /// Reads a query that may hold the parameters of `known`.
    pub(super) fn read(head: &Parts, known: &[&str]) -> Result<Self, Failure> {
        let mut narrowed = Self::default();
        for pair in head.uri.query().unwrap_or("").split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = percent_decode_str(value).decode_utf8_lossy();
            let wrong = |what: &str| {
                let value = crate::document::quoted(&value);
                bad(format!("{name} must be {what}, got {value}"))
            };
            match name {
                _ if !known.contains(&name) => {
                    let hint = match nearest(name, known.iter().copied()) {
                        Some(near) => format!("did you mean {near}?"),
                        None => format!("one of {}", known.join(", ")),
                    };
                    let name = crate::document::quoted(name);
                    return Err(bad(format!("no parameter {name}; {hint}")));
                }
                "limit" => {
                    let limit = value.parse().map_err(|_| wrong("a whole number"))?;
                    narrowed.limit = Some(limit);
                }
                "since" => {
                    let what = "a time such as 2026-10-20T09:00:00Z";
                    let since: jiff::Timestamp = value.parse().map_err(|_| wrong(what))?;
                    narrowed.since = Some(since.into());
                }
                _ if Sandboxes::is_id(&value) => narrowed.sandbox = Some(value.into_owned()),
                _ => return Err(wrong("the id of a sandbox, 1 to 64 of A-Z a-z 0-9 . _ -")),
            }
        }
        Ok(narrowed)
    }

    fn sandbox(head: &Parts) -> Result<Option<String>, Failure> {
        Ok(Self::read(head, &["sandbox"])?.sandbox)
    }
}

fn bad(message: impl Into<String>) -> Failure {
    Failure::new(StatusCode::BAD_REQUEST, message)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Events<'a> {
    requests: Vec<ServeEvent<'a>>,
    meta: Meta,
    request_journal_disabled: bool,
}

#[derive(Serialize)]
struct Meta {
    total: usize,
    /// How many more there were, which went for want of room.
    dropped: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Found<'a> {
    requests: Vec<Logged<'a>>,
    request_journal_disabled: bool,
}

/// Where there may be much to look through, it is done on a thread that may take its time.
async fn apart(
    all: &Arc<Sandboxes>,
    work: impl FnOnce(&Sandboxes) -> Result<Response, Failure> + Send + 'static,
) -> Result<Response, Failure> {
    let all = Arc::clone(all);
    let done = tokio::task::spawn_blocking(move || work(&all)).await;
    done.unwrap_or_else(|_| {
        Err(Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "a bug in the emulator"))
    })
}

/// `GET /__admin/requests`: the newest first.
pub(super) async fn list(all: &Arc<Sandboxes>, head: &Parts) -> Result<Response, Failure> {
    let narrowed = Narrowed::read(head, &["limit", "since", "sandbox"])?;
    apart(all, move |all| {
        let collected = all.collect(narrowed.sandbox.as_deref());
        let meta = Meta { total: collected.entries.len(), dropped: collected.dropped };
        let new = |entry: &Entry| narrowed.since.is_none_or(|since| entry.at > since);
        let wanted = collected.entries.iter().rev().filter(|(_, entry)| new(entry));
        let requests = shown(all, wanted.take(narrowed.limit.unwrap_or(usize::MAX)));
        Ok(json(&Events {
            requests: requests.iter().map(ServeEvent::of).collect(),
            meta,
            request_journal_disabled: !all.journals().is_on(),
        }))
    })
    .await
}

/// `GET /__admin/requests/{id}`
pub(super) fn show(all: &Sandboxes, id: &str, head: &Parts) -> Result<Response, Failure> {
    let only = Narrowed::sandbox(head)?;
    let found = number_of(id).and_then(|number| all.request(only.as_deref(), number));
    let Some((sandbox, entry)) = found else {
        let id = crate::document::quoted(id);
        let message = format!("no request {id} is in the journal; GET /__admin/requests has them");
        return Err(Failure::new(StatusCode::NOT_FOUND, message));
    };
    let request = Request::new(&entry, &sandbox.id, &all.redactor());
    Ok(json(&ServeEvent::of(&request)))
}

/// `DELETE /__admin/requests`, `POST /__admin/requests/reset`
pub(super) fn forget(all: &Sandboxes, head: &Parts) -> Result<Response, Failure> {
    all.forget(Narrowed::sandbox(head)?.as_deref(), |_| true);
    Ok(json(&serde_json::Map::new()))
}

/// `DELETE /__admin/requests/{id}`
pub(super) fn forget_one(all: &Sandboxes, id: &str, head: &Parts) -> Result<Response, Failure> {
    let only = Narrowed::sandbox(head)?;
    if let Some(wanted) = number_of(id) {
        all.forget(only.as_deref(), |number| number == wanted);
    }
    Ok(json(&serde_json::Map::new()))
}

/// `POST /__admin/requests/find`: in the order in which they came.
pub(super) async fn find(
    all: &Arc<Sandboxes>,
    head: &Parts,
    body: Vec<u8>,
) -> Result<Response, Failure> {
    let (only, pattern) = (Narrowed::sandbox(head)?, Pattern::read(body)?);
    apart(all, move |all| {
        let fitting = fitting(all, only.as_deref(), &pattern)?;
        Ok(found(all, &fitting))
    })
    .await
}

/// `POST /__admin/requests/count`
pub(super) async fn count(
    all: &Arc<Sandboxes>,
    head: &Parts,
    body: Vec<u8>,
) -> Result<Response, Failure> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Count {
        count: usize,
        request_journal_disabled: bool,
    }
    let (only, pattern) = (Narrowed::sandbox(head)?, Pattern::read(body)?);
    apart(all, move |all| {
        let count = fitting(all, only.as_deref(), &pattern)?.len();
        Ok(json(&Count { count, request_journal_disabled: !all.journals().is_on() }))
    })
    .await
}

/// `POST /__admin/requests/remove`: answers those that it removed.
pub(super) async fn remove(
    all: &Arc<Sandboxes>,
    head: &Parts,
    body: Vec<u8>,
) -> Result<Response, Failure> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Removed<'a> {
        serve_events: Vec<ServeEvent<'a>>,
    }
    let (only, pattern) = (Narrowed::sandbox(head)?, Pattern::read(body)?);
    apart(all, move |all| {
        let fitting = fitting(all, only.as_deref(), &pattern)?;
        let numbers: BTreeSet<u64> = fitting.iter().map(|(_, entry)| entry.number).collect();
        all.forget(only.as_deref(), |number| numbers.contains(&number));
        let requests = shown(all, fitting.iter());
        Ok(json(&Removed { serve_events: requests.iter().map(ServeEvent::of).collect() }))
    })
    .await
}

/// `GET /__admin/requests/unmatched`: those that found no endpoint.
pub(super) async fn unmatched(all: &Arc<Sandboxes>, head: &Parts) -> Result<Response, Failure> {
    let only = Narrowed::sandbox(head)?;
    apart(all, move |all| {
        let mut entries = all.collect(only.as_deref()).entries;
        entries.retain(|(_, entry)| !found_endpoint(entry.operation, entry.code));
        Ok(found(all, &entries))
    })
    .await
}

type Filed = (Arc<Sandbox>, Entry);

/// The requests that fit a pattern.
fn fitting(all: &Sandboxes, only: Option<&str>, pattern: &Pattern) -> Result<Vec<Filed>, Failure> {
    let begun = Instant::now();
    let mut fitting = Vec::new();
    for filed in all.collect(only).entries {
        if begun.elapsed() > PATIENCE {
            return Err(bad("to match every request would take too long; narrow it by `sandbox`"));
        }
        if pattern.fits(&filed.1) {
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

fn found(all: &Sandboxes, filed: &[Filed]) -> Response {
    let requests = shown(all, filed.iter());
    json(&Found {
        requests: requests.iter().map(Logged::of).collect(),
        request_journal_disabled: !all.journals().is_on(),
    })
}

//! What the control API does with sandboxes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use super::{Failure, json, settings};
use crate::sandbox::{Sandbox, Sandboxes};

/// A sandbox among others.
#[derive(Serialize)]
struct Listed<'a> {
    id: &'a str,
    requests: u64,
    idle_ms: u64,
}

/// A sandbox by itself.
#[derive(Serialize)]
struct Shown<'a> {
    id: &'a str,
    seed: u64,
    agents: Vec<AgentShown>,
    readings: BTreeMap<&'static str, &'static str>,
    faults: Vec<FaultShown>,
    rate_limit: Option<LimitShown>,
    hazards: Vec<String>,
    clock: ClockShown,
    requests: BTreeMap<&'static str, u64>,
    idle_ms: u64,
}

#[derive(Serialize)]
struct AgentShown {
    name: String,
    conversations: u64,
}

#[derive(Serialize)]
struct FaultShown {
    id: String,
    fault: String,
    requests: u64,
    struck: u64,
}

#[derive(Serialize)]
struct LimitShown {
    requests: u32,
    seconds: u32,
}

#[derive(Serialize)]
struct ClockShown {
    mode: &'static str,
    elapsed_ms: u64,
}

impl ClockShown {
    fn of((elapsed, frozen): (Duration, bool)) -> Self {
        Self { mode: if frozen { "frozen" } else { "real" }, elapsed_ms: ms(elapsed) }
    }
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn shown(all: &Sandboxes, sandbox: &Sandbox) -> Response {
    let faults = sandbox.faults().into_iter();
    let world = sandbox.world();
    json(&Shown {
        id: &sandbox.id,
        seed: sandbox.settings.seed,
        agents: world
            .agents
            .iter()
            .map(|agent| AgentShown {
                name: agent.name.clone(),
                conversations: agent.store.conversation_count(),
            })
            .collect(),
        readings: sandbox.settings.readings.words().collect(),
        faults: faults
            .map(|(known, requests, struck)| FaultShown {
                id: known.id.to_string(),
                fault: known.fault.to_string(),
                requests,
                struck,
            })
            .collect(),
        rate_limit: sandbox
            .rate_limit()
            .map(|limit| LimitShown { requests: limit.requests, seconds: limit.seconds }),
        hazards: sandbox.hazards().texts(),
        clock: ClockShown::of(sandbox.clock(|_, _| {})),
        requests: sandbox.requests().map(|(operation, count)| (operation.id(), count)).collect(),
        idle_ms: ms(all.idle(sandbox)),
    })
}

/// `GET /__admin/sandboxes`
pub(super) fn list(all: &Sandboxes) -> Response {
    #[derive(Serialize)]
    struct List<'a> {
        sandboxes: Vec<Listed<'a>>,
        total: usize,
    }
    let found = all.all();
    let sandboxes: Vec<_> = found
        .iter()
        .map(|sandbox| Listed {
            id: &sandbox.id,
            requests: sandbox.requests().map(|(_, count)| count).sum(),
            idle_ms: ms(all.idle(sandbox)),
        })
        .collect();
    json(&List { total: sandboxes.len(), sandboxes })
}

/// `GET /__admin/sandboxes/{id}`
pub(super) fn show(all: &Sandboxes, id: &str) -> Result<Response, Failure> {
    match all.find(id) {
        Some(sandbox) => Ok(shown(all, &sandbox)),
        None => Err(unknown(id)),
    }
}

/// What is said of a sandbox that is not there.
pub(super) fn unknown(id: &str) -> Failure {
    let message = format!("there is no sandbox {id}; it is made by its first request, or by PUT");
    Failure::new(StatusCode::NOT_FOUND, message)
}

/// `PUT /__admin/sandboxes/{id}`: the sandbox begins anew with these settings. What is not given
/// is as the server was started.
pub(super) async fn put(
    all: &Arc<Sandboxes>,
    id: &str,
    body: Vec<u8>,
) -> Result<Response, Failure> {
    let of = Arc::clone(all);
    // Records may take a while to make.
    let read = tokio::task::spawn_blocking(move || settings::read(&of, body)).await;
    let settings = read.unwrap_or_else(|_| {
        Err(Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "a bug in the emulator"))
    })?;
    Ok(shown(all, &all.put(id, Some(settings))))
}

/// `DELETE /__admin/sandboxes/{id}`
pub(super) fn end(all: &Sandboxes, id: &str) -> Response {
    #[derive(Serialize)]
    struct Ended<'a> {
        id: &'a str,
        existed: bool,
    }
    json(&Ended { id, existed: all.end(id) })
}

/// `POST /__admin/sandboxes/{id}/reset`: as it was when it was made.
pub(super) fn reset(all: &Sandboxes, id: &str) -> Response {
    shown(all, &all.put(id, None))
}

/// `POST /__admin/sandboxes/{id}/clock`
pub(super) fn clock(all: &Sandboxes, id: &str, body: Vec<u8>) -> Result<Response, Failure> {
    let change = settings::read_clock(body)?;
    let sandbox = all.get(Some(id));
    sandbox.trust();
    let shown = sandbox.clock(|clock, real| {
        if let Some(frozen) = change.frozen {
            clock.freeze(frozen, real);
        }
        clock.advance(change.advance);
    });
    Ok(json(&ClockShown::of(shown)))
}

/// `POST /__admin/sandboxes/{id}/faults`: one more.
pub(super) fn add_faults(all: &Sandboxes, id: &str, body: Vec<u8>) -> Result<Response, Failure> {
    let fault = settings::read_fault(body)?;
    let sandbox = all.get(Some(id));
    sandbox.trust();
    sandbox.add_fault(fault, false).map_err(|why| Failure::new(StatusCode::CONFLICT, why))?;
    Ok(shown(all, &sandbox))
}

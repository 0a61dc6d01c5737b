//! What the control API does with sandboxes.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::Response;

use super::bodies::{self, HazardText};
use super::{Failure, json, settings};
use crate::contract::{ENDPOINTS, Endpoint};
use crate::sandbox::{Sandbox, Sandboxes};
use crate::shape::{Object, at_least, written};
use serde_json::Value;

written! {
    /// Every sandbox that there is.
    pub(super) struct List<'a> is "Sandboxes" in "snake_case" {
        /// The sandboxes.
        sandboxes: Vec<Listed<'a>>,
        /// How many there are.
        total: usize,
    }
}

written! {
    /// A sandbox among others.
    struct Listed<'a> is "ListedSandbox" in "snake_case" {
        /// Its id.
        id: &'a str,
        /// How many requests it has had.
        requests: u64,
        /// For so many milliseconds nobody has used it.
        idle_ms: u64,
    }
}

written! {
    /// A sandbox by itself.
    pub(super) struct Shown<'a> is "Sandbox" in "snake_case" {
        /// Its id.
        id: &'a str,
        /// What generated records and faults are drawn from.
        seed: u64,
        /// Its agents.
        agents: Vec<AgentShown>,
        /// The value of each reading.
        readings: BTreeMap<&'static str, &'static str> => bodies::readings(true),
        /// Its faults, in the order in which they are tried.
        faults: Vec<FaultShown>,
        /// Its rate limit, if it has one.
        rate_limit: Option<LimitShown>,
        /// Its hazards, as words that `PUT` takes.
        hazards: Vec<HazardText>,
        /// Its clock.
        clock: ClockShown,
        /// How many requests each operation has had.
        requests: BTreeMap<&'static str, u64> => counted(),
        /// For so many milliseconds nobody has used it.
        idle_ms: u64,
    }
}

written! {
    /// An agent of a sandbox.
    struct AgentShown is "SandboxAgent" in "snake_case" {
        /// Its name.
        name: String,
        /// How many conversations it has.
        conversations: u64,
    }
}

written! {
    /// A fault of a sandbox.
    struct FaultShown is "MetFault" in "snake_case" {
        /// What `x-mock-fault` names it by.
        id: String,
        /// The line that says it.
        fault: String,
        /// How many requests it has looked at.
        requests: u64,
        /// How many of them it struck.
        struck: u64,
    }
}

written! {
    /// A rate limit: so many requests of each key in so many seconds.
    struct LimitShown is "RateLimit" in "snake_case" {
        /// How many requests of each key a window has.
        requests: u32 => bodies::limit_requests(),
        /// How many seconds a window lasts.
        seconds: u32 => bodies::limit_seconds(),
    }
}

written! {
    /// A clock.
    pub(super) struct ClockShown is "Clock" in "snake_case" {
        /// Whether it runs.
        mode: &'static str => bodies::mode(),
        /// What it shows, in milliseconds.
        elapsed_ms: u64,
    }
}

written! {
    /// A sandbox that has ended.
    pub(super) struct Ended<'a> is "EndedSandbox" in "snake_case" {
        /// Its id.
        id: &'a str,
        /// Whether it was there.
        existed: bool,
    }
}

/// A number of each operation.
fn counted() -> Value {
    let put = |object: Object, endpoint: &Endpoint| {
        object.key(endpoint.id, &format!("Of `{}`.", endpoint.path), true, at_least(0))
    };
    ENDPOINTS.iter().fold(Object::new(""), put).finish()
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
        hazards: sandbox.hazards().texts().into_iter().map(HazardText).collect(),
        clock: ClockShown::of(sandbox.clock(|_, _| {})),
        requests: sandbox.requests().map(|(operation, count)| (operation.id(), count)).collect(),
        idle_ms: ms(all.idle(sandbox)),
    })
}

/// `GET /__admin/sandboxes`
pub(super) fn list(all: &Sandboxes) -> Response {
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
        None => Err(unknown(all, id)),
    }
}

/// What is said of a sandbox that is not there.
pub(super) fn unknown(all: &Sandboxes, id: &str) -> Failure {
    let made = "is made by its first request, or by PUT";
    Failure::not_found(match (all.ending(id), all.nearest_id(id)) {
        (Some(ending), _) => format!("sandbox {id} has ended {ending}; another one {made}"),
        (None, Some(near)) => format!("there is no sandbox {id}; did you mean {near}? One {made}"),
        (None, None) => format!("there is no sandbox {id}; it {made}"),
    })
}

/// `PUT /__admin/sandboxes/{id}`: the sandbox begins anew with these settings. What is not given
/// is as the server was started.
pub(super) fn put(all: &Sandboxes, id: &str, body: Vec<u8>) -> Result<Response, Failure> {
    let settings = settings::read(all, body)?;
    Ok(shown(all, &all.put(id, Some(settings))))
}

/// `DELETE /__admin/sandboxes/{id}`
pub(super) fn end(all: &Sandboxes, id: &str) -> Response {
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

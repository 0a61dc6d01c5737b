//! Operations on sandboxes.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::Failure;
use super::bodies::{ClockChange, Mode, SandboxSettings};
use super::extract::{Body, Path};
use super::operation::Operation;
use crate::document::Problem;
use crate::keys::SandboxId;
use crate::sandbox::faults::Fault;
use crate::sandbox::{RateLimit, Sandbox, Sandboxes};

/// Every sandbox that there is.
#[derive(Serialize)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema), schemars(rename = "Sandboxes"))]
struct SandboxList<'a> {
    /// The sandboxes.
    sandboxes: Vec<SandboxSummary<'a>>,
    /// How many there are.
    total: usize,
}

/// A sandbox among others.
#[derive(Serialize)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema), schemars(rename = "ListedSandbox"))]
struct SandboxSummary<'a> {
    /// Its id.
    id: &'a str,
    /// How many requests it has had.
    requests: u64,
    /// For so many milliseconds nobody has used it.
    idle_ms: u64,
}

/// A sandbox by itself.
#[derive(Serialize)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema), schemars(rename = "Sandbox"))]
struct SandboxDetails<'a> {
    /// Its id.
    id: &'a str,
    /// What generated records and faults are drawn from.
    seed: u64,
    /// Its agents.
    agents: Vec<SandboxAgent<'a>>,
    /// The value of each reading.
    readings: ReadingValues,
    /// Its faults, in the order in which they are tried.
    faults: Vec<FaultState>,
    /// Its rate limit, if it has one.
    rate_limit: Option<RateLimit>,
    /// Its hazards, as words that `PUT` takes.
    hazards: Vec<HazardText>,
    /// Its clock.
    clock: ClockState,
    /// How many requests each operation has had.
    requests: RequestCounts,
    /// For so many milliseconds nobody has used it.
    idle_ms: u64,
    /// What is odd in the fixtures of the body, and what is served instead; in the answer to `PUT` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "docs", schemars(with = "Vec<Problem>"))]
    warnings: Option<Vec<Problem>>,
}

/// The value of each reading by its name.
#[derive(Serialize)]
pub(crate) struct ReadingValues(BTreeMap<&'static str, &'static str>);

/// A hazard, for all operations or for one: `qa:arrival`.
#[derive(Serialize)]
pub(crate) struct HazardText(String);

/// A number for each operation of the vendor's.
#[derive(Serialize)]
pub(crate) struct RequestCounts(BTreeMap<&'static str, u64>);

/// An agent of a sandbox.
#[derive(Serialize)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema))]
struct SandboxAgent<'a> {
    /// Its name.
    name: &'a str,
    /// How many conversations it has.
    conversations: u64,
}

/// A fault of a sandbox.
#[derive(Serialize)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema), schemars(rename = "MetFault"))]
struct FaultState {
    /// What `x-mock-fault` names it by.
    id: String,
    /// The line that says it.
    fault: String,
    /// How many requests it has looked at.
    requests: u64,
    /// How many of them it struck.
    struck: u64,
}

/// A clock.
#[derive(Serialize)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema), schemars(rename = "Clock"))]
struct ClockState {
    /// Whether it runs.
    mode: Mode,
    /// What it shows, in milliseconds.
    elapsed_ms: u64,
}

/// A sandbox that has ended.
#[derive(Serialize)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema))]
struct EndedSandbox<'a> {
    /// Its id.
    id: &'a str,
    /// Whether it was there.
    existed: bool,
}

impl ClockState {
    fn new((elapsed, is_frozen): (Duration, bool)) -> Self {
        let mode = if is_frozen { Mode::Frozen } else { Mode::Real };
        Self { mode, elapsed_ms: ms(elapsed) }
    }
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A sandbox as an answer shows it.
fn shown(sandboxes: &Sandboxes, sandbox: &Sandbox) -> Response {
    shown_with(sandboxes, sandbox, None)
}

/// A sandbox as an answer shows it, with the warnings on its settings.
fn shown_with(
    sandboxes: &Sandboxes,
    sandbox: &Sandbox,
    warnings: Option<Vec<Problem>>,
) -> Response {
    let world = sandbox.world();
    let agents = world.agents.iter().map(|agent| SandboxAgent {
        name: &agent.name,
        conversations: agent.store.conversation_count(),
    });
    let faults = sandbox.faults().into_iter().map(|(known, requests, struck)| FaultState {
        id: known.id.to_string(),
        fault: known.fault.to_string(),
        requests,
        struck,
    });
    let requests = sandbox.requests().map(|(operation, count)| (operation.id(), count));
    let shown = SandboxDetails {
        id: &sandbox.id,
        seed: sandbox.settings.seed,
        agents: agents.collect(),
        readings: ReadingValues(sandbox.settings.readings.words().collect()),
        faults: faults.collect(),
        rate_limit: sandbox.rate_limit(),
        hazards: sandbox.hazards().texts().into_iter().map(HazardText).collect(),
        clock: ClockState::new(sandbox.clock(|_, _| {})),
        requests: RequestCounts(requests.collect()),
        idle_ms: ms(sandboxes.idle(sandbox)),
        warnings,
    };
    Json(shown).into_response()
}

/// The failure where there is no sandbox of an id: it may have ended, or be misspelt.
pub(super) fn unknown(sandboxes: &Sandboxes, id: &str) -> Failure {
    let made = "is made by its first request, or by PUT";
    Failure::not_found(
        match (sandboxes.find_or_ending(id).err().flatten(), sandboxes.nearest_id(id)) {
            (Some(ending), _) => format!("sandbox {id} has ended {ending}; another one {made}"),
            (None, Some(near)) => {
                format!("there is no sandbox {id}; did you mean {near}? One {made}")
            }
            (None, None) => format!("there is no sandbox {id}; it {made}"),
        },
    )
}

pub(super) fn list() -> Operation {
    Operation::new(Method::GET, "/sandboxes", "listSandboxes")
        .about("every sandbox that there is")
        .answers::<SandboxList<'_>>()
        .blocking(|call, ()| {
            let all = call.all();
            let sandboxes = all.iter().map(|sandbox| SandboxSummary {
                id: &sandbox.id,
                requests: sandbox.requests().map(|(_, count)| count).sum(),
                idle_ms: ms(call.idle(sandbox)),
            });
            let list = SandboxList { sandboxes: sandboxes.collect(), total: all.len() };
            Ok(Json(list).into_response())
        })
}

pub(super) fn show() -> Operation {
    Operation::new(Method::GET, "/sandboxes/{id}", "showSandbox")
        .about("what a sandbox is")
        .answers::<SandboxDetails<'_>>()
        .fails(&[404])
        .blocking(|call, Path(id): Path<SandboxId>| match call.find(&id) {
            Some(sandbox) => Ok(shown(call, &sandbox)),
            None => Err(unknown(call, &id)),
        })
}

pub(super) fn put() -> Operation {
    Operation::new(Method::PUT, "/sandboxes/{id}", "putSandbox")
        .about("makes a sandbox anew with the settings of the body, all of them or none")
        .examples(&[
            ("third-page-fails", r#"{"faults": ["conversations:page=3,code=50000,times=1"]}"#),
            ("rate-limit", r#"{"rate_limit": {"requests": 2, "seconds": 60}, "clock": "frozen"}"#),
            ("paging-while-data-changes", r#"{"hazards": ["arrival"]}"#),
            (
                "another-reading",
                r#"{"seed": 7, "conversations": 50, "readings": {"qa-time": "milliseconds"}}"#,
            ),
            (
                "own-records",
                r#"{"fixtures": {"agents": [{"name": "mine", "conversations": [
                    {"messages": [{"q": "Do you deliver on Sundays?", "a": "From 9 to 12."}]}
                ]}]}}"#,
            ),
        ])
        .answers::<SandboxDetails<'_>>()
        .fails(&[500])
        .blocking(|call, (Path(id), Body(body)): (Path<SandboxId>, Body<SandboxSettings>)| {
            let SandboxSettings { settings, warnings } = body;
            let mut own = settings.world.iter().flat_map(|world| &world.agents);
            if own.any(|agent| agent.keys.iter().any(|key| **key == *id)) {
                return Err(Failure::bad("the id of a sandbox is not a key of its agents"));
            }
            Ok(shown_with(call, &call.put(&id, Some(settings)), Some(warnings)))
        })
}

pub(super) fn end() -> Operation {
    Operation::new(Method::DELETE, "/sandboxes/{id}", "endSandbox")
        .about("ends a sandbox")
        .answers::<EndedSandbox<'_>>()
        .blocking(|call, Path(id): Path<SandboxId>| {
            Ok(Json(EndedSandbox { id: &id, existed: call.end(&id) }).into_response())
        })
}

pub(super) fn reset() -> Operation {
    Operation::new(Method::POST, "/sandboxes/{id}/reset", "resetSandbox")
        .about(
            "makes a sandbox anew with the settings that it has: what `POST` added and what was \
             counted is forgotten",
        )
        .answers::<SandboxDetails<'_>>()
        .blocking(|call, Path(id): Path<SandboxId>| Ok(shown(call, &call.put(&id, None))))
}

pub(super) fn move_clock() -> Operation {
    Operation::new(Method::POST, "/sandboxes/{id}/clock", "moveClock")
        .about(
            "`{\"advance_ms\": 60000}` moves a sandbox's clock, `{\"mode\": \"frozen\"}` stops it, \
             `{\"mode\": \"real\"}` lets it go on",
        )
        .examples(&[
            ("a-minute-passes", r#"{"advance_ms": 60000}"#),
            ("stop", r#"{"mode": "frozen"}"#),
        ])
        .answers::<ClockState>()
        .blocking(|call, (Path(id), Body(change)): (Path<SandboxId>, Body<ClockChange>)| {
            let sandbox = call.get(Some(&id));
            sandbox.mark_authenticated();
            let clock = sandbox.clock(|clock, real| {
                if let Some(mode) = change.mode {
                    clock.freeze(mode == Mode::Frozen, real);
                }
                clock.advance(Duration::from_millis(change.advance_ms));
            });
            Ok(Json(ClockState::new(clock)).into_response())
        })
}

pub(super) fn add_fault() -> Operation {
    Operation::new(Method::POST, "/sandboxes/{id}/faults", "addFault")
        .about("adds the fault of the body to a sandbox's")
        .examples(&[
            ("line", r#""messages:code=50000,every=3""#),
            ("object", r#"{"operation": "messages", "code": 50000, "every": 3}"#),
        ])
        .answers::<SandboxDetails<'_>>()
        .fails(&[409])
        .blocking(|call, (Path(id), Body(fault)): (Path<SandboxId>, Body<Fault>)| {
            let sandbox = call.get(Some(&id));
            sandbox.mark_authenticated();
            let added = sandbox.add_fault(fault, false);
            added.map_err(|why| Failure::new(StatusCode::CONFLICT, why))?;
            Ok(shown(call, &sandbox))
        })
}

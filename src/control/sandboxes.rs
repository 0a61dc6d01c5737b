//! Operations on sandboxes.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::Failure;
use super::bodies::{ClockChange, Mode, NewFaults, SandboxSettings};
use super::current_settings::CurrentSettings;
use super::extract::{Body, Path, Query, SandboxView};
use super::operation::Operation;
use crate::document::Problem;
use crate::keys::SandboxId;
use crate::sandbox::{AddFaultError, InUse, Sandbox, Sandboxes};

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
    /// What has happened in it.
    state: SandboxUse,
}

/// A sandbox by itself.
#[derive(Serialize)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema), schemars(rename = "Sandbox"))]
struct SandboxDetails<'a> {
    /// Its id.
    id: &'a str,
    /// What is set, as `PUT` takes it.
    settings: CurrentSettings,
    /// What it has, and what has happened in it.
    state: SandboxState<'a>,
    /// What is odd in the fixtures of the body, and what is served instead; in the answer to `PUT` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "docs", schemars(with = "Vec<Problem>"))]
    warnings: Option<Vec<Problem>>,
}

/// What a sandbox has, and what has happened in it since it was made.
#[derive(Serialize)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema))]
struct SandboxState<'a> {
    /// Its agents.
    agents: Vec<SandboxAgent<'a>>,
    /// What its faults have done, in the order in which they are tried.
    faults: Vec<FaultState>,
    #[serde(flatten)]
    usage: SandboxUse,
}

/// How much a sandbox was used.
#[derive(Serialize)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema))]
struct SandboxUse {
    /// How many requests each operation has had.
    requests: RequestCounts,
    /// What its clock shows, in milliseconds.
    elapsed_ms: u64,
    /// For so many milliseconds nobody has used it.
    idle_ms: u64,
}

/// A number for each operation of the vendor's.
#[derive(Serialize)]
pub(crate) struct RequestCounts(BTreeMap<&'static str, u64>);

/// An agent of a sandbox.
#[derive(Serialize)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema))]
struct SandboxAgent<'a> {
    /// Its name.
    name: &'a str,
    /// Its keys that are no secret: those of built-in agents, and those that are derived from the name.
    public_keys: &'a [String],
    /// How many conversations it has.
    conversations: u64,
}

/// What a fault of a sandbox has done.
#[derive(Serialize)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema), schemars(rename = "MetFault"))]
struct FaultState {
    /// What `x-mock-fault` and the settings name it by.
    id: String,
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
        Self { mode: Mode::of(is_frozen), elapsed_ms: ms(elapsed) }
    }
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl SandboxUse {
    fn new(sandboxes: &Sandboxes, sandbox: &Sandbox) -> Self {
        let requests = sandbox.requests().map(|(operation, count)| (operation.id(), count));
        Self {
            requests: RequestCounts(requests.collect()),
            elapsed_ms: ms(sandbox.clock(|_, _| {}).0),
            idle_ms: ms(sandboxes.idle(sandbox)),
        }
    }
}

/// A sandbox as an answer shows it.
fn shown(sandboxes: &Sandboxes, sandbox: &Sandbox) -> Response {
    shown_with(sandboxes, sandbox, false, None)
}

/// A sandbox as an answer shows it, with its inline fixtures or without, and with the warnings on its
/// settings.
fn shown_with(
    sandboxes: &Sandboxes,
    sandbox: &Sandbox,
    with_fixtures: bool,
    warnings: Option<Vec<Problem>>,
) -> Response {
    let world = sandbox.world();
    let agents = world.agents.iter().map(|agent| SandboxAgent {
        name: &agent.name,
        public_keys: &agent.public_keys,
        conversations: agent.store.conversation_count(),
    });
    let faults = sandbox.faults().into_iter().map(|(known, requests, struck)| FaultState {
        id: known.id.to_string(),
        requests,
        struck,
    });
    let shown = SandboxDetails {
        id: &sandbox.id,
        settings: CurrentSettings { settings: sandbox.current_settings(), with_fixtures },
        state: SandboxState {
            agents: agents.collect(),
            faults: faults.collect(),
            usage: SandboxUse::new(sandboxes, sandbox),
        },
        warnings,
    };
    Json(shown).into_response()
}

/// The sandbox of an id, which is made if there is none.
fn used(sandboxes: &Sandboxes, id: &str) -> Result<InUse, Failure> {
    let sandbox = sandboxes.get(Some(id));
    let sandbox = sandbox.map_err(|full| Failure::budget_full(sandboxes, &full))?;
    sandbox.mark_authenticated();
    Ok(sandbox)
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
                state: SandboxUse::new(call, sandbox),
            });
            let list = SandboxList { sandboxes: sandboxes.collect(), total: all.len() };
            Ok(Json(list).into_response())
        })
}

pub(super) fn show() -> Operation {
    Operation::new(Method::GET, "/sandboxes/{id}", "showSandbox")
        .about(
            "the settings of a sandbox, which `PUT` takes as its body, and its state; inline fixtures \
             are shown with `fixtures=true` only",
        )
        .answers::<SandboxDetails<'_>>()
        .fails(&[404])
        .blocking(|call, (Path(id), Query(view)): (Path<SandboxId>, Query<SandboxView>)| {
            match call.find(&id) {
                Some(sandbox) => Ok(shown_with(call, &sandbox, view.fixtures, None)),
                None => Err(unknown(call, &id)),
            }
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
            let made = call.put(&id, Some(settings));
            let made = made.map_err(|full| Failure::budget_full(call, &full))?;
            Ok(shown_with(call, &made, false, Some(warnings)))
        })
}

pub(super) fn end() -> Operation {
    Operation::new(Method::DELETE, "/sandboxes/{id}", "endSandbox")
        .about("ends a sandbox")
        .answers::<EndedSandbox<'_>>()
        .blocking(|call, Path(id): Path<SandboxId>| {
            let existed = call.end(&id).map_err(|full| Failure::budget_full(call, &full))?;
            Ok(Json(EndedSandbox { id: &id, existed }).into_response())
        })
}

pub(super) fn reset() -> Operation {
    Operation::new(Method::POST, "/sandboxes/{id}/reset", "resetSandbox")
        .about(
            "makes a sandbox anew as the last `PUT` made it, or else as the server was started: what \
             `POST` added and what was counted is forgotten",
        )
        .answers::<SandboxDetails<'_>>()
        .blocking(|call, Path(id): Path<SandboxId>| {
            let made = call.put(&id, None).map_err(|full| Failure::budget_full(call, &full))?;
            Ok(shown(call, &made))
        })
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
            let sandbox = used(call, &id)?;
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
        .about("adds the fault of the body, or all of its `faults`, to a sandbox's")
        .examples(&[
            ("line", r#""messages:code=50000,every=3""#),
            ("object", r#"{"operation": "messages", "code": 50000, "every": 3}"#),
            ("several", r#"{"faults": ["messages:code=50000,every=3", "qa:delay=200"]}"#),
        ])
        .answers::<SandboxDetails<'_>>()
        .fails(&[409])
        .blocking(|call, (Path(id), Body(new)): (Path<SandboxId>, Body<NewFaults>)| {
            let sandbox = used(call, &id)?;
            sandbox.add_faults(new.0).map_err(|error| match error {
                AddFaultError::Conflict(why) => Failure::new(StatusCode::CONFLICT, why),
                AddFaultError::BudgetFull(full) => Failure::budget_full(call, &full),
            })?;
            Ok(shown(call, &sandbox))
        })
}

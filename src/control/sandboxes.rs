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

/// All sandboxes.
#[derive(Serialize)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema), schemars(rename = "Sandboxes"))]
struct SandboxList<'a> {
    /// The sandboxes.
    sandboxes: Vec<SandboxSummary<'a>>,
    /// The number of sandboxes.
    total: usize,
}

/// A sandbox in the list.
#[derive(Serialize)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema), schemars(rename = "ListedSandbox"))]
struct SandboxSummary<'a> {
    /// Its id.
    id: &'a str,
    /// How much it was used.
    state: SandboxUse,
}

/// A sandbox.
#[derive(Serialize)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema), schemars(rename = "Sandbox"))]
struct SandboxDetails<'a> {
    /// Its id.
    id: &'a str,
    /// Its settings, in the format of `PUT`.
    settings: CurrentSettings,
    /// Its agents, its faults, and how much it was used.
    state: SandboxState<'a>,
    /// Warnings about the fixtures in the body, and what is served instead; only in the response to `PUT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "docs", schemars(with = "Vec<Problem>"))]
    warnings: Option<Vec<Problem>>,
}

/// The agents and faults of a sandbox, and how much it was used since it was created.
#[derive(Serialize)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema))]
struct SandboxState<'a> {
    /// Its agents.
    agents: Vec<SandboxAgent<'a>>,
    /// How often its faults were applied, in the order in which they are checked.
    faults: Vec<FaultState>,
    #[serde(flatten)]
    usage: SandboxUse,
}

/// How much a sandbox was used.
#[derive(Serialize)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema))]
struct SandboxUse {
    /// The number of requests for each operation.
    requests: RequestCounts,
    /// The time on its clock, in milliseconds.
    elapsed_ms: u64,
    /// The time since its last use, in milliseconds.
    idle_ms: u64,
}

/// The number of requests for each operation of the vendor's API.
#[derive(Serialize)]
pub(crate) struct RequestCounts(BTreeMap<&'static str, u64>);

/// An agent of a sandbox.
#[derive(Serialize)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema))]
struct SandboxAgent<'a> {
    /// Its name.
    name: &'a str,
    /// Its keys that are not secret: keys of built-in agents, and keys that are derived from the name.
    public_keys: &'a [String],
    /// The number of its conversations.
    conversations: u64,
}

/// How often a fault of a sandbox was applied.
#[derive(Serialize)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema), schemars(rename = "MetFault"))]
struct FaultState {
    /// Its id in `x-mock-fault` and in the settings.
    id: String,
    /// The number of requests that matched it.
    requests: u64,
    /// The number of requests that it was applied to.
    struck: u64,
}

/// A clock.
#[derive(Serialize)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema), schemars(rename = "Clock"))]
struct ClockState {
    /// Whether it runs.
    mode: Mode,
    /// The time on it, in milliseconds.
    elapsed_ms: u64,
}

/// A sandbox that was deleted.
#[derive(Serialize)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema))]
struct EndedSandbox<'a> {
    /// Its id.
    id: &'a str,
    /// Whether it existed before.
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

/// A response that shows a sandbox.
fn shown(sandboxes: &Sandboxes, sandbox: &Sandbox) -> Response {
    shown_with(sandboxes, sandbox, false, None)
}

/// A response that shows a sandbox, with or without its inline fixtures, and with the warnings about its
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

/// The sandbox with an id, which is created if there is none.
fn used(sandboxes: &Sandboxes, id: &str) -> Result<InUse, Failure> {
    let sandbox = sandboxes.get(Some(id));
    let sandbox = sandbox.map_err(|full| Failure::budget_full(sandboxes, &full))?;
    sandbox.mark_authenticated();
    Ok(sandbox)
}

/// The failure if there is no sandbox with an id: it may have ended, or the id may be misspelt.
pub(super) fn unknown(sandboxes: &Sandboxes, id: &str) -> Failure {
    Failure::not_found(
        match (sandboxes.find_or_ending(id).err().flatten(), sandboxes.nearest_id(id)) {
            (Some(ending), _) => {
                format!("sandbox {id:?} has ended {ending}; a request or PUT creates it again")
            }
            (None, Some(near)) => format!(
                "there is no sandbox {id:?}; did you mean {near:?}? A request or PUT creates a sandbox"
            ),
            (None, None) => {
                format!("there is no sandbox {id:?}; a request or PUT creates it")
            }
        },
    )
}

pub(super) fn list() -> Operation {
    Operation::new(Method::GET, "/sandboxes", "listSandboxes")
        .about("lists all sandboxes")
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
            "shows the settings of a sandbox, in the format of the body of `PUT`, and its state; inline \
             fixtures are shown only with `fixtures=true`",
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
        .about(
            "creates or replaces a sandbox with the settings in the body; an invalid body changes \
             nothing",
        )
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
                return Err(Failure::bad("the id of a sandbox must not be a key of its agents"));
            }
            let made = call.put(&id, Some(settings));
            let made = made.map_err(|full| Failure::budget_full(call, &full))?;
            Ok(shown_with(call, &made, false, Some(warnings)))
        })
}

pub(super) fn end() -> Operation {
    Operation::new(Method::DELETE, "/sandboxes/{id}", "endSandbox")
        .about("deletes a sandbox")
        .answers::<EndedSandbox<'_>>()
        .blocking(|call, Path(id): Path<SandboxId>| {
            let existed = call.end(&id).map_err(|full| Failure::budget_full(call, &full))?;
            Ok(Json(EndedSandbox { id: &id, existed }).into_response())
        })
}

pub(super) fn reset() -> Operation {
    Operation::new(Method::POST, "/sandboxes/{id}/reset", "resetSandbox")
        .about(
            "resets a sandbox to the settings of its last `PUT`, or else to the settings of the server; \
             later changes by `POST` and all counts are discarded",
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
            "`{\"advance_ms\": 60000}` advances the clock of a sandbox, `{\"mode\": \"frozen\"}` stops \
             it, `{\"mode\": \"real\"}` starts it again",
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
        .about("adds the fault in the body, or all of its `faults`, to a sandbox")
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

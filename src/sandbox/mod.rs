//! A sandbox: the separate state of the server for one test. [`Sandboxes`] (`registry.rs`) holds all
//! sandboxes of a server.
//!
//! A sandbox is made from [`Settings`], which never change; counts and later changes are stored
//! separately. A reset replaces it by a new sandbox with the same settings.

mod clock;
mod config;
mod ended;
mod eviction;
pub(crate) mod faults;
pub(crate) mod hazard;
pub(crate) mod journal;
mod journals;
mod limit;
pub(crate) mod peer;
mod registry;
mod shared_state;
pub(crate) mod verdict;

pub(crate) use clock::Clock;
pub(crate) use config::SandboxConfig;
pub(crate) use ended::SandboxEnd;
pub(crate) use journals::EntryList;
pub(crate) use limit::RateLimit;
pub(crate) use registry::{InUse, Sandboxes};
use shared_state::SharedState;

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Acquire, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use arc_swap::Guard;
use parking_lot::Mutex;
use thiserror::Error;

use crate::contract::{ENDPOINTS, Operation, Readings};
use crate::memory::{BudgetFull, Reservation};
use crate::records::fixtures::FixtureJson;
use crate::records::world::World;
use crate::redact::Redactor;
use crate::sandbox::faults::{
    ArmedFault, DrawSeed, Fault, InjectedFault, NamedFault, Occurrence, ParamValues,
    PreferenceOutcome, Preferences,
};
use crate::sandbox::hazard::{Hazard, Hazards};
use crate::sandbox::journal::{Budget, Journal};
use crate::sandbox::verdict::Verdict;
use limit::Windows;

/// The settings that a sandbox is made from.
#[derive(Clone)]
pub(crate) struct Settings {
    /// The seed of faults, and of generated records.
    pub(crate) seed: u64,
    /// How many conversations agent *demo* has; `None`: the records come from fixtures.
    pub(crate) conversations: Option<u32>,
    /// The configured id of the user of agent *demo* who has the most conversations.
    pub(crate) demo_user: Option<String>,
    /// Records of its own; `None`: it has the server's.
    pub(crate) world: Option<Arc<World>>,
    /// The fixtures of these records; `None`: they are generated.
    pub(crate) fixtures: Option<FixtureJson>,
    pub(crate) readings: Readings,
    /// Whether every key that no agent has is accepted as a key of the main agent.
    pub(crate) any_key: bool,
    /// Each with its id.
    pub(crate) faults: Arc<[NamedFault]>,
    pub(crate) rate_limit: Option<RateLimit>,
    pub(crate) hazards: Hazards,
    /// Whether its clock is stopped from the beginning.
    pub(crate) frozen: bool,
}

/// A sandbox with its settings and its state.
pub(crate) struct Sandbox {
    pub(crate) id: Box<str>,
    pub(crate) settings: Arc<Settings>,
    base: Arc<SharedState>,
    made: Instant,
    /// When it was used last: milliseconds since the server began.
    last_used_ms: AtomicU64,
    /// Which use of any sandbox that was.
    last_use: AtomicU64,
    /// How many of its requests are in flight.
    users: AtomicUsize,
    /// Whether it was used with a known key, or by the control API.
    authenticated: AtomicBool,
    state: Mutex<State>,
    /// How the previous sandbox of the same id ended, unless a client requested that.
    before: OnceLock<SandboxEnd>,
    pub(crate) journal: Journal,
}

/// The state that requests and later settings change.
struct State {
    /// How many requests each operation has had.
    requests: [u64; Operation::COUNT],
    hazards: Hazards,
    faults: Vec<ArmedFault>,
    rate_limit: Option<RateLimit>,
    windows: Windows,
    clock: Clock,
    /// The part of the memory budget that the sandbox takes, without its records.
    memory: Reservation,
}

/// How many bytes a sandbox takes without its faults, its rate limit windows and its watch.
const SANDBOX_BYTES: usize = 4096;

/// How many bytes a sandbox reserves for rate limit windows and its watch when it is made, so that its
/// first requests are answered even if the budget is full by then.
const FIRST_BYTES: usize = 4096;

impl Sandbox {
    fn new(
        id: &str,
        settings: Arc<Settings>,
        base: Arc<SharedState>,
        journals: Arc<Budget>,
        memory: Reservation,
    ) -> Self {
        let state = State {
            requests: [0; Operation::COUNT],
            hazards: settings.hazards,
            faults: settings.faults.iter().map(ArmedFault::of).collect(),
            rate_limit: settings.rate_limit,
            windows: Windows::default(),
            clock: Clock::new(settings.frozen),
            memory,
        };
        Self {
            id: id.into(),
            base,
            made: Instant::now(),
            last_used_ms: AtomicU64::new(0),
            last_use: AtomicU64::new(0),
            users: AtomicUsize::new(0),
            authenticated: AtomicBool::new(false),
            settings,
            state: Mutex::new(state),
            before: OnceLock::new(),
            journal: Journal::new(journals),
        }
    }

    /// Reserves the memory that it takes now.
    fn reserve(&self) -> Result<(), BudgetFull> {
        let watched = self.journal.watched();
        self.state.lock().reserve(watched)
    }

    /// How many bytes are reserved for it, without its records.
    fn reserved_bytes(&self) -> usize {
        self.state.lock().memory.bytes()
    }

    /// The records as they are now.
    pub(crate) fn world(&self) -> Guard<Arc<World>> {
        match &self.settings.world {
            Some(world) => Guard::from_inner(Arc::clone(world)),
            None => self.base.world(),
        }
    }

    /// Hides every secret that the server knows.
    pub(crate) fn redactor(&self) -> Arc<Redactor> {
        self.base.redactor()
    }

    pub(crate) fn hazards(&self) -> Hazards {
        self.state.lock().hazards
    }

    /// Whether requests that name no sandbox are in this one.
    pub(crate) fn is_default(&self) -> bool {
        *self.id == *Sandboxes::DEFAULT
    }

    /// Notes that it was used with a known key or by the control API. If there are too many
    /// sandboxes, the others end first, because random requests should not end the sandbox of a
    /// test.
    pub(crate) fn mark_authenticated(&self) {
        if !self.authenticated.load(Relaxed) {
            self.authenticated.store(true, Relaxed);
        }
    }

    /// Whether it has a request in flight, so that it must not end.
    fn is_in_use(&self) -> bool {
        self.users.load(Acquire) > 0
    }

    /// How many requests each operation has had.
    pub(crate) fn requests(&self) -> impl Iterator<Item = (Operation, u64)> {
        let counts = self.state.lock().requests;
        ENDPOINTS.iter().zip(counts).map(|(row, count)| (row.operation, count))
    }

    fn draw_seed(&self) -> DrawSeed<'_> {
        DrawSeed { seed: self.settings.seed, sandbox: &self.id }
    }

    /// Counts a request, and picks the fault that strikes it.
    pub(crate) fn strike(
        &self,
        operation: Operation,
        params: ParamValues<'_>,
    ) -> Option<InjectedFault> {
        let mut state = self.state.lock();
        let request = state.count(operation);
        ArmedFault::strike(&mut state.faults, self.draw_seed(), request, params)
    }

    /// Counts a request that asks for a fault by `Prefer`. It gets only that fault; if none of its
    /// preferences is possible, it is treated like any other request.
    pub(crate) fn strike_as_preferred(
        &self,
        preferences: Preferences,
        operation: Operation,
        params: ParamValues<'_>,
    ) -> (Option<InjectedFault>, PreferenceOutcome) {
        let mut state = self.state.lock();
        let request = state.count(operation);
        let outcome = preferences.apply(operation, request.ordinal, &state.faults);
        let injected = match &outcome.fault {
            Some((armed, ordinal)) => {
                Some(armed.inject(self.draw_seed(), Occurrence { operation, ordinal: *ordinal }))
            }
            None => ArmedFault::strike(&mut state.faults, self.draw_seed(), request, params),
        };
        (injected, outcome)
    }

    /// Admits a request of a key; else returns the limit and the seconds until the next is
    /// admitted.
    pub(crate) fn admit(&self, key: &[u8]) -> Result<(), (RateLimit, u64)> {
        let mut state = self.state.lock();
        let Some(limit) = state.rate_limit else { return Ok(()) };
        let now = state.clock.now(self.made.elapsed());
        state.windows.admit(limit, key, now).map_err(|seconds| (limit, seconds))
    }

    /// Adds a fault before the others. If there are too many, expired faults are removed, so that a test
    /// that makes one request after another fail never reaches the limit.
    ///
    /// # Errors
    ///
    /// As [`Sandbox::add_faults`].
    pub(crate) fn add_first_fault(&self, fault: Fault) -> Result<(), AddFaultError> {
        let watched = self.journal.watched();
        let mut state = self.state.lock();
        let mut others = state.faults.clone();
        if others.len() >= MAX_FAULTS {
            others.retain(|armed| !armed.is_expired());
        }
        let mut faults = arm(vec![fault], &others)?;
        faults.extend(others);
        state.replace_faults(faults, watched)
    }

    /// Adds faults after the others, all of them or none.
    ///
    /// # Errors
    ///
    /// An id is already taken, there are too many faults, or the memory budget is full. Nothing is changed.
    pub(crate) fn add_faults(&self, faults: Vec<Fault>) -> Result<(), AddFaultError> {
        let watched = self.journal.watched();
        let mut state = self.state.lock();
        let mut all = state.faults.clone();
        all.extend(arm(faults, &all)?);
        state.replace_faults(all, watched)
    }

    /// The current settings. A sandbox that is made from them is equal, but without any requests.
    pub(crate) fn current_settings(&self) -> Settings {
        let state = self.state.lock();
        Settings {
            faults: state.faults.iter().map(|armed| armed.definition.clone()).collect(),
            rate_limit: state.rate_limit,
            hazards: state.hazards,
            frozen: state.clock.is_frozen(),
            ..(*self.settings).clone()
        }
    }

    /// Each fault with its id, the number of requests that matched it, and the number that it struck.
    pub(crate) fn faults(&self) -> Vec<(NamedFault, u64, u64)> {
        let state = self.state.lock();
        state
            .faults
            .iter()
            .map(|armed| (armed.definition.clone(), armed.requests, armed.strikes))
            .collect()
    }

    /// Sets the limit, and starts new windows for all keys.
    pub(crate) fn limit(&self, limit: Option<RateLimit>) {
        let mut state = self.state.lock();
        state.rate_limit = limit;
        state.windows = Windows::default();
    }

    /// Adds a hazard, to an operation or to all.
    pub(crate) fn add_hazard(&self, operation: Option<Operation>, hazard: Hazard) {
        self.state.lock().hazards.add(operation, hazard);
    }

    /// How long it has existed by its own clock.
    pub(crate) fn own_time(&self, now: Instant) -> Duration {
        self.state.lock().clock.now(now.saturating_duration_since(self.made))
    }

    /// The verdict on its requests, without keys.
    pub(crate) fn verdict(&self) -> Verdict {
        let mut verdict = {
            let kept = self.journal.lock();
            kept.watch.verdict(&self.id, &kept.entries)
        };
        if !verdict.findings.is_empty() {
            // Findings quote paths and parameters, which may hold keys that clients sent.
            let redactor = self.redactor();
            for finding in &mut verdict.findings {
                finding.what = redactor.hide(&finding.what).into_owned();
                for line in &mut finding.request_lines {
                    line.method = redactor.part(&line.method).into_owned();
                    line.target = redactor.target(&line.target);
                }
            }
        }
        let faults = self.faults().into_iter();
        let faults = faults
            .map(|(known, _, struck)| (format!("{} ({})", known.id, known.fault), struck > 0));
        verdict.coverage.set_faults(faults.collect());
        verdict
    }

    /// Changes the clock, and returns its new time and whether it is stopped.
    pub(crate) fn clock(&self, change: impl FnOnce(&mut Clock, Duration)) -> (Duration, bool) {
        let real = self.made.elapsed();
        let mut state = self.state.lock();
        change(&mut state.clock, real);
        (state.clock.now(real), state.clock.is_frozen())
    }
}

/// Why a fault cannot be added to a sandbox.
#[derive(Debug, Error)]
pub(crate) enum AddFaultError {
    #[error("{0}")]
    Conflict(String),
    #[error(transparent)]
    BudgetFull(BudgetFull),
}

/// The most faults of a sandbox, because each request checks all of them.
pub(crate) const MAX_FAULTS: usize = 1_000;

impl State {
    /// Counts a request. Faults are picked under the same lock, so that they meet requests in the
    /// order of their numbers.
    fn count(&mut self, operation: Operation) -> Occurrence {
        let count = &mut self.requests[operation as usize];
        *count += 1;
        Occurrence { operation, ordinal: *count }
    }

    /// Reserves the memory that the sandbox takes now.
    fn reserve(&mut self, watched: usize) -> Result<(), BudgetFull> {
        let faults: usize = self.faults.iter().map(ArmedFault::bytes).sum();
        let counted = (self.windows.bytes() + watched).max(FIRST_BYTES);
        self.memory.cover(SANDBOX_BYTES + faults + counted)
    }

    /// Replaces the faults. If the memory budget is full, they do not change.
    fn replace_faults(
        &mut self,
        faults: Vec<ArmedFault>,
        watched: usize,
    ) -> Result<(), AddFaultError> {
        let before = std::mem::replace(&mut self.faults, faults);
        self.reserve(watched).map_err(|full| {
            self.faults = before;
            AddFaultError::BudgetFull(full)
        })
    }
}

/// New faults, each with an id and no counts yet.
fn arm(faults: Vec<Fault>, others: &[ArmedFault]) -> Result<Vec<ArmedFault>, AddFaultError> {
    let known = others.iter().map(|armed| Arc::clone(&armed.definition.id)).collect();
    match number_faults(faults, known) {
        Ok(named) => Ok(named.iter().map(ArmedFault::of).collect()),
        Err((_, why)) => Err(AddFaultError::Conflict(why)),
    }
}

/// Gives an id to each fault that is added to those with the `taken` ids.
///
/// # Errors
///
/// A fault is invalid, two faults have the same id, or there are too many. The number is the index of the
/// fault.
pub(crate) fn number_faults(
    faults: Vec<Fault>,
    mut taken: HashSet<Arc<str>>,
) -> Result<Vec<NamedFault>, (usize, String)> {
    let others = taken.len();
    if others + faults.len() > MAX_FAULTS {
        let which = MAX_FAULTS.saturating_sub(others);
        return Err((which, format!("a sandbox can have at most {MAX_FAULTS} faults")));
    }
    // A fault without an id gets one that no later fault has, either.
    for (which, fault) in faults.iter().enumerate() {
        fault.check().map_err(|why| (which, why))?;
        if let Some(id) = &fault.id
            && !taken.insert(id.as_str().into())
        {
            return Err((which, format!("another fault already has the id {id}")));
        }
    }
    let named = faults.into_iter().enumerate().map(|(which, fault)| {
        let id = fault.id.as_deref().map_or_else(
            || {
                let mut ids = (others + which + 1..).map(|number| format!("fault-{number}").into());
                let id =
                    ids.find(|id| !taken.contains(id)).expect("there are more numbers than faults");
                taken.insert(Arc::clone(&id));
                id
            },
            Arc::from,
        );
        NamedFault { id, fault: Arc::new(fault) }
    });
    Ok(named.collect())
}

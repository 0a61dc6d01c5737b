//! An isolated world: what one test sees. [`Sandboxes`] (`registry.rs`) has all of a server's.
//!
//! A sandbox is made from [`Settings`], which never change; what happens in it is counted beside
//! them. To reset it is to make it anew from the same settings.

mod clock;
pub(crate) mod config;
mod ended;
mod eviction;
pub(crate) mod faults;
pub(crate) mod hazard;
pub(crate) mod journal;
mod journals;
mod limit;
pub(crate) mod peer;
mod registry;
pub(crate) mod verdict;

pub(crate) use clock::Clock;
pub(crate) use ended::Ending;
pub(crate) use journals::Collected;
pub(crate) use limit::RateLimit;
pub(crate) use registry::{Base, InUse, Sandboxes};

use std::collections::HashSet;
use std::sync::atomic::{
    AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering::Acquire, Ordering::Relaxed,
};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::Guard;

use crate::contract::{ENDPOINTS, Operation, Readings};
use crate::records::world::World;
use crate::sandbox::faults::{Applied, Fault, Fired, Known, Live, Occurrence, Origin, Preferences};
use crate::sandbox::hazard::Hazards;
use crate::sandbox::journal::{Budget, Journal, Redactor};
use crate::sandbox::verdict::Verdict;
use limit::Windows;

/// What a sandbox is to be.
#[derive(Clone)]
pub(crate) struct Settings {
    /// What faults are drawn from, and the records where they are generated.
    pub(crate) seed: u64,
    /// Records of its own; otherwise it has the server's.
    pub(crate) world: Option<Arc<World>>,
    pub(crate) readings: Readings,
    /// Whether any key that is no agent's stands for the main agent.
    pub(crate) any_key: bool,
    /// Each with its id.
    pub(crate) faults: Arc<[Known]>,
    pub(crate) rate_limit: Option<RateLimit>,
    pub(crate) hazards: Hazards,
    /// Whether its clock stands from the beginning.
    pub(crate) frozen: bool,
}

/// One world, with what has happened in it.
pub(crate) struct Sandbox {
    pub(crate) id: Box<str>,
    pub(crate) settings: Arc<Settings>,
    base: Arc<Base>,
    made: Instant,
    /// When it was used last: milliseconds since the server began.
    used: AtomicU64,
    /// Which use of any sandbox that was.
    turn: AtomicU64,
    /// How many requests in it are not answered to their end yet.
    users: AtomicUsize,
    /// Whether it was used with a known key, or by the control API.
    authenticated: AtomicBool,
    /// How many requests each operation has had.
    requests: [AtomicU64; Operation::COUNT],
    hazards: AtomicU32,
    /// What there is to look at: [`FAULTS`], [`LIMIT`], a [`CLOCK`] that is not the world's.
    watches: AtomicU8,
    state: Mutex<State>,
    /// How the one before it of the same id ended, if nobody asked for that.
    before: OnceLock<Ending>,
    pub(crate) journal: Journal,
}

const FAULTS: u8 = 1;
const LIMIT: u8 = 2;
const CLOCK: u8 = 4;

/// What changes with each request, and what is set while the sandbox is used.
struct State {
    faults: Vec<Live>,
    rate_limit: Option<RateLimit>,
    windows: Windows,
    clock: Clock,
}

impl Sandbox {
    fn new(id: &str, settings: Arc<Settings>, base: Arc<Base>, journals: Arc<Budget>) -> Self {
        let state = State {
            faults: settings.faults.iter().map(Live::of).collect(),
            rate_limit: settings.rate_limit,
            windows: Windows::default(),
            clock: Clock::new(settings.frozen),
        };
        let sandbox = Self {
            id: id.into(),
            base,
            made: Instant::now(),
            used: AtomicU64::new(0),
            turn: AtomicU64::new(0),
            users: AtomicUsize::new(0),
            authenticated: AtomicBool::new(false),
            requests: Default::default(),
            hazards: AtomicU32::new(settings.hazards.bits()),
            watches: AtomicU8::new(0),
            settings,
            state: Mutex::new(state),
            before: OnceLock::new(),
            journal: Journal::new(journals),
        };
        sandbox.watch(&sandbox.state());
        sandbox
    }

    /// Nothing under this lock can leave the state half changed, so a poisoned one is as good as
    /// any.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn watch(&self, state: &State) {
        let faults = if state.faults.is_empty() { 0 } else { FAULTS };
        let limit = if state.rate_limit.is_some() { LIMIT } else { 0 };
        let clock = if state.clock.is_real() { 0 } else { CLOCK };
        self.watches.store(faults | limit | clock, Relaxed);
    }

    /// The records as they are now.
    pub(crate) fn world(&self) -> Guard<Arc<World>> {
        match &self.settings.world {
            Some(world) => Guard::from_inner(Arc::clone(world)),
            None => self.base.world(),
        }
    }

    pub(crate) fn hazards(&self) -> Hazards {
        Hazards::from_bits(self.hazards.load(Relaxed))
    }

    /// Whether requests are in it that name none.
    pub(crate) fn is_default(&self) -> bool {
        *self.id == *Sandboxes::DEFAULT
    }

    /// Notes that it was used with a known key or by the control API. Where there are too many
    /// sandboxes, those that never were are ended first.
    pub(crate) fn mark_authenticated(&self) {
        if !self.authenticated.load(Relaxed) {
            self.authenticated.store(true, Relaxed);
        }
    }

    /// Whether it must not end now.
    fn is_in_use(&self) -> bool {
        self.users.load(Acquire) > 0
    }

    /// Counts a request; which one of its operation it is.
    fn count(&self, operation: Operation) -> u64 {
        self.requests[operation as usize].fetch_add(1, Relaxed) + 1
    }

    /// How many requests each operation has had.
    pub(crate) fn requests(&self) -> impl Iterator<Item = (Operation, u64)> {
        ENDPOINTS
            .iter()
            .zip(&self.requests)
            .map(|(row, count)| (row.operation, count.load(Relaxed)))
    }

    fn origin(&self) -> Origin<'_> {
        Origin { seed: self.settings.seed, sandbox: &self.id }
    }

    /// Counts a request, and tells the fault that strikes it.
    pub(crate) fn strike(&self, operation: Operation) -> Option<Fired> {
        if self.watches.load(Relaxed) & FAULTS == 0 {
            self.count(operation);
            return None;
        }
        let mut state = self.state();
        // Under the lock, so that faults meet requests in the order of their numbers.
        let request = Occurrence { operation, ordinal: self.count(operation) };
        Live::strike(&mut state.faults, self.origin(), request)
    }

    /// The same for a request that asks for a fault itself. It gets that one; where nothing of
    /// what it asks can be met, it is a request like any other.
    pub(crate) fn asked(
        &self,
        preferences: Preferences,
        operation: Operation,
    ) -> (Option<Fired>, Applied) {
        let mut state = self.state();
        let request = Occurrence { operation, ordinal: self.count(operation) };
        let applied = preferences.apply(operation, request.ordinal, &state.faults);
        let fired = match &applied.fault {
            Some((live, ordinal)) => {
                Some(live.fire(self.origin(), Occurrence { operation, ordinal: *ordinal }))
            }
            None => Live::strike(&mut state.faults, self.origin(), request),
        };
        (fired, applied)
    }

    /// Admits a request of a key, or tells the limit and after how many seconds one will be.
    pub(crate) fn admit(&self, key: &[u8]) -> Result<(), (RateLimit, u64)> {
        if self.watches.load(Relaxed) & LIMIT == 0 {
            return Ok(());
        }
        let mut state = self.state();
        let now = state.clock.now(self.made.elapsed());
        let Some(limit) = state.rate_limit else { return Ok(()) };
        state.windows.admit(limit, key, now).map_err(|seconds| (limit, seconds))
    }

    /// Adds a fault, behind the others or before them.
    ///
    /// # Errors
    ///
    /// There is one with its id, or there are too many.
    pub(crate) fn add_fault(&self, fault: Fault, first: bool) -> Result<(), String> {
        let mut state = self.state();
        state.add(fault, first)?;
        self.watch(&state);
        Ok(())
    }

    /// Each fault with its id, how many requests it covered, and how many it struck.
    pub(crate) fn faults(&self) -> Vec<(Known, u64, u64)> {
        let state = self.state();
        state.faults.iter().map(|live| (live.known.clone(), live.seen, live.fired)).collect()
    }

    /// Sets the limit, and begins every window anew.
    pub(crate) fn limit(&self, limit: Option<RateLimit>) {
        let mut state = self.state();
        state.rate_limit = limit;
        state.windows = Windows::default();
        self.watch(&state);
    }

    pub(crate) fn rate_limit(&self) -> Option<RateLimit> {
        self.state().rate_limit
    }

    /// Adds a hazard, to an operation or to all.
    pub(crate) fn add_hazards(&self, more: Hazards) {
        self.hazards.fetch_or(more.bits(), Relaxed);
    }

    /// How long it has been there by its own clock.
    pub(crate) fn own_time(&self, now: Instant) -> Duration {
        let real = now.saturating_duration_since(self.made);
        if self.watches.load(Relaxed) & CLOCK == 0 { real } else { self.state().clock.now(real) }
    }

    /// What is thought of its requests.
    pub(crate) fn verdict(&self) -> Verdict {
        let mut verdict = {
            let kept = self.journal.kept();
            kept.watch.verdict(&self.id, &kept.entries)
        };
        if !verdict.findings.is_empty() {
            // What was done names paths and parameters, which clients choose.
            let redactor = Redactor::new([&**self.world(), &**self.base.world()]);
            // Where one key stood as it is, another may stand with escapes.
            let hider = Redactor::new([&**self.world()]);
            for finding in &mut verdict.findings {
                finding.what = hider.redact(&redactor.redact(&finding.what));
                for line in &mut finding.request_lines {
                    line.method = redactor.redact(&line.method);
                    line.target = redactor.redact_target(&line.target);
                }
            }
        }
        let faults = self.faults().into_iter();
        let faults = faults
            .map(|(known, _, struck)| (format!("{} ({})", known.id, known.fault), struck > 0));
        verdict.coverage.set_faults(faults.collect());
        verdict
    }

    /// Changes the clock; what it shows then, and whether it stands.
    pub(crate) fn clock(&self, change: impl FnOnce(&mut Clock, Duration)) -> (Duration, bool) {
        let real = self.made.elapsed();
        let mut state = self.state();
        change(&mut state.clock, real);
        self.watch(&state);
        (state.clock.now(real), state.clock.is_frozen())
    }
}

/// So many faults a sandbox may have: each request looks at all of them.
pub(crate) const MOST_FAULTS: usize = 1_000;

impl State {
    fn add(&mut self, fault: Fault, first: bool) -> Result<(), String> {
        // What has struck as often as it may is kept as long as there is room for it.
        if self.faults.len() >= MOST_FAULTS {
            self.faults.retain(|live| !live.is_over());
        }
        if self.faults.len() >= MOST_FAULTS {
            return Err(format!("a sandbox has at most {MOST_FAULTS} faults"));
        }
        let known = self.faults.iter().map(|live| &*live.known.id);
        let known =
            Known::new(fault, known.clone().count() + 1, |id| known.clone().any(|k| k == id))?;
        let place = if first { 0 } else { self.faults.len() };
        self.faults.insert(place, Live::of(&known));
        Ok(())
    }
}

/// Faults that are together in a sandbox, each with its id.
///
/// # Errors
///
/// One makes no sense, two have the same id, or there are too many.
pub(crate) fn number_faults(faults: Vec<Fault>) -> Result<Arc<[Known]>, String> {
    if faults.len() > MOST_FAULTS {
        return Err(format!("a sandbox has at most {MOST_FAULTS} faults"));
    }
    let mut taken: HashSet<Arc<str>> = HashSet::new();
    let mut all = Vec::with_capacity(faults.len());
    for fault in faults {
        fault.check()?;
        let known = Known::new(fault, all.len() + 1, |id| taken.contains(id))?;
        taken.insert(Arc::clone(&known.id));
        all.push(known);
    }
    Ok(all.into())
}

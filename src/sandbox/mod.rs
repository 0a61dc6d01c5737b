//! An isolated world: what one test sees. [`Sandboxes`] (`registry.rs`) has all of a server's.
//!
//! A sandbox is made from [`Settings`], which never change; what happens in it is counted beside
//! them. To reset it is to make it anew from the same settings.

mod clock;
mod limit;
mod registry;

pub(crate) use clock::Clock;
pub(crate) use limit::RateLimit;
pub(crate) use registry::{Base, Held, Sandboxes};

use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::Guard;

use crate::contract::{ENDPOINTS, Operation, Readings};
use crate::faults::{Applied, Fault, Fired, Live, Occurrence, Origin, Preferences};
use crate::hazard::Hazards;
use crate::journal::{Budget, Journal};
use crate::verdict::Verdict;
use crate::world::World;
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
    pub(crate) faults: Vec<Fault>,
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
    /// The how-manieth use of any sandbox that was.
    turn: AtomicU64,
    /// How many requests each operation has had.
    requests: [AtomicU64; Operation::COUNT],
    hazards: AtomicU32,
    /// Whether there are faults or a limit to look at: [`FAULTS`], [`LIMIT`].
    watches: AtomicU8,
    state: Mutex<State>,
    pub(crate) journal: Journal,
}

const FAULTS: u8 = 1;
const LIMIT: u8 = 2;

/// What changes with each request, and what is set while the sandbox is used.
struct State {
    faults: Vec<Live>,
    rate_limit: Option<RateLimit>,
    windows: Windows,
    clock: Clock,
}

impl Sandbox {
    fn new(id: &str, settings: Arc<Settings>, base: Arc<Base>, journals: Arc<Budget>) -> Self {
        let mut state = State {
            faults: Vec::new(),
            rate_limit: settings.rate_limit,
            windows: Windows::default(),
            clock: Clock::new(settings.frozen),
        };
        for fault in &settings.faults {
            // They were checked to have ids of their own.
            let _ = state.add(fault.clone());
        }
        let sandbox = Self {
            id: id.into(),
            base,
            made: Instant::now(),
            used: AtomicU64::new(0),
            turn: AtomicU64::new(0),
            requests: Default::default(),
            hazards: AtomicU32::new(settings.hazards.bits()),
            watches: AtomicU8::new(0),
            settings,
            state: Mutex::new(state),
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
        self.watches.store(faults | limit, Relaxed);
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

    /// Counts a request; which one of its operation it is.
    pub(crate) fn count(&self, operation: Operation) -> u64 {
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

    /// The fault that strikes a request, which was counted as the so many-th of its operation.
    pub(crate) fn strike(&self, operation: Operation, ordinal: u64) -> Option<Fired> {
        if self.watches.load(Relaxed) & FAULTS == 0 {
            return None;
        }
        let request = Occurrence { operation, ordinal };
        Live::strike(&mut self.state().faults, self.origin(), request)
    }

    /// What is done for a request that asks for a fault itself.
    pub(crate) fn asked(
        &self,
        preferences: Preferences,
        operation: Operation,
        ordinal: u64,
    ) -> (Option<Fired>, Applied) {
        let applied = preferences.apply(operation, ordinal, &self.state().faults);
        let fired = applied.fault.as_ref().map(|(live, ordinal)| {
            live.fire(self.origin(), Occurrence { operation, ordinal: *ordinal })
        });
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

    /// Adds a fault.
    ///
    /// # Errors
    ///
    /// There is one with its id, or there are too many.
    pub(crate) fn add_fault(&self, fault: Fault) -> Result<(), String> {
        let mut state = self.state();
        state.add(fault)?;
        self.watch(&state);
        Ok(())
    }

    /// Each fault with its id, how many requests it covered, and how many it struck.
    pub(crate) fn faults(&self) -> Vec<(String, Arc<Fault>, u64, u64)> {
        let state = self.state();
        let all = state.faults.iter();
        all.map(|live| (live.id.clone(), Arc::clone(&live.fault), live.seen, live.fired)).collect()
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
    pub(crate) fn own_time(&self) -> Duration {
        let real = self.made.elapsed();
        if self.watches.load(Relaxed) == 0 { real } else { self.state().clock.now(real) }
    }

    /// What is thought of its requests.
    pub(crate) fn verdict(&self) -> Verdict {
        let mut verdict = self.journal.kept().watch.verdict(&self.id);
        let faults = self.faults().into_iter();
        let faults = faults.map(|(id, fault, _, struck)| (format!("{id} ({fault})"), struck > 0));
        verdict.coverage.set_faults(faults.collect());
        verdict
    }

    /// Changes the clock; what it shows then, and whether it stands.
    pub(crate) fn clock(&self, change: impl FnOnce(&mut Clock, Duration)) -> (Duration, bool) {
        let real = self.made.elapsed();
        let mut state = self.state();
        change(&mut state.clock, real);
        (state.clock.now(real), state.clock.is_frozen())
    }
}

/// So many faults a sandbox may have: each request looks at all of them.
const MOST_FAULTS: usize = 1_000;

impl State {
    fn add(&mut self, fault: Fault) -> Result<(), String> {
        // What has struck as often as it may is kept as long as there is room for it.
        if self.faults.len() >= MOST_FAULTS {
            self.faults.retain(|live| live.fault.schedule.times.is_none_or(|n| live.fired < n));
        }
        if self.faults.len() >= MOST_FAULTS {
            return Err(format!("a sandbox has at most {MOST_FAULTS} faults"));
        }
        let taken = |id: &str| self.faults.iter().any(|live| live.id == id);
        let id = match &fault.id {
            Some(id) if taken(id) => return Err(format!("there is a fault with the id {id}")),
            Some(id) => id.clone(),
            None => {
                let free = (self.faults.len() + 1..).map(|number| format!("fault-{number}"));
                free.into_iter().find(|id| !taken(id)).unwrap_or_default()
            }
        };
        self.faults.push(Live::new(id, fault));
        Ok(())
    }
}

/// Checks that faults can be together in a sandbox.
pub(crate) fn check_faults(faults: &[Fault]) -> Result<(), String> {
    if faults.len() > MOST_FAULTS {
        return Err(format!("a sandbox has at most {MOST_FAULTS} faults"));
    }
    for (place, fault) in faults.iter().enumerate() {
        fault.check()?;
        if let Some(id) = &fault.id
            && faults[..place].iter().any(|before| before.id.as_ref() == Some(id))
        {
            return Err(format!("there are two faults with the id {id}"));
        }
    }
    Ok(())
}

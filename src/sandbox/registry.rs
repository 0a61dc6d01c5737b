//! All sandboxes of a server. A sandbox is found by its id, created at its first use, and ended if it
//! is idle for too long or if there are too many.

mod holders;

use std::collections::HashMap;
use std::fmt;
use std::ops::Deref;
use std::sync::atomic::{
    AtomicU64,
    Ordering::{AcqRel, Relaxed},
};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, Guard};
use parking_lot::{Mutex, RwLock};

use super::ended::{EndCause, EndedSandboxes};
use super::eviction::EvictionQueue;
use super::shared_state::SharedState;
use super::{Sandbox, SandboxConfig, SandboxEnd, Settings};
use crate::memory::{BudgetFull, MemoryBudget, Purpose};
use crate::records::RecordsConfig;
use crate::records::generate::making_bytes;
use crate::records::world::World;
use crate::redact::Redactor;
use crate::sandbox::journal::Budget;
use crate::sandbox::verdict::{Verdict, VerdictSum};
use crate::suggest::nearest;

/// If there are too many sandboxes, a new one ends at most this many, so that no request waits for
/// long. The next new sandboxes end the rest.
const MAX_EVICTED: usize = 8;

/// A sweep ends this many idle sandboxes under one lock, so that requests do not wait for long.
const SWEPT_AT_ONCE: usize = 16;

type ById = HashMap<Box<str>, Arc<Sandbox>>;

/// Every sandbox except the default one.
#[derive(Default)]
struct NamedSandboxes {
    by_id: ById,
    eviction: EvictionQueue,
}

/// Generated records of the same settings, as long as a sandbox uses them. The thread that generates them
/// holds the lock, so that only requests for the same records wait.
type WorldSlot = Arc<Mutex<Weak<World>>>;

/// What generated records depend on: the seed, the number of conversations, and the id of the demo user.
type WorldKey = (u64, u32, Option<String>);

/// Every sandbox of a server, by id.
pub(crate) struct Sandboxes {
    base: Arc<SharedState>,
    /// The settings that the server was started with. The default sandbox has them, and so has
    /// every sandbox that is made at its first use.
    server: Arc<Settings>,
    pub(crate) config: SandboxConfig,
    default: ArcSwap<Sandbox>,
    named: RwLock<NamedSandboxes>,
    /// Counts the uses of sandboxes, because two uses in the same millisecond need an order, too.
    uses: AtomicU64,
    journals: Arc<Budget>,
    /// The memory that clients can make the server use.
    pub(crate) memory: Arc<MemoryBudget>,
    /// The verdicts on sandboxes that have ended. It is locked before `named`.
    past: Mutex<VerdictSum>,
    /// The ends of sandboxes that had requests. It is locked last.
    endings: Mutex<EndedSandboxes>,
    /// How many requests left the journal with sandboxes that ended without a client's request.
    lost: AtomicU64,
    generated: Mutex<HashMap<WorldKey, WorldSlot>>,
}

/// A sandbox with a request in flight: while the request holds this, the sandbox is neither evicted
/// nor ended because it was idle. Code that only reads sandboxes holds an [`Arc`] instead, so that
/// reading does not influence which sandbox ends.
pub(crate) struct InUse(Arc<Sandbox>);

impl InUse {
    /// Nothing ends the sandbox before this returns, because the caller holds the registry's lock.
    fn new(sandbox: Arc<Sandbox>) -> Self {
        sandbox.users.fetch_add(1, AcqRel);
        Self(sandbox)
    }
}

impl Clone for InUse {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.0))
    }
}

impl Drop for InUse {
    fn drop(&mut self) {
        self.0.users.fetch_sub(1, AcqRel);
    }
}

impl Deref for InUse {
    type Target = Sandbox;

    fn deref(&self) -> &Sandbox {
        &self.0
    }
}

impl fmt::Debug for Sandboxes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandboxes").finish_non_exhaustive()
    }
}

impl Sandboxes {
    /// The id of the sandbox for requests that name none.
    pub(crate) const DEFAULT: &str = "default";

    /// The sandboxes of a server, with its own settings, which [`SandboxConfig::settings`] makes.
    pub(crate) fn new(world: World, settings: Settings, config: SandboxConfig) -> Self {
        let base = Arc::new(SharedState::new(world));
        let server = Arc::new(settings);
        let bytes = config.journal_mebibytes << 20;
        let journals = Budget::new(config.journal_requests, bytes, config.clock);
        let (settings, shared) = (Arc::clone(&server), Arc::clone(&base));
        let memory = MemoryBudget::new(config.max_mebibytes);
        let own = memory.reservation(Purpose::Sandbox);
        let default = Sandbox::new(Self::DEFAULT, settings, shared, Arc::clone(&journals), own);
        Self {
            memory,
            base,
            server,
            config,
            default: ArcSwap::from_pointee(default),
            named: RwLock::default(),
            uses: AtomicU64::new(0),
            journals,
            past: Mutex::default(),
            endings: Mutex::default(),
            lost: AtomicU64::new(0),
            generated: Mutex::default(),
        }
    }

    /// The data that all journals share.
    pub(crate) fn journals(&self) -> &Arc<Budget> {
        &self.journals
    }

    /// How long after the start of the server a moment is.
    pub(crate) fn uptime(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.base.began())
    }

    /// The verdict on all requests since the server began or was reset.
    pub(crate) fn verdict(&self) -> Verdict {
        let (mut sum, all) = {
            let past = self.past.lock();
            (past.clone(), self.all_live())
        };
        for sandbox in all {
            sum.add(sandbox.verdict());
        }
        sum.verdict()
    }

    /// Ends every sandbox, creates a new default one, and discards journals and verdicts.
    pub(crate) fn reset(&self) {
        let default = self.make(Self::DEFAULT, Arc::clone(&self.server), self.now());
        let mut past = self.past.lock();
        let gone = {
            // This happens under the lock, so that a new sandbox of the same id does not find an old
            // record of an end.
            let mut named = self.named.write();
            *self.endings.lock() = EndedSandboxes::default();
            self.forget_lost();
            std::mem::take(&mut *named)
        };
        self.default.store(Arc::new(default));
        *past = VerdictSum::default();
        drop(past);
        // Records take a while to be freed, so we free them without a lock.
        drop(gone);
    }

    /// A new sandbox that is not in the registry.
    pub(super) fn make_unregistered(&self, id: &str) -> Sandbox {
        self.make(id, Arc::clone(&self.server), self.now())
    }

    /// The sandbox of an id if there is one, or every sandbox.
    pub(super) fn select(&self, only: Option<&str>) -> Vec<Arc<Sandbox>> {
        match only {
            None => self.all_live(),
            Some(Self::DEFAULT) => vec![self.default.load_full()],
            Some(id) => self.get_live(&self.named.read(), id, self.now()).into_iter().collect(),
        }
    }

    /// Every sandbox, in no order.
    pub(super) fn all_live(&self) -> Vec<Arc<Sandbox>> {
        self.all_live_and_lost().0
    }

    /// Every sandbox, and how many requests left the journal with sandboxes that ended without a
    /// client's request. Both are read under one lock, so that each sandbox counts exactly once.
    pub(super) fn all_live_and_lost(&self) -> (Vec<Arc<Sandbox>>, u64) {
        let named = self.named.read();
        let mut all: Vec<_> = named.by_id.values().cloned().collect();
        all.push(self.default.load_full());
        (all, self.lost.load(Relaxed))
    }

    /// Resets the count of requests that left the journal with their sandboxes.
    pub(super) fn forget_lost(&self) {
        self.lost.store(0, Relaxed);
    }

    /// Records how a sandbox ends. The caller still holds the lock under which it took the sandbox
    /// out, so that a new sandbox of the same id finds the record.
    fn record_end(&self, sandbox: &Sandbox, cause: EndCause) {
        if cause != EndCause::Deleted {
            self.lost.fetch_add(sandbox.journal.lock().total(), Relaxed);
        }
        let mut endings = self.endings.lock();
        match ending(sandbox, cause) {
            Some(ending) => endings.note(&sandbox.id, ending),
            None => {
                endings.take(&sandbox.id);
            }
        }
    }

    /// Moves sandboxes from the registry to a list, and keeps their verdicts. A verdict on the server
    /// waits meanwhile, so that it contains each sandbox once, as a live or as an ended one. A reset
    /// also waits, because it must discard all of them.
    fn retire<T>(
        &self,
        take_out: impl FnOnce(&mut NamedSandboxes, &mut Vec<Arc<Sandbox>>) -> T,
    ) -> T {
        let mut gone = Vec::new();
        let mut past = self.past.lock();
        let made = take_out(&mut self.named.write(), &mut gone);
        for sandbox in &gone {
            past.add_past(sandbox.verdict());
        }
        drop(past);
        // Records take a while to be freed, so we free them without a lock.
        drop(gone);
        made
    }

    /// The records of the server.
    pub(crate) fn world(&self) -> Guard<Arc<World>> {
        self.base.world()
    }

    /// Replaces the records. Requests in flight keep those that they took.
    #[cfg(feature = "cli")]
    pub(crate) fn replace_world(&self, world: World) {
        self.base.replace_world(world);
    }

    /// Hides every secret that the server knows: the keys of every sandbox, and the token of the
    /// control API.
    pub(crate) fn redactor(&self) -> Arc<Redactor> {
        self.base.redactor()
    }

    /// Hides the token of the control API wherever it is sent.
    pub(crate) fn hide_token(&self, token: Option<String>) {
        self.base.hide_token(token);
    }

    /// Whether a text that should name a sandbox is a key that the server knows.
    pub(crate) fn is_key(&self, id: &str) -> bool {
        self.redactor().is_known(id)
    }

    /// The default sandbox.
    pub(crate) fn get_default(&self) -> InUse {
        let sandbox = InUse::new(self.default.load_full());
        sandbox.last_used_ms.store(self.now(), Relaxed);
        sandbox
    }

    /// The sandbox of a valid id. It is made if there is none.
    ///
    /// # Errors
    ///
    /// The memory budget is full.
    pub(crate) fn get(&self, id: Option<&str>) -> Result<InUse, BudgetFull> {
        let Some(id) = id.filter(|id| *id != Self::DEFAULT) else {
            let sandbox = self.get_default();
            return sandbox.reserve().map(|()| sandbox);
        };
        let now = self.now();
        let there = self.get_live(&self.named.read(), id, now).map(InUse::new);
        if let Some(sandbox) = there {
            self.mark_used(&sandbox, now);
            return sandbox.reserve().map(|()| sandbox);
        }
        let fresh = Arc::new(self.make(id, Arc::clone(&self.server), now));
        fresh.reserve()?;
        let add = |named: &mut NamedSandboxes, gone: &mut Vec<Arc<Sandbox>>| {
            // Another request may have made it since we looked.
            if let Some(sandbox) = self.get_live(named, id, now) {
                return InUse::new(sandbox);
            }
            if let Some(over) = named.by_id.get(id) {
                self.record_end(over, EndCause::Idle);
            }
            let before = self.endings.lock().take(id);
            if let Some(before) = before.filter(|before| before.cause != EndCause::Deleted) {
                fresh.journal.lock().lost_before = before.requests;
                fresh.before.set(before).expect("a new sandbox is in no other hands");
            }
            self.insert(named, &fresh, gone);
            InUse::new(fresh)
        };
        let mut named = self.named.write();
        if named.by_id.len() < self.max_sandboxes() && !named.by_id.contains_key(id) {
            // No other sandbox must end for this one, so it need not wait for a verdict.
            return Ok(add(&mut named, &mut Vec::new()));
        }
        drop(named);
        Ok(self.retire(add))
    }

    /// The sandbox of an id, if there is one. This does not count as a use, so the sandbox may end
    /// meanwhile.
    pub(crate) fn find(&self, id: &str) -> Option<Arc<Sandbox>> {
        self.find_or_ending(id).ok()
    }

    /// The sandbox of an id, or how the last one ended, if it had requests. Both are looked up
    /// under one lock, because a request may make a sandbox in between.
    pub(crate) fn find_or_ending(&self, id: &str) -> Result<Arc<Sandbox>, Option<SandboxEnd>> {
        if id == Self::DEFAULT {
            return Ok(self.default.load_full());
        }
        let named = self.named.read();
        if let Some(sandbox) = self.get_live(&named, id, self.now()) {
            return Ok(sandbox);
        }
        // It may have expired though no sweep has ended it yet.
        let over = named.by_id.get(id).and_then(|over| ending(over, EndCause::Idle));
        Err(over.or_else(|| self.endings.lock().get(id)))
    }

    /// The id that is most similar to another one. At most a thousand are compared, because each
    /// comparison takes time.
    pub(crate) fn nearest_id(&self, id: &str) -> Option<String> {
        const MAX: usize = 1_000;
        let now = self.now();
        let there: Vec<Box<str>> = {
            let named = self.named.read();
            let there = named.by_id.values().filter(|sandbox| !self.is_expired(sandbox, now));
            there.take(MAX).map(|sandbox| sandbox.id.clone()).collect()
        };
        let all = there.iter().map(|id| &**id).chain([Self::DEFAULT]);
        nearest(id, all).map(str::to_owned)
    }

    /// Creates or replaces a sandbox, with new settings or with those that it has.
    ///
    /// # Errors
    ///
    /// The memory budget cannot provide the memory for it and the one that it replaces.
    pub(crate) fn put(
        &self,
        id: &str,
        settings: Option<Settings>,
    ) -> Result<Arc<Sandbox>, BudgetFull> {
        let settings = settings.map(Arc::new);
        self.retire(|named, gone| {
            let before = match id {
                Self::DEFAULT => Some(self.default.load_full()),
                _ => self.get_live(named, id, self.now()),
            };
            let has = before.as_ref().map(|before| &before.settings);
            let settings = settings.unwrap_or_else(|| Arc::clone(has.unwrap_or(&self.server)));
            let fresh = Arc::new(self.make(id, settings, self.now()));
            fresh.reserve()?;
            fresh.mark_authenticated();
            if id == Self::DEFAULT {
                self.default.store(Arc::clone(&fresh));
                gone.extend(before);
            } else {
                self.endings.lock().take(id);
                self.insert(named, &fresh, gone);
            }
            Ok(fresh)
        })
    }

    /// Ends a sandbox, and returns whether there was one. The default sandbox is created again with the
    /// server's settings.
    ///
    /// # Errors
    ///
    /// As [`Sandboxes::put`], of the default sandbox alone.
    pub(crate) fn end(&self, id: &str) -> Result<bool, BudgetFull> {
        if id == Self::DEFAULT {
            return self.put(id, Some((*self.server).clone())).map(|_| true);
        }
        Ok(self.retire(|named, gone| {
            let ended = named.by_id.remove(id);
            let was_there = ended.is_some();
            if let Some(ended) = ended {
                self.record_end(&ended, EndCause::Deleted);
                gone.push(ended);
            }
            was_there
        }))
    }

    /// Every sandbox, the default one first, the others by id.
    pub(crate) fn all(&self) -> Vec<Arc<Sandbox>> {
        self.sweep();
        let mut all: Vec<_> = self.named.read().by_id.values().cloned().collect();
        all.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        all.insert(0, self.default.load_full());
        all
    }

    /// Ends the sandboxes that were idle for too long. This takes some time if there are many.
    pub(crate) fn sweep(&self) {
        let now = self.now();
        let over: Vec<Box<str>> = {
            let named = self.named.read();
            let over = named.by_id.values().filter(|sandbox| self.is_expired(sandbox, now));
            over.map(|sandbox| sandbox.id.clone()).collect()
        };
        for some in over.chunks(SWEPT_AT_ONCE) {
            self.retire(|NamedSandboxes { by_id, .. }, gone| {
                // A request may have used or ended one of them since we looked.
                let still = some.iter().filter_map(|id| by_id.remove_entry(id));
                let (over, used): (Vec<_>, Vec<_>) =
                    still.partition(|(_, sandbox)| self.is_expired(sandbox, now));
                by_id.extend(used);
                for (_, sandbox) in over {
                    self.record_end(&sandbox, EndCause::Idle);
                    gone.push(sandbox);
                }
            });
        }
    }

    /// How long a sandbox has not been used.
    pub(crate) fn idle(&self, sandbox: &Sandbox) -> Duration {
        Duration::from_millis(self.now().saturating_sub(sandbox.last_used_ms.load(Relaxed)))
    }

    /// Generated records. If another sandbox has the same, they are shared.
    pub(crate) fn generated(&self, records: &RecordsConfig) -> Result<Arc<World>, BudgetFull> {
        let key = (records.seed, records.conversations, records.demo_user.clone());
        let slot = {
            let mut generated = self.generated.lock();
            // Remove records that no sandbox uses and no thread is generating.
            generated.retain(|_, slot| Arc::strong_count(slot) > 1 || has_users(slot));
            Arc::clone(generated.entry(key).or_default())
        };
        let mut made = slot.lock();
        if let Some(world) = made.upgrade() {
            return Ok(world);
        }
        let mut memory = self.memory.reservation(Purpose::Sandbox);
        memory.cover(making_bytes(records.conversations))?;
        let world = Arc::new(self.world().with_generated(records.generator(), memory));
        *made = Arc::downgrade(&world);
        Ok(world)
    }

    /// Whether the server has generated records.
    pub(crate) fn generates(&self) -> bool {
        self.config.generates()
    }

    fn make(&self, id: &str, settings: Arc<Settings>, now: u64) -> Sandbox {
        if let Some(world) = &settings.world {
            self.base.learn(world);
        }
        let shared = (Arc::clone(&self.base), Arc::clone(&self.journals));
        let memory = self.memory.reservation(Purpose::Sandbox);
        let sandbox = Sandbox::new(id, settings, shared.0, shared.1, memory);
        self.mark_used(&sandbox, now);
        sandbox
    }

    fn mark_used(&self, sandbox: &Sandbox, now: u64) {
        sandbox.last_used_ms.store(now, Relaxed);
        sandbox.last_use.store(self.uses.fetch_add(1, Relaxed), Relaxed);
    }

    /// The sandbox of an id, unless it has expired.
    fn get_live(&self, named: &NamedSandboxes, id: &str, now: u64) -> Option<Arc<Sandbox>> {
        named.by_id.get(id).filter(|sandbox| !self.is_expired(sandbox, now)).cloned()
    }

    /// Whether a sandbox was idle for too long.
    fn is_expired(&self, sandbox: &Sandbox, now: u64) -> bool {
        let idle = Duration::from_millis(now.saturating_sub(sandbox.last_used_ms.load(Relaxed)));
        idle >= self.config.sandbox_idle && !sandbox.is_in_use()
    }

    /// Registers a sandbox. The sandboxes that end for it are moved to `gone`.
    fn insert(
        &self,
        named: &mut NamedSandboxes,
        fresh: &Arc<Sandbox>,
        gone: &mut Vec<Arc<Sandbox>>,
    ) {
        gone.extend(named.by_id.remove(&fresh.id));
        let NamedSandboxes { by_id, eviction } = named;
        let next_use = || self.uses.fetch_add(1, Relaxed);
        for _ in 0..MAX_EVICTED {
            if by_id.len() < self.max_sandboxes() {
                break;
            }
            // If all sandboxes are in use, there is one too many for a while.
            let oldest = eviction.take(|one| is_registered(by_id, one), next_use);
            let Some(oldest) = oldest else { break };
            by_id.remove(&oldest.id);
            self.record_end(&oldest, EndCause::Evicted);
            gone.push(oldest);
        }
        by_id.insert(fresh.id.clone(), Arc::clone(fresh));
        eviction.add(fresh, by_id.len(), |one| is_registered(by_id, one));
    }

    /// The most sandboxes in addition to the default one.
    fn max_sandboxes(&self) -> usize {
        self.config.sandboxes.max(1)
    }

    /// Milliseconds since the server began.
    fn now(&self) -> u64 {
        let ms = self.base.began().elapsed().as_millis();
        u64::try_from(ms).expect("a server runs for less than 500 million years")
    }
}

/// How a sandbox ends. `None`: neither this sandbox nor a previous one of the same id had requests.
fn ending(sandbox: &Sandbox, cause: EndCause) -> Option<SandboxEnd> {
    let before = sandbox.before().map_or(0, |before| before.requests);
    let requests = sandbox.journal.lock().watch.requests() + before;
    (requests > 0).then_some(SandboxEnd { cause, requests })
}

/// Whether a sandbox is still in the registry.
fn is_registered(by_id: &ById, sandbox: &Arc<Sandbox>) -> bool {
    by_id.get(&sandbox.id).is_some_and(|there| Arc::ptr_eq(there, sandbox))
}

/// Whether a sandbox has these records.
fn has_users(generated: &WorldSlot) -> bool {
    generated.lock().strong_count() > 0
}

#[cfg(test)]
mod tests;

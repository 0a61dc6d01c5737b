//! Every sandbox of a server: found by id, made at first use, ended when it is idle or when there
//! are too many.

use std::collections::HashMap;
use std::fmt;
use std::ops::Deref;
use std::sync::atomic::{
    AtomicU64,
    Ordering::{AcqRel, Relaxed},
};
use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak,
};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, Guard};

use super::ended::{Cause, Endings};
use super::eviction::EvictionQueue;
use super::{Ending, Sandbox, Settings};
use crate::records::Agents;
use crate::records::generate::Generator;
use crate::records::world::World;
use crate::sandbox::config::Config;
use crate::sandbox::faults::Known;
use crate::sandbox::journal::Budget;
use crate::sandbox::verdict::{Verdict, VerdictSum};
use crate::suggest::nearest;

/// What sandboxes share: the server's records, and its time.
pub(crate) struct Base {
    /// Replaced whole when fixtures change. A request takes it once and so sees one state.
    world: ArcSwap<World>,
    began: Instant,
}

impl Base {
    pub(super) fn world(&self) -> Guard<Arc<World>> {
        self.world.load()
    }
}

/// So many sandboxes end at most where one is made and there are too many. Where more have to, those
/// that are made next end them.
const MOST_EVICTED: usize = 8;

/// So many sandboxes that were idle for too long end at a time. Requests wait in between.
const SWEPT_AT_ONCE: usize = 16;

type ById = HashMap<Box<str>, Arc<Sandbox>>;

/// Every sandbox but the default one.
#[derive(Default)]
struct Named {
    by_id: ById,
    eviction: EvictionQueue,
}

/// Generated records of one seed and number of conversations, while someone has them. Who makes them
/// holds the lock, so that those who want the same wait for them, and nobody else does.
type Generated = Arc<Mutex<Weak<World>>>;

/// Every sandbox of a server, by id.
pub(crate) struct Sandboxes {
    base: Arc<Base>,
    /// What the server was started with: the default sandbox's settings, and those of every
    /// sandbox that is made at its first use.
    server: Arc<Settings>,
    pub(crate) config: Config,
    default: ArcSwap<Sandbox>,
    named: RwLock<Named>,
    /// Counts the uses of sandboxes, so that their order is known within a millisecond, too.
    turn: AtomicU64,
    journals: Arc<Budget>,
    /// What was thought of the requests of sandboxes that are no longer there.
    /// Where both this and `named` are locked, this is first.
    past: Mutex<VerdictSum>,
    /// How those ended that had requests. It is locked last.
    endings: Mutex<Endings>,
    /// How many requests went from the journal with sandboxes that ended though nobody asked.
    lost: AtomicU64,
    /// Generated records by seed and number of conversations, as long as a sandbox has them.
    generated: Mutex<HashMap<(u64, u32), Generated>>,
}

/// A sandbox with a request in flight: while the request holds this, the sandbox is neither evicted nor
/// ended because it was idle. Code that only reads sandboxes holds an [`Arc`] of each instead, so that
/// reading changes nothing about which one ends.
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
    /// The id of the sandbox that requests are in which name none.
    pub(crate) const DEFAULT: &str = "default";

    pub(crate) fn new(world: World, faults: Arc<[Known]>, config: Config) -> Self {
        let base = Arc::new(Base { world: ArcSwap::from_pointee(world), began: Instant::now() });
        let server = Arc::new(Settings {
            seed: config.records.seed,
            world: None,
            readings: config.readings,
            any_key: config.any_key,
            faults,
            rate_limit: config.rate_limit,
            hazards: config.hazards,
            frozen: false,
        });
        let journals = Budget::new(config.journal.requests, config.journal.bytes, config.clock);
        let (settings, shared) = (Arc::clone(&server), Arc::clone(&base));
        let default = Sandbox::new(Self::DEFAULT, settings, shared, Arc::clone(&journals));
        Self {
            base,
            server,
            config,
            default: ArcSwap::from_pointee(default),
            named: RwLock::default(),
            turn: AtomicU64::new(0),
            journals,
            past: Mutex::default(),
            endings: Mutex::default(),
            lost: AtomicU64::new(0),
            generated: Mutex::default(),
        }
    }

    /// What all journals share.
    pub(crate) fn journals(&self) -> &Arc<Budget> {
        &self.journals
    }

    /// How long the server has been there.
    pub(crate) fn uptime(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.base.began)
    }

    /// What is thought of all requests since the server began, or was reset.
    pub(crate) fn verdict(&self) -> Verdict {
        let (mut sum, all) = {
            let past = self.past();
            (past.clone(), self.everyone())
        };
        for sandbox in all {
            sum.add(sandbox.verdict());
        }
        sum.verdict()
    }

    /// Ends every sandbox, begins the default one anew, and forgets everything.
    pub(crate) fn reset(&self) {
        let default = self.make(Self::DEFAULT, Arc::clone(&self.server), self.now());
        let mut past = self.past();
        let gone = {
            // Under the lock, so that a sandbox that is made next is not taken for one that ended.
            let mut named = self.write();
            *self.endings() = Endings::default();
            self.forget_lost();
            std::mem::take(&mut *named)
        };
        self.default.store(Arc::new(default));
        *past = VerdictSum::default();
        drop(past);
        // Their records go while nobody waits for a lock.
        drop(gone);
    }

    pub(super) fn endings(&self) -> MutexGuard<'_, Endings> {
        self.endings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A sandbox as it would be made, which nobody finds.
    pub(super) fn unused(&self, id: &str) -> Sandbox {
        self.make(id, Arc::clone(&self.server), self.now())
    }

    /// One sandbox, if it is there, or every one.
    pub(super) fn those(&self, only: Option<&str>) -> Vec<Arc<Sandbox>> {
        match only {
            None => self.everyone(),
            Some(Self::DEFAULT) => vec![self.default.load_full()],
            Some(id) => self.among(&self.read(), id, self.now()).into_iter().collect(),
        }
    }

    /// Every sandbox, in no order.
    pub(super) fn everyone(&self) -> Vec<Arc<Sandbox>> {
        self.everyone_and_lost().0
    }

    /// Every sandbox, and how many requests went from the journal with others that ended though nobody
    /// asked. Both are read under one lock, so that a sandbox that ends meanwhile counts as there.
    pub(super) fn everyone_and_lost(&self) -> (Vec<Arc<Sandbox>>, u64) {
        let named = self.read();
        let mut all: Vec<_> = named.by_id.values().cloned().collect();
        all.push(self.default.load_full());
        (all, self.lost.load(Relaxed))
    }

    /// Forgets the requests that went with sandboxes.
    pub(super) fn forget_lost(&self) {
        self.lost.store(0, Relaxed);
    }

    /// Nothing under this lock panics half way, so a poisoned one is as good as any.
    fn past(&self) -> MutexGuard<'_, VerdictSum> {
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes how a sandbox ends. Whoever takes it out of the others does so before they let go of
    /// those, so that one that is made anew knows of it.
    fn note_end(&self, sandbox: &Sandbox, cause: Cause) {
        if cause != Cause::Deleted {
            self.lost.fetch_add(sandbox.journal.kept().all(), Relaxed);
        }
        let mut endings = self.endings();
        match ending(sandbox, cause) {
            Some(ending) => endings.note(&sandbox.id, ending),
            None => {
                endings.take(&sandbox.id);
            }
        }
    }

    /// Takes sandboxes out of the registry into a list, and keeps what was thought of them. A verdict
    /// that is drawn meanwhile waits, so that it has each of them once: as one that is there, or as
    /// one that has ended. So does a reset, which forgets them either way.
    fn retire<T>(&self, take_out: impl FnOnce(&mut Named, &mut Vec<Arc<Sandbox>>) -> T) -> T {
        let mut gone = Vec::new();
        let mut past = self.past();
        let made = take_out(&mut self.write(), &mut gone);
        for sandbox in &gone {
            past.add_past(sandbox.verdict());
        }
        drop(past);
        // Their records go while nobody waits for a lock.
        drop(gone);
        made
    }

    /// The settings of the server.
    pub(crate) fn server(&self) -> &Settings {
        &self.server
    }

    /// The records that the server has.
    pub(crate) fn world(&self) -> Guard<Arc<World>> {
        self.base.world()
    }

    /// Puts other records in place. Requests under way keep those that they took.
    #[cfg(feature = "cli")]
    pub(crate) fn replace_world(&self, world: World) {
        self.base.world.store(Arc::new(world));
    }

    /// The sandbox of an id, which is one; it is made where it is not there.
    pub(crate) fn get(&self, id: Option<&str>) -> InUse {
        let Some(id) = id.filter(|id| *id != Self::DEFAULT) else {
            let sandbox = InUse::new(self.default.load_full());
            sandbox.used.store(self.now(), Relaxed);
            return sandbox;
        };
        let now = self.now();
        if let Some(sandbox) = self.among(&self.read(), id, now).map(InUse::new) {
            self.used(&sandbox, now);
            return sandbox;
        }
        let fresh = Arc::new(self.make(id, Arc::clone(&self.server), now));
        let add = |named: &mut Named, gone: &mut Vec<Arc<Sandbox>>| {
            // Another request may have been quicker.
            if let Some(sandbox) = self.among(named, id, now) {
                return InUse::new(sandbox);
            }
            if let Some(over) = named.by_id.get(id) {
                self.note_end(over, Cause::Idle);
            }
            let before = self.endings().take(id);
            if let Some(before) = before.filter(|before| before.cause != Cause::Deleted) {
                fresh.journal.kept().lost_before = before.requests;
                // Nobody else has it yet, so it is set once.
                let _ = fresh.before.set(before);
            }
            self.insert(named, &fresh, gone);
            InUse::new(fresh)
        };
        let mut named = self.write();
        if named.by_id.len() < self.most() && !named.by_id.contains_key(id) {
            // Nothing ends for it, so it waits for nobody who draws a verdict.
            return add(&mut named, &mut Vec::new());
        }
        drop(named);
        self.retire(add)
    }

    /// The sandbox of an id, if it is there. To look at it is not to use it, so it may end meanwhile.
    pub(crate) fn find(&self, id: &str) -> Option<Arc<Sandbox>> {
        self.find_or_ending(id).ok()
    }

    /// The sandbox of an id, if it is there; else how the last one ended, if it had requests. Both
    /// are looked up under one lock, because a request may make another one in between.
    pub(crate) fn find_or_ending(&self, id: &str) -> Result<Arc<Sandbox>, Option<Ending>> {
        if id == Self::DEFAULT {
            return Ok(self.default.load_full());
        }
        let named = self.read();
        if let Some(sandbox) = self.among(&named, id, self.now()) {
            return Ok(sandbox);
        }
        // It may be over though nobody has cleared it away.
        let over = named.by_id.get(id).and_then(|over| ending(over, Cause::Idle));
        Err(over.or_else(|| self.endings().get(id)))
    }

    /// The id that is most like another: of a thousand, since each comparison takes its time.
    pub(crate) fn nearest_id(&self, id: &str) -> Option<String> {
        const MOST: usize = 1_000;
        let now = self.now();
        let there: Vec<Box<str>> = {
            let named = self.read();
            let there = named.by_id.values().filter(|sandbox| !self.is_over(sandbox, now));
            there.take(MOST).map(|sandbox| sandbox.id.clone()).collect()
        };
        let all = there.iter().map(|id| &**id).chain([Self::DEFAULT]);
        nearest(id, all).map(str::to_owned)
    }

    /// Makes a sandbox anew: with these settings, or with those that it has.
    pub(crate) fn put(&self, id: &str, settings: Option<Settings>) -> Arc<Sandbox> {
        let settings = settings.map(Arc::new);
        // As long as the lock is held, nobody else changes what there is.
        self.retire(|named, gone| {
            let before = match id {
                Self::DEFAULT => Some(self.default.load_full()),
                _ => self.among(named, id, self.now()),
            };
            let has = before.as_ref().map(|before| &before.settings);
            let settings = settings.unwrap_or_else(|| Arc::clone(has.unwrap_or(&self.server)));
            let fresh = Arc::new(self.make(id, settings, self.now()));
            fresh.mark_authenticated();
            if id == Self::DEFAULT {
                self.default.store(Arc::clone(&fresh));
                gone.extend(before);
            } else {
                self.endings().take(id);
                self.insert(named, &fresh, gone);
            }
            fresh
        })
    }

    /// Ends a sandbox; whether it was there. The default one begins anew, as the server was
    /// started.
    pub(crate) fn end(&self, id: &str) -> bool {
        if id == Self::DEFAULT {
            self.put(id, Some((*self.server).clone()));
            return true;
        }
        self.retire(|named, gone| {
            let ended = named.by_id.remove(id);
            let was_there = ended.is_some();
            if let Some(ended) = ended {
                self.note_end(&ended, Cause::Deleted);
                gone.push(ended);
            }
            was_there
        })
    }

    /// Every sandbox, the default one first, the others by id.
    pub(crate) fn all(&self) -> Vec<Arc<Sandbox>> {
        self.sweep();
        let mut all: Vec<_> = self.read().by_id.values().cloned().collect();
        all.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        all.insert(0, self.default.load_full());
        all
    }

    /// Ends those that have been idle for too long. Takes a while where they are many.
    pub(crate) fn sweep(&self) {
        let now = self.now();
        let over: Vec<Box<str>> = {
            let named = self.read();
            let over = named.by_id.values().filter(|sandbox| self.is_over(sandbox, now));
            over.map(|sandbox| sandbox.id.clone()).collect()
        };
        for some in over.chunks(SWEPT_AT_ONCE) {
            self.retire(|Named { by_id, .. }, gone| {
                // Another request may have used or ended one of them since.
                let still = some.iter().filter_map(|id| by_id.remove_entry(id));
                let (over, used): (Vec<_>, Vec<_>) =
                    still.partition(|(_, sandbox)| self.is_over(sandbox, now));
                by_id.extend(used);
                for (_, sandbox) in over {
                    self.note_end(&sandbox, Cause::Idle);
                    gone.push(sandbox);
                }
            });
        }
    }

    /// How long a sandbox has not been used.
    pub(crate) fn idle(&self, sandbox: &Sandbox) -> Duration {
        Duration::from_millis(self.now().saturating_sub(sandbox.used.load(Relaxed)))
    }

    /// Generated records: those of another sandbox, where one has the same.
    pub(crate) fn generated(&self, seed: u64, conversations: u32) -> Arc<World> {
        let slot = {
            let mut generated = self.generated.lock().unwrap_or_else(PoisonError::into_inner);
            // Those that nobody has and nobody makes.
            generated.retain(|_, slot| Arc::strong_count(slot) > 1 || is_had(slot));
            Arc::clone(generated.entry((seed, conversations)).or_default())
        };
        let mut made = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(world) = made.upgrade() {
            return world;
        }
        let now = self.config.records.now;
        let generator = Generator::new(seed, conversations, now.end_ms(), now.until_ms());
        let world = Arc::new(self.world().with_generated(generator));
        *made = Arc::downgrade(&world);
        world
    }

    /// Whether the server has generated records, which other sandboxes can have others of.
    pub(crate) fn generates(&self) -> bool {
        self.config.records.agents == Agents::BuiltIn
    }

    fn make(&self, id: &str, settings: Arc<Settings>, now: u64) -> Sandbox {
        let shared = (Arc::clone(&self.base), Arc::clone(&self.journals));
        let sandbox = Sandbox::new(id, settings, shared.0, shared.1);
        self.used(&sandbox, now);
        sandbox
    }

    fn used(&self, sandbox: &Sandbox, now: u64) {
        sandbox.used.store(now, Relaxed);
        sandbox.turn.store(self.turn.fetch_add(1, Relaxed), Relaxed);
    }

    /// The sandbox of an id, if it is there and not over.
    fn among(&self, named: &Named, id: &str, now: u64) -> Option<Arc<Sandbox>> {
        named.by_id.get(id).filter(|sandbox| !self.is_over(sandbox, now)).cloned()
    }

    /// Nothing under this lock panics half way, so a poisoned one is as good as any.
    fn read(&self) -> RwLockReadGuard<'_, Named> {
        self.named.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Named> {
        self.named.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a sandbox was idle for too long.
    fn is_over(&self, sandbox: &Sandbox, now: u64) -> bool {
        let idle = Duration::from_millis(now.saturating_sub(sandbox.used.load(Relaxed)));
        idle >= self.config.limits.sandbox_idle && !sandbox.is_in_use()
    }

    /// Puts a sandbox in the place of its id; `gone` gets those that ended for it.
    fn insert(&self, named: &mut Named, fresh: &Arc<Sandbox>, gone: &mut Vec<Arc<Sandbox>>) {
        gone.extend(named.by_id.remove(&fresh.id));
        let Named { by_id, eviction } = named;
        let next_turn = || self.turn.fetch_add(1, Relaxed);
        for _ in 0..MOST_EVICTED {
            if by_id.len() < self.most() {
                break;
            }
            // Where all are in use, there is one more than there may be, for a while.
            let oldest = eviction.take(|one| is_among(by_id, one), next_turn);
            let Some(oldest) = oldest else { break };
            by_id.remove(&oldest.id);
            self.note_end(&oldest, Cause::Evicted);
            gone.push(oldest);
        }
        by_id.insert(fresh.id.clone(), Arc::clone(fresh));
        eviction.add(fresh, by_id.len(), |one| is_among(by_id, one));
    }

    /// How many sandboxes there may be beside the default one.
    fn most(&self) -> usize {
        self.config.limits.sandboxes.max(1)
    }

    /// Milliseconds since the server began.
    fn now(&self) -> u64 {
        u64::try_from(self.base.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// How a sandbox ends, if it had requests, or one before it of the same id.
fn ending(sandbox: &Sandbox, cause: Cause) -> Option<Ending> {
    let before = sandbox.before().map_or(0, |before| before.requests);
    let requests = sandbox.journal.kept().watch.requests() + before;
    (requests > 0).then_some(Ending { cause, requests })
}

/// Whether a sandbox is still there.
fn is_among(by_id: &ById, sandbox: &Arc<Sandbox>) -> bool {
    by_id.get(&sandbox.id).is_some_and(|there| Arc::ptr_eq(there, sandbox))
}

/// Whether a sandbox has such records.
fn is_had(generated: &Generated) -> bool {
    generated.lock().unwrap_or_else(PoisonError::into_inner).strong_count() > 0
}

#[cfg(test)]
mod tests;

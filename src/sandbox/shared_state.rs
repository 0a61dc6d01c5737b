//! The data that all sandboxes of a server share: its records, and the secrets that must be hidden.

use std::sync::{Arc, Weak};
use std::time::Instant;

use arc_swap::{ArcSwap, Guard};
use parking_lot::Mutex;

use crate::records::world::World;
use crate::redact::Redactor;

/// The data that all sandboxes of a server share: its records, and when it started.
pub(crate) struct SharedState {
    /// Replaced as a whole when fixtures change. A request reads it once, so that it sees one state.
    world: ArcSwap<World>,
    began: Instant,
    secrets: Mutex<Secrets>,
}

/// The secrets that the server knows.
struct Secrets {
    admin_token: Option<String>,
    /// The records that sandboxes have of their own.
    own: Vec<Weak<World>>,
    /// Hides all secrets; `None`: it must be made again, because the secrets have changed.
    redactor: Option<Arc<Redactor>>,
}

impl SharedState {
    pub(super) fn new(world: World) -> Self {
        Self {
            world: ArcSwap::from_pointee(world),
            began: Instant::now(),
            secrets: Mutex::new(Secrets { admin_token: None, own: Vec::new(), redactor: None }),
        }
    }

    /// When the server started.
    pub(super) fn began(&self) -> Instant {
        self.began
    }

    /// The records of the server.
    pub(super) fn world(&self) -> Guard<Arc<World>> {
        self.world.load()
    }

    /// Replaces the records. Requests in flight keep those that they took.
    #[cfg(feature = "cli")]
    pub(super) fn replace_world(&self, world: World) {
        self.world.store(Arc::new(world));
        self.secrets.lock().redactor = None;
    }

    /// Hides the token of the control API wherever it is sent.
    pub(super) fn hide_token(&self, token: Option<String>) {
        let mut secrets = self.secrets.lock();
        (secrets.admin_token, secrets.redactor) = (token, None);
    }

    /// Hides every secret that the server knows.
    pub(super) fn redactor(&self) -> Arc<Redactor> {
        let mut secrets = self.secrets.lock();
        if let Some(redactor) = &secrets.redactor {
            return Arc::clone(redactor);
        }
        let mut worlds: Vec<Arc<World>> = secrets.own.iter().filter_map(Weak::upgrade).collect();
        worlds.push(self.world.load_full());
        let keys = worlds.iter().flat_map(|world| &world.agents).flat_map(|agent| &agent.keys);
        let redactor = Redactor::new(keys.chain(&secrets.admin_token).map(String::as_str));
        let redactor = Arc::new(redactor);
        secrets.redactor = Some(Arc::clone(&redactor));
        redactor
    }

    /// Adds the keys of a sandbox's own records.
    pub(super) fn learn(&self, world: &Arc<World>) {
        let mut secrets = self.secrets.lock();
        let is_new = !secrets.own.iter().any(|own| own.as_ptr() == Arc::as_ptr(world));
        if is_new {
            secrets.own.retain(|own| own.strong_count() > 0);
            secrets.own.push(Arc::downgrade(world));
            secrets.redactor = None;
        }
    }
}

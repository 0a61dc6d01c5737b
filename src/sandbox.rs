//! An isolated world: what one test sees. A server has one for now; requests ask [`Sandboxes`] for
//! theirs, so that many can come without the HTTP layer noticing.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
use axum::http::HeaderMap;

use crate::contract::Readings;
use crate::world::World;

/// The records and the readings under which a request is answered.
pub(crate) struct Sandbox {
    /// Replaced whole when fixtures change. A request takes it once and so sees one state.
    world: ArcSwap<World>,
    pub(crate) readings: Readings,
    /// Whether any key that is no agent's stands for the main agent.
    pub(crate) any_key: bool,
}

impl Sandbox {
    pub(crate) fn new(world: Arc<World>, readings: Readings, any_key: bool) -> Self {
        Self { world: ArcSwap::new(world), readings, any_key }
    }

    /// The records as they are now.
    pub(crate) fn world(&self) -> Guard<Arc<World>> {
        self.world.load()
    }
}

/// Every sandbox of a server.
pub(crate) struct Sandboxes {
    default: Sandbox,
}

impl Sandboxes {
    pub(crate) fn new(default: Sandbox) -> Self {
        Self { default }
    }

    /// The sandbox that a request belongs to.
    pub(crate) fn of(&self, _headers: &HeaderMap) -> &Sandbox {
        &self.default
    }

    /// The records that a server starts with.
    pub(crate) fn world(&self) -> Guard<Arc<World>> {
        self.default.world()
    }

    /// Puts other records in place. Requests under way keep those that they took.
    #[cfg(feature = "cli")]
    pub(crate) fn replace_world(&self, world: World) {
        self.default.world.store(Arc::new(world));
    }
}

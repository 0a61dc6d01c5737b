//! An isolated world: what one test sees. A server has one for now; requests ask [`Sandboxes`] for
//! theirs, so that many can come without the HTTP layer noticing.

use std::sync::Arc;

use axum::http::HeaderMap;

use crate::contract::Readings;
use crate::world::World;

/// The records and the readings under which a request is answered.
pub(crate) struct Sandbox {
    /// Immutable, so it can be shared by many.
    pub(crate) world: Arc<World>,
    pub(crate) readings: Readings,
    /// Whether any key that is no agent's stands for agent *demo*.
    pub(crate) any_key: bool,
}

/// Every sandbox of a server.
pub(crate) struct Sandboxes {
    default: Arc<Sandbox>,
}

impl Sandboxes {
    pub(crate) fn new(default: Sandbox) -> Self {
        Self { default: Arc::new(default) }
    }

    /// The sandbox that a request belongs to.
    pub(crate) fn of(&self, _headers: &HeaderMap) -> &Sandbox {
        &self.default
    }
}

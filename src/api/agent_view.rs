//! The first extractor: the records of the key's agent, and the settings of the sandbox that change how
//! they are shown.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::RequestContext;
use super::auth::{self, AuthHeaderError};
use super::refusal::Refusal;
use crate::contract::{Endpoint, Readings};
use crate::records::store::{RowKind, Store};
use crate::sandbox::hazard::Hazards;

/// The records of an agent, and how they are shown.
pub(super) struct AgentView {
    pub(super) endpoint: &'static Endpoint,
    pub(super) readings: Readings,
    pub(super) hazards: Hazards,
    pub(super) records: Store,
}

impl<S: Sync> FromRequestParts<S> for AgentView {
    type Rejection = Refusal;

    async fn from_request_parts(head: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let RequestContext { head, sandbox, endpoint } = RequestContext::of(head);
        let credentials = auth::credentials(&head.headers)?;
        if let Some(id) = credentials.sandbox.filter(|id| *id != &*sandbox.id) {
            let is_key = sandbox.redactor().is_known(id);
            let error =
                if is_key { AuthHeaderError::SandboxIsKey } else { AuthHeaderError::TwoSandboxes };
            return Err(error.into());
        }
        let (world, key) = (sandbox.world(), credentials.key);
        let any_key = sandbox.settings.any_key;
        let agent = auth::agent(&world, any_key, key).ok_or(Refusal::UnknownKey)?;
        sandbox.mark_authenticated();
        sandbox.admit(key).map_err(|(limit, wait)| Refusal::RateLimited { limit, wait })?;
        if agent.deleted {
            return Err(Refusal::AgentDeleted { agent: agent.name.clone() });
        }
        Ok(Self {
            endpoint,
            readings: sandbox.settings.readings,
            hazards: sandbox.hazards(),
            records: agent.store.clone(),
        })
    }
}

impl AgentView {
    /// Returns the records as soon as rows of this kind can be read without blocking. The first page of a
    /// large agent may need an index of Q&A pairs or cached rows, which are built on a blocking thread.
    pub(super) async fn ready(&self, rows: RowKind) -> &Store {
        if !self.records.is_ready(rows) {
            let store = self.records.clone();
            // If this panics, the request panics in the same way, and gets a 50000.
            let _ = tokio::task::spawn_blocking(move || store.prepare(rows)).await;
        }
        &self.records
    }
}

//! An operation of the control API: its route, its handler, and what documents say of it. The
//! router, `docs/CONTROL.md` and the `OpenAPI` document are made of these.

use std::sync::Arc;

use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter, on};
use serde::Serialize;

use super::extract::Parameters;
use crate::sandbox::Sandboxes;

/// An operation of the control API.
#[cfg_attr(not(feature = "docs"), allow(dead_code, reason = "only documents show some of it"))]
pub(crate) struct Operation {
    pub(crate) method: &'static str,
    /// The path below `/__admin`. `{id}` stands for a sandbox, `{request}` for a request.
    pub(crate) path: &'static str,
    /// The name that generated clients call it by, such as `putSandbox`.
    pub(crate) id: &'static str,
    pub(crate) about: &'static str,
    /// The query's parameters: their names, and a schema whose properties they are.
    pub(crate) query: Option<(&'static [&'static str], SchemaOf)>,
    pub(crate) body: Option<(SchemaOf, Examples)>,
    pub(crate) answer: Answer,
    /// The statuses of its failures, without those that every operation has.
    pub(crate) failures: &'static [u16],
    /// Whether the guard lets every client pass. Probes ask under any name and have no token.
    pub(crate) is_open: bool,
    pub(super) handler: MethodRouter<Arc<Sandboxes>>,
}

/// How an operation answers.
pub(crate) enum Answer {
    Json(SchemaOf),
    /// A verdict as JSON, text or `JUnit`, as `Accept` asks.
    Verdict,
    /// Server-sent events.
    Events,
}

/// Examples of a body, as JSON with their names.
pub(crate) type Examples = &'static [(&'static str, &'static str)];

/// It is done, and there is nothing to tell.
#[derive(Serialize)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "docs", schemars(extend("additionalProperties" = false)))]
pub(super) struct Done {}

impl Operation {
    fn new(method: &'static str, path: &'static str, id: &'static str) -> Self {
        Self {
            method,
            path,
            id,
            about: "",
            query: None,
            body: None,
            answer: Answer::Json(SchemaOf::new::<Done>()),
            failures: &[],
            is_open: false,
            handler: MethodRouter::new(),
        }
    }

    pub(super) fn get(path: &'static str, id: &'static str) -> Self {
        Self::new("GET", path, id)
    }

    pub(super) fn post(path: &'static str, id: &'static str) -> Self {
        Self::new("POST", path, id)
    }

    pub(super) fn put(path: &'static str, id: &'static str) -> Self {
        Self::new("PUT", path, id)
    }

    pub(super) fn delete(path: &'static str, id: &'static str) -> Self {
        Self::new("DELETE", path, id)
    }

    pub(super) fn about(self, about: &'static str) -> Self {
        Self { about, ..self }
    }

    /// What the handler takes as `Query<Q>`.
    pub(super) fn query<Q: Parameters + Documented>(self) -> Self {
        Self { query: Some((Q::NAMES, SchemaOf::new::<Q>())), ..self }
    }

    /// What the handler takes as `Body<B>`.
    pub(super) fn body<B: Documented>(self, examples: Examples) -> Self {
        Self { body: Some((SchemaOf::new::<B>(), examples)), ..self }
    }

    /// The handler answers an `A` as JSON.
    pub(super) fn answers<A: Documented>(self) -> Self {
        self.answers_as(Answer::Json(SchemaOf::new::<A>()))
    }

    pub(super) fn answers_as(self, answer: Answer) -> Self {
        Self { answer, ..self }
    }

    pub(super) fn fails(self, failures: &'static [u16]) -> Self {
        Self { failures, ..self }
    }

    pub(super) fn open(self) -> Self {
        Self { is_open: true, ..self }
    }

    pub(super) fn handler<In: 'static>(self, handler: impl Handler<In, Arc<Sandboxes>>) -> Self {
        let method = match self.method {
            "GET" => MethodFilter::GET,
            "POST" => MethodFilter::POST,
            "PUT" => MethodFilter::PUT,
            _ => MethodFilter::DELETE,
        };
        Self { handler: on(method, handler), ..self }
    }
}

/// Makes the JSON schema of a type. Only documents need it, so without them it is nothing.
#[derive(Clone, Copy)]
pub(crate) struct SchemaOf {
    #[cfg(feature = "docs")]
    pub(crate) make: fn(&mut schemars::SchemaGenerator) -> schemars::Schema,
}

impl SchemaOf {
    fn new<T: Documented>() -> Self {
        Self {
            #[cfg(feature = "docs")]
            make: |schemas| schemas.subschema_for::<T>(),
        }
    }
}

#[cfg(feature = "docs")]
pub(crate) use schemars::JsonSchema as Documented;

/// What has a JSON schema where documents are made, and needs none elsewhere.
#[cfg(not(feature = "docs"))]
pub(crate) trait Documented {}

#[cfg(not(feature = "docs"))]
impl<T: ?Sized> Documented for T {}

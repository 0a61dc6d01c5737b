//! An operation of the control API: its route, its handler and its documentation. The router,
//! `docs/control-api.md` and the `OpenAPI` document are made from operations.

use std::ops::Deref;
use std::sync::{Arc, Weak};

use axum::extract::{FromRequest, State};
use axum::handler::Handler;
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, on};
use serde::Serialize;

use super::extract::{Body, Parameters, Path, Query};
use super::{Failure, on_blocking_thread};
use crate::sandbox::Sandboxes;

/// An operation of the control API.
#[cfg_attr(not(feature = "docs"), allow(dead_code, reason = "only documents show some of it"))]
pub(crate) struct Operation {
    pub(crate) method: Method,
    /// The path below `/__admin`. `{id}` stands for a sandbox, `{request}` for a request.
    pub(crate) path: &'static str,
    /// The name that generated clients call it by, such as `putSandbox`.
    pub(crate) id: &'static str,
    pub(crate) about: &'static str,
    /// The query's parameters: their names, and a schema whose properties they are.
    pub(crate) query: Option<(&'static [&'static str], SchemaOf)>,
    pub(crate) body: Option<SchemaOf>,
    /// Examples of its body, as JSON with their names.
    pub(crate) examples: &'static [(&'static str, &'static str)],
    pub(crate) answer: ResponseKind,
    /// Whether its response has headers with the size of the journal.
    pub(crate) tells_journal_size: bool,
    /// The statuses of its failures, except for those that every operation has.
    pub(crate) failures: &'static [u16],
    /// Whether the guard accepts every client. Health probes use any host name and have no token.
    pub(crate) is_open: bool,
    pub(super) handler: MethodRouter<Arc<Sandboxes>>,
}

/// The format of an operation's response.
pub(crate) enum ResponseKind {
    Json(SchemaOf),
    /// A verdict as JSON, text or `JUnit`, according to `Accept`.
    Verdict,
    /// Server-sent events.
    Events,
}

/// An empty object: the operation is done.
#[derive(Serialize)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "docs", schemars(extend("additionalProperties" = false)))]
pub(super) struct Done {}

impl Operation {
    pub(super) fn new(method: Method, path: &'static str, id: &'static str) -> Self {
        Self {
            method,
            path,
            id,
            about: "",
            query: None,
            body: None,
            examples: &[],
            answer: ResponseKind::Json(SchemaOf::new::<Done>()),
            tells_journal_size: false,
            failures: &[],
            is_open: false,
            handler: MethodRouter::new(),
        }
    }

    pub(super) fn about(self, about: &'static str) -> Self {
        Self { about, ..self }
    }

    pub(super) fn examples(self, examples: &'static [(&'static str, &'static str)]) -> Self {
        Self { examples, ..self }
    }

    /// The handler responds with an `A` as JSON.
    pub(super) fn answers<A: Documented>(self) -> Self {
        self.answers_as(ResponseKind::Json(SchemaOf::new::<A>()))
    }

    pub(super) fn answers_as(self, answer: ResponseKind) -> Self {
        Self { answer, ..self }
    }

    pub(super) fn tells_journal_size(self) -> Self {
        Self { tells_journal_size: true, ..self }
    }

    pub(super) fn fails(self, failures: &'static [u16]) -> Self {
        Self { failures, ..self }
    }

    pub(super) fn open(self) -> Self {
        Self { is_open: true, ..self }
    }

    /// Handles it on the thread of the connection.
    pub(super) fn handler<In: 'static>(self, handler: impl Handler<In, Arc<Sandboxes>>) -> Self {
        let filter = MethodFilter::try_from(self.method.clone());
        let filter = filter.expect("axum routes the methods that HTTP names");
        Self { handler: on(filter, handler), ..self }
    }

    /// Handles it on a thread that may block, because it may take longer than a millisecond: it generates
    /// records, writes a long response, or visits many sandboxes. `In` are extractors.
    pub(super) fn blocking<In, Via>(
        mut self,
        handle: fn(&Call, In) -> Result<Response, Failure>,
    ) -> Self
    where
        In: Input + FromRequest<Arc<Sandboxes>, Via> + Send + 'static,
        Via: Send + 'static,
    {
        In::describe(&mut self);
        self.handler(move |State(sandboxes): State<Arc<Sandboxes>>, input: In| async move {
            // It is dropped with the request, which also happens when the client disconnects.
            let client = Arc::new(());
            let call = Call { sandboxes, client: Arc::downgrade(&client) };
            on_blocking_thread(move || handle(&call, input)).await?
        })
    }
}

/// A request that is handled on a thread that may block.
pub(super) struct Call {
    pub(super) sandboxes: Arc<Sandboxes>,
    /// It can be upgraded as long as the request waits for its response.
    client: Weak<()>,
}

impl Call {
    /// Whether the client has disconnected, so that the response is no longer needed.
    pub(super) fn is_abandoned(&self) -> bool {
        self.client.strong_count() == 0
    }
}

impl Deref for Call {
    type Target = Sandboxes;

    fn deref(&self) -> &Sandboxes {
        &self.sandboxes
    }
}

/// An argument of a handler, which is read from the request.
pub(super) trait Input {
    /// Adds its documentation to the operation. A path and headers add nothing.
    fn describe(_: &mut Operation) {}
}

impl<Q: Parameters + Documented> Input for Query<Q> {
    fn describe(operation: &mut Operation) {
        operation.query = Some((Q::NAMES, SchemaOf::new::<Q>()));
    }
}

impl<B: Documented> Input for Body<B> {
    fn describe(operation: &mut Operation) {
        operation.body = Some(SchemaOf::new::<B>());
    }
}

impl<T> Input for Path<T> {}

impl Input for HeaderMap {}

impl Input for () {}

impl<A: Input, B: Input> Input for (A, B) {
    fn describe(operation: &mut Operation) {
        A::describe(operation);
        B::describe(operation);
    }
}

impl<A: Input, B: Input, C: Input> Input for (A, B, C) {
    fn describe(operation: &mut Operation) {
        <(A, (B, C))>::describe(operation);
    }
}

/// Makes the JSON schema of a type. It is empty without the feature `docs`.
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

/// A type with a JSON schema. Without the feature `docs`, every type implements it.
#[cfg(not(feature = "docs"))]
pub(crate) trait Documented {}

#[cfg(not(feature = "docs"))]
impl<T: ?Sized> Documented for T {}

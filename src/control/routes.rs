//! The operations of the control API, one a row: the router, `docs/CONTROL.md` and the `OpenAPI`
//! document go by them.
#![cfg_attr(not(feature = "docs"), allow(dead_code, reason = "documents alone say it all"))]

use axum::http::Method;

use super::query::Query::{self, Limit, Mute, Sandbox, Since};
use super::requests::{Count, Events, Found, Removed};
use super::sandboxes::{ClockShown, Ended, List, Shown};
use super::shapes::ServeEvent;
use super::{Done, Failure, Health, PREFIX, Version, bodies, pattern_schema};
use crate::keys::is_sandbox_id;
use crate::shape::{Schemas, Shape};
use serde_json::{Value, json};

/// What an operation does; documents name it so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Health,
    Version,
    Openapi,
    AdminOpenapi,
    ListSandboxes,
    ShowSandbox,
    PutSandbox,
    EndSandbox,
    ResetSandbox,
    MoveClock,
    AddFault,
    SandboxVerdict,
    Verdict,
    ListRequests,
    ForgetRequests,
    FindRequests,
    CountRequests,
    RemoveRequests,
    ResetRequests,
    UnmatchedRequests,
    ShowRequest,
    ForgetRequest,
    Events,
    Reset,
}

/// Makes a schema.
pub(crate) type SchemaOf = fn(&mut Schemas) -> Value;

/// How an operation answers.
#[derive(Clone, Copy)]
pub(crate) enum Answer {
    Json(SchemaOf),
    /// A verdict, as `Accept` asks.
    Verdict,
    /// Server-sent events.
    Events,
}

/// What a body holds.
#[derive(Clone, Copy)]
pub(crate) struct Body {
    pub(crate) schema: SchemaOf,
    /// By what they are for, as JSON.
    pub(crate) examples: &'static [(&'static str, &'static str)],
}

/// An operation.
pub(crate) struct Row {
    pub(crate) method: &'static str,
    /// Below `/__admin`. `{id}` is a sandbox, `{request}` the id of a request; what stands in their
    /// place elsewhere stands before them.
    pub(crate) path: &'static str,
    pub(crate) route: Route,
    pub(crate) about: &'static str,
    pub(crate) query: &'static [Query],
    /// `None`: a body is left alone.
    pub(crate) body: Option<Body>,
    pub(crate) answer: Answer,
    /// How it fails beside what every operation may be refused with.
    pub(crate) fails: &'static [u16],
    /// Whether it stands before the guard, and stays where there is no control API: probes ask
    /// under any name and have no token.
    pub(crate) open: bool,
}

const fn row(
    method: &'static str,
    path: &'static str,
    route: Route,
    answer: Answer,
    about: &'static str,
) -> Row {
    Row { method, path, route, about, query: &[], body: None, answer, fails: &[], open: false }
}

impl Row {
    const fn query(self, query: &'static [Query]) -> Self {
        Self { query, ..self }
    }

    const fn body(
        self,
        schema: SchemaOf,
        examples: &'static [(&'static str, &'static str)],
    ) -> Self {
        Self { body: Some(Body { schema, examples }), ..self }
    }

    const fn fails(self, fails: &'static [u16]) -> Self {
        Self { fails, ..self }
    }

    const fn open(self) -> Self {
        Self { open: true, ..self }
    }

    /// Whether it may be refused with a status that every operation may be refused with. The
    /// guard refuses with 401 and 403.
    pub(crate) fn is_refused_with(&self, status: u16) -> bool {
        !self.open || ![401, 403].contains(&status)
    }
}

/// An answer that is another document.
fn any_document(_: &mut Schemas) -> Value {
    json!({ "type": "object", "description": "An OpenAPI document." })
}

const DONE: Answer = Answer::Json(Done::schema);
const SANDBOX: Answer = Answer::Json(Shown::schema);
const FOUND: Answer = Answer::Json(Found::schema);

/// Every operation.
pub(crate) const ROUTES: &[Row] = &[
    row(
        "GET",
        "/health",
        Route::Health,
        Answer::Json(Health::schema),
        "whether the server is up; answers every client, as `version` does",
    )
    .open(),
    row("GET", "/version", Route::Version, Answer::Json(Version::schema), "the server's version")
        .open(),
    row(
        "GET",
        "/openapi.json",
        Route::Openapi,
        Answer::Json(any_document),
        "the vendor's API as an OpenAPI document, as `gptbots-mock openapi` prints it",
    ),
    row(
        "GET",
        "/admin-openapi.json",
        Route::AdminOpenapi,
        Answer::Json(any_document),
        "the control API as an OpenAPI document, as `gptbots-mock openapi --admin` prints it",
    ),
    row(
        "GET",
        "/sandboxes",
        Route::ListSandboxes,
        Answer::Json(List::schema),
        "every sandbox that there is",
    ),
    row("GET", "/sandboxes/{id}", Route::ShowSandbox, SANDBOX, "what a sandbox is").fails(&[404]),
    row(
        "PUT",
        "/sandboxes/{id}",
        Route::PutSandbox,
        SANDBOX,
        "makes a sandbox anew with the settings of the body, all of them or none",
    )
    .body(bodies::sandbox, bodies::SANDBOXES)
    .fails(&[500]),
    row("DELETE", "/sandboxes/{id}", Route::EndSandbox, Answer::Json(Ended::schema), "ends a sandbox"),
    row(
        "POST",
        "/sandboxes/{id}/reset",
        Route::ResetSandbox,
        SANDBOX,
        "makes a sandbox anew with the settings that it has: what `POST` added and what was counted is \
         forgotten",
    ),
    row(
        "POST",
        "/sandboxes/{id}/clock",
        Route::MoveClock,
        Answer::Json(ClockShown::schema),
        "`{\"advance_ms\": 60000}` moves a sandbox's clock, `{\"mode\": \"frozen\"}` stops it, \
         `{\"mode\": \"real\"}` lets it go on",
    )
    .body(bodies::clock, bodies::CLOCKS),
    row(
        "POST",
        "/sandboxes/{id}/faults",
        Route::AddFault,
        SANDBOX,
        "adds the fault of the body to a sandbox's",
    )
    .body(crate::sandbox::faults::schema, bodies::FAULTS)
    .fails(&[409]),
    row(
        "GET",
        "/sandboxes/{id}/verdict",
        Route::SandboxVerdict,
        Answer::Verdict,
        "what the clients of a sandbox did wrong, as JSON, text or JUnit by `Accept`",
    )
    .query(&[Mute])
    .fails(&[404]),
    row(
        "GET",
        "/verdict",
        Route::Verdict,
        Answer::Verdict,
        "what all clients did wrong, those of sandboxes that have ended included; as JSON, text or JUnit by \
         `Accept`",
    )
    .query(&[Mute])
    .fails(&[404]),
    row(
        "GET",
        "/requests",
        Route::ListRequests,
        Answer::Json(Events::schema),
        "the journal, newest first, as WireMock's",
    )
    .query(&[Limit, Since, Sandbox])
    .fails(&[404, 500]),
    row("DELETE", "/requests", Route::ForgetRequests, DONE, "forgets the journal").query(&[Sandbox]),
    row("POST", "/requests/find", Route::FindRequests, FOUND, "the requests that fit a pattern")
        .query(&[Sandbox])
        .body(pattern_schema::schema, pattern_schema::EXAMPLES)
        .fails(&[404, 500]),
    row(
        "POST",
        "/requests/count",
        Route::CountRequests,
        Answer::Json(Count::schema),
        "how many requests fit a pattern",
    )
    .query(&[Sandbox])
    .body(pattern_schema::schema, pattern_schema::EXAMPLES)
    .fails(&[404, 500]),
    row(
        "POST",
        "/requests/remove",
        Route::RemoveRequests,
        Answer::Json(Removed::schema),
        "forgets the requests that fit a pattern, and answers them",
    )
    .query(&[Sandbox])
    .body(pattern_schema::schema, pattern_schema::EXAMPLES)
    .fails(&[404, 500]),
    row(
        "POST",
        "/requests/reset",
        Route::ResetRequests,
        DONE,
        "forgets the journal, as `DELETE /requests`",
    )
    .query(&[Sandbox]),
    row(
        "GET",
        "/requests/unmatched",
        Route::UnmatchedRequests,
        FOUND,
        "the requests that found no endpoint: 404 and 405",
    )
    .query(&[Sandbox])
    .fails(&[404, 500]),
    row(
        "GET",
        "/requests/{request}",
        Route::ShowRequest,
        Answer::Json(ServeEvent::schema),
        "one request by its id, or by its number, as findings name it",
    )
    .query(&[Sandbox])
    .fails(&[404]),
    row("DELETE", "/requests/{request}", Route::ForgetRequest, DONE, "forgets a request")
        .query(&[Sandbox]),
    row(
        "GET",
        "/events",
        Route::Events,
        Answer::Events,
        "each request as it comes: server-sent events",
    )
    .query(&[Sandbox])
    .fails(&[404]),
    row(
        "POST",
        "/reset",
        Route::Reset,
        DONE,
        "ends every sandbox, begins the default one anew, and forgets everything",
    ),
];

/// Whether a path is that of an operation that is open to everyone.
pub(crate) fn is_open(path: &str) -> bool {
    let path = path.strip_prefix(PREFIX).unwrap_or(path);
    ROUTES.iter().any(|row| row.open && row.path == path)
}

/// The operation of a request, and the sandbox or the request in its path.
pub(crate) fn find<'p>(path: &'p str, method: &Method) -> Result<(&'static Row, &'p str), Failure> {
    let parts: Vec<&str> = path.strip_prefix(PREFIX).unwrap_or(path).split('/').collect();
    let fits = |row: &&Row| {
        let pattern: Vec<&str> = row.path.split('/').collect();
        let fits = |(pattern, part): (&&str, &&str)| pattern == part || pattern.starts_with('{');
        pattern.len() == parts.len() && pattern.iter().zip(&parts).all(fits)
    };
    let Some(first) = ROUTES.iter().find(fits) else {
        let mut all: Vec<String> =
            ROUTES.iter().map(|row| format!("{PREFIX}{}", row.path)).collect();
        all.dedup();
        let path = crate::suggest::quoted(path);
        return Err(Failure::not_found(format!(
            "nothing is at {path}; there are {}",
            all.join(", ")
        )));
    };
    let at_path = ROUTES.iter().filter(|row| row.path == first.path);
    let wanted = if method == Method::HEAD { "GET" } else { method.as_str() };
    let Some(row) = at_path.clone().find(|row| row.method == wanted) else {
        let mut allow: Vec<&str> = at_path.map(|row| row.method).collect();
        if allow.first() == Some(&"GET") {
            allow.insert(1, "HEAD");
        }
        return Err(Failure::not_allowed(allow.join(", "), method));
    };
    let place = row.path.split('/').position(|part| part.starts_with('{'));
    let id = place.map_or("", |place| parts[place]);
    if row.path.contains("{id}") && !is_sandbox_id(id) {
        let id = crate::suggest::quoted(id);
        let message = format!("{id} names no sandbox: 1 to 64 of A-Z a-z 0-9 . _ -");
        return Err(Failure::bad(message));
    }
    Ok((row, id))
}

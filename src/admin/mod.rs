//! The control API under `/__admin`. A request goes through [`Admin::answer`]:
//!
//! 1. whoever asks may ([`guard`])
//! 2. the path is in [`ROUTES`], else 404; it takes the method, else 405
//! 3. the body is there, at most [`MOST_BODY`] (413), in time (408)
//! 4. the route's handler ([`sandboxes`], [`requests`]) changes all of what is asked, or nothing
//!
//! Every answer is JSON; every failure is `{"code": <HTTP status>, "message": …}`, with
//! `"problems"` where a document is not right.

mod body;
mod events;
mod guard;
mod page;
mod pattern;
mod requests;
mod sandboxes;
mod settings;
mod shapes;
mod verdict;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use serde::Serialize;

use crate::document::{DocumentError, Problem};
use crate::http::respond;
use crate::sandbox::Sandboxes;
use guard::Guard;
#[doc(hidden)]
pub use page::control_page;

/// Where `gptbots-mock healthcheck` asks.
#[cfg(feature = "cli")]
pub(crate) const HEALTH_PATH: &str = "/__admin/health";

/// What it answers.
const HEALTHY: &str =
    concat!(r#"{"status":"healthy","version":""#, env!("CARGO_PKG_VERSION"), r#""}"#);

const VERSION: &str = concat!(r#"{"version":""#, env!("CARGO_PKG_VERSION"), r#""}"#);

/// Where the control API is.
const PREFIX: &str = "/__admin";

/// The largest body, in bytes.
pub(crate) const MOST_BODY: usize = 8 << 20;

/// Whether a path is the control API's.
pub(crate) fn is_path(path: &str) -> bool {
    path.strip_prefix(PREFIX).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What a path of the control API stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Route {
    Health,
    Sandboxes,
    Sandbox,
    Reset,
    Clock,
    Faults,
    SandboxVerdict,
    Verdict,
    Requests,
    Request,
    Find,
    Count,
    Remove,
    Unmatched,
    Forget,
    Events,
    ResetAll,
    Version,
    Openapi,
}

/// A path below `/__admin`. `{id}` is a sandbox, `{request}` the id of a request; what stands in
/// their place elsewhere stands before them.
struct Row {
    path: &'static str,
    route: Route,
    methods: &'static [Method],
    about: &'static str,
}

const fn row(
    path: &'static str,
    route: Route,
    methods: &'static [Method],
    about: &'static str,
) -> Row {
    Row { path, route, methods, about }
}

/// Every path.
const ROUTES: &[Row] = &[
    row("/health", Route::Health, &[Method::GET], "whether the server is up"),
    row("/version", Route::Version, &[Method::GET], "its version"),
    row(
        "/openapi.json",
        Route::Openapi,
        &[Method::GET],
        "the vendor's API as an OpenAPI document, as `gptbots-mock openapi` prints it",
    ),
    row("/sandboxes", Route::Sandboxes, &[Method::GET], "every sandbox that there is"),
    row(
        "/sandboxes/{id}",
        Route::Sandbox,
        &[Method::GET, Method::PUT, Method::DELETE],
        "`GET` shows it; `PUT` makes it anew with the settings of the body, all of them or none; \
         `DELETE` ends it",
    ),
    row(
        "/sandboxes/{id}/reset",
        Route::Reset,
        &[Method::POST],
        "makes it anew with the settings that it has: what `POST` added and what was counted is \
         forgotten",
    ),
    row(
        "/sandboxes/{id}/clock",
        Route::Clock,
        &[Method::POST],
        "`{\"advance_ms\": 60000}` moves its clock, `{\"mode\": \"frozen\"}` stops it, \
         `{\"mode\": \"real\"}` lets it go on",
    ),
    row("/sandboxes/{id}/faults", Route::Faults, &[Method::POST], "adds the fault of the body"),
    row(
        "/sandboxes/{id}/verdict",
        Route::SandboxVerdict,
        &[Method::GET],
        "what its clients did wrong, as JSON, text or JUnit by `Accept`; `?mute=RULE,RULE`",
    ),
    row(
        "/verdict",
        Route::Verdict,
        &[Method::GET],
        "the same of all requests, those of sandboxes that have ended included",
    ),
    row(
        "/requests",
        Route::Requests,
        &[Method::GET, Method::DELETE],
        "the journal, newest first, as WireMock's; `DELETE` forgets it",
    ),
    row("/requests/find", Route::Find, &[Method::POST], "the requests that fit a pattern"),
    row("/requests/count", Route::Count, &[Method::POST], "how many fit a pattern"),
    row("/requests/remove", Route::Remove, &[Method::POST], "forgets those that fit a pattern"),
    row("/requests/reset", Route::Forget, &[Method::POST], "forgets all, as `DELETE /requests`"),
    row(
        "/requests/unmatched",
        Route::Unmatched,
        &[Method::GET],
        "the requests that found no endpoint: 404 and 405",
    ),
    row(
        "/requests/{request}",
        Route::Request,
        &[Method::GET, Method::DELETE],
        "one request by its id; `DELETE` forgets it",
    ),
    row("/events", Route::Events, &[Method::GET], "each request as it comes: server-sent events"),
    row(
        "/reset",
        Route::ResetAll,
        &[Method::POST],
        "ends every sandbox, begins the default one anew, and forgets everything",
    ),
];

/// Why the control API refuses something.
#[derive(Debug)]
struct Failure {
    status: StatusCode,
    message: String,
    /// The methods that there are, of a 405.
    allow: Option<String>,
    problems: Vec<Problem>,
}

impl Failure {
    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), allow: None, problems: Vec::new() }
    }

    fn response(self) -> Response {
        #[derive(Serialize)]
        struct Shape {
            code: u16,
            message: String,
            #[serde(skip_serializing_if = "Vec::is_empty")]
            problems: Vec<Problem>,
        }
        let Self { status, message, allow, problems } = self;
        let mut response = json(&Shape { code: status.as_u16(), message, problems });
        *response.status_mut() = status;
        if let Some(allow) = allow.and_then(|allow| HeaderValue::try_from(allow).ok()) {
            response.headers_mut().insert(header::ALLOW, allow);
        }
        if status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

impl From<DocumentError> for Failure {
    fn from(error: DocumentError) -> Self {
        let message = error.to_string();
        Self { problems: error.problems, ..Self::new(StatusCode::BAD_REQUEST, message) }
    }
}

/// A 200 with a value as JSON.
fn json(value: &impl Serialize) -> Response {
    // Strings and numbers always serialize.
    respond(serde_json::to_vec(value).unwrap_or_default())
}

/// The control API of a server.
pub(crate) struct Admin {
    guard: Guard,
    sandboxes: Arc<Sandboxes>,
    /// A body must be there this long after its head.
    body_timeout: Duration,
}

impl Admin {
    /// `None`: there is to be none.
    pub(crate) fn new(sandboxes: &Arc<Sandboxes>) -> Option<Self> {
        let config = &sandboxes.config;
        config.admin.enabled.then(|| Self {
            guard: Guard::new(&config.admin),
            sandboxes: Arc::clone(sandboxes),
            body_timeout: config.limits.head_timeout,
        })
    }

    /// Answers a request to a path of the control API.
    pub(crate) async fn answer(&self, request: Request, from_here: bool) -> Response {
        self.try_answer(request, from_here).await.unwrap_or_else(Failure::response)
    }

    async fn try_answer(&self, request: Request, from_here: bool) -> Result<Response, Failure> {
        let (head, body) = request.into_parts();
        let checked = self.guard.check(from_here, &head.headers);
        let found = checked.and_then(|()| route(head.uri.path(), &head.method));
        let (route, id) = match found {
            Ok(found) => found,
            Err(failure) => {
                // Most clients read no answer before they have sent all.
                let thrown_away = body::read(&head.headers, body, 0);
                let _ = tokio::time::timeout(self.body_timeout, thrown_away).await;
                return Err(failure);
            }
        };
        let body =
            tokio::time::timeout(self.body_timeout, body::read(&head.headers, body, MOST_BODY))
                .await
                .map_err(|_| {
                    Failure::new(StatusCode::REQUEST_TIMEOUT, "the body did not come in time")
                })??;
        let all = &self.sandboxes;
        match (route, &head.method) {
            (Route::Health, _) => Ok(respond(HEALTHY)),
            (Route::Sandboxes, _) => Ok(sandboxes::list(all)),
            (Route::Sandbox, &Method::PUT) => sandboxes::put(all, id, body).await,
            (Route::Sandbox, &Method::DELETE) => Ok(sandboxes::end(all, id)),
            (Route::Sandbox, _) => sandboxes::show(all, id),
            (Route::Reset, _) => Ok(sandboxes::reset(all, id)),
            (Route::Clock, _) => sandboxes::clock(all, id, body),
            (Route::Faults, _) => sandboxes::add_faults(all, id, body),
            (Route::SandboxVerdict, _) => verdict::of_sandbox(all, id, &head),
            (Route::Verdict, _) => verdict::of_all(all, &head),
            (Route::Requests, &Method::DELETE) | (Route::Forget, _) => requests::forget(all, &head),
            (Route::Requests, _) => requests::list(all, &head).await,
            (Route::Request, &Method::DELETE) => requests::forget_one(all, id, &head),
            (Route::Request, _) => requests::show(all, id, &head),
            (Route::Find, _) => requests::find(all, &head, body).await,
            (Route::Count, _) => requests::count(all, &head, body).await,
            (Route::Remove, _) => requests::remove(all, &head, body).await,
            (Route::Unmatched, _) => requests::unmatched(all, &head).await,
            (Route::Events, _) => events::answer(all, &head),
            (Route::ResetAll, _) => {
                all.reset();
                Ok(json(&serde_json::Map::new()))
            }
            (Route::Version, _) => Ok(respond(VERSION)),
            (Route::Openapi, _) => Ok(respond(crate::openapi())),
        }
    }
}

/// The route of a path, and the sandbox or the request in it.
fn route<'p>(path: &'p str, method: &Method) -> Result<(Route, &'p str), Failure> {
    let parts: Vec<&str> = path.strip_prefix(PREFIX).unwrap_or(path).split('/').collect();
    for Row { path: pattern, route, methods, .. } in ROUTES {
        let pattern: Vec<&str> = pattern.split('/').collect();
        let fits = |(pattern, part): (&&str, &&str)| pattern == part || pattern.starts_with('{');
        if pattern.len() != parts.len() || !pattern.iter().zip(&parts).all(fits) {
            continue;
        }
        let takes = |of: &&Method| *of == method || (*of == Method::GET && method == Method::HEAD);
        if !methods.iter().any(|of| takes(&of)) {
            let mut allow: Vec<&str> = methods.iter().map(Method::as_str).collect();
            if allow.first() == Some(&"GET") {
                allow.insert(1, "HEAD");
            }
            let allow = allow.join(", ");
            let message = format!("the method must be {allow}, got {method}");
            let failure = Failure::new(StatusCode::METHOD_NOT_ALLOWED, message);
            return Err(Failure { allow: Some(allow), ..failure });
        }
        let id = pattern.iter().position(|part| part.starts_with('{')).map_or("", |at| parts[at]);
        if pattern.contains(&"{id}") && !Sandboxes::is_id(id) {
            let id = crate::document::quoted(id);
            let message = format!("{id} names no sandbox: 1 to 64 of A-Z a-z 0-9 . _ -");
            return Err(Failure::new(StatusCode::BAD_REQUEST, message));
        }
        return Ok((*route, id));
    }
    let all: Vec<String> = ROUTES.iter().map(|row| format!("{PREFIX}{}", row.path)).collect();
    let path = crate::document::quoted(path);
    let message = format!("nothing is at {path}; there are {}", all.join(", "));
    Err(Failure::new(StatusCode::NOT_FOUND, message))
}

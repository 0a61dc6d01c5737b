//! The control API under `/__admin`. A request goes through [`Admin::answer`]:
//!
//! 1. whoever asks may ([`guard`]); `health` and `version` say nothing secret and stand before it
//! 2. the path and the method are in [`routes`], else 404 or 405
//! 3. the body is there, at most [`MOST_BODY`] (413), in time (408)
//! 4. the query is right ([`query`])
//! 5. the route's handler ([`sandboxes`], [`requests`]) changes all of what is asked, or nothing
//!
//! Every answer is JSON; every failure is `{"code": <HTTP status>, "message": …}`, with
//! `"problems"` where a document is not right.

pub(crate) mod bodies;
mod body;
pub(crate) mod events;
pub(crate) mod failure;
mod guard;
mod pattern;
mod pattern_schema;
pub(crate) mod query;
mod requests;
pub(crate) mod routes;
mod sandboxes;
mod settings;
pub(crate) mod shapes;
mod verdict;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use crate::api::{authority, respond};
use crate::contract;
use crate::sandbox::Sandboxes;
use crate::shape::{words, written};
use failure::Failure;
use guard::Guard;
use query::Asked;
use routes::{Route, Row};

/// The control API as an `OpenAPI` 3.1 document, which `cargo xtask docs` makes of its tables.
///
/// ```
/// let document: serde_json::Value = serde_json::from_str(gptbots_mock::admin_openapi()).unwrap();
/// assert!(document["paths"]["/__admin/sandboxes/{id}"]["put"].is_object());
/// ```
#[must_use]
pub fn admin_openapi() -> &'static str {
    include_str!("../../docs/admin-openapi.json")
}

/// Where `gptbots-mock healthcheck` asks.
#[cfg(feature = "cli")]
pub(crate) const HEALTH_PATH: &str = "/__admin/health";

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Where the control API is.
pub(crate) const PREFIX: &str = "/__admin";

/// The largest body, in bytes.
pub(crate) const MOST_BODY: usize = 8 << 20;

/// Whether a path is the control API's.
pub(crate) fn is_path(path: &str) -> bool {
    path.strip_prefix(PREFIX).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether requests are searched at a path, which may take seconds, and is given up when the client
/// resets the connection.
pub(crate) fn is_search(path: &str) -> bool {
    path.strip_prefix(PREFIX).is_some_and(|rest| rest.starts_with("/requests/"))
}

written! {
    /// Whether the server is up.
    struct Health is "Health" in "snake_case" {
        /// It is.
        status: &'static str => words(["healthy"]),
        /// The server's version.
        version: &'static str,
    }
}

written! {
    /// The server's version.
    struct Version is "Version" in "snake_case" {
        /// The server's version.
        version: &'static str,
    }
}

written! {
    /// It is done, and there is nothing to tell.
    struct Done is "Done" in "snake_case" {}
}

/// A 200 with a value as JSON.
fn json(value: &impl Serialize) -> Response {
    // Strings and numbers always serialize.
    respond(serde_json::to_vec(value).unwrap_or_default())
}

/// The control API of a server.
pub(crate) struct Admin {
    /// `None`: there is to be no control API, and only what is open to everyone is served.
    guard: Option<Guard>,
    sandboxes: Arc<Sandboxes>,
    /// A body must be there this long after its head.
    body_timeout: Duration,
}

impl Admin {
    pub(crate) fn new(sandboxes: &Arc<Sandboxes>) -> Self {
        let config = &sandboxes.config;
        Self {
            guard: config.admin.enabled.then(|| Guard::new(&config.admin)),
            sandboxes: Arc::clone(sandboxes),
            body_timeout: config.limits.head_timeout,
        }
    }

    /// Whether there is anything at a path of the control API.
    pub(crate) fn serves(&self, path: &str) -> bool {
        self.guard.is_some() || routes::is_open(path)
    }

    /// Answers a request to a path of the control API.
    pub(crate) async fn answer(&self, request: Request, from_here: bool) -> Response {
        self.try_answer(request, from_here).await.unwrap_or_else(Failure::response)
    }

    async fn try_answer(&self, request: Request, from_here: bool) -> Result<Response, Failure> {
        let (head, body) = request.into_parts();
        let found = routes::find(head.uri.path(), &head.method);
        let checked = match (&self.guard, &found) {
            (None, _) | (_, Ok((Row { open: true, .. }, _))) => Ok(()),
            (Some(guard), _) => {
                // A request with a wrong host does not come so far.
                let authority = authority(&head.uri, &head.headers, head.version);
                guard.check(from_here, authority.unwrap_or_default(), &head.headers)
            }
        };
        let (row, id) = checked.and(found)?;
        let body =
            tokio::time::timeout(self.body_timeout, body::read(&head.headers, body, MOST_BODY))
                .await
                .map_err(|_| {
                    Failure::new(StatusCode::REQUEST_TIMEOUT, "the body did not come in time")
                })??;
        let asked = Asked::read(head.uri.query(), row.query)?;
        let id = id.to_owned();
        let all = &self.sandboxes;
        match row.route {
            Route::Health => Ok(json(&Health { status: "healthy", version: VERSION })),
            Route::Version => Ok(json(&Version { version: VERSION })),
            Route::Openapi => Ok(respond(contract::openapi())),
            Route::AdminOpenapi => Ok(respond(admin_openapi())),
            Route::ListSandboxes => apart(all, |all| Ok(sandboxes::list(all))).await,
            Route::ShowSandbox => sandboxes::show(all, &id),
            Route::PutSandbox => apart(all, move |all| sandboxes::put(all, &id, body)).await,
            Route::EndSandbox => apart(all, move |all| Ok(sandboxes::end(all, &id))).await,
            Route::ResetSandbox => apart(all, move |all| Ok(sandboxes::reset(all, &id))).await,
            Route::MoveClock => sandboxes::clock(all, &id, body),
            Route::AddFault => sandboxes::add_faults(all, &id, body),
            Route::SandboxVerdict => {
                apart(all, move |all| verdict::of_sandbox(all, &id, &asked, &head.headers)).await
            }
            Route::Verdict => {
                apart(all, move |all| verdict::of_all(all, &asked, &head.headers)).await
            }
            Route::ListRequests => requests::list(all, asked).await,
            Route::ForgetRequests | Route::ResetRequests => {
                apart(all, move |all| Ok(requests::forget(all, &asked))).await
            }
            Route::FindRequests => requests::find(all, asked, body).await,
            Route::CountRequests => requests::count(all, asked, body).await,
            Route::RemoveRequests => requests::remove(all, asked, body).await,
            Route::UnmatchedRequests => requests::unmatched(all, asked).await,
            Route::ShowRequest => apart(all, move |all| requests::show(all, &id, &asked)).await,
            Route::ForgetRequest => {
                apart(all, move |all| Ok(requests::forget_one(all, &id, &asked))).await
            }
            Route::Events => events::answer(all, asked, &head.headers),
            Route::Reset => {
                apart(all, |all| {
                    all.reset();
                    Ok(json(&Done {}))
                })
                .await
            }
        }
    }
}

/// Does what may take a while (it makes records, or looks at every sandbox) on a thread of its own,
/// so that no other request waits for it.
async fn apart(
    all: &Arc<Sandboxes>,
    work: impl FnOnce(&Sandboxes) -> Result<Response, Failure> + Send + 'static,
) -> Result<Response, Failure> {
    let all = Arc::clone(all);
    let done = tokio::task::spawn_blocking(move || work(&all)).await;
    done.unwrap_or_else(|_| Err(Failure::bug()))
}

//! The control API under `/__admin`: an axum app of [`operations`]. A request goes through it
//! top to bottom:
//!
//! 1. the [`router`] finds the operation by path and method
//! 2. the [`guard`] checks whether the client may use it, except for `health` and `version`
//! 3. if there is no operation, the response is 404 or 405
//! 4. [`extract`] checks the sandbox id in the path, and that the whole body arrives in time and is not
//!    too large
//! 5. the handler's arguments are read: path, query, body
//! 6. the handler makes the whole change or none; work that may take longer than a millisecond runs on a
//!    thread that may block
//!
//! Every response is JSON; every [`Failure`] has the format of `WireMock`'s errors.

mod bodies;
mod condition;
mod current_settings;
mod events;
mod extract;
mod failure;
mod guard;
mod near_misses;
mod operation;
mod pattern;
mod requests;
mod sandboxes;
mod serve_event;
mod server;
mod verdict;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::handler::Handler;
use axum::http::{Method, Uri};
use axum::middleware::from_fn_with_state;
use axum::routing::any;

use crate::api::Refusal;
use crate::sandbox::Sandboxes;
use crate::settings::Admin;
use crate::suggest::quoted;
use extract::BodyReader;
pub(crate) use failure::Failure;
pub(crate) use operation::Operation;

#[cfg(feature = "docs")]
pub(crate) use {
    bodies::{ClockChange, FIXTURES_LEFT_OUT, Mode, NewFaults, SandboxSettings},
    condition::{MATCHERS, MOST_EXPRESSION, MOST_NESTED, VALUES_MATCHERS},
    current_settings::CurrentSettings,
    events::{Dropped, LAST_EVENT_ID},
    extract::MOST_BODY,
    failure::FailureBody,
    near_misses::{NearMissPattern, UnmatchedRequest},
    operation::ResponseKind,
    pattern::{KEYS, MOST_NAMES, Pattern},
    requests::{DROPPED, TOTAL},
    sandboxes::RequestCounts,
    serve_event::ServeEvent,
};

/// The control API as an `OpenAPI` 3.1 document, which `cargo xtask docs` makes of its operations.
///
/// ```
/// let document: serde_json::Value = serde_json::from_str(gptbots_mock::admin_openapi()).unwrap();
/// assert!(document["paths"]["/__admin/sandboxes/{id}"]["put"].is_object());
/// ```
#[must_use]
pub fn admin_openapi() -> &'static str {
    include_str!("../../docs/admin-openapi.json")
}

/// The path that `gptbots-mock healthcheck` requests.
#[cfg(feature = "cli")]
pub(crate) const HEALTH_PATH: &str = "/__admin/health";

/// The path prefix of the control API.
pub(crate) const PREFIX: &str = "/__admin";

/// Whether a path is the control API's.
pub(crate) fn is_path(path: &str) -> bool {
    path.strip_prefix(PREFIX).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether the operation at a path searches requests. A search may take seconds, so it is cancelled when
/// the client resets the connection.
pub(crate) fn is_search(path: &str) -> bool {
    let searches = |rest: &str| rest.starts_with("/requests/") || rest.starts_with("/near-misses/");
    path.strip_prefix(PREFIX).is_some_and(searches)
}

/// Every operation, in the order in which documents show them.
pub(crate) fn operations() -> Vec<Operation> {
    vec![
        server::health(),
        server::version(),
        server::openapi(),
        server::admin_openapi(),
        sandboxes::list(),
        sandboxes::show(),
        sandboxes::put(),
        sandboxes::end(),
        sandboxes::reset(),
        sandboxes::move_clock(),
        sandboxes::add_fault(),
        verdict::of_sandbox(),
        verdict::of_server(),
        requests::list(),
        requests::forget(),
        requests::find(),
        requests::count(),
        requests::remove(),
        requests::reset(),
        requests::unmatched(),
        near_misses::of_unmatched(),
        near_misses::of_pattern(),
        near_misses::of_request(),
        requests::show(),
        requests::forget_one(),
        events::stream(),
        server::reset(),
    ]
}

/// The control API of a server. A body must arrive within the timeout. Each request must have the `Peer`
/// that sent it as an extension.
pub(crate) fn router(sandboxes: &Arc<Sandboxes>, admin: Admin, body_timeout: Duration) -> Router {
    let is_enabled = !admin.is_off;
    let guard = from_fn_with_state(Arc::new(admin), guard::check);
    let check_id = from_fn_with_state(Arc::clone(sandboxes), extract::check_id);
    let hide = from_fn_with_state(Arc::clone(sandboxes), extract::hide_secrets);
    let reader = BodyReader { sandboxes: Arc::clone(sandboxes), timeout: body_timeout };
    let read_body = from_fn_with_state(reader, extract::read_body);
    let mut operations = operations();
    operations.retain(|operation| is_enabled || operation.is_open);
    let mut router = Router::new();
    for at_path in operations.chunk_by(|one, next| one.path == next.path) {
        let allow = allowed_methods(at_path);
        let not_allowed = async move |method: Method| Failure::not_allowed(&allow, &method);
        // We use `any` because it adds no `Allow` header, which the guard's refusals must not have.
        let mut methods = any(not_allowed).layer(guard.clone());
        for operation in at_path {
            let parameters = operation.query.map_or(&[][..], |(names, _)| names);
            let check_query = from_fn_with_state(parameters, extract::check_query);
            let mut handler = operation.handler.clone().route_layer(check_query);
            handler = handler.route_layer(read_body.clone());
            if operation.path.contains("{id}") {
                handler = handler.route_layer(check_id.clone());
            }
            if !operation.is_open {
                handler = handler.route_layer(guard.clone());
            }
            methods = methods.merge(handler);
        }
        let path = format!("{PREFIX}{}", at_path[0].path);
        if let (Some(begins), Some(ends)) = (path.find('{'), path.find('}')) {
            // axum's `{id}` does not match an empty text, but handlers must refuse it as a wrong id.
            let empty = [&path[..begins], &path[ends + 1..]].concat();
            router = router.route(&empty, methods.clone());
        }
        router = router.route(&path, methods);
    }
    let router = if is_enabled {
        let paths = paths(&operations);
        let nothing = async move |uri: Uri| {
            let path = quoted(uri.path());
            Failure::not_found(format!("the control API has no path {path}; its paths are {paths}"))
        };
        router.fallback(nothing.layer(guard))
    } else {
        let nothing = async |State(sandboxes): State<Arc<Sandboxes>>, request: Request| {
            let (uri, method) = (request.uri(), request.method().to_string());
            let own = sandboxes.redactor().for_head(uri, request.headers());
            Refusal::NotFound { path: uri.path().to_owned(), method }.response(None, None, &own)
        };
        router.fallback(nothing)
    };
    router.layer(hide).with_state(Arc::clone(sandboxes))
}

/// The methods of the operations at one path, as `Allow` lists them.
fn allowed_methods(at_path: &[Operation]) -> String {
    let mut methods: Vec<&str> =
        at_path.iter().map(|operation| operation.method.as_str()).collect();
    if methods[0] == "GET" {
        methods.insert(1, "HEAD");
    }
    methods.join(", ")
}

/// Every path, once.
fn paths(operations: &[Operation]) -> String {
    let mut paths: Vec<String> =
        operations.iter().map(|operation| format!("{PREFIX}{}", operation.path)).collect();
    paths.dedup();
    paths.join(", ")
}

/// Runs work on a thread that may block, so that no other request waits for it.
async fn on_blocking_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Failure::bug())
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::mpsc::channel;
    use std::task::{Context, Waker};

    use axum::body::Body;
    use axum::extract::Request;
    use tower_service::Service;

    use super::*;
    use crate::records::world::World;
    use crate::sandbox::SandboxConfig;
    use crate::sandbox::peer::Peer;

    /// The only blocking thread is occupied, so an operation that needs one is not ready.
    #[test]
    fn only_fixed_answers_are_made_without_a_thread_that_may_block() {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().max_blocking_threads(1).build().unwrap();
        let _guard = runtime.enter();
        let (done, wait) = channel::<()>();
        let taken = runtime.spawn_blocking(move || wait.recv());
        let config = SandboxConfig::default();
        let world = World::new(&config.records).unwrap();
        let sandboxes = Sandboxes::new(world, config.settings().unwrap(), config);
        let mut router = router(&Arc::new(sandboxes), Admin::default(), Duration::from_secs(1));
        let mut at_once = Vec::new();
        for operation in operations() {
            let path = operation.path.replace("{id}", "a").replace("{request}", "1");
            let request = Request::builder()
                .method(operation.method)
                .uri(format!("{PREFIX}{path}"))
                .header("host", "localhost")
                .extension(Peer::local())
                .body(Body::from("{}"));
            let answer = pin!(router.call(request.unwrap()));
            if answer.poll(&mut Context::from_waker(Waker::noop())).is_ready() {
                at_once.push(operation.id);
            }
        }
        assert_eq!(at_once, ["health", "version", "openapi", "adminOpenapi"]);
        drop(done);
        let _ = runtime.block_on(taken);
    }
}

//! The vendor's endpoints over HTTP. A request goes through [`serve`], top to bottom:
//!
//! 1. the router, folded from the contract, finds the endpoint; else 404
//! 2. the method is `GET` or `HEAD`; else 405
//! 3. the key stands for an agent; else 40127
//! 4. the agent was not deleted; else 20059
//! 5. the parameters are right, in the order of the page's table; else 40000
//! 6. the handler asks the store, checks conversation (40356) and page (40005), writes the rows
//! 7. the answer is one buffer of JSON; a refusal is made in one place, [`refusal`]
//!
//! A panic anywhere in 2 to 6 is answered 50000.

mod auth;
mod envelope;
mod handlers;
mod page;
mod query;
mod refusal;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, Uri, header, request};
use axum::response::Response;
use tower_http::cors::{AllowHeaders, Any, CorsLayer};
use tower_service::Service;

use crate::contract::{self, Endpoint, MEDIA_TYPE, Operation, Readings};
use crate::sandbox::{Sandbox, Sandboxes};
use query::Query;
pub(crate) use refusal::{Outcome, REASON_HEADER, Refusal, refuse};

/// The router of the vendor's endpoints, and of every path that there is not.
pub(crate) fn router(sandboxes: Arc<Sandboxes>, cors: bool) -> Router {
    let handler = async move |State(sandboxes): State<Arc<Sandboxes>>, request: Request| {
        match contract::endpoint(request.uri().path()) {
            Some(endpoint) => endpoint_answer(&sandboxes, endpoint, request).await,
            None => not_found(request.into_parts().0.uri).await,
        }
    };
    let vendor = Router::new().fallback(handler).with_state(sandboxes);
    if cors { open(vendor) } else { vendor }
}

/// Answers a request to an endpoint. The connections call this themselves where the router would
/// only lead here: it costs a third of what the rest of the request does before its rows.
pub(crate) async fn endpoint_answer(
    sandboxes: &Sandboxes,
    endpoint: &'static Endpoint,
    request: Request,
) -> Response {
    let (head, _body) = request.into_parts();
    if endpoint.operation == Operation::QaRecords {
        wait_for_qa(sandboxes.of(&head.headers), &head).await;
    }
    serve(sandboxes.of(&head.headers), endpoint, &head)
}

/// The same router for browsers of any origin. The layer takes every `OPTIONS` for what a browser
/// asks before a request; one that is none goes past it.
fn open(vendor: Router) -> Router {
    let closed = vendor.clone();
    let open = vendor.layer(allow_browsers());
    let handler = async move |request: Request| {
        let asks = request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
            && request.headers().contains_key(header::ORIGIN);
        let router = if request.method() == Method::OPTIONS && !asks { &closed } else { &open };
        Service::call(&mut router.clone(), request).await
    };
    Router::new().fallback(handler)
}

/// The answer where nothing is.
pub(crate) async fn not_found(uri: Uri) -> Response {
    refuse(&Refusal::NotFound { path: uri.path().to_owned() }, None, &Readings::default())
}

/// Waits until the agent's Q&A pairs are indexed, on a thread that may.
async fn wait_for_qa(sandbox: &Sandbox, head: &request::Parts) {
    let store = {
        let world = sandbox.world();
        if world.qa_ready() {
            return;
        }
        match auth::agent(&world, sandbox.any_key, &head.headers) {
            Ok(agent) if !agent.store.qa_ready() => agent.store.clone(),
            _ => return,
        }
    };
    // Should that panic, so will the request itself, and be answered.
    let _ = tokio::task::spawn_blocking(move || store.wait_for_qa()).await;
}

/// Answers one request to an endpoint.
fn serve(sandbox: &Sandbox, endpoint: &'static Endpoint, head: &request::Parts) -> Response {
    guard(endpoint, &sandbox.readings, || answer(sandbox, endpoint, head))
}

/// The response to what was answered or refused, and to a panic.
fn guard(
    endpoint: &'static Endpoint,
    readings: &Readings,
    answer: impl FnOnce() -> Result<Vec<u8>, Refusal>,
) -> Response {
    match catch_unwind(AssertUnwindSafe(answer)).unwrap_or(Err(Refusal::Panicked)) {
        Ok(json) => respond(json),
        Err(refusal) => refuse(&refusal, Some(endpoint), readings),
    }
}

fn answer(
    sandbox: &Sandbox,
    endpoint: &'static Endpoint,
    head: &request::Parts,
) -> Result<Vec<u8>, Refusal> {
    if !contract::allows(head.method.as_str()) {
        return Err(Refusal::MethodNotAllowed { method: head.method.to_string() });
    }
    let world = sandbox.world();
    let agent = auth::agent(&world, sandbox.any_key, &head.headers)?;
    if agent.deleted {
        return Err(Refusal::AgentDeleted { agent: agent.name.clone() });
    }
    let query = Query::read(endpoint, head.uri.query().unwrap_or(""), &sandbox.readings)?;
    handlers::answer(endpoint, &agent.store, &query, &sandbox.readings)
}

/// A 200 with JSON.
pub(crate) fn respond(json: impl Into<Body>) -> Response {
    let mut response = Response::new(json.into());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    response
}

/// Answers to browsers of any origin. `*` never covers `Authorization`, so the headers that a
/// preflight asks for are mirrored.
fn allow_browsers() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::HEAD])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([HeaderName::from_static(REASON_HEADER)])
}

#[cfg(test)]
mod tests {
    use axum::extract::Path;
    use axum::routing::any;

    use super::*;
    use crate::Server;
    use crate::contract::{Code, ENDPOINTS};

    #[test]
    fn a_panic_is_answered_50000_and_the_next_request_is_served() {
        let server = Server::with_router(Router::new().route(
            "/{what}",
            any(async |Path(what): Path<String>| {
                guard(&ENDPOINTS[0], &Readings::default(), || match &*what {
                    "panic" => panic!("on purpose"),
                    _ => Ok(b"{}".to_vec()),
                })
            }),
        ));
        let get = |path: &str| {
            let agent: ureq::Agent =
                ureq::Agent::config_builder().http_status_as_error(false).build().into();
            let mut response = agent.get(format!("{}{path}", server.url())).call().unwrap();
            (response.status().as_u16(), response.body_mut().read_to_string().unwrap())
        };
        let panicked = r#"{"code":50000,"message":"Internal system error"}"#;
        for _ in 0..3 {
            assert_eq!(get("/panic"), (500, panicked.to_owned()));
            assert_eq!(get("/else"), (200, "{}".to_owned()));
        }
    }

    #[test]
    fn every_endpoint_has_words_for_every_code_that_it_can_answer() {
        for endpoint in ENDPOINTS {
            for code in Code::ALL {
                let on_messages =
                    matches!(endpoint.operation, Operation::Messages | Operation::MessagesV2);
                if code == Code::ConversationMissing && !on_messages {
                    continue;
                }
                assert!(endpoint.error(code).is_some(), "{} {code:?}", endpoint.name);
            }
        }
    }
}

//! The vendor's endpoints over HTTP. A request that [`message`] lets pass, because it has one host
//! and a body that ends, goes through [`answer`], top to bottom:
//!
//! 1. the path, or what stands behind the key, names the sandbox
//! 2. the path is an endpoint's in the contract; else 404
//! 3. the method is `GET` or `HEAD`; else 405
//! 4. a fault strikes ([`faulty`]), because the sandbox has one or the request asks for it
//! 5. the key stands for an agent; else 40127
//! 6. the key may make one more request; else 40008
//! 7. the agent was not deleted; else 20059
//! 8. the parameters are right, in the order of the page's table; else 40000
//! 9. the handler asks the store, checks conversation (40356) and page (40005), writes the rows
//! 10. the answer is one buffer of JSON; a refusal is made in one place, [`refusal`]
//!
//! A panic anywhere in 5 to 9 is answered 50000.

mod auth;
mod envelope;
#[cfg(feature = "docs")]
mod example;
mod faulty;
mod handlers;
mod hints;
mod message;
mod page;
mod query;
mod refusal;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, header, request};
use axum::response::Response;
use tower_http::cors::{AllowHeaders, Any, CorsLayer};
use tower_service::Service;

use crate::contract::{self, AnonymousId, Endpoint, MEDIA_TYPE, Operation, Readings};
use crate::records::rows::MessageForm;
use crate::records::store::RowKind;
use crate::sandbox::journal::{Answered, EntryId};
use crate::sandbox::peer::Peer;
use crate::sandbox::verdict::PageSeen;
use crate::sandbox::{Held, Sandbox, Sandboxes};
use crate::target::split_sandbox;
use auth::{Sent, Unsent};
#[cfg(feature = "docs")]
pub(crate) use example::example;
pub(crate) use message::{authority, check as check_message, split_port};
use page::{Page, View};
use query::Query;
pub(crate) use refusal::{REASON_HEADER, Refusal, Told, refuse};

/// Answers a request to the vendor's API, or to a path that there is not; and where the journal has
/// it, if it has.
pub(crate) async fn answer(
    sandboxes: &Sandboxes,
    request: Request,
    peer: &Peer,
) -> (Response, Option<EntryId>) {
    let begun = sandboxes.journals().is_on().then(Instant::now);
    let (head, _body) = request.into_parts();
    let whole = head.uri.path();
    // A path that names no sandbox where it should is the default one's.
    let (in_path, path, not_sandbox) = match split_sandbox(whole) {
        Ok((in_path, path)) => (in_path, path, None),
        Err(id) => {
            let refusal = Refusal::NotSandbox { id: id.to_owned() };
            (Some(Sandboxes::DEFAULT), whole, Some(refusal))
        }
    };
    let mut sent = auth::sent(&head.headers);
    let behind_key = sent.ok().and_then(|sent| sent.sandbox);
    if in_path.is_some() && behind_key.is_some() && in_path != behind_key {
        sent = Err(Unsent::TwoSandboxes);
    }
    let sandbox = sandboxes.get(in_path.or(behind_key));
    let endpoint = contract::endpoint(path);
    let (mut response, page) = match endpoint {
        Some(endpoint) => endpoint_answer(&sandbox, endpoint, &head, sent).await,
        None => match not_sandbox {
            Some(refusal) => (refuse(&refusal, None, &Readings::default()), None),
            None => (not_found(whole, path, &head.method), None),
        },
    };
    let entry = begun.map(|begun| {
        let asked = Asked { head: &head, peer, endpoint, page, begun };
        record(sandboxes, &sandbox, &asked, &response)
    });
    if let Held::Named(sandbox) = sandbox {
        Told::of(&mut response).sandbox = Some(sandbox);
    }
    (response, entry)
}

/// Refuses a request that is not HTTP as it should be. No sandbox sees it; the default journal has it.
pub(crate) fn refuse_message(
    sandboxes: &Sandboxes,
    head: &request::Parts,
    peer: &Peer,
    refusal: &Refusal,
) -> (Response, Option<EntryId>) {
    let response = refuse(refusal, None, &Readings::default());
    if !sandboxes.journals().is_on() {
        return (response, None);
    }
    let asked = Asked { head, peer, endpoint: None, page: None, begun: Instant::now() };
    let entry = record(sandboxes, &sandboxes.get(None), &asked, &response);
    (response, Some(entry))
}

/// What is known of a request beside its answer.
struct Asked<'a> {
    head: &'a request::Parts,
    peer: &'a Peer,
    endpoint: Option<&'static Endpoint>,
    page: Option<PageSeen>,
    begun: Instant,
}

/// Puts a request into its sandbox's journal.
fn record(
    sandboxes: &Sandboxes,
    sandbox: &Sandbox,
    asked: &Asked<'_>,
    response: &Response,
) -> EntryId {
    let Asked { head, peer, endpoint, page, begun } = *asked;
    let told = response.extensions().get::<Told>();
    let retry_after =
        told.and_then(|_| response.headers().get(header::RETRY_AFTER)?.to_str().ok()?.parse().ok());
    let refused = told.and_then(|told| told.refused.as_ref());
    let now = Instant::now();
    sandboxes.record(
        sandbox,
        &Answered {
            head,
            peer,
            opened: sandboxes.uptime(peer.opened),
            endpoint,
            status: response.status().as_u16(),
            refused: refused.map(|(code, reason)| (*code, reason.as_bytes())),
            retry_after,
            fault: told.and_then(|told| told.fault.as_ref()),
            page,
            took: now.saturating_duration_since(begun),
            now: (sandboxes.uptime(now), sandbox.own_time(now)),
        },
    )
}

/// Answers a request to an endpoint.
async fn endpoint_answer(
    sandbox: &Held,
    endpoint: &'static Endpoint,
    head: &request::Parts,
    sent: Result<Sent<'_>, Unsent>,
) -> (Response, Option<PageSeen>) {
    let readings = &sandbox.settings.readings;
    if !contract::allows(head.method.as_str()) {
        let refusal = Refusal::MethodNotAllowed { method: head.method.to_string() };
        return (refuse(&refusal, Some(endpoint), readings), None);
    }
    let faults = faulty::Faults::of(sandbox, endpoint, &head.headers);
    if let Some(response) = faults.in_place(endpoint, readings) {
        return (faults.shape(response), None);
    }
    prepare(sandbox, endpoint.operation, sent).await;
    let own = || own_answer(sandbox, endpoint, head, sent);
    let (response, page) = guard(endpoint, readings, own);
    (faults.shape(response), page)
}

/// Makes what the first page of a large agent needs (the index of its Q&A pairs, the rows of a
/// fixture), on a thread that may take its time.
async fn prepare(sandbox: &Sandbox, operation: Operation, sent: Result<Sent<'_>, Unsent>) {
    let readings = &sandbox.settings.readings;
    let rows = match operation {
        Operation::ConversationList => RowKind::Conversations {
            with_anonymous_id: readings.anonymous_id == AnonymousId::Present,
        },
        Operation::Messages => RowKind::Messages(MessageForm::V1),
        Operation::MessagesV2 => RowKind::Messages(MessageForm::V2),
        Operation::QaRecords => RowKind::Qa(readings.qa_time),
    };
    let store = {
        let world = sandbox.world();
        if world.is_ready(rows) {
            return;
        }
        let Ok(sent) = sent else { return };
        match auth::agent(&world, sandbox.settings.any_key, sent.key) {
            Ok(agent) if !agent.store.is_ready(rows) => agent.store.clone(),
            _ => return,
        }
    };
    // Should that panic, so will the request itself, and be answered.
    let _ = tokio::task::spawn_blocking(move || store.prepare(rows)).await;
}

/// The response to what was answered or refused, and to a panic.
fn guard(
    endpoint: &'static Endpoint,
    readings: &Readings,
    answer: impl FnOnce() -> Result<Page, Refusal>,
) -> (Response, Option<PageSeen>) {
    match catch_unwind(AssertUnwindSafe(answer)).unwrap_or(Err(Refusal::Panicked)) {
        Ok(Page { json, seen }) => (respond(json), Some(seen)),
        Err(refusal) => (refuse(&refusal, Some(endpoint), readings), None),
    }
}

/// What the sandbox's records answer.
fn own_answer(
    sandbox: &Sandbox,
    endpoint: &'static Endpoint,
    head: &request::Parts,
    sent: Result<Sent<'_>, Unsent>,
) -> Result<Page, Refusal> {
    let unsent = |why| Refusal::Unauthenticated(hints::keys::unsent(why, head));
    let Sent { key, .. } = sent.map_err(unsent)?;
    let world = sandbox.world();
    let agent = auth::agent(&world, sandbox.settings.any_key, key)?;
    sandbox.trust();
    sandbox
        .admit(key)
        .map_err(|(limit, retry_after)| Refusal::RateLimited { limit, retry_after })?;
    if agent.deleted {
        return Err(Refusal::AgentDeleted { agent: agent.name.clone() });
    }
    let readings = &sandbox.settings.readings;
    let query = Query::read(endpoint, head.uri.query().unwrap_or(""), readings)?;
    let view = View { world: &world, agent, endpoint, readings, hazards: sandbox.hazards() };
    handlers::answer(&view, &agent.store, &query)
}

/// The answer where nothing is; what stands before `path` in the whole one names a sandbox.
pub(crate) fn not_found(whole: &str, path: &str, method: &Method) -> Response {
    let sandbox = whole.strip_suffix(path).unwrap_or_default().to_owned();
    let (path, method) = (path.to_owned(), method.to_string());
    refuse(&Refusal::NotFound { sandbox, path, method }, None, &Readings::default())
}

/// The vendor's API for browsers of any origin. The extensions of an answer hold the [`EntryId`] of
/// its request. The layer takes every `OPTIONS` for what a browser
/// asks before a request; one that is none goes past it.
pub(crate) fn open(sandboxes: Arc<Sandboxes>) -> Router {
    let handler = async |State(sandboxes): State<Arc<Sandboxes>>, request: Request| {
        let peer = request.extensions().get::<Peer>().cloned().unwrap_or_else(Peer::nobody);
        let (mut response, entry) = answer(&sandboxes, request, &peer).await;
        if let Some(entry) = entry {
            response.extensions_mut().insert(entry);
        }
        response
    };
    let closed = Router::new().fallback(handler).with_state(sandboxes);
    let open = closed.clone().layer(allow_browsers());
    let handler = async move |request: Request| {
        let asks = request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
            && request.headers().contains_key(header::ORIGIN);
        let router = if request.method() == Method::OPTIONS && !asks { &closed } else { &open };
        Service::call(&mut router.clone(), request).await
    };
    Router::new().fallback(handler)
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
        .expose_headers([
            HeaderName::from_static(REASON_HEADER),
            HeaderName::from_static(faulty::FAULT_HEADER),
            HeaderName::from_static(faulty::APPLIED_HEADER),
            header::RETRY_AFTER,
        ])
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
                if what != "panic" {
                    return respond("{}");
                }
                guard(&ENDPOINTS[0], &Readings::default(), || panic!("on purpose")).0
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

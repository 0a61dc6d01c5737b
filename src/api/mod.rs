//! The vendor's API as an axum app. A request that [`message`] accepts, because it has one host and
//! its body has a defined end, goes through the steps of [`VendorApi::answer`]:
//!
//! 1. the path, or the text after the key, selects the sandbox, and the prefix of the sandbox is removed from
//!    the path. Without memory for the sandbox: 50000
//! 2. the contract has an endpoint at the path; else 404, the router's fallback
//! 3. the method is `GET` or `HEAD`; else 405, the router's other fallback
//! 4. a fault may be injected ([`faulty`]), because the sandbox has one or the request asks for it
//! 5. the key belongs to an agent ([`agent_view`]); else 40127
//! 6. the rate limit of the key admits the request; else 40008
//! 7. the agent is not deleted; else 20059
//! 8. the parameters are valid, in the order of the contract's table ([`query`]); else 40000
//! 9. the handler queries the store, checks conversation (40356) and page (40005), and writes the rows
//! 10. the response is one buffer of JSON; [`refusal`] is the only place that builds error responses
//!
//! The router does the steps 2, 3 and 5 to 9. [`VendorApi`] is the only service around it. A panic
//! anywhere in the router becomes a response 50000.

mod agent_view;
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
mod response;

use std::any::Any;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, Method, Uri, header, request};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use tokio::task::spawn_blocking;
use tower_http::catch_panic::CatchPanic;
use tower_http::cors::{AllowHeaders, Any as AnyOrigin, CorsLayer};
use tower_service::Service;

use crate::contract::{self, ENDPOINTS, Endpoint};
use crate::memory::BudgetFull;
use crate::sandbox::journal::Exchange;
use crate::sandbox::peer::Peer;
use crate::sandbox::{InUse, Sandbox, Sandboxes};
use crate::target::split_sandbox;
use agent_view::AgentView;
pub(crate) use auth::bearer_key;
#[cfg(feature = "docs")]
pub(crate) use example::example;
use faulty::Faults;
pub(crate) use message::{MessageError, authority, check as check_message, split_port};
use page::Page;
use query::Query;
pub(crate) use refusal::Refusal;
pub(crate) use response::{REASON_HEADER, ResponseMeta, respond};

/// The checks before every handler, in the order in which they are made: axum runs the extractors
/// of a tuple from left to right. The first is 5 to 7 of the list above, the second is 8.
type CheckedRequest = (AgentView, Query);

/// A route for each endpoint of the contract, and a refusal for everything else.
pub(crate) fn router() -> Router {
    ENDPOINTS
        .iter()
        .fold(Router::new(), |router, endpoint| {
            router.route(endpoint.path, handlers::method_router(endpoint.operation))
        })
        .fallback(async |method: Method, uri: Uri| Refusal::NotFound {
            path: uri.path().to_owned(),
            method: method.to_string(),
        })
        .method_not_allowed_fallback(async |method: Method| {
            Refusal::MethodNotAllowed(method.to_string())
        })
}

/// The data of a request to an endpoint that the extractors need.
#[derive(Clone)]
struct RequestContext {
    /// The head as it was received. The router gets only a method and a target, because copying all
    /// headers would take longer than routing.
    head: Arc<request::Parts>,
    sandbox: InUse,
    endpoint: &'static Endpoint,
}

impl RequestContext {
    fn of(head: &request::Parts) -> &Self {
        head.extensions.get().expect("`VendorApi` gives it to every request to an endpoint")
    }
}

type PanicHandler = fn(Box<dyn Any + Send>) -> Response;

/// The router together with sandboxes, faults and the journal. The journal also has the requests that
/// the router's fallbacks refuse.
#[derive(Clone)]
pub(crate) struct VendorApi {
    sandboxes: Arc<Sandboxes>,
    router: CatchPanic<Router, PanicHandler>,
}

impl VendorApi {
    pub(crate) fn new(sandboxes: Arc<Sandboxes>, router: Router) -> Self {
        let panicked: PanicHandler = |_| Refusal::Panicked.into_response();
        Self { sandboxes, router: CatchPanic::custom(router, panicked) }
    }

    /// Answers a request to any path but those of the control API.
    pub(crate) async fn answer(&self, request: Request, peer: &Peer) -> Response {
        let begun = Instant::now();
        let head = Arc::new(request.into_parts().0);
        let whole = head.uri.path();
        let is_key = |id: &str| self.sandboxes.is_key(id);
        // A path with an invalid sandbox id belongs to the default sandbox.
        let split = split_sandbox(whole).ok().filter(|(id, _)| !id.is_some_and(is_key));
        let (in_path, path) = split.unwrap_or((Some(Sandboxes::DEFAULT), whole));
        let credentials = auth::credentials(&head.headers).ok();
        let behind_key = credentials.and_then(|credentials| credentials.sandbox);
        let sandbox = self.sandboxes.get(in_path.or(behind_key.filter(|id| !is_key(id))));
        let endpoint = contract::endpoint(path);
        let sandbox = match sandbox {
            Ok(sandbox) => sandbox,
            Err(full) => return self.refuse_memory(full, &head, peer, endpoint).await,
        };
        let faults = endpoint
            .filter(|_| contract::allows(head.method.as_str()))
            .map(|endpoint| Faults::draw(&sandbox, endpoint, &head))
            .unwrap_or_default();
        let mut response = if let Some(response) = faults.replacement() {
            response
        } else {
            let context = endpoint.map(|endpoint| RequestContext {
                head: Arc::clone(&head),
                sandbox: sandbox.clone(),
                endpoint,
            });
            self.route(&head, path, context).await
        };
        if let Some(refusal) = response.extensions_mut().remove::<Refusal>() {
            let words = endpoint.map(|endpoint| (endpoint, &sandbox.settings.readings));
            let advice = hints::advice(&refusal, &head, endpoint, &sandbox);
            let own = self.sandboxes.redactor().for_head(&head.uri, &head.headers);
            response = refusal.response(words, advice.as_deref(), &own);
        }
        faults
            .apply(&mut response, || self.sandboxes.redactor().for_head(&head.uri, &head.headers));
        self.record(&sandbox, &head, peer, endpoint, begun, &mut response);
        echo_request_id(&head.headers, &mut response);
        if !sandbox.is_default() {
            ResponseMeta::of(&mut response).sandbox = Some(sandbox);
        }
        response
    }

    /// Refuses a malformed HTTP request. No sandbox sees it; it is recorded in the default journal.
    pub(crate) fn refuse_message(
        &self,
        error: MessageError,
        head: &request::Parts,
        peer: &Peer,
    ) -> Response {
        self.refuse(&error.into(), head, peer, None)
    }

    /// Refuses a request whose sandbox cannot get memory. No sandbox sees it, so it is recorded in the
    /// default journal.
    async fn refuse_memory(
        &self,
        full: BudgetFull,
        head: &request::Parts,
        peer: &Peer,
        endpoint: Option<&Endpoint>,
    ) -> Response {
        let sandboxes = Arc::clone(&self.sandboxes);
        // This looks at every sandbox, so it runs on a blocking thread.
        let explained = spawn_blocking(move || sandboxes.explain_full(&full)).await;
        let refusal = explained.map_or(Refusal::Panicked, Refusal::MemoryFull);
        self.refuse(&refusal, head, peer, endpoint)
    }

    /// Refuses a request that is in no sandbox, with the message of the endpoint if there is one.
    fn refuse(
        &self,
        refusal: &Refusal,
        head: &request::Parts,
        peer: &Peer,
        endpoint: Option<&Endpoint>,
    ) -> Response {
        let own = self.sandboxes.redactor().for_head(&head.uri, &head.headers);
        let sandbox = self.sandboxes.get_default();
        let words = endpoint.map(|endpoint| (endpoint, &sandbox.settings.readings));
        let mut response = refusal.response(words, None, &own);
        self.record(&sandbox, head, peer, None, Instant::now(), &mut response);
        echo_request_id(&head.headers, &mut response);
        response
    }

    /// Sends a request through the router. `path` is the one without the sandbox's prefix.
    async fn route(
        &self,
        head: &request::Parts,
        path: &str,
        context: Option<RequestContext>,
    ) -> Response {
        let mut request = Request::new(Body::empty());
        // We hand a HEAD to the router as a GET, because the router would drop the body, and faults
        // and hyper need its length. hyper does not send the body of an answer to a HEAD.
        if head.method != Method::HEAD {
            *request.method_mut() = head.method.clone();
        }
        *request.uri_mut() = head.uri.clone();
        if let Some(context) = context {
            request.extensions_mut().insert(context);
            // Other paths keep the prefix, because the error names the whole path.
            let prefix = head.uri.path().len() - path.len();
            if let Some(target) = head.uri.path_and_query().filter(|_| prefix > 0) {
                let target = target.as_str()[prefix..].parse();
                *request.uri_mut() = target.expect("an endpoint's path, and a query that was one");
            }
        }
        match Service::call(&mut self.router.clone(), request).await {
            Ok(response) => {
                let mut response = response.map(Body::new);
                // The router has set this header, but a fault may change the body. hyper sets it again.
                response.headers_mut().remove(header::CONTENT_LENGTH);
                response
            }
            Err(never) => match never {},
        }
    }

    /// Adds a request to the journal of its sandbox, if the server has a journal. The response gets the id
    /// of the entry.
    fn record(
        &self,
        sandbox: &Sandbox,
        head: &request::Parts,
        peer: &Peer,
        endpoint: Option<&'static Endpoint>,
        begun: Instant,
        response: &mut Response,
    ) {
        let sandboxes = &self.sandboxes;
        if !sandboxes.journals().is_on() {
            return;
        }
        let retry_after = response.headers().get(header::RETRY_AFTER);
        let retry_after = retry_after.and_then(|seconds| seconds.to_str().ok()?.parse().ok());
        let status = response.status().as_u16();
        let meta = ResponseMeta::of(response);
        let now = Instant::now();
        let exchange = Exchange {
            head,
            peer,
            opened: sandboxes.uptime(peer.opened),
            endpoint,
            status,
            refused: meta.refused.as_ref().map(|(code, reason)| (*code, reason.as_bytes())),
            retry_after,
            fault: meta.fault.as_ref(),
            page: meta.page,
            took: now.saturating_duration_since(begun),
            now: (sandboxes.uptime(now), sandbox.own_time(now)),
        };
        meta.entry = Some(sandboxes.record(sandbox, &exchange));
    }
}

/// The header with the client's id of a request. The journal keeps it like any header, and can list the
/// requests with an id.
pub(crate) const REQUEST_ID: &str = "x-request-id";

/// An id with more bytes is not echoed.
const MAX_REQUEST_ID: usize = 128;

/// Sends the id of a request back, so that the logs of client and server can be matched. An id that is too
/// long or not visible ASCII is ignored, because the request is valid without it.
fn echo_request_id(headers: &HeaderMap, response: &mut Response) {
    let Some(id) = headers.get(REQUEST_ID) else { return };
    let is_right =
        (1..=MAX_REQUEST_ID).contains(&id.len()) && id.as_bytes().iter().all(u8::is_ascii_graphic);
    if is_right {
        response.headers_mut().insert(HeaderName::from_static(REQUEST_ID), id.clone());
    }
}

/// The vendor's API for browser apps of any origin. The layer would treat every `OPTIONS` request as a
/// preflight, so an `OPTIONS` request that is not a preflight bypasses it.
pub(crate) fn open(vendor: VendorApi) -> Router {
    let closed =
        Router::new().fallback(async move |Extension(peer): Extension<Peer>, request: Request| {
            vendor.answer(request, &peer).await
        });
    let open = closed.clone().layer(allow_browsers());
    Router::new().fallback(async move |request: Request| {
        let asks = request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
            && request.headers().contains_key(header::ORIGIN);
        let router = if request.method() == Method::OPTIONS && !asks { &closed } else { &open };
        Service::call(&mut router.clone(), request).await
    })
}

/// Allows browser apps of any origin. `*` does not include `Authorization`, so the headers that a
/// preflight requests are returned.
fn allow_browsers() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AnyOrigin)
        .allow_methods([Method::GET, Method::HEAD])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([
            HeaderName::from_static(REASON_HEADER),
            HeaderName::from_static(faulty::FAULT_HEADER),
            HeaderName::from_static(faulty::APPLIED_HEADER),
            header::RETRY_AFTER,
            HeaderName::from_static(REQUEST_ID),
        ])
}

#[cfg(test)]
mod tests {
    use axum::extract::Path;
    use axum::routing::any;

    use super::*;
    use crate::Server;
    use crate::contract::{Code, Operation};

    #[test]
    fn a_panic_is_answered_50000_and_the_next_request_is_served() {
        let server = Server::with_router(Router::new().route(
            "/{what}",
            any(async |Path(what): Path<String>| {
                assert!(what != "panic", "on purpose");
                respond("{}")
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

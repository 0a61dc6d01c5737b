//! The response to a request with an injected fault. Delays and broken connections are noted in
//! [`ResponseMeta`], and carried out by the connection.

use std::cell::LazyCell;

use axum::body::{Body, HttpBody};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper::ext::ReasonPhrase;

use super::query::RawParams;
use super::refusal::{Refusal, add_challenge};
use super::response::{REASON_HEADER, ResponseMeta, respond};
use crate::contract::{Endpoint, MEDIA_TYPE};
use crate::records::generate::mix;
use crate::redact::Redactor;
use crate::sandbox::Sandbox;
use crate::sandbox::faults::{
    BodyForm, Fault, FaultResponse, InjectedFault, PreferenceOutcome, Preferences,
};

/// The header with the id of the injected fault.
pub(super) const FAULT_HEADER: &str = "x-mock-fault";

/// The header with the preferences that were applied.
pub(super) const APPLIED_HEADER: &str = "preference-applied";

/// The header by which a request asks for a fault.
const PREFER: HeaderName = HeaderName::from_static("prefer");

/// The fault that is injected into a request, if any, and the result of its `Prefer` header.
#[derive(Default)]
pub(super) struct Faults {
    injected: Option<InjectedFault>,
    /// The value of `Preference-Applied`.
    applied: Option<String>,
    /// Why a part of `Prefer` is ignored.
    ignored: Option<String>,
}

impl Faults {
    /// Counts the request for the faults. A request that asks for a fault gets only that one.
    pub(super) fn draw(sandbox: &Sandbox, endpoint: &Endpoint, head: &Parts) -> Self {
        let (operation, headers) = (endpoint.operation, &head.headers);
        // The query is parsed lazily, because most sandboxes have no fault with conditions on parameters.
        let raw = LazyCell::new(|| RawParams::read(endpoint, head.uri.query().unwrap_or("")));
        let params = |field| raw.get(field);
        if headers.contains_key(PREFER) {
            let preferences = headers.get_all(PREFER).iter().map(HeaderValue::as_bytes);
            let preferences = Preferences::read(preferences);
            if !preferences.is_empty() {
                let (injected, PreferenceOutcome { applied, ignored, .. }) =
                    sandbox.strike_as_preferred(preferences, operation, &params);
                return Self { injected, applied, ignored };
            }
        }
        Self { injected: sandbox.strike(operation, &params), ..Self::default() }
    }

    /// The response that replaces the page of records.
    pub(super) fn replacement(&self) -> Option<Response> {
        let InjectedFault { id, fault, .. } = self.injected.as_ref()?;
        match fault.response {
            FaultResponse::Original if fault.connection.is_some() => Some(respond(Body::empty())),
            FaultResponse::Original => None,
            FaultResponse::Code(code) => {
                Some(Refusal::Fault { code, id: id.clone() }.into_response())
            }
            FaultResponse::Status(status) => Some(with_status(status, fault.body)),
        }
    }

    /// The `Retry-After` of a fault that replaces the response, in seconds. A 429 always has one, and it is
    /// at least 1.
    fn retry_after(fault: &Fault, status: StatusCode) -> Option<u32> {
        let least = (status == StatusCode::TOO_MANY_REQUESTS).then_some(1);
        if fault.response == FaultResponse::Original { None } else { fault.retry_after.or(least) }
    }

    /// Changes the response, and notes the tasks of the connection.
    pub(super) fn apply(self, response: &mut Response, redactor: impl Fn() -> Redactor) {
        if let Some(injected) = self.injected {
            match injected.fault.body {
                BodyForm::Empty => *response.body_mut() = Body::empty(),
                BodyForm::Garbage => {
                    let length = response.body().size_hint().exact();
                    let length = length.expect("a response is one buffer, or empty");
                    *response.body_mut() = Body::from(garbage(injected.seed, length));
                }
                BodyForm::Original | BodyForm::Html | BodyForm::Truncated => {}
            }
            if let Some(seconds) = Self::retry_after(&injected.fault, response.status()) {
                response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
            }
            let id = HeaderValue::from_str(&injected.id).expect("an id is visible ASCII");
            response.headers_mut().insert(HeaderName::from_static(FAULT_HEADER), id);
            ResponseMeta::of(response).fault = Some(injected);
        }
        if let Some(applied) = self.applied.and_then(|applied| HeaderValue::try_from(applied).ok())
        {
            response.headers_mut().insert(HeaderName::from_static(APPLIED_HEADER), applied);
        }
        if let Some(ignored) = self.ignored {
            add_reason(response, &redactor().hide(&ignored));
        }
    }
}

/// Adds to the `x-mock-reason` of a response.
fn add_reason(response: &mut Response, more: &str) {
    const MOST: usize = 400;
    let before = response.headers().get(REASON_HEADER).and_then(|reason| reason.to_str().ok());
    let mut reason = before.map(|before| format!("{before}; ")).unwrap_or_default();
    for char in more.chars().take(MOST) {
        // The reason may quote the client, so it is escaped.
        if char == ' ' || char.is_ascii_graphic() {
            reason.push(char);
        } else {
            reason.extend(char.escape_default());
        }
    }
    if let Ok(reason) = HeaderValue::from_str(&reason) {
        response.headers_mut().insert(HeaderName::from_static(REASON_HEADER), reason);
    }
}

/// A response with another status: JSON in the vendor's form, or an HTML page like that of a gateway.
fn with_status(status: u16, body: BodyForm) -> Response {
    const UNKNOWN: &str = "Unknown";
    let status = StatusCode::from_u16(status).expect("a fault's status was checked");
    if status == StatusCode::RESET_CONTENT {
        // RFC 9110, 15.3.6: it has no content.
        return status.into_response();
    }
    let (number, reason) = (status.as_u16(), status.canonical_reason().unwrap_or(UNKNOWN));
    let (media_type, body) = if body == BodyForm::Html {
        let title = format!("{number} {reason}");
        let html = format!(
            "<html>\r\n<head><title>{title}</title></head>\r\n\
             <body>\r\n<center><h1>{title}</h1></center>\r\n</body>\r\n</html>\r\n"
        );
        ("text/html", html)
    } else {
        (MEDIA_TYPE, format!(r#"{{"code":{number},"message":"{reason}"}}"#))
    };
    let mut response = (status, [(header::CONTENT_TYPE, media_type)], body).into_response();
    if status.canonical_reason().is_none() {
        // hyper would write `<none>`.
        response.extensions_mut().insert(ReasonPhrase::from_static(UNKNOWN.as_bytes()));
    }
    add_challenge(&mut response);
    response
}

/// Bytes that are neither JSON nor UTF-8.
fn garbage(seed: u64, length: u64) -> Vec<u8> {
    let words = (0..length.div_ceil(8)).map(|number| mix(seed.wrapping_add(number)));
    let mut bytes: Vec<u8> = words.flat_map(u64::to_le_bytes).collect();
    bytes.truncate(usize::try_from(length).expect("it is the length of a buffer"));
    if let Some(first) = bytes.first_mut() {
        // No UTF-8 text begins with such a byte.
        *first |= 0xf8;
    }
    bytes
}

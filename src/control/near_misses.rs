//! Near misses, in the format of `WireMock`: the requests that are most similar to a pattern, and the
//! endpoints that are most similar to a request. `WireMock`'s Java client requests them when a verification
//! fails.

use std::collections::BTreeMap;

use axum::Json;
use axum::http::Method;
use axum::response::IntoResponse;
use serde::Serialize;
use serde_json::Value;

use super::Failure;
use super::bodies::read_document;
use super::condition::text_distance;
use super::extract::{Body, FromBody, Query, SandboxFilter};
use super::operation::Operation;
use super::pattern::Pattern;
use super::requests::{by_pattern, collect, compare, shown, unmatched_of};
use super::serve_event::{LoggedRequest, id_of};
use crate::contract::{ENDPOINTS, Endpoint};
use crate::document::{At, Fatal, Reader};
use crate::redact::{HOLDS_KEY, Redactor, is_hidden_name, mask_key};
use crate::sandbox::Sandboxes;
use crate::target::without_sandbox;

/// The number of near misses of a pattern, and of a request, as in `WireMock`.
const MOST: usize = 3;

/// The keys of a pattern whose texts are regular expressions. A masked one would not compile in clients.
const EXPRESSIONS: [&str; 4] = ["urlPattern", "urlPathPattern", "matches", "doesNotMatch"];

/// Near misses, the most similar first.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema), schemars(rename = "{T}s"))]
struct NearMisses<T> {
    /// The near misses.
    near_misses: Vec<T>,
}

/// A request that is similar to a pattern.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema))]
struct NearRequest<'a> {
    /// The request.
    request: LoggedRequest<'a>,
    /// The pattern, without keys.
    #[cfg_attr(feature = "docs", schemars(with = "Pattern"))]
    request_pattern: &'a Value,
    /// How different they are.
    match_result: MatchResult,
}

/// An endpoint that is similar to a request.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema), schemars(rename = "EndpointNear{R}"))]
struct NearEndpoint<R> {
    /// The request.
    request: R,
    /// The endpoint.
    stub_mapping: StubMapping,
    /// How different they are.
    match_result: MatchResult,
}

/// How different two requests are.
#[derive(Serialize)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema))]
struct MatchResult {
    /// 0: it matches; 1: nothing is similar.
    #[cfg_attr(feature = "docs", schemars(range(min = 0, max = 1)))]
    distance: f64,
}

/// An endpoint of the vendor, in the format of a stub.
#[derive(Serialize)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema))]
struct StubMapping {
    /// Its id.
    #[cfg_attr(feature = "docs", schemars(extend("format" = "uuid")))]
    id: String,
    /// The operation.
    #[cfg_attr(feature = "docs", schemars(with = "crate::contract::Operation"))]
    name: &'static str,
    /// What a request must contain.
    request: StubRequest,
    /// The response.
    response: StubResponse,
}

/// The request that an endpoint expects.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema))]
struct StubRequest {
    /// The method.
    method: &'static str,
    /// The path.
    url_path: &'static str,
}

/// The response of an endpoint.
#[derive(Serialize)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema))]
struct StubResponse {
    /// The HTTP status.
    status: u16,
}

/// A pattern, and its text without keys.
pub(crate) struct NearMissPattern {
    pattern: Pattern,
    body: Value,
}

impl FromBody for NearMissPattern {
    fn read(sandboxes: &Sandboxes, body: &[u8]) -> Result<Self, Failure> {
        let pattern = Pattern::read(sandboxes, body)?;
        // Some editors write a byte order mark at the beginning.
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        let body = serde_json::from_slice(body).map_err(|why| Failure::bad(why.to_string()))?;
        Ok(Self { pattern, body })
    }
}

/// A request in the body, usually copied from a response of the control API. Other keys of it are ignored.
pub(crate) struct UnmatchedRequest {
    url: String,
    method: String,
}

/// The request in the body, without keys.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema))]
struct SentRequest {
    /// Path and query.
    url: String,
    /// Its method.
    method: String,
    /// Always empty.
    headers: BTreeMap<String, String>,
    /// Always empty.
    cookies: BTreeMap<String, String>,
}

impl FromBody for UnmatchedRequest {
    fn read(sandboxes: &Sandboxes, body: &[u8]) -> Result<Self, Failure> {
        let (mut url, mut method) = (None, None);
        read_document(sandboxes, body, |reader| read_request(reader, &mut url, &mut method))?;
        let both = url.zip(method);
        let (url, method) = both.ok_or_else(|| Failure::bad("the request needs url and method"))?;
        Ok(Self { url, method })
    }
}

fn read_request(
    reader: &mut Reader<'_, '_>,
    url: &mut Option<String>,
    method: &mut Option<String>,
) -> Result<(), Fatal> {
    let Some(mut keys) = reader.object("a request")? else { return Ok(()) };
    while let Some(At { value: key, .. }) = reader.name(&mut keys)? {
        match &*key {
            "url" => *url = reader.string()?.map(|text| text.value),
            "method" => *method = reader.string()?.map(|text| text.value),
            _ => reader.skip()?,
        }
    }
    Ok(())
}

pub(super) fn of_pattern() -> Operation {
    by_pattern("/near-misses/request-pattern", "nearMissesOfPattern")
        .about(
            "finds the three requests that are most similar to a pattern, the most similar first",
        )
        .answers::<NearMisses<NearRequest<'_>>>()
        .blocking(
            |call, (Query(of), Body(wanted)): (Query<SandboxFilter>, Body<NearMissPattern>)| {
                let NearMissPattern { pattern, mut body } = wanted;
                let (mut entries, size) = collect(call, &of)?;
                // Of requests that are equally near, the newest is first.
                entries.reverse();
                let distances =
                    compare(call, &entries, |entry, stop| pattern.distance(entry, stop))?;
                let mut nearest: Vec<_> = distances.into_iter().zip(entries).collect();
                nearest.sort_by(|(one, _), (other, _)| one.total_cmp(other));
                nearest.truncate(MOST);
                let requests = shown(call, nearest.iter().map(|(_, filed)| filed));
                redact_pattern(&mut body, &call.redactor());
                let near_misses =
                    nearest.iter().zip(&requests).map(|((distance, _), request)| NearRequest {
                        request: LoggedRequest::new(request),
                        request_pattern: &body,
                        match_result: MatchResult { distance: *distance },
                    });
                Ok(size.answer(&NearMisses { near_misses: near_misses.collect() }))
            },
        )
}

pub(super) fn of_unmatched() -> Operation {
    Operation::new(Method::GET, "/requests/unmatched/near-misses", "nearMissesOfUnmatched")
        .about("finds the three most similar endpoints for each request that matched no endpoint")
        .answers::<NearMisses<NearEndpoint<LoggedRequest<'_>>>>()
        .tells_journal_size()
        .fails(&[404, 500])
        .blocking(|call, Query(of): Query<SandboxFilter>| {
            let (entries, size) = unmatched_of(call, &of)?;
            let requests = shown(call, &entries);
            let near_misses = requests.iter().flat_map(|request| {
                let nearest = nearest_endpoints(request.method(), request.target());
                nearest.map(|(distance, endpoint)| {
                    NearEndpoint::new(LoggedRequest::new(request), endpoint, distance)
                })
            });
            Ok(size.answer(&NearMisses { near_misses: near_misses.collect() }))
        })
}

pub(super) fn of_request() -> Operation {
    Operation::new(Method::POST, "/near-misses/request", "nearMissesOfRequest")
        .about("finds the three endpoints that are most similar to the request in the body")
        .answers::<NearMisses<NearEndpoint<SentRequest>>>()
        .fails(&[500])
        .examples(&[("path", r#"{"method": "GET", "url": "/v1/message?page=1"}"#)])
        .blocking(|call, Body(asked): Body<UnmatchedRequest>| {
            let redactor =
                call.redactor().for_request(&asked.url, std::iter::empty::<(&str, &[u8])>());
            let nearest = nearest_endpoints(&asked.method, &asked.url);
            let request = SentRequest {
                url: redactor.target(&asked.url),
                method: redactor.part(&asked.method).into_owned(),
                headers: BTreeMap::new(),
                cookies: BTreeMap::new(),
            };
            let near_misses = nearest
                .map(|(distance, endpoint)| NearEndpoint::new(request.clone(), endpoint, distance));
            Ok(Json(NearMisses { near_misses: near_misses.collect() }).into_response())
        })
}

impl<R> NearEndpoint<R> {
    fn new(request: R, endpoint: &'static Endpoint, distance: f64) -> Self {
        let number = ENDPOINTS.iter().position(|row| row.id == endpoint.id);
        let number = number.expect("the endpoint is one of the contract's");
        let stub_mapping = StubMapping {
            id: id_of(number as u64 + 1),
            name: endpoint.id,
            request: StubRequest { method: "GET", url_path: endpoint.path },
            response: StubResponse { status: 200 },
        };
        Self { request, stub_mapping, match_result: MatchResult { distance } }
    }
}

/// The endpoints that are most similar to a request, with their distances. The path weighs most.
fn nearest_endpoints(
    method: &str,
    target: &str,
) -> impl Iterator<Item = (f64, &'static Endpoint)> + use<> {
    let path = target.split_once('?').map_or(target, |(path, _)| path);
    let path = without_sandbox(path);
    let mut all: Vec<_> = ENDPOINTS
        .iter()
        .map(|endpoint| {
            let is_right = path == endpoint.path;
            let of_path = if is_right { 0.0 } else { text_distance(endpoint.path, path) };
            let of_method = if method == "GET" { 0.0 } else { 1.0 };
            ((10.0 * of_path + 3.0 * of_method) / 13.0, endpoint)
        })
        .collect();
    all.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    all.into_iter().take(MOST)
}

/// Hides keys in a pattern: the known ones, and those in its conditions on secret names, wherever else they
/// occur in the pattern.
fn redact_pattern(pattern: &mut Value, redactor: &Redactor) {
    let mut sent = Vec::new();
    for_each_text(pattern, None, &mut |text, place| {
        if let Some(name) = place.secret
            && !place.is_absent()
        {
            // Every cookie is secret, whatever its name.
            let name = if is_hidden_name(name) { name } else { "session" };
            sent.push((name.to_owned(), text.clone()));
        }
    });
    let redactor =
        redactor.for_request("", sent.iter().map(|(name, value)| (name, value.as_bytes())));
    for_each_text(pattern, None, &mut |text, place| {
        if place.is_absent() {
            return;
        }
        let hidden = match place.secret {
            Some("authorization") => redactor.header("authorization", text.as_bytes()),
            Some(_) => mask_key(text),
            None if place.key.starts_with("url") => redactor.target(text),
            None => redactor.hide(text).into_owned(),
        };
        if hidden == *text {
            return;
        }
        let is_expression = EXPRESSIONS.contains(&place.key);
        *text = if is_expression { HOLDS_KEY.to_owned() } else { hidden };
    });
}

/// The place of a text in a pattern.
struct Place<'a> {
    /// The key of the text.
    key: &'a str,
    /// The name, in lower case, of the header, parameter or cookie whose value is a key.
    secret: Option<&'a str>,
}

impl Place<'_> {
    /// Whether the text is not a value, but a word of `WireMock`.
    fn is_absent(&self) -> bool {
        ["absent", "anything"].contains(&self.key)
    }
}

/// Visits every text of a pattern. `secret` is the name that the pattern's values belong to, if it says that
/// they are keys.
fn for_each_text(
    node: &mut Value,
    secret: Option<&str>,
    visit: &mut dyn FnMut(&mut String, &Place<'_>),
) {
    let Value::Object(entries) = node else { return };
    for (key, value) in entries {
        match value {
            Value::String(text) => visit(text, &Place { key, secret }),
            Value::Array(items) => {
                for item in items {
                    for_each_text(item, secret, visit);
                }
            }
            Value::Object(names)
                if ["headers", "queryParameters", "pathParameters", "cookies"]
                    .contains(&&**key) =>
            {
                for (name, condition) in names {
                    let is_secret = key == "cookies" || is_hidden_name(name);
                    let name = name.to_ascii_lowercase();
                    for_each_text(condition, is_secret.then_some(&*name), visit);
                }
            }
            other => for_each_text(other, secret, visit),
        }
    }
}

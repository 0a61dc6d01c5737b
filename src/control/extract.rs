//! The extractors of handlers: ids in the path, the query, the body. Each rejects a mistake with a
//! [`Failure`]. We do not use axum's `Path` and `Query`, because they decode escapes and plus signs and
//! report serde's messages; ours take the text as it was sent and suggest the nearest valid word.

use std::borrow::Cow;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::body::{HttpBody, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::{Failure, on_blocking_thread};
use crate::api::REQUEST_ID;
use crate::contract::{Code, ENDPOINTS, Operation};
use crate::keys::SandboxId;
use crate::memory::{Purpose, Reservation};
use crate::redact::Redactor;
use crate::sandbox::Sandboxes;
use crate::sandbox::journal::{Entry, found_endpoint};
use crate::sandbox::verdict::{Rule, RuleError};
use crate::suggest::{nearest, quoted, unknown as no_word};

/// The part of the path in the place of `{id}` or `{request}`.
pub(super) struct Path<T>(pub(super) T);

/// A value that a path holds.
pub(super) trait FromPath: Sized {
    fn read(text: &str) -> Result<Self, Failure>;
}

impl FromPath for SandboxId {
    fn read(text: &str) -> Result<Self, Failure> {
        Self::new(text).ok_or_else(|| {
            let id = quoted(text);
            Failure::bad(format!(
                "{id} is not a sandbox id; an id has 1 to 64 characters from A-Z a-z 0-9 . _ - and is \
                 not an API key"
            ))
        })
    }
}

impl FromPath for String {
    fn read(text: &str) -> Result<Self, Failure> {
        Ok(text.to_owned())
    }
}

impl<T: FromPath, S: Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        // `/__admin/sandboxes/{id}/…`
        let id = parts.uri.path().split('/').nth(3).expect("the route of the operation has an id");
        T::read(id).map(Self)
    }
}

/// Refuses a path with an invalid sandbox id. A key is not a valid id, because ids are shown everywhere.
pub(super) async fn check_id(
    State(sandboxes): State<Arc<Sandboxes>>,
    Path(id): Path<SandboxId>,
    request: Request,
    next: Next,
) -> Result<Response, Failure> {
    if sandboxes.is_key(&id) {
        return Err(Failure::bad(format!(
            "{} is an API key or the admin token, so it is not a sandbox id",
            quoted(&id)
        )));
    }
    Ok(next.run(request).await)
}

/// Hides secrets in the texts of a failure, which may quote path, query and body.
pub(super) async fn hide_secrets(
    State(sandboxes): State<Arc<Sandboxes>>,
    request: Request,
    next: Next,
) -> Response {
    let (uri, headers) = (request.uri().clone(), request.headers().clone());
    let (mut head, body) = next.run(request).await.into_parts();
    if !head.status.is_client_error() && !head.status.is_server_error() {
        return Response::from_parts(head, body);
    }
    let Ok(body) = to_bytes(body, usize::MAX).await else {
        return Failure::bug().into_response();
    };
    let Ok(mut document) = serde_json::from_slice(&body) else {
        return Response::from_parts(head, body.into());
    };
    if !hide_in(&mut document, &sandboxes.redactor().for_head(&uri, &headers)) {
        return Response::from_parts(head, body.into());
    }
    head.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(head, document.to_string().into())
}

/// Hides secrets in every text of a document, and returns whether there were any.
fn hide_in(document: &mut Value, own: &Redactor) -> bool {
    match document {
        Value::String(text) => match own.hide(text) {
            Cow::Borrowed(_) => false,
            Cow::Owned(hidden) => {
                *text = hidden;
                true
            }
        },
        Value::Array(items) => items.iter_mut().fold(false, |any, item| hide_in(item, own) | any),
        Value::Object(fields) => {
            fields.values_mut().fold(false, |any, field| hide_in(field, own) | any)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The query of a request.
pub(super) struct Query<T>(pub(super) T);

/// The parameters that a query may hold.
pub(super) trait Parameters: Default {
    const NAMES: &'static [&'static str];

    /// Sets a parameter.
    fn set(&mut self, name: &str, value: &str) -> Result<(), Failure>;
}

impl<T: Parameters, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let mut parameters = T::default();
        let query = parts.uri.query().unwrap_or("");
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = percent_decode_str(value).decode_utf8_lossy();
            parameters.set(name, &value)?;
        }
        Ok(Self(parameters))
    }
}

/// Refuses a query with a parameter that the operation does not have, because ignoring it would hide a
/// mistake.
pub(super) async fn check_query(
    State(known): State<&'static [&'static str]>,
    request: Request,
    next: Next,
) -> Result<Response, Failure> {
    let query = request.uri().query().unwrap_or("");
    let names = query.split('&').map(|pair| pair.split_once('=').map_or(pair, |(name, _)| name));
    match names.into_iter().find(|name| !name.is_empty() && !known.contains(name)) {
        Some(name) => Err(unknown(name, known)),
        None => Ok(next.run(request).await),
    }
}

/// The failure of a parameter with an invalid value.
fn wrong(name: &str, value: &str, expected: &str) -> Failure {
    Failure::bad(format!("{name} must be {expected}, got {}", quoted(value)))
}

fn unknown(name: &str, known: &[&str]) -> Failure {
    let hint = match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean {near}?"),
        None if known.is_empty() => "this path has no parameters".to_owned(),
        None => format!("one of {}", known.join(", ")),
    };
    Failure::bad(format!("there is no parameter {}; {hint}", quoted(name)))
}

/// Which requests are selected.
#[derive(Default)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema), schemars(inline))]
pub(super) struct SandboxFilter {
    /// Only requests of this sandbox.
    #[cfg_attr(feature = "docs", schemars(with = "SandboxId"))]
    pub(super) sandbox: Option<SandboxId>,
}

impl Parameters for SandboxFilter {
    const NAMES: &'static [&'static str] = &["sandbox"];

    fn set(&mut self, name: &str, value: &str) -> Result<(), Failure> {
        let expected = "a sandbox id, 1 to 64 characters from A-Z a-z 0-9 . _ -";
        let id = SandboxId::new(value).ok_or_else(|| wrong(name, value, expected))?;
        self.sandbox = Some(id);
        Ok(())
    }
}

/// What is shown of a sandbox.
#[derive(Default)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema), schemars(inline))]
pub(super) struct SandboxView {
    /// Whether the settings include inline fixtures, with the keys of their agents.
    pub(super) fixtures: bool,
}

impl Parameters for SandboxView {
    const NAMES: &'static [&'static str] = &["fixtures"];

    fn set(&mut self, name: &str, value: &str) -> Result<(), Failure> {
        self.fixtures = value.parse().map_err(|_| wrong(name, value, "true or false"))?;
        Ok(())
    }
}

/// Which requests are listed.
#[derive(Default)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema), schemars(inline))]
pub(super) struct ListFilter {
    /// The maximum number of requests.
    #[cfg_attr(feature = "docs", schemars(with = "usize"))]
    pub(super) limit: Option<usize>,
    /// How many of the newest requests are skipped.
    #[cfg_attr(feature = "docs", schemars(with = "usize"))]
    pub(super) offset: Option<usize>,
    /// Only requests that arrived after this time.
    #[cfg_attr(feature = "docs", schemars(with = "String", extend("format" = "date-time")))]
    pub(super) since: Option<SystemTime>,
    /// Only requests with this HTTP status; 0 means that a fault broke the connection.
    #[cfg_attr(feature = "docs", schemars(with = "u16"))]
    pub(super) status: Option<u16>,
    /// Only requests that were refused with this code.
    #[cfg_attr(feature = "docs", schemars(with = "Code"))]
    pub(super) code: Option<Code>,
    /// Only requests for this operation.
    #[cfg_attr(feature = "docs", schemars(with = "Operation"))]
    pub(super) operation: Option<Operation>,
    /// Only requests whose `x-mock-reason` contains this text; case is ignored.
    #[cfg_attr(feature = "docs", schemars(with = "String"))]
    pub(super) reason: Option<String>,
    /// Only requests whose method, target, headers or reason contain this text; case is ignored. The
    /// target is searched as sent and decoded.
    #[cfg_attr(feature = "docs", schemars(with = "String"))]
    pub(super) text: Option<String>,
    /// Only requests with this `X-Request-Id`.
    #[cfg_attr(feature = "docs", schemars(with = "String"))]
    pub(super) request_id: Option<String>,
    /// Only requests that matched no endpoint.
    pub(super) unmatched: bool,
    #[cfg_attr(feature = "docs", schemars(flatten))]
    pub(super) of: SandboxFilter,
}

impl ListFilter {
    /// Whether a request matches the filter. `limit`, `offset` and `since` are not checked here; they
    /// select which of the matching requests are shown.
    pub(super) fn fits(&self, entry: &Entry) -> bool {
        let holds = |text: &str, part: &str| text.to_lowercase().contains(&part.to_lowercase());
        let holds_anywhere = |part: &str| {
            let target = entry.target();
            let decoded = percent_decode_str(&target).decode_utf8_lossy();
            let line = [&entry.method(), &target, &decoded, &entry.reason()];
            let mut headers = entry
                .headers()
                .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value)));
            line.into_iter().any(|text| holds(text, part))
                || headers.any(|header| holds(&header, part))
        };
        (!self.unmatched || !found_endpoint(entry.operation, entry.code))
            && self.status.is_none_or(|status| entry.status.unwrap_or(0) == status)
            && self.code.is_none_or(|code| entry.code == Some(code))
            && self.operation.is_none_or(|operation| entry.operation == Some(operation))
            && self.reason.as_ref().is_none_or(|reason| holds(&entry.reason(), reason))
            && self
                .request_id
                .as_ref()
                .is_none_or(|id| entry.header(REQUEST_ID) == Some(id.as_bytes()))
            && self.text.as_ref().is_none_or(|text| holds_anywhere(text))
    }
}

impl Parameters for ListFilter {
    const NAMES: &'static [&'static str] = &[
        "limit",
        "offset",
        "since",
        "status",
        "code",
        "operation",
        "reason",
        "text",
        "unmatched",
        "request_id",
        "sandbox",
    ];

    fn set(&mut self, name: &str, value: &str) -> Result<(), Failure> {
        match name {
            "limit" | "offset" => {
                let number = value.parse().map_err(|_| wrong(name, value, "a whole number"))?;
                let into = if name == "limit" { &mut self.limit } else { &mut self.offset };
                *into = Some(number);
            }
            "status" => {
                let expected = "100 to 599, or 0 for connections that a fault broke";
                let status = value.parse().ok();
                let status = status.filter(|status| matches!(status, 0 | 100..=599));
                self.status = Some(status.ok_or_else(|| wrong(name, value, expected))?);
            }
            "code" => {
                let known = Code::ALL.map(|code| code.number().to_string());
                let code = Code::ALL.into_iter().find(|code| code.number().to_string() == value);
                let expected = format!("one of {}", known.join(", "));
                self.code = Some(code.ok_or_else(|| wrong(name, value, &expected))?);
            }
            "operation" => {
                let ids = ENDPOINTS.iter().map(|row| row.operation.id());
                let row = ENDPOINTS.iter().find(|row| row.operation.id() == value);
                let row = row.ok_or_else(|| Failure::bad(no_word("operation", value, ids)))?;
                self.operation = Some(row.operation);
            }
            "reason" => self.reason = Some(value.to_owned()),
            "text" => self.text = Some(value.to_owned()),
            "request_id" => self.request_id = Some(value.to_owned()),
            "since" => {
                let expected = "a time such as 2026-10-20T09:00:00Z";
                let since: Result<jiff::Timestamp, _> = value.parse();
                self.since = Some(since.map_err(|_| wrong(name, value, expected))?.into());
            }
            "unmatched" => {
                let unmatched = value.parse();
                self.unmatched = unmatched.map_err(|_| wrong(name, value, "true or false"))?;
            }
            _ => self.of.set(name, value)?,
        }
        Ok(())
    }
}

/// Which findings a verdict leaves out.
#[derive(Default)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema), schemars(inline))]
pub(super) struct VerdictFilter {
    /// Leaves out the findings of these rules.
    #[cfg_attr(feature = "docs", schemars(length(min = 1)))]
    pub(super) mute: Vec<Rule>,
}

impl Parameters for VerdictFilter {
    const NAMES: &'static [&'static str] = &["mute"];

    fn set(&mut self, _: &str, value: &str) -> Result<(), Failure> {
        for rule in value.split(',') {
            let rule: Result<_, RuleError> = rule.parse();
            self.mute.push(rule.map_err(|error| Failure::bad(error.to_string()))?);
        }
        Ok(())
    }
}

/// The largest body, in bytes.
pub(crate) const MOST_BODY: usize = 8 << 20;

/// The most memory that a body takes in addition to its own bytes: the buffers of its connection, and
/// what the allocator leaves unused.
const MOST_BESIDE: usize = 1 << 20;

/// A body that has arrived, with its part of the memory budget.
struct WholeBody {
    bytes: Vec<u8>,
    _memory: Reservation,
}

/// What every operation needs to read bodies.
#[derive(Clone)]
pub(super) struct BodyReader {
    pub(super) sandboxes: Arc<Sandboxes>,
    pub(super) timeout: Duration,
}

/// Reads the whole body before an operation runs, so that all operations refuse the same bodies. The
/// connection discards the rest of a body that is not read here, or closes.
pub(super) async fn read_body(
    State(reader): State<BodyReader>,
    request: Request,
    next: Next,
) -> Result<Response, Failure> {
    let (mut head, body) = request.into_parts();
    let read = tokio::time::timeout(reader.timeout, WholeBody::read(body, &reader.sandboxes)).await;
    let read = read.map_err(|_| {
        Failure::new(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time")
    })?;
    head.extensions.insert(Arc::new(read?));
    Ok(next.run(Request::from_parts(head, axum::body::Body::empty())).await)
}

impl WholeBody {
    async fn read(mut body: axum::body::Body, sandboxes: &Arc<Sandboxes>) -> Result<Self, Failure> {
        let too_large = || {
            let message = format!("the body has more than {MOST_BODY} bytes");
            Failure::new(StatusCode::PAYLOAD_TOO_LARGE, message)
        };
        let length = body.size_hint();
        if length.lower() > MOST_BODY as u64 {
            return Err(too_large());
        }
        let capacity = length.upper().and_then(|bytes| usize::try_from(bytes).ok());
        let mut memory = sandboxes.memory.reservation(Purpose::RequestBody);
        // The whole capacity is allocated at once, because the system provides memory only when it is
        // written to. A growing buffer would be copied instead, and would fragment the memory.
        let mut bytes = Vec::with_capacity(capacity.unwrap_or(MOST_BODY));
        while let Some(frame) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await
        {
            let frame = frame.map_err(|_| Failure::bad("the body ended too early"))?;
            let Ok(data) = frame.into_data() else { continue };
            let length = bytes.len() + data.len();
            if length > MOST_BODY {
                return Err(too_large());
            }
            if let Err(full) = memory.cover(length + length.min(MOST_BESIDE)) {
                let sandboxes = Arc::clone(sandboxes);
                let refused = move || Failure::budget_full(&sandboxes, &full);
                return Err(on_blocking_thread(refused).await.unwrap_or_else(|bug| bug));
            }
            bytes.extend_from_slice(&data);
        }
        Ok(Self { bytes, _memory: memory })
    }
}

/// The body of a request.
pub(super) struct Body<T>(pub(super) T);

/// A document that a body holds.
pub(super) trait FromBody: Sized + Send + 'static {
    /// Reads the whole document. The failure lists every mistake.
    fn read(sandboxes: &Sandboxes, body: &[u8]) -> Result<Self, Failure>;
}

impl<T: FromBody> FromRequest<Arc<Sandboxes>> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, sandboxes: &Arc<Sandboxes>) -> Result<Self, Failure> {
        let body: Option<&Arc<WholeBody>> = request.extensions().get();
        let body = Arc::clone(body.expect("`read_body` has read it"));
        let sandboxes = Arc::clone(sandboxes);
        on_blocking_thread(move || T::read(&sandboxes, &body.bytes)).await?.map(Self)
    }
}

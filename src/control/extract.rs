//! The extractors of handlers: ids in the path, the query, the body. Each refuses a mistake as a
//! [`Failure`]. axum's `Path` and `Query` would decode escapes and plus signs and refuse in serde's words;
//! ours take a text as it was sent and suggest the nearest right word.

use std::sync::Arc;
use std::time::SystemTime;

use axum::body::{Bytes, HttpBody};
use axum::extract::rejection::{BytesRejection, FailedToBufferBody};
use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;
use percent_encoding::percent_decode_str;

use super::{Failure, Shared, on_blocking_thread};
use crate::keys::SandboxId;
use crate::sandbox::Sandboxes;
use crate::sandbox::verdict::{Rule, RuleError};
use crate::suggest::{nearest, quoted};

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
            Failure::bad(format!("{id} names no sandbox: 1 to 64 of A-Z a-z 0-9 . _ -"))
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
            if !T::NAMES.contains(&name) {
                return Err(unknown(name, T::NAMES));
            }
            let value = percent_decode_str(value).decode_utf8_lossy();
            parameters.set(name, &value)?;
        }
        Ok(Self(parameters))
    }
}

/// The failure of a parameter that is not what it must be.
fn wrong(name: &str, value: &str, expected: &str) -> Failure {
    Failure::bad(format!("{name} must be {expected}, got {}", quoted(value)))
}

fn unknown(name: &str, known: &[&str]) -> Failure {
    let hint = match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("one of {}", known.join(", ")),
    };
    Failure::bad(format!("no parameter {}; {hint}", quoted(name)))
}

/// Which requests are meant.
#[derive(Default)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema), schemars(inline))]
pub(super) struct SandboxFilter {
    /// Only what is of this sandbox.
    #[cfg_attr(feature = "docs", schemars(with = "SandboxId"))]
    pub(super) sandbox: Option<SandboxId>,
}

impl Parameters for SandboxFilter {
    const NAMES: &'static [&'static str] = &["sandbox"];

    fn set(&mut self, name: &str, value: &str) -> Result<(), Failure> {
        let expected = "the id of a sandbox, 1 to 64 of A-Z a-z 0-9 . _ -";
        let id = SandboxId::new(value).ok_or_else(|| wrong(name, value, expected))?;
        self.sandbox = Some(id);
        Ok(())
    }
}

/// Which requests are listed.
#[derive(Default)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema), schemars(inline))]
pub(super) struct ListFilter {
    /// So many at most.
    #[cfg_attr(feature = "docs", schemars(with = "usize"))]
    pub(super) limit: Option<usize>,
    /// Only those that came after this time.
    #[cfg_attr(feature = "docs", schemars(with = "String", extend("format" = "date-time")))]
    pub(super) since: Option<SystemTime>,
    /// Only those that found no endpoint.
    pub(super) unmatched: bool,
    #[cfg_attr(feature = "docs", schemars(flatten))]
    pub(super) of: SandboxFilter,
}

impl Parameters for ListFilter {
    const NAMES: &'static [&'static str] = &["limit", "since", "unmatched", "sandbox"];

    fn set(&mut self, name: &str, value: &str) -> Result<(), Failure> {
        match name {
            "limit" => {
                let limit = value.parse().map_err(|_| wrong(name, value, "a whole number"))?;
                self.limit = Some(limit);
            }
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

/// Reads the whole body before an operation runs, so that all operations refuse the same bodies. The
/// connection discards the rest of a body that is not read here, or closes.
pub(super) async fn read_body(
    State(sandboxes): Shared,
    request: Request,
    next: Next,
) -> Result<Response, Failure> {
    let (head, body) = request.into_parts();
    let too_large = || {
        let message = format!("the body has more than {MOST_BODY} bytes");
        Failure::new(StatusCode::PAYLOAD_TOO_LARGE, message)
    };
    if body.size_hint().lower() > MOST_BODY as u64 {
        return Err(too_large());
    }
    let read = Bytes::from_request(Request::from_parts(head.clone(), body), &());
    let read = tokio::time::timeout(sandboxes.config.limits.head_timeout, read).await;
    let read = read
        .map_err(|_| Failure::new(StatusCode::REQUEST_TIMEOUT, "the body did not come in time"))?;
    let body = read.map_err(|error| match error {
        BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => too_large(),
        _ => Failure::bad("the body ends too early"),
    })?;
    Ok(next.run(Request::from_parts(head, body.into())).await)
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
        let body = Bytes::from_request(request, sandboxes).await;
        let body = body.expect("`read_body` has read it, within the same limit");
        let sandboxes = Arc::clone(sandboxes);
        on_blocking_thread(move || T::read(&sandboxes, &body)).await?.map(Self)
    }
}

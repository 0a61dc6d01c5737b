//! Every refusal of the vendor's API, and the one function that builds the response.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use thiserror::Error;

use super::auth::AuthHeaderError;
use super::message::MessageError;
use super::response::{REASON_HEADER, ResponseMeta, respond};
use crate::contract::Field::{ConversationId, EndTime, Page, StartTime};
use crate::contract::{
    self, ALLOW, COMMON_ERRORS, Code, ENDPOINTS, Endpoint, ErrorStatus, Param, Readings, SCHEME,
};
use crate::redact::Redactor;
use crate::report::counted;
use crate::sandbox::RateLimit;
use crate::target::split_sandbox;

/// Why a request is refused. Its text, in visible ASCII, is the reason: what was wrong, and what would
/// be right. No variant holds a key.
#[derive(Clone, Debug, Error)]
pub(crate) enum Refusal {
    /// The path is the whole one, with the prefix that names a sandbox.
    #[error("{}", no_endpoint(path, method))]
    NotFound { path: String, method: String },
    #[error("the method must be {}, got {}{}", contract::allowed_methods(), quote(.0), right_method(.0))]
    MethodNotAllowed(String),
    #[error(transparent)]
    AuthHeader(#[from] AuthHeaderError),
    #[error("unknown API key")]
    UnknownKey,
    /// The next request is admitted after `wait` seconds.
    #[error(
        "the rate limit of this API key is {} per {} s; retry in {wait} s",
        counted(limit.requests.into(), "request"), limit.seconds
    )]
    RateLimited { limit: RateLimit, wait: u64 },
    #[error("the API key belongs to agent {}, which was deleted", quote(agent))]
    AgentDeleted { agent: String },
    #[error("{} is missing; it must be {}", .0.field.name(), .0.kind.expected())]
    MissingParam(&'static Param),
    #[error("{} is given twice; send it once", .0.field.name())]
    RepeatedParam(&'static Param),
    /// The value is as it was sent, still encoded.
    #[error("{} must be percent-encoded UTF-8, got {}", .0.field.name(), quote(.1))]
    ParamNotUtf8(&'static Param, String),
    #[error("{} must be {}, got {}", .0.field.name(), .0.kind.expected(), quote(.1))]
    WrongParam(&'static Param, String),
    #[error("{} must not be after {}, got {start} and {end}", StartTime.name(), EndTime.name())]
    WindowEndsBeforeStart { start: i64, end: i64 },
    #[error(
        "the agent of this API key has no conversation with {} {}",
        ConversationId.name(), quote(id)
    )]
    NoConversation { id: String },
    #[error("{} {page} does not exist; {}", Page.name(), describe_pages(*last, *total))]
    PagePastEnd { page: u64, last: u64, total: u64 },
    #[error("the emulator has a bug; its log has the details")]
    Panicked,
    /// The memory budget has no room for the sandbox. The text says which sandboxes use it.
    #[error("{0}")]
    MemoryFull(String),
    /// RFC 9112 forbids it.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// A fault answers with a code.
    #[error("injected by fault {id}")]
    Fault { code: Code, id: String },
}

impl Refusal {
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::NotFound { .. } => Code::NotFound,
            Self::MethodNotAllowed(_) => Code::MethodNotAllowed,
            Self::AuthHeader(_) | Self::UnknownKey => Code::AuthenticationFailed,
            Self::RateLimited { .. } => Code::RateLimited,
            Self::AgentDeleted { .. } => Code::AgentDeleted,
            Self::MissingParam(_)
            | Self::RepeatedParam(_)
            | Self::ParamNotUtf8(..)
            | Self::WrongParam(..)
            | Self::WindowEndsBeforeStart { .. } => Code::InvalidParameter,
            Self::NoConversation { .. } => Code::ConversationMissing,
            Self::PagePastEnd { .. } => Code::PageExceedsTotal,
            Self::Panicked | Self::MemoryFull(_) => Code::Internal,
            Self::Message(MessageError::UnknownCoding(_)) => Code::NotImplemented,
            Self::Message(_) => Code::BadRequest,
            Self::Fault { code, .. } => *code,
        }
    }

    /// The response, in the words of an endpoint and under the readings; without an endpoint, in the
    /// words that all endpoints share. `advice` is appended to the reason. `redactor` hides the secrets
    /// of the request in everything that the reason quotes.
    pub(crate) fn response(
        &self,
        words: Option<(&Endpoint, &Readings)>,
        advice: Option<&str>,
        redactor: &Redactor,
    ) -> Response {
        let code = self.code();
        let (endpoint, readings) = words.unzip();
        let row = match endpoint {
            Some(endpoint) => endpoint.error(code),
            None => COMMON_ERRORS.iter().find(|row| row.code == code),
        };
        let readings = readings.copied().unwrap_or_default();
        let message = row.expect("there are words for each code").message(readings.wording);
        let is_ok = readings.error_status == ErrorStatus::Ok && code.of_the_pages();
        let status = if is_ok { 200 } else { code.http_status() };
        let mut response = respond(Body::from(contract::failure(code, &message)));
        *response.status_mut() = StatusCode::from_u16(status).expect("the contract has statuses");
        add_challenge(&mut response);
        let headers = response.headers_mut();
        if code == Code::MethodNotAllowed {
            headers.insert(header::ALLOW, HeaderValue::from_static(ALLOW));
        }
        if let Self::RateLimited { wait, .. } = self {
            headers.insert(header::RETRY_AFTER, (*wait).into());
        }
        let mut reason = match self {
            // The name of an agent comes from the server, not from the request, so it is not redacted.
            Self::AgentDeleted { .. } => self.to_string(),
            _ => redactor.hide_visible(self.to_string()),
        };
        match advice {
            // This advice names only keys that are public.
            Some(advice) if matches!(self, Self::UnknownKey | Self::NoConversation { .. }) => {
                reason.push_str(advice);
            }
            Some(advice) => reason.push_str(&redactor.hide_visible(advice.to_owned())),
            None => {}
        }
        let reason = HeaderValue::try_from(reason).expect("a reason is visible ASCII");
        headers.insert(HeaderName::from_static(REASON_HEADER), reason.clone());
        ResponseMeta::of(&mut response).refused = Some((code, reason));
        response
    }
}

/// The response only carries the refusal, because extractors, handlers and fallbacks do not know the
/// endpoint's words. [`VendorApi`](super::VendorApi) replaces it by [`Refusal::response`].
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::empty());
        response.extensions_mut().insert(self);
        response
    }
}

/// `there are 2 pages (20 rows)`
fn describe_pages(last: u64, total: u64) -> String {
    let verb = if last == 1 { "is" } else { "are" };
    format!("there {verb} {} ({})", counted(last, "page"), counted(total, "row"))
}

/// Advice for a wrong method.
fn right_method(method: &str) -> String {
    match &*method.to_ascii_uppercase() {
        "POST" | "PUT" | "PATCH" | "DELETE" => {
            "; the parameters go in the query string, not in a body".to_owned()
        }
        right if contract::allows(right) => format!("; did you mean {right}?"),
        _ => String::new(),
    }
}

/// Why there is nothing at a path.
fn no_endpoint(whole: &str, method: &str) -> String {
    let path = match split_sandbox(whole) {
        Ok((Some(id), path)) if contract::endpoint(path).is_some() => {
            return format!(
                "the sandbox id in the path must not be an API key or the admin token, got {}",
                quote(id)
            );
        }
        Ok((_, path)) => path,
        Err(id) => {
            return format!(
                "the sandbox id in the path must be 1 to 64 of A-Z a-z 0-9 . _ - and not an API key, \
                 got {}",
                quote(id)
            );
        }
    };
    if let Some(unserved) = contract::unserved(path) {
        return unserved;
    }
    let paths: Vec<_> = ENDPOINTS.iter().map(|row| row.path).collect();
    let near = match contract::nearest_path(path) {
        Some(path_there) => {
            format!("the nearest is {}{path_there}", &whole[..whole.len() - path.len()])
        }
        None => format!("the endpoints are {}", paths.join(", ")),
    };
    let by = if contract::allows(method) {
        String::new()
    } else {
        format!("; the method must be {}", contract::allowed_methods())
    };
    format!("no endpoint at {}; {near}{by}", quote(whole))
}

/// Adds `WWW-Authenticate`, which every 401 must have (RFC 9110, 15.5.2).
pub(super) fn add_challenge(response: &mut Response) {
    if response.status() == StatusCode::UNAUTHORIZED {
        let scheme = HeaderValue::from_static(SCHEME);
        response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
    }
}

/// Bytes that a client sent, as visible ASCII, cut to 200 bytes: without quotes where they are
/// unambiguous, else in quotes.
pub(super) fn quote(bytes: impl AsRef<[u8]>) -> String {
    const MOST: usize = 200;
    // The redactor looks for truncated keys before these dots.
    const CUT: &str = "...\"";
    let bytes = bytes.as_ref();
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_./".contains(byte);
    if (1..=MOST).contains(&bytes.len()) && bytes.iter().all(plain) {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    let mut text = String::from("\"");
    for byte in bytes {
        let escaped = byte.escape_ascii();
        if text.len() + escaped.len() + CUT.len() > MOST {
            return text + CUT;
        }
        text.extend(escaped.map(char::from));
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use super::quote;

    #[test]
    fn what_a_client_sent_is_escaped_and_cut() {
        assert_eq!(quote(b"5"), "5");
        assert_eq!(quote(b"5 "), "\"5 \"");
        assert_eq!(quote(b""), "\"\"");
        assert_eq!(quote("é\r\n\""), r#""\xc3\xa9\r\n\"""#);
        let long = quote([0xff; 1000]);
        assert!(long.len() <= 200 && long.ends_with("...\""), "{long}");
    }
}

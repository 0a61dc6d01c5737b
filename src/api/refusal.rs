//! Every way to say no, and the one function that makes the answer of it.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;

use crate::contract::{
    self, ALLOW, COMMON_ERRORS, Code, ENDPOINTS, Endpoint, ErrorStatus, Field, Readings, SCHEME,
};
use crate::sandbox::faults::Fired;
use crate::sandbox::{RateLimit, Sandbox};

/// Why a request is refused.
#[derive(Debug)]
pub(crate) enum Refusal {
    NotFound {
        /// What stands before the path to name a sandbox: `/s/ID`.
        sandbox: String,
        path: String,
        method: String,
    },
    MethodNotAllowed {
        method: String,
    },
    /// A path that names no sandbox where it should.
    NotSandbox {
        id: String,
    },
    /// What is wrong with the key, without the key.
    Unauthenticated(String),
    RateLimited {
        limit: RateLimit,
        /// After how many seconds a request is admitted.
        retry_after: u64,
    },
    AgentDeleted {
        agent: String,
    },
    /// What is wrong, and what would be right.
    Parameter(String),
    NoConversation {
        conversation_id: String,
        /// Where it is, or where there are others.
        hint: String,
    },
    PagePastEnd {
        page: u64,
        last: u64,
        total: u64,
    },
    Panicked,
    /// What RFC 9112 forbids, and what would be right.
    BadRequest(String),
    /// A coding of the body that is not known.
    NotImplemented {
        encoding: Vec<u8>,
    },
    /// A fault answers with a code.
    Fault {
        code: Code,
        id: String,
    },
}

impl Refusal {
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::NotFound { .. } | Self::NotSandbox { .. } => Code::NotFound,
            Self::MethodNotAllowed { .. } => Code::MethodNotAllowed,
            Self::Unauthenticated(_) => Code::AuthenticationFailed,
            Self::RateLimited { .. } => Code::RateLimited,
            Self::AgentDeleted { .. } => Code::AgentDeleted,
            Self::Parameter(_) => Code::InvalidParameter,
            Self::NoConversation { .. } => Code::ConversationMissing,
            Self::PagePastEnd { .. } => Code::PageExceedsTotal,
            Self::Panicked => Code::Internal,
            Self::BadRequest(_) => Code::BadRequest,
            Self::NotImplemented { .. } => Code::NotImplemented,
            Self::Fault { code, .. } => *code,
        }
    }

    /// What `Retry-After` says, in seconds.
    fn retry_after(&self) -> Option<u64> {
        match self {
            Self::RateLimited { retry_after, .. } => Some(*retry_after),
            _ => None,
        }
    }
}

/// The reason, in visible ASCII: what was wrong, and what would be right.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound { sandbox, path, method } => {
                if let Some(unserved) = contract::unserved(path) {
                    return f.write_str(&unserved);
                }
                write!(f, "no endpoint at {}; ", quote(format!("{sandbox}{path}").as_bytes()))?;
                if let Some(nearest) = contract::nearest_path(path) {
                    write!(f, "the nearest is {sandbox}{nearest}")?;
                } else {
                    let paths: Vec<_> = ENDPOINTS.iter().map(|row| row.path).collect();
                    write!(f, "there are {}", paths.join(", "))?;
                }
                if contract::allows(method) { Ok(()) } else { write!(f, ", by {ALLOW}") }
            }
            Self::MethodNotAllowed { method } => {
                write!(f, "the method must be {ALLOW}, got {}", quote(method.as_bytes()))?;
                let upper = method.to_ascii_uppercase();
                match &*upper {
                    "POST" | "PUT" | "PATCH" | "DELETE" => {
                        f.write_str("; the parameters go in the query string, not in a body")
                    }
                    right if contract::allows(right) => write!(f, "; did you mean {right}?"),
                    _ => Ok(()),
                }
            }
            Self::NotSandbox { id } => {
                let id = quote(id.as_bytes());
                write!(f, "{id} names no sandbox: 1 to 64 of A-Z a-z 0-9 . _ -")
            }
            Self::RateLimited { limit: RateLimit { requests, seconds }, retry_after } => write!(
                f,
                "the key may make {requests} requests in {seconds} s; \
                 the next one in {retry_after} s"
            ),
            Self::AgentDeleted { agent } => {
                write!(f, "the key stands for agent {}, which was deleted", quote(agent.as_bytes()))
            }
            Self::Unauthenticated(reason) | Self::Parameter(reason) | Self::BadRequest(reason) => {
                f.write_str(reason)
            }
            Self::NotImplemented { encoding } => {
                write!(f, "Transfer-Encoding must be chunked, got {}", quote(encoding))
            }
            Self::NoConversation { conversation_id, hint } => write!(
                f,
                "the key's agent has no conversation with {} {}{hint}",
                Field::ConversationId.name(),
                quote(conversation_id.as_bytes())
            ),
            Self::PagePastEnd { page, last, total } => {
                let name = Field::Page.name();
                write!(f, "{name} must be 1 to {last} ({total} rows in all), got {page}")
            }
            Self::Panicked => f.write_str("a bug in the emulator; its log has the details"),
            Self::Fault { id, .. } => write!(f, "fault {id}"),
        }
    }
}

/// Says on a refusal what the body, which stays the vendor's, does not.
pub(crate) const REASON_HEADER: &str = "x-mock-reason";

/// What the server needs to know of an answer beside its bytes; rides on the response where there
/// is something to know.
#[derive(Clone, Default)]
pub(crate) struct Told {
    /// The code and the reason of a refusal.
    pub(crate) refused: Option<(Code, HeaderValue)>,
    /// The fault that struck the request.
    pub(crate) fault: Option<Fired>,
    /// The sandbox, which is in use as long as this is held, where it is not the default one.
    pub(crate) sandbox: Option<Arc<Sandbox>>,
}

impl Told {
    /// Whether a fault breaks the connection, so that nothing is answered.
    pub(crate) fn breaks(&self) -> bool {
        self.fault.as_ref().is_some_and(|fired| fired.fault.cut.is_some())
    }

    /// What is known of an answer.
    pub(crate) fn of(response: &mut Response) -> &mut Self {
        response.extensions_mut().get_or_insert_default()
    }
}

/// The answer to a refused request, in the endpoint's own words.
pub(crate) fn refuse(
    refusal: &Refusal,
    endpoint: Option<&Endpoint>,
    readings: &Readings,
) -> Response {
    let code = refusal.code();
    let row = match endpoint {
        Some(endpoint) => endpoint.error(code),
        None => COMMON_ERRORS.iter().find(|row| row.code == code),
    };
    let message = row.map_or(Cow::Borrowed(""), |row| row.message(readings.wording));
    let mut response = super::respond(Body::from(contract::failure(code, &message)));
    let ok = readings.error_status == ErrorStatus::Ok && code.of_the_pages();
    if !ok {
        *response.status_mut() =
            StatusCode::from_u16(code.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    }
    add_challenge(&mut response);
    let headers = response.headers_mut();
    if code == Code::MethodNotAllowed {
        headers.insert(header::ALLOW, HeaderValue::from_static(ALLOW));
    }
    if let Some(seconds) = refusal.retry_after() {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    let reason = HeaderValue::try_from(refusal.to_string())
        .unwrap_or_else(|_| HeaderValue::from_static("unprintable"));
    headers.insert(HeaderName::from_static(REASON_HEADER), reason.clone());
    Told::of(&mut response).refused = Some((code, reason));
    response
}

/// Names the scheme of the key on a 401, which must have it (RFC 9110, 15.5.2).
pub(super) fn add_challenge(response: &mut Response) {
    if response.status() == StatusCode::UNAUTHORIZED {
        let scheme = HeaderValue::from_static(SCHEME);
        response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
    }
}

/// Bytes of a client's, as visible ASCII, cut to 200 bytes: bare where nothing can be mistaken,
/// else in quotes.
pub(super) fn quote(bytes: &[u8]) -> String {
    const MOST: usize = 200;
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_./".contains(byte);
    if (1..=MOST).contains(&bytes.len()) && bytes.iter().all(plain) {
        return String::from_utf8_lossy(bytes).into_owned();
    }
    let mut text = String::from("\"");
    for byte in bytes {
        let escaped = byte.escape_ascii();
        if text.len() + escaped.len() + "...\"".len() > MOST {
            text.push_str("...");
            break;
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
        assert_eq!(quote("é\r\n\"".as_bytes()), r#""\xc3\xa9\r\n\"""#);
        let long = quote(&[0xff; 1000]);
        assert!(long.len() <= 200 && long.ends_with("...\""), "{long}");
    }
}

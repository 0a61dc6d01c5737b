//! Every way to say no, and the one function that makes the answer of it.

use std::borrow::Cow;
use std::fmt;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;

use crate::contract::{
    self, ALLOW, COMMON_ERRORS, Code, ENDPOINTS, Endpoint, ErrorStatus, Field, Readings,
};

/// Why a request is refused.
#[derive(Debug)]
pub(crate) enum Refusal {
    NotFound {
        path: String,
    },
    MethodNotAllowed {
        method: String,
    },
    Unauthenticated(&'static str),
    AgentDeleted {
        agent: String,
    },
    /// What is wrong, and what would be right.
    Parameter(String),
    NoConversation {
        conversation_id: String,
    },
    PagePastEnd {
        page: u64,
        last: u64,
        total: u64,
    },
    Panicked,
}

impl Refusal {
    pub(crate) fn code(&self) -> Code {
        match self {
            Self::NotFound { .. } => Code::NotFound,
            Self::MethodNotAllowed { .. } => Code::MethodNotAllowed,
            Self::Unauthenticated(_) => Code::AuthenticationFailed,
            Self::AgentDeleted { .. } => Code::AgentDeleted,
            Self::Parameter(_) => Code::InvalidParameter,
            Self::NoConversation { .. } => Code::ConversationMissing,
            Self::PagePastEnd { .. } => Code::PageExceedsTotal,
            Self::Panicked => Code::Internal,
        }
    }
}

/// The reason, in visible ASCII: what was wrong, and what would be right.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound { path } => {
                let nearest = crate::nearest::nearest(path, ENDPOINTS.iter().map(|e| e.path));
                write!(f, "no endpoint at {}", quote(path.as_bytes()))?;
                nearest.map_or(Ok(()), |path| write!(f, "; the nearest is {path}"))
            }
            Self::MethodNotAllowed { method } => {
                write!(f, "the method must be {ALLOW}, got {}", quote(method.as_bytes()))
            }
            Self::Unauthenticated(reason) => f.write_str(reason),
            Self::AgentDeleted { agent } => {
                write!(f, "the key stands for agent {}, which was deleted", quote(agent.as_bytes()))
            }
            Self::Parameter(reason) => f.write_str(reason),
            Self::NoConversation { conversation_id } => write!(
                f,
                "the key's agent has no conversation with {} {}",
                Field::ConversationId.name(),
                quote(conversation_id.as_bytes())
            ),
            Self::PagePastEnd { page, last, total } => {
                let name = Field::Page.name();
                write!(f, "{name} must be 1 to {last} ({total} rows in all), got {page}")
            }
            Self::Panicked => f.write_str("a bug in the emulator; its log has the details"),
        }
    }
}

/// Says on a refusal what the body, which stays the vendor's, does not.
pub(crate) const REASON_HEADER: &str = "x-mock-reason";

/// What the access log needs of a refusal; rides on the response.
#[derive(Clone)]
pub(crate) struct Outcome {
    pub(crate) code: Code,
    pub(crate) reason: HeaderValue,
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
    let headers = response.headers_mut();
    if code == Code::MethodNotAllowed {
        headers.insert(header::ALLOW, HeaderValue::from_static(ALLOW));
    }
    let reason = HeaderValue::try_from(refusal.to_string())
        .unwrap_or_else(|_| HeaderValue::from_static("unprintable"));
    headers.insert(HeaderName::from_static(REASON_HEADER), reason.clone());
    response.extensions_mut().insert(Outcome { code, reason });
    response
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

//! The refusals of the control API.

use axum::Json;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::contract::SCHEME;
use crate::document::{DocumentError, Problem};

/// Why the control API refuses a request.
#[derive(Debug)]
pub(super) struct Failure {
    status: StatusCode,
    message: String,
    /// The methods that the path takes, of a 405.
    allow: Option<HeaderValue>,
    problems: Vec<Problem>,
}

/// Why a request was refused.
#[derive(Serialize)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema), schemars(rename = "Failure"))]
pub(crate) struct FailureBody {
    /// The HTTP status.
    code: u16,
    /// What is wrong.
    message: String,
    /// Every mistake of a document that is not right, by place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    problems: Vec<Problem>,
}

impl Failure {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), allow: None, problems: Vec::new() }
    }

    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    pub(super) fn not_allowed(allow: &str, method: &Method) -> Self {
        let message = format!("the method must be {allow}, got {method}");
        let allow = HeaderValue::try_from(allow).expect("methods are visible ASCII");
        Self { allow: Some(allow), ..Self::new(StatusCode::METHOD_NOT_ALLOWED, message) }
    }

    pub(super) fn bug() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "a bug in the emulator")
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let Self { status, message, allow, problems } = self;
        let shown = FailureBody { code: status.as_u16(), message, problems };
        let mut response = (status, Json(shown)).into_response();
        if let Some(allow) = allow {
            response.headers_mut().insert(header::ALLOW, allow);
        }
        if status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static(SCHEME);
            response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

impl From<DocumentError> for Failure {
    fn from(error: DocumentError) -> Self {
        let message = error.to_string();
        Self { problems: error.0.problems, ..Self::bad(message) }
    }
}

//! Why the control API refuses something, and how that is answered.
#![cfg_attr(not(feature = "docs"), allow(dead_code, reason = "documents alone say it all"))]

use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::Response;

use super::json as answer;
use crate::contract::SCHEME;
use crate::document::{DocumentError, Problem};
use crate::shape::{Object, Schemas, Shape, at_least, or_null, text, written};
use serde_json::Value;

/// A status of a failure.
pub(crate) struct FailureRow {
    pub(crate) status: u16,
    /// What documents name it by.
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    /// Whether every operation may be refused so; of the others, the routes say it.
    pub(crate) everywhere: bool,
    /// The header that comes with it, with what it says.
    pub(crate) header: Option<(&'static str, &'static str)>,
}

const fn row(status: u16, name: &'static str, everywhere: bool, about: &'static str) -> FailureRow {
    FailureRow { status, name, about, everywhere, header: None }
}

/// Every status of a failure.
pub(crate) const FAILURES: [FailureRow; 9] = [
    row(
        400,
        "BadRequest",
        true,
        "the path, the query or the body is not right, and nothing was changed; of a document, \
         `problems` lists every mistake",
    ),
    FailureRow {
        header: Some(("WWW-Authenticate", "the scheme, `Bearer`")),
        ..row(401, "Unauthorized", true, "there is an `--admin-token`, and it was not sent")
    },
    row(
        403,
        "Forbidden",
        true,
        "whoever asks is not on this machine, or calls it by a name that is not its own, or is a \
         web page of another origin",
    ),
    row(404, "NotFound", false, "there is no such thing, or no journal to tell of it"),
    FailureRow {
        header: Some(("Allow", "the methods that the path takes")),
        ..row(405, "MethodNotAllowed", true, "the path takes other methods")
    },
    row(408, "RequestTimeout", true, "the body did not come in time"),
    row(409, "Conflict", false, "it does not go with what the sandbox has"),
    row(413, "ContentTooLarge", true, "the body is too large"),
    row(500, "InternalServerError", false, "a bug in the emulator"),
];

/// Why the control API refuses something.
#[derive(Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    message: String,
    /// The methods that there are, of a 405.
    allow: Option<String>,
    problems: Vec<Problem>,
}

written! {
    /// Why a request was refused.
    struct FailureShown is "Failure" in "snake_case" {
        /// The HTTP status.
        code: u16,
        /// What is wrong.
        message: String,
        /// Every mistake of a document that is not right, by place.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        problems: Vec<Problem>,
    }
}

impl Shape for Problem {
    fn schema(schemas: &mut Schemas) -> Value {
        schemas.named("Problem", |_| {
            Object::new("A mistake in a document.")
                .key("file", "The document: `body`.", true, text())
                .key("line", "The line, from 1.", true, at_least(1))
                .key("column", "The character in the line, from 1.", true, at_least(1))
                .key("message", "What is wrong.", true, text())
                .key("help", "What would be right, where more can be said.", true, or_null(text()))
                .key("source", "The line, cut around the place where it is long.", true, text())
                .finish()
        })
    }
}

impl Failure {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), allow: None, problems: Vec::new() }
    }

    pub(crate) fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    pub(crate) fn not_allowed(allow: String, method: &Method) -> Self {
        let message = format!("the method must be {allow}, got {method}");
        Self { allow: Some(allow), ..Self::new(StatusCode::METHOD_NOT_ALLOWED, message) }
    }

    pub(crate) fn bug() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "a bug in the emulator")
    }

    pub(crate) fn response(self) -> Response {
        let Self { status, message, allow, problems } = self;
        let mut response = answer(&FailureShown { code: status.as_u16(), message, problems });
        *response.status_mut() = status;
        if let Some(allow) = allow.and_then(|allow| HeaderValue::try_from(allow).ok()) {
            response.headers_mut().insert(header::ALLOW, allow);
        }
        if status == StatusCode::UNAUTHORIZED {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(SCHEME));
        }
        response
    }

    /// The schema of its answers.
    pub(crate) fn schema(schemas: &mut Schemas) -> Value {
        FailureShown::schema(schemas)
    }
}

impl From<DocumentError> for Failure {
    fn from(error: DocumentError) -> Self {
        let message = error.to_string();
        Self { problems: error.problems, ..Self::bad(message) }
    }
}

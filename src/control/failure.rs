//! The error responses of the control API, in the format of `WireMock`: `{"errors": [{"code", "source":
//! {"pointer"}, "title", "detail"}]}`, with one entry for each mistake.

use axum::Json;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::api::MessageError;
use crate::contract::SCHEME;
use crate::document::{Diagnostics, DocumentError, Documents, Pointers, Severity};
use crate::memory::BudgetFull;
use crate::sandbox::Sandboxes;

/// Why the control API refuses a request.
#[derive(Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    /// The allowed methods, of a 405.
    allow: Option<HeaderValue>,
    mistakes: Vec<Mistake>,
}

/// One mistake.
#[derive(Debug)]
struct Mistake {
    title: String,
    pointer: Option<String>,
    detail: Option<String>,
}

/// Why a request was refused, in the format of `WireMock`.
#[derive(Serialize)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema), schemars(rename = "Failure"))]
pub(crate) struct FailureBody {
    /// All mistakes; mistakes in a body are ordered by their place.
    #[cfg_attr(feature = "docs", schemars(length(min = 1)))]
    errors: Vec<ErrorEntry>,
}

/// A mistake.
#[derive(Serialize)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema), schemars(rename = "Error"))]
struct ErrorEntry {
    /// The HTTP status.
    code: u16,
    /// Where the mistake is, if it is in a JSON body.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "docs", schemars(with = "ErrorSource"))]
    source: Option<ErrorSource>,
    /// What is wrong.
    title: String,
    /// Line and column in the body, the line itself, and how to correct it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "docs", schemars(with = "String"))]
    detail: Option<String>,
}

/// Where a mistake is.
#[derive(Serialize)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema))]
struct ErrorSource {
    /// A JSON pointer (RFC 6901) to the value, or to the object that contains it.
    pointer: String,
}

impl Failure {
    pub(super) fn new(status: StatusCode, title: impl Into<String>) -> Self {
        let mistake = Mistake { title: title.into(), pointer: None, detail: None };
        Self { status, allow: None, mistakes: vec![mistake] }
    }

    pub(super) fn bad(title: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, title)
    }

    pub(super) fn not_found(title: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, title)
    }

    pub(super) fn not_allowed(allow: &str, method: &Method) -> Self {
        let title = format!("the method must be {allow}, got {method}");
        let allow = HeaderValue::try_from(allow).expect("methods are visible ASCII");
        Self { allow: Some(allow), ..Self::new(StatusCode::METHOD_NOT_ALLOWED, title) }
    }

    /// The memory budget of the server is full.
    pub(super) fn budget_full(sandboxes: &Sandboxes, full: &BudgetFull) -> Self {
        Self::new(StatusCode::INSUFFICIENT_STORAGE, sandboxes.explain_full(full))
    }

    pub(super) fn bug() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "a bug in the emulator")
    }

    /// The refusal of a request that violates HTTP.
    pub(crate) fn of_message(error: &MessageError) -> Self {
        let status = match error {
            MessageError::UnknownCoding(_) => StatusCode::NOT_IMPLEMENTED,
            _ => StatusCode::BAD_REQUEST,
        };
        Self::new(status, error.to_string())
    }

    /// Every mistake of a body, which is the only one of `documents`. Warnings are left out, because they
    /// are no reason to refuse the body.
    pub(super) fn of_document(error: DocumentError, documents: &Documents) -> Self {
        let mut pointers = Pointers::new(&documents.text);
        let Diagnostics { problems, more } = error.0;
        let errors = problems.into_iter().filter(|one| one.severity == Severity::Error);
        let mistakes = errors.map(|problem| Mistake {
            pointer: Some(pointers.find(problem.at)),
            detail: Some(problem.to_string()),
            title: problem.message,
        });
        let mut failure = Self { mistakes: mistakes.collect(), ..Self::bad("") };
        if more.errors > 0 {
            let title = format!("{} more mistakes are not listed", more.errors);
            failure.mistakes.push(Mistake { title, pointer: None, detail: None });
        }
        failure
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let Self { status, allow, mistakes } = self;
        let errors = mistakes.into_iter().map(|Mistake { title, pointer, detail }| ErrorEntry {
            code: status.as_u16(),
            source: pointer.map(|pointer| ErrorSource { pointer }),
            title,
            detail,
        });
        let shown = FailureBody { errors: errors.collect() };
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

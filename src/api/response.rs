//! A response, and the data about it that the server needs.

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;

use crate::contract::{Code, MEDIA_TYPE};
use crate::sandbox::InUse;
use crate::sandbox::faults::InjectedFault;
use crate::sandbox::journal::EntryId;
use crate::sandbox::verdict::ServedPage;

/// The header that says why a request was refused. The body of such a response has only the vendor's message.
pub(crate) const REASON_HEADER: &str = "x-mock-reason";

/// Data about a response, stored in its extensions.
#[derive(Clone, Default)]
pub(crate) struct ResponseMeta {
    /// The page that the response contains.
    pub(crate) page: Option<ServedPage>,
    /// The code and the reason of an error.
    pub(crate) refused: Option<(Code, HeaderValue)>,
    /// The fault that was injected into the request.
    pub(crate) fault: Option<InjectedFault>,
    /// The sandbox, if it is not the default one. It counts as in use as long as this value lives.
    pub(crate) sandbox: Option<InUse>,
    /// The journal entry of the request, if there is one.
    pub(crate) entry: Option<EntryId>,
}

impl ResponseMeta {
    pub(crate) fn of(response: &mut Response) -> &mut Self {
        response.extensions_mut().get_or_insert_default()
    }

    /// Whether a fault breaks the connection, so that no complete response is sent.
    pub(crate) fn breaks(&self) -> bool {
        self.fault.as_ref().is_some_and(|injected| injected.fault.connection.is_some())
    }
}

/// A 200 with JSON.
pub(crate) fn respond(json: impl Into<Body>) -> Response {
    let mut response = Response::new(json.into());
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    response
}

//! A response, and what the server needs to know of it beside its bytes.

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;

use crate::contract::{Code, MEDIA_TYPE};
use crate::sandbox::InUse;
use crate::sandbox::faults::InjectedFault;
use crate::sandbox::journal::EntryId;
use crate::sandbox::verdict::ServedPage;

/// Says on a refusal what the body, which stays the vendor's, does not.
pub(crate) const REASON_HEADER: &str = "x-mock-reason";

/// What is known of a response beside its bytes, among its extensions.
#[derive(Clone, Default)]
pub(crate) struct ResponseMeta {
    /// The page that is answered.
    pub(crate) page: Option<ServedPage>,
    /// The code and the reason of a refusal.
    pub(crate) refused: Option<(Code, HeaderValue)>,
    /// The fault that struck the request.
    pub(crate) fault: Option<InjectedFault>,
    /// The sandbox, which is in use as long as this is held, where it is not the default one.
    pub(crate) sandbox: Option<InUse>,
    /// Where the journal has the request, if it has.
    pub(crate) entry: Option<EntryId>,
}

impl ResponseMeta {
    pub(crate) fn of(response: &mut Response) -> &mut Self {
        response.extensions_mut().get_or_insert_default()
    }

    /// Whether a fault breaks the connection, so that nothing is answered.
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

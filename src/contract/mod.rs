//! The vendor's API as data: **the only place** that defines a path, a parameter, a limit, an enum
//! value, a code or a message of the vendor.
//!
//! The router, the checks of queries, the responses, the reference pages and the limit tests are
//! built from these tables. Each row has its [`Source`].
//!
//! ```
//! use gptbots_mock::contract::{self, Field, Kind};
//!
//! let endpoint = contract::endpoint("/v1/message/qa/record/page").unwrap();
//! let page_size = endpoint.param(Field::PageSize).unwrap();
//! assert!(matches!(page_size.kind, Kind::Integer { min: 10, max: 100 }));
//! ```

mod answers;
mod endpoints;
mod errors;
mod hosts;
mod params;
mod readings;
mod statements;
mod unserved;
mod values;
mod wrong_path;

pub use answers::{
    Answer, CONTENT_CLOSE, CONTENT_OPEN, ConversationField, JsonType, Key, LIST, MESSAGES,
    MESSAGES_V2, MessageField, MessageV2Field, QA_RECORDS, QaField, RowField, TOTAL,
};
pub(crate) use answers::{Keys, TotalPlace};
pub(crate) use endpoints::operation_of;
pub use endpoints::{ENDPOINTS, Endpoint, Example, LIST_ALL_QUERY, Operation, endpoint};
pub(crate) use errors::failure;
pub use errors::{COMMON_ERRORS, Code, ErrorRow};
pub use hosts::{HOSTS, Host};
pub use params::{Field, Kind, Param, Presence};
pub(crate) use params::{SECONDS, integer};
pub use readings::{
    AnonymousId, ErrorStatus, FeedbackAbsent, ListTotal, MessagesOrder, MessagesTotal, PagePastEnd,
    PageSize, QaOrder, QaTime, QaTotal, READINGS, Reading, ReadingError, ReadingId, ReadingRow,
    Readings, V2MessagesOrder, Wording,
};
#[cfg(feature = "docs")]
pub(crate) use statements::behaviours;
pub use statements::{SUBJECTS, Statement, StatementId, TableRow, statements};
pub use unserved::{UNSERVED_ENDPOINTS, UnservedEndpoint};
pub(crate) use values::MessageType;
pub use values::{CONVERSATION_TYPES, ConversationType, Feedback, FeedbackFilter, TypeFilter};
pub(crate) use wrong_path::{nearest_path, unserved};

/// The vendor's API as an `OpenAPI` 3.1 document, which `cargo xtask docs` generates from the tables.
#[must_use]
pub fn openapi() -> &'static str {
    include_str!("../../docs/openapi.json")
}

/// The HTTP methods of every endpoint, as in the `Allow` header of a 405.
pub const ALLOW: &str = "GET, HEAD";

/// The same in a sentence: `GET or HEAD`.
pub(crate) fn allowed_methods() -> String {
    ALLOW.replace(", ", " or ")
}

/// Whether every endpoint accepts this method.
pub(crate) fn allows(method: &str) -> bool {
    ALLOW.split(", ").any(|allowed| allowed == method)
}

/// The media type of every response.
pub const MEDIA_TYPE: &str = "application/json";

/// The authentication scheme. Letter case is ignored when it is compared.
pub const SCHEME: &str = "Bearer";

/// How certain a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// A page of the vendor's documentation says it.
    Documented,
    /// A public client only makes sense if the real service does it.
    Seen,
    /// Nobody outside the vendor knows.
    Assumed,
}

impl Status {
    /// The status in lower case, as in the reference pages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Documented => "documented",
            Self::Seen => "seen",
            Self::Assumed => "assumed",
        }
    }
}

/// Where a row comes from: its status, and the vendor's page (with its date) or the kind of client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// How certain it is.
    pub status: Status,
    /// The vendor's page and its date, or the reason for the assumption.
    pub from: &'static str,
}

const fn documented(from: &'static str) -> Source {
    Source { status: Status::Documented, from }
}

const fn seen(from: &'static str) -> Source {
    Source { status: Status::Seen, from }
}

const fn assumed(from: &'static str) -> Source {
    Source { status: Status::Assumed, from }
}

/// The sources of several rows.
mod source {
    use super::{Source, assumed, documented, seen};

    pub(super) const LIST: Source = documented("Get Conversation List, 2025-10-20");
    pub(super) const LIST_OLD: Source = documented("Get Conversation List, earlier version");
    pub(super) const LIST_NEW: Source = documented("Get Conversation List, newer version");
    pub(super) const MESSAGES: Source = documented("Get Conversation Detail, undated");
    pub(super) const MESSAGES_V2: Source = documented("Get Conversation Detail v2, newer version");
    pub(super) const QA: Source = documented("Get Q&A List, 2025-10-20");
    pub(super) const OVERVIEW: Source = documented("API Overview, newer version");
    pub(super) const SIBLINGS: Source = documented("other vendor docs of the same API");
    pub(super) const CLIENTS: Source = seen("public clients of the API");
    pub(super) const NONE: Source = assumed("no vendor doc says it");
}

//! What the vendor promises, as data: **the one place** where a path, a parameter, a limit, an
//! enum value, a code or a message of the vendor stands.
//!
//! The router, the checks of a query, the answers, the reference pages and the limit tests are
//! folded from these tables. Each row carries its [`Source`].
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
pub(crate) use wrong_path::{nearest_path, unserved, what_is_near};

/// The vendor's API as an `OpenAPI` 3.1 document, which `cargo xtask docs` makes of the tables.
#[must_use]
pub fn openapi() -> &'static str {
    include_str!("../../docs/openapi.json")
}

/// The HTTP methods of every endpoint, as the `Allow` header of a 405 spells them.
pub const ALLOW: &str = "GET, HEAD";

/// Whether every endpoint takes this method.
pub(crate) fn allows(method: &str) -> bool {
    ALLOW.split(", ").any(|allowed| allowed == method)
}

/// The media type of every answer.
pub const MEDIA_TYPE: &str = "application/json";

/// The authentication scheme, compared without regard to case.
pub const SCHEME: &str = "Bearer";

/// How well a row is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// A page of the vendor says it.
    Documented,
    /// A public client only makes sense if the real service does it.
    Seen,
    /// Nobody outside the vendor knows.
    Assumed,
}

impl Status {
    /// The status in lower case, as the reference pages print it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Documented => "documented",
            Self::Seen => "seen",
            Self::Assumed => "assumed",
        }
    }
}

/// Where a row comes from: its status, and the page (with its date) or the kind of client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// How well it is known.
    pub status: Status,
    /// The page and its date, or why it is believed.
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

/// The sources that several rows have.
mod source {
    use super::{Source, assumed, documented, seen};

    pub(super) const LIST: Source = documented("Get Conversation List, 2025-10-20");
    pub(super) const LIST_OLD: Source = documented("Get Conversation List, earlier version");
    pub(super) const LIST_NEW: Source = documented("Get Conversation List, newer version");
    pub(super) const MESSAGES: Source = documented("Get Conversation Detail, undated");
    pub(super) const MESSAGES_V2: Source = documented("Get Conversation Detail v2, newer version");
    pub(super) const QA: Source = documented("Get Q&A List, 2025-10-20");
    pub(super) const OVERVIEW: Source = documented("API Overview, newer version");
    pub(super) const SIBLINGS: Source = documented("sibling pages of the same API");
    pub(super) const CLIENTS: Source = seen("public clients of the API");
    pub(super) const NONE: Source = assumed("no page says it");
}

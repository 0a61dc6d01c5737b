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

#[cfg(feature = "docs")]
pub(crate) use answers::is_channel;
pub use answers::{
    Answer, ConversationField, JsonType, Key, MessageField, MessageV2Field, QaField,
};
#[cfg(feature = "cli")]
pub(crate) use answers::{BY_READING, words};
pub use answers::{
    CONTENT_CLOSE, CONTENT_OPEN, CONVERSATION, LIST, MESSAGE, MESSAGE_V2, MESSAGES, MESSAGES_V2,
    QA, QA_RECORDS, TOTAL,
};
pub(crate) use answers::{Keys, TotalPlace};
pub(crate) use endpoints::operation_of;
pub use endpoints::{ENDPOINTS, Endpoint, Example, LIST_ALL_QUERY, Operation, endpoint};
pub(crate) use errors::failure;
pub use errors::{COMMON_ERRORS, Code, ErrorRow};
pub use hosts::{HOSTS, Host};
pub use params::{Field, Kind, Param, Presence};
pub use readings::{
    AnonymousId, ErrorStatus, FeedbackAbsent, ListTotal, MessagesOrder, MessagesTotal, PagePastEnd,
    PageSize, QaOrder, QaTime, QaTotal, READINGS, Reading, ReadingError, ReadingRow, Readings,
    V2MessagesOrder, Wording,
};
#[cfg(feature = "docs")]
pub(crate) use statements::behaviours;
pub use statements::{SUBJECTS, Statement, statements};
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

/// The vendor's pages, as sources name them.
mod page {
    pub(super) const LIST: &str = "Get Conversation List, 2025-10-20";
    pub(super) const LIST_OLD: &str = "Get Conversation List, earlier version";
    pub(super) const LIST_NEW: &str = "Get Conversation List, newer version";
    pub(super) const MESSAGES: &str = "Get Conversation Detail, undated";
    pub(super) const MESSAGES_V2: &str = "Get Conversation Detail v2, newer version";
    pub(super) const QA: &str = "Get Q&A List, 2025-10-20";
    pub(super) const OVERVIEW: &str = "API Overview, newer version";
    pub(super) const SIBLINGS: &str = "sibling pages of the same API";
    pub(super) const CLIENTS: &str = "public clients of the API";
    pub(super) const NONE: &str = "no page says it";
}

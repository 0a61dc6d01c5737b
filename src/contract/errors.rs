//! The codes, their HTTP status, and the messages that are the same everywhere.

use super::{Source, Wording, assumed, documented, page};

/// The `code` of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// A parameter is missing, malformed, out of range or given twice.
    InvalidParameter,
    /// The page lies past the last one.
    PageExceedsTotal,
    /// No key, a malformed one or an unknown one.
    AuthenticationFailed,
    /// The key's agent has no such conversation.
    ConversationMissing,
    /// The key's agent was deleted.
    AgentDeleted,
    /// More requests than the key may make.
    RateLimited,
    /// The server failed.
    Internal,
    /// No such path.
    NotFound,
    /// Neither `GET` nor `HEAD`.
    MethodNotAllowed,
    /// The request is not HTTP as RFC 9112 wants it: its `Host`, or its body.
    BadRequest,
    /// A `Transfer-Encoding` that is not known.
    NotImplemented,
}

impl Code {
    /// Every code that an endpoint may answer.
    pub const ALL: [Self; 9] = [
        Self::InvalidParameter,
        Self::PageExceedsTotal,
        Self::AuthenticationFailed,
        Self::ConversationMissing,
        Self::AgentDeleted,
        Self::RateLimited,
        Self::Internal,
        Self::NotFound,
        Self::MethodNotAllowed,
    ];

    /// The codes of requests that are not HTTP as they should be. Such a request reaches no
    /// endpoint, whatever its path is.
    pub const OF_HTTP: [Self; 2] = [Self::BadRequest, Self::NotImplemented];

    /// The number on the wire.
    #[must_use]
    pub const fn number(self) -> u32 {
        match self {
            Self::InvalidParameter => 40000,
            Self::PageExceedsTotal => 40005,
            Self::AuthenticationFailed => 40127,
            Self::ConversationMissing => 40356,
            Self::AgentDeleted => 20059,
            Self::RateLimited => 40008,
            Self::Internal => 50000,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::BadRequest => 400,
            Self::NotImplemented => 501,
        }
    }

    /// Where every HTTP status comes from.
    pub(crate) const STATUS_SOURCE: Source = assumed(page::NONE);

    /// The HTTP status, under the reading `error-status=mapped`. Assumed for every code.
    #[must_use]
    pub const fn http_status(self) -> u16 {
        match self {
            Self::InvalidParameter
            | Self::PageExceedsTotal
            | Self::ConversationMissing
            | Self::AgentDeleted
            | Self::BadRequest => 400,
            Self::AuthenticationFailed => 401,
            Self::RateLimited => 429,
            Self::Internal => 500,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::NotImplemented => 501,
        }
    }

    /// Whether `error-status=ok` answers it as HTTP 200: the codes of the pages' own tables.
    #[must_use]
    pub const fn of_the_pages(self) -> bool {
        matches!(
            self,
            Self::InvalidParameter
                | Self::PageExceedsTotal
                | Self::AuthenticationFailed
                | Self::ConversationMissing
                | Self::AgentDeleted
        )
    }
}

/// A code in the words of one page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorRow {
    /// The code.
    pub code: Code,
    /// The `message`, byte for byte.
    pub message: &'static str,
    /// Where the message comes from.
    pub source: Source,
}

impl ErrorRow {
    /// Whether it is answered under a reading only.
    #[cfg(feature = "docs")]
    pub(crate) fn is_by_reading(&self) -> bool {
        *self == PAST_END_BY_READING
    }

    /// The message under a wording: `bot` says `Bot` for `Agent`, as the earlier pages do.
    pub(crate) fn message(&self, wording: Wording) -> std::borrow::Cow<'static, str> {
        match (self.code, wording) {
            (Code::AgentDeleted, Wording::Bot) => self.message.replacen("Agent", "Bot", 1).into(),
            _ => self.message.into(),
        }
    }
}

/// The body of a failure: exactly these two keys, in this order. No message needs escaping.
pub(crate) fn failure(code: Code, message: &str) -> String {
    format!(r#"{{"code":{},"message":"{message}"}}"#, code.number())
}

/// What `page-past-end=error` answers on the two lists, whose pages have no such row.
pub(super) const PAST_END_BY_READING: ErrorRow = ErrorRow {
    code: Code::PageExceedsTotal,
    message: "Page number exceeds total.",
    source: assumed("only under the reading page-past-end=error"),
};

/// Codes that every endpoint answers in the same words.
pub const COMMON_ERRORS: &[ErrorRow] = &[
    ErrorRow {
        code: Code::RateLimited,
        message: "Agent RPM request limit exceeded. \
                  Please contact the service provider to increase the limit.",
        source: documented(page::SIBLINGS),
    },
    ErrorRow {
        code: Code::Internal,
        message: "Internal system error",
        source: documented(page::SIBLINGS),
    },
    ErrorRow { code: Code::NotFound, message: "Not found", source: assumed(page::NONE) },
    ErrorRow {
        code: Code::MethodNotAllowed,
        message: "Method not allowed",
        source: assumed("the pages say only that it is an error"),
    },
    ErrorRow {
        code: Code::BadRequest,
        message: "Bad request",
        source: assumed("RFC 9112, 3.2 and 7.1"),
    },
    ErrorRow {
        code: Code::NotImplemented,
        message: "Not implemented",
        source: assumed("RFC 9112, 6.1"),
    },
];

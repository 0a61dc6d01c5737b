//! The codes, their HTTP status, and the messages that are the same everywhere.

use super::{ENDPOINTS, Source, Wording, assumed, source};

macro_rules! codes {
    ($(
        $(#[$group_doc:meta])* $group:ident: $count:literal {
            $($(#[$doc:meta])* $code:ident $number:literal $status:literal;)*
        }
    )*) => {
        /// The `code` of a failure.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $($($(#[$doc])* $code,)*)* }

        impl Code {
            $($(#[$group_doc])* pub const $group: [Self; $count] = [$(Self::$code),*];)*

            /// The number on the wire.
            #[must_use]
            pub const fn number(self) -> u32 {
                match self { $($(Self::$code => $number,)*)* }
            }

            /// The HTTP status, under the reading `error-status=mapped`. Assumed for every code.
            #[must_use]
            pub const fn http_status(self) -> u16 {
                match self { $($(Self::$code => $status,)*)* }
            }
        }
    };
}

// Each with its number and its HTTP status.
codes! {
    /// Every code that an endpoint may return.
    ALL: 9 {
        /// A parameter is missing, malformed, out of range or given twice.
        InvalidParameter 40000 400;
        /// The page is after the last one.
        PageExceedsTotal 40005 400;
        /// There is no key, or it is malformed or unknown.
        AuthenticationFailed 40127 401;
        /// The key's agent has no such conversation.
        ConversationMissing 40356 400;
        /// The key's agent was deleted.
        AgentDeleted 20059 400;
        /// The rate limit of the key was exceeded.
        RateLimited 40008 429;
        /// The server failed.
        Internal 50000 500;
        /// No such path.
        NotFound 404 404;
        /// The method is neither `GET` nor `HEAD`.
        MethodNotAllowed 405 405;
    }
    /// The codes of malformed HTTP requests. Such a request reaches no endpoint, whatever its path is.
    OF_HTTP: 2 {
        /// The request violates RFC 9112 by its `Host` or its body.
        BadRequest 400 400;
        /// The `Transfer-Encoding` is not known.
        NotImplemented 501 501;
    }
}

impl Code {
    /// Where every HTTP status comes from.
    pub(crate) const STATUS_SOURCE: Source = source::NONE;

    /// The code with this number, if an endpoint may return it.
    #[cfg(feature = "cli")]
    pub(crate) fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|code| i64::from(code.number()) == number)
    }

    /// Whether it has HTTP status 200 with `error-status=ok`: so have the codes in the tables of the vendor's
    /// pages.
    #[must_use]
    pub fn of_the_pages(self) -> bool {
        ENDPOINTS.iter().any(|endpoint| endpoint.errors.iter().any(|row| row.code == self))
    }
}

/// A code with the message of one of the vendor's pages.
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
    /// Whether it is returned only with a certain value of a reading.
    #[cfg(feature = "docs")]
    pub(crate) fn is_by_reading(&self) -> bool {
        *self == PAST_END_BY_READING
    }

    /// The message under a wording: `bot` replaces `Agent` by `Bot`, as in the earlier pages.
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

/// The error that `page-past-end=error` adds to the two lists, whose vendor docs do not have it.
pub(super) const PAST_END_BY_READING: ErrorRow = error(
    Code::PageExceedsTotal,
    "Page number exceeds total.",
    assumed("only with the reading page-past-end=error"),
);

/// Codes that have the same message at every endpoint.
pub const COMMON_ERRORS: &[ErrorRow] = &[
    error(
        Code::RateLimited,
        "Agent RPM request limit exceeded. \
         Please contact the service provider to increase the limit.",
        source::SIBLINGS,
    ),
    error(Code::Internal, "Internal system error", source::SIBLINGS),
    error(Code::NotFound, "Not found", source::NONE),
    error(
        Code::MethodNotAllowed,
        "Method not allowed",
        assumed("the vendor docs say only that it is an error"),
    ),
    error(Code::BadRequest, "Bad request", assumed("RFC 9112, 3.2 and 7.1")),
    error(Code::NotImplemented, "Not implemented", assumed("RFC 9112, 6.1")),
];

pub(super) const fn error(code: Code, message: &'static str, source: Source) -> ErrorRow {
    ErrorRow { code, message, source }
}

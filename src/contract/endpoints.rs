//! One row per endpoint: its path, its parameters in the order of their checks, its errors, and its
//! source.

use super::errors::{PAST_END_BY_READING, error};
use super::{
    Answer, COMMON_ERRORS, Code, ErrorRow, Field, Kind, LIST, MESSAGES, MESSAGES_V2, Param,
    Presence, QA_RECORDS, Source, Status, assumed, source,
};
use crate::suggest::unknown;

/// What an endpoint does. Each operation has its handler in `api/handlers`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each is described by its row")]
pub enum Operation {
    ConversationList,
    Messages,
    MessagesV2,
    QaRecords,
}

impl Operation {
    /// The number of operations.
    pub(crate) const COUNT: usize = 4;

    /// The row that describes it.
    #[must_use]
    pub const fn endpoint(self) -> &'static Endpoint {
        // The rows are in the order of the operations; a test checks that.
        &ENDPOINTS[self as usize]
    }

    /// Its id: `conversations`, `messages`, `messages-v2` or `qa`.
    #[must_use]
    pub fn id(self) -> &'static str {
        self.endpoint().id
    }
}

/// The operation with this id.
pub(crate) fn operation_of(word: &str) -> Result<Operation, String> {
    let endpoint = ENDPOINTS.iter().find(|endpoint| endpoint.id == word);
    endpoint
        .map(|endpoint| endpoint.operation)
        .ok_or_else(|| unknown("operation", word, ENDPOINTS.iter().map(|endpoint| endpoint.id)))
}

/// An endpoint of the vendor, always `GET`.
#[derive(Clone, Copy, Debug)]
pub struct Endpoint {
    /// What it does.
    pub operation: Operation,
    /// The id of the operation in settings: `messages-v2`.
    pub id: &'static str,
    /// A short name, for reference pages and tests.
    pub name: &'static str,
    /// The path, compared exactly.
    pub path: &'static str,
    /// What its response contains, in a few words.
    pub about: &'static str,
    /// The vendor's page that describes it.
    pub source: Source,
    /// Its parameters, in the order in which they are checked.
    pub params: &'static [Param],
    /// The shape of its response.
    pub answer: Answer,
    /// Its own errors, with the messages of the vendor's page.
    pub errors: &'static [ErrorRow],
    /// The example of the vendor's page.
    pub example: Example,
}

/// The example of a vendor's page: its query, and the query that returns the rows of the example.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// The query of the vendor's page.
    pub query: &'static str,
    /// The query that returns the rows of the example from the built-in records.
    pub shown_by: &'static str,
    /// Which part of that response is from the vendor's page.
    pub about: &'static str,
}

impl Endpoint {
    /// The row of one of its parameters.
    #[must_use]
    pub fn param(&self, field: Field) -> Option<&'static Param> {
        self.params.iter().find(|param| param.field == field)
    }

    /// Whether a page of the vendor lists this code for the endpoint.
    pub(crate) fn documents(&self, code: Code) -> bool {
        self.error(code).is_some_and(|row| row.source.status == Status::Documented)
    }

    /// A code with this endpoint's message.
    pub(crate) fn error(&self, code: Code) -> Option<&'static ErrorRow> {
        self.errors.iter().chain(COMMON_ERRORS).find(|row| row.code == code)
    }
}

/// The endpoint at a path, which is compared exactly.
#[must_use]
pub fn endpoint(path: &str) -> Option<&'static Endpoint> {
    ENDPOINTS.iter().find(|endpoint| endpoint.path == path)
}

/// Every endpoint of the vendor that the emulator serves.
pub const ENDPOINTS: &[Endpoint] = &[CONVERSATION_LIST, MESSAGES_V1_ROW, MESSAGES_V2_ROW, QA_LIST];

const CONVERSATION_LIST: Endpoint = Endpoint {
    operation: Operation::ConversationList,
    id: "conversations",
    name: "conversation list",
    path: "/v1/bot/conversation/page",
    about: "the conversations of a time window, newest first",
    source: source::LIST,
    params: &[
        required(
            Field::ConversationType,
            Kind::ConversationType,
            "channel; ALL means all channels",
            source::LIST_OLD,
        ),
        optional(Field::UserId, Kind::Text, "exact match", source::LIST),
        required(
            Field::StartTime,
            Kind::Millis,
            "earliest recent_chat_time, inclusive",
            source::LIST,
        ),
        required(Field::EndTime, Kind::Millis, "latest recent_chat_time, inclusive", source::LIST),
        required(Field::Page, FROM_ONE, "page number", source::LIST),
        required(Field::PageSize, UP_TO_100, "rows per page", source::LIST),
    ],
    answer: LIST,
    errors: &[
        error(Code::InvalidParameter, "Invalid parameter", source::LIST),
        error(Code::AuthenticationFailed, "Authentication failed.", assumed(NO_ROW)),
        error(Code::AgentDeleted, "Agent deleted", source::LIST),
        PAST_END_BY_READING,
    ],
    example: Example {
        query: "page=1&conversation_type=API&start_time=1691942400000&end_time=1699868066999\
                &page_size=50&user_id=1234567890",
        shown_by: "page=1&conversation_type=API&start_time=1691942400000\
                   &end_time=1699868066999&page_size=50",
        about: "the example of the vendor doc; the query omits its user_id, which neither row has",
    },
};

const MESSAGES_V1_ROW: Endpoint = Endpoint {
    operation: Operation::Messages,
    id: "messages",
    name: "v1 messages",
    path: "/v1/messages",
    about: "the messages of one conversation, oldest first",
    source: source::MESSAGES,
    params: &[
        required(
            Field::ConversationId,
            Kind::Text,
            "id of the conversation, exact match",
            source::MESSAGES,
        ),
        required(
            Field::Page,
            FROM_ONE,
            "page number",
            assumed("the vendor doc does not say where pages start; its example starts at 1"),
        ),
        required(
            Field::PageSize,
            UP_TO_100,
            "rows per page",
            assumed("the vendor doc says \"max 100\" and gives no lower bound"),
        ),
    ],
    answer: MESSAGES,
    errors: &[
        error(Code::InvalidParameter, "Invalid parameter.", source::MESSAGES),
        error(Code::PageExceedsTotal, "Page number exceeds total.", source::MESSAGES),
        error(Code::AuthenticationFailed, "Authentication failed.", source::MESSAGES),
        error(Code::ConversationMissing, "Conversation does not exist.", source::MESSAGES),
        error(Code::AgentDeleted, "Agent deleted", source::MESSAGES),
    ],
    example: Example {
        query: "conversation_id=xxxxxx&user_id=123456&page=1&page_size=100",
        shown_by: "conversation_id=xxxxxx&page=1&page_size=3",
        about: "the example of the vendor doc: the first three of a hundred messages",
    },
};

const MESSAGES_V2_ROW: Endpoint = Endpoint {
    operation: Operation::MessagesV2,
    id: "messages-v2",
    name: "v2 messages",
    path: "/v2/messages",
    about: "the messages of one conversation, newest first",
    source: source::MESSAGES_V2,
    params: &[
        required(
            Field::ConversationId,
            Kind::Text,
            "id of the conversation, exact match",
            source::MESSAGES_V2,
        ),
        required(Field::Page, FROM_ONE, "page number", assumed(AS_V1)),
        required(Field::PageSize, UP_TO_100, "rows per page", assumed(AS_V1)),
    ],
    answer: MESSAGES_V2,
    errors: &[
        error(Code::InvalidParameter, "Invalid parameters", source::MESSAGES_V2),
        error(
            Code::PageExceedsTotal,
            "Pagination parameter exceeds actual count",
            source::MESSAGES_V2,
        ),
        error(Code::AuthenticationFailed, "Developer authentication failed", source::MESSAGES_V2),
        error(Code::ConversationMissing, "Conversation does not exist", source::MESSAGES_V2),
        error(Code::AgentDeleted, "Agent has been deleted", source::MESSAGES_V2),
    ],
    example: Example {
        query: "conversation_id=xxxxxx&user_id=123456&page=1&page_size=100",
        shown_by: "conversation_id=xxxxxx&page=50&page_size=2",
        about: "the first messages of the v1 example, in the shape of v2, newest first",
    },
};

const QA_LIST: Endpoint = Endpoint {
    operation: Operation::QaRecords,
    id: "qa",
    name: "Q&A list",
    path: "/v1/message/qa/record/page",
    about: "the questions of a time window with their answers, oldest first, without a total",
    source: source::QA,
    params: &[
        required(
            Field::UserFeedback,
            Kind::Feedback,
            "rating of the answer; ALL means all ratings",
            source::QA,
        ),
        required(
            Field::StartTime,
            Kind::Millis,
            "earliest time of the question, inclusive",
            source::QA,
        ),
        required(
            Field::EndTime,
            Kind::Millis,
            "latest time of the question, inclusive",
            source::QA,
        ),
        required(Field::Page, FROM_ONE, "page number", source::QA),
        required(Field::PageSize, Kind::Integer { min: 10, max: 100 }, "rows per page", source::QA),
    ],
    answer: QA_RECORDS,
    errors: &[
        error(Code::InvalidParameter, "Invalid parameter", assumed(NO_TABLE)),
        error(Code::AuthenticationFailed, "Authentication failed.", assumed(NO_TABLE)),
        error(Code::AgentDeleted, "Agent deleted", assumed(NO_TABLE)),
        PAST_END_BY_READING,
    ],
    example: Example {
        query: "page=1&page_size=10&start_time=1732982400000&end_time=1735660799999\
                &user_feedback=ALL",
        shown_by: "page=1&page_size=10&start_time=1699891200000&end_time=1699891214999\
                   &user_feedback=ALL",
        about: "the example of the vendor doc; ids and texts, which it hides, are the emulator's own",
    },
};

const FROM_ONE: Kind = Kind::Integer { min: 1, max: i64::MAX };
const UP_TO_100: Kind = Kind::Integer { min: 1, max: 100 };
const AS_V1: &str = "the same as in v1 messages";
const NO_ROW: &str = "the table of the vendor doc has no such row";
const NO_TABLE: &str = "the vendor doc has no table of errors";

const fn required(field: Field, kind: Kind, about: &'static str, source: Source) -> Param {
    Param { field, kind, presence: Presence::Required, about, source }
}

const fn optional(field: Field, kind: Kind, about: &'static str, source: Source) -> Param {
    Param { presence: Presence::Optional, ..required(field, kind, about, source) }
}

/// A query for all conversations, as a first request to try.
pub const LIST_ALL_QUERY: &str =
    "conversation_type=ALL&start_time=0&end_time=9999999999999&page=1&page_size=2";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_operation_finds_its_row() {
        assert_eq!(ENDPOINTS.len(), Operation::COUNT);
        for endpoint in ENDPOINTS {
            assert_eq!(endpoint.operation.endpoint().path, endpoint.path);
        }
    }
}

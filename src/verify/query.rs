//! The query of a request, with the parameters that the contract's tables list.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::response::{Page, text};
use crate::contract::{Field, Operation};

/// The end of a window that contains everything: the year 2286. Once the newest conversation is known,
/// [`Samples::window_end`](super::samples::Samples::window_end) is sent instead, so that records that
/// are added during the run do not change the responses.
pub(super) const FOREVER: &str = "9999999999999";

/// The id of a conversation that does not exist.
pub(super) const UNKNOWN_ID: &str = "ffffffffffffffffffffffff";

/// The id of a user who does not exist, unless a conversation has it ([`unknown_user`]).
const UNKNOWN_USER: &str = "nobody-has-this-id";

/// The id of a user that no row has.
pub(super) fn unknown_user(list: Option<&Page>) -> String {
    let mut id = UNKNOWN_USER.to_owned();
    while list.is_some_and(|list| list.rows().any(|row| text(row, "user_id") == Some(&id))) {
        id.push('-');
    }
    id
}

/// Whether an id can come from [`unknown_user`], so that it is not a value of a record.
pub(super) fn is_unknown_user(id: &str) -> bool {
    id.trim_end_matches('-') == UNKNOWN_USER
}

/// The parameters of a request to one endpoint.
pub(super) struct Query {
    pub(super) operation: Operation,
    pairs: Vec<(Field, String)>,
}

impl Query {
    /// A query for all records, with every parameter that the operation requires.
    pub(super) fn new(operation: Operation, conversation: &str, page: &str, size: &str) -> Self {
        let value = |field| match field {
            Field::ConversationType | Field::UserFeedback => Some("ALL"),
            Field::UserId => None,
            Field::StartTime => Some("0"),
            Field::EndTime => Some(FOREVER),
            Field::Page => Some(page),
            Field::PageSize => Some(size),
            Field::ConversationId => Some(conversation),
        };
        let params = operation.endpoint().params.iter();
        let pairs = params.filter_map(|it| Some((it.field, value(it.field)?.to_owned())));
        Self { operation, pairs: pairs.collect() }
    }

    /// The same query with this value of a parameter.
    pub(super) fn with(self, field: Field, value: impl Into<String>) -> Self {
        let mut query = self.without(field);
        query.pairs.push((field, value.into()));
        query
    }

    /// The same query without a parameter.
    pub(super) fn without(mut self, field: Field) -> Self {
        self.pairs.retain(|(other, _)| *other != field);
        self
    }

    /// The text after `?`. Everything except letters and digits is percent-encoded.
    pub(super) fn encode(&self) -> String {
        let encode = |(field, value): &(Field, String)| {
            format!("{}={}", field.name(), utf8_percent_encode(value, NON_ALPHANUMERIC))
        };
        self.pairs.iter().map(encode).collect::<Vec<_>>().join("&")
    }
}

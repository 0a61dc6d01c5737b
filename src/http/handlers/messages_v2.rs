//! `GET /v2/messages`: Get Conversation Detail, the version that public clients call today.

use super::messages::answer_with;
use crate::contract::{Endpoint, Readings, V2MessagesOrder};
use crate::http::query::Query;
use crate::http::refusal::Refusal;
use crate::rows::MessageForm;
use crate::store::Store;

pub(super) fn answer(
    endpoint: &Endpoint,
    store: &Store,
    query: &Query<'_>,
    readings: &Readings,
) -> Result<Vec<u8>, Refusal> {
    let reversed = readings.v2_messages_order == V2MessagesOrder::NewestFirst;
    answer_with(endpoint, store, query, readings, reversed, MessageForm::V2)
}

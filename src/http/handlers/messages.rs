//! `GET /v1/messages`: Get Conversation Detail.

use super::room;
use crate::contract::{Endpoint, MessagesOrder, MessagesTotal, Readings};
use crate::http::envelope::{self, Total};
use crate::http::page;
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
    let reversed = readings.messages_order == MessagesOrder::NewestFirst;
    answer_with(endpoint, store, query, readings, reversed, MessageForm::V1)
}

/// Both versions of the endpoint differ in the order and the shape of a message only.
pub(super) fn answer_with(
    endpoint: &Endpoint,
    store: &Store,
    query: &Query<'_>,
    readings: &Readings,
    reversed: bool,
    form: MessageForm,
) -> Result<Vec<u8>, Refusal> {
    let messages = store.messages(&query.conversation_id).ok_or_else(|| {
        Refusal::NoConversation { conversation_id: query.conversation_id.to_string() }
    })?;
    let total = messages.total();
    let slice = page::slice(endpoint, query, total, readings.page_past_end, reversed)?;
    let rows = slice.len(total);
    let total = match readings.messages_total {
        MessagesTotal::Number => Total::Number(total),
        MessagesTotal::String => Total::String(total),
    };
    Ok(envelope::envelope(&endpoint.answer, total, room(rows, 400), |out| {
        messages.write(slice, form, out);
    }))
}

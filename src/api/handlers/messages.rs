//! `GET /v1/messages`: Get Conversation Detail.

use super::capacity;
use crate::api::envelope::{self, Total};
use crate::api::{CheckedRequest, Page, Refusal};
use crate::contract::{MessagesOrder, MessagesTotal};
use crate::records::rows::MessageForm;
use crate::sandbox::hazard::{Order, Seen};

pub(super) fn answer(checked: &CheckedRequest) -> Result<Page, Refusal> {
    let reversed = checked.0.readings.messages_order == MessagesOrder::NewestFirst;
    answer_with(checked, reversed, MessageForm::V1)
}

/// Both versions of the endpoint differ in the order and the shape of a message only.
pub(super) fn answer_with(
    (view, query): &CheckedRequest,
    reversed: bool,
    form: MessageForm,
) -> Result<Page, Refusal> {
    let id = &query.conversation_id;
    let found = view.records.messages(id);
    let (conversation, count) = found.ok_or_else(|| Refusal::NoConversation { id: id.clone() })?;
    let order = Order { reversed, newest_first: reversed };
    let seen = view.page(query, count, order)?;
    let Seen { slice, rows, total, .. } = seen;
    let total = match view.readings.messages_total {
        MessagesTotal::Number => Total::Number(total),
        MessagesTotal::String => Total::String(total),
    };
    let json = envelope::envelope(&view.endpoint.answer, Some(total), capacity(rows, 400), |out| {
        view.records.write_messages(conversation, slice, form, out);
    });
    Ok(Page::new(json, view.endpoint, query, &seen, true, None))
}

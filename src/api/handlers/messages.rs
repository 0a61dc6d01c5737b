//! `GET /v1/messages`: Get Conversation Detail.

use super::room;
use crate::api::envelope::{self, Total};
use crate::api::hints;
use crate::api::page::{Page, View};
use crate::api::query::Query;
use crate::api::refusal::Refusal;
use crate::contract::{MessagesOrder, MessagesTotal};
use crate::records::rows::MessageForm;
use crate::records::store::Store;
use crate::sandbox::hazard::{Order, Seen};

pub(super) fn answer(view: &View<'_>, store: &Store, query: &Query<'_>) -> Result<Page, Refusal> {
    let reversed = view.readings.messages_order == MessagesOrder::NewestFirst;
    answer_with(view, store, query, reversed, MessageForm::V1)
}

/// Both versions of the endpoint differ in the order and the shape of a message only.
pub(super) fn answer_with(
    view: &View<'_>,
    store: &Store,
    query: &Query<'_>,
    reversed: bool,
    form: MessageForm,
) -> Result<Page, Refusal> {
    let id = &query.conversation_id;
    let messages = store.messages(id).ok_or_else(|| Refusal::NoConversation {
        conversation_id: id.to_string(),
        hint: hints::conversations::meant(view.world, view.agent, id),
    })?;
    let order = Order { reversed, newest_first: reversed };
    let seen = view.page(query, messages.total(), order)?;
    let Seen { slice, rows, total, .. } = seen;
    let total = match view.readings.messages_total {
        MessagesTotal::Number => Total::Number(total),
        MessagesTotal::String => Total::String(total),
    };
    let json = envelope::envelope(&view.endpoint.answer, total, room(rows, 400), |out| {
        messages.write(slice, form, out);
    });
    Ok(Page::new(json, view.endpoint, query, &seen, true, None))
}

//! `GET /v1/messages` and `GET /v2/messages`: Get Conversation Detail. Public clients use the second version
//! today. The versions differ only in the order and the shape of messages.

use super::capacity;
use crate::api::envelope::{self, Total};
use crate::api::{AgentView, CheckedRequest, Page, Refusal};
use crate::contract::{MessagesOrder, MessagesTotal, Operation, V2MessagesOrder};
use crate::records::rows::MessageForm;
use crate::sandbox::hazard::{RowOrder, VisiblePage};

pub(super) async fn answer((view, query): CheckedRequest) -> Result<Page, Refusal> {
    let AgentView { endpoint, readings, .. } = &view;
    let (form, reversed) = if endpoint.operation == Operation::MessagesV2 {
        (MessageForm::V2, readings.v2_messages_order == V2MessagesOrder::NewestFirst)
    } else {
        (MessageForm::V1, readings.messages_order == MessagesOrder::NewestFirst)
    };
    let id = &query.conversation_id;
    let found = view.records.messages(id);
    let (conversation, count) = found.ok_or_else(|| Refusal::NoConversation { id: id.clone() })?;
    let order = RowOrder { reversed, newest_first: reversed };
    let seen = view.page(&query, count, order)?;
    let VisiblePage { slice, rows, total, .. } = seen;
    let total = match readings.messages_total {
        MessagesTotal::Number => Total::Number(total),
        MessagesTotal::String => Total::String(total),
    };
    let json = envelope::envelope(&endpoint.answer, Some(total), capacity(rows, 400), |out| {
        view.records.write_messages(conversation, slice, form, out);
    });
    Ok(Page::new(json, endpoint, &query, &seen, true, None))
}

//! `GET /v2/messages`: Get Conversation Detail, the version that public clients call today.

use super::messages::answer_with;
use crate::api::{CheckedRequest, Page, Refusal};
use crate::contract::V2MessagesOrder;
use crate::records::rows::MessageForm;

pub(super) fn answer(checked: &CheckedRequest) -> Result<Page, Refusal> {
    let reversed = checked.0.readings.v2_messages_order == V2MessagesOrder::NewestFirst;
    answer_with(checked, reversed, MessageForm::V2)
}

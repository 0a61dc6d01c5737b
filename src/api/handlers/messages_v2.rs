//! `GET /v2/messages`: Get Conversation Detail, the version that public clients call today.

use super::messages::answer_with;
use crate::api::page::{Page, View};
use crate::api::query::Query;
use crate::api::refusal::Refusal;
use crate::contract::V2MessagesOrder;
use crate::records::rows::MessageForm;
use crate::records::store::Store;

pub(super) fn answer(view: &View<'_>, store: &Store, query: &Query<'_>) -> Result<Page, Refusal> {
    let reversed = view.readings.v2_messages_order == V2MessagesOrder::NewestFirst;
    answer_with(view, store, query, reversed, MessageForm::V2)
}

//! `GET /v2/messages`: Get Conversation Detail, the version that public clients call today.

use super::messages::answer_with;
use crate::contract::V2MessagesOrder;
use crate::http::page::{Page, View};
use crate::http::query::Query;
use crate::http::refusal::Refusal;
use crate::rows::MessageForm;
use crate::store::Store;

pub(super) fn answer(view: &View<'_>, store: &Store, query: &Query<'_>) -> Result<Page, Refusal> {
    let reversed = view.readings.v2_messages_order == V2MessagesOrder::NewestFirst;
    answer_with(view, store, query, reversed, MessageForm::V2)
}

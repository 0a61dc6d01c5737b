//! One endpoint, one file.

mod conversation_list;
mod messages;
mod messages_v2;
mod qa_records;

use super::page::{Page, View};
use super::query::Query;
use super::refusal::Refusal;
use crate::contract::Operation;
use crate::records::store::Store;

/// The answer of an endpoint. An operation without a handler does not compile.
pub(super) fn answer(view: &View<'_>, store: &Store, query: &Query<'_>) -> Result<Page, Refusal> {
    let handler = match view.endpoint.operation {
        Operation::ConversationList => conversation_list::answer,
        Operation::Messages => messages::answer,
        Operation::MessagesV2 => messages_v2::answer,
        Operation::QaRecords => qa_records::answer,
    };
    handler(view, store, query)
}

/// Room for the rows of an answer, given the usual size of one, and for a long text. A guess that
/// falls short only costs a copy.
fn room(rows: u64, each: usize) -> usize {
    usize::try_from(rows).unwrap_or(0).saturating_mul(each).saturating_add(2048)
}

//! The handlers. Both versions of an endpoint share a file.

mod conversation_list;
mod messages;
mod qa_records;

use axum::routing::{MethodRouter, get};

use crate::contract::Operation;

/// The handler of an operation, for `GET` and `HEAD`. An operation without one does not compile.
pub(super) fn method_router(operation: Operation) -> MethodRouter {
    match operation {
        Operation::ConversationList => get(conversation_list::answer),
        Operation::Messages | Operation::MessagesV2 => get(messages::answer),
        Operation::QaRecords => get(qa_records::answer),
    }
}

/// An estimate of the bytes of a response, from the usual size of a row, with some space for a long text. If
/// the estimate is too low, the buffer is copied once more.
fn capacity(rows: u64, each: usize) -> usize {
    let rows = usize::try_from(rows).expect("a page has at most 100 rows");
    rows * each + 2048
}

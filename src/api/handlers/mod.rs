//! The handlers. Both versions of an endpoint have one file.

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

/// How many bytes the rows of an answer take about, given the usual size of one, and room for a long
/// text. A guess that falls short only costs a copy.
fn capacity(rows: u64, each: usize) -> usize {
    let rows = usize::try_from(rows).expect("a page has at most 100 rows");
    rows * each + 2048
}

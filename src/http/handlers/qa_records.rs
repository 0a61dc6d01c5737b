//! `GET /v1/message/qa/record/page`: Get Q&A List.

use super::room;
use crate::contract::{Endpoint, QaOrder, QaTotal, Readings};
use crate::http::envelope::{self, Total};
use crate::http::page;
use crate::http::query::Query;
use crate::http::refusal::Refusal;
use crate::store::Store;

pub(super) fn answer(
    endpoint: &Endpoint,
    store: &Store,
    query: &Query<'_>,
    readings: &Readings,
) -> Result<Vec<u8>, Refusal> {
    let matches = store.qa(query.window, query.user_feedback);
    let total = matches.total();
    let reversed = readings.qa_order == QaOrder::NewestFirst;
    let slice = page::slice(endpoint, query, total, readings.page_past_end, reversed)?;
    let rows = slice.len(total);
    let total = match readings.qa_total {
        QaTotal::Absent => Total::Absent,
        QaTotal::Present => Total::Number(total),
    };
    Ok(envelope::envelope(&endpoint.answer, total, room(rows, 640), |out| {
        matches.write(slice, readings.qa_time, out);
    }))
}

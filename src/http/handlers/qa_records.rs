//! `GET /v1/message/qa/record/page`: Get Q&A List.

use super::room;
use crate::contract::{QaOrder, QaTotal};
use crate::hazard::{Order, Seen};
use crate::http::envelope::{self, Total};
use crate::http::page::View;
use crate::http::query::Query;
use crate::http::refusal::Refusal;
use crate::store::Store;

pub(super) fn answer(
    view: &View<'_>,
    store: &Store,
    query: &Query<'_>,
) -> Result<Vec<u8>, Refusal> {
    let matches = store.qa(query.window, query.user_feedback);
    let reversed = view.readings.qa_order == QaOrder::NewestFirst;
    let order = Order { reversed, newest_first: reversed };
    let Seen { slice, total, .. } = view.page(query, matches.total(), order)?;
    let rows = slice.len(matches.total());
    let total = match view.readings.qa_total {
        QaTotal::Absent => Total::Absent,
        QaTotal::Present => Total::Number(total),
    };
    Ok(envelope::envelope(&view.endpoint.answer, total, room(rows, 640), |out| {
        matches.write(slice, view.readings.qa_time, out);
    }))
}

//! `GET /v1/message/qa/record/page`: Get Q&A List.

use super::capacity;
use crate::api::envelope::{self, Total};
use crate::api::{CheckedRequest, Page, Refusal};
use crate::contract::{QaOrder, QaTotal};
use crate::records::store::RowKind;
use crate::sandbox::hazard::{RowOrder, VisiblePage};

pub(super) async fn answer((view, query): CheckedRequest) -> Result<Page, Refusal> {
    let unit = view.readings.qa_time;
    let store = view.ready(RowKind::Qa(unit)).await;
    let ranks = store.qa(query.window, query.user_feedback);
    let reversed = view.readings.qa_order == QaOrder::NewestFirst;
    let order = RowOrder { reversed, newest_first: reversed };
    let seen = view.page(&query, ranks.len(), order)?;
    let VisiblePage { slice, rows, total, .. } = seen;
    let has_total = view.readings.qa_total == QaTotal::Present;
    let total = has_total.then_some(Total::Number(total));
    let json = envelope::envelope(&view.endpoint.answer, total, capacity(rows, 640), |out| {
        store.write_qa(&ranks, slice, unit, out);
    });
    // `ALL` is the first value of the filter.
    let filter = query.user_feedback.map_or(0, |one| 1 + one as usize);
    Ok(Page::new(json, view.endpoint, &query, &seen, has_total, Some(filter)))
}

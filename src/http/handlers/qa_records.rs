//! `GET /v1/message/qa/record/page`: Get Q&A List.

use super::room;
use crate::contract::{Endpoint, QA, QaField, QaOrder, QaTime, QaTotal, Readings};
use crate::http::envelope::{self, Total};
use crate::http::page;
use crate::http::query::Query;
use crate::http::refusal::Refusal;
use crate::json;
use crate::model::Qa;
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
        matches.each(slice, &mut |qa| write(out, qa, readings.qa_time));
    }))
}

fn write(out: &mut Vec<u8>, row: &Qa<'_>, unit: QaTime) {
    envelope::row(out, QA, |field, out| match field {
        QaField::Id => json::text(out, row.id),
        QaField::QTime => json::integer(
            out,
            match unit {
                // Rounded down, before 1970 too.
                QaTime::Seconds => row.q_time.div_euclid(1000),
                QaTime::Milliseconds => row.q_time,
            },
        ),
        QaField::Q => json::text(out, row.q),
        QaField::A => json::text(out, row.a),
        QaField::UserFeedback => json::word(out, row.user_feedback.name()),
        QaField::ConvoId => json::text(out, row.convo_id),
        QaField::ConvoType => json::word(out, row.convo_type.name()),
        QaField::Aid => json::text(out, row.aid),
        QaField::UserId => json::text(out, row.user_id),
    });
}

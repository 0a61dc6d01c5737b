//! `GET /v1/bot/conversation/page`: Get Conversation List.

use super::room;
use crate::contract::{AnonymousId, Endpoint, ListTotal, Readings};
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
    let user_id = query.user_id.as_deref();
    let matches = store.conversations(query.window, query.conversation_type, user_id);
    let total = matches.total();
    let slice = page::slice(endpoint, query, total, readings.page_past_end, false)?;
    let rows = slice.len(total);
    let total = match readings.list_total {
        ListTotal::All => Total::Number(total),
        ListTotal::Page => Total::Number(rows),
    };
    let anonymous_id = readings.anonymous_id == AnonymousId::Present;
    Ok(envelope::envelope(&endpoint.answer, total, room(rows, 340), |out| {
        matches.write(slice, anonymous_id, out);
    }))
}

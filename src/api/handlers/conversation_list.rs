//! `GET /v1/bot/conversation/page`: Get Conversation List.

use super::room;
use crate::api::envelope::{self, Total};
use crate::api::page::{Page, View};
use crate::api::query::Query;
use crate::api::refusal::Refusal;
use crate::contract::{AnonymousId, ListTotal};
use crate::records::store::Store;
use crate::sandbox::hazard::{Order, Seen};

pub(super) fn answer(view: &View<'_>, store: &Store, query: &Query<'_>) -> Result<Page, Refusal> {
    let user_id = query.user_id.as_deref();
    let matches = store.conversations(query.window, query.conversation_type, user_id);
    let order = Order { reversed: false, newest_first: true };
    let seen = view.page(query, matches.total(), order)?;
    let Seen { slice, rows, total, .. } = seen;
    let tells_total = view.readings.list_total == ListTotal::All;
    let total = match view.readings.list_total {
        ListTotal::All => Total::Number(total),
        ListTotal::Page => Total::Number(rows),
    };
    let anonymous_id = view.readings.anonymous_id == AnonymousId::Present;
    let json = envelope::envelope(&view.endpoint.answer, total, room(rows, 340), |out| {
        matches.write(slice, anonymous_id, out);
    });
    // `ALL` is the first of the filter's words.
    let filter = query.conversation_type.map_or(0, |one| 1 + one as usize);
    Ok(Page::new(json, view.endpoint, query, &seen, tells_total, Some(filter)))
}

//! `GET /v1/bot/conversation/page`: Get Conversation List.

use super::capacity;
use crate::api::envelope::{self, Total};
use crate::api::{CheckedRequest, Page, Refusal};
use crate::contract::{AnonymousId, ListTotal};
use crate::records::store::RowKind;
use crate::sandbox::hazard::{RowOrder, VisiblePage};

pub(super) async fn answer((view, query): CheckedRequest) -> Result<Page, Refusal> {
    let with_anonymous_id = view.readings.anonymous_id == AnonymousId::Present;
    let store = view.ready(RowKind::Conversations { with_anonymous_id }).await;
    let user_id = query.user_id.as_deref();
    let ranks = store.conversations(query.window, query.conversation_type, user_id);
    let order = RowOrder { reversed: false, newest_first: true };
    let seen = view.page(&query, ranks.len(), order)?;
    let VisiblePage { slice, rows, total, .. } = seen;
    let has_total = view.readings.list_total == ListTotal::All;
    let total = Some(Total::Number(if has_total { total } else { rows }));
    let json = envelope::envelope(&view.endpoint.answer, total, capacity(rows, 340), |out| {
        store.write_conversations(&ranks, slice, with_anonymous_id, out);
    });
    // `ALL` is the first value of the filter.
    let filter = query.conversation_type.map_or(0, |one| 1 + one as usize);
    Ok(Page::new(json, view.endpoint, &query, &seen, has_total, Some(filter)))
}

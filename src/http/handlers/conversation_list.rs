//! `GET /v1/bot/conversation/page`: Get Conversation List.

use super::room;
use crate::contract::{
    AnonymousId, CONVERSATION, ConversationField, ConversationType, Endpoint, ListTotal, Readings,
};
use crate::http::envelope::{self, Total};
use crate::http::page;
use crate::http::query::Query;
use crate::http::refusal::Refusal;
use crate::json;
use crate::model::Conversation;
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
        ListTotal::All => total,
        ListTotal::Page => rows,
    };
    let anonymous_id = readings.anonymous_id == AnonymousId::Present;
    Ok(envelope::envelope(&endpoint.answer, Total::Number(total), room(rows, 320), |out| {
        matches.each(slice, &mut |conversation| write(out, conversation, anonymous_id));
    }))
}

fn write(out: &mut Vec<u8>, row: &Conversation<'_>, anonymous_id: bool) {
    let keys = CONVERSATION
        .iter()
        .filter(|key| anonymous_id || key.field != ConversationField::AnonymousId);
    envelope::row(out, keys, |field, out| match field {
        ConversationField::ConversationId => json::text(out, row.conversation_id),
        ConversationField::UserId => json::text(out, row.user_id),
        ConversationField::RecentChatTime => json::integer(out, row.recent_chat_time),
        ConversationField::Subject => json::text(out, row.subject),
        ConversationField::ConversationType => json::word(out, row.conversation_type.name()),
        ConversationField::MessageCount => json::integer(out, row.message_count),
        ConversationField::CostCredit => json::float(out, row.cost_credit),
        ConversationField::BotId => json::text(out, row.bot_id),
        ConversationField::AnonymousId if row.conversation_type == ConversationType::Api => {
            out.extend_from_slice(b"null");
        }
        ConversationField::AnonymousId => json::text(out, row.anonymous_id),
    });
}

//! `GET /v2/messages`: Get Conversation Detail, the version that public clients call today.

use super::messages::answer_with;
use crate::contract::{
    CONTENT_CLOSE, CONTENT_OPEN, Endpoint, MESSAGE_V2, MessageV2Field, Readings, V2MessagesOrder,
};
use crate::http::envelope;
use crate::http::query::Query;
use crate::http::refusal::Refusal;
use crate::json;
use crate::model::Message;
use crate::store::Store;

pub(super) fn answer(
    endpoint: &Endpoint,
    store: &Store,
    query: &Query<'_>,
    readings: &Readings,
) -> Result<Vec<u8>, Refusal> {
    let reversed = readings.v2_messages_order == V2MessagesOrder::NewestFirst;
    answer_with(endpoint, store, query, readings, reversed, write)
}

fn write(out: &mut Vec<u8>, row: &Message<'_>) {
    envelope::row(out, MESSAGE_V2, |field, out| match field {
        MessageV2Field::MessageId => json::text(out, row.message_id),
        MessageV2Field::ParentMessageId => json::text(out, row.parent_message_id),
        MessageV2Field::CreateTime => json::integer(out, row.create_time),
        MessageV2Field::Feedback => json::word(out, row.feedback.v2_name()),
        MessageV2Field::Role => json::word(out, row.message_type.role()),
        MessageV2Field::Content => {
            out.extend_from_slice(CONTENT_OPEN.as_bytes());
            row.text.append_to(out);
            out.extend_from_slice(CONTENT_CLOSE.as_bytes());
        }
    });
}

//! Writes the rows of each endpoint: the keys of the contract, in their order, each with its value. This
//! module depends neither on HTTP nor on the sources of records.

use crate::contract::{
    CONTENT_CLOSE, CONTENT_OPEN, ConversationField, ConversationType, Keys, MessageField,
    MessageV2Field, QaField, QaTime,
};
use crate::records::json::SliceWriter;
use crate::records::model::{Conversation, Credits, Message, Qa, Text};

/// The shape of a message, by the version of the endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MessageForm {
    V1,
    V2,
}

/// Writes the value of each key that the contract passes to it.
struct RowWriter<'w, 's, R> {
    out: &'w mut SliceWriter<'s>,
    row: &'w R,
    /// Whether `anonymous_id` is written.
    anonymous_id: bool,
    /// The unit of `q_time`.
    unit: QaTime,
}

#[inline(always)]
fn row_writer<'w, 's, R>(out: &'w mut SliceWriter<'s>, row: &'w R) -> RowWriter<'w, 's, R> {
    RowWriter { out, row, anonymous_id: false, unit: QaTime::Seconds }
}

/// Writes a row of the conversation list.
#[inline(always)]
pub(crate) fn conversation(
    out: &mut SliceWriter<'_>,
    row: &Conversation<'_, impl Text, impl Text, impl Text, impl Text>,
    anonymous_id: bool,
) {
    ConversationField::in_order(&mut RowWriter { anonymous_id, ..row_writer(out, row) });
    out.byte(b'}');
}

/// Writes a message.
#[inline(always)]
pub(crate) fn message(
    out: &mut SliceWriter<'_>,
    row: &Message<impl Text, impl Text>,
    form: MessageForm,
) {
    match form {
        MessageForm::V1 => MessageField::in_order(&mut row_writer(out, row)),
        MessageForm::V2 => MessageV2Field::in_order(&mut row_writer(out, row)),
    }
    out.byte(b'}');
}

/// Writes a row of the Q&A list.
#[inline(always)]
pub(crate) fn qa(
    out: &mut SliceWriter<'_>,
    row: &Qa<'_, impl Text, impl Text, impl Text>,
    unit: QaTime,
) {
    QaField::in_order(&mut RowWriter { unit, ..row_writer(out, row) });
    out.byte(b'}');
}

impl<I: Text, U: Text, S: Text, B: Text> Keys<ConversationField>
    for RowWriter<'_, '_, Conversation<'_, I, U, S, B>>
{
    #[inline(always)]
    fn key(&mut self, field: ConversationField, json: &'static [u8]) {
        use ConversationField as Field;
        let Self { out, row, .. } = self;
        if field == Field::AnonymousId && !self.anonymous_id {
            return;
        }
        out.bytes(json);
        match field {
            Field::ConversationId => out.text(&row.conversation_id),
            Field::UserId => out.text(&row.user_id),
            Field::RecentChatTime => out.milliseconds(row.recent_chat_time),
            Field::Subject => out.text(&row.subject),
            Field::ConversationType => out.text(&row.conversation_type),
            Field::MessageCount => out.count(row.message_count),
            Field::CostCredit => match row.cost_credit {
                Credits::Hundredths(hundredths) => out.hundredths(hundredths),
                Credits::Any(number) => out.float(number),
            },
            Field::BotId => out.text(&row.bot_id),
            Field::AnonymousId if row.conversation_type.listed() == Some(ConversationType::Api) => {
                out.bytes(b"null");
            }
            Field::AnonymousId => {
                out.byte(b'"');
                out.text(&row.anonymous_id);
            }
        }
    }
}

impl<I: Text, P: Text> Keys<MessageField> for RowWriter<'_, '_, Message<I, P>> {
    #[inline(always)]
    fn key(&mut self, field: MessageField, json: &'static [u8]) {
        use MessageField as Field;
        let Self { out, row, .. } = self;
        out.bytes(json);
        match field {
            Field::MessageId => out.text(&row.message_id),
            Field::ParentMessageId => out.text(&row.parent_message_id),
            Field::MessageType => out.name(row.message_type.name()),
            Field::Text => out.text(&row.text),
            Field::CreateTime => out.milliseconds(row.create_time),
        }
    }
}

impl<I: Text, P: Text> Keys<MessageV2Field> for RowWriter<'_, '_, Message<I, P>> {
    #[inline(always)]
    fn key(&mut self, field: MessageV2Field, json: &'static [u8]) {
        use MessageV2Field as Field;
        let Self { out, row, .. } = self;
        out.bytes(json);
        match field {
            Field::MessageId => out.text(&row.message_id),
            Field::ParentMessageId => out.text(&row.parent_message_id),
            Field::CreateTime => out.milliseconds(row.create_time),
            Field::Feedback => out.name(row.feedback.v2_name()),
            Field::Role => out.name(row.message_type.role()),
            Field::Content => {
                out.bytes(CONTENT_OPEN.as_bytes());
                row.text.write_to(out);
                out.bytes(CONTENT_CLOSE.as_bytes());
            }
        }
    }
}

impl<I: Text, U: Text, P: Text> Keys<QaField> for RowWriter<'_, '_, Qa<'_, I, U, P>> {
    #[inline(always)]
    fn key(&mut self, field: QaField, json: &'static [u8]) {
        use QaField as Field;
        let Self { out, row, .. } = self;
        out.bytes(json);
        match field {
            Field::Id => out.text(&row.id),
            Field::QTime => match self.unit {
                // Times before 1970 are rounded down, too.
                QaTime::Seconds => out.seconds(row.q_time.div_euclid(1000)),
                QaTime::Milliseconds => out.milliseconds(row.q_time),
            },
            Field::Q => out.text(&row.q),
            Field::A => out.text(&row.a),
            Field::UserFeedback => out.name(row.user_feedback.name()),
            Field::ConvoId => out.text(&row.convo_id),
            Field::ConvoType => out.text(&row.convo_type),
            Field::Aid => out.text(&row.aid),
            Field::UserId => out.text(&row.user_id),
        }
    }
}

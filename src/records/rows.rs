//! How the rows of each answer are written: the keys of the contract, in its order, each with its
//! value. No HTTP is here, and nothing of where records come from.

use crate::contract::{
    CONTENT_CLOSE, CONTENT_OPEN, CONVERSATION_TYPES, ConversationField, ConversationType, Feedback,
    Keys, MessageField, MessageType, MessageV2Field, QaField, QaTime,
};
use crate::records::json::{Pen, Word};
use crate::records::model::{Conversation, Credits, Message, Qa, Text};

/// The words of the contract by the number of their value, ready to be written.
macro_rules! words {
    ($values:expr, $n:ident => $value:expr, $name:path) => {{
        let mut words = [Word::new(""); $values.len()];
        let mut $n = 0;
        while $n < words.len() {
            words[$value as usize] = Word::new($name($value));
            $n += 1;
        }
        words
    }};
}

const TYPES: [Word; CONVERSATION_TYPES.len()] =
    words!(CONVERSATION_TYPES, n => CONVERSATION_TYPES[n].0, ConversationType::name);
const FEEDBACK: [Word; Feedback::ALL.len()] =
    words!(Feedback::ALL, n => Feedback::ALL[n], Feedback::name);
const V2_FEEDBACK: [Word; Feedback::ALL.len()] =
    words!(Feedback::ALL, n => Feedback::ALL[n], Feedback::v2_name);
const MESSAGE_TYPES: [Word; MessageType::ALL.len()] =
    words!(MessageType::ALL, n => MessageType::ALL[n], MessageType::name);
const ROLES: [Word; MessageType::ALL.len()] =
    words!(MessageType::ALL, n => MessageType::ALL[n], MessageType::role);

/// Which of the shapes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MessageForm {
    V1,
    V2,
}

/// A row that is being written.
struct Writer<'w, 'p, R> {
    pen: &'w mut Pen<'p>,
    row: &'w R,
    /// Whether `anonymous_id` is written.
    anonymous_id: bool,
    /// The unit of `q_time`.
    unit: QaTime,
}

#[inline(always)]
fn writer<'w, 'p, R>(pen: &'w mut Pen<'p>, row: &'w R) -> Writer<'w, 'p, R> {
    Writer { pen, row, anonymous_id: false, unit: QaTime::Seconds }
}

/// A row of the conversation list.
#[inline(always)]
pub(crate) fn conversation(
    pen: &mut Pen<'_>,
    row: &Conversation<impl Text, impl Text, impl Text, impl Text>,
    anonymous_id: bool,
) {
    ConversationField::in_order(&mut Writer { anonymous_id, ..writer(pen, row) });
    pen.byte(b'}');
}

/// A message, in one of its shapes.
#[inline(always)]
pub(crate) fn message(pen: &mut Pen<'_>, row: &Message<impl Text, impl Text>, form: MessageForm) {
    match form {
        MessageForm::V1 => MessageField::in_order(&mut writer(pen, row)),
        MessageForm::V2 => MessageV2Field::in_order(&mut writer(pen, row)),
    }
    pen.byte(b'}');
}

/// A row of the Q&A list.
#[inline(always)]
pub(crate) fn qa(pen: &mut Pen<'_>, row: &Qa<impl Text, impl Text, impl Text>, unit: QaTime) {
    QaField::in_order(&mut Writer { unit, ..writer(pen, row) });
    pen.byte(b'}');
}

impl<I: Text, U: Text, S: Text, B: Text> Keys<ConversationField>
    for Writer<'_, '_, Conversation<I, U, S, B>>
{
    #[inline(always)]
    fn key(&mut self, field: ConversationField, json: &'static [u8]) {
        use ConversationField as Field;
        let Self { pen, row, .. } = self;
        if field == Field::AnonymousId && !self.anonymous_id {
            return;
        }
        pen.bytes(json);
        match field {
            Field::ConversationId => pen.text(&row.conversation_id),
            Field::UserId => pen.text(&row.user_id),
            Field::RecentChatTime => pen.time(row.recent_chat_time),
            Field::Subject => pen.text(&row.subject),
            Field::ConversationType => pen.word(&TYPES[row.conversation_type as usize]),
            Field::MessageCount => pen.count(row.message_count),
            Field::CostCredit => match row.cost_credit {
                Credits::Hundredths(hundredths) => pen.hundredths(hundredths.into()),
                Credits::Any(number) => pen.float(number),
            },
            Field::BotId => pen.text(&row.bot_id),
            Field::AnonymousId if row.conversation_type == ConversationType::Api => {
                pen.bytes(b"null");
            }
            Field::AnonymousId => {
                pen.byte(b'"');
                pen.text(&row.anonymous_id);
            }
        }
    }
}

impl<I: Text, P: Text> Keys<MessageField> for Writer<'_, '_, Message<I, P>> {
    #[inline(always)]
    fn key(&mut self, field: MessageField, json: &'static [u8]) {
        use MessageField as Field;
        let Self { pen, row, .. } = self;
        pen.bytes(json);
        match field {
            Field::MessageId => pen.text(&row.message_id),
            Field::ParentMessageId => pen.text(&row.parent_message_id),
            Field::MessageType => pen.word(&MESSAGE_TYPES[row.message_type as usize]),
            Field::Text => pen.text(&row.text),
            Field::CreateTime => pen.time(row.create_time),
        }
    }
}

impl<I: Text, P: Text> Keys<MessageV2Field> for Writer<'_, '_, Message<I, P>> {
    #[inline(always)]
    fn key(&mut self, field: MessageV2Field, json: &'static [u8]) {
        use MessageV2Field as Field;
        let Self { pen, row, .. } = self;
        pen.bytes(json);
        match field {
            Field::MessageId => pen.text(&row.message_id),
            Field::ParentMessageId => pen.text(&row.parent_message_id),
            Field::CreateTime => pen.time(row.create_time),
            Field::Feedback => pen.word(&V2_FEEDBACK[row.feedback as usize]),
            Field::Role => pen.word(&ROLES[row.message_type as usize]),
            Field::Content => {
                pen.bytes(CONTENT_OPEN.as_bytes());
                row.text.append_to(pen);
                pen.bytes(CONTENT_CLOSE.as_bytes());
            }
        }
    }
}

impl<I: Text, U: Text, P: Text> Keys<QaField> for Writer<'_, '_, Qa<I, U, P>> {
    #[inline(always)]
    fn key(&mut self, field: QaField, json: &'static [u8]) {
        use QaField as Field;
        let Self { pen, row, .. } = self;
        pen.bytes(json);
        match field {
            Field::Id => pen.text(&row.id),
            Field::QTime => match self.unit {
                // Rounded down, before 1970 too.
                QaTime::Seconds => pen.seconds(row.q_time.div_euclid(1000)),
                QaTime::Milliseconds => pen.time(row.q_time),
            },
            Field::Q => pen.text(&row.q),
            Field::A => pen.text(&row.a),
            Field::UserFeedback => pen.word(&FEEDBACK[row.user_feedback as usize]),
            Field::ConvoId => pen.text(&row.convo_id),
            Field::ConvoType => pen.word(&TYPES[row.convo_type as usize]),
            Field::Aid => pen.text(&row.aid),
            Field::UserId => pen.text(&row.user_id),
        }
    }
}

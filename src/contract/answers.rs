//! The responses: their keys, in the order in which they are sent.

use super::{Operation, Source, assumed, source};

/// The JSON type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonType {
    /// A string.
    String,
    /// A string or `null`.
    StringOrNull,
    /// A whole number.
    Integer,
    /// A number that is always written with a decimal point.
    Float,
    /// A list of objects.
    List,
}

impl JsonType {
    /// The type, as in the reference page.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::StringOrNull => "string or null",
            Self::Integer => "integer",
            Self::Float => "float",
            Self::List => "list",
        }
    }
}

/// One key of a row.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Which value.
    pub field: RowField,
    /// The key.
    pub name: &'static str,
    /// The type of the value.
    pub json_type: JsonType,
    /// What the value means, in a few words.
    pub about: &'static str,
    /// Where the key comes from.
    pub source: Source,
}

impl Key {
    /// Whether rows have it only with a certain value of a reading.
    #[cfg(feature = "cli")]
    pub(crate) fn is_by_reading(&self) -> bool {
        self.field == RowField::Conversation(ConversationField::AnonymousId)
    }

    /// Whether the value is a channel.
    #[cfg(feature = "cli")]
    pub(crate) fn is_channel(&self) -> bool {
        [
            RowField::Conversation(ConversationField::ConversationType),
            RowField::Qa(QaField::ConvoType),
        ]
        .contains(&self.field)
    }

    /// The allowed words of the value; none if it can be any text.
    #[cfg(feature = "cli")]
    pub(crate) fn words(&self) -> Vec<&'static str> {
        use super::{CONVERSATION_TYPES, Feedback, MessageType};

        match self.field {
            _ if self.is_channel() => {
                CONVERSATION_TYPES.iter().map(|(value, ..)| value.name()).collect()
            }
            RowField::Qa(QaField::UserFeedback) => Feedback::ALL.map(Feedback::name).into(),
            RowField::MessageV2(MessageV2Field::Feedback) => {
                Feedback::ALL.map(Feedback::v2_name).into()
            }
            RowField::Message(MessageField::MessageType) => {
                MessageType::ALL.map(MessageType::name).into()
            }
            RowField::MessageV2(MessageV2Field::Role) => {
                MessageType::ALL.map(MessageType::role).into()
            }
            _ => Vec::new(),
        }
    }
}

/// A value of a row of any kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the type of each variant's field describes it")]
pub enum RowField {
    Conversation(ConversationField),
    Message(MessageField),
    MessageV2(MessageV2Field),
    Qa(QaField),
}

impl RowField {
    /// The operation whose responses have such rows.
    #[must_use]
    pub fn operation(self) -> Operation {
        match self {
            Self::Conversation(_) => Operation::ConversationList,
            Self::Message(_) => Operation::Messages,
            Self::MessageV2(_) => Operation::MessagesV2,
            Self::Qa(_) => Operation::QaRecords,
        }
    }

    /// The key of the value.
    pub(crate) fn name(self) -> &'static str {
        let mut keys = self.operation().endpoint().answer.keys.iter();
        keys.find(|key| key.field == self).expect("the table of a row has each of its fields").name
    }
}

/// The place of `total` in a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TotalPlace {
    BeforeRows,
    AfterRows,
    /// Only with a certain value of a reading, after the rows.
    Absent,
}

/// A successful response: an object with the rows of a page and, for most endpoints, a total.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    /// The key of the rows, quoted, with its colon.
    pub(crate) rows_json: &'static str,
    pub(crate) total: TotalPlace,
    /// Every key of a row, in order.
    pub keys: &'static [Key],
    /// What `total` counts.
    pub total_about: &'static str,
}

impl Answer {
    /// The key of the rows.
    #[must_use]
    pub fn rows_name(&self) -> &'static str {
        self.rows_json.trim_end_matches(':').trim_matches('"')
    }
}

/// Receives the keys of a row.
pub(crate) trait Keys<F> {
    fn key(&mut self, field: F, json: &'static [u8]);
}

macro_rules! keys {
    (
        $(#[$doc:meta])*
        $row:ident $enum:ident $table:ident:
        $first:ident $first_name:literal $first_type:ident $first_about:literal $first_source:expr;
        $($variant:ident $name:literal $type:ident $about:literal $source:expr;)*
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs, reason = "the table describes each variant")]
        pub enum $enum { $first, $($variant),* }

        const $table: &[Key] = &[
            key!($row $enum $first $first_name $first_type $first_about $first_source),
            $(key!($row $enum $variant $name $type $about $source)),*
        ];

        impl $enum {
            /// Passes every key on as it is written, in the order in which keys are sent: with the
            /// brace before the first and a comma before the others, its colon, and the quote that
            /// opens a string. There is one call for each key, so that the compiler can inline the
            /// code of each value.
            #[inline(always)]
            pub(crate) fn in_order(to: &mut impl Keys<Self>) {
                to.key(Self::$first, concat!("{\"", $first_name, opening!($first_type)).as_bytes());
                $(to.key(Self::$variant, concat!(",\"", $name, opening!($type)).as_bytes());)*
            }
        }
    };
}

macro_rules! key {
    ($row:ident $enum:ident $field:ident $name:literal $type:ident $about:literal $source:expr) => {
        Key {
            field: RowField::$row($enum::$field),
            name: $name,
            json_type: JsonType::$type,
            about: $about,
            source: $source,
        }
    };
}

/// The end of a key. For a string, it includes the opening quote.
macro_rules! opening {
    (String) => {
        "\":\""
    };
    ($other:ident) => {
        "\":"
    };
}

keys! {
    /// A row of the conversation list.
    Conversation ConversationField CONVERSATION:
    ConversationId "conversation_id" String "id of the conversation" source::LIST;
    UserId "user_id" String "id of the user, given by the developer" source::LIST;
    RecentChatTime "recent_chat_time" Integer
        "time of the newest message, in milliseconds since 1970-01-01 UTC" source::LIST;
    Subject "subject" String "subject of the conversation" source::LIST;
    ConversationType "conversation_type" String "the channel; never ALL" source::LIST;
    MessageCount "message_count" Integer "number of messages in the conversation" source::LIST;
    CostCredit "cost_credit" Float "consumed credits" source::LIST;
    BotId "bot_id" String "id of the agent" source::LIST;
    AnonymousId "anonymous_id" StringOrNull
        "only with anonymous-id=present; null for type API" source::LIST_NEW;
}

keys! {
    /// A message of `GET /v1/messages`.
    Message MessageField MESSAGE:
    MessageId "message_id" String "unique id of the message" source::MESSAGES;
    ParentMessageId "parent_message_id" String
        "id of the previous message; empty for the first" source::MESSAGES;
    MessageType "message_type" String "QUESTION or ANSWER" source::MESSAGES;
    Text "text" String "text of the message" source::MESSAGES;
    CreateTime "create_time" Integer
        "time of the message, in milliseconds since 1970-01-01 UTC" source::MESSAGES;
}

keys! {
    /// A message of `GET /v2/messages`.
    MessageV2 MessageV2Field MESSAGE_V2:
    MessageId "message_id" String "unique id of the message" source::MESSAGES_V2;
    ParentMessageId "parent_message_id" String
        "id of the previous message; empty for the first" source::MESSAGES_V2;
    CreateTime "create_time" Integer
        "time of the message, in milliseconds since 1970-01-01 UTC" source::MESSAGES_V2;
    Feedback "feedback" String "POSITIVE or NEGATIVE on a rated answer, else empty" source::MESSAGES_V2;
    Role "role" String "author of the message: user or assistant" source::MESSAGES_V2;
    Content "content" List
        "one object with branch_content, which contains the text" source::MESSAGES_V2;
}

keys! {
    /// A row of the Q&A list.
    Qa QaField QA:
    Id "id" String "id of the row" source::QA;
    QTime "q_time" Integer "time of the question, in seconds (reading qa-time)" source::QA;
    Q "q" String "text of the question" source::QA;
    A "a" String "text of the answer" source::QA;
    UserFeedback "user_feedback" String
        "rating of the answer: NONE, GOOD or BAD; never ALL" source::QA;
    ConvoId "convo_id" String "id of the conversation" source::QA;
    ConvoType "convo_type" String "channel of the conversation" source::QA;
    Aid "aid" String "opaque id"
        assumed("in the example of the vendor doc, but never described");
    UserId "user_id" String "id of the user, given by the developer" source::QA;
}

/// The JSON before the text in `content` of a v2 message; [`CONTENT_CLOSE`] is the JSON after it.
pub const CONTENT_OPEN: &str = r#"[{"branch_content":[{"type":"text","text":""#;
/// See [`CONTENT_OPEN`].
pub const CONTENT_CLOSE: &str = r#""}]}]"#;

/// The key of every total, quoted, with its colon.
pub const TOTAL: &str = "\"total\":";

/// The response of the conversation list.
pub const LIST: Answer = Answer {
    rows_json: "\"list\":",
    total: TotalPlace::AfterRows,
    keys: CONVERSATION,
    total_about: "number of matching conversations over all pages (reading list-total)",
};

/// The response of `GET /v1/messages`.
pub const MESSAGES: Answer = Answer {
    rows_json: "\"messages\":",
    total: TotalPlace::BeforeRows,
    keys: MESSAGE,
    total_about: "number of messages of the conversation, sent as a number (reading messages-total)",
};

/// The response of `GET /v2/messages`.
pub const MESSAGES_V2: Answer = Answer {
    rows_json: "\"conversation_content\":",
    total: TotalPlace::BeforeRows,
    keys: MESSAGE_V2,
    total_about: "number of messages of the conversation, sent as a number (reading messages-total)",
};

/// The response of the Q&A list.
pub const QA_RECORDS: Answer = Answer {
    rows_json: "\"qa\":",
    total: TotalPlace::Absent,
    keys: QA,
    total_about: "number of matching questions; only with qa-total=present",
};

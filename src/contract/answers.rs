//! The answers: their keys, in the order of the wire.

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
    /// The type as the reference page prints it.
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
    /// What it says, in a few words.
    pub about: &'static str,
    /// Where it comes from.
    pub source: Source,
}

impl Key {
    /// Whether rows have it only under a reading.
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

    /// The words of which the value is one; none where it is free.
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

/// A value of a row, whichever kind of row it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each is described where its fields are")]
pub enum RowField {
    Conversation(ConversationField),
    Message(MessageField),
    MessageV2(MessageV2Field),
    Qa(QaField),
}

impl RowField {
    /// The operation that answers with such rows.
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

/// Where `total` stands in an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TotalPlace {
    BeforeRows,
    AfterRows,
    /// Only under a reading, after the rows.
    Absent,
}

/// An answer: one object that holds the rows of a page and, mostly, a total.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    /// The key of the rows, quoted, with its colon.
    pub(crate) rows_json: &'static str,
    pub(crate) total: TotalPlace,
    /// Every key of a row, in order.
    pub keys: &'static [Key],
    /// What `total` counts, and where the answer comes from.
    pub total_about: &'static str,
}

impl Answer {
    /// The key of the rows.
    #[must_use]
    pub fn rows_name(&self) -> &'static str {
        self.rows_json.trim_end_matches(':').trim_matches('"')
    }
}

/// Takes the keys of a row.
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
        #[allow(missing_docs, reason = "the table says what each one is")]
        pub enum $enum { $first, $($variant),* }

        const $table: &[Key] = &[
            key!($row $enum $first $first_name $first_type $first_about $first_source),
            $(key!($row $enum $variant $name $type $about $source)),*
        ];

        impl $enum {
            /// Hands every key on, in the order of the wire, as it is written: with the brace
            /// before the first and a comma before the others, its colon, and the quote that opens
            /// a string. Written out one by one, so that each value is compiled in its place.
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

/// What ends a key: a string is opened with it.
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
    ConversationId "conversation_id" String "of the conversation" source::LIST;
    UserId "user_id" String "the developer's own id of the user" source::LIST;
    RecentChatTime "recent_chat_time" Integer
        "time of the newest message, in milliseconds since 1970-01-01 UTC" source::LIST;
    Subject "subject" String "of the conversation" source::LIST;
    ConversationType "conversation_type" String "the channel; never ALL" source::LIST;
    MessageCount "message_count" Integer "messages in the conversation" source::LIST;
    CostCredit "cost_credit" Float "credits consumed" source::LIST;
    BotId "bot_id" String "the agent" source::LIST;
    AnonymousId "anonymous_id" StringOrNull
        "only under anonymous-id=present; null for type API" source::LIST_NEW;
}

keys! {
    /// A message of `GET /v1/messages`.
    Message MessageField MESSAGE:
    MessageId "message_id" String "unique" source::MESSAGES;
    ParentMessageId "parent_message_id" String "the message before; empty for the first" source::MESSAGES;
    MessageType "message_type" String "QUESTION or ANSWER" source::MESSAGES;
    Text "text" String "the message" source::MESSAGES;
    CreateTime "create_time" Integer "its time, in milliseconds since 1970-01-01 UTC" source::MESSAGES;
}

keys! {
    /// A message of `GET /v2/messages`.
    MessageV2 MessageV2Field MESSAGE_V2:
    MessageId "message_id" String "unique" source::MESSAGES_V2;
    ParentMessageId "parent_message_id" String
        "the message before; empty for the first" source::MESSAGES_V2;
    CreateTime "create_time" Integer
        "its time, in milliseconds since 1970-01-01 UTC" source::MESSAGES_V2;
    Feedback "feedback" String "POSITIVE or NEGATIVE on a rated answer, else empty" source::MESSAGES_V2;
    Role "role" String "who wrote it: user or assistant" source::MESSAGES_V2;
    Content "content" List "one object with branch_content, which holds the text" source::MESSAGES_V2;
}

keys! {
    /// A row of the Q&A list.
    Qa QaField QA:
    Id "id" String "of the Q&A" source::QA;
    QTime "q_time" Integer "time of the question, in seconds (reading qa-time)" source::QA;
    Q "q" String "the question" source::QA;
    A "a" String "the answer" source::QA;
    UserFeedback "user_feedback" String "NONE, GOOD or BAD; never ALL" source::QA;
    ConvoId "convo_id" String "its conversation" source::QA;
    ConvoType "convo_type" String "the channel of the conversation" source::QA;
    Aid "aid" String "opaque" assumed("in the page's example and never described");
    UserId "user_id" String "the developer's own id of the user" source::QA;
}

/// What stands before and after the text in `content` of a v2 message.
pub const CONTENT_OPEN: &str = r#"[{"branch_content":[{"type":"text","text":""#;
/// See [`CONTENT_OPEN`].
pub const CONTENT_CLOSE: &str = r#""}]}]"#;

/// The key of every total, quoted, with its colon.
pub const TOTAL: &str = "\"total\":";

/// The answer of the conversation list.
pub const LIST: Answer = Answer {
    rows_json: "\"list\":",
    total: TotalPlace::AfterRows,
    keys: CONVERSATION,
    total_about: "all matching conversations, over all pages (reading list-total)",
};

/// The answer of `GET /v1/messages`.
pub const MESSAGES: Answer = Answer {
    rows_json: "\"messages\":",
    total: TotalPlace::BeforeRows,
    keys: MESSAGE,
    total_about: "all messages of the conversation, a number (reading messages-total)",
};

/// The answer of `GET /v2/messages`.
pub const MESSAGES_V2: Answer = Answer {
    rows_json: "\"conversation_content\":",
    total: TotalPlace::BeforeRows,
    keys: MESSAGE_V2,
    total_about: "all messages of the conversation, a number (reading messages-total)",
};

/// The answer of the Q&A list.
pub const QA_RECORDS: Answer = Answer {
    rows_json: "\"qa\":",
    total: TotalPlace::Absent,
    keys: QA,
    total_about: "all matching questions, only under qa-total=present",
};

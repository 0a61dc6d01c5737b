//! The answers: their keys, in the order of the wire.

use super::{Source, assumed, documented, page};

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
pub struct Key<F: 'static> {
    /// Which value.
    pub field: F,
    /// The key as written: quoted, with its colon.
    pub(crate) json: &'static str,
    /// The type of the value.
    pub json_type: JsonType,
    /// What it says, in a few words.
    pub about: &'static str,
    /// Where it comes from.
    pub source: Source,
}

impl<F> Key<F> {
    /// The bare name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.json.trim_end_matches(':').trim_matches('"')
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

/// The keys of a row, by kind of row.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RowKeys {
    Conversation(&'static [Key<ConversationField>]),
    Message(&'static [Key<MessageField>]),
    MessageV2(&'static [Key<MessageV2Field>]),
    Qa(&'static [Key<QaField>]),
}

/// An answer: one object that holds the rows of a page and, mostly, a total.
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    /// The key of the rows, quoted, with its colon.
    pub(crate) rows_json: &'static str,
    pub(crate) total: TotalPlace,
    pub(crate) keys: RowKeys,
    /// What `total` counts, and where the answer comes from.
    pub total_about: &'static str,
}

impl Answer {
    /// The key of the rows.
    #[must_use]
    pub fn rows_name(&self) -> &'static str {
        self.rows_json.trim_end_matches(':').trim_matches('"')
    }

    /// Every key of a row, in order: (name, type, meaning, source).
    #[must_use]
    pub fn keys(&self) -> Vec<(&'static str, JsonType, &'static str, Source)> {
        fn rows<F>(keys: &[Key<F>]) -> Vec<(&'static str, JsonType, &'static str, Source)> {
            keys.iter().map(|key| (key.name(), key.json_type, key.about, key.source)).collect()
        }
        match self.keys {
            RowKeys::Conversation(keys) => rows(keys),
            RowKeys::Message(keys) => rows(keys),
            RowKeys::MessageV2(keys) => rows(keys),
            RowKeys::Qa(keys) => rows(keys),
        }
    }
}

/// Whether a key's value is a channel.
#[cfg(feature = "cli")]
pub(crate) fn is_channel(key: &str) -> bool {
    ["conversation_type", "convo_type"].contains(&key)
}

/// The words of which a key's value is one; none where it is free.
#[cfg(feature = "cli")]
pub(crate) fn words(key: &str) -> Vec<&'static str> {
    use super::{CONVERSATION_TYPES, Feedback, MessageType};

    match key {
        key if is_channel(key) => {
            CONVERSATION_TYPES.iter().map(|(value, ..)| value.name()).collect()
        }
        "user_feedback" => Feedback::ALL.map(Feedback::name).into(),
        "feedback" => Feedback::ALL.map(Feedback::v2_name).into(),
        "message_type" => MessageType::ALL.map(MessageType::name).into(),
        "role" => MessageType::ALL.map(MessageType::role).into(),
        _ => Vec::new(),
    }
}

/// Takes the keys of a row.
pub(crate) trait Keys<F> {
    fn key(&mut self, field: F, json: &'static [u8]);
}

macro_rules! keys {
    (
        $(#[$doc:meta])*
        $enum:ident, $table:ident:
        $first:ident $first_name:literal $first_type:ident $first_about:literal $first_source:expr;
        $($variant:ident $name:literal $type:ident $about:literal $source:expr;)*
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "the table says what each one is")]
        pub enum $enum { $first, $($variant),* }

        $(#[$doc])*
        pub const $table: &[Key<$enum>] = &[
            key!($enum, $first $first_name $first_type $first_about $first_source),
            $(key!($enum, $variant $name $type $about $source)),*
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
    ($enum:ident, $variant:ident $name:literal $type:ident $about:literal $source:expr) => {
        Key {
            field: $enum::$variant,
            json: concat!("\"", $name, "\":"),
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

const ON_LIST: Source = documented(page::LIST);
const ON_MESSAGES: Source = documented(page::MESSAGES);
const ON_MESSAGES_V2: Source = documented(page::MESSAGES_V2);
const ON_QA: Source = documented(page::QA);

keys! {
    /// A row of the conversation list.
    ConversationField, CONVERSATION:
    ConversationId "conversation_id" String "of the conversation" ON_LIST;
    UserId "user_id" String "the developer's own id of the user" ON_LIST;
    RecentChatTime "recent_chat_time" Integer
        "time of the newest message, in milliseconds since 1970-01-01 UTC" ON_LIST;
    Subject "subject" String "of the conversation" ON_LIST;
    ConversationType "conversation_type" String "the channel; never ALL" ON_LIST;
    MessageCount "message_count" Integer "messages in the conversation" ON_LIST;
    CostCredit "cost_credit" Float "credits consumed" ON_LIST;
    BotId "bot_id" String "the agent" ON_LIST;
    AnonymousId "anonymous_id" StringOrNull
        "only under anonymous-id=present; null for type API" documented(page::LIST_NEW);
}

keys! {
    /// A message of `GET /v1/messages`.
    MessageField, MESSAGE:
    MessageId "message_id" String "unique" ON_MESSAGES;
    ParentMessageId "parent_message_id" String "the message before; empty for the first" ON_MESSAGES;
    MessageType "message_type" String "QUESTION or ANSWER" ON_MESSAGES;
    Text "text" String "the message" ON_MESSAGES;
    CreateTime "create_time" Integer "its time, in milliseconds since 1970-01-01 UTC" ON_MESSAGES;
}

keys! {
    /// A message of `GET /v2/messages`.
    MessageV2Field, MESSAGE_V2:
    MessageId "message_id" String "unique" ON_MESSAGES_V2;
    ParentMessageId "parent_message_id" String
        "the message before; empty for the first" ON_MESSAGES_V2;
    CreateTime "create_time" Integer
        "its time, in milliseconds since 1970-01-01 UTC" ON_MESSAGES_V2;
    Feedback "feedback" String "POSITIVE or NEGATIVE on a rated answer, else empty" ON_MESSAGES_V2;
    Role "role" String "who wrote it: user or assistant" ON_MESSAGES_V2;
    Content "content" List "one object with branch_content, which holds the text" ON_MESSAGES_V2;
}

keys! {
    /// A row of the Q&A list.
    QaField, QA:
    Id "id" String "of the Q&A" ON_QA;
    QTime "q_time" Integer "time of the question, in seconds (reading qa-time)" ON_QA;
    Q "q" String "the question" ON_QA;
    A "a" String "the answer" ON_QA;
    UserFeedback "user_feedback" String "NONE, GOOD or BAD; never ALL" ON_QA;
    ConvoId "convo_id" String "its conversation" ON_QA;
    ConvoType "convo_type" String "the channel of the conversation" ON_QA;
    Aid "aid" String "opaque" assumed("in the page's example and never described");
    UserId "user_id" String "the developer's own id of the user" ON_QA;
}

/// Keys of rows that are there only under a reading.
#[cfg(feature = "cli")]
pub(crate) const BY_READING: &[&str] = &["anonymous_id"];

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
    keys: RowKeys::Conversation(CONVERSATION),
    total_about: "all matching conversations, over all pages (reading list-total)",
};

/// The answer of `GET /v1/messages`.
pub const MESSAGES: Answer = Answer {
    rows_json: "\"messages\":",
    total: TotalPlace::BeforeRows,
    keys: RowKeys::Message(MESSAGE),
    total_about: "all messages of the conversation, a number (reading messages-total)",
};

/// The answer of `GET /v2/messages`.
pub const MESSAGES_V2: Answer = Answer {
    rows_json: "\"conversation_content\":",
    total: TotalPlace::BeforeRows,
    keys: RowKeys::MessageV2(MESSAGE_V2),
    total_about: "all messages of the conversation, a number (reading messages-total)",
};

/// The answer of the Q&A list.
pub const QA_RECORDS: Answer = Answer {
    rows_json: "\"qa\":",
    total: TotalPlace::Absent,
    keys: RowKeys::Qa(QA),
    total_about: "all matching questions, only under qa-total=present",
};

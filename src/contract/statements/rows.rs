//! The statements that are not in another table of the contract, one per row.

use std::borrow::Cow::{self, Borrowed};
use std::fmt;

use super::super::{
    Code, ConversationType, Field, Operation, ReadingId, RowField, Source, assumed, documented,
    seen, source,
};
use super::{Statement, TableRow};

macro_rules! rows {
    ($($id:ident $name:literal $(by $reading:ident)?, $source:expr, $says:literal;)*) => {
        /// The id of a statement.
        ///
        /// A statement of another table is identified by the subject of its row.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum StatementId {
            $(#[doc = concat!("`", $name, "`")] $id,)*
            /// The HTTP status of every code.
            ErrorStatus,
            /// A parameter: whether it is required, and what it accepts.
            Param(TableRow<Field>),
            /// The keys of an endpoint's rows.
            Keys(Operation),
            /// A key of an endpoint's rows, and its type.
            RowKey(RowField),
            /// A code with the message of an endpoint, or with the message that all endpoints share.
            Error(TableRow<Code>),
            /// A channel.
            Channel(ConversationType),
        }

        impl StatementId {
            /// The subject, and the topic within it.
            fn parts(self) -> (&'static str, Cow<'static, str>) {
                match self {
                    $(Self::$id => {
                        let (subject, topic) = $name.split_once('.').expect("a dot is in each name");
                        (subject, topic.into())
                    })*
                    Self::ErrorStatus => ("everywhere", "error-status".into()),
                    Self::Param(row) => (row.subject(), row.of.name().into()),
                    Self::Keys(operation) => (operation.id(), "keys".into()),
                    Self::RowKey(field) => {
                        (field.operation().id(), format!("row.{}", field.name()).into())
                    }
                    Self::Error(row) => (row.subject(), row.of.number().to_string().into()),
                    Self::Channel(channel) => ("channel", channel.name().into()),
                }
            }
        }

        /// Every statement that is in no other table, by subject.
        pub(super) const ROWS: &[Statement] = &[$(Statement {
            id: StatementId::$id,
            says: Borrowed($says),
            source: $source,
            reading: reading!($($reading)?),
        },)*];
    };
}

/// The name: the subject and the topic, as in `conversations.page_size`.
impl fmt::Display for StatementId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (subject, topic) = self.parts();
        write!(f, "{subject}.{topic}")
    }
}

impl StatementId {
    /// The subject: an [`Endpoint::id`](crate::contract::Endpoint::id), `everywhere`, `records`, `channel`
    /// or `emulator`.
    #[must_use]
    pub fn subject(self) -> &'static str {
        self.parts().0
    }
}

impl<T> TableRow<T> {
    fn subject(&self) -> &'static str {
        self.operation.map_or("everywhere", Operation::id)
    }
}

macro_rules! reading {
    () => {
        None
    };
    ($reading:ident) => {
        Some(ReadingId::$reading)
    };
}

const EXAMPLES: Source = documented("the examples of all vendor docs");
const EXAMPLE: Source = documented("the example of the vendor doc");
const BOTH_PAGES: Source = assumed("follows from both vendor docs");
const NO_EXAMPLE: Source = assumed("no example has a % or a +; usual in query strings");
const AS_V1: Source = assumed("follows from v1, which has the same messages");
const PAST_END: Source =
    assumed("the vendor doc has the code, but does not say from which page on");
const PROMISE: Source = assumed("a promise of the emulator");

// Each row: id, name, the reading that changes it, source; the text.
rows! {
    // Every endpoint, in the order in which a request is processed.
    OrderOfChecks "everywhere.order-of-checks", source::NONE,
        "the checks are made in this order: Host, path, method, authentication, deleted agent, parameters \
         in the order of the vendor doc, start_time > end_time, conversation, page";
    UnknownPath "everywhere.unknown-path", source::NONE,
        "an unknown path is 404; so is a path with a trailing slash or in another letter case";
    OtherMethods "everywhere.other-methods", assumed("the vendor docs name only GET"),
        "a method other than GET and HEAD is 405 with `Allow`; so is `OPTIONS`";
    Head "everywhere.head", source::NONE,
        "the response to HEAD is that to GET, with its Content-Length, but without the body";
    Authentication "everywhere.authentication", EXAMPLES,
        "a request needs `Authorization: Bearer <API key>`; without it, the response is 40127";
    Agent "everywhere.agent", EXAMPLES,
        "a key belongs to one agent, so no endpoint has a parameter bot_id";
    SeveralKeys "everywhere.several-keys", assumed("the vendor docs only mention an \"API Keys page\""),
        "an agent may have several keys";
    Scheme "everywhere.scheme", source::NONE,
        "`Bearer` may be in any letter case, and one or more spaces may follow it";
    ExactKey "everywhere.key", source::NONE,
        "a key is compared exactly";
    TwoHeaders "everywhere.two-headers", source::NONE,
        "two Authorization headers are 40127";
    OtherScheme "everywhere.other-scheme", source::NONE,
        "another scheme is 40127";
    EmptyKey "everywhere.empty-key", source::NONE,
        "an empty key is 40127";
    Parameters "everywhere.parameters", EXAMPLES,
        "parameters are read from the query string; the heading \"Request Body\" in the vendor docs is a \
         mistake";
    Body "everywhere.body", source::NONE,
        "the body of a request is ignored";
    Encoding "everywhere.encoding", NO_EXAMPLE,
        "the query string is percent-encoded UTF-8";
    Plus "everywhere.plus", NO_EXAMPLE,
        "in the query string, + is a space and %2B is a plus";
    BrokenPercent "everywhere.broken-percent", source::NONE,
        "in the query string, a % without two hex digits after it is an ordinary character";
    ContentType "everywhere.content-type", source::CLIENTS,
        "a request needs no Content-Type, and may have any";
    UnknownParameter "everywhere.unknown-parameter", source::MESSAGES,
        "an unknown parameter is ignored, whatever its value is; the example of the messages doc has an \
         undocumented user_id";
    GivenTwice "everywhere.given-twice", source::NONE,
        "a known parameter that is given twice is 40000";
    EmptyValue "everywhere.empty-value", source::NONE,
        "a known parameter with an empty value is treated as absent";
    Integer "everywhere.integer", source::NONE,
        "an integer is an optional - and ASCII digits, and has to fit into signed 64 bits; 007 is 7";
    Text "everywhere.text", source::NONE,
        "a string has to be valid UTF-8 after decoding, else the response is 40000";
    Times "everywhere.times", source::CLIENTS,
        "a time is in milliseconds since 1970-01-01 UTC; 0 and negative values are valid";
    Window "everywhere.window", source::NONE,
        "both ends of a time window are inclusive";
    WindowReversed "everywhere.window-reversed", source::NONE,
        "start_time > end_time is 40000";
    Success "everywhere.success", EXAMPLES,
        "a successful response is the bare object, without an envelope";
    SuccessStatus "everywhere.success-status", source::NONE,
        "a successful response has the status 200 and is application/json";
    Compact "everywhere.compact", source::NONE,
        "a response has no white space outside strings, and non-ASCII characters are not escaped";
    Failure "everywhere.failure", documented("the vendor docs' tables of failed responses"),
        "an error response is {\"code\":…,\"message\":…}, and has exactly these two keys";
    FailureOrder "everywhere.failure-order", assumed("the order of the vendor docs' tables"),
        "in an error response, code comes before message";
    // The conversation list.
    ConversationsTotal "conversations.total" by ListTotal, source::CLIENTS,
        "total is the number of all matches over all pages";
    ConversationsOrder "conversations.order", EXAMPLE,
        "conversations are sorted by recent_chat_time, descending";
    ConversationsTies "conversations.ties", source::NONE,
        "conversations of the same time are sorted by conversation_id, ascending";
    ConversationsPastEnd "conversations.past-end" by PagePastEnd, assumed("the table of the vendor doc has no 40005"),
        "a page after the last one is 200, and has no rows and the true total";
    ConversationsWindow "conversations.window", source::LIST,
        "start_time and end_time are the limits of recent_chat_time";
    ConversationsUserExact "conversations.user-exact", source::NONE,
        "user_id is compared exactly; ALL is an ordinary user_id";
    ConversationsDecimalPoint "conversations.decimal-point", assumed("the vendor doc says float; both its examples have decimals"),
        "cost_credit always has a decimal point: 2.0";
    ConversationsSpace "conversations.space", source::NONE,
        "conversation_type SPACE matches records of type SPACE only";
    // Messages, v1.
    MessagesTotal "messages.total" by MessagesTotal, source::MESSAGES,
        "total is a number, and counts all messages of the conversation";
    MessagesOrder "messages.order" by MessagesOrder, EXAMPLE,
        "the oldest message comes first";
    MessagesChain "messages.chain", source::MESSAGES,
        "parent_message_id is the id of the previous message, empty for the first";
    MessagesTime "messages.time", EXAMPLE,
        "create_time never decreases along the chain";
    MessagesFirst "messages.first", EXAMPLE,
        "the first message may be an ANSWER, the welcome message";
    MessagesOtherAgent "messages.other-agent", source::NONE,
        "a conversation of another agent is refused as if it did not exist: 40356";
    MessagesPageSizeMax "messages.page_size-max" by PageSize, source::MESSAGES,
        "the vendor doc says \"max 100\" for page_size";
    MessagesPastEnd "messages.past-end" by PagePastEnd, PAST_END,
        "a page after the last one is 40005: page > 1 and page > ceil(total / page_size)";
    MessagesEmptyConversation "messages.empty-conversation", source::CLIENTS,
        "page 1 of a conversation without messages is 200, without rows";
    // Messages, v2.
    MessagesV2Same "messages-v2.same", source::NONE,
        "the messages are the same as those of v1";
    MessagesV2Total "messages-v2.total" by MessagesTotal, source::MESSAGES_V2,
        "total is a number, and counts all messages of the conversation";
    MessagesV2Order "messages-v2.order" by V2MessagesOrder, seen("two public clients sort the messages in ascending order themselves"),
        "the newest message comes first: the order is the exact reverse of the chain";
    MessagesV2Chain "messages-v2.chain", AS_V1,
        "parent_message_id is the id of the previous message, empty for the first";
    MessagesV2Time "messages-v2.time", AS_V1,
        "create_time never decreases along the chain";
    MessagesV2First "messages-v2.first", AS_V1,
        "the oldest message may be the welcome message of the assistant";
    MessagesV2OtherAgent "messages-v2.other-agent", source::NONE,
        "a conversation of another agent is refused as if it did not exist: 40356";
    MessagesV2PastEnd "messages-v2.past-end" by PagePastEnd, PAST_END,
        "a page after the last one is 40005: page > 1 and page > ceil(total / page_size)";
    MessagesV2EmptyConversation "messages-v2.empty-conversation", source::CLIENTS,
        "page 1 of a conversation without messages is 200, without rows";
    // The Q&A list.
    QaTotal "qa.total" by QaTotal, source::QA,
        "total is absent";
    QaOrder "qa.order" by QaOrder, EXAMPLE,
        "the oldest question comes first";
    QaTies "qa.ties", source::NONE,
        "questions of the same millisecond are sorted by id, ascending";
    QaMilliseconds "qa.milliseconds", source::NONE,
        "the window and the order use full milliseconds, whatever the unit of q_time is";
    QaWindow "qa.window", source::QA,
        "start_time and end_time are the limits of the time of the question";
    QaPastEnd "qa.past-end" by PagePastEnd, assumed("the vendor doc has no table of errors"),
        "a page after the last one is 200, and has no rows";
    // All endpoints use the same records.
    RecordsMessageCount "records.message-count", source::LIST,
        "message_count is the total of the conversation's messages";
    RecordsRecentChatTime "records.recent-chat-time", assumed("the vendor doc says \"Recent conversation time.\""),
        "recent_chat_time is the newest create_time of the conversation";
    RecordsSubject "records.subject", assumed("the vendor doc says \"Conversation subject.\""),
        "subject is the conversation's first question; it may be empty";
    RecordsPairs "records.pairs", BOTH_PAGES,
        "the Q&A rows are the pairs of a QUESTION and the ANSWER directly after it";
    RecordsAgreement "records.agreement", BOTH_PAGES,
        "convo_type and user_id of a Q&A row are those of its conversation";
    RecordsRatings "records.ratings", BOTH_PAGES,
        "GOOD in a Q&A row is POSITIVE in v2 messages, BAD is NEGATIVE, NONE is empty";
    RecordsPages "records.pages", source::CLIENTS,
        "all pages of a query together contain each match exactly once, in order";
    RecordsTotals "records.totals", source::CLIENTS,
        "all pages of a query together have as many rows as its total says";
    RecordsAll "records.all", BOTH_PAGES,
        "the rows of ALL are the rows of all channels together, or of all ratings together";
    // The values of the channels.
    ChannelCase "channel.case", source::NONE,
        "the name of a channel is in upper case and compared exactly; any other word is 40000";
    ChannelNeverAll "channel.never-all", source::NONE,
        "ALL is a filter; no record has it as its channel";
    // What the emulator adds.
    EmulatorExamples "emulator.examples", PROMISE,
        "the curl command of each vendor doc gets 200 after the host is changed, and also the key if the \
         doc has a shell placeholder for it";
    EmulatorExampleList "emulator.example-list", PROMISE,
        "the curl command of the list gets exactly the two rows of the vendor doc, if its user_id is left \
         out, which neither row has";
    EmulatorExampleMessages "emulator.example-messages", PROMISE,
        "the conversation in the curl commands for messages has 100 messages; the first three are those \
         of the vendor doc";
    EmulatorExampleQa "emulator.example-qa", PROMISE,
        "the curl command of the Q&A list, with its window moved to the times in the vendor doc, gets two \
         rows with the q_time, feedback and type of the doc; ids and texts, which the doc hides, are \
         distinct";
    EmulatorIds "emulator.ids", PROMISE,
        "generated ids look like those in the vendor docs: they have 24 hex digits; a conversation_id may \
         also have 20 letters and digits";
    EmulatorAid "emulator.aid", PROMISE,
        "aid of a Q&A row is the answer's message_id";
    EmulatorSameBytes "emulator.same-bytes", PROMISE,
        "the same seed and settings always give the same bytes";
    EmulatorReason "emulator.reason", PROMISE,
        "x-mock-reason says why a request was refused, in visible ASCII; values from the client are \
         escaped there and cut to 200 bytes";
    EmulatorOnlyJson "emulator.only-json", PROMISE,
        "every parsable HTTP request gets JSON of this contract, never a text of a framework";
    EmulatorNotHttp "emulator.not-http", PROMISE,
        "a request that the HTTP parser refuses gets an empty 4xx response";
    EmulatorCors "emulator.cors", PROMISE,
        "with --cors, OPTIONS answers CORS preflights: it allows any origin, GET and HEAD, and all \
         requested headers";
}

//! What the contract says beside its tables: one statement a row.

use std::borrow::Cow::{self, Borrowed};
use std::fmt;

use super::super::{
    Code, ConversationType, Field, Operation, ReadingId, RowField, Source, assumed, documented,
    seen, source,
};
use super::{Statement, TableRow};

macro_rules! rows {
    ($($id:ident $name:literal $(by $reading:ident)?, $source:expr, $says:literal;)*) => {
        /// Which statement.
        ///
        /// One that a table of its own holds is named by what its row is about.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum StatementId {
            $(#[doc = concat!("`", $name, "`")] $id,)*
            /// The HTTP status of every code.
            ErrorStatus,
            /// A parameter: whether it has to be there, and what it accepts.
            Param(TableRow<Field>),
            /// The keys of an endpoint's rows.
            Keys(Operation),
            /// A key of an endpoint's rows, and its type.
            RowKey(RowField),
            /// A code in the words of an endpoint, or of every endpoint.
            Error(TableRow<Code>),
            /// A channel.
            Channel(ConversationType),
        }

        impl StatementId {
            /// What it is about, and which of that.
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

        /// Every statement that no other table holds, by what it is about.
        pub(super) const ROWS: &[Statement] = &[$(Statement {
            id: StatementId::$id,
            says: Borrowed($says),
            source: $source,
            reading: reading!($($reading)?),
        },)*];
    };
}

/// The name: what it is about, and which of that, as `conversations.page_size`.
impl fmt::Display for StatementId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (subject, topic) = self.parts();
        write!(f, "{subject}.{topic}")
    }
}

impl StatementId {
    /// What it is about: the [`Endpoint::id`](crate::contract::Endpoint::id), `everywhere`, `records`,
    /// `channel` or `emulator`.
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

const EXAMPLES: Source = documented("every page's example");
const EXAMPLE: Source = documented("the page's example");
const BOTH_PAGES: Source = assumed("follows from both pages");
const NO_EXAMPLE: Source = assumed("no page's example has a % or a +; usual in query strings");
const AS_V1: Source = assumed("follows from v1: the same messages");
const PAST_END: Source = assumed("the page has the code, and does not say from which page on");
const PROMISE: Source = assumed("the emulator's own promise");

// Id, name and the reading that it goes by, source; what it says.
rows! {
    // Every endpoint, in the order in which a request meets them.
    OrderOfChecks "everywhere.order-of-checks", source::NONE,
        "checks come in this order: Host, path, method, authentication, deleted agent, parameters in the \
         page's order, start_time > end_time, conversation, page";
    UnknownPath "everywhere.unknown-path", source::NONE,
        "an unknown path is 404; a trailing slash or another case makes another path";
    OtherMethods "everywhere.other-methods", assumed("the pages name GET and no other"),
        "a method that is neither GET nor HEAD is 405 with `Allow`, `OPTIONS` included";
    Head "everywhere.head", source::NONE,
        "HEAD is answered as GET is, with its Content-Length, without the body";
    Authentication "everywhere.authentication", EXAMPLES,
        "a request needs `Authorization: Bearer <API key>`; without it the answer is 40127";
    Agent "everywhere.agent", EXAMPLES,
        "a key stands for one agent, so no endpoint takes a bot_id";
    SeveralKeys "everywhere.several-keys", assumed("the pages speak of an \"API Keys page\", and say no more"),
        "an agent may have several keys";
    Scheme "everywhere.scheme", source::NONE,
        "`Bearer` may be in any case, and has one or more spaces behind it";
    ExactKey "everywhere.key", source::NONE,
        "a key is compared exactly";
    TwoHeaders "everywhere.two-headers", source::NONE,
        "two Authorization headers are 40127";
    OtherScheme "everywhere.other-scheme", source::NONE,
        "another scheme is 40127";
    EmptyKey "everywhere.empty-key", source::NONE,
        "an empty key is 40127";
    Parameters "everywhere.parameters", EXAMPLES,
        "parameters are taken from the query string; the headings \"Request Body\" are a slip";
    Body "everywhere.body", source::NONE,
        "a body is never read";
    Encoding "everywhere.encoding", NO_EXAMPLE,
        "the query string is UTF-8, percent-encoded";
    Plus "everywhere.plus", NO_EXAMPLE,
        "in the query string + is a space, and %2B is a plus";
    BrokenPercent "everywhere.broken-percent", source::NONE,
        "in the query string a % without two hex digits is itself";
    ContentType "everywhere.content-type", source::CLIENTS,
        "a request needs no Content-Type, and may have any";
    UnknownParameter "everywhere.unknown-parameter", source::MESSAGES,
        "an unknown parameter is ignored, whatever it holds; the example of the messages page has an \
         undescribed user_id";
    GivenTwice "everywhere.given-twice", source::NONE,
        "a known parameter twice is 40000";
    EmptyValue "everywhere.empty-value", source::NONE,
        "a known parameter that is empty is as if absent";
    Integer "everywhere.integer", source::NONE,
        "an integer is ASCII digits, with - before them or not, and fits into signed 64 bits; 007 is 7";
    Text "everywhere.text", source::NONE,
        "a text has to be valid UTF-8 after decoding, else the answer is 40000";
    Times "everywhere.times", source::CLIENTS,
        "a time is in milliseconds since 1970-01-01 UTC; 0 and negative values are fine";
    Window "everywhere.window", source::NONE,
        "a window of time has both of its ends in it";
    WindowReversed "everywhere.window-reversed", source::NONE,
        "start_time > end_time is 40000";
    Success "everywhere.success", EXAMPLES,
        "a successful response is the bare object, without an envelope";
    SuccessStatus "everywhere.success-status", source::NONE,
        "a successful response has the status 200 and is application/json";
    Compact "everywhere.compact", source::NONE,
        "a response has no white space outside strings, and its UTF-8 is not escaped";
    Failure "everywhere.failure", documented("the pages' tables of failed responses"),
        "a refusal is {\"code\":…,\"message\":…}: it has exactly these two keys";
    FailureOrder "everywhere.failure-order", assumed("the order of the pages' tables"),
        "in a refusal code comes before message";
    // The conversation list.
    ConversationsTotal "conversations.total" by ListTotal, source::CLIENTS,
        "total is the number of all matches, over all pages";
    ConversationsOrder "conversations.order", EXAMPLE,
        "conversations are sorted by recent_chat_time, descending";
    ConversationsTies "conversations.ties", source::NONE,
        "conversations of the same time are sorted by conversation_id, ascending";
    ConversationsPastEnd "conversations.past-end" by PagePastEnd, assumed("the page's table lacks 40005; it says no more"),
        "a page past the end is 200, and has no rows and the true total";
    ConversationsWindow "conversations.window", source::LIST,
        "start_time and end_time bound recent_chat_time";
    ConversationsUserExact "conversations.user-exact", source::NONE,
        "user_id is compared exactly; ALL is a user like any other";
    ConversationsDecimalPoint "conversations.decimal-point", assumed("the page says float; both its examples have decimals"),
        "cost_credit always has a decimal point: 2.0";
    ConversationsSpace "conversations.space", source::NONE,
        "conversation_type SPACE matches records of type SPACE only";
    // Messages, v1.
    MessagesTotal "messages.total" by MessagesTotal, source::MESSAGES,
        "total is a number, that of all messages of the conversation";
    MessagesOrder "messages.order" by MessagesOrder, EXAMPLE,
        "the oldest message comes first";
    MessagesChain "messages.chain", source::MESSAGES,
        "parent_message_id is the message before, empty for the first";
    MessagesTime "messages.time", EXAMPLE,
        "create_time never falls along the chain";
    MessagesFirst "messages.first", EXAMPLE,
        "the first message may be an ANSWER, the welcome message";
    MessagesOtherAgent "messages.other-agent", source::NONE,
        "another agent's conversation does not exist: 40356";
    MessagesPageSizeMax "messages.page_size-max" by PageSize, source::MESSAGES,
        "the page says of page_size that it is \"max 100\"";
    MessagesPastEnd "messages.past-end" by PagePastEnd, PAST_END,
        "a page past the end is 40005, when page > 1 and page > ceil(total / page_size)";
    MessagesEmptyConversation "messages.empty-conversation", source::CLIENTS,
        "page 1 of a conversation without messages is 200, without rows";
    // Messages, v2.
    MessagesV2Same "messages-v2.same", source::NONE,
        "the messages are the same as those of v1";
    MessagesV2Total "messages-v2.total" by MessagesTotal, source::MESSAGES_V2,
        "total is a number, that of all messages of the conversation";
    MessagesV2Order "messages-v2.order" by V2MessagesOrder, seen("two public clients sort ascending themselves"),
        "the newest message comes first: the order is the exact reverse of the chain";
    MessagesV2Chain "messages-v2.chain", AS_V1,
        "parent_message_id is the message before, empty for the first";
    MessagesV2Time "messages-v2.time", AS_V1,
        "create_time never falls along the chain";
    MessagesV2First "messages-v2.first", AS_V1,
        "the oldest message may be the assistant's, the welcome message";
    MessagesV2OtherAgent "messages-v2.other-agent", source::NONE,
        "another agent's conversation does not exist: 40356";
    MessagesV2PastEnd "messages-v2.past-end" by PagePastEnd, PAST_END,
        "a page past the end is 40005, when page > 1 and page > ceil(total / page_size)";
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
        "the window and the order go by the full milliseconds, whatever q_time shows";
    QaWindow "qa.window", source::QA,
        "start_time and end_time bound the time of the question";
    QaPastEnd "qa.past-end" by PagePastEnd, assumed("the page has no table of errors"),
        "a page past the end is 200, and has no rows";
    // One set of records behind all endpoints.
    RecordsMessageCount "records.message-count", source::LIST,
        "message_count is the total of the conversation's messages";
    RecordsRecentChatTime "records.recent-chat-time", assumed("the page says \"Recent conversation time.\""),
        "recent_chat_time is the newest create_time of the conversation";
    RecordsSubject "records.subject", assumed("the page says \"Conversation subject.\""),
        "subject is the conversation's first question; it may be empty";
    RecordsPairs "records.pairs", BOTH_PAGES,
        "Q&A rows are the pairs of a QUESTION and the ANSWER right after it";
    RecordsAgreement "records.agreement", BOTH_PAGES,
        "convo_type and user_id of a Q&A row are those of its conversation";
    RecordsRatings "records.ratings", BOTH_PAGES,
        "GOOD in a Q&A row is POSITIVE in v2 messages, BAD is NEGATIVE, NONE is empty";
    RecordsPages "records.pages", source::CLIENTS,
        "all pages of a query hold each match exactly once, in order";
    RecordsTotals "records.totals", source::CLIENTS,
        "all pages of a query together hold as many rows as its total says";
    RecordsAll "records.all", BOTH_PAGES,
        "the channels together are ALL, and so are the ratings";
    // The words of the channels.
    ChannelCase "channel.case", source::NONE,
        "the name of a channel is in upper case and compared exactly; any other word is 40000";
    ChannelNeverAll "channel.never-all", source::NONE,
        "ALL is a filter; no record has it as its channel";
    // What the emulator adds.
    EmulatorExamples "emulator.examples", PROMISE,
        "each page's curl answers 200, with the host changed, and the key where the page prints a \
         shell's placeholder";
    EmulatorExampleList "emulator.example-list", PROMISE,
        "the curl of the list's page, without its user_id, which neither row has, gets exactly the \
         page's two rows";
    EmulatorExampleMessages "emulator.example-messages", PROMISE,
        "the conversation in the curl of the messages' pages has 100 messages, which begin with the \
         page's three";
    EmulatorExampleQa "emulator.example-qa", PROMISE,
        "the curl of the Q&A list's page, its window moved to the page's times, gets two rows with the \
         page's q_time, feedback and type; ids and texts, which the page hides, are distinct";
    EmulatorIds "emulator.ids", PROMISE,
        "ids that are generated look as the pages' do: they have 24 hex digits; a conversation_id may \
         also have 20 letters and digits";
    EmulatorAid "emulator.aid", PROMISE,
        "aid of a Q&A row is the answer's message_id";
    EmulatorSameBytes "emulator.same-bytes", PROMISE,
        "the same seed and settings give the same bytes, for ever";
    EmulatorReason "emulator.reason", PROMISE,
        "x-mock-reason says why a request was refused, in visible ASCII; what a client sent is \
         escaped there and cut to 200 bytes";
    EmulatorOnlyJson "emulator.only-json", PROMISE,
        "whoever sends parsable HTTP gets JSON of this contract, never the text of a framework";
    EmulatorNotHttp "emulator.not-http", PROMISE,
        "what the HTTP parser refuses gets an empty 4xx";
    EmulatorCors "emulator.cors", PROMISE,
        "with --cors, OPTIONS answers preflights: it allows any origin, GET and HEAD, and the headers \
         asked for";
}

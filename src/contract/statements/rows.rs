//! What the contract says beside its tables: one statement a row.

use std::borrow::Cow::Borrowed;

use super::super::{Source, assumed, documented, page, seen};
use super::Statement;

macro_rules! rows {
    ($($id:literal $(by $reading:literal)?, $source:expr, $says:literal;)*) => {
        /// Every statement that no other table holds, by what it is about.
        pub(super) const ROWS: &[Statement] = &[$(Statement {
            id: Borrowed($id),
            says: Borrowed($says),
            source: $source,
            reading: reading!($($reading)?),
        },)*];
    };
}

macro_rules! reading {
    () => {
        None
    };
    ($reading:literal) => {
        Some($reading)
    };
}

const EXAMPLES: Source = documented("every page's example");
const EXAMPLE: Source = documented("the page's example");
const CLIENTS: Source = seen(page::CLIENTS);
const OURS: Source = assumed(page::NONE);
const BOTH_PAGES: Source = assumed("follows from both pages");
const NO_EXAMPLE: Source = assumed("no page's example has a % or a +; usual in query strings");
const AS_V1: Source = assumed("follows from v1: the same messages");
const PAST_END: Source = assumed("the page has the code, and does not say from which page on");
const PROMISE: Source = assumed("the emulator's own promise");

// Name and the reading that it goes by, source; what it says.
rows! {
    // Every endpoint, in the order in which a request meets them.
    "everywhere.order-of-checks", OURS,
        "Host, path, method, authentication, deleted agent, parameters in the page's order, start_time \
         > end_time, conversation, page";
    "everywhere.unknown-path", OURS,
        "404; a trailing slash or another case is another path";
    "everywhere.other-methods", assumed("the pages name GET and no other"),
        "405 with `Allow`, `OPTIONS` included";
    "everywhere.head", OURS,
        "as GET, with its Content-Length, without the body";
    "everywhere.authentication", EXAMPLES,
        "`Authorization: Bearer <API key>`; without it 40127";
    "everywhere.agent", EXAMPLES,
        "a key stands for one agent, so no endpoint takes a bot_id";
    "everywhere.several-keys", assumed("the pages speak of an \"API Keys page\", and say no more"),
        "an agent may have several keys";
    "everywhere.scheme", OURS,
        "`Bearer` in any case, then one or more spaces";
    "everywhere.key", OURS,
        "compared exactly";
    "everywhere.two-headers", OURS,
        "two Authorization headers are 40127";
    "everywhere.other-scheme", OURS,
        "another scheme is 40127";
    "everywhere.empty-key", OURS,
        "an empty key is 40127";
    "everywhere.parameters", EXAMPLES,
        "stand in the query string; the headings \"Request Body\" are a slip";
    "everywhere.body", OURS,
        "a body is never read";
    "everywhere.encoding", NO_EXAMPLE,
        "UTF-8, percent-encoded";
    "everywhere.plus", NO_EXAMPLE,
        "+ is a space, %2B is a plus";
    "everywhere.broken-percent", OURS,
        "a % without two hex digits is itself";
    "everywhere.content-type", CLIENTS,
        "a request needs none, and may have any";
    "everywhere.unknown-parameter", documented(page::MESSAGES),
        "ignored, whatever it holds; the example of the messages page has an undescribed user_id";
    "everywhere.given-twice", OURS,
        "a known parameter twice is 40000";
    "everywhere.empty-value", OURS,
        "a known parameter that is empty is as if absent";
    "everywhere.integer", OURS,
        "optional -, ASCII digits, within a signed 64-bit integer; 007 is 7";
    "everywhere.text", OURS,
        "valid UTF-8 after decoding, else 40000";
    "everywhere.times", CLIENTS,
        "milliseconds since 1970-01-01 UTC; 0 and negative values are fine";
    "everywhere.window", OURS,
        "both ends inclusive";
    "everywhere.window-reversed", OURS,
        "start_time > end_time is 40000";
    "everywhere.success", EXAMPLES,
        "the bare object, no envelope";
    "everywhere.success-status", OURS,
        "200, application/json";
    "everywhere.compact", OURS,
        "no white space outside strings, UTF-8 unescaped";
    "everywhere.failure", documented("the pages' tables of failed responses"),
        "{\"code\":…,\"message\":…}: exactly these two keys";
    "everywhere.failure-order", assumed("the order of the pages' tables"),
        "code stands before message";
    // The conversation list.
    "conversations.total" by "list-total", CLIENTS,
        "all matches, over all pages";
    "conversations.order", EXAMPLE,
        "recent_chat_time descending";
    "conversations.ties", OURS,
        "at the same time by conversation_id, ascending";
    "conversations.past-end" by "page-past-end", assumed("the page's table lacks 40005; it says no more"),
        "200, no rows, the true total";
    "conversations.window", documented(page::LIST),
        "start_time and end_time bound recent_chat_time";
    "conversations.user-exact", OURS,
        "user_id is compared exactly; ALL is a user like any other";
    "conversations.decimal-point", assumed("the page says float; both its examples have decimals"),
        "cost_credit always has a decimal point: 2.0";
    "conversations.space", OURS,
        "conversation_type SPACE matches records of type SPACE only";
    // Messages, v1.
    "messages.total" by "messages-total", documented(page::MESSAGES),
        "all messages of the conversation, a number";
    "messages.order" by "messages-order", EXAMPLE,
        "oldest first";
    "messages.chain", documented(page::MESSAGES),
        "parent_message_id is the message before, empty for the first";
    "messages.time", EXAMPLE,
        "create_time never falls along the chain";
    "messages.first", EXAMPLE,
        "may be an ANSWER, the welcome message";
    "messages.other-agent", OURS,
        "another agent's conversation does not exist: 40356";
    "messages.page_size-max" by "page-size", documented(page::MESSAGES),
        "page_size: \"max 100\"";
    "messages.past-end" by "page-past-end", PAST_END,
        "40005 when page > 1 and page > ceil(total / page_size)";
    "messages.empty-conversation", CLIENTS,
        "page 1 is 200, without rows";
    // Messages, v2.
    "messages-v2.same", OURS,
        "the same messages as v1";
    "messages-v2.total" by "messages-total", documented(page::MESSAGES_V2),
        "all messages of the conversation, a number";
    "messages-v2.order" by "v2-messages-order", seen("two public clients sort ascending themselves"),
        "newest first, the exact reverse of the chain";
    "messages-v2.chain", AS_V1,
        "parent_message_id is the message before, empty for the first";
    "messages-v2.time", AS_V1,
        "create_time never falls along the chain";
    "messages-v2.first", AS_V1,
        "the oldest may be the assistant's, the welcome message";
    "messages-v2.other-agent", OURS,
        "another agent's conversation does not exist: 40356";
    "messages-v2.past-end" by "page-past-end", PAST_END,
        "40005 when page > 1 and page > ceil(total / page_size)";
    "messages-v2.empty-conversation", CLIENTS,
        "page 1 is 200, without rows";
    // The Q&A list.
    "qa.total" by "qa-total", documented(page::QA),
        "absent";
    "qa.order" by "qa-order", EXAMPLE,
        "oldest question first";
    "qa.ties", OURS,
        "questions of the same millisecond by id, ascending";
    "qa.milliseconds", OURS,
        "the window and the order go by the full milliseconds, whatever q_time shows";
    "qa.window", documented(page::QA),
        "start_time and end_time bound the time of the question";
    "qa.past-end" by "page-past-end", assumed("the page has no table of errors"),
        "200, no rows";
    // One set of records behind all endpoints.
    "records.message-count", documented(page::LIST),
        "message_count is the total of the conversation's messages";
    "records.recent-chat-time", assumed("the page says \"Recent conversation time.\""),
        "recent_chat_time is the newest create_time of the conversation";
    "records.subject", assumed("the page says \"Conversation subject.\""),
        "subject is the conversation's first question; it may be empty";
    "records.pairs", BOTH_PAGES,
        "Q&A rows are the pairs of a QUESTION and the ANSWER right after it";
    "records.agreement", BOTH_PAGES,
        "convo_type and user_id of a Q&A row are those of its conversation";
    "records.ratings", BOTH_PAGES,
        "GOOD in a Q&A row is POSITIVE in v2 messages, BAD is NEGATIVE, NONE is empty";
    "records.pages", CLIENTS,
        "all pages of a query hold each match exactly once, in order";
    "records.totals", CLIENTS,
        "all pages of a query together hold as many rows as its total says";
    "records.all", BOTH_PAGES,
        "the channels together are ALL, and so are the ratings";
    // The words of the channels.
    "channel.case", OURS,
        "upper case, compared exactly; any other word is 40000";
    "channel.never-all", OURS,
        "ALL is a filter; no record has it as its channel";
    // What the emulator adds.
    "emulator.examples", PROMISE,
        "each page's curl answers 200, with the host changed, and the key where the page prints a \
         shell's placeholder";
    "emulator.example-list", PROMISE,
        "the list's, without its user_id, which neither row has, holds exactly the page's two rows";
    "emulator.example-messages", PROMISE,
        "the conversation of the messages' has 100 messages, which begin with the page's three";
    "emulator.example-qa", PROMISE,
        "the Q&A list's, its window moved to the page's times, holds two rows with the page's \
         q_time, feedback and type; ids and texts, which the page hides, are distinct";
    "emulator.ids", PROMISE,
        "those that are generated look as the pages' do: 24 hex digits; a conversation_id also 20 \
         letters and digits";
    "emulator.aid", PROMISE,
        "aid of a Q&A row is the answer's message_id";
    "emulator.same-bytes", PROMISE,
        "the same seed and settings give the same bytes, for ever";
    "emulator.reason", PROMISE,
        "x-mock-reason says why a request was refused, in visible ASCII; what a client sent is \
         escaped there and cut to 200 bytes";
    "emulator.only-json", PROMISE,
        "whoever sends parsable HTTP gets JSON of this contract, never the text of a framework";
    "emulator.not-http", PROMISE,
        "what the HTTP parser refuses gets an empty 4xx";
    "emulator.cors", PROMISE,
        "with --cors, OPTIONS answers preflights: any origin, GET and HEAD, the headers asked for";
}

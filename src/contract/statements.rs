//! What the contract says beside its tables: one statement a row.

use super::{Source, assumed, documented, page, seen};

/// A behaviour that no other table holds.
#[derive(Clone, Copy, Debug)]
pub struct Statement {
    /// What it is about.
    pub subject: &'static str,
    /// What happens.
    pub says: &'static str,
    /// Where it comes from.
    pub source: Source,
    /// The reading that changes it, if one does.
    pub reading: Option<&'static str>,
}

const fn row(subject: &'static str, says: &'static str, source: Source) -> Statement {
    Statement { subject, says, source, reading: None }
}

const fn open(
    subject: &'static str,
    says: &'static str,
    source: Source,
    reading: &'static str,
) -> Statement {
    Statement { subject, says, source, reading: Some(reading) }
}

const EXAMPLES: Source = documented("every page's example");
const CLIENTS: Source = seen(page::CLIENTS);
const OURS: Source = assumed(page::NONE);

/// Every statement, in the order in which a request meets them.
pub const STATEMENTS: &[Statement] = &[
    row(
        "order of checks",
        "path, method, authentication, deleted agent, parameters in the page's order, \
         start_time > end_time, conversation, page",
        OURS,
    ),
    row("unknown path", "404; a trailing slash or another case is another path", OURS),
    row("other methods", "405 with `Allow`, `OPTIONS` included", documented("\"an error\"")),
    row("HEAD", "as GET, with its Content-Length, without the body", OURS),
    row("authentication", "`Authorization: Bearer <API key>`", EXAMPLES),
    row(
        "one key, one agent",
        "no endpoint takes a bot_id; an agent may have several keys",
        EXAMPLES,
    ),
    row("scheme", "in any case, then one or more spaces; the key compared exactly", OURS),
    row("two Authorization headers, another scheme, an empty key", "40127", OURS),
    row(
        "parameters",
        "in the query string; the headings \"Request Body\" are a slip; a body is never read",
        EXAMPLES,
    ),
    row("encoding", "UTF-8, percent-encoded, + is a space", EXAMPLES),
    row("a % without two hex digits", "is itself", OURS),
    row("Content-Type of a request", "never required", CLIENTS),
    row(
        "unknown parameter",
        "ignored; the examples of both messages pages carry an undescribed user_id",
        documented(page::MESSAGES),
    ),
    row("known parameter twice", "40000", OURS),
    row("known parameter, empty", "as if absent", OURS),
    row(
        "integer",
        "optional -, ASCII digits, within a signed 64-bit integer; leading zeros are fine",
        OURS,
    ),
    row("text", "valid UTF-8 after decoding, else 40000", OURS),
    row("times", "milliseconds since 1970-01-01 UTC; 0 and negative values are fine", CLIENTS),
    row("time window", "both ends inclusive; start_time > end_time is 40000", OURS),
    open("page_size outside its range", "40000", OURS, "page-size"),
    open("Q&A query without user_feedback", "40000", documented(page::QA), "feedback-absent"),
    row("success", "200, the bare object, no envelope", EXAMPLES),
    row("white space, escapes", "compact, UTF-8 unescaped", OURS),
    row("failure", "{\"code\":…,\"message\":…}, exactly these two keys", EXAMPLES),
    open("HTTP status of a failure", "400, 401, 429 or 500 by code", OURS, "error-status"),
    open(
        "deleted agent's message",
        "says Agent",
        documented("newer pages; the earlier ones say Bot"),
        "wording",
    ),
    open("total of the conversation list", "all matches, over all pages", CLIENTS, "list-total"),
    open(
        "conversation list past its end",
        "200, no rows, the true total",
        documented("no 40005 in the page's table"),
        "page-past-end",
    ),
    open("ninth key of a conversation", "absent", documented(page::LIST), "anonymous-id"),
    row("conversation_type SPACE", "matches records of type SPACE only", OURS),
    row(
        "messages of a conversation",
        "form a chain by parent_message_id",
        documented(page::MESSAGES),
    ),
    row("first message", "may be an ANSWER, the welcome message", documented(page::MESSAGES)),
    open("total of messages", "a number", documented(page::MESSAGES), "messages-total"),
    open("order of v1 messages", "oldest first", documented(page::MESSAGES), "messages-order"),
    open("order of v2 messages", "newest first", CLIENTS, "v2-messages-order"),
    row("another agent's conversation", "does not exist: 40356", OURS),
    open(
        "messages past the last page",
        "40005 when page > 1 and page > ceil(total / page_size)",
        documented(page::MESSAGES),
        "page-past-end",
    ),
    row("page 1 of an empty conversation", "200, no rows", CLIENTS),
    open("total of the Q&A list", "absent", documented(page::QA), "qa-total"),
    open("order of the Q&A list", "oldest question first", documented(page::QA), "qa-order"),
    open("unit of q_time", "seconds, rounded down", documented(page::QA), "qa-time"),
    open(
        "Q&A list past its end",
        "200, no rows",
        documented("the page has no table of errors"),
        "page-past-end",
    ),
    row(
        "ties in time",
        "the conversation list by conversation_id, the Q&A list by id, both ascending",
        OURS,
    ),
    row(
        "Q&A rows",
        "the pairs of a QUESTION and the ANSWER right after it",
        assumed("follows from both pages"),
    ),
    row(
        "message_count, recent_chat_time",
        "the number of messages; the newest create_time",
        documented(page::LIST),
    ),
];

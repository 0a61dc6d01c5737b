//! What the contract says beside its tables: one statement a row.

use super::super::{Source, assumed, documented, page, seen};
use super::Statement;

const fn row(
    id: &'static str,
    says: &'static str,
    source: Source,
    test: &'static str,
) -> Statement {
    open(id, says, source, test, None)
}

const fn open(
    id: &'static str,
    says: &'static str,
    source: Source,
    test: &'static str,
    reading: Option<&'static str>,
) -> Statement {
    use std::borrow::Cow::Borrowed;
    Statement { id: Borrowed(id), says: Borrowed(says), source, reading, test: Borrowed(test) }
}

const EXAMPLES: Source = documented("every page's example");
const EXAMPLE: Source = documented("the page's example");
const CLIENTS: Source = seen(page::CLIENTS);
const OURS: Source = assumed(page::NONE);
const BOTH_PAGES: Source = assumed("follows from both pages");
const PROMISE: Source = assumed("the emulator's own promise");

/// Every statement that no other table holds, by what it is about.
pub(super) const ROWS: &[Statement] = &[
    // Every endpoint, in the order in which a request meets them.
    row(
        "everywhere.order-of-checks",
        "path, method, authentication, deleted agent, parameters in the page's order, \
         start_time > end_time, conversation, page",
        OURS,
        "requests::wrong_list_parameters_are_told_in_the_pages_order",
    ),
    row(
        "everywhere.unknown-path",
        "404; a trailing slash or another case is another path",
        OURS,
        "requests::every_other_path_is_404",
    ),
    row(
        "everywhere.other-methods",
        "405 with `Allow`, `OPTIONS` included",
        documented("\"an error\""),
        "requests::every_other_method_is_405",
    ),
    row(
        "everywhere.head",
        "as GET, with its Content-Length, without the body",
        OURS,
        "requests::head_gets_the_head_of_an_answer",
    ),
    row(
        "everywhere.authentication",
        "`Authorization: Bearer <API key>`; without it 40127",
        EXAMPLES,
        "authentication::a_request_needs_the_header",
    ),
    row(
        "everywhere.agent",
        "a key stands for one agent, so no endpoint takes a bot_id",
        EXAMPLES,
        "authentication::a_key_stands_for_one_agent",
    ),
    row(
        "everywhere.several-keys",
        "an agent may have several keys",
        EXAMPLES,
        "authentication::an_agent_may_have_several_keys",
    ),
    row(
        "everywhere.scheme",
        "`Bearer` in any case, then one or more spaces",
        OURS,
        "authentication::the_scheme_is_compared_without_regard_to_case",
    ),
    row("everywhere.key", "compared exactly", OURS, "authentication::a_key_is_compared_exactly"),
    row(
        "everywhere.two-headers",
        "two Authorization headers are 40127",
        OURS,
        "authentication::two_headers_are_refused_even_when_both_are_right",
    ),
    row(
        "everywhere.other-scheme",
        "another scheme is 40127",
        OURS,
        "authentication::another_scheme_is_refused",
    ),
    row(
        "everywhere.empty-key",
        "an empty key is 40127",
        OURS,
        "authentication::an_empty_key_is_refused",
    ),
    row(
        "everywhere.parameters",
        "stand in the query string; the headings \"Request Body\" are a slip; a body is never read",
        EXAMPLES,
        "requests::parameters_in_a_body_count_for_nothing",
    ),
    row(
        "everywhere.encoding",
        "UTF-8, percent-encoded, + is a space",
        EXAMPLES,
        "conversation_list::a_plus_is_a_space_and_an_encoded_plus_is_a_plus",
    ),
    row(
        "everywhere.broken-percent",
        "a % without two hex digits is itself",
        OURS,
        "conversation_list::a_percent_sign_without_two_hex_digits_is_itself",
    ),
    row(
        "everywhere.content-type",
        "a request needs none, and may have any",
        CLIENTS,
        "requests::any_content_type_and_none_is_fine",
    ),
    row(
        "everywhere.unknown-parameter",
        "ignored, whatever it holds; the example of the messages page has an undescribed user_id",
        documented(page::MESSAGES),
        "limits::an_unknown_parameter_is_ignored_whatever_it_holds",
    ),
    row(
        "everywhere.given-twice",
        "a known parameter twice is 40000",
        OURS,
        "limits::a_parameter_given_twice_is_refused",
    ),
    row(
        "everywhere.empty-value",
        "a known parameter that is empty is as if absent",
        OURS,
        "vendor::an_empty_parameter_is_as_if_absent",
    ),
    row(
        "everywhere.integer",
        "optional -, ASCII digits, within a signed 64-bit integer; 007 is 7",
        OURS,
        "vendor::integers_are_digits_with_an_optional_minus",
    ),
    row(
        "everywhere.text",
        "valid UTF-8 after decoding, else 40000",
        OURS,
        "limits::a_value_that_is_not_utf_8_is_refused",
    ),
    row(
        "everywhere.times",
        "milliseconds since 1970-01-01 UTC; 0 and negative values are fine",
        CLIENTS,
        "conversation_list::time_zero_and_times_before_it_are_times",
    ),
    row(
        "everywhere.window",
        "both ends inclusive",
        OURS,
        "conversation_list::a_window_may_be_one_instant",
    ),
    row(
        "everywhere.window-reversed",
        "start_time > end_time is 40000",
        OURS,
        "conversation_list::a_window_may_not_end_before_it_starts",
    ),
    row(
        "everywhere.success",
        "200, application/json, the bare object, no envelope",
        EXAMPLES,
        "vendor::the_list_example_holds_the_pages_two_rows",
    ),
    row(
        "everywhere.compact",
        "no white space outside strings, UTF-8 unescaped",
        OURS,
        "messages::texts_are_escaped_no_more_than_json_requires",
    ),
    row(
        "everywhere.failure",
        "{\"code\":…,\"message\":…}: exactly these two keys, in this order",
        EXAMPLES,
        "vendor_errors::messages_40000",
    ),
    open(
        "everywhere.error-status",
        "400, 401, 429 or 500 by code",
        OURS,
        "readings::error_status_mapped_answers_400_and_401",
        Some("error-status"),
    ),
    // The conversation list.
    open(
        "conversations.total",
        "all matches, over all pages",
        CLIENTS,
        "readings::list_total_counts_all_matches_or_the_page",
        Some("list-total"),
    ),
    row(
        "conversations.order",
        "recent_chat_time descending",
        EXAMPLE,
        "conversation_list::the_newest_comes_first",
    ),
    row(
        "conversations.ties",
        "at the same time by conversation_id, ascending",
        OURS,
        "conversation_list::at_the_same_time_ids_ascend",
    ),
    open(
        "conversations.past-end",
        "200, no rows, the true total",
        documented("no 40005 in the page's table"),
        "page_readings::page_past_end_documented_refuses_messages_only",
        Some("page-past-end"),
    ),
    row(
        "conversations.space",
        "conversation_type SPACE matches records of type SPACE only",
        OURS,
        "conversation_list::space_matches_space_only",
    ),
    // Messages, v1.
    open(
        "messages.total",
        "all messages of the conversation, a number",
        documented(page::MESSAGES),
        "readings::messages_total_is_a_number_or_a_string",
        Some("messages-total"),
    ),
    open(
        "messages.order",
        "oldest first",
        EXAMPLE,
        "readings::messages_order_reverses_v1",
        Some("messages-order"),
    ),
    row(
        "messages.chain",
        "parent_message_id is the message before, empty for the first",
        documented(page::MESSAGES),
        "messages::each_parent_is_the_message_before",
    ),
    row(
        "messages.time",
        "create_time never falls along the chain",
        EXAMPLE,
        "consistency::messages_are_a_chain_along_which_time_never_falls",
    ),
    row(
        "messages.first",
        "may be an ANSWER, the welcome message",
        EXAMPLE,
        "messages::the_welcome_message_comes_first",
    ),
    row(
        "messages.other-agent",
        "another agent's conversation does not exist: 40356",
        OURS,
        "messages::another_agents_conversation_is_missing",
    ),
    open(
        "messages.past-end",
        "40005 when page > 1 and page > ceil(total / page_size)",
        documented(page::MESSAGES),
        "page_readings::page_past_end_documented_refuses_messages_only",
        Some("page-past-end"),
    ),
    row(
        "messages.empty-conversation",
        "page 1 is 200, without rows",
        CLIENTS,
        "messages::page_1_of_an_empty_conversation_is_empty",
    ),
    // Messages, v2.
    row("messages-v2.same", "the same messages as v1", OURS, "consistency::v2_is_v1_backwards"),
    open(
        "messages-v2.total",
        "all messages of the conversation, a number",
        documented(page::MESSAGES_V2),
        "readings::messages_total_is_a_number_or_a_string",
        Some("messages-total"),
    ),
    open(
        "messages-v2.order",
        "newest first, the exact reverse of the chain",
        seen("two public clients sort ascending themselves"),
        "readings::v2_messages_order_reverses_v2",
        Some("v2-messages-order"),
    ),
    open(
        "messages-v2.past-end",
        "40005 when page > 1 and page > ceil(total / page_size)",
        documented(page::MESSAGES_V2),
        "page_readings::page_past_end_documented_refuses_messages_only",
        Some("page-past-end"),
    ),
    // The Q&A list.
    open(
        "qa.total",
        "absent",
        documented(page::QA),
        "readings::qa_total_is_absent_or_the_last_key",
        Some("qa-total"),
    ),
    open(
        "qa.order",
        "oldest question first",
        EXAMPLE,
        "readings::qa_order_reverses_the_qa_list",
        Some("qa-order"),
    ),
    row(
        "qa.ties",
        "questions of the same millisecond by id, ascending",
        OURS,
        "qa::at_the_same_time_ids_ascend",
    ),
    row(
        "qa.milliseconds",
        "the window and the order go by the full milliseconds, whatever q_time shows",
        OURS,
        "qa::within_a_second_the_millisecond_decides",
    ),
    open(
        "qa.past-end",
        "200, no rows",
        documented("the page has no table of errors"),
        "page_readings::page_past_end_documented_refuses_messages_only",
        Some("page-past-end"),
    ),
    // One set of records behind all endpoints.
    row(
        "records.message-count",
        "message_count is the total of the conversation's messages",
        documented(page::LIST),
        "consistency::a_conversation_counts_its_messages_and_ends_with_the_newest",
    ),
    row(
        "records.recent-chat-time",
        "recent_chat_time is the newest create_time of the conversation",
        documented(page::LIST),
        "consistency::a_conversation_counts_its_messages_and_ends_with_the_newest",
    ),
    row(
        "records.pairs",
        "Q&A rows are the pairs of a QUESTION and the ANSWER right after it",
        BOTH_PAGES,
        "consistency::qa_rows_are_exactly_the_questions_answered_right_after",
    ),
    row(
        "records.ratings",
        "GOOD in a Q&A row is POSITIVE in v2 messages, BAD is NEGATIVE, NONE is empty",
        BOTH_PAGES,
        "consistency::qa_rows_are_exactly_the_questions_answered_right_after",
    ),
    row(
        "records.pages",
        "all pages of a query hold each match exactly once, in order",
        CLIENTS,
        "paging::random_fixtures_are_served_as_a_naive_model_says",
    ),
    row(
        "records.all",
        "the channels together are ALL, and so are the ratings",
        BOTH_PAGES,
        "paging::filters_partition_generated_records",
    ),
    // What the emulator adds.
    row(
        "emulator.examples",
        "each page's curl, with the host changed, answers 200 with the page's rows",
        PROMISE,
        "vendor::the_messages_example_begins_with_the_pages_three_messages",
    ),
    row(
        "emulator.ids",
        "those that are generated look as the pages' do: 24 hex digits; a conversation_id also 20 \
         letters and digits",
        EXAMPLES,
        "consistency::ids_have_the_documented_forms_and_are_unique",
    ),
    row(
        "emulator.same-bytes",
        "the same seed and settings give the same bytes, for ever",
        PROMISE,
        "determinism::generated_bytes_are_those_of_the_first_release",
    ),
];

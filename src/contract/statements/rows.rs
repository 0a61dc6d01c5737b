//! What the contract says beside its tables: one statement a row.

use std::borrow::Cow::Borrowed;

use super::super::{Code, Source, assumed, documented, page, seen};
use super::Statement;

macro_rules! rows {
    ($($id:literal, $source:expr, $test:literal $(by $reading:literal)?, $says:literal;)*) => {
        /// Every statement that no other table holds, by what it is about.
        pub(super) const ROWS: &[Statement] = &[$(Statement {
            id: Borrowed($id),
            says: Borrowed($says),
            source: $source,
            reading: reading!($($reading)?),
            test: Borrowed($test),
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
const PROMISE: Source = assumed("the emulator's own promise");

// Name, source, the test that holds it and the reading that it goes by; what it says.
rows! {
    // Every endpoint, in the order in which a request meets them.
    "everywhere.order-of-checks", OURS,
        "requests::wrong_list_parameters_are_told_in_the_pages_order",
        "path, method, authentication, deleted agent, parameters in the page's order, start_time \
         > end_time, conversation, page";
    "everywhere.unknown-path", OURS, "requests::every_other_path_is_404",
        "404; a trailing slash or another case is another path";
    "everywhere.other-methods", documented("\"an error\""), "requests::every_other_method_is_405",
        "405 with `Allow`, `OPTIONS` included";
    "everywhere.head", OURS, "requests::head_gets_the_head_of_an_answer",
        "as GET, with its Content-Length, without the body";
    "everywhere.authentication", EXAMPLES, "authentication::a_request_needs_the_header",
        "`Authorization: Bearer <API key>`; without it 40127";
    "everywhere.agent", EXAMPLES, "authentication::a_key_stands_for_one_agent",
        "a key stands for one agent, so no endpoint takes a bot_id";
    "everywhere.several-keys", EXAMPLES, "authentication::an_agent_may_have_several_keys",
        "an agent may have several keys";
    "everywhere.scheme", OURS, "authentication::the_scheme_is_compared_without_regard_to_case",
        "`Bearer` in any case, then one or more spaces";
    "everywhere.key", OURS, "authentication::a_key_is_compared_exactly",
        "compared exactly";
    "everywhere.two-headers", OURS,
        "authentication::two_headers_are_refused_even_when_both_are_right",
        "two Authorization headers are 40127";
    "everywhere.other-scheme", OURS, "authentication::another_scheme_is_refused",
        "another scheme is 40127";
    "everywhere.empty-key", OURS, "authentication::an_empty_key_is_refused",
        "an empty key is 40127";
    "everywhere.parameters", EXAMPLES, "requests::parameters_in_a_body_count_for_nothing",
        "stand in the query string; the headings \"Request Body\" are a slip; a body is never read";
    "everywhere.encoding", EXAMPLES,
        "conversation_list::a_plus_is_a_space_and_an_encoded_plus_is_a_plus",
        "UTF-8, percent-encoded, + is a space";
    "everywhere.broken-percent", OURS,
        "conversation_list::a_percent_sign_without_two_hex_digits_is_itself",
        "a % without two hex digits is itself";
    "everywhere.content-type", CLIENTS, "requests::any_content_type_and_none_is_fine",
        "a request needs none, and may have any";
    "everywhere.unknown-parameter", documented(page::MESSAGES),
        "limits::an_unknown_parameter_is_ignored_whatever_it_holds",
        "ignored, whatever it holds; the example of the messages page has an undescribed user_id";
    "everywhere.given-twice", OURS, "limits::a_parameter_given_twice_is_refused",
        "a known parameter twice is 40000";
    "everywhere.empty-value", OURS, "vendor::an_empty_parameter_is_as_if_absent",
        "a known parameter that is empty is as if absent";
    "everywhere.integer", OURS, "vendor::integers_are_digits_with_an_optional_minus",
        "optional -, ASCII digits, within a signed 64-bit integer; 007 is 7";
    "everywhere.text", OURS, "limits::a_value_that_is_not_utf_8_is_refused",
        "valid UTF-8 after decoding, else 40000";
    "everywhere.times", CLIENTS, "conversation_list::time_zero_and_times_before_it_are_times",
        "milliseconds since 1970-01-01 UTC; 0 and negative values are fine";
    "everywhere.window", OURS, "conversation_list::a_window_may_be_one_instant",
        "both ends inclusive";
    "everywhere.window-reversed", OURS, "conversation_list::a_window_may_not_end_before_it_starts",
        "start_time > end_time is 40000";
    "everywhere.success", EXAMPLES, "vendor::the_list_example_holds_the_pages_two_rows",
        "200, application/json, the bare object, no envelope";
    "everywhere.compact", OURS, "messages::texts_are_escaped_no_more_than_json_requires",
        "no white space outside strings, UTF-8 unescaped";
    "everywhere.failure", EXAMPLES, "vendor_errors::messages_40000",
        "{\"code\":…,\"message\":…}: exactly these two keys, in this order";
    "everywhere.error-status", Code::STATUS_SOURCE,
        "readings::error_status_mapped_answers_400_and_401" by "error-status",
        "400, 401, 429 or 500 by code";
    // The conversation list.
    "conversations.total", CLIENTS,
        "readings::list_total_counts_all_matches_or_the_page" by "list-total",
        "all matches, over all pages";
    "conversations.order", EXAMPLE, "conversation_list::the_newest_comes_first",
        "recent_chat_time descending";
    "conversations.ties", OURS, "conversation_list::at_the_same_time_ids_ascend",
        "at the same time by conversation_id, ascending";
    "conversations.past-end", documented("no 40005 in the page's table"),
        "page_readings::page_past_end_documented_refuses_messages_only" by "page-past-end",
        "200, no rows, the true total";
    "conversations.space", OURS, "conversation_list::space_matches_space_only",
        "conversation_type SPACE matches records of type SPACE only";
    // Messages, v1.
    "messages.total", documented(page::MESSAGES),
        "readings::messages_total_is_a_number_or_a_string" by "messages-total",
        "all messages of the conversation, a number";
    "messages.order", EXAMPLE, "readings::messages_order_reverses_v1" by "messages-order",
        "oldest first";
    "messages.chain", documented(page::MESSAGES), "messages::each_parent_is_the_message_before",
        "parent_message_id is the message before, empty for the first";
    "messages.time", EXAMPLE, "consistency::messages_are_a_chain_along_which_time_never_falls",
        "create_time never falls along the chain";
    "messages.first", EXAMPLE, "messages::the_welcome_message_comes_first",
        "may be an ANSWER, the welcome message";
    "messages.other-agent", OURS, "messages::another_agents_conversation_is_missing",
        "another agent's conversation does not exist: 40356";
    "messages.past-end", documented(page::MESSAGES),
        "page_readings::page_past_end_documented_refuses_messages_only" by "page-past-end",
        "40005 when page > 1 and page > ceil(total / page_size)";
    "messages.empty-conversation", CLIENTS, "messages::page_1_of_an_empty_conversation_is_empty",
        "page 1 is 200, without rows";
    // Messages, v2.
    "messages-v2.same", OURS, "consistency::v2_is_v1_backwards",
        "the same messages as v1";
    "messages-v2.total", documented(page::MESSAGES_V2),
        "readings::messages_total_is_a_number_or_a_string" by "messages-total",
        "all messages of the conversation, a number";
    "messages-v2.order", seen("two public clients sort ascending themselves"),
        "readings::v2_messages_order_reverses_v2" by "v2-messages-order",
        "newest first, the exact reverse of the chain";
    "messages-v2.past-end", documented(page::MESSAGES_V2),
        "page_readings::page_past_end_documented_refuses_messages_only" by "page-past-end",
        "40005 when page > 1 and page > ceil(total / page_size)";
    // The Q&A list.
    "qa.total", documented(page::QA), "readings::qa_total_is_absent_or_the_last_key" by "qa-total",
        "absent";
    "qa.order", EXAMPLE, "readings::qa_order_reverses_the_qa_list" by "qa-order",
        "oldest question first";
    "qa.ties", OURS, "qa::at_the_same_time_ids_ascend",
        "questions of the same millisecond by id, ascending";
    "qa.milliseconds", OURS, "qa::within_a_second_the_millisecond_decides",
        "the window and the order go by the full milliseconds, whatever q_time shows";
    "qa.past-end", documented("the page has no table of errors"),
        "page_readings::page_past_end_documented_refuses_messages_only" by "page-past-end",
        "200, no rows";
    // One set of records behind all endpoints.
    "records.message-count", documented(page::LIST),
        "consistency::a_conversation_counts_its_messages_and_ends_with_the_newest",
        "message_count is the total of the conversation's messages";
    "records.recent-chat-time", documented(page::LIST),
        "consistency::a_conversation_counts_its_messages_and_ends_with_the_newest",
        "recent_chat_time is the newest create_time of the conversation";
    "records.pairs", BOTH_PAGES,
        "consistency::qa_rows_are_exactly_the_questions_answered_right_after",
        "Q&A rows are the pairs of a QUESTION and the ANSWER right after it";
    "records.ratings", BOTH_PAGES,
        "consistency::qa_rows_are_exactly_the_questions_answered_right_after",
        "GOOD in a Q&A row is POSITIVE in v2 messages, BAD is NEGATIVE, NONE is empty";
    "records.pages", CLIENTS, "paging::random_fixtures_are_served_as_a_naive_model_says",
        "all pages of a query hold each match exactly once, in order";
    "records.all", BOTH_PAGES, "paging::filters_partition_generated_records",
        "the channels together are ALL, and so are the ratings";
    // What the emulator adds.
    "emulator.examples", PROMISE,
        "vendor::the_messages_example_begins_with_the_pages_three_messages",
        "each page's curl, with the host changed, answers 200 with the page's rows";
    "emulator.ids", EXAMPLES, "consistency::ids_have_the_documented_forms_and_are_unique",
        "those that are generated look as the pages' do: 24 hex digits; a conversation_id also 20 \
         letters and digits";
    "emulator.same-bytes", PROMISE, "determinism::generated_bytes_are_those_of_the_first_release",
        "the same seed and settings give the same bytes, for ever";
}

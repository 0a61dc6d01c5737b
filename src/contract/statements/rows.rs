//! What the contract says beside its tables: one statement a row.

use std::borrow::Cow::Borrowed;

use super::super::{Source, assumed, documented, page, seen};
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
const NO_EXAMPLE: Source = assumed("no page's example has a % or a +; usual in query strings");
const AS_V1: Source = assumed("follows from v1: the same messages");
const PAST_END: Source = assumed("the page has the code, and does not say from which page on");
const PROMISE: Source = assumed("the emulator's own promise");

// Name, source, the tests that hold it and the reading that it goes by; what it says.
rows! {
    // Every endpoint, in the order in which a request meets them.
    "everywhere.order-of-checks", OURS,
        "http_rules::a_request_without_one_right_host_is_400_on_every_path, \
         vendor_queries::what_is_wrong_is_told_in_order, \
         requests::wrong_list_parameters_are_told_in_the_pages_order, \
         requests::wrong_messages_parameters_are_told_in_the_pages_order, \
         requests::wrong_qa_parameters_are_told_in_the_pages_order, \
         requests::a_window_that_ends_before_it_starts_is_told_before_the_page",
        "Host, path, method, authentication, deleted agent, parameters in the page's order, start_time \
         > end_time, conversation, page";
    "everywhere.unknown-path", OURS, "requests::every_other_path_is_404",
        "404; a trailing slash or another case is another path";
    "everywhere.other-methods", assumed("the pages name GET and no other"),
        "requests::every_other_method_is_405",
        "405 with `Allow`, `OPTIONS` included";
    "everywhere.head", OURS,
        "requests::head_gets_the_head_of_an_answer, requests::head_gets_the_head_of_a_refusal, \
         requests::head_gets_the_head_of_a_404",
        "as GET, with its Content-Length, without the body";
    "everywhere.authentication", EXAMPLES, "authentication::a_request_needs_the_header",
        "`Authorization: Bearer <API key>`; without it 40127";
    "everywhere.agent", EXAMPLES,
        "authentication::a_key_stands_for_one_agent, vendor_queries::a_bot_id_counts_for_nothing",
        "a key stands for one agent, so no endpoint takes a bot_id";
    "everywhere.several-keys", assumed("the pages speak of an \"API Keys page\", and say no more"),
        "authentication::an_agent_may_have_several_keys",
        "an agent may have several keys";
    "everywhere.scheme", OURS,
        "authentication::the_scheme_is_compared_without_regard_to_case, \
         authentication::several_spaces_may_stand_before_the_key",
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
        "stand in the query string; the headings \"Request Body\" are a slip";
    "everywhere.body", OURS, "requests::a_body_is_ignored, connections::a_body_changes_nothing",
        "a body is never read";
    "everywhere.encoding", NO_EXAMPLE,
        "conversation_list::a_user_may_be_in_any_script, \
         conversation_list::a_plus_is_a_space_and_an_encoded_plus_is_a_plus",
        "UTF-8, percent-encoded";
    "everywhere.plus", NO_EXAMPLE,
        "conversation_list::a_plus_is_a_space_and_an_encoded_plus_is_a_plus",
        "+ is a space, %2B is a plus";
    "everywhere.broken-percent", OURS,
        "conversation_list::a_percent_sign_without_two_hex_digits_is_itself",
        "a % without two hex digits is itself";
    "everywhere.content-type", CLIENTS, "requests::any_content_type_and_none_is_fine",
        "a request needs none, and may have any";
    "everywhere.unknown-parameter", documented(page::MESSAGES),
        "vendor_queries::an_unknown_parameter_is_ignored_whatever_it_holds",
        "ignored, whatever it holds; the example of the messages page has an undescribed user_id";
    "everywhere.given-twice", OURS, "vendor_queries::a_parameter_given_twice_is_refused",
        "a known parameter twice is 40000";
    "everywhere.empty-value", OURS,
        "vendor_queries::an_empty_parameter_is_as_if_absent",
        "a known parameter that is empty is as if absent";
    "everywhere.integer", OURS, "vendor::integers_are_digits_with_an_optional_minus",
        "optional -, ASCII digits, within a signed 64-bit integer; 007 is 7";
    "everywhere.text", OURS, "vendor_queries::a_value_that_is_not_utf_8_is_refused",
        "valid UTF-8 after decoding, else 40000";
    "everywhere.times", CLIENTS,
        "conversation_list::time_zero_and_times_before_it_are_times, \
         qa::time_zero_and_times_before_it_are_times",
        "milliseconds since 1970-01-01 UTC; 0 and negative values are fine";
    "everywhere.window", OURS,
        "conversation_list::a_window_may_be_one_instant, qa::a_window_may_be_one_instant",
        "both ends inclusive";
    "everywhere.window-reversed", OURS,
        "conversation_list::a_window_may_not_end_before_it_starts, \
         qa::a_window_may_not_end_before_it_starts",
        "start_time > end_time is 40000";
    "everywhere.success", EXAMPLES,
        "vendor::the_list_example_holds_the_pages_two_rows, \
         vendor::the_messages_example_begins_with_the_pages_three_messages, \
         vendor::the_qa_example_holds_the_pages_two_rows",
        "the bare object, no envelope";
    "everywhere.success-status", OURS,
        "vendor::the_list_example_holds_the_pages_two_rows, \
         vendor::the_messages_example_begins_with_the_pages_three_messages, \
         vendor::the_v2_messages_example_ends_with_the_pages_first_message, \
         vendor::the_qa_example_holds_the_pages_two_rows",
        "200, application/json";
    "everywhere.compact", OURS,
        "conversation_list::texts_are_escaped_no_more_than_json_requires, \
         messages::texts_are_escaped_no_more_than_json_requires, \
         qa::texts_are_escaped_no_more_than_json_requires",
        "no white space outside strings, UTF-8 unescaped";
    "everywhere.failure", documented("the pages' tables of failed responses"),
        "vendor_errors::messages_40000, vendor_errors::conversations_40000",
        "{\"code\":…,\"message\":…}: exactly these two keys";
    "everywhere.failure-order", assumed("the order of the pages' tables"),
        "vendor_errors::messages_40000, vendor_errors::conversations_40000",
        "code stands before message";
    // The conversation list.
    "conversations.total", CLIENTS,
        "readings::list_total_counts_all_matches_or_the_page, \
         conversation_list::total_counts_all_pages, \
         conversation_list::total_counts_matches_only" by "list-total",
        "all matches, over all pages";
    "conversations.order", EXAMPLE, "conversation_list::the_newest_comes_first",
        "recent_chat_time descending";
    "conversations.ties", OURS, "conversation_list::at_the_same_time_ids_ascend",
        "at the same time by conversation_id, ascending";
    "conversations.past-end", assumed("the page's table lacks 40005; it says no more"),
        "page_readings::page_past_end_documented_refuses_messages_only" by "page-past-end",
        "200, no rows, the true total";
    "conversations.window", documented(page::LIST),
        "conversation_list::the_window_bounds_the_newest_message",
        "start_time and end_time bound recent_chat_time";
    "conversations.user-exact", OURS,
        "conversation_list::a_user_is_matched_exactly, \
         conversation_list::all_is_a_user_like_any_other",
        "user_id is compared exactly; ALL is a user like any other";
    "conversations.decimal-point", assumed("the page says float; both its examples have decimals"),
        "conversation_list::a_cost_always_has_a_decimal_point, edge::costs_have_a_decimal_point",
        "cost_credit always has a decimal point: 2.0";
    "conversations.space", OURS, "conversation_list::space_matches_space_only",
        "conversation_type SPACE matches records of type SPACE only";
    // Messages, v1.
    "messages.total", documented(page::MESSAGES),
        "readings::messages_total_is_a_number_or_a_string, \
         messages::total_counts_the_whole_conversation" by "messages-total",
        "all messages of the conversation, a number";
    "messages.order", EXAMPLE,
        "messages::v1_follows_the_chain_even_within_one_millisecond, \
         readings::messages_order_reverses_v1" by "messages-order",
        "oldest first";
    "messages.chain", documented(page::MESSAGES), "messages::each_parent_is_the_message_before",
        "parent_message_id is the message before, empty for the first";
    "messages.time", EXAMPLE, "consistency::messages_are_a_chain_along_which_time_never_falls",
        "create_time never falls along the chain";
    "messages.first", EXAMPLE, "messages::the_welcome_message_comes_first",
        "may be an ANSWER, the welcome message";
    "messages.other-agent", OURS, "messages::another_agents_conversation_is_missing",
        "another agent's conversation does not exist: 40356";
    "messages.page_size-max", documented(page::MESSAGES),
        "limits::messages_take_1_to_100_rows" by "page-size",
        "page_size: \"max 100\"";
    "messages.past-end", PAST_END,
        "page_readings::page_past_end_documented_refuses_messages_only, \
         messages::after_a_last_page_that_is_full_comes_none, \
         messages::page_2_of_an_empty_conversation_is_refused" by "page-past-end",
        "40005 when page > 1 and page > ceil(total / page_size)";
    "messages.empty-conversation", CLIENTS, "messages::page_1_of_an_empty_conversation_is_empty",
        "page 1 is 200, without rows";
    // Messages, v2.
    "messages-v2.same", OURS, "consistency::v2_is_v1_backwards",
        "the same messages as v1";
    "messages-v2.total", documented(page::MESSAGES_V2),
        "readings::messages_total_is_a_number_or_a_string, \
         messages::total_counts_the_whole_conversation" by "messages-total",
        "all messages of the conversation, a number";
    "messages-v2.order", seen("two public clients sort ascending themselves"),
        "messages::v2_is_the_exact_reverse_of_the_chain, \
         readings::v2_messages_order_reverses_v2" by "v2-messages-order",
        "newest first, the exact reverse of the chain";
    "messages-v2.chain", AS_V1, "messages::each_parent_is_the_message_before",
        "parent_message_id is the message before, empty for the first";
    "messages-v2.time", AS_V1,
        "consistency::messages_are_a_chain_along_which_time_never_falls, \
         consistency::v2_is_v1_backwards",
        "create_time never falls along the chain";
    "messages-v2.first", AS_V1, "messages::questions_are_the_users_and_answers_the_assistants",
        "the oldest may be the assistant's, the welcome message";
    "messages-v2.other-agent", OURS, "messages::another_agents_conversation_is_missing",
        "another agent's conversation does not exist: 40356";
    "messages-v2.past-end", PAST_END,
        "page_readings::page_past_end_documented_refuses_messages_only, \
         messages::after_a_last_page_that_is_full_comes_none, \
         messages::page_2_of_an_empty_conversation_is_refused" by "page-past-end",
        "40005 when page > 1 and page > ceil(total / page_size)";
    "messages-v2.empty-conversation", CLIENTS, "messages::page_1_of_an_empty_conversation_is_empty",
        "page 1 is 200, without rows";
    // The Q&A list.
    "qa.total", documented(page::QA),
        "qa::there_is_no_total, readings::qa_total_is_absent_or_the_last_key" by "qa-total",
        "absent";
    "qa.order", EXAMPLE,
        "qa::the_oldest_question_comes_first, \
         readings::qa_order_reverses_the_qa_list" by "qa-order",
        "oldest question first";
    "qa.ties", OURS, "qa::at_the_same_time_ids_ascend",
        "questions of the same millisecond by id, ascending";
    "qa.milliseconds", OURS, "qa::within_a_second_the_millisecond_decides",
        "the window and the order go by the full milliseconds, whatever q_time shows";
    "qa.window", documented(page::QA), "qa::the_window_bounds_the_question",
        "start_time and end_time bound the time of the question";
    "qa.past-end", assumed("the page has no table of errors"),
        "page_readings::page_past_end_documented_refuses_messages_only" by "page-past-end",
        "200, no rows";
    // One set of records behind all endpoints.
    "records.message-count", documented(page::LIST),
        "consistency::a_conversation_counts_its_messages_and_ends_with_the_newest",
        "message_count is the total of the conversation's messages";
    "records.recent-chat-time", assumed("the page says \"Recent conversation time.\""),
        "consistency::a_conversation_counts_its_messages_and_ends_with_the_newest",
        "recent_chat_time is the newest create_time of the conversation";
    "records.subject", assumed("the page says \"Conversation subject.\""),
        "consistency::a_subject_is_the_first_question_or_empty, \
         conversation_list::without_a_question_the_subject_is_empty",
        "subject is the conversation's first question; it may be empty";
    "records.pairs", BOTH_PAGES,
        "consistency::qa_rows_are_exactly_the_questions_answered_right_after",
        "Q&A rows are the pairs of a QUESTION and the ANSWER right after it";
    "records.agreement", BOTH_PAGES,
        "consistency::qa_rows_are_exactly_the_questions_answered_right_after",
        "convo_type and user_id of a Q&A row are those of its conversation";
    "records.ratings", BOTH_PAGES,
        "consistency::qa_rows_are_exactly_the_questions_answered_right_after",
        "GOOD in a Q&A row is POSITIVE in v2 messages, BAD is NEGATIVE, NONE is empty";
    "records.pages", CLIENTS,
        "paging::random_fixtures_are_served_as_a_naive_model_says",
        "all pages of a query hold each match exactly once, in order";
    "records.totals", CLIENTS,
        "paging::generated_lists_of_every_length_are_tiled_by_pages, \
         paging::generated_conversations_are_walked_whole_by_any_page_size",
        "all pages of a query together hold as many rows as its total says";
    "records.all", BOTH_PAGES, "paging::filters_partition_generated_records",
        "the channels together are ALL, and so are the ratings";
    // The words of the channels.
    "channel.case", OURS, "vendor::other_channels_are_refused",
        "upper case, compared exactly; any other word is 40000";
    "channel.never-all", OURS, "consistency::no_record_is_of_type_all",
        "ALL is a filter; no record has it as its channel";
    // What the emulator adds.
    "emulator.examples", PROMISE,
        "vendor::the_list_example_as_printed_finds_no_row, \
         vendor::the_messages_example_holds_100_messages, \
         vendor::the_qa_example_as_printed_is_answered, \
         vendor::both_placeholder_keys_stand_for_the_same_agent",
        "each page's curl answers 200, with the host changed, and the key where the page prints a \
         shell's placeholder";
    "emulator.example-list", PROMISE, "vendor::the_list_example_holds_the_pages_two_rows",
        "the list's, without its user_id, which neither row has, holds exactly the page's two rows";
    "emulator.example-messages", PROMISE,
        "vendor::the_messages_example_begins_with_the_pages_three_messages, \
         vendor::the_messages_example_holds_100_messages, \
         vendor::the_v2_messages_example_ends_with_the_pages_first_message",
        "the conversation of the messages' has 100 messages, which begin with the page's three";
    "emulator.example-qa", PROMISE,
        "vendor::the_qa_example_holds_the_pages_two_rows, \
         vendor::what_the_qa_example_hides_is_distinct",
        "the Q&A list's, its window moved to the page's times, holds two rows with the page's \
         q_time, feedback and type; ids and texts, which the page hides, are distinct";
    "emulator.ids", PROMISE, "consistency::ids_have_the_documented_forms_and_are_unique",
        "those that are generated look as the pages' do: 24 hex digits; a conversation_id also 20 \
         letters and digits";
    "emulator.aid", PROMISE, "consistency::qa_rows_are_exactly_the_questions_answered_right_after",
        "aid of a Q&A row is the answer's message_id";
    "emulator.same-bytes", PROMISE, "determinism::generated_bytes_are_those_of_the_first_release",
        "the same seed and settings give the same bytes, for ever";
    "emulator.reason", PROMISE,
        "vendor_errors::the_reason_says_what_was_wrong_and_what_would_be_right, \
         reasons::a_wrong_value_is_quoted_as_far_as_it_fits, \
         reasons::letters_beyond_ascii_are_escaped, \
         reasons::whatever_is_sent_the_reason_is_visible_bounded_and_tells_no_secret",
        "x-mock-reason says why a request was refused, in visible ASCII; what a client sent is \
         escaped there and cut to 200 bytes";
    "emulator.only-json", PROMISE,
        "hostile::no_query_breaks_the_server, hostile::no_head_breaks_the_server",
        "whoever sends parsable HTTP gets JSON of this contract, never the text of a framework";
    "emulator.not-http", PROMISE,
        "connections::what_is_not_http_gets_an_empty_4xx, requests::what_is_not_http_gets_an_empty_400",
        "what the HTTP parser refuses gets an empty 4xx";
    "emulator.cors", PROMISE,
        "cors::by_default_a_preflight_is_405, cors::a_preflight_needs_no_key, \
         cors::a_preflight_allows_any_origin, \
         cors::a_preflight_mirrors_the_headers_that_are_asked_for, \
         cors::a_preflight_allows_get_and_head",
        "with --cors, OPTIONS answers preflights: any origin, GET and HEAD, the headers asked for";
}

//! `x-mock-reason` of requests with a typing mistake: the reason names the right parameter, value,
//! path or method.

use gptbots_mock::Server;

use serde_json::json;

use crate::support::client::{NEWEST, get, request};
use crate::support::fixture::{build, silent};

const LIST: &str = "/v1/bot/conversation/page";
const MESSAGES: &str = "/v1/messages";
const QA: &str = "/v1/message/qa/record/page";

/// Asserts the whole reason of each `GET` with key `app-demo`.
#[track_caller]
fn reasons(path: &str, table: &[(&str, &str)]) {
    let server = Server::start().unwrap();
    for (query, reason) in table {
        let answer = get(&server, "app-demo", &format!("{path}{query}"));
        assert_eq!(answer.header("x-mock-reason"), Some(*reason), "{path}{query}");
    }
}

#[test]
fn missing_parameter_names_a_similar_unknown_one() {
    let size = "page_size is missing; it must be 1 to 100";
    let row = |sent: &str| {
        let query = format!("?conversation_id=x&page=1&{sent}=9");
        (query, format!("{size}; did you mean page_size for {sent}?"))
    };
    let rows: Vec<_> =
        ["pageSize", "PAGE_SIZE", "page-size", "pagesize", "size", "page_sise"].map(row).into();
    let rows: Vec<_> = rows.iter().map(|(query, reason)| (&**query, &**reason)).collect();
    reasons(MESSAGES, &rows);
    reasons(
        MESSAGES,
        &[
            ("?conversation_id=x&page=1&limit=9", size),
            // The nearest of several, and none that is more like another.
            (
                "?conversation_id=x&page=1&pag_size=5&pageSize=5",
                "page_size is missing; it must be 1 to 100; did you mean page_size for pageSize?",
            ),
            ("?conversation_id=x&page=1&pageNumber=1", size),
            (
                "?conversation_id=x&pageSize=1",
                "page is missing; it must be an integer of at least 1",
            ),
            (
                "?conversationId=x&page=1",
                "conversation_id is missing; it must be a non-empty string; \
                 did you mean conversation_id for conversationId?",
            ),
            (
                "?convo_id=x&id=y",
                "conversation_id is missing; it must be a non-empty string; did you mean conversation_id for id?",
            ),
            (
                "?conversation_id=x&page_number=2&page_size=1",
                "page is missing; it must be an integer of at least 1; did you mean page for page_number?",
            ),
            (
                "?conversation_id=x&page=1&page%5Fsize%22%0d=5",
                "page_size is missing; it must be 1 to 100; \
                 did you mean page_size for \"page_size\\\"\\r\"?",
            ),
        ],
    );
}

#[test]
fn unknown_name_is_matched_to_the_most_similar_parameter() {
    let millis = "is missing; it must be an integer, milliseconds since 1970-01-01 UTC";
    reasons(
        QA,
        &[
            (
                "?user_feedback=ALL&endTime=1&startTime=0",
                &format!("start_time {millis}; did you mean start_time for startTime?"),
            ),
            (
                "?user_feedback=ALL&endTime=1",
                &format!("start_time {millis}; for example, 2025-10-20T00:00:00Z is 1760918400000"),
            ),
            (
                "?user_feedback=ALL&start_time=&end_time=1",
                &format!("start_time {millis}; for example, 2025-10-20T00:00:00Z is 1760918400000"),
            ),
            // This is a parameter of another endpoint.
            (
                "?conversation_type=ALL",
                "user_feedback is missing; it must be one of ALL, NONE, GOOD, BAD",
            ),
            (
                "?feedback=ALL",
                "user_feedback is missing; it must be one of ALL, NONE, GOOD, BAD; \
                 did you mean user_feedback for feedback?",
            ),
        ],
    );
    let answer = get(&Server::start().unwrap(), "app-demo", &format!("{LIST}?type=API"));
    let reason = answer.header("x-mock-reason").unwrap();
    assert!(reason.ends_with("; did you mean conversation_type for type?"), "{reason}");
}

#[test]
fn time_in_another_form_gets_a_reason_in_milliseconds() {
    let wrong = "start_time must be an integer, milliseconds since 1970-01-01 UTC, got";
    let instant = "did you mean 1760918400000?";
    let example = "for example, 2025-10-20T00:00:00Z is 1760918400000";
    reasons(
        QA,
        &[
            ("?user_feedback=ALL&start_time=2025-10-20", &format!("{wrong} 2025-10-20; {instant}")),
            (
                "?user_feedback=ALL&start_time=2025-10-20T02:00:00+02:00",
                &format!("{wrong} \"2025-10-20T02:00:00 02:00\"; {instant}"),
            ),
            (
                "?user_feedback=ALL&start_time=1760918400.0",
                &format!("{wrong} 1760918400.0; {instant}"),
            ),
            ("?user_feedback=ALL&start_time=yesterday", &format!("{wrong} yesterday; {example}")),
            (
                "?user_feedback=ALL&start_time=9223372036854775808",
                &format!("{wrong} 9223372036854775808; {example}"),
            ),
            (
                "?user_feedback=ALL&start_time=1760918400000&end_time=1760918401&page=1&page_size=10",
                "start_time must not be after end_time, got 1760918400000 and 1760918401; \
                 did you mean 1760918401000 for end_time?",
            ),
            (
                "?user_feedback=ALL&start_time=2&end_time=1&page=1&page_size=10",
                "start_time must not be after end_time, got 2 and 1",
            ),
        ],
    );
}

#[test]
fn number_in_another_form_gets_a_reason_with_the_integer() {
    reasons(
        MESSAGES,
        &[
            (
                "?conversation_id=x&page=1.0",
                "page must be an integer of at least 1, got 1.0; did you mean 1?",
            ),
            (
                "?conversation_id=x&page=+2",
                "page must be an integer of at least 1, got \" 2\"; did you mean 2?",
            ),
            ("?conversation_id=x&page=0", "page must be an integer of at least 1, got 0"),
            ("?conversation_id=x&page=1&page_size=101", "page_size must be 1 to 100, got 101"),
        ],
    );
}

#[test]
fn page_size_of_another_endpoint_names_that_endpoint() {
    let query = "?user_feedback=ALL&start_time=0&end_time=1&page=1&page_size";
    let elsewhere = "1 to 100 is accepted by conversation list, v1 messages, v2 messages";
    reasons(
        QA,
        &[
            (&format!("{query}=9"), &format!("page_size must be 10 to 100, got 9; {elsewhere}")),
            (&format!("{query}=0"), "page_size must be 10 to 100, got 0"),
        ],
    );
}

#[test]
fn wrong_value_names_the_nearest_allowed_one() {
    reasons(
        QA,
        &[
            (
                "?user_feedback=good",
                "user_feedback must be one of ALL, NONE, GOOD, BAD, got good; did you mean GOOD?",
            ),
            ("?user_feedback=x", "user_feedback must be one of ALL, NONE, GOOD, BAD, got x"),
        ],
    );
}

/// Agent *own* has `abc`, *other* and *given* have one each, *gone* was deleted; the keys of *own*
/// and *other* come from their names.
fn agents() -> Server {
    let named = |name: &str, id: &str, more: serde_json::Value| {
        let mut agent = json!({"name": name, "conversations": [silent(id, "u-1", "API", 1)]});
        agent.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        agent
    };
    build(&[
        named("own", "abc", json!({})),
        named("other", "OTHER", json!({})),
        named("given", "given", json!({"keys": ["secret"]})),
        named("gone", "gone", json!({"deleted": true})),
    ])
    .start()
    .unwrap()
}

#[test]
fn unknown_conversation_gets_a_reason_that_says_where_it_is() {
    let server = agents();
    let none = "the agent of this API key has no conversation with conversation_id";
    for (id, reason) in [
        ("OTHER", "OTHER; it belongs to agent other, whose key is app-other"),
        ("given", "given; it belongs to agent given"),
        ("gone", "gone; it belongs to agent gone, which was deleted"),
        ("ABC", "ABC; did you mean abc?"),
        ("abc+", "\"abc \"; did you mean abc?"),
        ("%22abc%22", "\"\\\"abc\\\"\"; did you mean abc?"),
        ("other", "other; did you mean OTHER? It belongs to agent other, whose key is app-other"),
        (
            "u-1",
            "u-1; it is a user_id: /v1/bot/conversation/page lists the conversations of a user",
        ),
        ("abd", "abd; /v1/bot/conversation/page lists its conversations"),
    ] {
        for version in ["/v1", "/v2"] {
            let target = format!("{version}/messages?conversation_id={id}&page=1&page_size=1");
            let answer = get(&server, "app-own", &target);
            let reason = format!("{none} {reason}");
            assert_eq!(answer.header("x-mock-reason"), Some(&*reason), "{target}");
        }
    }
}

#[test]
fn a_generated_conversation_is_found_in_another_case() {
    let server = Server::start().unwrap();
    let listed = get(&server, "app-demo", NEWEST);
    let id = listed.column("list", "conversation_id").remove(0);
    let target = format!("/v1/messages?conversation_id={}&page=1&page_size=1", id.to_uppercase());
    let reason = get(&server, "app-demo", &target).header("x-mock-reason").unwrap().to_owned();
    assert!(reason.ends_with(&format!("did you mean {id}?")), "{reason}");
}

#[test]
fn wrong_path_names_the_nearest_endpoint() {
    let server = Server::start().unwrap();
    let all = "the endpoints are /v1/bot/conversation/page, /v1/messages, /v2/messages, \
               /v1/message/qa/record/page";
    for (method, path, reason) in [
        ("GET", "/v1/message", "/v1/message; the nearest is /v1/messages"),
        ("GET", "/v1/messages/", "/v1/messages/; the nearest is /v1/messages"),
        ("GET", "/V2/Messages", "/V2/Messages; the nearest is /v2/messages"),
        ("GET", "//v2//messages", "//v2//messages; the nearest is /v2/messages"),
        ("GET", "/messages", "/messages; the nearest is /v1/messages"),
        (
            "GET",
            "/bot/conversation/page",
            "/bot/conversation/page; the nearest is \
            /v1/bot/conversation/page",
        ),
        (
            "GET",
            "/v1/message/qa/record/pages",
            "/v1/message/qa/record/pages; the nearest is \
            /v1/message/qa/record/page",
        ),
        ("GET", "/s/ci/v2/messages/", "/s/ci/v2/messages/; the nearest is /s/ci/v2/messages"),
        ("GET", "/s/ci/messages?page=1", "/s/ci/messages; the nearest is /s/ci/v1/messages"),
        (
            "POST",
            "/v1/message",
            "/v1/message; the nearest is /v1/messages; the method must be GET or HEAD",
        ),
        ("GET", "/", &format!("/; {all}")),
        ("GET", "/s/ci", &format!("/s/ci; {all}")),
    ] {
        let answer = request(&server, method, path, &[]);
        let reason = format!("no endpoint at {reason}");
        assert_eq!(answer.header("x-mock-reason"), Some(&*reason), "{method} {path}");
    }
}

#[test]
fn a_wrong_method_names_the_right_one() {
    let server = Server::start().unwrap();
    let wrong = "the method must be GET or HEAD, got";
    let query = "the parameters go in the query string, not in a body";
    for (method, reason) in [
        ("POST", format!("POST; {query}")),
        ("PUT", format!("PUT; {query}")),
        ("get", "get; did you mean GET?".to_owned()),
        ("OPTIONS", "OPTIONS".to_owned()),
    ] {
        let answer = request(&server, method, "/s/ci/v1/messages", &[]);
        assert_eq!(answer.header("x-mock-reason"), Some(&*format!("{wrong} {reason}")));
    }
}

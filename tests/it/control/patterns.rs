//! Request patterns: which requests they match, and the errors for invalid patterns.

use std::net::{Shutdown, SocketAddr};
use std::time::{Duration, Instant};

use gptbots_mock::{Limits, Server};

use crate::support::client::{call, raw, request};
use crate::support::control::control;
use crate::support::process::wait_until_read;
use crate::support::wire::Wire;

#[track_caller]
fn count(server: &Server, pattern: &str) -> u64 {
    let counted = control(server.address(), "POST", "/requests/count", pattern);
    counted.ok().json()["count"].as_u64().unwrap()
}

/// A server that has one request.
fn one() -> Server {
    let server = Server::start().unwrap();
    let target = "/s/in/v1/messages?conversation_id=a%20b+c&page=1&page=2&page_size=";
    let headers = [
        ("Authorization", "Bearer app-demo"),
        ("X-Many", "one"),
        ("x-many", "Two"),
        ("X-Empty", ""),
    ];
    request(&server, "GET", target, &headers);
    server
}

#[test]
fn patterns_match_what_was_really_sent() {
    let server = one();
    let url = "/v1/messages?conversation_id=a%20b+c&page=1&page=2&page_size=";
    let url = |key: &str, prefix: &str| format!(r#"{{"{key}": "{prefix}{url}"}}"#);
    for (pattern, count_of) in [
        ("{}", 1),
        (r#"{"method": "ANY"}"#, 1),
        (r#"{"method": "GET", "url": null, "headers": null}"#, 1),
        (r#"{"method": "HEAD"}"#, 0),
        (&url("url", ""), 1),
        (&url("url", "/s/in"), 1),
        (&url("url", "/s/on"), 0),
        (r#"{"url": "/v1/messages"}"#, 0),
        (r#"{"urlPath": "/v1/messages"}"#, 1),
        (r#"{"urlPath": "/s/in/v1/messages"}"#, 1),
        (r#"{"urlPath": "/v1/"}"#, 0),
        (r#"{"urlPattern": "/v1/messages\\?conversation_id=.*"}"#, 1),
        (r#"{"urlPattern": "/v1/messages"}"#, 0),
        (r#"{"urlPathPattern": "/v[12]/messages"}"#, 1),
        (r#"{"urlPathPattern": "/s/[a-z]+/v1/messages"}"#, 1),
        // The whole text must match, whichever branch is tried first.
        (r#"{"urlPathPattern": "/v1|/v1/messages"}"#, 1),
        (r#"{"urlPathPattern": "messages"}"#, 0),
    ] {
        assert_eq!(count(&server, pattern), count_of, "{pattern}");
    }
}

#[test]
fn headers_and_parameters_match_by_any_of_their_values() {
    let server = one();
    for (name, condition, count_of) in [
        ("page", r#"{"equalTo": "1"}"#, 1),
        ("page", r#"{"equalTo": "2"}"#, 1),
        ("page", r#"{"equalTo": "3"}"#, 0),
        ("page", r#"{"absent": true}"#, 0),
        ("page", r#"{"doesNotMatch": "[12]"}"#, 0),
        ("page", r#"{"doesNotMatch": "2"}"#, 1),
        ("conversation_id", r#"{"equalTo": "a b c"}"#, 1),
        ("conversation_id", r#"{"contains": "b c"}"#, 1),
        ("conversation_id", r#"{"equalTo": "A B C"}"#, 0),
        ("conversation_id", r#"{"equalTo": "A B C", "caseInsensitive": true}"#, 1),
        ("conversation_id", r#"{"caseInsensitive": false, "equalTo": "A B C"}"#, 0),
        ("page_size", r#"{"equalTo": ""}"#, 1),
        ("page_size", r#"{"matches": ".+"}"#, 0),
        ("sort", r#"{"absent": true}"#, 1),
        ("sort", r#"{"absent": "(absent)"}"#, 1),
        ("sort", r#"{"matches": ".*"}"#, 0),
        ("sort", r#"{"doesNotMatch": "asc"}"#, 1),
        ("PAGE", r#"{"matches": ".*"}"#, 0),
    ] {
        let pattern = format!(r#"{{"queryParameters": {{"{name}": {condition}}}}}"#);
        assert_eq!(count(&server, &pattern), count_of, "{pattern}");
    }
    for (name, condition, count_of) in [
        // Texts are shown truncated, but matched completely.
        ("Authorization", r#"{"equalTo": "Bearer app-demo"}"#, 1),
        ("AUTHORIZATION", r#"{"contains": "****"}"#, 0),
        ("x-many", r#"{"equalTo": "Two"}"#, 1),
        ("x-many", r#"{"equalTo": "one"}"#, 1),
        ("x-many", r#"{"matches": "(?i)TWO"}"#, 1),
        ("x-empty", r#"{"equalTo": ""}"#, 1),
        ("x-none", r#"{"absent": true}"#, 1),
        ("host", r#"{"absent": true}"#, 0),
    ] {
        let pattern = format!(r#"{{"headers": {{"{name}": {condition}}}}}"#);
        assert_eq!(count(&server, &pattern), count_of, "{pattern}");
    }
    // All conditions must be true.
    let both = r#"{"headers": {"host": {"matches": ".*"}, "x-none": {"matches": ".*"}}}"#;
    assert_eq!(count(&server, both), 0);
}

#[test]
fn unsupported_pattern_is_refused_with_its_place() {
    let server = Server::start().unwrap();
    let long = format!(r#"{{"urlPattern": "{}"}}"#, "a".repeat(1_001));
    let large = r#"{"urlPattern": "((((a{100}){100}){100}){100}){100}"}"#;
    let names: Vec<_> = (0..101).map(|n| format!(r#""n{n}": {{"absent": true}}"#)).collect();
    let many = format!(r#"{{"headers": {{{}}}}}"#, names.join(", "));
    for (pattern, column, message, help) in [
        (r#"{"urlPaht": "/"}"#, 2, "unknown key \"urlPaht\"", "did you mean \"urlPath\"?"),
        (r#"{"bodies": []}"#, 2, "unknown key \"bodies\"", "one of method, url,"),
        (r#"{"bodyPatterns": []}"#, 2, "bodyPatterns is not supported", "not store bodies"),
        (r#"{"basicAuth": {}}"#, 2, "basicAuth is not supported", "Authorization"),
        (r#"{"host": "x"}"#, 10, "expected a condition such as", ""),
        (r#"{"cookies": {"a": {"hasExactly": []}}}"#, 20, "unknown key \"hasExactly\"", "one of"),
        (r#"{"headers": {"a": {"or": []}}}"#, 20, "the list of conditions is empty", ""),
        (r#"{"headers": {"a": {"not": {}}}}"#, 20, "this name has no condition", "give one of"),
        (r#"{"urlPathTemplate": "/v1?"}"#, 22, "a path must not contain `?`", "queryParameters"),
        (
            r#"{"urlPathTemplate": "/{a}", "pathParameters": {"b": {"equalTo": "1"}}}"#,
            29,
            "urlPathTemplate has no {b}",
            "as {name}",
        ),
        (r#"{"port": "80"}"#, 10, "expected a port, got a string", ""),
        (
            r#"{"queryParameters": {"page": {"equalsTo": "1"}}}"#,
            31,
            "unknown key",
            "did you mean \"equalTo\"?",
        ),
        (
            r#"{"queryParameters": {"page": "1"}}"#,
            30,
            "expected a condition such as {\"equalTo\": \"1\"} (an object), got a string",
            "",
        ),
        (
            r#"{"queryParameters": {"page": {}}}"#,
            22,
            "this name has no condition",
            "give one of equalTo, contains",
        ),
        (r#"{"headers": {"a": {"equalTo": 1}}}"#, 31, "expected a string, got a number", ""),
        (
            r#"{"headers": {"a": {"equalTo": "1", "contains": "1"}}}"#,
            36,
            "more than one condition",
            "give one, or combine them by \"and\" or \"or\"",
        ),
        (r#"{"headers": {"a": {"absent": false}}}"#, 30, "absent must be true", ".*"),
        (
            r#"{"headers": {"a": {"matches": "a", "caseInsensitive": true}}}"#,
            36,
            "caseInsensitive needs equalTo",
            "(?i)",
        ),
        (r#"{"headers": {"a": {"caseInsensitive": true}}}"#, 14, "this name has no condition", ""),
        (r#"{"method": "get"}"#, 13, "no request has the method \"get\"", "write \"GET\""),
        (r#"{"method": 1}"#, 12, "expected a string, got a number", ""),
        (
            r#"{"url": "/", "urlPath": "/"}"#,
            14,
            "urlPath cannot be combined with another url key",
            "give only one of",
        ),
        (
            r#"{"urlPath": "/v1/messages?page=1"}"#,
            14,
            "a path must not contain `?`",
            "queryParameters",
        ),
        (
            r#"{"urlPattern": "a)|(b"}"#,
            17,
            "the expression does not compile",
            "lookarounds and backreferences are not supported",
        ),
        (
            r#"{"urlPattern": "(?=a)"}"#,
            17,
            "the expression does not compile",
            "lookarounds and backreferences are not supported",
        ),
        (large, 17, "the expression does not compile", ""),
        (&long, 17, "the expression has more than 1000 bytes", ""),
        (&many, 1, "there are more than 100 names", ""),
        ("[]", 1, "expected a request pattern (an object), got an array", ""),
        ("", 1, "the document ends too early", ""),
    ] {
        let refused = control(server.address(), "POST", "/requests/find", pattern);
        assert_eq!(refused.status, 400, "{pattern}: {refused:?}");
        let error = &refused.errors()[0];
        let detail = error["detail"].as_str().unwrap();
        let place: u64 = detail.split(':').nth(2).unwrap().parse().unwrap();
        assert!(place == column || column == 1, "{pattern}: at {place}");
        assert!(error["title"].as_str().unwrap().contains(message), "{error}");
        let (_, marked) = detail.rsplit_once('^').unwrap();
        assert!(marked.contains(help), "{error}");
    }
    // All mistakes are reported together.
    let refused =
        control(server.address(), "POST", "/requests/count", r#"{"a": 1, "b": 2, "method": "x"}"#);
    assert_eq!(refused.errors().len(), 3);
}

#[test]
fn host_port_scheme_client_and_cookies_match() {
    let server = Server::start().unwrap();
    let head = "GET /v1/nothing HTTP/1.1\r\nHost: localhost:8080\r\nConnection: close\r\n";
    raw(server.address(), format!("{head}Cookie: lang=en; theme=dark\r\n\r\n").as_bytes());
    for (pattern, count_of) in [
        (r#"{"host": {"equalTo": "localhost"}}"#, 1),
        (r#"{"host": {"equalTo": "localhost:8080"}}"#, 0),
        (r#"{"port": 8080}"#, 1),
        (r#"{"port": 80}"#, 0),
        (r#"{"scheme": "http"}"#, 1),
        (r#"{"scheme": "https"}"#, 0),
        (r#"{"clientIp": {"equalTo": "127.0.0.1"}}"#, 1),
        (r#"{"clientIp": {"matches": "10[.].*"}}"#, 0),
        (r#"{"cookies": {"lang": {"equalTo": "en"}}}"#, 1),
        (r#"{"cookies": {"theme": {"contains": "ark"}, "lang": {"absent": true}}}"#, 0),
        (r#"{"cookies": {"none": {"absent": true}}}"#, 1),
    ] {
        assert_eq!(count(&server, pattern), count_of, "{pattern}");
    }
}

#[test]
fn path_templates_match_part_by_part() {
    let server = one();
    for (pattern, count_of) in [
        (r#"{"urlPathTemplate": "/v1/{what}"}"#, 1),
        (r#"{"urlPathTemplate": "/s/{id}/v1/{what}"}"#, 1),
        (r#"{"urlPathTemplate": "/v1/mess{what}s"}"#, 1),
        (r#"{"urlPathTemplate": "/**"}"#, 1),
        (r#"{"urlPathTemplate": "/{all}"}"#, 0),
        (r#"{"urlPathTemplate": "/v./messages"}"#, 0),
        (r#"{"urlPathTemplate": "/v1/{a}", "pathParameters": {"a": {"equalTo": "messages"}}}"#, 1),
        (r#"{"pathParameters": {"a": {"equalTo": "x"}}, "urlPathTemplate": "/v1/{a}"}"#, 0),
    ] {
        assert_eq!(count(&server, pattern), count_of, "{pattern}");
    }
}

#[test]
fn conditions_are_negated_and_joined() {
    let server = one();
    for (name, condition, count_of) in [
        ("sort", r#"{"not": {"equalTo": "asc"}}"#, 1),
        ("sort", r#"{"not": {"absent": true}}"#, 0),
        // One of its two values is another.
        ("page", r#"{"not": {"equalTo": "1"}}"#, 1),
        ("page", r#"{"not": {"matches": "[12]"}}"#, 0),
        ("page", r#"{"or": [{"equalTo": "3"}, {"equalTo": "2"}]}"#, 1),
        ("page", r#"{"or": [{"equalTo": "3"}, {"equalTo": "4"}]}"#, 0),
        ("sort", r#"{"or": [{"equalTo": "asc"}, {"absent": "(absent)"}]}"#, 1),
        ("conversation_id", r#"{"and": [{"contains": "a"}, {"contains": "c"}]}"#, 1),
        ("conversation_id", r#"{"and": [{"contains": "a"}, {"contains": "x"}]}"#, 0),
        ("conversation_id", r#"{"and": [{"not": {"or": [{"equalTo": "x"}]}}]}"#, 1),
        ("conversation_id", r#"{"doesNotContain": "x"}"#, 1),
        ("conversation_id", r#"{"doesNotContain": "b"}"#, 0),
        ("sort", r#"{"doesNotContain": "x"}"#, 1),
        ("sort", r#"{"anything": "anything"}"#, 1),
        ("page", r#"{"hasExactly": [{"equalTo": "2"}, {"equalTo": "1"}]}"#, 1),
        ("page", r#"{"hasExactly": [{"equalTo": "1"}]}"#, 0),
        ("page", r#"{"includes": [{"equalTo": "1"}]}"#, 1),
        ("page", r#"{"includes": [{"equalTo": "3"}]}"#, 0),
        ("sort", r#"{"includes": [{"anything": "x"}]}"#, 0),
    ] {
        let pattern = format!(r#"{{"queryParameters": {{"{name}": {condition}}}}}"#);
        assert_eq!(count(&server, &pattern), count_of, "{pattern}");
    }
}

#[test]
fn conditions_inside_others_are_bounded() {
    let server = one();
    let nested = |depth: usize| {
        let condition = r#"{"not": "#.repeat(depth) + r#"{"equalTo": "x"}"# + &"}".repeat(depth);
        format!(r#"{{"headers": {{"x-none": {condition}}}}}"#)
    };
    assert_eq!(count(&server, &nested(100)), 0);
    for pattern in [nested(101), nested(10_000)] {
        let refused = control(server.address(), "POST", "/requests/count", &pattern);
        refused.failed(400, "there are more than 100 nested conditions");
    }
}

/// A backtracking implementation would not respond within the timeout of a test.
#[test]
fn backtracking_expression_is_answered_in_time() {
    let server = Server::start().unwrap();
    call(server.address(), "GET", &format!("/v1/messages?a={}", "a".repeat(2000)), &[]);
    let expression = "(a*)*".repeat(150) + "b";
    let pattern = format!(r#"{{"urlPattern": ".*{expression}"}}"#);
    let answer = control(server.address(), "POST", "/requests/count", &pattern);
    assert_eq!(answer.json()["count"], 0);
}

/// A hundred names of one header, by case.
fn names(name: &str) -> impl Iterator<Item = String> {
    let upper = |place: usize, n: usize| n >> place & 1 == 1;
    let name = name.to_owned();
    (0..100).map(move |n| {
        let letters = name.char_indices();
        let letter = |(place, letter): (usize, char)| {
            if upper(place, n) { letter.to_ascii_uppercase() } else { letter }
        };
        letters.map(letter).collect()
    })
}

/// Sends a request with a long header, and gives a pattern of large expressions for it.
fn slow(address: SocketAddr, header_bytes: usize, expressions: usize) -> String {
    call(address, "GET", "/", &[("abcdefg", &"a".repeat(header_bytes))]);
    let expression = "(a|a)*b|".repeat(120) + "a*";
    let conditions: Vec<_> = names("abcdefg")
        .take(expressions)
        .map(|name| format!(r#""{name}": {{"matches": "{expression}"}}"#))
        .collect();
    format!(r#"{{"headers": {{{}}}}}"#, conditions.join(", "))
}

#[test]
fn a_hundred_large_expressions_and_one_long_header_do_not_take_long() {
    let server = Server::start().unwrap();
    let pattern = slow(server.address(), 126_000, 100);
    let answer = control(server.address(), "POST", "/requests/count", &pattern);
    assert_eq!(answer.status, 400, "{answer:?}");
    assert!(answer.body.contains("too long"), "{answer:?}");
}

/// The bytes of a request that counts requests by a pattern.
fn counts(pattern: &str) -> String {
    let head = "POST /__admin/requests/count HTTP/1.1\r\nHost: localhost";
    format!("{head}\r\nContent-Length: {}\r\n\r\n{pattern}", pattern.len())
}

/// A client that closes its sending direction only has no further request.
#[test]
fn a_client_that_closes_one_direction_gets_the_answer_to_its_search() {
    let server = Server::start().unwrap();
    let pattern = slow(server.address(), 4_000, 1);
    let mut searching = Wire::open(server.address());
    searching.send(counts(&pattern));
    searching.stream().shutdown(Shutdown::Write).unwrap();
    let answer = searching.answer();
    // On a slow machine, the search may be refused because it takes too long.
    assert!([200, 400].contains(&answer.status), "{answer:?}");
    searching.is_closed();
}

/// The only allowed connection becomes free for the next client before the search would end.
#[test]
fn a_search_ends_when_the_client_resets_the_connection() {
    let mut limits = Limits::default();
    limits.connections = 1;
    let server = Server::builder().limits(limits).start().unwrap();
    let pattern = slow(server.address(), 4_000, 100);
    let mut searching = Wire::open(server.address());
    searching.send("GET /__admin/health HTTP/1.1\r\nHost: localhost\r\n\r\n");
    // Closing a connection with unread data resets it.
    searching.stream().peek(&mut [0]).unwrap();
    let begun = Instant::now();
    searching.send(counts(&pattern));
    wait_until_read(searching.stream());
    drop(searching);
    call(server.address(), "GET", "/__admin/health", &[]).ok();
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[test]
fn an_expression_may_end_in_a_comment() {
    let server = one();
    for (expression, count_of) in [
        ("(?x) /v1/ messages # a comment", 1),
        ("(?x) /v1/ # messages", 0),
        ("(?x) /v1/ messages # )", 1),
        ("/v1/messages# no comment", 0),
    ] {
        let pattern = format!(r#"{{"urlPathPattern": "{expression}"}}"#);
        assert_eq!(count(&server, &pattern), count_of, "{pattern}");
    }
}

//! The `Authorization` header: which values are accepted, and which agent a key belongs to. Tests
//! the statements on the header and on keys (`everywhere.authentication`, `everywhere.scheme`,
//! `everywhere.key`).

use gptbots_mock::Server;

use crate::support::client::{Answer, get, request};
use crate::support::fixture::{agent, build, silent};

const LIST: &str = "/v1/bot/conversation/page?conversation_type=ALL&start_time=0\
                    &end_time=9999999999999&page=1&page_size=1";

/// Asks a server whose one key is `k` with these `Authorization` headers.
#[track_caller]
fn send(values: &[&str]) -> Answer {
    let server = build(&[agent("k", &[])]).start().unwrap();
    let headers: Vec<_> = values.iter().map(|value| ("Authorization", *value)).collect();
    request(&server, "GET", LIST, &headers)
}

#[track_caller]
fn refused(values: &[&str], reason: &str) {
    send(values).refused(401, 40127, "Authentication failed.", reason);
}

#[test]
fn the_scheme_is_compared_without_regard_to_case() {
    for value in ["Bearer k", "bearer k", "BEARER k", "bEaReR k"] {
        send(&[value]).ok();
    }
}

#[test]
fn the_header_is_found_in_any_case() {
    let server = build(&[agent("k", &[])]).start().unwrap();
    for name in ["authorization", "AUTHORIZATION", "Authorization"] {
        request(&server, "GET", LIST, &[(name, "Bearer k")]).ok();
    }
}

#[test]
fn several_spaces_may_stand_before_the_key() {
    send(&["Bearer    k"]).ok();
}

#[test]
fn a_tab_does_not_end_the_scheme() {
    refused(&["Bearer\tk"], "no space after Bearer");
}

/// Spaces, then the rest of the value: a tab there is part of the key.
#[test]
fn a_tab_after_the_spaces_belongs_to_the_key() {
    refused(&["Bearer \tk"], "unknown API key");
}

#[test]
fn a_request_needs_the_header() {
    refused(&[], "no Authorization header");
}

#[test]
fn two_headers_are_refused_even_when_both_are_right() {
    refused(&["Bearer k", "Bearer k"], "two Authorization headers");
}

#[test]
fn another_scheme_is_refused() {
    for value in ["Basic k", "k", "Bearerk", "Bearer: k", "Token k", "API-Key k"] {
        refused(&[value], "send `Bearer <API key>`");
    }
}

#[test]
fn an_empty_key_is_refused() {
    refused(&["Bearer"], "no API key");
    refused(&["Bearer "], "no API key");
    refused(&["Bearer    "], "no API key");
}

#[test]
fn an_empty_header_is_refused() {
    refused(&[""], "the Authorization header is empty");
}

#[test]
fn a_key_is_compared_exactly() {
    for key in ["K", "kk", "k k", "Bearer k", "\"k\"", "k,", "{k}"] {
        refused(&[&format!("Bearer {key}")], "unknown API key");
    }
}

/// What was sent as a key is a secret, even where it is wrong.
#[test]
fn the_reason_never_repeats_the_key() {
    let answer = send(&["Bearer my-secret"]);
    assert!(!format!("{answer:?}").contains("my-secret"), "{answer:?}");
}

#[test]
fn a_key_in_the_query_counts_for_nothing() {
    let server = build(&[agent("k", &[])]).start().unwrap();
    let target = format!("{LIST}&api_key=k&Authorization=Bearer%20k");
    assert_eq!(request(&server, "GET", &target, &[("X-Api-Key", "k")]).status, 401);
}

/// Two agents, each with one conversation of its own.
fn two_agents() -> gptbots_mock::ServerBuilder {
    let one = agent("one", &[silent("of-one", "u", "API", 1)]);
    let two = agent("two", &[silent("of-two", "u", "API", 1)]);
    build(&[one, two])
}

#[track_caller]
fn conversation(server: &Server, key: &str) -> String {
    get(server, key, LIST).column("list", "conversation_id").join(",")
}

#[test]
fn a_key_belongs_to_one_agent() {
    let server = two_agents().start().unwrap();
    assert_eq!(conversation(&server, "one"), "of-one");
    assert_eq!(conversation(&server, "two"), "of-two");
}

#[test]
fn an_agent_may_have_several_keys() {
    let mut agent = agent("one", &[silent("of-one", "u", "API", 1)]);
    agent["keys"] = ["one", "uno", "1"].as_slice().into();
    let server = build(&[agent]).start().unwrap();
    for key in ["one", "uno", "1"] {
        assert_eq!(conversation(&server, key), "of-one");
    }
}

#[test]
fn with_a_fixture_the_built_in_keys_are_unknown() {
    let server = two_agents().start().unwrap();
    for key in ["app-demo", "app-deleted", "your_apikey", "YOUR_API_KEY"] {
        assert_eq!(get(&server, key, LIST).status, 401, "{key}");
    }
}

#[test]
fn a_further_key_belongs_to_agent_demo() {
    let server = Server::builder().api_key("mine").start().unwrap();
    assert_eq!(get(&server, "mine", LIST).ok().body, get(&server, "app-demo", LIST).body);
}

#[test]
fn with_a_fixture_a_further_key_belongs_to_its_first_agent() {
    let server = two_agents().api_key("mine").start().unwrap();
    assert_eq!(conversation(&server, "mine"), "of-one");
}

#[test]
fn with_any_key_an_unknown_key_belongs_to_agent_demo() {
    let server = Server::builder().any_key().start().unwrap();
    assert_eq!(get(&server, "whatever", LIST).ok().body, get(&server, "app-demo", LIST).body);
}

#[test]
fn with_any_key_other_agents_keep_their_keys() {
    let server = two_agents().any_key().start().unwrap();
    assert_eq!(conversation(&server, "two"), "of-two");
}

#[test]
fn with_any_key_a_deleted_agent_stays_deleted() {
    let server = Server::builder().any_key().start().unwrap();
    get(&server, "app-deleted", LIST).refused(400, 20059, "Agent deleted", "deleted");
}

#[test]
fn with_any_key_a_key_is_still_needed() {
    let server = Server::builder().any_key().start().unwrap();
    for headers in [&[][..], &[("Authorization", "Bearer ")], &[("Authorization", "Basic k")]] {
        assert_eq!(request(&server, "GET", LIST, headers).status, 401, "{headers:?}");
    }
}

#[test]
fn a_fixtures_deleted_agent_is_refused() {
    let mut gone = agent("gone", &[silent("of-gone", "u", "API", 1)]);
    gone["deleted"] = true.into();
    let server = build(&[agent("k", &[]), gone]).start().unwrap();
    get(&server, "gone", LIST).refused(400, 20059, "Agent deleted", "gone");
}

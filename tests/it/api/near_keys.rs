//! `x-mock-reason` of requests with a wrong key: the reason says what is wrong with the header, and
//! never repeats a configured key.

use gptbots_mock::Server;

use crate::support::client::request;
use crate::support::fixture::{agent, build};

const KEYED: &str = "/v1/messages?conversation_id=x&page=1&page_size=1";

/// What the built-in server says to a request without the right key.
#[track_caller]
fn unauthenticated(server: &Server, headers: &[(&str, &str)], reason: &str) {
    let answer = request(server, "GET", KEYED, headers);
    assert_eq!(answer.status, 401, "{headers:?}");
    assert_eq!(answer.header("x-mock-reason"), Some(reason), "{headers:?}");
}

#[test]
fn wrong_authorization_header_is_described_in_the_reason() {
    let server = Server::start().unwrap();
    let send = "send `Bearer <API key>`";
    let sandbox = "the text after ~ in the API key must be a sandbox id \
                   (1 to 64 of A-Z a-z 0-9 . _ -), got";
    let long = format!("Bearer app-demo~{}", "x".repeat(65));
    for (value, reason) in [
        ("", format!("the Authorization header is empty; {send}")),
        ("Basic app-demo", format!("the Authorization scheme must be Bearer, got Basic; {send}")),
        ("Secret app-demo", format!("the Authorization scheme must be Bearer; {send}")),
        ("app-demo", format!("the Authorization header has no scheme; {send}")),
        ("Bearer: app-demo", format!("no space after Bearer; {send}")),
        ("Bearer\tapp-demo", format!("no space after Bearer; {send}")),
        ("Bearer ", "no API key after Bearer; is a variable empty?".to_owned()),
        ("Bearer app-demo~", format!("{sandbox} an empty text")),
        ("Bearer app-demo~a/b", format!("{sandbox} a text with another character")),
        (&long, format!("{sandbox} 65 bytes")),
    ] {
        unauthenticated(&server, &[("Authorization", value)], &reason);
    }
    let twice = [("Authorization", "Bearer a"), ("Authorization", "Bearer b")];
    unauthenticated(&server, &twice, "two Authorization headers; send one");
}

#[test]
fn key_in_another_place_gets_a_reason_that_names_the_right_place() {
    let server = Server::start().unwrap();
    let send = "no Authorization header; send `Authorization: Bearer <API key>`";
    unauthenticated(&server, &[], send);
    let header = format!("{send}, not the header x-api-key");
    unauthenticated(&server, &[("X-API-Key", "app-demo")], &header);
    for name in ["api_key", "apiKey", "key", "token", "access_token"] {
        let answer = request(&server, "GET", &format!("{KEYED}&{name}=my-secret"), &[]);
        let reason = format!("{send}, not {name} in the query string");
        assert_eq!(answer.header("x-mock-reason"), Some(&*reason));
    }
}

#[test]
fn unknown_key_gets_a_reason_that_says_what_it_looks_like() {
    let server = Server::start().unwrap();
    for (key, reason) in [
        ("app-dmo", "unknown API key; did you mean app-demo?"),
        ("APP-DEMO", "unknown API key; did you mean app-demo?"),
        ("my-secret", "unknown API key; a valid key is app-demo"),
        ("<app-demo>", "unknown API key: it has angle brackets around it; did you mean app-demo?"),
        ("\"app-demo\"", "unknown API key: it has quotes around it; did you mean app-demo?"),
        ("Bearer app-demo", "unknown API key: the scheme is given twice; a valid key is app-demo"),
        ("zz zz", "unknown API key: it contains a space; a valid key is app-demo"),
        (
            "\u{e9}",
            "unknown API key: it contains a character that is not visible ASCII; \
             a valid key is app-demo",
        ),
        (
            "$GPT_SECRET",
            "unknown API key: it looks like a variable that was not filled in; \
             a valid key is app-demo",
        ),
        (
            "{{secret}}",
            "unknown API key: it looks like a variable that was not filled in; \
             a valid key is app-demo",
        ),
        ("<API_KEY>", "unknown API key: it looks like a placeholder; a valid key is app-demo"),
        (
            "YOUR_API_KEYS",
            "unknown API key: it looks like a placeholder; did you mean YOUR_API_KEY?",
        ),
        ("~ci", "unknown API key: there is no key before the sandbox id; a valid key is app-demo"),
    ] {
        unauthenticated(&server, &[("Authorization", &format!("Bearer {key}"))], reason);
    }
}

#[test]
fn configured_key_is_never_in_a_reason() {
    let given = Server::builder().api_key("app-mine-7").start().unwrap();
    let hint = "unknown API key; a valid key is app-demo";
    unauthenticated(&given, &[("Authorization", "Bearer mine-7")], hint);
    let fixture = build(&[agent("app-mine-7", &[])]).start().unwrap();
    unauthenticated(&fixture, &[("Authorization", "Bearer app-mine-8")], "unknown API key");
}

/// A name is a fixture's, and may be of any length.
#[test]
fn key_longer_than_a_reason_is_not_in_it() {
    let named = serde_json::json!({"name": "x".repeat(5000), "conversations": []});
    let server = build(&[named]).start().unwrap();
    unauthenticated(&server, &[("Authorization", "Bearer app-x")], "unknown API key");
}

#[test]
fn key_of_a_replaced_built_in_agent_says_that_fixtures_replace_it() {
    let fixture = build(&[agent("app-mine-7", &[])]).start().unwrap();
    for key in ["app-demo", "app-deleted"] {
        unauthenticated(
            &fixture,
            &[("Authorization", &format!("Bearer {key}"))],
            "unknown API key: it belongs to a built-in agent, and fixtures replace the built-in \
             agents",
        );
    }
}

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
    let sandbox = "what stands behind ~ in the API key names no sandbox: \
                   1 to 64 of A-Z a-z 0-9 . _ -, got";
    let long = format!("Bearer app-demo~{}", "x".repeat(65));
    for (value, reason) in [
        ("", format!("the Authorization header is empty; {send}")),
        ("Basic app-demo", format!("the scheme of Authorization is Basic, not Bearer; {send}")),
        ("Secret app-demo", format!("the scheme of Authorization is not Bearer; {send}")),
        ("app-demo", format!("no scheme in Authorization, not Bearer; {send}")),
        ("Bearer: app-demo", format!("no space behind Bearer; {send}")),
        ("Bearer\tapp-demo", format!("no space behind Bearer; {send}")),
        ("Bearer ", "no API key behind Bearer; was it an empty variable?".to_owned()),
        ("Bearer app-demo~", format!("{sandbox} nothing")),
        ("Bearer app-demo~a/b", format!("{sandbox} another character")),
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
        ("my-secret", "unknown API key; app-demo is a known one"),
        ("<app-demo>", "unknown API key: it has angle brackets around it; did you mean app-demo?"),
        ("\"app-demo\"", "unknown API key: it has quotes around it; did you mean app-demo?"),
        (
            "Bearer app-demo",
            "unknown API key: its scheme stands there twice; app-demo is a known one",
        ),
        ("zz zz", "unknown API key: it holds a space; app-demo is a known one"),
        ("\u{e9}", "unknown API key: it holds more than visible ASCII; app-demo is a known one"),
        (
            "$GPT_SECRET",
            "unknown API key: it looks like a variable that was not filled in; \
             app-demo is a known one",
        ),
        (
            "{{secret}}",
            "unknown API key: it looks like a variable that was not filled in; \
             app-demo is a known one",
        ),
        ("<API_KEY>", "unknown API key: it looks like a placeholder; app-demo is a known one"),
        (
            "YOUR_API_KEYS",
            "unknown API key: it looks like a placeholder; did you mean YOUR_API_KEY?",
        ),
        (
            "~ci",
            "unknown API key: nothing stands before what names the sandbox; app-demo is a known one",
        ),
    ] {
        unauthenticated(&server, &[("Authorization", &format!("Bearer {key}"))], reason);
    }
}

#[test]
fn configured_key_is_never_in_a_reason() {
    let given = Server::builder().api_key("app-mine-7").start().unwrap();
    let hint = "unknown API key; app-demo is a known one";
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
            "unknown API key: it is a key of the built-in agents, which the fixtures replace",
        );
    }
}

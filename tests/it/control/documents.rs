//! The paths and documents of the control API, and the errors for mistakes in them.

use gptbots_mock::Server;
use serde_json::{Value, json};

use crate::support::client::Answer;
use crate::support::control::{control, is_there, listed, put, shown};

/// One request to a new server.
#[track_caller]
pub(crate) fn ask(method: &str, path: &str, body: &str) -> Answer {
    control(Server::start().unwrap().address(), method, path, body)
}

/// Asserts that a body is refused with this place, message and help.
#[track_caller]
fn mistake(path: &str, body: &str, place: &str, message: &str, help: &Value) {
    let method = if path.ends_with("/a") { "PUT" } else { "POST" };
    let answer = ask(method, path, body);
    answer.failed(400, &format!("body:{place}: {message}"));
    let errors = answer.errors();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!(errors[0]["title"], message);
    let detail = errors[0]["detail"].as_str().unwrap();
    assert!(detail.starts_with(&format!("body:{place}: {message}\n")), "{detail}");
    // The help follows after the mark below the line.
    let (_, marked) = detail.rsplit_once('^').unwrap();
    assert_eq!(marked.trim_start(), help.as_str().unwrap_or_default(), "{detail}");
}

#[track_caller]
fn wrong(body: &str, place: &str, message: &str, help: impl Into<Value>) {
    mistake("/sandboxes/a", body, place, message, &help.into());
}

#[test]
fn invalid_json_is_400_with_its_place() {
    let ends = "syntax error: the document ends too early";
    wrong("", "1:1", ends, Value::Null);
    wrong("seed: 1", "1:1", "syntax error: expected a value", Value::Null);
    wrong("{", "1:2", ends, Value::Null);
    wrong(
        "{\n  \"seed\": 1,\n}",
        "2:12",
        "syntax error: a comma after the last value",
        Value::Null,
    );
    wrong("{'seed': 1}", "1:2", "syntax error: expected a key in double quotes", Value::Null);
    wrong("{} {}", "1:4", "syntax error: more text after the end of the document", Value::Null);
    wrong("{\"seed\": nul}", "1:13", "syntax error: expected true, false or null", Value::Null);
}

#[test]
fn unknown_key_is_400_and_names_the_nearest() {
    wrong("{\n  \"sed\": 1}", "2:3", "unknown key \"sed\"", "did you mean \"seed\"?");
    wrong(
        "{\"rate-limit\": 1}",
        "1:2",
        "unknown key \"rate-limit\"",
        "did you mean \"rate_limit\"?",
    );
    wrong(
        "{\"x\": 1}",
        "1:2",
        "unknown key \"x\"",
        "one of seed, conversations, demo_user, fixtures, readings, faults, rate_limit, hazards, clock",
    );
    wrong(
        r#"{"rate_limit": {"requests": 1, "seconds": 1, "second": 2}}"#,
        "1:46",
        "unknown key \"second\"",
        "did you mean \"seconds\"?",
    );
}

#[test]
fn a_fixture_at_the_root_is_an_error_that_suggests_fixtures() {
    let help = "put the fixture under \"fixtures\"";
    let fixture = r#"{"agents": [{"name": "x", "keys": ["s3cret"]}]}"#;
    wrong(fixture, "1:2", "unknown key \"agents\"", help);
    wrong(r#"{"$schema": "./schema.json"}"#, "1:2", "unknown key \"$schema\"", help);
    let misspelt = format!(r#"{{"fixture": {fixture}}}"#);
    for body in [fixture, &misspelt] {
        let refused = ask("PUT", "/sandboxes/a", body);
        assert!(!refused.body.contains("s3cret"), "{refused:?}");
    }
}

#[test]
fn a_response_of_get_is_an_error_that_suggests_settings() {
    let server = Server::start().unwrap();
    let shown = control(server.address(), "GET", "/sandboxes/default", "").ok().body.clone();
    let errors = ask("PUT", "/sandboxes/a", &shown).errors();
    let titles: Vec<_> = errors.iter().map(|error| error["title"].as_str().unwrap()).collect();
    assert_eq!(titles, ["unknown key \"id\"", "unknown key \"settings\"", "unknown key \"state\""]);
    for error in errors {
        let detail = error["detail"].as_str().unwrap();
        assert!(detail.ends_with("send the value of \"settings\""), "{detail}");
    }
}

#[test]
fn duplicate_key_is_400() {
    wrong("{\"seed\": 1, \"seed\": 2}", "1:13", "duplicate key \"seed\"", Value::Null);
}

#[test]
fn unknown_word_is_400_and_names_the_nearest() {
    let unknown = "unknown hazard \"arival\"; did you mean arrival? (one of arrival, departure, \
                   short-page, repeated-row, moving-total, exact-multiple)";
    wrong("{\"hazards\": [\"arival\"]}", "1:15", unknown, Value::Null);
    let unknown = "unknown operation \"qaa\"; did you mean qa? (one of conversations, messages, \
                   messages-v2, qa)";
    wrong("{\"hazards\": [\"qaa:arrival\"]}", "1:15", unknown, Value::Null);
    let unknown = "unknown clock \"frozn\"; did you mean frozen? (one of real, frozen)";
    wrong("{\"clock\": \"frozn\"}", "1:12", unknown, Value::Null);
}

#[test]
fn value_of_a_wrong_type_is_400() {
    const CLOCK: &str = "expected a clock, a string or an object, got a boolean";
    wrong("[]", "1:1", "expected a sandbox (an object), got an array", Value::Null);
    wrong("{\"hazards\": 1}", "1:13", "expected the hazards (an array), got a number", Value::Null);
    wrong("{\"clock\": true}", "1:11", CLOCK, Value::Null);
    let form = "write a rate limit as REQUESTS/SECONDS, such as 60/60 for 60 requests a minute";
    wrong("{\"rate_limit\": \"1-2\"}", "1:17", form, Value::Null);
    let kinds = "expected a rate limit, a string or an object, got an array";
    wrong("{\"rate_limit\": []}", "1:16", kinds, Value::Null);
}

#[test]
fn number_out_of_bounds_is_400() {
    let seed = "expected a seed, 0 to 18446744073709551615, got";
    wrong(
        "{\"seed\": 18446744073709551616}",
        "1:10",
        &format!("{seed} 18446744073709551616"),
        Value::Null,
    );
    wrong("{\"seed\": -1}", "1:10", &format!("{seed} -1"), Value::Null);
    wrong("{\"seed\": 1.5}", "1:10", &format!("{seed} 1.5"), Value::Null);
    wrong(
        "{\"seed\": \"1\"}",
        "1:10",
        "expected a seed, 0 to 18446744073709551615, got a string",
        Value::Null,
    );
    let body = r#"{"rate_limit": {"requests": 0, "seconds": 1}}"#;
    wrong(body, "1:29", "expected requests, 1 to 1000000, got 0", Value::Null);
    let body = r#"{"rate_limit": {"requests": 1, "seconds": 86401}}"#;
    wrong(body, "1:43", "expected seconds, 1 to 86400, got 86401", Value::Null);
}

#[test]
fn a_rate_limit_needs_both_numbers() {
    let help = r#"write {"requests": 60, "seconds": 60}"#;
    for body in [r#"{"rate_limit": {}}"#, r#"{"rate_limit": {"requests": 1}}"#] {
        wrong(body, "1:2", "a rate limit needs requests and seconds", help);
    }
}

#[test]
fn conversations_beside_fixtures_are_400() {
    let body = r#"{"conversations": 1, "fixtures": {"agents": [{"name": "x"}]}}"#;
    let message = "conversations applies to generated records only, not to fixtures";
    wrong(body, "1:2", message, "leave it out");
}

/// Line and column are counted in the whole body, not in the fixture.
#[test]
fn mistake_in_inline_fixtures_is_400_with_its_place() {
    let body = "{\"fixtures\":\n  {\"agents\": [{\"name\": \"x\", \"nam\": 1}]}}";
    wrong(body, "2:29", "unknown key \"nam\"", "did you mean \"name\"?");
}

#[test]
fn the_keys_of_inline_fixtures_are_not_shown() {
    let body = r#"{"fixtures": {"agents": [{"keys": ["s3cret"], "nam": "x"}]}}"#;
    let answer = ask("PUT", "/sandboxes/a", body);
    assert_eq!(answer.status, 400);
    assert!(!answer.body.contains("s3cret"), "{answer:?}");
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let answer = ask("PUT", "/sandboxes/a", r#"{"seed": "x", "hazards": ["y"], "z": 1}"#);
    let errors = answer.errors();
    let pointers: Vec<_> = errors.iter().map(|error| &error["source"]["pointer"]).collect();
    assert_eq!(pointers, ["/seed", "/hazards/0", "/z"]);
    let details = errors.iter().map(|error| error["detail"].as_str().unwrap());
    for (detail, column) in details.zip([10, 28, 33]) {
        assert!(detail.starts_with(&format!("body:1:{column}: ")), "{detail}");
    }
}

#[test]
fn mistake_in_a_clock_is_400_with_its_place() {
    let clock = "/sandboxes/a/clock";
    let help = Value::from("did you mean \"advance_ms\"?");
    mistake(clock, r#"{"advance": 1}"#, "1:2", "unknown key \"advance\"", &help);
    let message = "expected milliseconds, 0 to 3153600000000, got -1";
    mistake(clock, r#"{"advance_ms": -1}"#, "1:16", message, &Value::Null);
}

#[test]
fn mistake_in_a_fault_is_400_with_its_place() {
    let faults = "/sandboxes/a/faults";
    let help = Value::from("did you mean \"status\"?");
    mistake(faults, r#"{"statu": 503}"#, "1:2", "unknown key \"statu\"", &help);
    let answer = ask("POST", faults, "[]");
    answer.failed(400, "body:1:1: expected a fault, a string or an object, got an array");
}

#[test]
fn refused_clock_or_fault_creates_no_sandbox() {
    let server = Server::start().unwrap();
    for what in ["clock", "faults"] {
        let path = format!("/sandboxes/a/{what}");
        assert_eq!(control(server.address(), "POST", &path, "{").status, 400);
    }
    assert!(!is_there(server.address(), "a"));
}

#[test]
fn fault_with_a_taken_id_is_409() {
    let server = Server::start().unwrap();
    let before = put(&server, "a", &json!({"faults": ["qa:status=503,id=x"]}));
    let answer = control(server.address(), "POST", "/sandboxes/a/faults", r#""status=502,id=x""#);
    answer.failed(409, "another fault already has the id x");
    assert_eq!(shown(&server, "a"), before);
}

#[test]
fn other_methods_are_405_with_allow() {
    for (method, path, allow) in [
        ("POST", "/health", "GET, HEAD"),
        ("PUT", "/sandboxes", "GET, HEAD"),
        ("POST", "/sandboxes/a", "GET, HEAD, PUT, DELETE"),
        ("PATCH", "/sandboxes/a", "GET, HEAD, PUT, DELETE"),
        ("GET", "/sandboxes/a/reset", "POST"),
        ("HEAD", "/sandboxes/a/clock", "POST"),
        ("DELETE", "/sandboxes/a/faults", "POST"),
    ] {
        let answer = ask(method, path, "");
        assert_eq!((answer.status, answer.header("allow")), (405, Some(allow)), "{method} {path}");
    }
}

#[test]
fn head_is_answered_as_get_without_the_body() {
    let answer = ask("HEAD", "/health", "");
    assert_eq!((answer.status, &*answer.body), (200, ""));
}

#[test]
fn other_paths_are_404_and_list_the_paths() {
    for path in
        ["", "/", "/healthy", "/health/", "/sandboxes/a/b", "/sandboxes/a/clock/c", "/Health"]
    {
        let answer = ask("GET", path, "");
        let why = format!(
            "the control API has no path \"/__admin{path}\"; its paths are /__admin/health,"
        );
        answer.failed(404, &why);
    }
}

#[test]
fn invalid_sandbox_id_is_400() {
    let long = "x".repeat(65);
    for id in ["", &long, "a~b", "a%20b"] {
        let answer = ask("PUT", &format!("/sandboxes/{id}"), "{}");
        answer.failed(
            400,
            "is not a sandbox id; an id has 1 to 64 characters from A-Z a-z 0-9 . _ -",
        );
    }
}

#[test]
fn unknown_sandbox_is_404() {
    ask("GET", "/sandboxes/a", "")
        .failed(404, "there is no sandbox \"a\"; a request or PUT creates it");
}

#[test]
fn default_sandbox_always_exists() {
    let server = Server::start().unwrap();
    assert_eq!(listed(server.address()), ["default"]);
    assert_eq!(shown(&server, "default")["id"], "default");
}

#[test]
fn health_shows_the_version() {
    let expected = json!({"status": "healthy", "version": env!("CARGO_PKG_VERSION")});
    assert_eq!(ask("GET", "/health", "").ok().json(), expected);
}

//! Errors show lines of documents, but never a key in these lines.

use gptbots_mock::Server;

use crate::support::client::call;
use crate::support::control::control;
use crate::support::folder::Folder;
use crate::support::process::{Process, command, run, run_in};

const SECRET: &str = "s3cretS3cret";

/// Like one of the vendor's keys.
const VENDOR: &str = "app-abcdefghij0123456789";

/// Documents with a mistake and a key. `KEY` stands for the secret.
const FIXTURES: &[&str] = &[
    r#"{"agents": [{"name": "m", "keys": "KEY"}]}"#,
    r#"{"agents": [{"name": "m", "key": "KEY"}]}"#,
    r#"{"agents": [{"name": "m", "kyes": ["KEY"]}]}"#,
    r#"{"agents": [{"name": 5, "api_key": "KEY"}]}"#,
    r#"{"agents": [{"name": 5, "apiKey": {"a": {"b": ["KEY"]}, "c": "KEY"}}]}"#,
    r#"{"agents": [{"name": "m", "keys": ["KEY"], "keys": ["KEY"]}]}"#,
    r#"{"agents": [{"name": "m", "keys": ["x", {"a": "KEY"}]}]}"#,
    r#"{"agnets": [{"name": "m", "keys": ["KEY"]}]}"#,
    r#"[{"name": "m", "keys": ["KEY"]}]"#,
    r#"{"agents": [{"name": "m", "keys": ["KEY""#,
    r#"{"agents": [{"name": "m", "keys": ["KEY"#,
    r#"{"agents": [{"name": "m", "keys": ["KEY",,]}]}"#,
    r#"{"agents": [{"name": "m", "keys": "KEY", "KEY"]}]}"#,
    r#"{"agents": [{"name": "m",, "keys": ["KEY"]}]}"#,
    r#"{"agents": [{"name": "m" "keys": ["KEY"]}]}"#,
    r#"{"agents": [{"name": "m", "keys" ["KEY"]}]}"#,
    r#"{"agents": [{"name": "m", "keys", ["KEY"]}]}"#,
    r#"{"agents": [{"name": "m", keys: ["KEY"]}]}"#,
    r#"{"agents": [{"name": "m", 'keys': ['KEY']}]}"#,
    r#"{"agents": [{"name": "m", "keys": [KEY]}]}"#,
    r#"{"agents": [{"name": "m", "keys": [1, "\"KEY"]}]}"#,
    r#"{"agents": [{"name": "m", "keys": ["}KEY", "KEY"}, "KEY"]}]}"#,
    "{\"agents\": [{\"name\": \"m\", \"keys\": [\n\"KEY\", 5]}]}",
    "{\"agents\": [{\"name\": \"m\", \"keys\":\n[\"x\"\n\"KEY\"]}]}",
    "{\"agents\": [{\"name\": \"m\", \"keys\": [\"a\nKEY\"]}]}",
    r#"{"agents": [{"nmae": "m", "token": "KEY", "Authorization": "Bearer KEY"}]}"#,
];

/// No part of a secret is shown.
#[track_caller]
fn hides(shown: &str, from: &str) {
    assert!(!shown.contains("3cret") && !shown.contains("abcdefghij"), "{from}: {shown}");
}

#[test]
fn fixtures_keep_their_keys() {
    let folder = Folder::new();
    for fixture in FIXTURES {
        folder.write("odd.json", fixture.replace("KEY", SECRET));
        let ended = run_in(folder.path(), &["check", "--strict", "odd.json"]);
        assert_eq!(ended.code, 3, "{fixture}: {ended:?}");
        hides(&ended.stderr, fixture);
    }
}

#[test]
fn long_lines_keep_their_keys() {
    let folder = Folder::new();
    let many = format!("{}\"{SECRET}\", 5, \"{SECRET}\"", "\"x\", ".repeat(300));
    folder.write("odd.json", format!(r#"{{"agents": [{{"name": "m", "keys": [{many}]}}]}}"#));
    hides(&run_in(folder.path(), &["check", "odd.json"]).stderr, "a long list");
    let long = "s3cret".repeat(100);
    folder.write("odd.json", format!(r#"{{"agents": [{{"keys": "{long}", "name": 5}}]}}"#));
    hides(&run_in(folder.path(), &["check", "odd.json"]).stderr, "a long key");
}

#[test]
fn bodies_keep_their_keys() {
    let server = Server::start().unwrap();
    let refused = |method: &str, path: &str, body: &str| {
        let answer = control(server.address(), method, path, &body.replace("KEY", SECRET));
        assert_eq!(answer.status, 400, "{body}: {answer:?}");
        hides(&answer.body, body);
    };
    for fixture in FIXTURES {
        refused("PUT", "/sandboxes/a", &format!(r#"{{"seed": "x", "fixtures": {fixture}}}"#));
    }
    for body in [
        r#"{"code": "x", "api_key": "KEY"}"#,
        r#"{"faults": [5], "token": {"a": "KEY"}}"#,
        r#"{"code": "x",, "keys": ["KEY"]}"#,
    ] {
        refused("POST", "/sandboxes/a/faults", body);
    }
    for body in [
        r#"{"headers": {"Authorization": {"equal": "KEY"}}}"#,
        r#"{"headers": {"x-api-key": {"equalTo": "KEY"}}, "method": 5}"#,
        r#"{"headers": {"x-api-key": {"equalTo": "KEY"},,}}"#,
    ] {
        refused("POST", "/requests/find", body);
    }
}

#[test]
fn config_files_keep_their_keys() {
    let folder = Folder::new();
    for text in [
        r#"{"admin-token": ["KEY"]}"#,
        r#"{"api-key": {"a": "KEY"}}"#,
        r#"{"api-key": ["KEY", {"a": "KEY"}]}"#,
        r#"{"api-key": ["KEY"],,}"#,
        r#"{"api-kee": ["KEY",,]}"#,
        r#"{"nothing": ["KEY",,]}"#,
    ] {
        let file = folder.write("mock.json", text.replace("KEY", SECRET));
        let ended = run(command(&["--config"]).arg(file));
        ended.refused(3, &["mock.json:1:"]);
        hides(&ended.stderr, text);
    }
}

#[test]
fn what_looks_like_a_vendors_key_is_hidden_in_lines() {
    let folder = Folder::new();
    let pad = "x".repeat(80);
    for text in [
        format!(r#"{{"agents": [{{"name": 5, "bot_id": "{VENDOR}"}}]}}"#),
        format!(r#"{{"agents": [{{"bot_id": "{pad}{pad} {VENDOR}", "name": 5, "x": "{pad}"}}]}}"#),
        format!(r#"{{"agents": [{{"name": 5, "bot_id": "{} {VENDOR}"}}]}}"#, &pad[..35]),
        format!(r#"{{"agents": [{{"{VENDOR}": 5}}]}}"#),
    ] {
        folder.write("odd.json", &text);
        let ended = run_in(folder.path(), &["check", "--strict", "odd.json"]);
        assert_eq!(ended.code, 3, "{ended:?}");
        hides(&ended.stderr, &text);
    }
}

/// A key in the place of a sandbox id appears in no log.
#[test]
fn what_looks_like_a_vendors_key_is_hidden_in_requests() {
    let (process, address) = Process::serve(&["--log-format", "text"]);
    let target = format!("/s/{VENDOR}/v1/messages");
    for target in
        [target.clone(), target.replace("app-", "app%2D"), format!("/v1/message/{VENDOR}")]
    {
        let answer = call(address, "GET", &target, &[("Authorization", "Bearer app-demo")]);
        hides(&format!("{answer:?}"), "an answer");
    }
    let path = format!("/sandboxes/{VENDOR}");
    hides(&control(address, "PUT", &path, "{}").body, "a refusal");
    for path in ["/requests", "/verdict", "/requests/unmatched/near-misses"] {
        let shown = control(address, "GET", path, "").body;
        hides(&shown, path);
        assert!(path == "/verdict" || shown.contains("****6789"), "{shown}");
    }
    let ended = process.stop();
    hides(&format!("{}{}", ended.stdout, ended.stderr), "the log");
}

/// A key that is derived from the name of an agent is not secret.
#[test]
fn keys_that_are_published_are_shown() {
    let name = "abcdefghij0123456789";
    let fixture = format!(r#"{{"agents": [{{"name": "{name}", "conversations": []}}]}}"#);
    let server = Server::builder().fixture(&*fixture).start().unwrap();
    let answer = call(server.address(), "GET", "/v1/messages", &[("Authorization", "Bearer x")]);
    assert!(answer.header("x-mock-reason").unwrap().contains(VENDOR), "{answer:?}");
}

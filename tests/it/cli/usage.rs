//! Flags and their variables: wrong values are explained, right ones apply, and a flag overrides
//! its variable.

use std::net::{SocketAddr, TcpListener};

use crate::support::client::{ALWAYS, NEWEST, call, fetch};
use crate::support::folder::Folder;
use crate::support::process::{Ended, Process, command, run};

/// Asserts exit code 2, nothing on stdout, and words that say what is wrong and what right.
#[track_caller]
fn explained(ended: &Ended, words: &[&str]) {
    ended.refused(2, words);
    assert!(ended.stderr.starts_with("error: "), "{ended:?}");
}

/// Values that are wrong, by flag, with what the message has to say.
const WRONG: &[(&str, &str, &[&str])] = &[
    ("--host", "nowhere", &["'nowhere'", "127.0.0.1"]),
    ("--host", "", &["127.0.0.1"]),
    ("--port", "70000", &["'70000'", "65535"]),
    ("--port", "-1", &["-1", "--port"]),
    ("--port", "http", &["'http'", "<PORT>", "it must be a whole number from 0 to 65535"]),
    (
        "--seed",
        "x",
        &["'x'", "<NUMBER>", "it must be a whole number from 0 to 18446744073709551615"],
    ),
    ("--seed", "18446744073709551616", &["'18446744073709551616'", "<NUMBER>"]),
    ("--conversations", "10000001", &["'10000001'", "10000000"]),
    ("--now", "2025-13-01", &["`2025-13-01`", "2025-10-20", "today"]),
    ("--now", "2025-02-29", &["`2025-02-29`", "2025-10-20", "today"]),
    ("--now", "2025-10-20T00:00", &["`2025-10-20T00:00`", "2025-10-20", "today"]),
    ("--now", "yesterday", &["`yesterday`", "2025-10-20", "today"]),
    ("--api-key", "", &["must not be empty"]),
    ("--api-key", "a b", &["visible ASCII", "` `"]),
    ("--api-key", "ключ", &["visible ASCII", "`к`"]),
    ("--api-key", "your_apikey", &["API key", "agent `documented`"]),
    ("--api-key", "app-deleted", &["API key", "agent `deleted`"]),
    ("--reading", "qa-tme=seconds", &["`qa-tme`", "did you mean `qa-time`?", "wording"]),
    ("--reading", "qa-time=second", &["`second`", "did you mean `seconds`?", "milliseconds"]),
    ("--reading", "qa-time=", &["``", "seconds, milliseconds"]),
    ("--reading", "qa-time", &["'qa-time'", "NAME=VALUE"]),
    ("--reading", "page-size=clamp,qa-time", &["'qa-time'", "NAME=VALUE"]),
    ("--log-format", "yaml", &["'yaml'", "text, json, off"]),
];

#[test]
fn a_wrong_variable_of_a_switch_is_explained() {
    explained(
        &run(command(&["--port", "0"]).env("GPTBOTS_MOCK_CORS", "maybe")),
        &["GPTBOTS_MOCK_CORS", "it must be 1 or 0, true or false, yes or no, on or off"],
    );
}

#[test]
fn a_coverage_above_100_percent_is_explained() {
    explained(
        &run(&mut command(&["exec", "--min-coverage", "101", "--", "true"])),
        &["it must be a whole number from 0 to 100"],
    );
}

#[test]
fn a_missing_value_of_a_secret_is_explained() {
    explained(
        &run(&mut command(&["--admin-token"])),
        &["a value is required for '--admin-token <TOKEN>' but none was supplied"],
    );
}

#[test]
fn a_wrong_value_of_a_flag_is_explained() {
    for (flag, value, words) in WRONG {
        // Should one be taken after all, the server must not stand in the way of another test.
        let port: &[&str] = if *flag == "--port" { &[] } else { &["--port", "0"] };
        let given = format!("{flag}={value}");
        let ended = run(command(&[&given]).args(port));
        explained(&ended, words);
        let ended = run(command(&["serve", &given]).args(port));
        explained(&ended, words);
    }
}

#[test]
fn a_wrong_value_of_a_variable_is_explained() {
    // A variable that is set to nothing is none.
    for (flag, value, words) in WRONG.iter().filter(|(_, value, _)| !value.is_empty()) {
        let port: &[&str] = if *flag == "--port" { &[] } else { &["--port", "0"] };
        let ended = run(command(port).env(variable(flag), value));
        explained(&ended, words);
    }
    for flag in ["--any-key", "--cors"] {
        let ended = run(command(&["--port", "0"]).env(variable(flag), "maybe"));
        explained(&ended, &["'maybe'", flag]);
    }
}

/// As a compose file sets those that it passes on and does not have.
#[test]
fn empty_variable_counts_as_unset() {
    let mut server = command(&["--port", "0"]);
    let flags = ["--host", "--port-file", "--seed", "--conversations", "--now", "--fixtures"];
    let more =
        ["--watch", "--api-key", "--any-key", "--reading", "--cors", "--log-format", "--config"];
    for flag in flags.iter().chain(&more) {
        server.env(variable(flag), "");
    }
    let (_server, address) = Process::serving(&mut server);
    assert_eq!(fetch(address, "app-demo", NEWEST).ok().json()["total"], 200);
}

fn variable(flag: &str) -> String {
    format!("GPTBOTS_MOCK_{}", flag.trim_start_matches('-').replace('-', "_").to_uppercase())
}

#[test]
fn unknown_word_names_the_nearest() {
    explained(&run(&mut command(&["--sed", "3"])), &["'--sed'", "'--seed'"]);
    explained(&run(&mut command(&["serve", "--conversation", "3"])), &["'--conversations'"]);
    explained(&run(&mut command(&["readngs"])), &["'readngs'", "'readings'"]);
    explained(&run(&mut command(&["healthchek"])), &["'healthchek'", "'healthcheck'"]);
    explained(&run(&mut command(&["healthcheck", "--prt", "1"])), &["'--prt'", "'--port'"]);
}

#[test]
fn misplaced_words_and_flags_end_with_2() {
    explained(&run(&mut command(&["serve", "--port", "0", "extra"])), &["'extra'"]);
    explained(&run(&mut command(&["--port", "0", "readings"])), &["'readings'", "--port"]);
    explained(&run(&mut command(&["readings", "--port", "0"])), &["'--port'"]);
    explained(&run(&mut command(&["--any-key=1", "--port", "0"])), &["'1'", "--any-key"]);
    explained(&run(&mut command(&["--port"])), &["--port", "<PORT>"]);
    explained(&run(&mut command(&["healthcheck", "--port", "70000"])), &["'70000'", "65535"]);
}

/// A server with variables and flags.
#[track_caller]
fn with(variables: &[(&str, &str)], flags: &[&str]) -> (Process, SocketAddr) {
    let mut command = command(flags);
    command.envs(variables.iter().copied());
    if !variables.iter().any(|(name, _)| *name == "GPTBOTS_MOCK_PORT") {
        command.env("GPTBOTS_MOCK_PORT", "0");
    }
    Process::serving(&mut command)
}

#[track_caller]
fn body(address: SocketAddr, target: &str) -> String {
    fetch(address, "app-demo", target).ok().body.clone()
}

#[test]
fn host_variable_applies_and_the_flag_overrides_it() {
    let variable = [("GPTBOTS_MOCK_HOST", "0.0.0.0")];
    let (_server, address) = with(&variable, &[]);
    assert_eq!(address.ip().to_string(), "0.0.0.0");
    let (_server, address) = with(&variable, &["--host", "127.0.0.1"]);
    assert_eq!(address.ip().to_string(), "127.0.0.1");
}

#[test]
fn port_variable_applies_and_the_flag_overrides_it() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let ended = run(command(&[]).env("GPTBOTS_MOCK_PORT", &port));
    assert_eq!(ended.code, 4, "{ended:?}");
    assert!(ended.stderr.contains(&port), "{ended:?}");
    let (_server, address) = with(&[("GPTBOTS_MOCK_PORT", &port)], &["--port", "0"]);
    body(address, NEWEST);
}

#[test]
fn port_file_variable_applies_and_the_flag_overrides_it() {
    let directory = Folder::new();
    let (one, two) = (directory.join("one"), directory.join("two"));
    let variable = [("GPTBOTS_MOCK_PORT_FILE", one.to_str().unwrap())];
    let (_server, address) = with(&variable, &["--port-file", two.to_str().unwrap()]);
    assert_eq!(directory.names(), ["two"]);
    assert_eq!(std::fs::read_to_string(&two).unwrap(), format!("{}\n", address.port()));
    let (_server, address) = with(&variable, &[]);
    assert_eq!(std::fs::read_to_string(&one).unwrap(), format!("{}\n", address.port()));
}

#[test]
fn record_variables_apply_and_the_flags_override_them() {
    for (flag, value, default) in [
        ("--seed", "7", "1"),
        ("--conversations", "3", "200"),
        ("--now", "2024-02-29", "2025-10-20"),
    ] {
        let answer = |variables: &[(&str, &str)], flags: &[&str]| {
            let (_server, address) = with(variables, flags);
            body(address, NEWEST)
        };
        let name = variable(flag);
        let set = [(&*name, value)];
        let by_flag = answer(&[], &[flag, value]);
        assert_ne!(by_flag, answer(&[], &[]), "{flag}");
        assert_eq!(answer(&set, &[]), by_flag, "{name}");
        assert_eq!(answer(&set, &[flag, default]), answer(&[], &[]), "{name}");
    }
}

#[test]
fn the_key_variable_is_a_list_and_the_flag_replaces_it() {
    let status = |address, key| fetch(address, key, NEWEST).status;
    let variable = [("GPTBOTS_MOCK_API_KEY", "key-1,key-2")];
    let (_server, address) = with(&variable, &[]);
    assert_eq!(["key-1", "key-2", "key-3"].map(|key| status(address, key)), [200, 200, 401]);
    let (_server, address) = with(&variable, &["--api-key", "key-3", "--api-key", "key-4,key-5"]);
    assert_eq!(["key-1", "key-2"].map(|key| status(address, key)), [401, 401]);
    assert_eq!(["key-3", "key-4", "key-5"].map(|key| status(address, key)), [200, 200, 200]);
}

#[test]
fn the_reading_variable_is_a_list_and_the_flag_replaces_it() {
    let qa = format!("/v1/message/qa/record/page?user_feedback=ALL&{ALWAYS}&page=1&page_size=1");
    let read = |variables: &[(&str, &str)], flags: &[&str]| {
        let (_server, address) = with(variables, flags);
        // A page_size below its range: one row is clamped to ten, or refused.
        let answer = fetch(address, "app-demo", &qa);
        let ms = answer.json()["qa"][0]["q_time"].as_i64().map(|time| time > 1_000_000_000_000);
        (answer.status, ms)
    };
    let variable = [("GPTBOTS_MOCK_READING", "qa-time=milliseconds,page-size=clamp")];
    assert_eq!(read(&[], &[]), (400, None));
    assert_eq!(read(&variable, &[]), (200, Some(true)));
    assert_eq!(read(&variable, &["--reading", "page-size=clamp"]), (200, Some(false)));
    let both = ["--reading", "page-size=clamp", "--reading", "qa-time=milliseconds"];
    assert_eq!(read(&[], &both), (200, Some(true)));
}

#[test]
fn the_switch_variables_take_words_for_on_and_off() {
    for (value, on) in [("1", true), ("true", true), ("yes", true), ("0", false), ("false", false)]
    {
        let variables = [("GPTBOTS_MOCK_ANY_KEY", value), ("GPTBOTS_MOCK_CORS", value)];
        let (_server, address) = with(&variables, &[]);
        let status = fetch(address, "whatever", NEWEST).status;
        assert_eq!(status, if on { 200 } else { 401 }, "GPTBOTS_MOCK_ANY_KEY={value}");
        let headers = [("Origin", "http://app.test"), ("Authorization", "Bearer app-demo")];
        let answer = call(address, "GET", NEWEST, &headers);
        let allowed = answer.header("access-control-allow-origin").is_some();
        assert_eq!(allowed, on, "GPTBOTS_MOCK_CORS={value}");
    }
    let off = [("GPTBOTS_MOCK_ANY_KEY", "false")];
    let (_server, address) = with(&off, &["--any-key"]);
    assert_eq!(fetch(address, "whatever", NEWEST).status, 200);
}

#[test]
fn log_format_variable_applies_and_the_flag_overrides_it() {
    let variable = [("GPTBOTS_MOCK_LOG_FORMAT", "json")];
    let (mut server, address) = with(&variable, &[]);
    body(address, NEWEST);
    assert!(server.stderr.find("/v1/bot/conversation/page\"").starts_with('{'));
    let (mut server, address) = with(&variable, &["--log-format", "text"]);
    body(address, NEWEST);
    assert!(server.stderr.find("GET /v1/bot/conversation/page").starts_with("20"));
}

#[test]
fn variables_apply_to_the_serve_subcommand() {
    let variables = [("GPTBOTS_MOCK_API_KEY", "key-1"), ("GPTBOTS_MOCK_CONVERSATIONS", "3")];
    let (_server, address) = with(&variables, &["serve"]);
    assert_eq!(fetch(address, "key-1", NEWEST).json()["total"], 3);
}

//! `--config`, `--print-config`, `completions` and `man`.

use gptbots_mock::contract::READINGS;
use serde_json::{Value, json};

use crate::support::client::{NEWEST, fetch};
use crate::support::folder::Folder;
use crate::support::process::{Process, command, run};

/// A folder with a config file of this text.
fn config(text: &str) -> (Folder, String) {
    let folder = Folder::new();
    let path = folder.write("mock.json", text);
    (folder, path.to_str().unwrap().to_owned())
}

#[track_caller]
fn printed(args: &[&str]) -> String {
    let ended = run(&mut command(args));
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}");
    ended.stdout
}

/// The value and the origin of a setting.
#[track_caller]
fn setting(table: &str, name: &str) -> (String, String) {
    let line = table.lines().find(|line| line.split("  ").next() == Some(name));
    let line = line.unwrap_or_else(|| panic!("no {name}: {table}"));
    let cells: Vec<_> = line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
    match &cells[1..] {
        [origin] => (String::new(), (*origin).to_owned()),
        [value, origin] => ((*value).to_owned(), (*origin).to_owned()),
        _ => panic!("not name, value and origin: {line}"),
    }
}

#[test]
fn file_sets_what_flags_and_variables_do_not() {
    let (_folder, file) =
        config(r#"{"seed": 7, "conversations": 3, "api-key": ["mine"], "port": 0}"#);
    let (server, address) = Process::serving(&mut command(&["--config", &file]));
    let answer = fetch(address, "mine", NEWEST);
    assert_eq!(answer.ok().json()["total"], 3);
    drop(server);
}

#[test]
fn flags_come_before_variables_and_variables_before_the_file() {
    let (_folder, file) = config(r#"{"seed": 7, "conversations": 3, "now": "2025-01-01"}"#);
    let ended = run(command(&["--config", &file, "--print-config", "--seed", "9"])
        .env("GPTBOTS_MOCK_SEED", "8")
        .env("GPTBOTS_MOCK_CONVERSATIONS", "5"));
    let of = |name| setting(&ended.stdout, name);
    assert_eq!(of("seed"), ("9".into(), "--seed".into()));
    assert_eq!(of("conversations"), ("5".into(), "GPTBOTS_MOCK_CONVERSATIONS".into()));
    assert_eq!(of("now"), ("2025-01-01".into(), format!("{file}:1:33")));
    assert_eq!(of("host"), ("127.0.0.1".into(), "default".into()));
}

#[test]
fn print_config_shows_the_moment_that_today_is() {
    let (_folder, file) = config(r#"{"now": "today"}"#);
    let (before, shown, after) = {
        let now = || gptbots_mock::Day::until(std::time::SystemTime::now()).to_string();
        (now(), setting(&printed(&["--config", &file, "--print-config"]), "now"), now())
    };
    // Texts of fractions differ in length, which the second does not.
    let second = |moment: &str| moment[..19].to_owned();
    assert!((second(&before)..=second(&after)).contains(&second(&shown.0)), "{shown:?}");
    assert_eq!(shown.1, format!("{file}:1:2"));
    let given = printed(&["--now", "2025-10-20T17:30:00+02:00", "--print-config"]);
    assert_eq!(setting(&given, "now").0, "2025-10-20T17:30:00+02:00");
}

#[test]
fn the_file_may_be_named_by_a_variable_and_behind_serve() {
    let (_folder, file) = config(r#"{"seed": 7}"#);
    let by_variable = run(command(&["--print-config"]).env("GPTBOTS_MOCK_CONFIG", &file)).stdout;
    assert_eq!(setting(&by_variable, "seed").0, "7");
    assert_eq!(printed(&["serve", "--config", &file, "--print-config"]), by_variable);
}

#[test]
fn commands_that_do_not_serve_ignore_the_file() {
    let (_folder, file) = config(r#"{"seed": 7}"#);
    for args in [&["readings"][..], &["check", &file], &["completions", "bash"]] {
        let ended = run(command(args).env("GPTBOTS_MOCK_CONFIG", &file));
        assert_ne!(ended.code, 2, "{ended:?}");
    }
}

/// A list that a variable sets comes behind the file's, as one that a flag sets does.
#[test]
fn a_reading_of_a_variable_comes_before_that_of_the_file() {
    let (_folder, file) = config(r#"{"reading": {"wording": "bot", "error-status": "ok"}}"#);
    let (_server, address) = Process::serving(
        command(&["--config", &file, "--port", "0"]).env("GPTBOTS_MOCK_READING", "wording=agent"),
    );
    let answer = fetch(address, "app-deleted", NEWEST);
    assert_eq!(answer.status, 200);
    assert!(answer.body.contains("Agent deleted"), "{answer:?}");
}

#[test]
fn readings_add_up_one_by_one() {
    let (_folder, file) = config(r#"{"reading": {"qa-time": "milliseconds", "wording": "bot"}}"#);
    let args = ["--config", &file, "--reading", "wording=agent"];
    let (_server, address) = Process::serve(&args);
    let answer = fetch(address, "app-deleted", NEWEST);
    assert!(answer.body.contains("Agent deleted"), "{answer:?}");
    let window = "start_time=0&end_time=9999999999999&page=1&page_size=10";
    let target = format!("/v1/message/qa/record/page?user_feedback=ALL&{window}");
    let time = fetch(address, "app-demo", &target).rows("qa")[0]["q_time"].as_i64().unwrap();
    assert!(time > 1_000_000_000_000, "{time}");
}

#[test]
fn paths_are_relative_to_the_files_folder() {
    let (folder, file) = config(r#"{"fixtures": ["mine.json"], "port-file": "port"}"#);
    folder.write("mine.json", r#"{"agents": [{"name": "mine"}]}"#);
    let (_server, address) = Process::serve(&["--config", &file]);
    assert_eq!(fetch(address, "app-mine", NEWEST).ok().json()["total"], 0);
    let port = std::fs::read_to_string(folder.join("port")).unwrap();
    assert_eq!(port.trim(), address.port().to_string());
}

/// What is wrong in a file, and the words that explain it.
const WRONG: &[(&str, &[&str])] = &[
    (r#"{"sed": 1}"#, &["mock.json:1:2: unknown key \"sed\"", "did you mean \"seed\"?"]),
    (r#"{"seed": 1, "seed": 2}"#, &["1:13: duplicate key \"seed\""]),
    (r#"{"port": "8484"}"#, &["1:10: expected a number, got a string"]),
    (r#"{"port": 70000}"#, &["1:10: ", "70000", "65535"]),
    (r#"{"seed": -1}"#, &["1:10: ", "-1"]),
    (r#"{"conversations": 10000001}"#, &["10000001", "10000000"]),
    (r#"{"now": "tomorrow"}"#, &["1:10: ", "`tomorrow`", "2025-10-20"]),
    (r#"{"watch": 1}"#, &["expected true or false, got a number"]),
    (r#"{"api-key": "mine"}"#, &["expected a list (an array), got a string"]),
    (r#"{"api-key": ["a b"]}"#, &["visible ASCII"]),
    (r#"{"reading": {"qa-tme": "seconds"}}"#, &["did you mean \"qa-time\"?"]),
    (r#"{"reading": {"qa-time": "second"}}"#, &["did you mean `seconds`?"]),
    (r#"{"reading": ["qa-time=seconds"]}"#, &["expected readings by name (an object)"]),
    (r#"{"log-format": "yaml"}"#, &["text, json, off"]),
    (r#"{"config": "other.json"}"#, &["unknown key \"config\""]),
    (
        r#"{"agents": [{"name": "x"}]}"#,
        &["unknown key \"agents\"", "this file is a fixture; set \"fixtures\" to its path"],
    ),
    (r#"{"seed": 1"#, &["syntax error: the document ends too early"]),
    (r"[]", &["expected settings (an object), got an array"]),
    ("", &["syntax error: the document ends too early"]),
];

#[test]
fn every_mistake_is_told_with_its_place() {
    for (text, words) in WRONG {
        let (_folder, file) = config(text);
        run(&mut command(&["--config", &file])).refused(3, words);
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let (_folder, file) = config("{\n  \"sed\": 1,\n  \"port\": 70000,\n  \"cors\": \"yes\"\n}\n");
    let ended = run(&mut command(&["--config", &file]));
    ended.refused(3, &["mock.json:2:3", "mock.json:3:11", "mock.json:4:11", "3 problems"]);
}

/// What stands behind a misspelt key may be a secret, too.
#[test]
fn the_value_of_an_unknown_key_is_not_shown() {
    let (_folder, file) = config(r#"{"api-kee": ["sEcReT-1"], "seed": "x"}"#);
    let ended = run(&mut command(&["--config", &file]));
    ended.refused(3, &["did you mean \"api-key\"?", r#"{"api-kee": ************, "seed": "x"}"#]);
    assert!(!ended.stderr.contains("sEcReT"), "{ended:?}");
}

#[test]
fn a_missing_file_is_named() {
    let ended = run(&mut command(&["--config", "/nowhere/mock.json"]));
    ended.refused(3, &["/nowhere/mock.json: cannot be read"]);
}

#[test]
fn keys_are_counted_and_never_shown() {
    let (_folder, file) = config(r#"{"api-key": ["sEcReT-1", "sEcReT-2"]}"#);
    let table = printed(&["--config", &file, "--print-config"]);
    assert_eq!(setting(&table, "api-key").0, "2 given");
    let by_flag = printed(&["--api-key", "sEcReT-3", "--print-config"]);
    assert_eq!(setting(&by_flag, "api-key"), ("1 given".into(), "--api-key".into()));
    assert!(!format!("{table}{by_flag}").contains("sEcReT"));
}

/// The schema for editors knows the same settings and readings.
#[test]
fn the_schema_knows_every_setting_and_reading() {
    let schema =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/config.schema.json"));
    let schema: Value = serde_json::from_str(&schema.unwrap()).unwrap();
    let keys = |of: &Value| of.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let mut settings = keys(&schema["properties"]);
    settings.retain(|key| key != "$schema");
    let table = printed(&["--print-config"]);
    let mut printed: Vec<_> = table.lines().map(|line| line.split(' ').next().unwrap()).collect();
    printed.sort_unstable();
    settings.sort();
    assert_eq!(settings, printed);
    let readings = &schema["properties"]["reading"]["properties"];
    assert_eq!(readings.as_object().unwrap().len(), READINGS.len());
    for row in READINGS {
        let values: Vec<_> = row.values.iter().map(|(word, _)| *word).collect();
        assert_eq!(readings[row.name], json!({ "enum": values }), "{}", row.name);
    }
    for name in ["host", "port", "seed", "conversations", "now"] {
        let default = &schema["properties"][name]["default"];
        let default = default.as_str().map_or_else(|| default.to_string(), str::to_owned);
        assert_eq!(setting(&table, name).0, default, "{name}");
    }
}

#[test]
fn every_shell_gets_its_completions() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = printed(&["completions", shell]);
        assert!(script.contains("gptbots-mock") && script.contains("conversations"), "{shell}");
    }
    let ended = run(&mut command(&["completions", "cobol"]));
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("bash"), "{ended:?}");
}

#[test]
fn the_manual_page_holds_every_flag() {
    let page = printed(&["man"]);
    assert!(page.contains(".TH gptbots-mock 1"), "{page}");
    for flag in ["conversations", "fixtures", "reading", "config"] {
        assert!(page.contains(&format!("\\-\\-{flag}")), "{flag}");
    }
}

//! A setting is declared once. Its flag, its variable, its key of the config file, its help, its schema,
//! its default and its key of a sandbox's settings follow.

use gptbots_mock::Server;
use serde_json::{Map, Value, json};

use crate::support::control::control;
use crate::support::folder::Folder;
use crate::support::process::{command, run};

/// A setting, as its pages have it.
struct Row {
    name: &'static str,
    variable: &'static str,
    default: &'static str,
    /// Another value, as a flag and a variable take it.
    value: &'static str,
    /// The same in a config file.
    in_file: &'static str,
    /// The key of a sandbox's settings.
    sandbox_key: Option<&'static str>,
}

#[rustfmt::skip]
const ROWS: [Row; 26] = [
    row("host", "GPTBOTS_MOCK_HOST", "127.0.0.1", "0.0.0.0", r#""0.0.0.0""#, None),
    row("port", "GPTBOTS_MOCK_PORT", "8484", "0", "0", None),
    row("port-file", "GPTBOTS_MOCK_PORT_FILE", "", "p", r#""p""#, None),
    row("until-stdin-closes", "GPTBOTS_MOCK_UNTIL_STDIN_CLOSES", "false", "true", "true", None),
    row("seed", "GPTBOTS_MOCK_SEED", "1", "7", "7", Some("seed")),
    row("conversations", "GPTBOTS_MOCK_CONVERSATIONS", "200", "3", "3", Some("conversations")),
    row("now", "GPTBOTS_MOCK_NOW", "2025-10-20", "2025-01-01", r#""2025-01-01""#, None),
    row("demo-user", "GPTBOTS_MOCK_DEMO_USER", "", "ann", r#""ann""#, Some("demo_user")),
    row("fixtures", "GPTBOTS_MOCK_FIXTURES", "", "a.json", r#"["a.json"]"#, Some("fixtures")),
    row("strict", "GPTBOTS_MOCK_STRICT", "false", "true", "true", None),
    row("watch", "GPTBOTS_MOCK_WATCH", "false", "true", "true", None),
    row("api-key", "GPTBOTS_MOCK_API_KEY", "", "mine", r#"["mine"]"#, None),
    row("any-key", "GPTBOTS_MOCK_ANY_KEY", "false", "true", "true", None),
    row("reading", "GPTBOTS_MOCK_READING", "", "qa-time=milliseconds",
        r#"{"qa-time": "milliseconds"}"#, Some("readings")),
    row("cors", "GPTBOTS_MOCK_CORS", "false", "true", "true", None),
    row("fault", "GPTBOTS_MOCK_FAULT", "", "messages:code=50000,every=3",
        r#"["messages:code=50000,every=3"]"#, Some("faults")),
    row("rate-limit", "GPTBOTS_MOCK_RATE_LIMIT", "", "60/60", r#""60/60""#, Some("rate_limit")),
    row("hazard", "GPTBOTS_MOCK_HAZARD", "", "qa:arrival", r#"["qa:arrival"]"#, Some("hazards")),
    row("no-admin", "GPTBOTS_MOCK_NO_ADMIN", "false", "true", "true", None),
    row("admin-token", "GPTBOTS_MOCK_ADMIN_TOKEN", "", "secret", r#""secret""#, None),
    row("allow-host", "GPTBOTS_MOCK_ALLOW_HOST", "", "mock.example", r#"["mock.example"]"#, None),
    row("log-format", "GPTBOTS_MOCK_LOG_FORMAT", "text", "json", r#""json""#, None),
    row("journal", "GPTBOTS_MOCK_JOURNAL", "1000", "0", "0", None),
    row("journal-memory", "GPTBOTS_MOCK_JOURNAL_MEMORY", "8", "16", "16", None),
    row("max-memory", "GPTBOTS_MOCK_MAX_MEMORY", "512", "64", "64", None),
    row("max-connections", "GPTBOTS_MOCK_MAX_CONNECTIONS", "4096", "5", "5", None),
];

const fn row(
    name: &'static str,
    variable: &'static str,
    default: &'static str,
    value: &'static str,
    in_file: &'static str,
    sandbox_key: Option<&'static str>,
) -> Row {
    Row { name, variable, default, value, in_file, sandbox_key }
}

impl Row {
    fn flag(&self) -> String {
        match self.value {
            "true" => format!("--{}", self.name),
            value => format!("--{}={value}", self.name),
        }
    }

    /// What `--print-config` shows of the value.
    fn shown(&self) -> &'static str {
        if ["api-key", "admin-token"].contains(&self.name) { "1 given" } else { self.value }
    }

    /// The line of `--print-config`, without the spaces that align it.
    fn line(&self, value: &str, origin: &str) -> String {
        [self.name, value, origin].join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

/// The lines of `--print-config`, without the spaces that align them.
#[track_caller]
fn print_config(args: &[&str], variable: Option<(&str, &str)>) -> Vec<String> {
    let ended = run(command(&["--print-config"]).args(args).envs(variable));
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}");
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    ended.stdout.lines().map(words).collect()
}

/// What `docs/config.schema.json` says of each setting.
fn schema() -> Map<String, Value> {
    let schema = include_str!("../../../docs/config.schema.json");
    let mut schema: Value = serde_json::from_str(schema).unwrap();
    let mut properties = schema["properties"].as_object_mut().unwrap().clone();
    properties.remove("$schema");
    properties
}

/// What `docs/admin-openapi.json` says of each setting of a sandbox.
fn sandbox_schema() -> Value {
    let document: Value = serde_json::from_str(gptbots_mock::admin_openapi()).unwrap();
    document["components"]["schemas"]["Settings"]["properties"].clone()
}

#[test]
fn every_setting_has_its_default() {
    let defaults: Vec<_> = ROWS.iter().map(|row| row.line(row.default, "default")).collect();
    assert_eq!(print_config(&[], None), defaults);
}

#[test]
fn every_setting_is_a_flag_a_variable_and_a_key_of_the_file() {
    let folder = Folder::new();
    for (at, row) in ROWS.iter().enumerate() {
        let by_flag = print_config(&[&row.flag()], None);
        assert_eq!(by_flag[at], row.line(row.shown(), &format!("--{}", row.name)));
        let by_variable = print_config(&[], Some((row.variable, row.value)));
        assert_eq!(by_variable[at], row.line(row.shown(), row.variable));
        let text = format!("{{\"{}\": {}}}", row.name, row.in_file);
        let file = folder.write("mock.json", text);
        let file = file.to_str().unwrap();
        let by_file = print_config(&["--config", file], None);
        assert_eq!(by_file[at], row.line(row.shown(), &format!("{file}:1:2")));
    }
}

/// Flags that `-h` omits, so that it fits into one screen.
const ADVANCED: [&str; 7] = [
    "port-file",
    "until-stdin-closes",
    "demo-user",
    "allow-host",
    "journal-memory",
    "max-memory",
    "max-connections",
];

#[test]
fn long_help_has_every_flag_with_its_variable_and_default() {
    let help = run(&mut command(&["serve", "--help"])).stdout;
    for row in &ROWS {
        let option = help.split("\n      --").find(|option| {
            option.strip_prefix(row.name).is_some_and(|rest| rest.starts_with([' ', '\n']))
        });
        let option = option.unwrap_or_else(|| panic!("no --{}: {help}", row.name));
        let variable = format!("          Variable: {}\n", row.variable);
        assert!(option.contains(&variable), "{option}");
        let default = format!("[default: {}]", row.default);
        let has_default = !["", "false"].contains(&row.default);
        assert_eq!(option.contains(&default), has_default, "{option}");
    }
}

#[test]
fn short_help_fits_into_one_screen() {
    for (args, most) in [(&["-h"][..], 55), (&["serve", "-h"], 45)] {
        let help = run(&mut command(args)).stdout;
        assert!(help.lines().count() <= most, "{}: {help}", help.lines().count());
        assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
        for row in &ROWS {
            let line = help.lines().find(|line| {
                let flag = line.trim_start().strip_prefix("--");
                flag.and_then(|flag| flag.split(' ').next()) == Some(row.name)
            });
            assert_eq!(line.is_none(), ADVANCED.contains(&row.name), "--{}: {help}", row.name);
        }
    }
}

#[test]
fn every_line_of_the_help_fits_into_a_terminal() {
    let commands = ["serve", "exec", "check", "generate", "verify", "healthcheck", "openapi"];
    for command_name in commands {
        for flag in ["-h", "--help"] {
            let help = run(&mut command(&[command_name, flag])).stdout;
            let long = help.lines().find(|line| line.chars().count() > 100);
            assert_eq!(long, None, "{command_name} {flag}");
        }
    }
}

#[test]
fn the_schema_has_every_setting_with_its_default_and_takes_its_value() {
    let schema = schema();
    let names: Vec<_> = ROWS.iter().map(|row| row.name).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    assert_eq!(schema.keys().collect::<Vec<_>>(), sorted);
    for row in &ROWS {
        let property = &schema[row.name];
        let default = property.get("default").map_or("", |default| match default {
            Value::String(text) => text,
            _ => row.default.matches(&*default.to_string()).next().unwrap_or("another one"),
        });
        assert_eq!(default, row.default, "{}", row.name);
        let value: Value = serde_json::from_str(row.in_file).unwrap();
        let validator = jsonschema::validator_for(property).unwrap();
        assert!(validator.is_valid(&value), "{}: {value}", row.name);
        assert!(!validator.is_valid(&json!({ "no": "value" })), "{}", row.name);
    }
}

/// The settings that are numbers, with their bounds.
const BOUNDS: [(&str, u64, u64); 7] = [
    ("port", 0, 65_535),
    ("seed", 0, 18_446_744_073_709_551_615),
    ("conversations", 0, 10_000_000),
    ("journal", 0, 1_000_000),
    ("journal-memory", 1, 4096),
    ("max-memory", 32, 65_536),
    ("max-connections", 1, 1_000_000),
];

#[test]
fn numbers_have_the_same_bounds_everywhere() {
    let folder = Folder::new();
    let server = Server::start().unwrap();
    let schema = schema();
    let numbers = ROWS.iter().filter(|row| schema[row.name]["type"] == "integer");
    assert_eq!(numbers.map(|row| row.name).collect::<Vec<_>>(), BOUNDS.map(|(name, ..)| name));
    let sandbox = sandbox_schema();
    for (name, least, most) in BOUNDS {
        let row = ROWS.iter().find(|row| row.name == name).unwrap();
        let bounds = |schema: &Value| (schema["minimum"].as_u64(), schema["maximum"].as_u64());
        assert_eq!(bounds(&schema[name]), (Some(least), Some(most)), "{name}");
        for value in [least, most] {
            print_config(&[&format!("--{name}={value}")], None);
        }
        for value in [i128::from(least) - 1, i128::from(most) + 1] {
            let text = value.to_string();
            // Without `--print-config` a value that is taken would begin to serve.
            let print = || command(&["--print-config"]);
            run(print().arg(format!("--{name}={text}"))).refused(2, &[&text, "--"]);
            run(print().env(row.variable, &text)).refused(2, &[&text, row.variable]);
            let file = folder.write("mock.json", format!("{{\"{name}\": {text}}}"));
            run(print().arg("--config").arg(file)).refused(3, &[&text, "mock.json:1:"]);
            if let Some(key) = row.sandbox_key {
                assert_eq!(bounds(&sandbox[key]), (Some(least), Some(most)), "{key}");
                let body = format!("{{\"{key}\": {text}}}");
                let answer = control(server.address(), "PUT", "/sandboxes/a", &body);
                assert_eq!(answer.status, 400, "{body}");
                assert!(answer.body.contains(&format!("{least} to {most}, got ")), "{answer:?}");
            }
        }
    }
}

#[test]
fn a_sandbox_takes_the_settings_that_have_a_key_of_its_own_and_a_clock() {
    let server = Server::start().unwrap();
    let keys: Vec<_> = ROWS.iter().filter_map(|row| row.sandbox_key).chain(["clock"]).collect();
    let described = sandbox_schema();
    let mut sorted = keys.clone();
    sorted.sort_unstable();
    assert_eq!(described.as_object().unwrap().keys().collect::<Vec<_>>(), sorted);
    let page = include_str!("../../../docs/sandboxes.md");
    for key in keys {
        let answer =
            control(server.address(), "PUT", "/sandboxes/a", &format!("{{\"{key}\": false}}"));
        assert!(answer.body.contains("got a boolean"), "{key}: {answer:?}");
        assert!(page.contains(&format!("\n| `{key}` ")), "{key}");
    }
    for row in ROWS.iter().filter(|row| row.sandbox_key.is_none()) {
        let body = format!("{{\"{}\": {}}}", row.name, row.in_file);
        let answer = control(server.address(), "PUT", "/sandboxes/a", &body);
        assert!(answer.body.contains("unknown key"), "{answer:?}");
    }
}

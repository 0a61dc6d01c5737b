//! Variables that are wrong or meant for another program: which commands they stop, and what is
//! printed about them.

use crate::support::process::{Ended, Process, command, run};

/// What Kubernetes sets in every pod for a service by the name of `gptbots-mock`.
const OF_KUBERNETES: [(&str, &str); 8] = [
    ("GPTBOTS_MOCK_SERVICE_HOST", "10.3.104.46"),
    ("GPTBOTS_MOCK_SERVICE_PORT", "8484"),
    ("GPTBOTS_MOCK_SERVICE_PORT_HTTP", "8484"),
    ("GPTBOTS_MOCK_PORT", "tcp://10.3.104.46:8484"),
    ("GPTBOTS_MOCK_PORT_8484_TCP", "tcp://10.3.104.46:8484"),
    ("GPTBOTS_MOCK_PORT_8484_TCP_PROTO", "tcp"),
    ("GPTBOTS_MOCK_PORT_8484_TCP_PORT", "8484"),
    ("GPTBOTS_MOCK_PORT_8484_TCP_ADDR", "10.3.104.46"),
];

/// Commands that take no setting from a variable.
const WITHOUT_SETTINGS: [&[&str]; 8] = [
    &["readings"],
    &["contract"],
    &["openapi"],
    &["openapi", "--admin"],
    &["completions", "bash"],
    &["man"],
    &["check", concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/documented.json")],
    &["--version"],
];

#[track_caller]
fn with(args: &[&str], variables: &[(&str, &str)]) -> Ended {
    run(command(args).envs(variables.iter().copied()))
}

/// What is said before the settings are printed.
#[track_caller]
fn notes(args: &[&str], variables: &[(&str, &str)]) -> String {
    let ended = with(&[args, &["--print-config"]].concat(), variables);
    assert_eq!(ended.code, 0, "{ended:?}");
    ended.stderr
}

#[test]
fn kubernetes_service_variables_are_ignored_with_one_line() {
    let note = "note: GPTBOTS_MOCK_PORT is ignored, because it contains \"tcp://10.3.104.46:8484\", \
                which Kubernetes sets for a service of this name\n";
    assert_eq!(notes(&[], &OF_KUBERNETES), note);
    assert_eq!(notes(&["serve"], &OF_KUBERNETES), note);
    let mut serving = command(&["--port", "0"]);
    let (_server, _) = Process::serving(serving.envs(OF_KUBERNETES));
    let generated = with(&["generate", "--conversations", "1"], &OF_KUBERNETES);
    assert_eq!((generated.code, &*generated.stderr), (0, ""));
    for scheme in ["udp", "sctp"] {
        let value = format!("{scheme}://10.3.104.46:8484");
        assert!(notes(&[], &[("GPTBOTS_MOCK_PORT", &value)]).contains(" is ignored, because "));
    }
}

#[test]
fn an_address_in_a_variable_of_a_secret_is_ignored_and_not_shown() {
    let note = notes(&[], &[("GPTBOTS_MOCK_ADMIN_TOKEN", "tcp://sEcReT")]);
    assert!(
        note.contains("GPTBOTS_MOCK_ADMIN_TOKEN is ignored, because it contains an address, "),
        "{note}"
    );
    assert!(!note.contains("sEcReT"), "{note}");
}

#[test]
fn a_wrong_variable_stops_no_command_that_needs_none() {
    let wrong =
        [("GPTBOTS_MOCK_PORT", "http"), ("GPTBOTS_MOCK_NOW", "x"), ("GPTBOTS_MOCK_KEY", "")];
    for args in WITHOUT_SETTINGS {
        for variables in [&wrong[..], &OF_KUBERNETES] {
            let ended = with(args, variables);
            assert_eq!((ended.code, &*ended.stderr), (0, ""), "{args:?}: {ended:?}");
        }
    }
    let port = [("GPTBOTS_MOCK_PORT", "http")];
    let generated = with(&["generate", "--conversations", "1"], &port);
    assert_eq!((generated.code, &*generated.stderr), (0, ""));
    let executed = with(&["exec", "--", "echo", "ran"], &port);
    assert_eq!((executed.code, &*executed.stdout), (0, "ran\n"), "{executed:?}");
}

#[test]
fn a_wrong_variable_is_named_and_what_it_holds_is_escaped() {
    let wrong = [
        ("GPTBOTS_MOCK_PORT", "a\x1b[31mb\nc", r"'a\u{1b}[31mb\nc'", "--port <PORT>"),
        ("GPTBOTS_MOCK_SEED", "\u{202e}x", r"'\u{202e}x'", "--seed <NUMBER>"),
        ("GPTBOTS_MOCK_READING", "a\x1b=b", r"'a\u{1b}=b'", "--reading <NAME=VALUE>"),
        ("GPTBOTS_MOCK_LOG_FORMAT", "ya\x07ml", r"'ya\u{7}ml'", "--log-format <FORMAT>"),
        ("GPTBOTS_MOCK_CORS", "may\x08be", r"'may\u{8}be'", "--cors"),
    ];
    for (variable, value, shown, flag) in wrong {
        let ended = with(&["--print-config"], &[(variable, value)]);
        assert_eq!((ended.code, &*ended.stdout), (2, ""), "{ended:?}");
        let about = format!("error: invalid value {shown} for '{variable} ({flag})'");
        assert!(ended.stderr.starts_with(&about), "{}", ended.stderr);
        let obeyed = ended.stderr.chars().any(|char| char.is_control() && char != '\n');
        assert!(!obeyed, "{:?}", ended.stderr);
    }
}

/// Where both are wrong, the flag is looked at, so it is named alone.
#[test]
fn a_wrong_flag_is_not_blamed_on_a_variable() {
    let variables = [("GPTBOTS_MOCK_PORT", "http"), ("GPTBOTS_MOCK_SEED", "7")];
    let ended = with(&["--port", "70000", "--print-config"], &variables);
    assert!(ended.stderr.starts_with("error: invalid value '70000' for '--port <PORT>'"));
    let variables = [("GPTBOTS_MOCK_AGAINST", "http://127.0.0.1:1")];
    let ended = with(&["verify", "--key", "a b"], &variables);
    assert!(ended.stderr.starts_with("error: invalid value '***' for '--key <KEY>'"), "{ended:?}");
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_no_utf_8_is_named_and_a_secret_is_not_shown() {
    use std::os::unix::ffi::OsStrExt as _;
    let bytes = std::ffi::OsStr::from_bytes(b"sEcReT\xff");
    for (variable, shown) in [
        ("GPTBOTS_MOCK_PORT", r#"GPTBOTS_MOCK_PORT must be UTF-8, got "sEcReT\xff""#),
        ("GPTBOTS_MOCK_API_KEY", "GPTBOTS_MOCK_API_KEY must be UTF-8, got ***"),
    ] {
        let ended = run(command(&["--print-config"]).env(variable, bytes));
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.stderr.starts_with(&format!("error: {shown}\n")), "{ended:?}");
    }
}

#[test]
fn misspelt_variable_prints_a_note() {
    let variables = [("GPTBOTS_MOCK_SEDE", "7"), ("gptbots_mock_now", "2024-01-01")];
    let mut expected = "note: unknown variable GPTBOTS_MOCK_SEDE is ignored; did you mean \
                        GPTBOTS_MOCK_SEED?\n"
        .to_owned();
    if !cfg!(windows) {
        expected += "note: unknown variable gptbots_mock_now is ignored; did you mean \
                     GPTBOTS_MOCK_NOW?\n";
    }
    assert_eq!(notes(&[], &variables), expected);
    let executed = with(&["exec", "--print-config", "--", "true"], &variables[..1]);
    assert_eq!((executed.code, executed.stderr.lines().count()), (0, 1), "{executed:?}");
    let generated = with(&["generate", "--conversations", "1"], &variables[..1]);
    assert!(generated.stderr.contains("did you mean GPTBOTS_MOCK_SEED?"), "{generated:?}");
    let help = with(&["--help"], &variables);
    assert_eq!((help.code, &*help.stderr), (0, ""));
}

/// Unknown ones are somebody else's: a chart's, a compose file's, another command's.
#[test]
fn unrelated_variables_print_nothing() {
    let variables = [
        ("GPTBOTS_MOCK_URL", "http://127.0.0.1:1"),
        ("GPTBOTS_MOCK_KEY", "k"),
        ("GPTBOTS_MOCK_AGAINST", "no address"),
        ("GPTBOTS_MOCK_PER_MINUTE", "x"),
        ("GPTBOTS_MOCK_IMAGE", "mock:1"),
        ("GPTBOTS_MOCK_VERSION", "1"),
        ("GPTBOTS_MOCK_", "x"),
        ("GPTBOTS_MOCK_ADMIN_PORT", "tcp://10.3.104.46:1"),
        ("GPTBOTS_MOCK_ADMIN_PORT_1_TCP_ADDR", "10.3.104.46"),
        ("GPTBOTS_BASE_URL", "x"),
        ("GPTBOTS_MOCK_SEDE", ""),
    ];
    assert_eq!(notes(&[], &variables), "");
}

#[test]
fn reading_given_twice_prints_a_note() {
    let note = "note: reading qa-time is set twice; milliseconds is used, seconds is ignored\n";
    let (seconds, milliseconds) = ("qa-time=seconds", "qa-time=milliseconds");
    assert_eq!(notes(&["--reading", seconds, "--reading", milliseconds], &[]), note);
    let both = [("GPTBOTS_MOCK_READING", "qa-time=seconds,page-size=clamp,qa-time=milliseconds")];
    assert_eq!(notes(&[], &both), note);
    assert_eq!(notes(&["--reading", seconds, "--reading", seconds], &[]), "");
    // A flag in place of a variable is no contradiction.
    assert_eq!(notes(&["--reading", seconds], &[("GPTBOTS_MOCK_READING", milliseconds)]), "");
}

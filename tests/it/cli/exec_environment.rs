//! The variables that `exec` sets for its command, and what its help says about them.

use crate::support::folder::Folder;
use crate::support::process::{Ended, command, exec, run};

#[track_caller]
fn variables(set: &[(&str, &str)]) -> (String, String) {
    let mut command = exec(&[], r#"echo "$NO_PROXY|$no_proxy""#);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    let stdout = run(command.envs(set.iter().copied())).stdout;
    let (upper, lower) = stdout.trim().split_once('|').unwrap();
    (upper.to_owned(), lower.to_owned())
}

#[test]
fn requests_to_the_emulator_do_not_go_to_a_preset_proxy() {
    let ours = "127.0.0.1,localhost,::1";
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "https_proxy"] {
        let set = variables(&[(name, "http://proxy.example:1")]);
        assert_eq!(set, (ours.to_owned(), ours.to_owned()), "{name}");
    }
}

#[test]
fn hosts_that_need_no_proxy_are_kept_for_clients_that_read_either_variable() {
    let both = "a.example,127.0.0.1,localhost,::1".to_owned();
    let proxy = ("http_proxy", "http://proxy.example:1");
    for name in ["NO_PROXY", "no_proxy"] {
        assert_eq!(
            variables(&[proxy, (name, "a.example")]),
            (both.clone(), both.clone()),
            "{name}"
        );
    }
    assert_eq!(variables(&[proxy, ("NO_PROXY", "*")]), ("*".to_owned(), "*".to_owned()));
    let (upper, _) = variables(&[proxy, ("NO_PROXY", "localhost, ::1")]);
    assert_eq!(upper, "localhost, ::1,127.0.0.1");
}

#[test]
fn without_a_proxy_no_variable_is_added() {
    assert_eq!(variables(&[]), (String::new(), String::new()));
}

#[track_caller]
fn of_fixture(fixture: &str) -> Ended {
    let folder = Folder::new();
    let path = folder.write("my.json", fixture);
    let flags = ["--fixtures", path.to_str().unwrap()];
    run(&mut exec(&flags, r#"echo "$GPTBOTS_MOCK_KEY""#))
}

#[test]
fn the_key_is_of_the_first_agent_that_is_not_deleted() {
    let fixture = r#"{"agents": [{"name": "gone", "keys": ["k-1"], "deleted": true},
        {"name": "mine", "keys": ["k-2"]}, {"name": "third"}]}"#;
    let Ended { stdout, stderr, .. } = of_fixture(fixture);
    assert_eq!(stdout, "k-2\n");
    assert!(stderr.contains("GPTBOTS_MOCK_KEY is a key of agent `mine`\n"), "{stderr}");
    assert!(!stderr.contains("k-2"), "{stderr}");
}

#[test]
fn derived_key_is_printed() {
    let Ended { stdout, stderr, .. } = of_fixture(r#"{"agents": [{"name": "mine"}]}"#);
    assert_eq!(stdout, "app-mine\n");
    assert!(stderr.contains("GPTBOTS_MOCK_KEY is app-mine, a key of agent `mine`\n"), "{stderr}");
}

#[test]
fn key_of_a_deleted_agent_is_reported() {
    let fixture = r#"{"agents": [{"name": "gone", "deleted": true}]}"#;
    let Ended { stdout, stderr, .. } = of_fixture(fixture);
    assert_eq!(stdout, "app-gone\n");
    assert!(stderr.contains("agent `gone`, which is deleted\n"), "{stderr}");
}

#[test]
fn help_shows_the_defaults_of_exec() {
    let help = run(&mut command(&["exec", "--help"])).stdout;
    let option = |flag: &str| help.split("\n      --").find(|option| option.starts_with(flag));
    assert!(option("port <").unwrap().contains("[default: 0]"), "{help}");
    assert!(option("host <").unwrap().contains("[default: 127.0.0.1]"), "{help}");
    for absent in [
        "--port-file",
        "--watch",
        "--log-format",
        "--until-stdin-closes",
        "GPTBOTS_MOCK_PORT",
        "GPTBOTS_MOCK_HOST",
    ] {
        assert!(!help.contains(absent), "{absent}: {help}");
    }
}

/// It is meant for a server that others look for, and the command is told where we listen.
#[test]
fn port_variable_is_ignored() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let done = run(exec(&[], "echo ran").env("GPTBOTS_MOCK_PORT", port));
    assert_eq!((done.code, &*done.stdout), (0, "ran\n"), "{}", done.stderr);
}

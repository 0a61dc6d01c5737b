//! `exec` runs an emulator for as long as a command runs. The tests use the real binary, with `sh`
//! as the command.

use std::io::Write;
use std::process::Stdio;

use crate::support::assertions::until;
use crate::support::folder::Folder;
use crate::support::process::{BINARY, Ended, Process, command, exec, lives, run};

#[track_caller]
fn run_exec(flags: &[&str], line: &str) -> Ended {
    run(&mut exec(flags, line))
}

#[test]
fn command_gets_url_and_key_in_variables() {
    let line = r#"echo "$GPTBOTS_MOCK_URL|$GPTBOTS_BASE_URL|$GPTBOTS_MOCK_KEY"
        "$0" healthcheck --port "${GPTBOTS_MOCK_URL##*:}""#;
    let Ended { code, stdout, stderr } = run_exec(&[], line);
    let words: Vec<_> = stdout.lines().next().unwrap().split('|').collect();
    assert!(words[0].starts_with("http://127.0.0.1:"), "{stdout}");
    assert_eq!((words[0], words[2]), (words[1], "app-demo"));
    assert_eq!(code, 0, "{stderr}");
}

#[test]
fn env_flag_sets_variables_of_other_names() {
    let flags = ["--env", "BASE=url", "--env", "TOKEN=key"];
    let line = r#"test "$BASE" = "$GPTBOTS_MOCK_URL" && test "$TOKEN" = "$GPTBOTS_MOCK_KEY""#;
    assert_eq!(run_exec(&flags, line).code, 0);
}

#[test]
fn wrong_env_flag_ends_with_2() {
    for name in ["BASE", "=url", "A B=url", "BASE=host"] {
        assert_eq!(run_exec(&["--env", name], "true").code, 2, "{name}");
    }
}

#[test]
fn fixture_key_is_in_the_variable() {
    let folder = Folder::new();
    let fixture = folder.write("my.json", r#"{"agents": [{"name": "mine", "keys": ["k-1"]}]}"#);
    let flags = ["--fixtures", fixture.to_str().unwrap()];
    assert_eq!(run_exec(&flags, r#"echo "$GPTBOTS_MOCK_KEY""#).stdout, "k-1\n");
}

#[test]
fn exit_code_is_the_commands() {
    for code in [0, 1, 2, 7, 255] {
        assert_eq!(run_exec(&[], &format!("exit {code}")).code, code);
    }
}

#[test]
fn a_command_that_is_not_there_ends_with_127() {
    let ended = run(&mut command(&["exec", "--", "/nowhere/at-all"]));
    assert_eq!((ended.code, &*ended.stdout), (127, ""));
    assert!(ended.stderr.contains("cannot run /nowhere/at-all"), "{}", ended.stderr);
}

#[test]
fn a_command_that_cannot_be_run_ends_with_126() {
    let folder = Folder::new();
    let file = folder.write("data", "no program");
    assert_eq!(run(&mut command(&["exec", "--", file.to_str().unwrap()])).code, 126);
}

#[test]
fn without_a_command_ends_with_2() {
    for args in [&["exec"][..], &["exec", "--"], &["exec", "--port-file", "x", "--", "true"]] {
        assert_eq!(run(&mut command(args)).code, 2, "{args:?}");
    }
}

/// Also where a file sets it that is shared with `serve`.
#[test]
fn flags_that_do_nothing_for_exec_are_wrong_usage() {
    let folder = Folder::new();
    let config = folder.write("c.json", r#"{"log-format": "json"}"#);
    for (flags, says) in [
        (
            ["--port-file", "x"],
            "exec does not support --port-file and --watch; use them with serve",
        ),
        (["--log-format", "json"], "does not support --log-format; use it with serve"),
        (["--log-format", "text"], "does not support --log-format; use it with serve"),
        (
            ["--config", config.to_str().unwrap()],
            "does not support --log-format; use it with serve",
        ),
    ] {
        let ended = run(&mut exec(&flags, "echo ran"));
        assert_eq!((ended.code, &*ended.stdout), (2, ""), "{flags:?}");
        assert!(ended.stderr.contains(says), "{}", ended.stderr);
    }
}

#[test]
fn a_fixture_that_is_not_right_ends_with_3() {
    let folder = Folder::new();
    let fixture = folder.write("my.json", "{");
    let ended = run_exec(&["--fixtures", fixture.to_str().unwrap()], "echo ran");
    assert_eq!((ended.code, &*ended.stdout), (3, ""));
}

#[test]
fn stdout_is_the_commands_byte_for_byte() {
    let line = r"printf 'a\n\nb\303\244\r\n\000no end'";
    let output = exec(&["--deny", "all"], line).output().unwrap();
    assert_eq!(output.stdout, b"a\n\nb\xc3\xa4\r\n\0no end");
    let verdict = "verdict: 0 requests, so nothing was tested (no-request), coverage 0%; denied\n";
    assert_eq!(String::from_utf8_lossy(&output.stderr), verdict);
}

#[test]
fn stdin_is_the_commands() {
    let mut command = exec(&[], "cat");
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"one\ntwo\n").unwrap();
    drop(stdin);
    assert_eq!(child.wait_with_output().unwrap().stdout, b"one\ntwo\n");
}

#[test]
fn signals_are_passed_on() {
    for (signal, code) in [("TERM", 41), ("INT", 42), ("HUP", 43), ("USR1", 44), ("QUIT", 45)] {
        let line = "trap 'exit 41' TERM; trap 'exit 42' INT; trap 'exit 43' HUP; \
            trap 'exit 44' USR1; trap 'exit 45' QUIT; echo ready; while :; do sleep 0.01; done";
        let mut process = Process::spawn(&mut exec(&[], line));
        process.stdout.find("ready");
        process.signal(signal);
        assert_eq!(process.end().code, code, "{signal}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn leftover_processes_are_ended() {
    let line = "sh -c 'sleep 600 & echo $!; wait' & read -r _ < /dev/zero & sleep 600 & echo $!";
    let ended = run_exec(&[], line);
    assert_eq!(ended.code, 0);
    let ids: Vec<_> = ended.stdout.lines().collect();
    assert!(!ids.is_empty());
    for id in ids {
        until("it is ended", || !lives(id));
    }
}

/// It is asked first, and forced two seconds later.
#[test]
#[cfg(target_os = "linux")]
fn leftover_that_ignores_sigterm_is_killed() {
    let line = "sh -c 'trap \"\" TERM; echo $$; while :; do sleep 0.05; done' & \
        trap '' TERM; read -r _ < /dev/null; sleep 0.2; exit 9";
    let ended = run_exec(&[], line);
    assert_eq!(ended.code, 9);
    until("it is ended", || !lives(ended.stdout.trim()));
}

/// A command that does not heed SIGTERM goes on; it is its code that counts.
#[test]
fn command_that_ignores_sigterm_goes_on() {
    let line = "trap '' TERM; echo ready; read -r word; exit \"$word\"";
    let mut command = exec(&[], line);
    command.stdin(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut line = [0; 6];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut line).unwrap();
    let kill = std::process::Command::new("sh")
        .args(["-c", &format!("kill -TERM {}", child.id())])
        .status();
    assert!(kill.unwrap().success());
    stdin.write_all(b"17\n").unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(17));
}

/// A terminal in which a script runs `exec` and goes on.
const TERMINAL: &str = r#"
import os, pty, sys
script = sys.argv[1] + ' exec -- sh -c "read word; echo command got \\$word"; ' \
    + 'read word; echo script got $word'
child, terminal = pty.fork()
if child == 0:
    os.execvp("sh", ["sh", "-c", script])
os.write(terminal, b"one\ntwo\n")
seen = b""
while b"script got" not in seen.rsplit(b"\n", 2)[-2:][0]:
    try:
        more = os.read(terminal, 4096)
    except OSError:
        break
    if not more:
        break
    seen += more
sys.stdout.buffer.write(seen)
"#;

/// The command reads from the terminal, and so does whoever comes behind it.
#[test]
fn the_command_and_then_the_script_read_from_the_terminal() {
    let mut python = std::process::Command::new("python3");
    let Ok(ended) = python.args(["-c", TERMINAL, BINARY]).output() else {
        eprintln!("python3 is not installed");
        return;
    };
    let seen = String::from_utf8_lossy(&ended.stdout);
    assert!(seen.contains("command got one"), "{seen}");
    assert!(seen.contains("script got two"), "{seen}");
}

//! `exec` in a terminal, as a user sees it: an interactive bash, and keys that are typed.
//!
//! The tests are skipped without `bash` or `python3`, which provides the terminal.

use std::process::Command;

use crate::support::assertions::until;
use crate::support::folder::Folder;
use crate::support::process::{BINARY, is_installed, lives};

const CTRL_C: &str = "\x03";
const CTRL_Z: &str = "\x1a";
const CTRL_BACKSLASH: &str = "\x1c";

/// Runs a script that stands in `s.sh`, in which `$B` is the binary, with these lines and keys: each
/// is typed once the text before it is on the screen. Returns the screen.
#[track_caller]
fn screen(script: &str, steps: &[(&str, &str)]) -> String {
    let folder = Folder::new();
    folder.write("s.sh", script);
    let mut python = Command::new("python3");
    python.arg("-c").arg(include_str!("terminal.py")).arg(folder.path()).env("B", BINARY);
    for (text, keys) in steps {
        python.args([text, keys]);
    }
    let has_bash = is_installed("bash");
    let Some(ended) = has_bash.then(|| python.output().ok()).flatten() else {
        eprintln!("skipped: bash or python3 is not installed");
        return String::new();
    };
    let screen = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert!(ended.status.success(), "{screen}{}", String::from_utf8_lossy(&ended.stderr));
    screen
}

#[test]
fn ctrl_z_stops_exec_and_fg_continues_it() {
    screen(
        r#""$B" exec -- sh -c 'echo ready; read x; echo got-$x; read y'"#,
        &[
            ("PROMPT>", "bash s.sh\n"),
            ("ready", CTRL_Z),
            ("Stopped", ""),
            ("PROMPT>", "fg\n"),
            ("bash s.sh", "word\n"),
            ("got-word", CTRL_C),
            ("PROMPT>", "echo code=$?\n"),
            ("code=130", ""),
        ],
    );
}

#[test]
fn ctrl_z_stops_exec_and_bg_continues_it() {
    screen(
        r#"exec "$B" exec -- sh -c 'echo ready; until [ -e go ]; do sleep 0.01; done; echo finished'"#,
        &[
            ("PROMPT>", "bash s.sh\n"),
            ("ready", CTRL_Z),
            ("Stopped", ""),
            ("PROMPT>", "bg\n"),
            ("&", "touch go\n"),
            ("finished", "wait; echo code=$?\n"),
            ("code=0", ""),
        ],
    );
}

/// The script stands for `exec` here, so that the shell has a job that is nothing else.
#[test]
fn exec_in_the_background_stops_at_a_read_and_fg_continues_it() {
    screen(
        r#"exec "$B" exec -- sh -c 'read x; echo got-$x; exit 6'"#,
        &[
            ("PROMPT>", "bash s.sh &\n"),
            ("PROMPT>", "until jobs | grep -q Stopped; do sleep 0.01; done; echo is-\"\"so\n"),
            ("is-so", "fg\n"),
            ("bash s.sh", "word\n"),
            ("got-word", "echo code=$?\n"),
            ("code=6", ""),
        ],
    );
}

#[test]
fn a_command_that_stops_only_itself_stops_exec() {
    screen(
        r#"exec "$B" exec -- sh -c 'kill -TSTP $$; echo continued; exit 5'"#,
        &[
            ("PROMPT>", "bash s.sh\n"),
            ("Stopped", ""),
            ("PROMPT>", "fg\n"),
            ("continued", "echo code=$?\n"),
            ("code=5", ""),
        ],
    );
}

/// It has a process group of its own, which the outer shell knows nothing of.
#[test]
fn an_interactive_shell_under_exec_can_be_suspended() {
    screen(
        r#"PS1='INNER> ' exec "$B" exec -- bash --norc --noprofile -i"#,
        &[
            ("PROMPT>", "bash s.sh\n"),
            ("INNER>", "suspend\n"),
            ("Stopped", ""),
            ("PROMPT>", "fg\n"),
            ("bash s.sh", "echo inner-\"\"$GPTBOTS_MOCK_KEY\n"),
            ("inner-app-demo", "exit 4\n"),
            ("PROMPT>", "echo code=$?\n"),
            ("code=4", ""),
        ],
    );
}

#[test]
fn ctrl_c_ends_the_script_too() {
    let screen = screen(
        "\"$B\" exec -- sh -c 'echo ready; exec sleep 600'\necho went-on",
        &[
            ("PROMPT>", "bash s.sh\n"),
            ("ready", CTRL_C),
            ("PROMPT>", "echo code=$?\n"),
            ("code=130", ""),
        ],
    );
    assert!(!screen.contains("went-on"), "{screen}");
}

#[test]
fn ctrl_backslash_ends_exec_without_a_core_file() {
    let screen = screen(
        "ulimit -c unlimited\n\"$B\" exec -- sh -c 'ulimit -c 0; echo ready; exec sleep 600'",
        &[
            ("PROMPT>", "bash s.sh\n"),
            ("ready", CTRL_BACKSLASH),
            ("PROMPT>", "echo code=$?\n"),
            ("code=131", ""),
        ],
    );
    assert!(!screen.contains("core dumped"), "{screen}");
}

#[test]
fn ctrl_c_reaches_the_command_once() {
    screen(
        r#""$B" exec -- sh -c 'n=0; trap "n=\$((n+1)); echo interrupted" INT; echo ready
            until read x; do :; done; echo $x-$n'"#,
        &[
            ("PROMPT>", "bash s.sh\n"),
            ("ready", CTRL_C),
            ("interrupted", "times\n"),
            ("times-1", ""),
        ],
    );
}

#[test]
fn ctrl_c_that_the_command_heeds_leaves_its_code() {
    screen(
        r#""$B" exec -- sh -c 'trap "exit 7" INT; echo ready; while :; do sleep 0.01; done'"#,
        &[
            ("PROMPT>", "bash s.sh\n"),
            ("ready", CTRL_C),
            ("PROMPT>", "echo code=$?\n"),
            ("code=7", ""),
        ],
    );
}

/// The terminal ends with its shell, which the kernel tells a stopped job that has no other parent.
#[test]
#[cfg(target_os = "linux")]
fn a_stopped_exec_ends_with_its_terminal() {
    let screen = screen(
        r#"echo id=$$; exec "$B" exec -- sh -c 'echo id=$PPID; echo id=$$; echo ready; read x'"#,
        &[("PROMPT>", "bash s.sh\n"), ("ready", CTRL_Z), ("Stopped", "")],
    );
    let ids: Vec<_> = screen.lines().filter_map(|line| line.strip_prefix("id=")).collect();
    assert!(screen.is_empty() || ids.len() == 3, "{screen}");
    for id in ids {
        until("it is ended", || !lives(id));
    }
}

#[test]
fn a_pager_beside_exec_reads_keys() {
    screen(
        "\"$B\" exec -- sh -c 'echo running; exec sleep 600' | \
            sh -c 'read line; echo $line; read key </dev/tty; echo pressed-$key'",
        &[("PROMPT>", "bash s.sh\n"), ("running", "q\n"), ("pressed-q", CTRL_C), ("PROMPT>", "")],
    );
}

#[test]
fn the_command_reads_the_terminal_whatever_its_stdin_is() {
    screen(
        r#""$B" exec -- sh -c 'echo ready; read x </dev/tty; echo got-$x' </dev/null"#,
        &[("PROMPT>", "bash s.sh\n"), ("ready", "word\n"), ("got-word", "")],
    );
}

#[test]
fn the_command_writes_to_a_terminal_that_stops_writers_in_the_background() {
    screen(
        "stty tostop\n\"$B\" exec -- sh -c 'echo written' </dev/null\n\
            \"$B\" exec -- /nowhere </dev/null; echo code=$?",
        &[
            ("PROMPT>", "bash s.sh\n"),
            ("written", ""),
            ("cannot run /nowhere", ""),
            ("code=127", ""),
        ],
    );
}

//! `exec` and processes: exit by signal, signals passed on to the command, and the end of
//! everything that the command started.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use crate::support::assertions::until;
use crate::support::folder::Folder;
use crate::support::process::{BINARY, Ended, Process, exec, lives, run, shell};

#[track_caller]
fn ended(ids: &[String]) {
    for id in ids {
        until("it is ended", || !lives(id));
    }
}

/// So does a shell see that it was interrupted; `$?` is 128 and the signal, as ever.
#[test]
fn int_quit_and_term_of_the_command_end_exec_by_the_same_signal() {
    for (name, signal) in [("INT", 2), ("QUIT", 3), ("TERM", 15)] {
        let status = exec(&[], &format!("ulimit -c 0; kill -{name} $$")).status().unwrap();
        assert_eq!(status.signal(), Some(signal), "{status}");
        assert!(!status.core_dumped(), "{status}");
        let line = format!("\"$0\" exec -- sh -c 'kill -{name} $$'; exit $?");
        assert_eq!(run(&mut shell(&line)).code, 128 + signal);
    }
}

#[test]
fn other_signals_end_with_128_plus_signal() {
    for (name, code) in [("KILL", 137), ("HUP", 129), ("USR1", 138), ("40", 168)] {
        assert_eq!(run(&mut exec(&[], &format!("kill -{name} $$"))).code, code, "{name}");
    }
}

/// A command that has ended with 0, and a leftover that runs a line of shell when it is asked to end.
/// `$exec` is the process of `exec`.
#[cfg(target_os = "linux")]
fn with_leftover(flags: &[&str], line: &str) -> Command {
    exec(flags, &leaves_behind(line))
}

#[cfg(target_os = "linux")]
fn leaves_behind(line: &str) -> String {
    format!(
        "read -r _ _ _ exec _ < /proc/$PPID/stat
        ( exec 2>/dev/null; trap '{line}' TERM; : > trapped; while :; do sleep 0.01; done ) &
        until [ -e trapped ]; do sleep 0.01; done"
    )
}

/// The command cannot get them any more, and its leftovers may take seconds to end.
#[test]
#[cfg(target_os = "linux")]
fn a_signal_after_the_command_ends_exec_by_it_once_the_report_is_written() {
    for (name, signal) in [("INT", 2), ("QUIT", 3), ("TERM", 15)] {
        let folder = Folder::new();
        let line = format!("kill -{name} $exec; exit");
        let mut exec = with_leftover(&["--report", "verdict.json"], &line);
        let output = exec.current_dir(folder.path()).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.signal(), Some(signal), "{stderr}");
        assert!(!output.status.core_dumped());
        assert!(folder.path().join("verdict.json").exists());
        assert!(stderr.starts_with("verdict: 0 requests"), "{stderr}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_hangup_after_the_command_is_the_code() {
    let folder = Folder::new();
    let done = run(with_leftover(&[], "kill -HUP $exec; exit").current_dir(folder.path()));
    assert_eq!(done.code, 129, "{}", done.stderr);
}

/// Both come while the leftover still has its time to end.
#[test]
#[cfg(target_os = "linux")]
fn a_second_signal_after_the_command_ends_exec_at_once() {
    let folder = Folder::new();
    let line = "kill -INT $exec; kill -TERM $exec";
    let mut exec = with_leftover(&["--report", "verdict.json"], line);
    let output = exec.current_dir(folder.path()).output().unwrap();
    assert!([Some(2), Some(15)].contains(&output.status.signal()), "{}", output.status);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(!folder.path().join("verdict.json").exists());
}

/// What was ignored when `exec` started is ignored to its end.
#[test]
#[cfg(target_os = "linux")]
fn an_ignored_signal_after_the_command_changes_nothing() {
    let folder = Folder::new();
    let mut line = shell("trap '' INT; exec \"$0\" exec -- sh -c \"$1\"");
    line.arg(leaves_behind("kill -INT $exec; kill -INT $exec; exit"));
    let done = run(line.current_dir(folder.path()));
    assert_eq!(done.code, 0, "{}", done.stderr);
}

/// A pipe that is full, and that nobody reads.
#[test]
#[cfg(target_os = "linux")]
fn a_signal_ends_exec_that_cannot_write_its_verdict() {
    let folder = Folder::new();
    let line = "read -r _ _ _ exec _ < /proc/$PPID/stat
        exec 3>&2; dd if=/dev/zero of=/dev/fd/3 oflag=nonblock bs=512 2>/dev/null
        ( exec 2>/dev/null; trap 'kill -TERM $exec; exit' TERM; : > trapped
            while :; do sleep 0.01; done ) &
        until [ -e trapped ]; do sleep 0.01; done";
    let mut process = Process::unread(exec(&[], line).current_dir(folder.path()));
    assert_eq!(process.wait().signal(), Some(15));
}

/// The report is written first.
#[test]
fn a_report_is_written_before_exec_ends_by_a_signal() {
    let folder = Folder::new();
    let path = folder.path().join("verdict.json");
    let flags = ["--report", path.to_str().unwrap()];
    assert_eq!(exec(&flags, "kill -TERM $$").status().unwrap().signal(), Some(15));
    assert!(path.exists());
}

#[test]
#[cfg(target_os = "linux")]
fn signals_that_were_ignored_stay_ignored() {
    let line = "trap '' HUP INT TERM USR1; exec \"$0\" exec -- grep SigIgn: /proc/self/status";
    let Ended { code, stdout, .. } = run(&mut shell(line));
    let bits = u64::from_str_radix(stdout.trim_start_matches("SigIgn:").trim(), 16).unwrap();
    let ignored = |signal: u64| bits & (1 << (signal - 1)) != 0;
    assert_eq!([1, 2, 3, 10, 15].map(ignored), [true, true, false, true, true], "{stdout}");
    assert_eq!(code, 0);
}

#[test]
#[cfg(target_os = "linux")]
fn leftovers_in_other_sessions_are_ended() {
    let line = "setsid sleep 600 & echo $!
        setsid sh -c 'sleep 600 & echo $!; echo $$; touch here; wait' &
        until [ -e here ]; do sleep 0.01; done";
    let folder = Folder::new();
    let done = run(exec(&[], line).current_dir(folder.path()));
    assert_eq!(done.code, 0, "{}", done.stderr);
    let ids: Vec<_> = done.stdout.lines().map(str::to_owned).collect();
    assert_eq!(ids.len(), 3, "{ids:?}");
    ended(&ids);
}

#[test]
#[cfg(target_os = "linux")]
fn a_leftover_that_is_stopped_is_ended() {
    let done = run(&mut exec(&[], "sleep 600 & kill -STOP $!; echo $!"));
    assert_eq!(done.code, 0);
    ended(&[done.stdout.trim().to_owned()]);
}

/// A command with children, one of them in a session of its own, and the ids of all.
#[cfg(target_os = "linux")]
fn family() -> (Process, Vec<String>) {
    let line = "setsid sleep 600 & echo $!; sleep 600 & echo $!; echo $$; wait";
    let mut process = Process::spawn(&mut exec(&[], line));
    let ids = (0..3).map(|_| process.stdout.next().unwrap()).collect();
    (process, ids)
}

#[test]
#[cfg(target_os = "linux")]
fn killed_exec_takes_the_command_and_all_its_descendants_along() {
    let (process, ids) = family();
    process.signal("KILL");
    ended(&ids);
}

#[test]
#[cfg(target_os = "linux")]
fn a_killed_guardian_takes_the_command_and_all_its_descendants_along() {
    let (process, ids) = family();
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", ids[2])).unwrap();
    let guardian = stat.rsplit(')').next().unwrap().split_whitespace().nth(1).unwrap();
    assert_ne!(guardian, process.id().to_string());
    assert!(
        Command::new("sh").args(["-c", &format!("kill -9 {guardian}")]).status().unwrap().success()
    );
    assert_eq!(process.end().code, 137);
    ended(&ids);
}

/// An orphan ends while the command runs on. Also as the first process of a container, if the tests
/// may make one.
#[test]
#[cfg(target_os = "linux")]
fn an_orphan_does_not_stay_a_zombie() {
    let line = "orphan=$(sh -c 'until [ -e go ]; do sleep 0.01; done >&2 & echo $!'); touch go
        while [ -e /proc/$orphan ]; do sleep 0.01; done; echo buried";
    let words = [BINARY, "exec", "--", "sh", "-c", line];
    let mut in_container = Command::new("unshare");
    in_container.args(["--pid", "--fork", "--kill-child", "--mount-proc"]);
    let may = Command::new("unshare").args(["--pid", "--fork", "--mount-proc", "true"]).output();
    let mut commands = vec![exec(&[], line)];
    if may.is_ok_and(|output| output.status.success()) {
        in_container.args(words).stdout(Stdio::piped()).stderr(Stdio::piped());
        commands.push(in_container);
    }
    for command in &mut commands {
        let folder = Folder::new();
        let done = run(command.current_dir(folder.path()));
        assert_eq!((done.code, &*done.stdout), (0, "buried\n"), "{}", done.stderr);
    }
}

//! The process between `exec` and its command: this program with a hidden argument.
//!
//! If `exec` is killed, the guardian ends the command and all its descendants. It starts the command in
//! the process group of `exec`, and then moves into a session of its own, so that no signal of the terminal
//! reaches it.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use nix::sys::prctl::{set_child_subreaper, set_pdeathsig};
use nix::sys::signal::Signal;
use nix::unistd::{Pid, getpid};

use super::child::{code, die_like, run};
use super::exec::not_started;
use super::{Exit, NAME, fail};

/// The argument that starts the program as a guardian.
const WORD: &str = "__exec";

/// Makes the guardian of a command. This process is its parent.
pub(super) fn guardian(words: &[OsString]) -> Command {
    // This path is right even if the program's file was replaced meanwhile.
    let mut command = Command::new("/proc/self/exe");
    command.arg0(NAME).arg(WORD).arg(getpid().to_string()).args(words);
    command
}

/// Runs the command, if the arguments are those of a guardian.
pub(super) fn run_if_asked(args: &[OsString]) -> Option<ExitCode> {
    let [_, word, job, words @ ..] = args else { return None };
    let job = job.to_str()?.parse().ok().map(Pid::from_raw)?;
    (word == OsStr::new(WORD) && !words.is_empty()).then(|| guard(job, words))
}

/// Runs the command, and ends with the exit code or signal of the command.
fn guard(job: Pid, words: &[OsString]) -> ExitCode {
    // The kernel sends SIGCHLD when the parent dies. `run` handles it anyway, and then sees that the
    // parent is another process.
    let ready = set_pdeathsig(Signal::SIGCHLD).and_then(|()| set_child_subreaper(true));
    let runtime = ready
        .map_err(io::Error::from)
        .and_then(|()| tokio::runtime::Builder::new_current_thread().enable_all().build());
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return fail(Exit::Failed, &format!("cannot start: {error}")).into(),
    };
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]);
    match runtime.block_on(run(&mut command, job, None)) {
        Ok(status) => {
            die_like(status);
            code(status).into()
        }
        Err(error) => not_started(words, &error).into(),
    }
}

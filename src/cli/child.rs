//! Runs the command of `exec`, forwards signals to it, and ends the processes that it leaves behind.
//!
//! The command is in our process group, so the terminal treats both as one job: Ctrl-C and Ctrl-Z
//! reach both, both may read from the terminal, and the shell notices when we stop.

use std::process::ExitStatus;

#[cfg(target_os = "linux")]
pub(super) use unix::Signals;
#[cfg(unix)]
pub(super) use unix::{die_like, is_ignored, run};

/// Runs a command to its end.
#[cfg(not(unix))]
pub(super) async fn run(command: &mut std::process::Command) -> std::io::Result<ExitStatus> {
    let mut child = command.spawn()?;
    tokio::task::spawn_blocking(move || child.wait()).await.map_err(std::io::Error::other)?
}

#[cfg(not(unix))]
pub(super) fn die_like(_: ExitStatus) {}

/// The exit code of a command. For a command that a signal ended it is 128 and the number of the signal, as
/// in shells.
pub(super) fn code(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return u8::try_from(128 + signal).expect("signals are numbered up to 64");
    }
    status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

#[cfg(unix)]
mod unix {
    use std::future::poll_fn;
    use std::io;
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Child, Command, ExitStatus};
    use std::task::Poll;

    use nix::errno::Errno;
    use nix::sys::signal::{SigSet, Signal, kill};
    use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
    #[cfg(target_os = "linux")]
    use nix::unistd::setsid;
    use nix::unistd::{Pid, getpgid, getpid, getppid};
    use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

    use super::super::late_signals::LateSignals;
    #[cfg(target_os = "linux")]
    use super::super::{leftovers, say};

    /// The signals that are passed on to the command.
    const PASSED_ON: [Signal; 7] = [
        Signal::SIGINT,
        Signal::SIGTERM,
        Signal::SIGHUP,
        Signal::SIGQUIT,
        Signal::SIGUSR1,
        Signal::SIGUSR2,
        Signal::SIGCONT,
    ];

    /// The signals that this process handles itself.
    const OURS: [Signal; 2] = [Signal::SIGCHLD, ENDED];

    /// The guardian sends this signal to its parent when the command has ended, and the parent sends
    /// it back. So the parent knows that no signal that comes later has reached the command. Other
    /// programs do not send this signal, and a process that does not handle it ignores it.
    const ENDED: Signal = Signal::SIGURG;

    /// Runs a command to its end, and ends what it has left behind.
    ///
    /// `job` is the process that the shell knows: this one, or its parent. If the parent is gone, the
    /// command is ended. `late` takes the signals that come after the end of the command; the guardian
    /// has no `late`, because its parent takes these signals.
    pub(in super::super) async fn run(
        command: &mut Command,
        job: Pid,
        mut late: Option<&mut LateSignals>,
    ) -> io::Result<ExitStatus> {
        let mut signals = Signals::hook()?;
        let killed = ExitStatus::from_raw(Signal::SIGKILL as i32);
        let is_gone = || job != getpid() && job != getppid();
        if is_gone() {
            return Ok(killed);
        }
        let mut child = command.spawn()?;
        // The command stays in the job's group and session, and its guardian leaves both: nothing
        // of the terminal reaches it, and no parent inside the session keeps the kernel from ending
        // a stopped job whose shell has gone.
        #[cfg(target_os = "linux")]
        if job != getpid() {
            setsid().expect("a guardian is in the group of another process");
        }
        let status = loop {
            match reap(&mut child, job) {
                Ok(None) if is_gone() => break Ok(killed),
                Ok(None) => {}
                Ok(Some(status)) => break Ok(status),
                Err(error) => break Err(error),
            }
            match (signals.next().await, &mut late) {
                (ENDED, Some(late)) => {
                    late.hook()?;
                    // This fails if the guardian has ended meanwhile.
                    let _ = kill(pid(&child), ENDED);
                }
                (Signal::SIGCHLD | ENDED, _) => {}
                (signal, _) => pass_on(signal, pid(&child), job),
            }
        };
        if let Some(late) = late {
            late.hook()?;
        } else {
            // This fails if the parent is gone, and then we do not wait for its answer.
            let _ = kill(job, ENDED);
            while !is_gone() && signals.next().await != ENDED {}
        }
        #[cfg(target_os = "linux")]
        if !leftovers::end(&mut signals).await && job == getpid() {
            say("warning: the command has left processes behind that could not be ended");
        }
        status
    }

    /// Ends this process by the signal that ended the command, if it is one of those that a shell
    /// looks at: a script that is interrupted ends, instead of going on with its next line.
    pub(in super::super) fn die_like(status: ExitStatus) {
        let signal = status.signal().and_then(|number| Signal::try_from(number).ok());
        let Some(signal @ (Signal::SIGINT | Signal::SIGQUIT | Signal::SIGTERM)) = signal else {
            return;
        };
        // The kernel lets no signal end the first process of a container.
        if getpid() == Pid::from_raw(1) {
            return;
        }
        // A core file of this process says nothing about the command. If this fails, one is written.
        #[cfg(target_os = "linux")]
        let _ = nix::sys::prctl::set_dumpable(false);
        // If this fails, we end with an exit code that says the same.
        let _ = signal_hook::low_level::emulate_default_handler(signal as i32);
    }

    fn pid(child: &Child) -> Pid {
        Pid::from_raw(i32::try_from(child.id()).expect("the kernel numbers processes so"))
    }

    /// Reaps every child that has ended, orphans included, and follows a command that has stopped. Returns
    /// the status of the command, once it has ended.
    fn reap(child: &mut Child, job: Pid) -> io::Result<Option<ExitStatus>> {
        let command = pid(child);
        loop {
            // `try_wait` knows signals that nix has no name for.
            if let Some(status) = child.try_wait()? {
                return Ok(Some(status));
            }
            match waitpid(None, Some(WaitPidFlag::WNOHANG | WaitPidFlag::WUNTRACED)) {
                // The command ended between the two calls.
                Ok(WaitStatus::Exited(id, code)) if id == command => {
                    return Ok(Some(ExitStatus::from_raw(code << 8)));
                }
                Ok(WaitStatus::Signaled(id, signal, _)) if id == command => {
                    return Ok(Some(ExitStatus::from_raw(signal as i32)));
                }
                Ok(WaitStatus::Stopped(id, signal)) if id == command => stop(signal, id, job),
                Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD) => return Ok(None),
                // This is an orphan, or (EINVAL) one that was ended by a signal without a name.
                Ok(_) | Err(_) => {}
            }
        }
    }

    /// Stops the job because the command has stopped. Most often the terminal stopped both, and
    /// this changes nothing; but some commands stop only themselves.
    fn stop(signal: Signal, command: Pid, job: Pid) {
        // Without a terminal, SIGSTOP comes from a test that stops its client, and not from a user.
        if signal != Signal::SIGSTOP || is_foreground(command) || is_foreground(job) {
            // This fails if the job is gone, which `run` notices.
            let _ = kill(job, signal);
        }
    }

    /// Passes a signal on to the command, unless it has it already.
    fn pass_on(signal: Signal, command: Pid, job: Pid) {
        let has_it = match signal {
            // The terminal sends these to all of its foreground group.
            Signal::SIGINT | Signal::SIGQUIT => is_foreground(command),
            // The shell sends this to all of the job's group.
            Signal::SIGCONT => group(command) == group(job),
            _ => false,
        };
        if !has_it {
            // The command was not reaped yet, so no other process has its number.
            let _ = kill(command, signal);
        }
    }

    fn group(process: Pid) -> Option<Pid> {
        getpgid(Some(process)).ok()
    }

    /// Whether a process is in the group that has its terminal at the moment. The guardian has no
    /// terminal, so the kernel must say it of the process.
    #[cfg(target_os = "linux")]
    fn is_foreground(process: Pid) -> bool {
        leftovers::ProcessStat::of(process.as_raw())
            .is_some_and(|stat| stat.group == stat.foreground)
    }

    #[cfg(not(target_os = "linux"))]
    fn is_foreground(process: Pid) -> bool {
        let (group, terminal) = (group(process), std::fs::File::open("/dev/tty"));
        let foreground = terminal.ok().and_then(|terminal| nix::unistd::tcgetpgrp(terminal).ok());
        group.is_some() && foreground == group
    }

    /// The signals that this process handles.
    pub(in super::super) struct Signals(Vec<(Stream, Signal)>);

    impl Signals {
        fn hook() -> io::Result<Self> {
            // The process that started us may have blocked the signals that we wait for.
            SigSet::from_iter(OURS).thread_unblock()?;
            // A signal that is ignored gets no handler, because the command would not inherit that it is
            // ignored.
            let passed_on =
                PASSED_ON.into_iter().filter(|signal| is_ignored(*signal) != Some(true));
            let stream = |number| Ok((signal(SignalKind::from_raw(number as i32))?, number));
            passed_on.chain(OURS).map(stream).collect::<io::Result<_>>().map(Self)
        }

        /// The next signal.
        pub(in super::super) async fn next(&mut self) -> Signal {
            poll_fn(|cx| {
                for (stream, signal) in &mut self.0 {
                    if stream.poll_recv(cx).is_ready() {
                        return Poll::Ready(*signal);
                    }
                }
                Poll::Pending
            })
            .await
        }
    }

    /// Whether a signal is ignored, which the process that started us has decided. `None`: only Linux
    /// has a file that says so.
    pub(in super::super) fn is_ignored(signal: Signal) -> Option<bool> {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let bits = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
        let bits = u64::from_str_radix(bits.trim(), 16).expect("the kernel writes hex digits");
        Some(bits & (1 << (signal as i32 - 1)) != 0)
    }
}

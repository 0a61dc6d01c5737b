//! The command that `exec` runs: signals are passed on to it, and nothing of it is left behind.

use std::io;
use std::process::{Command, ExitStatus};

/// Runs a command to its end, and ends what it has left behind.
#[cfg(unix)]
pub(super) async fn run(command: &mut Command) -> io::Result<ExitStatus> {
    use std::os::unix::process::CommandExt;

    use tokio::signal::unix::{SignalKind, signal};

    // A group of its own, so that all that it starts can be ended with it.
    let mut signals = Vec::new();
    for kind in [
        SignalKind::interrupt(),
        SignalKind::terminate(),
        SignalKind::hangup(),
        SignalKind::quit(),
        SignalKind::user_defined1(),
        SignalKind::user_defined2(),
    ] {
        signals.push((signal(kind)?, kind.as_raw_value()));
    }
    let mut child = command.process_group(0).spawn()?;
    let group = Group::of(child.id())?;
    group.take_terminal();
    let mut ended = tokio::task::spawn_blocking(move || child.wait());
    loop {
        let next = std::future::poll_fn(|cx| {
            for (signal, number) in &mut signals {
                if signal.poll_recv(cx).is_ready() {
                    return std::task::Poll::Ready(*number);
                }
            }
            std::task::Poll::Pending
        });
        tokio::select! {
            biased;
            status = &mut ended => {
                group.end().await;
                return status.map_err(io::Error::other)?;
            }
            number = next => group.signal(number),
        }
    }
}

/// Runs a command to its end.
#[cfg(not(unix))]
pub(super) async fn run(command: &mut Command) -> io::Result<ExitStatus> {
    let mut child = command.spawn()?;
    tokio::task::spawn_blocking(move || child.wait()).await.map_err(io::Error::other)?
}

/// A process and all that it has started.
#[cfg(unix)]
struct Group(rustix::process::Pid);

#[cfg(unix)]
impl Group {
    /// How long it may take to end when it is asked to, and how often that is looked at.
    const PATIENCE: std::time::Duration = std::time::Duration::from_secs(2);
    const LOOK: std::time::Duration = std::time::Duration::from_millis(10);

    fn of(id: u32) -> io::Result<Self> {
        let id = i32::try_from(id).ok().and_then(rustix::process::Pid::from_raw);
        id.map(Self).ok_or_else(|| io::Error::other("the command has no process id"))
    }

    /// Lets it read from the terminal, where there is one, and lets Ctrl-C reach it.
    fn take_terminal(&self) {
        let stdin = io::stdin();
        if rustix::termios::tcsetpgrp(&stdin, self.0).is_ok() {
            // It may have been stopped for reading too early.
            self.signal(rustix::process::Signal::CONT.as_raw());
        }
    }

    fn signal(&self, number: i32) {
        if let Some(signal) = rustix::process::Signal::from_named_raw(number) {
            // Fails where nothing is left of it.
            let _ = rustix::process::kill_process_group(self.0, signal);
        }
    }

    /// Ends what is left of it: asked first, and forced then.
    async fn end(&self) {
        let is_left = || rustix::process::test_kill_process_group(self.0).is_ok();
        if !is_left() {
            return;
        }
        self.signal(rustix::process::Signal::TERM.as_raw());
        let end = tokio::time::Instant::now() + Self::PATIENCE;
        while is_left() && tokio::time::Instant::now() < end {
            tokio::time::sleep(Self::LOOK).await;
        }
        self.signal(rustix::process::Signal::KILL.as_raw());
    }
}

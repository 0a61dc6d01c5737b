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
    let terminal = Terminal::lend(&group);
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
                terminal.take_back();
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
struct Group(nix::unistd::Pid);

/// The terminal, where there is one, as long as the command has it: so that it can read from it,
/// and Ctrl-C reaches it.
#[cfg(unix)]
struct Terminal {
    lent: bool,
}

#[cfg(unix)]
impl Terminal {
    fn lend(group: &Group) -> Self {
        use nix::unistd::{getpgrp, tcgetpgrp, tcsetpgrp};

        let stdin = io::stdin();
        // One that is another's is not ours to lend.
        let ours = tcgetpgrp(&stdin) == Ok(getpgrp());
        let lent = ours && tcsetpgrp(&stdin, group.0).is_ok();
        if lent {
            // It may have been stopped for reading too early.
            group.signal(nix::sys::signal::Signal::SIGCONT as i32);
        }
        Self { lent }
    }

    /// Takes it back, for whoever runs behind this program.
    fn take_back(&self) {
        use nix::sys::signal::{SigSet, Signal};

        if !self.lent {
            return;
        }
        // Whoever does not have it is stopped for this, unless it will not hear of it.
        let mut stop = SigSet::empty();
        stop.add(Signal::SIGTTOU);
        let blocked = stop.thread_block();
        // Fails where the terminal has gone.
        let _ = nix::unistd::tcsetpgrp(io::stdin(), nix::unistd::getpgrp());
        if blocked.is_ok() {
            let _ = stop.thread_unblock();
        }
    }
}

#[cfg(unix)]
impl Group {
    /// How long it may take to end when it is asked to, and how often that is looked at.
    const PATIENCE: std::time::Duration = std::time::Duration::from_secs(2);
    const LOOK: std::time::Duration = std::time::Duration::from_millis(10);

    fn of(id: u32) -> io::Result<Self> {
        let id = i32::try_from(id).map_err(io::Error::other)?;
        Ok(Self(nix::unistd::Pid::from_raw(id)))
    }

    fn signal(&self, number: i32) {
        if let Ok(signal) = nix::sys::signal::Signal::try_from(number) {
            // Fails where nothing is left of it.
            let _ = nix::sys::signal::killpg(self.0, signal);
        }
    }

    /// Ends what is left of it: asked first, and forced then.
    async fn end(&self) {
        let is_left = || nix::sys::signal::killpg(self.0, None).is_ok();
        if !is_left() {
            return;
        }
        self.signal(nix::sys::signal::Signal::SIGTERM as i32);
        let end = tokio::time::Instant::now() + Self::PATIENCE;
        while is_left() && tokio::time::Instant::now() < end {
            tokio::time::sleep(Self::LOOK).await;
        }
        self.signal(nix::sys::signal::Signal::SIGKILL as i32);
    }
}

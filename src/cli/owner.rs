//! `--until-stdin-closes`: the server ends with the process at the other end of standard input.
//!
//! This works even if that process is killed, because the system then closes its end of the pipe.

use std::io::{self, ErrorKind, Read};

use tokio::sync::oneshot;

use super::{Exit, fail, say};

/// Waits for the end of standard input. Everything that is read from it is discarded.
pub(super) struct Owner(Option<oneshot::Receiver<()>>);

impl Owner {
    /// Starts to read standard input, if `wanted`.
    pub(super) fn watch(wanted: bool) -> Result<Self, Exit> {
        if !wanted {
            return Ok(Self(None));
        }
        if !can_stay_open() {
            let why = "--until-stdin-closes needs a pipe or a socket as standard input, not a terminal, \
                       a file, /dev/null or a closed input; the process that starts the server must \
                       keep the other end open";
            return Err(fail(Exit::Usage, why));
        }
        let (left, has_left) = oneshot::channel();
        // We use our own thread, because a blocked thread of tokio would keep the process from ending.
        let reader = std::thread::Builder::new().name("stdin".into()).spawn(move || {
            match read_to_end(&mut io::stdin().lock()) {
                Ok(()) => say("standard input has closed; the server stops"),
                Err(error) => {
                    say(&format!("cannot read standard input: {error}; the server stops"));
                }
            }
            let _ = left.send(());
        });
        match reader {
            Ok(_) => Ok(Self(Some(has_left))),
            Err(error) => Err(fail(Exit::Failed, &format!("cannot read standard input: {error}"))),
        }
    }

    /// Returns when standard input has closed, or never if it is not watched.
    pub(super) async fn has_left(self) {
        match self.0 {
            // The sender sends before it is dropped.
            Some(has_left) => drop(has_left.await),
            None => std::future::pending().await,
        }
    }
}

/// Reads until the end, and discards everything.
fn read_to_end(stdin: &mut io::StdinLock<'_>) -> io::Result<()> {
    let mut bytes = [0; 4096];
    loop {
        match stdin.read(&mut bytes) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // Another process that has the same input may have made it non-blocking.
            Err(error) if error.kind() == ErrorKind::WouldBlock => wait_until_readable(stdin)?,
            Err(error) => return Err(error),
        }
    }
}

#[cfg(unix)]
fn wait_until_readable(stdin: &io::StdinLock<'_>) -> io::Result<()> {
    use std::os::fd::AsFd;

    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

    poll(&mut [PollFd::new(stdin.as_fd(), PollFlags::POLLIN)], PollTimeout::NONE)?;
    Ok(())
}

#[cfg(not(unix))]
fn wait_until_readable(_: &io::StdinLock<'_>) -> io::Result<()> {
    Err(ErrorKind::WouldBlock.into())
}

/// Whether standard input is a pipe or a socket. We refuse a terminal, because it stops a background process
/// that reads from it, and `/dev/null`, because std opens it in place of a closed input.
#[cfg(unix)]
fn can_stay_open() -> bool {
    use std::os::fd::AsFd;
    use std::os::unix::fs::FileTypeExt;

    let file = io::stdin().as_fd().try_clone_to_owned().map(std::fs::File::from);
    let kind = file.and_then(|file| file.metadata()).map(|metadata| metadata.file_type());
    kind.is_ok_and(|kind| kind.is_fifo() || kind.is_socket())
}

#[cfg(not(unix))]
fn can_stay_open() -> bool {
    true
}

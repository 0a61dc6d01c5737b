//! The process that holds the other end of standard input.
//!
//! With `--until-stdin-closes` the server ends when that process does, even if it was killed and could
//! do nothing more: the system closes its end of the pipe.

use std::io;

use tokio::sync::oneshot;

use super::{Exit, fail};

/// Waits for the end of standard input. What is read from it is thrown away.
pub(super) struct Owner(Option<oneshot::Receiver<()>>);

impl Owner {
    /// Begins to read standard input if that is `wanted`.
    pub(super) fn watch(wanted: bool) -> Result<Self, Exit> {
        if !wanted {
            return Ok(Self(None));
        }
        if !can_stay_open() {
            let why = "--until-stdin-closes needs a pipe on standard input that the process which \
                       starts this one keeps open; a file, /dev/null and a closed input end at once";
            return Err(fail(Exit::Usage, why));
        }
        let (left, has_left) = oneshot::channel();
        // A thread of its own, because tokio's would keep the process from ending.
        let reader = std::thread::Builder::new().name("stdin".into()).spawn(move || {
            // An input that cannot be read any more has ended, too.
            let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
            let _ = left.send(());
        });
        match reader {
            Ok(_) => Ok(Self(Some(has_left))),
            Err(error) => Err(fail(Exit::Failed, &format!("cannot read stdin: {error}"))),
        }
    }

    /// Returns once standard input has closed: never if nobody watches it.
    pub(super) async fn has_left(self) {
        match self.0 {
            // The sender sends before it is dropped.
            Some(has_left) => drop(has_left.await),
            None => std::future::pending().await,
        }
    }
}

/// Whether standard input is a pipe, a socket or a terminal. Of the devices only these can be held open
/// by somebody: std opens `/dev/null` in place of an input that is closed.
#[cfg(unix)]
fn can_stay_open() -> bool {
    use std::io::IsTerminal;
    use std::os::fd::AsFd;
    use std::os::unix::fs::FileTypeExt;

    let stdin = io::stdin();
    let file = stdin.as_fd().try_clone_to_owned().map(std::fs::File::from);
    let kind = file.and_then(|file| file.metadata()).map(|metadata| metadata.file_type());
    stdin.is_terminal() || kind.is_ok_and(|kind| kind.is_fifo() || kind.is_socket())
}

#[cfg(not(unix))]
fn can_stay_open() -> bool {
    true
}

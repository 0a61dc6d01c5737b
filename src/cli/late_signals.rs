//! The signals that arrive after the command of `exec` has ended, and so are meant for `exec` itself.

#[cfg(unix)]
pub(super) use unix::LateSignals;

#[cfg(unix)]
mod unix {
    use std::io;
    use std::os::unix::process::ExitStatusExt;
    use std::process::ExitStatus;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::time::Duration;

    use nix::sys::signal::Signal;
    use nix::unistd::{Pid, getpid};
    use signal_hook::flag;
    use tokio::runtime::Runtime;
    use tokio::time::sleep;

    use super::super::child::{code, die_like, is_ignored};

    /// The signals that ask a program to end.
    const ENDING: [Signal; 4] = [Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM, Signal::SIGHUP];

    /// The time that the verdict has after a signal, and the interval at which we look for a signal.
    const PATIENCE: Duration = Duration::from_secs(2);
    const LOOK: Duration = Duration::from_millis(20);

    /// The first such signal, by which `exec` ends after it has given its verdict. A second signal ends
    /// `exec` at once.
    ///
    /// The signal handlers store it, because tokio reports a signal with a delay, so that a signal that
    /// reached the command, too, could be mistaken for a late one.
    #[derive(Clone, Default)]
    pub(in super::super) struct LateSignals {
        /// The number of the first signal; 0 while there is none.
        first: Arc<AtomicUsize>,
        is_hooked: bool,
    }

    impl LateSignals {
        /// Installs the handlers, unless they are installed.
        pub(in super::super) fn hook(&mut self) -> io::Result<()> {
            if std::mem::replace(&mut self.is_hooked, true) {
                return Ok(());
            }
            // A core file of this process says nothing about the command. If this fails, one is written.
            #[cfg(target_os = "linux")]
            let _ = nix::sys::prctl::set_dumpable(false);
            let is_second = Arc::new(AtomicBool::new(false));
            for signal in ENDING.into_iter().filter(|signal| is_ignored(*signal) != Some(true)) {
                let number = signal as i32;
                // Handlers run in this order. A signal does not end the first process of a container by
                // itself, so that one exits.
                if getpid() == Pid::from_raw(1) {
                    flag::register_conditional_shutdown(number, 128 + number, is_second.clone())?;
                } else {
                    flag::register_conditional_default(number, is_second.clone())?;
                }
                flag::register(number, is_second.clone())?;
                flag::register_usize(number, self.first.clone(), signal as usize)?;
            }
            Ok(())
        }

        /// The status of a process that is ended by the first signal.
        pub(in super::super) fn status(&self) -> Option<ExitStatus> {
            let number = i32::try_from(self.first.load(Ordering::SeqCst)).ok()?;
            (number != 0).then(|| ExitStatus::from_raw(number))
        }

        /// Ends this program some time after the first signal, even if it still waits for a reader of its
        /// verdict.
        pub(in super::super) fn limit_the_end(&self, runtime: &Runtime) {
            let late = self.clone();
            runtime.spawn(async move {
                let status = loop {
                    match late.status() {
                        Some(status) => break status,
                        None => sleep(LOOK).await,
                    }
                };
                sleep(PATIENCE).await;
                die_like(status);
                std::process::exit(code(status).into());
            });
        }
    }
}

/// Other systems have no such signals.
#[cfg(not(unix))]
#[derive(Default)]
pub(super) struct LateSignals;

#[cfg(not(unix))]
impl LateSignals {
    pub(super) fn status(&self) -> Option<std::process::ExitStatus> {
        None
    }

    pub(super) fn limit_the_end(&self, _: &tokio::runtime::Runtime) {}
}

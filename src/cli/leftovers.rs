//! Ends the processes that a command has left running. They are our descendants in every session and process
//! group, because the kernel makes us the parent of orphans (we are a "child subreaper").

use std::fs;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getpid};
use tokio::time::{Instant, timeout};

use super::child::Signals;

/// The time that processes have to end after SIGTERM, and after SIGKILL.
const PATIENCE: Duration = Duration::from_secs(2);
const FORCED: Duration = Duration::from_secs(1);

/// The interval at which we look for remaining processes.
const LOOK: Duration = Duration::from_millis(10);

/// Ends all descendants of this process, by SIGTERM and later by SIGKILL. Returns whether all have ended;
/// processes of another user may be left.
pub(super) async fn end(signals: &mut Signals) -> bool {
    let begun = Instant::now();
    let mut asked = Vec::new();
    loop {
        reap();
        let left = descendants();
        let passed = begun.elapsed();
        if left.is_empty() || passed >= PATIENCE + FORCED {
            return left.is_empty();
        }
        for id in left {
            // This fails if the process has ended meanwhile or is another user's.
            if passed >= PATIENCE {
                let _ = kill(id, Signal::SIGKILL);
            } else if !asked.contains(&id) {
                let _ = kill(id, Signal::SIGTERM);
                // A stopped process handles a signal only after it continues.
                let _ = kill(id, Signal::SIGCONT);
                asked.push(id);
            }
        }
        // The end of a child wakes us early. Other signals are ignored here, because `exec` has noted
        // them already.
        let _ = timeout(LOOK, signals.next()).await;
    }
}

/// Reaps the children that have ended.
fn reap() {
    let next = || waitpid(None, Some(WaitPidFlag::WNOHANG));
    while !matches!(next(), Ok(WaitStatus::StillAlive) | Err(nix::errno::Errno::ECHILD)) {}
}

/// All descendants that have not ended.
fn descendants() -> Vec<Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let all: Vec<(i32, ProcessStat)> =
        ids.filter_map(|id| Some((id, ProcessStat::of(id)?))).collect();
    let mut family = vec![getpid().as_raw()];
    let mut known = 0;
    // Each round adds the children of one process that was found before.
    while let Some(&parent) = family.get(known) {
        known += 1;
        family.extend(all.iter().filter(|(_, stat)| stat.parent == parent).map(|(id, _)| *id));
    }
    let lives = |id: &i32| all.iter().any(|(other, stat)| other == id && !stat.has_ended);
    family.into_iter().skip(1).filter(lives).map(Pid::from_raw).collect()
}

/// The facts of a process in `/proc/<id>/stat`.
pub(super) struct ProcessStat {
    parent: i32,
    pub(super) group: i32,
    /// The process group that has the terminal of the process; -1 where it has no terminal.
    pub(super) foreground: i32,
    /// Whether the process has ended and is not yet reaped. A process whose first thread has ended has the
    /// same state, but more than one thread.
    has_ended: bool,
}

impl ProcessStat {
    pub(super) fn of(id: i32) -> Option<Self> {
        let text = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        // The name of the program is before the last bracket, and may contain brackets.
        let (_, rest) = text.rsplit_once(')')?;
        let mut words = rest.split_ascii_whitespace();
        let state = words.next()?;
        let parent = words.next()?.parse().ok()?;
        let group = words.next()?.parse().ok()?;
        let foreground = words.nth(2)?.parse().ok()?;
        let threads = words.nth(11)?;
        let has_ended = state == "X" || (state == "Z" && threads == "1");
        Some(Self { parent, group, foreground, has_ended })
    }
}

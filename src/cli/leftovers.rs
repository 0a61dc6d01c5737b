//! What a command has left running when it ends. All of it is ours, whatever session or process
//! group it has moved to, because orphans are handed to us (as a "child subreaper").

use std::fs;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getpid};
use tokio::time::{Instant, timeout};

use super::child::Signals;

/// How long it may take to end when it is asked to, how long when it is forced to, and how often
/// that is looked at.
const PATIENCE: Duration = Duration::from_secs(2);
const FORCED: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(10);

/// Ends all descendants of this process: asked first, and forced then. Returns whether all ended;
/// those of another user may not.
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
            // Fails where it has ended meanwhile, or is another user's.
            if passed >= PATIENCE {
                let _ = kill(id, Signal::SIGKILL);
            } else if !asked.contains(&id) {
                let _ = kill(id, Signal::SIGTERM);
                // What is stopped does not hear it otherwise.
                let _ = kill(id, Signal::SIGCONT);
                asked.push(id);
            }
        }
        // A child that ends is a reason to look at once. Other signals are not
        // for the command, and `exec` has taken note of them.
        let _ = timeout(LOOK, signals.next()).await;
    }
}

/// Buries the children that have ended.
fn reap() {
    let next = || waitpid(None, Some(WaitPidFlag::WNOHANG));
    while !matches!(next(), Ok(WaitStatus::StillAlive) | Err(nix::errno::Errno::ECHILD)) {}
}

/// All descendants that live, as the kernel tells them at this moment.
fn descendants() -> Vec<Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let all: Vec<(i32, Stat)> = ids.filter_map(|id| Some((id, Stat::of(id)?))).collect();
    let mut family = vec![getpid().as_raw()];
    let mut known = 0;
    // Each round adds the children of one that was found before.
    while let Some(&parent) = family.get(known) {
        known += 1;
        family.extend(all.iter().filter(|(_, stat)| stat.parent == parent).map(|(id, _)| *id));
    }
    let lives = |id: &i32| all.iter().any(|(other, stat)| other == id && !stat.has_ended);
    family.into_iter().skip(1).filter(lives).map(Pid::from_raw).collect()
}

/// What the kernel says of a process.
pub(super) struct Stat {
    parent: i32,
    pub(super) group: i32,
    /// The process group that has the terminal of the process; -1 where it has no terminal.
    pub(super) foreground: i32,
    /// It only waits to be reaped by its parent. One whose first thread has ended while others run
    /// looks the same but for their number.
    has_ended: bool,
}

impl Stat {
    pub(super) fn of(id: i32) -> Option<Self> {
        let text = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        // The name before it may hold anything, also brackets.
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

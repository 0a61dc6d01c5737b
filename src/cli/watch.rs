//! `--watch`: an edit of a fixture is live within a second.
//!
//! Files are looked at four times a second. That sees every way of editing (a file that is
//! replaced, a link that points elsewhere, a mounted folder) with a few system calls; change
//! notifications are lost with each of these unless they are set up again.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::{Exit, fail, say};
use crate::config::{Agents, Config};
use crate::fixtures;
use crate::sandbox::Sandboxes;
use crate::world::World;

/// How often the files are looked at.
const LOOK: Duration = Duration::from_millis(250);

/// An editor writes a file in several steps: they are read when nothing has changed for so long,
const QUIET: Duration = Duration::from_millis(50);

/// or after so many steps.
const STEPS: usize = 8;

/// Fixtures that are being watched.
pub(super) struct Watched {
    paths: Vec<PathBuf>,
    state: State,
}

/// By what a change is told: where each file really is, how long it is, when it was written.
type State = Vec<(PathBuf, u64, Option<SystemTime>)>;

fn state(paths: &[PathBuf]) -> State {
    let files = paths.iter().filter_map(|path| fixtures::files(path).ok()).flatten();
    let seen = files.filter_map(|file| {
        let (real, about) = (file.canonicalize().ok()?, file.metadata().ok()?);
        Some((real, about.len(), about.modified().ok()))
    });
    seen.collect()
}

/// Begins to watch, where that is asked for.
pub(super) fn begin(asked: bool, agents: &Agents) -> Result<Option<Watched>, Exit> {
    match agents {
        _ if !asked => Ok(None),
        Agents::Paths(paths) => Ok(Some(Watched { paths: paths.clone(), state: state(paths) })),
        Agents::BuiltIn | Agents::Texts(_) => {
            Err(fail(Exit::Usage, "--watch needs --fixtures to watch"))
        }
    }
}

impl Watched {
    /// Reads the fixtures again at each change, on a thread of its own, for as long as the
    /// program runs.
    pub(super) fn follow(mut self, config: Config, sandboxes: Arc<Sandboxes>) {
        let follower = std::thread::Builder::new().name("watch".into());
        let started = follower.spawn(move || {
            loop {
                self.wait();
                match World::new(&config) {
                    Ok(world) => {
                        sandboxes.replace_world(world);
                        say("fixtures read again");
                    }
                    Err(error) => {
                        say(&format!(
                            "{error}\nthe fixtures are not right; the last good records stay"
                        ));
                    }
                }
            }
        });
        if let Err(error) = started {
            say(&format!("cannot watch the fixtures: {error}"));
        }
    }

    /// Waits for a change, and for the end of it.
    fn wait(&mut self) {
        let before = std::mem::replace(&mut self.state, state(&self.paths));
        if self.state == before {
            loop {
                std::thread::sleep(LOOK);
                let now = state(&self.paths);
                if now != self.state {
                    self.state = now;
                    break;
                }
            }
        }
        for _ in 0..STEPS {
            std::thread::sleep(QUIET);
            let now = state(&self.paths);
            if now == self.state {
                break;
            }
            self.state = now;
        }
    }
}

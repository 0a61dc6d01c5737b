//! `--watch`: an edit of a fixture is served within a second.
//!
//! A thread checks the files four times a second. This needs few system calls and notices every kind of
//! change: a replaced file, a changed link, a mounted folder. Change notifications of the system would be
//! lost in each of these cases unless they are set up again.

#[cfg(unix)]
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::{Exit, fail, say, serve};
use crate::records::fixtures;
use crate::records::world::World;
use crate::records::{Agents, RecordsConfig};
use crate::sandbox::Sandboxes;

/// The interval at which the files are checked.
const LOOK: Duration = Duration::from_millis(250);

/// An editor writes a file in several steps, so files are read when they have not changed for this long.
const QUIET: Duration = Duration::from_millis(50);

/// Files are read after this number of steps, even if they still change.
const STEPS: usize = 8;

/// Notices when fixtures change.
pub(super) struct FixtureWatcher {
    paths: Vec<PathBuf>,
    state: State,
}

/// All files of the fixtures.
type State = Vec<FileState>;

/// The facts of a file that show a change.
#[derive(PartialEq)]
struct FileState {
    /// The path without links.
    path: PathBuf,
    length: u64,
    modified: Option<SystemTime>,
    /// The inode and the time of its last change: `cp -p`, `rsync` and `touch` can make a new file with
    /// the length and the modification time of the old one, but they cannot set these.
    #[cfg(unix)]
    change: (u64, i64, i64),
}

fn state(paths: &[PathBuf]) -> State {
    let seen = files(paths).filter_map(|file| {
        let (path, about) = (file.canonicalize().ok()?, file.metadata().ok()?);
        Some(FileState {
            path,
            length: about.len(),
            modified: about.modified().ok(),
            #[cfg(unix)]
            change: (about.ino(), about.ctime(), about.ctime_nsec()),
        })
    });
    seen.collect()
}

fn files(paths: &[PathBuf]) -> impl Iterator<Item = PathBuf> {
    paths.iter().filter_map(|path| fixtures::files(path).ok()).flatten()
}

/// Starts to watch the fixtures, if `asked`.
pub(super) fn begin(asked: bool, agents: &Agents) -> Result<Option<FixtureWatcher>, Exit> {
    match agents {
        _ if !asked => Ok(None),
        Agents::Paths(paths) => {
            Ok(Some(FixtureWatcher { paths: paths.clone(), state: state(paths) }))
        }
        Agents::BuiltIn | Agents::Texts(_) => Err(fail(Exit::Usage, "--watch needs --fixtures")),
    }
}

impl FixtureWatcher {
    /// Reads the fixtures again at each change, on a thread of its own, for as long as the
    /// program runs.
    pub(super) fn follow(mut self, config: RecordsConfig, sandboxes: Arc<Sandboxes>) {
        let follower = std::thread::Builder::new().name("watch".into());
        let started = follower.spawn(move || {
            loop {
                self.wait();
                match self.read(&config) {
                    Ok(world) => {
                        serve::say_warnings(&world.warnings);
                        sandboxes.replace_world(world);
                        say("fixtures read again");
                    }
                    Err(why) => {
                        say(&format!("{why}\nfixture errors; still serving the old records"));
                    }
                }
            }
        });
        if let Err(error) = started {
            say(&format!("cannot watch the fixtures: {error}"));
        }
    }

    /// Reads the fixtures, if they are files. Reading a pipe could block, and then no later edit would be
    /// seen.
    fn read(&self, config: &RecordsConfig) -> Result<World, String> {
        let is_other = |file: &PathBuf| file.metadata().is_ok_and(|about| !about.is_file());
        match files(&self.paths).find(is_other) {
            Some(other) => Err(format!("{}: not a regular file", other.display())),
            None => World::new(config).map_err(|error| error.to_string()),
        }
    }

    /// Waits for a change, and then until the files no longer change.
    fn wait(&mut self) {
        while !self.has_changed() {
            std::thread::sleep(LOOK);
        }
        for _ in 0..STEPS {
            std::thread::sleep(QUIET);
            if !self.has_changed() {
                break;
            }
        }
    }

    /// Whether the files have changed since the last call.
    fn has_changed(&mut self) -> bool {
        let before = std::mem::replace(&mut self.state, state(&self.paths));
        before != self.state
    }
}

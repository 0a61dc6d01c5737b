//! `--watch`: an edit of a fixture is live within a second.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant, SystemTime};

use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};

use super::{Exit, fail, say};
use crate::config::{Agents, Config};
use crate::fixtures;
use crate::sandbox::Sandboxes;
use crate::world::World;

/// An editor writes a file in several steps: the fixtures are read when it has been quiet this
/// long,
const QUIET: Duration = Duration::from_millis(60);

/// or when the first of the steps is this long ago.
const LONGEST: Duration = Duration::from_millis(400);

/// Fixtures that are being watched.
pub(super) struct Watched {
    paths: Vec<PathBuf>,
    state: State,
    events: Receiver<notify::Result<Event>>,
    /// Ends the watching when dropped.
    watcher: RecommendedWatcher,
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

/// The folders in which a change can matter. Editors replace files, and mounted ones are links
/// that are replaced: so it is the folder of a file, and that of what it points to.
fn folders(paths: &[PathBuf]) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for path in paths {
        let real = path.canonicalize().unwrap_or_else(|_| path.clone());
        for path in [path, &real] {
            let folder = if path.is_dir() { Some(path.as_path()) } else { path.parent() };
            let folder = folder.filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
            folders.push(folder.to_owned());
        }
    }
    folders.sort();
    folders.dedup();
    folders
}

/// Begins to watch, where that is asked for and there are files to watch.
pub(super) fn begin(asked: bool, agents: &Agents) -> Result<Option<Watched>, Exit> {
    let paths = match agents {
        Agents::Paths(paths) if asked => paths.clone(),
        _ if asked => return Err(fail(Exit::Usage, "--watch needs --fixtures to watch")),
        _ => return Ok(None),
    };
    // A file that is missing is told by reading it.
    if paths.iter().any(|path| !path.exists()) {
        return Ok(None);
    }
    let (sender, events) = channel();
    let watcher = notify::recommended_watcher(sender);
    let mut watcher =
        watcher.map_err(|error| fail(Exit::Failed, &format!("cannot watch files: {error}")))?;
    for folder in folders(&paths) {
        watcher.watch(&folder, RecursiveMode::NonRecursive).map_err(|error| {
            fail(Exit::Failed, &format!("cannot watch {}: {error}", folder.display()))
        })?;
    }
    let state = state(&paths);
    Ok(Some(Watched { paths, state, events, watcher }))
}

impl Watched {
    /// Reads the fixtures again at each change, on a thread of its own, for as long as the
    /// program runs.
    pub(super) fn follow(self, config: Config, sandboxes: Arc<Sandboxes>) {
        let follower = std::thread::Builder::new().name("watch".into());
        let started = follower.spawn(move || {
            let Self { paths, mut state, events, mut watcher } = self;
            while wait(&events) {
                let now = self::state(&paths);
                if now == state {
                    continue;
                }
                state = now;
                // What a link points to now may be in another folder. Where it is gone, reading
                // says so.
                for folder in folders(&paths) {
                    let _ = watcher.watch(&folder, RecursiveMode::NonRecursive);
                }
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
}

/// Waits until something has changed, and for the end of it. `false` when nothing ever will.
fn wait(events: &Receiver<notify::Result<Event>>) -> bool {
    // Reading a file is an event, too; an error means that something was missed.
    let changed = |event: &notify::Result<Event>| match event {
        Ok(event) => !event.kind.is_access(),
        Err(_) => true,
    };
    loop {
        match events.recv() {
            Ok(event) if changed(&event) => break,
            Ok(_) => {}
            Err(_) => return false,
        }
    }
    let first = Instant::now();
    while first.elapsed() < LONGEST {
        match events.recv_timeout(QUIET) {
            Ok(_) => {}
            Err(RecvTimeoutError::Timeout) => break,
            Err(RecvTimeoutError::Disconnected) => return false,
        }
    }
    true
}

//! `--watch`: an edit of a fixture is live within a second.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};

use super::{Exit, fail, say};
use crate::config::{Agents, Config};
use crate::sandbox::Sandboxes;
use crate::world::World;

/// An editor writes a file in several steps: the fixtures are read when it has been quiet this
/// long,
const QUIET: Duration = Duration::from_millis(60);

/// or when the first of the steps is this long ago.
const LONGEST: Duration = Duration::from_millis(400);

/// Fixtures that are being watched.
pub(super) struct Watched {
    paths: Vec<Place>,
    events: Receiver<notify::Result<Event>>,
    /// Ends the watching when dropped.
    watcher: RecommendedWatcher,
}

/// Where a change matters: a folder, and a file in it or all of it. Editors replace files, so it
/// is the folder of a file that is watched.
struct Place {
    folder: PathBuf,
    file: Option<OsString>,
}

impl Place {
    fn of(path: &Path) -> std::io::Result<Self> {
        let path = path.canonicalize()?;
        if path.is_dir() {
            return Ok(Self { folder: path, file: None });
        }
        let folder = path.parent().unwrap_or(Path::new("/")).to_owned();
        Ok(Self { folder, file: path.file_name().map(ToOwned::to_owned) })
    }

    fn holds(&self, path: &Path) -> bool {
        let name = self.file.as_deref();
        path.parent() == Some(&*self.folder) && (name.is_none() || path.file_name() == name)
    }
}

/// Begins to watch, where that is asked for and there are files to watch.
pub(super) fn begin(asked: bool, agents: &Agents) -> Result<Option<Watched>, Exit> {
    let paths = match agents {
        Agents::Paths(paths) if asked => paths,
        _ if asked => return Err(fail(Exit::Usage, "--watch needs --fixtures to watch")),
        _ => return Ok(None),
    };
    let wrong = |path: &Path, error: &dyn std::fmt::Display| {
        fail(Exit::Failed, &format!("cannot watch {}: {error}", path.display()))
    };
    let (sender, events) = channel();
    let mut watcher = notify::recommended_watcher(sender)
        .map_err(|error| fail(Exit::Failed, &format!("cannot watch files: {error}")))?;
    let mut places = Vec::new();
    for path in paths {
        // A file that is missing is told by reading it.
        let Ok(place) = Place::of(path) else { return Ok(None) };
        watcher
            .watch(&place.folder, RecursiveMode::NonRecursive)
            .map_err(|error| wrong(path, &error))?;
        places.push(place);
    }
    Ok(Some(Watched { paths: places, events, watcher }))
}

impl Watched {
    /// Reads the fixtures again at each change, on a thread of its own, for as long as the
    /// program runs.
    pub(super) fn follow(self, config: Config, sandboxes: Arc<Sandboxes>) {
        let follower = std::thread::Builder::new().name("watch".into());
        let started = follower.spawn(move || {
            let watcher = self.watcher;
            while wait(&self.paths, &self.events) {
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
            drop(watcher);
        });
        if let Err(error) = started {
            say(&format!("cannot watch the fixtures: {error}"));
        }
    }
}

/// Waits for a change, and until it is complete. `false` when there will be none.
fn wait(places: &[Place], events: &Receiver<notify::Result<Event>>) -> bool {
    let matters = |event: &notify::Result<Event>| match event {
        // Reading a file is an event, too.
        Ok(event) if event.kind.is_access() => false,
        Ok(event) => {
            event.need_rescan()
                || event.paths.iter().any(|path| places.iter().any(|place| place.holds(path)))
        }
        // Something was missed.
        Err(_) => true,
    };
    loop {
        match events.recv() {
            Ok(event) if matters(&event) => break,
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

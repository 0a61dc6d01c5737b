//! Files that are replaced atomically, so that a reader never sees an incomplete file.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Write as _};
#[cfg(unix)]
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _, fchown};
use std::path::{Path, PathBuf};

/// A file that is written under a temporary name and renamed when it is finished. If it is not finished, it
/// is removed. Links are followed, and the new file gets the mode and owner of the old one. If the path
/// is not a regular file (but a terminal or a pipe), it is written to directly.
pub(super) struct WholeFile {
    pub(super) file: File,
    /// The path until the file is finished, and the path after that.
    part: Option<(PathBuf, PathBuf)>,
}

impl WholeFile {
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let Some(path) = plain_file(path)? else {
            // This fails for a folder, before anything is written.
            return Ok(Self { file: OpenOptions::new().append(true).open(path)?, part: None });
        };
        let old = path.metadata().ok();
        let (file, part) = create_part(&path, old.as_ref())?;
        // From here on the part is removed if something fails.
        let whole = Self { file, part: Some((part, path)) };
        if let Some(old) = old {
            #[cfg(unix)]
            keep_owner(&whole.file, &old);
            whole.file.set_permissions(old.permissions())?;
        }
        Ok(whole)
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        let Some((part, path)) = &self.part else { return Ok(()) };
        std::fs::rename(part, path)?;
        self.part = None;
        Ok(())
    }
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        if let Some((part, _)) = &self.part {
            // An error leaves an unneeded file behind. The cause of the failure is reported elsewhere.
            let _ = std::fs::remove_file(part);
        }
    }
}

/// The maximum length of a chain of links. The kernel has the same limit.
const MOST_LINKS: usize = 40;

/// The regular file that a path leads to, which need not exist yet. `None`: the path leads to something
/// else.
fn plain_file(path: &Path) -> io::Result<Option<PathBuf>> {
    if path.metadata().is_ok_and(|about| !about.is_file()) {
        return Ok(None);
    }
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        let is_link = path.symlink_metadata().is_ok_and(|about| about.is_symlink());
        if !is_link {
            return Ok(Some(path));
        }
        // `/dev/stdout` is such a link, to a file that a process has open. That file must be written to
        // and not be replaced.
        let folder = path.parent().and_then(|folder| folder.canonicalize().ok());
        if folder.is_some_and(|folder| folder.starts_with("/proc")) {
            return Ok(None);
        }
        let to = path.read_link()?;
        path = path.parent().unwrap_or(Path::new("")).join(to);
    }
    Err(io::Error::other("too many levels of symbolic links"))
}

/// How many names are tried for a part. A process that was killed may have left a part, and in a container
/// the next process may have the same number.
const MOST_PARTS: u32 = 100;

/// Creates a file beside `path`. It fails if the file exists or is a link.
#[cfg_attr(not(unix), allow(unused_variables))]
fn create_part(path: &Path, old: Option<&Metadata>) -> io::Result<(File, PathBuf)> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    // The new file must not be readable, even for a moment, for users who could not read the old one.
    #[cfg(unix)]
    if let Some(old) = old {
        options.mode(old.mode() & 0o700);
    }
    let mut number = 0;
    loop {
        let mut part = path.as_os_str().to_owned();
        part.push(format!(".{}-{number}.part", std::process::id()));
        match options.open(&part) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < MOST_PARTS => {
                number += 1;
            }
            opened => return Ok((opened?, part.into())),
        }
    }
}

/// Gives a file the owner and the group of the one that it replaces.
#[cfg(unix)]
fn keep_owner(file: &File, old: &Metadata) {
    // Only root may change the owner of a file. Other users keep the group, if they belong to it.
    if fchown(file, Some(old.uid()), Some(old.gid())).is_err() {
        let _ = fchown(file, None, Some(old.gid()));
    }
}

/// Checks whether a report could be written, without changing anything. A path that is neither a file nor
/// a folder is not opened.
pub(super) fn can_write(path: &Path) -> io::Result<()> {
    if path.metadata().is_ok_and(|about| !about.is_dir() && !about.is_file()) {
        return Ok(());
    }
    WholeFile::create(path).map(drop)
}

pub(super) fn write_report(path: &Path, text: &str) -> io::Result<()> {
    // The pipe stays open, because otherwise its reader could see the end before `WholeFile` opens it.
    #[cfg(unix)]
    let _kept_open = open_pipe(path)?;
    let mut whole = WholeFile::create(path)?;
    whole.file.write_all(text.as_bytes())?;
    whole.finish()
}

/// The file that holds the port for as long as the server runs.
pub(super) struct PortFile {
    /// `None` where the port was written to a device.
    path: Option<PathBuf>,
    text: String,
}

impl PortFile {
    pub(super) fn write(path: &Path, port: u16) -> io::Result<Self> {
        #[cfg(unix)]
        if is_pipe(path) {
            // To open a pipe blocks until it has a reader, and signals are not handled meanwhile.
            return Err(io::Error::other("the path is a pipe; the port must be written to a file"));
        }
        let mut whole = WholeFile::create(path)?;
        let text = format!("{port}\n");
        whole.file.write_all(text.as_bytes())?;
        let path = whole.part.as_ref().map(|(_, path)| path.clone());
        whole.finish()?;
        Ok(Self { path, text })
    }
}

impl Drop for PortFile {
    /// Removes the file, unless another server has written its own port into it.
    fn drop(&mut self) {
        let Some(path) = &self.path else { return };
        // The path may be something else by now, and reading that could block.
        let length = self.text.len() as u64;
        let is_like = path.symlink_metadata().is_ok_and(|it| it.is_file() && it.len() == length);
        if is_like && std::fs::read_to_string(path).is_ok_and(|text| text == self.text) {
            // An error, such as a folder that is read-only by now, must not keep the server from ending.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Opens a pipe, if the path is one. It fails if the pipe has no reader, because waiting for one could
/// take for ever.
#[cfg(unix)]
fn open_pipe(path: &Path) -> io::Result<Option<File>> {
    use nix::{errno::Errno, fcntl::OFlag};
    if !is_pipe(path) {
        return Ok(None);
    }
    let opened = OpenOptions::new().write(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path);
    opened.map(Some).map_err(|error| match error.raw_os_error() {
        Some(code) if code == Errno::ENXIO as i32 => io::Error::other("no process reads this pipe"),
        _ => error,
    })
}

#[cfg(unix)]
fn is_pipe(path: &Path) -> bool {
    path.metadata().is_ok_and(|about| about.file_type().is_fifo())
}

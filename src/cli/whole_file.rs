//! A file that a reader sees whole or not at all.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Write as _};
#[cfg(unix)]
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _, fchown};
use std::path::{Path, PathBuf};

/// A file that gets its name when it is finished, and vanishes if it never is. Links are followed,
/// and what is replaced leaves its mode and its owner. What is no plain file (a terminal, a pipe) is
/// written to at once.
pub(super) struct WholeFile {
    pub(super) file: File,
    /// Where it is until it is finished, and where it goes then.
    part: Option<(PathBuf, PathBuf)>,
}

impl WholeFile {
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let Some(path) = plain_file(path)? else {
            // A folder is refused here, not when all is written.
            return Ok(Self { file: OpenOptions::new().append(true).open(path)?, part: None });
        };
        let old = path.metadata().ok();
        let (file, part) = create_part(&path, old.as_ref())?;
        // From here on the part goes away when something fails.
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
            // It is only litter; whatever went wrong is told elsewhere.
            let _ = std::fs::remove_file(part);
        }
    }
}

/// Where links follow one another, the kernel gives up after so many as well.
const MOST_LINKS: usize = 40;

/// The plain file that a path leads to, whether it is there yet or not; `None` where the path leads
/// to something else.
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
        // `/dev/stdout` leads to such a link. It stands for a file that someone has open, so the file
        // must stay the same one.
        let folder = path.parent().and_then(|folder| folder.canonicalize().ok());
        if folder.is_some_and(|folder| folder.starts_with("/proc")) {
            return Ok(None);
        }
        let to = path.read_link()?;
        path = path.parent().unwrap_or(Path::new("")).join(to);
    }
    Err(io::Error::other("too many links follow one another"))
}

/// Ends of names that are tried for a part. One may be left by a process that was killed, and in a
/// container every process has the same number.
const MOST_PARTS: u32 = 100;

/// A new file beside `path`. It is never one that is there, and never one behind a link.
#[cfg_attr(not(unix), allow(unused_variables))]
fn create_part(path: &Path, old: Option<&Metadata>) -> io::Result<(File, PathBuf)> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    // Nobody may read the new file, not even for a moment, who could not read the old one.
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
    // Only root may give a file away. For everyone else it stays theirs, and the group is kept where
    // they belong to it.
    if fchown(file, Some(old.uid()), Some(old.gid())).is_err() {
        let _ = fchown(file, None, Some(old.gid()));
    }
}

/// Whether a report could be written, without leaving a trace. What is no plain file is left alone.
pub(super) fn can_write(path: &Path) -> io::Result<()> {
    if path.metadata().is_ok_and(|about| !about.is_dir() && !about.is_file()) {
        return Ok(());
    }
    WholeFile::create(path).map(drop)
}

pub(super) fn write_report(path: &Path, text: &str) -> io::Result<()> {
    // Else a reader could see the end before the file is opened once more.
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
            // Opening it would wait for a reader, deaf to every signal.
            return Err(io::Error::other("it is a pipe; the port needs a file"));
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
        // Reading anything else than a short file could wait or take long.
        let length = self.text.len() as u64;
        let is_like = path.symlink_metadata().is_ok_and(|it| it.is_file() && it.len() == length);
        if is_like && std::fs::read_to_string(path).is_ok_and(|text| text == self.text) {
            // The folder may have become one that nothing can be removed from; the server has ended
            // all the same.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Opens a pipe, if it is one that somebody reads. To wait for a reader could take for ever.
#[cfg(unix)]
fn open_pipe(path: &Path) -> io::Result<Option<File>> {
    use nix::{errno::Errno, fcntl::OFlag};
    if !is_pipe(path) {
        return Ok(None);
    }
    let opened = OpenOptions::new().write(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path);
    opened.map(Some).map_err(|error| match error.raw_os_error() {
        Some(code) if code == Errno::ENXIO as i32 => io::Error::other("nobody reads this pipe"),
        _ => error,
    })
}

#[cfg(unix)]
fn is_pipe(path: &Path) -> bool {
    path.metadata().is_ok_and(|about| about.file_type().is_fifo())
}

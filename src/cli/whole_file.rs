//! A file that a reader sees whole or not at all.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// A file that gets its name when it is finished, and vanishes if it never is. What is no plain
/// file (a terminal, a pipe) is written to at once.
pub(super) struct WholeFile<'p> {
    pub(super) file: File,
    path: &'p Path,
    /// Where it is until then.
    part: Option<PathBuf>,
}

impl<'p> WholeFile<'p> {
    pub(super) fn create(path: &'p Path) -> io::Result<Self> {
        // A folder is refused by its name now, not when all is written.
        if path.metadata().is_ok_and(|about| !about.is_file()) {
            return Ok(Self { file: File::create(path)?, path, part: None });
        }
        let mut part = path.as_os_str().to_owned();
        part.push(format!(".{}.part", std::process::id()));
        let part = PathBuf::from(part);
        Ok(Self { file: File::create(&part)?, path, part: Some(part) })
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        let Some(part) = &self.part else { return Ok(()) };
        std::fs::rename(part, self.path)?;
        self.part = None;
        Ok(())
    }
}

impl Drop for WholeFile<'_> {
    fn drop(&mut self) {
        if let Some(part) = &self.part {
            // It is only litter; whatever went wrong is told elsewhere.
            let _ = std::fs::remove_file(part);
        }
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
    let mut whole = WholeFile::create(path)?;
    whole.file.write_all(text.as_bytes())?;
    whole.finish()
}

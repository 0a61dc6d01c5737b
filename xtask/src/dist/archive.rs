//! Archives whose bytes depend only on their files.

use std::collections::BTreeSet;
use std::io::{self, Cursor, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use zip::write::SimpleFileOptions;

/// Every file has this time, 2025-10-20 UTC, in seconds since 1970.
const TIME: u64 = 1_760_918_400;

/// A file of an archive.
pub(super) struct Entry {
    pub(super) path: String,
    pub(super) bytes: Vec<u8>,
    is_program: bool,
}

impl Entry {
    pub(super) fn file(path: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { path: path.into(), bytes: bytes.into(), is_program: false }
    }

    /// A file that can be executed.
    pub(super) fn program(path: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { path: path.into(), bytes: bytes.into(), is_program: true }
    }

    fn mode(&self) -> u32 {
        if self.is_program { 0o755 } else { 0o644 }
    }
}

/// A `.tar.gz` without entries for folders. Folders are created for the files in them.
pub(super) fn tar_gz(entries: &[Entry]) -> Result<Vec<u8>, String> {
    tar(&[], entries)
}

/// The same with an entry for each folder. dpkg creates only folders with an entry.
pub(super) fn tar_gz_with_folders(entries: &[Entry]) -> Result<Vec<u8>, String> {
    let mut folders = BTreeSet::new();
    for Entry { path, .. } in entries {
        let ends = path.match_indices('/').map(|(at, _)| &path[..=at]);
        folders.extend(ends);
    }
    tar(&Vec::from_iter(folders), entries)
}

fn tar(folders: &[&str], entries: &[Entry]) -> Result<Vec<u8>, String> {
    let header = |size: usize, mode| -> io::Result<tar::Header> {
        let mut header = tar::Header::new_ustar();
        header.set_size(size as u64);
        header.set_mode(mode);
        header.set_mtime(TIME);
        header.set_uid(0);
        header.set_gid(0);
        header.set_username("root")?;
        header.set_groupname("root")?;
        Ok(header)
    };
    let pack = || -> io::Result<Vec<u8>> {
        let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::best()));
        for folder in folders {
            let mut header = header(0, 0o755)?;
            header.set_entry_type(tar::EntryType::Directory);
            tar.append_data(&mut header, folder, io::empty())?;
        }
        for entry in entries {
            let mut header = header(entry.bytes.len(), entry.mode())?;
            tar.append_data(&mut header, &entry.path, &*entry.bytes)?;
        }
        tar.into_inner()?.finish()
    };
    pack().map_err(|why| format!("tar: {why}"))
}

/// A `.zip`.
pub(super) fn zip(entries: &[Entry]) -> Result<Vec<u8>, String> {
    let pack = || -> zip::result::ZipResult<Vec<u8>> {
        let time = zip::DateTime::from_date_and_time(2025, 10, 20, 0, 0, 0)
            .expect("the day is one of the calendar");
        let options = SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Deflated)
            .compression_level(Some(9))
            .last_modified_time(time);
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for entry in entries {
            zip.start_file(&*entry.path, options.unix_permissions(entry.mode()))?;
            zip.write_all(&entry.bytes)?;
        }
        Ok(zip.finish()?.into_inner())
    };
    pack().map_err(|why| format!("zip: {why}"))
}

/// An `ar` archive, which is the format of Debian packages. The crates for it are no longer maintained.
pub(super) fn ar(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut out = b"!<arch>\n".to_vec();
    for (name, bytes) in members {
        let (owner, mode) = (0, "100644");
        let size = bytes.len();
        out.extend(
            format!("{name:<16}{TIME:<12}{owner:<6}{owner:<6}{mode:<8}{size:<10}`\n").bytes(),
        );
        out.extend(bytes);
        if size % 2 == 1 {
            out.push(b'\n');
        }
    }
    out
}

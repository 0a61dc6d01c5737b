//! The Debian package.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::archive::{self, Entry};
use super::tarball::completion_file;
use super::{Package, Release, source};

pub(super) fn make(release: &Release) -> Result<Option<Package>, String> {
    let Release { version, platform, .. } = release;
    let Some(architecture) = platform.debian else { return Ok(None) };
    let doc = "./usr/share/doc/gptbots-mock";
    let copyright = [source("LICENSE-MIT")?, source("packaging/NOTICE")?].join(&b"\n\n"[..]);
    let mut entries = vec![
        Entry::program("./usr/bin/gptbots-mock", &*release.program),
        Entry::file("./usr/share/man/man1/gptbots-mock.1.gz", gz(&release.man)?),
        Entry::file(format!("{doc}/copyright"), copyright),
        Entry::file(format!("{doc}/THIRD-PARTY-LICENSES.gz"), gz(release.third_party.as_bytes())?),
        Entry::file(format!("{doc}/changelog.gz"), gz(&source("CHANGELOG.md")?)?),
    ];
    for (shell, folder) in [
        ("bash", "bash-completion/completions"),
        ("zsh", "zsh/vendor-completions"),
        ("fish", "fish/vendor_completions.d"),
    ] {
        let (_, text) = release
            .completions
            .iter()
            .find(|(name, _)| *name == shell)
            .ok_or_else(|| format!("no completions for {shell}"))?;
        let path = format!("./usr/share/{folder}/{}", completion_file(shell));
        entries.push(Entry::file(path, &**text));
    }
    // In KiB, each file rounded up.
    let size: usize = entries.iter().map(|entry| entry.bytes.len().div_ceil(1024)).sum();
    let control = format!(
        "Package: gptbots-mock\n\
         Version: {version}\n\
         Architecture: {architecture}\n\
         Maintainer: The gptbots-mock developers <gptbots-mock@localhost>\n\
         Installed-Size: {size}\n\
         Section: devel\n\
         Priority: optional\n\
         Description: local emulator of the GPTBots conversation-history API\n \
         Gives the responses that the vendor's documentation describes, without a network\n \
         and with the same bytes every time, and injects faults for tests. The program is\n \
         linked statically.\n"
    );
    let members = [
        ("debian-binary", b"2.0\n".to_vec()),
        ("control.tar.gz", archive::tar_gz(&[Entry::file("./control", control)])?),
        ("data.tar.gz", archive::tar_gz_with_folders(&entries)?),
    ];
    Ok(Some((format!("gptbots-mock_{version}_{architecture}.deb"), archive::ar(&members))))
}

fn gz(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut out = GzEncoder::new(Vec::new(), Compression::best());
    out.write_all(bytes).and_then(|()| out.finish()).map_err(|why| format!("gzip: {why}"))
}

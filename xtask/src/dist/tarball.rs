//! The tarball: the program and its files, for manual installation, Homebrew and `cargo binstall`.

use super::archive::{self, Entry};
use super::{Package, Release, agents, source};

pub(super) fn make(release: &Release) -> Result<Package, String> {
    let Release { version, platform, .. } = release;
    let folder = format!("gptbots-mock-{version}-{}", platform.target);
    let at = |path: &str| format!("{folder}/{path}");
    let program = format!("gptbots-mock{}", platform.suffix());
    let mut entries = vec![Entry::program(at(&program), &*release.program)];
    for (path, from) in [
        ("README.md", "README.md"),
        ("CHANGELOG.md", "CHANGELOG.md"),
        ("LICENSE-MIT", "LICENSE-MIT"),
        ("LICENSE-APACHE", "LICENSE-APACHE"),
        ("NOTICE", "packaging/NOTICE"),
        ("schemas/config.schema.json", "docs/config.schema.json"),
        ("schemas/fixture.schema.json", "fixtures/schema.json"),
    ] {
        entries.push(Entry::file(at(path), source(from)?));
    }
    for (path, bytes) in agents::files()? {
        entries.push(Entry::file(at(&format!("{}/{path}", agents::SKILL)), bytes));
    }
    entries.push(Entry::file(at("THIRD-PARTY-LICENSES"), &*release.third_party));
    entries.push(Entry::file(at("man/gptbots-mock.1"), &*release.man));
    for (shell, text) in &release.completions {
        entries.push(Entry::file(at(&format!("completions/{}", completion_file(shell))), &**text));
    }
    Ok((format!("{folder}.tar.gz"), archive::tar_gz(&entries)?))
}

/// The file in which a shell looks for completions of the program.
pub(super) fn completion_file(shell: &str) -> &'static str {
    match shell {
        "bash" => "gptbots-mock",
        "zsh" => "_gptbots-mock",
        "fish" => "gptbots-mock.fish",
        "elvish" => "gptbots-mock.elv",
        _ => "gptbots-mock.ps1",
    }
}

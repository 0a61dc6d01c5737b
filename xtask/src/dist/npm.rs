//! The npm packages: `gptbots-mock`, which is JavaScript, and one that contains the program for one
//! platform. npm installs the latter only on that platform.

use super::archive::{self, Entry};
use super::{Package, Platform, Release, agents, files_below, source, text};

const FOLDER: &str = "packaging/npm/gptbots-mock";

const LICENCES: [&str; 2] = ["LICENSE-MIT", "LICENSE-APACHE"];

pub(super) fn make(release: &Release) -> Result<Vec<Package>, String> {
    Ok(vec![main_package(release)?, platform_package(release)?])
}

fn name(platform: &Platform) -> String {
    let (os, cpu) = platform.node;
    format!("@gptbots-mock/{os}-{cpu}")
}

fn main_package(Release { version, platform, .. }: &Release) -> Result<Package, String> {
    // npm reads the manifest as it is in the repository, so it is not changed here.
    let manifest = text(&format!("{FOLDER}/package.json"))?;
    for name in ["version".to_owned(), name(platform)] {
        let line = format!("\"{name}\": \"{version}\"");
        if !manifest.contains(&line) {
            return Err(format!("{FOLDER}/package.json has no {line}"));
        }
    }
    let mut entries = Vec::new();
    for path in files_below(FOLDER)? {
        let bytes = source(&format!("{FOLDER}/{path}"))?;
        let path = format!("package/{path}");
        let is_program = path.starts_with("package/bin/");
        entries.push(if is_program {
            Entry::program(path, bytes)
        } else {
            Entry::file(path, bytes)
        });
    }
    entries.push(Entry::file("package/README.md", source("packaging/npm/README.md")?));
    for (path, bytes) in agents::files()? {
        entries.push(Entry::file(format!("package/{}/{path}", agents::SKILL), bytes));
    }
    add_licences(&mut entries)?;
    Ok((format!("gptbots-mock-{version}.tgz"), archive::tar_gz(&entries)?))
}

fn platform_package(release: &Release) -> Result<Package, String> {
    let Release { version, platform, repository, .. } = release;
    let (name, (os, cpu)) = (name(platform), platform.node);
    // npm compares this with the repository in which a signed package was built.
    let repository = repository.as_ref().map_or_else(String::new, |url| {
        format!("  \"repository\": {{ \"type\": \"git\", \"url\": \"git+{url}.git\" }},\n")
    });
    let manifest = format!(
        r#"{{
  "name": "{name}",
  "version": "{version}",
  "description": "The program of gptbots-mock for {os} on {cpu}",
  "license": "MIT OR Apache-2.0",
{repository}  "os": ["{os}"],
  "cpu": ["{cpu}"],
  "preferUnplugged": true
}}
"#
    );
    let readme = format!(
        "# {name}\n\nThe program of [gptbots-mock](https://www.npmjs.com/package/gptbots-mock) for {os} on \
         {cpu}. That package installs this one where it is needed.\n"
    );
    let program = format!("package/bin/gptbots-mock{}", platform.suffix());
    let mut entries = vec![
        Entry::file("package/package.json", manifest),
        Entry::file("package/README.md", readme),
        Entry::program(program, &*release.program),
    ];
    add_licences(&mut entries)?;
    entries.push(Entry::file("package/NOTICE", source("packaging/NOTICE")?));
    entries.push(Entry::file("package/THIRD-PARTY-LICENSES", &*release.third_party));
    Ok((format!("gptbots-mock-{os}-{cpu}-{version}.tgz"), archive::tar_gz(&entries)?))
}

fn add_licences(entries: &mut Vec<Entry>) -> Result<(), String> {
    for path in LICENCES {
        entries.push(Entry::file(format!("package/{path}"), source(path)?));
    }
    Ok(())
}

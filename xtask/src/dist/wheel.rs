//! The wheel: the Python package of `packaging/python`, and the program as one of its scripts.

// Writing to a text cannot fail.
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

use super::archive::{self, Entry};
use super::{Package, Release, agents, files_below, source, text};

const FOLDER: &str = "packaging/python";

pub(super) fn make(release: &Release) -> Result<Package, String> {
    let Release { version, platform, .. } = release;
    let name = format!("gptbots_mock-{version}");
    let info = format!("{name}.dist-info");
    let project = text(&format!("{FOLDER}/pyproject.toml"))?;
    let project: toml::Table = project.parse().map_err(|why| format!("pyproject.toml: {why}"))?;
    let project = project["project"].as_table().ok_or("pyproject.toml has no table [project]")?;

    let mut entries = Vec::new();
    for path in files_below(&format!("{FOLDER}/gptbots_mock"))? {
        let path = format!("gptbots_mock/{path}");
        let bytes = source(&format!("{FOLDER}/{path}"))?;
        entries.push(Entry::file(path, bytes));
    }
    for (path, bytes) in agents::files()? {
        entries.push(Entry::file(format!("gptbots_mock/.agents/{}/{path}", agents::SKILL), bytes));
    }
    let program = format!("{name}.data/scripts/gptbots-mock{}", platform.suffix());
    entries.push(Entry::program(program, &*release.program));
    for licence in ["LICENSE-MIT", "LICENSE-APACHE", "packaging/NOTICE"] {
        let file = licence.rsplit('/').next().expect("a split text has a last part");
        entries.push(Entry::file(format!("{info}/licenses/{file}"), source(licence)?));
    }
    let third_party = format!("{info}/licenses/THIRD-PARTY-LICENSES");
    entries.push(Entry::file(third_party, &*release.third_party));
    entries.push(Entry::file(format!("{info}/METADATA"), metadata(project, version)?));
    let mut wheel =
        "Wheel-Version: 1.0\nGenerator: gptbots-mock xtask\nRoot-Is-Purelib: false\n".to_owned();
    for tag in platform.wheel.split('.') {
        let _ = writeln!(wheel, "Tag: py3-none-{tag}");
    }
    entries.push(Entry::file(format!("{info}/WHEEL"), wheel));
    entries.push(Entry::file(format!("{info}/entry_points.txt"), entry_points(project)?));
    let mut record = String::new();
    for Entry { path, bytes, .. } in &entries {
        let hash = URL_SAFE_NO_PAD.encode(Sha256::digest(bytes));
        let _ = writeln!(record, "{path},sha256={hash},{}", bytes.len());
    }
    let _ = writeln!(record, "{info}/RECORD,,");
    entries.push(Entry::file(format!("{info}/RECORD"), record));
    Ok((format!("{name}-py3-none-{}.whl", platform.wheel), archive::zip(&entries)?))
}

fn string<'t>(table: &'t toml::Table, key: &str) -> Result<&'t str, String> {
    let value = table.get(key).and_then(toml::Value::as_str);
    value.ok_or_else(|| format!("pyproject.toml has no string {key}"))
}

/// The core metadata: the values of `[project]`, and the README of the package.
fn metadata(project: &toml::Table, version: &str) -> Result<String, String> {
    let mut out = format!(
        "Metadata-Version: 2.4\nName: {}\nVersion: {version}\nSummary: {}\nRequires-Python: {}\n\
         License-Expression: MIT OR Apache-2.0\n",
        string(project, "name")?,
        string(project, "description")?,
        string(project, "requires-python")?,
    );
    for file in ["LICENSE-MIT", "LICENSE-APACHE", "NOTICE", "THIRD-PARTY-LICENSES"] {
        let _ = writeln!(out, "License-File: {file}");
    }
    let list = |key: &str| project.get(key).and_then(toml::Value::as_array).into_iter().flatten();
    let keywords: Vec<_> = list("keywords").filter_map(toml::Value::as_str).collect();
    if !keywords.is_empty() {
        let _ = writeln!(out, "Keywords: {}", keywords.join(","));
    }
    for classifier in list("classifiers").filter_map(toml::Value::as_str) {
        let _ = writeln!(out, "Classifier: {classifier}");
    }
    out += "Description-Content-Type: text/markdown\n\n";
    Ok(out + &text(&format!("{FOLDER}/README.md"))?)
}

/// `entry_points.txt`, from the tables of `[project]`.
fn entry_points(project: &toml::Table) -> Result<String, String> {
    let mut out = String::new();
    let groups = project.get("entry-points").and_then(toml::Value::as_table);
    for (group, points) in groups.into_iter().flatten() {
        let points = points.as_table().ok_or_else(|| format!("{group} must be a table"))?;
        let _ = writeln!(out, "[{group}]");
        for (name, _) in points {
            let _ = writeln!(out, "{name} = {}", string(points, name)?);
        }
    }
    Ok(out)
}

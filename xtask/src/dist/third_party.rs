//! `THIRD-PARTY-LICENSES`: the parts of the program that others wrote, with the texts of their licences. Anyone
//! who distributes the program must distribute these texts, too.
//!
//! The texts for crates come from Cargo, those for the standard library from the toolchain. Texts that neither
//! has are in `packaging/licenses/`.

use std::collections::BTreeMap;
// Writing to a text cannot fail.
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{root, text};

/// Dependencies of the standard library that are part of programs, although its page of notices omits them.
const OF_THE_STANDARD_LIBRARY: &[(&str, &str)] = &[
    ("addr2line", "Apache-2.0 OR MIT"),
    ("adler2", "0BSD OR MIT OR Apache-2.0"),
    ("miniz_oxide", "MIT OR Zlib OR Apache-2.0"),
    ("object", "Apache-2.0 OR MIT"),
];

/// The names of files with a licence or a notice begin with one of these.
const NAMES: [&str; 6] = ["LICENSE", "LICENCE", "UNLICENSE", "COPYING", "COPYRIGHT", "NOTICE"];

/// Each work by its name and version, with its licence and the texts of it.
pub(super) type Works = BTreeMap<String, (String, Vec<String>)>;

/// The file for a target.
pub(super) fn licenses(target: &str) -> Result<String, String> {
    Ok(written(&works(target)?))
}

/// The works of others in a program for a target.
pub(super) fn works(target: &str) -> Result<Works, String> {
    let mut works = crates(target)?;
    works.extend(standard_library()?);
    for (name, license) in OF_THE_STANDARD_LIBRARY {
        works.insert((*name).to_owned(), ((*license).to_owned(), vec![kept(name)?]));
    }
    if target.ends_with("linux-gnu") {
        let license = "LGPL-2.1-or-later and others".to_owned();
        works.insert("GNU C Library".to_owned(), (license, vec![kept("glibc")?]));
    }
    Ok(works)
}

/// A text of `packaging/licenses/`.
fn kept(name: &str) -> Result<String, String> {
    text(&format!("packaging/licenses/{name}.txt"))
}

/// The crates that the program is compiled from.
fn crates(target: &str) -> Result<Works, String> {
    let tree =
        "tree --locked --package gptbots-mock --edges normal --prefix none --format {p} --target";
    let tree = cargo(&[tree, target].join(" "))?;
    let metadata =
        cargo(&format!("metadata --locked --format-version 1 --filter-platform {target}"))?;
    let metadata: serde_json::Value =
        serde_json::from_str(&metadata).map_err(|why| format!("cargo metadata: {why}"))?;
    let packages = metadata["packages"].as_array().ok_or("cargo metadata lists no packages")?;
    let mut works = Works::new();
    // `hyper v1.12.0`, where `(proc-macro)` or `(*)` may follow.
    for line in tree.lines() {
        let mut columns = line.split(' ');
        let (Some(name), Some(version)) = (columns.next(), columns.next()) else { continue };
        let version = version.trim_start_matches('v');
        let title = format!("{name} {version}");
        if name == "gptbots-mock" || works.contains_key(&title) {
            continue;
        }
        let package = packages
            .iter()
            .find(|package| package["name"] == name && package["version"] == version)
            .ok_or_else(|| format!("cargo metadata has no {title}"))?;
        let license = package["license"].as_str().unwrap_or("see its text");
        let manifest = package["manifest_path"].as_str().ok_or("a package without a manifest")?;
        let folder = Path::new(manifest).parent().ok_or("a manifest without a folder")?;
        let mut texts = texts_below(folder)?;
        if texts.is_empty() {
            texts.push(kept(name).map_err(|_| {
                format!(
                    "there is no licence text for {title} ({license}) in {}; copy the one from its \
                     repository to packaging/licenses/{name}.txt",
                    folder.display()
                )
            })?);
        }
        works.insert(title, (license.to_owned(), texts));
    }
    Ok(works)
}

/// The licences and notices of a crate, and of the works of others in its folders.
fn texts_below(folder: &Path) -> Result<Vec<String>, String> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        let said = |why| format!("{}: {why}", folder.display());
        for file in fs::read_dir(&folder).map_err(said)? {
            let path = file.map_err(said)?.path();
            if path.is_dir() {
                folders.push(path);
            } else if is_license(&path) {
                found.push(path);
            }
        }
    }
    found.sort();
    let read = |path: &PathBuf| match fs::read(path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(why) => Err(format!("{}: {why}", path.display())),
    };
    found.iter().map(read).collect()
}

fn is_license(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
    // `license.rs` is a program.
    NAMES.iter().any(|known| name.starts_with(known)) && path.extension() != Some("rs".as_ref())
}

/// The standard library and its dependencies, from the toolchain's page of notices.
fn standard_library() -> Result<Works, String> {
    let folder = output(Command::new("rustc").args(["--print", "sysroot"]).current_dir(root()))?;
    let folder = Path::new(folder.trim()).join("share/doc/rust");
    let path = folder.join("COPYRIGHT-library.html");
    let page = fs::read_to_string(&path).map_err(|why| format!("{}: {why}", path.display()))?;
    let other = || format!("the format of {} has changed since Rust 1.95", path.display());

    let (own, dependencies) =
        page.split_once(r#"<h2 id="out-of-tree-dependencies">"#).ok_or_else(other)?;
    let (_, own) = own.split_once(r#"<h2 id="in-tree-files">"#).ok_or_else(other)?;
    let own = plain(own.split_once('>').ok_or_else(other)?.1.trim_start());
    let own: Vec<&str> = own.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let mut texts = vec![own.join("\n")];
    // Files such as `MIT.txt`, of which most are for the tools of the toolchain.
    for path in files(&folder.join("licenses"))? {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        if own.iter().any(|line| line.starts_with("License:") && line.contains(&*name)) {
            texts.push(
                fs::read_to_string(&path).map_err(|why| format!("{}: {why}", path.display()))?,
            );
        }
    }
    if texts.len() == 1 {
        return Err(other());
    }
    let title = "the Rust standard library".to_owned();
    let mut works = Works::from([(title, ("Apache-2.0 OR MIT, and others".to_owned(), texts))]);
    for section in dependencies.split("<h3>").skip(1) {
        let (title, rest) = section.split_once("</h3>").ok_or_else(other)?;
        let title = plain(title);
        // `📦 cc-1.2.0`
        let title = title.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
        let digit = title
            .match_indices('-')
            .find(|(at, _)| title[at + 1..].starts_with(|c: char| c.is_ascii_digit()));
        let (name, version) = title.split_at(digit.ok_or_else(other)?.0);
        let license = rest.split_once("<b>License:</b>").ok_or_else(other)?.1;
        let license = plain(license.split('<').next().unwrap_or_default());
        let texts = rest.split("<pre>").skip(1);
        let texts: Vec<_> =
            texts.map(|text| plain(text.split("</pre>").next().unwrap_or_default())).collect();
        // One work has no text: it is for SGX, for which there are no packages.
        if !texts.is_empty() {
            works.insert(format!("{name} {}", &version[1..]), (license.trim().to_owned(), texts));
        }
    }
    if works.len() == 1 { Err(other()) } else { Ok(works) }
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let said = |why| format!("{}: {why}", folder.display());
    let files = fs::read_dir(folder).map_err(said)?;
    let mut paths = files
        .map(|file| file.map(|file| file.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(said)?;
    paths.sort();
    Ok(paths)
}

/// The text of a piece of HTML.
fn plain(html: &str) -> String {
    let mut text = String::new();
    for piece in html.split('<').enumerate() {
        text += match piece {
            (0, first) => first,
            (_, tag) => tag.split_once('>').map_or("", |(_, after)| after),
        };
    }
    for (code, sign) in
        [("&#34;", "\""), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">"), ("&#38;", "&")]
    {
        text = text.replace(code, sign);
    }
    text
}

/// First a list of all works, then every text once, below the names of the works that it applies to.
fn written(works: &Works) -> String {
    let mut out =
        "The program gptbots-mock contains the works of others. They are listed here with their\n\
                   licences. The licence texts follow, each with the works that it applies to.\n\n"
            .to_owned();
    // The same text often has different line breaks.
    let mut numbers = BTreeMap::new();
    let mut texts: Vec<(&str, Vec<&str>)> = Vec::new();
    for (title, (license, of_work)) in works {
        let _ = writeln!(out, "{title}  ({license})");
        for text in of_work {
            let on_one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
            let number = *numbers.entry(on_one_line).or_insert(texts.len());
            if number == texts.len() {
                texts.push((text, Vec::new()));
            }
            if texts[number].1.last() != Some(&&**title) {
                texts[number].1.push(title);
            }
        }
    }
    let line = "=".repeat(80);
    for (text, titles) in texts {
        let _ = write!(out, "\n{line}\n{}\n{line}\n\n", titles.join(", "));
        for line in text.trim_matches(['\n', '\r']).lines() {
            let _ = writeln!(out, "{}", line.trim_end());
        }
    }
    out
}

fn cargo(words: &str) -> Result<String, String> {
    output(Command::new("cargo").args(words.split(' ')).current_dir(root()))
}

fn output(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|why| format!("{name}: {why}"))?;
    if !output.status.success() {
        return Err(format!("{name}: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    String::from_utf8(output.stdout).map_err(|why| format!("{name}: {why}"))
}

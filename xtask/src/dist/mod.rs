//! `cargo xtask dist`: builds every package that contains a release binary, without compiling anything. The
//! packages of a binary always have the same bytes, at any time and on any machine.

mod agents;
mod archive;
mod binary;
mod deb;
mod npm;
mod tarball;
mod third_party;
mod wheel;

// Writing to a text cannot fail.
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

pub(crate) use binary::package_version;

pub(crate) const USAGE: &str =
    "cargo xtask dist --binary FILE --target TARGET [--out FOLDER] [--runner PROGRAM]";

/// A platform for which there are packages, with its name in each kind of package.
pub(crate) struct Platform {
    /// The target of rustc.
    pub(crate) target: &'static str,
    /// `process.platform` and `process.arch` of Node.
    pub(crate) node: (&'static str, &'static str),
    /// The platform tags of a wheel.
    pub(crate) wheel: &'static str,
    /// The architecture of a Debian package.
    pub(crate) debian: Option<&'static str>,
}

impl Platform {
    /// The end of the file name of the program.
    pub(crate) fn suffix(&self) -> &'static str {
        if self.node.0 == "win32" { ".exe" } else { "" }
    }
}

/// A static binary needs no libc, so one wheel works on systems with glibc and with musl.
const PLATFORMS: &[Platform] = &[
    Platform {
        target: "x86_64-unknown-linux-gnu",
        node: ("linux", "x64"),
        wheel: "manylinux_2_17_x86_64.manylinux2014_x86_64.musllinux_1_1_x86_64",
        debian: Some("amd64"),
    },
    Platform {
        target: "aarch64-unknown-linux-gnu",
        node: ("linux", "arm64"),
        wheel: "manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64",
        debian: Some("arm64"),
    },
    Platform {
        target: "x86_64-apple-darwin",
        node: ("darwin", "x64"),
        wheel: "macosx_10_12_x86_64",
        debian: None,
    },
    Platform {
        target: "aarch64-apple-darwin",
        node: ("darwin", "arm64"),
        wheel: "macosx_11_0_arm64",
        debian: None,
    },
    Platform {
        target: "x86_64-pc-windows-msvc",
        node: ("win32", "x64"),
        wheel: "win_amd64",
        debian: None,
    },
];

/// The contents of the packages.
pub(crate) struct Release {
    pub(crate) platform: &'static Platform,
    pub(crate) version: String,
    /// The URL of the source. There is none before the project is published.
    pub(crate) repository: Option<String>,
    pub(crate) program: Vec<u8>,
    /// The man page, and the completions with the names of their shells, as the program prints them.
    pub(crate) man: Vec<u8>,
    pub(crate) completions: Vec<(&'static str, Vec<u8>)>,
    /// `THIRD-PARTY-LICENSES`.
    pub(crate) third_party: String,
}

/// A file of a release: its name, and its bytes.
pub(crate) type Package = (String, Vec<u8>);

/// Builds every package.
pub(crate) fn run(words: &[&str]) -> Result<(), String> {
    let (mut file, mut target, mut runner) = (None, None, None);
    let mut out = root().join("target/dist");
    for pair in words.chunks(2) {
        match *pair {
            ["--binary", path] => file = Some(path),
            ["--target", name] => target = Some(name),
            ["--out", path] => out = PathBuf::from(path),
            ["--runner", program] => runner = Some(program),
            _ => return Err(format!("usage: {USAGE}")),
        }
    }
    let (Some(file), Some(target)) = (file, target) else { return Err(format!("usage: {USAGE}")) };
    let platform =
        PLATFORMS.iter().find(|platform| platform.target == target).ok_or_else(|| {
            let known: Vec<_> = PLATFORMS.iter().map(|platform| platform.target).collect();
            format!("no packages for the target {target}; there are some for {}", known.join(", "))
        })?;
    let release = binary::read(Path::new(file), platform, runner)?;
    let mut packages = vec![tarball::make(&release)?, wheel::make(&release)?];
    packages.extend(npm::make(&release)?);
    packages.extend(deb::make(&release)?);
    fs::create_dir_all(&out).map_err(|why| format!("{}: {why}", out.display()))?;
    let mut sums = String::new();
    for (name, bytes) in &packages {
        write(&out.join(name), bytes)?;
        let _ = writeln!(sums, "{}  {name}", sha256(bytes));
        println!("{:>10}  {name}", bytes.len());
    }
    write(&out.join(format!("SHA256SUMS-{target}")), sums.as_bytes())
}

/// Fails if a licence text is missing for the program of any platform.
pub(crate) fn check_licenses() -> Result<(), String> {
    for Platform { target, .. } in PLATFORMS {
        let works = third_party::works(target).map_err(|why| format!("{target}: {why}"))?;
        println!("{:>5} works in a program for {target}", works.len());
    }
    Ok(())
}

/// The folder of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the repository")
}

/// Reads a file of the repository.
pub(crate) fn source(path: &str) -> Result<Vec<u8>, String> {
    fs::read(root().join(path)).map_err(|why| format!("{path}: {why}"))
}

/// Reads a text of the repository.
pub(crate) fn text(path: &str) -> Result<String, String> {
    String::from_utf8(source(path)?).map_err(|why| format!("{path}: {why}"))
}

/// The paths of all files below a folder of the repository, relative to that folder, in an order that does
/// not depend on the file system. Folders that Python and npm create are left out.
pub(crate) fn files_below(folder: &str) -> Result<Vec<String>, String> {
    let (mut files, mut folders) = (Vec::new(), vec![String::new()]);
    while let Some(inner) = folders.pop() {
        let whole = root().join(folder).join(&inner);
        let said = |why: std::io::Error| format!("{}: {why}", whole.display());
        for file in fs::read_dir(&whole).map_err(said)? {
            let file = file.map_err(said)?;
            let name = file.file_name();
            let name = name
                .to_str()
                .ok_or_else(|| format!("{}: the name is not UTF-8", name.display()))?;
            let path = if inner.is_empty() { name.to_owned() } else { format!("{inner}/{name}") };
            match file.file_type().map_err(said)?.is_dir() {
                true if ["__pycache__", "node_modules"].contains(&name) => {}
                true => folders.push(path),
                false => files.push(path),
            }
        }
    }
    files.sort();
    Ok(files)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), String> {
    fs::write(path, bytes).map_err(|why| format!("{}: {why}", path.display()))
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

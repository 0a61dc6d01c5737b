//! The steps of `.ci/run` that need neither Node nor Python nor the release binary.

use std::fmt::Write as _;
use std::fs;
use std::process::{Command, Output};
use std::time::Instant;

use crate::{dist, docs};

/// The name of a step, and the function that runs it.
type Step = (&'static str, fn() -> Result<(), String>);

const STEPS: &[Step] = &[
    ("format", || cargo("fmt --all --check")),
    ("clippy: everything, without TLS, and the library alone", || {
        cargo("clippy --locked --workspace --all-targets -- -D warnings")?;
        cargo("clippy --locked --lib --bins --no-default-features --features cli -- -D warnings")?;
        cargo("clippy --locked --lib --no-default-features -- -D warnings")
    }),
    ("the library alone pulls in nothing of the command line", library_without_command_line),
    (
        "no crate is compiled in two versions (except getrandom, of which ring needs an old one)",
        no_crate_twice,
    ),
    ("rustdoc", || cargo("doc --locked --no-deps --document-private-items --features docs")),
    ("documents: the committed files are those that the program generates", docs::check),
    ("tests: golden hashes and README examples among them", || cargo("test --locked")),
    ("the crate: packed as for publishing, and compiled from the package", publishable_crate),
    ("the licence texts of every crate, for each target that has packages", dist::check_licenses),
    ("the baseline of the comparison", || {
        cargo(
            "check --locked --manifest-path benches/compare/baseline/Cargo.toml \
             --target-dir target/baseline",
        )
    }),
];

/// Runs every step until one fails, and prints how long each took.
pub(crate) fn run() -> Result<(), String> {
    let mut times = String::new();
    for (name, step) in STEPS {
        println!("\n== {name}");
        let begun = Instant::now();
        step()?;
        let _ = writeln!(times, "{:5} s  {name}", begun.elapsed().as_secs());
    }
    print!("\n{times}");
    Ok(())
}

/// Crates that only the command line or the documents need.
const NOT_THE_LIBRARYS: [&str; 8] =
    ["clap", "clap_complete", "clap_mangen", "nix", "ring", "rustls", "schemars", "ureq"];

fn library_without_command_line() -> Result<(), String> {
    let tree = tree("--no-default-features -e normal --prefix none")?;
    let mut names = tree.lines().filter_map(|line| line.split(' ').next());
    match names.find(|name| NOT_THE_LIBRARYS.contains(name)) {
        Some(name) => Err(format!("the library depends on {name}")),
        None => Ok(()),
    }
}

fn no_crate_twice() -> Result<(), String> {
    let twice = tree("--duplicates -e normal,build --no-default-features --features cli")?;
    if twice.is_empty() { Ok(()) } else { Err(twice) }
}

/// The largest allowed size of the packed crate. The crate has about nine tenths of that.
const CRATE_BYTES: u64 = 550_000;

/// Packs the crate with Cargo, which also compiles it. The crates that the tests have already compiled are
/// reused.
fn publishable_crate() -> Result<(), String> {
    let target = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".to_owned());
    cargo(&format!("package --locked --allow-dirty --target-dir {target}"))?;
    let version = dist::package_version()?;
    let path = docs::root().join(target).join(format!("package/gptbots-mock-{version}.crate"));
    let size = fs::metadata(&path).map_err(|why| format!("{}: {why}", path.display()))?.len();
    if size > CRATE_BYTES {
        return Err(format!(
            "{} has {size} bytes, but at most {CRATE_BYTES} are allowed; `cargo package --list` lists its \
             files, which `include` in Cargo.toml selects",
            path.display()
        ));
    }
    println!("{size} bytes");
    Ok(())
}

/// The output of `cargo tree`.
fn tree(words: &str) -> Result<String, String> {
    let mut command = command(&format!("tree --locked {words}"));
    let output: Output = command.output().map_err(|why| format!("cargo: {why}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    String::from_utf8(output.stdout).map_err(|why| format!("cargo tree: {why}"))
}

fn cargo(words: &str) -> Result<(), String> {
    let status = command(words).status().map_err(|why| format!("cargo: {why}"))?;
    if status.success() { Ok(()) } else { Err(format!("cargo {words}: {status}")) }
}

/// A Cargo command in the folder of the repository. The variables in which `cargo run` describes this program
/// are removed, because build scripts that read them would run again.
fn command(words: &str) -> Command {
    let mut command = Command::new("cargo");
    command.args(words.split_whitespace()).current_dir(docs::root());
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&*name);
        }
    }
    if words.starts_with("doc ") {
        command.env("RUSTDOCFLAGS", "-D warnings");
    }
    command
}

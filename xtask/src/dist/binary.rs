//! The binary in the packages: checks of it, and its own output (version, man page and completions).

use std::fs;
use std::path::Path;
use std::process::Command;

use object::read::elf::{ElfFile64, ProgramHeader};
use object::{Architecture, Endianness, Object};

use super::{Platform, Release, text, third_party};

const SHELLS: &[&str] = &["bash", "zsh", "fish", "elvish", "powershell"];

/// Reads a binary, and runs it to get its man page and its completions. `runner` is a program that runs
/// binaries of another architecture.
pub(super) fn read(
    file: &Path,
    platform: &'static Platform,
    runner: Option<&str>,
) -> Result<Release, String> {
    let program = fs::read(file).map_err(|why| format!("{}: {why}", file.display()))?;
    if platform.target.ends_with("linux-gnu") {
        check_elf(&program, platform).map_err(|why| format!("{}: {why}", file.display()))?;
    }
    let ask = |words: &[&str]| ask(file, runner, words);
    let package = package()?;
    let string = |key: &str| package.get(key).and_then(toml::Value::as_str).map(str::to_owned);
    let version = package_version()?;
    let told = String::from_utf8(ask(&["--version"])?).map_err(|why| why.to_string())?;
    if told.trim() != format!("gptbots-mock {version}") {
        return Err(format!(
            "{} must be version {version}, as in Cargo.toml, got {}",
            file.display(),
            told.trim()
        ));
    }
    let completions = SHELLS.iter().map(|shell| Ok((*shell, ask(&["completions", shell])?)));
    Ok(Release {
        platform,
        version,
        repository: string("repository"),
        man: ask(&["man"])?,
        completions: completions.collect::<Result<_, String>>()?,
        third_party: third_party::licenses(platform.target)?,
        program,
    })
}

/// The version in `Cargo.toml`.
pub(crate) fn package_version() -> Result<String, String> {
    let version = package()?.remove("version");
    let version = version.as_ref().and_then(toml::Value::as_str).map(str::to_owned);
    version.ok_or_else(|| "Cargo.toml has no version".to_owned())
}

/// The table `[package]` of `Cargo.toml`.
fn package() -> Result<toml::Table, String> {
    let mut manifest: toml::Table =
        text("Cargo.toml")?.parse().map_err(|why| format!("Cargo.toml: {why}"))?;
    match manifest.remove("package") {
        Some(toml::Value::Table(package)) => Ok(package),
        _ => Err("Cargo.toml has no table [package]".to_owned()),
    }
}

/// Checks that a binary is for the right platform, and needs no other file of the system.
fn check_elf(program: &[u8], platform: &Platform) -> Result<(), String> {
    let elf = ElfFile64::<Endianness>::parse(program).map_err(|why| why.to_string())?;
    let wanted = match platform.node.1 {
        "x64" => Architecture::X86_64,
        _ => Architecture::Aarch64,
    };
    if elf.architecture() != wanted {
        let is = elf.architecture();
        return Err(format!(
            "the architecture for {} must be {wanted:?}, got {is:?}",
            platform.target
        ));
    }
    let mut headers = elf.elf_program_headers().iter();
    if headers.any(|header| header.p_type(elf.endian()) == object::elf::PT_INTERP) {
        return Err("it is linked dynamically; build it with `cargo static`".to_owned());
    }
    Ok(())
}

/// The standard output of the program.
fn ask(file: &Path, runner: Option<&str>, words: &[&str]) -> Result<Vec<u8>, String> {
    let file = fs::canonicalize(file).map_err(|why| format!("{}: {why}", file.display()))?;
    let mut command = match runner {
        Some(runner) => Command::new(runner),
        None => Command::new(&file),
    };
    if runner.is_some() {
        command.arg(&file);
    }
    let said = command.args(words).output().map_err(|why| format!("{}: {why}", file.display()))?;
    if !said.status.success() {
        let stderr = String::from_utf8_lossy(&said.stderr);
        return Err(format!("{} {}: {}", file.display(), words.join(" "), stderr.trim()));
    }
    Ok(said.stdout)
}

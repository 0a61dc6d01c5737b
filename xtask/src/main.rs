//! The repository's tasks: `cargo xtask docs` writes the documents that are derived from the
//! program's tables, `cargo xtask docs --check` compares them, `cargo xtask ci` runs every step of
//! `.ci/run` that needs only Cargo, and `cargo xtask dist` builds the packages.

mod ci;
mod dist;
mod docs;

use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words[..] {
        ["docs"] => docs::write(),
        ["docs", "--check"] => docs::check(),
        ["ci"] => ci::run(),
        ["dist", ref words @ ..] => dist::run(words),
        _ => Err(format!("usage: cargo xtask docs [--check] | cargo xtask ci | {}", dist::USAGE)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

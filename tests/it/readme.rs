//! The README's examples by task: each shell block that begins with the server's address is run by
//! `sh` as it is printed, and gives the output printed below it.

use std::path::Path;
use std::process::Command;

use gptbots_mock::Server;

use crate::support::golden::compare;
use crate::support::process::{BINARY, command, is_installed, run};

/// How such a block begins.
const BEGINS: &str = "url=http://127.0.0.1:8484\n";

/// How an example of `exec` begins; it is run as it stands, from the repository.
const WRAPS: &str = "gptbots-mock exec --deny all -- python3 ";

#[test]
fn what_the_readme_pastes_prints_what_it_says() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md"));
    let readme = readme.unwrap();
    let mut made = String::new();
    let mut printed = None;
    let mut pasted = 0;
    // Even parts are prose, odd ones fenced: a language, a line break, the text.
    for (number, part) in readme.split("```").enumerate() {
        if number > 0 {
            made.push_str("```");
        }
        let (language, text) = part.split_once('\n').unwrap_or((part, ""));
        match (number % 2, language, printed.take()) {
            (1, "sh", None) if text.starts_with(WRAPS) && is_installed("python3") => {
                printed = Some(wrap(text));
                made.push_str(part);
            }
            (1, "sh", None) if text.starts_with(BEGINS) => {
                printed = Some(paste(text));
                made.push_str(part);
                pasted += 1;
            }
            (1, "text", Some(printed)) => made.extend(["text\n", &printed]),
            (1, _, Some(_)) => panic!("an example without its output before: {text}"),
            (_, _, left) => {
                printed = left;
                made.push_str(part);
            }
        }
    }
    assert!(printed.is_none() && pasted >= 5, "only {pasted} examples were pasted");
    compare("README.md", &made);
}

/// What the program says of a client that it denies.
fn wrap(block: &str) -> String {
    let args = block.trim().split(' ').skip(1);
    let ended = run(command(&[]).args(args).current_dir(env!("CARGO_MANIFEST_DIR")));
    assert_eq!((ended.code, &*ended.stdout), (5, ""), "{block}\n{}", ended.stderr);
    ended.stderr
}

/// What a shell prints, next to a server that was just started.
fn paste(block: &str) -> String {
    let server = Server::start().unwrap();
    let block = block.replace("http://127.0.0.1:8484", server.url());
    // The program is found by its name, as where it is installed.
    let folder = Path::new(BINARY).parent().unwrap().to_str().unwrap();
    let path = format!("{folder}:{}", std::env::var("PATH").unwrap_or_default());
    let run = Command::new("sh").args(["-c", &block]).env("PATH", path).output().unwrap();
    let errors = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success() && errors.is_empty(), "{block}\n{errors}");
    let printed = String::from_utf8(run.stdout).unwrap().replace('\r', "");
    printed.replace(server.url(), "http://127.0.0.1:8484")
}

//! `fixtures/README.md`: its files load, its commands run against the real binary, and its answers
//! are those that come. `UPDATE=1` writes the answers.
//!
//! What a fenced block is, its first line says:
//!
//! - `json`: a whole file, named last in the text before it; `json broken`: one that does not load;
//! - `sh`: commands, one a line. One that serves runs until the next that serves;
//! - `json answer`, `http`: what the `curl` before answers; `text`: what the commands before print.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use serde_json::Value;

use crate::checker::{Folder, gptbots_mock};
use crate::client::PATIENCE;
use crate::docs::{Curl, words};
use crate::golden::compare;

const PAGE: &str = "fixtures/README.md";

/// The page, as it is on disk.
fn page() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE)).unwrap()
}

#[test]
fn the_page_prints_what_the_binary_answers() {
    let folder = Folder::new();
    let mut serving: Option<Serving> = None;
    let (mut made, mut file) = (String::new(), None);
    let (mut curl, mut printed): (Option<Curl>, Option<String>) = (None, None);
    let (mut files, mut answers) = (0, 0);
    // Even parts are prose, odd ones fenced: what it is, a line break, the text.
    for (number, part) in page().split("```").enumerate() {
        if number % 2 == 0 {
            made.push_str(part);
            let names = part.split('`').skip(1).step_by(2);
            let files_of =
                names.filter(|name| Path::new(name).extension() == Some("json".as_ref()));
            file = files_of.last().map(str::to_owned);
            continue;
        }
        let (what, text) = part.split_once('\n').unwrap();
        let mut block = part.to_owned();
        match what {
            "json" | "json broken" => {
                let file = file.take().expect("a file without a name");
                write(folder.path(), &file, text);
                let checked = gptbots_mock(folder.path(), ["check", &file]);
                let code = if what == "json" { 0 } else { 3 };
                assert_eq!(checked.status.code(), Some(code), "{file}: {checked:?}");
                if let Some(serving) = &mut serving {
                    serving.take_up(&file);
                }
                files += 1;
            }
            "sh" => {
                assert!(curl.is_none(), "a curl without its answer before: {text}");
                printed = Some(String::new());
                for line in text.replace("\\\n", " ").lines() {
                    match Line::read(line) {
                        Line::Curl(asked) => assert!(curl.replace(asked).is_none(), "{text}"),
                        Line::Serve(args) => {
                            // The one before ends first.
                            drop(serving.take());
                            serving = Some(Serving::start(folder.path(), &args));
                        }
                        Line::Run { args, may_fail } => {
                            let output = run(folder.path(), &args, may_fail);
                            printed.get_or_insert_default().push_str(&output);
                        }
                    }
                }
            }
            "json answer" | "http" => {
                let curl = curl.take().expect("an answer without its curl");
                let address = &serving.as_ref().expect("nothing serves").address;
                let language = what.trim_end_matches(" answer");
                block = format!("{what}\n{}\n", curl.send(address, language));
                answers += 1;
            }
            "text" => {
                let printed = printed.take().expect("an output without its command");
                block = format!("{what}\n{printed}");
                answers += 1;
            }
            other => panic!("what is a block of {other:?}?"),
        }
        made.extend(["```", &block, "```"]);
    }
    assert!(curl.is_none() && files >= 8 && answers >= 10, "{files} files, {answers} answers");
    compare(PAGE, &made);
}

/// Each table of keys has those of the schema, in its order.
#[test]
fn the_tables_have_every_key() {
    let schema: Value = serde_json::from_str(include_str!("../../fixtures/schema.json")).unwrap();
    let objects = ["", "/$defs/agent", "/$defs/conversation", "/$defs/entry"];
    let known = objects.into_iter().flat_map(|object| {
        let properties = &schema.pointer(object).unwrap()["properties"];
        properties.as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    });
    let page = page();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let (mut rows, mut known): (Vec<_>, Vec<_>) =
        (rows.map(str::to_owned).collect(), known.collect());
    rows.sort_unstable();
    known.sort_unstable();
    assert_eq!(rows, known);
}

/// A command of the page.
enum Line {
    Curl(Curl),
    /// One that serves until it is stopped.
    Serve(Vec<String>),
    /// One that ends; `|| echo "exit code $?"` behind it shows how.
    Run {
        args: Vec<String>,
        may_fail: bool,
    },
}

impl Line {
    fn read(line: &str) -> Self {
        if line.starts_with("curl ") {
            return Self::Curl(Curl::read(line));
        }
        let shown = line.strip_suffix(r#" || echo "exit code $?""#);
        let mut args = words(shown.unwrap_or(line));
        let begins: &[&str] = match args[0].as_str() {
            "cargo" => &["cargo", "run", "--"],
            _ => &["gptbots-mock"],
        };
        assert!(args.iter().zip(begins).all(|(word, begin)| word == begin), "{line}?");
        args.drain(..begins.len());
        let ends = ["check", "generate", "readings", "contract"];
        if args.first().is_some_and(|command| ends.contains(&command.as_str())) {
            return Self::Run { args, may_fail: shown.is_some() };
        }
        Self::Serve(args)
    }
}

/// What a command that ends prints, on both streams.
fn run(folder: &Path, args: &[String], may_fail: bool) -> String {
    let output = gptbots_mock(folder, args);
    let [mut printed, errors] =
        [&output.stdout, &output.stderr].map(|bytes| String::from_utf8(bytes.clone()).unwrap());
    printed.push_str(&errors);
    match output.status.code() {
        Some(0) => assert!(!may_fail, "{args:?} does not fail"),
        Some(code) if may_fail => printed.extend(["exit code ", &code.to_string(), "\n"]),
        _ => panic!("{args:?}: {output:?}"),
    }
    printed
}

/// Writes a file as editors do: in one step.
fn write(folder: &Path, file: &str, text: &str) {
    let part = folder.join("part");
    std::fs::write(&part, text).unwrap();
    std::fs::rename(part, folder.join(file)).unwrap();
}

/// The binary, serving on a free port; killed when dropped.
struct Serving {
    child: Child,
    address: String,
    args: Vec<String>,
    /// The lines on stderr.
    said: Receiver<String>,
}

impl Serving {
    fn start(folder: &Path, args: &[String]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_gptbots-mock"))
            .args(args)
            .args(["--port", "0", "--log-format", "off"])
            .current_dir(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, said) = channel();
        std::thread::spawn(move || {
            stderr.lines().map_while(Result::ok).all(|line| sender.send(line).is_ok())
        });
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://");
        let address = address.unwrap_or_else(|| panic!("{args:?}: {:?}", said.iter().next()));
        Self { address: address.to_owned(), child, args: args.to_owned(), said }
    }

    /// Waits until an edit of a file is live, where it is watched.
    fn take_up(&mut self, file: &str) {
        let has = |word: &str| self.args.iter().any(|arg| arg == word);
        while has("--watch") && has(file) {
            if self.said.recv_timeout(PATIENCE).unwrap() == "fixtures read again" {
                break;
            }
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

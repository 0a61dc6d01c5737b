//! The pages that are derived from the contract, and the README's examples.

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use gptbots_mock::contract;

use crate::support::client::connect;
use crate::support::golden::compare;

#[test]
fn the_reference_page_is_the_contract() {
    compare("docs/reference.md", &contract::reference_page());
}

#[test]
fn the_fidelity_page_is_the_contract() {
    compare("docs/FIDELITY.md", &contract::fidelity_page());
}

/// A statement whose test was renamed or removed is held by nothing, and so is one whose test asks
/// the tables what would be right.
#[test]
fn each_statement_names_tests_that_there_are_and_that_are_typed() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/api");
    let mut ids = HashSet::new();
    for statement in contract::statements() {
        for test in statement.test.split(", ") {
            let (module, name) = test.split_once("::").unwrap();
            let source = std::fs::read_to_string(format!("{folder}/{module}.rs")).unwrap();
            // A function below its attribute, or a row of a macro that makes one.
            let is_test = source.contains(&format!("#[test]\nfn {name}() {{\n"))
                || source.contains(&format!("\n    {name}: \""));
            assert!(is_test, "{}: no test {test}", statement.id);
            assert!(!is_derived(&source, name), "{}: {test} goes by the tables", statement.id);
        }
        assert!(ids.insert(statement.id.clone()), "{} stands twice", statement.id);
        let reading = statement.reading;
        let is_reading = |name| contract::READINGS.iter().any(|row| row.name == name);
        assert!(reading.is_none_or(is_reading), "{}: {reading:?}", statement.id);
    }
}

/// Tables of the contract, by which no test that holds a statement may go.
const TABLES: &[&str] = &["ENDPOINTS", ".params", "CONVERSATION_TYPES", "COMMON_ERRORS"];

/// Whether a function goes by the tables, itself or in one of its module that it calls.
fn is_derived(source: &str, name: &str) -> bool {
    let functions: Vec<(&str, &str)> = source
        .split("\nfn ")
        .skip(1)
        .filter_map(|text| Some((text.split(['(', '<']).next()?, text.split("\n}\n").next()?)))
        .collect();
    let (mut left, mut seen) = (vec![name], HashSet::new());
    while let Some(next) = left.pop() {
        if !seen.insert(next) {
            continue;
        }
        for (_, text) in functions.iter().filter(|(name, _)| *name == next) {
            if TABLES.iter().any(|table| text.contains(table)) {
                return true;
            }
            let calls = |name: &&str| text.contains(&format!("{name}("));
            left.extend(functions.iter().map(|(name, _)| *name).filter(calls));
        }
    }
    false
}

#[test]
fn a_test_that_goes_by_the_tables_is_told_from_one_that_does_not() {
    let limits = include_str!("api/limits.rs");
    assert!(is_derived(limits, "a_parameter_given_twice_is_refused"));
    assert!(is_derived(limits, "a_value_just_inside_is_accepted"));
    assert!(!is_derived(limits, "pages_are_counted_from_1"));
    assert!(!is_derived(limits, "the_qa_list_takes_10_to_100_rows"));
}

#[test]
fn the_page_on_faults_is_their_table() {
    compare("docs/FAULTS.md", &gptbots_mock::faults_page());
}

#[test]
fn the_page_on_hazards_is_their_table() {
    compare("docs/HAZARDS.md", &gptbots_mock::hazards_page());
}

#[test]
fn the_page_on_the_control_api_is_its_tables() {
    compare("docs/CONTROL.md", &gptbots_mock::control_page());
}

#[test]
fn the_openapi_document_is_the_contract() {
    compare("docs/openapi.json", &gptbots_mock::openapi());
}

#[test]
fn the_openapi_document_of_the_control_api_is_its_tables() {
    compare("docs/admin-openapi.json", &gptbots_mock::admin_openapi());
}

/// The real binary on a free port; killed when dropped.
struct Emulator {
    child: Child,
    address: String,
}

impl Emulator {
    fn start(more: &[&str], folder: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_gptbots-mock"))
            .args(["--port", "0", "--log-format", "off"])
            .args(more)
            .current_dir(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://").unwrap().to_owned();
        Self { child, address }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder for the README's `my.json`; removed when dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("gptbots-mock-readme-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// What `check` says of the fixture with a slip in it.
    fn check(&self, fixture: &str) -> String {
        std::fs::write(self.0.join("my.json"), fixture.replace("SLACK", "Slack")).unwrap();
        let checked = Command::new(env!("CARGO_BIN_EXE_gptbots-mock"))
            .args(["check", "my.json"])
            .current_dir(&self.0)
            .output()
            .unwrap();
        assert_eq!(checked.status.code(), Some(3));
        let text = String::from_utf8(checked.stderr).unwrap();
        text.split("\n\n").next().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Every `curl` of the README is sent as printed, and its answer is the one printed below it. A
/// JSON block without a `curl` is `my.json`, and what comes after is sent to a server that has it.
#[test]
fn the_readme_prints_what_the_binary_answers() {
    let folder = Folder::new();
    let built_in = Emulator::start(&[], &folder.0);
    let mut with_fixture = None;
    let mut fixture = String::new();
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md"));
    let readme = readme.unwrap();
    let mut made = String::new();
    let mut pending: Option<Curl> = None;
    let mut sent = 0;
    // Even parts are prose, odd ones fenced: a language, a line break, the text.
    for (number, part) in readme.split("```").enumerate() {
        if number > 0 {
            made.push_str("```");
        }
        let (language, text) = part.split_once('\n').unwrap_or((part, ""));
        match (number % 2, language, pending.take()) {
            (1, "sh", None) if text.starts_with("curl ") => {
                pending = Some(Curl::read(text));
                made.push_str(part);
            }
            (1, "json" | "http", Some(curl)) => {
                let emulator = match &with_fixture {
                    Some(emulator) if curl.asks_for("app-mine") => emulator,
                    _ => &built_in,
                };
                let answer = curl.send(&emulator.address, language);
                made.extend([language, "\n", &answer, "\n"]);
                sent += 1;
            }
            (1, "json", None) => {
                text.clone_into(&mut fixture);
                std::fs::write(folder.0.join("my.json"), text).unwrap();
                with_fixture = Some(Emulator::start(&["--fixtures", "my.json"], &folder.0));
                made.push_str(part);
            }
            (1, "text", None) if text.starts_with("my.json:") => {
                made.extend(["text\n", &folder.check(&fixture), "\n"]);
            }
            (1, _, Some(_)) => panic!("a curl without its answer before: {text}"),
            (_, _, left) => {
                pending = left;
                made.push_str(part);
            }
        }
    }
    assert!(pending.is_none() && sent >= 7, "only {sent} examples were sent");
    compare("README.md", &made);
}

/// A `curl` command line, as far as the README uses it.
pub(crate) struct Curl {
    url: String,
    headers: Vec<String>,
}

impl Curl {
    pub(crate) fn read(text: &str) -> Self {
        let words = words(text);
        let (mut url, mut headers) = (None, Vec::new());
        let mut rest = words.into_iter().skip(1);
        while let Some(word) = rest.next() {
            match word.as_str() {
                "-H" | "--header" => headers.push(rest.next().unwrap()),
                "-X" => assert_eq!(rest.next().as_deref(), Some("GET")),
                "-i" | "--location" => {}
                other => {
                    let other = other.strip_prefix("http://127.0.0.1:8484");
                    assert!(
                        url.replace(other.unwrap_or_else(|| panic!("{word}?")).to_owned())
                            .is_none()
                    );
                }
            }
        }
        Self { url: url.unwrap(), headers }
    }

    fn asks_for(&self, key: &str) -> bool {
        self.headers.iter().any(|header| header.ends_with(key))
    }

    /// What curl would print: the body, or (`-i`) the head too, less its date.
    pub(crate) fn send(&self, address: &str, language: &str) -> String {
        let mut head = format!("GET {} HTTP/1.1\r\nHost: {address}\r\n", self.url);
        for header in &self.headers {
            head.extend([header.as_str(), "\r\n"]);
        }
        head.push_str("Connection: close\r\n\r\n");
        let mut stream = connect(address.parse().unwrap());
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        if language == "json" {
            assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{answer:?}");
            return body.to_owned();
        }
        let lasting = |line: &&str| !["date: ", "connection: "].iter().any(|n| line.starts_with(n));
        let head: Vec<_> = head.lines().filter(lasting).collect();
        format!("{}\n\n{body}", head.join("\n"))
    }
}

/// The words of a shell command: single quotes, and a backslash at the end of a line.
pub(crate) fn words(text: &str) -> Vec<String> {
    let joined = text.trim().replace("\\\n", " ");
    let mut words = Vec::new();
    for (number, part) in joined.split('\'').enumerate() {
        if number % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

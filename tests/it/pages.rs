//! The documents: what they print is run, and what they link to is there. `UPDATE=1` writes the outputs.
//!
//! A fenced block is one of these:
//!
//! - `sh`: commands, run by `sh` as they are printed, in a folder of the page's own. A last line that starts
//!   a server starts it for the rest of the section; without one, the section has a server with the
//!   defaults. Commands of [`ELSEWHERE`] are not run here.
//! - `json` below a text that names a file in backquotes: that file.
//! - `json`, `http`, `text` below commands: what these print.
//! - anything else: nothing that is run here. `rust` is a documentation test; packaging/ runs the rest.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::support::folder::Folder;
use crate::support::golden::compare;
use crate::support::process::{Ended, Process, is_installed, run, script};

/// The address in the documents, which is that of a server without flags.
const PRINTED: &str = "127.0.0.1:8484";

/// How commands begin that are not run here, and what runs them.
const ELSEWHERE: &[(&str, &str)] = &[
    ("cargo run", "a server, whose flags other tests try"),
    ("cargo test", ".ci/run"),
    ("cargo static", ".ci/run"),
    ("cargo xtask", ".ci/run"),
    ("cargo install", ".ci/run"),
    ("cargo add", ".ci/run"),
    ("pip install", "packaging/test"),
    ("npm install", "packaging/test"),
    ("npx", "packaging/test and tests/clients/typed"),
    ("gptbots-mock exec --deny all -- pytest", "examples/run"),
    ("openapi-python-client", "tests/clients/typed"),
    ("GPTBOTS_MOCK_KEY=…", "nobody: it needs a key of the vendor"),
];

macro_rules! pages {
    ($($name:ident: $page:literal;)+) => {
        /// The pages whose commands are run.
        const RUN: &[&str] = &[$($page),+];

        $(
            #[test]
            fn $name() {
                run_page($page);
            }
        )+
    };
}

pages! {
    the_readme_prints_what_comes: "README.md";
    the_page_on_running_prints_what_comes: "docs/running.md";
    the_page_on_configuration_prints_what_comes: "docs/config.md";
    the_page_on_fixtures_prints_what_comes: "docs/fixtures.md";
    the_page_on_sandboxes_prints_what_comes: "docs/sandboxes.md";
    the_page_on_faults_prints_what_comes: "docs/faults.md";
    the_page_on_hazards_prints_what_comes: "docs/hazards.md";
    the_page_on_journal_and_verdict_prints_what_comes: "docs/journal-and-verdict.md";
    the_page_on_exec_prints_what_comes: "docs/exec.md";
    the_page_on_verify_prints_what_comes: "docs/verify.md";
    the_page_on_openapi_prints_what_comes: "docs/openapi.md";
    the_skill_for_coding_agents_prints_what_comes: "packaging/agents/SKILL.md";
}

/// A page with commands that nobody runs would become untrue.
#[test]
fn no_other_document_of_users_has_commands() {
    for page in documents() {
        let text = read(&page);
        let has_commands = text.contains("\n```sh\n");
        let is_of_users = page.starts_with("docs/") || page == "README.md";
        let is_run = RUN.contains(&page.as_str());
        assert!(!is_of_users || is_run || !has_commands || has_only_elsewhere(&text), "{page}");
    }
}

#[test]
fn every_relative_link_of_the_documents_leads_somewhere() {
    let root = root();
    let (mut links, mut broken) = (0, Vec::new());
    for page in documents() {
        let text = read(&page);
        let prose: String = text.split("```").step_by(2).collect();
        for link in prose.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            links += 1;
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let folder = root.join(&page).parent().unwrap().to_owned();
            let target = if file.is_empty() { root.join(&page) } else { folder.join(file) };
            let is_there = target.exists()
                && (anchor.is_empty()
                    || anchors(&std::fs::read_to_string(&target).unwrap())
                        .any(|known| known == anchor));
            if !is_there {
                broken.push(format!("{page}: {link}"));
            }
        }
    }
    assert!(broken.is_empty() && links >= 60, "{links} links; broken: {broken:#?}");
}

/// The anchors of a page's headings, as GitHub makes them.
fn anchors(text: &str) -> impl Iterator<Item = String> {
    text.lines().filter_map(|line| line.trim_start_matches('#').strip_prefix(' ')).map(|heading| {
        let kept = heading.to_lowercase();
        let kept = kept.chars().filter(|c| c.is_alphanumeric() || "-_ ".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    })
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(page: &str) -> String {
    std::fs::read_to_string(root().join(page)).unwrap_or_else(|error| panic!("{page}: {error}"))
}

/// Every Markdown page of the repository, as Git knows it or would.
fn documents() -> Vec<String> {
    let mut folders = vec![PathBuf::new()];
    let mut pages = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(root().join(&folder)).unwrap().map(Result::unwrap) {
            let name = entry.file_name().into_string().unwrap();
            let path = folder.join(&name);
            let skipped = ["target", "node_modules", ".git"].contains(&name.as_str());
            if entry.file_type().unwrap().is_dir() && !skipped {
                folders.push(path);
            } else if path.extension() == Some("md".as_ref()) {
                pages.push(path.to_str().unwrap().to_owned());
            }
        }
    }
    pages.sort_unstable();
    pages
}

/// Whether each command of a page is one of [`ELSEWHERE`].
fn has_only_elsewhere(text: &str) -> bool {
    let blocks = text.split("```").skip(1).step_by(2).filter_map(|part| part.strip_prefix("sh\n"));
    blocks.flat_map(str::lines).all(is_elsewhere)
}

fn is_elsewhere(line: &str) -> bool {
    line.is_empty()
        || line.starts_with('#')
        || ELSEWHERE.iter().any(|(begins, _)| line.starts_with(begins))
}

/// Runs what a page prints, and compares the outputs.
fn run_page(page: &str) {
    let mut section = Section::new();
    let (mut made, mut file, mut printed) = (String::new(), None, None);
    let (mut scripts, mut outputs) = (0, 0);
    let text = read(page);
    // Even parts are prose, odd ones fenced: what it is, a line break, the text.
    for (number, part) in text.split("```").enumerate() {
        if number % 2 == 0 {
            made.push_str(part);
            if part.contains("\n## ") {
                section.begin();
                printed = None;
            }
            file = file_named_by(part);
            continue;
        }
        let (what, text) = part.split_once('\n').unwrap();
        let mut block = part.to_owned();
        match what {
            "sh" if text.lines().all(is_elsewhere) => printed = None,
            "sh" => {
                scripts += 1;
                printed = section.run(text);
            }
            "json" if file.is_some() => section.write(&file.take().unwrap(), text),
            "json" | "http" | "text" => {
                let Some(printed) = printed.take() else {
                    panic!("{page}: an output without its commands: {text}");
                };
                block = format!("{what}\n{}\n", printed.trim_end_matches('\n'));
                outputs += 1;
            }
            _ => printed = None,
        }
        made.extend(["```", &block, "```"]);
    }
    assert!(scripts > 0 && outputs > 0, "{page}: {scripts} scripts with {outputs} outputs");
    compare(page, &made);
}

/// The file that a text names last in backquotes.
fn file_named_by(prose: &str) -> Option<String> {
    let names = prose.split('`').skip(1).step_by(2);
    let files = names.filter(|name| Path::new(name).extension() == Some("json".as_ref()));
    files.filter(|name| !name.contains('/')).last().map(str::to_owned)
}

/// What a section of a page has made: files, which the whole page has, and a server.
struct Section {
    folder: Folder,
    server: Option<Serving>,
}

struct Serving {
    process: Process,
    address: SocketAddr,
    args: String,
}

impl Section {
    fn new() -> Self {
        let folder = Folder::new();
        // Examples are run from the repository.
        #[cfg(unix)]
        std::os::unix::fs::symlink(root().join("examples"), folder.join("examples")).unwrap();
        Self { folder, server: None }
    }

    fn begin(&mut self) {
        self.server = None;
    }

    /// Writes a file as editors do, in one step, and waits until it is served if it is watched.
    fn write(&mut self, file: &str, text: &str) {
        let part = self.folder.write("part", text);
        std::fs::rename(part, self.folder.join(file)).unwrap();
        if let Some(Serving { process, args, .. }) = &mut self.server
            && args.contains("--watch")
            && args.contains(file)
        {
            process.stderr.find("fixtures read again");
        }
    }

    /// Runs commands and returns what they print; nothing if they cannot be run here.
    fn run(&mut self, text: &str) -> Option<String> {
        let (commands, last) = split_last_line(text);
        let (commands, serve) = if is_serve(last) { (commands, Some(last)) } else { (text, None) };
        let printed =
            if commands.is_empty() { Some(String::new()) } else { self.execute(commands) };
        if let Some(serve) = serve {
            self.server = None; // The one before ends first.
            self.server = Some(self.start(serve));
        }
        printed
    }

    /// Starts a server with the arguments of a line.
    fn start(&self, line: &str) -> Serving {
        let args = line.strip_prefix("gptbots-mock").unwrap();
        // As a shell takes the words apart.
        let port = if args.contains("--port ") { "" } else { "--port 0" };
        let line = format!("exec gptbots-mock --log-format off {port} {args}");
        let mut line = script(&line, self.folder.path());
        let (process, address) = Process::serving(&mut line);
        Serving { process, address, args: args.to_owned() }
    }

    fn execute(&mut self, commands: &str) -> Option<String> {
        // The suite also runs where one of these is missing; .ci/run sees to it that CI has them.
        for tool in ["curl", "jq", "python3"] {
            if commands.split(|c: char| !c.is_alphanumeric()).any(|word| word == tool)
                && !is_installed(tool)
            {
                eprintln!("{tool} is not installed, so this was not run: {commands}");
                return None;
            }
        }
        if self.server.is_none() && commands.contains(PRINTED) {
            self.server = Some(self.start("gptbots-mock"));
        }
        let address = self.server.as_ref().map(|server| server.address.to_string());
        let here = address.as_deref().unwrap_or(PRINTED);
        // Both streams in one, and no progress bar, which a terminal would not show either.
        let adapted = commands.replace(PRINTED, here);
        let line = format!("exec 2>&1\ncurl() {{ command curl -sS \"$@\"; }}\n{adapted}");
        let Ended { code, stdout, stderr } = run(&mut script(&line, self.folder.path()));
        assert_eq!((code, &*stderr), (0, ""), "{commands}\n{stdout}");
        let lasting =
            |line: &&str| !["date: ", "connection: "].iter().any(|header| line.starts_with(header));
        let lines = stdout.lines().map(|line| line.trim_end_matches('\r')).filter(lasting);
        let lines: Vec<_> = lines.collect();
        Some(lines.join("\n").replace(here, PRINTED))
    }
}

fn split_last_line(text: &str) -> (&str, &str) {
    let text = text.trim_end();
    text.rsplit_once('\n').unwrap_or(("", text))
}

/// Whether a line starts a server.
fn is_serve(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let ends = ["--help", "-h", "--version", "--print-config"];
    words.next() == Some("gptbots-mock")
        && words.next().is_none_or(|word| word.starts_with('-') || word == "serve")
        && !line.split_whitespace().any(|word| ends.contains(&word))
        && !line.contains(['|', ';'])
}

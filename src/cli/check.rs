//! `gptbots-mock check`: reports the mistakes in fixtures, without serving.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use super::{Exit, flags, print, say, serve};
use crate::records::fixtures::{self, Loaded};
use crate::report::counted;

#[derive(Args)]
#[command(args(flags::some(["strict"])))]
pub(super) struct CheckArgs {
    /// Fixture files, or folders with fixture files
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// Print the mistakes as JSON on stdout
    #[arg(long)]
    json: bool,
}

/// The output of `--json`.
#[derive(serde::Serialize)]
struct Report<'a> {
    problems: &'a [crate::document::Problem],
    /// The number of problems that are not listed.
    more: usize,
}

pub(super) fn run(args: &CheckArgs, strict: bool, out: &mut dyn Write) -> Exit {
    let checked = fixtures::load_paths(&args.paths, strict);
    if args.json {
        let report = match &checked {
            Ok(loaded) => &loaded.warnings,
            Err(error) => &error.0,
        };
        let report = Report { problems: &report.problems, more: report.more.all() };
        let text = serde_json::to_string_pretty(&report).expect("strings and numbers serialize");
        return match print(out, &format!("{text}\n")) {
            Exit::Done if checked.is_err() => Exit::Fixture,
            exit => exit,
        };
    }
    serve::say_unread(&args.paths);
    match checked {
        Err(error) => {
            say(&error.to_string());
            Exit::Fixture
        }
        Ok(Loaded { agents, warnings }) => {
            if !warnings.problems.is_empty() {
                say(&warnings.to_string());
            }
            let conversations: u64 =
                agents.iter().map(|agent| agent.store.conversation_count()).sum();
            let agents = counted(agents.len() as u64, "agent");
            let conversations = counted(conversations, "conversation");
            print(out, &format!("valid: {agents}, {conversations}\n"))
        }
    }
}

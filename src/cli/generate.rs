//! `gptbots-mock generate`: writes the generated records as a fixture file.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use clap::Args;

use super::whole_file::WholeFile;
use super::{Exit, fail, flags};
use crate::records::RecordsConfig;
use crate::records::fixtures;
use crate::records::world::{DEMO, DEMO_KEY};

/// The settings that generated records depend on.
#[derive(Args)]
#[command(args(flags::some(["seed", "conversations", "now", "demo-user"])))]
struct GeneratorArgs {}

#[derive(Args)]
pub(super) struct GenerateArgs {
    #[command(flatten)]
    generator: GeneratorArgs,
    /// File to write to instead of stdout
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
}

pub(super) fn run(args: &GenerateArgs, records: &RecordsConfig, out: &mut dyn Write) -> Exit {
    if let Err(why) = records.check_demo_user() {
        return fail(Exit::Usage, &format!("--demo-user: {why}"));
    }
    let (generator, conversations) = (records.generator(), records.conversations);
    let cannot = |error: &io::Error| {
        let place = args.out.as_ref().map_or("stdout".into(), |out| out.display().to_string());
        fail(Exit::Failed, &format!("cannot write {place}: {error}"))
    };
    let mut whole = match args.out.as_deref().map(WholeFile::create).transpose() {
        Ok(whole) => whole,
        Err(error) => return cannot(&error),
    };
    let out: &mut dyn Write = match &mut whole {
        Some(whole) => &mut whole.file,
        None => out,
    };
    let shown = io::stderr().is_terminal();
    let progress = |done: u32| {
        if shown && (done.is_multiple_of(10_000) || done == conversations) {
            // An error means that the terminal is closed, so nobody reads the progress.
            let _ = write!(io::stderr(), "\r{done} of {conversations} conversations");
            if done == conversations {
                let _ = writeln!(io::stderr());
            }
        }
    };
    let written = fixtures::export(&generator, DEMO, DEMO_KEY, out, progress);
    match written.and_then(|()| whole.map_or(Ok(()), WholeFile::finish)) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe && args.out.is_none() => Exit::Done,
        Err(error) => cannot(&error),
        Ok(()) => Exit::Done,
    }
}

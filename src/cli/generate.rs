//! `gptbots-mock generate`: the seed's records as a fixture file.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

use clap::Args;

use super::flags::GeneratedArgs;
use super::serve::part_of;
use super::{Exit, fail};
use crate::fixtures;
use crate::generate::Generator;
use crate::server::Clock;
use crate::world::{DEMO, DEMO_KEY};

#[derive(Args)]
pub(super) struct GenerateArgs {
    #[command(flatten)]
    generated: GeneratedArgs,
    /// File to write instead of stdout
    #[arg(long, value_name = "PATH")]
    out: Option<PathBuf>,
}

pub(super) fn run(args: &GenerateArgs, out: &mut dyn Write, clock: Clock) -> Exit {
    let GeneratedArgs { seed, conversations, now } = args.generated;
    let generator = Generator::new(seed, conversations, now.day(clock).end_ms());
    // Whoever reads the file sees all of it or nothing.
    let part = args.out.as_deref().map(part_of);
    let mut file = match part.as_ref().map(File::create).transpose() {
        Ok(file) => file,
        Err(error) => {
            let path = args.out.clone().unwrap_or_default();
            return fail(Exit::Failed, &format!("cannot write {}: {error}", path.display()));
        }
    };
    let out: &mut dyn Write = match &mut file {
        Some(file) => file,
        None => out,
    };
    let shown = io::stderr().is_terminal();
    let progress = |done: u32| {
        if shown && (done.is_multiple_of(10_000) || done == conversations) {
            // A closed terminal hears nothing and misses nothing.
            let _ = write!(io::stderr(), "\r{done} of {conversations} conversations");
            if done == conversations {
                let _ = writeln!(io::stderr());
            }
        }
    };
    match fixtures::export(&generator, DEMO, DEMO_KEY, out, progress) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe && args.out.is_none() => Exit::Done,
        Err(error) => fail(Exit::Failed, &format!("cannot write the fixture: {error}")),
        Ok(()) => match part.zip(args.out.as_ref()).map(|(part, out)| std::fs::rename(part, out)) {
            Some(Err(error)) => fail(Exit::Failed, &format!("cannot name the fixture: {error}")),
            Some(Ok(())) | None => Exit::Done,
        },
    }
}

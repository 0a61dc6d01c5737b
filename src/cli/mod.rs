//! The command line. One file per subcommand; parsing decides everything and touches nothing.

mod check;
mod flags;
mod generate;
mod healthcheck;
mod serve;
mod watch;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::SystemTime;

use clap::{Parser, Subcommand};

use crate::contract;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Stopped as asked, or did what it was asked.
    Done = 0,
    /// Anything not foreseen.
    Failed = 1,
    /// Wrong usage.
    Usage = 2,
    /// A fixture that is not right.
    Fixture = 3,
    /// The address is taken.
    AddressTaken = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// A local emulator of the GPTBots conversation-history API.
///
/// Without a command it serves.
#[derive(Parser)]
#[command(name = "gptbots-mock", version, max_term_width = 100)]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: flags::ServeArgs,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API (what happens without a command)
    Serve(flags::ServeArgs),
    /// List the behaviours on which sources disagree, and how to switch them
    Readings,
    /// Print the contract: endpoints, parameters, answers, errors, each with its source
    Contract,
    /// Check fixtures: every mistake of every file at once; exit code 0, or 3
    Check(check::CheckArgs),
    /// Write the seed's records as a fixture file, which --fixtures reads to the same answers
    Generate(generate::GenerateArgs),
    /// Ask a running emulator whether it is up; exit code 0 if so, else 1
    Healthcheck(healthcheck::HealthcheckArgs),
}

/// Runs the command line and tells how it ended.
///
/// `out` takes what is asked for: the address once it listens, or a printed table. All else goes
/// to stderr. `clock` tells the time of day.
pub fn run(
    args: impl IntoIterator<Item = OsString>,
    out: &mut dyn Write,
    clock: fn() -> SystemTime,
) -> ExitCode {
    let args = match Args::try_parse_from(args) {
        Ok(args) => args,
        Err(error) => {
            // Help and version are errors to clap, too; they belong on stdout.
            let asked_for = !error.use_stderr();
            // Nothing is left to say where neither stream takes it.
            let _ = error.print();
            return if asked_for { Exit::Done } else { Exit::Usage }.into();
        }
    };
    let exit = match args.command {
        None => serve::run(&args.serve, out, clock),
        Some(Command::Serve(args)) => serve::run(&args, out, clock),
        Some(Command::Readings) => print(out, &contract::readings_page()),
        Some(Command::Contract) => print(out, &contract::reference_page()),
        Some(Command::Check(args)) => check::run(&args, out),
        Some(Command::Generate(args)) => generate::run(&args, out, clock),
        Some(Command::Healthcheck(args)) => healthcheck::run(&args, out),
    };
    exit.into()
}

/// Prints what was asked for. A reader that has seen enough (`| head`) is no failure.
fn print(out: &mut dyn Write, text: &str) -> Exit {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            fail(Exit::Failed, &format!("cannot write to stdout: {error}"))
        }
        _ => Exit::Done,
    }
}

/// Says on stderr why the program ends.
fn fail(exit: Exit, why: &str) -> Exit {
    say(&format!("error: {why}"));
    exit
}

/// A line on stderr. A closed stderr hides it and changes nothing else.
fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

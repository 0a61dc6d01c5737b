//! The command line, with one file per longer subcommand. Parsing has no effect on anything else.

#![allow(
    clippy::doc_markdown,
    rustdoc::bare_urls,
    reason = "clap prints these comments, and the help has no Markdown"
)]

mod check;
#[cfg_attr(not(unix), allow(clippy::unused_async))]
mod child;
mod config_file;
mod exec;
mod flags;
mod generate;
#[cfg(target_os = "linux")]
mod guardian;
mod healthcheck;
mod late_signals;
#[cfg(target_os = "linux")]
mod leftovers;
mod owner;
mod readings;
mod serve;
mod variables;
mod verify;
mod watch;
mod whole_file;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::process::ExitCode;
use std::time::SystemTime;

use clap::error::{ContextKind, ContextValue};
use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::contract;
use crate::settings::SETTINGS;

/// The exit code of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Success.
    Done = 0,
    /// An error that has no code of its own.
    Failed = 1,
    /// The arguments or variables are wrong.
    Usage = 2,
    /// A fixture or the config file has mistakes.
    Fixture = 3,
    /// Another program listens on the address.
    AddressTaken = 4,
    /// The verdict of `exec` has a denied finding, or the coverage is too low.
    Verdict = 5,
    /// The server that `verify` checked differs from the contract.
    Differs = 6,
    /// `exec` cannot run its command.
    CannotRun = 126,
    /// `exec` did not find its command.
    NoCommand = 127,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// A local emulator of the GPTBots conversation-history API
///
/// Without a command, gptbots-mock starts the server, as `gptbots-mock serve` does.
#[derive(Parser)]
#[command(name = NAME, version, verbatim_doc_comment)]
#[command(override_usage = "gptbots-mock [COMMAND] [OPTIONS]")]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: flags::ServeArgs,
}

#[derive(Subcommand)]
enum Command {
    /// Start the server (the default without a command)
    Serve(Box<flags::ServeArgs>),
    /// Start an emulator, run a command, return its exit code
    ///
    /// The command gets the address of the emulator in the variables GPTBOTS_MOCK_URL and
    /// GPTBOTS_BASE_URL, and an API key in GPTBOTS_MOCK_KEY. When the command has ended, exec prints
    /// what its requests did wrong.
    ///
    /// Example: gptbots-mock exec --deny all -- pytest
    #[command(verbatim_doc_comment)]
    Exec(Box<exec::ExecArgs>),
    /// List the uncertain behaviours ("readings") and their values
    Readings,
    /// Print the API: endpoints, parameters, responses, errors, and their sources
    Contract,
    /// Print the API as an OpenAPI 3.1 document (JSON)
    Openapi {
        /// Print the document of the control API instead
        #[arg(long)]
        admin: bool,
    },
    /// Report all mistakes in fixture files
    ///
    /// Every mistake in every file is listed with line and column.
    /// The exit code is 0 if there is no mistake, and otherwise 3.
    #[command(verbatim_doc_comment)]
    Check(check::CheckArgs),
    /// Write the generated records as a fixture file
    ///
    /// A server with these --fixtures gives the same responses as one with the same seed.
    #[command(verbatim_doc_comment)]
    Generate(generate::GenerateArgs),
    /// Compare a server with the vendor's documented API
    ///
    /// The server may be the vendor's own. verify also reports the value of each uncertain behaviour
    /// ("reading") of the server. The exit code is 0 if the server behaves as documented, and 6 if not.
    ///
    /// Example: GPTBOTS_MOCK_KEY=KEY gptbots-mock verify --against https://api.example
    #[command(verbatim_doc_comment)]
    Verify(verify::VerifyArgs),
    /// Check whether an emulator is running
    ///
    /// The exit code is 0 if the emulator answers, and otherwise 1.
    #[command(verbatim_doc_comment)]
    Healthcheck(healthcheck::HealthcheckArgs),
    /// Print a completion script for a shell
    Completions {
        /// Shell that reads the script
        shell: clap_complete::Shell,
    },
    /// Print the manual page (roff)
    Man,
}

/// The program's name.
const NAME: &str = "gptbots-mock";

/// Runs the command line and returns its exit code.
///
/// The address of the server, or the output of a command, goes to `out`, and everything else goes to
/// stderr. `clock` returns the time of day.
pub fn run(
    args: impl IntoIterator<Item = OsString>,
    out: &mut dyn Write,
    clock: fn() -> SystemTime,
) -> ExitCode {
    let words: Vec<OsString> = args.into_iter().collect();
    #[cfg(target_os = "linux")]
    if let Some(code) = guardian::run_if_asked(&words) {
        return code;
    }
    let parsed = Parsed::read(words);
    let Parsed { args, settings, matches } = match parsed {
        Ok(parsed) => parsed,
        Err(exit) => return exit.into(),
    };
    let matches = of_command(&matches);
    let config = || flags::config(matches, clock);
    let exit = match args.command {
        None if args.serve.print_config => print(out, &settings.table(clock)),
        Some(Command::Serve(args)) if args.print_config => print(out, &settings.table(clock)),
        None | Some(Command::Serve(_)) => serve::run(config(), out),
        Some(Command::Exec(args)) if args.serve.print_config => print(out, &settings.table(clock)),
        Some(Command::Exec(args)) => return exec::run(&args, config(), matches),
        Some(Command::Readings) => print(out, &readings::page()),
        Some(Command::Openapi { admin: false }) => print(out, contract::openapi()),
        Some(Command::Openapi { admin: true }) => print(out, crate::control::admin_openapi()),
        Some(Command::Contract) => print(out, &contract_page()),
        Some(Command::Check(args)) => check::run(&args, config().sandbox.records.strict, out),
        Some(Command::Generate(args)) => generate::run(&args, &config().sandbox.records, out),
        Some(Command::Verify(args)) => verify::run(&args, out),
        Some(Command::Healthcheck(_)) => healthcheck::run(&config(), out),
        Some(Command::Completions { shell }) => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Args::command(), NAME, &mut text);
            print(out, &String::from_utf8_lossy(&text))
        }
        Some(Command::Man) => {
            let mut text = Vec::new();
            match clap_mangen::Man::new(Args::command()).render(&mut text) {
                Ok(()) => print(out, &String::from_utf8_lossy(&text)),
                Err(error) => fail(Exit::Failed, &format!("cannot make the manual page: {error}")),
            }
        }
    };
    exit.into()
}

/// The arguments, with those that a config file adds.
struct Parsed {
    args: Args,
    settings: config_file::SettingsInForce,
    /// The values of the command line and of the file.
    matches: ArgMatches,
}

impl Parsed {
    fn read(mut words: Vec<OsString>) -> Result<Self, Exit> {
        let (command, notes) = variables::select(Args::command(), &words);
        let given = parse(&command, &words);
        // Help is printed without notes, because the variables have no effect on it.
        if !matches!(given, Err(Exit::Done)) {
            for note in &notes {
                say(note);
            }
        }
        let given = given?;
        let name = given.subcommand_name();
        if !matches!(name, None | Some("serve" | "exec")) {
            // A command that does not serve has no settings, so it needs no config file.
            let args = Args::from_arg_matches(&given).map_err(|error| print_clap_error(&error))?;
            let settings = config_file::SettingsInForce::default();
            return Ok(Self { args, settings, matches: given });
        }
        let given = of_command(&given);
        note_repeated_readings(given);
        // The flags of a subcommand follow its name.
        let place = if name.is_some() { 2 } else { 1 };
        let (settings, more) = match config_file::read(given) {
            Ok(read) => read,
            Err(error) => {
                say(&error.to_string());
                return Err(Exit::Fixture);
            }
        };
        words.splice(place.min(words.len())..place.min(words.len()), more);
        let matches = parse(&command, &words)?;
        let args = Args::from_arg_matches(&matches).map_err(|error| print_clap_error(&error))?;
        Ok(Self { args, settings, matches })
    }
}

/// The flags of the subcommand, if there is one.
fn of_command(matches: &ArgMatches) -> &ArgMatches {
    matches.subcommand().map_or(matches, |(_, of)| of)
}

fn parse(command: &clap::Command, words: &[OsString]) -> Result<ArgMatches, Exit> {
    command.clone().try_get_matches_from(words).map_err(|error| {
        print_clap_error(&without_secrets(variables::explain(error, command, words)))
    })
}

/// Prints a note on each reading that has two values in the same source.
fn note_repeated_readings(given: &ArgMatches) {
    let readings = given.get_many::<String>("reading").into_iter().flatten();
    let mut values: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, value) in readings.filter_map(|reading| reading.split_once('=')) {
        match values.insert(name, value) {
            Some(before) if before != value => {
                say(&format!(
                    "note: reading {name} is set twice; {value} is used, {before} is ignored"
                ));
            }
            _ => {}
        }
    }
}

/// Hides the value of a flag that takes a secret, or of a URL that may contain one.
fn without_secrets(mut error: clap::Error) -> clap::Error {
    let both = (error.get(ContextKind::InvalidArg), error.get(ContextKind::InvalidValue));
    let (Some(ContextValue::String(flag)), Some(ContextValue::String(value))) = both else {
        return error;
    };
    // clap says by an empty value that there is none.
    if value.is_empty() {
        return error;
    }
    let of_settings = SETTINGS.iter().filter(|setting| setting.is_secret()).map(|row| row.name);
    let mut secrets = of_settings.chain(["key", "deleted-key"]);
    let is_secret = secrets.any(|name| flag.contains(&format!("--{name}")));
    if is_secret || (flag.contains("--against") && value.contains(['@', '?'])) {
        error.insert(ContextKind::InvalidValue, ContextValue::String("***".to_owned()));
    }
    error
}

/// Prints an error of clap.
fn print_clap_error(error: &clap::Error) -> Exit {
    // If the stream is closed, the message cannot be printed anywhere.
    let _ = error.print();
    // clap returns help and version as errors.
    if error.use_stderr() { Exit::Usage } else { Exit::Done }
}

/// `docs/reference.md` without the comments that mark derived blocks.
fn contract_page() -> String {
    let lines = include_str!("../../docs/reference.md").lines();
    let lines = lines.filter(|line| !line.starts_with("<!--"));
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// The address at which this machine reaches a server that listens on `host`. A server that listens on all
/// addresses is reached at the loopback address, which the control API accepts as a host.
fn reachable(host: IpAddr) -> IpAddr {
    match host {
        IpAddr::V4(host) if host.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(host) if host.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        host => host,
    }
}

/// Prints the output of a command. It is no failure if the reader closes the pipe early (`| head`).
fn print(out: &mut dyn Write, text: &str) -> Exit {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            fail(Exit::Failed, &format!("cannot write to stdout: {error}"))
        }
        _ => Exit::Done,
    }
}

/// Prints an error message on stderr, and returns the exit code.
fn fail(exit: Exit, why: &str) -> Exit {
    say(&format!("error: {why}"));
    exit
}

/// Prints a line on stderr. An error is ignored, because a closed stderr must not end the program.
fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

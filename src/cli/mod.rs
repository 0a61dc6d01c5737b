//! The command line, with one file per longer subcommand. Parsing changes nothing but the arguments.

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

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The program did what it was asked to do.
    Done = 0,
    /// Another error.
    Failed = 1,
    /// The usage was wrong.
    Usage = 2,
    /// A fixture or the config file has mistakes.
    Fixture = 3,
    /// Another program listens on the address.
    AddressTaken = 4,
    /// A client did what `exec` denies, or covered too little.
    Verdict = 5,
    /// The server that was verified differs from the contract.
    Differs = 6,
    /// The command of `exec` cannot be run.
    CannotRun = 126,
    /// The command of `exec` was not found.
    NoCommand = 127,
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
#[command(name = NAME, version, max_term_width = 100)]
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
    Serve(Box<flags::ServeArgs>),
    /// Run a command with an emulator at its side, and end with its code; the command finds it in
    /// `GPTBOTS_MOCK_URL`, `GPTBOTS_BASE_URL` and `GPTBOTS_MOCK_KEY`
    Exec(Box<exec::ExecArgs>),
    /// List the behaviours on which sources disagree, and how to switch them
    Readings,
    /// Print the contract: endpoints, parameters, answers, errors, each with its source
    Contract,
    /// Print the contract as an `OpenAPI` 3.1 document
    Openapi {
        /// Print the control API instead
        #[arg(long)]
        admin: bool,
    },
    /// Check fixtures: every mistake of every file at once; exit code 0, or 3
    Check(check::CheckArgs),
    /// Write the seed's records as a fixture file, which --fixtures reads to the same answers
    Generate(generate::GenerateArgs),
    /// Hold any server against the contract, and tell which readings it shows; exit code 0, or 6 where
    /// it differs
    Verify(verify::VerifyArgs),
    /// Ask a running emulator whether it is up; exit code 0 if so, else 1
    Healthcheck(healthcheck::HealthcheckArgs),
    /// Print the completions of a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page (roff)
    Man,
}

/// The program's name.
const NAME: &str = "gptbots-mock";

/// Runs the command line and returns its exit code.
///
/// The address of the server, or what the command prints, goes to `out`, and everything else goes to
/// stderr. `clock` gives the time of day.
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
                Err(error) => fail(Exit::Failed, &format!("cannot write the page: {error}")),
            }
        }
    };
    exit.into()
}

/// The arguments, with what a config file adds to them.
struct Parsed {
    args: Args,
    settings: config_file::SettingsInForce,
    /// What the command line and the file give.
    matches: ArgMatches,
}

impl Parsed {
    fn read(mut words: Vec<OsString>) -> Result<Self, Exit> {
        let (command, notes) = variables::select(Args::command(), &words);
        let given = parse(&command, &words);
        // Help is printed without notes, because nothing runs yet.
        if !matches!(given, Err(Exit::Done)) {
            for note in &notes {
                say(note);
            }
        }
        let given = given?;
        let name = given.subcommand_name();
        if !matches!(name, None | Some("serve" | "exec")) {
            // A command that does not serve has no settings, so the variable of the config file is not read.
            let args = Args::from_arg_matches(&given).map_err(|error| print_clap_error(&error))?;
            let settings = config_file::SettingsInForce::default();
            return Ok(Self { args, settings, matches: given });
        }
        let given = of_command(&given);
        note_repeated_readings(given);
        // A flag of `serve` stands behind the command, where there is one.
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

/// The flags of the subcommand, where there is one.
fn of_command(matches: &ArgMatches) -> &ArgMatches {
    matches.subcommand().map_or(matches, |(_, of)| of)
}

fn parse(command: &clap::Command, words: &[OsString]) -> Result<ArgMatches, Exit> {
    command.clone().try_get_matches_from(words).map_err(|error| {
        print_clap_error(&without_secrets(variables::explain(error, command, words)))
    })
}

/// Prints a note on each reading that the same source gives two values.
fn note_repeated_readings(given: &ArgMatches) {
    let readings = given.get_many::<String>("reading").into_iter().flatten();
    let mut values: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, value) in readings.filter_map(|reading| reading.split_once('=')) {
        match values.insert(name, value) {
            Some(before) if before != value => {
                say(&format!(
                    "note: reading {name} is given twice: {value} holds, {before} does not"
                ));
            }
            _ => {}
        }
    }
}

/// Hides the value of a flag that takes a secret, or of a URL that may hold one.
fn without_secrets(mut error: clap::Error) -> clap::Error {
    let both = (error.get(ContextKind::InvalidArg), error.get(ContextKind::InvalidValue));
    let (Some(ContextValue::String(flag)), Some(ContextValue::String(value))) = both else {
        return error;
    };
    let is_secret = ["--api-key", "--admin-token", "--key", "--deleted-key"]
        .iter()
        .any(|secret| flag.contains(secret));
    if is_secret || (flag.contains("--against") && value.contains(['@', '?'])) {
        error.insert(ContextKind::InvalidValue, ContextValue::String("***".to_owned()));
    }
    error
}

/// Prints an error of clap.
fn print_clap_error(error: &clap::Error) -> Exit {
    // If the stream is closed, there is no other place for the message.
    let _ = error.print();
    // clap returns help and version as errors, too.
    if error.use_stderr() { Exit::Usage } else { Exit::Done }
}

/// `docs/reference.md`, without the marks around derived blocks.
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

/// Prints the output of a command. A reader that closes the pipe early (`| head`) is no failure.
fn print(out: &mut dyn Write, text: &str) -> Exit {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            fail(Exit::Failed, &format!("cannot write to stdout: {error}"))
        }
        _ => Exit::Done,
    }
}

/// Prints on stderr why the program ends.
fn fail(exit: Exit, why: &str) -> Exit {
    say(&format!("error: {why}"));
    exit
}

/// Prints a line on stderr. An error is ignored, because a closed stderr must not end the program.
fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

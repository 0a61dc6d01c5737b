//! `gptbots-mock exec [flags] -- CMD`: runs an emulator while a command runs, and prints a verdict on the
//! requests of the command.

use std::ffi::OsString;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::{Command, ExitCode, ExitStatus};
use std::sync::Arc;

use clap::builder::Resettable;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args};
use tokio::sync::oneshot;

use super::child;
use super::flags::{self, ServeArgs};
#[cfg(target_os = "linux")]
use super::guardian;
use super::late_signals::LateSignals;
use super::whole_file::write_report;
use super::{Exit, fail, reachable, say, serve};
use crate::report::Format;
use crate::sandbox::Sandboxes;
use crate::sandbox::verdict::Rule;
use crate::server::run_until;
use crate::settings::ServerConfig;

/// Variables by which clients send requests to a proxy.
const PROXIES: [&str; 3] = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];

// The variables for the address of `serve` are ignored. The command gets the address in a variable, so the
// port need not be fixed.
#[derive(Args)]
#[command(mut_arg("host", flags::without_variable))]
#[command(mut_arg("port", |arg| flags::without_variable(arg).default_value("0")
    .long_help("Port to listen on; 0 takes a free port.\nThe command gets the address in a variable.")))]
#[command(mut_arg("port-file", |arg| arg.env(Resettable::Reset).hide(true)))]
#[command(mut_arg("until-stdin-closes", |arg| arg.hide(true)))]
#[command(mut_arg("watch", |arg| arg.env(Resettable::Reset).hide(true)))]
#[command(mut_arg("log-format", |arg| arg.env(Resettable::Reset).hide(true)))]
pub(super) struct ExecArgs {
    #[command(flatten)]
    pub(super) serve: ServeArgs,
    /// Additional variable for the command: its name, and url or key
    ///
    /// It may be repeated.
    /// Example: --env API_BASE=url --env API_KEY=key
    #[arg(long = "env", value_name = "NAME=url|key", value_parser = variable)]
    #[arg(verbatim_doc_comment)]
    env: Vec<(String, EnvValue)>,
    /// Finding that makes exec fail with exit code 5, or all
    ///
    /// If the command itself fails, exec returns the exit code of the command.
    /// docs/journal-and-verdict.md lists the findings.
    /// It may be repeated, or commas separate several values.
    /// Example: --deny all
    #[arg(long, value_name = "FINDING", value_delimiter = ',', value_parser = denied)]
    #[arg(help_heading = VERDICT, verbatim_doc_comment)]
    deny: Vec<DenyRule>,
    /// Finding that the verdict leaves out
    ///
    /// It may be repeated, or commas separate several values.
    #[arg(long, value_name = "FINDING", value_delimiter = ',', value_parser = rule)]
    #[arg(help_heading = VERDICT, verbatim_doc_comment)]
    mute: Vec<Rule>,
    /// Lowest coverage of the API in percent; below it, exec fails with 5
    ///
    /// The coverage is the part of the API that the requests of the command have used.
    /// It is a whole number from 0 to 100.
    #[arg(long, value_name = "PERCENT", value_parser = |text: &str| flags::whole(&(0..=100_u32), text))]
    #[arg(help_heading = VERDICT, verbatim_doc_comment)]
    min_coverage: Option<u32>,
    /// File to write the verdict to (.json, .txt, or .xml for JUnit)
    ///
    /// It may be repeated.
    #[arg(long, value_name = "FILE", value_parser = flags::report)]
    #[arg(help_heading = VERDICT, verbatim_doc_comment)]
    report: Vec<(PathBuf, Format)>,
    /// Command to run, and its arguments
    #[arg(last = true, required = true, value_name = "CMD")]
    command: Vec<OsString>,
}

/// The section of the help with the flags on the verdict.
const VERDICT: &str = "Verdict";

/// The value of a variable of `--env`.
#[derive(Clone, Copy)]
enum EnvValue {
    Url,
    Key,
}

#[derive(Clone, Copy, PartialEq)]
enum DenyRule {
    All,
    One(Rule),
}

fn variable(text: &str) -> Result<(String, EnvValue), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=url or NAME=key")?;
    let given = match value {
        "url" => EnvValue::Url,
        "key" => EnvValue::Key,
        _ => return Err("expected NAME=url or NAME=key".to_owned()),
    };
    let right = |char: char| char.is_ascii_alphanumeric() || char == '_';
    if name.is_empty() || !name.chars().all(right) {
        return Err("the name of a variable must consist of letters, digits and _".to_owned());
    }
    Ok((name.to_owned(), given))
}

fn rule(name: &str) -> Result<Rule, String> {
    name.parse().map_err(|error: crate::sandbox::verdict::RuleError| error.to_string())
}

fn denied(name: &str) -> Result<DenyRule, String> {
    if name == "all" { Ok(DenyRule::All) } else { rule(name).map(DenyRule::One) }
}

/// Serves while the command runs, and returns the exit code of the command or one of ours.
pub(super) fn run(args: &ExecArgs, config: ServerConfig, matches: &ArgMatches) -> ExitCode {
    let is_given = |flag| matches.value_source(flag) == Some(ValueSource::CommandLine);
    if is_given("port-file") || config.watch {
        let why = "exec does not support --port-file and --watch; use them with serve";
        return fail(Exit::Usage, why).into();
    }
    if config.until_stdin_closes {
        let why = "exec does not support --until-stdin-closes, because its command reads stdin; use it with serve";
        return fail(Exit::Usage, why).into();
    }
    if is_given("log-format") {
        let why = "exec writes no access log and does not support --log-format; use it with serve";
        return fail(Exit::Usage, why).into();
    }
    let judges = !args.deny.is_empty() || args.min_coverage.is_some() || !args.report.is_empty();
    if config.sandbox.journal_requests == 0 && judges {
        let why = "--deny, --min-coverage and --report need a journal; remove --journal 0";
        return fail(Exit::Usage, why).into();
    }
    let address = SocketAddr::new(config.host, config.port);
    let app = match serve::app(config) {
        Ok(app) => app,
        Err(exit) => return exit.into(),
    };
    let sandboxes = Arc::clone(&app.sandboxes);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(Exit::Failed, &format!("cannot start: {error}")).into(),
    };
    let mut late = LateSignals::default();
    let ended = runtime.block_on(async {
        let listener = match serve::listen(address) {
            Ok(listener) => listener,
            Err(exit) => return Err(exit),
        };
        let address = listener.local_addr().map_err(|error| {
            fail(Exit::Failed, &format!("cannot read the address of the socket: {error}"))
        })?;
        let mut command = command(args, address, &sandboxes);
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(run_until(listener, app, None, async {
            // An error means that the sender was dropped, because the command did not start.
            let _ = stopped.await;
        }));
        // This runs on the main thread, because the kernel signals the guardian when that thread ends.
        let status = run_command(&mut command, &mut late).await;
        let _ = stop.send(());
        let _ = served.await;
        status.map_err(|error| not_started(&args.command, &error))
    });
    let ended = match ended {
        Err(exit) => exit.into(),
        Ok(status) => {
            late.limit_the_end(&runtime);
            let ended = judge(args, &sandboxes, child::code(status));
            let late = late.status();
            child::die_like(late.unwrap_or(status));
            late.map_or(ended, |status| child::code(status).into())
        }
    };
    runtime.shutdown_background();
    ended
}

#[cfg(unix)]
async fn run_command(command: &mut Command, late: &mut LateSignals) -> io::Result<ExitStatus> {
    // If the guardian is killed, the kernel makes us the parent of the command's orphans.
    #[cfg(target_os = "linux")]
    nix::sys::prctl::set_child_subreaper(true)?;
    child::run(command, nix::unistd::getpid(), Some(late)).await
}

#[cfg(not(unix))]
async fn run_command(command: &mut Command, _: &mut LateSignals) -> io::Result<ExitStatus> {
    child::run(command).await
}

fn command(args: &ExecArgs, address: SocketAddr, sandboxes: &Sandboxes) -> Command {
    let here = reachable(address.ip());
    let url = format!("http://{}", SocketAddr::new(here, address.port()));
    let key = key(sandboxes);
    #[cfg(target_os = "linux")]
    let mut command = guardian::guardian(&args.command);
    #[cfg(not(target_os = "linux"))]
    let mut command = {
        let mut command = Command::new(&args.command[0]);
        command.args(&args.command[1..]);
        command
    };
    command.env("GPTBOTS_MOCK_URL", &url).env("GPTBOTS_BASE_URL", &url);
    command.env("GPTBOTS_MOCK_KEY", &key);
    command.envs(without_proxy(here));
    for (name, given) in &args.env {
        command.env(
            name,
            match given {
                EnvValue::Url => &url,
                EnvValue::Key => &key,
            },
        );
    }
    command
}

/// The API key for the command. With fixtures, a note names the agent of the key.
fn key(sandboxes: &Sandboxes) -> String {
    let world = sandboxes.world();
    let agent = world.agent_to_ask();
    let key = agent.and_then(|agent| agent.keys.first());
    if !sandboxes.generates() {
        match (agent, key) {
            (Some(agent), Some(key)) => {
                let shown = agent.public_keys.contains(key).then(|| format!(" {key},"));
                let (name, shown) = (agent.name.escape_debug(), shown.unwrap_or_default());
                let deleted = if agent.deleted { ", which is deleted" } else { "" };
                say(&format!("GPTBOTS_MOCK_KEY is{shown} a key of agent `{name}`{deleted}"));
            }
            _ => say("GPTBOTS_MOCK_KEY is empty: no agent of the fixtures has a key"),
        }
    }
    key.cloned().unwrap_or_default()
}

/// The variables that exclude our address from a proxy, if one is set.
fn without_proxy(here: IpAddr) -> Vec<(&'static str, String)> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let is_set = |name: &str| variable(name).or_else(|| variable(&name.to_lowercase())).is_some();
    if !PROXIES.into_iter().any(is_set) {
        return Vec::new();
    }
    let names = ["NO_PROXY", "no_proxy"];
    let extended = names.map(|name| {
        // A client reads one of the two variables, so a value that only one of them has is set in both.
        let other = names.into_iter().find(|other| *other != name).and_then(variable);
        let mut value = variable(name).or(other).unwrap_or_default();
        let ours = ["127.0.0.1".to_owned(), "localhost".into(), "::1".into(), here.to_string()];
        for host in ours {
            let is_listed = |listed: &str| listed.trim() == host || listed.trim() == "*";
            if !value.split(',').any(is_listed) {
                let comma = if value.is_empty() { "" } else { "," };
                value.extend([comma, &host]);
            }
        }
        (name, value)
    });
    extended.into()
}

/// Prints why a command did not start, and returns the exit code that shells and `env` use for it.
pub(super) fn not_started(command: &[OsString], error: &io::Error) -> Exit {
    let name = command[0].to_string_lossy();
    say(&format!("error: cannot run {name}: {error}"));
    if error.kind() == io::ErrorKind::NotFound { Exit::NoCommand } else { Exit::CannotRun }
}

/// Prints the verdict and returns the exit code. That is the command's, unless it is 0 and a finding is
/// denied, the coverage is too low, or a report cannot be written. The last line is always a summary.
fn judge(args: &ExecArgs, sandboxes: &Sandboxes, code: u8) -> ExitCode {
    if !sandboxes.journals().is_on() {
        say("verdict: none, because --journal 0 disables the journal");
        return code.into();
    }
    let verdict = sandboxes.verdict().into_final(Sandboxes::DEFAULT);
    let verdict = args.mute.iter().fold(verdict, |verdict, rule| verdict.mute(*rule));
    let mut failed = false;
    for (path, format) in &args.report {
        if let Err(error) = write_report(path, &verdict.write(*format)) {
            say(&format!("error: cannot write {}: {error}", path.display()));
            failed = true;
        }
    }
    let mut found: Vec<Rule> = verdict.findings().iter().map(|finding| finding.rule).collect();
    found.dedup();
    let is_denied = |rule: &Rule| {
        args.deny.iter().any(|denied| *denied == DenyRule::All || *denied == DenyRule::One(*rule))
    };
    let denied: Vec<&str> =
        found.iter().filter(|rule| is_denied(rule)).map(|rule| rule.name()).collect();
    let covered = verdict.coverage_percent();
    let uncovered = args.min_coverage.filter(|least| covered < *least);
    if uncovered.is_some() {
        say(&format!("{verdict:#}"));
    } else if found.iter().any(|rule| *rule != Rule::NoRequest) {
        // If there was no request at all, the last line says so, and no other line is needed.
        say(&verdict.to_string());
    }
    if let Some(least) = uncovered {
        say(&format!("error: coverage is {covered}%, below --min-coverage {least}"));
    }
    let outcome = match denied.len() {
        0 if args.deny.is_empty() || found.is_empty() => String::new(),
        0 => "; no finding is denied".to_owned(),
        some if some == found.len() => "; denied".to_owned(),
        _ => format!("; denied: {}", denied.join(", ")),
    };
    let but = if code != 0 && !denied.is_empty() {
        format!(" (the exit code of the command is {code})")
    } else {
        String::new()
    };
    say(&format!("{}{outcome}{but}", verdict.summary()));
    match code {
        0 if failed => Exit::Failed.into(),
        0 if uncovered.is_some() || !denied.is_empty() => Exit::Verdict.into(),
        code => code.into(),
    }
}

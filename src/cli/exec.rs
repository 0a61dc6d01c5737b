//! `gptbots-mock exec [flags] -- CMD`: runs an emulator for as long as a command runs, and gives a
//! verdict on the requests of the command.

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

/// Variables that send requests to a proxy.
const PROXIES: [&str; 3] = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"];

// The variables of `serve`'s address are not read: the command gets the address in a variable of its
// own, so the address need not be fixed.
#[derive(Args)]
#[command(mut_arg("host", |arg| arg.env(Resettable::Reset)))]
#[command(mut_arg("port", |arg| arg.env(Resettable::Reset).default_value("0")
    .help("Port to listen on; 0 takes a free one")))]
#[command(mut_arg("port-file", |arg| arg.env(Resettable::Reset).hide(true)))]
#[command(mut_arg("watch", |arg| arg.env(Resettable::Reset).hide(true)))]
#[command(mut_arg("log-format", |arg| arg.env(Resettable::Reset).hide(true)))]
pub(super) struct ExecArgs {
    #[command(flatten)]
    pub(super) serve: ServeArgs,
    /// One more variable of the command's: its name, and `url` or `key` (repeat)
    #[arg(long = "env", value_name = "NAME=url|key", value_parser = variable)]
    env: Vec<(String, EnvValue)>,
    /// Finding that makes exec end with 5, or `all` (repeat, or separate by commas)
    #[arg(long, value_name = "FINDING", value_delimiter = ',', value_parser = denied)]
    deny: Vec<DenyRule>,
    /// Finding that is left out (repeat, or separate by commas)
    #[arg(long, value_name = "FINDING", value_delimiter = ',', value_parser = rule)]
    mute: Vec<Rule>,
    /// Coverage of the contract below which exec ends with 5, in percent
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(..=100))]
    min_coverage: Option<u32>,
    /// File to write the verdict to: .json, .txt, or .xml for a test report (repeat)
    #[arg(long, value_name = "FILE", value_parser = flags::report)]
    report: Vec<(PathBuf, Format)>,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "CMD")]
    command: Vec<OsString>,
}

/// What a variable of `--env` holds.
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
    let (name, value) = text.split_once('=').ok_or("write it as NAME=url or NAME=key")?;
    let given = match value {
        "url" => EnvValue::Url,
        "key" => EnvValue::Key,
        _ => return Err("write it as NAME=url or NAME=key".to_owned()),
    };
    let right = |char: char| char.is_ascii_alphanumeric() || char == '_';
    if name.is_empty() || !name.chars().all(right) {
        return Err("the name of a variable holds letters, digits and _".to_owned());
    }
    Ok((name.to_owned(), given))
}

fn rule(name: &str) -> Result<Rule, String> {
    name.parse().map_err(|error: crate::sandbox::verdict::RuleError| error.to_string())
}

fn denied(name: &str) -> Result<DenyRule, String> {
    if name == "all" { Ok(DenyRule::All) } else { rule(name).map(DenyRule::One) }
}

/// Serves for as long as the command runs, and ends with the code of the command or one of ours.
pub(super) fn run(args: &ExecArgs, config: ServerConfig, matches: &ArgMatches) -> ExitCode {
    let is_given = |flag| matches.value_source(flag) == Some(ValueSource::CommandLine);
    if is_given("port-file") || config.watch {
        let why = "exec tells its command where it listens; --port-file and --watch are serve's";
        return fail(Exit::Usage, why).into();
    }
    if config.until_stdin_closes {
        let why = "exec ends with its command, whose stdin it is; --until-stdin-closes is serve's";
        return fail(Exit::Usage, why).into();
    }
    if is_given("log-format") {
        let why =
            "exec writes no access log, because stderr is its command's; --log-format is serve's";
        return fail(Exit::Usage, why).into();
    }
    let judges = !args.deny.is_empty() || args.min_coverage.is_some() || !args.report.is_empty();
    if config.sandbox.journal_requests == 0 && judges {
        let why = "without a journal (--journal 0) there is no verdict to deny or to report";
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
        let address = listener
            .local_addr()
            .map_err(|error| fail(Exit::Failed, &format!("the socket has no address: {error}")))?;
        let mut command = command(args, address, &sandboxes);
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(run_until(listener, app, None, async {
            // An error means that the sender was dropped, because the command did not start.
            let _ = stopped.await;
        }));
        // This runs on the main thread, because the guardian takes the end of that thread for ours.
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

/// The key that the command is given. With fixtures, a note names the agent of the key.
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

/// The variables that keep requests to us from a proxy, where one is set.
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

/// Prints the verdict, and fails a command that ended with 0 where a finding is denied, coverage is too
/// low, or a report cannot be written. The last line is always a summary.
fn judge(args: &ExecArgs, sandboxes: &Sandboxes, code: u8) -> ExitCode {
    if !sandboxes.journals().is_on() {
        say("verdict: none, because --journal 0 keeps no journal");
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
        say(&format!("error: coverage is {covered}%, --min-coverage asks for {least}%"));
    }
    let outcome = match denied.len() {
        0 if args.deny.is_empty() || found.is_empty() => String::new(),
        0 => "; none of it is denied".to_owned(),
        some if some == found.len() => "; denied".to_owned(),
        _ => format!("; denied: {}", denied.join(", ")),
    };
    let but = if code != 0 && !denied.is_empty() {
        format!(" (the command itself ended with {code})")
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

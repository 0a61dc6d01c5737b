//! `gptbots-mock serve`, and `gptbots-mock` without a command.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
#[cfg(unix)]
use std::task::Poll;
use std::time::{Duration, SystemTime};

use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::owner::Owner;
use super::whole_file::PortFile;
use super::{Exit, fail, reachable, say, watch};
use crate::contract::{LIST_ALL_QUERY, SCHEME};
use crate::control::PREFIX as CONTROL_PREFIX;
use crate::document::Diagnostics;
use crate::records::fixtures;
use crate::records::world::{Agent, World, WorldError};
use crate::records::{Agents, RecordsConfig};
use crate::report::counted;
use crate::server::{self, AccessLog, App, run_until};
use crate::settings::ServerConfig;

/// The time that the log has on shutdown to write its last lines.
const LOG_PATIENCE: Duration = Duration::from_millis(300);

/// The time that requests in flight have after standard input has closed. It is short, because their client
/// has most likely ended, too.
const OWNER_PATIENCE: Duration = Duration::from_millis(500);

/// Serves until SIGINT, SIGTERM or SIGHUP, or with `--until-stdin-closes` until standard input closes.
pub(super) fn run(config: ServerConfig, out: &mut dyn Write) -> Exit {
    let owner = match Owner::watch(config.until_stdin_closes) {
        Ok(owner) => owner,
        Err(exit) => return exit,
    };
    // Watching starts before the first read, so that no change in between is missed.
    let watched = match watch::begin(config.watch, &config.sandbox.records.agents) {
        Ok(watched) => watched,
        Err(exit) => return exit,
    };
    let app = match app(config.clone()) {
        Ok(app) => app,
        Err(exit) => return exit,
    };
    let sandboxes = Arc::clone(&app.sandboxes);
    let log = AccessLog::start(&config, io::stderr());
    let log = match log {
        Ok(log) => log,
        Err(error) => return fail(Exit::Failed, &format!("cannot start the access log: {error}")),
    };
    let (log, flushed) = log.unzip();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(Exit::Failed, &format!("cannot start: {error}")),
    };
    let exit = runtime.block_on(async {
        let listener = match listen(SocketAddr::new(config.host, config.port)) {
            Ok(listener) => listener,
            Err(exit) => return exit,
        };
        let mut signals = match Signals::new() {
            Ok(signals) => signals,
            Err(error) => return fail(Exit::Failed, &format!("cannot handle signals: {error}")),
        };
        let port_file = match announce(&config, &sandboxes.world(), &listener, out) {
            Ok(port_file) => port_file,
            Err(exit) => return exit,
        };
        if let Some(watched) = watched {
            watched.follow(config.sandbox.records, sandboxes);
        }
        let (end, ended) = oneshot::channel::<()>();
        let stop = async {
            // Its sender sends before it is dropped.
            let _ = ended.await;
            // The file is removed while we still have the port, because the next server on the same port
            // writes its own file.
            drop(port_file);
        };
        // After the first signal, requests in flight may finish. The second signal ends the wait.
        let twice = async {
            let patience = tokio::select! {
                () = signals.next() => Duration::MAX,
                () = owner.has_left() => OWNER_PATIENCE,
            };
            let _ = end.send(());
            // The timeout and the second signal have the same effect.
            let _ = tokio::time::timeout(patience, signals.next()).await;
        };
        tokio::select! {
            biased;
            () = twice => {}
            () = run_until(listener, app, log, stop) => {}
        }
        Exit::Done
    });
    // Requests that have not finished in time are aborted here.
    runtime.shutdown_background();
    if let Some(flushed) = flushed {
        flushed.wait(LOG_PATIENCE);
    }
    exit
}

/// Makes the app, and prints notes and warnings about the fixtures.
pub(super) fn app(mut config: ServerConfig) -> Result<App, Exit> {
    // For such a clock, hyper panics when it writes the `Date` header.
    if (config.sandbox.clock)() < SystemTime::UNIX_EPOCH {
        let message =
            "the clock of this machine is before 1970, and HTTP has no such dates; set the clock";
        return Err(fail(Exit::Failed, message));
    }
    let connections = &mut config.limits.connections;
    *connections = (*connections).min(most_connections());
    if let Agents::Paths(paths) = &config.sandbox.records.agents {
        say_unread(paths);
    }
    let app = App::new(config).map_err(|error| match error {
        WorldError::Fixture(_) => {
            say(&error.to_string());
            Exit::Fixture
        }
        _ => fail(Exit::Usage, &error.to_string()),
    })?;
    say_warnings(&app.sandboxes.world().warnings);
    Ok(app)
}

/// Prints a summary of the warnings about fixtures. `check` lists all of them.
pub(super) fn say_warnings(warnings: &Diagnostics) {
    if !warnings.problems.is_empty() {
        say(&format!("{}\nnote: --strict makes these errors", warnings.summary()));
    }
}

/// The maximum number of folders that the note names.
const MOST_NAMED: usize = 5;

/// Prints a note if there are JSON files in subfolders of a fixture folder, because these are not read.
pub(super) fn say_unread(paths: &[PathBuf]) {
    let unread: Vec<_> = paths.iter().flat_map(|path| fixtures::unread_folders(path)).collect();
    if unread.is_empty() {
        return;
    }
    let named = unread.iter().take(MOST_NAMED).map(|path| path.display().to_string());
    let named = named.collect::<Vec<_>>().join(", ");
    let more = match unread.len().saturating_sub(MOST_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    say(&format!("note: subfolders of a fixture folder are not read: {named}{more}"));
}

/// The number of connections that the limit on open files allows. 64 files are enough for everything else
/// that we open. If the limit is lower than that, we still try with a few connections.
fn most_connections() -> usize {
    #[cfg(unix)]
    {
        use nix::sys::resource::{Resource, getrlimit};
        if let Ok((files, _)) = getrlimit(Resource::RLIMIT_NOFILE) {
            return usize::try_from(files).unwrap_or(usize::MAX).saturating_sub(64).max(16);
        }
    }
    usize::MAX
}

pub(super) fn listen(address: SocketAddr) -> Result<TcpListener, Exit> {
    server::listen(address).map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => fail(
            Exit::AddressTaken,
            &format!(
                "{address} is already in use; choose another port, or use --port 0 for a free one"
            ),
        ),
        _ => fail(Exit::Failed, &format!("cannot listen on {address}: {error}")),
    })
}

/// Prints the address and the start text, and writes the port file, which is removed on drop.
fn announce(
    config: &ServerConfig,
    world: &World,
    listener: &TcpListener,
    out: &mut dyn Write,
) -> Result<Option<PortFile>, Exit> {
    let address = listener.local_addr().map_err(|error| {
        fail(Exit::Failed, &format!("cannot read the address of the socket: {error}"))
    })?;
    let write_port = |path: &PathBuf| {
        PortFile::write(path, address.port()).map_err(|error| {
            fail(Exit::Failed, &format!("cannot write --port-file {}: {error}", path.display()))
        })
    };
    let port_file = config.port_file.as_ref().map(write_port).transpose()?;
    // Scripts wait for this line. An error means that stdout is closed, so that no script waits.
    let _ = writeln!(out, "listening on http://{address}").and_then(|()| out.flush());
    say(&start_text(config, world, address));
    if !address.ip().is_loopback() {
        say(&format!(
            "warning: other machines can reach this server, because it listens on {address}"
        ));
    }
    Ok(port_file)
}

/// The maximum number of agents that the start text lists.
const MOST_AGENTS: usize = 5;

/// The text on stderr when the server starts: the agents with their keys, where the documents are, and one
/// command to paste. Keys that the user has set are secret.
fn start_text(config: &ServerConfig, world: &World, address: SocketAddr) -> String {
    let url = format!("http://{}", SocketAddr::new(reachable(address.ip()), address.port()));
    let mut text = format!("gptbots-mock {} serves {url}\n", env!("CARGO_PKG_VERSION"));
    let main = world.main_agent().map(|agent| agent.name.as_str());
    for agent in world.agents.iter().take(MOST_AGENTS) {
        let is_main = Some(agent.name.as_str()) == main;
        let about = match (&config.sandbox.records.agents, is_main, agent.deleted) {
            (_, _, true) => "every request gets error 20059 (agent deleted)".to_owned(),
            (Agents::BuiltIn, true, _) => {
                let RecordsConfig { seed, now, .. } = &config.sandbox.records;
                format!("generated from seed {seed}, until {now}")
            }
            (Agents::BuiltIn, false, _) => "the examples of the vendor's documentation".to_owned(),
            (Agents::Texts(_) | Agents::Paths(_), ..) => "from fixtures".to_owned(),
        };
        let (name, count) = (agent.name.escape_debug(), agent.store.conversation_count());
        let count = counted(count, "conversation");
        let keys = shown_keys(config, agent, is_main);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  agent {name}: {keys}; {count}, {about}");
    }
    if let Some(more) = world.agents.len().checked_sub(MOST_AGENTS).filter(|more| *more > 0) {
        let _ = writeln!(text, "  and {}", counted(more as u64, "more agent"));
    }
    if !config.admin.is_off {
        let _ = writeln!(
            text,
            "control API: {url}{CONTROL_PREFIX}, described by {CONTROL_PREFIX}/admin-openapi.json"
        );
    }
    text.push_str(
        "help: gptbots-mock --help lists all options, gptbots-mock contract describes the API\n",
    );
    let key = world.agent_to_ask().and_then(|agent| agent.public_keys.first());
    let key = key.map_or("<API key>", String::as_str);
    let path = crate::contract::ENDPOINTS[0].path;
    let call = format!("curl -H 'Authorization: {SCHEME} {key}'");
    // This is the last line, and the GitHub Action reads the key from it.
    text + &format!("try: {call} '{url}{path}?{LIST_ALL_QUERY}'")
}

/// The keys of an agent, but of those that the user has set only where they come from.
fn shown_keys(config: &ServerConfig, agent: &Agent, is_main: bool) -> String {
    let keys = match &*agent.public_keys {
        [] => "keys of the fixture".to_owned(),
        keys => format!("key {}", keys.join(" or ")),
    };
    if is_main && config.sandbox.any_key {
        keys + " or any other key"
    } else if is_main && !config.sandbox.records.api_keys.is_empty() {
        keys + " or one of --api-key"
    } else {
        keys
    }
}

/// The signals that stop the server. They are handled as soon as this exists.
#[cfg(unix)]
struct Signals(Vec<tokio::signal::unix::Signal>);

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let mut kinds = vec![SignalKind::interrupt(), SignalKind::terminate()];
        // It is sent when the terminal closes. `nohup` lets it be ignored, so that the server goes on.
        if super::child::is_ignored(nix::sys::signal::Signal::SIGHUP) == Some(false) {
            kinds.push(SignalKind::hangup());
        }
        kinds.into_iter().map(signal).collect::<io::Result<_>>().map(Self)
    }

    async fn next(&mut self) {
        std::future::poll_fn(|cx| {
            // All are polled, because only a polled signal wakes this task.
            let received = self.0.iter_mut().filter_map(|signal| match signal.poll_recv(cx) {
                Poll::Ready(received) => received,
                Poll::Pending => None,
            });
            if received.count() > 0 { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

/// Ctrl-C.
#[cfg(not(unix))]
struct Signals(tokio::signal::windows::CtrlC);

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    async fn next(&mut self) {
        self.0.recv().await;
    }
}

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
use super::{Exit, fail, say, watch};
use crate::contract::{LIST_ALL_QUERY, SCHEME};
use crate::document::Diagnostics;
use crate::records::fixtures;
use crate::records::world::{Agent, World, WorldError};
use crate::records::{Agents, RecordsConfig};
use crate::server::{self, AccessLog, App, run_until};
use crate::settings::ServerConfig;

/// How long the log may take to write its last lines.
const LOG_PATIENCE: Duration = Duration::from_millis(300);

/// How long requests in flight may take once standard input has closed. Whoever sent them is most likely
/// gone.
const OWNER_PATIENCE: Duration = Duration::from_millis(500);

/// Serves until SIGINT, SIGTERM or SIGHUP, or until standard input closes if that is asked for.
pub(super) fn run(config: ServerConfig, out: &mut dyn Write) -> Exit {
    let owner = match Owner::watch(config.until_stdin_closes) {
        Ok(owner) => owner,
        Err(exit) => return exit,
    };
    // Watching begins before reading, so that no edit falls between the two.
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
            Err(error) => return fail(Exit::Failed, &format!("cannot hear signals: {error}")),
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
            // While the port is still taken: a server that follows on it writes its own file then.
            drop(port_file);
        };
        // The first signal lets what is in flight finish, the second one does not wait for it.
        let twice = async {
            let patience = tokio::select! {
                () = signals.next() => Duration::MAX,
                () = owner.has_left() => OWNER_PATIENCE,
            };
            let _ = end.send(());
            // Either is a reason to wait no longer.
            let _ = tokio::time::timeout(patience, signals.next()).await;
        };
        tokio::select! {
            biased;
            () = twice => {}
            () = run_until(listener, app, log, stop) => {}
        }
        Exit::Done
    });
    // What did not finish in time is cut off here.
    runtime.shutdown_background();
    if let Some(flushed) = flushed {
        flushed.wait(LOG_PATIENCE);
    }
    exit
}

/// What answers, as the config says.
pub(super) fn app(mut config: ServerConfig) -> Result<App, Exit> {
    // hyper, which writes a date, panics at the first byte of each connection.
    if (config.sandbox.clock)() < SystemTime::UNIX_EPOCH {
        let message = "the clock of this machine is before 1970, which HTTP cannot write";
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

/// Says what is odd in fixtures that are served all the same. `check` lists more of it.
pub(super) fn say_warnings(warnings: &Diagnostics) {
    if !warnings.problems.is_empty() {
        say(&format!("{}\nnote: --strict makes these errors", warnings.summary()));
    }
}

/// Most folders that one line names.
const MOST_NAMED: usize = 5;

/// Says which folders inside those of the fixtures hold JSON that nobody reads.
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
    say(&format!("note: folders in a fixture folder are not read: {named}{more}"));
}

/// How many connections the limit on open files lets be open. What else we open fits into 64 files;
/// where there are hardly more, we try with a few.
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
        io::ErrorKind::AddrInUse => {
            fail(Exit::AddressTaken, &format!("{address} is taken; --port 0 takes a free port"))
        }
        _ => fail(Exit::Failed, &format!("cannot listen on {address}: {error}")),
    })
}

/// Says where the server listens, and how to call it. The port file is there until it is dropped.
fn announce(
    config: &ServerConfig,
    world: &World,
    listener: &TcpListener,
    out: &mut dyn Write,
) -> Result<Option<PortFile>, Exit> {
    let address = listener
        .local_addr()
        .map_err(|error| fail(Exit::Failed, &format!("the socket has no address: {error}")))?;
    let write_port = |path: &PathBuf| {
        PortFile::write(path, address.port()).map_err(|error| {
            fail(Exit::Failed, &format!("cannot write --port-file {}: {error}", path.display()))
        })
    };
    let port_file = config.port_file.as_ref().map(write_port).transpose()?;
    // The one line that scripts wait for. Whoever closed stdout does not wait.
    let _ = writeln!(out, "listening on http://{address}").and_then(|()| out.flush());
    say(&start_text(config, world, address));
    if !address.ip().is_loopback() {
        say(&format!("warning: listening on {address}, so other machines can reach it"));
    }
    Ok(port_file)
}

/// The built-in keys and one command to paste. Keys that were given are secret.
fn start_text(config: &ServerConfig, world: &World, address: SocketAddr) -> String {
    let mut text = format!("gptbots-mock {}\n", env!("CARGO_PKG_VERSION"));
    let main = world.main_agent().map(|agent| agent.name.as_str());
    for agent in &world.agents {
        let is_main = Some(agent.name.as_str()) == main;
        let about = match (&config.sandbox.records.agents, is_main, agent.deleted) {
            (_, _, true) => "every call answers that it was deleted".to_owned(),
            (Agents::BuiltIn, true, _) => {
                let RecordsConfig { seed, now, .. } = &config.sandbox.records;
                format!("seed {seed}, until {now}")
            }
            (Agents::BuiltIn, false, _) => "the examples of the vendor's pages".to_owned(),
            (Agents::Texts(_) | Agents::Paths(_), ..) => "from fixtures".to_owned(),
        };
        let (name, count) = (agent.name.escape_debug(), agent.store.conversation_count());
        let keys = shown_keys(config, agent, is_main);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {name}: {keys}conversations {count}, {about}");
    }
    let key = world.agent_to_ask().and_then(|agent| agent.public_keys.first());
    let key = key.map_or("<API key>", String::as_str);
    let path = crate::contract::ENDPOINTS[0].path;
    let call = format!("curl -H 'Authorization: {SCHEME} {key}'");
    text + &format!("try: {call} 'http://{address}{path}?{LIST_ALL_QUERY}'")
}

/// The keys that are no secret, as far as there are any.
fn shown_keys(config: &ServerConfig, agent: &Agent, is_main: bool) -> String {
    let mut keys = agent.public_keys.clone();
    if is_main && config.sandbox.any_key {
        keys.push("any other".to_owned());
    } else if is_main && !config.sandbox.records.api_keys.is_empty() {
        keys.push("one of --api-key".to_owned());
    }
    match &*keys {
        [] => "its keys, ".to_owned(),
        keys => format!("key {}, ", keys.join(" or ")),
    }
}

/// The signals that ask the server to end. They are heard from the moment this is made.
#[cfg(unix)]
struct Signals(Vec<tokio::signal::unix::Signal>);

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let mut kinds = vec![SignalKind::interrupt(), SignalKind::terminate()];
        // A terminal that closes; `nohup` says that this is no reason to end.
        if super::child::is_ignored(nix::sys::signal::Signal::SIGHUP) == Some(false) {
            kinds.push(SignalKind::hangup());
        }
        kinds.into_iter().map(signal).collect::<io::Result<_>>().map(Self)
    }

    async fn next(&mut self) {
        std::future::poll_fn(|cx| {
            // Each is polled, so that each wakes this.
            let heard = self.0.iter_mut().filter_map(|signal| match signal.poll_recv(cx) {
                Poll::Ready(heard) => heard,
                Poll::Pending => None,
            });
            if heard.count() > 0 { Poll::Ready(()) } else { Poll::Pending }
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

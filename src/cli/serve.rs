//! `gptbots-mock serve`, and `gptbots-mock` without a command.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::{BoolishValueParser, PossibleValue};
use clap::{ArgAction, Args, ValueEnum};
use tokio::net::TcpListener;

use super::{Exit, fail, say};
use crate::config::{Config, Day, check_key};
use crate::contract::{LIST_ALL_QUERY, Readings, SCHEME};
use crate::generate::MAX_CONVERSATIONS;
use crate::server::{AccessLog, App, Clock, LogFormat, run_until};
use crate::world::{DEMO_KEY, World, WorldError};

pub(super) const DEFAULT_PORT: u16 = 8484;

/// How long the log may take to write its last lines.
const LOG_PATIENCE: Duration = Duration::from_millis(300);

#[derive(Args)]
pub(super) struct ServeArgs {
    /// Address to listen on; anything but loopback lets other machines in
    #[arg(long, value_name = "ADDRESS", env = "GPTBOTS_MOCK_HOST", default_value = "127.0.0.1")]
    #[arg(value_parser = host)]
    host: IpAddr,
    /// Port to listen on; 0 takes a free one and the first line on stdout says which
    #[arg(long, env = "GPTBOTS_MOCK_PORT", default_value_t = DEFAULT_PORT)]
    port: u16,
    /// File to write the port to, once connections are accepted
    #[arg(long, value_name = "PATH", env = "GPTBOTS_MOCK_PORT_FILE")]
    port_file: Option<PathBuf>,
    /// What generated records are drawn from: the same seed gives the same bytes, for ever
    #[arg(long, value_name = "NUMBER", env = "GPTBOTS_MOCK_SEED", default_value_t = 1)]
    seed: u64,
    /// How many conversations agent demo has, up to 10,000,000
    #[arg(long, value_name = "NUMBER", env = "GPTBOTS_MOCK_CONVERSATIONS", default_value_t = 200)]
    #[arg(value_parser = clap::value_parser!(u32).range(..=i64::from(MAX_CONVERSATIONS)))]
    conversations: u32,
    /// Last day of the generated records: YYYY-MM-DD, or `today`
    #[arg(long, value_name = "DAY", env = "GPTBOTS_MOCK_NOW", default_value = "2025-10-20")]
    #[arg(value_parser = now)]
    now: Now,
    /// One more key of agent demo (repeat, or separate by commas)
    #[arg(
        long = "api-key",
        value_name = "KEY",
        env = "GPTBOTS_MOCK_API_KEY",
        hide_env_values = true
    )]
    #[arg(value_delimiter = ',', value_parser = api_key)]
    api_keys: Vec<String>,
    /// Take any non-empty key that is no other agent's as one of agent demo
    #[arg(long, env = "GPTBOTS_MOCK_ANY_KEY", action = ArgAction::SetTrue)]
    #[arg(value_parser = BoolishValueParser::new())]
    any_key: bool,
    /// Switch a reading of the contract (repeat, or separate by commas); see `readings`
    #[arg(long = "reading", value_name = "NAME=VALUE", env = "GPTBOTS_MOCK_READING")]
    #[arg(value_delimiter = ',', value_parser = reading)]
    readings: Vec<(String, String)>,
    /// Let browser apps of other origins call the API
    #[arg(long, env = "GPTBOTS_MOCK_CORS", action = ArgAction::SetTrue)]
    #[arg(value_parser = BoolishValueParser::new())]
    cors: bool,
    /// Access log on stderr
    #[arg(long, value_name = "FORMAT", env = "GPTBOTS_MOCK_LOG_FORMAT", default_value = "text")]
    log_format: LogFormat,
}

#[derive(Clone, Copy)]
enum Now {
    Today,
    On(Day),
}

impl ValueEnum for LogFormat {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Text, Self::Json, Self::Off]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Off => "off",
        }))
    }
}

/// An address, or `localhost`.
pub(super) fn host(text: &str) -> Result<IpAddr, String> {
    if text == "localhost" {
        return Ok(Ipv4Addr::LOCALHOST.into());
    }
    text.parse().map_err(|_| "not an address such as 127.0.0.1, 0.0.0.0, ::1 or localhost".into())
}

fn now(text: &str) -> Result<Now, String> {
    if text == "today" {
        return Ok(Now::Today);
    }
    text.parse().map(Now::On).map_err(|error: crate::DayError| format!("{error}, or as today"))
}

fn api_key(text: &str) -> Result<String, String> {
    check_key(text).map(|()| text.to_owned())
}

fn reading(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    Readings::default().set(name, value).map_err(|error| error.to_string())?;
    Ok((name.to_owned(), value.to_owned()))
}

impl ServeArgs {
    fn config(&self, clock: Clock) -> Result<Config, String> {
        let mut readings = Readings::default();
        for (name, value) in &self.readings {
            readings.set(name, value).map_err(|error| error.to_string())?;
        }
        Ok(Config {
            seed: self.seed,
            conversations: self.conversations,
            now: match self.now {
                Now::Today => Day::of(clock()),
                Now::On(day) => day,
            },
            api_keys: self.api_keys.clone(),
            any_key: self.any_key,
            readings,
            cors: self.cors,
            ..Config::default()
        })
    }
}

/// Serves until SIGINT or SIGTERM.
pub(super) fn run(args: &ServeArgs, out: &mut dyn Write, clock: Clock) -> Exit {
    let config = match args.config(clock) {
        Ok(config) => config,
        Err(why) => return fail(Exit::Usage, &why),
    };
    let (app, world) = match App::new(&config) {
        Ok(made) => made,
        Err(error @ WorldError::Fixture(_)) => return fail(Exit::Fixture, &error.to_string()),
        Err(error) => return fail(Exit::Usage, &error.to_string()),
    };
    let keys = world.agents.iter().flat_map(|agent| agent.keys.iter().cloned()).collect();
    let log = match AccessLog::start(args.log_format, clock, keys, io::stderr()) {
        Ok(log) => log,
        Err(error) => return fail(Exit::Failed, &format!("cannot start the access log: {error}")),
    };
    let (log, flushed) = log.unzip();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(Exit::Failed, &format!("cannot start: {error}")),
    };
    let exit = runtime.block_on(async {
        let listener = match listen(SocketAddr::new(args.host, args.port)).await {
            Ok(listener) => listener,
            Err(exit) => return exit,
        };
        let stop = match stop_signal() {
            Ok(stop) => stop,
            Err(error) => return fail(Exit::Failed, &format!("cannot hear signals: {error}")),
        };
        if let Err(exit) = announce(args, &config, &world, &listener, out) {
            return exit;
        }
        run_until(listener, app, log, stop).await;
        Exit::Done
    });
    // What did not finish in time is cut off here.
    runtime.shutdown_background();
    if let Some(flushed) = flushed {
        flushed.wait(LOG_PATIENCE);
    }
    exit
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Exit> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => {
            fail(Exit::AddressTaken, &format!("{address} is taken; --port 0 takes a free port"))
        }
        _ => fail(Exit::Failed, &format!("cannot listen on {address}: {error}")),
    })
}

/// Says where the server listens, and how to call it.
fn announce(
    args: &ServeArgs,
    config: &Config,
    world: &World,
    listener: &TcpListener,
    out: &mut dyn Write,
) -> Result<(), Exit> {
    let address = listener
        .local_addr()
        .map_err(|error| fail(Exit::Failed, &format!("the socket has no address: {error}")))?;
    if let Some(path) = &args.port_file {
        write_whole(path, &format!("{}\n", address.port())).map_err(|error| {
            fail(Exit::Failed, &format!("cannot write --port-file {}: {error}", path.display()))
        })?;
    }
    // The one line that scripts wait for. Whoever closed stdout does not wait.
    let _ = writeln!(out, "listening on http://{address}").and_then(|()| out.flush());
    say(&start_text(config, world, address));
    if !address.ip().is_loopback() {
        say(&format!("warning: listening on {address}, so other machines can reach it"));
    }
    Ok(())
}

/// The built-in keys and one command to paste. Keys that were given are secret.
fn start_text(config: &Config, world: &World, address: SocketAddr) -> String {
    let mut text = format!("gptbots-mock {}\n", env!("CARGO_PKG_VERSION"));
    for agent in &world.agents {
        let mut keys: Vec<&str> = agent.keys.iter().map(String::as_str).collect();
        keys.retain(|key| !config.api_keys.iter().any(|given| given == key));
        let keys = keys.join(", ");
        let about = if agent.keys.iter().any(|key| key == DEMO_KEY) {
            let more = match (config.any_key, config.api_keys.is_empty()) {
                (true, _) => " or any other key",
                (false, true) => "",
                (false, false) => " or a key of --api-key",
            };
            let Config { conversations, seed, now, .. } = config;
            format!("{more}: {conversations} conversations, seed {seed}, until {now}")
        } else if agent.deleted {
            ": every call answers that it was deleted".to_owned()
        } else {
            ": the examples of the vendor's pages".to_owned()
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  agent {:11} {keys}{about}", agent.name);
    }
    let path = crate::contract::ENDPOINTS[0].path;
    let call = format!("curl -H 'Authorization: {SCHEME} {DEMO_KEY}'");
    text + &format!("try: {call} 'http://{address}{path}?{LIST_ALL_QUERY}'")
}

/// Writes a file so that a reader sees all of it or nothing.
fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let mut part = path.as_os_str().to_owned();
    part.push(format!(".{}.part", std::process::id()));
    let part = PathBuf::from(part);
    std::fs::write(&part, text)?;
    std::fs::rename(&part, path).inspect_err(|_| {
        // The reason of the failure is what matters; the part is only litter.
        let _ = std::fs::remove_file(&part);
    })
}

/// Ready at the first SIGINT or SIGTERM. Both are heard from the moment this returns.
#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Ready at the first Ctrl-C.
#[cfg(not(unix))]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        interrupt.recv().await;
    })
}

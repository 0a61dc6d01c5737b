//! The flags of `serve`, each with its variable, and the [`Config`] that they make.

use std::net::{IpAddr, Ipv4Addr};
use std::ops::RangeInclusive;
use std::path::PathBuf;

use clap::builder::{BoolishValueParser, PossibleValue};
use clap::{ArgAction, Args, ValueEnum};

use crate::contract::Readings;
use crate::keys::check_key;
use crate::records::generate::MAX_CONVERSATIONS;
use crate::records::{Agents, Day, RecordsConfig};
use crate::report::Format;
use crate::sandbox::config::{Admin, Config, JournalSize, Limits};
use crate::sandbox::faults::{Fault, FaultError};
use crate::sandbox::hazard::Hazards;
use crate::sandbox::{RateLimit, number_faults};
use crate::server::{Clock, LogFormat};

pub(super) const DEFAULT_PORT: u16 = 8484;

/// How many requests of a sandbox the journal may keep.
pub(crate) const JOURNAL_REQUESTS: RangeInclusive<i64> = 0..=1_000_000;

/// How much memory the journals may take together, in MiB.
pub(crate) const JOURNAL_MEMORY: RangeInclusive<i64> = 1..=4096;

/// How many connections may be allowed.
pub(crate) const CONNECTIONS: RangeInclusive<i64> = 1..=1_000_000;

#[derive(Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(super) struct ServeArgs {
    /// JSON file that sets what no flag and no variable sets, as {"seed": 7, "cors": true}
    #[arg(long, value_name = "PATH", env = "GPTBOTS_MOCK_CONFIG")]
    pub(super) config: Option<PathBuf>,
    /// Print every setting with where it comes from, and end
    #[arg(long)]
    pub(super) print_config: bool,
    /// Address to listen on; anything but loopback lets other machines in
    #[arg(long, value_name = "ADDRESS", env = "GPTBOTS_MOCK_HOST", default_value = "127.0.0.1")]
    #[arg(value_parser = host)]
    pub(super) host: IpAddr,
    /// Port to listen on; 0 takes a free one and the first line on stdout says which
    #[arg(long, env = "GPTBOTS_MOCK_PORT", default_value_t = DEFAULT_PORT)]
    pub(super) port: u16,
    /// File to write the port to, once connections are accepted; it goes away at the end
    #[arg(long, value_name = "PATH", env = "GPTBOTS_MOCK_PORT_FILE")]
    pub(super) port_file: Option<PathBuf>,
    #[command(flatten)]
    pub(super) generated: GeneratedArgs,
    /// Fixture file or folder, in place of the built-in agents (repeat, or separate by commas)
    #[arg(long, value_name = "PATH", env = "GPTBOTS_MOCK_FIXTURES", value_delimiter = ',')]
    #[arg(num_args = 1..)]
    pub(super) fixtures: Vec<PathBuf>,
    /// Read the fixtures again whenever they change; a broken edit keeps the last good records
    #[arg(long, env = "GPTBOTS_MOCK_WATCH", action = ArgAction::SetTrue)]
    #[arg(value_parser = BoolishValueParser::new())]
    pub(super) watch: bool,
    /// One more key of agent demo (repeat, or separate by commas)
    #[arg(
        long = "api-key",
        value_name = "KEY",
        env = "GPTBOTS_MOCK_API_KEY",
        hide_env_values = true
    )]
    #[arg(value_delimiter = ',', value_parser = api_key)]
    pub(super) api_keys: Vec<String>,
    /// Take any non-empty key that is no other agent's as one of agent demo
    #[arg(long, env = "GPTBOTS_MOCK_ANY_KEY", action = ArgAction::SetTrue)]
    #[arg(value_parser = BoolishValueParser::new())]
    pub(super) any_key: bool,
    /// Switch a reading of the contract (repeat, or separate by commas); see `readings`
    #[arg(long = "reading", value_name = "NAME=VALUE", env = "GPTBOTS_MOCK_READING")]
    #[arg(value_delimiter = ',', value_parser = reading)]
    pub(super) readings: Vec<(String, String)>,
    /// Failure on demand, as messages:code=50000,every=3 (repeat, or separate by semicolons); see
    /// docs/FAULTS.md
    #[arg(long = "fault", value_name = "FAULT", env = "GPTBOTS_MOCK_FAULT")]
    #[arg(value_delimiter = ';', value_parser = fault)]
    pub(super) faults: Vec<Fault>,
    /// So many requests of each key in so many seconds, as 60/60; one more gets 40008
    #[arg(long, value_name = "REQUESTS/SECONDS", env = "GPTBOTS_MOCK_RATE_LIMIT")]
    #[arg(value_parser = rate_limit)]
    pub(super) rate_limit: Option<RateLimit>,
    /// What happens between two pages of a walk, as arrival or qa:short-page (repeat, or separate
    /// by commas); see docs/HAZARDS.md
    #[arg(long = "hazard", value_name = "HAZARD", env = "GPTBOTS_MOCK_HAZARD")]
    #[arg(value_delimiter = ',', value_parser = hazard)]
    pub(super) hazards: Vec<String>,
    /// So many requests of each sandbox are kept in the journal; 0: no journal, and no verdict
    #[arg(long, value_name = "NUMBER", env = "GPTBOTS_MOCK_JOURNAL", default_value_t = 1000)]
    #[arg(value_parser = clap::value_parser!(u32).range(JOURNAL_REQUESTS))]
    pub(super) journal: u32,
    /// So much memory the journals take together, in MiB
    #[arg(long, value_name = "MIB", env = "GPTBOTS_MOCK_JOURNAL_MEMORY", default_value_t = 8)]
    #[arg(value_parser = clap::value_parser!(u32).range(JOURNAL_MEMORY))]
    pub(super) journal_memory: u32,
    /// So many connections may be open, or as many as the limit on open files less 64; one more waits
    /// for an idle one to end
    #[arg(
        long,
        value_name = "NUMBER",
        env = "GPTBOTS_MOCK_MAX_CONNECTIONS",
        default_value_t = 4096
    )]
    #[arg(value_parser = clap::value_parser!(u32).range(CONNECTIONS))]
    pub(super) max_connections: u32,
    /// Leave the control API out, all but its health and version
    #[arg(long, env = "GPTBOTS_MOCK_NO_ADMIN", action = ArgAction::SetTrue)]
    #[arg(value_parser = BoolishValueParser::new())]
    pub(super) no_admin: bool,
    /// Let whoever has this token use the control API, in place of whoever is on this machine
    #[arg(long, value_name = "TOKEN", env = "GPTBOTS_MOCK_ADMIN_TOKEN", hide_env_values = true)]
    #[arg(value_parser = admin_token)]
    pub(super) admin_token: Option<String>,
    /// Name beside localhost under which the control API may be called (repeat, or separate by
    /// commas)
    #[arg(long = "allow-host", value_name = "NAME", env = "GPTBOTS_MOCK_ALLOW_HOST")]
    #[arg(value_delimiter = ',', value_parser = host_name)]
    pub(super) allow_hosts: Vec<String>,
    /// Let browser apps of other origins call the API
    #[arg(long, env = "GPTBOTS_MOCK_CORS", action = ArgAction::SetTrue)]
    #[arg(value_parser = BoolishValueParser::new())]
    pub(super) cors: bool,
    /// Access log on stderr
    #[arg(long, value_name = "FORMAT", env = "GPTBOTS_MOCK_LOG_FORMAT", default_value = "text")]
    pub(super) log_format: LogFormat,
}

/// What generated records depend on.
#[derive(Args, Clone, Copy)]
pub(super) struct GeneratedArgs {
    /// What generated records are drawn from: the same seed gives the same bytes, for ever
    #[arg(long, value_name = "NUMBER", env = "GPTBOTS_MOCK_SEED", default_value_t = 1)]
    pub(super) seed: u64,
    /// How many conversations agent demo has, up to 10,000,000
    #[arg(long, value_name = "NUMBER", env = "GPTBOTS_MOCK_CONVERSATIONS", default_value_t = 200)]
    #[arg(value_parser = clap::value_parser!(u32).range(..=i64::from(MAX_CONVERSATIONS)))]
    pub(super) conversations: u32,
    /// End of the generated records: a day, as 2025-10-20; a moment, as 2025-10-20T15:30:00Z; or
    /// `today`, the moment of the start
    #[arg(long, value_name = "DAY", env = "GPTBOTS_MOCK_NOW", default_value = "2025-10-20")]
    #[arg(value_parser = now)]
    pub(super) now: Now,
}

/// The end of generated records.
#[derive(Clone, Copy)]
pub(super) enum Now {
    /// The moment of the start.
    Today,
    On(Day),
}

/// The word for [`Now::Today`].
pub(super) const TODAY: &str = "today";

impl Now {
    pub(super) fn day(self, clock: Clock) -> Day {
        match self {
            Self::Today => Day::until(clock()),
            Self::On(day) => day,
        }
    }
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
    if text == TODAY {
        return Ok(Now::Today);
    }
    text.parse()
        .map(Now::On)
        .map_err(|error: crate::records::DayError| format!("{error}, or as today"))
}

pub(super) fn api_key(text: &str) -> Result<String, String> {
    check_key(text).map(|()| text.to_owned())
}

fn reading(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    Readings::default().set(name, value).map_err(|error| error.to_string())?;
    Ok((name.to_owned(), value.to_owned()))
}

fn fault(text: &str) -> Result<Fault, String> {
    text.parse().map_err(|error: FaultError| error.to_string())
}

fn rate_limit(text: &str) -> Result<RateLimit, String> {
    text.parse()
}

fn hazard(text: &str) -> Result<String, String> {
    Hazards::default().add_text(text).map(|()| text.to_owned())
}

fn admin_token(text: &str) -> Result<String, String> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("a token holds visible ASCII only, and some of it".to_owned());
    }
    Ok(text.to_owned())
}

fn host_name(text: &str) -> Result<String, String> {
    let right = |byte: u8| byte.is_ascii_alphanumeric() || b"-._[:]".contains(&byte);
    let port = text.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    if text.is_empty() || !text.bytes().all(right) || (port && !text.ends_with(']')) {
        return Err("write the name alone, without scheme and port: mock.example".to_owned());
    }
    Ok(text.to_owned())
}

impl ServeArgs {
    /// What was decided. Touches nothing but the clock.
    pub(super) fn to_config(&self, clock: Clock) -> Result<Config, String> {
        let mut readings = Readings::default();
        for (name, value) in &self.readings {
            readings.set(name, value).map_err(|error| error.to_string())?;
        }
        let mut hazards = Hazards::default();
        for text in &self.hazards {
            hazards.add_text(text)?;
        }
        number_faults(self.faults.clone())?;
        Ok(Config {
            faults: self.faults.clone(),
            rate_limit: self.rate_limit,
            hazards,
            journal: JournalSize {
                requests: self.journal as usize,
                bytes: (self.journal_memory as usize) << 20,
            },
            clock,
            admin: Admin {
                enabled: !self.no_admin,
                token: self.admin_token.clone(),
                hosts: self.allow_hosts.clone(),
            },
            records: RecordsConfig {
                seed: self.generated.seed,
                conversations: self.generated.conversations,
                now: self.generated.now.day(clock),
                api_keys: self.api_keys.clone(),
                agents: match &*self.fixtures {
                    [] => Agents::BuiltIn,
                    paths => Agents::Paths(paths.to_vec()),
                },
            },
            any_key: self.any_key,
            readings,
            cors: self.cors,
            limits: Limits { connections: self.max_connections as usize, ..Limits::default() },
        })
    }
}

/// A file for a report, and what it is written as.
pub(super) fn report(path: &str) -> Result<(PathBuf, Format), String> {
    let path = PathBuf::from(path);
    let format = match path.extension().and_then(|end| end.to_str()) {
        Some("json") => Format::Json,
        Some("xml") => Format::Junit,
        Some("txt") => Format::Text,
        _ => return Err("the name of a report ends with .json, .xml or .txt".to_owned()),
    };
    Ok((path, format))
}

//! Every setting of a server, each declared once: a row of [`SETTINGS`]. The command line makes a flag,
//! a variable and a key of the config file of each row, the documents its schema, and the control API a
//! key of a sandbox's settings where the row has one.
//!
//! A row says where its value goes in a [`ServerConfig`], and its default is what stands there in
//! [`ServerConfig::default`].

use std::net::{IpAddr, Ipv4Addr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use Value::{Path, Switch, Text, Whole};

use crate::keys::check_key;
use crate::records::generate::MAX_CONVERSATIONS;
use crate::records::{Agents, Day, DayError, check_user_id};
use crate::sandbox::SandboxConfig;
use crate::sandbox::faults::FaultError;
use crate::suggest::unknown;

/// What is decided before a server starts.
#[derive(Clone, Debug)]
pub(crate) struct ServerConfig {
    pub(crate) sandbox: SandboxConfig,
    /// Whether browser apps of other origins may call the vendor's endpoints.
    pub(crate) cors: bool,
    pub(crate) admin: Admin,
    pub(crate) limits: Limits,
    /// The address to listen on. The library has its own, and so with all below.
    pub(crate) host: IpAddr,
    pub(crate) port: u16,
    /// A file that the port is written to.
    pub(crate) port_file: Option<PathBuf>,
    /// Whether the server ends when standard input closes.
    pub(crate) until_stdin_closes: bool,
    /// Whether fixtures are read again when they change.
    pub(crate) watch: bool,
    pub(crate) log_format: LogFormat,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            sandbox: SandboxConfig::default(),
            cors: false,
            admin: Admin::default(),
            limits: Limits::default(),
            host: Ipv4Addr::LOCALHOST.into(),
            port: 8484,
            port_file: None,
            until_stdin_closes: false,
            watch: false,
            log_format: LogFormat::default(),
        }
    }
}

/// Who may use the control API.
#[derive(Clone, Debug, Default)]
pub(crate) struct Admin {
    /// Whether there is none.
    pub(crate) is_off: bool,
    /// The token that a client must have. Without one, the clients of this machine may use it.
    pub(crate) token: Option<String>,
    /// Names, beside loopback's, under which it may be called.
    pub(crate) hosts: Vec<String>,
}

/// What a client may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// A request head must have arrived this long after the connection was opened or the last
    /// answer was sent; a connection that stays silent ends then too. A body that no endpoint reads
    /// must have come as long after its head. 30 s by default.
    pub head_timeout: Duration,
    /// A request head may be this long, in bytes; a longer one is refused with 431. 128 KiB by
    /// default, 8 KiB at least, 1 GiB at most. Whatever it is, a target over 64 KiB is refused with 414, and
    /// more than 100 headers with 431.
    pub head_bytes: usize,
    /// This many connections may be open. One more ends the one that has sent no request for the
    /// longest time, if that is half a second; else one with half a request, one that a fault
    /// leaves without an answer, or one whose client does not read. It never ends one whose request
    /// is being answered, but waits. 4,096 by default, 1 at least.
    pub connections: usize,
    /// On the way out, requests in flight have this long to finish; half a request, and an answer
    /// of which the client takes nothing, have 1.5 s at most. 5 s by default.
    pub drain: Duration,
    /// This many sandboxes may be there beside the default one. One more ends the one that was
    /// used least recently; never one that has a request in flight. 10,000 by default.
    pub sandboxes: usize,
    /// A sandbox that was not used for so long ends. An hour by default.
    pub sandbox_idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let SandboxConfig { sandboxes, sandbox_idle, .. } = SandboxConfig::default();
        Self {
            head_timeout: Duration::from_secs(30),
            head_bytes: 128 * 1024,
            connections: 4096,
            drain: Duration::from_secs(5),
            sandboxes,
            sandbox_idle,
        }
    }
}

impl Limits {
    /// The least head that the HTTP parser can be told to accept.
    pub(crate) const LEAST_HEAD_BYTES: usize = 8 * 1024;

    /// The largest head, because the journal counts the bytes of a request in 32 bits.
    pub(crate) const MOST_HEAD_BYTES: usize = 1 << 30;
}

/// How the access log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// A line to read.
    #[default]
    Text,
    /// A JSON object a line.
    Json,
    /// Nothing.
    Off,
}

/// The word of each [`LogFormat`], in their order.
const LOG_FORMATS: [&str; 3] = ["text", "json", "off"];

/// One setting.
pub(crate) struct Setting {
    /// The flag without its dashes, which is the key of the config file, too.
    pub(crate) name: &'static str,
    /// What the help calls the value.
    pub(crate) value_name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) value: Value,
    /// Whether it takes several values.
    pub(crate) is_list: bool,
    /// The text that a config has, where it has one. That of the config that has all defaults is the
    /// default.
    text: Option<fn(&ServerConfig) -> Option<String>>,
    /// The key of `PUT /__admin/sandboxes/ID`, where a sandbox may have a value of its own.
    pub(crate) sandbox_key: Option<SandboxKey>,
}

/// What a setting takes, and how it changes a config.
pub(crate) enum Value {
    /// Off by default.
    Switch(fn(&mut ServerConfig) -> &mut bool),
    /// A whole number within bounds.
    Whole(RangeInclusive<u64>, fn(&mut ServerConfig) -> &mut dyn Number),
    /// A path. In a config file it is relative to the file's folder.
    Path(fn(&mut ServerConfig, PathBuf)),
    /// A text; the function says why one is not right.
    Text(Form, fn(&mut ServerConfig, &str) -> Result<(), String>),
}

/// What a text looks like.
pub(crate) enum Form {
    /// Anything that is right, with examples.
    Any(&'static [&'static str]),
    /// What a regular expression matches.
    Like(&'static str),
    /// The same, and never shown.
    Secret(&'static str),
    /// One of these words.
    Words(&'static [&'static str]),
    Reading,
    Fault,
    RateLimit,
    Hazard,
}

/// A key of a sandbox's settings.
#[derive(Clone, Copy)]
pub(crate) struct SandboxKey {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    /// What a number is, for who sent something else.
    pub(crate) noun: &'static str,
    /// The page of `docs/` that says more.
    pub(crate) more: Option<&'static str>,
}

/// A number of any unsigned type.
pub(crate) trait Number {
    fn get(&self) -> u64;
    /// Sets it to a number that is within the bounds of its setting.
    fn set(&mut self, number: u64);
}

impl<N: Copy + TryFrom<u64> + TryInto<u64>> Number for N {
    fn get(&self) -> u64 {
        (*self).try_into().ok().expect("an unsigned number fits into 64 bits")
    }

    fn set(&mut self, number: u64) {
        *self = number.try_into().ok().expect("the bounds of a setting fit into its type");
    }
}

impl Setting {
    /// The default as a text, where there is one.
    pub(crate) fn default(&self) -> Option<String> {
        let mut config = ServerConfig::default();
        match &self.value {
            Whole(_, number) => Some(number(&mut config).get().to_string()),
            _ => self.text(&config),
        }
    }

    /// The value of a text in a config, where it has one.
    pub(crate) fn text(&self, config: &ServerConfig) -> Option<String> {
        self.text.and_then(|text| text(config))
    }

    /// Whether its values are never shown.
    pub(crate) fn is_secret(&self) -> bool {
        matches!(self.value, Text(Form::Secret(_), _))
    }

    /// What stands between the values of a list. The line of a fault has commas.
    pub(crate) fn separator(&self) -> char {
        if matches!(self.value, Text(Form::Fault, _)) { ';' } else { ',' }
    }

    /// What a row says that says no more.
    const fn new(value: Value) -> Self {
        Self {
            name: "",
            value_name: "",
            about: "",
            value,
            is_list: false,
            text: None,
            sandbox_key: None,
        }
    }
}

impl SandboxKey {
    const fn new(name: &'static str, about: &'static str) -> Self {
        Self { name, about, noun: "", more: None }
    }
}

/// The keys of a sandbox's settings, each with its setting. The clock has none: that of a server runs.
pub(crate) fn sandbox_keys() -> impl Iterator<Item = (SandboxKey, Option<&'static Setting>)> {
    let keys = SETTINGS.iter().filter_map(|setting| Some((setting.sandbox_key?, Some(setting))));
    keys.chain([(SandboxKey::new("clock", "`\"real\"` or `\"frozen\"`"), None)])
}

macro_rules! settings {
    ($(
        $(#[doc = $about:literal])+
        $name:literal $value_name:literal $value:expr $(, $field:ident: $more:expr)*;
    )+) => {
        /// Every setting, in the order of the help.
        pub(crate) static SETTINGS: &[Setting] = &[$(Setting {
            name: $name,
            value_name: $value_name,
            about: concat!($($about),+).trim_ascii(),
            $($field: $more,)*
            ..Setting::new($value)
        }),+];
    };
}

// Flag, name of its value, value, and what else there is to say. The help is what stands above.
settings! {
    /// Address to listen on; anything but loopback lets other machines in
    "host" "ADDRESS" Text(Form::Any(&["0.0.0.0", "localhost"]), set_host),
        text: Some(|config| Some(config.host.to_string()));

    /// Port to listen on; 0 takes a free one and the first line on stdout says which
    "port" "PORT" Whole(0..=65_535, |config| &mut config.port);

    /// File to write the port to, once connections are accepted; it goes away at the end
    "port-file" "PATH" Path(|config, path| config.port_file = Some(path));

    /// End when standard input closes, which it does when the process that holds its other end is gone
    "until-stdin-closes" "" Switch(|config| &mut config.until_stdin_closes);

    /// What generated records are drawn from: the same seed gives the same bytes, for ever
    "seed" "NUMBER" Whole(0..=u64::MAX, |config| &mut config.sandbox.records.seed),
        sandbox_key: Some(SandboxKey { noun: "a seed", ..SandboxKey::new(
            "seed",
            "what generated records and faults are drawn from, 0 to 2^64 - 1. Records of its own take \
             memory: about 130 KiB for 200 conversations, and 280 KiB of `--max-memory`; sandboxes with the same seed share them",
        ) });

    /// How many conversations agent demo has, up to 10,000,000
    "conversations" "NUMBER"
        Whole(0..=MAX_CONVERSATIONS as u64, |config| &mut config.sandbox.records.conversations),
        sandbox_key: Some(SandboxKey {
            noun: "a number of conversations",
            ..SandboxKey::new("conversations", "how many agent *demo* has, up to 10,000,000")
        });

    /// End of the generated records: a day, as 2025-10-20; a moment, as 2025-10-20T15:30:00Z; or
    /// `today`, the moment of the start
    "now" "DAY" Text(Form::Like(DAY), set_now),
        text: Some(|config| Some(config.sandbox.records.now.to_string()));

    /// Id of the user of agent demo who has the most conversations, for a client that shows those of one
    /// user
    "demo-user" "ID" Text(Form::Like(r"^[\s\S]{1,256}$"), set_demo_user),
        text: Some(|config| config.sandbox.records.demo_user.clone()),
        sandbox_key: Some(SandboxKey::new(
            "demo_user",
            "id of the user of agent *demo* who has the most conversations; not that of another generated user",
        ));

    /// Fixture file or folder, in place of the built-in agents (repeat; the variable separates by commas)
    "fixtures" "PATH" Path(add_fixture),
        is_list: true,
        sandbox_key: Some(SandboxKey::new(
            "fixtures",
            "agents in place of the server's, as in a fixture file: `{\"agents\": [...]}`",
        ));

    /// Refuse fixtures with anything odd, such as an unknown key, instead of serving them with a warning
    "strict" "" Switch(|config| &mut config.sandbox.records.strict);

    /// Read the fixtures again whenever they change; a broken edit keeps the last good records
    "watch" "" Switch(|config| &mut config.watch);

    /// One more key of agent demo (repeat, or separate by commas)
    "api-key" "KEY" Text(Form::Secret(r"^[!-+\--}]+$"), add_api_key),
        is_list: true;

    /// Take any non-empty key that is no other agent's as one of agent demo
    "any-key" "" Switch(|config| &mut config.sandbox.any_key);

    /// Switch a reading of the contract (repeat, or separate by commas); see `readings`
    "reading" "NAME=VALUE" Text(Form::Reading, add_reading),
        is_list: true,
        sandbox_key: Some(SandboxKey::new("readings", r#"by name: `{"qa-time": "milliseconds"}`"#));

    /// Failure on demand, as messages:code=50000,every=3 (repeat, or separate by semicolons); see
    /// docs/faults.md
    "fault" "FAULT" Text(Form::Fault, add_fault),
        is_list: true,
        sandbox_key: Some(SandboxKey {
            more: Some("faults.md"),
            ..SandboxKey::new("faults", "a list of lines or objects")
        });

    /// So many requests of each key in so many seconds, as 60/60; one more gets 40008
    "rate-limit" "REQUESTS/SECONDS" Text(Form::RateLimit, set_rate_limit),
        sandbox_key: Some(SandboxKey::new(
            "rate_limit",
            r#"`{"requests": 60, "seconds": 60}`, `"60/60"` or `null`"#,
        ));

    /// What happens between two pages of a walk, as arrival or qa:short-page (repeat, or separate
    /// by commas); see docs/hazards.md
    "hazard" "HAZARD" Text(Form::Hazard, |config, text| config.sandbox.hazards.add_text(text)),
        is_list: true,
        sandbox_key: Some(SandboxKey {
            more: Some("hazards.md"),
            ..SandboxKey::new("hazards", "a list of words")
        });

    /// So many requests of each sandbox are kept in the journal; 0: no journal, and no verdict
    "journal" "NUMBER" Whole(0..=1_000_000, |config| &mut config.sandbox.journal_requests);

    /// So much memory the journals take together, in MiB
    "journal-memory" "MIB" Whole(1..=4096, |config| &mut config.sandbox.journal_mebibytes);

    /// So much memory clients can make the server take beyond its start and the journals, in MiB: sandboxes,
    /// their records, and bodies as they arrive; what does not fit is refused
    "max-memory" "MIB" Whole(32..=65_536, |config| &mut config.sandbox.max_mebibytes);

    /// So many connections may be open, or as many as the limit on open files less 64; one more waits
    /// for an idle one to end
    "max-connections" "NUMBER" Whole(1..=1_000_000, |config| &mut config.limits.connections);

    /// Leave the control API out, all but its health and version
    "no-admin" "" Switch(|config| &mut config.admin.is_off);

    /// Let whoever has this token use the control API, in place of whoever is on this machine
    "admin-token" "TOKEN" Text(Form::Secret("^[!-~]+$"), set_admin_token);

    /// Name beside localhost under which the control API may be called (repeat, or separate by
    /// commas)
    "allow-host" "NAME" Text(Form::Any(&[]), add_host_name),
        is_list: true;

    /// Let browser apps of other origins call the API
    "cors" "" Switch(|config| &mut config.cors);

    /// Access log on stderr
    "log-format" "FORMAT" Text(Form::Words(&LOG_FORMATS), set_log_format),
        text: Some(|config| Some(LOG_FORMATS[config.log_format as usize].to_owned()));
}

/// What `--now` takes.
const DAY: &str = concat!(
    "^([0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?",
    "([Zz]|[+-][0-9]{2}:[0-9]{2}))?|today)$"
);

/// The word for the moment of the start.
pub(crate) const TODAY: &str = "today";

fn set_host(config: &mut ServerConfig, text: &str) -> Result<(), String> {
    let address = if text == "localhost" { "127.0.0.1" } else { text };
    let wrong = "not an address such as 127.0.0.1, 0.0.0.0, ::1 or localhost";
    config.host = address.parse().map_err(|_| wrong)?;
    Ok(())
}

fn set_now(config: &mut ServerConfig, text: &str) -> Result<(), String> {
    config.sandbox.records.now = match text {
        TODAY => Day::until((config.sandbox.clock)()),
        day => day.parse().map_err(|error: DayError| format!("{error}, or as today"))?,
    };
    Ok(())
}

fn set_demo_user(config: &mut ServerConfig, id: &str) -> Result<(), String> {
    check_user_id(id)?;
    config.sandbox.records.demo_user = Some(id.to_owned());
    Ok(())
}

fn add_fixture(config: &mut ServerConfig, path: PathBuf) {
    match &mut config.sandbox.records.agents {
        Agents::Paths(paths) => paths.push(path),
        agents => *agents = Agents::Paths(vec![path]),
    }
}

fn add_api_key(config: &mut ServerConfig, key: &str) -> Result<(), String> {
    check_key(key)?;
    config.sandbox.records.api_keys.push(key.to_owned());
    Ok(())
}

fn add_reading(config: &mut ServerConfig, text: &str) -> Result<(), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    config.sandbox.readings.set(name, value).map_err(|error| error.to_string())
}

fn add_fault(config: &mut ServerConfig, text: &str) -> Result<(), String> {
    config.sandbox.faults.push(text.parse().map_err(|error: FaultError| error.to_string())?);
    Ok(())
}

fn set_rate_limit(config: &mut ServerConfig, text: &str) -> Result<(), String> {
    config.sandbox.rate_limit = Some(text.parse()?);
    Ok(())
}

fn set_admin_token(config: &mut ServerConfig, token: &str) -> Result<(), String> {
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("a token holds visible ASCII only, and some of it".to_owned());
    }
    config.admin.token = Some(token.to_owned());
    Ok(())
}

fn add_host_name(config: &mut ServerConfig, name: &str) -> Result<(), String> {
    let right = |byte: u8| byte.is_ascii_alphanumeric() || b"-._[:]".contains(&byte);
    let port = name.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    if name.is_empty() || !name.bytes().all(right) || (port && !name.ends_with(']')) {
        return Err("write the name alone, without scheme and port: mock.example".to_owned());
    }
    config.admin.hosts.push(name.to_owned());
    Ok(())
}

fn set_log_format(config: &mut ServerConfig, text: &str) -> Result<(), String> {
    config.log_format = match text {
        "text" => LogFormat::Text,
        "json" => LogFormat::Json,
        "off" => LogFormat::Off,
        _ => return Err(unknown("log format", text, LOG_FORMATS.into_iter())),
    };
    Ok(())
}

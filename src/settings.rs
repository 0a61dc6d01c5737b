//! Every setting of a server. Each is declared once, as a row of [`SETTINGS`]. A flag, an environment
//! variable, a key of the config file, the help, the JSON schema and (for some settings) a key of a
//! sandbox's settings are derived from the row.
//!
//! A row contains the function that writes a value into a [`ServerConfig`]. The default of a setting is
//! its value in [`ServerConfig::default`].

mod config;

use std::ops::RangeInclusive;
use std::path::PathBuf;

use Value::{Path, Switch, Text, Whole};

use config::LOG_FORMATS;
pub use config::Limits;
pub(crate) use config::{Admin, LogFormat, ServerConfig};

use crate::keys::check_key;
use crate::records::generate::MAX_CONVERSATIONS;
use crate::records::{Agents, Day, DayError, check_user_id};
use crate::sandbox::faults::FaultError;
use crate::suggest::unknown;

/// One setting.
pub(crate) struct Setting {
    /// The flag without its dashes. It is also the key in the config file.
    pub(crate) name: &'static str,
    /// The placeholder of the value in the help.
    pub(crate) value_name: &'static str,
    /// The heading of the help under which the flag is listed.
    pub(crate) section: &'static str,
    /// Whether `-h` omits the flag. We omit what few users need, so that `-h` fits into one screen.
    pub(crate) is_advanced: bool,
    /// A short description, without a full stop: the line of `-h`.
    pub(crate) about: &'static str,
    /// Further sentences for `--help` and the documents, in lines that fit into a terminal.
    pub(crate) more: &'static [&'static str],
    /// Arguments that show how to use the flag.
    pub(crate) example: &'static str,
    pub(crate) value: Value,
    /// Whether it takes several values.
    pub(crate) is_list: bool,
    /// Returns the value of a config as text, if it has one. The default of the setting is the value of
    /// the default config.
    text: Option<fn(&ServerConfig) -> Option<String>>,
    /// The key of `PUT /__admin/sandboxes/ID`, if a sandbox may have its own value.
    pub(crate) sandbox_key: Option<SandboxKey>,
}

/// The type of a setting's value, with the function that writes the value into a config.
pub(crate) enum Value {
    /// Off by default.
    Switch(fn(&mut ServerConfig) -> &mut bool),
    /// A whole number within bounds.
    Whole(RangeInclusive<u64>, fn(&mut ServerConfig) -> &mut dyn Number),
    /// A path. In a config file it is relative to the file's folder.
    Path(fn(&mut ServerConfig, PathBuf)),
    /// A text. The function returns an error message if the text is invalid.
    Text(Form, fn(&mut ServerConfig, &str) -> Result<(), String>),
}

/// The format of a text value, for the JSON schema.
pub(crate) enum Form {
    /// No pattern describes it; examples do.
    Any(&'static [&'static str]),
    /// A text that matches a regular expression.
    Like(&'static str),
    /// The same, but the value is never shown.
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
    /// The name of the value in an error message, such as "a seed".
    pub(crate) noun: &'static str,
    /// The page of `docs/` with the details.
    pub(crate) more: Option<&'static str>,
}

/// A number of any unsigned type.
pub(crate) trait Number {
    fn get(&self) -> u64;
    /// Sets the number, which must be within the bounds of its setting.
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
    /// The default as text, if there is one.
    pub(crate) fn default(&self) -> Option<String> {
        let mut config = ServerConfig::default();
        match &self.value {
            Whole(_, number) => Some(number(&mut config).get().to_string()),
            _ => self.text(&config),
        }
    }

    /// The value in a config as text, if it has one.
    pub(crate) fn text(&self, config: &ServerConfig) -> Option<String> {
        self.text.and_then(|text| text(config))
    }

    /// Whether its values must never be shown.
    pub(crate) fn is_secret(&self) -> bool {
        matches!(self.value, Text(Form::Secret(_), _))
    }

    /// The separator of the values of a list. It is `;` for faults, because a fault contains commas.
    pub(crate) fn separator(&self) -> char {
        if matches!(self.value, Text(Form::Fault, _)) { ';' } else { ',' }
    }

    /// A sentence with the bounds, if the value is a number.
    pub(crate) fn bounds(&self) -> Option<String> {
        let Whole(range, _) = &self.value else { return None };
        Some(format!("It is a whole number from {} to {}.", range.start(), range.end()))
    }

    /// The description in sentences, for a document.
    #[cfg(feature = "docs")]
    pub(crate) fn description(&self) -> String {
        let more = self.more.iter().flat_map(|line| [" ", line]);
        [self.about, "."].into_iter().chain(more).collect()
    }

    /// A row without its optional parts.
    const fn new(value: Value) -> Self {
        Self {
            name: "",
            value_name: "",
            section: "",
            is_advanced: false,
            about: "",
            more: &[],
            example: "",
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

/// The keys of a sandbox's settings, each with its setting. `clock` has no setting, because the clock of a
/// server cannot be stopped.
pub(crate) fn sandbox_keys() -> impl Iterator<Item = (SandboxKey, Option<&'static Setting>)> {
    let keys = SETTINGS.iter().filter_map(|setting| Some((setting.sandbox_key?, Some(setting))));
    keys.chain([(SandboxKey::new("clock", "`\"real\"` or `\"frozen\"`"), None)])
}

macro_rules! settings {
    ($(
        $section:literal {
            $(
                #[doc = $about:literal]
                $(#[doc = $blank:literal] $(#[doc = $more:literal])+)?
                $name:literal $value_name:literal $value:expr $(, $field:ident: $set:expr)*;
            )+
        }
    )+) => {
        /// Every setting, in the order of the help.
        pub(crate) static SETTINGS: &[Setting] = &[$($(Setting {
            name: $name,
            value_name: $value_name,
            section: $section,
            about: $about.trim_ascii(),
            more: &[$($($more.trim_ascii()),+)?],
            $($field: $set,)*
            ..Setting::new($value)
        },)+)+];
    };
}

// A row: the first line is the description in `-h`, and the paragraph below it is added in `--help` and in
// the documents. Then the flag, the placeholder of its value, the value, and optional parts. Bounds,
// default, variable and how to write a list are added by the help itself.
settings! {
    "Listening" {
        /// Address to listen on
        ///
        /// With an address other than loopback, other machines can reach the server.
        /// 0.0.0.0 stands for all addresses of this machine.
        "host" "ADDRESS" Text(Form::Any(&["0.0.0.0", "localhost"]), set_host),
            example: "--host 0.0.0.0",
            text: Some(|config| Some(config.host.to_string()));

        /// Port to listen on; 0 takes a free port
        ///
        /// The first line on stdout contains the address with the port.
        "port" "PORT" Whole(0..=65_535, |config| &mut config.port);

        /// File to write the port to
        ///
        /// The file is written when the server accepts connections, and removed when it stops.
        "port-file" "PATH" Path(|config, path| config.port_file = Some(path)),
            is_advanced: true;

        /// Stop when standard input closes
        ///
        /// Standard input must be a pipe or a socket. It closes when the process at its other end
        /// exits, so the server never outlives the process that started it.
        "until-stdin-closes" "" Switch(|config| &mut config.until_stdin_closes),
            is_advanced: true;
    }

    "Records" {
        /// Seed of the generated records and of random faults
        ///
        /// The same seed gives the same bytes on every machine.
        "seed" "NUMBER" Whole(0..=u64::MAX, |config| &mut config.sandbox.records.seed),
            sandbox_key: Some(SandboxKey { noun: "a seed", ..SandboxKey::new(
                "seed",
                "the seed of generated records and of random faults, 0 to 2^64 - 1. Records of a \
                 sandbox's own need memory: for 200 conversations about 130 KiB, and 280 KiB of \
                 `--max-memory`. Sandboxes with the same seed share their records",
            ) });

        /// Number of generated conversations of agent demo
        "conversations" "NUMBER"
            Whole(0..=MAX_CONVERSATIONS as u64, |config| &mut config.sandbox.records.conversations),
            sandbox_key: Some(SandboxKey {
                noun: "a number of conversations",
                ..SandboxKey::new(
                    "conversations",
                    "the number of conversations of agent *demo*, at most 10,000,000",
                )
            });

        /// Date or time when the records end, or today
        ///
        /// Generated records fill 30 days. A date is the last of these days; a time is the end of
        /// the last day; today is the time at which the server starts.
        "now" "DAY" Text(Form::Like(DAY), set_now),
            example: "--now 2025-10-20, --now 2025-10-20T15:30:00Z, --now today",
            text: Some(|config| Some(config.sandbox.records.now.to_string()));

        /// ID of the user of agent demo with the most conversations
        ///
        /// Set it for a client that shows the conversations of one user only. The ID has 1 to 256
        /// characters and must not be the ID of another generated user.
        "demo-user" "ID" Text(Form::Like(r"^[\s\S]{1,256}$"), set_demo_user),
            is_advanced: true,
            text: Some(|config| config.sandbox.records.demo_user.clone()),
            sandbox_key: Some(SandboxKey::new(
                "demo_user",
                "the ID of the user of agent *demo* with the most conversations; it must not be the ID of \
                 another generated user",
            ));

        /// Fixture file or folder that replaces the built-in agents
        ///
        /// Of a folder, the files *.json are read, but not its subfolders.
        /// gptbots-mock check reports the mistakes in fixtures.
        "fixtures" "PATH" Path(add_fixture),
            example: "--fixtures records.json",
            is_list: true,
            sandbox_key: Some(SandboxKey::new(
                "fixtures",
                "agents that replace the server's, in the format of a fixture file: `{\"agents\": [...]}`",
            ));

        /// Treat warnings about fixtures as errors
        ///
        /// Without it, fixtures with an oddity, such as an unknown key, are served with a warning.
        "strict" "" Switch(|config| &mut config.sandbox.records.strict);

        /// Reload the fixtures when they change
        ///
        /// If the new fixtures have errors, the server keeps the old records.
        "watch" "" Switch(|config| &mut config.watch);

        /// Additional API key of agent demo
        ///
        /// With fixtures, it is a key of the first agent. A key consists of visible ASCII characters
        /// except comma and tilde. The server never prints it.
        "api-key" "KEY" Text(Form::Secret(r"^[!-+\--}]+$"), add_api_key),
            is_list: true;

        /// Accept every unknown API key as a key of agent demo
        ///
        /// With fixtures, it is a key of the first agent. A key of another agent stays a key of that
        /// agent, and an empty key is refused.
        "any-key" "" Switch(|config| &mut config.sandbox.any_key);
    }

    "Behaviour" {
        /// Change a behaviour that the vendor leaves unclear
        ///
        /// Each such behaviour is a "reading" with a name, a default and other values.
        /// gptbots-mock readings lists all of them.
        "reading" "NAME=VALUE" Text(Form::Reading, add_reading),
            example: "--reading qa-time=milliseconds",
            is_list: true,
            sandbox_key: Some(SandboxKey::new("readings", r#"by name: `{"qa-time": "milliseconds"}`"#));

        /// Let browser apps of other origins call the API (CORS)
        "cors" "" Switch(|config| &mut config.cors);
    }

    "Failures" {
        /// Inject a failure into matching responses
        ///
        /// A fault names the endpoints, what goes wrong, and when; docs/faults.md has all keys.
        /// messages:code=50000,every=3 fails every third request for messages with code 50000.
        "fault" "FAULT" Text(Form::Fault, add_fault),
            example: "--fault messages:code=50000,every=3",
            is_list: true,
            sandbox_key: Some(SandboxKey {
                more: Some("faults.md"),
                ..SandboxKey::new("faults", "a list of lines or objects")
            });

        /// Limit the requests of each API key in a time window
        ///
        /// N is 1 to 1000000 requests, SECONDS is 1 to 86400. Every further request gets error 40008
        /// (HTTP 429) with Retry-After.
        "rate-limit" "N/SECONDS" Text(Form::RateLimit, set_rate_limit),
            example: "--rate-limit 60/60",
            sandbox_key: Some(SandboxKey::new(
                "rate_limit",
                r#"`{"requests": 60, "seconds": 60}`, `"60/60"` or `null`"#,
            ));

        /// Change the data between two page requests of a client
        ///
        /// Such a change is a "hazard"; docs/hazards.md lists all. arrival adds a record after page 1
        /// of every list. qa:arrival does the same for the list of questions only.
        "hazard" "HAZARD" Text(Form::Hazard, |config, text| config.sandbox.hazards.add_text(text)),
            example: "--hazard arrival",
            is_list: true,
            sandbox_key: Some(SandboxKey {
                more: Some("hazards.md"),
                ..SandboxKey::new("hazards", "a list of words")
            });
    }

    "Control API" {
        /// Disable the control API under /__admin
        ///
        /// Only /__admin/health and /__admin/version are still served.
        "no-admin" "" Switch(|config| &mut config.admin.is_off);

        /// Token that the control API requires
        ///
        /// Without a token, the control API refuses clients on other machines. With a token, it
        /// accepts every client that sends it as "Authorization: Bearer TOKEN", and no other.
        "admin-token" "TOKEN" Text(Form::Secret("^[!-~]+$"), set_admin_token);

        /// Additional host name for requests to the control API
        ///
        /// Without a token, the control API refuses requests whose Host header is not localhost or a
        /// loopback address, as a protection against DNS rebinding. Write the name without a port.
        "allow-host" "NAME" Text(Form::Any(&[]), add_host_name),
            is_advanced: true,
            example: "--allow-host mock.example",
            is_list: true;
    }

    "Logging and limits" {
        /// Format of the access log on stderr: text, json or off
        "log-format" "FORMAT" Text(Form::Words(&LOG_FORMATS), set_log_format),
            text: Some(|config| Some(LOG_FORMATS[config.log_format as usize].to_owned()));

        /// Requests kept per sandbox; 0: no journal, no verdict
        ///
        /// When the journal of a sandbox is full, its oldest requests are dropped.
        "journal" "NUMBER" Whole(0..=1_000_000, |config| &mut config.sandbox.journal_requests);

        /// Memory for all journals together, in MiB
        "journal-memory" "MIB" Whole(1..=4096, |config| &mut config.sandbox.journal_mebibytes),
            is_advanced: true;

        /// Memory for sandboxes and request bodies, in MiB
        ///
        /// It limits what clients can make the server allocate after its start, without the journals:
        /// sandboxes, their records, and request bodies. A request that does not fit is refused.
        "max-memory" "MIB" Whole(32..=65_536, |config| &mut config.sandbox.max_mebibytes),
            is_advanced: true;

        /// Maximum number of open connections
        ///
        /// The limit of the system on open files minus 64 applies if it is lower. At the maximum, a
        /// new connection closes the one that has been idle longest.
        "max-connections" "NUMBER" Whole(1..=1_000_000, |config| &mut config.limits.connections),
            is_advanced: true;
    }
}

/// The pattern of `--now`.
const DAY: &str = concat!(
    "^([0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?",
    "([Zz]|[+-][0-9]{2}:[0-9]{2}))?|today)$"
);

/// The word for the time of the start.
pub(crate) const TODAY: &str = "today";

fn set_host(config: &mut ServerConfig, text: &str) -> Result<(), String> {
    let address = if text == "localhost" { "127.0.0.1" } else { text };
    let wrong = "expected an IP address or localhost, such as 127.0.0.1, 0.0.0.0 or ::1";
    config.host = address.parse().map_err(|_| wrong)?;
    Ok(())
}

fn set_now(config: &mut ServerConfig, text: &str) -> Result<(), String> {
    config.sandbox.records.now = match text {
        TODAY => Day::until((config.sandbox.clock)()),
        day => day.parse().map_err(|error: DayError| format!("{error}, or today"))?,
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
    let (name, value) =
        text.split_once('=').ok_or("expected NAME=VALUE, such as qa-time=milliseconds")?;
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
        return Err("a token must be non-empty visible ASCII without spaces".to_owned());
    }
    config.admin.token = Some(token.to_owned());
    Ok(())
}

fn add_host_name(config: &mut ServerConfig, name: &str) -> Result<(), String> {
    let right = |byte: u8| byte.is_ascii_alphanumeric() || b"-._[:]".contains(&byte);
    let port = name.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    if name.is_empty() || !name.bytes().all(right) || (port && !name.ends_with(']')) {
        return Err("expected a host name without scheme and port, such as mock.example".to_owned());
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

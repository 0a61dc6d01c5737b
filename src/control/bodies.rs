//! The bodies that the control API reads. They are read by the reader of fixtures, which reports all
//! mistakes together, each with its place and the nearest valid word.

use std::collections::HashSet;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::sync::Arc;

use jiter::Peek;
use serde::Serialize;

use super::Failure;
use super::extract::FromBody;
use crate::contract::READINGS;
use crate::document::{At, Diagnostics, Documents, Fatal, Problem, Problems, Reader, Span};
use crate::memory::Purpose;
use crate::records::fixtures::{self, AgentDrafts, FixtureJson, FixtureReader};
use crate::records::world::{NO_DEMO_USER, World};
use crate::sandbox::faults::{Fault, read_fault};
use crate::sandbox::hazard::Hazards;
use crate::sandbox::{
    Clock, MAX_FAULTS, RateLimit, SandboxConfig, Sandboxes, Settings, number_faults,
};
use crate::settings::{Form, ServerConfig, Value, sandbox_keys};
use crate::suggest::is_misspelt;

/// The settings of a sandbox: the server's settings with the changes of the body.
pub(crate) struct SandboxSettings {
    pub(super) settings: Settings,
    /// Warnings about the fixtures in the body.
    pub(super) warnings: Vec<Problem>,
}

impl FromBody for SandboxSettings {
    fn read(sandboxes: &Sandboxes, body: &[u8]) -> Result<Self, Failure> {
        let server = &sandboxes.config;
        let generates = sandboxes.generates();
        let mut config = ServerConfig { sandbox: server.clone(), ..ServerConfig::default() };
        let mut fixtures = None;
        let tolerant = !server.records.strict;
        let (documents, drafts, warnings) =
            read_tolerantly(sandboxes, tolerant, body, |reader, loading| {
                fixtures = read_settings(reader, loading, &mut config, generates)?;
                Ok(())
            })?;
        let mut settings = config.sandbox.settings().map_err(Failure::bad)?;
        let records = &config.sandbox.records;
        if let Some(span) = fixtures {
            let full = |full| Failure::budget_full(sandboxes, &full);
            let (agents, texts, memory) = drafts.into_reserved(documents).map_err(full)?;
            let world = World::of_fixture(agents, &records.api_keys);
            let world = world.map_err(|error| Failure::bad(format!("fixtures: {error}")))?;
            settings.world = Some(Arc::new(world.reserved(memory)));
            settings.fixtures = Some(FixtureJson::new(texts, span));
            (settings.conversations, settings.demo_user) = (None, None);
        } else if generates
            && (records.seed, records.conversations, &records.demo_user)
                != (server.records.seed, server.records.conversations, &server.records.demo_user)
        {
            let world = sandboxes.generated(records);
            let world = world.map_err(|full| Failure::budget_full(sandboxes, &full))?;
            settings.world = Some(world);
        }
        Ok(Self { settings, warnings: warnings.problems })
    }
}

/// A change of a clock.
#[derive(Default)]
pub(crate) struct ClockChange {
    /// How many milliseconds the clock is advanced.
    pub(super) advance_ms: u64,
    /// Whether it stops or runs from now on.
    pub(super) mode: Option<Mode>,
}

/// Whether a clock runs.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema), schemars(inline))]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    Real,
    Frozen,
}

impl Mode {
    const ALL: [(&str, Self); 2] = [("real", Self::Real), ("frozen", Self::Frozen)];

    /// The mode of a clock that is frozen, or not.
    pub(super) fn of(is_frozen: bool) -> Self {
        if is_frozen { Self::Frozen } else { Self::Real }
    }
}

impl ClockChange {
    /// The longest time that a clock can be advanced at once, in milliseconds.
    pub(crate) fn furthest() -> u64 {
        u64::try_from(Clock::MAX_ADVANCE.as_millis()).expect("a hundred years fit into 64 bits")
    }
}

impl FromBody for ClockChange {
    fn read(sandboxes: &Sandboxes, body: &[u8]) -> Result<Self, Failure> {
        let mut change = Self::default();
        read_document(sandboxes, body, |reader| {
            let Some(mut keys) = reader.object("a clock")? else { return Ok(()) };
            while let Some(key) = reader.key(&mut keys, &["advance_ms", "mode"])? {
                if key.value == "mode" {
                    change.mode = read_mode(reader)?;
                } else if let Some(ms) = whole(reader, "milliseconds", 0..=Self::furthest())? {
                    change.advance_ms = ms;
                }
            }
            Ok(())
        })?;
        Ok(change)
    }
}

/// Faults that are added to a sandbox: a single one, or a list as in the settings.
pub(crate) struct NewFaults(pub(super) Vec<Fault>);

impl FromBody for NewFaults {
    fn read(sandboxes: &Sandboxes, body: &[u8]) -> Result<Self, Failure> {
        let mut faults = Vec::new();
        read_document(sandboxes, body, |reader| {
            if reader.peek()? == Peek::Array {
                let begins = reader.here();
                reader.skip()?;
                let message = "expected a fault, a string or an object, got an array";
                let help = r#"write {"faults": [...]}"#;
                reader.problems.add_with_help(begins..reader.here(), message, help);
                return Ok(());
            }
            if !reader.has_key(|key| key == "faults" || is_misspelt(key, ["faults"])) {
                faults.extend(read_fault(reader)?);
                return Ok(());
            }
            let Some(mut keys) = reader.object("faults")? else { return Ok(()) };
            while reader.key(&mut keys, &["faults"])?.is_some() {
                faults.extend(read_fault_list(reader)?.into_iter().map(|(fault, _)| fault));
            }
            Ok(())
        })?;
        if faults.is_empty() {
            Err(Failure::bad("the body contains no fault"))
        } else {
            Ok(Self(faults))
        }
    }
}

/// Reads a whole body, within the memory budget. A body with a mistake has no effect.
pub(super) fn read_document(
    sandboxes: &Sandboxes,
    body: &[u8],
    mut read: impl FnMut(&mut Reader<'_, '_>) -> Result<(), Fatal>,
) -> Result<(), Failure> {
    read_tolerantly(sandboxes, false, body, |reader, _| read(reader)).map(drop)
}

/// Reads a whole body, which may contain a fixture. Returns the warnings, unless they count as errors.
fn read_tolerantly(
    sandboxes: &Sandboxes,
    tolerant: bool,
    body: &[u8],
    mut read: impl FnMut(&mut Reader<'_, '_>, &mut FixtureReader<'_>) -> Result<(), Fatal>,
) -> Result<(Documents, AgentDrafts, Diagnostics), Failure> {
    let full = |full| Failure::budget_full(sandboxes, &full);
    let body = str::from_utf8(body).map_err(|_| Failure::bad("the body is not UTF-8"))?;
    let mut memory = sandboxes.memory.reservation(Purpose::Sandbox);
    // The reader copies the body, and the values that it reads take about as much memory.
    memory.cover(2 * body.len() + 1).map_err(full)?;
    let mut documents = Documents::default();
    documents.add_text("body", body).expect("a body is below the limit of documents");
    memory.cover(documents.bytes() + body.len()).map_err(full)?;
    let mut problems = Problems::default();
    problems.tolerant = tolerant;
    let mut loading = FixtureReader::new(&documents, Some(memory));
    for span in documents.spans() {
        let mut reader = Reader::new(&documents, &span, &mut problems);
        // A syntax error is among the problems.
        let _ = read(&mut reader, &mut loading).and_then(|()| reader.finish());
    }
    let drafts = loading.finish(&mut problems).map_err(full)?;
    let warnings =
        problems.finish(&documents).map_err(|error| Failure::of_document(error, &documents))?;
    Ok((documents, drafts, warnings))
}

/// The text that replaces inline fixtures if settings are shown without them. It is refused when settings
/// are read, because the sandbox would lose its records.
pub(crate) const FIXTURES_LEFT_OUT: &str = "inline, shown with ?fixtures=true";

/// Reads settings into a config. Returns the place of the fixtures, if there are some.
fn read_settings(
    reader: &mut Reader<'_, '_>,
    loading: &mut FixtureReader<'_>,
    config: &mut ServerConfig,
    generates: bool,
) -> Result<Option<Span>, Fatal> {
    let (mut fixtures, mut places) = (None, Vec::new());
    let known: Vec<_> = sandbox_keys().collect();
    let names: Vec<_> = known.iter().map(|(key, _)| key.name).collect();
    let Some(mut keys) = reader.object("a sandbox")? else { return Ok(None) };
    while let Some(At { value: name, span: at }) =
        reader.key_with_help(&mut keys, &names, help_elsewhere)?
    {
        let found = known.iter().find(|(key, _)| key.name == name);
        let (key, setting) = found.expect("the reader gives known keys only");
        places.push((name, at.clone()));
        match setting.map(|setting| &setting.value) {
            None => config.sandbox.is_frozen = read_clock(reader)? == Some(Mode::Frozen),
            Some(Value::Switch(switch)) => {
                if let Some(At { value, .. }) = reader.boolean()? {
                    *switch(config) = value;
                }
            }
            Some(Value::Whole(bounds, number)) => {
                if let Some(value) = whole(reader, key.noun, bounds.clone())? {
                    number(config).set(value);
                }
            }
            Some(Value::Path(_)) => fixtures = read_fixtures(reader, loading)?,
            Some(Value::Text(Form::Reading, _)) => read_readings(reader, &mut config.sandbox)?,
            Some(Value::Text(Form::Fault, _)) => read_faults(reader, &mut config.sandbox)?,
            Some(Value::Text(Form::Hazard, _)) => read_hazards(reader, &mut config.sandbox)?,
            Some(Value::Text(Form::RateLimit, _)) => {
                config.sandbox.rate_limit = read_limit(reader, &at)?;
            }
            Some(Value::Text(_, set)) => {
                if let Some(At { value, span }) = reader.string()?
                    && let Err(why) = set(config, &value)
                {
                    reader.problems.add(span, why);
                }
            }
        }
    }
    let place = |name| places.iter().find(|(key, _)| *key == name).map(|(_, at)| at.clone());
    if fixtures.is_some() || !generates {
        let refusals = [
            ("conversations", "conversations applies to generated records only, not to fixtures"),
            ("demo_user", NO_DEMO_USER),
        ];
        for (name, message) in refusals {
            if let Some(at) = place(name) {
                reader.problems.add_with_help(at, message, "leave it out");
            }
        }
    } else if place("demo_user").is_none() && config.sandbox.records.conversations == 0 {
        // The id may come from the server's settings, and a sandbox without conversations has no users.
        config.sandbox.records.demo_user = None;
    } else if let Some(at) = ["demo_user", "seed", "conversations"].into_iter().find_map(place)
        && let Err(why) = config.sandbox.records.check_demo_user()
    {
        // The id may come from the server's settings, and another user of the sandbox may have it.
        reader.problems.add(at, why);
    }
    Ok(fixtures)
}

/// The help for a key that belongs to another document than settings.
fn help_elsewhere(key: &str) -> Option<&'static str> {
    const ANSWER: &[&str] = &["id", "settings", "state", "warnings"];
    if fixtures::ROOT.contains(&key) {
        Some("put the fixture under \"fixtures\"")
    } else if ANSWER.contains(&key) {
        Some(
            "it is not a setting but a part of the response of GET; send the value of \"settings\"",
        )
    } else {
        None
    }
}

/// Reads fixtures, and returns their place.
fn read_fixtures(
    reader: &mut Reader<'_, '_>,
    loading: &mut FixtureReader<'_>,
) -> Result<Option<Span>, Fatal> {
    if !reader.is_string()? {
        let begins = reader.here();
        loading.read(reader)?;
        return Ok(Some(begins..reader.here()));
    }
    let Some(At { value, span }) = reader.string()? else { return Ok(None) };
    if value == FIXTURES_LEFT_OUT {
        let help = "get the settings by GET with ?fixtures=true";
        reader.problems.add_with_help(span, "the fixtures were left out of these settings", help);
    } else {
        reader.problems.add(span, "expected a fixture (an object), got a string");
    }
    Ok(None)
}

/// A whole number between bounds.
fn whole<N: Display + FromStr + PartialOrd>(
    reader: &mut Reader<'_, '_>,
    what: &str,
    bounds: RangeInclusive<N>,
) -> Result<Option<N>, Fatal> {
    let what = format!("{what}, {} to {}", bounds.start(), bounds.end());
    let Some(At { value, span }) = reader.digits(&what)? else { return Ok(None) };
    let number = value.parse().ok().filter(|number| bounds.contains(number));
    if number.is_none() {
        let got: String = value.chars().take(40).collect();
        reader.problems.add(span, format!("expected {what}, got {got}"));
    }
    Ok(number)
}

fn read_readings(reader: &mut Reader<'_, '_>, config: &mut SandboxConfig) -> Result<(), Fatal> {
    let known: Vec<&str> = READINGS.iter().map(|row| row.name).collect();
    let Some(mut keys) = reader.object("readings by name")? else { return Ok(()) };
    while let Some(key) = reader.key(&mut keys, &known)? {
        if let Some(At { value, span }) = reader.string()?
            && let Err(error) = config.readings.set(key.value, &value)
        {
            reader.problems.add(span, error.to_string());
        }
    }
    Ok(())
}

/// Reads the faults, which replace the server's.
fn read_faults(reader: &mut Reader<'_, '_>, config: &mut SandboxConfig) -> Result<(), Fatal> {
    let (faults, mut places): (Vec<_>, Vec<_>) = read_fault_list(reader)?.into_iter().unzip();
    config.faults.clone_from(&faults);
    if let Err((which, why)) = number_faults(faults, HashSet::new()) {
        reader.problems.add(places.swap_remove(which), why);
    }
    Ok(())
}

/// Reads faults, each with its place.
fn read_fault_list(reader: &mut Reader<'_, '_>) -> Result<Vec<(Fault, Span)>, Fatal> {
    let mut faults = Vec::new();
    reader.array("the faults", |reader| {
        reader.peek()?;
        let begins = reader.here();
        let fault = read_fault(reader)?;
        // A list that is too long is refused after reading, for which one fault too many is enough.
        if faults.len() <= MAX_FAULTS {
            faults.extend(fault.map(|fault| (fault, begins..reader.here())));
        }
        Ok(())
    })?;
    Ok(faults)
}

fn read_limit(reader: &mut Reader<'_, '_>, at: &Span) -> Result<Option<RateLimit>, Fatal> {
    if reader.null()? {
        return Ok(None);
    }
    if reader.is_string()? {
        let Some(At { value, span }) = reader.string()? else { return Ok(None) };
        let limit: Result<_, String> = value.parse();
        return Ok(limit.map_err(|why| reader.problems.add(span, why)).ok());
    }
    let (mut requests, mut seconds) = (None, None);
    let Some(mut keys) = reader.object_or("a rate limit, a string or an object")? else {
        return Ok(None);
    };
    while let Some(key) = reader.key(&mut keys, &["requests", "seconds"])? {
        let (into, most) = match key.value {
            "requests" => (&mut requests, RateLimit::MAX_REQUESTS),
            _ => (&mut seconds, RateLimit::MAX_SECONDS),
        };
        *into = Some(whole(reader, key.value, 1..=most)?);
    }
    let (Some(requests), Some(seconds)) = (requests, seconds) else {
        let help = r#"write {"requests": 60, "seconds": 60}"#;
        reader.problems.add_with_help(at.clone(), "a rate limit needs requests and seconds", help);
        return Ok(None);
    };
    // An invalid number is among the problems.
    let limit = requests.zip(seconds).map(|(requests, seconds)| RateLimit { requests, seconds });
    Ok(limit)
}

/// Reads the hazards, which replace the server's.
fn read_hazards(reader: &mut Reader<'_, '_>, config: &mut SandboxConfig) -> Result<(), Fatal> {
    config.hazards = Hazards::default();
    reader.array("the hazards", |reader| {
        if let Some(At { value, span }) = reader.string()?
            && let Err(why) = config.hazards.add_text(&value)
        {
            reader.problems.add(span, why);
        }
        Ok(())
    })
}

/// `"frozen"`, or `{"mode": "frozen"}`.
fn read_clock(reader: &mut Reader<'_, '_>) -> Result<Option<Mode>, Fatal> {
    if reader.is_string()? {
        return read_mode(reader);
    }
    let mut mode = None;
    let Some(mut keys) = reader.object_or("a clock, a string or an object")? else {
        return Ok(None);
    };
    while reader.key(&mut keys, &["mode"])?.is_some() {
        mode = read_mode(reader)?;
    }
    Ok(mode)
}

fn read_mode(reader: &mut Reader<'_, '_>) -> Result<Option<Mode>, Fatal> {
    let Some(At { value, span }) = reader.string()? else { return Ok(None) };
    let found = Mode::ALL.into_iter().find(|(word, _)| *word == value);
    if found.is_none() {
        let words = Mode::ALL.iter().map(|(word, _)| *word);
        reader.problems.add(span, crate::suggest::unknown("clock", &value, words));
    }
    Ok(found.map(|(_, mode)| mode))
}

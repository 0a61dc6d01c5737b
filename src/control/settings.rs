//! The documents that the control API reads. They share the reader of fixtures: every mistake is
//! told at once, each with its place and the nearest right word.

use std::sync::Arc;
use std::time::Duration;

use super::Failure;
use super::bodies::{MODES, SETTINGS, furthest};
use crate::contract::READINGS;
use crate::document::{At, Documents, Fatal, Problems, Reader, Span};
use crate::records::fixtures::{Drafts, Loading, from_texts};
use crate::records::generate::MAX_CONVERSATIONS;
use crate::records::world::World;
use crate::sandbox::faults::{Fault, read_fault as fault_of};
use crate::sandbox::{RateLimit, Sandboxes, Settings, number_faults};

/// What a document gives of a sandbox.
struct Given {
    settings: Settings,
    conversations: Option<u32>,
    /// Whether it has fixtures.
    fixtures: bool,
}

/// The settings of a sandbox: what the server has, and what the body changes.
pub(super) fn read(all: &Sandboxes, body: Vec<u8>) -> Result<Settings, Failure> {
    let mut given = Given { settings: all.server().clone(), conversations: None, fixtures: false };
    let generates = all.generates();
    let (documents, drafts) = read_document(body, |reader, loading| {
        read_sandbox(reader, loading, &mut given, generates)
    })?;
    let Given { mut settings, conversations, fixtures } = given;
    if fixtures {
        let world = World::of_fixture(drafts.into_agents(documents), &all.config.records.api_keys);
        let world = world.map_err(|error| Failure::bad(format!("fixtures: {error}")))?;
        settings.world = Some(Arc::new(world));
    } else if generates {
        let conversations = conversations.unwrap_or(all.config.records.conversations);
        if (settings.seed, conversations)
            != (all.config.records.seed, all.config.records.conversations)
        {
            settings.world = Some(all.generated(settings.seed, conversations));
        }
    }
    Ok(settings)
}

/// How a clock is to change.
pub(super) struct ClockChange {
    pub(super) frozen: Option<bool>,
    pub(super) advance: Duration,
}

pub(super) fn read_clock(body: Vec<u8>) -> Result<ClockChange, Failure> {
    let mut change = ClockChange { frozen: None, advance: Duration::ZERO };
    read_document(body, |reader, _| {
        let Some(mut keys) = reader.object("a clock")? else { return Ok(()) };
        while let Some(key) = reader.key(&mut keys, &["advance_ms", "mode"])? {
            if key.value == "mode" {
                change.frozen = read_mode(reader)?;
                continue;
            }
            let ms = whole(reader, "milliseconds", 0, furthest())?;
            change.advance = Duration::from_millis(ms.unwrap_or(0));
        }
        Ok(())
    })?;
    Ok(change)
}

pub(super) fn read_fault(body: Vec<u8>) -> Result<Fault, Failure> {
    let mut fault = None;
    read_document(body, |reader, _| {
        fault = fault_of(reader)?;
        Ok(())
    })?;
    fault.ok_or_else(|| Failure::bad("there is no fault"))
}

/// Reads the whole of a body. Nothing is done where anything is wrong.
pub(super) fn read_document(
    body: Vec<u8>,
    mut read: impl FnMut(&mut Reader<'_, '_>, &mut Loading<'_>) -> Result<(), Fatal>,
) -> Result<(Documents, Drafts), Failure> {
    let Ok(body) = String::from_utf8(body) else {
        return Err(Failure::bad("the body is not UTF-8"));
    };
    let documents = from_texts([("body".to_owned(), body.as_str())]);
    drop(body);
    let mut problems = Problems::default();
    let mut loading = Loading::new(&documents);
    for span in documents.spans() {
        let mut reader = Reader::new(&documents, &span, &mut problems);
        // A syntax error is told.
        let _ = read(&mut reader, &mut loading).and_then(|()| reader.finish());
    }
    let drafts = loading.finish(&mut problems);
    if !problems.is_empty() {
        return Err(problems.into_error(&documents).into());
    }
    Ok((documents, drafts))
}

fn read_sandbox(
    reader: &mut Reader<'_, '_>,
    loading: &mut Loading<'_>,
    given: &mut Given,
    generates: bool,
) -> Result<(), Fatal> {
    let Some(mut keys) = reader.object("a sandbox")? else { return Ok(()) };
    let mut conversations_at = None;
    let settings = &mut given.settings;
    while let Some(key) = reader.key(&mut keys, &SETTINGS.each_ref().map(|row| row.key))? {
        match key.value {
            "seed" => settings.seed = whole(reader, "a seed", 0, u64::MAX)?.unwrap_or_default(),
            "conversations" => {
                let most = u64::from(MAX_CONVERSATIONS);
                let number = whole(reader, "a number of conversations", 0, most)?;
                given.conversations = number.and_then(|number| u32::try_from(number).ok());
                conversations_at = Some(key.span);
            }
            "fixtures" => {
                given.fixtures = true;
                loading.read(reader)?;
            }
            "readings" => read_readings(reader, settings)?,
            "faults" => read_faults(reader, settings, &key.span)?,
            "rate_limit" => settings.rate_limit = read_limit(reader, &key.span)?,
            "hazards" => read_hazards(reader, settings)?,
            _ => settings.frozen = read_clock_mode(reader)?.unwrap_or_default(),
        }
    }
    if let Some(at) = conversations_at
        && (given.fixtures || !generates)
    {
        let message = "conversations are generated where there are no fixtures";
        reader.problems.add_with_help(at, message, "leave it out");
    }
    Ok(())
}

/// A whole number between bounds.
fn whole(
    reader: &mut Reader<'_, '_>,
    what: &str,
    least: u64,
    most: u64,
) -> Result<Option<u64>, Fatal> {
    let what = format!("{what}, {least} to {most}");
    let Some(At { value, span }) = reader.digits(&what)? else { return Ok(None) };
    match value.parse() {
        Ok(number) if (least..=most).contains(&number) => Ok(Some(number)),
        _ => {
            let got: String = value.chars().take(40).collect();
            reader.problems.add(span, format!("expected {what}, got {got}"));
            Ok(None)
        }
    }
}

fn read_readings(reader: &mut Reader<'_, '_>, settings: &mut Settings) -> Result<(), Fatal> {
    let known: Vec<&str> = READINGS.iter().map(|row| row.name).collect();
    let Some(mut keys) = reader.object("readings by name")? else { return Ok(()) };
    while let Some(key) = reader.key(&mut keys, &known)? {
        if let Some(At { value, span }) = reader.string()?
            && let Err(error) = settings.readings.set(key.value, &value)
        {
            reader.problems.add(span, error.to_string());
        }
    }
    Ok(())
}

/// In place of the server's.
fn read_faults(
    reader: &mut Reader<'_, '_>,
    settings: &mut Settings,
    at: &Span,
) -> Result<(), Fatal> {
    let mut faults = Vec::new();
    reader.array("the faults", |reader| {
        faults.extend(fault_of(reader)?);
        Ok(())
    })?;
    match number_faults(faults) {
        Ok(faults) => settings.faults = faults,
        Err(why) => reader.problems.add(at.clone(), why),
    }
    Ok(())
}

fn read_limit(reader: &mut Reader<'_, '_>, at: &Span) -> Result<Option<RateLimit>, Fatal> {
    if reader.null()? {
        return Ok(None);
    }
    if reader.is_string()? {
        let Some(At { value, span }) = reader.string()? else { return Ok(None) };
        return match value.parse() {
            Ok(limit) => Ok(Some(limit)),
            Err(why) => {
                let why: String = why;
                reader.problems.add(span, why);
                Ok(None)
            }
        };
    }
    let (mut requests, mut seconds) = (None, None);
    let Some(mut keys) = reader.object_or("a rate limit, a string or an object")? else {
        return Ok(None);
    };
    while let Some(key) = reader.key(&mut keys, &["requests", "seconds"])? {
        let (into, most) = match key.value {
            "requests" => (&mut requests, RateLimit::MOST_REQUESTS),
            _ => (&mut seconds, RateLimit::MOST_SECONDS),
        };
        *into = Some(whole(reader, key.value, 1, most.into())?);
    }
    let number = |number: Option<u64>| number.and_then(|number| u32::try_from(number).ok());
    let (Some(requests), Some(seconds)) = (requests, seconds) else {
        let help = r#"write {"requests": 60, "seconds": 60}"#;
        reader.problems.add_with_help(at.clone(), "a rate limit has two numbers", help);
        return Ok(None);
    };
    // What is wrong in them is told.
    let limit = number(requests).zip(number(seconds));
    Ok(limit.and_then(|(requests, seconds)| RateLimit::new(requests, seconds).ok()))
}

/// In place of the server's.
fn read_hazards(reader: &mut Reader<'_, '_>, settings: &mut Settings) -> Result<(), Fatal> {
    settings.hazards = crate::sandbox::hazard::Hazards::default();
    reader.array("the hazards", |reader| {
        if let Some(At { value, span }) = reader.string()?
            && let Err(why) = settings.hazards.add_text(&value)
        {
            reader.problems.add(span, why);
        }
        Ok(())
    })
}

/// `"frozen"`, or `{"mode": "frozen"}`.
fn read_clock_mode(reader: &mut Reader<'_, '_>) -> Result<Option<bool>, Fatal> {
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

fn read_mode(reader: &mut Reader<'_, '_>) -> Result<Option<bool>, Fatal> {
    let Some(At { value, span }) = reader.string()? else { return Ok(None) };
    let found = MODES.iter().find(|(word, _)| *word == value);
    if found.is_none() {
        let words = MODES.iter().map(|(word, _)| *word);
        reader.problems.add(span, crate::suggest::unknown("clock", &value, words));
    }
    Ok(found.map(|(_, frozen)| *frozen))
}

//! What the bodies of requests hold: the table of a sandbox's settings, and the schemas of all.
//! Patterns of requests have theirs beside their reader (`pattern.rs`).

use serde_json::{Map, Value, json};

use crate::contract::{ENDPOINTS, READINGS};
use crate::generate::MAX_CONVERSATIONS;
use crate::hazard::HAZARDS;
use crate::sandbox::{Clock, MOST_FAULTS, RateLimit};
use crate::shape::{Object, Schemas, described, sentence, words};

/// A setting of a sandbox.
pub(super) struct Setting {
    pub(super) key: &'static str,
    pub(super) about: &'static str,
    schema: fn(&mut Schemas) -> Value,
}

const fn row(key: &'static str, schema: fn(&mut Schemas) -> Value, about: &'static str) -> Setting {
    Setting { key, about, schema }
}

/// Every setting of a sandbox.
pub(super) const SETTINGS: [Setting; 8] = [
    row(
        "seed",
        |_| json!({ "type": "integer", "minimum": 0, "maximum": u64::MAX }),
        "what generated records and faults are drawn from, 0 to 2^64 - 1. Records of its own take \
         memory: 50 to 160 KiB for 200 conversations; sandboxes with the same seed share them",
    ),
    row(
        "conversations",
        |_| json!({ "type": "integer", "minimum": 0, "maximum": MAX_CONVERSATIONS }),
        "how many agent *demo* has, up to 10,000,000",
    ),
    row(
        "fixtures",
        fixture,
        "agents in place of the server's, as in a fixture file: `{\"agents\": [...]}`",
    ),
    row("readings", |_| readings(false), "by name: `{\"qa-time\": \"milliseconds\"}`"),
    row(
        "faults",
        |schemas| {
            let fault = crate::faults::schema(schemas);
            json!({ "type": "array", "items": fault, "maxItems": MOST_FAULTS })
        },
        "a list of lines or objects, see [FAULTS.md](FAULTS.md)",
    ),
    row(
        "rate_limit",
        |_| rate_limit(),
        "`{\"requests\": 60, \"seconds\": 60}`, `\"60/60\"` or `null`",
    ),
    row("hazards", |_| hazards(), "a list of words, see [HAZARDS.md](HAZARDS.md)"),
    row("clock", |_| clock_mode(), "`\"real\"` or `\"frozen\"`"),
];

/// The words for a clock.
pub(super) const MODES: [(&str, bool); 2] = [("real", false), ("frozen", true)];

/// The furthest that a clock is moved at once, in milliseconds.
pub(super) fn furthest() -> u64 {
    u64::try_from(Clock::FURTHEST.as_millis()).unwrap_or(u64::MAX)
}

/// The settings of a sandbox.
pub(super) fn sandbox(schemas: &mut Schemas) -> Value {
    schemas.named("Settings", |schemas| {
        let mut object = Object::new("The settings of a sandbox.", "snake_case");
        for Setting { key, about, schema } in &SETTINGS {
            object.key(key, &sentence(about), false, schema(schemas));
        }
        let mut object = object.finish();
        // They are generated where there are no fixtures.
        object["not"] = json!({ "required": ["conversations", "fixtures"] });
        object
    })
}

/// How a clock changes.
pub(super) fn clock(schemas: &mut Schemas) -> Value {
    schemas.named("ClockChange", |_| {
        let mut object = Object::new("How a clock changes.", "snake_case");
        let advance = json!({ "type": "integer", "minimum": 0, "maximum": furthest() });
        object.key("advance_ms", "So many milliseconds are added.", false, advance);
        object.key("mode", "It stops, or goes on.", false, mode());
        object.finish()
    })
}

pub(super) fn mode() -> Value {
    words(MODES.map(|(word, _)| word))
}

fn clock_mode() -> Value {
    let mut object = Object::new("The same as an object.", "snake_case");
    object.key("mode", "The word.", false, mode());
    json!({ "anyOf": [mode(), object.finish()] })
}

/// Readings by name: all of them, or any.
pub(super) fn readings(all: bool) -> Value {
    let mut object = Object::new("", "snake_case");
    for row in READINGS {
        let about = format!("Open because {}.", row.why);
        object.key(row.name, &about, all, words(row.values.iter().map(|(word, _)| *word)));
    }
    object.finish()
}

/// A list of hazards, each for all operations or for one.
pub(super) fn hazards() -> Value {
    let operations: Vec<&str> = ENDPOINTS.iter().map(|row| row.id).collect();
    let hazards = HAZARDS.each_ref().map(|row| row.word);
    let pattern = format!("^(({}):)?({})$", operations.join("|"), hazards.join("|"));
    json!({ "type": "array", "items": { "type": "string", "pattern": pattern } })
}

fn rate_limit() -> Value {
    let number = |most: u32| json!({ "type": "integer", "minimum": 1, "maximum": most });
    let about = "So many requests of each key in so many seconds.";
    let mut object = Object::new(about, "snake_case");
    object.key("requests", "So many requests.", true, number(RateLimit::MOST_REQUESTS));
    object.key("seconds", "The seconds.", true, number(RateLimit::MOST_SECONDS));
    let text = json!({ "type": "string", "pattern": "^[0-9]+/[0-9]+$", "examples": ["60/60"] });
    let none = json!({ "type": "null", "description": "No limit." });
    json!({ "anyOf": [object.finish(), described(text, "The same as a line."), none] })
}

/// The schema that editors read of fixtures.
const FIXTURE: &str = include_str!("../../fixtures/schema.json");

/// A fixture, as editors know it. Its parts become components, so that tools that know no `$defs`
/// find them.
fn fixture(schemas: &mut Schemas) -> Value {
    schemas.named("Fixture", |schemas| {
        let mut whole: Value = serde_json::from_str(FIXTURE).unwrap_or_default();
        point_to_components(&mut whole);
        let whole = whole.as_object_mut().map(std::mem::take).unwrap_or_default();
        let mut whole: Map<String, Value> = whole;
        whole.remove("$schema");
        if let Some(Value::Object(parts)) = whole.remove("$defs") {
            schemas.0.extend(parts.into_iter().map(|(name, part)| (part_name(&name), part)));
        }
        whole.into()
    })
}

/// Turns every reference into one to the component.
fn point_to_components(value: &mut Value) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                match value.as_str().and_then(|to| to.strip_prefix("#/$defs/")) {
                    Some(name) if key == "$ref" => {
                        *value = format!("#/components/schemas/{}", part_name(name)).into();
                    }
                    _ => point_to_components(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(point_to_components),
        _ => {}
    }
}

/// `FixtureAgent`
fn part_name(name: &str) -> String {
    let (first, rest) = name.split_at(1);
    format!("Fixture{}{rest}", first.to_uppercase())
}

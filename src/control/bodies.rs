//! What the bodies of requests hold: the table of a sandbox's settings, and the schemas of all.
//! Patterns of requests have theirs beside their reader (`pattern.rs`).

use serde::Serialize;

use crate::contract::{ENDPOINTS, READINGS};
use crate::records::generate::MAX_CONVERSATIONS;
use crate::sandbox::hazard::HAZARDS;
use crate::sandbox::{Clock, MOST_FAULTS, RateLimit};
use crate::shape::{
    Object, Schemas, Shape, With, any_of, at_least, capital, described, sentence, text_like, words,
};
use serde_json::{Value, json};

/// A setting of a sandbox.
pub(crate) struct Setting {
    pub(crate) key: &'static str,
    pub(crate) about: &'static str,
    /// The page of `docs/` that says more.
    pub(crate) more: Option<&'static str>,
    schema: fn(&mut Schemas) -> Value,
}

const fn row(key: &'static str, schema: fn(&mut Schemas) -> Value, about: &'static str) -> Setting {
    Setting { key, about, more: None, schema }
}

/// Every setting of a sandbox.
pub(crate) const SETTINGS: [Setting; 8] = [
    row(
        "seed",
        |_| at_least(0).with("maximum", u64::MAX),
        "what generated records and faults are drawn from, 0 to 2^64 - 1. Records of its own take \
         memory: 50 to 160 KiB for 200 conversations; sandboxes with the same seed share them",
    ),
    row(
        "conversations",
        |_| at_least(0).with("maximum", MAX_CONVERSATIONS),
        "how many agent *demo* has, up to 10,000,000",
    ),
    row(
        "fixtures",
        fixture,
        "agents in place of the server's, as in a fixture file: `{\"agents\": [...]}`",
    ),
    row("readings", |_| readings(false), "by name: `{\"qa-time\": \"milliseconds\"}`"),
    Setting {
        more: Some("FAULTS.md"),
        ..row(
            "faults",
            |schemas| {
                let fault = crate::sandbox::faults::schema(schemas);
                json!({ "type": "array", "items": fault, "maxItems": MOST_FAULTS })
            },
            "a list of lines or objects",
        )
    },
    row(
        "rate_limit",
        |_| rate_limit(),
        "`{\"requests\": 60, \"seconds\": 60}`, `\"60/60\"` or `null`",
    ),
    Setting {
        more: Some("HAZARDS.md"),
        ..row("hazards", <[HazardText]>::schema, "a list of words")
    },
    row("clock", |_| clock_mode(), "`\"real\"` or `\"frozen\"`"),
];

/// Examples of sandboxes, most of them from the README.
pub(crate) const SANDBOXES: &[(&str, &str)] = &[
    ("third-page-fails", r#"{"faults": ["conversations:code=50000,after=2,times=1"]}"#),
    ("rate-limit", r#"{"rate_limit": {"requests": 2, "seconds": 60}, "clock": "frozen"}"#),
    ("paging-while-data-changes", r#"{"hazards": ["arrival"]}"#),
    (
        "another-reading",
        r#"{"seed": 7, "conversations": 50, "readings": {"qa-time": "milliseconds"}}"#,
    ),
    (
        "own-records",
        r#"{"fixtures": {"agents": [{"name": "mine", "conversations": [
            {"messages": [{"q": "Do you deliver on Sundays?", "a": "From 9 to 12."}]}
        ]}]}}"#,
    ),
];

/// Examples of how a clock changes.
pub(crate) const CLOCKS: &[(&str, &str)] =
    &[("a-minute-passes", r#"{"advance_ms": 60000}"#), ("stop", r#"{"mode": "frozen"}"#)];

/// Examples of faults.
pub(crate) const FAULTS: &[(&str, &str)] = &[
    ("line", r#""messages:code=50000,every=3""#),
    ("object", r#"{"operation": "messages", "code": 50000, "every": 3}"#),
];

/// The words for a clock.
pub(crate) const MODES: [(&str, bool); 2] = [("real", false), ("frozen", true)];

/// The furthest that a clock is moved at once, in milliseconds.
pub(crate) fn furthest() -> u64 {
    u64::try_from(Clock::FURTHEST.as_millis()).unwrap_or(u64::MAX)
}

/// The settings of a sandbox.
pub(crate) fn sandbox(schemas: &mut Schemas) -> Value {
    schemas.named("Settings", |schemas| {
        let mut object = Object::new("The settings of a sandbox.");
        for Setting { key, about, more, schema } in &SETTINGS {
            let more = more.map(|page| format!(" docs/{page} says more.")).unwrap_or_default();
            object = object.key(key, &(sentence(about) + &more), false, schema(schemas));
        }
        // They are generated where there are no fixtures.
        let none = json!({ "properties": { "fixtures": false } });
        object.finish().with("dependentSchemas", json!({ "conversations": none }))
    })
}

/// How a clock changes.
pub(crate) fn clock(schemas: &mut Schemas) -> Value {
    schemas.named("ClockChange", |_| {
        let advance = at_least(0).with("maximum", furthest());
        Object::new("How a clock changes.")
            .key("advance_ms", "So many milliseconds are added.", false, advance)
            .key("mode", "It stops, or goes on.", false, mode())
            .finish()
    })
}

pub(crate) fn mode() -> Value {
    words(MODES.map(|(word, _)| word))
}

fn clock_mode() -> Value {
    let object = Object::new("The same as an object.").key("mode", "The word.", false, mode());
    any_of([mode(), object.finish()])
}

/// Readings by name: all of them, or any.
pub(crate) fn readings(all: bool) -> Value {
    let mut object = Object::new("");
    for row in READINGS {
        let values = row.values.iter().map(|(word, does)| format!("`{word}`: {}", does.trim()));
        let values: Vec<String> = values.collect();
        let (affects, why) = (capital(row.affects), row.why);
        let about = format!("{affects}. {}. Open because {why}.", values.join("; "));
        let words = words(row.values.iter().map(|(word, _)| *word));
        object = object.key(row.name, &about, all, words);
    }
    object.finish()
}

/// A hazard, for all operations or for one.
#[derive(Serialize)]
#[serde(transparent)]
pub(crate) struct HazardText(pub(crate) String);

impl Shape for HazardText {
    fn schema(schemas: &mut Schemas) -> Value {
        schemas.named("Hazard", |_| {
            let each = HAZARDS.iter().map(|row| format!("\n\n`{}`: {}", row.word, row.about));
            let about = "What happens to a client between two pages: with the word alone on every \
                         operation, with an operation before it on that one.";
            let about = about.to_owned() + &each.collect::<String>();
            let alone = HAZARDS.iter().map(|row| row.word.to_owned());
            let of = |id| HAZARDS.iter().map(move |row| format!("{id}:{}", row.word));
            let all: Vec<_> = alone.chain(ENDPOINTS.iter().flat_map(|row| of(row.id))).collect();
            described(words(all.iter().map(String::as_str)), &about)
        })
    }
}

/// How many requests of each key a window has.
pub(crate) fn limit_requests() -> Value {
    at_least(1).with("maximum", RateLimit::MOST_REQUESTS)
}

/// How long a window is.
pub(crate) fn limit_seconds() -> Value {
    at_least(1).with("maximum", RateLimit::MOST_SECONDS)
}

fn rate_limit() -> Value {
    let object = Object::new("So many requests of each key in so many seconds.")
        .key("requests", "How many requests of each key a window has.", true, limit_requests())
        .key("seconds", "How many seconds a window lasts.", true, limit_seconds())
        .finish();
    let line = text_like("^[0-9]+/[0-9]+$").with("examples", Value::from_iter(["60/60"]));
    let line = described(line, "Requests and seconds as a line.");
    let none = json!({ "type": "null", "description": "No limit." });
    any_of([object, line, none])
}

/// The schema that editors read of fixtures.
const FIXTURE: &str = include_str!("../../fixtures/schema.json");

/// A fixture, as editors know it. Its parts become components, so that tools that know no `$defs`
/// find them.
fn fixture(schemas: &mut Schemas) -> Value {
    schemas.named("Fixture", |schemas| {
        let mut whole: Value = serde_json::from_str(FIXTURE).expect("it is JSON");
        point_to_components(&mut whole);
        if let Value::Object(parts) = whole["$defs"].take() {
            for (name, part) in parts {
                schemas.add(part_name(&name), part);
            }
        }
        whole.as_object_mut().expect("it is an object").retain(|key, _| !key.starts_with('$'));
        whole
    })
}

/// Turns every reference into one to the component.
fn point_to_components(node: &mut Value) {
    match node {
        Value::Object(entries) => {
            for (_, value) in entries {
                point_to_components(value);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(point_to_components),
        _ => {
            if let Some(name) = node.as_str().and_then(|to| to.strip_prefix("#/$defs/")) {
                *node = format!("#/components/schemas/{}", part_name(name)).into();
            }
        }
    }
}

/// `FixtureAgent`
fn part_name(name: &str) -> String {
    let (first, rest) = name.split_at(1);
    format!("Fixture{}{rest}", first.to_uppercase())
}

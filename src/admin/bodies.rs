//! What the bodies of requests hold: the table of a sandbox's settings, and the schemas of all.
//! Patterns of requests have theirs beside their reader (`pattern.rs`).

use crate::contract::{ENDPOINTS, READINGS};
use crate::generate::MAX_CONVERSATIONS;
use crate::hazard::HAZARDS;
use crate::node::{Node, object};
use crate::openapi::sentence;
use crate::sandbox::{Clock, MOST_FAULTS, RateLimit};
use crate::shape::{Object, Schemas, any_of, at_least, described, text_like, words};

/// A setting of a sandbox.
pub(super) struct Setting {
    pub(super) key: &'static str,
    pub(super) about: &'static str,
    schema: fn(&mut Schemas) -> Node,
}

const fn row(key: &'static str, schema: fn(&mut Schemas) -> Node, about: &'static str) -> Setting {
    Setting { key, about, schema }
}

/// Every setting of a sandbox.
pub(super) const SETTINGS: [Setting; 8] = [
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
    row(
        "faults",
        |schemas| {
            let fault = crate::faults::schema(schemas);
            object! { "type" => "array", "items" => fault, "maxItems" => MOST_FAULTS }
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
pub(super) fn sandbox(schemas: &mut Schemas) -> Node {
    schemas.named("Settings", |schemas| {
        let mut object = Object::new("The settings of a sandbox.");
        for Setting { key, about, schema } in &SETTINGS {
            object = object.key(key, &sentence(about), false, schema(schemas));
        }
        // They are generated where there are no fixtures.
        let none = object! { "properties" => object! { "fixtures" => false } };
        object.finish().with("dependentSchemas", object! { "conversations" => none })
    })
}

/// How a clock changes.
pub(super) fn clock(schemas: &mut Schemas) -> Node {
    schemas.named("ClockChange", |_| {
        let advance = at_least(0).with("maximum", furthest());
        Object::new("How a clock changes.")
            .key("advance_ms", "So many milliseconds are added.", false, advance)
            .key("mode", "It stops, or goes on.", false, mode())
            .finish()
    })
}

pub(super) fn mode() -> Node {
    words(MODES.map(|(word, _)| word))
}

fn clock_mode() -> Node {
    let object = Object::new("The same as an object.").key("mode", "The word.", false, mode());
    any_of([mode(), object.finish()])
}

/// Readings by name: all of them, or any.
pub(super) fn readings(all: bool) -> Node {
    let mut object = Object::new("");
    for row in READINGS {
        let about = format!("Open because {}.", row.why);
        let words = words(row.values.iter().map(|(word, _)| *word));
        object = object.key(row.name, &about, all, words);
    }
    object.finish()
}

/// A list of hazards, each for all operations or for one.
pub(super) fn hazards() -> Node {
    let operations: Vec<&str> = ENDPOINTS.iter().map(|row| row.id).collect();
    let hazards = HAZARDS.each_ref().map(|row| row.word);
    let pattern = format!("^(({}):)?({})$", operations.join("|"), hazards.join("|"));
    object! { "type" => "array", "items" => text_like(&pattern) }
}

fn rate_limit() -> Node {
    let number = |most: u32| at_least(1).with("maximum", most);
    let object = Object::new("So many requests of each key in so many seconds.")
        .key("requests", "So many requests.", true, number(RateLimit::MOST_REQUESTS))
        .key("seconds", "The seconds.", true, number(RateLimit::MOST_SECONDS))
        .finish();
    let line = text_like("^[0-9]+/[0-9]+$").with("examples", Node::list(["60/60"]));
    let line = described(line, "The same as a line.");
    let none = object! { "type" => "null", "description" => "No limit." };
    any_of([object, line, none])
}

/// The schema that editors read of fixtures.
const FIXTURE: &str = include_str!("../../fixtures/schema.json");

/// A fixture, as editors know it. Its parts become components, so that tools that know no `$defs`
/// find them.
fn fixture(schemas: &mut Schemas) -> Node {
    schemas.named("Fixture", |schemas| {
        let mut whole = Node::read(FIXTURE.as_bytes());
        point_to_components(&mut whole);
        whole.take("$schema");
        if let Some(Node::Object(parts)) = whole.take("$defs") {
            for (name, part) in parts {
                schemas.add(part_name(&name), part);
            }
        }
        whole
    })
}

/// Turns every reference into one to the component.
fn point_to_components(node: &mut Node) {
    match node {
        Node::Object(entries) => {
            for (_, value) in entries {
                point_to_components(value);
            }
        }
        Node::List(items) => items.iter_mut().for_each(point_to_components),
        Node::Leaf(leaf) => {
            if let Some(name) = leaf.as_str().and_then(|to| to.strip_prefix("#/$defs/")) {
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

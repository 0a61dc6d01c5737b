//! `docs/config.schema.json`: what `--config` reads, from the flags that the keys stand for.

use clap::builder::PossibleValue;
use clap::{Arg, ArgAction};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::parts::print;
use super::schema::{With, text, text_like};
use crate::cli::{CONNECTIONS, JOURNAL_MEMORY, JOURNAL_REQUESTS, PATHS, settings};
use crate::contract::READINGS;
use crate::control::HazardText;
use crate::records::generate::MAX_CONVERSATIONS;
use crate::sandbox::faults::Fault;

/// The schema of the settings.
pub(super) fn schema() -> String {
    let mut properties = json!({ "$schema": text() });
    for flag in settings() {
        let name = flag.get_long().expect("a setting has a long flag");
        let property = value(name, &flag).with("description", about(name, &flag));
        properties[name] = match default(&flag, &property) {
            Some(default) => property.with("default", default),
            None => property,
        };
    }
    print(&json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "gptbots-mock settings",
        "description": "What `gptbots-mock --config FILE` reads. A key is a flag without its dashes. \
                        Flags and variables come before it; what is not set has its default.",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    }))
}

/// What the help says, without how to repeat a flag: a file has lists.
fn about(name: &str, flag: &Arg) -> String {
    let help = flag.get_help().expect("a flag has a help").to_string();
    let once = match help.split_once(" (repeat") {
        Some((before, after)) => {
            before.to_owned() + after.split_once(')').expect("the bracket closes").1
        }
        None => help,
    };
    let relative =
        if PATHS.contains(&name) { " (relative to the folder of this file)" } else { "" };
    format!("{once}{relative}.")
}

fn value(name: &str, flag: &Arg) -> Value {
    let one = match name {
        "host" => text().with("examples", json!(["0.0.0.0", "localhost"])),
        "port" => whole(0, u16::MAX),
        "seed" => whole(0, u64::MAX),
        "conversations" => whole(0, MAX_CONVERSATIONS),
        "journal" => whole(*JOURNAL_REQUESTS.start(), *JOURNAL_REQUESTS.end()),
        "journal-memory" => whole(*JOURNAL_MEMORY.start(), *JOURNAL_MEMORY.end()),
        "max-connections" => whole(*CONNECTIONS.start(), *CONNECTIONS.end()),
        "now" => text_like(concat!(
            "^([0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?",
            "([Zz]|[+-][0-9]{2}:[0-9]{2}))?|today)$"
        )),
        "api-key" => text_like(r"^[!-+\--}]+$"),
        "admin-token" => text_like("^[!-~]+$"),
        "rate-limit" => text_like("^[0-9]+/[0-9]+$").with("examples", json!(["60/60"])),
        "reading" => return readings(),
        "fault" => inline::<Fault>(),
        "hazard" => inline::<HazardText>(),
        _ if matches!(flag.get_action(), ArgAction::SetTrue) => json!({ "type": "boolean" }),
        _ => match &*flag.get_possible_values() {
            [] => text(),
            words => {
                json!({ "enum": words.iter().map(PossibleValue::get_name).collect::<Value>() })
            }
        },
    };
    match flag.get_action() {
        ArgAction::Append => json!({ "type": "array", "items": one }),
        _ => one,
    }
}

fn whole(least: impl Into<Value>, most: impl Into<Value>) -> Value {
    json!({ "type": "integer", "minimum": least.into(), "maximum": most.into() })
}

fn readings() -> Value {
    let words = |values: &[(&str, &str)]| values.iter().map(|(word, _)| *word).collect::<Value>();
    let readings = READINGS.iter().map(|row| (row.name, json!({ "enum": words(row.values) })));
    let readings: Value = readings.collect();
    json!({ "type": "object", "additionalProperties": false, "properties": readings })
}

/// A schema that refers to no other: editors read this file alone.
fn inline<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|it| it.inline_subschemas = true);
    T::json_schema(&mut settings.into_generator()).into()
}

/// The default of a flag as JSON.
fn default(flag: &Arg, schema: &Value) -> Option<Value> {
    if matches!(flag.get_action(), ArgAction::SetTrue) {
        return Some(false.into());
    }
    let default = flag.get_default_values().first()?.to_str().expect("a default is a text");
    Some(if schema["type"] == "integer" {
        default.parse().expect("a default is right")
    } else {
        default.into()
    })
}

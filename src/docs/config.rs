//! `docs/config.schema.json`: what `--config` reads, from the table of settings.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::parts::print;
use super::schema::{With, text, text_like};
use crate::contract::READINGS;
use crate::sandbox::faults::Fault;
use crate::sandbox::hazard::Hazard;
use crate::settings::{self, Form, SETTINGS, Setting};

/// The schema of the settings.
pub(super) fn schema() -> String {
    let mut properties = json!({ "$schema": text() });
    for setting in SETTINGS {
        let one = value(setting);
        let property = one.with("description", about(setting));
        properties[setting.name] = match default(setting) {
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
fn about(setting: &Setting) -> String {
    let help = setting.about;
    let once = match help.split_once(" (repeat") {
        Some((before, after)) => {
            before.to_owned() + after.split_once(')').expect("the bracket closes").1
        }
        None => help.to_owned(),
    };
    let relative = match setting.value {
        settings::Value::Path(_) => " (relative to the folder of this file)",
        _ => "",
    };
    format!("{once}{relative}.")
}

/// What a setting takes.
pub(super) fn value(setting: &Setting) -> Value {
    let one = match &setting.value {
        settings::Value::Switch(_) => json!({ "type": "boolean" }),
        settings::Value::Whole(bounds, _) => {
            json!({ "type": "integer", "minimum": bounds.start(), "maximum": bounds.end() })
        }
        settings::Value::Path(_) => text(),
        settings::Value::Text(form, _) => match form {
            Form::Any([]) => text(),
            Form::Any(examples) => text().with("examples", json!(examples)),
            Form::Like(pattern) | Form::Secret(pattern) => text_like(pattern),
            Form::Words(words) => json!({ "enum": words }),
            Form::Reading => return readings(),
            Form::Fault => inline::<Fault>(),
            Form::RateLimit => text_like("^[0-9]+/[0-9]+$").with("examples", json!(["60/60"])),
            Form::Hazard => inline::<Hazard>(),
        },
    };
    if setting.is_list { json!({ "type": "array", "items": one }) } else { one }
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

/// The default of a setting as JSON.
fn default(setting: &Setting) -> Option<Value> {
    match setting.value {
        settings::Value::Switch(_) => Some(false.into()),
        settings::Value::Whole(..) => Some(setting.default()?.parse().expect("a number is JSON")),
        _ => setting.default().map(Value::from),
    }
}

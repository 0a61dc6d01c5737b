//! `docs/config.schema.json`: the schema of the file that `--config` reads, made of the table of settings.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::parts::print;
use super::schema::{With, text, text_like};
use crate::contract::READINGS;
use crate::sandbox::faults::Fault;
use crate::sandbox::hazard::Hazard;
use crate::settings::{self, Form, SETTINGS, Setting};

/// The schema of a config file.
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
        "description": "The file that `gptbots-mock --config FILE` reads. A key is a flag without its \
                        dashes. Flags and variables override the file; settings that are nowhere set \
                        have their defaults.",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    }))
}

/// The description of a setting, with how its path is read.
fn about(setting: &Setting) -> String {
    let relative = match setting.value {
        settings::Value::Path(_) => " A relative path starts at the folder of this file.",
        _ => "",
    };
    setting.description() + relative
}

/// The schema of a setting's value.
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

/// A schema without references to other files, because editors read only this file.
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

//! The schemas of responses, rows and errors.

use super::{channels, cite, name_of, operations, read, sentence};
use crate::contract::{
    CONTENT_CLOSE, CONTENT_OPEN, ENDPOINTS, Endpoint, JsonType, Key, TotalPlace,
};
use crate::docs::schema::{self, ObjectSchema, With, or_null, reference, text};
use serde_json::{Value, json};

pub(super) fn all() -> Value {
    let mut schemas = Vec::new();
    for endpoint in ENDPOINTS {
        schemas.push((name_of(endpoint, "Answer"), answer(endpoint)));
        schemas.push((name_of(endpoint, "Row"), row(endpoint)));
    }
    schemas.extend(operations::common_failures());
    Value::from_iter(schemas)
}

fn answer(endpoint: &Endpoint) -> Value {
    let answer = &endpoint.answer;
    let rows = json!({
        "type": "array",
        "items": reference("schemas", &name_of(endpoint, "Row")),
    });
    let total = json!({ "type": "integer", "format": "int64", "minimum": 0 });
    let mut keys = [
        (answer.rows_name(), "", true, rows),
        ("total", &*sentence(answer.total_about), answer.total != TotalPlace::Absent, total),
    ];
    if answer.total == TotalPlace::BeforeRows {
        keys.reverse();
    }
    let object = ObjectSchema::new(&sentence(endpoint.about));
    let put = |object: ObjectSchema, (name, about, always, schema)| {
        object.key(name, about, always, schema)
    };
    keys.into_iter().fold(object, put).finish()
}

fn row(endpoint: &Endpoint) -> Value {
    let mut object = ObjectSchema::new("");
    for key in endpoint.answer.keys {
        let mut about =
            format!("{} Source of key and type: {}.", sentence(key.about), cite(key.source));
        if key.is_channel() {
            about = format!("{about} {}", channels());
        }
        object = object.key(key.name, &about, !key.is_by_reading(), value(key));
    }
    object.finish()
}

/// The schema of a value of a row.
fn value(key: &Key) -> Value {
    let words = key.words();
    match key.json_type {
        JsonType::String if !words.is_empty() => schema::words(words),
        JsonType::String => text(),
        JsonType::StringOrNull => or_null(text()),
        JsonType::Integer => json!({ "type": "integer", "format": "int64" }),
        JsonType::Float => json!({ "type": "number", "format": "double" }),
        JsonType::List => shape(&read(&[CONTENT_OPEN, CONTENT_CLOSE].concat())),
    }
}

/// The schema of all values that have the shape of this one. An empty text matches any text.
fn shape(like: &Value) -> Value {
    match like {
        Value::Array(list) => {
            let items = list.first().map_or_else(|| json!({}), shape);
            json!({ "type": "array", "items": items })
        }
        Value::Object(entries) => {
            let put = |object: ObjectSchema, (key, value): (&String, &Value)| {
                object.key(key, "", true, shape(value))
            };
            entries.iter().fold(ObjectSchema::new(""), put).finish()
        }
        Value::String(value) if value.is_empty() => text(),
        value => text().with("const", value.clone()),
    }
}

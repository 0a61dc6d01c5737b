//! The JSON schema of a fault, from the tables that read it.

use serde_json::{Value, json};

use super::schema::{
    ObjectSchema, With, any_of, at_least, numbers, sentence, text, text_like, words,
};
use crate::contract::{Code, ENDPOINTS, Field, Kind};
use crate::sandbox::faults::{BODIES, CONNECTION_FAULTS, Delay, KEYS, MAX_RETRY_AFTER, PREFER_ID};

/// A fault, as a line or as an object.
pub(super) fn schema() -> Value {
    let line = text().with("description", "A line in the format of `--fault`.");
    json!({
        "description": "A failure on demand. docs/faults.md describes each key.",
        "anyOf": [line.with("examples", json!(["messages:code=50000,every=3"])), object()],
    })
}

fn object() -> Value {
    let operation = words(ENDPOINTS.iter().map(|row| row.id));
    let operations =
        json!({ "type": "array", "items": operation, "minItems": 1, "uniqueItems": true });
    let about = "The operations that the fault applies to; all by default.";
    let mut object =
        ObjectSchema::new("").key("operation", about, false, any_of([operation, operations]));
    for (key, takes, does) in KEYS {
        // The allowed words are in its schema.
        let about = match takes.strip_prefix('`') {
            Some(_) => sentence(does),
            None => sentence(&format!("{takes}: {does}")),
        };
        object = object.key(key, &about, false, value(key));
    }
    for field in Field::ALL {
        let about = "The fault applies only to requests with this value of the parameter.";
        object = object.key(field.name(), about, false, param(field));
    }
    // These are the rules of `Fault::check`. They are written as prohibitions, because linters and generators
    // misread a nested `required` as one of the whole object.
    let no_effect = json!({
        "code": false, "status": false, "delay": false, "drip": false, "break": false,
        "body": { "const": "json" },
    });
    let html_of_no_status = json!({ "status": false, "body": { "const": "html" } });
    let retry_of_nothing = json!({ "code": false, "status": false, "retry_after": {} });
    let broken = json!({
        "code": false, "status": false, "drip": false, "body": { "const": "json" },
    });
    object
        .finish()
        .with(
            "allOf",
            json!([
                { "not": { "properties": no_effect } },
                { "not": { "properties": html_of_no_status, "required": ["body"] } },
                { "not": { "properties": retry_of_nothing, "required": ["retry_after"] } },
            ]),
        )
        .with(
            "dependentSchemas",
            json!({
                "code": { "properties": { "status": false } },
                "break": { "properties": broken },
            }),
        )
}

/// The schema of a key's value. A number may be written as a string, too, but the schema does not say so.
fn value(key: &str) -> Value {
    match key {
        // This id is reserved for faults that a request asks for by `Prefer`.
        "id" => text_like("^[A-Za-z0-9_-]{1,64}$").with("not", json!({ "const": PREFER_ID })),
        "code" => numbers(Code::ALL.map(Code::number)),
        "status" => at_least(200).with("maximum", 599),
        "body" => words(BODIES.map(|(word, _)| word)),
        "break" => words(CONNECTION_FAULTS.map(|(word, _)| word)),
        "retry_after" => at_least(0).with("maximum", MAX_RETRY_AFTER),
        "delay" => delay(),
        "drip" => at_least(1).with("maximum", u32::MAX),
        "after" => at_least(0).with("maximum", u64::MAX),
        "probability" => json!({ "type": "number", "exclusiveMinimum": 0, "maximum": 1 }),
        "times" | "every" => at_least(1).with("maximum", u64::MAX),
        key => unreachable!("{key} has no schema"),
    }
}

/// The values that any endpoint accepts of a parameter.
fn param(field: Field) -> Value {
    let kinds = ENDPOINTS.iter().filter_map(|endpoint| endpoint.param(field)).map(|row| row.kind);
    let integers = kinds.clone().filter_map(|kind| match kind {
        Kind::Integer { min, max } => Some((min, max)),
        _ => None,
    });
    let bounds = integers.reduce(|(min, max), (low, high)| (min.min(low), max.max(high)));
    if let Some((min, max)) = bounds {
        return json!({ "type": "integer", "minimum": min, "maximum": max });
    }
    match kinds.clone().next().expect("an endpoint has each parameter") {
        Kind::Millis => json!({ "type": "integer", "minimum": i64::MIN, "maximum": i64::MAX }),
        Kind::Text => text().with("minLength", 1),
        kind => words(kind.words()),
    }
}

/// A delay as a number, and as a text.
fn delay() -> Value {
    let longest = u64::try_from(Delay::LONGEST.as_millis()).expect("it is minutes");
    let text = text_like(r"^([0-9]+|[0-9]+\.\.[0-9]+|lognormal:[0-9]+:[0-9]+(\.[0-9]+)?)$");
    let examples = json!(["100..900", "lognormal:200:0.5"]);
    any_of([at_least(0).with("maximum", longest), text.with("examples", examples)])
}

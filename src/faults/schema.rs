//! The JSON schema of a fault, from the tables that read it.

use serde_json::{Value, json};

use super::text::{BODIES, CUTS};
use super::{Delay, KEYS, prefer};
use crate::contract::{Code, ENDPOINTS};
use crate::shape::{Schemas, described, sentence, words};

/// What sets something wrong by itself; a body does if it is not the answer's own.
const EFFECTS: [&str; 5] = ["code", "status", "delay", "drip", "break"];

/// A fault, as a line or as an object.
pub(crate) fn schema(schemas: &mut Schemas) -> Value {
    schemas.named("Fault", |_| {
        json!({
            "description": "A failure on demand; docs/FAULTS.md says what each key does.",
            "anyOf": [
                {
                    "type": "string",
                    "description": "The line, as `--fault` takes it.",
                    "examples": ["messages:code=50000,every=3"],
                },
                object(),
            ],
        })
    })
}

fn object() -> Value {
    let operation = words(ENDPOINTS.iter().map(|row| row.id));
    let operations = json!({
        "description": "The operations that it covers; without them all.",
        "anyOf": [
            operation,
            { "type": "array", "items": operation, "minItems": 1, "uniqueItems": true },
        ],
    });
    let rows = KEYS
        .iter()
        .map(|(key, _, does)| ((*key).to_owned(), described(value(key), &sentence(does))));
    let properties = rows.chain([("operation".to_owned(), operations)]).collect();
    let own = BODIES[0].0;
    let mut effects: Vec<Value> = EFFECTS.map(|key| json!({ "required": [key] })).into();
    effects.push(json!({
        "required": ["body"],
        "properties": { "body": { "not": { "const": own } } },
    }));
    // What `Fault::check` holds together.
    json!({
        "type": "object",
        "properties": Value::Object(properties),
        "additionalProperties": false,
        "anyOf": effects,
        "allOf": [
            { "not": { "required": ["code", "status"] } },
            {
                "if": { "required": ["body"], "properties": { "body": { "const": "html" } } },
                "then": { "required": ["status"] },
            },
            {
                "if": { "required": ["break"] },
                "then": {
                    "properties": {
                        "code": false,
                        "status": false,
                        "body": { "const": own },
                        "drip": false,
                    },
                },
            },
        ],
    })
}

/// What a key takes. It takes a number as a string as well; there is no need to write it so.
fn value(key: &str) -> Value {
    let longest = u64::try_from(Delay::LONGEST.as_millis()).unwrap_or(u64::MAX);
    match key {
        "id" => json!({
            "type": "string",
            "pattern": "^[A-Za-z0-9_-]{1,64}$",
            // What a request asks for itself is named so.
            "not": { "const": prefer::ID },
        }),
        "code" => json!({ "type": "integer", "enum": Code::ALL.map(Code::number) }),
        "status" => json!({ "type": "integer", "minimum": 200, "maximum": 599 }),
        "body" => words(BODIES.map(|(word, _)| word)),
        "break" => words(CUTS.map(|(word, _)| word)),
        "delay" => json!({
            "anyOf": [
                { "type": "integer", "minimum": 0, "maximum": longest },
                {
                    "type": "string",
                    "pattern": "^([0-9]+|[0-9]+\\.\\.[0-9]+|lognormal:[0-9]+:[0-9.]+)$",
                    "examples": ["100..900", "lognormal:200:0.5"],
                },
            ],
        }),
        "drip" => json!({ "type": "integer", "minimum": 1, "maximum": u32::MAX }),
        "after" => json!({ "type": "integer", "minimum": 0 }),
        "probability" => json!({ "type": "number", "exclusiveMinimum": 0, "maximum": 1 }),
        // `times`, `every`
        _ => json!({ "type": "integer", "minimum": 1 }),
    }
}

//! The JSON schema of a request pattern, which `pattern.rs` reads.

use serde_json::{Value, json};

use super::pattern::{KEYS, MATCHERS, MOST_EXPRESSION, MOST_NAMES};
use crate::shape::{Object, Schemas, or_null};

/// A request pattern.
pub(super) fn schema(schemas: &mut Schemas) -> Value {
    schemas.named("RequestPattern", |schemas| {
        let about = "What a request must hold, as WireMock writes it. What is `null` is not set.";
        let mut object = Object::new(about, "camelCase");
        for key in KEYS {
            let (about, schema) = of_key(key, schemas);
            object.key(key, about, false, or_null(schema));
        }
        let urls: Vec<&str> = KEYS.iter().copied().filter(|key| key.starts_with("url")).collect();
        let both = |(one, other): (&str, &str)| {
            let text = json!({ "type": "string" });
            let properties = json!({ (one): text, (other): text });
            json!({ "not": { "required": [one, other], "properties": properties } })
        };
        let pairs = urls.iter().enumerate();
        let pairs = pairs.flat_map(|(at, one)| urls[..at].iter().map(|other| (*other, *one)));
        let mut object = object.finish();
        object["allOf"] = pairs.map(both).collect();
        object
    })
}

fn of_key(key: &str, schemas: &mut Schemas) -> (&'static str, Value) {
    match key {
        "method" => (
            "The method in capitals, or ANY.",
            json!({ "type": "string", "pattern": "^[^a-z]*$", "examples": ["GET"] }),
        ),
        "url" => ("Path and query.", json!({ "type": "string" })),
        "urlPath" => ("The path.", json!({ "type": "string", "pattern": "^[^?]*$" })),
        "urlPattern" => ("An expression for path and query.", expression()),
        "urlPathPattern" => ("An expression for the path.", expression()),
        "queryParameters" => ("Conditions by parameter.", conditions(schemas)),
        _ => ("Conditions by header, in any case.", conditions(schemas)),
    }
}

fn expression() -> Value {
    json!({ "type": "string", "maxLength": MOST_EXPRESSION })
}

fn conditions(schemas: &mut Schemas) -> Value {
    let condition = schemas.named("Condition", |_| {
        let all = MATCHERS.iter().copied().filter(|key| *key != ANY_CASE);
        json!({
            "description": "What one of the values must be.",
            "oneOf": all.map(of_matcher).collect::<Vec<_>>(),
        })
    });
    json!({ "type": "object", "additionalProperties": condition, "maxProperties": MOST_NAMES })
}

/// The word that goes with `equalTo`.
const ANY_CASE: &str = "caseInsensitive";

fn of_matcher(key: &str) -> Value {
    let (about, schema) = match key {
        "equalTo" => ("This text.", json!({ "type": "string" })),
        "contains" => ("A text with this in it.", json!({ "type": "string" })),
        "matches" => ("A text that the expression matches whole.", expression()),
        "doesNotMatch" => ("A text that it does not match, or none.", expression()),
        // Some clients write it as a text.
        _ => ("There is none.", json!({ "anyOf": [{ "const": true }, { "type": "string" }] })),
    };
    let mut object = Object::new("", "camelCase");
    object.key(key, about, true, schema);
    if key == "equalTo" {
        object.key(ANY_CASE, "Whether case is all the same.", false, json!({ "type": "boolean" }));
    }
    object.finish()
}

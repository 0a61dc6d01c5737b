//! The JSON schema of a request pattern, which `pattern.rs` reads.

use super::pattern::{KEYS, MATCHERS, MOST_EXPRESSION, MOST_NAMES};
use crate::shape::{Object, Schemas, With, any_of, described, or_null, text, text_like};
use serde_json::{Value, json};

/// Examples of patterns.
pub(super) const EXAMPLES: &[(&str, &str)] = &[
    ("path", r#"{"method": "GET", "urlPath": "/v1/messages"}"#),
    ("parameter", r#"{"queryParameters": {"page": {"equalTo": "1"}, "sort": {"absent": true}}}"#),
];

/// A request pattern.
pub(super) fn schema(schemas: &mut Schemas) -> Value {
    schemas.named("RequestPattern", |schemas| {
        let about = "What a request must hold, as WireMock writes it. What is `null` is not set.";
        let mut object = Object::new(about);
        for key in KEYS {
            let (about, schema) = of_key(key, schemas);
            object = object.key(key, about, false, or_null(schema));
        }
        let urls: Vec<&str> = KEYS.iter().copied().filter(|key| key.starts_with("url")).collect();
        let both = |(one, other): (&str, &str)| {
            let both = json!({
                "required": Value::from_iter([one, other]),
                "properties": { one: text(), other: text() },
            });
            json!({ "not": both })
        };
        let pairs = urls.iter().enumerate();
        let pairs = pairs.flat_map(|(at, one)| urls[..at].iter().map(|other| (*other, *one)));
        object.finish().with("allOf", Value::Array(pairs.map(both).collect()))
    })
}

fn of_key(key: &str, schemas: &mut Schemas) -> (&'static str, Value) {
    match key {
        "method" => (
            "The method in capitals, or ANY.",
            text_like("^[^a-z]*$").with("examples", Value::from_iter(["GET"])),
        ),
        "url" => ("Path and query.", text()),
        "urlPath" => ("The path.", text_like("^[^?]*$")),
        "urlPattern" => ("An expression for path and query.", expression(schemas)),
        "urlPathPattern" => ("An expression for the path.", expression(schemas)),
        "queryParameters" => ("Conditions by parameter.", conditions(schemas)),
        _ => ("Conditions by header, in any case.", conditions(schemas)),
    }
}

fn expression(schemas: &mut Schemas) -> Value {
    schemas.named("Expression", |_| {
        let about = format!(
            "A regular expression, which has to match all of a text: at most {MOST_EXPRESSION} \
             bytes, no lookarounds, no backreferences."
        );
        described(text().with("maxLength", MOST_EXPRESSION), &about)
    })
}

fn conditions(schemas: &mut Schemas) -> Value {
    let condition = schemas.named("Condition", |schemas| {
        let all = MATCHERS.iter().copied().filter(|key| *key != ANY_CASE);
        json!({
            "description": "What one of the values must be.",
            "oneOf": Value::Array(all.map(|key| of_matcher(key, schemas)).collect()),
        })
    });
    json!({
        "type": "object",
        "additionalProperties": condition,
        "maxProperties": MOST_NAMES,
    })
}

/// The word that goes with `equalTo`.
const ANY_CASE: &str = "caseInsensitive";

fn of_matcher(key: &str, schemas: &mut Schemas) -> Value {
    let (about, schema) = match key {
        "equalTo" => ("This text.", text()),
        "contains" => ("A text with this in it.", text()),
        "matches" => ("A text that the expression matches whole.", expression(schemas)),
        "doesNotMatch" => ("A text that it does not match, or none.", expression(schemas)),
        // Some clients write it as a text.
        _ => ("There is none.", any_of([json!({ "const": true }), text()])),
    };
    let object = Object::new("").key(key, about, true, schema);
    if key != "equalTo" {
        return object.finish();
    }
    let either = json!({ "type": "boolean" });
    object.key(ANY_CASE, "Whether case is all the same.", false, either).finish()
}

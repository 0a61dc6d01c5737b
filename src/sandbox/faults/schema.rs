//! The JSON schema of a fault, from the tables that read it.

use super::text::{BODIES, CUTS};
use super::{Delay, KEYS, MOST_RETRY_AFTER, prefer};
use crate::contract::{Code, ENDPOINTS};
use crate::shape::{
    Object, With, any_of, at_least, described, numbers, sentence, text, text_like, words,
};
use serde_json::{Value, json};

/// What sets something wrong by itself; a body does if it is not the answer's own.
const EFFECTS: [&str; 5] = ["code", "status", "delay", "drip", "break"];

/// A fault, as a line or as an object.
pub(crate) fn schema() -> Value {
    let line = described(text(), "The line, as `--fault` takes it.");
    let line = line.with("examples", Value::from_iter(["messages:code=50000,every=3"]));
    json!({
        "description": "A failure on demand; docs/FAULTS.md says what each key does.",
        "anyOf": [line, object()],
    })
}

fn object() -> Value {
    let operation = words(ENDPOINTS.iter().map(|row| row.id));
    let operations = json!({
        "type": "array",
        "items": operation.clone(),
        "minItems": 1,
        "uniqueItems": true,
    });
    let operations = any_of([operation, operations]);
    let about = "The operations that it covers; without them all.";
    let mut object = Object::new("").key("operation", about, false, operations);
    for (key, takes, does) in KEYS {
        // The words that it takes are in its schema.
        let about = match takes.strip_prefix('`') {
            Some(_) => sentence(does),
            None => sentence(&format!("{takes}: {does}")),
        };
        object = object.key(key, &about, false, value(key));
    }
    // What `Fault::check` holds together, said by what may not be: linters and generators take a
    // `required` for that of a whole object.
    let no = |keys: &[&str]| keys.iter().map(|key| (*key, Value::Bool(false))).collect::<Value>();
    let answers_itself = json!({ "const": BODIES[0].0 });
    let with = |properties: Value| json!({ "properties": properties });
    let nothing = with(no(&EFFECTS).with("body", answers_itself.clone()));
    let html = with(no(&["status"]).with("body", json!({ "const": "html" })));
    let html = html.with("required", Value::from_iter(["body"]));
    let alone = with(no(&["code", "status"]).with("retry_after", json!({})));
    let alone = alone.with("required", Value::from_iter(["retry_after"]));
    let broken = no(&["code", "status", "drip"]).with("body", answers_itself);
    object
        .finish()
        .with("allOf", Value::Array([nothing, html, alone].map(|not| json!({ "not": not })).into()))
        .with("dependentSchemas", json!({ "code": with(no(&["status"])), "break": with(broken) }))
}

/// What a key takes. It takes a number as a string as well; there is no need to write it so.
fn value(key: &str) -> Value {
    match key {
        // That one names what a request asks for itself.
        "id" => text_like("^[A-Za-z0-9_-]{1,64}$").with("not", json!({ "const": prefer::ID })),
        "code" => numbers(Code::ALL.map(Code::number)),
        "status" => at_least(200).with("maximum", 599),
        "body" => words(BODIES.map(|(word, _)| word)),
        "break" => words(CUTS.map(|(word, _)| word)),
        "retry_after" => at_least(0).with("maximum", MOST_RETRY_AFTER),
        "delay" => delay(),
        "drip" => at_least(1).with("maximum", u32::MAX),
        "after" => at_least(0).with("maximum", u64::MAX),
        "probability" => json!({ "type": "number", "exclusiveMinimum": 0, "maximum": 1 }),
        // `times`, `every`
        _ => at_least(1).with("maximum", u64::MAX),
    }
}

/// As a number, and as a text.
fn delay() -> Value {
    let longest = u64::try_from(Delay::LONGEST.as_millis()).unwrap_or(u64::MAX);
    let text = text_like(r"^([0-9]+|[0-9]+\.\.[0-9]+|lognormal:[0-9]+:[0-9]+(\.[0-9]+)?)$")
        .with("examples", Value::from_iter(["100..900", "lognormal:200:0.5"]));
    any_of([at_least(0).with("maximum", longest), text])
}

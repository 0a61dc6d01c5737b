//! The JSON schema of a fault, from the tables that read it.

use super::text::{BODIES, CUTS};
use super::{Delay, KEYS, MOST_RETRY_AFTER, prefer};
use crate::contract::{Code, ENDPOINTS};
use crate::node::{Node, object};
use crate::shape::{
    Object, Schemas, any_of, at_least, described, numbers, sentence, text, text_like, words,
};

/// What sets something wrong by itself; a body does if it is not the answer's own.
const EFFECTS: [&str; 5] = ["code", "status", "delay", "drip", "break"];

/// A fault, as a line or as an object.
pub(crate) fn schema(schemas: &mut Schemas) -> Node {
    schemas.named("Fault", |_| {
        let line = described(text(), "The line, as `--fault` takes it.");
        let line = line.with("examples", Node::list(["messages:code=50000,every=3"]));
        object! {
            "description" => "A failure on demand; docs/FAULTS.md says what each key does.",
            "anyOf" => Node::List(vec![line, object()]),
        }
    })
}

fn object() -> Node {
    let operation = words(ENDPOINTS.iter().map(|row| row.id));
    let operations = object! {
        "type" => "array",
        "items" => operation.clone(),
        "minItems" => 1,
        "uniqueItems" => true,
    };
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
    let no = |keys: &[&str]| Node::map(keys.iter().map(|key| (*key, false.into())));
    let answers_itself = object! { "const" => BODIES[0].0 };
    let with = |properties: Node| object! { "properties" => properties };
    let nothing = with(no(&EFFECTS).with("body", answers_itself.clone()));
    let html = with(no(&["status"]).with("body", object! { "const" => "html" }));
    let html = html.with("required", Node::list(["body"]));
    let alone = with(no(&["code", "status"]).with("retry_after", object! {}));
    let alone = alone.with("required", Node::list(["retry_after"]));
    let broken = no(&["code", "status", "drip"]).with("body", answers_itself);
    object
        .finish()
        .with(
            "allOf",
            Node::List([nothing, html, alone].map(|not| object! { "not" => not }).into()),
        )
        .with(
            "dependentSchemas",
            object! { "code" => with(no(&["status"])), "break" => with(broken) },
        )
}

/// What a key takes. It takes a number as a string as well; there is no need to write it so.
fn value(key: &str) -> Node {
    match key {
        // That one names what a request asks for itself.
        "id" => text_like("^[A-Za-z0-9_-]{1,64}$").with("not", object! { "const" => prefer::ID }),
        "code" => numbers(Code::ALL.map(Code::number)),
        "status" => at_least(200).with("maximum", 599),
        "body" => words(BODIES.map(|(word, _)| word)),
        "break" => words(CUTS.map(|(word, _)| word)),
        "retry_after" => at_least(0).with("maximum", MOST_RETRY_AFTER),
        "delay" => delay(),
        "drip" => at_least(1).with("maximum", u32::MAX),
        "after" => at_least(0).with("maximum", u64::MAX),
        "probability" => object! { "type" => "number", "exclusiveMinimum" => 0, "maximum" => 1 },
        // `times`, `every`
        _ => at_least(1).with("maximum", u64::MAX),
    }
}

/// As a number, and as a text.
fn delay() -> Node {
    let longest = u64::try_from(Delay::LONGEST.as_millis()).unwrap_or(u64::MAX);
    let text = text_like(r"^([0-9]+|[0-9]+\.\.[0-9]+|lognormal:[0-9]+:[0-9]+(\.[0-9]+)?)$")
        .with("examples", Node::list(["100..900", "lognormal:200:0.5"]));
    any_of([at_least(0).with("maximum", longest), text])
}

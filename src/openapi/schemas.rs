//! The schemas: each endpoint's answer and its rows, and what a refusal holds.

use super::node::{Node, object};
use super::{name_of, operations, reference, said, sentence};
use crate::contract::{
    BY_READING, CONTENT_CLOSE, CONTENT_OPEN, ENDPOINTS, Endpoint, JsonType, TotalPlace, words,
};

pub(super) fn all() -> Node {
    let mut schemas = Vec::new();
    for endpoint in ENDPOINTS {
        schemas.push((name_of(endpoint, "Answer"), answer(endpoint)));
        schemas.push((name_of(endpoint, "Row"), row(endpoint)));
    }
    schemas.push(("Failure".to_owned(), failure()));
    schemas.extend(operations::common_failures());
    Node::map(schemas)
}

fn answer(endpoint: &Endpoint) -> Node {
    let answer = &endpoint.answer;
    let rows = object! {
        "type" => "array",
        "items" => reference("schemas", &name_of(endpoint, "Row")),
    };
    let total = object! {
        "type" => "integer",
        "format" => "int64",
        "minimum" => 0,
        "description" => format!("{}.", sentence(answer.total_about)),
    };
    let mut keys = vec![(answer.rows_name(), rows), ("total", total)];
    let mut required = vec![answer.rows_name()];
    if answer.has_total() {
        required.push("total");
    }
    if answer.total == TotalPlace::BeforeRows {
        keys.reverse();
        required.reverse();
    }
    closed(keys, required).with("description", format!("{}.", sentence(endpoint.about)))
}

fn row(endpoint: &Endpoint) -> Node {
    let keys = endpoint.answer.keys();
    let properties = keys.iter().map(|(name, json_type, about, source)| {
        let about = format!("{} ({}).", sentence(about), said(*source));
        (*name, value(name, *json_type).with("description", about))
    });
    let required = keys.iter().map(|(name, ..)| *name).filter(|name| !BY_READING.contains(name));
    closed(properties, required)
}

/// An object with these keys and no others.
fn closed<'a>(
    properties: impl IntoIterator<Item = (&'a str, Node)>,
    required: impl IntoIterator<Item = &'a str>,
) -> Node {
    object! {
        "type" => "object",
        "properties" => Node::map(properties),
        "required" => Node::list(required),
        "additionalProperties" => false,
    }
}

/// What a value of a row may be.
fn value(name: &str, json_type: JsonType) -> Node {
    let words = words(name);
    match json_type {
        JsonType::String if !words.is_empty() => {
            object! { "type" => "string", "enum" => Node::list(words) }
        }
        JsonType::String => object! { "type" => "string" },
        JsonType::StringOrNull => object! { "type" => Node::list(["string", "null"]) },
        JsonType::Integer => object! { "type" => "integer", "format" => "int64" },
        JsonType::Float => object! { "type" => "number", "format" => "double" },
        JsonType::List => shape(&Node::read([CONTENT_OPEN, CONTENT_CLOSE].concat().as_bytes())),
    }
}

/// The schema of everything that is shaped like a value: an empty text is any text.
fn shape(like: &Node) -> Node {
    match like {
        Node::Leaf(value) if *value == "" => object! { "type" => "string" },
        Node::Leaf(value) => object! { "type" => "string", "const" => value.clone() },
        Node::List(list) => {
            let items = list.first().map_or_else(|| object! {}, shape);
            object! { "type" => "array", "items" => items }
        }
        Node::Object(entries) => closed(
            entries.iter().map(|(key, value)| (key.as_str(), shape(value))),
            entries.iter().map(|(key, _)| key.as_str()),
        ),
    }
}

fn failure() -> Node {
    let keys = [
        ("code", object! { "type" => "integer", "description" => "Which refusal it is." }),
        ("message", object! { "type" => "string", "description" => "The same, in words." }),
    ];
    // Open, because each response adds which codes it has.
    object! {
        "type" => "object",
        "description" => "Why a request was refused: exactly these two keys.",
        "required" => Node::list(keys.iter().map(|(key, _)| *key)),
        "properties" => Node::map(keys),
    }
}

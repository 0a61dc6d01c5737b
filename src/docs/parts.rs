//! Parts that the `OpenAPI` documents of both APIs share.

use crate::contract::{Source, Statement};
pub(crate) use crate::docs::schema::{capital, sentence};
use serde_json::{Value, json};

/// The `info` of a document.
pub(crate) fn info(title: &str, summary: &str, about: &str, contact: &str) -> Value {
    let license = env!("CARGO_PKG_LICENSE");
    json!({
        "title": title,
        "version": env!("CARGO_PKG_VERSION"),
        "summary": summary,
        "description": about,
        "contact": { "name": contact },
        "license": { "name": license, "identifier": license },
    })
}

/// The groups of the operations, for readers and generators.
pub(crate) fn tags<'a>(tags: impl IntoIterator<Item = (&'a str, &'a str)>) -> Value {
    let tags = tags.into_iter();
    Value::Array(tags.map(|(name, about)| json!({ "name": name, "description": about })).collect())
}

/// Keys that are sent as `Authorization: Bearer`.
pub(crate) fn bearer(about: &str) -> Value {
    json!({ "type": "http", "scheme": "bearer", "description": about })
}

pub(crate) fn parameter(
    name: &str,
    place: &str,
    required: bool,
    about: &str,
    schema: &Value,
) -> Value {
    json!({
        "name": name,
        "in": place,
        "required": required,
        "description": about,
        "schema": schema,
    })
}

/// The id of a statement without its subject, in words: `window reversed`.
pub(super) fn title(statement: &Statement) -> String {
    let id = statement.id.to_string();
    id[statement.id.subject().len()..].trim_start_matches('.').replace('-', " ")
}

/// `documented: Get Q&A List, 2025-10-20`
pub(super) fn cite(source: Source) -> String {
    format!("{}: {}", source.status.name(), source.from)
}

/// Parses JSON that the program itself has written.
pub(super) fn read(json: &str) -> Value {
    serde_json::from_str(json).expect("the program's own JSON is right")
}

/// A document as it is printed and served.
pub(crate) fn print(document: &Value) -> String {
    serde_json::to_string_pretty(document).expect("strings and numbers serialize") + "\n"
}

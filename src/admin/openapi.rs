//! The control API as an `OpenAPI` document: folded from the tables that it is served by.

use serde_json::{Map, Value, json};

use super::events::{Dropped, EVENT_STREAM, LAST_EVENT_ID};
use super::failure::{FAILURES, Failure};
use super::query::Query;
use super::routes::{Answer, ROUTES, Route, Row};
use super::shapes::ServeEvent;
use super::{MOST_BODY, PREFIX};
use crate::contract::MEDIA_TYPE;
use crate::report::Format;
use crate::sandbox::Sandboxes;
use crate::shape::{Object, Schemas, Shape, described, sentence, words};
use crate::verdict::{RULES, VerdictShown};

/// How the operations are grouped, by what their paths begin with.
const TAGS: [(&str, &str, &[&str]); 4] = [
    ("requests", "What requests came, as WireMock tells it.", &["requests", "events"]),
    ("sandboxes", "Worlds of their own, for tests that run beside each other.", &["sandboxes"]),
    (
        "server",
        "The server itself.",
        &["health", "version", "openapi.json", "admin-openapi.json", "reset"],
    ),
    ("verdict", "What clients did wrong though they got answers.", &["verdict"]),
];

/// The control API as an `OpenAPI` 3.1 document.
///
/// ```
/// let document: serde_json::Value = serde_json::from_str(&gptbots_mock::admin_openapi()).unwrap();
/// assert!(document["paths"]["/__admin/sandboxes/{id}"]["put"].is_object());
/// ```
#[must_use]
pub fn admin_openapi() -> String {
    let mut schemas = Schemas::default();
    let mut paths = Map::new();
    for row in ROUTES {
        let path = paths.entry(format!("{PREFIX}{}", row.path)).or_insert_with(|| json!({}));
        path[row.method.to_ascii_lowercase()] = operation(row, &mut schemas);
    }
    let failure = Failure::schema(&mut schemas);
    let mut responses = Map::new();
    for row in &FAILURES {
        // Generators merge an enum of one with what it narrows, and no `const`.
        let code = json!({ "type": "integer", "enum": [row.status] });
        let mut response = json!({
            "description": sentence(row.about),
            "content": {
                (MEDIA_TYPE): {
                    "schema": {
                        "allOf": [failure, { "properties": { "code": code } }],
                    },
                },
            },
        });
        if let Some((name, about)) = row.header {
            response["headers"] = json!({
                (name): { "description": sentence(about), "schema": { "type": "string" } },
            });
        }
        responses.insert(row.name.to_owned(), response);
    }
    let document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "gptbots-mock control API",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "What a test or a tool needs beside the vendor's endpoints.",
            "description": format!(
                "docs/CONTROL.md says more. It answers the machine that it runs on, or with \
                 `--admin-token` whoever has the token. A body has at most {MOST_BODY} bytes. `HEAD` \
                 is answered as `GET`, without the body."
            ),
            "contact": { "name": "The maintainers of gptbots-mock" },
            "license": { "name": LICENSE, "identifier": LICENSE },
        },
        "servers": [{ "url": SERVER, "description": "Where `gptbots-mock` listens by default" }],
        "security": [{}, { "adminToken": [] }],
        "tags": TAGS.map(|(name, about, _)| json!({ "name": name, "description": about })),
        "paths": paths,
        "components": {
            "securitySchemes": {
                "adminToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The token of `--admin-token`, where the server has one.",
                },
            },
            "responses": responses,
            "schemas": schemas.0,
        },
    });
    // Strings and numbers always serialize.
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

const LICENSE: &str = env!("CARGO_PKG_LICENSE");

const SERVER: &str = "http://127.0.0.1:8484";

/// An answer that is another document.
pub(super) fn any_document(_: &mut Schemas) -> Value {
    json!({ "type": "object" })
}

fn operation(row: &Row, schemas: &mut Schemas) -> Value {
    let mut responses = Map::new();
    responses.insert("200".to_owned(), answered(row, schemas));
    for failure in &FAILURES {
        if failure.everywhere || row.fails.contains(&failure.status) {
            let to = format!("#/components/responses/{}", failure.name);
            responses.insert(failure.status.to_string(), json!({ "$ref": to }));
        }
    }
    let mut operation = json!({
        "operationId": operation_id(row.route),
        "summary": summary(row.route),
        "description": sentence(row.about),
        "tags": [tag(row)],
        "responses": responses,
    });
    let parameters = parameters(row);
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    if let Some(schema) = row.body {
        let schema = schema(schemas);
        operation["requestBody"] =
            json!({ "required": true, "content": { (MEDIA_TYPE): { "schema": schema } } });
    }
    operation
}

/// `putSandbox`
fn operation_id(route: Route) -> String {
    let name = format!("{route:?}");
    let (first, rest) = name.split_at(1);
    first.to_lowercase() + rest
}

/// `Put sandbox`
fn summary(route: Route) -> String {
    let mut words = String::new();
    for letter in format!("{route:?}").chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push(' ');
            words.extend(letter.to_lowercase());
        } else {
            words.push(letter);
        }
    }
    words
}

fn tag(row: &Row) -> &'static str {
    let begins = row.path.split('/').nth(1).unwrap_or_default();
    let tag = TAGS.iter().find(|(.., of)| of.contains(&begins));
    tag.map_or("", |(name, ..)| name)
}

fn answered(row: &Row, schemas: &mut Schemas) -> Value {
    let text = json!({ "type": "string" });
    match row.answer {
        Answer::Json(schema) => json!({
            "description": "As asked.",
            "content": { (MEDIA_TYPE): { "schema": schema(schemas) } },
        }),
        Answer::Verdict => json!({
            "description": "As `Accept` asks first; JSON where it asks for none of these.",
            "content": {
                (Format::Json.media_type()): { "schema": VerdictShown::schema(schemas) },
                (Format::Text.media_type()): { "schema": described(text.clone(), "To read.") },
                (Format::Junit.media_type()): { "schema": described(text, "A JUnit report.") },
            },
        }),
        Answer::Events => json!({
            "description": "A stream that ends with the server.",
            "content": {
                (EVENT_STREAM): {
                    "schema": {
                        "type": "string",
                        "contentMediaType": EVENT_STREAM,
                        "contentSchema": {
                            "type": "array",
                            "description": "The events, with what stands in their fields.",
                            "items": { "anyOf": events(schemas) },
                        },
                    },
                },
            },
        }),
    }
}

/// Every kind of event.
fn events(schemas: &mut Schemas) -> [Value; 2] {
    let mut request = Object::new("A request.", "snake_case");
    request.key("event", "Its name.", true, words(["request"]));
    let number = json!({ "type": "integer", "minimum": 1 });
    request.key("id", "The number of the request.", true, number);
    request.key("data", "The request.", true, ServeEvent::schema(schemas));
    let mut dropped = Object::new("Requests that cannot be told any more.", "snake_case");
    dropped.key("event", "Its name.", true, words(["dropped"]));
    dropped.key("data", "Which they are.", true, Dropped::schema(schemas));
    [request.finish(), dropped.finish()]
}

fn parameters(row: &Row) -> Vec<Value> {
    let mut all = Vec::new();
    let mut add = |name: &str, place: &str, about: &str, schema: Value| {
        all.push(json!({
            "name": name,
            "in": place,
            "required": place == "path",
            "description": sentence(about),
            "schema": schema,
        }));
    };
    if row.path.contains("{id}") {
        add("id", "path", "the id of the sandbox", sandbox_id());
    }
    if row.path.contains("{request}") {
        // Another id names no request, which is no mistake.
        add("request", "path", "the id of the request", json!({ "type": "string" }));
    }
    for query in row.query {
        add(query.name(), "query", query.about(), schema_of(*query));
    }
    if row.route == Route::Events {
        let about = "the number of the last request that was heard; those behind it come first";
        let number = json!({ "type": "integer", "minimum": 0 });
        add(LAST_EVENT_ID.as_str(), "header", about, number);
    }
    for parameter in &mut all {
        if parameter["schema"]["type"] == "array" {
            parameter["style"] = "form".into();
            parameter["explode"] = false.into();
        }
    }
    all
}

fn sandbox_id() -> Value {
    json!({ "type": "string", "pattern": Sandboxes::ID_PATTERN })
}

fn schema_of(query: Query) -> Value {
    match query {
        Query::Limit => json!({ "type": "integer", "minimum": 0 }),
        Query::Since => json!({ "type": "string", "format": "date-time" }),
        Query::Sandbox => sandbox_id(),
        Query::Mute => {
            json!({ "type": "array", "items": words(RULES.map(|(_, name, _)| name)), "minItems": 1 })
        }
    }
}

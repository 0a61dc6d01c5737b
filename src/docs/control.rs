//! The control API as an `OpenAPI` document: folded from the tables that it is served by.

use super::parts::{bearer, info, parameter, print, read, tags};
use crate::contract::MEDIA_TYPE;
use crate::control::events::{Dropped, EVENT_STREAM, LAST_EVENT_ID};
use crate::control::failure::{FAILURES, Failure, FailureRow};
use crate::control::query::Query;
use crate::control::routes::{Answer, Body, ROUTES, Route, Row};
use crate::control::shapes::ServeEvent;
use crate::control::{MOST_BODY, PREFIX};
use crate::keys::SANDBOX_ID_PATTERN;
use crate::report::Format;
use crate::sandbox::verdict::{RULES, VerdictShown};
use crate::shape::{
    Object, Schemas, Shape, With, any_of, at_least, described, numbers, reference, sentence, text,
    text_as, text_like, words,
};
use serde_json::{Value, json};

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
pub(super) fn openapi() -> String {
    let mut schemas = Schemas::default();
    let paths = ROUTES.chunk_by(|one, next| one.path == next.path).map(|rows| {
        let operations =
            rows.iter().map(|row| (row.method.to_ascii_lowercase(), operation(row, &mut schemas)));
        (format!("{PREFIX}{}", rows[0].path), operations.collect::<Value>())
    });
    let paths = paths.collect::<Value>();
    let responses = FAILURES.iter().map(|row| (row.name, refused(row, &mut schemas)));
    let responses = responses.collect::<Value>();
    print(&json!({
        "openapi": "3.1.0",
        "info": info(
            "gptbots-mock control API",
            "What a test or a tool needs beside the vendor's endpoints.",
            &format!(
                "docs/CONTROL.md says more. It answers the machine that it runs on, or with \
                 `--admin-token` whoever has the token. A body has at most {MOST_BODY} bytes. `HEAD` \
                 is answered as `GET`, without the body."
            ),
            "The maintainers of gptbots-mock",
        ),
        "servers": [{
            "url": "http://127.0.0.1:8484",
            "description": "Where `gptbots-mock` listens by default",
        }],
        "security": [
            {},
            { "adminToken": [] },
        ],
        "tags": tags(TAGS.map(|(name, about, _)| (name, about))),
        "paths": paths,
        "components": {
            "securitySchemes": {
                "adminToken": bearer("The token of `--admin-token`, where the server has one."),
            },
            "responses": responses,
            "schemas": schemas.all(),
        },
    }))
}

fn refused(row: &FailureRow, schemas: &mut Schemas) -> Value {
    let schema = with_code(&Failure::schema(schemas), row.status);
    let mut response = json!({ "description": sentence(row.about) });
    if let Some((name, about)) = row.header {
        let header = json!({ "description": sentence(about), "schema": text() });
        response = response.with("headers", json!({ name: header }));
    }
    response.with("content", json!({ MEDIA_TYPE: { "schema": schema } }))
}

fn operation(row: &Row, schemas: &mut Schemas) -> Value {
    let mut operation = json!({
        "tags": Value::from_iter([tag(row)]),
        "operationId": operation_id(row.route),
        "summary": summary(row.route),
        "description": sentence(row.about),
    });
    let parameters = parameters(row);
    if !parameters.is_empty() {
        operation = operation.with("parameters", Value::Array(parameters));
    }
    if let Some(Body { schema, examples }) = row.body {
        let example = |(name, json): &(&'static str, &str)| (*name, json!({ "value": read(json) }));
        let examples = examples.iter().map(example).collect::<Value>();
        let content = json!({ "schema": schema(schemas), "examples": examples });
        let content = json!({ MEDIA_TYPE: content });
        let body = json!({ "required": true, "content": content });
        operation = operation.with("requestBody", body);
    }
    let answered = ("200".to_owned(), answered(row.answer, schemas));
    if row.open {
        operation = operation.with("security", Value::Array(Vec::new()));
    }
    let everywhere = |it: &FailureRow| it.everywhere && row.is_refused_with(it.status);
    let refused = FAILURES.iter().filter(|it| everywhere(it) || row.fails.contains(&it.status));
    let refused = refused.map(|it| (it.status.to_string(), reference("responses", it.name)));
    operation.with("responses", [answered].into_iter().chain(refused).collect::<Value>())
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

fn answered(answer: Answer, schemas: &mut Schemas) -> Value {
    let (about, content) = match answer {
        Answer::Json(schema) => {
            let schema = schema(schemas);
            let about = schemas.about(&schema).unwrap_or_default().trim().to_owned();
            (about, vec![(MEDIA_TYPE, schema)])
        }
        Answer::Verdict => (
            "As `Accept` asks first; JSON where it asks for none of these.".to_owned(),
            vec![
                (Format::Json.media_type(), VerdictShown::schema(schemas)),
                (Format::Text.media_type(), described(text(), "To read.")),
                (Format::Junit.media_type(), described(text(), "A JUnit report.")),
            ],
        ),
        Answer::Events => {
            let stream = text().with("contentMediaType", EVENT_STREAM);
            let stream = stream.with("contentSchema", events(schemas));
            ("A stream that ends with the server.".to_owned(), vec![(EVENT_STREAM, stream)])
        }
    };
    let content = content.into_iter().map(|(of, schema)| (of, json!({ "schema": schema })));
    json!({ "description": about, "content": content.collect::<Value>() })
}

/// A stream of every kind of event.
fn events(schemas: &mut Schemas) -> Value {
    let request = Object::new("A request.")
        .key("event", "Its name.", true, words(["request"]))
        .key("id", "The number of the request.", true, at_least(1))
        .key("data", "The request.", true, ServeEvent::schema(schemas));
    let dropped = Object::new("Requests that cannot be told any more.")
        .key("event", "Its name.", true, words(["dropped"]))
        .key("data", "Which they are.", true, Dropped::schema(schemas));
    let event = any_of([request.finish(), dropped.finish()]);
    json!({
        "type": "array",
        "description": "The events, with what stands in their fields.",
        "items": event,
    })
}

fn parameters(row: &Row) -> Vec<Value> {
    let mut all = Vec::new();
    if row.path.contains("{id}") {
        all.push(parameter("id", "path", true, "The id of the sandbox.", &sandbox_id()));
    }
    if row.path.contains("{request}") {
        // Another id names no request, which is no mistake.
        let about = "The id of the request, or its number.";
        all.push(parameter("request", "path", true, about, &text()));
    }
    all.extend(row.query.iter().map(|query| in_query(*query, row)));
    if row.route == Route::Events {
        let about = "The number of the last request that was heard; those behind it come first.";
        all.push(parameter(LAST_EVENT_ID.as_str(), "header", false, about, &at_least(0)));
    }
    all
}

fn in_query(query: Query, row: &Row) -> Value {
    let schema = match query {
        Query::Limit => at_least(0),
        Query::Since => text_as("date-time"),
        Query::Sandbox => sandbox_id(),
        Query::Mute => {
            let rules = words(RULES.map(|(_, name, _)| name));
            json!({ "type": "array", "items": rules, "minItems": 1 })
        }
    };
    let about = sentence(query.about(row.path.contains("{request}")));
    let node = parameter(query.name(), "query", false, &about, &schema);
    match query {
        Query::Mute => node.with("style", "form").with("explode", false),
        _ => node,
    }
}

fn sandbox_id() -> Value {
    text_like(SANDBOX_ID_PATTERN)
}

/// A failure with this code. Generators merge an enum of one with what it narrows, and no `const`.
fn with_code(failure: &Value, code: u16) -> Value {
    let code = json!({ "code": numbers([u32::from(code)]) });
    let code = json!({ "type": "object", "properties": code });
    json!({ "allOf": [failure, code] })
}

//! The control API as an `OpenAPI` document: folded from the tables that it is served by.

use super::events::{Dropped, EVENT_STREAM, LAST_EVENT_ID};
use super::failure::{FAILURES, Failure, FailureRow};
use super::query::Query;
use super::routes::{Answer, Body, ROUTES, Route, Row};
use super::shapes::ServeEvent;
use super::{MOST_BODY, PREFIX};
use crate::contract::MEDIA_TYPE;
use crate::keys::SANDBOX_ID_PATTERN;
use crate::node::{Node, object};
use crate::openapi::{bearer, info, parameter, print, tags};
use crate::report::Format;
use crate::sandbox::verdict::{RULES, VerdictShown};
use crate::shape::{
    Object, Schemas, Shape, any_of, at_least, described, numbers, reference, sentence, text,
    text_as, text_like, words,
};

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
    let paths = ROUTES.chunk_by(|one, next| one.path == next.path).map(|rows| {
        let operations =
            rows.iter().map(|row| (row.method.to_ascii_lowercase(), operation(row, &mut schemas)));
        (format!("{PREFIX}{}", rows[0].path), Node::map(operations))
    });
    let paths = Node::map(paths);
    let responses = FAILURES.iter().map(|row| (row.name, refused(row, &mut schemas)));
    let responses = Node::map(responses);
    print(&object! {
        "openapi" => "3.1.0",
        "info" => info(
            "gptbots-mock control API",
            "What a test or a tool needs beside the vendor's endpoints.",
            &format!(
                "docs/CONTROL.md says more. It answers the machine that it runs on, or with \
                 `--admin-token` whoever has the token. A body has at most {MOST_BODY} bytes. `HEAD` \
                 is answered as `GET`, without the body."
            ),
            "The maintainers of gptbots-mock",
        ),
        "servers" => Node::List(vec![object! {
            "url" => "http://127.0.0.1:8484",
            "description" => "Where `gptbots-mock` listens by default",
        }]),
        "security" => Node::List(vec![
            object! {},
            object! { "adminToken" => Node::List(Vec::new()) },
        ]),
        "tags" => tags(TAGS.map(|(name, about, _)| (name, about))),
        "paths" => paths,
        "components" => object! {
            "securitySchemes" => object! {
                "adminToken" => bearer("The token of `--admin-token`, where the server has one."),
            },
            "responses" => responses,
            "schemas" => schemas.all(),
        },
    })
}

/// An answer that is another document.
pub(super) fn any_document(_: &mut Schemas) -> Node {
    object! { "type" => "object", "description" => "An OpenAPI document." }
}

fn refused(row: &FailureRow, schemas: &mut Schemas) -> Node {
    let schema = with_code(Failure::schema(schemas), row.status);
    let mut response = object! { "description" => sentence(row.about) };
    if let Some((name, about)) = row.header {
        let header = object! { "description" => sentence(about), "schema" => text() };
        response = response.with("headers", object! { name => header });
    }
    response.with("content", object! { MEDIA_TYPE => object! { "schema" => schema } })
}

fn operation(row: &Row, schemas: &mut Schemas) -> Node {
    let mut operation = object! {
        "tags" => Node::list([tag(row)]),
        "operationId" => operation_id(row.route),
        "summary" => summary(row.route),
        "description" => sentence(row.about),
    };
    let parameters = parameters(row);
    if !parameters.is_empty() {
        operation = operation.with("parameters", Node::List(parameters));
    }
    if let Some(Body { schema, examples }) = row.body {
        let example = |(name, json): &(&'static str, &str)| {
            (*name, object! { "value" => Node::read(json.as_bytes()) })
        };
        let examples = Node::map(examples.iter().map(example));
        let content = object! { "schema" => schema(schemas), "examples" => examples };
        let content = object! { MEDIA_TYPE => content };
        let body = object! { "required" => true, "content" => content };
        operation = operation.with("requestBody", body);
    }
    let answered = ("200".to_owned(), answered(row.answer, schemas));
    if row.open {
        operation = operation.with("security", Node::List(Vec::new()));
    }
    let everywhere = |it: &FailureRow| it.everywhere && row.is_refused_with(it.status);
    let refused = FAILURES.iter().filter(|it| everywhere(it) || row.fails.contains(&it.status));
    let refused = refused.map(|it| (it.status.to_string(), reference("responses", it.name)));
    operation.with("responses", Node::map([answered].into_iter().chain(refused)))
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

fn answered(answer: Answer, schemas: &mut Schemas) -> Node {
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
    let content = content.into_iter().map(|(of, schema)| (of, object! { "schema" => schema }));
    object! { "description" => about, "content" => Node::map(content) }
}

/// A stream of every kind of event.
fn events(schemas: &mut Schemas) -> Node {
    let request = Object::new("A request.")
        .key("event", "Its name.", true, words(["request"]))
        .key("id", "The number of the request.", true, at_least(1))
        .key("data", "The request.", true, ServeEvent::schema(schemas));
    let dropped = Object::new("Requests that cannot be told any more.")
        .key("event", "Its name.", true, words(["dropped"]))
        .key("data", "Which they are.", true, Dropped::schema(schemas));
    let event = any_of([request.finish(), dropped.finish()]);
    object! {
        "type" => "array",
        "description" => "The events, with what stands in their fields.",
        "items" => event,
    }
}

fn parameters(row: &Row) -> Vec<Node> {
    let mut all = Vec::new();
    if row.path.contains("{id}") {
        all.push(parameter("id", "path", true, "The id of the sandbox.", sandbox_id()));
    }
    if row.path.contains("{request}") {
        // Another id names no request, which is no mistake.
        let about = "The id of the request, or its number.";
        all.push(parameter("request", "path", true, about, text()));
    }
    all.extend(row.query.iter().map(|query| in_query(*query, row)));
    if row.route == Route::Events {
        let about = "The number of the last request that was heard; those behind it come first.";
        all.push(parameter(LAST_EVENT_ID.as_str(), "header", false, about, at_least(0)));
    }
    all
}

fn in_query(query: Query, row: &Row) -> Node {
    let schema = match query {
        Query::Limit => at_least(0),
        Query::Since => text_as("date-time"),
        Query::Sandbox => sandbox_id(),
        Query::Mute => {
            let rules = words(RULES.map(|(_, name, _)| name));
            object! { "type" => "array", "items" => rules, "minItems" => 1 }
        }
    };
    let about = sentence(query.about(row.path.contains("{request}")));
    let node = parameter(query.name(), "query", false, &about, schema);
    match query {
        Query::Mute => node.with("style", "form").with("explode", false),
        _ => node,
    }
}

fn sandbox_id() -> Node {
    text_like(SANDBOX_ID_PATTERN)
}

/// A failure with this code. Generators merge an enum of one with what it narrows, and no `const`.
fn with_code(failure: Node, code: u16) -> Node {
    let code = object! { "code" => numbers([u32::from(code)]) };
    let code = object! { "type" => "object", "properties" => code };
    object! { "allOf" => Node::List(vec![failure, code]) }
}

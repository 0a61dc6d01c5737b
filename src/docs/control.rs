//! The control API as an `OpenAPI` document, made from its operations. The schemas of responses are derived
//! from their types. The schemas of request bodies are in [`bodies`], because these are read by hand-written
//! code.

mod bodies;

use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Value, json};

use super::parts::{bearer, info, parameter, print, read, sentence, tags};
use crate::contract::MEDIA_TYPE;
use crate::control::{
    DROPPED, Dropped, FailureBody, LAST_EVENT_ID, MOST_BODY, Operation, PREFIX, ResponseKind,
    ServeEvent, TOTAL, operations,
};
use crate::docs::schema::{
    ObjectSchema, With, any_of, at_least, described, numbers, reference, text, words,
};
use crate::keys::SandboxId;
use crate::report::Format;
use crate::sandbox::verdict::VerdictShown;

/// The groups of the operations: name, description, and the first segments of their paths.
const TAGS: [(&str, &str, &[&str]); 4] = [
    (
        "requests",
        "The journal of requests, in WireMock's format.",
        &["requests", "near-misses", "events"],
    ),
    ("sandboxes", "Separate server states, for tests that run in parallel.", &["sandboxes"]),
    (
        "server",
        "The server itself.",
        &["health", "version", "openapi.json", "admin-openapi.json", "reset"],
    ),
    ("verdict", "Mistakes of clients, and how much of the API they use.", &["verdict"]),
];

/// A status of a failure.
struct FailureRow {
    status: u16,
    /// The name of its response in the document.
    name: &'static str,
    about: &'static str,
    /// Whether every operation has this failure. Otherwise operations name it.
    everywhere: bool,
    /// The header of the response, and its description.
    header: Option<(&'static str, &'static str)>,
}

const fn failure(
    status: u16,
    name: &'static str,
    everywhere: bool,
    about: &'static str,
) -> FailureRow {
    FailureRow { status, name, about, everywhere, header: None }
}

/// Every status of a failure.
const FAILURES: [FailureRow; 10] = [
    failure(
        400,
        "BadRequest",
        true,
        "the path, the query or the body is invalid, and nothing was changed; `errors` lists all \
         mistakes of a body",
    ),
    FailureRow {
        header: Some(("WWW-Authenticate", "the scheme, `Bearer`")),
        ..failure(
            401,
            "Unauthorized",
            true,
            "the server has an `--admin-token`, which was not sent",
        )
    },
    failure(
        403,
        "Forbidden",
        true,
        "the client is on another machine, or uses a host that is not a name of this machine, or is \
         a web page of another origin",
    ),
    failure(404, "NotFound", false, "the sandbox or request does not exist, or the journal is off"),
    FailureRow {
        header: Some(("Allow", "the methods of the path")),
        ..failure(405, "MethodNotAllowed", true, "the path does not have this method")
    },
    failure(408, "RequestTimeout", true, "the body did not arrive in time"),
    failure(
        409,
        "Conflict",
        false,
        "a fault has the id of another one, or there are too many faults",
    ),
    failure(413, "ContentTooLarge", true, "the body is too large"),
    failure(500, "InternalServerError", false, "a bug in the emulator"),
    failure(507, "InsufficientStorage", true, "the memory budget (`--max-memory`) is full"),
];

/// The control API as an `OpenAPI` 3.1 document.
pub(super) fn openapi() -> String {
    let mut schemas = Schemas::new();
    let operations = operations();
    let at_paths = operations.chunk_by(|one, next| one.path == next.path);
    let paths: Value = at_paths
        .map(|at_path| {
            let operations = at_path.iter().map(|operation| {
                (operation.method.as_str().to_ascii_lowercase(), describe(operation, &mut schemas))
            });
            (format!("{PREFIX}{}", at_path[0].path), operations.collect::<Value>())
        })
        .collect();
    let responses = FAILURES.iter().map(|row| (row.name, refusal(row, &mut schemas)));
    let responses: Value = responses.collect();
    print(&json!({
        "openapi": "3.1.0",
        "info": info(
            "gptbots-mock control API",
            "Operations for tests and tools, in addition to the vendor's endpoints.",
            &format!(
                "See docs/control-api.md. The control API accepts requests from its own machine, or \
                 with `--admin-token` from clients that send the token. A body has at most \
                 {MOST_BODY} bytes. `HEAD` is like `GET`, without the body."
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
                "adminToken": bearer("The token of `--admin-token`, if the server has one."),
            },
            "responses": responses,
            "schemas": schemas.components(),
        },
    }))
}

/// The schemas of a document.
struct Schemas(SchemaGenerator);

impl Schemas {
    fn new() -> Self {
        let settings = SchemaSettings::draft2020_12().for_serialize().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        });
        Self(settings.with_transform(RecursiveTransform(plain)).into_generator())
    }

    /// The schema of a type, or a reference to it.
    fn of<T: JsonSchema + ?Sized>(&mut self) -> Value {
        self.made_by(SchemaGenerator::subschema_for::<T>)
    }

    fn made_by(&mut self, make: fn(&mut SchemaGenerator) -> Schema) -> Value {
        let mut schema = make(&mut self.0);
        RecursiveTransform(plain).transform(&mut schema);
        schema.into()
    }

    /// The description of a schema, or of the one that it refers to.
    fn about(&self, schema: &Value) -> String {
        let name = schema["$ref"].as_str().and_then(|to| to.rsplit('/').next());
        let schema = name.map_or(schema, |name| &self.0.definitions()[name]);
        let about = schema["description"].as_str().expect("every answer has a description");
        about.replace('\n', " ")
    }

    fn components(mut self) -> Value {
        self.0.take_definitions(true).into()
    }
}

/// Makes a derived schema simpler: objects have no other properties, only formats of JSON Schema are named,
/// and each paragraph of a description is one line.
fn plain(schema: &mut Schema) {
    let is_object = schema.get("type").is_some_and(|kind| kind == "object");
    if is_object
        && schema.get("properties").is_some()
        && schema.get("additionalProperties").is_none()
    {
        schema.insert("additionalProperties".to_owned(), false.into());
    }
    let known = ["uuid", "date-time"];
    if schema.get("format").is_some_and(|format| !known.iter().any(|known| format == known)) {
        schema.remove("format");
    }
    if let Some(Value::String(about)) = schema.get_mut("description") {
        let paragraphs: Vec<_> = about.split("\n\n").map(|text| text.replace('\n', " ")).collect();
        *about = paragraphs.join("\n\n");
    }
}

fn refusal(row: &FailureRow, schemas: &mut Schemas) -> Value {
    // Generators of clients merge an `enum` with the schema that it narrows, but not a `const`.
    let code = json!({ "code": numbers([u32::from(row.status)]) });
    let each = json!({ "type": "object", "properties": code });
    let errors = json!({ "errors": { "type": "array", "items": each } });
    let code = json!({ "type": "object", "properties": errors });
    let schema = json!({ "allOf": [schemas.of::<FailureBody>(), code] });
    let mut response = json!({ "description": sentence(row.about) });
    if let Some((name, about)) = row.header {
        let header = json!({ "description": sentence(about), "schema": text() });
        response = response.with("headers", json!({ name: header }));
    }
    response.with("content", json!({ MEDIA_TYPE: { "schema": schema } }))
}

fn describe(operation: &Operation, schemas: &mut Schemas) -> Value {
    let mut described = json!({
        "tags": [tag(operation)],
        "operationId": operation.id,
        "summary": summary(operation.id),
        "description": sentence(operation.about),
    });
    let parameters = parameters(operation, schemas);
    if !parameters.is_empty() {
        described = described.with("parameters", parameters);
    }
    if let Some(schema) = operation.body {
        let examples =
            operation.examples.iter().map(|(name, body)| (*name, json!({ "value": read(body) })));
        let examples: Value = examples.collect();
        let content = json!({ "schema": schemas.made_by(schema.make), "examples": examples });
        let body = json!({ "required": true, "content": { MEDIA_TYPE: content } });
        described = described.with("requestBody", body);
    }
    let mut answer = answer(&operation.answer, schemas);
    if operation.tells_journal_size {
        answer = answer.with("headers", journal_size());
    }
    let answer = ("200".to_owned(), answer);
    if operation.is_open {
        described = described.with("security", json!([]));
    }
    let refusals = FAILURES.iter().filter(|row| {
        // Only the guard uses these two statuses, and it does not check open operations.
        let passes = operation.is_open && [401, 403].contains(&row.status);
        row.everywhere && !passes || operation.failures.contains(&row.status)
    });
    let refusals = refusals.map(|row| (row.status.to_string(), reference("responses", row.name)));
    described.with("responses", [answer].into_iter().chain(refusals).collect::<Value>())
}

/// The headers with the size of the journal.
fn journal_size() -> Value {
    let header = |about: &str| json!({ "description": about, "schema": at_least(0) });
    json!({
        TOTAL.as_str(): header(
            "How many requests were in the journal, whether they match or not."
        ),
        DROPPED.as_str(): header(
            "How many more requests the journal had to drop. If this is not 0, a count of requests \
             may be too low."
        ),
    })
}

/// `putSandbox` is `Put sandbox`.
fn summary(id: &str) -> String {
    let mut words = id[..1].to_uppercase();
    for letter in id[1..].chars() {
        if letter.is_uppercase() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    words
}

fn tag(operation: &Operation) -> &'static str {
    let begins = operation.path.split('/').nth(1).expect("a path begins with a slash");
    let tag = TAGS.iter().find(|(.., of)| of.contains(&begins));
    tag.expect("every path has a tag").0
}

fn answer(answer: &ResponseKind, schemas: &mut Schemas) -> Value {
    let (about, content) = match answer {
        ResponseKind::Json(schema) => {
            let schema = schemas.made_by(schema.make);
            (schemas.about(&schema), vec![(MEDIA_TYPE, schema)])
        }
        ResponseKind::Verdict => (
            "In the format that `Accept` prefers; JSON if it names none of these.".to_owned(),
            vec![
                (Format::Json.media_type(), schemas.of::<VerdictShown<'_>>()),
                (Format::Text.media_type(), described(text(), "A text for people.")),
                (Format::Junit.media_type(), described(text(), "A JUnit report.")),
            ],
        ),
        ResponseKind::Events => {
            let media_type = "text/event-stream";
            let stream = text().with("contentMediaType", media_type);
            let stream = stream.with("contentSchema", events(schemas));
            ("A stream that ends when the server stops.".to_owned(), vec![(media_type, stream)])
        }
    };
    let content = content.into_iter().map(|(of, schema)| (of, json!({ "schema": schema })));
    json!({ "description": about, "content": content.collect::<Value>() })
}

/// The schema of a stream with all kinds of events.
fn events(schemas: &mut Schemas) -> Value {
    let request = ObjectSchema::new("A request.")
        .key("event", "Its name.", true, words(["request"]))
        .key("id", "The number of the request.", true, at_least(1))
        .key("data", "The request.", true, schemas.of::<ServeEvent<'_>>());
    let dropped = ObjectSchema::new("Requests that are missing, because the journal dropped them.")
        .key("event", "Its name.", true, words(["dropped"]))
        .key("data", "The missing requests.", true, schemas.of::<Dropped>());
    json!({
        "type": "array",
        "description": "The events with their fields.",
        "items": any_of([request.finish(), dropped.finish()]),
    })
}

fn parameters(operation: &Operation, schemas: &mut Schemas) -> Vec<Value> {
    let mut all = Vec::new();
    if operation.path.contains("{id}") {
        let schema = schemas.of::<SandboxId>();
        all.push(parameter("id", "path", true, "The id of the sandbox.", &schema));
    }
    if operation.path.contains("{request}") {
        // Any text is allowed, because an id without a request is not invalid.
        let about = "The id of the request, or its number.";
        all.push(parameter("request", "path", true, about, &text()));
    }
    if let Some((names, schema)) = operation.query {
        let query = schemas.made_by(schema.make);
        all.extend(names.iter().map(|name| in_query(name, &query["properties"][name])));
    }
    if let ResponseKind::Events = operation.answer {
        let about = "The number of the last request that the client has received; the stream begins \
                     with the next one.";
        all.push(parameter(LAST_EVENT_ID.as_str(), "header", false, about, &at_least(0)));
    }
    all
}

fn in_query(name: &str, schema: &Value) -> Value {
    let mut schema = schema.clone();
    let about = schema.as_object_mut().and_then(|schema| schema.remove("description"));
    let about = about.expect("every parameter has a description");
    let about = about.as_str().expect("a description is a text");
    let parameter = parameter(name, "query", false, about, &schema);
    match schema["type"].as_str() {
        Some("array") => parameter.with("style", "form").with("explode", false),
        _ => parameter,
    }
}

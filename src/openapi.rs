//! The contract as an `OpenAPI` document: folded from the tables, so that it says what is served.
//!
//! It shows the readings' defaults. What a reading adds to an answer is an optional key.

use serde_json::{Map, Value, json};

use crate::contract::{
    COMMON_ERRORS, CONVERSATION_TYPES, Code, ENDPOINTS, Endpoint, ErrorRow, Feedback, JsonType,
    Kind, MEDIA_TYPE, MessageType, Param, Presence, Source, is_by_reading,
};

/// The vendor's hosts. The first has a name for each region.
const SERVERS: &str = r#"[
  {
    "url": "https://api-{region}.gptbots.ai",
    "description": "The vendor's, by region",
    "variables": {"region": {"enum": ["sg", "jp", "th"], "default": "sg"}}
  },
  {"url": "https://api.gptbots.ai", "description": "The vendor's"},
  {"url": "https://altatech.ai", "description": "The vendor's"}
]"#;

/// The vendor's API as an `OpenAPI` 3.1 document.
#[must_use]
pub fn openapi() -> String {
    let mut paths = Map::new();
    for endpoint in ENDPOINTS {
        paths.insert(endpoint.path.to_owned(), json!({ "get": operation(endpoint) }));
    }
    let mut schemas = Map::new();
    for endpoint in ENDPOINTS {
        schemas.insert(name_of(endpoint, "Row"), row(endpoint));
        schemas.insert(name_of(endpoint, "Answer"), answer(endpoint));
    }
    schemas.insert("Failure".to_owned(), failure());
    let document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "GPTBots conversation history",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "What gptbots-mock believes of the vendor's API, and serves.",
            "description": "Written from the vendor's public pages and from public clients; \
                            docs/FIDELITY.md says how well each statement is known. It shows the \
                            defaults of the readings.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "servers": serde_json::from_str::<Value>(SERVERS).unwrap_or_default(),
        "security": [{ "apiKey": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "apiKey": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key, which stands for one agent.",
                },
            },
            "schemas": schemas,
        },
    });
    // Strings and numbers always serialize.
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

/// `MessagesV2Row`
fn name_of(endpoint: &Endpoint, what: &str) -> String {
    let words = endpoint.id.split('-').flat_map(|word| {
        let (first, rest) = word.split_at(1);
        [first.to_uppercase(), rest.to_owned()]
    });
    words.chain([what.to_owned()]).collect()
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn operation(endpoint: &Endpoint) -> Value {
    let mut responses = Map::new();
    let ok = json!({
        "description": endpoint.about,
        "content": { (MEDIA_TYPE): { "schema": reference(&name_of(endpoint, "Answer")) } },
    });
    responses.insert("200".to_owned(), ok);
    let rows: Vec<&ErrorRow> = endpoint
        .errors
        .iter()
        // Only a reading brings it to the lists.
        .filter(|row| {
            row.code != Code::PageExceedsTotal || endpoint.documents(Code::PageExceedsTotal)
        })
        .chain(COMMON_ERRORS.iter().filter(|row| row.code != Code::NotFound))
        .collect();
    for status in [400, 401, 405, 429, 500] {
        let found: Vec<_> = rows.iter().filter(|row| row.code.http_status() == status).collect();
        if !found.is_empty() {
            responses.insert(status.to_string(), refused(status, &found));
        }
    }
    json!({
        "operationId": operation_id(endpoint),
        "summary": endpoint.name,
        "description": format!("{} ({}).", sentence(endpoint.about), said(endpoint.source)),
        "parameters": endpoint.params.iter().map(parameter).collect::<Vec<_>>(),
        "responses": responses,
    })
}

/// `getMessagesV2`
fn operation_id(endpoint: &Endpoint) -> String {
    format!("get{}", name_of(endpoint, ""))
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// `documented: Get Q&A List, 2025-10-20`
fn said(source: Source) -> String {
    format!("{}: {}", source.status.name(), source.from)
}

fn parameter(param: &Param) -> Value {
    let schema = match param.kind {
        Kind::ConversationType | Kind::Feedback => {
            json!({ "type": "string", "enum": param.kind.words() })
        }
        Kind::Text => json!({ "type": "string", "minLength": 1 }),
        Kind::Millis => json!({ "type": "integer", "format": "int64" }),
        Kind::Integer { min, max: i64::MAX } => {
            json!({ "type": "integer", "format": "int64", "minimum": min })
        }
        Kind::Integer { min, max } => {
            json!({ "type": "integer", "format": "int64", "minimum": min, "maximum": max })
        }
    };
    json!({
        "name": param.field.name(),
        "in": "query",
        "required": param.presence == Presence::Required,
        "description": format!("{} ({}).", sentence(param.about), said(param.source)),
        "schema": schema,
    })
}

/// The answers of one HTTP status, each with the page's words as an example.
fn refused(status: u16, rows: &[&&ErrorRow]) -> Value {
    let codes: Vec<u32> = rows.iter().map(|row| row.code.number()).collect();
    let mut examples = Map::new();
    for row in rows {
        let value = json!({ "code": row.code.number(), "message": row.message });
        let about = json!({ "summary": said(row.source), "value": value });
        examples.insert(row.code.number().to_string(), about);
    }
    let words: Vec<&str> = rows.iter().map(|row| row.message.trim_end_matches('.')).collect();
    let mut response = json!({
        "description": words.join("; "),
        "content": {
            (MEDIA_TYPE): {
                "schema": {
                    "allOf": [reference("Failure"), { "properties": { "code": { "enum": codes } } }],
                },
                "examples": examples,
            },
        },
    });
    if status == 429 {
        response["headers"] = json!({
            "Retry-After": {
                "description": "Seconds until a request is admitted.",
                "schema": { "type": "integer", "minimum": 0 },
            },
        });
    }
    response
}

fn failure() -> Value {
    json!({
        "type": "object",
        "description": "Why a request was refused: exactly these two keys.",
        "required": ["code", "message"],
        "properties": {
            "code": { "type": "integer" },
            "message": { "type": "string" },
        },
    })
}

fn row(endpoint: &Endpoint) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for (name, json_type, about, source) in endpoint.answer.keys() {
        let mut schema = value(name, json_type);
        schema["description"] = format!("{} ({}).", sentence(about), said(source)).into();
        properties.insert(name.to_owned(), schema);
        if !is_by_reading(name) {
            required.push(name);
        }
    }
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// What a value of a row may be.
fn value(name: &str, json_type: JsonType) -> Value {
    let types: Vec<&str> = CONVERSATION_TYPES.iter().map(|(kind, ..)| kind.name()).collect();
    match (name, json_type) {
        ("conversation_type" | "convo_type", _) => json!({ "type": "string", "enum": types }),
        ("user_feedback", _) => {
            json!({ "type": "string", "enum": Feedback::ALL.map(Feedback::name) })
        }
        ("feedback", _) => {
            let mut words = vec![""];
            words.extend(
                Feedback::ALL.map(Feedback::v2_name).into_iter().filter(|word| !word.is_empty()),
            );
            json!({ "type": "string", "enum": words })
        }
        ("message_type", _) => {
            json!({ "type": "string", "enum": MessageType::ALL.map(MessageType::name) })
        }
        ("role", _) => {
            json!({ "type": "string", "enum": MessageType::ALL.map(MessageType::role) })
        }
        ("content", _) => content(),
        (_, JsonType::String | JsonType::List) => json!({ "type": "string" }),
        (_, JsonType::StringOrNull) => json!({ "type": ["string", "null"] }),
        (_, JsonType::Integer) => json!({ "type": "integer", "format": "int64" }),
        (_, JsonType::Float) => json!({ "type": "number", "format": "double" }),
    }
}

/// The nested list that holds the text of a v2 message.
fn content() -> Value {
    let object = |name: &str, schema: Value| json!({ "type": "object", "required": [name], "properties": { (name): schema } });
    let text = json!({
        "type": "object",
        "required": ["type", "text"],
        "properties": { "type": { "const": "text" }, "text": { "type": "string" } },
    });
    let branch = object("branch_content", json!({ "type": "array", "items": text }));
    json!({ "type": "array", "items": branch })
}

fn answer(endpoint: &Endpoint) -> Value {
    let rows = endpoint.answer.rows_name();
    let has_total = endpoint.answer.has_total();
    let mut required = vec![rows];
    if has_total {
        required.push("total");
    }
    let about = format!("{}.", sentence(endpoint.answer.total_about));
    json!({
        "type": "object",
        "properties": {
            (rows): { "type": "array", "items": reference(&name_of(endpoint, "Row")) },
            "total": { "type": "integer", "format": "int64", "minimum": 0, "description": about },
        },
        "required": required,
        "additionalProperties": false,
    })
}

//! The operations: parameters, responses and errors.

use std::collections::BTreeMap;

use super::{TAGS, behaviours_of, capital, channels, cite, name_of, read, sentence};
use crate::api;
use crate::contract::{
    ALLOW, COMMON_ERRORS, Code, Endpoint, ErrorRow, Field, Kind, MEDIA_TYPE, Operation, Param,
    Presence, READINGS, SCHEME,
};
use crate::docs::schema::{ObjectSchema, With, numbers, reference, text, words};
use crate::records::world::World;
use serde_json::{Value, json};

pub(super) fn get(endpoint: &'static Endpoint, examples: &World) -> Value {
    let tags = TAGS.iter().filter(|(.., of)| of.contains(&endpoint.operation));
    let readings = READINGS.iter().filter(|row| {
        row.affects == "every endpoint" || row.affects.split(", ").any(|name| name == endpoint.name)
    });
    let parameters = endpoint.params.iter().map(|param| parameter(param, endpoint.example.query));
    json!({
        "tags": tags.map(|(name, ..)| *name).collect::<Value>(),
        "operationId": format!("get{}", name_of(endpoint, "")),
        "summary": capital(endpoint.name),
        "description": format!(
            "{} Source of the endpoint: {}.\n\n{}",
            sentence(endpoint.about),
            cite(endpoint.source),
            behaviours_of(endpoint.id)
        ),
        "parameters": Value::Array(parameters.collect()),
        "responses": responses(endpoint, examples),
        "x-readings": readings.map(|row| row.name).collect::<Value>(),
    })
}

/// A parameter, with the value that it has in a query.
fn parameter(param: &Param, query: &str) -> Value {
    let (name, kind) = (param.field.name(), param.kind);
    let schema = match kind {
        Kind::ConversationType | Kind::Feedback => words(kind.words()),
        // An empty value counts as an absent one, so an optional text may be empty.
        Kind::Text if param.presence == Presence::Optional => text(),
        Kind::Text => text().with("minLength", 1),
        Kind::Millis => integer(),
        Kind::Integer { min, max: i64::MAX } => integer().with("minimum", min),
        Kind::Integer { min, max } => integer().with("minimum", min).with("maximum", max),
    };
    let says = capital(&param.says());
    let mut about = format!("{} {says} ({}).", sentence(param.about), cite(param.source));
    if kind == Kind::ConversationType {
        about = format!("{about} {}", channels());
    }
    let required = param.presence == Presence::Required;
    let node = super::parameter(name, "query", required, &about, &schema);
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let Some((_, value)) = pairs.find(|(key, _)| *key == name) else { return node };
    node.with(
        "example",
        match kind {
            Kind::Millis | Kind::Integer { .. } => {
                Value::from(value.parse::<i64>().expect("a page's example is right"))
            }
            Kind::ConversationType | Kind::Feedback | Kind::Text => Value::from(value),
        },
    )
}

fn integer() -> Value {
    json!({ "type": "integer", "format": "int64" })
}

fn responses(endpoint: &'static Endpoint, examples: &World) -> Value {
    let example = api::example(examples, endpoint).expect("the built-in records answer it");
    let about = endpoint.example.about;
    let ok = json!({
        "description": sentence(endpoint.about),
        "content": {
            MEDIA_TYPE: {
                "schema": reference("schemas", &name_of(endpoint, "Answer")),
                "examples": {
                    "page": {
                        "summary": capital(about),
                        "description": format!("The response of the built-in records to `{}`.", endpoint.example.shown_by),
                        "value": read(std::str::from_utf8(&example).expect("JSON is UTF-8")),
                    },
                },
            },
        },
    });
    let mut own: BTreeMap<u16, Vec<&ErrorRow>> = BTreeMap::new();
    for row in endpoint.errors {
        own.entry(row.code.http_status()).or_default().push(row);
    }
    let mut responses = vec![("200".to_owned(), ok)];
    responses.extend(own.into_iter().map(|(status, rows)| {
        let (by_reading, rows): (Vec<_>, Vec<_>) =
            rows.into_iter().partition(|row| row.is_by_reading());
        (status.to_string(), refused(&rows, &by_reading, &failure(&rows)))
    }));
    responses.extend(common_rows().map(|row| {
        (row.code.http_status().to_string(), reference("responses", &component(row.code)))
    }));
    // In the order of their numbers.
    responses.sort_by(|(one, _), (other, _)| one.cmp(other));
    Value::from_iter(responses)
}

/// The errors that have the same message at every endpoint. The 404 of unknown paths and the errors for
/// malformed HTTP are left out, because they belong to no endpoint.
fn common_rows() -> impl Iterator<Item = &'static ErrorRow> {
    let elsewhere = |code| code == Code::NotFound || Code::OF_HTTP.contains(&code);
    COMMON_ERRORS.iter().filter(move |row| !elsewhere(row.code))
}

/// `RateLimited`
fn component(code: Code) -> String {
    format!("{code:?}")
}

pub(super) fn common_refusals() -> Value {
    common_rows()
        .map(|row| {
            let name = component(row.code);
            let schema = reference("schemas", &name);
            (name, refused(&[row], &[], &schema))
        })
        .collect::<Value>()
}

/// The schemas of the errors that every endpoint has.
pub(super) fn common_failures() -> impl Iterator<Item = (String, Value)> {
    common_rows().map(|row| (component(row.code), failure(&[row])))
}

/// The schema of a failure with one of these codes. The schemas share no common part, because such a part
/// could not forbid further keys.
fn failure(rows: &[&ErrorRow]) -> Value {
    let codes = numbers(rows.iter().map(|row| row.code.number()));
    ObjectSchema::new("An error response, with exactly these two keys.")
        .key("code", "The error code.", true, codes)
        .key("message", "The error message for this code.", true, text())
        .finish()
}

/// The response of one HTTP status, with the message of each error as an example. Errors that depend on a
/// reading are only described, because the document shows the defaults.
fn refused(rows: &[&ErrorRow], by_reading: &[&ErrorRow], schema: &Value) -> Value {
    let examples = rows.iter().map(|row| {
        let (code, message) = (row.code.number(), row.message);
        let value = json!({ "code": code, "message": message });
        (code.to_string(), json!({ "summary": cite(row.source), "value": value }))
    });
    let mut headers = vec![(api::REASON_HEADER, reference("headers", "Reason"))];
    for row in rows {
        match row.code {
            Code::RateLimited => headers.push(("Retry-After", reference("headers", "RetryAfter"))),
            Code::MethodNotAllowed => headers.push(("Allow", reference("headers", "Allow"))),
            Code::AuthenticationFailed => {
                headers.push(("WWW-Authenticate", reference("headers", "WwwAuthenticate")));
            }
            _ => {}
        }
    }
    json!({
        "description": refused_when(rows, by_reading),
        "headers": Value::from_iter(headers),
        "content": {
            MEDIA_TYPE: {
                "schema": schema,
                "examples": examples.collect::<Value>(),
            },
        },
    })
}

/// The messages of the errors, and the source of their HTTP status.
fn refused_when(rows: &[&ErrorRow], by_reading: &[&ErrorRow]) -> String {
    let words: Vec<&str> = rows.iter().map(|row| row.message.trim_end_matches('.')).collect();
    let mut sentences = vec![format!("{}.", words.join("; "))];
    if rows.iter().any(|row| row.code == Code::MethodNotAllowed) {
        sentences.push(format!(
            "For every method except {ALLOW}; a `GET` request gets it only from a fault."
        ));
    }
    sentences.extend(by_reading.iter().map(|row| {
        let (code, message, when) = (row.code.number(), row.message, row.source.from);
        format!("{code}, `{message}`, is sent {when}, or by a fault.")
    }));
    let by_error_status = rows.iter().any(|row| row.code.of_the_pages());
    let reading = if by_error_status { " (reading error-status)" } else { "" };
    sentences.push(format!("The HTTP status is {}{reading}.", cite(Code::STATUS_SOURCE)));
    sentences.join(" ")
}

/// The headers of error responses.
pub(super) fn headers() -> Value {
    json!({
        "Reason": {
            "description": "The reason of the error, in words. Only the emulator sends this header, not the vendor.",
            "schema": text(),
            "example": reason(),
        },
        "RetryAfter": {
            "description": "Seconds until the next request is accepted.",
            "schema": { "type": "integer", "minimum": 0 },
            "example": 60,
        },
        "Allow": {
            "description": "The methods that every endpoint accepts.",
            "schema": text().with("const", ALLOW),
            "example": ALLOW,
        },
        "WwwAuthenticate": {
            "description": "The authentication scheme.",
            "schema": text().with("const", SCHEME),
            "example": SCHEME,
        },
    })
}

/// The reason for the error if five questions per page are requested.
fn reason() -> String {
    let page_size = Operation::QaRecords.endpoint().param(Field::PageSize);
    let page_size = page_size.expect("the Q&A list has pages");
    format!("{} must be {}, got 5", page_size.field.name(), page_size.kind.expected())
}

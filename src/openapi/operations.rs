//! The operations: what is asked, what is answered, how it is refused.

use super::{TAGS, capital, name_of, said, sentence, with_codes};
use crate::contract::{
    ALLOW, COMMON_ERRORS, Code, Endpoint, ErrorRow, Kind, MEDIA_TYPE, Param, Presence, READINGS,
};
use crate::http;
use crate::node::{Node, object};
use crate::shape::{reference, text, words};
use crate::world::World;

pub(super) fn get(endpoint: &'static Endpoint, examples: Option<&World>) -> Node {
    let tags = TAGS.iter().filter(|(.., of)| of.contains(&endpoint.operation));
    let readings = READINGS.iter().filter(|row| {
        row.affects == "every endpoint" || row.affects.split(", ").any(|name| name == endpoint.name)
    });
    let parameters = endpoint.params.iter().map(|param| parameter(param, endpoint.example.query));
    object! {
        "tags" => Node::list(tags.map(|(name, ..)| *name)),
        "operationId" => format!("get{}", name_of(endpoint, "")),
        "summary" => capital(endpoint.name),
        "description" => format!("{} ({}).", capital(endpoint.about), said(endpoint.source)),
        "parameters" => Node::List(parameters.collect()),
        "responses" => responses(endpoint, examples),
        "x-readings" => Node::list(readings.map(|row| row.name)),
    }
}

/// A parameter, with the value that it has in a query.
fn parameter(param: &Param, query: &str) -> Node {
    let (name, kind) = (param.field.name(), param.kind);
    let schema = match kind {
        Kind::ConversationType | Kind::Feedback => words(kind.words()),
        // Empty is as good as absent.
        Kind::Text if param.presence == Presence::Optional => text(),
        Kind::Text => text().with("minLength", 1),
        Kind::Millis => integer(),
        Kind::Integer { min, max: i64::MAX } => integer().with("minimum", min),
        Kind::Integer { min, max } => integer().with("minimum", min).with("maximum", max),
    };
    let about = format!("{} ({}).", capital(param.about), said(param.source));
    let required = param.presence == Presence::Required;
    let node = super::parameter(name, "query", required, &about, schema);
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let Some((_, value)) = pairs.find(|(key, _)| *key == name) else { return node };
    node.with(
        "example",
        match kind {
            Kind::Millis | Kind::Integer { .. } => Node::from(value.parse::<i64>().ok()),
            Kind::ConversationType | Kind::Feedback | Kind::Text => Node::from(value),
        },
    )
}

fn integer() -> Node {
    object! { "type" => "integer", "format" => "int64" }
}

fn responses(endpoint: &'static Endpoint, examples: Option<&World>) -> Node {
    let example = examples.and_then(|world| http::example(world, endpoint)).unwrap_or_default();
    let about = endpoint.example.about;
    let ok = object! {
        "description" => sentence(endpoint.about),
        "content" => object! {
            MEDIA_TYPE => object! {
                "schema" => reference("schemas", &name_of(endpoint, "Answer")),
                "examples" => object! {
                    "page" => object! {
                        "summary" => capital(about),
                        "description" => format!("The built-in records' answer to `{}`.", endpoint.example.shown_by),
                        "value" => Node::read(&example),
                    },
                },
            },
        },
    };
    // Only a reading brings it to the lists.
    let unknown = |code| code == Code::PageExceedsTotal && !endpoint.documents(code);
    let own: Vec<&ErrorRow> = endpoint.errors.iter().filter(|row| !unknown(row.code)).collect();
    let mut responses = vec![("200".to_owned(), ok)];
    for status in [400, 401] {
        let found: Vec<_> =
            own.iter().copied().filter(|row| row.code.http_status() == status).collect();
        responses.push((status.to_string(), refused(&found, failure(&found))));
    }
    responses.extend(common_rows().map(|row| {
        (row.code.http_status().to_string(), reference("responses", &component(row.code)))
    }));
    // In the order of their numbers.
    responses.sort_by(|(one, _), (other, _)| one.cmp(other));
    Node::map(responses)
}

/// What every endpoint answers in the same words. What is at no path is nobody's answer.
fn common_rows() -> impl Iterator<Item = &'static ErrorRow> {
    COMMON_ERRORS.iter().filter(|row| row.code != Code::NotFound)
}

/// `RateLimited`
fn component(code: Code) -> String {
    format!("{code:?}")
}

pub(super) fn common_refusals() -> Node {
    Node::map(common_rows().map(|row| {
        let name = component(row.code);
        let schema = reference("schemas", &name);
        (name, refused(&[row], schema))
    }))
}

/// The schemas of what every endpoint answers.
pub(super) fn common_failures() -> impl Iterator<Item = (String, Node)> {
    common_rows().map(|row| (component(row.code), failure(&[row])))
}

/// A failure with one of these codes.
fn failure(rows: &[&ErrorRow]) -> Node {
    let failure = reference("schemas", "Failure");
    with_codes(failure, rows.iter().map(|row| row.code.number()))
}

/// The answers of one HTTP status, each with the page's words as an example.
fn refused(rows: &[&ErrorRow], schema: Node) -> Node {
    let examples = rows.iter().map(|row| {
        let (code, message) = (row.code.number(), row.message);
        let value = object! { "code" => code, "message" => message };
        (code.to_string(), object! { "summary" => said(row.source), "value" => value })
    });
    let words: Vec<&str> = rows.iter().map(|row| row.message.trim_end_matches('.')).collect();
    let mut headers = vec![(http::REASON_HEADER, reference("headers", "Reason"))];
    for row in rows {
        match row.code {
            Code::RateLimited => headers.push(("Retry-After", reference("headers", "RetryAfter"))),
            Code::MethodNotAllowed => headers.push(("Allow", reference("headers", "Allow"))),
            _ => {}
        }
    }
    object! {
        "description" => format!("{}.", words.join("; ")),
        "headers" => Node::map(headers),
        "content" => object! {
            MEDIA_TYPE => object! {
                "schema" => schema,
                "examples" => Node::map(examples),
            },
        },
    }
}

/// What stands in the head of a refusal.
pub(super) fn headers() -> Node {
    object! {
        "Reason" => object! {
            "description" => "Why, in words. The emulator's own: the vendor sends none.",
            "schema" => text(),
            "example" => "page_size must be 10 to 100, got 5",
        },
        "RetryAfter" => object! {
            "description" => "Seconds until a request is admitted.",
            "schema" => object! { "type" => "integer", "minimum" => 0 },
            "example" => 60,
        },
        "Allow" => object! {
            "description" => "The methods of every endpoint.",
            "schema" => text().with("const", ALLOW),
            "example" => ALLOW,
        },
    }
}

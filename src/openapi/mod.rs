//! The contract as an `OpenAPI` document: folded from the tables, so that it says what is served.
//!
//! It shows the readings' defaults; what a reading adds to an answer is an optional key.

mod node;
mod operations;
mod schemas;

use crate::contract::{ENDPOINTS, Endpoint, HOSTS, Host, Operation, READINGS, ReadingRow, Source};
use crate::fixtures;
use crate::world::World;
use node::{Node, object};

/// How the operations are grouped, where a reader or a generator groups them.
const TAGS: [(&str, &str, &[Operation]); 3] = [
    ("conversations", "Which conversations there are.", &[Operation::ConversationList]),
    ("messages", "What was said in a conversation.", &[Operation::Messages, Operation::MessagesV2]),
    ("qa", "Questions with their answers and ratings.", &[Operation::QaRecords]),
];

/// The vendor's API as an `OpenAPI` 3.1 document.
#[must_use]
pub fn openapi() -> String {
    // The built-in records are right, which the tests of fixtures hold.
    let examples =
        fixtures::documented().ok().and_then(|agents| World::of_fixture(agents, &[]).ok());
    let operation = |endpoint| operations::get(endpoint, examples.as_ref());
    let document = object! {
        "openapi" => "3.1.0",
        "info" => info(),
        "servers" => Node::List(HOSTS.iter().map(server).collect()),
        "security" => Node::List(vec![object! { "apiKey" => Node::List(Vec::new()) }]),
        "tags" => Node::List(
            TAGS.iter()
                .map(|(name, about, _)| object! { "name" => *name, "description" => *about })
                .collect()
        ),
        // `HEAD` is served, too, but says nothing that `GET` does not, and would double every
        // generated client.
        "paths" => Node::map(
            ENDPOINTS.iter().map(|endpoint| (endpoint.path, object! { "get" => operation(endpoint) }))
        ),
        "components" => object! {
            "securitySchemes" => object! {
                "apiKey" => object! {
                    "type" => "http",
                    "scheme" => "bearer",
                    "description" => "An API key, which stands for one agent.",
                },
            },
            "headers" => operations::headers(),
            "responses" => operations::common_refusals(),
            "schemas" => schemas::all(),
        },
        "x-readings" => Node::map(READINGS.iter().map(|row| (row.name, reading(row)))),
    };
    // Strings and numbers always serialize.
    serde_json::to_string_pretty(&document).unwrap_or_default() + "\n"
}

fn info() -> Node {
    let license = env!("CARGO_PKG_LICENSE");
    object! {
        "title" => "GPTBots conversation history",
        "version" => env!("CARGO_PKG_VERSION"),
        "summary" => "What gptbots-mock believes of the vendor's API, and serves.",
        "description" =>
            "Written from the vendor's public pages and from public clients; each statement says \
             how well it is known, and docs/FIDELITY.md what nobody outside the vendor knows.\n\n\
             Where sources disagree the emulator has a switch, a reading. The document shows the \
             defaults; `x-readings` at its end says what the others change, and on an operation \
             which of them concern it. Under `error-status=ok`, for one, a refusal with one of the \
             pages' own codes comes as HTTP 200, under `messages-total=string` a total is a string.",
        "contact" => object! { "name" => "The maintainers of gptbots-mock, not the vendor" },
        "license" => object! { "name" => license, "identifier" => license },
    }
}

fn server(host: &Host) -> Node {
    let about = format!("The vendor's, {} ({})", host.about, said(host.source));
    let server = object! { "url" => host.url, "description" => about };
    let Some(default) = host.regions.first() else { return server };
    let region = object! {
        "enum" => Node::list(host.regions.iter().copied()),
        "default" => *default,
        "description" => "Where the organization's data center is.",
    };
    server.with("variables", object! { "region" => region })
}

fn reading(row: &ReadingRow) -> Node {
    let values = row.values.iter().map(|(word, about)| (*word, Node::from(about.trim())));
    object! {
        "affects" => row.affects,
        "why" => format!("{}.", sentence(row.why)),
        "default" => row.values[0].0,
        "values" => Node::map(values),
    }
}

/// `MessagesV2Row`
fn name_of(endpoint: &Endpoint, what: &str) -> String {
    let words = endpoint.id.split('-').flat_map(|word| {
        let (first, rest) = word.split_at(1);
        [first.to_uppercase(), rest.to_owned()]
    });
    words.chain([what.to_owned()]).collect()
}

fn reference(kind: &str, name: &str) -> Node {
    object! { "$ref" => format!("#/components/{kind}/{name}") }
}

/// With a capital letter; a unit (`ms`), a version (`v1`) and the name of a key have none.
fn sentence(text: &str) -> String {
    let first = text.split([' ', ';']).next().unwrap_or_default();
    if first == "ms" || first.contains(|c: char| c == '_' || c.is_ascii_digit()) {
        return text.to_owned();
    }
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// `documented: Get Q&A List, 2025-10-20`
fn said(source: Source) -> String {
    format!("{}: {}", source.status.name(), source.from)
}

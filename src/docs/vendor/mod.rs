//! The contract as an `OpenAPI` document, built from the tables that the server uses.
//!
//! It shows the default of each reading. A key that another value of a reading adds to a response is
//! optional.

mod operations;
mod schemas;

use super::parts::{bearer, capital, cite, info, parameter, print, read, sentence, tags, title};
use crate::contract::{
    CONVERSATION_TYPES, ENDPOINTS, Endpoint, HOSTS, Host, Operation, READINGS, ReadingRow,
    Statement, behaviours,
};
use crate::docs::schema::With;
use crate::records::fixtures;
use crate::records::world::World;
use serde_json::{Value, json};

/// The groups of the operations, for readers and generators.
const TAGS: [(&str, &str, &[Operation]); 3] = [
    ("conversations", "The list of conversations.", &[Operation::ConversationList]),
    ("messages", "The messages of a conversation.", &[Operation::Messages, Operation::MessagesV2]),
    ("qa", "Questions with their answers and ratings.", &[Operation::QaRecords]),
];

const ABOUT: &str = "\
Written from the vendor's public documentation (the \"vendor docs\") and from public clients. A status and \
a source in parentheses apply only to the sentence before them. Sentences without them describe how the \
emulator understands the API. docs/fidelity.md lists all statements with their sources.

Where sources disagree, the emulator has a behaviour option, called a reading. This document shows the \
defaults. `x-readings` at its end lists the other values and their effects; `x-readings` of an operation \
lists the readings that affect it. For example, with `error-status=ok` the codes in the vendor docs are \
sent with HTTP 200, and with `messages-total=string` a total is a string.

Rules for every endpoint:

";

/// The vendor's API as an `OpenAPI` 3.1 document.
pub(super) fn openapi() -> String {
    let examples = fixtures::documented().expect("the built-in records are right");
    let examples = World::of_fixture(examples.agents, &[]).expect("the built-in records are right");
    let operation = |endpoint| operations::get(endpoint, &examples);
    let document = json!({
        "openapi": "3.1.0",
        "info": about(),
        "servers": Value::Array(HOSTS.iter().map(server).collect()),
        "security": [{ "apiKey": [] }],
        "tags": tags(TAGS.map(|(name, about, _)| (name, about))),
        // `HEAD` is served, too, but it would double the size of generated clients and add nothing new.
        "paths": ENDPOINTS.iter().map(|endpoint| (endpoint.path, json!({ "get": operation(endpoint) }))).collect::<Value>(),
        "components": {
            "securitySchemes": {
                "apiKey": bearer("An API key, which belongs to one agent."),
            },
            "headers": operations::headers(),
            "responses": operations::common_refusals(),
            "schemas": schemas::all(),
        },
        "x-readings": READINGS.iter().map(|row| (row.name, reading(row))).collect::<Value>(),
    });
    print(&document)
}

fn about() -> Value {
    info(
        "GPTBots conversation history",
        "The vendor's API as gptbots-mock understands and serves it.",
        &format!("{ABOUT}{}", behaviours_of("everywhere")),
        "The maintainers of gptbots-mock, not the vendor",
    )
}

fn server(host: &Host) -> Value {
    let about = format!("The vendor's host, {} ({})", host.about, cite(host.source));
    let server = json!({ "url": host.url, "description": about });
    let Some(default) = host.regions.first() else { return server };
    let region = json!({
        "enum": host.regions.iter().copied().collect::<Value>(),
        "default": *default,
        "description": "The region of the organization's data center.",
    });
    server.with("variables", json!({ "region": region }))
}

fn reading(row: &ReadingRow) -> Value {
    let values = row.values.iter().map(|(word, about)| (*word, Value::from(about.trim())));
    json!({
        "affects": row.affects,
        "why": sentence(row.why),
        "default": row.values[0].0,
        "values": values.collect::<Value>(),
    })
}

/// `MessagesV2Row`
fn name_of(endpoint: &Endpoint, what: &str) -> String {
    let words = endpoint.id.split('-').flat_map(|word| {
        let (first, rest) = word.split_at(1);
        [first.to_uppercase(), rest.to_owned()]
    });
    words.chain([what.to_owned()]).collect()
}

/// The behaviours of a subject that are in no other table, as a list in Markdown.
fn behaviours_of(subject: &str) -> String {
    let line = |row: Statement| {
        let by =
            row.reading.map(|reading| format!("; reading {}", reading.name())).unwrap_or_default();
        format!("- {}: {} ({}{by}).", capital(&title(&row)), row.says, cite(row.source))
    };
    behaviours(subject).map(line).collect::<Vec<_>>().join("\n")
}

/// The channels, grouped by source.
fn channels() -> String {
    let by_source = CONVERSATION_TYPES.chunk_by(|(.., one), (.., next)| one == next).map(|some| {
        let names: Vec<_> = some.iter().map(|(value, ..)| value.name()).collect();
        format!("{} ({})", names.join(", "), cite(some[0].2))
    });
    format!("Channels: {}.", by_source.collect::<Vec<_>>().join("; "))
}

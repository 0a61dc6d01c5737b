//! The contract as an `OpenAPI` document, made of the tables that the server serves from.
//!
//! It shows the default of each reading. A key that another reading adds to an answer is optional.

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
    ("conversations", "Which conversations there are.", &[Operation::ConversationList]),
    ("messages", "What was said in a conversation.", &[Operation::Messages, Operation::MessagesV2]),
    ("qa", "Questions with their answers and ratings.", &[Operation::QaRecords]),
];

const ABOUT: &str = "\
Written from the vendor's public pages and from public clients. Where a sentence ends with how well \
it is known and from where, that stands for this sentence only; what other sentences say is the \
emulator's understanding. docs/fidelity.md says which test holds each statement.

Where sources disagree the emulator has a switch, a reading. The document shows the defaults; \
`x-readings` at its end says what the others change, and on an operation which of them concern it. \
Under `error-status=ok`, for one, a refusal with one of the pages' own codes comes as HTTP 200, under \
`messages-total=string` a total is a string.

What holds for every endpoint:

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
        // `HEAD` is served, too, but it would double every generated client and say nothing new.
        "paths": ENDPOINTS.iter().map(|endpoint| (endpoint.path, json!({ "get": operation(endpoint) }))).collect::<Value>(),
        "components": {
            "securitySchemes": {
                "apiKey": bearer("An API key, which stands for one agent."),
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
        "What gptbots-mock believes of the vendor's API, and serves.",
        &format!("{ABOUT}{}", behaviours_of("everywhere")),
        "The maintainers of gptbots-mock, not the vendor",
    )
}

fn server(host: &Host) -> Value {
    let about = format!("The vendor's, {} ({})", host.about, cite(host.source));
    let server = json!({ "url": host.url, "description": about });
    let Some(default) = host.regions.first() else { return server };
    let region = json!({
        "enum": host.regions.iter().copied().collect::<Value>(),
        "default": *default,
        "description": "Where the organization's data center is.",
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

/// The behaviours of a subject, which no other table has, as a list in Markdown.
fn behaviours_of(subject: &str) -> String {
    let line = |row: Statement| {
        let by =
            row.reading.map(|reading| format!("; reading {}", reading.name())).unwrap_or_default();
        format!("- {}: {} ({}{by}).", capital(&title(&row)), row.says, cite(row.source))
    };
    behaviours(subject).map(line).collect::<Vec<_>>().join("\n")
}

/// The channels, by where each comes from.
fn channels() -> String {
    let by_source = CONVERSATION_TYPES.chunk_by(|(.., one), (.., next)| one == next).map(|some| {
        let names: Vec<_> = some.iter().map(|(value, ..)| value.name()).collect();
        format!("{} ({})", names.join(", "), cite(some[0].2))
    });
    format!("Channels: {}.", by_source.collect::<Vec<_>>().join("; "))
}

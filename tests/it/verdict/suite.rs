//! Shared by the tests of verdicts: records with 25 rows on every endpoint, which are three pages of ten, and
//! a client for them.

use gptbots_mock::contract::ENDPOINTS;
use gptbots_mock::{Server, ServerBuilder};
use serde_json::json;

use crate::support::client::{ALWAYS, Answer, get, request};

pub(crate) const KEY: &str = "app-mine";

/// A builder with 25 conversations, of which *c* has 25 messages; with 25 questions in all.
pub(crate) fn rows_of_25() -> ServerBuilder {
    Server::builder().fixture(json_of_25())
}

/// These records as a fixture.
pub(crate) fn json_of_25() -> String {
    let pair = json!({"q": "?", "a": "!"});
    let mut long = vec![pair.clone(); 12];
    long.push(json!({"q": "?"}));
    let start = "2025-10-20T09:00:00Z";
    let mut conversations =
        vec![json!({"conversation_id": "c", "user_id": "u", "start": start, "messages": long})];
    for number in 1..25 {
        let messages = if number <= 13 { vec![pair.clone()] } else { Vec::new() };
        conversations.push(json!({
            "conversation_id": format!("c{number}"), "user_id": "u", "start": start,
            "messages": messages
        }));
    }
    let agents = json!({"agents": [{"name": "mine", "conversations": conversations}]});
    agents.to_string()
}

/// A server with these records.
pub(crate) fn server() -> Server {
    rows_of_25().start().unwrap()
}

/// A query of each endpoint, without page and page size.
pub(crate) fn queries() -> [String; 4] {
    [
        format!("/v1/bot/conversation/page?conversation_type=ALL&{ALWAYS}"),
        "/v1/messages?conversation_id=c".to_owned(),
        "/v2/messages?conversation_id=c".to_owned(),
        format!("/v1/message/qa/record/page?user_feedback=ALL&{ALWAYS}"),
    ]
}

/// The target of a page of ten rows.
pub(crate) fn target(query: &str, page: u64) -> String {
    format!("{query}&page={page}&page_size=10")
}

/// Asks for a page of ten rows.
#[track_caller]
pub(crate) fn page(server: &Server, query: &str, page: u64) -> Answer {
    get(server, KEY, &target(query, page))
}

/// The same in a sandbox that the key selects.
#[track_caller]
pub(crate) fn page_in(server: &Server, sandbox: &str, query: &str, page: u64) -> Answer {
    get(server, &format!("{KEY}~{sandbox}"), &target(query, page))
}

/// How many rows an answer has.
#[track_caller]
pub(crate) fn rows(answer: &Answer) -> usize {
    let json = answer.json();
    ["list", "messages", "conversation_content", "qa"]
        .iter()
        .find_map(|key| json[key].as_array())
        .unwrap_or_else(|| panic!("no rows: {answer:?}"))
        .len()
}

/// The names of the rules that were broken, each with how often and by which requests.
pub(crate) fn found(server: &Server) -> Vec<(&'static str, u64, Vec<u64>)> {
    let verdict = server.verdict();
    let rows = verdict.findings().iter();
    rows.map(|finding| (finding.rule.name(), finding.times, finding.requests.clone())).collect()
}

/// Asserts that there are no findings.
#[track_caller]
pub(crate) fn clean(server: &Server) {
    let verdict = server.verdict();
    assert!(verdict.findings().is_empty(), "{verdict}");
}

/// Asserts that there is exactly one finding, with this count and these requests.
#[track_caller]
pub(crate) fn told(server: &Server, rule: &'static str, times: u64, requests: &[u64]) {
    assert_eq!(found(server), [(rule, times, requests.to_vec())], "{}", server.verdict());
}

/// The verdict over HTTP, as an `Accept` asks for it.
#[track_caller]
pub(crate) fn verdict(server: &Server, target: &str, accept: &str) -> Answer {
    request(server, "GET", target, &[("Accept", accept)])
}

#[test]
fn every_query_has_three_pages() {
    let server = server();
    assert_eq!(queries().len(), ENDPOINTS.len());
    for query in queries() {
        let lengths = [1, 2, 3].map(|number| rows(&page(&server, &query, number)));
        assert_eq!(lengths, [10, 10, 5], "{query}");
    }
}

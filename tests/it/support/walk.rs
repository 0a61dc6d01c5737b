//! Walks over every page of a query, as a client exports it.

use std::fmt::Write as _;

use gptbots_mock::Server;
use serde_json::Value;

use crate::support::client::{ALWAYS, Answer, Connection};

pub(crate) const LIST: &str = "/v1/bot/conversation/page";
pub(crate) const MESSAGES: &str = "/v1/messages";
pub(crate) const MESSAGES_V2: &str = "/v2/messages";
pub(crate) const QA: &str = "/v1/message/qa/record/page";

/// A connection with the server's own key.
pub(crate) fn connection(server: &Server) -> Connection {
    Connection::open(server.address(), server.api_key())
}

/// Every page of a query, until all rows that `total` promises are there; where there is no
/// `total`, until a page is short. Asserts that every page but the last is full.
#[track_caller]
pub(crate) fn pages(connection: &mut Connection, target: &str, size: usize) -> Vec<Answer> {
    let mut answers = Vec::new();
    let mut seen = 0;
    loop {
        let page = answers.len() + 1;
        let join = if target.contains('?') { '&' } else { '?' };
        let answer = connection.get(&format!("{target}{join}page={page}&page_size={size}"));
        let json = answer.ok().json();
        let rows = rows_of(&json).len();
        seen += rows;
        let more = match json.get("total").map(|total| total.as_u64().expect("a number")) {
            Some(total) => {
                let left = usize::try_from(total).unwrap() + rows - seen;
                assert_eq!(rows, left.min(size), "page {page} of {target} by {size}");
                left > rows
            }
            None => rows == size,
        };
        answers.push(answer);
        if !more {
            return answers;
        }
    }
}

/// The rows of every page, one after the other.
#[track_caller]
pub(crate) fn rows(connection: &mut Connection, target: &str, size: usize) -> Vec<Value> {
    let answers = pages(connection, target, size);
    answers.iter().flat_map(|answer| rows_of(&answer.json()).to_vec()).collect()
}

/// The one list in an answer, whatever its key.
#[track_caller]
fn rows_of(json: &Value) -> &[Value] {
    let mut lists = json.as_object().expect("an object").values().filter_map(Value::as_array);
    let rows = lists.next().expect("a list");
    assert!(lists.next().is_none(), "one list only: {json}");
    rows
}

/// The query for every conversation.
pub(crate) fn whole_list() -> String {
    format!("{LIST}?conversation_type=ALL&{ALWAYS}")
}

/// The query for every Q&A row.
pub(crate) fn whole_qa() -> String {
    format!("{QA}?user_feedback=ALL&{ALWAYS}")
}

/// The query for a conversation's messages.
pub(crate) fn messages(path: &str, conversation_id: &str) -> String {
    format!("{path}?conversation_id={}", encode(conversation_id))
}

/// Everything that an agent has, as it is served.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Whole {
    pub(crate) list: Vec<Value>,
    /// By conversation, in the order of the list.
    pub(crate) v1: Vec<Vec<Value>>,
    /// By conversation, in the order of the list.
    pub(crate) v2: Vec<Vec<Value>>,
    pub(crate) qa: Vec<Value>,
}

/// Walks through all endpoints.
#[track_caller]
pub(crate) fn whole(connection: &mut Connection) -> Whole {
    let list = rows(connection, &whole_list(), 100);
    let mut all = |path| {
        let of = |row| rows(connection, &messages(path, text(row, "conversation_id")), 100);
        list.iter().map(of).collect()
    };
    let (v1, v2) = (all(MESSAGES), all(MESSAGES_V2));
    let qa = rows(connection, &whole_qa(), 100);
    Whole { list, v1, v2, qa }
}

#[track_caller]
pub(crate) fn text<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key].as_str().unwrap_or_else(|| panic!("{key} is no string: {row}"))
}

#[track_caller]
pub(crate) fn number(row: &Value, key: &str) -> i64 {
    row[key].as_i64().unwrap_or_else(|| panic!("{key} is no integer: {row}"))
}

/// Percent-encodes everything but letters and digits.
pub(crate) fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02x}").unwrap();
        }
        encoded
    })
}

//! Every statement of the contract: those that stand in a table of their own ([`rows`]), and one
//! for each row of the other tables.

mod rows;

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{
    Answer, COMMON_ERRORS, CONVERSATION_TYPES, Code, ENDPOINTS, Endpoint, ErrorRow, Field, Param,
    Source,
};

/// One thing that the contract says.
#[derive(Clone, Debug)]
pub struct Statement {
    /// Its name: what it is about, and which of that: `conversations.page_size`.
    pub id: Cow<'static, str>,
    /// What it says, with the default of its reading.
    pub says: Cow<'static, str>,
    /// Where it comes from.
    pub source: Source,
    /// The reading that changes it, if one does.
    pub reading: Option<&'static str>,
}

impl Statement {
    /// What it is about: the [`Endpoint::id`], `everywhere`, `records`, `channel` or `emulator`.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.id.split_once('.').map_or(&*self.id, |(subject, _)| subject)
    }

    /// The tests that hold it, by `, `: each a module of `tests/it/api`, and a function.
    #[cfg(feature = "cli")]
    pub(crate) fn held_by(&self) -> String {
        let lines = include_str!("../../../tests/it/statements.txt").lines();
        let tests = lines.skip_while(|line| **line != *self.id).skip(1);
        let tests = tests.map_while(|line| line.strip_prefix("  "));
        tests.collect::<Vec<_>>().join(", ")
    }
}

/// What statements are about, in the order of [`statements`], each with its title.
pub const SUBJECTS: &[(&str, &str)] = &[
    ("everywhere", "Every endpoint"),
    ("conversations", "GET /v1/bot/conversation/page"),
    ("messages", "GET /v1/messages"),
    ("messages-v2", "GET /v2/messages"),
    ("qa", "GET /v1/message/qa/record/page"),
    ("records", "Between the endpoints"),
    ("channel", "Channels"),
    ("emulator", "The emulator"),
];

/// Everything that the contract says, by subject.
///
/// ```
/// use gptbots_mock::contract;
///
/// let all = contract::statements();
/// let page_size = all.iter().find(|one| one.id == "qa.page_size").unwrap();
/// assert_eq!(page_size.says, "required; 10 to 100");
/// assert_eq!(page_size.reading, Some("page-size"));
/// ```
#[must_use]
pub fn statements() -> Vec<Statement> {
    let mut all = Vec::new();
    for (subject, _) in SUBJECTS {
        if let Some(endpoint) = ENDPOINTS.iter().find(|endpoint| endpoint.id == *subject) {
            all.extend(endpoint.params.iter().map(|param| of_param(endpoint, param)));
            all.push(of_answer(endpoint));
            all.extend(of_keys(endpoint.id, &endpoint.answer));
        }
        all.extend(behaviours(subject));
        match *subject {
            "everywhere" => all.extend(COMMON_ERRORS.iter().map(|row| of_error(subject, row))),
            "channel" => all.extend(of_channels()),
            endpoint => {
                let found = ENDPOINTS.iter().find(|row| row.id == endpoint);
                let errors = found.map_or(&[][..], |endpoint| endpoint.errors);
                all.extend(errors.iter().map(|row| of_error(subject, row)));
            }
        }
    }
    all
}

/// What no other table says of a subject.
pub(crate) fn behaviours(subject: &str) -> impl Iterator<Item = Statement> {
    let rows = rows::ROWS.iter().filter(move |row| row.subject() == subject).cloned();
    rows.chain((subject == "everywhere").then(error_status))
}

/// The HTTP status of every code.
fn error_status() -> Statement {
    let mut codes = BTreeMap::<u16, Vec<String>>::new();
    for code in Code::ALL.into_iter().chain(Code::OF_HTTP) {
        codes.entry(code.http_status()).or_default().push(code.number().to_string());
    }
    let by_status =
        codes.iter().map(|(status, codes)| format!("{status} for {}", codes.join(", ")));
    let by_status = by_status.collect::<Vec<_>>().join("; ");
    Statement {
        id: "everywhere.error-status".into(),
        says: format!("HTTP {by_status}").into(),
        source: Code::STATUS_SOURCE,
        reading: Some("error-status"),
    }
}

fn of_param(endpoint: &Endpoint, param: &Param) -> Statement {
    let reading = match param.field {
        Field::PageSize => Some("page-size"),
        Field::UserFeedback => Some("feedback-absent"),
        _ => None,
    };
    Statement {
        id: format!("{}.{}", endpoint.id, param.field.name()).into(),
        says: param.says().into(),
        source: param.source,
        reading,
    }
}

fn of_answer(endpoint: &Endpoint) -> Statement {
    let rows = endpoint.answer.rows_name();
    Statement {
        id: format!("{}.keys", endpoint.id).into(),
        says: format!("rows in `{rows}`, each with its keys in this order and no others").into(),
        source: endpoint.source,
        reading: None,
    }
}

fn of_keys(endpoint: &str, answer: &'static Answer) -> impl Iterator<Item = Statement> {
    answer.keys().into_iter().map(move |(name, json_type, about, source)| {
        let reading = match name {
            "anonymous_id" => Some("anonymous-id"),
            "q_time" => Some("qa-time"),
            _ => None,
        };
        Statement {
            id: format!("{endpoint}.row.{name}").into(),
            says: format!("{}; {about}", json_type.name()).into(),
            source,
            reading,
        }
    })
}

fn of_error(subject: &str, row: &ErrorRow) -> Statement {
    let number = row.code.number();
    let reading = match row.code {
        Code::AgentDeleted => Some("wording"),
        Code::PageExceedsTotal => Some("page-past-end"),
        _ => None,
    };
    Statement {
        id: format!("{subject}.{number}").into(),
        says: format!("`{}`", row.message).into(),
        source: row.source,
        reading,
    }
}

fn of_channels() -> impl Iterator<Item = Statement> {
    CONVERSATION_TYPES.iter().map(|(value, meaning, source)| Statement {
        id: format!("channel.{}", value.name()).into(),
        says: (*meaning).into(),
        source: *source,
        reading: None,
    })
}

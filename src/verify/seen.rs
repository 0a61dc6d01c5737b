//! What an answer is, in the contract's terms: a page of rows, a refusal, or neither.

use std::borrow::Cow;

use axum::http::header;
use jiter::{JsonValue, PartialMode};

use super::client::Answer;
use super::shape::{is_json, of_answer};
use crate::contract::{COMMON_ERRORS, ENDPOINTS, Endpoint, ErrorRow, Wording};

/// So many rows fill a page.
pub(super) const FULL: usize = 100;

/// No request asks for so many; what has more is no page.
const MOST_ROWS: usize = 10 * FULL;

/// A row or another object, with its keys in their order.
pub(super) type Object = [(Cow<'static, str>, JsonValue<'static>)];

/// An answer, read.
#[derive(Debug)]
pub(super) enum Seen {
    Page(Page),
    Refusal(Refusal),
    /// Anything else, or nothing, told by its shape.
    Else(String),
}

/// Rows under the endpoint's key.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) status: u16,
    rows: Vec<JsonValue<'static>>,
    /// The keys of the answer, in order.
    pub(super) keys: Vec<String>,
    pub(super) total: Option<JsonValue<'static>>,
    pub(super) is_json_by_header: bool,
    pub(super) body: Vec<u8>,
}

/// A `code` and a `message`.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: i64,
    pub(super) message: String,
    /// Whether these are the only keys, and the header says JSON.
    pub(super) is_exact: bool,
    /// Whether `code` stands before `message`.
    pub(super) is_ordered: bool,
    pub(super) is_compact: bool,
    /// The whole, told by its shape.
    pub(super) shape: String,
}

impl Refusal {
    /// What came, with the message if it is one of the contract's: another one may hold anything.
    pub(super) fn describe(&self) -> String {
        let (status, code, message) = (self.status, self.code, &self.message);
        let known = ENDPOINTS.iter().flat_map(|endpoint| endpoint.errors).chain(COMMON_ERRORS);
        let is = |wording| move |row: &&ErrorRow| row.message(wording) == message.as_str();
        let is_known = known.clone().any(|row| is(Wording::Agent)(&row) || is(Wording::Bot)(&row));
        if is_known {
            return format!("HTTP {status}, code {code}, `{message}`");
        }
        let length = message.chars().count();
        format!("HTTP {status}, code {code}, another message of {length} characters")
    }
}

impl Page {
    pub(super) fn rows(&self) -> impl ExactSizeIterator<Item = &Object> {
        self.rows.iter().map(|row| match row {
            JsonValue::Object(pairs) => pairs.as_slice(),
            _ => &[],
        })
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether the page had place for more rows. Every page that is kept was asked for a hundred.
    pub(super) fn is_whole(&self) -> bool {
        self.len() < FULL
    }

    /// The total as a number, whichever type it has.
    pub(super) fn total_number(&self) -> Option<usize> {
        match self.total.as_ref()? {
            JsonValue::Int(number) => usize::try_from(*number).ok(),
            JsonValue::Str(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// One text of every row.
    pub(super) fn texts(&self, name: &str) -> Vec<&str> {
        self.rows().map(|row| text(row, name).unwrap_or_default()).collect()
    }

    /// One number of every row.
    pub(super) fn numbers(&self, name: &str) -> Vec<i64> {
        self.rows().map(|row| number(row, name).unwrap_or_default()).collect()
    }

    pub(super) fn describe(&self) -> String {
        let rows = self.len();
        let total = if self.total.is_some() { "with" } else { "without" };
        format!("HTTP {}, a page of {rows} rows {total} a total", self.status)
    }
}

impl Seen {
    pub(super) fn of(answer: Answer, endpoint: Option<&Endpoint>) -> Self {
        let shape = of_answer(&answer);
        if let Some(to) = answer.redirect {
            let status = answer.status;
            return Self::Else(format!(
                "HTTP {status}, a redirect to {to}, which was not followed: the key stays here"
            ));
        }
        let says_json = answer.header(header::CONTENT_TYPE).is_some_and(is_json);
        let Ok(JsonValue::Object(pairs)) =
            JsonValue::parse_owned(&answer.body, false, PartialMode::Off)
        else {
            return Self::Else(shape);
        };
        let find = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value);
        let rows = endpoint.and_then(|endpoint| find(endpoint.answer.rows_name()));
        if let Some(JsonValue::Array(rows)) = rows {
            let rows = rows.to_vec();
            let too_many = rows.len() > MOST_ROWS;
            if too_many || !rows.iter().all(|row| matches!(row, JsonValue::Object(_))) {
                return Self::Else(shape);
            }
            return Self::Page(Page {
                status: answer.status,
                rows,
                keys: pairs.iter().map(|(key, _)| key.to_string()).collect(),
                total: find("total").cloned(),
                is_json_by_header: says_json,
                body: answer.body,
            });
        }
        match (find("code"), find("message")) {
            (Some(JsonValue::Int(code)), Some(JsonValue::Str(message))) => Self::Refusal(Refusal {
                status: answer.status,
                code: *code,
                message: message.to_string(),
                is_exact: says_json && pairs.len() == 2,
                is_ordered: pairs
                    .iter()
                    .find(|(key, _)| key == "code" || key == "message")
                    .is_some_and(|(key, _)| key == "code"),
                is_compact: is_compact(&answer.body),
                shape,
            }),
            _ => Self::Else(shape),
        }
    }

    /// What came, for a person.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Page(page) => page.describe(),
            Self::Refusal(refusal) => refusal.describe(),
            Self::Else(shape) => shape.clone(),
        }
    }

    pub(super) fn page(&self) -> Option<&Page> {
        match self {
            Self::Page(page) => Some(page),
            _ => None,
        }
    }

    pub(super) fn code(&self) -> Option<i64> {
        match self {
            Self::Refusal(refusal) => Some(refusal.code),
            _ => None,
        }
    }
}

/// A value of a row.
pub(super) fn value<'o>(row: &'o Object, name: &str) -> Option<&'o JsonValue<'static>> {
    row.iter().find(|(key, _)| key == name).map(|(_, value)| value)
}

pub(super) fn text<'o>(row: &'o Object, name: &str) -> Option<&'o str> {
    match value(row, name)? {
        JsonValue::Str(text) => Some(text),
        _ => None,
    }
}

pub(super) fn number(row: &Object, name: &str) -> Option<i64> {
    match value(row, name)? {
        JsonValue::Int(number) => Some(*number),
        _ => None,
    }
}

/// Whether no white space stands outside strings, and no character is escaped that need not be.
pub(super) fn is_compact(body: &[u8]) -> bool {
    let mut inside = false;
    let mut bytes = body.iter();
    while let Some(byte) = bytes.next() {
        match (inside, byte) {
            (true, b'\\') => match bytes.next() {
                // Only control characters need their number.
                Some(b'u') if !matches!(bytes.as_slice(), [b'0', b'0', b'0' | b'1', ..]) => {
                    return false;
                }
                Some(b'/') => return false,
                _ => {}
            },
            (_, b'"') => inside = !inside,
            (false, byte) if byte.is_ascii_whitespace() => return false,
            _ => {}
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::is_compact;

    #[test]
    fn compact_is_without_white_space_and_needless_escapes() {
        for fine in [r#"{"a":" b\n\u001f\"","c":"é\\"}"#, "[]", r#"["\\u0041"]"#] {
            assert!(is_compact(fine.as_bytes()), "{fine}");
        }
        for wide in [r#"{"a": 1}"#, "[]\n", r#"["\u00e9"]"#, r#"["\/"]"#, "[ ]"] {
            assert!(!is_compact(wide.as_bytes()), "{wide}");
        }
    }
}

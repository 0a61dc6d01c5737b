//! Classifies a response in the contract's terms: a page of rows, a refusal, or neither.

use std::borrow::Cow;

use axum::http::header;
use jiter::JsonValue;

use super::client::ApiResponse;
use super::describe::{describe_response, is_json};
use crate::contract::{COMMON_ERRORS, Code, ENDPOINTS, Endpoint, ErrorRow, Wording};
use crate::surrogates::LoneSurrogate;

/// The most rows of a page.
pub(super) const FULL: usize = 100;

/// A list with more rows than this is not a page, because no request asks for so many.
const MOST_ROWS: usize = 10 * FULL;

/// The keys of a row with their values, in order.
pub(super) type Row = [(Cow<'static, str>, JsonValue<'static>)];

/// A parsed response.
#[derive(Debug)]
pub(super) enum ParsedResponse {
    Page(Page),
    Refusal(Refusal),
    /// Anything else, described.
    Other(String),
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
    pub(super) is_compact: bool,
}

/// A `code` and a `message`.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: i64,
    pub(super) message: String,
    /// Whether these are the only keys, and the header says JSON.
    pub(super) is_exact: bool,
    /// Whether `code` is before `message`.
    pub(super) is_ordered: bool,
    pub(super) is_compact: bool,
    /// The whole response, described.
    pub(super) shape: String,
}

impl Refusal {
    /// Describes the refusal, with its message if the contract has it. Any other message may contain a value
    /// of a record.
    pub(super) fn describe(&self) -> String {
        let (status, code, message) = (self.status, self.code, &self.message);
        let mut known = ENDPOINTS.iter().flat_map(|endpoint| endpoint.errors).chain(COMMON_ERRORS);
        let is = |row: &ErrorRow, wording| row.message(wording) == message.as_str();
        if known.any(|row| is(row, Wording::Agent) || is(row, Wording::Bot)) {
            return format!("HTTP {status}, code {code}, `{message}`");
        }
        let length = message.chars().count();
        format!("HTTP {status}, code {code}, an undocumented message of {length} characters")
    }
}

impl Page {
    pub(super) fn rows(&self) -> impl ExactSizeIterator<Item = &Row> {
        self.rows.iter().map(|row| match row {
            JsonValue::Object(pairs) => pairs.as_slice(),
            _ => unreachable!("a list with anything but objects is no page"),
        })
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether the page has all rows of its query, because it is not full: every page that is kept was
    /// requested with a `page_size` of 100.
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

    /// Whether the total can be the number of all matches. A page that is not full has all matches.
    pub(super) fn is_total_right(&self) -> bool {
        self.total_number()
            .is_some_and(|total| total == self.len() || total > self.len() && !self.is_whole())
    }

    /// One text of every row. It is empty where a row lacks it, because `rows` records that.
    pub(super) fn texts(&self, name: &str) -> Vec<&str> {
        self.rows().map(|row| text(row, name).unwrap_or_default()).collect()
    }

    /// One integer of every row. It is 0 where a row lacks it, because `rows` records that.
    pub(super) fn integers(&self, name: &str) -> Vec<i64> {
        self.rows().map(|row| integer(row, name).unwrap_or_default()).collect()
    }

    pub(super) fn describe(&self) -> String {
        let rows = self.len();
        let total = if self.total.is_some() { "with" } else { "without" };
        format!("HTTP {}, a page of {rows} rows {total} a total", self.status)
    }
}

impl ParsedResponse {
    pub(super) fn new(response: &ApiResponse, endpoint: Option<&Endpoint>) -> Self {
        if let Some(to) = response.redirect {
            let status = response.status;
            return Self::Other(format!(
                "HTTP {status}, a redirect to {to}, which was not followed, to protect the key"
            ));
        }
        let shape = describe_response(response);
        let is_json_by_header = response.header(header::CONTENT_TYPE).is_some_and(is_json);
        let Ok(JsonValue::Object(pairs)) = &response.json else { return Self::Other(shape) };
        let is_compact = is_compact(&response.body, &response.lone_surrogates);
        let find = |name: &str| value(pairs, name);
        let rows = endpoint.and_then(|endpoint| find(endpoint.answer.rows_name()));
        match (rows, find("code"), find("message")) {
            (Some(JsonValue::Array(rows)), ..) => {
                let are_objects = rows.iter().all(|row| matches!(row, JsonValue::Object(_)));
                if rows.len() > MOST_ROWS || !are_objects {
                    return Self::Other(shape);
                }
                Self::Page(Page {
                    status: response.status,
                    rows: rows.to_vec(),
                    keys: pairs.iter().map(|(key, _)| key.to_string()).collect(),
                    total: find("total").cloned(),
                    is_json_by_header,
                    is_compact,
                })
            }
            (_, Some(JsonValue::Int(code)), Some(JsonValue::Str(message))) => {
                let mut keys = pairs.iter().map(|(key, _)| &**key);
                Self::Refusal(Refusal {
                    status: response.status,
                    code: *code,
                    message: message.to_string(),
                    is_exact: is_json_by_header && pairs.len() == 2,
                    is_ordered: keys.find(|key| ["code", "message"].contains(key)) == Some("code"),
                    is_compact,
                    shape,
                })
            }
            _ => Self::Other(shape),
        }
    }

    /// Describes the response for a person.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Page(page) => page.describe(),
            Self::Refusal(refusal) => refusal.describe(),
            Self::Other(shape) => shape.clone(),
        }
    }

    pub(super) fn page(&self) -> Option<&Page> {
        match self {
            Self::Page(page) => Some(page),
            _ => None,
        }
    }

    /// The code of a refusal, if it is one of the contract's.
    pub(super) fn code(&self) -> Option<Code> {
        match self {
            Self::Refusal(refusal) => Code::from_number(refusal.code),
            _ => None,
        }
    }
}

/// A value of a row.
pub(super) fn value<'r>(row: &'r Row, name: &str) -> Option<&'r JsonValue<'static>> {
    row.iter().find(|(key, _)| key == name).map(|(_, value)| value)
}

pub(super) fn text<'r>(row: &'r Row, name: &str) -> Option<&'r str> {
    match value(row, name)? {
        JsonValue::Str(text) => Some(text),
        _ => None,
    }
}

pub(super) fn integer(row: &Row, name: &str) -> Option<i64> {
    match value(row, name)? {
        JsonValue::Int(number) => Some(*number),
        _ => None,
    }
}

/// Whether there is no white space outside strings, and no character is escaped without need.
fn is_compact(body: &[u8], lone_surrogates: &[LoneSurrogate]) -> bool {
    let mut inside = false;
    let mut bytes = body.iter().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match (inside, byte) {
            (true, b'\\') => match bytes.next() {
                // Only control characters and halves of surrogate pairs need their number.
                Some((_, b'u')) => {
                    let is_control = matches!(body[at..], [_, _, b'0', b'0', b'0' | b'1', ..]);
                    if !is_control && lone_surrogates.iter().all(|half| half.at != at) {
                        return false;
                    }
                }
                Some((_, b'/')) => return false,
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
    use crate::surrogates::replace_lone_surrogates;

    #[test]
    fn compact_is_without_white_space_and_needless_escapes() {
        for fine in [r#"{"a":" b\n\u001f\"","c":"é\\"}"#, "[]", r#"["\\u0041"]"#] {
            assert!(is_compact(fine.as_bytes(), &[]), "{fine}");
        }
        for wide in [r#"{"a": 1}"#, "[]\n", r#"["\u00e9"]"#, r#"["\/"]"#, "[ ]"] {
            assert!(!is_compact(wide.as_bytes(), &[]), "{wide}");
        }
    }

    #[test]
    fn half_a_surrogate_pair_is_no_needless_escape() {
        for (text, is_right) in [(r#""\ud83d""#, true), (r#""\ud83d \ud83d\ude0a""#, false)] {
            let halves = replace_lone_surrogates(&mut text.as_bytes().to_vec());
            assert_eq!((halves.len(), is_compact(text.as_bytes(), &halves)), (1, is_right));
        }
    }
}

//! What came, told without a value of a record: keys, types and sizes.

use std::fmt::Write as _;

use axum::http::header;
use jiter::{JsonErrorType, JsonValue};

use super::client::Answer as Response;
use crate::contract::{Answer, ENDPOINTS, MEDIA_TYPE};

/// Keys of an object beyond this many are counted.
const MOST_KEYS: usize = 12;

/// An answer: its status, what it is, and its keys if it is JSON.
pub(super) fn of_answer(answer: &Response) -> String {
    let mut text = format!("HTTP {}", answer.status);
    let kind = answer.header(header::CONTENT_TYPE);
    if kind.is_none_or(|kind| !is_json(kind)) && !answer.body.is_empty() {
        let _ = write!(text, ", {}", kind.map_or("no Content-Type", media_type));
    }
    if let Some(encoding) = answer.header(header::CONTENT_ENCODING) {
        let known = ["gzip", "br", "deflate", "zstd"].into_iter().find(|known| *known == encoding);
        let _ = write!(text, ", Content-Encoding {}", known.unwrap_or("of another name"));
    }
    match JsonValue::parse(&answer.body, false) {
        _ if answer.body.is_empty() => text.push_str(", an empty body"),
        Ok(value) => {
            let _ = write!(text, ", {}", of_value(&value, 2));
        }
        Err(error) => {
            let _ = match error.error_type {
                JsonErrorType::NumberOutOfRange => {
                    write!(text, ", JSON with a number of more than 64 bits")
                }
                JsonErrorType::RecursionLimitExceeded => {
                    write!(text, ", JSON that is nested too deep")
                }
                _ => write!(text, ", {} bytes that are not JSON", answer.body.len()),
            };
        }
    }
    text
}

/// The type of a `Content-Type`, if it is one that servers send; another may hold anything.
fn media_type(text: &str) -> &'static str {
    let kind = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let known = [
        MEDIA_TYPE,
        "text/html",
        "text/plain",
        "text/xml",
        "application/xml",
        "application/problem+json",
        "application/octet-stream",
    ];
    known.into_iter().find(|known| *known == kind).unwrap_or("another Content-Type")
}

/// Whether a `Content-Type` says JSON, whatever its parameters.
pub(super) fn is_json(content_type: &str) -> bool {
    content_type.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(MEDIA_TYPE))
}

/// A value: its type, and of what is inside as much as `depth` says.
pub(super) fn of_value(value: &JsonValue<'_>, depth: usize) -> String {
    match value {
        JsonValue::Null => "null".to_owned(),
        JsonValue::Bool(_) => "true or false".to_owned(),
        JsonValue::Int(_) => "an integer".to_owned(),
        JsonValue::Float(_) => "a float".to_owned(),
        JsonValue::Str(text) => of_text(text),
        JsonValue::Array(items) => match items.first() {
            None => "an empty list".to_owned(),
            Some(first) if depth > 0 => {
                format!("a list of {}, the first {}", items.len(), of_value(first, depth - 1))
            }
            Some(_) => format!("a list of {}", items.len()),
        },
        JsonValue::Object(pairs) if depth == 0 => format!("an object of {} keys", pairs.len()),
        JsonValue::Object(pairs) => {
            let mut shown: Vec<String> = pairs
                .iter()
                .take(MOST_KEYS)
                .map(|(name, value)| format!("{}: {}", member(name), of_value(value, depth - 1)))
                .collect();
            if pairs.len() > MOST_KEYS {
                shown.push(format!("{} more", pairs.len() - MOST_KEYS));
            }
            format!("{{{}}}", shown.join(", "))
        }
    }
}

/// What is often around an answer, or in place of one.
const ENVELOPE: [&str; 16] = [
    "code",
    "message",
    "total",
    "data",
    "error",
    "errors",
    "msg",
    "status",
    "success",
    "result",
    "results",
    "items",
    "detail",
    "title",
    "path",
    "timestamp",
];

/// A key of some object, if it is one of the contract's or of an envelope's: another one may be a
/// value itself, as where objects are keyed by a name.
fn member(name: &str) -> String {
    let of_rows = |answer: &Answer| {
        answer.rows_name() == name || answer.keys().iter().any(|(key, ..)| *key == name)
    };
    if ENVELOPE.contains(&name) || ENDPOINTS.iter().any(|endpoint| of_rows(&endpoint.answer)) {
        return format!("`{name}`");
    }
    format!("a key of {} characters", name.chars().count())
}

/// A key of a row, unless it may be a value itself.
pub(super) fn key(name: &str) -> String {
    let plain = |char: char| char.is_ascii_alphabetic() || char == '_';
    if name.len() <= 30 && !name.is_empty() && name.chars().all(plain) {
        format!("`{name}`")
    } else {
        format!("a key of {} characters", name.chars().count())
    }
}

fn of_text(text: &str) -> String {
    if text.is_empty() { "an empty string".to_owned() } else { "a string".to_owned() }
}

/// A text of somebody else's: on one line, without anything that cannot be seen, not too long.
pub(super) fn printable(text: &str, most: usize) -> String {
    // What `Debug` would escape steers terminals, or changes the order of what stands there.
    let seen = |char: char| char.escape_debug().len() == 1 || matches!(char, '"' | '\'' | '\\');
    let safe = |char: char| if seen(char) { char } else { ' ' };
    let mut out: String = text.chars().take(most).map(safe).collect();
    if text.chars().count() > most {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(json: &str) -> String {
        of_value(&JsonValue::parse(json.as_bytes(), false).unwrap(), 2)
    }

    #[test]
    fn a_shape_has_keys_and_types_and_no_values() {
        assert_eq!(
            shape(r#"{"code":40000,"message":"secret"}"#),
            "{`code`: an integer, `message`: a string}"
        );
        assert_eq!(
            shape(r#"{"data":{"list":[1,2]},"total":"7"}"#),
            "{`data`: {`list`: a list of 2}, `total`: a string}"
        );
        assert_eq!(
            shape(r#"[{"zz":{"b":1}}]"#),
            "a list of 1, the first {a key of 2 characters: an object of 1 keys}"
        );
    }

    #[test]
    fn a_key_that_may_be_a_value_is_not_told() {
        assert_eq!(
            shape(r#"{"64b902a84f1ff25d1c60c10b":1}"#),
            "{a key of 24 characters: an integer}"
        );
        assert_eq!(shape(r#"{"\u0007":1}"#), "{a key of 1 characters: an integer}");
    }

    #[test]
    fn a_text_of_somebody_elses_stays_on_its_line() {
        assert_eq!(printable("a\r\nb\u{1b}[31m", 80), "a  b [31m");
        assert_eq!(printable("\u{202e}\u{2028}\u{9b}'\"\\é漢", 80), "   '\"\\é漢");
        assert_eq!(printable("abcdef", 3), "abc…");
    }
}

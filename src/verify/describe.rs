//! Describes requests and responses by keys, types and sizes, without any value of a record.

use std::borrow::Cow;

use axum::http::header;
use jiter::{JsonErrorType, JsonValue};
use percent_encoding::percent_decode_str;

use super::client::{ApiRequest, ApiResponse};
use super::query::{FOREVER, UNKNOWN_ID, is_unknown_user};
use crate::contract::{Answer, ENDPOINTS, Field, MEDIA_TYPE, SCHEME};

/// Keys of an object beyond this many are counted.
const MOST_KEYS: usize = 12;

/// Describes a request and the key that it was sent with. The ids and times of records are left out.
pub(super) fn describe_request(request: &ApiRequest, key: &str, deleted: Option<&str>) -> String {
    let (path, query) = match request.target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (&*request.target, None),
    };
    let params = query.into_iter().flat_map(|query| query.split('&')).map(describe_param);
    let params = params.collect::<Vec<_>>().join("&");
    let mark = if query.is_some() { "?" } else { "" };
    let of_key = |key| format!("{SCHEME} {key}");
    let name = match &request.authorization[..] {
        [] => ", without an Authorization header",
        [one] if *one == of_key(key) => "",
        [one] if deleted.is_some_and(|key| *one == of_key(key)) => ", with the deleted agent's key",
        [_] => ", with a different Authorization header",
        _ => ", with two Authorization headers",
    };
    let content_type = request.content_type.map(|it| format!(", Content-Type {it}"));
    format!("{} {path}{mark}{params}{name}{}", request.method, content_type.unwrap_or_default())
}

/// Describes a parameter. Ids and times are shown only if they are not those of a record.
fn describe_param(param: &str) -> Cow<'_, str> {
    let Some((name, value)) = param.split_once('=') else { return param.into() };
    let decoded = percent_decode_str(value).decode_utf8_lossy();
    let is_of = |field: &Field| field.name() == name;
    let (ids, times) = ([Field::UserId, Field::ConversationId], [Field::StartTime, Field::EndTime]);
    let is_shown = if ids.iter().any(is_of) {
        ["", "%zz", "%ff"].contains(&value) || decoded == UNKNOWN_ID || is_unknown_user(&decoded)
    } else if times.iter().any(is_of) {
        ["0", "1", "2", "-1", FOREVER].contains(&&*decoded)
    } else {
        true
    };
    if is_shown { param.into() } else { format!("{name}=\u{2026}").into() }
}

/// Describes a response: its status, its type, and its keys if it is JSON.
pub(super) fn describe_response(response: &ApiResponse) -> String {
    let mut parts = vec![format!("HTTP {}", response.status)];
    let content_type = response.header(header::CONTENT_TYPE);
    if content_type.is_none_or(|it| !is_json(it)) && !response.body.is_empty() {
        parts.push(content_type.map_or("no Content-Type", known_media_type).to_owned());
    }
    if let Some(encoding) = response.header(header::CONTENT_ENCODING) {
        let known = ["gzip", "br", "deflate", "zstd"].into_iter().find(|known| *known == encoding);
        parts.push(match known {
            Some(known) => format!("Content-Encoding {known}"),
            None => "another Content-Encoding".to_owned(),
        });
    }
    parts.push(match &response.json {
        _ if response.body.is_empty() => "an empty body".to_owned(),
        Ok(value) => describe_value(value, 2),
        Err(error) => match error.error_type {
            JsonErrorType::NumberOutOfRange => "JSON with a number of more than 64 bits".to_owned(),
            JsonErrorType::RecursionLimitExceeded => "JSON that is nested too deeply".to_owned(),
            _ => format!("{} bytes that are not JSON", response.body.len()),
        },
    });
    parts.join(", ")
}

/// The media type of a `Content-Type`, without its parameters.
fn media_type(content_type: &str) -> String {
    let media_type = content_type.split_once(';').map_or(content_type, |(before, _)| before);
    media_type.trim().to_ascii_lowercase()
}

/// Whether a `Content-Type` is JSON, with any parameters.
pub(super) fn is_json(content_type: &str) -> bool {
    media_type(content_type) == MEDIA_TYPE
}

/// The media type of a `Content-Type`, if it is a usual one. Any other could be a value of a record.
fn known_media_type(content_type: &str) -> &'static str {
    let known = [
        MEDIA_TYPE,
        "text/html",
        "text/plain",
        "text/xml",
        "application/xml",
        "application/problem+json",
        "application/octet-stream",
    ];
    let media_type = media_type(content_type);
    known.into_iter().find(|known| *known == media_type).unwrap_or("another Content-Type")
}

/// Describes a value: its type, and the values inside it down to `depth`.
pub(super) fn describe_value(value: &JsonValue<'_>, depth: usize) -> String {
    match value {
        JsonValue::Null => "null".to_owned(),
        JsonValue::Bool(_) => "true or false".to_owned(),
        JsonValue::Int(_) => "an integer".to_owned(),
        JsonValue::Float(_) => "a float".to_owned(),
        JsonValue::Str(text) if text.is_empty() => "an empty string".to_owned(),
        JsonValue::Str(_) => "a string".to_owned(),
        JsonValue::Array(items) => match items.first() {
            None => "an empty list".to_owned(),
            Some(first) if depth > 0 => {
                format!("a list of {}, the first {}", items.len(), describe_value(first, depth - 1))
            }
            Some(_) => format!("a list of {}", items.len()),
        },
        JsonValue::Object(pairs) if depth == 0 => format!("an object of {} keys", pairs.len()),
        JsonValue::Object(pairs) => {
            let mut shown: Vec<String> = pairs
                .iter()
                .take(MOST_KEYS)
                .map(|(name, value)| {
                    format!("{}: {}", describe_key(name), describe_value(value, depth - 1))
                })
                .collect();
            if pairs.len() > MOST_KEYS {
                shown.push(format!("{} more", pairs.len() - MOST_KEYS));
            }
            format!("{{{}}}", shown.join(", "))
        }
    }
}

/// Keys that responses often have around their rows, or instead of them.
const ENVELOPE_KEYS: [&str; 16] = [
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

/// Describes a key of an object: by its name if the contract or an envelope has it. Any other key may be a
/// value itself, because some objects have names or ids as keys.
fn describe_key(name: &str) -> String {
    let has = |answer: &Answer| {
        answer.rows_name() == name || answer.keys.iter().any(|key| key.name == name)
    };
    if ENVELOPE_KEYS.contains(&name) || ENDPOINTS.iter().any(|endpoint| has(&endpoint.answer)) {
        return format!("`{name}`");
    }
    format!("a key of {} characters", name.chars().count())
}

/// Describes a key that the contract does not have: by its name, unless it may be a value itself.
pub(super) fn describe_extra_key(name: &str) -> String {
    let is_plain = |char: char| char.is_ascii_alphabetic() || char == '_';
    if name.len() <= 30 && !name.is_empty() && name.chars().all(is_plain) {
        return format!("`{name}`");
    }
    format!("a key of {} characters", name.chars().count())
}

/// Makes a text from outside safe to print: one line of at most `most` visible characters.
pub(super) fn printable(text: &str, most: usize) -> String {
    // Characters that `Debug` escapes can control a terminal, or change the order of its text.
    let is_visible =
        |char: char| char.escape_debug().len() == 1 || matches!(char, '"' | '\'' | '\\');
    let safe = |char: char| if is_visible(char) { char } else { ' ' };
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
        describe_value(&JsonValue::parse(json.as_bytes(), false).unwrap(), 2)
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
    fn a_key_that_may_be_a_value_is_not_shown() {
        assert_eq!(
            shape(r#"{"64b902a84f1ff25d1c60c10b":1}"#),
            "{a key of 24 characters: an integer}"
        );
        assert_eq!(shape(r#"{"\u0007":1}"#), "{a key of 1 characters: an integer}");
    }

    #[test]
    fn text_from_outside_stays_on_its_line() {
        assert_eq!(printable("a\r\nb\u{1b}[31m", 80), "a  b [31m");
        assert_eq!(printable("\u{202e}\u{2028}\u{9b}'\"\\é漢", 80), "   '\"\\é漢");
        assert_eq!(printable("abcdef", 3), "abc…");
    }
}

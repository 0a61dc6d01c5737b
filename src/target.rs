//! A request's target taken apart: the sandbox that the path names, the pairs of the query string, and
//! what is percent-encoded in them.

use std::borrow::Cow;

use percent_encoding::percent_decode;

use crate::keys::is_sandbox_id;

/// Where a path begins that names its sandbox: `/s/ID/v1/messages`.
pub(crate) const SANDBOX_PREFIX: &str = "/s/";

/// The sandbox that a path names, if it names one, and the rest of the path. The error is a text
/// where an id should stand, and is none.
pub(crate) fn split_sandbox(path: &str) -> Result<(Option<&str>, &str), &str> {
    let Some(rest) = path.strip_prefix(SANDBOX_PREFIX) else { return Ok((None, path)) };
    let (id, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    if is_sandbox_id(id) { Ok((Some(id), path)) } else { Err(id) }
}

/// A path without the sandbox that it names.
pub(crate) fn without_sandbox(path: &str) -> &str {
    split_sandbox(path).map_or(path, |(_, path)| path)
}

/// Splits a text at the first such byte. Texts are short: a vectorised search would take longer to
/// begin than this takes to end.
pub(crate) fn split_once(text: &str, at: u8) -> (&str, Option<&str>) {
    match text.bytes().position(|byte| byte == at) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    }
}

/// Decodes a name or a value of a query string. `+` is a space, `%XX` a byte, and a `%` without two
/// hex digits stands for itself. `None` where the result is not UTF-8.
pub(crate) fn decode(raw: &str) -> Option<Cow<'_, str>> {
    if !raw.bytes().any(|byte| byte == b'+' || byte == b'%') {
        return Some(Cow::Borrowed(raw));
    }
    // The spaces are put in first, so that an encoded plus, `%2B`, stays one.
    let spaced = raw.replace('+', " ");
    percent_decode(spaced.as_bytes()).decode_utf8().ok().map(|text| Cow::Owned(text.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn decoding_follows_the_form_rules() {
        for (raw, plain) in [
            ("a+b", "a b"),
            ("a%2Bb", "a+b"),
            ("%e4%BD%A0", "你"),
            ("100%", "100%"),
            ("%4", "%4"),
            ("%zz+%41", "%zz A"),
        ] {
            assert_eq!(decode(raw).as_deref(), Some(plain), "{raw}");
        }
        assert_eq!(decode("%ff"), None);
    }
}

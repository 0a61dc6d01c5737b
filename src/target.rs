//! Parses the target of a request: the sandbox in the path, the pairs of the query string, and their
//! percent-encoding.

use std::borrow::Cow;

use percent_encoding::percent_decode;

use crate::keys::is_sandbox_id;

/// The prefix of a path with a sandbox: `/s/ID/v1/messages`.
pub(crate) const SANDBOX_PREFIX: &str = "/s/";

/// The id of the sandbox in a path, if there is one, and the rest of the path. The error is the text at the
/// place of the id, if it is not a valid id.
pub(crate) fn split_sandbox(path: &str) -> Result<(Option<&str>, &str), &str> {
    let Some(rest) = path.strip_prefix(SANDBOX_PREFIX) else { return Ok((None, path)) };
    let (id, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    if is_sandbox_id(id) { Ok((Some(id), path)) } else { Err(id) }
}

/// A path without its sandbox.
pub(crate) fn without_sandbox(path: &str) -> &str {
    split_sandbox(path).map_or(path, |(_, path)| path)
}

/// Splits a text at the first such byte. For our short texts, this is faster than a vectorised search.
pub(crate) fn split_once(text: &str, at: u8) -> (&str, Option<&str>) {
    match text.bytes().position(|byte| byte == at) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    }
}

/// Decodes a name or a value of a query string. `+` is a space, `%XX` is a byte, and a `%` without two hex
/// digits is itself. `None`: the result is not UTF-8.
pub(crate) fn decode(raw: &str) -> Option<Cow<'_, str>> {
    if !raw.bytes().any(|byte| byte == b'+' || byte == b'%') {
        return Some(Cow::Borrowed(raw));
    }
    // Pluses are replaced before decoding, so that an encoded plus, `%2B`, stays a plus.
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

//! Reads the API key of a request: `Authorization: Bearer <API key>`, or `<API key>~<sandbox>`.

use axum::http::{HeaderMap, header};
use thiserror::Error;

use crate::contract::SCHEME;
use crate::keys::{SANDBOX_MARK, is_sandbox_id, looks_like_key};
use crate::records::world::{Agent, World};

/// What a client sent as its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Credentials<'a> {
    pub(super) key: &'a [u8],
    /// The sandbox that is named after the key.
    pub(super) sandbox: Option<&'a str>,
}

/// Why a request has no key. No variant holds a part of the header, because it may be a part of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum AuthHeaderError {
    #[error("no Authorization header; send `Authorization: {SCHEME} <API key>`")]
    Missing,
    #[error("two Authorization headers; send one")]
    Repeated,
    #[error("{0}; send `{SCHEME} <API key>`")]
    Scheme(WrongScheme),
    #[error("no API key after {SCHEME}; is a variable empty?")]
    NoKey,
    /// The text after the key cannot be the id of a sandbox. The length is in bytes.
    #[error(
        "the text after {SANDBOX_MARK} in the API key must be a sandbox id \
         (1 to 64 of A-Z a-z 0-9 . _ -), got {}", describe(*.length)
    )]
    Sandbox { length: usize },
    #[error(
        "the text after {SANDBOX_MARK} must be a sandbox id, got an API key; \
         write <API key>{SANDBOX_MARK}<sandbox>"
    )]
    SandboxIsKey,
    #[error("the path names one sandbox and the API key names another")]
    TwoSandboxes,
}

/// What was sent instead of `Bearer` and a space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum WrongScheme {
    #[error("the Authorization header is empty")]
    EmptyHeader,
    /// One of [`SCHEMES`].
    #[error("the Authorization scheme must be {SCHEME}, got {0}")]
    Other(&'static str),
    #[error("the Authorization scheme must be {SCHEME}")]
    Unknown,
    /// One word, which may be the key.
    #[error("the Authorization header has no scheme")]
    None,
    /// `Bearer` with the key directly after it.
    #[error("no space after {SCHEME}")]
    NoSpace,
}

/// Other schemes. No other word is repeated: it may be a part of a key.
const SCHEMES: &[&str] = &["Basic", "Digest", "Token", "ApiKey", "Api-Key", "Key"];

/// Describes a text that cannot be the id of a sandbox, given its length in bytes.
fn describe(length: usize) -> String {
    match length {
        0 => "an empty text".to_owned(),
        65.. => format!("{length} bytes"),
        _ => "a text with another character".to_owned(),
    }
}

/// The key of a request, and the sandbox that is named after it.
pub(super) fn credentials(headers: &HeaderMap) -> Result<Credentials<'_>, AuthHeaderError> {
    let key = bearer_key(headers)?;
    let Some(mark) = memchr::memrchr(SANDBOX_MARK as u8, key) else {
        return Ok(Credentials { key, sandbox: None });
    };
    let behind = &key[mark + 1..];
    let text = str::from_utf8(behind).ok();
    if text.is_some_and(looks_like_key) {
        return Err(AuthHeaderError::SandboxIsKey);
    }
    let id = text.filter(|id| is_sandbox_id(id));
    let id = id.ok_or(AuthHeaderError::Sandbox { length: behind.len() })?;
    Ok(Credentials { key: &key[..mark], sandbox: Some(id) })
}

/// The agent that a key belongs to.
pub(super) fn agent<'a>(world: &'a World, any_key: bool, key: &[u8]) -> Option<&'a Agent> {
    let mut agents = world.agents.iter();
    let found = agents.find(|agent| agent.keys.iter().any(|known| known.as_bytes() == key));
    found.or_else(|| world.main_agent().filter(|_| any_key && !key.is_empty()))
}

/// The key of the one `Authorization` header, with a sandbox if it names one.
pub(crate) fn bearer_key(headers: &HeaderMap) -> Result<&[u8], AuthHeaderError> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().ok_or(AuthHeaderError::Missing)?;
    if values.next().is_some() {
        return Err(AuthHeaderError::Repeated);
    }
    let value = value.as_bytes();
    let space = value.iter().position(|byte| *byte == b' ').unwrap_or(value.len());
    let (scheme, rest) = value.split_at(space);
    if !scheme.eq_ignore_ascii_case(SCHEME.as_bytes()) {
        return Err(AuthHeaderError::Scheme(wrong_scheme(scheme, rest)));
    }
    let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
    let key = &rest[spaces..];
    if key.is_empty() { Err(AuthHeaderError::NoKey) } else { Ok(key) }
}

/// Why a value that begins with another word is wrong. `rest` is the value after that word.
fn wrong_scheme(word: &[u8], rest: &[u8]) -> WrongScheme {
    let is = |scheme: &str| word.eq_ignore_ascii_case(scheme.as_bytes());
    let begins = word.get(..SCHEME.len()).unwrap_or(word);
    if word.is_empty() {
        WrongScheme::EmptyHeader
    } else if let Some(other) = SCHEMES.iter().find(|scheme| is(scheme)) {
        WrongScheme::Other(other)
    } else if begins.eq_ignore_ascii_case(SCHEME.as_bytes()) {
        WrongScheme::NoSpace
    } else if rest.is_empty() {
        WrongScheme::None
    } else {
        WrongScheme::Unknown
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, header};

    use super::{AuthHeaderError, Credentials, bearer_key, credentials};

    fn of(value: &'static str) -> Result<String, AuthHeaderError> {
        let headers =
            HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_static(value))]);
        bearer_key(&headers).map(|key| String::from_utf8_lossy(key).into_owned())
    }

    #[test]
    fn the_rest_of_the_value_is_the_key() {
        for value in ["Bearer k", "bearer k", "BEARER k", "Bearer   k"] {
            assert_eq!(of(value), Ok("k".to_owned()), "{value}");
        }
        assert_eq!(of("Bearer k k"), Ok("k k".to_owned()));
        for value in ["", "Bearer", "Bearer ", "Basic k", "k", "Bearerk", "Bearer\tk", "Bearer: k"]
        {
            assert!(of(value).is_err(), "{value}");
        }
    }
    #[test]
    fn text_after_the_last_tilde_is_the_sandbox() {
        let of = |value: &str| {
            let value = HeaderValue::from_str(value).unwrap();
            let headers = HeaderMap::from_iter([(header::AUTHORIZATION, value)]);
            credentials(&headers).map(|Credentials { key, sandbox }| {
                (String::from_utf8(key.to_vec()).unwrap(), sandbox.map(str::to_owned))
            })
        };
        let long = "x".repeat(64);
        assert_eq!(of("Bearer k"), Ok(("k".into(), None)));
        assert_eq!(of("Bearer k~a.B_9-"), Ok(("k".into(), Some("a.B_9-".into()))));
        assert_eq!(of(&format!("Bearer k~{long}")), Ok(("k".into(), Some(long.clone()))));
        assert_eq!(of("Bearer k~x~y"), Ok(("k~x".into(), Some("y".into()))));
        for wrong in ["k~", "k~a b", "k~a/b", "k~é", "k~a~", &format!("k~{long}x")] {
            assert!(of(&format!("Bearer {wrong}")).is_err(), "{wrong}");
        }
    }
}

//! Who calls: `Authorization: Bearer <API key>`, or `<API key>~<sandbox>`.

use axum::http::{HeaderMap, header};
use subtle::ConstantTimeEq;

use super::hints;
use super::refusal::Refusal;
use crate::contract::SCHEME;
use crate::keys::SANDBOX_MARK;
use crate::keys::is_sandbox_id;
use crate::records::world::{Agent, World};

/// What a client sent as its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sent<'a> {
    pub(super) key: &'a [u8],
    /// The sandbox that is named behind the key.
    pub(super) sandbox: Option<&'a str>,
}

/// Why what a client sent is no key. [`super::hints::keys`] says more of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unsent {
    NoHeader,
    TwoHeaders,
    /// What stands first is not `Bearer` and a space.
    Scheme,
    NoKey,
    /// What stands behind the key cannot name a sandbox.
    Sandbox,
    /// The path names another sandbox.
    TwoSandboxes,
}

/// The key of a request, and the sandbox behind it.
pub(super) fn sent(headers: &HeaderMap) -> Result<Sent<'_>, Unsent> {
    let key = key(headers)?;
    let Some(mark) = memchr::memrchr(SANDBOX_MARK as u8, key) else {
        return Ok(Sent { key, sandbox: None });
    };
    let id = str::from_utf8(&key[mark + 1..]).ok().filter(|id| is_sandbox_id(id));
    let id = id.ok_or(Unsent::Sandbox)?;
    Ok(Sent { key: &key[..mark], sandbox: Some(id) })
}

/// The agent that a key stands for.
pub(super) fn agent<'a>(world: &'a World, any_key: bool, key: &[u8]) -> Result<&'a Agent, Refusal> {
    let mut found = None;
    // Every key is compared, each in constant time, so that timing tells nothing.
    for agent in &world.agents {
        for known in &agent.keys {
            if bool::from(known.as_bytes().ct_eq(key)) {
                found = Some(agent);
            }
        }
    }
    found
        .or_else(|| world.main_agent().filter(|_| any_key && !key.is_empty()))
        .ok_or_else(|| Refusal::Unauthenticated(hints::keys::unknown(world, key)))
}

/// The key of the one `Authorization` header; why not, otherwise.
fn key(headers: &HeaderMap) -> Result<&[u8], Unsent> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().ok_or(Unsent::NoHeader)?;
    if values.next().is_some() {
        return Err(Unsent::TwoHeaders);
    }
    let value = value.as_bytes();
    let space = value.iter().position(|byte| *byte == b' ').unwrap_or(value.len());
    let (scheme, rest) = value.split_at(space);
    if !scheme.eq_ignore_ascii_case(SCHEME.as_bytes()) {
        return Err(Unsent::Scheme);
    }
    let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
    let key = &rest[spaces..];
    if key.is_empty() { Err(Unsent::NoKey) } else { Ok(key) }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, header};

    use super::{Sent, Unsent, key, sent};

    fn of(value: &'static str) -> Result<String, Unsent> {
        let headers =
            HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_static(value))]);
        key(&headers).map(|key| String::from_utf8_lossy(key).into_owned())
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
    fn what_stands_behind_the_last_tilde_is_the_sandbox() {
        let of = |value: &str| {
            let value = HeaderValue::from_str(value).unwrap();
            let headers = HeaderMap::from_iter([(header::AUTHORIZATION, value)]);
            sent(&headers).map(|Sent { key, sandbox }| {
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

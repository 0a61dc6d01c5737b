//! Who calls: `Authorization: Bearer <API key>`.

use axum::http::{HeaderMap, header};
use subtle::ConstantTimeEq;

use super::refusal::Refusal;
use crate::contract::SCHEME;
use crate::world::{Agent, World};

/// The agent that the request's key stands for.
pub(super) fn agent<'a>(
    world: &'a World,
    any_key: bool,
    headers: &HeaderMap,
) -> Result<&'a Agent, Refusal> {
    let key = key(headers).map_err(Refusal::Unauthenticated)?;
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
        .or_else(|| world.main_agent().filter(|_| any_key))
        .ok_or(Refusal::Unauthenticated("unknown API key"))
}

/// The key of the one `Authorization` header; why not, otherwise.
fn key(headers: &HeaderMap) -> Result<&[u8], &'static str> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value =
        values.next().ok_or("no Authorization header; send `Authorization: Bearer <API key>`")?;
    if values.next().is_some() {
        return Err("two Authorization headers; send one");
    }
    let value = value.as_bytes();
    let space = value.iter().position(|byte| *byte == b' ').unwrap_or(value.len());
    let (scheme, rest) = value.split_at(space);
    if !scheme.eq_ignore_ascii_case(SCHEME.as_bytes()) {
        return Err("the scheme of Authorization is not Bearer; send `Bearer <API key>`");
    }
    let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
    let key = &rest[spaces..];
    if key.is_empty() { Err("no API key behind Bearer") } else { Ok(key) }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, header};

    use super::key;

    fn of(value: &'static str) -> Result<String, &'static str> {
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
}

//! What is wrong with a key. What was sent as one is never repeated, even where it is wrong: only
//! keys that are no secret are named.

use axum::http::header::AUTHORIZATION;
use axum::http::request;

use super::super::auth::Unsent;
use super::super::query::names;
use super::super::refusal::quote;
use super::{public_keys, squeezed};
use crate::contract::SCHEME;
use crate::keys::SANDBOX_MARK;
use crate::records::world::World;
use crate::suggest::nearest;

/// Under these names, squeezed, keys are sent where no key is looked for.
const KEY_NAMES: &[&str] =
    &["apikey", "xapikey", "key", "token", "accesstoken", "xauthtoken", "auth", "authorization"];

/// Other schemes. No other word is repeated: it may be a part of a key.
const SCHEMES: &[&str] = &["Basic", "Digest", "Token", "ApiKey", "Api-Key", "Key"];

/// Why there is no key.
pub(in crate::api) fn unsent(why: Unsent, head: &request::Parts) -> String {
    let value = head.headers.get(AUTHORIZATION).map_or(&b""[..], |value| value.as_bytes());
    match why {
        Unsent::NoHeader => {
            let elsewhere = elsewhere(head).unwrap_or_default();
            format!("no Authorization header; send `Authorization: {SCHEME} <API key>`{elsewhere}")
        }
        Unsent::TwoHeaders => "two Authorization headers; send one".to_owned(),
        Unsent::Scheme => format!("{}; send `{SCHEME} <API key>`", scheme(value)),
        Unsent::NoKey => format!("no API key behind {SCHEME}; was it an empty variable?"),
        Unsent::Sandbox => {
            let behind = value.rsplit(|byte| *byte == SANDBOX_MARK as u8).next();
            let got = match behind.map_or(0, <[u8]>::len) {
                0 => "nothing".to_owned(),
                long @ 65.. => format!("{long} bytes"),
                _ => "another character".to_owned(),
            };
            format!(
                "what stands behind {SANDBOX_MARK} in the API key names no sandbox: \
                 1 to 64 of A-Z a-z 0-9 . _ -, got {got}"
            )
        }
        Unsent::TwoSandboxes => "the path names one sandbox and the API key another".to_owned(),
    }
}

/// `, not api_key in the query string`
fn elsewhere(head: &request::Parts) -> Option<String> {
    let is_key = |name: &str| KEY_NAMES.contains(&squeezed(name).as_str());
    let in_query = names(head.uri.query().unwrap_or("")).find(|name| is_key(name));
    if let Some(name) = in_query {
        return Some(format!(", not {} in the query string", quote(name.as_bytes())));
    }
    let in_header = head.headers.keys().find(|name| is_key(name.as_str()))?;
    Some(format!(", not the header {in_header}"))
}

/// What stands in place of the scheme.
fn scheme(value: &[u8]) -> String {
    if value.is_empty() {
        return "the Authorization header is empty".to_owned();
    }
    let first = value.split(|byte| *byte == b' ').next().unwrap_or(value);
    let other = SCHEMES.iter().find(|scheme| first.eq_ignore_ascii_case(scheme.as_bytes()));
    if let Some(other) = other {
        return format!("the scheme of Authorization is {other}, not {SCHEME}");
    }
    let begins = first.get(..SCHEME.len()).unwrap_or_default();
    if begins.eq_ignore_ascii_case(SCHEME.as_bytes()) {
        format!("no space behind {SCHEME}")
    } else if first.len() == value.len() {
        format!("no scheme in Authorization, not {SCHEME}")
    } else {
        format!("the scheme of Authorization is not {SCHEME}")
    }
}

/// Why a key is not known: what it looks like, and the nearest one that is no secret.
pub(in crate::api) fn unknown(world: &World, key: &[u8]) -> String {
    let looks = looks(key).map(|looks| format!(": {looks}")).unwrap_or_default();
    let text = str::from_utf8(key).unwrap_or_default();
    let bare = text.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let public = world.agents.iter().flat_map(public_keys);
    let one = || public_keys(world.agent_to_ask()?).next();
    let hint = match (nearest(bare, public), one()) {
        (Some(near), _) => format!("; did you mean {near}?"),
        (None, Some(one)) => format!("; {one} is a known one"),
        (None, None) => String::new(),
    };
    format!("unknown API key{looks}{hint}")
}

/// What a key looks like that is none.
fn looks(key: &[u8]) -> Option<&'static str> {
    const VARIABLE: &str = "it looks like a variable that was not filled in";
    const PLACEHOLDER: &str = "it looks like a placeholder";
    if key.is_empty() {
        return Some("nothing stands before what names the sandbox");
    }
    if !key.iter().all(|byte| (b' '..=b'~').contains(byte)) {
        return Some("it holds more than visible ASCII");
    }
    let key = str::from_utf8(key).ok()?;
    let lower = key.to_ascii_lowercase();
    let inside = lower.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    if lower.starts_with(['$', '{', '%']) {
        Some(VARIABLE)
    } else if inside.starts_with("your") || KEY_NAMES.contains(&squeezed(inside).as_str()) {
        Some(PLACEHOLDER)
    } else if key.starts_with('<') || key.ends_with('>') {
        Some("it has angle brackets around it")
    } else if key.contains(['"', '\'', '`']) {
        Some("it has quotes around it")
    } else if lower.split(' ').next().is_some_and(|word| word == SCHEME.to_ascii_lowercase()) {
        Some("its scheme stands there twice")
    } else if key.contains(' ') {
        Some("it holds a space")
    } else {
        None
    }
}

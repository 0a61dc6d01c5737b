//! Advice on a wrong key. The key that was sent is never repeated, even if it is wrong. Only public keys are
//! named.

use axum::http::request;

use super::super::query::names;
use super::super::refusal::quote;
use super::{normalize_name, public_keys};
use crate::contract::SCHEME;
use crate::records::world::{DELETED_KEY, DEMO_KEY, World};
use crate::suggest::nearest;

/// Names, normalized, of headers and parameters in which clients send keys by mistake.
const KEY_NAMES: &[&str] =
    &["apikey", "xapikey", "key", "token", "accesstoken", "xauthtoken", "auth", "authorization"];

/// `, not api_key in the query string`
pub(super) fn find_misplaced_key(head: &request::Parts) -> Option<String> {
    let is_key = |name: &str| KEY_NAMES.contains(&normalize_name(name).as_str());
    let in_query = names(head.uri.query().unwrap_or("")).find(|name| is_key(name));
    if let Some(name) = in_query {
        return Some(format!(", not {} in the query string", quote(&*name)));
    }
    let in_header = head.headers.keys().find(|name| is_key(name.as_str()))?;
    Some(format!(", not the header {in_header}"))
}

/// The advice on an unknown key: what it looks like, and the nearest public key.
pub(super) fn suggest_key(world: &World, key: &[u8]) -> String {
    let looks = describe_key(key).map(|looks| format!(": {looks}")).unwrap_or_default();
    let text = str::from_utf8(key).unwrap_or_default();
    let bare = text.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let public = world.agents.iter().flat_map(public_keys);
    let one = || public_keys(world.agent_to_ask()?).next();
    let hint = match (nearest(bare, public), one()) {
        (Some(near), _) => format!("; did you mean {near}?"),
        (None, Some(one)) => format!("; a valid key is {one}"),
        (None, None) => String::new(),
    };
    looks + &hint
}

/// What a wrong key looks like.
fn describe_key(key: &[u8]) -> Option<&'static str> {
    const VARIABLE: &str = "it looks like a variable that was not filled in";
    const PLACEHOLDER: &str = "it looks like a placeholder";
    if key.is_empty() {
        return Some("there is no key before the sandbox id");
    }
    if !key.iter().all(|byte| (b' '..=b'~').contains(byte)) {
        return Some("it contains a character that is not visible ASCII");
    }
    let key = str::from_utf8(key).ok()?;
    if [DEMO_KEY, DELETED_KEY].contains(&key) {
        return Some("it belongs to a built-in agent, and fixtures replace the built-in agents");
    }
    let lower = key.to_ascii_lowercase();
    let inside = lower.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    if lower.starts_with(['$', '{', '%']) {
        Some(VARIABLE)
    } else if inside.starts_with("your") || KEY_NAMES.contains(&normalize_name(inside).as_str()) {
        Some(PLACEHOLDER)
    } else if key.starts_with('<') || key.ends_with('>') {
        Some("it has angle brackets around it")
    } else if key.contains(['"', '\'', '`']) {
        Some("it has quotes around it")
    } else if lower.split(' ').next().is_some_and(|word| word == SCHEME.to_ascii_lowercase()) {
        Some("the scheme is given twice")
    } else if key.contains(' ') {
        Some("it contains a space")
    } else {
        None
    }
}

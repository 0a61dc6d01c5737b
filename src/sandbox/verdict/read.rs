//! What a request says by itself: what it breaks of the contract, and which walk it is a step of.

use axum::http::header;
use percent_encoding::percent_decode_str;

use super::Rule;
use crate::contract::{self, Code, ENDPOINTS, Endpoint, Field, Kind, Operation};
use crate::keys::SANDBOX_MARK;
use crate::records::generate::mix;
use crate::sandbox::journal::{Entry, hide_sent, is_key_name};
use crate::suggest::nearest;
use crate::target::{split_once, split_sandbox, without_sandbox};

/// Of a request with thousands of unknown parameters, so many are compared with those that there are:
/// no other request is answered meanwhile.
const MOST_HELPED: usize = 50;

/// A name or a path that is longer, in bytes, is shown by its length alone: findings are kept as long
/// as the sandbox.
const LONGEST_SHOWN: usize = 300;

/// What the query of a request holds.
pub(super) struct Read {
    /// All of it that says which rows are walked through, and who does.
    pub(super) walk: u64,
    /// The page that is asked for.
    pub(super) page: Option<u64>,
    /// What it breaks of the contract.
    pub(super) breaks: Vec<(Rule, String)>,
}

/// What a request that was kept breaks of the contract.
pub(crate) fn violations(entry: &Entry) -> Vec<(Rule, String)> {
    let mut breaks = read_entry(entry).breaks;
    if entry.fault().is_empty() {
        let (method, target) = (entry.method(), entry.target());
        let path = target.split('?').next().unwrap_or_default();
        let broken = unknown_endpoint((&method, path), entry.code, || entry_keys(entry));
        breaks.extend(broken.map(|what| (Rule::UnknownEndpoint, what)));
    }
    breaks
}

/// What there is to say of a request that found no endpoint that takes its method.
pub(super) fn unknown_endpoint(
    (method, whole): (&str, &str),
    code: Option<Code>,
    sent_keys: impl Fn() -> Vec<u8>,
) -> Option<String> {
    let near = match code? {
        Code::NotFound if split_sandbox(whole).is_err() => {
            "what stands behind /s/ names no sandbox".to_owned()
        }
        Code::NotFound => {
            let path = without_sandbox(whole);
            if is_asked_unbidden(path) {
                return None;
            }
            match contract::what_is_near(path) {
                Some(near) => format!("no endpoint; {near}"),
                None => "no endpoint".to_owned(),
            }
        }
        Code::MethodNotAllowed => format!("the method must be {}", contract::ALLOW),
        _ => return None,
    };
    Some(format!("{}: {near}", named((method, whole), &sent_keys())))
}

/// Whether browsers, crawlers and probes ask for a path, whatever a client means to do.
fn is_asked_unbidden(path: &str) -> bool {
    matches!(path, "" | "/" | "/favicon.ico" | "/robots.txt") || path.starts_with("/.well-known/")
}

/// How a request is named by its method and its path, without the keys that it sent.
pub(super) fn named((method, path): (&str, &str), sent_keys: &[u8]) -> String {
    let hide = |text: &str| shown(&hide_sent(text.to_owned(), sent_keys));
    format!("{} {}", hide(method), hide(path))
}

/// All that a kept request sent as a key, in whichever header.
pub(super) fn entry_keys(entry: &Entry) -> Vec<u8> {
    let keys = entry.headers().filter(|(name, _)| is_key_name(name));
    let keys: Vec<&[u8]> = keys.map(|(_, value)| value).collect();
    keys.join(&b' ')
}

/// What a request says that was kept.
pub(super) fn read_entry(entry: &Entry) -> Read {
    let target = entry.target();
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let endpoint = contract::endpoint(without_sandbox(path));
    let key = entry.header(header::AUTHORIZATION.as_str()).unwrap_or_default();
    // Another method is refused by itself.
    read(endpoint, query, key, entry.body && contract::allows(&entry.method()))
}

/// What a request says. `key`: its `Authorization`; `body`: it announces one.
pub(super) fn read(
    endpoint: Option<&'static Endpoint>,
    query: &str,
    key: &[u8],
    body: bool,
) -> Read {
    let mut walk = hash(endpoint.map_or(0, |row| row.operation as u64 + 1), key);
    let mut page = None;
    let mut breaks = Vec::new();
    let mut rest = Some(query);
    while let Some(query) = rest {
        let (pair, others) = split_once(query, b'&');
        rest = others;
        let (name, value) = split_once(pair, b'=');
        let value = value.unwrap_or("");
        if name.is_empty() {
            continue;
        }
        let known = endpoint.and_then(|row| row.params.iter().find(|p| p.field.name() == name));
        match known.map(|param| param.field) {
            Some(Field::Page) => page = value.parse().ok(),
            Some(Field::PageSize) => {
                walk = hash(walk, pair.as_bytes());
                foreign_size(endpoint, value, &mut breaks);
            }
            Some(_) => walk = hash(walk, pair.as_bytes()),
            None => {
                walk = hash(walk, pair.as_bytes());
                unknown(endpoint, name, value, key, &mut breaks);
            }
        }
    }
    if body && let Some(endpoint) = endpoint {
        let path = endpoint.path;
        breaks.push((Rule::BodyOnGet, format!("{path} was asked with a body")));
    }
    Read { walk, page, breaks }
}

/// A parameter that the endpoint does not have.
#[cold]
fn unknown(
    endpoint: Option<&'static Endpoint>,
    name: &str,
    value: &str,
    key: &[u8],
    breaks: &mut Vec<(Rule, String)>,
) {
    let decoded = percent_decode_str(&name.replace('+', " ")).decode_utf8_lossy().into_owned();
    let Some(endpoint) = endpoint else { return };
    if let Some(param) = endpoint.params.iter().find(|param| param.field.name() == decoded) {
        // It was only written with escapes.
        if param.field == Field::PageSize {
            foreign_size(Some(endpoint), value, breaks);
        }
        return;
    }
    // It is told, and may be the key.
    let sent = key;
    let name = || shown(&hide_sent(decoded.clone(), sent));
    let key = sent.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
    let key = key.split(|byte| *byte == SANDBOX_MARK as u8).next().unwrap_or_default();
    let plain: Vec<u8> = percent_decode_str(value).collect();
    // A short one may well be part of something else, so only a whole value counts.
    let holds_key = key.len() >= 4
        && plain.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"~"));
    let named_so = is_key_name(&decoded);
    if holds_key || (named_so && !value.is_empty()) {
        let name = name();
        breaks.push((Rule::KeyInUrl, format!("`{name}` in the URL holds an API key")));
        return;
    }
    // The pages' own examples have it, and describe it nowhere.
    let of_the_examples = decoded == Field::UserId.name()
        && matches!(endpoint.operation, Operation::Messages | Operation::MessagesV2);
    if of_the_examples {
        return;
    }
    let own = endpoint.params.iter().map(|param| param.field.name());
    let elsewhere = ENDPOINTS
        .iter()
        .find(|other| other.params.iter().any(|param| param.field.name() == decoded));
    let has_help = breaks.len() < MOST_HELPED;
    let hint = match (elsewhere, has_help.then(|| nearest(&decoded, own)).flatten()) {
        (Some(other), _) => format!("; {} has it", other.path),
        (None, Some(near)) => format!("; did you mean `{near}`?"),
        (None, None) => String::new(),
    };
    let name = name();
    breaks.push((Rule::UnknownParameter, format!("{} has no `{name}`{hint}", endpoint.path)));
}

/// What a client sent, without what a terminal or XML would take for something else. A text that is
/// too long is not cut, because keys of agents are hidden later, and nobody would know half of one.
/// Nothing of visible ASCII is escaped, because keys are made of that.
pub(super) fn shown(text: &str) -> String {
    if text.len() > LONGEST_SHOWN {
        return format!("... ({} bytes)", text.len());
    }
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        if char.is_ascii_graphic() { out.push(char) } else { out.extend(char.escape_debug()) }
    }
    out
}

/// A `page_size` that this endpoint does not take and another one does.
fn foreign_size(
    endpoint: Option<&'static Endpoint>,
    value: &str,
    breaks: &mut Vec<(Rule, String)>,
) {
    let Ok(size) = value.parse::<i64>() else { return };
    let range = |endpoint: &Endpoint| match endpoint.param(Field::PageSize)?.kind {
        Kind::Integer { min, max } => Some((min, max)),
        _ => None,
    };
    let takes =
        |endpoint: &Endpoint| range(endpoint).is_some_and(|(min, max)| (min..=max).contains(&size));
    let Some(endpoint) = endpoint.filter(|endpoint| !takes(endpoint)) else { return };
    if let (Some(other), Some((min, max))) =
        (ENDPOINTS.iter().find(|other| takes(other)), range(endpoint))
    {
        let name = Field::PageSize.name();
        let (path, other) = (endpoint.path, other.path);
        breaks.push((
            Rule::ForeignPageSize,
            format!("{name}={size} is right for {other}; {path} takes {min} to {max}"),
        ));
    }
}

/// Bytes into a number that tells them from others.
pub(super) fn hash(begin: u64, bytes: &[u8]) -> u64 {
    let mut chunks = bytes.chunks_exact(8);
    let mut word = begin ^ (bytes.len() as u64) << 32;
    for chunk in &mut chunks {
        let eight = chunk.try_into().map_or(0, u64::from_le_bytes);
        word = mix(word.rotate_left(5) ^ eight);
    }
    let mut rest = [0; 8];
    rest[..chunks.remainder().len()].copy_from_slice(chunks.remainder());
    mix(word.rotate_left(5) ^ u64::from_le_bytes(rest))
}

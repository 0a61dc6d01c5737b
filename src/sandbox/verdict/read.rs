//! Reads a single request: which rules it breaks, and which walk (paging run) it belongs to.

use std::hash::{BuildHasher, Hash, Hasher};

use axum::http::header;
use foldhash::fast::FixedState;
use percent_encoding::percent_decode_str;

use super::Rule;
use crate::contract::{self, Code, ENDPOINTS, Endpoint, Field, Kind, Operation, Param};
use crate::keys::SANDBOX_MARK;
use crate::redact::is_key_name;
use crate::sandbox::journal::Entry;
use crate::suggest::nearest;
use crate::target::{split_once, split_sandbox, without_sandbox};

/// Of a request with thousands of unknown parameters, only this many are compared with the known
/// ones, because the comparison blocks all other requests.
const MAX_HELPED: usize = 50;

/// Of a name or path with more bytes, only the length is shown, because findings are kept as long
/// as the sandbox.
const MAX_SHOWN: usize = 300;

/// What the verdict needs of a request.
pub(super) struct ParsedRequest {
    /// Identifies the walk: the endpoint, the key, and every parameter but `page`.
    pub(super) walk: u64,
    /// The value of `page`.
    pub(super) page: Option<u64>,
    /// The rules that the request breaks, and how. Secrets are not hidden yet.
    pub(super) violations: Vec<(Rule, String)>,
}

/// The rules that a request of the journal breaks, and how. Secrets are not hidden yet.
pub(crate) fn violations(entry: &Entry) -> Vec<(Rule, String)> {
    let mut violations = parse_entry(entry).violations;
    if entry.fault().is_empty() {
        let (method, target) = (entry.method(), entry.target());
        let path = target.split('?').next().expect("a split text has a first part");
        let broken = unknown_endpoint((&method, path), entry.code);
        violations.extend(broken.map(|what| (Rule::UnknownEndpoint, what)));
    }
    violations
}

/// Describes a request for which there is no endpoint, or none that takes its method. Secrets are not
/// hidden yet.
pub(super) fn unknown_endpoint(
    (method, whole): (&str, &str),
    code: Option<Code>,
) -> Option<String> {
    let near = match code? {
        Code::NotFound if names_no_sandbox(whole) => {
            "the part after /s/ is not a valid sandbox id".to_owned()
        }
        Code::NotFound => {
            let path = without_sandbox(whole);
            if is_asked_unbidden(path) {
                return None;
            }
            contract::unserved(path).unwrap_or_else(|| match contract::nearest_path(path) {
                Some(near) => format!("there is no such endpoint; the nearest is {near}"),
                None => "there is no such endpoint".to_owned(),
            })
        }
        Code::MethodNotAllowed => {
            format!("the method must be {}", contract::allowed_methods())
        }
        _ => return None,
    };
    Some(format!("{}: {near}", named((method, whole))))
}

/// Whether a path has no endpoint because the part after `/s/` is not a sandbox id. It may be a key,
/// for example.
fn names_no_sandbox(whole: &str) -> bool {
    split_sandbox(whole).map_or(true, |(_, path)| contract::endpoint(path).is_some())
}

/// Whether browsers, crawlers and probes request a path on their own.
fn is_asked_unbidden(path: &str) -> bool {
    matches!(path, "" | "/" | "/favicon.ico" | "/robots.txt") || path.starts_with("/.well-known/")
}

/// Names a request by its method and its path. Secrets are not hidden yet.
pub(super) fn named((method, path): (&str, &str)) -> String {
    format!("{} {}", shown(method), shown(path))
}

/// Reads a request of the journal.
pub(super) fn parse_entry(entry: &Entry) -> ParsedRequest {
    let target = entry.target();
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let endpoint = contract::endpoint(without_sandbox(path));
    let key = entry.header(header::AUTHORIZATION.as_str()).unwrap_or_default();
    parse(endpoint, query, key, entry.body && contract::allows(&entry.method()))
}

/// Reads a request. `key` is its `Authorization`. `body` says whether it has a body and a method
/// that the endpoint takes; a request with another method breaks another rule.
pub(super) fn parse(
    endpoint: Option<&'static Endpoint>,
    query: &str,
    key: &[u8],
    body: bool,
) -> ParsedRequest {
    let mut walk = FixedState::default().build_hasher();
    endpoint.map(|row| row.operation as u64).hash(&mut walk);
    key.hash(&mut walk);
    let mut page = None;
    let mut violations = Vec::new();
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
                pair.hash(&mut walk);
                foreign_size(endpoint, value, &mut violations);
            }
            Some(_) => {
                pair.hash(&mut walk);
                time_in_seconds(endpoint, known, value, &mut violations);
            }
            None => {
                pair.hash(&mut walk);
                unknown(endpoint, name, value, key, &mut violations);
            }
        }
    }
    if body && let Some(endpoint) = endpoint {
        let path = endpoint.path;
        violations.push((Rule::BodyOnGet, format!("a request for {path} has a body")));
    }
    ParsedRequest { walk: walk.finish(), page, violations }
}

/// Adds the violation of a parameter that the endpoint does not have.
#[cold]
fn unknown(
    endpoint: Option<&'static Endpoint>,
    name: &str,
    value: &str,
    key: &[u8],
    violations: &mut Vec<(Rule, String)>,
) {
    let decoded = percent_decode_str(&name.replace('+', " ")).decode_utf8_lossy().into_owned();
    let Some(endpoint) = endpoint else { return };
    if let Some(param) = endpoint.params.iter().find(|param| param.field.name() == decoded) {
        // The endpoint has the parameter. Its name was percent-encoded.
        if param.field == Field::PageSize {
            foreign_size(Some(endpoint), value, violations);
        }
        time_in_seconds(Some(endpoint), Some(param), value, violations);
        return;
    }
    let name = || shown(&decoded);
    let key = key.rsplit(|byte| *byte == b' ').next().expect("a split text has a last part");
    let mark = memchr::memchr(SANDBOX_MARK as u8, key);
    let key = &key[..mark.unwrap_or(key.len())];
    let plain: Vec<u8> = percent_decode_str(value).collect();
    // A key may occur by chance within another value, so only a whole value counts.
    let holds_key = key.len() >= 4
        && plain.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"~"));
    let named_so = is_key_name(&decoded);
    if holds_key || (named_so && !value.is_empty()) {
        let (name, is) = (name(), if holds_key { "is" } else { "has the name of" });
        violations.push((Rule::KeyInUrl, format!("the query parameter `{name}` {is} an API key")));
        return;
    }
    // The examples of the vendor's pages have this parameter, though no page describes it.
    let of_the_examples = decoded == Field::UserId.name()
        && matches!(endpoint.operation, Operation::Messages | Operation::MessagesV2);
    if of_the_examples {
        return;
    }
    let own = endpoint.params.iter().map(|param| param.field.name());
    let elsewhere = ENDPOINTS
        .iter()
        .find(|other| other.params.iter().any(|param| param.field.name() == decoded));
    let has_help = violations.len() < MAX_HELPED;
    let hint = match (elsewhere, has_help.then(|| nearest(&decoded, own)).flatten()) {
        (Some(other), _) => format!("; {} has it", other.path),
        (None, Some(near)) => format!("; did you mean `{near}`?"),
        (None, None) => String::new(),
    };
    let name = name();
    violations.push((Rule::UnknownParameter, format!("{} has no `{name}`{hint}", endpoint.path)));
}

/// Escapes characters that a terminal or XML would interpret. Visible ASCII stays, because keys are
/// made of it. A text that is too long is not truncated, because keys of agents are hidden later,
/// and a truncated key would not be recognised.
pub(super) fn shown(text: &str) -> String {
    if text.len() > MAX_SHOWN {
        return format!("... ({} bytes)", text.len());
    }
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        if char.is_ascii_graphic() { out.push(char) } else { out.extend(char.escape_debug()) }
    }
    out
}

/// Adds the violation of a `page_size` that another endpoint accepts, but this one does not.
fn foreign_size(
    endpoint: Option<&'static Endpoint>,
    value: &str,
    violations: &mut Vec<(Rule, String)>,
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
        violations.push((
            Rule::ForeignPageSize,
            format!("{name}={size} is valid for {other}, but {path} accepts {min} to {max}"),
        ));
    }
}

/// Adds the violation of a time that is in seconds. The value is not shown, because it may be another one in
/// each request, and each would be a finding.
fn time_in_seconds(
    endpoint: Option<&'static Endpoint>,
    param: Option<&Param>,
    value: &str,
    violations: &mut Vec<(Rule, String)>,
) {
    let Some(param) = param.filter(|param| param.kind == Kind::Millis) else { return };
    let is_seconds = value.parse().is_ok_and(|time| contract::SECONDS.contains(&time));
    if let (Some(endpoint), true) = (endpoint, is_seconds) {
        let name = param.field.name();
        violations.push((
            Rule::TimeInSeconds,
            format!("{}: `{name}` is in seconds, and the API takes milliseconds", endpoint.path),
        ));
    }
}

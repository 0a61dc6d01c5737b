//! The findings of a sandbox. Each mistake is listed once, with its count and some requests that
//! show it.

use std::collections::VecDeque;

use super::{Finding, Rule};
use crate::redact::Redactor;
use crate::sandbox::journal::Entry;

/// A finding names at most this many requests.
const MAX_NAMED: usize = 5;

/// A target with more bytes is truncated, because findings are kept as long as the sandbox.
const MAX_TARGET: usize = 300;

/// A request that a finding names, without keys.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct RequestLine {
    /// Its number among all requests to the server, from 1.
    pub number: u64,
    /// Its method.
    pub method: String,
    /// Its path and query; a long query is truncated.
    pub target: String,
}

impl RequestLine {
    /// The line of a request that is still in the journal. The keys that the request sent are
    /// hidden here; the keys of agents are hidden when the verdict is made.
    fn of(entries: &VecDeque<Entry>, number: u64) -> Option<Self> {
        let place = entries.partition_point(|entry| entry.number < number);
        entries.get(place).filter(|entry| entry.number == number).map(Self::of_entry)
    }

    /// The line of a request.
    pub(super) fn of_entry(entry: &Entry) -> Self {
        let own = entry.redactor(&Redactor::default());
        let (method, target) =
            (own.part(&entry.method()).into_owned(), own.target(&entry.target()));
        let target = if target.len() > MAX_TARGET { truncate(&target) } else { target };
        let (method, target) = (printable(&method), printable(&target));
        Self { number: entry.number, method, target }
    }

    pub(super) fn size(&self) -> usize {
        size_of::<Self>() + self.method.len() + self.target.len()
    }
}

/// Truncates the query of a long target, and leaves out a path that is too long by itself. A query
/// is truncated between parameters only, because a truncated key would not be recognised.
fn truncate(target: &str) -> String {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if path.len() > MAX_TARGET {
        return format!("/... ({} bytes)", target.len());
    }
    let mut short = format!("{path}?");
    for pair in query.split('&') {
        if short.len() + pair.len() >= MAX_TARGET {
            break;
        }
        short.push_str(pair);
        short.push('&');
    }
    short + "..."
}

/// Escapes characters that a terminal or XML would interpret.
fn printable(text: &str) -> String {
    let is_odd = |char: char| char.is_control() || matches!(char, '\u{fffe}' | '\u{ffff}');
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        if is_odd(char) { out.extend(char.escape_unicode()) } else { out.push(char) }
    }
    out
}

/// The requests that a finding names, and the places of their lines.
#[derive(Clone, Copy)]
pub(super) struct RequestRefs<'a> {
    pub(super) numbers: &'a [u64],
    /// The journal.
    pub(super) entries: &'a VecDeque<Entry>,
    /// Lines of requests that the journal had to drop.
    pub(super) lines: &'a [RequestLine],
}

impl<'a> RequestRefs<'a> {
    pub(super) fn new(numbers: &'a [u64], entries: &'a VecDeque<Entry>) -> Self {
        Self { numbers, entries, lines: &[] }
    }

    fn line(&self, number: u64) -> Option<RequestLine> {
        let dropped = || self.lines.iter().find(|line| line.number == number).cloned();
        RequestLine::of(self.entries, number).or_else(dropped)
    }
}

/// The findings of a sandbox.
#[derive(Clone, Default)]
pub(super) struct Findings {
    all: Vec<Finding>,
    bytes: usize,
}

impl Findings {
    /// How many bytes they take, about.
    pub(super) fn size(&self) -> usize {
        self.bytes
    }

    pub(super) fn into_vec(self) -> Vec<Finding> {
        self.all
    }

    /// Adds a mistake and its count, unless its rule has `max` findings.
    pub(super) fn add(
        &mut self,
        max: usize,
        (rule, what): (Rule, String),
        requests: RequestRefs<'_>,
        times: u64,
    ) {
        let place = self.all.iter().position(|same| same.rule == rule && same.what == what);
        if place.is_none() && self.all.iter().filter(|same| same.rule == rule).count() >= max {
            return;
        }
        let place = place.unwrap_or_else(|| {
            self.bytes += size_of::<Finding>() + what.len();
            let (sandbox, requests, request_lines) = Default::default();
            self.all.push(Finding { rule, sandbox, what, requests, request_lines, times: 0 });
            self.all.len() - 1
        });
        let finding = &mut self.all[place];
        finding.times += times;
        for number in requests.numbers {
            if finding.requests.len() >= MAX_NAMED || finding.requests.contains(number) {
                continue;
            }
            finding.requests.push(*number);
            if let Some(line) = requests.line(*number) {
                self.bytes += line.size();
                finding.request_lines.push(line);
            }
        }
        finding.requests.sort_unstable();
        finding.request_lines.sort_unstable_by_key(|line| line.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_target_is_truncated_between_its_parameters() {
        let pair = "name=0123456789";
        let target = format!("/v1/messages?{}", [pair; 50].join("&"));
        let short = truncate(&target);
        assert!(short.len() <= MAX_TARGET + 4, "{short}");
        assert!(short.ends_with(&format!("&{pair}&...")), "{short}");
        assert_eq!(truncate(&"/x".repeat(400)), "/... (800 bytes)");
        assert_eq!(printable("/a\u{9b}\u{e9}\u{ffff}"), "/a\\u{9b}\u{e9}\\u{ffff}");
    }
}

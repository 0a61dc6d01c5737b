//! What was found in a sandbox: once for each thing that was done, with the requests that show it.

use std::collections::VecDeque;

use super::{Finding, Rule};
use crate::sandbox::journal::{Entry, Redactor};

/// Requests that a finding names.
const MOST_NAMED: usize = 5;

/// A target that is longer is cut, in bytes: findings are kept as long as the sandbox.
const LONGEST_TARGET: usize = 300;

/// A request that a finding names, without keys, as the journal shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestLine {
    /// Its number, as the journal counts.
    pub number: u64,
    /// Its method.
    pub method: String,
    /// Its path and query; a long query is cut.
    pub target: String,
}

impl RequestLine {
    /// The line of a request, as long as the journal has it. Keys that the request itself sent are
    /// hidden here, those that agents have where the verdict is drawn.
    fn of(entries: &VecDeque<Entry>, number: u64) -> Option<Self> {
        let place = entries.partition_point(|entry| entry.number < number);
        entries.get(place).filter(|entry| entry.number == number).map(Self::of_entry)
    }

    /// The line of a request.
    pub(super) fn of_entry(entry: &Entry) -> Self {
        let (method, target) = Redactor::default().request_line(entry);
        let target = if target.len() > LONGEST_TARGET { cut(&target) } else { target };
        let (method, target) = (printable(&method), printable(&target));
        Self { number: entry.number, method, target }
    }

    pub(super) fn size(&self) -> usize {
        size_of::<Self>() + self.method.len() + self.target.len()
    }
}

/// A long target without the end of its query, and without a path that is too long by itself. It is
/// cut between parameters only, because nobody knows half a key for one.
fn cut(target: &str) -> String {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    if path.len() > LONGEST_TARGET {
        return format!("/... ({} bytes)", target.len());
    }
    let mut short = format!("{path}?");
    for pair in query.split('&') {
        if short.len() + pair.len() >= LONGEST_TARGET {
            break;
        }
        short.push_str(pair);
        short.push('&');
    }
    short + "..."
}

/// Without what a terminal or XML would take for something else.
fn printable(text: &str) -> String {
    let is_odd = |char: char| char.is_control() || matches!(char, '\u{fffe}' | '\u{ffff}');
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        if is_odd(char) { out.extend(char.escape_unicode()) } else { out.push(char) }
    }
    out
}

/// The requests that a finding names, and where their lines are.
#[derive(Clone, Copy)]
pub(super) struct RequestRefs<'a> {
    pub(super) numbers: &'a [u64],
    /// What the journal has.
    pub(super) entries: &'a VecDeque<Entry>,
    /// Lines of requests that the journal had to drop.
    pub(super) lines: &'a [RequestLine],
}

impl<'a> RequestRefs<'a> {
    pub(super) fn new(numbers: &'a [u64], entries: &'a VecDeque<Entry>) -> Self {
        Self { numbers, entries, lines: &[] }
    }

    fn line(&self, number: u64) -> Option<RequestLine> {
        let kept = || self.lines.iter().find(|line| line.number == number).cloned();
        RequestLine::of(self.entries, number).or_else(kept)
    }
}

/// What was found.
#[derive(Clone, Default)]
pub(super) struct Findings {
    all: Vec<Finding>,
    bytes: usize,
}

impl Findings {
    /// How much memory they take, about, in bytes.
    pub(super) fn size(&self) -> usize {
        self.bytes
    }

    pub(super) fn into_vec(self) -> Vec<Finding> {
        self.all
    }

    /// Adds what was done, and how often, unless there are `most` of its rule.
    pub(super) fn add(
        &mut self,
        most: usize,
        (rule, what): (Rule, String),
        requests: RequestRefs<'_>,
        times: u64,
    ) {
        let place = self.all.iter().position(|same| same.rule == rule && same.what == what);
        if place.is_none() && self.all.iter().filter(|same| same.rule == rule).count() >= most {
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
            if finding.requests.len() >= MOST_NAMED || finding.requests.contains(number) {
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
    fn a_long_target_is_cut_between_its_parameters() {
        let pair = "name=0123456789";
        let target = format!("/v1/messages?{}", [pair; 50].join("&"));
        let short = cut(&target);
        assert!(short.len() <= LONGEST_TARGET + 4, "{short}");
        assert!(short.ends_with(&format!("&{pair}&...")), "{short}");
        assert_eq!(cut(&"/x".repeat(400)), "/... (800 bytes)");
        assert_eq!(printable("/a\u{9b}\u{e9}\u{ffff}"), "/a\\u{9b}\u{e9}\\u{ffff}");
    }
}

//! Writes a verdict as text, JSON or `JUnit`.

use std::fmt;

use serde::Serialize;

use super::{Finding, RULES, RequestLine, Rule, Verdict};
use crate::report::{Case, Format, counted, junit};

impl Format {
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; charset=utf-8",
            Self::Json => "application/json",
            Self::Junit => "application/xml",
        }
    }

    /// The format that an `Accept` header prefers; JSON if it names none of ours.
    pub(crate) fn accepted(accept: &str) -> Self {
        let quality = |range: &str| {
            let q = range.split(';').skip(1).find_map(|p| p.trim().strip_prefix("q="));
            q.and_then(|q| q.trim().parse::<f32>().ok()).unwrap_or(1.0)
        };
        let mut best = (0.0, Self::Json);
        for range in accept.split(',') {
            let kind = range.split_once(';').map_or(range, |(kind, _)| kind).trim();
            let format = match kind.to_ascii_lowercase().as_str() {
                "text/plain" | "text/*" => Self::Text,
                "application/xml" | "text/xml" => Self::Junit,
                "application/json" | "application/*" | "*/*" => Self::Json,
                _ => continue,
            };
            if quality(range) > best.0 {
                best = (quality(range), format);
            }
        }
        best.1
    }
}

/// The verdict: mistakes of clients, and how much of the contract their requests cover.
#[derive(Serialize)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema), schemars(rename = "Verdict"))]
pub(crate) struct VerdictShown<'a> {
    /// Whether there are no findings.
    clean: bool,
    /// The number of requests.
    requests: u64,
    /// The findings.
    findings: Vec<FindingShown<'a>>,
    /// How much of the contract the requests cover.
    coverage: CoverageShown,
}

/// A mistake of a client.
#[derive(Serialize)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema), schemars(rename = "Finding"))]
struct FindingShown<'a> {
    /// The rule that the client broke.
    #[cfg_attr(feature = "docs", schemars(with = "Rule"))]
    rule: &'static str,
    /// The sandbox of its requests.
    sandbox: &'a str,
    /// What the client did.
    what: &'a str,
    /// Why it matters.
    why: &'static str,
    /// The numbers of requests that show it.
    requests: &'a [u64],
    /// The methods and targets of those requests that were still in the journal when the mistake was
    /// found.
    request_lines: &'a [RequestLine],
    /// How often the client did it.
    times: u64,
}

/// How much of the contract the requests cover.
#[derive(Serialize)]
#[cfg_attr(feature = "docs", derive(schemars::JsonSchema), schemars(rename = "Coverage"))]
struct CoverageShown {
    /// In percent, rounded down.
    percent: u32,
    /// The number of items that were covered.
    met: usize,
    /// The number of all items.
    of: usize,
    /// The items that were not covered.
    never_met: Vec<String>,
}

impl Verdict {
    /// As text, JSON or `JUnit`.
    pub(crate) fn write(&self, format: Format) -> String {
        match format {
            Format::Text => format!("{self:#}\n"),
            Format::Json => self.to_json() + "\n",
            Format::Junit => self.to_junit(),
        }
    }

    /// In one line: `verdict: 12 requests, nothing found, coverage 40%`.
    #[cfg(feature = "cli")]
    pub(crate) fn summary(&self) -> String {
        let mut rules: Vec<&str> = self.findings.iter().map(|it| it.rule.name()).collect();
        rules.dedup();
        let found = match (self.findings.len() as u64, &*rules) {
            (0, _) => "nothing found".to_owned(),
            (_, ["no-request"]) => "so nothing was tested (no-request)".to_owned(),
            (many, rules) => format!("{} ({})", counted(many, "finding"), rules.join(", ")),
        };
        let requests = counted(self.requests, "request");
        format!("verdict: {requests}, {found}, coverage {}%", self.coverage_percent())
    }

    /// As JSON.
    #[must_use]
    #[allow(clippy::missing_panics_doc, reason = "it never panics")]
    pub fn to_json(&self) -> String {
        let findings = self.findings.iter().map(|finding| FindingShown {
            rule: finding.rule.name(),
            sandbox: &finding.sandbox,
            what: &finding.what,
            why: finding.rule.why(),
            requests: &finding.requests,
            request_lines: &finding.request_lines,
            times: finding.times,
        });
        let (met, of) = self.coverage.counts();
        let shown = VerdictShown {
            clean: self.findings.is_empty(),
            requests: self.requests,
            findings: findings.collect(),
            coverage: CoverageShown {
                percent: self.coverage_percent(),
                met,
                of,
                never_met: self.never_met(),
            },
        };
        serde_json::to_string_pretty(&shown).expect("strings and numbers can be written as JSON")
    }

    /// As a `JUnit` report: a test case for each rule, which fails with what was found.
    #[must_use]
    pub fn to_junit(&self) -> String {
        let cases: Vec<Case<'_>> = RULES
            .iter()
            // A verdict that is not final does not check this rule, so it is not a passed test.
            .filter(|(rule, ..)| *rule != Rule::NoRequest || self.is_final)
            .map(|(rule, name, why)| {
                let found = self.findings.iter().filter(|finding| finding.rule == *rule);
                let failures = found.map(|finding| {
                    let (times, sandbox) = (finding.times, &finding.sandbox);
                    let requests = numbers(&finding.requests);
                    let lines = lines(finding, "\n");
                    let about = if finding.requests.is_empty() {
                        (*why).to_owned()
                    } else {
                        let times = match times {
                            1 => "once".to_owned(),
                            more => format!("{more} times"),
                        };
                        format!("{why}\nsandbox {sandbox}, {times}, requests {requests}{lines}")
                    };
                    (finding.what.clone(), about)
                });
                Case { class: "gptbots-mock", name, failures: failures.collect(), skipped: None }
            })
            .collect();
        let (met, of) = self.coverage.counts();
        let mut beside = format!("coverage {}% ({met} of {of})\n", self.coverage_percent());
        for item in self.never_met() {
            beside.extend(["not covered: ", &item, "\n"]);
        }
        junit("gptbots-mock", &cases, &beside)
    }
}

/// Writes the findings, each with why it matters and the requests that show it, and the coverage.
/// `{:#}` adds the items that are not covered.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = match self.findings.len() as u64 {
            0 => "nothing found".to_owned(),
            many => counted(many, "finding"),
        };
        writeln!(f, "verdict: {found} in {}", counted(self.requests, "request"))?;
        for finding in &self.findings {
            let times = if finding.times > 1 {
                format!(" ({} times)", finding.times)
            } else {
                String::new()
            };
            writeln!(f, "\n{}{times}: {}", finding.rule, finding.what)?;
            writeln!(f, "  why: {}", finding.rule.why())?;
            if finding.requests.is_empty() {
                continue;
            }
            let requests = numbers(&finding.requests);
            let lines = lines(finding, "\n    ");
            writeln!(f, "  requests: {requests} in sandbox {}{lines}", finding.sandbox)?;
        }
        let (met, of) = self.coverage.counts();
        let percent = self.coverage_percent();
        write!(f, "\ncoverage: {percent}% of the contract ({met} of {of})")?;
        let never = self.never_met();
        if never.is_empty() || !f.alternate() {
            return Ok(());
        }
        write!(f, "\nnot covered:")?;
        for (path, items) in grouped(&never) {
            write!(f, "\n  {path}{}", items.join(", "))?;
        }
        Ok(())
    }
}

/// Groups items that begin with the same words.
fn grouped(items: &[String]) -> Vec<(String, Vec<&str>)> {
    let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
    for item in items {
        let (path, rest) = item.split_once(": ").unwrap_or(("", item));
        let (words, rest) = ["=", "code "]
            .iter()
            .find_map(|mark| rest.find(mark).map(|at| rest.split_at(at + mark.len())))
            .unwrap_or(("", rest));
        let path = if path.is_empty() { words.to_owned() } else { format!("{path}: {words}") };
        match groups.last_mut() {
            Some((same, items)) if *same == path => items.push(rest),
            _ => groups.push((path, vec![rest])),
        }
    }
    groups
}

/// The requests of a finding, each after `before`.
fn lines(finding: &Finding, before: &str) -> String {
    let lines = finding.requests.iter().map(|number| {
        match finding.request_lines.iter().find(|line| line.number == *number) {
            Some(line) => format!("{before}#{number} {} {}", line.method, line.target),
            None => {
                format!("{before}#{number} is no longer in the journal (increase --journal)")
            }
        }
    });
    lines.collect()
}

fn numbers(requests: &[u64]) -> String {
    let numbers: Vec<_> = requests.iter().map(|number| format!("#{number}")).collect();
    numbers.join(", ")
}

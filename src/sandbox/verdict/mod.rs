//! The verdict: mistakes of a client that do not lead to an error response, and the parts of the
//! contract that its requests do not cover. Each sandbox analyses its requests as they arrive
//! ([`watch`]), so that a [`Verdict`] does not depend on how many of them are still in the journal.

mod coverage;
mod findings;
mod read;
mod render;
mod retries;
mod sum;
mod walk;
mod watch;

pub(crate) use coverage::Coverage;
pub use findings::RequestLine;
pub(crate) use read::violations;
#[cfg(feature = "docs")]
pub(crate) use render::VerdictShown;
pub(crate) use sum::VerdictSum;
pub(crate) use watch::{Observation, Watch};

use std::fmt;
use std::str::FromStr;

use crate::suggest::nearest;

/// A kind of mistake that a client can make, most of which get no error response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Rule {
    /// A path without an endpoint, or a method that the endpoint does not take.
    UnknownEndpoint,
    /// A parameter that the endpoint does not have; the vendor ignores it.
    UnknownParameter,
    /// A `page_size` that another endpoint takes, but this one does not.
    ForeignPageSize,
    /// A time in seconds where the endpoint takes milliseconds.
    TimeInSeconds,
    /// A body on a request that must not have one.
    BodyOnGet,
    /// An API key in the URL.
    KeyInUrl,
    /// A paging run that skipped a page.
    SkippedPage,
    /// A page that was fetched more often than the page before it.
    RepeatedPage,
    /// A paging run that ended before the last page.
    StoppedEarly,
    /// A request for a page after the last one.
    PastTheEnd,
    /// A request that was refused and then repeated unchanged.
    RepeatedRefusal,
    /// A retry before the time of `Retry-After` had passed.
    RetryAfterIgnored,
    /// Retries without a pause between them.
    NoPause,
    /// A response that the client did not read completely.
    UnreadAnswer,
    /// No request at all. Only `exec` and `assert_clean` report it, because they run after the last
    /// request.
    NoRequest,
}

/// Every rule with its name and why it matters.
pub(crate) const RULES: [(Rule, &str, &str); 15] = [
    (
        Rule::UnknownEndpoint,
        "unknown-endpoint",
        "The client gets an error instead of data. Usually the path is misspelt, the base URL contains \
         a path, or the method is wrong.",
    ),
    (
        Rule::UnknownParameter,
        "unknown-parameter",
        "The vendor ignores an unknown parameter, so it has no effect, and no error reports that.",
    ),
    (
        Rule::ForeignPageSize,
        "foreign-page-size",
        "Each endpoint has its own range of page sizes; a value that is valid on one endpoint is an \
         error on another.",
    ),
    (
        Rule::TimeInSeconds,
        "time-in-seconds",
        "The API takes milliseconds, so a time in seconds is a day in 1970. Usually the response is a \
         200 with no rows or too many.",
    ),
    (
        Rule::BodyOnGet,
        "body-on-get",
        "The vendor reads only the query string. It ignores the body, and proxies may refuse the \
         request.",
    ),
    (
        Rule::KeyInUrl,
        "key-in-url",
        "URLs end up in logs, browser histories and Referer headers. The key belongs in the \
         Authorization header.",
    ),
    (
        Rule::SkippedPage,
        "skipped-page",
        "The rows of a skipped page are missing in the result, and no error reports that.",
    ),
    (
        Rule::RepeatedPage,
        "repeated-page",
        "The client may count the rows of a repeated page twice, and the second request is wasted.",
    ),
    (
        Rule::StoppedEarly,
        "stopped-early",
        "The rows of the pages that were not fetched are missing in the result.",
    ),
    (
        Rule::PastTheEnd,
        "past-the-end",
        "An earlier response showed which page is the last. On the lists, a later page is empty and \
         the request is wasted; on messages, it is an error.",
    ),
    (
        Rule::RepeatedRefusal,
        "repeated-refusal",
        "A request that was refused with a 4xx status is refused again if it is sent unchanged. The \
         repetition counts towards the rate limit and hides the mistake.",
    ),
    (
        Rule::RetryAfterIgnored,
        "retry-after-ignored",
        "Retry-After says how long the client must wait. An earlier retry is refused again, and the \
         service may block the client.",
    ),
    (
        Rule::NoPause,
        "no-pause",
        "Retries without a pause add load to a server that already fails, and they all fail before \
         the server can recover.",
    ),
    (
        Rule::UnreadAnswer,
        "unread-answer",
        "The client closed the connection before it had read the whole response. The request is \
         wasted, and the connection cannot be used again.",
    ),
    (
        Rule::NoRequest,
        "no-request",
        "A test without requests tests nothing; usually the client uses another address. Only `exec` \
         and the library's `assert_clean` report this.",
    ),
];

impl Rule {
    /// Its name: `skipped-page`.
    #[must_use]
    pub fn name(self) -> &'static str {
        // Row n belongs to rule n; a test checks that.
        RULES[self as usize].1
    }

    /// Why it matters.
    #[must_use]
    pub fn why(self) -> &'static str {
        RULES[self as usize].2
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text is not the name of a rule; the message suggests the nearest name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RuleError(String);

impl FromStr for Rule {
    type Err = RuleError;

    fn from_str(name: &str) -> Result<Self, RuleError> {
        let row = RULES.iter().find(|(_, known, _)| *known == name);
        row.map(|(rule, ..)| *rule).ok_or_else(|| {
            let known: Vec<&str> = RULES.iter().map(|(_, name, _)| *name).collect();
            let hint = nearest(name, known.iter().copied());
            let hint = hint.map(|name| format!("; did you mean {name}?")).unwrap_or_default();
            let name = crate::suggest::quoted(name);
            RuleError(format!("there is no rule {name}{hint} (one of {})", known.join(", ")))
        })
    }
}

/// A mistake of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The rule that was broken.
    pub rule: Rule,
    /// The id of the sandbox.
    pub sandbox: String,
    /// What the client did, with names and values.
    pub what: String,
    /// The journal numbers of requests that show it; at most five.
    pub requests: Vec<u64>,
    /// The methods and targets of those requests that were still in the journal.
    pub request_lines: Vec<RequestLine>,
    /// How often the client did it.
    pub times: u64,
}

/// The report on a client's requests: findings, and how much of the contract the requests cover.
///
/// ```
/// use gptbots_mock::Server;
///
/// let server = Server::start().unwrap();
/// ureq::get(format!("{}/v1/messages", server.url()))
///     .query("conversation_id", "xxxxxx")
///     .query("page", "1")
///     .query("page_size", "100")
///     .query("sort", "asc") // there is no such parameter
///     .header("Authorization", "Bearer your_apikey")
///     .call()
///     .unwrap();
/// let verdict = server.verdict();
/// assert_eq!(verdict.findings()[0].rule.name(), "unknown-parameter");
/// assert!(verdict.to_string().contains("`sort`"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    pub(crate) findings: Vec<Finding>,
    pub(crate) coverage: Coverage,
    /// How many requests were watched.
    pub(crate) requests: u64,
    /// Whether no more requests follow, so that a verdict without requests is a finding.
    pub(crate) is_final: bool,
}

impl Verdict {
    /// Marks the verdict as final, which adds a finding if there was no request. `sandbox` is the
    /// id that this finding names.
    pub(crate) fn into_final(mut self, sandbox: &str) -> Self {
        self.is_final = true;
        if self.requests == 0 {
            self.findings.push(Finding {
                rule: Rule::NoRequest,
                sandbox: sandbox.to_owned(),
                what: "no request came, so nothing was tested".to_owned(),
                requests: Vec::new(),
                request_lines: Vec::new(),
                times: 1,
            });
        }
        self
    }

    /// The findings, ordered by rule.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// How many requests were watched.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests
    }

    /// Leaves out the findings of a rule.
    #[must_use]
    pub fn mute(mut self, rule: Rule) -> Self {
        self.findings.retain(|finding| finding.rule != rule);
        self
    }

    /// How much of the contract the requests cover, in percent, rounded down: endpoints, codes,
    /// values of filters, edge cases of paging, and the faults of the sandbox.
    #[must_use]
    pub fn coverage_percent(&self) -> u32 {
        self.coverage.percent()
    }

    /// The parts of the contract that no request covers, one line each.
    #[must_use]
    pub fn never_met(&self) -> Vec<String> {
        self.coverage.items().into_iter().filter(|(_, met)| !met).map(|(item, _)| item).collect()
    }
}

/// The page of a response.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServedPage {
    pub(crate) page: u64,
    pub(crate) size: u64,
    pub(crate) rows: u64,
    pub(crate) last: u64,
    /// The last page according to `total`, if the response has one. It differs from `last` if data
    /// changes.
    pub(crate) reported_last: Option<u64>,
    /// Whether a client may have to request the page after the last one, because nothing in the
    /// response shows that it was the last.
    pub(crate) open_end: bool,
    /// The place of the filter's value in the list of its values.
    pub(crate) filter: Option<usize>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_n_belongs_to_rule_n() {
        for (place, (rule, name, _)) in RULES.iter().enumerate() {
            assert_eq!(*rule as usize, place);
            assert_eq!(name.parse(), Ok(*rule));
        }
        let error = "skiped-page".parse::<Rule>().unwrap_err().to_string();
        assert!(error.contains("did you mean skipped-page?"), "{error}");
    }
}

//! What a client does wrong though it gets responses, and what its tests do not cover. Each sandbox
//! watches its requests as they come ([`watch`]), so that a [`Verdict`] does not depend on how many
//! of them the journal still has.

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

/// A mistake that a client can make though it gets responses.
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
    /// The API key stands in the URL.
    KeyInUrl,
    /// A walk that skipped a page.
    SkippedPage,
    /// A page that was fetched more often than the page before it.
    RepeatedPage,
    /// A walk that ended before its last page.
    StoppedEarly,
    /// A request for a page after the last one.
    PastTheEnd,
    /// A request that was refused and then repeated unchanged.
    RepeatedRefusal,
    /// A retry before `Retry-After` was over.
    RetryAfterIgnored,
    /// Retries without a pause between them.
    NoPause,
    /// A response that was not read to its end.
    UnreadAnswer,
    /// No request at all. Only `exec` and `assert_clean` find it, because they run after all
    /// requests.
    NoRequest,
}

/// Every rule with its name and why it matters.
pub(crate) const RULES: [(Rule, &str, &str); 15] = [
    (
        Rule::UnknownEndpoint,
        "unknown-endpoint",
        "The client gets an error and none of what it wants. Mostly the path has a slip, or the base \
         URL ends with a path of its own.",
    ),
    (
        Rule::UnknownParameter,
        "unknown-parameter",
        "The vendor ignores a parameter that it does not know, so what it should do does not \
         happen, and nothing says so.",
    ),
    (
        Rule::ForeignPageSize,
        "foreign-page-size",
        "Each endpoint has its own range; a value that works on one is an error on another.",
    ),
    (
        Rule::TimeInSeconds,
        "time-in-seconds",
        "The API takes milliseconds, so a time in seconds is one of 1970. The response is a 200 with \
         no rows, or with too many.",
    ),
    (
        Rule::BodyOnGet,
        "body-on-get",
        "The vendor reads the query string only. What stands in a body is lost, and proxies may \
         refuse the request.",
    ),
    (
        Rule::KeyInUrl,
        "key-in-url",
        "URLs end up in logs, histories and referrers. The key belongs into the Authorization \
         header.",
    ),
    (
        Rule::SkippedPage,
        "skipped-page",
        "The rows of a page that is left out are missing in the result, and nothing says so.",
    ),
    (
        Rule::RepeatedPage,
        "repeated-page",
        "Rows of a page that is fetched twice in one walk count twice, or cost twice.",
    ),
    (
        Rule::StoppedEarly,
        "stopped-early",
        "The rows behind the last page that was fetched are missing in the result.",
    ),
    (
        Rule::PastTheEnd,
        "past-the-end",
        "The answer before told that there is nothing more: on the lists this page is empty and \
         costs a request, on messages it is an error.",
    ),
    (
        Rule::RepeatedRefusal,
        "repeated-refusal",
        "A request that was refused with a 4xx is refused again. Repeating it costs the rate \
         limit and hides the mistake.",
    ),
    (
        Rule::RetryAfterIgnored,
        "retry-after-ignored",
        "The server said when to come back. Coming sooner is refused again, and may get a client \
         blocked.",
    ),
    (
        Rule::NoPause,
        "no-pause",
        "Retries without a pause hit a server that is in trouble when it can least bear it, and \
         are over before it recovers.",
    ),
    (
        Rule::UnreadAnswer,
        "unread-answer",
        "An answer that is not read to its end was paid for and lost, and the connection with it.",
    ),
    (
        Rule::NoRequest,
        "no-request",
        "What sent no request tested nothing; mostly the client goes to another address. Only `exec` \
         and the library's `assert_clean` find this.",
    ),
];

impl Rule {
    /// Its name: `skipped-page`.
    #[must_use]
    pub fn name(self) -> &'static str {
        // A row stands at the place of its rule, which a test holds.
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

/// A text names no rule; the message says which is meant.
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
            RuleError(format!("no rule {name}{hint} (one of {})", known.join(", ")))
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
    /// The numbers of requests that show it, as in the journal; at most five.
    pub requests: Vec<u64>,
    /// The methods and targets of those requests that were still in the journal.
    pub request_lines: Vec<RequestLine>,
    /// How often the client did it.
    pub times: u64,
}

/// The judgement on a client's requests: findings, and how much of the contract they cover.
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
    /// Whether all requests are over, so that no request at all is a finding.
    pub(crate) is_final: bool,
}

impl Verdict {
    /// The verdict after the last request: no request at all is a finding then. `sandbox`: the id
    /// that the finding names.
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

    /// The mistakes, by rule.
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

/// A page as it was answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServedPage {
    pub(crate) page: u64,
    pub(crate) size: u64,
    pub(crate) rows: u64,
    pub(crate) last: u64,
    /// The last page according to `total`, if the response has one. It differs from `last` if data
    /// changes.
    pub(crate) reported_last: Option<u64>,
    /// Whether a client may have to ask for the page after the last one to see that it was the
    /// last.
    pub(crate) open_end: bool,
    /// The place of the filter's value in the list of its values.
    pub(crate) filter: Option<usize>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_stands_at_the_place_of_its_rule() {
        for (place, (rule, name, _)) in RULES.iter().enumerate() {
            assert_eq!(*rule as usize, place);
            assert_eq!(name.parse(), Ok(*rule));
        }
        let error = "skiped-page".parse::<Rule>().unwrap_err().to_string();
        assert!(error.contains("did you mean skipped-page?"), "{error}");
    }
}

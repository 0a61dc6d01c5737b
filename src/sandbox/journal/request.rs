//! A request of the journal as users get it, without keys.

use std::borrow::Cow;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use percent_encoding::percent_decode_str;

use super::Entry;
use crate::contract::{Code, Operation};
use crate::redact::Redactor;
use crate::sandbox::verdict::{Rule, violations};

/// A request that the server received, and its outcome: [`Server::requests`](crate::Server).
///
/// Only the last four characters of API keys are shown, wherever a key occurs.
///
/// ```
/// use gptbots_mock::{Server, contract::Code};
///
/// let server = Server::start().unwrap();
/// let refused = ureq::get(format!("{}/v1/messages", server.url()))
///     .query("page", "1")
///     .header("Authorization", format!("Bearer {}", server.api_key()))
///     .call();
/// assert!(refused.is_err());
///
/// let request = &server.requests()[0];
/// assert_eq!((request.method(), request.path()), ("GET", "/v1/messages"));
/// assert_eq!(request.query(), [("page".to_owned(), "1".to_owned())]);
/// assert_eq!(request.header("Authorization"), Some("Bearer ****demo"));
/// assert_eq!((request.status, request.code), (Some(400), Some(Code::InvalidParameter)));
/// assert!(request.reason.starts_with("conversation_id is missing"));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Request {
    /// The number of the request on this server, from 1.
    pub number: u64,
    /// The id of its sandbox.
    pub sandbox: String,
    /// When it was received.
    pub at: SystemTime,
    /// The address of the client.
    pub client: IpAddr,
    /// The operation; `None`: the path belongs to no endpoint.
    pub operation: Option<Operation>,
    /// The status of the response; `None`: a fault broke the connection.
    pub status: Option<u16>,
    /// The vendor's code if the request was refused.
    pub code: Option<Code>,
    /// Why it was refused, as in `x-mock-reason`; empty if it was not.
    pub reason: String,
    /// The id of the fault that was applied to it; empty if there was none.
    pub fault: String,
    /// The rules of the contract that it breaks.
    pub violations: Vec<Violation>,
    /// The time from the arrival of its head to its response.
    pub duration: Duration,
    /// Whether the client closed the connection before it had read the whole response.
    pub unread: bool,
    /// Whether it was sent with HTTP/1.0 instead of HTTP/1.1.
    pub is_http_1_0: bool,
    method: String,
    target: String,
    headers: Vec<(String, String)>,
}

/// A rule of the contract that a request breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// The rule that is broken.
    pub rule: Rule,
    /// What was sent, and what is expected if there is a suggestion.
    pub what: String,
}

impl Request {
    pub(crate) fn new(entry: &Entry, sandbox: &str, redactor: &Redactor) -> Self {
        let own = entry.redactor(redactor);
        let violations = violations(entry).into_iter();
        let headers = entry.headers();
        Self {
            number: entry.number,
            sandbox: sandbox.to_owned(),
            at: entry.at,
            client: entry.client,
            operation: entry.operation,
            status: entry.status,
            code: entry.code,
            reason: own.hide(&entry.reason()).into_owned(),
            fault: entry.fault().into_owned(),
            violations: violations
                .map(|(rule, what)| Violation { rule, what: own.hide(&what).into_owned() })
                .collect(),
            duration: entry.took,
            unread: entry.unread,
            is_http_1_0: entry.is_http_1_0,
            method: own.part(&entry.method()).into_owned(),
            target: own.target(&entry.target()),
            headers: headers
                .map(|(name, value)| {
                    let value = own.header(&name, value);
                    (own.hide(&name).into_owned(), value)
                })
                .collect(),
        }
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Path and query as they were sent, with the prefix of the sandbox if there was one.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The path without the prefix of the sandbox: `/v1/messages`.
    #[must_use]
    pub fn path(&self) -> &str {
        let path = self.target.split_once('?').map_or(&*self.target, |(path, _)| path);
        crate::target::without_sandbox(path)
    }

    /// The names and values of the query parameters, decoded, in the order in which they were sent.
    #[must_use]
    pub fn query(&self) -> Vec<(String, String)> {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        pairs(query).map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
    }

    /// The value of the first header with this name; the case of the name is ignored.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(header, _)| header.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Every header, with its name in lower case, in the order in which they were sent.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether it found an endpoint that takes its method.
    pub(crate) fn found_endpoint(&self) -> bool {
        found_endpoint(self.operation, self.code)
    }
}

/// Whether a request found an endpoint that takes its method.
pub(crate) fn found_endpoint(operation: Option<Operation>, code: Option<Code>) -> bool {
    operation.is_some() && code != Some(Code::MethodNotAllowed)
}

/// The names and values of a query, decoded as forms are.
pub(crate) fn pairs(query: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    fn decode(text: &str) -> Cow<'_, str> {
        if !text.contains('+') {
            return percent_decode_str(text).decode_utf8_lossy();
        }
        let text = text.replace('+', " ");
        Cow::Owned(percent_decode_str(&text).decode_utf8_lossy().into_owned())
    }
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name), decode(value))
    })
}

//! A request in the journal. Its texts are stored in one allocation, because thousands are kept.

use std::borrow::Cow;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use axum::http::Version;
use axum::http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};

use super::Exchange;
use crate::contract::{Code, Operation};
use crate::redact::Redactor;

/// A request and its outcome.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Its number on the server, from 1.
    pub(crate) number: u64,
    pub(crate) at: SystemTime,
    pub(crate) client: IpAddr,
    /// The time from its head to its response, with the delay of a fault.
    pub(crate) took: Duration,
    /// `None`: a fault broke the connection.
    pub(crate) status: Option<u16>,
    pub(crate) operation: Option<Operation>,
    pub(crate) code: Option<Code>,
    /// Whether it announces a body.
    pub(crate) body: bool,
    /// Whether it was sent with HTTP/1.0 instead of HTTP/1.1.
    pub(crate) is_http_1_0: bool,
    /// Whether the client closed the connection before it had read the whole response.
    pub(crate) unread: bool,
    /// Identifies the walk that it belongs to, for the verdict.
    pub(crate) walk: u64,
    /// Method, target, headers, reason and fault.
    text: Box<[u8]>,
    /// The ends of all these texts except the last.
    ends: [u32; 4],
}

/// Ends each name and value of a header; no header contains it.
const END: u8 = 0;

impl Entry {
    /// The entry of a request that is received at `at`. Its number and its walk are set later.
    pub(super) fn new(at: SystemTime, exchange: &Exchange<'_>) -> Self {
        let head = exchange.head;
        let breaks = exchange.fault.is_some_and(|injected| injected.fault.connection.is_some());
        let delay = exchange.fault.map_or(Duration::ZERO, |injected| injected.delay);
        let (method, path, query) = (head.method.as_str(), head.uri.path(), head.uri.query());
        let reason = exchange.refused.map_or(&[][..], |(_, reason)| reason);
        let fault = exchange.fault.map_or("", |injected| &injected.id);
        let headers =
            head.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 2);
        let target = path.len() + query.map_or(0, |query| query.len() + 1);
        let length = method.len() + target + headers.sum::<usize>() + reason.len() + fault.len();
        let mut text = Vec::with_capacity(length);
        let end = |text: &Vec<u8>| u32::try_from(text.len()).expect("a head has at most 1 GiB");
        let mut ends = [0; 4];
        text.extend_from_slice(method.as_bytes());
        ends[0] = end(&text);
        text.extend_from_slice(path.as_bytes());
        if let Some(query) = query {
            text.push(b'?');
            text.extend_from_slice(query.as_bytes());
        }
        ends[1] = end(&text);
        for (name, value) in &head.headers {
            text.extend_from_slice(name.as_str().as_bytes());
            text.push(END);
            text.extend_from_slice(value.as_bytes());
            text.push(END);
        }
        ends[2] = end(&text);
        text.extend_from_slice(reason);
        ends[3] = end(&text);
        text.extend_from_slice(fault.as_bytes());
        Self {
            number: 0,
            at,
            client: exchange.peer.address,
            took: exchange.took + delay,
            status: (!breaks).then_some(exchange.status),
            operation: exchange.endpoint.map(|endpoint| endpoint.operation),
            code: exchange.refused.map(|(code, _)| code),
            body: head.headers.contains_key(TRANSFER_ENCODING)
                || head.headers.get(CONTENT_LENGTH).is_some_and(|length| length != "0"),
            is_http_1_0: head.version == Version::HTTP_10,
            unread: false,
            walk: 0,
            text: text.into(),
            ends,
        }
    }

    /// How many bytes it takes.
    pub(super) fn size(&self) -> usize {
        size_of::<Self>() + self.text.len()
    }

    fn part(&self, number: usize) -> &[u8] {
        let end =
            |number: usize| self.ends.get(number).map_or(self.text.len(), |end| *end as usize);
        let start = if number == 0 { 0 } else { end(number - 1) };
        &self.text[start..end(number)]
    }

    pub(crate) fn method(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.part(0))
    }

    /// The path and the query as they were sent, the sandbox's prefix included.
    pub(crate) fn target(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.part(1))
    }

    /// Names in lower case, in the order in which they were sent.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (Cow<'_, str>, &[u8])> {
        let mut words = self.part(2).split(|byte| *byte == END);
        std::iter::from_fn(move || {
            let (name, value) = (words.next()?, words.next()?);
            Some((String::from_utf8_lossy(name), value))
        })
    }

    /// Hides the secrets of `known`, and the secrets that this request sent.
    pub(crate) fn redactor(&self, known: &Redactor) -> Redactor {
        known.for_request(&self.target(), self.headers())
    }

    /// The value of the first header of this name.
    pub(crate) fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers().find(|(header, _)| header == name).map(|(_, value)| value)
    }

    /// Why it was refused; empty if it was not.
    pub(crate) fn reason(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.part(3))
    }

    /// The id of the fault that struck it; empty if none did.
    pub(crate) fn fault(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.part(4))
    }
}

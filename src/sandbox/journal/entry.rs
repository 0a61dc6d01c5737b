//! One request as the journal keeps it: everything in one piece of memory, split when it is shown.

use std::borrow::Cow;
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use axum::http::{HeaderMap, Method, Uri};

use crate::contract::{Code, Operation};

/// A request and what came of it.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Which request of the server it is; from 1.
    pub(crate) number: u64,
    pub(crate) at: SystemTime,
    pub(crate) client: IpAddr,
    /// From its head to its answer, delays of faults included.
    pub(crate) took: Duration,
    /// `None`: a fault broke the connection.
    pub(crate) status: Option<u16>,
    pub(crate) operation: Option<Operation>,
    pub(crate) code: Option<Code>,
    pub(crate) body: bool,
    /// It came by HTTP/1.0, not by HTTP/1.1.
    pub(crate) is_http_1_0: bool,
    /// The client left before it had read the answer to its end.
    pub(crate) unread: bool,
    /// The walk that it is a step of, as the verdict tells them apart.
    pub(crate) walk: u64,
    /// Method, target, headers, reason, fault, one behind the other.
    text: Box<[u8]>,
    ends: [u32; 4],
}

/// What stands between the names and values of headers; no header holds it.
const END: u8 = 0;

/// What an entry is made of.
pub(super) struct Parts<'a> {
    pub(super) method: &'a Method,
    pub(super) target: &'a Uri,
    pub(super) headers: &'a HeaderMap,
    pub(super) reason: &'a [u8],
    pub(super) fault: &'a str,
}

impl Entry {
    /// Keeps a request; what is known of it beside its text comes behind.
    pub(super) fn new(at: SystemTime, client: IpAddr, parts: &Parts<'_>) -> Self {
        let Parts { method, target, headers, reason, fault } = parts;
        let (method, path) = (method.as_str(), target.path());
        let query = target.query();
        let headers_len: usize =
            headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 2).sum();
        let target_len = path.len() + query.map_or(0, |query| query.len() + 1);
        let len = method.len() + target_len + headers_len + reason.len() + fault.len();
        let mut text = Vec::with_capacity(len);
        let mut ends = [0; 4];
        let end = |text: &Vec<u8>| u32::try_from(text.len()).unwrap_or(u32::MAX);
        text.extend_from_slice(method.as_bytes());
        ends[0] = end(&text);
        text.extend_from_slice(path.as_bytes());
        if let Some(query) = query {
            text.push(b'?');
            text.extend_from_slice(query.as_bytes());
        }
        ends[1] = end(&text);
        for (name, value) in *headers {
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
            client,
            took: Duration::ZERO,
            status: None,
            operation: None,
            code: None,
            body: false,
            is_http_1_0: false,
            unread: false,
            walk: 0,
            text: text.into_boxed_slice(),
            ends,
        }
    }

    /// How much memory it takes, in bytes.
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

    /// Names in lower case, in the order in which they came.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (Cow<'_, str>, &[u8])> {
        let mut words = self.part(2).split(|byte| *byte == END);
        std::iter::from_fn(move || {
            let (name, value) = (words.next()?, words.next()?);
            Some((String::from_utf8_lossy(name), value))
        })
    }

    /// The value of a header; of the first, where there are several.
    pub(crate) fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers().find(|(header, _)| header == name).map(|(_, value)| value)
    }

    /// Why it was refused; empty where it was not.
    pub(crate) fn reason(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.part(3))
    }

    /// The fault that struck it; empty where none did.
    pub(crate) fn fault(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.part(4))
    }
}

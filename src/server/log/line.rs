//! A line of the access log, without keys.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use axum::extract::Request;
use axum::http::{HeaderValue, Method, Uri, header};
use percent_encoding::{CONTROLS, percent_decode_str, utf8_percent_encode};

use crate::contract::{self, Code};
use crate::keys::SANDBOX_MARK;
use crate::records::world::World;
use crate::sandbox::Sandboxes;
use crate::sandbox::journal::{HOLDS_KEY, is_cut};

/// What a line says of a request, from before it is answered.
pub(crate) struct RequestStart {
    pub(super) at: Instant,
    method: Method,
    pub(super) uri: Uri,
    /// What the client sent as its key.
    authorization: Option<HeaderValue>,
}

impl RequestStart {
    pub(crate) fn new(request: &Request) -> Self {
        Self {
            at: Instant::now(),
            method: request.method().clone(),
            uri: request.uri().clone(),
            authorization: request.headers().get(header::AUTHORIZATION).cloned(),
        }
    }
}

/// A request and its response.
pub(super) struct LogLine {
    pub(super) time: SystemTime,
    /// `None`: the HTTP parser refused it.
    pub(super) request: Option<RequestStart>,
    pub(super) took: Duration,
    /// `None`: a fault broke the connection, so there was no response.
    pub(super) status: Option<u16>,
    /// The code of a refusal, if it has one, and its reason.
    pub(super) refused: Option<(Option<u32>, HeaderValue)>,
    /// The fault that struck.
    pub(super) fault: Option<String>,
    /// The sandbox if it is not the default one, and its records if it has its own.
    pub(super) sandbox: Option<Box<str>>,
    pub(super) world: Option<Arc<World>>,
}

impl LogLine {
    /// Whether a client put a key where it does not belong, plain or percent-encoded: a key of an
    /// agent, or the key that it sent in the right place, or the token of the control API.
    pub(super) fn holds_key(
        &self,
        request: &RequestStart,
        sandboxes: &Sandboxes,
        token: Option<&str>,
    ) -> bool {
        let target = request.uri.to_string();
        let decoded: Vec<u8> = percent_decode_str(&target).collect();
        let method = request.method.as_str().as_bytes();
        // The reason why a message is no HTTP quotes headers, escaped and truncated, so it may hold
        // a key or a part of one. Other reasons name public keys on purpose.
        let of_message = |code: &Option<u32>| {
            code.is_some_and(|code| Code::OF_HTTP.iter().any(|of_http| of_http.number() == code))
        };
        let reason = self.refused.as_ref().filter(|(code, _)| of_message(code));
        let reason = reason.map_or(&b""[..], |(_, reason)| reason.as_bytes());
        let holds = |key: &[u8]| {
            let in_text = |text: &[u8], key: &[u8]| memchr::memmem::find(text, key).is_some();
            let all = [&decoded, target.as_bytes(), method, reason];
            let escaped = || key.escape_ascii().collect::<Vec<u8>>();
            !key.is_empty()
                && (all.into_iter().any(|text| in_text(text, key))
                    || (!reason.is_empty() && in_text(reason, &escaped())))
        };
        let sent = request.authorization.as_ref().map(HeaderValue::as_bytes).unwrap_or_default();
        let sent = sent.rsplit(|byte| *byte == b' ').next().expect("a split text has a last part");
        // The key stands before the name of the sandbox, but a client may have swapped them.
        let mark = memchr::memrchr(SANDBOX_MARK as u8, sent);
        let (key, named) = mark.map_or((sent, &b""[..]), |at| (&sent[..at], &sent[at + 1..]));
        let any_of = |world: &World| {
            let mut keys = world.agents.iter().flat_map(|agent| &agent.keys);
            keys.any(|key| holds(key.as_bytes()) || named == key.as_bytes())
        };
        is_cut(reason)
            || holds(key)
            || token.is_some_and(|token| holds(token.as_bytes()) || token.as_bytes() == named)
            || any_of(&sandboxes.world())
            || self.world.as_deref().is_some_and(any_of)
    }
}

/// To the millisecond, in UTC.
fn stamp(time: SystemTime) -> impl std::fmt::Display {
    let timestamp = jiff::Timestamp::try_from(time).expect("the clock shows a year before 9999");
    format!("{timestamp:.3}")
}

/// A line with its keys hidden.
pub(super) struct LineView<'a> {
    pub(super) line: &'a LogLine,
    /// Whether the request holds a key in the wrong place. Then we write nothing that the client
    /// chose.
    pub(super) secret: bool,
}

#[derive(serde::Serialize)]
struct JsonLine<'a> {
    time: String,
    method: Option<&'a str>,
    path: Option<String>,
    status: Option<u16>,
    code: Option<u32>,
    reason: Option<&'a str>,
    fault: Option<&'a str>,
    sandbox: Option<&'a str>,
    duration_us: u64,
}

impl LineView<'_> {
    fn method(&self) -> Option<&str> {
        const KNOWN: [Method; 9] = [
            Method::GET,
            Method::HEAD,
            Method::POST,
            Method::PUT,
            Method::DELETE,
            Method::OPTIONS,
            Method::PATCH,
            Method::TRACE,
            Method::CONNECT,
        ];
        let method = &self.line.request.as_ref()?.method;
        Some(if self.secret && !KNOWN.contains(method) { HOLDS_KEY } else { method.as_str() })
    }

    /// The path, in visible ASCII.
    fn path(&self) -> Option<String> {
        let path = self.line.request.as_ref()?.uri.path();
        if self.secret && contract::endpoint(path).is_none() {
            return Some(HOLDS_KEY.to_owned());
        }
        Some(utf8_percent_encode(path, CONTROLS).to_string())
    }

    /// The code and the reason of a refusal.
    fn refused(&self) -> Option<(Option<u32>, &str)> {
        let (code, reason) = self.line.refused.as_ref()?;
        Some((
            *code,
            if self.secret {
                HOLDS_KEY
            } else {
                reason.to_str().expect("reasons are visible ASCII")
            },
        ))
    }

    fn sandbox(&self) -> Option<&str> {
        let sandbox = self.line.sandbox.as_deref()?;
        Some(if self.secret { HOLDS_KEY } else { sandbox })
    }

    /// `2025-10-20T12:00:00.123Z GET /v1/messages 400 code=40000 0.021ms page must be …`
    pub(super) fn text(&self, out: &mut String) -> std::fmt::Result {
        let LogLine { time, took, status, .. } = self.line;
        let status = status.map_or("-".to_owned(), |status| status.to_string());
        let (time, ms) = (stamp(*time), took.as_secs_f64() * 1000.0);
        let (method, path) = (self.method().unwrap_or("-"), self.path());
        write!(out, "{time} {method} {} {status}", path.as_deref().unwrap_or("-"))?;
        for (name, value) in [("sandbox", self.sandbox()), ("fault", self.line.fault.as_deref())] {
            if let Some(value) = value {
                write!(out, " {name}={value}")?;
            }
        }
        match self.refused() {
            None => writeln!(out, " {ms:.3}ms"),
            Some((Some(code), reason)) => writeln!(out, " code={code} {ms:.3}ms {reason}"),
            Some((None, reason)) => writeln!(out, " {ms:.3}ms {reason}"),
        }
    }

    pub(super) fn json(&self) -> String {
        let (code, reason) = self.refused().unzip();
        let line = JsonLine {
            time: stamp(self.line.time).to_string(),
            method: self.method(),
            path: self.path(),
            status: self.line.status,
            code: code.flatten(),
            reason,
            fault: self.line.fault.as_deref(),
            sandbox: self.sandbox(),
            duration_us: u64::try_from(self.line.took.as_micros())
                .expect("no request takes so long"),
        };
        serde_json::to_string(&line).expect("strings and numbers can be written as JSON")
    }
}

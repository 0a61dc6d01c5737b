//! A line of the access log, without keys.

use std::fmt::Write as _;
use std::time::{Duration, Instant, SystemTime};

use axum::extract::Request;
use axum::http::{HeaderValue, Method};
use percent_encoding::{CONTROLS, utf8_percent_encode};

use crate::contract;
use crate::sandbox::Sandboxes;
use crate::target::split_sandbox;

/// The facts of a request that are known before it is answered.
pub(crate) struct RequestStart {
    pub(super) at: Instant,
    shown: ShownRequest,
}

/// A method and a path, without secrets.
enum ShownRequest {
    /// The path is an endpoint's. It is not kept as the client sent it, because the connection would have
    /// to read its next request into a new buffer.
    Endpoint(Method, &'static str),
    Other(String, String),
}

impl RequestStart {
    pub(crate) fn new(request: &Request, sandboxes: &Sandboxes) -> Self {
        let (method, uri) = (request.method(), request.uri());
        let (id, path) = split_sandbox(uri.path()).unwrap_or((None, ""));
        let harmless =
            contract::allows(method.as_str()) && !id.is_some_and(|id| sandboxes.is_key(id));
        let shown = match (contract::endpoint(path).filter(|_| harmless), id) {
            (Some(endpoint), None) => ShownRequest::Endpoint(method.clone(), endpoint.path),
            (Some(_), Some(_)) => ShownRequest::Other(method.to_string(), uri.path().to_owned()),
            (None, _) => {
                let own = sandboxes.redactor().for_head(uri, request.headers());
                let path = utf8_percent_encode(&own.part(uri.path()), CONTROLS).to_string();
                ShownRequest::Other(own.part(method.as_str()).into_owned(), path)
            }
        };
        Self { at: Instant::now(), shown }
    }

    fn method(&self) -> &str {
        match &self.shown {
            ShownRequest::Endpoint(method, _) => method.as_str(),
            ShownRequest::Other(method, _) => method,
        }
    }

    fn path(&self) -> &str {
        match &self.shown {
            ShownRequest::Endpoint(_, path) => path,
            ShownRequest::Other(_, path) => path,
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
    /// The fault that was applied.
    pub(super) fault: Option<String>,
    /// The sandbox if it is not the default one.
    pub(super) sandbox: Option<Box<str>>,
}

/// A time that cannot be written becomes the nearest that can, because a panic would end the log.
fn timestamp(time: SystemTime) -> jiff::Timestamp {
    jiff::Timestamp::try_from(time).unwrap_or(jiff::Timestamp::MAX)
}

fn microseconds(took: Duration) -> u64 {
    u64::try_from(took.as_micros()).expect("no request takes so long")
}

#[derive(serde::Serialize)]
struct JsonLine<'a> {
    time: String,
    method: Option<&'a str>,
    path: Option<&'a str>,
    status: Option<u16>,
    code: Option<u32>,
    reason: Option<&'a str>,
    fault: Option<&'a str>,
    sandbox: Option<&'a str>,
    duration_us: u64,
}

impl LogLine {
    fn method_and_path(&self) -> Option<(&str, &str)> {
        self.request.as_ref().map(|request| (request.method(), request.path()))
    }

    /// The code and the reason of a refusal.
    fn refused(&self) -> Option<(Option<u32>, &str)> {
        let (code, reason) = self.refused.as_ref()?;
        Some((*code, reason.to_str().expect("reasons are visible ASCII")))
    }

    /// `2025-10-20T12:00:00.123Z GET /v1/messages 400 code=40000 0.021ms page must be …`
    pub(super) fn text(&self, out: &mut String) -> std::fmt::Result {
        let Self { time, took, status, sandbox, fault, .. } = self;
        let status = status.map_or("-".to_owned(), |status| status.to_string());
        let time = timestamp(*time);
        let us = microseconds(*took);
        let ms = format_args!("{}.{:03}ms", us / 1000, us % 1000);
        let (method, path) = self.method_and_path().unwrap_or(("-", "-"));
        write!(out, "{time:.3} {method} {path} {status}")?;
        for (name, value) in [("sandbox", sandbox.as_deref()), ("fault", fault.as_deref())] {
            if let Some(value) = value {
                write!(out, " {name}={value}")?;
            }
        }
        match self.refused() {
            None => writeln!(out, " {ms}"),
            Some((Some(code), reason)) => writeln!(out, " code={code} {ms} {reason}"),
            Some((None, reason)) => writeln!(out, " {ms} {reason}"),
        }
    }

    pub(super) fn json(&self) -> String {
        let (code, reason) = self.refused().unzip();
        let (method, path) = self.method_and_path().unzip();
        let line = JsonLine {
            time: format!("{:.3}", timestamp(self.time)),
            method,
            path,
            status: self.status,
            code: code.flatten(),
            reason,
            fault: self.fault.as_deref(),
            sandbox: self.sandbox.as_deref(),
            duration_us: microseconds(self.took),
        };
        serde_json::to_string(&line).expect("strings and numbers can be written as JSON")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_beyond_the_year_9999_is_logged_as_its_end() {
        let stamp = |seconds| {
            format!("{:.3}", timestamp(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)))
        };
        assert_eq!(stamp(1_760_918_400), "2025-10-20T00:00:00.000Z");
        assert_eq!(stamp(1 << 40), "9999-12-30T22:00:00.999Z");
    }
}

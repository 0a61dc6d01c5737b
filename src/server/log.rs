//! The access log: one line a request, never a key, never a request that waits for it.
//!
//! Lines go through a bounded queue to a thread that writes them. Where nobody reads, the queue
//! fills, lines are dropped, and the next line that is written tells how many.

use std::fmt::Write as _;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant, SystemTime};

use axum::extract::Request;
use axum::http::{HeaderValue, Method, Uri, header};
use axum::response::Response;
use percent_encoding::{CONTROLS, percent_decode_str, utf8_percent_encode};

use crate::contract;
use crate::http::Outcome;
use crate::sandbox::Sandboxes;

/// How the access log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// A line to read.
    #[default]
    Text,
    /// A JSON object a line.
    Json,
    /// Nothing.
    Off,
}

/// Tells the time of day.
pub(crate) type Clock = fn() -> SystemTime;

/// So many lines wait for the writer at most.
const QUEUE: usize = 4096;

/// So much is written at once at most, in bytes.
const CHUNK: usize = 64 * 1024;

/// The sending end; the writer ends when it is dropped.
pub(crate) struct AccessLog {
    lines: SyncSender<Line>,
    dropped: Arc<AtomicU64>,
    clock: Clock,
}

/// A request that is being answered.
pub(super) struct Begun {
    at: Instant,
    method: Method,
    uri: Uri,
    /// What the client sent as its key.
    authorization: Option<HeaderValue>,
}

impl Begun {
    pub(super) fn new(request: &Request) -> Self {
        Self {
            at: Instant::now(),
            method: request.method().clone(),
            uri: request.uri().clone(),
            authorization: request.headers().get(header::AUTHORIZATION).cloned(),
        }
    }
}

/// An answered request.
struct Line {
    time: SystemTime,
    request: Begun,
    took: Duration,
    status: u16,
    /// The code and the reason of a refusal.
    refused: Option<(u32, HeaderValue)>,
}

/// Tells when the writer has written all there was.
pub(crate) struct Flushed(Receiver<()>);

impl Flushed {
    /// Waits for the writer, but not for a reader who does not read.
    pub(crate) fn wait(self, most: Duration) {
        // Ends with an error in both good cases and bad ones: the writer sends nothing.
        let _ = self.0.recv_timeout(most);
    }
}

impl AccessLog {
    /// Starts the writer. `sandboxes` know the keys, which clients may put where they do not
    /// belong.
    pub(crate) fn start(
        format: LogFormat,
        clock: Clock,
        sandboxes: Arc<Sandboxes>,
        out: impl Write + Send + 'static,
    ) -> std::io::Result<Option<(Self, Flushed)>> {
        if format == LogFormat::Off {
            return Ok(None);
        }
        let (lines, queue) = sync_channel(QUEUE);
        let (done, flushed) = sync_channel(0);
        let dropped = Arc::new(AtomicU64::new(0));
        let log = Self { lines, dropped: Arc::clone(&dropped), clock };
        let writer = Writer { format, sandboxes, dropped, out };
        std::thread::Builder::new().name("access-log".into()).spawn(move || {
            writer.run(&queue);
            drop(done);
        })?;
        Ok(Some((log, Flushed(flushed))))
    }

    pub(super) fn end(&self, request: Begun, response: &Response) {
        let refused = response.extensions().get::<Outcome>();
        let line = Line {
            time: (self.clock)(),
            took: request.at.elapsed(),
            request,
            status: response.status().as_u16(),
            refused: refused.map(|outcome| (outcome.code.number(), outcome.reason.clone())),
        };
        if self.lines.try_send(line).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Writes the lines. Whatever takes time is done here, where no request waits for it.
struct Writer<W> {
    format: LogFormat,
    /// Whose keys must never be written.
    sandboxes: Arc<Sandboxes>,
    dropped: Arc<AtomicU64>,
    out: W,
}

impl<W: Write> Writer<W> {
    fn run(mut self, queue: &Receiver<Line>) {
        let mut chunk = String::new();
        while let Ok(line) = queue.recv() {
            let mut lines = 1;
            self.append(&line, &mut chunk);
            while chunk.len() < CHUNK
                && let Ok(line) = queue.try_recv()
            {
                self.append(&line, &mut chunk);
                lines += 1;
            }
            let missing = self.dropped.swap(0, Ordering::Relaxed);
            if missing > 0 {
                self.append_missing(missing, &mut chunk);
            }
            if self.out.write_all(chunk.as_bytes()).and_then(|()| self.out.flush()).is_err() {
                // A closed stderr: told with the next lines, should it open again.
                self.dropped.fetch_add(missing + lines, Ordering::Relaxed);
            }
            chunk.clear();
        }
    }

    fn append(&self, line: &Line, out: &mut String) {
        // Only of a refused request is anything written that the client chose.
        let secret = line.refused.is_some() && self.holds_key(&line.request);
        let shown = Shown { line, secret };
        // Writing to a string cannot fail.
        let _ = match self.format {
            LogFormat::Json => writeln!(out, "{}", shown.json()),
            LogFormat::Text | LogFormat::Off => shown.text(out),
        };
    }

    fn append_missing(&self, missing: u64, out: &mut String) {
        let _ = match self.format {
            LogFormat::Json => writeln!(out, r#"{{"dropped_lines":{missing}}}"#),
            LogFormat::Text | LogFormat::Off => {
                writeln!(out, "{missing} log lines dropped: nobody read them in time")
            }
        };
    }

    /// Whether a client put a key where it does not belong, plain or percent-encoded: one of the
    /// agents', or the one that it sent in the right place.
    fn holds_key(&self, request: &Begun) -> bool {
        let target = request.uri.to_string();
        let decoded: Vec<u8> = percent_decode_str(&target).collect();
        let method = request.method.as_str().as_bytes();
        let holds = |key: &[u8]| {
            let found = |text: &[u8]| memchr::memmem::find(text, key).is_some();
            !key.is_empty() && (found(&decoded) || found(target.as_bytes()) || found(method))
        };
        let sent = request.authorization.as_ref().map(HeaderValue::as_bytes).unwrap_or_default();
        let sent = sent.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
        let world = self.sandboxes.world();
        let mut keys = world.agents.iter().flat_map(|agent| &agent.keys);
        holds(sent) || keys.any(|key| holds(key.as_bytes()))
    }
}

/// To the millisecond, in UTC.
fn stamp(time: SystemTime) -> impl std::fmt::Display {
    let timestamp = jiff::Timestamp::try_from(time).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    format!("{timestamp:.3}")
}

/// What is written in place of what holds a key.
const SECRET: &str = "[holds a key]";

/// A line as it may be shown.
struct Shown<'a> {
    line: &'a Line,
    /// Whether method or target hold a key: then nothing is written that the client chose.
    secret: bool,
}

#[derive(serde::Serialize)]
struct JsonLine<'a> {
    time: String,
    method: &'a str,
    path: String,
    status: u16,
    code: Option<u32>,
    reason: Option<&'a str>,
    duration_us: u64,
}

impl Shown<'_> {
    fn method(&self) -> &str {
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
        let method = &self.line.request.method;
        if self.secret && !KNOWN.contains(method) { SECRET } else { method.as_str() }
    }

    /// The path, in visible ASCII.
    fn path(&self) -> String {
        let path = self.line.request.uri.path();
        if self.secret && contract::endpoint(path).is_none() {
            return SECRET.to_owned();
        }
        utf8_percent_encode(path, CONTROLS).to_string()
    }

    /// The code and the reason of a refusal.
    fn refused(&self) -> Option<(u32, &str)> {
        let (code, reason) = self.line.refused.as_ref()?;
        Some((*code, if self.secret { SECRET } else { reason.to_str().unwrap_or_default() }))
    }

    /// `2025-10-20T12:00:00.123Z GET /v1/messages 400 code=40000 0.021ms page must be …`
    fn text(&self, out: &mut String) -> std::fmt::Result {
        let Line { time, took, status, .. } = self.line;
        let (time, ms) = (stamp(*time), took.as_secs_f64() * 1000.0);
        write!(out, "{time} {} {} {status}", self.method(), self.path())?;
        match self.refused() {
            None => writeln!(out, " {ms:.3}ms"),
            Some((code, reason)) => writeln!(out, " code={code} {ms:.3}ms {reason}"),
        }
    }

    fn json(&self) -> String {
        let (code, reason) = self.refused().unzip();
        let line = JsonLine {
            time: stamp(self.line.time).to_string(),
            method: self.method(),
            path: self.path(),
            status: self.line.status,
            code,
            reason,
            duration_us: u64::try_from(self.line.took.as_micros()).unwrap_or(u64::MAX),
        };
        // Strings and numbers always serialize.
        serde_json::to_string(&line).unwrap_or_default()
    }
}

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
use axum::http::{HeaderValue, Method};
use axum::response::Response;

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
    /// Whose keys must never be written.
    sandboxes: Arc<Sandboxes>,
}

/// A request that is being answered.
pub(super) struct Begun {
    at: Instant,
    method: Method,
    path: Path,
}

/// Most requests go to one of the contract's paths, which needs no copy.
enum Path {
    Known(&'static str),
    Other(String),
}

impl Path {
    fn text(&self) -> &str {
        match self {
            Self::Known(path) => path,
            Self::Other(path) => path,
        }
    }
}

struct Line {
    time: SystemTime,
    begun: Begun,
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
        let log = Self { lines, dropped: Arc::clone(&dropped), clock, sandboxes };
        std::thread::Builder::new().name("access-log".into()).spawn(move || {
            write_all(format, &queue, &dropped, out);
            drop(done);
        })?;
        Ok(Some((log, Flushed(flushed))))
    }

    pub(super) fn begin(&self, request: &Request) -> Begun {
        let path = request.uri().path();
        let path = match contract::endpoint(path) {
            Some(endpoint) => Path::Known(endpoint.path),
            None => Path::Other(self.redact(path)),
        };
        Begun { at: Instant::now(), method: request.method().clone(), path }
    }

    pub(super) fn end(&self, begun: Begun, response: &Response) {
        let refused = response.extensions().get::<Outcome>().map(|outcome| {
            let reason = match outcome.reason.to_str() {
                Ok(reason) => HeaderValue::try_from(self.redact(reason)).ok(),
                Err(_) => None,
            };
            (outcome.code.number(), reason.unwrap_or(HeaderValue::from_static("")))
        });
        let line = Line {
            time: (self.clock)(),
            took: begun.at.elapsed(),
            begun,
            status: response.status().as_u16(),
            refused,
        };
        if self.lines.try_send(line).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The text without any key. A key may stand in a path or a value by a client's mistake.
    fn redact(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for key in self.sandboxes.world().agents.iter().flat_map(|agent| &agent.keys) {
            if text.contains(key.as_str()) {
                text = text.replace(key.as_str(), "[key]");
            }
        }
        text
    }
}

fn write_all(format: LogFormat, queue: &Receiver<Line>, dropped: &AtomicU64, mut out: impl Write) {
    let mut chunk = String::new();
    while let Ok(line) = queue.recv() {
        let mut lines = 1;
        append(format, &line, &mut chunk);
        while chunk.len() < CHUNK
            && let Ok(line) = queue.try_recv()
        {
            append(format, &line, &mut chunk);
            lines += 1;
        }
        let missing = dropped.swap(0, Ordering::Relaxed);
        if missing > 0 {
            append_missing(format, missing, &mut chunk);
        }
        if out.write_all(chunk.as_bytes()).and_then(|()| out.flush()).is_err() {
            // A closed stderr: told with the next lines, should it open again.
            dropped.fetch_add(missing + lines, Ordering::Relaxed);
        }
        chunk.clear();
    }
}

fn append(format: LogFormat, line: &Line, out: &mut String) {
    // Writing to a string cannot fail.
    let _ = match format {
        LogFormat::Json => writeln!(out, "{}", json(line)),
        LogFormat::Text | LogFormat::Off => text(line, out),
    };
}

fn append_missing(format: LogFormat, missing: u64, out: &mut String) {
    let _ = match format {
        LogFormat::Json => writeln!(out, r#"{{"dropped_lines":{missing}}}"#),
        LogFormat::Text | LogFormat::Off => {
            writeln!(out, "{missing} log lines dropped: nobody read them in time")
        }
    };
}

/// To the millisecond, in UTC.
fn stamp(time: SystemTime) -> impl std::fmt::Display {
    let timestamp = jiff::Timestamp::try_from(time).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    format!("{timestamp:.3}")
}

/// `2025-10-20T12:00:00.123Z GET /v1/messages 400 code=40000 0.021ms page must be …`
fn text(line: &Line, out: &mut String) -> std::fmt::Result {
    let (time, begun) = (stamp(line.time), &line.begun);
    let ms = line.took.as_secs_f64() * 1000.0;
    write!(out, "{time} {} {} {}", begun.method, begun.path.text().escape_debug(), line.status)?;
    match &line.refused {
        None => writeln!(out, " {ms:.3}ms"),
        Some((code, reason)) => {
            writeln!(out, " code={code} {ms:.3}ms {}", reason.to_str().unwrap_or_default())
        }
    }
}

#[derive(serde::Serialize)]
struct JsonLine<'a> {
    time: String,
    method: &'a str,
    path: &'a str,
    status: u16,
    code: Option<u32>,
    reason: Option<&'a str>,
    duration_us: u64,
}

fn json(line: &Line) -> String {
    let refused = line.refused.as_ref();
    let line = JsonLine {
        time: stamp(line.time).to_string(),
        method: line.begun.method.as_str(),
        path: line.begun.path.text(),
        status: line.status,
        code: refused.map(|(code, _)| *code),
        reason: refused.and_then(|(_, reason)| reason.to_str().ok()),
        duration_us: u64::try_from(line.took.as_micros()).unwrap_or(u64::MAX),
    };
    // Strings and numbers always serialize.
    serde_json::to_string(&line).unwrap_or_default()
}

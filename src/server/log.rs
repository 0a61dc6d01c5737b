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
use axum::http::{HeaderValue, Method, Uri};
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
    /// Whose keys must never be written.
    sandboxes: Arc<Sandboxes>,
}

/// A request that is being answered.
pub(super) struct Begun {
    at: Instant,
    method: Method,
    uri: Uri,
}

struct Line {
    time: SystemTime,
    method: Method,
    uri: Uri,
    /// Whether method or target hold a key: then nothing is written that the client chose.
    secret: bool,
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

    // By reference, though nothing of the log is needed: nobody begins without a log.
    #[allow(clippy::unused_self, reason = "only a request that is logged begins")]
    pub(super) fn begin(&self, request: &Request) -> Begun {
        let (method, uri) = (request.method().clone(), request.uri().clone());
        Begun { at: Instant::now(), method, uri }
    }

    pub(super) fn end(&self, begun: Begun, response: &Response) {
        let Begun { at, method, uri } = begun;
        let refused = response.extensions().get::<Outcome>();
        let refused = refused.map(|outcome| (outcome.code.number(), outcome.reason.clone()));
        let line = Line {
            time: (self.clock)(),
            // Only of a refused request is anything written that the client chose.
            secret: refused.is_some() && self.holds_key(&method, &uri),
            method,
            uri,
            took: at.elapsed(),
            status: response.status().as_u16(),
            refused,
        };
        if self.lines.try_send(line).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether a client put a key where it does not belong, plain or percent-encoded.
    fn holds_key(&self, method: &Method, uri: &Uri) -> bool {
        let target = uri.to_string();
        let decoded: Vec<u8> = percent_decode_str(&target).collect();
        let holds = |text: &[u8], key: &[u8]| text.windows(key.len()).any(|part| part == key);
        let world = self.sandboxes.world();
        let mut keys = world.agents.iter().flat_map(|agent| &agent.keys).map(String::as_bytes);
        keys.any(|key| {
            holds(&decoded, key)
                || holds(target.as_bytes(), key)
                || method.as_str().as_bytes() == key
        })
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

/// What is written in place of what holds a key.
const SECRET: &str = "[holds a key]";

impl Line {
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
        let telling = self.secret && !KNOWN.contains(&self.method);
        if telling { SECRET } else { self.method.as_str() }
    }

    /// The path, in visible ASCII.
    fn path(&self) -> String {
        if self.secret && contract::endpoint(self.uri.path()).is_none() {
            return SECRET.to_owned();
        }
        utf8_percent_encode(self.uri.path(), CONTROLS).to_string()
    }

    /// The code and the reason of a refusal.
    fn refused(&self) -> Option<(u32, &str)> {
        let (code, reason) = self.refused.as_ref()?;
        Some((*code, if self.secret { SECRET } else { reason.to_str().unwrap_or_default() }))
    }
}

/// `2025-10-20T12:00:00.123Z GET /v1/messages 400 code=40000 0.021ms page must be …`
fn text(line: &Line, out: &mut String) -> std::fmt::Result {
    let (time, ms) = (stamp(line.time), line.took.as_secs_f64() * 1000.0);
    write!(out, "{time} {} {} {}", line.method(), line.path(), line.status)?;
    match line.refused() {
        None => writeln!(out, " {ms:.3}ms"),
        Some((code, reason)) => writeln!(out, " code={code} {ms:.3}ms {reason}"),
    }
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

fn json(line: &Line) -> String {
    let (code, reason) = line.refused().unzip();
    let line = JsonLine {
        time: stamp(line.time).to_string(),
        method: line.method(),
        path: line.path(),
        status: line.status,
        code,
        reason,
        duration_us: u64::try_from(line.took.as_micros()).unwrap_or(u64::MAX),
    };
    // Strings and numbers always serialize.
    serde_json::to_string(&line).unwrap_or_default()
}

//! The access log: one line for each request. It never shows a key, and no request waits for it.
//!
//! Lines go through a bounded queue to a thread that writes them. The thread writes the first line
//! after a pause at once, and then sleeps for [`PAUSE`], so that a busy server wakes it a hundred
//! times a second instead of once a request. If nobody reads the log, the queue fills up and
//! further lines are dropped; the next line that is written says how many.

mod line;

use std::fmt::Write as _;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, SystemTime};

use axum::http::{HeaderValue, StatusCode};

use crate::api::ResponseMeta;
use crate::settings::{LogFormat, ServerConfig};
use line::LogLine;
pub(super) use line::RequestStart;

/// Returns the time of day.
pub(crate) type Clock = fn() -> SystemTime;

/// At most this many lines wait for the writer.
const QUEUE: usize = 4096;

/// The writer writes at most this many bytes at once, and one line more.
const CHUNK: usize = 64 * 1024;

/// The writer of a busy server looks for lines this often.
const PAUSE: Duration = Duration::from_millis(10);

/// The sending end of the log; the writer ends when this is dropped.
pub(crate) struct AccessLog {
    lines: Sender<LogLine>,
    counts: Arc<Counts>,
    clock: Clock,
}

/// The number of lines that wait for the writer, and of those that were dropped.
#[derive(Default)]
struct Counts {
    waiting: AtomicUsize,
    dropped: AtomicU64,
}

/// The line of a request whose response is about to be sent. The line is queued when this is
/// dropped, which also happens when the client leaves before.
pub(super) struct PendingLine {
    log: Arc<AccessLog>,
    line: Option<LogLine>,
}

impl PendingLine {
    /// Queues the line with the status of the response; without this, it says that there was none.
    pub(super) fn finish(mut self, status: StatusCode) {
        if let Some(line) = &mut self.line {
            line.status = Some(status.as_u16());
        }
    }
}

impl Drop for PendingLine {
    fn drop(&mut self) {
        if let Some(mut line) = self.line.take() {
            line.time = (self.log.clock)();
            line.took =
                line.request.as_ref().map_or(Duration::ZERO, |request| request.at.elapsed());
            self.log.push(line);
        }
    }
}

/// Waits until the writer has written every line.
pub(crate) struct FlushWaiter(Receiver<()>);

impl FlushWaiter {
    /// Waits for the writer, but no longer than this: nobody may read what it writes.
    pub(crate) fn wait(self, most: Duration) {
        // The writer sends nothing and drops its end, so this always returns an error.
        let _ = self.0.recv_timeout(most);
    }
}

impl AccessLog {
    /// Starts the writer. It finds keys that clients put where they do not belong in `sandboxes`, and
    /// the token of the control API in the config.
    pub(crate) fn start(
        config: &ServerConfig,
        out: impl Write + Send + 'static,
    ) -> std::io::Result<Option<(Self, FlushWaiter)>> {
        let format = config.log_format;
        if format == LogFormat::Off {
            return Ok(None);
        }
        let (done, flushed) = channel();
        let (lines, queue) = channel();
        let counts = Arc::new(Counts::default());
        let log = Self { lines, counts: Arc::clone(&counts), clock: config.sandbox.clock };
        let writer = Writer { format, counts, out };
        std::thread::Builder::new().name("access-log".into()).spawn(move || {
            writer.run(&queue);
            drop(done);
        })?;
        Ok(Some((log, FlushWaiter(flushed))))
    }

    fn push(&self, line: LogLine) {
        if self.counts.waiting.fetch_add(1, Relaxed) < QUEUE {
            // An error means that the writer has panicked. The server goes on without its log.
            let _ = self.lines.send(line);
        } else {
            self.counts.waiting.fetch_sub(1, Relaxed);
            self.counts.dropped.fetch_add(1, Relaxed);
        }
    }

    /// The line of a request, to be queued once its response is sent.
    pub(super) fn pending_line(
        self: &Arc<Self>,
        request: RequestStart,
        meta: Option<&ResponseMeta>,
    ) -> PendingLine {
        let sandbox = meta.and_then(|meta| meta.sandbox.as_ref());
        // The line does not hold the sandbox itself, because the sandbox would be in use until the
        // line is written.
        let line = LogLine {
            time: SystemTime::UNIX_EPOCH,
            took: Duration::ZERO,
            request: Some(request),
            status: None,
            refused: meta
                .and_then(|meta| meta.refused.as_ref())
                .map(|(code, reason)| (Some(code.number()), reason.clone())),
            fault: meta.and_then(|meta| meta.fault.as_ref()).map(|injected| injected.id.clone()),
            sandbox: sandbox.map(|sandbox| sandbox.id.clone()),
        };
        PendingLine { log: Arc::clone(self), line: Some(line) }
    }

    /// Queues a line about bytes that the HTTP parser refused. Nothing of the request is known.
    pub(super) fn refused(&self, status: u16, reason: String) {
        let reason = HeaderValue::try_from(reason).expect("hyper's own words are ASCII");
        self.push(LogLine {
            time: (self.clock)(),
            took: Duration::ZERO,
            request: None,
            status: Some(status),
            refused: Some((None, reason)),
            fault: None,
            sandbox: None,
        });
    }
}

/// Writes the lines. All that takes time happens here, because no request waits for it.
struct Writer<W> {
    format: LogFormat,
    counts: Arc<Counts>,
    out: W,
}

impl<W: Write> Writer<W> {
    fn run(mut self, queue: &Receiver<LogLine>) {
        let mut chunk = String::new();
        // Lines that were dropped or could not be written since the last one that was.
        let mut lost = 0;
        while let Ok(first) = queue.recv() {
            let lines = std::iter::once(first).chain(queue.try_iter().take(QUEUE));
            let lines: Vec<LogLine> = lines.collect();
            self.counts.waiting.fetch_sub(lines.len(), Relaxed);
            lost += self.counts.dropped.swap(0, Relaxed);
            let mut unwritten = 0;
            for (left, line) in (0..lines.len()).rev().zip(&lines) {
                self.append(line, &mut chunk);
                unwritten += 1;
                if chunk.len() < CHUNK && left > 0 {
                    continue;
                }
                if lost > 0 {
                    self.append_lost(lost, &mut chunk);
                }
                let written = self.out.write_all(chunk.as_bytes()).and_then(|()| self.out.flush());
                lost = if written.is_ok() { 0 } else { lost + unwritten };
                unwritten = 0;
                chunk.clear();
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn append(&self, line: &LogLine, out: &mut String) {
        let written = match self.format {
            LogFormat::Json => writeln!(out, "{}", line.json()),
            LogFormat::Text | LogFormat::Off => line.text(out),
        };
        written.expect("writing to a string cannot fail");
    }

    fn append_lost(&self, lost: u64, out: &mut String) {
        let line = match self.format {
            LogFormat::Json => format!("{{\"dropped_lines\":{lost}}}\n"),
            LogFormat::Text | LogFormat::Off => {
                format!("{lost} log lines dropped, because stderr was not read in time\n")
            }
        };
        out.push_str(&line);
    }
}

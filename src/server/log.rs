//! The access log: one line a request, never a key, never a request that waits for it.
//!
//! Lines go through a bounded queue to a thread that writes them. The first after a pause is
//! written at once; then the thread takes what has come in [`PAUSE`]s, so that a busy server wakes
//! it a hundred times a second, not once a request. Where nobody reads, the queue fills, lines are
//! dropped, and the next line that is written tells how many.

mod line;

use std::fmt::Write as _;
use std::io::Write;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use axum::http::{HeaderValue, StatusCode};

use crate::api::ResponseMeta;
use crate::contract;
use crate::sandbox::Sandboxes;
pub(super) use line::Begun;
use line::{Line, Shown};

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

/// So much is written at once at most, in bytes, and a line more.
const CHUNK: usize = 64 * 1024;

/// The writer of a busy server looks for lines this often.
const PAUSE: Duration = Duration::from_millis(10);

/// The sending end; the writer ends when it is dropped.
pub(crate) struct AccessLog {
    queue: Arc<Queue>,
    clock: Clock,
}

/// The lines that wait for the writer.
#[derive(Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    lines: Vec<Line>,
    dropped: u64,
    /// The writer sleeps until there is a line.
    idle: bool,
    /// There will be no more.
    closed: bool,
}

impl Queue {
    /// Nothing under this lock can panic, so a poisoned one is as good as any.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, line: Line) {
        let mut waiting = self.lock();
        if waiting.lines.len() < QUEUE {
            waiting.lines.push(line);
        } else {
            waiting.dropped += 1;
        }
        if std::mem::take(&mut waiting.idle) {
            drop(waiting);
            self.changed.notify_one();
        }
    }

    /// Waits for lines and takes all of them, with how many were dropped since. `None` once there
    /// will be no more.
    fn take(&self, lines: &mut Vec<Line>, busy: bool) -> Option<u64> {
        let mut waiting = self.lock();
        if busy {
            let pause = self.changed.wait_timeout_while(waiting, PAUSE, |waiting| !waiting.closed);
            waiting = pause.unwrap_or_else(PoisonError::into_inner).0;
        }
        while waiting.lines.is_empty() && waiting.dropped == 0 && !waiting.closed {
            waiting.idle = true;
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        std::mem::swap(&mut waiting.lines, lines);
        let dropped = std::mem::take(&mut waiting.dropped);
        (!lines.is_empty() || dropped > 0).then_some(dropped)
    }
}

impl Drop for AccessLog {
    fn drop(&mut self) {
        self.queue.lock().closed = true;
        self.queue.changed.notify_one();
    }
}

/// A request whose answer is about to be sent. Its line is written when that is so, and also when
/// the client goes before.
pub(super) struct Ending {
    log: Arc<AccessLog>,
    line: Option<Line>,
}

impl Ending {
    /// Notes the answer; what is written until then says that there was none.
    pub(super) fn end(mut self, status: StatusCode) {
        if let Some(line) = &mut self.line {
            line.status = Some(status.as_u16());
        }
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        if let Some(mut line) = self.line.take() {
            line.time = (self.log.clock)();
            line.took =
                line.request.as_ref().map_or(Duration::ZERO, |request| request.at.elapsed());
            self.log.queue.push(line);
        }
    }
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
        let (done, flushed) = sync_channel(0);
        let queue = Arc::new(Queue::default());
        let log = Self { queue: Arc::clone(&queue), clock };
        let writer = Writer { format, sandboxes, out };
        std::thread::Builder::new().name("access-log".into()).spawn(move || {
            writer.run(&queue);
            drop(done);
        })?;
        Ok(Some((log, Flushed(flushed))))
    }

    /// What is to be written of a request, once its answer is sent.
    pub(super) fn ending(self: &Arc<Self>, request: Begun, meta: Option<&ResponseMeta>) -> Ending {
        let sandbox = meta.and_then(|meta| meta.sandbox.as_ref());
        // The line must not hold the sandbox itself, which would be in use as long as it waits.
        let line = Line {
            time: SystemTime::UNIX_EPOCH,
            took: Duration::ZERO,
            request: Some(request),
            status: None,
            refused: meta
                .and_then(|meta| meta.refused.as_ref())
                .map(|(code, reason)| (Some(code.number()), reason.clone())),
            fault: meta.and_then(|meta| meta.fault.as_ref()).map(|fired| fired.id.clone()),
            sandbox: sandbox.map(|sandbox| sandbox.id.clone()),
            world: sandbox.and_then(|sandbox| sandbox.settings.world.clone()),
        };
        Ending { log: Arc::clone(self), line: Some(line) }
    }

    /// Writes what the HTTP parser refused, and why. Nothing of the request is known.
    pub(super) fn refused(&self, status: u16, reason: String) {
        let reason = HeaderValue::try_from(reason)
            .unwrap_or_else(|_| HeaderValue::from_static("unprintable"));
        self.queue.push(Line {
            time: (self.clock)(),
            took: Duration::ZERO,
            request: None,
            status: Some(status),
            refused: Some((None, reason)),
            fault: None,
            sandbox: None,
            world: None,
        });
    }
}

/// Writes the lines. Whatever takes time is done here, where no request waits for it.
struct Writer<W> {
    format: LogFormat,
    /// Whose keys must never be written.
    sandboxes: Arc<Sandboxes>,
    out: W,
}

impl<W: Write> Writer<W> {
    fn run(mut self, queue: &Queue) {
        let mut chunk = String::new();
        let mut lines = Vec::new();
        // Lines that could not be written; told with the next ones, should stderr open again.
        let mut lost = 0;
        let mut busy = false;
        while let Some(dropped) = queue.take(&mut lines, busy) {
            busy = true;
            lost += dropped;
            let mut unwritten = 0;
            for (left, line) in (0..lines.len()).rev().zip(lines.drain(..)) {
                self.append(&line, &mut chunk);
                unwritten += 1;
                if chunk.len() < CHUNK && left > 0 {
                    continue;
                }
                if lost > 0 {
                    self.append_missing(lost, &mut chunk);
                }
                let written = self.out.write_all(chunk.as_bytes()).and_then(|()| self.out.flush());
                lost = if written.is_ok() { 0 } else { lost + unwritten };
                unwritten = 0;
                chunk.clear();
            }
        }
    }

    fn append(&self, line: &Line, out: &mut String) {
        // Nothing is written that the client chose where a request is answered by an endpoint,
        // in the default sandbox.
        let secret = line.request.as_ref().is_some_and(|request| {
            let chosen = line.refused.is_some()
                || line.sandbox.is_some()
                || contract::endpoint(request.uri.path()).is_none();
            chosen && line.holds_key(request, &self.sandboxes)
        });
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
}

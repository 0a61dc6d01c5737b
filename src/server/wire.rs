//! What a fault does to a connection: it resets it, cuts an answer off, lets it drip, or keeps it
//! waiting and notices when the client goes. And what a connection is doing, for those who look for
//! a place, and who end the server.
//!
//! HTTP is hyper's, which knows nothing of this. So a connection has a [`Line`] that the code
//! behind hyper shares with the [`Socket`] before it.

use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, Interest, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

/// What is to become of a connection, and what has become of it.
pub(super) struct Line {
    state: AtomicU8,
    /// Something was written that the client has not taken, or it has reset the connection.
    untaken: AtomicBool,
    phase: AtomicU8,
    opened: Instant,
    /// When the phase began or the client last took something of an answer: microseconds after
    /// `opened`.
    since: AtomicU64,
    /// The client may send more than we read, so closing must not reset the connection.
    pub(super) lingers: AtomicBool,
    /// The server ends: the socket looks whether a request came before that, see
    /// [`Line::has_input`].
    ends: AtomicBool,
    has_input: AtomicBool,
}

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Phase {
    /// No byte of a request has come since the last answer was sent.
    Idle,
    /// A request has begun to come, or the rest of a body that was answered without it.
    Head,
    /// A request is being answered; a fault may delay that.
    Working,
    /// A fault leaves the request without an answer.
    Unanswered,
    /// hyper takes the answer.
    Answering,
    /// hyper has all of the answer and writes the last of it.
    Flushing,
    /// We read what the client sends yet, so that it can read our last answer.
    Closing,
}

impl Phase {
    const ALL: [Self; 7] = [
        Self::Idle,
        Self::Head,
        Self::Working,
        Self::Unanswered,
        Self::Answering,
        Self::Flushing,
        Self::Closing,
    ];
}

const OPEN: u8 = 0;
/// The client waits. Should it go, nothing more is done for it.
const WAITING: u8 = 1;
/// It ends as soon as everything is sent that was written.
const CUT: u8 = 2;
/// It ends by a TCP reset.
const RESET: u8 = 3;

/// Before we close over what a client sends, we read this much of it, and for no longer than this.
const MOST_LINGER: usize = 32 << 20;
const LINGER: Duration = Duration::from_secs(5);

/// How often a client that waits is looked for, and an answer that drips flows on.
const LOOK: Duration = Duration::from_millis(50);

impl Line {
    pub(super) fn new() -> Self {
        Self {
            state: AtomicU8::new(OPEN),
            untaken: AtomicBool::new(false),
            phase: AtomicU8::new(Phase::Idle as u8),
            opened: Instant::now(),
            since: AtomicU64::new(0),
            lingers: AtomicBool::new(false),
            ends: AtomicBool::new(false),
            has_input: AtomicBool::new(false),
        }
    }

    pub(super) fn phase(&self) -> Phase {
        Phase::ALL[usize::from(self.phase.load(Relaxed))]
    }

    pub(super) fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Relaxed);
        self.touch();
    }

    fn touch(&self) {
        let now = u64::try_from(self.opened.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.since.store(now, Relaxed);
    }

    /// How long nothing has happened.
    pub(super) fn idle(&self) -> Duration {
        self.opened.elapsed().saturating_sub(Duration::from_micros(self.since.load(Relaxed)))
    }

    /// Whether hyper has written something that the client does not take.
    pub(super) fn is_stuck(&self) -> bool {
        matches!(self.phase(), Phase::Answering | Phase::Flushing) && self.untaken.load(Relaxed)
    }

    /// From now on the socket asks the kernel for what the client has sent: no word of it may have
    /// come to us yet.
    pub(super) fn end(&self) {
        self.ends.store(true, Relaxed);
    }

    /// Whether the client has sent something that hyper has not read, as far as was looked for.
    pub(super) fn has_input(&self) -> bool {
        self.has_input.load(Relaxed)
    }

    fn is(&self, state: u8) -> bool {
        self.state.load(Relaxed) == state
    }

    /// Whether the client left before it had read everything, as far as can be told.
    pub(super) fn is_unread(&self) -> bool {
        self.is(WAITING) || (self.is(OPEN) && self.untaken.load(Relaxed))
    }

    /// Notes what became of a write, or of a read.
    fn note<T>(&self, result: &Poll<io::Result<T>>, done: impl FnOnce(&T) -> bool) {
        let untaken = match result {
            Poll::Ready(Ok(value)) => !done(value),
            Poll::Ready(Err(_)) | Poll::Pending => true,
        };
        self.untaken.store(untaken, Relaxed);
        if let Poll::Ready(Ok(_)) = result {
            self.touch();
        }
    }

    /// Lets the client wait. Ends sooner only with the whole connection, when the client goes.
    pub(super) async fn wait(&self, delay: Duration) {
        self.state.store(WAITING, Relaxed);
        let end = Instant::now() + delay;
        while Instant::now() < end {
            // Each time this wakes, the socket looks for the client.
            tokio::time::sleep_until(end.min(Instant::now() + LOOK)).await;
        }
        self.state.store(OPEN, Relaxed);
    }

    /// Lets the client wait until it goes or `ended` says so.
    pub(super) async fn wait_until(&self, ended: impl Fn() -> bool) {
        while !ended() {
            self.wait(LOOK).await;
        }
    }

    /// Waits for an answer that may take long, as long as the client does.
    pub(super) async fn wait_for<T>(&self, answer: impl Future<Output = T>) -> T {
        let mut answer = pin!(answer);
        loop {
            // Each time this wakes, the socket looks for the client.
            if let Ok(answer) = tokio::time::timeout(LOOK, answer.as_mut()).await {
                self.state.store(OPEN, Relaxed);
                return answer;
            }
            self.state.store(WAITING, Relaxed);
        }
    }

    /// Ends the connection by a TCP reset once it is dropped.
    pub(super) fn reset(&self) {
        self.state.store(RESET, Relaxed);
    }
}

/// Why a connection ends without an answer: a fault says so.
#[derive(Debug)]
pub(super) struct Broken;

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a fault broke the connection")
    }
}

impl std::error::Error for Broken {}

/// The stream of a connection.
pub(super) struct Socket {
    stream: TcpStream,
    line: Arc<Line>,
    /// What hyper answers to what is not HTTP. It says so before it tells why.
    refusal: Vec<u8>,
}

impl Socket {
    pub(super) fn new(stream: TcpStream, line: Arc<Line>) -> Self {
        Self { stream, line, refusal: Vec::new() }
    }

    /// What hyper answers to what is not HTTP; empty where it was.
    pub(super) fn take_refusal(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.refusal)
    }

    /// Whether bytes are a refusal of hyper's own: no request is being answered.
    fn is_refusal(&self) -> bool {
        matches!(self.line.phase(), Phase::Idle | Phase::Head)
    }

    /// Writes what hyper did not.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// Closes a connection in good order. Closing over what the client has sent would reset it, and
    /// a client that has not yet read our answer would lose it.
    pub(super) async fn close(mut self) {
        let mut chunk = vec![0; 16 * 1024];
        let more = self.stream.try_read(&mut chunk).is_ok_and(|read| read > 0);
        if self.line.is(RESET) || !(more || self.line.lingers.load(Relaxed)) {
            return;
        }
        self.line.enter(Phase::Closing);
        let read_rest = async {
            self.stream.shutdown().await?;
            let mut left = MOST_LINGER;
            while left > 0 {
                match self.stream.read(&mut chunk).await? {
                    0 => break,
                    read => left = left.saturating_sub(read),
                }
            }
            io::Result::Ok(())
        };
        // However it ends, there is nothing more to do for the client.
        let _ = tokio::time::timeout(LINGER, read_rest).await;
    }

    /// Whether the client has closed its end, as far as is known.
    fn is_left(&self) -> bool {
        let mut ready = pin!(self.stream.ready(Interest::READABLE));
        match ready.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(ready)) => ready.is_read_closed(),
            Poll::Ready(Err(_)) => true,
            Poll::Pending => false,
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.line.is(RESET) {
            // Where it fails, the connection ends in the usual way.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        match &read {
            // A client that closes over what it has not read sends a reset.
            Poll::Ready(Err(_)) => self.line.untaken.store(true, Relaxed),
            Poll::Ready(Ok(())) => {
                // One look is enough: a client that asks on and on would be answered for ever.
                self.line.has_input.store(false, Relaxed);
                self.line.ends.store(false, Relaxed);
                if buf.filled().len() > before && self.line.phase() == Phase::Idle {
                    self.line.enter(Phase::Head);
                }
            }
            Poll::Pending => {
                if self.line.ends.load(Relaxed) {
                    match has_input(&self.stream) {
                        Ok(has_input) => self.line.has_input.store(has_input, Relaxed),
                        // This is the reset that reading would have met.
                        Err(_) => self.line.untaken.store(true, Relaxed),
                    }
                }
            }
        }
        read
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.is_refusal() {
            self.refusal.extend_from_slice(buf);
            return Poll::Ready(Ok(buf.len()));
        }
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.line.note(&written, |written| *written == buf.len());
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let whole = || bufs.iter().map(|buf| buf.len()).sum::<usize>();
        if self.is_refusal() {
            for buf in bufs {
                self.refusal.extend_from_slice(buf);
            }
            return Poll::Ready(Ok(whole()));
        }
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.line.note(&written, |written| *written == whole());
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// hyper asks for this whenever it has nothing left to write.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.line.state.load(Relaxed) {
            WAITING if self.is_left() => Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into())),
            CUT => Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into())),
            _ => {
                if self.line.phase() == Phase::Flushing {
                    self.line.enter(Phase::Idle);
                }
                Pin::new(&mut self.stream).poll_flush(cx)
            }
        }
    }

    /// hyper is done; how the connection ends is for [`Socket::close`].
    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The client may have reset the connection since it was last read from.
        if matches!(self.stream.take_error(), Ok(Some(_))) {
            self.line.untaken.store(true, Relaxed);
        }
        Poll::Ready(Ok(()))
    }
}

/// Whether the kernel has something from the client.
fn has_input(stream: &TcpStream) -> io::Result<bool> {
    #[cfg(unix)]
    let copy = std::os::fd::AsFd::as_fd(stream).try_clone_to_owned()?;
    #[cfg(windows)]
    let copy = std::os::windows::io::AsSocket::as_socket(stream).try_clone_to_owned()?;
    // The copy does not block, as the socket does not.
    match std::net::TcpStream::from(copy).peek(&mut [0]) {
        Ok(bytes) => Ok(bytes > 0),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
        Err(error) => Err(error),
    }
}

/// An answer on its way, which says when hyper has all of it.
pub(super) struct Tracked {
    body: Body,
    line: Arc<Line>,
}

impl Tracked {
    pub(super) fn new(body: Body, line: Arc<Line>) -> Self {
        line.enter(Phase::Answering);
        Self { body, line }
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        if self.line.phase() == Phase::Answering {
            self.line.enter(Phase::Flushing);
        }
    }
}

impl HttpBody for Tracked {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// An answer of which half comes, while its head promises all of it.
pub(super) struct Half {
    body: Body,
    line: Arc<Line>,
    /// How many bytes come yet.
    left: usize,
}

impl Half {
    pub(super) fn of(body: Body, line: Arc<Line>) -> Self {
        let whole = body.size_hint().exact().unwrap_or(0);
        Self { body, line, left: usize::try_from(whole / 2).unwrap_or(0) }
    }
}

impl HttpBody for Half {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.left > 0
            && let Poll::Ready(Some(frame)) = Pin::new(&mut self.body).poll_frame(cx)?
            && let Ok(mut data) = frame.into_data()
        {
            data.truncate(self.left);
            self.left -= data.len();
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        // hyper sends what it has, and then meets the end.
        self.line.state.store(CUT, Relaxed);
        Poll::Pending
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// An answer that comes at a rate.
pub(super) struct Drip<T> {
    body: Body,
    /// What came of the body and has not been handed on.
    data: Bytes,
    bytes_per_second: u32,
    sent: u64,
    began: Instant,
    sleep: Pin<Box<Sleep>>,
    /// Kept until the answer ends.
    _keeps: T,
}

impl<T> Drip<T> {
    pub(super) fn of(body: Body, bytes_per_second: u32, keeps: T) -> Self {
        let began = Instant::now();
        let sleep = Box::pin(tokio::time::sleep(Duration::ZERO));
        Self { body, data: Bytes::new(), bytes_per_second, sent: 0, began, sleep, _keeps: keeps }
    }
}

impl<T: Unpin> HttpBody for Drip<T> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        if this.data.is_empty() {
            match std::task::ready!(Pin::new(&mut this.body).poll_frame(cx)?) {
                Some(frame) => this.data = frame.into_data().unwrap_or_default(),
                None => return Poll::Ready(None),
            }
        }
        loop {
            let passed = this.began.elapsed().as_secs_f64();
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive")]
            let due = (passed * f64::from(this.bytes_per_second)) as u64;
            let due = usize::try_from(due.saturating_sub(this.sent)).unwrap_or(usize::MAX);
            if due > 0 {
                let some = this.data.split_to(due.min(this.data.len()));
                this.sent += some.len() as u64;
                return Poll::Ready(Some(Ok(Frame::data(some))));
            }
            // Until the next byte, or a few of them.
            let next = Duration::from_secs_f64(1.0 / f64::from(this.bytes_per_second)).max(LOOK);
            this.sleep.as_mut().reset(Instant::now() + next);
            std::task::ready!(this.sleep.as_mut().poll(cx));
        }
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let mut hint = self.body.size_hint();
        let held = self.data.len() as u64;
        hint.set_lower(hint.lower() + held);
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper + held);
        }
        hint
    }
}

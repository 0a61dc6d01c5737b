//! The socket of a connection, between hyper and the kernel. It notices when the client leaves,
//! ends the connection where a fault says so, and closes it without losing the last response.

use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, Interest, ReadBuf};
use tokio::net::TcpStream;

use super::conn_state::{ConnState, Fate, Phase};

/// Before we close a connection on which the client still sends, we read at most this many bytes of
/// it, for at most this long.
const MAX_LINGER: usize = 32 << 20;
const LINGER: Duration = Duration::from_secs(5);

/// The most bytes that are read at once. hyper makes its buffer larger, up to the size of the largest head, as
/// long as each read fills it, and thousands of connections that send bodies would take hundreds of MiB.
const MOST_READ: usize = 16 * 1024;

/// The stream of a connection.
pub(super) struct Socket {
    stream: TcpStream,
    state: Arc<ConnState>,
    /// What hyper answers to bytes that are not HTTP. hyper writes it before it returns the error.
    refusal: Vec<u8>,
}

impl Socket {
    pub(super) fn new(stream: TcpStream, state: Arc<ConnState>) -> Self {
        Self { stream, state, refusal: Vec::new() }
    }

    /// What hyper answers to bytes that are not HTTP; empty where they were HTTP.
    pub(super) fn take_refusal(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.refusal)
    }

    /// Whether bytes that hyper writes now are its own refusal, because no request is being
    /// answered.
    fn is_refusal(&self) -> bool {
        matches!(self.state.phase(), Phase::Idle | Phase::Head)
    }

    /// Writes past hyper, which has ended.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// Closes the connection in good order. The kernel resets a connection that is closed before
    /// all of its input is read, and the client would lose a response that it has not read yet.
    pub(super) async fn close(mut self) {
        let mut chunk = vec![0; 16 * 1024];
        let more = self.stream.try_read(&mut chunk).is_ok_and(|read| read > 0);
        if self.state.fate() == Fate::Reset || !(more || self.state.lingers()) {
            return;
        }
        self.state.enter(Phase::Closing);
        let drain = async {
            self.stream.shutdown().await?;
            let mut left = MAX_LINGER;
            while left > 0 {
                match self.stream.read(&mut chunk).await? {
                    0 => break,
                    read => left = left.saturating_sub(read),
                }
            }
            io::Result::Ok(())
        };
        // An error or the timeout ends the connection just as the end of the input does.
        let _ = tokio::time::timeout(LINGER, drain).await;
    }

    /// Whether the client has closed its end, as far as the runtime knows.
    fn peer_closed(&self) -> bool {
        let mut ready = pin!(self.stream.ready(Interest::READABLE));
        match ready.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(ready)) => ready.is_read_closed(),
            Poll::Ready(Err(_)) => true,
            Poll::Pending => false,
        }
    }

    /// Whether the client has reset the connection. The kernel says so only once.
    fn peer_reset(&self) -> bool {
        matches!(self.stream.take_error(), Ok(Some(_)))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.state.fate() == Fate::Reset {
            // If this fails, the connection ends in the usual way.
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
        let stream = Pin::new(&mut self.stream);
        let read = if buf.remaining() <= MOST_READ {
            stream.poll_read(cx, buf)
        } else {
            // A part of a buffer has to be filled with zeros first, which the buffer of a usual request is
            // spared: three reads of 8 KiB were a tenth of its CPU.
            let mut part = ReadBuf::new(buf.initialize_unfilled_to(MOST_READ));
            let read = stream.poll_read(cx, &mut part);
            let count = part.filled().len();
            buf.advance(count);
            read
        };
        match &read {
            // A client that closes before it has read everything sends a reset.
            Poll::Ready(Err(_)) => self.state.note_reset(),
            Poll::Ready(Ok(())) => {
                self.state.note_read();
                if buf.filled().len() > before {
                    self.state.advance(Phase::Idle, Phase::Head);
                }
            }
            Poll::Pending if self.state.checks_input() => match has_input(&self.stream) {
                Ok(has_input) => self.state.note_input(has_input),
                // This is the reset that reading would have met.
                Err(_) => self.state.note_reset(),
            },
            Poll::Pending => {}
        }
        read
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let length = bufs.iter().map(|buf| buf.len()).sum();
        if self.is_refusal() {
            for buf in bufs {
                self.refusal.extend_from_slice(buf);
            }
            return Poll::Ready(Ok(length));
        }
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.state.note_write(&written, length);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// hyper calls this whenever it has nothing left to write, so this is where a connection ends.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let ends = match self.state.fate() {
            Fate::Waiting => self.peer_closed(),
            Fate::Searching => self.peer_reset(),
            Fate::Cut => true,
            Fate::Open | Fate::Reset => false,
        };
        if ends {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        self.state.advance(Phase::Flushing, Phase::Idle);
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    /// hyper is done. [`Socket::close`] closes the connection later.
    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The client may have reset the connection since it was last read from.
        if self.peer_reset() {
            self.state.note_reset();
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

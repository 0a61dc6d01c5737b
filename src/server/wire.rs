//! The socket of a connection, between hyper and the kernel: it notices when the client goes, ends a
//! connection where a fault wants it, and closes without losing the last answer.

use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, Interest, ReadBuf};
use tokio::net::TcpStream;

use super::conn_state::{CUT, ConnState, Phase, RESET, SEARCHING, WAITING};

/// Before we close over what a client sends, we read this much of it, and for no longer than this.
const MOST_LINGER: usize = 32 << 20;
const LINGER: Duration = Duration::from_secs(5);

/// The stream of a connection.
pub(super) struct Socket {
    stream: TcpStream,
    state: Arc<ConnState>,
    /// What hyper answers to what is not HTTP. It says so before it tells why.
    refusal: Vec<u8>,
}

impl Socket {
    pub(super) fn new(stream: TcpStream, state: Arc<ConnState>) -> Self {
        Self { stream, state, refusal: Vec::new() }
    }

    /// What hyper answers to what is not HTTP; empty where it was.
    pub(super) fn take_refusal(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.refusal)
    }

    /// Whether bytes are a refusal of hyper's own: no request is being answered.
    fn is_refusal(&self) -> bool {
        matches!(self.state.phase(), Phase::Idle | Phase::Head)
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
        if self.state.is(RESET) || !(more || self.state.lingers.load(Relaxed)) {
            return;
        }
        self.state.enter(Phase::Closing);
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

    /// Whether the client has reset the connection, which is told only once.
    fn is_reset(&self) -> bool {
        matches!(self.stream.take_error(), Ok(Some(_)))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.state.is(RESET) {
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
            Poll::Ready(Err(_)) => self.state.untaken.store(true, Relaxed),
            Poll::Ready(Ok(())) => {
                // One look is enough: a client that asks on and on would be answered for ever.
                self.state.has_input.store(false, Relaxed);
                self.state.ends.store(false, Relaxed);
                if buf.filled().len() > before {
                    self.state.pass(Phase::Idle, Phase::Head);
                }
            }
            Poll::Pending => {
                if self.state.ends.load(Relaxed) {
                    match has_input(&self.stream) {
                        Ok(has_input) => self.state.has_input.store(has_input, Relaxed),
                        // This is the reset that reading would have met.
                        Err(_) => self.state.untaken.store(true, Relaxed),
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
        self.state.note(&written, |written| *written == buf.len());
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
        self.state.note(&written, |written| *written == whole());
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// hyper asks for this whenever it has nothing left to write.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.state.state.load(Relaxed) {
            WAITING if self.is_left() => Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into())),
            SEARCHING if self.is_reset() => {
                Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()))
            }
            CUT => Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into())),
            _ => {
                self.state.pass(Phase::Flushing, Phase::Idle);
                Pin::new(&mut self.stream).poll_flush(cx)
            }
        }
    }

    /// hyper is done; how the connection ends is for [`Socket::close`].
    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The client may have reset the connection since it was last read from.
        if self.is_reset() {
            self.state.untaken.store(true, Relaxed);
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

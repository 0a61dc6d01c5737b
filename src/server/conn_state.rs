//! What a connection is doing, and what is to become of it: shared by the code behind hyper, which
//! answers, and the [`Socket`](super::wire::Socket) before it, because hyper knows nothing of faults.

use std::io;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering::Relaxed};
use std::task::Poll;
use std::time::Duration;

use tokio::time::Instant;

/// What is to become of a connection, and what has become of it.
pub(super) struct ConnState {
    pub(super) state: AtomicU8,
    /// Something was written that the client has not taken, or it has reset the connection.
    pub(super) untaken: AtomicBool,
    phase: AtomicU8,
    opened: Instant,
    /// When the phase began or the client last took something of an answer: microseconds after
    /// `opened`.
    since: AtomicU64,
    /// The client may send more than we read, so closing must not reset the connection.
    pub(super) lingers: AtomicBool,
    /// The server ends: the socket looks whether a request came before that, see
    /// [`ConnState::has_input`].
    pub(super) ends: AtomicBool,
    pub(super) has_input: AtomicBool,
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
    /// Somebody reads the body of a request before it is answered, and the client has not sent all
    /// of it.
    Body,
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
    const ALL: [Self; 8] = [
        Self::Idle,
        Self::Head,
        Self::Working,
        Self::Body,
        Self::Unanswered,
        Self::Answering,
        Self::Flushing,
        Self::Closing,
    ];
}

pub(super) const OPEN: u8 = 0;
/// A fault lets the client wait. Should the client close its end, nothing more is done for it.
pub(super) const WAITING: u8 = 1;
/// It ends as soon as everything is sent that was written.
pub(super) const CUT: u8 = 2;
/// It ends by a TCP reset.
pub(super) const RESET: u8 = 3;
/// The client waits for a search. Should it reset the connection, nothing more is done for it. To
/// close its end is not enough: a client that closes only its sending direction sends the same FIN
/// as one that is gone, until we write to it. A search ends within seconds, so it may be in vain; a
/// delay may last for minutes.
pub(super) const SEARCHING: u8 = 4;

/// How often a client that waits is looked for, and an answer that drips flows on.
pub(super) const LOOK: Duration = Duration::from_millis(50);

impl ConnState {
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

    /// Goes from one phase to the next, unless it is in another one.
    pub(super) fn pass(&self, from: Phase, to: Phase) {
        if self.phase() == from {
            self.enter(to);
        }
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

    pub(super) fn is(&self, state: u8) -> bool {
        self.state.load(Relaxed) == state
    }

    /// Whether the client left before it had read everything, as far as can be told.
    pub(super) fn is_unread(&self) -> bool {
        self.is(WAITING) || (self.is(OPEN) && self.untaken.load(Relaxed))
    }

    /// Notes what became of a write, or of a read.
    pub(super) fn note<T>(&self, result: &Poll<io::Result<T>>, done: impl FnOnce(&T) -> bool) {
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

    /// Waits for an answer that may take long. Ends sooner only with the whole connection, when the
    /// client resets it.
    pub(super) async fn wait_for<T>(&self, answer: impl Future<Output = T>) -> T {
        let mut answer = pin!(answer);
        loop {
            // Each time this wakes, the socket looks for the client.
            if let Ok(answer) = tokio::time::timeout(LOOK, answer.as_mut()).await {
                self.state.store(OPEN, Relaxed);
                return answer;
            }
            self.state.store(SEARCHING, Relaxed);
        }
    }

    /// Ends the connection by a TCP reset once it is dropped.
    pub(super) fn reset(&self) {
        self.state.store(RESET, Relaxed);
    }
}

//! The state of a connection, and how the connection ends. The code that answers requests and the
//! [`Socket`](super::wire::Socket) share this state, because hyper, which is between them, knows nothing of
//! faults.

use std::io;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// The state of a connection.
pub(super) struct ConnState(Mutex<State>);

struct State {
    fate: Fate,
    phase: Phase,
    /// When the phase began or the client last took something of a response.
    since: Instant,
    /// The client has not taken all that was written, or it has reset the connection.
    has_unsent: bool,
    /// The client may send more than we read, so closing at once would reset the connection.
    lingers: bool,
    input: InputCheck,
}

/// What a connection is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// No byte of a request has come since the last response was sent.
    Idle,
    /// A part of a request head has come, or the rest of a body whose request is answered already.
    Head,
    /// We make the response; a fault may delay it.
    Working,
    /// A handler waits for the rest of the request's body.
    Body,
    /// A fault leaves the request without a response.
    Unanswered,
    /// hyper takes the response.
    Answering,
    /// hyper has all of the response and writes the last of it.
    Flushing,
    /// We still read what the client sends, so that the client can read our last response.
    Closing,
}

/// How a connection goes on or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It goes on.
    Open,
    /// A fault delays the response. The connection ends if the client closes its end.
    Waiting,
    /// It ends as soon as everything is sent that was written.
    Cut,
    /// It ends by a TCP reset.
    Reset,
    /// A search delays the response. The connection ends if the client resets it, but not if the
    /// client closes its end: a client that only closes its sending direction sends the same FIN as
    /// one that has left, until we write to it. A search ends within seconds, so its result may be
    /// lost; a delay may last for minutes.
    Searching,
}

/// Whether the socket looks for a request that was sent before the server ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum InputCheck {
    Off,
    /// The socket asks the kernel, because the runtime may not know of the bytes yet.
    On,
    /// The kernel has bytes that hyper has not read.
    Found,
}

/// How often we look whether a waiting client has left, and how often a throttled body flows on.
pub(super) const POLL_INTERVAL: Duration = Duration::from_millis(50);

impl ConnState {
    pub(super) fn new() -> Self {
        Self(Mutex::new(State {
            fate: Fate::Open,
            phase: Phase::Idle,
            since: Instant::now(),
            has_unsent: false,
            lingers: false,
            input: InputCheck::Off,
        }))
    }

    pub(super) fn phase(&self) -> Phase {
        self.0.lock().phase
    }

    pub(super) fn enter(&self, phase: Phase) {
        let mut state = self.0.lock();
        (state.phase, state.since) = (phase, Instant::now());
    }

    /// Goes from one phase to the next, unless the connection is in another one.
    pub(super) fn advance(&self, from: Phase, to: Phase) {
        let mut state = self.0.lock();
        if state.phase == from {
            (state.phase, state.since) = (to, Instant::now());
        }
    }

    /// How long nothing has happened.
    pub(super) fn idle(&self) -> Duration {
        self.0.lock().since.elapsed()
    }

    /// Whether hyper has written something that the client does not take.
    pub(super) fn is_stuck(&self) -> bool {
        let state = self.0.lock();
        matches!(state.phase, Phase::Answering | Phase::Flushing) && state.has_unsent
    }

    /// Lets the socket look for requests that were sent before the server ends.
    pub(super) fn check_input(&self) {
        self.0.lock().input = InputCheck::On;
    }

    pub(super) fn checks_input(&self) -> bool {
        self.0.lock().input != InputCheck::Off
    }

    /// Notes what the kernel says. One read is enough, because a client that sends request after
    /// request would be answered for ever.
    pub(super) fn note_input(&self, has_input: bool) {
        self.0.lock().input = if has_input { InputCheck::Found } else { InputCheck::On };
    }

    pub(super) fn note_read(&self) {
        self.0.lock().input = InputCheck::Off;
    }

    /// Whether the client has sent something that hyper has not read, as far as the socket has
    /// looked.
    pub(super) fn has_input(&self) -> bool {
        self.0.lock().input == InputCheck::Found
    }

    pub(super) fn fate(&self) -> Fate {
        self.0.lock().fate
    }

    pub(super) fn set_fate(&self, fate: Fate) {
        self.0.lock().fate = fate;
    }

    pub(super) fn lingers(&self) -> bool {
        self.0.lock().lingers
    }

    pub(super) fn set_lingers(&self, lingers: bool) {
        self.0.lock().lingers = lingers;
    }

    /// Notes that the client has reset the connection.
    pub(super) fn note_reset(&self) {
        self.0.lock().has_unsent = true;
    }

    /// Whether the client left before it had read everything, as far as the kernel says.
    pub(super) fn is_unread(&self) -> bool {
        let state = self.0.lock();
        state.fate == Fate::Waiting || (state.fate == Fate::Open && state.has_unsent)
    }

    /// Notes the result of writing `length` bytes.
    pub(super) fn note_write(&self, result: &Poll<io::Result<usize>>, length: usize) {
        let mut state = self.0.lock();
        state.has_unsent = !matches!(result, Poll::Ready(Ok(written)) if *written == length);
        if let Poll::Ready(Ok(_)) = result {
            state.since = Instant::now();
        }
    }

    /// Delays the response. If the client leaves, the socket ends the connection, and this with it.
    pub(super) async fn wait(&self, delay: Duration) {
        self.set_fate(Fate::Waiting);
        let end = Instant::now() + delay;
        while Instant::now() < end {
            // Each time this wakes, the socket looks whether the client has left.
            tokio::time::sleep_until(end.min(Instant::now() + POLL_INTERVAL)).await;
        }
        self.set_fate(Fate::Open);
    }

    /// Waits until the client leaves or `ended` holds.
    pub(super) async fn wait_until(&self, ended: impl Fn() -> bool) {
        while !ended() {
            self.wait(POLL_INTERVAL).await;
        }
    }

    /// Waits for a response that may take long. If the client resets the connection, the socket
    /// ends it, and this with it.
    pub(super) async fn wait_for<T>(&self, response: impl Future<Output = T>) -> T {
        let mut response = pin!(response);
        loop {
            // Each time this wakes, the socket looks whether the client has left.
            if let Ok(response) = tokio::time::timeout(POLL_INTERVAL, response.as_mut()).await {
                self.set_fate(Fate::Open);
                return response;
            }
            self.set_fate(Fate::Searching);
        }
    }
}

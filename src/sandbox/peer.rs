//! The client of a connection, and whether it may have seen a response.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// The client of a connection.
#[derive(Clone)]
pub(crate) struct Peer {
    pub(crate) address: IpAddr,
    /// Whether the client is on this machine.
    pub(crate) from_here: bool,
    /// When the connection was accepted.
    pub(crate) opened: Instant,
    /// Exists as long as the connection is open.
    connection: Arc<()>,
}

/// When and where a response was sent, which decides whether the client of a later request may have
/// seen it.
#[derive(Clone, Debug)]
pub(crate) struct ResponseReceipt {
    connection: Weak<()>,
    /// When it was sent, since the server began.
    ended: Duration,
}

impl Peer {
    pub(crate) fn new(address: IpAddr, from_here: bool) -> Self {
        let (opened, connection) = (Instant::now(), Arc::new(()));
        Self { address, from_here, opened, connection }
    }

    /// A client on this machine without a socket.
    pub(crate) fn local() -> Self {
        Self::new(Ipv4Addr::LOCALHOST.into(), true)
    }

    /// The receipt of a response to this client.
    pub(crate) fn receipt(&self, ended: Duration) -> ResponseReceipt {
        ResponseReceipt { connection: Arc::downgrade(&self.connection), ended }
    }

    /// Whether the client may have seen a response before it sent a request. It may if the response
    /// was sent on the same connection, or on one that ended before this one was opened. `opened`
    /// is the time since the server began.
    ///
    /// If both connections are open, they may belong to different workers, so we assume that it has
    /// not.
    pub(crate) fn may_have_seen(&self, receipt: &ResponseReceipt, opened: Duration) -> bool {
        match receipt.connection.upgrade() {
            Some(connection) => Arc::ptr_eq(&connection, &self.connection),
            None => opened >= receipt.ended,
        }
    }
}

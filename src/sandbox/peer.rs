//! Who sends requests, and on which connection.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// The other end of a connection.
#[derive(Clone)]
pub(crate) struct Peer {
    pub(crate) address: IpAddr,
    /// Whether it is on this machine.
    pub(crate) from_here: bool,
    /// When the connection was accepted.
    pub(crate) opened: Instant,
    /// Stands for the connection as long as it is open.
    connection: Arc<()>,
}

/// An answer, as far as it matters whether a later request can know of it.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    connection: Weak<()>,
    /// When it was sent: since the server began.
    ended: Duration,
}

impl Peer {
    pub(crate) fn new(address: IpAddr, from_here: bool) -> Self {
        let (opened, connection) = (Instant::now(), Arc::new(()));
        Self { address, from_here, opened, connection }
    }

    /// Someone on this machine, without a socket.
    pub(crate) fn nobody() -> Self {
        Self::new(Ipv4Addr::LOCALHOST.into(), true)
    }

    /// An answer that was sent to it.
    pub(crate) fn hears(&self, ended: Duration) -> Heard {
        Heard { connection: Arc::downgrade(&self.connection), ended }
    }

    /// Whether who sends now has heard an answer before: on the same connection, or on one that has
    /// ended since, before this one was opened. `opened`: so long after the server began.
    ///
    /// Where both are open side by side, nobody knows; several workers may ask for the same.
    pub(crate) fn knows(&self, heard: &Heard, opened: Duration) -> bool {
        match heard.connection.upgrade() {
            Some(connection) => Arc::ptr_eq(&connection, &self.connection),
            None => opened >= heard.ended,
        }
    }
}

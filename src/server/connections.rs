//! Accepts connections, limits their number, and ends them in good order.
//!
//! A connection has its own task (`connection.rs`) and the costs that
//! [`Limits`](crate::settings::Limits) allow. If too many are open, a new one ends another:
//! first those that wait for a request, and never one whose request is being answered.
//!
//! At the end, the server still answers every complete request that was sent before. So we look
//! into the queue of the listener and into every socket before we tell a client that its connection
//! closes.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::{Id, JoinError, JoinSet};

use super::conn_state::ConnState;
use super::connection::{Client, serve};
use super::{AccessLog, App};
use crate::sandbox::peer::Peer;

/// A connection may be ended for a new one after it was idle for this long.
pub(super) const EVICTABLE_AFTER: Duration = Duration::from_millis(500);

/// How long we wait before we try again to end a connection for a new one.
const RETRY: Duration = Duration::from_millis(50);

/// How often we end the sandboxes that were idle for too long.
const SWEEP: Duration = Duration::from_secs(60);

/// How many connections may wait to be accepted, because a whole test suite may connect at once.
const BACKLOG: u32 = 1024;

/// Listens on an address. Needs a runtime.
pub(crate) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // A server can follow another one on the same port at once. On other systems than Unix, this
    // option would let two servers share the port.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Accepts and serves connections until `stop` is ready, then finishes what is in flight, for at
/// most [`Limits::drain`](crate::settings::Limits::drain).
pub(crate) async fn run_until(
    listener: TcpListener,
    app: App,
    log: Option<AccessLog>,
    stop: impl Future<Output = ()>,
) {
    let limits = app.limits;
    let app = Arc::new(app);
    let (end, ends) = watch::channel(false);
    let mut open = ConnectionSet::new(Arc::clone(&app), log.map(Arc::new), ends);
    let mut stop = std::pin::pin!(stop);
    let mut sweep = tokio::time::interval_at(tokio::time::Instant::now() + SWEEP, SWEEP);
    // An accepted connection that waits until another one ends, and since when.
    let mut waiting = None;
    let mut since = Instant::now();
    loop {
        open.remove_ended();
        if open.tasks.len() < limits.connections.max(1)
            && let Some(stream) = waiting.take()
        {
            open.serve(stream);
        }
        let full = waiting.is_some();
        let accepted = tokio::select! {
            biased;
            () = &mut stop => break,
            _ = sweep.tick() => {
                let sandboxes = Arc::clone(&app.sandboxes);
                tokio::task::spawn_blocking(move || sandboxes.sweep());
                continue;
            }
            accepted = listener.accept(), if !full => accepted,
            () = open.one_ended(), if full => continue,
            () = tokio::time::sleep(RETRY), if full => {
                open.evict_one(since.elapsed());
                continue;
            }
        };
        match accepted {
            Ok(stream) => {
                (waiting, since) = (Some(stream), Instant::now());
                open.remove_ended();
                if open.tasks.len() >= limits.connections.max(1) {
                    open.evict_one(Duration::ZERO);
                }
            }
            // The client left before it was accepted.
            Err(error) if is_peer_error(&error) => {}
            // The process has no file descriptor left.
            Err(_) => {
                open.evict_one(EVICTABLE_AFTER);
                tokio::select! {
                    () = open.one_ended() => {}
                    () = tokio::time::sleep(RETRY) => {}
                }
            }
        }
    }
    end.send_replace(true);
    app.sandboxes.journals().close();
    if let Some(stream) = waiting.take() {
        open.serve(stream);
    }
    let drained = async {
        // Connections in the queue were made before we were asked to stop.
        open.accept_rest(listener).await;
        while !open.tasks.is_empty() {
            open.one_ended().await;
        }
    };
    // If the time is over, the remaining connections are dropped with the set.
    let _ = tokio::time::timeout(limits.drain, drained).await;
}

fn is_peer_error(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}

/// The connections that are open.
struct ConnectionSet {
    app: Arc<App>,
    log: Option<Arc<AccessLog>>,
    /// Becomes true when the server ends.
    ends: watch::Receiver<bool>,
    tasks: JoinSet<()>,
    clients: HashMap<Id, Arc<Client>>,
}

impl ConnectionSet {
    fn new(app: Arc<App>, log: Option<Arc<AccessLog>>, ends: watch::Receiver<bool>) -> Self {
        Self { app, log, ends, tasks: JoinSet::new(), clients: HashMap::new() }
    }

    fn serve(&mut self, (stream, peer): (TcpStream, SocketAddr)) {
        let client = Arc::new(Client {
            peer: Peer::new(peer.ip().to_canonical(), is_from_here(&stream, peer)),
            state: Arc::new(ConnState::new()),
            newest: Mutex::default(),
            evict: Notify::new(),
            ends: self.ends.clone(),
        });
        let served = serve(stream, Arc::clone(&self.app), self.log.clone(), Arc::clone(&client));
        self.clients.insert(self.tasks.spawn(served).id(), client);
    }

    fn remove(&mut self, ended: Result<(Id, ()), JoinError>) {
        let id = ended.map_or_else(|error| error.id(), |(id, ())| id);
        self.clients.remove(&id);
    }

    fn remove_ended(&mut self) {
        while let Some(ended) = self.tasks.try_join_next_with_id() {
            self.remove(ended);
        }
    }

    /// Waits until a connection has ended; without connections, for ever.
    async fn one_ended(&mut self) {
        match self.tasks.join_next_with_id().await {
            Some(ended) => self.remove(ended),
            None => std::future::pending().await,
        }
    }

    /// Asks the connection with the least to lose to end for a new one. If it has not been idle for
    /// long enough, we wait for it; but a new connection that has waited as long takes the next
    /// best, so that busy connections and incomplete requests together never keep it out.
    fn evict_one(&self, waited: Duration) {
        let clients = self.clients.values();
        let ranked = clients.filter_map(|client| Some((client.rank()?, client)));
        let ranked =
            ranked.filter(|((_, idle), _)| waited < EVICTABLE_AFTER || *idle >= EVICTABLE_AFTER);
        if let Some(((_, idle), client)) = ranked.max_by_key(|(rank, _)| *rank)
            && idle >= EVICTABLE_AFTER
        {
            client.evict.notify_one();
        }
    }

    /// Accepts every connection in the queue, and closes the listener.
    async fn accept_rest(&mut self, listener: TcpListener) {
        // The runtime may not know of all of them yet, so we ask the kernel.
        let Ok(listener) = listener.into_std() else { return };
        for _ in 0..=BACKLOG {
            match listener.accept() {
                Ok((stream, peer)) => {
                    // An error means that the client has left.
                    let stream = stream.set_nonblocking(true).map(|()| stream);
                    if let Ok(stream) = stream.and_then(TcpStream::from_std) {
                        self.serve((stream, peer));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if is_peer_error(&error) => {}
                // The process has no file descriptor left until another connection has ended.
                Err(_) if self.tasks.is_empty() => return,
                Err(_) => self.one_ended().await,
            }
        }
    }
}

/// Whether a connection comes from this machine: from loopback, or from the address to which it is
/// made.
fn is_from_here(stream: &TcpStream, peer: SocketAddr) -> bool {
    // An IPv4 address may be written as an IPv6 one.
    let peer = peer.ip().to_canonical();
    let own = || stream.local_addr().is_ok_and(|own| own.ip().to_canonical() == peer);
    peer.is_loopback() || own()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No test has a client on another machine, so the address is a parameter.
    #[test]
    fn a_peer_is_on_this_machine_by_its_address() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = listen(([127, 0, 0, 1], 0).into()).unwrap();
            let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let (accepted, _) = listener.accept().await.unwrap();
            drop(stream);
            for (peer, from_here) in [
                ("127.0.0.1:1", true),
                ("127.255.0.9:1", true),
                ("[::1]:1", true),
                ("[::ffff:127.0.0.1]:1", true),
                ("10.0.0.1:1", false),
                ("192.168.1.2:1", false),
                ("0.0.0.0:1", false),
                ("[2001:db8::1]:1", false),
                ("[::ffff:10.0.0.1]:1", false),
            ] {
                assert_eq!(is_from_here(&accepted, peer.parse().unwrap()), from_here, "{peer}");
            }
        });
    }
}

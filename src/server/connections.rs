//! The listener and its connections: accepted, limited, and ended in good order.
//!
//! A connection belongs to one task, see `connection.rs`. What it may cost is in
//! [`Limits`](crate::sandbox::config::Limits). Where too many are open, as many as are needed end for new
//! ones: those first that wait for a request, and never one that works on an answer.
//!
//! On the way out, everything is answered that a client sent whole before: we look into the queue
//! of the listener and into every socket, and only then say that the connection closes.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::{Id, JoinError, JoinSet};

use super::conn_state::ConnState;
use super::connection::{Client, serve};
use super::{AccessLog, App};
use crate::sandbox::peer::Peer;

/// A connection may be ended for a new one after this long without a request.
pub(super) const SILENT: Duration = Duration::from_millis(500);

/// How long to wait before asking again for a place, where none is free.
const RETRY: Duration = Duration::from_millis(50);

/// How often sandboxes are looked for that have been idle for too long.
const SWEEP: Duration = Duration::from_secs(60);

/// So many connections may wait to be accepted. A whole test suite may connect at once.
const BACKLOG: u32 = 1024;

/// Listens on an address. Needs a runtime.
pub(crate) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // So that a server can follow another on the same port at once. Elsewhere than on Unix it
    // would let two share it.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Accepts and serves connections until `stop` is ready, then finishes what is in flight, for at
/// most [`Limits::drain`](crate::sandbox::config::Limits::drain).
pub(crate) async fn run_until(
    listener: TcpListener,
    app: App,
    log: Option<AccessLog>,
    stop: impl Future<Output = ()>,
) {
    let limits = app.limits;
    let app = Arc::new(app);
    let (end, ends) = watch::channel(false);
    let mut open = Open::new(Arc::clone(&app), log.map(Arc::new), ends);
    let mut stop = std::pin::pin!(stop);
    let mut sweep = tokio::time::interval_at(tokio::time::Instant::now() + SWEEP, SWEEP);
    // A connection that is accepted and waits for a place, and since when.
    let mut waiting = None;
    let mut since = Instant::now();
    loop {
        open.forget_ended();
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
                open.make_room(since.elapsed());
                continue;
            }
        };
        match accepted {
            Ok(stream) => {
                (waiting, since) = (Some(stream), Instant::now());
                open.forget_ended();
                if open.tasks.len() >= limits.connections.max(1) {
                    open.make_room(Duration::ZERO);
                }
            }
            // The client left before it was accepted.
            Err(error) if is_the_peers(&error) => {}
            // There is no file for one more.
            Err(_) => {
                open.make_room(SILENT);
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
        // What waits in the queue was sent before we were asked to stop.
        open.accept_rest(listener).await;
        while !open.tasks.is_empty() {
            open.one_ended().await;
        }
    };
    // What has not finished by then is cut off with the set.
    let _ = tokio::time::timeout(limits.drain, drained).await;
}

fn is_the_peers(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}

/// The connections that are open.
struct Open {
    app: Arc<App>,
    log: Option<Arc<AccessLog>>,
    /// Says that the server ends.
    ends: watch::Receiver<bool>,
    tasks: JoinSet<()>,
    clients: HashMap<Id, Arc<Client>>,
}

impl Open {
    fn new(app: Arc<App>, log: Option<Arc<AccessLog>>, ends: watch::Receiver<bool>) -> Self {
        Self { app, log, ends, tasks: JoinSet::new(), clients: HashMap::new() }
    }

    fn serve(&mut self, (stream, peer): (TcpStream, SocketAddr)) {
        let client = Arc::new(Client {
            peer: Peer::new(peer.ip().to_canonical(), is_from_here(&stream, peer)),
            state: Arc::new(ConnState::new()),
            newest: Mutex::default(),
            gives_place: Notify::new(),
            ends: self.ends.clone(),
        });
        let served = serve(stream, Arc::clone(&self.app), self.log.clone(), Arc::clone(&client));
        self.clients.insert(self.tasks.spawn(served).id(), client);
    }

    fn forget(&mut self, ended: Result<(Id, ()), JoinError>) {
        let id = ended.map_or_else(|error| error.id(), |(id, ())| id);
        self.clients.remove(&id);
    }

    fn forget_ended(&mut self) {
        while let Some(ended) = self.tasks.try_join_next_with_id() {
            self.forget(ended);
        }
    }

    /// Waits until one has ended; for ever where there is none.
    async fn one_ended(&mut self) {
        match self.tasks.join_next_with_id().await {
            Some(ended) => self.forget(ended),
            None => std::future::pending().await,
        }
    }

    /// Asks one connection for its place: of those that can give it the one with the least to lose.
    /// That one may have a moment left; a new connection that has waited for longer takes the next
    /// best, so that busy connections and half requests together never keep it out.
    fn make_room(&self, waited: Duration) {
        let clients = self.clients.values();
        let ranked = clients.filter_map(|client| Some((client.rank()?, client)));
        let ranked = ranked.filter(|((_, idle), _)| waited < SILENT || *idle >= SILENT);
        if let Some(((_, idle), client)) = ranked.max_by_key(|(rank, _)| *rank)
            && idle >= SILENT
        {
            client.gives_place.notify_one();
        }
    }

    /// Accepts what waits in the queue, until there is nothing more, and closes the listener.
    async fn accept_rest(&mut self, listener: TcpListener) {
        // The runtime may not have heard of them yet, the kernel knows them all.
        let Ok(listener) = listener.into_std() else { return };
        for _ in 0..=BACKLOG {
            match listener.accept() {
                Ok((stream, peer)) => {
                    let stream = stream.set_nonblocking(true).map(|()| stream);
                    if let Ok(stream) = stream.and_then(TcpStream::from_std) {
                        self.serve((stream, peer));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if is_the_peers(&error) => {}
                // There is no file for one more before another one has ended.
                Err(_) if self.tasks.is_empty() => return,
                Err(_) => self.one_ended().await,
            }
        }
    }
}

/// Whether a connection comes from this machine: from loopback, or from the address that it goes
/// to.
fn is_from_here(stream: &TcpStream, peer: SocketAddr) -> bool {
    // An IPv4 address may come in an IPv6 one.
    let peer = peer.ip().to_canonical();
    let own = || stream.local_addr().is_ok_and(|own| own.ip().to_canonical() == peer);
    peer.is_loopback() || own()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No test has a peer on another machine, so its address comes in from outside.
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

//! TCP, TLS and HTTP/1.1: every phase of a connection has a deadline of its own, and every peer a number of connections
//! it may have, so that those who say little or nothing keep nobody out.
#![expect(clippy::disallowed_methods, reason = "connections are tasks")]

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// From the end of an answer to the end of the next request's header: also how long a connection may be kept for
/// later. A little longer than agents keep theirs, so that it is they who close.
const HEADER_TIMEOUT: Duration = Duration::from_secs(20);
/// In this time [`LEAST_BYTES`] have to move, in either direction; longer than the slow mood takes to answer.
const PACE: Duration = Duration::from_secs(180);
const LEAST_BYTES: usize = 4 * 1024;
/// Of all peers together.
const MAX_CONNECTIONS: usize = 1024;

/// Who is at the other end of a request's connection.
#[derive(Clone, Copy)]
pub(super) struct Peer(pub(super) SocketAddr);

impl Peer {
    /// What counts as one peer: an address, or the network of 2^64 that one customer is given (RFC 6177).
    pub(super) fn network(self) -> IpAddr {
        match self.0.ip().to_canonical() {
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
            v4 => v4,
        }
    }
}

/// Serves `router` until `stop`, then lets the requests that are there end.
pub(super) async fn serve(
    tcp: TcpListener,
    tls: TlsAcceptor,
    router: Router,
    per_peer: usize,
    stop: impl Future<Output = ()>,
) {
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let peers = Peers::new(per_peer);
    let graceful = GracefulShutdown::new();
    let mut stop = pin!(stop);
    loop {
        let (stream, peer, slot) = tokio::select! {
            accepted = accept(&tcp, &slots) => accepted,
            () = &mut stop => break,
        };
        // Dropping the stream ends the connection.
        let Some(place) = peers.enter(peer.network()) else { continue };
        let (tls, router, watcher) = (tls.clone(), router.clone(), graceful.watcher());
        tokio::spawn(async move {
            let _held = (slot, place);
            // A failed handshake is the peer's news, not ours; so is whatever ends the connection later.
            let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await else {
                return;
            };
            let service = TowerToHyperService::new(router.layer(Extension(peer)));
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEADER_TIMEOUT)
                .serve_connection(TokioIo::new(Connection::new(stream)), service);
            let _ = watcher.watch(connection).await;
        });
    }
    drop(tcp);
    graceful.shutdown().await;
}

async fn accept(tcp: &TcpListener, slots: &Arc<Semaphore>) -> (TcpStream, Peer, OwnedSemaphorePermit) {
    loop {
        let slot = Arc::clone(slots).acquire_owned().await.expect("invariant: the semaphore is never closed");
        match tcp.accept().await {
            Ok((stream, address)) => return (stream, Peer(address), slot),
            // Out of file descriptors, or the peer is gone already: the first needs a moment, the second none.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

/// How many connections each peer has.
#[derive(Clone)]
struct Peers {
    most: usize,
    open: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// One of them.
struct Place {
    peers: Peers,
    network: IpAddr,
}

impl Peers {
    fn new(most: usize) -> Self {
        Self { most, open: Arc::default() }
    }

    fn enter(&self, network: IpAddr) -> Option<Place> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(network).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Place { peers: self.clone(), network })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.peers.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.network);
            }
        }
    }
}

/// A TLS connection that fails with `TimedOut` when less than [`LEAST_BYTES`] have moved within [`PACE`].
struct Connection {
    stream: TlsStream<TcpStream>,
    deadline: Pin<Box<Sleep>>,
    moved: usize,
}

impl Connection {
    fn new(stream: TlsStream<TcpStream>) -> Self {
        Self { stream, deadline: Box::pin(tokio::time::sleep(PACE)), moved: 0 }
    }

    /// Passes on what the stream said: bytes wind the clock up, waiting looks at it.
    fn watch<T>(
        &mut self,
        cx: &mut Context<'_>,
        outcome: Poll<io::Result<T>>,
        bytes: usize,
    ) -> Poll<io::Result<T>> {
        self.moved += bytes;
        if self.moved >= LEAST_BYTES {
            self.moved = 0;
            self.deadline.as_mut().reset(Instant::now() + PACE);
        }
        if outcome.is_ready() && self.deadline.deadline() > Instant::now() {
            return outcome;
        }
        ready!(self.deadline.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let outcome = Pin::new(&mut self.stream).poll_read(cx, buf);
        let bytes = buf.filled().len() - before;
        self.watch(cx, outcome, bytes)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, buf);
        let bytes = if let Poll::Ready(Ok(bytes)) = &outcome { *bytes } else { 0 };
        self.watch(cx, outcome, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_has_its_places_and_takes_nobody_elses() {
        let peers = Peers::new(2);
        let peer = |text: &str| Peer(text.parse().expect("an address")).network();
        let (one, other) = (peer("10.0.0.1:1"), peer("10.0.0.2:1"));
        let first = peers.enter(one).expect("free");
        let _second = peers.enter(one).expect("free");
        assert!(peers.enter(one).is_none() && peers.enter(other).is_some());
        drop(first);
        assert!(peers.enter(one).is_some());
        assert_eq!(peer("[2001:db8:1:2::1]:1"), peer("[2001:db8:1:2:ffff::2]:9"));
        assert_ne!(peer("[2001:db8:1:2::1]:1"), peer("[2001:db8:1:3::1]:1"));
        assert_eq!(peer("[::ffff:10.0.0.1]:1"), one);
    }
}

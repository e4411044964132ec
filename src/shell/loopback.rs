//! Connections of this computer's own programs: taken from this user's only, and bounded in number and idleness.
//!
//! The loopback is shared by everybody who is logged in here. Neither an Origin nor a descriptor of ours is for another
//! user's programs to use.
#![expect(clippy::disallowed_methods, reason = "idle connections end by the clock")]

use super::os;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};

/// Longer than the pause between two comments of an event stream.
const IDLE_LIMIT: Duration = Duration::from_secs(75);
/// Out of descriptors: somebody has to give one back before another look makes sense.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// The next connection of this user's or the system's programs. Cancel-safe.
pub(super) async fn accept(socket: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match socket.accept().await {
            Ok((stream, peer)) => {
                if stream.local_addr().is_ok_and(|local| os::is_foreign(peer, local)) {
                    tracing::debug!(%peer, "connection of another user refused");
                    continue;
                }
                // Answers are small and waited for; without this they only come later.
                let _ = stream.set_nodelay(true);
                return (stream, peer);
            }
            Err(error) if is_peers(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn is_peers(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// A socket for [`axum::serve`] that has at most so many connections at a time; more wait in the kernel's queue.
#[derive(Debug)]
pub(super) struct BoundedListener {
    socket: TcpListener,
    slots: Arc<Semaphore>,
}

impl BoundedListener {
    pub(super) fn new(socket: TcpListener, most: usize) -> Self {
        Self { socket, slots: Arc::new(Semaphore::new(most)) }
    }
}

impl axum::serve::Listener for BoundedListener {
    type Io = Bounded<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        let Ok(slot) = self.slots.clone().acquire_owned().await else {
            // Nobody closes the semaphore.
            return std::future::pending().await;
        };
        let (stream, peer) = accept(&self.socket).await;
        (Bounded::new(stream, slot), peer)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }
}

/// A stream that holds a slot and ends when nothing went through it for [`IDLE_LIMIT`].
#[derive(Debug)]
pub(super) struct Bounded<S> {
    stream: S,
    idle: Pin<Box<Sleep>>,
    _slot: OwnedSemaphorePermit,
}

impl<S> Bounded<S> {
    pub(super) fn new(stream: S, slot: OwnedSemaphorePermit) -> Self {
        Self { stream, idle: Box::pin(tokio::time::sleep(IDLE_LIMIT)), _slot: slot }
    }

    fn touched(&mut self) {
        self.idle.as_mut().reset(Instant::now() + IDLE_LIMIT);
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Bounded<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if let Poll::Ready(result) = Pin::new(&mut this.stream).poll_read(cx, buffer) {
            this.touched();
            return Poll::Ready(result);
        }
        ready!(this.idle.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Bounded<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = ready!(Pin::new(&mut this.stream).poll_write(cx, bytes));
        this.touched();
        Poll::Ready(written)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

//! TLS connections for the HTTP server: handshakes run beside each other, and there is a bound to everything.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Instant, Sleep};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Connections at the same time; more wait in the kernel's queue.
pub(super) const MAX_CONNECTIONS: usize = 256;
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);
/// Longer than the pause between two comments of an event stream.
const IDLE_LIMIT: Duration = Duration::from_secs(75);

/// What [`axum::serve`] takes its connections from.
#[derive(Debug)]
pub(super) struct TlsListener {
    ready: mpsc::Receiver<(Connection, SocketAddr)>,
    address: SocketAddr,
    accepting: Vec<tokio::task::JoinHandle<()>>,
}

impl TlsListener {
    /// Accepts from all of `sockets`, which must not be empty.
    pub(super) fn new(sockets: Vec<TcpListener>, tls: &TlsAcceptor) -> io::Result<Self> {
        let first = sockets.first().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        let address = first.local_addr()?;
        let (done, ready) = mpsc::channel(16);
        let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let accepting = sockets
            .into_iter()
            .map(|socket| tokio::spawn(accept(socket, tls.clone(), slots.clone(), done.clone())))
            .collect();
        Ok(Self { ready, address, accepting })
    }
}

impl Drop for TlsListener {
    fn drop(&mut self) {
        for task in &self.accepting {
            task.abort();
        }
    }
}

async fn accept(
    socket: TcpListener,
    tls: TlsAcceptor,
    slots: Arc<Semaphore>,
    done: mpsc::Sender<(Connection, SocketAddr)>,
) {
    loop {
        let Ok(slot) = slots.clone().acquire_owned().await else { return };
        match socket.accept().await {
            Ok((stream, peer)) => {
                let handshake = handshake(stream, tls.clone(), slot);
                let done = done.clone();
                tokio::spawn(async move {
                    match handshake.await {
                        Ok(connection) => drop(done.send((connection, peer)).await),
                        // Ordinary: a browser that does not trust the certificate hangs up here.
                        Err(error) => tracing::debug!(%error, "TLS handshake failed"),
                    }
                });
            }
            Err(error) if is_peers(&error) => {}
            Err(error) => {
                // No file descriptor left: others must close some first.
                tracing::warn!(%error, "cannot accept connections of softphones");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

fn is_peers(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

async fn handshake(
    stream: TcpStream,
    tls: TlsAcceptor,
    slot: OwnedSemaphorePermit,
) -> io::Result<Connection> {
    stream.set_nodelay(true)?;
    let tls = tokio::time::timeout(HANDSHAKE_LIMIT, tls.accept(stream)).await??;
    Ok(Connection { tls, idle: Box::pin(tokio::time::sleep(IDLE_LIMIT)), _slot: slot })
}

impl axum::serve::Listener for TlsListener {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        match self.ready.recv().await {
            Some(connection) => connection,
            // Both accept loops ended, which they do only when this is dropped.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

/// A TLS stream that ends when nothing went through it for [`IDLE_LIMIT`].
#[derive(Debug)]
pub(super) struct Connection {
    tls: TlsStream<TcpStream>,
    idle: Pin<Box<Sleep>>,
    _slot: OwnedSemaphorePermit,
}

impl Connection {
    fn touched(&mut self) {
        self.idle.as_mut().reset(Instant::now() + IDLE_LIMIT);
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if let Poll::Ready(result) = Pin::new(&mut this.tls).poll_read(cx, buffer) {
            this.touched();
            return Poll::Ready(result);
        }
        ready!(this.idle.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = ready!(Pin::new(&mut this.tls).poll_write(cx, bytes));
        this.touched();
        Poll::Ready(written)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tls).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tls).poll_shutdown(cx)
    }
}

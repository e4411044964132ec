//! TLS connections for the HTTP server: handshakes run beside each other, and there is a bound to everything.

use crate::shell::loopback::{self, Bounded};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

type Connection = Bounded<TlsStream<TcpStream>>;

/// Connections at the same time; more wait in the kernel's queue.
pub(super) const MAX_CONNECTIONS: usize = 256;
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);

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
        let (stream, peer) = loopback::accept(&socket).await;
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
}

async fn handshake(
    stream: TcpStream,
    tls: TlsAcceptor,
    slot: OwnedSemaphorePermit,
) -> io::Result<Connection> {
    let tls = tokio::time::timeout(HANDSHAKE_LIMIT, tls.accept(stream)).await??;
    Ok(Bounded::new(tls, slot))
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

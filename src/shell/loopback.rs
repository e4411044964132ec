//! HTTP on the loopback: connections of this user's programs and no other's, bounded in number and time.
//!
//! The loopback is shared by everybody who is logged in here. Neither an Origin nor a descriptor of ours is for another
//! user's programs to use. And of this user's programs none may shut the door for the others: there is a deadline for
//! what a client has to say, not for how long it says nothing.
#![expect(clippy::disallowed_methods, reason = "connections end by the clock and live in tasks")]

use super::os;
use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use hyper::Request;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use slots::Busy;
pub(super) use slots::{Slot, Slots};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OnceCell, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, Sleep};

mod slots;

/// From the first byte a client could send to the last one of its request's head.
pub(super) const HEAD_LIMIT: Duration = Duration::from_secs(15);
/// Longer than the pause between two comments of an event stream: a reader that takes nothing for so long is gone.
const IDLE_LIMIT: Duration = Duration::from_secs(75);
/// Out of descriptors: somebody has to give one back before another look makes sense.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// Serves `router` on all of `sockets`, at most `most` connections at a time, until `stopping`; then what was begun is
/// finished. `open` makes of a connection what is spoken over: itself, or TLS.
pub(super) async fn serve<S, F>(
    sockets: Vec<TcpListener>,
    most: usize,
    router: Router,
    open: impl Fn(TcpStream) -> F + Clone + Send + Sync + 'static,
    mut stopping: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Future<Output = io::Result<S>> + Send,
{
    let slots = Slots::new(most);
    let mut accepting = JoinSet::new();
    for socket in sockets {
        let (slots, router, open, end) = (slots.clone(), router.clone(), open.clone(), stopping.clone());
        accepting.spawn(async move {
            let mut connections = JoinSet::new();
            let mut stopping = end.clone();
            loop {
                let (stream, ends) = tokio::select! {
                    () = stopped(&mut stopping) => break,
                    accepted = accept(&socket) => accepted,
                    Some(_) = connections.join_next() => continue,
                };
                let slot = tokio::select! {
                    () = stopped(&mut stopping) => break,
                    slot = slots.take(std::time::Instant::now) => Arc::new(slot),
                };
                let (router, open, end) = (router.clone(), open.clone(), end.clone());
                let standing =
                    Standing { slot: slot.clone(), peer: Arc::new(Peer { ends, program: OnceCell::new() }) };
                connections.spawn(async move {
                    tokio::select! {
                        () = slot.cut() => tracing::debug!("a silent connection gave way to another"),
                        () = connection(&standing, open(stream), router, end) => {}
                    }
                });
            }
            while connections.join_next().await.is_some() {}
        });
    }
    stopped(&mut stopping).await;
    while accepting.join_next().await.is_some() {}
}

async fn connection<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    standing: &Standing,
    open: impl Future<Output = io::Result<S>>,
    router: Router,
    mut stopping: watch::Receiver<bool>,
) {
    let opened = tokio::select! {
        () = stopped(&mut stopping) => return,
        opened = open => opened,
    };
    let stream = match opened {
        Ok(stream) => stream,
        // Ordinary: a browser that does not trust the certificate hangs up here.
        Err(error) => return tracing::debug!(%error, "a connection was not opened"),
    };
    let router = TowerToHyperService::new(router);
    let service = service_fn(|mut request: Request<Incoming>| {
        request.extensions_mut().insert(standing.clone());
        let busy = standing.slot.busy();
        let answer = router.call(request);
        async move {
            Ok::<_, std::convert::Infallible>(answer.await?.map(|body| Answer { body, busy: Some(busy) }))
        }
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .serve_connection(TokioIo::new(Bounded::new(stream)), service);
    let mut serving = pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = stopped(&mut stopping) => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended");
    }
}

async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // An error means that whoever would say so is gone: also a stop.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

/// What a request's connection has come to. Until somebody is let in on it, it gives way to others.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    slot: Arc<Slot>,
    peer: Arc<Peer>,
}

/// Who is at the other end of a connection.
#[derive(Debug)]
struct Peer {
    ends: Ends,
    /// `None` = the system does not tell.
    program: OnceCell<Option<PathBuf>>,
}

/// The addresses of a connection: of whoever came, and of ours.
#[derive(Clone, Copy, Debug)]
struct Ends {
    peer: SocketAddr,
    local: SocketAddr,
}

impl Standing {
    /// The executable at the other end, if the system tells. Asked once, while a request on it waits: from then on it is
    /// who speaks on this connection, whatever becomes of the process.
    pub(super) async fn program(&self) -> Option<PathBuf> {
        let Ends { peer, local } = self.peer.ends;
        let ask = async || {
            let told = tokio::task::spawn_blocking(move || os::peer_program(peer, local)).await;
            told.unwrap_or_else(|error| Err(io::Error::other(error)))
                .inspect_err(
                    |error| tracing::debug!(%peer, %error, "the system does not say whose a connection is"),
                )
                .ok()
        };
        self.peer.program.get_or_init(ask).await.clone()
    }

    pub(super) fn let_in(&self) {
        self.slot.known();
    }

    pub(super) fn is_let_in(&self) -> bool {
        self.slot.is_known()
    }

    /// A wrong token was shown on it.
    pub(super) fn mistook(&self) {
        self.slot.mistook();
    }

    pub(super) fn has_mistaken(&self) -> bool {
        self.slot.has_mistaken()
    }
}

/// The next connection of this user's or the system's programs. Cancel-safe.
async fn accept(socket: &TcpListener) -> (TcpStream, Ends) {
    loop {
        match socket.accept().await {
            Ok((stream, peer)) => {
                let Ok(local) = stream.local_addr() else { continue };
                if os::is_foreign(peer, local) {
                    tracing::debug!(%peer, "connection of another user refused");
                    continue;
                }
                // Answers are small and waited for; without this they only come later.
                let _ = stream.set_nodelay(true);
                return (stream, Ends { peer, local });
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

/// The body of an answer: its connection is busy until it ends.
struct Answer {
    body: Body,
    busy: Option<Busy>,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if let Some(busy) = self.busy.take() {
            busy.done(std::time::Instant::now());
        }
    }
}

/// A stream that ends when nothing went through it for [`IDLE_LIMIT`].
#[derive(Debug)]
struct Bounded<S> {
    stream: S,
    idle: Pin<Box<Sleep>>,
}

impl<S> Bounded<S> {
    fn new(stream: S) -> Self {
        Self { stream, idle: Box::pin(tokio::time::sleep(IDLE_LIMIT)) }
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

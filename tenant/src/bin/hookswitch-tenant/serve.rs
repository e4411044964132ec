//! The HTTPS server.
#![expect(
    clippy::disallowed_methods,
    reason = "a server waits, spawns and removes the file that says where it is"
)]

mod access;
mod answer;
mod body;
mod files;
mod guard;
mod listener;
mod proof;
mod quota;
mod registration;
mod routes;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::{Args, ValueEnum};
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::Serialize;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

use crate::digest;
use crate::home::{self, Home, HomeError};
use crate::repository::{self, RepositoryError};
use crate::store::{Store, StoreError, Tenant};
use answer::Refusal;
use guard::Guard;
use proof::Nonces;
use quota::Quotas;

/// Requests worked on at the same time; more are asked to come back (503). While the body of one is on its way, it is
/// none of them.
const MAX_REQUESTS: usize = 256;
/// How often the age of the metadata is looked at.
const RENEW_EVERY: Duration = Duration::from_secs(6 * 60 * 60);
/// How long requests may go on after the signal to stop.
const GRACE: Duration = Duration::from_secs(5);

/// Misbehaviour on every `/v2` call, for exercising agents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mood {
    /// Answer 401.
    Unauthorized,
    /// Answer 500.
    InternalError,
    /// Answer rightly, after two minutes.
    Slow,
}

/// Why the server is not running.
#[derive(Debug, Error)]
pub(crate) enum ServeError {
    #[error(transparent)]
    Home(#[from] HomeError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    #[error("cannot listen on {address}: {source}")]
    Listen { address: SocketAddr, source: io::Error },
    #[error("tls/: {0}")]
    Pem(#[from] pem::Error),
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
    #[error("cannot wait for signals: {0}")]
    Signal(io::Error),
    #[error("the operating system's random number generator failed")]
    Random,
    #[error("endpoint.json: {0}")]
    Json(#[from] serde_json::Error),
}

/// What every request can see.
struct Site {
    store: Mutex<Store>,
    tenant: Tenant,
    metadata: PathBuf,
    targets: PathBuf,
    mood: Option<Mood>,
    slots: Arc<Semaphore>,
    nonces: Nonces,
    guard: Arc<Guard>,
    quotas: Quotas,
    most_hosts: u32,
}

impl Site {
    /// Runs `work` on the store, away from the tasks that serve connections. The second argument is the time in
    /// seconds since 1970.
    async fn with_store<T, W>(self: &Arc<Self>, work: W) -> Result<T, Refusal>
    where
        T: Send + 'static,
        W: FnOnce(&mut Store, i64) -> Result<T, StoreError> + Send + 'static,
    {
        let site = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || {
            // A panic cannot leave a transaction half-done: dropping it rolled it back.
            let mut store = site.store.lock().unwrap_or_else(PoisonError::into_inner);
            work(&mut store, crate::seconds(crate::now()))
        });
        match done.await {
            Ok(result) => result.map_err(Refusal::from),
            Err(_) => Err(Refusal::Internal),
        }
    }
}

#[derive(Serialize)]
struct Endpoint {
    url: String,
    ca: PathBuf,
}

/// What the operator decides.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Limits {
    /// Connections of one address at the same time; raise it when agents come through one proxy
    #[arg(long, default_value_t = 128, value_parser = clap::value_parser!(u32).range(1..=1024))]
    connections_per_peer: u32,
    /// Hosts that may enrol for the first time from one address in a minute, after the first 60
    #[arg(long, default_value_t = 60)]
    new_hosts_per_minute: u32,
    /// Hosts in all
    #[arg(long, default_value_t = 50_000)]
    max_hosts: u32,
}

/// Serves until SIGTERM or SIGINT.
pub(crate) async fn serve(
    home: &Home,
    address: SocketAddr,
    mood: Option<Mood>,
    limits: Limits,
) -> Result<(), ServeError> {
    // Fails only when a provider is installed already, and then it is this one: there is no other in the program.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let store = Store::open(&home.database())?;
    let tenant = store.tenant()?;
    repository::renew(home, crate::now()).await?;
    tokio::spawn(keep_fresh(home.clone()));

    let tls = tls_config(home)?;
    let tcp = TcpListener::bind(address).await.map_err(|source| ServeError::Listen { address, source })?;
    let bound = tcp.local_addr().map_err(|source| ServeError::Listen { address, source })?;
    let site = Arc::new(Site {
        store: Mutex::new(store),
        tenant,
        metadata: home.metadata(),
        targets: home.targets(),
        mood,
        slots: Arc::new(Semaphore::new(MAX_REQUESTS)),
        nonces: Nonces::new(digest::random().map_err(|_| ServeError::Random)?),
        guard: Arc::default(),
        quotas: Quotas::new(limits.new_hosts_per_minute),
        most_hosts: limits.max_hosts,
    });
    let guard = Arc::clone(&site.guard);
    let signals = (stop_signal()?, stop_signal()?);
    // The certificate has no name for 0.0.0.0 or [::].
    let host =
        if bound.ip().is_unspecified() { format!("localhost:{}", bound.port()) } else { bound.to_string() };
    let endpoint = Endpoint { url: format!("https://{host}"), ca: home.ca() };
    home::replace(&home.endpoint(), &serde_json::to_vec_pretty(&endpoint)?)?;
    println!("serving {}", endpoint.url);

    let per_peer = usize::try_from(limits.connections_per_peer).unwrap_or(usize::MAX);
    let server =
        listener::serve(tcp, TlsAcceptor::from(Arc::new(tls)), routes::router(site), per_peer, signals.0);
    let patience = async {
        signals.1.await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        () = server => {}
        () = patience => {}
    }
    guard.tell();
    let _ = std::fs::remove_file(home.endpoint());
    Ok(())
}

fn tls_config(home: &Home) -> Result<rustls::ServerConfig, ServeError> {
    let chain = CertificateDer::pem_file_iter(home.server_certificate())?.collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_file(home.server_key())?;
    let mut config = rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

async fn keep_fresh(home: Home) {
    loop {
        tokio::time::sleep(RENEW_EVERY).await;
        if let Err(error) = repository::renew(&home, crate::now()).await {
            eprintln!("hookswitch-tenant: metadata not renewed: {error}");
        }
    }
}

#[cfg(unix)]
fn stop_signal() -> Result<impl Future<Output = ()> + Send + 'static, ServeError> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).map_err(ServeError::Signal)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(ServeError::Signal)?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the Unix twin can fail")]
fn stop_signal() -> Result<impl Future<Output = ()> + Send + 'static, ServeError> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}

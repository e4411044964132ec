//! The doors of the SDK: HTTPS on the loopback, for softphones in browsers and on the desktop.
#![expect(clippy::disallowed_methods, reason = "sockets, files and tasks live in the shell")]

use crate::shell::certificate::{Origin, ServerCertificate, Terms};
use crate::shell::handle::UserHandle;
use crate::shell::loopback;
use crate::shell::private_file::{self, Durability, Readers};
use crate::shell::secret;
use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{Method, Uri};
use axum::response::{IntoResponse, Response};
use door::Door;
use hub::problem::Reason;
use hub::protocol::local::Endpoint;
use hub::protocol::{Detail, Problem};
use hub::settings::DoorPlace;
use hub::user::DoorState;
use plain::Plain;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use serde::Serialize;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tries::WrongTokens;

mod access;
mod caller;
#[cfg(test)]
mod described;
mod door;
mod keeper;
#[cfg(test)]
mod openapi;
mod plain;
mod reader;
mod refusal;
mod spokes;
mod sse;
mod tries;
mod v1;
mod wire;

pub use keeper::Keeper;
/// The contract of `/v1`: OpenAPI 3.1, as served.
pub use v1::OPENAPI;

/// Connections at the same time.
const MAX_CONNECTIONS: usize = 256;
/// Connections over plain HTTP at the same time.
const MAX_PLAIN_CONNECTIONS: usize = 64;
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);
/// Largest body of a request.
pub const MAX_BODY_BYTES: usize = 64 * 1024;
/// What open requests get to end by themselves.
const STOP_LIMIT: Duration = Duration::from_secs(2);
/// Between two attempts at a certificate that cannot be renewed.
const RETRY: Duration = Duration::from_secs(60 * 60);
/// Between two attempts at the port of plain HTTP.
const RETRY_PLAIN: Duration = Duration::from_secs(60);
/// Free ports tried until one is free in both address families.
const PORT_ATTEMPTS: usize = 8;

#[derive(Clone, Debug)]
pub struct RestConfig {
    pub place: DoorPlace,
    /// Folder of `ca.pem`, `leaf.pem`, `key.pem`.
    pub certificate_folder: PathBuf,
    pub certificate: Terms,
    /// Where programs of this user find address and token (`endpoint.json`); its folder must exist.
    pub endpoint_path: PathBuf,
}

/// The open door. Dropping it closes it at once and leaves `endpoint.json`; [`RestServer::stop`] is the orderly way.
pub struct RestServer {
    url: String,
    door: Arc<Door>,
    plain: Plain,
    config: RestConfig,
    shown: Arc<Shown>,
    ca_path: PathBuf,
    ends_s: u64,
    notice: Option<Problem>,
    endpoint_json: String,
    stopping: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

// Must not show the token.
impl std::fmt::Debug for RestServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RestServer").field("url", &self.url).finish_non_exhaustive()
    }
}

/// The certificate that is shown to who connects. Another takes its place without a word to those who are connected.
#[derive(Debug)]
struct Shown(RwLock<Arc<CertifiedKey>>);

impl Shown {
    fn show(&self, certificate: &ServerCertificate) -> Result<(), rustls::Error> {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = certified(certificate)?;
        Ok(())
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

fn certified(certificate: &ServerCertificate) -> Result<Arc<CertifiedKey>, rustls::Error> {
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let chain = vec![certificate.leaf.clone()];
    CertifiedKey::from_der(chain, certificate.key.clone_key(), &provider).map(Arc::new)
}

/// Why the door is closed, and the process that has its port, if that is known.
struct Closed {
    problem: Problem,
    holder: Option<u32>,
}

impl From<Problem> for Closed {
    fn from(problem: Problem) -> Self {
        Self { problem, holder: None }
    }
}

/// Wire form of `endpoint.json`.
#[derive(Serialize)]
struct EndpointFile<'a> {
    url: &'a str,
    ca: &'a Path,
    token: &'a str,
    pid: u32,
}

/// Opens the door; requests are taken from the moment this returns. Errors: `rest-port-taken`, `rest-not-listening`,
/// `rest-certificate`, `rest-endpoint-file`; the agent goes on without the door.
pub async fn start(config: RestConfig, handle: UserHandle) -> Result<RestServer, Problem> {
    open(config, handle).await.map_err(|closed| closed.problem)
}

async fn open(config: RestConfig, handle: UserHandle) -> Result<RestServer, Closed> {
    let DoorPlace { port, plain } = config.place;
    let taken = |(address, error): (SocketAddr, io::Error)| not_listening(address, &error);
    let (sockets, port) = bind(port).await.map_err(taken)?;
    let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
    let certificate = load(&config)?;
    let notice = renewed(&certificate);
    let unusable = |e: rustls::Error| certificate_problem(&config.certificate_folder, Detail::verbatim(e));
    let shown = Arc::new(Shown(RwLock::new(certified(&certificate).map_err(unusable)?)));
    let tls = tls(shown.clone()).map_err(unusable)?;

    let random = || secret::secret().map_err(|e| not_listening(address, &io::Error::other(e)));
    let token = random()?;
    let url = format!("https://127.0.0.1:{port}");
    let file = EndpointFile { url: &url, ca: &certificate.ca_path, token: &token, pid: std::process::id() };
    let endpoint_json = serde_json::to_string(&file).map_err(|e| endpoint_problem(&config, &e))?;
    let (stopping, stopped) = watch::channel(false);
    let door = Arc::new(Door {
        handle,
        token,
        port,
        plain: OnceLock::new(),
        run: random()?[..8].to_owned(),
        salt: random()?,
        wrong_tokens: WrongTokens::default(),
        stopping: stopped.clone(),
    });
    let mut plain = Plain::new(plain);
    plain.open(&door, &stopped).await;
    let serving = tokio::spawn(serve(sockets, tls, router(door.clone()), stopped));
    let ServerCertificate { ca_path, ends_s, .. } = certificate;
    let server = RestServer {
        url,
        door,
        plain,
        config,
        shown,
        ca_path,
        ends_s,
        notice,
        endpoint_json,
        stopping,
        serving,
    };
    server.tell_programs()?;
    tracing::info!(url = %server.url, "softphones may connect");
    Ok(server)
}

fn load(config: &RestConfig) -> Result<ServerCertificate, Problem> {
    let folder = &config.certificate_folder;
    config
        .certificate
        .load_or_make(folder, SystemTime::now())
        .map_err(|e| certificate_problem(folder, Detail::from(&e)))
}

/// Method and path of every route of `/v1`.
pub fn routes() -> impl Iterator<Item = (Method, &'static str)> {
    v1::routes().into_iter().map(|route| (route.method, route.path))
}

impl RestServer {
    /// `https://127.0.0.1:<port>`
    pub fn url(&self) -> &str {
        &self.url
    }

    /// `http://127.0.0.1:<port>`, where plain HTTP is spoken.
    pub fn plain_url(&self) -> Option<String> {
        self.door.plain.get().map(|port| format!("http://127.0.0.1:{port}"))
    }

    /// For the view, and for programs that ask.
    pub fn endpoint(&self) -> Endpoint {
        Endpoint {
            url: Some(self.url.clone()),
            ca_path: Some(self.ca_path.display().to_string()),
            certificate_ends_s: Some(self.ends_s),
        }
    }

    /// Looks after the open door: a certificate that ends soon or was spoilt gives way to another, at once for all who
    /// connect from now on; a lost `endpoint.json` is written again.
    pub async fn check(&mut self) -> DoorState {
        self.plain.open(&self.door, &self.door.stopping).await;
        match self.look() {
            Ok(()) => self.state(),
            // Those who are connected stay, and so does the certificate that they know.
            Err(problem) => {
                tracing::warn!(%problem, "the door for softphones");
                DoorState::Open { endpoint: self.endpoint(), renew_in: Some(RETRY), notice: Some(problem) }
            }
        }
    }

    fn state(&self) -> DoorState {
        let now_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let renew_s = self.ends_s.saturating_sub(self.config.certificate.renew_before.as_secs());
        DoorState::Open {
            endpoint: self.endpoint(),
            renew_in: Some(match self.plain.closed {
                Some(_) => RETRY_PLAIN,
                None => Duration::from_secs(renew_s.saturating_sub(now_s)),
            }),
            notice: self.plain.closed.as_ref().or(self.notice.as_ref()).cloned(),
        }
    }

    fn look(&mut self) -> Result<(), Problem> {
        let certificate = load(&self.config)?;
        if let Some(notice) = renewed(&certificate) {
            let folder = &self.config.certificate_folder;
            self.shown.show(&certificate).map_err(|e| certificate_problem(folder, Detail::verbatim(e)))?;
            (self.ends_s, self.notice) = (certificate.ends_s, Some(notice));
        }
        if !self.has_told_programs() {
            self.tell_programs()?;
        }
        Ok(())
    }

    fn tell_programs(&self) -> Result<(), Problem> {
        let (path, bytes) = (&self.config.endpoint_path, self.endpoint_json.as_bytes());
        private_file::replace(path, bytes, Readers::Owner, Durability::UntilPowerLoss)
            .map_err(|e| endpoint_problem(&self.config, &e))
    }

    fn has_told_programs(&self) -> bool {
        std::fs::read_to_string(&self.config.endpoint_path).is_ok_and(|now| now == self.endpoint_json)
    }

    /// `certificate-renewed` if programs must be told to trust a new certificate.
    pub fn notice(&self) -> Option<&Problem> {
        self.notice.as_ref()
    }

    /// Ends all streams, lets requests end within two seconds and removes `endpoint.json`.
    pub async fn stop(mut self) {
        // Not a file that another agent has written since.
        if self.has_told_programs() {
            let _ = std::fs::remove_file(&self.config.endpoint_path);
        }
        let _ = self.stopping.send(true);
        let ended = async { tokio::join!(&mut self.serving, self.plain.ended()) };
        if tokio::time::timeout(STOP_LIMIT, ended).await.is_err() {
            tracing::warn!("a softphone did not let go of its connection");
        }
    }
}

impl Drop for RestServer {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(sockets: Vec<TcpListener>, tls: TlsAcceptor, router: Router, stopping: watch::Receiver<bool>) {
    let handshake = move |stream| {
        let tls = tls.clone();
        async move { tokio::time::timeout(HANDSHAKE_LIMIT, tls.accept(stream)).await? }
    };
    loopback::serve(sockets, MAX_CONNECTIONS, router, handshake, stopping).await;
}

fn router(door: Arc<Door>) -> Router {
    let router = v1::routes()
        .into_iter()
        .fold(Router::new(), |router, route| router.route(route.path, route.handler))
        .fallback(fallback)
        .method_not_allowed_fallback(method_not_allowed);
    guarded(router, door)
}

/// Of those who speak plain HTTP: `/Spokes` and nothing else, for that asks for no secret.
fn plain_router(door: Arc<Door>) -> Router {
    guarded(Router::new().fallback(fallback), door)
}

fn guarded(router: Router<Arc<Door>>, door: Arc<Door>) -> Router {
    router
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(axum::middleware::from_fn_with_state(door.clone(), access::guard))
        .with_state(door)
}

async fn fallback(state: State<Arc<Door>>, request: axum::extract::Request) -> Response {
    if !spokes::is_spokes(request.uri().path()) {
        return refusal::Refusal::not_found(request.uri().path()).into_response();
    }
    axum::handler::Handler::call(spokes::answer, request, state.0).await
}

async fn method_not_allowed(uri: Uri) -> refusal::Refusal {
    method_not_allowed_at(&uri)
}

fn method_not_allowed_at(uri: &Uri) -> refusal::Refusal {
    let next = "/v1/openapi.json lists the methods.";
    refusal::Refusal::new(
        refusal::Code::MethodNotAllowed,
        "This method does not exist here",
        uri.path(),
        next,
    )
}

fn tls(shown: Arc<Shown>) -> Result<TlsAcceptor, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(shown);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// The same port of 127.0.0.1 and, where there is IPv6, of ::1: whoever says `localhost` may get either.
async fn bind(port: u16) -> Result<(Vec<TcpListener>, u16), (SocketAddr, io::Error)> {
    let at = |ip: IpAddr, port| {
        let address = SocketAddr::new(ip, port);
        async move { TcpListener::bind(address).await.map_err(|error| (address, error)) }
    };
    let mut attempts = if port == 0 { PORT_ATTEMPTS } else { 1 };
    loop {
        let v4 = at(Ipv4Addr::LOCALHOST.into(), port).await?;
        let port =
            v4.local_addr().map_err(|e| (SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port), e))?.port();
        attempts -= 1;
        match at(Ipv6Addr::LOCALHOST.into(), port).await {
            Ok(v6) => return Ok((vec![v4, v6], port)),
            Err((_, e)) if e.kind() == io::ErrorKind::AddrInUse && attempts > 0 => {}
            Err(taken) if taken.1.kind() == io::ErrorKind::AddrInUse => return Err(taken),
            Err((_, error)) => {
                tracing::info!(%error, "no IPv6 loopback: listening on 127.0.0.1 only");
                return Ok((vec![v4], port));
            }
        }
    }
}

fn not_listening(address: SocketAddr, error: &io::Error) -> Closed {
    if error.kind() != io::ErrorKind::AddrInUse {
        let problem = Reason::RestNotListening { error: error.to_string() }.at(address);
        return problem.into();
    }
    let (holder, process) = holder_of(address);
    let problem = Reason::RestPortTaken { port: address.port().to_string(), holder }.at(address);
    Closed { problem, holder: process }
}

/// Who has the port, and the process, if that is known.
fn holder_of(address: SocketAddr) -> (Detail, Option<u32>) {
    let holder = super::os::port_holder(address);
    let process = holder.as_ref().and_then(|h| h.program.as_ref()).map(|(_, process)| *process);
    let unknown = || Detail::new("holder-unknown", "another program");
    (holder.map_or_else(unknown, |holder| Detail::from(&holder)), process)
}

fn certificate_problem(folder: &Path, error: Detail) -> Problem {
    Reason::RestCertificate { error }.at(folder.display())
}

fn endpoint_problem(config: &RestConfig, error: &dyn std::error::Error) -> Problem {
    Reason::RestEndpointFile { error: error.to_string() }.at(config.endpoint_path.display())
}

fn renewed(certificate: &ServerCertificate) -> Option<Problem> {
    let Origin::Renewed(why) = &certificate.origin else { return None };
    tracing::warn!(%why, "the certificate for softphones was made again");
    let problem = Reason::CertificateRenewed { why: why.into() }.at(certificate.ca_path.display());
    Some(problem)
}

//! The doors of the SDK: HTTPS on the loopback, for softphones in browsers and on the desktop.
#![expect(clippy::disallowed_methods, reason = "sockets, files and tasks live in the shell")]

use crate::protocol::local::Endpoint;
use crate::protocol::{Detail, Problem};
use crate::shell::certificate::{self, Origin, ServerCertificate};
use crate::shell::handle::AgentHandle;
use crate::shell::loopback;
use crate::shell::private_file::{self, Durability, Readers};
use crate::shell::secret;
use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use door::Door;
use serde::Serialize;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tries::WrongTokens;

mod access;
mod caller;
mod door;
mod reader;
mod refusal;
mod spokes;
mod sse;
mod tries;
mod v1;
mod wire;

/// The contract of `/v1`: OpenAPI 3.1, as served.
pub use v1::OPENAPI;

/// Connections at the same time.
const MAX_CONNECTIONS: usize = 256;
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(10);
/// Largest body of a request.
pub const MAX_BODY_BYTES: usize = 64 * 1024;
/// What open requests get to end by themselves.
const STOP_LIMIT: Duration = Duration::from_secs(2);
/// Free ports tried until one is free in both address families.
const PORT_ATTEMPTS: usize = 8;

#[derive(Clone, Debug)]
pub struct RestConfig {
    /// 0 = any free one.
    pub port: u16,
    /// Folder of `ca.pem`, `leaf.pem`, `key.pem`.
    pub certificate_folder: PathBuf,
    /// Where programs of this user find address and token (`endpoint.json`); its folder must exist.
    pub endpoint_path: PathBuf,
}

/// The open door. Dropping it closes it at once and leaves `endpoint.json`; [`RestServer::stop`] is the orderly way.
pub struct RestServer {
    url: String,
    ca_path: PathBuf,
    notice: Option<Problem>,
    endpoint_path: PathBuf,
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
pub async fn start(config: RestConfig, handle: AgentHandle) -> Result<RestServer, Problem> {
    let (sockets, port) = bind(config.port).await.map_err(|e| not_listening(config.port, &e))?;
    let certificate = certificate::load_or_make(&config.certificate_folder, SystemTime::now())
        .map_err(|e| certificate_problem(&config.certificate_folder, Detail::from(&e)))?;
    let notice = renewed(&certificate);
    let ca_path = certificate.ca_path.clone();
    let tls =
        tls(certificate).map_err(|e| certificate_problem(&config.certificate_folder, Detail::verbatim(e)))?;

    let random = || secret::secret().map_err(|e| not_listening(port, &io::Error::other(e)));
    let token = random()?;
    let url = format!("https://127.0.0.1:{port}");
    let file = EndpointFile { url: &url, ca: &ca_path, token: &token, pid: std::process::id() };
    let endpoint_json = serde_json::to_string(&file).map_err(|e| endpoint_problem(&config, &e))?;
    let (stopping, stopped) = watch::channel(false);
    let door = Arc::new(Door {
        handle,
        token,
        port,
        run: random()?[..8].to_owned(),
        salt: random()?,
        wrong_tokens: WrongTokens::default(),
        stopping: stopped.clone(),
    });
    let serving = tokio::spawn(serve(sockets, tls, router(door), stopped));
    private_file::replace(
        &config.endpoint_path,
        endpoint_json.as_bytes(),
        Readers::Owner,
        Durability::UntilPowerLoss,
    )
    .map_err(|e| {
        serving.abort();
        endpoint_problem(&config, &e)
    })?;
    tracing::info!(%url, "softphones may connect");
    let endpoint_path = config.endpoint_path;
    Ok(RestServer { url, ca_path, notice, endpoint_path, endpoint_json, stopping, serving })
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

    /// For [`crate::shell::handle::Event::Endpoint`].
    pub fn endpoint(&self) -> Endpoint {
        Endpoint { url: Some(self.url.clone()), ca_path: Some(self.ca_path.display().to_string()) }
    }

    /// `certificate-renewed` if programs must be told to trust a new certificate.
    pub fn notice(&self) -> Option<&Problem> {
        self.notice.as_ref()
    }

    /// Ends all streams, lets requests end within two seconds and removes `endpoint.json`.
    pub async fn stop(mut self) {
        // Not a file that another agent has written since.
        if std::fs::read_to_string(&self.endpoint_path).is_ok_and(|now| now == self.endpoint_json) {
            let _ = std::fs::remove_file(&self.endpoint_path);
        }
        let _ = self.stopping.send(true);
        if tokio::time::timeout(STOP_LIMIT, &mut self.serving).await.is_err() {
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
        StatusCode::METHOD_NOT_ALLOWED,
        "method-not-allowed",
        "This method does not exist here",
        uri.path(),
        next,
    )
}

fn tls(certificate: ServerCertificate) -> Result<TlsAcceptor, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.leaf], certificate.key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// The same port of 127.0.0.1 and, where there is IPv6, of ::1: whoever says `localhost` may get either.
async fn bind(port: u16) -> io::Result<(Vec<TcpListener>, u16)> {
    let mut taken = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..if port == 0 { PORT_ATTEMPTS } else { 1 } {
        let v4 = TcpListener::bind(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)).await?;
        let port = v4.local_addr()?.port();
        match TcpListener::bind(SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), port)).await {
            Ok(v6) => return Ok((vec![v4, v6], port)),
            Err(e) if e.kind() == io::ErrorKind::AddrInUse => taken = e,
            Err(error) => {
                tracing::info!(%error, "no IPv6 loopback: listening on 127.0.0.1 only");
                return Ok((vec![v4], port));
            }
        }
    }
    Err(taken)
}

fn not_listening(port: u16, error: &io::Error) -> Problem {
    let place = format!("127.0.0.1:{port}");
    if error.kind() != io::ErrorKind::AddrInUse {
        let what = format!("Softphones cannot connect: {error}");
        return Problem::new(
            "rest-not-listening",
            what,
            place,
            "Choose another rest_port in hookswitch.toml.",
        )
        .with("error", error.to_string());
    }
    let holder = super::os::port_holder(port)
        .map_or_else(|| Detail::new("holder-unknown", "another program"), |holder| Detail::from(&holder));
    Problem::new(
        "rest-port-taken",
        format!("Softphones cannot connect: port {port} is held by {holder}"),
        place,
        "End that program, or choose another rest_port in hookswitch.toml, then restart Hookswitch.",
    )
    .with("port", port.to_string())
    .detail("holder", holder)
}

fn certificate_problem(folder: &Path, error: Detail) -> Problem {
    Problem::new(
        "rest-certificate",
        format!("Softphones cannot connect: there is no certificate ({error})"),
        folder.display().to_string(),
        "Make the folder writable for you, then restart Hookswitch.",
    )
    .detail("error", error)
}

fn endpoint_problem(config: &RestConfig, error: &dyn std::error::Error) -> Problem {
    Problem::new(
        "rest-endpoint-file",
        format!("Softphones cannot connect: their file cannot be written ({error})"),
        config.endpoint_path.display().to_string(),
        "Make the folder writable for you, then restart Hookswitch.",
    )
    .with("error", error.to_string())
}

fn renewed(certificate: &ServerCertificate) -> Option<Problem> {
    let Origin::Renewed(why) = &certificate.origin else { return None };
    tracing::warn!(%why, "the certificate for softphones was made again");
    let problem = Problem::new(
        "certificate-renewed",
        format!("The certificate for softphones was made again: {why}"),
        certificate.ca_path.display().to_string(),
        "Where the old one was trusted, trust this file instead.",
    )
    .detail("why", why);
    Some(problem)
}

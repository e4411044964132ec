//! One connection to one directory server: address, TCP, TLS or StartTLS, and the library behind the guard.
#![expect(clippy::disallowed_methods, reason = "connects to the directory")]

use super::guard;
use crate::shell::os;
use hub::machine::people::rules::Directory;
use hub::problem::Reason;
use hub::protocol::{Detail, Problem};
use ldap3::{Ldap, LdapConnAsync, LdapConnSettings};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

/// For name resolution and TCP together, and again for TLS.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Object identifier of StartTLS, RFC 4511 §4.14.1, in an ExtendedRequest with message id 1.
const START_TLS: &[u8] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";

/// Why one server could not be asked. Holds no name, password or filter.
#[derive(Debug, thiserror::Error)]
pub(super) enum ServerFault {
    #[error("its address is not ldap://host[:port] or ldaps://host[:port]")]
    Address,
    #[error("{0}")]
    Unreachable(std::io::Error),
    #[error("no answer within {} s to: {step}", within.as_secs())]
    Silent { step: Step, within: Duration },
    #[error("its certificate was refused: {0}")]
    Certificate(String),
    #[error("no TLS connection: {0}")]
    Tls(String),
    #[error("the certificate authority in the policy cannot be used: {0}")]
    Authority(Detail),
    #[error("it refused StartTLS: {0}")]
    StartTls(Detail),
    #[error("a password would have to go over the network unencrypted")]
    Plaintext,
    #[error("the bind name or the password is empty")]
    EmptyBind,
    #[error("it refused the name or password: {0}")]
    Credentials(Detail),
    #[error("it refused the bind: {0}")]
    Bind(Detail),
    #[error("it does not speak LDAP as expected: {0}")]
    Protocol(Detail),
}

/// What a server was asked for when it kept silent.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub(super) enum Step {
    #[error("connect")]
    Connect,
    #[error("TLS handshake")]
    Tls,
    #[error("bind")]
    Bind,
    #[error("search")]
    Search,
    #[error("all queries")]
    AllQueries,
}

impl ServerFault {
    /// Trying the next server with the same password could lock the account.
    pub(super) fn ends_the_search(&self) -> bool {
        matches!(self, Self::Credentials(_) | Self::EmptyBind | Self::Authority(_))
    }

    pub(super) fn problem(&self, server: &str) -> Problem {
        let reason = match self {
            Self::Address => Reason::DirectoryAddress,
            Self::Plaintext => Reason::DirectoryPlaintext,
            Self::EmptyBind => Reason::DirectoryEmptyBind,
            Self::Unreachable(system) => Reason::DirectoryUnreachable { detail: Detail::verbatim(system) },
            Self::Silent { step, within } => {
                let detail = Detail::new("ldap-silent", self).with("seconds", within.as_secs());
                Reason::DirectoryTimeout { detail: detail.detail("step", *step) }
            }
            Self::Certificate(library) => Reason::DirectoryCertificate { detail: Detail::verbatim(library) },
            Self::Tls(library) => Reason::DirectoryTls { detail: Detail::verbatim(library) },
            Self::Authority(detail) => Reason::DirectoryAuthority { detail: detail.clone() },
            Self::StartTls(detail) => Reason::DirectoryStarttls { detail: detail.clone() },
            Self::Credentials(detail) => Reason::DirectoryCredentials { detail: detail.clone() },
            Self::Bind(detail) => Reason::DirectoryBind { detail: detail.clone() },
            Self::Protocol(detail) => Reason::DirectoryProtocol { detail: detail.clone() },
        };
        reason.at(shown(server))
    }
}

/// A bound connection. Dropping it closes everything.
#[derive(Debug)]
pub(super) struct Connection {
    pub ldap: Ldap,
    /// The library's loop and the guard.
    tasks: JoinSet<()>,
}

impl Connection {
    /// Says goodbye (RFC 4511 §4.3) and closes.
    pub(super) async fn close(mut self, within: Duration) {
        self.ldap.with_timeout(within);
        if tokio::time::timeout(within, self.ldap.unbind()).await.is_ok() {
            drop(self.ldap);
            let _ =
                tokio::time::timeout(within, async { while self.tasks.join_next().await.is_some() {} }).await;
        }
    }
}

pub(super) async fn open(
    server: &str,
    directory: &Directory,
    operation_timeout: Duration,
) -> Result<Connection, ServerFault> {
    let address = Address::parse(server).ok_or(ServerFault::Address)?;
    let step = Step::Connect;
    let mut tcp = tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect((address.host, address.port)))
        .await
        .map_err(|_| ServerFault::Silent { step, within: CONNECT_TIMEOUT })?
        .map_err(ServerFault::Unreachable)?;
    tcp.set_nodelay(true).map_err(ServerFault::Unreachable)?;
    let peer = tcp.peer_addr().map_err(ServerFault::Unreachable)?;
    let mut tasks = JoinSet::new();
    let encrypted = address.tls || directory.start_tls;
    if let Some((dn, password)) = &directory.bind {
        may_bind(dn, password, encrypted, peer)?;
    }
    let library = if encrypted {
        let tls = async {
            if !address.tls {
                start_tls(&mut tcp).await?;
            }
            connect_tls(tcp, address.host, directory.ca_pem.as_deref()).await
        };
        let step = Step::Tls;
        let stream = tokio::time::timeout(CONNECT_TIMEOUT, tls)
            .await
            .map_err(|_| ServerFault::Silent { step, within: CONNECT_TIMEOUT })??;
        behind_guard(stream, &mut tasks).await
    } else {
        behind_guard(tcp, &mut tasks).await
    };
    let (driver, mut ldap) = library.map_err(|error| ServerFault::Protocol(Detail::verbatim(error)))?;
    tasks.spawn(async move {
        if let Err(error) = driver.drive().await {
            tracing::debug!(%error, "the directory connection ended");
        }
    });
    if let Some((dn, password)) = &directory.bind {
        let step = Step::Bind;
        let bound = tokio::time::timeout(operation_timeout, ldap.simple_bind(dn, password))
            .await
            .map_err(|_| ServerFault::Silent { step, within: operation_timeout })?
            .map_err(|error| ServerFault::Protocol(Detail::verbatim(error)))?;
        match bound.rc {
            0 => {}
            49 => return Err(ServerFault::Credentials(said(bound.rc, &bound.text))),
            _ => return Err(ServerFault::Bind(said(bound.rc, &bound.text))),
        }
    }
    Ok(Connection { ldap, tasks })
}

/// An empty password would be an anonymous bind that looks like a success (RFC 4513 §5.1.2); a password in the clear
/// does not leave the machine.
fn may_bind(dn: &str, password: &str, encrypted: bool, peer: SocketAddr) -> Result<(), ServerFault> {
    if dn.is_empty() || password.is_empty() {
        return Err(ServerFault::EmptyBind);
    }
    if !encrypted && !peer.ip().to_canonical().is_loopback() {
        return Err(ServerFault::Plaintext);
    }
    Ok(())
}

/// A result code with the server's own words, shortened, and what of them shows itself.
pub(super) fn said(rc: u32, text: &str) -> Detail {
    let text: String = dfu::text::plain(text).take(200).collect();
    if text.is_empty() {
        return Detail::new("ldap-result", format!("result code {rc}")).with("code", rc);
    }
    let words = format!("result code {rc}, {text}");
    Detail::new("ldap-result-said", words).with("code", rc).with("words", text)
}

/// An address that is none may hold anything, even a password: it is not repeated.
pub(super) fn shown(server: &str) -> &str {
    if Address::parse(server).is_some() { server } else { "tenant.json, ldap.servers" }
}

struct Address<'a> {
    host: &'a str,
    port: u16,
    tls: bool,
}

impl<'a> Address<'a> {
    fn parse(server: &'a str) -> Option<Self> {
        let (scheme, rest) = server.split_once("://")?;
        let (tls, usual) = match scheme.to_ascii_lowercase().as_str() {
            "ldap" => (false, 389),
            "ldaps" => (true, 636),
            _ => return None,
        };
        let (host, port) = tenant::grammar::split_authority(rest.strip_suffix('/').unwrap_or(rest))?;
        (!host.is_empty()).then_some(Self { host, port: port.unwrap_or(usual), tls })
    }
}

/// The library gets its end of a local socket pair, so it never sees the network itself.
async fn behind_guard(
    server: impl AsyncRead + AsyncWrite + Send + 'static,
    tasks: &mut JoinSet<()>,
) -> Result<(LdapConnAsync, Ldap), ldap3::LdapError> {
    let (ours, theirs, url) = os::ldap_pair().await?;
    tasks.spawn(async move {
        if let Err(fault) = guard::carry(server, ours).await {
            tracing::warn!(%fault, "the directory connection was cut");
        }
    });
    LdapConnAsync::with_settings(LdapConnSettings::new().set_std_stream(theirs), url).await
}

async fn start_tls(tcp: &mut TcpStream) -> Result<(), ServerFault> {
    tcp.write_all(START_TLS).await.map_err(|error| ServerFault::StartTls(Detail::verbatim(error)))?;
    let fail = |fault: guard::GuardFault| ServerFault::StartTls(Detail::from(&fault));
    let Some(answer) = guard::read_message(tcp).await.map_err(fail)? else {
        return Err(ServerFault::StartTls(Detail::new("ldap-closed", "it closed the connection")));
    };
    match guard::operation(&answer).map_err(fail)? {
        // ENUMERATED resultCode success
        (guard::EXTENDED_RESPONSE, [0x0a, 1, 0, ..]) => Ok(()),
        (guard::EXTENDED_RESPONSE, [0x0a, 1, code, ..]) => {
            Err(ServerFault::StartTls(said(u32::from(*code), "")))
        }
        _ => Err(ServerFault::Protocol(Detail::new(
            "ldap-starttls-answer",
            "StartTLS was answered by something else",
        ))),
    }
}

async fn connect_tls(
    tcp: TcpStream,
    host: &str,
    ca_pem: Option<&str>,
) -> Result<tokio_rustls::client::TlsStream<TcpStream>, ServerFault> {
    let name = ServerName::try_from(host.to_owned()).map_err(|_| ServerFault::Address)?;
    let config = tls_config(ca_pem)?;
    TlsConnector::from(config).connect(name, tcp).await.map_err(|error| {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            Some(rustls::Error::InvalidCertificate(reason)) => ServerFault::Certificate(reason.to_string()),
            _ => ServerFault::Tls(error.to_string()),
        }
    })
}

/// The machine's trust store, and the policy's authority beside it for this directory alone.
fn tls_config(ca_pem: Option<&str>) -> Result<Arc<rustls::ClientConfig>, ServerFault> {
    let authority = |error: &dyn std::fmt::Display| ServerFault::Authority(Detail::verbatim(error));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = Vec::new();
    if let Some(pem) = ca_pem {
        roots = CertificateDer::pem_slice_iter(pem.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| authority(&error))?;
        if roots.is_empty() {
            return Err(ServerFault::Authority(Detail::new("no-certificate", "it holds no certificate")));
        }
    }
    let verifier = rustls_platform_verifier::Verifier::new_with_extra_roots(roots, provider.clone())
        .map_err(|error| authority(&error))?;
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| ServerFault::Tls(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn addresses() {
        let parsed = |text| Address::parse(text).map(|a| (a.host.to_owned(), a.port, a.tls));
        assert_eq!(parsed("ldap://dc.example"), Some(("dc.example".to_owned(), 389, false)));
        assert_eq!(parsed("LDAPS://[::1]:6360/"), Some(("::1".to_owned(), 6360, true)));
        for bad in [
            "",
            "ldap:foo",
            "ldap:///",
            "ldap://",
            "ldapi:///",
            "ldap://u:p@dc",
            "ldap://dc/base",
            "http://dc",
        ] {
            assert_eq!(parsed(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_password_stays_here_or_is_encrypted() {
        let away: SocketAddr = "192.0.2.1:389".parse().unwrap();
        let here: SocketAddr = "[::ffff:127.0.0.1]:389".parse().unwrap();
        assert!(matches!(may_bind("cn=a", "pw", false, away), Err(ServerFault::Plaintext)));
        assert!(may_bind("cn=a", "pw", true, away).is_ok() && may_bind("cn=a", "pw", false, here).is_ok());
        assert!(matches!(may_bind("cn=a", "", true, here), Err(ServerFault::EmptyBind)));
        assert!(matches!(may_bind("", "pw", true, here), Err(ServerFault::EmptyBind)));
    }

    #[test]
    fn the_servers_words_are_shortened() {
        assert_eq!(said(53, "no\u{7}t now\n").text, "result code 53, not now");
        assert!(said(1, &"x".repeat(10_000)).text.len() < 250);
    }
}

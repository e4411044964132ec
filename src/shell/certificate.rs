//! The certificate of the HTTPS door: made once for this installation, useless anywhere else.
//!
//! A certificate authority (RFC 5280: path length 0, name-constrained to `localhost`, 127.0.0.1 and ::1) signs one
//! leaf and its key is dropped before anything is written, so that whoever trusts `ca.pem` trusts this one leaf and
//! nothing that could ever be made later. Files: `ca.pem` (0644), `leaf.pem` and `key.pem` (0600), folder 0700.

use crate::shell::os;
use crate::shell::private_file::{self, Durability, Readers};
use hub::protocol::Detail;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, NameConstraints,
};
use rustls::client::danger::ServerCertVerifier;
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Clocks that are a little behind accept a new certificate too.
const BACKDATED: Duration = DAY;
/// With [`BACKDATED`] 397 days: browsers refuse leaves of more than 398.
const VALID: Duration = DAY.saturating_mul(396);
/// Less than this left: it is made again, early enough to be noticed at a quiet time.
const RENEW_BEFORE: Duration = DAY.saturating_mul(30);
/// How long certificates last.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    pub valid: Duration,
    /// Less than this left: it is made again.
    pub renew_before: Duration,
}

impl Default for Terms {
    fn default() -> Self {
        Self { valid: VALID, renew_before: RENEW_BEFORE }
    }
}

/// Every name the door answers to.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// A leaf with its key, and the authority to trust.
#[derive(Debug)]
pub struct ServerCertificate {
    pub leaf: CertificateDer<'static>,
    pub key: PrivateKeyDer<'static>,
    /// PEM file for trust stores.
    pub ca_path: PathBuf,
    pub origin: Origin,
    /// Unix time of its last second.
    pub ends_s: u64,
}

/// Where a certificate came from.
#[derive(Debug)]
pub enum Origin {
    /// Read from its files.
    Kept,
    /// There was none before.
    First,
    /// Replaces one that was unusable: programs that trusted the old one must trust the new one.
    Renewed(Unusable),
}

/// Why the files that were there are not used.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    #[error("{path} is missing")]
    Missing { path: PathBuf },
    #[error("others could read {path}")]
    Exposed { path: PathBuf },
    #[error("{path} is not PEM with one certificate or key")]
    NotPem { path: PathBuf },
    #[error("the old one would soon have ended")]
    Ends,
    #[error("it is not valid, or not for this computer: {0}")]
    Refused(rustls::Error),
}

#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    #[error("cannot write {path}: {source}")]
    Write { path: PathBuf, source: io::Error },
    /// What is there may be good: nobody who trusts it is cut off because it could not be read.
    #[error("cannot read {path}: {source}")]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot make a certificate: {0}")]
    Make(#[from] rcgen::Error),
    #[error("the clock stands before 1970")]
    Clock,
}

impl From<&Unusable> for Detail {
    fn from(why: &Unusable) -> Self {
        match why {
            Unusable::Missing { path } => Detail::new("pem-missing", why).with("path", path.display()),
            Unusable::Exposed { path } => Detail::new("pem-exposed", why).with("path", path.display()),
            Unusable::NotPem { path } => Detail::new("pem-none", why).with("path", path.display()),
            Unusable::Ends => Detail::new("certificate-ends", why),
            Unusable::Refused(library) => Detail::new("certificate-refused", why).with("error", library),
        }
    }
}

impl From<&CertificateError> for Detail {
    fn from(error: &CertificateError) -> Self {
        match error {
            CertificateError::Write { path, source } => Detail::new("certificate-not-written", error)
                .with("path", path.display())
                .with("error", source),
            CertificateError::Read { path, source } => {
                Detail::new("pem-unreadable", error).with("path", path.display()).with("error", source)
            }
            CertificateError::Make(library) => {
                Detail::new("certificate-not-made", error).with("error", library)
            }
            CertificateError::Clock => Detail::new("certificate-clock", error),
        }
    }
}

/// Reads the certificate in `folder`, or makes one if there is none or it will not do for 30 days from `now`.
pub fn load_or_make(folder: &Path, now: SystemTime) -> Result<ServerCertificate, CertificateError> {
    Terms::default().load_or_make(folder, now)
}

impl Terms {
    /// Reads the certificate in `folder`, or makes one if there is none or it will not do for long enough.
    pub fn load_or_make(
        &self,
        folder: &Path,
        now: SystemTime,
    ) -> Result<ServerCertificate, CertificateError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let since_1970 = now.duration_since(UNIX_EPOCH).map_err(|_| CertificateError::Clock)?;
        let ca_path = folder.join("ca.pem");
        let origin = match self.load(folder, since_1970, &provider) {
            Ok(Some((leaf, key, ends_s))) => {
                return Ok(ServerCertificate { leaf, key, ca_path, origin: Origin::Kept, ends_s });
            }
            Ok(None) => Origin::First,
            Err(NotLoaded::Unusable(why)) => Origin::Renewed(why),
            Err(NotLoaded::Unreadable { path, source }) => {
                return Err(CertificateError::Read { path, source });
            }
        };
        let made = make(now, self.valid)?;
        let written = |path: &Path, source| CertificateError::Write { path: path.to_owned(), source };
        os::private_folder(folder).map_err(|e| written(folder, e))?;
        for (name, pem, readers) in [
            ("key.pem", &made.key_pem, Readers::Owner),
            ("leaf.pem", &made.leaf_pem, Readers::Owner),
            ("ca.pem", &made.ca_pem, Readers::Everyone),
        ] {
            let path = folder.join(name);
            private_file::replace(&path, pem.as_bytes(), readers, Durability::Disk)
                .map_err(|e| written(&path, e))?;
        }
        let ends_s = (since_1970 + self.valid).as_secs();
        Ok(ServerCertificate { leaf: made.leaf, key: made.key, ca_path, origin, ends_s })
    }

    /// `None` = neither a key nor an authority has ever been here.
    fn load(&self, folder: &Path, since_1970: Duration, provider: &Arc<CryptoProvider>) -> Loaded {
        let path = |name: &str| folder.join(name);
        let (key_path, ca_path) = (path("key.pem"), path("ca.pem"));
        let (key, ca) = match (read(&key_path, true)?, read(&ca_path, false)?) {
            (None, None) => return Ok(None),
            (Some(key), Some(ca)) => (key, ca),
            (None, Some(_)) => return Err(Unusable::Missing { path: key_path }.into()),
            (Some(_), None) => return Err(Unusable::Missing { path: ca_path }.into()),
        };
        let Some(leaf) = read(&path("leaf.pem"), false)? else {
            return Err(Unusable::Missing { path: path("leaf.pem") }.into());
        };
        let key = PrivateKeyDer::from_pem_slice(&key).map_err(|_| Unusable::NotPem { path: key_path })?;
        let certificate = |name: &str, bytes: &[u8]| {
            CertificateDer::from_pem_slice(bytes).map_err(|_| Unusable::NotPem { path: path(name) })
        };
        let (leaf, ca) = (certificate("leaf.pem", &leaf)?, certificate("ca.pem", &ca)?);
        // Fails if the key is not the leaf's.
        CertifiedKey::from_der(vec![leaf.clone()], key.clone_key(), provider).map_err(Unusable::Refused)?;
        let (begins_s, ends_s) =
            validity(&leaf).ok_or_else(|| Unusable::NotPem { path: folder.join("leaf.pem") })?;
        // A clock that stands before the certificate is wrong, and one made by it would be, too: those who trust
        // this one would have been told to trust another for nothing.
        let at = since_1970.max(Duration::from_secs(begins_s));
        if (at + self.renew_before).as_secs() > ends_s {
            return Err(Unusable::Ends.into());
        }
        verify(&ca, &leaf, at, provider).map_err(Unusable::Refused)?;
        Ok(Some((leaf, key, ends_s)))
    }
}

type Loaded = Result<Option<(CertificateDer<'static>, PrivateKeyDer<'static>, u64)>, NotLoaded>;

enum NotLoaded {
    Unusable(Unusable),
    Unreadable { path: PathBuf, source: io::Error },
}

impl From<Unusable> for NotLoaded {
    fn from(why: Unusable) -> Self {
        Self::Unusable(why)
    }
}

/// First and last second, Unix time.
fn validity(certificate: &CertificateDer<'_>) -> Option<(u64, u64)> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
    let validity = parsed.validity();
    let seconds = |time: x509_parser::time::ASN1Time| u64::try_from(time.timestamp()).ok();
    Some((seconds(validity.not_before)?, seconds(validity.not_after)?))
}

/// Keys and certificates are some hundred bytes; what is larger is something else.
const MAX_PEM_BYTES: u64 = 16 * 1024;

/// `None` = there is no such file.
fn read(path: &Path, secret: bool) -> Result<Option<Vec<u8>>, NotLoaded> {
    let unreadable = |source| NotLoaded::Unreadable { path: path.to_owned(), source };
    let file = match os::open_own(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    if secret && os::open_to_others(&file).map_err(unreadable)? {
        return Err(Unusable::Exposed { path: path.to_owned() }.into());
    }
    let mut bytes = Vec::new();
    io::Read::read_to_end(&mut io::Read::take(file, MAX_PEM_BYTES), &mut bytes).map_err(unreadable)?;
    Ok(Some(bytes))
}

/// What a softphone that trusts `ca` would say of `leaf` at that time, for every name of the door.
fn verify(
    ca: &CertificateDer<'static>,
    leaf: &CertificateDer<'_>,
    since_1970: Duration,
    provider: &Arc<CryptoProvider>,
) -> Result<(), rustls::Error> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(ca.clone())?;
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .build()
        .map_err(|e| rustls::Error::General(e.to_string()))?;
    let [first, others @ ..] =
        NAMES.map(|name| ServerName::try_from(name).expect("invariant: NAMES are valid names"));
    verifier.verify_server_cert(leaf, &[], &first, &[], UnixTime::since_unix_epoch(since_1970))?;
    // The signature is the same for every name, and costs far more than a name.
    let leaf = ParsedCertificate::try_from(leaf)?;
    others.iter().try_for_each(|name| verify_server_name(&leaf, name))
}

struct Made {
    leaf: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
    leaf_pem: String,
    key_pem: String,
    ca_pem: String,
}

fn make(now: SystemTime, valid: Duration) -> Result<Made, rcgen::Error> {
    let ca_key = KeyPair::generate()?;
    let mut ca = CertificateParams::default();
    // A name of its own for each installation, so that people can tell them apart in a trust store.
    let mark = crate::shell::secret::hex(&ca_key.public_key_raw()[1..5]);
    ca.distinguished_name = rcgen::DistinguishedName::new();
    ca.distinguished_name.push(DnType::OrganizationName, "Hookswitch");
    ca.distinguished_name.push(DnType::CommonName, format!("Hookswitch on this computer only ({mark})"));
    ca.not_before = (now - BACKDATED).into();
    ca.not_after = (now + valid).into();
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    ca.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![
            GeneralSubtree::DnsName("localhost".to_owned()),
            GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(Ipv4Addr::LOCALHOST.into(), 32)),
            GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(Ipv6Addr::LOCALHOST.into(), 128)),
        ],
        excluded_subtrees: Vec::new(),
    });

    let key = KeyPair::generate()?;
    let mut leaf = CertificateParams::new(NAMES.map(str::to_owned))?;
    leaf.distinguished_name = rcgen::DistinguishedName::new();
    leaf.distinguished_name.push(DnType::CommonName, "Hookswitch");
    leaf.not_before = ca.not_before;
    leaf.not_after = ca.not_after;
    leaf.is_ca = IsCa::ExplicitNoCa;
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    leaf.use_authority_key_identifier_extension = true;

    let ca_certificate = ca.self_signed(&ca_key)?;
    let leaf = leaf.signed_by(&key, &Issuer::new(ca, ca_key))?;
    // The authority's key ended with the line above.
    Ok(Made {
        leaf: leaf.der().clone(),
        leaf_pem: leaf.pem(),
        key_pem: key.serialize_pem(),
        key: PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        ca_pem: ca_certificate.pem(),
    })
}

#[cfg(test)]
mod tests;

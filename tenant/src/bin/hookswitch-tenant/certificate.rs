//! The server's TLS certificate, and the authority that signed it and nothing else.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, NameConstraints,
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Apple's systems refuse server certificates that live longer than 398 days.
const LIFE: Duration = Duration::from_secs(396 * 24 * 60 * 60);

/// PEM texts. The authority's key is not among them: it was dropped after its one signature.
#[derive(Debug)]
pub(crate) struct Issued {
    pub(crate) ca_pem: String,
    pub(crate) server_pem: String,
    pub(crate) server_key_pem: String,
}

/// Issues a certificate for this machine's loopback names and the given hosts, from an authority of its own whose
/// name constraints allow exactly those.
pub(crate) fn issue(hosts: &[String], now: SystemTime) -> Result<Issued, rcgen::Error> {
    let mut names: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
    names.extend(
        hosts.iter().filter(|host| !["localhost", "127.0.0.1", "::1"].contains(&host.as_str())).cloned(),
    );

    let mut authority = CertificateParams::new(Vec::new())?;
    authority.distinguished_name.push(DnType::CommonName, "Hookswitch tenant authority (key destroyed)");
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    authority.name_constraints = Some(NameConstraints {
        permitted_subtrees: names.iter().map(|name| subtree(name)).collect(),
        excluded_subtrees: Vec::new(),
    });
    authority.not_before = (now - DAY).into();
    authority.not_after = (now + LIFE).into();

    let mut server = CertificateParams::new(names)?;
    server.distinguished_name.push(DnType::CommonName, "Hookswitch tenant");
    server.is_ca = IsCa::ExplicitNoCa;
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    server.use_authority_key_identifier_extension = true;
    server.not_before = (now - DAY).into();
    server.not_after = (now + LIFE).into();

    let authority_key = KeyPair::generate()?;
    let server_key = KeyPair::generate()?;
    let ca_pem = authority.self_signed(&authority_key)?.pem();
    let issuer = Issuer::new(authority, authority_key);
    let server_pem = server.signed_by(&server_key, &issuer)?.pem();
    Ok(Issued { ca_pem, server_pem, server_key_pem: server_key.serialize_pem() })
}

fn subtree(name: &str) -> GeneralSubtree {
    match name.parse::<IpAddr>() {
        Ok(address) => {
            let prefix = if address.is_ipv4() { 32 } else { 128 };
            GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(address, prefix))
        }
        Err(_) => GeneralSubtree::DnsName(name.to_owned()),
    }
}

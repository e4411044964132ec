#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests of files")]

use super::*;
use std::os::unix::fs::PermissionsExt;

fn time(days: u64) -> SystemTime {
    UNIX_EPOCH + DAY * 20_000 + DAY * u32::try_from(days).unwrap()
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn check(folder: &Path, name: &str, at: SystemTime) -> Result<(), rustls::Error> {
    let ca = CertificateDer::from_pem_file(folder.join("ca.pem")).unwrap();
    let leaf = CertificateDer::from_pem_file(folder.join("leaf.pem")).unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots.add(ca).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .unwrap()
        .verify_server_cert(
            &leaf,
            &[],
            &ServerName::try_from(name.to_owned()).unwrap(),
            &[],
            UnixTime::since_unix_epoch(at.duration_since(UNIX_EPOCH).unwrap()),
        )
        .map(|_| ())
}

#[test]
fn files_have_their_modes_and_the_authority_has_no_key_on_disk() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("certificate");
    let made = load_or_make(&folder, time(0)).unwrap();
    assert!(matches!(made.origin, Origin::First), "{:?}", made.origin);
    assert_eq!(mode(&folder), 0o700);
    assert_eq!(mode(&folder.join("key.pem")), 0o600);
    assert_eq!(mode(&folder.join("leaf.pem")), 0o600);
    assert_eq!(mode(&folder.join("ca.pem")), 0o644);
    let names: std::collections::BTreeSet<_> =
        std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(names.into_iter().collect::<Vec<_>>(), ["ca.pem", "key.pem", "leaf.pem"]);
    // The only private key is the leaf's.
    let provider = aws_lc_rs::default_provider();
    let ca = CertificateDer::from_pem_file(folder.join("ca.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(folder.join("key.pem")).unwrap();
    assert!(CertifiedKey::from_der(vec![ca], key, &provider).is_err());
}

#[test]
fn a_softphone_that_trusts_it_accepts_the_loopback_names_and_nothing_else() {
    let home = tempfile::tempdir().unwrap();
    load_or_make(home.path(), time(0)).unwrap();
    for name in NAMES {
        check(home.path(), name, time(1)).unwrap();
    }
    for name in ["example.com", "127.0.0.2", "a.localhost", "::2"] {
        assert!(check(home.path(), name, time(1)).is_err(), "{name}");
    }
    assert!(check(home.path(), "localhost", time(397)).is_err(), "expired");
    check(home.path(), "localhost", time(395)).unwrap();
    let backdated = time(0) - Duration::from_secs(60 * 60 * 23);
    check(home.path(), "localhost", backdated).unwrap();
    assert!(check(home.path(), "localhost", time(0) - DAY * 2).is_err(), "not yet valid");
}

#[test]
fn the_authority_could_not_vouch_for_another_name_even_with_its_key() {
    // The same constraints on an authority whose key we do have: webpki refuses a leaf outside of them.
    let ca_key = KeyPair::generate().unwrap();
    let home = tempfile::tempdir().unwrap();
    load_or_make(home.path(), time(0)).unwrap();
    let ours = std::fs::read(home.path().join("ca.pem")).unwrap();
    let der = CertificateDer::from_pem_slice(&ours).unwrap();
    // id-ce-nameConstraints 2.5.29.30 is in the authority, marked critical (BOOLEAN TRUE follows).
    let oid = [0x55, 0x1d, 0x1e, 0x01, 0x01, 0xff];
    assert!(der.windows(oid.len()).any(|w| w == oid), "critical name constraints");
    // basicConstraints: CA TRUE, path length 0.
    let basic = [0x30, 0x06, 0x01, 0x01, 0xff, 0x02, 0x01, 0x00];
    assert!(der.windows(basic.len()).any(|w| w == basic), "path length 0");

    let mut ca = CertificateParams::default();
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    ca.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![GeneralSubtree::DnsName("localhost".to_owned())],
        excluded_subtrees: Vec::new(),
    });
    let anchor = ca.self_signed(&ca_key).unwrap();
    let leaf_key = KeyPair::generate().unwrap();
    let mut leaf = CertificateParams::new(vec!["example.com".to_owned()]).unwrap();
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let leaf = leaf.signed_by(&leaf_key, &Issuer::new(ca, ca_key)).unwrap();
    std::fs::write(home.path().join("ca.pem"), anchor.pem()).unwrap();
    std::fs::write(home.path().join("leaf.pem"), leaf.pem()).unwrap();
    let refused = check(home.path(), "example.com", time(0)).unwrap_err().to_string();
    assert!(refused.contains("NameConstraint"), "{refused}");
}

#[test]
fn it_is_kept_until_thirty_days_before_its_end() {
    let home = tempfile::tempdir().unwrap();
    let first = load_or_make(home.path(), time(0)).unwrap();
    let kept = load_or_make(home.path(), time(365)).unwrap();
    assert!(matches!(kept.origin, Origin::Kept), "{:?}", kept.origin);
    assert_eq!(first.leaf, kept.leaf);
    assert_eq!(first.key, kept.key);
    let renewed = load_or_make(home.path(), time(367)).unwrap();
    assert!(matches!(renewed.origin, Origin::Renewed(Unusable::Ends)), "{:?}", renewed.origin);
    assert_ne!(first.leaf, renewed.leaf);
    check(home.path(), "localhost", time(367 + 390)).unwrap();
}

#[test]
fn damaged_or_exposed_files_are_made_again_and_it_says_why() {
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name);
    load_or_make(home.path(), time(0)).unwrap();

    std::fs::write(path("leaf.pem"), "-----BEGIN CERTIFICATE-----\nAAAA").unwrap();
    let origin = load_or_make(home.path(), time(0)).unwrap().origin;
    assert!(matches!(origin, Origin::Renewed(Unusable::NotPem { .. })), "{origin:?}");

    std::fs::remove_file(path("key.pem")).unwrap();
    let origin = load_or_make(home.path(), time(0)).unwrap().origin;
    assert!(matches!(origin, Origin::Renewed(Unusable::Missing { .. })), "{origin:?}");

    std::fs::write(path("key.pem"), KeyPair::generate().unwrap().serialize_pem()).unwrap();
    std::fs::set_permissions(path("key.pem"), std::fs::Permissions::from_mode(0o600)).unwrap();
    let origin = load_or_make(home.path(), time(0)).unwrap().origin;
    assert!(matches!(origin, Origin::Renewed(Unusable::Refused(_))), "{origin:?}");

    std::fs::set_permissions(path("key.pem"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let origin = load_or_make(home.path(), time(0)).unwrap().origin;
    assert!(matches!(origin, Origin::Renewed(Unusable::Exposed { .. })), "{origin:?}");
    assert_eq!(mode(&path("key.pem")), 0o600);

    let origin = load_or_make(home.path(), time(0)).unwrap().origin;
    assert!(matches!(origin, Origin::Kept), "{origin:?}");
}

/// The programs that trust it must not be cut off because a look at it failed.
#[test]
fn an_error_is_not_absence() {
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name);
    let first = load_or_make(home.path(), time(0)).unwrap();
    let planted = path("elsewhere.pem");
    std::fs::rename(path("key.pem"), &planted).unwrap();
    std::os::unix::fs::symlink(&planted, path("key.pem")).unwrap();
    for name in ["key.pem", "ca.pem"] {
        if name == "ca.pem" {
            std::fs::remove_file(path("key.pem")).unwrap();
            std::fs::rename(&planted, path("key.pem")).unwrap();
            std::fs::rename(path(name), path("kept.pem")).unwrap();
            std::fs::create_dir(path(name)).unwrap();
        }
        let error = load_or_make(home.path(), time(0)).expect_err("it cannot be read");
        assert!(matches!(&error, CertificateError::Read { path, .. } if path.ends_with(name)), "{error}");
    }
    std::fs::remove_dir(path("ca.pem")).unwrap();
    std::fs::rename(path("kept.pem"), path("ca.pem")).unwrap();
    let again = load_or_make(home.path(), time(0)).unwrap();
    assert_eq!(again.leaf, first.leaf, "it is still the same");
}

//! What is read before it is signed: the policy and every package it names, by the rules of those who will take them.
//! All faults are told, for the person who has to mend them.

use std::path::PathBuf;

use device_handlers::registry;
use dfu::FirmwareVersion;
use dfu::package::{LIMITS, Misfit, Package, PackageError, Product, Target};
use directory::filter::{FilterFault, Template};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use tenant::paths::POLICY_TARGET;
use tenant::policy::{Bind, FirmwarePolicy, GroupRule, PolicyDocument, PolicyError};
use thiserror::Error;

/// Something that would not do what its author wants.
#[derive(Debug, Error)]
pub(crate) enum Fault {
    #[error(transparent)]
    Policy(PolicyError),
    #[error(
        "{}: its file name cannot be a target name (1 to 128 of A-Z a-z 0-9 . _ -, other than {POLICY_TARGET}); rename it",
        .0.display()
    )]
    TargetName(PathBuf),
    #[error("{}: another --target has the same file name", .0.display())]
    TargetTwice(PathBuf),
    #[error("groups[{at}].rule.filter: {fault}")]
    Filter { at: usize, fault: FilterFault },
    #[error("ldap.ca_pem: {0}")]
    Authority(String),
    #[error("firmware[{at}].target: {target:?} is not published; add it with --target FILE")]
    MissingTarget { at: usize, target: String },
    #[error("firmware[{at}].target: {target:?} is no good firmware package: {why}")]
    Package { at: usize, target: String, why: PackageError },
    #[error("firmware[{at}].target: {target:?} would be refused by agents: {why}")]
    Misfit { at: usize, target: String, why: Misfit },
}

/// What the document says wrong by itself.
pub(crate) fn document(document: &PolicyDocument) -> Vec<Fault> {
    let mut faults: Vec<Fault> = document.faults().into_iter().map(Fault::Policy).collect();
    for (at, group) in document.groups.iter().enumerate() {
        let GroupRule::LdapQuery { filter, .. } = &group.rule else { continue };
        let here = format!("groups[{at}].rule.filter");
        let told = faults.iter().any(|fault| {
            let Fault::Policy(PolicyError::Text { path, .. } | PolicyError::Brackets { path }) = fault else {
                return false;
            };
            *path == here
        });
        if let (false, Err(fault)) = (told, Template::parse(filter)) {
            faults.push(Fault::Filter { at, fault });
        }
    }
    if let Some(pem) = document.ldap.as_ref().and_then(|ldap| ldap.ca_pem.as_ref()) {
        let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
        faults.extend(read.err().map(|error| Fault::Authority(error.to_string())));
    }
    faults
}

/// What a server keeps and a folder does not: whether the tenant will be one, publishing cannot know.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum Warning {
    #[error(
        "ldap.bind.password: whoever can read a folder reads this, too. Served as a folder, bind anonymously or by an \
         account that may do nothing but search"
    )]
    Secret,
    #[error("groups {}: a folder puts nobody into groups by hand; served as one, give them a query", .0.join(", "))]
    ByHand(Vec<String>),
}

pub(crate) fn warnings(document: &PolicyDocument) -> Vec<Warning> {
    let by_hand = document.groups.iter().filter(|group| matches!(group.rule, GroupRule::Manual {}));
    let by_hand: Vec<String> = by_hand.map(|group| group.id.clone()).collect();
    let secret = document.ldap.as_ref().is_some_and(|ldap| matches!(ldap.bind, Bind::Simple { .. }));
    let by_hand = (!by_hand.is_empty()).then_some(Warning::ByHand(by_hand));
    secret.then_some(Warning::Secret).into_iter().chain(by_hand).collect()
}

/// What is wrong with the package that firmware policy `at` names.
pub(crate) fn package(at: usize, firmware: &FirmwarePolicy, bytes: &[u8]) -> Vec<Fault> {
    let target = || firmware.target.clone();
    let package = match Package::open(bytes) {
        Ok(package) => package,
        Err(why) => return vec![Fault::Package { at, target: target(), why }],
    };
    let products: Vec<Product> = firmware
        .products
        .iter()
        .map(|product| {
            let (vid, pid) = (product.vendor_id, product.product_id);
            Product { target: Target { vid, pid }, dfu_pids: registry::describe(vid, pid).firmware.dfu_pids }
        })
        .collect();
    // A version that is none is a fault of the document.
    let wanted: Option<FirmwareVersion> = firmware.version.parse().ok();
    let misfits = package.misfits(&products, wanted).into_iter();
    misfits.map(|why| Fault::Misfit { at, target: target(), why }).collect()
}

/// Most bytes of a package that are worth reading: one more is refused as it stands.
pub(crate) const MOST_BYTES: usize = LIMITS.archive_bytes as usize;

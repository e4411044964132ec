//! What serde cannot see: bounds, character sets, and references from one part of the document to another.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use super::{
    ALL_USERS, Bind, Expected, FirmwarePolicy, Group, GroupRule, Ldap, MAX_ENTRIES, MAX_FILTER_CHARS,
    PolicyDocument, SCHEMA, Sdk, Support, USER_PLACEHOLDER,
};
use crate::grammar::{is_bcd_version, is_line, is_page_origin, is_slug, is_target_name, split_authority};
use crate::paths::POLICY_TARGET;

/// Why a document is refused. Every value error starts with the path of the value (`firmware[3].groups[0]`).
#[derive(Debug, Error)]
pub enum PolicyError {
    /// More bytes than a document may have.
    #[error("policy document: {got} bytes, at most {max} are read")]
    TooLarge {
        /// Bytes found.
        got: usize,
        /// Bytes allowed.
        max: usize,
    },
    /// Not JSON, or not the shape of a policy document.
    #[error("policy document: {0}")]
    Json(#[from] serde_json::Error),
    /// Another document version.
    #[error("schema: expected {SCHEMA}, got {got}; this program is too old or too new for the document")]
    Schema {
        /// Version found.
        got: u32,
    },
    /// A number outside its range.
    #[error("{path}: expected {min} to {max}, got {got}")]
    Range {
        /// Where.
        path: String,
        /// Smallest allowed.
        min: u32,
        /// Largest allowed.
        max: u32,
        /// Found.
        got: u32,
    },
    /// A list too short or too long.
    #[error("{path}: expected {min} to {max} entries, got {got}")]
    Count {
        /// Where.
        path: String,
        /// Fewest allowed.
        min: usize,
        /// Most allowed.
        max: usize,
        /// Found.
        got: usize,
    },
    /// A text too short, too long, or with characters it may not have. The text itself is not repeated: it may be
    /// long, or a secret.
    #[error("{path}: expected {expected}")]
    Text {
        /// Where.
        path: String,
        /// What belongs there.
        expected: Expected,
    },
    /// An id that is used twice.
    #[error("{path}: {id:?} is already the id of entry {first}")]
    Duplicate {
        /// Where it came again.
        path: String,
        /// The id.
        id: String,
        /// Index of its first use.
        first: usize,
    },
    /// A reference to a group that the document does not declare.
    #[error("{path}: no group {id:?} in this document (declare it under groups, or use {ALL_USERS:?})")]
    UnknownGroup {
        /// Where.
        path: String,
        /// The id.
        id: String,
    },
    /// A group that would ask a directory that is not described.
    #[error("{path}: the rule asks a directory, but the document has no ldap section")]
    NoDirectory {
        /// Where.
        path: String,
    },
    /// Brackets of a filter do not match.
    #[error("{path}: brackets do not match (RFC 4515; write \\28 and \\29 for brackets inside a value)")]
    Brackets {
        /// Where.
        path: String,
    },
    /// StartTLS inside TLS.
    #[error("{path}: start_tls is for ldap:// servers, this one is ldaps:// already")]
    StartTlsOverTls {
        /// Where.
        path: String,
    },
    /// A directory password that would cross a network in the clear.
    #[error("{path}: a simple bind would send its password unencrypted; use ldaps:// or start_tls")]
    PasswordInTheClear {
        /// Where.
        path: String,
    },
    /// A support section that names nobody.
    #[error("support: expected at least one of name, email, phone, url")]
    EmptySupport,
}

type Checked = Result<(), PolicyError>;

impl PolicyDocument {
    /// Checks bounds, character sets and references.
    ///
    /// # Errors
    /// The first fault found, with its path.
    pub fn validate(&self) -> Result<(), PolicyError> {
        if self.schema != SCHEMA {
            return Err(PolicyError::Schema { got: self.schema });
        }
        line("company", &self.company, 200, Expected::Line { most: 200 })?;
        if !(60..=604_800).contains(&self.polling_s) {
            let got = self.polling_s;
            return Err(PolicyError::Range { path: "polling_s".to_owned(), min: 60, max: 604_800, got });
        }
        if let Some(ldap) = &self.ldap {
            check_ldap(ldap)?;
        }
        let declared = check_groups(&self.groups, self.ldap.is_some())?;
        check_firmware(&self.firmware, &declared)?;
        check_sdk(&self.sdk)?;
        self.support.as_ref().map_or(Ok(()), check_support)
    }
}

fn check_ldap(ldap: &Ldap) -> Checked {
    const DN: Expected = Expected::DistinguishedName;
    count("ldap.servers", ldap.servers.len(), 1, 16)?;
    for (at, server) in ldap.servers.iter().enumerate() {
        let path = || format!("ldap.servers[{at}]");
        let (tls, host) = split_ldap_url(server).ok_or_else(|| text(path(), Expected::LdapServer))?;
        if tls && ldap.start_tls {
            return Err(PolicyError::StartTlsOverTls { path: path() });
        }
        let encrypted = tls || ldap.start_tls;
        if !encrypted && matches!(ldap.bind, Bind::Simple { .. }) && !is_loopback(host) {
            return Err(PolicyError::PasswordInTheClear { path: path() });
        }
    }
    line("ldap.base_dn", &ldap.base_dn, 1_024, DN)?;
    if let Bind::Simple { dn, password } = &ldap.bind {
        line("ldap.bind.dn", dn, 1_024, DN)?;
        if !(1..=1_024).contains(&password.expose().chars().count()) {
            return Err(text("ldap.bind.password", Expected::Password));
        }
    }
    match &ldap.ca_pem {
        Some(pem) if pem.chars().count() > 65_536 || !pem.contains("-----BEGIN CERTIFICATE-----") => {
            Err(text("ldap.ca_pem", Expected::CaPem))
        }
        _ => Ok(()),
    }
}

/// Whether the URL is `ldaps`, and its host.
fn split_ldap_url(url: &str) -> Option<(bool, &str)> {
    if url.len() > 300 {
        return None;
    }
    let (tls, rest) = match (url.strip_prefix("ldap://"), url.strip_prefix("ldaps://")) {
        (Some(rest), _) => (false, rest),
        (None, Some(rest)) => (true, rest),
        (None, None) => return None,
    };
    let (host, _port) = split_authority(rest)?;
    Some((tls, host))
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

fn check_groups(groups: &[Group], directory: bool) -> Result<BTreeSet<&str>, PolicyError> {
    count("groups", groups.len(), 0, MAX_ENTRIES)?;
    let mut seen = BTreeMap::new();
    for (at, group) in groups.iter().enumerate() {
        let path = |field: &str| format!("groups[{at}].{field}");
        if !is_slug(&group.id) || group.id == ALL_USERS {
            return Err(text(path("id"), Expected::GroupSlug));
        }
        unique(&mut seen, &group.id, at, || path("id"))?;
        line(path("name"), &group.name, 200, Expected::Line { most: 200 })?;
        if let GroupRule::LdapQuery { filter, base_dn } = &group.rule {
            if !directory {
                return Err(PolicyError::NoDirectory { path: path("rule") });
            }
            check_filter(&path("rule.filter"), filter)?;
            if let Some(dn) = base_dn {
                line(path("rule.base_dn"), dn, 1_024, Expected::DistinguishedName)?;
            }
        }
    }
    Ok(seen.into_keys().collect())
}

fn check_filter(path: &str, filter: &str) -> Checked {
    if !is_line(filter, 1, MAX_FILTER_CHARS) || !filter.starts_with('(') || !filter.ends_with(')') {
        return Err(text(path, Expected::Filter));
    }
    if !filter.contains(USER_PLACEHOLDER) {
        return Err(text(path, Expected::Placeholder));
    }
    let mut depth = 0_usize;
    let mut closed = false;
    for character in filter.chars() {
        match character {
            '(' if closed && depth == 0 => return Err(PolicyError::Brackets { path: path.to_owned() }),
            '(' => depth += 1,
            ')' => {
                depth =
                    depth.checked_sub(1).ok_or_else(|| PolicyError::Brackets { path: path.to_owned() })?;
                closed = true;
            }
            _ => {}
        }
    }
    if depth == 0 { Ok(()) } else { Err(PolicyError::Brackets { path: path.to_owned() }) }
}

fn check_firmware(policies: &[FirmwarePolicy], declared: &BTreeSet<&str>) -> Checked {
    count("firmware", policies.len(), 0, MAX_ENTRIES)?;
    let mut seen = BTreeMap::new();
    for (at, policy) in policies.iter().enumerate() {
        let path = |field: &str| format!("firmware[{at}].{field}");
        if !is_slug(&policy.id) {
            return Err(text(path("id"), Expected::Slug));
        }
        unique(&mut seen, &policy.id, at, || path("id"))?;
        count(path("groups"), policy.groups.len(), 1, MAX_ENTRIES)?;
        for (index, group) in policy.groups.iter().enumerate() {
            if group != ALL_USERS && !declared.contains(group.as_str()) {
                let path = format!("firmware[{at}].groups[{index}]");
                return Err(PolicyError::UnknownGroup { path, id: group.chars().take(64).collect() });
            }
        }
        if !is_line(&policy.name, 1, 200) {
            return Err(text(path("name"), Expected::Line { most: 200 }));
        }
        count(path("products"), policy.products.len(), 1, MAX_ENTRIES)?;
        if !is_bcd_version(&policy.version) {
            return Err(text(path("version"), Expected::BcdVersion));
        }
        if !is_target_name(&policy.target) || policy.target == POLICY_TARGET {
            return Err(text(path("target"), Expected::Target));
        }
    }
    Ok(())
}

fn check_sdk(sdk: &Sdk) -> Checked {
    count("sdk.approved", sdk.approved.len(), 0, MAX_ENTRIES)?;
    for (at, caller) in sdk.approved.iter().enumerate() {
        if !is_page_origin(caller) && !is_target_name(caller) {
            return Err(text(format!("sdk.approved[{at}]"), Expected::Caller));
        }
    }
    Ok(())
}

fn check_support(support: &Support) -> Checked {
    let Support { name, email, phone, url } = support;
    if [name, email, phone, url].iter().all(|field| field.is_none()) {
        return Err(PolicyError::EmptySupport);
    }
    if let Some(name) = name {
        line("support.name", name, 200, Expected::Line { most: 200 })?;
    }
    if let Some(phone) = phone {
        line("support.phone", phone, 64, Expected::Line { most: 64 })?;
    }
    let is_email = |email: &String| {
        is_line(email, 3, 254)
            && !email.chars().any(char::is_whitespace)
            && email
                .split_once('@')
                .is_some_and(|(user, host)| !user.is_empty() && !host.is_empty() && !host.contains('@'))
    };
    if email.as_ref().is_some_and(|email| !is_email(email)) {
        return Err(text("support.email", Expected::Email));
    }
    let is_url = |url: &String| {
        is_line(url, 9, 2_048) && url.starts_with("https://") && !url.chars().any(char::is_whitespace)
    };
    if url.as_ref().is_some_and(|url| !is_url(url)) {
        return Err(text("support.url", Expected::Url));
    }
    Ok(())
}

fn text(path: impl Into<String>, expected: Expected) -> PolicyError {
    PolicyError::Text { path: path.into(), expected }
}

fn line(path: impl Into<String>, value: &str, max: usize, expected: Expected) -> Checked {
    if is_line(value, 1, max) { Ok(()) } else { Err(text(path, expected)) }
}

fn count(path: impl Into<String>, got: usize, min: usize, max: usize) -> Checked {
    if (min..=max).contains(&got) {
        Ok(())
    } else {
        Err(PolicyError::Count { path: path.into(), min, max, got })
    }
}

fn unique<'a>(
    seen: &mut BTreeMap<&'a str, usize>,
    id: &'a str,
    at: usize,
    path: impl Fn() -> String,
) -> Checked {
    match seen.insert(id, at) {
        None => Ok(()),
        Some(first) => Err(PolicyError::Duplicate { path: path(), id: id.to_owned(), first }),
    }
}

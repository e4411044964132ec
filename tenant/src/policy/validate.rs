//! What serde cannot see: bounds, character sets, and references from one part of the document to another.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use super::deployment::{minute_of_day, unix_s};
use super::{
    ALL_USERS, Bind, Deployment, Expected, FirmwarePolicy, Group, GroupRule, Ldap, MAX_ENTRIES,
    MAX_FILTER_CHARS, MOST_DEFERRALS, PolicyDocument, SCHEMA, Sdk, Support, USER_PLACEHOLDER,
};
use crate::grammar::{
    is_dn, is_line, is_page_origin, is_program_path, is_slug, is_target_name, split_authority,
};
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
    /// Something that this deployment does not have.
    #[error("{path}: only with deployment {with}, and this one is \"{}\"", .found.name())]
    OtherDeployment {
        /// Where.
        path: String,
        /// Those that have it.
        with: &'static str,
        /// The one that is there.
        found: Deployment,
    },
    /// A support section that names nobody.
    #[error("support: expected at least one of name, email, phone, url")]
    EmptySupport,
}

/// Most faults that are told of one document.
const MAX_FAULTS: usize = 1_000;

/// What is wrong, one after the other.
#[derive(Default)]
struct Faults(Vec<PolicyError>);

impl PolicyDocument {
    /// Checks bounds, character sets and references.
    ///
    /// # Errors
    /// The first fault found, with its path.
    pub fn validate(&self) -> Result<(), PolicyError> {
        self.faults().into_iter().next().map_or(Ok(()), Err)
    }

    /// All that [`PolicyDocument::validate`] finds, for the person who writes the document.
    #[must_use]
    pub fn faults(&self) -> Vec<PolicyError> {
        let mut faults = Faults::default();
        if self.schema != SCHEMA {
            // What the fields mean there is not known here.
            return vec![PolicyError::Schema { got: self.schema }];
        }
        faults.line("company", &self.company, 200, Expected::Line { most: 200 });
        if !(60..=604_800).contains(&self.polling_s) {
            let got = self.polling_s;
            faults.add(PolicyError::Range { path: "polling_s".to_owned(), min: 60, max: 604_800, got });
        }
        if let Some(ldap) = &self.ldap {
            faults.ldap(ldap);
        }
        let declared = faults.groups(&self.groups, self.ldap.is_some());
        faults.firmware(&self.firmware, &declared);
        faults.sdk(&self.sdk);
        if let Some(support) = &self.support {
            faults.support(support);
        }
        faults.0
    }
}

impl Faults {
    fn add(&mut self, fault: PolicyError) {
        if self.0.len() < MAX_FAULTS {
            self.0.push(fault);
        }
    }

    fn text(&mut self, good: bool, path: impl Into<String>, expected: Expected) {
        if !good {
            self.add(PolicyError::Text { path: path.into(), expected });
        }
    }

    fn line(&mut self, path: impl Into<String>, value: &str, max: usize, expected: Expected) {
        self.text(is_line(value, 1, max), path, expected);
    }

    fn count(&mut self, path: impl Into<String>, got: usize, min: usize, max: usize) {
        if !(min..=max).contains(&got) {
            self.add(PolicyError::Count { path: path.into(), min, max, got });
        }
    }

    fn unique<'a>(&mut self, seen: &mut BTreeMap<&'a str, usize>, id: &'a str, at: usize, path: String) {
        match seen.get(id) {
            Some(first) => self.add(PolicyError::Duplicate { path, id: id.to_owned(), first: *first }),
            None => drop(seen.insert(id, at)),
        }
    }

    fn ldap(&mut self, ldap: &Ldap) {
        const DN: Expected = Expected::DistinguishedName;
        self.count("ldap.servers", ldap.servers.len(), 1, 16);
        for (at, server) in ldap.servers.iter().enumerate() {
            let path = || format!("ldap.servers[{at}]");
            let Some((tls, host)) = split_ldap_url(server) else {
                self.text(false, path(), Expected::LdapServer);
                continue;
            };
            if tls && ldap.start_tls {
                self.add(PolicyError::StartTlsOverTls { path: path() });
            }
            let encrypted = tls || ldap.start_tls;
            if !encrypted && matches!(ldap.bind, Bind::Simple { .. }) && !is_loopback(host) {
                self.add(PolicyError::PasswordInTheClear { path: path() });
            }
        }
        self.text(is_base(&ldap.base_dn), "ldap.base_dn", DN);
        if let Bind::Simple { dn, password } = &ldap.bind {
            self.line("ldap.bind.dn", dn, 1_024, DN);
            let length = password.expose().chars().count();
            self.text((1..=1_024).contains(&length), "ldap.bind.password", Expected::Password);
        }
        if let Some(pem) = &ldap.ca_pem {
            let good = pem.chars().count() <= 65_536 && pem.contains("-----BEGIN CERTIFICATE-----");
            self.text(good, "ldap.ca_pem", Expected::CaPem);
        }
    }

    /// The ids that are declared, the wrong ones too: a reference to one of those is no fault of its own.
    fn groups<'a>(&mut self, groups: &'a [Group], directory: bool) -> BTreeSet<&'a str> {
        self.count("groups", groups.len(), 0, MAX_ENTRIES);
        let mut seen = BTreeMap::new();
        for (at, group) in groups.iter().enumerate() {
            let path = |field: &str| format!("groups[{at}].{field}");
            self.text(is_slug(&group.id) && group.id != ALL_USERS, path("id"), Expected::GroupSlug);
            self.unique(&mut seen, &group.id, at, path("id"));
            self.line(path("name"), &group.name, 200, Expected::Line { most: 200 });
            if let GroupRule::LdapQuery { filter, base_dn } = &group.rule {
                if !directory {
                    self.add(PolicyError::NoDirectory { path: path("rule") });
                }
                self.filter(&path("rule.filter"), filter);
                if let Some(dn) = base_dn {
                    self.text(is_base(dn), path("rule.base_dn"), Expected::DistinguishedName);
                }
            }
        }
        seen.into_keys().collect()
    }

    fn filter(&mut self, path: &str, filter: &str) {
        if !is_line(filter, 1, MAX_FILTER_CHARS) || !filter.starts_with('(') || !filter.ends_with(')') {
            return self.text(false, path, Expected::Filter);
        }
        self.text(filter.contains(USER_PLACEHOLDER), path, Expected::Placeholder);
        let mut depth = 0_usize;
        let mut closed = false;
        for character in filter.chars() {
            match character {
                '(' if closed && depth == 0 => {
                    closed = false;
                    break;
                }
                '(' => depth += 1,
                ')' => {
                    closed = depth > 0;
                    depth = depth.saturating_sub(1);
                    if !closed {
                        break;
                    }
                }
                _ => {}
            }
        }
        if depth > 0 || !closed {
            self.add(PolicyError::Brackets { path: path.to_owned() });
        }
    }

    fn firmware(&mut self, policies: &[FirmwarePolicy], declared: &BTreeSet<&str>) {
        self.count("firmware", policies.len(), 0, MAX_ENTRIES);
        let mut seen = BTreeMap::new();
        for (at, policy) in policies.iter().enumerate() {
            let path = |field: &str| format!("firmware[{at}].{field}");
            self.text(is_slug(&policy.id), path("id"), Expected::Slug);
            self.unique(&mut seen, &policy.id, at, path("id"));
            self.count(path("groups"), policy.groups.len(), 1, MAX_ENTRIES);
            for (index, group) in policy.groups.iter().enumerate() {
                if group != ALL_USERS && !declared.contains(group.as_str()) {
                    let path = format!("firmware[{at}].groups[{index}]");
                    self.add(PolicyError::UnknownGroup { path, id: group.chars().take(64).collect() });
                }
            }
            self.line(path("name"), &policy.name, 200, Expected::Line { most: 200 });
            self.count(path("products"), policy.products.len(), 1, MAX_ENTRIES);
            let version = policy.version.parse::<dfu::FirmwareVersion>();
            self.text(version.is_ok(), path("version"), Expected::BcdVersion);
            let target = is_target_name(&policy.target) && policy.target != POLICY_TARGET;
            self.text(target, path("target"), Expected::Target);
            self.deployment(policy, path);
        }
    }

    fn deployment(&mut self, policy: &FirmwarePolicy, path: impl Fn(&str) -> String) {
        let found = policy.deployment;
        let deadline = policy.deadline.as_deref();
        let mut only = |there: bool, field: &str, with: &'static str| {
            if there {
                self.add(PolicyError::OtherDeployment { path: path(field), with, found });
            }
        };
        only(deadline.is_some() && found != Deployment::Persistent, "deadline", "\"persistent\"");
        let begins = match found {
            Deployment::Automatic => true,
            Deployment::Persistent => deadline.is_some(),
            Deployment::Optional | Deployment::Silent => false,
        };
        let with = "\"automatic\", or \"persistent\" with a deadline";
        only(policy.deferrals.is_some() && !begins, "deferrals", with);
        only(policy.window.is_some() && found != Deployment::Silent, "window", "\"silent\"");
        let point = deadline.is_none_or(|text| unix_s(text).is_some());
        self.text(point, path("deadline"), Expected::Timestamp);
        if let Some(got) = policy.deferrals.filter(|deferrals| *deferrals > MOST_DEFERRALS) {
            let (max, got) = (MOST_DEFERRALS.into(), got.into());
            self.add(PolicyError::Range { path: path("deferrals"), min: 0, max, got });
        }
        if let Some(window) = &policy.window {
            let (from, until) = (minute_of_day(&window.from), minute_of_day(&window.until));
            self.text(from.is_some(), path("window.from"), Expected::TimeOfDay);
            self.text(until.is_some(), path("window.until"), Expected::TimeOfDay);
            self.text(from.is_none() || from != until, path("window.until"), Expected::OtherTime);
        }
    }

    fn sdk(&mut self, sdk: &Sdk) {
        self.count("sdk.approved", sdk.approved.len(), 0, MAX_ENTRIES);
        for (at, caller) in sdk.approved.iter().enumerate() {
            let good = is_page_origin(caller) || is_program_path(caller) || is_target_name(caller);
            self.text(good, format!("sdk.approved[{at}]"), Expected::Caller);
        }
    }

    fn support(&mut self, support: &Support) {
        let Support { name, email, phone, url } = support;
        if [name, email, phone, url].iter().all(|field| field.is_none()) {
            self.add(PolicyError::EmptySupport);
        }
        if let Some(name) = name {
            self.line("support.name", name, 200, Expected::Line { most: 200 });
        }
        if let Some(phone) = phone {
            self.line("support.phone", phone, 64, Expected::Line { most: 64 });
        }
        let is_email = |email: &String| {
            is_line(email, 3, 254)
                && !email.chars().any(char::is_whitespace)
                && email
                    .split_once('@')
                    .is_some_and(|(user, host)| !user.is_empty() && !host.is_empty() && !host.contains('@'))
        };
        self.text(email.as_ref().is_none_or(is_email), "support.email", Expected::Email);
        let is_url = |url: &String| {
            is_line(url, 9, 2_048) && url.starts_with("https://") && !url.chars().any(char::is_whitespace)
        };
        self.text(url.as_ref().is_none_or(is_url), "support.url", Expected::Url);
    }
}

fn is_base(dn: &str) -> bool {
    is_line(dn, 1, 1_024) && is_dn(dn)
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

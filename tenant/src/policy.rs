//! The policy document `tenant.json`: what a company wants of its headsets.
//!
//! All lengths are in characters (Unicode scalar values), as JSON Schema counts them. Serde reads the shape,
//! [`PolicyDocument::validate`] everything else; [`PolicyDocument::from_json`] is both and the only way in for an
//! agent.

mod deployment;
mod expected;
mod validate;

use serde::{Deserialize, Deserializer, Serialize};

use crate::secret::Secret;
#[cfg(test)]
use crate::shape;
pub use deployment::{DEFERRALS, Deployment, MOST_DEFERRALS, Window};
pub use directory::{MAX_FILTER_CHARS, USER_PLACEHOLDER};
pub use expected::Expected;
pub use validate::PolicyError;

/// The only document version there is.
pub const SCHEMA: u32 = 1;
/// Largest document accepted, in bytes.
pub const MAX_DOCUMENT_BYTES: usize = 4 * 1024 * 1024;
/// Most groups, and most firmware policies.
pub const MAX_ENTRIES: usize = 1_000;
/// The group everybody is in. It needs no declaration, comes last, and its name cannot be taken.
pub const ALL_USERS: &str = "all-users";

/// What a company wants of its headsets. Read it with `PolicyDocument::from_json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PolicyDocument {
    /// Always 1.
    #[cfg_attr(test, schemars(extend("const" = SCHEMA)))]
    pub schema: u32,
    /// Name shown to people.
    #[cfg_attr(test, schemars(with = "shape::Name"))]
    pub company: String,
    /// Seconds between two polls, at most a week. Default: six hours.
    #[serde(default = "default_polling_s")]
    #[cfg_attr(test, schemars(range(min = 60, max = 604_800)))]
    pub polling_s: u32,
    /// The directory that LDAP group rules ask.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Ldap"))]
    pub ldap: Option<Ldap>,
    /// In order of priority the first match wins; equal priorities in document order.
    #[serde(default)]
    #[cfg_attr(test, schemars(length(max = MAX_ENTRIES)))]
    pub groups: Vec<Group>,
    /// Packages for the devices of some groups.
    #[serde(default)]
    #[cfg_attr(test, schemars(length(max = MAX_ENTRIES)))]
    pub firmware: Vec<FirmwarePolicy>,
    /// Who may use the softphone interface without asking the user.
    #[serde(default)]
    pub sdk: Sdk,
    /// Whom a person can ask.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Support"))]
    pub support: Option<Support>,
}

fn default_polling_s() -> u32 {
    21_600
}

/// An optional field is there or not; `null` is neither.
fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// How to reach the company's directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Ldap {
    /// URLs `ldap://host[:port]` or `ldaps://host[:port]`, tried in this order.
    #[cfg_attr(test, schemars(with = "Vec<shape::LdapUrl>", length(min = 1, max = 16)))]
    pub servers: Vec<String>,
    /// Where searches start.
    #[cfg_attr(test, schemars(with = "shape::BaseDn"))]
    pub base_dn: String,
    /// StartTLS (RFC 4511 §4.14) on `ldap://` servers before anything else is said. Not with `ldaps://`.
    #[serde(default)]
    pub start_tls: bool,
    /// Who asks.
    #[serde(default)]
    pub bind: Bind,
    /// Certificates (PEM) that servers of *this* directory may be signed by, beside the
    /// machine's own trust store. Trusted for nothing else.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        test,
        schemars(with = "String", length(max = 65_536), regex(pattern = "-----BEGIN CERTIFICATE-----"))
    )]
    pub ca_pem: Option<String>,
}

/// LDAP bind (RFC 4513 §5). Tagged by `method`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "method", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Bind {
    // Braces, because serde lets unknown fields pass beside a tagged unit variant.
    /// No name, no password.
    Anonymous {},
    /// Name and password; over a network only under TLS.
    Simple {
        /// Distinguished name.
        #[cfg_attr(test, schemars(with = "shape::Dn"))]
        dn: String,
        /// Not empty: that would be an anonymous bind that looks like a success
        /// (RFC 4513 §5.1.2).
        #[cfg_attr(test, schemars(with = "String", length(min = 1, max = 1_024)))]
        password: Secret,
    },
}

impl Default for Bind {
    fn default() -> Self {
        Self::Anonymous {}
    }
}

/// A set of users.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Unique, not `all-users`.
    #[cfg_attr(test, schemars(with = "shape::GroupId"))]
    pub id: String,
    /// Name shown to people.
    #[cfg_attr(test, schemars(with = "shape::Name"))]
    pub name: String,
    /// Lower comes first.
    pub priority: u32,
    /// Who is in it.
    pub rule: GroupRule,
}

/// How membership is found. Tagged by `kind`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum GroupRule {
    /// The user is in the group when the directory finds at least one entry.
    LdapQuery {
        /// RFC 4515 filter with `$user$` in it.
        #[cfg_attr(test, schemars(with = "shape::Filter"))]
        filter: String,
        /// Where this query starts, instead of `base_dn` of the directory.
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        #[cfg_attr(test, schemars(with = "shape::BaseDn"))]
        base_dn: Option<String>,
    },
    /// The tenant server keeps the list (`hookswitch-tenant assign`).
    Manual {},
}

/// A firmware package for the devices of some groups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FirmwarePolicy {
    /// Unique among firmware policies.
    #[cfg_attr(test, schemars(with = "shape::Slug"))]
    pub id: String,
    /// Ids of declared groups, or `all-users`.
    #[cfg_attr(test, schemars(with = "Vec<shape::Slug>", length(min = 1, max = MAX_ENTRIES)))]
    pub groups: Vec<String>,
    /// Name of the update shown to people.
    #[cfg_attr(test, schemars(with = "shape::Name"))]
    pub name: String,
    /// The products it is for: an agent offers it to these without fetching the package.
    #[cfg_attr(test, schemars(length(min = 1, max = MAX_ENTRIES)))]
    pub products: Vec<Product>,
    /// `bcdDevice` after the update, `1.20`. The package's own rules must agree.
    #[cfg_attr(test, schemars(with = "shape::BcdVersion"))]
    pub version: String,
    /// TUF target of the package; not `tenant.json`.
    #[cfg_attr(test, schemars(with = "shape::Target"))]
    pub target: String,
    /// How it reaches the device.
    pub deployment: Deployment,
    /// With `persistent`: from this point in time on (RFC 3339) it is `automatic`.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "shape::Timestamp"))]
    pub deadline: Option<String>,
    /// With `automatic`, or `persistent` and a deadline: how often the person can put it off. Default: 3.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "u8", range(max = MOST_DEFERRALS)))]
    pub deferrals: Option<u8>,
    /// With `silent`: when it may be done. Default: 22:00 to 05:00.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Window"))]
    pub window: Option<Window>,
}

/// A product by its USB ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// USB `idVendor`.
    pub vendor_id: u16,
    /// USB `idProduct` at run time (not in DFU mode).
    pub product_id: u16,
}

/// Softphone interface.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Sdk {
    /// Web origins exactly as browsers send them (`https://phone.example.com`, RFC 6454
    /// §6.2: lower case, no path, no default port), full paths of programs, or program ids.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "Vec<shape::Caller>", length(max = MAX_ENTRIES)))]
    pub approved: Vec<String>,
}

/// Whom to ask. At least one field.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(extend("minProperties" = 1)))]
#[serde(deny_unknown_fields)]
pub struct Support {
    /// Of the person or the team.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "shape::Name"))]
    pub name: Option<String>,
    /// `user@host`.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "shape::Email"))]
    pub email: Option<String>,
    /// As it is dialled.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "shape::Phone"))]
    pub phone: Option<String>,
    /// `https://…`.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "shape::Url"))]
    pub url: Option<String>,
}

impl PolicyDocument {
    /// A document that asks for nothing: what a new tenant starts with.
    pub fn empty(company: impl Into<String>) -> Self {
        Self {
            schema: SCHEMA,
            company: company.into(),
            polling_s: default_polling_s(),
            ldap: None,
            groups: Vec::new(),
            firmware: Vec::new(),
            sdk: Sdk::default(),
            support: None,
        }
    }

    /// Reads and validates a document.
    ///
    /// # Errors
    /// [`PolicyError::TooLarge`] before a byte is parsed, [`PolicyError::Json`] with line and column, or what
    /// [`PolicyDocument::validate`] finds.
    pub fn from_json(bytes: &[u8]) -> Result<Self, PolicyError> {
        let document = Self::unvalidated(bytes)?;
        document.validate()?;
        Ok(document)
    }

    /// Reads a document that [`PolicyDocument::faults`] are to be told of.
    ///
    /// # Errors
    /// [`PolicyError::TooLarge`] or [`PolicyError::Json`].
    pub fn unvalidated(bytes: &[u8]) -> Result<Self, PolicyError> {
        if bytes.len() > MAX_DOCUMENT_BYTES {
            return Err(PolicyError::TooLarge { got: bytes.len(), max: MAX_DOCUMENT_BYTES });
        }
        Ok(serde_json::from_slice(bytes)?)
    }

    /// The groups in the order in which the first match wins: by priority, lower first; equal priorities in
    /// document order. [`ALL_USERS`] is not listed; it follows the last.
    pub fn groups_by_priority(&self) -> Vec<&Group> {
        let mut groups: Vec<&Group> = self.groups.iter().collect();
        groups.sort_by_key(|group| group.priority);
        groups
    }
}

#[cfg(test)]
mod tests {
    use super::PolicyDocument;
    use crate::contract::{hold, input};

    #[test]
    fn the_policy_is_made_of_the_types() {
        let mut schema = input::<PolicyDocument>("Hookswitch policy document (tenant.json), schema 1");
        schema["$id"] = "https://hookswitch.example/schema/policy.schema.json".into();
        schema["$comment"] = "Beyond what a schema can say, a document is refused for: ids used twice, groups named but \
                              not declared, LDAP rules without an ldap section, filters whose brackets do not match, \
                              start_tls with ldaps://, a simple bind over an unencrypted network, ports out of range, \
                              origins with a default port, a deadline, deferrals or a window with a deployment that has \
                              none, windows that end when they begin, more than 4 MiB."
            .into();
        hold(env!("CARGO_MANIFEST_DIR"), "schema/policy.schema.json", &schema);
    }
}

//! The policy document `tenant.json`: what a company wants of its headsets.
//!
//! All lengths are in characters (Unicode scalar values), as JSON Schema counts them. Serde reads the shape,
//! [`PolicyDocument::validate`] everything else; [`PolicyDocument::from_json`] is both and the only way in for an
//! agent.

mod expected;
mod validate;

use serde::{Deserialize, Deserializer, Serialize};

use crate::secret::Secret;
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

/// The document. Read it with [`PolicyDocument::from_json`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyDocument {
    /// Always [`SCHEMA`].
    pub schema: u32,
    /// Name shown to people, 1 to 200 characters.
    pub company: String,
    /// Seconds between two polls, 60 to 604,800 (a week). Default 21,600 (six hours).
    #[serde(default = "default_polling_s")]
    pub polling_s: u32,
    /// The directory that LDAP group rules ask.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub ldap: Option<Ldap>,
    /// At most [`MAX_ENTRIES`]. See [`PolicyDocument::groups_by_priority`] for their order.
    #[serde(default)]
    pub groups: Vec<Group>,
    /// At most [`MAX_ENTRIES`].
    #[serde(default)]
    pub firmware: Vec<FirmwarePolicy>,
    /// Who may use the softphone interface without asking the user.
    #[serde(default)]
    pub sdk: Sdk,
    /// Whom a person can ask.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
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
#[serde(deny_unknown_fields)]
pub struct Ldap {
    /// 1 to 16 URLs `ldap://host[:port]` or `ldaps://host[:port]`, tried in this order.
    pub servers: Vec<String>,
    /// Where searches start, 1 to 1,024 characters.
    pub base_dn: String,
    /// StartTLS (RFC 4511 §4.14) on `ldap://` servers before anything else is said. Not with `ldaps://`.
    #[serde(default)]
    pub start_tls: bool,
    /// Who asks.
    #[serde(default)]
    pub bind: Bind,
    /// Certificates (PEM, at most 65,536 characters) that servers of *this* directory may be signed by, beside the
    /// machine's own trust store. Trusted for nothing else.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub ca_pem: Option<String>,
}

/// LDAP bind (RFC 4513 §5). Tagged by `method`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Bind {
    /// No name, no password. Braces, because serde lets unknown fields pass beside a tagged unit variant.
    Anonymous {},
    /// Name and password; over a network only under TLS.
    Simple {
        /// 1 to 1,024 characters.
        dn: String,
        /// 1 to 1,024 characters: an empty password would be an anonymous bind that looks like a success
        /// (RFC 4513 §5.1.2).
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
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Slug ([`crate::grammar::is_slug`]), unique, not [`ALL_USERS`].
    pub id: String,
    /// Name shown to people, 1 to 200 characters.
    pub name: String,
    /// Lower comes first.
    pub priority: u32,
    /// Who is in it.
    pub rule: GroupRule,
}

/// How membership is found. Tagged by `kind`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum GroupRule {
    /// The user is in the group when the directory finds at least one entry.
    LdapQuery {
        /// RFC 4515 filter, at most [`MAX_FILTER_CHARS`], with [`USER_PLACEHOLDER`] in it.
        filter: String,
        /// Replaces [`Ldap::base_dn`] for this query.
        #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
        base_dn: Option<String>,
    },
    /// The tenant server keeps the list (`hookswitch-tenant assign`).
    Manual {},
}

/// A firmware package for the devices of some groups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FirmwarePolicy {
    /// Slug, unique among firmware policies.
    pub id: String,
    /// 1 to [`MAX_ENTRIES`] ids of declared groups, or [`ALL_USERS`].
    pub groups: Vec<String>,
    /// Name of the update shown to people, 1 to 200 characters.
    pub name: String,
    /// The products it is for, 1 to [`MAX_ENTRIES`]: an agent offers it to these without fetching the package.
    pub products: Vec<Product>,
    /// `bcdDevice` after the update, `1.20` ([`dfu::FirmwareVersion`]). The package's own rules must agree.
    pub version: String,
    /// TUF target of the package ([`crate::grammar::is_target_name`]); not `tenant.json`.
    pub target: String,
    /// How it reaches the device.
    pub deployment: Deployment,
}

/// A product by its USB ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// USB `idVendor`.
    pub vendor_id: u16,
    /// USB `idProduct` at run time (not in DFU mode).
    pub product_id: u16,
}

/// Who starts an update, and what the user may do about it. Agents of this version know one way, [`Self::Optional`];
/// `hookswitch-tenant publish` refuses the others until they are built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Deployment {
    /// The user starts it, and may dismiss this version.
    Optional,
    /// The user starts it, and may defer but not dismiss.
    Persistent,
    /// The agent starts it, with visible progress; the user may defer a few times.
    Automatic,
    /// The agent starts it in the maintenance window.
    Silent,
}

/// Softphone interface.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sdk {
    /// At most [`MAX_ENTRIES`]: web origins exactly as browsers send them (`https://phone.example.com`, RFC 6454
    /// §6.2: lower case, no path, no default port) or program ids (target-name characters).
    #[serde(default)]
    pub approved: Vec<String>,
}

/// Whom to ask. At least one field.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Support {
    /// 1 to 200 characters.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Up to 254 characters.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// 1 to 64 characters.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// `https://…`, up to 2,048 characters.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
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

//! What agent and tenant server say to each other, as JSON over HTTPS.
//!
//! Requests carry `deny_unknown_fields`: a server that cannot keep a field says so instead of dropping it. Answers
//! (marked *tolerant*) do not: an agent must survive a newer server. Lengths are in characters. `validate` of each
//! request is called by the server before anything is stored; an agent may call it too.

mod validate;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::secret::Secret;
pub use validate::WireError;

/// Largest request body, in bytes, before and after decompression.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;
/// Most events in one batch.
pub const MAX_EVENTS: usize = 1_000;
/// Life of an access token, in seconds.
pub const ACCESS_TOKEN_LIFE_S: u32 = 3_600;

/// Asks for an access token. Also how an expired token is renewed: enrolling again is idempotent, and earlier
/// tokens of the same host stay good until they expire.
///
/// The first enrolment of a `system_id` pins `host_key`; from then on that host enrols with this key or, after the
/// operator's `hookswitch-tenant hosts reset`, with the next one. Another key is refused (409, code `host-key`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnrolRequest {
    /// `TENANT_ID` ([`crate::grammar::is_wire_id`]).
    pub tenant_id: String,
    /// `TENANT_TOKEN`, 1 to 256 characters.
    pub tenant_token: Secret,
    /// The host ([`crate::grammar::is_wire_id`]).
    pub system_id: String,
    /// The host's public key ([`crate::grammar::is_host_key`]); this request is signed by it ([`crate::proof`]).
    pub host_key: String,
}

/// *Tolerant.*
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolResponse {
    /// Bearer token (RFC 6750), bound to the `system_id` it was asked for.
    pub access_token: Secret,
    /// Seconds the token is good for.
    pub expires_in_s: u32,
    /// SHA-256 (lower-case hex) of the file at [`crate::paths::ROOT`]. Worth something only to a host that was
    /// installed without `TENANT_ROOT` and has never enrolled; every other host compares it with what it has.
    pub root_sha256: String,
}

/// A group a user is in, and the reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResolvedGroup {
    /// Id from the policy document, or `all-users`.
    pub id: String,
    /// For people, 1 to 500 characters: `the directory found uid=jane,ou=people`.
    pub why: String,
}

/// The machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostRegistration {
    /// Same as in the path.
    pub system_id: String,
    /// 1 to 255 characters.
    pub hostname: String,
    /// `linux`, `macos` or `windows`; 1 to 64 characters.
    pub os: String,
    /// 0 to 200 characters.
    pub os_version: String,
    /// 1 to 64 characters.
    pub agent_version: String,
    /// Groups the machine itself acts under while nobody is logged on; often none. At most 1,000.
    #[serde(default)]
    pub groups: Vec<ResolvedGroup>,
    /// The host whose data this machine was started with: its disk or its folder was copied. It has a `system_id` of
    /// its own since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copied_from: Option<String>,
}

/// A person at that machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserRegistration {
    /// Same as in the path ([`crate::grammar::is_user_name`]).
    pub user: String,
    /// Name for people, 1 to 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display: Option<String>,
    /// In order of priority, the one that counts first. At most 1,000.
    pub groups: Vec<ResolvedGroup>,
}

/// A headset. Sent again whenever something of it changes, with `attached: false` when it is unplugged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceRegistration {
    /// Same as in the path ([`crate::grammar::is_wire_id`]).
    pub device_id: String,
    /// USB vendor id.
    pub vendor_id: u16,
    /// USB product id.
    pub product_id: u16,
    /// 0 to 200 characters.
    pub vendor: String,
    /// 0 to 200 characters.
    pub product: String,
    /// 1 to 200 characters; many devices have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// As the device reports it, 1 to 64 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firmware_version: Option<String>,
    /// Whether it is plugged in now.
    pub attached: bool,
    /// Where it is plugged in, in the spelling of the operating system; 1 to 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<String>,
}

/// One firmware update of one device. `event_id` names the update, not the message: `in-progress` may be followed
/// by one final verdict under the same id. Repeating a message changes nothing; `in-progress` after the end is stale
/// and ignored; a second, different end is refused (409).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpdateStatus {
    /// Same as in the path ([`crate::grammar::is_wire_id`]).
    pub event_id: String,
    /// The device ([`crate::grammar::is_wire_id`]).
    pub device_id: String,
    /// Firmware policy that asked for it ([`crate::grammar::is_wire_id`]).
    pub policy_id: String,
    /// Version before, when known; 1 to 64 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_version: Option<String>,
    /// Version wanted, 1 to 64 characters.
    pub target_version: String,
    /// The end, or not yet.
    pub verdict: Verdict,
    /// What the device reported when it was back; 1 to 64 characters. [`Verdict::Succeeded`] needs it, equal to
    /// `target_version`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_read_back: Option<String>,
    /// For people, 1 to 1,000 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// How an update ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The device came back and reported the target version.
    Succeeded,
    /// It is known not to have worked.
    Failed,
    /// Nothing could be read back.
    Unknown,
    /// Not ended yet.
    InProgress,
}

impl Verdict {
    /// Whether nothing more is to come.
    pub fn is_final(self) -> bool {
        self != Self::InProgress
    }
}

/// CloudEvents 1.0 JSON batch: 1 to [`MAX_EVENTS`] events, a bare JSON array on the wire. Sent as
/// [`crate::paths::EVENTS_MEDIA_TYPE`], plain or with `Content-Encoding: gzip`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventBatch(pub Vec<CloudEvent>);

/// One event. Unlike other requests it keeps unknown attributes: CloudEvents allows extensions (§3.2). An event is
/// the same event when host, `source` and `id` are the same (§3.1.1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CloudEvent {
    /// Always `1.0`.
    pub specversion: String,
    /// [`crate::grammar::is_wire_id`].
    pub id: String,
    /// URI reference, 1 to 300 characters, no white space.
    pub source: String,
    /// 1 to 200 characters.
    #[serde(rename = "type")]
    pub kind: String,
    /// RFC 3339 time stamp.
    pub time: String,
    /// 1 to 300 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Media type of `data`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datacontenttype: Option<String>,
    /// The payload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<serde_json::Value>,
    /// Extension attributes.
    #[serde(flatten)]
    pub extensions: BTreeMap<String, serde_json::Value>,
}

/// What became of a batch. *Tolerant.* The batch is on disk when this is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventsAnswer {
    /// Stored now.
    pub accepted: u32,
    /// Known before.
    pub duplicates: u32,
}

/// Groups the tenant put this user in by hand. *Tolerant.*
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManualGroups {
    /// Group ids, sorted.
    pub groups: Vec<String>,
}

/// *Tolerant.*
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// `ok`.
    pub status: String,
    /// [`crate::paths::CONTRACT`] of the server; 1 where it is not said.
    #[serde(default = "first_contract")]
    pub contract: u32,
}

fn first_contract() -> u32 {
    1
}

/// Why a request was refused (RFC 9457). *Tolerant.*
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// URI of the kind of problem: [`PROBLEM_PREFIX`] and a code.
    #[serde(rename = "type", default = "about_blank")]
    pub kind: String,
    /// Short, the same for every occurrence.
    #[serde(default)]
    pub title: String,
    /// The HTTP status again.
    #[serde(default)]
    pub status: u16,
    /// What was expected, what came, what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Before the code of a problem in its `type`.
pub const PROBLEM_PREFIX: &str = "urn:hookswitch:tenant:";

impl Problem {
    /// The stable code, `host-key` for example; `None` if the problem is somebody else's.
    pub fn code(&self) -> Option<&str> {
        self.kind.strip_prefix(PROBLEM_PREFIX)
    }
}

fn about_blank() -> String {
    "about:blank".to_owned()
}

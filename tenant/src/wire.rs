//! What agent and tenant server say to each other, as JSON over HTTPS.
//!
//! Requests carry `deny_unknown_fields`: a server that cannot keep a field says so instead of dropping it. Answers
//! (marked *tolerant*) do not: an agent must survive a newer server. Lengths are in characters. `validate` of each
//! request is called by the server before anything is stored; an agent may call it too.

#[cfg(test)]
mod bounds;
mod validate;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::secret::Secret;
#[cfg(test)]
use crate::shape;
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct EnrolRequest {
    /// `TENANT_ID`.
    #[cfg_attr(test, schemars(with = "shape::Id"))]
    pub tenant_id: String,
    /// `TENANT_TOKEN`.
    #[cfg_attr(test, schemars(with = "String", length(min = 1, max = 256)))]
    pub tenant_token: Secret,
    /// The host.
    #[cfg_attr(test, schemars(with = "shape::Id"))]
    pub system_id: String,
    /// The host's public key; this request is signed by it.
    #[cfg_attr(test, schemars(with = "shape::HostKey"))]
    pub host_key: String,
}

/// What a host gets that enrols. *Tolerant.*
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EnrolResponse {
    /// Bearer token (RFC 6750), bound to the `system_id` it was asked for.
    #[cfg_attr(test, schemars(with = "String"))]
    pub access_token: Secret,
    /// Seconds the token is good for.
    pub expires_in_s: u32,
    /// SHA-256 (lower-case hex) of `/metadata/1.root.json`. Worth something only to a host that was
    /// installed without `TENANT_ROOT` and has never enrolled; every other host compares it with what it has.
    #[cfg_attr(test, schemars(regex(pattern = "^[0-9a-f]{64}$")))]
    pub root_sha256: String,
}

/// A group a user is in, and the reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ResolvedGroup {
    /// Id from the policy document, or `all-users`.
    #[cfg_attr(test, schemars(with = "shape::Slug"))]
    pub id: String,
    /// For people: `the directory found uid=jane,ou=people`.
    #[cfg_attr(test, schemars(with = "String", length(min = 1, max = 500)))]
    pub why: String,
}

/// The machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HostRegistration {
    /// Same as in the path.
    #[cfg_attr(test, schemars(with = "shape::Id"))]
    pub system_id: String,
    /// Of the machine, as the system says.
    #[cfg_attr(test, schemars(with = "String", length(min = 1, max = 255)))]
    pub hostname: String,
    /// `linux`, `macos` or `windows`.
    #[cfg_attr(test, schemars(with = "String", length(min = 1, max = 64)))]
    #[cfg_attr(test, schemars(extend("examples" = ["linux", "macos", "windows"])))]
    pub os: String,
    /// As the system says.
    #[cfg_attr(test, schemars(with = "String", length(max = 200)))]
    pub os_version: String,
    /// Of the agent.
    #[cfg_attr(test, schemars(with = "shape::Version"))]
    pub agent_version: String,
    /// Groups the machine itself acts under while nobody is logged on. At most 1,000.
    #[serde(default)]
    #[cfg_attr(test, schemars(length(max = 1_000)))]
    pub groups: Vec<ResolvedGroup>,
    /// The host whose data this machine was started with: its disk or its folder was copied. It has a `system_id` of
    /// its own since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "shape::Id"))]
    pub copied_from: Option<String>,
}

/// A person at that machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct UserRegistration {
    /// Same as in the path.
    #[cfg_attr(test, schemars(with = "shape::UserName"))]
    pub user: String,
    /// Name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "String", length(min = 1, max = 200)))]
    pub display: Option<String>,
    /// In order of priority, the one that counts first. At most 1,000.
    #[cfg_attr(test, schemars(length(max = 1_000)))]
    pub groups: Vec<ResolvedGroup>,
}

/// A headset. Sent again whenever something of it changes, with `attached: false` when it is unplugged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DeviceRegistration {
    /// Same as in the path.
    #[cfg_attr(test, schemars(with = "shape::Id"))]
    pub device_id: String,
    /// USB vendor id.
    pub vendor_id: u16,
    /// USB product id.
    pub product_id: u16,
    /// Who made it.
    #[cfg_attr(test, schemars(with = "String", length(max = 200)))]
    pub vendor: String,
    /// What it is called.
    #[cfg_attr(test, schemars(with = "String", length(max = 200)))]
    pub product: String,
    /// Many devices have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "String", length(min = 1, max = 200)))]
    pub serial: Option<String>,
    /// As the device reports it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "shape::Version"))]
    pub firmware_version: Option<String>,
    /// Whether it is plugged in now.
    pub attached: bool,
    /// Where it is plugged in, in the spelling of the operating system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "String", length(min = 1, max = 200)))]
    pub port: Option<String>,
}

/// One firmware update of one device. `event_id` names the update, not the message: `in-progress` may be followed
/// by one final verdict under the same id. Repeating a message changes nothing; `in-progress` after the end is stale
/// and ignored; a second, different end is refused (409).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct UpdateStatus {
    /// Same as in the path.
    #[cfg_attr(test, schemars(with = "shape::Id"))]
    pub event_id: String,
    /// The device.
    #[cfg_attr(test, schemars(with = "shape::Id"))]
    pub device_id: String,
    /// Firmware policy that asked for it.
    #[cfg_attr(test, schemars(with = "shape::Id"))]
    pub policy_id: String,
    /// Version before, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "shape::Version"))]
    pub from_version: Option<String>,
    /// Version wanted.
    #[cfg_attr(test, schemars(with = "shape::Version"))]
    pub target_version: String,
    /// The end, or not yet.
    pub verdict: Verdict,
    /// What the device reported when it was back. `succeeded` needs it, equal to `target_version`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "shape::Version"))]
    pub version_read_back: Option<String>,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "String", length(min = 1, max = 1_000)))]
    pub detail: Option<String>,
}

/// How an update ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
    /// All there are.
    pub const ALL: [Self; 4] = [Self::Succeeded, Self::Failed, Self::Unknown, Self::InProgress];

    /// Whether nothing more is to come.
    pub fn is_final(self) -> bool {
        self != Self::InProgress
    }
}

/// CloudEvents 1.0 JSON batch: a bare JSON array on the wire, plain or with `Content-Encoding: gzip`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct EventBatch(#[cfg_attr(test, schemars(length(min = 1, max = MAX_EVENTS)))] pub Vec<CloudEvent>);

/// One event. Unlike other requests it keeps unknown attributes: CloudEvents allows extensions (§3.2). An event is
/// the same event when host, `source` and `id` are the same (§3.1.1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CloudEvent {
    /// Always `1.0`.
    #[cfg_attr(test, schemars(extend("const" = "1.0")))]
    pub specversion: String,
    /// With host and source it names the event.
    #[cfg_attr(test, schemars(with = "shape::Id"))]
    pub id: String,
    /// URI reference without white space.
    #[cfg_attr(test, schemars(with = "String", length(min = 1, max = 300)))]
    pub source: String,
    /// Which kind of event.
    #[serde(rename = "type")]
    #[cfg_attr(test, schemars(with = "String", length(min = 1, max = 200)))]
    pub kind: String,
    /// RFC 3339 time stamp.
    #[cfg_attr(test, schemars(extend("format" = "date-time")))]
    pub time: String,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "String", length(min = 1, max = 300)))]
    pub subject: Option<String>,
    /// Media type of `data`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "String", length(min = 1, max = 200)))]
    pub datacontenttype: Option<String>,
    /// The payload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "serde_json::Value"))]
    pub data: Option<serde_json::Value>,
    /// Extension attributes.
    #[serde(flatten)]
    pub extensions: BTreeMap<String, serde_json::Value>,
}

/// What became of a batch. *Tolerant.* The batch is on disk when this is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EventsAnswer {
    /// Stored now.
    pub accepted: u32,
    /// Known before.
    pub duplicates: u32,
}

/// Groups the tenant put this user in by hand. *Tolerant.*
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ManualGroups {
    /// Group ids, sorted.
    #[cfg_attr(test, schemars(with = "Vec<shape::Slug>"))]
    pub groups: Vec<String>,
}

/// Whether the server is there, and which contract it speaks. *Tolerant.*
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Health {
    /// `ok`.
    #[cfg_attr(test, schemars(extend("const" = "ok")))]
    pub status: String,
    /// Version of the contract that the server speaks; 1 where it is not said.
    #[serde(default = "first_contract")]
    #[cfg_attr(test, schemars(extend("const" = crate::paths::CONTRACT)))]
    pub contract: u32,
}

fn first_contract() -> u32 {
    1
}

/// Why a request was refused (RFC 9457). *Tolerant.*
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Problem {
    /// URI of the kind of problem: `urn:hookswitch:tenant:` and a code.
    #[serde(rename = "type", default = "about_blank")]
    pub kind: String,
    /// Short, the same for every occurrence.
    #[serde(default)]
    pub title: String,
    /// The HTTP status again.
    #[cfg_attr(test, schemars(range(min = 400, max = 599)))]
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

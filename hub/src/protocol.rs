//! Every word the machine role and the user role exchange, and what the command line asks of a running agent.
//!
//! The first message in each direction is a `Hello`; the machine role's carries its whole [`State`], after that only
//! changes follow, each of them a whole value (a device, the list of offers), so that losing none is enough to be
//! right. Frames are one JSON object a line. Golden files in `tests/golden/protocol/` freeze the spelling.

use serde::{Deserialize, Serialize};
use std::sync::Arc;

pub mod client;
mod job;
pub mod local;
pub mod printed;

pub use crate::problem::{Detail, Problem};
pub use job::{Job, JobPhase, PastUpdate, Stop};

/// Raised when an older peer would misread a message.
pub const PROTOCOL_VERSION: u32 = 4;

/// Identity of a headset across re-enumerations: `vvvv-pppp-serial`, or the port path where there is no serial.
pub type DeviceId = String;

/// The group everybody is in, last by priority. The tenant's contract calls it so.
pub const ALL_USERS: &str = "all-users";

/// What the machine role tells a user role.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum ToUser {
    Hello(Box<State>),
    /// Instead of a hello, to a user role of another version: nothing more is said.
    Refused {
        /// What the machine role speaks.
        protocol: u32,
    },
    /// A device came, or anything about it changed.
    DeviceChanged {
        device: Device,
    },
    DeviceRemoved {
        id: DeviceId,
    },
    /// The person did something at the device.
    DeviceEvent {
        id: DeviceId,
        event: DeviceEvent,
    },
    OffersChanged {
        offers: Vec<Offer>,
    },
    JobChanged {
        job: Option<Job>,
    },
    /// The updates that wait for their turn, all of them.
    QueueChanged {
        queue: Vec<Job>,
    },
    /// How the last updates ended, all that are remembered.
    HistoryChanged {
        #[serde(with = "job::shared")]
        history: Arc<[PastUpdate]>,
    },
    TenantChanged {
        tenant: TenantState,
    },
    /// All that is out of order at the machine now.
    TroublesChanged {
        troubles: Vec<Trouble>,
    },
    /// The person's groups were resolved anew.
    GroupsChanged {
        groups: Vec<ResolvedGroup>,
        problem: Option<Problem>,
    },
    /// The person came to the seat, or left it to another one.
    SeatChanged {
        active: bool,
    },
    /// To whoever is at the seat: an update waits for them, or `begins` by itself in a minute.
    UpdateAsks {
        offer: String,
        name: String,
        version: String,
        begins: bool,
        /// They may put it off.
        deferrable: bool,
    },
    /// Answer to the request with the same number.
    Answer {
        request: u64,
        problem: Option<Problem>,
    },
}

/// What a user role asks of the machine role. Whose user role it is, the system says: no word of it names a person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum ToMachine {
    Hello {
        protocol: u32,
    },
    /// Of the active seat; of any other it is not heard.
    SetIndicators {
        device: DeviceId,
        indicators: Indicators,
    },
    /// Begins it, or lets it wait for its turn.
    InstallUpdate {
        request: u64,
        offer: String,
    },
    /// Puts an offer off: an optional one until its version changes, a persistent or automatic one for four hours. A
    /// silent one cannot be put off.
    DeferUpdate {
        request: u64,
        offer: String,
    },
    CancelUpdate {
        request: u64,
        /// That one alone, whether it runs or waits; `None` = the one that runs.
        #[serde(default)]
        offer: Option<String>,
        /// Also where that leaves the headset without working firmware.
        #[serde(default)]
        anyway: bool,
    },
    /// Asks the tenant now; answered when it has answered.
    Poll {
        request: u64,
    },
}

/// Everything a user role needs to draw itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// [`PROTOCOL_VERSION`] of the machine role.
    pub protocol: u32,
    /// Whom the user role speaks for, as the system says.
    pub user: String,
    /// That person is at the seat: their calls light the headsets, what is pressed there is theirs.
    pub active: bool,
    pub devices: Vec<Device>,
    pub offers: Vec<Offer>,
    pub job: Option<Job>,
    /// Updates that wait for their turn, the next one first.
    #[serde(default)]
    pub queue: Vec<Job>,
    /// How the last updates of this computer's headsets ended, the last first.
    #[serde(default, with = "job::shared")]
    pub history: Arc<[PastUpdate]>,
    pub tenant: TenantState,
    /// The person's, as last resolved.
    pub groups: Vec<ResolvedGroup>,
    pub groups_problem: Option<Problem>,
    #[serde(default)]
    pub troubles: Vec<Trouble>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            protocol: PROTOCOL_VERSION,
            user: String::new(),
            active: true,
            devices: Vec::new(),
            offers: Vec::new(),
            job: None,
            queue: Vec::new(),
            history: Arc::default(),
            tenant: TenantState::default(),
            groups: Vec::new(),
            groups_problem: None,
            troubles: Vec::new(),
        }
    }
}

/// A part of the machine role that is out of order; the others go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    pub function: Function,
    pub problem: Problem,
}

/// What of the machine role can be out of order by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Function {
    Hid,
    Usb,
    Hotplug,
    Store,
    Tenant,
    /// Who this machine is: it may be a copy of another.
    Host,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Device {
    /// Vendor, product and serial number, or the port; stays the same when the headset comes back.
    pub id: DeviceId,
    pub vendor: String,
    pub product: String,
    pub vendor_id: u16,
    pub product_id: u16,
    pub serial: Option<String>,
    /// `bcdDevice` as `1.20`; the only version USB itself offers.
    pub firmware_version: String,
    /// USB port path, `1-2.3`; null where the system does not tell (Bluetooth, uhid).
    pub port: Option<String>,
    pub capabilities: Capabilities,
    pub status: DeviceStatus,
    /// The headset says it is in a call with any softphone (Line Busy Tone, 000B:0097).
    pub line_busy: bool,
    /// What does not work although the headset can be used. Absent if all does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Capabilities {
    pub call_control: bool,
    pub mute_sync: bool,
    pub ring: bool,
    pub hold: bool,
    pub reject: bool,
    pub redial: bool,
    pub line_busy: bool,
    pub teams: bool,
    /// The device offers a firmware update method this agent speaks.
    pub firmware_update: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum DeviceStatus {
    Ready,
    Updating,
    /// Its update was not finished and nothing runs: it has no working firmware, or may have none. It can do nothing
    /// until the update is installed again.
    NeedsFirmware {
        problem: Problem,
    },
    /// It is there but cannot be used: access denied, a descriptor that does not decode, …
    Unavailable {
        problem: Problem,
    },
}

/// What the lights of a headset should show. The headset decides which of them it has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Indicators {
    pub off_hook: bool,
    pub ring: bool,
    pub mute: bool,
    pub hold: bool,
}

/// A person's action at a headset, after the handshake rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeviceEvent {
    Answer,
    HangUp,
    Reject,
    /// The hook was lifted with nothing going on.
    DialTone,
    HoldToggle,
    MuteToggle,
    /// The device has a mute *state* and it is now on.
    MuteOn,
    MuteOff,
    Redial,
    TeamsButton,
}

/// A firmware update the policy offers for one device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Offer {
    /// For `hookswitch update install`: `<policy id>:<device id>`.
    pub id: String,
    pub device: DeviceId,
    pub policy: String,
    /// The package's name for people.
    pub name: String,
    pub from_version: String,
    pub to_version: String,
    pub deployment: Deployment,
    /// Id of the group that brought it.
    pub group: String,
    /// The person dismissed this version of an optional update.
    pub deferred: bool,
    /// The person may dismiss it, or put it off, now.
    #[serde(default)]
    pub deferrable: bool,
    /// How often an update that begins by itself can still be put off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deferrals_left: Option<u8>,
    /// What the agent does next by itself: it begins the update, or asks for it. Absent where the person begins it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Next>,
    /// Why it cannot be installed right now; null when it can.
    pub blocked: Option<Problem>,
}

/// When the agent goes on with an offer by itself, and what it waits for until then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Next {
    /// In Unix seconds; null = nobody knows.
    pub at_s: Option<u64>,
    pub waits_for: WaitsFor,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum WaitsFor {
    /// The person was told that it begins then.
    Notice,
    /// The hours that the policy names.
    Window,
    /// The person put it off.
    Deferral,
    /// After that a persistent update is an automatic one.
    Deadline,
    /// It failed, or could not be begun.
    Retry,
    /// The end of a call.
    Call,
    /// Another headset is written first.
    Turn,
    /// The company, which has the package, is out of reach.
    Company,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Deployment {
    Optional,
    Persistent,
    Automatic,
    Silent,
    /// The headset has no working firmware: it gets it again, whatever the policy says by now.
    Recovery,
}

/// A verdict is what was read back from the re-enumerated device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub enum Outcome {
    Succeeded {
        /// Read back from the headset.
        version: String,
    },
    Failed {
        problem: Problem,
    },
    Unknown {
        problem: Problem,
    },
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct TenantState {
    pub mode: TenantMode,
    pub server: Option<String>,
    pub company: Option<String>,
    pub enrolled: bool,
    /// Version of the signed policy in force (TUF targets version).
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub policy_version: Option<u64>,
    /// SHA-256 of the pinned root.json, hex.
    #[cfg_attr(test, schemars(regex(pattern = "^[0-9a-f]{64}$")))]
    pub root_sha256: Option<String>,
    /// Seconds since 1970; when that policy was last found to be the newest, in this run or before.
    #[serde(default)]
    pub policy_seen_s: Option<u64>,
    /// Seconds since 1970.
    pub last_poll_s: Option<u64>,
    /// Seconds since 1970; the company is asked then or a little later.
    #[serde(default)]
    pub next_poll_s: Option<u64>,
    /// Seconds between two polls.
    #[cfg_attr(test, schemars(range(min = 60, max = 604_800)))]
    pub polling_s: Option<u32>,
    /// Reports not yet taken by the tenant.
    pub outbox: u64,
    pub problem: Option<Problem>,
    /// Origins and programs the company approved for the SDK.
    pub sdk_approved: Vec<String>,
    pub support: Option<Support>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum TenantMode {
    /// No tenant: all local functions work.
    #[default]
    Consumer,
    Server,
    /// A signed folder: policy and firmware, and nothing is told it.
    Folder,
    /// A tenant is named, or may be, that this agent cannot use; `problem` says why. No other one can take its place.
    Locked,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Support {
    pub name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub url: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ResolvedGroup {
    pub id: String,
    pub name: String,
    /// The lowest is in force.
    pub priority: u32,
    pub why: Why,
}

/// Why a user is in a group. A claim that selects policy and authorises nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "by", rename_all = "kebab-case")]
pub enum Why {
    /// The query found the user; `$user$` stays a placeholder.
    LdapQuery {
        server: String,
        /// With `$user$` as a placeholder.
        filter: String,
    },
    Assigned,
    /// The directory did not answer: the answer of last time.
    LastKnown {
        problem: Problem,
    },
    Everyone,
}

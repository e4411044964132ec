//! The machine role, pure: attached headsets, the verified policy and what it plans, one firmware job at a time, and
//! what is owed to the tenant.
//!
//! Mutate with [`MachineRole::handle`], then drain [`MachineRole::poll_output`] until `None` (in order: a `Persist` is done
//! before what follows it), then wait for [`MachineRole::poll_timeout`]. No clock, file, device or socket here.

use crate::problem::Reason;
use crate::protocol::{Detail, DeviceId, Function, PastUpdate, Problem, ResolvedGroup, ToMachine, ToUser};
use crate::tenancy::TenantSource;
use crate::world::WorldChange;
use dfu::usb_dfu::{ControlTransfer, Phase, TransferError, UsbIdentity};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};
use tenant::policy::PolicyDocument;
use tenant::secret::Secret;
use tenant::wire::{
    CloudEvent, DeviceRegistration, HostRegistration, UpdateStatus, UserRegistration, Verdict,
};

pub mod deployment;
mod deviations;
pub mod fleet;
pub mod host;
pub mod outbox;
pub mod package;
pub mod people;
pub mod policy;
mod revision;
mod role;
pub mod session;
pub mod trust;
pub mod update;

pub use fleet::HidNode;
pub use host::{Identity, Marks};
pub use package::{Archive, Fetched, Fingerprint, JobId, Sha256, Source};
pub use people::rules::{DirectoryAnswer, GroupRules};
pub use role::MachineRole;
pub use session::{Dismissal, Peer, Seat, SessionId};
pub use trust::Verified;

/// The clocks, read once by the shell for each input.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// Also runs on while the machine sleeps.
    pub instant: Instant,
    pub unix_s: u64,
    /// How much of `instant` was sleep, since the program started.
    pub slept: Duration,
}

/// What the machine role is told about the machine it runs on.
#[derive(Clone, Debug)]
pub struct Config {
    pub agent_version: String,
    /// Who this machine is if the store does not know it yet.
    pub identity: Identity,
    pub hostname: String,
    pub os: String,
    pub os_version: String,
    pub tenancy: Tenancy,
    /// Where the computer is: windows are meant by the clock on the wall there.
    pub zone: TimeZone,
    /// Entropy for jitter and for ids of reports.
    pub seed: u64,
}

/// Which company this machine is of, as its settings say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tenancy {
    /// `None` = consumer mode, or `fault`.
    pub source: Option<TenantSource>,
    pub tenant_id: Option<String>,
    /// Why there is none although one is meant.
    pub fault: Option<Problem>,
    /// SHA-256 of the root.json that an earlier enrolment pinned; shown to the user.
    pub root_sha256: Option<String>,
}

impl Tenancy {
    /// Tells the tenant from all others; `None` = there is none. The same one under another token is no other. A folder is
    /// known by whose signature counts there and by nothing else that could be written into it.
    pub fn name(&self) -> Option<String> {
        let source = self.source.as_ref()?;
        let whose = if source.can_enrol() { &self.tenant_id } else { &self.root_sha256 };
        Some(format!("{} {}", source.address(), whose.as_deref().unwrap_or_default()))
    }

    /// Whether this machine makes itself known to it.
    pub(crate) fn can_enrol(&self) -> bool {
        self.source.as_ref().is_some_and(TenantSource::can_enrol)
    }

    /// Whether it takes reports.
    pub(crate) fn can_report(&self) -> bool {
        self.source.as_ref().is_some_and(TenantSource::can_report)
    }
}

/// Nobody has said anything of a company.
pub fn no_tenant() -> Problem {
    Reason::NoTenant.at("hookswitch.toml")
}

#[derive(Debug)]
pub enum Input {
    /// Everything that depends on it is looked at again.
    WorldChanged(WorldChange),
    /// The computer is in another time zone, or the rules of its own are others.
    ZoneChanged(TimeZone),
    Scanned(Scan),
    /// An [`Output::Scan`] brought nothing: what is on the buses is not known.
    ScanFailed,
    HidOpened {
        path: String,
        result: Result<(), Problem>,
    },
    HidReport {
        path: String,
        bytes: Vec<u8>,
    },
    /// What became of an [`Output::WriteHid`]; the error in the system's words.
    HidWritten {
        path: String,
        ticket: u64,
        result: Result<(), Detail>,
    },
    HidLost {
        path: String,
    },
    /// The answer to the last [`Output::Usb`] of this job but `Close`, which has none.
    UsbCompleted {
        job: JobId,
        result: Result<Vec<u8>, TransferError>,
    },
    /// A user role connected; who that is, the system says.
    UserCame {
        session: SessionId,
        peer: Peer,
    },
    User {
        session: SessionId,
        message: ToMachine,
    },
    /// It went, or died, or did not read what it was told.
    UserGone {
        session: SessionId,
    },
    SeatChanged(Seat),
    /// The answer to [`Output::AskDirectory`].
    Directory {
        user: String,
        answer: DirectoryAnswer,
    },
    Tenant(TenantAnswer),
    /// The settings say something else of the tenant now. What the one before was asked gets no answer.
    TenancyChanged(Tenancy),
    /// How far an [`Output::Fetch`] has come.
    FetchProgress {
        job: JobId,
        done_bytes: u64,
        total_bytes: u64,
    },
    /// The answer to an [`Output::Fetch`].
    Fetched {
        job: JobId,
        result: Fetched,
    },
    /// A [`Output::Persist`] did not reach the disk: what must not go on without it stops.
    StoreFailed {
        problem: Problem,
        /// The [`Output::Usb`] that followed it was not performed and gets no other answer. Those that were not polled
        /// yet are held back in any case.
        withheld: bool,
    },
    /// A part of the machine role that does not work; `None` = it works (again).
    Trouble {
        function: Function,
        problem: Option<Problem>,
    },
    /// The program ends: lights out, see [`MachineRole::has_stopped`].
    Stop,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Enumerate HID nodes, and USB devices if asked.
    Scan {
        usb: bool,
    },
    OpenHid {
        path: String,
    },
    /// Answered by [`Input::HidWritten`] with the same ticket; the next one for this node comes after that.
    WriteHid {
        path: String,
        ticket: u64,
        bytes: Vec<u8>,
    },
    CloseHid {
        path: String,
    },
    Usb {
        job: JobId,
        request: UsbRequest,
    },
    /// One at a time; answered by [`Input::Tenant`].
    Tenant(TenantRequest),
    /// The package of a job, beside all else; answered by [`Input::Fetched`] unless it is cancelled.
    Fetch {
        job: JobId,
        from: Source,
        /// What interrupted jobs need again: never thrown out of the packages on disk to make room.
        keep: BTreeSet<Sha256>,
    },
    /// Nothing more is asked for it: its transfer ends, what came stays on disk for another time, and its package is
    /// closed.
    JobEnded(JobId),
    Persist(Record),
    /// To each of them. The rooms leave it empty: the role knows whom their news concern.
    ToUser {
        to: Vec<SessionId>,
        message: ToUser,
    },
    /// End this session, after what it was told last. It is gone already: no [`Input::UserGone`] is needed.
    Dismiss {
        session: SessionId,
        why: Dismissal,
    },
    /// Ask the directory which of these rules find the user; answered by [`Input::Directory`]. They hold the
    /// directory's password, and stay in this process.
    AskDirectory {
        user: String,
        rules: GroupRules,
    },
    /// Keep the machine awake and on, or let it sleep again. Best effort, not answered.
    KeepAwake(bool),
}

impl Output {
    /// What a room has to say, to whom it may concern.
    fn news(message: ToUser) -> Self {
        Output::ToUser { to: Vec::new(), message }
    }
}

/// What was found on the buses.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scan {
    pub hid: Vec<HidNode>,
    /// `None` = not asked for, or the USB library did not answer.
    pub usb: Option<Vec<UsbDevice>>,
}

/// A USB device as enumerated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsbDevice {
    /// Given anew at each enumeration: the same identity at another address has been away.
    pub address: u8,
    pub identity: UsbIdentity,
}

/// One step of a firmware job at a USB device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UsbRequest {
    /// Open the device at `port` and claim `interface`.
    Open {
        port: String,
        interface: u8,
    },
    Control(ControlTransfer),
    Reset,
    Close,
}

/// What was in the store when the machine role started.
#[derive(Debug, Default)]
pub struct Persisted {
    /// Of each machine that ran with this data; the last used first.
    pub identities: Vec<Identity>,
    /// [`Tenancy::name`] of the one whose policy, credential, groups and reports these are. Older versions did not
    /// always write it down: then they are of the first one that the settings name.
    pub tenant: Option<String>,
    /// Last good policy.
    pub policy: Option<Verified<PolicyDocument>>,
    /// Unix seconds at which it was last found to be the newest.
    pub policy_seen_s: Option<u64>,
    pub credential: Option<Credential>,
    /// Firmware jobs that were interrupted, and those whose verdict may still be corrected; one for each device.
    pub journal: Vec<JournalEntry>,
    /// In the order they were written.
    pub owed: Vec<Owed>,
    /// Last known groups of each user.
    pub groups: Vec<(String, Vec<ResolvedGroup>)>,
    /// Ids that more than one headset laid claim to, see [`fleet::identity`].
    pub homes: fleet::identity::Homes,
    /// Headsets as the tenant was last told of them.
    pub devices: Vec<DeviceRegistration>,
    /// `(offer id, version)` the person put off.
    pub deferred: Vec<(String, String)>,
    /// How the last updates ended, the last first.
    pub history: Vec<PastUpdate>,
    pub deployments: Vec<deployment::Past>,
}

/// One change that must be on disk before the next output is performed.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// Replaces all of them.
    Identities(Vec<Identity>),
    /// Last good policy.
    Policy(Verified<PolicyDocument>),
    /// It was the newest at this time, in Unix seconds.
    PolicySeen(u64),
    /// [`Tenancy::name`] of the one whose all of that is from now on.
    Tenant(String),
    /// The one before is left: its policy, its credential, the groups, the headsets as it was told of them and what it is
    /// owed are forgotten.
    TenantLeft,
    /// `None` forgets it.
    Credential(Option<Credential>),
    /// Replaces the entry of its device.
    Journal(JournalEntry),
    JournalCleared {
        device: DeviceId,
    },
    Owed(Owed),
    /// These were taken by the tenant.
    Delivered(Vec<String>),
    Groups {
        user: String,
        groups: Vec<ResolvedGroup>,
    },
    /// All of them.
    Homes(fleet::identity::Homes),
    /// Headsets as the tenant is told of them now; replaces all.
    Devices(Vec<DeviceRegistration>),
    Deferred {
        offer: String,
        version: String,
    },
    /// How the last updates ended, the last first; replaces all.
    History(Vec<PastUpdate>),
    /// What became of offers that are not simply the person's; replaces all.
    Deployments(Vec<deployment::Past>),
}

/// A bearer token of the tenant. Never logged.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    pub access_token: String,
    pub expires_unix_s: u64,
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credential").field("expires_unix_s", &self.expires_unix_s).finish_non_exhaustive()
    }
}

/// Enough to find a device that was left in DFU mode, and to finish what was begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalEntry {
    pub offer: String,
    pub policy: String,
    /// [`Tenancy::name`] of whose policy that is: nobody else is told of it. `None` in entries of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    pub name: String,
    pub device: String,
    pub port: String,
    pub vendor_id: u16,
    pub product_id: u16,
    pub serial: Option<String>,
    pub from_version: String,
    pub target_version: String,
    /// TUF target name of the package.
    pub target: String,
    /// Which bytes that name stood for when the job began; `None` in entries of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<Fingerprint>,
    pub component: String,
    #[serde(with = "update::phase")]
    pub phase: Phase,
    /// How the headset calls itself; empty in entries of older versions.
    #[serde(default)]
    pub vendor: String,
    #[serde(default)]
    pub product: String,
    /// The verdict that was given last, if one was.
    #[serde(default)]
    pub said: Option<Verdict>,
    /// The device works: nothing is to be recovered, but what it says later may correct the verdict.
    #[serde(default)]
    pub works: bool,
}

/// A report the tenant has not taken yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Owed {
    /// Idempotency key, unique within this host: its beginning, the time, and 64 random bits.
    pub id: String,
    pub unix_s: u64,
    pub delivery: Delivery,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "body", rename_all = "kebab-case")]
pub enum Delivery {
    Host(HostRegistration),
    User(UserRegistration),
    Device(DeviceRegistration),
    Update(UpdateStatus),
    /// One CloudEvent; sent in batches.
    Event(CloudEvent),
}

/// What the shell's tenant room is asked; it performs one at a time and answers each.
#[derive(Clone, Debug, PartialEq)]
pub enum TenantRequest {
    /// The host's key is on disk: one that was lost would keep the host out.
    Enrol {
        system_id: String,
        host_key: Secret,
    },
    /// TUF refresh; the policy document if it is newer than `have`.
    FetchPolicy {
        have: Option<u64>,
    },
    /// Immediate reports singly; events (all of them `Delivery::Event`) as one batch.
    Deliver {
        system_id: String,
        owed: Vec<Owed>,
        token: String,
    },
    AssignedGroups {
        system_id: String,
        user: String,
        token: String,
    },
}

#[derive(Debug)]
pub enum TenantAnswer {
    Enrolled(Result<Enrolment, TenantFailure>),
    /// `None` = unchanged.
    Policy(Result<Option<Verified<PolicyDocument>>, TenantFailure>),
    Delivered(Result<Vec<String>, TenantFailure>),
    Assigned(Result<Vec<String>, TenantFailure>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Enrolment {
    pub credential: Credential,
    /// SHA-256 of the root.json now pinned.
    pub root_sha256: String,
}

/// Why the tenant room could not do what it was asked.
#[derive(Clone, Debug, PartialEq)]
pub struct TenantFailure {
    pub kind: FailureKind,
    pub problem: Problem,
    /// From `Retry-After`.
    pub retry_after: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// 401: the credential is no longer (or never was) good.
    Unauthorized,
    /// Name resolution, connect, TLS, time-out.
    Unreachable,
    /// 5xx and 429.
    ServerError,
    /// Other 4xx: asking again the same way will not help.
    Rejected,
    /// 404, 410: rejected, for there is no such thing.
    Absent,
    /// 416: rejected, for it has no such part.
    RangeNotSatisfiable,
    /// TUF or the document refused it: expired, rolled back, unsigned, oversize, invalid. The last good policy stays.
    Refused,
    /// Refused, for it is not what was signed.
    Mismatch,
}

impl FailureKind {
    /// The server will not do it, however often it is asked.
    pub fn is_rejection(self) -> bool {
        matches!(self, Self::Rejected | Self::Absent | Self::RangeNotSatisfiable)
    }

    /// What came is not trusted.
    pub fn is_refusal(self) -> bool {
        matches!(self, Self::Refused | Self::Mismatch)
    }
}

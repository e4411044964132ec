//! What softphones read and write: types of their own, frozen by `openapi.json` and `tests/golden/rest/`.
//!
//! A change here is a change of the public contract: members may be added, nothing may be renamed or removed in v1.

use super::reader::Reader;
use hub::protocol as p;
use hub::protocol::local::{self, View};
use hub::user::sdk::{CallChange, Cause, Change, Wish};
use serde::{Deserialize, Serialize};

/// The longest contact name a call may carry, in characters.
pub(super) const MAX_CONTACT_CHARS: usize = 256;

#[derive(Debug, Serialize)]
pub(super) struct Health {
    pub(super) product: &'static str,
    pub(super) version: String,
    /// Newest version of this API.
    pub(super) api: u32,
}

#[derive(Debug, Serialize)]
pub(super) struct Status {
    pub(super) version: String,
    pub(super) tenant: Tenant,
    /// Names of the user's groups; the first one is in force.
    pub(super) groups: Vec<String>,
    pub(super) problems: Vec<Problem>,
}

#[derive(Debug, Serialize)]
pub(super) struct Tenant {
    pub(super) mode: TenantMode,
    pub(super) company: Option<String>,
    pub(super) enrolled: bool,
    pub(super) policy_version: Option<u64>,
    pub(super) last_poll_s: Option<u64>,
    pub(super) problem: Option<Problem>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum TenantMode {
    Consumer,
    Server,
    Locked,
}

#[derive(Debug, Serialize)]
pub(super) struct Problem {
    pub(super) code: String,
    pub(super) what: String,
    #[serde(rename = "where")]
    pub(super) place: String,
    pub(super) next: String,
}

/// First event of a stream: everything, so that what follows are changes only.
#[derive(Debug, Serialize)]
pub(super) struct State {
    pub(super) version: String,
    pub(super) devices: Vec<Device>,
    pub(super) calls: Vec<Call>,
    pub(super) updates: Updates,
}

#[derive(Debug, Serialize)]
pub(super) struct Devices {
    pub(super) devices: Vec<Device>,
}

#[derive(Debug, Serialize)]
pub(super) struct Calls {
    pub(super) calls: Vec<Call>,
}

#[derive(Debug, Serialize)]
pub(super) struct Updates {
    pub(super) offers: Vec<Offer>,
    pub(super) job: Option<Job>,
    /// Updates that wait for their turn, the next one first.
    pub(super) queue: Vec<Job>,
}

#[derive(Debug, Serialize)]
pub(super) struct Device {
    pub(super) id: String,
    pub(super) vendor: String,
    pub(super) product: String,
    pub(super) vendor_id: u16,
    pub(super) product_id: u16,
    pub(super) serial: Option<String>,
    pub(super) firmware_version: String,
    pub(super) capabilities: Capabilities,
    pub(super) status: DeviceStatus,
    pub(super) line_busy: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct Capabilities {
    pub(super) call_control: bool,
    pub(super) mute_sync: bool,
    pub(super) ring: bool,
    pub(super) hold: bool,
    pub(super) reject: bool,
    pub(super) redial: bool,
    pub(super) line_busy: bool,
    pub(super) teams: bool,
    pub(super) firmware_update: bool,
}

#[derive(Debug, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub(super) enum DeviceStatus {
    Ready,
    Updating,
    NeedsFirmware { problem: Problem },
    Unavailable { problem: Problem },
}

#[derive(Debug, Serialize)]
pub(super) struct Call {
    pub(super) id: u64,
    pub(super) client: String,
    pub(super) direction: Direction,
    pub(super) state: CallState,
    pub(super) muted: bool,
    /// Only its owner reads it.
    pub(super) contact: Option<String>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Direction {
    Incoming,
    Outgoing,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum CallState {
    Ringing,
    Answered,
    Held,
    Ended,
}

#[derive(Debug, Serialize)]
pub(super) struct Offer {
    pub(super) id: String,
    pub(super) device: String,
    pub(super) name: String,
    pub(super) from_version: String,
    pub(super) to_version: String,
    pub(super) deployment: Deployment,
    pub(super) group: String,
    pub(super) deferred: bool,
    pub(super) blocked: Option<Problem>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Deployment {
    Optional,
    Persistent,
    Automatic,
    Silent,
    Recovery,
}

#[derive(Debug, Serialize)]
pub(super) struct Job {
    pub(super) offer: String,
    pub(super) device: String,
    pub(super) name: String,
    pub(super) from_version: String,
    pub(super) to_version: String,
    pub(super) phase: &'static str,
    pub(super) done_bytes: u64,
    pub(super) total_bytes: u64,
    pub(super) outcome: Option<Outcome>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub(super) enum Outcome {
    Succeeded { version: String },
    Failed { problem: Problem },
    Unknown { problem: Problem },
}

#[derive(Debug, Serialize)]
pub(super) struct DeviceEvent {
    pub(super) device: Device,
}

#[derive(Debug, Serialize)]
pub(super) struct DeviceRemovedEvent {
    pub(super) id: String,
}

#[derive(Debug, Serialize)]
pub(super) struct CallEvent {
    pub(super) what: &'static str,
    pub(super) cause: &'static str,
    pub(super) call: Call,
}

#[derive(Debug, Serialize)]
pub(super) struct WishEvent {
    pub(super) device: String,
    pub(super) wish: &'static str,
}

/// Body of `POST /v1/calls`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateCall {
    pub(super) direction: Direction,
    #[serde(default)]
    pub(super) contact: Option<String>,
    #[serde(default)]
    pub(super) muted: bool,
}

/// Body of a POST that says everything in its path: nothing, or `{}`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Empty {}

/// Answer to an accepted installation.
#[derive(Debug, Serialize)]
pub(super) struct Accepted {
    pub(super) offer: String,
}

/// Name and data of one event as `reader` may see it; `None` = it is not for them.
pub(super) fn event(
    change: &Change,
    reader: Reader<'_>,
) -> Option<(&'static str, serde_json::Result<String>)> {
    Some(match change {
        Change::DeviceChanged(device) => {
            ("device", serde_json::to_string(&DeviceEvent { device: Device::seen_by(device, reader) }))
        }
        Change::DeviceRemoved(id) => {
            ("device-removed", serde_json::to_string(&DeviceRemovedEvent { id: reader.device_id(id) }))
        }
        Change::Call { call, what, cause } => {
            let event = CallEvent {
                what: call_change(*what),
                cause: cause_word(*cause),
                call: Call::seen_by(call, reader),
            };
            ("call", serde_json::to_string(&event))
        }
        Change::DeviceWish { device, wish } => {
            let event = WishEvent { device: reader.device_id(device), wish: wish_word(*wish) };
            ("wish", serde_json::to_string(&event))
        }
        Change::Updates { .. } if reader.is_page() => return None,
        Change::Updates { offers, job, queue } => {
            ("updates", serde_json::to_string(&Updates::new(offers, job.as_ref(), queue)))
        }
    })
}

fn call_change(what: CallChange) -> &'static str {
    match what {
        CallChange::Ringing => "ringing",
        CallChange::Answered => "answered",
        CallChange::Held => "held",
        CallChange::Resumed => "resumed",
        CallChange::Muted => "muted",
        CallChange::Unmuted => "unmuted",
        CallChange::Rejected => "rejected",
        CallChange::Ended => "ended",
    }
}

fn cause_word(cause: Cause) -> &'static str {
    match cause {
        Cause::Device => "device",
        Cause::Softphone => "softphone",
        Cause::Agent => "agent",
    }
}

fn wish_word(wish: Wish) -> &'static str {
    match wish {
        Wish::DialTone => "dial-tone",
        Wish::Redial => "redial",
        Wish::Teams => "teams",
    }
}

impl State {
    pub(super) fn seen_by(view: &View, reader: Reader<'_>) -> Self {
        Self {
            version: view.version.clone(),
            devices: view.devices.iter().map(|device| Device::seen_by(device, reader)).collect(),
            calls: view.calls.iter().map(|call| Call::seen_by(call, reader)).collect(),
            updates: Updates::seen_by(view, reader),
        }
    }
}

impl Updates {
    /// Firmware is none of a page's business; that a headset is busy with it, its status says.
    pub(super) fn seen_by(view: &View, reader: Reader<'_>) -> Self {
        match reader.is_page() {
            true => Self { offers: Vec::new(), job: None, queue: Vec::new() },
            false => Self::new(&view.offers, view.job.as_ref(), &view.queue),
        }
    }

    pub(super) fn new(offers: &[p::Offer], job: Option<&p::Job>, queue: &[p::Job]) -> Self {
        Self {
            offers: offers.iter().map(Offer::from).collect(),
            job: job.map(Job::from),
            queue: queue.iter().map(Job::from).collect(),
        }
    }
}

impl Status {
    pub(super) fn seen_by(view: &View, reader: Reader<'_>) -> Self {
        let is_program = !reader.is_page();
        Self {
            version: view.version.clone(),
            tenant: Tenant {
                mode: match view.tenant.mode {
                    p::TenantMode::Consumer => TenantMode::Consumer,
                    p::TenantMode::Server => TenantMode::Server,
                    p::TenantMode::Locked => TenantMode::Locked,
                },
                company: view.tenant.company.clone().filter(|_| is_program),
                enrolled: view.tenant.enrolled,
                policy_version: view.tenant.policy_version.filter(|_| is_program),
                last_poll_s: view.tenant.last_poll_s.filter(|_| is_program),
                problem: view.tenant.problem.as_ref().map(|problem| Problem::seen_by(problem, reader)),
            },
            groups: view.groups.iter().filter(|_| is_program).map(|g| g.name.clone()).collect(),
            problems: view.problems.iter().map(|problem| Problem::seen_by(problem, reader)).collect(),
        }
    }
}

impl Problem {
    /// The code tells a page what it may say; the words are for the person.
    fn seen_by(problem: &p::Problem, reader: Reader<'_>) -> Self {
        if !reader.is_page() {
            return problem.into();
        }
        Self {
            code: problem.code.clone(),
            what: "Something does not work".to_owned(),
            place: "hookswitch".to_owned(),
            next: "Hookswitch's window tells the person more.".to_owned(),
        }
    }
}

impl From<&p::Problem> for Problem {
    fn from(problem: &p::Problem) -> Self {
        Self {
            code: problem.code.clone(),
            what: problem.what.clone(),
            place: problem.place.clone(),
            next: problem.next.clone(),
        }
    }
}

impl Device {
    pub(super) fn seen_by(device: &p::Device, reader: Reader<'_>) -> Self {
        let can = &device.capabilities;
        Self {
            id: reader.device_id(&device.id),
            vendor: device.vendor.clone(),
            product: device.product.clone(),
            vendor_id: device.vendor_id,
            product_id: device.product_id,
            serial: reader.serial(device.serial.as_ref()),
            firmware_version: device.firmware_version.clone(),
            capabilities: Capabilities {
                call_control: can.call_control,
                mute_sync: can.mute_sync,
                ring: can.ring,
                hold: can.hold,
                reject: can.reject,
                redial: can.redial,
                line_busy: can.line_busy,
                teams: can.teams,
                firmware_update: can.firmware_update,
            },
            status: match &device.status {
                p::DeviceStatus::Ready => DeviceStatus::Ready,
                p::DeviceStatus::Updating => DeviceStatus::Updating,
                p::DeviceStatus::NeedsFirmware { problem } => {
                    DeviceStatus::NeedsFirmware { problem: Problem::seen_by(problem, reader) }
                }
                p::DeviceStatus::Unavailable { problem } => {
                    DeviceStatus::Unavailable { problem: Problem::seen_by(problem, reader) }
                }
            },
            line_busy: device.line_busy,
        }
    }
}

impl Call {
    /// The contact's name is for the softphone that set it alone.
    pub(super) fn seen_by(call: &local::Call, reader: Reader<'_>) -> Self {
        Self {
            id: call.id,
            client: reader.client(call),
            direction: match call.direction {
                local::Direction::Incoming => Direction::Incoming,
                local::Direction::Outgoing => Direction::Outgoing,
            },
            state: match call.state {
                local::CallState::Ringing => CallState::Ringing,
                local::CallState::Answered => CallState::Answered,
                local::CallState::Held => CallState::Held,
                local::CallState::Ended => CallState::Ended,
            },
            muted: call.muted,
            contact: call.contact.clone().filter(|_| reader.owns(call)),
        }
    }
}

impl From<Direction> for local::Direction {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::Incoming => Self::Incoming,
            Direction::Outgoing => Self::Outgoing,
        }
    }
}

impl From<&p::Offer> for Offer {
    fn from(offer: &p::Offer) -> Self {
        Self {
            id: offer.id.clone(),
            device: offer.device.clone(),
            name: offer.name.clone(),
            from_version: offer.from_version.clone(),
            to_version: offer.to_version.clone(),
            deployment: match offer.deployment {
                p::Deployment::Optional => Deployment::Optional,
                p::Deployment::Persistent => Deployment::Persistent,
                p::Deployment::Automatic => Deployment::Automatic,
                p::Deployment::Silent => Deployment::Silent,
                p::Deployment::Recovery => Deployment::Recovery,
            },
            group: offer.group.clone(),
            deferred: offer.deferred,
            blocked: offer.blocked.as_ref().map(Problem::from),
        }
    }
}

impl From<&p::Job> for Job {
    fn from(job: &p::Job) -> Self {
        Self {
            offer: job.offer.clone(),
            device: job.device.clone(),
            name: job.name.clone(),
            from_version: job.from_version.clone(),
            to_version: job.to_version.clone(),
            phase: job.phase.name(),
            done_bytes: job.done_bytes,
            total_bytes: job.total_bytes,
            outcome: job.outcome.as_ref().map(|outcome| match outcome {
                p::Outcome::Succeeded { version } => Outcome::Succeeded { version: version.clone() },
                p::Outcome::Failed { problem } => Outcome::Failed { problem: problem.into() },
                p::Outcome::Unknown { problem } => Outcome::Unknown { problem: problem.into() },
            }),
        }
    }
}

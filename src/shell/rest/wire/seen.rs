//! What the agent knows, as one reader may see it.

use super::*;
use crate::shell::rest::reader::Reader;
use hub::locale::ProblemText;
use hub::protocol as p;
use hub::protocol::local::{self, View};
use hub::user::sdk::{self, Change};

/// One change as `reader` may see it; `None` = it is not for them.
pub(in super::super) fn event(change: &Change, reader: Reader<'_>) -> Option<Event> {
    Some(match change {
        Change::DeviceChanged(device) => {
            Event::Device(DeviceEvent { device: Device::seen_by(device, reader) })
        }
        Change::DeviceRemoved(id) => Event::DeviceRemoved(DeviceRemovedEvent { id: reader.device_id(id) }),
        Change::Call { call, what, cause } => Event::Call(CallEvent {
            what: (*what).into(),
            cause: (*cause).into(),
            call: Call::seen_by(call, reader),
        }),
        Change::DeviceWish { device, wish } => {
            Event::Wish(WishEvent { device: reader.device_id(device), wish: (*wish).into() })
        }
        Change::Updates { .. } if reader.is_page() => return None,
        Change::Updates { offers, job, queue } => {
            Event::Updates(UpdatesEvent(Updates::new(offers, job.as_ref(), queue)))
        }
    })
}

impl From<sdk::CallChange> for CallChange {
    fn from(what: sdk::CallChange) -> Self {
        match what {
            sdk::CallChange::Ringing => Self::Ringing,
            sdk::CallChange::Answered => Self::Answered,
            sdk::CallChange::Held => Self::Held,
            sdk::CallChange::Resumed => Self::Resumed,
            sdk::CallChange::Muted => Self::Muted,
            sdk::CallChange::Unmuted => Self::Unmuted,
            sdk::CallChange::Rejected => Self::Rejected,
            sdk::CallChange::Ended => Self::Ended,
        }
    }
}

impl From<sdk::Cause> for Cause {
    fn from(cause: sdk::Cause) -> Self {
        match cause {
            sdk::Cause::Device => Self::Device,
            sdk::Cause::Softphone => Self::Softphone,
            sdk::Cause::Agent => Self::Agent,
        }
    }
}

impl From<sdk::Wish> for Wish {
    fn from(wish: sdk::Wish) -> Self {
        match wish {
            sdk::Wish::DialTone => Self::DialTone,
            sdk::Wish::Redial => Self::Redial,
            sdk::Wish::Teams => Self::Teams,
        }
    }
}

impl State {
    pub(in super::super) fn seen_by(view: &View, reader: Reader<'_>) -> Self {
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
    pub(in super::super) fn seen_by(view: &View, reader: Reader<'_>) -> Self {
        match reader.is_page() {
            true => Self { offers: Vec::new(), job: None, queue: Vec::new() },
            false => Self::new(&view.offers, view.job.as_ref(), &view.queue),
        }
    }

    pub(in super::super) fn new(offers: &[p::Offer], job: Option<&p::Job>, queue: &[p::Job]) -> Self {
        Self {
            offers: offers.iter().map(Offer::from).collect(),
            job: job.map(Job::from),
            queue: queue.iter().map(Job::from).collect(),
        }
    }
}

impl Status {
    pub(in super::super) fn seen_by(view: &View, reader: Reader<'_>) -> Self {
        let is_program = !reader.is_page();
        Self {
            version: view.version.clone(),
            tenant: Tenant {
                mode: match view.tenant.mode {
                    p::TenantMode::Consumer => TenantMode::Consumer,
                    p::TenantMode::Server => TenantMode::Server,
                    p::TenantMode::Folder => TenantMode::Folder,
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
            code: problem.code.as_str().to_owned(),
            what: "Something does not work".to_owned(),
            place: "hookswitch".to_owned(),
            next: "Hookswitch's window tells the person more.".to_owned(),
        }
    }
}

impl From<&p::Problem> for Problem {
    fn from(problem: &p::Problem) -> Self {
        let ProblemText { what, place, next, .. } = problem.english();
        Self { code: problem.code.as_str().to_owned(), what, place, next }
    }
}

impl Device {
    pub(in super::super) fn seen_by(device: &p::Device, reader: Reader<'_>) -> Self {
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
    pub(in super::super) fn seen_by(call: &local::Call, reader: Reader<'_>) -> Self {
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

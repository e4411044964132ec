//! What softphones read and write: types of their own. `openapi.json` is made of them, and `tests/golden/rest/` holds what
//! they look like.
//!
//! A change here is a change of the public contract: members may be added, nothing may be renamed or removed in v1.

use hub::user::CallAction;
use serde::{Deserialize, Serialize};

mod seen;

pub(super) use hub::protocol::local::MAX_CONTACT;
pub(super) use seen::event;

/// How a softphone knows that it is this agent that answers.
pub(super) const PRODUCT: &str = "hookswitch";

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Health {
    #[cfg_attr(test, schemars(extend("const" = PRODUCT)))]
    pub(super) product: &'static str,
    pub(super) version: String,
    /// Newest version of this API.
    pub(super) api: u32,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Status {
    pub(super) version: String,
    pub(super) tenant: Tenant,
    /// Names of the user's groups; the first one is in force.
    pub(super) groups: Vec<String>,
    pub(super) problems: Vec<Problem>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Tenant {
    pub(super) mode: TenantMode,
    pub(super) company: Option<String>,
    pub(super) enrolled: bool,
    pub(super) policy_version: Option<u64>,
    /// Unix seconds.
    pub(super) last_poll_s: Option<u64>,
    pub(super) problem: Option<Problem>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(super) enum TenantMode {
    /// No company looks after this computer.
    Consumer,
    /// One does.
    Server,
    /// One does, by a signed folder that is told nothing.
    Folder,
    /// One does, but this agent cannot use its settings; `problem` says why.
    Locked,
}

/// What went wrong, where, and what to do next.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Problem {
    /// Stable, kebab-case.
    pub(super) code: String,
    pub(super) what: String,
    #[serde(rename = "where")]
    pub(super) place: String,
    pub(super) next: String,
}

/// Event `state`: the first of a stream, everything there is, so that what follows are changes only.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "StateEvent"))]
pub(super) struct State {
    pub(super) version: String,
    pub(super) devices: Vec<Device>,
    pub(super) calls: Vec<Call>,
    pub(super) updates: Updates,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Devices {
    pub(super) devices: Vec<Device>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Calls {
    pub(super) calls: Vec<Call>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Updates {
    pub(super) offers: Vec<Offer>,
    /// The firmware job that runs, or the last one that ended.
    pub(super) job: Option<Job>,
    /// Jobs that wait for their turn, the next one first: one headset is written at a time.
    pub(super) queue: Vec<Job>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Device {
    /// Stays the same when the headset is plugged in again.
    pub(super) id: String,
    pub(super) vendor: String,
    pub(super) product: String,
    pub(super) vendor_id: u16,
    pub(super) product_id: u16,
    pub(super) serial: Option<String>,
    pub(super) firmware_version: String,
    pub(super) capabilities: Capabilities,
    pub(super) status: DeviceStatus,
    /// The headset says that it is in a call, with whatever softphone.
    pub(super) line_busy: bool,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
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
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "state", rename_all = "kebab-case")]
pub(super) enum DeviceStatus {
    Ready,
    Updating,
    NeedsFirmware { problem: Problem },
    Unavailable { problem: Problem },
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Call {
    /// Not used again, also not after a restart of the agent. Below 2^53.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub(super) id: u64,
    /// The softphone that owns it, for people: an origin, or what a program calls itself. A page reads `other` for all but
    /// its own.
    pub(super) client: String,
    pub(super) direction: Direction,
    pub(super) state: CallState,
    pub(super) muted: bool,
    /// Null for everybody but the owner.
    pub(super) contact: Option<String>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(super) enum Direction {
    Incoming,
    Outgoing,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(super) enum CallState {
    Ringing,
    Answered,
    Held,
    Ended,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Offer {
    pub(super) id: String,
    pub(super) device: String,
    pub(super) name: String,
    pub(super) from_version: String,
    pub(super) to_version: String,
    pub(super) deployment: Deployment,
    /// The group whose policy offers it.
    pub(super) group: String,
    pub(super) deferred: bool,
    /// Why it cannot be installed right now.
    pub(super) blocked: Option<Problem>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(super) enum Deployment {
    Optional,
    Persistent,
    Automatic,
    Silent,
    Recovery,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Job {
    pub(super) offer: String,
    pub(super) device: String,
    pub(super) name: String,
    pub(super) from_version: String,
    pub(super) to_version: String,
    /// What is done right now, for example `downloading`. More such words may come.
    pub(super) phase: &'static str,
    pub(super) done_bytes: u64,
    pub(super) total_bytes: u64,
    pub(super) outcome: Option<Outcome>,
}

/// What was read back from the headset after the update.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub(super) enum Outcome {
    Succeeded { version: String },
    Failed { problem: Problem },
    Unknown { problem: Problem },
}

/// Event `device`: it came, or anything about it changed.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct DeviceEvent {
    pub(super) device: Device,
}

/// Event `device-removed`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct DeviceRemovedEvent {
    pub(super) id: String,
}

/// Event `call`: a call in its new state, what happened to it, and who did it.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct CallEvent {
    pub(super) what: CallChange,
    pub(super) cause: Cause,
    pub(super) call: Call,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(super) enum CallChange {
    Ringing,
    Answered,
    Held,
    Resumed,
    Muted,
    Unmuted,
    Rejected,
    Ended,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(super) enum Cause {
    /// The person, at the headset.
    Device,
    /// The softphone that owns the call.
    Softphone,
    /// The agent itself: it stops, or the softphone left.
    Agent,
}

/// Event `wish`: the person lifted the hook or pressed a key with nothing going on.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct WishEvent {
    pub(super) device: String,
    pub(super) wish: Wish,
}

#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub(super) enum Wish {
    DialTone,
    Redial,
    Teams,
}

/// Event `updates`.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct UpdatesEvent(pub(super) Updates);

/// The events of a stream: when each comes, its name, and its data.
macro_rules! events {
    ($($(#[doc = $when:literal])+ $name:literal: $variant:ident($data:ty),)+) => {
        #[derive(Debug)]
        pub(super) enum Event {
            $($(#[doc = $when])+ $variant($data),)+
        }

        impl Event {
            pub(super) fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $name,)+
                }
            }

            pub(super) fn data(&self) -> serde_json::Result<String> {
                match self {
                    $(Self::$variant(data) => serde_json::to_string(data),)+
                }
            }
        }

        /// Name, when it comes, and the schema of its data.
        #[cfg(test)]
        pub(super) fn events(
            schemas: &mut crate::contract::Schemas,
        ) -> Vec<(&'static str, &'static str, serde_json::Value)> {
            vec![$(($name, concat!($($when),+).trim(), schemas.said::<$data>()),)+]
        }
    };
}

events! {
    /// First, and again where what was missed is no longer known: everything there is.
    "state": State(State),
    /// A headset came, or anything about it changed.
    "device": Device(DeviceEvent),
    /// A headset went.
    "device-removed": DeviceRemoved(DeviceRemovedEvent),
    /// Something happened to a call.
    "call": Call(CallEvent),
    /// The person lifted the hook or pressed a key with nothing going on: an invitation to start a call.
    "wish": Wish(WishEvent),
    /// Anything about offers and jobs changed. Pages do not get it.
    "updates": Updates(UpdatesEvent),
}

/// Body of `POST /v1/calls`.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct CreateCall {
    pub(super) direction: Direction,
    /// Shown to the person.
    #[serde(default)]
    #[cfg_attr(test, schemars(length(max = MAX_CONTACT)))]
    pub(super) contact: Option<String>,
    /// Begins without the microphone; the headset's light shows it from the first moment.
    #[serde(default)]
    pub(super) muted: bool,
}

/// What a softphone does to its call, as its path ends.
pub(super) const ACTIONS: [(&str, CallAction); 6] = [
    ("answer", CallAction::Answer),
    ("hold", CallAction::Hold),
    ("resume", CallAction::Resume),
    ("mute", CallAction::Mute),
    ("unmute", CallAction::Unmute),
    ("end", CallAction::End),
];

/// Body of a POST that says everything in its path: nothing, or `{}`.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Empty {}

/// Answer to an accepted installation.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(super) struct Accepted {
    pub(super) offer: String,
}

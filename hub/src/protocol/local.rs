//! What the command line asks of the running agent over its local socket, one JSON object a line, and the answers.
//! The same [`View`] is what the REST door, the window and the tray are drawn from.

use super::client::{self, ClientId};
use super::{Device, DeviceId, Job, Offer, PastUpdate, Problem, ResolvedGroup, TenantState};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Longest name of a contact, in characters.
pub const MAX_CONTACT: usize = 256;
/// Longest name that a program may give itself, in characters.
pub const MAX_LABEL: usize = 64;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum LocalRequest {
    /// One [`LocalAnswer::View`].
    View,
    /// A [`LocalAnswer::View`] now and after every change, until the caller closes.
    Watch,
    Install {
        offer: String,
    },
    /// Stops an update; `anyway` also where that leaves the headset without working firmware.
    Cancel {
        /// That one alone, whether it runs or waits; `None` = the one that runs.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        offer: Option<String>,
        #[serde(default)]
        anyway: bool,
    },
    /// Asks the tenant now; [`LocalAnswer::Done`] when it has answered.
    Poll,
    Defer {
        offer: String,
    },
    /// Lets this headset carry the calls, from now on and remembered.
    UseHeadset {
        device: DeviceId,
    },
    /// Lets a page or a program use the headset, from now on and remembered.
    ApproveSoftphone {
        /// As [`Softphone::client`] is named.
        softphone: String,
    },
    /// Takes that back, or says no to one that asks or has the token.
    RevokeSoftphone {
        softphone: String,
    },
    /// A one-time address of the window.
    Window,
    /// One [`LocalAnswer::Settings`].
    Settings,
    /// Changes a setting of the person, or takes it out of their file; in force when it is answered.
    Set {
        key: String,
        #[serde(default)]
        value: Option<String>,
    },
    /// Ends the agent; `anyway` also where that leaves a headset without working firmware.
    Stop {
        #[serde(default)]
        anyway: bool,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum LocalAnswer {
    View {
        view: Box<View>,
    },
    Done,
    Window {
        url: String,
    },
    /// As `hookswitch settings list --json` prints them, of the agent's process. Secrets are `"(set)"`.
    Settings {
        settings: serde_json::Value,
    },
    Problem {
        problem: Problem,
    },
}

/// The agent as a value.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct View {
    /// Of the agent.
    pub version: String,
    /// What `$user$` stands for.
    pub user: String,
    pub rest: Endpoint,
    pub tenant: TenantState,
    pub devices: Vec<Device>,
    /// Id of the one that carries the calls; null = none can.
    pub headset: Option<DeviceId>,
    pub calls: Vec<Call>,
    pub offers: Vec<Offer>,
    /// The one that runs, or the last one that ended.
    pub job: Option<Job>,
    /// Updates that wait for their turn, the next one first.
    #[serde(default)]
    pub queue: Vec<Job>,
    /// How the updates before that one ended, the last first: one of each headset.
    #[serde(default)]
    pub ended: Vec<Job>,
    /// How the last updates of this computer's headsets ended, in this run and before, the last first; at most 20.
    #[serde(default, with = "super::job::shared")]
    #[cfg_attr(test, schemars(with = "Vec<PastUpdate>"))]
    pub history: Arc<[PastUpdate]>,
    /// By priority; the first one is in force. Ends with `all-users`.
    pub groups: Vec<ResolvedGroup>,
    pub groups_problem: Option<Problem>,
    /// Functions that are not running and why, one each.
    pub problems: Vec<Problem>,
    /// Who asks to use the headset, the most recent first, then who may, then who may not.
    pub softphones: Vec<Softphone>,
    /// The headsets are looked after by a service of the whole computer, which lives on when the agent ends. Absent where
    /// they are not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub service: bool,
    /// The service has not said anything yet: which headsets and which company there are is not known. Absent where it
    /// has.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unheard: bool,
}

/// A web page or a program that speaks to the headset, or wants to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Softphone {
    /// A page or a program of which the system tells which one it is.
    #[serde(flatten)]
    pub client: ClientId,
    /// What the program calls itself: a label, and nothing more. Absent where it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(length(max = MAX_LABEL)))]
    pub label: Option<String>,
    pub standing: Standing,
    /// Who decided, or who decides; null = the person has not yet.
    pub by: Option<Decider>,
    /// Somebody else than the person decides.
    pub locked: bool,
    /// It listens right now.
    pub connected: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// The person has not decided.
    Asking,
    /// It may use the headset.
    Approved,
    /// The person said no.
    Denied,
}

/// Who may say which softphones use the headset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Decider {
    /// In the own settings.
    #[default]
    Person,
    /// `HOOKSWITCH_SDK_APPROVED`.
    Environment,
    /// The settings of this computer.
    Machine,
    /// The policy of the tenant.
    Company,
    /// Nobody did: the program showed the token, which only this account's programs can read.
    Token,
}

impl View {
    /// How the company calls the group; its id while it is not among the user's.
    pub fn group_name<'a>(&'a self, id: &'a str) -> &'a str {
        self.groups.iter().find(|group| group.id == id).map_or(id, |group| group.name.as_str())
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Endpoint {
    /// `https://127.0.0.1:32018`; null while the door is closed.
    #[cfg_attr(test, schemars(regex(pattern = r"^https://127\.0\.0\.1:[0-9]+$")))]
    pub url: Option<String>,
    /// PEM file with the certificate to trust.
    pub ca_path: Option<String>,
    /// Seconds since 1970. The certificate is made anew before that.
    #[serde(default)]
    pub certificate_ends_s: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Call {
    /// Below 2^53, and not used again: another run counts from elsewhere.
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub id: u64,
    /// The softphone that owns it: a page's origin, a program's path, or `program`.
    #[serde(with = "client::name")]
    #[cfg_attr(test, schemars(with = "String"))]
    pub client: ClientId,
    /// What it calls itself: a label, and nothing more. Absent where it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(length(max = MAX_LABEL)))]
    pub label: Option<String>,
    pub direction: Direction,
    pub state: CallState,
    pub muted: bool,
    /// Shown to the person.
    #[cfg_attr(test, schemars(length(max = MAX_CONTACT)))]
    pub contact: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    Incoming,
    Outgoing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum CallState {
    Ringing,
    Answered,
    Held,
    Ended,
}

#[cfg(test)]
mod tests {
    use super::View;
    use crate::protocol::{ResolvedGroup, Why};

    #[test]
    fn a_group_that_is_not_the_person_s_is_called_by_its_id() {
        let group = ResolvedGroup {
            id: "vip".into(),
            name: "Important people".into(),
            priority: 0,
            why: Why::Assigned,
        };
        let view = View { groups: [group].into(), ..View::default() };
        assert_eq!((view.group_name("vip"), view.group_name("it")), ("Important people", "it"));
    }
}

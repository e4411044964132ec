//! Which text stands for a value that several faces show.

use crate::locale::{Locale, Message};
use crate::protocol::local::{Decider, Standing, View};
use crate::protocol::{ALL_USERS, Deployment, Job};

/// The phase of a running job; one that is newer than this program is "working".
pub fn phase(job: &Job) -> Message {
    if job.cancelling {
        return Message::new("phase-cancelling");
    }
    Message::new(match job.phase.as_str() {
        "fetching" => "phase-fetching",
        "detaching" => "phase-detaching",
        "waiting-for-dfu" => "phase-waiting-for-dfu",
        "waiting-for-replug" => "phase-waiting-for-replug",
        "preparing" => "phase-preparing",
        "downloading" => "phase-downloading",
        "manifesting" => "phase-manifesting",
        "waiting-for-runtime" => "phase-waiting-for-runtime",
        _ => "phase-working",
    })
}

/// How an update comes to the headset.
pub fn deployment(deployment: Deployment) -> Message {
    Message::new(match deployment {
        Deployment::Optional => "deployment-optional",
        Deployment::Persistent => "deployment-persistent",
        Deployment::Automatic => "deployment-automatic",
        Deployment::Silent => "deployment-silent",
        Deployment::Recovery => "deployment-recovery",
    })
}

/// How a web page stands to the headset.
pub fn standing(standing: Standing) -> Message {
    Message::new(match standing {
        Standing::Asking => "softphone-asking",
        Standing::Approved => "softphone-approved",
        Standing::Denied => "softphone-denied",
    })
}

/// Who decides which pages use the headset.
pub fn decider(by: Decider) -> Message {
    Message::new(match by {
        Decider::Person => "decider-person",
        Decider::Environment => "decider-environment",
        Decider::Machine => "decider-machine",
        Decider::Company => "decider-company",
    })
}

/// The same as a sentence.
pub fn decided_by(by: Decider) -> Message {
    Message::new(match by {
        Decider::Person => "decided-by-person",
        Decider::Environment => "decided-by-environment",
        Decider::Machine => "decided-by-machine",
        Decider::Company => "decided-by-company",
    })
}

/// How the company calls a group; the one everybody is in has a name in every language.
pub fn group(view: &View, id: &str, locale: &Locale) -> String {
    match id {
        ALL_USERS => locale.format(&Message::new("group-all-users")),
        _ => view.group_name(id).to_owned(),
    }
}

//! Which text stands for a value that several faces show.

use crate::locale::{Locale, Message};
use crate::protocol::local::{Decider, Standing, View};
use crate::protocol::{ALL_USERS, Deployment, Job, TenantMode};

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

/// Why no update is offered. That nothing newer is there says only who asked a moment ago.
pub fn no_updates(view: &View) -> Message {
    let tenant = &view.tenant;
    Message::new(match tenant.mode {
        TenantMode::Consumer => "no-updates-consumer",
        TenantMode::Locked => "no-updates-locked",
        TenantMode::Server if tenant.policy_version.is_none() => "no-updates-not-asked",
        TenantMode::Server if tenant.last_poll_s.is_none() || tenant.problem.is_some() => {
            "no-updates-last-known"
        }
        TenantMode::Server if view.devices.is_empty() => "no-updates-no-headset",
        TenantMode::Server => "no-updates-none-newer",
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Problem, TenantState};

    #[test]
    fn says_more_than_it_knows_only_who_asked_says_that_nothing_newer_is_there() {
        let mut view = View::default();
        let said = |view: &View| no_updates(view).id;
        assert_eq!(said(&view), "no-updates-consumer");
        view.tenant = TenantState { mode: TenantMode::Server, ..TenantState::default() };
        assert_eq!(said(&view), "no-updates-not-asked");
        view.tenant.policy_version = Some(7);
        assert_eq!(said(&view), "no-updates-last-known", "a policy of the last run");
        view.tenant.last_poll_s = Some(1);
        assert_eq!(said(&view), "no-updates-no-headset");
        view.tenant.problem = Some(Problem::new("tenant-unreachable", "what", "where", "next"));
        assert_eq!(said(&view), "no-updates-last-known");
    }
}

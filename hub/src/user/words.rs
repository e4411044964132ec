//! Which text stands for a value that several faces show.

use crate::locale::{Locale, Message};
use crate::problem::Code;
use crate::protocol::local::{Decider, Softphone, Standing, View};
use crate::protocol::{
    ALL_USERS, Deployment, Device, DeviceId, DeviceStatus, Job, JobPhase, Next, Offer, Outcome, Problem,
    TenantMode, WaitsFor,
};

/// How it stands with an update that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standstill {
    /// It goes on by itself.
    No,
    /// The cable was pulled: the person has to plug it in.
    Unplugged,
    Cancelling,
}

/// How it stands with a job without a verdict.
pub fn standstill(job: &Job) -> Standstill {
    match job.phase {
        _ if job.cancelling => Standstill::Cancelling,
        JobPhase::WaitingForReplug => Standstill::Unplugged,
        _ => Standstill::No,
    }
}

/// A running job in one line.
pub fn running(job: &Job) -> Message {
    let percent = (job.done_bytes * 100).checked_div(job.total_bytes).unwrap_or(0).min(100);
    match standstill(job) {
        Standstill::No => {
            Message::new("job-running").text("name", &job.name).number("percent", percent as i64)
        }
        Standstill::Unplugged => Message::new("job-unplugged").text("name", &job.name),
        Standstill::Cancelling => Message::new("job-cancelling").text("name", &job.name),
    }
}

/// An update that waits for its turn, and for which headset it waits.
pub fn queued(view: &View, job: &Job) -> Message {
    let running = view.job.as_ref().filter(|job| job.outcome.is_none());
    let before = view.queue.iter().take_while(|other| other.offer != job.offer).last().or(running);
    let headset = |job: &Job| {
        let device = view.devices.iter().find(|device| device.id == job.device);
        device.map_or_else(|| job.name.clone(), |device| name(view, device))
    };
    let message = Message::new("job-queued").text("name", &job.name).text("headset", headset(job));
    match before {
        Some(before) => message.text("before", headset(before)),
        // The one before has just ended, or whoever asked for it is not at the computer.
        None => Message::new("job-queued-next").text("name", &job.name).text("headset", headset(job)),
    }
}

/// How an update ended, in a few words.
pub fn verdict(outcome: &Outcome) -> Message {
    Message::new(match outcome {
        Outcome::Succeeded { .. } => "verdict-succeeded",
        Outcome::Failed { .. } => "verdict-failed",
        Outcome::Unknown { .. } => "verdict-unknown",
    })
}

/// How it stands with the update of a headset that is being updated.
pub fn updating(job: Option<&Job>, device: &DeviceId) -> Standstill {
    let running = job.filter(|job| job.outcome.is_none() && job.device == *device);
    running.map_or(Standstill::No, standstill)
}

/// The phase of a running job.
pub fn phase(job: &Job) -> Message {
    if job.cancelling {
        return Message::new("phase-cancelling");
    }
    Message::new(match job.phase {
        JobPhase::Queued => "phase-queued",
        JobPhase::Fetching => "phase-fetching",
        JobPhase::Detaching => "phase-detaching",
        JobPhase::WaitingForDfu => "phase-waiting-for-dfu",
        JobPhase::WaitingForCall => "phase-waiting-for-call",
        JobPhase::WaitingForReplug => "phase-waiting-for-replug",
        JobPhase::Preparing => "phase-preparing",
        JobPhase::Downloading => "phase-downloading",
        JobPhase::Manifesting => "phase-manifesting",
        JobPhase::WaitingForRuntime => "phase-waiting-for-runtime",
        JobPhase::Working => "phase-working",
    })
}

/// Where a headset is plugged in, if its name alone does not tell it from another that is shown.
pub fn twin_port<'a>(view: &View, device: &'a Device) -> Option<&'a str> {
    let alike = |other: &Device| other.id != device.id && other.product == device.product;
    device.port.as_deref().filter(|_| view.devices.iter().any(alike))
}

/// What a person calls a headset, told apart from others of its kind.
pub fn name(view: &View, device: &Device) -> String {
    match twin_port(view, device) {
        Some(port) => format!("{} (USB {port})", device.product),
        None => device.product.clone(),
    }
}

/// Whose advice holds after an update that failed as `verdict` says: a headset in need of firmware knows where it is now,
/// the verdict only where it was.
pub fn advice<'a>(view: &'a View, job: &Job, verdict: &'a Problem) -> &'a Problem {
    let device = view.devices.iter().find(|device| device.id == job.device);
    match device.map(|device| &device.status) {
        Some(DeviceStatus::NeedsFirmware { problem }) => problem,
        _ => verdict,
    }
}

/// Why no update is offered. That nothing newer is there says only who asked a moment ago.
pub fn no_updates(view: &View) -> Message {
    let tenant = &view.tenant;
    Message::new(match tenant.mode {
        _ if view.unheard => "headsets-unheard",
        TenantMode::Consumer => "no-updates-consumer",
        TenantMode::Locked => "no-updates-locked",
        TenantMode::Server | TenantMode::Folder => match tenant.policy_version {
            None => "no-updates-not-asked",
            _ if tenant.last_poll_s.is_none() || tenant.problem.is_some() => "no-updates-last-known",
            _ if view.devices.is_empty() => "no-updates-no-headset",
            _ => "no-updates-none-newer",
        },
    })
}

/// Whether a problem is only a way in that the desktop does not have: nothing that somebody has to mend.
pub fn is_hint(problem: &Problem) -> bool {
    problem.code == Code::TrayNotShown
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

/// What becomes of an offer without the person, and when; `time` writes Unix seconds.
pub fn next(offer: &Offer, time: impl Fn(u64) -> String) -> Option<Message> {
    let Next { at_s, waits_for } = offer.next?;
    let id = match waits_for {
        WaitsFor::Notice => "next-notice",
        WaitsFor::Window => "next-window",
        WaitsFor::Deferral if offer.deployment == Deployment::Persistent => "next-asked",
        WaitsFor::Deferral => "next-deferral",
        WaitsFor::Deadline => "next-deadline",
        WaitsFor::Retry => "next-retry",
        WaitsFor::Call => "next-call",
        WaitsFor::Turn => "next-turn",
        WaitsFor::Company => "next-company",
    };
    let message = Message::new(id);
    Some(match at_s {
        Some(at_s) => message.text("time", time(at_s)),
        None => message,
    })
}

/// How often it can still be put off, where that is counted.
pub fn deferrals_left(offer: &Offer) -> Option<Message> {
    offer.deferrals_left.map(|left| Message::new("deferrals-left").number("count", left.into()))
}

/// How a softphone stands to the headset.
pub fn standing(standing: Standing) -> Message {
    Message::new(match standing {
        Standing::Asking => "softphone-asking",
        Standing::Approved => "softphone-approved",
        Standing::Denied => "softphone-denied",
    })
}

/// What more there is to say of a softphone.
pub fn about(softphone: &Softphone) -> impl Iterator<Item = Message> {
    let label = softphone.label.as_ref().map(|label| Message::new("softphone-label").text("label", label));
    let scripts = softphone.client.runs_scripts() && softphone.standing != Standing::Denied;
    label.into_iter().chain(scripts.then(|| Message::new("softphone-runs-scripts")))
}

/// Who decides which softphones use the headset.
pub fn decider(by: Decider) -> Message {
    Message::new(match by {
        Decider::Person => "decider-person",
        Decider::Environment => "decider-environment",
        Decider::Machine => "decider-machine",
        Decider::Company => "decider-company",
        Decider::Token => "decider-token",
    })
}

/// The same as a sentence.
pub fn decided_by(by: Decider) -> Message {
    Message::new(match by {
        Decider::Person => "decided-by-person",
        Decider::Environment => "decided-by-environment",
        Decider::Machine => "decided-by-machine",
        Decider::Company => "decided-by-company",
        Decider::Token => "decided-by-token",
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
    use crate::protocol::TenantState;

    /// Also where a percentage stands still.
    #[test]
    fn a_running_update_says_what_it_waits_for() {
        let (device, other) = ("d".to_owned(), "other".to_owned());
        let mut job = Job { device: device.clone(), phase: JobPhase::Downloading, ..Job::default() };
        assert_eq!((running(&job).id, updating(Some(&job), &device)), ("job-running", Standstill::No));
        job.phase = JobPhase::WaitingForReplug;
        assert_eq!(
            (running(&job).id, updating(Some(&job), &device)),
            ("job-unplugged", Standstill::Unplugged)
        );
        assert_eq!(updating(Some(&job), &other), Standstill::No);
        job.cancelling = true;
        assert_eq!(
            (running(&job).id, updating(Some(&job), &device)),
            ("job-cancelling", Standstill::Cancelling)
        );
        job.outcome = Some(crate::protocol::Outcome::Succeeded { version: "2".to_owned() });
        assert_eq!(updating(Some(&job), &device), Standstill::No);
    }

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
        view.tenant.problem = Some(crate::problem::sample::problem("tenant-unreachable"));
        assert_eq!(said(&view), "no-updates-last-known");
    }
}

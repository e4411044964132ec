//! What is offered, and the gate before an update.

use super::*;
use crate::problem::{Code, Reason};
use crate::protocol::{Deployment, Stop};

/// What offers are planned from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PlannedFrom {
    policy: Revision,
    fleet: Revision,
    people: Revision,
    journal: Revision,
    deferred: Revision,
    job: Revision,
    deployments: Revision,
    decides: Option<SessionId>,
    free: bool,
}

impl MachineRole {
    /// Begins it, or lets it wait for its turn: one headset is written at a time.
    pub(super) fn install(&mut self, offer: &str, from: SessionId, now: Now) -> Result<(), Problem> {
        if let Some(job) = self.update.job().filter(|job| job.outcome.is_none() && is_about(job, offer)) {
            return Err(Reason::UpdateRunning.at(&job.name));
        }
        let known = self.ready(offer, now)?;
        if self.is_free() && self.queue.is_empty() {
            return self.begin(&known, now);
        }
        self.enqueue(&known, from)
    }

    /// The gate: everything that speaks against it is said before anything is begun.
    pub(super) fn ready(&mut self, offer: &str, now: Now) -> Result<Offer, Problem> {
        self.passes(offer, now, |_| true)
    }

    /// The same for who has asked before: a call is waited for, once the package is here.
    pub(super) fn ready_but_for_a_call(&mut self, offer: &str, now: Now) -> Result<Offer, Problem> {
        self.passes(offer, now, |problem| problem.code != Code::InCall)
    }

    fn passes(&mut self, offer: &str, now: Now, counts: impl Fn(&Problem) -> bool) -> Result<Offer, Problem> {
        let known =
            self.offers().iter().find(|o| o.id == offer).cloned().ok_or_else(|| no_such_offer(offer))?;
        if let Some(problem) = known.blocked.clone().filter(counts) {
            return Err(problem);
        }
        let recovery = known.deployment == Deployment::Recovery;
        let kept = self.interrupted.get(&known.device).is_some_and(|i| i.entry.package.is_some());
        // A package needs a credential; one that was refused may not be asked for again for a while.
        if !(recovery && kept)
            && self.credential.is_none()
            && self.enrol_not_before.is_some_and(|at| at > now.instant)
            && let Some(problem) = self.troubles.get(&Errand::Enrol)
        {
            return Err(problem.clone());
        }
        Ok(known)
    }

    /// What has passed the gate.
    pub(super) fn begin(&mut self, known: &Offer, now: Now) -> Result<(), Problem> {
        if known.deployment == Deployment::Recovery {
            self.resume(&known.device, now);
            return Ok(());
        }
        let policy = self.policy.as_ref().map(InForce::document);
        let target_name = policy
            .and_then(|p| p.firmware.iter().find(|f| f.id == known.policy))
            .map(|f| f.target.clone())
            .ok_or_else(|| no_such_offer(&known.id))?;
        let target = self.target(&known.device).ok_or_else(|| no_such_offer(&known.id))?;
        self.update.start(known, &target_name, target, &mut self.out);
        Ok(())
    }

    pub(super) fn target(&self, device: &str) -> Option<Target> {
        let known = self.fleet.device(device)?;
        let runtime = self.fleet.usb(known.port.as_ref()?)?.clone();
        let (vendor, product) = (known.vendor.clone(), known.product.clone());
        let description = self.fleet.description(device)?.clone();
        Some(Target { runtime, description, vendor, product, tenant: self.tenancy.name() })
    }

    /// Only what the person decides about may be put off, and only what is offered now.
    pub(super) fn defer(&mut self, offer: &str, now: Now) -> Result<(), Problem> {
        let known =
            self.offers().iter().find(|o| o.id == offer).cloned().ok_or_else(|| no_such_offer(offer))?;
        if let Some(done) = self.put_off(&known, now) {
            if done.is_ok() {
                self.leave_queue(|job| job.offer == known.id);
            }
            return done;
        }
        if known.deployment != Deployment::Optional {
            return Err(Reason::NotDeferrable.at(known.name));
        }
        self.leave_queue(|job| job.offer == known.id);
        let version = known.to_version;
        self.deferred.edit().insert((known.id.clone(), version.clone()));
        self.out.push_back(Output::Persist(Record::Deferred { offer: known.id, version }));
        Ok(())
    }

    /// Stops the running job, or lets one that waits go. What leaves the headset without firmware is done only where the
    /// person was told.
    pub(super) fn cancel(&mut self, offer: Option<&str>, anyway: bool, now: Now) -> Result<(), Problem> {
        if offer.is_some_and(|offer| self.leave_queue(|job| job.offer == offer)) {
            return Ok(());
        }
        // Meanwhile another one may have begun: that one was not meant.
        let meant = |job: &&Job| offer.is_none_or(|offer| job.offer == offer);
        let running = self.update.job().filter(|job| job.outcome.is_none()).filter(meant);
        let Some(job) = running else {
            return Err(Reason::NoUpdateRunning.here());
        };
        match job.stop {
            Stop::TooLate => Err(Reason::CancelTooLate.at(&job.name)),
            Stop::Strands if !anyway && !job.cancelling => Err(Reason::CancelStrands.at(&job.name)),
            Stop::Strands | Stop::Harmless => {
                let finished = self.update.cancel(now.instant, &mut self.out).flatten();
                self.finished(finished, now);
                Ok(())
            }
        }
    }

    pub(super) fn offers(&mut self) -> Arc<Vec<Offer>> {
        let from = PlannedFrom {
            policy: self.policy.revision(),
            fleet: self.fleet.revision(),
            people: self.people.revision(),
            journal: self.interrupted.revision(),
            deferred: self.deferred.revision(),
            job: self.job_revision(),
            deployments: self.deployments.revision(),
            decides: self.sessions.active(),
            free: self.is_free(),
        };
        if !self.work.plan.is_of(&from) {
            let offers = self.offers_now();
            self.work.plan.keep(offers, from);
        }
        self.work.plan.get().clone()
    }

    pub(super) fn offers_now(&self) -> Vec<Offer> {
        let policy = self.policy.as_ref();
        let groups = &*self.deciding();
        let mut offers = match policy {
            Some(policy) => {
                let devices = self.fleet.devices().filter(|d| !self.is_settling(&d.id));
                let with_gate = devices.map(|d| (d, self.fleet.in_call(&d.id).then(|| in_call(d))));
                let planned = policy::plan(policy, with_gate, groups, &self.deferred);
                planned.into_iter().map(|offer| self.deployed(offer)).collect()
            }
            None => Vec::new(),
        };
        let lost = self.recoveries().filter(|entry| self.update.device() != Some(&entry.device));
        offers.extend(lost.map(|entry| policy::recovery(entry, policy, groups, self.is_obtainable(entry))));
        offers
    }

    /// A job works on it, or it is on its way back with the version that was wanted.
    fn is_settling(&self, device: &str) -> bool {
        let done = |job: &Job| job.device == device && matches!(job.outcome, Some(Outcome::Succeeded { .. }));
        self.update.device() == Some(device)
            || self.fleet.updating() == Some(device) && self.update.job().is_some_and(done)
    }
}

/// Whether the offer is one of the headset that the job is for.
pub(super) fn is_about(job: &Job, offer: &str) -> bool {
    job.offer == offer || offer.strip_suffix(job.device.as_str()).is_some_and(|policy| policy.ends_with(':'))
}

pub(super) fn no_such_offer(offer: &str) -> Problem {
    Reason::NoSuchOffer.at(offer.chars().take(200).collect::<String>())
}

pub(super) fn in_call(device: &Device) -> Problem {
    Reason::InCall.at(&device.product)
}

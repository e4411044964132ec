//! What is offered, and the gate before an update.

use super::*;

impl Service {
    /// The gate: everything that speaks against it is said before anything is begun.
    pub(super) fn install(&mut self, offer: &str, now: Now) -> Result<(), Problem> {
        if let Some(job) = self.update.job().filter(|j| j.outcome.is_none()) {
            return Err(Problem::new(
                "update-running",
                "Another update is running",
                job.device.clone(),
                "Wait until it is done; one headset is updated at a time.",
            ));
        }
        let known = self.offers().into_iter().find(|o| o.id == offer).ok_or_else(|| no_such_offer(offer))?;
        if let Some(problem) = known.blocked {
            return Err(problem);
        }
        // A package needs a credential; one that was refused may not be asked for again for a while.
        if self.credential.is_none()
            && self.enrol_not_before.is_some_and(|at| at > now.instant)
            && let Some(problem) = self.troubles.get(&Errand::Enrol)
        {
            return Err(problem.clone());
        }
        if self.recovery().is_some_and(|entry| entry.offer == offer) {
            if let Some(interrupted) = self.interrupted.as_mut() {
                interrupted.due = Some(now.instant);
            }
            self.resume_interrupted(now);
            return Ok(());
        }
        let policy = self.policy.as_ref().map(Verified::get);
        let target_name = policy
            .and_then(|p| p.firmware.iter().find(|f| f.id == known.policy))
            .map(|f| f.target.clone())
            .ok_or_else(|| no_such_offer(offer))?;
        let target = self.target(&known.device).ok_or_else(|| no_such_offer(offer))?;
        // There is one journal: it is this job's now.
        self.interrupted = None;
        self.update.start(&known, &target_name, target, &mut self.out);
        self.fleet.begin_update(&known.device, &mut self.out);
        Ok(())
    }

    pub(super) fn target(&self, device: &str) -> Option<Target> {
        let port = self.fleet.device(device)?.port.as_ref()?;
        let runtime = self.fleet.usb(port)?.clone();
        Some(Target { runtime, description: self.fleet.description(device)?.clone() })
    }

    pub(super) fn offers(&self) -> Vec<crate::protocol::Offer> {
        let (Some(policy), Some(user)) = (&self.policy, &self.user) else { return Vec::new() };
        let Some(groups) = self.groups.get(user) else { return Vec::new() };
        let updating = self.fleet.updating();
        let devices = self.fleet.devices().filter(|d| Some(d.id.as_str()) != updating);
        let with_gate = devices.map(|d| (d, self.fleet.in_call(&d.id).then(|| in_call(d))));
        let mut offers = policy::plan(policy.get(), with_gate, groups, &self.deferred);
        if updating.is_none() {
            offers.extend(self.recovery().map(|entry| policy::recovery(entry, policy.get(), groups)));
        }
        offers
    }
}

pub(super) fn no_such_offer(offer: &str) -> Problem {
    Problem::new(
        "no-such-offer",
        "There is no such update any more",
        offer.chars().take(200).collect::<String>(),
        "Look at the list of updates again.",
    )
}

pub(super) fn in_call(device: &Device) -> Problem {
    Problem::new(
        "in-call",
        "The headset is in a call",
        device.product.clone(),
        "Install the update when the call is over.",
    )
}

//! What follows from the rooms is worked out when one of them has changed since the last time, not after every input.

use super::deploy::PlannedFrom;
use super::deployment::DecidedFrom;
use super::jobs::FoundFrom;
use super::liaison::SeenFrom;
use super::session::ToldFrom;
use super::*;

/// A value and what it was made of.
#[derive(Debug)]
pub(super) struct Kept<K, T> {
    from: Option<K>,
    value: Revised<Arc<T>>,
    #[cfg(test)]
    pub(super) made: u64,
}

impl<K, T: Default> Default for Kept<K, T> {
    fn default() -> Self {
        Self {
            from: None,
            value: Revised::default(),
            #[cfg(test)]
            made: 0,
        }
    }
}

impl<K: PartialEq, T: PartialEq> Kept<K, T> {
    /// Whether it is made of this.
    pub(super) fn is_of(&self, from: &K) -> bool {
        self.from.as_ref() == Some(from)
    }

    pub(super) fn keep(&mut self, value: T, from: K) {
        self.from = Some(from);
        if **self.value != value {
            *self.value.edit() = Arc::new(value);
        }
        #[cfg(test)]
        {
            self.made += 1;
        }
    }

    pub(super) fn get(&self) -> &Arc<T> {
        &self.value
    }

    /// Moves when another value is kept, not when the same one is made again.
    pub(super) fn revision(&self) -> Revision {
        self.value.revision()
    }
}

/// What was done for a state of the rooms needs no doing before there is another.
#[derive(Debug)]
pub(super) struct Done<K>(Option<K>);

impl<K> Default for Done<K> {
    fn default() -> Self {
        Self(None)
    }
}

impl<K: PartialEq> Done<K> {
    /// Whether it is to be done, which counts as done.
    pub(super) fn is_due(&mut self, of: K) -> bool {
        let due = self.0.as_ref() != Some(&of);
        self.0 = Some(of);
        due
    }
}

/// What is kept between inputs.
#[derive(Debug, Default)]
pub(super) struct Work {
    pub(super) job: Revised<JobSeen>,
    pub(super) plan: Kept<PlannedFrom, Vec<Offer>>,
    pub(super) tenant: Kept<SeenFrom, TenantState>,
    pub(super) decided: Done<DecidedFrom>,
    pub(super) told: Done<ToldFrom>,
    pub(super) stranded: Done<FoundFrom>,
    pub(super) heard: Done<FoundFrom>,
    pub(super) registered: Done<Revision>,
    pub(super) people: Done<(Revision, Revision)>,
    /// How often there could have been work.
    #[cfg(test)]
    pub(super) asked: u64,
}

/// What the other rooms make of the firmware job: which headset it works on, and which one the last has updated.
#[derive(Debug, Default, PartialEq)]
pub(super) struct JobSeen {
    device: Option<DeviceId>,
    updated: Option<DeviceId>,
}

impl MachineRole {
    /// Moves when another headset is worked on, or one is done.
    pub(super) fn job_revision(&mut self) -> Revision {
        let done = |job: &&Job| matches!(job.outcome, Some(Outcome::Succeeded { .. }));
        let device = self.update.device();
        let updated = self.update.job().filter(done).map(|job| job.device.as_str());
        let seen = &self.work.job;
        if (seen.device.as_deref(), seen.updated.as_deref()) != (device, updated) {
            let (device, updated) = (device.map(str::to_owned), updated.map(str::to_owned));
            *self.work.job.edit() = JobSeen { device, updated };
        }
        self.work.job.revision()
    }
}

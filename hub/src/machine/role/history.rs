//! How updates ended: kept over starts, of all headsets and all companies, for people to look it up.

use super::*;

/// As many as a page shows.
const MOST: usize = 20;

impl MachineRole {
    /// A job that has ended; in one transaction with the records that stand beside it. Told by [`Self::tell_history`].
    pub(super) fn remember(&mut self, job: &Job, now: Now) {
        let Some(past) = self.past(job, now) else { return };
        self.history.insert(0, past);
        self.history.truncate(MOST);
        self.keep_history();
    }

    /// What a headset says late is how its last update ended, and no update more.
    pub(super) fn correct_history(&mut self, job: &Job, now: Now) {
        let is_it = |past: &&mut PastUpdate| {
            (&past.device, &past.from_version, &past.to_version)
                == (&job.device, &job.from_version, &job.to_version)
        };
        match (self.history.iter_mut().find(is_it), &job.outcome) {
            (Some(past), Some(outcome)) => past.outcome = outcome.clone(),
            // It was so long ago that others took its place, or in an older version.
            _ => return self.remember(job, now),
        }
        self.keep_history();
    }

    fn past(&self, job: &Job, now: Now) -> Option<PastUpdate> {
        let there = self.fleet.device(&job.device).map(|device| device.product.clone());
        let lost = || self.interrupted.get(&job.device).map(|known| known.entry.product.clone());
        Some(PastUpdate {
            ended_s: now.unix_s,
            device: job.device.clone(),
            product: there.or_else(lost).filter(|name| !name.is_empty()).unwrap_or_else(|| job.name.clone()),
            name: job.name.clone(),
            from_version: job.from_version.clone(),
            to_version: job.to_version.clone(),
            outcome: job.outcome.clone()?,
        })
    }

    fn keep_history(&mut self) {
        self.out.push_back(Output::Persist(Record::History(self.history.clone())));
    }

    pub(super) fn tell_history(&mut self) {
        self.out.push_back(Output::news(ToUser::HistoryChanged { history: self.history.clone() }));
    }
}

//! How updates ended: kept over starts, of all headsets and all companies, for people to look it up.

use super::*;
use crate::problem::Code;

/// As many as a page shows.
const MOST: usize = 20;

impl MachineRole {
    /// A job that has ended; in one transaction with the records that stand beside it. Told by [`Self::tell_history`].
    /// `again`: it was continued, and one that ends as it did before is no news but for the time.
    pub(super) fn remember(&mut self, job: &Job, again: bool, now: Now) {
        let Some(past) = self.past(job, now) else { return };
        let before = self.history.iter().position(|before| is_same(before, job));
        if let Some(before) = before.filter(|at| again && ends_alike(&self.history[*at], &past)) {
            self.history.remove(before);
        }
        self.history.insert(0, past);
        self.history.truncate(MOST);
        self.keep_history();
    }

    /// What a headset says late is how its last update ended, and no update more. Whether that is remembered.
    pub(super) fn correct_history(&mut self, job: &Job) -> bool {
        let Some(outcome) = &job.outcome else { return false };
        let last = self.history.iter_mut().find(|past| is_same(past, job) && is_verdict(&past.outcome));
        let Some(past) = last else { return false };
        past.outcome = outcome.clone();
        self.keep_history();
        true
    }

    /// What kept it from being begun was a company's that is left.
    pub(super) fn forget_tenants_problems(&mut self) {
        let before = self.history.len();
        self.history
            .retain(|past| !problem_of(&past.outcome).is_some_and(|problem| problem.code.is_of_tenant()));
        if self.history.len() < before {
            self.keep_history();
            self.tell_history();
        }
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
        self.out.push_back(Output::news(ToUser::HistoryChanged { history: self.history.clone().into() }));
    }
}

fn is_same(past: &PastUpdate, job: &Job) -> bool {
    (&past.device, &past.from_version, &past.to_version) == (&job.device, &job.from_version, &job.to_version)
}

fn problem_of(outcome: &Outcome) -> Option<&Problem> {
    match outcome {
        Outcome::Succeeded { .. } => None,
        Outcome::Failed { problem } | Outcome::Unknown { problem } => Some(problem),
    }
}

fn ends_alike(a: &PastUpdate, b: &PastUpdate) -> bool {
    let code = |past: &PastUpdate| problem_of(&past.outcome).map(|problem| problem.code);
    std::mem::discriminant(&a.outcome) == std::mem::discriminant(&b.outcome) && code(a) == code(b)
}

/// It was the headset's end, and not that it could not be begun.
fn is_verdict(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Succeeded { .. } | Outcome::Unknown { .. } => true,
        Outcome::Failed { problem } => matches!(problem.code, Code::UpdateFailed | Code::UpdateStopped),
    }
}

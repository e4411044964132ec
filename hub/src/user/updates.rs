//! Updates that run, wait and ended, as the faces know them.

use super::UserRole;
use super::sdk::Change;
use crate::protocol::Job;
use crate::protocol::local::View;

/// Ends of updates that are remembered.
const MOST_ENDED: usize = 8;

impl UserRole {
    /// What was known of the job before is kept as the end of that one.
    pub(super) fn job_is(&mut self, job: Option<Job>) {
        let before = std::mem::replace(&mut self.view.job, job).filter(|before| before.outcome.is_some());
        let ended = &mut self.view.ended;
        if let Some(before) = before {
            ended.retain(|job| job.device != before.device);
            ended.insert(0, before);
        }
        if let Some(job) = &self.view.job {
            ended.retain(|ended| ended.device != job.device);
        }
        ended.truncate(MOST_ENDED);
    }

    /// How the last one of a headset ended matters no more once the next one waits.
    pub(super) fn queue_is(&mut self, queue: Vec<Job>) {
        self.view.ended.retain(|ended| !queue.iter().any(|job| job.device == ended.device));
        self.view.queue = queue;
    }

    pub(super) fn updates_changed(&mut self) {
        let View { offers, job, queue, .. } = &self.view;
        let change = Change::Updates { offers: offers.clone(), job: job.clone(), queue: queue.clone() };
        self.publish(vec![change]);
    }
}

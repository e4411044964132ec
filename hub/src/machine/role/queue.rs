//! Updates that wait for their turn: one headset is written at a time.
//!
//! Nothing was sent for them and nothing is on disk, so a crash forgets them, and they are offered again. Each begins by
//! itself as soon as the one before it has ended, in whatever way, and only while whoever asked for it is at the seat:
//! with nobody there it waits, and another person's headsets are not taken away by it.

use super::deploy::is_about;
use super::*;
use crate::problem::Reason;
use crate::protocol::JobPhase;

/// Most headsets that wait.
pub(super) const MOST: usize = 16;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Queued {
    pub(super) job: Job,
    /// Whose wish it is, as [`super::super::session::Peer::account`].
    pub(super) account: String,
}

impl MachineRole {
    /// Nothing is written, and what was written last has come back or is not waited for any more.
    pub(super) fn is_free(&self) -> bool {
        self.update.id().is_none() && self.fleet.updating().is_none()
    }

    pub(super) fn queued(&self) -> Vec<Job> {
        self.queue.iter().map(|queued| queued.job.clone()).collect()
    }

    pub(super) fn enqueue(&mut self, known: &Offer, from: SessionId) -> Result<(), Problem> {
        if let Some(waits) = self.queue.iter().find(|queued| is_about(&queued.job, &known.id)) {
            return Err(Reason::UpdateQueued.at(&waits.job.name));
        }
        if self.queue.len() >= MOST {
            return Err(Reason::QueueFull { most: MOST.to_string() }.at(&known.name));
        }
        let account = self.sessions.get(from).map(|known| known.peer.account.clone()).unwrap_or_default();
        let job = Job {
            offer: known.id.clone(),
            device: known.device.clone(),
            name: known.name.clone(),
            from_version: known.from_version.clone(),
            to_version: known.to_version.clone(),
            phase: JobPhase::Queued,
            ..Job::default()
        };
        tracing::info!(device = %job.device, "a firmware update waits for its turn");
        self.queue.push_back(Queued { job, account });
        self.tell_queue();
        Ok(())
    }

    /// Whether any of these waited.
    pub(super) fn leave_queue(&mut self, goes: impl Fn(&Job) -> bool) -> bool {
        let before = self.queue.len();
        self.queue.retain(|queued| !goes(&queued.job));
        let left = self.queue.len() < before;
        if left {
            self.tell_queue();
        }
        left
    }

    /// Another person came to the seat: the wishes of the one before are forgotten, and offered again.
    pub(super) fn seat_is_of(&mut self, session: SessionId) {
        let Some(account) = self.sessions.get(session).map(|known| known.peer.account.clone()) else {
            return;
        };
        let before = self.queue.len();
        self.queue.retain(|queued| queued.account == account);
        if self.queue.len() < before {
            tracing::info!("updates that waited are forgotten: another person is at the seat");
            self.tell_queue();
        }
    }

    /// The next one, if it is its turn. What speaks against it by now is how it ends, but for a call of its headset.
    pub(super) fn begin_queued(&mut self, now: Now) {
        while self.is_free() && self.at_seat.is_some() {
            let Some(Queued { job, .. }) = self.queue.pop_front() else { return };
            self.tell_queue();
            let begun = self.still_ready(&job, now).and_then(|known| self.begin(&known, now));
            if let Err(problem) = begun {
                tracing::warn!(device = %job.device, why = %problem, "a firmware update that waited is not begun");
                let outcome = Some(Outcome::Failed { problem });
                let job = Job { phase: JobPhase::default(), outcome, ..job };
                self.remember(&job, false, now);
                self.tell_history();
                self.update.correct(job.clone());
                self.out.push_back(Output::news(ToUser::JobChanged { job: Some(job) }));
            }
        }
    }

    fn still_ready(&mut self, job: &Job, now: Now) -> Result<Offer, Problem> {
        let known = self.ready_but_for_a_call(&job.offer, now);
        let lost = self.recoveries().any(|entry| entry.device == job.device);
        if known.is_err() && !lost && self.fleet.device(&job.device).is_none() {
            return Err(Reason::HeadsetGone.at(&job.name));
        }
        // Another version is another wish.
        known.and_then(|known| match known.to_version == job.to_version {
            true => Ok(known),
            false => Err(super::deploy::no_such_offer(&job.offer)),
        })
    }

    fn tell_queue(&mut self) {
        let queue = self.queued();
        self.out.push_back(Output::news(ToUser::QueueChanged { queue }));
    }
}

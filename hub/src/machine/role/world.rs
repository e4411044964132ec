//! The world may have changed: what depends on it is looked at again, and what is overdue is done.
//!
//! A company's laptops wake within minutes of each other, and find the network within seconds: what they ask of the
//! tenant then is spread.

use super::*;
use crate::world::WorldChange;

/// The clocks part by this much only when one of them was set or stood still.
const CLOCK_STEP: Duration = Duration::from_secs(30);
/// A network that has just come has no name server yet.
const NETWORK_SETTLES: Duration = Duration::from_secs(2);
/// What could not reach the tenant before is tried again within this, when the network changes.
const NETWORK_SPLAY: Duration = Duration::from_secs(10);

impl MachineRole {
    /// How far the clocks moved apart since the last input tells what happened, whether or not anybody said so.
    pub(super) fn look_at_clocks(&mut self, now: Now) {
        let seen = std::mem::replace(&mut self.seen, now);
        self.update.slept(now.slept);
        let passed = now.instant.saturating_duration_since(seen.instant);
        let by_wall = Duration::from_secs(now.unix_s.saturating_sub(seen.unix_s));
        let set_back = Duration::from_secs(seen.unix_s.saturating_sub(now.unix_s)) + passed;
        let unnoticed = by_wall.saturating_sub(passed);
        if unnoticed > CLOCK_STEP {
            self.passed_unnoticed(unnoticed, now);
        }
        let stepped = unnoticed > CLOCK_STEP || (now.unix_s < seen.unix_s && set_back > CLOCK_STEP);
        if stepped || now.slept > seen.slept {
            self.next_poll.set(None);
            self.deployments.clocks_moved(now);
            self.catch_up(now);
        }
    }

    pub(super) fn world_changed(&mut self, change: WorldChange, now: Now) {
        self.people.world_changed(change, now.instant);
        match change {
            WorldChange::HotPlug => self.fleet.hotplug(now.instant, &mut self.out),
            WorldChange::ClockStepped => self.catch_up(now),
            WorldChange::Resumed => {
                self.fleet.resumed(now.instant, &mut self.out);
                // Notices of the buses may have been lost in the sleep.
                self.fleet.hotplug(now.instant, &mut self.out);
                self.catch_up(now);
            }
            WorldChange::Network => {
                let soon = now.instant + NETWORK_SETTLES + NETWORK_SPLAY.mul_f64(self.jitter());
                self.try_again_by(soon);
            }
        }
    }

    /// A person does not wait for deadlines.
    pub(super) fn asked_to_poll(&mut self, from: SessionId, request: u64, now: Now) {
        if self.tenancy.source.is_none() {
            // One that is meant and cannot be used is not the same as none.
            let problem = self.tenancy.fault.clone().unwrap_or_else(no_tenant);
            self.sessions.answer(from, request, Some(problem));
            return;
        }
        self.poll_asked.push((from, request));
        (self.quiet_until, self.enrol_not_before) = (None, None);
        self.poll.next = Some(now.instant);
    }

    /// Everybody who asked hears what came of it.
    pub(super) fn poll_answered(&mut self, failure: Option<&TenantFailure>) {
        for (who, request) in std::mem::take(&mut self.poll_asked) {
            self.sessions.answer(who, request, failure.map(|failure| failure.problem.clone()));
        }
    }

    /// The time of day of the next poll: kept while the deadline stays, for the clocks never agree to the second.
    pub(super) fn plan_poll(&mut self, now: Now) {
        let next = self.poll.next.filter(|_| self.tenancy.source.is_some());
        let next =
            next.map(|at| at.max(self.enrol_not_before.unwrap_or(at)).max(self.quiet_until.unwrap_or(at)));
        if next != self.next_poll.map(|(at, _)| at) {
            self.next_poll.set(next.map(|at| {
                let wait = at.saturating_duration_since(now.instant);
                (at, now.unix_s.saturating_add(wait.as_secs()))
            }));
        }
    }

    /// Whether the tenant is left alone for now.
    pub(super) fn keeps_quiet(&mut self, now: Now) -> bool {
        let a_person_waits = self.update.device().is_some();
        if a_person_waits || self.quiet_until.is_some_and(|until| until <= now.instant) {
            self.quiet_until = None;
        }
        self.quiet_until.is_some()
    }

    /// What is overdue is due within the time that polls are spread over, and so is what could not be had before.
    fn catch_up(&mut self, now: Now) {
        let overdue = self.poll.next.is_some_and(|next| next <= now.instant);
        if self.quiet_until.is_none() && (overdue || !self.is_let_in(now)) {
            let splay = policy::splay(self.policy.as_ref().map(InForce::document)).mul_f64(self.jitter());
            self.quiet_until = Some(now.instant + splay);
        }
        self.try_again_by(self.quiet_until.unwrap_or(now.instant));
    }

    /// Deadlines that only wait for a tenant out of reach come forward.
    fn try_again_by(&mut self, at: Instant) {
        if !self.unreachable {
            return;
        }
        let sooner = |deadline: &mut Option<Instant>| *deadline = deadline.map(|was| was.min(at));
        sooner(&mut self.enrol_not_before);
        if self.troubles.contains_key(&Errand::Policy) {
            sooner(&mut self.poll.next);
        }
        self.outbox.try_again_by(at);
        for interrupted in self.interrupted.edit().values_mut() {
            sooner(&mut interrupted.due);
        }
    }

    /// Time that only the wall clock counted has passed for the tenant's deadlines, too.
    fn passed_unnoticed(&mut self, time: Duration, now: Now) {
        let earlier = |at: Instant| at.checked_sub(time).unwrap_or(now.instant);
        self.poll.next = self.poll.next.map(earlier);
        self.enrol_not_before = self.enrol_not_before.map(earlier);
        self.quiet_until = None;
    }
}

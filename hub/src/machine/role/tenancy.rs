//! A machine comes to a company, goes to another one, or is nobody's: at the start, and when its settings change.

use super::*;

impl MachineRole {
    /// As the settings have it from now on. It may be the same with another token: also then nothing answers any more
    /// what was asked before.
    pub(super) fn tenancy_changed(&mut self, tenancy: Tenancy, now: Now) {
        tracing::info!(source = ?tenancy.source, fault = ?tenancy.fault, "the settings name the tenant anew");
        self.tenancy.set(tenancy);
        // What the one before was asked is not answered any more, and what it failed with says nothing of this one.
        (self.busy, self.unreachable, self.assigned_of) = (false, false, None);
        (self.enrol_not_before, self.enrol_failures, self.quiet_until) = (None, 0, None);
        self.troubles.edit().clear();
        self.poll = Poll::default();
        self.outbox.unsent(now.instant);
        self.people.look_anew();
        self.begin_tenancy(now);
        if self.tenancy.source.is_some() {
            // What is here was said to nobody, or to another.
            self.inventory.say_again();
            self.work.registered = work::Done::default();
            for user in self.people.present().map(str::to_owned).collect::<Vec<_>>() {
                self.owe_known_user(&user, now);
            }
            if !self.poll_asked.is_empty() {
                (self.poll.next, self.enrol_not_before) = (Some(now.instant), None);
            }
        } else {
            let fault = self.tenancy.fault.clone().unwrap_or_else(no_tenant);
            for (who, request) in std::mem::take(&mut self.poll_asked) {
                self.sessions.answer(who, request, Some(fault.clone()));
            }
        }
    }

    /// Whose the machine is now is told by the name alone, wherever it was in between: with another tenant, with none, or
    /// off.
    pub(super) fn begin_tenancy(&mut self, now: Now) {
        let Some(name) = self.tenancy.name() else {
            // It rules no more. It may only have been taken out for a moment: if it comes back, it finds the last good
            // policy.
            if self.policy.is_some() {
                self.aside = self.policy.edit().take();
            }
            self.groups.clear();
            self.people.forget_groups();
            return;
        };
        if self.kept_of.as_ref() != Some(&name) {
            if self.kept_of.is_some() {
                self.leave_company(now);
            }
            self.out.push_back(Output::Persist(Record::Tenant(name.clone())));
            self.kept_of = Some(name);
        }
        if let Some(policy) = self.aside.take() {
            *self.policy.edit() = Some(policy);
        }
        let jitter = self.jitter();
        self.poll.start(self.policy.as_ref().map(InForce::document), jitter, now.instant);
        // A machine that is known to the tenant takes its time, as with the poll: after a power cut there are
        // thousands. A new one is waited for.
        if self.policy.is_some() && !self.is_let_in(now) {
            self.enrol_not_before = self.poll.next;
        }
        self.owe_host(now);
    }

    /// Nothing of it is of any business of the next one, in memory or on disk.
    fn leave_company(&mut self, now: Now) {
        (self.aside, *self.policy.edit(), *self.credential.edit()) = (None, None, None);
        self.groups.clear();
        self.people.forget_groups();
        self.outbox.clear();
        self.inventory = Inventory::new(Vec::new(), now.instant);
        self.last_poll_s.set(None);
        self.policy_seen_s.set(None);
        self.out.push_back(Output::Persist(Record::TenantLeft));
        self.forget_all_deployments();
        self.forget_tenants_problems();
    }
}

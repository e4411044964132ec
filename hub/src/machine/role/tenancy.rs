//! A machine comes to a company, goes to another one, or is nobody's: at the start, and when its settings change.

use super::*;

impl MachineRole {
    /// As the settings have it from now on. It may be the same with another token: also then nothing answers any more
    /// what was asked before.
    pub(super) fn tenancy_changed(&mut self, tenancy: Tenancy, now: Now) {
        tracing::info!(server = tenancy.server_url, fault = ?tenancy.fault, "the settings name the tenant anew");
        let was = self.tenancy.server_url.is_some().then(|| self.tenancy.name());
        self.tenancy.set(tenancy);
        let is = self.tenancy.server_url.is_some().then(|| self.tenancy.name());
        match (was, is) {
            // It may only have been taken out for a moment: who comes back finds the last good policy.
            (Some(was), None) => self.aside = self.policy.edit().take().map(|policy| (was, policy)),
            (None, Some(is)) => {
                if let Some((_, policy)) = self.aside.take().filter(|(of, _)| *of == is) {
                    *self.policy.edit() = Some(policy);
                }
            }
            (was, is) if was != is => self.leave_company(),
            _ => {}
        }
        // What the one before was asked is not answered any more, and what it failed with says nothing of this one.
        (self.busy, self.unreachable, self.assigned_of) = (false, false, None);
        (self.enrol_not_before, self.enrol_failures, self.quiet_until) = (None, 0, None);
        self.troubles.edit().clear();
        self.poll = Poll::default();
        self.outbox.unsent(now.instant);
        self.people.look_anew();
        self.begin_tenancy(now);
        if self.tenancy.server_url.is_some() {
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

    /// Another one rules from now on.
    fn leave_company(&mut self) {
        self.policy.edit().take();
        self.out.push_back(Output::Persist(Record::NoPolicy));
        self.groups.clear();
        self.people.forget_groups();
    }

    pub(super) fn begin_tenancy(&mut self, now: Now) {
        if self.tenancy.server_url.is_none() {
            // A company that let the machine go rules it no more; which one it is now, if any, is not known.
            if self.policy.is_some() {
                self.policy.edit().take();
            }
            self.groups.clear();
            self.people.forget_groups();
            return;
        }
        let name = self.tenancy.name();
        let of_another = |credential: &Credential| !credential.tenant.is_empty() && credential.tenant != name;
        let moved = self.credential.as_ref().is_some_and(of_another);
        if moved {
            self.leave_company();
            *self.credential.edit() = None;
            self.out.push_back(Output::Persist(Record::Credential(None)));
            // What the other one is owed is no business of this one.
            self.outbox.clear(&mut self.out);
        }
        let jitter = self.jitter();
        self.poll.start(self.policy.as_ref().map(InForce::document), jitter, now.instant);
        // A machine that is known to the tenant takes its time, as with the poll: after a power cut there are
        // thousands. A new one is waited for.
        if self.policy.is_some() && !moved && !self.credential_is_good(now) {
            self.enrol_not_before = self.poll.next;
        }
        self.owe_host(now);
    }
}

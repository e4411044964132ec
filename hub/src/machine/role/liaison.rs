//! How things are between this machine and its tenant, for those who look.

use super::*;

/// What the state of the tenant is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SeenFrom {
    policy: Revision,
    credential: Revision,
    tenancy: Revision,
    last_poll: Revision,
    policy_seen: Revision,
    next_poll: Revision,
    outbox: Revision,
    troubles: Revision,
}

impl MachineRole {
    pub(super) fn tenant_state(&mut self) -> Arc<TenantState> {
        let from = SeenFrom {
            policy: self.policy.revision(),
            credential: self.credential.revision(),
            tenancy: self.tenancy.revision(),
            last_poll: self.last_poll_s.revision(),
            policy_seen: self.policy_seen_s.revision(),
            next_poll: self.next_poll.revision(),
            outbox: self.outbox.revision(),
            troubles: self.troubles.revision(),
        };
        if !self.work.tenant.is_of(&from) {
            let state = self.tenant_now();
            self.work.tenant.keep(state, from);
        }
        self.work.tenant.get().clone()
    }

    pub(super) fn tenant_now(&self) -> TenantState {
        let Some(source) = &self.tenancy.source else {
            let problem = self.tenancy.fault.clone();
            let mode = if problem.is_some() { TenantMode::Locked } else { TenantMode::Consumer };
            return TenantState { mode, problem, ..TenantState::default() };
        };
        let document = self.policy.as_ref().map(InForce::document);
        TenantState {
            mode: if source.can_report() { TenantMode::Server } else { TenantMode::Folder },
            server: Some(source.address().to_owned()),
            company: document.map(|d| d.company.clone()),
            enrolled: self.credential.is_some(),
            policy_version: self.policy.as_ref().map(InForce::version),
            root_sha256: self.tenancy.root_sha256.clone(),
            polling_s: document.map(|d| d.polling_s),
            policy_seen_s: self.policy_seen_s.filter(|_| self.policy.is_some()),
            last_poll_s: *self.last_poll_s,
            next_poll_s: self.next_poll.map(|(_, unix_s)| unix_s),
            outbox: self.outbox.len() as u64,
            problem: self.troubles.values().next().or(self.outbox.refused()).cloned(),
            sdk_approved: document.map(|d| d.sdk.approved.clone()).unwrap_or_default(),
            support: document.and_then(|d| d.support.as_ref()).map(|s| Support {
                name: s.name.clone(),
                email: s.email.clone(),
                phone: s.phone.clone(),
                url: s.url.clone(),
            }),
        }
    }
}

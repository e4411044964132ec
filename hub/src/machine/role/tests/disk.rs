//! The store, as far as the role knows it.

use super::*;

/// What the store would hold, kept from the records alone.
#[derive(Clone, Debug, Default)]
pub(super) struct Disk {
    pub(super) identities: Vec<Identity>,
    pub(super) tenant: Option<String>,
    pub(super) policy: Option<Verified<PolicyDocument>>,
    pub(super) policy_seen_s: Option<u64>,
    pub(super) credential: Option<Credential>,
    pub(super) journal: BTreeMap<String, JournalEntry>,
    pub(super) owed: Vec<Owed>,
    pub(super) homes: crate::machine::fleet::identity::Homes,
    pub(super) groups: BTreeMap<String, Vec<ResolvedGroup>>,
    pub(super) devices: Vec<wire::DeviceRegistration>,
    pub(super) deferred: Vec<(String, String)>,
    pub(super) history: Vec<PastUpdate>,
    pub(super) deployments: Vec<crate::machine::deployment::Past>,
}

impl Disk {
    pub(super) fn write(&mut self, record: Record) {
        match record {
            Record::Identities(identities) => self.identities = identities,
            Record::Policy(policy) => self.policy = Some(policy),
            Record::PolicySeen(unix_s) => self.policy_seen_s = Some(unix_s),
            Record::Tenant(name) => self.tenant = Some(name),
            Record::TenantLeft => {
                (self.policy, self.policy_seen_s, self.credential) = (None, None, None);
                self.groups.clear();
                self.devices.clear();
                self.owed.clear();
            }
            Record::Credential(credential) => self.credential = credential,
            Record::Journal(entry) => _ = self.journal.insert(entry.device.clone(), entry),
            Record::JournalCleared { device } => _ = self.journal.remove(&device),
            Record::Owed(owed) => self.owed.push(owed),
            Record::Homes(homes) => self.homes = homes,
            Record::Delivered(ids) => self.owed.retain(|o| !ids.contains(&o.id)),
            Record::Groups { user, groups } => _ = self.groups.insert(user, groups),
            Record::Devices(devices) => self.devices = devices,
            Record::Deferred { offer, version } => self.deferred.push((offer, version)),
            Record::History(history) => self.history = history,
            Record::Deployments(past) => self.deployments = past,
        }
    }

    pub(super) fn read(&self) -> Persisted {
        Persisted {
            identities: self.identities.clone(),
            tenant: self.tenant.clone(),
            policy: self.policy.clone(),
            policy_seen_s: self.policy_seen_s,
            credential: self.credential.clone(),
            journal: self.journal.values().cloned().collect(),
            owed: self.owed.clone(),
            homes: self.homes.clone(),
            groups: self.groups.clone().into_iter().collect(),
            devices: self.devices.clone(),
            deferred: self.deferred.clone(),
            history: self.history.clone(),
            deployments: self.deployments.clone(),
        }
    }
}

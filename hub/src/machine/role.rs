//! The machine role itself: which room gets an input, and what one room's news means for the others.

use super::outbox::Outbox;
use super::policy::{self, Poll};
use super::update::{Finished, Target, Update};
use super::{
    Config, Credential, Delivery, FailureKind, Identity, Input, Now, Output, Owed, Persisted, Record,
    TenantAnswer, TenantFailure, TenantRequest, UsbRequest, Verified, fleet::Fleet, host,
};
use crate::protocol::{
    Device, DeviceId, DeviceStatus, Function, Outcome, PROTOCOL_VERSION, Problem, ResolvedGroup, State,
    Support, TenantMode, TenantState, ToMachine, ToUser, Trouble,
};
use device_handlers::registry;
use dfu::FirmwareVersion;
use dfu::usb_dfu::{TransferError, UsbIdentity};
use inventory::Inventory;
use jobs::Interrupted;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};
use tenant::policy::PolicyDocument;
use tenant::secret::Secret;
use tenant::{grammar, wire};

mod deploy;
mod inventory;
mod jobs;
mod reports;
#[cfg(test)]
mod tests;
mod world;

/// A credential that ends sooner than this is renewed first.
const CREDENTIAL_MARGIN_S: u64 = 60;
/// After a refused enrolment: somebody has to mend the settings first.
const REFUSED_WAIT: Duration = Duration::from_secs(15 * 60);

/// Between a refused credential and the next enrolment.
const REENROL_WAIT: Duration = Duration::from_secs(2);

/// The machine role. See [`crate::machine`] for how it is driven.
#[derive(Debug)]
pub struct MachineRole {
    config: Config,
    system_id: String,
    /// This machine's first.
    identities: Vec<Identity>,
    /// They are on disk.
    identities_kept: bool,
    notice: Option<Problem>,
    fleet: Fleet,
    update: Update,
    outbox: Outbox,
    poll: Poll,
    policy: Option<Verified<PolicyDocument>>,
    credential: Option<Credential>,
    root_sha256: Option<String>,
    /// No enrolment before this.
    enrol_not_before: Option<Instant>,
    enrol_failures: u32,
    /// The journal: interrupted jobs that wait for their turn, and verdicts that may still be corrected.
    interrupted: BTreeMap<DeviceId, Interrupted>,
    groups: BTreeMap<String, Vec<ResolvedGroup>>,
    assigned: Option<Vec<String>>,
    /// The tenant's last word on this user, for when it is silent.
    last_assigned: Option<Vec<String>>,
    deferred: BTreeSet<(String, String)>,
    user: Option<String>,
    inventory: Inventory,
    tenant: TenantState,
    /// What each errand to the tenant last failed with; one that succeeds says nothing of the others.
    troubles: BTreeMap<Errand, Problem>,
    /// The user role speaks another version.
    refused: bool,
    /// Parts of the machine role that do not work.
    out_of_order: BTreeMap<Function, Problem>,
    told: Told,
    /// A tenant request is with the shell.
    busy: bool,
    /// The last one found nobody.
    unreachable: bool,
    /// The clocks at the last input.
    seen: Now,
    /// Who waits for the tenant's answer to a poll.
    poll_asked: Vec<u64>,
    /// When it is asked next, by both clocks.
    next_poll: Option<(Instant, u64)>,
    /// Until then only what a person waits for is asked of the tenant.
    quiet_until: Option<Instant>,
    random: fastrand::Rng,
    out: VecDeque<Output>,
    /// Answers to the user role wait until what they answer for is told.
    answers: Vec<ToUser>,
}

/// Why the tenant is asked. What stands first is shown first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Errand {
    Enrol,
    Policy,
    Deliver,
    Groups,
}

/// What the user role was told last, to tell it changes only.
#[derive(Debug, Default)]
struct Told {
    offers: Vec<crate::protocol::Offer>,
    tenant: TenantState,
    rules: Option<crate::protocol::GroupRules>,
    /// Headsets that need firmware; all others the fleet tells of.
    stranded: BTreeMap<DeviceId, Device>,
    troubles: Vec<Trouble>,
}

impl MachineRole {
    pub fn new(config: Config, persisted: Persisted, now: Now) -> Self {
        let mut out = VecDeque::new();
        let host = host::settle(persisted.identities, config.identity.clone());
        if host.changed {
            out.push_back(Output::Persist(Record::Identities(host.known.clone())));
        }
        let mut persisted = Persisted { identities: Vec::new(), ..persisted };
        if host.another {
            // What the other host owes is said by that host.
            let owed = persisted.owed.drain(..).map(|owed| owed.id).collect();
            out.push_back(Output::Persist(Record::Delivered(owed)));
            persisted.credential = None;
            persisted.devices.clear();
            out.push_back(Output::Persist(Record::Credential(None)));
        }
        let mut service = Self {
            random: fastrand::Rng::with_seed(config.seed),
            system_id: host.known[0].system_id.clone(),
            identities: host.known,
            identities_kept: !host.changed,
            notice: host.notice,
            fleet: Fleet::new(persisted.homes),
            update: Update::default(),
            outbox: Outbox::default(),
            poll: Poll::default(),
            policy: persisted.policy,
            credential: persisted.credential,
            root_sha256: config.root_sha256.clone(),
            enrol_not_before: None,
            enrol_failures: 0,
            interrupted: persisted
                .journal
                .into_iter()
                .map(|entry| Interrupted::restored(entry, now.instant))
                .collect(),
            groups: persisted.groups.into_iter().collect(),
            assigned: None,
            last_assigned: None,
            deferred: persisted.deferred.into_iter().collect(),
            user: None,
            inventory: Inventory::new(persisted.devices, now.instant),
            tenant: TenantState::default(),
            troubles: BTreeMap::new(),
            refused: false,
            out_of_order: BTreeMap::new(),
            told: Told::default(),
            busy: false,
            unreachable: false,
            seen: now,
            poll_asked: Vec::new(),
            next_poll: None,
            quiet_until: None,
            config,
            out,
            answers: Vec::new(),
        };
        service.outbox.restore(persisted.owed);
        if service.config.server_url.is_some() {
            let jitter = service.jitter();
            service.poll.start(service.policy.as_ref().map(Verified::get), jitter, now.instant);
            // A machine that is known to the tenant takes its time, as with the poll: after a power cut there are
            // thousands. A new one is waited for.
            if service.policy.is_some() && !service.credential_is_good(now) {
                service.enrol_not_before = service.poll.next;
                service.assigned = Some(service.last_assigned());
            }
            service.owe_host(now);
            service.owe_event("com.hookswitch.agent.started", json!({}), now);
            if service.notice.is_some() {
                let from = service.identities[0].copied_from.clone();
                service.owe_event("com.hookswitch.host.copied", json!({ "from": from }), now);
            }
            service.outbox.flush_events(now.instant);
        } else {
            // A company that let the machine go rules it no more; which one it is now, if any, is not known.
            service.policy = None;
            service.groups.clear();
        }
        service.keep_ids();
        service.fleet.hotplug(now.instant, &mut service.out);
        service.settle(now);
        service
    }

    pub fn system_id(&self) -> &str {
        &self.system_id
    }

    /// The seed of this machine's key.
    pub fn host_key(&self) -> &Secret {
        self.identities[0].key.as_ref().expect("invariant: settled identities have a key")
    }

    /// What there is to say about the identity of this machine, once.
    pub fn notice(&self) -> Option<&Problem> {
        self.notice.as_ref()
    }

    pub fn handle(&mut self, input: Input, now: Now) {
        self.look_at_clocks(now);
        let at = now.instant;
        match input {
            Input::WorldChanged(change) => self.world_changed(change, now),
            Input::Scanned(scan) => {
                let changes = self.fleet.scanned(scan, &mut self.out);
                for port in changes.left {
                    let finished = self.update.left(port, at, &mut self.out);
                    self.finished(finished, now);
                }
                for usb in changes.arrived {
                    let finished = self.update.arrived(usb, at, &mut self.out);
                    self.finished(finished, now);
                }
            }
            Input::ScanFailed => self.fleet.scan_ended(&mut self.out),
            Input::HidOpened { path, result } => self.fleet.opened(&path, result, at, &mut self.out),
            Input::HidReport { path, bytes } => self.fleet.report_received(&path, &bytes, at, &mut self.out),
            Input::HidWritten { path, ticket, result } => {
                self.fleet.written(&path, ticket, result, at, &mut self.out);
            }
            Input::HidLost { path } => {
                self.fleet.reader_ended(&path, at, &mut self.out);
            }
            Input::UsbCompleted(result) => {
                let finished = self.update.completed(result, at, &mut self.out);
                self.finished(finished, now);
            }
            Input::User(message) => self.handle_user(message, now),
            Input::Tenant(answer) => self.handle_tenant(answer, now),
            Input::StoreFailed { problem, withheld } => {
                tracing::error!(%problem, "a firmware update must not go on without its journal");
                self.out_of_order.insert(Function::Store, problem);
                if let Some(finished) = self.update.cannot_journal(at, &mut self.out) {
                    self.finished(finished, now);
                }
                let queued = self.out.len();
                self.out.retain(|o| !matches!(o, Output::Usb(r) if *r != UsbRequest::Close));
                if withheld || self.out.len() < queued {
                    let finished = self.update.completed(Err(TransferError::NotSent), at, &mut self.out);
                    self.finished(finished, now);
                }
            }
            Input::Trouble { function, problem } => {
                match problem {
                    Some(problem) => self.out_of_order.insert(function, problem),
                    None => self.out_of_order.remove(&function),
                };
            }
            Input::Stop => self.fleet.darken(at, &mut self.out),
        }
        self.settle(now);
    }

    pub fn handle_timeout(&mut self, now: Now) {
        self.look_at_clocks(now);
        self.fleet.handle_timeout(now.instant, &mut self.out);
        let finished = self.update.handle_timeout(now.instant, &mut self.out);
        self.finished(finished, now);
        self.settle(now);
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// After [`Input::Stop`]: the lights are out, or there is no more time for it.
    pub fn has_stopped(&self) -> bool {
        self.fleet.is_dark()
    }

    /// When to call [`MachineRole::handle_timeout`], and why.
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let tenant =
            (self.config.server_url.is_some() && !self.busy).then(|| self.next_tenant_step()).flatten();
        [
            self.fleet.poll_timeout(),
            self.update.poll_timeout(),
            self.next_resume(),
            self.next_missing(),
            tenant,
        ]
        .into_iter()
        .flatten()
        .min_by_key(|(at, _)| *at)
    }

    fn next_missing(&self) -> Option<(Instant, &'static str)> {
        self.config.server_url.as_ref().and_then(|_| self.inventory.poll_timeout())
    }

    fn handle_user(&mut self, message: ToMachine, now: Now) {
        if self.refused && !matches!(message, ToMachine::Hello { .. }) {
            return;
        }
        match message {
            ToMachine::Hello { protocol, user } => {
                if protocol != PROTOCOL_VERSION {
                    // Neither would understand all that the other says, and what is misread may be an order.
                    tracing::error!(
                        protocol,
                        ours = PROTOCOL_VERSION,
                        "an agent of another version is refused"
                    );
                    self.refused = true;
                    let refused = ToUser::Refused { protocol: PROTOCOL_VERSION };
                    self.out.push_back(Output::ToUser(refused));
                    return;
                }
                self.refused = false;
                if self.user.as_ref() != Some(&user) {
                    self.last_assigned = None;
                    self.told.rules = None;
                }
                let another = self.user.as_ref() != Some(&user);
                self.user = Some(user);
                if another {
                    self.owe_known_user(now);
                }
                self.assigned = None;
                let state = self.state();
                self.told.offers.clone_from(&state.offers);
                self.told.tenant = state.tenant.clone();
                self.told.rules.clone_from(&state.rules);
                self.told.stranded = self.stranded();
                self.told.troubles.clone_from(&state.troubles);
                self.out.push_back(Output::ToUser(ToUser::Hello(Box::new(state))));
            }
            ToMachine::SetIndicators { device, indicators } => {
                self.fleet.set_indicators(&device, indicators, now.instant, &mut self.out);
            }
            ToMachine::InstallUpdate { request, offer } => {
                let problem = self.install(&offer, now).err();
                self.answer(request, problem);
            }
            ToMachine::DeferUpdate { request, offer } => {
                let problem = self.defer(&offer).err();
                self.answer(request, problem);
            }
            ToMachine::CancelUpdate { request, anyway } => {
                let problem = self.cancel(anyway, now).err();
                self.answer(request, problem);
            }
            ToMachine::Poll { request } => self.asked_to_poll(request, now),
            ToMachine::Identity { user, groups, problem } => self.identity(user, groups, problem, now),
        }
    }

    fn identity(&mut self, user: String, groups: Vec<ResolvedGroup>, problem: Option<Problem>, now: Now) {
        if let Some(problem) = problem {
            tracing::warn!(%problem, "groups are those last known");
        }
        if self.groups.get(&user) == Some(&groups) && self.user.as_ref() == Some(&user) {
            // Known from the last run; the tenant still hears of it once a run.
        } else {
            self.out
                .push_back(Output::Persist(Record::Groups { user: user.clone(), groups: groups.clone() }));
        }
        self.groups.insert(user.clone(), groups.clone());
        self.owe_user(&user, &groups, now);
        self.user = Some(user);
    }

    fn answer(&mut self, request: u64, problem: Option<Problem>) {
        self.answers.push(ToUser::Answer { request, problem });
    }

    /// What every input ends with: the tenant's next step, and the user role hears what changed.
    fn settle(&mut self, now: Now) {
        self.hear_late_answers(now);
        self.resume_interrupted(now);
        self.tell_stranded();
        self.register_devices(now);
        self.tenant_step(now);
        self.plan_poll(now);
        let tenant = self.tenant_state();
        if tenant != self.told.tenant {
            self.told.tenant = tenant.clone();
            self.out.push_back(Output::ToUser(ToUser::TenantChanged { tenant }));
        }
        let rules = self.rules();
        if rules != self.told.rules
            && let Some(rules) = rules
        {
            self.told.rules = Some(rules.clone());
            self.out.push_back(Output::ToUser(ToUser::ResolveGroups { rules }));
        }
        let offers = self.offers();
        if offers != self.told.offers {
            self.told.offers.clone_from(&offers);
            self.out.push_back(Output::ToUser(ToUser::OffersChanged { offers }));
        }
        let troubles = self.parts_out_of_order();
        if troubles != self.told.troubles {
            self.told.troubles.clone_from(&troubles);
            self.out.push_back(Output::ToUser(ToUser::TroublesChanged { troubles }));
        }
        self.out.extend(self.answers.drain(..).map(Output::ToUser));
    }

    /// After the fleet has told what it knows: a headset is in one of the two.
    fn tell_stranded(&mut self) {
        let now = self.stranded();
        self.keep_ids();
        if now == self.told.stranded {
            return;
        }
        for (id, device) in &now {
            if self.told.stranded.get(id) != Some(device) {
                self.out.push_back(Output::ToUser(ToUser::DeviceChanged { device: device.clone() }));
            }
        }
        let was = std::mem::replace(&mut self.told.stranded, now);
        for id in was.into_keys() {
            if !self.told.stranded.contains_key(&id) && self.fleet.device(&id).is_none() {
                self.out.push_back(Output::ToUser(ToUser::DeviceRemoved { id }));
            }
        }
    }

    fn parts_out_of_order(&self) -> Vec<Trouble> {
        let trouble = |(function, problem): (&Function, &Problem)| Trouble {
            function: *function,
            problem: problem.clone(),
        };
        self.out_of_order.iter().map(trouble).collect()
    }

    fn state(&self) -> State {
        let mut devices: Vec<Device> =
            self.fleet.devices().cloned().chain(self.stranded().into_values()).collect();
        devices.sort_by(|a, b| a.id.cmp(&b.id));
        State {
            protocol: PROTOCOL_VERSION,
            devices,
            offers: self.offers(),
            job: self.update.job().cloned(),
            tenant: self.tenant_state(),
            // While the tenant is asked for the groups by hand, the rules told before are in force.
            rules: self.rules().or_else(|| self.told.rules.clone()),
            known_groups: self.user.as_ref().and_then(|u| self.groups.get(u)).cloned().unwrap_or_default(),
            troubles: self.parts_out_of_order(),
        }
    }

    /// Nothing to resolve before the tenant was asked for this user's manual groups.
    fn rules(&self) -> Option<crate::protocol::GroupRules> {
        let policy = self.policy.as_ref()?;
        match &self.assigned {
            Some(assigned) => Some(policy::group_rules(policy, assigned)),
            None if policy::has_manual_groups(policy.get()) => None,
            None => Some(policy::group_rules(policy, &[])),
        }
    }

    fn tenant_state(&self) -> TenantState {
        if self.config.server_url.is_none() {
            let problem = self.config.tenant_fault.clone();
            let mode = if problem.is_some() { TenantMode::Locked } else { TenantMode::Consumer };
            return TenantState { mode, problem, ..TenantState::default() };
        }
        let document = self.policy.as_ref().map(Verified::get);
        TenantState {
            mode: TenantMode::Server,
            server: self.config.server_url.clone(),
            company: document.map(|d| d.company.clone()),
            enrolled: self.credential.is_some(),
            policy_version: self.policy.as_ref().map(Verified::version),
            root_sha256: self.root_sha256.clone(),
            polling_s: document.map(|d| d.polling_s),
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
            ..self.tenant.clone()
        }
    }

    /// 0..1: spreads load, protects nothing.
    fn jitter(&mut self) -> f64 {
        self.random.f64()
    }
}

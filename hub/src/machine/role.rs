//! The machine role itself: which room gets an input, and what one room's news means for the others.

use super::outbox::Outbox;
use super::people::People;
use super::policy::{self, InForce, Poll};
use super::revision::{Revised, Revision};
use super::session::{SessionId, Sessions, Stranded};
use super::update::{Finished, Target, Update};
use super::{
    Config, Credential, Delivery, FailureKind, Fetched, Identity, Input, JobId, Now, Output, Owed, Persisted,
    Record, Source, Tenancy, TenantAnswer, TenantFailure, TenantRequest, UsbRequest, Verified, fleet::Fleet,
    host, no_tenant,
};
use crate::protocol::{
    Device, DeviceId, DeviceStatus, Function, Job, Offer, Outcome, PROTOCOL_VERSION, PastUpdate, Problem,
    ResolvedGroup, State, Support, TenantMode, TenantState, ToMachine, ToUser, Trouble,
};
use deployment::Deployments;
use device_handlers::registry;
use dfu::FirmwareVersion;
use dfu::usb_dfu::{TransferError, UsbIdentity};
use inventory::Inventory;
use jiff::tz::TimeZone;
use jobs::Interrupted;
use queue::Queued;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tenant::policy::PolicyDocument;
use tenant::secret::Secret;
use tenant::{grammar, wire};
use work::Work;

mod deploy;
mod deployment;
mod history;
mod inventory;
mod jobs;
mod late;
mod liaison;
mod queue;
mod reports;
mod session;
mod tenancy;
#[cfg(test)]
mod tests;
mod work;
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
    policy: Revised<Option<InForce>>,
    credential: Revised<Option<Credential>>,
    /// [`Tenancy::name`] of the one whose policy, credential, groups and reports are kept here.
    kept_of: Option<String>,
    /// Its policy, while the settings name no tenant.
    aside: Option<InForce>,
    /// Its root is the one pinned last.
    tenancy: Revised<Tenancy>,
    /// No enrolment before this.
    enrol_not_before: Option<Instant>,
    enrol_failures: u32,
    /// The journal: interrupted jobs that wait for their turn, and verdicts that may still be corrected.
    interrupted: Revised<BTreeMap<DeviceId, Interrupted>>,
    groups: BTreeMap<String, Vec<ResolvedGroup>>,
    people: People,
    /// Whose groups by hand the tenant is being asked for.
    assigned_of: Option<String>,
    deferred: Revised<BTreeSet<(String, String)>>,
    deployments: Deployments,
    /// Updates that wait for their turn.
    queue: VecDeque<Queued>,
    /// How the last updates ended, the last first.
    history: Vec<PastUpdate>,
    sessions: Sessions,
    /// Whose lights the headsets show.
    at_seat: Option<SessionId>,
    inventory: Inventory,
    last_poll_s: Revised<Option<u64>>,
    /// When the policy in force was last found to be the newest, in this run or before; in Unix seconds.
    policy_seen_s: Revised<Option<u64>>,
    /// What each errand to the tenant last failed with; one that succeeds says nothing of the others.
    troubles: Revised<BTreeMap<Errand, Problem>>,
    /// Parts of the machine role that do not work.
    out_of_order: Revised<BTreeMap<Function, Problem>>,
    /// Headsets that need firmware, as told; of all others the fleet tells.
    stranded_told: Stranded,
    /// A tenant request is with the shell.
    busy: bool,
    /// The last one found nobody.
    unreachable: bool,
    /// The clocks at the last input.
    seen: Now,
    /// Who waits for the tenant's answer to a poll.
    poll_asked: Vec<(SessionId, u64)>,
    /// When it is asked next, by both clocks.
    next_poll: Revised<Option<(Instant, u64)>>,
    /// Until then only what a person waits for is asked of the tenant.
    quiet_until: Option<Instant>,
    work: Work,
    random: fastrand::Rng,
    out: VecDeque<Output>,
}

/// Why the tenant is asked. What stands first is shown first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Errand {
    Enrol,
    Policy,
    Deliver,
    Groups,
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
            policy: Revised::new(persisted.policy.map(InForce::new)),
            credential: Revised::new(persisted.credential),
            kept_of: persisted.tenant,
            aside: None,
            tenancy: Revised::new(config.tenancy.clone()),
            enrol_not_before: None,
            enrol_failures: 0,
            interrupted: Revised::new(
                persisted
                    .journal
                    .into_iter()
                    .map(|entry| Interrupted::restored(entry, now.instant))
                    .collect(),
            ),
            groups: persisted.groups.into_iter().collect(),
            people: People::default(),
            assigned_of: None,
            deferred: Revised::new(persisted.deferred.into_iter().collect()),
            deployments: Deployments::new(persisted.deployments, config.zone.clone(), now),
            queue: VecDeque::new(),
            history: persisted.history,
            sessions: Sessions::default(),
            at_seat: None,
            inventory: Inventory::new(persisted.devices, now.instant),
            last_poll_s: Revised::default(),
            policy_seen_s: Revised::new(persisted.policy_seen_s),
            troubles: Revised::default(),
            out_of_order: Revised::default(),
            stranded_told: Stranded::new(),
            busy: false,
            unreachable: false,
            seen: now,
            poll_asked: Vec::new(),
            next_poll: Revised::default(),
            work: Work::default(),
            quiet_until: None,
            config,
            out,
        };
        service.outbox.restore(persisted.owed);
        service.begin_tenancy(now);
        if service.tenancy.source.is_some() {
            service.owe_event("com.hookswitch.agent.started", json!({}), now);
            if service.notice.is_some() {
                let from = service.identities[0].copied_from.clone();
                service.owe_event("com.hookswitch.host.copied", json!({ "from": from }), now);
            }
            service.outbox.flush_events(now.instant);
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

    /// What the tenant is shown.
    pub fn access_token(&self) -> Option<&str> {
        self.credential.as_ref().map(|credential| credential.access_token.as_str())
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
            Input::UsbCompleted { job, result } => {
                let finished = self.update.completed(job, result, at, &mut self.out);
                self.finished(finished, now);
            }
            Input::UserCame { session, peer } => self.user_came(session, peer, now),
            Input::User { session, message } => self.handle_user(session, message, now),
            Input::UserGone { session } => self.user_gone(session, now),
            Input::SeatChanged(seat) => self.seat_changed(seat, now),
            Input::Directory { user, answer } => {
                if let Some(news) = self.people.answered(&user, answer, at) {
                    self.people_news(news, now);
                }
            }
            Input::Tenant(answer) => self.handle_tenant(answer, now),
            Input::TenancyChanged(tenancy) => self.tenancy_changed(tenancy, now),
            Input::ZoneChanged(zone) => self.deployments.zone.set(zone),
            Input::FetchProgress { job, done_bytes, total_bytes } => {
                self.update.fetch_progress(job, done_bytes, total_bytes, &mut self.out);
            }
            Input::Fetched { job, result } => self.fetched(job, result, now),
            Input::StoreFailed { problem, withheld } => {
                tracing::error!(%problem, "a firmware update must not go on without its journal");
                self.out_of_order.edit().insert(Function::Store, problem);
                if let Some(finished) = self.update.cannot_journal(at, &mut self.out) {
                    self.finished(finished, now);
                }
                let queued = self.out.len();
                self.out
                    .retain(|o| !matches!(o, Output::Usb { request, .. } if *request != UsbRequest::Close));
                let job = self.update.id().filter(|_| withheld || self.out.len() < queued);
                if let Some(job) = job {
                    let unsent = Err(TransferError::NotSent);
                    let finished = self.update.completed(job, unsent, at, &mut self.out);
                    self.finished(finished, now);
                }
            }
            Input::Trouble { function, problem } => {
                match problem {
                    Some(problem) => self.out_of_order.edit().insert(function, problem),
                    None => self.out_of_order.edit().remove(&function),
                };
            }
            Input::Stop => {
                self.leave_queue(|_| true);
                self.fleet.darken(at, &mut self.out);
            }
        }
        self.settle(now);
    }

    pub fn handle_timeout(&mut self, now: Now) {
        self.look_at_clocks(now);
        self.fleet.handle_timeout(now.instant, &mut self.out);
        let finished = self.update.handle_timeout(now.instant, &mut self.out);
        self.finished(finished, now);
        for news in self.people.handle_timeout(now.instant) {
            self.people_news(news, now);
        }
        self.dismiss_silent(now);
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
        let tenant = (self.tenancy.source.is_some() && !self.busy).then(|| self.next_tenant_step()).flatten();
        [
            self.fleet.poll_timeout(),
            self.update.poll_timeout(),
            self.next_resume(),
            self.next_missing(),
            self.people.poll_timeout(),
            self.sessions.poll_timeout(),
            self.deployments.poll_timeout(),
            tenant,
        ]
        .into_iter()
        .flatten()
        .min_by_key(|(at, _)| *at)
    }

    fn next_missing(&self) -> Option<(Instant, &'static str)> {
        self.tenancy.can_report().then(|| self.inventory.poll_timeout()).flatten()
    }

    /// What every input ends with: the tenant's next step, and the user role hears what changed.
    fn settle(&mut self, now: Now) {
        #[cfg(test)]
        {
            self.work.asked += 1;
        }
        self.hear_late_answers(now);
        self.write_step(now);
        self.resume_interrupted(now);
        self.begin_queued(now);
        self.look_at_people(now);
        self.deploy(now);
        self.tell_stranded();
        self.register_devices(now);
        self.tenant_step(now);
        self.fetch_step(now);
        self.plan_poll(now);
        self.tell_users();
    }

    /// 0..1: spreads load, protects nothing.
    fn jitter(&mut self) -> f64 {
        self.random.f64()
    }
}

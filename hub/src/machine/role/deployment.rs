//! Updates that begin by themselves, and persons who are asked: what [`decide`] says of each offer is done here.

use super::deploy::is_about;
use super::*;
use crate::machine::deployment::{
    Decision, MOST_FAILURES, MOST_HELD_S, NOTICE_S, Past, Rule, Situation, decide, place,
};
use crate::problem::{Code, Reason};
use crate::protocol::{Deployment, WaitsFor};
use tenant::policy::Deployment as Asked;

/// What could not be begun is tried again after this.
const HELD_S: u64 = 15 * 60;
/// Offers of which something is remembered.
const MOST: usize = 64;

/// What is known of an offer in this run alone.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Brief {
    announced_s: Option<u64>,
    held_until_s: Option<u64>,
}

/// What decisions are made of, beside the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DecidedFrom {
    plan: Revision,
    deployments: Revision,
    fleet: Revision,
    at_seat: Option<SessionId>,
    kept: Option<WaitsFor>,
}

/// Of all offers that are not simply the person's.
#[derive(Debug)]
pub(super) struct Deployments {
    pub(super) past: Revised<Vec<Past>>,
    brief: Revised<BTreeMap<String, Brief>>,
    /// By which windows are meant.
    pub(super) zone: Revised<TimeZone>,
    /// When somebody came last, or the company was asked.
    occasion_s: Revised<Option<u64>>,
    calm_since_s: Revised<Option<u64>>,
    /// The last job that nobody asked for.
    begun: Option<JobId>,
    /// When time alone changes a decision.
    next: Option<Instant>,
    /// Moves when it has.
    passed: Revised<()>,
}

impl Deployments {
    pub(super) fn new(past: Vec<Past>, zone: TimeZone, now: Now) -> Self {
        Self {
            past: Revised::new(past),
            brief: Revised::default(),
            zone: Revised::new(zone),
            occasion_s: Revised::default(),
            calm_since_s: Revised::new(Some(now.unix_s)),
            begun: None,
            next: None,
            passed: Revised::default(),
        }
    }

    pub(super) fn revision(&self) -> Revision {
        let kept = self.past.revision().with(self.brief.revision());
        let occasions = self.occasion_s.revision().with(self.calm_since_s.revision());
        kept.with(self.zone.revision()).with(self.passed.revision()).with(occasions)
    }

    fn of(&self, offer: &str, version: &str) -> Past {
        let known = self.past.iter().find(|past| past.offer == offer && past.version == version);
        let new = || Past { offer: offer.to_owned(), version: version.to_owned(), ..Past::default() };
        known.cloned().unwrap_or_else(new)
    }

    /// Of one version of an offer is remembered; of the others no more.
    fn keep(&mut self, past: Past) -> Record {
        let all = self.past.edit();
        all.retain(|before| before.offer != past.offer);
        all.push(past);
        let more = all.len().saturating_sub(MOST);
        all.drain(..more);
        Record::Deployments(all.clone())
    }

    fn forget(&mut self, goes: impl Fn(&Past) -> bool) -> Option<Record> {
        self.past.iter().any(&goes).then(|| {
            let all = self.past.edit();
            all.retain(|past| !goes(past));
            Record::Deployments(all.clone())
        })
    }

    /// Another person has to be told anew.
    pub(super) fn another_person(&mut self, now: Now) {
        self.occasion(now);
        self.calm_since_s.set(Some(now.unix_s));
        self.unannounced();
    }

    /// The company was asked, or somebody came.
    pub(super) fn occasion(&mut self, now: Now) {
        self.occasion_s.set(Some(now.unix_s));
    }

    /// What is not offered any more is announced anew when it is.
    fn offered(&mut self, offers: &[Offer], now_s: u64) {
        let open = |offer: &str| offers.iter().any(|open| open.id == offer && open.blocked.is_none());
        let holds = |brief: &Brief| brief.held_until_s.is_some_and(|until| until > now_s);
        let stale = |(offer, brief): (&String, &Brief)| {
            !open(offer) && (brief.announced_s.is_some() || !holds(brief))
        };
        if self.brief.iter().any(stale) {
            self.brief.edit().retain(|offer, brief| {
                if !open(offer) {
                    brief.announced_s = None;
                }
                open(offer) || holds(brief)
            });
        }
    }

    fn unannounced(&mut self) {
        if self.brief.values().any(|brief| brief.announced_s.is_some()) {
            self.brief.edit().values_mut().for_each(|brief| brief.announced_s = None);
        }
    }

    /// The clocks moved: what time decides is decided anew.
    pub(super) fn clocks_moved(&mut self, now: Now) {
        self.next = Some(now.instant);
        self.calm_since_s.set(Some(now.unix_s));
        self.unannounced();
    }

    pub(super) fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        self.next.map(|at| (at, "begin a firmware update, or ask for it"))
    }
}

impl MachineRole {
    /// Without one the person begins it: recoveries, and what no policy names.
    fn rule_of(&self, offer: &Offer) -> Option<Rule> {
        let document = self.policy.as_ref()?.document();
        let named = (offer.deployment != Deployment::Recovery)
            .then(|| document.firmware.iter().find(|firmware| firmware.id == offer.policy));
        named.flatten().map(Rule::of).filter(|rule| rule.deployment != Asked::Optional)
    }

    /// By which windows are meant.
    pub fn zone(&self) -> &TimeZone {
        &self.deployments.zone
    }

    /// What keeps everything that begins by itself waiting. Those in the queue go first, but with nobody at the seat they
    /// wait for their person, and nothing waits for them.
    fn kept(&self) -> Option<WaitsFor> {
        let free = self.is_free() && (self.queue.is_empty() || self.at_seat.is_none());
        match free {
            false => Some(WaitsFor::Turn),
            true => self.unreachable.then_some(WaitsFor::Company),
        }
    }

    /// The job that runs is one that nobody asked for.
    pub(super) fn begun_by_itself(&self) -> bool {
        self.update.id().is_some() && self.update.id() == self.deployments.begun
    }

    fn decide(&self, rule: &Rule, offer: &Offer) -> Decision {
        let brief = self.deployments.brief.get(&offer.id).copied().unwrap_or_default();
        let is = Situation {
            now_s: self.seen.unix_s,
            zone: self.zone(),
            place: place(&self.system_id),
            somebody: self.at_seat.is_some(),
            call: self.is_in_call(),
            kept: self.kept(),
            announced_s: brief.announced_s,
            held_until_s: brief.held_until_s,
            occasion_s: *self.deployments.occasion_s,
            calm_since_s: *self.deployments.calm_since_s,
        };
        decide(rule, &self.deployments.of(&offer.id, &offer.to_version), &is)
    }

    /// Any headset of this computer.
    pub(super) fn is_in_call(&self) -> bool {
        self.fleet.devices().any(|device| self.fleet.in_call(&device.id))
    }

    /// What an offer says of it.
    pub(super) fn deployed(&self, mut offer: Offer) -> Offer {
        let Some(rule) = self.rule_of(&offer) else { return offer };
        let past = self.deployments.of(&offer.id, &offer.to_version);
        let decision = self.decide(&rule, &offer);
        let begins = rule.deployment(self.seen.unix_s) == Asked::Automatic;
        if begins {
            offer.deployment = Deployment::Automatic;
            offer.deferrals_left = Some(rule.deferrals.saturating_sub(past.deferrals));
        }
        offer.deferrable = past.deferred_until(self.seen.unix_s).is_none()
            && match rule.deployment(self.seen.unix_s) {
                Asked::Optional | Asked::Silent => false,
                Asked::Persistent => true,
                Asked::Automatic => offer.deferrals_left != Some(0),
            };
        offer.next = match decision {
            Decision::Leave(next) => next,
            Decision::Wait(next) => Some(next),
            Decision::Ask | Decision::Announce | Decision::Begin => None,
        };
        offer
    }

    /// Decides of each offer, when something that decides has changed.
    pub(super) fn deploy(&mut self, now: Now) {
        if self.deployments.next.is_some_and(|at| at <= now.instant) {
            self.deployments.next = None;
            self.deployments.passed.edit();
        }
        let offers = self.offers();
        self.deployments.offered(&offers, now.unix_s);
        let from = DecidedFrom {
            plan: self.work.plan.revision(),
            deployments: self.deployments.revision(),
            fleet: self.fleet.revision(),
            at_seat: self.at_seat,
            kept: self.kept(),
        };
        if !self.work.decided.is_due(from) {
            return;
        }
        if self.is_in_call() || from.kept.is_some() {
            // When it can begin, the person is told anew.
            self.deployments.unannounced();
        }
        let mut next: Option<u64> = None;
        let mut soonest = |at_s: u64| next = Some(next.map_or(at_s, |before| before.min(at_s)));
        for offer in offers.iter().filter(|offer| offer.blocked.is_none()) {
            let Some(rule) = self.rule_of(offer) else { continue };
            if self.at_seat.is_some() && self.queue.iter().any(|queued| is_about(&queued.job, &offer.id)) {
                continue;
            }
            if let Some(deadline) = rule.deadline_s.filter(|at| *at > now.unix_s) {
                soonest(deadline);
            }
            match self.decide(&rule, offer) {
                Decision::Ask => {
                    let past = Past {
                        asked_s: Some(now.unix_s),
                        ..self.deployments.of(&offer.id, &offer.to_version)
                    };
                    let record = self.deployments.keep(past);
                    self.out.push_back(Output::Persist(record));
                    self.ask(offer, false);
                }
                Decision::Announce => {
                    let brief = self.deployments.brief.edit().entry(offer.id.clone()).or_default();
                    brief.announced_s = Some(now.unix_s);
                    soonest(now.unix_s + NOTICE_S);
                    self.ask(offer, true);
                }
                Decision::Begin => {
                    let begun = self.ready(&offer.id, now).and_then(|known| self.begin(&known, now));
                    if let Err(problem) = begun {
                        tracing::warn!(offer = %offer.id, why = %problem, "an update is not begun");
                        self.hold(&offer.id, now.unix_s + HELD_S);
                        soonest(now.unix_s + HELD_S);
                    } else {
                        self.leave_queue(|job| job.device == offer.device);
                        self.deployments.brief.edit().remove(&offer.id);
                        self.deployments.begun = self.update.id();
                        tracing::info!(offer = %offer.id, deployment = rule.deployment.name(), "an update begins by itself");
                    }
                }
                Decision::Leave(None) => {}
                Decision::Leave(Some(wait)) | Decision::Wait(wait) => {
                    // A call may outlast a window.
                    soonest(wait.at_s.unwrap_or(now.unix_s + HELD_S));
                }
            }
        }
        let wait = next.map(|at_s| Duration::from_secs(at_s.saturating_sub(now.unix_s)));
        self.deployments.next = wait.map(|wait| now.instant + wait.max(Duration::from_secs(1)));
    }

    fn ask(&mut self, offer: &Offer, begins: bool) {
        let deferrable = offer.deferrable;
        let (offer, name, version) = (offer.id.clone(), offer.name.clone(), offer.to_version.clone());
        self.out.push_back(Output::news(ToUser::UpdateAsks { offer, name, version, begins, deferrable }));
    }

    fn hold(&mut self, offer: &str, until_s: u64) {
        let brief = self.deployments.brief.edit().entry(offer.to_owned()).or_default();
        *brief = Brief { announced_s: None, held_until_s: Some(until_s) };
    }

    /// The person puts it off; `None` if that is not theirs to do with this offer.
    pub(super) fn put_off(&mut self, offer: &Offer, now: Now) -> Option<Result<(), Problem>> {
        let rule = self.rule_of(offer)?;
        let mut past = self.deployments.of(&offer.id, &offer.to_version);
        match rule.deployment(now.unix_s) {
            Asked::Optional | Asked::Silent => return None,
            // Said twice, meant once.
            _ if past.deferred_until(now.unix_s).is_some() => return Some(Ok(())),
            Asked::Persistent => {}
            Asked::Automatic if past.deferrals >= rule.deferrals => {
                let most = rule.deferrals.to_string();
                return Some(Err(Reason::DeferralsUsed { most }.at(&offer.name)));
            }
            Asked::Automatic => past.deferrals += 1,
        }
        past.deferred_s = Some(now.unix_s);
        self.keep_past(past);
        Some(Ok(()))
    }

    fn keep_past(&mut self, past: Past) {
        if self.deployments.brief.contains_key(&past.offer) {
            self.deployments.brief.edit().remove(&past.offer);
        }
        let record = self.deployments.keep(past);
        self.out.push_back(Output::Persist(record));
    }

    /// How it ended counts for when it is tried again.
    pub(super) fn deployment_ended(&mut self, finished: &Finished, now: Now) {
        // The next company may call its updates the same.
        if finished.tenant != self.tenancy.name() {
            return;
        }
        let document = self.policy.as_ref().map(InForce::document);
        let named = document.and_then(|policy| policy.firmware.iter().find(|f| f.id == finished.policy));
        let Some(rule) = named.map(Rule::of).filter(|rule| rule.deployment != Asked::Optional) else {
            return;
        };
        let job = &finished.job;
        if let Outcome::Succeeded { .. } = finished.outcome {
            let record = self.deployments.forget(|past| past.offer == job.offer);
            self.out.extend(record.map(Output::Persist));
            return;
        }
        let code = match &finished.outcome {
            Outcome::Failed { problem } | Outcome::Unknown { problem } => Some(problem.code),
            Outcome::Succeeded { .. } => None,
        };
        // That the company cannot be reached is no fault of the update.
        if finished.starved || code.is_some_and(Code::is_of_tenant) {
            return self.hold(&job.offer, now.unix_s + MOST_HELD_S);
        }
        let mut past = self.deployments.of(&job.offer, &job.to_version);
        let cancelled = matches!(code, Some(Code::UpdateCancelled | Code::UpdateStopped));
        if cancelled {
            // Who cancels it puts it off, as often as they like: what runs is not begun over their heads at once.
            if rule.deployment(now.unix_s) == Asked::Automatic {
                past.deferrals = past.deferrals.saturating_add(1).min(rule.deferrals);
            }
            past.deferred_s = Some(now.unix_s);
        } else {
            past.failures = past.failures.saturating_add(1);
            past.failed_s = Some(now.unix_s);
        }
        let failing = !cancelled && past.failures == MOST_FAILURES;
        self.keep_past(past);
        if failing {
            let data = json!({ "policy_id": finished.policy, "device_id": job.device,
                "target_version": job.to_version, "failures": MOST_FAILURES });
            self.owe_event("com.hookswitch.update.failing", data, now);
        }
    }

    /// The company is left: the next one may call its updates the same.
    pub(super) fn forget_all_deployments(&mut self) {
        self.deployments.brief.edit().clear();
        let record = self.deployments.forget(|_| true);
        self.out.extend(record.map(Output::Persist));
    }

    /// Of what the policy does not name any more nothing is remembered.
    pub(super) fn forget_deployments(&mut self) {
        let Some(policy) = &*self.policy else { return };
        let firmware = &policy.document().firmware;
        let named = |past: &Past| {
            let of = |id: &str| past.offer.strip_prefix(id).is_some_and(|rest| rest.starts_with(':'));
            firmware.iter().any(|f| of(&f.id) && f.version == past.version)
        };
        let record = self.deployments.forget(|past| !named(past));
        self.out.extend(record.map(Output::Persist));
    }
}

//! The tenant's side of the machine role: one request at a time, in the order of need; and what is reported.

use super::*;
use crate::machine::people::identity::everyone;
use crate::problem::Reason;
use crate::protocol::Detail;
use crate::tenancy::TenantSource;

impl MachineRole {
    /// When the next request to the tenant is due, whatever it is.
    pub(super) fn next_tenant_step(&self) -> Option<(Instant, &'static str)> {
        let (at, reason) = match self.enrol_not_before {
            // Without a credential that is good everything else has to wait, however overdue it is.
            Some(at) => (at, "enrol"),
            None => {
                let poll = self.poll.next.map(|at| (at, "poll the tenant"));
                [poll, self.outbox.poll_timeout()].into_iter().flatten().min_by_key(|(at, _)| *at)?
            }
        };
        Some((self.quiet_until.map_or(at, |quiet| at.max(quiet)), reason))
    }

    pub(super) fn tenant_step(&mut self, now: Now) {
        if self.busy || self.tenancy.source.is_none() {
            return;
        }
        let at = now.instant;
        if self.keeps_quiet(now) {
            return;
        }
        // A person who waits for a package does not wait for the crowd to pass; only for what was refused.
        let waited_for = self.enrol_failures == 0 && self.update.awaits_tenant();
        let is_let_in = self.is_let_in(now);
        if is_let_in || waited_for {
            self.enrol_not_before = None;
        }
        let request = if is_let_in || self.enrol_not_before.is_some_and(|not| not > at) {
            self.next_request(now)
        } else {
            Some(self.enrolment())
        };
        if let Some(request) = request {
            self.busy = true;
            self.out.push_back(Output::Tenant(request));
        }
    }

    fn enrolment(&mut self) -> TenantRequest {
        if !self.identities_kept {
            // Right before it, so that the one is not done without the other.
            self.out.push_back(Output::Persist(Record::Identities(self.identities.clone())));
        }
        TenantRequest::Enrol { system_id: self.system_id.clone(), host_key: self.host_key().clone() }
    }

    /// Whether what the tenant has can be had now.
    pub(super) fn is_let_in(&self, now: Now) -> bool {
        !self.tenancy.can_enrol() || self.credential_is_good(now)
    }

    pub(super) fn credential_is_good(&self, now: Now) -> bool {
        self.credential.as_ref().is_some_and(|credential| is_good(credential, now))
    }

    /// Everything waits for the policy.
    fn next_request(&mut self, now: Now) -> Option<TenantRequest> {
        if !self.is_let_in(now) {
            return None;
        }
        if self.poll.next.is_some_and(|next| next <= now.instant) {
            return Some(TenantRequest::FetchPolicy { have: self.policy.as_ref().map(InForce::version) });
        }
        if !self.tenancy.can_report() {
            return None;
        }
        let token = self.credential.as_ref().map(|c| c.access_token.clone())?;
        let system_id = self.system_id.clone();
        // The tenant tells the groups of those who are registered at this host, so that comes first.
        let by_hand = self.policy.as_ref().is_some_and(InForce::has_groups_by_hand);
        let unassigned = self.people.unassigned().find(|user| !self.outbox.owes_user(user));
        if let Some(user) = unassigned.filter(|_| by_hand).map(str::to_owned) {
            self.assigned_of = Some(user.clone());
            return Some(TenantRequest::AssignedGroups { system_id, user, token });
        }
        let owed = self.outbox.next(now.instant)?;
        Some(TenantRequest::Deliver { system_id, owed, token })
    }

    pub(super) fn handle_tenant(&mut self, answer: TenantAnswer, now: Now) {
        self.busy = false;
        self.unreachable = failure(&answer).is_some_and(|f| f.kind == FailureKind::Unreachable);
        match answer {
            TenantAnswer::Enrolled(Ok(enrolment)) if !is_good(&enrolment.credential, now) => {
                self.enrolment_failed(
                    useless_credential(self.tenancy.source.as_ref().map(TenantSource::address)),
                    now,
                );
            }
            TenantAnswer::Enrolled(Ok(enrolment)) => {
                tracing::info!(root = %enrolment.root_sha256, "enrolled with the tenant");
                self.identities_kept = true;
                self.tenancy.edit().root_sha256 = Some(enrolment.root_sha256);
                let credential = enrolment.credential;
                *self.credential.edit() = Some(credential.clone());
                self.enrol_failures = 0;
                self.enrol_not_before = None;
                self.troubles.edit().remove(&Errand::Enrol);
                self.people.ask_tenant_again();
                self.out.push_back(Output::Persist(Record::Credential(Some(credential))));
            }
            TenantAnswer::Enrolled(Err(failure)) => self.enrolment_failed(failure, now),
            TenantAnswer::Policy(Ok(policy)) => self.polled(policy, now),
            TenantAnswer::Policy(Err(failure)) => {
                self.poll_answered(Some(&failure));
                self.unauthorized(&failure, now);
                self.poll.failed(&failure, self.policy.as_ref().map(InForce::document), now.instant);
                self.trouble(Errand::Policy, failure);
            }
            TenantAnswer::Delivered(Ok(ids)) => {
                self.outbox.delivered(&ids, now.instant, &mut self.out);
                let was_silent = self.troubles.edit().remove(&Errand::Deliver).is_some();
                // The tenant is well again: what it could not say about the groups is asked once more.
                if self.troubles.edit().remove(&Errand::Groups).is_some() || was_silent {
                    self.people.ask_tenant_again();
                }
            }
            TenantAnswer::Delivered(Err(failure)) => {
                self.outbox.failed(&failure, now.instant, &mut self.out);
                self.unauthorized(&failure, now);
                self.people.tenant_is_silent();
                self.trouble(Errand::Deliver, failure);
            }
            TenantAnswer::Assigned(Ok(assigned)) => {
                self.troubles.edit().remove(&Errand::Groups);
                if let Some(user) = self.assigned_of.take() {
                    self.people.assigned(&user, assigned);
                }
            }
            TenantAnswer::Assigned(Err(failure)) => {
                self.unauthorized(&failure, now);
                if failure.kind.is_rejection() {
                    // A tenant that lost its users.
                    for user in self.people.present().map(str::to_owned).collect::<Vec<_>>() {
                        self.owe_known_user(&user, now);
                    }
                }
                self.people.tenant_is_silent();
                self.trouble(Errand::Groups, failure);
            }
        }
    }

    fn polled(&mut self, policy: Option<Verified<PolicyDocument>>, now: Now) {
        if let Some(policy) = policy {
            tracing::info!(version = policy.version(), "new policy in force");
            self.out.push_back(Output::Persist(Record::Policy(policy.clone())));
            *self.policy.edit() = Some(InForce::new(policy));
        }
        self.forget_deployments();
        self.deployments.occasion(now);
        self.people.polled(now.instant);
        self.last_poll_s.set(Some(now.unix_s));
        if self.policy.is_some() {
            self.policy_seen_s.set(Some(now.unix_s));
            self.out.push_back(Output::Persist(Record::PolicySeen(now.unix_s)));
        }
        self.troubles.edit().remove(&Errand::Policy);
        self.poll_answered(None);
        let jitter = self.jitter();
        self.poll.succeeded(self.policy.as_ref().map(InForce::document), jitter, now.instant);
    }

    fn enrolment_failed(&mut self, failure: TenantFailure, now: Now) {
        let wait = match failure.kind {
            FailureKind::Unreachable | FailureKind::ServerError => {
                let backoff = Duration::from_secs(5).saturating_mul(1 << self.enrol_failures.min(8));
                failure.retry_after.unwrap_or(backoff).clamp(Duration::from_secs(1), REFUSED_WAIT)
            }
            FailureKind::Unauthorized
            | FailureKind::Rejected
            | FailureKind::Absent
            | FailureKind::RangeNotSatisfiable
            | FailureKind::Refused
            | FailureKind::Mismatch => REFUSED_WAIT,
        };
        self.enrol_failures += 1;
        self.poll_answered(Some(&failure));
        self.enrol_not_before = Some(now.instant + wait);
        let finished = self.update.enrolment_failed(&failure, &mut self.out);
        self.finished(finished, now);
        self.people.tenant_is_silent();
        self.trouble(Errand::Enrol, failure);
    }

    /// 401: the credential is forgotten and a new one asked for.
    pub(super) fn unauthorized(&mut self, failure: &TenantFailure, now: Now) {
        if failure.kind == FailureKind::Unauthorized && self.credential.edit().take().is_some() {
            // A tenant that refuses each new credential must not be asked in a circle.
            self.enrol_not_before = Some(now.instant + REENROL_WAIT);
            self.out.push_back(Output::Persist(Record::Credential(None)));
        }
    }

    fn trouble(&mut self, errand: Errand, failure: TenantFailure) {
        tracing::warn!(problem = %failure.problem, ?errand, "tenant");
        self.troubles.edit().insert(errand, failure.problem);
    }

    pub(super) fn owe_host(&mut self, now: Now) {
        let host = wire::HostRegistration {
            system_id: self.system_id.clone(),
            hostname: self.config.hostname.clone(),
            os: self.config.os.clone(),
            os_version: self.config.os_version.clone(),
            agent_version: self.config.agent_version.clone(),
            // What `deciding` goes by while nobody is there.
            groups: registered(&[everyone()]),
            copied_from: self.identities[0].copied_from.clone(),
        };
        self.owe(Delivery::Host(host), now);
    }

    /// The user, in the groups of the last time.
    pub(super) fn owe_known_user(&mut self, user: &str, now: Now) {
        let groups = self.groups.get(user).cloned().unwrap_or_default();
        self.owe_user(user, &groups, now);
    }

    pub(super) fn owe_user(&mut self, user: &str, groups: &[ResolvedGroup], now: Now) {
        let groups = registered(groups);
        self.owe(
            Delivery::User(wire::UserRegistration { user: user.to_owned(), display: None, groups }),
            now,
        );
    }

    pub(super) fn owe_update(&mut self, finished: &Finished, now: Now) {
        // What one company had done is no business of the next. Settings that cannot be read at this moment are none.
        let of = finished.tenant.clone().or_else(|| self.tenancy.name());
        if of.as_deref().is_none_or(|of| !TenantSource::named(of).can_report()) || of != self.kept_of {
            return;
        }
        let (verdict, detail) = match &finished.outcome {
            Outcome::Succeeded { .. } => (wire::Verdict::Succeeded, None),
            Outcome::Failed { problem } => {
                // What is left of the device is the company's business, too.
                let device = problem.details.get("device").map(|device| format!("; {device}"));
                (wire::Verdict::Failed, Some(problem.what() + &device.unwrap_or_default()))
            }
            Outcome::Unknown { problem } => (wire::Verdict::Unknown, Some(problem.what())),
        };
        let status = wire::UpdateStatus {
            event_id: self.new_id(now),
            device_id: finished.job.device.clone(),
            policy_id: finished.policy.clone(),
            from_version: Some(finished.job.from_version.clone()),
            target_version: finished.job.to_version.clone(),
            verdict,
            version_read_back: finished.read_back.clone(),
            detail: detail.map(|d| dfu::text::plain(&d).take(1000).collect()),
        };
        self.owe_for_certain(Delivery::Update(status), now);
    }

    pub(super) fn owe_event(&mut self, kind: &str, data: serde_json::Value, now: Now) {
        let event = wire::CloudEvent {
            specversion: "1.0".to_owned(),
            id: self.new_id(now),
            source: format!("urn:hookswitch:host:{}", self.system_id),
            kind: kind.to_owned(),
            time: crate::calendar::rfc3339(now.unix_s),
            subject: None,
            datacontenttype: Some("application/json".to_owned()),
            data: Some(data),
            extensions: BTreeMap::new(),
        };
        self.owe(Delivery::Event(event), now);
    }

    pub(super) fn owe(&mut self, delivery: Delivery, now: Now) {
        if self.tenancy.can_report() {
            self.owe_for_certain(delivery, now);
        }
    }

    fn owe_for_certain(&mut self, delivery: Delivery, now: Now) {
        // A status and an event carry their own id: the tenant takes each once.
        let id = match &delivery {
            Delivery::Update(status) => status.event_id.clone(),
            Delivery::Event(event) => event.id.clone(),
            _ => self.new_id(now),
        };
        self.outbox.owe(Owed { id, unix_s: now.unix_s, delivery }, now.instant, &mut self.out);
    }

    /// Unique within this host; the tenant scopes it by the host's access token.
    fn new_id(&mut self, now: Now) -> String {
        let random = self.random.u64(..);
        let host: String = self.system_id.chars().filter(char::is_ascii_alphanumeric).take(12).collect();
        format!("{host}-{:x}-{random:016x}", now.unix_s)
    }
}

fn failure(answer: &TenantAnswer) -> Option<&TenantFailure> {
    match answer {
        TenantAnswer::Enrolled(result) => result.as_ref().err(),
        TenantAnswer::Policy(result) => result.as_ref().err(),
        TenantAnswer::Delivered(result) | TenantAnswer::Assigned(result) => result.as_ref().err(),
    }
}

fn is_good(credential: &Credential, now: Now) -> bool {
    credential.expires_unix_s > now.unix_s + CREDENTIAL_MARGIN_S
}

fn useless_credential(server: Option<&str>) -> TenantFailure {
    let why = format!("its access token is good for less than {CREDENTIAL_MARGIN_S} s");
    let detail = Detail::new("token-ends", why).with("seconds", CREDENTIAL_MARGIN_S);
    let problem = Reason::TenantAnswer { detail }.at(server.unwrap_or_default());
    TenantFailure { kind: FailureKind::Rejected, problem, retry_after: None }
}

fn registered(groups: &[ResolvedGroup]) -> Vec<wire::ResolvedGroup> {
    groups.iter().map(|group| wire::ResolvedGroup { id: group.id.clone(), why: why(&group.why) }).collect()
}

fn why(why: &crate::protocol::Why) -> String {
    match why {
        crate::protocol::Why::LdapQuery { .. } => "ldap-query".to_owned(),
        crate::protocol::Why::Assigned => "assigned".to_owned(),
        crate::protocol::Why::LastKnown { problem } => format!("last-known: {}", problem.code.as_str()),
        crate::protocol::Why::Everyone => "everyone".to_owned(),
    }
}

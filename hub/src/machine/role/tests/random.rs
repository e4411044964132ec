//! Plugs, presses, crashes, refusals and packages in any order. The rig holds what is always true: one tenant
//! request at a time, one USB request at a time and none without a journal, nothing written to a headset at work,
//! nothing sent that is not on disk, no deadline that stands still, no verdict that is not the headset's own word. After
//! each step each user role that only listened knows all there is, and a headset in DFU mode is known and shown.

use super::headset::{Life, offer, package};
use super::*;
use crate::machine::Seat;
use dfu::usb_dfu::TransferError;

struct World {
    rig: Rig,
    random: fastrand::Rng,
    log: Vec<String>,
    /// Reports that were once on disk, and whether they are accounted for.
    reports: BTreeMap<String, Delivery>,
    taken: BTreeSet<String>,
    version: u64,
    last_session: u32,
    /// Updates that were let wait.
    queued: usize,
}

impl World {
    fn chance(&mut self, of: u32) -> bool {
        self.random.u32(..of) == 0
    }

    fn headset(&mut self) -> usize {
        self.random.usize(..self.rig.headsets.len())
    }

    fn step(&mut self) {
        match self.random.u8(..24) {
            0 if self.chance(2) => {
                let n = self.headset();
                let life = match self.rig.headsets[n].life {
                    Life::Unplugged => self.rig.headsets[n].boots(),
                    _ => Life::Unplugged,
                };
                self.rig.headsets[n].becomes(life);
                self.note(format!("headset {n} becomes {life:?}"));
                self.feed(Input::WorldChanged(WorldChange::HotPlug));
            }
            1 => {
                let n = self.headset();
                let path = self.rig.headsets[n].path.clone();
                if !self.rig.denied.remove(&path) {
                    self.rig.denied.insert(path);
                }
            }
            2 => {
                let n = self.headset();
                self.feed(Input::HidLost { path: self.rig.headsets[n].path.clone() });
            }
            3..=5 => {
                let n = self.headset();
                let len = self.random.usize(..4);
                let mut bytes: Vec<u8> = std::iter::repeat_with(|| self.random.u8(..32)).take(len).collect();
                if let Some(id) = bytes.first_mut().filter(|_| self.random.bool()) {
                    *id = 1;
                }
                self.feed(Input::HidReport { path: self.rig.headsets[n].path.clone(), bytes });
            }
            6..=7 => {
                let n = self.headset();
                let mut on = || self.random.u8(..4) == 0;
                let indicators = Indicators { off_hook: on(), ring: on(), mute: on(), hold: on() };
                let device = self.rig.headsets[n].id();
                let session = self.session();
                let heard = self.rig.service.at_seat == Some(session);
                let from = self.rig.out.len();
                self.feed(Input::User { session, message: ToMachine::SetIndicators { device, indicators } });
                let lit = self.rig.out[from..].iter().any(|o| matches!(o, Output::WriteHid { .. }));
                assert!(heard || !lit, "lit by somebody who is not at the seat");
            }
            8..=9 => self.request(),
            10..=15 => self.tenant(),
            16..=19 => self.usb(),
            20 => match self.random.u8(..6) {
                0 | 1 => self.somebody_comes(),
                2 => self.somebody_goes(),
                3 | 4 => self.seat_changes(),
                _ => self.rig.hello(),
            },
            21 => {
                let found = match self.random.u8(..3) {
                    0 => Err(Reason::DirectoryUnreachable { detail: Detail::verbatim("away") }.at("dc")),
                    1 => Ok(("ldaps://dc".to_owned(), vec!["staff".to_owned()])),
                    _ => Ok(("ldaps://dc".to_owned(), vec![])),
                };
                self.note(format!("the directory finds {found:?}"));
                self.rig.directory_says(found);
            }
            22 if self.chance(20) => {
                let problem = Reason::StoreFull.at("store");
                self.feed(Input::StoreFailed { problem, withheld: false });
            }
            23 if self.chance(10) => {
                let sources = [None, Some("https://t"), Some("https://other"), Some("file:///srv/acme/")];
                let source = sources[self.random.usize(..sources.len())];
                self.feed(Input::TenancyChanged(super::tenancy::of(source)));
            }
            _ => {
                let time = MS * 3u32.pow(self.random.u32(..16));
                self.note(format!("{time:?} pass"));
                self.rig.pass(time);
            }
        }
        self.check();
    }

    fn note(&mut self, what: String) {
        self.log.push(what);
    }

    fn feed(&mut self, input: Input) {
        self.note(format!("{input:?}").chars().take(300).collect());
        self.rig.feed(input);
    }

    fn request(&mut self) {
        let offers = self.rig.offers();
        let offer = match self.random.usize(..offers.len() + 1) {
            n if n < offers.len() => offers[n].id.clone(),
            _ => "fw:nobody".to_owned(),
        };
        let blocked = offers.iter().any(|o| o.id == offer && o.blocked.is_some());
        self.note(format!("ask for {offer}"));
        match self.random.u8(..12) {
            0 => {
                let anyway = self.random.bool();
                self.rig.request(|request| ToMachine::CancelUpdate { request, offer: None, anyway });
            }
            2 => self.cancel_one(),
            3 => self.somebody_behind_asks(offer),
            1 if self.chance(3) => _ = self.rig.request(|request| ToMachine::DeferUpdate { request, offer }),
            _ => {
                let (running, waited) = (self.running(), self.waiting());
                let ask = offer.clone();
                let problem = self.rig.request(|request| ToMachine::InstallUpdate { request, offer: ask });
                let at_seat = self.rig.service.at_seat == Some(JANE);
                let twice = running.as_ref() == Some(&offer) || waited.contains(&offer);
                assert!(problem.is_some() || !(blocked || twice || !at_seat), "the gate was open");
                if problem.is_none() && running.is_some() {
                    self.queued += 1;
                    assert_eq!(self.running(), running, "another one runs instead of waiting");
                    assert_eq!(self.waiting(), [waited, vec![offer]].concat(), "not at the end of the queue");
                }
            }
        }
    }

    fn running(&self) -> Option<String> {
        let running = self.rig.service.update.job().filter(|job| job.outcome.is_none());
        running.map(|job| job.offer.clone())
    }

    fn waiting(&self) -> Vec<String> {
        self.rig.service.queued().into_iter().map(|job| job.offer).collect()
    }

    /// One that runs, waits or never was.
    fn cancel_one(&mut self) {
        let waiting = self.waiting();
        let offer = waiting.get(self.random.usize(..waiting.len() + 1)).cloned();
        let offer = offer.or(self.running()).unwrap_or("fw:nobody".to_owned());
        let (running, meant) = (self.running(), Some(offer.clone()));
        let problem =
            self.rig.request(|request| ToMachine::CancelUpdate { request, offer: meant, anyway: true });
        assert!(problem.is_some() || !self.waiting().contains(&offer), "it still waits");
        assert!(running.as_ref() == Some(&offer) || self.running() == running, "another one was stopped");
    }

    /// Who is not at the seat begins nothing, adds nothing to the queue and takes nothing out of it.
    fn somebody_behind_asks(&mut self, offer: String) {
        let session = self.session();
        if self.rig.service.at_seat == Some(session) || !self.rig.others.contains_key(&session) {
            return;
        }
        let before = (self.running(), self.waiting());
        let message = match self.random.bool() {
            true => ToMachine::InstallUpdate { request: 3, offer },
            false => ToMachine::CancelUpdate { request: 3, offer: Some(offer), anyway: true },
        };
        self.feed(Input::User { session, message });
        assert_eq!((self.running(), self.waiting()), before, "by somebody who is not at the seat");
    }

    /// The package comes, or another one, or none.
    fn fetch(&mut self) {
        let Some((job, Source::Tenant { target })) = self.rig.fetch.clone() else { return };
        self.note(format!("the package {target}"));
        match self.random.u8(..6) {
            0 => self.rig.feed(Input::FetchProgress { job, done_bytes: 1, total_bytes: 2 }),
            1 => self.rig.fetched(package(9, "1.20")),
            2 => self.fail(),
            3 => {
                // Of a job that was, a moment too late.
                let fetch = self.rig.fetch.clone();
                let job = JobId(job.0.wrapping_sub(1));
                self.rig.feed(Input::Fetched { job, result: Ok(package(1, "9.99")) });
                self.rig.fetch = fetch;
            }
            _ => {
                let version = target.trim_start_matches("headset-").trim_end_matches(".zip");
                self.rig.fetched(package(1, version));
            }
        }
    }

    fn fail(&mut self) {
        use FailureKind::{Refused, Rejected, ServerError, Unauthorized, Unreachable};
        let kinds = [Unauthorized, Unreachable, ServerError, Rejected, Refused];
        let kind = kinds[self.random.usize(..kinds.len())];
        let retry_after = self.chance(4).then(|| Duration::from_secs(self.random.u64(..1000)));
        self.note(format!("fails with {kind:?}"));
        self.rig.fail(kind, retry_after);
    }

    fn tenant(&mut self) {
        if self.random.bool() {
            return self.fetch();
        }
        let Some(request) = self.rig.tenant.clone() else { return };
        self.note(format!("answer {}", format!("{request:?}").split(' ').next().unwrap_or_default()));
        if self.chance(3) {
            return self.fail();
        }
        let answer = match request {
            TenantRequest::Enrol { .. } => {
                let life_s = [3600, 3600, 600, 30][self.random.usize(..4)];
                TenantAnswer::Enrolled(Ok(self.rig.enrolment(life_s)))
            }
            TenantRequest::FetchPolicy { .. } => {
                TenantAnswer::Policy(Ok(self.chance(2).then(|| self.policy())))
            }
            TenantRequest::Deliver { owed, .. } => {
                // At least one, as the tenant room promises.
                let most = self.random.usize(1..=owed.len());
                let ids: Vec<String> = owed.into_iter().take(most).map(|o| o.id).collect();
                for id in &ids {
                    assert!(self.taken.insert(id.clone()), "{id} was taken before");
                }
                TenantAnswer::Delivered(Ok(ids))
            }
            TenantRequest::AssignedGroups { .. } => TenantAnswer::Assigned(Ok(vec!["vip".to_owned()])),
        };
        self.rig.feed(Input::Tenant(answer));
    }

    fn policy(&mut self) -> Verified<PolicyDocument> {
        self.version += 1;
        let versions = ["1.05", "1.20", "1.30", "2.00"];
        let mut json: serde_json::Value =
            serde_json::from_str(&offer(versions[self.random.usize(..4)])).expect("JSON");
        json["polling_s"] = json!(self.random.u32(60..4000));
        if self.random.bool() {
            json["groups"] =
                json!([{ "id": "vip", "name": "VIP", "priority": 1, "rule": { "kind": "manual" } }]);
        }
        if self.random.bool() {
            let rule = json!({ "kind": "ldap-query", "filter": "(uid=$user$)" });
            let staff = json!({ "id": "staff", "name": "Staff", "priority": 2, "rule": rule });
            json["ldap"] = json!({ "servers": ["ldaps://dc"], "base_dn": "dc=example",
                "bind": { "method": "anonymous" } });
            match json["groups"].as_array_mut() {
                Some(groups) => groups.push(staff),
                None => json["groups"] = json!([staff]),
            }
            let firmware = json["firmware"][0]["groups"].as_array_mut();
            firmware.expect("a list").extend(self.random.bool().then(|| json!("staff")));
        }
        let document = PolicyDocument::from_json(json.to_string().as_bytes()).expect("a valid policy");
        Verified::vouched(document, self.version)
    }

    /// The headset at work answers, or the cable, or nobody.
    fn usb(&mut self) {
        for _ in 0..self.random.u8(1..40) {
            let (Some((job, request)), Some(port)) = (self.rig.usb.clone(), self.rig.service.update.port())
            else {
                // An answer that comes after the job has ended.
                if let Some((job, _)) = self.rig.usb {
                    self.feed(Input::UsbCompleted { job, result: Err(TransferError::NoDevice) });
                }
                return;
            };
            let at = self.rig.headsets.iter().position(|h| h.port.as_deref() == Some(port));
            let at = at.expect("every port has a headset");
            let errors = [TransferError::Stall, TransferError::Timeout, TransferError::Io(5)];
            let before = self.rig.headsets[at].life;
            let version: FirmwareVersion =
                self.rig.job().map_or("1.20", |j| &j.to_version).parse().expect("a version");
            let mut result = match self.chance(150) {
                true => Err(TransferError::Stall),
                false => self.rig.headsets[at].answer(&request, version.bcd()),
            };
            // What the headset did, the host does not always learn.
            if self.chance(150) {
                result = Err(errors[self.random.usize(..3)]);
            }
            let moved =
                matches!(before, Life::Runtime) != matches!(self.rig.headsets[at].life, Life::Runtime);
            self.feed(Input::UsbCompleted { job, result });
            if moved {
                self.feed(Input::WorldChanged(WorldChange::HotPlug));
            }
            self.rig.pass(MS * 6);
        }
    }

    /// `kill -9` at any moment; the disk stays, the headsets stay, the time of day goes on.
    fn crash(&mut self) {
        self.note("crash".to_owned());
        let rig = &mut self.rig;
        let now = Now { instant: rig.now.instant + HOUR, unix_s: rig.now.unix_s + 3600, ..rig.now };
        let seed = self.random.u64(..);
        rig.service = MachineRole::new(Config { seed, ..config(Some("https://t")) }, rig.disk.read(), now);
        rig.now = now;
        (rig.tenant, rig.fetch, rig.usb) = (None, None, None);
        rig.scans.clear();
        rig.opens.clear();
        rig.open.clear();
        rig.told.clear();
        rig.others.clear();
        rig.directory.clear();
        rig.awake = false;
        rig.drain();
        rig.hello();
    }

    /// One that is connected, or was once.
    fn session(&mut self) -> SessionId {
        match self.random.u8(..3) {
            0 => SessionId(self.random.u32(1..=self.last_session)),
            _ => JANE,
        }
    }

    /// Another user role, of one of three people; not each says hello, or the right one.
    fn somebody_comes(&mut self) {
        self.last_session += 1;
        let session = SessionId(self.last_session);
        let name = ["jane", "joe", "kim"][self.random.usize(..3)];
        self.note(format!("{name} comes as {session:?}"));
        self.rig.came(session, name);
        let message = match self.random.u8(..8) {
            0 => ToMachine::Hello { protocol: PROTOCOL_VERSION + 1 },
            1 => ToMachine::Poll { request: 1 },
            2 => return,
            _ => ToMachine::Hello { protocol: PROTOCOL_VERSION },
        };
        self.feed(Input::User { session, message });
    }

    /// It dies, in a call or not.
    fn somebody_goes(&mut self) {
        let session = self.session();
        self.rig.others.remove(&session);
        let at_seat = self.rig.service.at_seat == Some(session);
        self.feed(Input::UserGone { session });
        assert!(!at_seat || self.rig.service.fleet.lit().count() == 0, "its lights are left on");
        if session == JANE {
            self.rig.hello();
        }
    }

    fn seat_changes(&mut self) {
        let of = |name: &str| Seat::Of { account: format!("uid of {name}") };
        let seats = [of("jane"), of("jane"), of("joe"), of("kim"), Seat::Empty, Seat::Unknown];
        let seat = seats[self.random.usize(..seats.len())].clone();
        let before = self.rig.service.at_seat;
        self.feed(Input::SeatChanged(seat));
        let moved = self.rig.service.at_seat != before;
        assert!(!moved || self.rig.service.fleet.lit().count() == 0, "another's lights are left on");
    }

    fn check(&mut self) {
        for output in self.rig.take() {
            match output {
                Output::Persist(Record::Owed(owed)) => {
                    let known = self.reports.insert(owed.id.clone(), owed.delivery);
                    assert_eq!(known, None, "the id {} twice", owed.id);
                }
                // Nobody is to hear of it any more.
                Output::Persist(Record::TenantLeft) => self.reports.retain(|id, _| self.taken.contains(id)),
                _ => {}
            }
        }
        if self.rig.service.tenancy.source.as_ref().is_some_and(|source| !source.can_report()) {
            let asks = |request: &TenantRequest| matches!(request, TenantRequest::FetchPolicy { .. });
            assert!(self.rig.tenant.as_ref().is_none_or(asks), "asked of a folder: {:?}", self.rig.tenant);
            assert_eq!(self.rig.disk.owed, [], "owed to a folder");
        }
        let mut owed = self.rig.disk.owed.iter();
        assert!(owed.all(|owed| self.reports.contains_key(&owed.id)), "owed to a tenant that was left");
        self.rig.check_mirror();
        self.rig.check_dfu();
        let owed: BTreeSet<&String> = self.rig.disk.owed.iter().map(|o| &o.id).collect();
        assert_eq!(owed.len(), self.rig.service.outbox.len(), "disk and memory owe the same");
        let running = self.rig.heard.job.as_ref().is_some_and(|j| j.outcome.is_none());
        let updating = self.rig.told.values().any(|d| d.status == DeviceStatus::Updating);
        assert!(running || !updating || self.rig.service.poll_timeout().is_some(), "at work for ever");
        assert!(running || !self.rig.awake, "nothing runs, and the machine may not sleep");
        self.check_queue();
    }

    /// Each headset is in one job; whoever waits waits for something, and for whoever is at the seat.
    fn check_queue(&self) {
        let role = &self.rig.service;
        let waiting = role.queued();
        let headsets: BTreeSet<_> = waiting.iter().map(|job| job.device.as_str()).collect();
        assert_eq!(headsets.len(), waiting.len(), "a headset waits twice");
        assert!(
            !role.update.device().is_some_and(|at_work| headsets.contains(at_work)),
            "it waits for itself"
        );
        let seat =
            role.at_seat.and_then(|session| role.sessions.get(session)).map(|known| &known.peer.account);
        let of_seat = role.queue.iter().all(|queued| seat.is_none_or(|account| queued.account == *account));
        assert!(of_seat, "somebody else's wishes wait");
        let waits_for = role.update.id().is_some() || role.fleet.updating().is_some() || seat.is_none();
        assert!(waiting.is_empty() || waits_for, "nothing stands in the way, and it waits");
    }

    /// In the end the tenant takes all: every status of an update and every event was taken or given up for good.
    fn settle(&mut self) {
        let tenancy = super::tenancy::of(Some("https://t"));
        self.feed(Input::TenancyChanged(tenancy));
        let mut quiet = 0;
        for _ in 0..3000 {
            if self.rig.fetch.is_some() {
                self.rig.fail(FailureKind::Rejected, None);
            }
            match self.rig.tenant.clone() {
                Some(TenantRequest::Enrol { .. }) => {
                    let enrolment = self.rig.enrolment(3600);
                    self.rig.feed(Input::Tenant(TenantAnswer::Enrolled(Ok(enrolment))));
                }
                Some(TenantRequest::FetchPolicy { .. }) => {
                    self.rig.feed(Input::Tenant(TenantAnswer::Policy(Ok(None))));
                }
                Some(TenantRequest::Deliver { owed, .. }) => {
                    let ids: Vec<String> = owed.into_iter().map(|o| o.id).collect();
                    self.taken.extend(ids.iter().cloned());
                    self.rig.feed(Input::Tenant(TenantAnswer::Delivered(Ok(ids))));
                }
                Some(TenantRequest::AssignedGroups { .. }) => {
                    self.rig.feed(Input::Tenant(TenantAnswer::Assigned(Ok(vec![]))));
                }
                None if self.rig.usb.is_some() => {
                    self.rig.answer_usb(Err(TransferError::NoDevice));
                }
                None => {
                    quiet = if self.rig.disk.owed.is_empty() { quiet + 1 } else { 0 };
                    if quiet > 20 {
                        break;
                    }
                    self.rig.pass(Duration::from_secs(60));
                }
            }
            self.check();
        }
        assert_eq!(self.rig.disk.owed, [], "owed for ever");
        let updates = self.reports.iter().filter(|(_, d)| matches!(d, Delivery::Update(_)));
        let lost = updates.filter(|(id, _)| !self.taken.contains(*id)).count();
        assert!(lost <= self.rig.given_up, "{lost} verdicts were lost");
    }
}

fn world(seed: u64) -> World {
    let headsets = vec![
        Headset::new(1),
        Headset { life: Life::Unplugged, ..Headset::new(2) },
        Headset { serial: None, ..Headset::new(3) },
    ];
    World {
        rig: Rig::managed(headsets),
        random: fastrand::Rng::with_seed(seed),
        log: Vec::new(),
        reports: BTreeMap::new(),
        taken: BTreeSet::new(),
        version: 0,
        last_session: 1,
        queued: 0,
    }
}

/// Updates that succeeded, failed, are unknown, and those that were let wait.
fn run(seed: u64, steps: usize) -> [usize; 4] {
    let mut world = world(seed);
    let attempt = std::panic::AssertUnwindSafe(|| {
        for _ in 0..steps {
            match world.chance(150) {
                true => world.crash(),
                false => world.step(),
            }
        }
        world.settle();
    });
    if let Err(panic) = std::panic::catch_unwind(attempt) {
        let from = world.log.len().saturating_sub(40);
        println!("SEED={seed} repeats this run, which ended so:\n{}", world.log[from..].join("\n"));
        std::panic::resume_unwind(panic);
    }
    let ended = |verdict| {
        let is = |d: &&Delivery| matches!(d, Delivery::Update(s) if s.verdict == verdict);
        world.reports.values().filter(is).count()
    };
    let [succeeded, failed, unknown] =
        [wire::Verdict::Succeeded, wire::Verdict::Failed, wire::Verdict::Unknown].map(ended);
    [succeeded, failed, unknown, world.queued]
}

#[test]
fn any_order_of_inputs_breaks_no_rule() {
    if let Some(seed) = std::env::var("SEED").ok().and_then(|s| s.parse().ok()) {
        run(seed, 1500);
        return;
    }
    let start = fastrand::u64(..1 << 40);
    println!("SEED={start} and the 39 after it, and more until each end was tried");
    let mut verdicts = [0; 4];
    for seed in start..start + 400 {
        if seed >= start + 40 && verdicts.iter().all(|n| *n > 0) {
            break;
        }
        for (sum, n) in verdicts.iter_mut().zip(run(seed, 1500)) {
            *sum += n;
        }
    }
    println!("updates that succeeded, failed, are unknown, waited: {verdicts:?}");
    assert!(verdicts.iter().all(|n| *n > 0), "not every end was tried: {verdicts:?}");
}

/// Each of these would have been work once: offers, the tenant's state.
#[test]
fn in_any_order_of_inputs_only_changes_are_work() {
    let said = std::env::var("SEED").ok().and_then(|s| s.parse().ok());
    let start = said.unwrap_or_else(|| fastrand::u64(..1 << 40));
    println!("SEED={start} and the 7 after it");
    let mut sums = [0; 3];
    for seed in start..start + 8 {
        let mut world = world(seed);
        (0..1500).for_each(|_| world.step());
        let work = &world.rig.service.work;
        for (sum, n) in sums.iter_mut().zip([work.asked, work.plan.made, work.tenant.made]) {
            *sum += n;
        }
    }
    let [asked, plans, tenants] = sums;
    println!("of {asked} inputs {plans} led to a plan, {tenants} to a look at the tenant");
    assert!(plans * 2 < asked && tenants * 2 < asked, "{plans} and {tenants} of {asked}");
}

//! The whole machine role against a bus, a disk and a tenant that are values, with clocks moved by hand.
#![expect(clippy::disallowed_methods, reason = "a hand-moved clock needs an origin, a failed run its seed")]

use super::*;
use crate::machine::{
    Archive, DirectoryAnswer, Enrolment, Fingerprint, GroupRules, HidNode, JournalEntry, Marks, Peer, Scan,
    Sha256, UsbDevice, UsbRequest,
};
use crate::problem::{Code, Reason};
use crate::protocol::{Detail, Indicators, Job, JobPhase, Offer};
use crate::world::WorldChange;
use disk::Disk;
use headset::Headset;
use std::collections::BTreeSet;

mod answers;
mod bus;
mod deployment;
mod disk;
mod folder;
mod gate;
mod headset;
mod history;
mod identity;
mod inventory;
mod jobs;
mod lights;
mod mishaps;
mod offline;
mod outbox;
mod people;
mod polling;
mod queue;
mod random;
mod recovery;
mod sessions;
mod taken;
mod tenancy;
mod troubles;
mod twins;
mod work;
mod world;

const HOUR: Duration = Duration::from_secs(3600);
const MS: Duration = Duration::from_millis(1);

/// A user role, from the messages alone.
#[derive(Debug, Default)]
struct Mirror {
    told: BTreeMap<String, Device>,
    heard: State,
}

fn hear(told: &mut BTreeMap<String, Device>, heard: &mut State, message: &ToUser) {
    match message.clone() {
        ToUser::Hello(state) => {
            *told = state.devices.iter().map(|d| (d.id.clone(), d.clone())).collect();
            *heard = *state;
        }
        ToUser::DeviceChanged { device } => _ = told.insert(device.id.clone(), device),
        ToUser::DeviceRemoved { id } => assert!(told.remove(&id).is_some(), "{id} was not there"),
        ToUser::OffersChanged { offers } => heard.offers = offers,
        ToUser::JobChanged { job } => heard.job = job,
        ToUser::QueueChanged { queue } => {
            assert_ne!(heard.queue, queue, "said twice");
            heard.queue = queue;
        }
        ToUser::HistoryChanged { history } => heard.history = history,
        ToUser::TenantChanged { tenant } => heard.tenant = tenant,
        ToUser::GroupsChanged { groups, problem } => {
            (heard.groups, heard.groups_problem) = (groups, problem);
        }
        ToUser::SeatChanged { active } => {
            assert_ne!(heard.active, active, "said twice");
            heard.active = active;
        }
        ToUser::TroublesChanged { troubles } => heard.troubles = troubles,
        ToUser::Refused { .. }
        | ToUser::DeviceEvent { .. }
        | ToUser::UpdateAsks { .. }
        | ToUser::Answer { .. } => {}
    }
}

/// The session that most tests are about.
const JANE: SessionId = SessionId(1);

/// By jane's user role.
fn said(message: ToMachine) -> Input {
    Input::User { session: JANE, message }
}

/// To jane's user role.
fn told(message: ToUser) -> Output {
    Output::ToUser { to: vec![JANE], message }
}

struct Rig {
    service: MachineRole,
    now: Now,
    disk: Disk,
    headsets: Vec<Headset>,
    /// Paths that cannot be opened.
    denied: BTreeSet<String>,
    open: BTreeSet<String>,
    /// With the shell, unanswered.
    tenant: Option<TenantRequest>,
    fetch: Option<(JobId, Source)>,
    /// The packages on disk; `None` = they are lost as soon as they came.
    packages: Option<BTreeMap<Sha256, Verified<Archive>>>,
    usb: Option<(JobId, UsbRequest)>,
    /// Answer scans and opens at once, as most tests want.
    auto: bool,
    scans: Vec<bool>,
    opens: Vec<String>,
    /// Output reports that are not answered yet.
    writes: VecDeque<(String, u64, Vec<u8>)>,
    /// Nothing more can be written.
    full: bool,
    /// Everything since the last look, in order.
    out: Vec<Output>,
    /// Reports the tenant refused so often that they may be given up.
    given_up: usize,
    /// Devices as jane's user role knows them.
    told: BTreeMap<String, Device>,
    /// All else it knows, from the messages alone.
    heard: State,
    /// What others' user roles know.
    others: BTreeMap<SessionId, Mirror>,
    /// Questions to the directory that are not answered.
    directory: Vec<(String, GroupRules)>,
    /// The machine is kept from falling asleep.
    awake: bool,
    /// Outputs that are still performed; then the process is dead. A transaction is written whole or not at all.
    left: usize,
}

fn identity(system_id: &str, machine: &str) -> Identity {
    let machine = Marks { installation: Some(machine.to_owned()), hardware: None };
    let key = Some(Secret::new(format!("{system_id:x<43}")));
    Identity { machine, system_id: system_id.to_owned(), key, copied_from: None }
}

fn config(server: Option<&str>) -> Config {
    Config {
        agent_version: "0.1.0".to_owned(),
        identity: identity("host-1", "machine-1"),
        hostname: "h".to_owned(),
        os: "linux".to_owned(),
        os_version: "Debian 12".to_owned(),
        tenancy: tenancy::of(server),
        zone: TimeZone::UTC,
        seed: 7,
    }
}

impl Rig {
    fn start(server: Option<&str>, disk: Disk, headsets: Vec<Headset>, instant: Instant) -> Self {
        Self::start_with(server, disk, None, headsets, (instant, 1_700_000_000))
    }

    fn start_with(
        server: Option<&str>,
        disk: Disk,
        packages: Option<BTreeMap<Sha256, Verified<Archive>>>,
        headsets: Vec<Headset>,
        (instant, unix_s): (Instant, u64),
    ) -> Self {
        let now = Now { instant, unix_s, slept: Duration::ZERO };
        let mut rig = Self {
            service: MachineRole::new(config(server), disk.read(), now),
            now,
            disk,
            headsets,
            denied: BTreeSet::new(),
            open: BTreeSet::new(),
            tenant: None,
            fetch: None,
            packages,
            usb: None,
            auto: true,
            scans: Vec::new(),
            opens: Vec::new(),
            writes: VecDeque::new(),
            full: false,
            out: Vec::new(),
            given_up: 0,
            told: BTreeMap::new(),
            heard: State::default(),
            others: BTreeMap::new(),
            directory: Vec::new(),
            awake: false,
            left: usize::MAX,
        };
        rig.drain();
        rig
    }

    /// Managed, nothing on disk, a user role that said hello.
    fn managed(headsets: Vec<Headset>) -> Self {
        let mut rig = Self::start(Some("https://t"), Disk::default(), headsets, Instant::now());
        rig.hello();
        rig
    }

    /// Enrolled, with `policy` in force, everything delivered, the user in `groups`.
    fn ready(headsets: Vec<Headset>, policy: &str, groups: &[&str]) -> Self {
        let mut rig = Self::managed(headsets);
        rig.enrolled();
        rig.policy(policy, 1);
        rig.identity(groups);
        rig.deliver_all();
        rig.pass(Duration::from_secs(5));
        rig.deliver_all();
        rig.out.clear();
        rig
    }

    /// As after `kill -9`: what was on disk is all that is left.
    fn crash(self) -> Self {
        let later = self.an_hour_later().0;
        self.crash_and_start((later, 1_700_000_000))
    }

    fn crash_and_start(self, later: (Instant, u64)) -> Self {
        let mut rig = Self::start_with(Some("https://t"), self.disk, self.packages, self.headsets, later);
        rig.hello();
        rig
    }

    fn an_hour_later(&self) -> (Instant, u64) {
        (self.now.instant + HOUR, self.now.unix_s + HOUR.as_secs())
    }

    fn hello(&mut self) {
        if self.service.sessions.get(JANE).is_none() {
            self.came(JANE, "jane");
        }
        self.feed(said(ToMachine::Hello { protocol: PROTOCOL_VERSION }));
    }

    fn came(&mut self, session: SessionId, name: &str) {
        let peer = Peer { account: format!("uid of {name}"), name: name.to_owned() };
        self.feed(Input::UserCame { session, peer });
    }

    fn feed(&mut self, input: Input) {
        if self.left == 0 {
            return;
        }
        match &input {
            Input::Tenant(_) | Input::TenancyChanged(_) => self.tenant = None,
            Input::Fetched { .. } => self.fetch = None,
            Input::UsbCompleted { job, .. } => _ = self.usb.take_if(|(asks, _)| asks == job),
            _ => {}
        }
        self.service.handle(input, self.now);
        self.check_work();
        self.drain();
    }

    /// Holds what is true of any sequence of outputs.
    fn drain(&mut self) {
        let (mut lost, mut lost_identity) = (false, false);
        let mut records = Vec::new();
        loop {
            let output = self.service.poll_output();
            if !matches!(output, Some(Output::Persist(_))) {
                // Neighbours share a transaction, as in the shell.
                records.drain(..).for_each(|record| self.disk.write(record));
            }
            let Some(output) = output.filter(|_| self.left > 0) else { break };
            self.left -= 1;
            if lost && !matches!(output, Output::Persist(_)) {
                let withheld =
                    matches!(&output, Output::Usb { request, .. } if *request != UsbRequest::Close);
                let problem = Reason::StoreFull.at("store");
                self.service.handle(Input::StoreFailed { problem, withheld }, self.now);
                lost = false;
                let enrolment = matches!(output, Output::Tenant(TenantRequest::Enrol { .. }));
                if std::mem::take(&mut lost_identity) && enrolment {
                    let problem = Reason::StoreFull.at("store");
                    let failure = TenantFailure { kind: FailureKind::Refused, problem, retry_after: None };
                    self.service.handle(Input::Tenant(TenantAnswer::Enrolled(Err(failure))), self.now);
                    continue;
                }
                if withheld {
                    continue;
                }
            }
            self.out.push(output.clone());
            match output {
                Output::Persist(record) if self.full => {
                    lost = true;
                    lost_identity |= matches!(record, Record::Identities(_));
                }
                Output::Persist(record) => {
                    if let Record::Owed(Owed { delivery: Delivery::Update(status), .. }) = &record
                        && let Some(version) = &status.version_read_back
                    {
                        self.check_verdict(&status.device_id, version);
                    }
                    records.push(record);
                }
                Output::Tenant(request) => self.ask_tenant(request),
                Output::Fetch { job, from, keep } => self.ask_fetch(job, from, &keep),
                Output::JobEnded(job) => {
                    self.fetch.take_if(|(of, _)| *of == job);
                }
                Output::Usb { job, request } => self.ask_usb(job, request),
                Output::Scan { usb } => self.scans.push(usb),
                Output::OpenHid { path } => self.opens.push(path),
                Output::CloseHid { path } => _ = self.open.remove(&path),
                Output::WriteHid { path, ticket, bytes } => {
                    self.writes.push_back((path.clone(), ticket, bytes));
                    let id = self.id_at(&path);
                    let status = id.and_then(|id| self.told.get(&id)).map(|d| &d.status);
                    assert_ne!(status, Some(&DeviceStatus::Updating), "{path} is being updated");
                }
                Output::KeepAwake(awake) => {
                    assert_ne!(self.awake, awake, "said twice");
                    self.awake = awake;
                    let taken = self.service.update.device().filter(|_| awake);
                    let in_call = taken.is_some_and(|device| self.service.fleet.in_call(device));
                    assert!(!in_call, "{taken:?} is taken out of a call");
                }
                Output::ToUser { to, message } => self.hear(&to, &message),
                Output::Dismiss { session, .. } => _ = self.others.remove(&session),
                Output::AskDirectory { user, rules } => self.directory.push((user, rules)),
            }
        }
        if self.auto {
            self.answer_kept();
            self.answer_bus();
        }
    }

    /// What each user role was told is what is.
    fn check_mirror(&self) {
        let jane = self.service.sessions.get(JANE).filter(|known| known.told.is_some());
        let jane = jane.map(|_| (JANE, &self.told, &self.heard));
        let others = self.others.iter().map(|(id, mirror)| (*id, &mirror.told, &mirror.heard));
        for (session, told, heard) in jane.into_iter().chain(others) {
            let is = self.service.state_afresh(session);
            let told: Vec<&Device> = told.values().collect();
            assert_eq!(told, is.devices.iter().collect::<Vec<_>>(), "{session:?} knows other headsets");
            let heard = State { devices: is.devices.clone(), ..heard.clone() };
            assert_eq!(heard, is, "{session:?} knows another machine");
        }
    }

    /// A headset in DFU mode is in the running job or in the journal, and is shown.
    fn check_dfu(&self) {
        for headset in self.headsets.iter().filter(|h| matches!(h.life, headset::Life::Dfu { .. })) {
            let id = headset.id();
            let running = self.heard.job.as_ref().is_some_and(|j| j.device == id && j.outcome.is_none());
            let kept = self.disk.journal.get(&id).is_some_and(|entry| !entry.works);
            assert!(running || kept, "{id} is in DFU mode, and nobody knows");
            let shown = self.told.get(&id).map(|d| &d.status);
            match running {
                true => assert_eq!(shown, Some(&DeviceStatus::Updating), "{id} is in DFU mode"),
                false => {
                    assert!(matches!(shown, Some(DeviceStatus::NeedsFirmware { .. })), "{id}: {shown:?}");
                    let offered = self.heard.offers.iter().any(|o| o.device == id && o.blocked.is_none());
                    assert!(offered, "{id} is in DFU mode, and there is no way out");
                }
            }
        }
    }

    /// A verdict is what the headset says of itself at that time.
    fn check_verdict(&self, device: &str, version: &str) {
        let headset = self.headsets.iter().find(|h| h.id() == device).expect("a verdict on a headset");
        let is = FirmwareVersion::from_bcd(headset.version).map(|v| v.to_string());
        assert_eq!((headset.life, is.as_deref()), (headset::Life::Runtime, Ok(version)), "{device}");
    }

    fn ask_tenant(&mut self, request: TenantRequest) {
        assert_eq!(self.tenant, None, "a second request beside {request:?}");
        if let TenantRequest::Deliver { owed, .. } = &request {
            for owed in owed.iter().filter(|_| !self.full) {
                assert!(self.disk.owed.contains(owed), "sent before it was written down: {owed:?}");
            }
            let events = owed.iter().filter(|o| matches!(o.delivery, Delivery::Event(_))).count();
            assert!(events == 0 || events == owed.len(), "events go alone");
        }
        self.tenant = Some(request);
    }

    fn ask_usb(&mut self, job: JobId, request: UsbRequest) {
        if request == UsbRequest::Close {
            return;
        }
        assert_eq!(self.usb, None, "a second request beside {request:?}");
        // What runs, whether or not anybody was told: a job may go on before the first hello.
        let entry = self.service.update.device().and_then(|device| self.disk.journal.get(device));
        assert!(entry.is_some_and(|entry| !entry.works), "{request:?} without a journal on disk");
        assert!(self.awake, "{request:?} while the machine may fall asleep");
        self.usb = Some((job, request));
    }

    fn hear(&mut self, to: &[SessionId], message: &ToUser) {
        assert!(!to.is_empty(), "said to nobody: {message:?}");
        if let ToUser::JobChanged { job: Some(job) } = message
            && let Some(Outcome::Succeeded { version }) = &job.outcome
        {
            self.check_verdict(&job.device, version);
        }
        for session in to {
            if let ToUser::DeviceEvent { .. } = message {
                assert_eq!(Some(*session), self.service.at_seat, "pressed by somebody else");
            }
            if *session == JANE {
                hear(&mut self.told, &mut self.heard, message);
            } else if matches!(message, ToUser::Hello(_)) || !matches!(message, ToUser::Refused { .. }) {
                let first = matches!(message, ToUser::Hello(_));
                assert!(first || self.others.contains_key(session), "{session:?} is told before its hello");
                let Mirror { told, heard } = self.others.entry(*session).or_default();
                hear(told, heard, message);
            }
        }
    }

    fn id_at(&self, path: &str) -> Option<String> {
        self.headsets.iter().find(|h| h.path == path).map(|h| h.id())
    }

    /// Output reports since the last look.
    fn written(&self) -> Vec<Vec<u8>> {
        let bytes = |output: &Output| match output {
            Output::WriteHid { bytes, .. } => Some(bytes.clone()),
            _ => None,
        };
        self.out.iter().filter_map(bytes).collect()
    }

    /// Lets time pass, with a stop at each deadline. A deadline that does not move is a busy loop.
    fn pass(&mut self, time: Duration) {
        let end = self.now.instant + time;
        let mut steps = 0;
        while let Some((at, reason)) = self.service.poll_timeout().filter(|(at, _)| *at <= end) {
            steps += 1;
            assert!(steps < 5000, "{reason}: the clock stands still");
            self.at(at.max(self.now.instant));
            self.service.handle_timeout(self.now);
            self.check_work();
            self.drain();
            if let Some((next, reason)) = self.service.poll_timeout() {
                assert!(next > self.now.instant, "{reason}: was due, was called, is still due");
            }
        }
        self.at(end);
    }

    fn at(&mut self, instant: Instant) {
        let whole = |i: Instant| (i - self.now.instant).as_millis() as u64;
        self.now.unix_s += whole(instant).div_ceil(1000);
        self.now.instant = instant;
    }

    fn take(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.out)
    }

    fn enrolled(&mut self) {
        assert!(matches!(self.tenant, Some(TenantRequest::Enrol { .. })), "{:?}", self.tenant);
        self.feed(Input::Tenant(TenantAnswer::Enrolled(Ok(self.enrolment(3600)))));
    }

    fn enrolment(&self, seconds: u64) -> Enrolment {
        let expires_unix_s = self.now.unix_s + seconds;
        let credential = Credential { access_token: format!("token-{expires_unix_s}"), expires_unix_s };
        Enrolment { credential, root_sha256: "00".to_owned() }
    }

    fn policy(&mut self, json: &str, version: u64) {
        assert!(matches!(self.tenant, Some(TenantRequest::FetchPolicy { .. })), "{:?}", self.tenant);
        let document = PolicyDocument::from_json(json.as_bytes()).expect("a valid policy");
        self.feed(Input::Tenant(TenantAnswer::Policy(Ok(Some(Verified::vouched(document, version))))));
        if let Some(TenantRequest::AssignedGroups { .. }) = &self.tenant {
            self.feed(Input::Tenant(TenantAnswer::Assigned(Ok(vec![]))));
        }
    }

    /// The directory finds everybody it is asked for in these groups.
    fn identity(&mut self, ids: &[&str]) {
        let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        self.directory_says(Ok(("ldap://dc".to_owned(), ids)));
    }

    fn directory_says(&mut self, found: Result<(String, Vec<String>), Problem>) {
        for (user, rules) in std::mem::take(&mut self.directory) {
            let (policy_version, refused) = (rules.policy_version, Vec::new());
            let answer = DirectoryAnswer { policy_version, found: found.clone(), refused };
            self.feed(Input::Directory { user, answer });
        }
    }

    /// The tenant takes whatever it is sent now.
    fn deliver_all(&mut self) {
        while let Some(TenantRequest::Deliver { owed, .. }) = &self.tenant {
            let ids = owed.iter().map(|o| o.id.clone()).collect();
            self.feed(Input::Tenant(TenantAnswer::Delivered(Ok(ids))));
        }
    }

    fn offers(&self) -> Vec<Offer> {
        self.heard.offers.clone()
    }

    /// Asks for the first offer; the problem if it is refused.
    fn install(&mut self) -> Option<Problem> {
        let offer = self.offers().first().map_or("none".to_owned(), |o| o.id.clone());
        self.request(|request| ToMachine::InstallUpdate { request, offer })
    }

    /// The one answer to a request of the user role.
    fn request(&mut self, message: impl FnOnce(u64) -> ToMachine) -> Option<Problem> {
        let from = self.out.len();
        self.feed(said(message(77)));
        let answer = |output: &Output| match output {
            Output::ToUser { message: ToUser::Answer { request: 77, problem }, .. } => Some(problem.clone()),
            _ => None,
        };
        let answers: Vec<_> = self.out[from..].iter().filter_map(answer).collect();
        let [answer] = answers.as_slice() else { panic!("one answer, not {answers:?}") };
        answer.clone()
    }

    fn job(&self) -> Option<&Job> {
        self.heard.job.as_ref()
    }

    fn lights(&mut self, id: &str, indicators: Indicators) {
        let device = id.to_owned();
        self.feed(said(ToMachine::SetIndicators { device, indicators }));
    }

    /// Reports on disk, by kind.
    fn owes(&self) -> Vec<&'static str> {
        let kind = |o: &Owed| match &o.delivery {
            Delivery::Host(_) => "host",
            Delivery::User(_) => "user",
            Delivery::Device(d) if d.attached => "attached",
            Delivery::Device(_) => "removed",
            Delivery::Update(_) => "update",
            Delivery::Event(_) => "event",
        };
        self.disk.owed.iter().map(kind).collect()
    }
}

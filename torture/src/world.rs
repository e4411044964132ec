//! The machine role between simulated headsets, a disk, a tenant and packages that are values, on a clock that is moved
//! by hand. It decides nothing: it carries out what the role says, and lets a mishap in where one is due.

use crate::disk::Disk;
use crate::fault::{Fault, Kind, Step};
use crate::firmware::{self, Kept};
use dfu::usb_dfu::{ControlTransfer, Data, TransferError, UsbIdentity};
use hub::machine::{
    Config, Credential, Enrolment, FailureKind, HidNode, Identity, Input, JobId, MachineRole, Marks, Now,
    Output, Peer, Persisted, Record, Scan, Seat, SessionId, Source, Tenancy, TenantAnswer, TenantFailure,
    TenantRequest, UsbDevice, UsbRequest, Verified,
};
use hub::problem::Reason;
use hub::protocol::{Detail, Device, PROTOCOL_VERSION, State, ToMachine, ToUser};
use hub::tenancy::TenantSource;
use hub::world::WorldChange;
use jiff::tz::TimeZone;
use simulator::{Bench, Setup, UsbError};
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};
use tenant::policy::PolicyDocument;
use tenant::secret::Secret;
use tenant::wire::UpdateStatus;

const JANE: SessionId = SessionId(1);

pub(crate) struct World {
    pub(crate) role: MachineRole,
    pub(crate) now: Now,
    pub(crate) disk: Disk,
    pub(crate) bench: Bench,
    pub(crate) kept: Kept,
    /// Mishaps that are still to come.
    pub(crate) faults: Vec<Fault>,
    /// Those that came, and where.
    pub(crate) hit: Vec<(Kind, u32)>,
    pub(crate) transfers: u32,
    pub(crate) records: u32,
    pub(crate) online: bool,
    /// What the tenant gives out under the package's name.
    pub(crate) offered: Verified<hub::machine::Archive>,
    policy: Verified<PolicyDocument>,
    tenant: Option<TenantRequest>,
    fetch: Option<(JobId, Source)>,
    usb: Option<(JobId, UsbRequest)>,
    /// The handle of the job: a port and one enumeration there.
    open: Option<(String, u8)>,
    seen: Vec<(String, u8)>,
    answers: VecDeque<Input>,
    /// Where each pulled headset goes back to, and when.
    pub(crate) away: Vec<(Instant, String)>,
    full: bool,
    dead: bool,
    pub(crate) told: BTreeMap<String, Device>,
    pub(crate) heard: State,
    /// Verdicts, in the order in which the tenant took them.
    pub(crate) reports: Vec<UpdateStatus>,
    pub(crate) wrong: Vec<String>,
}

fn config() -> Config {
    let machine = Marks { installation: Some("machine-1".to_owned()), hardware: None };
    let key = Some(Secret::new(format!("{:x<43}", "host-1")));
    Config {
        agent_version: "0.1.0".to_owned(),
        identity: Identity { machine, system_id: "host-1".to_owned(), key, copied_from: None },
        hostname: "h".to_owned(),
        os: "linux".to_owned(),
        os_version: "Debian 12".to_owned(),
        tenancy: Tenancy { source: Some(TenantSource::named("https://t")), ..Tenancy::default() },
        zone: TimeZone::UTC,
        seed: 7,
    }
}

impl World {
    pub(crate) fn new(setups: Vec<Setup>, faults: Vec<Fault>, start: Instant, policy: &str) -> Self {
        let now = Now { instant: start, unix_s: 1_700_000_000, slept: Duration::ZERO };
        let mut bench = Bench::default();
        for (n, setup) in setups.into_iter().enumerate() {
            bench.plug(&format!("1-{}", n + 1), setup, start);
        }
        let document = PolicyDocument::from_json(policy.as_bytes()).expect("a policy that is valid");
        let mut kept = Kept::default();
        let offered = kept.make(firmware::Making::Good);
        Self {
            role: MachineRole::new(config(), Persisted::default(), now),
            now,
            disk: Disk::default(),
            bench,
            kept,
            faults,
            hit: Vec::new(),
            transfers: 0,
            records: 0,
            online: true,
            offered,
            policy: Verified::vouched(document, 1),
            tenant: None,
            fetch: None,
            usb: None,
            open: None,
            seen: Vec::new(),
            answers: VecDeque::new(),
            away: Vec::new(),
            full: false,
            dead: false,
            told: BTreeMap::new(),
            heard: State::default(),
            reports: Vec::new(),
            wrong: Vec::new(),
        }
    }

    pub(crate) fn begin(&mut self) {
        self.drain();
        let peer = Peer { account: "uid of jane".to_owned(), name: "jane".to_owned() };
        self.feed(Input::UserCame { session: JANE, peer });
        self.feed(Input::SeatChanged(Seat::Of { account: "uid of jane".to_owned() }));
        self.say(ToMachine::Hello { protocol: PROTOCOL_VERSION });
    }

    pub(crate) fn say(&mut self, message: ToMachine) {
        self.feed(Input::User { session: JANE, message });
    }

    pub(crate) fn feed(&mut self, input: Input) {
        self.role.handle(input, self.now);
        self.drain();
    }

    /// `kill -9`: what is on disk is all that is left; an hour later it starts again.
    pub(crate) fn restart(&mut self) {
        self.now.instant += Duration::from_secs(3600);
        self.now.unix_s += 3600;
        self.bench.handle_timeout(self.now.instant);
        self.dead = false;
        (self.tenant, self.fetch, self.usb, self.open) = (None, None, None, None);
        self.answers.clear();
        self.told.clear();
        self.heard = State::default();
        self.role = MachineRole::new(config(), self.disk.read(), self.now);
        self.begin();
    }

    fn due(&mut self, step: Step) -> Vec<Kind> {
        let (due, later) = std::mem::take(&mut self.faults).into_iter().partition(|f| f.at == step);
        self.faults = later;
        let due: Vec<Fault> = due;
        due.into_iter().map(|fault| fault.kind).collect()
    }

    fn note(&mut self, kind: Kind, at: u32) {
        self.hit.push((kind, at));
    }

    fn drain(&mut self) {
        let (mut batch, mut lost): (Vec<Record>, bool) = (Vec::new(), false);
        while !self.dead {
            let output = self.role.poll_output();
            if !matches!(output, Some(Output::Persist(_))) {
                // Neighbours are one transaction, as in the shell.
                batch.drain(..).for_each(|record| self.disk.write(record));
            }
            let Some(output) = output else { break };
            if lost && !matches!(output, Output::Persist(_)) {
                lost = false;
                let withheld =
                    matches!(&output, Output::Usb { request, .. } if *request != UsbRequest::Close);
                let problem = Reason::StoreFull.at("store");
                self.role.handle(Input::StoreFailed { problem, withheld }, self.now);
                if withheld {
                    continue;
                }
            }
            match output {
                Output::Persist(record) => {
                    self.records += 1;
                    let at = self.records;
                    for kind in self.due(Step::Record(at)) {
                        self.note(kind, at);
                        self.strike(kind, None);
                    }
                    self.judge(&record);
                    if std::mem::take(&mut self.full) {
                        lost = true;
                    } else if !self.dead {
                        batch.push(record);
                    }
                }
                other => self.perform(other),
            }
        }
    }

    fn perform(&mut self, output: Output) {
        match output {
            Output::Tenant(request) => self.tenant = Some(request),
            Output::Fetch { job, from, .. } => self.fetch = Some((job, from)),
            Output::JobEnded(job) => {
                self.fetch.take_if(|(of, _)| *of == job);
                self.usb.take_if(|(of, _)| *of == job);
            }
            Output::Usb { request: UsbRequest::Close, .. } => self.open = None,
            Output::Usb { job, request } => {
                let entry = self.role_device().and_then(|device| self.disk.journal.get(&device));
                if entry.is_none_or(|entry| entry.works) {
                    self.wrong.push(format!("{request:?} without a journal on disk"));
                }
                self.usb = Some((job, request));
            }
            Output::Scan { usb } => {
                let scan = self.scan(usb);
                self.answers.push_back(Input::Scanned(scan));
            }
            Output::OpenHid { path } => self.answers.push_back(Input::HidOpened { path, result: Ok(()) }),
            Output::WriteHid { path, ticket, .. } => {
                self.answers.push_back(Input::HidWritten { path, ticket, result: Ok(()) });
            }
            Output::ToUser { message, .. } => self.hear(message),
            Output::AskDirectory { user, rules } => {
                let policy_version = rules.policy_version;
                let found = Ok(("ldap://dc".to_owned(), vec!["all-users".to_owned()]));
                let answer = hub::machine::DirectoryAnswer { policy_version, found, refused: Vec::new() };
                self.answers.push_back(Input::Directory { user, answer });
            }
            Output::CloseHid { .. } | Output::Dismiss { .. } | Output::KeepAwake(_) | Output::Persist(_) => {}
        }
    }

    fn role_device(&self) -> Option<String> {
        self.heard.job.as_ref().filter(|job| job.outcome.is_none()).map(|job| job.device.clone())
    }

    fn hear(&mut self, message: ToUser) {
        match message {
            ToUser::Hello(state) => {
                self.told = state.devices.iter().map(|d| (d.id.clone(), d.clone())).collect();
                self.heard = *state;
            }
            ToUser::DeviceChanged { device } => _ = self.told.insert(device.id.clone(), device),
            ToUser::DeviceRemoved { id } => _ = self.told.remove(&id),
            ToUser::OffersChanged { offers } => self.heard.offers = offers,
            ToUser::JobChanged { job } => self.heard.job = job,
            ToUser::HistoryChanged { history } => self.heard.history = history,
            _ => {}
        }
    }

    fn scan(&self, usb: bool) -> Scan {
        let devices = self.bench.devices();
        let node = |device: &simulator::BusDevice| {
            let hid = device.hid.clone()?;
            Some(HidNode {
                path: hid.path,
                interface: Some(hid.interface),
                vendor_id: device.vid,
                product_id: device.pid,
                bcd_device: device.bcd_device,
                manufacturer: device.manufacturer.clone(),
                product: device.product.clone(),
                serial: Some(device.serial.clone()),
                port: Some(device.port.clone()),
                descriptor: Some(hid.report_descriptor),
            })
        };
        let identify = |device: &simulator::BusDevice| {
            let bytes = [&device.device_descriptor[..], &device.configuration_descriptor].concat();
            let mut identity = UsbIdentity::read(&device.port, &bytes, Some(1)).expect("descriptors");
            identity.serial = Some(device.serial.clone()).filter(|serial| !serial.is_empty());
            UsbDevice { address: device.address, identity }
        };
        let hid = devices.iter().filter_map(node).collect();
        Scan { hid, usb: usb.then(|| devices.iter().map(identify).collect()) }
    }

    /// A report that is about to be written is what the headset says of itself now.
    fn judge(&mut self, record: &Record) {
        let Record::Owed(owed) = record else { return };
        let hub::machine::Delivery::Update(UpdateStatus { device_id, version_read_back, .. }) =
            &owed.delivery
        else {
            return;
        };
        let Some(said) = version_read_back else { return };
        let port = self.told.get(device_id).and_then(|device| device.port.clone());
        let states = self.bench.devices().into_iter().filter_map(|d| self.bench.state(&d.port));
        let mut versions = states.map(|state| state.firmware.version);
        let is = match port.and_then(|port| self.bench.state(&port)) {
            Some(state) => state.firmware.version == *said,
            None => versions.any(|version| version == *said),
        };
        if !is {
            self.wrong
                .push(format!("{device_id} is said to have read back {said}, and it does not run that"));
        }
    }

    /// `transfer` = the port that is asked now.
    fn strike(&mut self, kind: Kind, transfer: Option<&str>) -> Option<TransferError> {
        let now = self.now.instant;
        let port = transfer.map(str::to_owned).unwrap_or_else(|| "1-1".to_owned());
        match kind {
            Kind::Unplug => {
                self.bench.unplug(&port, now);
                self.away.push((now + Duration::from_secs(20), port));
            }
            Kind::OtherPort => {
                if let Some(free) = ["1-7", "1-8"].into_iter().find(|to| self.bench.state(to).is_none()) {
                    self.bench.relocate(&port, free, now);
                }
            }
            Kind::SecondDevice => {
                self.bench.plug("1-5", Setup { serial: "LATE".to_owned(), ..firmware::setup() }, now);
            }
            Kind::Kill => self.dead = true,
            Kind::DiskFull => self.full = true,
            Kind::ClockForward => self.now.unix_s += 40 * 24 * 3600,
            Kind::ClockBack => self.now.unix_s -= 400 * 24 * 3600,
            Kind::NetworkGone => self.online = false,
            Kind::UsbError => return Some(TransferError::Io(5)),
            Kind::Stall => return Some(TransferError::Stall),
            Kind::PollTime | Kind::SlowManifest | Kind::Truncated | Kind::Tampered | Kind::OtherVersion => {}
        }
        None
    }

    /// One step: whatever is to be answered, else time passes. `false`: nothing is to come.
    pub(crate) fn step(&mut self, until: Instant) -> bool {
        if self.dead {
            self.restart();
            return true;
        }
        let seen: Vec<(String, u8)> = self.bench.devices().into_iter().map(|d| (d.port, d.address)).collect();
        if seen != self.seen {
            self.seen = seen;
            self.feed(Input::WorldChanged(WorldChange::HotPlug));
        } else if let Some(input) = self.answers.pop_front() {
            self.feed(input);
        } else if let Some((job, request)) = self.usb.take() {
            let result = self.transfer(&request);
            if !self.dead {
                self.feed(Input::UsbCompleted { job, result });
            }
        } else if let Some((job, from)) = self.fetch.take() {
            let result = self.package(&from);
            self.feed(Input::Fetched { job, result });
        } else if let Some(request) = self.tenant.take() {
            let answer = self.tenant_says(request);
            self.feed(Input::Tenant(answer));
        } else {
            return self.pass(until);
        }
        true
    }

    fn pass(&mut self, until: Instant) -> bool {
        let role = self.role.poll_timeout().map(|(at, _)| at);
        let back = self.away.iter().map(|(at, _)| *at).min();
        let next = [role, back, self.bench.poll_timeout()].into_iter().flatten().min();
        let Some(at) = next.filter(|at| *at <= until) else { return false };
        let at = at.max(self.now.instant);
        self.now.unix_s += ((at - self.now.instant).as_millis() as u64).div_ceil(1000);
        self.now.instant = at;
        self.bench.handle_timeout(at);
        let (back, away) = std::mem::take(&mut self.away).into_iter().partition(|(due, _)| *due <= at);
        self.away = away;
        let back: Vec<(Instant, String)> = back;
        back.iter().for_each(|(_, port)| self.bench.replug(port, at));
        if role.is_some_and(|role| role <= at) {
            self.role.handle_timeout(self.now);
            self.drain();
        }
        true
    }

    fn transfer(&mut self, request: &UsbRequest) -> Result<Vec<u8>, TransferError> {
        self.transfers += 1;
        let at = self.transfers;
        let port = match (request, &self.open) {
            (UsbRequest::Open { port, .. }, _) | (_, Some((port, _))) => port.clone(),
            _ => return Err(TransferError::NoDevice),
        };
        let (mut lies, mut error) = (false, None);
        for kind in self.due(Step::Transfer(at)) {
            self.note(kind, at);
            lies |= kind == Kind::PollTime;
            error = self.strike(kind, Some(&port)).or(error);
        }
        // A transfer that fails may have come to the headset all the same.
        if error.is_some() && at.is_multiple_of(2) {
            return Err(error.unwrap_or(TransferError::NoDevice));
        }
        let now = self.now.instant;
        let address = |bench: &Bench| bench.devices().iter().find(|d| d.port == port).map(|d| d.address);
        let result = match request {
            UsbRequest::Open { port, .. } => {
                let address = address(&self.bench).ok_or(TransferError::NoDevice)?;
                self.open = Some((port.clone(), address));
                Ok(Vec::new())
            }
            UsbRequest::Close => Ok(Vec::new()),
            _ if self.open.as_ref().map(|(_, address)| *address) != address(&self.bench) => {
                Err(TransferError::NoDevice)
            }
            UsbRequest::Reset => self.bench.reset(&port, now).map(|()| Vec::new()).map_err(usb_error),
            UsbRequest::Control(transfer) => self.control(&port, transfer),
        };
        match (error, result) {
            (Some(error), _) => Err(error),
            // bwPollTimeout of 0 where there is one, and of a minute where there is none.
            (None, Ok(mut bytes)) if lies && bytes.len() == 6 => {
                let zero = bytes[1] == 0;
                bytes[1..4].copy_from_slice(if zero { &[0x60, 0xEA, 0] } else { &[0, 0, 0] });
                Ok(bytes)
            }
            (None, result) => result,
        }
    }

    fn control(&mut self, port: &str, transfer: &ControlTransfer) -> Result<Vec<u8>, TransferError> {
        let out = match transfer.data {
            Data::Block(block) => self.kept.block(block)?,
            Data::Empty | Data::In(_) => Vec::new(),
        };
        let length = if let Data::In(length) = transfer.data { length } else { out.len() as u16 };
        let mut setup = [transfer.request_type, transfer.request, 0, 0, 0, 0, 0, 0];
        setup[2..4].copy_from_slice(&transfer.value.to_le_bytes());
        setup[4..6].copy_from_slice(&transfer.index.to_le_bytes());
        setup[6..8].copy_from_slice(&length.to_le_bytes());
        self.bench.control(port, setup, &out, self.now.instant).map_err(usb_error)
    }

    fn package(&mut self, from: &Source) -> hub::machine::Fetched {
        let failure = |kind, problem| TenantFailure { kind, problem, retry_after: None };
        let found = match from {
            Source::Kept(package) => self
                .kept
                .get(package.sha256)
                .ok_or_else(|| failure(FailureKind::Rejected, Reason::PackageNotKept.at("packages")))?,
            Source::Tenant { .. } if self.online => self.kept.keep(&self.offered),
            Source::Tenant { .. } => return Err(unreachable()),
        };
        self.kept.open(&found);
        Ok(found)
    }

    fn tenant_says(&mut self, request: TenantRequest) -> TenantAnswer {
        let online = self.online;
        let failed = || unreachable();
        match request {
            TenantRequest::Enrol { .. } => {
                let credential =
                    Credential { access_token: "token".to_owned(), expires_unix_s: self.now.unix_s + 3600 };
                let enrolment = Enrolment { credential, root_sha256: "00".to_owned() };
                TenantAnswer::Enrolled(if online { Ok(enrolment) } else { Err(failed()) })
            }
            TenantRequest::FetchPolicy { have } => {
                let new = (have != Some(1)).then(|| self.policy.clone());
                TenantAnswer::Policy(if online { Ok(new) } else { Err(failed()) })
            }
            TenantRequest::Deliver { owed, .. } => {
                let status = |owed: &hub::machine::Owed| match &owed.delivery {
                    hub::machine::Delivery::Update(status) => Some(status.clone()),
                    _ => None,
                };
                if online {
                    self.reports.extend(owed.iter().filter_map(status));
                }
                let taken = owed.into_iter().map(|owed| owed.id).collect();
                TenantAnswer::Delivered(if online { Ok(taken) } else { Err(failed()) })
            }
            TenantRequest::AssignedGroups { .. } => {
                TenantAnswer::Assigned(if online { Ok(Vec::new()) } else { Err(failed()) })
            }
        }
    }
}

fn unreachable() -> TenantFailure {
    let problem = Reason::TenantUnreachable { detail: Detail::verbatim("no network") }.at("https://t");
    TenantFailure { kind: FailureKind::Unreachable, problem, retry_after: None }
}

fn usb_error(error: UsbError) -> TransferError {
    match error {
        UsbError::Stall => TransferError::Stall,
        UsbError::NoDevice => TransferError::NoDevice,
        UsbError::Timeout => TransferError::Timeout,
    }
}

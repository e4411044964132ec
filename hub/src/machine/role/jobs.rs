//! Firmware jobs from their end to their continuation: what the journal holds, who still needs firmware, and verdicts
//! that what a headset says later corrects.

use super::*;
use crate::machine::JournalEntry;
use crate::machine::fleet::identity::Place;
use crate::machine::update::Entry;
use crate::problem::Reason;
use crate::protocol::Capabilities;

/// What tells which headsets have no firmware, and what they say of themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FoundFrom {
    journal: Revision,
    fleet: Revision,
    job: Revision,
}

/// An entry of the journal and what is planned with it.
#[derive(Debug)]
pub(super) struct Interrupted {
    pub(super) entry: JournalEntry,
    /// `None` = when a person asks.
    pub(super) due: Option<Instant>,
    pub(super) tries: u8,
    /// The package that is here was written, and the headset still needs firmware: the tenant may have a better one.
    pub(super) spent: bool,
}

impl Interrupted {
    /// As found in the store.
    pub(super) fn restored(entry: JournalEntry, now: Instant) -> (DeviceId, Self) {
        let due = (!entry.works).then_some(now);
        (entry.device.clone(), Self { entry, due, tries: 0, spent: false })
    }
}

impl MachineRole {
    /// The verdict, what becomes of the journal and the news of both, in this order: neighbouring records are one
    /// transaction, so a crash loses all of it or nothing.
    pub(super) fn finished(&mut self, finished: Option<Finished>, now: Now) {
        let Some(finished) = finished else { return };
        let device = finished.job.device.clone();
        let (tries, spent) = self.interrupted.get(&device).map_or((0, false), |i| (i.tries, i.spent));
        // A package that cannot be had once more is no news.
        if !finished.starved || tries <= 1 {
            self.owe_update(&finished, now);
        }
        self.remember(&finished.job, tries > 0, now);
        self.deployment_ended(&finished, now);
        let taken = self.fleet.updating() == Some(&*device);
        let mut needs_firmware = false;
        match &finished.journal {
            Entry::Untouched => {}
            Entry::Cleared => {
                self.interrupted.edit().remove(&device);
                self.out.push_back(Output::Persist(Record::JournalCleared { device }));
            }
            Entry::Kept(entry) => {
                needs_firmware = !entry.works;
                // Without a tenant, time alone brings no package.
                let again = finished.starved && self.tenancy.source.is_some();
                let due = again.then(|| now.instant + resume_wait(tries));
                let (entry, spent) = ((**entry).clone(), spent || !finished.starved);
                self.out.push_back(Output::Persist(Record::Journal(entry.clone())));
                self.interrupted.edit().insert(device, Interrupted { entry, due, tries, spent });
            }
        }
        self.tell_history();
        self.out.push_back(Output::news(ToUser::JobChanged { job: Some(finished.job) }));
        if taken {
            self.fleet.end_update(needs_firmware, now.instant, &mut self.out);
        }
    }

    pub(super) fn next_resume(&self) -> Option<(Instant, &'static str)> {
        let idle = self.update.device().is_none();
        let able = self.interrupted.values().filter(|i| idle && self.is_obtainable(&i.entry));
        Some((able.filter_map(|i| i.due).min()?, "continue an interrupted firmware update"))
    }

    /// There is somewhere to have its package from.
    pub(super) fn is_obtainable(&self, entry: &JournalEntry) -> bool {
        self.is_of_tenant(entry) || entry.package.is_some()
    }

    /// It was begun by who rules now: who does not know of it is neither asked nor told.
    fn is_of_tenant(&self, entry: &JournalEntry) -> bool {
        let is = self.tenancy.name();
        is.is_some() && (entry.tenant.is_none() || entry.tenant == is)
    }

    /// A job that a crash interrupted or whose package could not be had, as soon as nothing else runs.
    pub(super) fn resume_interrupted(&mut self, now: Now) {
        if self.next_resume().is_none_or(|(due, _)| due > now.instant) {
            return;
        }
        let able = self.interrupted.values().filter(|i| i.due.is_some() && self.is_obtainable(&i.entry));
        if let Some(device) = able.min_by_key(|i| i.due).map(|i| i.entry.device.clone()) {
            self.resume(&device, now);
        }
    }

    /// Continues the job of the journal's entry for `device`.
    pub(super) fn resume(&mut self, device: &str, now: Now) {
        let waits = self.enrol_failures > 0 && self.enrol_not_before.is_some_and(|at| at > now.instant);
        let refused = waits && !self.credential_is_good(now);
        let Some(of) = self.interrupted.get(device).map(|known| self.is_of_tenant(&known.entry)) else {
            return;
        };
        let Some(interrupted) = self.interrupted.edit().get_mut(device) else { return };
        interrupted.due = None;
        interrupted.tries = interrupted.tries.saturating_add(1);
        let entry = interrupted.entry.clone();
        let tenant = of.then(|| Source::Tenant { target: entry.target.clone() });
        let mut sources: VecDeque<Source> =
            entry.package.map(Source::Kept).into_iter().chain(tenant).collect();
        if interrupted.spent && !refused {
            sources.make_contiguous().reverse();
        }
        let runtime = UsbIdentity {
            port: entry.port.clone(),
            vid: entry.vendor_id,
            pid: entry.product_id,
            bcd_device: entry.from_version.parse::<FirmwareVersion>().map_or(0, FirmwareVersion::bcd),
            serial: entry.serial.clone(),
            dfu: None,
        };
        let description = registry::describe(entry.vendor_id, entry.product_id);
        let (vendor, product) = (entry.vendor.clone(), entry.product.clone());
        let target = Target { runtime, description, vendor, product, tenant: entry.tenant.clone() };
        self.leave_queue(|job| job.device == entry.device);
        self.update.resume(&entry, sources, target, &mut self.out);
    }

    /// Takes the headset whose package is here from its person, unless that is in a call with it.
    pub(super) fn write_step(&mut self, now: Now) {
        let Some(device) = self.update.is_ready().map(str::to_owned) else { return };
        if self.begun_by_itself() && self.is_in_call() {
            // Their call, or one of another person: after it they are told anew.
            self.update.put_back(&mut self.out);
            self.out.push_back(Output::news(ToUser::JobChanged { job: None }));
            return;
        }
        if self.fleet.in_call(&device) {
            return self.update.wait_for_call(&mut self.out);
        }
        let target = self.target(&device);
        self.fleet.begin_update(&device, &mut self.out);
        let finished = self.update.write(target, now.instant, &mut self.out);
        self.finished(finished, now);
        // A resumed job does not know yet what is at its port.
        let port = self.update.port().map(str::to_owned);
        if let Some(usb) = port.and_then(|p| self.fleet.usb(&p).cloned()) {
            let finished = self.update.arrived(usb, now.instant, &mut self.out);
            self.finished(finished, now);
        }
    }

    /// Asks for the running job's package, where that can be had now.
    pub(super) fn fetch_step(&mut self, now: Now) {
        if self.update.awaits_tenant() && !self.is_let_in(now) {
            return;
        }
        let journal = self.interrupted.values().filter_map(|i| i.entry.package);
        self.update.fetch(journal.map(|package| package.sha256).collect(), &mut self.out);
    }

    pub(super) fn fetched(&mut self, job: JobId, result: Fetched, now: Now) {
        match result {
            Ok(archive) => {
                let finished = self.update.fetched(job, &archive, now.instant, &mut self.out);
                self.finished(finished, now);
            }
            Err(failure) => {
                self.unreachable |= failure.kind == FailureKind::Unreachable;
                self.unauthorized(&failure, now);
                let finished = self.update.fetch_failed(job, failure, &mut self.out);
                self.finished(finished, now);
            }
        }
    }

    /// Headsets that have, or may have, no working firmware and are not seen at work.
    pub(super) fn recoveries(&self) -> impl Iterator<Item = &JournalEntry> {
        let entries = self.interrupted.values().map(|i| &i.entry).filter(|entry| !entry.works);
        entries.filter(|entry| self.fleet.device(&entry.device).is_none())
    }

    /// Those, and the one whose continued job runs, as faces show them.
    pub(super) fn stranded(&self) -> BTreeMap<DeviceId, Device> {
        let show = |entry: &JournalEntry| {
            let status = match self.update.device() == Some(&entry.device) {
                true => DeviceStatus::Updating,
                false => DeviceStatus::NeedsFirmware { problem: self.needs_firmware(entry) },
            };
            (entry.device.clone(), device_of(entry, status))
        };
        self.recoveries().map(show).collect()
    }

    pub(super) fn found_from(&mut self) -> FoundFrom {
        let job = self.job_revision();
        FoundFrom { journal: self.interrupted.revision(), fleet: self.fleet.revision(), job }
    }

    /// After the fleet has told what it knows: a headset is in one of the two.
    pub(super) fn tell_stranded(&mut self) {
        let from = self.found_from();
        if !self.work.stranded.is_due(from) {
            return;
        }
        let now = self.stranded();
        self.keep_ids();
        if now == self.stranded_told {
            return;
        }
        for (id, device) in &now {
            if self.stranded_told.get(id) != Some(device) {
                self.out.push_back(Output::news(ToUser::DeviceChanged { device: device.clone() }));
            }
        }
        let was = std::mem::replace(&mut self.stranded_told, now);
        for id in was.into_keys() {
            if !self.stranded_told.contains_key(&id) && self.fleet.device(&id).is_none() {
                self.out.push_back(Output::news(ToUser::DeviceRemoved { id }));
            }
        }
    }

    fn needs_firmware(&self, entry: &JournalEntry) -> Problem {
        let reason = match self.fleet.usb(&entry.port) {
            Some(usb) if usb.vid == entry.vendor_id => Reason::NeedsFirmware,
            _ => Reason::NeedsFirmwareAway,
        };
        reason.at(&entry.port)
    }

    /// The ids of headsets without firmware stay theirs, and their ports are looked at.
    pub(super) fn keep_ids(&mut self) {
        let lost = self.interrupted.values().map(|i| &i.entry).filter(|entry| !entry.works);
        let place = |entry: &JournalEntry| Place::Port {
            port: entry.port.clone(),
            vendor_id: entry.vendor_id,
            product_id: entry.product_id,
        };
        self.fleet.keep_ids(lost.map(|entry| (place(entry), entry.device.clone())).collect());
        self.fleet.watches_usb = !self.interrupted.is_empty();
    }
}

/// Before the package of an interrupted job is asked for again.
fn resume_wait(tries: u8) -> Duration {
    Duration::from_secs(60).saturating_mul(1 << tries.min(5))
}

fn device_of(entry: &JournalEntry, status: DeviceStatus) -> Device {
    let known = registry::describe(entry.vendor_id, entry.product_id);
    let first = |names: [&str; 3]| names.into_iter().find(|n| !n.is_empty()).unwrap_or_default().to_owned();
    Device {
        id: entry.device.clone(),
        vendor: first([&entry.vendor, &known.vendor, ""]),
        product: first([&entry.product, known.product.as_deref().unwrap_or_default(), &entry.name]),
        vendor_id: entry.vendor_id,
        product_id: entry.product_id,
        serial: entry.serial.clone(),
        firmware_version: entry.from_version.clone(),
        port: Some(entry.port.clone()),
        capabilities: Capabilities { firmware_update: true, ..Capabilities::default() },
        status,
        line_busy: false,
        problem: None,
    }
}

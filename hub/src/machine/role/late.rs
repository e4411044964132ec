//! What the headsets of interrupted jobs say of themselves later, in normal operation: a verdict may come true, or turn out
//! wrong, long after it was told.

use super::jobs::Interrupted;
use super::*;
use crate::machine::JournalEntry;
use crate::machine::fleet::identity::beside;
use crate::machine::update::{Entry, job_of};
use crate::problem::{Detail, Reason};
use dfu::usb_dfu::Mode;

impl MachineRole {
    /// What the headsets of the journal say of themselves by now, in normal operation. While a job runs, its news go
    /// first.
    pub(super) fn hear_late_answers(&mut self, now: Now) {
        let from = self.found_from();
        if self.update.device().is_some() || !self.work.heard.is_due(from) {
            return;
        }
        self.see_in_dfu_mode();
        let waiting = self.interrupted.values().filter(|i| i.due.is_none());
        let heard: Vec<(DeviceId, Heard)> =
            waiting.filter_map(|i| Some((i.entry.device.clone(), self.heard(&i.entry)?))).collect();
        for (device, heard) in heard {
            match heard {
                Heard::There(version) => self.hear_late(&device, version, now),
                Heard::Elsewhere => self.seems_to_work(&device, None),
            }
        }
    }

    /// A headset in DFU mode that none of the known lost ones is must be one that seemed to work: another one with its
    /// serial number, or at its port, spoke for it.
    fn see_in_dfu_mode(&mut self) {
        let lost = |port: &str| self.interrupted.values().any(|i| !i.entry.works && i.entry.port == port);
        let stray: Vec<UsbIdentity> =
            self.fleet.in_dfu_mode().filter(|usb| !lost(&usb.port)).cloned().collect();
        for usb in stray {
            let may_be = |i: &&Interrupted| i.entry.works && i.entry.vendor_id == usb.vid;
            let entries = || self.interrupted.values().filter(may_be).map(|i| &i.entry);
            let there = entries().find(|entry| entry.port == usb.port);
            let same = entries().find(|entry| entry.serial.is_some() && entry.serial == usb.serial);
            let Some(device) = there.or(same).or(entries().next()).map(|entry| entry.device.clone()) else {
                continue;
            };
            tracing::warn!(%device, port = %usb.port, "a headset needs its firmware again after all");
            let Some(mut known) = self.interrupted.edit().remove(&device) else { continue };
            let entry = &mut known.entry;
            (entry.works, entry.port) = (false, usb.port);
            if self.fleet.device(&device).is_some() {
                let (vendor, product) = (entry.vendor_id, entry.product_id);
                entry.device = beside(&device, entry.serial.is_some(), vendor, product, &entry.port);
                entry.offer = policy::offer_id(&entry.policy, &entry.device);
                self.out.push_back(Output::Persist(Record::JournalCleared { device }));
            }
            self.out.push_back(Output::Persist(Record::Journal(entry.clone())));
            self.interrupted.edit().insert(entry.device.clone(), known);
        }
        self.keep_ids();
    }

    fn heard(&self, entry: &JournalEntry) -> Option<Heard> {
        let version = self.version_at_work(entry)?;
        let at = self.fleet.device(&entry.device)?.port.as_ref();
        let still_lost = || self.fleet.in_dfu_mode().any(|usb| usb.port == entry.port);
        match at == Some(&entry.port) {
            true => Some(Heard::There(version)),
            false => (!still_lost()).then_some(Heard::Elsewhere),
        }
    }

    /// Nothing is to be recovered as far as one sees. The entry stays: another headset may have spoken for it.
    fn seems_to_work(&mut self, device: &str, said: Option<wire::Verdict>) {
        let Some(known) = self.interrupted.get(device) else { return };
        let said = said.or(known.entry.said);
        if known.entry.works && known.entry.said == said {
            return;
        }
        if let Some(known) = self.interrupted.edit().get_mut(device) {
            known.entry.works = true;
            known.entry.said = said;
            self.out.push_back(Output::Persist(Record::Journal(known.entry.clone())));
        }
    }

    /// The version of a headset that is seen in normal operation on both of its sides.
    fn version_at_work(&self, entry: &JournalEntry) -> Option<String> {
        let device = self.fleet.device(&entry.device).filter(|d| d.status != DeviceStatus::Updating)?;
        let usb = self.fleet.usb(device.port.as_ref()?)?;
        let in_dfu = usb.dfu.as_ref().is_some_and(|dfu| dfu.mode == Mode::Dfu);
        (!in_dfu).then(|| device.firmware_version.clone())
    }

    /// The verdict stays; what it advised, to plug the headset in or to leave it where it is, is done.
    fn nothing_to_plug_in(&mut self, device: &str) {
        let Some(job) = self.update.job().filter(|job| job.device == device) else { return };
        let Some(Outcome::Failed { problem }) = &job.outcome else { return };
        let mut problem = problem.clone();
        let Some(device) = problem.details.get_mut("device") else { return };
        *device = dfu::usb_dfu::DeviceNow::Runtime.into();
        let job = Job { outcome: Some(Outcome::Failed { problem }), ..job.clone() };
        if self.correct_history(&job) {
            self.tell_history();
        }
        self.update.correct(job.clone());
        self.out.push_back(Output::news(ToUser::JobChanged { job: Some(job) }));
    }

    fn hear_late(&mut self, device: &str, version: String, now: Now) {
        let Some(entry) = self.interrupted.get(device).map(|i| i.entry.clone()) else { return };
        let outcome = match entry.said {
            _ if version == entry.target_version => Some(Outcome::Succeeded { version: version.clone() }),
            Some(wire::Verdict::Unknown) => {
                Some(Outcome::Failed { problem: came_back_old(&entry, &version) })
            }
            _ => None,
        };
        if entry.works && entry.said == Some(wire::Verdict::Succeeded) {
            return;
        }
        if outcome.is_none() && !entry.works {
            self.nothing_to_plug_in(device);
        }
        // It works with what it had: all that is left to wait for is that it says otherwise.
        let as_before = version == entry.from_version && version != entry.target_version;
        if outcome.is_none() && as_before && entry.works {
            return;
        }
        tracing::info!(%device, %version, said = ?entry.said, "a headset says late which firmware it runs");
        let corrected = outcome.map(|outcome| Finished {
            job: Job { outcome: Some(outcome.clone()), ..job_of(&entry) },
            policy: entry.policy.clone(),
            tenant: entry.tenant.clone(),
            outcome,
            read_back: Some(version),
            journal: Entry::Untouched,
            starved: false,
        });
        if let Some(corrected) = &corrected {
            self.owe_update(corrected, now);
            if !self.correct_history(&corrected.job) {
                self.remember(&corrected.job, false, now);
            }
        }
        // Without a serial number another one at the same port looks the same.
        let nobody_else = entry.works || entry.serial.is_some();
        if as_before {
            self.seems_to_work(device, corrected.as_ref().map(|_| wire::Verdict::Failed));
        } else if !nobody_else {
            self.seems_to_work(device, Some(wire::Verdict::Succeeded));
        } else {
            self.interrupted.edit().remove(device);
            self.out.push_back(Output::Persist(Record::JournalCleared { device: device.to_owned() }));
        }
        if let Some(Finished { job, .. }) = corrected {
            self.tell_history();
            self.update.correct(job.clone());
            self.out.push_back(Output::news(ToUser::JobChanged { job: Some(job) }));
        }
    }
}

/// What was heard of a headset whose job was interrupted.
#[derive(Debug)]
enum Heard {
    /// It works at the port of its job, with this version.
    There(String),
    /// One with its serial number works at another port. That may be another headset.
    Elsewhere,
}

fn came_back_old(entry: &JournalEntry, found: &str) -> Problem {
    let why = if found == entry.from_version { "old-version" } else { "other-version" };
    let detail = Detail::new("dfu-late-version", format!("it reports {found}")).with("found", found);
    let device = dfu::usb_dfu::DeviceNow::Runtime.into();
    Reason::UpdateFailed { why: why.to_owned(), device, detail }.at(&entry.device)
}

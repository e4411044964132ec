//! Firmware jobs from their end to their continuation.

use super::*;
use crate::service::JournalEntry;

/// A firmware job whose device still needs its firmware.
#[derive(Debug)]
pub(super) struct Interrupted {
    pub(super) entry: JournalEntry,
    /// `None` = when a person asks.
    pub(super) due: Option<Instant>,
    pub(super) tries: u8,
}

impl Service {
    pub(super) fn finished(&mut self, finished: Option<Finished>, now: Now) {
        let Some(mut finished) = finished else { return };
        let tries = self.interrupted.take().map_or(0, |i| i.tries);
        self.interrupted = finished.interrupted.take().map(|entry| Interrupted {
            entry,
            due: finished.starved.then(|| now.instant + resume_wait(tries)),
            tries,
        });
        self.fleet.end_update(now.instant, &mut self.out);
        // A package that cannot be had once more is no news.
        if !finished.starved || tries <= 1 {
            self.owe_update(&finished, now);
        }
    }

    pub(super) fn next_resume(&self) -> Option<(Instant, &'static str)> {
        let idle = self.update.device().is_none() && self.config.server_url.is_some();
        let due = self.interrupted.as_ref().filter(|_| idle)?.due?;
        Some((due, "continue an interrupted firmware update"))
    }

    /// A job that a crash interrupted or whose package could not be had, as soon as nothing else runs.
    pub(super) fn resume_interrupted(&mut self, now: Now) {
        if self.next_resume().is_none_or(|(due, _)| due > now.instant) {
            return;
        }
        let Some(interrupted) = self.interrupted.as_mut() else { return };
        interrupted.due = None;
        interrupted.tries = interrupted.tries.saturating_add(1);
        let entry = interrupted.entry.clone();
        let runtime = UsbIdentity {
            port: entry.port.clone(),
            vid: entry.vendor_id,
            pid: entry.product_id,
            bcd_device: entry.from_version.parse::<FirmwareVersion>().map_or(0, FirmwareVersion::bcd),
            serial: entry.serial.clone(),
            dfu: None,
        };
        let description = registry::describe(entry.vendor_id, entry.product_id);
        self.update.resume(&entry, Target { runtime, description }, &mut self.out);
        if self.update.device().is_some() {
            self.fleet.begin_update(&entry.device, &mut self.out);
        } else {
            self.interrupted = None;
        }
    }

    /// A device in DFU mode or off the bus that has not come back by itself, to be recovered when asked.
    pub(super) fn recovery(&self) -> Option<&JournalEntry> {
        let entry = self.interrupted.as_ref().map(|i| &i.entry)?;
        (self.update.device().is_none() && self.fleet.device(&entry.device).is_none()).then_some(entry)
    }
}

/// Before the package of an interrupted job is asked for again.
fn resume_wait(tries: u8) -> Duration {
    Duration::from_secs(60).saturating_mul(1 << tries.min(5))
}

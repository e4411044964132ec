//! What is known of the job that runs.

use super::Target;
use super::plan::Planned;
use crate::machine::{Fingerprint, JobId, JournalEntry, Output, Source, TenantFailure, UsbRequest};
use crate::protocol::{Job, Stop};
use dfu::Machine;
use dfu::usb_dfu::Phase;
use std::collections::VecDeque;
use std::time::Instant;

#[derive(Debug)]
pub(super) struct Running {
    pub(super) id: JobId,
    pub(super) job: Job,
    pub(super) policy: String,
    pub(super) target_name: String,
    pub(super) target: Target,
    /// Where the package is looked for, in this order.
    pub(super) sources: VecDeque<Source>,
    /// The first of them is with the shell.
    pub(super) asked: bool,
    /// Why the tenant could not give it.
    pub(super) refusal: Option<TenantFailure>,
    /// The one that was taken.
    pub(super) package: Option<Fingerprint>,
    /// What is to be done with it, once it is here and fits.
    pub(super) planned: Option<Planned>,
    /// `None` before the device is touched.
    pub(super) dfu: Option<Machine>,
    pub(super) resume: Option<Phase>,
    /// As the journal on disk has it.
    pub(super) journalled: Option<Phase>,
    pub(super) percent_told: u64,
    pub(super) fetches: u8,
    /// Since when it is gone while firmware was written to it.
    pub(super) gone_since: Option<Instant>,
    /// Part of the firmware may be at the device.
    pub(super) begun: bool,
    /// It is cancelled because its journal cannot be written, not because somebody wished it.
    pub(super) unjournalled: bool,
}

impl Running {
    pub(super) fn ask(&self, request: UsbRequest, out: &mut VecDeque<Output>) {
        out.push_back(Output::Usb { job: self.id, request });
    }

    /// What cancelling would mean.
    pub(super) fn stop(&self) -> Stop {
        match (&self.dfu, self.journalled) {
            (None, _) => Stop::Harmless,
            (_, Some(Phase::Manifesting | Phase::WaitingForRuntime)) => Stop::TooLate,
            _ if self.begun || matches!(self.resume, Some(Phase::Downloading { .. })) => Stop::Strands,
            _ => Stop::Harmless,
        }
    }

    pub(super) fn journal(&self, phase: Phase) -> JournalEntry {
        let runtime = &self.target.runtime;
        JournalEntry {
            offer: self.job.offer.clone(),
            policy: self.policy.clone(),
            tenant: self.target.tenant.clone(),
            name: self.job.name.clone(),
            device: self.job.device.clone(),
            port: runtime.port.clone(),
            vendor_id: runtime.vid,
            product_id: runtime.pid,
            serial: runtime.serial.clone(),
            from_version: self.job.from_version.clone(),
            target_version: self.job.to_version.clone(),
            target: self.target_name.clone(),
            package: self.package,
            component: self.planned.as_ref().map(|planned| planned.component.clone()).unwrap_or_default(),
            phase,
            vendor: self.target.vendor.clone(),
            product: self.target.product.clone(),
            said: None,
            works: false,
        }
    }
}

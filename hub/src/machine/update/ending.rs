//! How an update ended: the verdict, and what stays in the journal.

use super::running::Running;
use super::{Entry, Finished, Update, problems};
use crate::machine::{JournalEntry, Output};
use crate::protocol::{Outcome, Stop};
use dfu::usb_dfu::{Failure, Phase, Verdict};
use std::collections::VecDeque;

impl Update {
    pub(super) fn verdict(&mut self, verdict: &Verdict, out: &mut VecDeque<Output>) -> Option<Finished> {
        let running = self.running.as_ref()?;
        let (place, stopped) = (running.job.device.clone(), running.unjournalled);
        let keep = verdict.keeps_journal();
        let (outcome, read_back) = match verdict {
            Verdict::Succeeded { version } => {
                let version = version.to_string();
                (Outcome::Succeeded { version: version.clone() }, Some(version))
            }
            Verdict::Failed(failure @ Failure::Cancelled { .. }) if stopped => {
                (Outcome::Failed { problem: problems::unjournalled(place, failure.device()) }, None)
            }
            Verdict::Failed(failure) => {
                let read_back = failure.found().map(|version| version.to_string());
                (Outcome::Failed { problem: problems::failed(failure, place) }, read_back)
            }
            Verdict::Unknown(reason) => {
                (Outcome::Unknown { problem: problems::unknown(reason, place) }, None)
            }
        };
        self.finish(outcome, read_back, keep, out)
    }

    /// `needed`: the device may still have no working firmware.
    pub(super) fn finish(
        &mut self,
        outcome: Outcome,
        read_back: Option<String>,
        needed: bool,
        out: &mut VecDeque<Output>,
    ) -> Option<Finished> {
        let running = self.running.take()?;
        match &outcome {
            Outcome::Succeeded { version } => {
                tracing::info!(device = %running.job.device, %version, "firmware update succeeded")
            }
            Outcome::Failed { problem } | Outcome::Unknown { problem } => {
                tracing::warn!(device = %running.job.device, why = %problem, "firmware update did not succeed");
            }
        }
        let said = match &outcome {
            Outcome::Succeeded { .. } => tenant::wire::Verdict::Succeeded,
            Outcome::Failed { .. } => tenant::wire::Verdict::Failed,
            Outcome::Unknown { .. } => tenant::wire::Verdict::Unknown,
        };
        // It had the whole image and did not say that it runs it: some do so after being plugged in anew.
        let in_doubt = said != tenant::wire::Verdict::Succeeded
            && matches!(running.journalled, Some(Phase::Manifesting | Phase::WaitingForRuntime));
        let journal = match running.journalled {
            None => Entry::Untouched,
            Some(phase) if needed || in_doubt => {
                let entry = running.journal(phase);
                Entry::Kept(Box::new(JournalEntry { said: Some(said), works: !needed, ..entry }))
            }
            Some(_) => Entry::Cleared,
        };
        if running.dfu.is_some() {
            out.push_back(Output::KeepAwake(false));
        }
        out.push_back(Output::JobEnded(running.id));
        let Running { mut job, policy, target, .. } = running;
        job.cancelling = false;
        job.stop = Stop::Harmless;
        job.outcome = Some(outcome.clone());
        self.last = Some(job.clone());
        Some(Finished { job, policy, tenant: target.tenant, outcome, read_back, journal, starved: false })
    }
}

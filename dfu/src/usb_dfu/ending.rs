//! Attempts that fail, and leaving the device as well as can be.

use std::time::Instant;

use super::identity::Mode;
use super::plan::Phase;
use super::requests::RETRY_PAUSE;
use super::step::{Goal, Request, Step};
use super::verdict::{DeviceNow, Failure, Verdict};
use super::{MAX_ATTEMPTS, Output, UsbDfu};

impl UsbDfu {
    /// Starts over with the device that is open, or ends if that was tried often enough or is pointless.
    pub(super) fn attempt_failed(&mut self, failure: Failure, now: Instant) {
        if self.another_attempt(failure, now) {
            self.be_quiet(RETRY_PAUSE, "the download is started again", now);
            self.approach(now);
        }
    }

    /// Counts a failed attempt; ends with `failure` and says `false` if there is to be no other.
    pub(super) fn another_attempt(&mut self, mut failure: Failure, now: Instant) -> bool {
        self.attempts += 1;
        self.complete = false;
        failure.set_attempts(self.attempts);
        let pointless = matches!(&failure, Failure::Reported { status, .. } if status.is_final());
        let another = self.attempts < MAX_ATTEMPTS && !pointless;
        if !another {
            self.end(failure, now);
        }
        another
    }

    /// Ends with `failure`, after the DFU-mode device has been brought out of the download and reset.
    pub(super) fn end(&mut self, mut failure: Failure, now: Instant) {
        match self.opened.as_ref().map(|opened| opened.mode) {
            Some(Mode::Dfu) => {
                failure.set_device(DeviceNow::Unseen);
                self.ending = Some(failure);
                self.ask(Request::Leave, now);
            }
            Some(Mode::Runtime | Mode::Irregular { .. }) | None => {
                failure.set_device(self.device_now());
                self.fail(failure);
            }
        }
    }

    pub(super) fn cancel(&mut self) {
        let too_late = matches!(self.phase, Phase::Manifesting | Phase::WaitingForRuntime) || self.complete;
        if too_late {
            return;
        }
        // It takes effect before the next request. After DFU_DETACH the device must first be in DFU mode to be sent
        // back; but nobody knows when a lost device is plugged in again.
        self.cancelled = true;
        if matches!(self.step, Step::Waiting { goal: Goal::Recover, .. }) {
            self.fail(Failure::Cancelled { phase: self.phase, device: self.device_now() });
        }
    }

    pub(super) fn finish_ending(&mut self, device: DeviceNow) {
        let Some(mut failure) = self.ending.take() else { return };
        failure.set_device(device);
        self.fail(failure);
    }

    pub(super) fn fail(&mut self, failure: Failure) {
        self.finish(Verdict::Failed(failure));
    }

    pub(super) fn finish(&mut self, verdict: Verdict) {
        self.close();
        self.step = Step::Done;
        self.outputs.push_back(Output::Finished(verdict));
    }
}

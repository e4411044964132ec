//! What follows from the answers to DFU_GETSTATUS (DFU 1.1 §5 to §7, state diagram A.1).

use std::time::{Duration, Instant};

use super::plan::Phase;
use super::requests::{LEAVE_GRACE, RETRY_PAUSE};
use super::step::{ExtraReset, Goal, Request};
use super::verdict::{DeviceNow, Failure, TransferError};
use super::wire::{DfuState, DfuStatus, StatusReport};
use super::{MAX_BUSY, MAX_POLL_TIMEOUT, UsbDfu};

/// Pause before a busy device is asked again that named no time itself.
const BUSY_PAUSE: Duration = Duration::from_millis(5);
/// Times DFU_GETSTATUS may fail in a row.
const STATUS_TRIES: u8 = 3;
/// Requests that may be needed to bring a device to dfuIDLE, besides waiting for it.
const PREPARE_STEPS: u8 = 16;

impl UsbDfu {
    pub(super) fn status_answered(
        &mut self,
        asked: Request,
        result: Result<Vec<u8>, TransferError>,
        now: Instant,
    ) {
        let (phase, device) = (self.phase, DeviceNow::Dfu);
        let said = result.as_ref().ok().and_then(|bytes| StatusReport::poll_timeout(bytes));
        let poll_timeout =
            if self.plan.deviations.ignore_poll_timeout { said.map(|_| Duration::ZERO) } else { said };
        if let Some(poll_timeout) = poll_timeout.filter(|timeout| *timeout > MAX_POLL_TIMEOUT) {
            let poll_timeout_ms = poll_timeout.as_millis() as u32;
            // Not even DFU_ABORT may be sent now.
            return self.fail(Failure::PollTimeoutTooLong { poll_timeout_ms, phase, device });
        }
        self.quiet_until = poll_timeout.map(|timeout| (now + timeout, "bwPollTimeout"));
        let report = match result {
            Ok(bytes) => match StatusReport::parse(&bytes) {
                Some(report) => report,
                None => {
                    let failure = Failure::BadStatusAnswer { len: bytes.len(), phase, device };
                    return self.status_unanswered(asked, failure, now);
                }
            },
            Err(error) => {
                let failure = Failure::Transfer { error, phase, attempts: self.attempts, device };
                return self.status_unanswered(asked, failure, now);
            }
        };
        self.status_failures = 0;
        self.in_error = report.state == DfuState::Error;
        let poll_timeout = poll_timeout.unwrap_or_default();
        let at_once = !is_busy(report.state) || self.plan.deviations.allow_zero_poll_timeout;
        let pause = if at_once { poll_timeout } else { poll_timeout.max(BUSY_PAUSE) };
        self.quiet_until = (!pause.is_zero()).then_some((now + pause, "bwPollTimeout"));
        match asked {
            Request::BlockStatus => self.block_status(report, now),
            Request::ManifestStatus => self.manifest_status(report, now),
            _ => self.prepare_status(report, now),
        }
    }

    fn status_unanswered(&mut self, asked: Request, failure: Failure, now: Instant) {
        self.status_failures = self.status_failures.saturating_add(1);
        let manifesting = asked == Request::ManifestStatus;
        if self.status_failures < STATUS_TRIES || manifesting && self.answers_again(now) {
            self.be_quiet(RETRY_PAUSE, "the status is asked for again", now);
            self.ask(asked, now);
        } else if manifesting {
            // A device that is not manifestation tolerant need not answer any more.
            self.leave_manifestation(self.plan.reenumerate_timeout, now);
        } else {
            self.attempt_failed(failure, now);
        }
    }

    /// A device that is manifestation tolerant is at work as long as it is silent.
    fn answers_again(&mut self, now: Instant) -> bool {
        let tolerant = self.opened.as_ref().is_some_and(|dfu| dfu.functional.manifestation_tolerant);
        let since = *self.busy_since.get_or_insert(now);
        tolerant && now.saturating_duration_since(since) < self.plan.reenumerate_timeout
    }

    /// Brings the device to dfuIDLE, whatever an earlier update or another program has left behind.
    fn prepare_status(&mut self, report: StatusReport, now: Instant) {
        let failure = self.failure_of(report);
        match report.state {
            DfuState::DfuIdle => return self.begin_download(now),
            DfuState::AppIdle if self.plan.deviations.force_dfu_mode => return self.begin_download(now),
            DfuState::DnBusy | DfuState::Manifest => {
                return self.ask_again(Request::PrepareStatus, failure, now);
            }
            DfuState::ManifestSync if self.complete => {
                return self.ask_again(Request::PrepareStatus, failure, now);
            }
            DfuState::ManifestWaitReset if self.complete => {
                return self.ask(Request::Reset(Goal::Runtime), now);
            }
            DfuState::ManifestWaitReset => {
                if self.another_attempt(failure, now) {
                    self.ask(Request::Reset(Goal::Recover), now);
                }
                return;
            }
            DfuState::AppIdle | DfuState::AppDetach => {
                if self.another_attempt(failure, now) {
                    self.ask(Request::Detach, now);
                }
                return;
            }
            DfuState::Error
            | DfuState::DnloadSync
            | DfuState::DnloadIdle
            | DfuState::ManifestSync
            | DfuState::UploadIdle => {}
        }
        self.prepare_steps += 1;
        if self.prepare_steps > PREPARE_STEPS {
            self.attempt_failed(failure, now);
        } else if report.state == DfuState::Error {
            self.ask(Request::ClearStatus, now);
        } else {
            self.ask(Request::Abort, now);
        }
    }

    fn begin_download(&mut self, now: Instant) {
        self.complete = false;
        self.written = true;
        self.extra_reset = ExtraReset::of(&self.plan);
        self.block = 0;
        self.sent = 0;
        self.busy_since = None;
        self.enter(Phase::Downloading { block: 0 });
        self.send_next(now);
    }

    fn send_next(&mut self, now: Instant) {
        if self.sent < self.plan.image.payload_bytes {
            self.ask(Request::Block, now);
        } else {
            self.ask(Request::LastBlock, now);
        }
    }

    fn block_status(&mut self, report: StatusReport, now: Instant) {
        let failure = self.failure_of(report);
        if report.state == DfuState::Error || report.status != DfuStatus::OK || self.download_error.is_some()
        {
            return self.attempt_failed(failure, now);
        }
        match report.state {
            DfuState::DnBusy | DfuState::DnloadSync => self.ask_again(Request::BlockStatus, failure, now),
            DfuState::DnloadIdle => {
                self.acknowledge_block();
                self.send_next(now);
            }
            _ => self.attempt_failed(failure, now),
        }
    }

    fn acknowledge_block(&mut self) {
        let total = self.plan.image.payload_bytes;
        let tenth = |bytes: u64| bytes * 10 / total;
        let before = tenth(self.sent);
        self.sent += u64::from(self.block_bytes());
        self.block += 1;
        self.busy_since = None;
        let phase = Phase::Downloading { block: self.block };
        if tenth(self.sent) != before && self.sent < total {
            self.enter(phase);
        } else {
            self.phase = phase;
            if self.sent - self.shown >= total.div_ceil(100) || self.sent == total {
                self.show_progress();
            }
        }
    }

    fn manifest_status(&mut self, report: StatusReport, now: Instant) {
        let failure = self.failure_of(report);
        if report.state == DfuState::Error || report.status != DfuStatus::OK {
            return self.attempt_failed(failure, now);
        }
        match report.state {
            DfuState::Manifest if self.plan.deviations.no_manifest_poll => {
                self.leave_manifestation(self.plan.reenumerate_timeout, now);
            }
            DfuState::ManifestSync | DfuState::Manifest => {
                self.ask_again(Request::ManifestStatus, failure, now)
            }
            DfuState::ManifestWaitReset => {
                self.leave_manifestation(LEAVE_GRACE.min(self.plan.reenumerate_timeout), now);
            }
            // The end was not announced after all.
            _ if self.download_error.is_some() => self.attempt_failed(failure, now),
            DfuState::DfuIdle | DfuState::AppIdle => self.ask(Request::Reset(Goal::Runtime), now),
            _ => self.attempt_failed(failure, now),
        }
    }

    /// A device that leaves by itself is not reset, or not before it had its time.
    fn leave_manifestation(&mut self, grace: Duration, now: Instant) {
        if self.opened.as_ref().is_some_and(|dfu| dfu.functional.will_detach) {
            self.enter(Phase::WaitingForRuntime);
            self.wait(Goal::Runtime, grace, now);
        } else {
            self.ask(Request::Reset(Goal::Runtime), now);
        }
    }

    fn ask_again(&mut self, asked: Request, failure: Failure, now: Instant) {
        let since = *self.busy_since.get_or_insert(now);
        if now.saturating_duration_since(since) > MAX_BUSY {
            self.attempt_failed(failure, now);
        } else {
            self.ask(asked, now);
        }
    }

    /// How to call it if `report` is a failure.
    fn failure_of(&self, report: StatusReport) -> Failure {
        let StatusReport { status, state, .. } = report;
        let (phase, attempts, device) = (self.phase, self.attempts, DeviceNow::Dfu);
        match self.download_error {
            _ if status != DfuStatus::OK => Failure::Reported { status, state, phase, attempts, device },
            Some(error) => Failure::Transfer { error, phase, attempts, device },
            None => Failure::UnexpectedState { state, phase, attempts, device },
        }
    }
}

fn is_busy(state: DfuState) -> bool {
    matches!(state, DfuState::DnBusy | DfuState::DnloadSync | DfuState::ManifestSync | DfuState::Manifest)
}

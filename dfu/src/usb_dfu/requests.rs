//! The requests of an update: when they may be sent, and what follows where that is simple.

use std::time::{Duration, Instant};

use super::identity::Mode;
use super::plan::Phase;
use super::step::{ExtraReset, Goal, Request, Step};
use super::verdict::{DeviceNow, Failure, TransferError};
use super::wire::{STATUS_BYTES, TO_DEVICE, TO_HOST, request, wire_block};
use super::{Block, ControlTransfer, Data, MAX_TRANSFER_BYTES, OPEN_TRIES, Output, TRANSFER_TIMEOUT, UsbDfu};

/// Pause before a request is repeated that failed.
pub(super) const RETRY_PAUSE: Duration = Duration::from_millis(500);
/// Time a device that leaves by itself is given where nothing is left for it to do.
pub(super) const LEAVE_GRACE: Duration = Duration::from_secs(5);
/// wTimeout of DFU_DETACH where the device names none, in milliseconds.
const DETACH_TIMEOUT_MS: u16 = 1000;
/// wIndex, beside the interface: see [`super::Deviations::index_force_detach`].
const FORCE_DETACH: u16 = 1 << 8;

impl UsbDfu {
    /// Sends a request, or pauses until it may be sent.
    pub(super) fn ask(&mut self, next: Request, now: Instant) {
        if let Some((until, reason)) = self.quiet_until.filter(|(until, _)| *until > now) {
            self.step = Step::Pausing { until, reason, then: next };
            return;
        }
        self.quiet_until = None;
        let stoppable = !matches!(next, Request::Leave | Request::Reset(_));
        if self.cancelled && self.ending.is_none() && stoppable && self.opened.is_some() {
            self.end(Failure::Cancelled { phase: self.phase, device: DeviceNow::Unseen }, now);
            return;
        }
        if next == Request::Open {
            self.open(now);
            return;
        }
        if self.opened.is_none() {
            self.lost(now);
            return;
        }
        if next == Request::LastBlock {
            self.busy_since = None;
            self.enter(Phase::Manifesting);
        }
        let in_dfu_mode = self.opened.as_ref().is_some_and(|dfu| dfu.mode == Mode::Dfu);
        let next = match next {
            Request::Reset(Goal::Runtime) if in_dfu_mode && self.plan.deviations.no_bus_reset_attach => {
                self.close();
                return self.await_runtime(now);
            }
            Request::Reset(goal) if in_dfu_mode && self.plan.deviations.detach_for_attach => {
                Request::Attach(goal)
            }
            other => other,
        };
        let output = match next {
            Request::Reset(_) => {
                self.device =
                    self.device.take().filter(|_| !in_dfu_mode && self.extra_reset == ExtraReset::Sent);
                self.left_seen = false;
                Output::Reset
            }
            other => Output::Control(self.transfer(other)),
        };
        self.step = Step::Requested(next);
        self.outputs.push_back(output);
    }

    /// Sends nothing for `pause`, and not before what was promised earlier.
    pub(super) fn be_quiet(&mut self, pause: Duration, reason: &'static str, now: Instant) {
        let until = now + pause;
        if self.quiet_until.is_none_or(|(earlier, _)| earlier < until) {
            self.quiet_until = Some((until, reason));
        }
    }

    fn open(&mut self, now: Instant) {
        let Some(dfu) = self.device.as_ref().and_then(|device| device.dfu.as_ref()) else {
            self.lost(now);
            return;
        };
        let (port, interface) = (self.plan.runtime.port.clone(), dfu.interface);
        self.gone = false;
        self.step = Step::Requested(Request::Open);
        self.outputs.push_back(Output::Open { port, interface });
    }

    fn transfer(&mut self, next: Request) -> ControlTransfer {
        let dfu =
            self.opened.as_ref().expect("invariant: a control transfer is made only while a device is open");
        let interface = u16::from(dfu.interface);
        let (request, value, data) = match next {
            Request::Detach => {
                let timeout_ms = match dfu.functional.detach_timeout_ms {
                    0 => DETACH_TIMEOUT_MS,
                    ms => ms,
                };
                self.detach_sent = true;
                self.detached_pid = self.device.as_ref().map(|device| device.pid);
                self.left_seen = false;
                (request::DETACH, timeout_ms, Data::Empty)
            }
            Request::Attach(goal) => {
                // What is at the port is told anew where the next that comes counts.
                if goal == Goal::Recover {
                    self.device = None;
                }
                self.left_seen = false;
                (request::DETACH, DETACH_TIMEOUT_MS, Data::Empty)
            }
            Request::Upload => (request::UPLOAD, 0, Data::In(self.transfer_size())),
            Request::Block => {
                let (place, from) = (self.plan.image.place, self.sent);
                let block = Block { place, from, bytes: self.block_bytes() };
                (request::DNLOAD, wire_block(self.block), Data::Block(block))
            }
            Request::LastBlock => {
                self.left_seen = false;
                self.complete = true;
                (request::DNLOAD, wire_block(self.block), Data::Empty)
            }
            Request::ClearStatus => (request::CLRSTATUS, 0, Data::Empty),
            Request::Leave if self.in_error => (request::CLRSTATUS, 0, Data::Empty),
            Request::Abort | Request::Leave => (request::ABORT, 0, Data::Empty),
            Request::PrepareStatus | Request::BlockStatus | Request::ManifestStatus => {
                (request::GETSTATUS, 0, Data::In(STATUS_BYTES))
            }
            Request::Open | Request::Reset(_) => unreachable!("invariant: these are no control transfers"),
        };
        let request_type = if matches!(data, Data::In(_)) { TO_HOST } else { TO_DEVICE };
        let forced = request == request::DETACH && self.plan.deviations.index_force_detach;
        let index = if forced { interface | FORCE_DETACH } else { interface };
        let timeout = self.plan.deviations.transfer_timeout.unwrap_or(TRANSFER_TIMEOUT);
        ControlTransfer { request_type, request, value, index, data, timeout }
    }

    fn transfer_size(&self) -> u16 {
        let size = self.opened.as_ref().map_or(MAX_TRANSFER_BYTES, |dfu| dfu.functional.transfer_size);
        size.clamp(1, MAX_TRANSFER_BYTES)
    }

    /// Bytes of the block that begins at `sent`.
    pub(super) fn block_bytes(&self) -> u16 {
        let size = self.transfer_size();
        u16::try_from(self.plan.image.payload_bytes - self.sent).map_or(size, |left| left.min(size))
    }

    pub(super) fn completed(&mut self, result: Result<Vec<u8>, TransferError>, now: Instant) {
        // Without a request there is nothing this could be the answer to.
        let Step::Requested(asked) = self.step else { return };
        match asked {
            Request::Reset(goal) | Request::Attach(goal) => self.was_reset(goal, now),
            Request::Open => self.open_answered(result.err(), now),
            _ if self.gone => self.lost(now),
            _ if result == Err(TransferError::NoDevice) => {
                self.device = None;
                self.lost(now);
            }
            Request::Detach => self.detach_answered(result.err(), now),
            // Either worked or not: the next DFU_GETSTATUS tells.
            Request::ClearStatus | Request::Abort => self.ask(Request::PrepareStatus, now),
            Request::Leave if self.plan.deviations.attach_upload_download => self.ask(Request::Upload, now),
            Request::Leave | Request::Upload => self.ask(Request::Reset(Goal::End), now),
            Request::Block => {
                self.download_error = result.err();
                self.ask(Request::BlockStatus, now);
            }
            Request::LastBlock => {
                self.download_error = result.err();
                self.ask(Request::ManifestStatus, now);
            }
            Request::PrepareStatus | Request::BlockStatus | Request::ManifestStatus => {
                self.status_answered(asked, result, now);
            }
        }
    }

    fn was_reset(&mut self, goal: Goal, now: Instant) {
        self.close();
        match goal {
            Goal::Dfu => self.await_dfu(self.plan.reenumerate_timeout, now),
            Goal::Runtime => self.await_runtime(now),
            Goal::Recover => self.await_replug(now),
            Goal::End => self.wait(Goal::End, self.plan.reenumerate_timeout, now),
        }
    }

    fn open_answered(&mut self, error: Option<TransferError>, now: Instant) {
        let dfu = self.device.as_ref().and_then(|device| device.dfu.clone());
        let there = !self.gone && error != Some(TransferError::NoDevice);
        let Some(dfu) = dfu.filter(|_| there) else {
            if error.is_none() {
                self.outputs.push_back(Output::Close);
            }
            // Still listed, but not there any more: its next arrival counts.
            if !self.gone {
                self.device = None;
            }
            self.gone = false;
            return if self.complete { self.await_runtime(now) } else { self.await_replug(now) };
        };
        let back = self.phase == Phase::WaitingForRuntime;
        match error {
            None if back => {
                self.extra_reset = ExtraReset::Sent;
                self.opened = Some(dfu);
                self.ask(Request::Reset(Goal::Runtime), now);
            }
            None => {
                self.replug_until = None;
                let detach = dfu.mode == Mode::Runtime;
                self.opened = Some(dfu);
                self.ask(if detach { Request::Detach } else { Request::PrepareStatus }, now);
            }
            // Nothing was asked of it yet, so there is nothing to be sent back from.
            Some(_) if self.cancelled && dfu.mode == Mode::Runtime && self.ending.is_none() => {
                self.fail(Failure::Cancelled { phase: self.phase, device: self.device_now() });
            }
            Some(error) => {
                self.open_failures += 1;
                if self.open_failures >= OPEN_TRIES && back {
                    // Its version tells, too, whether that reset was needed.
                    self.extra_reset = ExtraReset::Unneeded;
                    return self.await_runtime(now);
                }
                if self.open_failures >= OPEN_TRIES {
                    let (port, device) = (self.plan.runtime.port.clone(), self.device_now());
                    return self.fail(Failure::CannotOpen { port, phase: self.phase, error, device });
                }
                self.be_quiet(RETRY_PAUSE, "the device is opened again", now);
                self.ask(Request::Open, now);
            }
        }
    }

    fn detach_answered(&mut self, error: Option<TransferError>, now: Instant) {
        let Some(dfu) = &self.opened else { return self.lost(now) };
        let (will_detach, mode) = (dfu.functional.will_detach, dfu.mode);
        match error {
            _ if mode == Mode::Dfu => self.ask(Request::Reset(Goal::Recover), now),
            _ if !will_detach => self.ask(Request::Reset(Goal::Dfu), now),
            // Refused: it will hardly leave, but its word is not the last.
            Some(TransferError::Stall) => self.await_dfu(LEAVE_GRACE.min(self.plan.reenumerate_timeout), now),
            _ => self.await_dfu(self.plan.reenumerate_timeout, now),
        }
    }
}

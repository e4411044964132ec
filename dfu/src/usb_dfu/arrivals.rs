//! Devices that come and go at the port, and what their coming means.

use std::time::{Duration, Instant};

use super::identity::{Mode, UsbIdentity};
use super::plan::Phase;
use super::step::{ExtraReset, Goal, Request, Step};
use super::verdict::{DeviceNow, Failure, UnknownReason, Verdict};
use super::wire::DfuState;
use super::{MAX_ATTEMPTS, REPLUG_TIMEOUT, UsbDfu};
use crate::FirmwareVersion;

/// What a device at the port is to this update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// Ours, in normal operation.
    Runtime,
    /// Ours, ready for DFU_DETACH under its DFU product id (it needs one more to enter DFU mode).
    Detachable,
    /// Ours, in DFU mode.
    Dfu,
    /// Perhaps ours: its interfaces are not known yet.
    Incomplete,
    /// Another device.
    Another,
}

impl UsbDfu {
    pub(super) fn arrived(&mut self, identity: UsbIdentity, now: Instant) {
        if identity.port != self.plan.runtime.port {
            return;
        }
        let identity = self.plan.deviations.correct(identity, &self.plan.dfu_pids);
        let seen = self.classify(&identity);
        let changed = self.device.as_ref().is_some_and(|device| *device != identity);
        self.left_seen |= changed && self.extra_reset == ExtraReset::Sent;
        let before = self.device.as_ref().map(|device| self.classify(device));
        // More may become known of a device without its being another one.
        let replaced =
            before.is_some_and(|before| before != seen && ![before, seen].contains(&Seen::Incomplete));
        self.device = Some(identity);
        match self.step {
            Step::Waiting { .. } => self.look(now),
            // A departure that was not reported, or not yet.
            Step::Pausing { .. } if replaced => self.lost(now),
            Step::Requested(Request::Reset(_) | Request::Attach(_)) | Step::Done | Step::Pausing { .. } => {}
            Step::Requested(_) => self.gone |= replaced,
        }
    }

    pub(super) fn left(&mut self, port: &str, now: Instant) {
        if port != self.plan.runtime.port {
            return;
        }
        self.device = None;
        self.left_seen = true;
        match self.step {
            Step::Waiting { .. } => {
                self.close();
                self.quiet_until = None;
            }
            Step::Pausing { .. } => self.lost(now),
            Step::Requested(Request::Reset(_) | Request::Attach(_)) | Step::Done => {}
            Step::Requested(_) => self.gone = true,
        }
    }

    /// The open device (or the one about to be opened) has left the bus.
    pub(super) fn lost(&mut self, now: Instant) {
        self.close();
        self.quiet_until = None;
        self.left_seen = true;
        if self.ending.is_some() {
            self.wait(Goal::End, self.plan.reenumerate_timeout, now);
            return;
        }
        match self.phase {
            Phase::Detaching if self.detach_sent => self.await_dfu(self.plan.reenumerate_timeout, now),
            Phase::Manifesting | Phase::WaitingForRuntime => self.await_runtime(now),
            phase => {
                self.attempts += 1;
                if self.cancelled {
                    self.fail(Failure::Cancelled { phase, device: self.device_now() });
                } else if self.attempts >= MAX_ATTEMPTS {
                    self.fail(self.unplugged(phase));
                } else {
                    self.await_replug(now);
                }
            }
        }
    }

    pub(super) fn await_dfu(&mut self, timeout: Duration, now: Instant) {
        self.close();
        self.enter(Phase::WaitingForDfu);
        self.wait(Goal::Dfu, timeout, now);
    }

    pub(super) fn await_runtime(&mut self, now: Instant) {
        self.enter(Phase::WaitingForRuntime);
        self.wait(Goal::Runtime, self.plan.reenumerate_timeout, now);
    }

    pub(super) fn await_replug(&mut self, now: Instant) {
        self.close();
        self.enter(Phase::WaitingForDfu);
        let until = *self.replug_until.get_or_insert(now + REPLUG_TIMEOUT.max(self.plan.reenumerate_timeout));
        self.step = Step::Waiting { goal: Goal::Recover, until };
        self.look(now);
    }

    pub(super) fn wait(&mut self, goal: Goal, timeout: Duration, now: Instant) {
        self.step = Step::Waiting { goal, until: now + timeout };
        self.look(now);
    }

    /// Acts on the device at the port, if it is what is awaited.
    fn look(&mut self, now: Instant) {
        let (Step::Waiting { goal, .. }, Some(device)) = (self.step, &self.device) else { return };
        let bcd = device.bcd_device;
        match (goal, self.classify(device)) {
            (_, Seen::Another) => self.another_seen = true,
            (_, Seen::Incomplete) => {}
            (Goal::Runtime, Seen::Runtime)
                if self.extra_reset == ExtraReset::Owed && device.dfu.is_some() =>
            {
                // Its departure may not have been reported.
                self.close();
                self.open_failures = 0;
                self.ask(Request::Open, now);
            }
            (Goal::Runtime, Seen::Runtime) if self.extra_reset == ExtraReset::Sent && !self.left_seen => {}
            (Goal::Runtime, Seen::Runtime) => self.read_back(bcd),
            // The device that was left alone may still be listed under its old identity for a while.
            (Goal::Dfu, Seen::Runtime) if self.left_seen => self.not_detached(now),
            (Goal::Runtime, Seen::Dfu | Seen::Detachable) if self.left_seen => self.not_accepted(now),
            // DFU_DETACH was for this very device, not for what it was before.
            (Goal::Dfu, Seen::Detachable) if self.detached_pid == Some(device.pid) => {
                if self.left_seen {
                    self.not_detached(now);
                }
            }
            (Goal::Dfu, Seen::Runtime) | (Goal::Runtime, Seen::Dfu | Seen::Detachable) => {}
            (Goal::Recover, Seen::Runtime) if self.updated_meanwhile(bcd) => self.read_back(bcd),
            (Goal::Dfu | Goal::Recover, _) => self.approach(now),
            (Goal::End, Seen::Runtime) => self.finish_ending(DeviceNow::Runtime),
            (Goal::End, Seen::Dfu | Seen::Detachable) if self.left_seen => self.finish_ending(DeviceNow::Dfu),
            (Goal::End, Seen::Dfu | Seen::Detachable) => {}
        }
    }

    pub(super) fn waited_in_vain(&mut self, goal: Goal, now: Instant) {
        let device = self.device_now();
        match goal {
            Goal::End => self.finish_ending(device),
            // It neither left by itself nor was reset yet. What it had to do it had the time to do.
            Goal::Runtime if self.opened.is_some() => self.ask(Request::Reset(Goal::Runtime), now),
            Goal::Runtime if device == DeviceNow::Dfu => self.not_accepted(now),
            Goal::Runtime if device == DeviceNow::Runtime => self.read_back_here(),
            Goal::Dfu if device != DeviceNow::Unseen => self.not_detached(now),
            _ if self.cancelled => self.fail(Failure::Cancelled { phase: self.phase, device }),
            Goal::Recover if self.plan.deviations.no_dfu_runtime && device == DeviceNow::Runtime => {
                self.fail(Failure::DidNotDetach { attempts: self.attempts });
            }
            Goal::Dfu | Goal::Recover if self.written => self.fail(self.unplugged(self.phase)),
            Goal::Dfu | Goal::Recover | Goal::Runtime => {
                let (port, another_seen) = (self.plan.runtime.port.clone(), self.another_seen);
                let reason = UnknownReason::NeverCameBack { port, phase: self.phase, another_seen };
                self.finish(Verdict::Unknown(reason));
            }
        }
    }

    /// Opens the device at the port: to detach it, or to download.
    pub(super) fn approach(&mut self, now: Instant) {
        self.close();
        let Some(device) = &self.device else { return self.await_replug(now) };
        let seen = self.classify(device);
        let Some(dfu) = &device.dfu else {
            // In normal operation, without an interface to detach by (yet).
            return self.wait_for_interfaces(now);
        };
        if seen == Seen::Dfu && !(dfu.functional.can_download && dfu.functional.speaks_dfu_1()) {
            let (can_download, bcd_dfu) = (dfu.functional.can_download, dfu.functional.bcd_dfu);
            return self.fail(Failure::NotDownloadable { can_download, bcd_dfu, device: DeviceNow::Dfu });
        }
        if self.cancelled && seen == Seen::Runtime {
            return self.fail(Failure::Cancelled { phase: self.phase, device: DeviceNow::Runtime });
        }
        self.open_failures = 0;
        self.status_failures = 0;
        self.prepare_steps = 0;
        self.download_error = None;
        self.detach_sent = false;
        self.enter(if dfu_mode(self.device.as_ref()) { Phase::Preparing } else { Phase::Detaching });
        self.ask(Request::Open, now);
    }

    fn wait_for_interfaces(&mut self, now: Instant) {
        let until = *self.replug_until.get_or_insert(now + REPLUG_TIMEOUT.max(self.plan.reenumerate_timeout));
        self.step = Step::Waiting { goal: Goal::Recover, until };
    }

    /// It was reset once more, and stayed.
    fn read_back_here(&mut self) {
        if let Some(bcd) = self.device.as_ref().map(|device| device.bcd_device) {
            self.read_back(bcd);
        }
    }

    /// The device in normal operation says which firmware it runs. Nothing else is believed.
    fn read_back(&mut self, bcd: u16) {
        let expected = self.plan.target_version;
        let verdict = match FirmwareVersion::from_bcd(bcd) {
            Err(_) => Verdict::Unknown(UnknownReason::VersionUnreadable { bcd }),
            Ok(version) if version == expected => Verdict::Succeeded { version },
            Ok(found) if bcd != self.plan.runtime.bcd_device => {
                Verdict::Failed(Failure::OtherVersion { expected, found })
            }
            Ok(found) => Verdict::Failed(Failure::StillOldVersion {
                expected,
                found,
                before: self.plan.runtime.bcd_device,
            }),
        };
        self.finish(verdict);
    }

    /// A lost device runs the target version although this update did not bring it there. If it ran that version
    /// before (a repair), the version says nothing and the download is done.
    fn updated_meanwhile(&self, bcd: u16) -> bool {
        bcd == self.plan.target_version.bcd() && bcd != self.plan.runtime.bcd_device
    }

    fn not_detached(&mut self, now: Instant) {
        self.attempts += 1;
        let (phase, attempts, device) = (self.phase, self.attempts, self.device_now());
        if self.cancelled {
            self.fail(Failure::Cancelled { phase, device });
        } else if attempts >= MAX_ATTEMPTS && device == DeviceNow::Dfu {
            self.fail(Failure::UnexpectedState { state: DfuState::AppIdle, phase, attempts, device });
        } else if attempts >= MAX_ATTEMPTS {
            self.fail(Failure::DidNotDetach { attempts });
        } else {
            self.approach(now);
        }
    }

    fn not_accepted(&mut self, now: Instant) {
        self.attempts += 1;
        if self.attempts >= MAX_ATTEMPTS {
            self.fail(Failure::NotAccepted { attempts: self.attempts, device: DeviceNow::Dfu });
        } else {
            self.approach(now);
        }
    }

    pub(super) fn unplugged(&self, phase: Phase) -> Failure {
        let (attempts, device, written) = (self.attempts, self.device_now(), self.written);
        Failure::Unplugged { phase, attempts, written, device }
    }

    pub(super) fn device_now(&self) -> DeviceNow {
        match self.device.as_ref().map(|device| self.classify(device)) {
            Some(Seen::Runtime) => DeviceNow::Runtime,
            Some(Seen::Dfu | Seen::Detachable) => DeviceNow::Dfu,
            Some(Seen::Incomplete | Seen::Another) | None => DeviceNow::Unseen,
        }
    }

    fn classify(&self, device: &UsbIdentity) -> Seen {
        let ours = &self.plan.runtime;
        if device.vid != ours.vid {
            return Seen::Another;
        }
        let runtime_pid = device.pid == ours.pid;
        let dfu_pid = self.plan.dfu_pids.contains(&device.pid)
            || self.plan.dfu_pids.is_empty() && (runtime_pid || !self.plan.deviations.no_pid_change);
        // In DFU mode many devices have another serial number, or none.
        let other_unit = ours.serial.is_some() && device.serial.is_some() && ours.serial != device.serial;
        match device.dfu.as_ref().map(|dfu| dfu.mode) {
            Some(Mode::Dfu) if dfu_pid || runtime_pid => Seen::Dfu,
            Some(Mode::Runtime) if runtime_pid && !other_unit => Seen::Runtime,
            Some(Mode::Runtime) if self.plan.dfu_pids.contains(&device.pid) && !runtime_pid => {
                Seen::Detachable
            }
            None if runtime_pid && self.plan.deviations.no_dfu_runtime && !other_unit => Seen::Runtime,
            None if runtime_pid && !dfu_pid && !other_unit => Seen::Runtime,
            None if runtime_pid || dfu_pid => Seen::Incomplete,
            _ => Seen::Another,
        }
    }
}

pub(super) fn dfu_mode(device: Option<&UsbIdentity>) -> bool {
    device.and_then(|device| device.dfu.as_ref()).is_some_and(|dfu| dfu.mode == Mode::Dfu)
}

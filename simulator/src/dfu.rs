//! The device side of USB DFU 1.1 (chapters 5 to 7, state machine A.1/A.2), strict: it punishes a host that does not
//! wait, counts wrongly or resets at the wrong moment.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::event_log::EventLog;
use crate::firmware::{self, ImageError};
use crate::setup::{Setup, format_bcd};
use crate::state::{DfuState, DfuStatus, DfuView, FirmwareState, Mode};

/// From the answer to DETACH to the moment a will-detach device leaves.
const LEAVE_DELAY: Duration = Duration::from_millis(50);

pub(crate) mod request {
    pub(crate) const DETACH: u8 = 0;
    pub(crate) const DNLOAD: u8 = 1;
    pub(crate) const UPLOAD: u8 = 2;
    pub(crate) const GETSTATUS: u8 = 3;
    pub(crate) const CLRSTATUS: u8 = 4;
    pub(crate) const GETSTATE: u8 = 5;
    pub(crate) const ABORT: u8 = 6;
}

/// One mishap of a download, armed beforehand, spent when it happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Ordinal of the DNLOAD, from 0, not wrapped at 65536. The zero-length DNLOAD has the ordinal after the last
    /// block's, so that manifestation can fail too.
    pub at_block: u32,
    /// What happens.
    pub how: How,
}

/// What can happen at a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// The cable is pulled right after the DNLOAD was answered, between two transfers.
    Unplug,
    /// The cable is pulled during the DNLOAD: no answer.
    UnplugUnanswered,
    /// The next GETSTATUS that tells the outcome says errVERIFY.
    ErrVerify,
    /// The next GETSTATUS that tells the outcome says errPROG.
    ErrProg,
    /// The DNLOAD is stalled: dfuERROR, errSTALLEDPKT.
    Stall,
    /// The DNLOAD is never answered (NAK for ever): the host's own time limit must end it. The block is not taken.
    NoAnswer,
}

/// What goes back to the host for one control transfer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reply {
    Data(Vec<u8>),
    Stall,
    NoAnswer,
    /// The device left the bus instead of answering.
    Vanish,
}

/// What the state machine wants the device to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Leave the bus now and come back in this mode.
    Leave(Mode),
    /// The cable is pulled.
    Unplug,
}

#[derive(Debug)]
struct Flash {
    version_bcd: u16,
    image: Vec<u8>,
    valid: bool,
    completed: u32,
    broken: u32,
}

#[derive(Debug)]
pub(crate) struct Dfu {
    state: DfuState,
    status: DfuStatus,
    flash: Flash,
    received: Vec<u8>,
    /// Ordinal of the DNLOAD that is due.
    next_block: u32,
    /// The last block is programmed: the next GETSTATUS in dfuDNLOAD-SYNC may say so.
    programmed: bool,
    /// Outcome of the last block or of manifestation, if it is not success.
    pending_error: Option<DfuStatus>,
    /// bwPollTimeout of the last answer runs until then.
    poll_until: Option<Instant>,
    /// End of appDETACH or of manifestation.
    deadline: Option<Instant>,
    manifest_polled: bool,
    manifested: bool,
    faults: Vec<Fault>,
    effects: Vec<Effect>,
}

impl Dfu {
    pub(crate) fn new(setup: &Setup) -> Self {
        Self {
            state: DfuState::AppIdle,
            status: DfuStatus::Ok,
            flash: Flash {
                version_bcd: setup.version_bcd,
                image: firmware::build(setup.version_bcd, setup.image_bytes),
                valid: setup.image_bytes > 0,
                completed: 0,
                broken: 0,
            },
            received: Vec::new(),
            next_block: 0,
            programmed: false,
            pending_error: None,
            poll_until: None,
            deadline: None,
            manifest_polled: false,
            manifested: false,
            faults: Vec::new(),
            effects: Vec::new(),
        }
    }

    pub(crate) fn version_bcd(&self) -> u16 {
        self.flash.version_bcd
    }

    pub(crate) fn firmware(&self) -> FirmwareState {
        FirmwareState {
            version: format_bcd(self.flash.version_bcd),
            image_bytes: self.flash.image.len() as u64,
            valid: self.flash.valid,
            updates_completed: self.flash.completed,
            updates_broken: self.flash.broken,
        }
    }

    pub(crate) fn view(&self) -> DfuView {
        DfuView {
            state: self.state,
            status: self.status,
            blocks_received: self.next_block,
            bytes_received: self.received.len() as u64,
        }
    }

    pub(crate) fn arm(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    pub(crate) fn clear_faults(&mut self) {
        self.faults.clear();
    }

    pub(crate) fn poll_effect(&mut self) -> Option<Effect> {
        if self.effects.is_empty() { None } else { Some(self.effects.remove(0)) }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.deadline
    }

    /// Power comes back: the firmware runs if it can, else the boot loader waits in dfuERROR.
    pub(crate) fn power_on(&mut self) -> Mode {
        let mode = if self.flash.valid { Mode::Runtime } else { Mode::Dfu };
        self.enter(mode);
        mode
    }

    /// Comes up in a mode after a change that the device or the host asked for.
    pub(crate) fn enter(&mut self, mode: Mode) {
        self.received.clear();
        self.next_block = 0;
        self.pending_error = None;
        self.poll_until = None;
        self.deadline = None;
        self.effects.clear();
        self.status = DfuStatus::Ok;
        self.state = match mode {
            Mode::Runtime => DfuState::AppIdle,
            Mode::Dfu if self.flash.valid => DfuState::DfuIdle,
            Mode::Dfu => {
                self.status = DfuStatus::ErrFirmware;
                DfuState::Error
            }
        };
    }

    /// Power is gone.
    pub(crate) fn power_off(&mut self, now: Instant, log: &mut EventLog) {
        self.cut("power lost", now, log);
        self.deadline = None;
        self.poll_until = None;
    }

    /// A USB reset; the mode in which the device comes out of it.
    pub(crate) fn bus_reset(&mut self, now: Instant, log: &mut EventLog) -> Mode {
        let mode = match self.state {
            DfuState::AppIdle => Mode::Runtime,
            DfuState::AppDetach => Mode::Dfu,
            _ => {
                self.cut("USB reset", now, log);
                if self.flash.valid { Mode::Runtime } else { Mode::Dfu }
            }
        };
        if self.state != DfuState::AppIdle {
            self.enter(mode);
        }
        mode
    }

    /// Notes what a reset or a loss of power breaks off.
    fn cut(&mut self, what: &str, now: Instant, log: &mut EventLog) {
        match self.state {
            DfuState::ManifestSync | DfuState::Manifest if !self.manifested => {
                self.flash.broken += 1;
                log.broken(now, format!("{what} during manifestation"));
            }
            DfuState::DnloadSync | DfuState::DnBusy | DfuState::DnloadIdle => {
                let (blocks, bytes) = (self.next_block, self.received.len());
                let text = format!("{what} during download, after {blocks} blocks, {bytes} bytes");
                if self.flash.valid {
                    log.violation(now, text);
                } else {
                    self.flash.broken += 1;
                    log.broken(now, text);
                }
            }
            _ => {}
        }
    }

    pub(crate) fn handle_timeout(&mut self, setup: &Setup, now: Instant, log: &mut EventLog) {
        if self.deadline.is_none_or(|at| now < at) {
            return;
        }
        self.deadline = None;
        match self.state {
            DfuState::AppDetach if setup.will_detach => self.effects.push(Effect::Leave(Mode::Dfu)),
            DfuState::AppDetach => {
                log.info(now, "no USB reset within the DETACH timeout: back to appIDLE");
                self.state = DfuState::AppIdle;
            }
            DfuState::ManifestSync | DfuState::Manifest => self.finish_manifestation(setup, now, log),
            _ => {}
        }
    }

    fn finish_manifestation(&mut self, setup: &Setup, now: Instant, log: &mut EventLog) {
        let refused = match (self.pending_error.take(), firmware::verify(&self.received)) {
            (Some(status), _) => Some((status, "as armed".to_owned())),
            (None, Err(error @ ImageError::WrongChecksum)) => Some((DfuStatus::ErrVerify, error.to_string())),
            (None, Err(error)) => Some((DfuStatus::ErrFirmware, error.to_string())),
            (None, Ok(version)) => {
                self.flash.version_bcd = version;
                self.flash.image = std::mem::take(&mut self.received);
                self.flash.valid = true;
                self.flash.completed += 1;
                None
            }
        };
        if let Some((status, why)) = refused {
            log.violation(now, format!("image refused, stays in DFU mode: {why}"));
            self.status = status;
            self.state = DfuState::Error;
            return;
        }
        self.manifested = true;
        log.info(now, format!("manifestation done, firmware {}", format_bcd(self.flash.version_bcd)));
        if setup.manifestation_tolerant {
            self.state = DfuState::ManifestSync;
        } else {
            self.state = DfuState::ManifestWaitReset;
            if setup.will_detach {
                self.effects.push(Effect::Leave(Mode::Runtime));
            }
        }
    }

    /// A request of the DFU class. `value` is wValue, `data` what an OUT brought, `length` what an IN may return.
    pub(crate) fn handle_request(
        &mut self,
        setup: &Setup,
        (code, value, length): (u8, u16, u16),
        data: &[u8],
        now: Instant,
        log: &mut EventLog,
    ) -> Reply {
        self.handle_timeout(setup, now, log);
        if matches!(self.state, DfuState::DnBusy | DfuState::Manifest) {
            if self.poll_until.is_some_and(|until| now < until) {
                return self.refuse(now, log, &format!("request {code} before bwPollTimeout was over"));
            }
            self.poll_until = None;
            self.programmed = true;
            self.state =
                if self.state == DfuState::DnBusy { DfuState::DnloadSync } else { DfuState::ManifestSync };
        }
        match (code, self.state) {
            (request::DETACH, DfuState::AppIdle) => self.detach(setup, value, now, log),
            (request::GETSTATUS, _) => self.get_status(setup, now, log),
            (request::GETSTATE, _) => Reply::Data(vec![self.state as u8]),
            (request::DNLOAD, DfuState::DfuIdle | DfuState::DnloadIdle) => {
                self.dnload(setup, value, data, now, log)
            }
            (request::UPLOAD, DfuState::DfuIdle | DfuState::UploadIdle) if setup.can_upload => {
                self.upload(setup, value, length, now, log)
            }
            (request::CLRSTATUS, DfuState::Error) => {
                self.status = DfuStatus::Ok;
                self.state = DfuState::DfuIdle;
                Reply::Data(Vec::new())
            }
            (
                request::ABORT,
                DfuState::DfuIdle
                | DfuState::DnloadSync
                | DfuState::DnloadIdle
                | DfuState::ManifestSync
                | DfuState::UploadIdle,
            ) => {
                log.info(now, "ABORT");
                self.deadline = None;
                self.received.clear();
                self.next_block = 0;
                self.pending_error = None;
                self.state = DfuState::DfuIdle;
                Reply::Data(Vec::new())
            }
            _ => self.refuse(now, log, &format!("request {code} in state {:?}", self.state)),
        }
    }

    fn detach(&mut self, setup: &Setup, timeout_ms: u16, now: Instant, log: &mut EventLog) -> Reply {
        log.info(now, "DETACH");
        self.state = DfuState::AppDetach;
        let host_timeout = Duration::from_millis(timeout_ms.min(setup.detach_timeout_ms).into());
        self.deadline = Some(now + if setup.will_detach { LEAVE_DELAY } else { host_timeout });
        Reply::Data(Vec::new())
    }

    fn get_status(&mut self, setup: &Setup, now: Instant, log: &mut EventLog) -> Reply {
        let mut poll_ms = 0;
        match self.state {
            DfuState::DnloadSync if !self.programmed => {
                poll_ms = setup.poll_timeout_ms.min(0xFF_FFFF);
                self.state = DfuState::DnBusy;
            }
            DfuState::DnloadSync => match self.pending_error.take() {
                Some(status) => {
                    log.info(now, format!("{status:?} reported, as armed"));
                    self.status = status;
                    self.state = DfuState::Error;
                }
                None => self.state = DfuState::DnloadIdle,
            },
            DfuState::ManifestSync if self.manifested => self.state = DfuState::DfuIdle,
            DfuState::ManifestSync => {
                poll_ms = setup.manifest_poll_ms.unwrap_or(setup.manifest_ms).min(0xFF_FFFF);
                self.state = DfuState::Manifest;
                if !self.manifest_polled {
                    self.manifest_polled = true;
                    self.deadline = Some(now + Duration::from_millis(setup.manifest_ms.into()));
                }
            }
            _ => {}
        }
        if poll_ms > 0 {
            self.poll_until = Some(now + Duration::from_millis(poll_ms.into()));
        }
        let [low, middle, high, _] = poll_ms.to_le_bytes();
        Reply::Data(vec![self.status as u8, low, middle, high, self.state as u8, 0])
    }

    fn dnload(&mut self, setup: &Setup, block: u16, data: &[u8], now: Instant, log: &mut EventLog) -> Reply {
        if self.state == DfuState::DfuIdle {
            if data.is_empty() {
                return self.refuse(now, log, "zero-length DNLOAD without a block before it");
            }
            self.received.clear();
            self.next_block = 0;
            self.manifested = false;
        }
        let ordinal = self.next_block;
        let due = ordinal.to_le_bytes();
        if block.to_le_bytes() != due[..2] {
            let text = format!("DNLOAD of block {block} where {ordinal} was due");
            return self.fail(DfuStatus::ErrAddress, now, log, &text);
        }
        let fault = self.faults.iter().position(|fault| fault.at_block == ordinal);
        let fault = fault.map(|index| self.faults.remove(index).how);
        if let Some(how) = fault {
            log.info(now, format!("fault {how:?} at block {ordinal}, as armed"));
        }
        match fault {
            Some(How::UnplugUnanswered) => return Reply::Vanish,
            Some(How::NoAnswer) => return Reply::NoAnswer,
            Some(How::Stall) => return self.refuse(now, log, "armed stall"),
            Some(How::ErrVerify) => self.pending_error = Some(DfuStatus::ErrVerify),
            Some(How::ErrProg) => self.pending_error = Some(DfuStatus::ErrProg),
            Some(How::Unplug) => self.effects.push(Effect::Unplug),
            None => {}
        }
        if data.is_empty() {
            log.info(now, format!("download complete, {} bytes in {ordinal} blocks", self.received.len()));
            self.state = DfuState::ManifestSync;
            self.manifest_polled = false;
            self.deadline = Some(now + Duration::from_millis(setup.manifest_ms.into()));
            return Reply::Data(Vec::new());
        }
        if data.len() > usize::from(setup.transfer_size) {
            let text = format!("block of {} bytes, {} are the most", data.len(), setup.transfer_size);
            return self.refuse(now, log, &text);
        }
        if self.received.len() + data.len() > setup.flash_bytes {
            return self.fail(DfuStatus::ErrAddress, now, log, "image larger than the flash");
        }
        if ordinal == 0 {
            log.info(now, "download started");
            self.flash.valid &= setup.dual_bank;
        }
        self.received.extend_from_slice(data);
        self.next_block += 1;
        self.programmed = setup.poll_timeout_ms == 0;
        self.state = DfuState::DnloadSync;
        Reply::Data(Vec::new())
    }

    fn upload(&mut self, setup: &Setup, block: u16, length: u16, now: Instant, log: &mut EventLog) -> Reply {
        if self.state == DfuState::DfuIdle {
            self.next_block = 0;
        }
        let ordinal = self.next_block;
        if block.to_le_bytes() != ordinal.to_le_bytes()[..2] || length > setup.transfer_size {
            return self.refuse(
                now,
                log,
                &format!("UPLOAD of block {block}, {length} bytes, where {ordinal} was due"),
            );
        }
        let start = (ordinal as usize * usize::from(setup.transfer_size)).min(self.flash.image.len());
        let end = (start + usize::from(length)).min(self.flash.image.len());
        let short = end - start < usize::from(length);
        self.next_block = if short { 0 } else { ordinal + 1 };
        self.state = if short { DfuState::DfuIdle } else { DfuState::UploadIdle };
        Reply::Data(self.flash.image[start..end].to_vec())
    }

    /// STALL; in DFU mode dfuERROR with errSTALLEDPKT, in runtime mode back to appIDLE.
    fn refuse(&mut self, now: Instant, log: &mut EventLog, text: &str) -> Reply {
        if matches!(self.state, DfuState::AppIdle | DfuState::AppDetach) {
            log.violation(now, format!("{text}: STALL"));
            self.state = DfuState::AppIdle;
            self.deadline = None;
            return Reply::Stall;
        }
        if self.state == DfuState::ManifestWaitReset {
            log.violation(now, format!("{text}: STALL, a USB reset is due"));
            return Reply::Stall;
        }
        self.fail(DfuStatus::ErrStalledPkt, now, log, text)
    }

    fn fail(&mut self, status: DfuStatus, now: Instant, log: &mut EventLog, text: &str) -> Reply {
        log.violation(now, format!("{text}: STALL, dfuERROR"));
        self.deadline = None;
        self.poll_until = None;
        self.pending_error = None;
        self.status = status;
        self.state = DfuState::Error;
        Reply::Stall
    }
}

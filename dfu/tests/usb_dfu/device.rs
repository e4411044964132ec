//! A headset with USB DFU 1.1, written from the specification without any of the product's code.
//!
//! Its firmware images carry length, version and a sum, and it verifies them as a bootloader does: what it reports
//! after an update is what it really holds.

use crate::moods::Moods;

/// How a control transfer failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    Stall,
    Gone,
}

/// What one make of device does differently from another.
#[derive(Debug, Clone)]
pub(crate) struct Make {
    pub(crate) runtime_pid: u16,
    pub(crate) dfu_pid: u16,
    pub(crate) transfer_size: u16,
    pub(crate) will_detach: bool,
    pub(crate) tolerant: bool,
    /// Keeps the old firmware until the new one is in place.
    pub(crate) two_banks: bool,
    /// Answers nothing between the start of manifestation and the reset.
    pub(crate) mute_in_manifestation: bool,
    pub(crate) write_ms: u64,
    /// bwPollTimeout it states in dfuDNLOAD-IDLE.
    pub(crate) idle_ms: u64,
    pub(crate) manifest_ms: u64,
    /// bwPollTimeout it states for manifestation, if that is not what it takes.
    pub(crate) stated_manifest_ms: Option<u64>,
    /// From leaving the bus to being enumerated.
    pub(crate) enumerate_ms: u64,
    pub(crate) moods: Moods,
}

impl Default for Make {
    fn default() -> Make {
        Make {
            runtime_pid: 0x0001,
            dfu_pid: 0x0002,
            transfer_size: 64,
            will_detach: true,
            tolerant: false,
            two_banks: false,
            mute_in_manifestation: false,
            write_ms: 20,
            idle_ms: 0,
            manifest_ms: 300,
            stated_manifest_ms: None,
            enumerate_ms: 400,
            moods: Moods::default(),
        }
    }
}

pub(crate) const VID: u16 = 0x1209;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bus {
    Runtime,
    Dfu,
    /// Re-enumerates at this time.
    Away(u64),
    Unplugged,
}

// bState
const APP_IDLE: u8 = 0;
const APP_DETACH: u8 = 1;
pub(crate) const IDLE: u8 = 2;
const DNLOAD_SYNC: u8 = 3;
const DNBUSY: u8 = 4;
const DNLOAD_IDLE: u8 = 5;
const MANIFEST_SYNC: u8 = 6;
const MANIFEST: u8 = 7;
const WAIT_RESET: u8 = 8;
const UPLOAD_IDLE: u8 = 9;
pub(crate) const ERROR: u8 = 10;

#[derive(Debug)]
pub(crate) struct Device {
    pub(crate) make: Make,
    pub(crate) bus: Bus,
    pub(crate) state: u8,
    status: u8,
    now: u64,
    /// End of the detach window, of writing, or of manifestation.
    until: u64,
    writing: bool,
    manifested: bool,
    /// Something was read or written since it is in DFU mode.
    used: bool,
    /// At work in dfuIDLE, see [`Moods::hasty`].
    copying: bool,
    version_before: u16,
    /// The version that it runs once more, see [`Moods::wants_reset`].
    stale: Option<u16>,
    buffer: Vec<u8>,
    next_block: u16,
    /// `None`: erased or half written.
    pub(crate) firmware: Option<Vec<u8>>,
    /// Report this bStatus in place of writing the block of this number.
    pub(crate) fail_block: Option<(u16, u8)>,
    /// Report this bStatus in place of manifesting, so many times.
    pub(crate) fail_manifestation: Option<(u8, u32)>,
    /// Accept the image, keep the old one.
    pub(crate) lazy: bool,
    /// Resets that hit it while it was manifesting.
    pub(crate) interrupted: u32,
}

/// A firmware image of this make of device.
pub(crate) fn firmware(version: u16, body_len: usize, salt: u8) -> Vec<u8> {
    let mut image = b"FWIM".to_vec();
    image.extend_from_slice(&(body_len as u32).to_le_bytes());
    image.extend_from_slice(&version.to_le_bytes());
    image.extend((0..body_len).map(|at| (at as u8).wrapping_mul(31) ^ (at >> 8) as u8 ^ salt));
    let sum = sum_of(&image);
    image.extend_from_slice(&sum.to_le_bytes());
    image
}

fn sum_of(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |sum, byte| (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

fn is_whole(image: &[u8]) -> bool {
    let Some((head, sum)) = image.split_last_chunk::<4>() else { return false };
    head.len() >= 10
        && head.starts_with(b"FWIM")
        && head.len() - 10 == u32::from_le_bytes(head[4..8].try_into().unwrap()) as usize
        && u32::from_le_bytes(*sum) == sum_of(head)
}

impl Device {
    pub(crate) fn new(make: Make, firmware: Vec<u8>) -> Device {
        Device {
            version_before: u16::from_le_bytes([firmware[8], firmware[9]]),
            make,
            bus: Bus::Runtime,
            state: APP_IDLE,
            status: 0,
            now: 0,
            until: 0,
            writing: false,
            manifested: false,
            used: false,
            copying: false,
            stale: None,
            buffer: Vec::new(),
            next_block: 0,
            firmware: Some(firmware),
            fail_block: None,
            fail_manifestation: None,
            lazy: false,
            interrupted: 0,
        }
    }

    pub(crate) fn bcd_device(&self) -> u16 {
        match (&self.firmware, self.bus) {
            (Some(_), Bus::Runtime) if self.stale.is_some() => self.stale.unwrap(),
            (Some(image), Bus::Runtime) => u16::from_le_bytes([image[8], image[9]]),
            _ => 0x0001,
        }
    }

    /// When it next does something by itself.
    pub(crate) fn wakes_at(&self) -> Option<u64> {
        match (self.bus, self.state) {
            (Bus::Away(at), _) => Some(at),
            (Bus::Runtime, APP_DETACH) | (Bus::Dfu, DNBUSY | MANIFEST) => Some(self.until),
            (Bus::Dfu, DNLOAD_SYNC) if self.make.moods.patience_ms.is_some() => Some(self.until),
            (Bus::Dfu, IDLE) if self.copying => Some(self.until),
            _ => None,
        }
        .filter(|at| *at > self.now)
    }

    pub(crate) fn advance(&mut self, now: u64) {
        self.now = now;
        match (self.bus, self.state) {
            (Bus::Away(at), _) if at <= now => self.boot(self.state == APP_DETACH),
            (Bus::Runtime, APP_DETACH) if self.until <= now => {
                if self.make.will_detach {
                    self.leave();
                } else {
                    self.state = APP_IDLE;
                }
            }
            (Bus::Dfu, DNLOAD_SYNC) if self.make.moods.patience_ms.is_some() && self.until <= now => {
                (self.state, self.status) = (ERROR, 14);
            }
            (Bus::Dfu, DNBUSY) if self.until <= now => self.state = DNLOAD_SYNC,
            (Bus::Dfu, IDLE) if self.copying && self.until <= now => {
                self.copying = false;
                self.manifest();
                self.state = IDLE;
                self.leave();
            }
            (Bus::Dfu, MANIFEST) if self.until <= now => self.manifest(),
            _ => {}
        }
    }

    fn manifest(&mut self) {
        if self.make.moods.wants_reset && !self.lazy {
            self.stale = Some(self.version_before);
        }
        if !self.lazy {
            self.firmware = Some(std::mem::take(&mut self.buffer));
        }
        self.manifested = true;
        if self.make.tolerant {
            self.state = MANIFEST_SYNC;
        } else if self.make.will_detach {
            self.state = IDLE;
            self.leave();
        } else {
            self.state = WAIT_RESET;
        }
    }

    fn leave(&mut self) {
        self.bus = Bus::Away(self.now + self.make.enumerate_ms);
    }

    fn boot(&mut self, into_dfu: bool) {
        self.buffer.clear();
        self.manifested = false;
        self.used = false;
        self.copying = false;
        self.writing = false;
        self.status = 0;
        match &self.firmware {
            Some(_) if !into_dfu => (self.bus, self.state) = (Bus::Runtime, APP_IDLE),
            Some(_) => (self.bus, self.state) = (Bus::Dfu, IDLE),
            None => (self.bus, self.state, self.status) = (Bus::Dfu, ERROR, 10),
        }
    }

    /// By its button.
    pub(crate) fn enter_dfu_mode(&mut self) {
        self.boot(true);
    }

    pub(crate) fn unplug(&mut self) {
        if self.bus == Bus::Dfu && (self.state == MANIFEST || self.copying) {
            self.spoil();
        }
        self.state = APP_IDLE;
        self.stale = None;
        self.bus = Bus::Unplugged;
    }

    pub(crate) fn plug(&mut self) {
        if self.bus == Bus::Unplugged {
            self.state = APP_IDLE;
            self.leave();
        }
    }

    pub(crate) fn reset(&mut self) {
        match (self.bus, self.state) {
            (Bus::Runtime, APP_DETACH) => self.leave(),
            (Bus::Runtime, _) if self.stale.take().is_some() => self.leave(),
            (Bus::Dfu, state) => {
                if state == MANIFEST || self.copying {
                    self.interrupted += 1;
                    self.spoil();
                }
                let Moods { leaves_by_detach, leaves_after_use, .. } = self.make.moods;
                let stays = leaves_by_detach || leaves_after_use && !self.used;
                self.state = if stays { APP_DETACH } else { APP_IDLE };
                self.leave();
            }
            _ => {}
        }
    }

    fn spoil(&mut self) {
        if !self.make.two_banks {
            self.firmware = None;
        }
    }

    fn refuse(&mut self, status: u8) -> Result<Vec<u8>, Refusal> {
        if self.bus == Bus::Dfu {
            (self.state, self.status) = (ERROR, status);
        }
        Err(Refusal::Stall)
    }

    /// One control transfer to the DFU interface (number 3).
    pub(crate) fn control(&mut self, setup: (u8, u8, u16, u16), data: &[u8]) -> Result<Vec<u8>, Refusal> {
        let (request_type, request, value, index) = setup;
        if !matches!(self.bus, Bus::Runtime | Bus::Dfu) {
            return Err(Refusal::Gone);
        }
        let moods = self.make.moods.clone();
        if moods.wants_force && request == 0 && index != 0x103 {
            return self.refuse(15);
        }
        let interface = if moods.wants_force { index & 0xff } else { index };
        assert_eq!(interface, 3, "wIndex is the interface");
        assert_eq!(
            request_type,
            if matches!(request, 2 | 3) { 0xa1 } else { 0x21 },
            "bmRequestType of request {request}"
        );
        if self.bus == Bus::Dfu && self.state == MANIFEST && self.make.moods.disturbed {
            self.spoil();
            return self.refuse(14);
        }
        if self.bus == Bus::Dfu && self.state == MANIFEST && self.make.mute_in_manifestation {
            return Err(Refusal::Stall);
        }
        let at_any_time = moods.stated_poll_ms.is_some() || moods.patience_ms.is_some();
        if self.bus == Bus::Dfu && matches!(self.state, DNBUSY | MANIFEST) && !at_any_time {
            // Asked before bwPollTimeout was over.
            return self.refuse(15);
        }
        match (self.bus, request) {
            (Bus::Runtime, 0) if self.make.moods.hangs_by_detach => {
                self.unplug();
                Err(Refusal::Gone)
            }
            (Bus::Dfu, 0)
                if self.make.moods.leaves_by_detach && matches!(self.state, IDLE | WAIT_RESET | ERROR) =>
            {
                self.state = APP_IDLE;
                self.leave();
                Ok(Vec::new())
            }
            (Bus::Dfu, 2) if self.state == IDLE => {
                self.used = true;
                self.state = UPLOAD_IDLE;
                Ok(vec![0xff; 64])
            }
            (Bus::Runtime, 0) => {
                self.state = APP_DETACH;
                self.until = self.now + if self.make.will_detach { 5 } else { u64::from(value) };
                Ok(Vec::new())
            }
            (Bus::Runtime, 3) => Ok(vec![0, 0, 0, 0, self.state, 0]),
            (Bus::Dfu, 1) => self.download(value, data),
            (Bus::Dfu, 3) => Ok(self.get_status()),
            (Bus::Dfu, 4) if self.state == ERROR => {
                (self.state, self.status) = (IDLE, 0);
                Ok(Vec::new())
            }
            (Bus::Dfu, 6) if matches!(self.state, IDLE | DNLOAD_SYNC | DNLOAD_IDLE | MANIFEST_SYNC) => {
                self.state = IDLE;
                Ok(Vec::new())
            }
            _ => self.refuse(15),
        }
    }

    fn download(&mut self, block: u16, data: &[u8]) -> Result<Vec<u8>, Refusal> {
        self.used = true;
        if data.len() > usize::from(self.make.transfer_size) {
            assert!(self.make.moods.stated_transfer_size.is_some(), "{} bytes in one block", data.len());
            return self.refuse(15);
        }
        match (self.state, data.is_empty()) {
            (IDLE, false) if !self.copying => {
                self.spoil();
                self.buffer.clear();
                self.next_block = 0;
                self.manifested = false;
            }
            (DNLOAD_IDLE, _) => {}
            _ => return self.refuse(15),
        }
        if block != self.next_block {
            return self.refuse(8);
        }
        self.next_block = self.next_block.wrapping_add(1);
        if !data.is_empty() {
            self.buffer.extend_from_slice(data);
            self.writing = true;
            self.state = DNLOAD_SYNC;
            self.until = self.now + self.make.moods.patience_ms.unwrap_or(0);
        } else if is_whole(&self.buffer) {
            self.state = MANIFEST_SYNC;
        } else {
            return self.refuse(7);
        }
        Ok(Vec::new())
    }

    fn get_status(&mut self) -> Vec<u8> {
        let mut poll_ms = 0;
        let block = self.next_block.wrapping_sub(1);
        match self.state {
            DNLOAD_SYNC if self.fail_block.is_some_and(|(at, _)| at == block) && self.writing => {
                (self.state, self.status) = (ERROR, self.fail_block.take().unwrap().1);
            }
            DNLOAD_SYNC if self.writing && self.make.moods.patience_ms.is_some() => {
                self.writing = false;
            }
            DNLOAD_SYNC if self.writing && self.make.write_ms > 0 => {
                self.writing = false;
                self.state = DNBUSY;
                poll_ms = self.make.write_ms;
            }
            DNLOAD_SYNC => {
                self.state = DNLOAD_IDLE;
                poll_ms = self.make.idle_ms;
            }
            MANIFEST_SYNC if self.manifested => self.state = IDLE,
            MANIFEST_SYNC if self.fail_manifestation.is_some_and(|(_, times)| times > 0) => {
                let (status, times) = self.fail_manifestation.unwrap();
                self.fail_manifestation = Some((status, times - 1));
                (self.state, self.status) = (ERROR, status);
            }
            MANIFEST_SYNC => {
                self.state = MANIFEST;
                poll_ms = self.make.manifest_ms;
            }
            IDLE if self.copying => poll_ms = self.until.saturating_sub(self.now),
            DNBUSY | MANIFEST => poll_ms = self.until.saturating_sub(self.now),
            _ => {}
        }
        self.until = self.now + poll_ms;
        if self.state == MANIFEST && self.make.moods.hasty {
            self.state = IDLE;
            self.copying = true;
            poll_ms = 0;
        }
        if let (MANIFEST, Some(stated_ms)) = (self.state, self.make.stated_manifest_ms) {
            poll_ms = stated_ms;
        }
        if let (DNLOAD_SYNC, Some(patience_ms)) = (self.state, self.make.moods.patience_ms) {
            self.until = self.now + patience_ms;
        }
        if let Some(stated_ms) = self.make.moods.stated_poll_ms {
            poll_ms = stated_ms.into();
        }
        let [low, middle, high, _] = (poll_ms as u32).to_le_bytes();
        let idle = self.state == IDLE && self.make.moods.says_app_idle;
        vec![self.status, low, middle, high, if idle { APP_IDLE } else { self.state }, 0]
    }

    /// Its configuration descriptor: a DFU interface, number 3, and nothing else.
    pub(crate) fn configuration_descriptor(&self) -> Vec<u8> {
        let attributes = 1 | u8::from(self.make.tolerant) << 2 | u8::from(self.make.will_detach) << 3;
        let moods = &self.make.moods;
        let attributes = moods.stated_attributes.unwrap_or(attributes);
        let [low, high] = moods.stated_transfer_size.unwrap_or(self.make.transfer_size).to_le_bytes();
        let [minor, major] = moods.stated_bcd_dfu.to_le_bytes();
        let protocol = if self.bus == Bus::Dfu { moods.dfu_protocol } else { 1 };
        let [class, subclass] = moods.class;
        let configuration = [9, 2, 27, 0, 1, 1, 0, 0x80, 50];
        if moods.no_runtime_interface && self.bus == Bus::Runtime {
            return configuration.to_vec();
        }
        let interface = [9, 4, 3, 0, 0, class, subclass, protocol, 0];
        let functional = [9, 0x21, attributes, 0xe8, 0x03, low, high, minor, major];
        [configuration, interface, functional].concat()
    }
}

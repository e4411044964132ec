//! The whole device at its USB border: presence on the bus, control requests, reports. No clock, no thread: the doors
//! bring the time and carry out what comes out of `poll_output`.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::descriptors;
use crate::dfu::{Dfu, Effect, Fault, Reply};
use crate::event_log::{EventLog, LogEntry};
use crate::headset::{Button, Headset};
use crate::layout;
use crate::setup::Setup;
use crate::state::{Mode, State};

/// What the bus must be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Output {
    Arrived,
    Left,
    Report(Vec<u8>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presence {
    Unplugged,
    Present,
    /// Off the bus, back by itself at that time.
    Returning(Instant),
}

#[derive(Debug)]
pub(crate) struct Device {
    setup: Setup,
    mode: Mode,
    presence: Presence,
    headset: Headset,
    dfu: Dfu,
    log: EventLog,
    outputs: VecDeque<Output>,
}

impl Device {
    /// A headset lying beside the computer.
    pub(crate) fn new(setup: Setup, now: Instant) -> Self {
        Self {
            mode: Mode::Runtime,
            presence: Presence::Unplugged,
            headset: Headset::new(),
            dfu: Dfu::new(&setup),
            log: EventLog::new(now),
            outputs: VecDeque::new(),
            setup,
        }
    }

    pub(crate) fn setup(&self) -> &Setup {
        &self.setup
    }

    pub(crate) fn mode(&self) -> Mode {
        self.mode
    }

    pub(crate) fn version_bcd(&self) -> u16 {
        self.dfu.version_bcd()
    }

    pub(crate) fn is_present(&self) -> bool {
        self.presence == Presence::Present
    }

    pub(crate) fn log(&self) -> Vec<LogEntry> {
        self.log.entries()
    }

    /// A door's own remark in the headset's log.
    #[cfg(target_os = "linux")]
    pub(crate) fn note(&mut self, now: Instant, text: &str) {
        self.log.info(now, text);
    }

    pub(crate) fn arm(&mut self, fault: Fault) {
        self.dfu.arm(fault);
    }

    pub(crate) fn clear_faults(&mut self) {
        self.dfu.clear_faults();
    }

    pub(crate) fn state(&self) -> State {
        State {
            plugged: self.presence != Presence::Unplugged,
            present: self.is_present(),
            mode: self.mode,
            layout: self.setup.layout,
            vendor_id: self.setup.vendor_id,
            product_id: descriptors::product_id(&self.setup, self.mode),
            serial: self.setup.serial.clone(),
            hook: self.headset.hook(),
            mute: self.headset.muted(),
            radio_link: self.headset.radio_link(),
            lights: self.headset.lights(),
            firmware: self.dfu.firmware(),
            dfu: self.dfu.view(),
        }
    }

    pub(crate) fn plug(&mut self, now: Instant) {
        if self.presence != Presence::Unplugged {
            return;
        }
        self.mode = self.dfu.power_on();
        self.log.info(now, format!("plugged in, {:?} mode", self.mode));
        self.arrive();
    }

    pub(crate) fn unplug(&mut self, now: Instant) {
        if self.presence == Presence::Unplugged {
            return;
        }
        self.log.info(now, "unplugged");
        self.dfu.power_off(now, &mut self.log);
        self.headset.power_off();
        if self.is_present() {
            self.outputs.push_back(Output::Left);
        }
        self.presence = Presence::Unplugged;
    }

    /// A USB reset. In place: a changed device stays connected and answers with other descriptors, as over USB/IP;
    /// else it leaves and comes back.
    pub(crate) fn bus_reset(&mut self, in_place: bool, now: Instant) {
        self.handle_timeout(now);
        if !self.is_present() {
            return;
        }
        let mode = self.dfu.bus_reset(now, &mut self.log);
        if mode == self.mode {
            return;
        }
        self.log.info(now, format!("USB reset: from {:?} to {mode:?} mode", self.mode));
        if in_place {
            self.headset.power_off();
            self.mode = mode;
        } else {
            self.leave(mode, now);
        }
    }

    pub(crate) fn press(&mut self, button: Button, now: Instant) -> bool {
        self.handle_timeout(now);
        if !self.is_present() || self.mode != Mode::Runtime {
            self.log
                .info(now, format!("{button:?} pressed, but the headset is not on the bus in runtime mode"));
            return false;
        }
        let reacted = self.headset.press(&self.setup, button, now, &mut self.log);
        self.collect(now);
        reacted
    }

    pub(crate) fn lights_at(&self) -> Option<Instant> {
        self.headset.lights_at()
    }

    /// An output report from the interrupt OUT endpoint, its id first.
    pub(crate) fn output_report(&mut self, report: &[u8], now: Instant) {
        self.handle_timeout(now);
        if self.is_present() && self.mode == Mode::Runtime {
            self.headset.output_report(&self.setup, report, now, &mut self.log);
            self.collect(now);
        }
    }

    pub(crate) fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        match self.presence {
            Presence::Unplugged => None,
            Presence::Returning(at) => Some(at),
            Presence::Present => self.headset.poll_timeout().into_iter().chain(self.dfu.poll_timeout()).min(),
        }
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        match self.presence {
            Presence::Unplugged => {}
            Presence::Returning(at) if at <= now => {
                self.dfu.enter(self.mode);
                self.log.info(now, format!("back on the bus, {:?} mode", self.mode));
                self.arrive();
            }
            Presence::Returning(_) => {}
            Presence::Present => {
                self.headset.handle_timeout(&self.setup, now, &mut self.log);
                self.dfu.handle_timeout(&self.setup, now, &mut self.log);
                self.collect(now);
            }
        }
    }

    /// A control transfer: the eight setup bytes, and the data stage of an OUT.
    pub(crate) fn control(&mut self, setup: [u8; 8], data: &[u8], now: Instant) -> Reply {
        self.handle_timeout(now);
        if !self.is_present() {
            return Reply::Vanish;
        }
        let length = u16::from_le_bytes([setup[6], setup[7]]);
        let to_host = setup[0] & 0x80 != 0;
        if !to_host && data.len() != usize::from(length) {
            self.log.violation(now, format!("wLength {length}, but {} bytes in the data stage", data.len()));
            return Reply::Stall;
        }
        let mut reply = self.dispatch(setup, data, now);
        if let Reply::Data(bytes) = &mut reply {
            bytes.truncate(usize::from(length));
        }
        if reply == Reply::Vanish {
            self.unplug(now);
        }
        self.collect(now);
        reply
    }

    fn dispatch(&mut self, setup: [u8; 8], data: &[u8], now: Instant) -> Reply {
        let [kind, code, value_low, value_high, index_low, index_high, length_low, length_high] = setup;
        let value = u16::from_le_bytes([value_low, value_high]);
        let length = u16::from_le_bytes([length_low, length_high]);
        let interface = (index_high == 0).then_some(index_low);
        let hid = self.mode == Mode::Runtime && interface == Some(descriptors::HID_INTERFACE);
        let dfu = interface == Some(descriptors::dfu_interface(self.mode));
        match (kind, code) {
            (0x80 | 0x81, 6) => self.descriptor(value_high, value_low, interface),
            (0x80..=0x82, 0) => Reply::Data(vec![0, 0]), // GET_STATUS
            (0x80, 8) => Reply::Data(vec![1]),           // GET_CONFIGURATION
            (0x81, 10) => Reply::Data(vec![0]),          // GET_INTERFACE
            (0x00, 9) if value <= 1 => Reply::Data(Vec::new()), // SET_CONFIGURATION
            // SET_INTERFACE: all settings of the DFU interface lead to the same memory.
            (0x01, 11)
                if value == 0 || dfu && self.mode == Mode::Dfu && value < self.setup.dfu_settings.into() =>
            {
                Reply::Data(Vec::new())
            }
            (0x00, 5) | (0x00..=0x02, 1 | 3) => Reply::Data(Vec::new()), // SET_ADDRESS, CLEAR_ and SET_FEATURE
            (0x21, 0x09) if hid && value_high == 2 => {
                self.headset.output_report(&self.setup, data, now, &mut self.log);
                Reply::Data(Vec::new())
            }
            (0x21, 0x0A) if hid => Reply::Data(Vec::new()), // SET_IDLE
            // GET_REPORT: inputs only. Lights cannot be read back, as on most headsets.
            (0xA1, 0x01) if hid && value_high == 1 => {
                self.headset.input_report(&self.setup, value_low).map_or(Reply::Stall, Reply::Data)
            }
            (0x21, 0 | 1 | 4 | 6) | (0xA1, 2 | 3 | 5) if dfu => {
                self.dfu.handle_request(&self.setup, (code, value, length), data, now, &mut self.log)
            }
            _ => Reply::Stall,
        }
    }

    fn descriptor(&self, kind: u8, index: u8, interface: Option<u8>) -> Reply {
        let hid = self.mode == Mode::Runtime && interface == Some(descriptors::HID_INTERFACE);
        let found = match kind {
            descriptors::DEVICE if index == 0 => Some(self.device_descriptor()),
            descriptors::CONFIGURATION if index == 0 => Some(self.configuration_descriptor()),
            // wIndex is the language here; there is only one.
            descriptors::STRING => descriptors::string(&self.setup, index),
            descriptors::REPORT if hid => Some(self.report_descriptor().to_vec()),
            descriptors::HID_OR_DFU_FUNCTIONAL if hid => Some(descriptors::hid(&self.setup)),
            descriptors::HID_OR_DFU_FUNCTIONAL
                if interface == Some(descriptors::dfu_interface(self.mode)) =>
            {
                Some(descriptors::dfu_functional(&self.setup))
            }
            _ => None,
        };
        found.map_or(Reply::Stall, Reply::Data)
    }

    pub(crate) fn device_descriptor(&self) -> Vec<u8> {
        descriptors::device(&self.setup, self.mode, self.dfu.version_bcd())
    }

    pub(crate) fn configuration_descriptor(&self) -> Vec<u8> {
        descriptors::configuration(&self.setup, self.mode)
    }

    pub(crate) fn report_descriptor(&self) -> &'static [u8] {
        layout::report_descriptor(self.setup.layout)
    }

    fn arrive(&mut self) {
        self.presence = Presence::Present;
        self.outputs.push_back(Output::Arrived);
    }

    fn leave(&mut self, mode: Mode, now: Instant) {
        self.headset.power_off();
        self.mode = mode;
        self.presence = Presence::Returning(now + Duration::from_millis(self.setup.reenumeration_ms.into()));
        self.outputs.push_back(Output::Left);
    }

    /// Takes what the two halves want to happen.
    fn collect(&mut self, now: Instant) {
        while let Some(report) = self.headset.poll_report() {
            self.outputs.push_back(Output::Report(report));
        }
        while let Some(effect) = self.dfu.poll_effect() {
            match effect {
                Effect::Leave(mode) => {
                    self.log.info(now, format!("leaves the bus, comes back in {mode:?} mode"));
                    self.leave(mode, now);
                }
                Effect::Unplug => self.unplug(now),
            }
        }
    }
}

//! The door for a clock moved by hand: the same headsets, with no thread and no delay of their own.

use std::time::Instant;

use crate::bus::{BusDevice, UsbError, enumerate};
use crate::device::Device;
use crate::dfu::Reply;
use crate::event_log::LogEntry;
use crate::setup::Setup;
use crate::shared::{Ports, Slot};
use crate::state::State;

/// Headsets at ports, whose time is an argument. What is due by then happens first.
#[derive(Debug, Default)]
pub struct Bench {
    ports: Ports,
}

impl Bench {
    /// Plugs a new headset in, in place of what was at this port.
    pub fn plug(&mut self, port: &str, setup: Setup, now: Instant) {
        let slot = Slot { device: Device::new(setup, now), address: 0, listeners: Vec::new() };
        self.ports.slots.insert(port.to_owned(), slot);
        self.replug(port, now);
    }

    /// Pulls the headset at this port, if there is one. It keeps its firmware.
    pub fn unplug(&mut self, port: &str, now: Instant) {
        self.with(port, now, |device| device.unplug(now));
    }

    /// Plugs in again what was pulled from this port.
    pub fn replug(&mut self, port: &str, now: Instant) {
        self.with(port, now, |device| device.plug(now));
    }

    /// Pulls the headset at this port and plugs it in at another, free one.
    pub fn relocate(&mut self, port: &str, to: &str, now: Instant) {
        self.unplug(port, now);
        if let Some(slot) = self.ports.slots.remove(port) {
            self.ports.slots.insert(to.to_owned(), slot);
        }
        self.replug(to, now);
    }

    /// What is on the bus, by port.
    #[must_use]
    pub fn devices(&self) -> Vec<BusDevice> {
        let present = self.ports.slots.iter().filter(|(_, slot)| slot.device.is_present());
        present.map(|(port, slot)| enumerate(port, slot)).collect()
    }

    /// As [`crate::Bus::control`]; a transfer that is never answered takes no time here.
    ///
    /// # Errors
    /// [`UsbError`].
    pub fn control(
        &mut self,
        port: &str,
        setup: [u8; 8],
        data_out: &[u8],
        now: Instant,
    ) -> Result<Vec<u8>, UsbError> {
        match self.with(port, now, |device| device.control(setup, data_out, now)) {
            Some(Reply::Data(bytes)) => Ok(bytes),
            Some(Reply::Stall) => Err(UsbError::Stall),
            Some(Reply::NoAnswer) => Err(UsbError::Timeout),
            Some(Reply::Vanish) | None => Err(UsbError::NoDevice),
        }
    }

    /// Resets the port.
    ///
    /// # Errors
    /// `NoDevice` when nothing is there.
    pub fn reset(&mut self, port: &str, now: Instant) -> Result<(), UsbError> {
        let reset = |device: &mut Device| {
            let present = device.is_present();
            device.bus_reset(false, now);
            present
        };
        if self.with(port, now, reset) == Some(true) { Ok(()) } else { Err(UsbError::NoDevice) }
    }

    /// When something happens by itself.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.ports.slots.values().filter_map(|slot| slot.device.poll_timeout()).min()
    }

    /// Lets happen what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        let ports: Vec<String> = self.ports.slots.keys().cloned().collect();
        ports.iter().for_each(|port| _ = self.with(port, now, |_| ()));
    }

    /// Everything about the headset that is, or was last, plugged in at this port.
    #[must_use]
    pub fn state(&self, port: &str) -> Option<State> {
        self.ports.slots.get(port).map(|slot| slot.device.state())
    }

    /// What it noticed so far.
    #[must_use]
    pub fn log(&self, port: &str) -> Vec<LogEntry> {
        self.ports.slots.get(port).map(|slot| slot.device.log()).unwrap_or_default()
    }

    fn with<T>(&mut self, port: &str, now: Instant, act: impl FnOnce(&mut Device) -> T) -> Option<T> {
        let device = &mut self.ports.slots.get_mut(port)?.device;
        device.handle_timeout(now);
        let result = act(device);
        self.ports.dispatch(port);
        Some(result)
    }
}

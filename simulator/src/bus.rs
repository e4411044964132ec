//! The in-process door: a bus with ports, as bytes.
#![expect(
    clippy::disallowed_methods,
    reason = "simulated hardware runs in real time, on a thread of its own"
)]

use std::io;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use crate::descriptors;
use crate::device::Device;
use crate::dfu::{Fault, Reply};
use crate::event_log::LogEntry;
use crate::headset::Button;
use crate::pipe::{HidPipe, ReportQueue};
use crate::setup::Setup;
use crate::shared::{Change, Listener, Shared, Slot};
use crate::state::{Mode, State};

/// How long a transfer that is never answered keeps the caller of [`Bus::control`].
const UNANSWERED: Duration = Duration::from_millis(250);

/// Why a transfer failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsbError {
    /// The device answered STALL.
    Stall,
    /// There is no device at this port, or it left during the transfer.
    NoDevice,
    /// The device did not answer.
    Timeout,
}

impl std::fmt::Display for UsbError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Stall => "the device stalled the request",
            Self::NoDevice => "no device at this port",
            Self::Timeout => "the device did not answer",
        })
    }
}

impl std::error::Error for UsbError {}

/// A HID interface as enumerated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HidInterface {
    /// bInterfaceNumber.
    pub interface: u8,
    /// The report descriptor, byte for byte.
    pub report_descriptor: Vec<u8>,
    /// For [`Bus::open_hid`]; another one after each arrival.
    pub path: String,
}

/// A device as enumerated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BusDevice {
    /// Where it is plugged in.
    pub port: String,
    /// Always 1.
    pub bus_number: u8,
    /// Another one after each arrival, 1..=127.
    pub address: u8,
    /// idVendor.
    pub vid: u16,
    /// idProduct.
    pub pid: u16,
    /// bcdDevice.
    pub bcd_device: u16,
    /// iManufacturer, empty if there is none.
    pub manufacturer: String,
    /// iProduct, empty if there is none.
    pub product: String,
    /// iSerialNumber, empty if there is none.
    pub serial: String,
    /// Device descriptor, byte for byte.
    pub device_descriptor: Vec<u8>,
    /// Configuration descriptor with all that belongs to it, byte for byte.
    pub configuration_descriptor: Vec<u8>,
    /// The HID interface; none in DFU mode.
    pub hid: Option<HidInterface>,
}

/// A bus with simulated headsets. Clones are the same bus. It ends with its last clone.
#[derive(Debug, Clone)]
pub struct Bus {
    door: Arc<Door>,
}

#[derive(Debug)]
struct Door {
    shared: Arc<Shared>,
}

impl Drop for Door {
    fn drop(&mut self) {
        let mut ports = self.shared.lock();
        ports.closed = true;
        for slot in ports.slots.values() {
            for listener in slot.listeners.iter().filter_map(Weak::upgrade) {
                listener.device_left();
            }
        }
        drop(ports);
        self.shared.changed.notify_all();
    }
}

impl Default for Bus {
    fn default() -> Self {
        Self::new()
    }
}

impl Bus {
    /// An empty bus, with a thread of its own for the headsets' delays.
    #[must_use]
    pub fn new() -> Self {
        let shared = Arc::new(Shared::default());
        let clock = Arc::clone(&shared);
        std::thread::spawn(move || clock.run_deadlines());
        Self { door: Arc::new(Door { shared }) }
    }

    /// Plugs a new headset in. One that is at this port already is pulled and forgotten.
    pub fn plug(&self, port: &str, setup: Setup) {
        self.unplug(port);
        let now = Instant::now();
        let mut ports = self.shared().lock();
        let slot = Slot { device: Device::new(setup, now), address: 0, listeners: Vec::new() };
        ports.slots.insert(port.to_owned(), slot);
        drop(ports);
        self.replug(port);
    }

    /// Pulls the headset at this port, if there is one. It keeps its firmware.
    pub fn unplug(&self, port: &str) {
        self.shared().with(port, |device, now| device.unplug(now));
    }

    /// Plugs the headset that was pulled from this port in again.
    pub fn replug(&self, port: &str) {
        self.shared().with(port, |device, now| device.plug(now));
    }

    /// What is on the bus now, by port.
    #[must_use]
    pub fn devices(&self) -> Vec<BusDevice> {
        let ports = self.shared().lock();
        ports
            .slots
            .iter()
            .filter(|(_, slot)| slot.device.is_present())
            .map(|(port, slot)| enumerate(port, slot))
            .collect()
    }

    /// Opens a HID interface by the path [`Bus::devices`] gives.
    ///
    /// # Errors
    /// `NotFound` when the path names nothing that is on the bus now.
    pub fn open_hid(&self, path: &str) -> io::Result<HidPipe> {
        let mut ports = self.shared().lock();
        let found = ports.slots.iter_mut().find(|(port, slot)| {
            slot.device.is_present()
                && slot.device.mode() == Mode::Runtime
                && hid_path(port, slot.address) == path
        });
        let Some((port, slot)) = found else {
            let text = format!("no HID interface {path:?} on the simulated bus: list the devices again");
            return Err(io::Error::new(io::ErrorKind::NotFound, text));
        };
        let queue = Arc::new(ReportQueue::default());
        let listener: Arc<dyn Listener> = Arc::<ReportQueue>::clone(&queue);
        slot.listeners.push(Arc::downgrade(&listener));
        Ok(HidPipe::new(queue, Arc::downgrade(self.shared()), port.clone(), slot.address))
    }

    /// A control transfer on endpoint 0: the eight setup bytes as on the wire, and the data stage of an OUT. Gives the
    /// data stage of an IN, nothing for an OUT.
    ///
    /// # Errors
    /// [`UsbError`]; `Timeout` comes after a quarter of a second.
    pub fn control(&self, port: &str, setup: [u8; 8], data_out: &[u8]) -> Result<Vec<u8>, UsbError> {
        match self.shared().transfer(port, setup, data_out) {
            Reply::Data(bytes) => Ok(bytes),
            Reply::Stall => Err(UsbError::Stall),
            Reply::Vanish => Err(UsbError::NoDevice),
            Reply::NoAnswer => {
                std::thread::sleep(UNANSWERED);
                Err(UsbError::Timeout)
            }
        }
    }

    /// Resets the port. A device that changes by it leaves and comes back, after `Setup::reenumeration_ms`.
    ///
    /// # Errors
    /// `NoDevice` when nothing is there.
    pub fn reset(&self, port: &str) -> Result<(), UsbError> {
        let present = self.shared().with(port, |device, now| {
            let present = device.is_present();
            device.bus_reset(false, now);
            present
        });
        if present == Some(true) { Ok(()) } else { Err(UsbError::NoDevice) }
    }

    /// Arrivals and departures from now on. Every caller gets its own.
    #[must_use]
    pub fn changes(&self) -> Receiver<Change> {
        let (sender, receiver) = mpsc::channel();
        self.shared().lock().subscribers.push(sender);
        receiver
    }

    /// The headset that is, or was last, plugged in at this port.
    ///
    /// # Panics
    /// When no headset was ever plugged in there.
    #[must_use]
    pub fn headset(&self, port: &str) -> HeadsetHandle {
        assert!(
            self.shared().lock().slots.contains_key(port),
            "no headset was ever plugged in at port {port:?}"
        );
        HeadsetHandle { bus: self.clone(), port: port.to_owned() }
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.door.shared
    }
}

fn hid_path(port: &str, address: u8) -> String {
    format!("sim:{port}:{address}:{}", descriptors::HID_INTERFACE)
}

pub(crate) fn enumerate(port: &str, slot: &Slot) -> BusDevice {
    let device = &slot.device;
    let setup = device.setup();
    let bcd_device = match device.mode() {
        Mode::Runtime => device.version_bcd(),
        Mode::Dfu => setup.bootloader_version_bcd,
    };
    BusDevice {
        port: port.to_owned(),
        bus_number: 1,
        address: slot.address,
        vid: setup.vendor_id,
        pid: descriptors::product_id(setup, device.mode()),
        bcd_device,
        manufacturer: setup.manufacturer.clone(),
        product: setup.product.clone(),
        serial: setup.serial.clone(),
        device_descriptor: device.device_descriptor(),
        configuration_descriptor: device.configuration_descriptor(),
        hid: (device.mode() == Mode::Runtime).then(|| HidInterface {
            interface: descriptors::HID_INTERFACE,
            report_descriptor: device.report_descriptor().to_vec(),
            path: hid_path(port, slot.address),
        }),
    }
}

/// A headset, seen from the wearer's side: on the bus or not.
#[derive(Debug, Clone)]
pub struct HeadsetHandle {
    bus: Bus,
    port: String,
}

impl HeadsetHandle {
    /// The bus it belongs to.
    #[must_use]
    pub fn bus(&self) -> &Bus {
        &self.bus
    }

    /// The port it belongs to.
    #[must_use]
    pub fn port(&self) -> &str {
        &self.port
    }

    /// Presses a button. False: the headset does not react to it now (see [`Button`] and [`HeadsetHandle::log`]).
    pub fn press(&self, button: Button) -> bool {
        self.bus.shared().with(&self.port, |device, now| device.press(button, now)).unwrap_or(false)
    }

    /// When one of the lights changed last.
    pub(crate) fn lights_at(&self) -> Option<Instant> {
        self.bus.shared().look(&self.port, Device::lights_at).flatten()
    }

    /// Somebody reads its reports.
    pub(crate) fn is_read(&self) -> bool {
        let ports = self.bus.shared().lock();
        let slot = ports.slots.get(&self.port);
        slot.is_some_and(|slot| slot.listeners.iter().any(|listener| listener.strong_count() > 0))
    }

    /// Everything about it at this moment.
    ///
    /// # Panics
    /// Never: a port keeps its headset.
    #[must_use]
    pub fn state(&self) -> State {
        self.bus.shared().look(&self.port, Device::state).expect(
            "invariant: a slot is replaced, never removed, and a handle is only made for an existing one",
        )
    }

    /// Waits until the state fulfils a condition; the state that did, or `None` when the time is over.
    pub fn wait_for(&self, timeout: Duration, mut condition: impl FnMut(&State) -> bool) -> Option<State> {
        self.bus.shared().wait_for(&self.port, timeout, |device| Some(device.state()).filter(&mut condition))
    }

    /// Pulls the cable.
    pub fn unplug(&self) {
        self.bus.unplug(&self.port);
    }

    /// Plugs it in again.
    pub fn plug(&self) {
        self.bus.replug(&self.port);
    }

    /// Arms a mishap for the next download that reaches its block. Several may be armed; each happens once.
    pub fn fail(&self, fault: Fault) {
        self.bus.shared().with(&self.port, |device, _| device.arm(fault));
    }

    /// Disarms all mishaps.
    pub fn clear_faults(&self) {
        self.bus.shared().with(&self.port, |device, _| device.clear_faults());
    }

    /// What the headset noticed so far, the last 2000 entries.
    #[must_use]
    pub fn log(&self) -> Vec<LogEntry> {
        self.bus.shared().look(&self.port, Device::log).unwrap_or_default()
    }
}

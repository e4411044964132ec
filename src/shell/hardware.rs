//! The border to devices, in bytes: what the system's HID and USB libraries offer, and what simulated hardware offers
//! in their place. Nothing above this line knows which of the two it talks to.

use dfu::usb_dfu::{ControlTransfer, TransferError};
use hub::machine::{HidNode, UsbDevice};
use hub::protocol::Problem;
use std::io;

/// All hardware of one machine.
pub struct Hardware {
    pub hid: Box<dyn HidBus>,
    pub usb: Box<dyn UsbBus>,
    pub hotplug: Box<dyn Hotplug>,
}

impl std::fmt::Debug for Hardware {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hardware")
    }
}

/// Reader and writer of one node.
pub type HidHandles = (Box<dyn HidRead>, Box<dyn HidWrite>);

/// Lives on one thread for the whole run: the macOS HID library wants that.
pub trait HidBus: Send {
    /// Every HID node with its report descriptor, whatever it is.
    fn enumerate(&mut self) -> Result<Vec<HidNode>, Problem>;
    /// Two handles of one node, so that a blocked read does not hold up a write.
    fn open(&mut self, path: &str) -> Result<HidHandles, Problem>;
}

pub trait HidRead: Send {
    /// Blocks until a report comes (id first if numbered). An error means that the device is gone.
    fn read(&mut self, report: &mut [u8]) -> io::Result<usize>;
}

pub trait HidWrite: Send {
    /// A whole output report, id first, 0x00 for unnumbered ones.
    fn write(&mut self, report: &[u8]) -> io::Result<()>;
}

pub trait UsbBus: Send {
    /// Every device but hubs, with its DFU interface if it shows one.
    fn enumerate(&mut self) -> Result<Vec<UsbDevice>, Problem>;
    /// A second door on the same bus, for the thread that runs a firmware job.
    fn opener(&self) -> Box<dyn UsbOpen>;
}

pub trait UsbOpen: Send {
    /// Opens the device at `port` and claims `interface`.
    fn open(&mut self, port: &str, interface: u8) -> Result<Box<dyn UsbHandle>, TransferError>;
}

/// Dropping it releases the interface and closes the device.
pub trait UsbHandle {
    /// `out` is the data stage of a transfer to the device. What the device sends is what comes back.
    fn control(&mut self, transfer: &ControlTransfer, out: &[u8]) -> Result<Vec<u8>, TransferError>;
    fn reset(&mut self) -> Result<(), TransferError>;
}

pub trait Hotplug: Send {
    /// Calls `changed` after every arrival and departure, until the program ends or an error ends the watch.
    fn watch(self: Box<Self>, changed: &mut dyn FnMut()) -> Result<(), Problem>;
}

//! A device on the bus, and its DFU interface.

use super::descriptor::FunctionalDescriptor;

/// bInterfaceProtocol of a DFU interface (DFU 1.1 §4.1.2, §4.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// 01: the device does its normal work and understands DFU_DETACH.
    Runtime,
    /// 02: the device takes firmware.
    Dfu,
    /// An interface that DFU 1.1 does not know, with a functional descriptor of DFU. Nothing by itself; what it is of
    /// some models, [`super::Deviations::correct`] says.
    Irregular {
        /// Whether bInterfaceClass and bInterfaceSubClass are those of DFU (FE/01).
        of_class: bool,
        /// bInterfaceProtocol.
        protocol: u8,
    },
}

/// A device on the bus, as its descriptors describe it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsbIdentity {
    /// Physical place: `bus-port.port`. Stays the same when the device re-enumerates.
    pub port: String,
    /// idVendor.
    pub vid: u16,
    /// idProduct.
    pub pid: u16,
    /// bcdDevice, unchecked: may be no valid BCD.
    pub bcd_device: u16,
    /// iSerialNumber, if it could be read.
    pub serial: Option<String>,
    /// The interface of class FE, subclass 01, if there is one (or has appeared yet); else one that may stand for it.
    pub dfu: Option<DfuInterface>,
}

/// The DFU interface of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DfuInterface {
    /// bInterfaceNumber.
    pub interface: u8,
    /// bInterfaceProtocol.
    pub mode: Mode,
    /// What the device says about DFU; see [`DfuInterface::find`].
    pub functional: FunctionalDescriptor,
}

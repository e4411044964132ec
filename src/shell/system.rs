//! The machine's own hardware.

use super::hardware::Hardware;
use super::hid::SystemHid;
use super::hotplug::SystemHotplug;
use super::usb::SystemUsb;

impl Hardware {
    /// The machine's own buses.
    pub fn system() -> Self {
        Self {
            hid: Box::new(SystemHid::default()),
            usb: Box::new(SystemUsb),
            hotplug: Box::new(SystemHotplug),
        }
    }
}

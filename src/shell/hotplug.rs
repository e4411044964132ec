//! Arrivals and departures of HID and USB devices, as the system tells them. Each leads to a new look at the bus, which
//! decides what changed.

use super::hardware::Hotplug;
use super::os;
use hub::problem::Reason;
use hub::protocol::Problem;

pub(super) struct SystemHotplug;

impl Hotplug for SystemHotplug {
    fn watch(self: Box<Self>, changed: &mut dyn FnMut()) -> Result<(), Problem> {
        os::watch_devices(changed)
            .map_err(|error| Reason::HotplugUnavailable { error: error.to_string() }.at(os::DEVICE_NOTICES))
    }
}

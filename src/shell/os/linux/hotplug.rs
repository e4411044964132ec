//! Arrivals and departures of HID and USB devices, from the kernel.
//!
//! The kernel's own notices come also where no udevd runs; udevd's come a little later, when permissions are set.
//! Both lead to a new look at the bus, which decides what changed.

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::retry_on_intr;
use std::io;
use udev::MonitorBuilder;

/// Who tells when devices come and go.
pub const DEVICE_NOTICES: &str = "udev";

/// Calls `changed` after every arrival and departure, until an error ends the watch.
///
/// # Errors
/// The system does not tell, or not any more.
pub fn watch_devices(changed: &mut dyn FnMut()) -> io::Result<()> {
    let listen = |monitor: MonitorBuilder| {
        monitor.match_subsystem("hidraw")?.match_subsystem_devtype("usb", "usb_device")?.listen()
    };
    let kernel = MonitorBuilder::new_kernel().and_then(listen)?;
    let udevd = MonitorBuilder::new().and_then(listen)?;
    loop {
        let mut polled = [PollFd::new(&kernel, PollFlags::IN), PollFd::new(&udevd, PollFlags::IN)];
        retry_on_intr(|| poll(&mut polled, None))?;
        let seen = kernel.iter().count() + udevd.iter().count();
        if seen > 0 {
            changed();
        }
    }
}

//! Arrivals and departures of HID and USB devices, from the kernel.
//!
//! The kernel's own notices come also where no udevd runs; udevd's come a little later, when permissions are set.
//! Both lead to a new look at the bus, which decides what changed.

use super::hardware::Hotplug;
use hub::protocol::Problem;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::retry_on_intr;
use udev::MonitorBuilder;

pub(super) struct SystemHotplug;

impl Hotplug for SystemHotplug {
    fn watch(self: Box<Self>, changed: &mut dyn FnMut()) -> Result<(), Problem> {
        let listen = |monitor: MonitorBuilder| {
            monitor.match_subsystem("hidraw")?.match_subsystem_devtype("usb", "usb_device")?.listen()
        };
        let kernel = MonitorBuilder::new_kernel().and_then(listen).map_err(|e| lost(&e))?;
        let udevd = MonitorBuilder::new().and_then(listen).map_err(|e| lost(&e))?;
        loop {
            let mut polled = [PollFd::new(&kernel, PollFlags::IN), PollFd::new(&udevd, PollFlags::IN)];
            retry_on_intr(|| poll(&mut polled, None)).map_err(|e| lost(&e.into()))?;
            let seen = kernel.iter().count() + udevd.iter().count();
            if seen > 0 {
                changed();
            }
        }
    }
}

fn lost(error: &std::io::Error) -> Problem {
    Problem::new(
        "hotplug-unavailable",
        format!("The system does not tell when devices come and go: {error}"),
        "udev monitor",
        "Start Hookswitch again after plugging a headset in.",
    )
    .with("error", error.to_string())
}

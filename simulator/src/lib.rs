//! One simulated USB headset: hardware for tests and demonstrations, behind two doors.
//!
//! * [`Bus`] is the in-process door at the byte border: control transfers, HID reports, arrivals and departures.
//! * [`usbip`] (Linux) plugs the same headset into the kernel's `vhci_hcd`, where every driver and tool sees it.
//! * [`control`] (Unix) is a small socket to press, pull and look, for both doors.
//!
//! The headset keeps its own state and its own opinion ([`State`], [`LogEntry`]): what the host believes is judged by
//! it, not the other way round. The crate shares no code with the product. Time is real: this is hardware.

mod bus;
mod descriptors;
mod device;
mod dfu;
mod event_log;
pub mod firmware;
mod headset;
mod layout;
mod pipe;
mod setup;
mod state;

#[cfg(unix)]
pub mod control;
#[cfg(target_os = "linux")]
pub mod usbip;

pub use bus::{Bus, BusDevice, Change, HeadsetHandle, HidInterface, UsbError};
pub use dfu::{Fault, How};
pub use event_log::{LogEntry, Severity};
pub use headset::Button;
pub use pipe::HidPipe;
pub use setup::{Layout, Setup, VersionError, format_bcd, parse_bcd};
pub use state::{
    Condition, ConditionError, DfuState, DfuStatus, DfuView, FirmwareState, Lights, Mode, State,
};

//! One simulated USB headset: hardware for tests and demonstrations, behind two doors.
//!
//! * [`Bus`] is the in-process door at the byte border: control transfers, HID reports, arrivals and departures.
//! * [`usbip`] (Linux) plugs the same headset into the kernel's `vhci_hcd`, where every driver and tool sees it.
//! * [`Bench`] is the same on a clock that is moved by hand.
//! * [`control`] (Unix) is a small socket to press, pull and look, for both doors.
//!
//! The headset keeps its own state and its own opinion ([`State`], [`LogEntry`]): what the host believes is judged by
//! it, not the other way round. The crate shares no code with the product. Time is real: this is hardware.
//!
//! ```
//! use simulator::{Bus, Button, Setup};
//!
//! let bus = Bus::new();
//! bus.plug("1-1", Setup::default());
//! let path = bus.devices()[0].hid.as_ref().expect("runtime mode").path.clone();
//! let pipe = bus.open_hid(&path)?;
//! pipe.write(&[2, 0x04, 0])?; // Ring
//! let headset = bus.headset("1-1");
//! assert!(headset.state().lights.ring);
//! headset.press(Button::Accept);
//! let mut report = [0; 64];
//! let bytes = pipe.read(&mut report)?;
//! assert_eq!(report[..bytes], [2, 0b11, 0]); // Hook Switch and Line Busy
//! # Ok::<(), std::io::Error>(())
//! ```

mod bench;
mod bus;
mod descriptors;
mod device;
mod dfu;
mod event_log;
pub mod firmware;
mod hand;
mod headset;
mod layout;
mod pipe;
mod setup;
mod shared;
mod state;

#[cfg(unix)]
pub mod control;
#[cfg(target_os = "linux")]
pub mod usbip;

pub use bench::Bench;
pub use bus::{Bus, BusDevice, HeadsetHandle, HidInterface, UsbError};
pub use dfu::{Fault, How};
pub use event_log::{LogEntry, Severity};
pub use headset::Button;
pub use pipe::HidPipe;
pub use setup::{Layout, Setup, VersionError, format_bcd, parse_bcd};
pub use shared::Change;
pub use state::{
    Condition, ConditionError, DfuState, DfuStatus, DfuView, FirmwareState, Lights, Mode, State,
};

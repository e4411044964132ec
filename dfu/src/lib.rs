//! Firmware update of USB headsets, without any I/O of its own.
//!
//! Bytes, device arrivals and the time go in; control transfers, journal entries and a verdict come out. Whoever
//! owns the USB handle performs the outputs one after the other and answers each request.
//!
//! ```text
//!   package file --> package::Package::open --> image::Image --+
//!   (zip + rules.json, bounded)     (DFU suffix checked, cut)  |  usb_dfu::Plan
//!                                                              v
//!            Arrived / Left / Completed / Cancel     +------------------+   Journal  (persist first)
//!         -----------------------------------------> | usb_dfu::UsbDfu  | ------------------------------>
//!            handle(input, now)                      |                  |   Open, Control, Reset, Close
//!            handle_timeout(now)  <-- poll_timeout - | one request at   |   Progress
//!                                                    | a time           |   Finished(Verdict)
//!                                                    +------------------+
//!
//!   runtime --DETACH--> (leaves the bus) --> DFU mode --blocks 0..n, each GETSTATUS--> manifestation
//!   detaching           waiting-for-dfu      preparing  downloading                    manifesting
//!                            ^                             |                                |
//!                            |   unplugged: wait for the   |                                | leaves, or is reset
//!                            +-- port, begin at block 0 <--+-- came back in DFU mode <------+
//!                                                                                           v
//!   Succeeded only if the runtime device at the same port reports the target bcdDevice <-- waiting-for-runtime
//! ```
//!
//! Never a verdict by itself: a transfer error, a device leaving the bus, a request that was answered with success.

pub mod image;
pub mod package;
pub mod text;
pub mod usb_dfu;
mod version;

pub use version::{FirmwareVersion, VersionError};

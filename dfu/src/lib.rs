//! Firmware update of USB headsets, without any I/O of its own.
//!
//! Bytes, device arrivals and the time go in; control transfers, journal entries and a verdict come out. Whoever
//! owns the USB handle performs the outputs one after the other and answers each request.
//!
//! ```text
//!   package file --> package::Package::open --> image::Image --+
//!   (by ranges, bounded)      (DFU suffix checked; where it is)|  usb_dfu::Plan, Method
//!                                                              v
//!            Arrived / Left / Completed / Cancel     +------------------+   Journal  (persist first)
//!         -----------------------------------------> | Machine::UsbDfu  | ------------------------------>
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
//! No file is held whole: a request that takes a block of the image says where the block lies, and who has the file
//! reads it there ([`unpack::Unpacker`]).
//!
//! Never a verdict by itself: a transfer error, a device leaving the bus, a request that was answered with success.

#[cfg(test)]
#[path = "../../tests/support/contract.rs"]
mod contract;
pub mod image;
mod machine;
mod method;
pub mod package;
pub mod ranges;
pub mod text;
pub mod unpack;
pub mod usb_dfu;
mod version;

pub use machine::Machine;
pub use method::{Method, MethodUnknown};
pub use version::{FirmwareVersion, PATTERN as VERSION_PATTERN, VersionError};

//! How an update ended, in words for the person who has to do something about it.

use std::fmt;

use super::plan::Phase;
use super::wire::{DfuState, DfuStatus};
use crate::FirmwareVersion;

/// A USB request that was not answered as asked. Never a verdict by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TransferError {
    /// The device refused the request (STALL handshake).
    #[error("the device refused the request (STALL)")]
    Stall,
    /// The device is not on the bus any more.
    #[error("the device left the bus")]
    NoDevice,
    /// No answer within the time of the request.
    #[error("the device did not answer in time")]
    Timeout,
    /// The operating system denies access.
    #[error("the operating system denies access to the device")]
    AccessDenied,
    /// Another program or driver holds the interface.
    #[error("another program or driver holds the interface")]
    Busy,
    /// The block could not be read from the file of the package.
    #[error("the firmware package could not be read from the disk")]
    PackageUnread,
    /// The request was held back, because the phase before it could not be stored.
    #[error("the request was not sent, because its journal could not be written")]
    NotSent,
    /// Any other error of the operating system or USB library, by its number.
    #[error("input/output error {0}")]
    Io(i32),
}

/// How an update ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The device came back in normal operation and reports the version that was wanted.
    Succeeded {
        /// The version read back.
        version: FirmwareVersion,
    },
    /// The update was not done.
    Failed(Failure),
    /// Nobody can say: what the device runs could not be read.
    Unknown(UnknownReason),
}

impl Verdict {
    /// Whether the journal must be kept because the device still needs it: it may be in DFU mode or off the bus
    /// with incomplete firmware, and only the journal says which firmware it wants.
    #[must_use]
    pub fn keeps_journal(&self) -> bool {
        match self {
            Verdict::Succeeded { .. } => false,
            Verdict::Unknown(UnknownReason::NeverCameBack { .. }) => true,
            Verdict::Unknown(UnknownReason::VersionUnreadable { .. }) => false,
            Verdict::Failed(failure) => matches!(failure.device(), DeviceNow::Dfu | DeviceNow::Unseen),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Succeeded { version } => write!(f, "succeeded: the device reports version {version}"),
            Verdict::Failed(failure) => write!(f, "failed: {failure}; {}", failure.device()),
            Verdict::Unknown(reason) => write!(f, "unknown: {reason}"),
        }
    }
}

/// What is known of the device when an update has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceNow {
    /// It is in normal operation.
    Runtime,
    /// It is in normal operation with a version that nobody asked for.
    OtherVersion,
    /// It is in DFU mode and needs firmware.
    Dfu,
    /// It has not been seen since; it may be unplugged, or hang in DFU mode.
    Unseen,
}

impl fmt::Display for DeviceNow {
    /// What next.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DeviceNow::Runtime => "the device works as before; the update can be tried again",
            DeviceNow::OtherVersion => {
                "the device works with that version; whoever published the package has to correct it"
            }
            DeviceNow::Dfu => {
                "the device waits for firmware in DFU mode; leave it plugged in and start the update again"
            }
            DeviceNow::Unseen => {
                "plug the device into the same port and start the update again; it is recovered from there"
            }
        })
    }
}

/// Why an update was not done: what, and where. What next, [`Failure::device`] says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Cancelled on request.
    #[error("cancelled while {}", .phase.name())]
    Cancelled {
        /// Where it was stopped.
        phase: Phase,
        /// What the device is now.
        device: DeviceNow,
    },
    /// The interface could not be opened, [`super::OPEN_TRIES`] times in a row.
    #[error("cannot open the device at port {port} while {}: {error}", .phase.name())]
    CannotOpen {
        /// Port of the device.
        port: String,
        /// Where.
        phase: Phase,
        /// The last error.
        error: TransferError,
        /// What the device is now.
        device: DeviceNow,
    },
    /// The device stayed in (or came back to) normal operation after DFU_DETACH.
    #[error("the device did not enter DFU mode after {attempts} attempts: replug it")]
    DidNotDetach {
        /// Attempts made.
        attempts: u8,
    },
    /// The DFU-mode device cannot take this update.
    #[error(
        "the device in DFU mode takes no DFU 1.1 download (bitCanDnload {can_download}, bcdDFU 0x{bcd_dfu:04x})"
    )]
    NotDownloadable {
        /// bitCanDnload.
        can_download: bool,
        /// bcdDFUVersion.
        bcd_dfu: u16,
        /// What the device is now.
        device: DeviceNow,
    },
    /// The device reported an error status.
    #[error("the device reported {status} in {state} while {phase}, attempt {attempts}")]
    Reported {
        /// bStatus.
        status: DfuStatus,
        /// bState.
        state: DfuState,
        /// Where.
        phase: Phase,
        /// Attempts made.
        attempts: u8,
        /// What the device is now.
        device: DeviceNow,
    },
    /// The device was in a state that has no place at this point, or stayed in it too long.
    #[error("the device was in {state} while {phase}, attempt {attempts}: DFU 1.1 has another state there")]
    UnexpectedState {
        /// bState.
        state: DfuState,
        /// Where.
        phase: Phase,
        /// Attempts made.
        attempts: u8,
        /// What the device is now.
        device: DeviceNow,
    },
    /// bwPollTimeout above [`super::MAX_POLL_TIMEOUT`].
    #[error(
        "the device asks for {poll_timeout_ms} ms before the next request while {phase}: more than is waited"
    )]
    PollTimeoutTooLong {
        /// bwPollTimeout, in milliseconds.
        poll_timeout_ms: u32,
        /// Where.
        phase: Phase,
        /// What the device is now.
        device: DeviceNow,
    },
    /// A request failed in every attempt.
    #[error("{error} while {phase}, attempt {attempts}")]
    Transfer {
        /// The last error.
        error: TransferError,
        /// Where.
        phase: Phase,
        /// Attempts made.
        attempts: u8,
        /// What the device is now.
        device: DeviceNow,
    },
    /// An answer to DFU_GETSTATUS that is none, in every attempt.
    #[error("the device answered DFU_GETSTATUS with {len} bytes that are no DFU 1.1 status while {phase}")]
    BadStatusAnswer {
        /// Bytes that came.
        len: usize,
        /// Where.
        phase: Phase,
        /// What the device is now.
        device: DeviceNow,
    },
    /// The device left the bus too often, or did not come back in time after the download had begun.
    #[error("the device left the bus while {phase}, attempt {attempts}{}",
        if *.written { ": its firmware is incomplete" } else { "" })]
    Unplugged {
        /// Where.
        phase: Phase,
        /// Attempts made.
        attempts: u8,
        /// Whether part of the firmware was written.
        written: bool,
        /// What the device is now.
        device: DeviceNow,
    },
    /// The image was sent whole, and the device came back in DFU mode.
    #[error("the device took the whole image and came back in DFU mode, {attempts} times")]
    NotAccepted {
        /// Attempts made.
        attempts: u8,
        /// What the device is now.
        device: DeviceNow,
    },
    /// The device came back in normal operation with another version than the one sent.
    #[error("the device came back with version {found} (before: {}) instead of {expected}: it did not keep the \
             new firmware; replug it and look again", Bcd(*.before))]
    StillOldVersion {
        /// The version sent.
        expected: FirmwareVersion,
        /// The version it reports.
        found: FirmwareVersion,
        /// bcdDevice before the update, unchecked.
        before: u16,
    },
    /// The device came back in normal operation with a version that is neither the one sent nor the one before.
    #[error(
        "the device came back with version {found} instead of {expected}: the package does not hold the version \
             that it names"
    )]
    OtherVersion {
        /// The version sent.
        expected: FirmwareVersion,
        /// The version it reports.
        found: FirmwareVersion,
    },
}

impl Failure {
    /// The version that was read back, if the update came so far.
    #[must_use]
    pub fn found(&self) -> Option<FirmwareVersion> {
        match self {
            Failure::StillOldVersion { found, .. } | Failure::OtherVersion { found, .. } => Some(*found),
            _ => None,
        }
    }

    /// What is known of the device.
    #[must_use]
    pub fn device(&self) -> DeviceNow {
        match self {
            Failure::Cancelled { device, .. }
            | Failure::CannotOpen { device, .. }
            | Failure::NotDownloadable { device, .. }
            | Failure::Reported { device, .. }
            | Failure::UnexpectedState { device, .. }
            | Failure::PollTimeoutTooLong { device, .. }
            | Failure::Transfer { device, .. }
            | Failure::BadStatusAnswer { device, .. }
            | Failure::Unplugged { device, .. }
            | Failure::NotAccepted { device, .. } => *device,
            Failure::DidNotDetach { .. } | Failure::StillOldVersion { .. } => DeviceNow::Runtime,
            Failure::OtherVersion { .. } => DeviceNow::OtherVersion,
        }
    }

    pub(super) fn set_attempts(&mut self, made: u8) {
        match self {
            Failure::Reported { attempts, .. }
            | Failure::UnexpectedState { attempts, .. }
            | Failure::Transfer { attempts, .. } => *attempts = made,
            _ => {}
        }
    }

    pub(super) fn set_device(&mut self, now: DeviceNow) {
        match self {
            Failure::Cancelled { device, .. }
            | Failure::CannotOpen { device, .. }
            | Failure::NotDownloadable { device, .. }
            | Failure::Reported { device, .. }
            | Failure::UnexpectedState { device, .. }
            | Failure::PollTimeoutTooLong { device, .. }
            | Failure::Transfer { device, .. }
            | Failure::BadStatusAnswer { device, .. }
            | Failure::Unplugged { device, .. }
            | Failure::NotAccepted { device, .. } => *device = now,
            Failure::DidNotDetach { .. } | Failure::StillOldVersion { .. } | Failure::OtherVersion { .. } => {
            }
        }
    }
}

/// A bcdDevice as people read it, or as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bcd(pub u16);

impl fmt::Display for Bcd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match FirmwareVersion::from_bcd(self.0) {
            Ok(version) => version.fmt(f),
            Err(_) => write!(f, "0x{:04x}", self.0),
        }
    }
}

/// Why nobody can say how an update ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownReason {
    /// The device was not seen again in [`super::Plan::reenumerate_timeout`].
    #[error(
        "the device was not seen again at port {port} while {}{}: plug it into the same port and look at its \
         version", .phase.name(), if *.another_seen { " (another device was)" } else { "" }
    )]
    NeverCameBack {
        /// Port that was watched.
        port: String,
        /// What was waited for.
        phase: Phase,
        /// Whether a device that is not this one was seen at the port.
        another_seen: bool,
    },
    /// The device came back with a bcdDevice that is no version.
    #[error("the device came back but reports 0x{bcd:04x}, which is no version: replug it and look again")]
    VersionUnreadable {
        /// bcdDevice as it came.
        bcd: u16,
    },
}

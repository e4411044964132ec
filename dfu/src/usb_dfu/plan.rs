//! What is to be updated, and what the journal keeps of it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::descriptor::FunctionalDescriptor;
use super::deviations::Deviations;
use super::identity::{Mode, UsbIdentity};
use crate::FirmwareVersion;
use crate::image::{Image, WILDCARD};

/// One update of one component of one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The device in normal operation, as found (or, after a crash, as the journal remembers it).
    pub runtime: UsbIdentity,
    /// Product ids under which it appears in DFU mode; contains the runtime id if that does not change.
    /// Empty: any DFU-mode device of the same vendor at the same port.
    pub dfu_pids: Vec<u16>,
    /// What to send.
    pub image: Image,
    /// What the device must report in bcdDevice afterwards.
    pub target_version: FirmwareVersion,
    /// What the device does differently from DFU 1.1.
    pub deviations: Deviations,
    /// How long the device may stay off the bus; [`MIN_REENUMERATE_TIMEOUT`] to [`MAX_REENUMERATE_TIMEOUT`].
    pub reenumerate_timeout: Duration,
    /// The last journalled phase if this continues an interrupted update.
    pub resume: Option<Phase>,
}

/// Shortest accepted [`Plan::reenumerate_timeout`].
pub const MIN_REENUMERATE_TIMEOUT: Duration = Duration::from_millis(100);
/// Longest accepted [`Plan::reenumerate_timeout`].
pub const MAX_REENUMERATE_TIMEOUT: Duration = Duration::from_secs(3600);

/// Why a plan is refused before anything was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The device has no DFU interface.
    #[error(
        "device {vid:04x}:{pid:04x} at port {port} has no DFU interface: it cannot be updated by USB DFU"
    )]
    NoDfuInterface {
        /// Port of the device.
        port: String,
        /// idVendor.
        vid: u16,
        /// idProduct.
        pid: u16,
    },
    /// `Plan::runtime` is in DFU mode and `Plan::resume` is empty.
    #[error(
        "device {vid:04x}:{pid:04x} at port {port} is in DFU mode already: continue from its journal, or recover \
         it with the identity it has in normal operation"
    )]
    InDfuMode {
        /// Port of the device.
        port: String,
        /// idVendor.
        vid: u16,
        /// idProduct.
        pid: u16,
    },
    /// bitCanDnload is 0.
    #[error("device at port {port} says that it takes no firmware (bitCanDnload is 0)")]
    CannotDownload {
        /// Port of the device.
        port: String,
    },
    /// bcdDFUVersion is neither 1.0 nor 1.1 (ST's DfuSe is 0x011a).
    #[error(
        "device at port {port} speaks DFU 0x{bcd_dfu:04x}: only 0x0100, 0x0101 and 0x0110 are spoken here"
    )]
    Specification {
        /// Port of the device.
        port: String,
        /// bcdDFUVersion as it came.
        bcd_dfu: u16,
    },
    /// See [`Deviations::ignore_runtime`].
    #[error(
        "device at port {port} does not come out of DFU_DETACH: put it into DFU mode by hand, it is updated from there"
    )]
    RuntimeBroken {
        /// Port of the device.
        port: String,
    },
    /// Nothing to send.
    #[error("the image has no payload: nothing to send")]
    EmptyImage,
    /// The suffix names another device.
    #[error(
        "the image is for device {vid:04x}:{pid:04x} by its DFU suffix, but the device is {runtime_vid:04x}:\
         {runtime_pid:04x} in normal operation and {dfu_pids:04x?} in DFU mode: get the package for this device"
    )]
    OtherDevice {
        /// idVendor of the suffix.
        vid: u16,
        /// idProduct of the suffix.
        pid: u16,
        /// idVendor of the device.
        runtime_vid: u16,
        /// idProduct of the device in normal operation.
        runtime_pid: u16,
        /// idProducts of the device in DFU mode.
        dfu_pids: Vec<u16>,
    },
    /// The suffix names another version than the rules.
    #[error(
        "the image has version 0x{bcd_device:04x} by its DFU suffix, but {target_version} is to be installed"
    )]
    OtherVersion {
        /// bcdDevice of the suffix.
        bcd_device: u16,
        /// The version wanted.
        target_version: FirmwareVersion,
    },
    /// A time outside the bounds.
    #[error(
        "reenumerate timeout of {timeout:?}: expected {MIN_REENUMERATE_TIMEOUT:?} to {MAX_REENUMERATE_TIMEOUT:?}"
    )]
    ReenumerateTimeout {
        /// The time asked for.
        timeout: Duration,
    },
}

impl Plan {
    /// Checks everything that can be known before the device is asked to leave normal operation.
    pub(super) fn check(&self) -> Result<(), PlanError> {
        if !(MIN_REENUMERATE_TIMEOUT..=MAX_REENUMERATE_TIMEOUT).contains(&self.reenumerate_timeout) {
            return Err(PlanError::ReenumerateTimeout { timeout: self.reenumerate_timeout });
        }
        if self.image.payload_bytes == 0 {
            return Err(PlanError::EmptyImage);
        }
        self.check_suffix()?;
        self.check_device()
    }

    fn check_suffix(&self) -> Result<(), PlanError> {
        let Some(suffix) = self.image.suffix else { return Ok(()) };
        let known_pid = suffix.pid == self.runtime.pid || self.dfu_pids.contains(&suffix.pid);
        let vid_fits = suffix.vid == WILDCARD || suffix.vid == self.runtime.vid;
        if !vid_fits || !(suffix.pid == WILDCARD || known_pid) {
            return Err(PlanError::OtherDevice {
                vid: suffix.vid,
                pid: suffix.pid,
                runtime_vid: self.runtime.vid,
                runtime_pid: self.runtime.pid,
                dfu_pids: self.dfu_pids.clone(),
            });
        }
        if suffix.bcd_device != WILDCARD && suffix.bcd_device != self.target_version.bcd() {
            let (bcd_device, target_version) = (suffix.bcd_device, self.target_version);
            return Err(PlanError::OtherVersion { bcd_device, target_version });
        }
        Ok(())
    }

    fn check_device(&self) -> Result<(), PlanError> {
        let UsbIdentity { port, vid, pid, dfu, .. } = &self.runtime;
        let (port, vid, pid) = (port.clone(), *vid, *pid);
        match dfu {
            // A journal need not remember the interface; the device shows it again.
            None if self.resume.is_some() => Ok(()),
            None => Err(PlanError::NoDfuInterface { port, vid, pid }),
            Some(dfu) if dfu.mode == Mode::Dfu && self.resume.is_none() => {
                Err(PlanError::InDfuMode { port, vid, pid })
            }
            Some(_) if self.deviations.ignore_runtime && self.resume.is_none() => {
                Err(PlanError::RuntimeBroken { port })
            }
            Some(dfu) if !dfu.functional.can_download => Err(PlanError::CannotDownload { port }),
            Some(dfu) if !dfu.functional.speaks_dfu_1() => {
                Err(PlanError::Specification { port, bcd_dfu: dfu.functional.bcd_dfu })
            }
            Some(_) => Ok(()),
        }
    }
}

impl FunctionalDescriptor {
    pub(super) fn speaks_dfu_1(&self) -> bool {
        matches!(self.bcd_dfu, 0x0100 | 0x0101 | 0x0110)
    }
}

/// Where an update stands. The journal stores its text ([`fmt::Display`], [`FromStr`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The runtime device is asked to detach.
    Detaching,
    /// Nothing usable is at the port; a DFU-mode (or runtime) device is awaited there.
    WaitingForDfu,
    /// A DFU-mode device is brought to dfuIDLE.
    Preparing,
    /// Blocks are sent. From here on the device may hold incomplete firmware.
    Downloading {
        /// Blocks acknowledged so far. For the reader only: a download always starts again at block 0.
        block: u32,
    },
    /// The whole image was sent; the device puts it in place.
    Manifesting,
    /// The device should come back in normal operation.
    WaitingForRuntime,
}

/// Text that is no journalled phase.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is no phase of an update: expected detaching, waiting-for-dfu, preparing, downloading:BLOCK, \
     manifesting or waiting-for-runtime"
)]
pub struct PhaseError {
    /// The text as it came, cut to 40 characters.
    pub text: String,
}

impl Phase {
    /// The phase without its fields, in kebab-case.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Phase::Detaching => "detaching",
            Phase::WaitingForDfu => "waiting-for-dfu",
            Phase::Preparing => "preparing",
            Phase::Downloading { .. } => "downloading",
            Phase::Manifesting => "manifesting",
            Phase::WaitingForRuntime => "waiting-for-runtime",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Phase::Downloading { block } => write!(f, "downloading:{block}"),
            other => f.write_str(other.name()),
        }
    }
}

impl FromStr for Phase {
    type Err = PhaseError;

    fn from_str(text: &str) -> Result<Phase, PhaseError> {
        let phase = match text {
            "detaching" => Some(Phase::Detaching),
            "waiting-for-dfu" => Some(Phase::WaitingForDfu),
            "preparing" => Some(Phase::Preparing),
            "manifesting" => Some(Phase::Manifesting),
            "waiting-for-runtime" => Some(Phase::WaitingForRuntime),
            _ => text
                .strip_prefix("downloading:")
                .filter(|block| block.bytes().all(|byte| byte.is_ascii_digit()))
                .and_then(|block| block.parse().ok())
                .map(|block| Phase::Downloading { block }),
        };
        phase.ok_or_else(|| PhaseError { text: text.chars().take(40).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_survive_the_journal() {
        let phases = [
            Phase::Detaching,
            Phase::WaitingForDfu,
            Phase::Preparing,
            Phase::Downloading { block: u32::MAX },
            Phase::Manifesting,
            Phase::WaitingForRuntime,
        ];
        for phase in phases {
            assert_eq!(phase.to_string().parse(), Ok(phase));
        }
        for text in
            ["", "Detaching", "downloading", "downloading:", "downloading:-1", "downloading:4294967296", "x"]
        {
            assert_eq!(text.parse::<Phase>(), Err(PhaseError { text: text.to_owned() }));
        }
    }
}

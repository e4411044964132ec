//! The requests, states and status words of DFU 1.1 (§3, §6.1).

use std::fmt;
use std::time::Duration;

/// bRequest of the DFU class (DFU 1.1 table 3.2). DFU_GETSTATE is not used.
pub(super) mod request {
    pub(crate) const DETACH: u8 = 0;
    pub(crate) const DNLOAD: u8 = 1;
    pub(crate) const UPLOAD: u8 = 2;
    pub(crate) const GETSTATUS: u8 = 3;
    pub(crate) const CLRSTATUS: u8 = 4;
    pub(crate) const ABORT: u8 = 6;
}

/// bmRequestType: class, interface, host to device.
pub(super) const TO_DEVICE: u8 = 0x21;
/// bmRequestType: class, interface, device to host.
pub(super) const TO_HOST: u8 = 0xa1;

/// wBlockNum: 16 bits that wrap (DFU 1.1 §6.1.1).
pub(super) fn wire_block(block: u32) -> u16 {
    (block & 0xffff) as u16
}

/// bState of a device (DFU 1.1 §6.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DfuState {
    /// 0
    AppIdle,
    /// 1
    AppDetach,
    /// 2
    DfuIdle,
    /// 3
    DnloadSync,
    /// 4
    DnBusy,
    /// 5
    DnloadIdle,
    /// 6
    ManifestSync,
    /// 7
    Manifest,
    /// 8
    ManifestWaitReset,
    /// 9
    UploadIdle,
    /// 10
    Error,
}

impl DfuState {
    fn of(byte: u8) -> Option<DfuState> {
        use DfuState::{
            AppDetach, AppIdle, DfuIdle, DnBusy, DnloadIdle, DnloadSync, Error, Manifest, ManifestSync,
            ManifestWaitReset, UploadIdle,
        };
        const STATES: [DfuState; 11] = [
            AppIdle,
            AppDetach,
            DfuIdle,
            DnloadSync,
            DnBusy,
            DnloadIdle,
            ManifestSync,
            Manifest,
            ManifestWaitReset,
            UploadIdle,
            Error,
        ];
        STATES.get(usize::from(byte)).copied()
    }
}

impl fmt::Display for DfuState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DfuState::AppIdle => "appIDLE",
            DfuState::AppDetach => "appDETACH",
            DfuState::DfuIdle => "dfuIDLE",
            DfuState::DnloadSync => "dfuDNLOAD-SYNC",
            DfuState::DnBusy => "dfuDNBUSY",
            DfuState::DnloadIdle => "dfuDNLOAD-IDLE",
            DfuState::ManifestSync => "dfuMANIFEST-SYNC",
            DfuState::Manifest => "dfuMANIFEST",
            DfuState::ManifestWaitReset => "dfuMANIFEST-WAIT-RESET",
            DfuState::UploadIdle => "dfuUPLOAD-IDLE",
            DfuState::Error => "dfuERROR",
        })
    }
}

/// bStatus of a device (DFU 1.1 §6.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DfuStatus(pub u8);

impl DfuStatus {
    /// No error condition is present.
    pub const OK: DfuStatus = DfuStatus(0);

    /// Whether sending the same file again is pointless: the device says the file is not for it.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self.0, 1 | 2)
    }
}

impl fmt::Display for DfuStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const WORDS: [&str; 16] = [
            "OK: no error",
            "errTARGET: the file is not for this device",
            "errFILE: the file fails a vendor-specific check",
            "errWRITE: the device cannot write its memory",
            "errERASE: the memory erase function failed",
            "errCHECK_ERASED: the memory is not erased",
            "errPROG: programming the memory failed",
            "errVERIFY: the programmed memory reads back differently",
            "errADDRESS: an address is out of range",
            "errNOTDONE: the device has not received all of the data",
            "errFIRMWARE: the firmware is corrupt, the device cannot return to normal operation",
            "errVENDOR: a vendor-specific error",
            "errUSBR: an unexpected USB reset",
            "errPOR: an unexpected power-on reset",
            "errUNKNOWN: the device does not know why",
            "errSTALLEDPKT: the device stalled an unexpected request",
        ];
        match WORDS.get(usize::from(self.0)) {
            Some(words) => f.write_str(words),
            None => write!(f, "bStatus {} (not defined by DFU 1.1)", self.0),
        }
    }
}

/// The answer to DFU_GETSTATUS (DFU 1.1 §6.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct StatusReport {
    pub(super) status: DfuStatus,
    pub(super) state: DfuState,
}

/// Bytes of an answer to DFU_GETSTATUS.
pub(super) const STATUS_BYTES: u16 = 6;

impl StatusReport {
    /// `None` if fewer than six bytes came or bState is not defined.
    pub(super) fn parse(bytes: &[u8]) -> Option<StatusReport> {
        let [status, _, _, _, state, _string, ..] = *bytes else { return None };
        Some(StatusReport { status: DfuStatus(status), state: DfuState::of(state)? })
    }

    /// bwPollTimeout: no request may be sent before it has passed. It holds even if the rest of the answer makes no
    /// sense.
    pub(super) fn poll_timeout(bytes: &[u8]) -> Option<Duration> {
        let [_, low, middle, high, ..] = *bytes else { return None };
        Some(Duration::from_millis(u64::from(u32::from_le_bytes([low, middle, high, 0]))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_is_read_little_endian_and_bounded() {
        let answer = [7, 0x10, 0x27, 0x01, 4, 0];
        let report = StatusReport::parse(&answer).expect("six bytes");
        assert_eq!(StatusReport::poll_timeout(&answer), Some(Duration::from_millis(75_536)));
        assert_eq!(
            (report.state, report.status.to_string().starts_with("errVERIFY")),
            (DfuState::DnBusy, true)
        );
        assert_eq!(StatusReport::parse(&[0, 0, 0, 0, 2]), None);
        assert_eq!(StatusReport::parse(&[0, 0, 0, 0, 11, 0]), None);
        assert_eq!(DfuStatus(16).to_string(), "bStatus 16 (not defined by DFU 1.1)");
    }
}

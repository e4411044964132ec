//! How a firmware update over USB DFU 1.1 ends, and why a plan for one is refused.

use crate::protocol::Detail;
use dfu::usb_dfu::{
    Bcd, DeviceNow, DfuStatus, Failure, MAX_REENUMERATE_TIMEOUT, MIN_REENUMERATE_TIMEOUT, Phase, PlanError,
    TransferError, UnknownReason,
};

impl From<&Failure> for Detail {
    fn from(failure: &Failure) -> Self {
        match failure {
            Failure::Cancelled { phase, device: _ } => {
                Detail::new("dfu-cancelled", failure).detail("phase", *phase)
            }
            Failure::CannotOpen { port, phase, error, device: _ } => Detail::new("dfu-cannot-open", failure)
                .with("port", port)
                .detail("phase", *phase)
                .detail("error", *error),
            Failure::DidNotDetach { attempts } => {
                Detail::new("dfu-did-not-detach", failure).with("attempts", attempts)
            }
            Failure::NotDownloadable { can_download, bcd_dfu, device: _ } => {
                Detail::new("dfu-not-downloadable", failure)
                    .with("can_download", u8::from(*can_download))
                    .with("bcd_dfu", format!("0x{bcd_dfu:04x}"))
            }
            Failure::Reported { status, state, phase, attempts, device: _ } => {
                Detail::new("dfu-reported", failure)
                    .detail("status", *status)
                    .with("state", state)
                    .detail("phase", *phase)
                    .with("attempts", attempts)
            }
            Failure::UnexpectedState { state, phase, attempts, device: _ } => {
                Detail::new("dfu-unexpected-state", failure)
                    .with("state", state)
                    .detail("phase", *phase)
                    .with("attempts", attempts)
            }
            Failure::PollTimeoutTooLong { poll_timeout_ms, phase, device: _ } => {
                Detail::new("dfu-poll-timeout-too-long", failure)
                    .with("poll_timeout_ms", poll_timeout_ms)
                    .detail("phase", *phase)
            }
            Failure::Transfer { error, phase, attempts, device: _ } => Detail::new("dfu-transfer", failure)
                .detail("error", *error)
                .detail("phase", *phase)
                .with("attempts", attempts),
            Failure::BadStatusAnswer { len, phase, device: _ } => {
                Detail::new("dfu-bad-status-answer", failure).with("bytes", len).detail("phase", *phase)
            }
            Failure::Unplugged { phase, attempts, written, device: _ } => {
                Detail::new("dfu-unplugged", failure)
                    .detail("phase", *phase)
                    .with("attempts", attempts)
                    .with("written", written)
            }
            Failure::NotAccepted { attempts, device: _ } => {
                Detail::new("dfu-not-accepted", failure).with("attempts", attempts)
            }
            Failure::StillOldVersion { expected, found, before } => {
                Detail::new("dfu-still-old-version", failure)
                    .with("expected", expected)
                    .with("found", found)
                    .with("before", Bcd(*before))
            }
            Failure::OtherVersion { expected, found } => {
                Detail::new("dfu-other-version", failure).with("expected", expected).with("found", found)
            }
        }
    }
}

impl From<&UnknownReason> for Detail {
    fn from(reason: &UnknownReason) -> Self {
        match reason {
            UnknownReason::NeverCameBack { port, phase, another_seen } => {
                Detail::new("dfu-never-came-back", reason)
                    .with("port", port)
                    .detail("phase", *phase)
                    .with("another_seen", another_seen)
            }
            UnknownReason::VersionUnreadable { bcd } => {
                Detail::new("dfu-version-unreadable", reason).with("bcd", format!("0x{bcd:04x}"))
            }
        }
    }
}

impl From<DeviceNow> for Detail {
    fn from(device: DeviceNow) -> Self {
        match device {
            DeviceNow::Runtime => Detail::new("dfu-device-runtime", device),
            DeviceNow::OtherVersion => Detail::new("dfu-device-other-version", device),
            DeviceNow::Dfu => Detail::new("dfu-device-dfu", device),
            DeviceNow::Unseen => Detail::new("dfu-device-unseen", device),
        }
    }
}

impl From<TransferError> for Detail {
    fn from(error: TransferError) -> Self {
        match error {
            TransferError::Stall => Detail::new("usb-stall", error),
            TransferError::NoDevice => Detail::new("usb-no-device", error),
            TransferError::Timeout => Detail::new("usb-timeout", error),
            TransferError::AccessDenied => Detail::new("usb-access-denied", error),
            TransferError::Busy => Detail::new("usb-busy", error),
            TransferError::PackageUnread => Detail::new("usb-package-unread", error),
            TransferError::NotSent => Detail::new("usb-not-sent", error),
            TransferError::Io(number) => Detail::new("usb-io", error).with("number", number),
        }
    }
}

/// DFU 1.1 §6.1.2 numbers them; the name stays as it is spelt there.
impl From<DfuStatus> for Detail {
    fn from(status: DfuStatus) -> Self {
        Detail::new("dfu-status", status).with("status", status.0)
    }
}

impl From<Phase> for Detail {
    fn from(phase: Phase) -> Self {
        match phase {
            Phase::Detaching => Detail::new("dfu-detaching", phase),
            Phase::WaitingForDfu => Detail::new("dfu-waiting-for-dfu", phase),
            Phase::Preparing => Detail::new("dfu-preparing", phase),
            Phase::Downloading { block } => Detail::new("dfu-downloading", phase).with("block", block),
            Phase::Manifesting => Detail::new("dfu-manifesting", phase),
            Phase::WaitingForRuntime => Detail::new("dfu-waiting-for-runtime", phase),
        }
    }
}

impl From<&PlanError> for Detail {
    fn from(error: &PlanError) -> Self {
        match error {
            PlanError::NoDfuInterface { port, vid, pid } => Detail::new("plan-no-dfu-interface", error)
                .with("port", port)
                .with("product", format!("{vid:04x}:{pid:04x}")),
            PlanError::InDfuMode { port, vid, pid } => Detail::new("plan-in-dfu-mode", error)
                .with("port", port)
                .with("product", format!("{vid:04x}:{pid:04x}")),
            PlanError::CannotDownload { port } => {
                Detail::new("plan-cannot-download", error).with("port", port)
            }
            PlanError::RuntimeBroken { port } => Detail::new("plan-runtime-broken", error).with("port", port),
            PlanError::Specification { port, bcd_dfu } => Detail::new("plan-specification", error)
                .with("port", port)
                .with("bcd_dfu", format!("0x{bcd_dfu:04x}")),
            PlanError::EmptyImage => Detail::new("plan-empty-image", error),
            PlanError::OtherDevice { vid, pid, runtime_vid, runtime_pid, dfu_pids } => {
                let dfu_pids: Vec<String> = dfu_pids.iter().map(|pid| format!("{pid:04x}")).collect();
                Detail::new("plan-other-device", error)
                    .with("suffix", format!("{vid:04x}:{pid:04x}"))
                    .with("runtime", format!("{runtime_vid:04x}:{runtime_pid:04x}"))
                    .with("count", dfu_pids.len())
                    .with("dfu_pids", dfu_pids.join(", "))
            }
            PlanError::OtherVersion { bcd_device, target_version } => {
                Detail::new("plan-other-version", error)
                    .with("suffix", Bcd(*bcd_device))
                    .with("wanted", target_version)
            }
            PlanError::ReenumerateTimeout { timeout } => Detail::new("plan-reenumerate-timeout", error)
                .with("timeout_ms", timeout.as_millis())
                .with("least_ms", MIN_REENUMERATE_TIMEOUT.as_millis())
                .with("most_ms", MAX_REENUMERATE_TIMEOUT.as_millis()),
        }
    }
}

//! How a job ended, in a plain sentence; what the device and USB said goes into the details.

use crate::protocol::{Detail, Problem};
use dfu::usb_dfu::{DeviceNow, Failure, UnknownReason};

pub(super) fn failed(failure: &Failure, place: String) -> Problem {
    let (code, what) = match failure {
        Failure::Cancelled { .. } => ("update-stopped", "The update was cancelled"),
        Failure::CannotOpen { .. } => ("update-failed", "The headset could not be opened for its update"),
        Failure::DidNotDetach { .. } => {
            ("update-failed", "The headset did not switch over to take its firmware")
        }
        Failure::NotDownloadable { .. } => {
            ("update-failed", "The headset does not take firmware in this way")
        }
        Failure::Reported { .. }
        | Failure::UnexpectedState { .. }
        | Failure::PollTimeoutTooLong { .. }
        | Failure::Transfer { .. }
        | Failure::BadStatusAnswer { .. } => ("update-failed", "Writing the firmware to the headset failed"),
        Failure::Unplugged { .. } => ("update-failed", "The headset was unplugged during its update"),
        Failure::NotAccepted { .. } => ("update-failed", "The headset did not accept the new firmware"),
        Failure::StillOldVersion { .. } => ("update-failed", "The headset came back with its old version"),
        Failure::OtherVersion { .. } => {
            ("update-failed", "The headset came back with a version nobody asked for")
        }
    };
    let why = match failure {
        Failure::CannotOpen { .. } => "cannot-open",
        Failure::DidNotDetach { .. } => "stayed",
        Failure::NotDownloadable { .. } => "method",
        Failure::Unplugged { .. } => "unplugged",
        Failure::NotAccepted { .. } => "not-accepted",
        Failure::StillOldVersion { .. } => "old-version",
        Failure::OtherVersion { .. } => "other-version",
        _ => "writing",
    };
    let problem = Problem::new(code, what, place, failure.device().to_string())
        .detail("detail", failure)
        .detail("device", failure.device());
    if code == "update-failed" { problem.with("why", why) } else { problem }
}

pub(super) fn unknown(reason: &UnknownReason, place: String) -> Problem {
    Problem::new(
        "update-unknown",
        "Nobody can say whether the update worked: the headset has not told its version",
        place,
        "Plug the headset in again, into the same USB port; its version decides.",
    )
    .detail("detail", reason)
}

/// Not cancelled by anybody: the journal cannot be written.
pub(super) fn unjournalled(place: String, device: DeviceNow) -> Problem {
    let why = Detail::new("no-journal", "what it does cannot be written down (see the other problems)");
    let what = "The update was stopped: what it does cannot be written down";
    Problem::new("update-failed", what, place, device.to_string())
        .with("why", "no-journal")
        .detail("detail", why)
        .detail("device", device)
}

/// `resumed`: an earlier attempt has sent something.
pub(super) fn refused_package(name: &str, error: impl Into<Detail>, resumed: bool) -> Problem {
    let error = error.into();
    let next = match resumed {
        false => "Nothing was sent to the headset. The company has to publish a package that fits.",
        true => {
            "The headset still needs its firmware: keep it at its USB port. The company has to publish a package that fits."
        }
    };
    let what = format!("The firmware package is refused: {}", error.text);
    Problem::new("package-refused", what, name.to_owned(), next)
        .with("resumed", resumed.to_string())
        .detail("error", error)
}

//! How a job ended, in a plain sentence; what the device and USB said goes into the details.

use crate::problem::Reason;
use crate::protocol::{Detail, Problem};
use dfu::usb_dfu::{DeviceNow, Failure, UnknownReason};

pub(super) fn failed(failure: &Failure, place: String) -> Problem {
    let (detail, device) = (Detail::from(failure), Detail::from(failure.device()));
    let why = match failure {
        Failure::Cancelled { .. } => return Reason::UpdateStopped { device, detail }.at(place),
        Failure::CannotOpen { .. } => "cannot-open",
        Failure::DidNotDetach { .. } => "stayed",
        Failure::NotDownloadable { .. } => "method",
        Failure::Reported { .. }
        | Failure::UnexpectedState { .. }
        | Failure::PollTimeoutTooLong { .. }
        | Failure::Transfer { .. }
        | Failure::BadStatusAnswer { .. } => "writing",
        Failure::Unplugged { .. } => "unplugged",
        Failure::NotAccepted { .. } => "not-accepted",
        Failure::StillOldVersion { .. } => "old-version",
        Failure::OtherVersion { .. } => "other-version",
    };
    Reason::UpdateFailed { why: why.to_owned(), device, detail }.at(place)
}

pub(super) fn unknown(reason: &UnknownReason, place: String) -> Problem {
    Reason::UpdateUnknown { detail: reason.into() }.at(place)
}

/// Not cancelled by anybody: the journal cannot be written.
pub(super) fn unjournalled(place: String, device: DeviceNow) -> Problem {
    let detail = Detail::new("no-journal", "what it does cannot be written down (see the other problems)");
    Reason::UpdateFailed { why: "no-journal".to_owned(), device: device.into(), detail }.at(place)
}

/// `resumed`: an earlier attempt has sent something.
pub(super) fn refused_package(name: &str, error: impl Into<Detail>, resumed: bool) -> Problem {
    Reason::PackageRefused { error: error.into(), resumed: resumed.to_string() }.at(name)
}

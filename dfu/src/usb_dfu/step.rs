//! Where an update stands between two inputs.

use std::time::Instant;

use super::plan::Plan;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// For a device at the port.
    Waiting { goal: Goal, until: Instant },
    /// Before a request.
    Pausing { until: Instant, reason: &'static str, then: Request },
    /// For the answer to a request.
    Requested(Request),
    /// The verdict was given.
    Done,
}

/// What is awaited at the port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Goal {
    /// The device in DFU mode, after DFU_DETACH.
    Dfu,
    /// The device in normal operation, after manifestation.
    Runtime,
    /// The device in either mode, after it was lost.
    Recover,
    /// The device in either mode, after a failure: only to say how it is.
    End,
}

impl Goal {
    pub(super) fn reason(self) -> &'static str {
        match self {
            Goal::Dfu => "device re-enumerates in DFU mode",
            Goal::Runtime => "device re-enumerates in normal operation",
            Goal::Recover => "device is plugged in again",
            Goal::End => "device re-enumerates after the update failed",
        }
    }
}

/// See [`super::Deviations::attach_extra_reset`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ExtraReset {
    /// The device needs none.
    Unneeded,
    /// It will be reset when it is back in normal operation.
    Owed,
    /// It was reset. What it says counts once it has left, or had the time to.
    Sent,
}

impl ExtraReset {
    pub(super) fn of(plan: &Plan) -> ExtraReset {
        if plan.deviations.attach_extra_reset { ExtraReset::Owed } else { ExtraReset::Unneeded }
    }
}

/// Something that is asked of the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Request {
    Open,
    Detach,
    /// DFU_GETSTATUS on the way to dfuIDLE.
    PrepareStatus,
    ClearStatus,
    Abort,
    /// DFU_DNLOAD of the next block.
    Block,
    BlockStatus,
    /// DFU_DNLOAD of length 0.
    LastBlock,
    ManifestStatus,
    /// DFU_UPLOAD of the first block, see [`super::Deviations::attach_upload_download`].
    Upload,
    /// DFU_DETACH in place of a reset, see [`super::Deviations::detach_for_attach`].
    Attach(Goal),
    /// DFU_ABORT or DFU_CLRSTATUS before the device is left alone.
    Leave,
    Reset(Goal),
}

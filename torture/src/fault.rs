//! What can go wrong, and when.

/// Where in an update a mishap happens, counted from the moment it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The n-th request to a headset.
    Transfer(u32),
    /// The n-th record for the disk, those of the journal among them.
    Record(u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Unplug,
    OtherPort,
    SecondDevice,
    Kill,
    UsbError,
    Stall,
    PollTime,
    SlowManifest,
    DiskFull,
    Truncated,
    Tampered,
    OtherVersion,
    ClockForward,
    ClockBack,
    NetworkGone,
}

impl Kind {
    pub(crate) const ALL: [(Self, &str); 15] = [
        (Self::Unplug, "unplugged"),
        (Self::OtherPort, "at another port"),
        (Self::SecondDevice, "second headset"),
        (Self::Kill, "kill -9"),
        (Self::UsbError, "USB error"),
        (Self::Stall, "STALL"),
        (Self::PollTime, "wrong poll time"),
        (Self::SlowManifest, "slow manifest"),
        (Self::DiskFull, "disk full"),
        (Self::Truncated, "image cut short"),
        (Self::Tampered, "image changed"),
        (Self::OtherVersion, "another version"),
        (Self::ClockForward, "clock set on"),
        (Self::ClockBack, "clock set back"),
        (Self::NetworkGone, "network gone"),
    ];

    /// It lies in the package or in the headset, from the start.
    pub(crate) fn is_made(self) -> bool {
        matches!(self, Self::SlowManifest | Self::Truncated | Self::Tampered | Self::OtherVersion)
    }

    /// It happens to a request, never to a record.
    pub(crate) fn needs_transfer(self) -> bool {
        matches!(self, Self::UsbError | Self::Stall | Self::PollTime)
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    pub(crate) at: Step,
    pub(crate) kind: Kind,
}

//! A firmware job, as faces are told of it.

use super::{DeviceId, Outcome};
use serde::{Deserialize, Serialize};

/// A firmware job: the one that runs, the last one that ended, or one that waits for its turn.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Job {
    /// Id of the offer it was made of.
    pub offer: String,
    pub device: DeviceId,
    pub name: String,
    pub from_version: String,
    pub to_version: String,
    pub phase: JobPhase,
    pub done_bytes: u64,
    pub total_bytes: u64,
    /// How often writing broke off and was begun anew.
    #[serde(default)]
    pub retries: u32,
    /// It was cancelled and comes to its end.
    #[serde(default)]
    pub cancelling: bool,
    /// What cancelling would mean now.
    #[serde(default)]
    pub stop: Stop,
    pub outcome: Option<Outcome>,
}

/// An update that has ended, as it is remembered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PastUpdate {
    /// Seconds since 1970, by the clock of that moment.
    pub ended_s: u64,
    pub device: DeviceId,
    /// How the headset calls itself.
    pub product: String,
    /// The package's name for people.
    pub name: String,
    pub from_version: String,
    pub to_version: String,
    /// The verdict as it was given, or corrected by what the headset said later.
    pub outcome: Outcome,
}

/// A list that is the same in every copy of what holds it.
pub(super) mod shared {
    use super::PastUpdate;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::sync::Arc;

    pub(in super::super) fn serialize<S: Serializer>(
        list: &Arc<[PastUpdate]>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        list.as_ref().serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Arc<[PastUpdate]>, D::Error> {
        Vec::deserialize(deserializer).map(Arc::from)
    }
}

/// What it means to cancel a job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Stop {
    /// The headset works on with the firmware it has.
    #[default]
    Harmless,
    /// The headset has no working firmware until the update is installed again.
    Strands,
    /// The headset has all of it and decides itself.
    TooLate,
}

/// Where a job stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum JobPhase {
    /// It waits for its turn: one headset is written at a time.
    Queued,
    /// The package comes.
    #[default]
    Fetching,
    /// The headset is asked to leave normal operation.
    Detaching,
    /// It is on its way into the mode in which it takes firmware.
    WaitingForDfu,
    /// The package is here, and the headset is in a call.
    WaitingForCall,
    /// Somebody pulled it out while it was written to.
    WaitingForReplug,
    /// It is made ready to take firmware.
    Preparing,
    /// Firmware is written.
    Downloading,
    /// The headset puts the whole of it in place.
    Manifesting,
    /// It is on its way back to normal operation.
    WaitingForRuntime,
    /// One that another version knows.
    #[serde(other)]
    Working,
}

impl JobPhase {
    /// As it goes over the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Fetching => "fetching",
            Self::Detaching => "detaching",
            Self::WaitingForDfu => "waiting-for-dfu",
            Self::WaitingForCall => "waiting-for-call",
            Self::WaitingForReplug => "waiting-for-replug",
            Self::Preparing => "preparing",
            Self::Downloading => "downloading",
            Self::Manifesting => "manifesting",
            Self::WaitingForRuntime => "waiting-for-runtime",
            Self::Working => "working",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phase_is_named_as_it_is_written_and_a_new_one_is_work() {
        let read = |text: &str| serde_json::from_value(text.into()).expect("a phase");
        for name in [
            "queued",
            "fetching",
            "detaching",
            "waiting-for-dfu",
            "waiting-for-call",
            "waiting-for-replug",
            "preparing",
            "downloading",
            "manifesting",
            "waiting-for-runtime",
            "working",
        ] {
            let phase: JobPhase = read(name);
            assert_eq!((phase.name(), serde_json::to_value(phase).ok()), (name, Some(name.into())));
        }
        assert_eq!(read("brewing"), JobPhase::Working);
    }
}

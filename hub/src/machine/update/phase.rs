//! The phase of a job: in the journal with its fields, as text; to faces without.

use crate::protocol::JobPhase;
use dfu::usb_dfu::Phase;
use serde::{Deserialize, Deserializer, Serializer};

pub(crate) fn serialize<S: Serializer>(phase: &Phase, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(phase)
}

/// One that another version wrote is no reason to forget the headset. Whatever it meant: what is at the port is looked at,
/// and the job goes on from there.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Phase, D::Error> {
    Ok(String::deserialize(deserializer)?.parse().unwrap_or_else(|error| {
        tracing::warn!(%error, "the journal names an unknown phase");
        Phase::WaitingForDfu
    }))
}

pub(super) fn shown(phase: Phase) -> JobPhase {
    match phase {
        Phase::Detaching => JobPhase::Detaching,
        Phase::WaitingForDfu => JobPhase::WaitingForDfu,
        Phase::Preparing => JobPhase::Preparing,
        Phase::Downloading { .. } => JobPhase::Downloading,
        Phase::Manifesting => JobPhase::Manifesting,
        Phase::WaitingForRuntime => JobPhase::WaitingForRuntime,
    }
}

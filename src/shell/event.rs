//! What the machine role's loop hears, from whoever has something to tell it.

use super::hardware::HidHandles;
use super::store::packages::OpenPackage;
use hub::machine::{Input, JobId, TenantFailure};
use hub::protocol::Problem;
use tokio::sync::oneshot;

/// Everything that can happen to the machine role's loop.
pub enum Event {
    Machine(Input),
    /// A HID node was opened, or not.
    Opened {
        path: String,
        result: Result<HidHandles, Problem>,
    },
    /// A package came, or did not.
    Fetched {
        job: JobId,
        result: Result<OpenPackage, TenantFailure>,
    },
    /// Lights out, then end.
    Stop(oneshot::Sender<()>),
}

impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Machine(input) => f.debug_tuple("Machine").field(input).finish(),
            Self::Opened { path, .. } => f.debug_struct("Opened").field("path", path).finish_non_exhaustive(),
            Self::Fetched { job, result } => {
                f.debug_struct("Fetched").field("job", job).field("result", result).finish()
            }
            Self::Stop(_) => f.write_str("Stop"),
        }
    }
}

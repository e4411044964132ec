//! What the service loop hears, from whoever has something to tell it.

use super::hardware::HidHandles;
use crate::protocol::Problem;
use crate::service::Input;
use tokio::sync::oneshot;

/// Everything that can happen to the service loop.
pub enum Event {
    Service(Input),
    /// A HID node was opened, or not.
    Opened {
        path: String,
        result: Result<HidHandles, Problem>,
    },
    /// Lights out, then end.
    Stop(oneshot::Sender<()>),
}

impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Service(input) => f.debug_tuple("Service").field(input).finish(),
            Self::Opened { path, .. } => f.debug_struct("Opened").field("path", path).finish_non_exhaustive(),
            Self::Stop(_) => f.write_str("Stop"),
        }
    }
}

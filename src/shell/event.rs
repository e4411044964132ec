//! What the machine role's loop hears, from whoever has something to tell it.

use super::handle;
use super::hardware::HidHandles;
use super::store::packages::OpenPackage;
use hub::machine::{Input, JobId, Peer, SessionId, TenantFailure};
use hub::protocol::{Problem, ToMachine};
use std::sync::Arc;
use tokio::sync::mpsc::Sender;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

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
    /// A user role connected.
    Came {
        session: SessionId,
        peer: Peer,
        way: Way,
    },
    Said(Said),
    /// Its connection is closed.
    Gone(SessionId),
    /// The files of the settings may say something else.
    SettingsChanged,
    /// Lights out, then end.
    Stop(oneshot::Sender<()>),
}

/// How a user role is reached.
#[derive(Debug)]
pub enum Way {
    /// In this process.
    Pipe(Sender<handle::Event>),
    /// Lines for its connection. Dropping it ends that, after what was told last.
    Socket(Sender<Arc<[u8]>>),
}

/// A word of a user role in another process. It counts as one that waits until this is dropped.
#[derive(Debug)]
pub struct Said {
    pub session: SessionId,
    pub message: ToMachine,
    pub waits: OwnedSemaphorePermit,
}

impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Machine(input) => f.debug_tuple("Machine").field(input).finish(),
            Self::Opened { path, .. } => f.debug_struct("Opened").field("path", path).finish_non_exhaustive(),
            Self::Fetched { job, result } => {
                f.debug_struct("Fetched").field("job", job).field("result", result).finish()
            }
            Self::Came { session, peer, .. } => {
                f.debug_struct("Came").field("session", session).field("peer", peer).finish_non_exhaustive()
            }
            Self::Said(said) => f.debug_tuple("Said").field(said).finish(),
            Self::Gone(session) => f.debug_tuple("Gone").field(session).finish(),
            Self::SettingsChanged => f.write_str("SettingsChanged"),
            Self::Stop(_) => f.write_str("Stop"),
        }
    }
}

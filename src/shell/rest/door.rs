//! What all requests to the door share.

use super::tries::WrongTokens;
use crate::shell::handle::UserHandle;
use std::sync::OnceLock;
use tokio::sync::watch;

pub(super) struct Door {
    pub(super) handle: UserHandle,
    pub(super) token: String,
    pub(super) port: u16,
    /// Of plain HTTP, where that is spoken.
    pub(super) plain: OnceLock<u16>,
    /// Tells event numbers of this run from those of another.
    pub(super) run: String,
    pub(super) wrong_tokens: WrongTokens,
    /// See [`super::reader`].
    pub(super) salt: String,
    pub(super) stopping: watch::Receiver<bool>,
}

// Must not show the token.
impl std::fmt::Debug for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Door").field("port", &self.port).finish_non_exhaustive()
    }
}

//! Keeps the machine awake while firmware is written. Where the system has no way to, the update goes on without.

use super::os;

/// The lock of the system, while it is held.
#[derive(Debug)]
pub struct Awake {
    /// Shown to who wants to put the machine to sleep.
    why: String,
    lock: Option<os::AwakeLock>,
}

impl Awake {
    pub fn new(why: String) -> Self {
        Self { why, lock: None }
    }

    /// Returns when the lock is there or known not to come.
    pub async fn keep(&mut self, awake: bool) {
        if !awake {
            self.lock = None;
            return;
        }
        match os::keep_awake(&self.why).await {
            Ok(lock) => self.lock = Some(lock),
            Err(error) => tracing::info!(%error, "the machine may fall asleep during the update"),
        }
    }
}

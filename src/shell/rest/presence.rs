//! Whether a softphone is still there: as long as one of its event streams is open. When the last one closed and none
//! came back within the grace, its calls end; a crashed program must not leave a headset ringing.
#![expect(clippy::disallowed_methods, reason = "the grace is a task that sleeps once")]

use super::Door;
use crate::agent::Command;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Open streams by client. Clients without one, and those that never opened any, are not in it.
#[derive(Debug, Default)]
pub(super) struct Presence(Mutex<BTreeMap<String, u32>>);

impl Presence {
    fn open(&self) -> MutexGuard<'_, BTreeMap<String, u32>> {
        // Numbers are whole at every moment; a panic elsewhere does not spoil them.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One open stream.
pub(super) struct Present {
    door: Arc<Door>,
    client: String,
}

impl Present {
    pub(super) fn new(door: Arc<Door>, client: &str) -> Self {
        *door.presence.open().entry(client.to_owned()).or_default() += 1;
        Self { door, client: client.to_owned() }
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        let mut open = self.door.presence.open();
        match open.get_mut(&self.client) {
            Some(streams) if *streams > 1 => *streams -= 1,
            _ => {
                open.remove(&self.client);
                // Without a runtime the agent is ending, and ends all calls itself.
                if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                    runtime.spawn(gone(self.door.clone(), self.client.clone()));
                }
            }
        }
    }
}

async fn gone(door: Arc<Door>, client: String) {
    tokio::time::sleep(door.client_grace).await;
    if door.presence.open().contains_key(&client) || *door.stopping.borrow() {
        return;
    }
    if door.handle.view().calls.iter().any(|call| call.client == client) {
        tracing::warn!(client, "a softphone went without ending its calls");
        let _ = door.handle.command(Command::ClientGone { client }).await;
    }
}

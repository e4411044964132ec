//! Looks after the door: opens it when it can be, and sees to its certificate.

use super::{Closed, RestConfig, RestServer, open};
use crate::shell::handle::{Event, UserHandle};
use crate::shell::os;
use hub::protocol::Problem;
use hub::settings::DoorPlace;
use hub::user::DoorState;
use tokio::sync::{mpsc, oneshot, watch};

#[derive(Debug)]
pub struct Keeper {
    config: RestConfig,
    handle: UserHandle,
    server: Option<RestServer>,
    /// The process that has the port.
    holder: Option<u32>,
    /// Why the door is closed, as it was logged.
    closed: Option<Problem>,
}

impl Keeper {
    pub fn new(config: RestConfig, handle: UserHandle) -> Self {
        Self { config, handle, server: None, holder: None, closed: None }
    }

    /// Opens the door if it is closed, else looks whether its certificate still does.
    pub async fn check(&mut self) -> DoorState {
        if let Some(server) = &mut self.server {
            return server.check().await;
        }
        match open(self.config.clone(), self.handle.clone()).await {
            Ok(server) => {
                (self.holder, self.closed) = (None, None);
                self.server.insert(server).state()
            }
            Err(Closed { problem, holder }) => {
                // It is tried again and again.
                if self.closed.as_ref() != Some(&problem) {
                    tracing::warn!(%problem, "the door for softphones is closed");
                    self.closed = Some(problem.clone());
                }
                self.holder = holder;
                DoorState::Closed(problem)
            }
        }
    }

    /// Checks whenever it is asked to, and when the process that has the port ends; moves to another `place`. Closes the
    /// door at `stop`.
    pub async fn run(
        mut self,
        mut asked: mpsc::Receiver<()>,
        mut place: watch::Receiver<DoorPlace>,
        mut stop: oneshot::Receiver<()>,
    ) {
        loop {
            tokio::select! {
                _ = &mut stop => break,
                Some(()) = asked.recv() => {}
                Ok(()) = place.changed() => {
                    self.config.place = *place.borrow_and_update();
                    tracing::info!(place = ?self.config.place, "the door for softphones moves");
                    if let Some(server) = self.server.take() {
                        server.stop().await;
                    }
                }
                () = ended(self.holder) => {}
            }
            let state = self.check().await;
            if self.handle.send(Event::Door(state)).await.is_err() {
                break;
            }
        }
        if let Some(server) = self.server {
            server.stop().await;
        }
    }
}

async fn ended(process: Option<u32>) {
    match process {
        Some(process) => os::ended(process).await,
        None => std::future::pending().await,
    }
}

//! How the doors (REST, window, tray, local socket) reach the agent loop: one channel in, views and events out.

use hub::protocol::client::ClientId;
use hub::protocol::local::View;
use hub::protocol::{Problem, ToUser};
use hub::user::sdk::Backlog;
use hub::user::sdk::consent::{Approvals, Stranger};
use hub::user::{Command, DoorState, Function, Loss, Reply, SdkEvent};
use hub::world::WorldChange;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};

/// Events a slow softphone may leave unread before its stream is ended; it comes back with `Last-Event-ID`.
pub const SUBSCRIBER_QUEUE: usize = 256;

/// Everything that can happen to the agent loop.
#[derive(Debug)]
pub enum Event {
    Machine(ToUser),
    /// The machine role in another process is there to be spoken to.
    MachineFound,
    MachineLost(Loss),
    /// It may have come to its place.
    MachineCame,
    Command {
        command: Command,
        reply: oneshot::Sender<Reply>,
    },
    Subscribe {
        client: ClientId,
        after: Option<u64>,
        reply: oneshot::Sender<Subscription>,
    },
    /// The holder of a [`Subscription`] dropped it.
    StreamClosed {
        session: u64,
    },
    /// The settings' list of approved pages.
    Approvals(Approvals),
    /// The files of the settings may say something else.
    SettingsChanged,
    WorldChanged(WorldChange),
    Door(DoorState),
    Function {
        function: Function,
        problems: Vec<Problem>,
    },
    Stop,
}

/// The backlog and what follows it, without gap or repeat.
#[derive(Debug)]
pub struct Subscription {
    pub backlog: Backlog,
    /// Ends when the softphone may not listen any more, or was too slow.
    pub events: mpsc::Receiver<SdkEvent>,
    /// Dropping it says that the stream closed.
    pub open: oneshot::Receiver<()>,
}

/// How long the machine role may take to open its database and say hello before others go on without it.
const GREETING: Duration = Duration::from_secs(10);

/// The agent loop has ended; the program is stopping.
#[derive(Debug, thiserror::Error)]
#[error("the agent is stopping")]
pub struct Stopping;

#[derive(Clone, Debug)]
pub struct UserHandle {
    events: mpsc::Sender<Event>,
    views: watch::Receiver<Arc<View>>,
}

impl UserHandle {
    pub fn new(events: mpsc::Sender<Event>, views: watch::Receiver<Arc<View>>) -> Self {
        Self { events, views }
    }

    /// The newest view.
    pub fn view(&self) -> Arc<View> {
        self.views.borrow().clone()
    }

    /// Wakes after every change of the view.
    pub fn views(&self) -> watch::Receiver<Arc<View>> {
        self.views.clone()
    }

    /// Waits until the machine role has said what is there. After [`GREETING`] without a word what is known has to do.
    pub async fn greeted(&self) {
        let mut views = self.views.clone();
        // The views begin with one that is empty.
        let first = views.wait_for(|view| !view.version.is_empty());
        let _ = tokio::time::timeout(GREETING, first).await;
    }

    pub async fn command(&self, command: Command) -> Result<Reply, Stopping> {
        let (reply, answer) = oneshot::channel();
        self.send(Event::Command { command, reply }).await?;
        answer.await.map_err(|_| Stopping)
    }

    /// Whether a softphone may come in, or why not.
    pub async fn knock(
        &self,
        client: ClientId,
        token: bool,
        label: Option<String>,
    ) -> Result<Result<(), Stranger>, Stopping> {
        // What the company approved is only known then; the token needs no approval.
        if !token {
            self.greeted().await;
        }
        Ok(match self.command(Command::Knock { client, token, label }).await? {
            Reply::Stranger(why) => Err(why),
            Reply::Done | Reply::Call(_) | Reply::Spokes(_) | Reply::Refused(_) => Ok(()),
        })
    }

    pub async fn subscribe(&self, client: ClientId, after: Option<u64>) -> Result<Subscription, Stopping> {
        let (reply, answer) = oneshot::channel();
        self.send(Event::Subscribe { client, after, reply }).await?;
        answer.await.map_err(|_| Stopping)
    }

    pub async fn send(&self, event: Event) -> Result<(), Stopping> {
        self.events.send(event).await.map_err(|_| Stopping)
    }
}

//! The user role's way to the machine role: in the same process, or over the service's socket.

use super::event::{Event as MachineEvent, Way};
use super::frame;
use super::handle::Event;
use super::os::{self, MachineStream, Owner};
use hub::machine::{Input, Peer, SessionId};
use hub::protocol::ToMachine;
use std::io;
use std::path::PathBuf;
use std::time::Duration;
use tokio::io::{AsyncWriteExt as _, BufReader};
use tokio::sync::mpsc::{Sender, UnboundedReceiver, UnboundedSender, unbounded_channel};

/// The longest word of a machine role: all devices and offers.
const MAX_TOLD: u64 = 16 * 1024 * 1024;
/// For each word to be taken by the system.
const WRITE_LIMIT: Duration = Duration::from_secs(10);

/// What the user role wants of its way.
#[derive(Debug)]
pub enum Wish {
    /// Look for the machine role.
    Find,
    Say(ToMachine),
}

/// To the machine role in the same process: both are the same person's. Must be called inside a `LocalSet`.
pub fn inside(
    user: String,
    to_machine: UnboundedSender<MachineEvent>,
    events: Sender<Event>,
) -> UnboundedSender<Wish> {
    let (wishes, mut wished) = unbounded_channel();
    let session = SessionId(1);
    let peer = Peer { account: os::user_name(), name: user };
    tokio::task::spawn_local(async move {
        let _ = to_machine.send(MachineEvent::Came { session, peer, way: Way::Pipe(events) });
        while let Some(wish) = wished.recv().await {
            if let Wish::Say(message) = wish {
                let _ = to_machine.send(MachineEvent::Machine(Input::User { session, message }));
            }
        }
    });
    wishes
}

/// To the service that listens at `path` and is `owner`'s. Must be called inside a `LocalSet`.
pub fn outside(path: PathBuf, owner: Owner, events: Sender<Event>) -> UnboundedSender<Wish> {
    let (wishes, mut wished) = unbounded_channel();
    tokio::task::spawn_local(async move {
        while let Some(wish) = wished.recv().await {
            // What was said before the loss was known is said to nobody.
            let Wish::Find = wish else { continue };
            match os::reach_machine(&path, owner).await {
                Ok(stream) => {
                    tracing::info!("connected to the service");
                    if events.send(Event::MachineFound).await.is_err() {
                        return;
                    }
                    match talk(stream, &mut wished, &events).await {
                        Ok(()) => tracing::warn!("the service closed the connection"),
                        Err(error) => tracing::warn!(%error, "the connection to the service"),
                    }
                }
                Err(error) => tracing::debug!(%error, "the service is not there"),
            }
            if events.send(Event::MachineLost).await.is_err() {
                return;
            }
        }
    });
    wishes
}

/// Until one of both ends it.
async fn talk(
    stream: MachineStream,
    wished: &mut UnboundedReceiver<Wish>,
    events: &Sender<Event>,
) -> io::Result<()> {
    let (reader, mut writer) = tokio::io::split(stream);
    let hear = async {
        let mut reader = BufReader::new(reader);
        while let Some(message) = frame::read(&mut reader, MAX_TOLD).await? {
            if events.send(Event::Machine(message)).await.is_err() {
                break;
            }
        }
        Ok(())
    };
    let say = async {
        while let Some(wish) = wished.recv().await {
            if let Wish::Say(message) = wish {
                let line = frame::written(&message)?;
                tokio::time::timeout(WRITE_LIMIT, writer.write_all(&line)).await??;
            }
        }
        Ok(())
    };
    tokio::select! {
        heard = hear => heard,
        said = say => said,
    }
}

//! The user role's way to the machine role: in the same process, or over the service's socket.

use super::event::{Event as MachineEvent, Way};
use super::frame;
use super::handle::Event;
use super::os::{self, MachineStream, Owner, Unreached};
use hub::machine::{Input, Peer, SessionId};
use hub::protocol::ToMachine;
use hub::user::Loss;
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
    /// End the way to it.
    Leave,
    /// The settings were changed: those it reads, too, where it is this person's.
    ReadSettings,
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
            let _ = match wish {
                Wish::Say(message) => {
                    to_machine.send(MachineEvent::Machine(Input::User { session, message }))
                }
                Wish::ReadSettings => to_machine.send(MachineEvent::SettingsChanged),
                Wish::Find | Wish::Leave => Ok(()),
            };
        }
    });
    wishes
}

/// To the service that listens at `path` and is `owner`'s. Must be called inside a `LocalSet`.
/// `coming` tells when something comes to `path`.
pub fn outside(
    path: PathBuf,
    owner: Owner,
    mut coming: os::FileChanges,
    events: Sender<Event>,
) -> UnboundedSender<Wish> {
    let (wishes, mut wished) = unbounded_channel();
    let came = events.clone();
    tokio::task::spawn_local(async move {
        while coming.next().await.is_some() && came.send(Event::MachineCame).await.is_ok() {}
    });
    tokio::task::spawn_local(async move {
        while let Some(wish) = wished.recv().await {
            // What was said before the loss was known is said to nobody.
            let Wish::Find = wish else { continue };
            let lost = match os::reach_machine(&path, owner).await {
                Ok(stream) => {
                    tracing::info!("connected to the service");
                    if events.send(Event::MachineFound).await.is_err() {
                        return;
                    }
                    match talk(stream, &mut wished, &events).await {
                        Ok(()) => tracing::warn!("the service closed the connection"),
                        Err(error) => tracing::warn!(%error, "the connection to the service"),
                    }
                    Loss::Gone
                }
                Err(error) => {
                    tracing::debug!(%error, "the service is not reached");
                    loss(error)
                }
            };
            if events.send(Event::MachineLost(lost)).await.is_err() {
                return;
            }
        }
    });
    wishes
}

/// Nobody is there, or somebody who is not believed: an error is not absence.
fn loss(error: Unreached) -> Loss {
    match error {
        Unreached::Foreign => Loss::Foreign,
        Unreached::System(error) => match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => Loss::Gone,
            _ => Loss::Unreachable(error.to_string()),
        },
    }
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
            match wish {
                Wish::Say(message) => {
                    let line = frame::written(&message)?;
                    tokio::time::timeout(WRITE_LIMIT, writer.write_all(&line)).await??;
                }
                Wish::Leave => return Err(io::ErrorKind::TimedOut.into()),
                Wish::Find | Wish::ReadSettings => {}
            }
        }
        Ok(())
    };
    tokio::select! {
        heard = hear => heard,
        said = say => said,
    }
}

#[cfg(test)]
mod tests {
    use super::super::os::{Callers, LocalListener, LocalStream};
    use super::*;
    use hub::protocol::{PROTOCOL_VERSION, ToUser};
    use tokio::io::AsyncReadExt as _;
    use tokio::sync::mpsc::{Receiver, channel};

    async fn next(events: &mut Receiver<Event>) -> Event {
        let event = tokio::time::timeout(Duration::from_secs(20), events.recv()).await;
        event.expect("in time").expect("an event")
    }

    async fn told(stream: &mut LocalStream, message: &ToUser) {
        stream.write_all(&frame::written(message).expect("a line")).await.expect("told");
    }

    /// Nobody is there, or there is something that cannot be reached: the two are told apart.
    #[test]
    fn what_cannot_be_reached_is_not_absent() {
        let folder = tempfile::tempdir().expect("a folder");
        let (absent, other) = (folder.path().join("none.sock"), folder.path().join("other.sock"));
        let _other = std::os::unix::net::UnixDatagram::bind(&other).expect("a socket of another kind");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let lost = async |path| loss(os::reach_machine(path, Owner::Me).await.expect_err("no service"));
            assert_eq!(lost(&absent).await, Loss::Gone);
            assert!(matches!(lost(&other).await, Loss::Unreachable(_)));
        });
    }

    #[test]
    fn a_machine_role_is_found_lost_and_found_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("machine.sock");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        tokio::task::LocalSet::new().block_on(&runtime, async {
            let (sender, mut events) = channel(8);
            let wishes =
                outside(path.clone(), Owner::Me, os::FileChanges::of(std::slice::from_ref(&path)), sender);
            let wish = |wish| wishes.send(wish).expect("it lives");
            let hello = || ToMachine::Hello { protocol: PROTOCOL_VERSION };
            wish(Wish::Find);
            assert!(matches!(next(&mut events).await, Event::MachineLost(Loss::Gone)), "nobody listens");
            for _ in 0..3 {
                let (mut listener, _place) = LocalListener::bind(&path, Callers::Everyone).expect("a socket");
                // What is said to nobody does not reach the next one.
                wish(Wish::Say(ToMachine::Poll { request: 1 }));
                wish(Wish::Find);
                let mut stream = listener.accept().await.expect("a caller");
                assert!(matches!(next(&mut events).await, Event::MachineFound));
                wish(Wish::Say(hello()));
                let expected = frame::written(&hello()).expect("a line");
                let mut heard = vec![0; expected.len()];
                stream.read_exact(&mut heard).await.expect("read");
                assert_eq!(heard, expected);
                let refused = ToUser::Refused { protocol: 9 };
                told(&mut stream, &refused).await;
                drop(stream);
                assert!(matches!(next(&mut events).await, Event::Machine(word) if word == refused));
                assert!(matches!(next(&mut events).await, Event::MachineLost(_)));
            }
        });
    }

    /// The user role says when it has waited long enough; and whoever comes to the place is told.
    #[test]
    fn one_that_never_answers_is_left_and_the_next_one_is_noticed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("run/machine.sock");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        tokio::task::LocalSet::new().block_on(&runtime, async {
            let (sender, mut events) = channel(8);
            let wishes =
                outside(path.clone(), Owner::Me, os::FileChanges::of(std::slice::from_ref(&path)), sender);
            tokio::task::yield_now().await;
            for _ in 0..2 {
                os::private_folder(&folder.path().join("run")).expect("a folder");
                let (mut listener, place) = LocalListener::bind(&path, Callers::Everyone).expect("a socket");
                assert!(matches!(next(&mut events).await, Event::MachineCame));
                wishes.send(Wish::Find).expect("it lives");
                let mut stream = listener.accept().await.expect("a caller");
                while !matches!(next(&mut events).await, Event::MachineFound) {}
                wishes.send(Wish::Leave).expect("it lives");
                while !matches!(next(&mut events).await, Event::MachineLost(_)) {}
                assert_eq!(stream.read(&mut [0]).await.expect("closed"), 0);
                drop((listener, place));
                assert!(matches!(next(&mut events).await, Event::MachineCame), "its going is told, too");
            }
        });
    }

    #[test]
    fn a_machine_role_that_says_no_words_is_left() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("machine.sock");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        tokio::task::LocalSet::new().block_on(&runtime, async {
            let (sender, mut events) = channel(8);
            let (mut listener, _place) = LocalListener::bind(&path, Callers::Everyone).expect("a socket");
            let wishes =
                outside(path.clone(), Owner::Me, os::FileChanges::of(std::slice::from_ref(&path)), sender);
            wishes.send(Wish::Find).expect("it lives");
            let mut stream = listener.accept().await.expect("a caller");
            assert!(matches!(next(&mut events).await, Event::MachineFound));
            stream.write_all(b"nonsense\n").await.expect("told");
            assert!(matches!(next(&mut events).await, Event::MachineLost(_)));
        });
    }
}

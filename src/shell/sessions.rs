//! The ways to the user roles: a pipe in this process, or connections of any account of the computer to a local socket.
//! None of them is waited for, and each has its bounds.

use super::event::{Event, Said, Way};
use super::ipc::next_caller;
use super::os::{self, LocalListener, LocalStream};
use super::{frame, handle, log};
use hub::machine::{Peer, SessionId};
use hub::protocol::ToUser;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{Receiver, UnboundedSender, channel};

/// The longest word of a user role: ids, lights and versions.
const MAX_SAID: u64 = 64 * 1024;
/// Words that a user role has not read yet. One that leaves more of them unread is gone.
const UNREAD: usize = 256;
/// For each word to be taken by the system.
const WRITE_LIMIT: Duration = Duration::from_secs(10);
/// Words of one user role that the loop has not come to yet.
const WAITING: usize = 64;
/// Connections at a time, and of one account. The role wants fewer; this is what a flood may cost in descriptors.
const MOST: usize = 128;
const MOST_OF_ONE: usize = 16;
/// How each session is reached.
#[derive(Debug, Default)]
pub struct Ways(BTreeMap<SessionId, Way>);

impl Ways {
    pub fn came(&mut self, session: SessionId, way: Way) {
        self.0.insert(session, way);
    }

    /// Ends it, after what it was told last.
    pub fn end(&mut self, session: SessionId) {
        self.0.remove(&session);
    }

    /// Returns those that do not read what they are told: they are gone.
    #[must_use]
    pub async fn tell(&mut self, to: &[SessionId], message: &ToUser) -> Vec<SessionId> {
        tracing::trace!(?to, ?message, "to user");
        let mut line: Option<Arc<[u8]>> = None;
        let mut gone = Vec::new();
        for session in to {
            match self.0.get(session) {
                Some(Way::Pipe(pipe)) => _ = pipe.send(handle::Event::Machine(message.clone())).await,
                Some(Way::Socket(queue)) => {
                    let line = match &line {
                        Some(line) => line.clone(),
                        None => match frame::written(message) {
                            Ok(written) => line.insert(written.into()).clone(),
                            Err(error) => {
                                tracing::error!(%error, "a word cannot be written");
                                return gone;
                            }
                        },
                    };
                    if queue.try_send(line).is_err() {
                        tracing::warn!(?session, "a user role does not read what it is told");
                        gone.push(*session);
                    }
                }
                None => {}
            }
        }
        for session in &gone {
            self.end(*session);
        }
        gone
    }
}

/// Takes connections for as long as the loop lives. Who connects, the system says. Must be called inside a `LocalSet`.
pub fn accept(mut listener: LocalListener, events: UnboundedSender<Event>) {
    let crowd = Rc::new(RefCell::new(Crowd::default()));
    tokio::task::spawn_local(async move {
        let mut last = 0;
        while !events.is_closed() {
            let stream = next_caller(&mut listener).await;
            let peer = match os::Peer::of(&stream) {
                Ok(os::Peer { account, name, .. }) => Peer { account, name },
                Err(error) => {
                    tracing::warn!(%error, "somebody whom the system does not name");
                    continue;
                }
            };
            let Some(place) = Place::take(&crowd, &peer.account) else { continue };
            log::mask_user(&peer.name);
            last += 1;
            let session = SessionId(last);
            let events = events.clone();
            tokio::task::spawn_local(async move {
                if let Err(error) = serve(stream, session, peer, &events).await {
                    place.crowd.borrow_mut().note(&place.account, &error);
                }
                let _ = events.send(Event::Gone(session));
            });
        }
    });
}

/// Whose connections there are.
#[derive(Debug, Default)]
struct Crowd {
    of: BTreeMap<String, usize>,
    /// Of whom the log has something already: a flood does not fill it.
    noted: BTreeSet<String>,
}

impl Crowd {
    fn note(&mut self, account: &str, what: &dyn std::fmt::Display) {
        if self.noted.insert(account.to_owned()) {
            tracing::warn!(account, %what, "what this account's programs do here is refused; said once");
        }
    }
}

/// A connection's place in the crowd, until it is dropped.
struct Place {
    crowd: Rc<RefCell<Crowd>>,
    account: String,
}

impl Place {
    fn take(crowd: &Rc<RefCell<Crowd>>, account: &str) -> Option<Self> {
        let mut all = crowd.borrow_mut();
        let of_one = all.of.get(account).copied().unwrap_or(0);
        if of_one >= MOST_OF_ONE || all.of.values().sum::<usize>() >= MOST {
            all.note(account, &"too many connections at a time");
            return None;
        }
        all.of.insert(account.to_owned(), of_one + 1);
        Some(Self { crowd: crowd.clone(), account: account.to_owned() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut all = self.crowd.borrow_mut();
        match all.of.get_mut(&self.account) {
            Some(of_one) if *of_one > 1 => *of_one -= 1,
            _ => _ = all.of.remove(&self.account),
        }
    }
}

/// # Errors
/// What is said there is not understood.
async fn serve(
    stream: LocalStream,
    session: SessionId,
    peer: Peer,
    events: &UnboundedSender<Event>,
) -> io::Result<()> {
    tracing::debug!(?session, account = peer.account, "a user role connected");
    let (queue, told) = channel(UNREAD);
    if events.send(Event::Came { session, peer, way: Way::Socket(queue) }).is_err() {
        return Ok(());
    }
    let (reader, writer) = tokio::io::split(stream);
    tokio::select! {
        heard = hear(reader, session, events) => heard,
        () = tell(writer, told) => Ok(()),
    }
}

async fn hear(
    reader: impl AsyncRead + Unpin,
    session: SessionId,
    events: &UnboundedSender<Event>,
) -> io::Result<()> {
    let mut reader = BufReader::new(reader);
    let room = Arc::new(Semaphore::new(WAITING));
    while let Some(message) = frame::read(&mut reader, MAX_SAID).await? {
        let Ok(waits) = room.clone().acquire_owned().await else { return Ok(()) };
        if events.send(Event::Said(Said { session, message, waits })).is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// Until the way is dropped, or somebody does not read.
async fn tell(mut writer: impl AsyncWrite + Unpin, mut told: Receiver<Arc<[u8]>>) {
    while let Some(line) = told.recv().await {
        match tokio::time::timeout(WRITE_LIMIT, writer.write_all(&line)).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return,
        }
    }
    let _ = writer.shutdown().await;
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "plays user roles that wait, flood and do not read")]

    use super::super::event::Event;
    use super::super::os::Callers;
    use super::*;
    use hub::protocol::{PROTOCOL_VERSION, ToMachine};
    use std::io::{Read as _, Write as _};
    use std::os::unix::net::UnixStream;
    use std::path::Path;
    use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

    const PATIENCE: Duration = Duration::from_secs(20);

    fn run(test: impl AsyncFnOnce(&Path, UnboundedReceiver<Event>)) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("machine.sock");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        tokio::task::LocalSet::new().block_on(&runtime, async {
            let (listener, _place) = LocalListener::bind(&path, Callers::Everyone).expect("a socket");
            let (events, heard) = unbounded_channel();
            accept(listener, events);
            test(&path, heard).await;
        });
    }

    async fn next(heard: &mut UnboundedReceiver<Event>) -> Event {
        tokio::time::timeout(PATIENCE, heard.recv()).await.expect("in time").expect("an event")
    }

    async fn came(heard: &mut UnboundedReceiver<Event>) -> (SessionId, Peer, Way) {
        match next(heard).await {
            Event::Came { session, peer, way } => (session, peer, way),
            other => panic!("{other:?}"),
        }
    }

    /// As many words wait as may, and after a while still no more.
    async fn full(heard: &UnboundedReceiver<Event>) {
        let filled = async {
            while heard.len() < WAITING {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(PATIENCE, filled).await.expect("in time");
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(heard.len(), WAITING);
    }

    fn word() -> ToUser {
        ToUser::DeviceRemoved { id: "x".repeat(1000) }
    }

    #[test]
    fn who_speaks_is_the_system_s_word() {
        run(async |path, mut heard| {
            let mut user = UnixStream::connect(path).expect("there");
            let (session, peer, way) = came(&mut heard).await;
            assert_eq!(peer.name, os::user_name());
            assert!(peer.account.parse::<u32>().is_ok(), "{peer:?}");
            let hello = frame::written(&ToMachine::Hello { protocol: PROTOCOL_VERSION }).expect("written");
            user.write_all(&hello).expect("said");
            let Event::Said(said) = next(&mut heard).await else { panic!("a word") };
            assert_eq!(
                (said.session, said.message),
                (session, ToMachine::Hello { protocol: PROTOCOL_VERSION })
            );
            let mut ways = Ways::default();
            ways.came(session, way);
            assert_eq!(ways.tell(&[session], &word()).await, []);
            // What was told last arrives, then the connection ends.
            ways.end(session);
            assert!(matches!(next(&mut heard).await, Event::Gone(gone) if gone == session));
            let mut told = String::new();
            user.read_to_string(&mut told).expect("read");
            assert_eq!(told.as_bytes(), frame::written(&word()).expect("written"));
        });
    }

    #[test]
    fn a_user_role_that_does_not_read_is_gone_and_holds_up_nobody() {
        run(async |path, mut heard| {
            let _deaf = UnixStream::connect(path).expect("there");
            let (deaf, _, way) = came(&mut heard).await;
            let mut ways = Ways::default();
            ways.came(deaf, way);
            let reader = UnixStream::connect(path).expect("there");
            let (reads, _, way) = came(&mut heard).await;
            ways.came(reads, way);
            let reading = std::thread::spawn(move || {
                let lines = std::io::BufRead::lines(std::io::BufReader::new(reader));
                lines.map_while(Result::ok).count()
            });
            let (mut told, mut gone) = (0, Vec::new());
            while gone.is_empty() {
                assert!(told < 10_000, "its words are kept without end");
                gone = ways.tell(&[deaf, reads], &word()).await;
                told += 1;
                // As the loop does between two events.
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            assert_eq!(gone, [deaf]);
            assert_eq!(ways.tell(&[deaf, reads], &word()).await, []);
            ways.end(reads);
            let told = told + 1;
            let read = tokio::task::spawn_blocking(move || reading.join().expect("no panic")).await;
            assert_eq!(read.expect("no panic"), told);
        });
    }

    #[test]
    fn words_wait_where_the_loop_does_not_come_to_them() {
        run(async |path, mut heard| {
            let user = UnixStream::connect(path).expect("there");
            let (session, _, _way) = came(&mut heard).await;
            let poll = frame::written(&ToMachine::Poll { request: 1 }).expect("written");
            let flood = std::thread::spawn(move || {
                let mut user = user;
                while user.write_all(&poll).is_ok() {}
            });
            full(&heard).await;
            for _ in 0..10 {
                assert!(matches!(next(&mut heard).await, Event::Said(said) if said.session == session));
            }
            // As many as were done.
            full(&heard).await;
            drop(heard);
            tokio::time::sleep(Duration::from_millis(50)).await;
            tokio::task::spawn_blocking(move || flood.join()).await.expect("ended").expect("no panic");
        });
    }

    #[test]
    fn garbage_and_too_many_are_sent_away() {
        run(async |path, mut heard| {
            for bytes in [&b"garbage\n"[..], &[b'x'; 70_000], b"{\"type\":\"hello\"}\n", &[0xff; 10]] {
                let mut user = UnixStream::connect(path).expect("there");
                let (session, _, _way) = came(&mut heard).await;
                let _ = user.write_all(bytes);
                drop(user);
                assert!(matches!(next(&mut heard).await, Event::Gone(gone) if gone == session));
            }
            let many: Vec<UnixStream> = (0..50).map(|_| UnixStream::connect(path).expect("there")).collect();
            let mut ways = Vec::new();
            for _ in 0..MOST_OF_ONE {
                ways.push(came(&mut heard).await);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            assert_eq!(heard.len(), 0, "the others are not even heard of");
            drop(many);
            for _ in 0..MOST_OF_ONE {
                assert!(matches!(next(&mut heard).await, Event::Gone(_)));
            }
            let _user = UnixStream::connect(path).expect("there");
            came(&mut heard).await;
        });
    }
}

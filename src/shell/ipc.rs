//! The local socket between the command line and the running agent: one JSON object a line, the caller's user id
//! checked by the kernel's word for it.
#![expect(clippy::disallowed_methods, reason = "sockets and their files are this room's world")]

use super::handle::{Stopping, UserHandle};
use super::loopback::{Slot, Slots};
use super::os::{self, Callers, LocalCaller, LocalListener, LocalPlace, LocalStream, Peer};
use hub::problem::Reason;
use hub::protocol::Problem;
use hub::protocol::local::{LocalAnswer, LocalRequest};
use hub::user::{Command, Reply};
use std::fs::{File, TryLockError};
use std::io::{self, BufRead as _, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::sync::watch;

/// Longest request line. The longest request is a list of approved pages.
const MAX_REQUEST: u64 = 64 * 1024;
/// Longest answer line: a view with all devices and offers.
const MAX_ANSWER: u64 = 16 * 1024 * 1024;
/// Callers served at a time; one who says nothing gives way to another.
const MAX_CALLERS: usize = 32;
/// What a caller gets to say what it wants.
const FIRST_LINE: Duration = Duration::from_secs(10);
/// Longer than the agent takes for any answer. What is watched may be silent for as long as it likes.
const ANSWER: Duration = Duration::from_secs(30);
/// Out of descriptors: somebody has to give one back before another look makes sense.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// What a caller can ask for beyond the agent itself.
pub struct Doors {
    pub agent: UserHandle,
    /// Listed as they are in force, with secrets as "(set)".
    pub settings: watch::Receiver<serde_json::Value>,
    /// Makes a one-time address of the window.
    pub window: super::window::WindowHandle,
    /// Asks the program to end.
    pub stop: tokio::sync::mpsc::Sender<()>,
}

/// The socket's place goes when this is dropped, then the lock.
#[derive(Debug)]
pub struct LocalServer {
    _place: LocalPlace,
    _lock: File,
}

/// Listens at `path`. Must be called inside a `LocalSet`.
///
/// # Errors
/// An agent already listens there, or the socket cannot be made.
pub fn start(path: &Path, doors: Doors) -> Result<LocalServer, Problem> {
    // Of two agents that start at the same moment both would find the socket silent, and one would delete the other's.
    let Some(lock) = lock(&path.with_extension("lock")).map_err(|e| cannot_listen(path, &e))? else {
        return Err(already_running(path));
    };
    let (mut listener, place) =
        LocalListener::bind(path, Callers::Mine).map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => already_running(path),
            _ => cannot_listen(path, &error),
        })?;
    let doors = Arc::new(doors);
    let callers = Slots::new(MAX_CALLERS);
    tokio::task::spawn_local(async move {
        loop {
            let stream = next_caller(&mut listener).await;
            let slot = Arc::new(callers.take(std::time::Instant::now).await);
            let doors = doors.clone();
            tokio::task::spawn_local(async move {
                let ended = tokio::select! {
                    () = slot.cut() => return tracing::debug!("a silent local caller gave way to another"),
                    ended = serve(stream, &doors, &slot) => ended,
                };
                if let Err(error) = ended {
                    tracing::debug!(%error, "local caller");
                }
            });
        }
    });
    Ok(LocalServer { _place: place, _lock: lock })
}

/// Waits for whoever comes next.
pub async fn next_caller(listener: &mut LocalListener) -> LocalStream {
    loop {
        match listener.accept().await {
            Ok(stream) => return stream,
            Err(error) => {
                tracing::warn!(%error, "local socket");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// `None` = another process holds it. For the socket of anybody who listens here. The file stays: deleting it would let two processes lock two files.
pub fn lock(path: &Path) -> io::Result<Option<File>> {
    let mut options = os::private_options();
    let file = options.write(true).create(true).truncate(false).open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(Some(file)),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

async fn serve(stream: LocalStream, doors: &Doors, slot: &Arc<Slot>) -> io::Result<()> {
    let mut caller = BufReader::new(stream);
    let mut is_known = false;
    let mut is_cut = false;
    // The rest of a line that is too long is no request.
    while !is_cut {
        let line = match is_known {
            true => next_line(&mut caller).await?,
            false => tokio::time::timeout(FIRST_LINE, next_line(&mut caller)).await??,
        };
        let Some(line) = line else { break };
        is_cut = line.len() as u64 == MAX_REQUEST;
        if !is_known {
            // Some systems know who calls only now.
            let peer = Peer::of(caller.get_ref())?;
            if !peer.is_mine_or_roots {
                tracing::warn!(account = peer.account, "local caller of another user refused");
                return Ok(());
            }
            is_known = true;
            slot.known();
        }
        let busy = slot.busy();
        match serde_json::from_slice(&line) {
            Ok(LocalRequest::Watch) => return follow(doors, &mut caller).await,
            Ok(LocalRequest::Settings) => {
                let settings = doors.settings.borrow().clone();
                send(&mut caller, &LocalAnswer::Settings { settings }).await?;
            }
            Ok(LocalRequest::View) => send(&mut caller, &view(doors).await).await?,
            Ok(LocalRequest::Window) => send(&mut caller, &window(doors).await).await?,
            Ok(LocalRequest::Stop { anyway }) => {
                let answer = command(Command::Quit { anyway }, doors).await;
                if answer == LocalAnswer::Done {
                    let _ = doors.stop.send(()).await;
                }
                send(&mut caller, &answer).await?;
            }
            Ok(LocalRequest::Install { offer }) => {
                send(&mut caller, &command(Command::Install { offer }, doors).await).await?;
            }
            Ok(LocalRequest::Defer { offer }) => {
                send(&mut caller, &command(Command::Defer { offer }, doors).await).await?;
            }
            Ok(LocalRequest::UseHeadset { device }) => {
                send(&mut caller, &command(Command::UseHeadset { device }, doors).await).await?;
            }
            Ok(LocalRequest::ApproveSoftphone { softphone }) => {
                send(&mut caller, &command(Command::Approve { softphone }, doors).await).await?;
            }
            Ok(LocalRequest::RevokeSoftphone { softphone }) => {
                send(&mut caller, &command(Command::Revoke { softphone }, doors).await).await?;
            }
            Ok(LocalRequest::Set { key, value }) => {
                send(&mut caller, &command(Command::Set { key, value }, doors).await).await?;
            }
            Ok(LocalRequest::Cancel { offer, anyway }) => {
                send(&mut caller, &command(Command::Cancel { offer, anyway }, doors).await).await?;
            }
            Ok(LocalRequest::Poll) => send(&mut caller, &command(Command::Poll, doors).await).await?,
            Err(error) => {
                let problem = not_understood(&error);
                send(&mut caller, &LocalAnswer::Problem { problem }).await?;
            }
        }
        busy.done(std::time::Instant::now());
    }
    Ok(())
}

/// `None` = the caller has no more to say.
async fn next_line(caller: &mut BufReader<LocalStream>) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    caller.take(MAX_REQUEST).read_until(b'\n', &mut line).await?;
    Ok((!line.is_empty()).then_some(line))
}

async fn view(doors: &Doors) -> LocalAnswer {
    doors.agent.greeted().await;
    LocalAnswer::View { view: Box::new(doors.agent.view().as_ref().clone()) }
}

async fn window(doors: &Doors) -> LocalAnswer {
    match doors.window.open_url(hub::user::menu::Page::Devices).await {
        Ok(url) => LocalAnswer::Window { url },
        Err(problem) => LocalAnswer::Problem { problem },
    }
}

async fn command(command: Command, doors: &Doors) -> LocalAnswer {
    match doors.agent.command(command).await {
        Ok(Reply::Refused(refusal)) => LocalAnswer::Problem { problem: refusal.problem },
        Ok(Reply::Done | Reply::Call(_) | Reply::Stranger(_) | Reply::Spokes(_)) => LocalAnswer::Done,
        Err(Stopping) => LocalAnswer::Problem { problem: Reason::Stopping.here() },
    }
}

async fn follow(doors: &Doors, writer: &mut (impl tokio::io::AsyncWrite + Unpin)) -> io::Result<()> {
    doors.agent.greeted().await;
    let mut views = doors.agent.views();
    loop {
        let view = views.borrow_and_update().as_ref().clone();
        send(writer, &LocalAnswer::View { view: Box::new(view) }).await?;
        if views.changed().await.is_err() {
            return Ok(());
        }
    }
}

async fn send(
    writer: &mut (impl tokio::io::AsyncWrite + Unpin),
    answer: &impl serde::Serialize,
) -> io::Result<()> {
    let mut line = serde_json::to_vec(answer)?;
    line.push(b'\n');
    writer.write_all(&line).await
}

/// The command line's end of the socket.
#[derive(Debug)]
pub struct LocalClient {
    reader: io::BufReader<LocalCaller>,
}

impl LocalClient {
    /// `None` = no agent runs with these folders.
    ///
    /// # Errors
    /// Something is there that does not let us in, or is another user's: it would be believed.
    pub fn connect(path: &Path) -> Result<Option<Self>, Problem> {
        let stream = match LocalCaller::connect(path) {
            Ok(stream) => stream,
            Err(error)
                if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) =>
            {
                return Ok(None);
            }
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Err(foreign(path)),
            Err(error) => return Err(lost(&error)),
        };
        if !stream.reaches_mine_or_roots().map_err(|error| lost(&error))? {
            return Err(foreign(path));
        }
        Ok(Some(Self { reader: io::BufReader::new(stream) }))
    }

    pub fn ask(&mut self, request: &LocalRequest) -> Result<LocalAnswer, Problem> {
        self.within(Some(ANSWER))?;
        self.say(request)?;
        self.read()
    }

    /// Changes a setting of the person, or takes it out of their file.
    ///
    /// # Errors
    /// No such setting, or not this value; somebody else decides on it; it cannot be written.
    pub fn set(&mut self, key: &str, value: Option<&str>) -> Result<(), Problem> {
        let (key, value) = (key.to_owned(), value.map(str::to_owned));
        match self.ask(&LocalRequest::Set { key, value })? {
            LocalAnswer::Problem { problem } => Err(problem),
            _ => Ok(()),
        }
    }

    /// The settings of the agent, listed.
    ///
    /// # Errors
    /// The agent is gone, or older than the question.
    pub fn settings(&mut self) -> Result<serde_json::Value, Problem> {
        match self.ask(&LocalRequest::Settings)? {
            LocalAnswer::Settings { settings } => Ok(settings),
            LocalAnswer::Problem { problem } => Err(problem),
            _ => Err(other_answer()),
        }
    }

    fn say(&mut self, request: &LocalRequest) -> Result<(), Problem> {
        let mut line = serde_json::to_vec(request).map_err(|e| lost(&e.into()))?;
        line.push(b'\n');
        self.reader.get_mut().write_all(&line).map_err(|e| lost(&e))
    }

    /// The next answer of a [`LocalRequest::Watch`].
    pub fn next_answer(&mut self) -> Result<LocalAnswer, Problem> {
        self.within(None)?;
        self.read()
    }

    fn within(&mut self, limit: Option<Duration>) -> Result<(), Problem> {
        self.reader.get_ref().give_up_after(limit).map_err(|error| lost(&error))
    }

    fn read<T: serde::de::DeserializeOwned>(&mut self) -> Result<T, Problem> {
        let mut line = Vec::new();
        let mut bounded = io::Read::take(&mut self.reader, MAX_ANSWER);
        let got = bounded.read_until(b'\n', &mut line).map_err(|e| lost(&e))?;
        if got == 0 {
            return Err(lost(&io::Error::from(io::ErrorKind::UnexpectedEof)));
        }
        serde_json::from_slice(&line).map_err(|e| lost(&e.into()))
    }
}

fn already_running(path: &Path) -> Problem {
    Reason::AlreadyRunning.at(path.display())
}

fn foreign(path: &Path) -> Problem {
    Reason::AgentForeign.at(path.display())
}

fn cannot_listen(path: &Path, error: &io::Error) -> Problem {
    Reason::LocalSocket { error: error.to_string() }.at(path.display())
}

fn not_understood(error: &serde_json::Error) -> Problem {
    Reason::NotUnderstood { error: error.to_string() }.here()
}

/// What came is no answer to what was asked.
pub fn other_answer() -> Problem {
    Reason::AgentAnswer.here()
}

fn lost(error: &io::Error) -> Problem {
    if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) {
        return Reason::AgentHangs { seconds: ANSWER.as_secs().to_string() }.here();
    }
    Reason::AgentLost { error: error.to_string() }.here()
}

impl std::fmt::Debug for Doors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Doors")
    }
}

#[cfg(test)]
mod tests {
    use super::super::handle::UserHandle;
    use super::super::window::WindowHandle;
    use super::*;
    use hub::locale::Locale;
    use hub::problem::Code;
    use hub::protocol::local::View;
    use std::io::Read as _;
    use std::os::unix::net::UnixStream as Caller;
    use std::sync::Barrier;
    use tokio::sync::{mpsc, watch};

    fn doors() -> Doors {
        let greeted = View { version: "0".to_owned(), ..View::default() };
        let agent = UserHandle::new(mpsc::channel(1).0, watch::channel(Arc::new(greeted)).1);
        let window = WindowHandle::new(agent.clone(), Arc::new(Locale::new("en")));
        Doors { agent, settings: watch::channel(serde_json::Value::Null).1, window, stop: mpsc::channel(1).0 }
    }

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
    }

    #[test]
    fn of_agents_that_start_at_the_same_moment_one_runs_and_is_reached() {
        const AGENTS: usize = 6;
        let folder = tempfile::tempdir().expect("a temporary folder");
        for round in 0..60 {
            let path = folder.path().join(format!("{round}.sock"));
            // What a crash left behind.
            drop(std::os::unix::net::UnixListener::bind(&path).expect("a socket"));
            let (together, over) = (Barrier::new(AGENTS), Barrier::new(AGENTS));
            let run = || {
                let runtime = runtime();
                tokio::task::LocalSet::new().block_on(&runtime, async {
                    together.wait();
                    let server = start(&path, doors());
                    over.wait();
                    let reached = Caller::connect(&path).is_ok();
                    over.wait();
                    (server.is_ok(), reached)
                })
            };
            let results: Vec<(bool, bool)> = std::thread::scope(|scope| {
                let agents: Vec<_> = (0..AGENTS).map(|_| scope.spawn(run)).collect();
                agents.into_iter().map(|agent| agent.join().expect("no panic")).collect()
            });
            assert_eq!(results.iter().filter(|(runs, _)| *runs).count(), 1, "round {round}: {results:?}");
            assert!(results.iter().all(|(_, reached)| *reached), "round {round}: {results:?}");
        }
    }

    /// More than are served at a time, and one asks.
    #[test]
    fn callers_that_say_nothing_give_way() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("agent.sock");
        let runtime = runtime();
        tokio::task::LocalSet::new().block_on(&runtime, async {
            let _server = start(&path, doors()).expect("free");
            let asked = std::thread::spawn(move || {
                let silent: Vec<_> =
                    (0..2 * MAX_CALLERS).map(|_| Caller::connect(&path).expect("it listens")).collect();
                let mut client = LocalClient::connect(&path).expect("it listens").expect("it runs");
                let answer = client.ask(&LocalRequest::View);
                drop(silent);
                answer
            });
            while !asked.is_finished() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let answer = asked.join().expect("no panic").expect("an answer");
            assert!(matches!(answer, LocalAnswer::View { .. }));
        });
    }

    #[test]
    fn an_agent_that_does_not_answer_is_a_problem_and_no_wait_for_ever() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("agent.sock");
        // Listens, as a stopped process does, and says nothing.
        let _listener = std::os::unix::net::UnixListener::bind(&path).expect("a socket");
        let mut client = LocalClient::connect(&path).expect("it listens").expect("it runs");
        client.within(Some(Duration::from_millis(50))).expect("set");
        let problem = client.read::<LocalAnswer>().expect_err("no answer");
        assert_eq!(problem.code, Code::AgentHangs);
    }

    #[test]
    fn the_rest_of_a_line_that_is_too_long_is_no_request() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("agent.sock");
        let runtime = runtime();
        tokio::task::LocalSet::new().block_on(&runtime, async {
            let _server = start(&path, doors()).expect("free");
            let asked = std::thread::spawn(move || {
                let mut caller = Caller::connect(&path).expect("it listens");
                let mut line = vec![b' '; MAX_REQUEST as usize];
                line.extend_from_slice(b"{\"do\":\"view\"}\n");
                caller.write_all(&line).expect("written");
                caller.set_read_timeout(Some(Duration::from_secs(5))).expect("set");
                let mut answers = String::new();
                // What was not read may make the end a reset.
                let _ = caller.read_to_string(&mut answers);
                answers
            });
            while !asked.is_finished() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let answers = asked.join().expect("no panic");
            assert!(!answers.contains("\"view\""), "{answers}");
        });
    }
}

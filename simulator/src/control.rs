//! The control door: a Unix socket, one JSON object a line, one answer for each request.
//!
//! The socket belongs to whoever started the simulator (mode 0600). [`serve`] answers, [`Client`] asks.
#![expect(clippy::disallowed_methods, reason = "a socket server has threads and files")]

mod client;

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::retry_on_intr;
use serde::{Deserialize, Serialize};

use crate::bus::HeadsetHandle;
use crate::dfu::Fault;
use crate::event_log::LogEntry;
use crate::headset::Button;
use crate::state::{Condition, State};

pub use client::Client;

/// The longest request in bytes, its newline included.
const MAX_REQUEST: u64 = 4096;
/// The longest wait a request may ask for.
const MAX_WAIT: Duration = Duration::from_secs(3600);

/// What can be asked, one a line: `{"op":"press","button":"hook"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// Press a button; answered by [`Answer::Pressed`].
    Press {
        /// Which.
        button: Button,
    },
    /// Press a button as a hand does, see [`HeadsetHandle::press_by_hand`]; answered by [`Answer::Pressed`] when the host
    /// has followed.
    PressByHand {
        /// Which.
        button: Button,
    },
    /// Pull the cable; answered by [`Answer::Done`].
    Unplug {},
    /// Plug it in again; answered by [`Answer::Done`].
    Plug {},
    /// Pull the cable; answered by [`Answer::Done`] when the host has seen it.
    UnplugByHand {},
    /// Plug it in again; answered by [`Answer::Done`] when a host reads its reports.
    PlugByHand {},
    /// Answered by [`Answer::State`].
    State {},
    /// Wait until a condition holds; answered by [`Answer::State`] or [`Answer::TimedOut`].
    Wait {
        /// `name=value[,name=value…]`, see [`Condition`].
        condition: String,
        /// At most an hour.
        timeout_ms: u64,
    },
    /// Arm a mishap; answered by [`Answer::Done`].
    Fail {
        /// Where and how.
        fault: Fault,
    },
    /// Disarm all mishaps; answered by [`Answer::Done`].
    ClearFaults {},
    /// Answered by [`Answer::Log`].
    Log {},
}

/// What comes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case", deny_unknown_fields)]
pub enum Answer {
    /// It happened.
    Done {},
    /// The button was pressed.
    Pressed {
        /// False: the headset does not react to it now.
        reacted: bool,
    },
    /// The headset at this moment.
    State {
        /// Everything about it.
        state: Box<State>,
    },
    /// The condition did not hold in time.
    TimedOut {
        /// The headset when the time was over.
        state: Box<State>,
    },
    /// What the headset noticed.
    Log {
        /// Oldest first.
        entries: Vec<LogEntry>,
    },
    /// The request is none.
    Refused {
        /// Why.
        reason: String,
    },
}

/// A running control door. Dropping it closes all connections and removes the socket.
#[derive(Debug)]
pub struct ControlServer {
    path: PathBuf,
    connections: Arc<Connections>,
    stop: UnixStream,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Connections {
    open: Mutex<BTreeMap<u64, UnixStream>>,
    last: AtomicU64,
}

impl ControlServer {
    /// Where it listens.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for ControlServer {
    fn drop(&mut self) {
        let _ = self.stop.shutdown(std::net::Shutdown::Both);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        for stream in self.connections.open.lock().unwrap_or_else(PoisonError::into_inner).values() {
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Opens a control door for a headset. A socket nobody answers any more is replaced.
///
/// # Errors
/// `AddrInUse` when another simulator answers at `path`, `AlreadyExists` when there is something else, and whatever the
/// system says.
pub fn serve(headset: HeadsetHandle, path: &Path) -> io::Result<ControlServer> {
    let listener = bind_private(path)?;
    let (stop, stopped) = UnixStream::pair()?;
    let connections = Arc::new(Connections::default());
    let thread = std::thread::spawn({
        let connections = Arc::clone(&connections);
        move || accept(&headset, &listener, &stopped, &connections)
    });
    Ok(ControlServer { path: path.to_owned(), connections, stop, thread: Some(thread) })
}

/// Binds in a directory of mode 0700 and moves the socket out of it when its mode is 0600: at no time can another
/// user connect.
fn bind_private(path: &Path) -> io::Result<UnixListener> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    if let Ok(found) = std::fs::symlink_metadata(path) {
        if !found.file_type().is_socket() {
            let text = format!("{} exists and is no socket: choose another path", path.display());
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, text));
        }
        if UnixStream::connect(path).is_ok() {
            let text = format!("another simulator answers at {}: choose another path", path.display());
            return Err(io::Error::new(io::ErrorKind::AddrInUse, text));
        }
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let nest = parent.join(format!(".sim{}.{count}", std::process::id()));
    std::fs::DirBuilder::new().mode(0o700).create(&nest)?;
    let egg = nest.join("s");
    let bound = UnixListener::bind(&egg).and_then(|listener| {
        std::fs::set_permissions(&egg, std::fs::Permissions::from_mode(0o600))?;
        std::fs::rename(&egg, path)?;
        Ok(listener)
    });
    let _ = std::fs::remove_dir_all(&nest);
    bound
}

fn accept(
    headset: &HeadsetHandle,
    listener: &UnixListener,
    stopped: &UnixStream,
    connections: &Arc<Connections>,
) {
    while wait_for_client(listener, stopped) {
        let Ok((stream, _)) = listener.accept() else { continue };
        let Ok(copy) = stream.try_clone() else { continue };
        let id = connections.last.fetch_add(1, Ordering::Relaxed);
        connections.open.lock().unwrap_or_else(PoisonError::into_inner).insert(id, copy);
        let (headset, connections) = (headset.clone(), Arc::clone(connections));
        std::thread::spawn(move || {
            // A client that goes away in the middle of an answer is no event.
            let _ = converse(&headset, &stream);
            connections.open.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        });
    }
}

/// False when the server is to stop.
fn wait_for_client(listener: &UnixListener, stopped: &UnixStream) -> bool {
    let mut polled = [PollFd::new(listener, PollFlags::IN), PollFd::new(stopped, PollFlags::IN)];
    retry_on_intr(|| poll(&mut polled, None)).is_ok() && polled[1].revents().is_empty()
}

fn converse(headset: &HeadsetHandle, stream: &UnixStream) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = Vec::new();
        reader.by_ref().take(MAX_REQUEST).read_until(b'\n', &mut line)?;
        if line.is_empty() {
            return Ok(());
        }
        let whole = line.last() == Some(&b'\n');
        let answer = if whole {
            match serde_json::from_slice(&line) {
                Ok(request) => handle(headset, request),
                Err(error) => Answer::Refused { reason: format!("not a request: {error}") },
            }
        } else {
            Answer::Refused { reason: format!("a request is one line of at most {MAX_REQUEST} bytes") }
        };
        let mut bytes = serde_json::to_vec(&answer)?;
        bytes.push(b'\n');
        (&mut &*stream).write_all(&bytes)?;
        if !whole {
            return Ok(());
        }
    }
}

fn handle(headset: &HeadsetHandle, request: Request) -> Answer {
    let state = || Answer::State { state: Box::new(headset.state()) };
    match request {
        Request::Press { button } => Answer::Pressed { reacted: headset.press(button) },
        Request::PressByHand { button } => Answer::Pressed { reacted: headset.press_by_hand(button) },
        Request::UnplugByHand {} => {
            headset.unplug_by_hand();
            Answer::Done {}
        }
        Request::PlugByHand {} => {
            headset.plug_by_hand();
            Answer::Done {}
        }
        Request::Unplug {} => {
            headset.unplug();
            Answer::Done {}
        }
        Request::Plug {} => {
            headset.plug();
            Answer::Done {}
        }
        Request::State {} => state(),
        Request::Wait { condition, timeout_ms } => {
            wait(headset, &condition, Duration::from_millis(timeout_ms))
        }
        Request::Fail { fault } => {
            headset.fail(fault);
            Answer::Done {}
        }
        Request::ClearFaults {} => {
            headset.clear_faults();
            Answer::Done {}
        }
        Request::Log {} => Answer::Log { entries: headset.log() },
    }
}

fn wait(headset: &HeadsetHandle, condition: &str, timeout: Duration) -> Answer {
    let checked = condition.parse::<Condition>().and_then(|condition| {
        condition.holds(&headset.state())?;
        Ok(condition)
    });
    match checked {
        Err(error) => Answer::Refused { reason: error.to_string() },
        Ok(condition) => {
            let holds = |state: &State| condition.holds(state) == Ok(true);
            match headset.wait_for(timeout.min(MAX_WAIT), holds) {
                Some(state) => Answer::State { state: Box::new(state) },
                None => Answer::TimedOut { state: Box::new(headset.state()) },
            }
        }
    }
}

//! The asking side of the control door.
#![expect(clippy::disallowed_methods, reason = "a socket client connects")]

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use super::{Answer, Request};
use crate::dfu::Fault;
use crate::event_log::LogEntry;
use crate::headset::Button;
use crate::state::State;

/// A connection to a control door.
#[derive(Debug)]
pub struct Client {
    reader: BufReader<UnixStream>,
}

impl Client {
    /// Connects to the socket of [`super::serve`].
    ///
    /// # Errors
    /// Whatever the system says; `NotFound` and `ConnectionRefused` mean that no simulator runs there.
    pub fn connect(path: impl AsRef<Path>) -> io::Result<Self> {
        Ok(Self { reader: BufReader::new(UnixStream::connect(path)?) })
    }

    /// Asks and waits for the answer.
    ///
    /// # Errors
    /// `UnexpectedEof` when the simulator ends, `InvalidData` for an answer that is none.
    pub fn request(&mut self, request: &Request) -> io::Result<Answer> {
        let mut line = serde_json::to_vec(request)?;
        line.push(b'\n');
        self.reader.get_mut().write_all(&line)?;
        let mut answer = String::new();
        if self.reader.read_line(&mut answer)? == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the simulator closed the connection"));
        }
        Ok(serde_json::from_str(&answer)?)
    }

    /// Presses a button. False: the headset does not react to it now.
    ///
    /// # Errors
    /// As [`Client::request`].
    pub fn press(&mut self, button: Button) -> io::Result<bool> {
        match self.request(&Request::Press { button })? {
            Answer::Pressed { reacted } => Ok(reacted),
            other => Err(unexpected(other)),
        }
    }

    /// Presses a button as a hand does; see [`crate::HeadsetHandle::press_by_hand`].
    ///
    /// # Errors
    /// As [`Client::request`].
    pub fn press_by_hand(&mut self, button: Button) -> io::Result<bool> {
        match self.request(&Request::PressByHand { button })? {
            Answer::Pressed { reacted } => Ok(reacted),
            other => Err(unexpected(other)),
        }
    }

    /// Pulls the cable, or plugs it in again, as a hand does.
    ///
    /// # Errors
    /// As [`Client::request`].
    pub fn plug_by_hand(&mut self, plugged: bool) -> io::Result<()> {
        self.done(&if plugged { Request::PlugByHand {} } else { Request::UnplugByHand {} })
    }

    /// Pulls the cable.
    ///
    /// # Errors
    /// As [`Client::request`].
    pub fn unplug(&mut self) -> io::Result<()> {
        self.done(&Request::Unplug {})
    }

    /// Plugs it in again.
    ///
    /// # Errors
    /// As [`Client::request`].
    pub fn plug(&mut self) -> io::Result<()> {
        self.done(&Request::Plug {})
    }

    /// Arms a mishap.
    ///
    /// # Errors
    /// As [`Client::request`].
    pub fn fail(&mut self, fault: Fault) -> io::Result<()> {
        self.done(&Request::Fail { fault })
    }

    /// Disarms all mishaps.
    ///
    /// # Errors
    /// As [`Client::request`].
    pub fn clear_faults(&mut self) -> io::Result<()> {
        self.done(&Request::ClearFaults {})
    }

    /// Everything about the headset at this moment.
    ///
    /// # Errors
    /// As [`Client::request`].
    pub fn state(&mut self) -> io::Result<State> {
        match self.request(&Request::State {})? {
            Answer::State { state } => Ok(*state),
            other => Err(unexpected(other)),
        }
    }

    /// Waits until a condition holds (`name=value[,name=value…]`); the state that fulfilled it.
    ///
    /// # Errors
    /// `TimedOut` when it did not hold in time, `InvalidInput` for a condition that is none, else as
    /// [`Client::request`].
    pub fn wait(&mut self, condition: &str, timeout: Duration) -> io::Result<State> {
        let timeout_ms = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        match self.request(&Request::Wait { condition: condition.to_owned(), timeout_ms })? {
            Answer::State { state } => Ok(*state),
            Answer::TimedOut { .. } => {
                let text = format!("{condition} did not hold within {timeout_ms} ms");
                Err(io::Error::new(io::ErrorKind::TimedOut, text))
            }
            other => Err(unexpected(other)),
        }
    }

    /// What the headset noticed, oldest first.
    ///
    /// # Errors
    /// As [`Client::request`].
    pub fn log(&mut self) -> io::Result<Vec<LogEntry>> {
        match self.request(&Request::Log {})? {
            Answer::Log { entries } => Ok(entries),
            other => Err(unexpected(other)),
        }
    }

    fn done(&mut self, request: &Request) -> io::Result<()> {
        match self.request(request)? {
            Answer::Done {} => Ok(()),
            other => Err(unexpected(other)),
        }
    }
}

fn unexpected(answer: Answer) -> io::Error {
    match answer {
        Answer::Refused { reason } => io::Error::new(io::ErrorKind::InvalidInput, reason),
        other => io::Error::new(io::ErrorKind::InvalidData, format!("unexpected answer {other:?}")),
    }
}

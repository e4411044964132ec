//! The user role, pure: the user and the groups, calls and lights, softphones, the tray menu.
//!
//! Mutate with [`Agent::handle`], then drain [`Agent::poll_output`] until `None`, then wait for
//! [`Agent::poll_timeout`]. No clock, file or socket here: time is an argument and wishes are outputs.

use crate::protocol::local::{Call, Direction, Endpoint};
use crate::protocol::{GroupRules, Problem, ToAgent, ToService};

pub mod call;
pub mod identity;
pub mod menu;
pub mod notice;
pub mod sdk;

pub use identity::DirectoryAnswer;
pub use menu::Menu;
pub use notice::Notice;
pub use sdk::{Cause, Change, SdkEvent};

/// What an owner does to its call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallAction {
    Answer,
    Hold,
    Resume,
    Mute,
    Unmute,
    End,
}

/// What a softphone, the window, the tray or the command line asks.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    CreateCall {
        client: String,
        direction: Direction,
        contact: Option<String>,
    },
    Call {
        client: String,
        id: u64,
        action: CallAction,
    },
    /// A softphone left: its calls end.
    ClientGone {
        client: String,
    },
    Install {
        offer: String,
    },
    Defer {
        offer: String,
    },
}

/// The answer to one [`Command`].
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    Call(Call),
    Done,
    Refused(Problem),
}

#[derive(Debug)]
pub enum Input {
    Service(ToAgent),
    /// `request` comes back in [`Output::Reply`].
    Command {
        request: u64,
        command: Command,
    },
    Directory(DirectoryAnswer),
    /// The state of a door or a function of the shell changed.
    Endpoint(Endpoint),
    /// A function that is not running and why; `None` = it runs (again).
    Function {
        name: &'static str,
        problem: Option<Problem>,
    },
    /// Ends all calls and puts every light out.
    Stop,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    Service(ToService),
    Reply {
        request: u64,
        reply: Reply,
    },
    /// Ask the directory which of these rules find the user.
    AskDirectory {
        user: String,
        rules: GroupRules,
    },
    /// One numbered event for every subscribed softphone.
    Event(SdkEvent),
    Notice(Notice),
    /// Anything a face draws changed: draw [`Agent::view`] and [`Agent::menu`] again.
    ViewChanged,
}

//! The user role, pure: the user and the groups, calls and lights, softphones, the tray menu.
//!
//! Mutate with [`UserRole::handle`], then drain [`UserRole::poll_output`] until `None`, then wait for
//! [`UserRole::poll_timeout`]. No clock, file or socket here: time is an argument and wishes are outputs.

use crate::protocol::client::ClientId;
use crate::protocol::local::{Call, Direction};
use crate::protocol::{DeviceId, Problem, ToMachine, ToUser};
use crate::world::WorldChange;
use sdk::consent::{Approvals, Stranger};

pub mod asked;
pub mod call;
pub mod door;
pub mod headset;
pub mod link;
pub mod menu;
pub mod notice;
pub mod refusal;
pub mod ringing;
mod role;
pub mod sdk;
mod softphones;
pub mod spokes;
pub mod terminal;
mod updates;
pub mod words;

pub use door::DoorState;
pub use menu::Menu;
pub use notice::Notice;
pub use refusal::{Refusal, WhyNot};
pub use role::UserRole;
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
        client: ClientId,
        /// What it calls itself.
        label: Option<String>,
        direction: Direction,
        contact: Option<String>,
        /// Begins without the microphone.
        muted: bool,
    },
    Call {
        client: ClientId,
        id: u64,
        action: CallAction,
    },
    /// What a softphone written for the Plantronics Hub asks: [`Reply::Spokes`].
    Spokes {
        asker: spokes::Asker,
        asks: spokes::request::Asks,
    },
    /// A softphone comes to the door: [`Reply::Done`] if it may come in, else [`Reply::Stranger`].
    Knock {
        client: ClientId,
        /// It is a program, and showed the token.
        token: bool,
        /// What it calls itself.
        label: Option<String>,
    },
    /// The person lets a softphone use the headset, by the name of its [`ClientId`].
    Approve {
        softphone: String,
    },
    /// The person takes that back, or says no to one that asks or has the token.
    Revoke {
        softphone: String,
    },
    Install {
        offer: String,
    },
    /// Stops an update, up to the end of the download; later the device decides. `anyway`: also where that leaves the
    /// headset without working firmware.
    Cancel {
        /// That one alone, whether it runs or waits; `None` = the one that runs.
        offer: Option<String>,
        anyway: bool,
    },
    Defer {
        offer: String,
    },
    /// Whether the program may end now; `anyway` also where that leaves a headset without working firmware.
    Quit {
        anyway: bool,
    },
    /// Lets this headset carry the calls, from now on and remembered.
    UseHeadset {
        device: DeviceId,
    },
    /// Changes a setting of the person, or takes it out of their file.
    Set {
        key: String,
        value: Option<String>,
    },
    /// Asks the tenant now.
    Poll,
}

/// What of the agent can be out of order by itself, in the order it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Function {
    /// The machine role speaks another version, or is not there.
    Machine,
    Settings,
    Rest,
    Certificate,
    /// What was decided about softphones cannot be kept.
    Approvals,
    Tray,
    Browser,
    /// What the agent cannot do on this system yet.
    System,
}

/// The answer to one [`Command`].
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    Call(Call),
    Done,
    /// A softphone that may not come in.
    Stranger(Stranger),
    /// An envelope of the Plantronics Hub, as JSON.
    Spokes(String),
    Refused(Refusal),
}

/// Why there is no way to a machine role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loss {
    /// None listens, or the way to it ended.
    Gone,
    /// Whoever listens in its place is another account, which is not believed.
    Foreign,
    /// The system does not let it be reached; in its words.
    Unreachable(String),
}

#[derive(Debug)]
pub enum Input {
    Machine(ToUser),
    /// An [`Output::FindMachine`] found it: what is said reaches it.
    MachineFound,
    /// None was found, or it is gone. What was said last may have been lost.
    MachineLost(Loss),
    /// Something came to the place where it is found.
    MachineCame,
    /// `request` comes back in [`Output::Reply`].
    Command {
        request: u64,
        command: Command,
    },
    /// A softphone listens from now on. `session` is its stream, of which no other has the number.
    StreamOpened {
        session: u64,
        client: ClientId,
    },
    /// It went, or was ended by [`Output::EndStream`].
    StreamClosed {
        session: u64,
    },
    /// The softphones that the settings approve, at the start and after every change.
    Approvals(Approvals),
    /// How [`Output::KeepApproval`] ended: the settings as they are now.
    ApprovalKept {
        request: u64,
        settings: Result<Approvals, Problem>,
    },
    /// The person's settings as they are now, at the start and after every change.
    Settings {
        /// The headset that they name.
        headset: Option<DeviceId>,
        /// What of them cannot be used.
        problems: Vec<Problem>,
    },
    /// How [`Output::KeepSetting`] ended.
    SettingKept {
        request: u64,
        kept: Result<(), Problem>,
    },
    /// How [`Output::KeepHeadset`] ended.
    HeadsetKept {
        request: u64,
        kept: Result<DeviceId, Problem>,
    },
    /// Everything that depends on it is looked at again.
    WorldChanged(WorldChange),
    /// How the door for softphones was found.
    Door(DoorState),
    /// A function of the agent that is not running, or not wholly, and why; none = it runs (again).
    Function {
        function: Function,
        problems: Vec<Problem>,
    },
    /// Ends all calls and puts every light out.
    Stop,
}

#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "moved a few times a second at most")]
pub enum Output {
    Machine(ToMachine),
    /// Look for the machine role; answered by [`Input::MachineFound`] or [`Input::MachineLost`].
    FindMachine,
    /// End the way to it, it says nothing; answered by [`Input::MachineLost`].
    LeaveMachine,
    Reply {
        request: u64,
        reply: Reply,
    },
    /// Open the door for softphones if it is closed, else look whether its certificate still does; answered by
    /// [`Input::Door`].
    CheckDoor,
    /// One numbered event for every subscribed softphone.
    Event(SdkEvent),
    /// This softphone may not listen any more.
    EndStream {
        session: u64,
    },
    /// Write into the person's settings that this headset carries the calls; answered by [`Input::HeadsetKept`].
    KeepHeadset {
        request: u64,
        device: DeviceId,
    },
    /// Write this into the person's settings; answered by [`Input::SettingKept`], after [`Input::Settings`].
    KeepSetting {
        request: u64,
        key: String,
        value: Option<String>,
    },
    /// Write into the person's settings that this softphone is approved, or not any more.
    KeepApproval {
        request: u64,
        client: ClientId,
        approved: bool,
    },
    Notice(Notice),
    /// Anything a face draws changed: draw [`UserRole::view`] and [`UserRole::menu`] again. Not before the machine role's hello.
    ViewChanged,
}

//! The user role, pure: the user and the groups, calls and lights, softphones, the tray menu.
//!
//! Mutate with [`UserRole::handle`], then drain [`UserRole::poll_output`] until `None`, then wait for
//! [`UserRole::poll_timeout`]. No clock, file or socket here: time is an argument and wishes are outputs.

use crate::protocol::client::ClientId;
use crate::protocol::local::{Call, Direction, View};
use crate::protocol::{
    Device, DeviceId, DeviceStatus, Indicators, PROTOCOL_VERSION, Problem, State, ToMachine, ToUser, Trouble,
};
use crate::world::WorldChange;
use asked::Asked;
use call::Calls;
use door::Door;
use link::Link;
use notice::Notices;
use sdk::consent::{Approvals, Consent, Stranger};
use sdk::session::Sessions;
use sdk::{Backlog, EventLog};
use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

pub mod asked;
pub mod call;
pub mod door;
pub mod headset;
pub mod link;
pub mod menu;
pub mod notice;
pub mod refusal;
pub mod sdk;
mod softphones;
pub mod terminal;
mod updates;
pub mod words;

pub use door::DoorState;
pub use menu::Menu;
pub use notice::Notice;
pub use refusal::{Refusal, WhyNot};
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
    Refused(Refusal),
}

#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "moved a few times a second at most")]
pub enum Input {
    Machine(ToUser),
    /// An [`Output::FindMachine`] found it: what is said reaches it.
    MachineFound,
    /// None was found, or it is gone. What was said last may have been lost.
    MachineLost,
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

/// The user role. See the module for how it is driven.
#[derive(Debug)]
pub struct UserRole {
    view: View,
    log: EventLog,
    calls: Calls,
    door: Door,
    notices: Notices,
    /// The person is at the seat: the headsets are theirs.
    active: bool,
    /// Lights as last asked for, of every device that is not dark.
    lit: BTreeMap<DeviceId, Indicators>,
    /// What is out of order at the machine.
    troubles: Vec<Trouble>,
    /// What is out of order here.
    functions: BTreeMap<Function, Vec<Problem>>,
    consent: Consent,
    /// The headset that the person chose.
    chosen: Option<DeviceId>,
    /// The one that the settings named last.
    named: Option<DeviceId>,
    sessions: Sessions,
    /// Requests to the machine role and whose they are.
    asked: Asked,
    link: Link,
    outputs: VecDeque<Output>,
    /// Answers wait until the view that contains what they answer for is out.
    replies: Vec<Output>,
    dirty: bool,
    /// The machine role said hello: before that the view would show a machine without headset and tenant.
    greeted: bool,
}

impl UserRole {
    pub fn new(version: &str) -> Self {
        let view = View { version: version.to_owned(), ..View::default() };
        let hello = Output::Machine(ToMachine::Hello { protocol: PROTOCOL_VERSION });
        Self {
            view,
            log: EventLog::default(),
            calls: Calls::default(),
            door: Door::default(),
            notices: Notices::default(),
            lit: BTreeMap::new(),
            active: true,
            troubles: Vec::new(),
            functions: BTreeMap::new(),
            consent: Consent::default(),
            chosen: None,
            named: None,
            sessions: Sessions::default(),
            asked: Asked::default(),
            link: Link::default(),
            outputs: VecDeque::from([hello]),
            replies: Vec::new(),
            dirty: false,
            greeted: false,
        }
    }

    /// Ids of calls count from here; see [`Calls::number_from`].
    #[must_use]
    pub fn numbering_calls_from(mut self, first: u64) -> Self {
        self.calls.number_from(first);
        self
    }

    /// The headset that the settings name.
    #[must_use]
    pub fn preferring(mut self, headset: Option<DeviceId>) -> Self {
        (self.chosen, self.named) = (headset.clone(), headset);
        self
    }

    pub fn view(&self) -> &View {
        &self.view
    }

    pub fn menu(&self) -> Menu {
        menu::menu(&self.view)
    }

    /// What a subscriber gets first; everything after it comes as [`Output::Event`].
    pub fn backlog(&self, after: Option<u64>) -> Backlog {
        match after.and_then(|after| self.log.after(after)) {
            Some(missed) => Backlog::Missed(missed),
            None => Backlog::State { view: Box::new(self.view.clone()), last: self.log.last() },
        }
    }

    pub fn handle(&mut self, input: Input, now: Instant) {
        match input {
            Input::Machine(message) => self.handle_machine(message, now),
            Input::MachineFound => self.machine_found(now),
            Input::MachineCame => self.machine_came(),
            Input::MachineLost => self.machine_lost(now),
            Input::Command { request, command } => self.handle_command(request, command, now),
            Input::StreamOpened { session, client } => {
                let makes_room = self.sessions.opened(session, client);
                self.outputs.extend(makes_room.map(|session| Output::EndStream { session }));
            }
            Input::StreamClosed { session } => self.sessions.closed(session, now),
            Input::Approvals(approvals) => self.consent.set_own(approvals),
            Input::ApprovalKept { request, settings } => self.approval_kept(request, settings),
            Input::Settings { headset, problems } => self.settings_read(headset, problems),
            Input::SettingKept { request, kept } => self.setting_kept(request, kept),
            Input::HeadsetKept { request, kept } => self.headset_kept(request, kept),
            Input::WorldChanged(change) => {
                if self.door.world_changed(change) {
                    self.outputs.push_back(Output::CheckDoor);
                }
            }
            Input::Door(state) => self.door_found(state, now),
            Input::Function { function, problems } => self.function(function, problems),
            Input::Stop => {
                let mut changes = Vec::new();
                self.calls.end_all(None, &mut changes);
                self.publish(changes);
            }
        }
        self.settle(now);
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        self.softphones_gone(now);
        self.look_for_machine(now);
        for request in self.asked.handle_timeout(now) {
            let reply = Reply::Refused(refusal::no_answer());
            self.replies.push(Output::Reply { request, reply });
        }
        if self.door.handle_timeout(now) {
            self.outputs.push_back(Output::CheckDoor);
        }
        self.settle(now);
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call [`UserRole::handle_timeout`], and why.
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let deadlines = [
            self.door.poll_timeout(),
            self.sessions.poll_timeout(),
            self.consent.poll_timeout(),
            self.asked.poll_timeout(),
            self.link.poll_timeout(),
        ];
        deadlines.into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    fn handle_machine(&mut self, message: ToUser, now: Instant) {
        self.dirty = true;
        match message {
            ToUser::Hello(state) if state.protocol == PROTOCOL_VERSION => self.hello(*state, now),
            ToUser::Hello(state) => self.refuse(state.protocol),
            ToUser::Refused { protocol } => self.refuse(protocol),
            ToUser::DeviceChanged { device } => self.device_changed(device),
            ToUser::DeviceRemoved { id } => {
                self.view.devices.retain(|d| d.id != id);
                self.lit.remove(&id);
                self.publish(vec![Change::DeviceRemoved(id)]);
            }
            ToUser::DeviceEvent { id, event } => {
                let mut changes = Vec::new();
                let carries = self.view.headset.as_ref() == Some(&id);
                self.calls.device(&id, carries, event, &mut changes);
                self.publish(changes);
            }
            ToUser::OffersChanged { offers } => {
                self.view.offers = offers;
                self.updates_changed();
            }
            ToUser::JobChanged { job } => {
                self.notices.job(self.view.job.as_ref(), job.as_ref());
                self.job_is(job);
                self.updates_changed();
            }
            ToUser::QueueChanged { queue } => {
                self.queue_is(queue);
                self.updates_changed();
            }
            ToUser::TenantChanged { tenant } => {
                self.consent.set_company(&tenant.sdk_approved);
                self.view.tenant = tenant;
            }
            ToUser::TroublesChanged { troubles } => {
                self.troubles = troubles;
                self.problems_changed();
            }
            ToUser::GroupsChanged { groups, problem } => {
                self.view.groups = groups;
                self.view.groups_problem = problem;
            }
            ToUser::SeatChanged { active } => {
                self.active = active;
                // Whoever leaves the seat leaves it dark, and so it is found.
                self.lit.clear();
            }
            ToUser::Answer { request, problem } => {
                if let Some(request) = self.asked.answered(request) {
                    let refused = |problem| Reply::Refused(Refusal::new(WhyNot::Machine, problem));
                    let reply = problem.map_or(Reply::Done, refused);
                    self.replies.push(Output::Reply { request, reply });
                }
            }
        }
    }

    /// Softphones that subscribed before this hear what is new in it.
    fn hello(&mut self, state: State, now: Instant) {
        self.greeted = true;
        self.link.greeted(now);
        self.view.unheard = false;
        self.function(Function::Machine, Vec::new());
        let before = std::mem::replace(&mut self.view.devices, state.devices);
        let now = &self.view.devices;
        let gone = before.iter().filter(|was| !now.iter().any(|is| is.id == was.id));
        let mut changes: Vec<Change> = gone.map(|was| Change::DeviceRemoved(was.id.clone())).collect();
        changes.extend(now.iter().filter(|is| !before.contains(is)).cloned().map(Change::DeviceChanged));
        self.publish(changes);
        let updates = (&self.view.offers, &self.view.job, &self.view.queue);
        if updates != (&state.offers, &state.job, &state.queue) {
            self.view.offers = state.offers;
            self.job_is(state.job);
            self.queue_is(state.queue);
            self.updates_changed();
        }
        self.consent.set_company(&state.tenant.sdk_approved);
        self.view.tenant = state.tenant;
        self.troubles = state.troubles;
        self.problems_changed();
        self.lit.clear();
        self.active = state.active;
        self.view.user = state.user;
        self.view.groups = state.groups;
        self.view.groups_problem = state.groups_problem;
    }

    fn device_changed(&mut self, device: Device) {
        match self.view.devices.iter_mut().find(|d| d.id == device.id) {
            Some(known) => *known = device.clone(),
            None => {
                // A headset that comes (back) is dark: the lights of a running call are asked for again.
                self.lit.remove(&device.id);
                self.view.devices.push(device.clone());
            }
        }
        if device.status != DeviceStatus::Ready {
            self.lit.remove(&device.id);
        }
        self.notices.device(&device);
        self.publish(vec![Change::DeviceChanged(device)]);
    }

    fn function(&mut self, function: Function, problems: Vec<Problem>) {
        match problems.is_empty() {
            true => self.functions.remove(&function),
            false => self.functions.insert(function, problems),
        };
        self.problems_changed();
    }

    fn problems_changed(&mut self) {
        let of_machine = self.troubles.iter().map(|trouble| &trouble.problem);
        let problems: Vec<Problem> = of_machine.chain(self.functions.values().flatten()).cloned().collect();
        self.dirty |= self.view.problems != problems;
        self.view.problems = problems;
    }

    fn handle_command(&mut self, request: u64, command: Command, now: Instant) {
        let mut changes = Vec::new();
        let result = match command {
            Command::CreateCall { client, label, direction, contact, muted } => {
                self.calls.create((client, label), direction, contact, muted, &mut changes).map(Reply::Call)
            }
            Command::Call { client, id, action } => {
                self.calls.act(&client, id, action, &mut changes).map(Reply::Call)
            }
            Command::Knock { client, token, label } => Ok(self.knock(&client, token, label)),
            Command::Approve { softphone } => return self.decide(request, &softphone, true),
            Command::Revoke { softphone } => return self.decide(request, &softphone, false),
            // The running one is not offered, and that it runs is what stands in the way.
            Command::Install { offer }
                if self.view.job.as_ref().is_none_or(|job| job.outcome.is_some() || job.offer != offer)
                    && !self.view.offers.iter().any(|o| o.id == offer) =>
            {
                Err(refusal::no_such_offer(offer))
            }
            Command::Install { offer } => {
                return self.ask_machine(request, now, |request| ToMachine::InstallUpdate { request, offer });
            }
            Command::Cancel { offer, anyway } => {
                let cancel = |request| ToMachine::CancelUpdate { request, offer, anyway };
                return self.ask_machine(request, now, cancel);
            }
            Command::Defer { offer } => {
                return self.ask_machine(request, now, |request| ToMachine::DeferUpdate { request, offer });
            }
            Command::Quit { anyway } => match menu::quit_strands(&self.view).filter(|_| !anyway) {
                Some(problem) => Err(Refusal::new(WhyNot::AtWork, problem)),
                None => Ok(Reply::Done),
            },
            Command::UseHeadset { device } => return self.use_headset(request, device),
            Command::Set { key, value } => {
                return self.outputs.push_back(Output::KeepSetting { request, key, value });
            }
            Command::Poll => return self.ask_machine(request, now, |request| ToMachine::Poll { request }),
        };
        self.publish(changes);
        let reply = result.unwrap_or_else(Reply::Refused);
        self.replies.push(Output::Reply { request, reply });
    }

    fn ask_machine(&mut self, request: u64, now: Instant, message: impl FnOnce(u64) -> ToMachine) {
        if self.link.is_away() {
            let reply = Reply::Refused(Refusal::new(WhyNot::MachineAway, link::away()));
            return self.replies.push(Output::Reply { request, reply });
        }
        let number = self.asked.ask(request, now);
        self.outputs.push_back(Output::Machine(message(number)));
    }

    fn publish(&mut self, changes: Vec<Change>) {
        for change in changes {
            self.dirty = true;
            let event = self.log.push(change);
            self.outputs.push_back(Output::Event(event));
        }
    }

    /// What every change ends with: lights, notices and faces follow the state, never the event.
    fn settle(&mut self, now: Instant) {
        self.settle_softphones(now);
        self.view.calls = self.calls.all().to_vec();
        self.choose_headset();
        self.light();
        self.outputs.extend(self.notices.drain_urgent().map(Output::Notice));
        if self.calls.is_empty() {
            self.outputs.extend(self.notices.drain().map(Output::Notice));
        }
        if self.greeted && std::mem::take(&mut self.dirty) {
            self.outputs.push_back(Output::ViewChanged);
        }
        self.outputs.extend(self.replies.drain(..));
    }
}

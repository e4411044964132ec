//! The user role, pure: the user and the groups, calls and lights, softphones, the tray menu.
//!
//! Mutate with [`Agent::handle`], then drain [`Agent::poll_output`] until `None`, then wait for
//! [`Agent::poll_timeout`]. No clock, file or socket here: time is an argument and wishes are outputs.

use crate::protocol::local::{Call, Direction, Endpoint, View};
use crate::protocol::{
    Device, DeviceId, DeviceStatus, GroupRules, Indicators, PROTOCOL_VERSION, Problem, State, ToAgent,
    ToService,
};
use call::Calls;
use identity::{Identity, Step};
use notice::Notices;
use sdk::{Backlog, EventLog};
use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

pub mod call;
pub mod identity;
pub mod menu;
pub mod notice;
pub mod sdk;
pub mod terminal;
pub mod words;

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
    /// The same from the tray, where nobody waits for the reply: a refusal is shown as a notice at once.
    InstallFromTray {
        offer: String,
    },
    /// Stops the running update, up to the end of the download; later the device decides.
    Cancel,
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
#[expect(clippy::large_enum_variant, reason = "moved a few times a second at most")]
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
    /// Anything a face draws changed: draw [`Agent::view`] and [`Agent::menu`] again. Not before the service's hello.
    ViewChanged,
}

/// The user role. See the module for how it is driven.
#[derive(Debug)]
pub struct Agent {
    view: View,
    log: EventLog,
    calls: Calls,
    identity: Identity,
    notices: Notices,
    /// The headset that carries the calls; it keeps them until it is gone.
    headset: Option<DeviceId>,
    /// Lights as last asked for, of every device that is not dark.
    lit: BTreeMap<DeviceId, Indicators>,
    functions: BTreeMap<&'static str, Problem>,
    /// Requests to the service and whose they are.
    asked: BTreeMap<u64, u64>,
    last_asked: u64,
    /// Requests that came from the tray, with the name of the update.
    clicked: BTreeMap<u64, String>,
    outputs: VecDeque<Output>,
    /// Answers wait until the view that contains what they answer for is out.
    replies: Vec<Output>,
    dirty: bool,
    /// The service said hello: before that the view would show a machine without headset and tenant.
    greeted: bool,
}

impl Agent {
    /// `user` is what `$user$` stands for in the group rules.
    pub fn new(version: &str, user: String) -> Self {
        let view = View { version: version.to_owned(), user: user.clone(), ..View::default() };
        let hello = Output::Service(ToService::Hello { protocol: PROTOCOL_VERSION, user });
        Self {
            view,
            log: EventLog::default(),
            calls: Calls::default(),
            identity: Identity::default(),
            notices: Notices::default(),
            headset: None,
            lit: BTreeMap::new(),
            functions: BTreeMap::new(),
            asked: BTreeMap::new(),
            last_asked: 0,
            clicked: BTreeMap::new(),
            outputs: VecDeque::from([hello]),
            replies: Vec::new(),
            dirty: false,
            greeted: false,
        }
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
            Input::Service(message) => self.handle_service(message),
            Input::Command { request, command } => self.handle_command(request, command),
            Input::Directory(answer) => {
                let step = self.identity.answered(answer, now);
                self.identity_step(step);
            }
            Input::Endpoint(endpoint) => {
                self.dirty |= self.view.rest != endpoint;
                self.view.rest = endpoint;
            }
            Input::Function { name, problem } => {
                match problem {
                    Some(problem) => self.functions.insert(name, problem),
                    None => self.functions.remove(name),
                };
                self.view.problems = self.functions.values().cloned().collect();
                self.dirty = true;
            }
            Input::Stop => {
                let mut changes = Vec::new();
                self.calls.end_all(None, &mut changes);
                self.publish(changes);
            }
        }
        self.settle();
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        let step = self.identity.handle_timeout(now);
        self.identity_step(step);
        self.settle();
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call [`Agent::handle_timeout`], and why.
    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        self.identity.poll_timeout()
    }

    fn handle_service(&mut self, message: ToAgent) {
        self.dirty = true;
        match message {
            ToAgent::Hello(state) => self.hello(*state),
            ToAgent::DeviceChanged { device } => self.device_changed(device),
            ToAgent::DeviceRemoved { id } => {
                self.view.devices.retain(|d| d.id != id);
                self.lit.remove(&id);
                self.publish(vec![Change::DeviceRemoved(id)]);
            }
            ToAgent::DeviceEvent { id, event } => {
                let mut changes = Vec::new();
                self.calls.device(&id, event, &mut changes);
                self.publish(changes);
            }
            ToAgent::OffersChanged { offers } => {
                self.view.offers = offers;
                self.updates_changed();
            }
            ToAgent::JobChanged { job } => {
                self.notices.job(self.view.job.as_ref(), job.as_ref());
                self.view.job = job;
                self.updates_changed();
            }
            ToAgent::TenantChanged { tenant } => self.view.tenant = tenant,
            ToAgent::ResolveGroups { rules } => {
                let step = self.identity.set_rules(rules);
                self.identity_step(step);
            }
            ToAgent::Answer { request, problem } => {
                if let Some(request) = self.asked.remove(&request) {
                    if let (Some(name), Some(problem)) = (self.clicked.remove(&request), &problem) {
                        self.outputs.push_back(Output::Notice(notice::refused(&name, problem)));
                    }
                    let reply = problem.map_or(Reply::Done, Reply::Refused);
                    self.replies.push(Output::Reply { request, reply });
                }
            }
        }
    }

    /// Softphones that subscribed before this hear what is new in it.
    fn hello(&mut self, state: State) {
        self.greeted = true;
        let before = std::mem::replace(&mut self.view.devices, state.devices);
        let now = &self.view.devices;
        let gone = before.iter().filter(|was| !now.iter().any(|is| is.id == was.id));
        let mut changes: Vec<Change> = gone.map(|was| Change::DeviceRemoved(was.id.clone())).collect();
        changes.extend(now.iter().filter(|is| !before.contains(is)).cloned().map(Change::DeviceChanged));
        self.publish(changes);
        if self.view.offers != state.offers || self.view.job != state.job {
            self.view.offers = state.offers;
            self.view.job = state.job;
            self.updates_changed();
        }
        self.view.tenant = state.tenant;
        self.lit.clear();
        self.identity.known(state.known_groups);
        self.view.groups = self.identity.groups().to_vec();
        if let Some(rules) = state.rules {
            let step = self.identity.set_rules(rules);
            self.identity_step(step);
        }
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

    fn handle_command(&mut self, request: u64, command: Command) {
        let mut changes = Vec::new();
        let result = match command {
            Command::CreateCall { client, direction, contact } => {
                self.calls.create(client, direction, contact, &mut changes).map(Reply::Call)
            }
            Command::Call { client, id, action } => {
                self.calls.act(&client, id, action, &mut changes).map(Reply::Call)
            }
            Command::ClientGone { client } => {
                self.calls.end_all(Some(&client), &mut changes);
                Ok(Reply::Done)
            }
            Command::Install { offer } => {
                return self.ask_service(request, |request| ToService::InstallUpdate { request, offer });
            }
            Command::InstallFromTray { offer } => {
                let known = self.view.offers.iter().find(|o| o.id == offer);
                let name = known.map_or_else(|| offer.clone(), |o| o.name.clone());
                self.clicked.insert(request, name);
                return self.ask_service(request, |request| ToService::InstallUpdate { request, offer });
            }
            Command::Cancel => {
                return self.ask_service(request, |request| ToService::CancelUpdate { request });
            }
            Command::Defer { offer } => {
                return self.ask_service(request, |request| ToService::DeferUpdate { request, offer });
            }
        };
        self.publish(changes);
        let reply = result.unwrap_or_else(Reply::Refused);
        self.replies.push(Output::Reply { request, reply });
    }

    fn ask_service(&mut self, request: u64, message: impl FnOnce(u64) -> ToService) {
        self.last_asked += 1;
        self.asked.insert(self.last_asked, request);
        self.outputs.push_back(Output::Service(message(self.last_asked)));
    }

    fn identity_step(&mut self, step: Step) {
        match step {
            Step::Ask(rules) => {
                self.outputs.push_back(Output::AskDirectory { user: self.view.user.clone(), rules });
            }
            Step::Resolved => {
                let groups = self.identity.groups().to_vec();
                let problem = self.identity.problem().cloned();
                self.view.groups.clone_from(&groups);
                self.view.groups_problem.clone_from(&problem);
                self.dirty = true;
                let user = self.view.user.clone();
                self.outputs.push_back(Output::Service(ToService::Identity { user, groups, problem }));
            }
            Step::Nothing => {}
        }
    }

    fn updates_changed(&mut self) {
        let change = Change::Updates { offers: self.view.offers.clone(), job: self.view.job.clone() };
        self.publish(vec![change]);
    }

    fn publish(&mut self, changes: Vec<Change>) {
        for change in changes {
            self.dirty = true;
            let event = self.log.push(change);
            self.outputs.push_back(Output::Event(event));
        }
    }

    /// What every change ends with: lights, notices and faces follow the state, never the event.
    fn settle(&mut self) {
        self.view.calls = self.calls.all().to_vec();
        self.choose_headset();
        let wanted = self.calls.indicators();
        let dark = Indicators::default();
        for device in &self.view.devices {
            if device.status != DeviceStatus::Ready {
                continue;
            }
            let target = if self.headset.as_ref() == Some(&device.id) { wanted } else { dark };
            let known = self.lit.get(&device.id).copied().unwrap_or(dark);
            if target != known {
                self.lit.insert(device.id.clone(), target);
                let message = ToService::SetIndicators { device: device.id.clone(), indicators: target };
                self.outputs.push_back(Output::Service(message));
            }
        }
        if self.calls.is_empty() {
            self.outputs.extend(self.notices.drain().map(Output::Notice));
        }
        if self.greeted && std::mem::take(&mut self.dirty) {
            self.outputs.push_back(Output::ViewChanged);
        }
        self.outputs.extend(self.replies.drain(..));
    }

    /// The first ready headset with call control; it stays the one until it is gone or not ready.
    fn choose_headset(&mut self) {
        let usable = |d: &&Device| d.status == DeviceStatus::Ready && d.capabilities.call_control;
        let stays = self.view.devices.iter().filter(usable).any(|d| Some(&d.id) == self.headset.as_ref());
        if !stays {
            self.headset = self.view.devices.iter().find(usable).map(|d| d.id.clone());
        }
    }
}

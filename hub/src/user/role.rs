//! What the user role is made of, and what it does with what it is told.

use super::asked::Asked;
use super::call::Calls;
use super::door::Door;
use super::link::Link;
use super::notice::Notices;
use super::ringing::Ringing;
use super::sdk::consent::Consent;
use super::sdk::session::Sessions;
use super::sdk::{Backlog, Change, EventLog};
use super::spokes::Spokes;
use super::{Command, Function, Input, Menu, Output, Refusal, Reply, WhyNot, link, menu, refusal};
use crate::protocol::local::View;
use crate::protocol::{
    Device, DeviceId, DeviceStatus, Indicators, PROTOCOL_VERSION, Problem, State, ToMachine, ToUser, Trouble,
};
use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

/// The user role. See [`super`] for how it is driven.
#[derive(Debug)]
pub struct UserRole {
    pub(super) view: View,
    pub(super) log: EventLog,
    pub(super) calls: Calls,
    pub(super) door: Door,
    pub(super) notices: Notices,
    /// The person is at the seat: the headsets are theirs.
    pub(super) active: bool,
    /// Lights as last asked for, of every device that is not dark.
    pub(super) lit: BTreeMap<DeviceId, Indicators>,
    /// What is out of order at the machine.
    pub(super) troubles: Vec<Trouble>,
    /// What is out of order here.
    pub(super) functions: BTreeMap<Function, Vec<Problem>>,
    pub(super) consent: Consent,
    /// The headset that the person chose.
    pub(super) chosen: Option<DeviceId>,
    /// The one that the settings named last.
    pub(super) named: Option<DeviceId>,
    pub(super) sessions: Sessions,
    pub(super) spokes: Spokes,
    pub(super) ringing: Ringing,
    /// Requests to the machine role and whose they are.
    pub(super) asked: Asked,
    pub(super) link: Link,
    pub(super) outputs: VecDeque<Output>,
    /// Answers wait until the view that contains what they answer for is out.
    pub(super) replies: Vec<Output>,
    pub(super) dirty: bool,
    /// The machine role said hello: before that the view would show a machine without headset and tenant.
    pub(super) greeted: bool,
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
            spokes: Spokes::default(),
            ringing: Ringing::default(),
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
            Input::MachineLost(loss) => self.machine_lost(loss, now),
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
                self.calls.end_all(|_| true, &mut changes);
                self.publish(changes);
            }
        }
        self.settle(now);
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        self.softphones_gone(now);
        self.spokes_gone(now);
        self.rings_no_more(now);
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
            self.spokes.poll_timeout(),
            self.ringing.poll_timeout(),
            self.consent.poll_timeout(),
            self.asked.poll_timeout(),
            self.link.poll_timeout(),
        ];
        deadlines.into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    pub(super) fn handle_machine(&mut self, message: ToUser, now: Instant) {
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
                if carries {
                    self.spokes.pressed(event, now);
                }
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
            ToUser::UpdateAsks { name, version, begins, deferrable, .. } => {
                self.notices.update(&name, &version, begins, deferrable);
            }
            ToUser::HistoryChanged { history } => {
                self.view.history = history;
                self.dirty = true;
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
    pub(super) fn hello(&mut self, state: State, now: Instant) {
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
        self.view.history = state.history;
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

    pub(super) fn device_changed(&mut self, device: Device) {
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

    pub(super) fn function(&mut self, function: Function, problems: Vec<Problem>) {
        match problems.is_empty() {
            true => self.functions.remove(&function),
            false => self.functions.insert(function, problems),
        };
        self.problems_changed();
    }

    pub(super) fn problems_changed(&mut self) {
        let of_machine = self.troubles.iter().map(|trouble| &trouble.problem);
        let problems: Vec<Problem> = of_machine.chain(self.functions.values().flatten()).cloned().collect();
        self.dirty |= self.view.problems != problems;
        self.view.problems = problems;
    }

    pub(super) fn handle_command(&mut self, request: u64, command: Command, now: Instant) {
        let mut changes = Vec::new();
        let result = match command {
            Command::CreateCall { client, label, direction, contact, muted } => {
                self.calls.create((client, label), direction, contact, muted, &mut changes).map(Reply::Call)
            }
            Command::Call { client, id, action } => {
                self.calls.act(&client, id, action, &mut changes).map(Reply::Call)
            }
            Command::Spokes { asker, asks } => Ok(Reply::Spokes(self.spokes(&asker, asks, now))),
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

    pub(super) fn ask_machine(&mut self, request: u64, now: Instant, message: impl FnOnce(u64) -> ToMachine) {
        if self.link.is_away() {
            let reply = Reply::Refused(Refusal::new(WhyNot::MachineAway, link::away()));
            return self.replies.push(Output::Reply { request, reply });
        }
        let number = self.asked.ask(request, now);
        self.outputs.push_back(Output::Machine(message(number)));
    }

    pub(super) fn publish(&mut self, changes: Vec<Change>) {
        self.spokes.changed(&changes);
        for change in changes {
            self.dirty = true;
            let event = self.log.push(change);
            self.outputs.push_back(Output::Event(event));
        }
    }

    /// What every change ends with: lights, notices and faces follow the state, never the event.
    pub(super) fn settle(&mut self, now: Instant) {
        self.settle_softphones(now);
        self.hear_spokes(now);
        self.ringing.look(self.calls.all(), now);
        self.view.calls = self.calls.all().to_vec();
        self.choose_headset();
        self.light();
        self.settle_spokes(now);
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

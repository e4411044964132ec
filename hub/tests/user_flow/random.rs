//! Thousands of inputs in any order against the model: after each, what the agent shows is what one expects.

use super::lights::offer;
use super::model::Model;
use super::*;
use hub::user::asked::ANSWER_LIMIT;
use hub::user::call::MAX_CALLS;
use hub::user::sdk::session::GRACE;
use std::collections::{BTreeMap, BTreeSet};

const CLIENTS: [&str; 3] = ["phone", "meeting", "browser"];
const HEADSETS: [&str; 3] = ["a", "b", "c"];
/// One of them.
const ONLY_MUTES: &str = "b";
const ACTIONS: [CallAction; 6] = [
    CallAction::Answer,
    CallAction::Hold,
    CallAction::Resume,
    CallAction::Mute,
    CallAction::Unmute,
    CallAction::End,
];
const PRESSES: [DeviceEvent; 10] = [
    DeviceEvent::Answer,
    DeviceEvent::HangUp,
    DeviceEvent::Reject,
    DeviceEvent::DialTone,
    DeviceEvent::HoldToggle,
    DeviceEvent::MuteToggle,
    DeviceEvent::MuteOn,
    DeviceEvent::MuteOff,
    DeviceEvent::Redial,
    DeviceEvent::TeamsButton,
];

fn headset(id: &str) -> Device {
    let only_mutes = Capabilities { mute_sync: true, ..Capabilities::default() };
    match id {
        ONLY_MUTES => Device { capabilities: only_mutes, ..device(id) },
        _ => device(id),
    }
}

struct World {
    rig: Rig,
    model: Model,
    random: fastrand::Rng,
    /// What each ready headset shows.
    shown: BTreeMap<String, Indicators>,
    /// Numbers the machine role has not answered, whose they are, and when it was asked.
    asked: BTreeMap<u64, (u64, Instant)>,
    /// Commands without a reply.
    open: BTreeSet<u64>,
    log: Vec<String>,
}

impl World {
    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.random.usize(..of.len())]
    }

    fn step(&mut self) {
        match self.random.u8(..21) {
            0..=4 => self.create(),
            5..=9 => self.act(),
            10..=13 => {
                let (id, event) = (self.pick(&HEADSETS).to_owned(), self.pick(&PRESSES));
                self.model.press(&id, event);
                self.service(ToUser::DeviceEvent { id, event });
            }
            14..=15 => self.device(),
            16 => {
                let client = self.pick(&CLIENTS);
                if self.random.u8(..4) == 0 {
                    self.model.calls.retain(|_, c| c.owner != client);
                    self.leave(client);
                }
            }
            17 => {
                let offer = "fw:a".to_owned();
                let install = self.random.bool();
                self.command(if install { Command::Install { offer } } else { Command::Defer { offer } });
            }
            18 => {
                if let Some(request) = self.asked.keys().next().copied() {
                    let problem = self.random.bool().then(|| problem("in-call"));
                    self.service(ToUser::Answer { request, problem });
                }
            }
            19 => self.choose(),
            _ => self.hello(),
        }
        self.check();
    }

    /// The settings keep it, or cannot.
    fn choose(&mut self) {
        let device = self.pick(&HEADSETS).to_owned();
        let known = self.model.devices.iter().any(|(d, _)| *d == device);
        match self.command(Command::UseHeadset { device: device.clone() }) {
            Some(Reply::Refused(refusal)) if !known => assert_eq!(refusal.problem.code, Code::NoSuchDevice),
            None if known => {
                let request = self.rig.requests;
                let kept =
                    if self.random.bool() { Ok(device.clone()) } else { Err(problem("headset-not-kept")) };
                if kept.is_ok() {
                    self.model.choose(&device);
                }
                self.log.push(format!("{request}: {kept:?}"));
                self.rig.feed(Input::HeadsetKept { request, kept });
                self.outputs();
            }
            other => panic!("{other:?}"),
        }
    }

    /// It listened, went, and did not come back.
    fn leave(&mut self, client: &str) {
        self.log.push(format!("{client} leaves"));
        self.rig.feed(Input::StreamOpened { session: 1, client: self::client(client) });
        self.outputs();
        self.rig.feed(Input::StreamClosed { session: 1 });
        self.outputs();
        self.rig.now += GRACE;
        self.rig.agent.handle_timeout(self.rig.now);
        self.rig.drain();
        self.outputs();
        self.model.time_is(self.rig.now);
    }

    fn create(&mut self) {
        let (client, incoming) = (self.pick(&CLIENTS), self.random.bool());
        let direction = if incoming { Direction::Incoming } else { Direction::Outgoing };
        let full = self.model.calls.values().filter(|c| c.owner == client).count() == MAX_CALLS;
        let reply = self.command(Command::CreateCall {
            client: self::client(client),
            label: None,
            direction,
            contact: None,
            muted: false,
        });
        match reply {
            Some(Reply::Call(call)) if !full => {
                self.model.created(call.id, client, incoming, self.rig.now);
            }
            Some(Reply::Refused(problem)) if full => assert_eq!(problem.problem.code, Code::TooManyCalls),
            other => panic!("{other:?}"),
        }
    }

    fn act(&mut self) {
        let ids: Vec<u64> = self.model.calls.keys().copied().chain([999]).collect();
        let (id, action) = (self.pick(&ids), self.pick(&ACTIONS));
        let owner = self.model.calls.get(&id).map(|c| c.owner.clone());
        let client = match owner {
            Some(owner) if self.random.u8(..8) > 0 => owner,
            _ => self.pick(&CLIENTS).to_owned(),
        };
        let granted = self.model.act(&client, id, action);
        let reply = self.command(Command::Call { client: self::client(&client), id, action });
        assert_eq!(matches!(reply, Some(Reply::Call(_))), granted, "{reply:?}");
    }

    fn device(&mut self) {
        let id = self.pick(&HEADSETS).to_owned();
        let status = match self.random.u8(..6) {
            0 => {
                self.model.devices.retain(|(d, _)| *d != id);
                self.shown.remove(&id);
                return self.service(ToUser::DeviceRemoved { id });
            }
            1 => DeviceStatus::Updating,
            2 => DeviceStatus::Unavailable { problem: problem("hid-access-denied") },
            _ => DeviceStatus::Ready,
        };
        let ready = status == DeviceStatus::Ready;
        match self.model.devices.iter_mut().find(|(d, _)| *d == id) {
            Some(known) => known.1 = ready,
            None => self.model.devices.push((id.clone(), ready)),
        }
        if !ready {
            self.shown.remove(&id);
        }
        self.service(ToUser::DeviceChanged { device: Device { status, ..headset(&id) } });
    }

    /// The machine role was started again: nothing it had lit is lit any more.
    fn hello(&mut self) {
        if self.random.u8(..4) > 0 {
            return;
        }
        self.random.shuffle(&mut self.model.devices);
        self.shown.clear();
        let status = |ready| if ready { DeviceStatus::Ready } else { DeviceStatus::Updating };
        let devices = self.model.devices.iter().map(|(d, r)| Device { status: status(*r), ..headset(d) });
        let state = State { devices: devices.collect(), offers: vec![offer()], ..State::default() };
        self.service(ToUser::Hello(Box::new(state)));
    }

    fn service(&mut self, message: ToUser) {
        if let ToUser::Answer { request, .. } = &message {
            let (whose, _) = self.asked.remove(request).expect("asked");
            self.log.push(format!("{message:?} for {whose}"));
        } else {
            self.log.push(format!("{message:?}"));
        }
        self.rig.service(message);
        self.outputs();
    }

    fn command(&mut self, command: Command) -> Option<Reply> {
        self.rig.requests += 1;
        let request = self.rig.requests;
        self.log.push(format!("{request}: {command:?}"));
        self.open.insert(request);
        self.rig.feed(Input::Command { request, command });
        let replies = self.rig.replies();
        self.outputs();
        replies.into_iter().find(|(r, _)| *r == request).map(|(_, reply)| reply)
    }

    fn outputs(&mut self) {
        for output in std::mem::take(&mut self.rig.outputs) {
            match output {
                Output::Reply { request, .. } => {
                    assert!(self.open.remove(&request), "a second reply to {request}");
                    let late = |at: Instant| self.rig.now >= at + ANSWER_LIMIT;
                    self.asked.retain(|_, (whose, at)| *whose != request || !late(*at));
                }
                Output::Machine(ToMachine::SetIndicators { device, indicators }) => {
                    let ready = self.model.devices.iter().any(|(d, ready)| *d == device && *ready);
                    assert!(ready, "lights of {device}, which is not ready");
                    let before = self.shown.insert(device, indicators);
                    assert_ne!(before.unwrap_or_default(), indicators, "said twice");
                }
                Output::Machine(
                    ToMachine::InstallUpdate { request, .. } | ToMachine::DeferUpdate { request, .. },
                ) => {
                    let whose = (self.rig.requests, self.rig.now);
                    assert_eq!(self.asked.insert(request, whose), None, "a number used twice");
                }
                _ => {}
            }
        }
    }

    fn check(&mut self) {
        let view: Vec<_> = self.rig.agent.view().calls.iter().map(|c| (c.id, c.state, c.muted)).collect();
        let expected: Vec<_> = self.model.calls.iter().map(|(id, c)| (*id, c.state, c.muted)).collect();
        assert_eq!(view, expected, "calls");
        let (headset, lights) = (self.model.headset().map(str::to_owned), self.model.lights());
        for (id, _) in self.model.devices.iter().filter(|(_, ready)| *ready) {
            let target = if headset.as_ref() == Some(id) { lights } else { DARK };
            assert_eq!(self.shown.get(id).copied().unwrap_or_default(), target, "lights of {id}");
        }
        let waiting: BTreeSet<u64> = self.asked.values().map(|(whose, _)| *whose).collect();
        assert_eq!(self.open, waiting, "only what the machine role was asked may be unanswered");
        let late = self.asked.values().find(|(_, at)| self.rig.now >= *at + ANSWER_LIMIT);
        assert_eq!(late, None, "nobody waits for ever");
    }
}

fn run(seed: u64, steps: usize) {
    let mut world = World {
        rig: Rig::new(),
        model: Model { only_mute: vec![ONLY_MUTES], ..Model::default() },
        random: fastrand::Rng::with_seed(seed),
        shown: BTreeMap::new(),
        asked: BTreeMap::new(),
        open: BTreeSet::new(),
        log: Vec::new(),
    };
    world.rig.service(ToUser::OffersChanged { offers: vec![offer()] });
    for name in CLIENTS {
        world.rig.comes(name);
    }
    for _ in 0..steps {
        let step = std::panic::AssertUnwindSafe(|| world.step());
        if let Err(panic) = std::panic::catch_unwind(step) {
            let from = world.log.len().saturating_sub(25);
            println!("SEED={seed} repeats this run, which ended so:\n{}", world.log[from..].join("\n"));
            std::panic::resume_unwind(panic);
        }
    }
}

#[test]
fn any_order_of_inputs_shows_what_one_expects() {
    for seed in crate::seed::runs(100) {
        run(seed, 500);
    }
}

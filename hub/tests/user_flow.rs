//! The user role as a value: inputs in, outputs out, with a clock moved by hand.
#![expect(clippy::disallowed_methods, reason = "a hand-moved clock needs an origin, a failed run its seed")]

#[path = "user_flow/calls.rs"]
mod calls;
#[path = "user_flow/door.rs"]
mod door;
#[path = "user_flow/headsets.rs"]
mod headsets;
#[path = "user_flow/lights.rs"]
mod lights;
#[path = "user_flow/link.rs"]
mod link;
#[path = "user_flow/model.rs"]
mod model;
#[path = "../../tests/support/problem.rs"]
mod problem;
#[path = "user_flow/random.rs"]
mod random;
#[path = "user_flow/seat.rs"]
mod seat;
#[path = "../../tests/support/seed.rs"]
mod seed;
#[path = "user_flow/settings.rs"]
mod settings;
#[path = "user_flow/softphones.rs"]
mod softphones;
#[path = "user_flow/spokes.rs"]
mod spokes;
#[path = "user_flow/spokes_random.rs"]
mod spokes_random;
#[path = "user_flow/spokes_sessions.rs"]
mod spokes_sessions;
#[path = "user_flow/updates.rs"]
mod updates;

use hub::problem::{Code, Problem};
use hub::protocol::client::ClientId;
use hub::protocol::local::{Call, CallState, Direction};
use hub::protocol::{
    Capabilities, Device, DeviceEvent, DeviceStatus, Indicators, PROTOCOL_VERSION, State, ToMachine, ToUser,
};
use hub::user::sdk::{CallChange, Change};
use hub::user::{CallAction, Cause, Command, Function, Input, Output, Reply, UserRole};
use problem::problem;
use std::time::{Duration, Instant};

const DARK: Indicators = Indicators { off_hook: false, ring: false, mute: false, hold: false };
const RING: Indicators = Indicators { ring: true, ..DARK };
const IN_CALL: Indicators = Indicators { off_hook: true, ..DARK };

fn device(id: &str) -> Device {
    Device {
        id: id.to_owned(),
        vendor: "Example".to_owned(),
        product: format!("Headset {id}"),
        vendor_id: 0x1209,
        product_id: 1,
        serial: None,
        firmware_version: "1.10".to_owned(),
        port: None,
        capabilities: Capabilities { call_control: true, ..Capabilities::default() },
        status: DeviceStatus::Ready,
        line_busy: false,
        problem: None,
    }
}

/// A page by its origin, else a program.
fn client(name: &str) -> ClientId {
    ClientId::named(name).unwrap_or_else(|| ClientId::of_program(&format!("/{name}")))
}

/// An agent, its clock, and what came of the last input.
struct Rig {
    agent: UserRole,
    now: Instant,
    requests: u64,
    last_event: u64,
    outputs: Vec<Output>,
}

impl Rig {
    fn new() -> Self {
        let agent = UserRole::new("0.1.0");
        let mut rig = Self { agent, now: Instant::now(), requests: 0, last_event: 0, outputs: Vec::new() };
        rig.drain();
        let hello = Output::Machine(ToMachine::Hello { protocol: PROTOCOL_VERSION });
        assert_eq!(rig.outputs, [hello], "the first word is a hello");
        rig
    }

    /// With the headsets `ids` attached, said by the machine role's hello.
    fn with(ids: &[&str]) -> Self {
        let mut rig = Self::new();
        let devices = ids.iter().map(|id| device(id)).collect();
        rig.service(ToUser::Hello(Box::new(State {
            protocol: PROTOCOL_VERSION,
            devices,
            ..State::default()
        })));
        rig
    }

    fn feed(&mut self, input: Input) {
        self.agent.handle(input, self.now);
        self.drain();
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.agent.handle_timeout(self.now);
        self.drain();
    }

    /// Every rule that holds for any input is held here.
    fn drain(&mut self) {
        self.outputs = std::iter::from_fn(|| self.agent.poll_output()).collect();
        let views = self.outputs.iter().filter(|o| **o == Output::ViewChanged).count();
        assert!(views <= 1, "one input, one drawing: {:?}", self.outputs);
        let drawn = self.outputs.iter().position(|o| *o == Output::ViewChanged);
        for (at, output) in self.outputs.iter().enumerate() {
            match output {
                Output::Event(event) => {
                    assert_eq!(event.id, self.last_event + 1, "events have no gaps");
                    self.last_event = event.id;
                }
                Output::Reply { .. } => {
                    assert!(drawn.is_none_or(|drawn| drawn < at), "the reply came before the view");
                }
                Output::Notice(notice) if notice.title.id == "notice-unplugged" => {}
                Output::Notice(_) => assert_eq!(self.agent.view().calls, [], "a notice during a call"),
                _ => {}
            }
        }
        let answered = self.agent.view().calls.iter().filter(|c| c.state == CallState::Answered);
        assert!(answered.count() <= 1, "two answered calls");
    }

    fn service(&mut self, message: ToUser) {
        self.feed(Input::Machine(message));
    }

    fn press(&mut self, event: DeviceEvent) {
        self.service(ToUser::DeviceEvent { id: "d".to_owned(), event });
    }

    /// The one reply to `command`.
    fn command(&mut self, command: Command) -> Reply {
        self.requests += 1;
        self.feed(Input::Command { request: self.requests, command });
        let replies = self.replies();
        let [(request, reply)] = replies.as_slice() else { panic!("one reply, not {replies:?}") };
        assert_eq!(*request, self.requests);
        reply.clone()
    }

    fn replies(&self) -> Vec<(u64, Reply)> {
        let reply = |output: &Output| match output {
            Output::Reply { request, reply } => Some((*request, reply.clone())),
            _ => None,
        };
        self.outputs.iter().filter_map(reply).collect()
    }

    fn create(&mut self, client: &str, direction: Direction) -> u64 {
        let client = self.comes(client);
        let command = Command::CreateCall { client, label: None, direction, contact: None, muted: false };
        match self.command(command) {
            Reply::Call(call) => call.id,
            other => panic!("{other:?}"),
        }
    }

    /// It knocks, as whoever is let in has; a program with the token.
    fn comes(&mut self, name: &str) -> ClientId {
        let client = client(name);
        let knock = Command::Knock { client: client.clone(), token: !client.is_page(), label: None };
        assert_eq!(self.command(knock), Reply::Done);
        client
    }

    fn incoming(&mut self) -> u64 {
        self.create("phone", Direction::Incoming)
    }

    fn act(&mut self, id: u64, action: CallAction) -> Reply {
        self.command(Command::Call { client: client("phone"), id, action })
    }

    /// A call that is answered.
    fn answered(&mut self) -> u64 {
        let id = self.incoming();
        assert!(matches!(self.act(id, CallAction::Answer), Reply::Call(_)));
        id
    }

    fn call(&self, id: u64) -> Option<&Call> {
        self.agent.view().calls.iter().find(|c| c.id == id)
    }

    fn state(&self, id: u64) -> CallState {
        self.call(id).map_or(CallState::Ended, |call| call.state)
    }

    /// What softphones heard of calls after the last input.
    fn heard(&self) -> Vec<(u64, CallChange, Cause)> {
        let of_call = |change: &Change| match change {
            Change::Call { call, what, cause } => Some((call.id, *what, *cause)),
            _ => None,
        };
        self.changes().iter().filter_map(of_call).collect()
    }

    fn changes(&self) -> Vec<Change> {
        let change = |output: &Output| match output {
            Output::Event(event) => Some(event.change.clone()),
            _ => None,
        };
        self.outputs.iter().filter_map(change).collect()
    }

    /// Lights asked for after the last input.
    fn lights(&self) -> Vec<(String, Indicators)> {
        let light = |output: &Output| match output {
            Output::Machine(ToMachine::SetIndicators { device, indicators }) => {
                Some((device.clone(), *indicators))
            }
            _ => None,
        };
        self.outputs.iter().filter_map(light).collect()
    }

    fn notices(&self) -> usize {
        self.outputs.iter().filter(|o| matches!(o, Output::Notice(_))).count()
    }
}

fn refused(reply: Reply) -> String {
    match reply {
        Reply::Refused(refusal) => refusal.problem.code.as_str().to_owned(),
        other => panic!("not refused: {other:?}"),
    }
}

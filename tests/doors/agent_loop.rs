//! A small agent loop at the border the doors speak to: it answers every [`Event`] and keeps the log of events.

use hookswitch::agent::sdk::{Backlog, CallChange, Cause, Change, EventLog};
use hookswitch::agent::{CallAction, Command, Reply, SdkEvent};
use hookswitch::protocol::local::{Call, CallState, Direction, View};
use hookswitch::protocol::{
    Capabilities, Deployment, Device, DeviceStatus, Job, Offer, Problem, TenantMode, TenantState,
};
use hookswitch::shell::handle::{AgentHandle, Event, SUBSCRIBER_QUEUE, Subscription};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot, watch};

type Mutate = Box<dyn FnOnce(&mut View) -> Vec<Change> + Send>;

struct Mutation {
    change: Mutate,
    /// Dropped when everybody was told.
    _done: oneshot::Sender<()>,
}

/// What a test does to the world behind the agent.
#[derive(Clone)]
pub(crate) struct World(mpsc::Sender<Mutation>);

impl World {
    /// Changes the view and pushes the events of it; done when this returns.
    pub(crate) async fn change(&self, change: impl FnOnce(&mut View) -> Vec<Change> + Send + 'static) {
        let (done, wait) = oneshot::channel();
        let mutation = Mutation { change: Box::new(change), _done: done };
        assert!(self.0.send(mutation).await.is_ok(), "the loop runs");
        let _ = wait.await;
    }
}

pub(crate) fn start(view: View) -> (AgentHandle, World) {
    let (events, incoming) = mpsc::channel(16);
    let (views, watched) = watch::channel(Arc::new(view.clone()));
    let (mutations, world) = mpsc::channel(16);
    let agent = AgentLoop {
        view,
        log: EventLog::default(),
        subscribers: Vec::new(),
        functions: BTreeMap::new(),
        views,
        next_call: 1,
    };
    tokio::spawn(agent.run(incoming, world));
    (AgentHandle::new(events, watched), World(mutations))
}

struct AgentLoop {
    view: View,
    log: EventLog,
    subscribers: Vec<mpsc::Sender<SdkEvent>>,
    functions: BTreeMap<&'static str, Problem>,
    views: watch::Sender<Arc<View>>,
    next_call: u64,
}

impl AgentLoop {
    async fn run(mut self, mut events: mpsc::Receiver<Event>, mut world: mpsc::Receiver<Mutation>) {
        loop {
            tokio::select! {
                event = events.recv() => match event {
                    Some(Event::Stop) | None => return,
                    Some(event) => self.handle(event),
                },
                Some(mutation) = world.recv() => {
                    let changes = (mutation.change)(&mut self.view);
                    self.push(changes);
                }
            }
        }
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Command { command, reply } => {
                let answer = self.command(command);
                let _ = reply.send(answer);
            }
            Event::Subscribe { after, reply } => {
                let (sender, events) = mpsc::channel(SUBSCRIBER_QUEUE);
                let backlog = match after.and_then(|after| self.log.after(after)) {
                    Some(missed) => Backlog::Missed(missed),
                    None => Backlog::State { view: Box::new(self.view.clone()), last: self.log.last() },
                };
                if reply.send(Subscription { backlog, events }).is_ok() {
                    self.subscribers.push(sender);
                }
            }
            Event::Function { name, problem } => {
                match problem {
                    Some(problem) => self.functions.insert(name, problem),
                    None => self.functions.remove(name),
                };
                self.view.problems = self.functions.values().cloned().collect();
                self.push(Vec::new());
            }
            Event::Endpoint(endpoint) => {
                self.view.rest = endpoint;
                self.push(Vec::new());
            }
            Event::Service(_) | Event::Directory(_) | Event::Stop => {}
        }
    }

    fn push(&mut self, changes: Vec<Change>) {
        self.views.send_replace(Arc::new(self.view.clone()));
        for change in changes {
            let event = self.log.push(change);
            self.subscribers.retain(|s| s.try_send(event.clone()).is_ok());
        }
    }

    fn command(&mut self, command: Command) -> Reply {
        match command {
            Command::CreateCall { client, direction, contact } => {
                let id = self.next_call;
                self.next_call += 1;
                let (state, what) = match direction {
                    Direction::Incoming => (CallState::Ringing, CallChange::Ringing),
                    Direction::Outgoing => (CallState::Answered, CallChange::Answered),
                };
                let call = Call { id, client, direction, state, muted: false, contact };
                self.view.calls.push(call.clone());
                self.push(vec![Change::Call { call: call.clone(), what, cause: Cause::Softphone }]);
                Reply::Call(call)
            }
            Command::Call { client, id, action } => self.act(&client, id, action),
            Command::Install { offer } => self.install(&offer),
            Command::Cancel => Reply::Done,
            Command::Defer { offer } => {
                let Some(found) = self.view.offers.iter_mut().find(|o| o.id == offer) else {
                    return Reply::Refused(Problem::new(
                        "no-such-offer",
                        "No such offer",
                        offer,
                        "Look again.",
                    ));
                };
                found.deferred = true;
                self.push(Vec::new());
                Reply::Done
            }
            Command::ClientGone { client } => {
                self.view.calls.retain(|c| c.client != client);
                self.push(Vec::new());
                Reply::Done
            }
        }
    }

    fn act(&mut self, client: &str, id: u64, action: CallAction) -> Reply {
        let Some(call) = self.view.calls.iter_mut().find(|c| c.id == id) else {
            return Reply::Refused(Problem::new(
                "no-such-call",
                "No such call",
                id.to_string(),
                "Look again.",
            ));
        };
        if call.client != client {
            return Reply::Refused(Problem::new("not-your-call", "Not yours", id.to_string(), "Leave it."));
        }
        let what = match action {
            CallAction::Answer => {
                call.state = CallState::Answered;
                CallChange::Answered
            }
            CallAction::Hold => {
                call.state = CallState::Held;
                CallChange::Held
            }
            CallAction::Resume => {
                call.state = CallState::Answered;
                CallChange::Resumed
            }
            CallAction::Mute => {
                call.muted = true;
                CallChange::Muted
            }
            CallAction::Unmute => {
                call.muted = false;
                CallChange::Unmuted
            }
            CallAction::End => {
                call.state = CallState::Ended;
                CallChange::Ended
            }
        };
        let call = call.clone();
        self.view.calls.retain(|c| c.state != CallState::Ended);
        self.push(vec![Change::Call { call: call.clone(), what, cause: Cause::Softphone }]);
        Reply::Call(call)
    }

    fn install(&mut self, offer: &str) -> Reply {
        let Some(offer) = self.view.offers.iter().find(|o| o.id == offer).cloned() else {
            return Reply::Refused(Problem::new("no-such-offer", "No such offer", offer, "Look again."));
        };
        if let Some(problem) = offer.blocked {
            return Reply::Refused(problem);
        }
        let job = Job {
            offer: offer.id,
            device: offer.device,
            name: offer.name,
            from_version: offer.from_version,
            to_version: offer.to_version,
            phase: "fetching".to_owned(),
            done_bytes: 0,
            total_bytes: 262_144,
            outcome: None,
        };
        self.view.job = Some(job.clone());
        let offers = self.view.offers.clone();
        self.push(vec![Change::Updates { offers, job: Some(job) }]);
        Reply::Done
    }
}

pub(crate) fn device(id: &str, product: &str) -> Device {
    Device {
        id: id.to_owned(),
        vendor: "Example Audio".to_owned(),
        product: product.to_owned(),
        vendor_id: 0x1209,
        product_id: 0x0001,
        serial: Some("A1B2".to_owned()),
        firmware_version: "1.20".to_owned(),
        port: Some("1-2".to_owned()),
        capabilities: Capabilities {
            call_control: true,
            mute_sync: true,
            ring: true,
            firmware_update: true,
            ..Capabilities::default()
        },
        status: DeviceStatus::Ready,
        line_busy: false,
    }
}

pub(crate) fn offer(id: &str, device: &str) -> Offer {
    Offer {
        id: id.to_owned(),
        device: device.to_owned(),
        policy: "spring".to_owned(),
        name: "Clearer voice".to_owned(),
        from_version: "1.20".to_owned(),
        to_version: "1.30".to_owned(),
        deployment: Deployment::Optional,
        group: "Sales".to_owned(),
        deferred: false,
        blocked: None,
    }
}

/// A company's computer with one headset and one offer for it.
pub(crate) fn view() -> View {
    View {
        version: "0.1.0".to_owned(),
        user: "alex".to_owned(),
        tenant: TenantState {
            mode: TenantMode::Server,
            company: Some("Example Ltd".to_owned()),
            enrolled: true,
            policy_version: Some(7),
            last_poll_s: Some(1_760_000_000),
            sdk_approved: vec!["https://phone.example".to_owned()],
            ..TenantState::default()
        },
        devices: vec![device("1209-0001-A1B2", "Desk One")],
        offers: vec![offer("spring:1209-0001-A1B2", "1209-0001-A1B2")],
        ..View::default()
    }
}

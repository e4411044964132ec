//! The agent loop: the pure [`Agent`] and the doing of its outputs.
#![expect(clippy::disallowed_methods, reason = "this loop reads the clock for the pure agent")]

use super::handle::{Event, SUBSCRIBER_QUEUE, Subscription};
use super::service::sleep_until;
use super::{ldap, notify, service};
use crate::agent::{Agent, Input, Output, Reply, SdkEvent};
use crate::locale::Locale;
use crate::protocol::local::View;
use crate::service as machine;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::mpsc::{Receiver, Sender, UnboundedSender};
use tokio::sync::{mpsc, oneshot, watch};

/// What the loop is given.
pub struct Parts {
    pub agent: Agent,
    pub locale: Arc<Locale>,
    /// Whether there is somebody to show notices to.
    pub notices: bool,
    pub views: watch::Sender<Arc<View>>,
    pub to_service: UnboundedSender<service::Event>,
    /// For answers that come back from tasks.
    pub events: Sender<Event>,
}

/// Runs until [`Event::Stop`]; the calls are ended and the lights asked to go out before it returns. Must be called
/// inside a `LocalSet`.
pub async fn run(parts: Parts, mut queue: Receiver<Event>) {
    let mut doing = Doing { parts, replies: BTreeMap::new(), last_request: 0, subscribers: Vec::new() };
    loop {
        doing.perform();
        let deadline = doing.parts.agent.poll_timeout().map(|(at, _reason)| at);
        let event = tokio::select! {
            event = queue.recv() => event,
            () = sleep_until(deadline) => {
                doing.parts.agent.handle_timeout(Instant::now());
                continue;
            }
        };
        let Some(event) = event else { return };
        let stop = matches!(event, Event::Stop);
        doing.handle(event);
        if stop {
            doing.perform();
            return;
        }
    }
}

struct Doing {
    parts: Parts,
    replies: BTreeMap<u64, oneshot::Sender<Reply>>,
    last_request: u64,
    subscribers: Vec<Sender<SdkEvent>>,
}

impl Doing {
    fn handle(&mut self, event: Event) {
        let agent = &mut self.parts.agent;
        let now = Instant::now();
        match event {
            Event::Service(message) => agent.handle(Input::Service(message), now),
            Event::Command { command, reply } => {
                self.last_request += 1;
                self.replies.insert(self.last_request, reply);
                agent.handle(Input::Command { request: self.last_request, command }, now);
            }
            Event::Subscribe { after, reply } => {
                let (events, stream) = mpsc::channel(SUBSCRIBER_QUEUE);
                let backlog = agent.backlog(after);
                if reply.send(Subscription { backlog, events: stream }).is_ok() {
                    // Those that left are noticed here too: where nothing happens, nothing else would notice.
                    self.subscribers.retain(|s| !s.is_closed());
                    self.subscribers.push(events);
                }
            }
            Event::Directory(answer) => agent.handle(Input::Directory(answer), now),
            Event::Endpoint(endpoint) => agent.handle(Input::Endpoint(endpoint), now),
            Event::Function { name, problem } => agent.handle(Input::Function { name, problem }, now),
            Event::Stop => agent.handle(Input::Stop, now),
        }
    }

    fn perform(&mut self) {
        while let Some(output) = self.parts.agent.poll_output() {
            match output {
                Output::Service(message) => {
                    let message = service::Event::Service(machine::Input::Agent(message));
                    let _ = self.parts.to_service.send(message);
                }
                Output::Reply { request, reply } => {
                    if let Some(waiting) = self.replies.remove(&request) {
                        let _ = waiting.send(reply);
                    }
                }
                Output::AskDirectory { user, rules } => {
                    let events = self.parts.events.clone();
                    tokio::task::spawn_local(async move {
                        let answer = ldap::ask(&user, &rules).await;
                        let _ = events.send(Event::Directory(answer)).await;
                    });
                }
                // A subscriber that does not keep up, or is gone, is dropped; it resumes by the last id it saw.
                Output::Event(event) => self.subscribers.retain(|s| s.try_send(event.clone()).is_ok()),
                Output::Notice(notice) => {
                    if self.parts.notices {
                        notify::show(&self.parts.locale, &notice);
                    }
                }
                Output::ViewChanged => {
                    let _ = self.parts.views.send(Arc::new(self.parts.agent.view().clone()));
                }
            }
        }
    }
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts").field("agent", &self.agent).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn softphones_that_come_and_go_leave_nothing_behind() {
        let parts = Parts {
            agent: Agent::new("0", "user".to_owned()),
            locale: Arc::new(Locale::new("en")),
            notices: false,
            views: watch::channel(Arc::default()).0,
            to_service: mpsc::unbounded_channel().0,
            events: mpsc::channel(1).0,
        };
        let mut doing = Doing { parts, replies: BTreeMap::new(), last_request: 0, subscribers: Vec::new() };
        let mut stays = Vec::new();
        for visit in 0..100 {
            let (reply, answer) = oneshot::channel();
            doing.handle(Event::Subscribe { after: None, reply });
            let subscription = answer.await.expect("answered");
            if visit % 50 == 0 {
                stays.push(subscription);
            }
        }
        assert!(doing.subscribers.len() <= stays.len() + 1, "{} are kept", doing.subscribers.len());
    }
}

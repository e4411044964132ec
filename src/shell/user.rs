//! The user role's loop: the pure [`UserRole`] and the doing of its outputs.
use super::approvals::ApprovedSoftphones;
use super::handle::{Event, SUBSCRIBER_QUEUE, Subscription};
use super::link::Wish;
use super::own_settings::Patience;
use super::{log, notify, os, own_settings, settings_files};
use hub::locale::Locale;
use hub::protocol::local::View;
use hub::settings::{DoorPlace, LastGood, Settings};
use hub::user::{Input, Output, Reply, SdkEvent, UserRole};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::mpsc::{Receiver, Sender, UnboundedSender};
use tokio::sync::{mpsc, oneshot, watch};

/// What the loop is given.
pub struct Parts {
    pub role: UserRole,
    pub locale: Arc<Locale>,
    /// Whether there is somebody to show notices to.
    pub notices: bool,
    /// Where decisions about web pages are kept.
    pub approved: ApprovedSoftphones,
    pub views: watch::Sender<Arc<View>>,
    pub to_machine: UnboundedSender<Wish>,
    /// For answers that come back from tasks.
    pub events: Sender<Event>,
    /// Asks whoever keeps the door for softphones to look after it.
    pub door: Sender<()>,
    /// Where that door is to be.
    pub place: watch::Sender<DoorPlace>,
    /// The machine role is another process, which reads settings of its own.
    pub apart: bool,
    /// As they were when the program started; what counts only from the next start stays so.
    pub started: Settings,
    /// Those in force, listed.
    pub settings: watch::Sender<serde_json::Value>,
}

/// Runs until [`Event::Stop`]; the calls are ended and the lights asked to go out before it returns. Must be called
/// inside a `LocalSet`.
pub async fn run(parts: Parts, mut queue: Receiver<Event>) {
    let mut doing = Doing::new(parts);
    let alarm = os::Alarm::new();
    loop {
        doing.perform();
        let deadline = doing.parts.role.poll_timeout().map(|(at, _reason)| at);
        let event = tokio::select! {
            event = queue.recv() => event,
            () = alarm.wait(deadline) => {
                doing.parts.role.handle_timeout(os::instant());
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
    /// By session.
    subscribers: BTreeMap<u64, Sender<SdkEvent>>,
    last_session: u64,
    last_good: LastGood,
}

impl Doing {
    fn new(parts: Parts) -> Self {
        let mut this = Self {
            parts,
            replies: BTreeMap::new(),
            last_request: 0,
            subscribers: BTreeMap::new(),
            last_session: 0,
            last_good: LastGood::default(),
        };
        this.read_settings();
        this
    }

    fn handle(&mut self, event: Event) {
        let role = &mut self.parts.role;
        let now = os::instant();
        match event {
            Event::Machine(message) => role.handle(Input::Machine(message), now),
            Event::MachineFound => role.handle(Input::MachineFound, now),
            Event::MachineCame => role.handle(Input::MachineCame, now),
            Event::MachineLost(loss) => role.handle(Input::MachineLost(loss), now),
            Event::Command { command, reply } => {
                self.last_request += 1;
                self.replies.insert(self.last_request, reply);
                role.handle(Input::Command { request: self.last_request, command }, now);
            }
            Event::Subscribe { client, after, reply } => {
                let (events, stream) = mpsc::channel(SUBSCRIBER_QUEUE);
                let (mut closed, open) = oneshot::channel();
                let backlog = role.backlog(after);
                if reply.send(Subscription { backlog, events: stream, open }).is_ok() {
                    self.last_session += 1;
                    let session = self.last_session;
                    self.subscribers.insert(session, events);
                    role.handle(Input::StreamOpened { session, client }, now);
                    let events = self.parts.events.clone();
                    tokio::task::spawn_local(async move {
                        closed.closed().await;
                        let _ = events.send(Event::StreamClosed { session }).await;
                    });
                }
            }
            Event::StreamClosed { session } => {
                self.subscribers.remove(&session);
                role.handle(Input::StreamClosed { session }, now);
            }
            Event::Approvals(approvals) => role.handle(Input::Approvals(approvals), now),
            Event::SettingsChanged => self.read_settings(),
            Event::WorldChanged(change) => role.handle(Input::WorldChanged(change), now),
            Event::Door(state) => role.handle(Input::Door(state), now),
            Event::Function { function, problems } => {
                role.handle(Input::Function { function, problems }, now);
            }
            Event::Stop => role.handle(Input::Stop, now),
        }
    }

    /// All that depends on them and is not asked for each time.
    fn read_settings(&mut self) {
        let Parts { role, approved, started, apart, place, settings: list, .. } = &mut self.parts;
        let (settings, problems) = self.last_good.resolve(&settings_files::layers(approved.folders()));
        let settings = settings.after_start_with(started);
        let problems = settings.said_by_agent(problems, *apart);
        log::set_level(&settings.log_level.value);
        let to = settings.door();
        place.send_if_modified(|at| std::mem::replace(at, to) != to);
        let listed = serde_json::to_value(settings.list()).expect("invariant: settings have text keys");
        list.send_if_modified(|was| std::mem::replace(was, listed.clone()) != listed);
        let now = os::instant();
        role.handle(Input::Approvals(approved.of(&settings)), now);
        role.handle(Input::Settings { headset: settings.headset.value, problems }, now);
    }

    fn perform(&mut self) {
        while let Some(output) = self.parts.role.poll_output() {
            match output {
                Output::Machine(message) => {
                    let _ = self.parts.to_machine.send(Wish::Say(message));
                }
                Output::FindMachine => _ = self.parts.to_machine.send(Wish::Find),
                Output::LeaveMachine => _ = self.parts.to_machine.send(Wish::Leave),
                Output::Reply { request, reply } => {
                    if let Some(waiting) = self.replies.remove(&request) {
                        let _ = waiting.send(reply);
                    }
                }
                // A look that is asked for already will do.
                Output::CheckDoor => _ = self.parts.door.try_send(()),
                // A subscriber that does not keep up, or is gone, is dropped; it resumes by the last id it saw.
                Output::Event(event) => self.subscribers.retain(|_, s| s.try_send(event.clone()).is_ok()),
                Output::EndStream { session } => _ = self.subscribers.remove(&session),
                Output::KeepApproval { request, client, approved } => {
                    let settings = self.parts.approved.keep(&client, approved);
                    let kept = Input::ApprovalKept { request, settings };
                    self.parts.role.handle(kept, os::instant());
                }
                Output::KeepSetting { request, key, value } => {
                    let folders = self.parts.approved.folders();
                    let kept = own_settings::set(folders, &key, value.as_deref(), Patience::None);
                    if kept.is_ok() {
                        self.read_settings();
                        let _ = self.parts.to_machine.send(Wish::ReadSettings);
                    }
                    self.parts.role.handle(Input::SettingKept { request, kept }, os::instant());
                }
                Output::KeepHeadset { request, device } => {
                    let kept =
                        own_settings::keep_headset(self.parts.approved.folders(), &device).map(|()| device);
                    self.parts.role.handle(Input::HeadsetKept { request, kept }, os::instant());
                }
                Output::Notice(notice) => {
                    if self.parts.notices {
                        notify::show(&self.parts.locale, &notice);
                    }
                }
                Output::ViewChanged => {
                    let _ = self.parts.views.send(Arc::new(self.parts.role.view().clone()));
                }
            }
        }
    }
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts").field("role", &self.role).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::folders::Folders;
    use hub::protocol::client::ClientId;

    #[test]
    fn softphones_that_come_and_go_leave_nothing_behind() {
        let folder = tempfile::tempdir().expect("a folder");
        let folders = Folders::new(Some(folder.path())).expect("writable");
        let (events, mut queue) = mpsc::channel(1);
        let parts = Parts {
            role: UserRole::new("0"),
            locale: Arc::new(Locale::new("en")),
            notices: false,
            approved: ApprovedSoftphones::new(folders),
            views: watch::channel(Arc::default()).0,
            to_machine: mpsc::unbounded_channel().0,
            events,
            door: mpsc::channel(1).0,
            place: watch::channel(DoorPlace::default()).0,
            apart: false,
            started: Settings::default(),
            settings: watch::channel(serde_json::Value::Null).0,
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        tokio::task::LocalSet::new().block_on(&runtime, async {
            let mut doing = Doing::new(parts);
            let mut stays = Vec::new();
            for visit in 0..100 {
                let (reply, answer) = oneshot::channel();
                let client = ClientId::of_program("/phone");
                doing.handle(Event::Subscribe { client, after: None, reply });
                let subscription = answer.await.expect("answered");
                if visit % 50 == 0 {
                    stays.push(subscription);
                    continue;
                }
                drop(subscription);
                let closed = queue.recv().await.expect("it is told");
                doing.handle(closed);
            }
            assert_eq!(doing.subscribers.len(), stays.len());
        });
    }
}

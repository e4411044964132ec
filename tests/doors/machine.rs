//! The real agent loop for the doors to speak to. Simulated is the border behind it: the words of the machine role.
//! A test hears what the agent says to it and answers.
#![allow(dead_code, reason = "each of the tests that share this uses its part of it")]

use hookswitch::shell::approvals::ApprovedSoftphones;
use hookswitch::shell::folders::Folders;
use hookswitch::shell::handle::{Event, UserHandle};
use hookswitch::shell::link::Wish;
use hookswitch::shell::user::{self, Parts};
use hub::locale::Locale;
use hub::protocol::{
    Capabilities, Deployment, Device, DeviceStatus, Job, JobPhase, Offer, PROTOCOL_VERSION, Problem, State,
    TenantMode, TenantState, ToMachine, ToUser,
};
use hub::settings::{DoorPlace, Settings};
use hub::user::{Command, UserRole};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Sender, UnboundedReceiver, channel, unbounded_channel};
use tokio::sync::{Mutex, watch};

const PATIENCE: Duration = Duration::from_secs(5);
const USER: &str = "alex";

/// The machine role's end of the pipe. The agent stops when this goes.
pub(crate) struct PlayedMachine {
    /// What the doors are given.
    pub(crate) handle: UserHandle,
    to_user: Sender<Event>,
    heard: Mutex<UnboundedReceiver<Wish>>,
    agent: Option<JoinHandle<()>>,
    /// The agent's folders, with its user's settings.
    home: tempfile::TempDir,
}

impl PlayedMachine {
    /// Starts an agent and answers its hello with `state`; everybody has drawn that when this returns.
    pub(crate) async fn start(state: State) -> Self {
        Self::start_with(state, "").await
    }

    /// With these settings of the user.
    pub(crate) async fn start_with(state: State, settings: &str) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let folders = Folders::new(Some(home.path())).expect("writable");
        std::fs::write(folders.user_settings(), settings).expect("written");
        let (to_user, queue) = channel(64);
        let (to_machine, heard) = unbounded_channel();
        let (views, view) = watch::channel(Arc::default());
        let parts = Parts {
            role: UserRole::new("0.1.0"),
            locale: Arc::new(Locale::new("en-US")),
            notices: false,
            approved: ApprovedSoftphones::new(folders),
            views,
            to_machine,
            events: to_user.clone(),
            door: channel(1).0,
            place: watch::channel(DoorPlace::default()).0,
            apart: false,
            started: Settings::default(),
            settings: watch::channel(serde_json::Value::Null).0,
        };
        // The loop wants a `LocalSet`, which the tests' runtimes are not.
        let agent = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            tokio::task::LocalSet::new().block_on(&runtime.expect("a runtime"), user::run(parts, queue));
        });
        let handle = UserHandle::new(to_user.clone(), view);
        let this = Self { handle, to_user, heard: Mutex::new(heard), agent: Some(agent), home };
        let hello = ToMachine::Hello { protocol: PROTOCOL_VERSION };
        assert_eq!(this.asked().await, hello);
        let user = USER.to_owned();
        this.say(ToUser::Hello(Box::new(State { user, ..state }))).await;
        this
    }

    /// Says it; everybody was told of what it changes when this returns.
    pub(crate) async fn say(&self, message: ToUser) {
        self.handle.send(Event::Machine(message)).await.expect("the agent runs");
        self.settled().await;
    }

    /// What was sent to the agent before this has been done.
    pub(crate) async fn settled(&self) {
        // The loop takes one thing after the other, so its answer comes after all of them. It knows no such page.
        let nothing = Command::Revoke { softphone: "https://settled.invalid".to_owned() };
        self.handle.command(nothing).await.expect("the agent runs");
    }

    /// The settings of the user as they are on the disk.
    pub(crate) fn settings(&self) -> String {
        std::fs::read_to_string(self.home.path().join("config/hookswitch.toml")).expect("settings")
    }

    /// The next thing the agent says, but for its wishes about lights.
    pub(crate) async fn asked(&self) -> ToMachine {
        loop {
            let heard = async { self.heard.lock().await.recv().await };
            let message = tokio::time::timeout(PATIENCE, heard).await.expect("a word in time");
            let Wish::Say(message) = message.expect("the agent runs") else { continue };
            if !matches!(message, ToMachine::SetIndicators { .. }) {
                return message;
            }
        }
    }

    /// Takes the request to install `offer`; gives its number.
    pub(crate) async fn asked_to_install(&self, offer: &str) -> u64 {
        match self.asked().await {
            ToMachine::InstallUpdate { request, offer: asked } if asked == offer => request,
            other => panic!("expected the installation of {offer}, not {other:?}"),
        }
    }

    /// But for wishes about lights, the agent said nothing that was not heard yet.
    pub(crate) async fn nothing_asked(&self) {
        self.settled().await;
        let mut heard = self.heard.lock().await;
        while let Ok(message) = heard.try_recv() {
            assert!(matches!(message, Wish::Say(ToMachine::SetIndicators { .. })), "{message:?}");
        }
    }

    pub(crate) async fn answer(&self, request: u64, problem: Option<Problem>) {
        self.say(ToUser::Answer { request, problem }).await;
    }

    /// Waits for the wish to install `offer` and begins: the job is told first, then the answer.
    pub(crate) async fn begin_update(&self, offer: &Offer) -> Job {
        let request = self.asked_to_install(&offer.id).await;
        let job = Job {
            offer: offer.id.clone(),
            device: offer.device.clone(),
            name: offer.name.clone(),
            from_version: offer.from_version.clone(),
            to_version: offer.to_version.clone(),
            phase: JobPhase::Fetching,
            done_bytes: 0,
            total_bytes: 262_144,
            ..Job::default()
        };
        self.say(ToUser::JobChanged { job: Some(job.clone()) }).await;
        self.answer(request, None).await;
        job
    }
}

impl Drop for PlayedMachine {
    fn drop(&mut self) {
        if matches!(self.to_user.try_send(Event::Stop), Err(TrySendError::Full(_))) {
            return;
        }
        let ended = self.agent.take().map(JoinHandle::join);
        assert!(std::thread::panicking() || matches!(ended, Some(Ok(()))), "the agent panicked");
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
        problem: None,
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
        deferrable: true,
        deferrals_left: None,
        next: None,
        blocked: None,
    }
}

/// A company's computer with one headset and one offer for it.
pub(crate) fn state() -> State {
    State {
        protocol: PROTOCOL_VERSION,
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
        ..State::default()
    }
}

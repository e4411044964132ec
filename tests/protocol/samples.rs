//! One message of every kind, with every optional part once there and once not.

use hub::problem::Reason;
use hub::protocol::client::ClientId;
use hub::protocol::local::{
    Call, CallState, Decider, Direction, Endpoint, LocalAnswer, LocalRequest, Softphone, Standing, View,
};
use hub::protocol::{
    Capabilities, Deployment, Detail, Device, DeviceEvent, DeviceStatus, Function, Indicators, Job, JobPhase,
    Next, Offer, Outcome, PROTOCOL_VERSION, PastUpdate, Problem, ResolvedGroup, State, Stop, Support,
    TenantMode, TenantState, ToMachine, ToUser, Trouble, WaitsFor, Why,
};

pub(crate) fn problem() -> Problem {
    Reason::HidAccessDenied { error: "busy".to_owned() }.at("/dev/hidraw3")
}

/// Says a part of itself in the person's language.
fn detailed_problem() -> Problem {
    let size = Detail::new("archive-no-end", "it is cut off").with("bytes", 7);
    let component = Detail::new("package-image", "main: it is cut off").with("component", "main");
    Reason::PackageRefused { error: component.detail("error", size), resumed: "false".to_owned() }.at("fw")
}

fn plain_problem() -> Problem {
    Reason::NoSuchOffer.at("fw:d")
}

pub(crate) fn device(status: DeviceStatus, full: bool) -> Device {
    Device {
        id: "1209-0001-HS0001".to_owned(),
        vendor: "Hookswitch".to_owned(),
        product: "Simulated Headset".to_owned(),
        vendor_id: 0x1209,
        product_id: 1,
        serial: full.then(|| "HS0001".to_owned()),
        firmware_version: "1.10".to_owned(),
        port: full.then(|| "1-2.3".to_owned()),
        capabilities: Capabilities {
            call_control: true,
            mute_sync: true,
            ring: full,
            hold: full,
            reject: full,
            redial: full,
            line_busy: full,
            teams: full,
            firmware_update: full,
        },
        status,
        line_busy: full,
        problem: None,
    }
}

fn next(deployment: Deployment) -> Option<Next> {
    let (at_s, waits_for) = match deployment {
        Deployment::Optional | Deployment::Recovery => return None,
        Deployment::Persistent => (Some(1_800_000_000), WaitsFor::Deadline),
        Deployment::Automatic => (None, WaitsFor::Call),
        Deployment::Silent => (Some(1_700_000_000), WaitsFor::Window),
    };
    Some(Next { at_s, waits_for })
}

fn offer(deployment: Deployment, blocked: Option<Problem>) -> Offer {
    Offer {
        id: "fw:1209-0001-HS0001".to_owned(),
        device: "1209-0001-HS0001".to_owned(),
        policy: "fw".to_owned(),
        name: "Headset 1.20".to_owned(),
        from_version: "1.10".to_owned(),
        to_version: "1.20".to_owned(),
        deployment,
        group: "all-users".to_owned(),
        deferred: blocked.is_some(),
        deferrable: blocked.is_none() && deployment != Deployment::Silent,
        deferrals_left: (deployment == Deployment::Automatic).then_some(2),
        next: next(deployment),
        blocked,
    }
}

fn offers() -> Vec<Offer> {
    use Deployment::{Automatic, Optional, Persistent, Recovery, Silent};
    let kinds = [Optional, Persistent, Automatic, Silent, Recovery];
    let mut all: Vec<Offer> = kinds.into_iter().map(|d| offer(d, None)).collect();
    all.push(offer(Optional, Some(problem())));
    all
}

fn job(outcome: Option<Outcome>) -> Job {
    Job {
        offer: "fw:1209-0001-HS0001".to_owned(),
        device: "1209-0001-HS0001".to_owned(),
        name: "Headset 1.20".to_owned(),
        from_version: "1.10".to_owned(),
        to_version: "1.20".to_owned(),
        phase: JobPhase::Downloading,
        done_bytes: 1024,
        total_bytes: 65_536,
        retries: 1,
        cancelling: outcome.is_none(),
        stop: if outcome.is_none() { Stop::Strands } else { Stop::Harmless },
        outcome,
    }
}

pub(crate) fn groups() -> Vec<ResolvedGroup> {
    let whys = [
        Why::LdapQuery { server: "ldaps://dc".to_owned(), filter: "(uid=$user$)".to_owned() },
        Why::Assigned,
        Why::LastKnown { problem: plain_problem() },
        Why::Everyone,
    ];
    let group = |(n, why): (usize, Why)| ResolvedGroup {
        id: format!("group-{n}"),
        name: format!("Group {n}"),
        priority: u32::try_from(n).expect("a few"),
        why,
    };
    whys.into_iter().enumerate().map(group).collect()
}

fn tenant() -> TenantState {
    TenantState {
        mode: TenantMode::Server,
        server: Some("https://tenant.example.com".to_owned()),
        company: Some("Example".to_owned()),
        enrolled: true,
        policy_version: Some(7),
        root_sha256: Some("00ff".to_owned()),
        policy_seen_s: Some(1_700_000_000),
        last_poll_s: Some(1_700_000_000),
        next_poll_s: Some(1_700_021_600),
        polling_s: Some(21_600),
        outbox: 3,
        problem: Some(problem()),
        sdk_approved: vec!["https://phone.example.com".to_owned()],
        support: Some(Support {
            name: Some("Desk".to_owned()),
            email: None,
            phone: Some("+49 1".to_owned()),
            url: Some("https://help.example.com".to_owned()),
        }),
    }
}

fn queue() -> Vec<Job> {
    let waits = Job { phase: JobPhase::Queued, done_bytes: 0, total_bytes: 0, retries: 0, ..job(None) };
    vec![Job { cancelling: false, stop: Stop::Harmless, ..waits }]
}

pub(crate) fn history() -> Vec<PastUpdate> {
    let past = |outcome| PastUpdate {
        ended_s: 1_700_000_000,
        device: "1209-0001-HS0001".to_owned(),
        product: "Headset".to_owned(),
        name: "Firmware".to_owned(),
        from_version: "1.10".to_owned(),
        to_version: "1.20".to_owned(),
        outcome,
    };
    vec![
        past(Outcome::Succeeded { version: "1.20".to_owned() }),
        past(Outcome::Failed { problem: problem() }),
        past(Outcome::Unknown { problem: plain_problem() }),
    ]
}

fn state() -> State {
    State {
        protocol: PROTOCOL_VERSION,
        user: "jane".to_owned(),
        active: false,
        devices: vec![device(DeviceStatus::Ready, true)],
        offers: vec![offer(Deployment::Optional, None)],
        job: Some(job(None)),
        queue: queue(),
        history: history().into(),
        tenant: tenant(),
        groups: groups(),
        groups_problem: Some(plain_problem()),
        troubles: troubles(),
    }
}

fn troubles() -> Vec<Trouble> {
    use Function::{Hid, Host, Hotplug, Store, Tenant, Usb};
    let all = [Hid, Usb, Hotplug, Store, Tenant, Host];
    all.into_iter().map(|function| Trouble { function, problem: plain_problem() }).collect()
}

pub(crate) const TO_USER: &[&str] = &[
    "hello",
    "device-changed",
    "device-removed",
    "device-event",
    "offers-changed",
    "job-changed",
    "queue-changed",
    "history-changed",
    "tenant-changed",
    "troubles-changed",
    "refused",
    "groups-changed",
    "seat-changed",
    "update-asks",
    "answer",
];

/// Without wildcard: a new variant needs a name here, a sample below and a golden file.
pub(crate) fn to_user_name(message: &ToUser) -> &'static str {
    match message {
        ToUser::Hello(_) => "hello",
        ToUser::Refused { .. } => "refused",
        ToUser::TroublesChanged { .. } => "troubles-changed",
        ToUser::DeviceChanged { .. } => "device-changed",
        ToUser::DeviceRemoved { .. } => "device-removed",
        ToUser::DeviceEvent { .. } => "device-event",
        ToUser::OffersChanged { .. } => "offers-changed",
        ToUser::JobChanged { .. } => "job-changed",
        ToUser::QueueChanged { .. } => "queue-changed",
        ToUser::HistoryChanged { .. } => "history-changed",
        ToUser::TenantChanged { .. } => "tenant-changed",
        ToUser::GroupsChanged { .. } => "groups-changed",
        ToUser::SeatChanged { .. } => "seat-changed",
        ToUser::UpdateAsks { .. } => "update-asks",
        ToUser::Answer { .. } => "answer",
    }
}

pub(crate) fn to_user() -> Vec<ToUser> {
    use DeviceEvent::{
        Answer, DialTone, HangUp, HoldToggle, MuteOff, MuteOn, MuteToggle, Redial, Reject, TeamsButton,
    };
    let id = || "1209-0001-HS0001".to_owned();
    let pressed =
        [Answer, HangUp, Reject, DialTone, HoldToggle, MuteToggle, MuteOn, MuteOff, Redial, TeamsButton];
    for event in pressed {
        // A new press has to come into the list above.
        match event {
            Answer | HangUp | Reject | DialTone | HoldToggle | MuteToggle | MuteOn | MuteOff | Redial
            | TeamsButton => {}
        }
    }
    let ended = [
        Outcome::Succeeded { version: "1.20".to_owned() },
        Outcome::Failed { problem: problem() },
        Outcome::Unknown { problem: plain_problem() },
    ];
    let mut all = vec![
        ToUser::Hello(Box::new(state())),
        ToUser::Hello(Box::default()),
        ToUser::DeviceChanged { device: device(DeviceStatus::Ready, true) },
        ToUser::DeviceChanged { device: device(DeviceStatus::Updating, false) },
        ToUser::DeviceChanged { device: device(DeviceStatus::Unavailable { problem: problem() }, false) },
        ToUser::DeviceChanged {
            device: Device { problem: Some(problem()), ..device(DeviceStatus::Ready, false) },
        },
        ToUser::DeviceChanged { device: device(DeviceStatus::NeedsFirmware { problem: problem() }, false) },
        ToUser::DeviceRemoved { id: id() },
        ToUser::OffersChanged { offers: offers() },
        ToUser::JobChanged { job: None },
        ToUser::JobChanged { job: Some(job(None)) },
        ToUser::QueueChanged { queue: queue() },
        ToUser::HistoryChanged { history: history().into() },
        ToUser::TenantChanged { tenant: tenant() },
        ToUser::TroublesChanged { troubles: troubles() },
        ToUser::Refused { protocol: 3 },
        ToUser::GroupsChanged { groups: groups(), problem: None },
        ToUser::GroupsChanged { groups: vec![], problem: Some(problem()) },
        ToUser::SeatChanged { active: true },
        ToUser::UpdateAsks {
            offer: "fw:1209-0001-HS0001".to_owned(),
            name: "Headset 1.20".to_owned(),
            version: "1.20".to_owned(),
            begins: true,
            deferrable: true,
        },
        ToUser::Answer { request: 1, problem: None },
        ToUser::Answer { request: u64::MAX, problem: Some(problem()) },
    ];
    all.extend(pressed.map(|event| ToUser::DeviceEvent { id: id(), event }));
    all.extend(ended.map(|outcome| ToUser::JobChanged { job: Some(job(Some(outcome))) }));
    all
}

pub(crate) const TO_MACHINE: &[&str] =
    &["hello", "set-indicators", "install-update", "defer-update", "cancel-update", "poll"];

pub(crate) fn to_machine_name(message: &ToMachine) -> &'static str {
    match message {
        ToMachine::Hello { .. } => "hello",
        ToMachine::SetIndicators { .. } => "set-indicators",
        ToMachine::InstallUpdate { .. } => "install-update",
        ToMachine::DeferUpdate { .. } => "defer-update",
        ToMachine::CancelUpdate { .. } => "cancel-update",
        ToMachine::Poll { .. } => "poll",
    }
}

pub(crate) fn to_machine() -> Vec<ToMachine> {
    let offer = || "fw:1209-0001-HS0001".to_owned();
    vec![
        ToMachine::Hello { protocol: PROTOCOL_VERSION },
        ToMachine::SetIndicators {
            device: "1209-0001-HS0001".to_owned(),
            indicators: Indicators { off_hook: true, ring: false, mute: true, hold: false },
        },
        ToMachine::InstallUpdate { request: 1, offer: offer() },
        ToMachine::DeferUpdate { request: 2, offer: offer() },
        ToMachine::CancelUpdate { request: 3, offer: None, anyway: true },
        ToMachine::CancelUpdate { request: 4, offer: Some(offer()), anyway: false },
        ToMachine::Poll { request: 4 },
    ]
}

pub(crate) const LOCAL_REQUEST: &[&str] = &[
    "view",
    "watch",
    "install",
    "defer",
    "use-headset",
    "approve-softphone",
    "revoke-softphone",
    "cancel",
    "poll",
    "window",
    "settings",
    "set",
    "stop",
];

pub(crate) fn local_request_name(request: &LocalRequest) -> &'static str {
    match request {
        LocalRequest::View => "view",
        LocalRequest::Watch => "watch",
        LocalRequest::Install { .. } => "install",
        LocalRequest::Defer { .. } => "defer",
        LocalRequest::UseHeadset { .. } => "use-headset",
        LocalRequest::ApproveSoftphone { .. } => "approve-softphone",
        LocalRequest::RevokeSoftphone { .. } => "revoke-softphone",
        LocalRequest::Cancel { .. } => "cancel",
        LocalRequest::Poll => "poll",
        LocalRequest::Window => "window",
        LocalRequest::Settings => "settings",
        LocalRequest::Set { .. } => "set",
        LocalRequest::Stop { .. } => "stop",
    }
}

pub(crate) fn local_request() -> Vec<LocalRequest> {
    vec![
        LocalRequest::View,
        LocalRequest::Watch,
        LocalRequest::Install { offer: "fw:d".to_owned() },
        LocalRequest::Defer { offer: "fw:d".to_owned() },
        LocalRequest::UseHeadset { device: "1209-0001-A1B2".to_owned() },
        LocalRequest::ApproveSoftphone { softphone: "https://phone.example".to_owned() },
        LocalRequest::RevokeSoftphone { softphone: "https://phone.example".to_owned() },
        LocalRequest::Cancel { offer: None, anyway: true },
        LocalRequest::Cancel { offer: Some("fw:d".to_owned()), anyway: false },
        LocalRequest::Set { key: "rest_port".to_owned(), value: Some("32019".to_owned()) },
        LocalRequest::Set { key: "headset".to_owned(), value: None },
        LocalRequest::Poll,
        LocalRequest::Window,
        LocalRequest::Settings,
        LocalRequest::Stop { anyway: false },
    ]
}

pub(crate) const LOCAL_ANSWER: &[&str] = &["view", "done", "window", "settings", "problem"];

pub(crate) fn local_answer_name(answer: &LocalAnswer) -> &'static str {
    match answer {
        LocalAnswer::View { .. } => "view",
        LocalAnswer::Done => "done",
        LocalAnswer::Window { .. } => "window",
        LocalAnswer::Settings { .. } => "settings",
        LocalAnswer::Problem { .. } => "problem",
    }
}

fn clients() -> [ClientId; 3] {
    let page = ClientId::Page("https://phone.example".to_owned());
    [page, ClientId::Program("/opt/phone/phone".to_owned()), ClientId::Unnamed]
}

fn calls() -> Vec<Call> {
    let states = [CallState::Ringing, CallState::Answered, CallState::Held, CallState::Ended];
    let clients = clients();
    let call = |(n, state): (usize, CallState)| {
        let incoming = n % 2 == 0;
        Call {
            id: n as u64 + 1,
            client: clients[n % 3].clone(),
            label: (n == 1).then(|| "desk".to_owned()),
            direction: if incoming { Direction::Incoming } else { Direction::Outgoing },
            state,
            muted: !incoming,
            contact: incoming.then(|| "+49 30 1 \u{202e}\"Ümlaut\"".to_owned()),
        }
    };
    states.into_iter().enumerate().map(call).collect()
}

fn softphones() -> Vec<Softphone> {
    let [page, program, _] = clients();
    let page = |standing, by: Option<Decider>| Softphone {
        client: page.clone(),
        label: None,
        standing,
        by,
        locked: by.is_some_and(|by| by != Decider::Person),
        connected: standing == Standing::Approved,
    };
    let program = Softphone {
        client: program,
        label: Some("desk".to_owned()),
        locked: false,
        ..page(Standing::Approved, Some(Decider::Token))
    };
    vec![
        page(Standing::Asking, None),
        page(Standing::Approved, Some(Decider::Person)),
        page(Standing::Approved, Some(Decider::Environment)),
        page(Standing::Approved, Some(Decider::Machine)),
        page(Standing::Approved, Some(Decider::Company)),
        program,
        page(Standing::Denied, None),
    ]
}

pub(crate) fn local_answer() -> Vec<LocalAnswer> {
    let view = View {
        version: "0.1.0".to_owned(),
        user: "jane".to_owned(),
        rest: Endpoint {
            url: Some("https://127.0.0.1:32018".to_owned()),
            ca_path: Some("/home/jane/ca.pem".to_owned()),
            certificate_ends_s: Some(1_800_000_000),
        },
        tenant: tenant(),
        devices: vec![device(DeviceStatus::Ready, true)],
        headset: Some(device(DeviceStatus::Ready, true).id),
        calls: calls(),
        offers: offers(),
        job: Some(job(None)),
        queue: queue(),
        ended: vec![job(Some(Outcome::Succeeded { version: "1.20".to_owned() }))],
        history: history().into(),
        groups: groups(),
        groups_problem: Some(problem()),
        problems: vec![plain_problem()],
        service: true,
        unheard: true,
        softphones: softphones(),
    };
    vec![
        LocalAnswer::View { view: Box::new(view) },
        LocalAnswer::View { view: Box::default() },
        LocalAnswer::Done,
        LocalAnswer::Window { url: "http://127.0.0.1:1/once?token=x".to_owned() },
        LocalAnswer::Settings {
            settings: serde_json::json!([{ "key": "user", "value": "jane", "from": "user", "locked": false }]),
        },
        LocalAnswer::Problem { problem: problem() },
        LocalAnswer::Problem { problem: detailed_problem() },
    ]
}

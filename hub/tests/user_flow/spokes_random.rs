//! Any query at any time, and presses between them.

use super::*;
use serde_json::Value;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

const PATHS: [&str; 22] = [
    "SessionManager/Register",
    "SessionManager/UnRegister",
    "SessionManager/IsActive",
    "SessionManager/PluginList",
    "CallServices/IncomingCall",
    "CallServices/IncomingCall",
    "CallServices/OutgoingCall",
    "CallServices/AnswerCall",
    "CallServices/TerminateCall",
    "CallServices/HoldCall",
    "CallServices/ResumeCall",
    "CallServices/MuteCall",
    "CallServices/CallEvents",
    "CallServices/CallRequests",
    "CallServices/CallManagerState/",
    "UserPreference/SetDefaultSoftPhone",
    "DeviceServices/Attach",
    "DeviceServices/Events",
    "DeviceServices/Release",
    "EventManager/SetRegistry",
    "EventManager/GlobalMaxCount",
    "EventManager/TTL",
];
const WORDS: [&str; 24] = [
    "name=P",
    "name=Q",
    "&",
    "=",
    "callID=",
    "callID=1",
    "{\"Id\":\"1\"}",
    "{\"Id\":\"undefined\"}",
    "%7B%22Id%22%3A2%7D",
    "muted=true",
    "muted=false",
    "muted=",
    "contact={\"Name\":\"",
    "sess=",
    "queue=2",
    "ttl=0",
    "max=1",
    "%",
    "%ff",
    "+",
    "callback=f",
    "\u{2028}",
    "{",
    "9999999999999999999",
];
const PRESSES: [DeviceEvent; 5] = [
    DeviceEvent::Answer,
    DeviceEvent::HangUp,
    DeviceEvent::Reject,
    DeviceEvent::HoldToggle,
    DeviceEvent::MuteToggle,
];

fn words(random: &mut fastrand::Rng) -> String {
    let sane = format!("name=P&callID={{\"Id\":\"{}\"}}&muted={}&", random.u8(..3), random.bool());
    let odd: String = (0..random.usize(..6)).map(|_| WORDS[random.usize(..WORDS.len())]).collect();
    if random.bool() { sane + &odd } else { odd }
}

/// Gives the session where one began.
fn asked(rig: &mut Rig, path: &str) -> Option<String> {
    let json = rig.ask(path);
    let envelope: Value = serde_json::from_str(&json).unwrap_or_else(|e| panic!("{path}: {e}: {json}"));
    let is_error = envelope["isError"].as_bool().expect("isError");
    assert_eq!(is_error, envelope.get("Result").is_none(), "{path}: {json}");
    assert_eq!(is_error, envelope["Type"] == 1, "{path}: {json}");
    (envelope["Type_Name"] == "SessionHash").then(|| envelope["Result"].as_str().expect("text").to_owned())
}

fn run(random: &mut fastrand::Rng) {
    let mut rig = Rig::with_page();
    let mut session = String::new();
    for _ in 0..300 {
        match random.u8(..16) {
            0 => rig.service(ToUser::DeviceRemoved { id: "d".to_owned() }),
            1 | 2 => rig.service(ToUser::DeviceChanged { device: device("d") }),
            3..=5 => rig.press(PRESSES[random.usize(..PRESSES.len())]),
            6 => rig.pass(Duration::from_secs(random.u64(..40))),
            _ => {
                let path = PATHS[random.usize(..PATHS.len())];
                let path = format!("{path}?sess={session}&{}", words(random));
                session = asked(&mut rig, &path).unwrap_or(session);
            }
        }
    }
    // Chance made some of the names.
    let names = rig.result("SessionManager/PluginList");
    for name in names.as_array().expect("names") {
        let name = name.as_str().expect("text").as_bytes();
        let name: String = url::form_urlencoded::byte_serialize(name).collect();
        rig.says(&format!("SessionManager/UnRegister?name={name}"));
    }
    assert_eq!(rig.agent.view().calls, [], "who left has no calls");
    rig.service(ToUser::DeviceRemoved { id: "d".to_owned() });
    rig.service(ToUser::DeviceChanged { device: device("d") });
    assert_eq!(rig.lights(), [], "the headset is dark");
}

/// Whatever is sent, and pressed meanwhile: an envelope comes, and the state is one that can be.
#[test]
fn any_query_is_answered_by_an_envelope() {
    for seed in crate::seed::runs(60) {
        let mut random = fastrand::Rng::with_seed(seed);
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(&mut random))) {
            println!("SEED={seed} repeats this run");
            resume_unwind(panic);
        }
    }
}

//! Softphones that were written for the Plantronics Hub: what they ask, to the byte, and what it does.

use super::*;
use hub::user::call::MAX_CALLS;
use hub::user::ringing::RINGS_AT_MOST;
use hub::user::spokes::plugin::{EVENT_LIFE, GRACE_OF_PAGE, GRACE_OF_PROGRAM, MOST_EVENTS, MOST_PLUGINS};
use hub::user::spokes::session::MOST_SESSIONS;
use hub::user::spokes::{Asker, Request};

const PAGE: &str = "https://phone.example";
pub(super) const INVALID_SESSION: &str = r#"{"Description":"","Err":{"Description":"Invalid session id","Error_Code":0,"Type":3},"Type":1,"Type_Name":"Error","isError":true}"#;
const NO_EVENTS: &str =
    r#"{"Description":"CallEvents","Result":[],"Type":10,"Type_Name":"CallStateArray","isError":false}"#;

impl Rig {
    /// With a page that may come in.
    pub(super) fn with_page() -> Self {
        let mut rig = Self::with(&["d"]);
        rig.approve(&[PAGE]);
        rig
    }

    fn approve(&mut self, softphones: &[&str]) {
        let approved = softphones.iter().map(|on| (*on).to_owned()).collect();
        let approvals = hub::user::sdk::consent::Approvals { approved, ..Default::default() };
        self.feed(Input::Approvals(approvals));
    }

    fn ask_as(&mut self, name: &str, path: &str) -> String {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let asks = Request::parse(&format!("/Spokes/{path}"), query).asks;
        let asker = Asker { client: client(name), label: None, fresh: format!("{:032x}", self.requests) };
        match self.command(Command::Spokes { asker, asks }) {
            Reply::Spokes(json) => json,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn ask(&mut self, path: &str) -> String {
        self.ask_as(PAGE, path)
    }

    pub(super) fn result(&mut self, path: &str) -> serde_json::Value {
        let json = self.ask(path);
        let envelope: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!(envelope["isError"], false, "{path}: {json}");
        envelope["Result"].clone()
    }

    /// It is answered with `true`.
    pub(super) fn says(&mut self, path: &str) {
        assert_eq!(self.result(path), true, "{path}");
    }

    /// Number and call of each event of the plugin `P`.
    fn events(&mut self) -> Vec<(u64, u64)> {
        self.events_of(PAGE, "P")
    }

    fn events_of(&mut self, name: &str, plugin: &str) -> Vec<(u64, u64)> {
        let json = self.ask_as(name, &format!("CallServices/CallEvents?name={plugin}"));
        let envelope: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        let number = |value: &serde_json::Value| value.as_u64().expect("a number");
        let events = envelope["Result"].as_array().expect("an array");
        events.iter().map(|event| (number(&event["Action"]), number(&event["CallId"]["Id"]))).collect()
    }

    pub(super) fn attach(&mut self) -> String {
        self.result("DeviceServices/Attach?uid=999").as_str().expect("a session").to_owned()
    }

    /// Numbers of what the session has to tell.
    pub(super) fn done(&mut self, session: &str) -> Vec<(u64, u64)> {
        let events = self.result(&format!("DeviceServices/Events?sess={session}&queue=0"));
        let number = |value: &serde_json::Value| value.as_u64().expect("a number");
        let events = events.as_array().expect("an array");
        events.iter().map(|e| (number(&e["Event_Log_Type_Id"]), number(&e["Event_Id"]))).collect()
    }

    fn lit(&self) -> Indicators {
        let lit = self.lights();
        lit.last().map(|(_, lights)| *lights).expect("lights")
    }
}

pub(super) fn rings(rig: &mut Rig, id: u64) {
    rig.says(&format!(
        "CallServices/IncomingCall?name=P&callID={{\"Id\":\"{id}\"}}&tones=Unknown&route=ToHeadset"
    ));
}

pub(super) fn does(rig: &mut Rig, what: &str, id: u64) {
    rig.says(&format!("CallServices/{what}?name=P&callID={{\"Id\":\"{id}\"}}"));
}

#[test]
fn every_answer_is_spelled_as_clients_read_it() {
    let mut rig = Rig::with_page();
    let yes = |what: &str| {
        format!(r#"{{"Description":"{what}","Result":true,"Type":2,"Type_Name":"Bool","isError":false}}"#)
    };
    let no = |what: &str| {
        format!(
            r#"{{"Description":"","Err":{{"Description":"{what}","Error_Code":0,"Type":5}},"Type":1,"Type_Name":"Error","isError":true}}"#
        )
    };
    for (path, answer) in [
        ("SessionManager/UnRegister?name=P", no("Invalid plugin name")),
        ("SessionManager/Register?name=P", yes("Register")),
        ("SessionManager/Register?name=P", no("Plugin exists")),
        ("SessionManager/Register?name=", no("Invalid plugin name")),
        ("SessionManager/Register", no("Invalid plugin name")),
        ("SessionManager/IsActive?name=P&active=true", yes("Is Active")),
        ("UserPreference/SetDefaultSoftPhone?name=P", yes("setDefaultSoftphone")),
        ("userpreference/setdefaultsoftphone/?name=P", yes("setDefaultSoftphone")),
        ("CallServices/IncomingCall?name=P&callID={\"Id\":\"5\"}", yes("Incoming Call")),
        ("CallServices/AnswerCall?name=P&callID={\"Id\":\"5\"}", yes("Answered Call")),
        ("CallServices/HoldCall?name=P&callID={\"Id\":\"5\"}", yes("Hold Call")),
        ("CallServices/ResumeCall?name=P&callID={\"Id\":\"5\"}", yes("Resume Call")),
        ("CallServices/MuteCall?name=P&muted=true", yes("Mute Call")),
    ] {
        assert_eq!(rig.ask(path), answer, "{path}");
    }
    assert_eq!(
        rig.ask("CallServices/CallManagerState"),
        r#"{"Description":"Call Manager State","Result":{"CallOnHold":0,"Calls":[{"CallId":5,"IsActive":true,"SessionId":"00000000-0000-0000-0000-000000000001","Source":"P"}],"HasActiveCall":true},"Type":9,"Type_Name":"CallManagerState","isError":false}"#
    );
    let event = |action: u8, id: u8| {
        format!(
            r#"{{"Action":{action},"CallId":{{"ConferenceId":0,"Id":{id},"InConference":false}},"CallSource":"P","DeviceEvent":0,"DialedKey":0}}"#
        )
    };
    let events = [(18, 0), (7, 5), (6, 5), (6, 5), (11, 5)].map(|(action, id)| event(action, id));
    let of_calls = |events: &str| {
        format!(
            r#"{{"Description":"CallEvents","Result":[{events}],"Type":10,"Type_Name":"CallStateArray","isError":false}}"#
        )
    };
    assert_eq!(rig.ask("CallServices/CallEvents?name=P"), of_calls(&events.join(",")));
    assert_eq!(rig.ask("CallServices/CallEvents?name=P"), NO_EVENTS, "reading takes them away");
    for (path, answer) in [
        ("CallServices/TerminateCall?name=P&callID={\"Id\":\"5\"}", yes("Terminate Call")),
        ("CallServices/OutgoingCall?name=P&callID={\"Id\":\"6\"}", yes("Outgoing Call")),
        ("SessionManager/UnRegister?name=P", yes("UnRegister")),
    ] {
        assert_eq!(rig.ask(path), answer, "{path}");
    }
    assert_eq!(
        rig.ask("CallServices/CallManagerState"),
        r#"{"Description":"Call Manager State","Result":{"CallOnHold":0,"Calls":[],"HasActiveCall":false},"Type":9,"Type_Name":"CallManagerState","isError":false}"#
    );
    assert_eq!(
        rig.ask("CallServices/CallRequests?name=P"),
        r#"{"Description":"Call Requests","Result":[],"Type":11,"Type_Name":"ContactArray","isError":false}"#
    );
    let session = rig.attach();
    assert_eq!(session.len(), 32);
    assert_eq!(
        rig.ask(&format!("DeviceServices/Events?sess={session}&queue=0")),
        r#"{"Description":"Events","Result":[],"Type":6,"Type_Name":"DeviceEventArray","isError":false}"#
    );
    rig.press(DeviceEvent::MuteOn);
    rig.pass(Duration::from_millis(1643));
    assert_eq!(
        rig.ask(&format!("DeviceServices/Events?sess={session}&queue=2")),
        r#"{"Description":"Events","Result":[{"Age":1643,"Event_Id":5,"Event_Log_Type_Id":2,"Event_Log_Type_Name":"HeadsetStateChange","Event_Name":"MuteOn","Order":2}],"Type":6,"Type_Name":"DeviceEventArray","isError":false}"#
    );
    assert_eq!(rig.ask(&format!("DeviceServices/Release?sess={session}")), yes("Release"));
    assert_eq!(rig.ask(&format!("DeviceServices/Release?sess={session}")), INVALID_SESSION);
    assert!(rig.ask("DeviceServices/Events?queue=0").contains(r#""Description":"Empty session id""#));
    assert!(rig.ask("DeviceServices/Nothing").contains("is not offered by Hookswitch"));
}

/// These softphones say nothing of a change that the headset told them.
#[test]
fn a_press_takes_effect_at_once_and_comes_as_an_event() {
    let mut rig = Rig::with_page();
    rings(&mut rig, 7);
    assert_eq!(rig.lit(), RING);
    rig.events();
    rig.press(DeviceEvent::Answer);
    assert_eq!(rig.lit(), IN_CALL);
    assert_eq!(rig.result("CallServices/CallManagerState")["HasActiveCall"], true);
    assert_eq!(rig.events(), [(1, 7), (6, 7)]);
    does(&mut rig, "AnswerCall", 7);
    assert_eq!(rig.events(), [], "it was answered already");
    rig.press(DeviceEvent::MuteToggle);
    assert_eq!(rig.lit(), Indicators { mute: true, ..IN_CALL });
    assert_eq!(rig.events(), [(11, 7)]);
    rig.says("CallServices/MuteCall?name=P&muted=true");
    assert_eq!(rig.events(), []);
    rig.press(DeviceEvent::MuteToggle);
    rig.press(DeviceEvent::HoldToggle);
    assert_eq!(rig.events(), [(12, 7), (3, 7)]);
    assert_eq!(rig.result("CallServices/CallManagerState")["CallOnHold"], 1);
    does(&mut rig, "HoldCall", 7);
    rig.press(DeviceEvent::HoldToggle);
    assert_eq!(rig.events(), [(4, 7), (6, 7)]);
    rig.press(DeviceEvent::HangUp);
    assert_eq!(rig.lit(), DARK);
    assert_eq!(rig.events(), [(2, 7), (8, 7), (18, 7)]);
    // What a shipped client says after each hang-up, of the call that has ended.
    does(&mut rig, "TerminateCall", 7);
    rig.says("CallServices/MuteCall?name=P&muted=false");
    does(&mut rig, "ResumeCall", 7);
    assert_eq!(rig.ask("CallServices/CallEvents?name=P"), NO_EVENTS);
    assert_eq!(rig.lights(), []);
}

#[test]
fn a_call_is_rejected_at_the_headset_and_the_other_goes_on() {
    let mut rig = Rig::with_page();
    rings(&mut rig, 1);
    does(&mut rig, "AnswerCall", 1);
    rings(&mut rig, 2);
    rig.events();
    rig.press(DeviceEvent::Reject);
    assert_eq!(rig.events(), [(23, 2), (8, 2)]);
    does(&mut rig, "TerminateCall", 2);
    assert_eq!(rig.events(), []);
    assert_eq!(rig.agent.view().calls.len(), 1);
    rings(&mut rig, 3);
    rig.press(DeviceEvent::Answer);
    assert_eq!(rig.events(), [(7, 3), (3, 1), (1, 3), (6, 3)]);
}

#[test]
fn commands_that_come_late_or_twice_change_nothing() {
    let mut rig = Rig::with_page();
    for odd in ["{\"Id\":\"undefined\"}", "{\"Id\":\"9\"}", "{", "x"] {
        for what in ["AnswerCall", "TerminateCall", "HoldCall", "ResumeCall"] {
            rig.says(&format!("CallServices/{what}?name=P&callID={odd}"));
            assert_eq!(rig.agent.view().calls, [], "{what} {odd}");
        }
    }
    rig.says("CallServices/MuteCall?name=P&muted=false");
    for _ in 0..3 {
        rings(&mut rig, 1);
        does(&mut rig, "ResumeCall", 1);
    }
    assert_eq!(rig.agent.view().calls.len(), 1);
    for what in ["AnswerCall", "HoldCall", "HoldCall", "ResumeCall", "ResumeCall", "TerminateCall"] {
        does(&mut rig, what, 1);
        does(&mut rig, what, 1);
    }
    assert_eq!(rig.events(), [(7, 1), (6, 1), (6, 1), (8, 1), (18, 1)]);
    // The id of a call that ended is used again.
    rings(&mut rig, 1);
    assert_eq!(rig.events(), [(7, 1)]);
    for nothing in ["", "callID=", "callID={\"Id\":\"undefined\"}"] {
        let answer = rig.ask(&format!("CallServices/IncomingCall?name=P&{nothing}"));
        assert!(answer.contains("callID is"), "{answer}");
    }
    let answer = rig.ask("CallServices/MuteCall?name=P");
    assert!(answer.contains("muted is true or false"), "{answer}");
}

/// Whatever state the headset has brought a call into meanwhile: an error would be the end of the headset for them.
#[test]
fn a_command_that_does_not_fit_any_more_succeeds_and_changes_nothing() {
    const BRINGS: [&[&str]; 3] = [&[], &["AnswerCall"], &["AnswerCall", "HoldCall"]];
    for brings in BRINGS {
        for what in ["AnswerCall", "HoldCall", "ResumeCall", "TerminateCall"] {
            let mut rig = Rig::with_page();
            rings(&mut rig, 1);
            brings.iter().for_each(|step| does(&mut rig, step, 1));
            let before = rig.agent.view().calls.clone();
            does(&mut rig, what, 1);
            let state = rig.agent.view().calls.first().map(|call| call.state);
            let fits = match (what, before[0].state) {
                ("AnswerCall", CallState::Ringing) | ("ResumeCall", CallState::Held) => {
                    Some(CallState::Answered)
                }
                ("HoldCall", CallState::Answered) => Some(CallState::Held),
                ("TerminateCall", _) => None,
                (_, as_it_was) => Some(as_it_was),
            };
            assert_eq!(state, fits, "{what} after {brings:?}");
            does(&mut rig, what, 1);
        }
    }
}

/// In the call that is spoken in.
fn is_muted(rig: &Rig) -> bool {
    let spoken = rig.agent.view().calls.iter().find(|call| call.state == CallState::Answered);
    spoken.is_some_and(|call| call.muted)
}

/// No request names the call: what the softphone says of its microphone is meant for whichever is spoken in.
#[test]
fn who_muted_a_softphone_is_heard_in_none_of_its_calls() {
    let mut rig = Rig::with_page();
    let mute = |rig: &mut Rig, muted: bool| rig.says(&format!("CallServices/MuteCall?name=P&muted={muted}"));
    rig.says("CallServices/OutgoingCall?name=P&callID=1");
    mute(&mut rig, true);
    rings(&mut rig, 2);
    assert_eq!(rig.events(), [(6, 1), (11, 1), (7, 2)]);
    does(&mut rig, "AnswerCall", 2);
    assert!(is_muted(&rig), "an open microphone that nobody knows of");
    assert_eq!(rig.events(), [(6, 2)]);
    mute(&mut rig, false);
    assert!(!is_muted(&rig));
    does(&mut rig, "HoldCall", 2);
    does(&mut rig, "ResumeCall", 1);
    assert!(!is_muted(&rig), "its last word was that they are heard");
    let of_mute = |events: Vec<(u64, u64)>| {
        events.into_iter().map(|(what, _)| what).filter(|what| matches!(what, 11 | 12))
    };
    assert_eq!(of_mute(rig.events()).collect::<Vec<_>>(), [12]);
    // At the headset, in one of them.
    rig.press(DeviceEvent::MuteToggle);
    assert_eq!(of_mute(rig.events()).collect::<Vec<_>>(), [11]);
    rig.press(DeviceEvent::HoldToggle);
    assert!(is_muted(&rig), "the other call");
    rig.press(DeviceEvent::MuteToggle);
    assert_eq!(of_mute(rig.events()).collect::<Vec<_>>(), [12]);
    // What is over says nothing of the next one.
    mute(&mut rig, true);
    does(&mut rig, "TerminateCall", 1);
    does(&mut rig, "TerminateCall", 2);
    mute(&mut rig, true);
    rings(&mut rig, 3);
    does(&mut rig, "AnswerCall", 3);
    assert!(!is_muted(&rig));
}

#[test]
fn who_mutes_before_answering_is_not_heard() {
    for by_device in [false, true] {
        let mut rig = Rig::with_page();
        rings(&mut rig, 1);
        rig.says("CallServices/MuteCall?name=P&muted=true");
        rig.events();
        if by_device {
            rig.press(DeviceEvent::Answer)
        } else {
            does(&mut rig, "AnswerCall", 1)
        }
        assert_eq!(rig.lit(), Indicators { mute: true, ..IN_CALL });
        assert!(rig.events().contains(&(11, 1)));
    }
}

/// Samples name every call 1 or 99.
#[test]
fn a_call_out_under_the_id_of_one_that_rings_is_another_one() {
    let mut rig = Rig::with_page();
    rings(&mut rig, 99);
    rig.says("CallServices/OutgoingCall?name=P&callID=99");
    assert_eq!((rig.lit(), rig.agent.view().calls.len()), (IN_CALL, 1));
    assert_eq!(rig.events(), [(7, 99), (8, 99), (6, 99)]);
    rings(&mut rig, 99);
    assert_eq!((rig.lit(), rig.agent.view().calls.len()), (RING, 1));
}

/// An outgoing call is in progress at once: who was written so never says that it was answered.
#[test]
fn an_outgoing_call_can_be_held_and_muted_from_its_first_moment() {
    let mut rig = Rig::with_page();
    rig.says("CallServices/OutgoingCall?name=P&callID=5&contact={\"Name\":\"Kim\"}");
    assert_eq!(rig.agent.view().calls[0].contact.as_deref(), Some("Kim"));
    assert_eq!(rig.lit(), IN_CALL);
    rig.says("CallServices/MuteCall?name=P&muted=true");
    rig.press(DeviceEvent::HoldToggle);
    assert_eq!(rig.events(), [(6, 5), (11, 5), (3, 5)]);
}

#[test]
fn a_broken_contact_never_fails_a_call() {
    let mut rig = Rig::with_page();
    for (id, contact) in [r#"{"Name":"Tom & Jerry"}"#, r#"{"Name":"a"b"}"#, "{", "%ff%00", r#"{"Name":[]}"#]
        .into_iter()
        .enumerate()
    {
        rig.says(&format!("CallServices/IncomingCall?name=P&callID={id}&contact={contact}&tones=Unknown"));
        assert_eq!(rig.agent.view().calls[id].contact, None);
    }
    let long = "x".repeat(1000);
    rig.says(&format!("CallServices/IncomingCall?name=P&callID=9&contact={{\"Name\":\"{long}%0a\"}}"));
}

#[test]
fn unregistering_ends_the_calls_of_the_plugin_alone() {
    let mut rig = Rig::with_page();
    rings(&mut rig, 1);
    does(&mut rig, "AnswerCall", 1);
    rig.says("CallServices/IncomingCall?name=Q&callID=1");
    rig.says("SessionManager/UnRegister?name=P");
    assert_eq!(rig.lit(), RING);
    let calls = rig.result("CallServices/CallManagerState")["Calls"].clone();
    assert_eq!(calls.as_array().map(Vec::len), Some(1));
    assert_eq!(calls[0]["Source"], "Q");
    assert_eq!(rig.events(), [], "nothing is left of it");
}

/// The page was loaded again and never said goodbye.
#[test]
fn who_begins_anew_under_its_name_gets_its_next_call() {
    let mut rig = Rig::with_page();
    rings(&mut rig, 1);
    does(&mut rig, "AnswerCall", 1);
    assert!(rig.ask("SessionManager/Register?name=P").contains("Plugin exists"));
    rings(&mut rig, 1);
    assert_eq!(rig.lit(), RING, "the old call is over");
    assert_eq!(rig.agent.view().calls.len(), 1);
}

#[test]
fn plugins_of_one_name_of_two_softphones_do_not_meet() {
    let mut rig = Rig::with_page();
    rig.approve(&[PAGE, "https://other.example"]);
    rig.says("SessionManager/Register?name=P");
    rig.events();
    let other = rig.ask_as("https://other.example", "SessionManager/Register?name=P");
    assert!(other.contains("\"Result\":true"), "{other}");
    rings(&mut rig, 1);
    assert_eq!(rig.events_of("https://other.example", "P"), [(18, 0)], "not the call of another");
    rig.ask_as("https://other.example", "CallServices/TerminateCall?name=P&callID=1");
    rig.ask_as("https://other.example", "SessionManager/UnRegister?name=P");
    assert_eq!(rig.agent.view().calls.len(), 1);
    let seen = rig.ask_as("https://other.example", "CallServices/CallManagerState");
    assert!(seen.contains(r#""Source":"other"}"#), "{seen}");
    // Answered by another, it is held, and its softphone is told so.
    does(&mut rig, "AnswerCall", 1);
    rig.events();
    rig.ask_as("https://other.example", "CallServices/OutgoingCall?name=O&callID=8");
    assert_eq!(rig.events(), [(3, 1)]);
    let session = rig.attach();
    for what in ["Events", "Release"] {
        let foreign = rig.ask_as("https://other.example", &format!("DeviceServices/{what}?sess={session}"));
        assert_eq!(foreign, INVALID_SESSION);
    }
}

/// Clients read these numbers into 32 bits.
#[test]
fn calls_of_others_are_listed_under_small_numbers_that_nobody_has() {
    let mut rig = Rig::with_page();
    rig.comes("phone");
    rig.says("CallServices/IncomingCall?name=P&callID=1");
    for _ in 0..2 {
        rig.command(Command::CreateCall {
            client: client("phone"),
            direction: Direction::Incoming,
            contact: None,
            muted: false,
            label: None,
        });
    }
    rig.says("CallServices/IncomingCall?name=P&callID=3");
    let state = rig.result("CallServices/CallManagerState");
    let ids = state["Calls"].as_array().expect("calls").iter().map(|call| call["CallId"].as_u64());
    assert_eq!(ids.collect::<Vec<_>>(), [Some(1), Some(2), Some(4), Some(3)]);
}

#[test]
fn a_softphone_that_stops_asking_leaves_no_headset_ringing() {
    for (name, grace) in [(PAGE, GRACE_OF_PAGE), ("phone", GRACE_OF_PROGRAM)] {
        let mut rig = Rig::with_page();
        rig.comes("phone");
        rig.ask_as(name, "CallServices/IncomingCall?name=P&callID=1");
        let (rings_until, _) = rig.agent.poll_timeout().expect("an end");
        assert_eq!(rings_until, rig.now + RINGS_AT_MOST, "it never asked: it cannot be missed");
        rig.events_of(name, "P");
        rig.pass(grace / 2);
        rig.ask_as(name, "CallServices/MuteCall?name=P&muted=false");
        let (at, _) = rig.agent.poll_timeout().expect("a deadline");
        assert_eq!(at, rig.now + grace);
        assert!(rig.agent.view().softphones.iter().any(|s| s.connected && s.client == client(name)));
        rig.pass(grace);
        assert_eq!(rig.lit(), DARK);
        assert_eq!(rig.agent.view().calls, []);
        assert!(!rig.agent.view().softphones.iter().any(|s| s.connected));
        // It was only asleep.
        rig.ask_as(name, "CallServices/IncomingCall?name=P&callID=2");
        assert_eq!(rig.events_of(name, "P"), [(8, 1), (18, 1), (7, 2)], "and hears of what has ended");
        // Or it begins anew, and knows nothing of before.
        rig.pass(2 * grace);
        let names = rig.ask_as(name, "SessionManager/PluginList");
        assert!(names.contains("\"Result\":[]"), "{names}");
        let known = rig.ask_as(name, "SessionManager/Register?name=P");
        assert!(known.contains("\"Result\":true"), "{known}");
        assert_eq!(rig.events_of(name, "P"), [(18, 0)]);
    }
}

#[test]
fn events_that_nobody_fetches_are_bounded_in_number_and_age() {
    let mut rig = Rig::with_page();
    for id in 0..100 {
        rings(&mut rig, id);
        does(&mut rig, "TerminateCall", id);
    }
    let events = rig.events();
    assert_eq!(events.len(), MOST_EVENTS);
    assert_eq!(events.last(), Some(&(18, 99)), "the newest are kept");
    let mut rig = Rig::with_page();
    rig.says("CallServices/OutgoingCall?name=P&callID=1");
    rig.pass(EVENT_LIFE);
    assert_eq!(rig.events(), []);
}

#[test]
fn one_softphone_cannot_crowd_the_agent() {
    let mut rig = Rig::with_page();
    for n in 0..MOST_PLUGINS {
        rig.says(&format!("CallServices/OutgoingCall?name=P{n}&callID={n}"));
    }
    let full = rig.ask("SessionManager/Register?name=more");
    assert!(full.contains("There are too many plugins"), "{full}");
    rig.says("CallServices/TerminateCall?name=P3&callID=3");
    rig.says("SessionManager/Register?name=more");
    let names = rig.result("SessionManager/PluginList");
    assert_eq!(names.as_array().map(Vec::len), Some(MOST_PLUGINS));
    assert!(!names.to_string().contains("P3\""), "{names}");

    let mut rig = Rig::with_page();
    for id in 0..MAX_CALLS {
        rig.says(&format!("CallServices/IncomingCall?name=P&callID={id}"));
    }
    let full = rig.ask("CallServices/IncomingCall?name=P&callID=99");
    assert!(full.contains("isError\":true") && full.contains("Type\":2"), "{full}");
    let first = rig.attach();
    for _ in 0..MOST_SESSIONS {
        rig.attach();
    }
    assert_eq!(rig.ask(&format!("DeviceServices/Events?sess={first}")), INVALID_SESSION);
}

#[test]
fn an_approval_taken_back_ends_its_plugins_sessions_and_calls() {
    let mut rig = Rig::with_page();
    rings(&mut rig, 1);
    let session = rig.attach();
    rig.approve(&[]);
    assert_eq!(rig.lit(), DARK);
    rig.approve(&[PAGE]);
    assert_eq!(rig.result("SessionManager/PluginList"), serde_json::json!([]));
    assert_eq!(rig.ask(&format!("DeviceServices/Events?sess={session}")), INVALID_SESSION);
}

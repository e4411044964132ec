//! Sessions of softphones that were written for the Plantronics Hub: what they fetch of what was done at the headset.

use super::spokes::{INVALID_SESSION, does, rings};
use super::*;
use hub::user::spokes::session::{LONGEST_MS, MOST_WAITING};

#[test]
fn unplugging_ends_the_sessions_and_coming_back_begins_new_ones() {
    let mut rig = Rig::with_page();
    let session = rig.attach();
    let events = format!("DeviceServices/Events?sess={session}");
    rig.press(DeviceEvent::Answer);
    rig.service(ToUser::DeviceRemoved { id: "d".to_owned() });
    assert_eq!(rig.ask(&events), INVALID_SESSION);
    assert!(rig.ask("DeviceServices/Attach?uid=0123456789").contains("There are no supported devices"));
    rig.service(ToUser::DeviceChanged { device: device("d") });
    assert_eq!(rig.ask(&events), INVALID_SESSION);
    let again = rig.attach();
    assert_ne!(again, session);
    assert_eq!(rig.done(&again), []);
    // Another headset that the person takes is the one to hear of.
    rig.service(ToUser::DeviceChanged { device: device("e") });
    rig.feed(Input::HeadsetKept { request: 0, kept: Ok("e".to_owned()) });
    rig.service(ToUser::DeviceEvent { id: "e".to_owned(), event: DeviceEvent::Answer });
    assert_eq!(rig.done(&again), [(4, 7)]);
    rig.service(ToUser::SeatChanged { active: false });
    assert_eq!(rig.ask(&format!("DeviceServices/Events?sess={again}")), INVALID_SESSION);
}

#[test]
fn a_session_gets_the_queues_and_bounds_that_it_asked_for() {
    let mut rig = Rig::with_page();
    let session = rig.attach();
    let ask = |rig: &mut Rig, what: &str, more: &str| rig.result(&format!("{what}?sess={session}&{more}"));
    assert_eq!(ask(&mut rig, "EventManager/GetRegistry", ""), 127);
    // Nobody loses its events by a word that is not understood, nor all of them to one.
    assert_eq!(ask(&mut rig, "EventManager/SetRegistry", ""), 127);
    for unread in ["EventManager/SetRegistry", "DeviceServices/Events"] {
        let answer = rig.ask(&format!("{unread}?sess={session}&queue=HeadsetButtonPressed"));
        assert!(answer.contains("queue is a number"), "{answer}");
    }
    assert_eq!(ask(&mut rig, "EventManager/RemoveRegistry", "queue=2"), 125);
    rig.press(DeviceEvent::MuteOn);
    assert_eq!(rig.done(&session), [(4, 5)]);
    assert_eq!(ask(&mut rig, "EventManager/AddRegistry", "queue=2"), 127);
    assert_eq!(ask(&mut rig, "EventManager/SetRegistry", "queue=6"), 6);
    rig.press(DeviceEvent::MuteOff);
    assert_eq!(ask(&mut rig, "DeviceServices/Events", "queue=2")[0]["Event_Name"], "MuteOff");
    assert_eq!(rig.done(&session), [(4, 5)], "the other queue was left");
    assert_eq!(ask(&mut rig, "EventManager/MaxCount", "queue=4&max=2"), 2);
    for _ in 0..5 {
        rig.press(DeviceEvent::Reject);
    }
    assert_eq!(rig.done(&session), [(4, 33), (4, 33)]);
    assert_eq!(ask(&mut rig, "EventManager/GlobalMaxCount", "max=100000"), MOST_WAITING);
    assert_eq!(ask(&mut rig, "EventManager/GlobalTTL", "ttl=4294967295"), LONGEST_MS);
    assert_eq!(ask(&mut rig, "EventManager/TTL", "queue=4&ttl=1000"), 1000);
    assert_eq!(ask(&mut rig, "EventManager/TTL", "queue=4&ttl=x"), 1000);
    assert_eq!(ask(&mut rig, "EventManager/TTL", "queue=2"), LONGEST_MS);
    rig.press(DeviceEvent::MuteOn);
    rig.pass(Duration::from_secs(1));
    assert_eq!(rig.done(&session), [(2, 5)], "the button is forgotten");
    for _ in 0..MOST_WAITING * 2 {
        rig.press(DeviceEvent::Reject);
    }
    assert_eq!(rig.done(&session).len(), MOST_WAITING as usize);
    rig.press(DeviceEvent::MuteToggle);
    rig.pass(Duration::from_millis(LONGEST_MS.into()));
    assert_eq!(rig.done(&session), []);
}

/// The mute light says what is so, whoever did it, and once.
#[test]
fn a_session_hears_once_that_the_microphone_is_off() {
    let mut rig = Rig::with_page();
    let session = rig.attach();
    rings(&mut rig, 1);
    does(&mut rig, "AnswerCall", 1);
    rig.says("CallServices/MuteCall?name=P&muted=true");
    assert_eq!(rig.done(&session), [(2, 5)]);
    rig.press(DeviceEvent::MuteOff);
    assert_eq!(rig.done(&session), [(4, 5), (2, 6)]);
    rig.says("CallServices/MuteCall?name=P&muted=true");
    does(&mut rig, "TerminateCall", 1);
    assert_eq!(rig.done(&session), [(2, 5), (2, 6)]);
}

/// A press while nothing goes on is no word on the next call.
#[test]
fn a_session_hears_of_a_microphone_that_is_on_again() {
    let mut rig = Rig::with_page();
    let session = rig.attach();
    rig.press(DeviceEvent::MuteOn);
    assert_eq!(rig.done(&session), [(4, 5), (2, 5)]);
    rings(&mut rig, 1);
    does(&mut rig, "AnswerCall", 1);
    assert_eq!(rig.done(&session), [(2, 6)]);
    rig.says("CallServices/MuteCall?name=P&muted=true");
    assert_eq!(rig.done(&session), [(2, 5)]);
}

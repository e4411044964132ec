//! What a person at the headset and a softphone do to calls.

use super::*;
use hub::protocol::TenantState;
use hub::protocol::local::MAX_CONTACT;
use hub::user::call::{MAX_CALLS, MAX_CALLS_OF_PROGRAMS, MOST_ENDED};
use hub::user::sdk::session::GRACE;
use hub::user::sdk::{LOG_LENGTH, Wish};

/// Its softphone crashed, and as it never listened nobody misses it.
#[test]
fn no_call_rings_for_ever_and_what_was_answered_has_no_end() {
    let mut rig = Rig::with(&["d"]);
    rig.incoming();
    rig.pass(Duration::from_secs(200));
    rig.incoming();
    rig.pass(Duration::from_secs(99));
    assert_eq!(rig.agent.view().calls.len(), 2);
    rig.pass(Duration::from_secs(1));
    assert_eq!(rig.agent.view().calls.len(), 1);
    rig.press(DeviceEvent::Answer);
    rig.create("phone", Direction::Outgoing);
    rig.pass(Duration::from_secs(100_000));
    assert_eq!((rig.agent.view().calls.len(), rig.agent.poll_timeout()), (2, None));
}

#[test]
fn the_ringing_call_is_answered_at_the_device_and_the_softphone_hears_it() {
    let mut rig = Rig::with(&["d"]);
    let id = rig.incoming();
    assert_eq!(rig.heard(), [(id, CallChange::Ringing, Cause::Softphone)]);
    rig.press(DeviceEvent::Answer);
    assert_eq!(rig.heard(), [(id, CallChange::Answered, Cause::Device)]);
    rig.press(DeviceEvent::HangUp);
    assert_eq!(rig.heard(), [(id, CallChange::Ended, Cause::Device)]);
    assert_eq!(rig.agent.view().calls, []);
}

#[test]
fn answering_holds_the_other() {
    for by_device in [true, false] {
        let mut rig = Rig::with(&["d"]);
        let first = rig.answered();
        let second = rig.incoming();
        let cause = if by_device { Cause::Device } else { Cause::Softphone };
        if by_device {
            rig.press(DeviceEvent::Answer);
        } else {
            rig.act(second, CallAction::Answer);
        }
        assert_eq!(
            rig.heard(),
            [(first, CallChange::Held, cause), (second, CallChange::Answered, cause)],
            "the other is held first"
        );
        assert_eq!((rig.state(first), rig.state(second)), (CallState::Held, CallState::Answered));
        rig.act(first, CallAction::Resume);
        assert_eq!((rig.state(first), rig.state(second)), (CallState::Answered, CallState::Held));
    }
}

#[test]
fn an_outgoing_call_holds_the_answered_one() {
    let mut rig = Rig::with(&["d"]);
    let first = rig.answered();
    let second = rig.create("phone", Direction::Outgoing);
    assert_eq!((rig.state(first), rig.state(second)), (CallState::Held, CallState::Ringing));
}

#[test]
fn reject_ends_the_ringing_call_only() {
    let mut rig = Rig::with(&["d"]);
    let first = rig.answered();
    let second = rig.incoming();
    rig.press(DeviceEvent::Reject);
    assert_eq!(rig.heard(), [(second, CallChange::Rejected, Cause::Device)]);
    assert_eq!(rig.state(first), CallState::Answered);
    rig.press(DeviceEvent::Reject);
    assert_eq!(rig.heard(), [], "nothing rings");
}

#[test]
fn flash_holds_resumes_and_swaps() {
    let mut rig = Rig::with(&["d"]);
    let first = rig.answered();
    rig.press(DeviceEvent::HoldToggle);
    assert_eq!(rig.heard(), [(first, CallChange::Held, Cause::Device)]);
    rig.press(DeviceEvent::HoldToggle);
    assert_eq!(rig.heard(), [(first, CallChange::Resumed, Cause::Device)]);
    let second = rig.incoming();
    rig.press(DeviceEvent::HoldToggle);
    let heard = [(first, CallChange::Held, Cause::Device), (second, CallChange::Answered, Cause::Device)];
    assert_eq!(rig.heard(), heard, "flash takes the waiting call");
    rig.press(DeviceEvent::HoldToggle);
    let heard = [(second, CallChange::Held, Cause::Device), (first, CallChange::Resumed, Cause::Device)];
    assert_eq!(rig.heard(), heard, "flash with one answered and one held call swaps them");
    assert_eq!((rig.state(first), rig.state(second)), (CallState::Answered, CallState::Held));
}

#[test]
fn a_call_can_be_hung_up_while_held_or_dialling() {
    let mut rig = Rig::with(&["d"]);
    let held = rig.answered();
    rig.press(DeviceEvent::HoldToggle);
    let dialling = rig.create("phone", Direction::Outgoing);
    rig.press(DeviceEvent::HangUp);
    assert_eq!(
        rig.heard(),
        [(dialling, CallChange::Ended, Cause::Device)],
        "the call that is going on first"
    );
    rig.press(DeviceEvent::HangUp);
    assert_eq!(rig.heard(), [(held, CallChange::Ended, Cause::Device)]);
    rig.press(DeviceEvent::HangUp);
    assert_eq!(rig.outputs.iter().filter(|o| matches!(o, Output::Event(_))).count(), 0);
}

#[test]
fn hanging_up_does_not_touch_a_ringing_call() {
    let mut rig = Rig::with(&["d"]);
    let ringing = rig.incoming();
    rig.press(DeviceEvent::HangUp);
    assert_eq!((rig.heard(), rig.state(ringing)), (vec![], CallState::Ringing));
}

/// A second headset on the desk is not about the calls of the first.
#[test]
fn only_the_headset_that_carries_the_calls_acts_on_them() {
    let everything = [
        DeviceEvent::Answer,
        DeviceEvent::HangUp,
        DeviceEvent::Reject,
        DeviceEvent::HoldToggle,
        DeviceEvent::MuteToggle,
        DeviceEvent::MuteOn,
        DeviceEvent::MuteOff,
    ];
    let mut rig = Rig::with(&["d", "other"]);
    let (held, talking) = (rig.answered(), rig.answered());
    let ringing = rig.incoming();
    for event in everything {
        rig.service(ToUser::DeviceEvent { id: "other".to_owned(), event });
        assert_eq!((rig.changes(), rig.lights()), (vec![], vec![]), "{event:?}");
    }
    let states = [held, talking, ringing].map(|id| rig.state(id));
    assert_eq!(states, [CallState::Held, CallState::Answered, CallState::Ringing]);
    // It may well want one of its own.
    rig.service(ToUser::DeviceEvent { id: "other".to_owned(), event: DeviceEvent::Redial });
    assert_eq!(rig.changes(), [Change::DeviceWish { device: "other".to_owned(), wish: Wish::Redial }]);
    // When the first is gone, the calls are at the other.
    rig.service(ToUser::DeviceRemoved { id: "d".to_owned() });
    rig.service(ToUser::DeviceEvent { id: "other".to_owned(), event: DeviceEvent::MuteOn });
    assert_eq!(rig.heard(), [(talking, CallChange::Muted, Cause::Device)]);
}

#[test]
fn one_softphone_does_not_use_up_the_calls_of_all() {
    let mut rig = Rig::with(&["d"]);
    for _ in 0..MAX_CALLS {
        rig.incoming();
    }
    let more = Command::CreateCall {
        client: client("phone"),
        label: None,
        direction: Direction::Incoming,
        contact: None,
        muted: false,
    };
    assert_eq!(refused(rig.command(more)), "too-many-calls");
    assert!(rig.create("other", Direction::Incoming) > 0);
}

/// A program's name is its own choice: many names are no more than one program may have.
#[test]
fn programs_of_many_names_leave_room_for_pages() {
    let mut rig = Rig::with(&["d"]);
    let pages: Vec<String> = (0..MAX_CALLS).map(|n| format!("https://p{n}.example")).collect();
    let tenant = TenantState { sdk_approved: pages.clone(), ..TenantState::default() };
    rig.service(ToUser::TenantChanged { tenant });
    let one_more = Command::CreateCall {
        client: client("one-more"),
        label: None,
        direction: Direction::Incoming,
        contact: None,
        muted: false,
    };
    for n in 0..MAX_CALLS_OF_PROGRAMS {
        assert!(rig.create(&format!("n{}", n / MAX_CALLS), Direction::Incoming) > 0);
    }
    assert_eq!(refused(rig.command(one_more)), "too-many-calls");
    for n in 0..MAX_CALLS_OF_PROGRAMS {
        assert!(rig.create(&pages[n / MAX_CALLS], Direction::Incoming) > 0);
    }
    assert_eq!(rig.agent.view().calls.len(), 2 * MAX_CALLS_OF_PROGRAMS);
}

#[test]
fn a_number_of_an_earlier_run_is_no_call_of_this() {
    let first = 1 << 40;
    let mut agent = UserRole::new("0").numbering_calls_from(first);
    let knock = Command::Knock { client: client("phone"), token: true, label: None };
    agent.handle(Input::Command { request: 0, command: knock }, Instant::now());
    let command = Command::CreateCall {
        client: client("phone"),
        label: None,
        direction: Direction::Incoming,
        contact: None,
        muted: false,
    };
    agent.handle(Input::Command { request: 1, command }, Instant::now());
    assert_eq!(agent.view().calls[0].id, first);
}

#[test]
fn mute_means_the_answered_call() {
    let mut rig = Rig::with(&["d"]);
    rig.press(DeviceEvent::MuteToggle);
    assert_eq!(rig.heard(), [], "no call to mute");
    let held = rig.answered();
    let answered = rig.answered();
    rig.press(DeviceEvent::MuteToggle);
    assert_eq!(rig.heard(), [(answered, CallChange::Muted, Cause::Device)]);
    rig.press(DeviceEvent::MuteOn);
    assert_eq!(rig.heard(), [], "it is muted already");
    rig.press(DeviceEvent::MuteOff);
    assert_eq!(rig.heard(), [(answered, CallChange::Unmuted, Cause::Device)]);
    assert!(!rig.call(held).expect("held").muted);
    rig.press(DeviceEvent::HoldToggle);
    rig.press(DeviceEvent::MuteOn);
    assert_eq!(rig.state(held), CallState::Answered, "swapped");
    assert!(rig.call(held).expect("resumed").muted && !rig.call(answered).expect("held").muted);
    assert_eq!(refused_by(&mut rig, CallAction::Mute), "wrong-call-state", "a ringing call has no mute");
}

fn refused_by(rig: &mut Rig, action: CallAction) -> String {
    let id = rig.incoming();
    let reply = rig.act(id, action);
    refused(reply)
}

#[test]
fn a_softphone_acts_on_its_own_calls_only() {
    let mut rig = Rig::with(&["d"]);
    let id = rig.incoming();
    use CallAction::{Answer, End, Hold, Mute, Resume, Unmute};
    for action in [Answer, Hold, Resume, Mute, Unmute, End] {
        let reply = rig.command(Command::Call { client: client("other"), id, action });
        assert_eq!(refused(reply), "not-your-call");
        assert_eq!(rig.heard(), []);
    }
    assert_eq!(refused(rig.act(id + 1, CallAction::Answer)), "no-such-call");
    assert_eq!(refused_by(&mut rig, CallAction::Hold), "wrong-call-state");
    assert_eq!(refused_by(&mut rig, CallAction::Resume), "wrong-call-state");
}

#[test]
fn a_softphone_that_leaves_takes_its_calls_along() {
    let mut rig = Rig::with(&["d"]);
    let (mine, other) = (rig.answered(), rig.create("other", Direction::Incoming));
    rig.feed(Input::StreamOpened { session: 1, client: client("phone") });
    rig.feed(Input::StreamClosed { session: 1 });
    rig.now += GRACE;
    rig.agent.handle_timeout(rig.now);
    rig.drain();
    assert_eq!(rig.heard(), [(mine, CallChange::Ended, Cause::Agent)]);
    assert_eq!(rig.state(other), CallState::Ringing);
    rig.feed(Input::Stop);
    assert_eq!(rig.heard(), [(other, CallChange::Ended, Cause::Agent)]);
    assert_eq!(rig.lights(), [("d".to_owned(), DARK)], "a stopping agent puts the lights out");
}

/// Device and softphone act in the same moment: whoever comes second finds it done, and that is no error.
#[test]
fn glare() {
    for device_first in [true, false] {
        let mut rig = Rig::with(&["d"]);
        let id = rig.incoming();
        let mut heard = Vec::new();
        for device in [device_first, !device_first] {
            if device {
                rig.press(DeviceEvent::Answer);
            } else {
                assert!(
                    matches!(rig.act(id, CallAction::Answer), Reply::Call(c) if c.state == CallState::Answered)
                );
            }
            heard.extend(rig.heard());
        }
        assert_eq!(heard.len(), 1, "answered once: {heard:?}");
        for device in [device_first, !device_first] {
            if device {
                rig.press(DeviceEvent::HoldToggle);
            } else {
                assert!(matches!(rig.act(id, CallAction::Hold), Reply::Call(_)));
            }
        }
        for device in [device_first, !device_first] {
            if device {
                rig.press(DeviceEvent::HangUp);
            } else {
                let reply = rig.act(id, CallAction::End);
                assert!(matches!(&reply, Reply::Call(c) if c.state == CallState::Ended), "{reply:?}");
            }
        }
        assert_eq!(rig.agent.view().calls, []);
        assert_eq!(rig.agent.view().devices.len(), 1);
    }
}

/// Nor is it one to end a call a second time, whoever ended it the first time.
#[test]
fn a_call_that_ended_lately_can_be_ended_by_its_softphone() {
    let mut rig = Rig::with(&["d"]);
    let (hung_up, ended, rejected) = (rig.answered(), rig.incoming(), rig.incoming());
    rig.press(DeviceEvent::HangUp);
    rig.act(ended, CallAction::End);
    rig.press(DeviceEvent::Reject);
    for id in [hung_up, ended, rejected] {
        let Reply::Call(call) = rig.act(id, CallAction::End) else { panic!("call {id}") };
        assert_eq!((call.id, call.state), (id, CallState::Ended));
        assert_eq!(rig.outputs.len(), 1, "nothing but the reply: {:?}", rig.outputs);
        assert_eq!(refused(rig.act(id, CallAction::Answer)), "no-such-call", "what is over is over");
        let foreign = Command::Call { client: client("other"), id, action: CallAction::End };
        assert_eq!(refused(rig.command(foreign)), "no-such-call");
    }
    assert_eq!(refused(rig.act(rejected + 1, CallAction::End)), "no-such-call");
    // Another softphone does not make this one's be forgotten, and a softphone has the latest of its own.
    for _ in 0..2 * MOST_ENDED {
        let id = rig.create("other", Direction::Incoming);
        rig.command(Command::Call { client: client("other"), id, action: CallAction::End });
    }
    assert!(matches!(rig.act(hung_up, CallAction::End), Reply::Call(_)));
    for n in 0..MAX_CALLS {
        let id = rig.incoming();
        rig.act(id, CallAction::End);
        assert_eq!(matches!(rig.act(hung_up, CallAction::End), Reply::Call(_)), n + 3 < MAX_CALLS, "{n}");
    }
    for n in 0..2 * MOST_ENDED {
        let (name, action) = (format!("phone {n}"), CallAction::End);
        let id = rig.create(&name, Direction::Incoming);
        rig.command(Command::Call { client: client(&name), id, action });
    }
    assert_eq!(refused(rig.act(rejected, CallAction::End)), "no-such-call");
}

#[test]
fn calls_and_contacts_are_bounded() {
    let mut rig = Rig::with(&["d"]);
    let hostile = format!("\u{7}{}\n{}", "ä".repeat(300), "b".repeat(100_000));
    let command = |contact: &str| Command::CreateCall {
        client: client("phone"),
        label: None,
        direction: Direction::Incoming,
        contact: Some(contact.to_owned()),
        muted: false,
    };
    rig.comes("phone");
    let Reply::Call(call) = rig.command(command(&hostile)) else { panic!("a call") };
    assert_eq!(call.contact, Some("ä".repeat(MAX_CONTACT)));
    for _ in 1..MAX_CALLS {
        rig.incoming();
    }
    assert_eq!(refused(rig.command(command("x"))), "too-many-calls");
    assert_eq!((rig.agent.view().calls.len(), rig.heard().len()), (MAX_CALLS, 0));
    rig.act(1, CallAction::End);
    assert_eq!(rig.create("phone", Direction::Incoming), MAX_CALLS as u64 + 1, "numbers are not used again");
}

#[test]
fn a_lifted_hook_with_nothing_going_on_is_a_wish() {
    let mut rig = Rig::with(&["d"]);
    let wishes = [
        (DeviceEvent::DialTone, Wish::DialTone),
        (DeviceEvent::Answer, Wish::DialTone),
        (DeviceEvent::Redial, Wish::Redial),
        (DeviceEvent::TeamsButton, Wish::Teams),
    ];
    for (pressed, wish) in wishes {
        rig.press(pressed);
        assert_eq!(rig.changes(), [Change::DeviceWish { device: "d".to_owned(), wish }]);
    }
}

#[test]
fn a_subscriber_gets_the_state_and_then_every_event_once() {
    use hub::user::sdk::Backlog;
    let mut rig = Rig::with(&["d"]);
    let Backlog::State { view, last } = rig.agent.backlog(None) else { panic!("first contact") };
    assert_eq!((&*view, last), (rig.agent.view(), rig.last_event));
    let id = rig.incoming();
    rig.press(DeviceEvent::Answer);
    let Backlog::Missed(missed) = rig.agent.backlog(Some(last)) else { panic!("{last} is known") };
    let what = |c: &Change| matches!(c, Change::Call { call, .. } if call.id == id);
    assert!(missed.len() == 2 && missed.iter().all(|e| what(&e.change)), "{missed:?}");
    for _ in 0..LOG_LENGTH {
        rig.press(DeviceEvent::Redial);
    }
    assert!(matches!(rig.agent.backlog(Some(last)), Backlog::State { .. }), "too long away");
    assert!(matches!(rig.agent.backlog(Some(u64::MAX)), Backlog::State { .. }), "from another run");
}

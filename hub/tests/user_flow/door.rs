//! When the door for softphones is looked after.

use super::*;
use hub::protocol::local::Endpoint;
use hub::protocol::{self, Trouble};
use hub::user::DoorState;
use hub::world::WorldChange;
use std::time::Duration;

fn open(renew_in: Duration) -> Input {
    let endpoint = Endpoint { url: Some("https://127.0.0.1:1".to_owned()), ..Endpoint::default() };
    Input::Door(DoorState::Open { endpoint, renew_in: Some(renew_in), notice: None })
}

fn closed() -> Input {
    Input::Door(DoorState::Closed(problem("rest-port-taken")))
}

fn checked(rig: &Rig) -> bool {
    rig.outputs.contains(&Output::CheckDoor)
}

/// Seconds until it is looked after.
fn wait(rig: &mut Rig) -> u64 {
    let start = rig.now;
    rig.now = rig.agent.poll_timeout().expect("a deadline").0;
    rig.agent.handle_timeout(rig.now);
    rig.drain();
    assert!(checked(rig));
    (rig.now - start).as_secs()
}

#[test]
fn a_taken_port_is_tried_again_until_it_is_free() {
    let mut rig = Rig::with(&[]);
    let mut waits = Vec::new();
    for _ in 0..7 {
        rig.feed(closed());
        assert_eq!(rig.agent.view().problems, [problem("rest-port-taken")]);
        waits.push(wait(&mut rig));
    }
    assert_eq!(waits, [2, 4, 8, 16, 32, 60, 60]);
    rig.feed(closed());
    for change in [WorldChange::Network, WorldChange::Resumed, WorldChange::ClockStepped] {
        rig.feed(Input::WorldChanged(change));
        assert!(checked(&rig), "{change:?}");
    }
    rig.feed(open(Duration::from_secs(3600)));
    assert_eq!(rig.agent.view().problems, []);
    assert!(rig.agent.view().rest.url.is_some());
    rig.feed(closed());
    assert_eq!(wait(&mut rig), 2, "soon again");
}

#[test]
fn a_certificate_is_renewed_before_it_ends_and_looked_at_when_the_clock_was_set() {
    let mut rig = Rig::with(&[]);
    rig.feed(open(Duration::from_secs(366 * 24 * 3600)));
    assert_eq!(wait(&mut rig), 366 * 24 * 3600);
    rig.feed(open(Duration::ZERO));
    assert_eq!(wait(&mut rig), 60, "one that cannot be renewed is no circle");
    rig.feed(open(Duration::MAX));
    assert_eq!(rig.agent.poll_timeout(), None);
    for (change, looks) in
        [(WorldChange::ClockStepped, true), (WorldChange::Resumed, true), (WorldChange::Network, false)]
    {
        rig.feed(Input::WorldChanged(change));
        assert_eq!(checked(&rig), looks, "{change:?}");
    }
}

#[test]
fn troubles_of_the_machine_and_of_the_agent_are_shown_side_by_side() {
    let mut rig = Rig::with(&[]);
    rig.feed(Input::Function {
        function: Function::Settings,
        problems: vec![problem("setting-invalid"), problem("settings-withheld")],
    });
    let hid = Trouble { function: protocol::Function::Hid, problem: problem("hid-unavailable") };
    rig.service(ToUser::TroublesChanged { troubles: vec![hid] });
    assert_eq!(
        rig.agent.view().problems,
        [problem("hid-unavailable"), problem("setting-invalid"), problem("settings-withheld")]
    );
    rig.service(ToUser::TroublesChanged { troubles: vec![] });
    rig.feed(Input::Function { function: Function::Settings, problems: vec![] });
    assert_eq!(rig.agent.view().problems, []);
}

#[test]
fn a_service_of_another_version_is_not_believed_and_said() {
    let other = State { protocol: PROTOCOL_VERSION + 1, devices: vec![device("d")], ..State::default() };
    for message in [ToUser::Hello(Box::new(other)), ToUser::Refused { protocol: PROTOCOL_VERSION + 1 }] {
        let mut rig = Rig::new();
        rig.service(message);
        assert!(rig.outputs.contains(&Output::ViewChanged), "the person is told");
        let view = rig.agent.view();
        assert_eq!(view.problems.iter().map(|p| p.code.as_str()).collect::<Vec<_>>(), ["other-version"]);
        assert_eq!(view.devices, []);
        rig.service(ToUser::Hello(Box::default()));
        assert_eq!(rig.agent.view().problems, []);
    }
}

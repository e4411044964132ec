//! Who is at the seat: the headsets are theirs, and nobody else's.

use super::*;
use hub::protocol::{ResolvedGroup, Why};

fn seat(active: bool) -> ToUser {
    ToUser::SeatChanged { active }
}

#[test]
fn a_call_goes_on_without_the_headset_while_its_person_is_away_and_has_it_again_after() {
    let mut rig = Rig::with(&["d"]);
    let call = rig.answered();
    rig.service(seat(false));
    assert_eq!(rig.lights(), [], "the machine puts them out itself");
    assert_eq!((rig.agent.view().headset.as_ref(), rig.state(call)), (None, CallState::Answered));
    rig.act(call, CallAction::Mute);
    assert_eq!(rig.lights(), []);
    rig.service(seat(true));
    assert_eq!(rig.lights(), [("d".to_owned(), Indicators { mute: true, ..IN_CALL })]);
    assert_eq!(rig.agent.view().headset.as_deref(), Some("d"));
}

#[test]
fn whoever_comes_to_a_machine_that_is_another_s_waits_for_the_seat() {
    let mut rig = Rig::new();
    let state = State { active: false, devices: vec![device("d")], ..State::default() };
    rig.service(ToUser::Hello(Box::new(state)));
    rig.incoming();
    assert_eq!((rig.lights(), rig.agent.view().headset.as_ref()), (vec![], None));
    assert_eq!(rig.agent.view().devices.len(), 1, "seen all the same");
    rig.service(seat(true));
    assert_eq!(rig.lights(), [("d".to_owned(), RING)]);
}

#[test]
fn who_the_person_is_and_their_groups_are_the_machine_s_word() {
    let mut rig = Rig::new();
    let group = |id: &str| ResolvedGroup {
        id: id.to_owned(),
        name: id.to_uppercase(),
        priority: 1,
        why: Why::Assigned,
    };
    let state = State { user: "jane".to_owned(), groups: vec![group("it")], ..State::default() };
    rig.service(ToUser::Hello(Box::new(state)));
    assert_eq!((rig.agent.view().user.as_str(), &rig.agent.view().groups), ("jane", &vec![group("it")]));
    let lost = Some(problem("directory-unreachable"));
    rig.service(ToUser::GroupsChanged { groups: vec![group("sales")], problem: lost.clone() });
    assert_eq!(rig.agent.view().groups, [group("sales")]);
    assert_eq!(rig.agent.view().groups_problem, lost);
    assert!(rig.outputs.contains(&Output::ViewChanged));
}

//! Several user roles at one machine: who is heard, who is told, whose lights burn.

use super::headset::offer;
use super::*;
use crate::machine::{Dismissal, Seat};
use crate::protocol::DeviceEvent;

const JOE: SessionId = SessionId(2);
const ID: &str = "1209-0001-HS1";
const IN_CALL: Indicators = Indicators { off_hook: true, ring: false, mute: false, hold: false };

fn of(name: &str) -> Seat {
    Seat::Of { account: format!("uid of {name}") }
}

fn from(session: SessionId, message: ToMachine) -> Input {
    Input::User { session, message }
}

fn hello(rig: &mut Rig, session: SessionId, name: &str) {
    rig.came(session, name);
    rig.feed(from(session, ToMachine::Hello { protocol: PROTOCOL_VERSION }));
}

fn lights(rig: &mut Rig, session: SessionId, indicators: Indicators) {
    rig.feed(from(session, ToMachine::SetIndicators { device: ID.to_owned(), indicators }));
}

/// Jane is at the seat, joe logged in behind her.
fn two() -> Rig {
    let mut rig = Rig::start(None, Disk::default(), vec![Headset::new(1)], Instant::now());
    rig.feed(Input::SeatChanged(of("jane")));
    rig.hello();
    hello(&mut rig, JOE, "joe");
    rig.pass(Duration::from_secs(5));
    rig.take();
    rig
}

/// To whom a press went.
fn pressed(rig: &mut Rig, bytes: [u8; 2]) -> Vec<(Vec<SessionId>, DeviceEvent)> {
    rig.take();
    rig.feed(Input::HidReport { path: "/dev/hidraw1".to_owned(), bytes: bytes.to_vec() });
    let press = |output: &Output| match output {
        Output::ToUser { to, message: ToUser::DeviceEvent { event, .. } } => Some((to.clone(), *event)),
        _ => None,
    };
    rig.out.iter().filter_map(press).collect()
}

fn answer(rig: &mut Rig, session: SessionId, message: ToMachine) -> Option<String> {
    rig.take();
    rig.feed(from(session, message));
    let answered = |output: &Output| match output {
        Output::ToUser { to, message: ToUser::Answer { problem, .. } } => Some((to.clone(), problem.clone())),
        _ => None,
    };
    let answers: Vec<_> = rig.out.iter().filter_map(answered).collect();
    let [(to, problem)] = answers.as_slice() else { panic!("one answer, not {answers:?}") };
    assert_eq!(to, &[session]);
    problem.as_ref().map(|problem| problem.code.as_str().to_owned())
}

#[test]
fn only_whoever_is_at_the_seat_lights_and_is_told_of_presses() {
    let mut rig = two();
    lights(&mut rig, JOE, IN_CALL);
    assert_eq!(rig.written().len(), 0, "joe is not at the seat");
    lights(&mut rig, JANE, IN_CALL);
    assert_eq!(rig.written().len(), 1);
    assert_eq!(pressed(&mut rig, [1, 1]), [], "an echo");
    rig.pass(Duration::from_secs(5));
    assert_eq!(pressed(&mut rig, [1, 0]), [(vec![JANE], DeviceEvent::HangUp)]);
    assert_eq!((rig.heard.active, rig.others[&JOE].heard.active), (true, false));
}

#[test]
fn a_seat_that_changes_in_a_call_leaves_the_headset_dark_and_the_next_one_lights_it() {
    let mut rig = two();
    lights(&mut rig, JANE, IN_CALL);
    rig.take();
    rig.feed(Input::SeatChanged(of("joe")));
    assert_eq!(rig.written(), [[2, 0]], "jane's light goes out");
    assert_eq!((rig.heard.active, rig.others[&JOE].heard.active), (false, true));
    rig.take();
    lights(&mut rig, JANE, Indicators { mute: true, ..IN_CALL });
    assert_eq!(rig.written().len(), 0);
    lights(&mut rig, JOE, IN_CALL);
    assert_eq!(rig.written(), [[2, 1]]);
    rig.pass(Duration::from_secs(5));
    rig.feed(Input::HidReport { path: "/dev/hidraw1".to_owned(), bytes: vec![1, 1] });
    assert_eq!(pressed(&mut rig, [1, 0]), [(vec![JOE], DeviceEvent::HangUp)], "jane's call is not ended");
    rig.take();
    rig.feed(Input::SeatChanged(Seat::Empty));
    assert_eq!(rig.written(), [[2, 0]], "nobody's: dark");
    assert_eq!(pressed(&mut rig, [1, 1]), []);
    lights(&mut rig, JOE, IN_CALL);
    assert_eq!(rig.written().len(), 0);
}

#[test]
fn a_user_role_that_dies_in_a_call_leaves_no_light_on_and_is_owed_nothing() {
    let mut rig = two();
    lights(&mut rig, JANE, IN_CALL);
    rig.take();
    rig.feed(Input::UserGone { session: JANE });
    assert_eq!(rig.written(), [[2, 0]]);
    assert!(!rig.others[&JOE].heard.active, "the seat is jane's");
    // What was under way when it died.
    lights(&mut rig, JANE, IN_CALL);
    rig.feed(said(ToMachine::Poll { request: 3 }));
    let to_jane = |o: &&Output| matches!(o, Output::ToUser { to, .. } if to.contains(&JANE));
    assert_eq!(rig.out.iter().filter(to_jane).count(), 0, "{:?}", rig.out);
    let again = SessionId(3);
    hello(&mut rig, again, "jane");
    assert!(rig.others[&again].heard.active, "it comes back to its seat");
    rig.take();
    lights(&mut rig, again, IN_CALL);
    assert_eq!(rig.written(), [[2, 1]]);
}

#[test]
fn headsets_are_updated_by_whoever_is_with_them() {
    let mut rig = Rig::ready(vec![Headset::new(1)], &offer("1.20"), &["all-users"]);
    hello(&mut rig, JOE, "joe");
    let offer = rig.offers()[0].id.clone();
    assert_eq!(rig.others[&JOE].heard.offers, rig.offers(), "seen by both");
    let elsewhere = Some("not-at-the-seat".to_owned());
    let install = ToMachine::InstallUpdate { request: 1, offer: offer.clone() };
    assert_eq!(answer(&mut rig, JOE, install.clone()), elsewhere);
    assert_eq!(answer(&mut rig, JOE, ToMachine::DeferUpdate { request: 1, offer }), elsewhere);
    assert_eq!(answer(&mut rig, JANE, install), None);
    assert_eq!(
        answer(&mut rig, JOE, ToMachine::CancelUpdate { request: 1, offer: None, anyway: true }),
        elsewhere
    );
    assert!(rig.others[&JOE].heard.job.is_some(), "the job is everybody's to see");
}

/// The same number in two sessions are two questions.
#[test]
fn answers_go_to_whom_they_are_owed() {
    let mut rig = Rig::ready(vec![Headset::new(1)], &offer("1.20"), &["all-users"]);
    hello(&mut rig, JOE, "joe");
    rig.deliver_all();
    rig.take();
    for session in [JANE, JOE] {
        rig.feed(from(session, ToMachine::Poll { request: 5 }));
    }
    rig.feed(Input::UserGone { session: JANE });
    rig.feed(Input::Tenant(TenantAnswer::Policy(Ok(None))));
    let answers: Vec<_> = rig
        .out
        .iter()
        .filter(|o| matches!(o, Output::ToUser { message: ToUser::Answer { .. }, .. }))
        .collect();
    let expected = Output::ToUser { to: vec![JOE], message: ToUser::Answer { request: 5, problem: None } };
    assert_eq!(answers, [&expected]);
}

#[test]
fn whose_groups_decide_is_whoever_is_at_the_seat_and_with_nobody_there_everybody() {
    let firmware = |group: &str, version: &str| {
        json!({ "id": group, "groups": [group], "name": group, "version": version, "target": "a.zip",
            "products": [{ "vendor_id": 0x1209, "product_id": 1 }], "deployment": "optional" })
    };
    let policy = json!({ "schema": 1, "company": "Example",
        "ldap": { "servers": ["ldaps://dc"], "base_dn": "dc=x", "bind": { "method": "anonymous" } },
        "groups": [{ "id": "vip", "name": "VIP", "priority": 1,
            "rule": { "kind": "ldap-query", "filter": "(uid=$user$)" } }],
        "firmware": [firmware("vip", "2.00"), firmware("all-users", "1.20")] });
    let mut rig = Rig::ready(vec![Headset::new(1)], &policy.to_string(), &["vip"]);
    rig.feed(Input::SeatChanged(of("jane")));
    hello(&mut rig, JOE, "joe");
    rig.identity(&[]);
    let offered = |rig: &Rig| rig.offers().iter().map(|o| o.to_version.clone()).collect::<Vec<_>>();
    assert_eq!(offered(&rig), ["2.00"], "jane is in VIP");
    rig.feed(Input::SeatChanged(of("joe")));
    assert_eq!(offered(&rig), ["1.20"]);
    rig.feed(Input::SeatChanged(of("jane")));
    assert_eq!(offered(&rig), ["2.00"]);
    rig.feed(Input::SeatChanged(Seat::Empty));
    assert_eq!(offered(&rig), ["1.20"]);
    rig.feed(Input::UserGone { session: JANE });
    rig.feed(Input::UserGone { session: JOE });
    assert_eq!(rig.service.offers()[0].to_version, "1.20", "nobody logged in");
}

#[test]
fn without_a_word_of_the_system_the_first_that_came_has_the_seat() {
    let mut rig = Rig::start(None, Disk::default(), vec![Headset::new(1)], Instant::now());
    rig.hello();
    hello(&mut rig, JOE, "joe");
    assert_eq!(rig.service.at_seat, Some(JANE));
    rig.feed(Input::UserGone { session: JANE });
    assert!(rig.others[&JOE].heard.active);
}

#[test]
fn who_does_not_begin_with_a_hello_or_says_nothing_is_sent_away() {
    let dismissed = |rig: &mut Rig| {
        let session = |output: &Output| match output {
            Output::Dismiss { session, why } => Some((*session, *why)),
            _ => None,
        };
        rig.take().iter().filter_map(session).collect::<Vec<_>>()
    };
    let mut rig = Rig::start(None, Disk::default(), vec![Headset::new(1)], Instant::now());
    rig.came(JOE, "joe");
    rig.feed(from(JOE, ToMachine::Poll { request: 1 }));
    assert_eq!(dismissed(&mut rig), [(JOE, Dismissal::NoHello)]);
    rig.feed(from(JOE, ToMachine::Hello { protocol: PROTOCOL_VERSION }));
    assert_eq!(rig.service.at_seat, None, "it is gone");
    rig.came(SessionId(3), "kim");
    rig.pass(Duration::from_secs(9));
    assert_eq!(dismissed(&mut rig), []);
    rig.pass(Duration::from_secs(1));
    assert_eq!(dismissed(&mut rig), [(SessionId(3), Dismissal::NoHello)]);
    // One account cannot take all the room.
    for n in 0..9 {
        hello(&mut rig, SessionId(10 + n), "mallory");
    }
    assert_eq!(dismissed(&mut rig), [(SessionId(18), Dismissal::TooMany)]);
    hello(&mut rig, SessionId(30), "joe");
    assert!(rig.others.contains_key(&SessionId(30)));
}

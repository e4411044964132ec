//! Several headsets, one written at a time: the others wait, begin by themselves, and are looked at again before.

use super::headset::{Life, offer, package};
use super::*;
use crate::machine::Seat;
use crate::machine::role::queue::MOST;
use crate::protocol::{DeviceEvent, Stop};
use dfu::usb_dfu::TransferError;

const JOE: SessionId = SessionId(2);

/// Jane at the seat with `count` headsets, all offered 1.20; the first one's update runs.
fn several(count: u8) -> Rig {
    let mut rig = Rig::ready((1..=count).map(Headset::new).collect(), &offer("1.20"), &["all-users"]);
    rig.feed(Input::SeatChanged(of("jane")));
    assert_eq!(ask(&mut rig, 0), None);
    rig
}

fn of(name: &str) -> Seat {
    Seat::Of { account: format!("uid of {name}") }
}

fn offer_of(rig: &Rig, n: usize) -> String {
    format!("fw:{}", rig.headsets[n].id())
}

fn code(problem: Option<Problem>) -> Option<String> {
    problem.map(|problem| problem.code.as_str().to_owned())
}

/// Jane asks for the update of a headset.
fn ask(rig: &mut Rig, n: usize) -> Option<String> {
    let offer = offer_of(rig, n);
    code(rig.request(|request| ToMachine::InstallUpdate { request, offer }))
}

fn cancel(rig: &mut Rig, n: usize) -> Option<String> {
    let offer = Some(offer_of(rig, n));
    code(rig.request(|request| ToMachine::CancelUpdate { request, offer, anyway: true }))
}

fn waits(rig: &Rig) -> Vec<String> {
    assert!(rig.heard.queue.iter().all(|job| job.phase == JobPhase::Queued && job.stop == Stop::Harmless));
    rig.heard.queue.iter().map(|job| job.device.clone()).collect()
}

fn ids(rig: &Rig, of: &[usize]) -> Vec<String> {
    of.iter().map(|n| rig.headsets[*n].id()).collect()
}

fn runs(rig: &Rig) -> Option<String> {
    rig.job().filter(|job| job.outcome.is_none()).map(|job| job.device.clone())
}

/// How each update ended, in the order of their ends; `None` = it succeeded.
fn ends(rig: &Rig) -> Vec<(String, Option<String>)> {
    let end = |output: &Output| match output {
        Output::ToUser { message: ToUser::JobChanged { job: Some(job) }, .. } => {
            job.outcome.as_ref().map(|outcome| match outcome {
                Outcome::Succeeded { .. } => (job.device.clone(), None),
                Outcome::Failed { problem } | Outcome::Unknown { problem } => {
                    (job.device.clone(), Some(problem.code.as_str().to_owned()))
                }
            })
        }
        _ => None,
    };
    rig.out.iter().filter_map(end).collect()
}

/// The one that runs comes to its end, whichever that is.
fn complete(rig: &mut Rig) {
    rig.answer_until_fetch();
    rig.fetched(package(1, "1.20"));
    let device = runs(rig);
    rig.update_until(0x0120, |rig| runs(rig) != device);
}

#[test]
fn those_that_wait_begin_by_themselves_one_at_a_time_and_in_the_order_they_were_asked_for() {
    let mut rig = several(3);
    assert_eq!((ask(&mut rig, 2), ask(&mut rig, 1)), (None, None));
    assert_eq!((runs(&rig), waits(&rig)), (Some(rig.headsets[0].id()), ids(&rig, &[2, 1])));
    assert!(ids(&rig, &[1, 2]).iter().all(|id| rig.told[id].status == DeviceStatus::Ready), "usable");
    for _ in 0..3 {
        complete(&mut rig);
        // The rig fails on a second USB request at a time, and on a verdict that no headset gave.
        rig.pass(Duration::from_secs(6));
    }
    let done = ids(&rig, &[0, 2, 1]).into_iter().map(|id| (id, None));
    assert_eq!((ends(&rig), waits(&rig)), (done.collect(), Vec::<String>::new()));
    assert!(
        rig.headsets.iter().all(|h| h.version == 0x0120 && h.life == Life::Runtime),
        "{:?}",
        rig.headsets
    );
    assert_eq!(rig.offers(), []);
}

#[test]
fn a_headset_that_is_on_its_way_back_is_waited_for() {
    let mut rig = several(2);
    rig.headsets[0].hid = false;
    assert_eq!(ask(&mut rig, 1), None);
    complete(&mut rig);
    assert_eq!((ends(&rig).len(), runs(&rig), waits(&rig)), (1, None, ids(&rig, &[1])));
    rig.headsets[0].hid = true;
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
    assert_eq!((runs(&rig), waits(&rig)), (Some(rig.headsets[1].id()), vec![]));
    let gone = |o: &Output| matches!(o, Output::ToUser { message: ToUser::DeviceRemoved { .. }, .. });
    assert!(!rig.out.iter().any(gone), "it was said to be gone");
    // One that does not come back is not waited for for ever.
    let mut rig = several(2);
    rig.headsets[0].hid = false;
    assert_eq!(ask(&mut rig, 1), None);
    complete(&mut rig);
    rig.pass(Duration::from_secs(20));
    assert_eq!(runs(&rig), Some(rig.headsets[1].id()));
}

#[test]
fn the_next_one_begins_however_the_one_before_ended() {
    type End = fn(&mut Rig);
    let ways: [(&str, End); 5] = [
        ("succeeded", complete),
        ("refused", |rig| {
            rig.answer_until_fetch();
            rig.fetched(package(9, "1.20"));
        }),
        ("no package", |rig| {
            rig.answer_until_fetch();
            rig.fail(FailureKind::Rejected, None);
        }),
        ("cancelled", |rig| assert_eq!(cancel(rig, 0), None)),
        ("unplugged", |rig| {
            rig.answer_until_fetch();
            rig.fetched(package(1, "1.20"));
            rig.update_until(0x0120, |rig| rig.headsets[0].taken.len() >= 512);
            rig.headsets[0].becomes(Life::Unplugged);
            rig.answer_usb(Err(TransferError::NoDevice));
            rig.feed(Input::WorldChanged(WorldChange::HotPlug));
            rig.pass(Duration::from_secs(600));
        }),
    ];
    for (way, end) in ways {
        let mut rig = several(2);
        assert_eq!(ask(&mut rig, 1), None);
        end(&mut rig);
        rig.pass(Duration::from_secs(6));
        assert_eq!((runs(&rig), waits(&rig)), (Some(rig.headsets[1].id()), vec![]), "{way}");
        complete(&mut rig);
        assert_eq!(ends(&rig).last(), Some(&(rig.headsets[1].id(), None)), "{way}");
        rig.check_dfu();
    }
}

#[test]
fn what_speaks_against_it_when_it_is_its_turn_is_how_it_ends_and_the_next_one_begins() {
    type Change = fn(&mut Rig);
    let changes: [(&str, Change); 3] = [
        ("headset-gone", |rig| {
            rig.headsets[1].becomes(Life::Unplugged);
            rig.feed(Input::WorldChanged(WorldChange::HotPlug));
        }),
        // Somebody else has updated it meanwhile.
        ("no-such-offer", |rig| {
            rig.headsets[1].becomes(Life::Unplugged);
            rig.feed(Input::WorldChanged(WorldChange::HotPlug));
            rig.headsets[1].version = 0x0120;
            rig.headsets[1].becomes(Life::Runtime);
            rig.feed(Input::WorldChanged(WorldChange::HotPlug));
        }),
        ("hid-access-denied", |rig| {
            rig.denied.insert("/dev/hidraw2".to_owned());
            rig.feed(Input::HidLost { path: "/dev/hidraw2".to_owned() });
            rig.pass(Duration::from_secs(5));
        }),
    ];
    for (why, change) in changes {
        let mut rig = several(3);
        assert_eq!((ask(&mut rig, 1), ask(&mut rig, 2)), (None, None));
        change(&mut rig);
        assert_eq!(waits(&rig), ids(&rig, &[1, 2]), "{why}: it is looked at when it is its turn");
        complete(&mut rig);
        rig.pass(Duration::from_secs(6));
        assert_eq!(ends(&rig)[1..], [(rig.headsets[1].id(), Some(why.to_owned()))]);
        assert_eq!((runs(&rig), waits(&rig)), (Some(rig.headsets[2].id()), vec![]), "{why}");
        assert_eq!(rig.heard.history[0].device, rig.headsets[1].id(), "{why}: it is remembered");
        let owed =
            |o: &&Owed| matches!(&o.delivery, Delivery::Update(s) if s.device_id == rig.headsets[1].id());
        assert_eq!(rig.disk.owed.iter().filter(owed).count(), 0, "{why}: nothing was begun");
    }
}

/// A call is over some time, and nobody has to ask again.
#[test]
fn a_call_at_its_turn_is_waited_for() {
    let mut rig = several(2);
    assert_eq!(ask(&mut rig, 1), None);
    let hook = |up: u8| Input::HidReport { path: "/dev/hidraw2".to_owned(), bytes: vec![1, up] };
    rig.feed(hook(2));
    complete(&mut rig);
    rig.pass(Duration::from_secs(6));
    let second = rig.headsets[1].id();
    assert_eq!((runs(&rig), waits(&rig)), (Some(second.clone()), vec![]));
    rig.answer_until_fetch();
    rig.fetched(package(1, "1.20"));
    rig.pass(HOUR);
    assert_eq!(rig.job().map(|job| job.phase), Some(JobPhase::WaitingForCall));
    assert_eq!(rig.told[&second].status, DeviceStatus::Ready, "the call has its headset");
    rig.feed(hook(0));
    rig.update_until(0x0120, |_| false);
    rig.pass(Duration::from_secs(10));
    assert_eq!(ends(&rig).last(), Some(&(second, None)));
    rig.check_dfu();
}

/// The person said yes to another version.
#[test]
fn a_policy_that_changes_while_it_waits_is_a_new_offer() {
    let mut rig = several(2);
    assert_eq!(ask(&mut rig, 1), None);
    let (job, _) = rig.fetch.clone().expect("a package");
    rig.request_poll();
    rig.answer_until_policy();
    rig.policy(&offer("1.30"), 2);
    rig.feed(Input::Fetched { job, result: Ok(package(9, "1.20")) });
    rig.pass(Duration::from_secs(6));
    assert_eq!(ends(&rig)[1..], [(rig.headsets[1].id(), Some("no-such-offer".to_owned()))]);
    assert_eq!(rig.offers().iter().filter(|o| o.to_version == "1.30").count(), 2, "it is offered anew");
}

#[test]
fn the_same_headset_asked_for_twice_is_refused_with_the_reason() {
    let mut rig = several(2);
    assert_eq!(ask(&mut rig, 0).as_deref(), Some("update-running"));
    assert_eq!(ask(&mut rig, 1), None);
    assert_eq!(ask(&mut rig, 1).as_deref(), Some("update-queued"));
    assert_eq!(waits(&rig), ids(&rig, &[1]));
}

#[test]
fn no_more_wait_than_there_is_room_for() {
    let one = |n: u8| Headset {
        path: format!("/dev/hidraw{n}"),
        serial: None,
        port: Some(format!("1-{n}")),
        address: n,
        ..Headset::new(1)
    };
    let count = u8::try_from(MOST).expect("few") + 2;
    let mut rig = Rig::ready((1..=count).map(one).collect(), &offer("1.20"), &["all-users"]);
    for n in 0..=MOST {
        assert_eq!(ask(&mut rig, n), None, "{n}");
    }
    assert_eq!(ask(&mut rig, MOST + 1).as_deref(), Some("queue-full"));
    assert_eq!(cancel(&mut rig, 3), None);
    assert_eq!(ask(&mut rig, MOST + 1), None);
    assert_eq!(waits(&rig).len(), MOST);
}

#[test]
fn one_that_waits_is_taken_back_alone() {
    let mut rig = several(3);
    assert_eq!((ask(&mut rig, 1), ask(&mut rig, 2)), (None, None));
    assert_eq!(cancel(&mut rig, 1), None);
    assert_eq!((runs(&rig), waits(&rig)), (Some(rig.headsets[0].id()), ids(&rig, &[2])));
    assert!(rig.offers().iter().any(|o| o.device == rig.headsets[1].id()), "it is still offered");
    assert_eq!(cancel(&mut rig, 1).as_deref(), Some("no-update-running"), "the running one was not meant");
    assert_eq!(runs(&rig), Some(rig.headsets[0].id()));
    // Putting it off is another way to say so.
    let offer = offer_of(&rig, 2);
    assert_eq!(rig.request(|request| ToMachine::DeferUpdate { request, offer }), None);
    assert_eq!(waits(&rig), Vec::<String>::new());
    complete(&mut rig);
    rig.pass(Duration::from_secs(60));
    assert_eq!((ends(&rig).len(), runs(&rig)), (1, None));
}

#[test]
fn a_crash_forgets_those_that_wait_and_offers_them_again() {
    let mut rig = several(2);
    rig.packages = Some(BTreeMap::new());
    assert_eq!(ask(&mut rig, 1), None);
    rig.answer_until_fetch();
    rig.fetched(package(1, "1.20"));
    rig.update_until(0x0120, |rig| rig.headsets[0].taken.len() >= 512);
    let mut rig = rig.crash();
    assert_eq!(waits(&rig), Vec::<String>::new());
    rig.update_until(0x0120, |_| false);
    rig.pass(Duration::from_secs(60));
    assert_eq!((rig.headsets[0].version, rig.headsets[1].version, runs(&rig)), (0x0120, 0x0110, None));
    assert_eq!(rig.offers().iter().map(|o| &o.device).collect::<Vec<_>>(), [&rig.headsets[1].id()]);
}

/// Its headset is hers no more, and her groups do not say what he is offered.
#[test]
fn another_person_at_the_seat_forgets_the_wishes_of_the_one_before() {
    let mut rig = several(3);
    rig.came(JOE, "joe");
    rig.feed(Input::User { session: JOE, message: ToMachine::Hello { protocol: PROTOCOL_VERSION } });
    rig.identity(&["all-users"]);
    assert_eq!((ask(&mut rig, 1), waits(&rig)), (None, ids(&rig, &[1])));
    // He is not at the seat: he adds nothing, and takes nothing back.
    let (one, other) = (offer_of(&rig, 1), offer_of(&rig, 2));
    for message in [
        ToMachine::InstallUpdate { request: 1, offer: other },
        ToMachine::CancelUpdate { request: 1, offer: Some(one), anyway: true },
    ] {
        rig.feed(Input::User { session: JOE, message });
        assert_eq!(waits(&rig), ids(&rig, &[1]));
    }
    rig.feed(Input::SeatChanged(of("joe")));
    assert_eq!((waits(&rig), rig.others[&JOE].heard.queue.len()), (vec![], 0));
    assert_eq!(runs(&rig), Some(rig.headsets[0].id()), "what is being written goes on");
    complete(&mut rig);
    rig.pass(Duration::from_secs(60));
    assert_eq!(runs(&rig), None);
    let press = Input::HidReport { path: "/dev/hidraw2".to_owned(), bytes: vec![1, 4] };
    rig.take();
    rig.feed(press);
    let muted = |o: &Output| matches!(o, Output::ToUser { to, message: ToUser::DeviceEvent { event: DeviceEvent::MuteToggle, .. } } if *to == [JOE]);
    assert!(rig.out.iter().any(muted), "the headset is his to use");
}

/// Her user role crashed, or the screen is between two people: that is not another person yet.
#[test]
fn with_nobody_at_the_seat_they_wait_and_begin_when_the_same_person_is_back() {
    let mut rig = several(2);
    assert_eq!(ask(&mut rig, 1), None);
    rig.feed(Input::UserGone { session: JANE });
    rig.hello();
    assert_eq!(waits(&rig), ids(&rig, &[1]));
    rig.feed(Input::SeatChanged(Seat::Empty));
    rig.answer_until_fetch();
    rig.fetched(package(1, "1.20"));
    rig.update_until(0x0120, |_| false);
    rig.pass(Duration::from_secs(60));
    assert_eq!((runs(&rig), waits(&rig)), (None, ids(&rig, &[1])), "nothing is begun for nobody");
    rig.feed(Input::SeatChanged(of("jane")));
    assert_eq!((runs(&rig), waits(&rig)), (Some(rig.headsets[1].id()), vec![]));
    complete(&mut rig);
    assert_eq!(rig.headsets[1].version, 0x0120);
}

/// Whoever says hello and thereby has the seat hears in it what is, not before it what was.
#[test]
fn one_that_comes_to_the_seat_is_told_nothing_before_its_hello() {
    let mut rig = several(2);
    assert_eq!(ask(&mut rig, 1), None);
    rig.feed(Input::SeatChanged(of("joe")));
    assert_eq!(waits(&rig), ids(&rig, &[1]), "he has not come yet");
    rig.came(JOE, "joe");
    // The rig fails on anything that he hears before.
    rig.feed(Input::User { session: JOE, message: ToMachine::Hello { protocol: PROTOCOL_VERSION } });
    assert_eq!((waits(&rig), rig.others[&JOE].heard.queue.len()), (vec![], 0));
}

/// One without firmware is continued by itself, and does not wait twice.
#[test]
fn a_recovery_waits_like_any_other_and_not_beside_its_own_continuation() {
    let mut rig = several(2);
    rig.packages = Some(BTreeMap::new());
    rig.answer_until_fetch();
    rig.fetched(package(1, "1.20"));
    rig.update_until(0x0120, |rig| rig.headsets[0].taken.len() >= 512);
    assert_eq!(cancel(&mut rig, 0), None);
    rig.update_until(0x0120, |_| false);
    assert_eq!((ask(&mut rig, 1), ask(&mut rig, 0)), (None, None));
    assert_eq!((runs(&rig), waits(&rig)), (Some(rig.headsets[1].id()), ids(&rig, &[0])));
    complete(&mut rig);
    rig.pass(Duration::from_secs(6));
    assert_eq!((runs(&rig), waits(&rig)), (Some(rig.headsets[0].id()), vec![]));
    rig.answer_until_fetch();
    rig.fetched(package(1, "1.20"));
    rig.update_until(0x0120, |_| false);
    assert_eq!((rig.headsets[0].version, rig.headsets[0].life), (0x0120, Life::Runtime));
}

#[test]
fn a_program_that_ends_begins_nothing_more() {
    let mut rig = several(2);
    assert_eq!(ask(&mut rig, 1), None);
    rig.feed(Input::Stop);
    rig.fail(FailureKind::Rejected, None);
    rig.pass(Duration::from_secs(60));
    assert_eq!((runs(&rig), waits(&rig)), (None, vec![]));
}

impl Rig {
    fn request_poll(&mut self) {
        self.feed(said(ToMachine::Poll { request: 5 }));
    }
}

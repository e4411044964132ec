//! Which headset carries the calls, and who says so.

use super::*;
use hub::protocol::local::View;
use hub::protocol::{DeviceStatus, Indicators, Job};
use hub::user::menu::{Action, Item};
use hub::user::words;

const THREE: [&str; 3] = ["a", "b", "c"];

/// Chooses, and plays the settings that keep it.
fn choose(rig: &mut Rig, device: &str) {
    rig.requests += 1;
    let request = rig.requests;
    rig.feed(Input::Command { request, command: Command::UseHeadset { device: device.to_owned() } });
    assert_eq!(rig.outputs, [Output::KeepHeadset { request, device: device.to_owned() }]);
    rig.feed(Input::HeadsetKept { request, kept: Ok(device.to_owned()) });
    assert_eq!(rig.replies(), [(request, Reply::Done)]);
}

fn carries(rig: &Rig) -> Option<&str> {
    rig.agent.view().headset.as_deref()
}

fn status(id: &str, status: DeviceStatus) -> ToUser {
    ToUser::DeviceChanged { device: Device { status, ..device(id) } }
}

#[test]
fn the_chosen_one_carries_the_calls_whenever_it_can() {
    let mut rig = Rig::with(&THREE);
    assert_eq!(carries(&rig), Some("a"), "the first one, as long as nobody chose");
    choose(&mut rig, "c");
    assert_eq!(carries(&rig), Some("c"));
    rig.service(status("c", DeviceStatus::Updating));
    assert_eq!(carries(&rig), Some("a"), "while the chosen one cannot");
    rig.service(status("c", DeviceStatus::Ready));
    assert_eq!(carries(&rig), Some("c"), "it is back");
    rig.service(ToUser::DeviceRemoved { id: "c".to_owned() });
    assert_eq!(carries(&rig), Some("a"));
    let id = rig.incoming();
    rig.service(status("c", DeviceStatus::Ready));
    assert_eq!(carries(&rig), Some("a"), "a call stays where it rings");
    rig.command(Command::Call { client: client("phone"), id, action: CallAction::End });
    assert_eq!(carries(&rig), Some("c"), "the next one comes to the chosen one");
}

/// Who chooses while a call goes on moves that call's lights.
#[test]
fn choosing_in_a_call_moves_its_lights_at_once() {
    let mut rig = Rig::with(&THREE);
    rig.incoming();
    choose(&mut rig, "b");
    let lights = |id: &str, lights: Indicators| (id.to_owned(), lights);
    assert_eq!(rig.lights(), [lights("a", DARK), lights("b", RING)]);
    rig.service(ToUser::DeviceEvent { id: "a".to_owned(), event: DeviceEvent::Answer });
    assert_eq!(rig.agent.view().calls[0].state, CallState::Ringing, "the other one has no say any more");
    rig.service(ToUser::DeviceEvent { id: "b".to_owned(), event: DeviceEvent::Answer });
    assert_eq!(rig.agent.view().calls[0].state, CallState::Answered);
}

#[test]
fn what_the_settings_name_counts_from_the_start_and_may_be_away() {
    let mut rig = Rig::new();
    rig.agent = UserRole::new("0").preferring(Some("b".to_owned()));
    rig.drain();
    let state =
        |ids: &[&str]| State { devices: ids.iter().map(|id| device(id)).collect(), ..State::default() };
    rig.service(ToUser::Hello(Box::new(state(&["a"]))));
    assert_eq!(carries(&rig), Some("a"));
    rig.service(ToUser::DeviceChanged { device: device("b") });
    assert_eq!(carries(&rig), Some("b"));
}

#[test]
fn what_is_not_there_or_cannot_be_kept_is_refused() {
    let mut rig = Rig::with(&THREE);
    let away = rig.command(Command::UseHeadset { device: "d".to_owned() });
    assert_eq!(refused(away), "no-such-device");
    rig.feed(Input::Command { request: 90, command: Command::UseHeadset { device: "b".to_owned() } });
    rig.feed(Input::HeadsetKept { request: 90, kept: Err(problem("headset-not-kept")) });
    let replies = rig.replies();
    assert!(matches!(&replies[..], [(90, Reply::Refused(r))] if r.problem.code == Code::HeadsetNotKept));
    assert_eq!(carries(&rig), Some("a"));
}

#[test]
fn the_menu_offers_the_others_where_there_is_a_choice() {
    let uses = |rig: &Rig| -> Vec<String> {
        let action = |item: &Item| match item {
            Item::Action { action: Action::UseHeadset(id), .. } => Some(id.clone()),
            _ => None,
        };
        rig.agent.menu().items.iter().filter_map(action).collect()
    };
    let mut rig = Rig::with(&["a"]);
    assert_eq!(uses(&rig), Vec::<String>::new(), "nothing to choose");
    rig.service(ToUser::DeviceChanged { device: device("b") });
    assert_eq!(uses(&rig), ["b"]);
    choose(&mut rig, "b");
    assert_eq!(uses(&rig), ["a"]);
    rig.service(status("a", DeviceStatus::Updating));
    assert_eq!(uses(&rig), Vec::<String>::new());
}

#[test]
fn a_headset_in_need_of_firmware_knows_better_than_its_verdict_what_next() {
    let [then, now] = ["needs-firmware", "needs-firmware-away"].map(problem);
    let job = Job { device: "d".to_owned(), ..Job::default() };
    let mut view = View::default();
    assert_eq!(words::advice(&view, &job, &then), &then);
    let device = |id: &str, status| Device { status, ..super::device(id) };
    view.devices = vec![device("other", DeviceStatus::NeedsFirmware { problem: now.clone() })];
    assert_eq!(words::advice(&view, &job, &then), &then);
    view.devices.push(device("d", DeviceStatus::NeedsFirmware { problem: now.clone() }));
    assert_eq!(words::advice(&view, &job, &then), &now);
}

#[test]
fn headsets_of_one_name_are_told_apart_by_their_ports() {
    let product = "Headset".to_owned();
    let at =
        |id: &str, port: &str| Device { port: Some(port.to_owned()), product: product.clone(), ..device(id) };
    let mut view = View { devices: vec![at("a", "1-1"), at("b", "1-2")], ..View::default() };
    let names = |view: &View| view.devices.iter().map(|d| words::name(view, d)).collect::<Vec<_>>();
    assert_eq!(names(&view), [format!("{product} (USB 1-1)"), format!("{product} (USB 1-2)")]);
    let labels: Vec<String> = hub::user::menu::menu(&view).items.iter().map(|i| format!("{i:?}")).collect();
    assert!(labels.iter().any(|l| l.contains("(USB 1-1)")) && labels.iter().any(|l| l.contains("(USB 1-2)")));
    view.devices[1].product = "Other".to_owned();
    assert_eq!(names(&view), [product, "Other".to_owned()]);
}

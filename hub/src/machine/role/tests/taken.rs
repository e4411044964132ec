//! When an update takes the headset from its person: once its package is here, and not out of a call.

use super::headset::{Life, offer, package};
use super::*;

fn begun() -> Rig {
    let mut rig = Rig::ready(vec![Headset::new(1)], &offer("1.20"), &["all-users"]);
    assert_eq!(rig.install(), None);
    rig
}

fn lit(rig: &mut Rig, off_hook: bool) {
    let id = rig.headsets[0].id();
    rig.lights(&id, Indicators { off_hook, ..Indicators::default() });
}

/// What the running job of the person does.
fn phase(rig: &Rig) -> Option<JobPhase> {
    rig.job().filter(|job| job.outcome.is_none()).map(|job| job.phase)
}

fn ends_well(rig: &mut Rig) {
    rig.update_until(0x0120, |_| false);
    rig.pass(Duration::from_secs(10));
    assert!(matches!(rig.job().and_then(|job| job.outcome.clone()), Some(Outcome::Succeeded { .. })));
}

#[test]
fn a_call_that_begins_during_the_download_is_led_to_its_end() {
    let mut rig = begun();
    let id = rig.headsets[0].id();
    lit(&mut rig, true);
    rig.take();
    rig.fetched(package(1, "1.20"));
    assert_eq!(phase(&rig), Some(JobPhase::WaitingForCall));
    assert_eq!(rig.told[&id].status, DeviceStatus::Ready);
    // Mute is lit, and a press is heard.
    rig.lights(&id, Indicators { off_hook: true, mute: true, ..Indicators::default() });
    assert_ne!(rig.written(), Vec::<Vec<u8>>::new());
    rig.pass(HOUR);
    rig.take();
    rig.feed(Input::HidReport { path: rig.headsets[0].path.clone(), bytes: vec![1, 0b1000] });
    let press =
        |output: &Output| matches!(output, Output::ToUser { message: ToUser::DeviceEvent { .. }, .. });
    assert!(rig.out.iter().any(press), "{:?}", rig.out);
    assert_eq!((phase(&rig), rig.usb.is_none()), (Some(JobPhase::WaitingForCall), true));
    lit(&mut rig, false);
    assert_eq!(rig.told[&id].status, DeviceStatus::Updating);
    ends_well(&mut rig);
}

#[test]
fn one_that_waits_for_the_call_can_be_cancelled_and_the_call_goes_on() {
    let mut rig = begun();
    lit(&mut rig, true);
    rig.fetched(package(1, "1.20"));
    rig.take();
    let cancel = |request| ToMachine::CancelUpdate { request, offer: None, anyway: false };
    assert_eq!(rig.request(cancel), None);
    assert_eq!(phase(&rig), None);
    assert_eq!(rig.written(), Vec::<Vec<u8>>::new(), "its lights are as they were");
    lit(&mut rig, false);
    rig.pass(HOUR);
    assert!(rig.usb.is_none() && rig.disk.journal.is_empty());
}

#[test]
fn a_headset_that_left_during_the_download_is_not_written() {
    let mut rig = begun();
    rig.headsets[0].becomes(Life::Unplugged);
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
    rig.pass(Duration::from_secs(10));
    assert_eq!(phase(&rig), Some(JobPhase::Fetching));
    rig.fetched(package(1, "1.20"));
    let Some(Outcome::Failed { problem }) = rig.job().and_then(|job| job.outcome.clone()) else {
        panic!("{:?}", rig.job())
    };
    assert_eq!((problem.code, rig.usb.is_none()), (Code::HeadsetGone, true));
}

/// Its person took it to another desk.
#[test]
fn it_is_written_where_it_is_when_its_package_is_here() {
    let mut rig = begun();
    rig.headsets[0].becomes(Life::Unplugged);
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
    rig.pass(Duration::from_secs(10));
    rig.headsets[0].port = Some("1-7".to_owned());
    rig.headsets[0].becomes(Life::Runtime);
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
    rig.pass(Duration::from_secs(10));
    rig.fetched(package(1, "1.20"));
    ends_well(&mut rig);
}

/// Somebody else, or the headset's own memory, has changed what the offer was made for.
#[test]
fn one_with_another_firmware_by_now_is_not_written() {
    let mut rig = begun();
    rig.headsets[0].becomes(Life::Unplugged);
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
    rig.pass(Duration::from_secs(10));
    rig.headsets[0].version = 0x0130;
    rig.headsets[0].becomes(Life::Runtime);
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
    rig.pass(Duration::from_secs(10));
    rig.fetched(package(1, "1.20"));
    let Some(Outcome::Failed { problem }) = rig.job().and_then(|job| job.outcome.clone()) else {
        panic!("{:?}", rig.job())
    };
    assert_eq!((problem.code, rig.usb.is_none()), (Code::NoSuchOffer, true), "it was plugged in");
}

/// A headset of the company's own doing is given to a call, and its person is told anew after that.
#[test]
fn what_begins_by_itself_leaves_a_call_alone_and_begins_anew() {
    let policy = json!({ "schema": 1, "company": "Example", "firmware": [{ "id": "fw", "groups": ["all-users"],
        "name": "Simulated Headset 1.20", "products": [{ "vendor_id": 0x1209, "product_id": 1 }],
        "version": "1.20", "target": "fw.zip", "deployment": "automatic" }] });
    let mut rig = Rig::managed(vec![Headset::new(1), Headset::new(2)]);
    rig.enrolled();
    rig.policy(&policy.to_string(), 1);
    rig.pass(Duration::from_secs(70));
    let first = rig.service.update.device().map(str::to_owned);
    // Any headset's call: its person is at the computer.
    let other = rig.headsets.iter().map(Headset::id).find(|id| Some(id) != first.as_ref()).expect("two");
    rig.lights(&other, Indicators { off_hook: true, ..Indicators::default() });
    rig.take();
    rig.fetched(package(1, "1.20"));
    assert_eq!((phase(&rig), rig.usb.is_none(), rig.job()), (None, true, None));
    assert_eq!(
        (rig.disk.history.len(), rig.disk.deployments.len(), rig.owes().contains(&"update")),
        (0, 0, false)
    );
    rig.pass(HOUR);
    assert_eq!(rig.service.update.device(), None);
    rig.lights(&other, Indicators::default());
    let said = |output: &Output| {
        matches!(output, Output::ToUser { message: ToUser::UpdateAsks { begins: true, .. }, .. })
    };
    assert!(rig.take().iter().any(said));
    rig.pass(Duration::from_secs(70));
    rig.answer_until_fetch();
    rig.fetched(package(1, "1.20"));
    ends_well(&mut rig);
}

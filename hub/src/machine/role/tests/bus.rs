//! Headsets that come, go, refuse and are mistaken for each other.

use super::headset::Life;
use super::*;
use crate::protocol::DeviceEvent;

fn consumer(headsets: Vec<Headset>) -> Rig {
    let mut rig = Rig::start(None, Disk::default(), headsets, Instant::now());
    rig.hello();
    rig
}

fn ids(rig: &Rig) -> Vec<&str> {
    rig.told.keys().map(String::as_str).collect()
}

fn looks(rig: &Rig) -> usize {
    rig.out.iter().filter(|o| matches!(o, Output::Scan { .. })).count()
}

#[test]
fn a_headset_is_told_opened_and_its_press_heard() {
    let mut rig = consumer(vec![]);
    rig.pass(Duration::from_secs(10));
    rig.headsets.push(Headset::new(1));
    rig.out.clear();
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
    let device = &rig.told["1209-0001-HS1"];
    assert_eq!((device.product.as_str(), device.firmware_version.as_str()), ("Simulated Headset", "1.10"));
    assert!(device.capabilities.call_control && device.capabilities.mute_sync && device.capabilities.ring);
    assert!(device.capabilities.firmware_update && !device.capabilities.teams);
    assert!(rig.open.contains("/dev/hidraw1"));
    rig.pass(Duration::from_secs(1));
    rig.lights("1209-0001-HS1", Indicators { ring: true, ..Indicators::default() });
    assert_eq!(rig.written().last(), Some(&vec![2, 0b100]));
    rig.feed(Input::HidReport { path: "/dev/hidraw1".to_owned(), bytes: vec![1, 1] });
    let id = "1209-0001-HS1".to_owned();
    assert!(rig.out.contains(&told(ToUser::DeviceEvent { id, event: DeviceEvent::Answer })));
    rig.headsets[0].becomes(Life::Unplugged);
    rig.feed(Input::HidLost { path: "/dev/hidraw1".to_owned() });
    assert_eq!((ids(&rig).len(), rig.open.len()), (0, 0));
}

#[test]
fn a_node_that_cannot_be_read_is_not_opened_in_a_circle() {
    let mut rig = consumer(vec![Headset::new(1)]);
    let path = "/dev/hidraw1".to_owned();
    let opens = |rig: &Rig| rig.out.iter().filter(|o| matches!(o, Output::OpenHid { .. })).count();
    for _ in 0..20 {
        rig.feed(Input::HidLost { path: path.clone() });
    }
    assert_eq!(opens(&rig), 5, "the first time and after each of four ends");
    let unavailable = rig.out.iter().rev().find_map(|o| match o {
        Output::ToUser { message: ToUser::DeviceChanged { device }, .. } => Some(device.status.clone()),
        _ => None,
    });
    let is = matches!(&unavailable, Some(DeviceStatus::Unavailable { problem }) if problem.code == Code::HidUnreadable);
    assert!(is, "{unavailable:?}");
    // Once it was away it gets another chance.
    rig.headsets[0].becomes(Life::Unplugged);
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
    rig.headsets[0].becomes(Life::Runtime);
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
    assert_eq!(opens(&rig), 6);
}

#[test]
fn the_bus_is_looked_at_again_250_ms_1_s_and_3_s_after_a_notice() {
    let mut rig = consumer(vec![]);
    rig.pass(Duration::from_secs(10));
    rig.out.clear();
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
    assert_eq!(looks(&rig), 1);
    let start = rig.now.instant;
    for (until_ms, expected) in [(249, 1), (250, 2), (999, 2), (1000, 3), (2999, 3), (3000, 4), (600_000, 4)]
    {
        rig.pass(start + MS * until_ms - rig.now.instant);
        assert_eq!(looks(&rig), expected, "after {until_ms} ms");
    }
    assert_eq!(rig.service.poll_timeout(), None, "idle is free");
}

#[test]
fn a_node_without_rights_is_tried_again_while_the_bus_is_looked_at() {
    let mut rig = consumer(vec![]);
    rig.denied.insert("/dev/hidraw1".to_owned());
    rig.headsets.push(Headset::new(1));
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
    let status = |rig: &Rig| rig.told["1209-0001-HS1"].status.clone();
    assert!(
        matches!(status(&rig), DeviceStatus::Unavailable { problem } if problem.code == Code::HidAccessDenied)
    );
    rig.pass(MS * 500);
    assert!(!rig.open.contains("/dev/hidraw1"));
    rig.denied.clear();
    rig.pass(Duration::from_secs(1));
    assert_eq!(status(&rig), DeviceStatus::Ready);
    assert!(rig.open.contains("/dev/hidraw1"));
}

#[test]
fn a_node_whose_descriptor_comes_late_is_found() {
    let late = Headset { descriptor: vec![], ..Headset::new(1) };
    let whole = Headset::new(1).descriptor;
    let mut rig = consumer(vec![]);
    rig.auto = false;
    let mut scan = Scan { hid: late.node().into_iter().collect(), usb: None };
    scan.hid[0].descriptor = None;
    rig.feed(Input::Scanned(scan.clone()));
    assert_eq!(ids(&rig).len(), 0);
    scan.hid[0].descriptor = Some(whole);
    rig.feed(Input::Scanned(scan));
    assert_eq!(ids(&rig), ["1209-0001-HS1"]);
}

#[test]
fn a_hostile_descriptor_is_named_and_others_are_left_alone() {
    let broken =
        Headset { descriptor: vec![0x05, 0x0b, 0x09, 0x05, 0xa1, 0x01, 0x75, 0xff], ..Headset::new(1) };
    let keyboard = Headset { descriptor: vec![0x05, 0x01, 0x09, 0x06, 0xa1, 0x01, 0xc0], ..Headset::new(2) };
    let mut rig = consumer(vec![broken, keyboard]);
    rig.pass(Duration::from_secs(5));
    assert_eq!(ids(&rig), ["1209-0001-HS1"]);
    let bad = &rig.told["1209-0001-HS1"].status;
    assert!(
        matches!(bad, DeviceStatus::Unavailable { problem } if problem.code == Code::BadDescriptor),
        "{bad:?}"
    );
    rig.out.clear();
    rig.lights("1209-0001-HS1", Indicators { ring: true, ..Indicators::default() });
    rig.lights("nobody", Indicators { ring: true, ..Indicators::default() });
    rig.feed(Input::HidReport { path: "/dev/hidraw1".to_owned(), bytes: vec![] });
    rig.feed(Input::HidReport { path: "/dev/null".to_owned(), bytes: vec![1, 1] });
    assert_eq!(rig.out, []);
}

/// Of no product that is known, and nothing of it says that it is a headset.
#[test]
fn what_does_not_decode_and_is_nobody_s_headset_is_left_alone() {
    let mut rig = consumer(vec![]);
    rig.auto = false;
    let found = |descriptor: &[u8]| {
        let unknown = Headset { descriptor: descriptor.to_vec(), ..Headset::new(1) };
        let mut scan = Scan { hid: unknown.node().into_iter().collect(), usb: None };
        scan.hid.iter_mut().for_each(|node| node.vendor_id = 0x0001);
        scan
    };
    rig.feed(Input::Scanned(found(&[0x05, 0x01, 0x09, 0x02, 0xa1, 0x01, 0x75, 0xff])));
    assert_eq!(ids(&rig).len(), 0);
    rig.feed(Input::Scanned(found(&[0x05, 0x0b, 0x09, 0x05, 0xa1, 0x01, 0x75, 0xff])));
    assert_eq!(ids(&rig).len(), 1, "it names the telephony page");
}

#[test]
fn a_path_given_to_another_headset_is_another_headset() {
    let mut rig = consumer(vec![Headset::new(1)]);
    rig.lights("1209-0001-HS1", Indicators { off_hook: true, ..Indicators::default() });
    rig.headsets = vec![Headset { path: "/dev/hidraw1".to_owned(), ..Headset::new(2) }];
    rig.out.clear();
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
    assert_eq!(ids(&rig), ["1209-0001-HS2"]);
    let order: Vec<&Output> =
        rig.out.iter().filter(|o| matches!(o, Output::CloseHid { .. } | Output::OpenHid { .. })).collect();
    let path = || "/dev/hidraw1".to_owned();
    assert_eq!(order, [&Output::CloseHid { path: path() }, &Output::OpenHid { path: path() }]);
}

#[test]
fn a_headset_at_another_path_is_the_same_headset() {
    let mut rig = consumer(vec![Headset::new(1)]);
    rig.headsets[0].path = "/dev/hidraw7".to_owned();
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
    assert_eq!(ids(&rig), ["1209-0001-HS1"]);
    assert_eq!(rig.open.iter().collect::<Vec<_>>(), ["/dev/hidraw7"]);
}

/// Two headsets that cannot be told apart: both are there, and each stays the one it is.
#[test]
fn twins_without_serial_numbers_and_ports_do_not_take_turns() {
    let twin = |n| Headset { serial: None, port: None, ..Headset::new(n) };
    let mut rig = consumer(vec![twin(1), twin(2)]);
    assert_eq!((ids(&rig), rig.open.len()), (vec!["1209-0001-0", "1209-0001-0~2"], 2));
    rig.pass(Duration::from_secs(1));
    rig.lights("1209-0001-0", Indicators { off_hook: true, ..Indicators::default() });
    rig.out.clear();
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
    rig.pass(Duration::from_secs(10));
    rig.out.retain(|o| !matches!(o, Output::Scan { .. }));
    assert_eq!(rig.out, [], "the same bus is no news");
    rig.headsets.remove(0);
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
    assert_eq!((ids(&rig), rig.open.len()), (vec!["1209-0001-0~2"], 1), "not the other one");
}

#[test]
fn twins_at_known_ports_are_two_headsets() {
    let twin = |n| Headset { serial: None, ..Headset::new(n) };
    let rig = consumer(vec![twin(1), twin(2)]);
    assert_eq!((ids(&rig), rig.open.len()), (vec!["1209-0001-1-1", "1209-0001-1-2"], 2));
}

#[test]
fn the_same_bus_is_no_news() {
    let mut rig =
        Rig::ready(vec![Headset::new(1), Headset::new(2)], &super::headset::offer("1.20"), &["all-users"]);
    rig.out.clear();
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
    rig.pass(Duration::from_secs(60));
    rig.out.retain(|o| !matches!(o, Output::Scan { .. }));
    assert_eq!(rig.out, []);
}

#[test]
fn stop_puts_the_lights_out() {
    let mut rig = consumer(vec![Headset::new(1)]);
    rig.pass(Duration::from_secs(1));
    rig.lights("1209-0001-HS1", Indicators { off_hook: true, ..Indicators::default() });
    rig.out.clear();
    rig.feed(Input::Stop);
    assert_eq!(rig.written(), [[2, 0]]);
    assert!(rig.service.has_stopped());
}

#[test]
fn without_a_tenant_nothing_is_sent_and_nothing_owed() {
    let managed = Rig::ready(vec![Headset::new(1)], &super::headset::offer("1.20"), &["all-users"]);
    let disk = managed.disk.clone();
    for disk in [Disk::default(), disk] {
        let mut rig = Rig::start(None, disk.clone(), vec![Headset::new(1)], Instant::now());
        rig.hello();
        rig.identity(&["all-users"]);
        rig.pass(30 * 24 * HOUR);
        rig.headsets[0].becomes(Life::Unplugged);
        rig.feed(Input::WorldChanged(WorldChange::HotPlug));
        rig.pass(24 * HOUR);
        assert!(!rig.out.iter().any(|o| matches!(o, Output::Tenant(_))));
        assert!(!rig.out.iter().any(|o| matches!(o, Output::Persist(Record::Owed(_)))));
        assert_eq!((rig.disk.owed.len(), rig.offers()), (disk.owed.len(), vec![]));
        let Some(Output::ToUser { message: ToUser::Hello(state), .. }) =
            rig.out.iter().find(|o| matches!(o, Output::ToUser { message: ToUser::Hello(_), .. }))
        else {
            panic!("a hello")
        };
        assert_eq!((&state.tenant, state.groups.len()), (&TenantState::default(), 0));
    }
}

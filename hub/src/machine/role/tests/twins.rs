//! Headsets that look alike, by one serial number or by none: what becomes of one is never taken for the other's.

use super::headset::{Life, offer, package};
use super::*;

const LOOK: Duration = Duration::from_secs(10);

/// The first of two headsets lost its firmware at port 1-1; the second is not there, and was not seen beside it.
fn one_lost(serial: Option<&'static str>) -> Rig {
    let of = |n| Headset { serial, ..Headset::new(n) };
    let away = Headset { life: Life::Unplugged, twin: serial.is_some(), ..of(2) };
    let mut rig = Rig::ready(vec![of(1), away], &offer("1.20"), &["all-users"]);
    assert_eq!(rig.install(), None);
    rig.fetched(package(1, "1.20"));
    rig.update_until(0x0120, |rig| rig.headsets[0].taken.len() >= 512);
    assert_eq!(rig.request(|request| ToMachine::CancelUpdate { request, offer: None, anyway: true }), None);
    rig.update_until(0x0120, |_| false);
    assert!(is_offered(&rig, "1-1"), "{:?}", rig.told);
    rig
}

/// The lost one is shown at `port` and its firmware is offered, and the journal says the same.
fn is_offered(rig: &Rig, port: &str) -> bool {
    let shown = rig.told.values().find(|d| matches!(d.status, DeviceStatus::NeedsFirmware { .. }));
    let Some(shown) = shown.filter(|d| d.port.as_deref() == Some(port)) else { return false };
    let recovery = |o: &crate::protocol::Offer| {
        o.device == shown.id && o.deployment == crate::protocol::Deployment::Recovery
    };
    let entry = rig.disk.journal.get(&shown.id);
    rig.offers().iter().any(recovery) && entry.is_some_and(|e| !e.works && e.port == port)
}

fn look(rig: &mut Rig) {
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
    rig.pass(LOOK);
    rig.check_mirror();
}

fn verdicts(rig: &Rig) -> Vec<wire::Verdict> {
    let owed = rig.disk.owed.iter().filter_map(|owed| match &owed.delivery {
        Delivery::Update(status) => Some(status.verdict),
        _ => None,
    });
    owed.collect()
}

#[test]
fn a_twin_that_comes_elsewhere_does_not_speak_for_the_lost_one() {
    for (version, restart) in [(0x0110, false), (0x0120, false), (0x0110, true), (0x0120, true)] {
        let mut rig = one_lost(Some("00000000010C"));
        let before = verdicts(&rig);
        if restart {
            rig = rig.crash();
        }
        rig.headsets[1].version = version;
        let life = rig.headsets[1].boots();
        rig.headsets[1].becomes(life);
        look(&mut rig);
        let context = format!("{version:04x} {restart} {:?}", rig.told);
        let twin = rig.headsets[1].id();
        assert_eq!(rig.told.get(&twin).and_then(|d| d.port.as_deref()), Some("1-2"), "{context}");
        let lost = rig.told.get(&rig.headsets[0].id()).expect("shown");
        assert_eq!(lost.port.as_deref(), Some("1-1"), "{context}");
        if restart {
            // Its job goes on by itself; the package cannot be had.
            assert_eq!(lost.status, DeviceStatus::Updating, "{context}");
            rig.fail(FailureKind::Unreachable, None);
            rig.pass(LOOK);
        }
        assert!(is_offered(&rig, "1-1"), "{context}");
        assert!(!verdicts(&rig)[before.len()..].contains(&wire::Verdict::Succeeded), "{context}");
        let rig = rig.crash();
        assert!(rig.disk.journal.values().any(|e| !e.works && e.port == "1-1"), "{context}");
    }
}

/// Without serial numbers the port is all that tells headsets apart, and people change ports.
#[test]
fn a_lost_one_that_is_plugged_in_elsewhere_is_found_again() {
    for version in [0x0110, 0x0120] {
        let mut rig = one_lost(None);
        rig.headsets[0].life = Life::Unplugged;
        look(&mut rig);
        rig.headsets[0].port = Some("1-2".to_owned());
        rig.headsets[1].port = Some("1-1".to_owned());
        rig.headsets[1].version = version;
        // The one that works comes first, where the lost one was.
        let life = rig.headsets[1].boots();
        rig.headsets[1].becomes(life);
        look(&mut rig);
        let life = rig.headsets[0].boots();
        rig.headsets[0].becomes(life);
        look(&mut rig);
        assert!(is_offered(&rig, "1-2"), "{version:04x} {:?} {:?}", rig.told, rig.disk.journal);
        // And it is this one that gets its firmware.
        let recovery = |o: &crate::protocol::Offer| o.deployment == crate::protocol::Deployment::Recovery;
        let offer = rig.offers().into_iter().find(recovery).expect("offered").id;
        assert_eq!(rig.request(|request| ToMachine::InstallUpdate { request, offer }), None);
        rig.answer_until_fetch();
        rig.fetched(package(1, "1.20"));
        rig.update_until(0x0120, |_| false);
        rig.pass(LOOK);
        assert_eq!((rig.headsets[0].life, rig.headsets[0].version), (Life::Runtime, 0x0120));
        assert!(rig.headsets[1].taken.is_empty(), "the other one was not touched");
        assert!(rig.disk.journal.values().all(|entry| entry.works), "{:?}", rig.disk.journal);
    }
}

/// It was unplugged, which gave it its old firmware back, and plugged in at another port.
#[test]
fn a_lost_one_that_works_elsewhere_is_lost_no_more_until_it_shows() {
    let mut rig = one_lost(Some("HS1"));
    rig.headsets[0].life = Life::Unplugged;
    look(&mut rig);
    rig.headsets[0].port = Some("1-4".to_owned());
    rig.headsets[0].becomes(Life::Runtime);
    look(&mut rig);
    let needs = |rig: &Rig| rig.told.values().any(|d| matches!(d.status, DeviceStatus::NeedsFirmware { .. }));
    assert!(!needs(&rig), "{:?}", rig.told);
    assert!(rig.disk.journal.values().all(|entry| entry.works), "kept, in case it was another one");
    rig.headsets[0].becomes(Life::Dfu { state: 2 });
    look(&mut rig);
    assert!(is_offered(&rig, "1-4"), "{:?} {:?}", rig.told, rig.disk.journal);
}

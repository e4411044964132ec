//! How updates ended is remembered, once each, and outlives the program.

use super::headset::{Life, offer, package};
use super::*;

fn ends(rig: &Rig) -> Vec<(String, &str)> {
    let verdict = |outcome: &Outcome| match outcome {
        Outcome::Succeeded { .. } => "succeeded",
        Outcome::Failed { .. } => "failed",
        Outcome::Unknown { .. } => "unknown",
    };
    assert_eq!(rig.heard.history.to_vec(), rig.disk.history, "what is told is what is kept");
    rig.heard.history.iter().map(|past| (past.to_version.clone(), verdict(&past.outcome))).collect()
}

/// One that comes back with this version.
fn updated(rig: &mut Rig, version: u16) {
    assert_eq!(rig.install(), None);
    rig.fetched(package(1, "1.20"));
    rig.update_until(version, |_| false);
    rig.pass(Duration::from_secs(10));
}

fn plugged_in_anew(rig: &mut Rig, version: u16) {
    rig.headsets[0].becomes(Life::Unplugged);
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
    rig.pass(Duration::from_secs(10));
    rig.headsets[0].version = version;
    rig.headsets[0].becomes(Life::Runtime);
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
    rig.pass(Duration::from_secs(10));
}

#[test]
fn an_update_that_ended_is_told_of_after_a_restart() {
    let mut rig = Rig::ready(vec![Headset::new(1)], &offer("1.20"), &["all-users"]);
    assert_eq!(rig.heard.history.len(), 0);
    updated(&mut rig, 0x0120);
    let [past] = &rig.heard.history[..] else { panic!("{:?}", rig.heard.history) };
    assert_eq!((past.device.clone(), past.product.as_str()), (rig.headsets[0].id(), "Simulated Headset"));
    assert_eq!((past.from_version.as_str(), past.to_version.as_str()), ("1.10", "1.20"));
    assert_eq!(past.outcome, Outcome::Succeeded { version: "1.20".to_owned() });
    assert!(past.ended_s.abs_diff(rig.now.unix_s) <= 60, "{} at {}", past.ended_s, rig.now.unix_s);
    let before = rig.heard.history.clone();
    let rig = rig.crash();
    assert_eq!(rig.heard.history, before);
}

#[test]
fn a_corrected_verdict_is_the_same_update() {
    for restart in [false, true] {
        let mut rig = Rig::ready(vec![Headset::new(1)], &offer("1.20"), &["all-users"]);
        updated(&mut rig, 0x0110);
        assert_eq!(ends(&rig), [("1.20".to_owned(), "failed")]);
        let mut rig = if restart { rig.crash() } else { rig };
        plugged_in_anew(&mut rig, 0x0120);
        assert_eq!(ends(&rig), [("1.20".to_owned(), "succeeded")], "restart: {restart}");
        assert_eq!(rig.crash().heard.history.len(), 1);
    }
}

#[test]
fn the_last_twenty_are_kept_the_newest_first() {
    let mut rig = Rig::ready(vec![Headset::new(1)], &offer("1.20"), &["all-users"]);
    for n in 1..=23 {
        updated(&mut rig, 0x0110);
        assert_eq!(ends(&rig).len(), n.min(20));
    }
    updated(&mut rig, 0x0120);
    let ends = ends(&rig);
    assert_eq!((ends.len(), ends[0].1, ends[1].1), (20, "succeeded", "failed"));
    let times: Vec<u64> = rig.heard.history.iter().map(|past| past.ended_s).collect();
    assert!(times.is_sorted_by(|a, b| a >= b), "{times:?}");
}

/// It is the headsets' and not the company's.
#[test]
fn another_company_finds_what_was() {
    let mut rig = Rig::ready(vec![Headset::new(1)], &offer("1.20"), &["all-users"]);
    updated(&mut rig, 0x0120);
    rig.feed(Input::TenancyChanged(Tenancy::default()));
    assert_eq!(ends(&rig).len(), 1);
}

/// A headset that waits in DFU mode, and a machine that is started before its network: day after day.
#[test]
fn one_that_ends_the_same_way_each_time_it_is_continued_is_there_once() {
    let mut rig = Rig::ready(vec![Headset::new(1)], &offer("1.20"), &["all-users"]);
    assert_eq!(rig.install(), None);
    rig.fetched(package(1, "1.20"));
    rig.update_until(0x0120, |rig| rig.headsets[0].taken.len() >= 512);
    rig.packages = None;
    for _ in 0..4 {
        rig = rig.crash();
        rig.packages = None;
        rig.answer_until_fetch();
        rig.fail(FailureKind::Unreachable, None);
        assert_eq!(ends(&rig), [("1.20".to_owned(), "failed")]);
    }
    // The company that could not be reached is left: nobody else reads where it is.
    rig.feed(Input::TenancyChanged(super::tenancy::of(Some("https://other"))));
    assert_eq!(ends(&rig), []);
}

/// What was to be done is done by now.
#[test]
fn what_it_advised_is_corrected_there_too() {
    let mut rig = Rig::ready(vec![Headset::new(1)], &offer("1.20"), &["all-users"]);
    assert_eq!(rig.install(), None);
    rig.fetched(package(1, "1.20"));
    rig.update_until(0x0120, |rig| rig.headsets[0].taken.len() >= 512);
    rig.headsets[0].becomes(Life::Unplugged);
    rig.answer_usb(Err(dfu::usb_dfu::TransferError::NoDevice));
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
    rig.pass(Duration::from_secs(3600));
    let advice = |rig: &Rig| match &rig.heard.history[0].outcome {
        Outcome::Failed { problem } => problem.details["device"].code.clone(),
        other => panic!("{other:?}"),
    };
    let before = advice(&rig);
    rig.headsets[0].becomes(Life::Runtime);
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
    rig.pass(Duration::from_secs(10));
    assert_ne!(advice(&rig), before);
    assert_eq!(ends(&rig).len(), 1);
}

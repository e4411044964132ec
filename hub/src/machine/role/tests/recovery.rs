//! A headset that an update left without working firmware is never lost: it is known, shown and brought back.

use super::headset::{Life, archive, is_whole, offer, package};
use super::*;
use crate::protocol::{Deployment, Stop};
use dfu::usb_dfu::TransferError;

fn two() -> Rig {
    Rig::ready(vec![Headset::new(1), Headset::new(2)], &offer("1.20"), &["all-users"])
}

/// The first headset's update, cut by a crash in the middle of its download.
fn interrupted() -> Rig {
    let mut rig = two();
    assert_eq!(rig.install(), None);
    rig.fetched(package(1, "1.20"));
    rig.update_until(0x0120, |rig| rig.headsets[0].taken.len() >= 512);
    let mut rig = rig.crash();
    rig.answer_until_fetch();
    rig
}

fn outcome(rig: &Rig) -> Option<Outcome> {
    rig.job().and_then(|j| j.outcome.clone())
}

fn succeeded() -> Option<Outcome> {
    Some(Outcome::Succeeded { version: "1.20".to_owned() })
}

fn status(rig: &Rig, n: usize) -> String {
    match &rig.told.get(&rig.headsets[n].id()).expect("it is shown").status {
        DeviceStatus::NeedsFirmware { problem } => problem.code.as_str().to_owned(),
        other => format!("{other:?}"),
    }
}

fn offers_for(rig: &Rig, n: usize) -> Vec<Offer> {
    let id = rig.headsets[n].id();
    rig.offers().into_iter().filter(|o| o.device == id).collect()
}

fn install_on(rig: &mut Rig, n: usize) -> Option<Problem> {
    let offer = offers_for(rig, n).first().expect("an offer").id.clone();
    rig.request(|request| ToMachine::InstallUpdate { request, offer })
}

fn reports(rig: &Rig) -> Vec<(String, wire::Verdict, Option<String>)> {
    let status = |o: &Owed| match &o.delivery {
        Delivery::Update(s) => Some((s.device_id.clone(), s.verdict, s.version_read_back.clone())),
        _ => None,
    };
    rig.disk.owed.iter().filter_map(status).collect()
}

#[test]
fn a_refused_package_does_not_forget_the_headset() {
    let other = archive(b"no zip".to_vec());
    for package in [package(7, "1.20"), package(1, "1.30"), other] {
        let mut rig = interrupted();
        rig.fetched(package);
        let Some(Outcome::Failed { problem }) = outcome(&rig) else { panic!("{:?}", outcome(&rig)) };
        assert_eq!((problem.code.as_str(), problem.args["resumed"].as_str()), ("package-refused", "true"));
        assert!(!problem.next().contains("Nothing was sent"), "512 bytes were: {}", problem.next());
        rig.check_dfu();
        rig.check_mirror();
        let id = rig.headsets[0].id();
        assert!(rig.disk.journal.contains_key(&id));
        assert_eq!(status(&rig, 0), "needs-firmware");
        let mut rig = rig.crash();
        rig.check_dfu();
        rig.answer_until_fetch();
        rig.fetched(headset::package(1, "1.20"));
        rig.update_until(0x0120, |_| false);
        assert_eq!((outcome(&rig), rig.disk.journal.len()), (succeeded(), 0));
    }
}

#[test]
fn another_headsets_update_does_not_forget_the_first() {
    let mut rig = interrupted();
    rig.fetched(package(7, "1.20"));
    assert_eq!(install_on(&mut rig, 1), None);
    rig.answer_until_fetch();
    rig.fetched(package(1, "1.20"));
    rig.update_until(0x0120, |rig| rig.headsets[1].taken.len() >= 512);
    rig.check_dfu();
    assert_eq!(rig.disk.journal.len(), 2, "both are known");
    assert_eq!(status(&rig, 0), "needs-firmware");
    // Both wait by now: after a crash one after the other is brought back.
    let mut rig = rig.crash();
    rig.check_dfu();
    for _ in 0..2 {
        rig.answer_until_fetch();
        rig.fetched(package(1, "1.20"));
        rig.update_until(0x0120, |_| false);
        rig.check_dfu();
        rig.check_mirror();
    }
    rig.pass(Duration::from_secs(10));
    assert!(rig.headsets.iter().all(|h| h.version == 0x0120 && is_whole(h)), "{:?}", rig.headsets);
    assert_eq!(rig.disk.journal, BTreeMap::new());
}

#[test]
fn a_headset_in_dfu_mode_is_shown_with_a_way_out() {
    let mut rig = two();
    assert_eq!(rig.install(), None);
    rig.fetched(package(1, "1.20"));
    rig.update_until(0x0120, |rig| rig.headsets[0].taken.len() >= 512);
    assert_eq!(rig.request(|request| ToMachine::CancelUpdate { request, offer: None, anyway: true }), None);
    rig.update_until(0x0120, |_| false);
    assert_eq!(status(&rig, 0), "needs-firmware", "at once, not after a while");
    rig.check_mirror();
    let shown = rig.told[&rig.headsets[0].id()].clone();
    assert_eq!((shown.product.as_str(), shown.port.as_deref()), ("Simulated Headset", Some("1-1")));
    let [offered] = &offers_for(&rig, 0)[..] else { panic!("{:?}", rig.offers()) };
    assert_eq!((offered.deployment, &offered.blocked), (Deployment::Recovery, &None));
    // Plugged out it is still known, and what to do is another thing.
    rig.headsets[0].becomes(Life::Unplugged);
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
    assert_eq!(status(&rig, 0), "needs-firmware-away");
    // It alone is on no HID bus: the other headset is not what finds it.
    rig.headsets[1].becomes(Life::Unplugged);
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
    rig.pass(Duration::from_secs(10));
    let life = rig.headsets[0].boots();
    rig.headsets[0].becomes(life);
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
    assert_eq!(status(&rig, 0), "needs-firmware");
    assert_eq!(install_on(&mut rig, 0), None);
    assert_eq!(status(&rig, 0), "Updating");
    rig.check_mirror();
    rig.answer_until_fetch();
    rig.fetched(package(1, "1.20"));
    rig.update_until(0x0120, |_| false);
    rig.pass(Duration::from_secs(10));
    assert_eq!((outcome(&rig), status(&rig, 0)), (succeeded(), "Ready".to_owned()));
}

#[test]
fn without_policy_and_groups_it_is_shown_all_the_same() {
    let mut rig = interrupted();
    rig.disk.policy = None;
    rig.disk.groups.clear();
    let rig = rig.crash();
    assert_eq!(status(&rig, 0), "Updating", "it is continued");
    let mut rig = rig;
    // As older versions wrote it: nobody knows which bytes the package was.
    rig.disk.journal.values_mut().for_each(|entry| entry.package = None);
    let mut rig = Rig::start(None, rig.disk, rig.headsets, rig.now.instant + HOUR);
    rig.hello();
    assert_eq!(status(&rig, 0), "needs-firmware");
    let blocked = offers_for(&rig, 0)[0].blocked.clone().map(|p| p.code.as_str().to_owned());
    assert_eq!(blocked.as_deref(), Some("recovery-without-tenant"));
}

#[test]
fn only_what_may_be_put_off_is() {
    let defer = |rig: &mut Rig, offer: String| {
        rig.request(|request| ToMachine::DeferUpdate { request, offer }).map(|p| p.code.as_str().to_owned())
    };
    let silent = r#""silent", "window": { "from": "01:00", "until": "02:00" }"#;
    let policy = offer("1.20").replace("\"optional\"", silent);
    let mut rig = Rig::ready(vec![Headset::new(1)], &policy, &["all-users"]);
    let id = rig.offers()[0].id.clone();
    assert_eq!(defer(&mut rig, id).as_deref(), Some("not-deferrable"));
    assert!(!rig.offers()[0].deferred && rig.disk.deferred.is_empty());
    let mut rig = interrupted();
    rig.fail(FailureKind::Unreachable, None);
    let recovery = offers_for(&rig, 0)[0].id.clone();
    assert_eq!(defer(&mut rig, recovery).as_deref(), Some("not-deferrable"));
    // What was offered is no more.
    let mut rig = two();
    let gone = offers_for(&rig, 1)[0].id.clone();
    rig.headsets[1].becomes(Life::Unplugged);
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
    assert_eq!(defer(&mut rig, gone).as_deref(), Some("no-such-offer"));
}

/// Judged by what it said at that time; it says otherwise after being plugged in anew.
#[test]
fn a_later_answer_corrects_a_verdict() {
    for restart in [false, true] {
        let mut rig = two();
        let id = rig.headsets[0].id();
        assert_eq!(rig.install(), None);
        rig.fetched(package(1, "1.20"));
        rig.update_until(0x0110, |_| false);
        assert!(matches!(outcome(&rig), Some(Outcome::Failed { .. })));
        rig.pass(Duration::from_secs(10));
        let told = vec![(id.clone(), wire::Verdict::Failed, Some("1.10".to_owned()))];
        assert_eq!(reports(&rig), told);
        let mut rig = if restart { rig.crash() } else { rig };
        assert_ne!(rig.job().map(|j| &j.outcome), Some(&None), "a headset that works is left alone");
        rig.headsets[0].becomes(Life::Unplugged);
        rig.feed(Input::WorldChanged(WorldChange::HotPlug));
        rig.pass(Duration::from_secs(10));
        rig.headsets[0].version = 0x0120;
        rig.headsets[0].becomes(Life::Runtime);
        rig.feed(Input::WorldChanged(WorldChange::HotPlug));
        rig.pass(Duration::from_secs(10));
        assert_eq!(outcome(&rig), succeeded(), "restart: {restart}");
        let now = (id.clone(), wire::Verdict::Succeeded, Some("1.20".to_owned()));
        assert_eq!(reports(&rig), [&told[..], &[now]].concat(), "a report of its own");
        assert_eq!(rig.disk.journal, BTreeMap::new());
        rig.check_mirror();
    }
}

#[test]
fn an_unknown_end_is_known_when_the_headset_is_back() {
    for (version, verdict) in [(0x0120, wire::Verdict::Succeeded), (0x0110, wire::Verdict::Failed)] {
        let mut rig = two();
        assert_eq!(rig.install(), None);
        rig.fetched(package(1, "1.20"));
        rig.update_until(0x0120, |rig| rig.asks(&UsbRequest::Reset));
        rig.headsets[0].becomes(Life::Unplugged);
        rig.answer_usb(Ok(vec![]));
        rig.feed(Input::WorldChanged(WorldChange::HotPlug));
        rig.pass(Duration::from_secs(700));
        assert!(matches!(outcome(&rig), Some(Outcome::Unknown { .. })));
        assert_eq!(status(&rig, 0), "needs-firmware-away", "it may");
        rig.headsets[0].version = version;
        rig.headsets[0].becomes(Life::Runtime);
        rig.feed(Input::WorldChanged(WorldChange::HotPlug));
        rig.pass(Duration::from_secs(10));
        rig.check_mirror();
        let said: Vec<_> = reports(&rig).into_iter().map(|(_, verdict, _)| verdict).collect();
        assert_eq!(said, [wire::Verdict::Unknown, verdict]);
        assert!(!rig.disk.journal.values().any(|entry| !entry.works));
        assert_eq!(status(&rig, 0), "Ready");
    }
}

/// What an old verdict advises is not said of a headset that is elsewhere by now.
#[test]
fn advice_is_of_where_the_headset_is_now() {
    let mut rig = two();
    assert_eq!(rig.install(), None);
    rig.fetched(package(1, "1.20"));
    rig.update_until(0x0120, |rig| rig.headsets[0].taken.len() >= 512);
    assert_eq!(rig.request(|request| ToMachine::CancelUpdate { request, offer: None, anyway: true }), None);
    rig.update_until(0x0110, |_| false);
    assert_eq!(status(&rig, 0), "needs-firmware");
    rig.headsets[0].becomes(Life::Unplugged);
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
    assert_eq!(status(&rig, 0), "needs-firmware-away");
    rig.headsets[0].becomes(Life::Runtime);
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
    rig.pass(Duration::from_secs(10));
    assert_eq!(status(&rig, 0), "Ready");
    let Some(Outcome::Failed { problem }) = outcome(&rig) else { panic!("{:?}", outcome(&rig)) };
    assert_eq!(problem.details["device"], dfu::usb_dfu::DeviceNow::Runtime.into());
    rig.check_mirror();
}

#[test]
fn the_update_is_offered_right_after_it_failed() {
    let mut rig = two();
    assert_eq!(rig.install(), None);
    rig.fetched(package(1, "1.20"));
    rig.headsets[0].hid = true;
    rig.update_until(0x0110, |rig| matches!(rig.headsets[0].life, Life::Dfu { .. }));
    rig.headsets[0].hid = false;
    rig.update_until(0x0110, |_| false);
    let [offered] = &offers_for(&rig, 0)[..] else { panic!("{:?}", rig.offers()) };
    assert_eq!(offered.blocked.as_ref().map(|p| p.code.as_str()), Some("device-returning"));
    rig.headsets[0].hid = true;
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
    assert_eq!(offers_for(&rig, 0)[0].blocked, None);
}

#[test]
fn a_cable_pulled_while_firmware_is_written_is_told() {
    let mut rig = two();
    assert_eq!(rig.install(), None);
    rig.fetched(package(1, "1.20"));
    rig.update_until(0x0120, |rig| {
        let phase = rig.job().map(|j| j.phase).unwrap_or_default();
        assert_ne!(phase, JobPhase::WaitingForReplug, "it leaves because it was asked to");
        rig.headsets[0].taken.len() >= 512
    });
    rig.headsets[0].becomes(Life::Unplugged);
    rig.answer_usb(Err(TransferError::NoDevice));
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
    rig.pass(Duration::from_secs(4));
    assert_eq!(rig.job().map(|j| j.phase), Some(JobPhase::WaitingForReplug));
    rig.headsets[0].becomes(Life::Dfu { state: 2 });
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
    rig.update_until(0x0120, |_| false);
    assert_eq!(outcome(&rig), succeeded());
    assert_eq!(rig.job().map(|j| j.retries), Some(1), "writing was begun anew, and that is said");
}

#[test]
fn cancelling_says_what_it_does_before_it_is_done() {
    let mut rig = two();
    assert_eq!(rig.install(), None);
    rig.fetched(package(1, "1.20"));
    rig.update_until(0x0120, |rig| rig.headsets[0].taken.len() >= 512);
    assert_eq!(rig.job().map(|j| (j.stop, j.cancelling)), Some((Stop::Strands, false)));
    let asked = rig.request(|request| ToMachine::CancelUpdate { request, offer: None, anyway: false });
    assert_eq!(asked.map(|p| p.code.as_str().to_owned()).as_deref(), Some("cancel-strands"));
    assert_eq!(rig.job().map(|j| (j.cancelling, j.outcome.is_some())), Some((false, false)));
    assert_eq!(rig.request(|request| ToMachine::CancelUpdate { request, offer: None, anyway: true }), None);
    assert_eq!(rig.job().map(|j| j.cancelling), Some(true), "shown at once");
    rig.update_until(0x0120, |_| false);
    assert_eq!(rig.job().map(|j| j.cancelling), Some(false));
    let mut rig = two();
    assert_eq!(rig.install(), None);
    rig.fetched(package(1, "1.20"));
    rig.update_until(0x0120, |rig| rig.job().is_some_and(|j| j.phase == JobPhase::Manifesting));
    let late = rig.request(|request| ToMachine::CancelUpdate { request, offer: None, anyway: true });
    assert_eq!(late.map(|p| p.code.as_str().to_owned()).as_deref(), Some("cancel-too-late"));
    rig.update_until(0x0120, |_| false);
    assert_eq!(outcome(&rig), succeeded());
}

#[test]
fn the_machine_stays_awake_from_before_the_first_request_to_the_verdict() {
    let mut rig = two();
    assert_eq!(rig.install(), None);
    assert!(!rig.awake, "a package that is fetched can wait");
    rig.out.clear();
    rig.fetched(package(1, "1.20"));
    rig.update_until(0x0120, |_| false);
    let at = |wanted: &dyn Fn(&Output) -> bool| rig.out.iter().position(wanted).expect("said");
    let (held, first) = (at(&|o| *o == Output::KeepAwake(true)), at(&|o| matches!(o, Output::Usb { .. })));
    let (let_go, verdict) = (
        at(&|o| *o == Output::KeepAwake(false)),
        at(&|o| matches!(o, Output::Persist(Record::Owed(Owed { delivery: Delivery::Update(_), .. })))),
    );
    assert!(held < first && first < let_go && let_go < verdict + 3, "{held} {first} {let_go} {verdict}");
    assert!(!rig.awake);
}

/// Two headsets with one serial number: what is done to one, and said of it, is never the other's.
#[test]
fn an_update_of_one_twin_is_never_the_others() {
    let twin = Headset { serial: Some("HS1"), twin: true, ..Headset::new(2) };
    let mut rig = Rig::ready(vec![Headset::new(1), twin], &offer("1.20"), &["all-users"]);
    let (first, second) = (rig.headsets[0].id(), rig.headsets[1].id());
    let known = |rig: &Rig| rig.told.keys().cloned().collect::<Vec<_>>();
    assert_eq!(known(&rig), [first.clone(), second.clone()]);
    assert_eq!(install_on(&mut rig, 0), None);
    rig.fetched(package(1, "1.20"));
    rig.update_until(0x0120, |rig| rig.headsets[0].taken.len() >= 512);
    assert_eq!(known(&rig), [first.clone(), second.clone()], "while the first is in DFU mode");
    let mut rig = rig.crash();
    assert_eq!(
        known(&rig),
        [first.clone(), second.clone()],
        "also after a crash, with only the second at work"
    );
    let shown = |rig: &Rig, id: &str| (rig.told[id].firmware_version.clone(), rig.told[id].status.clone());
    assert_eq!(shown(&rig, &first).1, DeviceStatus::Updating);
    assert_eq!(shown(&rig, &second), ("1.10".to_owned(), DeviceStatus::Ready));
    rig.answer_until_fetch();
    rig.fetched(package(1, "1.20"));
    rig.update_until(0x0120, |_| false);
    rig.pass(Duration::from_secs(10));
    assert_eq!(reports(&rig), [(first.clone(), wire::Verdict::Succeeded, Some("1.20".to_owned()))]);
    assert_eq!(shown(&rig, &first), ("1.20".to_owned(), DeviceStatus::Ready));
    assert_eq!(shown(&rig, &second), ("1.10".to_owned(), DeviceStatus::Ready));
    assert!(rig.headsets[1].taken.is_empty(), "the second was not touched");
    rig.check_mirror();
}

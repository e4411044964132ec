//! One firmware job from the person's word to the version read back, and every way it is cut short.

use super::headset::{Life, archive, is_whole, offer, package};
use super::*;
use crate::machine::update::Update;

fn begun() -> Rig {
    let mut rig = Rig::ready(vec![Headset::new(1)], &offer("1.20"), &["all-users"]);
    assert_eq!(rig.install(), None);
    rig
}

fn outcome(rig: &Rig) -> Option<Outcome> {
    rig.job().and_then(|j| j.outcome.clone())
}

fn failed_with(rig: &Rig) -> String {
    match outcome(rig) {
        Some(Outcome::Failed { problem } | Outcome::Unknown { problem }) => problem.code.as_str().to_owned(),
        other => panic!("{other:?}"),
    }
}

/// Reports of updates on disk.
fn verdicts(rig: &Rig) -> Vec<(wire::Verdict, Option<String>)> {
    let status = |o: &Owed| match &o.delivery {
        Delivery::Update(s) => Some((s.verdict, s.version_read_back.clone())),
        _ => None,
    };
    rig.disk.owed.iter().filter_map(status).collect()
}

#[test]
fn the_whole_way() {
    let mut rig = begun();
    let id = rig.headsets[0].id();
    assert_eq!(rig.told[&id].status, DeviceStatus::Ready, "it is at its person's work");
    let (job, from) = rig.fetch.clone().expect("the package is fetched");
    assert_eq!(from, Source::Tenant { target: "headset-1.20.zip".to_owned() });
    rig.feed(Input::FetchProgress { job, done_bytes: 5, total_bytes: 10 });
    assert_eq!(rig.job().map(|j| (j.phase, j.done_bytes)), Some((JobPhase::Fetching, 5)));
    assert_eq!(rig.disk.journal, BTreeMap::new(), "nothing has touched the headset");
    rig.fetched(package(1, "1.20"));
    assert_eq!(rig.told[&id].status, DeviceStatus::Updating);
    rig.update_until(0x0120, |_| false);
    assert_eq!(outcome(&rig), Some(Outcome::Succeeded { version: "1.20".to_owned() }));
    assert!(is_whole(&rig.headsets[0]));
    assert_eq!(rig.disk.journal, BTreeMap::new());
    assert_eq!(verdicts(&rig), [(wire::Verdict::Succeeded, Some("1.20".to_owned()))]);
    rig.pass(Duration::from_secs(10));
    assert_eq!(
        (&rig.told[&id].status, rig.told[&id].firmware_version.as_str()),
        (&DeviceStatus::Ready, "1.20")
    );
    assert_eq!(rig.offers(), [], "there is nothing left to offer");
    assert!(rig.open.contains("/dev/hidraw1"), "the headset is spoken to again");
}

#[test]
fn the_journal_is_written_before_the_next_request() {
    let mut rig = begun();
    rig.out.clear();
    rig.fetched(package(1, "1.20"));
    rig.update_until(0x0120, |_| false);
    let mut phases: Vec<String> = Vec::new();
    for output in &rig.out {
        match output {
            Output::Persist(Record::Journal(entry)) => phases.push(entry.phase.to_string()),
            Output::Persist(Record::JournalCleared { .. }) => phases.push("cleared".to_owned()),
            Output::Usb { request: UsbRequest::Control(transfer), .. } => {
                let expected: &[&str] = match (transfer.request, &transfer.data) {
                    (0, _) => &["detaching"],
                    (1, dfu::usb_dfu::Data::Empty) => &["manifesting"],
                    (1, _) => &["downloading"],
                    (3, _) => &["preparing", "downloading", "manifesting"],
                    _ => continue,
                };
                let last = phases.last().map_or("", |p| p.split(':').next().unwrap_or_default());
                assert!(expected.contains(&last), "{transfer:?} while the journal says {last:?}");
            }
            _ => {}
        }
    }
    let names: Vec<&str> = phases.iter().map(|p| p.split(':').next().unwrap_or_default()).collect();
    let mut order = names.clone();
    order.dedup();
    assert_eq!(
        order,
        [
            "detaching",
            "waiting-for-dfu",
            "preparing",
            "downloading",
            "manifesting",
            "waiting-for-runtime",
            "cleared"
        ]
    );
}

#[test]
fn a_package_that_does_not_fit_touches_nothing() {
    let other = archive(b"no zip".to_vec());
    for package in [package(7, "1.20"), package(1, "1.30"), other] {
        let mut rig = begun();
        rig.fetched(package);
        assert_eq!(failed_with(&rig), "package-refused");
        assert_eq!(rig.disk.journal, BTreeMap::new());
        assert!(!rig.out.iter().any(|o| matches!(o, Output::Usb { .. })));
        assert_eq!(verdicts(&rig), [(wire::Verdict::Failed, None)]);
        assert_eq!(rig.told[&rig.headsets[0].id()].status, DeviceStatus::Ready);
        assert_eq!(rig.offers().len(), 1, "it is still offered");
    }
}

#[test]
fn a_package_that_holds_another_version_is_told_as_such() {
    let mut rig = begun();
    rig.fetched(package(1, "1.20"));
    rig.update_until(0x0121, |_| false);
    let Some(Outcome::Failed { problem }) = outcome(&rig) else { panic!("{:?}", outcome(&rig)) };
    assert_eq!(problem.details["detail"].code, "dfu-other-version");
    assert_eq!(problem.details["device"].code, "dfu-device-other-version");
    assert_eq!(verdicts(&rig), [(wire::Verdict::Failed, Some("1.21".to_owned()))]);
    assert_eq!(rig.disk.journal, BTreeMap::new(), "there is nothing to recover");
}

#[test]
fn a_headset_that_keeps_its_old_version_has_failed() {
    let mut rig = begun();
    rig.fetched(package(1, "1.20"));
    rig.update_until(0x0110, |_| false);
    assert_eq!(failed_with(&rig), "update-failed");
    assert_eq!(
        (verdicts(&rig), rig.disk.journal.values().any(|entry| !entry.works)),
        (vec![(wire::Verdict::Failed, Some("1.10".to_owned()))], false)
    );
}

#[test]
fn a_headset_that_never_comes_back_is_unknown_and_its_journal_stays() {
    let mut rig = begun();
    rig.fetched(package(1, "1.20"));
    let resets = |rig: &Rig| rig.asks(&UsbRequest::Reset);
    rig.update_until(0x0120, resets);
    rig.headsets[0].becomes(Life::Unplugged);
    rig.answer_usb(Ok(vec![]));
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
    rig.pass(Duration::from_secs(700));
    assert_eq!(failed_with(&rig), "update-unknown");
    assert_eq!(verdicts(&rig), [(wire::Verdict::Unknown, None)]);
    let entry = rig.disk.journal.values().next().cloned().expect("the journal stays");
    assert_eq!((entry.port.as_str(), entry.target_version.as_str()), ("1-1", "1.20"));
}

#[test]
fn a_headset_is_not_reported_as_removed_by_its_update() {
    let mut rig = begun();
    rig.fetched(package(1, "1.20"));
    // The HID node comes a moment after the USB device, as it does on a real system.
    rig.update_until(0x0120, |rig| matches!(rig.headsets[0].life, Life::Dfu { .. }));
    rig.headsets[0].hid = false;
    rig.update_until(0x0120, |_| false);
    assert_eq!(outcome(&rig), Some(Outcome::Succeeded { version: "1.20".to_owned() }));
    rig.pass(MS * 300);
    rig.headsets[0].hid = true;
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
    rig.pass(Duration::from_secs(10));
    assert!(!rig.owes().contains(&"removed"), "{:?}", rig.owes());
    let removed =
        rig.out.iter().any(|o| matches!(o, Output::ToUser { message: ToUser::DeviceRemoved { .. }, .. }));
    assert!(!removed, "the agent keeps the headset through its update");
    assert_eq!(rig.told[&rig.headsets[0].id()].firmware_version, "1.20");
}

#[test]
fn a_headset_that_does_not_come_back_is_reported_as_removed_in_the_end() {
    let mut rig = begun();
    rig.fetched(package(1, "1.20"));
    rig.update_until(0x0120, |rig| matches!(rig.headsets[0].life, Life::Dfu { .. }));
    rig.headsets[0].hid = false;
    rig.update_until(0x0120, |_| false);
    rig.headsets[0].becomes(Life::Unplugged);
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
    rig.pass(Duration::from_secs(30));
    assert!(rig.owes().contains(&"removed"), "{:?}", rig.owes());
    assert_eq!(rig.told.len(), 0);
}

#[test]
fn a_journal_that_cannot_be_written_stops_the_job() {
    let mut rig = begun();
    rig.full = true;
    rig.out.clear();
    rig.fetched(package(1, "1.20"));
    rig.update_until(0x0120, |_| false);
    let Some(Outcome::Failed { problem }) = outcome(&rig) else { panic!("{:?}", outcome(&rig)) };
    assert_eq!(
        (problem.code.as_str(), problem.details["detail"].code.as_str()),
        ("update-failed", "no-journal")
    );
    assert_eq!(rig.headsets[0].life, Life::Runtime, "it was not asked to leave");
    let asked =
        rig.out.iter().find(|o| matches!(o, Output::Usb { request, .. } if *request != UsbRequest::Close));
    assert_eq!(asked, None, "the headset was not touched");
    let mut rig = begun();
    let problem = Reason::StoreFull.at("store");
    rig.feed(Input::StoreFailed { problem: problem.clone(), withheld: false });
    assert_eq!(failed_with(&rig), "update-failed", "nobody cancelled it");
    rig.feed(Input::StoreFailed { problem, withheld: false });
    assert_eq!(verdicts(&rig).len(), 1, "said once");
}

/// Whatever the moment at which the disk is full, the job ends, and with what is on disk it can be done again.
#[test]
fn a_disk_that_fills_up_at_any_moment_ends_the_job() {
    for records in 0..40 {
        let mut rig = begun();
        rig.fetched(package(1, "1.20"));
        rig.out.clear();
        let kept = |rig: &Rig| rig.out.iter().filter(|o| matches!(o, Output::Persist(_))).count();
        rig.update_until(0x0120, |rig| kept(rig) >= records);
        rig.full = true;
        rig.update_until(0x0120, |_| false);
        rig.pass(Duration::from_secs(1200));
        let outcome = outcome(&rig);
        assert!(outcome.is_some(), "the disk was full after {records} records, and the job never ended");
        rig.full = false;
        if rig.headsets[0].version == 0x0120 {
            continue;
        }
        let Some(_) = rig.disk.journal.values().find(|entry| !entry.works) else {
            assert_eq!(rig.headsets[0].life, Life::Runtime, "stranded after {records} records");
            continue;
        };
        let mut rig = rig.crash();
        rig.fetched(package(1, "1.20"));
        rig.update_until(0x0120, |_| false);
        assert_eq!(rig.headsets[0].version, 0x0120, "recovered after {records} records");
    }
}

#[test]
fn cancelling_a_download_leaves_the_headset_as_it_finds_it() {
    let mut rig = begun();
    rig.fetched(package(1, "1.20"));
    rig.update_until(0x0120, |rig| rig.headsets[0].taken.len() >= 512);
    assert_eq!(rig.request(|request| ToMachine::CancelUpdate { request, offer: None, anyway: true }), None);
    rig.update_until(0x0110, |_| false);
    assert_eq!(failed_with(&rig), "update-stopped");
    assert!(!is_whole(&rig.headsets[0]));
}

/// A package on its way holds up nothing else, and what is cancelled is ended at once.
#[test]
fn a_transfer_ends_with_its_job() {
    let mut rig = Rig::ready(vec![Headset::new(1), Headset::new(2)], &offer("1.20"), &["all-users"]);
    assert_eq!(rig.install(), None);
    let (first, _) = rig.fetch.clone().expect("a transfer");
    assert_eq!(rig.request(|request| ToMachine::CancelUpdate { request, offer: None, anyway: true }), None);
    assert!(rig.out.contains(&Output::JobEnded(first)));
    let second = rig.offers()[1].id.clone();
    assert_eq!(rig.request(|request| ToMachine::InstallUpdate { request, offer: second }), None);
    let (job, _) = rig.fetch.clone().expect("the next transfer, with nothing in its way");
    assert_ne!(job, first);
    // It was on its way to the loop when it was cancelled.
    rig.feed(Input::FetchProgress { job: first, done_bytes: 3, total_bytes: 4 });
    assert_eq!(rig.job().map(|j| j.done_bytes), Some(0), "another job's progress");
    rig.out.clear();
    rig.feed(Input::Fetched { job: first, result: Ok(package(7, "9.00")) });
    assert!(rig.out.contains(&Output::JobEnded(first)), "a package that nobody reads stays open");
    rig.fetch = Some((job, Source::Tenant { target: String::new() }));
    assert_eq!(outcome(&rig), None, "another job's package");
    rig.fetched(package(1, "1.20"));
    rig.update_until(0x0120, |_| false);
    assert_eq!(outcome(&rig), Some(Outcome::Succeeded { version: "1.20".to_owned() }));
}

/// What an earlier job asked of its headset, and the answer that comes when the next one waits for its own.
#[test]
fn an_answer_that_comes_late_is_not_the_next_jobs() {
    let mut rig = Rig::ready(vec![Headset::new(1), Headset::new(2)], &offer("1.20"), &["all-users"]);
    assert_eq!(rig.install(), None);
    let (first, _) = rig.fetch.clone().expect("a transfer");
    rig.fetched(package(1, "1.20"));
    rig.update_until(0x0120, |_| false);
    rig.pass(Duration::from_secs(5));
    assert_eq!(rig.install(), None);
    rig.fetched(package(1, "1.20"));
    let asked = rig.usb.clone().expect("a request");
    assert_ne!(asked.0, first);
    for result in [Ok(vec![0; 6]), Err(TransferError::NoDevice), Err(TransferError::NotSent)] {
        rig.out.clear();
        rig.feed(Input::UsbCompleted { job: first, result });
        assert_eq!((&rig.usb, rig.out.len()), (&Some(asked.clone()), 0), "it is answered by another's");
    }
    rig.update_until(0x0120, |_| false);
    assert_eq!(outcome(&rig), Some(Outcome::Succeeded { version: "1.20".to_owned() }));
}

/// An hour of transfer is an hour in which the tenant is polled, told and enrolled with.
#[test]
fn a_package_on_its_way_holds_up_nothing_else() {
    let mut rig = begun();
    let (job, _) = rig.fetch.clone().expect("a transfer");
    let (mut polls, mut enrolments, mut reports) = (0, 0, 0);
    for minute in 0..24 * 60 {
        rig.feed(Input::FetchProgress { job, done_bytes: minute, total_bytes: 24 * 60 });
        match rig.tenant.clone() {
            Some(TenantRequest::Enrol { .. }) => {
                enrolments += 1;
                rig.enrolled();
            }
            Some(TenantRequest::FetchPolicy { .. }) => {
                polls += 1;
                rig.feed(Input::Tenant(TenantAnswer::Policy(Ok(None))));
            }
            Some(TenantRequest::Deliver { .. }) => {
                reports += 1;
                rig.deliver_all();
            }
            _ => rig.pass(Duration::from_secs(60)),
        }
    }
    assert!(polls >= 3 && enrolments >= 3, "{polls} polls, {enrolments} enrolments, {reports} reports");
    assert_eq!(outcome(&rig), None);
    // An enrolment that fails meanwhile is no reason to give up what is coming.
    rig.pass(HOUR);
    rig.answer_until_enrolment();
    let problem = Reason::TenantUnreachable { detail: Detail::verbatim("no answer") }.at("https://t");
    let failure = TenantFailure { kind: FailureKind::Unreachable, problem, retry_after: None };
    rig.feed(Input::Tenant(TenantAnswer::Enrolled(Err(failure))));
    assert_eq!(outcome(&rig), None);
    rig.fetched(package(1, "1.20"));
    rig.update_until(0x0120, |_| false);
    assert_eq!(outcome(&rig), Some(Outcome::Succeeded { version: "1.20".to_owned() }));
}

/// Cut after each output there is, before and after the headset has done what was asked of it last.
#[test]
fn a_crash_at_any_step_is_continued_from_the_journal() {
    let mut cuts = 0;
    for (left, done) in (1..).flat_map(|left| [(left, false), (left, true)]) {
        let mut rig = begun();
        rig.fetched(package(1, "1.20"));
        rig.left = left;
        rig.update_until(0x0120, |_| false);
        if rig.left > 0 {
            break;
        }
        cuts += 1;
        if let Some((_, request)) = rig.usb.clone().filter(|_| done) {
            let _ = rig.headsets[0].answer(&request, 0x0120);
        }
        let mut rig = rig.crash();
        let ended = rig.disk.journal.is_empty();
        if !ended {
            rig.answer_until_fetch();
            assert!(!rig.disk.journal.is_empty(), "the journal stays until the verdict");
            rig.fetched(package(1, "1.20"));
            rig.update_until(0x0120, |_| false);
            assert_eq!(
                outcome(&rig),
                Some(Outcome::Succeeded { version: "1.20".to_owned() }),
                "cut after {left} outputs"
            );
        }
        rig.pass(Duration::from_secs(10));
        rig.check_dfu();
        rig.check_mirror();
        let whole = rig.headsets[0].version == 0x0120 && is_whole(&rig.headsets[0]);
        assert!(whole, "cut after {left} outputs: {:?}", rig.headsets[0]);
        let said = verdicts(&rig);
        assert_eq!(said, [(wire::Verdict::Succeeded, Some("1.20".to_owned()))], "cut after {left} outputs");
        let remembered: Vec<&Outcome> = rig.disk.history.iter().map(|past| &past.outcome).collect();
        assert_eq!(
            remembered,
            [&Outcome::Succeeded { version: "1.20".to_owned() }],
            "cut after {left} outputs"
        );
        assert_eq!(rig.disk.journal, BTreeMap::new(), "cut after {left} outputs");
    }
    assert!(cuts > 60, "{cuts} cuts are not all");
}

#[test]
fn a_crash_after_the_last_block_is_judged_by_the_version() {
    for (version, succeeded) in [(0x0120, true), (0x0110, false)] {
        let mut rig = begun();
        rig.fetched(package(1, "1.20"));
        rig.update_until(version, |rig| rig.asks(&UsbRequest::Reset));
        let mut rig = rig.crash();
        rig.headsets[0].version = version;
        rig.headsets[0].becomes(Life::Runtime);
        rig.feed(Input::WorldChanged(WorldChange::HotPlug));
        rig.answer_until_fetch();
        rig.fetched(package(1, "1.20"));
        rig.update_until(version, |_| false);
        let is = matches!(outcome(&rig), Some(Outcome::Succeeded { .. }));
        assert_eq!(
            (is, rig.disk.journal.values().any(|e| !e.works)),
            (succeeded, false),
            "{:?}",
            outcome(&rig)
        );
    }
}

/// The headset waits in DFU mode: a tenant that is away for a while must not leave it there until the next start.
#[test]
fn an_interrupted_job_is_continued_when_the_package_can_be_had() {
    let mut rig = begun();
    rig.fetched(package(1, "1.20"));
    rig.update_until(0x0120, |rig| rig.headsets[0].taken.len() >= 512);
    let mut rig = rig.crash();
    rig.answer_until_fetch();
    rig.fail(FailureKind::Unreachable, None);
    assert!(!rig.disk.journal.is_empty());
    assert_eq!(failed_with(&rig), "tenant-unreachable");
    rig.answer_until_fetch();
    rig.fetched(package(1, "1.20"));
    rig.update_until(0x0120, |_| false);
    assert_eq!(outcome(&rig), Some(Outcome::Succeeded { version: "1.20".to_owned() }));
    assert_eq!(rig.disk.journal, BTreeMap::new());
}

/// Another version's phase: what is at the port says how to go on.
#[test]
fn a_journal_of_a_phase_nobody_knows_is_continued() {
    let mut rig = begun();
    rig.fetched(package(1, "1.20"));
    rig.update_until(0x0120, |rig| rig.headsets[0].taken.len() >= 512);
    for entry in rig.disk.journal.values_mut() {
        let mut stored = serde_json::to_value(&*entry).expect("JSON");
        assert!(stored["phase"].as_str().is_some_and(|phase| phase.starts_with("downloading:")), "{stored}");
        stored["phase"] = json!("brewing");
        *entry = serde_json::from_value(stored).expect("an entry");
    }
    let mut rig = rig.crash();
    rig.check_dfu();
    rig.answer_until_fetch();
    rig.fetched(package(1, "1.20"));
    rig.update_until(0x0120, |_| false);
    assert_eq!(outcome(&rig), Some(Outcome::Succeeded { version: "1.20".to_owned() }));
}

#[test]
fn a_refused_credential_does_not_lose_the_job() {
    let mut rig = begun();
    rig.fail(FailureKind::Unauthorized, None);
    assert_eq!(outcome(&rig), None);
    rig.answer_until_fetch();
    rig.fetched(package(1, "1.20"));
    rig.update_until(0x0120, |_| false);
    assert_eq!(outcome(&rig), Some(Outcome::Succeeded { version: "1.20".to_owned() }));
    let mut rig = begun();
    for _ in 0..3 {
        rig.answer_until_fetch();
        rig.fail(FailureKind::Unauthorized, None);
    }
    assert_eq!(failed_with(&rig), "tenant-unreachable", "but not for ever");
}

#[test]
fn nothing_is_written_to_a_headset_at_work() {
    let mut rig = begun();
    let id = rig.headsets[0].id();
    rig.fetched(package(1, "1.20"));
    // A lifted hook would be sent back to idle after a second; the rig fails on any write.
    rig.feed(Input::HidReport { path: "/dev/hidraw1".to_owned(), bytes: vec![1, 1] });
    rig.lights(&id, Indicators { off_hook: true, ..Indicators::default() });
    rig.pass(Duration::from_secs(3));
    rig.update_until(0x0120, |_| false);
    rig.pass(Duration::from_secs(5));
    rig.out.clear();
    rig.lights(&id, Indicators { off_hook: true, ..Indicators::default() });
    assert!(rig.out.iter().any(|o| matches!(o, Output::WriteHid { .. })), "and afterwards it is lit again");
}

#[test]
fn a_stop_waits_for_no_headset_at_work() {
    let mut rig = begun();
    rig.feed(Input::Stop);
    assert!(rig.service.has_stopped());
}

#[test]
fn no_job_no_timeouts() {
    assert_eq!(Update::default().poll_timeout(), None);
}

impl Rig {
    fn answer_until_enrolment(&mut self) {
        for _ in 0..40 {
            match self.tenant.clone() {
                Some(TenantRequest::Enrol { .. }) => return,
                Some(TenantRequest::Deliver { .. }) => self.deliver_all(),
                Some(TenantRequest::FetchPolicy { .. }) => {
                    self.feed(Input::Tenant(TenantAnswer::Policy(Ok(None))));
                }
                _ => self.pass(Duration::from_secs(60)),
            }
        }
        panic!("no enrolment: {:?}", self.tenant);
    }

    pub(super) fn answer_until_fetch(&mut self) {
        for _ in 0..40 {
            if matches!(self.fetch, Some((_, Source::Tenant { .. }))) {
                return;
            }
            match self.tenant.clone() {
                Some(TenantRequest::Enrol { .. }) => self.enrolled(),
                Some(TenantRequest::Deliver { .. }) => {
                    // Verdicts stay to be looked at.
                    let is_update = |o: &Owed| matches!(o.delivery, Delivery::Update(_));
                    let updates: Vec<Owed> =
                        self.disk.owed.iter().filter(|o| is_update(o)).cloned().collect();
                    self.deliver_all();
                    self.disk.owed.retain(|o| !updates.contains(o));
                    self.disk.owed.splice(0..0, updates);
                }
                Some(TenantRequest::FetchPolicy { .. }) => {
                    self.feed(Input::Tenant(TenantAnswer::Policy(Ok(None))));
                }
                _ => self.pass(Duration::from_secs(30)),
            }
        }
        panic!("the package is not asked for: {:?}", self.job());
    }
}

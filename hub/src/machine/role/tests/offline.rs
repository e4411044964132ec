//! A headset gets its firmware again from the package that is on disk: no tenant, no network, no company is needed.

use super::headset::{Life, is_whole, offer, package};
use super::*;
use crate::protocol::Deployment;

/// The first of two headsets, cut by a crash in the middle of its download, with its package on disk.
fn interrupted() -> Rig {
    let mut rig = Rig::ready(vec![Headset::new(1), Headset::new(2)], &offer("1.20"), &["all-users"]);
    rig.packages = Some(BTreeMap::new());
    assert_eq!(rig.install(), None);
    rig.fetched(package(1, "1.20"));
    rig.update_until(0x0120, |rig| rig.headsets[0].taken.len() >= 512);
    rig
}

/// The next start, with or without a company.
fn restart(rig: Rig, server: Option<&str>) -> Rig {
    let later = rig.an_hour_later();
    let mut rig = Rig::start_with(server, rig.disk, rig.packages, rig.headsets, later);
    rig.hello();
    rig
}

fn outcome(rig: &Rig) -> Option<Outcome> {
    rig.job().and_then(|j| j.outcome.clone())
}

fn recovered(rig: &Rig) {
    assert_eq!(outcome(rig), Some(Outcome::Succeeded { version: "1.20".to_owned() }));
    assert!(is_whole(&rig.headsets[0]) && rig.headsets[0].version == 0x0120);
    assert_eq!(rig.disk.journal, BTreeMap::new());
}

fn failed_with(rig: &Rig) -> String {
    match outcome(rig) {
        Some(Outcome::Failed { problem }) => problem.code.as_str().to_owned(),
        other => panic!("{other:?}"),
    }
}

fn recovery(rig: &Rig) -> Offer {
    let offers = rig.offers();
    offers.into_iter().find(|o| o.deployment == Deployment::Recovery).expect("a way out is offered")
}

fn recover(rig: &mut Rig) -> Option<Problem> {
    let offer = recovery(rig).id;
    rig.request(|request| ToMachine::InstallUpdate { request, offer })
}

#[test]
fn an_interrupted_update_goes_on_without_a_tenant() {
    for server in [None, Some("https://t")] {
        for credential in [true, false] {
            let mut rig = interrupted();
            let entry = rig.disk.journal.values().next().expect("a journal");
            assert_eq!(entry.package, Some(package(1, "1.20").get().fingerprint));
            if !credential {
                rig.disk.credential = None;
            }
            let mut rig = restart(rig, server);
            // The tenant is asked many things, and never answers.
            rig.update_until(0x0120, |_| false);
            recovered(&rig);
        }
    }
}

/// It came back as it was: what is on disk was right for it once, but the company may know better by now.
#[test]
fn a_package_that_did_not_help_is_the_second_choice() {
    let mut rig = restart(interrupted(), Some("https://t"));
    rig.update_until(0x0120, |rig| rig.headsets[0].taken.len() >= 512);
    assert_eq!(rig.request(|request| ToMachine::CancelUpdate { request, offer: None, anyway: true }), None);
    rig.update_until(0x0120, |_| false);
    assert_eq!(failed_with(&rig), "update-stopped");
    assert_eq!(recover(&mut rig), None);
    rig.answer_until_fetch();
    // A better one is taken, …
    let better = package(1, "1.20");
    let mut reached = rig;
    reached.packages = None;
    reached.fetched(better);
    reached.update_until(0x0120, |_| false);
    recovered(&reached);

    // … and without an answer the one that is here has to do.
    for kind in [FailureKind::Unreachable, FailureKind::Rejected, FailureKind::ServerError] {
        let mut rig = restart(interrupted(), Some("https://t"));
        rig.update_until(0x0120, |rig| rig.headsets[0].taken.len() >= 512);
        assert_eq!(
            rig.request(|request| ToMachine::CancelUpdate { request, offer: None, anyway: true }),
            None
        );
        rig.update_until(0x0120, |_| false);
        assert_eq!(recover(&mut rig), None);
        rig.answer_until_fetch();
        rig.fail(kind, None);
        rig.update_until(0x0120, |_| false);
        recovered(&rig);
    }
}

/// Nobody waits a quarter of an hour for an enrolment that was refused.
#[test]
fn a_tenant_that_refuses_the_machine_is_not_waited_for() {
    for refused_before in [true, false] {
        let mut rig = interrupted();
        rig.disk.credential = None;
        let mut rig = restart(rig, Some("https://t"));
        rig.update_until(0x0120, |rig| rig.headsets[0].taken.len() >= 512);
        assert_eq!(
            rig.request(|request| ToMachine::CancelUpdate { request, offer: None, anyway: true }),
            None
        );
        rig.update_until(0x0120, |_| false);
        if refused_before {
            rig.pass(Duration::from_secs(600));
            rig.fail(FailureKind::Rejected, None);
        }
        assert_eq!(recover(&mut rig), None);
        if !refused_before {
            assert!(matches!(rig.tenant, Some(TenantRequest::Enrol { .. })), "{:?}", rig.tenant);
            assert_eq!(outcome(&rig), None);
            rig.fail(FailureKind::Unreachable, None);
        }
        rig.update_until(0x0120, |_| false);
        recovered(&rig);
    }
}

#[test]
fn what_is_not_on_disk_any_more_comes_from_the_tenant() {
    let mut rig = interrupted();
    rig.packages = None;
    let mut rig = restart(rig, Some("https://t"));
    rig.answer_until_fetch();
    rig.fetched(package(1, "1.20"));
    rig.update_until(0x0120, |_| false);
    recovered(&rig);
}

/// Neither: it is said, it stays offered, and nothing is tried again and again.
#[test]
fn with_neither_package_nor_tenant_the_way_out_stays_open() {
    let mut rig = interrupted();
    let packages = rig.packages.take();
    let mut rig = restart(rig, None);
    assert_eq!(failed_with(&rig), "package-not-kept");
    rig.check_dfu();
    rig.check_mirror();
    assert_eq!(recovery(&rig).blocked, None);
    rig.pass(HOUR);
    assert_eq!(rig.service.poll_timeout(), None, "there is nothing to wait for");
    assert_eq!(recover(&mut rig), None);
    assert_eq!(failed_with(&rig), "package-not-kept");
    // Somebody put it back.
    rig.packages = packages;
    assert_eq!(recover(&mut rig), None);
    rig.update_until(0x0120, |_| false);
    recovered(&rig);
}

/// A newer agent reads packages more strictly: what it refuses, the tenant may have in a better form.
#[test]
fn a_kept_package_that_is_refused_is_asked_for_anew() {
    let spoil = |rig: &mut Rig| {
        let kept = rig.packages.as_mut().expect("packages").values_mut();
        kept.for_each(|kept| {
            let fingerprint = kept.get().fingerprint;
            let contents = package(7, "1.20").get().contents.clone();
            *kept = Verified::vouched(Archive { fingerprint, contents }, 1);
        });
    };
    let mut rig = interrupted();
    spoil(&mut rig);
    let mut rig = restart(rig, Some("https://t"));
    rig.answer_until_fetch();
    rig.fetched(package(1, "1.20"));
    rig.update_until(0x0120, |_| false);
    recovered(&rig);
    let mut rig = interrupted();
    spoil(&mut rig);
    let rig = restart(rig, None);
    assert_eq!(failed_with(&rig), "package-refused");
    rig.check_dfu();
}

/// It is pulled out, the company lets the machine go, it is plugged in weeks later.
#[test]
fn a_headset_that_was_away_is_recovered_where_it_comes_back() {
    let mut rig = interrupted();
    rig.headsets[0].becomes(Life::Unplugged);
    let mut rig = restart(rig, None);
    rig.pass(HOUR);
    rig.headsets[0].becomes(Life::Dfu { state: 2 });
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
    rig.check_dfu();
    if outcome(&rig).is_some() {
        assert_eq!(recover(&mut rig), None);
    }
    rig.update_until(0x0120, |_| false);
    recovered(&rig);
}

//! The machine slept, its clock was set, the network came: what is overdue is done, spread, and once.

use super::headset::offer;
use super::*;

/// Seconds until the policy is asked for, everything else being taken; `None` = not within a day.
fn until_poll(rig: &mut Rig) -> Option<u64> {
    let start = rig.now.instant;
    while rig.now.instant - start < 24 * HOUR {
        match rig.tenant {
            Some(TenantRequest::FetchPolicy { .. }) => return Some((rig.now.instant - start).as_secs()),
            Some(TenantRequest::Deliver { .. }) => rig.deliver_all(),
            Some(TenantRequest::Enrol { .. }) => rig.enrolled(),
            _ => {
                let (at, _) = rig.service.poll_timeout()?;
                rig.pass(at.saturating_duration_since(rig.now.instant));
            }
        }
    }
    None
}

fn polled() -> Rig {
    let mut rig = Rig::ready(vec![Headset::new(1)], &offer("1.20"), &["all-users"]);
    until_poll(&mut rig);
    rig.feed(Input::Tenant(TenantAnswer::Policy(Ok(None))));
    rig.deliver_all();
    rig
}

/// The machine sleeps: the device's clock stands still, the others run on.
fn sleep(rig: &mut Rig, time: Duration) {
    rig.now.instant += time;
    rig.now.unix_s += time.as_secs();
    rig.now.slept += time;
}

#[test]
fn timers_that_do_not_count_sleep_what_is_overdue_by_the_wall_clock_is_done() {
    let mut rig = polled();
    rig.now.unix_s += 8 * 3600;
    rig.feed(Input::WorldChanged(WorldChange::ClockStepped));
    let waited = until_poll(&mut rig).expect("a poll");
    assert!(waited <= 300, "the policy is asked for after {waited} s");
}

/// Nobody said that the machine slept; the deadline rang, or a headset was touched.
#[test]
fn timers_that_do_not_count_sleep_need_not_be_told_that_it_ended() {
    for ring in [true, false] {
        let mut rig = polled();
        sleep(&mut rig, 8 * HOUR);
        match ring {
            true => rig.service.handle_timeout(rig.now),
            false => rig.service.handle(Input::HidLost { path: "none".to_owned() }, rig.now),
        }
        rig.drain();
        let waited = until_poll(&mut rig).expect("a poll");
        assert!(waited <= 300, "the policy is asked for after {waited} s");
    }
}

#[test]
fn a_company_that_wakes_at_nine_does_not_ask_at_nine() {
    let mut waits = Vec::new();
    for seed in 1..40u64 {
        let mut rig = polled();
        rig.service.random = fastrand::Rng::with_seed(seed);
        sleep(&mut rig, 14 * HOUR);
        rig.feed(Input::WorldChanged(WorldChange::Resumed));
        assert_eq!(rig.tenant, None, "asked at once");
        waits.push(until_poll(&mut rig).expect("a poll"));
    }
    let (least, most) = (waits.iter().min().expect("some"), waits.iter().max().expect("some"));
    assert!(*most <= 300 && most - least > 150, "not spread over 300 s: {waits:?}");
}

#[test]
fn a_nap_changes_nothing() {
    let mut rig = polled();
    let planned = rig.service.poll.next;
    sleep(&mut rig, Duration::from_secs(60));
    rig.feed(Input::WorldChanged(WorldChange::Resumed));
    assert_eq!((rig.service.poll.next, rig.service.quiet_until), (planned, None));
}

#[test]
fn what_was_looked_at_only_at_start_a_credential_is_judged_again_after_a_sleep() {
    let mut rig = polled();
    sleep(&mut rig, 2 * HOUR);
    rig.feed(Input::WorldChanged(WorldChange::Resumed));
    assert_eq!(rig.tenant, None, "spread");
    rig.pass(Duration::from_secs(301));
    rig.lights("nobody", Indicators::default());
    assert!(matches!(rig.tenant, Some(TenantRequest::Enrol { .. })), "{:?}", rig.tenant);
}

#[test]
fn a_person_who_waits_for_a_package_does_not_wait_for_the_others() {
    let mut rig = polled();
    sleep(&mut rig, 8 * HOUR);
    rig.feed(Input::WorldChanged(WorldChange::Resumed));
    assert_eq!((rig.install(), rig.tenant.is_some()), (None, true));
}

#[test]
fn a_tenant_that_was_out_of_reach_is_asked_when_the_network_changes() {
    let mut rig = polled();
    until_poll(&mut rig);
    for _ in 0..9 {
        rig.fail(FailureKind::Unreachable, None);
        until_poll(&mut rig);
    }
    rig.fail(FailureKind::Unreachable, None);
    rig.feed(Input::WorldChanged(WorldChange::Network));
    assert_eq!(rig.tenant, None, "a network that has just come has no name server yet");
    let waited = until_poll(&mut rig).expect("a poll");
    assert!((2..=12).contains(&waited), "asked after {waited} s");
    // It answered: what it refuses is not asked again for a network.
    rig.fail(FailureKind::Refused, None);
    let planned = rig.service.poll.next;
    rig.feed(Input::WorldChanged(WorldChange::Network));
    assert_eq!(rig.service.poll.next, planned);
}

#[test]
fn a_network_that_comes_and_goes_all_the_time_is_no_reason_to_hammer() {
    let mut rig = Rig::managed(vec![]);
    let mut asked = 0;
    let end = rig.now.instant + HOUR;
    while rig.now.instant < end {
        if rig.tenant.is_some() {
            asked += 1;
            rig.fail(FailureKind::Unreachable, None);
        }
        rig.feed(Input::WorldChanged(WorldChange::Network));
        rig.pass(Duration::from_secs(1));
    }
    assert!(asked <= 3600 / 2, "{asked} times in an hour");
}

#[test]
fn a_clock_that_is_set_back_is_no_reason_to_ask() {
    let mut rig = polled();
    let planned = rig.service.poll.next;
    rig.now.unix_s -= 3 * 24 * 3600;
    rig.feed(Input::WorldChanged(WorldChange::ClockStepped));
    assert_eq!((rig.service.poll.next, rig.tenant.is_none()), (planned, true));
}

#[test]
fn a_firmware_update_waits_for_its_headset_awake() {
    let mut rig = polled();
    assert_eq!(rig.install(), None);
    rig.service.update.slept(Duration::ZERO);
    let before = rig.service.update.poll_timeout();
    sleep(&mut rig, 8 * HOUR);
    rig.feed(Input::WorldChanged(WorldChange::Resumed));
    let after = rig.service.update.poll_timeout();
    assert_eq!(after.map(|(at, _)| at), before.map(|(at, _)| at + 8 * HOUR));
    assert!(rig.job().is_some_and(|job| job.outcome.is_none()));
}

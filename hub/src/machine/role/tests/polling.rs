//! When the tenant is asked: enrolment, credential, policy.

use super::headset::offer;
use super::*;

fn start(disk: Disk) -> Rig {
    Rig::start(Some("https://t"), disk, vec![], Instant::now())
}

fn with_policy(polling_s: u32, seed: u64) -> Rig {
    let json = format!(r#"{{"schema":1,"company":"Example","polling_s":{polling_s}}}"#);
    let document = PolicyDocument::from_json(json.as_bytes()).expect("a policy");
    let disk = Disk {
        policy: Some(Verified::vouched(document, 3)),
        credential: Some(Credential { access_token: "t".to_owned(), expires_unix_s: u64::MAX }),
        ..Disk::default()
    };
    let now = Now { instant: Instant::now(), unix_s: 1_700_000_000, slept: Duration::ZERO };
    let mut rig = start(disk.clone());
    rig.service = MachineRole::new(Config { seed, ..config(Some("https://t")) }, disk.read(), now);
    (rig.now, rig.tenant) = (now, None);
    rig.drain();
    rig.deliver_all();
    rig
}

/// Time until the policy is asked for, everything else being taken.
fn until_poll(rig: &mut Rig) -> Duration {
    let start = rig.now.instant;
    for _ in 0..10_000 {
        match rig.tenant {
            Some(TenantRequest::FetchPolicy { .. }) => return rig.now.instant - start,
            Some(TenantRequest::Deliver { .. }) => rig.deliver_all(),
            Some(TenantRequest::Enrol { .. }) => rig.enrolled(),
            Some(TenantRequest::AssignedGroups { .. }) => {
                rig.feed(Input::Tenant(TenantAnswer::Assigned(Ok(vec![]))));
            }
            _ => {
                let (at, _) = rig.service.poll_timeout().expect("something is planned");
                rig.pass(at.saturating_duration_since(rig.now.instant));
            }
        }
    }
    panic!("the policy is not asked for");
}

fn unchanged(rig: &mut Rig) {
    rig.feed(Input::Tenant(TenantAnswer::Policy(Ok(None))));
}

#[test]
fn without_a_policy_it_is_asked_for_at_once() {
    let mut rig = start(Disk::default());
    let (system_id, host_key) = ("host-1".to_owned(), Secret::new(format!("{:x<43}", "host-1")));
    assert_eq!(rig.tenant, Some(TenantRequest::Enrol { system_id, host_key }));
    assert_eq!(rig.disk.identities, [identity("host-1", "machine-1")], "written before it is used");
    rig.enrolled();
    assert_eq!(rig.tenant, Some(TenantRequest::FetchPolicy { have: None }));
    assert!(rig.disk.credential.is_some());
}

#[test]
fn the_first_poll_after_a_start_is_spread_over_300_s_at_most() {
    let mut waits = Vec::new();
    for seed in 1..40 {
        waits.push(
            until_poll(&mut with_policy(21_600, 0x9e37_79b9_7f4a_7c15u64.wrapping_mul(seed))).as_secs_f64(),
        );
    }
    assert!(waits.iter().all(|w| *w <= 300.0), "{waits:?}");
    let (least, most) =
        (waits.iter().copied().fold(f64::MAX, f64::min), waits.iter().copied().fold(0.0, f64::max));
    assert!(most - least > 150.0, "not spread: {waits:?}");
    assert!(until_poll(&mut with_policy(60, 77)) <= Duration::from_secs(6), "a tenth of a short interval");
}

#[test]
fn polls_are_an_interval_apart_give_or_take_five_percent() {
    let mut rig = with_policy(3600, 5);
    until_poll(&mut rig);
    let mut waits = Vec::new();
    for _ in 0..50 {
        unchanged(&mut rig);
        waits.push(until_poll(&mut rig).as_secs_f64());
    }
    assert!(waits.iter().all(|w| (3420.0..=3780.5).contains(w)), "{waits:?}");
    assert!(waits.iter().any(|w| *w < 3580.0) && waits.iter().any(|w| *w > 3620.0), "no jitter: {waits:?}");
    assert_eq!(rig.tenant, Some(TenantRequest::FetchPolicy { have: Some(3) }));
}

#[test]
fn after_a_failure_it_is_asked_again_sooner_and_the_last_good_policy_stays() {
    let mut rig = Rig::ready(vec![Headset::new(1)], &offer("1.20"), &["all-users"]);
    let kinds =
        [FailureKind::Unreachable, FailureKind::ServerError, FailureKind::Refused, FailureKind::Rejected];
    until_poll(&mut rig);
    let mut waits = Vec::new();
    for n in 0..12 {
        rig.fail(kinds[n % kinds.len()], None);
        assert_eq!((rig.offers().len(), rig.service.tenant_state().policy_version), (1, Some(1)));
        assert!(rig.service.tenant_state().problem.is_some());
        waits.push(until_poll(&mut rig).as_secs());
    }
    assert_eq!(waits, [30, 60, 120, 240, 480, 960, 1920, 3840, 7680, 15_360, 21_600, 21_600]);
    unchanged(&mut rig);
    assert_eq!(rig.service.tenant_state().problem, None);
    assert!(until_poll(&mut rig) > 5 * HOUR);
}

#[test]
fn a_tenant_with_little_time_says_when() {
    for (retry_after_s, waited) in [(0, 1), (90, 90), (u64::MAX / 2, 3600)] {
        let mut rig = with_policy(3600, 5);
        until_poll(&mut rig);
        rig.fail(FailureKind::ServerError, Some(Duration::from_secs(retry_after_s)));
        assert_eq!(until_poll(&mut rig).as_secs(), waited, "Retry-After: {retry_after_s}");
    }
}

/// Seconds between the enrolments of some time.
fn enrolments(rig: &mut Rig, n: usize, mut answer: impl FnMut(&mut Rig)) -> Vec<u64> {
    let mut waits = Vec::new();
    for _ in 0..n {
        answer(rig);
        let start = rig.now.instant;
        for _ in 0..1000 {
            match rig.tenant {
                Some(TenantRequest::Enrol { .. }) => break,
                Some(_) => rig.fail(FailureKind::Unauthorized, None),
                None => {
                    let (at, _) = rig.service.poll_timeout().expect("something is planned");
                    rig.pass(at.saturating_duration_since(rig.now.instant));
                }
            }
        }
        waits.push((rig.now.instant - start).as_secs());
    }
    waits
}

#[test]
fn a_refused_enrolment_waits_for_somebody_to_mend_it_an_unreachable_tenant_does_not() {
    for kind in [FailureKind::Unauthorized, FailureKind::Rejected, FailureKind::Refused] {
        let mut rig = start(Disk::default());
        assert_eq!(enrolments(&mut rig, 3, |rig| rig.fail(kind, None)), [900, 900, 900], "{kind:?}");
    }
    for kind in [FailureKind::Unreachable, FailureKind::ServerError] {
        let mut rig = start(Disk::default());
        let waits = enrolments(&mut rig, 10, |rig| rig.fail(kind, None));
        assert_eq!(waits, [5, 10, 20, 40, 80, 160, 320, 640, 900, 900], "{kind:?}");
    }
    let mut rig = start(Disk::default());
    let soon = Some(Duration::ZERO);
    let waits = enrolments(&mut rig, 3, |rig| rig.fail(FailureKind::ServerError, soon));
    assert!(waits.iter().all(|w| *w >= 1), "Retry-After: 0 is no invitation: {waits:?}");
}

#[test]
fn a_refused_credential_is_forgotten_and_a_new_one_asked_for() {
    let mut rig = Rig::ready(vec![], &offer("1.20"), &["all-users"]);
    until_poll(&mut rig);
    rig.out.clear();
    rig.fail(FailureKind::Unauthorized, None);
    assert_eq!(rig.disk.credential, None);
    assert!(!rig.service.tenant_state().enrolled);
    rig.pass(Duration::from_secs(2));
    rig.enrolled();
    assert!(rig.service.tenant_state().enrolled && rig.disk.credential.is_some());
}

#[test]
fn a_tenant_that_refuses_every_credential_is_not_asked_in_a_circle() {
    let mut rig = Rig::managed(vec![Headset::new(1)]);
    let day_end = rig.now.instant + 24 * HOUR;
    let mut asked = 0;
    while rig.now.instant < day_end {
        match rig.tenant {
            Some(TenantRequest::Enrol { .. }) => {
                asked += 1;
                rig.enrolled();
            }
            Some(_) => rig.fail(FailureKind::Unauthorized, None),
            None => {
                let (at, _) = rig.service.poll_timeout().expect("something is planned");
                rig.pass(at.saturating_duration_since(rig.now.instant));
            }
        }
        assert!(asked < 200, "{asked} enrolments by {:?} before the day ends", day_end - rig.now.instant);
    }
    println!("{asked} enrolments in a day");
}

#[test]
fn a_credential_is_renewed_before_it_ends() {
    let mut rig = with_policy(604_800, 5);
    until_poll(&mut rig);
    unchanged(&mut rig);
    *rig.service.credential.edit() =
        Some(Credential { access_token: "t".to_owned(), expires_unix_s: rig.now.unix_s + 61 });
    rig.pass(Duration::from_secs(2));
    rig.lights("nobody", Indicators::default());
    assert!(matches!(rig.tenant, Some(TenantRequest::Enrol { .. })), "{:?}", rig.tenant);
}

/// A laptop that wakes without a network: the credential has ended, the poll is overdue, the tenant unreachable.
#[test]
fn an_overdue_poll_with_an_expired_credential_does_not_spin() {
    let mut rig = with_policy(3600, 5);
    until_poll(&mut rig);
    unchanged(&mut rig);
    *rig.service.credential.edit() =
        Some(Credential { access_token: "t".to_owned(), expires_unix_s: rig.now.unix_s });
    rig.pass(2 * HOUR);
    assert!(matches!(rig.tenant, Some(TenantRequest::Enrol { .. })));
    let waits = enrolments(&mut rig, 4, |rig| rig.fail(FailureKind::Unreachable, None));
    assert_eq!(waits, [5, 10, 20, 40], "the deadline is the enrolment's alone");
}

/// An hour is what the contract says; a tenant that hands out seconds must not be asked in a circle.
#[test]
fn a_credential_that_ends_at_once_is_no_invitation() {
    for seconds in [0, 30, 60] {
        let mut rig = start(Disk::default());
        let waits = enrolments(&mut rig, 4, |rig| {
            let enrolment = rig.enrolment(seconds);
            rig.feed(Input::Tenant(TenantAnswer::Enrolled(Ok(enrolment))));
        });
        assert!(waits.iter().all(|wait| *wait >= 60), "{seconds} s of life, asked again after {waits:?} s");
    }
}

#[test]
fn groups_by_hand_are_asked_for_before_anything_is_resolved() {
    let manual = r#"{"schema":1,"company":"Example",
        "groups":[{"id":"vip","name":"VIP","priority":1,"rule":{"kind":"manual"}}]}"#;
    let resolved = |rig: &Rig| {
        let groups = |o: &Output| match o {
            Output::ToUser { message: ToUser::GroupsChanged { groups, .. }, .. } => {
                Some(groups.iter().map(|group| group.id.clone()).collect())
            }
            _ => None,
        };
        rig.out.iter().filter_map(groups).collect::<Vec<Vec<String>>>()
    };
    let mut rig = Rig::managed(vec![]);
    rig.enrolled();
    let document = PolicyDocument::from_json(manual.as_bytes()).expect("a policy");
    rig.feed(Input::Tenant(TenantAnswer::Policy(Ok(Some(Verified::vouched(document, 1))))));
    assert_eq!(resolved(&rig), Vec::<Vec<String>>::new());
    // The tenant tells the groups of users it knows to be here.
    let Some(TenantRequest::Deliver { owed, .. }) = &rig.tenant else { panic!("{:?}", rig.tenant) };
    assert!(owed.iter().any(|owed| matches!(&owed.delivery, Delivery::User(user) if user.user == "jane")));
    rig.deliver_all();
    assert!(matches!(&rig.tenant, Some(TenantRequest::AssignedGroups { user, .. }) if user == "jane"));
    rig.feed(Input::Tenant(TenantAnswer::Assigned(Ok(vec!["vip".to_owned()]))));
    assert_eq!(resolved(&rig), [["vip", "all-users"]]);
    rig.deliver_all();
    until_poll(&mut rig);
    unchanged(&mut rig);
    rig.fail(FailureKind::Unreachable, None);
    assert_eq!(resolved(&rig).len(), 1, "the tenant's silence changes nothing");
}

#[test]
fn ask_now_is_not_put_off_and_answered_when_the_tenant_has_answered() {
    let ask = |rig: &mut Rig| rig.feed(said(ToMachine::Poll { request: 5 }));
    let answers = |rig: &Rig| {
        let answer = |o: &Output| match o {
            Output::ToUser { message: ToUser::Answer { request: 5, problem }, .. } => {
                Some(problem.clone().map(|p| p.code.as_str().to_owned()))
            }
            _ => None,
        };
        rig.out.iter().filter_map(answer).collect::<Vec<_>>()
    };
    let mut rig = with_policy(21_600, 5);
    rig.hello();
    rig.deliver_all();
    ask(&mut rig);
    assert_eq!(rig.tenant, Some(TenantRequest::FetchPolicy { have: Some(3) }));
    assert_eq!(answers(&rig), []);
    rig.out.clear();
    unchanged(&mut rig);
    assert_eq!(answers(&rig), [None]);
    let told = rig.service.tenant_state();
    assert_eq!(told.last_poll_s, Some(rig.now.unix_s));
    let next = told.next_poll_s.expect("planned") - rig.now.unix_s;
    assert!((20_520..=22_680).contains(&next), "in {next} s");
    rig.deliver_all();

    // Neither a pause after a refusal nor one after a failure holds it up.
    *rig.service.credential.edit() = None;
    rig.service.enrol_not_before = Some(rig.now.instant + HOUR);
    ask(&mut rig);
    assert!(matches!(rig.tenant, Some(TenantRequest::Enrol { .. })), "{:?}", rig.tenant);
    rig.out.clear();
    rig.fail(FailureKind::Refused, None);
    assert_eq!(answers(&rig), [Some("tenant-unreachable".to_owned())]);
    let mut consumer = Rig::start(None, Disk::default(), vec![], Instant::now());
    consumer.hello();
    ask(&mut consumer);
    assert_eq!(answers(&consumer), [Some("no-tenant".to_owned())]);
    // A tenant that is meant and cannot be used: what `status` says, too.
    let fault = Reason::TenantPin.at("TENANT_ROOT");
    let meant =
        Config { tenancy: Tenancy { fault: Some(fault.clone()), ..Tenancy::default() }, ..config(None) };
    consumer.service = MachineRole::new(meant, Persisted::default(), consumer.now);
    consumer.hello();
    consumer.out.clear();
    ask(&mut consumer);
    assert_eq!(answers(&consumer), [Some(fault.code.as_str().to_owned())]);
    assert_eq!(consumer.service.tenant_state().problem, Some(fault));
}

#[test]
fn the_time_of_the_next_poll_is_told_once_and_not_with_every_input() {
    let mut rig = with_policy(21_600, 5);
    rig.hello();
    ask_and_answer(&mut rig);
    rig.out.clear();
    for _ in 0..100 {
        rig.now.instant += Duration::from_millis(1337);
        rig.now.unix_s += 1;
        rig.feed(Input::HidLost { path: "none".to_owned() });
    }
    assert!(
        !rig.out.iter().any(|o| matches!(o, Output::ToUser { message: ToUser::TenantChanged { .. }, .. }))
    );
}

fn ask_and_answer(rig: &mut Rig) {
    until_poll(rig);
    unchanged(rig);
    rig.deliver_all();
}

/// After a power cut a whole company starts at once.
#[test]
fn enrolments_of_known_machines_are_spread_and_those_of_new_ones_are_not() {
    let ended = |seed: u64, polling_s: u32| {
        let mut rig = with_policy(polling_s, seed);
        let disk = Disk {
            credential: Some(Credential { access_token: "t".to_owned(), expires_unix_s: 1 }),
            ..rig.disk.clone()
        };
        rig.service = MachineRole::new(Config { seed, ..config(Some("https://t")) }, disk.read(), rig.now);
        (rig.disk, rig.tenant) = (disk, None);
        rig.drain();
        rig
    };
    let wait = |seed: u64, polling_s: u32| {
        let mut rig = ended(seed, polling_s);
        let start = rig.now.instant;
        while !matches!(rig.tenant, Some(TenantRequest::Enrol { .. })) {
            assert_eq!(rig.tenant, None, "nothing without a credential");
            let (at, _) = rig.service.poll_timeout().expect("something is planned");
            rig.pass(at.saturating_duration_since(rig.now.instant));
        }
        (rig.now.instant - start).as_secs_f64()
    };
    let waits: Vec<f64> = (1..40).map(|seed| wait(seed, 21_600)).collect();
    let (least, most) = waits.iter().fold((f64::MAX, 0.0_f64), |(a, b), w| (a.min(*w), b.max(*w)));
    assert!(most <= 301.0 && most - least > 150.0, "{waits:?}");
    assert!((1..40).all(|seed| wait(seed, 60) <= 7.0), "a tenth of a short interval");
    // A new machine is waited for by the person who set it up.
    assert!(matches!(start(Disk::default()).tenant, Some(TenantRequest::Enrol { .. })));
}

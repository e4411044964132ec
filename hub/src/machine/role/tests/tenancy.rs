//! The settings name another tenant, or none, while the machine role runs.

use super::headset::offer;
use super::*;
use crate::tenancy::TenantSource;

pub(super) fn of(address: Option<&str>) -> Tenancy {
    Tenancy { source: address.map(TenantSource::named), ..Tenancy::default() }
}

fn mode(rig: &Rig) -> TenantMode {
    rig.heard.tenant.mode
}

#[test]
fn a_machine_comes_to_a_company_without_a_restart() {
    let mut rig = Rig::start(None, Disk::default(), vec![Headset::new(1)], Instant::now());
    rig.hello();
    assert_eq!((mode(&rig), &rig.tenant), (TenantMode::Consumer, &None));
    rig.feed(Input::TenancyChanged(of(Some("https://t"))));
    assert_eq!(mode(&rig), TenantMode::Server);
    rig.enrolled();
    rig.policy(&offer("1.20"), 1);
    rig.identity(&["all-users"]);
    assert_eq!(rig.offers().len(), 1);
    rig.deliver_all();
    rig.pass(Duration::from_secs(120));
    rig.deliver_all();
    let told = |kind: fn(&Delivery) -> bool| rig.disk.owed.iter().any(|owed| kind(&owed.delivery));
    assert!(!told(|_| true), "all of it was taken: {:?} {:?}", rig.tenant, rig.disk.owed);
    let sent: Vec<&Delivery> = rig
        .out
        .iter()
        .filter_map(|output| match output {
            Output::Persist(Record::Owed(owed)) => Some(&owed.delivery),
            _ => None,
        })
        .collect();
    let of_nobody = sent.iter().find_map(|d| match d {
        Delivery::Host(host) => Some(host.groups.iter().map(|group| (group.id.as_str(), group.why.as_str()))),
        _ => None,
    });
    let of_nobody: Vec<_> = of_nobody.expect("the machine registers").collect();
    assert_eq!(of_nobody, [("all-users", "everyone")], "what counts while nobody is there");
    assert!(sent.iter().any(|d| matches!(d, Delivery::User(_))), "{sent:?}");
    assert!(sent.iter().any(|d| matches!(d, Delivery::Device(_))), "the headset was there before: {sent:?}");
}

#[test]
fn a_company_that_is_left_rules_no_more() {
    let mut rig = Rig::ready(vec![Headset::new(1)], &offer("1.20"), &["all-users"]);
    assert_eq!(rig.offers().len(), 1);
    rig.feed(Input::TenancyChanged(Tenancy::default()));
    assert_eq!(mode(&rig), TenantMode::Consumer);
    assert_eq!(rig.offers(), []);
    assert_eq!(rig.heard.groups, []);
    rig.pass(HOUR * 24);
    assert_eq!(rig.tenant, None, "nobody is asked");
    let fault = Reason::TenantIncomplete { missing: "TENANT_ID".to_owned() }.at("hookswitch.toml");
    rig.feed(Input::TenancyChanged(Tenancy { fault: Some(fault.clone()), ..Tenancy::default() }));
    assert_eq!((mode(&rig), rig.heard.tenant.problem.clone()), (TenantMode::Locked, Some(fault)));
}

#[test]
fn what_one_tenant_gave_and_is_owed_no_other_one_sees() {
    let mut rig = Rig::ready(vec![Headset::new(1)], &offer("1.20"), &["all-users"]);
    let token = rig.service.access_token().map(str::to_owned);
    assert!(token.is_some());
    rig.headsets[0].becomes(headset::Life::Unplugged);
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
    assert!(!rig.disk.owed.is_empty(), "the first is owed that it went");
    let owed: BTreeSet<String> = rig.disk.owed.iter().map(|owed| owed.id.clone()).collect();
    rig.feed(Input::TenancyChanged(of(Some("https://other"))));
    assert!(matches!(rig.tenant, Some(TenantRequest::Enrol { .. })), "{:?}", rig.tenant);
    assert_eq!(rig.service.access_token(), None);
    assert_eq!(rig.disk.credential, None, "nor after a restart");
    assert!(!rig.disk.owed.iter().any(|o| owed.contains(&o.id)), "{:?}", rig.disk.owed);
    assert_eq!((rig.heard.tenant.company.clone(), rig.offers()), (None, vec![]), "its policy rules no more");
    assert!(rig.disk.policy.is_none(), "nor after a restart");
    // The same when the settings were changed while it did not run.
    let mut rig = Rig::ready(vec![Headset::new(1)], &offer("1.20"), &["all-users"]);
    let disk = std::mem::take(&mut rig.disk);
    let mut rig = Rig::start(Some("https://other"), disk, vec![], rig.now.instant);
    rig.pass(HOUR);
    assert!(matches!(rig.tenant, Some(TenantRequest::Enrol { .. })), "{:?}", rig.tenant);
    assert_eq!((rig.service.access_token(), rig.disk.policy.is_none()), (None, true));
}

/// A file that is empty for a moment, while somebody writes it: the tenant may be out of reach.
#[test]
fn a_company_that_is_back_has_its_last_good_policy() {
    let mut rig = Rig::ready(vec![Headset::new(1)], &offer("1.20"), &["all-users"]);
    let now = (*rig.service.tenancy).clone();
    rig.feed(Input::TenancyChanged(Tenancy::default()));
    assert_eq!(rig.offers(), []);
    rig.feed(Input::TenancyChanged(now));
    rig.identity(&["all-users"]);
    assert_eq!(rig.offers().len(), 1);
    rig.feed(Input::TenancyChanged(Tenancy::default()));
    rig.feed(Input::TenancyChanged(of(Some("https://other"))));
    assert_eq!(rig.offers(), [], "it was another's");
}

#[test]
fn another_token_of_the_same_tenant_changes_nothing_else() {
    let mut rig = Rig::ready(vec![Headset::new(1)], &offer("1.20"), &["all-users"]);
    let now = (*rig.service.tenancy).clone();
    rig.feed(Input::TenancyChanged(now.clone()));
    assert!(rig.service.access_token().is_some());
    rig.feed(Input::TenancyChanged(Tenancy { root_sha256: Some("11".to_owned()), ..now }));
    assert!(rig.service.access_token().is_some());
    assert_eq!(rig.offers().len(), 1, "the last good policy stays");
}

/// What is on its way when the settings change is not answered any more: nothing waits for it.
#[test]
fn what_was_on_its_way_is_asked_again() {
    let mut rig = Rig::managed(vec![Headset::new(1)]);
    rig.enrolled();
    rig.policy(&offer("1.20"), 1);
    assert!(matches!(rig.tenant, Some(TenantRequest::Deliver { .. })), "{:?}", rig.tenant);
    let now = Tenancy { root_sha256: Some("11".to_owned()), ..(*rig.service.tenancy).clone() };
    let owed = rig.disk.owed.len();
    assert!(owed > 0);
    rig.feed(Input::TenancyChanged(now));
    rig.deliver_all();
    rig.pass(Duration::from_secs(120));
    rig.deliver_all();
    assert!(rig.disk.owed.is_empty(), "{:?}", rig.disk.owed);
    // Events go alone, and are due once.
    rig.headsets[0].becomes(headset::Life::Unplugged);
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
    let events = |request: &TenantRequest| match request {
        TenantRequest::Deliver { owed, .. } => owed.iter().all(|o| matches!(o.delivery, Delivery::Event(_))),
        _ => false,
    };
    for _ in 0..20 {
        match &rig.tenant {
            Some(request) if events(request) => break,
            Some(TenantRequest::FetchPolicy { .. }) => {
                rig.feed(Input::Tenant(TenantAnswer::Policy(Ok(None))));
            }
            Some(TenantRequest::Deliver { owed, .. }) => {
                let ids = owed.iter().map(|o| o.id.clone()).collect();
                rig.feed(Input::Tenant(TenantAnswer::Delivered(Ok(ids))));
            }
            _ => rig.pass(Duration::from_secs(30)),
        }
    }
    assert!(rig.tenant.as_ref().is_some_and(events), "{:?}", rig.tenant);
    rig.feed(Input::TenancyChanged((*rig.service.tenancy).clone()));
    rig.deliver_all();
    assert!(rig.disk.owed.is_empty(), "{:?}", rig.disk.owed);
    // A person who asked is told.
    rig.feed(said(ToMachine::Poll { request: 77 }));
    rig.feed(Input::TenancyChanged(Tenancy::default()));
    let answered = |output: &Output| {
        matches!(output, Output::ToUser { message: ToUser::Answer { request: 77, problem: Some(_) }, .. })
    };
    assert!(rig.out.iter().any(answered));
}

/// What a tenant gave or is owed goes to no other one, whatever lies between the two: a credential or none, no tenant, a
/// stop of the agent.
#[test]
fn another_tenant_begins_with_nothing_of_the_one_before() {
    let other = "https://other";
    for (credential, between, off) in [
        (true, false, false),
        (false, false, false),
        (true, true, false),
        (false, true, false),
        (false, false, true),
    ] {
        let case = format!("a credential {credential}, none between {between}, while it was off {off}");
        let mut rig = Rig::ready(vec![Headset::new(1)], &offer("1.20"), &["all-users"]);
        rig.headsets[0].becomes(headset::Life::Unplugged);
        rig.feed(Input::WorldChanged(WorldChange::HotPlug));
        if !credential {
            rig.pass(Duration::from_secs(1));
            assert!(rig.tenant.is_some(), "{case}");
            rig.fail(FailureKind::Unauthorized, None);
            assert_eq!(rig.disk.credential, None, "{case}");
        }
        let of_the_first: BTreeSet<String> = rig.disk.owed.iter().map(|owed| owed.id.clone()).collect();
        assert!(!of_the_first.is_empty(), "{case}");
        if between {
            rig.feed(Input::TenancyChanged(Tenancy::default()));
        }
        if !off {
            rig.feed(Input::TenancyChanged(of(Some(other))));
        }
        let disk = std::mem::take(&mut rig.disk);
        let later = rig.now.instant + HOUR;
        let started = Rig::start(Some(other), disk, vec![], later);
        for rig in [(!off).then_some(rig), Some(started)].into_iter().flatten() {
            let tenant = rig.service.tenant_now();
            assert_eq!((tenant.company, tenant.enrolled), (None, false), "{case}");
            let kept: Vec<&Owed> = rig.disk.owed.iter().filter(|o| of_the_first.contains(&o.id)).collect();
            assert_eq!(kept, Vec::<&Owed>::new(), "{case}");
            assert!(rig.disk.policy.is_none() && rig.disk.credential.is_none(), "{case}");
            assert_eq!((rig.disk.groups.len(), rig.service.groups.len()), (0, 0), "{case}");
            let devices = rig.service.inventory.all();
            assert!(
                !devices.iter().any(|device| device.serial.as_deref() == Some("HS1")),
                "{case}: {devices:?}"
            );
        }
    }
}

/// Settings that name no tenant for a while, and a stop in that time.
#[test]
fn a_tenant_that_is_back_after_a_stop_has_its_last_good_policy() {
    let rig = Rig::ready(vec![Headset::new(1)], &offer("1.20"), &["all-users"]);
    let (disk, later) = (rig.disk.clone(), rig.now.instant + HOUR);
    let mut rig = Rig::start(None, disk, vec![Headset::new(1)], later);
    rig.hello();
    assert_eq!((mode(&rig), rig.offers()), (TenantMode::Consumer, vec![]));
    rig.feed(Input::TenancyChanged(of(Some("https://t"))));
    assert!(rig.heard.tenant.company.is_some(), "it is the same one");
    rig.identity(&["all-users"]);
    assert_eq!(rig.offers().len(), 1);
}

/// A headset that is written to while its company is left tells the next one nothing.
#[test]
fn what_one_tenant_began_no_other_one_is_told_of() {
    let mut rig = Rig::ready(vec![Headset::new(1)], &offer("1.20"), &["all-users"]);
    assert_eq!(rig.install(), None);
    rig.fetched(super::headset::package(1, "1.20"));
    rig.feed(Input::TenancyChanged(of(Some("https://other"))));
    rig.update_until(0x0120, |_| false);
    let job = rig.job().expect("the job of the one before");
    assert_eq!(
        job.outcome,
        Some(Outcome::Succeeded { version: "1.20".to_owned() }),
        "it is not left half done"
    );
    let told = |rig: &Rig| rig.disk.owed.iter().any(|owed| matches!(owed.delivery, Delivery::Update(_)));
    assert!(!told(&rig), "{:?}", rig.disk.owed);

    // Settings that cannot be read as it ends lose no verdict: it is sent when they can.
    let mut rig = Rig::ready(vec![Headset::new(1)], &offer("1.20"), &["all-users"]);
    assert_eq!(rig.install(), None);
    rig.fetched(super::headset::package(1, "1.20"));
    let fault = Reason::SettingsUnreadable { line: "1".to_owned() }.at("hookswitch.toml:1");
    rig.feed(Input::TenancyChanged(Tenancy { fault: Some(fault), ..Tenancy::default() }));
    rig.update_until(0x0120, |_| false);
    assert!(told(&rig), "{:?}", rig.disk.owed);
    rig.feed(Input::TenancyChanged(of(Some("https://t"))));
    assert!(told(&rig), "it is the same one");
    rig.feed(Input::TenancyChanged(of(Some("https://other"))));
    assert!(!told(&rig), "{:?}", rig.disk.owed);

    // Nor is it asked for the package of what was interrupted, and told how that went.
    let mut rig = Rig::ready(vec![Headset::new(1)], &offer("1.20"), &["all-users"]);
    assert_eq!(rig.install(), None);
    rig.fetched(super::headset::package(1, "1.20"));
    rig.update_until(0x0120, |rig| {
        rig.disk.journal.values().any(|entry| matches!(entry.phase, dfu::usb_dfu::Phase::Downloading { .. }))
    });
    let (mut disk, headsets) = (std::mem::take(&mut rig.disk), std::mem::take(&mut rig.headsets));
    assert_eq!(disk.journal.len(), 1);
    for entry in disk.journal.values_mut() {
        // The package is not on the disk any more.
        entry.package = None;
    }
    let mut rig = Rig::start(Some("https://other"), disk, headsets, rig.now.instant);
    rig.hello();
    rig.enrolled();
    rig.policy(&offer("1.20"), 1);
    rig.pass(HOUR);
    let asks = |output: &Output| matches!(output, Output::Fetch { from: Source::Tenant { .. }, .. });
    assert!(!rig.out.iter().any(asks), "it has never heard of it");
    assert!(!told(&rig), "{:?}", rig.disk.owed);
}

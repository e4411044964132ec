//! A tenant that is a signed folder: it gives what it gives to everybody, and nothing is told it.

use super::headset::offer;
use super::tenancy::of;
use super::*;

const FOLDER: &str = "file:///srv/acme/";

fn start(disk: Disk) -> Rig {
    let mut rig = Rig::start(Some(FOLDER), disk, vec![Headset::new(1)], Instant::now());
    rig.hello();
    rig
}

/// With the policy in force and the person in their groups.
fn read(policy: &str) -> Rig {
    let mut rig = start(Disk::default());
    rig.policy(policy, 1);
    rig.identity(&["all-users"]);
    rig
}

fn unreadable() -> TenantFailure {
    let problem = Reason::TenantFolderUnreadable { detail: Detail::verbatim("away") }.at(FOLDER);
    TenantFailure { kind: FailureKind::Unreachable, problem, retry_after: None }
}

#[test]
fn it_is_asked_for_its_policy_and_told_nothing() {
    let mut rig = read(&offer("1.20"));
    assert_eq!((rig.heard.tenant.mode, rig.heard.tenant.enrolled), (TenantMode::Folder, false));
    assert_eq!(rig.heard.tenant.server.as_deref(), Some(FOLDER));
    assert_eq!(rig.offers().len(), 1);
    let mut polls = 0;
    for _ in 0..96 {
        let life = match rig.headsets[0].life {
            headset::Life::Unplugged => rig.headsets[0].boots(),
            _ => headset::Life::Unplugged,
        };
        rig.headsets[0].becomes(life);
        rig.feed(Input::WorldChanged(WorldChange::HotPlug));
        rig.pass(HOUR / 4);
        match rig.tenant.take() {
            None => {}
            Some(TenantRequest::FetchPolicy { have: Some(1) }) => {
                polls += 1;
                rig.feed(Input::Tenant(TenantAnswer::Policy(Ok(None))));
            }
            other => panic!("{other:?}"),
        }
    }
    assert!((3..=5).contains(&polls), "every six hours, in a day: {polls}");
    assert_eq!((rig.disk.owed.len(), rig.service.outbox.len(), rig.disk.devices.len()), (0, 0, 0));
    assert_eq!(rig.heard.tenant.problem, None, "nothing is wrong with that");
}

#[test]
fn its_firmware_is_installed_and_the_verdict_is_the_person_s_alone() {
    let mut rig = read(&offer("1.20"));
    assert_eq!(rig.install(), None);
    assert!(matches!(rig.fetch, Some((_, Source::Tenant { .. }))), "without a token: {:?}", rig.tenant);
    rig.fetched(headset::package(1, "1.20"));
    assert!(rig.usb.is_some() || rig.job().is_some_and(|job| job.outcome.is_none()), "{:?}", rig.job());
    rig.feed(said(ToMachine::CancelUpdate { request: 5, offer: None, anyway: true }));
    assert_eq!(rig.disk.owed, []);
}

/// Nobody is in a group by hand there; those of the directory count all the same.
#[test]
fn groups_by_hand_hold_nobody_up() {
    let mut policy: serde_json::Value = serde_json::from_str(&offer("1.20")).expect("JSON");
    policy["groups"] = json!([{ "id": "vip", "name": "VIP", "priority": 1, "rule": { "kind": "manual" } }]);
    let rig = read(&policy.to_string());
    assert_eq!(rig.tenant, None);
    let ids: Vec<&str> = rig.heard.groups.iter().map(|group| group.id.as_str()).collect();
    assert_eq!(ids, ["all-users"]);
    assert_eq!(rig.offers().len(), 1);
}

/// What is known stays, with its age; also over a stop.
#[test]
fn that_cannot_be_read_leaves_the_last_good_policy_and_its_age() {
    let mut rig = read(&offer("1.20"));
    let seen = rig.now.unix_s;
    assert_eq!(rig.heard.tenant.policy_seen_s, Some(seen));
    rig.pass(HOUR * 7);
    rig.fail_errand(unreadable());
    let tenant = &rig.heard.tenant;
    assert_eq!((tenant.policy_seen_s, tenant.policy_version), (Some(seen), Some(1)));
    assert_eq!(tenant.problem.as_ref().map(|p| p.code.as_str()), Some("tenant-folder-unreadable"));
    assert_eq!(rig.offers().len(), 1);
    let mut rig = start(rig.disk);
    assert_eq!((rig.heard.tenant.policy_seen_s, rig.heard.tenant.last_poll_s), (Some(seen), None));
    rig.identity(&["all-users"]);
    assert_eq!(rig.offers().len(), 1);
    rig.pass(Duration::from_secs(300));
    rig.fail_errand(unreadable());
    // As soon as the network is another one, the share may be there.
    rig.feed(Input::WorldChanged(WorldChange::Network));
    rig.pass(Duration::from_secs(15));
    assert!(matches!(rig.tenant, Some(TenantRequest::FetchPolicy { .. })), "{:?}", rig.tenant);
    let now = rig.now.unix_s;
    rig.feed(Input::Tenant(TenantAnswer::Policy(Ok(None))));
    assert_eq!((rig.heard.tenant.policy_seen_s, rig.heard.tenant.problem.clone()), (Some(now), None));
}

/// From a server to a folder and back: each is another tenant.
#[test]
fn a_server_and_a_folder_are_two_tenants() {
    let mut rig = Rig::ready(vec![Headset::new(1)], &offer("1.20"), &["all-users"]);
    rig.headsets[0].becomes(headset::Life::Unplugged);
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
    assert!(!rig.disk.owed.is_empty());
    rig.feed(Input::TenancyChanged(of(Some(FOLDER))));
    assert!(matches!(rig.tenant, Some(TenantRequest::FetchPolicy { have: None })), "{:?}", rig.tenant);
    assert_eq!((rig.disk.owed.len(), &rig.disk.credential, rig.disk.policy.is_none()), (0, &None, true));
    assert_eq!((rig.heard.tenant.mode, rig.heard.tenant.outbox), (TenantMode::Folder, 0));
    rig.policy(&offer("1.30"), 7);
    rig.feed(Input::TenancyChanged(of(Some("https://t"))));
    assert!(matches!(rig.tenant, Some(TenantRequest::Enrol { .. })), "{:?}", rig.tenant);
    assert!(rig.disk.policy.is_none());
    assert_ne!(of(Some("https://t/")).name(), of(Some("folder+https://t/")).name());
    // Another signature at the same place is another company; another word for it is not.
    let pinned = |pin: &str, id: Option<&str>| {
        let (root_sha256, tenant_id) = (Some(pin.to_owned()), id.map(str::to_owned));
        Tenancy { root_sha256, tenant_id, ..of(Some(FOLDER)) }.name()
    };
    assert_ne!(pinned("a", None), pinned("b", None));
    assert_eq!(pinned("a", None), pinned("a", Some("acme")));
}

/// A static tree may refuse, too: there is no credential that could be the reason.
#[test]
fn that_refuses_is_asked_again_and_not_enrolled_with() {
    let mut rig = start(Disk::default());
    rig.fail(FailureKind::Unauthorized, None);
    rig.pass(HOUR);
    assert!(matches!(rig.tenant, Some(TenantRequest::FetchPolicy { .. })), "{:?}", rig.tenant);
}

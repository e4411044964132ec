//! Who the machine is to the tenant: its key is on disk before the tenant hears of it, and a copy is a host of its own.

use super::headset::offer;
use super::*;

/// The same data under another machine's config.
fn woken_on(disk: Disk, machine: &str) -> Rig {
    let mut rig = Rig::start(None, Disk::default(), vec![], Instant::now());
    let config = Config { identity: identity("host-2", machine), ..config(Some("https://t")) };
    rig.service = MachineRole::new(config, disk.read(), rig.now);
    (rig.disk, rig.tenant, rig.out) = (disk, None, Vec::new());
    rig.drain();
    rig.hello();
    rig
}

fn ready() -> Rig {
    let mut rig = Rig::ready(vec![Headset::new(1)], &offer("1.20"), &["all-users"]);
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
    rig
}

#[test]
fn a_cloned_machine_is_a_host_of_its_own_and_says_so() {
    let mut rig = ready();
    rig.headsets.clear();
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
    assert!(!rig.disk.owed.is_empty(), "something is owed when the copy is made");
    let (before, credential) = (rig.disk.owed.clone(), rig.disk.credential.clone());
    assert!(credential.is_some());

    let mut clone = woken_on(rig.disk.clone(), "machine-2");
    assert_eq!(clone.service.system_id(), "host-2");
    assert_eq!(clone.service.notice().expect("said").code, Code::HostCopied);
    assert_eq!(clone.disk.credential, None, "the token is the other host's");
    assert!(
        before.iter().all(|owed| !clone.disk.owed.contains(owed)),
        "what the other host owes it says itself"
    );
    clone.pass(Duration::from_secs(300));
    let Some(TenantRequest::Enrol { system_id, host_key }) = &clone.tenant else {
        panic!("{:?}", clone.tenant)
    };
    assert_eq!((system_id.as_str(), host_key), ("host-2", clone.service.host_key()));
    assert_ne!(Some(host_key), rig.disk.identities[0].key.as_ref());
    let registered = clone.disk.owed.iter().find_map(|owed| match &owed.delivery {
        Delivery::Host(host) => host.copied_from.clone(),
        _ => None,
    });
    assert_eq!(registered.as_deref(), Some("host-1"));
    let event = |owed: &Owed| matches!(&owed.delivery, Delivery::Event(e) if e.kind.ends_with("host.copied"));
    assert_eq!(clone.disk.owed.iter().filter(|owed| event(owed)).count(), 1);
    clone.enrolled();

    // Once: at the next start it is simply that host.
    let again = woken_on(clone.disk, "machine-2");
    assert_eq!((again.service.system_id(), again.service.notice()), ("host-2", None));
    assert!(again.disk.credential.is_some());
    // The machine it was copied from notices nothing.
    let original = woken_on(rig.disk, "machine-1");
    assert_eq!((original.service.system_id(), original.service.notice()), ("host-1", None));
    assert_eq!(original.disk.credential, credential);
}

#[test]
fn a_key_that_is_not_on_disk_is_not_shown_to_the_tenant() {
    let mut rig = Rig::start(None, Disk::default(), vec![], Instant::now());
    rig.full = true;
    rig.service = MachineRole::new(config(Some("https://t")), Disk::default().read(), rig.now);
    rig.drain();
    for _ in 0..3 {
        assert_eq!(rig.tenant, None, "the next start would have another key, and be kept out");
        assert!(rig.service.tenant_state().problem.is_some());
        rig.pass(REFUSED_WAIT);
    }
    rig.full = false;
    rig.pass(REFUSED_WAIT);
    assert!(matches!(rig.tenant, Some(TenantRequest::Enrol { .. })), "{:?}", rig.tenant);
    assert_eq!(rig.disk.identities, [identity("host-1", "machine-1")]);
}

//! What is owed to the tenant: on disk first, sent until it is taken, and never in a hurry.

use super::headset::{Life, offer};
use super::*;

fn ready() -> Rig {
    Rig::ready(vec![], &offer("1.20"), &["all-users"])
}

fn plug(rig: &mut Rig, n: u8) {
    rig.headsets.push(Headset::new(n));
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
}

fn unplug(rig: &mut Rig) {
    rig.headsets[0].becomes(Life::Unplugged);
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
}

/// What the tenant is being sent, by kind.
fn sent(rig: &Rig) -> Vec<&'static str> {
    let Some(TenantRequest::Deliver { owed, .. }) = &rig.tenant else { return vec![] };
    let kind = |o: &Owed| match &o.delivery {
        Delivery::Host(_) => "host",
        Delivery::User(_) => "user",
        Delivery::Device(d) if d.attached => "attached",
        Delivery::Device(_) => "removed",
        Delivery::Update(_) => "update",
        Delivery::Event(_) => "event",
    };
    owed.iter().map(kind).collect()
}

/// Seconds until the tenant is asked something.
fn wait_s(rig: &mut Rig) -> u64 {
    let start = rig.now.instant;
    while rig.tenant.is_none() {
        let (at, _) = rig.service.poll_timeout().expect("something is planned");
        rig.pass(at - rig.now.instant);
    }
    (rig.now.instant - start).as_secs()
}

#[test]
fn at_the_start_host_user_and_devices_are_registered_at_once_and_events_go_as_one_batch() {
    let mut rig = Rig::managed(vec![Headset::new(1), Headset::new(2)]);
    assert_eq!(rig.owes(), ["host", "event", "event", "attached", "event", "attached", "user"]);
    rig.enrolled();
    rig.policy(&offer("1.20"), 1);
    assert_eq!(sent(&rig), ["host", "attached", "attached", "user"]);
    rig.identity(&["all-users"]);
    rig.deliver_all_of(&["user"]);
    assert_eq!(sent(&rig), ["event", "event", "event"]);
    rig.deliver_all();
    assert_eq!((rig.owes(), rig.service.tenant_state().outbox), (vec![], 0));
}

#[test]
fn a_newer_registration_replaces_an_unsent_older_one_but_not_one_on_its_way() {
    let mut rig = ready();
    plug(&mut rig, 1);
    assert_eq!(sent(&rig), ["attached"]);
    unplug(&mut rig);
    rig.headsets[0].becomes(Life::Runtime);
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
    unplug(&mut rig);
    let devices = |kinds: Vec<&'static str>| kinds.into_iter().filter(|k| *k != "event").collect::<Vec<_>>();
    assert_eq!(devices(rig.owes()), ["attached", "removed"], "one on its way, and the newest");
    let Some(TenantRequest::Deliver { owed, .. }) = rig.tenant.clone() else { panic!("a delivery") };
    rig.feed(Input::Tenant(TenantAnswer::Delivered(Ok(vec![owed[0].id.clone()]))));
    assert_eq!(sent(&rig), ["removed"]);
    rig.deliver_all();
    assert_eq!(devices(rig.owes()), Vec::<&str>::new());
    assert_eq!(rig.owes(), ["event"; 4], "events are all kept");
}

#[test]
fn events_go_two_minutes_after_the_first() {
    let mut rig = ready();
    plug(&mut rig, 1);
    rig.deliver_all();
    rig.pass(Duration::from_secs(60));
    plug(&mut rig, 2);
    rig.deliver_all();
    assert_eq!((rig.owes(), &rig.tenant), (vec!["event", "event"], &None));
    rig.pass(Duration::from_secs(59));
    assert_eq!(rig.tenant, None);
    rig.pass(Duration::from_secs(1));
    assert_eq!(sent(&rig), ["event", "event"]);
    // One that comes while the batch is on its way waits for the next one.
    unplug(&mut rig);
    rig.deliver_all();
    assert_eq!((rig.owes(), &rig.tenant), (vec!["event"], &None));
    rig.pass(Duration::from_secs(121));
    assert_eq!(sent(&rig), ["event"]);
}

#[test]
fn many_events_go_batch_by_batch() {
    let mut rig = ready();
    for _ in 0..1100 {
        rig.service.owe_event("com.hookswitch.test", json!({}), rig.now);
        rig.drain();
    }
    rig.pass(Duration::from_secs(121));
    let mut batches = Vec::new();
    while !sent(&rig).is_empty() {
        batches.push(sent(&rig).len());
        let Some(TenantRequest::Deliver { owed, .. }) = rig.tenant.clone() else { panic!("a delivery") };
        rig.feed(Input::Tenant(TenantAnswer::Delivered(Ok(owed.into_iter().map(|o| o.id).collect()))));
    }
    assert_eq!((batches, rig.owes().len()), (vec![500, 500, 100], 0));
}

#[test]
fn a_failure_is_followed_by_longer_and_longer_waits() {
    let mut rig = ready();
    plug(&mut rig, 1);
    let mut waits = Vec::new();
    for _ in 0..10 {
        rig.fail(FailureKind::ServerError, None);
        waits.push(wait_s(&mut rig));
    }
    assert_eq!(waits, [5, 10, 20, 40, 80, 160, 320, 640, 900, 900]);
    assert!(rig.service.tenant_state().problem.is_some());
    rig.deliver_all();
    assert_eq!(rig.service.tenant_state().problem, None);
    unplug(&mut rig);
    rig.fail(FailureKind::Unreachable, None);
    assert_eq!(wait_s(&mut rig), 5, "success forgives");
}

#[test]
fn retry_after_is_honoured_within_bounds() {
    for (retry_after_s, waited) in [(0, 1..=5), (1, 1..=1), (77, 77..=77), (1_000_000, 900..=900)] {
        let mut rig = ready();
        plug(&mut rig, 1);
        rig.fail(FailureKind::ServerError, Some(Duration::from_secs(retry_after_s)));
        assert_eq!(rig.tenant, None, "never at once");
        let wait = wait_s(&mut rig);
        assert!(waited.contains(&wait), "Retry-After: {retry_after_s} s, waited {wait} s");
    }
}

#[test]
fn a_report_refused_for_good_is_singled_out_and_given_up() {
    let mut rig = ready();
    for n in 1..=4 {
        rig.headsets.push(Headset::new(n));
    }
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
    let Some(TenantRequest::Deliver { owed, .. }) = &rig.tenant else { panic!("a delivery") };
    assert_eq!(owed.len(), 4);
    let bad = owed[1].id.clone();
    let mut refusals = 0;
    for _ in 0..40 {
        let Some(TenantRequest::Deliver { owed, .. }) = rig.tenant.clone() else { break };
        if owed.iter().any(|o| o.id == bad) {
            refusals += u32::from(owed.len() == 1);
            rig.fail(FailureKind::Rejected, None);
        } else {
            rig.feed(Input::Tenant(TenantAnswer::Delivered(Ok(owed.into_iter().map(|o| o.id).collect()))));
        }
        if rig.owes().iter().any(|k| *k != "event") {
            wait_s(&mut rig);
        }
    }
    assert_eq!(refusals, 3);
    assert!(rig.owes().iter().all(|kind| *kind == "event"), "{:?}", rig.owes());
}

#[test]
fn what_was_owed_survives_a_crash_and_is_sent_under_the_same_id() {
    let mut rig = ready();
    plug(&mut rig, 1);
    let Some(TenantRequest::Deliver { owed, .. }) = rig.tenant.clone() else { panic!("a delivery") };
    let mut rig = rig.crash();
    let again = rig.until_delivery();
    assert!(owed.iter().all(|o| again.contains(o)), "the tenant can tell that it is the same: {again:?}");
    let kinds: BTreeSet<&str> = rig.owes().into_iter().collect();
    assert_eq!(kinds, BTreeSet::from(["host", "user", "attached", "event"]));
    let ids: BTreeSet<_> = rig.disk.owed.iter().map(|o| &o.id).collect();
    assert_eq!(ids.len(), rig.disk.owed.len(), "an id is given once");
}

impl Rig {
    /// Takes deliveries until one begins with something else than `kinds`.
    fn deliver_all_of(&mut self, kinds: &[&str]) {
        self.feed_delivered();
        while sent(self).first().is_some_and(|first| kinds.contains(first)) {
            self.feed_delivered();
        }
    }

    fn feed_delivered(&mut self) {
        let Some(TenantRequest::Deliver { owed, .. }) = self.tenant.clone() else { return };
        self.feed(Input::Tenant(TenantAnswer::Delivered(Ok(owed.into_iter().map(|o| o.id).collect()))));
    }

    fn until_delivery(&mut self) -> Vec<Owed> {
        for _ in 0..20 {
            match self.tenant.clone() {
                Some(TenantRequest::Enrol { .. }) => self.enrolled(),
                Some(TenantRequest::FetchPolicy { .. }) => {
                    self.feed(Input::Tenant(TenantAnswer::Policy(Ok(None))));
                }
                Some(TenantRequest::Deliver { owed, .. }) => return owed,
                _ => self.pass(Duration::from_secs(30)),
            }
        }
        panic!("nothing is delivered");
    }
}

//! What begins by itself, and who is asked, with real headsets behind it: [`crate::machine::deployment`] says when.

use super::headset::{Life, package};
use super::*;
use crate::machine::deployment::{NOTICE_S, PAUSE_S, SPREAD_S, place};
use crate::protocol::{Deployment, WaitsFor};

const MINUTE: Duration = Duration::from_secs(60);

/// One policy for everybody with these fields of its own.
fn policy(fields: serde_json::Value) -> String {
    let mut firmware = json!({ "id": "fw", "groups": ["all-users"], "name": "Simulated Headset 1.20",
        "products": [{ "vendor_id": 0x1209, "product_id": 1 }], "version": "1.20", "target": "fw.zip" });
    firmware.as_object_mut().expect("an object").extend(fields.as_object().expect("an object").clone());
    json!({ "schema": 1, "company": "Example", "firmware": [firmware] }).to_string()
}

fn ready(fields: serde_json::Value, headsets: u8) -> Rig {
    let headsets = (1..=headsets).map(Headset::new).collect();
    let mut rig = Rig::managed(headsets);
    rig.enrolled();
    rig.policy(&policy(fields), 1);
    rig
}

/// What the person at the seat was asked since the last time: whether it begins by itself.
fn asked(rig: &mut Rig) -> Vec<bool> {
    let said = |output: Output| match output {
        Output::ToUser { message: ToUser::UpdateAsks { begins, .. }, .. } => Some(begins),
        _ => None,
    };
    rig.take().into_iter().filter_map(said).collect()
}

fn runs(rig: &Rig) -> bool {
    rig.job().is_some_and(|job| job.outcome.is_none())
}

/// The tenant says that nothing is new, and lets the machine in again.
fn answered(rig: &mut Rig) {
    loop {
        match &rig.tenant {
            Some(TenantRequest::Enrol { .. }) => rig.enrolled(),
            Some(TenantRequest::FetchPolicy { .. }) => {
                rig.feed(Input::Tenant(TenantAnswer::Policy(Ok(None))));
            }
            Some(TenantRequest::AssignedGroups { .. }) => {
                rig.feed(Input::Tenant(TenantAnswer::Assigned(Ok(vec![]))));
            }
            Some(TenantRequest::Deliver { .. }) => rig.deliver_all(),
            None => return,
        }
    }
}

/// The running update, to its end.
fn installs(rig: &mut Rig, becomes: u16) {
    assert!(runs(rig), "{:?}", rig.job());
    answered(rig);
    rig.fetched(package(1, "1.20"));
    rig.update_until(becomes, |_| false);
    rig.pass(Duration::from_secs(10));
}

fn next(rig: &Rig) -> Option<WaitsFor> {
    rig.offers().first().and_then(|offer| offer.next).map(|next| next.waits_for)
}

fn defer(rig: &mut Rig) -> Option<Code> {
    let offer = rig.offers()[0].id.clone();
    rig.request(|request| ToMachine::DeferUpdate { request, offer }).map(|problem| problem.code)
}

fn lit(rig: &mut Rig, off_hook: bool) {
    let id = rig.headsets[0].id();
    rig.lights(&id, Indicators { off_hook, ..Indicators::default() });
}

/// The headset says so long that it was told, and one minute later it is written.
#[test]
fn an_automatic_update_begins_a_minute_after_it_was_said() {
    let mut rig = ready(json!({ "deployment": "automatic" }), 1);
    assert_eq!(asked(&mut rig), [true]);
    assert_eq!(next(&rig), Some(WaitsFor::Notice));
    rig.pass(Duration::from_secs(NOTICE_S - 2));
    assert!(!runs(&rig));
    rig.pass(Duration::from_secs(3));
    installs(&mut rig, 0x0120);
    assert_eq!(rig.offers(), []);
    assert_eq!(asked(&mut rig), [true; 0], "said once");
    assert_eq!(rig.disk.deployments, [], "and nothing of it is kept");
}

#[test]
fn an_automatic_update_is_put_off_as_often_as_the_policy_says_and_then_it_begins() {
    let mut rig = ready(json!({ "deployment": "automatic", "deferrals": 3 }), 1);
    for left in [2, 1, 0] {
        assert_eq!(asked(&mut rig), [true]);
        assert!(rig.offers()[0].deferrable);
        assert_eq!(defer(&mut rig), None);
        let offer = &rig.offers()[0];
        assert_eq!((offer.deferrals_left, offer.deferrable), (Some(left), false));
        assert_eq!(next(&rig), Some(WaitsFor::Deferral));
        rig.pass(Duration::from_secs(PAUSE_S - 10));
        assert_eq!(asked(&mut rig), [true; 0], "not before the time is over");
        if left == 1 {
            // A crash forgets none of it.
            let later = rig.an_hour_later();
            rig = rig.crash_and_start(later);
        }
        rig.pass(Duration::from_secs(15));
    }
    assert_eq!(asked(&mut rig), [true], "it is said again, and that is all");
    assert!(!rig.offers()[0].deferrable);
    assert_eq!(defer(&mut rig), Some(Code::DeferralsUsed));
    assert_eq!(rig.disk.deployments.len(), 1);
    rig.pass(2 * MINUTE);
    installs(&mut rig, 0x0120);
    assert_eq!(rig.disk.deployments, [], "what was done is not put off any more");
}

#[test]
fn in_a_call_nothing_begins_and_after_it_the_person_is_told_anew() {
    let mut rig = ready(json!({ "deployment": "automatic" }), 1);
    assert_eq!(asked(&mut rig), [true]);
    rig.pass(Duration::from_secs(30));
    lit(&mut rig, true);
    rig.pass(10 * MINUTE);
    assert!(!runs(&rig));
    lit(&mut rig, false);
    assert_eq!(asked(&mut rig), [true]);
    rig.pass(Duration::from_secs(NOTICE_S - 2));
    assert!(!runs(&rig));
    rig.pass(Duration::from_secs(3));
    assert!(runs(&rig));
}

#[test]
fn another_headset_in_a_call_keeps_this_one_waiting_too() {
    let mut rig = ready(json!({ "deployment": "automatic" }), 2);
    let id = rig.headsets[1].id();
    rig.lights(&id, Indicators { off_hook: true, ..Indicators::default() });
    rig.pass(10 * MINUTE);
    assert!(!runs(&rig));
    assert_eq!(next(&rig), Some(WaitsFor::Call));
}

#[test]
fn with_nobody_there_an_automatic_update_begins_and_the_next_headset_follows() {
    let mut rig = Rig::start(
        Some("https://t"),
        Disk::default(),
        vec![Headset::new(1), Headset::new(2)],
        Instant::now(),
    );
    rig.enrolled();
    rig.policy(&policy(json!({ "deployment": "automatic" })), 1);
    for version in [0x0120, 0x0120] {
        // Whoever has come meanwhile is told before the second one, too.
        rig.pass(MINUTE + Duration::from_secs(10));
        assert!(rig.fetch.is_some(), "one begins");
        rig.fetched(package(1, "1.20"));
        rig.update_until(version, |_| false);
    }
    assert_eq!(rig.disk.history.len(), 2, "{:?}", rig.disk.history);
    assert!(rig.headsets.iter().all(|headset| headset.version == 0x0120));
    rig.pass(10 * MINUTE);
    assert!(rig.fetch.is_none());
}

/// So long after the beginning of a window this computer begins.
fn own_time() -> Duration {
    let own = Duration::from_secs(SPREAD_S * u64::from(place("host-1")) / 65_536);
    assert_eq!(own, Duration::from_secs(21 * 60 + 17));
    own
}

/// The clock of the rig begins at 22:13:20 UTC.
#[test]
fn a_silent_update_waits_for_its_window_and_nobody_is_asked() {
    let window = json!({ "from": "23:00", "until": "04:00" });
    let mut rig = ready(json!({ "deployment": "silent", "window": window }), 1);
    assert_eq!(next(&rig), Some(WaitsFor::Window));
    assert_eq!(
        rig.offers()[0].next.and_then(|next| next.at_s),
        Some(1_700_002_800 + own_time().as_secs()),
        "23:21:17"
    );
    assert_eq!(defer(&mut rig), Some(Code::NotDeferrable));
    rig.pass(46 * MINUTE + own_time());
    assert!(!runs(&rig));
    rig.pass(MINUTE);
    installs(&mut rig, 0x0120);
    assert_eq!(asked(&mut rig), [true; 0]);
}

/// The window is one of the wall: where it is an hour later, it begins an hour earlier.
#[test]
fn a_window_goes_with_the_computer() {
    let window = json!({ "from": "22:30", "until": "04:00" });
    let mut rig = ready(json!({ "deployment": "silent", "window": window }), 1);
    rig.pass(MINUTE);
    assert!(!runs(&rig));
    rig.feed(Input::ZoneChanged(TimeZone::posix("CET-1").expect("a rule of POSIX")));
    assert!(runs(&rig), "there it is 23:14");
}

#[test]
fn a_silent_update_that_fails_is_tried_each_night_and_after_the_third_the_company_is_told() {
    let window = json!({ "from": "23:00", "until": "04:00" });
    let mut rig = ready(json!({ "deployment": "silent", "window": window }), 1);
    rig.deliver_all();
    let mut nights = Vec::new();
    let mut told = 0;
    for day in 0..17 {
        told += rig.take().iter().filter(|output| is_failing(output)).count();
        assert_eq!(told, usize::from(nights.len() >= 3), "on day {day}");
        let end = rig.now.instant + 24 * HOUR;
        while rig.now.instant < end {
            if runs(&rig) {
                nights.push(day);
                installs(&mut rig, 0x0110);
            }
            rig.pass(10 * MINUTE);
        }
    }
    assert_eq!(nights, [0, 1, 2, 9, 16]);
}

fn is_failing(output: &Output) -> bool {
    matches!(output, Output::Persist(Record::Owed(Owed { delivery: Delivery::Event(event), .. }))
        if event.kind == "com.hookswitch.update.failing")
}

#[test]
fn a_persistent_update_is_asked_for_when_somebody_comes_and_at_polls_at_most_each_four_hours() {
    let mut rig = ready(json!({ "deployment": "persistent" }), 1);
    assert_eq!(asked(&mut rig), [false]);
    rig.pass(HOUR);
    assert_eq!(asked(&mut rig), [true; 0], "it waits for the person");
    rig.feed(Input::UserGone { session: JANE });
    rig.hello();
    assert_eq!(asked(&mut rig), [true; 0], "an hour ago they were asked");
    rig.pass(3 * HOUR);
    assert_eq!(asked(&mut rig), [true; 0], "time alone asks nobody");
    rig.feed(Input::UserGone { session: JANE });
    rig.hello();
    assert_eq!(asked(&mut rig), [false]);
    assert!(rig.offers()[0].deferrable);
    assert_eq!(defer(&mut rig), None);
    assert_eq!((next(&rig), rig.offers()[0].deferrals_left), (Some(WaitsFor::Deferral), None));
    // Put off, it is asked for again after the time, without anybody coming.
    rig.pass(4 * HOUR + MINUTE);
    assert_eq!(rig.install(), None, "and it can be installed at any time");
    assert!(runs(&rig));
}

#[test]
fn after_its_deadline_a_persistent_update_begins_by_itself() {
    // Two hours after the rig begins.
    let mut rig =
        ready(json!({ "deployment": "persistent", "deadline": "2023-11-15T00:13:20Z", "deferrals": 0 }), 1);
    assert_eq!(asked(&mut rig), [false]);
    assert_eq!((rig.offers()[0].deployment, next(&rig)), (Deployment::Persistent, Some(WaitsFor::Deadline)));
    rig.pass(2 * HOUR - MINUTE);
    assert_eq!(asked(&mut rig), [true; 0]);
    rig.pass(MINUTE + Duration::from_secs(2));
    assert_eq!(asked(&mut rig), [true]);
    let offer = &rig.offers()[0];
    assert_eq!((offer.deployment, offer.deferrals_left), (Deployment::Automatic, Some(0)));
    rig.pass(2 * MINUTE);
    installs(&mut rig, 0x0120);
}

#[test]
fn an_optional_update_asks_nobody_and_begins_never_by_itself() {
    let mut rig = ready(json!({ "deployment": "optional" }), 1);
    rig.pass(100 * HOUR);
    assert_eq!(asked(&mut rig), [true; 0]);
    assert!(!runs(&rig) && rig.offers()[0].deferrable && rig.offers()[0].next.is_none());
}

/// Who cancels what runs by itself is not overrun at once.
#[test]
fn an_automatic_update_that_is_cancelled_is_put_off() {
    let mut rig = ready(json!({ "deployment": "automatic" }), 1);
    rig.pass(2 * MINUTE);
    assert!(runs(&rig));
    let cancel = |request| ToMachine::CancelUpdate { request, offer: None, anyway: false };
    assert_eq!(rig.request(cancel), None);
    assert!(!runs(&rig));
    rig.pass(HOUR);
    assert!(!runs(&rig));
    assert_eq!((next(&rig), rig.offers()[0].deferrals_left), (Some(WaitsFor::Deferral), Some(2)));
    rig.pass(4 * HOUR);
    assert!(runs(&rig));
}

/// Whoever asked for an update and went home has not asked the others to wait.
#[test]
fn what_waits_for_an_absent_person_keeps_no_night_waiting() {
    let window = json!({ "from": "23:00", "until": "04:00" });
    let mut rig = ready(json!({ "deployment": "silent", "window": window }), 3);
    let offers: Vec<String> = rig.offers().into_iter().map(|offer| offer.id).collect();
    for offer in &offers[..2] {
        let offer = offer.clone();
        assert_eq!(rig.request(|request| ToMachine::InstallUpdate { request, offer }), None);
    }
    rig.feed(Input::UserGone { session: JANE });
    // She hears nothing any more.
    rig.told.clear();
    rig.fetched(package(1, "1.20"));
    rig.update_until(0x0120, |_| false);
    rig.pass(30 * MINUTE);
    assert!(rig.fetch.is_none(), "before its window nothing begins for nobody");
    rig.pass(17 * MINUTE + own_time());
    for _ in 0..2 {
        answered(&mut rig);
        rig.fetched(package(1, "1.20"));
        rig.update_until(0x0120, |_| false);
        rig.pass(10 * Duration::from_secs(1));
    }
    assert!(rig.headsets.iter().all(|headset| headset.version == 0x0120));
    rig.hello();
    assert_eq!(rig.heard.queue, []);
}

#[test]
fn another_company_may_call_its_updates_the_same() {
    let mut rig = ready(json!({ "deployment": "automatic", "deferrals": 1 }), 1);
    assert_eq!(defer(&mut rig), None);
    assert_eq!(rig.disk.deployments.len(), 1);
    rig.feed(Input::TenancyChanged(tenancy::of(Some("https://other"))));
    assert_eq!(rig.disk.deployments, []);
    rig.enrolled();
    rig.policy(&policy(json!({ "deployment": "automatic", "deferrals": 1 })), 1);
    assert_eq!((next(&rig), rig.offers()[0].deferrals_left), (Some(WaitsFor::Notice), Some(1)));
}

/// What was said of an update yesterday is not said of it today.
#[test]
fn one_that_comes_back_is_told_of_anew() {
    let mut rig = ready(json!({ "deployment": "automatic" }), 1);
    assert_eq!(asked(&mut rig), [true]);
    rig.pass(Duration::from_secs(30));
    rig.headsets[0].becomes(Life::Unplugged);
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
    rig.pass(10 * HOUR);
    rig.headsets[0].becomes(Life::Runtime);
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
    rig.pass(Duration::from_secs(5));
    assert_eq!(asked(&mut rig), [true]);
    rig.pass(Duration::from_secs(NOTICE_S - 10));
    assert!(!runs(&rig));
    rig.pass(Duration::from_secs(10));
    assert!(runs(&rig));
}

/// A user role that ends takes its lights along, and its calls may live on.
#[test]
fn whoever_has_just_left_may_be_in_a_call() {
    let window = json!({ "from": "22:40", "until": "04:00" });
    let mut rig = ready(json!({ "deployment": "silent", "window": window }), 1);
    lit(&mut rig, true);
    rig.pass(50 * MINUTE);
    rig.feed(Input::UserGone { session: JANE });
    rig.told.clear();
    rig.pass(Duration::from_secs(20));
    assert!(rig.fetch.is_none(), "{:?}", rig.fetch);
    rig.hello();
    lit(&mut rig, true);
    rig.pass(10 * MINUTE);
    assert!(!runs(&rig));
    lit(&mut rig, false);
    assert!(runs(&rig));
}

#[test]
fn a_company_out_of_reach_is_no_failure_of_the_update() {
    let mut rig = ready(json!({ "deployment": "automatic" }), 1);
    rig.pass(2 * MINUTE);
    answered(&mut rig);
    rig.fail(FailureKind::Unreachable, None);
    assert!(!runs(&rig));
    rig.pass(HOUR + 10 * MINUTE);
    assert!(!runs(&rig), "it is still out of reach");
    assert_eq!((rig.disk.history.len(), rig.disk.deployments.len()), (1, 0));
    // The next word of it.
    while rig.tenant.is_none() {
        rig.pass(10 * MINUTE);
    }
    answered(&mut rig);
    rig.pass(2 * MINUTE);
    installs(&mut rig, 0x0120);
}

/// The notice of one that has to wait for another one is stale when its turn comes.
#[test]
fn a_notice_of_one_that_had_to_wait_is_given_again() {
    let mut rig = ready(json!({ "deployment": "automatic" }), 2);
    assert_eq!(asked(&mut rig), [true, true]);
    rig.pass(MINUTE + Duration::from_secs(5));
    assert!(runs(&rig));
    assert_eq!(next(&rig), Some(WaitsFor::Turn));
    rig.pass(10 * MINUTE);
    assert_eq!(asked(&mut rig), [true; 0]);
    installs(&mut rig, 0x0120);
    assert_eq!((asked(&mut rig), next(&rig)), (vec![true], Some(WaitsFor::Notice)));
    rig.pass(MINUTE);
    installs(&mut rig, 0x0120);
    assert_eq!(rig.offers(), []);
}

#[test]
fn one_that_waits_for_the_company_is_told_of_when_that_answers() {
    for fields in [
        json!({ "deployment": "automatic" }),
        json!({ "deployment": "silent", "window": { "from": "22:00", "until": "21:00" } }),
    ] {
        let silent = fields["deployment"] == "silent";
        let mut rig = ready(fields, 1);
        rig.take();
        answered(&mut rig);
        // Its word is asked for again and does not come.
        while rig.tenant.is_none() {
            assert!(!runs(&rig));
            rig.headsets[0].becomes(Life::Unplugged);
            rig.feed(Input::WorldChanged(WorldChange::HotPlug));
            rig.pass(10 * MINUTE);
        }
        rig.fail(FailureKind::Unreachable, None);
        rig.headsets[0].becomes(Life::Runtime);
        rig.feed(Input::WorldChanged(WorldChange::HotPlug));
        rig.pass(5 * MINUTE);
        assert_eq!((runs(&rig), next(&rig)), (false, Some(WaitsFor::Company)));
        assert_eq!(asked(&mut rig), [true; 0], "nothing is said that cannot be kept");
        while rig.tenant.is_none() {
            rig.pass(10 * MINUTE);
        }
        answered(&mut rig);
        if !silent {
            assert_eq!((asked(&mut rig), next(&rig)), (vec![true], Some(WaitsFor::Notice)));
            rig.pass(2 * MINUTE);
        }
        assert!(runs(&rig));
    }
}

/// What was begun for one company says nothing of an update of the next one that is called the same.
#[test]
fn how_a_left_companys_update_ended_is_not_the_next_ones() {
    let mut rig = ready(json!({ "deployment": "automatic" }), 1);
    rig.pass(2 * MINUTE);
    assert!(runs(&rig));
    answered(&mut rig);
    rig.fetched(package(1, "1.20"));
    rig.feed(Input::TenancyChanged(tenancy::of(Some("https://other"))));
    rig.enrolled();
    rig.policy(&policy(json!({ "deployment": "automatic" })), 1);
    rig.update_until(0x0110, |_| false);
    rig.pass(Duration::from_secs(10));
    assert_eq!(rig.disk.deployments, [], "it failed once, and that was another company's");
}

#[test]
fn said_twice_it_is_put_off_once() {
    let mut rig = ready(json!({ "deployment": "automatic", "deferrals": 3 }), 1);
    for _ in 0..3 {
        assert_eq!(defer(&mut rig), None);
        assert_eq!(rig.offers()[0].deferrals_left, Some(2));
    }
}

#[test]
fn a_silent_update_that_is_cancelled_does_not_begin_again_at_once() {
    let window = json!({ "from": "21:30", "until": "04:00" });
    let mut rig = ready(json!({ "deployment": "silent", "window": window }), 1);
    rig.pass(2 * MINUTE);
    assert!(runs(&rig));
    let cancel = |request| ToMachine::CancelUpdate { request, offer: None, anyway: false };
    assert_eq!(rig.request(cancel), None);
    rig.pass(4 * HOUR - MINUTE);
    assert!(!runs(&rig));
    rig.pass(2 * MINUTE);
    assert!(runs(&rig));
}

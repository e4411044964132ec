//! What the policy offers, and what speaks against it.

use super::headset::{Life, offer, package};
use super::*;

/// Policies `(id, groups, version, deployment)` in the document's order, with groups `a` (first) and `b`.
fn document(firmware: &[(&str, &[&str], &str, &str)]) -> String {
    let one = |(id, groups, version, deployment): &(&str, &[&str], &str, &str)| {
        json!({ "id": id, "groups": groups, "name": format!("{id} {version}"), "version": version,
            "products": [{ "vendor_id": 0x1209, "product_id": 1 }], "target": format!("{id}.zip"),
            "deployment": deployment })
    };
    let group = |id: &str, priority: u32| {
        json!({ "id": id, "name": id, "priority": priority,
        "rule": { "kind": "ldap-query", "filter": "(uid=$user$)" } })
    };
    let ldap =
        json!({ "servers": ["ldaps://dc"], "base_dn": "dc=example", "bind": { "method": "anonymous" } });
    json!({ "schema": 1, "company": "Example", "groups": [group("b", 9), group("a", 1)], "ldap": ldap,
        "firmware": firmware.iter().map(one).collect::<Vec<_>>() })
    .to_string()
}

fn offered(rig: &Rig) -> Vec<(String, String, String)> {
    rig.offers().into_iter().map(|o| (o.policy, o.to_version, o.group)).collect()
}

fn one(policy: &str, version: &str, group: &str) -> Vec<(String, String, String)> {
    vec![(policy.to_owned(), version.to_owned(), group.to_owned())]
}

#[test]
fn the_first_group_with_a_policy_for_the_product_wins() {
    let policy = document(&[
        ("everybody", &["all-users"], "1.50", "optional"),
        ("for-b", &["b"], "1.30", "automatic"),
        ("for-a", &["a"], "1.20", "persistent"),
    ]);
    let everyone = ["a", "b", "all-users"];
    for (groups, expected) in [
        (&everyone[..], one("for-a", "1.20", "a")),
        (&everyone[1..], one("for-b", "1.30", "b")),
        (&everyone[2..], one("everybody", "1.50", "all-users")),
    ] {
        assert_eq!(offered(&Rig::ready(vec![Headset::new(1)], &policy, groups)), expected);
    }
}

#[test]
fn a_group_without_a_policy_for_the_product_is_passed_over() {
    let policy = document(&[("for-b", &["b"], "1.30", "automatic")]);
    let rig = Rig::ready(vec![Headset::new(1)], &policy, &["a", "b", "all-users"]);
    assert_eq!(offered(&rig), one("for-b", "1.30", "b"));
    assert_eq!(rig.offers()[0].deployment, crate::protocol::Deployment::Automatic);
}

#[test]
fn never_a_downgrade_and_never_the_same_again() {
    for (version, offered) in [("1.09", 0), ("1.10", 0), ("1.11", 1), ("2.00", 1), ("10.00", 1)] {
        let rig = Rig::ready(vec![Headset::new(1)], &offer(version), &["all-users"]);
        assert_eq!(rig.offers().len(), offered, "{version} for 1.10");
    }
}

/// Versions with digits above 9 have names and an order of their own; what cannot be compared is said, not left out.
#[test]
fn versions_outside_the_scheme_are_named_compared_or_said_to_be_incomparable() {
    let no_answer = Some("version-not-comparable".to_owned());
    for (has, shown, policy, offered) in [
        (0x0a12, "0x0a12", "0x0a13", Some(None)),
        (0x0a12, "0x0a12", "0x0a12", None),
        (0x0a12, "0x0a12", "0x0a11", None),
        (0x0a12, "0x0a12", "9.99", Some(no_answer.clone())),
        (0x0110, "1.10", "0x0a11", Some(no_answer.clone())),
        (0xffff, "0xffff", "1.20", Some(no_answer)),
    ] {
        let odd = Headset { version: has, ..Headset::new(1) };
        let rig = Rig::ready(vec![odd], &offer(policy), &["all-users"]);
        let blocked = blocked(&rig);
        assert_eq!(blocked.first(), offered.as_ref(), "{policy} for {shown}");
        assert!(rig.offers().iter().all(|o| o.from_version == shown && o.to_version == policy));
    }
}

#[test]
fn the_first_group_decides_even_if_its_version_is_there_already() {
    let policy =
        document(&[("for-a", &["a"], "1.10", "optional"), ("all", &["all-users"], "1.50", "optional")]);
    assert_eq!(Rig::ready(vec![Headset::new(1)], &policy, &["a", "all-users"]).offers(), []);
}

#[test]
fn a_deferred_offer_says_so_until_the_version_changes() {
    let mut rig = Rig::ready(vec![Headset::new(1)], &offer("1.20"), &["all-users"]);
    let id = rig.offers()[0].id.clone();
    let from = rig.out.len();
    assert_eq!(rig.request(|request| ToMachine::DeferUpdate { request, offer: id }), None);
    let told: Vec<&str> = rig.out[from..]
        .iter()
        .filter_map(|o| match o {
            Output::Persist(Record::Deferred { .. }) => Some("disk"),
            Output::ToUser { message: ToUser::OffersChanged { .. }, .. } => Some("offers"),
            Output::ToUser { message: ToUser::Answer { .. }, .. } => Some("answer"),
            _ => None,
        })
        .collect();
    assert_eq!(told, ["disk", "offers", "answer"], "the answer comes when what it answers for is seen");
    assert!(rig.offers()[0].deferred);
    let mut rig = rig.crash();
    rig.policy_after_splay(&offer("1.20"), 1);
    assert!(rig.offers()[0].deferred, "it survives a crash");
    rig.pass(7 * HOUR);
    rig.answer_until_policy();
    rig.policy(&offer("1.30"), 2);
    assert!(!rig.offers()[0].deferred, "another version is another offer");
    let nothing = rig.request(|request| ToMachine::DeferUpdate { request, offer: "x:y".to_owned() });
    assert_eq!(nothing.map(|p| p.code.as_str().to_owned()), Some("no-such-offer".to_owned()));
}

fn blocked(rig: &Rig) -> Vec<Option<String>> {
    rig.offers().into_iter().map(|o| o.blocked.map(|p| p.code.as_str().to_owned())).collect()
}

fn code(problem: Option<Problem>) -> Option<String> {
    problem.map(|p| p.code.as_str().to_owned())
}

#[test]
fn a_headset_in_a_call_is_not_updated() {
    let in_call = Some("in-call".to_owned());
    let mut rig = Rig::ready(vec![Headset::new(1)], &offer("1.20"), &["all-users"]);
    let id = rig.headsets[0].id();
    for lights in [
        Indicators { off_hook: true, ..Indicators::default() },
        Indicators { ring: true, ..Indicators::default() },
    ] {
        rig.lights(&id, lights);
        assert_eq!(blocked(&rig), std::slice::from_ref(&in_call));
        assert_eq!(code(rig.install()), in_call);
        assert_eq!((rig.job(), &rig.tenant), (None, &None), "nothing was begun");
        rig.lights(&id, Indicators::default());
        rig.pass(Duration::from_secs(2));
        assert_eq!(blocked(&rig), [None]);
    }
    // Another softphone's call, as the headset says.
    rig.feed(Input::HidReport { path: rig.headsets[0].path.clone(), bytes: vec![1, 0b10] });
    assert_eq!(blocked(&rig), std::slice::from_ref(&in_call));
    rig.feed(Input::HidReport { path: rig.headsets[0].path.clone(), bytes: vec![1, 0] });
    assert_eq!(blocked(&rig), [None]);
}

#[test]
fn without_a_dfu_interface_nothing_is_begun() {
    let plain = Headset { updatable: false, ..Headset::new(1) };
    let bluetooth = Headset { port: None, ..Headset::new(2) };
    for headset in [plain, bluetooth] {
        let mut rig = Rig::ready(vec![headset], &offer("1.20"), &["all-users"]);
        assert_eq!(blocked(&rig), [Some("no-dfu-interface".to_owned())]);
        assert_eq!(code(rig.install()), Some("no-dfu-interface".to_owned()));
        assert_eq!(rig.job(), None);
    }
}

#[test]
fn an_unavailable_headset_says_why() {
    let mut rig = Rig::managed(vec![]);
    rig.denied.insert("/dev/hidraw1".to_owned());
    rig.headsets.push(Headset::new(1));
    rig.enrolled();
    rig.feed(Input::WorldChanged(WorldChange::HotPlug));
    rig.policy(&offer("1.20"), 1);
    rig.identity(&["all-users"]);
    assert_eq!(blocked(&rig), [Some("hid-access-denied".to_owned())]);
    assert_eq!(code(rig.install()), Some("hid-access-denied".to_owned()));
}

#[test]
fn one_job_at_a_time_and_a_new_hello_sees_it() {
    let mut rig = Rig::ready(vec![Headset::new(1), Headset::new(2)], &offer("1.20"), &["all-users"]);
    assert_eq!(rig.offers().len(), 2);
    let second = rig.offers()[1].id.clone();
    assert_eq!(rig.install(), None);
    let accepted = rig.request(|request| ToMachine::InstallUpdate { request, offer: second.clone() });
    assert_eq!(accepted, None);
    assert_eq!(rig.offers().len(), 1, "the headset at work is not offered anything");
    rig.out.clear();
    rig.hello();
    let Some(Output::ToUser { message: ToUser::Hello(state), .. }) = rig.out.first() else {
        panic!("{:?}", rig.out)
    };
    assert_eq!(state.job.as_ref().map(|j| j.phase), Some(JobPhase::Fetching));
    assert_eq!(state.queue.iter().map(|j| j.phase).collect::<Vec<_>>(), [JobPhase::Queued]);
    let updating: Vec<_> = state.devices.iter().map(|d| d.status == DeviceStatus::Updating).collect();
    assert_eq!(updating, [false, false], "before its package is here it is at work");
    let offer = Some(second);
    assert_eq!(rig.request(|request| ToMachine::CancelUpdate { request, offer, anyway: false }), None);
    assert_eq!(
        code(rig.request(|request| ToMachine::CancelUpdate { request, offer: None, anyway: false })),
        None
    );
    assert_eq!(
        code(rig.request(|request| ToMachine::CancelUpdate { request, offer: None, anyway: false })),
        Some("no-update-running".to_owned())
    );
    assert_eq!(rig.offers().len(), 2);
}

impl Rig {
    /// After a start with a policy on disk the first poll is spread.
    fn policy_after_splay(&mut self, json: &str, version: u64) {
        self.pass(Duration::from_secs(301));
        self.answer_until_policy();
        self.policy(json, version);
        self.deliver_all();
    }

    /// Enrols and delivers until the tenant is asked for the policy.
    pub(super) fn answer_until_policy(&mut self) {
        for _ in 0..20 {
            match self.tenant {
                Some(TenantRequest::Enrol { .. }) => self.enrolled(),
                Some(TenantRequest::Deliver { .. }) => self.deliver_all(),
                Some(TenantRequest::FetchPolicy { .. }) => return,
                _ => self.pass(Duration::from_secs(60)),
            }
        }
        panic!("the tenant is not asked: {:?}", self.tenant);
    }
}

/// Neither a package nor a model that names a way which is not built is written in the one that is.
#[test]
fn a_method_that_is_not_built_is_refused_and_never_taken_for_another() {
    let mut rig = Rig::ready(vec![Headset::new(1)], &offer("1.20"), &["all-users"]);
    assert_eq!(rig.install(), None);
    let stored = |names: &str| {
        let rules = r#"{"schema":1,"name":"n","vendor":"v","version":"1.20","targets":[{"vid":"1209","pid":"0001"}],
            "components":[{"id":"main","file":"a.bin","method":"METHOD","version":"1.20","size":1}]}"#;
        dfu::package::Rules::parse(rules.replace("METHOD", names).as_bytes())
    };
    assert!(stored("usb-dfu").is_ok());
    for name in ["jabra-gnp", "USB-DFU", ""] {
        let unknown = stored(name).expect_err("a method that is not built");
        let detail = Detail::from(&unknown);
        assert_eq!(
            (detail.code.as_str(), detail.details["error"].code.as_str()),
            ("rules-method", "method-unknown")
        );
        let archive = Archive { contents: Err(detail), ..package(1, "1.20").get().clone() };
        let (job, _) = rig.fetch.clone().expect("a transfer");
        rig.feed(Input::Fetched { job, result: Ok(Verified::vouched(archive, 1)) });
        let Some(Outcome::Failed { problem }) = rig.job().and_then(|job| job.outcome.clone()) else {
            panic!("{:?}", rig.job())
        };
        assert_eq!(problem.code, Code::PackageRefused);
        assert_eq!((&rig.usb, rig.headsets[0].life), (&None, Life::Runtime), "it was touched");
        assert_eq!(rig.install(), None);
    }

    // A Speak 510: its way into USB DFU is its maker's own.
    let mut rig =
        Rig::ready(vec![], &offer("1.20").replace("4617", "2830").replace(":1}", ":1056}"), &["all-users"]);
    let mut node = Headset::new(1).node().expect("a node");
    (node.vendor_id, node.product_id) = (0x0b0e, 0x0420);
    let mut usb = Headset::new(1).device().expect("a device");
    (usb.identity.vid, usb.identity.pid) = (0x0b0e, 0x0420);
    rig.feed(Input::Scanned(Scan { hid: vec![node], usb: Some(vec![usb]) }));
    let blocked = rig.offers()[0].blocked.clone().expect("a reason");
    assert_eq!(
        (blocked.code.as_str(), blocked.details["why"].code.as_str()),
        ("method-unknown", "method-unknown")
    );
    assert_eq!(
        rig.install().map(|refused| refused.code.as_str().to_owned()),
        Some("method-unknown".to_owned())
    );
}

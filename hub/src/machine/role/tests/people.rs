//! Which groups the people at the machine are in, as far as the policy asks.

use super::*;
use crate::protocol::Why;
use crate::world::WorldChange;

/// `sales` and `it` by query, `hand` by hand.
fn policy() -> String {
    let by_query = |id: &str, priority: u32| {
        let filter = format!("(&(cn={id})(uid=$user$))");
        json!({ "id": id, "name": id, "priority": priority, "rule": { "kind": "ldap-query", "filter": filter } })
    };
    let hand = json!({ "id": "hand", "name": "hand", "priority": 3, "rule": { "kind": "manual" } });
    let bind = json!({ "method": "simple", "dn": "cn=reader", "password": "Hydrargyrum" });
    json!({ "schema": 1, "company": "Example", "groups": [by_query("sales", 5), by_query("it", 1), hand],
        "ldap": { "servers": ["ldaps://dc"], "base_dn": "dc=example", "bind": bind } })
    .to_string()
}

/// The policy is in force, the tenant says that everybody is in `hand`, the directory is asked.
fn asked() -> Rig {
    let mut rig = Rig::managed(vec![]);
    rig.enrolled();
    rig.policy(&policy(), 1);
    by_hand(&mut rig);
    rig
}

fn by_hand(rig: &mut Rig) {
    rig.deliver_all();
    while let Some(TenantRequest::AssignedGroups { .. }) = rig.tenant {
        rig.feed(Input::Tenant(TenantAnswer::Assigned(Ok(vec!["hand".to_owned()]))));
        rig.deliver_all();
    }
}

fn lost() -> Problem {
    Reason::DirectoryUnreachable { detail: Detail::verbatim("away") }.at("dc")
}

fn ids(groups: &[ResolvedGroup]) -> Vec<&str> {
    groups.iter().map(|g| g.id.as_str()).collect()
}

#[test]
fn the_directory_is_asked_and_the_person_and_the_tenant_hear_the_answer() {
    let mut rig = asked();
    let [(user, rules)] = rig.directory.as_slice() else { panic!("one question: {:?}", rig.directory) };
    assert_eq!((user.as_str(), rules.policy_version), ("jane", 1));
    assert_eq!(rig.heard.groups, [], "not before the answer");
    rig.identity(&["sales", "it", "of-nobody"]);
    assert_eq!(ids(&rig.heard.groups), ["it", "hand", "sales", "all-users"]);
    let filter = "(&(cn=it)(uid=$user$))".to_owned();
    assert_eq!(rig.heard.groups[0].why, Why::LdapQuery { server: "ldap://dc".to_owned(), filter });
    assert_eq!((&rig.heard.groups[1].why, &rig.heard.groups[3].why), (&Why::Assigned, &Why::Everyone));
    assert_eq!(rig.disk.groups["jane"], rig.heard.groups);
    let registered = rig.disk.owed.iter().any(|owed| match &owed.delivery {
        Delivery::User(user) => user.groups.len() == 4,
        _ => false,
    });
    assert!(registered, "the tenant hears of it: {:?}", rig.disk.owed);
    rig.lights("nobody", Indicators::default());
    assert_eq!(rig.directory, [], "the same rules are no question");
    let old = DirectoryAnswer { policy_version: 0, found: Ok((String::new(), vec![])), refused: vec![] };
    rig.feed(Input::Directory { user: "jane".to_owned(), answer: old });
    assert_eq!(rig.heard.groups.len(), 4, "an answer to rules that are no longer in force");
}

/// A user role is another process, of somebody who may not be who they say and may not have what the company has.
#[test]
fn no_word_to_a_user_role_holds_the_directory_s_password() {
    let mut rig = asked();
    rig.directory_says(Err(lost()));
    rig.hello();
    let rules = |output: &Output| matches!(output, Output::AskDirectory { .. });
    assert!(rig.out.iter().any(rules));
    for output in &rig.out {
        if let Output::ToUser { message, .. } = output {
            let said = serde_json::to_string(message).expect("JSON");
            assert!(!said.contains("Hydrargyrum") && !said.contains("cn=reader"), "{said}");
        }
    }
}

#[test]
fn groups_of_last_time_are_told_and_stay_while_the_directory_is_away() {
    let mut rig = asked();
    rig.identity(&["it"]);
    rig.deliver_all();
    let mut rig = rig.crash();
    assert_eq!(ids(&rig.heard.groups), ["it", "hand", "all-users"], "known from the store");
    by_hand(&mut rig);
    rig.directory_says(Err(lost()));
    assert_eq!(ids(&rig.heard.groups), ["it", "hand", "all-users"]);
    assert_eq!(rig.heard.groups[0].why, Why::LastKnown { problem: lost() });
    assert_eq!(rig.heard.groups_problem, Some(lost()));
}

#[test]
fn the_directory_is_asked_again_later_and_later_and_when_the_world_changes() {
    let mut rig = asked();
    let mut waits = Vec::new();
    for _ in 0..8 {
        rig.directory_says(Err(lost()));
        let begun = rig.now.instant;
        let (at, why) = rig.service.people.poll_timeout().expect("a retry");
        assert!(!why.is_empty());
        rig.pass(at - begun - MS);
        assert_eq!(rig.directory, [], "too early");
        rig.pass(MS);
        assert_eq!(rig.directory.len(), 1);
        waits.push((at - begun).as_secs());
    }
    assert_eq!(waits, [60, 120, 240, 480, 960, 1800, 1800, 1800]);
    rig.directory_says(Err(lost()));
    rig.feed(Input::WorldChanged(WorldChange::Network));
    let (at, _) = rig.service.people.poll_timeout().expect("a retry");
    assert_eq!(at - rig.now.instant, Duration::from_secs(3));
    rig.pass(Duration::from_secs(3));
    rig.identity(&["it"]);
    assert_eq!((rig.service.people.poll_timeout(), rig.heard.groups_problem.clone()), (None, None));
    rig.feed(Input::WorldChanged(WorldChange::Resumed));
    assert_eq!(rig.service.people.poll_timeout(), None, "it was not away");
}

/// One query that fails says nothing about membership: the answer of last time stays for that group alone.
#[test]
fn a_query_that_fails_on_its_own_keeps_its_last_answer() {
    let mut rig = asked();
    rig.identity(&["sales", "it"]);
    rig.feed(said(ToMachine::Poll { request: 1 }));
    rig.feed(Input::Tenant(TenantAnswer::Policy(Ok(None))));
    rig.pass(MS);
    let (user, rules) = rig.directory.pop().expect("asked with every poll");
    let refused = vec![("sales".to_owned(), lost())];
    let found = Ok(("ldap://dc".to_owned(), vec![]));
    let answer = DirectoryAnswer { policy_version: rules.policy_version, found, refused };
    rig.feed(Input::Directory { user, answer });
    assert_eq!(ids(&rig.heard.groups), ["hand", "sales", "all-users"], "the directory says that she left IT");
    assert_eq!(rig.heard.groups[1].why, Why::LastKnown { problem: lost() });
    assert_eq!(rig.heard.groups_problem, Some(lost()));
    assert!(rig.service.people.poll_timeout().is_some(), "it is asked again");
}

#[test]
fn equal_priorities_stand_in_the_order_of_the_policy() {
    let mut rig = Rig::managed(vec![]);
    rig.enrolled();
    let group = |id: &str| json!({ "id": id, "name": id, "priority": 5, "rule": { "kind": "manual" } });
    let policy = json!({ "schema": 1, "company": "Example", "groups": [group("zeta"), group("alpha")] });
    rig.policy(&policy.to_string(), 1);
    rig.deliver_all();
    let both = ["alpha", "zeta"].map(str::to_owned).to_vec();
    rig.feed(Input::Tenant(TenantAnswer::Assigned(Ok(both))));
    assert_eq!(ids(&rig.heard.groups), ["zeta", "alpha", "all-users"]);
}

#[test]
fn each_person_has_groups_of_their_own_and_the_tenant_is_asked_for_each() {
    let mut rig = asked();
    rig.identity(&["it"]);
    let joe = SessionId(2);
    rig.came(joe, "joe");
    rig.feed(Input::User { session: joe, message: ToMachine::Hello { protocol: PROTOCOL_VERSION } });
    rig.deliver_all();
    assert!(matches!(&rig.tenant, Some(TenantRequest::AssignedGroups { user, .. }) if user == "joe"));
    rig.feed(Input::Tenant(TenantAnswer::Assigned(Ok(vec![]))));
    assert_eq!(rig.directory.iter().map(|(user, _)| user.as_str()).collect::<Vec<_>>(), ["joe"]);
    rig.identity(&["sales"]);
    assert_eq!(ids(&rig.others[&joe].heard.groups), ["sales", "all-users"]);
    assert_eq!(ids(&rig.heard.groups), ["it", "hand", "all-users"]);
    let users: BTreeSet<&str> = rig.disk.groups.keys().map(String::as_str).collect();
    assert_eq!(users, BTreeSet::from(["jane", "joe"]));
}

//! Who the user is, as far as the policy asks.

use super::*;
use hub::protocol::{Directory, GroupRule, GroupRules, ResolvedGroup, TenantState, Why};
use hub::user::DirectoryAnswer;
use hub::world::WorldChange;
use std::time::Duration;

fn rules(version: u64) -> GroupRules {
    let by_query = |id: &str, priority| GroupRule {
        id: id.to_owned(),
        name: id.to_uppercase(),
        priority,
        filter: Some(format!("(&(cn={id})(uid=$user$))")),
        base_dn: None,
    };
    let hand = GroupRule {
        id: "hand".to_owned(),
        name: "HAND".to_owned(),
        priority: 3,
        filter: None,
        base_dn: None,
    };
    GroupRules {
        policy_version: version,
        directory: Some(Directory {
            servers: vec!["ldap://dc".to_owned()],
            base_dn: "dc=example".to_owned(),
            start_tls: true,
            bind: None,
            ca_pem: None,
        }),
        groups: vec![by_query("sales", 5), by_query("it", 1), hand],
        assigned: vec!["hand".to_owned()],
    }
}

fn found(version: u64, ids: &[&str]) -> Input {
    let ids = ids.iter().map(|id| (*id).to_owned()).collect();
    let found = Ok(("ldap://dc".to_owned(), ids));
    Input::Directory(DirectoryAnswer { policy_version: version, found, refused: vec![] })
}

fn lost(version: u64) -> Input {
    let found = Err(problem("directory-unreachable"));
    Input::Directory(DirectoryAnswer { policy_version: version, found, refused: vec![] })
}

fn ids(groups: &[ResolvedGroup]) -> Vec<&str> {
    groups.iter().map(|g| g.id.as_str()).collect()
}

fn told(rig: &Rig) -> Option<(Vec<ResolvedGroup>, Option<Problem>)> {
    rig.outputs.iter().find_map(|o| match o {
        Output::Machine(ToMachine::Identity { groups, problem, user }) => {
            assert_eq!(user, "jane");
            Some((groups.clone(), problem.clone()))
        }
        _ => None,
    })
}

fn asked(rig: &Rig) -> bool {
    rig.outputs.iter().any(|o| matches!(o, Output::AskDirectory { user, .. } if user == "jane"))
}

#[test]
fn the_directory_is_asked_and_the_service_and_the_faces_hear_the_answer() {
    let mut rig = Rig::with(&["d"]);
    rig.service(ToUser::ResolveGroups { rules: rules(7) });
    assert!(asked(&rig) && told(&rig).is_none());
    rig.feed(found(7, &["sales", "it", "of-nobody"]));
    let (groups, problem) = told(&rig).expect("said to the service");
    assert_eq!((ids(&groups), problem), (vec!["it", "hand", "sales", "all-users"], None));
    let filter = "(&(cn=it)(uid=$user$))".to_owned();
    assert_eq!(groups[0].why, Why::LdapQuery { server: "ldap://dc".to_owned(), filter });
    assert_eq!((&groups[1].why, &groups[3].why), (&Why::Assigned, &Why::Everyone));
    assert_eq!(rig.agent.view().groups, groups);
    assert!(rig.outputs.contains(&Output::ViewChanged));
    rig.service(ToUser::ResolveGroups { rules: rules(7) });
    assert!(!asked(&rig) && told(&rig).is_none(), "the same rules are no question");
    rig.feed(found(6, &[]));
    assert!(told(&rig).is_none(), "an answer to rules that are no longer in force");
}

#[test]
fn without_a_directory_nobody_is_asked() {
    let mut rig = Rig::with(&[]);
    rig.service(ToUser::ResolveGroups { rules: GroupRules { directory: None, ..rules(1) } });
    assert!(!asked(&rig));
    assert_eq!(ids(&told(&rig).expect("at once").0), ["hand", "all-users"]);
}

#[test]
fn groups_of_last_time_are_shown_and_stay_while_the_directory_is_away() {
    let mut rig = Rig::new();
    let known = vec![
        ResolvedGroup { id: "it".to_owned(), name: "IT".to_owned(), priority: 1, why: Why::Assigned },
        ResolvedGroup {
            id: "all-users".to_owned(),
            name: "All Users".to_owned(),
            priority: u32::MAX,
            why: Why::Everyone,
        },
    ];
    let state = State { rules: Some(rules(1)), known_groups: known, ..State::default() };
    rig.service(ToUser::Hello(Box::new(state)));
    assert!(asked(&rig));
    assert_eq!(ids(&rig.agent.view().groups), ["it", "all-users"], "what offers are made by is shown");
    rig.feed(lost(1));
    let (groups, said) = told(&rig).expect("said");
    assert_eq!(ids(&groups), ["it", "hand", "all-users"]);
    assert_eq!(groups[0].why, Why::LastKnown { problem: problem("directory-unreachable") });
    assert_eq!(said, Some(problem("directory-unreachable")));
    assert_eq!(rig.agent.view().groups_problem, said);
}

#[test]
fn the_directory_is_asked_again_later_and_later() {
    let mut rig = Rig::with(&[]);
    rig.service(ToUser::ResolveGroups { rules: rules(1) });
    let mut waits = Vec::new();
    for _ in 0..8 {
        rig.feed(lost(1));
        let (at, why) = rig.agent.poll_timeout().expect("a retry");
        assert!(!why.is_empty());
        rig.agent.handle_timeout(at - Duration::from_millis(1));
        rig.drain();
        assert!(!asked(&rig), "too early");
        waits.push((at - rig.now).as_secs());
        rig.now = at;
        rig.agent.handle_timeout(at);
        rig.drain();
        assert!(asked(&rig));
    }
    assert_eq!(waits, [60, 120, 240, 480, 960, 1800, 1800, 1800]);
    rig.feed(found(1, &["it"]));
    assert_eq!(rig.agent.poll_timeout(), None);
    assert_eq!(rig.agent.view().groups_problem, None);
}

/// One query that fails says nothing about membership: the answer of last time stays for that group alone.
#[test]
fn a_query_that_fails_on_its_own_keeps_its_last_answer() {
    let mut rig = Rig::with(&[]);
    rig.service(ToUser::ResolveGroups { rules: rules(1) });
    rig.feed(found(1, &["sales", "it"]));
    rig.service(ToUser::ResolveGroups { rules: rules(2) });
    let refused = vec![("sales".to_owned(), problem("directory-query"))];
    let found = Ok(("ldap://dc".to_owned(), vec![]));
    rig.feed(Input::Directory(DirectoryAnswer { policy_version: 2, found, refused }));
    let (groups, said) = told(&rig).expect("said");
    assert_eq!(ids(&groups), ["hand", "sales", "all-users"], "the directory says that the user left IT");
    assert_eq!(groups[1].why, Why::LastKnown { problem: problem("directory-query") });
    assert_eq!(said, Some(problem("directory-query")));
    assert!(rig.agent.poll_timeout().is_some(), "it is asked again");
}

#[test]
fn what_was_looked_at_only_at_start_the_directory_is_asked_with_every_poll_of_the_tenant() {
    let mut rig = Rig::with(&[]);
    rig.service(ToUser::ResolveGroups { rules: rules(1) });
    rig.feed(found(1, &["sales"]));
    for (polled_s, again) in [(1_000, true), (1_000, false), (22_600, true)] {
        let tenant = TenantState { last_poll_s: Some(polled_s), ..TenantState::default() };
        rig.service(ToUser::TenantChanged { tenant });
        rig.agent.handle_timeout(rig.now);
        rig.drain();
        assert_eq!(asked(&rig), again, "after the poll at {polled_s}");
    }
    // New rules are one question, not two.
    let tenant = TenantState { last_poll_s: Some(44_000), ..TenantState::default() };
    rig.service(ToUser::TenantChanged { tenant });
    rig.service(ToUser::ResolveGroups { rules: rules(2) });
    assert!(asked(&rig));
    rig.agent.handle_timeout(rig.now);
    rig.drain();
    assert!(!asked(&rig));
}

#[test]
fn a_directory_that_was_away_is_asked_when_the_world_changes() {
    for change in [WorldChange::Network, WorldChange::Resumed] {
        let mut rig = Rig::with(&[]);
        rig.service(ToUser::ResolveGroups { rules: rules(1) });
        rig.feed(lost(1));
        rig.feed(Input::WorldChanged(change));
        let (at, _) = rig.agent.poll_timeout().expect("a retry");
        assert_eq!(at - rig.now, Duration::from_secs(3), "{change:?}");
        rig.now = at;
        rig.agent.handle_timeout(at);
        rig.drain();
        assert!(asked(&rig));
        rig.feed(found(1, &["sales"]));
        rig.feed(Input::WorldChanged(change));
        assert_eq!(rig.agent.poll_timeout(), None, "it was not away");
    }
}

//! The groups of one person, each with its *why*.
//!
//! On any error of the directory the groups last known stay, marked as such, and the question is asked again later.

use super::rules::{DirectoryAnswer, GroupRule, GroupRules};
use crate::protocol::{ALL_USERS, Problem, ResolvedGroup, Why};
use crate::world::WorldChange;
use std::sync::Arc;
use std::time::{Duration, Instant};

const RETRY_FIRST: Duration = Duration::from_secs(60);
const RETRY_MOST: Duration = Duration::from_secs(30 * 60);
/// A network that has just come has no name server yet, and more of it comes in the next moments.
const NETWORK_SETTLES: Duration = Duration::from_secs(3);

#[derive(Debug, Default)]
pub struct Identity {
    rules: Option<GroupRules>,
    groups: Arc<[ResolvedGroup]>,
    problem: Option<Problem>,
    retry: Option<Instant>,
    failures: u32,
}

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    Ask(GroupRules),
    Resolved,
    Nothing,
}

impl Identity {
    /// The groups of last time, before anything is resolved.
    pub fn known(&mut self, groups: Vec<ResolvedGroup>) {
        if self.groups.is_empty() {
            self.groups = groups.into();
        }
    }

    pub fn groups(&self) -> &Arc<[ResolvedGroup]> {
        &self.groups
    }

    pub fn problem(&self) -> Option<&Problem> {
        self.problem.as_ref()
    }

    pub fn set_rules(&mut self, rules: GroupRules) -> Step {
        if self.rules.as_ref() == Some(&rules) {
            return Step::Nothing;
        }
        self.retry = None;
        self.failures = 0;
        self.rules = Some(rules.clone());
        if asks_directory(&rules) {
            return Step::Ask(rules);
        }
        self.problem = None;
        self.resolve(|_| None);
        Step::Resolved
    }

    pub fn answered(&mut self, answer: DirectoryAnswer, now: Instant) -> Step {
        let Some(rules) = &self.rules else { return Step::Nothing };
        if rules.policy_version != answer.policy_version {
            return Step::Nothing; // an answer to rules that are no longer in force
        }
        let last: Vec<String> = self.groups.iter().map(|g| g.id.clone()).collect();
        match answer.found {
            Ok((server, found)) => {
                self.retry = None;
                let refused = answer.refused;
                match refused.is_empty() {
                    true => self.failures = 0,
                    false => self.ask_later(now),
                }
                self.problem = refused.first().map(|(_, problem)| problem.clone());
                self.resolve(|rule| {
                    let filter = rule.filter.clone()?;
                    // A query that failed says nothing about its group.
                    match refused.iter().find(|(id, _)| *id == rule.id) {
                        Some((_, problem)) => {
                            last.contains(&rule.id).then(|| Why::LastKnown { problem: problem.clone() })
                        }
                        None => found
                            .contains(&rule.id)
                            .then(|| Why::LdapQuery { server: server.clone(), filter }),
                    }
                });
            }
            Err(problem) => {
                self.ask_later(now);
                self.resolve(|rule| {
                    rule.filter.as_ref()?;
                    last.contains(&rule.id).then(|| Why::LastKnown { problem: problem.clone() })
                });
                self.problem = Some(problem);
            }
        }
        Step::Resolved
    }

    /// The directory is asked again after an error.
    pub fn handle_timeout(&mut self, now: Instant) -> Step {
        if self.retry.is_none_or(|at| at > now) {
            return Step::Nothing;
        }
        self.retry = None;
        self.rules.clone().map_or(Step::Nothing, Step::Ask)
    }

    /// A directory that was away may be there now.
    pub fn world_changed(&mut self, change: WorldChange, now: Instant) {
        if matches!(change, WorldChange::Network | WorldChange::Resumed) {
            let settled = now + NETWORK_SETTLES;
            self.retry = self.retry.map(|at| at.min(settled));
        }
    }

    /// At the next opportunity, unless new rules come first.
    pub fn ask_again(&mut self, now: Instant) {
        if self.rules.as_ref().is_some_and(asks_directory) {
            self.retry = Some(now);
        }
    }

    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        self.retry.map(|at| (at, "ask the directory again"))
    }

    fn ask_later(&mut self, now: Instant) {
        let wait = RETRY_FIRST.saturating_mul(1 << self.failures.min(5)).min(RETRY_MOST);
        self.failures += 1;
        self.retry = Some(now + wait);
    }

    fn resolve(&mut self, by_query: impl Fn(&GroupRule) -> Option<Why>) {
        let Some(rules) = &self.rules else { return };
        let mut groups: Vec<ResolvedGroup> = rules
            .groups
            .iter()
            .filter_map(|rule| {
                let by_hand = || rules.assigned.contains(&rule.id).then_some(Why::Assigned);
                let why = by_query(rule).or_else(by_hand)?;
                Some(ResolvedGroup {
                    id: rule.id.clone(),
                    name: rule.name.clone(),
                    priority: rule.priority,
                    why,
                })
            })
            .collect();
        // Stable: of equal priorities the one that the policy names first.
        groups.sort_by_key(|group| group.priority);
        groups.push(everyone());
        self.groups = groups.into();
    }
}

/// The group that everybody is in, also nobody in particular.
pub fn everyone() -> ResolvedGroup {
    ResolvedGroup {
        id: ALL_USERS.to_owned(),
        name: "All Users".to_owned(),
        priority: u32::MAX,
        why: Why::Everyone,
    }
}

fn asks_directory(rules: &GroupRules) -> bool {
    rules.directory.is_some() && rules.groups.iter().any(|g| g.filter.is_some())
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test starts at some instant and moves it by hand")]
mod tests {
    use super::*;
    use crate::machine::people::rules::Directory;
    use crate::problem::{Detail, Reason};

    fn rules(version: u64, assigned: &[&str]) -> GroupRules {
        let rule = |id: &str, priority, filter: Option<&str>| GroupRule {
            id: id.into(),
            name: id.to_uppercase(),
            priority,
            filter: filter.map(str::to_owned),
            base_dn: None,
        };
        GroupRules {
            policy_version: version,
            directory: Some(Arc::new(Directory {
                servers: vec!["ldap://127.0.0.1".into()],
                base_dn: "dc=example".into(),
                start_tls: false,
                bind: None,
                ca_pem: None,
            })),
            groups: Arc::new([
                rule("hand", 3, None),
                rule("sales", 2, Some("(uid=$user$)")),
                rule("it", 1, Some("(a=b)")),
            ]),
            assigned: assigned.iter().map(|s| (*s).to_owned()).collect(),
        }
    }

    fn ids(identity: &Identity) -> Vec<&str> {
        identity.groups().iter().map(|g| g.id.as_str()).collect()
    }

    #[test]
    fn the_first_by_priority_comes_first_and_all_users_last() {
        let mut identity = Identity::default();
        let now = Instant::now();
        assert!(matches!(identity.set_rules(rules(7, &["hand"])), Step::Ask(_)));
        let found = Ok(("ldap://127.0.0.1".to_owned(), vec!["sales".to_owned(), "it".to_owned()]));
        identity.answered(DirectoryAnswer { policy_version: 7, found, refused: vec![] }, now);
        assert_eq!(ids(&identity), ["it", "sales", "hand", "all-users"]);
        assert_eq!(identity.groups()[2].why, Why::Assigned);
        assert_eq!(identity.poll_timeout(), None);
    }

    #[test]
    fn of_equal_priorities_the_one_that_the_policy_names_first_comes_first() {
        let mut identity = Identity::default();
        let mut rules = rules(7, &["hand"]);
        let same = rules.groups.iter().map(|group| GroupRule { priority: 1, ..group.clone() });
        rules.groups = same.collect();
        identity.set_rules(rules);
        let found = Ok(("ldap://127.0.0.1".to_owned(), vec!["it".to_owned(), "sales".to_owned()]));
        identity.answered(DirectoryAnswer { policy_version: 7, found, refused: vec![] }, Instant::now());
        assert_eq!(ids(&identity), ["hand", "sales", "it", "all-users"]);
    }

    #[test]
    fn an_error_keeps_the_last_known_groups_and_asks_again_later() {
        let mut identity = Identity::default();
        let now = Instant::now();
        identity.set_rules(rules(1, &[]));
        let found = Ok(("ldap://127.0.0.1".to_owned(), vec!["sales".to_owned()]));
        identity.answered(DirectoryAnswer { policy_version: 1, found, refused: vec![] }, now);
        identity.set_rules(rules(2, &[]));
        let problem =
            Reason::DirectoryUnreachable { detail: Detail::verbatim("no answer") }.at("ldap://127.0.0.1");
        let lost = DirectoryAnswer { policy_version: 2, found: Err(problem.clone()), refused: vec![] };
        identity.answered(lost.clone(), now);
        assert_eq!(ids(&identity), ["sales", "all-users"]);
        assert_eq!(identity.groups()[0].why, Why::LastKnown { problem });
        let (at, _) = identity.poll_timeout().expect("a retry is planned");
        assert_eq!(at, now + RETRY_FIRST);
        assert_eq!(identity.handle_timeout(now), Step::Nothing);
        assert!(matches!(identity.handle_timeout(at), Step::Ask(_)));
        identity.answered(lost, at);
        assert_eq!(identity.poll_timeout().map(|t| t.0), Some(at + RETRY_FIRST * 2));
    }

    #[test]
    fn an_answer_to_old_rules_changes_nothing() {
        let mut identity = Identity::default();
        identity.set_rules(rules(2, &[]));
        let found = Ok(("ldap://127.0.0.1".to_owned(), vec!["it".to_owned()]));
        let old = DirectoryAnswer { policy_version: 1, found, refused: vec![] };
        assert_eq!(identity.answered(old, Instant::now()), Step::Nothing);
        assert!(identity.groups().is_empty());
    }
}

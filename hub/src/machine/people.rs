//! The people who were at this machine in this run, and which groups each of them is in. What is in the policy decides,
//! never what a user role says.

use super::policy::InForce;
use super::revision::{Revised, Revision};
use crate::protocol::{Problem, ResolvedGroup};
use crate::world::WorldChange;
use identity::{Identity, Step};
use rules::{DirectoryAnswer, GroupRules};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

pub mod identity;
pub mod rules;

/// People remembered; of more, those who are gone are forgotten.
const MOST: usize = 64;

#[derive(Debug, Default)]
pub struct People {
    all: Revised<BTreeMap<String, Person>>,
}

#[derive(Debug, Default)]
struct Person {
    /// Has a user role here.
    present: bool,
    identity: Identity,
    /// Groups by hand, as the tenant says; `None` = it is to be asked.
    assigned: Option<Vec<String>>,
    /// The tenant's last word, for when it is silent.
    last_assigned: Option<Vec<String>>,
    /// What the rules last looked at were made of.
    seen: Option<(u64, Vec<String>)>,
}

/// What comes of a look at somebody's groups.
#[derive(Debug)]
pub enum News {
    Ask { user: String, rules: GroupRules },
    Resolved { user: String, groups: Arc<[ResolvedGroup]> },
}

impl News {
    fn of(user: &str, step: Step, identity: &Identity) -> Option<Self> {
        let user = user.to_owned();
        match step {
            Step::Ask(rules) => Some(News::Ask { user, rules }),
            Step::Resolved => Some(News::Resolved { user, groups: identity.groups().clone() }),
            Step::Nothing => None,
        }
    }
}

impl Person {
    /// The groups by hand with which the policy's rules are to be looked at, if they were not.
    fn unseen(&self, policy: &InForce, assigns: bool) -> Option<&[String]> {
        let assigned = match &self.assigned {
            Some(assigned) => assigned.as_slice(),
            // Nothing to resolve before the tenant was asked for this person's groups.
            None if assigns && policy.has_groups_by_hand() => return None,
            None => &[],
        };
        let seen = self.seen.as_ref();
        let same =
            |(version, before): &(u64, Vec<String>)| *version == policy.version() && before == assigned;
        (self.present && !seen.is_some_and(same)).then_some(assigned)
    }
}

impl People {
    pub(super) fn revision(&self) -> Revision {
        self.all.revision()
    }

    /// `known`: the groups of the last time. Whether the person is new in this run.
    pub fn came(&mut self, user: &str, known: &[ResolvedGroup]) -> bool {
        let new = !self.all.contains_key(user);
        let all = self.all.edit();
        let person = all.entry(user.to_owned()).or_default();
        person.present = true;
        person.identity.known(known.to_vec());
        if all.len() > MOST {
            all.retain(|_, person| person.present);
        }
        new
    }

    pub fn gone(&mut self, user: &str) {
        if let Some(person) = self.all.edit().get_mut(user) {
            person.present = false;
        }
    }

    /// The policy's rules, for whoever has not seen them. `assigns`: the tenant says who is in the groups by hand; else
    /// nobody is.
    pub fn look(&mut self, policy: &InForce, assigns: bool) -> Vec<News> {
        let mut news = Vec::new();
        if !self.is_new_to_anybody(policy, assigns) {
            return news;
        }
        for (user, person) in self.all.edit().iter_mut() {
            let Some(assigned) = person.unseen(policy, assigns).map(<[String]>::to_vec) else { continue };
            let rules = policy.group_rules(&assigned);
            person.seen = Some((policy.version(), assigned));
            let step = person.identity.set_rules(rules);
            news.extend(News::of(user, step, &person.identity));
        }
        news
    }

    pub(super) fn is_new_to_anybody(&self, policy: &InForce, assigns: bool) -> bool {
        self.all.values().any(|person| person.unseen(policy, assigns).is_some())
    }

    pub fn answered(&mut self, user: &str, answer: DirectoryAnswer, now: Instant) -> Option<News> {
        let person = self.all.edit().get_mut(user)?;
        let step = person.identity.answered(answer, now);
        News::of(user, step, &person.identity)
    }

    pub fn handle_timeout(&mut self, now: Instant) -> Vec<News> {
        let mut news = Vec::new();
        if self.poll_timeout().is_none_or(|(at, _)| at > now) {
            return news;
        }
        for (user, person) in self.all.edit().iter_mut().filter(|(_, person)| person.present) {
            let step = person.identity.handle_timeout(now);
            news.extend(News::of(user, step, &person.identity));
        }
        news
    }

    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let present = self.all.values().filter(|person| person.present);
        present.filter_map(|person| person.identity.poll_timeout()).min_by_key(|(at, _)| *at)
    }

    pub fn world_changed(&mut self, change: WorldChange, now: Instant) {
        self.all.edit().values_mut().for_each(|person| person.identity.world_changed(change, now));
    }

    /// What the directory says changes without a word; it is asked as often as the tenant.
    pub fn polled(&mut self, now: Instant) {
        self.all.edit().values_mut().for_each(|person| person.identity.ask_again(now));
        self.ask_tenant_again();
    }

    /// The rules may be another company's, though their number is the same.
    pub(super) fn look_anew(&mut self) {
        self.all.edit().values_mut().for_each(|person| (person.assigned, person.seen) = (None, None));
    }

    /// There is no company that puts anybody into groups.
    pub(super) fn forget_groups(&mut self) {
        for person in self.all.edit().values_mut() {
            *person = Person { present: person.present, ..Person::default() };
        }
    }

    pub fn ask_tenant_again(&mut self) {
        self.all.edit().values_mut().for_each(|person| person.assigned = None);
    }

    /// Those of whom the tenant has to say which groups they are in.
    pub fn unassigned(&self) -> impl Iterator<Item = &str> {
        let to_ask = self.all.iter().filter(|(_, person)| person.present && person.assigned.is_none());
        to_ask.map(|(user, _)| user.as_str())
    }

    pub fn assigned(&mut self, user: &str, groups: Vec<String>) {
        if let Some(person) = self.all.edit().get_mut(user) {
            person.last_assigned = Some(groups.clone());
            person.assigned = Some(groups);
        }
    }

    /// Without the tenant's word the other groups still count, and its last word does; it is asked again with the next
    /// poll.
    pub fn tenant_is_silent(&mut self) {
        for person in self.all.edit().values_mut().filter(|person| person.assigned.is_none()) {
            let groups = person.identity.groups().iter();
            let by_hand = groups.filter(|group| group.why == crate::protocol::Why::Assigned);
            let last = || by_hand.map(|group| group.id.clone()).collect();
            person.assigned = Some(person.last_assigned.clone().unwrap_or_else(last));
        }
    }

    pub fn present(&self) -> impl Iterator<Item = &str> {
        self.all.iter().filter(|(_, person)| person.present).map(|(user, _)| user.as_str())
    }

    /// As last resolved, and why that is not what they should be.
    pub fn groups(&self, user: &str) -> (Arc<[ResolvedGroup]>, Option<&Problem>) {
        let identity = self.all.get(user).map(|person| &person.identity);
        identity.map_or_else(Default::default, |identity| (identity.groups().clone(), identity.problem()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Why;

    #[test]
    fn who_was_here_is_remembered_until_there_are_too_many() {
        let mut people = People::default();
        for n in 0..MOST {
            assert!(people.came(&n.to_string(), &[]));
            people.gone(&n.to_string());
        }
        for n in 0..MOST {
            assert!(!people.came(&n.to_string(), &[]), "{n} of {MOST} is known");
            people.gone(&n.to_string());
        }
        assert!(people.came("one more", &[]));
        assert_eq!(people.present().collect::<Vec<_>>(), ["one more"]);
        assert!(people.came("0", &[]), "those who left are forgotten");
        assert!(!people.came("one more", &[]), "who is here is not");
    }

    /// Asked again with the next poll, and till then in the groups of the tenant's last word.
    #[test]
    fn a_silent_tenant_is_not_waited_for() {
        let group =
            |id: &str, why| ResolvedGroup { id: id.to_owned(), name: id.to_owned(), priority: 0, why };
        let mut people = People::default();
        people.came("jane", &[group("vip", Why::Assigned), group("all", Why::Everyone)]);
        people.came("joe", &[]);
        people.assigned("joe", vec!["it".to_owned()]);
        assert_eq!(people.unassigned().collect::<Vec<_>>(), ["jane"]);
        people.tenant_is_silent();
        assert_eq!(people.unassigned().count(), 0);
        let assigned = |user: &str| people.all[user].assigned.clone();
        assert_eq!(assigned("jane"), Some(vec!["vip".to_owned()]));
        assert_eq!(assigned("joe"), Some(vec!["it".to_owned()]), "what it said today stands");
    }
}

//! The people who were at this machine in this run, and which groups each of them is in. What is in the policy decides,
//! never what a user role says.

use super::policy;
use super::trust::Verified;
use crate::protocol::{Problem, ResolvedGroup};
use crate::world::WorldChange;
use identity::{Identity, Step};
use rules::{DirectoryAnswer, GroupRules};
use std::collections::BTreeMap;
use std::time::Instant;
use tenant::policy::PolicyDocument;

pub mod identity;
pub mod rules;

/// People remembered; of more, those who are gone are forgotten.
const MOST: usize = 64;

#[derive(Debug, Default)]
pub struct People {
    all: BTreeMap<String, Person>,
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
    Resolved { user: String, groups: Vec<ResolvedGroup> },
}

impl News {
    fn of(user: &str, step: Step, identity: &Identity) -> Option<Self> {
        let user = user.to_owned();
        match step {
            Step::Ask(rules) => Some(News::Ask { user, rules }),
            Step::Resolved => Some(News::Resolved { user, groups: identity.groups().to_vec() }),
            Step::Nothing => None,
        }
    }
}

impl People {
    /// `known`: the groups of the last time. Whether the person is new in this run.
    pub fn came(&mut self, user: &str, known: &[ResolvedGroup]) -> bool {
        let new = !self.all.contains_key(user);
        let person = self.all.entry(user.to_owned()).or_default();
        person.present = true;
        person.identity.known(known.to_vec());
        if self.all.len() > MOST {
            self.all.retain(|_, person| person.present);
        }
        new
    }

    pub fn gone(&mut self, user: &str) {
        if let Some(person) = self.all.get_mut(user) {
            person.present = false;
        }
    }

    /// The policy's rules, for whoever has not seen them.
    pub fn look(&mut self, policy: &Verified<PolicyDocument>) -> Vec<News> {
        let by_hand = policy::has_manual_groups(policy.get());
        let mut news = Vec::new();
        for (user, person) in self.all.iter_mut().filter(|(_, person)| person.present) {
            // Nothing to resolve before the tenant was asked for this person's groups.
            let assigned = match &person.assigned {
                Some(assigned) => assigned.as_slice(),
                None if by_hand => continue,
                None => &[],
            };
            let seen = person.seen.as_ref();
            if seen.is_some_and(|(version, by_hand)| *version == policy.version() && by_hand == assigned) {
                continue;
            }
            let rules = policy::group_rules(policy, assigned);
            person.seen = Some((policy.version(), assigned.to_vec()));
            let step = person.identity.set_rules(rules);
            news.extend(News::of(user, step, &person.identity));
        }
        news
    }

    pub fn answered(&mut self, user: &str, answer: DirectoryAnswer, now: Instant) -> Option<News> {
        let person = self.all.get_mut(user)?;
        let step = person.identity.answered(answer, now);
        News::of(user, step, &person.identity)
    }

    pub fn handle_timeout(&mut self, now: Instant) -> Vec<News> {
        let mut news = Vec::new();
        for (user, person) in self.all.iter_mut().filter(|(_, person)| person.present) {
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
        self.all.values_mut().for_each(|person| person.identity.world_changed(change, now));
    }

    /// What the directory says changes without a word; it is asked as often as the tenant.
    pub fn polled(&mut self, now: Instant) {
        self.all.values_mut().for_each(|person| person.identity.ask_again(now));
        self.ask_tenant_again();
    }

    pub fn ask_tenant_again(&mut self) {
        self.all.values_mut().for_each(|person| person.assigned = None);
    }

    /// Those of whom the tenant has to say which groups they are in.
    pub fn unassigned(&self) -> impl Iterator<Item = &str> {
        let to_ask = self.all.iter().filter(|(_, person)| person.present && person.assigned.is_none());
        to_ask.map(|(user, _)| user.as_str())
    }

    pub fn assigned(&mut self, user: &str, groups: Vec<String>) {
        if let Some(person) = self.all.get_mut(user) {
            person.last_assigned = Some(groups.clone());
            person.assigned = Some(groups);
        }
    }

    /// Without the tenant's word the other groups still count, and its last word does; it is asked again with the next
    /// poll.
    pub fn tenant_is_silent(&mut self) {
        for person in self.all.values_mut().filter(|person| person.assigned.is_none()) {
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
    pub fn groups(&self, user: &str) -> (&[ResolvedGroup], Option<&Problem>) {
        let identity = self.all.get(user).map(|person| &person.identity);
        identity.map_or((&[], None), |identity| (identity.groups(), identity.problem()))
    }
}

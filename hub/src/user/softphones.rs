//! What consent and presence mean for the rest of the user role: streams that end, calls that end, what faces show.

use super::sdk::consent::{Approvals, Decided};
use super::{Function, Output, Refusal, Reply, UserRole, WhyNot};
use crate::problem::Reason;
use crate::protocol::Problem;
use crate::protocol::client::ClientId;
use crate::protocol::local::Decider;
use std::time::Instant;

impl UserRole {
    pub(super) fn knock(&mut self, client: &ClientId, token: bool, label: Option<String>) -> Reply {
        let (sessions, spokes, calls) = (&self.sessions, &self.spokes, &self.calls);
        let in_use = |client: &ClientId| {
            let is_here = sessions.is_here(client) || spokes.is_here(client);
            is_here || calls.all().iter().any(|c| c.client == *client)
        };
        let comes = self.consent.knock(client, token, label, in_use);
        comes.map_or_else(Reply::Stranger, |()| Reply::Done)
    }

    /// `softphone`: as the person named it.
    pub(super) fn decide(&mut self, request: u64, softphone: &str, approve: bool) {
        let refused = |why, problem| Reply::Refused(Refusal::new(why, problem));
        let reply = match ClientId::named(softphone) {
            None => refused(WhyNot::NoName, no_name(softphone)),
            Some(client) => match self.consent.decide(&client, approve) {
                Decided::Keep => {
                    let keep = Output::KeepApproval { request, client, approved: approve };
                    return self.outputs.push_back(keep);
                }
                Decided::Done => Reply::Done,
                Decided::Locked(by) => refused(WhyNot::Locked, locked(softphone, by, self.consent.place(by))),
                Decided::Unknown => refused(WhyNot::NoSuchSoftphone, unknown(softphone)),
            },
        };
        self.replies.push(Output::Reply { request, reply });
    }

    pub(super) fn approval_kept(&mut self, request: u64, settings: Result<Approvals, Problem>) {
        let reply = match settings {
            Ok(approvals) => {
                self.consent.set_own(approvals);
                self.function(Function::Approvals, Vec::new());
                Reply::Done
            }
            Err(problem) => {
                self.function(Function::Approvals, vec![problem.clone()]);
                Reply::Refused(Refusal::new(WhyNot::NotKept, problem))
            }
        };
        self.replies.push(Output::Reply { request, reply });
    }

    /// Calls of softphones that did not come back.
    pub(super) fn softphones_gone(&mut self, now: Instant) {
        let mut changes = Vec::new();
        for client in self.sessions.gone(now) {
            // Those of a plugin go with the plugin: scripts of one interpreter are one softphone.
            let spokes = &self.spokes;
            self.calls.end_all(|call| call.client == client && !spokes.owns(call), &mut changes);
        }
        self.publish(changes);
    }

    /// Calls that rang for so long that nobody can be there any more.
    pub(super) fn rings_no_more(&mut self, now: Instant) {
        let over = self.ringing.over(now);
        let mut changes = Vec::new();
        self.calls.end_all(|call| over.contains(&call.id), &mut changes);
        self.publish(changes);
    }

    /// Whoever is not welcome any more has no stream and no call; who asks is told of and shown.
    pub(super) fn settle_softphones(&mut self, now: Instant) {
        let consent = &self.consent;
        let ended = self.sessions.dismiss(|client| consent.welcomes(client));
        self.outputs.extend(ended.into_iter().map(|session| Output::EndStream { session }));
        self.spokes.dismiss(|client| consent.welcomes(client));
        let mut clients = self.calls.all().iter().map(|c| &c.client);
        if let Some(client) = clients.find(|client| !consent.welcomes(client)).cloned() {
            let mut changes = Vec::new();
            self.calls.end_all(|call| call.client == client, &mut changes);
            self.publish(changes);
            return self.settle_softphones(now);
        }
        if let Some(client) = self.consent.tell(now) {
            self.notices.asks(&client);
        }
        let list = self.consent.list(|c| self.sessions.is_here(c) || self.spokes.is_here(c));
        if self.view.softphones != list {
            self.view.softphones = list;
            self.dirty = true;
        }
    }
}

fn locked(softphone: &str, by: Decider, place: &str) -> Problem {
    let by = match by {
        Decider::Company => "company",
        Decider::Environment => "environment",
        Decider::Machine | Decider::Person | Decider::Token => "machine",
    };
    Reason::SoftphoneLocked { by: by.to_owned(), softphone: softphone.to_owned() }.at(place)
}

fn no_name(given: &str) -> Problem {
    let given: String = given.chars().take(300).collect();
    Reason::SoftphoneNoOrigin.at(given)
}

fn unknown(softphone: &str) -> Problem {
    Reason::NoSuchSoftphone.at(softphone)
}

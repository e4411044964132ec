//! What consent and presence mean for the rest of the user role: streams that end, calls that end, what faces show.

use super::sdk::consent::{Approvals, Decided};
use super::sdk::session::is_page;
use super::{Function, Output, Refusal, Reply, UserRole, WhyNot};
use crate::protocol::Problem;
use crate::protocol::local::Decider;
use std::time::Instant;

impl UserRole {
    pub(super) fn decide(&mut self, request: u64, origin: String, approve: bool) {
        let reply = match self.consent.decide(&origin, approve) {
            Decided::Keep => {
                let keep = Output::KeepApproval { request, origin, approved: approve };
                return self.outputs.push_back(keep);
            }
            Decided::Done => Reply::Done,
            Decided::Locked(by) => {
                let place = self.consent.place(by).to_owned();
                Reply::Refused(Refusal::new(WhyNot::Locked, locked(&origin, by, place)))
            }
            Decided::NoOrigin => Reply::Refused(Refusal::new(WhyNot::NoOrigin, no_origin(&origin))),
            Decided::Unknown => Reply::Refused(Refusal::new(WhyNot::NoSuchSoftphone, unknown(&origin))),
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
            self.calls.end_all(Some(&client), &mut changes);
        }
        self.publish(changes);
    }

    /// Whoever is not welcome any more has no stream and no call; who asks is told of and shown.
    pub(super) fn settle_softphones(&mut self, now: Instant) {
        let consent = &self.consent;
        let ended = self.sessions.dismiss(|origin| consent.approves(origin));
        self.outputs.extend(ended.into_iter().map(|session| Output::EndStream { session }));
        let of_page = |name: &&str| is_page(name) && !consent.approves(name);
        let unwelcome: Option<String> =
            self.calls.all().iter().map(|c| c.client.as_str()).find(of_page).map(str::to_owned);
        if let Some(client) = unwelcome {
            let mut changes = Vec::new();
            self.calls.end_all(Some(&client), &mut changes);
            self.publish(changes);
            return self.settle_softphones(now);
        }
        if let Some(origin) = self.consent.tell(now) {
            self.notices.asks(&origin);
        }
        let list = self.consent.list(|origin| self.sessions.is_here(origin));
        if self.view.softphones != list {
            self.view.softphones = list;
            self.dirty = true;
        }
    }
}

fn locked(origin: &str, by: Decider, place: String) -> Problem {
    let (by, what, next) = match by {
        Decider::Company => {
            ("company", format!("Your company approved {origin}"), "Ask the company's IT to take it back.")
        }
        Decider::Environment => (
            "environment",
            "A variable of the environment says which pages may use the headset".to_owned(),
            "Change it where Hookswitch is started.",
        ),
        Decider::Machine | Decider::Person => (
            "machine",
            "Your IT department says which pages may use the headset".to_owned(),
            "Ask your IT department to change it.",
        ),
    };
    Problem::new("softphone-locked", what, place, next).with("by", by).with("origin", origin)
}

fn no_origin(given: &str) -> Problem {
    let given: String = given.chars().take(300).collect();
    Problem::new(
        "softphone-no-origin",
        "This is not how browsers name a web page",
        given,
        "Write scheme and host, such as https://softphone.example; http only for this computer, no path.",
    )
}

fn unknown(origin: &str) -> Problem {
    Problem::new(
        "no-such-softphone",
        "This page does not ask for the headset and is not approved",
        origin,
        "`hookswitch softphones list` shows those that do and are.",
    )
}

//! The way to a machine role in another process. That one may end, and be there again: calls and softphones live on
//! meanwhile, without a headset.

use super::{Function, Loss, Output, UserRole};
use crate::problem::Reason;
use crate::protocol::{PROTOCOL_VERSION, Problem, ToMachine};
use std::time::{Duration, Instant};

const FIRST: Duration = Duration::from_millis(250);
const MOST: Duration = Duration::from_secs(30);
/// Where its coming is told, it is only looked for again now and then, for what may not have been told.
const TOLD: Duration = Duration::from_secs(300);
/// After so many looks in vain only its coming counts.
const LOOKS: u32 = 4;
/// It opens its database before its hello.
const HELLO_LIMIT: Duration = Duration::from_secs(20);
/// One of another version stays so until somebody installs something.
const REFUSED: Duration = Duration::from_secs(300);
/// A connection that lasted this long was a good one: the next wait is short again.
const STEADY: Duration = Duration::from_secs(10);

/// When the machine role is looked for again.
#[derive(Debug, Default)]
pub(super) struct Link {
    failures: u32,
    next: Option<Instant>,
    /// Since its hello.
    since: Option<Instant>,
    /// Until when its hello is waited for.
    hello_by: Option<Instant>,
    /// It took the connection, and said nothing.
    silent: bool,
    /// It speaks another version.
    refused: bool,
    /// Somebody tells when it comes.
    watched: bool,
    /// There is no machine role to ask now.
    away: bool,
}

impl Link {
    pub(super) fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let look = self.next.map(|at| (at, "look for the machine role again"));
        let hello = self.hello_by.map(|at| (at, "the machine role says no hello"));
        [look, hello].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    fn lost(&mut self, now: Instant) {
        let since = self.since.take();
        if since.is_some_and(|since| now >= since + STEADY) {
            self.failures = 0;
        }
        let grown = FIRST.saturating_mul(1 << self.failures.min(8)).min(MOST);
        let wait = match () {
            () if self.refused => REFUSED,
            // One that was there is looked for once more in any case: then it is said that it is away.
            () if self.watched && !self.silent && since.is_none() && self.failures >= LOOKS => TOLD,
            () => grown,
        };
        self.next = Some(now + wait);
        self.failures = self.failures.saturating_add(1);
        (self.away, self.hello_by) = (true, None);
    }

    pub(super) fn greeted(&mut self, now: Instant) {
        (self.since, self.hello_by) = (Some(now), None);
        (self.refused, self.silent) = (false, false);
    }

    pub(super) fn refused(&mut self) {
        (self.refused, self.hello_by) = (true, None);
    }

    pub(super) fn is_away(&self) -> bool {
        self.away
    }
}

impl UserRole {
    /// The machine role is another process: it is looked for first, and lives on when this program ends. `watched`:
    /// its coming is told by [`Input::MachineCame`](super::Input::MachineCame).
    #[must_use]
    pub fn apart(mut self, watched: bool) -> Self {
        self.outputs.clear();
        self.link.watched = watched;
        self.outputs.push_back(Output::FindMachine);
        (self.view.service, self.view.unheard) = (true, true);
        self
    }

    /// It ended, or was not there when it was looked for. What it was asked it does not answer any more.
    pub(super) fn machine_lost(&mut self, loss: Loss, now: Instant) {
        // One that is only started anew is there again before anybody has read that it went.
        let may_be_back = self.link.since.is_some();
        self.link.lost(now);
        // The faces have waited for its hello long enough.
        (self.greeted, self.dirty) = (true, true);
        self.active = false;
        self.lit.clear();
        for request in self.asked.take_all() {
            let reply = super::Reply::Refused(super::refusal::no_answer());
            self.replies.push(Output::Reply { request, reply });
        }
        match loss {
            Loss::Gone if self.link.refused || self.link.silent || may_be_back => {}
            Loss::Gone => self.function(Function::Machine, vec![away()]),
            Loss::Foreign => self.function(Function::Machine, vec![foreign()]),
            Loss::Unreachable(reason) => self.function(Function::Machine, vec![unreachable(&reason)]),
        }
    }

    /// It is there: it is greeted as if it never was before.
    pub(super) fn machine_found(&mut self, now: Instant) {
        (self.link.next, self.link.away) = (None, false);
        self.link.hello_by = Some(now + HELLO_LIMIT);
        self.outputs.push_back(Output::Machine(ToMachine::Hello { protocol: PROTOCOL_VERSION }));
    }

    /// Nothing of a machine role of another version is believed, and nothing is asked of it.
    pub(super) fn refuse(&mut self, protocol: u32) {
        self.greeted = true;
        self.link.refused();
        let problem =
            Reason::OtherVersion { theirs: protocol.to_string(), ours: PROTOCOL_VERSION.to_string() };
        let problem = problem.at("hookswitch");
        self.function(Function::Machine, vec![problem]);
        // It may not be the one that is to be there: whoever comes next is met.
        self.outputs.push_back(Output::LeaveMachine);
    }

    /// It may have come to its place: no wait is worth while.
    pub(super) fn machine_came(&mut self) {
        if self.link.next.take().is_some() {
            self.link.failures = 0;
            self.outputs.push_back(Output::FindMachine);
        }
    }

    pub(super) fn look_for_machine(&mut self, now: Instant) {
        if self.link.next.take_if(|at| *at <= now).is_some() {
            self.outputs.push_back(Output::FindMachine);
        }
        if self.link.hello_by.take_if(|at| *at <= now).is_some() {
            // What it says from now on is said too late: the way ends, and begins anew.
            (self.link.silent, self.link.away, self.greeted) = (true, true, true);
            self.outputs.push_back(Output::LeaveMachine);
            self.function(Function::Machine, vec![silent()]);
        }
    }
}

/// What is not known, and why not.
pub fn away() -> Problem {
    Reason::MachineAway.here()
}

/// What it says would be believed.
fn foreign() -> Problem {
    Reason::MachineForeign.here()
}

fn unreachable(reason: &str) -> Problem {
    Reason::MachineUnreachable { reason: reason.to_owned() }.here()
}

/// It runs, and hangs.
fn silent() -> Problem {
    Reason::MachineSilent.here()
}

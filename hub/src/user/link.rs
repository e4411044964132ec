//! The way to a machine role in another process. That one may end, and be there again: calls and softphones live on
//! meanwhile, without a headset.

use super::{Function, Output, UserRole};
use crate::protocol::{PROTOCOL_VERSION, Problem, ToMachine};
use std::time::{Duration, Instant};

const FIRST: Duration = Duration::from_millis(250);
const MOST: Duration = Duration::from_secs(30);
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
    /// It speaks another version.
    refused: bool,
    /// There is no machine role to ask now.
    away: bool,
}

impl Link {
    pub(super) fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        self.next.map(|at| (at, "look for the machine role again"))
    }

    fn lost(&mut self, now: Instant) {
        if self.since.take().is_some_and(|since| now >= since + STEADY) {
            self.failures = 0;
        }
        let grown = FIRST.saturating_mul(1 << self.failures.min(8)).min(MOST);
        self.next = Some(now + if self.refused { REFUSED } else { grown });
        self.failures += 1;
        self.away = true;
    }

    pub(super) fn greeted(&mut self, now: Instant) {
        (self.since, self.refused) = (Some(now), false);
    }

    pub(super) fn refused(&mut self) {
        self.refused = true;
    }

    pub(super) fn is_away(&self) -> bool {
        self.away
    }
}

impl UserRole {
    /// The machine role is another process: it is looked for first, and lives on when this program ends.
    #[must_use]
    pub fn apart(mut self) -> Self {
        self.outputs.clear();
        self.outputs.push_back(Output::FindMachine);
        (self.view.service, self.view.unheard) = (true, true);
        self
    }

    /// It ended, or was not there when it was looked for. What it was asked it does not answer any more.
    pub(super) fn machine_lost(&mut self, now: Instant) {
        self.link.lost(now);
        // The faces have waited for its hello long enough.
        (self.greeted, self.dirty) = (true, true);
        self.active = false;
        self.lit.clear();
        for request in self.asked.take_all() {
            let reply = super::Reply::Refused(super::refusal::no_answer());
            self.replies.push(Output::Reply { request, reply });
        }
        if !self.link.refused {
            self.function(Function::Machine, vec![away()]);
        }
    }

    /// It is there: it is greeted as if it never was before.
    pub(super) fn machine_found(&mut self) {
        (self.link.next, self.link.away) = (None, false);
        self.outputs.push_back(Output::Machine(ToMachine::Hello { protocol: PROTOCOL_VERSION }));
    }

    pub(super) fn look_for_machine(&mut self, now: Instant) {
        if self.link.next.take_if(|at| *at <= now).is_some() {
            self.outputs.push_back(Output::FindMachine);
        }
    }
}

/// What is not known, and why not.
pub fn away() -> Problem {
    Problem::new(
        "machine-away",
        "The part of Hookswitch that speaks to the headsets is not running",
        "hookswitch service",
        "It is looked for again by itself. If this stays, restart the computer or ask your IT department.",
    )
}

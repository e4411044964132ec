//! The door for softphones: when it is looked after again. A door that is closed is tried again, soon at first; one
//! that is open needs a new certificate before the old one ends.

use super::{Function, UserRole};
use crate::protocol::Problem;
use crate::protocol::local::Endpoint;
use crate::world::WorldChange;
use std::time::{Duration, Instant};

const RETRY_FIRST: Duration = Duration::from_secs(2);
const RETRY_MOST: Duration = Duration::from_secs(60);

/// What came of [`crate::user::Output::CheckDoor`].
#[derive(Clone, Debug, PartialEq)]
pub enum DoorState {
    Open {
        endpoint: Endpoint,
        /// Until the certificate has to be made anew; `None` = it cannot be said.
        renew_in: Option<Duration>,
        /// What a person must know of the certificate.
        notice: Option<Problem>,
    },
    Closed(Problem),
}

/// Deadlines of the door.
#[derive(Debug, Default)]
pub struct Door {
    retry: Option<Instant>,
    renew: Option<Instant>,
    failures: u32,
}

impl Door {
    /// Whether the door has to be looked after now: a certificate ends by the wall clock.
    pub fn world_changed(&self, change: WorldChange) -> bool {
        self.failures > 0 || matches!(change, WorldChange::ClockStepped | WorldChange::Resumed)
    }

    pub fn found(&mut self, state: &DoorState, now: Instant) {
        *self = match state {
            DoorState::Open { renew_in, .. } => Self {
                // A renewal that is overdue and does not come about is no reason to hurry.
                renew: renew_in.and_then(|wait| now.checked_add(wait.max(RETRY_MOST))),
                ..Self::default()
            },
            DoorState::Closed(_) => Self {
                retry: Some(now + RETRY_FIRST.saturating_mul(1 << self.failures.min(5)).min(RETRY_MOST)),
                failures: self.failures + 1,
                renew: None,
            },
        };
    }

    /// Whether it is time to look after it.
    pub fn handle_timeout(&mut self, now: Instant) -> bool {
        let due = |deadline: &mut Option<Instant>| deadline.take_if(|at| *at <= now).is_some();
        due(&mut self.retry) | due(&mut self.renew)
    }

    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let retry = self.retry.map(|at| (at, "try the door for softphones again"));
        let renew = self.renew.map(|at| (at, "renew the certificate"));
        [retry, renew].into_iter().flatten().min_by_key(|(at, _)| *at)
    }
}

impl UserRole {
    pub(super) fn door_found(&mut self, state: DoorState, now: Instant) {
        self.door.found(&state, now);
        let (endpoint, rest, certificate) = match state {
            DoorState::Open { endpoint, notice, .. } => (endpoint, None, notice),
            DoorState::Closed(problem) => (Endpoint::default(), Some(problem), None),
        };
        self.dirty |= self.view.rest != endpoint;
        self.view.rest = endpoint;
        self.function(Function::Rest, rest.into_iter().collect());
        self.function(Function::Certificate, certificate.into_iter().collect());
    }
}

//! What softphones are told: a numbered log of events that a client can resume from.

use crate::protocol::local::{Call, View};
use crate::protocol::{Device, DeviceId, Job, Offer};
use std::collections::VecDeque;

pub mod consent;
pub mod session;

/// Events kept for a client that comes back with the number of the last one it saw.
pub const LOG_LENGTH: usize = 1024;

/// One pushed event. Numbers start at 1 in each run of the agent and have no gaps.
#[derive(Clone, Debug, PartialEq)]
pub struct SdkEvent {
    pub id: u64,
    pub change: Change,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    DeviceChanged(Device),
    DeviceRemoved(DeviceId),
    /// A call in its new state, what happened to it and who did it.
    Call {
        call: Call,
        what: CallChange,
        cause: Cause,
    },
    /// The person lifted the hook with nothing going on, or pressed redial: an invitation to start a call.
    DeviceWish {
        device: DeviceId,
        wish: Wish,
    },
    Updates {
        offers: Vec<Offer>,
        job: Option<Job>,
        queue: Vec<Job>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallChange {
    Ringing,
    Answered,
    Held,
    Resumed,
    Muted,
    Unmuted,
    Rejected,
    Ended,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    DialTone,
    Redial,
    Teams,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    Device,
    Softphone,
    /// The agent itself: it stops, the softphone left.
    Agent,
}

/// The answer to a subscription.
#[derive(Debug, PartialEq)]
pub enum Backlog {
    /// The client's number is in the log: what came after it.
    Missed(Vec<SdkEvent>),
    /// First contact, or too long away: the whole state, and the number of the last event it contains.
    State { view: Box<View>, last: u64 },
}

/// The last [`LOG_LENGTH`] events.
#[derive(Debug, Default)]
pub struct EventLog {
    events: VecDeque<SdkEvent>,
    last: u64,
}

impl EventLog {
    pub fn push(&mut self, change: Change) -> SdkEvent {
        self.last += 1;
        let event = SdkEvent { id: self.last, change };
        if self.events.len() == LOG_LENGTH {
            self.events.pop_front();
        }
        self.events.push_back(event.clone());
        event
    }

    pub fn last(&self) -> u64 {
        self.last
    }

    /// Events after `after`, or `None` if one of them is no longer in the log or the number was never given.
    pub fn after(&self, after: u64) -> Option<Vec<SdkEvent>> {
        if after > self.last || after + 1 < self.last + 1 - self.events.len() as u64 {
            return None;
        }
        Some(self.events.iter().filter(|e| e.id > after).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn removed(log: &mut EventLog, n: u64) {
        for i in 0..n {
            log.push(Change::DeviceRemoved(i.to_string()));
        }
    }

    #[test]
    fn resumes_without_gap_or_repeat() {
        let mut log = EventLog::default();
        assert_eq!(log.after(0), Some(vec![]), "nothing happened yet");
        removed(&mut log, 5);
        let ids: Vec<u64> = log.after(3).expect("3 is in the log").iter().map(|e| e.id).collect();
        assert_eq!(ids, [4, 5]);
        assert_eq!(log.after(5), Some(vec![]));
    }

    #[test]
    fn a_number_from_another_run_or_too_old_gets_the_state() {
        let mut log = EventLog::default();
        removed(&mut log, 3);
        assert_eq!(log.after(4), None);
        assert_eq!(log.after(u64::MAX), None);
        removed(&mut log, LOG_LENGTH as u64);
        assert_eq!(log.after(2), None, "event 3 was dropped");
        assert_eq!(log.after(3).map(|e| e.len()), Some(LOG_LENGTH));
    }
}

//! How long incoming calls ring. A softphone that crashed says nothing of its call, and one that nobody can miss, as it never
//! listened, would leave a headset ringing for ever.

use crate::protocol::local::{Call, CallState, Direction};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// An incoming call that rings for so long is over. Telephone networks give up sooner.
pub const RINGS_AT_MOST: Duration = Duration::from_secs(300);

/// Since when calls ring.
#[derive(Debug, Default)]
pub(super) struct Ringing(BTreeMap<u64, Instant>);

impl Ringing {
    pub(super) fn look(&mut self, calls: &[Call], now: Instant) {
        let ringing =
            |call: &&Call| call.state == CallState::Ringing && call.direction == Direction::Incoming;
        let rings = |id: u64| calls.iter().filter(ringing).any(|call| call.id == id);
        self.0.retain(|id, _| rings(*id));
        for call in calls.iter().filter(ringing) {
            self.0.entry(call.id).or_insert(now);
        }
    }

    pub(super) fn over(&self, now: Instant) -> Vec<u64> {
        let over = self.0.iter().filter(|(_, since)| **since + RINGS_AT_MOST <= now);
        over.map(|(id, _)| *id).collect()
    }

    pub(super) fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let first = self.0.values().min()?;
        Some((*first + RINGS_AT_MOST, "a call that rings for too long"))
    }
}

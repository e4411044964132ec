//! So many connections at a time. When all are taken, one gives way: the oldest of those on which nobody has been let in
//! yet, else the one that has said nothing for the longest. A client that drips its request or takes no answer, or holds
//! connections for nothing, shuts the door for nobody.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::Notify;

#[derive(Debug)]
pub(in crate::shell) struct Slots {
    most: usize,
    held: Mutex<Held>,
    freed: Notify,
}

#[derive(Debug, Default)]
struct Held {
    last: u64,
    connections: BTreeMap<u64, Connection>,
}

#[derive(Debug)]
struct Connection {
    opened: Instant,
    /// Somebody was let in on it.
    known: bool,
    /// A wrong token was shown on it.
    mistaken: bool,
    /// Requests that are being answered.
    busy: usize,
    /// Since when there is none.
    silent: Instant,
    cut: Arc<Notify>,
}

/// A place for one connection, free again when this is dropped.
#[derive(Debug)]
pub(in crate::shell) struct Slot {
    slots: Arc<Slots>,
    id: u64,
    cut: Arc<Notify>,
}

/// One request that is being answered, to the last byte of its answer.
#[derive(Debug)]
pub(in crate::shell) struct Busy(Arc<Slot>);

impl Slots {
    pub(in crate::shell) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, held: Mutex::default(), freed: Notify::new() })
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // Whole at every moment; a panic elsewhere does not spoil it.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there is room, and makes some.
    pub(in crate::shell) async fn take(self: &Arc<Self>, now: impl Fn() -> Instant) -> Slot {
        loop {
            if let Some(slot) = self.try_take(now()) {
                return slot;
            }
            self.freed.notified().await;
        }
    }

    fn try_take(self: &Arc<Self>, now: Instant) -> Option<Slot> {
        let mut held = self.held();
        if held.connections.len() < self.most {
            held.last += 1;
            let (id, cut) = (held.last, Arc::new(Notify::new()));
            let connection = Connection {
                opened: now,
                known: false,
                mistaken: false,
                busy: 0,
                silent: now,
                cut: cut.clone(),
            };
            held.connections.insert(id, connection);
            return Some(Slot { slots: self.clone(), id, cut });
        }
        let may_go = held.connections.values().filter(|c| !c.known || c.busy == 0);
        if let Some(first) = may_go.min_by_key(|c| (c.known, if c.known { c.silent } else { c.opened })) {
            first.cut.notify_one();
        }
        None
    }
}

impl Slot {
    /// Ends when somebody else needs the place.
    pub(in crate::shell) async fn cut(&self) {
        self.cut.notified().await;
    }

    /// Whoever speaks on it was let in.
    pub(in crate::shell) fn known(&self) {
        if let Some(connection) = self.slots.held().connections.get_mut(&self.id) {
            connection.known = true;
        }
    }

    pub(in crate::shell) fn is_known(&self) -> bool {
        self.slots.held().connections.get(&self.id).is_some_and(|connection| connection.known)
    }

    pub(in crate::shell) fn mistook(&self) {
        if let Some(connection) = self.slots.held().connections.get_mut(&self.id) {
            connection.mistaken = true;
        }
    }

    pub(in crate::shell) fn has_mistaken(&self) -> bool {
        self.slots.held().connections.get(&self.id).is_some_and(|connection| connection.mistaken)
    }

    pub(in crate::shell) fn busy(self: &Arc<Self>) -> Busy {
        if let Some(connection) = self.slots.held().connections.get_mut(&self.id) {
            connection.busy += 1;
        }
        Busy(self.clone())
    }
}

impl Busy {
    pub(in crate::shell) fn done(self, now: Instant) {
        if let Some(connection) = self.0.slots.held().connections.get_mut(&self.0.id) {
            connection.silent = now;
        }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        if let Some(connection) = self.0.slots.held().connections.get_mut(&self.0.id) {
            connection.busy = connection.busy.saturating_sub(1);
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.slots.held().connections.remove(&self.id);
        self.slots.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "a starting point for times that are moved by hand")]

    use super::*;
    use std::time::Duration;

    async fn is_cut(slot: &Slot) -> bool {
        tokio::time::timeout(Duration::ZERO, slot.cut()).await.is_ok()
    }

    #[tokio::test]
    async fn who_is_silent_for_the_longest_gives_way() {
        let start = Instant::now();
        let at = |s: u64| start + Duration::from_secs(s);
        let slots = Slots::new(3);
        let listening = Arc::new(slots.try_take(at(0)).expect("free"));
        let _stream = listening.busy();
        let drips = slots.try_take(at(1)).expect("free");
        let keeps_alive = Arc::new(slots.try_take(at(0)).expect("free"));
        listening.known();
        drips.known();
        keeps_alive.known();
        keeps_alive.busy().done(at(2));
        assert!(slots.try_take(at(3)).is_none(), "full");
        assert!(is_cut(&drips).await);
        assert!(!is_cut(&listening).await && !is_cut(&keeps_alive).await);
        drop(drips);
        let next = slots.take(|| at(3)).await;
        drop((next, keeps_alive, _stream, listening));
        assert_eq!(slots.held().connections.len(), 0);
    }
    /// A request that never ends, without a token, is no reason to stay.
    #[tokio::test]
    async fn the_oldest_on_which_nobody_was_let_in_gives_way_even_if_it_is_busy() {
        let start = Instant::now();
        let at = |s: u64| start + Duration::from_secs(s);
        let slots = Slots::new(3);
        let [known, older, newer] = [0, 1, 2].map(|s| Arc::new(slots.try_take(at(s)).expect("free")));
        known.known();
        let _dripping = [older.busy(), newer.busy()];
        older.busy().done(at(9));
        assert!(slots.try_take(at(10)).is_none(), "full");
        assert!(is_cut(&older).await && !is_cut(&newer).await && !is_cut(&known).await);
    }
}

//! The headsets by id, and the revision of all that is seen of them.

use super::physical::Physical;
use crate::machine::revision::Revision;
use crate::protocol::DeviceId;
use std::collections::BTreeMap;
use std::ops::Deref;

/// Nobody comes or goes without moving the revision; what may be changed of one headset moves its own.
#[derive(Debug, Default)]
pub(super) struct Headsets {
    all: BTreeMap<DeviceId, Physical>,
    /// Of who comes and goes, and of those who went.
    moved: Revision,
}

impl Headsets {
    pub(super) fn revision(&self) -> Revision {
        self.all.values().map(Physical::revision).fold(self.moved, Revision::with)
    }

    pub(super) fn insert(&mut self, id: DeviceId, physical: Physical) {
        self.moved.moved();
        let was = self.all.insert(id, physical);
        self.left(was);
    }

    pub(super) fn remove(&mut self, id: &str) -> bool {
        let was = self.all.remove(id);
        let was_there = was.is_some();
        self.left(was);
        was_there
    }

    fn left(&mut self, was: Option<Physical>) {
        if let Some(physical) = was {
            self.moved = self.moved.with(physical.revision());
            self.moved.moved();
        }
    }

    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut Physical> {
        self.all.get_mut(id)
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut Physical> {
        self.all.values_mut()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (&DeviceId, &mut Physical)> {
        self.all.iter_mut()
    }
}

impl Deref for Headsets {
    type Target = BTreeMap<DeviceId, Physical>;

    fn deref(&self) -> &BTreeMap<DeviceId, Physical> {
        &self.all
    }
}

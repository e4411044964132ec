//! Work is done when what it depends on has changed, not after every input.

use std::ops::Deref;

/// How often something was changed. As long as it is the same, so is the thing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Revision(u64);

impl Revision {
    /// Of parts that can only be added here: neither forgets its changes, so neither does the sum.
    pub(super) fn with(self, part: Revision) -> Self {
        Self(self.0 + part.0)
    }

    pub(super) fn moved(&mut self) {
        self.0 += 1;
    }
}

/// A value that cannot be changed without moving its revision: it is read as itself, and written by these methods.
#[derive(Debug, Default)]
pub(super) struct Revised<T> {
    value: T,
    revision: Revision,
}

impl<T> Revised<T> {
    pub(super) fn new(value: T) -> Self {
        Self { value, revision: Revision::default() }
    }

    pub(super) fn revision(&self) -> Revision {
        self.revision
    }

    /// For a change that is one.
    pub(super) fn edit(&mut self) -> &mut T {
        self.revision.moved();
        &mut self.value
    }

    /// For a value that may be the same.
    pub(super) fn set(&mut self, value: T)
    where
        T: PartialEq,
    {
        if self.value != value {
            *self.edit() = value;
        }
    }
}

impl<T> Deref for Revised<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_change_moves_a_revision() {
        let mut value = Revised::new(1);
        let first = value.revision();
        value.set(1);
        assert_eq!((*value, value.revision()), (1, first));
        value.set(2);
        let second = value.revision();
        assert_ne!(second, first);
        *value.edit() = 3;
        assert_ne!(value.revision(), second);
        assert_eq!(*value, 3);
    }

    #[test]
    fn a_change_of_a_part_is_a_change_of_all() {
        let (mut part, whole) = (Revised::new(1), Revised::new(2));
        let before = whole.revision().with(part.revision());
        part.set(2);
        assert_ne!(whole.revision().with(part.revision()), before);
        part.set(1);
        assert_ne!(whole.revision().with(part.revision()), before, "it was another in between");
    }
}

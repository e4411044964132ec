//! Files that are read by ranges: none is ever held whole. Who has the file hands it in.

use std::sync::Arc;

/// A file of which any range can be read, always with the same bytes.
pub trait Ranges {
    /// Bytes of the file.
    fn len(&self) -> u64;

    /// Whether it has none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills `into` with the bytes from `at` on.
    ///
    /// Errors: the range does not lie within the file, or the system cannot read it.
    fn read_at(&self, at: u64, into: &mut [u8]) -> Result<(), Unread>;
}

/// A range that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("byte {at} and those after it cannot be read: {why}")]
pub struct Unread {
    /// Where the range begins.
    pub at: u64,
    /// What the system says.
    pub why: String,
}

impl Ranges for [u8] {
    fn len(&self) -> u64 {
        <[u8]>::len(self) as u64
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> Result<(), Unread> {
        let outside = || Unread { at, why: "the file ends there".to_owned() };
        let start = usize::try_from(at).map_err(|_| outside())?;
        let end = start.checked_add(into.len()).ok_or_else(outside)?;
        into.copy_from_slice(self.get(start..end).ok_or_else(outside)?);
        Ok(())
    }
}

impl Ranges for Vec<u8> {
    fn len(&self) -> u64 {
        Ranges::len(self.as_slice())
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> Result<(), Unread> {
        self.as_slice().read_at(at, into)
    }
}

impl<R: Ranges + ?Sized> Ranges for &R {
    fn len(&self) -> u64 {
        (**self).len()
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> Result<(), Unread> {
        (**self).read_at(at, into)
    }
}

impl<R: Ranges + ?Sized> Ranges for Arc<R> {
    fn len(&self) -> u64 {
        (**self).len()
    }

    fn read_at(&self, at: u64, into: &mut [u8]) -> Result<(), Unread> {
        (**self).read_at(at, into)
    }
}

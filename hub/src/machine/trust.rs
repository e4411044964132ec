//! Trust as a type: only what a signature vouched for reaches the planner and the firmware writer.

use std::sync::Arc;

/// A value that came out of the tenant's TUF repository with hash, length, signatures, version and expiry checked,
/// or that this agent stored itself right after such a check.
///
/// There is one way in: [`Verified::vouched`] is called by the two rooms that check or restore
/// (`shell/tenant`, `shell/store`), and `tests/house.rs` holds that list.
#[derive(Debug, PartialEq, Eq)]
pub struct Verified<T> {
    value: Arc<T>,
    /// TUF targets version that listed it.
    version: u64,
}

/// It is shared, not copied: it may be large.
impl<T> Clone for Verified<T> {
    fn clone(&self) -> Self {
        Self { value: self.value.clone(), version: self.version }
    }
}

impl<T> Verified<T> {
    /// The caller has checked the TUF chain down to this value's bytes.
    pub fn vouched(value: T, version: u64) -> Self {
        Self { value: Arc::new(value), version }
    }

    pub fn version(&self) -> u64 {
        self.version
    }

    pub fn get(&self) -> &T {
        &self.value
    }
}

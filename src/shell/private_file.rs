//! Small files that appear whole or not at all, for the readers they are for from the first byte on.

use super::os;
use std::io::{self, Write as _};
use std::path::Path;

pub use os::Readers;

/// When a write counts as done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// In the page cache: for what the next start writes anew.
    UntilPowerLoss,
    /// On the disk.
    Disk,
}

/// Replaces `path` in one step; a reader sees the old bytes or the new ones. A link is replaced, never followed.
pub fn replace(path: &Path, bytes: &[u8], readers: Readers, durability: Durability) -> io::Result<()> {
    let (folder, name) = os::split(path)?;
    let folder = os::Folder::open(&folder)?;
    let mut pending = folder.begin(readers)?;
    pending.file.write_all(bytes)?;
    pending.place(name, durability == Durability::Disk)
}

//! Small files that appear whole or not at all, with the mode they need from the first byte on.

use super::os;
use std::io::{self, Write as _};
use std::path::Path;

/// Who may read a file besides its owner. Elsewhere than on Unix the folder's access list decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    /// 0600
    Owner,
    /// 0644
    Everyone,
}

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
    // The umask may take bits away from this, never add any.
    let mut pending = folder.begin(if readers == Readers::Owner { 0o600 } else { 0o644 })?;
    pending.file.write_all(bytes)?;
    pending.place(name, durability == Durability::Disk)
}

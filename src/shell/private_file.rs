//! Small files that appear whole or not at all, with the mode they need from the first byte on.
#![expect(clippy::disallowed_methods, reason = "files live in the shell")]

use std::io::{self, Write};
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

/// Replaces `path` in one step; a reader sees the old bytes or the new ones.
pub fn replace(path: &Path, bytes: &[u8], readers: Readers, durability: Durability) -> io::Result<()> {
    let folder = path.parent().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".new-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // The umask may take bits away from this, never add any.
        let mode = if readers == Readers::Owner { 0o600 } else { 0o644 };
        builder.permissions(std::fs::Permissions::from_mode(mode));
    }
    #[cfg(not(unix))]
    let _ = readers;
    let mut file = builder.tempfile_in(folder)?;
    file.write_all(bytes)?;
    if durability == Durability::Disk {
        file.as_file().sync_all()?;
    }
    file.persist(path).map_err(|e| e.error)?;
    Ok(())
}

/// Makes a folder that only its owner may enter (0700), or narrows one that exists.
pub fn owner_folder(path: &Path) -> io::Result<()> {
    std::fs::create_dir_all(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// Whether others than the owner may read or write the file. Elsewhere than on Unix: never.
pub fn open_to_others(path: &Path) -> io::Result<bool> {
    let metadata = std::fs::metadata(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        Ok(metadata.permissions().mode() & 0o077 != 0)
    }
    #[cfg(not(unix))]
    {
        let _ = metadata;
        Ok(false)
    }
}

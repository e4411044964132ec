//! Small files that appear whole or not at all, for the readers they are for from the first byte on.

use super::os::{self, Found};
use hub::protocol::Detail;
use std::fs::File;
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

/// Makes a file that a person named, whole or not at all, in the place of an older one. Whoever put a link or a pipe
/// there would say what is overwritten: that is refused, with the reason.
pub fn put<T>(
    path: &Path,
    readers: Readers,
    fill: impl FnOnce(&mut File) -> io::Result<T>,
) -> Result<T, Detail> {
    let write = || -> io::Result<Result<T, Detail>> {
        let (folder, name) = os::split(path)?;
        let folder = os::Folder::open(&folder)?;
        match folder.look_at(name)? {
            Found::Nothing | Found::File => {}
            Found::Link => return Ok(Err(Detail::new("file-link", "it is a link"))),
            Found::Other => return Ok(Err(Detail::new("no-file", "it is no file"))),
        }
        let mut pending = folder.begin(readers)?;
        let filled = fill(&mut pending.file)?;
        pending.place(name, true)?;
        Ok(Ok(filled))
    };
    write().unwrap_or_else(|error| {
        // An error of the temporary file names that file, which means nothing to the person.
        let plain = if error.raw_os_error().is_some() { error } else { error.kind().into() };
        Err(Detail::verbatim(plain))
    })
}

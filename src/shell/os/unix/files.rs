//! Whose a file or folder is, and how files are opened, made and replaced without following anybody's link.

use super::super::{Distrust, Found, Owner, Readers};
use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

impl Owner {
    pub(super) fn may_be(self, uid: u32) -> bool {
        uid == 0 || (self == Self::Me && uid == me())
    }
}

pub(in super::super) fn me() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Whether somebody else than the owner and root may write there. A group is no other if it is root's, or the owner's
/// own, as Debian makes one for each user.
fn others_may_write(meta: &fs::Metadata) -> bool {
    let mode = meta.mode();
    let group_is_own = || {
        let name = nix::unistd::Group::from_gid(meta.gid().into()).ok().flatten().map(|group| group.name);
        name.is_some() && name == super::name_of(meta.uid())
    };
    mode & 0o002 != 0 || (mode & 0o020 != 0 && meta.gid() != 0 && !group_is_own())
}

/// That nobody but `owner` can put something else in the place of `path`, however it is reached: it (if it exists) and
/// all folders above it, links included, are `owner`'s, and others may not write there. In a sticky folder (`/tmp`)
/// they cannot exchange what is not theirs, so one may lie above.
///
/// # Errors
/// What is not so, or cannot be looked at.
pub fn trusted(path: &Path, owner: Owner) -> Result<(), Distrust> {
    let chain = |path: &Path| {
        for place in path.ancestors().filter(|place| place.parent().is_some()) {
            match fs::symlink_metadata(place) {
                Ok(meta) => {
                    let above = place != path;
                    check(place, &meta, owner, above)?;
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(Distrust::System(place.to_owned(), error)),
            }
        }
        Ok(())
    };
    chain(path)?;
    let there = path.ancestors().find_map(|place| fs::canonicalize(place).ok());
    there.filter(|there| there != path).map_or(Ok(()), |there| chain(&there))
}

fn check(place: &Path, meta: &fs::Metadata, owner: Owner, above: bool) -> Result<(), Distrust> {
    if !owner.may_be(meta.uid()) {
        return Err(Distrust::Foreign { path: place.to_owned(), owner: super::user_named(meta.uid()) });
    }
    let sticky = above && meta.mode() & 0o1000 != 0;
    if !meta.is_symlink() && !sticky && others_may_write(meta) {
        return Err(Distrust::OpenToOthers(place.to_owned()));
    }
    Ok(())
}

/// A plain file that is open for reading, and what its inode tells.
#[derive(Debug)]
pub struct Opened {
    pub file: File,
    pub bytes: u64,
    /// Every user of this computer can get at it.
    pub exposed: bool,
}

/// Opens a plain file of `owner`'s for reading; never waits for a pipe. `None` = there is none, and that is certain.
///
/// # Errors
/// It is there and cannot be used.
pub fn open_of(path: &Path, owner: Owner) -> Result<Option<Opened>, Distrust> {
    let system = |error| Distrust::System(path.to_owned(), error);
    let opened = fs::OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path);
    let file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return absent(path).map(|()| None),
        // What a socket says to who opens it.
        Err(error) if error.raw_os_error() == Some(libc::ENXIO) => {
            return Err(Distrust::NotAFile(path.to_owned()));
        }
        Err(error) => return Err(system(error)),
    };
    let meta = file.metadata().map_err(system)?;
    if !meta.is_file() {
        return Err(Distrust::NotAFile(path.to_owned()));
    }
    check(path, &meta, owner, false)?;
    if owner == Owner::Root {
        trusted(path, owner)?;
    }
    let folder_is_open = match path.parent().map(fs::metadata) {
        Some(Ok(folder)) => folder.mode() & 0o001 != 0,
        _ => true,
    };
    Ok(Some(Opened { file, bytes: meta.len(), exposed: folder_is_open && meta.mode() & 0o004 != 0 }))
}

/// Opens a plain file below `folder` for reading, by the names of the folders on the way and its own; no link among
/// them is followed, and no pipe or device opened. `None` = the folders are there, and it is not.
///
/// # Errors
/// As openat(2); it is no plain file.
pub fn open_below(folder: &Path, names: &[&str]) -> Result<Option<File>, Distrust> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let mut place = folder.to_owned();
    let system = |place: &Path, error: rustix::io::Errno| Distrust::System(place.to_owned(), error.into());
    let opened = rustix::fs::open(folder, flags | OFlags::DIRECTORY, Mode::empty());
    let mut at = opened.map_err(|error| system(&place, error))?;
    for (nth, name) in names.iter().enumerate() {
        place.push(name);
        let is_last = nth + 1 == names.len();
        let wanted = if is_last { FileType::RegularFile } else { FileType::Directory };
        match rustix::fs::statat(&at, *name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) if FileType::from_raw_mode(stat.st_mode) == wanted => {}
            Ok(_) => return Err(Distrust::NotAFile(place)),
            Err(rustix::io::Errno::NOENT) if is_last => return Ok(None),
            Err(error) => return Err(system(&place, error)),
        }
        let opened = rustix::fs::openat(&at, *name, flags | OFlags::NOFOLLOW, Mode::empty());
        at = opened.map_err(|error| system(&place, error))?;
    }
    let file = File::from(at);
    match file.metadata() {
        // It may have been exchanged in between.
        Ok(meta) if !meta.is_file() => Err(Distrust::NotAFile(place)),
        Ok(_) => Ok(Some(file)),
        Err(error) => Err(Distrust::System(place, error)),
    }
}

/// Opens a plain file of this user's own for reading; not one behind a link.
///
/// # Errors
/// As open(2); it is no plain file or another user's.
pub fn open_own(path: &Path) -> io::Result<File> {
    let file = private_options().read(true).open(path)?;
    let meta = file.metadata()?;
    if !meta.is_file() || meta.uid() != me() {
        return Err(io::Error::from(io::ErrorKind::PermissionDenied));
    }
    Ok(file)
}

/// Fills `into` with the bytes of a file from `at` on.
///
/// # Errors
/// As pread(2); the file ends before.
pub fn read_at(file: &File, at: u64, into: &mut [u8]) -> io::Result<()> {
    file.read_exact_at(into, at)
}

/// Whether others than the owner may read or write the file.
///
/// # Errors
/// As fstat(2).
pub fn open_to_others(file: &File) -> io::Result<bool> {
    Ok(file.metadata()?.mode() & 0o077 != 0)
}

/// That there is nothing at `path`, and no link above it that leads nowhere.
fn absent(path: &Path) -> Result<(), Distrust> {
    for place in path.ancestors() {
        match fs::symlink_metadata(place) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(Distrust::System(place.to_owned(), error)),
            Ok(meta) if meta.is_symlink() => return Err(Distrust::DanglingLink(place.to_owned())),
            // It was made, or made whole, between two looks.
            Ok(_) if place == path => {
                return Err(Distrust::System(place.to_owned(), io::ErrorKind::Interrupted.into()));
            }
            Ok(_) => return Ok(()),
        }
    }
    Ok(())
}

/// Creates a folder that only this user may enter, and makes an existing one so.
///
/// # Errors
/// As [`fs::DirBuilder::create`] and [`fs::set_permissions`].
pub fn private_folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    if fs::metadata(path)?.permissions().mode() & 0o777 != 0o700 {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// Creates a folder that everybody may enter and only this user may change.
///
/// # Errors
/// As [`fs::DirBuilder::create`] and [`fs::set_permissions`].
pub fn public_folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o755).create(path)?;
    if fs::metadata(path)?.permissions().mode() & 0o777 != 0o755 {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}

/// Options that create a file only this user may read, and open none that is a link.
pub fn private_options() -> fs::OpenOptions {
    let mut options = fs::OpenOptions::new();
    options.mode(0o600).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    options
}

/// Takes an open file from everybody but this user.
///
/// # Errors
/// It is no plain file or another user's; as [`fs::File::set_permissions`].
pub fn make_private(file: &File) -> io::Result<()> {
    let meta = file.metadata()?;
    if !meta.is_file() || meta.uid() != me() {
        return Err(io::Error::from(io::ErrorKind::PermissionDenied));
    }
    if meta.permissions().mode() & 0o777 != 0o600 {
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
    }
    Ok(())
}

/// A folder held open: what is put into it lands there, whatever its path leads to meanwhile.
#[derive(Debug)]
pub struct Folder {
    handle: OwnedFd,
}

/// A file that has no name of its own yet.
#[derive(Debug)]
pub struct Pending<'a> {
    folder: &'a Folder,
    pub file: File,
    name: String,
    placed: bool,
}

impl Folder {
    /// # Errors
    /// It cannot be opened, or a link of another user leads there.
    pub fn open(path: &Path) -> io::Result<Self> {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        for place in path.ancestors().filter(|place| !place.as_os_str().is_empty()) {
            let meta = fs::symlink_metadata(place)?;
            if meta.is_symlink() && !Owner::Me.may_be(meta.uid()) {
                return Err(io::Error::from_raw_os_error(libc::ELOOP));
            }
        }
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        Ok(Self { handle: rustix::fs::open(path, flags, Mode::empty())? })
    }

    /// # Errors
    /// It cannot be told.
    pub fn look_at(&self, name: &OsStr) -> io::Result<Found> {
        match rustix::fs::statat(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(match FileType::from_raw_mode(stat.st_mode) {
                FileType::RegularFile => Found::File,
                FileType::Symlink => Found::Link,
                _ => Found::Other,
            }),
            Err(rustix::io::Errno::NOENT) => Ok(Found::Nothing),
            Err(error) => Err(error.into()),
        }
    }

    /// A new file for these readers, to be written and then placed. It goes again if it is not.
    ///
    /// # Errors
    /// As open(2).
    pub fn begin(&self, readers: Readers) -> io::Result<Pending<'_>> {
        // The umask may take bits away from this, never add any.
        let mode = if readers == Readers::Owner { 0o600 } else { 0o644 };
        // Names that are taken by chance are tried again, those that somebody keeps taking are not for ever.
        for _ in 0..16 {
            let mut random = [0; 8];
            aws_lc_rs::rand::fill(&mut random).map_err(|_| io::Error::other("no randomness"))?;
            let name = format!(".new-{:016x}", u64::from_ne_bytes(random));
            let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            match rustix::fs::openat(&self.handle, &name, flags, Mode::from_raw_mode(mode)) {
                Ok(handle) => {
                    return Ok(Pending { folder: self, file: handle.into(), name, placed: false });
                }
                Err(rustix::io::Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(io::Error::from(io::ErrorKind::AlreadyExists))
    }
}

impl Pending<'_> {
    /// Gives the file its name in one step, in the place of what has it now; a link is replaced, never followed.
    ///
    /// # Errors
    /// As renameat(2) and fsync(2).
    pub fn place(mut self, name: &OsStr, on_disk: bool) -> io::Result<()> {
        if on_disk {
            self.file.sync_all()?;
        }
        rustix::fs::renameat(&self.folder.handle, &self.name, &self.folder.handle, name)?;
        self.placed = true;
        if on_disk {
            rustix::fs::fsync(&self.folder.handle)?;
        }
        Ok(())
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if !self.placed {
            let _ = rustix::fs::unlinkat(&self.folder.handle, &self.name, AtFlags::empty());
        }
    }
}

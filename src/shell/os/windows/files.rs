//! Whose a file or folder is, and how files are opened, made and replaced without following anybody's link. What a
//! private folder holds is private by the list of rights that it hands down.
#![expect(clippy::disallowed_methods, reason = "files and folders are this room's world")]

use super::super::{Distrust, Found, Owner, Readers};
use super::account::{Descriptor, Guard, is_mine_or_rulers, me, name_of, rules};
use super::{checked, wide};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::windows::fs::{FileExt, OpenOptionsExt};
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::path::{Path, PathBuf};
use std::ptr::null_mut;
use windows_sys::Win32::Foundation::{
    GENERIC_ALL, GENERIC_READ, GENERIC_WRITE, HANDLE, INVALID_HANDLE_VALUE,
};
use windows_sys::Win32::Security::Authorization::{SE_FILE_OBJECT, SetNamedSecurityInfoW, SetSecurityInfo};
use windows_sys::Win32::Security::{DACL_SECURITY_INFORMATION, PROTECTED_DACL_SECURITY_INFORMATION};
use windows_sys::Win32::Storage::FileSystem::{
    DELETE, FILE_APPEND_DATA, FILE_DELETE_CHILD, FILE_FLAG_BACKUP_SEMANTICS, FILE_FLAG_OPEN_REPARSE_POINT,
    FILE_READ_DATA, FILE_SHARE_DELETE, FILE_SHARE_READ, FILE_SHARE_WRITE, FILE_WRITE_DATA, ReOpenFile,
    WRITE_DAC, WRITE_OWNER,
};

/// Rights to put something else in the place of a file or folder, by whoever has them on it.
const EXCHANGE: u32 = DELETE | WRITE_DAC | WRITE_OWNER | GENERIC_ALL;
/// The same for what lies in a folder.
const EXCHANGE_BELOW: u32 = FILE_DELETE_CHILD | EXCHANGE;
/// Rights to change what is in it.
const CHANGE: u32 = FILE_WRITE_DATA | FILE_APPEND_DATA | FILE_DELETE_CHILD | GENERIC_WRITE | EXCHANGE;
const READ: u32 = FILE_READ_DATA | GENERIC_READ | GENERIC_ALL;

impl Owner {
    fn may_be(self, sid: &str) -> bool {
        match self {
            Self::Me => is_mine_or_rulers(sid),
            Self::Root => rules(sid),
        }
    }
}

/// That nobody but `owner` can put something else in the place of `path`, however it is reached: it (if it exists) and
/// all folders above it, links included, are `owner`'s, and others can neither change nor exchange it.
///
/// # Errors
/// What is not so, or cannot be looked at.
pub fn trusted(path: &Path, owner: Owner) -> Result<(), Distrust> {
    let chain = |path: &Path| {
        for place in path.ancestors().filter(|place| place.parent().is_some()) {
            match fs::symlink_metadata(place) {
                Ok(_) => {
                    let guard =
                        Guard::of_path(place).map_err(|error| Distrust::System(place.to_owned(), error))?;
                    check(place, &guard, owner, place != path)?;
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

fn check(place: &Path, guard: &Guard, owner: Owner, above: bool) -> Result<(), Distrust> {
    if !owner.may_be(&guard.owner) {
        return Err(Distrust::Foreign { path: place.to_owned(), owner: name_of(&guard.owner) });
    }
    // Everybody may make folders at the top of a disk, but not exchange those that are there.
    if guard.gives_others(if above { EXCHANGE_BELOW } else { CHANGE }) {
        return Err(Distrust::OpenToOthers(place.to_owned()));
    }
    Ok(())
}

/// A plain file that is open for reading, and what the system tells of it.
#[derive(Debug)]
pub struct Opened {
    pub file: File,
    pub bytes: u64,
    /// Other users of this computer can get at it.
    pub exposed: bool,
}

/// Opens a plain file of `owner`'s for reading. `None` = there is none, and that is certain.
///
/// # Errors
/// It is there and cannot be used.
pub fn open_of(path: &Path, owner: Owner) -> Result<Option<Opened>, Distrust> {
    let system = |error| Distrust::System(path.to_owned(), error);
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let link = fs::symlink_metadata(path).is_ok_and(|meta| meta.is_symlink());
            return if link { Err(Distrust::DanglingLink(path.to_owned())) } else { Ok(None) };
        }
        Err(_) if path.is_dir() => return Err(Distrust::NotAFile(path.to_owned())),
        Err(error) => return Err(system(error)),
    };
    let meta = file.metadata().map_err(system)?;
    if !meta.is_file() {
        return Err(Distrust::NotAFile(path.to_owned()));
    }
    let guard = Guard::of(&file, SE_FILE_OBJECT).map_err(system)?;
    check(path, &guard, owner, false)?;
    if owner == Owner::Root {
        trusted(path, owner)?;
    }
    Ok(Some(Opened { file, bytes: meta.len(), exposed: guard.gives_others(READ) }))
}

/// Opens a plain file below `folder` for reading, by the names of the folders on the way and its own; no link among
/// them is followed. `None` = the folders are there, and it is not.
///
/// # Errors
/// As CreateFileW; it is no plain file.
pub fn open_below(folder: &Path, names: &[&str]) -> Result<Option<File>, Distrust> {
    let mut place = folder.to_owned();
    fs::metadata(&place).map_err(|error| Distrust::System(place.clone(), error))?;
    for (nth, name) in names.iter().enumerate() {
        place.push(name);
        let is_last = nth + 1 == names.len();
        match fs::symlink_metadata(&place) {
            // Neither is true of a link.
            Ok(meta) if if is_last { meta.is_file() } else { meta.is_dir() } => {}
            Ok(_) => return Err(Distrust::NotAFile(place)),
            Err(error) if error.kind() == io::ErrorKind::NotFound && is_last => return Ok(None),
            Err(error) => return Err(Distrust::System(place, error)),
        }
    }
    let opened = fs::OpenOptions::new().read(true).custom_flags(FILE_FLAG_OPEN_REPARSE_POINT).open(&place);
    let file = opened.map_err(|error| Distrust::System(place.clone(), error))?;
    match file.metadata() {
        Ok(meta) if !meta.is_file() => Err(Distrust::NotAFile(place)),
        Ok(_) => Ok(Some(file)),
        Err(error) => Err(Distrust::System(place, error)),
    }
}

/// Opens a plain file of this user's own for reading; not one behind a link.
///
/// # Errors
/// As CreateFileW; it is no plain file or another user's.
pub fn open_own(path: &Path) -> io::Result<File> {
    let file = private_options().read(true).open(path)?;
    own(&file)?;
    Ok(file)
}

fn own(file: &File) -> io::Result<()> {
    let owner = Guard::of(file, SE_FILE_OBJECT)?.owner;
    // What an administrator makes belongs to all of them.
    if !file.metadata()?.is_file() || !is_mine_or_rulers(&owner) {
        return Err(io::Error::from(io::ErrorKind::PermissionDenied));
    }
    Ok(())
}

/// Fills `into` with the bytes of a file from `at` on.
///
/// # Errors
/// As ReadFile; the file ends before.
pub fn read_at(file: &File, mut at: u64, mut into: &mut [u8]) -> io::Result<()> {
    while !into.is_empty() {
        match file.seek_read(into, at)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            got => (at, into) = (at + got as u64, &mut into[got..]),
        }
    }
    Ok(())
}

/// Whether others than the owner may read or write the file.
///
/// # Errors
/// As GetSecurityInfo.
pub fn open_to_others(file: &File) -> io::Result<bool> {
    Ok(Guard::of(file, SE_FILE_OBJECT)?.gives_others(READ | CHANGE))
}

/// Only this user and who rules the computer, handed down to all that is made in a folder.
fn private() -> io::Result<Descriptor> {
    let me = me()?;
    Descriptor::new(&format!("D:P(A;OICI;FA;;;{me})(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"))
}

const LIST: u32 = DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION;

/// Creates a folder that only this user may enter, and makes an existing one so.
///
/// # Errors
/// As CreateDirectoryW and SetNamedSecurityInfoW.
pub fn private_folder(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)?;
    if Guard::of_path(path)?.gives_others(READ | CHANGE) {
        let (name, rights) = (wide(path), private()?);
        let list = rights.list()?;
        // SAFETY: the name ends with 0, and the list lives until the call returns.
        let code = unsafe {
            SetNamedSecurityInfoW(
                name.as_ptr(),
                SE_FILE_OBJECT,
                LIST,
                null_mut(),
                null_mut(),
                list,
                null_mut(),
            )
        };
        told(code)?;
    }
    Ok(())
}

/// Creates a folder; who may enter it the one above says.
///
/// # Errors
/// As [`fs::create_dir_all`].
pub fn public_folder(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

/// Options that open no file behind a link. One that they create is as private as its folder.
pub fn private_options() -> fs::OpenOptions {
    let mut options = fs::OpenOptions::new();
    options.custom_flags(FILE_FLAG_OPEN_REPARSE_POINT);
    options
}

/// Takes an open file from everybody but this user.
///
/// # Errors
/// It is no plain file or another user's; as SetSecurityInfo.
pub fn make_private(file: &File) -> io::Result<()> {
    own(file)?;
    if !open_to_others(file)? {
        return Ok(());
    }
    let shared = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
    // SAFETY: the file is open.
    let again = unsafe { ReOpenFile(file.as_raw_handle() as HANDLE, WRITE_DAC, shared, 0) };
    checked(i32::from(again != INVALID_HANDLE_VALUE))?;
    // SAFETY: it was just opened, and nobody else has it.
    let again = unsafe { OwnedHandle::from_raw_handle(again.cast()) };
    let rights = private()?;
    let list = rights.list()?;
    let handle = again.as_raw_handle() as HANDLE;
    // SAFETY: the handle is open, and the list lives until the call returns.
    told(unsafe { SetSecurityInfo(handle, SE_FILE_OBJECT, LIST, null_mut(), null_mut(), list, null_mut()) })
}

fn told(code: u32) -> io::Result<()> {
    if code == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(code.cast_signed())) }
}

/// A folder held open: while it is, nobody can move it away and put another in its place.
#[derive(Debug)]
pub struct Folder {
    _handle: File,
    path: PathBuf,
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
            if fs::symlink_metadata(place)?.is_symlink() && !is_mine_or_rulers(&Guard::of_path(place)?.owner)
            {
                return Err(io::Error::from(io::ErrorKind::PermissionDenied));
            }
        }
        let mut options = fs::OpenOptions::new();
        // Not shared for deletion: renaming it needs that right.
        options.read(true).share_mode(FILE_SHARE_READ | FILE_SHARE_WRITE);
        let handle = options.custom_flags(FILE_FLAG_BACKUP_SEMANTICS).open(path)?;
        if !handle.metadata()?.is_dir() {
            return Err(io::Error::from(io::ErrorKind::NotADirectory));
        }
        Ok(Self { _handle: handle, path: fs::canonicalize(path)? })
    }

    /// # Errors
    /// It cannot be told.
    pub fn look_at(&self, name: &OsStr) -> io::Result<Found> {
        match fs::symlink_metadata(self.path.join(name)) {
            Ok(meta) if meta.is_symlink() => Ok(Found::Link),
            Ok(meta) if meta.is_file() => Ok(Found::File),
            Ok(_) => Ok(Found::Other),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Found::Nothing),
            Err(error) => Err(error),
        }
    }

    /// A new file, to be written and then placed. It goes again if it is not. Who may read it is what the folder hands
    /// down, for all `readers`.
    ///
    /// # Errors
    /// As CreateFileW.
    pub fn begin(&self, _readers: Readers) -> io::Result<Pending<'_>> {
        // Names that are taken by chance are tried again, those that somebody keeps taking are not for ever.
        for _ in 0..16 {
            let mut random = [0; 8];
            aws_lc_rs::rand::fill(&mut random).map_err(|_| io::Error::other("no randomness"))?;
            let name = format!(".new-{:016x}", u64::from_ne_bytes(random));
            let mut options = private_options();
            match options.read(true).write(true).create_new(true).open(self.path.join(&name)) {
                Ok(file) => return Ok(Pending { folder: self, file, name, placed: false }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::from(io::ErrorKind::AlreadyExists))
    }
}

impl Pending<'_> {
    /// Gives the file its name in one step, in the place of what has it now; a link is replaced, never followed.
    ///
    /// # Errors
    /// As MoveFileExW and FlushFileBuffers.
    pub fn place(mut self, name: &OsStr, on_disk: bool) -> io::Result<()> {
        if on_disk {
            self.file.sync_all()?;
        }
        fs::rename(self.folder.path.join(&self.name), self.folder.path.join(name))?;
        self.placed = true;
        if on_disk {
            // The file system's journal has the new name behind the old one.
            self.file.sync_all()?;
        }
        Ok(())
    }
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        if !self.placed {
            let _ = fs::remove_file(self.folder.path.join(&self.name));
        }
    }
}

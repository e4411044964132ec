//! Writing one setting into the person's own file, or into the machine's.

#![expect(clippy::disallowed_methods, reason = "takes turns at a file")]

use super::folders::Folders;
use super::os;
use super::private_file::{self, Durability, Readers};
use super::settings_files;
use hub::protocol::Problem;
use hub::settings::{self, Content, Key};
use std::fs::File;
use std::io;
use std::path::Path;

/// Why a setting could not be kept.
#[derive(Debug)]
pub(super) enum NotKept {
    /// Somebody else decides on it, or the file cannot be read as settings.
    Refused(Problem),
    /// Where, and what the system says.
    Unwritten { place: String, reason: String },
}

impl NotKept {
    /// What was refused says itself what next; the rest is said in the words of what was to be kept.
    pub(super) fn problem(self, of: impl FnOnce(&str, &str) -> Problem) -> Problem {
        match self {
            Self::Refused(problem) => problem,
            Self::Unwritten { place, reason } => of(&place, &reason),
        }
    }
}

/// Sets `key` (spelt as in the environment), or takes it out.
///
/// # Errors
/// The machine decides on it, or the file cannot be read as settings, or not be written.
pub(super) fn keep(folders: &Folders, key: Key, value: Option<&str>) -> Result<(), NotKept> {
    keep_named(folders, key.name(), value)
}

fn keep_named(folders: &Folders, name: &str, value: Option<&str>) -> Result<(), NotKept> {
    let path = folders.user_settings();
    let place = path.display().to_string();
    let cannot =
        |error: std::io::Error| NotKept::Unwritten { place: place.clone(), reason: error.to_string() };
    os::private_folder(path.parent().unwrap_or(&path)).map_err(cannot)?;
    // Another may be reading and writing it at this moment: one after the other, or one of both changes is lost.
    let _turn = turn(&path).map_err(cannot)?;
    let text = settings::set(&settings_files::layers(folders), name, value).map_err(NotKept::Refused)?;
    private_file::replace(&path, text.as_bytes(), Readers::Owner, Durability::Disk).map_err(cannot)
}

/// Waits until nobody else changes the file at `path`.
fn turn(path: &Path) -> io::Result<File> {
    let mut options = os::private_options();
    let lock = options.write(true).create(true).truncate(false).open(path.with_extension("lock"))?;
    match lock.lock() {
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(lock),
        locked => locked.map(|()| lock),
    }
}

/// What a person sets by name.
///
/// # Errors
/// See [`keep`]; no such setting.
pub(super) fn set(folders: &Folders, name: &str, value: Option<&str>) -> Result<(), Problem> {
    keep_named(folders, name, value).map_err(|why| why.problem(not_written))
}

/// What whoever rules the computer sets for all its people; the file that says it now.
///
/// # Errors
/// No such setting, or not this value; a file that cannot be read, or not be written: it is root's.
pub(super) fn set_for_machine(folders: &Folders, name: &str, value: Option<&str>) -> Result<String, Problem> {
    if folders.machine.home.is_none() && os::machine_settings_elsewhere().is_some() {
        return Err(os::Missing::MachineSettings.into());
    }
    let files = settings_files::layers(folders).machine;
    let (file, text) = settings::set_for_machine(&files, name, value)?;
    let path = Path::new(&file.path);
    // Who could read it can, and nobody else: it may hold more than it should.
    let for_all = file.exposed || (file.content == Content::Absent && file.path == files.shared.path);
    let readers = if for_all { Readers::Everyone } else { Readers::Owner };
    os::public_folder(path.parent().unwrap_or(path))
        .and_then(|()| private_file::replace(path, text.as_bytes(), readers, Durability::Disk))
        .map_err(|error| match error.kind() {
            io::ErrorKind::PermissionDenied => needs_root(&file.path),
            _ => not_written(&file.path, &error.to_string()),
        })?;
    Ok(file.path.clone())
}

fn needs_root(place: &str) -> Problem {
    Problem::new(
        "settings-need-root",
        "The settings of the whole computer may only be changed by who rules it",
        place,
        "Do it as root, or leave out --machine for a setting of your own.",
    )
}

fn not_written(place: &str, reason: &str) -> Problem {
    Problem::new(
        "settings-not-written",
        format!("The settings cannot be written: {reason}"),
        place,
        "Check the folder's permissions and that the disk is not full.",
    )
    .with("error", reason)
}

/// The headset that carries the calls.
///
/// # Errors
/// See [`keep`].
pub(super) fn keep_headset(folders: &Folders, device: &str) -> Result<(), Problem> {
    keep(folders, Key::Headset, Some(device)).map_err(|why| why.problem(not_kept))
}

fn not_kept(place: &str, reason: &str) -> Problem {
    Problem::new(
        "headset-not-kept",
        format!("The choice of the headset cannot be remembered: {reason}"),
        place,
        "Correct the file or its permissions, then choose again.",
    )
    .with("reason", reason)
}

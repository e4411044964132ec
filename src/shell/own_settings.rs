//! Writing one setting into the person's own file, or into the machine's.

#![expect(clippy::disallowed_methods, reason = "takes turns at a file")]

use super::folders::Folders;
use super::os;
use super::private_file::{self, Durability, Readers};
use super::settings_files;
use hub::problem::Reason;
use hub::protocol::Problem;
use hub::settings::{self, Content, Key};
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

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
    keep_named(folders, key.name(), value, Patience::None)
}

fn keep_named(folders: &Folders, name: &str, value: Option<&str>, patience: Patience) -> Result<(), NotKept> {
    let path = folders.user_settings();
    let place = path.display().to_string();
    let cannot =
        |error: std::io::Error| NotKept::Unwritten { place: place.clone(), reason: error.to_string() };
    os::private_folder(path.parent().unwrap_or(&path)).map_err(cannot)?;
    // Another may be reading and writing it at this moment: one after the other, or one of both changes is lost.
    let _turn = Turn::at(&path, patience).map_err(cannot)?.ok_or_else(|| NotKept::Refused(busy(&place)))?;
    let text = settings::set(&settings_files::layers(folders), name, value).map_err(NotKept::Refused)?;
    private_file::replace(&path, text.as_bytes(), Readers::Owner, Durability::Disk).map_err(cannot)
}

/// For how long another is waited for who changes the same file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    /// An agent has calls to look after.
    None,
    /// A command waits this long.
    Command,
}

const COMMAND: Duration = Duration::from_secs(5);

/// Nobody else changes a file meanwhile.
struct Turn(#[expect(dead_code, reason = "its lock ends with it")] File);

impl Turn {
    /// `None` = another has it, and that for long.
    fn at(path: &Path, patience: Patience) -> io::Result<Option<Self>> {
        let mut options = os::private_options();
        let lock = options.write(true).create(true).truncate(false).open(path.with_extension("lock"))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Self(lock))),
            // A disk that knows no locks.
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                Ok(Some(Self(lock)))
            }
            Err(TryLockError::Error(error)) => Err(error),
            Err(TryLockError::WouldBlock) if patience == Patience::None => Ok(None),
            Err(TryLockError::WouldBlock) => {
                let (told, tell) = mpsc::channel();
                // Who waits for a lock cannot be called back: what comes too late is let go at once.
                std::thread::Builder::new().spawn(move || _ = told.send(lock.lock().map(|()| Self(lock))))?;
                tell.recv_timeout(COMMAND).ok().transpose()
            }
        }
    }
}

fn busy(place: &str) -> Problem {
    Reason::SettingsBusy.at(place)
}

/// What a person sets by name.
///
/// # Errors
/// See [`keep`]; no such setting.
pub(super) fn set(
    folders: &Folders,
    name: &str,
    value: Option<&str>,
    patience: Patience,
) -> Result<(), Problem> {
    keep_named(folders, name, value, patience).map_err(|why| why.problem(not_written))
}

/// What whoever rules the computer sets for all its people; the file that says it now.
///
/// # Errors
/// No such setting, or not this value; a file that cannot be read, or not be written: it is root's.
pub(super) fn set_for_machine(folders: &Folders, name: &str, value: Option<&str>) -> Result<String, Problem> {
    if folders.machine.home.is_none() && os::machine_settings_elsewhere().is_some() {
        return Err(os::Missing::MachineSettings.into());
    }
    let shared = PathBuf::from(settings_files::layers(folders).machine.shared.path);
    let cannot = |place: &str| {
        let place = place.to_owned();
        move |error: io::Error| match error.kind() {
            io::ErrorKind::PermissionDenied => needs_root(&place),
            _ => not_written(&place, &error.to_string()),
        }
    };
    let place = shared.display().to_string();
    os::public_folder(shared.parent().unwrap_or(&shared)).map_err(cannot(&place))?;
    // One for both files: a setting may move from the one to the other.
    let turn = Turn::at(&shared, Patience::Command).map_err(cannot(&place))?;
    let _turn = turn.ok_or_else(|| busy(&place))?;
    let files = settings_files::layers(folders).machine;
    let (file, text) = settings::set_for_machine(&files, name, value)?;
    let path = Path::new(&file.path);
    // Who could read it can, and nobody else: it may hold more than it should.
    let for_all = file.exposed || (file.content == Content::Absent && file.path == files.shared.path);
    let readers = if for_all { Readers::Everyone } else { Readers::Owner };
    private_file::replace(path, text.as_bytes(), readers, Durability::Disk).map_err(cannot(&file.path))?;
    Ok(file.path.clone())
}

fn needs_root(place: &str) -> Problem {
    Reason::SettingsNeedRoot.at(place)
}

fn not_written(place: &str, reason: &str) -> Problem {
    Reason::SettingsNotWritten { error: reason.to_owned() }.at(place)
}

/// The headset that carries the calls.
///
/// # Errors
/// See [`keep`].
pub(super) fn keep_headset(folders: &Folders, device: &str) -> Result<(), Problem> {
    keep(folders, Key::Headset, Some(device)).map_err(|why| why.problem(not_kept))
}

fn not_kept(place: &str, reason: &str) -> Problem {
    Reason::HeadsetNotKept { reason: reason.to_owned() }.at(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_comes_second_waits_or_is_told() {
        let home = tempfile::tempdir().expect("a folder");
        let path = home.path().join("settings.toml");
        let first = Turn::at(&path, Patience::None).expect("a disk").expect("nobody has it");
        assert!(Turn::at(&path, Patience::None).expect("a disk").is_none());
        std::thread::scope(|scope| {
            let second = scope.spawn(|| Turn::at(&path, Patience::Command).expect("a disk").is_some());
            drop(first);
            assert!(second.join().expect("it ends"), "the first one is done");
        });
        assert!(Turn::at(&path, Patience::None).expect("a disk").is_some());
    }
}

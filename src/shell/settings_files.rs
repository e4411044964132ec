//! The settings files as they lie on the disk. What cannot be read is handed on as such: it is not nothing.

use super::folders::Folders;
use super::os::{self, Distrust, MachineSettings, Owner};
use hub::settings::{Content, Layers, MAX_FILE_BYTES, MachineFiles, SettingsFile, Unusable};
use std::io::{self, Read as _};
use std::path::Path;

/// All layers as they are now.
pub fn layers(folders: &Folders) -> Layers {
    let places = &folders.machine;
    let computer = places.home.as_ref().map(|_| machine(&places.computer, Owner::Root));
    Layers {
        user: read(&folders.user_settings(), Owner::Me),
        environment: os::environment(),
        machine: match &places.home {
            Some(home) => machine(home, Owner::Me),
            None => machine(&places.computer, Owner::Root),
        },
        computer,
    }
}

fn machine(folder: &Path, owner: Owner) -> MachineFiles {
    if let (Owner::Root, Some(MachineSettings { shared, private })) =
        (owner, os::machine_settings_elsewhere())
    {
        return MachineFiles { shared: told(shared), private: told(private) };
    }
    MachineFiles {
        shared: read(&folder.join("hookswitch.toml"), owner),
        private: read(&folder.join("tenant.toml"), owner),
    }
}

/// Settings that are in no file.
fn told((place, text): (String, io::Result<Option<String>>)) -> SettingsFile {
    let mut file = SettingsFile::absent(place.clone());
    match text {
        Ok(None) => {}
        Ok(Some(text)) => file.content = Content::Text(text),
        Err(error) => {
            file.content = Content::Unusable(unusable(Distrust::System(place.into(), error), Owner::Root));
        }
    }
    file
}

/// A file of this user's or of the machine's.
fn read(path: &Path, owner: Owner) -> SettingsFile {
    let mut file = SettingsFile::absent(path.display().to_string());
    match os::open_of(path, owner) {
        Ok(None) => {}
        Ok(Some(opened)) => {
            file.exposed = opened.exposed;
            file.content = content(path, opened);
        }
        Err(distrust) => file.content = Content::Unusable(unusable(distrust, owner)),
    }
    file
}

fn content(path: &Path, opened: os::Opened) -> Content {
    let mut bytes = Vec::new();
    // One more than is good, so that a file that grows meanwhile is seen to be too large.
    if let Err(error) = opened.file.take(MAX_FILE_BYTES as u64 + 1).read_to_end(&mut bytes) {
        return Content::Unusable(unusable(Distrust::System(path.to_owned(), error), Owner::Me));
    }
    if bytes.len() > MAX_FILE_BYTES {
        return Content::Unusable(Unusable::TooLarge(opened.bytes.max(bytes.len() as u64)));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Content::Text(text),
        Err(_) => Content::Unusable(Unusable::NotUtf8),
    }
}

fn unusable(distrust: Distrust, owner: Owner) -> Unusable {
    match distrust {
        Distrust::System(_, error)
            if error.kind() == io::ErrorKind::PermissionDenied && owner == Owner::Root =>
        {
            Unusable::Withheld
        }
        Distrust::System(_, error) => Unusable::System(error.to_string()),
        Distrust::NotAFile(_) => Unusable::NotAFile,
        Distrust::DanglingLink(_) => Unusable::DanglingLink,
        Distrust::Foreign { path, owner } => Unusable::Foreign { path: path.display().to_string(), owner },
        Distrust::OpenToOthers(path) => Unusable::OpenToOthers(path.display().to_string()),
    }
}

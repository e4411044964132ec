//! The settings files as they lie on the disk. What cannot be read is handed on as such: it is not nothing.

use super::folders::Folders;
use super::os::{self, Distrust, MachineSettings, Owner};
use hub::settings::{Content, Layers, MAX_FILE_BYTES, MachineFiles, Settings, SettingsFile, Unusable};
use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Of the machine, for every user to read.
const SHARED: &str = "hookswitch.toml";
/// Of the machine, for root's eyes.
const PRIVATE: &str = "tenant.toml";

/// Of this run, as its command line says: stronger than the variable, weaker than what the machine says.
static PORT: OnceLock<u16> = OnceLock::new();

/// Puts the door for softphones elsewhere, for as long as this program runs.
pub fn ask_for_port(port: u16) {
    // Said once, before anything is read.
    let _ = PORT.set(port);
}

fn environment() -> BTreeMap<String, String> {
    let mut environment = os::environment();
    environment.extend(PORT.get().map(|port| ("HOOKSWITCH_REST_PORT".to_owned(), port.to_string())));
    environment
}

/// All layers as they are now.
pub fn layers(folders: &Folders) -> Layers {
    let places = &folders.machine;
    let computer = places.home.as_ref().map(|_| machine(&places.computer, Owner::Root));
    Layers {
        user: read(&folders.user_settings(), Owner::Me),
        environment: environment(),
        machine: match &places.home {
            Some(home) => machine(home, Owner::Me),
            None => machine(&places.computer, Owner::Root),
        },
        computer,
    }
}

/// Calls `changed` whenever one of the files may say something else, for as long as the program runs. The file of the
/// tenant's certificate authority is one of them: it is renewed where the settings stay as they are.
pub async fn watch(folders: &Folders, changed: impl Fn()) {
    let mut files = files_of(folders);
    let mut changes = os::FileChanges::of(&files);
    while changes.next().await.is_some() {
        let now = files_of(folders);
        if now != files {
            changes = os::FileChanges::of(&now);
            files = now;
        }
        // After that, so that nothing is missed which is written from here on.
        changed();
    }
}

fn files_of(folders: &Folders) -> Vec<PathBuf> {
    let machine = |folder: &Path| [folder.join(SHARED), folder.join(PRIVATE)];
    let places = &folders.machine;
    let machines = places.home.iter().chain([&places.computer]).flat_map(|folder| machine(folder));
    let authority = Settings::resolve(&layers(folders)).0.tenant_ca.value.map(PathBuf::from);
    machines.chain([folders.user_settings()]).chain(authority).collect()
}

fn machine(folder: &Path, owner: Owner) -> MachineFiles {
    if let (Owner::Root, Some(MachineSettings { shared, private })) =
        (owner, os::machine_settings_elsewhere())
    {
        return MachineFiles { shared: told(shared), private: told(private) };
    }
    MachineFiles { shared: read(&folder.join(SHARED), owner), private: read(&folder.join(PRIVATE), owner) }
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
    match whole(path, opened).map(String::from_utf8) {
        Ok(Ok(text)) => Content::Text(text),
        Ok(Err(_)) => Content::Unusable(Unusable::NotUtf8),
        Err(unusable) => Content::Unusable(unusable),
    }
}

fn whole(path: &Path, opened: os::Opened) -> Result<Vec<u8>, Unusable> {
    let mut bytes = Vec::new();
    // One more than is good, so that a file that grows meanwhile is seen to be too large.
    opened
        .file
        .take(MAX_FILE_BYTES as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unusable(Distrust::System(path.to_owned(), error), Owner::Me))?;
    if bytes.len() > MAX_FILE_BYTES {
        return Err(Unusable::TooLarge(opened.bytes.max(bytes.len() as u64)));
    }
    Ok(bytes)
}

/// A file that says whom to trust, as the setting `tenant_ca`: nobody but this user and root may have written it, or
/// put it there.
///
/// # Errors
/// It is not there, another user's, or too large.
pub fn authority(path: &Path) -> Result<Vec<u8>, Unusable> {
    let believed = |distrust| unusable(distrust, Owner::Me);
    let Some(opened) = os::open_of(path, Owner::Me).map_err(believed)? else {
        return Err(Unusable::Missing);
    };
    os::trusted(path, Owner::Me).map_err(believed)?;
    whole(path, opened)
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

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "plants files")]

    use super::*;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    /// Whoever can write the authority's file is the tenant.
    #[test]
    fn a_trust_anchor_that_others_may_write_is_refused() {
        let home = tempfile::tempdir().expect("a temporary folder");
        let path = home.path().join("ca.pem");
        assert!(matches!(authority(&path), Err(Unusable::Missing)));
        std::fs::write(&path, "PEM").expect("written");
        assert_eq!(authority(&path).expect("mine"), b"PEM");
        let mode = |path: &Path, mode| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("mine");
        };
        mode(&path, 0o666);
        assert!(matches!(authority(&path), Err(Unusable::OpenToOthers(_))));
        mode(&path, 0o644);
        let open = home.path().join("open");
        std::fs::create_dir(&open).expect("made");
        std::fs::copy(&path, open.join("ca.pem")).expect("copied");
        symlink(open.join("ca.pem"), home.path().join("link")).expect("linked");
        assert!(authority(&home.path().join("link")).is_ok());
        mode(&open, 0o777);
        for way in [open.join("ca.pem"), home.path().join("link")] {
            assert!(matches!(authority(&way), Err(Unusable::OpenToOthers(_))), "{way:?}");
        }
        std::fs::write(&path, vec![b'x'; MAX_FILE_BYTES + 1]).expect("written");
        assert!(matches!(authority(&path), Err(Unusable::TooLarge(_))));
        assert!(matches!(authority(home.path()), Err(Unusable::NotAFile)));
    }
}

//! Writing one setting into the person's own file.

use super::folders::Folders;
use super::os;
use super::private_file::{self, Durability, Readers};
use super::settings_files;
use hub::protocol::Problem;
use hub::settings::{self, Key};

/// Why a setting could not be kept: where, and what the system or the file says.
#[derive(Debug)]
pub(super) struct NotKept {
    pub(super) place: String,
    pub(super) reason: String,
}

/// Sets `key` (spelt as in the environment), or takes it out.
///
/// # Errors
/// The machine decides on it, or the file cannot be read as settings, or not be written.
pub(super) fn keep(folders: &Folders, key: Key, value: Option<&str>) -> Result<(), NotKept> {
    let path = folders.user_settings();
    let place = path.display().to_string();
    let cannot = |error: std::io::Error| NotKept { place: place.clone(), reason: error.to_string() };
    let text = settings::set(&settings_files::layers(folders), key.name(), value)
        .map_err(|problem| NotKept { place: problem.place, reason: problem.what })?;
    os::private_folder(path.parent().unwrap_or(&path)).map_err(cannot)?;
    private_file::replace(&path, text.as_bytes(), Readers::Owner, Durability::Disk).map_err(cannot)
}

/// The headset that carries the calls.
///
/// # Errors
/// See [`keep`].
pub(super) fn keep_headset(folders: &Folders, device: &str) -> Result<(), Problem> {
    keep(folders, Key::Headset, Some(device)).map_err(|NotKept { place, reason }| {
        Problem::new(
            "headset-not-kept",
            format!("The choice of the headset cannot be remembered: {reason}"),
            place,
            "Correct the file or its permissions, then choose again.",
        )
        .with("reason", reason)
    })
}

//! What differs between operating systems; nothing else says `cfg(target_os)`.

use hub::problem::Reason;
use hub::protocol::{Detail, Problem};
use std::path::{Path, PathBuf};

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(unix)]
mod unix;
#[cfg(not(target_os = "linux"))]
mod untold;
#[cfg(windows)]
mod windows;
#[cfg(all(test, not(windows)))]
#[path = "os/windows/told.rs"]
mod windows_told;
#[cfg(target_os = "linux")]
use linux as here;
#[cfg(target_os = "macos")]
use macos as here;
#[cfg(windows)]
use windows as here;

pub use here::{
    Alarm, AwakeLock, DEVICE_NOTICES, FileChanges, Folder, LocalCaller, LocalListener, LocalPlace,
    LocalStream, MISSING, MachineStream, MainLoop, Opened, PairEnd, Pending, Post, ended, environment,
    frugal_memory, give_back_memory, hardware_seed, has_display, hid_closed, hid_descriptor, hid_port,
    host_name, instant, is_foreign, is_listened_at, keep_awake, language, ldap_pair, machine_seed,
    machine_settings, machine_settings_elsewhere, main_loop, make_private, open_below, open_of, open_own,
    open_to_others, open_url, peer_program, port_holder, private_folder, private_options, public_folder,
    reach_machine, read_at, serve, service_is_enabled, service_places, show_notice, slept, start_beside,
    start_unit, survive_file_limits, system, termination, trusted, usb_descriptors, user_name, watch_devices,
    watch_seat, watch_world,
};

/// Whose word a file or folder may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// This user's, or who rules the computer.
    Me,
    /// Who rules the computer alone.
    Root,
}

/// Who may come to a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Callers {
    /// This user, and who rules the computer.
    Mine,
    /// Every account of this computer.
    Everyone,
}

/// Where a service of the whole computer keeps what it has. Nobody else may look into any but the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServicePlaces {
    pub data: PathBuf,
    pub state: PathBuf,
    pub cache: PathBuf,
    /// Its socket: everybody may enter.
    pub runtime: PathBuf,
}

/// Who may read a file besides its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readers {
    Owner,
    Everyone,
}

/// What lies at a place where a file is to be put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    Nothing,
    File,
    Link,
    Other,
}

/// Why a machine role is not reached.
#[derive(Debug, thiserror::Error)]
pub enum Unreached {
    /// Whoever listens in its place is another account.
    #[error("another account listens there")]
    Foreign,
    #[error(transparent)]
    System(#[from] std::io::Error),
}

/// Who is at the other end of a local connection, by the system's word for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// As the system writes it: a user id, a SID.
    pub account: String,
    /// As people know it; the account itself where it has no name.
    pub name: String,
    /// This user, or who rules the computer.
    pub is_mine_or_roots: bool,
}

/// The machine's settings where they are in no files: what every user may read, and what only who rules the computer
/// may, each with its place, and as a settings file would say it. `None` = there is nothing.
#[derive(Debug)]
pub struct MachineSettings {
    pub shared: (String, std::io::Result<Option<String>>),
    pub private: (String, std::io::Result<Option<String>>),
}

/// What this program cannot do on a system yet. A system says which of them in `MISSING`; nothing is missing on Linux.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Reading and writing a headset's firmware.
    Firmware,
    /// Whose a port or a connection is, so that connections of other users of this computer are refused.
    Connections,
    /// When somebody sets the clock.
    ClockSteps,
    /// When files change that others write.
    FileChanges,
    /// Writing the settings of the whole computer.
    MachineSettings,
}

impl From<Missing> for Problem {
    fn from(missing: Missing) -> Self {
        let what = match missing {
            Missing::Firmware => Detail::new("missing-firmware", "updates of a headset's firmware"),
            Missing::Connections => Detail::new(
                "missing-connections",
                "refusing what other users of this computer ask of the window and the softphone door",
            ),
            Missing::ClockSteps => Detail::new("missing-clock-steps", "noticing that the clock is set"),
            Missing::FileChanges => Detail::new(
                "missing-file-changes",
                "noticing that a settings file was edited; what `hookswitch settings set` changes counts at once",
            ),
            Missing::MachineSettings => Detail::new(
                "missing-machine-settings",
                "changing the settings of the whole computer; IT's own tools can",
            ),
        };
        Reason::NotOnThisSystem { what }.at(std::env::consts::OS)
    }
}

/// Why a file or folder is not believed, or not looked into.
#[derive(Debug, thiserror::Error)]
pub enum Distrust {
    #[error("{0} is no file")]
    NotAFile(PathBuf),
    #[error("{0} is a link that leads nowhere")]
    DanglingLink(PathBuf),
    #[error("{path} belongs to {owner}")]
    Foreign { path: PathBuf, owner: String },
    #[error("others may write {0}")]
    OpenToOthers(PathBuf),
    #[error("{0}: {1}")]
    System(PathBuf, std::io::Error),
}

/// The operating system as it is registered with the tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct System {
    /// `Debian GNU/Linux`.
    pub name: String,
    /// `12`; empty where a rolling distribution has none.
    pub version: String,
    /// `6.1.0-18-amd64`.
    pub kernel: String,
    /// `x86_64`.
    pub architecture: &'static str,
}

/// Who listens at a TCP port. Programs of other users hide their name and number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    pub program: Option<(String, u32)>,
    /// Its name, or its number if it has none.
    pub user: String,
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.program {
            Some((name, pid)) => write!(f, "{name}, process {pid}"),
            None => write!(f, "a program of {}", self.user),
        }
    }
}

impl From<&Holder> for Detail {
    fn from(holder: &Holder) -> Self {
        match &holder.program {
            Some((name, pid)) => {
                Detail::new("holder-program", holder).with("name", name).with("process", pid)
            }
            None => Detail::new("holder-user", holder).with("user", &holder.user),
        }
    }
}

fn seed(machine_id: &str, application: &str) -> Option<String> {
    let is_id = machine_id.len() == 32 && machine_id.chars().all(|c| c.is_ascii_hexdigit());
    if !is_id || machine_id.chars().all(|c| c == '0') {
        return None;
    }
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, machine_id.as_bytes());
    let tag = aws_lc_rs::hmac::sign(&key, application.as_bytes());
    Some(tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Splits a path into the folder and the name in it.
///
/// # Errors
/// It names no file.
pub fn split(path: &Path) -> std::io::Result<(PathBuf, &std::ffi::OsStr)> {
    let name = path.file_name().ok_or(std::io::ErrorKind::InvalidInput)?;
    Ok((path.parent().map(Path::to_owned).unwrap_or_default(), name))
}

/// Only addresses for a browser: the opener would also start programs by other schemes.
fn is_web_address(url: &str) -> bool {
    url::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

#[cfg(not(target_os = "linux"))]
fn no_default_browser(reason: Detail) -> Problem {
    Reason::NoDefaultBrowser { reason }.here()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reference value: `printf %s NAME | openssl dgst -sha256 -hmac MACHINE-ID`.
    #[test]
    fn the_seed_is_an_hmac_of_a_real_id_only() {
        let id = "0123456789abcdef0123456789abcdef";
        let expected = "7004bc63ef2c0deda0e60b6334d4d467498656c76a443a9dc0686a555cf3c311";
        assert_eq!(seed(id, "hookswitch").as_deref(), Some(expected));
        assert_ne!(seed(id, "other"), seed(id, "hookswitch"));
        for no_id in ["", "uninitialized", "00000000000000000000000000000000", &id[1..]] {
            assert_eq!(seed(no_id, "hookswitch"), None);
        }
    }
}

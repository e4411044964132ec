//! What differs between operating systems; nothing else says `cfg(target_os)`.

use hub::protocol::{Detail, Problem};
use std::path::PathBuf;

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub use linux::{
    Alarm, AwakeLock, Folder, Found, Opened, Owner, Pending, ended, environment, frugal_memory,
    give_back_memory, hardware_seed, has_display, host_name, instant, is_foreign, is_mine_or_roots,
    is_socket, keep_awake, language, machine_seed, machine_settings, make_private, open_of, open_own,
    open_to_others, open_url, port_holder, private_folder, private_options, slept, split, start_beside,
    start_unit, survive_file_limits, system, termination, trusted, usb_descriptors, user_name, watch_world,
};

#[cfg(not(target_os = "linux"))]
compile_error!(
    "this system needs src/shell/os/<system>.rs with: Alarm, AwakeLock, Folder, Found, Opened, Owner, Pending, \
     ended, environment, frugal_memory, give_back_memory, hardware_seed, has_display, host_name, instant, \
     is_foreign, is_mine_or_roots, is_socket, keep_awake, language, machine_seed, machine_settings, make_private, \
     open_of, open_own, open_to_others, open_url, port_holder, private_folder, private_options, slept, split, \
     start_beside, start_unit, survive_file_limits, system, termination, trusted, usb_descriptors, user_name, \
     watch_world"
);

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

/// Only addresses for a browser: the opener would also start programs by other schemes.
fn is_web_address(url: &str) -> bool {
    url::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

fn no_browser(reason: Detail) -> Problem {
    Problem::new(
        "browser-not-opened",
        format!("No browser could be opened: {reason}"),
        "xdg-open",
        "Install the package xdg-utils and choose a default browser, or open the address that `hookswitch open --print` prints.",
    )
    .detail("reason", reason)
}

//! Linux: `/proc`, `/etc/os-release`, freedesktop conventions.
#![expect(clippy::disallowed_methods, reason = "this is where the system is asked")]

use super::{MachineSettings, Missing, ServicePlaces, System, seed};
use hub::machine::Seat;
use hub::world::WorldChange;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

mod awake;
mod changes;
mod clock;
mod connections;
mod desktop;
mod hid;
mod hotplug;
mod logind;
mod main_loop;
mod memory;
mod notices;
#[cfg(test)]
mod private_bus;
mod routes;

pub use super::unix::files::{
    Folder, Opened, Pending, make_private, open_below, open_of, open_own, open_to_others, private_folder,
    private_options, public_folder, read_at, trusted,
};
pub use super::unix::local::{
    LocalCaller, LocalListener, LocalPlace, LocalStream, MachineStream, PairEnd, is_listened_at, ldap_pair,
    reach_machine,
};
pub use super::unix::{environment, serve, start_beside, survive_file_limits, termination, user_name};
pub use awake::{AwakeLock, keep_awake};
pub use changes::FileChanges;
pub use clock::{Alarm, instant, slept};
pub use connections::{is_foreign, peer_program, port_holder};
pub use desktop::{has_display, open_url, start_unit};
pub use hid::{hid_closed, hid_descriptor, hid_port};
pub use hotplug::{DEVICE_NOTICES, watch_devices};
pub use main_loop::{MainLoop, Post, main_loop};
pub use memory::{frugal_memory, give_back_memory};
pub use notices::show_notice;

pub const MISSING: &[Missing] = &[];

/// Tells, until the program ends, when something around it may have changed. Each source that the system lacks is one
/// less.
pub async fn watch_world(changed: impl Fn(WorldChange)) {
    let steps = async {
        let asleep = std::cell::Cell::new(slept());
        let stepped = || {
            let total = slept();
            let woke = total > asleep.replace(total);
            changed(if woke { WorldChange::Resumed } else { WorldChange::ClockStepped });
        };
        if let Err(error) = clock::watch_steps(stepped).await {
            tracing::warn!(%error, "the system does not tell when its clock is set");
        }
    };
    let routes = async {
        if let Err(error) = routes::watch(|| changed(WorldChange::Network)).await {
            tracing::warn!(%error, "the system does not tell when the network changes");
        }
    };
    let sleep = async {
        if let Err(error) = logind::watch_sleep(|| changed(WorldChange::Resumed)).await {
            tracing::info!(%error, "nobody tells when the machine wakes: the clocks have to");
        }
    };
    tokio::join!(steps, routes, sleep);
}

/// Tells, until the program ends, whose turn it is at the screen. Where nobody knows, nothing is told.
pub async fn watch_seat(told: impl Fn(Seat)) {
    if let Err(error) = logind::watch_seat(told).await {
        tracing::warn!(%error, "nobody tells who is at the screen any more, or at all: it stays as it is");
    }
}

/// The language the session asks for, as a POSIX locale name; empty if none.
pub fn language() -> String {
    super::unix::session_language()
}

/// The folder of the machine's settings, which only root may write.
pub fn machine_settings() -> PathBuf {
    PathBuf::from("/etc/hookswitch")
}

/// As file-hierarchy(7) has them.
pub fn service_places() -> ServicePlaces {
    ServicePlaces {
        data: "/var/lib/hookswitch".into(),
        state: "/var/log/hookswitch".into(),
        cache: "/var/cache/hookswitch".into(),
        runtime: "/run/hookswitch".into(),
    }
}

/// Whether the service is to run on this computer, also while it does not.
pub fn service_is_enabled() -> bool {
    fs::symlink_metadata("/etc/systemd/system/multi-user.target.wants/hookswitch-machine.service").is_ok()
}

/// They are files here.
pub fn machine_settings_elsewhere() -> Option<MachineSettings> {
    None
}

pub fn host_name() -> String {
    first_line(Path::new("/proc/sys/kernel/hostname")).unwrap_or_else(|| "localhost".to_owned())
}

pub fn system() -> System {
    let release = fs::read_to_string("/etc/os-release")
        .or_else(|_| fs::read_to_string("/usr/lib/os-release"))
        .unwrap_or_default();
    System {
        name: os_release(&release, "NAME").unwrap_or_else(|| "Linux".to_owned()),
        version: os_release(&release, "VERSION_ID").unwrap_or_default(),
        kernel: first_line(Path::new("/proc/sys/kernel/osrelease")).unwrap_or_default(),
        architecture: std::env::consts::ARCH,
    }
}

/// A value of os-release(5), without its quotation marks.
fn os_release(text: &str, key: &str) -> Option<String> {
    let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))?;
    let value = value.trim().trim_matches(['"', '\'']);
    (!value.is_empty()).then(|| value.to_owned())
}

fn first_line(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    text.lines().next().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned)
}

/// 64 hexadecimal digits that stand for this machine and nothing else: the machine id itself never leaves it.
/// As machine-id(5) asks: HMAC-SHA256 keyed by the id over the application's name. `None` where there is no id yet.
pub fn machine_seed(application: &str) -> Option<String> {
    ["/etc/machine-id", "/var/lib/dbus/machine-id"]
        .iter()
        .find_map(|path| first_line(Path::new(path)).and_then(|id| seed(&id, application)))
}

/// The same from the id of the hardware (SMBIOS 3.7 §7.2.1). `None` where this account may not read it (the kernel gives
/// it to root alone) or the board has none.
pub fn hardware_seed(application: &str) -> Option<String> {
    let uuid = first_line(Path::new("/sys/class/dmi/id/product_uuid"))?.replace('-', "").to_ascii_lowercase();
    // All ones: not set.
    seed(&uuid, application).filter(|_| uuid.chars().any(|c| c != 'f'))
}

/// Device descriptor and all configurations of the USB device at a port (`1-4.2`), byte for byte, and the
/// bConfigurationValue in force, if any is. The kernel read them when the device came; nothing is asked of it.
pub fn usb_descriptors(port: &str) -> io::Result<(Vec<u8>, Option<u8>)> {
    let device = Path::new("/sys/bus/usb/devices").join(port);
    let active = first_line(&device.join("bConfigurationValue")).and_then(|value| value.parse().ok());
    Ok((fs::read(device.join("descriptors"))?, active))
}

/// Waits for something to read without a thread. Must be called inside a runtime.
fn readable(descriptor: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: an `OwnedFd` is open and always the same, and nobody takes it out while it is watched.
    let watched = unsafe { AsyncFd::register_with_interest(descriptor, Interest::READABLE) };
    Ok(watched?)
}

/// Waits until that process has ended; for good where the system does not tell.
pub async fn ended(process: u32) {
    let watch = || -> io::Result<AsyncFd<OwnedFd>> {
        let process = i32::try_from(process).ok().and_then(Pid::from_raw);
        let process = process.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        readable(pidfd_open(process, PidfdFlags::NONBLOCK)?)
    };
    match watch() {
        // Readable once it has ended.
        Ok(process) if process.readable().await.is_ok() => {}
        Err(error) if error.raw_os_error() == Some(libc::ESRCH) => {}
        _ => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_file_is_read_with_and_without_quotation_marks() {
        let text = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=12\nEMPTY=\n";
        assert_eq!(os_release(text, "NAME").as_deref(), Some("Debian GNU/Linux"));
        assert_eq!(os_release(text, "VERSION_ID").as_deref(), Some("12"));
        assert_eq!(os_release(text, "EMPTY"), None);
        assert_eq!(os_release("", "NAME"), None);
    }

    #[tokio::test]
    async fn the_end_of_a_process_is_told() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().expect("sleep");
        let wait = |pid| tokio::time::timeout(std::time::Duration::from_millis(20), ended(pid));
        assert!(wait(child.id()).await.is_err(), "it runs");
        child.kill().expect("killed");
        child.wait().expect("ended");
        ended(child.id()).await;
    }

    #[test]
    fn this_machine_has_a_name_and_a_user() {
        assert!(!user_name().is_empty() && !host_name().is_empty());
        assert!(!system().kernel.is_empty());
    }
}

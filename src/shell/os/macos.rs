//! macOS. Type-checked, and not tried on a machine yet.
#![expect(clippy::disallowed_methods, reason = "this is where the system is asked")]

use super::{MachineSettings, Missing, ServicePlaces, System, is_web_address, no_default_browser, seed};
use hub::machine::Seat;
use hub::protocol::{Detail, Problem};
use hub::world::WorldChange;
use rustix::event::kqueue::{Event, EventFilter, EventFlags, ProcessEvents, VnodeEvents, kevent, kqueue};
use std::ffi::CString;
use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

mod clock;
mod connections;
mod devices;
mod main_loop;
mod news;
mod power;

pub use super::unix::files::{
    Folder, Opened, Pending, make_private, open_below, open_of, open_own, open_to_others, private_folder,
    private_options, public_folder, read_at, trusted,
};
pub use super::unix::local::{
    LocalCaller, LocalListener, LocalPlace, LocalStream, MachineStream, PairEnd, is_listened_at, ldap_pair,
    reach_machine,
};
pub use super::unix::{environment, serve, start_beside, survive_file_limits, termination, user_name};
pub use super::untold::FileChanges;
pub use clock::{Alarm, instant, slept};
pub use connections::peer_program;
pub use devices::{DEVICE_NOTICES, hid_closed, hid_descriptor, hid_port, watch_devices};
pub use main_loop::{MainLoop, Post, main_loop};
pub use power::{AwakeLock, keep_awake};

/// Its owner is whoever is at the screen.
const CONSOLE: &str = "/dev/console";

pub const MISSING: &[Missing] = &[Missing::Firmware, Missing::Connections, Missing::FileChanges];

/// Tells, until the program ends, when something around it may have changed. Each source that the system lacks is one
/// less.
pub async fn watch_world(changed: impl Fn(WorldChange)) {
    let heard = async |name: &str, change: WorldChange| {
        if let Err(error) = news::watch(name, || changed(change)).await {
            tracing::warn!(%error, name, "the system does not tell of a change");
        }
    };
    let wakes = async {
        let mut wakes = power::wakes();
        while wakes.recv().await.is_some() {
            changed(WorldChange::Resumed);
        }
    };
    tokio::join!(
        heard("com.apple.system.clock_set", WorldChange::ClockStepped),
        heard("com.apple.system.config.network_change", WorldChange::Network),
        wakes,
    );
}

/// Tells, until the program ends, whose turn it is at the screen: the system gives the console to that account, and to
/// root while there is none.
pub async fn watch_seat(told: impl Fn(Seat)) {
    let owner = || std::fs::metadata(CONSOLE).map(|console| console.uid());
    let watch = async {
        let console = File::open(CONSOLE)?;
        let news = of_vnode(&console, VnodeEvents::ATTRIBUTES)?;
        let mut last = None;
        loop {
            let seat = match owner()? {
                0 => Seat::Empty,
                uid => Seat::Of { account: uid.to_string() },
            };
            if last.as_ref() != Some(&seat) {
                last = Some(seat.clone());
                told(seat);
            }
            taken(&news).await?;
        }
    };
    let ended: io::Result<()> = watch.await;
    if let Err(error) = ended {
        tracing::warn!(%error, "nobody tells who is at the screen any more, or at all: it stays as it is");
    }
}

/// A queue that has something to read whenever one of `events` happens to what is open.
fn of_vnode(open: &impl AsRawFd, events: VnodeEvents) -> io::Result<AsyncFd<OwnedFd>> {
    let filter = EventFilter::Vnode { vnode: open.as_raw_fd(), flags: events };
    queued(filter, EventFlags::ADD | EventFlags::CLEAR)
}

fn queued(filter: EventFilter, flags: EventFlags) -> io::Result<AsyncFd<OwnedFd>> {
    let queue = kqueue()?;
    let changes = [Event::new(filter, flags, std::ptr::null_mut())];
    let mut none: [Event; 0] = [];
    // SAFETY: what is named is open, or a process; a descriptor that is closed later leaves the queue.
    unsafe { kevent(&queue, &changes, &mut none[..], Some(Duration::ZERO)) }?;
    readable(queue)
}

/// Waits for what the queue has to tell, and takes it out.
async fn taken(queue: &AsyncFd<OwnedFd>) -> io::Result<()> {
    let mut ready = queue.readable().await?;
    let mut events: Vec<Event> = Vec::with_capacity(8);
    // SAFETY: nothing is added.
    unsafe {
        kevent(queue.get_ref(), &[], rustix::buffer::spare_capacity(&mut events), Some(Duration::ZERO))
    }?;
    ready.clear_ready();
    Ok(())
}

/// The language the session asks for, as a POSIX locale name or a tag; empty if none.
pub fn language() -> String {
    let asked = super::unix::session_language();
    if !asked.is_empty() {
        return asked;
    }
    // What the person chose in the system's settings: an app that was not started by a shell has no variables.
    objc2_foundation::NSLocale::preferredLanguages()
        .firstObject()
        .map(|tag| tag.to_string())
        .unwrap_or_default()
}

/// The folder of the machine's settings, which only root may write.
pub fn machine_settings() -> PathBuf {
    PathBuf::from("/Library/Application Support/Hookswitch")
}

pub fn service_places() -> ServicePlaces {
    let ours = machine_settings().join("Service");
    ServicePlaces {
        data: ours.join("Data"),
        state: "/Library/Logs/Hookswitch".into(),
        cache: "/Library/Caches/Hookswitch".into(),
        runtime: "/var/run/hookswitch".into(),
    }
}

/// Whether the service is to run on this computer, also while it does not.
pub fn service_is_enabled() -> bool {
    std::fs::symlink_metadata("/Library/LaunchDaemons/org.hookswitch.machine.plist").is_ok()
}

/// They are files here.
pub fn machine_settings_elsewhere() -> Option<MachineSettings> {
    None
}

pub fn host_name() -> String {
    sysctl("kern.hostname").unwrap_or_else(|| "localhost".to_owned())
}

pub fn system() -> System {
    System {
        name: "macOS".to_owned(),
        version: sysctl("kern.osproductversion").unwrap_or_default(),
        kernel: sysctl("kern.osrelease").unwrap_or_default(),
        architecture: std::env::consts::ARCH,
    }
}

/// A text of sysctl(3).
fn sysctl(name: &str) -> Option<String> {
    let name = CString::new(name).ok()?;
    let mut text = [0_u8; 256];
    let mut length = text.len();
    let into = text.as_mut_ptr().cast();
    // SAFETY: the name ends with 0, and the buffer is as long as said.
    let code = unsafe { libc::sysctlbyname(name.as_ptr(), into, &raw mut length, std::ptr::null_mut(), 0) };
    let text = text.get(..length).filter(|_| code == 0)?;
    let text = String::from_utf8_lossy(text).trim_end_matches('\0').to_owned();
    (!text.is_empty()).then_some(text)
}

/// There is no id of an installation here beside that of the hardware.
pub fn machine_seed(_application: &str) -> Option<String> {
    None
}

/// 64 hexadecimal digits that stand for this machine and nothing else, from the id of its hardware, which itself never
/// leaves it.
pub fn hardware_seed(application: &str) -> Option<String> {
    let mut uuid = [0_u8; 16];
    let at_once = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: there is room for a UUID, and the time is read.
    let code = unsafe { libc::gethostuuid(uuid.as_mut_ptr(), &raw const at_once) };
    seed(&hex::encode(uuid), application).filter(|_| code == 0)
}

/// # Errors
/// Always: see [`Missing::Firmware`].
pub fn usb_descriptors(_port: &str) -> io::Result<(Vec<u8>, Option<u8>)> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Shows an `http(s)` address in the person's browser. Returns as soon as the opener runs.
///
/// # Errors
/// The address is none, or there is no opener.
pub fn open_url(url: &str) -> Result<(), Problem> {
    if !is_web_address(url) {
        return Err(no_default_browser(Detail::new("no-page", "not an address of a page")));
    }
    match quietly("/usr/bin/open").arg(url).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(no_default_browser(Detail::verbatim(status))),
        Err(error) => Err(no_default_browser(Detail::verbatim(error))),
    }
}

fn quietly(program: &str) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Shows a notice; returns when the system has it. It comes from the system's script runner: a notice of the program's
/// own needs an app bundle with a signature.
///
/// # Errors
/// In words for the log.
pub fn show_notice(title: &str, body: &str) -> Result<(), String> {
    // The texts are arguments: nothing in them is ever script.
    const SCRIPT: [&str; 3] =
        ["on run argv", "display notification (item 2 of argv) with title (item 1 of argv)", "end run"];
    let mut runner = quietly("/usr/bin/osascript");
    for line in SCRIPT {
        runner.args(["-e", line]);
    }
    match runner.args(["--", title, body]).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(status.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

/// Whether there is a screen that a person looks at: a daemon of the system has none.
pub fn has_display() -> bool {
    rustix::process::geteuid().as_raw() != 0
}

/// Lets a service manager of the session start the agent. Nothing is written down for launchd yet.
pub fn start_unit() -> bool {
    false
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
        let pid = i32::try_from(process).ok().and_then(rustix::process::Pid::from_raw);
        let pid = pid.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        queued(EventFilter::Proc { pid, flags: ProcessEvents::EXIT }, EventFlags::ADD | EventFlags::ONESHOT)
    };
    match watch() {
        // Readable once it has ended.
        Ok(queue) if queue.readable().await.is_ok() => {}
        Err(error) if error.raw_os_error() == Some(libc::ESRCH) => {}
        _ => std::future::pending().await,
    }
}

/// Not told: see [`Missing::Connections`].
pub fn port_holder(_address: SocketAddr) -> Option<super::Holder> {
    None
}

/// Where the system does not tell of anybody, nobody is foreign: see [`Missing::Connections`].
pub fn is_foreign(_peer: SocketAddr, _local: SocketAddr) -> bool {
    false
}

/// The allocator of this system needs no advice.
pub fn frugal_memory() {}

/// The allocator of this system gives back by itself.
pub fn give_back_memory() {}

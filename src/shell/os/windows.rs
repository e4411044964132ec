//! Windows. Type-checked, and not tried on a machine yet.
#![expect(clippy::disallowed_methods, reason = "this is where the system is asked")]

pub use super::untold::FileChanges;
use super::{Missing, ServicePlaces, is_web_address, no_default_browser, seed};
use hub::protocol::{Detail, Problem};
use hub::world::WorldChange;
use std::collections::BTreeMap;
use std::ffi::{OsStr, c_void};
use std::io;
use std::os::windows::ffi::OsStrExt as _;
use std::os::windows::io::{AsRawHandle as _, OwnedHandle};
use std::os::windows::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::ptr::{null, null_mut};
use tokio::sync::{mpsc, oneshot};
use windows_sys::Win32::Foundation::{HANDLE, INVALID_HANDLE_VALUE};
use windows_sys::Win32::Globalization::GetUserDefaultLocaleName;
use windows_sys::Win32::System::SystemInformation::{
    ComputerNameDnsHostname, GetComputerNameExW, GetSystemFirmwareTable, RSMB,
};
use windows_sys::Win32::System::Threading::{
    CREATE_NEW_PROCESS_GROUP, DETACHED_PROCESS, GetCurrentProcess, INFINITE, PROCESS_SYNCHRONIZE,
    RegisterWaitForSingleObject, SetProcessWorkingSetSize, UnregisterWaitEx, WT_EXECUTEONLYONCE,
};
use windows_sys::Win32::UI::Shell::ShellExecuteW;
use windows_sys::Win32::UI::WindowsAndMessaging::SW_SHOWNORMAL;

mod account;
mod clock;
mod connections;
mod devices;
mod files;
mod local;
mod main_loop;
mod notices;
mod power;
mod registry;
mod routes;
mod service;
mod told;

pub use clock::{Alarm, instant, slept};
pub use connections::{is_foreign, peer_program, port_holder};
pub use devices::{DEVICE_NOTICES, hid_closed, hid_descriptor, hid_port, watch_devices};
pub use files::{
    Folder, Opened, Pending, make_private, open_below, open_of, open_own, open_to_others, private_folder,
    private_options, public_folder, read_at, trusted,
};
pub use local::{
    LocalCaller, LocalListener, LocalPlace, LocalStream, MachineStream, PairEnd, is_listened_at, ldap_pair,
    reach_machine,
};
pub use main_loop::{MainLoop, Post, main_loop};
pub use notices::show_notice;
pub use power::{AwakeLock, keep_awake};
pub use registry::{machine_settings_elsewhere, system};
pub use service::{serve, service_is_enabled, watch_seat};

pub const MISSING: &[Missing] =
    &[Missing::Firmware, Missing::ClockSteps, Missing::FileChanges, Missing::MachineSettings];

/// What the system said about its last call on this thread, if that came to nothing.
fn checked(result: i32) -> io::Result<()> {
    if result == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// UTF-16 that ends with 0.
fn wide(text: impl AsRef<OsStr>) -> Vec<u16> {
    text.as_ref().encode_wide().chain([0]).collect()
}

/// A text that the system writes into a buffer, by a call that is told how long that is.
fn written(call: impl FnOnce(*mut u16, &mut u32) -> io::Result<()>) -> Option<String> {
    let mut buffer = [0_u16; 512];
    let mut length = buffer.len() as u32;
    call(buffer.as_mut_ptr(), &mut length).ok()?;
    let end = buffer.iter().position(|unit| *unit == 0).unwrap_or(buffer.len());
    Some(String::from_utf16_lossy(&buffer[..end])).filter(|text| !text.is_empty())
}

/// Tells, until the program ends, when something around it may have changed. Each source that the system lacks is one
/// less.
pub async fn watch_world(changed: impl Fn(WorldChange)) {
    let (news, mut heard) = mpsc::unbounded_channel();
    let tell = |change: WorldChange| {
        let news = news.clone();
        move || _ = news.send(change)
    };
    let _routes = routes::RouteWatch::new(tell(WorldChange::Network))
        .inspect_err(|error| tracing::warn!(%error, "the system does not tell when the network changes"));
    let _wakes = power::WakeWatch::new(tell(WorldChange::Resumed))
        .inspect_err(|error| tracing::warn!(%error, "the system does not tell when the machine wakes"));
    while let Some(change) = heard.recv().await {
        changed(change);
    }
}

/// What is no Unicode becomes U+FFFD: a variable that is set wrongly is set all the same.
pub fn environment() -> BTreeMap<String, String> {
    let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
    std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect()
}

/// The language of the person's account, as a tag.
pub fn language() -> String {
    let ask = |buffer, length: &mut u32| {
        // SAFETY: the buffer is as long as said.
        checked(unsafe { GetUserDefaultLocaleName(buffer, length.cast_signed()) })
    };
    written(ask).unwrap_or_default()
}

/// Where a settings file of the machine would be. They are in the registry: see [`machine_settings_elsewhere`].
pub fn machine_settings() -> PathBuf {
    let common =
        std::env::var_os("ProgramData").map_or_else(|| PathBuf::from(r"C:\ProgramData"), PathBuf::from);
    common.join("Hookswitch")
}

pub fn service_places() -> ServicePlaces {
    let ours = machine_settings().join("Service");
    ServicePlaces {
        data: ours.join("Data"),
        state: ours.join("Logs"),
        cache: ours.join("Cache"),
        runtime: ours.join("Run"),
    }
}

/// Name of the account this process runs as; the SID where no name is known.
pub fn user_name() -> String {
    account::me().map(account::name_of).unwrap_or_default()
}

pub fn host_name() -> String {
    let ask = |buffer, length: &mut u32| {
        // SAFETY: the buffer is as long as said.
        checked(unsafe { GetComputerNameExW(ComputerNameDnsHostname, buffer, length) })
    };
    written(ask).unwrap_or_else(|| "localhost".to_owned())
}

/// 64 hexadecimal digits that stand for this machine and nothing else: the machine id itself never leaves it.
pub fn machine_seed(application: &str) -> Option<String> {
    seed(&registry::machine_id()?, application)
}

/// The same from the id of the hardware (SMBIOS 3.7 §7.2.1). `None` where the board has none.
pub fn hardware_seed(application: &str) -> Option<String> {
    let uuid = told::smbios_uuid(&smbios()?)?;
    // All ones: not set.
    seed(&hex::encode(uuid), application).filter(|_| uuid != [0xff; 16])
}

fn smbios() -> Option<Vec<u8>> {
    // SAFETY: without a buffer the call only says how long it must be.
    let length = unsafe { GetSystemFirmwareTable(RSMB, 0, null_mut(), 0) };
    let mut table = vec![0; length as usize];
    // SAFETY: the buffer is as long as said.
    let written = unsafe { GetSystemFirmwareTable(RSMB, 0, table.as_mut_ptr(), length) };
    (length > 0 && written == length).then_some(table)
}

/// # Errors
/// Always: see [`Missing::Firmware`].
pub fn usb_descriptors(_port: &str) -> io::Result<(Vec<u8>, Option<u8>)> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Shows an `http(s)` address in the person's browser. Returns as soon as that was asked to.
///
/// # Errors
/// The address is none, or there is no browser.
pub fn open_url(url: &str) -> Result<(), Problem> {
    const LEAST_SUCCESS: usize = 33;
    if !is_web_address(url) {
        return Err(no_default_browser(Detail::new("no-page", "not an address of a page")));
    }
    let (verb, address) = (wide("open"), wide(url));
    // SAFETY: the texts end with 0 and live until the call returns.
    let code =
        unsafe { ShellExecuteW(null_mut(), verb.as_ptr(), address.as_ptr(), null(), null(), SW_SHOWNORMAL) };
    if code as usize >= LEAST_SUCCESS {
        return Ok(());
    }
    Err(no_default_browser(Detail::verbatim(io::Error::last_os_error())))
}

/// Whether there is a screen that a person looks at: a service's session has none.
pub fn has_display() -> bool {
    account::me().is_ok_and(|me| me != "S-1-5-18" && me != "S-1-5-19" && me != "S-1-5-20")
}

/// Starts this program with `arguments`, to outlive the caller and its console. The child tells when it ends early.
///
/// # Errors
/// As [`Command::spawn`].
pub fn start_beside(arguments: &[std::ffi::OsString]) -> io::Result<std::process::Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.creation_flags(DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP).spawn()
}

/// Lets a service manager of the session start the agent. There is none here.
pub fn start_unit() -> bool {
    false
}

/// A wait for the end of a process by a thread of the system's.
struct EndWatch {
    wait: HANDLE,
    _process: OwnedHandle,
}

// SAFETY: the handle is a number that every thread may use.
unsafe impl Send for EndWatch {}

impl Drop for EndWatch {
    fn drop(&mut self) {
        // SAFETY: it was registered, and is unregistered once; no call of it runs when this returns.
        unsafe { UnregisterWaitEx(self.wait, INVALID_HANDLE_VALUE) };
    }
}

/// Waits until that process has ended; for good where the system does not tell.
pub async fn ended(process: u32) {
    unsafe extern "system" fn over(context: *mut c_void, _timed_out: bool) {
        // SAFETY: it is what was registered, and this is called once.
        let over = unsafe { Box::from_raw(context.cast::<oneshot::Sender<()>>()) };
        let _ = over.send(());
    }
    let Ok(handle) = account::open_process(process, PROCESS_SYNCHRONIZE) else {
        return std::future::pending().await;
    };
    let (over_to, over_from) = oneshot::channel::<()>();
    let watch = {
        let mut wait = null_mut();
        let context = Box::into_raw(Box::new(over_to));
        let process = handle.as_raw_handle() as HANDLE;
        // SAFETY: the process stays open until the wait is unregistered; the context is given away.
        let registered = checked(unsafe {
            RegisterWaitForSingleObject(
                &raw mut wait,
                process,
                Some(over),
                context.cast(),
                INFINITE,
                WT_EXECUTEONLYONCE,
            )
        });
        if registered.is_err() {
            // SAFETY: nobody else has it.
            drop(unsafe { Box::from_raw(context) });
        }
        registered.map(|()| EndWatch { wait, _process: handle })
    };
    match watch {
        // A sender that is never used is a few bytes that stay behind.
        Ok(_watch) if over_from.await.is_ok() => {}
        _ => std::future::pending().await,
    }
}

/// Ctrl-C, Ctrl-Break, a console that is closed, log-off or shutdown; the end of the service.
pub async fn termination() {
    use tokio::signal::windows;
    let (mut c, mut brk, mut close, mut logoff, mut shutdown) = (
        windows::ctrl_c().ok(),
        windows::ctrl_break().ok(),
        windows::ctrl_close().ok(),
        windows::ctrl_logoff().ok(),
        windows::ctrl_shutdown().ok(),
    );
    let mut stopped = std::pin::pin!(service::stopped());
    std::future::poll_fn(|cx| {
        if stopped.as_mut().poll(cx).is_ready() {
            return std::task::Poll::Ready(());
        }
        let came = [
            c.as_mut().map(|signal| signal.poll_recv(cx)),
            brk.as_mut().map(|signal| signal.poll_recv(cx)),
            close.as_mut().map(|signal| signal.poll_recv(cx)),
            logoff.as_mut().map(|signal| signal.poll_recv(cx)),
            shutdown.as_mut().map(|signal| signal.poll_recv(cx)),
        ];
        if came.iter().flatten().any(std::task::Poll::is_ready) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
}

/// There are no such limits here.
pub fn survive_file_limits() {}

/// The heap of this system needs no advice.
pub fn frugal_memory() {}

/// Takes out of the working set what is not used just now; it comes back from the list of standby pages.
pub fn give_back_memory() {
    // SAFETY: both sizes together are documented to empty the working set; it has no other preconditions. Where it
    // fails, everything stays as it is.
    unsafe {
        SetProcessWorkingSetSize(GetCurrentProcess(), usize::MAX, usize::MAX);
    }
}

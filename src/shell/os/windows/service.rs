//! The machine role as a service of Windows: begun, asked and ended by the service control manager.

use super::account::of_token;
use super::{checked, wide};
use hub::machine::Seat;
use hub::problem::Reason;
use hub::protocol::{Detail, Problem};
use std::ffi::c_void;
use std::io;
use std::os::windows::io::{FromRawHandle as _, OwnedHandle};
use std::ptr::{null, null_mut};
use std::sync::{Mutex, OnceLock, PoisonError};
use tokio::sync::Notify;
use windows_registry::LOCAL_MACHINE;
use windows_sys::Win32::Foundation::{
    ERROR_CALL_NOT_IMPLEMENTED, ERROR_FAILED_SERVICE_CONTROLLER_CONNECT, ERROR_NO_TOKEN,
    ERROR_SERVICE_SPECIFIC_ERROR, NO_ERROR,
};
use windows_sys::Win32::System::RemoteDesktop::{WTSGetActiveConsoleSessionId, WTSQueryUserToken};
use windows_sys::Win32::System::Services::{
    RegisterServiceCtrlHandlerExW, SERVICE_ACCEPT_SESSIONCHANGE, SERVICE_ACCEPT_SHUTDOWN,
    SERVICE_ACCEPT_STOP, SERVICE_AUTO_START, SERVICE_CONTROL_INTERROGATE, SERVICE_CONTROL_SESSIONCHANGE,
    SERVICE_CONTROL_SHUTDOWN, SERVICE_CONTROL_STOP, SERVICE_RUNNING, SERVICE_STATUS, SERVICE_STOP_PENDING,
    SERVICE_STOPPED, SERVICE_TABLE_ENTRYW, SERVICE_WIN32_OWN_PROCESS, SetServiceStatus,
    StartServiceCtrlDispatcherW,
};

/// As the installer registers it.
const NAME: &str = "HookswitchMachine";
/// How long the end may take, for who waits for it.
const STOP_HINT_MS: u32 = 10_000;
/// No session is at the screen.
const NO_SESSION: u32 = u32::MAX;

type Body = Box<dyn FnOnce() -> Result<(), Problem> + Send>;

/// What runs, until the manager begins it.
static BODY: Mutex<Option<Body>> = Mutex::new(None);
static RESULT: Mutex<Option<Result<(), Problem>>> = Mutex::new(None);
/// The manager's handle of this service, which is good in every thread; there is none where a console started it.
static STATUS: OnceLock<usize> = OnceLock::new();
static STOP: Notify = Notify::const_new();
static SEAT: Notify = Notify::const_new();

/// Runs `body` as the service control manager wants it, and as it is where a console started the program.
///
/// # Errors
/// Those of `body`; the manager does not begin it.
pub fn serve(body: impl FnOnce() -> Result<(), Problem> + Send + 'static) -> Result<(), Problem> {
    *BODY.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(body));
    let mut name = wide(NAME);
    let services = [
        SERVICE_TABLE_ENTRYW { lpServiceName: name.as_mut_ptr(), lpServiceProc: Some(begun) },
        SERVICE_TABLE_ENTRYW { lpServiceName: null_mut(), lpServiceProc: None },
    ];
    // SAFETY: the list ends with an empty line, and lives until the service has ended.
    if let Err(error) = checked(unsafe { StartServiceCtrlDispatcherW(services.as_ptr()) }) {
        if error.raw_os_error() != Some(ERROR_FAILED_SERVICE_CONTROLLER_CONNECT.cast_signed()) {
            return Err(not_begun(&error));
        }
        run_body();
    }
    let result = RESULT.lock().unwrap_or_else(PoisonError::into_inner).take();
    result.unwrap_or_else(|| Err(not_begun(&io::Error::other("it was never begun"))))
}

fn run_body() -> bool {
    let body = BODY.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(body) = body else { return false };
    let result = body();
    let is_good = result.is_ok();
    *RESULT.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
    is_good
}

fn not_begun(error: &io::Error) -> Problem {
    Reason::ServiceNotBegun { reason: Detail::verbatim(error) }.at(NAME)
}

/// Called by the manager on a thread of its own, which is the service's for its life.
unsafe extern "system" fn begun(_: u32, _: *mut windows_sys::core::PWSTR) {
    let name = wide(NAME);
    // SAFETY: the name ends with 0, and the handler wants no context.
    let handle = unsafe { RegisterServiceCtrlHandlerExW(name.as_ptr(), Some(asked), null()) };
    if handle.is_null() {
        return;
    }
    let _ = STATUS.set(handle as usize);
    say(SERVICE_RUNNING, SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_SHUTDOWN | SERVICE_ACCEPT_SESSIONCHANGE, true);
    let is_good = run_body();
    say(SERVICE_STOPPED, 0, is_good);
}

fn say(state: u32, accepts: u32, is_good: bool) {
    let Some(handle) = STATUS.get() else { return };
    let status = SERVICE_STATUS {
        dwServiceType: SERVICE_WIN32_OWN_PROCESS,
        dwCurrentState: state,
        dwControlsAccepted: accepts,
        dwWin32ExitCode: if is_good { NO_ERROR } else { ERROR_SERVICE_SPECIFIC_ERROR },
        dwServiceSpecificExitCode: u32::from(!is_good),
        dwCheckPoint: 0,
        dwWaitHint: if state == SERVICE_STOP_PENDING { STOP_HINT_MS } else { 0 },
    };
    // SAFETY: the handle is the manager's own, and the status lives until the call returns.
    unsafe { SetServiceStatus(*handle as *mut c_void, &raw const status) };
}

/// Called by the manager.
unsafe extern "system" fn asked(control: u32, _: u32, _: *mut c_void, _: *mut c_void) -> u32 {
    match control {
        SERVICE_CONTROL_STOP | SERVICE_CONTROL_SHUTDOWN => {
            say(SERVICE_STOP_PENDING, 0, true);
            STOP.notify_one();
        }
        SERVICE_CONTROL_SESSIONCHANGE => SEAT.notify_one(),
        SERVICE_CONTROL_INTERROGATE => {}
        _ => return ERROR_CALL_NOT_IMPLEMENTED,
    }
    NO_ERROR
}

/// Waits until the manager ends the service.
pub(super) async fn stopped() {
    STOP.notified().await;
}

/// Calls `told` with whose turn it is at the screen, now and after each change. A console is told of no change, and so
/// of nobody.
pub async fn watch_seat(told: impl Fn(Seat)) {
    if STATUS.get().is_none() {
        return;
    }
    loop {
        told(at_the_screen());
        SEAT.notified().await;
    }
}

fn at_the_screen() -> Seat {
    // SAFETY: takes nothing.
    let session = unsafe { WTSGetActiveConsoleSessionId() };
    if session == NO_SESSION {
        return Seat::Empty;
    }
    let mut token = null_mut();
    // SAFETY: there is room for one handle.
    match checked(unsafe { WTSQueryUserToken(session, &raw mut token) }) {
        // SAFETY: it was just opened, and nobody else has it.
        Ok(()) => match of_token(unsafe { OwnedHandle::from_raw_handle(token.cast()) }) {
            Ok(account) => Seat::Of { account },
            Err(_) => Seat::Unknown,
        },
        Err(error) if error.raw_os_error() == Some(ERROR_NO_TOKEN.cast_signed()) => Seat::Empty,
        Err(error) => {
            tracing::warn!(%error, "the system does not tell who is at the screen");
            Seat::Unknown
        }
    }
}

/// Whether it is begun with Windows.
pub fn service_is_enabled() -> bool {
    let key = LOCAL_MACHINE.open(format!(r"SYSTEM\CurrentControlSet\Services\{NAME}"));
    key.and_then(|key| key.get_u32("Start")).is_ok_and(|start| start == SERVICE_AUTO_START)
}

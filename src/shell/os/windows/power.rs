//! Keeps the machine awake (a power request, which `powercfg /requests` shows), and hears when it wakes.

use super::{checked, wide};
use std::ffi::c_void;
use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::ptr::null_mut;
use windows_sys::Win32::Foundation::{HANDLE, INVALID_HANDLE_VALUE};
use windows_sys::Win32::System::Power::{
    DEVICE_NOTIFY_SUBSCRIBE_PARAMETERS, PowerCreateRequest, PowerRegisterSuspendResumeNotification,
    PowerRequestSystemRequired, PowerSetRequest, PowerUnregisterSuspendResumeNotification,
};
use windows_sys::Win32::System::SystemServices::POWER_REQUEST_CONTEXT_VERSION;
use windows_sys::Win32::System::Threading::{
    POWER_REQUEST_CONTEXT_SIMPLE_STRING, REASON_CONTEXT, REASON_CONTEXT_0,
};
use windows_sys::Win32::UI::WindowsAndMessaging::{DEVICE_NOTIFY_CALLBACK, PBT_APMRESUMEAUTOMATIC};

/// Held until it is dropped, also when the process is killed.
#[derive(Debug)]
pub struct AwakeLock {
    _request: OwnedHandle,
}

/// `why` is shown to who asks what keeps the machine awake.
///
/// # Errors
/// The system does not allow it; in words for the log.
pub async fn keep_awake(why: &str) -> Result<AwakeLock, String> {
    request(why).map(|request| AwakeLock { _request: request }).map_err(|error| error.to_string())
}

fn request(why: &str) -> io::Result<OwnedHandle> {
    let mut why = wide(why);
    let context = REASON_CONTEXT {
        Version: POWER_REQUEST_CONTEXT_VERSION,
        Flags: POWER_REQUEST_CONTEXT_SIMPLE_STRING,
        Reason: REASON_CONTEXT_0 { SimpleReasonString: why.as_mut_ptr() },
    };
    // SAFETY: the text ends with 0 and lives until the call returns, which copies it.
    let handle = unsafe { PowerCreateRequest(&raw const context) };
    checked(i32::from(handle != INVALID_HANDLE_VALUE && !handle.is_null()))?;
    // SAFETY: it was just made, and nobody else has it.
    let request = unsafe { OwnedHandle::from_raw_handle(handle.cast()) };
    // SAFETY: the handle is a request. Closing it ends what is asked here.
    checked(unsafe { PowerSetRequest(request.as_raw_handle() as HANDLE, PowerRequestSystemRequired) })?;
    Ok(request)
}

type Woke = Box<dyn Fn() + Send + Sync>;

/// Calls `woke` each time the machine is awake again, as long as it is held.
pub(super) struct WakeWatch {
    registration: *mut c_void,
    /// The system has its address.
    _woke: Box<Woke>,
}

impl WakeWatch {
    /// # Errors
    /// The system does not tell.
    pub(super) fn new(woke: impl Fn() + Send + Sync + 'static) -> io::Result<Self> {
        let woke: Box<Woke> = Box::new(Box::new(woke));
        let mut parameters = DEVICE_NOTIFY_SUBSCRIBE_PARAMETERS {
            Callback: Some(notified),
            Context: (&raw const *woke).cast_mut().cast(),
        };
        let mut registration = null_mut();
        // SAFETY: what is registered lives until it is unregistered, and the parameters until the call returns.
        let code = unsafe {
            let recipient = (&raw mut parameters).cast();
            PowerRegisterSuspendResumeNotification(DEVICE_NOTIFY_CALLBACK, recipient, &raw mut registration)
        };
        match code {
            0 => Ok(Self { registration, _woke: woke }),
            code => Err(io::Error::from_raw_os_error(code.cast_signed())),
        }
    }
}

impl Drop for WakeWatch {
    fn drop(&mut self) {
        // SAFETY: it was registered, and is unregistered once; no call of it runs when this returns.
        unsafe { PowerUnregisterSuspendResumeNotification(self.registration as isize) };
    }
}

/// Called by the system on a thread of its own.
unsafe extern "system" fn notified(context: *const c_void, kind: u32, _: *const c_void) -> u32 {
    if kind == PBT_APMRESUMEAUTOMATIC {
        // SAFETY: it is what was registered, which lives until it is unregistered.
        (unsafe { &*context.cast::<Woke>() })();
    }
    0
}

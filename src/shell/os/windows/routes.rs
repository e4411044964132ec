//! Routes that come and go, from the system: a network was joined or left, or a tunnel opened.

use std::ffi::c_void;
use std::io;
use std::ptr::null_mut;
use windows_sys::Win32::Foundation::HANDLE;
use windows_sys::Win32::NetworkManagement::IpHelper::{
    CancelMibChangeNotify2, MIB_IPFORWARD_ROW2, MIB_NOTIFICATION_TYPE, NotifyRouteChange2,
};
use windows_sys::Win32::Networking::WinSock::AF_UNSPEC;

type Changed = Box<dyn Fn() + Send + Sync>;

/// Calls `changed` when routes came or went, as long as it is held.
pub(super) struct RouteWatch {
    registration: HANDLE,
    /// The system has its address.
    _changed: Box<Changed>,
}

impl RouteWatch {
    /// # Errors
    /// The system does not tell.
    pub(super) fn new(changed: impl Fn() + Send + Sync + 'static) -> io::Result<Self> {
        let changed: Box<Changed> = Box::new(Box::new(changed));
        let mut registration = null_mut();
        let context = (&raw const *changed).cast();
        // SAFETY: what is registered lives until it is cancelled.
        let code =
            unsafe { NotifyRouteChange2(AF_UNSPEC, Some(notified), context, false, &raw mut registration) };
        match code {
            0 => Ok(Self { registration, _changed: changed }),
            code => Err(io::Error::from_raw_os_error(code.cast_signed())),
        }
    }
}

impl Drop for RouteWatch {
    fn drop(&mut self) {
        // SAFETY: it was registered, and is cancelled once; no call of it runs when this returns.
        unsafe { CancelMibChangeNotify2(self.registration) };
    }
}

/// Called by the system on a thread of its own.
unsafe extern "system" fn notified(
    context: *const c_void,
    _: *const MIB_IPFORWARD_ROW2,
    _: MIB_NOTIFICATION_TYPE,
) {
    // SAFETY: it is what was registered, which lives until it is cancelled.
    (unsafe { &*context.cast::<Changed>() })();
}

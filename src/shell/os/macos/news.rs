//! What the system announces to all programs (notify(3)), by a descriptor that has a number to read for each time.

use std::ffi::{CString, c_char, c_int};
use std::io;
use std::os::fd::{FromRawFd as _, OwnedFd};

unsafe extern "C" {
    /// Of libSystem.
    fn notify_register_file_descriptor(
        name: *const c_char,
        descriptor: *mut c_int,
        flags: c_int,
        token: *mut c_int,
    ) -> u32;
}

/// Calls `heard` each time the name is announced.
///
/// # Errors
/// The system does not announce it.
pub(super) async fn watch(name: &str, mut heard: impl FnMut()) -> io::Result<()> {
    let name = CString::new(name)?;
    let (mut descriptor, mut token) = (-1, 0);
    // SAFETY: the name ends with 0, and there is room for what comes back.
    let status =
        unsafe { notify_register_file_descriptor(name.as_ptr(), &raw mut descriptor, 0, &raw mut token) };
    if status != 0 || descriptor < 0 {
        return Err(io::Error::other(format!("notify status {status}")));
    }
    // SAFETY: it was just made for us. Closing it ends the announcements.
    let descriptor = unsafe { OwnedFd::from_raw_fd(descriptor) };
    rustix::io::ioctl_fionbio(&descriptor, true)?;
    let descriptor = super::readable(descriptor)?;
    let mut tokens = [0; 64];
    loop {
        let mut ready = descriptor.readable().await?;
        match ready.try_io(|from| Ok(rustix::io::read(from.get_ref(), &mut tokens)?)) {
            Ok(Ok(0)) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(Ok(_)) => heard(),
            Ok(Err(error)) => return Err(error),
            Err(_would_block) => {}
        }
    }
}

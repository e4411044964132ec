//! Keeps the machine awake (an assertion, which `pmset -g assertions` shows), and hears when it wakes.
#![expect(clippy::disallowed_methods, reason = "the system tells it to a thread with a run loop")]

use objc2_core_foundation::{CFRunLoop, CFString, kCFRunLoopDefaultMode};
use objc2_io_kit::{
    IOAllowPowerChange, IONotificationPort, IONotificationPortRef, IOPMAssertionCreateWithName,
    IOPMAssertionRelease, IORegisterForSystemPower, io_connect_t, io_object_t, io_service_t,
};
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::OnceLock;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// kIOPMAssertionLevelOn
const ON: u32 = 255;
/// kIOPMAssertPreventUserIdleSystemSleep
const NO_IDLE_SLEEP: &str = "PreventUserIdleSystemSleep";
/// kIOMessageCanSystemSleep, kIOMessageSystemWillSleep and kIOMessageSystemHasPoweredOn of IOMessage.h.
const MAY_IT_SLEEP: u32 = 0xe000_0270;
const IT_WILL_SLEEP: u32 = 0xe000_0280;
const IT_IS_AWAKE: u32 = 0xe000_0300;

/// Held until it is dropped, also when the process is killed.
#[derive(Debug)]
pub struct AwakeLock(u32);

impl Drop for AwakeLock {
    fn drop(&mut self) {
        // It was made, and is released once.
        let _ = IOPMAssertionRelease(self.0);
    }
}

/// `why` is shown to who asks what keeps the machine awake.
///
/// # Errors
/// The system does not allow it; in words for the log.
pub async fn keep_awake(why: &str) -> Result<AwakeLock, String> {
    let (kind, why) = (CFString::from_str(NO_IDLE_SLEEP), CFString::from_str(why));
    let mut id = 0;
    // SAFETY: room for the number of the assertion.
    let code = unsafe { IOPMAssertionCreateWithName(Some(&kind), ON, Some(&why), &raw mut id) };
    if code == 0 { Ok(AwakeLock(id)) } else { Err(format!("IOReturn {code:#x}")) }
}

/// What the system's callback needs, for as long as the program runs.
struct Listening {
    connection: OnceLock<io_connect_t>,
    woke: UnboundedSender<()>,
}

/// A word each time the machine is awake again; none where the system does not tell.
pub(super) fn wakes() -> UnboundedReceiver<()> {
    let (woke, wakes) = unbounded_channel();
    let listening = Listening { connection: OnceLock::new(), woke };
    let thread = std::thread::Builder::new().name("power".to_owned()).stack_size(256 * 1024);
    if let Err(error) = thread.spawn(move || listen(listening)) {
        tracing::warn!(%error, "nobody tells when the machine wakes");
    }
    wakes
}

fn listen(listening: Listening) {
    let listening: &'static Listening = Box::leak(Box::new(listening));
    let (mut port, mut notifier): (IONotificationPortRef, io_object_t) = (null_mut(), 0);
    // SAFETY: the context lives for ever, and there is room for what comes back.
    let connection = unsafe {
        let context = std::ptr::from_ref(listening).cast_mut().cast();
        IORegisterForSystemPower(context, &raw mut port, Some(told), &raw mut notifier)
    };
    if connection == 0 || port.is_null() {
        tracing::warn!("the system does not tell when the machine wakes");
        return;
    }
    let _ = listening.connection.set(connection);
    // SAFETY: the port was just made.
    let source = unsafe { IONotificationPort::run_loop_source(port) };
    if let Some(here) = CFRunLoop::current() {
        // SAFETY: a constant of the system.
        here.add_source(source.as_deref(), unsafe { kCFRunLoopDefaultMode });
        CFRunLoop::run();
    }
}

/// Called by the system on the thread of the run loop.
unsafe extern "C-unwind" fn told(context: *mut c_void, _: io_service_t, message: u32, argument: *mut c_void) {
    // SAFETY: it is what was registered, which lives for ever.
    let listening = unsafe { &*context.cast::<Listening>() };
    match message {
        // It waits for the answer of each program.
        MAY_IT_SLEEP | IT_WILL_SLEEP => {
            if let Some(connection) = listening.connection.get() {
                let _ = IOAllowPowerChange(*connection, argument as isize);
            }
        }
        IT_IS_AWAKE => _ = listening.woke.send(()),
        _ => {}
    }
}

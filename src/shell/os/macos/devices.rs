//! Arrivals and departures of devices, and where they are plugged in, from the I/O registry.

use hub::problem::Reason;
use hub::protocol::Problem;
use objc2_core_foundation::{
    CFNumber, CFRetained, CFRunLoop, CFString, kCFAllocatorDefault, kCFRunLoopDefaultMode,
};
use objc2_io_kit::{
    IOIteratorNext, IONotificationPort, IOObjectRelease, IORegistryEntryIDMatching,
    IORegistryEntrySearchCFProperty, IOServiceAddMatchingNotification, IOServiceGetMatchingService,
    IOServiceMatching, io_iterator_t, io_object_t, kIOMainPortDefault, kIORegistryIterateParents,
    kIORegistryIterateRecursively,
};
use std::cell::Cell;
use std::ffi::{CStr, c_void};
use std::io;

/// Who tells when devices come and go.
pub const DEVICE_NOTICES: &str = "IOServiceAddMatchingNotification";

const CLASSES: [&CStr; 2] = [c"IOHIDDevice", c"IOUSBHostDevice"];
/// kIOFirstMatchNotification and kIOTerminatedNotification.
const CHANGES: [&CStr; 2] = [c"IOServiceFirstMatch", c"IOServiceTerminate"];

/// Calls `changed` after every arrival and departure, until an error ends the watch. The thread gets a run loop.
///
/// # Errors
/// The system does not tell, or not any more.
pub fn watch_devices(changed: &mut dyn FnMut()) -> io::Result<()> {
    // SAFETY: a constant of the system.
    let port = IONotificationPort::create(unsafe { kIOMainPortDefault });
    let here = CFRunLoop::current();
    let (Some(here), false) = (here, port.is_null()) else { return Err(io::ErrorKind::Unsupported.into()) };
    // SAFETY: the port was just made, and the mode is a constant of the system.
    unsafe {
        let source = IONotificationPort::run_loop_source(port);
        here.add_source(source.as_deref(), kCFRunLoopDefaultMode);
    }
    let news = Cell::new(false);
    for class in CLASSES {
        for change in CHANGES {
            let mut found: io_iterator_t = 0;
            // SAFETY: the names end with 0; the context outlives the run loop below; the dictionary is given away,
            // and one that can be changed is one.
            let code = unsafe {
                let matching = IOServiceMatching(class.as_ptr()).map(|one| CFRetained::cast_unchecked(one));
                let context = (&raw const news).cast_mut().cast();
                let mut name = in_room(change);
                IOServiceAddMatchingNotification(
                    port,
                    &raw mut name,
                    matching,
                    Some(told),
                    context,
                    &raw mut found,
                )
            };
            if code != 0 {
                return Err(io::Error::other(format!("IOReturn {code:#x}")));
            }
            // What is there already; the notices begin when that is read.
            drain(found);
        }
    }
    loop {
        // SAFETY: a constant of the system.
        let mode = unsafe { kCFRunLoopDefaultMode };
        // Returns after each notice; without one it sleeps for a year.
        let _ = CFRunLoop::run_in_mode(mode, 365.0 * 86_400.0, true);
        if news.take() {
            changed();
        }
    }
}

/// A name with all the room that the registry's names have.
fn in_room(name: &CStr) -> [libc::c_char; 128] {
    let mut room = [0; 128];
    for (to, from) in room.iter_mut().zip(name.to_bytes_with_nul()) {
        *to = from.cast_signed();
    }
    room
}

/// Called by the system on the thread of the run loop.
unsafe extern "C-unwind" fn told(context: *mut c_void, found: io_iterator_t) {
    drain(found);
    // SAFETY: it is what was registered, which outlives the run loop.
    unsafe { &*context.cast::<Cell<bool>>() }.set(true);
}

fn drain(found: io_iterator_t) {
    loop {
        match IOIteratorNext(found) {
            0 => return,
            object => _ = IOObjectRelease(object),
        }
    }
}

/// The library below reads it from the registry itself.
pub fn hid_descriptor(_path: &str) -> Option<Vec<u8>> {
    None
}

/// The USB port that the node hangs at, as `bus-port.port`: its location, which the library for USB writes so too.
pub fn hid_port(path: &str) -> Option<String> {
    let id: u64 = path.strip_prefix("DevSrvsID:")?.parse().ok()?;
    let entry = Entry::of(id)?;
    port_of(entry.location()?)
}

/// An entry of the I/O registry.
struct Entry(io_object_t);

impl Drop for Entry {
    fn drop(&mut self) {
        let _ = IOObjectRelease(self.0);
    }
}

impl Entry {
    fn of(id: u64) -> Option<Self> {
        // SAFETY: a number; the dictionary is given away.
        let entry = unsafe {
            let matching = IORegistryEntryIDMatching(id)?;
            IOServiceGetMatchingService(kIOMainPortDefault, Some(CFRetained::cast_unchecked(matching)))
        };
        (entry != 0).then_some(Self(entry))
    }

    /// The location of the USB device that the entry belongs to.
    fn location(&self) -> Option<u32> {
        let mut plane = in_room(c"IOService");
        let key = CFString::from_static_str("locationID");
        let options = kIORegistryIterateRecursively | kIORegistryIterateParents;
        // SAFETY: the plane's name ends with 0.
        let value = unsafe {
            let plane = &raw mut plane;
            IORegistryEntrySearchCFProperty(self.0, plane, Some(&key), kCFAllocatorDefault, options)
        };
        let number = value?.downcast::<CFNumber>().ok()?;
        u32::try_from(number.as_i64()?).ok()
    }
}

/// The bus in the upper byte, then a port in each half of a byte until one is zero.
fn port_of(location: u32) -> Option<String> {
    let ports: Vec<String> = (0..6)
        .map(|place| (location >> (20 - 4 * place)) & 0xf)
        .take_while(|port| *port != 0)
        .map(|port| port.to_string())
        .collect();
    (!ports.is_empty()).then(|| format!("{}-{}", location >> 24, ports.join(".")))
}

/// A node that does not open.
pub fn hid_closed(path: &str, error: &dyn std::fmt::Display) -> Problem {
    Reason::HidNotAllowed { error: error.to_string() }.at(path)
}

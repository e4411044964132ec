//! Arrivals and departures of devices, and where they are plugged in, from the configuration manager.

use super::told::{instance, port_of};
use super::wide;
use hub::problem::Reason;
use hub::protocol::Problem;
use std::ffi::c_void;
use std::io;
use std::ptr::null_mut;
use std::sync::mpsc::{Sender, channel};
use windows_sys::Win32::Devices::DeviceAndDriverInstallation::{
    CM_Get_DevNode_PropertyW, CM_Get_Parent, CM_LOCATE_DEVNODE_NORMAL, CM_Locate_DevNodeW, CM_NOTIFY_ACTION,
    CM_NOTIFY_ACTION_DEVICEINTERFACEARRIVAL, CM_NOTIFY_ACTION_DEVICEINTERFACEREMOVAL, CM_NOTIFY_EVENT_DATA,
    CM_NOTIFY_FILTER, CM_NOTIFY_FILTER_0, CM_NOTIFY_FILTER_0_0, CM_NOTIFY_FILTER_TYPE_DEVICEINTERFACE,
    CM_Register_Notification, CM_Unregister_Notification, CR_SUCCESS, HCMNOTIFICATION,
};
use windows_sys::Win32::Devices::Properties::DEVPKEY_Device_LocationPaths;
use windows_sys::core::GUID;

/// Who tells when devices come and go.
pub const DEVICE_NOTICES: &str = "CM_Register_Notification";

/// GUID_DEVINTERFACE_HID and GUID_DEVINTERFACE_USB_DEVICE.
const INTERFACES: [GUID; 2] = [
    GUID::from_u128(0x4d1e_55b2_f16f_11cf_88cb_0011_1100_0030),
    GUID::from_u128(0xa5dc_bf10_6530_11d2_901f_00c0_4fb9_51ed),
];

/// A registration, which ends when it is dropped.
struct Notices(HCMNOTIFICATION);

impl Drop for Notices {
    fn drop(&mut self) {
        // SAFETY: it was registered, and is unregistered once; no call of it runs when this returns.
        unsafe { CM_Unregister_Notification(self.0) };
    }
}

/// Calls `changed` after every arrival and departure, until an error ends the watch.
///
/// # Errors
/// The system does not tell, or not any more.
pub fn watch_devices(changed: &mut dyn FnMut()) -> io::Result<()> {
    let (came, news) = channel::<()>();
    // Declared before the registrations, so that it goes after them.
    let came = Box::new(came);
    let register = |class: GUID| -> io::Result<Notices> {
        let filter = CM_NOTIFY_FILTER {
            cbSize: size_of::<CM_NOTIFY_FILTER>() as u32,
            FilterType: CM_NOTIFY_FILTER_TYPE_DEVICEINTERFACE,
            u: CM_NOTIFY_FILTER_0 { DeviceInterface: CM_NOTIFY_FILTER_0_0 { ClassGuid: class } },
            ..CM_NOTIFY_FILTER::default()
        };
        let mut notices: HCMNOTIFICATION = null_mut();
        let context = (&raw const *came).cast();
        // SAFETY: the filter lives until the call returns, and the context longer than the registration.
        let code =
            unsafe { CM_Register_Notification(&raw const filter, context, Some(notified), &raw mut notices) };
        if code == CR_SUCCESS { Ok(Notices(notices)) } else { Err(refused(code)) }
    };
    let _notices = INTERFACES.map(register).into_iter().collect::<io::Result<Vec<_>>>()?;
    // The registrations hold the other end: this waits for good.
    while news.recv().is_ok() {
        changed();
    }
    Err(io::ErrorKind::BrokenPipe.into())
}

fn refused(code: u32) -> io::Error {
    io::Error::other(format!("CONFIGRET {code}"))
}

/// Called by the system on a thread of its own.
unsafe extern "system" fn notified(
    _: HCMNOTIFICATION,
    context: *const c_void,
    action: CM_NOTIFY_ACTION,
    _: *const CM_NOTIFY_EVENT_DATA,
    _: u32,
) -> u32 {
    if matches!(action, CM_NOTIFY_ACTION_DEVICEINTERFACEARRIVAL | CM_NOTIFY_ACTION_DEVICEINTERFACEREMOVAL) {
        // SAFETY: it is what was registered, which lives until it is unregistered.
        let _ = unsafe { &*context.cast::<Sender<()>>() }.send(());
    }
    0
}

/// The system does not show descriptors beside the device: the library below puts them together from its answers.
pub fn hid_descriptor(_path: &str) -> Option<Vec<u8>> {
    None
}

/// Which port a node hangs at: the same for all nodes of a headset, and another one for its twin. In the form
/// `bus-port.port`; the number of the bus stands for the way to its controller.
pub fn hid_port(path: &str) -> Option<String> {
    let mut node = 0;
    let id = wide(instance(path)?);
    // SAFETY: the name ends with 0, and there is room for the number.
    let found = unsafe { CM_Locate_DevNodeW(&raw mut node, id.as_ptr(), CM_LOCATE_DEVNODE_NORMAL) };
    if found != CR_SUCCESS {
        return None;
    }
    // Collection, interface, device; a keyboard behind a hub has no more above it that is its own.
    for _ in 0..4 {
        let mut parent = 0;
        // SAFETY: numbers alone.
        if unsafe { CM_Get_Parent(&raw mut parent, node, 0) } != CR_SUCCESS {
            return None;
        }
        node = parent;
        if let Some(port) = location(node).and_then(|location| port_of(&location)) {
            return Some(port);
        }
    }
    None
}

/// The first of a device's location paths: `PCIROOT(0)#PCI(1400)#USBROOT(0)#USB(3)#USB(2)`.
fn location(node: u32) -> Option<String> {
    let mut buffer = [0_u16; 512];
    let (mut kind, mut bytes) = (0, size_of_val(&buffer) as u32);
    let into = buffer.as_mut_ptr().cast();
    let key = &DEVPKEY_Device_LocationPaths;
    // SAFETY: the buffer is as long as said.
    let read = unsafe { CM_Get_DevNode_PropertyW(node, key, &raw mut kind, into, &raw mut bytes, 0) };
    let length = buffer.iter().position(|unit| *unit == 0)?;
    (read == CR_SUCCESS).then(|| String::from_utf16_lossy(&buffer[..length]))
}

/// A node that does not open.
pub fn hid_closed(path: &str, error: &dyn std::fmt::Display) -> Problem {
    Reason::HidNotOpened { error: error.to_string() }.at(path)
}

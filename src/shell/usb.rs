//! USB devices of the system through libusb: what has a DFU interface, and control transfers to it.

use super::hardware::{UsbBus, UsbHandle, UsbOpen};
use crate::protocol::Problem;
use crate::service::UsbDevice;
use dfu::usb_dfu::{
    ControlTransfer, Data, DfuInterface, FunctionalDescriptor, Mode, TransferError, UsbIdentity,
};
use rusb::{Context, Device, DeviceHandle, UsbContext};
use std::time::Duration;

const CLASS_HUB: u8 = 0x09;
/// DFU 1.1 §4.1.2: application-specific class, subclass DFU, protocol runtime or DFU mode.
const CLASS_APPLICATION: u8 = 0xfe;
const SUBCLASS_DFU: u8 = 0x01;
const PROTOCOL_RUNTIME: u8 = 0x01;
const PROTOCOL_DFU: u8 = 0x02;
/// DFU 1.1 §4.1.3.
const DFU_FUNCTIONAL: u8 = 0x21;
/// bmRequestType bit 7: device to host.
const DIRECTION_IN: u8 = 0x80;

pub(super) struct SystemUsb;

impl UsbBus for SystemUsb {
    fn enumerate(&mut self) -> Result<Vec<UsbDevice>, Problem> {
        // A context of its own each time: nothing of libusb stays in memory while no update runs.
        let context = Context::new().map_err(unavailable)?;
        let devices = context.devices().map_err(unavailable)?;
        Ok(devices.iter().filter_map(|device| identify(&device)).collect())
    }

    fn opener(&self) -> Box<dyn UsbOpen> {
        Box::new(SystemOpen)
    }
}

struct SystemOpen;

impl UsbOpen for SystemOpen {
    fn open(&mut self, port: &str, interface: u8) -> Result<Box<dyn UsbHandle>, TransferError> {
        let context = Context::new().map_err(transfer_error)?;
        let devices = context.devices().map_err(transfer_error)?;
        let device =
            devices.iter().find(|d| port_path(d).as_deref() == Some(port)).ok_or(TransferError::NoDevice)?;
        let handle = device.open().map_err(transfer_error)?;
        handle.claim_interface(interface).map_err(transfer_error)?;
        Ok(Box::new(SystemHandle { handle, interface }))
    }
}

struct SystemHandle {
    handle: DeviceHandle<Context>,
    interface: u8,
}

impl UsbHandle for SystemHandle {
    fn control(&mut self, transfer: &ControlTransfer) -> Result<Vec<u8>, TransferError> {
        let ControlTransfer { request_type, request, value, index, data, timeout } = transfer;
        let timeout: Duration = *timeout;
        match data {
            Data::In(length) => {
                let mut answer = vec![0; usize::from(*length)];
                let got = self
                    .handle
                    .read_control(request_type | DIRECTION_IN, *request, *value, *index, &mut answer, timeout)
                    .map_err(transfer_error)?;
                answer.truncate(got);
                Ok(answer)
            }
            Data::Out(bytes) => {
                let taken = self
                    .handle
                    .write_control(*request_type, *request, *value, *index, bytes, timeout)
                    .map_err(transfer_error)?;
                if taken == bytes.len() { Ok(Vec::new()) } else { Err(TransferError::Stall) }
            }
        }
    }

    fn reset(&mut self) -> Result<(), TransferError> {
        self.handle.reset().map_err(transfer_error)
    }
}

impl Drop for SystemHandle {
    fn drop(&mut self) {
        // The device may be gone already; there is nothing to do about that here.
        let _ = self.handle.release_interface(self.interface);
    }
}

fn identify(device: &Device<Context>) -> Option<UsbDevice> {
    let descriptor = device.device_descriptor().ok()?;
    if descriptor.class_code() == CLASS_HUB {
        return None;
    }
    let version = descriptor.device_version();
    let bcd_device = bcd(version.major(), version.minor(), version.sub_minor());
    Some(UsbDevice {
        address: device.address(),
        identity: UsbIdentity {
            port: port_path(device)?,
            vid: descriptor.vendor_id(),
            pid: descriptor.product_id(),
            bcd_device,
            // Reading it needs to open the device; the port tells devices apart.
            serial: None,
            dfu: dfu_interface(device),
        },
    })
}

fn dfu_interface(device: &Device<Context>) -> Option<DfuInterface> {
    let config = device.active_config_descriptor().or_else(|_| device.config_descriptor(0)).ok()?;
    for interface in config.interfaces() {
        for setting in interface.descriptors() {
            if (setting.class_code(), setting.sub_class_code()) != (CLASS_APPLICATION, SUBCLASS_DFU) {
                continue;
            }
            let mode = match setting.protocol_code() {
                PROTOCOL_RUNTIME => Mode::Runtime,
                PROTOCOL_DFU => Mode::Dfu,
                _ => continue,
            };
            // Some devices hang it on the configuration instead of the interface.
            let extra = [setting.extra(), config.extra()].into_iter().find_map(functional)?;
            let functional = FunctionalDescriptor::parse(extra).ok()?;
            return Some(DfuInterface { interface: setting.interface_number(), mode, functional });
        }
    }
    None
}

/// The DFU functional descriptor among class-specific ones: each is length, type, content.
fn functional(extra: &[u8]) -> Option<&[u8]> {
    let mut rest = extra;
    while let [length, kind, ..] = rest {
        let length = usize::from(*length);
        if length < 2 || length > rest.len() {
            return None;
        }
        if *kind == DFU_FUNCTIONAL {
            return Some(&rest[..length]);
        }
        rest = &rest[length..];
    }
    None
}

/// `bus-port.port`, as Linux names it.
fn port_path(device: &Device<Context>) -> Option<String> {
    let ports = device.port_numbers().ok().filter(|p| !p.is_empty())?;
    let ports: Vec<String> = ports.iter().map(u8::to_string).collect();
    Some(format!("{}-{}", device.bus_number(), ports.join(".")))
}

/// libusb takes bcdDevice apart as 0xJJMN; put together again without judging it.
fn bcd(major: u8, minor: u8, sub_minor: u8) -> u16 {
    let major = u16::from(major / 10) << 4 | u16::from(major % 10);
    major << 8 | u16::from(minor & 0x0f) << 4 | u16::from(sub_minor & 0x0f)
}

fn transfer_error(error: rusb::Error) -> TransferError {
    match error {
        rusb::Error::Pipe => TransferError::Stall,
        rusb::Error::NoDevice | rusb::Error::NotFound => TransferError::NoDevice,
        rusb::Error::Timeout => TransferError::Timeout,
        rusb::Error::Access => TransferError::AccessDenied,
        rusb::Error::Busy => TransferError::Busy,
        other => TransferError::Io(other as i32),
    }
}

fn unavailable(error: rusb::Error) -> Problem {
    Problem::new(
        "usb-unavailable",
        format!("USB devices cannot be listed: {error}"),
        "USB library",
        "Firmware updates are off until that works; call control is not affected. Send a bundle to support (`hookswitch bundle`).",
    )
    .with("error", error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_functional_descriptor_is_found_among_others() {
        let hid = [9, 0x21 ^ 0x03, 0, 0, 0, 0, 0, 0, 0];
        let dfu = [9, 0x21, 0x0d, 0xe8, 0x03, 0x00, 0x04, 0x10, 0x01];
        assert_eq!(functional(&[hid, dfu].concat()), Some(&dfu[..]));
        assert_eq!(functional(&hid), None);
        assert_eq!(functional(&[0, 0x21]), None, "a length of 0 must not loop");
        assert_eq!(functional(&[200, 0x21, 1]), None);
    }

    #[test]
    fn bcd_survives_libusb() {
        assert_eq!(bcd(1, 2, 0), 0x0120);
        assert_eq!(bcd(12, 3, 4), 0x1234);
    }
}

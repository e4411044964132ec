//! USB devices of the system through libusb: what has a DFU interface, and control transfers to it.

use super::hardware::{UsbBus, UsbHandle, UsbOpen};
use super::os;
use dfu::usb_dfu::{ControlTransfer, Data, TransferError, UsbIdentity};
use hub::machine::UsbDevice;
use hub::problem::Reason;
use hub::protocol::Problem;
use rusb::{Context, Device, DeviceHandle, UsbContext};
use std::time::Duration;

const CLASS_HUB: u8 = 0x09;
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
    fn control(&mut self, transfer: &ControlTransfer, out: &[u8]) -> Result<Vec<u8>, TransferError> {
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
            Data::Empty | Data::Block(_) => {
                let taken = self
                    .handle
                    .write_control(*request_type, *request, *value, *index, out, timeout)
                    .map_err(transfer_error)?;
                if taken == out.len() { Ok(Vec::new()) } else { Err(TransferError::Stall) }
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
    if device.device_descriptor().ok()?.class_code() == CLASS_HUB {
        return None;
    }
    let port = port_path(device)?;
    // A device that has just left has none.
    let (descriptors, active) = os::usb_descriptors(&port).ok()?;
    // Reading the serial number needs to open the device; the port tells devices apart.
    let identity = UsbIdentity::read(&port, &descriptors, active)?;
    Some(UsbDevice { address: device.address(), identity })
}

/// `bus-port.port`, as Linux names it.
fn port_path(device: &Device<Context>) -> Option<String> {
    let ports = device.port_numbers().ok().filter(|p| !p.is_empty())?;
    let ports: Vec<String> = ports.iter().map(u8::to_string).collect();
    Some(format!("{}-{}", device.bus_number(), ports.join(".")))
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
    Reason::UsbUnavailable { error: error.to_string() }.here()
}

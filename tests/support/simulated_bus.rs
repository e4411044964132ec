//! Simulated hardware behind the product's byte border: the adapter between `simulator::Bus` and `Hardware`.
//! Nothing of the product is replaced; only the wire is.

use dfu::usb_dfu::{ControlTransfer, Data, TransferError, UsbIdentity};
use hookswitch::shell::hardware::{
    Hardware, HidBus, HidHandles, HidRead, HidWrite, Hotplug, UsbBus, UsbHandle, UsbOpen,
};
use hub::machine::{HidNode, UsbDevice};
use hub::problem::Reason;
use hub::protocol::Problem;
use simulator::{Bus, BusDevice, HidPipe, UsbError};
use std::io;

pub(crate) fn hardware(bus: &Bus) -> Hardware {
    let (hid, usb, hotplug) = (SimHid(bus.clone()), SimUsb(bus.clone()), SimHotplug(bus.clone()));
    Hardware { hid: Box::new(hid), usb: Box::new(usb), hotplug: Box::new(hotplug) }
}

struct SimHid(Bus);

impl HidBus for SimHid {
    fn enumerate(&mut self) -> Result<Vec<HidNode>, Problem> {
        let nodes = self.0.devices().into_iter().filter_map(|device| {
            let hid = device.hid?;
            Some(HidNode {
                path: hid.path,
                interface: Some(hid.interface),
                vendor_id: device.vid,
                product_id: device.pid,
                bcd_device: device.bcd_device,
                manufacturer: device.manufacturer,
                product: device.product,
                serial: Some(device.serial),
                port: Some(device.port),
                descriptor: Some(hid.report_descriptor),
            })
        });
        Ok(nodes.collect())
    }

    fn open(&mut self, path: &str) -> Result<HidHandles, Problem> {
        let pipe =
            self.0.open_hid(path).map_err(|e| Reason::HidAccessDenied { error: e.to_string() }.at(path))?;
        Ok((Box::new(SimPipe(pipe.clone())), Box::new(SimPipe(pipe))))
    }
}

struct SimPipe(HidPipe);

impl HidRead for SimPipe {
    fn read(&mut self, report: &mut [u8]) -> io::Result<usize> {
        self.0.read(report)
    }
}

impl HidWrite for SimPipe {
    fn write(&mut self, report: &[u8]) -> io::Result<()> {
        self.0.write(report).map(|_| ())
    }
}

struct SimUsb(Bus);

impl UsbBus for SimUsb {
    fn enumerate(&mut self) -> Result<Vec<UsbDevice>, Problem> {
        Ok(self.0.devices().iter().map(identify).collect())
    }

    fn opener(&self) -> Box<dyn UsbOpen> {
        Box::new(SimOpen(self.0.clone()))
    }
}

fn identify(device: &BusDevice) -> UsbDevice {
    let descriptors = [&device.device_descriptor[..], &device.configuration_descriptor].concat();
    let identity = UsbIdentity::read(&device.port, &descriptors, Some(1)).expect("a device descriptor");
    UsbDevice { address: device.address, identity }
}

struct SimOpen(Bus);

impl UsbOpen for SimOpen {
    fn open(&mut self, port: &str, _interface: u8) -> Result<Box<dyn UsbHandle>, TransferError> {
        let device = self.0.devices().into_iter().find(|d| d.port == port).ok_or(TransferError::NoDevice)?;
        Ok(Box::new(SimHandle { bus: self.0.clone(), port: port.to_owned(), address: device.address }))
    }
}

/// Bound to one enumeration of the device, as a handle of libusb is.
struct SimHandle {
    bus: Bus,
    port: String,
    address: u8,
}

impl SimHandle {
    fn check(&self) -> Result<(), TransferError> {
        let still = self.bus.devices().iter().any(|d| d.port == self.port && d.address == self.address);
        if still { Ok(()) } else { Err(TransferError::NoDevice) }
    }
}

impl UsbHandle for SimHandle {
    fn control(&mut self, transfer: &ControlTransfer, out: &[u8]) -> Result<Vec<u8>, TransferError> {
        self.check()?;
        let length = match transfer.data {
            Data::In(length) => length,
            Data::Empty | Data::Block(_) => out.len().try_into().map_err(|_| TransferError::Stall)?,
        };
        let mut setup = [transfer.request_type, transfer.request, 0, 0, 0, 0, 0, 0];
        setup[2..4].copy_from_slice(&transfer.value.to_le_bytes());
        setup[4..6].copy_from_slice(&transfer.index.to_le_bytes());
        setup[6..8].copy_from_slice(&length.to_le_bytes());
        self.bus.control(&self.port, setup, out).map_err(usb_error)
    }

    fn reset(&mut self) -> Result<(), TransferError> {
        self.check()?;
        self.bus.reset(&self.port).map_err(usb_error)
    }
}

fn usb_error(error: UsbError) -> TransferError {
    match error {
        UsbError::Stall => TransferError::Stall,
        UsbError::NoDevice => TransferError::NoDevice,
        UsbError::Timeout => TransferError::Timeout,
    }
}

struct SimHotplug(Bus);

impl Hotplug for SimHotplug {
    fn watch(self: Box<Self>, changed: &mut dyn FnMut()) -> Result<(), Problem> {
        let changes = self.0.changes();
        while changes.recv().is_ok() {
            changed();
        }
        Ok(())
    }
}

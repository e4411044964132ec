//! HID nodes of the system through hidapi.

use super::hardware::{HidBus, HidHandles, HidRead, HidWrite};
use super::os;
use hidapi::{HidApi, HidDevice};
use hub::machine::HidNode;
use hub::problem::Reason;
use hub::protocol::Problem;
use std::collections::BTreeMap;
use std::ffi::CString;
use std::io;

/// HID 1.11 §6.2.1 gives the length 16 bits; Linux takes 4096 bytes.
const MAX_DESCRIPTOR: usize = 4096;
/// Blocks for good: no timer runs while a headset is idle.
const FOR_EVER: i32 = -1;

#[derive(Default)]
pub(super) struct SystemHid {
    /// Made at the first look, then kept: one owner on one thread.
    api: Option<HidApi>,
}

impl SystemHid {
    fn api(&mut self) -> Result<&mut HidApi, Problem> {
        match &mut self.api {
            Some(api) => Ok(api),
            none => Ok(none.insert(HidApi::new().map_err(|e| unavailable(&e))?)),
        }
    }
}

impl HidBus for SystemHid {
    fn enumerate(&mut self) -> Result<Vec<HidNode>, Problem> {
        let first = self.api.is_none();
        let api = self.api()?;
        // Making it looks at the bus already.
        if !first {
            api.refresh_devices().map_err(|e| unavailable(&e))?;
        }
        // One entry per top-level collection; on Linux all of an interface share one path.
        let mut nodes: BTreeMap<String, HidNode> = BTreeMap::new();
        for info in api.device_list() {
            let path = info.path().to_string_lossy().into_owned();
            nodes.entry(path.clone()).or_insert_with(|| HidNode {
                interface: u8::try_from(info.interface_number()).ok(),
                vendor_id: info.vendor_id(),
                product_id: info.product_id(),
                bcd_device: info.release_number(),
                manufacturer: info.manufacturer_string().unwrap_or_default().to_owned(),
                product: info.product_string().unwrap_or_default().to_owned(),
                serial: info.serial_number().filter(|s| !s.is_empty()).map(str::to_owned),
                port: os::hid_port(&path),
                descriptor: None,
                path,
            });
        }
        let mut nodes: Vec<HidNode> = nodes.into_values().collect();
        for node in &mut nodes {
            node.descriptor = descriptor(api, &node.path);
        }
        Ok(nodes)
    }

    fn open(&mut self, path: &str) -> Result<HidHandles, Problem> {
        let c_path = CString::new(path).map_err(|e| os::hid_closed(path, &e))?;
        let api = self.api()?;
        let open = || api.open_path(&c_path).map_err(|e| os::hid_closed(path, &e));
        Ok((Box::new(SystemRead(open()?)), Box::new(SystemWrite(open()?))))
    }
}

struct SystemRead(HidDevice);

impl HidRead for SystemRead {
    fn read(&mut self, report: &mut [u8]) -> io::Result<usize> {
        self.0.read_timeout(report, FOR_EVER).map_err(io::Error::other)
    }
}

struct SystemWrite(HidDevice);

impl HidWrite for SystemWrite {
    fn write(&mut self, report: &[u8]) -> io::Result<()> {
        self.0.write(report).map(|_| ()).map_err(io::Error::other)
    }
}

/// Needs no permission where the system shows it; elsewhere the node is opened for it.
fn descriptor(api: &HidApi, path: &str) -> Option<Vec<u8>> {
    let opened = || {
        let device = api.open_path(&CString::new(path).ok()?).ok()?;
        let mut bytes = vec![0; MAX_DESCRIPTOR];
        let length = device.get_report_descriptor(&mut bytes).ok()?;
        bytes.truncate(length);
        Some(bytes)
    };
    os::hid_descriptor(path).or_else(opened).filter(|bytes| !bytes.is_empty())
}

fn unavailable(error: &dyn std::fmt::Display) -> Problem {
    Reason::HidUnavailable { error: error.to_string() }.here()
}

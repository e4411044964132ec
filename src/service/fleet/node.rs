//! One HID node, and what it says of itself, made fit to be shown.

use crate::protocol::DeviceId;

/// Characters of a device's own strings that are kept.
const MAX_TEXT: usize = 128;

/// One HID node of the system as enumerated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HidNode {
    /// What opens it, `/dev/hidraw3`.
    pub path: String,
    pub vendor_id: u16,
    pub product_id: u16,
    pub bcd_device: u16,
    pub manufacturer: String,
    pub product: String,
    pub serial: Option<String>,
    /// USB port path; `None` for Bluetooth and uhid.
    pub port: Option<String>,
    /// `None` = could not be read just now; the next scan will.
    pub descriptor: Option<Vec<u8>>,
}

/// Stable across re-plugging where there is a serial number, across re-plugging into the same port otherwise.
pub(super) fn device_id(node: &HidNode) -> DeviceId {
    let distinct = node.serial.as_deref().or(node.port.as_deref()).unwrap_or("0");
    let distinct: String = distinct
        .chars()
        .take(64)
        .map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '.' { c } else { '_' })
        .collect();
    format!("{:04x}-{:04x}-{distinct}", node.vendor_id, node.product_id)
}

/// What we know of a product, else what it says of itself, else a plain word.
pub(super) fn text(known: Option<&String>, own: &str, otherwise: &str) -> String {
    let own: String = own.chars().filter(|c| !c.is_control()).take(MAX_TEXT).collect();
    match known {
        Some(known) if !known.is_empty() => known.clone(),
        _ if !own.trim().is_empty() => own.trim().to_owned(),
        _ => otherwise.to_owned(),
    }
}

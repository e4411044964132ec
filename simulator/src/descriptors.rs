//! USB descriptors of both modes as bytes (USB 2.0 chapter 9.6, HID 1.11 chapter 6.2.1, DFU 1.1 chapters 4.1 and 4.2).

use crate::layout;
use crate::setup::Setup;
use crate::state::Mode;

pub(crate) const DEVICE: u8 = 1;
pub(crate) const CONFIGURATION: u8 = 2;
pub(crate) const STRING: u8 = 3;
/// The HID and the DFU functional descriptor share this type number; the interface tells them apart.
pub(crate) const HID_OR_DFU_FUNCTIONAL: u8 = 0x21;
pub(crate) const REPORT: u8 = 0x22;

/// Interface numbers in runtime mode. In DFU mode the only interface is 0.
pub(crate) const HID_INTERFACE: u8 = 0;
pub(crate) const DFU_RUNTIME_INTERFACE: u8 = 1;
pub(crate) const DFU_MODE_INTERFACE: u8 = 0;

/// Number of the interface that takes DFU requests.
pub(crate) fn dfu_interface(mode: Mode) -> u8 {
    match mode {
        Mode::Runtime => DFU_RUNTIME_INTERFACE,
        Mode::Dfu => DFU_MODE_INTERFACE,
    }
}

pub(crate) fn product_id(setup: &Setup, mode: Mode) -> u16 {
    match mode {
        Mode::Runtime => setup.product_id,
        Mode::Dfu => setup.dfu_product_id,
    }
}

#[rustfmt::skip]
pub(crate) fn device(setup: &Setup, mode: Mode, version_bcd: u16) -> Vec<u8> {
    let vendor = setup.vendor_id.to_le_bytes();
    let product = product_id(setup, mode).to_le_bytes();
    let bcd = match mode { Mode::Runtime => version_bcd, Mode::Dfu => setup.bootloader_version_bcd }.to_le_bytes();
    let index = |text: &str, index: u8| if text.is_empty() { 0 } else { index };
    vec![
        18, DEVICE,
        0x00, 0x02,             // bcdUSB 2.00
        0, 0, 0,                // class, subclass, protocol: told by the interfaces
        64,                     // bMaxPacketSize0
        vendor[0], vendor[1],
        product[0], product[1],
        bcd[0], bcd[1],         // bcdDevice
        index(&setup.manufacturer, 1), index(&setup.product, 2), index(&setup.serial, 3),
        1,                      // bNumConfigurations
    ]
}

#[rustfmt::skip]
pub(crate) fn hid(setup: &Setup) -> Vec<u8> {
    let length = u16::try_from(layout::report_descriptor(setup.layout).len()).unwrap_or(u16::MAX).to_le_bytes();
    vec![
        9, HID_OR_DFU_FUNCTIONAL,
        0x11, 0x01,             // bcdHID 1.11
        0,                      // bCountryCode
        1,                      // bNumDescriptors
        REPORT, length[0], length[1],
    ]
}

#[rustfmt::skip]
pub(crate) fn dfu_functional(setup: &Setup) -> Vec<u8> {
    let attributes = 1                                          // bitCanDnload
        | u8::from(setup.can_upload) << 1
        | u8::from(setup.manifestation_tolerant) << 2
        | u8::from(setup.will_detach) << 3;
    let detach = setup.detach_timeout_ms.to_le_bytes();
    let transfer = setup.advertised_transfer_size.unwrap_or(setup.transfer_size).to_le_bytes();
    vec![
        9, HID_OR_DFU_FUNCTIONAL, attributes,
        detach[0], detach[1],   // wDetachTimeOut
        transfer[0], transfer[1],
        0x10, 0x01,             // bcdDFUVersion 1.10
    ]
}

#[rustfmt::skip]
pub(crate) fn configuration(setup: &Setup, mode: Mode) -> Vec<u8> {
    let mut interfaces = Vec::new();
    if mode == Mode::Runtime {
        interfaces.extend_from_slice(&[9, 4, HID_INTERFACE, 0, 2, 0x03, 0x00, 0x00, 0]);    // HID, no boot protocol
        interfaces.extend_from_slice(&hid(setup));
        interfaces.extend_from_slice(&[7, 5, 0x81, 0x03, 64, 0, 4]);                        // interrupt IN, 4 ms
        interfaces.extend_from_slice(&[7, 5, 0x01, 0x03, 64, 0, 4]);                        // interrupt OUT, 4 ms
    }
    let (protocol, settings) = match mode { Mode::Runtime => (1, 1), Mode::Dfu => (2, setup.dfu_settings.max(1)) };
    for alternate in 0..settings {
        interfaces.extend_from_slice(&[9, 4, dfu_interface(mode), alternate, 0, 0xFE, 0x01, protocol, 4]);
    }
    interfaces.extend_from_slice(&dfu_functional(setup));

    let count = match mode { Mode::Runtime => 2, Mode::Dfu => 1 };
    let total = u16::try_from(9 + interfaces.len()).unwrap_or(u16::MAX).to_le_bytes();
    let mut bytes = vec![
        9, CONFIGURATION, total[0], total[1], count,
        1,                      // bConfigurationValue
        0,                      // iConfiguration
        0x80,                   // bus powered
        50,                     // 100 mA
    ];
    bytes.extend_from_slice(&interfaces);
    bytes
}

/// A string descriptor, `None` for an index without string. Index 0 is the list of languages: en-US only.
pub(crate) fn string(setup: &Setup, index: u8) -> Option<Vec<u8>> {
    let text = match index {
        0 => return Some(vec![4, STRING, 0x09, 0x04]),
        1 => &setup.manufacturer,
        2 => &setup.product,
        3 => &setup.serial,
        4 => "Firmware",
        _ => return None,
    };
    if text.is_empty() {
        return None;
    }
    // bLength is a byte: 126 UTF-16 units at most.
    let units: Vec<u8> = text.encode_utf16().take(126).flat_map(u16::to_le_bytes).collect();
    let mut bytes = vec![u8::try_from(units.len() + 2).unwrap_or(u8::MAX), STRING];
    bytes.extend_from_slice(&units);
    Some(bytes)
}

//! What a simulated headset is made of: identity, report layout, DFU parameters and delays.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How the headset lays out its HID reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// One output report for all lights, same report id as the telephony input. Reject is Button 7 (0009:0007).
    #[default]
    Shared,
    /// One output report per light; no output id equals an input id. Reject is Drop (000B:0026).
    Split,
}

/// Everything that can be chosen about a headset before it is plugged in. Times are in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    /// Report layout.
    pub layout: Layout,
    /// idVendor, both modes.
    pub vendor_id: u16,
    /// idProduct in runtime mode.
    pub product_id: u16,
    /// idProduct in DFU mode.
    pub dfu_product_id: u16,
    /// iManufacturer; an empty string means no such string descriptor.
    pub manufacturer: String,
    /// iProduct; an empty string means no such string descriptor.
    pub product: String,
    /// iSerialNumber; an empty string means no such string descriptor.
    pub serial: String,
    /// bcdDevice in runtime mode, that is the version of the installed firmware.
    pub version_bcd: u16,
    /// bcdDevice in DFU mode, that is the version of the boot loader.
    pub bootloader_version_bcd: u16,
    /// Bytes of the firmware image installed at the start, header included. 0: none, as an update leaves it that was
    /// cut short; it starts in DFU mode.
    pub image_bytes: usize,
    /// The largest image the flash holds; more answers errADDRESS.
    pub flash_bytes: usize,
    /// The old firmware stays usable until a new image is complete. Without it the first block erases it, and an
    /// interrupted download leaves a device that can only do DFU.
    pub dual_bank: bool,
    /// The largest block DNLOAD accepts.
    pub transfer_size: u16,
    /// What the functional descriptor says instead of `transfer_size`, for devices that lie.
    pub advertised_transfer_size: Option<u16>,
    /// Settings of the DFU-mode interface, 1 to 255. The functional descriptor follows the last (DFU 1.1 §4.2).
    pub dfu_settings: u8,
    /// wDetachTimeOut.
    pub detach_timeout_ms: u16,
    /// bitWillDetach: leaves and returns by itself, after DETACH and after manifestation.
    pub will_detach: bool,
    /// bitManifestationTolerant: still speaks DFU after manifestation. Wins over `will_detach` there.
    pub manifestation_tolerant: bool,
    /// bitCanUpload.
    pub can_upload: bool,
    /// bwPollTimeout after a block, at most 0xFF_FFFF. 0: never dfuDNBUSY.
    pub poll_timeout_ms: u32,
    /// How long manifestation takes.
    pub manifest_ms: u32,
    /// bwPollTimeout in dfuMANIFEST, at most 0xFF_FFFF; `None`: the same as `manifest_ms`.
    pub manifest_poll_ms: Option<u32>,
    /// Absence from the bus when the device re-enumerates.
    pub reenumeration_ms: u32,
    /// A hook press that no Off-Hook light acknowledges is taken back after this time.
    pub hook_revert_ms: u32,
    /// How long a momentary button stays down.
    pub button_ms: u32,
    /// Reports Hook Switch after the host wrote Off-Hook; some headsets never confirm.
    pub confirms_hook: bool,
    /// Reports the mute button outside a call too.
    pub mute_outside_call: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            layout: Layout::Shared,
            vendor_id: 0x1209,
            product_id: 0x0001,
            dfu_product_id: 0x0002,
            manufacturer: "Hookswitch".to_owned(),
            product: "Simulated Headset".to_owned(),
            serial: "SIM0001".to_owned(),
            version_bcd: 0x0100,
            bootloader_version_bcd: 0x0010,
            image_bytes: 64 * 1024,
            flash_bytes: 1024 * 1024,
            dual_bank: false,
            transfer_size: 1024,
            advertised_transfer_size: None,
            dfu_settings: 1,
            detach_timeout_ms: 1000,
            will_detach: true,
            manifestation_tolerant: false,
            can_upload: false,
            poll_timeout_ms: 10,
            manifest_ms: 300,
            manifest_poll_ms: None,
            reenumeration_ms: 200,
            hook_revert_ms: 2000,
            button_ms: 40,
            confirms_hook: true,
            mute_outside_call: false,
        }
    }
}

impl Setup {
    /// A headset of this layout, which differs from that of the other in whatever headsets differ in.
    #[must_use]
    pub fn of(layout: Layout) -> Self {
        let dfu_settings = match layout {
            Layout::Shared => 1,
            Layout::Split => 2,
        };
        Self { layout, dfu_settings, ..Self::default() }
    }
}

/// A version text that is not `major.minor` with a decimal major of 0..=99 and a two-digit minor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionError {
    /// The text that was refused.
    pub text: String,
}

impl fmt::Display for VersionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "version {:?} is not of the form 1.20 (0..99, a dot, two digits): bcdDevice has four digits",
            self.text
        )
    }
}

impl std::error::Error for VersionError {}

/// `"1.20"` to 0x0120, the way bcdDevice writes it.
///
/// # Errors
/// When the text is not `N.NN` or `NN.NN` in decimal digits.
pub fn parse_bcd(text: &str) -> Result<u16, VersionError> {
    let refuse = || VersionError { text: text.to_owned() };
    let (major, minor) = text.split_once('.').ok_or_else(refuse)?;
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if major.is_empty() || major.len() > 2 || minor.len() != 2 || !digits(major) || !digits(minor) {
        return Err(refuse());
    }
    u16::from_str_radix(&format!("{major}{minor}"), 16).map_err(|_| refuse())
}

/// 0x0120 to `"1.20"`.
#[must_use]
pub fn format_bcd(bcd: u16) -> String {
    format!("{:x}.{:02x}", bcd >> 8, bcd & 0xFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_go_there_and_back() {
        for (text, bcd) in [("1.00", 0x0100), ("1.20", 0x0120), ("12.34", 0x1234), ("0.07", 0x0007)] {
            assert_eq!(parse_bcd(text), Ok(bcd));
            assert_eq!(format_bcd(bcd), text);
        }
        for bad in ["", "1", "1.", ".10", "1.2", "1.200", "123.00", "1.2a", "+1.00", "-1.00", "1.0 "] {
            assert!(parse_bcd(bad).is_err(), "{bad:?} passed");
        }
    }
}

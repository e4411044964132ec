//! What a device says about its DFU ability: the functional descriptor (DFU 1.1 §4.1.3).

/// The DFU functional descriptor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionalDescriptor {
    /// bitCanDnload: the device takes firmware.
    pub can_download: bool,
    /// bitCanUpload: the device gives its firmware out.
    pub can_upload: bool,
    /// bitManifestationTolerant: the device answers requests again after manifestation.
    pub manifestation_tolerant: bool,
    /// bitWillDetach: the device leaves the bus by itself after DFU_DETACH; the host must not reset it.
    pub will_detach: bool,
    /// wDetachTimeOut: how long after DFU_DETACH the device waits for the reset, in milliseconds.
    pub detach_timeout_ms: u16,
    /// wTransferSize: most bytes one DFU_DNLOAD may carry; never 0 (0 is read as 64, 0xffff as 1024).
    pub transfer_size: u16,
    /// bcdDFUVersion; `0x0100` where the short DFU 1.0 descriptor leaves it out.
    pub bcd_dfu: u16,
}

/// bDescriptorType; HID and smart card descriptors have it too.
pub(super) const DFU_FUNCTIONAL: u8 = 0x21;

impl FunctionalDescriptor {
    /// Reads one descriptor, bLength and bDescriptorType included. `None` if it is of another type or neither 7
    /// (DFU 1.0) nor at least 9 bytes long (DFU 1.1).
    #[must_use]
    pub fn read(descriptor: &[u8]) -> Option<FunctionalDescriptor> {
        let [_, DFU_FUNCTIONAL, attributes, d0, d1, t0, t1, ref version @ ..] = *descriptor else {
            return None;
        };
        let bcd_dfu = match *version {
            [] => 0x0100,
            [v0, v1, ..] => u16::from_le_bytes([v0, v1]),
            [_] => return None,
        };
        let transfer_size = match u16::from_le_bytes([t0, t1]) {
            0 => 64,
            0xffff => 1024,
            size => size,
        };
        Some(FunctionalDescriptor {
            can_download: attributes & 0x01 != 0,
            can_upload: attributes & 0x02 != 0,
            manifestation_tolerant: attributes & 0x04 != 0,
            will_detach: attributes & 0x08 != 0,
            detach_timeout_ms: u16::from_le_bytes([d0, d1]),
            transfer_size,
            bcd_dfu,
        })
    }

    /// Whether what was read from `descriptor` can be nothing else, wherever it stands.
    pub(super) fn is_certain(&self, descriptor: &[u8]) -> bool {
        // 0x011a is ST's DfuSe: not spoken here, but DFU.
        descriptor.len() == 9 && (self.speaks_dfu_1() || self.bcd_dfu == 0x011a)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_field() {
        let read = FunctionalDescriptor::read(&[9, 0x21, 0x0d, 0xe8, 0x03, 0x00, 0x04, 0x10, 0x01]);
        let expected = FunctionalDescriptor {
            can_download: true,
            can_upload: false,
            manifestation_tolerant: true,
            will_detach: true,
            detach_timeout_ms: 1000,
            transfer_size: 1024,
            bcd_dfu: 0x0110,
        };
        assert_eq!(read, Some(expected));
    }

    #[test]
    fn odd_transfer_sizes_are_read_as_the_field_does() {
        for (raw, read) in [(0u16, 64u16), (0xffff, 1024), (1, 1), (64, 64), (4096, 4096), (0xfffe, 0xfffe)] {
            let [low, high] = raw.to_le_bytes();
            let parsed =
                FunctionalDescriptor::read(&[9, 0x21, 1, 0, 0, low, high, 0, 1]).expect("well formed");
            assert_eq!(parsed.transfer_size, read);
        }
    }

    #[test]
    fn the_short_form_and_longer_ones_are_read_and_no_others() {
        let short = FunctionalDescriptor::read(&[7, 0x21, 2, 0, 0, 64, 0]).expect("DFU 1.0");
        assert!(short.can_upload && !short.can_download && short.bcd_dfu == 0x0100);
        let long = FunctionalDescriptor::read(&[11, 0x21, 1, 0, 0, 64, 0, 0x10, 1, 7, 7]).expect("longer");
        assert_eq!(long.bcd_dfu, 0x0110);
        for other in [
            &[][..],
            &[2, 0x21],
            &[6, 0x21, 1, 0, 0, 64],
            &[8, 0x21, 1, 0, 0, 64, 0, 0x10],
            &[9, 0x24, 1, 0, 0, 64, 0, 0x10, 1],
        ] {
            assert_eq!(FunctionalDescriptor::read(other), None, "{other:02x?}");
        }
    }
}

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

/// Why bytes hold no DFU functional descriptor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DescriptorError {
    /// More than [`MAX_DESCRIPTOR_BYTES`].
    #[error("{len} bytes of interface descriptors: at most {MAX_DESCRIPTOR_BYTES} are read")]
    TooLarge {
        /// Bytes that came.
        len: usize,
    },
    /// bLength below 2, or beyond the end of the bytes.
    #[error(
        "descriptor at byte {at} says it is {length} bytes long: expected 2 to {left}, the bytes that are left"
    )]
    Length {
        /// Offset of the descriptor.
        at: usize,
        /// bLength as it came.
        length: u8,
        /// Bytes from there to the end.
        left: usize,
    },
    /// A descriptor of type 0x21 that is neither 7 (DFU 1.0) nor at least 9 bytes long.
    #[error("DFU functional descriptor at byte {at} has {length} bytes: expected 9 (DFU 1.1) or 7 (DFU 1.0)")]
    FunctionalLength {
        /// Offset of the descriptor.
        at: usize,
        /// bLength as it came.
        length: u8,
    },
    /// None of the descriptors is of type 0x21.
    #[error(
        "no DFU functional descriptor (type 0x21) in {len} bytes: this interface cannot be updated by USB DFU"
    )]
    Absent {
        /// Bytes that were searched.
        len: usize,
    },
}

/// Most bytes of class descriptors read for one interface.
pub const MAX_DESCRIPTOR_BYTES: usize = 4096;

const DFU_FUNCTIONAL: u8 = 0x21;

impl FunctionalDescriptor {
    /// Finds the functional descriptor in the class descriptors that follow a DFU interface (or in just itself).
    ///
    /// Errors: see [`DescriptorError`].
    pub fn parse(bytes: &[u8]) -> Result<FunctionalDescriptor, DescriptorError> {
        if bytes.len() > MAX_DESCRIPTOR_BYTES {
            return Err(DescriptorError::TooLarge { len: bytes.len() });
        }
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            let length = rest[0];
            let Some(descriptor) = rest.get(..usize::from(length)).filter(|descriptor| descriptor.len() >= 2)
            else {
                return Err(DescriptorError::Length { at, length, left: rest.len() });
            };
            if descriptor[1] == DFU_FUNCTIONAL {
                return FunctionalDescriptor::of(descriptor)
                    .ok_or(DescriptorError::FunctionalLength { at, length });
            }
            at += descriptor.len();
        }
        Err(DescriptorError::Absent { len: bytes.len() })
    }

    fn of(descriptor: &[u8]) -> Option<FunctionalDescriptor> {
        let word = |at: usize| u16::from_le_bytes([descriptor[at], descriptor[at + 1]]);
        let bcd_dfu = match descriptor.len() {
            7 => 0x0100,
            9.. => word(7),
            _ => return None,
        };
        let attributes = descriptor[2];
        let transfer_size = match word(5) {
            0 => 64,
            0xffff => 1024,
            size => size,
        };
        Some(FunctionalDescriptor {
            can_download: attributes & 0x01 != 0,
            can_upload: attributes & 0x02 != 0,
            manifestation_tolerant: attributes & 0x04 != 0,
            will_detach: attributes & 0x08 != 0,
            detach_timeout_ms: word(3),
            transfer_size,
            bcd_dfu,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_field() {
        let parsed = FunctionalDescriptor::parse(&[9, 0x21, 0x0d, 0xe8, 0x03, 0x00, 0x04, 0x10, 0x01]);
        let expected = FunctionalDescriptor {
            can_download: true,
            can_upload: false,
            manifestation_tolerant: true,
            will_detach: true,
            detach_timeout_ms: 1000,
            transfer_size: 1024,
            bcd_dfu: 0x0110,
        };
        assert_eq!(parsed, Ok(expected));
    }

    #[test]
    fn odd_transfer_sizes_are_read_as_the_field_does() {
        for (raw, read) in [(0u16, 64u16), (0xffff, 1024), (1, 1), (64, 64), (4096, 4096), (0xfffe, 0xfffe)] {
            let [low, high] = raw.to_le_bytes();
            let parsed =
                FunctionalDescriptor::parse(&[9, 0x21, 1, 0, 0, low, high, 0, 1]).expect("well formed");
            assert_eq!(parsed.transfer_size, read);
        }
    }

    #[test]
    fn finds_it_behind_other_descriptors_and_in_its_short_form() {
        let parsed =
            FunctionalDescriptor::parse(&[3, 0x24, 0, 7, 0x21, 2, 0, 0, 64, 0]).expect("well formed");
        assert!(parsed.can_upload && !parsed.can_download);
        assert_eq!(parsed.bcd_dfu, 0x0100);
    }

    #[test]
    fn each_fault_has_its_name() {
        use DescriptorError::{Absent, FunctionalLength, Length, TooLarge};
        let parse = FunctionalDescriptor::parse;
        assert_eq!(parse(&[]), Err(Absent { len: 0 }));
        assert_eq!(parse(&[2, 0x24]), Err(Absent { len: 2 }));
        assert_eq!(parse(&[0, 0x21]), Err(Length { at: 0, length: 0, left: 2 }));
        assert_eq!(parse(&[2, 0x24, 1]), Err(Length { at: 2, length: 1, left: 1 }));
        assert_eq!(parse(&[9, 0x21, 1, 0, 0, 0, 4, 0]), Err(Length { at: 0, length: 9, left: 8 }));
        assert_eq!(parse(&[8, 0x21, 1, 0, 0, 0, 4, 0]), Err(FunctionalLength { at: 0, length: 8 }));
        assert_eq!(parse(&[0; MAX_DESCRIPTOR_BYTES + 1]), Err(TooLarge { len: MAX_DESCRIPTOR_BYTES + 1 }));
    }
}

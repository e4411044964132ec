//! Firmware images and the DFU suffix (DFU 1.1 §B).
//!
//! The suffix says which device a file is for. It is never sent to a device.

/// A firmware file: what is sent, and what its suffix said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The bytes to download, without the suffix; never empty.
    pub payload: Vec<u8>,
    /// What the suffix said, if the file had one.
    pub suffix: Option<Suffix>,
}

/// The identifying fields of a DFU suffix; `0xffff` means "any" in the first three (DFU 1.1 §B).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Suffix {
    /// The version of the firmware in this file.
    pub bcd_device: u16,
    /// USB vendor id this file is for.
    pub vid: u16,
    /// USB product id this file is for.
    pub pid: u16,
    /// DFU specification of the file: `0x0100` or `0x0110`.
    pub bcd_dfu: u16,
}

/// Why bytes are not a firmware image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageError {
    /// Nothing to send.
    #[error("firmware image is empty: expected at least 1 byte besides the DFU suffix; get the file again")]
    Empty,
    /// More than [`MAX_IMAGE_BYTES`].
    #[error("firmware image has {len} bytes: at most {MAX_IMAGE_BYTES} are accepted")]
    TooLarge {
        /// Bytes that came.
        len: usize,
    },
    /// `bLength` below 16 or beyond the start of the file.
    #[error(
        "DFU suffix at byte {at} says it is {length} bytes long: expected 16 to {len}, the size of the file"
    )]
    SuffixLength {
        /// Offset of `bLength` in the file.
        at: usize,
        /// The length it claims.
        length: u8,
        /// Bytes in the file.
        len: usize,
    },
    /// The file was changed or cut after its suffix was made.
    #[error(
        "DFU suffix CRC does not match: the file says 0x{stated:08x}, its bytes give 0x{computed:08x}; the file \
         is damaged, get it again"
    )]
    Crc {
        /// CRC written in the suffix.
        stated: u32,
        /// CRC of all bytes before it.
        computed: u32,
    },
    /// A DfuSe container or an unknown version; its payload is not what DFU 1.1 sends.
    #[error(
        "DFU suffix is of specification 0x{bcd_dfu:04x}: only 0x0100 and 0x0110 can be sent by USB DFU 1.1"
    )]
    Specification {
        /// `bcdDFU` as it came.
        bcd_dfu: u16,
    },
}

/// Largest image accepted, in bytes.
pub const MAX_IMAGE_BYTES: usize = 64 << 20;

/// Bytes of a standard suffix, CRC included.
const SUFFIX_BYTES: usize = 16;
const SIGNATURE: [u8; 3] = *b"UFD";
/// "Any" in a suffix field.
pub(crate) const WILDCARD: u16 = 0xffff;

impl Image {
    /// Takes a file apart. A file without the signature "UFD" is a bare payload.
    ///
    /// Errors: see [`ImageError`]; a suffix that is present but wrong is an error, never part of the payload.
    pub fn parse(bytes: &[u8]) -> Result<Image, ImageError> {
        if bytes.len() > MAX_IMAGE_BYTES {
            return Err(ImageError::TooLarge { len: bytes.len() });
        }
        let Some((_, tail)) = bytes.split_last_chunk::<SUFFIX_BYTES>() else {
            return Image::of(bytes, None);
        };
        if tail[8..11] != SIGNATURE {
            return Image::of(bytes, None);
        }
        let length = usize::from(tail[11]);
        let payload =
            bytes.len().checked_sub(length).filter(|_| length >= SUFFIX_BYTES).map(|end| &bytes[..end]);
        let Some(payload) = payload else {
            return Err(ImageError::SuffixLength { at: bytes.len() - 5, length: tail[11], len: bytes.len() });
        };
        let stated = u32::from_le_bytes([tail[12], tail[13], tail[14], tail[15]]);
        let computed = suffix_crc(&bytes[..bytes.len() - 4]);
        if stated != computed {
            return Err(ImageError::Crc { stated, computed });
        }
        let word = |at: usize| u16::from_le_bytes([tail[at], tail[at + 1]]);
        let suffix = Suffix { bcd_device: word(0), pid: word(2), vid: word(4), bcd_dfu: word(6) };
        if !matches!(suffix.bcd_dfu, 0x0100 | 0x0110) {
            return Err(ImageError::Specification { bcd_dfu: suffix.bcd_dfu });
        }
        Image::of(payload, Some(suffix))
    }

    /// The file for `payload`: payload, suffix and CRC. [`Image::parse`] is its inverse.
    #[must_use]
    pub fn with_suffix(payload: &[u8], suffix: Suffix) -> Vec<u8> {
        let mut file = Vec::with_capacity(payload.len() + SUFFIX_BYTES);
        file.extend_from_slice(payload);
        for word in [suffix.bcd_device, suffix.pid, suffix.vid, suffix.bcd_dfu] {
            file.extend_from_slice(&word.to_le_bytes());
        }
        file.extend_from_slice(&SIGNATURE);
        file.push(SUFFIX_BYTES as u8);
        let crc = suffix_crc(&file);
        file.extend_from_slice(&crc.to_le_bytes());
        file
    }

    fn of(payload: &[u8], suffix: Option<Suffix>) -> Result<Image, ImageError> {
        if payload.is_empty() {
            return Err(ImageError::Empty);
        }
        Ok(Image { payload: payload.to_vec(), suffix })
    }
}

/// CRC-32 (polynomial 0xedb88320, reflected, start 0xffffffff) without the final inversion (DFU 1.1 §B).
fn suffix_crc(bytes: &[u8]) -> u32 {
    !crc32fast::hash(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUFFIX: Suffix = Suffix { bcd_device: 0x0120, vid: 0x1209, pid: 0x0001, bcd_dfu: 0x0100 };

    /// The CRC bit by bit, as the specification words it, without the table of the crate.
    fn crc_by_bits(bytes: &[u8]) -> u32 {
        bytes.iter().fold(0xffff_ffff, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 }
            })
        })
    }

    #[test]
    fn suffix_is_laid_out_as_in_appendix_b() {
        let file = Image::with_suffix(&[0xaa, 0xbb], SUFFIX);
        assert_eq!(
            file[..14],
            [0xaa, 0xbb, 0x20, 0x01, 0x01, 0x00, 0x09, 0x12, 0x00, 0x01, b'U', b'F', b'D', 16]
        );
        assert_eq!(file[14..], crc_by_bits(&file[..14]).to_le_bytes());
        assert_eq!(Image::parse(&file), Ok(Image { payload: vec![0xaa, 0xbb], suffix: Some(SUFFIX) }));
    }

    #[test]
    fn a_bare_file_is_all_payload() {
        for len in [1usize, 15, 16, 17, 300] {
            let bytes = vec![7; len];
            assert_eq!(Image::parse(&bytes), Ok(Image { payload: bytes, suffix: None }));
        }
    }

    #[test]
    fn a_longer_suffix_is_stripped_whole() {
        let mut file = vec![1, 2, 3, /* two bytes a later revision added */ 9, 9];
        file.extend_from_slice(&[0xff; 6]);
        file.extend_from_slice(&[0x00, 0x01, b'U', b'F', b'D', 18]);
        file.extend_from_slice(&crc_by_bits(&file.clone()).to_le_bytes());
        assert_eq!(Image::parse(&file).map(|image| image.payload), Ok(vec![1, 2, 3]));
    }

    #[test]
    fn each_fault_has_its_name() {
        let good = Image::with_suffix(&[5; 40], SUFFIX);
        assert_eq!(Image::parse(&[]), Err(ImageError::Empty));
        assert_eq!(Image::parse(&Image::with_suffix(&[], SUFFIX)), Err(ImageError::Empty));
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            if bad[48..51] == SIGNATURE {
                let result = Image::parse(&bad);
                assert!(
                    matches!(result, Err(ImageError::Crc { .. } | ImageError::SuffixLength { .. })),
                    "bit {bit} flipped: {result:?}"
                );
            }
        }
        for length in (0..16).chain(57..=255) {
            let mut bad = good.clone();
            bad[51] = length;
            assert_eq!(Image::parse(&bad), Err(ImageError::SuffixLength { at: 51, length, len: 56 }));
        }
        let dfuse = Image::with_suffix(&[5; 40], Suffix { bcd_dfu: 0x011a, ..SUFFIX });
        assert_eq!(Image::parse(&dfuse), Err(ImageError::Specification { bcd_dfu: 0x011a }));
        let mut large = vec![0; MAX_IMAGE_BYTES];
        assert!(Image::parse(&large).is_ok());
        large.push(0);
        assert_eq!(Image::parse(&large), Err(ImageError::TooLarge { len: MAX_IMAGE_BYTES + 1 }));
    }
}

//! Firmware images and the DFU suffix (DFU 1.1 §B).
//!
//! The suffix says which device a file is for. It is never sent to a device.

use crate::unpack::Place;

/// A firmware file that was looked through: where it lies, how much of it is sent, and what its suffix said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Image {
    /// The file, suffix included. The bytes to download are its first.
    pub place: Place,
    /// Bytes to download, without the suffix; never 0.
    pub payload_bytes: u64,
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
        len: u64,
    },
    /// `bLength` below 16 or beyond the start of the file.
    #[error(
        "DFU suffix at byte {at} says it is {length} bytes long: expected 16 to {len}, the size of the file"
    )]
    SuffixLength {
        /// Offset of `bLength` in the file.
        at: u64,
        /// The length it claims.
        length: u8,
        /// Bytes in the file.
        len: u64,
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
pub const MAX_IMAGE_BYTES: u64 = 64 << 20;

/// Bytes of a standard suffix, CRC included.
const SUFFIX_BYTES: usize = 16;
/// At its end, over all bytes before it.
const CRC_BYTES: u64 = 4;
const SIGNATURE: [u8; 3] = *b"UFD";
/// "Any" in a suffix field.
pub(crate) const WILDCARD: u16 = 0xffff;

/// Looks at a file whose bytes come by, and keeps nothing but its end.
#[derive(Debug)]
pub(crate) struct ImageCheck {
    place: Place,
    /// Bytes of the file.
    len: u64,
    seen: u64,
    /// Of all bytes but the last four.
    crc: crc32fast::Hasher,
    tail: [u8; SUFFIX_BYTES],
}

impl ImageCheck {
    pub(crate) fn new(place: Place) -> ImageCheck {
        let (crc, tail) = (crc32fast::Hasher::new(), [0; SUFFIX_BYTES]);
        ImageCheck { place, len: place.bytes(), seen: 0, crc, tail }
    }

    /// The next bytes of the file.
    pub(crate) fn see(&mut self, piece: &[u8]) {
        let before_crc = self.len.saturating_sub(CRC_BYTES).saturating_sub(self.seen);
        let counted = usize::try_from(before_crc).unwrap_or(usize::MAX).min(piece.len());
        self.crc.update(&piece[..counted]);
        self.seen += piece.len() as u64;
        let new = piece.len().min(SUFFIX_BYTES);
        self.tail.rotate_left(new);
        self.tail[SUFFIX_BYTES - new..].copy_from_slice(&piece[piece.len() - new..]);
    }

    /// A file without the signature "UFD" is a bare payload.
    ///
    /// Errors: see [`ImageError`]; a suffix that is present but wrong is an error, never part of the payload.
    pub(crate) fn finish(self) -> Result<Image, ImageError> {
        let ImageCheck { len, tail, .. } = self;
        if len > MAX_IMAGE_BYTES {
            return Err(ImageError::TooLarge { len });
        }
        if len < SUFFIX_BYTES as u64 || tail[8..11] != SIGNATURE {
            return Image::of(self.place, len, None);
        }
        let length = tail[11];
        let payload_bytes = len.checked_sub(length.into()).filter(|_| usize::from(length) >= SUFFIX_BYTES);
        let Some(payload_bytes) = payload_bytes else {
            return Err(ImageError::SuffixLength { at: len - 5, length, len });
        };
        let stated = u32::from_le_bytes([tail[12], tail[13], tail[14], tail[15]]);
        // Without the final inversion, unlike in zip (DFU 1.1 §B).
        let computed = !self.crc.finalize();
        if stated != computed {
            return Err(ImageError::Crc { stated, computed });
        }
        let word = |at: usize| u16::from_le_bytes([tail[at], tail[at + 1]]);
        let suffix = Suffix { bcd_device: word(0), pid: word(2), vid: word(4), bcd_dfu: word(6) };
        if !matches!(suffix.bcd_dfu, 0x0100 | 0x0110) {
            return Err(ImageError::Specification { bcd_dfu: suffix.bcd_dfu });
        }
        Image::of(self.place, payload_bytes, Some(suffix))
    }
}

impl Image {
    /// Takes a file apart that is at hand.
    ///
    /// Errors: see [`ImageError`]; a suffix that is present but wrong is an error, never part of the payload.
    pub fn parse(bytes: &[u8]) -> Result<Image, ImageError> {
        let mut check = ImageCheck::new(Place::whole(bytes.len() as u64));
        check.see(bytes);
        check.finish()
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
        let crc = !crc32fast::hash(&file);
        file.extend_from_slice(&crc.to_le_bytes());
        file
    }

    fn of(place: Place, payload_bytes: u64, suffix: Option<Suffix>) -> Result<Image, ImageError> {
        if payload_bytes == 0 {
            return Err(ImageError::Empty);
        }
        Ok(Image { place, payload_bytes, suffix })
    }
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
        let image = Image { place: Place::whole(18), payload_bytes: 2, suffix: Some(SUFFIX) };
        assert_eq!(Image::parse(&file), Ok(image));
    }

    #[test]
    fn a_bare_file_is_all_payload() {
        for len in [1u8, 15, 16, 17, 255] {
            let (bytes, payload_bytes) = (vec![7; len.into()], u64::from(len));
            let image = Image { place: Place::whole(payload_bytes), payload_bytes, suffix: None };
            assert_eq!(Image::parse(&bytes), Ok(image));
        }
    }

    /// However the bytes come, also one by one or with the suffix cut in two.
    #[test]
    fn a_file_is_the_same_in_any_pieces() {
        let file = Image::with_suffix(&[5; 40], SUFFIX);
        let place = Place::whole(file.len() as u64);
        for size in 1..=file.len() {
            let mut check = ImageCheck::new(place);
            file.chunks(size).for_each(|piece| check.see(piece));
            assert_eq!(
                check.finish(),
                Ok(Image { place, payload_bytes: 40, suffix: Some(SUFFIX) }),
                "{size}"
            );
        }
    }

    #[test]
    fn a_longer_suffix_is_stripped_whole() {
        let mut file = vec![1, 2, 3, /* two bytes a later revision added */ 9, 9];
        file.extend_from_slice(&[0xff; 6]);
        file.extend_from_slice(&[0x00, 0x01, b'U', b'F', b'D', 18]);
        file.extend_from_slice(&crc_by_bits(&file.clone()).to_le_bytes());
        assert_eq!(Image::parse(&file).map(|image| image.payload_bytes), Ok(3));
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
        let mut large = vec![0; MAX_IMAGE_BYTES as usize];
        assert!(Image::parse(&large).is_ok());
        large.push(0);
        assert_eq!(Image::parse(&large), Err(ImageError::TooLarge { len: MAX_IMAGE_BYTES + 1 }));
    }
}

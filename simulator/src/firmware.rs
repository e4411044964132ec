//! The firmware image the headset accepts: 16 bytes of header, then a body of any content.
//!
//! | offset | bytes | meaning |
//! |---|---|---|
//! | 0 | 6 | magic `SIMFW\0` |
//! | 6 | 2 | bcdDevice of this firmware, u16le |
//! | 8 | 4 | length of the body in bytes, u32le |
//! | 12 | 4 | CRC-32 (IEEE 802.3, reflected, final xor) of bytes 0..12 and the body, u32le |
//! | 16 | … | body |
//!
//! This is what goes over the wire in DNLOAD blocks. A DFU suffix is the packager's affair and must be stripped by
//! the host: the device takes 16 more bytes for a corrupt image.

use std::fmt;

const MAGIC: &[u8; 6] = b"SIMFW\0";
/// Bytes before the body.
pub const HEADER_BYTES: usize = 16;

/// Why the device refuses an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageError {
    /// Shorter than a header.
    NoHeader {
        /// Bytes received.
        bytes: usize,
    },
    /// Not for this headset.
    WrongMagic,
    /// The body is not as long as the header says.
    WrongLength {
        /// Bytes the header announces after itself.
        expected: u32,
        /// Bytes that came after the header.
        received: usize,
    },
    /// Content and checksum differ.
    WrongChecksum,
}

impl fmt::Display for ImageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHeader { bytes } => {
                write!(f, "{bytes} bytes are less than the {HEADER_BYTES} of a header")
            }
            Self::WrongMagic => write!(f, "the image does not start with SIMFW"),
            Self::WrongLength { expected, received } => {
                write!(f, "the header announces {expected} bytes of body, {received} came")
            }
            Self::WrongChecksum => write!(f, "the checksum does not match"),
        }
    }
}

impl std::error::Error for ImageError {}

/// An image of `size` bytes in all (at least the header's 16) that makes the headset report `version_bcd`.
///
/// The same arguments give the same bytes.
#[must_use]
pub fn build(version_bcd: u16, size: usize) -> Vec<u8> {
    let body_bytes = size.saturating_sub(HEADER_BYTES);
    let mut image = Vec::with_capacity(HEADER_BYTES + body_bytes);
    image.extend_from_slice(MAGIC);
    image.extend_from_slice(&version_bcd.to_le_bytes());
    image.extend_from_slice(&u32::try_from(body_bytes).unwrap_or(u32::MAX).to_le_bytes());
    image.extend_from_slice(&[0; 4]);
    // xorshift32: incompressible, so that a package holds as many bytes as the wire will carry.
    let mut word = 0x9E37_79B9 ^ u32::from(version_bcd);
    for _ in 0..body_bytes {
        word ^= word << 13;
        word ^= word >> 17;
        word ^= word << 5;
        image.push(word.to_le_bytes()[3]);
    }
    let checksum = checksum(&image);
    image[12..HEADER_BYTES].copy_from_slice(&checksum.to_le_bytes());
    image
}

/// The version an image carries, if it is whole.
///
/// # Errors
/// [`ImageError`] says what is wrong with it.
pub fn verify(image: &[u8]) -> Result<u16, ImageError> {
    let Some(header) = image.first_chunk::<HEADER_BYTES>() else {
        return Err(ImageError::NoHeader { bytes: image.len() });
    };
    if &header[..6] != MAGIC {
        return Err(ImageError::WrongMagic);
    }
    let expected = u32::from_le_bytes([header[8], header[9], header[10], header[11]]);
    let received = image.len() - HEADER_BYTES;
    if usize::try_from(expected) != Ok(received) {
        return Err(ImageError::WrongLength { expected, received });
    }
    if header[12..] != checksum(image).to_le_bytes() {
        return Err(ImageError::WrongChecksum);
    }
    Ok(u16::from_le_bytes([header[6], header[7]]))
}

fn checksum(image: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in image[..12].iter().chain(&image[HEADER_BYTES..]) {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_built_image_is_whole_and_every_damage_shows() {
        let image = build(0x0120, 4096);
        assert_eq!(image.len(), 4096);
        assert_eq!(verify(&image), Ok(0x0120));
        assert_eq!(verify(&image[..10]), Err(ImageError::NoHeader { bytes: 10 }));
        assert_eq!(verify(&image[..4000]), Err(ImageError::WrongLength { expected: 4080, received: 3984 }));
        for at in [6, 12, 16, 2000, 4095] {
            let mut damaged = image.clone();
            damaged[at] ^= 1;
            assert_eq!(verify(&damaged), Err(ImageError::WrongChecksum), "byte {at}");
        }
        let mut foreign = image.clone();
        foreign[0] = b'X';
        assert_eq!(verify(&foreign), Err(ImageError::WrongMagic));
        assert_eq!(verify(&build(0x0001, 0)), Ok(0x0001));
    }

    #[test]
    fn the_checksum_is_crc_32() {
        // zlib's crc32 of these twelve bytes; the four after them are the field itself, which is left out.
        assert_eq!(checksum(b"123456789\0\0\0\xFF\xFF\xFF\xFF"), 0x77D5_5834);
    }
}

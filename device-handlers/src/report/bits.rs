//! Fields inside a payload: little endian, least significant bit first (§5.8, §8.4).

/// Reads `size` bits (1..=32) from bit `offset`; `None` if the payload is shorter.
pub(crate) fn read(payload: &[u8], offset: u32, size: u32) -> Option<u32> {
    if size == 0 || size > 32 {
        return None;
    }
    let end = u64::from(offset) + u64::from(size);
    if end > payload.len() as u64 * 8 {
        return None;
    }
    let mut value = 0;
    for bit in 0..size {
        let at = offset + bit;
        let byte = payload.get(usize::try_from(at / 8).ok()?)?;
        value |= u32::from(byte >> (at % 8) & 1) << bit;
    }
    Some(value)
}

/// Writes `size` bits (1..=32) at bit `offset`. Bits beyond the payload are dropped.
pub(crate) fn write(payload: &mut [u8], offset: u32, size: u32, value: u32) {
    for bit in 0..size.min(32) {
        let Some(at) = offset.checked_add(bit) else { return };
        let Some(byte) = usize::try_from(at / 8).ok().and_then(|index| payload.get_mut(index)) else {
            return;
        };
        let mask = 1 << (at % 8);
        if value >> bit & 1 == 1 {
            *byte |= mask;
        } else {
            *byte &= !mask;
        }
    }
}

/// The value as a signed number of `size` bits.
pub(crate) fn sign_extend(value: u32, size: u32) -> i32 {
    let shift = 32 - size.clamp(1, 32);
    (value << shift).cast_signed() >> shift
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_and_neighbours_stay() {
        let mut payload = [0xAA; 6];
        write(&mut payload, 5, 11, 0x5F3);
        assert_eq!(read(&payload, 5, 11), Some(0x5F3));
        assert_eq!(read(&payload, 0, 5), Some(0x0A));
        assert_eq!(read(&payload, 16, 8), Some(0xAA));
    }

    #[test]
    fn reading_past_the_end_is_none_and_writing_past_it_does_nothing() {
        let mut payload = [0; 2];
        assert_eq!(read(&payload, 15, 2), None);
        assert_eq!(read(&payload, u32::MAX, 32), None);
        assert_eq!(read(&payload, 0, 33), None);
        write(&mut payload, u32::MAX, 32, u32::MAX);
        write(&mut payload, 15, 2, 3);
        assert_eq!(payload, [0, 0x80]);
    }

    #[test]
    fn any_width_of_1_to_32_bits_is_read_up_to_the_last_bit_and_no_other_width() {
        let payload = [0xFF; 8];
        assert_eq!(read(&payload, 0, 32), Some(u32::MAX));
        assert_eq!(read(&payload, 32, 32), Some(u32::MAX), "ends with the payload");
        assert_eq!(read(&payload, 63, 1), Some(1));
        assert_eq!(read(&payload, 33, 32), None);
        assert_eq!(read(&payload, 64, 1), None);
        assert_eq!(read(&payload, 0, 33), None);
        assert_eq!(read(&payload, 0, 0), None);
        assert_eq!(read(&payload, 8, 7), Some(0x7F), "no bit of the next one");
    }

    #[test]
    fn sign_follows_the_width() {
        assert_eq!(sign_extend(0b11, 2), -1);
        assert_eq!(sign_extend(0b01, 2), 1);
        assert_eq!(sign_extend(u32::MAX, 32), -1);
    }
}

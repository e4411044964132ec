//! Items on the wire (§6.2.2.2 short items, §6.2.2.3 long items).

use super::DescriptorError;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ItemType {
    Main,
    Global,
    Local,
    Reserved,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Item {
    pub(super) offset: usize,
    pub(super) item_type: ItemType,
    pub(super) tag: u8,
    /// Data, little endian, not sign-extended.
    pub(super) data: u32,
    /// Bytes of data: 0, 1, 2 or 4.
    pub(super) size: usize,
}

impl Item {
    /// The data as a signed number of its own width.
    pub(super) fn signed(&self) -> i32 {
        let bytes = self.data.to_le_bytes();
        match self.size {
            1 => i32::from(i8::from_le_bytes([bytes[0]])),
            2 => i32::from(i16::from_le_bytes([bytes[0], bytes[1]])),
            _ => i32::from_le_bytes(bytes),
        }
    }
}

const LONG_ITEM_PREFIX: u8 = 0xFE;

#[derive(Debug)]
pub(super) struct Items<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Items<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0 }
    }

    /// The next short item; long items are skipped, as no long item is defined.
    pub(super) fn next_item(&mut self) -> Result<Option<Item>, DescriptorError> {
        loop {
            let offset = self.offset;
            let Some(&prefix) = self.bytes.get(offset) else { return Ok(None) };
            if prefix == LONG_ITEM_PREFIX {
                let header = self.slice(offset, 3)?;
                let whole = 3 + usize::from(header[1]);
                self.slice(offset, whole)?;
                self.offset = offset + whole;
                continue;
            }
            let size = [0, 1, 2, 4][usize::from(prefix & 0x03)];
            let raw = self.slice(offset, 1 + size)?;
            let mut data = [0; 4];
            data[..size].copy_from_slice(&raw[1..]);
            self.offset = offset + 1 + size;
            let item_type = match (prefix >> 2) & 0x03 {
                0 => ItemType::Main,
                1 => ItemType::Global,
                2 => ItemType::Local,
                _ => ItemType::Reserved,
            };
            return Ok(Some(Item {
                offset,
                item_type,
                tag: prefix >> 4,
                data: u32::from_le_bytes(data),
                size,
            }));
        }
    }

    fn slice(&self, offset: usize, len: usize) -> Result<&'a [u8], DescriptorError> {
        let rest = &self.bytes[offset.min(self.bytes.len())..];
        rest.get(..len).ok_or(DescriptorError::Truncated { offset, expected: len, came: rest.len() })
    }
}

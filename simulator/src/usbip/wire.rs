//! USB/IP messages: 48 bytes big endian, then data. Only what `vhci_hcd` sends and understands after import.

use std::io;

const HEADER_BYTES: usize = 48;
/// More than any request of this device's classes; the kernel's control transfers end at 65535.
const MAX_DATA: usize = 65536;

const CMD_SUBMIT: u32 = 1;
const CMD_UNLINK: u32 = 2;
const RET_SUBMIT: u32 = 3;
const RET_UNLINK: u32 = 4;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Submit {
    pub(super) sequence: u32,
    pub(super) to_host: bool,
    pub(super) endpoint: u32,
    /// Buffer length: what an IN may return, what an OUT brings.
    pub(super) length: u32,
    pub(super) setup: [u8; 8],
    pub(super) data: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Message {
    Submit(Submit),
    Unlink { sequence: u32, victim: u32 },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Parsed {
    Message {
        message: Message,
        /// Bytes of the buffer it took.
        bytes: usize,
    },
    Incomplete,
}

/// The first message in the buffer.
pub(super) fn parse(buffer: &[u8]) -> io::Result<Parsed> {
    let Some(header) = buffer.first_chunk::<HEADER_BYTES>() else { return Ok(Parsed::Incomplete) };
    let word = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    let sequence = word(4);
    match word(0) {
        CMD_UNLINK => {
            let message = Message::Unlink { sequence, victim: word(20) };
            Ok(Parsed::Message { message, bytes: HEADER_BYTES })
        }
        CMD_SUBMIT => {
            let (to_host, length) = (word(12) != 0, word(24));
            let data_bytes = if to_host { 0 } else { length as usize };
            if data_bytes > MAX_DATA {
                return Err(invalid(format!("USB/IP submit of {data_bytes} bytes, {MAX_DATA} are the most")));
            }
            let Some(data) = buffer.get(HEADER_BYTES..HEADER_BYTES + data_bytes) else {
                return Ok(Parsed::Incomplete);
            };
            let mut setup = [0; 8];
            setup.copy_from_slice(&header[40..]);
            let data = data.to_vec();
            let message =
                Message::Submit(Submit { sequence, to_host, endpoint: word(16), length, setup, data });
            Ok(Parsed::Message { message, bytes: HEADER_BYTES + data_bytes })
        }
        other => Err(invalid(format!("USB/IP command {other}, expected 1 (submit) or 2 (unlink)"))),
    }
}

/// `length` is the actual length: of `data` for an IN, of what was taken for an OUT.
pub(super) fn ret_submit(sequence: u32, status: i32, length: u32, data: &[u8]) -> Vec<u8> {
    let mut bytes = header(RET_SUBMIT, sequence, status);
    bytes[24..28].copy_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(data);
    bytes
}

pub(super) fn ret_unlink(sequence: u32, status: i32) -> Vec<u8> {
    header(RET_UNLINK, sequence, status)
}

fn header(command: u32, sequence: u32, status: i32) -> Vec<u8> {
    let mut bytes = vec![0; HEADER_BYTES];
    bytes[..4].copy_from_slice(&command.to_be_bytes());
    bytes[4..8].copy_from_slice(&sequence.to_be_bytes());
    bytes[20..24].copy_from_slice(&status.to_be_bytes());
    bytes
}

fn invalid(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}

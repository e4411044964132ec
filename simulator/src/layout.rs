//! The two report layouts: report descriptors as bytes, input reports built and output reports taken apart by hand.
//!
//! Nothing here reads a descriptor. Positions are written twice, once in the descriptor and once in the code below
//! it, so that a host which decodes the descriptor wrongly meets a headset that does not share its mistake.
//! Usage numbers: USB HID Usage Tables, pages 08 (LED), 09 (Button), 0B (Telephony), 0C (Consumer).

use crate::setup::Layout;
use crate::state::Lights;

/// `Layout::Shared`: telephony input 2 and output 2 of two bytes each, volume keys in input 1.
#[rustfmt::skip]
const SHARED: &[u8] = &[
    0x05, 0x0B,       // Usage Page (Telephony)
    0x09, 0x05,       // Usage (Headset)
    0xA1, 0x01,       // Collection (Application)
    0x85, 0x02,       //   Report ID (2)
    0x15, 0x00,       //   Logical Minimum (0)
    0x25, 0x01,       //   Logical Maximum (1)
    0x75, 0x01,       //   Report Size (1)
    0x09, 0x20,       //   Usage (Hook Switch)           input bit 0
    0x09, 0x97,       //   Usage (Line Busy Tone)        input bit 1
    0x95, 0x02,       //   Report Count (2)
    0x81, 0x22,       //   Input (Data, Variable, Absolute, No Preferred)
    0x09, 0x2F,       //   Usage (Phone Mute)            input bit 2
    0x09, 0x21,       //   Usage (Flash)                 input bit 3
    0x09, 0x24,       //   Usage (Redial)                input bit 4
    0x09, 0x50,       //   Usage (Speed Dial)            input bit 5
    0x95, 0x04,       //   Report Count (4)
    0x81, 0x06,       //   Input (Data, Variable, Relative)
    0x05, 0x09,       //   Usage Page (Button)
    0x09, 0x07,       //   Usage (Button 7)              input bit 6
    0x95, 0x01,       //   Report Count (1)
    0x81, 0x02,       //   Input (Data, Variable, Absolute)
    0x95, 0x09,       //   Report Count (9)              input bits 7..15
    0x81, 0x01,       //   Input (Constant)
    0x05, 0x08,       //   Usage Page (LED)
    0x09, 0x17,       //   Usage (Off-Hook)              output bit 0
    0x09, 0x09,       //   Usage (Mute)                  output bit 1
    0x09, 0x18,       //   Usage (Ring)                  output bit 2
    0x09, 0x20,       //   Usage (Hold)                  output bit 3
    0x09, 0x21,       //   Usage (Microphone)            output bit 4
    0x09, 0x2A,       //   Usage (On-Line)               output bit 5
    0x95, 0x06,       //   Report Count (6)
    0x91, 0x22,       //   Output (Data, Variable, Absolute, No Preferred)
    0x05, 0x0B,       //   Usage Page (Telephony)
    0x09, 0x9E,       //   Usage (Ringer)                output bit 6
    0x95, 0x01,       //   Report Count (1)
    0x91, 0x22,       //   Output (Data, Variable, Absolute, No Preferred)
    0x95, 0x09,       //   Report Count (9)              output bits 7..15
    0x91, 0x01,       //   Output (Constant)
    0xC0,             // End Collection
    0x05, 0x0C,       // Usage Page (Consumer)
    0x09, 0x01,       // Usage (Consumer Control)
    0xA1, 0x01,       // Collection (Application)
    0x85, 0x01,       //   Report ID (1)
    0x09, 0xE9,       //   Usage (Volume Increment)      input bit 0
    0x09, 0xEA,       //   Usage (Volume Decrement)      input bit 1
    0x95, 0x02,       //   Report Count (2)
    0x81, 0x02,       //   Input (Data, Variable, Absolute)
    0x95, 0x06,       //   Report Count (6)
    0x81, 0x01,       //   Input (Constant)
    0xC0,             // End Collection
];

/// `Layout::Split`: volume keys in input 1, telephony input 4, lights one each in outputs 0x21..0x25.
#[rustfmt::skip]
const SPLIT: &[u8] = &[
    0x05, 0x0C,       // Usage Page (Consumer)
    0x09, 0x01,       // Usage (Consumer Control)
    0xA1, 0x01,       // Collection (Application)
    0x85, 0x01,       //   Report ID (1)
    0x15, 0x00,       //   Logical Minimum (0)
    0x25, 0x01,       //   Logical Maximum (1)
    0x75, 0x01,       //   Report Size (1)
    0x09, 0xE9,       //   Usage (Volume Increment)      input bit 0
    0x09, 0xEA,       //   Usage (Volume Decrement)      input bit 1
    0x95, 0x02,       //   Report Count (2)
    0x81, 0x02,       //   Input (Data, Variable, Absolute)
    0x95, 0x06,       //   Report Count (6)
    0x81, 0x01,       //   Input (Constant)
    0xC0,             // End Collection
    0x05, 0x0B,       // Usage Page (Telephony)
    0x09, 0x05,       // Usage (Headset)
    0xA1, 0x01,       // Collection (Application)
    0x85, 0x04,       //   Report ID (4)
    0x09, 0x24,       //   Usage (Redial)                input bit 0
    0x09, 0x21,       //   Usage (Flash)                 input bit 1
    0x09, 0x2F,       //   Usage (Phone Mute)            input bit 2
    0x09, 0x26,       //   Usage (Drop)                  input bit 3
    0x95, 0x04,       //   Report Count (4)
    0x81, 0x06,       //   Input (Data, Variable, Relative)
    0x09, 0x20,       //   Usage (Hook Switch)           input bit 4
    0x95, 0x01,       //   Report Count (1)
    0x81, 0x22,       //   Input (Data, Variable, Absolute, No Preferred)
    0x09, 0x50,       //   Usage (Speed Dial)            input bit 5
    0x81, 0x06,       //   Input (Data, Variable, Relative)
    0x95, 0x02,       //   Report Count (2)              input bits 6..7
    0x81, 0x01,       //   Input (Constant)
    0x05, 0x08,       //   Usage Page (LED)
    0x85, 0x21,       //   Report ID (0x21)
    0x09, 0x18,       //   Usage (Ring)                  output bit 0
    0x95, 0x01,       //   Report Count (1)
    0x91, 0x22,       //   Output (Data, Variable, Absolute, No Preferred)
    0x95, 0x07,       //   Report Count (7)
    0x91, 0x01,       //   Output (Constant)
    0x85, 0x22,       //   Report ID (0x22)
    0x09, 0x17,       //   Usage (Off-Hook)              output bit 0
    0x95, 0x01,       //   Report Count (1)
    0x91, 0x22,       //   Output (Data, Variable, Absolute, No Preferred)
    0x95, 0x07,       //   Report Count (7)
    0x91, 0x01,       //   Output (Constant)
    0x85, 0x23,       //   Report ID (0x23)
    0x09, 0x09,       //   Usage (Mute)                  output bit 0
    0x95, 0x01,       //   Report Count (1)
    0x91, 0x22,       //   Output (Data, Variable, Absolute, No Preferred)
    0x95, 0x07,       //   Report Count (7)
    0x91, 0x01,       //   Output (Constant)
    0x85, 0x24,       //   Report ID (0x24)
    0x09, 0x20,       //   Usage (Hold)                  output bit 0
    0x95, 0x01,       //   Report Count (1)
    0x91, 0x22,       //   Output (Data, Variable, Absolute, No Preferred)
    0x95, 0x07,       //   Report Count (7)
    0x91, 0x01,       //   Output (Constant)
    0x85, 0x25,       //   Report ID (0x25)
    0x09, 0x2A,       //   Usage (On-Line)               output bit 0
    0x95, 0x01,       //   Report Count (1)
    0x91, 0x22,       //   Output (Data, Variable, Absolute, No Preferred)
    0x95, 0x07,       //   Report Count (7)
    0x91, 0x01,       //   Output (Constant)
    0xC0,             // End Collection
];

/// Report id of the volume keys, both layouts.
pub(crate) const CONSUMER_INPUT: u8 = 1;

/// What the input reports say at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Inputs {
    pub(crate) hook: bool,
    pub(crate) line_busy: bool,
    pub(crate) mute: bool,
    pub(crate) flash: bool,
    pub(crate) redial: bool,
    pub(crate) speed_dial: bool,
    pub(crate) reject: bool,
    pub(crate) volume_up: bool,
    pub(crate) volume_down: bool,
}

/// An output report the headset does not act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OutputFault {
    Empty,
    UnknownId(u8),
    /// Of a declared report, but not as long as declared; as some real headsets, this one ignores it.
    Length {
        id: u8,
        expected: usize,
        received: usize,
    },
}

impl std::fmt::Display for OutputFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Empty => write!(f, "empty output report ignored"),
            Self::UnknownId(id) => write!(f, "output report 0x{id:02X} is not declared, ignored"),
            Self::Length { id, expected, received } => {
                write!(f, "output report 0x{id:02X} of {received} bytes ignored, {expected} are declared")
            }
        }
    }
}

/// The report descriptor of a layout.
pub(crate) fn report_descriptor(layout: Layout) -> &'static [u8] {
    match layout {
        Layout::Shared => SHARED,
        Layout::Split => SPLIT,
    }
}

/// Report id of the telephony input report.
pub(crate) fn telephony_input(layout: Layout) -> u8 {
    match layout {
        Layout::Shared => 2,
        Layout::Split => 4,
    }
}

/// An input report with its id, or `None` for an id the layout lacks.
pub(crate) fn input_report(layout: Layout, id: u8, inputs: Inputs) -> Option<Vec<u8>> {
    let bits = |flags: &[bool]| flags.iter().enumerate().map(|(bit, set)| u8::from(*set) << bit).sum::<u8>();
    if id == CONSUMER_INPUT {
        return Some(vec![id, bits(&[inputs.volume_up, inputs.volume_down])]);
    }
    if id != telephony_input(layout) {
        return None;
    }
    Some(match layout {
        Layout::Shared => vec![
            id,
            bits(&[
                inputs.hook,
                inputs.line_busy,
                inputs.mute,
                inputs.flash,
                inputs.redial,
                inputs.speed_dial,
                inputs.reject,
            ]),
            0,
        ],
        Layout::Split => vec![
            id,
            bits(&[inputs.redial, inputs.flash, inputs.mute, inputs.reject, inputs.hook, inputs.speed_dial]),
        ],
    })
}

/// Applies an output report, its id first, to the lights.
pub(crate) fn apply_output(layout: Layout, report: &[u8], lights: &mut Lights) -> Result<(), OutputFault> {
    let (&id, payload) = report.split_first().ok_or(OutputFault::Empty)?;
    let check = |payload_bytes: usize| {
        if payload.len() == payload_bytes {
            Ok(payload[0])
        } else {
            Err(OutputFault::Length { id, expected: payload_bytes + 1, received: report.len() })
        }
    };
    match (layout, id) {
        (Layout::Shared, 2) => {
            let bits = check(2)?;
            lights.off_hook = bits & 0x01 != 0;
            lights.mute = bits & 0x02 != 0;
            lights.ring = bits & 0x04 != 0;
            lights.hold = bits & 0x08 != 0;
            lights.microphone = bits & 0x10 != 0;
            lights.on_line = bits & 0x20 != 0;
            lights.ringer = bits & 0x40 != 0;
        }
        (Layout::Split, 0x21) => lights.ring = check(1)? & 1 != 0,
        (Layout::Split, 0x22) => lights.off_hook = check(1)? & 1 != 0,
        (Layout::Split, 0x23) => lights.mute = check(1)? & 1 != 0,
        (Layout::Split, 0x24) => lights.hold = check(1)? & 1 != 0,
        (Layout::Split, 0x25) => lights.on_line = check(1)? & 1 != 0,
        _ => return Err(OutputFault::UnknownId(id)),
    }
    Ok(())
}

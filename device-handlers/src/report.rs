//! HID report descriptors and reports, decoded under limits.
//!
//! Section numbers refer to the *Device Class Definition for HID 1.11*; usage names to the *HID Usage Tables* (HUT).
//! A descriptor comes from whatever was plugged in, so every count is bounded before anything is allocated for it.
//! Constant fields that carry usages are kept: several headsets flag live telephony inputs as Constant.

use std::collections::BTreeMap;

pub(crate) mod bits;
mod explain;
mod item;
mod layout;
mod parse;
mod usage;

pub use explain::{CollectionSummary, ControlSummary, Explanation, NoCallControl};
pub use layout::{Control, Layout, Role, Selector};
pub use usage::{Usage, UsageRange};

/// Longest descriptor that is looked at, in bytes. Linux itself stops at 4096.
pub const MAX_DESCRIPTOR_BYTES: usize = 16 * 1024;
/// Most bits that all reports of one descriptor may have together: 64 KiB.
pub const MAX_TOTAL_BITS: u64 = 64 * 1024 * 8;
/// Most Usage items (a Minimum/Maximum pair is one) in front of one Main item.
pub const MAX_USAGES: usize = 1024;
/// Most fields that are kept for one descriptor.
pub const MAX_FIELDS: usize = 4096;
/// Most slots of an array that are looked through for a control; a longer array yields none. Keyboards have six.
pub const MAX_SLOTS: u32 = 64;
/// Deepest nesting of collections, and of Push items.
pub const MAX_DEPTH: usize = 16;

/// Direction of a report (§6.2.2.5). Report ids are not shared between directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReportType {
    Input,
    Output,
    Feature,
}

impl std::fmt::Display for ReportType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Input => "input",
            Self::Output => "output",
            Self::Feature => "feature",
        })
    }
}

/// One control, or a run of controls with the same usage, in one report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    pub report_type: ReportType,
    /// 0 = the descriptor has no report ids.
    pub report_id: u8,
    /// First bit in the payload; the report-id byte is not counted, bit 0 is the least significant of byte 0.
    pub bit_offset: u32,
    /// Width of one element in bits, 1..=32. Wider controls take their room in the report but yield no field.
    pub bit_size: u32,
    /// Elements in a row that share this usage (variable) or the slots of the array. At least 1.
    pub count: u32,
    /// Usage with the page bound when the Main item was reached (§6.2.2.8). Of an array, its first usage.
    pub usage: Usage,
    /// Present if the value selects a usage instead of being one (§6.2.2.5, Array).
    pub array: Option<ArrayField>,
    pub relative: bool,
    pub constant: bool,
    /// The control has no state it returns to when untouched.
    pub no_preferred_state: bool,
    pub null_state: bool,
    pub logical_min: i32,
    pub logical_max: i32,
    /// Outermost application collection; 0000:0000 outside of any.
    pub application: Usage,
    /// Usages of all enclosing collections, outermost first.
    pub collections: Vec<Usage>,
    /// Whether any enclosing *application* collection is on the Telephony page (0x0B).
    pub in_telephony: bool,
}

impl Field {
    /// Whether the usage can be reported by this field: it is the field's own, or the array can select it.
    #[must_use]
    pub fn carries(&self, usage: Usage) -> bool {
        match &self.array {
            None => self.usage == usage,
            Some(array) => array.usages.iter().any(|range| range.contains(usage)),
        }
    }
}

/// The usages an array selects from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArrayField {
    pub usages: Vec<UsageRange>,
}

impl ArrayField {
    /// The usage at `index`, counted over the ranges in their order.
    #[must_use]
    pub fn usage_at(&self, index: u32) -> Option<Usage> {
        let mut left = index;
        for range in &self.usages {
            if left < range.len() {
                let id = u16::try_from(u32::from(range.first) + left).ok()?;
                return Some(Usage::new(range.page, id));
            }
            left -= range.len();
        }
        None
    }

    /// Position of the usage, counted over the ranges in their order.
    #[must_use]
    pub fn index_of(&self, usage: Usage) -> Option<u32> {
        let mut passed = 0u32;
        for range in &self.usages {
            if range.contains(usage) {
                return Some(passed + u32::from(usage.id - range.first));
            }
            passed = passed.saturating_add(range.len());
        }
        None
    }
}

/// Why a report descriptor was refused. Offsets are bytes from its start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DescriptorError {
    #[error("report descriptor has {came} bytes, expected at most {limit}")]
    TooLong { came: usize, limit: usize },
    #[error(
        "report descriptor ends inside the item at byte {offset}: expected {expected} bytes, {came} came"
    )]
    Truncated { offset: usize, expected: usize, came: usize },
    #[error("item at byte {offset}: report id {came}, expected 1 to 255")]
    ReportId { offset: usize, came: u32 },
    #[error("item at byte {offset}: reports grow to {came} bits in all, expected at most {limit}")]
    TooManyBits { offset: usize, came: u64, limit: u64 },
    #[error("item at byte {offset}: more than {limit} usages before one main item")]
    TooManyUsages { offset: usize, limit: usize },
    #[error("item at byte {offset}: more than {limit} fields")]
    TooManyFields { offset: usize, limit: usize },
    #[error("item at byte {offset}: collections nested deeper than {limit}")]
    TooDeep { offset: usize, limit: usize },
    #[error("item at byte {offset}: End Collection, but no collection is open")]
    UnopenedCollection { offset: usize },
    #[error("report descriptor ends at byte {offset} with {open} collections open, expected none")]
    UnclosedCollection { offset: usize, open: usize },
    #[error("item at byte {offset}: Push nested deeper than {limit}")]
    PushTooDeep { offset: usize, limit: usize },
    #[error("item at byte {offset}: Pop without a Push")]
    PopWithoutPush { offset: usize },
}

/// A decoded report descriptor. All collections in it are closed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReportDescriptor {
    numbered: bool,
    fields: Vec<Field>,
    lengths_bits: BTreeMap<(ReportType, u8), u32>,
    top_level: Vec<Usage>,
    applications: Vec<Usage>,
}

impl ReportDescriptor {
    /// Decodes a report descriptor (§6.2.2). Memory is bounded by the limits of this module, whatever the bytes say.
    ///
    /// # Errors
    /// [`DescriptorError`] if an item is cut short, a limit is passed or collections do not balance.
    pub fn parse(bytes: &[u8]) -> Result<Self, DescriptorError> {
        parse::parse(bytes)
    }

    /// Whether reports begin with a report-id byte (§6.2.2.7).
    #[must_use]
    pub fn is_numbered(&self) -> bool {
        self.numbered
    }

    /// All controls, in the order of the descriptor. Padding and controls wider than 32 bits are left out.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Bytes of the report's payload, report-id byte excluded; `None` if there is no such report.
    #[must_use]
    pub fn payload_len(&self, report_type: ReportType, report_id: u8) -> Option<usize> {
        let bits = *self.lengths_bits.get(&(report_type, report_id))?;
        usize::try_from(bits.div_ceil(8)).ok()
    }

    /// Every report with its payload length in bytes.
    pub fn reports(&self) -> impl Iterator<Item = (ReportType, u8, usize)> + '_ {
        self.lengths_bits.iter().map(|(&(report_type, report_id), &bits)| {
            (report_type, report_id, usize::try_from(bits.div_ceil(8)).unwrap_or(usize::MAX))
        })
    }

    /// Usage of each outermost collection, in order.
    #[must_use]
    pub fn top_level(&self) -> &[Usage] {
        &self.top_level
    }

    /// Usage of each application collection at any depth, without repeats.
    #[must_use]
    pub fn applications(&self) -> &[Usage] {
        &self.applications
    }

    /// Whether an application collection on the Telephony page exists at any depth, empty or not. Says that the
    /// device is worth listing, not that it can control calls.
    #[must_use]
    pub fn has_telephony(&self) -> bool {
        self.applications.iter().any(|usage| usage.page == Usage::TELEPHONY_PAGE)
    }

    /// What the headset can do, by its descriptor alone.
    #[must_use]
    pub fn capabilities(&self) -> Capabilities {
        self.layout().capabilities()
    }

    /// Which field carries which role of call control.
    #[must_use]
    pub fn layout(&self) -> Layout {
        Layout::of(self)
    }

    /// The descriptor in plain facts, for people who want to know what call control it offers.
    #[must_use]
    pub fn explain(&self) -> Explanation {
        Explanation::of(self)
    }
}

/// What a headset can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts, shown one by one")]
pub struct Capabilities {
    /// Hook Switch input and Off-Hook LED output, both in a telephony application collection.
    pub call_control: bool,
    /// Phone Mute input and a Mute or Microphone LED; exists without call control too.
    pub mute_sync: bool,
    /// Ring LED or Ringer output.
    pub ring: bool,
    /// Flash or Hold input: the headset can ask to hold and to resume.
    pub hold: bool,
    /// A control of its own for refusing a ringing call: Button 7, Drop or the vendor page's reject.
    pub reject: bool,
    pub redial: bool,
    /// Reports that it is busy with any softphone (Line Busy Tone input).
    pub line_busy: bool,
    /// Has an application collection on Microsoft's page FF99.
    pub teams: bool,
}

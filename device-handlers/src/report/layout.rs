//! Which field plays which part in call control.

use super::{Capabilities, Field, MAX_SLOTS, ReportDescriptor, ReportType, Usage, bits};

/// A part a control plays in call control. Inputs first, then outputs in the order in which a change is written:
/// the ring ends before the call opens, and hold and mute follow the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    LineBusy,
    Drop,
    Reject,
    HookSwitch,
    Flash,
    HoldButton,
    Redial,
    PhoneMute,
    TeamsButton,
    /// Reject in the FF30 mirror of the telephony page.
    VendorReject,
    Ring,
    Ringer,
    OffHook,
    OnLine,
    Mute,
    Microphone,
    Hold,
}

impl Role {
    pub const ALL: [Self; 17] = [
        Self::LineBusy,
        Self::Drop,
        Self::Reject,
        Self::HookSwitch,
        Self::Flash,
        Self::HoldButton,
        Self::Redial,
        Self::PhoneMute,
        Self::TeamsButton,
        Self::VendorReject,
        Self::Ring,
        Self::Ringer,
        Self::OffHook,
        Self::OnLine,
        Self::Mute,
        Self::Microphone,
        Self::Hold,
    ];

    #[must_use]
    pub const fn report_type(self) -> ReportType {
        match self {
            Self::Ring
            | Self::Ringer
            | Self::OffHook
            | Self::OnLine
            | Self::Mute
            | Self::Microphone
            | Self::Hold => ReportType::Output,
            _ => ReportType::Input,
        }
    }

    /// Usages that play this part, the preferred one first. Button 7 has two spellings: read with the usage page of
    /// the Main item it is on the Button page, bound early it is the Telephony page's Programmable Button.
    #[must_use]
    pub const fn usages(self) -> &'static [Usage] {
        match self {
            Self::LineBusy => const { &[Usage::new(0x0B, 0x97)] },
            Self::Drop => const { &[Usage::new(0x0B, 0x26)] },
            Self::Reject => const { &[Usage::new(0x09, 0x07), Usage::new(0x0B, 0x07)] },
            Self::HookSwitch => const { &[Usage::new(0x0B, 0x20)] },
            Self::Flash => const { &[Usage::new(0x0B, 0x21)] },
            Self::HoldButton => const { &[Usage::new(0x0B, 0x23)] },
            Self::Redial => const { &[Usage::new(0x0B, 0x24)] },
            Self::PhoneMute => const { &[Usage::new(0x0B, 0x2F)] },
            Self::TeamsButton => const { &[Usage::new(Usage::TEAMS_PAGE, 0x04)] },
            Self::VendorReject => const { &[Usage::new(0xFF30, 0xFFFD)] },
            Self::Ring => const { &[Usage::new(0x08, 0x18)] },
            Self::Ringer => const { &[Usage::new(0x0B, 0x9E)] },
            Self::OffHook => const { &[Usage::new(0x08, 0x17)] },
            Self::OnLine => const { &[Usage::new(0x08, 0x2A)] },
            Self::Mute => const { &[Usage::new(0x08, 0x09)] },
            Self::Microphone => const { &[Usage::new(0x08, 0x21)] },
            Self::Hold => const { &[Usage::new(0x08, 0x20)] },
        }
    }

    fn accepts(self, field: &Field) -> bool {
        if field.report_type != self.report_type() {
            return false;
        }
        match self {
            // Report 0x9B of the Teams page, found by number because captures disagree on the usage.
            Self::TeamsButton => {
                field.application.page == Usage::TEAMS_PAGE
                    && field.report_id == TEAMS_INPUT_REPORT
                    && field.bit_offset == 0
                    && field.array.is_none()
            }
            Self::VendorReject => field.carries(Usage::new(0xFF30, 0xFFFD)),
            _ => field.in_telephony && self.usages().iter().any(|usage| field.carries(*usage)),
        }
    }
}

/// Input report whose first bit is the Teams button.
const TEAMS_INPUT_REPORT: u8 = 0x9B;

/// How a field says that a control is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selector {
    /// The field's own value.
    Value,
    /// Any of the array's slots holds `value`.
    Array { value: u32, slots: u32 },
}

/// A role and the field that carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Control {
    pub role: Role,
    pub report_id: u8,
    pub bit_offset: u32,
    pub bit_size: u32,
    pub usage: Usage,
    pub selector: Selector,
    pub relative: bool,
    pub no_preferred_state: bool,
    pub logical_min: i32,
    pub logical_max: i32,
}

impl Control {
    fn of(role: Role, field: &Field) -> Option<Self> {
        let usage = role.usages().iter().copied().find(|usage| field.carries(*usage)).unwrap_or(field.usage);
        Some(Self {
            role,
            report_id: field.report_id,
            bit_offset: field.bit_offset,
            bit_size: field.bit_size,
            usage,
            selector: selector(field, usage)?,
            relative: field.relative,
            no_preferred_state: field.no_preferred_state,
            logical_min: field.logical_min,
            logical_max: field.logical_max,
        })
    }

    /// The control's value in a payload of its report: for an array 1 if it is selected, else 0.
    /// `None` if the payload is too short.
    #[must_use]
    pub fn read(&self, payload: &[u8]) -> Option<i32> {
        match self.selector {
            Selector::Value => {
                let value = bits::read(payload, self.bit_offset, self.bit_size)?;
                if self.logical_min < 0 {
                    return Some(bits::sign_extend(value, self.bit_size));
                }
                Some(i32::try_from(value).unwrap_or(i32::MAX))
            }
            Selector::Array { value, slots } => {
                let mut selected = false;
                for slot in 0..slots {
                    selected |= bits::read(payload, self.slot_offset(slot)?, self.bit_size)? == value;
                }
                Some(i32::from(selected))
            }
        }
    }

    /// Switches the control on or off in a payload of its report. In an array it takes a slot of its own or one
    /// that selects nothing; if all are taken the first is overwritten.
    pub fn write(&self, payload: &mut [u8], on: bool) {
        match self.selector {
            Selector::Value => bits::write(payload, self.bit_offset, self.bit_size, u32::from(on)),
            Selector::Array { value, slots } => self.write_slot(payload, value, slots, on),
        }
    }

    fn write_slot(&self, payload: &mut [u8], value: u32, slots: u32, on: bool) {
        let nothing = 0;
        let holds = |wanted: u32, payload: &[u8]| {
            (0..slots)
                .filter_map(|slot| self.slot_offset(slot))
                .find(|offset| bits::read(payload, *offset, self.bit_size).is_some_and(|came| came == wanted))
        };
        if !on {
            while let Some(offset) = holds(value, payload) {
                bits::write(payload, offset, self.bit_size, nothing);
            }
        } else if holds(value, payload).is_none() {
            let offset = holds(nothing, payload).unwrap_or(self.bit_offset);
            bits::write(payload, offset, self.bit_size, value);
        }
    }

    fn slot_offset(&self, slot: u32) -> Option<u32> {
        self.bit_offset.checked_add(slot.checked_mul(self.bit_size)?)
    }
}

/// The value that selects `usage`. `None` if no value can say it, or if 0 would.
///
/// An array whose range leaves no value for "nothing selected" cannot be read literally (EPOS declares Button 7 as
/// one bit, 0..1, with two usages: 0 would press a button for ever). There 0 is taken for nothing and 1 for the
/// first usage. Of several such slots in a row nothing sensible can be said.
fn selector(field: &Field, usage: Usage) -> Option<Selector> {
    let Some(array) = &field.array else { return Some(Selector::Value) };
    if field.count > MAX_SLOTS {
        return None;
    }
    let index = array.index_of(usage)?;
    let largest = if field.bit_size >= 32 { u32::MAX } else { (1 << field.bit_size) - 1 };
    let value = match u32::try_from(field.logical_min) {
        Ok(first @ 1..) => first.checked_add(index)?,
        _ if field.count > 1 && field.bit_size == 1 => return None,
        _ => index.checked_add(1)?,
    };
    (value <= largest).then_some(Selector::Array { value, slots: field.count })
}

/// The controls of call control, one per role at most, in the order of [`Role`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Layout {
    controls: Vec<Control>,
    teams: bool,
}

impl Layout {
    pub(super) fn of(descriptor: &ReportDescriptor) -> Self {
        let usable = |field: &&Field| field.report_id != 0 || !descriptor.is_numbered();
        let find = |role: Role| {
            descriptor
                .fields()
                .iter()
                .filter(usable)
                .filter(|field| role.accepts(field))
                .find_map(|field| Control::of(role, field))
        };
        Self {
            controls: Role::ALL.into_iter().filter_map(find).collect(),
            teams: descriptor.applications().iter().any(|usage| usage.page == Usage::TEAMS_PAGE),
        }
    }

    #[must_use]
    pub fn controls(&self) -> &[Control] {
        &self.controls
    }

    #[must_use]
    pub fn control(&self, role: Role) -> Option<&Control> {
        self.controls.iter().find(|control| control.role == role)
    }

    #[must_use]
    pub fn has(&self, role: Role) -> bool {
        self.control(role).is_some()
    }

    #[must_use]
    pub fn capabilities(&self) -> Capabilities {
        Capabilities {
            call_control: self.has(Role::HookSwitch) && self.has(Role::OffHook),
            mute_sync: self.has(Role::PhoneMute) && (self.has(Role::Mute) || self.has(Role::Microphone)),
            ring: self.has(Role::Ring) || self.has(Role::Ringer),
            hold: self.has(Role::Flash) || self.has(Role::HoldButton),
            reject: self.has(Role::Reject) || self.has(Role::Drop) || self.has(Role::VendorReject),
            redial: self.has(Role::Redial),
            line_busy: self.has(Role::LineBusy),
            teams: self.teams,
        }
    }
}

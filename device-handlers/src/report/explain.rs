//! A descriptor in plain facts, as `hookswitch descriptor` prints it.

use std::fmt;

use super::{Capabilities, ReportDescriptor, ReportType, Role, Selector, Usage};

/// What a descriptor offers and why not more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    pub numbered_reports: bool,
    pub top_level: Vec<CollectionSummary>,
    pub capabilities: Capabilities,
    /// `None` if there is call control.
    pub no_call_control: Option<NoCallControl>,
    pub controls: Vec<ControlSummary>,
}

/// An outermost collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CollectionSummary {
    pub usage: Usage,
    pub name: Option<&'static str>,
}

/// One control that plays a part in call control.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ControlSummary {
    pub role: Role,
    pub usage: Usage,
    pub report_type: ReportType,
    /// 0 = reports carry no id.
    pub report_id: u8,
    /// First bit in the payload, report-id byte excluded.
    pub bit: u32,
    /// Width in bits.
    pub size: u32,
    pub relative: bool,
    pub array: bool,
}

/// Why a device offers no call control.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoCallControl {
    /// No application collection on page 0B and no vendor page known to stand for one.
    NoTelephonyCollection,
    /// No application collection on page 0B, but Plantronics' vendor page FFA0.
    VendorPageOnly,
    /// The telephony collection has neither control.
    NoHookSwitchNorOffHookLed,
    /// The Off-Hook LED is there, the Hook Switch is not.
    NoHookSwitch,
    /// The Hook Switch is there, the Off-Hook LED is not.
    NoOffHookLed,
}

impl fmt::Display for NoCallControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoTelephonyCollection => "no application collection on the Telephony page (000B)",
            Self::VendorPageOnly => {
                "no application collection on the Telephony page (000B); telephony goes over the vendor page FFA0"
            }
            Self::NoHookSwitchNorOffHookLed => {
                "the telephony collection has no Hook Switch (000B:0020) and no Off-Hook LED (0008:0017)"
            }
            Self::NoHookSwitch => "the telephony collection has no Hook Switch (000B:0020) input",
            Self::NoOffHookLed => "the telephony collection has no Off-Hook LED (0008:0017) output",
        })
    }
}

const PLANTRONICS_HID_1_PAGE: u16 = 0xFFA0;

impl Explanation {
    pub(super) fn of(descriptor: &ReportDescriptor) -> Self {
        let layout = descriptor.layout();
        let capabilities = layout.capabilities();
        let controls = layout
            .controls()
            .iter()
            .map(|control| ControlSummary {
                role: control.role,
                usage: control.usage,
                report_type: control.role.report_type(),
                report_id: control.report_id,
                bit: control.bit_offset,
                size: control.bit_size,
                relative: control.relative,
                array: matches!(control.selector, Selector::Array { .. }),
            })
            .collect();
        Self {
            numbered_reports: descriptor.is_numbered(),
            top_level: descriptor
                .top_level()
                .iter()
                .map(|usage| CollectionSummary { usage: *usage, name: usage.name() })
                .collect(),
            capabilities,
            no_call_control: no_call_control(
                descriptor,
                layout.has(Role::HookSwitch),
                layout.has(Role::OffHook),
            ),
            controls,
        }
    }
}

fn no_call_control(descriptor: &ReportDescriptor, hook: bool, off_hook: bool) -> Option<NoCallControl> {
    if !descriptor.has_telephony() {
        let vendor = descriptor.applications().iter().any(|usage| usage.page == PLANTRONICS_HID_1_PAGE);
        return Some(if vendor {
            NoCallControl::VendorPageOnly
        } else {
            NoCallControl::NoTelephonyCollection
        });
    }
    match (hook, off_hook) {
        (true, true) => None,
        (true, false) => Some(NoCallControl::NoOffHookLed),
        (false, true) => Some(NoCallControl::NoHookSwitch),
        (false, false) => Some(NoCallControl::NoHookSwitchNorOffHookLed),
    }
}

impl Role {
    /// What the control is for, in the words of the usage tables.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::LineBusy => "Line Busy",
            Self::Drop => "Drop",
            Self::Reject => "Reject (Button 7)",
            Self::HookSwitch => "Hook Switch",
            Self::Flash => "Flash",
            Self::HoldButton => "Hold button",
            Self::Redial => "Redial",
            Self::PhoneMute => "Phone Mute",
            Self::TeamsButton => "Teams button",
            Self::VendorReject => "Reject (vendor page)",
            Self::Ring => "Ring LED",
            Self::Ringer => "Ringer",
            Self::OffHook => "Off-Hook LED",
            Self::OnLine => "On-Line LED",
            Self::Mute => "Mute LED",
            Self::Microphone => "Microphone LED",
            Self::Hold => "Hold LED",
        }
    }
}

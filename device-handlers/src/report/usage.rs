use std::fmt;

/// A usage: what a control or a collection is for (HUT §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Usage {
    pub page: u16,
    pub id: u16,
}

impl Usage {
    pub const LED_PAGE: u16 = 0x08;
    pub const BUTTON_PAGE: u16 = 0x09;
    pub const TELEPHONY_PAGE: u16 = 0x0B;
    pub const CONSUMER_PAGE: u16 = 0x0C;
    pub const BATTERY_SYSTEM_PAGE: u16 = 0x85;
    /// Microsoft's UC and Teams page.
    pub const TEAMS_PAGE: u16 = 0xFF99;
    /// First of the vendor-defined pages.
    pub const FIRST_VENDOR_PAGE: u16 = 0xFF00;

    #[must_use]
    pub const fn new(page: u16, id: u16) -> Self {
        Self { page, id }
    }

    #[must_use]
    pub const fn is_vendor_defined(self) -> bool {
        self.page >= Self::FIRST_VENDOR_PAGE
    }

    /// The name in the HID Usage Tables, for the pages a headset uses.
    #[must_use]
    pub fn name(&self) -> Option<&'static str> {
        match self.page {
            0x01 => generic_desktop(self.id),
            Self::LED_PAGE => led(self.id),
            Self::BUTTON_PAGE => button(self.id),
            Self::TELEPHONY_PAGE => telephony(self.id),
            Self::CONSUMER_PAGE => consumer(self.id),
            Self::BATTERY_SYSTEM_PAGE => battery_system(self.id),
            _ => None,
        }
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04X}:{:04X}", self.page, self.id)
    }
}

/// Usages of one page from `first` to `last`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsageRange {
    pub page: u16,
    pub first: u16,
    pub last: u16,
}

impl UsageRange {
    #[must_use]
    pub fn contains(&self, usage: Usage) -> bool {
        usage.page == self.page && (self.first..=self.last).contains(&usage.id)
    }

    /// Number of usages, at least 1.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a range holds at least one usage")]
    pub fn len(&self) -> u32 {
        u32::from(self.last.saturating_sub(self.first)) + 1
    }

    pub fn usages(&self) -> impl Iterator<Item = Usage> + use<> {
        let page = self.page;
        (self.first..=self.last.max(self.first)).map(move |id| Usage::new(page, id))
    }
}

fn generic_desktop(id: u16) -> Option<&'static str> {
    Some(match id {
        0x01 => "Pointer",
        0x02 => "Mouse",
        0x04 => "Joystick",
        0x05 => "Gamepad",
        0x06 => "Keyboard",
        0x07 => "Keypad",
        0x80 => "System Control",
        _ => return None,
    })
}

fn led(id: u16) -> Option<&'static str> {
    Some(match id {
        0x01 => "Num Lock",
        0x02 => "Caps Lock",
        0x03 => "Scroll Lock",
        0x04 => "Compose",
        0x05 => "Kana",
        0x06 => "Power",
        0x07 => "Shift",
        0x08 => "Do Not Disturb",
        0x09 => "Mute",
        0x17 => "Off-Hook",
        0x18 => "Ring",
        0x19 => "Message Waiting",
        0x1A => "Data Mode",
        0x1B => "Battery Operation",
        0x1C => "Battery OK",
        0x1D => "Battery Low",
        0x1E => "Speaker",
        0x1F => "Headset",
        0x20 => "Hold",
        0x21 => "Microphone",
        0x22 => "Coverage",
        0x23 => "Night Mode",
        0x24 => "Send Calls",
        0x25 => "Call Pickup",
        0x26 => "Conference",
        0x27 => "Stand-by",
        0x28 => "Camera On",
        0x29 => "Camera Off",
        0x2A => "On-Line",
        0x2B => "Off-Line",
        0x2C => "Busy",
        0x2D => "Ready",
        0x4B => "Generic Indicator",
        0x4D => "External Power Connected",
        _ => return None,
    })
}

fn button(id: u16) -> Option<&'static str> {
    const NAMES: [&str; 17] = [
        "No Button Pressed",
        "Button 1",
        "Button 2",
        "Button 3",
        "Button 4",
        "Button 5",
        "Button 6",
        "Button 7",
        "Button 8",
        "Button 9",
        "Button 10",
        "Button 11",
        "Button 12",
        "Button 13",
        "Button 14",
        "Button 15",
        "Button 16",
    ];
    NAMES.get(usize::from(id)).copied()
}

fn telephony(id: u16) -> Option<&'static str> {
    Some(match id {
        0x01 => "Phone",
        0x02 => "Answering Machine",
        0x03 => "Message Controls",
        0x04 => "Handset",
        0x05 => "Headset",
        0x06 => "Telephony Key Pad",
        0x07 => "Programmable Button",
        0x20 => "Hook Switch",
        0x21 => "Flash",
        0x22 => "Feature",
        0x23 => "Hold",
        0x24 => "Redial",
        0x25 => "Transfer",
        0x26 => "Drop",
        0x27 => "Park",
        0x28 => "Forward Calls",
        0x29 => "Alternate Function",
        0x2A => "Line",
        0x2B => "Speaker Phone",
        0x2C => "Conference",
        0x2D => "Ring Enable",
        0x2E => "Ring Select",
        0x2F => "Phone Mute",
        0x30 => "Caller ID",
        0x31 => "Send",
        0x50 => "Speed Dial",
        0x51 => "Store Number",
        0x52 => "Recall Number",
        0x53 => "Phone Directory",
        0x70 => "Voice Mail",
        0x71 => "Screen Calls",
        0x72 => "Do Not Disturb",
        0x73 => "Message",
        0x74 => "Answer On/Off",
        0x90 => "Inside Dial Tone",
        0x91 => "Outside Dial Tone",
        0x92 => "Inside Ring Tone",
        0x93 => "Outside Ring Tone",
        0x94 => "Priority Ring Tone",
        0x95 => "Inside Ringback",
        0x96 => "Priority Ringback",
        0x97 => "Line Busy Tone",
        0x98 => "Reorder Tone",
        0x99 => "Call Waiting Tone",
        0x9A => "Confirmation Tone 1",
        0x9B => "Confirmation Tone 2",
        0x9C => "Tones Off",
        0x9D => "Outside Ringback",
        0x9E => "Ringer",
        0xB0..=0xBF => return phone_key(id),
        0xF0 => "Host Control",
        0xF1 => "Host Available",
        0xF2 => "Host Call Active",
        0xF3 => "Activate Handset Audio",
        0x10A => "Host Hold",
        0x14A => "Call Duration",
        0x14B => "Dual Mode Phone",
        _ => return None,
    })
}

fn phone_key(id: u16) -> Option<&'static str> {
    const NAMES: [&str; 16] = [
        "Phone Key 0",
        "Phone Key 1",
        "Phone Key 2",
        "Phone Key 3",
        "Phone Key 4",
        "Phone Key 5",
        "Phone Key 6",
        "Phone Key 7",
        "Phone Key 8",
        "Phone Key 9",
        "Phone Key Star",
        "Phone Key Pound",
        "Phone Key A",
        "Phone Key B",
        "Phone Key C",
        "Phone Key D",
    ];
    NAMES.get(usize::from(id.checked_sub(0xB0)?)).copied()
}

fn consumer(id: u16) -> Option<&'static str> {
    Some(match id {
        0x01 => "Consumer Control",
        0x04 => "Microphone",
        0x05 => "Headphone",
        0xB0 => "Play",
        0xB1 => "Pause",
        0xB5 => "Scan Next Track",
        0xB6 => "Scan Previous Track",
        0xB7 => "Stop",
        0xCD => "Play/Pause",
        0xE0 => "Volume",
        0xE2 => "Mute",
        0xE9 => "Volume Increment",
        0xEA => "Volume Decrement",
        _ => return None,
    })
}

fn battery_system(id: u16) -> Option<&'static str> {
    Some(match id {
        0x44 => "Charging",
        0x45 => "Discharging",
        0x64 => "Relative State Of Charge",
        0x65 => "Absolute State Of Charge",
        0x66 => "Remaining Capacity",
        0xD0 => "AC Present",
        _ => return None,
    })
}

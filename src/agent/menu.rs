//! The tray menu as a value: the shell draws it, tests compare it.

use crate::locale::Message;
use crate::protocol::DeviceId;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Menu {
    /// Shown when the pointer rests on the icon.
    pub tooltip: Message,
    /// Draws the icon's badge.
    pub badge: Badge,
    pub items: Vec<Item>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Badge {
    #[default]
    None,
    /// An update waits.
    Update,
    /// In a call.
    Call,
    /// Muted in a call.
    Muted,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// Text without action.
    Label(Message),
    Action {
        label: Message,
        action: Action,
    },
    Separator,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    OpenWindow(Page),
    Install { offer: String },
    Quit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    Devices,
    Updates,
}

/// A device line of the menu.
pub type DeviceLine = (DeviceId, Message);

//! What the headset machine says, in the words of the protocol.

use crate::problem::Reason;
use crate::protocol::{self, Detail, DeviceEvent, Problem};
use device_handlers::headset::{Event, ReportError};

pub(super) fn lights_fail(product: &str, refused: Option<Detail>) -> Problem {
    let error = refused.unwrap_or_else(|| Detail::new("device-unanswering", "it does not answer"));
    Reason::LightsNotTaken { error }.at(product)
}

pub(super) fn cannot_read(product: &str, error: &ReportError) -> Problem {
    Reason::ReportsUnreadable { error: error.into() }.at(product)
}

pub(super) fn wire_event(event: Event) -> Option<DeviceEvent> {
    Some(match event {
        Event::Answer => DeviceEvent::Answer,
        Event::HangUp => DeviceEvent::HangUp,
        Event::Reject => DeviceEvent::Reject,
        Event::DialTone => DeviceEvent::DialTone,
        Event::HoldToggle => DeviceEvent::HoldToggle,
        Event::MuteToggle => DeviceEvent::MuteToggle,
        Event::MuteState(true) => DeviceEvent::MuteOn,
        Event::MuteState(false) => DeviceEvent::MuteOff,
        Event::Redial => DeviceEvent::Redial,
        Event::TeamsButton => DeviceEvent::TeamsButton,
        Event::LineBusy(_) => return None,
    })
}

pub(super) fn wire_capabilities(
    of: Option<device_handlers::report::Capabilities>,
    firmware_update: bool,
) -> protocol::Capabilities {
    let Some(of) = of else { return protocol::Capabilities { firmware_update, ..Default::default() } };
    protocol::Capabilities {
        call_control: of.call_control,
        mute_sync: of.mute_sync,
        ring: of.ring,
        hold: of.hold,
        reject: of.reject,
        redial: of.redial,
        line_busy: of.line_busy,
        teams: of.teams,
        firmware_update,
    }
}

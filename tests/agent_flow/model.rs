//! What a softphone and a person expect, in the fewest words: the reference for `random`.

use super::*;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
pub(super) struct Expected {
    pub owner: String,
    pub incoming: bool,
    pub state: CallState,
    pub muted: bool,
}

#[derive(Debug, Default)]
pub(super) struct Model {
    pub calls: BTreeMap<u64, Expected>,
    /// In the order in which they came.
    pub devices: Vec<(String, bool)>,
    headset: Option<String>,
}

impl Model {
    fn first(&self, fits: impl Fn(&Expected) -> bool) -> Option<u64> {
        self.calls.iter().find(|(_, c)| fits(c)).map(|(id, _)| *id)
    }

    fn of_state(&self, state: CallState) -> Option<u64> {
        self.first(|c| c.state == state)
    }

    /// Puts one call in front: whoever was there is held.
    fn talk(&mut self, id: u64) {
        for call in self.calls.values_mut().filter(|c| c.state == CallState::Answered) {
            call.state = CallState::Held;
        }
        self.state(id, CallState::Answered);
    }

    fn state(&mut self, id: u64, state: CallState) {
        if let Some(call) = self.calls.get_mut(&id) {
            call.state = state;
        }
    }

    pub(super) fn created(&mut self, id: u64, owner: &str, incoming: bool) {
        if !incoming && let Some(talking) = self.of_state(CallState::Answered) {
            self.state(talking, CallState::Held);
        }
        let call = Expected { owner: owner.to_owned(), incoming, state: CallState::Ringing, muted: false };
        self.calls.insert(id, call);
    }

    /// Whether the softphone's wish is granted.
    pub(super) fn act(&mut self, owner: &str, id: u64, action: CallAction) -> bool {
        let Some(call) = self.calls.get_mut(&id).filter(|c| c.owner == owner) else { return false };
        match (action, call.state) {
            (CallAction::End, _) => _ = self.calls.remove(&id),
            (CallAction::Answer, CallState::Ringing) | (CallAction::Resume, CallState::Held) => self.talk(id),
            (CallAction::Answer | CallAction::Resume, state) => return state == CallState::Answered,
            (CallAction::Hold, CallState::Ringing | CallState::Ended) => return false,
            (CallAction::Hold, _) => call.state = CallState::Held,
            (CallAction::Mute | CallAction::Unmute, CallState::Ringing | CallState::Ended) => return false,
            (CallAction::Mute, _) => call.muted = true,
            (CallAction::Unmute, _) => call.muted = false,
        }
        true
    }

    pub(super) fn press(&mut self, event: DeviceEvent) {
        let ringing = self.first(|c| c.incoming && c.state == CallState::Ringing);
        let dialling = self.first(|c| !c.incoming && c.state == CallState::Ringing);
        let (talking, held) = (self.of_state(CallState::Answered), self.of_state(CallState::Held));
        match event {
            DeviceEvent::Answer => _ = ringing.map(|id| self.talk(id)),
            DeviceEvent::Reject => _ = ringing.map(|id| self.calls.remove(&id)),
            DeviceEvent::HangUp => {
                _ = talking.or(dialling).or(held).map(|id| self.calls.remove(&id));
            }
            DeviceEvent::HoldToggle => match (talking, ringing.filter(|_| talking.is_some()).or(held)) {
                (_, Some(other)) => self.talk(other),
                (Some(id), None) => self.state(id, CallState::Held),
                (None, None) => {}
            },
            DeviceEvent::MuteOn | DeviceEvent::MuteOff | DeviceEvent::MuteToggle => {
                if let Some(call) = talking.and_then(|id| self.calls.get_mut(&id)) {
                    call.muted = match event {
                        DeviceEvent::MuteOn => true,
                        DeviceEvent::MuteOff => false,
                        _ => !call.muted,
                    };
                }
            }
            DeviceEvent::DialTone | DeviceEvent::Redial | DeviceEvent::TeamsButton => {}
        }
    }

    /// The headset that carries the calls: the first usable one, and it stays that while it is usable.
    pub(super) fn headset(&mut self) -> Option<&str> {
        let usable = |id: &String| self.devices.iter().any(|(d, ready)| d == id && *ready);
        if !self.headset.as_ref().is_some_and(usable) {
            self.headset = self.devices.iter().find(|(_, ready)| *ready).map(|(id, _)| id.clone());
        }
        self.headset.as_deref()
    }

    pub(super) fn lights(&self) -> Indicators {
        let any = |fits: fn(&&Expected) -> bool| self.calls.values().any(|c| fits(&c));
        let talking = self.of_state(CallState::Answered).map(|id| &self.calls[&id]);
        Indicators {
            ring: any(|c| c.incoming && c.state == CallState::Ringing),
            off_hook: any(|c| !c.incoming || c.state != CallState::Ringing),
            mute: talking.is_some_and(|c| c.muted),
            hold: talking.is_none() && any(|c| c.state == CallState::Held),
        }
    }
}

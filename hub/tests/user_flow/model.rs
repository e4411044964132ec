//! What a softphone and a person expect, in the fewest words: the reference for `random`.

use super::*;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
pub(super) struct Expected {
    pub owner: String,
    pub incoming: bool,
    pub state: CallState,
    pub muted: bool,
    pub since: Instant,
}

/// As `docs/softphones.md` has it: no call rings for more than five minutes.
const RINGS: Duration = Duration::from_secs(5 * 60);

#[derive(Debug, Default)]
pub(super) struct Model {
    pub calls: BTreeMap<u64, Expected>,
    /// In the order in which they came, and whether they are ready.
    pub devices: Vec<(String, bool)>,
    /// Headsets that can do nothing but mute.
    pub only_mute: Vec<&'static str>,
    pub headset: Option<String>,
    /// The one that the person chose.
    pub chosen: Option<String>,
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

    pub(super) fn created(&mut self, id: u64, owner: &str, incoming: bool, since: Instant) {
        if !incoming && let Some(talking) = self.of_state(CallState::Answered) {
            self.state(talking, CallState::Held);
        }
        let (owner, state) = (owner.to_owned(), CallState::Ringing);
        let call = Expected { owner, incoming, state, muted: false, since };
        self.calls.insert(id, call);
    }

    pub(super) fn time_is(&mut self, now: Instant) {
        let rings = |c: &Expected| c.incoming && c.state == CallState::Ringing;
        self.calls.retain(|_, c| !(rings(c) && c.since + RINGS <= now));
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
            (CallAction::Mute | CallAction::Unmute, CallState::Ringing) if call.incoming => return false,
            (CallAction::Mute, _) => call.muted = true,
            (CallAction::Unmute, _) => call.muted = false,
        }
        true
    }

    /// A person sees lights at one headset, and only its buttons are about them.
    pub(super) fn press(&mut self, at: &str, event: DeviceEvent) {
        if self.headset().is_none_or(|headset| headset != at) {
            return;
        }
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
                let off_hook = talking.or(dialling).or(held);
                if let Some(call) = off_hook.and_then(|id| self.calls.get_mut(&id)) {
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

    /// The person chose: from now on, also for the call that goes on.
    pub(super) fn choose(&mut self, id: &str) {
        self.chosen = Some(id.to_owned());
        if self.devices.iter().any(|(d, ready)| d == id && *ready) {
            self.headset = self.chosen.clone();
        }
    }

    /// The headset that carries the calls: the chosen one if it can, else the first that can, else the first that can mute. It stays that while it is
    /// usable; between calls one that can carry them is better than one that cannot.
    pub(super) fn headset(&mut self) -> Option<&str> {
        let ready = |id: &String| self.devices.iter().any(|(d, ready)| d == id && *ready);
        let whole = |id: &String| ready(id) && !self.only_mute.contains(&id.as_str());
        let ids = || self.devices.iter().map(|(id, _)| id);
        let first = ids().find(|id| whole(id)).or_else(|| ids().find(|id| ready(id))).cloned();
        let stays = self.headset.clone().filter(|now| {
            let better = self.calls.is_empty() && !whole(now) && first.as_ref().is_some_and(&whole);
            ready(now) && !better
        });
        let wished = self.chosen.clone().filter(ready);
        let best = if self.calls.is_empty() { wished.or(stays) } else { stays.or(wished) };
        self.headset = best.or(first);
        self.headset.as_deref()
    }

    pub(super) fn lights(&self) -> Indicators {
        let any = |fits: fn(&&Expected) -> bool| self.calls.values().any(|c| fits(&c));
        let talking = self.of_state(CallState::Answered);
        let dialling = self.first(|c| !c.incoming && c.state == CallState::Ringing);
        let off_hook = talking.or(dialling).or(self.of_state(CallState::Held));
        Indicators {
            ring: any(|c| c.incoming && c.state == CallState::Ringing),
            off_hook: any(|c| !c.incoming || c.state != CallState::Ringing),
            mute: off_hook.is_some_and(|id| self.calls[&id].muted),
            hold: talking.is_none() && any(|c| c.state == CallState::Held),
        }
    }
}

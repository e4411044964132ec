//! Calls of all softphones, and what they mean for the lights of the headset.
//!
//! One call is *answered* at most; answering another one holds it. A person at the headset acts on the call that the
//! action fits: the ringing one is answered or rejected, the answered one hung up, held or muted.

use super::sdk::{CallChange, Cause, Wish};
use super::{CallAction, sdk::Change};
use crate::protocol::local::{Call, CallState, Direction};
use crate::protocol::{DeviceEvent, DeviceId, Indicators, Problem};

/// More calls than this are a softphone gone wrong.
pub const MAX_CALLS: usize = 16;
/// Characters of a contact that are kept.
pub const MAX_CONTACT: usize = 256;

#[derive(Debug, Default)]
pub struct Calls {
    calls: Vec<Call>,
    last_id: u64,
}

impl Calls {
    pub fn all(&self) -> &[Call] {
        &self.calls
    }

    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// The lights that say what is going on: off-hook opens a wireless headset's radio and stays set while held.
    pub fn indicators(&self) -> Indicators {
        let answered = self.find(|c| c.state == CallState::Answered);
        Indicators {
            off_hook: self.calls.iter().any(|c| !is_incoming_ringing(c)),
            ring: self.calls.iter().any(is_incoming_ringing),
            mute: answered.is_some_and(|i| self.calls[i].muted),
            hold: answered.is_none() && self.find(|c| c.state == CallState::Held).is_some(),
        }
    }

    pub fn create(
        &mut self,
        client: String,
        direction: Direction,
        contact: Option<String>,
        changes: &mut Vec<Change>,
    ) -> Result<Call, Problem> {
        if self.calls.len() >= MAX_CALLS {
            return Err(Problem::new(
                "too-many-calls",
                format!("{MAX_CALLS} calls are open already"),
                format!("softphone {client}"),
                "End calls that are over before starting another one.",
            )
            .with("limit", MAX_CALLS.to_string()));
        }
        if direction == Direction::Outgoing {
            self.hold_answered(Cause::Softphone, changes);
        }
        self.last_id += 1;
        let contact = contact.map(|c| c.chars().filter(|c| !c.is_control()).take(MAX_CONTACT).collect());
        let call =
            Call { id: self.last_id, client, direction, state: CallState::Ringing, muted: false, contact };
        self.calls.push(call.clone());
        changes.push(Change::Call { call: call.clone(), what: CallChange::Ringing, cause: Cause::Softphone });
        Ok(call)
    }

    /// What the owner of a call wants. Asking for what already is the case changes nothing and succeeds, because
    /// device and softphone may act at the same moment.
    pub fn act(
        &mut self,
        client: &str,
        id: u64,
        action: CallAction,
        changes: &mut Vec<Change>,
    ) -> Result<Call, Problem> {
        let place = format!("call {id}");
        let Some(index) = self.find(|c| c.id == id) else {
            return Err(Problem::new(
                "no-such-call",
                "There is no such call, or it has ended",
                place,
                "Read GET /v1/calls for the calls that are open.",
            ));
        };
        if self.calls[index].client != client {
            return Err(Problem::new(
                "not-your-call",
                "The call belongs to another softphone",
                place,
                "Only the softphone that created a call may act on it.",
            ));
        }
        let state = self.calls[index].state;
        match (action, state) {
            (CallAction::Answer, CallState::Ringing) => self.answer(index, Cause::Softphone, changes),
            (CallAction::Hold, CallState::Answered) => self.hold(index, Cause::Softphone, changes),
            (CallAction::Resume, CallState::Held) => self.resume(index, Cause::Softphone, changes),
            (CallAction::Mute | CallAction::Unmute, CallState::Answered | CallState::Held) => {
                self.mute(index, action == CallAction::Mute, Cause::Softphone, changes);
            }
            (CallAction::End, _) => return Ok(self.end(index, CallChange::Ended, Cause::Softphone, changes)),
            (CallAction::Answer | CallAction::Resume, CallState::Answered)
            | (CallAction::Hold, CallState::Held) => {}
            (_, state) => {
                let state = format!("{state:?}").to_lowercase();
                return Err(Problem::new(
                    "wrong-call-state",
                    format!("That cannot be done to a call that is {state}"),
                    place,
                    "Follow the call's events; a held call is resumed, a ringing one answered.",
                )
                .with("state", state));
            }
        }
        Ok(self.calls[index].clone())
    }

    /// A person acted at the headset.
    pub fn device(&mut self, device: &DeviceId, event: DeviceEvent, changes: &mut Vec<Change>) {
        let ringing = self.find(is_incoming_ringing);
        let answered = self.find(|c| c.state == CallState::Answered);
        let held = self.find(|c| c.state == CallState::Held);
        let dialling = self.find(|c| c.state == CallState::Ringing && c.direction == Direction::Outgoing);
        let wish = |wish| Change::DeviceWish { device: device.clone(), wish };
        match event {
            DeviceEvent::Answer => match ringing {
                Some(index) => self.answer(index, Cause::Device, changes),
                None => changes.push(wish(Wish::DialTone)),
            },
            DeviceEvent::HangUp => {
                if let Some(index) = answered.or(dialling).or(held) {
                    self.end(index, CallChange::Ended, Cause::Device, changes);
                }
            }
            DeviceEvent::Reject => {
                if let Some(index) = ringing {
                    self.end(index, CallChange::Rejected, Cause::Device, changes);
                }
            }
            // With a second call waiting, flash means hold-and-answer; with one on hold, swap.
            DeviceEvent::HoldToggle => match (ringing, answered, held) {
                (Some(index), Some(_), _) => self.answer(index, Cause::Device, changes),
                (_, Some(_), Some(index)) => self.resume(index, Cause::Device, changes),
                (_, Some(index), None) => self.hold(index, Cause::Device, changes),
                (_, None, Some(index)) => self.resume(index, Cause::Device, changes),
                _ => {}
            },
            DeviceEvent::MuteToggle | DeviceEvent::MuteOn | DeviceEvent::MuteOff => {
                if let Some(index) = answered {
                    let muted = match event {
                        DeviceEvent::MuteOn => true,
                        DeviceEvent::MuteOff => false,
                        _ => !self.calls[index].muted,
                    };
                    self.mute(index, muted, Cause::Device, changes);
                }
            }
            DeviceEvent::DialTone => changes.push(wish(Wish::DialTone)),
            DeviceEvent::Redial => changes.push(wish(Wish::Redial)),
            DeviceEvent::TeamsButton => changes.push(wish(Wish::Teams)),
        }
    }

    /// Ends every call of `client` (of everybody if `None`).
    pub fn end_all(&mut self, client: Option<&str>, changes: &mut Vec<Change>) {
        while let Some(index) = self.find(|c| client.is_none_or(|client| c.client == client)) {
            self.end(index, CallChange::Ended, Cause::Agent, changes);
        }
    }

    fn find(&self, fits: impl Fn(&Call) -> bool) -> Option<usize> {
        self.calls.iter().position(fits)
    }

    fn hold_answered(&mut self, cause: Cause, changes: &mut Vec<Change>) {
        if let Some(index) = self.find(|c| c.state == CallState::Answered) {
            self.hold(index, cause, changes);
        }
    }

    fn answer(&mut self, index: usize, cause: Cause, changes: &mut Vec<Change>) {
        self.hold_answered(cause, changes);
        self.set(index, CallState::Answered, CallChange::Answered, cause, changes);
    }

    fn hold(&mut self, index: usize, cause: Cause, changes: &mut Vec<Change>) {
        self.set(index, CallState::Held, CallChange::Held, cause, changes);
    }

    fn resume(&mut self, index: usize, cause: Cause, changes: &mut Vec<Change>) {
        self.hold_answered(cause, changes);
        self.set(index, CallState::Answered, CallChange::Resumed, cause, changes);
    }

    fn mute(&mut self, index: usize, muted: bool, cause: Cause, changes: &mut Vec<Change>) {
        let call = &mut self.calls[index];
        if call.muted != muted {
            call.muted = muted;
            let what = if muted { CallChange::Muted } else { CallChange::Unmuted };
            changes.push(Change::Call { call: call.clone(), what, cause });
        }
    }

    fn set(
        &mut self,
        index: usize,
        state: CallState,
        what: CallChange,
        cause: Cause,
        changes: &mut Vec<Change>,
    ) {
        let call = &mut self.calls[index];
        call.state = state;
        changes.push(Change::Call { call: call.clone(), what, cause });
    }

    fn end(&mut self, index: usize, what: CallChange, cause: Cause, changes: &mut Vec<Change>) -> Call {
        let mut call = self.calls.remove(index);
        call.state = CallState::Ended;
        changes.push(Change::Call { call: call.clone(), what, cause });
        call
    }
}

fn is_incoming_ringing(call: &Call) -> bool {
    call.state == CallState::Ringing && call.direction == Direction::Incoming
}

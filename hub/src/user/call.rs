//! Calls of all softphones, and what they mean for the lights of the headset.
//!
//! One call is *answered* at most; answering another one holds it. A person at the headset acts on the call that the
//! action fits: the ringing one is answered or rejected; hung up, held or muted is the one that is going on. Only the
//! headset that carries the calls acts on them: another one on the desk is not about them.
//!
//! Off-hook is every call but an incoming one that rings. Whatever is off-hook can be muted, from its first moment on.

use super::sdk::{CallChange, Cause, Wish};
use super::{CallAction, Refusal, WhyNot, sdk::Change};
use crate::problem::Reason;
use crate::protocol::client::ClientId;
use crate::protocol::local::{Call, CallState, Direction, MAX_CONTACT};
use crate::protocol::{DeviceEvent, DeviceId, Indicators};
use std::collections::VecDeque;

/// More calls than this of one softphone are a softphone gone wrong.
pub const MAX_CALLS: usize = 16;
/// More than this are many gone wrong. No one of them can use them up.
pub const MAX_CALLS_OF_ALL: usize = 256;
/// Calls of all softphones that are remembered after their end; of one softphone [`MAX_CALLS`].
pub const MOST_ENDED: usize = 64;
/// Of all programs together, which have as many names as copies of themselves: the rest is for pages.
pub const MAX_CALLS_OF_PROGRAMS: usize = 128;

#[derive(Debug, Default)]
pub struct Calls {
    calls: Vec<Call>,
    /// Those that ended last, the latest last: their softphone may end them too, for it did not hear of it yet.
    ended: VecDeque<Call>,
    last_id: u64,
}

impl Calls {
    pub fn all(&self) -> &[Call] {
        &self.calls
    }

    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// Ids count from `first` on. In each run from another one, so that an id of an earlier run is no call of this.
    pub fn number_from(&mut self, first: u64) {
        self.last_id = self.last_id.max(first.saturating_sub(1));
    }

    /// The lights that say what is going on: off-hook opens a wireless headset's radio and stays set while held.
    pub fn indicators(&self) -> Indicators {
        let answered = self.find(|c| c.state == CallState::Answered);
        Indicators {
            off_hook: self.going_on().is_some(),
            ring: self.calls.iter().any(is_incoming_ringing),
            mute: self.going_on().is_some_and(|i| self.calls[i].muted),
            hold: answered.is_none() && self.find(|c| c.state == CallState::Held).is_some(),
        }
    }

    /// Of the calls that are off-hook the one a person is busy with: talking, else dialling, else on hold.
    fn going_on(&self) -> Option<usize> {
        let held = || self.find(|c| c.state == CallState::Held);
        self.find(|c| c.state == CallState::Answered).or_else(|| self.find(is_dialling)).or_else(held)
    }

    /// A call of this softphone, which calls itself so.
    pub fn create(
        &mut self,
        (client, label): (ClientId, Option<String>),
        direction: Direction,
        contact: Option<String>,
        muted: bool,
        changes: &mut Vec<Change>,
    ) -> Result<Call, Refusal> {
        let own = self.calls.iter().filter(|c| c.client == client).count();
        let of_programs = || self.calls.iter().filter(|c| !c.client.is_page()).count();
        let limit = if own >= MAX_CALLS {
            Some(MAX_CALLS)
        } else if !client.is_page() && of_programs() >= MAX_CALLS_OF_PROGRAMS {
            Some(MAX_CALLS_OF_PROGRAMS)
        } else {
            (self.calls.len() >= MAX_CALLS_OF_ALL).then_some(MAX_CALLS_OF_ALL)
        };
        if let Some(limit) = limit {
            let problem = Reason::TooManyCalls { limit: limit.to_string() }.at(format!("softphone {client}"));
            return Err(Refusal::new(WhyNot::TooManyCalls, problem));
        }
        if direction == Direction::Outgoing {
            self.hold_answered(Cause::Softphone, changes);
        }
        self.last_id += 1;
        let contact = contact.map(|c| dfu::text::plain(&c).take(MAX_CONTACT).collect());
        let (id, state) = (self.last_id, CallState::Ringing);
        let call = Call { id, client, label, direction, state, muted, contact };
        self.calls.push(call.clone());
        changes.push(Change::Call { call: call.clone(), what: CallChange::Ringing, cause: Cause::Softphone });
        Ok(call)
    }

    /// What the owner of a call wants. Asking for what already is the case changes nothing and succeeds, because
    /// device and softphone may act at the same moment; so does ending a call that ended lately.
    pub fn act(
        &mut self,
        client: &ClientId,
        id: u64,
        action: CallAction,
        changes: &mut Vec<Change>,
    ) -> Result<Call, Refusal> {
        let place = format!("call {id}");
        let Some(index) = self.find(|c| c.id == id) else {
            let ended = self.ended.iter().find(|c| c.id == id && c.client == *client);
            if let (CallAction::End, Some(call)) = (action, ended) {
                return Ok(call.clone());
            }
            let problem = Reason::NoSuchCall.at(place);
            return Err(Refusal::new(WhyNot::NoSuchCall, problem));
        };
        if self.calls[index].client != *client {
            let problem = Reason::NotYourCall.at(place);
            return Err(Refusal::new(WhyNot::NotYourCall, problem));
        }
        let state = self.calls[index].state;
        match (action, state) {
            (CallAction::Answer, CallState::Ringing) => self.answer(index, Cause::Softphone, changes),
            (CallAction::Hold, CallState::Answered) => self.hold(index, Cause::Softphone, changes),
            (CallAction::Resume, CallState::Held) => self.resume(index, Cause::Softphone, changes),
            (CallAction::Mute | CallAction::Unmute, _) if !is_incoming_ringing(&self.calls[index]) => {
                self.mute(index, action == CallAction::Mute, Cause::Softphone, changes);
            }
            (CallAction::End, _) => return Ok(self.end(index, CallChange::Ended, Cause::Softphone, changes)),
            (CallAction::Answer | CallAction::Resume, CallState::Answered)
            | (CallAction::Hold, CallState::Held) => {}
            (_, state) => {
                let state = format!("{state:?}").to_lowercase();
                let problem = Reason::WrongCallState { state }.at(place);
                return Err(Refusal::new(WhyNot::WrongCallState, problem));
            }
        }
        Ok(self.calls[index].clone())
    }

    /// A person acted at a headset. `carries`: it is the one that carries the calls; at another one there is nothing to
    /// act on but the wish for a call.
    pub fn device(
        &mut self,
        device: &DeviceId,
        carries: bool,
        event: DeviceEvent,
        changes: &mut Vec<Change>,
    ) {
        let is_wish = matches!(event, DeviceEvent::DialTone | DeviceEvent::Redial | DeviceEvent::TeamsButton);
        let lifts_the_hook = event == DeviceEvent::Answer && self.is_empty();
        if !(carries || is_wish || lifts_the_hook) {
            return;
        }
        let ringing = self.find(is_incoming_ringing);
        let answered = self.find(|c| c.state == CallState::Answered);
        let held = self.find(|c| c.state == CallState::Held);
        let wish = |wish| Change::DeviceWish { device: device.clone(), wish };
        match event {
            DeviceEvent::Answer => match ringing {
                Some(index) => self.answer(index, Cause::Device, changes),
                None => changes.push(wish(Wish::DialTone)),
            },
            DeviceEvent::HangUp => {
                if let Some(index) = self.going_on() {
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
                if let Some(index) = self.going_on() {
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

    /// Ends every call that `ends`.
    pub fn end_all(&mut self, ends: impl Fn(&Call) -> bool, changes: &mut Vec<Change>) {
        while let Some(index) = self.find(&ends) {
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
        self.remember(call.clone());
        call
    }

    fn remember(&mut self, call: Call) {
        let mut own = (0..self.ended.len()).filter(|&at| self.ended[at].client == call.client);
        let oldest = own.next().filter(|_| own.count() + 1 >= MAX_CALLS);
        if let Some(makes_room) = oldest.or((self.ended.len() >= MOST_ENDED).then_some(0)) {
            self.ended.remove(makes_room);
        }
        self.ended.push_back(call);
    }
}

fn is_dialling(call: &Call) -> bool {
    call.state == CallState::Ringing && call.direction == Direction::Outgoing
}

fn is_incoming_ringing(call: &Call) -> bool {
    call.state == CallState::Ringing && call.direction == Direction::Incoming
}

//! Which headset carries the calls: the one that the person chose while it can, else the first one that can.

use super::{Function, Output, Refusal, Reply, UserRole, WhyNot};
use crate::problem::Reason;
use crate::protocol::{Device, DeviceId, DeviceStatus, Indicators, Problem, ToMachine};

/// Whether `device` can carry calls now.
pub fn can_carry(device: &Device) -> bool {
    let can = device.capabilities.call_control || device.capabilities.mute_sync;
    device.status == DeviceStatus::Ready && can
}

/// The headset that carries the calls. The one that does (`now`) stays until it cannot any more; between calls
/// (`idle`) the one that was `chosen` takes over, and one with call control from one without.
pub(super) fn carrier<'a>(
    devices: &'a [Device],
    chosen: Option<&DeviceId>,
    now: Option<&DeviceId>,
    idle: bool,
) -> Option<&'a DeviceId> {
    let able = || devices.iter().filter(|device| can_carry(device));
    let whole = || able().filter(|device| device.capabilities.call_control);
    let wished = able().find(|device| Some(&device.id) == chosen);
    let present = able().find(|device| Some(&device.id) == now);
    let first = whole().next().or_else(|| able().next());
    let stays =
        present.filter(|device| !idle || device.capabilities.call_control || whole().next().is_none());
    let best = if idle { wished.or(stays) } else { stays.or(wished) };
    best.or(first).map(|device| &device.id)
}

impl UserRole {
    pub(super) fn choose_headset(&mut self) {
        let (chosen, now) = (self.chosen.as_ref(), self.view.headset.as_ref());
        let carrier = carrier(&self.view.devices, chosen, now, self.calls.is_empty()).cloned();
        self.carries(carrier);
    }

    pub(super) fn use_headset(&mut self, request: u64, device: DeviceId) {
        match self.view.devices.iter().any(|known| known.id == device) {
            true => self.outputs.push_back(Output::KeepHeadset { request, device }),
            false => {
                let reply = Reply::Refused(Refusal::new(WhyNot::NoSuchDevice, no_such_device(device)));
                self.replies.push(Output::Reply { request, reply });
            }
        }
    }

    /// The settings' word on the headset counts when it is new: one that was chosen and could not be written down stays.
    pub(super) fn settings_read(&mut self, headset: Option<DeviceId>, problems: Vec<Problem>) {
        if problems.is_empty() && self.consent.is_kept() {
            // What stood in the way of a decision is mended.
            self.function(Function::Approvals, Vec::new());
        }
        self.function(Function::Settings, problems);
        if self.named != headset {
            (self.chosen, self.named) = (headset.clone(), headset);
        }
    }

    pub(super) fn setting_kept(&mut self, request: u64, kept: Result<(), Problem>) {
        let refused = |problem| Reply::Refused(Refusal::new(WhyNot::NotKept, problem));
        let reply = kept.map_or_else(refused, |()| Reply::Done);
        self.replies.push(Output::Reply { request, reply });
    }

    /// In force at once, also for calls that go on: that is what the person asked for.
    pub(super) fn headset_kept(&mut self, request: u64, kept: Result<DeviceId, Problem>) {
        let reply = match kept {
            Ok(device) => {
                if self.view.devices.iter().any(|known| known.id == device && can_carry(known)) {
                    self.carries(Some(device.clone()));
                }
                self.chosen = Some(device);
                Reply::Done
            }
            Err(problem) => Reply::Refused(Refusal::new(WhyNot::NotKept, problem)),
        };
        self.replies.push(Output::Reply { request, reply });
    }

    /// The lights of the one that carries the calls say what is going on; all others are dark.
    pub(super) fn light(&mut self) {
        let wanted = self.calls.indicators();
        let dark = Indicators::default();
        for device in &self.view.devices {
            if device.status != DeviceStatus::Ready {
                continue;
            }
            let target = if self.view.headset.as_ref() == Some(&device.id) { wanted } else { dark };
            let known = self.lit.get(&device.id).copied().unwrap_or(dark);
            if target != known {
                self.lit.insert(device.id.clone(), target);
                let message = ToMachine::SetIndicators { device: device.id.clone(), indicators: target };
                self.outputs.push_back(Output::Machine(message));
            }
        }
    }

    /// Away from the seat none does.
    fn carries(&mut self, carrier: Option<DeviceId>) {
        let carrier = carrier.filter(|_| self.active);
        if self.view.headset != carrier {
            self.view.headset = carrier;
            self.dirty = true;
        }
    }
}

fn no_such_device(device: DeviceId) -> Problem {
    Reason::NoSuchDevice.at(device)
}

//! What every door to the bus shares: the ports, what is at them and who listens to it.
#![expect(
    clippy::disallowed_methods,
    reason = "simulated hardware runs in real time, on a thread of its own"
)]

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::mpsc::Sender;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::device::{Device, Output};
use crate::dfu::Reply;

/// Something came or went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A device is on the bus at this port.
    Arrived(String),
    /// The device at this port left the bus.
    Left(String),
}

#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) ports: Mutex<Ports>,
    /// Something changed: a deadline, a state, a presence.
    pub(crate) changed: Condvar,
}

#[derive(Debug, Default)]
pub(crate) struct Ports {
    pub(crate) slots: BTreeMap<String, Slot>,
    pub(crate) subscribers: Vec<Sender<Change>>,
    last_address: u8,
    pub(crate) closed: bool,
}

#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) device: Device,
    pub(crate) address: u8,
    pub(crate) listeners: Vec<Weak<dyn Listener>>,
}

/// Who hears a headset's input reports, until it leaves or the listener is gone. A trait, so that the doors know the
/// bus and not the bus its doors.
pub(crate) trait Listener: Debug + Send + Sync {
    fn report(&self, report: &[u8]);
    fn device_left(&self);
}

impl Shared {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Ports> {
        self.ports.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with the device at a port and carries out what follows from it.
    pub(crate) fn with<T>(&self, port: &str, act: impl FnOnce(&mut Device, Instant) -> T) -> Option<T> {
        let mut ports = self.lock();
        let result = act(&mut ports.slots.get_mut(port)?.device, Instant::now());
        ports.dispatch(port);
        drop(ports);
        self.changed.notify_all();
        Some(result)
    }

    pub(crate) fn look<T>(&self, port: &str, look: impl FnOnce(&Device) -> T) -> Option<T> {
        self.lock().slots.get(port).map(|slot| look(&slot.device))
    }

    pub(crate) fn transfer(&self, port: &str, setup: [u8; 8], data: &[u8]) -> Reply {
        self.with(port, |device, now| device.control(setup, data, now)).unwrap_or(Reply::Vanish)
    }

    /// False when the device that was enumerated under `address` is not there any more.
    pub(crate) fn output_report(&self, port: &str, address: Option<u8>, report: &[u8]) -> bool {
        let there = |ports: &Ports| {
            ports.slots.get(port).is_some_and(|slot| {
                slot.device.is_present() && address.is_none_or(|address| address == slot.address)
            })
        };
        let present = there(&self.lock());
        present && self.with(port, |device, now| device.output_report(report, now)).is_some()
    }

    /// Blocks until `look` finds something, the time is over or the bus has ended.
    pub(crate) fn wait_for<T>(
        &self,
        port: &str,
        timeout: Duration,
        mut look: impl FnMut(&Device) -> Option<T>,
    ) -> Option<T> {
        let until = Instant::now() + timeout;
        let mut ports = self.lock();
        loop {
            if let Some(found) = look(&ports.slots.get(port)?.device) {
                return Some(found);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || ports.closed {
                return None;
            }
            ports = self.changed.wait_timeout(ports, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Registers who hears the device's reports; `None` while it is not on the bus.
    pub(crate) fn listen(&self, port: &str, listener: Weak<dyn Listener>) -> Option<()> {
        let mut ports = self.lock();
        let slot = ports.slots.get_mut(port).filter(|slot| slot.device.is_present())?;
        slot.listeners.push(listener);
        Some(())
    }

    /// The thread of the headsets' delays.
    pub(crate) fn run_deadlines(&self) {
        let mut ports = self.lock();
        while !ports.closed {
            let now = Instant::now();
            let next = ports.slots.values().filter_map(|slot| slot.device.poll_timeout()).min();
            match next {
                Some(at) if at <= now => {
                    let names: Vec<String> = ports.slots.keys().cloned().collect();
                    for port in names {
                        if let Some(slot) = ports.slots.get_mut(&port) {
                            slot.device.handle_timeout(now);
                        }
                        ports.dispatch(&port);
                    }
                    self.changed.notify_all();
                }
                Some(at) => {
                    let wait = at.saturating_duration_since(now);
                    ports = self.changed.wait_timeout(ports, wait).unwrap_or_else(PoisonError::into_inner).0;
                }
                None => ports = self.changed.wait(ports).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }
}

impl Ports {
    pub(crate) fn dispatch(&mut self, port: &str) {
        let Some(slot) = self.slots.get_mut(port) else { return };
        while let Some(output) = slot.device.poll_output() {
            match output {
                Output::Report(report) => {
                    slot.listeners.retain(|listener| {
                        let open = listener.upgrade();
                        open.inspect(|listener| listener.report(&report)).is_some()
                    });
                }
                Output::Left => {
                    for listener in slot.listeners.drain(..).filter_map(|l| l.upgrade()) {
                        listener.device_left();
                    }
                    self.subscribers.retain(|to| to.send(Change::Left(port.to_owned())).is_ok());
                }
                Output::Arrived => {
                    self.last_address = self.last_address % 127 + 1;
                    slot.address = self.last_address;
                    self.subscribers.retain(|to| to.send(Change::Arrived(port.to_owned())).is_ok());
                }
            }
        }
    }
}

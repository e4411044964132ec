//! The headsets as the tenant has them: what came, went or changed is reported, also what went while the agent was off.

use super::*;

/// After a start the buses are looked at several times; what is still away then was unplugged while the agent was off.
const LOOKED_FOR: Duration = Duration::from_secs(10);
/// Devices remembered; of more, those that are unplugged are forgotten first.
const MOST: usize = 256;

/// What the tenant was told of the headsets, in this run and before.
#[derive(Debug)]
pub(super) struct Inventory {
    told: BTreeMap<String, Told>,
    /// When those that were not seen again are given up; `None` = done.
    missing_at: Option<Instant>,
}

#[derive(Debug)]
struct Told {
    registration: wire::DeviceRegistration,
    /// In this run: each run says once what is there, for a tenant that lost its own.
    this_run: bool,
}

/// A registration to send, and whether the device came (`Some(true)`), went, or only changed.
pub(super) struct Change {
    pub registration: wire::DeviceRegistration,
    pub moved: Option<bool>,
}

impl Inventory {
    pub(super) fn new(before: Vec<wire::DeviceRegistration>, now: Instant) -> Self {
        let told = |registration: wire::DeviceRegistration| {
            (registration.device_id.clone(), Told { registration, this_run: false })
        };
        let missing_at = before.iter().any(|device| device.attached).then_some(now + LOOKED_FOR);
        Self { told: before.into_iter().map(told).collect(), missing_at }
    }

    pub(super) fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        self.missing_at.map(|at| (at, "tell which headsets are gone since the last run"))
    }

    /// What is new about `present`. `updating` is left alone until it is back.
    pub(super) fn changes(
        &mut self,
        present: BTreeMap<String, wire::DeviceRegistration>,
        updating: Option<&str>,
        now: Instant,
    ) -> Vec<Change> {
        let looked = self.missing_at.is_none_or(|at| at <= now);
        if looked {
            self.missing_at = None;
        }
        let mut changes = Vec::new();
        for (id, told) in &self.told {
            let gone = told.registration.attached && !present.contains_key(id);
            if gone && (told.this_run || looked) {
                let registration = wire::DeviceRegistration { attached: false, ..told.registration.clone() };
                changes.push(Change { registration, moved: Some(false) });
            }
        }
        for (id, is) in present {
            let told = self.told.get(&id);
            let known = told.is_some_and(|told| told.this_run && told.registration == is);
            if updating != Some(id.as_str()) && !known {
                let before = told.is_some_and(|told| told.registration.attached);
                let moved = (before != is.attached).then_some(is.attached);
                changes.push(Change { registration: is, moved });
            }
        }
        for change in &changes {
            let registration = change.registration.clone();
            self.told.insert(registration.device_id.clone(), Told { registration, this_run: true });
        }
        while self.told.len() > MOST {
            let unplugged = self.told.iter().find(|(_, told)| !told.registration.attached);
            let Some(id) = unplugged.or_else(|| self.told.iter().next()).map(|(id, _)| id.clone()) else {
                break;
            };
            self.told.remove(&id);
        }
        changes
    }

    /// As in another run.
    pub(super) fn say_again(&mut self) {
        self.told.values_mut().for_each(|told| told.this_run = false);
    }

    pub(super) fn all(&self) -> Vec<wire::DeviceRegistration> {
        self.told.values().map(|told| told.registration.clone()).collect()
    }
}

impl MachineRole {
    /// Whether the last look has seen what is there.
    #[cfg(test)]
    pub(super) fn is_registered(&self) -> bool {
        let others = self.fleet.devices().filter(|device| self.fleet.updating() != Some(device.id.as_str()));
        let seen = |device: &Device| {
            let told = self.inventory.told.get(&device.id);
            told.is_some_and(|told| told.this_run && told.registration == registration(device, true))
        };
        others.into_iter().all(seen)
    }

    /// Devices that came, went or changed since the last look.
    pub(super) fn register_devices(&mut self, now: Now) {
        let due = self.inventory.missing_at.is_some_and(|at| at <= now.instant);
        let changed = self.work.registered.is_due(self.fleet.revision());
        if !self.tenancy.can_report() || !(due || changed) {
            return;
        }
        let present =
            self.fleet.devices().map(|device| (device.id.clone(), registration(device, true))).collect();
        let updating = self.fleet.updating().map(str::to_owned);
        let changes = self.inventory.changes(present, updating.as_deref(), now.instant);
        if changes.is_empty() {
            return;
        }
        self.out.push_back(Output::Persist(Record::Devices(self.inventory.all())));
        for Change { registration, moved } in changes {
            if let Some(attached) = moved {
                let kind = if attached { "attached" } else { "removed" };
                let data = json!({ "device_id": registration.device_id });
                self.owe_event(&format!("com.hookswitch.device.{kind}"), data, now);
            }
            self.owe(Delivery::Device(registration), now);
        }
    }
}

/// What a device says of itself is cut to what the contract takes: one odd character would keep it out of the inventory.
fn registration(device: &Device, attached: bool) -> wire::DeviceRegistration {
    wire::DeviceRegistration {
        device_id: device.id.clone(),
        vendor_id: device.vendor_id,
        product_id: device.product_id,
        vendor: grammar::cleaned(&device.vendor, 200),
        product: grammar::cleaned(&device.product, 200),
        serial: cleaned(device.serial.as_deref(), 200),
        firmware_version: cleaned(Some(&device.firmware_version), 64),
        attached: attached && !matches!(device.status, DeviceStatus::Updating),
        port: cleaned(device.port.as_deref(), 200),
    }
}

fn cleaned(text: Option<&str>, most: usize) -> Option<String> {
    text.map(|text| grammar::cleaned(text, most)).filter(|text| !text.is_empty())
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a time to begin with")]
mod tests {
    use super::*;

    fn device(id: usize) -> wire::DeviceRegistration {
        let text = format!(
            r#"{{"device_id": "{id:04}", "vendor_id": 1, "product_id": 1, "vendor": "a", "product": "b", "attached": true}}"#
        );
        serde_json::from_str(&text).expect("a registration")
    }

    fn there(ids: impl Iterator<Item = usize>) -> BTreeMap<String, wire::DeviceRegistration> {
        ids.map(device).map(|device| (device.device_id.clone(), device)).collect()
    }

    /// Else what is plugged in would be told of at each look.
    #[test]
    fn of_too_many_those_that_are_unplugged_are_forgotten_first() {
        let now = Instant::now();
        let mut inventory = Inventory::new(Vec::new(), now);
        // The first in their order stay plugged in.
        assert_eq!(inventory.changes(there(0..MOST), None, now).len(), MOST);
        assert_eq!(inventory.changes(there(0..2), None, now).len(), MOST - 2);
        let more = || there((0..2).chain(MOST..MOST + 9));
        assert_eq!(inventory.changes(more(), None, now).len(), 9);
        assert_eq!(inventory.told.len(), MOST);
        assert_eq!(inventory.changes(more(), None, now).len(), 0, "all of them are known");
    }
}

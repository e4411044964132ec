//! The headsets that are attached: found by their report descriptors, spoken to through [`Headset`].
//!
//! [`Headset`]: device_handlers::headset::Headset

use super::deviations::corrected;
use super::revision::{Revised, Revision};
use super::{Output, Record, Scan, UsbDevice};
use crate::problem::Reason;
use crate::protocol::{self, Detail, Device, DeviceId, DeviceStatus, Problem, ToUser};
use device_handlers::description::Description;
use device_handlers::headset::Indicators;
use device_handlers::registry;
use device_handlers::report::ReportDescriptor;
use dfu::usb_dfu::{Mode, UsbIdentity};
use headsets::Headsets;
use identity::{Found, Homes, Place, assemble};
use physical::Physical;
use plan::Plan;
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

mod headsets;
pub mod identity;
mod node;
mod physical;
mod plan;
#[cfg(test)]
mod tests;
mod wire;

pub use node::HidNode;

/// After a hot-plug notice the interfaces of a device, their permissions and its strings come one after the other:
/// the bus is looked at again after these times.
const RESCANS: [Duration; 3] = [Duration::from_millis(250), Duration::from_secs(1), Duration::from_secs(3)];
/// After its update a headset's HID node comes some time after the USB device.
const RETURN_WAIT: Duration = Duration::from_secs(5);
/// A reader that ends this often within [`ENDS_WITHIN`] is not started again until the node was away.
const MOST_ENDS: u32 = 5;
const ENDS_WITHIN: Duration = Duration::from_secs(30);
/// For the lights at the end of a run. A device that takes longer than this is not listening.
const LAST_WRITES: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub struct Fleet {
    devices: Headsets,
    usb: Revised<BTreeMap<String, UsbDevice>>,
    homes: Homes,
    rescans: VecDeque<Instant>,
    /// A scan is asked for and not answered; whether another one is due after it. A storm of notices costs two.
    scanning: bool,
    again: bool,
    /// The device a firmware job works on: it may leave and come back without being reported as removed, and
    /// nothing else is written to it.
    updating: Revised<Option<DeviceId>>,
    /// The job is over; until then the HID node may come back.
    returning_until: Option<Instant>,
    /// Readers that ended of their own, by node, and since when they are counted.
    ends: BTreeMap<String, (u32, Instant)>,
    last_ticket: u64,
    /// The program ends: lights stay out. `None` inside = there is no more time for those that are not.
    stopping: Option<Option<Instant>>,
    /// Whether the buses have told what is at the USB ports.
    usb_is_known: bool,
    /// Headsets without firmware, which show at their USB ports alone: nobody else gets their ids meanwhile.
    lost: BTreeMap<Place, DeviceId>,
    pub watches_usb: bool,
}

impl Fleet {
    /// With what earlier runs found out about ids.
    pub fn new(homes: Homes) -> Self {
        Self { homes, ..Self::default() }
    }

    /// Moves with everything that the other rooms can see: headsets, their lights, the USB ports, which one is updated.
    pub(super) fn revision(&self) -> Revision {
        self.devices.revision().with(self.usb.revision()).with(self.updating.revision())
    }

    pub fn devices(&self) -> impl Iterator<Item = &Device> {
        self.devices.values().map(|p| &*p.device)
    }

    pub fn device(&self, id: &str) -> Option<&Device> {
        self.devices.get(id).map(|p| &*p.device)
    }

    pub fn description(&self, id: &str) -> Option<&Description> {
        self.devices.get(id).map(|p| &p.description)
    }

    /// The device a firmware job works on, or that is on its way back from one.
    pub fn updating(&self) -> Option<&str> {
        self.updating.as_deref()
    }

    /// Headsets that have no firmware, by the places where they were last seen.
    pub fn keep_ids(&mut self, lost: BTreeMap<Place, DeviceId>) {
        self.lost = lost;
    }

    /// What is in DFU mode, as of the last scan.
    pub fn in_dfu_mode(&self) -> impl Iterator<Item = &UsbIdentity> {
        self.usb.values().filter(|usb| is_in_dfu_mode(usb)).map(|usb| &usb.identity)
    }

    /// What is at a USB port, as of the last scan.
    pub fn usb(&self, port: &str) -> Option<&UsbIdentity> {
        self.usb.get(port).map(|u| &u.identity)
    }

    /// Lights on, or the device itself says that it is in a call.
    pub fn in_call(&self, id: &str) -> bool {
        self.devices.get(id).is_some_and(|p| {
            let lights = p.indicators();
            p.device.line_busy || lights.off_hook || lights.ring
        })
    }

    /// Those with a light on.
    pub fn lit(&self) -> impl Iterator<Item = &Device> {
        self.devices.values().filter(|p| p.indicators() != Indicators::default()).map(|p| &*p.device)
    }

    /// Whether the USB side of the bus is worth looking at.
    pub fn wants_usb(&self) -> bool {
        self.watches_usb || self.updating.is_some() || self.devices.values().any(|p| p.device.port.is_some())
    }

    pub fn hotplug(&mut self, now: Instant, out: &mut VecDeque<Output>) {
        self.rescans = RESCANS.iter().map(|after| now + *after).collect();
        self.look(out);
    }

    fn look(&mut self, out: &mut VecDeque<Output>) {
        if self.scanning {
            self.again = true;
            return;
        }
        self.scanning = true;
        out.push_back(Output::Scan { usb: self.wants_usb() });
    }

    /// The scan that was asked for is over, with or without a result.
    pub fn scan_ended(&mut self, out: &mut VecDeque<Output>) {
        self.scanning = false;
        if std::mem::take(&mut self.again) {
            self.look(out);
        }
    }

    pub fn scanned(&mut self, scan: Scan, out: &mut VecDeque<Output>) -> UsbChanges {
        let Scan { hid: mut nodes, usb } = scan;
        let corrected = |found: UsbDevice| UsbDevice { identity: corrected(found.identity), ..found };
        let usb = usb.map(|usb| usb.into_iter().map(corrected).collect::<Vec<_>>());
        self.ends.retain(|path, _| nodes.iter().any(|node| node.path == *path));
        for node in nodes.iter_mut().filter(|node| node.descriptor.is_none()) {
            node.descriptor = self.devices.values().find_map(|p| p.remembers(node));
        }
        nodes.retain(may_be_headset);
        let present = self.present(&nodes, usb.as_deref());
        let homes = self.homes.len();
        let mut plans: Vec<(Found, Plan)> = Vec::new();
        for found in assemble(nodes, &present, &mut self.homes) {
            plans.extend(Plan::of(&found).map(|plan| (found, plan)));
        }
        if self.homes.len() > homes {
            out.push_back(Output::Persist(Record::Homes(self.homes.clone())));
        }
        let wanted_usb = self.wants_usb();
        let mut left = Vec::new();
        for (id, physical) in self.devices.iter_mut().filter(|(_, p)| !p.is_away()) {
            match plans.iter().find(|(found, _)| found.id == *id) {
                Some((found, plan)) if physical.stays(found, plan) => physical.close_others(plan, out),
                _ => left.push(id.clone()),
            }
        }
        for id in left {
            self.left(&id, out);
        }
        for (found, plan) in plans {
            let updating = self.updating.as_ref() == Some(&found.id);
            match self.devices.get_mut(&found.id).filter(|p| !p.is_away()) {
                None => self.appeared(&found, plan, out),
                Some(physical) => {
                    if physical.replan(plan, updating, out) {
                        physical.report(out);
                    }
                    if !updating {
                        physical.open_again(out);
                    }
                }
            }
        }
        let changes = usb.map(|usb| self.usb_scanned(usb, out));
        if changes.is_none() && !wanted_usb && self.wants_usb() {
            self.again = true;
        }
        self.scan_ended(out);
        changes.unwrap_or_default()
    }

    /// Who keeps an id whatever comes: what is there, and what is away for its update or has no firmware, as long as
    /// its port shows it.
    fn present(&self, nodes: &[HidNode], usb: Option<&[UsbDevice]>) -> BTreeMap<Place, DeviceId> {
        let at_port = |port: &str| match usb {
            Some(usb) => usb.iter().any(|u| u.identity.port == port),
            None => self.usb.contains_key(port),
        };
        let is_there = |p: &&Physical| {
            nodes.iter().any(|node| Place::of(node) == p.place)
                || (p.is_away() && p.device.port.as_deref().is_some_and(at_port))
        };
        // As long as nobody has looked, it may be there.
        let shows = |place: &&Place| match (place.port(), usb) {
            (Some(port), Some(usb)) => usb.iter().any(|u| u.identity.port == port && is_in_dfu_mode(u)),
            (Some(port), None) => !self.usb_is_known || self.usb.get(port).is_some_and(is_in_dfu_mode),
            (None, _) => false,
        };
        let lost = self.lost.iter().filter(|(place, _)| shows(place));
        let lost = lost.map(|(place, id)| (place.clone(), id.clone()));
        let there = self.devices.values().filter(is_there);
        lost.chain(there.map(|p| (p.place.clone(), p.device.id.clone()))).collect()
    }

    fn appeared(&mut self, found: &Found, plan: Plan, out: &mut VecDeque<Output>) {
        let port = found.nodes.first().and_then(|node| node.port.as_ref());
        let firmware_update = port.and_then(|port| self.usb.get(port)).is_some_and(is_updatable);
        let mut physical = Physical::new(found, plan, firmware_update);
        let Device { id, product, firmware_version: version, .. } = &*physical.device;
        tracing::info!(device = %id, version, "headset attached");
        tracing::debug!(device = %id, product, "in its own words");
        if self.updating.as_ref() == Some(id) {
            if self.returning_until.take().is_none() {
                // It is opened when the job is over.
                physical.open_later();
                physical.set_status(DeviceStatus::Updating);
                physical.report(out);
                self.devices.insert(found.id.clone(), physical);
                return;
            }
            self.updating.set(None);
        }
        physical.report(out);
        physical.open_all(out);
        self.devices.insert(found.id.clone(), physical);
    }

    pub fn opened(
        &mut self,
        path: &str,
        result: Result<(), Problem>,
        now: Instant,
        out: &mut VecDeque<Output>,
    ) {
        let Some(id) = self.at(path) else { return };
        let updating = self.updating.as_ref() == Some(&id);
        let Some(physical) = self.devices.get_mut(&id) else { return };
        if physical.opened(path, result, updating, now) {
            physical.report(out);
        }
        physical.drain(&mut self.last_ticket, out);
    }

    pub fn report_received(&mut self, path: &str, bytes: &[u8], now: Instant, out: &mut VecDeque<Output>) {
        let Some(physical) = self.with(path) else { return };
        physical.report_received(path, bytes, now);
        let id = physical.device.id.clone();
        self.drain(&id, out);
    }

    /// What became of an output report.
    pub fn written(
        &mut self,
        path: &str,
        ticket: u64,
        result: Result<(), Detail>,
        now: Instant,
        out: &mut VecDeque<Output>,
    ) {
        let Some(physical) = self.with(path) else { return };
        physical.written(path, ticket, result, now);
        let id = physical.device.id.clone();
        self.drain(&id, out);
    }

    /// The node is gone, or its reader ended.
    /// Nearly always an unplugged headset. A node that stays but cannot be read must not be opened in a circle.
    pub fn reader_ended(&mut self, path: &str, now: Instant, out: &mut VecDeque<Output>) {
        let (ends, since) = self.ends.entry(path.to_owned()).or_insert((0, now));
        if now.duration_since(*since) > ENDS_WITHIN {
            (*ends, *since) = (0, now);
        }
        *ends += 1;
        let too_often = *ends >= MOST_ENDS;
        match self.at(path) {
            Some(id) if too_often && self.updating.as_ref() != Some(&id) => {
                tracing::warn!(device = %id, path, "reading ends again and again: left alone");
                let problem = Reason::HidUnreadable.at(path);
                if let Some(physical) = self.devices.get_mut(&id)
                    && physical.give_up(path, problem, out)
                {
                    physical.report(out);
                }
            }
            Some(id) => {
                if let Some(physical) = self.devices.get_mut(&id) {
                    physical.close_one(path, out);
                    if physical.is_away() {
                        self.left(&id, out);
                    }
                }
                self.hotplug(now, out);
            }
            None => self.hotplug(now, out),
        }
    }

    /// It is off the bus. For the one that is being updated that is no news.
    fn left(&mut self, id: &str, out: &mut VecDeque<Output>) {
        let Some(physical) = self.devices.get_mut(id) else { return };
        physical.close(out);
        if self.updating.as_deref() == Some(id) {
            return;
        }
        tracing::info!(device = %id, "headset removed");
        self.devices.remove(id);
        out.push_back(Output::news(ToUser::DeviceRemoved { id: id.to_owned() }));
    }

    pub fn set_indicators(
        &mut self,
        id: &str,
        lights: protocol::Indicators,
        now: Instant,
        out: &mut VecDeque<Output>,
    ) {
        let protocol::Indicators { off_hook, ring, mute, hold } = lights;
        let Some(physical) = self.devices.get_mut(id) else { return };
        // While firmware is written nothing else goes to the device.
        if physical.device.status != DeviceStatus::Ready || self.stopping.is_some() {
            return;
        }
        physical.set_indicators(Indicators { off_hook, ring, mute, hold }, now);
        physical.drain(&mut self.last_ticket, out);
    }

    /// The machine slept: a headset that lost its power with it is dark, whatever it took before. One that shows
    /// nothing is left alone, as it may be in another softphone's call.
    pub fn resumed(&mut self, now: Instant, out: &mut VecDeque<Output>) {
        for physical in self.devices.values_mut() {
            let ready = physical.device.status == DeviceStatus::Ready;
            if ready && physical.indicators() != Indicators::default() {
                physical.rewrite(now);
                physical.drain(&mut self.last_ticket, out);
            }
        }
    }

    /// Puts every light out: whoever wants some asks for them again.
    pub fn all_dark(&mut self, now: Instant, out: &mut VecDeque<Output>) {
        let stopping = self.stopping.is_some();
        let lit = |p: &&mut Physical| !stopping && p.indicators() != Indicators::default();
        for physical in self.devices.values_mut().filter(lit) {
            physical.set_indicators(Indicators::default(), now);
            physical.drain(&mut self.last_ticket, out);
        }
    }

    /// Puts every light out, for the end of the program.
    pub fn darken(&mut self, now: Instant, out: &mut VecDeque<Output>) {
        self.stopping = Some(Some(now + LAST_WRITES));
        for physical in self.devices.values_mut() {
            if physical.indicators() != Indicators::default() {
                physical.set_indicators(Indicators::default(), now);
            }
            physical.drain(&mut self.last_ticket, out);
        }
    }

    /// After [`Self::darken`]: every light is out, or there is no more time for it.
    pub fn is_dark(&self) -> bool {
        self.stopping.is_some_and(|until| until.is_none() || self.devices.values().all(Physical::is_settled))
    }

    /// A firmware job takes the device.
    pub fn begin_update(&mut self, id: &str, out: &mut VecDeque<Output>) {
        self.give_up_return(out);
        self.updating.set(Some(id.to_owned()));
        if let Some(physical) = self.devices.get_mut(id) {
            physical.pause();
            if physical.set_status(DeviceStatus::Updating) {
                physical.report(out);
            }
        }
    }

    /// The firmware job gives the device back; it may still be on its way back to the bus. One that `needs_firmware`
    /// is not awaited: who holds its journal shows it.
    pub fn end_update(&mut self, needs_firmware: bool, now: Instant, out: &mut VecDeque<Output>) {
        let Some(id) = self.updating.clone() else { return };
        self.updating.set(None);
        match self.devices.get_mut(&id) {
            None => {}
            Some(physical) if physical.is_away() && needs_firmware => _ = self.devices.remove(&id),
            Some(physical) if physical.is_away() => {
                self.updating.set(Some(id));
                self.returning_until = Some(now + RETURN_WAIT);
            }
            Some(physical) => {
                physical.open_again(out);
                if physical.set_status(DeviceStatus::Ready) {
                    physical.report(out);
                }
                physical.rewrite(now);
                physical.drain(&mut self.last_ticket, out);
            }
        }
        self.hotplug(now, out);
    }

    fn give_up_return(&mut self, out: &mut VecDeque<Output>) {
        if self.returning_until.take().is_some()
            && let Some(id) = self.updating.edit().take()
            && self.devices.remove(&id)
        {
            tracing::info!(device = %id, "headset did not come back from its update");
            out.push_back(Output::news(ToUser::DeviceRemoved { id }));
        }
    }

    pub fn handle_timeout(&mut self, now: Instant, out: &mut VecDeque<Output>) {
        let due = self.rescans.iter().filter(|at| **at <= now).count();
        if due > 0 {
            self.rescans.drain(..due);
            self.look(out);
        }
        if let Some(until) = &mut self.stopping {
            until.take_if(|until| *until <= now);
        }
        if self.returning_until.is_some_and(|until| until <= now) {
            self.give_up_return(out);
        }
        for physical in self.devices.values_mut() {
            if physical.poll_timeout().is_some_and(|(at, _)| at <= now) {
                physical.handle_timeout(now);
                physical.drain(&mut self.last_ticket, out);
            }
        }
    }

    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let rescan = self.rescans.front().map(|at| (*at, "look at the bus again"));
        let returning = self.returning_until.map(|at| (at, "the headset has not come back"));
        let headsets = self.devices.values().filter_map(Physical::poll_timeout);
        let stopping = self.stopping.flatten().map(|at| (at, "lights that do not go out"));
        rescan.into_iter().chain(returning).chain(stopping).chain(headsets).min_by_key(|(at, _)| *at)
    }

    fn usb_scanned(&mut self, usb: Vec<UsbDevice>, out: &mut VecDeque<Output>) -> UsbChanges {
        let now: BTreeMap<String, UsbDevice> =
            usb.into_iter().map(|u| (u.identity.port.clone(), u)).collect();
        let left = self
            .usb
            .iter()
            .filter(|(port, was)| now.get(*port) != Some(was))
            .map(|(p, _)| p.clone())
            .collect();
        let is_new = |(port, is): &(&String, &UsbDevice)| self.usb.get(*port) != Some(is);
        let arrived = now.iter().filter(is_new).map(|(_, is)| is.identity.clone()).collect();
        self.usb.set(now);
        self.usb_is_known = true;
        for (id, physical) in self.devices.iter_mut() {
            let usb = physical.device.port.as_ref().and_then(|port| self.usb.get(port));
            // In DFU mode the interface looks different; the job knows better.
            if self.updating.as_ref() != Some(id) && physical.usb_is(usb) {
                physical.report(out);
            }
        }
        UsbChanges { left, arrived }
    }

    fn at(&self, path: &str) -> Option<DeviceId> {
        self.devices.values().find(|p| p.has(path)).map(|p| p.device.id.clone())
    }

    fn with(&mut self, path: &str) -> Option<&mut Physical> {
        self.devices.values_mut().find(|p| p.has(path))
    }

    fn drain(&mut self, id: &str, out: &mut VecDeque<Output>) {
        if let Some(physical) = self.devices.get_mut(id) {
            physical.drain(&mut self.last_ticket, out);
        }
    }
}

/// What changed on the USB side between two scans.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct UsbChanges {
    /// Ports whose device is gone or has become another one.
    pub left: Vec<String>,
    pub arrived: Vec<UsbIdentity>,
}

fn is_updatable(usb: &UsbDevice) -> bool {
    usb.identity.dfu.as_ref().is_some_and(|d| d.mode == Mode::Runtime && d.functional.can_download)
}

fn is_in_dfu_mode(usb: &UsbDevice) -> bool {
    usb.identity.dfu.as_ref().is_some_and(|dfu| dfu.mode == Mode::Dfu)
}

/// Ids are given to headsets alone: two mice with one serial number are nobody's twins.
fn may_be_headset(node: &HidNode) -> bool {
    let Some(bytes) = &node.descriptor else { return false };
    // A descriptor that does not decode is judged with what is known of the product.
    ReportDescriptor::parse(bytes).map_or(true, |descriptor| descriptor.has_telephony())
        && !registry::describe(node.vendor_id, node.product_id).denied
}

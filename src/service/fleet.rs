//! The headsets that are attached: found by their report descriptor, spoken to through [`Headset`].

use super::{Output, Scan, UsbDevice};
use crate::protocol::{self, Detail, Device, DeviceId, DeviceStatus, Problem, ToAgent};
use device_handlers::description::Description;
use device_handlers::headset::{Event, Headset, Indicators};
use device_handlers::registry;
use device_handlers::report::ReportDescriptor;
use dfu::usb_dfu::{Bcd, Mode, UsbIdentity};
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

mod node;
mod wire;

pub use node::HidNode;
use node::{device_id, text};
use wire::{lights_fail, wire_capabilities, wire_event};

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

#[derive(Debug)]
struct Attached {
    device: Device,
    /// `None` while it is off the bus during an update.
    path: Option<String>,
    description: Description,
    headset: Option<Headset>,
    /// Opening failed; permissions may come a moment after the node, so the next scan tries again.
    reopen: bool,
    /// Of the output report that was handed out and is not answered.
    ticket: Option<u64>,
    /// What the system said of the last refused report.
    refused: Option<Detail>,
}

#[derive(Debug, Default)]
pub struct Fleet {
    devices: BTreeMap<DeviceId, Attached>,
    usb: BTreeMap<String, UsbDevice>,
    rescans: VecDeque<Instant>,
    /// The device a firmware job works on: it may leave and come back without being reported as removed, and
    /// nothing else is written to it.
    updating: Option<DeviceId>,
    /// The job is over; until then the HID node may come back.
    returning_until: Option<Instant>,
    /// Readers that ended of their own, by node, and since when they are counted.
    ends: BTreeMap<String, (u32, Instant)>,
    last_ticket: u64,
    /// The program ends: lights stay out. `None` inside = there is no more time for those that are not.
    stopping: Option<Option<Instant>>,
    pub watches_usb: bool, // headsets without firmware show there alone
}

impl Fleet {
    pub fn devices(&self) -> impl Iterator<Item = &Device> {
        self.devices.values().map(|a| &a.device)
    }

    pub fn device(&self, id: &str) -> Option<&Device> {
        self.devices.get(id).map(|a| &a.device)
    }

    pub fn description(&self, id: &str) -> Option<&Description> {
        self.devices.get(id).map(|a| &a.description)
    }

    /// The device a firmware job works on, or that is on its way back from one.
    pub fn updating(&self) -> Option<&str> {
        self.updating.as_deref()
    }

    /// What is at a USB port, as of the last scan.
    pub fn usb(&self, port: &str) -> Option<&UsbIdentity> {
        self.usb.get(port).map(|u| &u.identity)
    }

    /// Lights on, or the device itself says that it is in a call.
    pub fn in_call(&self, id: &str) -> bool {
        self.devices.get(id).is_some_and(|a| {
            let lights = a.headset.as_ref().map(Headset::indicators).unwrap_or_default();
            a.device.line_busy || lights.off_hook || lights.ring
        })
    }

    /// Whether the USB side of the bus is worth looking at.
    pub fn wants_usb(&self) -> bool {
        self.watches_usb || self.updating.is_some() || self.devices.values().any(|a| a.device.port.is_some())
    }

    pub fn hotplug(&mut self, now: Instant, out: &mut VecDeque<Output>) {
        self.rescans = RESCANS.iter().map(|after| now + *after).collect();
        out.push_back(Output::Scan { usb: self.wants_usb() });
    }

    pub fn scanned(&mut self, scan: Scan, out: &mut VecDeque<Output>) -> UsbChanges {
        let known: BTreeMap<String, DeviceId> =
            self.devices.iter().filter_map(|(id, a)| Some((a.path.clone()?, id.clone()))).collect();
        let paths: Vec<&str> = scan.hid.iter().map(|n| n.path.as_str()).collect();
        self.ends.retain(|path, _| paths.contains(&path.as_str()));
        for (path, id) in &known {
            // A path can be given to another device between two scans.
            let same = scan.hid.iter().any(|n| n.path == *path && device_id(n) == *id);
            if !same || !paths.contains(&path.as_str()) {
                self.lost(path, out);
            }
        }
        let wanted_usb = self.wants_usb();
        for node in scan.hid {
            // Two headsets of one model without serial numbers at unknown ports share an id: the one we speak to
            // stays the one.
            let id = device_id(&node);
            match self.devices.get_mut(&id).filter(|a| a.path.is_some()) {
                None => self.appeared(node, out),
                Some(attached)
                    if attached.reopen
                        && attached.path.as_ref() == Some(&node.path)
                        && self.updating.as_ref() != Some(&id) =>
                {
                    attached.reopen = false;
                    out.push_back(Output::OpenHid { path: node.path });
                }
                Some(_) => {}
            }
        }
        let mut changes = UsbChanges::default();
        if let Some(usb) = scan.usb {
            changes = self.usb_scanned(usb, out);
        } else if !wanted_usb && self.wants_usb() {
            out.push_back(Output::Scan { usb: true });
        }
        changes
    }

    fn appeared(&mut self, node: HidNode, out: &mut VecDeque<Output>) {
        let Some(bytes) = &node.descriptor else { return };
        let description = registry::describe(node.vendor_id, node.product_id);
        if description.denied {
            return;
        }
        let id = device_id(&node);
        if self.devices.get(&id).is_some_and(|a| a.path.is_some()) {
            // A second node of one headset, or a second headset that says the same of itself: the first one is the one
            // we speak to. Taking turns would open each anew with every scan, and read its reports twice.
            tracing::debug!(device = %id, path = %node.path, "another node with the same identity: left alone");
            return;
        }
        let (capabilities, headset, status) = match ReportDescriptor::parse(bytes) {
            Ok(descriptor) if !descriptor.has_telephony() => return,
            Ok(descriptor) => {
                let mut headset = Headset::new(descriptor, &description);
                // Until the node is open.
                headset.pause();
                (Some(headset.capabilities()), Some(headset), DeviceStatus::Ready)
            }
            // Nobody knows whether it is a headset unless we know the product or it names the telephony page.
            Err(error) if description.product.is_none() && !bytes.windows(2).any(|w| w == [0x05, 0x0b]) => {
                tracing::warn!(path = %node.path, %error, "HID node with a descriptor that does not decode: left alone");
                return;
            }
            Err(error) => {
                let problem = Problem::new(
                    "bad-descriptor",
                    format!("Its report descriptor cannot be understood: {error}"),
                    node.path.clone(),
                    "Plug it in again; if that does not help, send a bundle to support.",
                )
                .detail("error", &error);
                (None, None, DeviceStatus::Unavailable { problem })
            }
        };
        let firmware_update = node.port.as_ref().and_then(|p| self.usb.get(p)).is_some_and(is_updatable);
        let device = Device {
            id: id.clone(),
            vendor: text(Some(&description.vendor), &node.manufacturer, "Unknown vendor"),
            product: text(description.product.as_ref(), &node.product, "USB headset"),
            vendor_id: node.vendor_id,
            product_id: node.product_id,
            serial: node.serial.clone(),
            firmware_version: Bcd(node.bcd_device).to_string(),
            port: node.port.clone(),
            capabilities: wire_capabilities(capabilities, firmware_update),
            status,
            line_busy: false,
            problem: None,
        };
        tracing::info!(device = %id, product = %device.product, version = %device.firmware_version, "headset attached");
        let openable = headset.is_some();
        let path = node.path.clone();
        let attached = Attached {
            device,
            path: Some(path.clone()),
            description,
            headset,
            reopen: false,
            ticket: None,
            refused: None,
        };
        self.devices.insert(id.clone(), attached);
        if self.updating.as_ref() == Some(&id) {
            if self.returning_until.take().is_none() {
                // It is opened when the job is over.
                self.set_status(&id, DeviceStatus::Updating, out);
                self.reopen_later(&id);
                return;
            }
            self.updating = None;
        }
        self.report(&id, out);
        if openable {
            out.push_back(Output::OpenHid { path });
        }
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
        match result {
            // The end of the job writes the lights.
            Ok(()) if updating => {}
            Ok(()) => {
                self.set_status(&id, DeviceStatus::Ready, out);
                self.rewrite(&id, now, out);
            }
            Err(problem) => {
                tracing::warn!(device = %id, %problem, "headset cannot be opened");
                self.reopen_later(&id);
                if !updating {
                    self.set_status(&id, DeviceStatus::Unavailable { problem }, out);
                }
            }
        }
    }

    pub fn report_received(&mut self, path: &str, bytes: &[u8], now: Instant, out: &mut VecDeque<Output>) {
        let Some(id) = self.at(path) else { return };
        let Some(headset) = self.devices.get_mut(&id).and_then(|a| a.headset.as_mut()) else { return };
        if let Err(error) = headset.handle_report(bytes, now) {
            tracing::debug!(device = %id, %error, "report ignored");
        }
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
        let Some(id) = self.at(path) else { return };
        // An answer to what a former opening of the node was given says nothing of this one.
        let Some(attached) = self.devices.get_mut(&id) else { return };
        if attached.ticket.take_if(|waiting| *waiting == ticket).is_none() {
            return;
        }
        let taken = result.is_ok();
        if let Err(error) = result {
            tracing::debug!(device = %id, %error, "output report refused");
            attached.refused = Some(error);
        }
        if let Some(headset) = attached.headset.as_mut() {
            headset.written(taken, now);
        }
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
                out.push_back(Output::CloseHid { path: path.to_owned() });
                let problem = Problem::new(
                    "hid-unreadable",
                    "The headset is there, but reading from it ends at once, again and again",
                    path,
                    "Plug it in again, at another port if that does not help.",
                );
                self.set_status(&id, DeviceStatus::Unavailable { problem }, out);
            }
            _ => {
                self.lost(path, out);
                self.hotplug(now, out);
            }
        }
    }

    pub fn lost(&mut self, path: &str, out: &mut VecDeque<Output>) {
        let Some(id) = self.at(path) else { return };
        out.push_back(Output::CloseHid { path: path.to_owned() });
        if self.updating.as_deref() == Some(&id) {
            if let Some(attached) = self.devices.get_mut(&id) {
                attached.path = None;
            }
            return;
        }
        tracing::info!(device = %id, "headset removed");
        self.devices.remove(&id);
        out.push_back(Output::ToAgent(ToAgent::DeviceRemoved { id }));
    }

    pub fn set_indicators(
        &mut self,
        id: &str,
        lights: protocol::Indicators,
        now: Instant,
        out: &mut VecDeque<Output>,
    ) {
        let target =
            Indicators { off_hook: lights.off_hook, ring: lights.ring, mute: lights.mute, hold: lights.hold };
        let Some(attached) = self.devices.get_mut(id) else { return };
        // While firmware is written nothing else goes to the device.
        if attached.device.status != DeviceStatus::Ready || self.stopping.is_some() {
            return;
        }
        if let Some(headset) = attached.headset.as_mut() {
            headset.set_indicators(target, now);
        }
        self.drain(id, out);
    }

    /// Puts every light out, for the end of the program.
    pub fn darken(&mut self, now: Instant, out: &mut VecDeque<Output>) {
        self.stopping = Some(Some(now + LAST_WRITES));
        let ids: Vec<DeviceId> = self.devices.keys().cloned().collect();
        for id in ids {
            if let Some(headset) = self.devices.get_mut(&id).and_then(|a| a.headset.as_mut())
                && headset.indicators() != Indicators::default()
            {
                headset.set_indicators(Indicators::default(), now);
            }
            self.drain(&id, out);
        }
    }

    /// After [`Self::darken`]: every light is out, or there is no more time for it.
    pub fn is_dark(&self) -> bool {
        let settled = |a: &Attached| a.headset.as_ref().is_none_or(Headset::is_settled);
        self.stopping.is_some_and(|until| until.is_none() || self.devices.values().all(settled))
    }

    /// A firmware job takes the device.
    pub fn begin_update(&mut self, id: &str, out: &mut VecDeque<Output>) {
        self.give_up_return(out);
        self.updating = Some(id.to_owned());
        if let Some(attached) = self.devices.get_mut(id) {
            attached.ticket = None;
            if let Some(headset) = attached.headset.as_mut() {
                headset.pause();
            }
        }
        self.set_status(id, DeviceStatus::Updating, out);
    }

    /// The firmware job gives the device back; it may still be on its way back to the bus. One that `needs_firmware`
    /// is not awaited: who holds its journal shows it.
    pub fn end_update(&mut self, needs_firmware: bool, now: Instant, out: &mut VecDeque<Output>) {
        let Some(id) = self.updating.take() else { return };
        match self.devices.get_mut(&id) {
            None => {}
            Some(Attached { path: None, .. }) if needs_firmware => _ = self.devices.remove(&id),
            Some(Attached { path: None, .. }) => {
                self.updating = Some(id);
                self.returning_until = Some(now + RETURN_WAIT);
            }
            Some(Attached { path: Some(path), reopen, .. }) => {
                if std::mem::take(reopen) {
                    out.push_back(Output::OpenHid { path: path.clone() });
                }
                self.set_status(&id, DeviceStatus::Ready, out);
                self.rewrite(&id, now, out);
            }
        }
        self.hotplug(now, out);
    }

    fn give_up_return(&mut self, out: &mut VecDeque<Output>) {
        if self.returning_until.take().is_some()
            && let Some(id) = self.updating.take()
            && self.devices.remove(&id).is_some()
        {
            tracing::info!(device = %id, "headset did not come back from its update");
            out.push_back(Output::ToAgent(ToAgent::DeviceRemoved { id }));
        }
    }

    fn reopen_later(&mut self, id: &str) {
        if let Some(attached) = self.devices.get_mut(id) {
            attached.reopen = attached.headset.is_some();
        }
    }

    fn rewrite(&mut self, id: &str, now: Instant, out: &mut VecDeque<Output>) {
        if let Some(attached) = self.devices.get_mut(id) {
            attached.ticket = None;
            if let Some(headset) = attached.headset.as_mut() {
                headset.rewrite_indicators(now);
            }
        }
        self.drain(id, out);
    }

    pub fn handle_timeout(&mut self, now: Instant, out: &mut VecDeque<Output>) {
        let due = self.rescans.iter().filter(|at| **at <= now).count();
        if due > 0 {
            self.rescans.drain(..due);
            out.push_back(Output::Scan { usb: self.wants_usb() });
        }
        if let Some(until) = &mut self.stopping {
            until.take_if(|until| *until <= now);
        }
        if self.returning_until.is_some_and(|until| until <= now) {
            self.give_up_return(out);
        }
        let ids: Vec<DeviceId> = self.devices.keys().cloned().collect();
        for id in ids {
            if let Some(headset) = self.devices.get_mut(&id).and_then(|a| a.headset.as_mut())
                && headset.poll_timeout().is_some_and(|(at, _)| at <= now)
            {
                headset.handle_timeout(now);
                self.drain(&id, out);
            }
        }
    }

    pub fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        let rescan = self.rescans.front().map(|at| (*at, "look at the bus again"));
        let returning = self.returning_until.map(|at| (at, "the headset has not come back"));
        let headsets = self.devices.values().filter_map(|a| a.headset.as_ref()?.poll_timeout());
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
        self.usb = now;
        let mut changed = Vec::new();
        for (id, attached) in &mut self.devices {
            let at_port = attached.device.port.as_ref().and_then(|p| self.usb.get(p));
            let updatable = at_port.is_some_and(is_updatable);
            // In DFU mode the interface looks different; the job knows better.
            if attached.device.capabilities.firmware_update != updatable && self.updating.as_ref() != Some(id)
            {
                attached.device.capabilities.firmware_update = updatable;
                changed.push(id.clone());
            }
        }
        for id in changed {
            self.report(&id, out);
        }
        UsbChanges { left, arrived }
    }

    fn at(&self, path: &str) -> Option<DeviceId> {
        self.devices.iter().find(|(_, a)| a.path.as_deref() == Some(path)).map(|(id, _)| id.clone())
    }

    fn set_status(&mut self, id: &str, status: DeviceStatus, out: &mut VecDeque<Output>) {
        if let Some(attached) = self.devices.get_mut(id)
            && attached.device.status != status
        {
            attached.device.status = status;
            self.report(id, out);
        }
    }

    fn report(&self, id: &str, out: &mut VecDeque<Output>) {
        if let Some(attached) = self.devices.get(id) {
            out.push_back(Output::ToAgent(ToAgent::DeviceChanged { device: attached.device.clone() }));
        }
    }

    fn drain(&mut self, id: &str, out: &mut VecDeque<Output>) {
        let Some(attached) = self.devices.get_mut(id) else { return };
        let (Some(headset), Some(path)) = (attached.headset.as_mut(), attached.path.as_ref()) else { return };
        let before = (attached.device.line_busy, attached.device.problem.clone());
        while let Some(output) = headset.poll_output() {
            match output {
                device_handlers::headset::Output::Write(bytes) => {
                    self.last_ticket += 1;
                    attached.ticket = Some(self.last_ticket);
                    out.push_back(Output::WriteHid { path: path.clone(), ticket: self.last_ticket, bytes });
                }
                device_handlers::headset::Output::Event(Event::LineBusy(is)) => {
                    attached.device.line_busy = is
                }
                device_handlers::headset::Output::Event(event) => {
                    if let Some(event) = wire_event(event) {
                        tracing::info!(device = %id, ?event, "pressed");
                        out.push_back(Output::ToAgent(ToAgent::DeviceEvent { id: id.to_owned(), event }));
                    }
                }
            }
        }
        match (headset.lights_fail(), &attached.device.problem) {
            (true, None) => {
                let problem = lights_fail(&attached.device.product, attached.refused.take());
                tracing::warn!(device = %id, %problem, "lights");
                attached.device.problem = Some(problem);
            }
            (false, Some(_)) => attached.device.problem = None,
            _ => {}
        }
        if before != (attached.device.line_busy, attached.device.problem.clone()) {
            self.report(id, out);
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

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "a test starts at some instant")]
    use super::*;

    fn headset(path: &str, port: &str) -> HidNode {
        let bus = simulator::Bus::new();
        bus.plug("1-1", simulator::Setup::default());
        let hid = bus.devices().into_iter().find_map(|d| d.hid).expect("a headset has HID");
        HidNode {
            path: path.to_owned(),
            vendor_id: 0x1209,
            product_id: 1,
            bcd_device: 0x0100,
            manufacturer: "M".to_owned(),
            product: "P".to_owned(),
            serial: Some("00000000".to_owned()),
            port: Some(port.to_owned()),
            descriptor: Some(hid.report_descriptor),
        }
    }

    fn scanned(fleet: &mut Fleet, nodes: &[HidNode]) -> Vec<String> {
        let mut out = VecDeque::new();
        fleet.scanned(Scan { hid: nodes.to_vec(), usb: Some(Vec::new()) }, &mut out);
        let opened = out.into_iter().filter_map(|o| match o {
            Output::OpenHid { path } => Some(path),
            _ => None,
        });
        opened.collect()
    }

    #[test]
    fn of_two_headsets_with_one_serial_number_the_first_is_opened_once() {
        let (a, b) = (headset("/dev/hidraw0", "1-1"), headset("/dev/hidraw1", "1-2"));
        let mut fleet = Fleet::default();
        let both = [a.clone(), b.clone()];
        assert_eq!(scanned(&mut fleet, &both), ["/dev/hidraw0"]);
        fleet.opened("/dev/hidraw0", Ok(()), Instant::now(), &mut VecDeque::new());
        for _ in 0..3 {
            assert_eq!(scanned(&mut fleet, &both), [""; 0], "nobody takes turns");
        }
        assert_eq!(scanned(&mut fleet, &[b]), ["/dev/hidraw1"], "the other one when the first is gone");
    }
}

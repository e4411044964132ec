//! One headset with the HID nodes that speak for it. The node with call control carries the calls; another one is
//! opened only for what the nodes before it cannot do, and is heard for that alone.

use super::identity::{Found, Place};
use super::node::{HidNode, plain, text};
use super::plan::{Node, Opening, Plan, is_carried};
use super::wire::{wire_capabilities, wire_event};
use super::{Output, UsbDevice};
use crate::machine::revision::{Revised, Revision};
use crate::problem::Reason;
use crate::protocol::{Detail, Device, DeviceStatus, Problem, ToUser};
use device_handlers::description::Description;
use device_handlers::headset::{self, Event, Indicators, ReportError};
use device_handlers::report::DescriptorError;
use dfu::usb_dfu::Bcd;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A problem that a readable report took back is not told again before this.
const UNREADABLE_AGAIN: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) struct Physical {
    pub(super) device: Revised<Device>,
    pub(super) place: Place,
    pub(super) description: Description,
    /// The first one carries the calls. Empty while the headset is off the bus for an update, or if none is understood.
    nodes: Vec<Node>,
    /// A node whose descriptor is not understood, if there is no other.
    broken: Option<String>,
    /// What the lights should show, also of a node that comes later.
    target: Revised<Indicators>,
}

impl Physical {
    /// Not opened yet.
    pub(super) fn new(found: &Found, plan: Plan, firmware_update: bool) -> Self {
        // `Plan::of` has seen one.
        let first = found.nodes.first();
        let of = |own: fn(&HidNode) -> &str| first.map(own).unwrap_or_default();
        let capabilities = wire_capabilities(plan.capabilities(), firmware_update);
        let status = match &plan.broken {
            None => DeviceStatus::Ready,
            Some((path, error)) => DeviceStatus::Unavailable { problem: bad_descriptor(path, error) },
        };
        let device = Device {
            id: found.id.clone(),
            vendor: text(Some(&plan.description.vendor), of(|n| &n.manufacturer), "Unknown vendor"),
            product: text(plan.description.product.as_ref(), of(|n| &n.product), "USB headset"),
            vendor_id: first.map_or(0, |n| n.vendor_id),
            product_id: first.map_or(0, |n| n.product_id),
            serial: found.nodes.iter().find_map(HidNode::own_serial).map(plain),
            firmware_version: Bcd(first.map_or(0, |n| n.bcd_device)).to_string(),
            port: first.and_then(|n| n.port.clone()),
            capabilities,
            status,
            line_busy: false,
            problem: None,
        };
        let broken = plan.broken.map(|(path, _)| path);
        Self {
            device: Revised::new(device),
            place: found.place.clone(),
            description: plan.description,
            nodes: plan.nodes,
            broken,
            target: Revised::default(),
        }
    }

    /// Moves with all that is seen of it.
    pub(super) fn revision(&self) -> Revision {
        self.device.revision().with(self.target.revision())
    }

    /// Off the bus.
    pub(super) fn is_away(&self) -> bool {
        self.nodes.is_empty() && self.broken.is_none()
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.broken.as_deref() == Some(path) || self.nodes.iter().any(|node| node.path == path)
    }

    pub(super) fn open_all(&mut self, out: &mut VecDeque<Output>) {
        for node in &mut self.nodes {
            node.opening = Opening::Asked;
            out.push_back(Output::OpenHid { path: node.path.clone() });
        }
    }

    /// For the end of a firmware job.
    pub(super) fn open_later(&mut self) {
        for node in &mut self.nodes {
            node.opening = Opening::Again;
        }
    }

    /// Those that could not be opened, once more.
    pub(super) fn open_again(&mut self, out: &mut VecDeque<Output>) {
        for node in self.nodes.iter_mut().filter(|node| node.opening == Opening::Again) {
            node.opening = Opening::Asked;
            out.push_back(Output::OpenHid { path: node.path.clone() });
        }
    }

    /// Whether the plan is for this very headset with the firmware it had, with at least one node that was there before.
    /// Else it has left the bus between two scans, and nothing of it holds.
    pub(super) fn stays(&self, found: &Found, plan: &Plan) -> bool {
        let broken =
            self.broken.is_some() && self.broken == plan.broken.as_ref().map(|(path, _)| path.clone());
        let version = found.nodes.first().map(|node| Bcd(node.bcd_device).to_string());
        self.place == found.place
            && version.is_none_or(|version| version == self.device.firmware_version)
            && (broken || self.nodes.iter().any(|node| plan.has(node)))
    }

    /// Closes the nodes that are not in the plan any more: before anything is opened, as their paths may have gone to
    /// another headset.
    pub(super) fn close_others(&mut self, plan: &Plan, out: &mut VecDeque<Output>) {
        for node in self.nodes.iter().filter(|node| !plan.has(node)) {
            out.push_back(Output::CloseHid { path: node.path.clone() });
        }
        self.nodes.retain(|node| plan.has(node));
    }

    /// A descriptor that could not be read just now is the one that was read before.
    pub(super) fn remembers(&self, node: &HidNode) -> Option<Vec<u8>> {
        let known =
            self.nodes.iter().find(|known| known.path == node.path && self.place == Place::of(node))?;
        Some(known.descriptor.clone())
    }

    /// Takes in the nodes that came, and the parts they play. `false` if nothing is new.
    pub(super) fn replan(&mut self, plan: Plan, updating: bool, out: &mut VecDeque<Output>) -> bool {
        let capabilities = wire_capabilities(plan.capabilities(), self.device.capabilities.firmware_update);
        let same = plan.nodes.len() == self.nodes.len()
            && plan.nodes.iter().zip(&self.nodes).all(|(a, b)| a.path == b.path && a.carries == b.carries);
        if same && capabilities == self.device.capabilities {
            return false;
        }
        let mut old = std::mem::take(&mut self.nodes);
        for mut new in plan.nodes {
            match old.iter().position(|node| node.path == new.path) {
                Some(at) => {
                    let node = old.swap_remove(at);
                    self.nodes.push(Node { carries: new.carries, ..node });
                }
                None => {
                    match updating {
                        true => new.opening = Opening::Again,
                        false => out.push_back(Output::OpenHid { path: new.path.clone() }),
                    }
                    self.nodes.push(new);
                }
            }
        }
        if self.broken.take().is_some() {
            self.device.edit().status = DeviceStatus::Ready;
        }
        self.device.edit().capabilities = capabilities;
        true
    }

    /// Closes everything.
    pub(super) fn close(&mut self, out: &mut VecDeque<Output>) {
        for path in self.nodes.drain(..).map(|node| node.path).chain(self.broken.take()) {
            out.push_back(Output::CloseHid { path });
        }
    }

    /// One node is gone; what becomes of the others shows the next scan.
    pub(super) fn close_one(&mut self, path: &str, out: &mut VecDeque<Output>) {
        self.nodes.retain(|node| node.path != path);
        self.broken.take_if(|broken| broken == path);
        out.push_back(Output::CloseHid { path: path.to_owned() });
    }

    /// Reading ends again and again.
    pub(super) fn give_up(&mut self, path: &str, problem: Problem, out: &mut VecDeque<Output>) -> bool {
        out.push_back(Output::CloseHid { path: path.to_owned() });
        let Some(at) = self.nodes.iter().position(|node| node.path == path) else { return false };
        let node = &mut self.nodes[at];
        node.opening = Opening::GivenUp;
        node.ticket = None;
        node.headset.pause();
        // Without the first one there are no calls.
        if at == 0 { self.set_status(DeviceStatus::Unavailable { problem }) } else { false }
    }

    /// Whether the device changed. While updating the end of the job writes the lights.
    pub(super) fn opened(
        &mut self,
        path: &str,
        result: Result<(), Problem>,
        updating: bool,
        now: Instant,
    ) -> bool {
        let Some(at) = self.nodes.iter().position(|node| node.path == path) else { return false };
        let node = &mut self.nodes[at];
        match result {
            Ok(()) if updating => false,
            Ok(()) => {
                node.reopened(*self.target, now);
                if at == 0 { self.set_status(DeviceStatus::Ready) } else { false }
            }
            Err(problem) => {
                tracing::warn!(device = %self.device.id, why = %problem, "headset cannot be opened");
                node.opening = Opening::Again;
                match at == 0 && !updating {
                    true => self.set_status(DeviceStatus::Unavailable { problem }),
                    false => false,
                }
            }
        }
    }

    pub(super) fn report_received(&mut self, path: &str, bytes: &[u8], now: Instant) {
        let Some(node) = self.nodes.iter_mut().find(|node| node.path == path) else { return };
        let unreadable = &mut node.unreadable;
        match node.headset.handle_report(bytes, now) {
            Ok(()) => (unreadable.heard, unreadable.error) = (true, None),
            Err(error) => {
                tracing::debug!(device = %self.device.id, %error, "report ignored");
                // A device may have reports of its own that it declares nowhere; one of which nothing else is
                // understood speaks another language.
                let tell = matches!(error, ReportError::TooShort { .. }) || !unreadable.heard;
                let again = unreadable.told.is_none_or(|at| now.duration_since(at) >= UNREADABLE_AGAIN);
                if tell && again && unreadable.error.is_none() {
                    tracing::warn!(device = %self.device.id, %error, "report cannot be read");
                    (unreadable.error, unreadable.told) = (Some(error), Some(now));
                }
            }
        }
    }

    pub(super) fn written(&mut self, path: &str, ticket: u64, result: Result<(), Detail>, now: Instant) {
        let Some(node) = self.nodes.iter_mut().find(|node| node.path == path) else { return };
        // An answer to what a former opening of the node was given says nothing of this one.
        if node.ticket.take_if(|waiting| *waiting == ticket).is_none() {
            return;
        }
        let taken = result.is_ok();
        if let Err(error) = result {
            tracing::debug!(device = %self.device.id, %error, "output report refused");
            node.refused = Some(error);
        }
        node.headset.written(taken, now);
    }

    pub(super) fn set_indicators(&mut self, target: Indicators, now: Instant) {
        self.target.set(target);
        for node in &mut self.nodes {
            node.headset.set_indicators(target, now);
        }
    }

    pub(super) fn indicators(&self) -> Indicators {
        *self.target
    }

    pub(super) fn pause(&mut self) {
        for node in &mut self.nodes {
            node.ticket = None;
            node.headset.pause();
        }
    }

    /// Nodes that are open, at the end of a firmware job.
    pub(super) fn rewrite(&mut self, now: Instant) {
        for node in self.nodes.iter_mut().filter(|node| node.opening == Opening::Asked) {
            node.reopened(*self.target, now);
        }
    }

    pub(super) fn is_settled(&self) -> bool {
        self.nodes.iter().all(|node| node.headset.is_settled())
    }

    pub(super) fn poll_timeout(&self) -> Option<(Instant, &'static str)> {
        self.nodes.iter().filter_map(|node| node.headset.poll_timeout()).min_by_key(|(at, _)| *at)
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        for node in &mut self.nodes {
            if node.headset.poll_timeout().is_some_and(|(at, _)| at <= now) {
                node.headset.handle_timeout(now);
            }
        }
    }

    pub(super) fn usb_is(&mut self, usb: Option<&UsbDevice>) -> bool {
        let updatable = usb.is_some_and(super::is_updatable);
        let changed = self.device.capabilities.firmware_update != updatable;
        if changed {
            self.device.edit().capabilities.firmware_update = updatable;
        }
        changed
    }

    /// A headset that is not ready is dark for those who say what it shows: they say it again when it is.
    pub(super) fn set_status(&mut self, status: DeviceStatus) -> bool {
        if status != DeviceStatus::Ready {
            self.target.set(Indicators::default());
        }
        let changed = self.device.status != status;
        if changed {
            self.device.edit().status = status;
        }
        changed
    }

    /// Hands on what the nodes have to say.
    pub(super) fn drain(&mut self, last_ticket: &mut u64, out: &mut VecDeque<Output>) {
        let (id, product) = (&self.device.id, &self.device.product);
        let mut line_busy = self.device.line_busy;
        for (at, node) in self.nodes.iter_mut().enumerate() {
            while let Some(output) = node.headset.poll_output() {
                match output {
                    headset::Output::Write(bytes) => {
                        *last_ticket += 1;
                        node.ticket = Some(*last_ticket);
                        let (path, ticket) = (node.path.clone(), *last_ticket);
                        out.push_back(Output::WriteHid { path, ticket, bytes });
                    }
                    headset::Output::Event(event) if at > 0 && !is_carried(node.carries, event) => {}
                    headset::Output::Event(Event::LineBusy(is)) => line_busy = is,
                    headset::Output::Event(event) => {
                        if let Some(event) = wire_event(event) {
                            tracing::info!(device = %id, ?event, "pressed");
                            out.push_back(Output::news(ToUser::DeviceEvent { id: id.clone(), event }));
                        }
                    }
                }
            }
        }
        let was = self.device.problem.as_ref();
        let problem = self.nodes.iter_mut().find_map(|node| node.trouble(product, was));
        if let Some(problem) = problem.as_ref().filter(|is| Some(*is) != was) {
            tracing::warn!(device = %id, why = %problem, "headset");
        }
        if (line_busy, &problem) != (self.device.line_busy, &self.device.problem) {
            let device = self.device.edit();
            (device.line_busy, device.problem) = (line_busy, problem);
            self.report(out);
        }
    }

    pub(super) fn report(&self, out: &mut VecDeque<Output>) {
        out.push_back(Output::news(ToUser::DeviceChanged { device: Device::clone(&self.device) }));
    }
}

fn bad_descriptor(path: &str, error: &DescriptorError) -> Problem {
    Reason::BadDescriptor { error: error.into() }.at(path)
}

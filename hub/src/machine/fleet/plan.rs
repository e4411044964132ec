//! What the HID nodes of a headset come to: which of them are opened, and what each of them is heard for.

use super::identity::Found;
use super::node::HidNode;
use super::wire::{cannot_read, lights_fail};
use crate::problem::Code;
use crate::protocol::{Detail, Problem};
use device_handlers::description::Description;
use device_handlers::headset::{Event, Headset, Indicators, ReportError};
use device_handlers::registry;
use device_handlers::report::{Capabilities, DescriptorError, ReportDescriptor};
use std::time::Instant;

#[derive(Debug)]
pub(super) struct Node {
    pub(super) path: String,
    pub(super) descriptor: Vec<u8>,
    pub(super) headset: Headset,
    /// What it does that no node before it does.
    pub(super) carries: Capabilities,
    pub(super) opening: Opening,
    /// Of the output report that was handed out and is not answered.
    pub(super) ticket: Option<u64>,
    /// What the system said of the last refused report.
    pub(super) refused: Option<Detail>,
    pub(super) unreadable: Unreadable,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opening {
    /// Asked for, or done.
    Asked,
    /// It failed, or waits for the end of a firmware job; permissions may come a moment after the node, so the next
    /// scan tries again.
    Again,
    /// Reading from it ends again and again: not before it was away.
    GivenUp,
}

#[derive(Debug, Default)]
pub(super) struct Unreadable {
    /// A readable report has come since the node was opened.
    pub(super) heard: bool,
    pub(super) error: Option<ReportError>,
    pub(super) told: Option<Instant>,
}

/// What the nodes of a headset come to.
pub(super) struct Plan {
    pub(super) description: Description,
    pub(super) nodes: Vec<Node>,
    pub(super) broken: Option<(String, DescriptorError)>,
}

impl Plan {
    /// `None` if none of them is a headset that may be touched.
    pub(super) fn of(found: &Found) -> Option<Self> {
        let first = found.nodes.first()?;
        let description = registry::describe(first.vendor_id, first.product_id);
        if description.denied {
            return None;
        }
        let mut broken = None;
        let mut nodes: Vec<Node> = Vec::new();
        for node in &found.nodes {
            let Some(bytes) = &node.descriptor else { continue };
            match ReportDescriptor::parse(bytes) {
                Ok(descriptor) if !descriptor.has_telephony() => {}
                Ok(descriptor) => nodes.push(Node::new(node, bytes, descriptor, &description)),
                // Nobody knows whether it is a headset unless we know the product or it names the telephony page.
                Err(error)
                    if description.product.is_none() && !bytes.windows(2).any(|w| w == [0x05, 0x0b]) =>
                {
                    tracing::warn!(path = %node.path, %error, "HID node with a descriptor that does not decode: left alone");
                }
                Err(error) => broken = broken.or(Some((node.path.clone(), error))),
            }
        }
        // A stable sort: of equals the first in the order of the nodes.
        nodes.sort_by_key(|node| std::cmp::Reverse(worth(node.headset.capabilities())));
        let mut carried = Capabilities::default();
        let mut first = true;
        nodes.retain_mut(|node| {
            node.carries = without(node.headset.capabilities(), carried);
            carried = either(carried, node.carries);
            std::mem::take(&mut first) || node.carries != Capabilities::default()
        });
        if nodes.is_empty() && broken.is_none() {
            return None;
        }
        Some(Self { description, broken: broken.filter(|_| nodes.is_empty()), nodes })
    }

    pub(super) fn has(&self, node: &Node) -> bool {
        self.nodes.iter().any(|new| new.path == node.path && new.descriptor == node.descriptor)
    }

    pub(super) fn capabilities(&self) -> Option<Capabilities> {
        let all = self.nodes.iter().map(|node| node.headset.capabilities());
        all.reduce(either)
    }
}

/// A node with call control before one without, then one with mute, then whoever can do more.
fn worth(of: Capabilities) -> (bool, bool, usize) {
    let Capabilities { call_control, mute_sync, ring, hold, reject, redial, line_busy, teams } = of;
    let more = [ring, hold, reject, redial, line_busy, teams];
    (call_control, mute_sync, more.into_iter().filter(|has| *has).count())
}

fn both(a: Capabilities, b: Capabilities, of: impl Fn(bool, bool) -> bool) -> Capabilities {
    Capabilities {
        call_control: of(a.call_control, b.call_control),
        mute_sync: of(a.mute_sync, b.mute_sync),
        ring: of(a.ring, b.ring),
        hold: of(a.hold, b.hold),
        reject: of(a.reject, b.reject),
        redial: of(a.redial, b.redial),
        line_busy: of(a.line_busy, b.line_busy),
        teams: of(a.teams, b.teams),
    }
}

fn either(a: Capabilities, b: Capabilities) -> Capabilities {
    both(a, b, |a, b| a || b)
}

fn without(a: Capabilities, b: Capabilities) -> Capabilities {
    both(a, b, |a, b| a && !b)
}

/// Whether a node that is not the first one is heard.
pub(super) fn is_carried(by: Capabilities, event: Event) -> bool {
    match event {
        Event::Answer | Event::HangUp | Event::DialTone => by.call_control,
        Event::Reject => by.reject,
        Event::HoldToggle => by.hold,
        Event::MuteToggle | Event::MuteState(_) => by.mute_sync,
        Event::Redial => by.redial,
        Event::LineBusy(_) => by.line_busy,
        Event::TeamsButton => by.teams,
    }
}

impl Node {
    pub(super) fn new(
        node: &HidNode,
        bytes: &[u8],
        descriptor: ReportDescriptor,
        description: &Description,
    ) -> Self {
        let mut headset = Headset::new(descriptor, description);
        // Until it is open.
        headset.pause();
        Self {
            path: node.path.clone(),
            descriptor: bytes.to_vec(),
            headset,
            carries: Capabilities::default(),
            opening: Opening::Asked,
            ticket: None,
            refused: None,
            unreadable: Unreadable::default(),
        }
    }

    pub(super) fn reopened(&mut self, target: Indicators, now: Instant) {
        self.ticket = None;
        self.unreadable = Unreadable::default();
        if self.headset.indicators() != target {
            self.headset.set_indicators(target, now);
        }
        self.headset.rewrite_indicators(now);
    }

    pub(super) fn trouble(&mut self, product: &str, was: Option<&Problem>) -> Option<Problem> {
        if self.headset.lights_fail() {
            // The words of the first time stay: what is told does not flicker.
            let told = was.filter(|p| p.code == Code::LightsNotTaken).cloned();
            return Some(told.unwrap_or_else(|| lights_fail(product, self.refused.take())));
        }
        self.unreadable.error.as_ref().map(|error| cannot_read(product, error))
    }
}

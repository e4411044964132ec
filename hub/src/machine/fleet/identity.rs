//! HID nodes into physical headsets, and for each an id that never changes hands.
//!
//! A headset is all nodes of one product at one port; where the system tells no port, all with one serial number, else
//! the node itself. Its id is `vvvv-pppp-` and its serial number, or the port where there is none. A serial number that
//! two headsets have at once, as cheap ones do, says nothing: the headset that had the id keeps it at its port, every
//! other one gets its own port appended (`…~1-2`). Which port has the id is remembered for good, over restarts too, as
//! the twins could come back in any order. `~` is in no serial number and no port as it is written here, so none of
//! these spellings can be another's.

use super::node::HidNode;
use crate::protocol::DeviceId;
use std::collections::{BTreeMap, BTreeSet};

/// Characters of a serial number that an id shows.
const MAX_SERIAL: usize = 64;
/// Ids with twins that are remembered.
const MAX_HOMES: usize = 64;

/// What tells one physical headset from another while both are attached.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    Port { port: String, vendor_id: u16, product_id: u16 },
    Serial { serial: String, vendor_id: u16, product_id: u16 },
    Path(String),
}

impl Place {
    pub(super) fn of(node: &HidNode) -> Self {
        let (vendor_id, product_id) = (node.vendor_id, node.product_id);
        match (&node.port, node.own_serial()) {
            (Some(port), _) => Self::Port { port: port.clone(), vendor_id, product_id },
            (None, Some(serial)) => Self::Serial { serial: serial.to_owned(), vendor_id, product_id },
            (None, None) => Self::Path(node.path.clone()),
        }
    }

    pub(super) fn port(&self) -> Option<&str> {
        match self {
            Self::Port { port, .. } => Some(port),
            Self::Serial { .. } | Self::Path(_) => None,
        }
    }
}

/// Ids that more than one headset laid claim to, and the port whose headset has it.
pub type Homes = BTreeMap<DeviceId, String>;

/// A headset, or another HID device, with its nodes in an order that does not depend on the bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub id: DeviceId,
    pub place: Place,
    pub nodes: Vec<HidNode>,
}

/// Groups nodes and names the groups. `present` are the headsets that are attached, or away for an update: they keep
/// their ids. What has to be remembered is added to `homes`.
pub fn assemble(nodes: Vec<HidNode>, present: &BTreeMap<Place, DeviceId>, homes: &mut Homes) -> Vec<Found> {
    let mut groups: BTreeMap<Place, Vec<HidNode>> = BTreeMap::new();
    for node in nodes {
        groups.entry(Place::of(&node)).or_default().push(node);
    }
    let mut taken: BTreeMap<DeviceId, Place> =
        present.iter().map(|(place, id)| (id.clone(), place.clone())).collect();
    let mut found = Vec::new();
    // Those that are known first: nobody takes an id from a headset that is there.
    let (known, new): (Vec<_>, Vec<_>) =
        groups.into_iter().partition(|(place, _)| present.contains_key(place));
    for (place, mut nodes) in known.into_iter().chain(new) {
        nodes.sort_by_key(HidNode::order);
        nodes.dedup_by(|a, b| a.path == b.path);
        let claim = claim(&nodes);
        let id = match present.get(&place).filter(|id| is_of(id, &claim)) {
            Some(id) => id.clone(),
            None => name(&claim, &place, &taken, homes),
        };
        taken.insert(id.clone(), place.clone());
        found.push(Found { id, place, nodes });
    }
    found
}

/// The id of a headset at `port` whose own one (`id`) another headset has got meanwhile: the one that it will have when
/// it works again.
pub fn beside(id: &str, has_serial: bool, vendor_id: u16, product_id: u16, port: &str) -> DeviceId {
    let port = written(port).0;
    match has_serial {
        true => format!("{id}~{port}"),
        false => format!("{vendor_id:04x}-{product_id:04x}-{port}"),
    }
}

/// The claim itself, or the claim with something appended.
fn is_of(id: &str, claim: &str) -> bool {
    id.strip_prefix(claim).is_some_and(|rest| rest.is_empty() || rest.starts_with('~'))
}

fn name(claim: &str, place: &Place, taken: &BTreeMap<DeviceId, Place>, homes: &mut Homes) -> DeviceId {
    let is_free = |id: &str| taken.get(id).is_none_or(|by| by == place);
    let at_home = homes.get(claim).is_none_or(|home| place.port() == Some(home));
    if at_home && is_free(claim) {
        return claim.to_owned();
    }
    if let Some(home) = taken.get(claim).and_then(Place::port)
        && homes.len() < MAX_HOMES
    {
        homes.entry(claim.to_owned()).or_insert_with(|| home.to_owned());
    }
    let apart = place.port().map(|port| format!("{claim}~{}", written(port).0));
    let counted = (2..).map(|n: u32| format!("{claim}~{n}"));
    apart.into_iter().chain(counted).find(|id| is_free(id)).unwrap_or_else(|| claim.to_owned())
}

/// The id of a headset that is alone with its serial number: stable across re-plugging, or across re-plugging into the
/// same port where it has none.
fn claim(nodes: &[HidNode]) -> DeviceId {
    let Some(first) = nodes.first() else { return DeviceId::new() };
    let serial = nodes.iter().filter_map(HidNode::own_serial).collect::<BTreeSet<_>>().pop_first();
    let distinct = match (serial, &first.port) {
        (Some(serial), _) => match written(serial) {
            // It could be a port, or stand for none: those have to be told apart.
            (text, false) if reads_as_port(&text) || text == "0" => format!("{text}~s"),
            (text, false) => text,
            // Two serial numbers can come to the same text.
            (text, true) => format!("{text}~{:08x}", fnv1a(serial)),
        },
        (None, Some(port)) => written(port).0,
        (None, None) => "0".to_owned(),
    };
    format!("{:04x}-{:04x}-{distinct}", first.vendor_id, first.product_id)
}

/// In the letters of an id, and whether that changed it.
fn written(text: &str) -> (String, bool) {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    let written = text.chars().take(MAX_SERIAL).map(|c| if fits(c) { c } else { '_' }).collect();
    let changed = written != text;
    (written, changed)
}

fn reads_as_port(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    text.split_once('-').is_some_and(|(bus, ports)| digits(bus) && ports.split('.').all(digits))
}

/// FNV-1a, 32 bits: keeps apart what nobody tries to confuse. Who does gets a port appended.
fn fnv1a(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

//! The descriptions that come with the program, embedded at build time.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::description::{Description, Family, FirmwareSupport};

/// File name below `devices/` and text.
const EMBEDDED: &[(&str, &str)] = &[
    ("boya/mini-2.toml", include_str!("../devices/boya/mini-2.toml")),
    ("hookswitch/simulator.toml", include_str!("../devices/hookswitch/simulator.toml")),
    ("jabra/engage.toml", include_str!("../devices/jabra/engage.toml")),
    ("jabra/evolve.toml", include_str!("../devices/jabra/evolve.toml")),
    ("jabra/link.toml", include_str!("../devices/jabra/link.toml")),
    ("jabra/speak.toml", include_str!("../devices/jabra/speak.toml")),
    ("poly/adapters.toml", include_str!("../devices/poly/adapters.toml")),
    ("poly/blackwire.toml", include_str!("../devices/poly/blackwire.toml")),
    ("poly/cx.toml", include_str!("../devices/poly/cx.toml")),
    ("poly/voyager.toml", include_str!("../devices/poly/voyager.toml")),
];

#[derive(Debug, Default)]
struct Registry {
    products: BTreeMap<(u16, u16), Description>,
    vendors: BTreeMap<u16, String>,
}

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| {
    let mut registry = Registry::default();
    for (name, text) in EMBEDDED {
        let family = Family::parse(text)
            .unwrap_or_else(|error| panic!("invariant: embedded description {name} is valid: {error:?}"));
        for model in &family.model {
            for pid in &model.pids {
                registry.products.insert((family.vid, *pid), family.describe(model));
            }
        }
        registry.vendors.insert(family.vid, family.vendor);
    }
    registry
});

/// What is known of a product. Always answers: of an unknown product of a known vendor the vendor's name is given,
/// of any other nothing but the defaults.
#[must_use]
pub fn describe(vid: u16, pid: u16) -> Description {
    if let Some(description) = REGISTRY.products.get(&(vid, pid)) {
        return description.clone();
    }
    Description { vendor: REGISTRY.vendors.get(&vid).cloned().unwrap_or_default(), ..Description::default() }
}

/// How firmware gets into the product that has this id while it runs, or while it takes firmware.
#[must_use]
pub fn firmware(vid: u16, pid: u16) -> FirmwareSupport {
    if let Some(description) = REGISTRY.products.get(&(vid, pid)) {
        return description.firmware.clone();
    }
    let of_vendor = REGISTRY.products.range((vid, 0)..=(vid, u16::MAX));
    let bootloader =
        of_vendor.map(|(_, product)| &product.firmware).find(|firmware| firmware.dfu_pids.contains(&pid));
    bootloader.cloned().unwrap_or_default()
}

/// Every product id of the embedded descriptions with its description, in order of the ids.
pub fn all() -> impl Iterator<Item = ((u16, u16), &'static Description)> {
    REGISTRY.products.iter().map(|(ids, description)| (*ids, description))
}

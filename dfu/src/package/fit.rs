//! Whether a package can do what is promised of it.

use super::{Component, Package, Target};
use crate::image::{Image, WILDCARD};
use crate::version::FirmwareVersion;

/// A device that a package is to be written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// The ids of its normal operation.
    pub target: Target,
    /// Product ids under which it takes firmware, as far as they are known.
    pub dfu_pids: Vec<u16>,
}

/// Why a package that is whole is not written to a device all the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// The rules do not name the product.
    #[error("it is not for the product {:04x}:{:04x}", .product.vid, .product.pid)]
    OtherProduct {
        /// The product it is wanted for.
        product: Target,
    },
    /// Packages of one component are written, no others.
    #[error("{count} components, this agent writes packages of one")]
    Components {
        /// How many it has.
        count: usize,
    },
    /// The component has another version than is wanted.
    #[error("it holds version {found}, the policy names {wanted}")]
    OtherVersion {
        /// The version by the rules.
        found: FirmwareVersion,
        /// The version wanted.
        wanted: FirmwareVersion,
    },
    /// Of a package of one component there is one version, wherever it is read.
    #[error("it calls itself version {package}, its component has {component}")]
    TwoVersions {
        /// The version of the package as a whole.
        package: FirmwareVersion,
        /// The version of its only component.
        component: FirmwareVersion,
    },
    /// The DFU suffix names another device than the rules.
    #[error(
        "component {id:?}: by its DFU suffix the firmware is for {:04x}:{:04x}, not for {:04x}:{:04x}",
        .suffix.vid, .suffix.pid, .product.vid, .product.pid
    )]
    SuffixProduct {
        /// Component.
        id: String,
        /// The device of the suffix.
        suffix: Target,
        /// The product it is wanted for.
        product: Target,
    },
    /// The DFU suffix names another version than the rules.
    #[error("component {id:?}: by its DFU suffix the firmware has version {suffix}, by the rules {stated}")]
    SuffixVersion {
        /// Component.
        id: String,
        /// The version by the suffix.
        suffix: FirmwareVersion,
        /// The version by the rules.
        stated: FirmwareVersion,
    },
    /// A charge is asked for that nobody can read.
    #[error("it asks for a charge of {percent} %, this agent cannot read the charge of a headset")]
    Battery {
        /// The charge it asks for.
        percent: u8,
    },
}

impl Package {
    /// All that keeps this package from being written to `products`, and from becoming their version `wanted` (if any
    /// is).
    #[must_use]
    pub fn misfits(&self, products: &[Product], wanted: Option<FirmwareVersion>) -> Vec<Misfit> {
        let mut out = Vec::new();
        let named = |product: &&Product| self.rules.targets.contains(&product.target);
        for Product { target, .. } in products.iter().filter(|product| !named(product)) {
            out.push(Misfit::OtherProduct { product: *target });
        }
        let count = self.rules.components.len();
        if count != 1 {
            out.push(Misfit::Components { count });
        }
        if let Some(percent) = self.rules.battery_percent_minimum.filter(|percent| *percent > 0) {
            out.push(Misfit::Battery { percent });
        }
        for component in &self.rules.components {
            let (found, package) = (component.version, self.rules.version);
            if count == 1 && package != found {
                out.push(Misfit::TwoVersions { package, component: found });
            }
            if let Some(wanted) = wanted.filter(|wanted| count == 1 && *wanted != found) {
                out.push(Misfit::OtherVersion { found, wanted });
            }
            if let Some(image) = self.component_image(&component.id) {
                let products = products.iter().filter(named);
                suffix_misfits(component, image, products, &mut out);
            }
        }
        out
    }
}

fn suffix_misfits<'a>(
    component: &Component,
    image: &Image,
    products: impl Iterator<Item = &'a Product>,
    out: &mut Vec<Misfit>,
) {
    let Some(suffix) = image.suffix else { return };
    for Product { target, dfu_pids } in products {
        let pid_fits = [WILDCARD, target.pid].contains(&suffix.pid) || dfu_pids.contains(&suffix.pid);
        if ![WILDCARD, target.vid].contains(&suffix.vid) || !pid_fits {
            let (id, product) = (component.id.clone(), *target);
            out.push(Misfit::SuffixProduct {
                id,
                suffix: Target { vid: suffix.vid, pid: suffix.pid },
                product,
            });
        }
    }
    // The value that stands for any version is none.
    let stated = component.version;
    if let Some(suffix) = FirmwareVersion::from_bcd(suffix.bcd_device).ok().filter(|found| *found != stated) {
        out.push(Misfit::SuffixVersion { id: component.id.clone(), suffix, stated });
    }
}

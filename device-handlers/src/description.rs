//! What a report descriptor cannot say about a model: its name, deviations and firmware method.
//!
//! [`Description`] is what the rest of the program sees; [`Family`] is one file of `devices/<vendor>/`.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Deserialize;

use crate::deviations::{DeviationError, UsbDfuDeviations};
use crate::quirk::Quirk;

/// Longest wait for a device to come back after it left, if the data says nothing.
pub const DEFAULT_REENUMERATE_TIMEOUT: Duration = Duration::from_secs(10);

/// What is known of a product. Every product has one; of an unknown product all is default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Description {
    /// Empty = vendor not known; the USB strings are the better source then.
    pub vendor: String,
    pub product: Option<String>,
    pub quirks: BTreeSet<Quirk>,
    pub firmware: FirmwareSupport,
    /// Declares telephony but is no headset: not to be listed as one.
    pub denied: bool,
}

impl Description {
    #[must_use]
    pub fn has(&self, quirk: Quirk) -> bool {
        self.quirks.contains(&quirk)
    }
}

/// How firmware gets into the product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirmwareSupport {
    /// The name of the transfer protocol; a fact also where this program does not speak it. `None` = none is known for
    /// this model.
    pub method: Option<String>,
    /// Product ids under which the device enumerates while it takes firmware, besides its own.
    pub dfu_pids: Vec<u16>,
    /// Longest wait for the device to come back after it left the bus.
    pub reenumerate_timeout: Duration,
    pub usb_dfu: UsbDfuDeviations,
}

impl Default for FirmwareSupport {
    fn default() -> Self {
        Self {
            method: None,
            dfu_pids: Vec::new(),
            reenumerate_timeout: DEFAULT_REENUMERATE_TIMEOUT,
            usb_dfu: UsbDfuDeviations::default(),
        }
    }
}

/// One file of `devices/<vendor>/`: models that share a vendor id. Unknown keys are errors.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Family {
    /// Name shown to people.
    pub vendor: String,
    /// USB vendor id.
    pub vid: u16,
    /// Deviations of all models in the file. Default: none.
    #[serde(default)]
    pub quirks: BTreeSet<Quirk>,
    /// Firmware of all models in the file that say nothing themselves. Default: [`FirmwareSection::default`].
    #[serde(default)]
    pub firmware: FirmwareSection,
    /// At least one.
    pub model: Vec<Model>,
}

/// One product name and the product ids it is sold under.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Name shown to people, without the vendor's.
    pub product: String,
    /// USB product ids of the running device; a bootloader's belong into `firmware.dfu_pids`.
    pub pids: Vec<u16>,
    /// Where the ids and the name come from.
    pub source: String,
    /// Deviations besides those of the file. Default: none.
    #[serde(default)]
    pub quirks: BTreeSet<Quirk>,
    /// Declares telephony but is no headset. Default: false.
    #[serde(default)]
    pub denied: bool,
    /// Replaces the file's section as a whole. Default: the file's.
    pub firmware: Option<FirmwareSection>,
}

/// The `firmware` section of a file or a model.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FirmwareSection {
    /// `usb-dfu` = USB Device Firmware Upgrade 1.1, entered by DFU_DETACH. Default: none is known.
    pub method: Option<String>,
    /// Product ids of the bootloader. Default: the device keeps its own.
    pub dfu_pids: Vec<u16>,
    /// Default: 10 000.
    pub reenumerate_timeout_ms: u32,
    /// With the method `usb-dfu` alone. Default: as DFU 1.1 has it.
    pub usb_dfu: UsbDfuDeviations,
}

impl Default for FirmwareSection {
    fn default() -> Self {
        Self {
            method: None,
            dfu_pids: Vec::new(),
            reenumerate_timeout_ms: 10_000,
            usb_dfu: UsbDfuDeviations::default(),
        }
    }
}

impl From<&FirmwareSection> for FirmwareSupport {
    fn from(section: &FirmwareSection) -> Self {
        Self {
            method: section.method.clone(),
            dfu_pids: section.dfu_pids.clone(),
            reenumerate_timeout: Duration::from_millis(u64::from(section.reenumerate_timeout_ms)),
            usb_dfu: section.usb_dfu.clone(),
        }
    }
}

/// Why a description file is not usable.
#[derive(Debug, thiserror::Error)]
pub enum DescriptionError {
    #[error("description does not parse")]
    Toml(#[from] toml::de::Error),
    #[error("vendor is empty")]
    NoVendor,
    #[error("no model is listed")]
    NoModel,
    #[error("model {product:?} lists no product id")]
    NoProductId { product: String },
    #[error("a model of vendor {vendor} has no name")]
    NoProductName { vendor: String },
    #[error("model {product:?} states no source")]
    NoSource { product: String },
    #[error("product id {pid:04x} is listed twice")]
    ProductIdTwice { pid: u16 },
    #[error("product id {pid:04x} is listed as a running device and as a bootloader")]
    BootloaderIsModel { pid: u16 },
    #[error("firmware.reenumerate_timeout_ms is {came_ms}, expected 1000 to 900000")]
    ReenumerateTimeout { came_ms: u32 },
    #[error("firmware.method is {came:?}, expected 1 to 32 of a-z, 0-9 and -")]
    Method { came: String },
    #[error("firmware.usb_dfu: {0}")]
    UsbDfu(#[from] DeviationError),
    #[error("model {product:?}: mute-is-toggle and mute-is-state exclude each other")]
    MuteBothWays { product: String },
}

impl Family {
    /// Reads one file and applies every check.
    ///
    /// # Errors
    /// [`DescriptionError`] names the first check that failed.
    pub fn parse(text: &str) -> Result<Self, DescriptionError> {
        let family: Self = toml::from_str(text)?;
        family.check_names()?;
        family.check_product_ids()?;
        family.check_firmware()?;
        family.check_quirks()?;
        Ok(family)
    }

    fn check_names(&self) -> Result<(), DescriptionError> {
        if self.vendor.trim().is_empty() {
            return Err(DescriptionError::NoVendor);
        }
        if self.model.is_empty() {
            return Err(DescriptionError::NoModel);
        }
        for model in &self.model {
            if model.product.trim().is_empty() {
                return Err(DescriptionError::NoProductName { vendor: self.vendor.clone() });
            }
            if model.source.trim().is_empty() {
                return Err(DescriptionError::NoSource { product: model.product.clone() });
            }
        }
        Ok(())
    }

    fn check_product_ids(&self) -> Result<(), DescriptionError> {
        let mut seen = BTreeSet::new();
        for model in &self.model {
            if model.pids.is_empty() {
                return Err(DescriptionError::NoProductId { product: model.product.clone() });
            }
            for pid in &model.pids {
                if !seen.insert(*pid) {
                    return Err(DescriptionError::ProductIdTwice { pid: *pid });
                }
            }
        }
        for model in &self.model {
            for pid in &self.firmware_of(model).dfu_pids {
                if seen.contains(pid) {
                    return Err(DescriptionError::BootloaderIsModel { pid: *pid });
                }
            }
        }
        Ok(())
    }

    fn check_firmware(&self) -> Result<(), DescriptionError> {
        let sections = self.model.iter().map(|model| self.firmware_of(model));
        for section in sections.chain([&self.firmware]) {
            let came_ms = section.reenumerate_timeout_ms;
            if !(1_000..=900_000).contains(&came_ms) {
                return Err(DescriptionError::ReenumerateTimeout { came_ms });
            }
            let letter = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
            let good = |name: &&String| (1..=32).contains(&name.len()) && name.bytes().all(letter);
            if let Some(came) = section.method.as_ref().filter(|name| !good(name)) {
                return Err(DescriptionError::Method { came: came.clone() });
            }
            section.usb_dfu.check(section.method.as_deref(), &section.dfu_pids)?;
        }
        Ok(())
    }

    fn check_quirks(&self) -> Result<(), DescriptionError> {
        for model in &self.model {
            let description = self.describe(model);
            if description.has(Quirk::MuteIsToggle) && description.has(Quirk::MuteIsState) {
                return Err(DescriptionError::MuteBothWays { product: model.product.clone() });
            }
        }
        Ok(())
    }

    fn firmware_of<'a>(&'a self, model: &'a Model) -> &'a FirmwareSection {
        model.firmware.as_ref().unwrap_or(&self.firmware)
    }

    pub(crate) fn describe(&self, model: &Model) -> Description {
        Description {
            vendor: self.vendor.clone(),
            product: Some(model.product.clone()),
            quirks: self.quirks.union(&model.quirks).copied().collect(),
            firmware: self.firmware_of(model).into(),
            denied: model.denied,
        }
    }
}
